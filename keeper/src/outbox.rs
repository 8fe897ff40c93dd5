//! Carries intents to the chain: one signer, one lane. What to do next is decided by `surety_core::outbox`, a pure
//! function; here the node is asked, the step stored, and the deed done, in that order.

use crate::adapters::evm::{SendError, Sender};
use crate::adapters::store::{Store, StoreError};
use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use surety_client::provider::Tag;
use surety_core::effect::EffectId;
use surety_core::input::{Input, TxOutcome, TxResult};
use surety_core::outbox::{
    Action, Answer, Done, FinalWorld, OutboxError, Row, RowState, Seen, Settled, Tx, intent_settled, lane_nonce,
    next_action,
};
use surety_core::types::Hash32;
use surety_core::view::ContractTimes;
use surety_core::world::Snapshot;
use tokio::sync::{Notify, mpsc, watch};

/// The finalized view, shared by the loop that owns the state.
pub type Finalized = Arc<RwLock<Arc<Snapshot>>>;

/// Most actions on one row in one round; the next round goes on.
const ACTIONS_MAX: usize = 8;

/// Why a round ended early. The next one starts from what is stored.
#[derive(Debug, thiserror::Error)]
enum LaneError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error(transparent)]
    Row(#[from] OutboxError),
    #[error("the keeper is stopping")]
    Stopping,
}

/// The lane of one account.
#[derive(Debug)]
pub struct Lane {
    store: Arc<Store>,
    sender: Sender,
    finalized: Finalized,
    times: ContractTimes,
    inputs: mpsc::Sender<Input>,
    /// What broadcasts answered in this run; a restart forgets, and the pure lane copes.
    answers: BTreeMap<EffectId, Answer>,
    /// Most actions on one row in one round.
    actions_max: usize,
}

impl Lane {
    /// A lane that reports ends to `inputs`.
    pub fn new(
        store: Arc<Store>,
        sender: Sender,
        finalized: Finalized,
        times: ContractTimes,
        inputs: mpsc::Sender<Input>,
    ) -> Self {
        Self { store, sender, finalized, times, inputs, answers: BTreeMap::new(), actions_max: ACTIONS_MAX }
    }

