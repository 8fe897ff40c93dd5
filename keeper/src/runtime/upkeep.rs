//! What is looked after once a minute: the account's balance, whether the node is still on the right chain with the
//! right contracts, the size of the store, and what may be let go of.

use crate::adapters::clock::Clock;
use crate::adapters::evm::Endpoints;
use crate::adapters::store::{Store, StoreError};
use crate::config::{PreflightError, is_the_chain};
use crate::ports::Progress;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use surety_client::deployment::Deployment;
use surety_core::types::{Account, Rao};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

/// How often all of it is looked at.
pub(super) const EVERY: Duration = Duration::from_secs(60);

/// The same on a local chain, where all times are short.
pub(super) const EVERY_LOCAL: Duration = Duration::from_secs(1);

/// Wei in a rao.
const WEI_PER_RAO: u64 = 1_000_000_000;

/// The task's own things.
pub(super) struct Upkeep {
    pub(super) every: Duration,
    pub(super) endpoints: Endpoints,
    pub(super) deployment: Deployment,
    pub(super) account: Account,
    pub(super) gas_min_rao: Rao,
    pub(super) store: Arc<Store>,
    pub(super) clock: Clock,
    pub(super) progress: Arc<Progress>,
    /// Whether the store was near its budget when last looked at: that is told once.
    pub(super) crowded: AtomicBool,
    /// Told when the chain is not the one configured: the keeper must stop.
    pub(super) fault: mpsc::Sender<PreflightError>,
}

impl Upkeep {
    /// Looks until told to stop.
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut rounds = interval(self.every);
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

    async fn round(&self) {
        self.check_balance().await;
        if let Some(found) = self.fault_of_the_chain().await {
            self.alert(&format!("{found}; the keeper stops"));
            let _ = self.fault.send(found).await;
        }
        let (store, wall_secs) = (self.store.clone(), self.clock.now_secs());
        let swept = tokio::task::spawn_blocking(move || {
            let removed = store.expire(wall_secs)?;
            Ok::<_, StoreError>((removed, store.size_bytes()?, store.is_crowded()?))
        });
        match swept.await {
            Ok(Ok((removed, bytes, crowded))) => {
                self.progress.store_bytes.store(bytes, Relaxed);
                if removed != Default::default() {
                    tracing::info!(?removed, "let go of what need not be kept any longer");
                }
                if !self.crowded.swap(crowded, Relaxed) && crowded {
                    self.alert("the store comes near store.disk_max_mb: free space or raise it before it is full");
                }
            }
            Ok(Err(error)) => tracing::warn!(%error, "the store was not looked after"),
            Err(error) => tracing::error!(%error, "looking after the store broke off"),
        }
    }

    /// What a majority finds wrong with the chain. A node's own trouble shows as blindness, and one that is on another
    /// chain is outvoted.
    async fn fault_of_the_chain(&self) -> Option<PreflightError> {
        let nodes = self.endpoints.nodes();
        let asked = nodes.iter().map(|node| is_the_chain(node, &self.deployment));
        let found = futures_util::future::join_all(asked).await.into_iter().filter_map(Result::err);
        let own = |error: &PreflightError| matches!(error, PreflightError::Node(_) | PreflightError::Unreachable(_));
        let mut faults: Vec<PreflightError> = found.filter(|error| !own(error)).collect();
        if faults.len() < self.endpoints.need() { None } else { faults.pop() }
    }

    async fn check_balance(&self) {
        let Some(wei) = self.endpoints.balance_wei(self.account).await else {
            return tracing::debug!("no majority says what the balance is");
        };
        let rao = u64::try_from(wei / alloy::primitives::U256::from(WEI_PER_RAO)).unwrap_or(u64::MAX);
        self.progress.gas_balance_rao.store(rao, Relaxed);
        let low = rao < self.gas_min_rao;
        let was_low = self.progress.gas_low.swap(u64::from(low), Relaxed) == 1;
        if low && !was_low {
            let (account, floor) = (self.account, self.gas_min_rao);
            self.alert(&format!("{account} has {rao} rao for gas, less than alerts.gas_min_rao = {floor}: send TAO"));
        }
    }

    fn alert(&self, message: &str) {
        self.progress.alerts.fetch_add(1, Relaxed);
        tracing::error!(alert = true, "{message}");
    }
}
