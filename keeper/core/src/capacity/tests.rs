use super::*;
use crate::effect::EffectId;
use crate::fixtures::{START, machine, node, rental, state, tick, update};
use crate::input::{AnchorResult, Input};
use crate::step::step;
use crate::view::{RentalView, View};

mod rounds;

fn measures(effects: &[Effect]) -> Vec<EffectId> {
    let ids = effects.iter().filter_map(|effect| match effect {
        Effect::Measure { id, .. } => Some(*id),
        _ => None,
    });
    ids.collect()
}

/// A keeper that sees, with machine 2 on offer and idle.
fn idle(change: fn(&mut NodeView)) -> State {
    let mut state = state(100);
    let mut view = update(View::Best, 2, 100, rental(1));
    let mut second = node(2);
    change(&mut second);
    view.nodes.push(second);
    step(&mut state, &Input::Chain(Box::new(view)));
    state
}

/// Our own side is well, whenever that is asked.
fn see(state: &mut State, effects: &[Effect]) {
    for effect in effects {
        if let Effect::ProbeAnchors { id } = effect {
            let ended_ms = state.clock.now_ms;
            step(state, &Input::Anchors(AnchorResult { id: *id, ended_ms, reachable: 1, asked: 1 }));
        }
    }
}

fn seconds(state: &mut State, count: u64) -> Vec<EffectId> {
    let mut found = Vec::new();
    for _ in 0..count {
        state.world.best.block.timestamp_secs = state.clock.now_secs();
        let effects = tick(state);
        see(state, &effects);
        found.extend(measures(&effects));
    }
    found
}

fn answer(state: &mut State, id: EffectId, outcome: MeasureOutcome) -> Vec<Effect> {
    let at_secs = state.clock.now_secs();
    step(state, &Input::Measure(MeasureResult { id, machine: machine(2), registration: 1, at_secs, outcome }))
}

fn proven() -> MeasureOutcome {
    MeasureOutcome::Proven { gpu_class: 1, gpu_count: 8, transcript: serde_json::json!({"ok": true}) }
}

fn certifies(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Sign { statement: Statement::Certificate(_), .. }))
}

#[test]
fn a_new_machine_is_measured_and_certified() {
    let mut state = idle(|_| ());
    let asked = seconds(&mut state, 20);
    assert_eq!(asked.len(), 1, "the rented one is not");
    assert!(certifies(&answer(&mut state, asked[0], proven())));
    assert_eq!(seconds(&mut state, 50).len(), 0, "being signed");
    assert_eq!(seconds(&mut state, 50).len(), 1, "never signed: measured again");
}

#[test]
fn certified_is_certified() {
    let mut state = idle(|_| ());
    let asked = seconds(&mut state, 20);
    certified(&mut state, asked[0]);
    assert_eq!(seconds(&mut state, 600).len(), 0);
}

/// Answers with a proof and signs the certificate.
fn certified(state: &mut State, id: EffectId) {
    for effect in answer(state, id, proven()) {
        if let Effect::Sign { statement, .. } = effect {
            let (signer, signature) = (state.config.me, crate::types::Signature::default());
            step(state, &Input::Signed(Signed { statement, signer, signature }));
        }
    }
}

#[test]
fn what_may_not_be_contacted_or_is_not_on_offer_is_not_measured() {
    let changes: [fn(&mut NodeView); 7] = [
        |node| node.offer = None,
        |node| node.endpoint = None,
        |node| node.endpoint.iter_mut().for_each(|endpoint| endpoint.ip = [192, 168, 0, 1].into()),
        |node| node.free_rao = 49_999_999,
        |node| node.miner = Account::default(),
        |node| node.offer.iter_mut().for_each(|offer| offer.expires_at_secs = START),
        |node| node.last_rental = 99,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        assert_eq!(seconds(&mut idle(change), 30), vec![], "change {index}");
    }
}

