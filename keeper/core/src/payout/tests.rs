use super::*;
use crate::fixtures::{START, account, fault, keepers, rental, state, tick, update};
use crate::input::{AnchorResult, Input};
use crate::step::step;
use crate::view::View;

/// Rental 1 ends at 36,000 s; `settleLag` is 3,600 s.
const CLOSABLE: u64 = 39_600;
const RULES: PayoutRules = PayoutRules { enabled: true, close_wait_secs: 600, claim_after_secs: 7_200 };

/// A keeper that sees, with these rentals on chain at `at`, among keepers of these weights.
fn with(at: u64, rentals: &[RentalView], rules: PayoutRules, weights: &[u64]) -> State {
    let mut state = state(at);
    state.config.payout = rules;
    read(&mut state, at, rentals, weights);
    tick(&mut state);
    let (id, _) = state.health.in_flight.unwrap_or_default();
    step(&mut state, &Input::Anchors(AnchorResult { id, ended_ms: 1, reachable: 1, asked: 1 }));
    state
}

fn read(state: &mut State, at: u64, rentals: &[RentalView], weights: &[u64]) {
    for view in [View::Best, View::Finalized] {
        let mut update = update(view, 2, at, rental(1));
        update.rentals = rentals.to_vec();
        update.keepers = Some(keepers(weights));
        step(state, &Input::Chain(Box::new(update)));
    }
}

fn submitted(effects: &[Effect]) -> Vec<(EffectId, Intent)> {
    let submits = effects.iter().filter_map(|effect| match effect {
        Effect::Submit { id, intent } => Some((*id, intent.clone())),
        _ => None,
    });
    submits.collect()
}

fn first_payout(at: u64, rentals: &[RentalView], rules: PayoutRules) -> Option<Intent> {
    let mut state = with(at, rentals, rules, &[1]);
    submitted(&tick(&mut state)).into_iter().map(|(_, intent)| intent).next()
}

fn many(count: u64) -> Vec<RentalView> {
    (1..=count).map(|id| RentalView { claimed_secs: 36_000, paid_until_secs: START + 36_000, ..rental(id) }).collect()
}

#[test]
fn a_rental_that_is_over_is_closed_when_it_has_waited_for_company() {
    assert_eq!(first_payout(CLOSABLE + 599, &many(1), RULES), None);
    assert_eq!(first_payout(CLOSABLE + 600, &many(1), RULES), Some(Intent::Close { rentals: vec![1] }));
}

#[test]
fn no_rental_is_closed_before_its_settle_lag_is_over() {
    let hasty = PayoutRules { close_wait_secs: 0, ..RULES };
    assert_eq!(first_payout(CLOSABLE - 1, &many(40), hasty), None);
    assert_eq!(first_payout(CLOSABLE, &many(1), hasty), Some(Intent::Close { rentals: vec![1] }));
}

#[test]
fn a_full_transaction_does_not_wait_and_takes_no_more_than_fit() {
    let full = CLOSES_AT_ONCE as u64;
    assert_eq!(first_payout(CLOSABLE, &many(full - 1), RULES), None);
    let rentals = (1..=full).collect();
    assert_eq!(first_payout(CLOSABLE, &many(full + 5), RULES), Some(Intent::Close { rentals }));
}

#[test]
fn what_is_closed_at_either_end_of_the_chain_is_left_alone() {
    let closed = RentalView { closed: true, ..rental(1) };
    assert_eq!(first_payout(CLOSABLE + 600, std::slice::from_ref(&closed), RULES), None);
    let mut state = with(CLOSABLE + 600, &many(1), RULES, &[1]);
    step(&mut state, &Input::Chain(Box::new(update(View::Best, 3, CLOSABLE + 612, closed))));
    assert_eq!(submitted(&tick(&mut state)), vec![]);
}

#[test]
fn a_long_rental_is_claimed_for_when_enough_service_is_unpaid() {
    let (lag, after) = (3_600, 7_200);
    assert_eq!(first_payout(lag + after - 1, &[rental(1)], RULES), None);
    let claim = Intent::Claim { rental: 1, past_secs: START };
    assert_eq!(first_payout(lag + after, &[rental(1)], RULES), Some(claim));
    let never = PayoutRules { claim_after_secs: 0, ..RULES };
    assert_eq!(first_payout(30_000, &[rental(1)], never), None);
}

