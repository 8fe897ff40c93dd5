use super::*;
use crate::fixtures::{START, machine, rental, state, tick, update};
use crate::input::{AnchorResult, Input};
use crate::state::State;
use crate::step::step;
use crate::view::{RentalView, View};

fn probes(effects: &[Effect]) -> Vec<EffectId> {
    let ids = effects.iter().filter_map(|effect| match effect {
        Effect::Probe { id, .. } => Some(*id),
        _ => None,
    });
    ids.collect()
}

/// Ticks until a look is asked for; says how many it took.
fn next_look(state: &mut State) -> (EffectId, u64) {
    next_look_within(state, 60)
}

fn next_look_within(state: &mut State, most: u64) -> (EffectId, u64) {
    for ticks in 1..=most {
        state.world.best.block.timestamp_secs = state.clock.now_secs();
        if let Some(id) = probes(&tick(state)).first() {
            return (*id, ticks);
        }
    }
    panic!("no look within {most} s");
}

fn answer(state: &mut State, id: EffectId, at_secs: UnixSecs, seen: Observation) {
    let now_ms = state.clock.now_ms;
    let result = ProbeResult { id, machine: machine(1), started_ms: now_ms, ended_ms: now_ms, at_secs, seen };
    step(state, &Input::Probe(result));
}

#[test]
fn well_machines_are_looked_at_every_half_minute_with_jitter_and_suspected_ones_every_ten_seconds() {
    let mut state = state(100);
    let mut waits = Vec::new();
    for _ in 0..20 {
        let (id, ticks) = next_look(&mut state);
        waits.push(ticks);
        let now_secs = state.clock.now_secs();
        answer(&mut state, id, now_secs, Observation::Accepted);
    }
    waits.remove(0);
    assert!(waits.iter().all(|wait| (25..=36).contains(wait)), "{waits:?}");
    assert!(waits.iter().collect::<std::collections::BTreeSet<_>>().len() > 3, "no jitter: {waits:?}");
    for round in 0..5 {
        let (id, ticks) = next_look(&mut state);
        let now_secs = state.clock.now_secs();
        answer(&mut state, id, now_secs, Observation::Refused);
        assert!(round == 0 || ticks == 10, "{ticks}");
    }
}

#[test]
fn a_look_from_outside_the_rental_or_by_a_wrong_clock_does_not_count() {
    for at in [START - 1, START + 36_000, START + 500, 0, u64::MAX] {
        let mut state = state(100);
        let (id, _) = next_look(&mut state);
        answer(&mut state, id, at, Observation::Refused);
        assert!(!state.watches[&machine(1)].suspected, "{at}");
    }
}

#[test]
fn a_look_that_never_answers_is_not_a_fault() {
    let mut state = state(100);
    let (first, _) = next_look(&mut state);
    let (second, ticks) = next_look_within(&mut state, 70);
    assert_eq!(ticks, 61, "given up after a minute");
    let now_secs = state.clock.now_secs();
    answer(&mut state, first, now_secs, Observation::Refused);
    assert!(!state.watches[&machine(1)].suspected, "an answer after it was given up");
    answer(&mut state, second, now_secs, Observation::Refused);
    assert!(state.watches[&machine(1)].suspected);
}

#[test]
fn suspicion_outlives_the_rental_and_an_acceptance_ends_it() {
    let mut state = state(100);
    let (id, _) = next_look(&mut state);
    let now_secs = state.clock.now_secs();
    answer(&mut state, id, now_secs, Observation::Refused);
    let at = now_secs - START;
    let ended = RentalView { end_secs: now_secs, ..rental(1) };
    step(&mut state, &Input::Chain(Box::new(update(View::Best, 2, at, ended))));
    let watch = &state.watches[&machine(1)];
    assert!(watch.suspected && watch.tenancy.is_none());
    let next = RentalView { start_secs: now_secs, ..rental(2) };
    step(&mut state, &Input::Chain(Box::new(update(View::Best, 3, at, next))));
    let (id, _) = next_look(&mut state);
    assert!(state.watches[&machine(1)].suspected);
    let now_secs = state.clock.now_secs();
    answer(&mut state, id, now_secs, Observation::Accepted);
    let watch = &state.watches[&machine(1)];
    assert!(!watch.suspected);
    assert_eq!(watch.tenancy.as_ref().and_then(|tenancy| tenancy.delivered_secs), Some(now_secs));
}

#[test]
fn looks_made_before_the_rental_ended_are_waited_for() {
    let mut state = state(100);
    let waiting = Look { anchors: None, ..crate::fixtures::bad(50) };
    state.watches.edit(&machine(1), |watch| watch.provisional.push(waiting));
    let ended = RentalView { end_secs: START + 100, ..rental(1) };
    let chain = |number: u64| Input::Chain(Box::new(update(View::Best, number, 101, ended.clone())));
    step(&mut state, &chain(2));
    assert!(state.watches[&machine(1)].tenancy.is_some());
    state.watches.edit(&machine(1), |watch| watch.provisional.clear());
    step(&mut state, &chain(3));
    assert!(state.watches.get(&machine(1)).is_none_or(|watch| watch.tenancy.is_none()));
}

#[test]
fn an_acceptance_counts_even_while_blind() {
    let mut state = state(100);
    assert!(state.health.blind.is_some());
    let (id, _) = next_look(&mut state);
    let now_secs = state.clock.now_secs();
    answer(&mut state, id, now_secs, Observation::Accepted);
    assert_eq!(state.watches[&machine(1)].last_ok_secs, Some(now_secs));
}

