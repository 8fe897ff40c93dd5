//! Spoofs of peers: their statements become inputs, and their evidence is read and recomputed when core wishes so.

use super::core_loop::Shown;
use super::deeds::Hands;
use crate::adapters::http::{BUNDLE_BYTES_MAX, Peers};
use crate::adapters::verify::spoof::judge;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use surety_core::effect::EffectId;
use surety_core::input::{Input, SpoofCheck, SpoofOutcome};
use surety_core::statement::Spoof;
use surety_core::types::{Account, Signature};
use surety_core::view::KeeperView;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

/// Statements remembered as logged; when there are more, all are forgotten, and core leaves out what it knows.
const SEEN_MAX: usize = 4_096;

/// Collects what peers say about spoofs, each statement once in a run.
pub(super) async fn poll(
    peers: Arc<Peers>,
    me: Account,
    shown: Shown,
    every: Duration,
    inputs: mpsc::Sender<Input>,
    mut stop: watch::Receiver<bool>,
) {
    let mut seen: BTreeSet<Signature> = BTreeSet::new();
    let mut polls = interval(every);
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = polls.tick() => {}
            _ = stop.changed() => return,
        }
        let known: Vec<KeeperView> = shown.keepers.read().map(|k| k.values().cloned().collect()).unwrap_or_default();
        let heard = tokio::select! {
            heard = peers.spoofs(&known, me) => heard,
            _ = stop.changed() => return,
        };
        if seen.len() > SEEN_MAX {
            seen.clear();
        }
        for signed in heard {
            if seen.insert(signed.signature) && inputs.send(Input::PeerSpoof(signed)).await.is_err() {
                return;
            }
        }
    }
}

impl Hands {
    /// Reads a peer's evidence and recomputes it.
    pub(super) async fn check_spoof(&self, id: EffectId, peer: Account, url: &str, spoof: Spoof) -> Input {
        let machine = spoof.machine;
        let outcome = match self.peers.bundle(url, spoof.evidence, BUNDLE_BYTES_MAX).await {
            Err(error) => SpoofOutcome::Unread { why: error.to_string() },
            Ok(bundle) => {
                let (chain_id, contracts) = (self.domains.chain_id, self.contracts);
                let judged = tokio::task::spawn_blocking(move || judge(&bundle, peer, spoof, chain_id, contracts));
                judged.await.unwrap_or_else(|error| SpoofOutcome::Unread { why: error.to_string() })
            }
        };
        tracing::info!(%machine, %peer, evidence = %spoof.evidence, outcome = said(&outcome), "a spoof was recomputed");
        Input::SpoofChecked(SpoofCheck { id, machine, outcome })
    }
}

/// For the log.
fn said(outcome: &SpoofOutcome) -> &str {
    match outcome {
        SpoofOutcome::Bad { .. } => "both proofs are false",
        SpoofOutcome::NotShown { why } | SpoofOutcome::Unread { why } => why,
    }
}
