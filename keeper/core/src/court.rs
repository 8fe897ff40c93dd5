//! Attestations of all keepers, and filing: when a quorum agrees, by whom, in which gap.
//!
//! A peer's attestation makes this keeper look; it never makes it sign.

use crate::effect::{Effect, EffectId, Intent};
use crate::gaps::{Gap, clamp, gaps};
use crate::ids::{effect_id, tagged};
use crate::input::{TxOutcome, TxResult};
use crate::limits::{COURT_RENTALS_MAX, INTERRUPTED_PER_SIGNER_MAX, clip_text};
use crate::quorum::{Offered, agree};
use crate::state::State;
use crate::statement::{Attestation, Signed};
use crate::types::{Account, Kind, RentalId, UnixSecs};
use crate::view::RentalView;
use crate::watch;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything signed about rentals that are not closed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Court {
    /// By rental.
    pub dockets: BTreeMap<RentalId, Docket>,
}

/// What is signed about one rental, and what this keeper does about it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Docket {
    /// By signer: the newest of each terminating kind, and some `Interrupted`.
    pub attestations: BTreeMap<Account, Vec<Signed<Attestation>>>,
    /// A case that could be filed, and since when (Unix seconds).
    pub ready: Option<Ready>,
    /// The filing under way.
    pub filing: Option<EffectId>,
    /// Filings of this rental so far.
    pub attempts: u32,
    /// Filings that failed since the last that succeeded.
    pub failures: u32,
    /// Not before this time again.
    pub retry_at_secs: UnixSecs,
    /// Updates of the best view at which these attestations carried nothing: they will not until there is news.
    #[serde(default)]
    pub nothing_at: Option<u64>,
}

/// A case that a quorum would carry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ready {
    /// Its kind.
    pub kind: Kind,
    /// Its gap.
    pub gap: u32,
    /// Since when this keeper knows, Unix seconds.
    pub since_secs: UnixSecs,
    /// When it last could have been filed, Unix seconds.
    #[serde(default)]
    pub last_secs: UnixSecs,
}

/// A case that cannot be filed for this long is not ready any more. Attestations that are signed anew are often dated
/// after the newest block, and serve only with the next one: a keeper must not lose its turn by that every minute.
const READY_KEPT_SECS: u64 = 60;

/// How much later than this keeper another may have seen an outage begin: twice the widest spacing of looks, and some.
const CARRIED_WITHIN_SECS: u64 = 120;

/// A peer's attestation arrived. When it is sound and fresh, look there at once.
pub(crate) fn on_peer(state: &mut State, signed: &Signed<Attestation>) {
    if signed.signer == state.config.me || !keep(state, signed.clone()) {
        return;
    }
    let fresh_secs = signed.statement.until_secs.saturating_add(state.config.rules.peer_fresh_secs);
    if fresh_secs < state.clock.now_secs() {
        return;
    }
    let machine = state.world.best.rentals.get(&signed.statement.rental).map(|rental| rental.machine);
    if let Some(machine) = machine {
        watch::poke(state, &machine);
    }
}

/// Stores an attestation when it is sound: by an active keeper, about a rental that is not closed, in sane times.
/// Says whether it did.
pub(crate) fn keep(state: &mut State, signed: Signed<Attestation>) -> bool {
    if !sound(state, &signed) {
        return false;
    }
    let dockets = &mut state.court.dockets;
    let rental = signed.statement.rental;
    if dockets.len() >= COURT_RENTALS_MAX && !dockets.contains_key(&rental) {
        return false;
    }
    let docket = dockets.entry(rental).or_default();
    docket.nothing_at = None;
    put(docket.attestations.entry(signed.signer).or_default(), signed)
}

fn sound(state: &State, signed: &Signed<Attestation>) -> bool {
    let best = &state.world.best;
    let Attestation { kind, rental, from_secs, until_secs, .. } = signed.statement;
    let Some(rental) = best.rentals.get(&rental) else {
        return false;
    };
    let latest_secs = best.block.timestamp_secs.saturating_add(state.config.rules.clock_skew_max_secs);
    best.active_keeper(&signed.signer).is_some()
        && kind != Kind::Spoofed
        && !rental.closed
        && from_secs < until_secs
        && rental.start_secs <= from_secs
        && from_secs < rental.end_secs
        && until_secs <= latest_secs
}

