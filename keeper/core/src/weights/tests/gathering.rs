//! What becomes of what the chain says on the way into a fleet.
#![allow(clippy::cast_possible_truncation)]

use super::super::Certified;
use super::super::gather::{Counted, Measured, OnChain, OnSubnet, OwnRecord, Registered, StatedBond, gather};
use crate::types::{Account, Coldkey, Hotkey, Kind, MachineId, SshKey};
use crate::view::{CaseStatus, CaseView, NodeView, OfferView, RentalView};
use std::collections::BTreeMap;

const MACHINE: MachineId = MachineId([1; 32]);

fn registered(registration: u32, current: bool) -> Registered {
    let offer = OfferView { gpu_class: 3, gpu_count: 8, price_rao_per_sec: 5, expires_at_secs: 9_000 };
    let node = NodeView {
        machine: MACHINE,
        miner: if current { Account([2; 20]) } else { Account::default() },
        registration,
        endpoint: None,
        free_rao: 10,
        reserved_rao: 20,
        held_rao: 30,
        exiting_rao: 40,
        offer: current.then_some(offer),
        last_rental: 0,
    };
    Registered { node, current, hotkey: Hotkey([registration as u8; 32]), miner: Account([2; 20]), stated: None }
}

fn rental(id: u64) -> RentalView {
    RentalView {
        id,
        machine: MACHINE,
        renter: Account([9; 20]),
        renter_key: SshKey([9; 32]),
        gpu_class: 5,
        gpu_count: 2,
        price_rao_per_sec: 1,
        start_secs: 100,
        end_secs: 200,
        paid_until_secs: 100,
        claimed_secs: 0,
        closed: false,
        faults: vec![],
    }
}

fn case(id: u64, kind: Kind, registration: u32) -> CaseView {
    CaseView {
        id,
        kind,
        status: CaseStatus::Filed,
        rental: 0,
        executable_at_secs: 1,
        penalty_rao: 0,
        registration,
        filed_at_secs: 1,
    }
}

/// A machine registered for the second time, with a past of its own under each number.
fn chain() -> OnChain {
    OnChain {
        at_secs: 1_000,
        registered: vec![registered(1, false), registered(2, true)],
        rentals: vec![(1, rental(1)), (2, rental(2))],
        cases: vec![case(1, Kind::Spoofed, 1), case(2, Kind::Offline, 1), case(3, Kind::Offline, 2)],
        class_bonds: BTreeMap::from([(3, 100), (5, 7)]),
    }
}

fn known(registration: u32) -> OwnRecord {
    let certified = Some(Certified { gpu_class: 3, gpu_count: 8, measured_at_secs: 900 });
    let measured = Measured { registration, certified, round_share_ppm: Some(7), cards_missing: Some(2) };
    OwnRecord { measured: BTreeMap::from([(MACHINE, measured)]), counted: vec![] }
}

#[test]
fn rentals_and_cases_go_to_the_registration_they_are_of() {
    let fleet = gather(&chain(), &known(2), OnSubnet::default());
    let [one] = &fleet.machines[..] else { panic!("{:?}", fleet.machines) };
    assert_eq!((one.registration, one.hotkey), (2, Hotkey([2; 32])));
    assert_eq!(one.rentals.iter().map(|rental| rental.id).collect::<Vec<_>>(), [2]);
    assert_eq!(one.cases.iter().map(|case| case.id).collect::<Vec<_>>(), [3]);
}

#[test]
fn of_a_registration_that_is_over_only_spoofs_are_remembered_and_by_whom() {
    let fleet = gather(&chain(), &known(2), OnSubnet::default());
    let [past] = &fleet.past_spoofs[..] else { panic!("{:?}", fleet.past_spoofs) };
    assert_eq!((past.case.id, past.hotkey, past.miner), (1, Hotkey([1; 32]), Account([2; 20])));
}

#[test]
fn bond_on_its_way_out_backs_nothing_and_what_is_required_follows_the_offer() {
    let fleet = gather(&chain(), &known(2), OnSubnet::default());
    assert_eq!((fleet.machines[0].bonded_rao, fleet.machines[0].required_bond_rao), (60, 800));
}

#[test]
fn a_cheap_offer_made_while_a_dear_rental_runs_lowers_no_bond() {
    let mut chain = chain();
    chain.class_bonds.insert(5, 1_000);
    let fleet = gather(&chain, &known(2), OnSubnet::default());
    assert_eq!(fleet.machines[0].required_bond_rao, 2_000, "two cards of the class it is rented as");
}

