//! Demand: what others' machines say, and what feigning it brings.

use super::*;

fn of(n: u8, fleet: &Fleet) -> u64 {
    demand_ppm(&of_machine(&weighed(fleet), n))
}

#[test]
fn a_class_with_nobody_else_in_it_is_worth_one() {
    assert_eq!(of(1, &fleet(vec![facts(1)])), 1_000_000);
    assert_eq!(of(1, &fleet(vec![rented(1)])), 1_000_000);
}

#[test]
fn a_class_that_others_rent_pays_more_and_one_that_they_do_not_pays_less() {
    let idle = of(1, &fleet(vec![facts(1), facts(2), facts(3)]));
    let half = of(1, &fleet(vec![facts(1), facts(2), rented(3)]));
    let busy = of(1, &fleet(vec![facts(1), rented(2), rented(3)]));
    assert_eq!((idle, half, busy), (900_000, 1_000_000, 1_100_000), "64 cards of nobody among them");
    let mut many: Vec<MachineFacts> = (2..=200).map(rented).collect();
    many.push(facts(1));
    let busy = of(1, &fleet(many));
    assert!((1_470_000..=1_500_000).contains(&busy), "{busy}");
}

#[test]
fn every_class_has_its_own_demand() {
    let other = MachineFacts {
        offer: Some(offer(2, 8)),
        certified: Some(Certified { gpu_class: 2, gpu_count: 8, measured_at_secs: AT }),
        ..facts(4)
    };
    let fleet = fleet(vec![facts(1), rented(2), rented(3), other]);
    assert_eq!((of(1, &fleet), of(4, &fleet)), (1_100_000, 1_000_000));
}

#[test]
fn a_day_of_use_counts_as_a_day_of_a_week() {
    let day = |n| MachineFacts { rentals: vec![rental(n, 2 * DAY, DAY)], ..facts(n) };
    // Of nobody's 448 card-days half were rented, of the others' 112 sixteen.
    let share_ppm = (224 + 16) * 1_000_000 / (448 + 112);
    assert_eq!(of(1, &fleet(vec![facts(1), day(2), day(3)])), 500_000 + share_ppm);
}

#[test]
fn a_machine_that_is_new_was_not_idle_before_it_was_there() {
    let new = |n| MachineFacts { since_secs: AT - DAY, ..facts(n) };
    let old = of(1, &fleet(vec![facts(1), facts(2)]));
    assert!(of(1, &fleet(vec![facts(1), new(2)])) > old);
}

#[test]
fn self_rental_does_not_change_what_ones_own_machines_earn() {
    let own = |one: fn(u8) -> MachineFacts, n| MachineFacts { hotkey: hotkey(n), miner: account(1), ..one(n) };
    let mine = |one| fleet(vec![facts(1), own(one, 2), own(one, 3), facts(4)]);
    assert_eq!(of(1, &mine(facts)), of(1, &mine(rented)));
    let hidden = |one: fn(u8) -> MachineFacts, n| MachineFacts { hotkey: hotkey(1), ..one(n) };
    let mine = |one| fleet(vec![facts(1), hidden(one, 2), hidden(one, 3), facts(4)]);
    assert_eq!(of(1, &mine(facts)), of(1, &mine(rented)), "another address under one hotkey is no other owner");
}

#[test]
fn self_rental_under_another_hotkey_of_ones_own_coldkey_changes_nothing_either() {
    let coldkeys = || [(hotkey(1), Coldkey([9; 32])), (hotkey(2), Coldkey([9; 32]))].into();
    let mine = |second: fn(u8) -> MachineFacts| fleet(vec![facts(1), second(2), rented(3), facts(4)]);
    let linked = |second| Fleet { coldkeys: coldkeys(), ..mine(second) };
    assert!(of(1, &mine(facts)) < of(1, &mine(rented)), "a stranger's would");
    assert_eq!(of(1, &linked(facts)), of(1, &linked(rented)));
}

#[test]
fn a_second_name_that_rents_its_own_machines_brings_no_more_than_the_bounds() {
    let puppets = |one: fn(u8) -> MachineFacts| {
        let mut machines: Vec<MachineFacts> =
            (20..=200).map(|n| MachineFacts { miner: account(9), ..one(n) }).collect();
        machines.extend([facts(1), facts(2), facts(3)]);
        of(1, &fleet(machines))
    };
    // 181 machines count as 64 cards, beside 64 of nobody and 16 of others.
    assert_eq!(puppets(rented), 500_000 + (64 + 32) * 1_000_000 / 144);
    assert_eq!(puppets(facts), 500_000 + 32 * 1_000_000 / 144);
}

#[test]
fn what_earns_nothing_says_nothing_about_demand() {
    let base = of(1, &fleet(vec![facts(1), facts(2)]));
    let unbonded = MachineFacts { bonded_rao: 0, ..rented(3) };
    let unmeasured = MachineFacts { certified: None, ..rented(4) };
    assert_eq!(of(1, &fleet(vec![facts(1), facts(2), unbonded, unmeasured])), base);
}

#[test]
fn a_fault_is_no_lack_of_demand() {
    let mut broken = rented(2);
    broken.rentals[0].faults = vec![gone(2 * DAY, DAY, 1)];
    assert_eq!(of(1, &fleet(vec![facts(1), broken])), of(1, &fleet(vec![facts(1), rented(2)])));
}
