//! Turns wishes into deeds. Each runs in a task of its own and ends in an input; how many run at once is bounded by
//! core (looks and measurements in flight) and by the gate that all SSH goes through.

use super::gauges::Candidate;
use super::spans;
use crate::adapters::anchors;
use crate::adapters::clock::Clock;
use crate::adapters::http::Peers;
use crate::adapters::ssh::{Eyes, InventoryTarget, MeasureTarget, ProbeTarget, Rounds, Seat};
use crate::adapters::store::Store;
use crate::adapters::verify::Epochs;
use std::sync::Arc;
use surety_client::digest::Domains;
use surety_client::keys::Key;
use surety_core::effect::{Effect, EffectId};
use surety_core::evidence::{Contracts, Evidence};
use surety_core::input::{AnchorResult, Input, InventoryResult, MeasureOutcome, MeasureResult, ProbeResult};
use surety_core::statement::{Signed, Statement};
use surety_core::types::{Endpoint, MachineId, SshKey};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tracing::Instrument;

/// What deeds are done with.
pub(super) struct Hands {
    pub(super) clock: Clock,
    pub(super) eyes: Eyes,
    /// Measurements that are made at one moment.
    pub(super) rounds: Rounds,
    pub(super) epochs: Epochs,
    pub(super) store: Arc<Store>,
    pub(super) key: Key,
    pub(super) domains: Domains,
    pub(super) contracts: Contracts,
    pub(super) peers: Arc<Peers>,
    pub(super) anchors: Vec<String>,
    pub(super) tenant_user: String,
    pub(super) keeper_user: String,
    /// Do everything but sign (and broadcast).
    pub(super) dry_run: bool,
    pub(super) inputs: mpsc::Sender<Input>,
    /// Machines of which soft figures may be measured now.
    pub(super) gauges: mpsc::Sender<Candidate>,
    /// Wakes the transaction lane.
    pub(super) lane: Arc<Notify>,
}

/// Dispatches until the wishes end. Deeds end with this task: one that waits for a slow machine does not outlive the
/// keeper, nor keep its loop from ending; what was not answered is wished again after the restart.
pub(super) async fn dispatch(hands: Arc<Hands>, mut wishes: mpsc::Receiver<Effect>) {
    let mut deeds = JoinSet::new();
    loop {
        let wish = tokio::select! {
            wish = wishes.recv() => wish,
            Some(_) = deeds.join_next() => continue,
        };
        let Some(wish) = wish else { return };
        let (hands, span) = (hands.clone(), spans::of_effect(&wish));
        let deed = async move {
            if let Some(input) = hands.grant(wish).await {
                // A closed channel means that the keeper is stopping.
                let _ = hands.inputs.send(input).await;
            }
        };
        deeds.spawn(deed.instrument(span));
    }
}

impl Hands {
    async fn grant(&self, wish: Effect) -> Option<Input> {
        match wish {
            Effect::Probe { id, endpoint, machine, renter_key } => {
                Some(self.probe(id, endpoint, machine, renter_key).await)
            }
            Effect::ProbeAnchors { id } => Some(self.look_at_anchors(id).await),
            Effect::Inventory { id, endpoint, machine } => Some(self.inventory(id, endpoint, machine).await),
            Effect::Measure { id, endpoint, machine, registration, gpu_class, gpu_count, round } => {
                let seat = round.map(|round| self.rounds.seat(&round));
                let outcome = self.measure(endpoint, (machine, registration), (gpu_class, gpu_count), seat).await;
                let at_secs = self.clock.now_secs();
                Some(Input::Measure(MeasureResult { id, machine, registration, at_secs, outcome }))
            }
            Effect::CheckSpoof { id, peer, url, spoof } => Some(self.check_spoof(id, peer, &url, spoof).await),
            Effect::Sign { statement, evidence, .. } => self.sign(statement, *evidence).await,
            Effect::Submit { .. } => {
                // It stands in the outbox already.
                self.lane.notify_one();
                None
            }
            Effect::Alert { message, .. } => {
                tracing::error!(alert = true, "{message}");
                None
            }
        }
    }

