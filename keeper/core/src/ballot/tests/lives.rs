//! A hotkey's life over many epochs against a model of the chain: pools that forget, blocks that refuse, halts of
//! finality, and a keeper that is killed round every write.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

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
    ciphertexts: Vec<Ciphertext>,
    /// Blocks, and epochs whose weights count from there, each once for every time they were set.
    counted: Vec<(u64, u64)>,
    healthy: bool,
}

/// One on the list: since when, in which epoch, whose; and when the chain opened it or threw it away.
struct Ciphertext {
    since: u64,
    epoch: u64,
    ballot: u64,
    gone_at: Option<u64>,
    counted: bool,
}

/// Blocks of the reveal epoch until the round is there.
const ROUND_AFTER: u64 = 3;

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
            ciphertexts: Vec::new(),
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
            self.counted.push((self.block, u64::MAX - self.block));
        }
        if self.healthy || !dice.one_in(4) {
            self.final_block = self.block.saturating_sub(2);
        }
        // What was not revealed in its epoch expires.
        if self.committed_in.is_some_and(|epoch| epoch + PERIOD < epoch_of(self.block)) {
            self.committed_in = None;
        }
        self.open(dice);
    }

    /// The chain opens what is due, and throws some of it away without a word.
    fn open(&mut self, dice: &mut Dice) {
        let (block, epoch) = (self.block, epoch_of(self.block));
        let round_is_there = block % (TEMPO + 1) >= ROUND_AFTER;
        for one in self.ciphertexts.iter_mut().filter(|one| one.gone_at.is_none()) {
            if one.epoch + PERIOD < epoch {
                one.gone_at = Some(block);
            } else if one.epoch + PERIOD == epoch && round_is_there {
                (one.gone_at, one.counted) = (Some(block), !dice.one_in(4));
                if one.counted {
                    self.counted.push((block, one.ballot));
                }
            }
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
                self.counted.push((self.block, call.epoch));
            }
            Deed::Commit if !too_fast && self.openness == SEALING => {
                self.updated_at = self.block;
                let (since, epoch, ballot) = (self.block, epoch_of(self.block), call.epoch);
                self.ciphertexts.push(Ciphertext { since, epoch, ballot, gone_at: None, counted: false });
            }
            Deed::Commit if !too_fast => {
                self.updated_at = self.block;
                self.committed_in = Some(epoch_of(self.block));
            }
            Deed::Reveal if self.committed_in == Some(epoch_of(self.block) - PERIOD) => {
                self.committed_in = None;
                self.counted.push((self.block, call.epoch));
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
            weights_are_there: ballot.is_some_and(|ballot| self.stands() == Some(ballot.epoch)),
            hash_committed_in: self.committed_in.filter(|_| known),
            ciphertext_committed_in: ballot.and_then(|ballot| self.ciphertext(ballot)),
            ..seen(self.openness)
        }
    }

    /// Whose weights stand at the final block.
    fn stands(&self) -> Option<u64> {
        self.counted.iter().rev().find(|(block, _)| *block <= self.final_block).map(|(_, epoch)| *epoch)
    }

    /// The epoch of a ballot's ciphertext, if the final block has it.
    fn ciphertext(&self, ballot: &Ballot) -> Option<u64> {
        let there = |one: &&Ciphertext| {
            one.ballot == ballot.epoch
                && one.since <= self.final_block
                && one.gone_at.is_none_or(|at| at > self.final_block)
        };
        self.ciphertexts.iter().find(there).map(|one| one.epoch)
    }
}

/// The keeper: what it stored is all it has.
struct Keeper {
    /// By epoch.
    stored: BTreeMap<u64, Ballot>,
    /// Last blocks of what was signed and is not known to be over; the store does not have this.
    alive_until: Vec<u64>,
}

impl Keeper {
    fn newest(&self) -> Option<&Ballot> {
        self.stored.last_key_value().map(|(_, ballot)| ballot)
    }

    fn store(&mut self, ballot: Ballot) {
        self.stored.insert(ballot.epoch, ballot);
    }

    /// One look: back at what was sealed, then at most eight actions. A crash loses what was not stored, and nothing
    /// else.
    fn look(&mut self, chain: &mut Chain, dice: &mut Dice) {
        let is_sealed = |ballot: &&Ballot| matches!(ballot.stage, Stage::Sealed { .. });
        for ballot in self.stored.values().filter(is_sealed).cloned().collect::<Vec<_>>() {
            let later = self.stored.range(ballot.epoch + 1..).map(|(_, one)| (one, chain.ciphertext(one).is_some()));
            let after = Aftermath {
                ciphertext_is_there: chain.ciphertext(&ballot).is_some(),
                weights_are_there: chain.stands() == Some(ballot.epoch),
                later: Later::of(later),
                least_uids: 0,
                seats: 256,
                last_round: u64::MAX,
            };
            let stage = ballot.aftermath(&chain.seen(Some(&ballot)), &after);
            if !chain.healthy && dice.one_in(7) {
                return;
            }
            stage.into_iter().for_each(|stage| self.store(ballot.clone().at(stage)));
        }
        for _ in 0..8 {
            let seen = chain.seen(self.newest());
            let action = next_action(self.newest(), &seen);
            if !chain.healthy && dice.one_in(7) {
                return; // killed before the write
            }
            if !self.perform(action, &seen, chain, dice) {
                return;
            }
        }
    }

