//! What happened on which UTC day.

use crate::amount::Amount;
use crate::book::Book;
use crate::facts::{NodeFacts, RentalFacts};
use crate::money::{DAY_SECS, by_day, day_of, pay};
use crate::wire::{MachineDay, MinerDay, NetworkDay};
use std::collections::BTreeMap;
use surety_core::types::{MachineId, UnixSecs};
use surety_core::view::CaseStatus;

/// Days shown of a machine or miner.
pub const DAYS: u32 = 90;
/// Days shown of the network.
pub const NETWORK_DAYS: u32 = 365;

/// One rental's seconds of one day.
struct Part {
    day: u32,
    rented_secs: u64,
    faulted_secs: u64,
}

/// The first of the last `most` days up to now.
fn first_of(now_secs: UnixSecs, most: u32) -> u32 {
    day_of(now_secs).saturating_sub(most.saturating_sub(1))
}

/// A rental's days, of the last `most` up to now, the oldest first.
fn parts(book: &Book, rental: &RentalFacts, most: u32) -> Vec<Part> {
    let now_secs = book.at.at_secs;
    let first = first_of(now_secs, most);
    let (from_secs, until_secs) = rental.passed(now_secs);
    let from_secs = from_secs.max(u64::from(first) * DAY_SECS);
    let part = |(day, rented_secs)| Part { day, rented_secs, faulted_secs: 0 };
    let mut parts: Vec<Part> = by_day(from_secs, until_secs, most).map(part).collect();
    let Some(first) = parts.first().map(|part| part.day) else { return parts };
    for fault in rental.standing_faults(book) {
        for (day, secs) in by_day(fault.from_secs.max(from_secs), fault.until_secs.min(until_secs), most) {
            if let Some(part) = day.checked_sub(first).and_then(|index| parts.get_mut(index as usize)) {
                part.faulted_secs = part.faulted_secs.saturating_add(secs).min(part.rented_secs);
            }
        }
    }
    parts
}

/// The last 90 days of a machine, as its rentals are added.
#[derive(Clone, Debug)]
pub struct Tally {
    first: u32,
    /// By the days since `first`.
    days: Vec<MachineDay>,
}

impl Tally {
    /// No rental yet.
    pub fn new(now_secs: UnixSecs) -> Self {
        Self { first: first_of(now_secs, DAYS), days: Vec::new() }
    }

    /// Adds one.
    pub fn add(&mut self, book: &Book, rental: &RentalFacts) {
        for part in parts(book, rental, DAYS) {
            let Some(index) = part.day.checked_sub(self.first) else { continue };
            while self.days.len() <= index as usize {
                let day = self.first.saturating_add(u32::try_from(self.days.len()).unwrap_or(u32::MAX));
                self.days.push(MachineDay { day, ..MachineDay::default() });
            }
            if let Some(day) = self.days.get_mut(index as usize) {
                day.rented_secs = day.rented_secs.saturating_add(short(part.rented_secs));
                day.faulted_secs = day.faulted_secs.saturating_add(short(part.faulted_secs));
            }
        }
    }

    /// The days, but for those without anything.
    pub fn into_days(mut self) -> Vec<MachineDay> {
        self.days.retain(|day| day.rented_secs != 0);
        self.days
    }
}

/// The last 90 days of a machine, under whatever registration; days without anything are left out.
pub fn of_machine(book: &Book, machine: &MachineId) -> Vec<MachineDay> {
    let mut days = Tally::new(book.at.at_secs);
    for rental in book.registrations(machine).flat_map(|node| book.rentals_of(node.registration)) {
        days.add(book, rental);
    }
    days.into_days()
}

/// The strip of a machine's row, and its uptime in parts of a million; `days` ascend, `since_day` is the day of its
/// first rental.
pub fn strip(days: &[MachineDay], today: u32, since_day: u32) -> (String, Option<u32>) {
    let mut days_left = days.iter().peekable();
    let mut mark = |day: u32| {
        while days_left.next_if(|found| found.day < day).is_some() {}
        match days_left.peek() {
            Some(found) if found.day == day && found.rented_secs > 0 => ninths(found),
            _ if day < since_day => '.',
            _ => '-',
        }
    };
    let first = today.saturating_sub(DAYS - 1);
    let rented: u64 = days.iter().map(|day| u64::from(day.rented_secs)).sum();
    let faulted: u64 = days.iter().map(|day| u64::from(day.faulted_secs)).sum();
    let uptime = |rented: u64| u32::try_from(rented.saturating_sub(faulted) * 1_000_000 / rented).unwrap_or(0);
    ((first..=today).map(&mut mark).collect(), (rented > 0).then(|| uptime(rented)))
}

