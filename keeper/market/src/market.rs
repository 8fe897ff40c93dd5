//! The market: the book, what this keeper certifies, and a row for each machine, kept up to date.

use crate::amount::Amount;
use crate::book::Book;
use crate::facts::{Beside, Certificates, Counts, NodeFacts, Reading, RentalFacts, Setting, Wanted};
use crate::history::History;
use crate::money::day_of;
use crate::wire::{Availability, Bond, Machine, Offer, PricePoint};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use surety_core::types::{MachineId, Rao, UnixSecs};
use surety_core::weights::StatedBond;

/// Prices remembered of a machine's offers at most.
pub const PRICES_MAX: usize = 200;
/// Rentals not closed that the vault backs of one registration (contracts/SPEC.md, P31).
const BACKED_MAX: usize = 2;

/// Everything that is shown.
#[derive(Clone, Debug)]
pub struct Market {
    pub(crate) setting: Setting,
    pub(crate) book: Book,
    certificates: Certificates,
    pub(crate) rows: BTreeMap<MachineId, Machine>,
    /// Of each machine that has a row.
    histories: BTreeMap<MachineId, History>,
    /// Offers as they were seen, the newest last.
    offers: BTreeMap<MachineId, VecDeque<PricePoint>>,
    generation: u64,
}

impl Market {
    /// Nothing is known yet.
    pub fn new(setting: Setting) -> Self {
        let (book, certificates) = (Book::default(), Certificates::new());
        let (rows, histories, offers) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { setting, book, certificates, rows, histories, offers, generation: 0 }
    }

