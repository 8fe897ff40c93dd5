//! Executing cases whose window has passed, and burning what they took.

use crate::court::backoff_secs;
use crate::effect::{Effect, EffectId, Intent};
use crate::health::Blind;
use crate::ids::{effect_id, tagged};
use crate::input::{TxOutcome, TxResult};
use crate::limits::clip_text;
use crate::state::State;
use crate::types::{CaseId, UnixSecs};
use crate::view::{CaseStatus, CaseView};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Failed burns of one case after which the keeper gives up: anybody may flush at any time.
const FLUSH_FAILURES_MAX: u32 = 3;

/// Cases this keeper works on.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Settle {
    /// By case.
    pub cases: BTreeMap<CaseId, Work>,
}

/// What this keeper does about one case.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Work {
    /// The transaction under way: an execution, or the burn after it.
    pub in_flight: Option<EffectId>,
    /// Transactions so far.
    pub attempts: u32,
    /// Failures since the last success.
    pub failures: u32,
    /// Not before this time again.
    pub retry_at_secs: UnixSecs,
    /// Executed through us; its penalty waits to be burned.
    pub flush_due: bool,
    /// Nothing more to do.
    pub done: bool,
}

/// Submits the executions and burns that are due. This runs on the chain's clock, so only a keeper that does not know
/// the chain holds back.
pub(crate) fn execute(state: &mut State, effects: &mut Vec<Effect>) {
    let lost = matches!(state.health.blind, Some(Blind::Rpc | Blind::NoChain | Blind::Starting));
    if lost || state.world.best.active_keeper(&state.config.me).is_none() {
        return;
    }
    let due: Vec<CaseView> = state.world.finalized.cases.open().filter(|case| is_due(state, case)).cloned().collect();
    for case in due {
        let work = state.settle.cases.entry(case.id).or_default();
        submit(work, "execute", case.id, Intent::Execute { case_id: case.id }, effects);
    }
    let now_secs = state.clock.now_secs();
    for (case_id, work) in &mut state.settle.cases {
        if work.flush_due && work.in_flight.is_none() && now_secs >= work.retry_at_secs {
            submit(work, "flush", *case_id, Intent::FlushBurn, effects);
        }
    }
}

fn submit(work: &mut Work, what: &str, case_id: CaseId, intent: Intent, effects: &mut Vec<Effect>) {
    work.attempts = work.attempts.saturating_add(1);
    let id = effect_id(what, &[&case_id.to_be_bytes(), &work.attempts.to_be_bytes()]);
    work.in_flight = Some(id);
    effects.push(Effect::Submit { id, intent });
}

fn open(case: &CaseView) -> bool {
    !case.status.is_decided()
}

fn is_due(state: &State, case: &CaseView) -> bool {
    let now_secs = state.world.best.block.timestamp_secs;
    let moved = state.world.best.cases.get(&case.id).is_some_and(|newer| newer.status != case.status);
    let free = state.settle.cases.get(&case.id).is_none_or(|work| {
        work.in_flight.is_none() && !work.done && !work.flush_due && state.clock.now_secs() >= work.retry_at_secs
    });
    if moved || !free || now_secs < case.executable_at_secs {
        return false;
    }
    let delay_secs = rank(state, case.id).saturating_mul(state.config.rules.execute_rank_delay_secs);
    now_secs >= case.executable_at_secs.saturating_add(delay_secs)
}

fn rank(state: &State, case_id: CaseId) -> u64 {
    let place = |account: &crate::types::Account| tagged("surety/execute-order", &[&case_id.to_be_bytes(), &account.0]);
    let mine = place(&state.config.me);
    state.world.best.active_keepers().filter(|keeper| place(&keeper.account) < mine).count() as u64
}

/// An execution or a burn reached its end.
pub(crate) fn on_tx(state: &mut State, result: &TxResult, effects: &mut Vec<Effect>) {
    let now_secs = state.clock.now_secs();
    let found = state.settle.cases.iter_mut().find(|(_, work)| work.in_flight == Some(result.id));
    let Some((case_id, work)) = found else { return };
    work.in_flight = None;
    match &result.outcome {
        TxOutcome::Settled if work.flush_due => {
            work.flush_due = false;
            work.done = true;
        }
        TxOutcome::Settled => {
            let case = state.world.finalized.cases.get(case_id);
            work.failures = 0;
            // What the breaker has slowed down is refunded first, and executed once more later.
            let half_done = case.is_some_and(|case| case.status == CaseStatus::Refunded);
            work.flush_due = !half_done && case.is_some_and(|case| case.penalty_rao > 0);
            work.done = !half_done && !work.flush_due;
        }
        TxOutcome::Failed { why } => {
            work.retry_at_secs =
                now_secs.saturating_add(backoff_secs(state.config.rules.submit_retry_secs, work.failures));
            work.failures = work.failures.saturating_add(1);
            if work.flush_due && work.failures >= FLUSH_FAILURES_MAX {
                work.flush_due = false;
                work.done = true;
            }
            let id = effect_id("alert/settle-failed", &[&result.id.0]);
            let message = format!("settling case {case_id} failed: {}", clip_text(why));
            effects.push(Effect::Alert { id, message });
        }
    }
}

/// Decided cases need no work once nothing of it is under way.
pub(crate) fn forget_decided(state: &mut State) {
    let cases = &state.world.finalized.cases;
    state.settle.cases.retain(|id, work| work.in_flight.is_some() || work.flush_due || cases.get(id).is_some_and(open));
}

#[cfg(test)]
mod tests;
