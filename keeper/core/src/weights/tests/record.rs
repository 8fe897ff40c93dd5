//! Reliability: promised and served seconds, dismissed cases, terminating cases.

use super::*;
use crate::weights::record::Record;

fn record(one: &MachineFacts) -> Record {
    Record::of(one, AT, &WeightRules::default())
}

fn with(rentals: Vec<RentalView>) -> MachineFacts {
    MachineFacts { rentals, ..facts(1) }
}

fn faulted(rental: RentalView, faults: &[FaultView]) -> RentalView {
    RentalView { faults: faults.to_vec(), ..rental }
}

fn reliability_ppm(one: MachineFacts) -> u64 {
    factor(&among(one), |why| matches!(why, Why::Reliability { .. }))
}

#[test]
fn promised_is_what_was_bought_up_to_now_within_the_window() {
    let promised = |from_back, until_back| record(&with(vec![rental(1, from_back, until_back)])).promised_secs;
    assert_eq!(promised(3 * DAY, DAY), 2 * DAY);
    assert_eq!(promised(40 * DAY, 29 * DAY), DAY, "the window is 30 days");
    assert_eq!(promised(40 * DAY, 30 * DAY), 0);
    let going_on = RentalView { end_secs: AT + 9 * DAY, ..rental(1, DAY, 0) };
    assert_eq!(record(&with(vec![going_on])).promised_secs, DAY);
    let to_come = RentalView { start_secs: AT + 5, end_secs: AT + 9, ..rental(1, DAY, 0) };
    assert_eq!(record(&with(vec![to_come])).promised_secs, 0);
}

#[test]
fn served_is_promised_less_recorded_faults() {
    let one = faulted(rental(1, 3 * DAY, DAY), &[gone(3 * DAY, 3 * DAY - 100, 1), gone(2 * DAY, 2 * DAY - 50, 2)]);
    let Record { promised_secs, served_secs, .. } = record(&with(vec![one]));
    assert_eq!((promised_secs, served_secs), (2 * DAY, 2 * DAY - 150));
}

#[test]
fn faults_that_overlap_or_come_in_any_order_or_lie_outside_count_once() {
    let whole = 2 * DAY;
    let served = |faults: &[FaultView]| record(&with(vec![faulted(rental(1, 3 * DAY, DAY), faults)])).served_secs;
    let (a, b) = (gone(2 * DAY, 2 * DAY - 100, 1), gone(2 * DAY - 50, 2 * DAY - 150, 2));
    assert_eq!(served(&[a, b]), whole - 150);
    assert_eq!(served(&[b, a, b]), whole - 150);
    assert_eq!(served(&[gone(5 * DAY, 3 * DAY, 1), gone(DAY, 0, 1)]), whole, "before and after");
    assert_eq!(served(&[FaultView { from_secs: 9, until_secs: 3, case_id: 1 }]), whole, "ends before it begins");
    assert_eq!(served(&[FaultView { from_secs: 0, until_secs: u64::MAX, case_id: 1 }]), 0);
}

#[test]
fn rentals_that_overlap_promise_each_second_once() {
    let twice = with(vec![rental(1, 3 * DAY, DAY), RentalView { id: 2, ..rental(1, 2 * DAY, 0) }]);
    assert_eq!(record(&twice).promised_secs, 3 * DAY);
}

#[test]
fn a_dismissed_case_counts_for_nothing() {
    let fault = [gone(2 * DAY, DAY, 8)];
    let one = |status| MachineFacts {
        rentals: vec![faulted(rental(1, 3 * DAY, DAY), &fault)],
        cases: vec![case(8, Kind::Offline, status)],
        ..facts(1)
    };
    let clean = MachineFacts { rentals: vec![rental(1, 3 * DAY, DAY)], ..facts(1) };
    assert_eq!(points(one(CaseStatus::Dismissed)), points(clean));
    for status in [CaseStatus::Filed, CaseStatus::Appealed, CaseStatus::Executed, CaseStatus::RefundedAppealed] {
        assert_eq!(record(&one(status)), Record { promised_secs: 2 * DAY, served_secs: DAY, terminating: 1 });
    }
}

