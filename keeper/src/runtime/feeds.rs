//! Tasks that turn the world into inputs: ticks, both ends of the chain, peers.

use super::core_loop::Shown;
use super::market::Hints;
use crate::adapters::clock::Clock;
use crate::adapters::evm::{Follower, Standing};
use crate::adapters::http::Peers;
use crate::ports::Progress;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use surety_core::input::{Input, Tick};
use surety_core::statement::{Attestation, Signed};
use surety_core::types::{Account, RentalId};
use surety_core::view::KeeperView;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

/// When each end of the chain was last read without error, monotonic milliseconds.
#[derive(Debug, Default)]
pub(super) struct ChainHealth {
    progress: Arc<Progress>,
    best_ms: AtomicU64,
    finalized_ms: AtomicU64,
}

impl ChainHealth {
    pub(super) fn new(progress: Arc<Progress>) -> Self {
        Self { progress, ..Self::default() }
    }

    fn show_endpoints(&self, standings: &[Standing]) {
        if let Ok(mut shown) = self.progress.endpoints.lock() {
            *shown = standings.iter().map(Standing::in_short).collect();
        }
    }

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

/// Follows one end of the chain; `hints` are told what the best one says.
pub(super) async fn chain(
    mut follower: Follower,
    hints: Option<Hints>,
    clock: Clock,
    every: Duration,
    health: Arc<ChainHealth>,
    inputs: mpsc::Sender<Input>,
    mut stop: watch::Receiver<bool>,
) {
    let best = hints.is_some();
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
        health.show_endpoints(&follower.standings());
        match polled {
            Ok(update) => {
                let read = if best { &health.best_ms } else { &health.finalized_ms };
                read.store(clock.now_ms(), Relaxed);
                let Some(update) = update else { continue };
                if let Some(hints) = &hints {
                    hints.tell(&update);
                }
                if inputs.send(Input::Chain(Box::new(update))).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::warn!(%error, best, "the chain was not read"),
        }
    }
}

/// Attestations kept until our own view shows the rental they are about.
const EARLY_MAX: usize = 256;

/// Collects what peers signed, and what they see failing. A peer may have seen a rental before we have: core would not
/// know what to make of its attestation, and the peer is not asked for it twice, so it waits here.
pub(super) async fn peers(
    peers: Arc<Peers>,
    me: Account,
    shown: Shown,
    every: Duration,
    inputs: mpsc::Sender<Input>,
    mut stop: watch::Receiver<bool>,
) {
    let mut early: VecDeque<Signed<Attestation>> = VecDeque::new();
    let mut polls = interval(every);
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = polls.tick() => {}
            _ = stop.changed() => return,
        }
        let known: Vec<KeeperView> = shown.keepers.read().map(|k| k.values().cloned().collect()).unwrap_or_default();
        let polled = tokio::select! {
            polled = peers.poll(&known, me) => polled,
            _ = stop.changed() => return,
        };
        early.extend(polled);
        for hint in peers.hints().await {
            if inputs.send(Input::Hint(hint)).await.is_err() {
                return;
            }
        }
        for attestation in due(&mut early, shown.newest_rental.load(Relaxed)) {
            if inputs.send(Input::Peer(attestation)).await.is_err() {
                return;
            }
        }
    }
}

/// Takes out what is about rentals up to `newest`; of the rest the newest [`EARLY_MAX`] wait on.
fn due(early: &mut VecDeque<Signed<Attestation>>, newest: RentalId) -> Vec<Signed<Attestation>> {
    let (due, rest): (Vec<_>, Vec<_>) = early.drain(..).partition(|signed| signed.statement.rental <= newest);
    let too_many = rest.len().saturating_sub(EARLY_MAX);
    *early = rest.into_iter().skip(too_many).collect();
    due
}

#[cfg(test)]
mod tests {
    use super::*;
    use surety_core::types::{Account, Cause, Hash32, Kind, Signature};

    fn about(rental: RentalId) -> Signed<Attestation> {
        let evidence = Hash32::default();
        let (kind, cause) = (Kind::Interrupted, Cause::Unreachable);
        let statement = Attestation { kind, rental, cause, from_secs: 1, until_secs: 2, evidence };
        Signed { statement, signer: Account::default(), signature: Signature::default() }
    }

    #[test]
    fn an_attestation_about_a_rental_we_have_not_seen_yet_waits_and_is_not_lost() {
        let mut early = VecDeque::from([about(1), about(3), about(2)]);
        assert_eq!(due(&mut early, 2), [about(1), about(2)]);
        assert_eq!(due(&mut early, 2), []);
        assert_eq!(due(&mut early, 3), [about(3)]);
        assert!(early.is_empty());
    }

    #[test]
    fn a_peer_that_invents_rentals_cannot_fill_memory() {
        let mut early: VecDeque<_> = (1..=10_000).map(about).collect();
        assert!(due(&mut early, 0).is_empty());
        assert_eq!(early.len(), EARLY_MAX);
        assert_eq!(early.back(), Some(&about(10_000)));
    }
}
