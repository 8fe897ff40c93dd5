//! Spoofs of peers: their statements become inputs, and their evidence is read and recomputed when core wishes so.

use super::core_loop::Shown;
use super::deeds::Hands;
use crate::adapters::http::Peers;
use crate::adapters::verify::spoof::recheck;
use crate::ports::Bundle;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use surety_core::effect::EffectId;
use surety_core::evidence::{Contracts, Evidence, Subject};
use surety_core::input::{Input, SpoofCheck, SpoofOutcome};
use surety_core::limits::clip_text;
use surety_core::statement::{Spoof, Statement};
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
        let outcome = match self.peers.bundle(url, spoof.evidence).await {
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

/// What a bundle shows of what `peer` signed. Until its digest is the one signed, nothing in it speaks against anybody.
pub(super) fn judge(
    bundle: &Bundle,
    peer: Account,
    spoof: Spoof,
    chain_id: u64,
    contracts: Contracts,
) -> SpoofOutcome {
    let unread = |why: String| SpoofOutcome::Unread { why: clip_text(&why) };
    let evidence = match Evidence::deserialize(&bundle.evidence) {
        Ok(evidence) => evidence,
        Err(error) => return unread(error.to_string()),
    };
    match evidence.digest() {
        Ok(digest) if digest == spoof.evidence => {}
        Ok(digest) => return unread(format!("asked for {}, got {digest}", spoof.evidence)),
        Err(error) => return unread(error.to_string()),
    }
    let statement = Statement::Spoof(spoof);
    let here = evidence.chain_id == chain_id && evidence.contracts == contracts && evidence.keeper == peer;
    let shown = if here {
        let carried = evidence.supports(&statement).map_err(|error| error.to_string());
        carried.and_then(|()| recheck(&evidence, &statement).map_err(|error| error.to_string()))
    } else {
        Err("it is of another keeper, chain or deployment".to_owned())
    };
    match (shown, evidence.subject) {
        (Ok(_), Subject::Spoof(spoofing)) => SpoofOutcome::Bad { proofs: Box::new(spoofing.proofs) },
        (Ok(_), _) => SpoofOutcome::NotShown { why: "the evidence is not about a spoof".to_owned() },
        (Err(why), _) => SpoofOutcome::NotShown { why: clip_text(&why) },
    }
}

/// For the log.
fn said(outcome: &SpoofOutcome) -> &str {
    match outcome {
        SpoofOutcome::Bad { .. } => "both proofs are false",
        SpoofOutcome::NotShown { why } | SpoofOutcome::Unread { why } => why,
    }
}

#[cfg(test)]
mod tests;
