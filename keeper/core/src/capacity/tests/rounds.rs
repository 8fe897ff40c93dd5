//! All of a class at one moment.

use super::*;
use crate::effect::Round;
use crate::ids::effect_id;
use crate::limits::{ROUND_MAX, ROUND_PER_ADDRESS_MAX};
use crate::types::Hash32;
use std::collections::BTreeSet;

/// A keeper that sees, with machines 2 to `last` on offer, idle and certified; `change` changes each first.
fn certified_fleet(last: u8, change: fn(&mut NodeView)) -> State {
    let mut state = state(100);
    let mut view = update(View::Best, 2, 100, rental(1));
    for n in 2..=last {
        let mut node = node(n);
        change(&mut node);
        view.nodes.push(node);
    }
    step(&mut state, &Input::Chain(Box::new(view)));
    seconds(&mut state, 20);
    // All were measured a minute ago, and are not due.
    let at_secs = state.clock.now_secs();
    for capacity in state.capacity.values_mut() {
        (capacity.in_flight, capacity.asked) = (None, 1);
        capacity.passed = Some(Passed { at_secs, gpu_class: 1, gpu_count: 8 });
    }
    state.agenda.restart();
    state
}

/// Keeps all certificates fresh, and runs until something is measured.
fn next_asked(state: &mut State) -> Vec<(MachineId, u16, Option<Round>)> {
    for _ in 0..200_000 {
        let now_secs = state.clock.now_secs();
        for capacity in state.capacity.values_mut() {
            capacity.passed.iter_mut().for_each(|passed| passed.at_secs = now_secs);
        }
        state.world.best.block.hash = Hash32([u8::try_from(now_secs / 60 % 251).unwrap_or(0); 32]);
        state.world.best.block.timestamp_secs = now_secs;
        let effects = tick(state);
        see(state, &effects);
        // Machine 1 is rented, and a newcomer when its tenant has left.
        let asked: Vec<_> = effects.iter().filter_map(measured).filter(|one| one.0 != machine(1)).collect();
        if !asked.is_empty() {
            return asked;
        }
    }
    panic!("nothing was measured in two days")
}

fn measured(effect: &Effect) -> Option<(MachineId, u16, Option<Round>)> {
    match effect {
        Effect::Measure { machine, gpu_class, round, .. } => Some((*machine, *gpu_class, *round)),
        _ => None,
    }
}

#[test]
fn all_idle_machines_of_a_class_are_measured_at_one_moment() {
    let mut state = certified_fleet(9, |node| {
        let of_second = node.endpoint.is_some_and(|endpoint| endpoint.ip > std::net::IpAddr::from([5, 9, 0, 5]));
        node.offer.iter_mut().for_each(|offer| offer.gpu_class = if of_second { 2 } else { 1 });
    });
    for n in 6..=9 {
        let capacity = state.capacity.entry(machine(n)).or_default();
        capacity.passed.iter_mut().for_each(|passed| passed.gpu_class = 2);
    }
    let asked = next_asked(&mut state);
    let (_, class, round) = asked[0];
    let expected = if class == 1 { 2..=5 } else { 6..=9 };
    assert!(asked.iter().map(|(machine, ..)| *machine).collect::<BTreeSet<_>>() == expected.map(machine).collect());
    assert!(asked.iter().all(|one| (one.1, one.2) == (class, round)));
    assert_eq!(round.map(|round| round.members), Some(4));
}

#[test]
fn a_machine_alone_in_its_class_is_measured_by_lot_too_and_in_no_round() {
    let mut state = certified_fleet(2, |_| ());
    let asked = next_asked(&mut state);
    assert_eq!(asked, [(machine(2), 1, None)]);
}

#[test]
fn a_machine_in_a_pause_or_that_spoofed_is_left_out() {
    let mut state = certified_fleet(6, |_| ());
    let later = state.clock.now_secs() + 10_000_000;
    state.capacity.entry(machine(3)).or_default().retry_at_secs = later;
    state.capacity.entry(machine(4)).or_default().bad_proofs = 2;
    let asked: BTreeSet<MachineId> = next_asked(&mut state).into_iter().map(|(machine, ..)| machine).collect();
    assert_eq!(asked, BTreeSet::from([machine(2), machine(5), machine(6)]));
}

