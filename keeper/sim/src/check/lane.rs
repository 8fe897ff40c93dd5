//! One nonce for one intent, one intent for one nonce, done only when the chain shows it, done once.

use crate::env::Env;
use std::collections::{BTreeMap, BTreeSet};
use surety_core::effect::{EffectId, Intent};
use surety_core::input::TxOutcome;
use surety_core::outbox::Row;
use surety_core::types::{Account, Kind};

/// What was ever signed and mined. Two keepers may name two intents alike.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    nonce_of: BTreeMap<(Account, EffectId), u64>,
    row_of: BTreeMap<(Account, u64), EffectId>,
    succeeded: BTreeSet<(Account, EffectId)>,
    /// Transactions mined for good that reverted.
    pub(crate) reverted: u64,
    pub(crate) mined: u64,
}

/// Bytes are stored for a row, and may go out from here on. A second nonce is right only where the first is used by
/// somebody else, which no world here has: each account has one lane.
pub(crate) fn on_sign(env: &mut Env, account: &Account, row: EffectId, nonce: u64) {
    let lane = &mut env.check.lane;
    let first = *lane.nonce_of.entry((*account, row)).or_insert(nonce);
    let holder = *lane.row_of.entry((*account, nonce)).or_insert(row);
    env.check.require(first == nonce, || format!("intent {row} is signed at nonces {first} and {nonce}"));
    env.check.require(holder == row, || format!("nonce {nonce} of {account} is signed for {holder} and {row}"));
}

/// A row is said to be done.
pub(crate) fn on_finish(env: &mut Env, row: &Row, outcome: &TxOutcome) {
    if *outcome != TxOutcome::Settled {
        return;
    }
    let state = &env.chain.block(env.chain.final_number()).state;
    let shown = match &row.intent {
        Intent::Execute { case_id } => state.cases.get(case_id).is_some_and(|case| {
            let undecided = surety_core::view::CaseStatus::Filed;
            case.view.status != undecided
        }),
        Intent::File { rental, attestations, .. } => {
            let from = attestations.iter().map(|signed| signed.statement.from_secs).max().unwrap_or(0);
            let until = attestations.iter().map(|signed| signed.statement.until_secs).min().unwrap_or(0);
            let faults = state.rentals.get(rental).map(|rental| rental.view.faults.clone()).unwrap_or_default();
            faults.iter().any(|fault| fault.from_secs < until && from < fault.until_secs)
        }
        Intent::FlushBurn => true,
        Intent::Join { .. } | Intent::CheckIn { .. } => false,
        Intent::FileSpoofed { registration, spoofs, .. } => {
            let oldest = spoofs.iter().map(|signed| signed.statement.proved_at_secs).min().unwrap_or(u64::MAX);
            let mut about = state.cases.values().filter(|case| case.view.registration == *registration);
            about.any(|case| case.view.kind == Kind::Spoofed && case.filed_at >= oldest)
        }
        Intent::Close { rentals } => {
            rentals.iter().all(|id| state.rentals.get(id).is_some_and(|rental| rental.view.closed))
        }
        Intent::Claim { rental, past_secs } => state
            .rentals
            .get(rental)
            .is_some_and(|rental| rental.view.closed || *past_secs < rental.view.paid_until_secs),
    };
    let id = row.id;
    env.check.require(shown, || format!("intent {id} is said to be settled, the finalized chain does not show it"));
}

/// Blocks became final.
pub(crate) fn on_final(env: &mut Env) {
    while env.check.final_seen < env.chain.final_number() {
        env.check.final_seen += 1;
        let block = env.chain.block(env.check.final_seen).clone();
        for (tx, ok) in &block.txs {
            env.check.lane.mined += 1;
            if !ok {
                env.check.lane.reverted += 1;
                continue;
            }
            env.tally.on_mined(&tx.intent);
            let first = env.check.lane.succeeded.insert((tx.account, tx.row));
            let row = tx.row;
            env.check.require(first, || format!("intent {row} is carried out twice"));
        }
    }
}
