//! Paying out what is due, so that miners and renters need do nothing: rentals that are over are closed, many in one
//! transaction, and long ones are claimed for now and then. Anybody may do the same at any time.

use crate::court::backoff_secs;
use crate::effect::{Effect, EffectId, Intent};
use crate::health::Blind;
use crate::ids::{effect_id, tagged};
use crate::input::{TxOutcome, TxResult};
use crate::limits::{CLOSES_AT_ONCE, clip_text};
use crate::state::State;
use crate::types::{RentalId, UnixSecs};
use crate::view::RentalView;
use serde::{Deserialize, Serialize};
use std::cmp::min;

/// What the operator pays gas for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PayoutRules {
    /// Whether this keeper pays out at all.
    pub enabled: bool,
    /// How long a rental that may be closed waits for others, to be closed in one transaction with them.
    pub close_wait_secs: u64,
    /// A running rental is claimed for when this much service is unpaid; 0: never.
    pub claim_after_secs: u64,
}

impl Default for PayoutRules {
    fn default() -> Self {
        Self { enabled: true, close_wait_secs: 600, claim_after_secs: 86_400 }
    }
}

impl PayoutRules {
    /// Pays nothing out.
    pub const OFF: Self = Self { enabled: false, close_wait_secs: 0, claim_after_secs: 0 };
}

/// The payout under way.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Payout {
    /// Its transaction.
    pub in_flight: Option<EffectId>,
    /// The newest block when it was submitted.
    #[serde(default)]
    pub submitted_at: u64,
    /// Payouts so far.
    pub attempts: u64,
    /// Failures since the last success.
    pub failures: u32,
    /// Not before this time again.
    pub retry_at_secs: UnixSecs,
    /// The newest block at which nothing was due: what is due changes with blocks only.
    pub nothing_at: Option<u64>,
    /// The next time to look for claims, chain seconds: a hundredth of what is waited for anyway does not matter.
    #[serde(default)]
    pub claims_at_secs: UnixSecs,
}

/// Submits the payout that is due, one at a time. Like executing, this needs no eyes, only a known chain.
pub(crate) fn pay(state: &mut State, effects: &mut Vec<Effect>) {
    let lost = matches!(state.health.blind, Some(Blind::Rpc | Blind::NoChain | Blind::Starting));
    let waits = state.payout.in_flight.is_some() || state.clock.now_secs() < state.payout.retry_at_secs;
    let idle = !state.config.payout.enabled || state.world.best.active_keeper(&state.config.me).is_none();
    let block = state.world.best.block.number;
    if lost || waits || idle || state.payout.nothing_at == Some(block) {
        return;
    }
    let now_secs = state.world.best.block.timestamp_secs;
    let claims = now_secs >= state.payout.claims_at_secs;
    let Some(intent) = to_close(state).or_else(|| claims.then(|| to_claim(state)).flatten()) else {
        state.payout.nothing_at = Some(block);
        if claims {
            state.payout.claims_at_secs = now_secs.saturating_add(state.config.payout.claim_after_secs / 100);
        }
        return;
    };
    let payout = &mut state.payout;
    payout.attempts = payout.attempts.saturating_add(1);
    let id = effect_id("payout", &[&payout.attempts.to_be_bytes()]);
    payout.in_flight = Some(id);
    payout.submitted_at = block;
    effects.push(Effect::Submit { id, intent });
}

/// The oldest rentals that may be closed, once there are enough of them or the oldest has waited long enough.
fn to_close(state: &State) -> Option<Intent> {
    let lag_secs = state.times.settle_lag_secs;
    let now_secs = state.world.best.block.timestamp_secs;
    let mut due: Vec<(UnixSecs, RentalId)> = state
        .world
        .finalized
        .rentals
        .over_by(now_secs.saturating_sub(lag_secs))
        .filter(|rental| !is_closed_at_best(state, rental.id))
        .map(|rental| (rental.end_secs.saturating_add(lag_secs), rental.id))
        .collect();
    due.sort_unstable();
    let (oldest_secs, oldest) = *due.first()?;
    let full = due.len() >= CLOSES_AT_ONCE;
    let wait_secs = if full { 0 } else { state.config.payout.close_wait_secs };
    let turn_secs = oldest_secs.saturating_add(wait_secs).saturating_add(turn_delay_secs(state, oldest));
    let rentals = due.into_iter().take(CLOSES_AT_ONCE).map(|(_, rental)| rental).collect();
    (turn_secs <= now_secs).then_some(Intent::Close { rentals })
}

