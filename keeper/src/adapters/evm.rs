//! Follows the contracts through several nodes' JSON-RPC, by majority.
//!
//! Polling only: a Subtensor node's subscriptions hide reorgs. Two cursors, best and finalized, never mixed. Each poll
//! finds the highest block that a majority has, reads views at its number from as many members as a majority takes,
//! checks at each of them afterwards that the number still carries the same hash, and believes what all of them say
//! alike; a parent hash that does not fit the last poll makes everything be read again. Logs only say which ids to
//! look at (those of all members asked): calls without an Ethereum transaction leave none, so everything is read anew
//! every so many blocks.

mod endpoints;
mod left_out;
mod sender;
mod touched;

pub use endpoints::{Endpoints, Standing};
pub use sender::{SendError, Sender};

use endpoints::{Agreed, Member};
use left_out::{Id, LeftOut};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use surety_client::deployment::Deployment;
use surety_client::provider::{MAX_LOG_BLOCKS, NodeError, Tag};
use surety_client::reader::Counts;
use surety_core::input::{ChainUpdate, Newest};
use surety_core::types::{MachineId, RentalId};
use surety_core::view::{BlockRef, View};
use touched::Touched;

/// Everything is read anew after this many blocks: an hour of Subtensor's, plus what logs showed in between.
pub const RECONCILE_BLOCKS: u64 = 300;

/// Blocks read lately that a lagging head is recognised by.
const RECENT_MAX: usize = 64;

/// Why a poll brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// It has no block under a tag it must have.
    #[error("the node knows no {0:?} block")]
    NoBlock(Tag),
    /// The node is on another chain than the deployment.
    #[error("the node is on chain {found}, the deployment on {wanted}")]
    WrongChain {
        /// The chain it is on.
        found: u64,
        /// The deployment's.
        wanted: u64,
    },
    /// Too few endpoints agree; nothing is believed until they do.
    #[error("no {need} RPC endpoints of chain.rpc agree on {what}: nothing is read")]
    NoMajority {
        /// On what.
        what: String,
        /// How many would have to.
        need: usize,
    },
    /// The block changed while it was read; the next poll reads again.
    #[error("block {0} was replaced while it was read")]
    Replaced(u64),
    /// A block that was final is no more: no chain does that, so nothing is taken from this one.
    #[error("block {0} was final and is another one now: the endpoints are on another chain, or were reset")]
    FinalReplaced(u64),
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
    endpoints: Endpoints,
    deployment: Deployment,
    view: View,
    last: Option<BlockRef>,
    counts: Option<Counts>,
    reconciled_at: u64,
    recent: VecDeque<BlockRef>,
    left_out: LeftOut,
    suspects: Vec<(MachineId, RentalId)>,
}

/// How a block follows the last one read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The last one is below it.
    On,
    /// Too far to tell, or the node does not know the last one's height.
    Unknown,
    /// Another block is at the last one's height.
    Elsewhere,
}

/// What a member says of a block before anything is read.
struct Outline {
    counts: Counts,
    way: Way,
    touched: Touched,
}

/// What a member reads at a block.
struct Reading {
    update: ChainUpdate,
    left_out: BTreeMap<Id, String>,
}

impl Follower {
    /// Follows `view` of the contracts in `deployment`.
    pub fn new(endpoints: Endpoints, deployment: Deployment, view: View) -> Self {
        let (recent, left_out, suspects) = (VecDeque::new(), LeftOut::default(), Vec::new());
        Self { endpoints, deployment, view, last: None, counts: None, reconciled_at: 0, recent, left_out, suspects }
    }

    /// What fails at present: it is read at the next block whether or not a log tells of it, since a machine that was
    /// moved, or a rental that was ended, by a call without an Ethereum transaction fails for nobody else.
    pub fn suspect(&mut self, suspects: Vec<(MachineId, RentalId)>) {
        self.suspects = suspects;
    }

