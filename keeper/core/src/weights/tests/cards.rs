//! Points of a machine: classes, cards, rounds, age of the certificate.

use super::*;

fn certified(gpu_class: u16, gpu_count: u16, age_secs: u64) -> Option<Certified> {
    Some(Certified { gpu_class, gpu_count, measured_at_secs: AT - age_secs })
}

#[test]
fn a_machine_as_it_should_be_earns_its_class_times_its_cards() {
    assert_eq!(points(facts(1)), NEUTRAL * 9 / 10, "the two others are idle all week, and dampen demand");
    assert_eq!(of_machine(&weighed(&fleet(vec![facts(1)])), 1).milli_points, NEUTRAL);
}

#[test]
fn what_counts_is_the_lesser_of_promised_and_proven() {
    let whole = points(facts(1));
    assert_eq!(points(MachineFacts { certified: certified(CLASS, 4, 0), ..facts(1) }), whole / 2);
    assert_eq!(points(MachineFacts { offer: Some(offer(CLASS, 2)), ..facts(1) }), whole / 4);
    assert_eq!(points(MachineFacts { certified: certified(CLASS, 16, 0), ..facts(1) }), whole);
}

#[test]
fn no_machine_counts_for_more_cards_than_can_be_measured() {
    let most =
        MachineFacts { offer: Some(offer(CLASS, u16::MAX)), certified: certified(CLASS, u16::MAX, 0), ..facts(1) };
    assert_eq!(points(most), 2 * points(facts(1)));
}

#[test]
fn a_class_pays_no_more_than_it_proves() {
    let dearer = MachineFacts { certified: certified(12, 8, 0), ..facts(1) };
    assert_eq!(none(dearer), [NoWeight::OtherClass { promised: CLASS, certified: 12 }]);
    let better = MachineFacts { certified: certified(2, 8, 0), ..facts(1) };
    assert_eq!(none(better), [NoWeight::OtherClass { promised: CLASS, certified: 2 }], "a class is a class");
}

#[test]
fn a_rental_that_runs_is_the_promise_whatever_the_offer_says() {
    let other = MachineFacts { offer: Some(offer(2, 1)), ..rented(1) };
    assert_eq!(points(other), points(rented(1)));
    assert_eq!(points(MachineFacts { offer: None, ..rented(1) }), points(rented(1)), "taken back while rented");
}

#[test]
fn a_class_without_points_earns_nothing() {
    let odd = MachineFacts { offer: Some(offer(99, 8)), certified: certified(99, 8, 0), ..facts(1) };
    assert_eq!(none(odd), [NoWeight::NoPoints { gpu_class: 99 }]);
}

#[test]
fn rounds_count_by_the_share_passed() {
    let shared = MachineFacts { round_share_ppm: Some(250_000), ..facts(1) };
    assert_eq!(points(shared), points(facts(1)) / 4);
    let never = MachineFacts { round_share_ppm: Some(0), ..facts(1) };
    assert_eq!(none(never), [NoWeight::NoRoundPassed]);
    let odd = MachineFacts { round_share_ppm: Some(u32::MAX), ..facts(1) };
    assert_eq!(points(odd), points(facts(1)));
}

#[test]
fn two_listings_of_one_card_are_worth_one_card_before_their_first_round_and_after() {
    let newcomer = MachineFacts { round_share_ppm: None, ..facts(1) };
    assert_eq!(points(newcomer.clone()), points(facts(1)) / 2);
    let alone = weighed(&fleet(vec![newcomer]));
    assert_eq!(of_machine(&alone, 1).milli_points, NEUTRAL, "nobody to share a round with");
}