#[test]
fn a_round_holds_so_many_and_others_the_next_time() {
    let mut state = certified_fleet(90, |_| ());
    let mut come = BTreeSet::new();
    for _ in 0..20 {
        let asked = next_asked(&mut state);
        assert_eq!(asked.len(), ROUND_MAX);
        come.extend(asked.iter().map(|(machine, ..)| *machine));
        state.capacity.values_mut().for_each(|capacity| capacity.in_flight = None);
        state.agenda.in_flight.clear();
    }
    assert!(come.len() > 80, "{} of 89 in twenty rounds", come.len());
}

#[test]
fn so_many_behind_one_address_come_into_a_round_that_looks_are_still_made_there() {
    let mut state = certified_fleet(20, |node| {
        let port = 1_000 + u16::from(node.machine.0[31]);
        node.endpoint.iter_mut().for_each(|endpoint| (endpoint.ip, endpoint.port) = ([5, 9, 0, 1].into(), port));
    });
    assert_eq!(next_asked(&mut state).len(), ROUND_PER_ADDRESS_MAX as usize);
}

/// These are measured in one round, and answer in this order: says which of them are certified for it.
fn round(state: &mut State, answers: &[(u8, MeasureOutcome)]) -> Vec<u8> {
    let id = |n: u8, asked: u64| effect_id("measure", &[&[n], &asked.to_be_bytes()]);
    let number = state.clock.now_ms;
    let name = Hash32([u8::try_from(number % 251).unwrap_or(0); 32]);
    for (n, _) in answers {
        let (id, at_ms) = (id(*n, number), state.clock.now_ms);
        let asked = Asked { id, at_ms, gpu_class: 1, gpu_count: 8, round: Some(name) };
        state.capacity.entry(machine(*n)).or_default().in_flight = Some(asked);
        state.agenda.in_flight.insert(machine(*n));
    }
    let mut certified = Vec::new();
    for (n, outcome) in answers {
        let (machine, at_secs, outcome) = (machine(*n), state.clock.now_secs(), outcome.clone());
        let result = MeasureResult { id: id(*n, number), machine, registration: 1, at_secs, outcome };
        if certifies(&step(state, &Input::Measure(result))) {
            certified.push(*n);
        }
    }
    seconds(state, 1);
    certified
}

fn busy() -> MeasureOutcome {
    MeasureOutcome::Unmeasured { why: "busy".to_owned() }
}

fn owed_by(state: &State, n: u8) -> Vec<MachineId> {
    debts::left(state, machine(n), None).into_iter().collect()
}

/// What this keeper has certified has lapsed.
fn lapse(state: &mut State, n: u8) {
    state.capacity.entry(machine(n)).or_default().passed.iter_mut().for_each(|passed| passed.at_secs = 0);
}

#[test]
fn a_machine_that_is_too_slow_in_a_round_counts_as_certified_no_more_and_alone_it_does() {
    let slow = MeasureOutcome::Underperforming { why: "late".to_owned() };
    let mut state = certified_fleet(3, |_| ());
    round(&mut state, &[(2, slow.clone()), (3, proven())]);
    assert!(state.capacity[&machine(2)].passed.is_none());
    let mut state = certified_fleet(3, |_| ());
    let id = effect_id("measure", &[b"1"]);
    let asked = Asked { id, at_ms: state.clock.now_ms, gpu_class: 1, gpu_count: 8, round: None };
    state.capacity.entry(machine(2)).or_default().in_flight = Some(asked);
    answer(&mut state, id, slow);
    assert!(state.capacity[&machine(2)].passed.is_some());
}

#[test]
fn one_card_that_answers_for_one_of_two_listings_in_each_round_keeps_one_certificate() {
    let mut state = certified_fleet(4, |_| ());
    assert_eq!(round(&mut state, &[(2, busy()), (3, proven()), (4, proven())]), [3, 4]);
    for _ in 0..10 {
        assert_eq!(round(&mut state, &[(2, proven()), (3, busy()), (4, proven())]), [4], "2 owes 3");
        assert_eq!(round(&mut state, &[(2, busy()), (3, proven()), (4, proven())]), [4], "3 owes 2");
    }
    assert_eq!((owed_by(&state, 2), owed_by(&state, 3)), (vec![machine(3), machine(4)], vec![machine(2)]));
    lapse(&mut state, 2);
    assert_eq!(round(&mut state, &[(2, busy()), (3, proven()), (4, proven())]), [3, 4], "one is left");
    assert_eq!(round(&mut state, &[(2, proven()), (3, busy()), (4, proven())]), [4], "and the other is not");
    let share_ppm = |n: u8| state.capacity[&machine(n)].rounds.share_ppm();
    assert_eq!((share_ppm(2), share_ppm(3)), (Some(478_260), Some(521_739)), "together one card");
    assert_eq!(share_ppm(4), Some(1_000_000));
}

