use super::*;
use crate::effect::Effect;
use crate::fixtures::{START, account, looks, machine, state, tick};
use crate::health::Blind;
use crate::input::{Input, Observation};
use crate::step::step;

fn hint(peer: Account, machines: Vec<MachineId>) -> Input {
    Input::Hint(Hint { peer, machines })
}

/// A keeper that sees, and has just looked at machine 1.
fn watching() -> State {
    let mut state = state(0);
    let last = looks(&mut state, 90, &Observation::Accepted).pop().unwrap_or_default();
    assert!(last > 0, "the machine is looked at");
    while looks(&mut state, 1, &Observation::Accepted).is_empty() {}
    assert_eq!(
        looks(&mut state, 6, &Observation::Accepted),
        [0u64; 0],
        "well machines are looked at every half minute"
    );
    state
}

#[test]
fn what_a_peer_shows_is_looked_at_now_and_nothing_else_follows_from_it() {
    let mut state = watching();
    let effects = step(&mut state, &hint(account(2), vec![machine(1)]));
    assert_eq!(effects, []);
    assert_eq!(looks(&mut state, 5, &Observation::Accepted).len(), 1, "as soon as the host may be contacted");
    let watch = state.watches.get(&machine(1));
    assert!(watch.is_some_and(|watch| !watch.suspected && watch.streak.is_none()), "it is well, as was seen");
}

#[test]
fn a_hint_leaves_the_looks_at_a_machine_suspected_here_as_well_where_they_are() {
    let mut state = watching();
    let from = looks(&mut state, 60, &Observation::Refused)[0];
    let decisive = from + state.config.rules.offline_after_secs + 6;
    let now = |state: &State| state.clock.now_secs() - START;
    // The last look was 12 s ago, so that the host may be contacted.
    let rest = decisive - 4 - now(&state);
    looks(&mut state, rest, &Observation::Refused);
    step(&mut state, &hint(account(2), vec![machine(1)]));
    assert_eq!(looks(&mut state, 4, &Observation::Refused), [decisive]);
}

#[test]
fn who_does_not_count_gives_no_hints() {
    let mut state = watching();
    step(&mut state, &hint(account(9), vec![machine(1)]));
    assert_eq!(looks(&mut state, 6, &Observation::Accepted), [0u64; 0]);
}

/// Found by the simulator (seed 77843): a look every 5 s leaves no room for the question about cards.
#[test]
fn no_number_of_hints_makes_more_than_one_look_a_minute_nor_keeps_cards_from_being_asked_about() {
    let mut state = watching();
    let (mut asked, mut cards) = (Vec::new(), 0);
    for peer in [2, 3].into_iter().cycle().take(1_800) {
        step(&mut state, &hint(account(peer), vec![machine(1); 100]));
        let before = state.cards.get(&machine(1)).map_or(0, |record| record.looks);
        asked.extend(looks(&mut state, 1, &Observation::Accepted));
        cards += state.cards.get(&machine(1)).map_or(0, |record| record.looks) - before;
    }
    let gap_secs = state.config.rules.host_gap_min_ms / 1_000;
    assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= gap_secs), "{asked:?}");
    assert!((60..=95).contains(&asked.len()), "a look each half minute, and one more a minute: {}", asked.len());
    assert!(cards >= 3, "asked about cards {cards} times in half an hour");
}

#[test]
fn more_machines_than_fit_in_one_hint_are_left_out() {
    let mut state = watching();
    let mut machines: Vec<MachineId> = (10..).map(machine).take(HINTS_AT_ONCE).collect();
    machines.push(machine(1));
    step(&mut state, &hint(account(2), machines));
    assert_eq!(looks(&mut state, 6, &Observation::Accepted), [0u64; 0]);
}

#[test]
fn what_fails_is_shown_while_this_keeper_sees_and_no_longer_than_it_fails() {
    let mut state = watching();
    assert_eq!(shown(&state), []);
    looks(&mut state, 40, &Observation::Refused);
    assert_eq!(shown(&state), [machine(1)]);
    state.health.blind = Some(Blind::Anchors);
    assert_eq!(shown(&state), [], "its own network may be what fails");
    state.health.blind = None;
    looks(&mut state, 30, &Observation::Accepted);
    assert_eq!(shown(&state), []);
}

#[test]
fn a_machine_that_keeps_this_keeper_waiting_is_shown_before_the_look_is_over() {
    let mut state = watching();
    let asks = |effect: &Effect| matches!(effect, Effect::Probe { .. });
    while !tick(&mut state).iter().any(asks) {}
    for _ in 0..4 {
        tick(&mut state);
    }
    assert_eq!(shown(&state), [], "four seconds");
    tick(&mut state);
    assert_eq!(shown(&state), [machine(1)], "five");
    let watch = state.watches.get(&machine(1));
    assert!(watch.is_some_and(|watch| !watch.suspected), "a hint to others, no suspicion of its own");
}

#[test]
fn a_peer_is_heard_once_for_each_time_that_it_shows_a_machine() {
    let mut known = BTreeSet::new();
    assert_eq!(news(&mut known, &[machine(2), machine(1)]), [machine(1), machine(2)]);
    assert_eq!(news(&mut known, &[machine(1), machine(2), machine(3)]), [machine(3)]);
    assert_eq!(news(&mut known, &[machine(2)]), []);
    assert_eq!(news(&mut known, &[machine(1), machine(2)]), [machine(1)], "it came back to it");
}

#[test]
fn a_peer_that_shows_everything_is_heard_a_few_at_a_time_and_never_beyond_its_bound() {
    let all: Vec<MachineId> = (0..=255).map(machine).collect();
    let twice = [all.clone(), (0..=255).map(|n| MachineId([n; 32])).collect()].concat();
    let mut known = BTreeSet::new();
    let mut heard = 0;
    for _ in 0..100 {
        let new = news(&mut known, &twice);
        assert!(new.len() <= HINTS_AT_ONCE);
        heard += new.len();
    }
    assert!(heard <= HINTS_SHOWN_MAX && known.len() == heard, "{heard}");
}
