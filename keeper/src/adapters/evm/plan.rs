//! What is to be read at a new block: what logs name where the chain goes on, what was read on the other branch as well
//! where it does not, and everything where neither can be told.

use super::endpoints::{Agreed, Member};
use super::touched::Touched;
use super::{FollowError, Follower};
use surety_client::provider::{MAX_LOG_BLOCKS, NodeError, Tag};
use surety_client::reader::Counts;
use surety_core::view::{BlockRef, View};

/// What is to be read.
pub(super) struct Plan {
    pub(super) counts: Counts,
    pub(super) touched: Touched,
    /// Something changed and nobody says what: everything is to be read, in slices.
    pub(super) sweep: bool,
    /// So many of the blocks read lately are not on the chain any more.
    pub(super) undone: usize,
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

impl Plan {
    /// At once, at one block: nothing read before is to be relied on.
    fn everything(counts: Counts) -> Self {
        Self { counts, touched: Touched::all(counts), sweep: false, undone: 0 }
    }
}

impl Follower {
    /// What is to be read at a block, as a majority sees it.
    pub(super) async fn plan(&self, agreed: &Agreed) -> Result<Plan, FollowError> {
        let block = agreed.block;
        let ask = |member| self.outline(member, agreed);
        let said = self.endpoints.same(&agreed.members, ask, |a: &Outline, b: &Outline| a.counts == b.counts).await?;
        let Some(counts) = said.first().map(|outline| outline.counts) else { return Err(FollowError::Replaced(0)) };
        let Some(last) = self.recent.front() else { return Ok(Plan::everything(counts)) };
        let elsewhere = said.iter().all(|outline| outline.way == Way::Elsewhere);
        if self.view == View::Finalized && elsewhere {
            return Err(FollowError::FinalReplaced(last.block.number));
        }
        let shrunk = shrunk(last.counts, counts);
        if shrunk && self.view == View::Finalized {
            return Err(FollowError::Shrunk { block: block.number });
        }
        if said.iter().any(|outline| outline.way != Way::On) {
            return self.branched(agreed, counts).await;
        }
        if shrunk {
            return Ok(Plan::everything(counts));
        }
        let touched = union(said.into_iter().map(|outline| outline.touched));
        let touched = touched.with_new(last.counts, counts);
        Ok(Plan { counts, sweep: touched.undecoded, touched, undone: 0 })
    }

    async fn outline(&self, member: &Member, agreed: &Agreed) -> Result<Outline, FollowError> {
        let counts = member.reader.counts(agreed.block.number).await?;
        let unread = Outline { counts, way: Way::Unknown, touched: Touched::default() };
        let Some(last) = self.recent.front() else { return Ok(unread) };
        let way = self.way(member, agreed, last.block).await?;
        if way != Way::On || shrunk(last.counts, counts) {
            return Ok(Outline { way, ..unread });
        }
        let touched = self.logs(member, last.block.number + 1, agreed.block.number).await?;
        Ok(Outline { counts, way, touched })
    }

    /// What a member's logs name. Those of a node that has too many to answer name nothing that is known.
    async fn logs(&self, member: &Member, from: u64, to: u64) -> Result<Touched, FollowError> {
        let contracts = self.deployment.contracts().map(|(_, c)| c.address.0.into()).to_vec();
        match member.node().logs(contracts, from, to).await {
            Ok(logs) => Ok(Touched::by_logs(&logs)),
            Err(NodeError::Refused { code, message, .. }) if code != 0 && message.contains("more than") => {
                Ok(Touched { undecoded: true, ..Touched::default() })
            }
            Err(error) => Err(error.into()),
        }
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
            self.hash_at(member, last.number).await?
        };
        Ok(match there {
            Some(hash) if hash == last.hash && block.number > last.number => Way::On,
            Some(hash) if hash != last.hash => Way::Elsewhere,
            _ => Way::Unknown,
        })
    }

    async fn hash_at(&self, member: &Member, height: u64) -> Result<Option<surety_core::types::Hash32>, FollowError> {
        let header = member.node().header(Tag::Number(height)).await?;
        Ok(header.and_then(|header| header.to_ref()).map(|block| block.hash))
    }

    /// Another branch: what was read since it left is read again, with what its own logs name. What was read before it
    /// left is as it was, but for what those logs name.
    async fn branched(&self, agreed: &Agreed, counts: Counts) -> Result<Plan, FollowError> {
        let ask = |member| self.still_there(member, agreed.block);
        let said = self.endpoints.same(&agreed.members, ask, |a, b| a == b).await?;
        let Some(place) = said.into_iter().next().flatten() else { return Ok(Plan::everything(counts)) };
        if self.view == View::Finalized && place > 0 {
            let last = self.last().map_or(0, |last| last.number);
            return Err(FollowError::FinalReplaced(last));
        }
        let Some(fork) = self.recent.get(place) else { return Ok(Plan::everything(counts)) };
        let ask = |member| self.logs(member, fork.block.number + 1, agreed.block.number);
        let named = self.endpoints.same(&agreed.members, ask, |_: &Touched, _: &Touched| true).await?;
        let undone = self.recent.iter().take(place).map(|seen| seen.read.clone());
        let touched = union(named.into_iter().chain(undone)).with_new(fork.counts, counts);
        Ok(Plan { counts, touched, sweep: true, undone: place })
    }

    /// The newest of the blocks read lately that a member has below `block`, by its place among them.
    async fn still_there(&self, member: &Member, block: BlockRef) -> Result<Option<usize>, FollowError> {
        for (place, seen) in self.recent.iter().enumerate() {
            let below =
                block.number.checked_sub(seen.block.number).filter(|below| (1..=MAX_LOG_BLOCKS).contains(below));
            if below.is_some() && self.hash_at(member, seen.block.number).await? == Some(seen.block.hash) {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }
}

fn union(touched: impl Iterator<Item = Touched>) -> Touched {
    touched.reduce(Touched::or).unwrap_or_default()
}

/// Dense ids only grow.
fn shrunk(before: Counts, now: Counts) -> bool {
    now.rentals < before.rentals || now.cases < before.cases || now.registrations < before.registrations
}