    /// Works until told to stop: at every round, and at once when `wake` says that there is something new.
    pub async fn run(mut self, every: Duration, wake: Arc<Notify>, mut stop: watch::Receiver<bool>) {
        let mut rounds = tokio::time::interval(every);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = rounds.tick() => {}
                () = wake.notified() => {}
                _ = stop.changed() => return,
            }
            let round = self.round();
            let ended = tokio::select! {
                ended = round => ended,
                _ = stop.changed() => return,
            };
            if let Err(error) = ended {
                tracing::warn!(%error, "the transaction lane could not go on this round");
            }
        }
    }

    async fn round(&mut self) -> Result<(), LaneError> {
        let store = self.store.clone();
        let mut rows = blocking(move || store.lane()).await?;
        self.answers.retain(|id, _| rows.iter().any(|row| row.id == *id));
        let mut head_of_lane = true;
        for index in 0..rows.len() {
            let lane_nonce = lane_nonce(&rows, index);
            let ended = self.carry(&mut rows[index], head_of_lane, lane_nonce).await?;
            head_of_lane = head_of_lane && ended;
        }
        Ok(())
    }

    /// Takes one row as far as it goes now. True when nothing behind it has to wait for it.
    async fn carry(&mut self, row: &mut Row, head_of_lane: bool, lane_nonce: Option<u64>) -> Result<bool, LaneError> {
        for _ in 0..self.actions_max {
            if let Some(outcome) = ended(row) {
                self.report(row, outcome).await?;
                return Ok(true);
            }
            let seen = self.look(row, head_of_lane, lane_nonce).await?;
            let action = next_action(row, &seen);
            tracing::debug!(intent = %row.id, ?action, "outbox");
            let Some(done) = self.act(row, &action, &seen).await? else { break };
            let next = row.apply(&done)?;
            let settled_down = next == *row || matches!(done, Done::Polled { .. });
            *row = next;
            let (store, stored) = (self.store.clone(), row.clone());
            blocking(move || store.put_row(&stored)).await?;
            if settled_down {
                break;
            }
        }
        Ok(matches!(row.state, RowState::Mined { .. }) || ended(row).is_some())
    }

    async fn act(&mut self, row: &Row, action: &Action, seen: &Seen) -> Result<Option<Done>, LaneError> {
        Ok(Some(match action {
            Action::Wait => return Ok(None),
            Action::ReserveNonce { nonce } => Done::Reserved { nonce: *nonce },
            Action::Sign { nonce } => self.sign(row, *nonce).await?,
            Action::Resign { nonce, max_fee_wei } => self.sign_again(row, *nonce, *max_fee_wei).await?,
            Action::Broadcast => self.broadcast(row).await,
            Action::PollReceipt | Action::ReconcileFromState => {
                let in_pool = row.nonce().is_some_and(|nonce| seen.pending_nonce > nonce);
                Done::Polled { in_pool }
            }
            Action::AskForFunds => {
                tracing::error!("the balance does not cover gas: send TAO to this keeper's account");
                return Ok(None);
            }
            Action::RecordMined { block, ok } => Done::Mined { block: *block, ok: *ok },
            Action::Requeue => {
                self.answers.remove(&row.id);
                Done::Requeued
            }
            Action::Finish(outcome) => Done::Finished(outcome.clone()),
        }))
    }

    /// What the contract refuses at the newest block is not sent; core hears of it and decides anew.
    async fn sign(&mut self, row: &Row, nonce: u64) -> Result<Done, LaneError> {
        self.answers.remove(&row.id);
        match self.sender.sign(&row.intent, nonce, 0).await {
            Ok(tx) => Ok(Done::Signed { raw: tx.raw, hash: tx.hash, max_fee_wei: tx.max_fee_wei }),
            Err(error @ (SendError::Node(_) | SendError::NoMajority(_))) => Err(error.into()),
            Err(other) => Ok(Done::Finished(TxOutcome::Failed { why: other.to_string() })),
        }
    }

    /// Bytes that exist are carried through until their nonce is used, whatever the contract says by now.
    async fn sign_again(&mut self, row: &Row, nonce: u64, min_fee_wei: u64) -> Result<Done, LaneError> {
        self.answers.remove(&row.id);
        let tx = self.sender.sign_again(&row.intent, nonce, min_fee_wei).await?;
        Ok(Done::Signed { raw: tx.raw, hash: tx.hash, max_fee_wei: tx.max_fee_wei })
    }

    async fn broadcast(&mut self, row: &Row) -> Done {
        if let Some(tx) = transaction(row) {
            let answer = self.sender.broadcast(&tx.raw).await;
            tracing::info!(intent = %row.id, hash = %tx.hash, nonce = tx.nonce, ?answer, "broadcast");
            self.answers.insert(row.id, answer);
        }
        Done::Broadcast
    }

    async fn report(&mut self, row: &Row, outcome: TxOutcome) -> Result<(), LaneError> {
        tracing::info!(intent = %row.id, ?outcome, "an intent reached its end");
        let input = Input::Tx(TxResult { id: row.id, outcome });
        self.inputs.send(input).await.map_err(|_| LaneError::Stopping)
    }

    /// Everything the decision needs, read fresh.
    async fn look(&self, row: &Row, head_of_lane: bool, lane_nonce: Option<u64>) -> Result<Seen, LaneError> {
        let view = self.finalized.read().map(|v| v.clone()).unwrap_or_default();
        let final_block = view.block.number;
        let settled = self.settled(row, &view).await?;
        let mut seen = Seen {
            settled,
            final_block,
            final_nonce: self.sender.nonce(Tag::Number(final_block)).await?,
            latest_nonce: self.sender.nonce(Tag::Latest).await?,
            pending_nonce: self.sender.pending_nonce().await?,
            lane_nonce,
            head_of_lane,
            receipt: None,
            nonce_used_by: None,
            answer: self.answers.get(&row.id).copied(),
            funded: true,
        };
        let Some(tx) = transaction(row) else { return Ok(seen) };
        for hash in std::iter::once(&tx.hash).chain(&tx.earlier) {
            seen.receipt = match seen.receipt {
                None => self.sender.receipt(*hash).await?,
                found => found,
            };
        }
        if seen.receipt.is_none() && seen.final_nonce > tx.nonce {
            seen.nonce_used_by = self.sender.nonce_used_by(tx.nonce, final_block).await?;
        }
        seen.funded = self.sender.funded(tx.max_fee_wei).await?;
        Ok(seen)
    }

    async fn settled(&self, row: &Row, view: &Snapshot) -> Result<Settled, LaneError> {
        // Before the first finalized view is read nothing is known about finality.
        if view.block.hash == Hash32::default() {
            return Ok(Settled::NotYet);
        }
        let burn = match row.intent {
            surety_core::effect::Intent::FlushBurn => Some(self.sender.burn_credit_rao(view.block.number).await?),
            _ => None,
        };
        Ok(intent_settled(&FinalWorld { view, times: self.times, burn_credit_rao: burn }, &row.intent))
    }
}

fn transaction(row: &Row) -> Option<&Tx> {
    match &row.state {
        RowState::Prepared(tx) | RowState::Sent(tx) | RowState::Mined { tx, .. } => Some(tx),
        RowState::Queued | RowState::Reserved { .. } | RowState::Done | RowState::Failed { .. } => None,
    }
}

fn ended(row: &Row) -> Option<TxOutcome> {
    match &row.state {
        RowState::Done => Some(TxOutcome::Settled),
        RowState::Failed { why } => Some(TxOutcome::Failed { why: why.clone() }),
        _ => None,
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, LaneError> {
    let joined = tokio::task::spawn_blocking(work).await;
    Ok(joined.map_err(|_| StoreError::Poisoned)??)
}

#[cfg(test)]
mod tests;
