//! A hotkey's life over many epochs against a model of the chain: pools that forget, blocks that refuse, halts of
//! finality, and a keeper that is killed round every write.

use super::*;
use std::collections::BTreeSet;

/// Tempo of the model, short so that seeds see many epochs.
const TEMPO: u64 = 119;
const PERIOD: u64 = 1;
const RATE_LIMIT: u64 = 20;

/// Numbers from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }
}

/// What a call does when a block takes it.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Deed {
    Set,
    Commit,
    Reveal,
}

struct Call {
    tx: Tx,
    deed: Deed,
    epoch: u64,
}

/// The subnet.
struct Chain {
    block: u64,
    final_block: u64,
    openness: Openness,
    pool: Vec<Call>,
    nonce: u64,
    updated_at: u64,
    committed_in: Option<u64>,
    ciphertext_in: Option<u64>,
    /// Epochs whose weights count, each once for every time they were set.
    counted: Vec<u64>,
    healthy: bool,
}

fn epoch_of(block: u64) -> u64 {
    block / (TEMPO + 1)
}

impl Chain {
    fn new(openness: Openness) -> Self {
        Self {
            block: 1_000,
            final_block: 1_000,
            openness,
            pool: Vec::new(),
            nonce: 0,
            updated_at: 0,
            committed_in: None,
            ciphertext_in: None,
            counted: Vec::new(),
            healthy: false,
        }
    }

    fn seal(&mut self, dice: &mut Dice) {
        self.block += 1;
        if !self.healthy && dice.one_in(9) {
            self.pool.clear(); // pools forget
        }
        if self.healthy || dice.one_in(3) {
            for call in std::mem::take(&mut self.pool) {
                self.take(call);
            }
        }
        // Another program with the same hotkey, which sets other weights.
        let may = self.updated_at == 0 || self.block >= self.updated_at + RATE_LIMIT;
        if !self.healthy && may && dice.one_in(60) {
            (self.updated_at, self.nonce) = (self.block, self.nonce + 1);
            self.counted.push(u64::MAX - self.block);
        }
        if self.healthy || !dice.one_in(4) {
            self.final_block = self.block.saturating_sub(2);
        }
        // What was not revealed in its epoch expires.
        if self.committed_in.is_some_and(|epoch| epoch + PERIOD < epoch_of(self.block)) {
            self.committed_in = None;
        }
    }

    fn take(&mut self, call: Call) {
        if call.tx.nonce != self.nonce || self.block > call.tx.last_block {
            return; // outdated, or dead
        }
        self.nonce += 1;
        let too_fast = self.updated_at != 0 && self.block < self.updated_at + RATE_LIMIT;
        match call.deed {
            Deed::Set if !too_fast => {
                self.updated_at = self.block;
                self.counted.push(call.epoch);
            }
            Deed::Commit if !too_fast && self.openness == Openness::Timelocked => {
                self.updated_at = self.block;
                self.ciphertext_in = Some(call.epoch);
                self.counted.push(call.epoch);
            }
            Deed::Commit if !too_fast => {
                self.updated_at = self.block;
                self.committed_in = Some(epoch_of(self.block));
            }
            Deed::Reveal if self.committed_in == Some(epoch_of(self.block) - PERIOD) => {
                self.committed_in = None;
                self.counted.push(call.epoch);
            }
            _ => {} // included, and failed
        }
    }

    fn seen(&self, ballot: Option<&Ballot>) -> Seen {
        let block = self.final_block;
        let (epoch, known) = (epoch_of(block), self.updated_at <= block);
        let seat = Seat { updated_at: if known { self.updated_at } else { 0 }, ..seen(self.openness).seat.unwrap() };
        Seen {
            block,
            epoch,
            next_epoch_block: (epoch + 1) * (TEMPO + 1),
            seat: Some(seat),
            rate_limit_blocks: RATE_LIMIT,
            weights_are_there: known && ballot.is_some_and(|ballot| self.counted.last() == Some(&ballot.epoch)),
            hash_committed_in: self.committed_in.filter(|_| known),
            ciphertext_is_there: known && ballot.is_some_and(|ballot| self.ciphertext_in == Some(ballot.epoch)),
            ..seen(self.openness)
        }
    }
}

/// The keeper: what it stored is all it has.
struct Keeper {
    stored: Option<Ballot>,
    /// Last blocks of what was signed and is not known to be over; the store does not have this.
    alive_until: Vec<u64>,
}

