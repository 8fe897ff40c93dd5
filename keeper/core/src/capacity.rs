//! When to measure a machine, and what to certify.
//!
//! A machine is measured when it comes in, after each tenant, before its certificate grows old, and at times it cannot
//! know beforehand. While it is rented it is not: measuring would disturb the tenant, and what a rented machine answers
//! says nothing about it.

pub use agenda::Agenda;
pub use record::{Asked, Capacity, FirstBad, Passed, Rounds};

use crate::court::backoff_secs;
use crate::effect::{Effect, Round};
use crate::evidence::{BadProof, Measured, Spoofing, Subject, fits};
use crate::hosts::is_public;
use crate::ids::effect_id;
use crate::input::{MeasureOutcome, MeasureResult};
use crate::judge;
use crate::limits::{BAD_PROOFS_KEPT_MAX, MEASURES_AT_ONCE, clip_text};
use crate::spoof;
use crate::state::State;
use crate::statement::{Certificate, Signed, Statement};
use crate::types::{Account, MachineId, UnixSecs};
use crate::view::{NodeView, OfferView};
use crate::world::Touched;
use std::cmp::min;

mod agenda;
mod debts;
mod record;
mod rounds;

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
    let pressing: Vec<MachineId> = state.agenda.pressing.iter().copied().collect();
    for machine in pressing {
        if alone_in_flight(state) >= MEASURES_AT_ONCE {
            return;
        }
        let wanted = state.world.best.nodes.get(&machine).and_then(|node| idle_offer(state, &node));
        let due = wanted.filter(|(node, offer)| {
            record(state, node);
            is_due(state, node, offer)
        });
        let Some((node, offer)) = due else {
            put_off(state, machine);
            state.agenda.pressing.remove(&machine);
            continue;
        };
        // What is due and could not be asked, because the host was contacted just now, is asked later.
        if contact(state, &node) {
            ask(state, &node, &offer, None, effects);
            state.agenda.pressing.remove(&machine);
        }
    }
}

/// Measurements in flight that are not of a round.
fn alone_in_flight(state: &State) -> usize {
    let asked = state.agenda.in_flight.iter().filter_map(|machine| state.capacity.get(machine)?.in_flight);
    asked.filter(|asked| asked.round.is_none()).count()
}

/// Everything that time alone brings about, once a minute: certificates grow old, pauses end, lots are drawn.
fn think_about_all(state: &mut State, minute: u64, effects: &mut Vec<Effect>) {
    let wanted: Vec<(NodeView, OfferView)> =
        state.world.best.nodes.iter().filter_map(|node| idle_offer(state, &node)).collect();
    for (node, offer) in &wanted {
        record(state, node);
        tell_absence(state, node.machine, effects);
        if is_due(state, node, offer) {
            state.agenda.press(node.machine);
        } else {
            put_off(state, node.machine);
        }
    }
    debts::settle(state);
    rounds::draw(state, minute, &wanted, effects);
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
    let asked = endpoint.port != 0 && node.miner != Account::default() && bonded_rao >= rules.measure_bond_min_rao;
    (asked && !is_rented(state, node)).then_some((*node, *offer))
}

