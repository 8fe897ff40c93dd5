//! Rows: what a machine can be used for, and that what is kept is what the facts say.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::fixtures::*;
use surety_core::types::Kind;
use surety_core::view::CaseStatus;
use surety_core::weights::StatedBond;

const NOW: UnixSecs = MIDNIGHT_SECS + 40_000;

/// A market of one machine, certified a minute ago.
fn of_one(change: impl FnOnce(&mut Reading)) -> Market {
    let mut reading = Reading { nodes: vec![node(1, 1)], ..reading(NOW, 9) };
    change(&mut reading);
    let mut market = market();
    market.apply(reading, certificate(1, 1, NOW - 60));
    market
}

fn is(market: &Market) -> Availability {
    market.row(&machine(1)).unwrap().availability
}

fn with_offer(node: &mut NodeFacts, change: impl FnOnce(&mut Offer)) {
    let mut changed = offer();
    change(&mut changed);
    node.offer = Some(changed);
}

/// Time passes, and nothing else.
fn until(market: &mut Market, at_secs: UnixSecs) {
    let certificates = market.certificates.clone();
    market.apply(reading(at_secs, 9), certificates);
}

#[test]
fn a_machine_offered_bonded_and_certified_is_free() {
    assert_eq!(is(&of_one(|_| {})), Availability::Free);
}

#[test]
fn a_machine_without_a_live_offer_is_not_offered() {
    assert_eq!(is(&of_one(|r| r.nodes[0].offer = None)), Availability::NotOffered);
    let expires = |at_secs| of_one(|r| with_offer(&mut r.nodes[0], |offer| offer.expires_at_secs = at_secs));
    // Escrow: live while now < expiresAt.
    assert_eq!(is(&expires(NOW)), Availability::NotOffered);
    assert_eq!(is(&expires(NOW + 1)), Availability::Free);
}

#[test]
fn an_offer_that_lapsed_is_not_shown_nor_counted() {
    let mut market = of_one(|r| with_offer(&mut r.nodes[0], |offer| offer.expires_at_secs = NOW + 12));
    assert_eq!((market.row(&machine(1)).unwrap().offer.is_some(), market.network().totals.offered), (true, 1));
    until(&mut market, NOW + 12);
    let network = market.network();
    assert_eq!((market.row(&machine(1)).unwrap().offer, network.totals.offered), (None, 0));
    assert!(network.classes.is_empty());
    assert_eq!(market.prices(&machine(1))[0].price_rao_per_sec, Amount(0));
}

#[test]
fn an_offer_of_a_class_off_the_market_is_none() {
    // What needs no bond has no quote: Escrow refuses a class whose bond is zero.
    assert_eq!(is(&of_one(|r| r.nodes[0].needed_rao = 0)), Availability::NotOffered);
}

#[test]
fn a_machine_is_rented_until_the_second_its_rental_ends_and_rests_through_its_turnaround() {
    let mut market = of_one(|r| r.rentals = vec![rental(1, 1, NOW - 100, 200)]);
    assert_eq!((is(&market), market.row(&machine(1)).unwrap().rental), (Availability::Rented, Some(1)));
    until(&mut market, NOW + 99);
    assert_eq!(is(&market), Availability::Rented);
    until(&mut market, NOW + 100);
    assert_eq!((is(&market), market.row(&machine(1)).unwrap().rental), (Availability::Resting, None));
    until(&mut market, NOW + 129);
    assert_eq!(is(&market), Availability::Resting);
    market.apply(reading(NOW + 130, 9), certificate(1, 1, NOW + 100));
    assert_eq!(is(&market), Availability::Free);
}

#[test]
fn a_machine_behind_two_rentals_that_are_not_closed_takes_no_third() {
    // Vault: a node backs at most two rentals that are not closed.
    let two = || vec![rental(1, 1, NOW - 900, 200), rental(2, 1, NOW - 400, 200)];
    assert_eq!(is(&of_one(|r| r.rentals = two())), Availability::Resting);
    let mut closed = two();
    closed[0].closed = true;
    assert_eq!(is(&of_one(|r| r.rentals = closed)), Availability::Free);
}

#[test]
fn a_certificate_from_before_the_last_tenant_left_serves_nobody() {
    let ended = |ago: u64| of_one(|r| r.rentals = vec![rental(1, 1, NOW - 1_000, 1_000 - ago)]);
    assert_eq!(is(&ended(60)), Availability::Free);
    assert_eq!(is(&ended(59)), Availability::Unverified);
}

