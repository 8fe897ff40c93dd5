use super::*;
use crate::fixtures::{START, bad, machine, state, tick};
use crate::input::{Input, Tick};
use crate::step::step;

fn round(state: &mut State, reachable: u32, asked: u32) {
    while state.health.in_flight.is_none() {
        state.world.best.block.timestamp_secs = state.clock.now_secs();
        tick(state);
    }
    let (id, asked_ms) = state.health.in_flight.unwrap_or_default();
    step(state, &Input::Anchors(AnchorResult { id, ended_ms: asked_ms + 10, reachable, asked }));
}

fn seeing() -> State {
    let mut state = state(100);
    round(&mut state, 3, 3);
    assert_eq!(state.health.blind, None);
    state
}

#[test]
fn a_keeper_starts_blind_and_says_nothing_of_it() {
    let mut state = state(100);
    assert_eq!(state.health.blind, Some(Blind::Starting));
    let alerts = tick(&mut state).into_iter().filter(|effect| matches!(effect, Effect::Alert { .. })).count();
    assert_eq!((state.health.blind, alerts), (Some(Blind::Starting), 0));
}

#[test]
fn most_anchors_failing_blinds_half_does_not() {
    let mut state = seeing();
    round(&mut state, 2, 4);
    assert_eq!(state.health.blind, None);
    round(&mut state, 1, 4);
    assert_eq!(state.health.blind, Some(Blind::Anchors));
    round(&mut state, 4, 4);
    assert_eq!(state.health.blind, None);
    round(&mut state, 0, 0);
    assert_eq!(state.health.blind, Some(Blind::Anchors), "no anchors prove nothing");
}

#[test]
fn no_round_for_too_long_blinds() {
    let mut state = seeing();
    let mut last = 0;
    for second in 1..=200 {
        // Blocks go on, anchors do not answer at all.
        state.world.best.block.timestamp_secs = state.clock.now_secs();
        tick(&mut state);
        if state.health.blind.is_none() {
            last = second;
        }
    }
    assert!((88..=91).contains(&last), "{last}");
    assert_eq!(state.health.blind, Some(Blind::Anchors));
}

#[test]
fn rpc_and_clock_blind_at_once_and_alert_once_per_episode() {
    let mut state = seeing();
    let (now_ms, now_unix_ms) = (state.clock.now_ms + 1_000, state.clock.now_unix_ms + 1_000);
    let mut alerts = 0;
    for _ in 0..5 {
        let effects = step(&mut state, &Input::Tick(Tick { now_ms, now_unix_ms, rpc_healthy: false }));
        alerts += effects.iter().filter(|effect| matches!(effect, Effect::Alert { .. })).count();
    }
    assert_eq!((state.health.blind, alerts), (Some(Blind::Rpc), 1));
    step(&mut state, &Input::Tick(Tick { now_ms, now_unix_ms, rpc_healthy: true }));
    assert_eq!(state.health.blind, None);
    for (off_secs, blind) in [(60, None), (61, Some(Blind::Clock))] {
        let now_unix_ms = (START + 100 + off_secs) * 1_000;
        step(&mut state, &Input::Tick(Tick { now_ms, now_unix_ms, rpc_healthy: true }));
        assert_eq!(state.health.blind, blind, "{off_secs} s off");
    }
}

#[test]
fn going_blind_drops_looks_not_yet_confirmed_and_keeps_suspicion() {
    let mut state = seeing();
    state.watches.edit(&machine(1), |watch| {
        watch.provisional.push(bad(1));
        watch.suspected = true;
    });
    round(&mut state, 0, 3);
    let watch = &state.watches[&machine(1)];
    assert!(watch.suspected && watch.provisional.is_empty() && watch.streak.is_none());
}

#[test]
fn a_round_confirms_only_looks_that_ended_before_it_was_asked_for() {
    let mut state = seeing();
    tick(&mut state);
    let run = state.clock.run;
    while state.health.in_flight.is_none() {
        tick(&mut state);
    }
    let (_, asked_ms) = state.health.in_flight.unwrap_or_default();
    let mut before = bad(1);
    (before.run, before.ended_ms, before.anchors) = (run, asked_ms, None);
    let mut after = before.clone();
    after.ended_ms = asked_ms + 1;
    state.watches.edit(&machine(1), |watch| watch.provisional = vec![before, after.clone()]);
    round(&mut state, 3, 3);
    let watch = &state.watches[&machine(1)];
    assert_eq!(watch.streak.as_ref().map(|streak| streak.looks().len()), Some(1));
    assert_eq!(watch.provisional, vec![after]);
}

#[test]
fn an_answer_to_another_question_changes_nothing() {
    let mut state = seeing();
    let before = state.hash();
    let id = crate::types::Hash32([9; 32]);
    step(&mut state, &Input::Anchors(AnchorResult { id, ended_ms: 1, reachable: 0, asked: 3 }));
    assert_eq!(state.hash(), before);
}

#[test]
fn a_round_does_not_speak_for_a_look_that_ended_long_after_it_was_asked_for_while_the_loop_stood_still() {
    let mut state = seeing();
    let mut look = None;
    while look.is_none() || state.health.in_flight.is_none() {
        state.world.best.block.timestamp_secs = state.clock.now_secs();
        for effect in tick(&mut state) {
            match effect {
                Effect::Probe { id, .. } => look = Some(id),
                Effect::ProbeAnchors { id } if look.is_none() => {
                    let ended_ms = state.clock.now_ms;
                    step(&mut state, &Input::Anchors(AnchorResult { id, ended_ms, reachable: 3, asked: 3 }));
                }
                _ => {}
            }
        }
    }
    // Both come back after a pause of which no tick has told yet.
    let (id, at_secs, now_ms) = (look.unwrap_or_default(), state.clock.now_secs(), state.clock.now_ms);
    let seen = crate::input::Observation::Refused;
    let (started_ms, ended_ms) = (now_ms, now_ms + 97_000);
    let result = crate::input::ProbeResult { id, machine: machine(1), started_ms, ended_ms, at_secs, seen };
    step(&mut state, &Input::Probe(result));
    round(&mut state, 3, 3);
    let watch = &state.watches[&machine(1)];
    assert_eq!((watch.provisional.len(), watch.streak.is_none()), (1, true));
}