#[test]
fn rentals_and_cases_of_another_registration_do_not_count() {
    let early = MachineFacts { since_secs: AT - 2 * DAY, ..with(vec![rental(1, 3 * DAY, DAY)]) };
    assert_eq!(record(&early), Record::default());
    let foreign = MachineFacts { registration: 8, cases: vec![case(1, Kind::Offline, CaseStatus::Filed)], ..facts(1) };
    assert_eq!(record(&foreign).terminating, 0);
    assert_eq!(record(&with(vec![rental(2, 3 * DAY, DAY)])), Record::default(), "another machine's");
}

#[test]
fn a_newcomer_is_neutral_and_a_bad_minute_of_a_first_hour_zeroes_nobody() {
    assert_eq!(reliability_ppm(facts(1)), 950_000);
    let hour = rental(1, 3_600, 0);
    let ppm = reliability_ppm(with(vec![faulted(hour.clone(), &[gone(600, 540, 1)])]));
    assert!((945_000..950_000).contains(&ppm), "{ppm}");
    let ppm = reliability_ppm(with(vec![faulted(hour, &[gone(3_600, 0, 1)])]));
    assert!((750_000..760_000).contains(&ppm), "nothing of a first hour served: {ppm}");
}

#[test]
fn a_month_of_service_is_worth_nearly_everything_and_each_percent_out_costs_five() {
    let month = |out_secs| {
        let one = RentalView { end_secs: AT, ..rental(1, 30 * DAY, 0) };
        reliability_ppm(with(vec![faulted(one, &[gone(30 * DAY, 30 * DAY - out_secs, 1)])]))
    };
    let (all, percent) = (month(0), month(30 * DAY / 100));
    assert!(all > 998_000, "{all}");
    let cost = all - percent;
    assert!((48_000..=50_000).contains(&cost), "{cost}");
}

#[test]
fn who_serves_four_fifths_or_less_earns_nothing() {
    let one = faulted(rental(1, 30 * DAY, 0), &[gone(30 * DAY, 23 * DAY, 1)]);
    assert!(matches!(none(with(vec![one]))[..], [NoWeight::Unreliable { floor_ppm: 800_000, .. }]));
}

#[test]
fn each_case_that_ended_a_rental_costs_a_quarter_down_to_a_quarter() {
    let cases_ppm = |kinds: &[Kind]| {
        let cases = (1..).zip(kinds).map(|(id, kind)| case(id, *kind, CaseStatus::Filed)).collect();
        factor(&among(MachineFacts { cases, ..facts(1) }), |why| matches!(why, Why::Cases { .. }))
    };
    assert_eq!(cases_ppm(&[]), 1_000_000);
    assert_eq!(cases_ppm(&[Kind::Offline]), 750_000);
    assert_eq!(cases_ppm(&[Kind::NotDelivered, Kind::Offline]), 562_500);
    assert_eq!(cases_ppm(&[Kind::Offline; 40]), 250_000);
    assert_eq!(cases_ppm(&[Kind::Interrupted; 40]), 1_000_000, "its seconds say it all");
}

#[test]
fn a_case_that_is_told_twice_counts_once() {
    let cases = vec![case(1, Kind::Offline, CaseStatus::Filed); 3];
    assert_eq!(record(&MachineFacts { cases, ..facts(1) }).terminating, 1);
}

#[test]
fn seconds_that_a_case_took_from_the_end_are_not_promised_any_more() {
    let cut = rental(1, 2 * DAY, DAY);
    let one = faulted(cut, &[gone(DAY + 900, DAY, 1)]);
    let Record { promised_secs, served_secs, .. } = record(&with(vec![one]));
    assert_eq!((promised_secs, served_secs), (DAY, DAY - 900));
}
