use super::*;
use crate::fixtures::{START, account, keepers, rental, state, tick, update};
use crate::input::{AnchorResult, Input};
use crate::step::step;
use crate::types::Kind;
use crate::view::View;

/// A keeper that sees, with case 1 executable at 1,000 s and the chain at `at`, filed by keepers of these weights.
fn with_case(at: u64, status: CaseStatus, penalty_rao: u64, weights: &[u64]) -> State {
    let mut state = state(at);
    for view in [View::Best, View::Finalized] {
        chain_says(&mut state, view, at, status, START + 1_000, penalty_rao, weights);
    }
    tick(&mut state);
    let (id, _) = state.health.in_flight.unwrap_or_default();
    step(&mut state, &Input::Anchors(AnchorResult { id, ended_ms: 1, reachable: 1, asked: 1 }));
    state
}

fn chain_says(
    state: &mut State,
    view: View,
    at: u64,
    status: CaseStatus,
    executable_at_secs: UnixSecs,
    penalty_rao: u64,
    weights: &[u64],
) {
    let mut update = update(view, 2, at, rental(1));
    update.cases = vec![CaseView {
        id: 1,
        kind: Kind::Offline,
        status,
        rental: 1,
        executable_at_secs,
        penalty_rao,
        registration: 1,
        filed_at_secs: START,
    }];
    update.keepers = Some(keepers(weights));
    step(state, &Input::Chain(Box::new(update)));
}

fn submitted(effects: &[Effect]) -> Vec<(EffectId, Intent)> {
    let submits = effects.iter().filter_map(|effect| match effect {
        Effect::Submit { id, intent } => Some((*id, intent.clone())),
        _ => None,
    });
    submits.collect()
}

fn report(state: &mut State, id: EffectId, outcome: TxOutcome) -> usize {
    step(state, &Input::Tx(TxResult { id, outcome })).len()
}

#[test]
fn a_case_is_executed_when_its_window_has_passed_and_its_penalty_burned_once() {
    let mut early = with_case(999, CaseStatus::Filed, 5, &[1]);
    assert_eq!(submitted(&tick(&mut early)), vec![]);
    let mut state = with_case(1_000, CaseStatus::Filed, 5, &[1]);
    let first = submitted(&tick(&mut state));
    assert_eq!(first.iter().map(|one| &one.1).collect::<Vec<_>>(), vec![&Intent::Execute { case_id: 1 }]);
    assert_eq!(submitted(&tick(&mut state)), vec![], "one is under way");
    report(&mut state, first[0].0, TxOutcome::Settled);
    let second = submitted(&tick(&mut state));
    assert_eq!(second.iter().map(|one| &one.1).collect::<Vec<_>>(), vec![&Intent::FlushBurn]);
    report(&mut state, second[0].0, TxOutcome::Settled);
    assert_eq!(submitted(&tick(&mut state)), vec![]);
}

#[test]
fn without_a_penalty_nothing_is_burned_and_decided_cases_are_left_alone() {
    let mut state = with_case(1_000, CaseStatus::Filed, 0, &[1]);
    let first = submitted(&tick(&mut state));
    report(&mut state, first[0].0, TxOutcome::Settled);
    assert_eq!(submitted(&tick(&mut state)), vec![]);
    for status in [CaseStatus::Executed, CaseStatus::Dismissed] {
        assert_eq!(submitted(&tick(&mut with_case(1_000, status, 5, &[1]))), vec![]);
    }
}

#[test]
fn a_case_that_the_breaker_slowed_down_is_executed_twice_and_burned_after_the_second_time() {
    let mut state = with_case(1_000, CaseStatus::Filed, 5, &[1]);
    let refund = submitted(&tick(&mut state));
    let later = START + 2_000;
    // The best chain shows the refund before the final one does: nothing is sent on account of the older view.
    let mut ahead = state.clone();
    chain_says(&mut ahead, View::Best, 1_001, CaseStatus::Refunded, later, 5, &[1]);
    ahead.settle = Settle::default();
    assert_eq!(submitted(&tick(&mut ahead)), vec![]);
    for view in [View::Best, View::Finalized] {
        chain_says(&mut state, view, 1_001, CaseStatus::Refunded, later, 5, &[1]);
    }
    report(&mut state, refund[0].0, TxOutcome::Settled);
    assert_eq!(submitted(&tick(&mut state)), vec![], "neither burned nor executed again yet");
    for view in [View::Best, View::Finalized] {
        chain_says(&mut state, view, 2_000, CaseStatus::Refunded, later, 5, &[1]);
    }
    let second = submitted(&tick(&mut state));
    assert_eq!(second.iter().map(|one| &one.1).collect::<Vec<_>>(), vec![&Intent::Execute { case_id: 1 }]);
    chain_says(&mut state, View::Finalized, 2_001, CaseStatus::Executed, 0, 5, &[1]);
    report(&mut state, second[0].0, TxOutcome::Settled);
    assert_eq!(submitted(&tick(&mut state)).iter().map(|one| &one.1).collect::<Vec<_>>(), vec![&Intent::FlushBurn]);
}

#[test]
fn an_appealed_case_is_executed_when_the_judge_was_silent() {
    assert_eq!(submitted(&tick(&mut with_case(999, CaseStatus::Appealed, 5, &[1]))), vec![]);
    assert_eq!(submitted(&tick(&mut with_case(1_000, CaseStatus::Appealed, 5, &[1]))).len(), 1);
}

#[test]
fn a_failed_execution_is_tried_again_later_and_a_failing_burn_is_given_up() {
    let why = || TxOutcome::Failed { why: "reverted".to_owned() };
    let mut state = with_case(1_000, CaseStatus::Filed, 5, &[1]);
    let first = submitted(&tick(&mut state));
    assert_eq!(report(&mut state, first[0].0, why()), 1, "an alert");
    assert_eq!(submitted(&tick(&mut state)), vec![]);
    let mut again = Vec::new();
    for _ in 0..30 {
        again.extend(submitted(&tick(&mut state)));
    }
    assert_eq!(again.len(), 1);
    assert_ne!(again[0].0, first[0].0, "a new intent");
    report(&mut state, again[0].0, TxOutcome::Settled);
    let mut burns = 0;
    for _ in 0..600 {
        for (id, intent) in submitted(&tick(&mut state)) {
            assert_eq!(intent, Intent::FlushBurn);
            burns += 1;
            report(&mut state, id, why());
        }
    }
    assert_eq!(burns, 3);
}

#[test]
fn keepers_execute_one_after_another() {
    let mut turns = Vec::new();
    for turn in 0..4 {
        let mut state = with_case(1_000 + 60 * turn, CaseStatus::Filed, 5, &[1, 1, 1]);
        turns.push(!submitted(&tick(&mut state)).is_empty());
    }
    assert_eq!(
        turns.iter().filter(|turn| !**turn).count() as u64,
        rank(&with_case(1_000, CaseStatus::Filed, 5, &[1, 1, 1]), 1)
    );
    assert_eq!(turns.last(), Some(&true));
    let mut stranger = with_case(2_000, CaseStatus::Filed, 5, &[1]);
    stranger.config.me = account(9);
    assert_eq!(submitted(&tick(&mut stranger)), vec![], "not a keeper");
}
