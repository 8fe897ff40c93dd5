//! The transaction lane, as a pure function: what to do next with a row, given what the node showed.
//!
//! One signer, one lane, rows in order. intent → nonce chosen and stored → signed → bytes stored → broadcast → mined →
//! done only when the *contract state* shows it at finality. Subtensor replaces nothing in its pool and answers
//! "already known" to pending, mined and refused bytes alike, so answers to a broadcast are hints; receipts, counts of
//! nonces and contract state decide. A second transaction at a new nonce is made only when the first is proven dead:
//! its nonce is used, at finality, by another transaction.

mod settled;
pub use settled::{FinalWorld, Settled, intent_settled};

use crate::effect::{EffectId, Intent};
use crate::input::TxOutcome;
use crate::limits::RESIGNS_MAX;
use crate::types::Hash32;
use serde::{Deserialize, Serialize};

/// Polls without a receipt, the pool not counting our nonce, after which bytes are taken for refused.
pub const SILENT_POLLS_MAX: u32 = 5;

/// One intent on its way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The `Submit` effect.
    pub id: EffectId,
    /// What to achieve.
    pub intent: Intent,
    /// How far it is.
    pub state: RowState,
}

/// How far a row is. Each state is stored before the action that leads out of it is taken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// Nothing done yet.
    Queued,
    /// This nonce is ours; nothing is signed yet.
    Reserved {
        /// The nonce.
        nonce: u64,
    },
    /// Signed, bytes stored, perhaps broadcast (a crash may lie between).
    Prepared(Tx),
    /// Broadcast at least once.
    Sent(Tx),
    /// Seen in a block.
    Mined {
        /// The transaction.
        tx: Tx,
        /// The block.
        block: u64,
        /// Receipt status.
        ok: bool,
    },
    /// Contract state at finality shows it.
    Done,
    /// It can no longer succeed.
    Failed {
        /// Why.
        why: String,
    },
}

/// A signed transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tx {
    /// Its nonce.
    pub nonce: u64,
    /// Its bytes, hex with 0x.
    pub raw: String,
    /// Its hash.
    pub hash: Hash32,
    /// Its `maxFeePerGas` in wei.
    pub max_fee_wei: u64,
    /// Hashes of earlier bytes at the same nonce; any of them may still be mined.
    pub earlier: Vec<Hash32>,
    /// Polls since the last broadcast that showed neither receipt nor our nonce in the pool's count.
    pub silent_polls: u32,
}

impl Tx {
    /// Whether `hash` is this transaction or earlier bytes of it.
    pub fn is(&self, hash: &Hash32) -> bool {
        self.hash == *hash || self.earlier.contains(hash)
    }
}

/// What the node showed about a row, read fresh for this decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Contract state at finality, against the intent.
    pub settled: Settled,
    /// The block `settled` and `final_nonce` were read at.
    pub final_block: u64,
    /// Our count of transactions at that block. The state must have been there: pruned nodes answer 0.
    pub final_nonce: u64,
    /// Our count at the newest block.
    pub latest_nonce: u64,
    /// Our count with the pool.
    pub pending_nonce: u64,
    /// Highest nonce any row of the lane holds, this one left out.
    pub lane_nonce: Option<u64>,
    /// No earlier row of the lane is unfinished.
    pub head_of_lane: bool,
    /// Receipt of this row's transaction, or of its earlier bytes. `None` proves nothing by itself.
    pub receipt: Option<Receipt>,
    /// Hash of the transaction that used this row's nonce, looked up in finalized blocks.
    pub nonce_used_by: Option<Hash32>,
    /// What the last broadcast in this run answered.
    pub answer: Option<Answer>,
    /// Whether the balance covers gas at the highest fee.
    pub funded: bool,
}

/// A receipt, read by number and checked against the block's hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The block.
    pub block: u64,
    /// Status.
    pub ok: bool,
}

/// What the node said to a broadcast. Only the message tells these apart: every refusal has code -32603.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// A hash came back.
    Accepted,
    /// "already known": pending, mined, or refused before. Proves nothing.
    AlreadyKnown,
    /// "nonce too low": something with this nonce is mined.
    NonceTooLow,
    /// Refused for good, as these bytes: no funds, fee below base fee.
    Refused,
    /// No answer, or one that says nothing.
    Lost,
}

/// What to do next with a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Nothing now; look again later.
    Wait,
    /// Store this nonce with the row.
    ReserveNonce {
        /// The nonce.
        nonce: u64,
    },
    /// Sign at this nonce, store bytes and hash.
    Sign {
        /// The nonce.
        nonce: u64,
    },
    /// Send the stored bytes.
    Broadcast,
    /// Ask for receipts again; nothing else is known to help.
    PollReceipt,
    /// Our nonce is used: read contract state, and find the transaction that used it in finalized blocks.
    ReconcileFromState,
    /// The bytes are refused: sign the same call at the same nonce with this fee, store them, keep the old hash.
    Resign {
        /// The nonce.
        nonce: u64,
        /// New `maxFeePerGas`: one wei more, since refused bytes stay refused.
        max_fee_wei: u64,
    },
    /// The account cannot pay: tell the operator, and wait.
    AskForFunds,
    /// Store that it is in this block.
    RecordMined {
        /// The block.
        block: u64,
        /// Receipt status.
        ok: bool,
    },
    /// Proven dead (or never signed): back to the queue, for a new nonce.
    Requeue,
    /// Store the end and report it.
    Finish(TxOutcome),
}