#[test]
fn while_blind_a_failure_raises_suspicion_and_nothing_else() {
    let mut state = state(100);
    let (id, _) = next_look(&mut state);
    let now_secs = state.clock.now_secs();
    answer(&mut state, id, now_secs, Observation::Refused);
    let watch = &state.watches[&machine(1)];
    assert!(watch.suspected && watch.provisional.is_empty() && watch.streak.is_none());
}

#[test]
fn a_restart_forgets_what_was_in_flight_and_waits_before_contacting_a_host_again() {
    let mut state = state(100);
    let (first, _) = next_look(&mut state);
    let now_unix_ms = state.clock.now_unix_ms;
    let started = crate::input::Started { now_unix_ms, now_ms: 0, times: crate::fixtures::times() };
    step(&mut state, &Input::Started(started));
    assert_eq!(state.watches[&machine(1)].in_flight, None);
    let (second, ticks) = next_look(&mut state);
    assert!(ticks >= 10 && second != first, "{ticks}");
}

/// Otherwise a keeper whose clock is behind, within what the gate allows, would call delivered what it saw delivered
/// "never delivered".
#[test]
fn a_look_begun_while_blind_does_not_count_when_it_ends_after_sight_came_back() {
    let mut state = state(100);
    let (id, _) = next_look(&mut state);
    // Asked for while blind; sight comes back; then the look's time is over.
    assert!(state.health.blind.is_some());
    let started_ms = state.clock.now_ms;
    let sees = |state: &mut State| {
        state.clock.now_ms += 5_000;
        let (health, now_ms) = (&mut state.health, state.clock.now_ms);
        (health.in_flight, health.chain_read) = (Some((EffectId::default(), now_ms)), true);
        health.rpc_healthy = true;
        state.world.best.block.timestamp_secs = state.clock.now_secs();
        let round = AnchorResult { id: EffectId::default(), ended_ms: now_ms, reachable: 1, asked: 1 };
        step(state, &Input::Anchors(round));
        assert!(state.health.blind.is_none());
    };
    sees(&mut state);
    let (ended_ms, at_secs) = (state.clock.now_ms, state.clock.now_secs());
    let fails = |id, started_ms| ProbeResult {
        id,
        machine: machine(1),
        started_ms,
        ended_ms,
        at_secs,
        seen: Observation::Refused,
    };
    step(&mut state, &Input::Probe(fails(id, started_ms)));
    let watch = state.watches.get(&machine(1)).cloned().unwrap_or_default();
    assert!(watch.provisional.is_empty() && watch.suspected, "it raises suspicion and counts for nothing");
    let in_flight = Some(Flight { id, rental: 1, asked_ms: ended_ms + 1 });
    state.watches.edit(&machine(1), |watch| watch.in_flight = in_flight);
    step(&mut state, &Input::Probe(fails(id, ended_ms + 1)));
    let watch = state.watches.get(&machine(1)).cloned().unwrap_or_default();
    assert_eq!(watch.provisional.len(), 1, "one begun after it counts");
}

#[test]
fn a_look_that_was_let_in_counts_whatever_our_clock_says_of_its_time() {
    for at in [START - 40, START + 36_040] {
        let mut state = state(100);
        let (id, _) = next_look(&mut state);
        answer(&mut state, id, at, Observation::Accepted);
        let tenancy = state.watches[&machine(1)].tenancy.clone().unwrap_or_else(|| panic!("no tenancy"));
        assert_eq!(tenancy.delivered_secs, Some(at.clamp(START, START + 36_000)));
    }
}

/// Seconds after START at which looks are asked for, all of which fail.
fn failing_looks(state: &mut State, until: u64) -> Vec<u64> {
    let mut asked = Vec::new();
    while state.clock.now_secs() < START + until {
        state.world.best.block.timestamp_secs = state.clock.now_secs();
        let effects = tick(state);
        let rounds: Vec<EffectId> = effects.iter().filter_map(round).collect();
        for id in probes(&effects) {
            let now_secs = state.clock.now_secs();
            asked.push(now_secs - START);
            answer(state, id, now_secs, Observation::Refused);
        }
        for id in rounds {
            let now_ms = state.clock.now_ms;
            step(state, &Input::Anchors(AnchorResult { id, ended_ms: now_ms, reachable: 5, asked: 5 }));
        }
    }
    asked
}

fn round(effect: &Effect) -> Option<EffectId> {
    if let Effect::ProbeAnchors { id } = effect { Some(*id) } else { None }
}

#[test]
fn an_outage_is_looked_at_when_others_that_saw_it_seconds_later_can_call_it_long_enough_too() {
    let mut state = state(100);
    let (id, _) = next_look(&mut state);
    let now_secs = state.clock.now_secs();
    answer(&mut state, id, now_secs, Observation::Accepted);
    let asked = failing_looks(&mut state, 1_200);
    let streak = state.watches[&machine(1)].streak.as_ref();
    let from = streak.map_or(0, |streak| streak.looks()[0].at_secs) - START;
    let decisive = from + state.config.rules.offline_after_secs + 6;
    assert!(asked.contains(&decisive), "{asked:?}, none at {decisive}");
    let stretched = asked.windows(2).filter(|pair| pair[1] - pair[0] != 10).count();
    assert_eq!(stretched, 1, "one pause is longer: {asked:?}");
    assert!(asked.windows(2).all(|pair| (10..20).contains(&(pair[1] - pair[0]))), "{asked:?}");
}

#[test]
fn a_machine_never_delivered_is_looked_at_when_its_grace_is_over() {
    let mut state = state(3);
    let asked = failing_looks(&mut state, 700);
    assert!(asked.contains(&600), "{asked:?}");
}
