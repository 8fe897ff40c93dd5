//! From points to units.

use super::*;
use crate::weights::share::share;
use std::collections::BTreeMap;

fn burning(burn_ppm: u32, burn_uid: u16) -> WeightRules {
    WeightRules { burn_ppm, burn_uid: Some(burn_uid), ..WeightRules::default() }
}

fn shared(points: &[(u16, u64)], rules: &WeightRules, terms: (usize, u16)) -> Result<Vec<(u16, u16)>, NoWeights> {
    let points: BTreeMap<u16, u64> = points.iter().copied().collect();
    let weights = share(&points, rules, Terms { uids_min: terms.0, limit: terms.1 })?;
    Ok(weights.uids.into_iter().zip(weights.values).collect())
}

fn plain(points: &[(u16, u64)]) -> Vec<(u16, u16)> {
    shared(points, &WeightRules::default(), (0, UNITS)).unwrap()
}

#[test]
fn units_left_go_to_the_largest_remainders_and_of_equal_ones_to_the_lower_uid() {
    assert_eq!(plain(&[(3, 1), (7, 1)]), [(3, 32_768), (7, 32_767)]);
    // 65,535 / 7 = 9,362.14: the remainders are 1/7, 2/7 and 4/7.
    assert_eq!(plain(&[(1, 1), (2, 2), (3, 4)]), [(1, 9_362), (2, 18_724), (3, 37_449)]);
    assert_eq!(plain(&[(9, u64::MAX)]), [(9, UNITS)]);
}

#[test]
fn whose_share_is_less_than_a_unit_is_left_out() {
    assert_eq!(plain(&[(1, 1), (2, 1_000_000)]), [(2, UNITS)]);
    assert_eq!(plain(&[(1, 0), (2, 1)]), [(2, UNITS)]);
}

#[test]
fn the_burn_takes_its_share_and_miners_the_rest() {
    let found = shared(&[(1, 3), (2, 1)], &burning(800_000, 5), (0, UNITS)).unwrap();
    assert_eq!(found, [(1, 9_830), (2, 3_277), (5, 52_428)]);
    assert_eq!(shared(&[(1, 3)], &burning(0, 5), (0, UNITS)).unwrap(), [(1, UNITS)]);
}

#[test]
fn where_nobody_earned_anything_all_is_burned_or_nothing_is_set() {
    assert_eq!(shared(&[], &burning(0, 5), (0, UNITS)).unwrap(), [(5, UNITS)]);
    assert_eq!(shared(&[(1, 0)], &WeightRules::default(), (0, UNITS)), Err(NoWeights::NobodyEarned));
    let nobody = weighed(&fleet(vec![MachineFacts { certified: None, ..facts(1) }]));
    assert_eq!(nobody.weights, Err(NoWeights::NobodyEarned));
    assert_eq!(nobody.explanation.refused, Some(NoWeights::NobodyEarned));
}

#[test]
fn too_few_uids_are_refused_by_name_and_not_filled_up() {
    let short = shared(&[(1, 3), (2, 1)], &WeightRules::default(), (3, UNITS));
    assert_eq!(short, Err(NoWeights::TooFewUids { have: 2, need: 3 }));
    assert!(shared(&[(1, 3), (2, 1)], &burning(1, 5), (2, UNITS)).is_ok());
}

#[test]
fn a_subnet_with_few_seats_asks_for_no_more_than_it_has() {
    let mut fleet = fleet(vec![facts(1), facts(2)]);
    fleet.subnet.min_allowed_weights = 64;
    assert!(weighed(&fleet).weights.is_ok());
    fleet.seats.insert(hotkey(9), 9);
    assert_eq!(weighed(&fleet).weights, Err(NoWeights::TooFewUids { have: 2, need: 3 }));
}

#[test]
fn nobody_has_more_than_the_limit_and_the_rest_goes_to_those_below() {
    let limited = |points: &[(u16, u64)]| shared(points, &WeightRules::default(), (0, 30_000));
    assert_eq!(limited(&[(1, 900), (2, 60), (3, 40)]).unwrap(), [(1, 30_000), (2, 21_321), (3, 14_214)]);
    let second = limited(&[(1, 900), (2, 90), (3, 10)]).unwrap();
    assert_eq!(second, [(1, 30_000), (2, 30_000), (3, 5_535)], "the rest makes another one full");
    assert_eq!(limited(&[(1, 900), (2, 90)]), Err(NoWeights::LimitTooLow { uids: 2, limit: 30_000 }));
    assert_eq!(limited(&[(1, 1)]), Err(NoWeights::LimitTooLow { uids: 1, limit: 30_000 }));
}