/// The highest nonce that a row of the lane holds, the one at `index` left out. `rows` are as they are now: one that
/// ended unsigned earlier in the same round holds none any more, and a nonce above it would wait for ever.
pub fn lane_nonce(rows: &[Row], index: usize) -> Option<u64> {
    rows.iter().enumerate().filter(|(other, _)| *other != index).filter_map(|(_, row)| row.nonce()).max()
}

/// The next action. Pure: the caller performs it, stores what came of it with [`Row::apply`], and asks again.
pub fn next_action(row: &Row, seen: &Seen) -> Action {
    match &row.state {
        RowState::Queued => queued(seen),
        RowState::Reserved { nonce } => reserved(*nonce, seen),
        RowState::Prepared(tx) => prepared(tx, seen),
        RowState::Sent(tx) => sent(tx, seen),
        RowState::Mined { tx, block, ok } => mined(tx, *block, *ok, seen),
        RowState::Done | RowState::Failed { .. } => Action::Wait,
    }
}

fn ended(settled: &Settled) -> Option<TxOutcome> {
    match settled {
        Settled::Settled => Some(TxOutcome::Settled),
        Settled::Impossible(why) => Some(TxOutcome::Failed { why: why.clone() }),
        Settled::NotYet => None,
    }
}

/// Somebody else may have done it already: then nothing is sent at all.
fn queued(seen: &Seen) -> Action {
    if let Some(outcome) = ended(&seen.settled) {
        return Action::Finish(outcome);
    }
    if !seen.head_of_lane {
        return Action::Wait;
    }
    let after_lane = seen.lane_nonce.map_or(0, |nonce| nonce.saturating_add(1));
    Action::ReserveNonce { nonce: seen.latest_nonce.max(seen.pending_nonce).max(after_lane) }
}

/// Nothing is signed yet, so the nonce can be given back.
fn reserved(nonce: u64, seen: &Seen) -> Action {
    if ended(&seen.settled).is_some() || seen.latest_nonce > nonce {
        return Action::Requeue;
    }
    Action::Sign { nonce }
}

/// Bytes exist, so they are carried through: whether they went out before a crash cannot be known.
fn prepared(tx: &Tx, seen: &Seen) -> Action {
    match seen.receipt {
        Some(Receipt { block, ok }) => Action::RecordMined { block, ok },
        None if seen.final_nonce > tx.nonce => used_at_finality(tx, seen),
        None if seen.latest_nonce > tx.nonce => Action::PollReceipt,
        None => Action::Broadcast,
    }
}

fn sent(tx: &Tx, seen: &Seen) -> Action {
    if let Some(Receipt { block, ok }) = seen.receipt {
        return Action::RecordMined { block, ok };
    }
    if seen.final_nonce > tx.nonce {
        return used_at_finality(tx, seen);
    }
    if seen.latest_nonce > tx.nonce {
        return Action::PollReceipt;
    }
    let dead_bytes = tx.silent_polls >= SILENT_POLLS_MAX && seen.pending_nonce <= tx.nonce;
    match seen.answer {
        Some(Answer::Refused) => resign(tx, seen),
        Some(Answer::AlreadyKnown) if dead_bytes => resign(tx, seen),
        Some(Answer::NonceTooLow) => Action::ReconcileFromState,
        Some(Answer::Accepted | Answer::AlreadyKnown) if !dead_bytes => Action::PollReceipt,
        Some(Answer::Accepted | Answer::AlreadyKnown | Answer::Lost) | None => Action::Broadcast,
    }
}

fn resign(tx: &Tx, seen: &Seen) -> Action {
    if !seen.funded {
        return Action::AskForFunds;
    }
    Action::Resign { nonce: tx.nonce, max_fee_wei: tx.max_fee_wei.saturating_add(1) }
}

/// The nonce is used and cannot be unused; a receipt may be missing for a while (or pruned).
fn used_at_finality(tx: &Tx, seen: &Seen) -> Action {
    if let Some(outcome) = ended(&seen.settled) {
        return Action::Finish(outcome);
    }
    match &seen.nonce_used_by {
        Some(hash) if !tx.is(hash) => Action::Requeue,
        Some(_) => Action::PollReceipt,
        None => Action::ReconcileFromState,
    }
}