#[test]
fn a_certificate_serves_its_registration_class_and_cards_alone_and_for_its_life() {
    let mut market = of_one(|_| {});
    until(&mut market, NOW - 60 + LIFE_SECS);
    assert_eq!(is(&market), Availability::Free);
    until(&mut market, NOW - 60 + LIFE_SECS + 1);
    assert_eq!(is(&market), Availability::Unverified);
    market.apply(reading(NOW + 5_000, 9), certificate(1, 2, NOW + 4_999));
    assert_eq!(is(&market), Availability::Unverified);
    let larger: [fn(&mut Offer); 2] = [|offer| offer.gpu_class = 4, |offer| offer.gpu_count = 9];
    for change in larger {
        assert_eq!(is(&of_one(|r| with_offer(&mut r.nodes[0], change))), Availability::Unverified);
    }
}

#[test]
fn a_certificate_from_before_a_spoof_was_filed_serves_no_more_however_the_case_ends() {
    // Escrow: distrust is the time of filing; one measured in the same second still serves.
    for status in [CaseStatus::Filed, CaseStatus::Executed, CaseStatus::Dismissed] {
        for (filed_at_secs, expected) in [(NOW - 60, Availability::Free), (NOW - 59, Availability::Unverified)] {
            let spoof = crate::facts::CaseFacts { kind: Kind::Spoofed, filed_at_secs, ..case(1, 1, 0, status) };
            assert_eq!(is(&of_one(|r| r.cases = vec![spoof])), expected, "{status:?}");
        }
    }
    let other = crate::facts::CaseFacts { filed_at_secs: NOW - 59, ..case(1, 1, 0, CaseStatus::Filed) };
    assert_eq!(is(&of_one(|r| r.cases = vec![other])), Availability::Free);
}

#[test]
fn a_certificate_lapses_on_a_machine_that_is_not_offered_too() {
    let mut market = of_one(|r| r.nodes[0].offer = None);
    assert!(market.row(&machine(1)).unwrap().verified_until_secs.is_some());
    until(&mut market, NOW - 60 + LIFE_SECS + 1);
    assert_eq!(market.row(&machine(1)).unwrap().verified_until_secs, None);
}

#[test]
fn a_bond_elsewhere_counts_for_what_is_missing_if_it_stays_and_was_stated_after_the_last_tenant() {
    let stated = |until_secs, stated_at_secs, free_rao| {
        of_one(|r| {
            r.rentals = vec![rental(1, 1, NOW - 1_000, 800)];
            r.nodes[0].free_rao = free_rao;
            r.nodes[0].stated = Some(StatedBond { value_rao: 600, stated_at_secs, until_secs });
        })
    };
    // The shortest rental, 60 s, and the settle lag, 600 s, from now.
    let stays = NOW + 660;
    assert_eq!(is(&stated(stays, NOW - 200, 400)), Availability::Free);
    assert_eq!(is(&stated(stays, NOW - 200, 399)), Availability::Underbonded);
    assert_eq!(is(&stated(stays - 1, NOW - 200, 400)), Availability::Underbonded);
    assert_eq!(is(&stated(stays, NOW - 201, 400)), Availability::Underbonded);
    assert_eq!(is(&stated(stays - 1, NOW - 201, 1_000)), Availability::Free);
}

#[test]
fn what_was_stated_is_shown_until_it_can_leave_also_where_nothing_is_offered() {
    let stated = StatedBond { value_rao: 600, stated_at_secs: NOW, until_secs: NOW + 12 };
    let mut market = market();
    let idle = NodeFacts { offer: None, stated: Some(stated), ..node(1, 1) };
    market.apply(Reading { nodes: vec![idle], ..reading(NOW, 9) }, Certificates::new());
    assert_eq!(market.row(&machine(1)).unwrap().bond.stated_rao, Amount(600));
    market.apply(reading(NOW + 12, 9), Certificates::new());
    assert_eq!(market.row(&machine(1)).unwrap().bond.stated_rao, Amount(0));
}

#[test]
fn a_retired_machine_has_no_row_and_nothing_of_it_is_kept() {
    let mut market = of_one(|_| {});
    let retired = NodeFacts { retired: true, current: false, offer: None, ..node(1, 1) };
    market.apply(Reading { nodes: vec![retired], ..reading(NOW + 12, 9) }, Certificates::new());
    assert_eq!(market.row(&machine(1)), None);
    assert!(market.machine(machine(1)).is_none());
    assert!(market.offers.is_empty());
}

