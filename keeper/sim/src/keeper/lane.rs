//! The transaction lane round the real `outbox`, dying before and after every write and every broadcast.

use super::Keeper;
use crate::chain::KeeperTx;
use crate::chain::contracts::Call;
use crate::env::Env;
use std::rc::Rc;
use surety_core::effect::Intent;
use surety_core::ids::tagged;
use surety_core::input::{Input, TxOutcome, TxResult};
use surety_core::outbox::{
    Action, Answer, Done, FinalWorld, Row, RowState, Seen, Settled, Tx, intent_settled, lane_nonce, next_action,
};
use surety_core::types::Hash32;

/// Most actions on one row in one round, as in the real lane.
const ACTIONS_MAX: usize = 8;
/// The fee of first bytes, in wei.
const FEE_WEI: u64 = 20;

/// A round ended early: the process died, or its node did not answer.
struct Broken;

impl Keeper {
    pub(super) fn carry_lane(&mut self, env: &mut Env) {
        self.run_mut().into_iter().for_each(|run| run.lane_woken = false);
        let mut rows = self.disk.lane();
        let mut head_of_lane = true;
        for index in 0..rows.len() {
            let lane_nonce = lane_nonce(&rows, index);
            match self.carry(env, &mut rows[index], head_of_lane, lane_nonce) {
                Ok(passed) => head_of_lane &= passed,
                Err(Broken) => return,
            }
        }
    }

    /// Takes one row as far as it goes now. True when nothing behind it has to wait for it.
    fn carry(
        &mut self,
        env: &mut Env,
        row: &mut Row,
        head_of_lane: bool,
        lane_nonce: Option<u64>,
    ) -> Result<bool, Broken> {
        for _ in 0..ACTIONS_MAX {
            if let Some(outcome) = ended(row) {
                let reported = self.feed(env, Input::Tx(TxResult { id: row.id, outcome }));
                return if reported { Ok(true) } else { Err(Broken) };
            }
            let seen = self.look_at_node(env, row, head_of_lane, lane_nonce)?;
            let Some(done) = self.act(env, row, &seen)? else { break };
            let signed = matches!(done, Done::Signed { .. });
            let next = row.apply(&done);
            env.check.require(next.is_ok(), || format!("{next:?}"));
            let next = next.map_err(|_| Broken)?;
            let settled_down = next == *row || matches!(done, Done::Polled { .. });
            *row = next;
            self.write_or_die(env)?;
            self.disk.put_row(row);
            // Bytes that were made and not stored went nowhere: their nonce is free for another intent.
            if let Some(nonce) = row.nonce().filter(|_| signed) {
                crate::check::lane::on_sign(env, &self.account, row.id, nonce);
            }
            self.write_or_die(env)?;
            if settled_down {
                break;
            }
        }
        Ok(matches!(row.state, RowState::Mined { .. }) || ended(row).is_some())
    }

    fn write_or_die(&mut self, env: &mut Env) -> Result<(), Broken> {
        if !self.dies_here(env) {
            return Ok(());
        }
        self.die(env, false);
        Err(Broken)
    }

    fn act(&mut self, env: &mut Env, row: &Row, seen: &Seen) -> Result<Option<Done>, Broken> {
        let action = next_action(row, seen);
        let in_pool = row.nonce().is_some_and(|nonce| seen.pending_nonce > nonce);
        Ok(Some(match action {
            Action::Wait | Action::AskForFunds => return Ok(None),
            Action::ReserveNonce { nonce } => Done::Reserved { nonce },
            Action::Sign { nonce } => self.sign_tx(env, row, nonce, FEE_WEI),
            Action::Resign { nonce, max_fee_wei } => self.resign_tx(row, nonce, max_fee_wei),
            Action::Broadcast => self.broadcast(env, row)?,
            Action::PollReceipt | Action::ReconcileFromState => Done::Polled { in_pool },
            Action::RecordMined { block, ok } => Done::Mined { block, ok },
            Action::Requeue => {
                self.forget_answer(row);
                Done::Requeued
            }
            Action::Finish(outcome) => {
                let index = self.index;
                env.event(|| format!("keeper {index}: {} ends, {outcome:?}", row.id));
                crate::check::lane::on_finish(env, row, &outcome);
                Done::Finished(outcome)
            }
        }))
    }

