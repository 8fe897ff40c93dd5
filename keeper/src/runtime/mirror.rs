//! Evidence of peers, fetched and kept, so that what a case rests on outlives its maker. Nothing in it is believed:
//! that it hashes to what the peer signed is all that is asked of it.

use super::core_loop::KnownKeepers;
use crate::adapters::clock::Clock;
use crate::adapters::http::{PeerCounts, Peers};
use crate::adapters::store::{Mirrored, Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use surety_core::types::{Account, Hash32};
use surety_core::view::KeeperView;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// How often it is looked whether anything is wanted. An outage is signed anew every minute.
const EVERY: Duration = Duration::from_secs(10);

/// Bundles of one peer in one round, one after another.
const AT_ONCE: u32 = 4;

/// Peers asked at once: each may answer with megabytes, which take several times as much while they are checked.
const PEERS_AT_ONCE: usize = 4;

/// The task's own things.
pub(super) struct Mirror {
    pub(super) store: Arc<Store>,
    pub(super) peers: Arc<Peers>,
    pub(super) counts: Arc<PeerCounts>,
    pub(super) clock: Clock,
    pub(super) keepers: KnownKeepers,
    pub(super) me: Account,
}

impl Mirror {
    /// Fetches until told to stop.
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut rounds = interval(EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = rounds.tick() => {}
                _ = stop.changed() => return,
            }
            tokio::select! {
                () = self.round() => {}
                _ = stop.changed() => return,
            }
        }
    }

    /// Also keepers that do not count any more are asked: what they signed may still be in a case.
    async fn round(&self) {
        let known: Vec<KeeperView> = self.keepers.read().map(|k| k.values().cloned().collect()).unwrap_or_default();
        let peers: Vec<&KeeperView> = known.iter().filter(|keeper| keeper.account != self.me).collect();
        for some in peers.chunks(PEERS_AT_ONCE) {
            let asked = some.iter().map(|peer| self.of_peer(peer, peers.len()));
            for result in futures_util::future::join_all(asked).await {
                if let Err(error) = result {
                    tracing::warn!(%error, "copies of peers' evidence were not kept");
                }
            }
        }
    }

    async fn of_peer(&self, peer: &KeeperView, peers: usize) -> Result<(), StoreError> {
        let (account, now_secs) = (peer.account, self.clock.now_secs());
        let wanted = self.with_store(move |store| store.wanted_of(account, now_secs, AT_ONCE)).await?;
        for (digest, most_bytes) in wanted {
            // One that does not answer is not asked for the rest of a round.
            if !self.fetch(peer, digest, most_bytes, peers).await? {
                break;
            }
        }
        Ok(())
    }

    /// Says whether a copy was kept; what was not is put off.
    async fn fetch(
        &self,
        peer: &KeeperView,
        digest: Hash32,
        most_bytes: usize,
        peers: usize,
    ) -> Result<bool, StoreError> {
        let account = peer.account;
        let kept = match self.peers.bundle(&peer.url, digest, most_bytes).await {
            Ok(bundle) => self.with_store(move |store| store.mirror(account, digest, bundle.evidence, peers)).await?,
            Err(error) => {
                tracing::debug!(peer = %account, %digest, %error, "a peer's evidence was not read");
                return self.put_off(account, digest).await.map(|()| false);
            }
        };
        match kept {
            Mirrored::Kept => {
                self.counts.mirrored.fetch_add(1, Relaxed);
                return Ok(true);
            }
            Mirrored::Wrong => {
                self.counts.mirror_wrong.fetch_add(1, Relaxed);
                tracing::warn!(peer = %account, %digest, "a peer serves evidence that is not what it signed");
            }
            Mirrored::NoRoom => {}
        }
        self.put_off(account, digest).await?;
        Ok(false)
    }

    async fn put_off(&self, account: Account, digest: Hash32) -> Result<(), StoreError> {
        let now_secs = self.clock.now_secs();
        self.with_store(move |store| store.put_off(account, digest, now_secs)).await
    }

    /// The store blocks: not on an async thread.
    async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.store.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.unwrap_or(Err(StoreError::Poisoned))
    }
}

#[cfg(test)]
mod tests;
