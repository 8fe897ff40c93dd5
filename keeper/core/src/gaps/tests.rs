use super::*;
use crate::fixtures::{START, fault, rental};
use crate::view::RentalView;

fn faulty() -> RentalView {
    RentalView { faults: vec![fault(100, 200), fault(300, 400)], ..rental(1) }
}

#[test]
fn there_is_one_more_gap_than_faults() {
    let found: Vec<(u32, u64, u64)> =
        gaps(&faulty()).iter().map(|gap| (gap.index, gap.from_secs - START, gap.until_secs - START)).collect();
    assert_eq!(found, vec![(0, 0, 100), (1, 200, 300), (2, 400, 36_000)]);
    assert_eq!(gaps(&rental(1)).len(), 1);
}

#[test]
fn an_interval_is_clamped_to_gap_pay_now_and_end() {
    let gap = gaps(&faulty())[2];
    let clamped = |paid: u64, now: u64, end: u64| {
        let view = RentalView { paid_until_secs: START + paid, end_secs: START + end, ..faulty() };
        let gap = Gap { until_secs: START + end, ..gap };
        clamp(&view, &gap, START + now, (START + 350, START + 900)).map(|(from, until)| (from - START, until - START))
    };
    assert_eq!(clamped(0, 2_000, 36_000), Some((400, 900)));
    assert_eq!(clamped(500, 2_000, 36_000), Some((500, 900)));
    assert_eq!(clamped(0, 800, 36_000), Some((400, 800)));
    assert_eq!(clamped(0, 2_000, 700), Some((400, 700)));
    assert_eq!(clamped(950, 2_000, 36_000), None);
}

#[test]
fn the_longest_open_part_leaves_recorded_seconds_out() {
    let open = |from: u64, until: u64| longest_open_secs(&faulty(), START + from, START + until);
    assert_eq!(open(100, 200), 0);
    assert_eq!(open(50, 250), 50);
    assert_eq!(open(150, 280), 80);
    assert_eq!(open(0, 36_000), 35_600);
}
