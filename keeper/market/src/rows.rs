//! Rentals and cases as they are shown: facts, and what follows from them.
//!
//! Every second bought is in one place, so that times the price
//!
//! ```text
//! paid = refunded            cut off when the rental ended early
//!      + compensated         faults whose case was executed, or its refund made
//!      + undecided           faults whose case is not (`open_secs`)
//!      + earned              passed without a fault, or with one whose case was dismissed (`served_secs`)
//!      + to come             not passed yet
//! ```

use crate::amount::Amount;
use crate::book::Book;
use crate::facts::{CaseFacts, RentalFacts, Setting};
use crate::money::pay;
use crate::wire::{Appeal, Case, CaseCause, CaseKind, CaseState, Fault, Rental, RentalState};
use std::cmp::{max, min};
use surety_core::types::{Kind, Rao, UnixSecs};
use surety_core::view::{CaseStatus, FaultView};

impl CaseFacts {
    /// Whether the withheld pay is, or stays, with the renter: upheld or never contested.
    pub fn is_for_renter(&self) -> bool {
        matches!(self.status, CaseStatus::Executed | CaseStatus::Refunded | CaseStatus::RefundedAppealed)
    }
}

impl RentalFacts {
    /// Where it stands at a time.
    pub fn state(&self, now_secs: UnixSecs) -> RentalState {
        match self.closed {
            true => RentalState::Closed,
            false if now_secs < self.end_secs => RentalState::Running,
            false => RentalState::Ended,
        }
    }

    /// Bought time that has passed: first second, and end (exclusive).
    pub fn passed(&self, now_secs: UnixSecs) -> (UnixSecs, UnixSecs) {
        (self.start_secs, max(self.start_secs, min(now_secs, self.end_secs)))
    }

    /// Bought, and given back because it ended early.
    pub fn refunded_secs(&self) -> u64 {
        self.bought_secs.saturating_sub(self.end_secs.saturating_sub(self.start_secs))
    }

    /// Its faults, but for those of dismissed cases.
    pub fn standing_faults<'a>(&'a self, book: &'a Book) -> impl Iterator<Item = &'a FaultView> {
        let dismissed =
            |fault: &FaultView| book.cases.get(&fault.case_id).is_some_and(|case| case.status == CaseStatus::Dismissed);
        self.faults.iter().filter(move |fault| !dismissed(fault))
    }

    /// Seconds that passed without a standing fault.
    pub fn served_secs(&self, book: &Book, now_secs: UnixSecs) -> u64 {
        let (from_secs, until_secs) = self.passed(now_secs);
        let faulted = self.standing_faults(book).map(|fault| {
            let (from, until) = (max(fault.from_secs, from_secs), min(fault.until_secs, until_secs));
            until.saturating_sub(from)
        });
        until_secs.saturating_sub(from_secs).saturating_sub(faulted.fold(0, u64::saturating_add))
    }

    /// Seconds withheld for good: their case was executed, or its refund made.
    fn compensated_secs(&self, book: &Book) -> u64 {
        let for_renter = |fault: &&FaultView| book.cases.get(&fault.case_id).is_some_and(CaseFacts::is_for_renter);
        let secs = self.faults.iter().filter(for_renter).map(|fault| fault.until_secs.saturating_sub(fault.from_secs));
        secs.fold(0, u64::saturating_add)
    }

    /// What the renter had back: unused time, and time without service.
    pub fn back_rao(&self, book: &Book) -> Amount {
        pay(self.refunded_secs().saturating_add(self.compensated_secs(book)), self.price_rao_per_sec)
    }
}

/// What of a case's penalty was burned: of an `Offline` no more than its rental has earned, the rest went back (SPEC,
/// `execute`); of a case that is not executed nothing.
pub fn burned_rao(book: &Book, case: &CaseFacts) -> Rao {
    if case.status != CaseStatus::Executed {
        return 0;
    }
    let rental = book.rentals.get(&case.rental).filter(|_| case.kind == Kind::Offline);
    rental.map_or(case.penalty_rao, |rental| {
        let elapsed_secs = rental.end_secs.saturating_sub(rental.start_secs);
        let earned = pay(elapsed_secs.saturating_sub(rental.faulted_secs), rental.price_rao_per_sec);
        case.penalty_rao.min(earned.0)
    })
}

