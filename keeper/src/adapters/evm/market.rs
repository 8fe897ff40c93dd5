//! What the market shows, read at the newest block and by majority: what was named, and what is new or still missing,
//! in bounded slices.

use super::{Endpoints, FollowError, Member};
use surety_client::provider::{Each, NodeError, Tag};
use surety_client::reader::Counts as Found;
use surety_core::view::{BlockRef, KeeperView};
use surety_market::amount::Amount;
use surety_market::facts::{Beside, Counts, Reading, Wanted};
use surety_market::wire::{At, Keeper};

/// Ids of each kind in one reading: a registration takes six calls, a rental five, a case seven, so at most 3,600
/// calls, 72 batches.
pub const SLICE_IDS: usize = 200;

/// Reads for the market, one reading after another.
#[derive(Debug, Clone)]
pub struct MarketReader {
    endpoints: Endpoints,
}

impl MarketReader {
    /// Reads through these.
    pub fn new(endpoints: Endpoints) -> Self {
        Self { endpoints }
    }

    /// What `wanted` names once it is known how many of each there are; of what is beyond the counts nothing is read.
    ///
    /// # Errors
    /// There is no majority for it, or the only endpoint's own reason.
    pub async fn read(&self, wanted: impl FnOnce(Counts) -> Wanted) -> Result<Reading, FollowError> {
        let agreed = self.endpoints.agree(Tag::Latest).await?;
        let block = agreed.block;
        let ask = |member| counts(member, block.number);
        let said = self.endpoints.same(&agreed.members, ask, |a: &Counts, b| a == b).await?;
        let Some(counts) = said.into_iter().next() else { return Err(FollowError::Replaced(block.number)) };
        let wanted = Ids::of(wanted(counts), counts);
        let ask = |member| said_of(member, block, counts, &wanted);
        let said = self.endpoints.same(&agreed.members, ask, |a, b| a == b).await?;
        said.into_iter().next().ok_or(FollowError::Replaced(block.number))
    }

    /// What no id names: the bond that one card of each class asks for, and the electorate.
    ///
    /// # Errors
    /// There is no majority for it, or the only endpoint's own reason.
    pub async fn read_beside(&self, classes: &[u16]) -> Result<Beside, FollowError> {
        let agreed = self.endpoints.agree(Tag::Latest).await?;
        let ask = |member| beside_of(member, agreed.block.number, classes);
        let said = self.endpoints.same(&agreed.members, ask, |a, b| a == b).await?;
        said.into_iter().next().ok_or(FollowError::Replaced(agreed.block.number))
    }
}

/// Ids in order, bounded.
struct Ids {
    registrations: Vec<u32>,
    rentals: Vec<u64>,
    cases: Vec<u64>,
}

impl Ids {
    fn of(wanted: Wanted, counts: Counts) -> Self {
        // The newest first: what is open is among them.
        let registrations = wanted.registrations.into_iter().rev().filter(|id| (1..=counts.registrations).contains(id));
        let rentals = wanted.rentals.into_iter().rev().filter(|id| (1..=counts.rentals).contains(id));
        let cases = wanted.cases.into_iter().rev().filter(|id| (1..=counts.cases).contains(id));
        Self {
            registrations: registrations.take(SLICE_IDS).collect(),
            rentals: rentals.take(SLICE_IDS).collect(),
            cases: cases.take(SLICE_IDS).collect(),
        }
    }
}

async fn counts(member: &Member, block: u64) -> Result<Counts, FollowError> {
    let Found { registrations, rentals, cases } = member.reader.counts(block).await?;
    Ok(Counts { registrations, rentals, cases })
}

async fn said_of(member: &Member, block: BlockRef, counts: Counts, ids: &Ids) -> Result<Reading, FollowError> {
    let (reader, at) = (&member.reader, block.number);
    let reading = Reading {
        at: At { block: at, hash: block.hash, at_secs: block.timestamp_secs },
        counts,
        nodes: readable(reader.node_facts_at(&ids.registrations, at).await?)?,
        rentals: readable(reader.rental_facts_at(&ids.rentals, at).await?)?,
        cases: readable(reader.case_facts_at(&ids.cases, at).await?)?,
    };
    let again = member.node().header(Tag::Number(at)).await?.and_then(|header| header.to_ref());
    if again == Some(block) { Ok(reading) } else { Err(FollowError::Replaced(at)) }
}

async fn beside_of(member: &Member, at: u64, classes: &[u16]) -> Result<Beside, FollowError> {
    let bonds = sound(member.reader.class_bonds_at(classes, at).await?)?;
    let keepers = member.reader.keepers(at).await?.into_iter().map(keeper).collect();
    Ok(Beside { class_bonds: classes.iter().copied().zip(bonds).collect(), keepers })
}

fn keeper(view: KeeperView) -> Keeper {
    Keeper { account: view.account, weight: Amount(view.weight), active: view.active, url: view.url }
}

fn sound<T>(each: Each<T>) -> Result<Vec<T>, NodeError> {
    each.into_iter().collect()
}

/// Those that can be decoded; one that cannot is left out, and asked for again with the next reading.
fn readable<T>(each: Each<T>) -> Result<Vec<T>, NodeError> {
    let kept = each.into_iter().filter(|one| !matches!(one, Err(NodeError::Odd { .. })));
    kept.collect()
}
