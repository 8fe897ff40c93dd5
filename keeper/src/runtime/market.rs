//! Keeps the market that is shown up to date: reads at each new block what changed, and what is missing still.

use super::measurements::Measurements;
use crate::adapters::evm::{FollowError, MarketReader, SLICE_IDS};
use crate::ports::Shop;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use surety_core::input::ChainUpdate;
use surety_core::types::{CaseId, Hash32, MachineId, RentalId};
use surety_core::view::BlockRef;
use surety_core::weights::Measured;
use surety_market::facts::{Certificates, Wanted};
use surety_verifier::classes::CLASSES;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};

/// The electorate and the class bonds, which no id names, are read this often.
const BESIDE_EVERY: Duration = Duration::from_secs(60);

/// A look is made at least this often: time passes without news too.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Ids of each kind remembered between two looks. What is beyond waits until the follower names it again: with its full
/// read, within the hour.
const HINTS_MAX: usize = 20_000;

/// When an id was named: how many updates had come, and at which block. Later ones are larger.
#[derive(Clone, Copy, Debug, Default)]
struct Named {
    update: u64,
    number: u64,
    hash: Hash32,
}

impl Named {
    /// Whether a reading at `block`, for which `update` updates had been heard, has what was named. One that came while
    /// it was read, or at a block that the nodes asked did not have yet, is not in it.
    fn is_in(&self, update: u64, block: &BlockRef) -> bool {
        self.update <= update && (self.number < block.number || self.hash == block.hash)
    }
}

#[derive(Default)]
struct Heard {
    updates: u64,
    registrations: BTreeMap<u32, Named>,
    rentals: BTreeMap<RentalId, Named>,
    cases: BTreeMap<CaseId, Named>,
}

/// Remembers ids, the newest naming of each, as far as there is room.
fn note<T: Ord>(held: &mut BTreeMap<T, Named>, ids: impl Iterator<Item = T>, named: Named) {
    for id in ids {
        if held.len() < HINTS_MAX || held.contains_key(&id) {
            held.insert(id, named);
        }
    }
}

/// What changed on chain, told by whoever follows it. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Hints {
    heard: Arc<Mutex<Heard>>,
    news: Arc<Notify>,
}

impl Hints {
    /// Takes what an update of the best view names.
    pub(super) fn tell(&self, update: &ChainUpdate) {
        {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.updates += 1;
            let named = Named { update: heard.updates, number: update.block.number, hash: update.block.hash };
            note(&mut heard.registrations, update.nodes.iter().map(|node| node.registration), named);
            note(&mut heard.rentals, update.rentals.iter().map(|rental| rental.id), named);
            note(&mut heard.cases, update.cases.iter().map(|case| case.id), named);
        }
        self.news.notify_one();
    }

    /// What is to be read, and how many updates had come by then.
    fn peek(&self) -> (Wanted, u64) {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = Wanted {
            registrations: heard.registrations.keys().copied().collect(),
            rentals: heard.rentals.keys().copied().collect(),
            cases: heard.cases.keys().copied().collect(),
        };
        (wanted, heard.updates)
    }

    /// What was read at `block` is not wanted any more, unless it was named again since `update`.
    fn done(&self, read: &Wanted, update: u64, block: &BlockRef) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let settled = |named: &Named| named.is_in(update, block);
        heard.registrations.retain(|id, named| !(read.registrations.contains(id) && settled(named)));
        heard.rentals.retain(|id, named| !(read.rentals.contains(id) && settled(named)));
        heard.cases.retain(|id, named| !(read.cases.contains(id) && settled(named)));
    }
}

/// The task.
pub(super) struct Keeping {
    pub(super) reader: MarketReader,
    pub(super) shop: Shop,
    pub(super) hints: Hints,
    pub(super) measurements: Measurements,
    /// What failed is tried again after this, as whoever follows the chain does.
    pub(super) poll_every: Duration,
}

/// What becomes of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// There is more to be read.
    More,
    /// Something failed, or changed meanwhile.
    Again,
    /// Everything is read.
    Wait,
}

