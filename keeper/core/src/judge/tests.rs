#![allow(clippy::unwrap_used)]

use super::*;
use crate::fixtures::{account, machine, node, state, times};
use crate::watch::Tenancy;

#[test]
fn only_what_the_machine_did_is_a_fault() {
    let why = String::new;
    assert_eq!(outcome(&Observation::Accepted), Outcome::Ok);
    assert_eq!(outcome(&Observation::NotLooked { why: why() }), Outcome::Unmeasured);
    assert_eq!(outcome(&Observation::WrongHostKey { got: why() }), Outcome::Fault(Cause::WrongHostKey));
    assert_eq!(outcome(&Observation::Refused), Outcome::Fault(Cause::RenterRefused));
    assert_eq!(outcome(&Observation::Hostile { what: why() }), Outcome::Fault(Cause::RenterRefused));
    for seen in [
        Observation::NoConnection { why: why() },
        Observation::NoHandshake { why: why() },
        Observation::Lost { why: why() },
    ] {
        assert_eq!(outcome(&seen), Outcome::Fault(Cause::Unreachable));
    }
}

#[test]
fn the_longer_of_rules_and_contract_counts() {
    let rules = Rules::default();
    let short = ContractTimes::default();
    let long = ContractTimes { min_offline_secs: 2_000, delivery_grace_secs: 3_000, ..times() };
    assert_eq!(least_length_secs(Kind::Offline, &rules, &short), Some(900));
    assert_eq!(least_length_secs(Kind::Offline, &rules, &long), Some(2_000));
    assert_eq!(least_length_secs(Kind::NotDelivered, &rules, &short), Some(600));
    assert_eq!(least_length_secs(Kind::NotDelivered, &rules, &long), Some(3_000));
    assert_eq!(least_length_secs(Kind::Interrupted, &rules, &short), Some(60));
    assert_eq!(least_length_secs(Kind::Spoofed, &rules, &long), None);
}

/// Machines of these owners: (owner, suspected, seen well before, bonded).
fn fleet(machines: &[(u8, bool, bool, bool)]) -> bool {
    let mut state = state(100);
    state.watches = Default::default();
    for (n, (owner, suspected, well, bonded)) in (10u8..).zip(machines) {
        let free_rao = if *bonded { 1 } else { 0 };
        let node = crate::view::NodeView { miner: account(*owner), free_rao, ..node(n) };
        state.world.best.nodes.put(node);
        let tenancy = Some(Tenancy { rental: n.into(), delivered_secs: None, last_signed: None });
        let last_ok_secs = well.then_some(1);
        state.watches.insert(machine(n), Watch { tenancy, suspected: *suspected, last_ok_secs, ..Watch::default() });
    }
    many_fail(&state)
}

#[test]
fn most_owners_failing_together_means_most() {
    let (bad, good) = ((true, true, true), (false, true, true));
    let of = |states: &[(bool, bool, bool)]| {
        fleet(&(1u8..).zip(states).map(|(owner, (bad, well, bond))| (owner, *bad, *well, *bond)).collect::<Vec<_>>())
    };
    assert!(of(&[bad, bad, good]));
    assert!(!of(&[bad, good, good]));
    assert!(!of(&[bad, bad, good, good]), "half is not most");
    assert!(!of(&[bad, bad]), "two owners prove nothing");
}

#[test]
fn one_owners_dead_fleet_shields_nothing() {
    let dead = (1, true, true, true);
    assert!(!fleet(&[dead, dead, dead, dead, (2, false, true, true), (3, false, true, true)]));
    // Never well, or without bond: no vote.
    assert!(!fleet(&[(1, true, true, true), (2, true, false, true), (3, true, true, false), (4, false, true, true)]));
}

#[test]
fn looks_at_one_machine_say_nothing_about_a_rental_that_a_reorg_gave_to_another() {
    let mut state = state(1_000);
    state.health.blind = None;
    let (streak, rules) = (crate::streak::Streak::begin(crate::fixtures::bad(0)).unwrap(), Rules::default());
    let streak = (1..30).fold(streak, |mut streak, n| {
        streak.push(crate::fixtures::bad(n * 10), &rules);
        streak
    });
    let (ended_secs, delivered_secs) = (crate::fixtures::START + 300, None);
    let finished = Finished { rental: 1, streak, delivered_secs, looks_needed: 4, ended_secs, asked: None };
    for (moved, signed) in [(false, 1), (true, 0)] {
        let mut state = state.clone();
        let watch = Watch { finished: vec![finished.clone()], ..Watch::default() };
        state.watches.insert(machine(1), watch);
        if moved {
            let moved = crate::view::RentalView { machine: machine(2), ..state.world.best.rentals[&1].clone() };
            state.world.best.rentals.put(moved);
        }
        let mut effects = Vec::new();
        sign(&mut state, &mut effects);
        assert_eq!(effects.len(), signed, "{effects:?}");
    }
}
