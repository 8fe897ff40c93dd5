//! Holes of other systems that must be impossible here, and what is known to be left.

use super::*;

#[test]
fn hole_24_a_bond_of_which_nothing_is_needed_does_not_pass() {
    let unknown = MachineFacts { bonded_rao: 0, required_bond_rao: 0, ..facts(1) };
    assert_eq!(none(unknown), [NoWeight::BondUnknown]);
    let rich = MachineFacts { bonded_rao: u64::MAX, required_bond_rao: 0, ..facts(1) };
    assert_eq!(none(rich), [NoWeight::BondUnknown]);
}

#[test]
fn hole_26_one_of_eight_cards_answering_is_paid_as_one() {
    let measured = Certified { gpu_class: CLASS, gpu_count: 1, measured_at_secs: AT };
    let one = MachineFacts { certified: Some(measured), ..facts(1) };
    assert_eq!(points(one), points(facts(1)) / 8);
    let admits = MachineFacts { cards_missing: Some(7), ..rented(1) };
    assert_eq!(points(admits), points(rented(1)) / 8);
    let gone = MachineFacts { cards_missing: Some(u16::MAX), ..rented(1) };
    assert_eq!(none(gone), [NoWeight::NoCards { promised: 8, missing: u16::MAX }]);
}

#[test]
fn hole_26_a_measurement_that_is_missing_does_not_pass() {
    assert_eq!(none(MachineFacts { certified: None, ..facts(1) }), [NoWeight::NotCertified]);
    assert_eq!(none(MachineFacts { certified: None, ..rented(1) }), [NoWeight::NotCertified], "rented or not");
    let empty = Certified { gpu_class: CLASS, gpu_count: 0, measured_at_secs: AT };
    let nothing = MachineFacts { certified: Some(empty), ..facts(1) };
    assert_eq!(none(nothing), [NoWeight::NoCards { promised: 8, missing: 0 }]);
}

#[test]
fn hole_27_who_rents_from_himself_earns_no_more_than_who_is_measured() {
    let own = RentalView { renter: account(1), ..rented(1).rentals[0].clone() };
    let hiding = among(MachineFacts { rentals: vec![own], ..rented(1) });
    let idle = among(facts(1));
    for (hiding, idle) in hiding.factors.iter().zip(&idle.factors) {
        assert!(matches!(hiding.why, Why::Reliability { .. }) || hiding.num <= idle.num, "{hiding:?} {idle:?}");
    }
}

#[test]
fn hole_27_a_certificate_that_had_lapsed_when_the_tenant_came_counts_for_nothing() {
    let late = Certified { gpu_class: CLASS, gpu_count: 8, measured_at_secs: AT - 12 * DAY };
    let one = MachineFacts { certified: Some(late), ..rented(1) };
    assert!(matches!(none(one)[..], [NoWeight::CertificateLapsed { .. }]));
}

#[test]
fn hole_30_uid_0_is_as_good_as_any() {
    let found = weighed(&fleet(vec![facts(1), facts(2)]));
    assert_eq!(found.weights, Ok(Weights { uids: vec![0, 1], values: vec![32_768, 32_767] }));
    let rules = WeightRules { burn_uid: Some(0), burn_ppm: 1_000_000, ..WeightRules::default() };
    let burned = weigh(&fleet(vec![facts(1), facts(2)]), &classes(), &rules).unwrap();
    assert_eq!(burned.weights, Ok(Weights { uids: vec![0], values: vec![UNITS] }));
}

#[test]
fn machines_of_one_hotkey_add_up_and_a_machine_cannot_be_there_twice() {
    let second = MachineFacts { hotkey: hotkey(1), miner: account(1), ..facts(2) };
    let found = weighed(&fleet(vec![facts(1), second, facts(3)]));
    let [one, other] = found.explanation.miners.as_slice() else { panic!("{:?}", found.explanation) };
    assert_eq!(one.milli_points, one.machines.iter().map(|machine| machine.milli_points).sum::<u64>());
    assert!(units(&found, 0) > units(&found, 1) && other.units > 0);
    let twice = weigh(&fleet(vec![facts(1), facts(1)]), &classes(), &WeightRules::default());
    assert_eq!(twice, Err(WeightsError::MachineTwice { machine: machine(1) }));
}