#[test]
fn a_machine_that_was_busy_once_owes_until_it_has_passed_with_those_that_were_not() {
    let mut state = certified_fleet(4, |_| ());
    round(&mut state, &[(2, busy()), (3, proven()), (4, busy())]);
    assert_eq!((owed_by(&state, 2), owed_by(&state, 4)), (vec![machine(3)], vec![machine(3)]));
    assert_eq!(round(&mut state, &[(3, proven()), (2, proven()), (4, proven())]), [3, 2, 4]);
    assert!(owed_by(&state, 2).is_empty() && owed_by(&state, 4).is_empty());
    // Whoever answers before those it owes is certified later, by itself.
    round(&mut state, &[(2, busy()), (3, proven())]);
    assert_eq!(round(&mut state, &[(2, proven()), (3, proven())]), [3]);
    assert!(owed_by(&state, 2).is_empty());
    lapse(&mut state, 2);
    state.agenda.press(machine(2));
    assert_eq!(seconds(&mut state, 30).len(), 1, "it is due again");
}

#[test]
fn a_machine_that_owes_gets_no_certificate_from_a_measurement_of_its_own() {
    let mut state = certified_fleet(3, |_| ());
    let wrong = || MeasureOutcome::BadProof { why: "wrong".to_owned(), transcript: serde_json::json!({ "a": 1 }) };
    round(&mut state, &[(2, wrong()), (3, proven())]);
    let again = state.capacity[&machine(2)].in_flight.map(|asked| asked.id);
    let again = again.unwrap_or_else(|| panic!("a bad proof is challenged at once"));
    assert!(!certifies(&answer(&mut state, again, proven())));
    assert_eq!(state.capacity[&machine(2)].bad_proofs, 0);
    lapse(&mut state, 2);
    state.agenda.press(machine(2));
    assert!(seconds(&mut state, 30).is_empty(), "it is not measured by itself");
}

#[test]
fn nobody_owes_those_that_are_certified_no_more_or_rented_or_of_another_class() {
    let mut state = certified_fleet(4, |_| ());
    round(&mut state, &[(2, busy()), (3, proven()), (4, proven())]);
    assert_eq!(owed_by(&state, 2), [machine(3), machine(4)]);
    lapse(&mut state, 3);
    assert_eq!(owed_by(&state, 2), [machine(4)]);
    let change = |state: &mut State, number: u64, fourth: NodeView| {
        let mut view = update(View::Best, number, 100, rental(1));
        view.nodes.extend([node(2), node(3), fourth]);
        step(state, &Input::Chain(Box::new(view)));
    };
    change(&mut state, 3, NodeView { offer: None, ..node(4) });
    assert_eq!(owed_by(&state, 2), [machine(4)], "an offer that is taken back frees nobody");
    change(&mut state, 4, NodeView { last_rental: 77, ..node(4) });
    assert!(owed_by(&state, 2).is_empty(), "a tenant does, or may");
    change(&mut state, 5, node(4));
    state.capacity.entry(machine(4)).or_default().passed.iter_mut().for_each(|passed| passed.gpu_class = 2);
    assert!(owed_by(&state, 2).is_empty(), "of another class, and never in one round");
}

#[test]
fn whoever_takes_its_offer_back_in_the_middle_of_a_round_has_not_passed_it() {
    let mut state = certified_fleet(3, |_| ());
    assert_eq!(next_asked(&mut state).len(), 2);
    let mut view = update(View::Best, 3, 100, rental(1));
    view.nodes.extend([NodeView { offer: None, ..node(2) }, node(3)]);
    step(&mut state, &Input::Chain(Box::new(view)));
    for n in [2, 3] {
        let id = state.capacity[&machine(n)].in_flight.map(|asked| asked.id).unwrap_or_default();
        let (machine, at_secs) = (machine(n), state.clock.now_secs());
        step(&mut state, &Input::Measure(MeasureResult { id, machine, registration: 1, at_secs, outcome: proven() }));
    }
    assert_eq!(state.capacity[&machine(2)].owes, BTreeSet::from([machine(3)]));
    assert!(state.capacity[&machine(3)].owes.is_empty());
}