impl Keeper {
    /// One look: at most eight actions. A crash loses what was not stored, and nothing else.
    fn look(&mut self, chain: &mut Chain, dice: &mut Dice) {
        for _ in 0..8 {
            let seen = chain.seen(self.stored.as_ref());
            let action = next_action(self.stored.as_ref(), &seen);
            if !chain.healthy && dice.one_in(7) {
                return; // killed before the write
            }
            if !self.perform(action, &seen, chain, dice) {
                return;
            }
        }
    }

    fn perform(&mut self, action: Action, seen: &Seen, chain: &mut Chain, dice: &mut Dice) -> bool {
        let ballot = self.stored.clone();
        self.stored = match (action, ballot) {
            (Action::Wait | Action::Refuse(_), _) => return false,
            (Action::Choose, _) => Some(Ballot::new(seen, choice(), chain.way())),
            (Action::Sign, Some(ballot)) => Some(self.sign(ballot, seen, chain)),
            (Action::Send, Some(ballot)) => {
                push(&ballot, chain, dice);
                // Else killed after sending, before the write.
                let kept = chain.healthy || !dice.one_in(5);
                Some(if kept { ballot.sent(seen.block) } else { ballot })
            }
            (Action::Record(stage), Some(ballot)) => {
                if matches!(stage, Stage::Done { .. }) {
                    self.alive_until.clear();
                }
                Some(ballot.at(stage))
            }
            (Action::Commit { reveal_epoch }, Some(ballot)) => {
                self.alive_until.clear();
                Some(ballot.committed_until(reveal_epoch))
            }
            (action, None) => panic!("{action:?} without a ballot"),
        };
        true
    }

    /// The rule that all of this is about: no two signed calls are alive at once.
    fn sign(&mut self, ballot: Ballot, seen: &Seen, chain: &Chain) -> Ballot {
        self.alive_until.retain(|last| *last >= seen.block);
        assert!(self.alive_until.is_empty(), "two signed calls of one hotkey are alive at block {}", seen.block);
        let signed = Tx { nonce: chain.nonce, last_block: seen.block + 31, ..tx(seen.block) };
        self.alive_until.push(signed.last_block);
        ballot.signed(signed)
    }
}

impl Chain {
    fn way(&self) -> Way {
        match self.openness {
            Openness::Open => Way::Open,
            Openness::Hashed { .. } => hashed(),
            Openness::Timelocked => timelocked(),
        }
    }
}

fn push(ballot: &Ballot, chain: &mut Chain, dice: &mut Dice) {
    let tx = ballot.tx().unwrap().clone();
    let deed = match (&ballot.stage, &ballot.way) {
        (Stage::Revealing(_), _) => Deed::Reveal,
        (_, Way::Open) => Deed::Set,
        _ => Deed::Commit,
    };
    let known = chain.pool.iter().any(|call| call.tx.nonce == tx.nonce);
    if !known && (chain.healthy || !dice.one_in(3)) {
        chain.pool.push(Call { tx, deed, epoch: ballot.epoch });
    }
}

fn live(seed: u64, openness: Openness) -> Chain {
    let (mut dice, mut chain) = (Dice(seed), Chain::new(openness));
    let mut keeper = Keeper { stored: None, alive_until: Vec::new() };
    for round in 0..2_400 {
        chain.healthy = round >= 1_200;
        chain.seal(&mut dice);
        keeper.look(&mut chain, &mut dice);
    }
    chain
}

#[test]
fn no_epoch_is_counted_twice_and_once_all_is_well_every_epoch_is_counted() {
    for openness in [Openness::Open, Openness::Hashed { period_epochs: PERIOD }, Openness::Timelocked] {
        for seed in 0..300 {
            let chain = live(seed, openness);
            let counted: BTreeSet<u64> = chain.counted.iter().copied().collect();
            assert_eq!(
                counted.len(),
                chain.counted.len(),
                "counted twice with seed {seed}, {openness:?}: {:?}",
                chain.counted
            );
            // From the second epoch after all is well to the last that is over.
            let (from, until) = (epoch_of(2_200) + 2, epoch_of(chain.block) - 1);
            let missed = (from..until).filter(|epoch| !counted.contains(epoch)).count() as u64;
            // A hash waits for the epoch after its own, and nothing is chosen meanwhile.
            let allowed = if matches!(openness, Openness::Hashed { .. }) { (until - from).div_ceil(2) } else { 0 };
            assert!(missed <= allowed, "{missed} epochs missed with seed {seed}, {openness:?}: {counted:?}");
        }
    }
}