#[test]
fn what_no_miner_may_take_is_burned_up_to_the_limit() {
    assert_eq!(shared(&[(1, 1)], &burning(0, 5), (0, 40_000)).unwrap(), [(1, 40_000), (5, 25_535)]);
    assert_eq!(
        shared(&[(1, 1), (2, 1)], &burning(900_000, 5), (0, 32_768)).unwrap(),
        [(1, 16_384), (2, 16_383), (5, 32_768)]
    );
    let nobody = shared(&[], &burning(0, 5), (0, 40_000));
    assert_eq!(nobody, Err(NoWeights::LimitTooLow { uids: 1, limit: 40_000 }));
    assert_eq!(shared(&[(1, 1)], &burning(0, 5), (0, 0)), Err(NoWeights::LimitTooLow { uids: 1, limit: 0 }));
}

#[test]
fn a_burn_uid_where_nobody_sits_is_refused() {
    let refused = weigh(&fleet(vec![facts(1)]), &classes(), &burning(1, 5));
    assert_eq!(refused, Err(WeightsError::BurnSeatEmpty { uid: 5 }));
}

#[test]
fn two_hotkeys_at_one_uid_are_refused() {
    let mut fleet = fleet(vec![facts(1), facts(2)]);
    fleet.seats.insert(hotkey(9), 1);
    let refused = weigh(&fleet, &classes(), &WeightRules::default());
    assert_eq!(refused, Err(WeightsError::SeatTwice { uid: 1 }));
}

#[test]
fn bounds_are_refused_by_name() {
    let find = |fleet: &Fleet, scheme: &Scheme| weigh(fleet, scheme, &WeightRules::default());
    let late = Fleet { at_secs: u64::MAX, ..fleet(vec![]) };
    assert_eq!(find(&late, &classes()), Err(WeightsError::Time { at_secs: u64::MAX }));
    let mut long = rented(1);
    long.rentals[0].faults = vec![gone(2, 1, 1); 257];
    let too_many = WeightsError::TooMany { what: "faults of one rental", have: 257, max: 256 };
    assert_eq!(find(&fleet(vec![long]), &classes()), Err(too_many));
    let points = POINTS_MAX + 1;
    let dear = Scheme::Classes([(1, points)].into());
    let refused = WeightsError::TooManyPoints { what: "card", points, max: POINTS_MAX };
    assert_eq!(find(&fleet(vec![facts(1)]), &dear), Err(refused));
}

#[test]
fn the_designs_numbers_pass_and_contradictory_ones_are_refused() {
    let rules = WeightRules::default();
    assert_eq!(rules.check(), Ok(()));
    let homeless = WeightRules { burn_ppm: 1, ..rules.clone() };
    assert_eq!(homeless.check(), Err(WeightRulesError::BurnWithoutUid { burn_ppm: 1 }));
    let upside_down = WeightRules { demand_min_ppm: 2_000_000, ..rules.clone() };
    let order = WeightRulesError::Order { low: "demand_min_ppm", high: "demand_max_ppm" };
    assert_eq!(upside_down.check(), Err(order));
    let cap = PriceCap { gpu_class: 3, rao_per_card_sec: 1 };
    let twice = WeightRules { price_caps: vec![cap, cap], ..rules.clone() };
    assert_eq!(twice.check(), Err(WeightRulesError::CapTwice { gpu_class: 3 }));
    let most = WeightRules { reliability_floor_ppm: 1_000_000, ..rules };
    let (name, value, min, max) = ("reliability_floor_ppm", 1_000_000, 0, 999_999);
    assert_eq!(most.check(), Err(WeightRulesError::OutOfBounds { name, value, min, max }));
    assert!(serde_json::from_str::<WeightRules>(r#"{"burn_ppn": 1}"#).is_err(), "unknown fields");
}
