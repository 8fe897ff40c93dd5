//! A chain: blocks every twelve seconds, finality behind, forks before it, a pool at each keeper's node.

pub(crate) mod bids;
pub(crate) mod contracts;
pub(crate) mod court;
mod nodes;
pub(crate) mod signature;
mod spoofed;

use crate::options::Options;
use crate::rng::{Episodes, Rng};
use contracts::{Call, Contracts};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use surety_core::effect::{EffectId, Intent};
use surety_core::ids::tagged;
use surety_core::outbox::{Answer, Receipt};
use surety_core::types::{Account, Hash32, UnixSecs};
use surety_core::view::BlockRef;

/// Subtensor's block time.
pub(crate) const BLOCK_SECS: u64 = 12;

/// Finalized blocks kept at least: some hours more than any keeper is away or any node is behind.
const KEPT_BLOCKS: usize = 2_000;

/// A keeper's transaction.
#[derive(Clone, Debug)]
pub(crate) struct KeeperTx {
    pub(crate) keeper: usize,
    pub(crate) account: Account,
    pub(crate) nonce: u64,
    pub(crate) hash: Hash32,
    pub(crate) row: EffectId,
    pub(crate) intent: Intent,
}

/// A block; its state is what the contracts hold after it.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) at: BlockRef,
    pub(crate) state: Contracts,
    pub(crate) nonces: Rc<BTreeMap<Account, u64>>,
    pub(crate) calls: Vec<Call>,
    pub(crate) txs: Vec<(Rc<KeeperTx>, bool)>,
}

/// What a node holds that is not mined.
#[derive(Debug, Default)]
struct Pool {
    txs: BTreeMap<u64, Rc<KeeperTx>>,
    refused: BTreeSet<Hash32>,
}

/// The chain.
#[derive(Debug)]
pub(crate) struct Chain {
    /// From `first` on; what nobody asks for any more is let go.
    blocks: Vec<Rc<Block>>,
    first: u64,
    final_number: u64,
    final_lag: u64,
    /// Calls by miners, renters and others, waiting for a block.
    pub(crate) pending: Vec<Call>,
    pools: Vec<Pool>,
    /// Where a transaction is, on the present branch.
    mined: BTreeMap<Hash32, (u64, bool)>,
    used: BTreeMap<(Account, u64), (u64, Hash32)>,
    rng: Rng,
    halt: Episodes,
    stall: Episodes,
    fork: Episodes,
    faults: crate::options::Faults,
    salt: u64,
    /// Blocks undone so far.
    pub(crate) undone: u64,
}

impl Chain {
    pub(crate) fn new(options: &Options, genesis: Contracts, now: UnixSecs) -> Self {
        let faults = options.faults.clone();
        let mut rng = Rng::new(options.seed, "chain", 0);
        let episodes = |name, gap, length| Episodes::new(Rng::new(options.seed, name, 0), gap, length, now);
        let pools = options.roles.iter().map(|_| Pool::default()).collect();
        let mut chain = Self {
            blocks: Vec::new(),
            first: 0,
            final_number: 0,
            final_lag: rng.range(2, 4),
            pending: Vec::new(),
            pools,
            mined: BTreeMap::new(),
            used: BTreeMap::new(),
            halt: episodes("halt", faults.halt_gap_secs, (60, 3_000)),
            stall: episodes("stall", faults.finality_stall_gap_secs, (300, 7_200)),
            fork: episodes("fork", faults.fork_gap_secs, (1, 1)),
            rng,
            faults,
            salt: 0,
            undone: 0,
        };
        let at = BlockRef { number: 0, hash: chain.hash(0), timestamp_secs: now };
        let (calls, txs) = (Vec::new(), Vec::new());
        chain.blocks.push(Rc::new(Block { at, state: genesis, nonces: Rc::default(), calls, txs }));
        chain
    }

    pub(crate) fn heal(&mut self) {
        self.halt.heal();
        self.stall.heal();
        self.fork.heal();
        self.faults = crate::options::Faults::default();
        self.pools.iter_mut().for_each(|pool| pool.refused.clear());
    }

    fn hash(&mut self, number: u64) -> Hash32 {
        self.salt += 1;
        tagged("sim/block", &[&number.to_be_bytes(), &self.salt.to_be_bytes()])
    }

    pub(crate) fn tip(&self) -> u64 {
        self.first + self.blocks.len() as u64 - 1
    }

    pub(crate) fn final_number(&self) -> u64 {
        self.final_number
    }

    /// The block of this number on the present branch, or the newest.
    pub(crate) fn block(&self, number: u64) -> &Rc<Block> {
        let at = usize::try_from(number.min(self.tip()).saturating_sub(self.first)).unwrap_or(0);
        &self.blocks[at]
    }

    pub(crate) fn newest(&self) -> &Rc<Block> {
        self.block(self.tip())
    }

    /// A second passes; says whether there is a new block.
    pub(crate) fn second(&mut self, now: UnixSecs) -> bool {
        if self.halt.on(now) || !now.is_multiple_of(BLOCK_SECS) {
            return false;
        }
        let depth = (self.tip() - self.final_number).min(self.rng.range(1, 6));
        if self.fork.on(now) && depth > 0 {
            self.undo(depth);
        }
        self.push(now);
        for pool in &mut self.pools {
            if self.rng.chance(self.faults.tx_lost_ppm) {
                pool.txs.clear();
            }
        }
        if !self.stall.on(now) {
            self.final_number = self.final_number.max(self.tip().saturating_sub(self.final_lag));
        }
        true
    }

