//! Follows the contracts through several nodes' JSON-RPC, by majority.
//!
//! Polling only: a Subtensor node's subscriptions hide reorgs. Two cursors, best and finalized, never mixed. Each poll
//! finds the highest block that a majority has, reads views at its number from as many members as a majority takes,
//! checks at each of them afterwards that the number still carries the same hash, and believes what all of them say
//! alike. Logs only say which ids to look at (those of all members asked): calls without an Ethereum transaction leave
//! none, so everything is read anew every so many blocks, in slices between polls (`sweep`), and machines that fail are
//! read at every block (`suspects`); where Substrate's events are read too, they tell of such calls (`bare`). After a
//! reorg what was read on the other branch is read again (`plan`).

mod bare;
mod endpoints;
mod fleet;
mod history;
mod left_out;
mod market;
mod plan;
mod seat;
mod sender;
mod stated;
mod suspects;
mod sweep;
mod touched;

pub use bare::BareLogs;
pub use endpoints::{Endpoints, Standing};
pub use fleet::FleetReader;
pub use market::{MarketReader, SLICE_IDS};
pub use sender::{SendError, Sender};
pub use stated::{CaseFacts, MachineFacts, StatedReader};
pub use suspects::Suspects;

use endpoints::{Agreed, Member};
use left_out::{Id, LeftOut};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use surety_client::deployment::Deployment;
use surety_client::provider::{NodeError, Tag};
use surety_client::reader::{Counts, SeatOf};
use surety_core::input::{ChainUpdate, Newest};
use surety_core::seat::SeatView;
use surety_core::types::MachineId;
use surety_core::view::{BlockRef, View};
use sweep::Sweep;
use touched::Touched;

/// A full read begins after this many blocks: an hour of Subtensor's.
pub const RECONCILE_BLOCKS: u64 = 300;

/// A set that keepers sit in by voting power is read anew after this many blocks, five minutes: a keeper falls silent
/// by time alone, and no log tells of it.
const KEEPERS_EVERY_BLOCKS: u64 = 25;

/// Blocks read lately that a lagging head, and the point where a branch leaves, are recognised by.
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
    /// Blocks read lately, the newest first.
    recent: VecDeque<Seen>,
    sweep: Sweep,
    /// Where the last full read began.
    reconciled_at: u64,
    left_out: LeftOut,
    /// Whose seat is read with everything else.
    seat: Option<SeatOf>,
    /// As last reported.
    seat_said: Option<SeatView>,
    /// When the keeper set was last read.
    keepers_at: u64,
    /// Read at every block.
    suspects: Suspects,
    /// The last of them read.
    suspect_last: Option<MachineId>,
    /// Logs that no receipt shows.
    bare: BareLogs,
}

/// A block that was read.
#[derive(Debug)]
struct Seen {
    block: BlockRef,
    counts: Counts,
    /// What was read at it: to be read again should it be undone.
    read: Touched,
}

/// What a member reads at a block.
struct Reading {
    update: ChainUpdate,
    left_out: BTreeMap<Id, String>,
}

impl Follower {
    /// Follows `view` of the contracts in `deployment`.
    pub fn new(endpoints: Endpoints, deployment: Deployment, view: View) -> Self {
        let (recent, sweep, left_out) = (VecDeque::new(), Sweep::default(), LeftOut::default());
        Self {
            endpoints,
            deployment,
            view,
            recent,
            sweep,
            reconciled_at: 0,
            left_out,
            seat: None,
            seat_said: None,
            keepers_at: 0,
            suspects: Suspects::default(),
            suspect_last: None,
            bare: BareLogs::default(),
        }
    }

    /// Reads an account's seat with every block, and the keeper set now and then: where they sit by voting power.
    #[must_use]
    pub fn with_seat(self, seat: Option<SeatOf>) -> Self {
        Self { seat, ..self }
    }

    /// What is thought of each endpoint, in the order of `chain.rpc`.
    pub fn standings(&self) -> Vec<Standing> {
        self.endpoints.standings()
    }