    /// What changed since the last poll; `None` when the chain stands still.
    pub async fn poll(&mut self) -> Result<Option<ChainUpdate>, FollowError> {
        let tag = if self.view == View::Best { Tag::Latest } else { Tag::Finalized };
        let agreed = self.endpoints.agree(tag).await?;
        let block = agreed.block;
        let due = self.left_out.due();
        if block.number < self.deployment.block || self.is_behind(block) {
            return Ok(None);
        }
        if self.last == Some(block) {
            return if due.is_empty() { Ok(None) } else { self.take(&agreed, due).await.map(Some) };
        }
        let (counts, touched) = self.outline(&agreed).await?;
        let everything = touched.everything;
        let suspects = Touched::by_suspects(&self.suspects, counts);
        let mut update = self.take(&agreed, touched.or(due).or(suspects)).await?;
        update.newest = Some(Newest { rental: counts.rentals, case: counts.cases });
        if everything {
            self.reconciled_at = block.number;
        }
        self.last = Some(block);
        self.counts = Some(counts);
        self.recent.truncate(RECENT_MAX - 1);
        self.recent.push_front(block);
        Ok(Some(update))
    }

    /// A majority that lags, as when endpoints take turns at failing: nothing has happened.
    fn is_behind(&self, block: BlockRef) -> bool {
        self.last.is_some_and(|last| block.number < last.number) && self.recent.contains(&block)
    }

    /// What is to be read at a block, as a majority sees it.
    async fn outline(&self, agreed: &Agreed) -> Result<(Counts, Touched), FollowError> {
        let block = agreed.block;
        let ask = |member| self.outline_by(member, agreed);
        let said = self.endpoints.same(&agreed.members, ask, |a: &Outline, b: &Outline| a.counts == b.counts).await?;
        let Some(counts) = said.first().map(|outline| outline.counts) else { return Err(FollowError::Replaced(0)) };
        let Some(before) = self.counts else { return Ok((counts, Touched::all(counts))) };
        let last = self.last.map_or(0, |last| last.number);
        if self.view == View::Finalized && said.iter().all(|outline| outline.way == Way::Elsewhere) {
            return Err(FollowError::FinalReplaced(last));
        }
        let shrunk = shrunk(before, counts);
        if shrunk && self.view == View::Finalized {
            return Err(FollowError::Shrunk { block: block.number });
        }
        let overdue = block.number >= self.reconciled_at.saturating_add(RECONCILE_BLOCKS);
        if shrunk || overdue || said.iter().any(|outline| outline.way != Way::On) {
            return Ok((counts, Touched::all(counts)));
        }
        let touched = said.into_iter().map(|outline| outline.touched).reduce(Touched::or).unwrap_or_default();
        Ok((counts, touched))
    }