#[test]
fn a_registration_number_that_a_reorg_gave_to_another_machine_leaves_nothing_behind() {
    let mut market = market();
    let idle = NodeFacts { offer: None, ..node(1, 1) };
    market.apply(Reading { nodes: vec![idle], ..reading(NOW, 9) }, Certificates::new());
    market.apply(Reading { nodes: vec![node(1, 2)], ..reading(NOW + 12, 9) }, Certificates::new());
    assert_eq!(market.row(&machine(1)), None);
    assert!(market.row(&machine(2)).is_some());
}

#[test]
fn a_rental_or_case_that_a_reorg_gave_to_another_machine_is_counted_there_alone() {
    let idle = |registration, number| NodeFacts { offer: None, ..node(registration, number) };
    let mut market = market();
    let over = crate::facts::RentalFacts { closed: true, ..rental(1, 1, NOW - 500, 100) };
    let first = Reading {
        nodes: vec![idle(1, 1), idle(2, 2)],
        rentals: vec![over.clone()],
        cases: vec![case(1, 1, 1, CaseStatus::Filed)],
        ..reading(NOW, 9)
    };
    market.apply(first, Certificates::new());
    let moved = crate::facts::RentalFacts { registration: 2, ..over };
    let again = Reading { rentals: vec![moved], ..reading(NOW + 12, 9) };
    market.apply(again, Certificates::new());
    let rentals = |market: &Market| [1, 2].map(|number| market.row(&machine(number)).unwrap().rentals);
    assert_eq!(rentals(&market), [0, 1]);
    let again = Reading { cases: vec![case(1, 2, 1, CaseStatus::Filed)], ..reading(NOW + 24, 9) };
    market.apply(again, Certificates::new());
    let open = [1, 2].map(|number| market.row(&machine(number)).unwrap().cases.open);
    assert_eq!(open, [0, 1]);
}

#[test]
fn prices_are_noted_when_they_change_and_not_those_of_blocks_that_were_undone() {
    let priced = |price| {
        let mut node = node(1, 1);
        with_offer(&mut node, |offer| offer.price_rao_per_sec = Amount(price));
        node
    };
    let mut market = market();
    for (at_secs, price) in [(NOW, 100), (NOW + 12, 100), (NOW + 24, 200), (NOW + 36, 300)] {
        market.apply(Reading { nodes: vec![priced(price)], ..reading(at_secs, 9) }, Certificates::new());
    }
    let seen = |market: &Market| -> Vec<(UnixSecs, u64)> {
        market.prices(&machine(1)).iter().map(|point| (point.at_secs, point.price_rao_per_sec.0)).collect()
    };
    assert_eq!(seen(&market), [(NOW + 36, 300), (NOW + 24, 200), (NOW, 100)]);
    // Back behind the last: another block of the time of the one before, and there the price is another.
    market.apply(Reading { nodes: vec![priced(250)], ..reading(NOW + 24, 9) }, Certificates::new());
    assert_eq!(seen(&market), [(NOW + 24, 250), (NOW, 100)]);
    // And one where it never changed.
    market.apply(Reading { nodes: vec![priced(100)], ..reading(NOW + 13, 9) }, Certificates::new());
    assert_eq!(seen(&market), [(NOW, 100)]);
}

#[test]
fn prices_are_bounded_the_oldest_are_forgotten() {
    let mut market = market();
    for step in 0..300_u64 {
        let mut node = node(1, 1);
        with_offer(&mut node, |offer| offer.price_rao_per_sec = Amount(step + 1));
        market.apply(Reading { nodes: vec![node], ..reading(NOW + step, 9) }, Certificates::new());
    }
    let prices = market.prices(&machine(1));
    assert_eq!(
        (prices.len(), prices[0].price_rao_per_sec, prices[199].price_rao_per_sec),
        (200, Amount(300), Amount(101))
    );
}

#[test]
fn registrations_whose_class_bond_changed_are_asked_for_again() {
    let bonds = |bond| Beside { class_bonds: [(3, bond)].into(), keepers: vec![] };
    let counts = Counts { registrations: 1, ..Counts::default() };
    let mut market = market();
    market.apply(Reading { nodes: vec![node(1, 1)], ..reading(NOW, 1) }, Certificates::new());
    market.put_beside(bonds(50));
    assert!(market.missing(counts, 10).is_empty());
    market.put_beside(bonds(50));
    assert!(market.missing(counts, 10).is_empty());
    market.put_beside(bonds(10));
    assert_eq!(market.missing(counts, 10).registrations, [1].into());
    market.apply(Reading { nodes: vec![node(1, 1)], ..reading(NOW + 36, 1) }, Certificates::new());
    assert!(market.missing(counts, 10).is_empty());
}