    /// What changed since the last poll, and the next slice of a full read; `None` when the chain stands still and
    /// nothing is left to be read.
    pub async fn poll(&mut self) -> Result<Option<ChainUpdate>, FollowError> {
        let tag = if self.view == View::Best { Tag::Latest } else { Tag::Finalized };
        let agreed = self.endpoints.agree(tag).await?;
        let block = agreed.block;
        let due = self.left_out.due();
        if block.number < self.deployment.block || self.is_behind(block) {
            return Ok(None);
        }
        if self.last() == Some(block) {
            return self.more(&agreed, due).await;
        }
        let plan = self.plan(&agreed).await?;
        let (counts, mut bare) = (plan.counts, self.bare.hear(block.number));
        let overdue = block.number >= self.reconciled_at.saturating_add(RECONCILE_BLOCKS);
        if plan.touched.everything {
            self.sweep.stop();
        } else if overdue || plan.sweep || bare.lost {
            self.sweep.want(counts);
        }
        let hinted = plan.touched.or(due).or(self.suspected()).or(std::mem::take(&mut bare.touched));
        let mut touched = hinted.or(self.sweep.slice(counts)).within(counts);
        touched.keepers |= self.seat.is_some() && block.number >= self.keepers_at.saturating_add(KEEPERS_EVERY_BLOCKS);
        let mut update = self.take(&agreed, &touched).await?;
        update.newest = Some(Newest { rental: counts.rentals, case: counts.cases });
        self.sweep.done();
        self.bare.done(&bare);
        if touched.everything || overdue {
            self.reconciled_at = block.number;
        }
        self.recent.drain(..plan.undone);
        self.recent.truncate(RECENT_MAX - 1);
        self.recent.push_front(Seen { block, counts, read: touched });
        Ok(Some(update))
    }

    /// At the block that was read last: what could not be decoded, and the next slice.
    async fn more(&mut self, agreed: &Agreed, due: Touched) -> Result<Option<ChainUpdate>, FollowError> {
        let Some(counts) = self.recent.front().map(|seen| seen.counts) else { return Ok(None) };
        let touched = due.or(self.sweep.slice(counts)).within(counts);
        if touched.is_empty() {
            return Ok(None);
        }
        let update = self.take(agreed, &touched).await?;
        self.sweep.done();
        if let Some(seen) = self.recent.front_mut() {
            seen.read = std::mem::take(&mut seen.read).or(touched);
        }
        Ok(Some(update))
    }

    fn last(&self) -> Option<BlockRef> {
        self.recent.front().map(|seen| seen.block)
    }

    /// A majority that lags, as when endpoints take turns at failing: nothing has happened.
    fn is_behind(&self, block: BlockRef) -> bool {
        self.last().is_some_and(|last| block.number < last.number) && self.recent.iter().any(|seen| seen.block == block)
    }

    /// Reads by majority, and remembers what could not be decoded.
    async fn take(&mut self, agreed: &Agreed, touched: &Touched) -> Result<ChainUpdate, FollowError> {
        let ask = |member| self.read(member, agreed.block, touched);
        let alike = |a: &Reading, b: &Reading| a.update == b.update && a.left_out.keys().eq(b.left_out.keys());
        let said = self.endpoints.same(&agreed.members, ask, alike).await?;
        let Some(reading) = said.into_iter().next() else { return Err(FollowError::Replaced(agreed.block.number)) };
        self.left_out.settle(touched, &reading.left_out);
        let mut update = reading.update;
        if update.keepers.is_some() {
            self.keepers_at = agreed.block.number;
        }
        // Told when it is another one than before: it is the same at most blocks.
        match &update.seat {
            Some(seat) if self.seat_said.as_ref() != Some(seat) => self.seat_said = Some(seat.clone()),
            _ => update.seat = None,
        }
        Ok(update)
    }

    async fn read(&self, member: &Member, block: BlockRef, touched: &Touched) -> Result<Reading, FollowError> {
        let (at, reader) = (block.number, &member.reader);
        let mut left_out = BTreeMap::new();
        let (view, nodes, rentals, cases) = (self.view, vec![], vec![], vec![]);
        let update = ChainUpdate { view, block, nodes, rentals, cases, keepers: None, newest: None, seat: None };
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
        reading.update.seat = self.seat_at(member, at).await?;
        reading.left_out = left_out;
        let again = member.node().header(Tag::Number(at)).await?.and_then(|h| h.to_ref());
        if again == Some(block) { Ok(reading) } else { Err(FollowError::Replaced(at)) }
    }
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