/// Of a terminating kind only the newest counts; of `Interrupted` the newest few.
fn put(kept: &mut Vec<Signed<Attestation>>, signed: Signed<Attestation>) -> bool {
    let new = signed.statement;
    if kept.iter().any(|old| old.statement == new) {
        return false;
    }
    if new.kind == Kind::Interrupted {
        let same_kind = kept.iter().filter(|old| old.statement.kind == Kind::Interrupted).count();
        let oldest = kept.iter().position(|old| old.statement.kind == Kind::Interrupted);
        if let Some(oldest) = oldest.filter(|_| same_kind >= INTERRUPTED_PER_SIGNER_MAX) {
            kept.remove(oldest);
        }
    } else if let Some(at) = kept.iter().position(|old| old.statement.kind == new.kind) {
        if kept.get(at).is_some_and(|old| old.statement.until_secs >= new.until_secs) {
            return false;
        }
        kept.remove(at);
    }
    kept.push(signed);
    true
}

/// Whether this very attestation is in store: an adapter that polls peers need not log it again.
pub fn holds(state: &State, signed: &Signed<Attestation>) -> bool {
    let docket = state.court.dockets.get(&signed.statement.rental);
    let kept = docket.and_then(|docket| docket.attestations.get(&signed.signer));
    kept.is_some_and(|kept| kept.iter().any(|old| old.statement == signed.statement))
}

/// Rentals that are closed need no court.
pub(crate) fn forget_closed(state: &mut State) {
    let rentals = &state.world.best.rentals;
    state
        .court
        .dockets
        .retain(|id, docket| docket.filing.is_some() || rentals.get(id).is_some_and(|rental| !rental.closed));
}

/// Files what a quorum carries, when it is this keeper's turn.
pub(crate) fn file(state: &mut State, effects: &mut Vec<Effect>) {
    if state.health.blind.is_some() || state.world.best.active_keeper(&state.config.me).is_none() {
        return;
    }
    let mut dockets = std::mem::take(&mut state.court.dockets);
    for (rental, docket) in &mut dockets {
        if let Some(view) = state.world.best.rentals.get(rental) {
            file_one(state, view, docket, effects);
        }
    }
    state.court.dockets = dockets;
}

fn file_one(state: &State, rental: &RentalView, docket: &mut Docket, effects: &mut Vec<Effect>) {
    let now_secs = state.clock.now_secs();
    if docket.filing.is_some() || now_secs < docket.retry_at_secs {
        return;
    }
    let updates = state.world.best.updates;
    let known = docket.nothing_at == Some(updates);
    let Some(plan) = (!known).then(|| plan(state, rental, docket)).flatten() else {
        docket.nothing_at = Some(updates);
        docket.ready = docket.ready.filter(|ready| now_secs.saturating_sub(ready.last_secs) <= READY_KEPT_SECS);
        return;
    };
    let known = docket.ready.filter(|ready| ready.kind == plan.kind && ready.gap == plan.gap);
    let ready = known.unwrap_or(Ready { kind: plan.kind, gap: plan.gap, since_secs: now_secs, last_secs: now_secs });
    docket.ready = Some(Ready { last_secs: now_secs, ..ready });
    let turn_secs = rank(state, rental.id, plan.kind, docket).saturating_mul(state.config.rules.file_rank_delay_secs);
    if now_secs < ready.since_secs.saturating_add(turn_secs) {
        return;
    }
    docket.attempts = docket.attempts.saturating_add(1);
    let parts: [&[u8]; 3] = [&rental.id.to_be_bytes(), &[plan.kind as u8], &docket.attempts.to_be_bytes()];
    let id = effect_id("file", &parts);
    docket.filing = Some(id);
    let Plan { kind, gap, attestations } = plan;
    effects.push(Effect::Submit { id, intent: Intent::File { kind, rental: rental.id, gap, attestations } });
}