#[test]
fn a_rented_machine_lives_on_the_certificate_from_before_its_tenant() {
    assert!(points(rented(1)) > 0);
    let tenancy = RentalView { end_secs: AT + DAY, ..rental(1, 10 * DAY, 0) };
    let early = |age_secs| MachineFacts {
        rentals: vec![tenancy.clone()],
        certified: certified(CLASS, 8, age_secs),
        ..facts(1)
    };
    assert!(points(early(11 * DAY)) > 0);
    let (measured_at_secs, earliest_secs) = (AT - 11 * DAY - 1, AT - 11 * DAY);
    assert_eq!(none(early(11 * DAY + 1)), [NoWeight::CertificateLapsed { measured_at_secs, earliest_secs }]);
}

#[test]
fn a_certificate_is_worth_less_after_a_week_without_another_and_half_after_a_month() {
    let age_ppm = |age_secs| {
        let tenancy = RentalView { end_secs: AT + DAY, ..rental(1, age_secs, 0) };
        let one = MachineFacts { rentals: vec![tenancy], certified: certified(CLASS, 8, age_secs), ..facts(1) };
        factor(&among(one), |why| matches!(why, Why::Certificate { .. }))
    };
    assert_eq!((age_ppm(0), age_ppm(7 * DAY)), (1_000_000, 1_000_000));
    assert_eq!(age_ppm(18 * DAY + DAY / 2), 750_000);
    assert_eq!((age_ppm(30 * DAY), age_ppm(80 * DAY)), (500_000, 500_000));
}

#[test]
fn an_idle_machine_has_to_be_measured_every_day_but_for_an_hour_after_a_tenant() {
    let idle = MachineFacts { certified: certified(CLASS, 8, DAY + 1), ..facts(1) };
    let lapsed = NoWeight::CertificateLapsed { measured_at_secs: AT - DAY - 1, earliest_secs: AT - DAY };
    assert_eq!(none(idle), [lapsed]);
    let left = |ago_secs| MachineFacts { rentals: vec![rental(1, 10 * DAY, ago_secs)], ..rented(1) };
    assert!(points(left(3_599)) > 0);
    assert!(matches!(none(left(3_600))[..], [NoWeight::CertificateLapsed { .. }]));
}

#[test]
fn a_certificate_dated_ahead_is_none() {
    let ahead = |secs| {
        let measured_at_secs = AT + secs;
        let certified = Certified { gpu_class: CLASS, gpu_count: 8, measured_at_secs };
        MachineFacts { certified: Some(certified), ..facts(1) }
    };
    assert!(points(ahead(60)) > 0, "clocks differ");
    let refused = NoWeight::CertificateAhead { measured_at_secs: AT + 61, latest_secs: AT + 60 };
    assert_eq!(none(ahead(61)), [refused]);
}

#[test]
fn idle_and_rented_machines_earn_alike() {
    let busy = MachineFacts { certified: certified(CLASS, 8, 0), ..rented(1) };
    let (busy, idle) = (among(busy), among(facts(1)));
    for (one, other) in busy.factors.iter().zip(&idle.factors) {
        let differs = matches!(one.why, Why::Reliability { .. });
        assert!(differs || one.num == other.num, "{one:?} {other:?}");
    }
}

#[test]
fn points_from_elsewhere_replace_those_of_the_class_and_nothing_else() {
    let scheme = Scheme::Points([(machine(1), 32_000), (machine(2), 500), (machine(3), 1)].into());
    let half = MachineFacts { offer: Some(offer(CLASS, 4)), ..facts(1) };
    let all = weigh(&fleet(vec![half, facts(2), facts(3)]), &scheme, &WeightRules::default()).unwrap();
    assert_eq!(of_machine(&all, 1).milli_points, NEUTRAL * 9 / 10 / 2, "four of eight cards measured");
    assert_eq!(factor(&of_machine(&all, 2), |why| matches!(why, Why::MachinePoints)), 500);
    let unscored = Scheme::Points([(machine(2), 500)].into());
    let some = weigh(&fleet(vec![facts(1), facts(2)]), &unscored, &WeightRules::default()).unwrap();
    assert_eq!(of_machine(&some, 1).none, [NoWeight::NoPoints { gpu_class: CLASS }]);
}