    /// Takes what was read at a block and what this keeper certifies.
    pub fn apply(&mut self, reading: Reading, certificates: Certificates) {
        let before_secs = self.book.at.at_secs;
        let mut touched = self.book.apply(reading);
        let now_secs = self.book.at.at_secs;
        // What lapsed may not have, where a reorg took time back.
        if day_of(before_secs) != day_of(now_secs) || now_secs < before_secs {
            touched.extend(self.book.nodes.values().map(|node| node.machine));
        }
        touched.extend(self.changed(&certificates));
        self.certificates = certificates;
        let timed: Vec<MachineId> = self.timed().filter(|machine| !touched.contains(machine)).collect();
        for machine in touched {
            self.read_history(machine);
            self.refresh(machine);
        }
        for machine in timed {
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

    /// Machines that time alone changes: rentals that go on or end, offers, certificates and bonds elsewhere that
    /// lapse, pauses that are over.
    fn timed(&self) -> impl Iterator<Item = MachineId> {
        let grows = |machine: &MachineId| self.histories.get(machine).is_some_and(History::grows);
        let lapses = |row: &Machine| {
            row.offer.is_some() || row.verified_until_secs.is_some() || row.bond.stated_rao != Amount(0)
        };
        let timed = self.rows.iter().filter(move |(machine, row)| lapses(row) || grows(machine));
        timed.map(|(machine, _)| *machine)
    }

    fn read_history(&mut self, machine: MachineId) {
        match self.book.current(&machine).map(|node| History::of(&self.book, node)) {
            Some(history) => self.histories.insert(machine, history),
            None => self.histories.remove(&machine),
        };
    }

    fn refresh(&mut self, machine: MachineId) {
        let (Some(node), Some(history)) = (self.book.current(&machine), self.histories.get(&machine)) else {
            self.rows.remove(&machine);
            self.offers.remove(&machine);
            return;
        };
        let row = self.show(node, history);
        let price = row.offer.map_or(Amount(0), |offer| offer.price_rao_per_sec);
        self.rows.insert(machine, row);
        self.note_price(machine, price);
    }

    /// What was noted at this time or later was of this block, or of one that a reorg undid.
    fn note_price(&mut self, machine: MachineId, price: Amount) {
        let at_secs = self.book.at.at_secs;
        let seen = self.offers.entry(machine).or_default();
        while seen.pop_back_if(|point| at_secs <= point.at_secs).is_some() {}
        if seen.back().map_or(Amount(0), |point| point.price_rao_per_sec) != price {
            seen.push_back(PricePoint { at_secs, price_rao_per_sec: price, rental: None });
            if seen.len() > PRICES_MAX {
                seen.pop_front();
            }
        }
    }

    fn show(&self, node: &NodeFacts, history: &History) -> Machine {
        let (book, now_secs) = (&self.book, self.book.at.at_secs);
        let newest = book.rentals_of(node.registration).next();
        let running = newest.filter(|rental| !rental.closed && now_secs < rental.end_secs).map(|rental| rental.id);
        let offer = node.offer.filter(|offer| now_secs < offer.expires_at_secs);
        let verified = self.verified_until(node, offer, newest, history);
        let ready =
            Ready { node, offer, newest, unclosed: history.unclosed, settle_secs: self.setting.terms.settle_lag_secs };
        let (strip, uptime_ppm) = history.strip(book);
        Machine {
            machine: node.machine,
            registration: node.registration,
            miner: node.miner,
            hotkey: node.hotkey,
            uid: node.uid,
            endpoint: node.endpoint.map(|endpoint| endpoint.to_string()),
            availability: if running.is_some() { Availability::Rented } else { ready.at(verified, now_secs) },
            class_name: offer.map(|offer| (self.setting.class_name)(offer.gpu_class)),
            offer,
            bond: bond(node, now_secs),
            rental: running,
            verified_until_secs: verified,
            uptime_ppm,
            strip,
            rentals: history.rentals,
            cases: history.cases,
        }
    }

    /// Up to when this keeper's certificate serves a rental of the offer: measured since the last tenant left and the
    /// last spoof was filed, of this registration, of the class and with the cards offered.
    fn verified_until(
        &self,
        node: &NodeFacts,
        offer: Option<Offer>,
        newest: Option<&RentalFacts>,
        history: &History,
    ) -> Option<UnixSecs> {
        let (registration, certified) = self.certificates.get(&node.machine)?;
        let until_secs = certified.measured_at_secs.saturating_add(self.setting.terms.certificate_life_secs);
        let since_secs = newest.map_or(0, |rental| rental.end_secs).max(history.distrusted_at_secs);
        let fits = offer.is_none_or(|offer| {
            certified.gpu_class == offer.gpu_class && certified.gpu_count >= u16::from(offer.gpu_count)
        });
        let serves = *registration == node.registration
            && fits
            && certified.measured_at_secs >= since_secs
            && self.book.at.at_secs <= until_secs;
        serves.then_some(until_secs)
    }
}

/// What Escrow and Vault ask before a machine is rented, as far as it is read here: not whether its hotkey is at its
/// uid, nor whether new business is taken.
struct Ready<'a> {
    node: &'a NodeFacts,
    offer: Option<Offer>,
    newest: Option<&'a RentalFacts>,
    unclosed: usize,
    settle_secs: u64,
}

impl Ready<'_> {
    /// Nothing runs on it.
    fn at(&self, verified_until: Option<UnixSecs>, now_secs: UnixSecs) -> Availability {
        // Each card of a class on the market needs some bond.
        let Some(offer) = self.offer.filter(|_| self.node.needed_rao != 0) else {
            return Availability::NotOffered;
        };
        let ready_at_secs = self.newest.map_or(0, |rental| rental.end_secs.saturating_add(offer.turnaround_secs));
        if now_secs < ready_at_secs || self.unclosed >= BACKED_MAX {
            return Availability::Resting;
        }
        let covered_rao = self.covered_rao(offer, now_secs);
        if self.node.free_rao.saturating_add(covered_rao) < self.node.needed_rao {
            return Availability::Underbonded;
        }
        if verified_until.is_none() { Availability::Unverified } else { Availability::Free }
    }

    /// What a bond elsewhere can cover of the shortest rental: stated after the last tenant left, and there until the
    /// rental can be closed. Vault asks for more that is not read here: that it stays while cases can be filed there.
    fn covered_rao(&self, offer: Offer, now_secs: UnixSecs) -> Rao {
        let left_secs = self.newest.map_or(0, |rental| rental.end_secs);
        let closable_secs = now_secs.saturating_add(offer.min_duration_secs).saturating_add(self.settle_secs);
        let lasts = |stated: &StatedBond| left_secs <= stated.stated_at_secs && closable_secs <= stated.until_secs;
        self.node.stated.filter(lasts).map_or(0, |stated| stated.value_rao)
    }
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

#[cfg(test)]
mod tests;