/// A case that the Arbiter would take at the newest block.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its kind.
    pub kind: Kind,
    /// Its gap.
    pub gap: u32,
    /// The attestations, by signer ascending.
    pub attestations: Vec<Signed<Attestation>>,
}

/// The case to file, terminating kinds first: they give the renter the rest back at once.
pub fn plan(state: &State, rental: &RentalView, docket: &Docket) -> Option<Plan> {
    if rental.closed {
        return None;
    }
    let every_gap = gaps(rental);
    let last_gap = every_gap.last().copied()?;
    let ending = [Kind::NotDelivered, Kind::Offline].into_iter().map(|kind| (kind, last_gap));
    let passing = every_gap.iter().map(|gap| (Kind::Interrupted, *gap));
    ending.chain(passing).find_map(|(kind, gap)| plan_in_gap(state, rental, docket, kind, gap))
}

fn plan_in_gap(state: &State, rental: &RentalView, docket: &Docket, kind: Kind, gap: Gap) -> Option<Plan> {
    let now_secs = state.world.best.block.timestamp_secs;
    let untouched = rental.claimed_secs == 0 && rental.paid_until_secs <= rental.start_secs && rental.faults.is_empty();
    if (kind != Kind::Interrupted && now_secs >= rental.end_secs) || (kind == Kind::NotDelivered && !untouched) {
        return None;
    }
    let all: Vec<&Signed<Attestation>> =
        docket.attestations.values().flatten().filter(|signed| usable(state, rental, kind, signed)).collect();
    let offered: Vec<Offered> = all
        .iter()
        .enumerate()
        .filter_map(|(index, signed)| {
            let Attestation { from_secs, until_secs, .. } = signed.statement;
            let (from_secs, until_secs) = clamp(rental, &gap, now_secs, (from_secs, until_secs))?;
            Some(Offered { signer: signed.signer, index, from_secs, until_secs })
        })
        .collect();
    let agreed = agree(&state.world.best.keepers, &offered)?;
    let length_secs = agreed.until_secs.saturating_sub(agreed.from_secs);
    if length_secs < contract_least_secs(state, kind)? {
        return None;
    }
    let attestations = agreed.members.values().filter_map(|index| all.get(*index).map(|one| (*one).clone())).collect();
    Some(Plan { kind, gap: gap.index, attestations })
}

/// Whether signing anew, up to `until_secs`, makes with some peer the least interval that the contract takes, where
/// what this keeper signed last fell short. All that lasts is signed anew each minute; but who saw it first would
/// otherwise make everybody wait for that, since the interval counts from who saw it last.
pub(crate) fn carries_now(
    state: &State,
    rental: &RentalView,
    kind: Kind,
    (from_secs, last_until_secs): (UnixSecs, UnixSecs),
    until_secs: UnixSecs,
) -> bool {
    let (Some(docket), Some(least_secs)) = (state.court.dockets.get(&rental.id), contract_least_secs(state, kind))
    else {
        return false;
    };
    // Only while the outage is about to be long enough: nobody makes us sign at every look.
    let lately = last_until_secs.saturating_sub(from_secs) < least_secs.saturating_add(CARRIED_WITHIN_SECS);
    let peers = docket.attestations.iter().filter(|(signer, _)| **signer != state.config.me);
    let mut begins = peers.flat_map(|(_, kept)| kept).filter(|signed| usable(state, rental, kind, signed));
    lately
        && begins.any(|signed| {
            let from_secs = signed.statement.from_secs.max(from_secs);
            let common_secs = |end: UnixSecs| end.saturating_sub(from_secs);
            common_secs(last_until_secs) < least_secs && common_secs(until_secs) >= least_secs
        })
}

/// Whether a peer's attestation of this kind about this rental would serve now.
pub(crate) fn peer_says(state: &State, rental: &RentalView, kind: Kind) -> bool {
    let Some(docket) = state.court.dockets.get(&rental.id) else {
        return false;
    };
    let peers = docket.attestations.iter().filter(|(signer, _)| **signer != state.config.me);
    let mut kept = peers.flat_map(|(_, kept)| kept);
    kept.any(|signed| signed.statement.kind == kind && usable(state, rental, kind, signed))
}

