//! Tasks that turn the world into inputs: ticks, both ends of the chain, peers.

use super::core_loop::KnownKeepers;
use crate::adapters::clock::Clock;
use crate::adapters::evm::Follower;
use crate::adapters::http::Peers;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use surety_core::input::{Input, Tick};
use surety_core::types::Account;
use surety_core::view::KeeperView;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

/// When each end of the chain was last read without error, monotonic milliseconds.
#[derive(Debug, Default)]
pub(super) struct ChainHealth {
    best_ms: AtomicU64,
    finalized_ms: AtomicU64,
}

impl ChainHealth {
    fn healthy(&self, now_ms: u64, patience_ms: u64) -> bool {
        now_ms.saturating_sub(self.best_ms.load(Relaxed)) <= patience_ms
    }
}

/// Sends `Tick`s. When the loop is behind, ticks are left out rather than queued.
pub(super) async fn ticks(
    clock: Clock,
    every: Duration,
    patience_ms: u64,
    health: Arc<ChainHealth>,
    inputs: mpsc::Sender<Input>,
    mut stop: watch::Receiver<bool>,
) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.changed() => return,
        }
        let now_ms = clock.now_ms();
        let rpc_healthy = health.healthy(now_ms, patience_ms);
        let tick = Tick { now_ms, now_unix_ms: clock.now_unix_ms(), rpc_healthy };
        if let Err(mpsc::error::TrySendError::Closed(_)) = inputs.try_send(Input::Tick(tick)) {
            return;
        }
    }
}

/// Follows one end of the chain.
pub(super) async fn chain(
    mut follower: Follower,
    best: bool,
    clock: Clock,
    every: Duration,
    health: Arc<ChainHealth>,
    inputs: mpsc::Sender<Input>,
    mut stop: watch::Receiver<bool>,
) {
    let mut polls = interval(every);
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = polls.tick() => {}
            _ = stop.changed() => return,
        }
        let polled = tokio::select! {
            polled = follower.poll() => polled,
            _ = stop.changed() => return,
        };
        match polled {
            Ok(update) => {
                let read = if best { &health.best_ms } else { &health.finalized_ms };
                read.store(clock.now_ms(), Relaxed);
                let Some(update) = update else { continue };
                if inputs.send(Input::Chain(Box::new(update))).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::warn!(%error, best, "the chain was not read"),
        }
    }
}

/// Collects what peers signed.
pub(super) async fn peers(
    peers: Peers,
    me: Account,
    keepers: KnownKeepers,
    every: Duration,
    inputs: mpsc::Sender<Input>,
    mut stop: watch::Receiver<bool>,
) {
    let mut polls = interval(every);
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = polls.tick() => {}
            _ = stop.changed() => return,
        }
        let known: Vec<KeeperView> = keepers.read().map(|k| k.values().cloned().collect()).unwrap_or_default();
        let polled = tokio::select! {
            polled = peers.poll(&known, me) => polled,
            _ = stop.changed() => return,
        };
        for attestation in polled {
            if inputs.send(Input::Peer(attestation)).await.is_err() {
                return;
            }
        }
    }
}
