//! What happened on which UTC day.

use crate::amount::Amount;
use crate::book::Book;
use crate::facts::{NodeFacts, RentalFacts};
use crate::money::{by_day, day_of, pay};
use crate::wire::{MachineDay, MinerDay, NetworkDay};
use std::collections::{BTreeMap, BTreeSet};
use surety_core::types::{Account, MachineId, UnixSecs};
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

/// A rental's days, of the last `most` up to now.
fn parts(book: &Book, rental: &RentalFacts, most: u32) -> Vec<Part> {
    let now_secs = book.at.at_secs;
    let first = day_of(now_secs).saturating_sub(most.saturating_sub(1));
    let (from_secs, until_secs) = rental.passed(now_secs);
    let mut days: BTreeMap<u32, (u64, u64)> = by_day(from_secs, until_secs, most).map(|(d, s)| (d, (s, 0))).collect();
    for fault in rental.standing_faults(book) {
        let until_secs = fault.until_secs.min(until_secs);
        for (day, secs) in by_day(fault.from_secs.max(from_secs), until_secs, most) {
            if let Some((_, faulted)) = days.get_mut(&day) {
                *faulted = faulted.saturating_add(secs);
            }
        }
    }
    let part = |(day, (rented_secs, faulted)): (u32, (u64, u64))| {
        let faulted_secs = faulted.min(rented_secs);
        Part { day, rented_secs, faulted_secs }
    };
    days.into_iter().filter(|(day, _)| *day >= first).map(part).collect()
}

/// The last 90 days of a machine, under whatever registration; days without anything are left out.
pub fn of_machine(book: &Book, machine: &MachineId) -> Vec<MachineDay> {
    let mut days: BTreeMap<u32, MachineDay> = BTreeMap::new();
    let rentals = book.registrations(machine).flat_map(|node| book.rentals_of(node.registration));
    for part in rentals.flat_map(|rental| parts(book, rental, DAYS)) {
        let day = days.entry(part.day).or_insert(MachineDay { day: part.day, ..MachineDay::default() });
        day.rented_secs = day.rented_secs.saturating_add(short(part.rented_secs));
        day.faulted_secs = day.faulted_secs.saturating_add(short(part.faulted_secs));
    }
    days.into_values().collect()
}

/// The strip of a machine's row, and its uptime in parts of a million; `since_day` is the first day it was there.
pub fn strip(days: &[MachineDay], today: u32, since_day: u32) -> (String, Option<u32>) {
    let by_day: BTreeMap<u32, &MachineDay> = days.iter().map(|day| (day.day, day)).collect();
    let mark = |day: u32| match by_day.get(&day) {
        Some(found) if found.rented_secs > 0 => ninths(found),
        _ if day < since_day => '.',
        _ => '-',
    };
    let first = today.saturating_sub(DAYS - 1);
    let rented: u64 = days.iter().map(|day| u64::from(day.rented_secs)).sum();
    let faulted: u64 = days.iter().map(|day| u64::from(day.faulted_secs)).sum();
    let uptime = |rented: u64| u32::try_from(rented.saturating_sub(faulted) * 1_000_000 / rented).unwrap_or(0);
    ((first..=today).map(mark).collect(), (rented > 0).then(|| uptime(rented)))
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
    let mut days: BTreeMap<u32, NetworkDay> = BTreeMap::new();
    let mut renters: BTreeSet<(u32, Account)> = BTreeSet::new();
    let today = day_of(book.at.at_secs);
    let is_shown = |secs: UnixSecs| day_of(secs) > today.saturating_sub(NETWORK_DAYS) && day_of(secs) <= today;
    let entry = |day: u32| NetworkDay { day, ..NetworkDay::default() };
    for rental in book.rentals.values() {
        if is_shown(rental.start_secs) {
            let began = day_of(rental.start_secs);
            days.entry(began).or_insert_with(|| entry(began)).rentals += 1;
        }
        for part in parts(book, rental, NETWORK_DAYS) {
            let day = days.entry(part.day).or_insert_with(|| entry(part.day));
            let served_secs = part.rented_secs.saturating_sub(part.faulted_secs);
            day.rented_secs = day.rented_secs.saturating_add(part.rented_secs);
            day.served_secs = day.served_secs.saturating_add(served_secs);
            let cards = u64::from(rental.gpu_count);
            day.rented_gpu_secs = day.rented_gpu_secs.saturating_add(part.rented_secs.saturating_mul(cards));
            day.revenue_rao = plus(day.revenue_rao, pay(served_secs, rental.price_rao_per_sec));
            if renters.insert((part.day, rental.renter)) {
                day.renters += 1;
            }
        }
    }
    for case in book.cases.values().filter(|case| is_shown(case.filed_at_secs)) {
        let filed = day_of(case.filed_at_secs);
        let day = days.entry(filed).or_insert_with(|| entry(filed));
        day.cases += 1;
        if case.status != CaseStatus::Dismissed {
            day.penalties_rao = plus(day.penalties_rao, Amount(case.penalty_rao));
        }
    }
    days.into_values().collect()
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
