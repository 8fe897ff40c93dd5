//! Reasons to earn nothing, each by its name.

use super::*;

#[test]
fn what_is_neither_offered_nor_rented_earns_nothing() {
    assert_eq!(none(MachineFacts { offer: None, ..facts(1) }), [NoWeight::NotOffered]);
    let lapsed = OfferView { expires_at_secs: AT, ..offer(CLASS, 8) };
    assert_eq!(none(MachineFacts { offer: Some(lapsed), ..facts(1) }), [NoWeight::NotOffered]);
}

#[test]
fn too_little_bond_earns_nothing() {
    let short = MachineFacts { bonded_rao: 999, ..facts(1) };
    assert_eq!(none(short), [NoWeight::BondTooLow { have_rao: 999, need_rao: 1_000 }]);
}

#[test]
fn a_spoof_zeroes_every_machine_of_the_owner_and_nobody_elses() {
    let spoofed = |status| {
        let guilty = MachineFacts { cases: vec![case(4, Kind::Spoofed, status)], ..facts(1) };
        let same_hotkey = MachineFacts { hotkey: hotkey(1), ..facts(2) };
        let same_address = MachineFacts { miner: account(1), ..facts(3) };
        weighed(&fleet(vec![guilty, same_hotkey, same_address, facts(4)]))
    };
    let found = spoofed(CaseStatus::Filed);
    for n in 1..=3 {
        assert_eq!(of_machine(&found, n).none, [NoWeight::Spoofed { case: 4 }], "machine {n}");
    }
    assert!(of_machine(&found, 4).milli_points > 0);
    assert_eq!(units(&found, 2), UNITS, "the honest one has it all");
    let dismissed = spoofed(CaseStatus::Dismissed);
    assert!((1..=4).all(|n| of_machine(&dismissed, n).none.is_empty()));
}

#[test]
fn owners_are_linked_through_others() {
    let guilty = MachineFacts { cases: vec![case(4, Kind::Spoofed, CaseStatus::Executed)], ..facts(1) };
    let link = MachineFacts { miner: account(1), ..facts(2) };
    let far = MachineFacts { hotkey: hotkey(2), ..facts(3) };
    let found = weighed(&fleet(vec![far, guilty, link, facts(4)]));
    assert_eq!(of_machine(&found, 3).none, [NoWeight::Spoofed { case: 4 }]);
}

#[test]
fn hotkeys_of_one_coldkey_are_one_owners_and_a_coldkey_that_is_none_links_nobody() {
    let caught = vec![case(3, Kind::Spoofed, CaseStatus::Filed)];
    let guilty = MachineFacts { cases: caught, ..facts(1) };
    let machines = vec![guilty, facts(2), facts(3), facts(4)];
    let with = |coldkeys: [(u8, u8); 4]| {
        let coldkeys = coldkeys.map(|(n, of)| (hotkey(n), Coldkey([of; 32]))).into();
        let found = weighed(&Fleet { coldkeys, ..fleet(machines.clone()) });
        [1, 2, 3, 4].map(|n| of_machine(&found, n).milli_points == 0)
    };
    assert_eq!(with([(1, 9), (2, 9), (3, 8), (4, 8)]), [true, true, false, false]);
    assert_eq!(with([(1, 0), (2, 0), (3, 0), (4, 0)]), [true, false, false, false], "zero is nobody");
    // One that was caught with a registration that is over, under a hotkey that has no machine any more.
    let past = PastSpoof { hotkey: hotkey(7), miner: account(7), case: case(3, Kind::Spoofed, CaseStatus::Filed) };
    let coldkeys = [(hotkey(7), Coldkey([9; 32])), (hotkey(2), Coldkey([9; 32]))].into();
    let found = weighed(&Fleet { past_spoofs: vec![past], coldkeys, ..fleet(vec![facts(2), facts(3)]) });
    assert_eq!([2, 3].map(|n| of_machine(&found, n).milli_points == 0), [true, false]);
}

#[test]
fn retired_machines_link_nobody() {
    let retired = |n| MachineFacts { miner: Account::default(), ..facts(n) };
    let guilty = MachineFacts { cases: vec![case(4, Kind::Spoofed, CaseStatus::Filed)], ..retired(1) };
    let found = weighed(&fleet(vec![guilty, retired(2)]));
    assert!(of_machine(&found, 2).none.is_empty());
}