#[test]
fn without_an_offer_what_it_was_last_rented_as_says_what_is_required() {
    let mut chain = chain();
    chain.registered[1].node.offer = None;
    let required = |chain: &OnChain| gather(chain, &known(2), OnSubnet::default()).machines[0].required_bond_rao;
    assert_eq!(required(&chain), 14);
    chain.rentals.clear();
    assert_eq!(required(&chain), 0, "unknown, which backs nothing");
}

#[test]
fn a_measurement_of_the_registration_before_is_not_this_ones() {
    let fleet = |registration| gather(&chain(), &known(registration), OnSubnet::default());
    assert_eq!(fleet(2).machines[0].certified.map(|c| c.gpu_count), Some(8));
    assert_eq!(fleet(2).machines[0].round_share_ppm, Some(7));
    assert_eq!((fleet(1).machines[0].certified, fleet(1).machines[0].round_share_ppm), (None, None));
    assert_eq!((fleet(2).machines[0].cards_missing, fleet(1).machines[0].cards_missing), (Some(2), None));
}

#[test]
fn a_class_that_is_not_on_the_market_has_no_bond_that_would_do() {
    let mut chain = chain();
    chain.class_bonds.clear();
    let fleet = gather(&chain, &known(2), OnSubnet::default());
    assert_eq!(fleet.machines[0].required_bond_rao, 0);
}

#[test]
fn owners_are_asked_for_of_machines_that_are_there_and_of_those_that_were_caught() {
    let mut chain = chain();
    assert_eq!(chain.hotkeys(), [Hotkey([1; 32]), Hotkey([2; 32])].into());
    chain.cases.retain(|case| case.kind != Kind::Spoofed);
    assert_eq!(chain.hotkeys(), [Hotkey([2; 32])].into(), "nobody is caught, and the first registration is over");
    let coldkeys = BTreeMap::from([(Hotkey([2; 32]), Coldkey([9; 32]))]);
    let subnet = OnSubnet { coldkeys: coldkeys.clone(), ..OnSubnet::default() };
    assert_eq!(gather(&chain, &known(2), subnet).coldkeys, coldkeys);
}

#[test]
fn a_registration_was_made_after_the_last_time_that_it_was_not_there() {
    let since = |counted: &[(u32, u64)]| {
        let counted = counted.iter().map(|(registrations, last_secs)| (*registrations, *last_secs));
        let counted = counted.map(|(registrations, last_secs)| Counted { registrations, last_secs }).collect();
        let own = OwnRecord { counted, ..known(2) };
        gather(&chain(), &own, OnSubnet::default()).machines[0].since_secs
    };
    assert_eq!(since(&[]), 0, "nobody counted");
    assert_eq!(since(&[(2, 700), (5, 900)]), 0, "it was there before anybody counted");
    assert_eq!(since(&[(1, 600), (2, 700)]), 600);
    assert_eq!(since(&[(2, 700), (1, 600), (0, 100)]), 600);
}

#[test]
fn a_new_machine_is_on_offer_only_since_it_may_have_been_there() {
    let counted = vec![Counted { registrations: 1, last_secs: 950 }];
    let fleet = gather(&chain(), &OwnRecord { counted, ..known(2) }, OnSubnet::default());
    let rules = crate::weights::WeightRules::default();
    let (_, offered_secs) = crate::weights::record::use_secs(&fleet.machines[0], 3, 1_000, &rules);
    assert_eq!(offered_secs, 50);
}

/// SPEC 20: a bond elsewhere is bond here by a quorum's word, until the second in which it could leave.
#[test]
fn a_stated_bond_counts_until_it_can_leave_or_a_case_has_taken_of_it() {
    let bonded = |at_secs, cases: Vec<CaseView>| {
        let stated = Some(StatedBond { value_rao: 1_000, stated_at_secs: 100, until_secs: 500 });
        let registered = vec![Registered { stated, ..registered(1, true) }];
        let chain = OnChain { at_secs, registered, cases, ..OnChain::default() };
        gather(&chain, &OwnRecord::default(), OnSubnet::default()).machines[0].bonded_rao
    };
    assert_eq!((bonded(499, vec![]), bonded(500, vec![])), (1_060, 60));
    let filed = |kind, filed_at_secs| vec![CaseView { filed_at_secs, ..case(1, kind, 1) }];
    assert_eq!((bonded(499, filed(Kind::Offline, 99)), bonded(499, filed(Kind::Offline, 100))), (1_060, 60));
    assert_eq!((bonded(499, filed(Kind::Spoofed, 300)), bonded(499, filed(Kind::Interrupted, 300))), (60, 1_060));
}
