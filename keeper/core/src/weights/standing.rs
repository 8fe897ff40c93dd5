//! What a machine stands for: what it promises, what of that is proven, and every reason for which it earns nothing.

use super::explain::NoWeight;
use super::fleet::{Certified, Fleet, MachineFacts};
use super::owners::{Owner, Owners};
use super::record::{counting, is_recent, newest_rental};
use super::rules::WeightRules;
use super::{Scheme, scheme_points};
use crate::limits::{CARDS_MAX, MACHINE_RENTALS_MAX};
use crate::types::{CaseId, Kind, UnixSecs};
use crate::view::{CaseStatus, CaseView};
use std::collections::BTreeMap;

/// A certificate may be dated after the newest block by as much as clocks may differ (`Rules::clock_skew_max_secs`).
const CLOCK_SLACK_SECS: u64 = 60;

/// What a machine must be by its offer, or by the rental that runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Promise {
    pub(super) gpu_class: u16,
    pub(super) gpu_count: u16,
    pub(super) rented: bool,
}

/// A machine that could earn something, or why it cannot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Standing {
    pub(super) owner: Owner,
    pub(super) promise: Option<Promise>,
    /// Points of one card, or, where points come from elsewhere, of the machine.
    pub(super) points: u64,
    /// Cards that are promised and proven and not missing.
    pub(super) cards: u16,
    /// Every reason to earn nothing; none of it depends on other machines but on spoofs of the same owner.
    pub(super) none: Vec<NoWeight>,
}

/// The newest spoof of each owner.
pub(super) fn spoofs(fleet: &Fleet, owners: &mut Owners, rules: &WeightRules) -> BTreeMap<Owner, CaseId> {
    let from_secs = fleet.at_secs.saturating_sub(rules.window_secs);
    let is_spoof = |case: &CaseView| case.kind == Kind::Spoofed;
    let mut found = BTreeMap::new();
    let mut note = |owner, case: CaseId| {
        let newest = found.entry(owner).or_insert(case);
        *newest = case.max(*newest);
    };
    for one in &fleet.machines {
        for case in counting(one, fleet.at_secs, rules).filter(|case| is_spoof(case)) {
            note(owners.owner(one.hotkey, one.miner), case.id);
        }
    }
    for past in &fleet.past_spoofs {
        let stands = past.case.status != CaseStatus::Dismissed && is_recent(&past.case, from_secs);
        if stands && is_spoof(&past.case) {
            note(owners.owner(past.hotkey, past.miner), past.case.id);
        }
    }
    found
}

/// What is the same for all machines.
pub(super) struct Bench<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) scheme: &'a Scheme,
    pub(super) rules: &'a WeightRules,
    pub(super) spoofs: BTreeMap<Owner, CaseId>,
}