#[test]
fn a_round_that_nobody_answers_is_closed_when_time_is_up() {
    let mut state = certified_fleet(3, |_| ());
    assert_eq!(next_asked(&mut state).len(), 2);
    let id = state.capacity[&machine(3)].in_flight.map(|asked| asked.id).unwrap_or_default();
    let (machine_3, at_secs) = (machine(3), state.clock.now_secs());
    let result = MeasureResult { id, machine: machine_3, registration: 1, at_secs, outcome: proven() };
    step(&mut state, &Input::Measure(result));
    assert_eq!(state.agenda.rounds.len(), 1);
    let secs = state.config.rules.measure_timeout_ms / 1_000 + 60;
    seconds(&mut state, secs);
    assert!(state.agenda.rounds.is_empty());
    assert_eq!(state.capacity[&machine(2)].owes.len(), 1, "whoever never answers has not passed");
}

#[test]
fn one_that_owes_is_measured_with_those_it_owes() {
    let mut state = certified_fleet(90, |_| ());
    let owed: BTreeSet<MachineId> = (40..60).map(machine).collect();
    state.capacity.entry(machine(2)).or_default().owes = owed.clone();
    let asked: BTreeSet<MachineId> = next_asked(&mut state).into_iter().map(|(machine, ..)| machine).collect();
    assert!(asked.len() == ROUND_MAX && asked.contains(&machine(2)), "{asked:?}");
    let (owed, others) = (asked.intersection(&owed).count(), asked.difference(&owed).count());
    assert!(owed >= ROUND_MAX / 2 - 1 && others >= 4, "half of the places are for others: {owed}, {others}");
}

#[test]
fn rounds_are_not_drawn_for_one_that_never_comes() {
    let mut state = certified_fleet(5, |_| ());
    round(&mut state, &[(2, busy()), (3, proven())]);
    assert!(debts::is_debtor(&state, machine(2)));
    lapse(&mut state, 2);
    assert!(!debts::is_debtor(&state, machine(2)), "certified no more, and missing when last asked");
    round(&mut state, &[(2, proven()), (4, proven())]);
    assert!(debts::is_debtor(&state, machine(2)), "it comes again, and still owes 3");
    assert_eq!(owed_by(&state, 2), [machine(3)]);
}

#[test]
fn of_machines_at_one_endpoint_one_is_measured_and_owed_by_the_others() {
    let mut state = certified_fleet(4, |node| {
        node.endpoint.iter_mut().for_each(|endpoint| (endpoint.ip, endpoint.port) = ([5, 9, 0, 1].into(), 22));
    });
    let asked = next_asked(&mut state);
    let [(one, _, Some(_))] = asked[..] else { panic!("{asked:?}") };
    let id = state.capacity[&one].in_flight.map(|asked| asked.id).unwrap_or_default();
    let (registration, at_secs) = (1, state.clock.now_secs());
    step(&mut state, &Input::Measure(MeasureResult { id, machine: one, registration, at_secs, outcome: proven() }));
    let owing = (2..=4).map(machine).filter(|other| state.capacity[other].owes.contains(&one)).count();
    assert_eq!(owing, 2);
}

#[test]
fn no_machine_owes_more_than_so_many() {
    let mut state = certified_fleet(90, |_| ());
    for first in [10, 30, 50, 70] {
        let others = (first..first + 20).map(|n| (n, proven()));
        let all: Vec<_> = [(2, busy())].into_iter().chain(others).collect();
        round(&mut state, &all);
    }
    assert_eq!(state.capacity[&machine(2)].owes.len(), crate::limits::DEBTS_MAX);
}

#[test]
fn a_round_leaves_room_for_measurements_of_their_own() {
    let mut state = certified_fleet(9, |_| ());
    assert_eq!(next_asked(&mut state).len(), 8);
    let newcomer = state.capacity.entry(machine(9)).or_default();
    (newcomer.in_flight, newcomer.passed) = (None, None);
    state.agenda.in_flight.remove(&machine(9));
    state.agenda.press(machine(9));
    let asked = seconds(&mut state, 30);
    assert_eq!(asked.len(), 1, "while seven are in flight");
}
