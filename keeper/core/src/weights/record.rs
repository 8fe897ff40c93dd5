//! What a machine did for those who rented it: promised, served, used, and the cases against it.

use super::fleet::MachineFacts;
use super::rules::WeightRules;
use super::spans::{Span, common, length_secs};
use crate::types::{CaseId, Kind, UnixSecs};
use crate::view::{CaseStatus, CaseView, RentalView};
use std::collections::BTreeSet;

/// A machine's time with tenants, in the windows of the rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Record {
    /// Bought seconds of the window, up to now or the end.
    pub(super) promised_secs: u64,
    /// Of those, seconds without a recorded fault.
    pub(super) served_secs: u64,
    /// Cases that ended a rental, and were not dismissed.
    pub(super) terminating: u64,
}

impl Record {
    pub(super) fn of(facts: &MachineFacts, at_secs: UnixSecs, rules: &WeightRules) -> Self {
        let dismissed = dismissed(facts);
        let window = (at_secs.saturating_sub(rules.window_secs), at_secs);
        let promised = || rentals(facts).filter_map(|rental| Some((rental, common(bought(rental), window)?)));
        let faulted = promised().flat_map(|(rental, promised)| {
            let standing = rental.faults.iter().filter(|fault| !dismissed.contains(&fault.case_id));
            standing.filter_map(move |fault| common((fault.from_secs, fault.until_secs), promised))
        });
        let promised_secs = length_secs(promised().map(|(_, span)| span).collect());
        let served_secs = promised_secs.saturating_sub(length_secs(faulted.collect()));
        let ends = |case: &&CaseView| matches!(case.kind, Kind::Offline | Kind::NotDelivered);
        let ended: BTreeSet<CaseId> = counting(facts, at_secs, rules).filter(ends).map(|case| case.id).collect();
        Self { promised_secs, served_secs, terminating: u64::try_from(ended.len()).unwrap_or(u64::MAX) }
    }
}

/// Seconds in which somebody had rented this machine as this class, and seconds in which it could have been rented,
/// both in the window for demand. A fault changes neither: it was wanted all the same.
pub(super) fn use_secs(facts: &MachineFacts, gpu_class: u16, at_secs: UnixSecs, rules: &WeightRules) -> (u64, u64) {
    let from_secs = at_secs.saturating_sub(rules.demand_window_secs).max(facts.since_secs);
    let of_class = rentals(facts).filter(|rental| rental.gpu_class == gpu_class);
    let rented = of_class.filter_map(|rental| common(bought(rental), (from_secs, at_secs)));
    (length_secs(rented.collect()), at_secs.saturating_sub(from_secs))
}

/// The newest rental that has begun and, `grace_secs` after its end, is not over yet.
pub(super) fn newest_rental(facts: &MachineFacts, at_secs: UnixSecs, grace_secs: u64) -> Option<&RentalView> {
    let begun = rentals(facts).filter(|rental| rental.start_secs <= at_secs && rental.start_secs < rental.end_secs);
    let current = begun.filter(|rental| at_secs < rental.end_secs.saturating_add(grace_secs));
    current.max_by_key(|rental| (rental.start_secs, rental.id))
}

/// Cases against this machine that count: of this registration, of the window, not dismissed.
pub(super) fn counting<'a>(
    facts: &'a MachineFacts,
    at_secs: UnixSecs,
    rules: &WeightRules,
) -> impl Iterator<Item = &'a CaseView> {
    let dismissed = dismissed(facts);
    let from_secs = at_secs.saturating_sub(rules.window_secs);
    facts.cases.iter().filter(move |case| {
        // A registration or date that is not known absolves nobody.
        let of_this = case.registration == facts.registration || case.registration == 0;
        of_this && is_recent(case, from_secs) && !dismissed.contains(&case.id)
    })
}

/// Whether a case was filed since; one without a date was.
pub(super) fn is_recent(case: &CaseView, from_secs: UnixSecs) -> bool {
    case.filed_at_secs == 0 || case.filed_at_secs >= from_secs
}

fn dismissed(facts: &MachineFacts) -> BTreeSet<CaseId> {
    facts.cases.iter().filter(|case| case.status == CaseStatus::Dismissed).map(|case| case.id).collect()
}

/// Rentals of this registration.
fn rentals(facts: &MachineFacts) -> impl Iterator<Item = &RentalView> {
    facts.rentals.iter().filter(|rental| rental.machine == facts.machine && rental.start_secs >= facts.since_secs)
}

fn bought(rental: &RentalView) -> Span {
    (rental.start_secs, rental.end_secs)
}