    async fn probe(&self, id: EffectId, endpoint: Endpoint, machine: MachineId, renter_key: SshKey) -> Input {
        let started_ms = self.clock.now_ms();
        let at_secs = self.clock.now_secs();
        let target = ProbeTarget { endpoint, machine, renter_key, tenant_user: self.tenant_user.clone() };
        let seen = self.eyes.probe(&target).await;
        tracing::debug!(%machine, %endpoint, ?seen, "looked");
        Input::Probe(ProbeResult { id, machine, started_ms, ended_ms: self.clock.now_ms(), at_secs, seen })
    }

    async fn inventory(&self, id: EffectId, endpoint: Endpoint, machine: MachineId) -> Input {
        let (started_ms, at_secs) = (self.clock.now_ms(), self.clock.now_secs());
        let (keeper_user, chain_id) = (self.keeper_user.clone(), self.domains.chain_id);
        let keeper = self.key.account();
        let target = InventoryTarget { endpoint, machine, keeper_user, chain_id, keeper, nonce: id };
        let outcome = self.eyes.ask(&target).await;
        tracing::debug!(%machine, %endpoint, ?outcome, "asked about cards");
        let ended_ms = self.clock.now_ms();
        Input::Inventory(InventoryResult { id, machine, started_ms, ended_ms, at_secs, outcome })
    }

    async fn look_at_anchors(&self, id: EffectId) -> Input {
        let (reachable, asked) = anchors::look(&self.anchors).await;
        Input::Anchors(AnchorResult { id, ended_ms: self.clock.now_ms(), reachable, asked })
    }

    async fn measure(
        &self,
        endpoint: Endpoint,
        (machine, registration): (MachineId, u32),
        (gpu_class, gpu_count): (u16, u16),
        seat: Option<Seat>,
    ) -> MeasureOutcome {
        let prepared = self.epochs.challenge(machine, registration, gpu_class, gpu_count).await;
        let (challenge, secrets) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return MeasureOutcome::Unmeasured { why: error.to_string() },
        };
        let target = MeasureTarget { endpoint, keeper_user: self.keeper_user.clone(), challenge, secrets };
        let outcome = self.eyes.measure(&target, seat).await;
        if matches!(outcome, MeasureOutcome::BadProof { .. }) {
            self.epochs.rotate();
        }
        if matches!(outcome, MeasureOutcome::Proven { .. }) {
            // Where too many wait it is asked after its next measurement.
            let _ = self.gauges.try_send(Candidate { endpoint, machine, registration, gpu_class });
        }
        tracing::info!(%machine, %endpoint, outcome = name(&outcome), why = why(&outcome), "measured");
        outcome
    }

    /// Evidence is on disk before anything that names it is signed; nothing is signed that it does not support.
    async fn sign(&self, statement: Statement, evidence: Evidence) -> Option<Input> {
        let digest = statement.evidence();
        if let Err(error) = evidence.supports(&statement) {
            tracing::error!(%digest, %error, "a statement without support was not signed; this is a bug");
            return None;
        }
        let store = self.store.clone();
        let stored = tokio::task::spawn_blocking(move || store.put_evidence(digest, &evidence)).await;
        if !matches!(stored, Ok(Ok(()))) {
            tracing::error!(%digest, "evidence could not be stored, nothing was signed");
            return None;
        }
        if self.dry_run {
            tracing::info!(?statement, "dry run: not signed");
            return None;
        }
        let digest = self.domains.statement(&statement).map_err(|error| tracing::error!(%error, "not signed")).ok()?;
        let signature = self.key.sign(digest).map_err(|error| tracing::error!(%error, "not signed")).ok()?;
        tracing::info!(?statement, "signed");
        Some(Input::Signed(Signed { statement, signer: self.key.account(), signature }))
    }
}

fn name(outcome: &MeasureOutcome) -> &'static str {
    match outcome {
        MeasureOutcome::Proven { .. } => "proven",
        MeasureOutcome::BadProof { .. } => "bad proof",
        MeasureOutcome::Underperforming { .. } => "underperforming",
        MeasureOutcome::Unmeasured { .. } => "unmeasured",
    }
}

fn why(outcome: &MeasureOutcome) -> &str {
    match outcome {
        MeasureOutcome::Proven { .. } => "",
        MeasureOutcome::BadProof { why, .. }
        | MeasureOutcome::Underperforming { why }
        | MeasureOutcome::Unmeasured { why } => why,
    }
}
