//! When to measure a machine, and what to certify.
//!
//! A machine is measured when it comes in, after each tenant, before its certificate grows old, and at times it cannot
//! know beforehand. While it is rented it is not: measuring would disturb the tenant, and what a rented machine answers
//! says nothing about it.

pub use agenda::Agenda;

use crate::court::backoff_secs;
use crate::effect::{Effect, EffectId};
use crate::evidence::{BadProof, Measured, Spoofing, Subject, fits};
use crate::hosts::is_public;
use crate::ids::{effect_id, scatter, tagged};
use crate::input::{MeasureOutcome, MeasureResult};
use crate::judge;
use crate::limits::{BAD_PROOFS_KEPT_MAX, MEASURES_AT_ONCE, clip_text};
use crate::spoof;
use crate::state::State;
use crate::statement::{Certificate, Signed, Statement};
use crate::types::{Account, Hash32, MachineId, MonoMs, UnixSecs};
use crate::view::{NodeView, OfferView};
use crate::world::Touched;
use serde::{Deserialize, Serialize};
use std::cmp::min;

mod agenda;

/// How long a certificate may take to be signed.
const SIGNING_SECS: u64 = 60;

/// What is known about one machine's capacity.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Capacity {
    /// The registration all of this is about; another one begins anew.
    pub registration: u32,
    /// The measurement being made.
    pub in_flight: Option<Asked>,
    /// Measurements ever asked for.
    pub asked: u64,
    /// The last one that passed.
    pub passed: Option<Passed>,
    /// This keeper's newest certificate.
    pub certificate: Option<Signed<Certificate>>,
    /// Not before this time again, unless a bad proof is to be repeated.
    pub retry_at_secs: UnixSecs,
    /// Attempts without a verdict since the last with one.
    pub failures: u32,
    /// Since when nobody here could measure it.
    pub absent_since_secs: Option<UnixSecs>,
    /// Whether the absence was reported.
    pub absence_told: bool,
    /// Bad proofs in a row: 1 is challenged again at once, 2 is a spoof.
    pub bad_proofs: u32,
    /// The first of them, until the second.
    #[serde(default)]
    pub first_bad: Option<FirstBad>,
}

/// A bad proof that waits for a second one of the same class and count.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FirstBad {
    /// Class asked for.
    pub gpu_class: u16,
    /// Cards asked for.
    pub gpu_count: u16,
    /// The proof.
    pub proof: BadProof,
}

/// A measurement being made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Asked {
    /// Its effect.
    pub id: EffectId,
    /// When, monotonic.
    pub at_ms: MonoMs,
    /// Class asked for.
    pub gpu_class: u16,
    /// Cards asked for.
    pub gpu_count: u16,
}

/// A measurement that passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Passed {
    /// When, chain seconds.
    pub at_secs: UnixSecs,
    /// Class proven.
    pub gpu_class: u16,
    /// Cards proven.
    pub gpu_count: u16,
}

impl Capacity {
    /// A new run: nothing is in flight.
    pub(crate) fn restart(&mut self) {
        self.in_flight = None;
    }

    /// The last measurement that passed, if its certificate is signed or is being signed. One whose signature never
    /// came (a crash, a signer that failed) is no use to anybody: measure again.
    fn serving(&self, now_secs: UnixSecs) -> Option<Passed> {
        let signed_secs = self.certificate.as_ref().map(|certificate| certificate.statement.measured_at_secs);
        self.passed.filter(|passed| {
            signed_secs == Some(passed.at_secs) || now_secs.saturating_sub(passed.at_secs) < SIGNING_SECS
        })
    }

    /// Whether this registration signed false proofs twice: no certificate from this keeper any more.
    pub fn spoofed(&self) -> bool {
        self.bad_proofs >= 2
    }
}

/// The chain said something about these machines; those that are gone need no record.
pub(crate) fn note(state: &mut State, machines: &Touched) {
    for machine in machines {
        let node = state.world.best.nodes.get(machine).filter(|node| node.miner != Account::default());
        if node.is_some_and(|node| node.offer.is_some()) {
            state.agenda.press(*machine);
        }
        if node.is_none() {
            state.capacity.remove(machine);
            state.agenda.forget(machine);
        }
    }
}