/// In a block; counts only at finality, and only by what the contract then says.
fn mined(tx: &Tx, block: u64, ok: bool, seen: &Seen) -> Action {
    match seen.receipt {
        None if seen.latest_nonce <= tx.nonce => return Action::Broadcast,
        None if seen.final_nonce > tx.nonce => return used_at_finality(tx, seen),
        None => return Action::PollReceipt,
        Some(now) if now != (Receipt { block, ok }) => {
            return Action::RecordMined { block: now.block, ok: now.ok };
        }
        Some(_) => {}
    }
    if seen.final_block < block {
        return Action::PollReceipt;
    }
    if let Some(outcome) = ended(&seen.settled) {
        return Action::Finish(outcome);
    }
    let why = if ok { "mined without error, but the contract does not show it" } else { "reverted" };
    Action::Finish(TxOutcome::Failed { why: why.to_owned() })
}

/// What came of an action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Done {
    /// After `ReserveNonce`.
    Reserved {
        /// The nonce.
        nonce: u64,
    },
    /// After `Sign` and `Resign`.
    Signed {
        /// Bytes, hex with 0x.
        raw: String,
        /// Hash.
        hash: Hash32,
        /// `maxFeePerGas` in wei.
        max_fee_wei: u64,
    },
    /// After `Broadcast`, whatever was answered.
    Broadcast,
    /// After `PollReceipt` or `ReconcileFromState` that showed nothing new.
    Polled {
        /// Whether the pool's count includes our nonce.
        in_pool: bool,
    },
    /// After `RecordMined`.
    Mined {
        /// The block.
        block: u64,
        /// Receipt status.
        ok: bool,
    },
    /// After `Requeue`.
    Requeued,
    /// After `Finish`.
    Finished(TxOutcome),
}

/// A row cannot go where it was told to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("outbox row {id} cannot take {done} in its state; it stays as it is")]
pub struct OutboxError {
    /// The row.
    pub id: EffectId,
    /// What it was told.
    pub done: String,
}

impl Row {
    /// A new row.
    pub fn new(id: EffectId, intent: Intent) -> Self {
        Self { id, intent, state: RowState::Queued }
    }

    /// The nonce it holds.
    pub fn nonce(&self) -> Option<u64> {
        match &self.state {
            RowState::Reserved { nonce } => Some(*nonce),
            RowState::Prepared(tx) | RowState::Sent(tx) | RowState::Mined { tx, .. } => Some(tx.nonce),
            RowState::Queued | RowState::Done | RowState::Failed { .. } => None,
        }
    }

    /// The row after an action. Store it before the next action is taken.
    ///
    /// # Errors
    /// The action does not belong to the row's state.
    pub fn apply(&self, done: &Done) -> Result<Self, OutboxError> {
        let state = next_state(&self.state, done)
            .ok_or_else(|| OutboxError { id: self.id, done: format!("{done:?}").chars().take(80).collect() })?;
        Ok(Self { state, ..self.clone() })
    }
}

fn next_state(state: &RowState, done: &Done) -> Option<RowState> {
    Some(match (state, done) {
        (RowState::Queued, Done::Reserved { nonce }) => RowState::Reserved { nonce: *nonce },
        (RowState::Reserved { nonce }, Done::Signed { raw, hash, max_fee_wei }) => {
            let (raw, hash, max_fee_wei) = (raw.clone(), *hash, *max_fee_wei);
            RowState::Prepared(Tx { nonce: *nonce, raw, hash, max_fee_wei, earlier: Vec::new(), silent_polls: 0 })
        }
        (RowState::Sent(tx), Done::Signed { raw, hash, max_fee_wei }) => {
            let mut earlier = tx.earlier.clone();
            // The oldest may go: should just that one be mined after all, contract state still shows it, or it is dead.
            if earlier.len() >= RESIGNS_MAX {
                earlier.remove(0);
            }
            earlier.push(tx.hash);
            let (raw, hash, max_fee_wei) = (raw.clone(), *hash, *max_fee_wei);
            RowState::Prepared(Tx { nonce: tx.nonce, raw, hash, max_fee_wei, earlier, silent_polls: 0 })
        }
        (RowState::Prepared(tx) | RowState::Sent(tx) | RowState::Mined { tx, .. }, Done::Broadcast) => {
            RowState::Sent(Tx { silent_polls: 0, ..tx.clone() })
        }
        (RowState::Sent(tx), Done::Polled { in_pool }) => {
            let silent_polls = if *in_pool { 0 } else { tx.silent_polls.saturating_add(1) };
            RowState::Sent(Tx { silent_polls, ..tx.clone() })
        }
        (RowState::Prepared(_) | RowState::Mined { .. }, Done::Polled { .. }) => state.clone(),
        (RowState::Prepared(tx) | RowState::Sent(tx) | RowState::Mined { tx, .. }, Done::Mined { block, ok }) => {
            RowState::Mined { tx: tx.clone(), block: *block, ok: *ok }
        }
        (
            RowState::Reserved { .. } | RowState::Prepared(_) | RowState::Sent(_) | RowState::Mined { .. },
            Done::Requeued,
        ) => RowState::Queued,
        (RowState::Done | RowState::Failed { .. }, _) => return None,
        (_, Done::Finished(TxOutcome::Settled)) => RowState::Done,
        (_, Done::Finished(TxOutcome::Failed { why })) => RowState::Failed { why: why.clone() },
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