#[test]
fn a_spoof_is_not_forgiven_with_a_new_registration() {
    let mut fleet = fleet(vec![facts(1), facts(2)]);
    let (hotkey, miner) = (hotkey(99), account(1));
    fleet.past_spoofs = vec![PastSpoof { hotkey, miner, case: case(9, Kind::Spoofed, CaseStatus::Executed) }];
    assert_eq!(of_machine(&weighed(&fleet), 1).none, [NoWeight::Spoofed { case: 9 }]);
    fleet.past_spoofs[0].case.status = CaseStatus::Dismissed;
    assert!(of_machine(&weighed(&fleet), 1).none.is_empty());
    fleet.past_spoofs[0].case = CaseView { kind: Kind::Offline, ..case(9, Kind::Offline, CaseStatus::Executed) };
    assert!(of_machine(&weighed(&fleet), 1).none.is_empty(), "its outages stay with the old registration");
}

#[test]
fn a_spoof_is_forgotten_after_the_window_and_one_without_a_date_is_not() {
    let filed = |filed_at_secs| {
        let old = CaseView { filed_at_secs, ..case(4, Kind::Spoofed, CaseStatus::Executed) };
        among(MachineFacts { cases: vec![old], ..facts(1) }).none
    };
    assert_eq!(filed(AT - 30 * DAY), [NoWeight::Spoofed { case: 4 }]);
    assert_eq!(filed(AT - 30 * DAY - 1), []);
    assert_eq!(filed(0), [NoWeight::Spoofed { case: 4 }]);
    assert_eq!(filed(u64::MAX), [NoWeight::Spoofed { case: 4 }]);
}

#[test]
fn a_hotkey_without_a_seat_earns_nothing() {
    let mut fleet = fleet(vec![facts(1), facts(2)]);
    fleet.seats.remove(&hotkey(1));
    let found = weighed(&fleet);
    assert_eq!(of_machine(&found, 1).none, [NoWeight::NoSeat]);
    assert_eq!(units(&found, 1), UNITS);
}

#[test]
fn the_uid_that_takes_what_is_burned_earns_nothing_beside_it() {
    let rules = WeightRules { burn_uid: Some(0), burn_ppm: 100_000, ..WeightRules::default() };
    let found = weigh(&fleet(vec![facts(1), facts(2)]), &classes(), &rules).unwrap();
    assert_eq!(of_machine(&found, 1).none, [NoWeight::BurnSeat { uid: 0 }]);
    assert_eq!(units(&found, 0), 6_553);
}

#[test]
fn an_idle_machine_at_a_price_nobody_pays_earns_nothing_and_a_rented_one_is_not_asked() {
    let rules = WeightRules {
        price_caps: vec![PriceCap { gpu_class: CLASS, rao_per_card_sec: 100 }],
        ..WeightRules::default()
    };
    let find = |one| of_machine(&weigh(&fleet(vec![one]), &classes(), &rules).unwrap(), 1).none;
    let dear = |price_rao_per_sec| Some(OfferView { price_rao_per_sec, ..offer(CLASS, 8) });
    let asks = |price| MachineFacts { offer: dear(price), ..facts(1) };
    assert_eq!(find(asks(800)), []);
    let refused = NoWeight::PriceTooHigh { asked_rao_per_sec: 801, most_rao_per_sec: 800 };
    assert_eq!(find(asks(801)), [refused]);
    assert_eq!(find(MachineFacts { offer: dear(u64::MAX), ..rented(1) }), []);
}

#[test]
fn every_reason_is_named_and_not_only_the_first() {
    let wreck = MachineFacts {
        offer: None,
        bonded_rao: 0,
        round_share_ppm: Some(0),
        cases: vec![case(4, Kind::Spoofed, CaseStatus::Filed)],
        ..facts(1)
    };
    let reasons = [
        NoWeight::Spoofed { case: 4 },
        NoWeight::NotOffered,
        NoWeight::BondTooLow { have_rao: 0, need_rao: 1_000 },
        NoWeight::NoRoundPassed,
    ];
    assert_eq!(none(wreck), reasons);
}

#[test]
fn a_machine_rented_without_end_earns_nothing_and_stops_nobody_elses_weights() {
    let often = |count: u64| {
        let rentals = (0..count).map(|n| RentalView { id: n + 1, ..rental(1, 2 * DAY + n + 1, 2 * DAY + n) });
        MachineFacts { rentals: rentals.collect(), ..facts(1) }
    };
    let found = weighed(&fleet(vec![often(4_097), facts(2)]));
    assert_eq!(of_machine(&found, 1).none, [NoWeight::TooManyRentals { rentals: 4_097, max: 4_096 }]);
    assert_eq!(units(&found, 1), UNITS);
    assert!(of_machine(&weighed(&fleet(vec![often(4_096)])), 1).none.is_empty());
}