impl Bench<'_> {
    /// Where a machine of this owner stands.
    pub(super) fn standing(&self, facts: &MachineFacts, owner: Owner) -> Standing {
        let promise = promise(facts, self.fleet.at_secs);
        let points = scheme_points(self.scheme, facts.machine, promise.map(|promise| promise.gpu_class));
        let cards = promise.map_or(0, |promise| cards(facts, &promise));
        let mut none = self.of_owner(facts, owner);
        none.extend(self.unproven(facts, promise));
        none.extend(self.overpriced(facts, promise));
        none.extend(bond(facts));
        none.extend(too_often(facts));
        if let Some(promise) = promise {
            if points == 0 {
                none.push(NoWeight::NoPoints { gpu_class: promise.gpu_class });
            }
            if cards == 0 && facts.certified.is_some() {
                let missing = facts.cards_missing.unwrap_or(0);
                none.push(NoWeight::NoCards { promised: promise.gpu_count, missing });
            }
        }
        if facts.round_share_ppm == Some(0) {
            none.push(NoWeight::NoRoundPassed);
        }
        Standing { owner, promise, points, cards, none }
    }

    fn of_owner(&self, facts: &MachineFacts, owner: Owner) -> Vec<NoWeight> {
        let spoof = self.spoofs.get(&owner).map(|case| NoWeight::Spoofed { case: *case });
        let seat = match self.fleet.seats.get(&facts.hotkey) {
            None => Some(NoWeight::NoSeat),
            Some(uid) if Some(*uid) == self.rules.burn_uid => Some(NoWeight::BurnSeat { uid: *uid }),
            Some(_) => None,
        };
        spoof.into_iter().chain(seat).collect()
    }

    fn unproven(&self, facts: &MachineFacts, promise: Option<Promise>) -> Option<NoWeight> {
        let Some(promise) = promise else { return Some(NoWeight::NotOffered) };
        let Some(Certified { gpu_class, measured_at_secs, .. }) = facts.certified else {
            return Some(NoWeight::NotCertified);
        };
        let latest_secs = self.fleet.at_secs.saturating_add(CLOCK_SLACK_SECS);
        if measured_at_secs > latest_secs {
            return Some(NoWeight::CertificateAhead { measured_at_secs, latest_secs });
        }
        let earliest_secs = self.served_from(facts).saturating_sub(self.rules.certificate_life_secs);
        if measured_at_secs < earliest_secs {
            return Some(NoWeight::CertificateLapsed { measured_at_secs, earliest_secs });
        }
        let other = gpu_class != promise.gpu_class;
        other.then_some(NoWeight::OtherClass { promised: promise.gpu_class, certified: gpu_class })
    }

    /// When the certificate must have been alive: now, or when the tenant came who is there or has only just left.
    fn served_from(&self, facts: &MachineFacts) -> UnixSecs {
        let newest = newest_rental(facts, self.fleet.at_secs, self.rules.remeasure_grace_secs);
        newest.map_or(self.fleet.at_secs, |rental| rental.start_secs)
    }

    /// A price that nobody pays keeps a machine idle for ever, and idle machines earn as rented ones do.
    fn overpriced(&self, facts: &MachineFacts, promise: Option<Promise>) -> Option<NoWeight> {
        let promise = promise.filter(|promise| !promise.rented)?;
        let asked_rao_per_sec = facts.offer?.price_rao_per_sec;
        let cap = self.rules.price_cap(promise.gpu_class)?;
        let most_rao_per_sec = cap.saturating_mul(promise.gpu_count.into());
        let over = asked_rao_per_sec > most_rao_per_sec;
        over.then_some(NoWeight::PriceTooHigh { asked_rao_per_sec, most_rao_per_sec })
    }
}

fn too_often(facts: &MachineFacts) -> Option<NoWeight> {
    let (rentals, max) = (facts.rentals.len(), MACHINE_RENTALS_MAX);
    (rentals > max).then_some(NoWeight::TooManyRentals { rentals, max })
}

/// The rental that runs, else the live offer.
fn promise(facts: &MachineFacts, at_secs: UnixSecs) -> Option<Promise> {
    if let Some(rental) = newest_rental(facts, at_secs, 0) {
        return Some(Promise { gpu_class: rental.gpu_class, gpu_count: rental.gpu_count, rented: true });
    }
    let live = facts.offer.filter(|offer| at_secs < offer.expires_at_secs)?;
    Some(Promise { gpu_class: live.gpu_class, gpu_count: live.gpu_count, rented: false })
}

/// The least of what is promised and proven, less what the machine itself says is gone. No machine can be measured with
/// more than [`CARDS_MAX`].
fn cards(facts: &MachineFacts, promise: &Promise) -> u16 {
    let certified = facts.certified.map_or(0, |certified| certified.gpu_count);
    let proven = promise.gpu_count.min(certified).min(u16::try_from(CARDS_MAX).unwrap_or(u16::MAX));
    proven.saturating_sub(facts.cards_missing.unwrap_or(0))
}

/// A bond of nothing is what a failed read looks like, and must not pass for a small one.
fn bond(facts: &MachineFacts) -> Option<NoWeight> {
    let (have_rao, need_rao) = (facts.bonded_rao, facts.required_bond_rao);
    if need_rao == 0 {
        return Some(NoWeight::BondUnknown);
    }
    (have_rao < need_rao).then_some(NoWeight::BondTooLow { have_rao, need_rao })
}
