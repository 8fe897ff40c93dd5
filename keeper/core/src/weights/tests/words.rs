//! The explanation as text.

use super::*;

#[test]
fn an_explanation_fits_into_a_hundred_columns_whatever_the_numbers() {
    let wreck = MachineFacts {
        bonded_rao: u64::MAX - 1,
        required_bond_rao: u64::MAX,
        offer: Some(OfferView { price_rao_per_sec: u64::MAX, expires_at_secs: u64::MAX, ..offer(u16::MAX, u16::MAX) }),
        cases: vec![CaseView { filed_at_secs: u64::MAX, ..case(u64::MAX, Kind::Spoofed, CaseStatus::Filed) }],
        ..facts(1)
    };
    let found = weighed(&fleet(vec![wreck, rented(2), facts(3)]));
    let text = found.explanation.text(&|_| "é".repeat(300));
    let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!((80..=100).contains(&longest), "{longest}\n{text}");
    assert!(!text.lines().any(|line| line.ends_with(' ')), "{text}");
}

#[test]
fn a_refusal_is_said_first() {
    let text = weighed(&fleet(vec![])).explanation.to_string();
    assert!(text.contains("\nNo weights: no machine earned anything"), "{text}");
}

#[test]
fn who_has_points_and_no_unit_is_told_so() {
    let mut machines: Vec<MachineFacts> = (2..=120).map(facts).collect();
    let small = Certified { gpu_class: 12, gpu_count: 1, measured_at_secs: AT };
    machines.push(MachineFacts { offer: Some(offer(12, 1)), certified: Some(small), ..facts(1) });
    let scheme = Scheme::Classes([(CLASS, POINTS), (12, 1)].into());
    let found = weigh(&fleet(machines), &scheme, &WeightRules::default()).unwrap();
    assert_eq!(found.explanation.miners[0].none, Some(NoWeight::BelowOneUnit));
    assert!(found.explanation.to_string().contains("nothing: its share is less than one unit"));
}

#[test]
fn what_is_weighed_can_be_written_down_and_read_again() {
    let fleet = fleet(vec![facts(1), rented(2), MachineFacts { bonded_rao: 0, ..facts(3) }]);
    let stored = serde_json::to_string(&fleet).unwrap();
    assert_eq!(serde_json::from_str::<Fleet>(&stored).unwrap(), fleet);
    for found in [weighed(&fleet), weighed(&Fleet { machines: vec![], ..fleet })] {
        let stored = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Weighed>(&stored).unwrap(), found);
    }
}