/// Asks for the measurements that are due, a few at a time.
pub(crate) fn schedule(state: &mut State, effects: &mut Vec<Effect>) {
    if state.health.blind.is_some() || state.world.best.active_keeper(&state.config.me).is_none() {
        return;
    }
    let in_flight: Vec<MachineId> = state.agenda.in_flight.iter().copied().collect();
    in_flight.into_iter().for_each(|machine| expire(state, machine));
    let now_secs = state.clock.now_secs();
    state.agenda.take_up(now_secs);
    let minute = now_secs / 60;
    // Another minute, not a later one: a clock that was ahead and is mended must not stop the work.
    if state.agenda.minute != minute {
        state.agenda.minute = minute;
        think_about_all(state, minute, effects);
    }
    let pressing: Vec<(MachineId, bool)> = state.agenda.pressing.iter().map(|(id, drawn)| (*id, *drawn)).collect();
    for (machine, drawn) in pressing {
        if state.agenda.in_flight.len() >= MEASURES_AT_ONCE {
            return;
        }
        let wanted = state.world.best.nodes.get(&machine).and_then(|node| idle_offer(state, &node));
        let due = wanted.filter(|(node, offer)| {
            record(state, node);
            is_due(state, node, offer, drawn)
        });
        if due.is_none() {
            put_off(state, machine);
        }
        // What is due and could not be asked, because the host was contacted just now, is asked later.
        if due.is_none_or(|(node, offer)| ask(state, &node, &offer, effects)) {
            state.agenda.pressing.remove(&machine);
        }
    }
}

/// Everything that time alone brings about, once a minute: certificates grow old, pauses end, lots are drawn.
fn think_about_all(state: &mut State, minute: u64, effects: &mut Vec<Effect>) {
    let wanted: Vec<(NodeView, OfferView)> =
        state.world.best.nodes.iter().filter_map(|node| idle_offer(state, &node)).collect();
    let hat = hat(state, minute);
    for (node, offer) in wanted {
        record(state, &node);
        tell_absence(state, node.machine, effects);
        let drawn = draw(state, &hat, node.machine);
        if is_due(state, &node, &offer, drawn) {
            let mark = state.agenda.pressing.entry(node.machine).or_default();
            *mark |= drawn;
        } else {
            put_off(state, node.machine);
        }
    }
}

/// What is in a pause is thought about again when that ends, not at some later minute.
fn put_off(state: &mut State, machine: MachineId) {
    let retry_at_secs = state.capacity.get(&machine).map_or(0, |capacity| capacity.retry_at_secs);
    if retry_at_secs > state.clock.now_secs() {
        state.agenda.put_off(machine, retry_at_secs);
    }
}

/// The record of this registration; what is known of an earlier one is let go.
fn record(state: &mut State, node: &NodeView) {
    let capacity = state.capacity.entry(node.machine).or_default();
    if capacity.registration != node.registration {
        *capacity = Capacity { registration: node.registration, ..Capacity::default() };
        state.agenda.in_flight.remove(&node.machine);
    }
}

/// The offer of a machine that may be measured now: idle, bonded, reachable by design.
fn idle_offer(state: &State, node: &NodeView) -> Option<(NodeView, OfferView)> {
    let rules = &state.config.rules;
    let now_secs = state.world.best.block.timestamp_secs;
    let offer = node.offer.as_ref().filter(|offer| offer.expires_at_secs > now_secs && offer.gpu_count > 0)?;
    let endpoint = node.endpoint.filter(|endpoint| rules.local || is_public(endpoint.ip))?;
    let bonded_rao = node.free_rao.saturating_add(node.reserved_rao).saturating_add(node.held_rao);
    let idle = tenant_left_secs(state, node)? < now_secs;
    (endpoint.port != 0 && node.miner != Account::default() && bonded_rao >= rules.measure_bond_min_rao && idle)
        .then_some((*node, *offer))
}

/// When the last tenant left or leaves; 0 for none, `None` while the rental has not been read.
fn tenant_left_secs(state: &State, node: &NodeView) -> Option<UnixSecs> {
    if node.last_rental == 0 {
        return Some(0);
    }
    state.world.best.rentals.get(&node.last_rental).map(|rental| rental.end_secs)
}

