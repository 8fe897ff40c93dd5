//! Rows against a model of the node: a pool that forgets and refuses, answers that are lost, reorgs, crashes between
//! any two steps, and another keeper who does the same.

use super::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Fate {
    Step,
    StepAnswerLost,
    StepNotStored,
    Refusing(bool),
    PoolForgets,
    Mine,
    Finalize,
    Reorg,
    RivalActs,
    ReceiptsHidden(bool),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => Just(Fate::Step),
        2 => Just(Fate::StepAnswerLost),
        2 => Just(Fate::StepNotStored),
        1 => any::<bool>().prop_map(Fate::Refusing),
        1 => Just(Fate::PoolForgets),
        4 => Just(Fate::Mine),
        3 => Just(Fate::Finalize),
        1 => Just(Fate::Reorg),
        1 => Just(Fate::RivalActs),
        1 => any::<bool>().prop_map(Fate::ReceiptsHidden),
    ]
}

/// What happened in a block: ours (hash, nonce, status), or the rival's deed.
#[derive(Clone, Debug)]
enum Deed {
    Ours { hash: Hash32, nonce: u64, ok: bool },
    Rival,
}

struct Model {
    row: Row,
    /// Everything ever signed: hash to (nonce, fee).
    signed: BTreeMap<Hash32, (u64, u64)>,
    refused: Vec<Hash32>,
    pool: Option<Hash32>,
    blocks: Vec<Vec<Deed>>,
    final_height: usize,
    answer: Option<Answer>,
    refusing: bool,
    rival_wants: bool,
    receipts_hidden: bool,
}

impl Model {
    fn new() -> Self {
        Self {
            row: row(RowState::Queued),
            signed: BTreeMap::new(),
            refused: Vec::new(),
            pool: None,
            blocks: vec![Vec::new()],
            final_height: 0,
            answer: None,
            refusing: false,
            rival_wants: false,
            receipts_hidden: false,
        }
    }

    fn deeds(&self, height: usize) -> impl Iterator<Item = (usize, &Deed)> {
        self.blocks.iter().enumerate().take(height + 1).flat_map(|(at, deeds)| deeds.iter().map(move |deed| (at, deed)))
    }

    fn nonce(&self, height: usize) -> u64 {
        self.deeds(height).filter(|(_, deed)| matches!(deed, Deed::Ours { .. })).count() as u64
    }

    fn done(&self, height: usize) -> bool {
        self.deeds(height).any(|(_, deed)| matches!(deed, Deed::Rival | Deed::Ours { ok: true, .. }))
    }

    fn seen(&self) -> Seen {
        let top = self.blocks.len() - 1;
        let latest_nonce = self.nonce(top);
        let ours = |tx: &Tx| {
            let found = self.deeds(top).find_map(|(at, deed)| match deed {
                Deed::Ours { hash, ok, .. } if tx.is(hash) => Some(Receipt { block: at as u64, ok: *ok }),
                _ => None,
            });
            found.filter(|_| !self.receipts_hidden)
        };
        let tx = match &self.row.state {
            RowState::Prepared(tx) | RowState::Sent(tx) | RowState::Mined { tx, .. } => Some(tx),
            _ => None,
        };
        let used_by = |nonce: u64| {
            self.deeds(self.final_height).find_map(|(_, deed)| match deed {
                Deed::Ours { hash, nonce: used, .. } if *used == nonce => Some(*hash),
                _ => None,
            })
        };
        Seen {
            settled: if self.done(self.final_height) { Settled::Settled } else { Settled::NotYet },
            final_block: self.final_height as u64,
            final_nonce: self.nonce(self.final_height),
            latest_nonce,
            pending_nonce: latest_nonce + u64::from(self.pool.is_some()),
            lane_nonce: None,
            head_of_lane: true,
            receipt: tx.and_then(ours),
            nonce_used_by: tx.and_then(|tx| used_by(tx.nonce)),
            answer: self.answer,
            funded: true,
        }
    }

    /// One action; `answered` and `stored` say whether its answer arrives and whether the row is written after it.
    fn step(&mut self, answered: bool, stored: bool) {
        let seen = self.seen();
        let Some(done) = self.perform(next_action(&self.row, &seen), &seen, answered) else { return };
        let next = self.row.apply(&done).unwrap_or_else(|why| panic!("{why}"));
        if stored {
            self.row = next;
        } else {
            self.answer = None;
        }
    }

    fn perform(&mut self, action: Action, seen: &Seen, answered: bool) -> Option<Done> {
        Some(match action {
            Action::Wait | Action::AskForFunds => return None,
            Action::ReserveNonce { nonce } => Done::Reserved { nonce },
            Action::Sign { nonce } => self.sign(nonce, 20),
            Action::Resign { nonce, max_fee_wei } => self.sign(nonce, max_fee_wei),
            Action::Broadcast => {
                let answer = self.broadcast();
                self.answer = Some(if answered { answer } else { Answer::Lost });
                Done::Broadcast
            }
            Action::PollReceipt | Action::ReconcileFromState => {
                Done::Polled { in_pool: seen.pending_nonce > self.row.nonce().unwrap_or(0) }
            }
            Action::RecordMined { block, ok } => Done::Mined { block, ok },
            Action::Requeue => Done::Requeued,
            Action::Finish(outcome) => Done::Finished(outcome),
        })
    }