/// `9` is a day without any fault: one second of it makes an `8`.
fn ninths(day: &MachineDay) -> char {
    let served = u64::from(day.rented_secs.saturating_sub(day.faulted_secs));
    let ninths = u32::try_from(served * 9 / u64::from(day.rented_secs)).unwrap_or(0);
    char::from_digit(ninths, 10).unwrap_or('0')
}

/// The last 90 days of a miner; days without anything are left out.
pub fn of_miner<'a>(book: &Book, nodes: impl Iterator<Item = &'a NodeFacts>) -> Vec<MinerDay> {
    let mut days: BTreeMap<u32, MinerDay> = BTreeMap::new();
    for node in nodes {
        for rental in book.rentals_of(node.registration) {
            for part in parts(book, rental, DAYS) {
                let served_secs = part.rented_secs.saturating_sub(part.faulted_secs);
                let day = days.entry(part.day).or_insert(MinerDay { day: part.day, ..MinerDay::default() });
                day.served_secs = day.served_secs.saturating_add(served_secs);
                day.earned_rao = plus(day.earned_rao, pay(served_secs, rental.price_rao_per_sec));
            }
        }
    }
    days.into_values().collect()
}

/// The network's last 365 days, the oldest first; days without anything are left out.
pub fn of_network(book: &Book) -> Vec<NetworkDay> {
    let first = first_of(book.at.at_secs, NETWORK_DAYS);
    let today = day_of(book.at.at_secs);
    let mut days: Vec<NetworkDay> = (first..=today).map(|day| NetworkDay { day, ..NetworkDay::default() }).collect();
    let index = |day: u32| day.checked_sub(first).map(|index| index as usize);
    for (_, rentals) in book.renters() {
        let mut seen = [false; NETWORK_DAYS as usize];
        for rental in rentals.iter().filter_map(|id| book.rentals.get(id)) {
            if let Some(day) = index(day_of(rental.start_secs)).and_then(|index| days.get_mut(index)) {
                day.rentals += 1;
            }
            for part in parts(book, rental, NETWORK_DAYS) {
                let Some(index) = index(part.day) else { continue };
                if let (Some(day), Some(seen)) = (days.get_mut(index), seen.get_mut(index)) {
                    add_part(day, rental, &part);
                    day.renters += u32::from(!std::mem::replace(seen, true));
                }
            }
        }
    }
    for case in book.cases.values() {
        if let Some(day) = index(day_of(case.filed_at_secs)).and_then(|index| days.get_mut(index)) {
            day.cases += 1;
            if case.status != CaseStatus::Dismissed {
                day.penalties_rao = plus(day.penalties_rao, Amount(case.penalty_rao));
            }
        }
    }
    days.retain(|day| *day != NetworkDay { day: day.day, ..NetworkDay::default() });
    days
}

fn add_part(day: &mut NetworkDay, rental: &RentalFacts, part: &Part) {
    let served_secs = part.rented_secs.saturating_sub(part.faulted_secs);
    let cards = u64::from(rental.gpu_count);
    day.rented_secs = day.rented_secs.saturating_add(part.rented_secs);
    day.served_secs = day.served_secs.saturating_add(served_secs);
    day.rented_gpu_secs = day.rented_gpu_secs.saturating_add(part.rented_secs.saturating_mul(cards));
    day.revenue_rao = plus(day.revenue_rao, pay(served_secs, rental.price_rao_per_sec));
}

/// Those days as a table, its first line the names of its columns.
pub fn csv(days: &[NetworkDay]) -> String {
    let mut text =
        String::from("day,rentals,renters,rented_secs,served_secs,rented_gpu_secs,revenue_rao,penalties_rao,cases\n");
    for d in days {
        let numbers = [
            u64::from(d.day),
            d.rentals.into(),
            d.renters.into(),
            d.rented_secs,
            d.served_secs,
            d.rented_gpu_secs,
            d.revenue_rao.0,
            d.penalties_rao.0,
            d.cases.into(),
        ];
        text.push_str(&numbers.map(|number| number.to_string()).join(","));
        text.push('\n');
    }
    text
}

fn plus(one: Amount, other: Amount) -> Amount {
    Amount(one.0.saturating_add(other.0))
}

fn short(secs: u64) -> u32 {
    u32::try_from(secs).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