    async fn outline_by(&self, member: &Member, agreed: &Agreed) -> Result<Outline, FollowError> {
        let block = agreed.block;
        let counts = member.reader.counts(block.number).await?;
        let (Some(last), Some(before)) = (self.last, self.counts) else {
            return Ok(Outline { counts, way: Way::Unknown, touched: Touched::default() });
        };
        let way = self.way(member, agreed, last).await?;
        let shrunk = shrunk(before, counts);
        let overdue = block.number >= self.reconciled_at.saturating_add(RECONCILE_BLOCKS);
        if way != Way::On || shrunk || overdue {
            return Ok(Outline { counts, way, touched: Touched::default() });
        }
        let contracts = self.deployment.contracts().map(|(_, c)| c.address.0.into()).to_vec();
        let touched = match member.node().logs(contracts, last.number + 1, block.number).await {
            Ok(logs) => Touched::by_logs(&logs).with_new(before, counts),
            // Refused, and not for a moment: there are too many, and views need none of them.
            Err(NodeError::Refused { code, message, .. }) if code != 0 && message.contains("more than") => {
                Touched::all(counts)
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Outline { counts, way, touched })
    }

    /// Whether the agreed block is a descendant of `last`, as far as one poll can tell.
    async fn way(&self, member: &Member, agreed: &Agreed, last: BlockRef) -> Result<Way, FollowError> {
        let block = agreed.block;
        if block.number > last.number && block.number - last.number > MAX_LOG_BLOCKS {
            return Ok(Way::Unknown);
        }
        let there = if block.number == last.number + 1 {
            Some(agreed.parent)
        } else if block.number == last.number {
            Some(block.hash)
        } else {
            let header = member.node().header(Tag::Number(last.number)).await?;
            header.and_then(|h| h.to_ref()).map(|block| block.hash)
        };
        Ok(match there {
            Some(hash) if hash == last.hash && block.number > last.number => Way::On,
            Some(hash) if hash != last.hash => Way::Elsewhere,
            _ => Way::Unknown,
        })
    }

    /// Reads by majority, and remembers what could not be decoded.
    async fn take(&mut self, agreed: &Agreed, touched: Touched) -> Result<ChainUpdate, FollowError> {
        let ask = |member| self.read(member, agreed.block, &touched);
        let alike = |a: &Reading, b: &Reading| a.update == b.update && a.left_out.keys().eq(b.left_out.keys());
        let said = self.endpoints.same(&agreed.members, ask, alike).await?;
        let Some(reading) = said.into_iter().next() else { return Err(FollowError::Replaced(agreed.block.number)) };
        self.left_out.settle(&touched, &reading.left_out);
        Ok(reading.update)
    }

    async fn read(&self, member: &Member, block: BlockRef, touched: &Touched) -> Result<Reading, FollowError> {
        let (at, reader) = (block.number, &member.reader);
        let mut left_out = BTreeMap::new();
        let (view, nodes, rentals, cases) = (self.view, vec![], vec![], vec![]);
        let update = ChainUpdate { view, block, nodes, rentals, cases, keepers: None, newest: None };
        let mut reading = Reading { update, left_out: BTreeMap::new() };
        let registrations = registrations(member, touched, at, &mut left_out).await?;
        let nodes = reader.nodes_at(&registrations, at).await?;
        for (registration, found) in registrations.iter().zip(nodes) {
            // A machine's newer registration is read by its own number.
            let found = keep(Id::Registration(*registration), found, &mut left_out)?;
            let current = found.filter(|found| found.newest == Some(*registration));
            reading.update.nodes.extend(current.map(|found| found.node));
        }
        let rentals: Vec<_> = touched.rentals.iter().copied().collect();
        for (rental, found) in rentals.iter().zip(reader.rentals_at(&rentals, at).await?) {
            reading.update.rentals.extend(keep(Id::Rental(*rental), found, &mut left_out)?);
        }
        let cases: Vec<_> = touched.cases.iter().copied().collect();
        for (case, found) in cases.iter().zip(reader.cases_at(&cases, at).await?) {
            reading.update.cases.extend(keep(Id::Case(*case), found, &mut left_out)?);
        }
        if touched.keepers {
            reading.update.keepers = Some(reader.keepers(at).await?);
        }
        reading.left_out = left_out;
        let again = member.node().header(Tag::Number(at)).await?.and_then(|h| h.to_ref());
        if again == Some(block) { Ok(reading) } else { Err(FollowError::Replaced(at)) }
    }
}

/// Dense ids only grow.
fn shrunk(before: Counts, now: Counts) -> bool {
    now.rentals < before.rentals || now.cases < before.cases || now.registrations < before.registrations
}

async fn registrations(
    member: &Member,
    touched: &Touched,
    at: u64,
    left_out: &mut BTreeMap<Id, String>,
) -> Result<Vec<u32>, FollowError> {
    let mut registrations: BTreeSet<u32> = touched.registrations.clone();
    let machines: Vec<_> = touched.machines.iter().copied().collect();
    for (machine, newest) in machines.iter().zip(member.reader.registrations_of(&machines, at).await?) {
        registrations.extend(keep(Id::Machine(*machine), newest, left_out)?.flatten());
    }
    Ok(registrations.into_iter().collect())
}

/// A view that cannot be decoded is left out; it does not stop the rest.
fn keep<T>(id: Id, read: Result<T, NodeError>, left_out: &mut BTreeMap<Id, String>) -> Result<Option<T>, NodeError> {
    match read {
        Err(NodeError::Odd { what: why, .. }) => {
            left_out.insert(id, why);
            Ok(None)
        }
        other => other.map(Some),
    }
}

#[cfg(test)]
pub(crate) mod tests;
