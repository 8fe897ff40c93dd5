//! What must hold. A check that fails is remembered and the run goes on to its end, so that a seed tells all of it.

pub(crate) mod lane;
pub(crate) mod ledger;
pub(crate) mod limits;
pub(crate) mod liveness;
pub(crate) mod truth;
pub(crate) mod waits;

use crate::chain::Block;
use lane::Lane;
use std::collections::BTreeMap;
use std::rc::Rc;
use surety_core::types::UnixSecs;

/// More than these say nothing new.
const KEPT: usize = 8;

/// What was found wrong, and what is remembered to find it.
#[derive(Debug, Default)]
pub(crate) struct Check {
    pub(crate) broken: Vec<String>,
    pub(crate) lane: Lane,
    /// Finalized blocks and cases already looked at.
    pub(crate) final_seen: u64,
    pub(crate) cases_seen: u64,
    /// The block whose money was counted last.
    pub(crate) ledger_seen: Option<Rc<Block>>,
    /// The date under which each proof of a spoof served, by keeper.
    pub(crate) served: BTreeMap<(usize, String), UnixSecs>,
    /// Cases against a machine that served.
    pub(crate) false_cases: u64,
}

impl Check {
    /// Remembers `why` unless `holds`.
    pub(crate) fn require(&mut self, holds: bool, why: impl FnOnce() -> String) {
        if !holds && self.broken.len() < KEPT {
            self.broken.push(why());
        }
    }
}