#[test]
fn nothing_is_claimed_for_a_rental_that_is_not_final_yet() {
    let mut state = with(20_000, &[rental(1)], RULES, &[1]);
    state.world.finalized.rentals.remove(1);
    assert_eq!(submitted(&tick(&mut state)), [], "finality stalls, or has not come so far");
    state.world.finalized.rentals.put(rental(1));
    state.payout = Payout::default();
    assert_eq!(submitted(&tick(&mut state)).len(), 1);
}

#[test]
fn what_is_done_already_is_not_asked_for_again_before_the_next_block() {
    let mut state = with(20_000, &[rental(1)], RULES, &[1]);
    let (id, _) = submitted(&tick(&mut state)).remove(0);
    step(&mut state, &Input::Tx(TxResult { id, outcome: TxOutcome::Settled }));
    assert_eq!(submitted(&tick(&mut state)), [], "our view lags behind finality");
    state.world.best.block.number += 1;
    assert_eq!(submitted(&tick(&mut state)).len(), 1);
}

#[test]
fn seconds_without_service_are_not_claimed_for() {
    let failed = RentalView { faults: vec![fault(1_000, 3_000)], ..rental(1) };
    assert_eq!(first_payout(3_600 + 7_200 + 1_999, std::slice::from_ref(&failed), RULES), None);
    assert!(first_payout(3_600 + 7_200 + 2_000, &[failed], RULES).is_some());
}

/// The contract takes every recorded fault off what is due, wherever it lies (seed 81 of the simulation).
#[test]
fn a_fault_after_what_is_due_counts_too() {
    let at = 3_600 + 7_200 + 1_999;
    let failed = RentalView { faults: vec![fault(at - 2_000, at)], ..rental(1) };
    assert_eq!(first_payout(at, std::slice::from_ref(&failed), RULES), None);
    assert!(first_payout(at + 1, &[failed], RULES).is_some());
}

#[test]
fn what_is_paid_is_not_claimed_for_again() {
    let (claimed_secs, paid_until_secs) = (5_000, START + 5_000);
    let paid = RentalView { claimed_secs, paid_until_secs, ..rental(1) };
    assert_eq!(first_payout(3_600 + 7_200 + 4_999, std::slice::from_ref(&paid), RULES), None);
    assert!(first_payout(3_600 + 7_200 + 5_000, &[paid], RULES).is_some());
}

#[test]
fn one_payout_is_under_way_at_a_time_and_a_failed_one_waits() {
    let mut state = with(CLOSABLE + 600, &many(1), RULES, &[1]);
    let (id, _) = submitted(&tick(&mut state))[0].clone();
    assert_eq!(submitted(&tick(&mut state)), vec![], "one is under way");
    let outcome = TxOutcome::Failed { why: "out of gas".to_owned() };
    let alerts = step(&mut state, &Input::Tx(TxResult { id, outcome }));
    assert!(matches!(alerts[..], [Effect::Alert { .. }]));
    assert_eq!(submitted(&tick(&mut state)), vec![], "not at once");
    let again: Vec<_> = (0..40).flat_map(|_| submitted(&tick(&mut state))).collect();
    assert_eq!(again.len(), 1);
    assert_ne!(again[0].0, id, "a new intent");
}

#[test]
fn keepers_pay_out_one_after_another() {
    let closers = |at| {
        let pays = |me: u8| {
            let mut state = with(at, &many(1), RULES, &[1, 1, 1]);
            state.config.me = account(me);
            submitted(&tick(&mut state)).len()
        };
        (1..=3).map(pays).sum::<usize>()
    };
    assert_eq!(closers(CLOSABLE + 600), 1);
    assert_eq!(closers(CLOSABLE + 660), 2);
    assert_eq!(closers(CLOSABLE + 720), 3);
}

#[test]
fn a_keeper_that_is_told_not_to_or_does_not_count_pays_nothing() {
    assert_eq!(first_payout(CLOSABLE + 600, &many(1), PayoutRules::OFF), None);
    let mut state = with(CLOSABLE + 600, &many(1), RULES, &[1]);
    state.config.me = account(9);
    assert_eq!(submitted(&tick(&mut state)), vec![]);
}

#[test]
fn closing_needs_no_eyes_but_a_known_chain() {
    let mut state = with(CLOSABLE + 600, &many(1), RULES, &[1]);
    let (now_ms, now_unix_ms) = (state.clock.now_ms + 1_000, state.clock.now_unix_ms + 1_000);
    let lost = Input::Tick(crate::input::Tick { now_ms, now_unix_ms, rpc_healthy: false });
    assert_eq!(submitted(&step(&mut state, &lost)), vec![]);
}
