//! Keeps the market that is shown up to date: reads at each new block what changed, and what is missing still.

use super::measurements::Measurements;
use crate::adapters::evm::{FollowError, MarketReader, SLICE_IDS};
use crate::ports::Shop;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use surety_core::input::ChainUpdate;
use surety_core::types::MachineId;
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

/// What changed on chain, told by whoever follows it. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Hints {
    wanted: Arc<Mutex<Wanted>>,
    news: Arc<Notify>,
}

impl Hints {
    /// Takes what an update of the best view names.
    pub(super) fn tell(&self, update: &ChainUpdate) {
        {
            let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            let room = |held: usize| HINTS_MAX.saturating_sub(held);
            let nodes = update.nodes.iter().take(room(wanted.registrations.len()));
            wanted.registrations.extend(nodes.map(|node| node.registration));
            let rentals = update.rentals.iter().take(room(wanted.rentals.len()));
            wanted.rentals.extend(rentals.map(|rental| rental.id));
            let cases = update.cases.iter().take(room(wanted.cases.len()));
            wanted.cases.extend(cases.map(|case| case.id));
        }
        self.news.notify_one();
    }

    fn peek(&self) -> Wanted {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was read is not wanted any more.
    fn done(&self, read: &Wanted) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.registrations.retain(|id| !read.registrations.contains(id));
        wanted.rentals.retain(|id| !read.rentals.contains(id));
        wanted.cases.retain(|id| !read.cases.contains(id));
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
    /// Something failed.
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
        let hinted = self.hints.peek();
        let mut read = Wanted::default();
        let wanted = |counts| {
            let missing = self.shop.read(|market| market.missing(counts, SLICE_IDS));
            read = both(&hinted, missing, SLICE_IDS);
            read.clone()
        };
        let reading = self.reader.read(wanted).await?;
        let (counts, shop, certificates) = (reading.counts, self.shop.clone(), certificates(measured));
        // Rows of many machines take a while: not on a thread that serves.
        let applied = tokio::task::spawn_blocking(move || shop.write(|market| market.apply(reading, certificates)));
        if applied.await.is_err() {
            tracing::error!("the market was not brought up to date");
        }
        self.hints.done(&read);
        let left = self.shop.read(|market| market.missing(counts, SLICE_IDS));
        // What cannot be decoded stays missing: it is asked for again with the next block.
        let more = left != read && (!left.is_empty() || !self.hints.peek().is_empty());
        Ok(if more { Next::More } else { Next::Wait })
    }
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