/// Gives up a measurement that never answered. What a machine answers that is rented by now would say nothing either.
fn expire(state: &mut State, machine: MachineId) {
    let (now_ms, timeout_ms) = (state.clock.now_ms, state.config.rules.measure_timeout_ms);
    let asked = state.capacity.get(&machine).and_then(|capacity| capacity.in_flight);
    if asked.is_some_and(|asked| now_ms.saturating_sub(asked.at_ms) <= timeout_ms) {
        return;
    }
    state.agenda.in_flight.remove(&machine);
    let given_up = state.capacity.get_mut(&machine).and_then(|capacity| capacity.in_flight.take());
    let idle = state.world.best.nodes.get(&machine).is_some_and(|node| idle_offer(state, &node).is_some());
    if given_up.is_some() && idle {
        no_verdict(state, machine);
    }
}

/// An absence is an event: a machine that could not be measured for an hour shows as such, once.
fn tell_absence(state: &mut State, machine: MachineId, effects: &mut Vec<Effect>) {
    let now_secs = state.clock.now_secs();
    let absence_secs = state.config.rules.absence_secs;
    let Some(capacity) = state.capacity.get_mut(&machine) else {
        return;
    };
    let Some(since_secs) = capacity.absent_since_secs else {
        return;
    };
    if capacity.absence_told || now_secs.saturating_sub(since_secs) < absence_secs {
        return;
    }
    capacity.absence_told = true;
    let id = effect_id("alert/absent", &[&machine.0, &since_secs.to_be_bytes()]);
    effects.push(Effect::Alert { id, message: format!("machine {machine} could not be measured since {since_secs}") });
}

fn is_due(state: &State, node: &NodeView, offer: &OfferView, drawn: bool) -> bool {
    let (rules, times, now_secs) = (&state.config.rules, &state.times, state.clock.now_secs());
    let left_secs = tenant_left_secs(state, node).unwrap_or(UnixSecs::MAX);
    let Some(capacity) = state.capacity.get(&node.machine) else {
        return false;
    };
    if capacity.in_flight.is_some() || capacity.spoofed() {
        return false;
    }
    if capacity.bad_proofs == 1 {
        // At once; but a machine that then falls silent is not pressed harder than any other.
        return now_secs >= capacity.retry_at_secs;
    }
    let renew_secs = min(rules.certificate_renew_before_secs, times.certificate_life_secs / 2);
    let serves = capacity.serving(now_secs).is_some_and(|passed| {
        let lapses_secs = passed.at_secs.saturating_add(times.certificate_life_secs.saturating_sub(renew_secs));
        let covers = passed.gpu_class == offer.gpu_class && passed.gpu_count >= offer.gpu_count;
        covers && passed.at_secs > left_secs && now_secs < lapses_secs
    });
    now_secs >= capacity.retry_at_secs && (!serves || drawn)
}

/// One draw a minute, with the newest block's hash in the hat: the machine learns the time when it comes. The hash is
/// what nobody can choose; for any machine every hat is as likely to say yes as another.
fn draw(state: &State, hat: &Hash32, machine: MachineId) -> bool {
    scatter(&[&hat.0, &machine.0], state.config.rules.random_measure_mean_mins.saturating_sub(1)) == 0
}

fn hat(state: &State, minute: u64) -> Hash32 {
    tagged("surety/draw", &[&state.world.best.block.hash.0, &state.config.me.0, &minute.to_be_bytes()])
}

/// Asks, unless the host was contacted just now; says whether it did, or never can.
fn ask(state: &mut State, node: &NodeView, offer: &OfferView, effects: &mut Vec<Effect>) -> bool {
    let State { config, clock, hosts, capacity, agenda, .. } = state;
    let (Some(endpoint), Some(capacity)) = (node.endpoint, capacity.get_mut(&node.machine)) else {
        return true;
    };
    let rules = &config.rules;
    if !hosts.touch(&endpoint, clock.now_ms, rules.host_gap_min_ms, rules.network_looks_max) {
        return false;
    }
    capacity.asked = capacity.asked.saturating_add(1);
    let (machine, registration) = (node.machine, node.registration);
    let id = effect_id("measure", &[&machine.0, &registration.to_be_bytes(), &capacity.asked.to_be_bytes()]);
    let (gpu_class, gpu_count) = (offer.gpu_class, offer.gpu_count);
    capacity.in_flight = Some(Asked { id, at_ms: clock.now_ms, gpu_class, gpu_count });
    agenda.in_flight.insert(machine);
    effects.push(Effect::Measure { id, endpoint, machine, registration, gpu_class, gpu_count });
    true
}