    /// Another branch, as high as the old one, at the same times; what was in the old one waits again or is lost.
    fn undo(&mut self, depth: u64) {
        let keep = usize::try_from(self.tip() + 1 - depth - self.first).unwrap_or(1);
        let gone = self.blocks.split_off(keep);
        let mut again: Vec<Call> = gone.iter().flat_map(|block| block.calls.iter().cloned()).collect();
        // Some renters' transactions are never seen again, so that the new branch lacks their rentals.
        again.retain(|call| !matches!(call, Call::Rent { .. }) || !self.rng.percent(30));
        again.append(&mut self.pending);
        self.pending = again;
        for (tx, _) in gone.iter().flat_map(|block| &block.txs) {
            self.mined.remove(&tx.hash);
            self.used.remove(&(tx.account, tx.nonce));
            if let Some(pool) = self.pools.get_mut(tx.keeper)
                && !self.rng.chance(self.faults.tx_lost_ppm)
            {
                pool.txs.insert(tx.nonce, tx.clone());
            }
        }
        self.undone += depth;
        for block in gone {
            self.push(block.at.timestamp_secs);
        }
    }

    fn push(&mut self, now: UnixSecs) {
        let number = self.tip() + 1;
        let last = self.newest().clone();
        let mut state = last.state.clone();
        let mut calls = Vec::new();
        for call in std::mem::take(&mut self.pending) {
            if self.rng.percent(10) {
                self.pending.push(call);
            } else if state.call(&call, now).is_ok() {
                calls.push(call);
            }
        }
        let mut nonces = last.nonces.clone();
        let txs = self.include(&mut state, &mut nonces, now);
        for (tx, ok) in &txs {
            self.mined.insert(tx.hash, (number, *ok));
            self.used.insert((tx.account, tx.nonce), (number, tx.hash));
        }
        let at = BlockRef { number, hash: self.hash(number), timestamp_secs: now };
        self.blocks.push(Rc::new(Block { at, state, nonces, calls, txs }));
        let old = usize::try_from(self.final_number.saturating_sub(self.first)).unwrap_or(0);
        if old >= 2 * KEPT_BLOCKS {
            self.blocks.drain(..KEPT_BLOCKS);
            self.first += KEPT_BLOCKS as u64;
        }
    }

    fn include(
        &mut self,
        state: &mut Contracts,
        nonces: &mut Rc<BTreeMap<Account, u64>>,
        now: UnixSecs,
    ) -> Vec<(Rc<KeeperTx>, bool)> {
        let mut txs = Vec::new();
        for pool in &mut self.pools {
            while let Some(tx) = pool.txs.values().next().cloned() {
                let next = nonces.get(&tx.account).copied().unwrap_or(0);
                if tx.nonce < next {
                    pool.txs.remove(&tx.nonce);
                    continue;
                }
                if tx.nonce > next || self.rng.percent(15) {
                    break;
                }
                pool.txs.remove(&tx.nonce);
                Rc::make_mut(nonces).insert(tx.account, next + 1);
                let ok = state.call(&Call::Intent(tx.intent.clone()), now).is_ok();
                txs.push((tx, ok));
            }
        }
        txs
    }

    /// What a node says to bytes. It says "already known" of bytes it refused before, too.
    pub(crate) fn broadcast(&mut self, tx: &Rc<KeeperTx>) -> Answer {
        let count = self.nonce(&tx.account, self.tip());
        let (refuses, silent) =
            (self.rng.chance(self.faults.tx_refused_ppm), self.rng.chance(self.faults.answer_lost_ppm));
        let Some(pool) = self.pools.get_mut(tx.keeper) else { return Answer::Lost };
        let known = pool.refused.contains(&tx.hash) || pool.txs.get(&tx.nonce).is_some_and(|old| old.hash == tx.hash);
        let answer = if known || self.mined.contains_key(&tx.hash) {
            Answer::AlreadyKnown
        } else if tx.nonce < count {
            Answer::NonceTooLow
        } else if refuses || pool.txs.contains_key(&tx.nonce) {
            // No replacement on Subtensor.
            pool.refused.insert(tx.hash);
            Answer::Refused
        } else {
            pool.txs.insert(tx.nonce, tx.clone());
            Answer::Accepted
        };
        if silent { Answer::Lost } else { answer }
    }

    /// An account's count of transactions at a block.
    pub(crate) fn nonce(&self, account: &Account, number: u64) -> u64 {
        self.block(number).nonces.get(account).copied().unwrap_or(0)
    }

    /// The same with the pool of a node.
    pub(crate) fn pending_nonce(&self, keeper: usize, account: &Account, number: u64) -> u64 {
        let mut next = self.nonce(account, number);
        let Some(pool) = self.pools.get(keeper) else { return next };
        while pool.txs.contains_key(&next) {
            next += 1;
        }
        next
    }

    pub(crate) fn receipt(&self, hash: &Hash32, head: u64) -> Option<Receipt> {
        let (block, ok) = *self.mined.get(hash)?;
        (block <= head).then_some(Receipt { block, ok })
    }

    /// Which transaction used a nonce, up to a block.
    pub(crate) fn used_by(&self, account: &Account, nonce: u64, number: u64) -> Option<Hash32> {
        self.used.get(&(*account, nonce)).filter(|(block, _)| *block <= number).map(|(_, hash)| *hash)
    }
}
