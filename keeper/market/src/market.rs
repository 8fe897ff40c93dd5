//! The market: the book, what this keeper certifies, and a row for each machine, kept up to date.

use crate::amount::Amount;
use crate::book::Book;
use crate::days;
use crate::facts::{Beside, Certificates, Counts, NodeFacts, Reading, RentalFacts, Setting, Wanted};
use crate::money::day_of;
use crate::wire::{Availability, Bond, CaseCounts, Machine, PricePoint};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use surety_core::types::{MachineId, RentalId, UnixSecs};
use surety_core::view::CaseStatus;

/// Prices remembered of a machine's offers at most.
pub const PRICES_MAX: usize = 200;

/// Everything that is shown.
#[derive(Clone, Debug)]
pub struct Market {
    pub(crate) setting: Setting,
    pub(crate) book: Book,
    certificates: Certificates,
    pub(crate) rows: BTreeMap<MachineId, Machine>,
    /// Offers as they were seen, the newest last.
    offers: BTreeMap<MachineId, VecDeque<PricePoint>>,
    generation: u64,
}

impl Market {
    /// Nothing is known yet.
    pub fn new(setting: Setting) -> Self {
        let (book, certificates) = (Book::default(), Certificates::new());
        Self { setting, book, certificates, rows: BTreeMap::new(), offers: BTreeMap::new(), generation: 0 }
    }

    /// Takes what was read at a block and what this keeper certifies.
    pub fn apply(&mut self, reading: Reading, certificates: Certificates) {
        let before_secs = self.book.at.at_secs;
        let mut touched = self.book.apply(reading);
        let now_secs = self.book.at.at_secs;
        if day_of(before_secs) != day_of(now_secs) {
            touched.extend(self.book.nodes.values().map(|node| node.machine));
        }
        touched.extend(self.changed(&certificates));
        // What time alone changes: rentals that end, offers and certificates that lapse, pauses that are over.
        touched.extend(self.rows.values().filter(|row| row.offer.is_some() || row.rental.is_some()).map(|r| r.machine));
        self.certificates = certificates;
        for machine in touched {
            self.refresh(machine);
        }
        self.generation += 1;
    }

    /// Takes what no id names.
    pub fn put_beside(&mut self, beside: Beside) {
        self.book.put_beside(beside);
        // Before the first reading there is nothing to be shown.
        self.generation += u64::from(self.generation > 0);
    }

    /// Counts what was taken: answers of one number are alike.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What there is at these counts and has not been read, at most `most` of each kind.
    pub fn missing(&self, counts: Counts, most: usize) -> Wanted {
        self.book.missing(counts, most)
    }

    /// The machine's row, if it is registered.
    pub fn row(&self, machine: &MachineId) -> Option<&Machine> {
        self.rows.get(machine)
    }

    /// Prices of a machine, the newest first: what it was rented at, and offers as they were seen.
    pub fn prices(&self, machine: &MachineId) -> Vec<PricePoint> {
        let rented = self.book.registrations(machine).flat_map(|node| self.book.rentals_of(node.registration));
        let rented = rented.map(|rental| PricePoint {
            at_secs: rental.start_secs,
            price_rao_per_sec: Amount(rental.price_rao_per_sec),
            rental: Some(rental.id),
        });
        let offered = self.offers.get(machine).into_iter().flatten().copied();
        let mut all: Vec<PricePoint> = rented.chain(offered).collect();
        all.sort_by_key(|point| (std::cmp::Reverse(point.at_secs), point.rental.is_none()));
        all.truncate(PRICES_MAX);
        all
    }

    fn changed(&self, certificates: &Certificates) -> BTreeSet<MachineId> {
        let differs = |machine: &&MachineId| self.certificates.get(*machine) != certificates.get(*machine);
        self.certificates.keys().chain(certificates.keys()).filter(differs).copied().collect()
    }

    fn refresh(&mut self, machine: MachineId) {
        let Some(node) = self.book.current(&machine) else {
            self.rows.remove(&machine);
            return;
        };
        let price = node.offer.map_or(Amount(0), |offer| offer.price_rao_per_sec);
        let row = self.show(node);
        self.rows.insert(machine, row);
        self.note_price(machine, price);
    }