impl Keeping {
    /// Keeps the market until told to stop.
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>) {
        let (mut beside_at, mut measured) = (Instant::now(), BTreeMap::new());
        loop {
            let looks = async {
                if let Some(newer) = self.measurements.ask().await {
                    measured = newer;
                }
                if Instant::now() >= beside_at && self.look_beside().await {
                    beside_at = Instant::now() + BESIDE_EVERY;
                }
                self.look(&measured).await.unwrap_or_else(|error| {
                    tracing::warn!(%error, "the market was not read");
                    Next::Again
                })
            };
            let next = tokio::select! {
                next = looks => next,
                _ = stop.changed() => return,
            };
            let waits = async {
                match next {
                    Next::More => {}
                    Next::Again => sleep(self.poll_every).await,
                    // Whether news came or not, it is time then.
                    Next::Wait => drop(timeout(LOOK_EVERY, self.hints.news.notified()).await),
                }
            };
            tokio::select! {
                () = waits => {}
                _ = stop.changed() => return,
            }
        }
    }

    async fn look_beside(&self) -> bool {
        let classes: Vec<u16> = CLASSES.iter().map(|class| class.id.0).collect();
        match self.reader.read_beside(&classes).await {
            Ok(beside) => {
                let shop = self.shop.clone();
                // It waits for whoever is looking.
                let put = tokio::task::spawn_blocking(move || shop.write(|market| market.put_beside(beside)));
                put.await.is_ok()
            }
            Err(error) => {
                tracing::warn!(%error, "keepers and class bonds were not read");
                false
            }
        }
    }

    /// One reading.
    async fn look(&self, measured: &BTreeMap<MachineId, Measured>) -> Result<Next, FollowError> {
        let (hinted, update) = self.hints.peek();
        let mut read = Wanted::default();
        let wanted = |counts| {
            let missing = self.shop.read(|market| market.missing(counts, SLICE_IDS));
            read = both(&hinted, missing, SLICE_IDS);
            read.clone()
        };
        let reading = self.reader.read(wanted).await?;
        let (counts, shop, certificates) = (reading.counts, self.shop.clone(), certificates(measured));
        let block = BlockRef { number: reading.at.block, hash: reading.at.hash, timestamp_secs: reading.at.at_secs };
        // Rows of many machines take a while: not on a thread that serves.
        let applied = tokio::task::spawn_blocking(move || shop.write(|market| market.apply(reading, certificates)));
        if applied.await.is_err() {
            tracing::error!("the market was not brought up to date");
        }
        self.hints.done(&read, update, &block);
        let left = self.shop.read(|market| market.missing(counts, SLICE_IDS));
        Ok(next(&hinted, &read, &left, &self.hints.peek().0))
    }
}

/// After `read`, part of it because it was `hinted`, when `left` is missing still and `named` is wanted.
fn next(hinted: &Wanted, read: &Wanted, left: &Wanted, named: &Wanted) -> Next {
    let all_read = within(left, read) && within(named, read);
    // It changed meanwhile, or at a block that nodes do not have yet: asked at once they would say the same again.
    let stuck = !hinted.is_empty() && within(hinted, named);
    match (all_read, named.is_empty()) {
        // What cannot be decoded stays missing, and is asked for again with the next block.
        (true, true) => Next::Wait,
        (true, false) => Next::Again,
        (false, _) if stuck => Next::Again,
        (false, _) => Next::More,
    }
}

fn within(some: &Wanted, all: &Wanted) -> bool {
    some.registrations.is_subset(&all.registrations)
        && some.rentals.is_subset(&all.rentals)
        && some.cases.is_subset(&all.cases)
}

/// What was named first, then what is missing, at most `most` of each kind.
fn both(hinted: &Wanted, missing: Wanted, most: usize) -> Wanted {
    fn some<T: Ord + Copy>(
        first: &std::collections::BTreeSet<T>,
        then: std::collections::BTreeSet<T>,
        most: usize,
    ) -> std::collections::BTreeSet<T> {
        let mut taken: std::collections::BTreeSet<T> = first.iter().rev().take(most).copied().collect();
        for id in then.into_iter().rev() {
            if taken.len() >= most {
                break;
            }
            taken.insert(id);
        }
        taken
    }
    Wanted {
        registrations: some(&hinted.registrations, missing.registrations, most),
        rentals: some(&hinted.rentals, missing.rentals, most),
        cases: some(&hinted.cases, missing.cases, most),
    }
}

fn certificates(measured: &BTreeMap<MachineId, Measured>) -> Certificates {
    let certified = measured.iter().filter_map(|(machine, one)| Some((*machine, (one.registration, one.certified?))));
    certified.collect()
}

#[cfg(test)]
mod tests;