/// A rental as it is shown.
pub fn rental(book: &Book, setting: &Setting, facts: &RentalFacts) -> Rental {
    let price = facts.price_rao_per_sec;
    let fault = |f: &FaultView| Fault { from_secs: f.from_secs, until_secs: f.until_secs, case: f.case_id };
    Rental {
        id: facts.id,
        state: facts.state(book.at.at_secs),
        machine: book.machine_of(facts.registration).unwrap_or_default(),
        registration: facts.registration,
        miner: book.miner_of(facts.registration),
        renter: facts.renter,
        renter_key: facts.renter_key,
        gpu_class: facts.gpu_class,
        class_name: (setting.class_name)(facts.gpu_class),
        gpu_count: facts.gpu_count,
        price_rao_per_sec: Amount(price),
        start_secs: facts.start_secs,
        end_secs: facts.end_secs,
        paid_until_secs: facts.paid_until_secs,
        min_duration_secs: facts.min_duration_secs,
        bought_secs: facts.bought_secs,
        claimed_secs: facts.claimed_secs,
        faulted_secs: facts.faulted_secs,
        open_secs: facts.open_secs,
        refunded_secs: facts.refunded_secs(),
        paid_rao: pay(facts.bought_secs, price),
        refunded_rao: pay(facts.refunded_secs(), price),
        compensated_rao: pay(facts.compensated_secs(book), price),
        faults: facts.faults.iter().map(fault).collect(),
    }
}

/// A case as it is shown.
pub fn case(book: &Book, facts: &CaseFacts) -> Case {
    let of: Option<&RentalFacts> = book.rentals.get(&facts.rental);
    let price = of.map_or(0, |rental| rental.price_rao_per_sec);
    let some = |secs: UnixSecs| (secs != 0).then_some(secs);
    Case {
        id: facts.id,
        kind: kind(facts.kind),
        cause: cause(facts.cause),
        state: state(facts.status),
        slow: facts.slow,
        rental: (facts.rental != 0).then_some(facts.rental),
        machine: book.machine_of(facts.registration).unwrap_or_default(),
        registration: facts.registration,
        miner: book.miner_of(facts.registration),
        renter: of.map(|rental| rental.renter),
        filed_at_secs: facts.filed_at_secs,
        executable_at_secs: some(facts.executable_at_secs),
        appealable_until_secs: some(facts.appealable_until_secs),
        appeal_bond_rao: some(facts.appeal_bond_rao).map(Amount),
        appeal: facts.appeal.map(|(bond, rule_by_secs)| Appeal { bond_rao: Amount(bond), rule_by_secs }),
        withheld_secs: facts.withheld_secs,
        withheld_rao: pay(facts.withheld_secs, price),
        penalty_rao: Amount(facts.penalty_rao),
    }
}

fn kind(kind: Kind) -> CaseKind {
    match kind {
        Kind::NotDelivered => CaseKind::NotDelivered,
        Kind::Interrupted => CaseKind::Interrupted,
        Kind::Offline => CaseKind::Offline,
        Kind::Spoofed => CaseKind::Spoofed,
    }
}

/// Numbers of the contract's `Cause`; one it does not have says nothing.
fn cause(number: u8) -> CaseCause {
    match number {
        1 => CaseCause::Unreachable,
        2 => CaseCause::WrongHostKey,
        3 => CaseCause::RenterRefused,
        4 => CaseCause::GpusMissing,
        _ => CaseCause::None,
    }
}

/// How a status is shown.
pub fn state(status: CaseStatus) -> CaseState {
    match status {
        CaseStatus::Filed => CaseState::Filed,
        CaseStatus::Appealed => CaseState::Appealed,
        CaseStatus::Refunded => CaseState::Refunded,
        CaseStatus::RefundedAppealed => CaseState::RefundedAppealed,
        CaseStatus::Executed => CaseState::Executed,
        CaseStatus::Dismissed => CaseState::Dismissed,
    }
}

#[cfg(test)]
mod tests;
