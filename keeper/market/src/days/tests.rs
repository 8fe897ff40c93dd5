//! Days: to the second, the sums are the totals.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::facts::{Certificates, Reading};
use crate::fixtures::*;
use crate::market::Market;
use crate::money::DAY_SECS;

const NOW: UnixSecs = MIDNIGHT_SECS + 40_000;

fn of(rentals: Vec<RentalFacts>) -> Market {
    let mut market = market();
    market.apply(Reading { nodes: vec![node(1, 1)], rentals, ..reading(NOW, 9) }, Certificates::new());
    market
}

fn strip_of(market: &Market) -> (String, Option<u32>) {
    let row = market.row(&machine(1)).unwrap();
    (row.strip.clone(), row.uptime_ppm)
}

#[test]
fn a_machine_never_rented_has_a_strip_of_dots_and_no_uptime() {
    assert_eq!(strip_of(&of(vec![])), (".".repeat(90), None));
}

#[test]
fn a_strip_has_dots_before_the_first_rental_and_dashes_after_it() {
    let strip = strip_of(&of(vec![rental(1, 1, MIDNIGHT_SECS - 3 * DAY_SECS, DAY_SECS)])).0;
    assert_eq!(strip, ".".repeat(86) + "9---");
}

#[test]
fn a_machine_first_rented_before_the_days_shown_has_no_dots() {
    let old = rental(1, 1, MIDNIGHT_SECS - 200 * DAY_SECS, DAY_SECS);
    let young = rental(2, 1, MIDNIGHT_SECS - DAY_SECS, DAY_SECS);
    assert_eq!(strip_of(&of(vec![old.clone(), young])).0, "-".repeat(88) + "9-");
    assert_eq!(strip_of(&of(vec![old])), ("-".repeat(90), None));
}

#[test]
fn one_second_of_fault_makes_an_eight_and_a_whole_day_a_zero() {
    let day = |secs| {
        let rented = rental(1, 1, MIDNIGHT_SECS - DAY_SECS, DAY_SECS);
        strip_of(&of(vec![faulted(rented, 0, secs, 1)])).0[88..89].to_owned()
    };
    for (secs, mark) in [(1, "8"), (DAY_SECS / 9, "8"), (DAY_SECS / 9 + 1, "7"), (DAY_SECS - 1, "0"), (DAY_SECS, "0")] {
        assert_eq!(day(secs), mark, "{secs}");
    }
}

#[test]
fn the_ninetieth_day_back_counts_and_the_day_before_does_not() {
    let oldest = MIDNIGHT_SECS - 89 * DAY_SECS;
    let market = of(vec![faulted(rental(1, 1, oldest - 50, 100), 0, 75, 1)]);
    assert_eq!(
        market.machine(machine(1)).unwrap().days,
        [MachineDay { day: 20_000 - 89, rented_secs: 50, faulted_secs: 25 }]
    );
    assert_eq!(strip_of(&market).1, Some(500_000));
}

#[test]
fn a_dismissed_case_leaves_no_mark_on_a_machine() {
    let rentals = vec![faulted(rental(1, 1, NOW - 1_000, 1_000), 0, 250, 1)];
    for (status, ppm) in
        [(CaseStatus::Filed, 750_000), (CaseStatus::Executed, 750_000), (CaseStatus::Dismissed, 1_000_000)]
    {
        let mut market = of(rentals.clone());
        let cases = vec![case(1, 1, 1, status)];
        market.apply(Reading { cases, ..reading(NOW + 12, 9) }, Certificates::new());
        assert_eq!(strip_of(&market).1, Some(ppm), "{status:?}");
    }
}

#[test]
fn a_rental_counts_as_far_as_it_passed() {
    let mut market = of(vec![rental(1, 1, NOW - 100, 10_000)]);
    let rented =
        |market: &Market| market.machine(machine(1)).unwrap().days.iter().map(|day| day.rented_secs).sum::<u32>();
    assert_eq!(rented(&market), 100);
    market.apply(reading(NOW + 12, 9), Certificates::new());
    assert_eq!(rented(&market), 112);
    market.apply(reading(NOW + 90_000, 9), Certificates::new());
    assert_eq!(rented(&market), 10_000);
}

#[test]
fn the_first_day_of_all_is_a_day() {
    let mut market = market();
    let rentals = vec![rental(1, 1, 10, 100)];
    let first = Reading { nodes: vec![node(1, 1)], rentals, cases: vec![], ..reading(1_000, 9) };
    market.apply(first, Certificates::new());
    let days = market.network_days().days;
    assert_eq!((days[0].day, days[0].rentals, days[0].rented_secs), (0, 1, 100));
}

#[test]
fn the_table_says_what_the_json_says() {
    let mut market = of(vec![faulted(rental(1, 1, NOW - 100_000, 90_000), 40_000, 250, 1), rental(2, 1, NOW - 50, 90)]);
    let fined = crate::facts::CaseFacts { penalty_rao: u64::MAX, ..case(1, 1, 1, CaseStatus::Filed) };
    market.apply(Reading { cases: vec![fined], ..reading(NOW, 9) }, Certificates::new());
    let days = market.network_days().days;
    assert_eq!(days.len(), 2);
    let table = csv(&days);
    let mut lines = table.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let json = serde_json::to_value(&days).unwrap();
    for (line, day) in lines.by_ref().zip(json.as_array().unwrap()) {
        let numbers: Vec<&str> = line.split(',').collect();
        assert_eq!(numbers.len(), day.as_object().unwrap().len());
        for (name, number) in names.iter().zip(numbers) {
            assert_eq!(day[name].to_string().trim_matches('"'), number, "{name}");
        }
    }
    assert_eq!((lines.next(), table.lines().count()), (None, 3));
}

#[test]
fn a_renter_counts_once_a_day_however_much_was_rented() {
    let other = RentalFacts { renter: account(8), ..rental(3, 1, NOW - 10, 100) };
    let market = of(vec![rental(1, 1, NOW - 300, 50), rental(2, 1, NOW - 200, 50), other]);
    let days = market.network_days().days;
    assert_eq!((days[0].rentals, days[0].renters, days[0].rented_secs), (3, 2, 110));
}

#[test]
fn faults_that_overlap_take_no_more_than_was_rented() {
    let overlapping = faulted(faulted(rental(1, 1, NOW - 100, 100), 0, 80, 1), 10, 80, 2);
    let market = of(vec![overlapping]);
    let day = market.machine(machine(1)).unwrap().days[0];
    assert_eq!((day.rented_secs, day.faulted_secs, strip_of(&market).1), (100, 100, Some(0)));
}
