//! How a keeper reads the chain through its node: by logs as hints and views as truth, everything now and then.

use crate::chain::contracts::Contracts;
use crate::chain::{Block, Chain};
use std::collections::BTreeMap;
use std::rc::Rc;
use surety_core::input::{ChainUpdate, Newest};
use surety_core::view::View;

/// Everything is read anew after so many blocks, as in the real adapter.
const RECONCILE_BLOCKS: u64 = 300;

/// Follows one end of the chain.
#[derive(Debug)]
pub(crate) struct Follower {
    view: View,
    last: Option<Rc<Block>>,
    reconciled_at: u64,
}

impl Follower {
    pub(crate) fn new(view: View) -> Self {
        Self { view, last: None, reconciled_at: 0 }
    }

    /// What changed up to the node's head; `None` when it stands still. With `logs_lost` only new ids are noticed.
    pub(crate) fn poll(&mut self, chain: &Chain, head: u64, logs_lost: bool) -> Option<ChainUpdate> {
        let block = chain.block(head).clone();
        let last = self.last.replace(block.clone());
        let Some(last) = last else { return Some(self.everything(&block)) };
        if last.at == block.at {
            return None;
        }
        let continues = last.at.number < block.at.number && chain.block(last.at.number).at == last.at;
        if !continues || block.at.number >= self.reconciled_at + RECONCILE_BLOCKS {
            return Some(self.everything(&block));
        }
        let (old, new) = (&last.state, &block.state);
        Some(ChainUpdate {
            view: self.view,
            block: block.at,
            nodes: changed(&old.nodes, &new.nodes, logs_lost).map(|node| **node).collect(),
            rentals: changed(&old.rentals, &new.rentals, logs_lost).map(|rental| rental.view.clone()).collect(),
            cases: changed(&old.cases, &new.cases, logs_lost).map(|case| case.view.clone()).collect(),
            keepers: None,
            newest: Some(newest(new)),
            seat: None,
        })
    }

    fn everything(&mut self, block: &Block) -> ChainUpdate {
        self.reconciled_at = block.at.number;
        let state: &Contracts = &block.state;
        ChainUpdate {
            view: self.view,
            block: block.at,
            nodes: state.nodes.values().map(|node| **node).collect(),
            rentals: state.rentals.values().map(|rental| rental.view.clone()).collect(),
            cases: state.cases.values().map(|case| case.view.clone()).collect(),
            keepers: Some(state.keepers.to_vec()),
            newest: Some(newest(state)),
            seat: None,
        }
    }
}

/// Ids are dense.
fn newest(state: &Contracts) -> Newest {
    Newest { rental: state.rentals.len() as u64, case: state.cases.len() as u64 }
}

/// Entries that are not the same ones as before; with `only_new` only those that were not there.
fn changed<'a, K: Ord, V>(
    old: &'a BTreeMap<K, Rc<V>>,
    new: &'a BTreeMap<K, Rc<V>>,
    only_new: bool,
) -> impl Iterator<Item = &'a Rc<V>> {
    new.iter().filter_map(move |(id, now)| match old.get(id) {
        None => Some(now),
        Some(before) => (!only_new && !Rc::ptr_eq(before, now)).then_some(now),
    })
}