/// A measurement came back. One that a tenant came into, or that ended while this keeper was blind, says nothing.
pub(crate) fn on_measure(state: &mut State, result: &MeasureResult, effects: &mut Vec<Effect>) {
    let Some(capacity) = state.capacity.get_mut(&result.machine) else {
        return;
    };
    let Some(asked) = capacity.in_flight.filter(|asked| asked.id == result.id) else {
        return;
    };
    capacity.in_flight = None;
    state.agenda.in_flight.remove(&result.machine);
    // A bad proof is challenged again at once.
    state.agenda.press(result.machine);
    let node = state.world.best.nodes.get(&result.machine);
    let Some(node) = node.filter(|node| node.registration == result.registration) else {
        return;
    };
    let disturbed = state.health.blind.is_some() || idle_offer(state, &node).is_none();
    match &result.outcome {
        _ if disturbed => no_verdict(state, result.machine),
        MeasureOutcome::Unmeasured { .. } => no_verdict(state, result.machine),
        MeasureOutcome::BadProof { why, transcript } => {
            let at_secs = min(result.at_secs, state.signable_secs());
            let proof = BadProof { at_secs, why: clip_text(why), transcript: transcript.clone() };
            bad_proof(state, &node, asked, proof, effects);
        }
        MeasureOutcome::Underperforming { why } => too_little(state, result.machine, why, effects),
        MeasureOutcome::Proven { gpu_class, gpu_count, transcript } => {
            if *gpu_class == asked.gpu_class && *gpu_count >= asked.gpu_count {
                certify(state, &node, result, (asked.gpu_class, asked.gpu_count), transcript, effects);
            } else {
                let why = format!(
                    "proved {gpu_count} of class {gpu_class}, offers {} of {}",
                    asked.gpu_count, asked.gpu_class
                );
                too_little(state, result.machine, &why, effects);
            }
        }
    }
}

/// No verdict is no fault: try again, ever less often.
fn no_verdict(state: &mut State, machine: MachineId) {
    let now_secs = state.clock.now_secs();
    let rules = &state.config.rules;
    let Some(capacity) = state.capacity.get_mut(&machine) else {
        return;
    };
    let wait_secs = min(backoff_secs(rules.measure_retry_secs, capacity.failures), rules.measure_retry_max_secs);
    capacity.failures = capacity.failures.saturating_add(1);
    capacity.retry_at_secs = now_secs.saturating_add(wait_secs);
    capacity.absent_since_secs.get_or_insert(now_secs);
}

/// The first bad proof is challenged again at once (cards without ECC do flip bits), the second is a spoof: of the same
/// class and count, of another session, within the time that a proof lives. Otherwise it is a first one itself.
fn bad_proof(state: &mut State, node: &NodeView, asked: Asked, proof: BadProof, effects: &mut Vec<Effect>) {
    if !fits(&proof) {
        return no_verdict(state, node.machine);
    }
    let kept = state.capacity.values().filter(|capacity| capacity.first_bad.is_some()).count();
    let life_secs = state.times.spoof_life_secs;
    let Some(capacity) = state.capacity.get_mut(&node.machine) else {
        return;
    };
    measured_at_all(capacity);
    capacity.retry_at_secs = 0;
    let Asked { gpu_class, gpu_count, .. } = asked;
    let first = capacity.first_bad.take().filter(|first| {
        let apart_secs = proof.at_secs.checked_sub(first.proof.at_secs);
        (first.gpu_class, first.gpu_count) == (gpu_class, gpu_count)
            && apart_secs.is_some_and(|apart_secs| apart_secs <= life_secs)
            && first.proof.transcript != proof.transcript
    });
    let Some(first) = first else {
        capacity.bad_proofs = 1;
        capacity.first_bad = (kept <= BAD_PROOFS_KEPT_MAX).then_some(FirstBad { gpu_class, gpu_count, proof });
        return;
    };
    capacity.bad_proofs = 2;
    capacity.passed = None;
    capacity.certificate = None;
    let (machine, registration) = (node.machine, node.registration);
    let id = effect_id("alert/spoofed", &[&machine.0, &registration.to_be_bytes()]);
    let why = &proof.why;
    let message = format!("machine {machine} signed false capacity proofs twice ({why}): it is certified no more");
    effects.push(Effect::Alert { id, message });
    let (proved_at_secs, proofs) = (proof.at_secs, [first.proof, proof]);
    let recomputed = None;
    spoof::prove(state, Spoofing { machine, registration, gpu_class, gpu_count, proved_at_secs, recomputed, proofs });
}

