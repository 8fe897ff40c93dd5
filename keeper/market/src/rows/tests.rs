//! Money: every second bought is in one place, and nothing is made or lost.
#![allow(clippy::unwrap_used)]

use crate::facts::{CaseFacts, Certificates, Reading, RentalFacts};
use crate::fixtures::*;
use crate::market::Market;
use crate::wire::{CaseKind, CaseState, RentalState};
use proptest::prelude::*;
use surety_core::types::{Kind, UnixSecs};
use surety_core::view::{CaseStatus, FaultView};

const STATUSES: [CaseStatus; 6] = [
    CaseStatus::Filed,
    CaseStatus::Appealed,
    CaseStatus::Refunded,
    CaseStatus::RefundedAppealed,
    CaseStatus::Executed,
    CaseStatus::Dismissed,
];

/// A rental as the contract can make one, with the cases of its faults, and the time it is looked at.
#[derive(Clone, Debug)]
struct Story {
    now_secs: UnixSecs,
    rental: RentalFacts,
    cases: Vec<CaseFacts>,
}

/// Faults are disjoint, ascending and of time that passed; an end is shortened at most to now.
fn story() -> impl Strategy<Value = Story> {
    let faults = proptest::collection::vec((0..5_000_u64, 1..5_000_u64, 0..6_usize), 0..8);
    let price = prop_oneof![Just(1), Just(1_099_511_627_775), 1..1_000_000_u64];
    (1..400_000_u64, 0..500_000_u64, 0..400_000_u64, price, faults).prop_map(|(bought, passed, cut, price, faults)| {
        let start_secs = MIDNIGHT_SECS + 1_000;
        let now_secs = start_secs + passed;
        let mut rental = rental(1, 1, start_secs, bought);
        rental.price_rao_per_sec = price;
        let end_secs = rental.end_secs.saturating_sub(cut).max(now_secs.min(rental.end_secs));
        rental.end_secs = end_secs;
        let (mut cases, mut free_secs, last_secs) = (vec![], start_secs, now_secs.min(end_secs));
        for (gap, secs, status) in faults {
            let (from_secs, until_secs) = (free_secs + gap, free_secs + gap + secs);
            if until_secs > last_secs {
                break;
            }
            free_secs = until_secs;
            let id = cases.len() as u64 + 1;
            rental.faults.push(FaultView { from_secs, until_secs, case_id: id });
            rental.faulted_secs += secs;
            let undecided = matches!(STATUSES[status], CaseStatus::Filed | CaseStatus::Appealed);
            rental.open_secs += if undecided { secs } else { 0 };
            cases.push(CaseFacts { withheld_secs: secs, ..case(id, 1, 1, STATUSES[status]) });
        }
        Story { now_secs, rental, cases }
    })
}

fn told(story: &Story) -> Market {
    let mut market = market();
    let (rentals, cases) = (vec![story.rental.clone()], story.cases.clone());
    let told = Reading { nodes: vec![node(1, 1)], rentals, cases, ..reading(story.now_secs, 99) };
    market.apply(told, Certificates::new());
    market
}

