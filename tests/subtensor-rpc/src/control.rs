//! The faults, switched at any time while the stand-in runs.

use alloy::primitives::Address;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What happens to a request before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// It is never answered.
    Timeout,
    /// 429, as a public endpoint that limits its callers.
    TooMany,
    /// The connection ends in the middle of the answer.
    Drop,
    /// The answer does not end: this many bytes.
    Oversized {
        /// Bytes sent before the connection ends.
        bytes: u64,
    },
}

/// What happens to one submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submission {
    /// As it should be.
    Well,
    /// The connection ends before the node has read it.
    LostBefore,
    /// The node takes it, its answer is lost.
    LostAfter,
    /// The node answers its hash and forgets it.
    Forgotten,
    /// The node answers its hash, loses it from the pool, and says `already known` from then on.
    ForgottenButKnown,
    /// It reaches the node twice.
    Doubled,
}

/// How a node lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lie {
    /// From this height on.
    pub from: u64,
    /// Its blocks have other hashes.
    pub hashes: bool,
    /// Its views are off by one in the last byte, and its counts of transactions by seven.
    pub views: bool,
    /// It says it is this many blocks further.
    pub ahead: u64,
}

/// Faults now and then, drawn from a seed: what a keeper must live with every day.
#[derive(Debug, Clone)]
pub struct Mild {
    rng: ChaCha20Rng,
    /// Times a receipt is still null after its block was seen.
    receipts: BTreeMap<String, u32>,
}

/// Receipts that [`Mild`] remembers.
const RECEIPTS_MAX: usize = 10_000;

impl Mild {
    /// Faults that belong to this seed and the order of requests.
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha20Rng::seed_from_u64(seed), receipts: BTreeMap::new() }
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.rng.next_u32().is_multiple_of(n)
    }

    pub(crate) fn transport(&mut self) -> Option<Transport> {
        if self.one_in(100) {
            return Some(Transport::TooMany);
        }
        self.one_in(100).then_some(Transport::Drop)
    }

    pub(crate) fn stale_by(&mut self) -> u64 {
        u64::from(self.one_in(50))
    }

    pub(crate) fn submission(&mut self) -> Submission {
        match self.rng.next_u32() % 10 {
            0 => Submission::LostBefore,
            1 => Submission::LostAfter,
            2 => Submission::Doubled,
            3 => Submission::Forgotten,
            _ => Submission::Well,
        }
    }

    /// Whether a receipt is not there yet although its block is: twice for every other one.
    pub(crate) fn hides_receipt(&mut self, hash: &str) -> bool {
        if self.receipts.len() >= RECEIPTS_MAX {
            self.receipts.clear();
        }
        let first = if self.one_in(2) { 2 } else { 0 };
        let left = self.receipts.entry(hash.to_owned()).or_insert(first);
        let hides = *left > 0;
        *left = left.saturating_sub(1);
        hides
    }
}

/// Everything that can be wrong. The default is a well node.
#[derive(Debug, Clone)]
pub struct Faults {
    /// Every request fails like this.
    pub transport: Option<Transport>,
    /// The node is this many blocks behind.
    pub stale_by: u64,
    /// The node knows nothing above this height: it is stuck, or the chain has halted.
    pub halted_at: Option<u64>,
    /// Blocks between the best and the finalized one. Subtensor's is 2 or 3.
    pub finality_lag: u64,
    /// Nothing above this height becomes final.
    pub finality_stalled_at: Option<u64>,
    /// Says another chain id.
    pub chain_id: Option<u64>,
    /// Lies.
    pub lie: Option<Lie>,
    /// What happens to the next submissions, one each; then they are well.
    pub submissions: VecDeque<Submission>,
    /// Receipts are null.
    pub receipts_null: bool,
    /// Logs of these heights are silently left out.
    pub log_gaps: Vec<RangeInclusive<u64>>,
    /// Transactions of these senders leave no transaction, no receipt and no log, as calls by extrinsics do (D7).
    pub without_transaction: BTreeSet<Address>,
    /// State below this height is pruned.
    pub state_pruned_below: u64,
    /// Bodies below this height are pruned as well.
    pub bodies_pruned_below: u64,
    /// Answers to `eth_call` that begin with these four bytes of input are cut to nothing sensible.
    pub garbled_calls: BTreeSet<[u8; 4]>,
    /// Batches of more requests than this are refused as a whole.
    pub batch_max: Option<usize>,
    /// Faults now and then.
    pub mild: Option<Mild>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            transport: None,
            stale_by: 0,
            halted_at: None,
            finality_lag: 2,
            finality_stalled_at: None,
            chain_id: None,
            lie: None,
            submissions: VecDeque::new(),
            receipts_null: false,
            log_gaps: Vec::new(),
            without_transaction: BTreeSet::new(),
            state_pruned_below: 0,
            bodies_pruned_below: 0,
            garbled_calls: BTreeSet::new(),
            batch_max: None,
            mild: None,
        }
    }
}

impl Faults {
    /// Whether logs of this height are left out.
    pub(crate) fn in_log_gap(&self, height: u64) -> bool {
        self.log_gaps.iter().any(|gap| gap.contains(&height))
    }

    pub(crate) fn next_submission(&mut self) -> Submission {
        match self.submissions.pop_front() {
            Some(planned) => planned,
            None => self.mild.as_mut().map_or(Submission::Well, Mild::submission),
        }
    }

    pub(crate) fn next_transport(&mut self) -> Option<Transport> {
        self.transport.or_else(|| self.mild.as_mut().and_then(Mild::transport))
    }
}

/// Under this name [`Control::asked`] counts requests that failed on the way.
pub const FAILED: &str = "failed on the way";

/// Faults shared with a running stand-in, and what it was asked.
#[derive(Debug, Clone, Default)]
pub struct Control {
    faults: Arc<Mutex<Faults>>,
    asked: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Control {
    /// The faults, to look at or to change.
    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A well node again.
    pub fn heal(&self) {
        *self.faults() = Faults::default();
    }

    /// Times each method was asked, and [`FAILED`] those that failed before anybody looked at what they asked.
    pub fn asked(&self) -> BTreeMap<String, u64> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn count(&self, method: &str) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner).entry(method.to_owned()).or_default() += 1;
    }
}
