//! Which ids a batch of logs speaks of. A log that cannot be decoded makes everything be read by dense ids, in slices;
//! it stops nothing.

use super::left_out::Id;
use alloy::primitives::B256;
use alloy::rpc::types::Log;
use alloy::sol_types::SolEventInterface;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use surety_client::bindings::AppointedKeepers::AppointedKeepersEvents;
use surety_client::bindings::Arbiter::ArbiterEvents;
use surety_client::bindings::CollateralVault::CollateralVaultEvents as V;
use surety_client::bindings::RentalBids::RentalBidsEvents as B;
use surety_client::bindings::RentalEscrow::RentalEscrowEvents as E;
use surety_client::bindings::VotingPowerKeepers::VotingPowerKeepersEvents;
use surety_client::reader::Counts;
use surety_core::types::{CaseId, MachineId, RentalId};

/// Most ids of one kind read at once, the newest: a node may count without end, this keeper's memory ends.
pub(super) const IDS_MAX: u64 = 100_000;

/// Ids to read by view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Touched {
    pub(super) everything: bool,
    pub(super) machines: BTreeSet<MachineId>,
    pub(super) registrations: BTreeSet<u32>,
    pub(super) rentals: BTreeSet<RentalId>,
    pub(super) cases: BTreeSet<CaseId>,
    pub(super) keepers: bool,
    /// Some log made no sense, or there were too many: what they touched is unknown.
    pub(super) undecoded: bool,
}

impl Touched {
    pub(super) fn all(counts: Counts) -> Self {
        Self {
            everything: true,
            machines: BTreeSet::new(),
            registrations: new_registrations(0, counts.registrations),
            rentals: new_ids("rentals", 0, counts.rentals).collect(),
            cases: new_ids("cases", 0, counts.cases).collect(),
            keepers: true,
            undecoded: false,
        }
    }

    pub(super) fn by_logs(logs: &[Log]) -> Self {
        let mut touched = Self::default();
        for log in logs {
            touched.note(log);
        }
        touched
    }

    /// Ids that exist now and did not before, whether or not a log told of them.
    pub(super) fn with_new(mut self, before: Counts, now: Counts) -> Self {
        self.registrations.extend(new_registrations(before.registrations, now.registrations));
        self.rentals.extend(new_ids("rentals", before.rentals, now.rentals));
        self.cases.extend(new_ids("cases", before.cases, now.cases));
        self
    }