/// Seconds counted one after another: what each bought second became.
fn count(story: &Story, of: impl Fn(Option<CaseStatus>, UnixSecs) -> bool) -> u64 {
    let mut found = 0;
    let mut at_secs = story.rental.start_secs;
    while at_secs < story.rental.start_secs + story.rental.bought_secs {
        let fault = story.rental.faults.iter().find(|fault| (fault.from_secs..fault.until_secs).contains(&at_secs));
        let status_of = |id| story.cases.iter().find(|case| case.id == id).unwrap().status;
        let status = fault.map(|fault| status_of(fault.case_id));
        found += u64::from(of(status, at_secs));
        at_secs += 1;
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn money_is_what_seconds_counted_one_by_one_became(story in story()) {
        let (market, price) = (told(&story), story.rental.price_rao_per_sec);
        let (now_secs, end_secs) = (story.now_secs, story.rental.end_secs);
        let shown = market.rental(1).unwrap().rental;
        let cut = count(&story, |_, at| at >= end_secs);
        let to_come = count(&story, |_, at| at < end_secs && at >= now_secs);
        let served = count(&story, |status, at| {
            at < now_secs.min(end_secs) && status.is_none_or(|status| status == CaseStatus::Dismissed)
        });
        let undecided = count(&story, |status, _| matches!(status, Some(CaseStatus::Filed | CaseStatus::Appealed)));
        let renters = [CaseStatus::Executed, CaseStatus::Refunded, CaseStatus::RefundedAppealed];
        let compensated = count(&story, |status, _| status.is_some_and(|status| renters.contains(&status)));
        prop_assert_eq!(shown.refunded_rao.0, cut * price);
        prop_assert_eq!(shown.compensated_rao.0, compensated * price);
        prop_assert_eq!(shown.open_secs, undecided);
        prop_assert_eq!(story.rental.served_secs(&market.book, now_secs), served);
        prop_assert_eq!(market.miner(account(1)).earned_rao.0, served * price);
        // The identity: nothing is in two places, and nothing in none.
        let back = shown.refunded_rao.0 + shown.compensated_rao.0;
        prop_assert_eq!(shown.paid_rao.0, back + (served + undecided + to_come) * price);
        let totals = market.network().totals;
        prop_assert_eq!(totals.revenue_rao.0, served * price);
        prop_assert_eq!(totals.refunded_rao.0, shown.refunded_rao.0 + shown.compensated_rao.0);
    }
}

proptest! {
    #[test]
    fn days_sum_to_the_totals_and_served_and_faulted_to_what_passed(story in story()) {
        let market = told(&story);
        let passed = story.now_secs.min(story.rental.end_secs) - story.rental.start_secs;
        let (page, totals) = (market.machine(machine(1)).unwrap(), market.network().totals);
        let rented: u64 = page.days.iter().map(|day| u64::from(day.rented_secs)).sum();
        let faulted: u64 = page.days.iter().map(|day| u64::from(day.faulted_secs)).sum();
        prop_assert_eq!(rented, passed);
        prop_assert_eq!(totals.served_secs + faulted, passed);
        let days = market.network_days().days;
        prop_assert_eq!(days.iter().map(|day| day.rented_secs).sum::<u64>(), passed);
        prop_assert_eq!(days.iter().map(|day| day.served_secs).sum::<u64>(), totals.served_secs);
        prop_assert_eq!(days.iter().map(|day| day.rented_gpu_secs).sum::<u64>(), passed * 8);
        prop_assert_eq!(days.iter().map(|day| day.revenue_rao.0).sum::<u64>(), totals.revenue_rao.0);
        prop_assert_eq!(days.iter().map(|day| u64::from(day.rentals)).sum::<u64>(), totals.rentals);
        prop_assert_eq!(days.iter().map(|day| u64::from(day.cases)).sum::<u64>(), totals.cases);
        prop_assert!(days.iter().all(|day| day.renters <= 1 && day.rented_secs <= 86_400));
        let earned: u64 = market.miner(account(1)).days.iter().map(|day| day.earned_rao.0).sum();
        prop_assert_eq!(earned, totals.revenue_rao.0);
        prop_assert!(page.days.windows(2).all(|pair| pair[0].day < pair[1].day));
    }
}

#[test]
fn a_rental_runs_until_its_end_and_is_over_until_it_is_closed() {
    let at =
        |now_secs, closed| RentalFacts { closed, ..rental(1, 1, MIDNIGHT_SECS, 100) }.state(MIDNIGHT_SECS + now_secs);
    assert_eq!(at(99, false), RentalState::Running);
    assert_eq!(at(100, false), RentalState::Ended);
    assert_eq!(at(100, true), RentalState::Closed);
}

#[test]
fn what_a_case_has_not_is_null_and_not_zero() {
    let mut market = market();
    let filed = CaseFacts { cause: 77, ..case(1, 1, 0, CaseStatus::Executed) };
    market.apply(
        Reading { nodes: vec![node(1, 1)], cases: vec![filed], ..reading(MIDNIGHT_SECS, 9) },
        Certificates::new(),
    );
    let shown = market.case(1).unwrap();
    assert_eq!((shown.case.kind, shown.case.state), (CaseKind::Interrupted, CaseState::Executed));
    assert_eq!((shown.case.rental, shown.case.renter, shown.rental), (None, None, None));
    assert_eq!((shown.case.executable_at_secs, shown.case.appealable_until_secs), (None, None));
    assert_eq!((shown.case.appeal_bond_rao, shown.case.appeal), (None, None));
    assert_eq!(shown.case.cause, crate::wire::CaseCause::None);
}

#[test]
fn of_an_outage_no_more_is_burned_than_the_rental_has_earned() {
    let start_secs = MIDNIGHT_SECS;
    // 600 s, of which 100 without service, at 100 rao a second: 50,000 rao earned.
    let rentals = vec![faulted(rental(1, 1, start_secs, 600), 500, 100, 1)];
    let offline = |status, penalty_rao| CaseFacts { kind: Kind::Offline, penalty_rao, ..case(1, 1, 1, status) };
    let burned = |one: CaseFacts| {
        let mut market = market();
        let reading = Reading {
            nodes: vec![node(1, 1)],
            rentals: rentals.clone(),
            cases: vec![one],
            ..reading(start_secs + 700, 1)
        };
        market.apply(reading, Certificates::new());
        let page = market.miner(market.row(&machine(1)).unwrap().miner);
        assert_eq!(page.penalties_rao, market.network().totals.penalties_executed_rao);
        page.penalties_rao.0
    };
    assert_eq!(burned(offline(CaseStatus::Executed, 70_000)), 50_000);
    assert_eq!(burned(offline(CaseStatus::Executed, 30_000)), 30_000);
    assert_eq!(burned(offline(CaseStatus::Filed, 30_000)), 0);
    assert_eq!(burned(CaseFacts { kind: Kind::NotDelivered, ..offline(CaseStatus::Executed, 70_000) }), 70_000);
}