#[test]
fn a_tenant_who_came_in_between_makes_any_result_void() {
    let outcomes = || {
        let why = "w".to_owned();
        [proven(), MeasureOutcome::BadProof { why, transcript: serde_json::json!(1) }]
    };
    for outcome in outcomes() {
        let mut state = idle(|_| ());
        let asked = seconds(&mut state, 20);
        let mut view = update(View::Best, 3, 130, RentalView { machine: machine(2), ..rental(5) });
        view.nodes = vec![NodeView { last_rental: 5, ..node(2) }];
        step(&mut state, &Input::Chain(Box::new(view)));
        assert!(!certifies(&answer(&mut state, asked[0], outcome)));
        let capacity = &state.capacity[&machine(2)];
        assert_eq!((capacity.bad_proofs, capacity.passed), (0, None));
    }
}

#[test]
fn a_result_of_another_registration_or_question_is_void() {
    let mut state = idle(|_| ());
    let asked = seconds(&mut state, 20);
    assert!(!certifies(&answer(&mut state, crate::types::Hash32([7; 32]), proven())));
    let mut view = update(View::Best, 3, 130, rental(1));
    view.nodes = vec![NodeView { registration: 2, ..node(2) }];
    step(&mut state, &Input::Chain(Box::new(view)));
    assert!(!certifies(&answer(&mut state, asked[0], proven())));
    assert_eq!(seconds(&mut state, 30).len(), 1, "the new registration begins anew");
}

#[test]
fn another_class_than_asked_for_is_not_certified() {
    let mut state = idle(|_| ());
    let asked = seconds(&mut state, 20);
    let other = MeasureOutcome::Proven { gpu_class: 2, gpu_count: 8, transcript: serde_json::json!(1) };
    assert!(!certifies(&answer(&mut state, asked[0], other)));
}

#[test]
fn a_spoof_ends_certification_until_the_next_registration() {
    let mut state = idle(|_| ());
    for _ in 0..2 {
        let asked = seconds(&mut state, 20);
        assert_eq!(asked.len(), 1);
        lie(&mut state, asked[0]);
    }
    assert!(state.capacity[&machine(2)].spoofed());
    assert_eq!(seconds(&mut state, 2_000), vec![]);
}

/// A bad proof, of a session of its own.
fn lie(state: &mut State, id: EffectId) -> Vec<Effect> {
    answer(state, id, MeasureOutcome::BadProof { why: "row".to_owned(), transcript: serde_json::json!(id) })
}

fn suspected(change: impl FnOnce(&mut State)) -> (u32, bool) {
    let mut state = idle(|_| ());
    let asked = seconds(&mut state, 20);
    lie(&mut state, asked[0]);
    change(&mut state);
    let asked = seconds(&mut state, 20);
    lie(&mut state, asked[0]);
    (state.capacity[&machine(2)].bad_proofs, state.spoofs.contains_key(&machine(2)))
}

#[test]
fn two_bad_proofs_of_one_kind_within_a_proofs_life_are_a_spoof() {
    assert_eq!(suspected(|_| ()), (2, true));
}

#[test]
fn bad_proofs_of_different_work_or_long_apart_are_each_a_first_one() {
    let other_count = |state: &mut State| {
        let mut node = state.world.best.nodes.get(&machine(2)).unwrap_or_else(|| panic!("gone"));
        node.offer.iter_mut().for_each(|offer| offer.gpu_count = 4);
        state.world.best.nodes.put(node);
    };
    assert_eq!(suspected(other_count), (1, false));
    let long_ago = |state: &mut State| {
        let capacity = state.capacity.get_mut(&machine(2)).unwrap_or_else(|| panic!("gone"));
        capacity.first_bad.iter_mut().for_each(|first| first.proof.at_secs -= 86_401);
    };
    assert_eq!(suspected(long_ago), (1, false));
}