fn is_closed_at_best(state: &State, rental: RentalId) -> bool {
    state.world.best.rentals.get(&rental).is_none_or(|rental| rental.closed)
}

/// The running rental whose unpaid service is longest, once it is long enough.
fn to_claim(state: &State) -> Option<Intent> {
    let after_secs = state.config.payout.claim_after_secs;
    if after_secs == 0 {
        return None;
    }
    // What finality does not show yet may still be undone, and no payout for it could be seen to be done.
    let is_final = |rental: &&RentalView| state.world.finalized.rentals.contains_key(&rental.id);
    let open = state.world.best.rentals.open().filter(is_final);
    let (unpaid_secs, rental) =
        open.map(|rental| (unpaid_secs(state, rental), rental)).max_by_key(|(secs, rental)| (*secs, rental.id))?;
    let due = unpaid_secs >= after_secs.saturating_add(turn_delay_secs(state, rental.id));
    due.then_some(Intent::Claim { rental: rental.id, past_secs: rental.paid_until_secs })
}

/// Service that the contract would pay for at the newest block: what ran up to `settleLag` ago, less every recorded
/// fault, also a later one, less what is paid (`StreamLib.earnedSecs`, `unpaidSecs`).
fn unpaid_secs(state: &State, rental: &RentalView) -> u64 {
    let now_secs = state.world.best.block.timestamp_secs;
    let until_secs = min(now_secs.saturating_sub(state.times.settle_lag_secs), rental.end_secs);
    let faulted = rental.faults.iter().map(|fault| fault.until_secs.saturating_sub(fault.from_secs));
    let faulted_secs = faulted.fold(0, u64::saturating_add);
    until_secs.saturating_sub(rental.start_secs).saturating_sub(faulted_secs).saturating_sub(rental.claimed_secs)
}

/// Keepers pay out one after another, in an order of its own for each rental.
fn turn_delay_secs(state: &State, rental: RentalId) -> u64 {
    let place = |account: &crate::types::Account| tagged("surety/payout-order", &[&rental.to_be_bytes(), &account.0]);
    let mine = place(&state.config.me);
    let before = state.world.best.active_keepers().filter(|keeper| place(&keeper.account) < mine).count() as u64;
    before.saturating_mul(state.config.rules.execute_rank_delay_secs)
}

/// A payout reached its end.
pub(crate) fn on_tx(state: &mut State, result: &TxResult, effects: &mut Vec<Effect>) {
    let (now_secs, block) = (state.clock.now_secs(), state.world.best.block.number);
    let payout = &mut state.payout;
    if payout.in_flight != Some(result.id) {
        return;
    }
    payout.in_flight = None;
    match &result.outcome {
        TxOutcome::Settled => {
            payout.failures = 0;
            // Finality already shows what the newest block we know lacks: that one would only ask for it again.
            payout.nothing_at = Some(block).filter(|block| *block == payout.submitted_at);
        }
        TxOutcome::Failed { why } => {
            let wait_secs = backoff_secs(state.config.rules.submit_retry_secs, payout.failures);
            payout.retry_at_secs = now_secs.saturating_add(wait_secs);
            payout.failures = payout.failures.saturating_add(1);
            let id = effect_id("alert/payout-failed", &[&result.id.0]);
            let message = format!("a payout failed: {}; it is tried again", clip_text(why));
            effects.push(Effect::Alert { id, message });
        }
    }
}

#[cfg(test)]
mod tests;