    fn note_price(&mut self, machine: MachineId, price: Amount) {
        let seen = self.offers.entry(machine).or_default();
        let last = seen.back().map_or(Amount(0), |point| point.price_rao_per_sec);
        if last != price {
            seen.push_back(PricePoint { at_secs: self.book.at.at_secs, price_rao_per_sec: price, rental: None });
            if seen.len() > PRICES_MAX {
                seen.pop_front();
            }
        }
    }

    fn show(&self, node: &NodeFacts) -> Machine {
        let (book, now_secs) = (&self.book, self.book.at.at_secs);
        let newest = book.rentals_of(node.registration).next();
        let running = newest.filter(|rental| !rental.closed && now_secs < rental.end_secs).map(|rental| rental.id);
        let verified = self.verified_until(node, newest);
        let days = days::of_machine(book, &node.machine);
        let first = days.first().map_or(day_of(now_secs), |day| day.day);
        let (strip, uptime_ppm) = days::strip(&days, day_of(now_secs), first);
        Machine {
            machine: node.machine,
            registration: node.registration,
            miner: node.miner,
            hotkey: node.hotkey,
            uid: node.uid,
            endpoint: node.endpoint.map(|endpoint| endpoint.to_string()),
            availability: availability(node, newest, running, verified, now_secs),
            class_name: node.offer.map(|offer| (self.setting.class_name)(offer.gpu_class)),
            offer: node.offer,
            bond: bond(node, now_secs),
            rental: running,
            verified_until_secs: verified,
            uptime_ppm,
            strip,
            rentals: count(book.registrations(&node.machine).flat_map(|one| book.rentals_of(one.registration))),
            cases: self.count_cases(&node.machine),
        }
    }

    fn count_cases(&self, machine: &MachineId) -> CaseCounts {
        let mut counts = CaseCounts::default();
        for case in self.book.registrations(machine).flat_map(|one| self.book.cases_of(one.registration)) {
            match case.status {
                CaseStatus::Executed => counts.executed += 1,
                CaseStatus::Dismissed => counts.dismissed += 1,
                _ => counts.open += 1,
            }
        }
        counts
    }

    /// Up to when this keeper's certificate serves a rental of the offer: measured since the last tenant left, of this
    /// registration, of the class and with the cards offered.
    fn verified_until(&self, node: &NodeFacts, newest: Option<&RentalFacts>) -> Option<UnixSecs> {
        let (registration, certified) = self.certificates.get(&node.machine)?;
        let until_secs = certified.measured_at_secs.saturating_add(self.setting.terms.certificate_life_secs);
        let left_secs = newest.map_or(0, |rental| rental.end_secs);
        let fits = node.offer.is_none_or(|offer| {
            certified.gpu_class == offer.gpu_class && certified.gpu_count >= u16::from(offer.gpu_count)
        });
        let serves = *registration == node.registration
            && fits
            && certified.measured_at_secs >= left_secs
            && self.book.at.at_secs <= until_secs;
        serves.then_some(until_secs)
    }
}

fn availability(
    node: &NodeFacts,
    newest: Option<&RentalFacts>,
    running: Option<RentalId>,
    verified_until: Option<UnixSecs>,
    now_secs: UnixSecs,
) -> Availability {
    if running.is_some() {
        return Availability::Rented;
    }
    let Some(offer) = node.offer.filter(|offer| now_secs < offer.expires_at_secs) else {
        return Availability::NotOffered;
    };
    let ready_at_secs = newest.map_or(0, |rental| rental.end_secs.saturating_add(offer.turnaround_secs));
    if now_secs < ready_at_secs {
        return Availability::Resting;
    }
    if node.free_rao.saturating_add(stated_rao(node, now_secs)) < node.needed_rao {
        return Availability::Underbonded;
    }
    if verified_until.is_none() { Availability::Unverified } else { Availability::Free }
}

/// What a bond elsewhere counts for, while it cannot leave.
fn stated_rao(node: &NodeFacts, now_secs: UnixSecs) -> u64 {
    node.stated.filter(|stated| now_secs < stated.until_secs).map_or(0, |stated| stated.value_rao)
}

fn bond(node: &NodeFacts, now_secs: UnixSecs) -> Bond {
    Bond {
        free_rao: Amount(node.free_rao),
        reserved_rao: Amount(node.reserved_rao),
        held_rao: Amount(node.held_rao),
        exiting_rao: Amount(node.exiting_rao),
        exit_ready_at_secs: (node.exit_ready_at_secs != 0).then_some(node.exit_ready_at_secs),
        stated_rao: Amount(stated_rao(node, now_secs)),
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