    /// Nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn add(&mut self, id: Id) {
        match id {
            Id::Registration(id) => drop(self.registrations.insert(id)),
            Id::Machine(id) => drop(self.machines.insert(id)),
            Id::Rental(id) => drop(self.rentals.insert(id)),
            Id::Case(id) => drop(self.cases.insert(id)),
        }
    }

    pub(super) fn names(&self, id: Id) -> bool {
        match id {
            Id::Registration(id) => self.registrations.contains(&id),
            Id::Machine(id) => self.machines.contains(&id),
            Id::Rental(id) => self.rentals.contains(&id),
            Id::Case(id) => self.cases.contains(&id),
        }
    }

    /// What either speaks of. Everything is everything, whatever else is named.
    pub(super) fn or(mut self, mut other: Self) -> Self {
        if other.everything && !self.everything {
            return other.or(self);
        }
        self.machines.append(&mut other.machines);
        self.registrations.append(&mut other.registrations);
        self.rentals.append(&mut other.rentals);
        self.cases.append(&mut other.cases);
        self.keepers |= other.keepers;
        self.undecoded |= other.undecoded;
        self
    }

    /// Without what is not there: a log may be a lie, or an id of a branch that is gone.
    pub(super) fn within(mut self, counts: Counts) -> Self {
        self.registrations.retain(|id| (1..=counts.registrations).contains(id));
        self.rentals.retain(|id| (1..=counts.rentals).contains(id));
        self.cases.retain(|id| (1..=counts.cases).contains(id));
        self
    }

    fn note(&mut self, log: &Log) {
        let data = &log.inner.data;
        if let Ok(event) = V::decode_raw_log(data.topics(), &data.data) {
            self.note_vault(&event);
        } else if let Ok(event) = E::decode_raw_log(data.topics(), &data.data) {
            self.note_escrow(&event);
        } else if let Ok(event) = ArbiterEvents::decode_raw_log(data.topics(), &data.data) {
            self.note_arbiter(&event);
        } else if let Ok(event) = B::decode_raw_log(data.topics(), &data.data) {
            self.note_bids(&event);
        } else if is_keepers(data.topics(), &data.data) {
            self.keepers = true;
        } else {
            tracing::warn!(block = log.block_number, index = log.log_index, "a log of ours cannot be decoded");
            self.undecoded = true;
        }
    }

    fn machine(&mut self, machine: B256) {
        self.machines.insert(MachineId(machine.0));
    }

    fn bond(&mut self, registration: u32, rental: u64) {
        self.registrations.insert(registration);
        if rental != 0 {
            self.rentals.insert(rental);
        }
    }

    fn case(&mut self, case: u64) {
        self.cases.insert(case);
    }

    fn note_vault(&mut self, event: &V) {
        match event {
            V::Registered(e) => self.machine(e.machine),
            V::EndpointSet(e) => self.machine(e.machine),
            V::Deposited(e) => self.machine(e.machine),
            V::ExitRequested(e) => self.machine(e.machine),
            V::ExitCancelled(e) => self.machine(e.machine),
            V::Withdrawn(e) => self.machine(e.machine),
            V::Reserved(e) => self.bond(e.registration, e.rental),
            V::Released(e) => self.bond(e.registration, e.rental),
            V::SetAside(e) => self.bond(e.registration, 0),
            V::Forfeited(e) => self.bond(e.registration, 0),
            V::GivenBack(e) => self.bond(e.registration, 0),
            V::Rebound(e) => self.machine(e.machine),
            V::Retired(e) => self.bond(e.registration, 0),
            _ => {}
        }
    }

    fn note_escrow(&mut self, event: &E) {
        let rental = match event {
            E::Offered(e) => return self.bond(e.registration, 0),
            E::OfferWithdrawn(e) => return self.bond(e.registration, 0),
            E::Rented(e) => {
                self.machine(e.machine);
                e.rental
            }
            E::Extended(e) => e.rental,
            E::Claimed(e) => e.rental,
            E::Ended(e) => e.rental,
            E::RentalClosed(e) => e.rental,
            E::Withheld(e) => {
                self.cases.insert(e.caseId);
                e.rental
            }
            E::Decided(e) => e.rental,
            _ => return,
        };
        self.rentals.insert(rental);
    }

    fn note_arbiter(&mut self, event: &ArbiterEvents) {
        match event {
            ArbiterEvents::Filed(e) => {
                self.cases.insert(e.caseId);
                self.bond(e.registration, e.rental);
            }
            ArbiterEvents::Executed(e) => self.case(e.caseId),
            ArbiterEvents::Refunded(e) => self.case(e.caseId),
            ArbiterEvents::Appealed(e) => self.case(e.caseId),
            ArbiterEvents::Dismissed(e) => self.case(e.caseId),
            _ => {}
        }
    }
}

impl Touched {
    /// A bid is nobody's rental yet, and keepers do not follow bids; one that is filled is a rental, of which the
    /// escrow tells too. Credits are the renters' own affair.
    fn note_bids(&mut self, event: &B) {
        if let B::BidFilled(e) = event {
            self.machine(e.machine);
            self.rentals.insert(e.rental);
        }
    }
}

/// Whether either kind of keeper set said it.
fn is_keepers(topics: &[B256], data: &[u8]) -> bool {
    AppointedKeepersEvents::decode_raw_log(topics, data).is_ok()
        || VotingPowerKeepersEvents::decode_raw_log(topics, data).is_ok()
}

/// Ids above `before`, up to `now`; the newest, where they are more than can be held.
fn new_ids(what: &'static str, before: u64, now: u64) -> RangeInclusive<u64> {
    if now.saturating_sub(before) > IDS_MAX {
        tracing::error!(what, before, now, most = IDS_MAX, "the node counts more than can be read; the oldest are not");
    }
    std::cmp::max(before.saturating_add(1), now.saturating_sub(IDS_MAX).saturating_add(1))..=now
}

fn new_registrations(before: u32, now: u32) -> BTreeSet<u32> {
    new_ids("registrations", before.into(), now.into()).filter_map(|id| u32::try_from(id).ok()).collect()
}
