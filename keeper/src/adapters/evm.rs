//! Follows the contracts through one node's JSON-RPC.
//!
//! Polling only: a Subtensor node's subscriptions hide reorgs. Two cursors, best and finalized, never mixed. Each batch
//! resolves a tag to a number first, reads views at that number, and checks afterwards that the number still carries
//! the same hash; a parent hash that does not fit the last batch makes everything be read again. Logs only say which
//! ids to look at: calls without an Ethereum transaction leave none, so everything is read anew every so many blocks.

mod sender;
mod touched;

pub use sender::{SendError, Sender};

use std::collections::BTreeSet;
use std::fmt::Display;
use surety_client::block::Header;
use surety_client::deployment::Deployment;
use surety_client::provider::{MAX_LOG_BLOCKS, Node, NodeError, Tag};
use surety_client::reader::{Counts, Reader};
use surety_core::input::{ChainUpdate, Newest};
use surety_core::view::{BlockRef, NodeView, View};
use touched::Touched;

/// Everything is read anew after this many blocks: an hour of Subtensor's, plus what logs showed in between.
pub const RECONCILE_BLOCKS: u64 = 300;

/// Why a poll brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// It has no block under a tag it must have.
    #[error("the node knows no {0:?} block")]
    NoBlock(Tag),
    /// The block changed while it was read; the next poll reads again.
    #[error("block {0} was replaced while it was read")]
    Replaced(u64),
    /// Dense ids went back at a block that is final: this node has lost its state, or is another chain's.
    #[error(
        "the node shows fewer entries at block {block} than before: its state is pruned, or it is on another chain"
    )]
    Shrunk {
        /// The block read.
        block: u64,
    },
}

/// One end of the chain, followed.
#[derive(Debug)]
pub struct Follower {
    reader: Reader,
    deployment: Deployment,
    view: View,
    last: Option<BlockRef>,
    counts: Option<Counts>,
    reconciled_at: u64,
}

impl Follower {
    /// Follows `view` of the contracts in `deployment`.
    pub fn new(reader: Reader, deployment: Deployment, view: View) -> Self {
        Self { reader, deployment, view, last: None, counts: None, reconciled_at: 0 }
    }

    /// What changed since the last poll; `None` when the chain stands still.
    pub async fn poll(&mut self) -> Result<Option<ChainUpdate>, FollowError> {
        let tag = if self.view == View::Best { Tag::Latest } else { Tag::Finalized };
        let header = self.node().header(tag).await?.ok_or(FollowError::NoBlock(tag))?;
        let Some(block) = header.to_ref() else { return Ok(None) };
        if self.last == Some(block) || block.number < self.deployment.block {
            return Ok(None);
        }
        let counts = self.reader.counts(block.number).await?;
        let touched = self.touched(&header, block, counts).await?;
        let mut update = self.read(block, &touched).await?;
        update.newest = Some(Newest { rental: counts.rentals, case: counts.cases });
        self.check_unmoved(block).await?;
        if touched.everything {
            self.reconciled_at = block.number;
        }
        self.last = Some(block);
        self.counts = Some(counts);
        Ok(Some(update))
    }

    fn node(&self) -> &Node {
        self.reader.node()
    }

    async fn touched(&self, header: &Header, block: BlockRef, counts: Counts) -> Result<Touched, FollowError> {
        let (Some(last), Some(before)) = (self.last, self.counts) else { return Ok(Touched::all(counts)) };
        let shrunk = counts.rentals < before.rentals
            || counts.cases < before.cases
            || counts.registrations < before.registrations;
        if shrunk && self.view == View::Finalized {
            return Err(FollowError::Shrunk { block: block.number });
        }
        let overdue = block.number >= self.reconciled_at.saturating_add(RECONCILE_BLOCKS);
        if shrunk || overdue || !self.continues(header, last, block).await? {
            return Ok(Touched::all(counts));
        }
        let contracts = self.deployment.contracts().map(|(_, c)| c.address.0.into()).to_vec();
        let logs = self.node().logs(contracts, last.number + 1, block.number).await?;
        Ok(Touched::by_logs(&logs).with_new(before, counts))
    }

    /// Whether `block` is a descendant of `last`, as far as one batch can tell.
    async fn continues(&self, header: &Header, last: BlockRef, block: BlockRef) -> Result<bool, FollowError> {
        if block.number <= last.number || block.number - last.number > MAX_LOG_BLOCKS {
            return Ok(false);
        }
        if block.number == last.number + 1 {
            return Ok(header.parent_hash.0 == last.hash.0);
        }
        let same_height = self.node().header(Tag::Number(last.number)).await?;
        Ok(same_height.and_then(|h| h.to_ref()).is_some_and(|h| h.hash == last.hash))
    }

    async fn read(&self, block: BlockRef, touched: &Touched) -> Result<ChainUpdate, FollowError> {
        let at = block.number;
        let (view, nodes, rentals, cases) = (self.view, vec![], vec![], vec![]);
        let mut update = ChainUpdate { view, block, nodes, rentals, cases, keepers: None, newest: None };
        for registration in self.registrations(touched, at).await? {
            let node = self.current(registration, at).await;
            update.nodes.extend(quarantine("registration", registration, node)?.flatten());
        }
        for rental in &touched.rentals {
            update.rentals.extend(quarantine("rental", rental, self.reader.rental_at(*rental, at).await)?);
        }
        for case in &touched.cases {
            update.cases.extend(quarantine("case", case, self.reader.case_at(*case, at).await)?);
        }
        if touched.keepers {
            update.keepers = Some(self.reader.keepers(at).await?);
        }
        Ok(update)
    }

    async fn registrations(&self, touched: &Touched, at: u64) -> Result<BTreeSet<u32>, FollowError> {
        let mut registrations = touched.registrations.clone();
        for machine in &touched.machines {
            let newest = self.reader.registration_of(*machine, at).await;
            registrations.extend(quarantine("machine", machine, newest)?.flatten());
        }
        Ok(registrations)
    }

    /// A registration's node, unless the machine has a newer one.
    async fn current(&self, registration: u32, at: u64) -> Result<Option<NodeView>, NodeError> {
        let node = self.reader.node_at(registration, at).await?;
        let newest = self.reader.registration_of(node.machine, at).await?;
        Ok((newest == Some(registration)).then_some(node))
    }

    async fn check_unmoved(&self, block: BlockRef) -> Result<(), FollowError> {
        let again = self.node().header(Tag::Number(block.number)).await?.and_then(|h| h.to_ref());
        if again == Some(block) { Ok(()) } else { Err(FollowError::Replaced(block.number)) }
    }
}

/// A view that cannot be decoded is left out with a warning; it does not stop the rest.
fn quarantine<T>(what: &'static str, id: impl Display, read: Result<T, NodeError>) -> Result<Option<T>, NodeError> {
    match read {
        Err(NodeError::Odd { what: why, .. }) => {
            tracing::error!(what, %id, why, "a view cannot be decoded; it is left out until it can");
            Ok(None)
        }
        other => other.map(Some),
    }
}

#[cfg(test)]
mod tests;