    fn perform(&mut self, action: Action, seen: &Seen, chain: &mut Chain, dice: &mut Dice) -> bool {
        let ballot = self.newest().cloned();
        let next = match (action, ballot) {
            (Action::Wait | Action::Refuse(_), _) => return false,
            (Action::Choose, _) => Ballot::new(seen, choice(), chain.way()),
            (Action::Sign, Some(ballot)) => self.sign(ballot, seen, chain),
            (Action::Send, Some(ballot)) => {
                push(&ballot, chain, dice);
                // Else killed after sending, before the write.
                let kept = chain.healthy || !dice.one_in(5);
                if kept { ballot.sent(seen.block) } else { ballot }
            }
            (Action::Record(stage), Some(ballot)) => {
                if matches!(stage, Stage::Done { .. } | Stage::Sealed { .. }) {
                    self.alive_until.clear();
                }
                ballot.at(stage)
            }
            (Action::Commit { reveal_epoch }, Some(ballot)) => {
                self.alive_until.clear();
                ballot.committed_until(reveal_epoch)
            }
            (action, None) => panic!("{action:?} without a ballot"),
        };
        self.store(next);
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
            Openness::Timelocked { .. } => timelocked(),
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

/// How the lives' subnet seals weights.
const SEALING: Openness = Openness::Timelocked { period_epochs: PERIOD };

fn live(seed: u64, openness: Openness) -> (Chain, Keeper) {
    let (mut dice, mut chain) = (Dice(seed), Chain::new(openness));
    let mut keeper = Keeper { stored: BTreeMap::new(), alive_until: Vec::new() };
    for round in 0..2_400 {
        chain.healthy = round >= 1_200;
        chain.seal(&mut dice);
        keeper.look(&mut chain, &mut dice);
    }
    (chain, keeper)
}

#[test]
fn no_epoch_is_counted_twice_and_once_all_is_well_every_epoch_is_counted_or_known_to_be_lost() {
    let mut lost = 0;
    for openness in [Openness::Open, Openness::Hashed { period_epochs: PERIOD }, SEALING] {
        for seed in 0..300 {
            let (chain, keeper) = live(seed, openness);
            let counted: BTreeSet<u64> = chain.counted.iter().map(|(_, epoch)| *epoch).collect();
            assert_eq!(
                counted.len(),
                chain.counted.len(),
                "counted twice with seed {seed}, {openness:?}: {:?}",
                chain.counted
            );
            // From the second epoch after all is well to the last that is over.
            let (from, mut until) = (epoch_of(2_200) + 2, epoch_of(chain.block) - 1);
            if openness == SEALING {
                until -= PERIOD; // the last ones are not opened yet
                lost += all_is_known(seed, &chain, &keeper, from..until);
            }
            let thrown = |epoch: &u64| chain.ciphertexts.iter().any(|one| one.ballot == *epoch && !one.counted);
            let missed = (from..until).filter(|epoch| !counted.contains(epoch) && !thrown(epoch)).count() as u64;
            // A hash waits for the epoch after its own, and nothing is chosen meanwhile.
            let allowed = if matches!(openness, Openness::Hashed { .. }) { (until - from).div_ceil(2) } else { 0 };
            assert!(missed <= allowed, "{missed} epochs missed with seed {seed}, {openness:?}: {counted:?}");
        }
    }
    assert!(lost > 300, "{lost} lost ones seen: the chain threw too few away");
}

/// What the chain took is done, what it threw away is lost: how many were.
fn all_is_known(seed: u64, chain: &Chain, keeper: &Keeper, epochs: std::ops::Range<u64>) -> usize {
    let mut lost = 0;
    for one in chain.ciphertexts.iter().filter(|one| epochs.contains(&one.ballot)) {
        let stage = &keeper.stored[&one.ballot].stage;
        match (one.counted, stage) {
            (true, Stage::Done { .. }) => {}
            (false, Stage::Lost { .. }) => lost += 1,
            _ => panic!("epoch {} counted: {}, and is {stage:?} with seed {seed}", one.ballot, one.counted),
        }
    }
    lost
}

/// While things go wrong too nothing is said that is not so: what counted is never called lost, but where another
/// program's weights stood in its place before anybody looked.
#[test]
fn what_is_said_of_timelocked_weights_is_so() {
    for seed in 0..300 {
        let (chain, keeper) = live(seed, SEALING);
        for one in &chain.ciphertexts {
            let stage = &keeper.stored[&one.ballot].stage;
            let replaced = || chain.counted.iter().any(|(block, _)| Some(*block) > one.gone_at);
            let so = match stage {
                Stage::Done { .. } => one.counted,
                Stage::Lost { .. } => !one.counted || replaced(),
                _ => true,
            };
            assert!(so, "epoch {} counted: {}, and is {stage:?} with seed {seed}", one.ballot, one.counted);
        }
    }
}