/// Whether it has a tenant, or may have: the rental was not read.
fn is_rented(state: &State, node: &NodeView) -> bool {
    tenant_left_secs(state, node).is_none_or(|left_secs| left_secs >= state.world.best.block.timestamp_secs)
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
    let node = state.world.best.nodes.get(&machine);
    if let (Some(asked), Some(node)) = (given_up, node) {
        // Whoever took the offer back has not passed either.
        if !is_rented(state, &node) {
            debts::note(state, asked.round, machine, false);
        }
        if idle_offer(state, &node).is_some() {
            no_verdict(state, machine);
        }
    }
    debts::settle(state);
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

/// Whether it may be measured now, due or not: not being measured, not in a pause, not found to spoof.
fn may_be_measured(state: &State, machine: MachineId) -> bool {
    let now_secs = state.clock.now_secs();
    state.capacity.get(&machine).is_some_and(|capacity| {
        capacity.in_flight.is_none() && !capacity.spoofed() && now_secs >= capacity.retry_at_secs
    })
}

fn is_due(state: &State, node: &NodeView, offer: &OfferView) -> bool {
    let (rules, times, now_secs) = (&state.config.rules, &state.times, state.clock.now_secs());
    let left_secs = tenant_left_secs(state, node).unwrap_or(UnixSecs::MAX);
    let Some(capacity) = state.capacity.get(&node.machine).filter(|_| may_be_measured(state, node.machine)) else {
        return false;
    };
    if capacity.bad_proofs == 1 {
        // At once; but a machine that then falls silent is not pressed harder than any other.
        return true;
    }
    if debts::owes(state, node.machine, None) {
        return false;
    }
    let renew_secs = min(rules.certificate_renew_before_secs, times.certificate_life_secs / 2);
    let serves = capacity.serving(now_secs).is_some_and(|passed| {
        let lapses_secs = passed.at_secs.saturating_add(times.certificate_life_secs.saturating_sub(renew_secs));
        let covers = passed.gpu_class == offer.gpu_class && passed.gpu_count >= offer.gpu_count;
        covers && passed.at_secs > left_secs && now_secs < lapses_secs
    });
    !serves
}

/// Whether its host may be contacted now; if so, it counts as contacted.
fn contact(state: &mut State, node: &NodeView) -> bool {
    let State { config, clock, hosts, .. } = state;
    let rules = &config.rules;
    // What has no endpoint is not asked, now or later.
    node.endpoint
        .is_none_or(|endpoint| hosts.touch(&endpoint, clock.now_ms, rules.host_gap_min_ms, rules.network_looks_max))
}

/// Asks a machine whose host was contacted for it, with others if it is in a round.
fn ask(state: &mut State, node: &NodeView, offer: &OfferView, round: Option<Round>, effects: &mut Vec<Effect>) {
    let State { clock, capacity, agenda, .. } = state;
    let (Some(endpoint), Some(capacity)) = (node.endpoint, capacity.get_mut(&node.machine)) else {
        return;
    };
    capacity.asked = capacity.asked.saturating_add(1);
    let (machine, registration) = (node.machine, node.registration);
    let id = effect_id("measure", &[&machine.0, &registration.to_be_bytes(), &capacity.asked.to_be_bytes()]);
    let (gpu_class, gpu_count) = (offer.gpu_class, offer.gpu_count);
    let named = round.map(|round| round.id);
    capacity.in_flight = Some(Asked { id, at_ms: clock.now_ms, gpu_class, gpu_count, round: named });
    agenda.in_flight.insert(machine);
    effects.push(Effect::Measure { id, endpoint, machine, registration, gpu_class, gpu_count, round });
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
    // Whoever took the offer back meanwhile has not passed either; what a tenant came into, or we did not see, is void.
    if state.health.blind.is_none() && !is_rented(state, &node) {
        let passed = !disturbed && is_enough(&result.outcome, asked);
        debts::note(state, asked.round, result.machine, passed);
    }
    judge_measured(state, &node, asked, result, disturbed, effects);
    debts::settle(state);
}

/// Whether it shows as much as was asked for.
fn is_enough(outcome: &MeasureOutcome, asked: Asked) -> bool {
    match outcome {
        MeasureOutcome::Proven { gpu_class, gpu_count, .. } => {
            *gpu_class == asked.gpu_class && *gpu_count >= asked.gpu_count
        }
        _ => false,
    }
}

fn judge_measured(
    state: &mut State,
    node: &NodeView,
    asked: Asked,
    result: &MeasureResult,
    disturbed: bool,
    effects: &mut Vec<Effect>,
) {
    match &result.outcome {
        _ if disturbed => no_verdict(state, result.machine),
        MeasureOutcome::Unmeasured { .. } => no_verdict(state, result.machine),
        MeasureOutcome::BadProof { why, transcript } => {
            let at_secs = min(result.at_secs, state.signable_secs());
            let proof = BadProof { at_secs, why: clip_text(why), transcript: transcript.clone() };
            bad_proof(state, node, asked, proof, effects);
        }
        MeasureOutcome::Underperforming { why } => too_little(state, result.machine, asked, why, effects),
        MeasureOutcome::Proven { gpu_class, gpu_count, transcript } => {
            if is_enough(&result.outcome, asked) {
                certify(state, node, result, asked, transcript, effects);
            } else {
                let why = format!(
                    "proved {gpu_count} of class {gpu_class}, offers {} of {}",
                    asked.gpu_count, asked.gpu_class
                );
                too_little(state, result.machine, asked, &why, effects);
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

/// Fewer or slower cards than offered: no certificate, and no hurry to ask again. In a round, where its cards may have
/// been at work for another listing, what was certified of it before says nothing any more.
fn too_little(state: &mut State, machine: MachineId, asked: Asked, why: &str, effects: &mut Vec<Effect>) {
    let wait_secs = state.config.rules.measure_retry_max_secs;
    let now_secs = state.clock.now_secs();
    let Some(capacity) = state.capacity.get_mut(&machine) else {
        return;
    };
    measured_at_all(capacity);
    capacity.retry_at_secs = now_secs.saturating_add(wait_secs);
    if asked.round.is_some() {
        (capacity.passed, capacity.certificate) = (None, None);
    }
    let id = effect_id("alert/too-little", &[&machine.0, &capacity.registration.to_be_bytes()]);
    let message = format!("machine {machine} is less than it offers: {}", clip_text(why));
    effects.push(Effect::Alert { id, message });
}

fn measured_at_all(capacity: &mut Capacity) {
    capacity.failures = 0;
    capacity.absent_since_secs = None;
    capacity.absence_told = false;
}

/// It has shown enough, and not with whom it has to.
fn not_yet(state: &mut State, machine: MachineId) {
    if let Some(capacity) = state.capacity.get_mut(&machine) {
        measured_well(capacity);
    }
}

fn measured_well(capacity: &mut Capacity) {
    measured_at_all(capacity);
    capacity.bad_proofs = 0;
    capacity.first_bad = None;
    capacity.retry_at_secs = 0;
}

/// Asks for a certificate over what was asked for and proven; there is none as long as the machine owes.
fn certify(
    state: &mut State,
    node: &NodeView,
    result: &MeasureResult,
    Asked { gpu_class, gpu_count, round, .. }: Asked,
    transcript: &serde_json::Value,
    effects: &mut Vec<Effect>,
) {
    if debts::owes(state, node.machine, round) {
        return not_yet(state, node.machine);
    }
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
    measured_well(capacity);
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