/// Fewer or slower cards than offered: no certificate, and no hurry to ask again.
fn too_little(state: &mut State, machine: MachineId, why: &str, effects: &mut Vec<Effect>) {
    let wait_secs = state.config.rules.measure_retry_max_secs;
    let now_secs = state.clock.now_secs();
    let Some(capacity) = state.capacity.get_mut(&machine) else {
        return;
    };
    measured_at_all(capacity);
    capacity.retry_at_secs = now_secs.saturating_add(wait_secs);
    let id = effect_id("alert/too-little", &[&machine.0, &capacity.registration.to_be_bytes()]);
    let message = format!("machine {machine} is less than it offers: {}", clip_text(why));
    effects.push(Effect::Alert { id, message });
}

fn measured_at_all(capacity: &mut Capacity) {
    capacity.failures = 0;
    capacity.absent_since_secs = None;
    capacity.absence_told = false;
}

/// Asks for a certificate over what was asked for and proven.
fn certify(
    state: &mut State,
    node: &NodeView,
    result: &MeasureResult,
    (gpu_class, gpu_count): (u16, u16),
    transcript: &serde_json::Value,
    effects: &mut Vec<Effect>,
) {
    let measured_at_secs = min(result.at_secs, state.signable_secs());
    let tenant_left_secs = tenant_left_secs(state, node).unwrap_or(UnixSecs::MAX);
    let fields = Measured { gpu_class, gpu_count, measured_at_secs, tenant_left_secs, ..Measured::of(node) };
    let measured = Measured { transcript: transcript.clone(), ..fields };
    let evidence = judge::frame(state, Subject::Capacity(Box::new(measured)));
    let (machine, registration) = (node.machine, node.registration);
    let statement = evidence.digest().and_then(|evidence_digest| {
        let evidence_of =
            |evidence| Certificate { machine, registration, gpu_class, gpu_count, measured_at_secs, evidence };
        let statement = Statement::Certificate(evidence_of(evidence_digest));
        evidence.supports(&statement).map(|()| statement)
    });
    let statement = match statement {
        Ok(statement) => statement,
        Err(why) => {
            let id = effect_id("alert/no-certificate", &[&machine.0, &measured_at_secs.to_be_bytes()]);
            effects.push(Effect::Alert { id, message: format!("did not certify machine {machine}: {why}") });
            return no_verdict(state, machine);
        }
    };
    let Some(capacity) = state.capacity.get_mut(&machine) else {
        return;
    };
    measured_at_all(capacity);
    capacity.bad_proofs = 0;
    capacity.first_bad = None;
    capacity.retry_at_secs = 0;
    capacity.passed = Some(Passed { at_secs: measured_at_secs, gpu_class, gpu_count });
    let id = effect_id("sign/certificate", &[&machine.0, &statement.evidence().0]);
    effects.push(Effect::Sign { id, statement, evidence: Box::new(evidence) });
}

/// Our signature over a certificate came back.
pub(crate) fn on_signed(state: &mut State, signed: &Signed<Certificate>) {
    let Some(capacity) = state.capacity.get_mut(&signed.statement.machine) else {
        return;
    };
    let newer = capacity
        .certificate
        .as_ref()
        .is_none_or(|old| old.statement.measured_at_secs <= signed.statement.measured_at_secs);
    if newer && capacity.registration == signed.statement.registration && !capacity.spoofed() {
        capacity.certificate = Some(signed.clone());
    }
}

#[cfg(test)]
mod tests;