/// The contract's own minimum of a kind.
fn contract_least_secs(state: &State, kind: Kind) -> Option<u64> {
    match kind {
        Kind::NotDelivered => Some(state.times.delivery_grace_secs),
        Kind::Interrupted => Some(std::cmp::max(state.times.min_interrupted_secs, 1)),
        Kind::Offline => Some(state.times.min_offline_secs),
        Kind::Spoofed => None,
    }
}

/// Whether an attestation may serve a case of this kind now. Nothing dated after the newest block; terminating kinds
/// must stay fresh long enough to be mined. A fresh `Offline` is kept for `Offline`: spent on an `Interrupted` it would
/// cut the last gap short, and the outage could not end the rental.
fn usable(state: &State, rental: &RentalView, kind: Kind, signed: &Signed<Attestation>) -> bool {
    let claim = &signed.statement;
    let now_secs = state.world.best.block.timestamp_secs;
    let freshness_secs = state.times.freshness_secs;
    let margin_secs = std::cmp::min(state.config.rules.file_margin_secs, freshness_secs / 2);
    let fresh = claim.until_secs.saturating_add(freshness_secs.saturating_sub(margin_secs)) >= now_secs;
    let right_kind = match kind {
        Kind::Interrupted => match claim.kind {
            Kind::Interrupted => true,
            Kind::Offline => !fresh || now_secs >= rental.end_secs,
            Kind::NotDelivered | Kind::Spoofed => false,
        },
        Kind::Offline => claim.kind == Kind::Offline && fresh,
        Kind::NotDelivered => claim.kind == kind && fresh && claim.from_secs == rental.start_secs,
        Kind::Spoofed => false,
    };
    let active = state.world.best.active_keeper(&signed.signer).is_some();
    active && right_kind && claim.until_secs <= now_secs
}

/// This keeper's place in the order for a case: keepers act one after another, each given time to. Who has signed
/// something about the rental comes before who has not: a keeper that saw nothing is perhaps not there.
fn rank(state: &State, rental: RentalId, kind: Kind, docket: &Docket) -> u64 {
    let place = |account: &Account| {
        let silent = !docket.attestations.contains_key(account);
        (silent, tagged("surety/order", &[&rental.to_be_bytes(), &[kind as u8], &account.0]))
    };
    let mine = place(&state.config.me);
    state.world.best.active_keepers().filter(|keeper| place(&keeper.account) < mine).count() as u64
}

/// A filing reached its end. A failed one is tried again later, with whatever is fresher then.
pub(crate) fn on_tx(state: &mut State, result: &TxResult, effects: &mut Vec<Effect>) {
    let now_secs = state.clock.now_secs();
    let retry_secs = state.config.rules.submit_retry_secs;
    let found = state.court.dockets.iter_mut().find(|(_, docket)| docket.filing == Some(result.id));
    let Some((rental, docket)) = found else {
        return;
    };
    docket.filing = None;
    match &result.outcome {
        TxOutcome::Settled => {
            docket.failures = 0;
            docket.ready = None;
            docket.retry_at_secs = now_secs.saturating_add(retry_secs);
        }
        TxOutcome::Failed { why } => {
            docket.retry_at_secs = now_secs.saturating_add(backoff_secs(retry_secs, docket.failures));
            docket.failures = docket.failures.saturating_add(1);
            let id = effect_id("alert/file-failed", &[&result.id.0]);
            let message = format!("filing about rental {rental} failed: {}; it is tried again", clip_text(why));
            effects.push(Effect::Alert { id, message });
        }
    }
}

/// `base`, doubled for each failure, up to 32 times.
pub(crate) fn backoff_secs(base_secs: u64, failures: u32) -> u64 {
    base_secs.saturating_mul(1 << std::cmp::min(failures, 5))
}

#[cfg(test)]
mod tests;