#[test]
fn one_proof_shown_twice_is_one_and_one_that_is_too_long_is_none() {
    let mut state = idle(|_| ());
    for _ in 0..2 {
        let asked = seconds(&mut state, 20);
        let transcript = serde_json::json!("the same");
        answer(&mut state, asked[0], MeasureOutcome::BadProof { why: "row".to_owned(), transcript });
    }
    assert_eq!(state.capacity[&machine(2)].bad_proofs, 1);
    let asked = seconds(&mut state, 20);
    let transcript = serde_json::json!("x".repeat(crate::limits::BAD_PROOF_BYTES_MAX));
    answer(&mut state, asked[0], MeasureOutcome::BadProof { why: "row".to_owned(), transcript });
    assert_eq!(state.capacity[&machine(2)].bad_proofs, 1);
}

#[test]
fn a_machine_that_falls_silent_after_a_bad_proof_is_not_pressed_every_ten_seconds() {
    let mut state = idle(|_| ());
    let asked = seconds(&mut state, 20);
    lie(&mut state, asked[0]);
    let mut asked = 0;
    for _ in 0..600 {
        for id in seconds(&mut state, 1) {
            asked += 1;
            answer(&mut state, id, MeasureOutcome::Unmeasured { why: "busy".to_owned() });
        }
    }
    assert!((3..=6).contains(&asked), "{asked} times in ten minutes");
}

#[test]
fn a_good_proof_clears_a_bad_one() {
    let proves = |state: &mut State| {
        let asked = seconds(state, 20);
        certified(state, asked[0]);
        state.capacity.values_mut().for_each(|capacity| capacity.certificate = None);
        seconds(state, 70);
        state.capacity.values_mut().for_each(|capacity| capacity.in_flight = None);
        state.agenda.restart();
    };
    assert_eq!(suspected(proves), (1, false));
}

#[test]
fn the_certificate_is_not_dated_after_the_newest_block() {
    let mut state = idle(|_| ());
    let asked = seconds(&mut state, 20);
    state.world.best.block.timestamp_secs -= 7;
    let block_secs = state.world.best.block.timestamp_secs;
    answer(&mut state, asked[0], proven());
    assert_eq!(state.capacity[&machine(2)].passed.map(|passed| passed.at_secs), Some(block_secs));
}

#[test]
fn idle_machines_are_measured_at_times_that_follow_the_blocks() {
    let draws = |seed: u8| {
        let mut state = idle(|_| ());
        state.world.best.block.hash = crate::types::Hash32([seed; 32]);
        let asked = seconds(&mut state, 20);
        certified(&mut state, asked[0]);
        let mut times = Vec::new();
        for second in 0..40_000u64 {
            if let Some(id) = seconds(&mut state, 1).first() {
                times.push(second);
                certified(&mut state, *id);
            }
        }
        times
    };
    let (one, two) = (draws(1), draws(2));
    assert!(!one.is_empty() && one != two, "{one:?} {two:?}");
    assert!(one.len() < 15, "about one in four hours: {one:?}");
}

#[test]
fn a_clock_that_was_ahead_and_is_mended_does_not_stop_measuring() {
    let mut state = idle(|_| ());
    let asked = seconds(&mut state, 20);
    answer(&mut state, asked[0], MeasureOutcome::Unmeasured { why: "busy".to_owned() });
    state.agenda.minute += 1_000;
    assert_eq!(seconds(&mut state, 200).len(), 1, "the pause after a failure ends by the clock as it is now");
}

#[test]
fn a_pause_after_a_failure_ends_when_it_ends_and_not_at_the_next_minute() {
    let mut state = idle(|_| ());
    state.config.rules.measure_retry_secs = 13;
    let asked = seconds(&mut state, 20);
    answer(&mut state, asked[0], MeasureOutcome::Unmeasured { why: "busy".to_owned() });
    assert_eq!(seconds(&mut state, 12).len(), 0);
    let again = seconds(&mut state, 2);
    assert_eq!(again.len(), 1, "thirteen seconds are thirteen seconds");
    answer(&mut state, again[0], MeasureOutcome::Unmeasured { why: "busy".to_owned() });
    state.agenda.restart();
    assert_eq!(seconds(&mut state, 25).len(), 0, "the second pause is twice as long");
    assert_eq!(seconds(&mut state, 2).len(), 1, "a restart makes no pause longer and none shorter");
}