    fn forget_answer(&mut self, row: &Row) {
        if let Some(run) = self.run_mut() {
            run.answers.remove(&row.id);
        }
    }

    /// What the contract refuses at the newest block is not sent.
    fn sign_tx(&mut self, env: &mut Env, row: &Row, nonce: u64, fee_wei: u64) -> Done {
        self.forget_answer(row);
        let head = self.net.head(env.chain.tip()).unwrap_or(0);
        let block = env.chain.block(head).clone();
        if let Err(why) = block.state.clone().call(&Call::Intent(row.intent.clone()), block.at.timestamp_secs) {
            return Done::Finished(TxOutcome::Failed { why: why.to_owned() });
        }
        self.resign_tx(row, nonce, fee_wei)
    }

    fn resign_tx(&mut self, row: &Row, nonce: u64, max_fee_wei: u64) -> Done {
        self.forget_answer(row);
        let parts: [&[u8]; 4] = [&self.account.0, &row.id.0, &nonce.to_be_bytes(), &max_fee_wei.to_be_bytes()];
        let hash = tagged("sim/tx", &parts);
        Done::Signed { raw: hash.to_string(), hash, max_fee_wei }
    }

    fn broadcast(&mut self, env: &mut Env, row: &Row) -> Result<Done, Broken> {
        let Some(tx) = transaction(row) else { return Ok(Done::Broadcast) };
        self.write_or_die(env)?;
        let (keeper, account, intent) = (self.index, self.account, row.intent.clone());
        let tx = KeeperTx { keeper, account, nonce: tx.nonce, hash: tx.hash, row: row.id, intent };
        let answer = match self.net.head(0) {
            Some(_) => env.chain.broadcast(&Rc::new(tx)),
            None => Answer::Lost,
        };
        env.event(|| format!("keeper {keeper} broadcasts {}: {answer:?}", row.id));
        self.write_or_die(env)?;
        if let Some(run) = self.run_mut() {
            run.answers.insert(row.id, answer);
        }
        Ok(Done::Broadcast)
    }

    fn look_at_node(
        &mut self,
        env: &mut Env,
        row: &Row,
        head_of_lane: bool,
        lane_nonce: Option<u64>,
    ) -> Result<Seen, Broken> {
        let head = self.net.head(env.chain.tip()).ok_or(Broken)?;
        let hides = self.net.hides_receipts();
        let (index, account) = (self.index, self.account);
        let run = self.run_mut().ok_or(Broken)?;
        let (state, answer) = (&run.state, run.answers.get(&row.id).copied());
        let view = &state.world.finalized;
        let final_block = view.block.number;
        let burn =
            matches!(row.intent, Intent::FlushBurn).then(|| env.chain.block(final_block).state.ledger.to_burn_rao);
        let world = FinalWorld { view, times: state.times, burn_credit_rao: burn };
        let known = view.block.hash != Hash32::default();
        let settled = if known { intent_settled(&world, &row.intent) } else { Settled::NotYet };
        let chain = &env.chain;
        let mut seen = Seen {
            settled,
            final_block,
            final_nonce: chain.nonce(&account, final_block),
            latest_nonce: chain.nonce(&account, head),
            pending_nonce: chain.pending_nonce(index, &account, head),
            lane_nonce,
            head_of_lane,
            receipt: None,
            nonce_used_by: None,
            answer,
            funded: true,
        };
        let Some(tx) = transaction(row) else { return Ok(seen) };
        if !hides {
            seen.receipt = std::iter::once(&tx.hash).chain(&tx.earlier).find_map(|hash| chain.receipt(hash, head));
        }
        if seen.receipt.is_none() && seen.final_nonce > tx.nonce {
            seen.nonce_used_by = chain.used_by(&account, tx.nonce, final_block);
        }
        Ok(seen)
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