    fn sign(&mut self, nonce: u64, max_fee_wei: u64) -> Done {
        let hash = crate::ids::tagged("tx", &[&nonce.to_be_bytes(), &max_fee_wei.to_be_bytes()]);
        self.signed.insert(hash, (nonce, max_fee_wei));
        self.answer = None;
        Done::Signed { raw: format!("{hash}"), hash, max_fee_wei }
    }

    fn broadcast(&mut self) -> Answer {
        let (RowState::Prepared(tx) | RowState::Sent(tx) | RowState::Mined { tx, .. }) = &self.row.state else {
            panic!("no bytes to send");
        };
        let top = self.nonce(self.blocks.len() - 1);
        let hash = tx.hash;
        if self.refused.contains(&hash) || self.pool == Some(hash) {
            return Answer::AlreadyKnown;
        }
        if tx.nonce < top {
            return Answer::NonceTooLow;
        }
        if self.refusing || self.pool.is_some() {
            self.refused.push(hash);
            return Answer::Refused;
        }
        self.pool = Some(hash);
        Answer::Accepted
    }

    fn mine(&mut self) {
        let mut deeds = Vec::new();
        let mut done = self.done(self.blocks.len() - 1);
        if std::mem::take(&mut self.rival_wants) && !done {
            deeds.push(Deed::Rival);
            done = true;
        }
        if let Some(hash) = self.pool.take() {
            let nonce = self.signed[&hash].0;
            if nonce == self.nonce(self.blocks.len() - 1) {
                // The contract refuses what is done already.
                deeds.push(Deed::Ours { hash, nonce, ok: !done });
            }
        }
        self.blocks.push(deeds);
    }

    fn suffer(&mut self, fate: &Fate) {
        match fate {
            Fate::Step => self.step(true, true),
            Fate::StepAnswerLost => self.step(false, true),
            Fate::StepNotStored => self.step(true, false),
            Fate::Refusing(refusing) => self.refusing = *refusing,
            Fate::PoolForgets => self.pool = None,
            Fate::Mine => self.mine(),
            Fate::Finalize => self.final_height = (self.final_height + 1).min(self.blocks.len() - 1),
            Fate::Reorg => {
                // The transactions of the lost block go back to the pool, as the node does it.
                if self.blocks.len() - 1 > self.final_height {
                    for deed in self.blocks.pop().unwrap_or_default() {
                        match deed {
                            Deed::Ours { hash, .. } => self.pool = Some(hash),
                            Deed::Rival => self.rival_wants = true,
                        }
                    }
                }
            }
            Fate::RivalActs => self.rival_wants = true,
            Fate::ReceiptsHidden(hidden) => self.receipts_hidden = *hidden,
        }
        self.check();
    }

    /// However it goes: one nonce is ever used for one intent, and "done" is never said before the chain says it.
    fn check(&self) {
        let nonces: std::collections::BTreeSet<u64> = self.signed.values().map(|(nonce, _)| *nonce).collect();
        assert!(nonces.len() <= 1, "a second transaction at a new nonce: {nonces:?}");
        if self.row.state == RowState::Done {
            assert!(self.done(self.final_height), "done before the chain shows it");
        }
        assert!(
            !matches!(self.row.state, RowState::Failed { .. }),
            "failed although it was done: {:?}",
            self.row.state
        );
    }
}

#[test]
fn a_node_that_refused_for_long_is_not_given_up() {
    let mut model = Model::new();
    model.suffer(&Fate::Refusing(true));
    (0..200).for_each(|_| model.suffer(&Fate::Step));
    model.suffer(&Fate::Refusing(false));
    for _ in 0..20 {
        [Fate::Step, Fate::Step, Fate::Mine, Fate::Finalize].iter().for_each(|fate| model.suffer(fate));
    }
    assert_eq!(model.row.state, RowState::Done);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn one_intent_is_done_once_and_ends_when_the_node_recovers(fates in prop::collection::vec(fate(), 0..120)) {
        let mut model = Model::new();
        fates.iter().for_each(|fate| model.suffer(fate));
        // The node is well again: it must end.
        (model.refusing, model.receipts_hidden) = (false, false);
        for _ in 0..60 {
            for fate in [Fate::Step, Fate::Step, Fate::Mine, Fate::Step, Fate::Finalize, Fate::Finalize] {
                model.suffer(&fate);
            }
        }
        prop_assert_eq!(&model.row.state, &RowState::Done);
    }
}
