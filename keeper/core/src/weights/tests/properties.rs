//! What holds for any fleet.

use super::*;
use crate::weights::ppm::scaled;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

/// Numbers that nobody would send, and those around which something turns.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => (0u64..100 * DAY).prop_map(|back| AT - back),
        1 => (0u64..DAY).prop_map(|ahead| AT + ahead),
        1 => prop::sample::select(vec![0, 1, AT, AT - 30 * DAY, u64::MAX - 1, u64::MAX]),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(vec![Kind::Offline, Kind::NotDelivered, Kind::Interrupted, Kind::Interrupted, Kind::Spoofed])
}

fn status() -> impl Strategy<Value = CaseStatus> {
    prop::sample::select(vec![CaseStatus::Filed, CaseStatus::Dismissed, CaseStatus::Executed])
}

fn some_case() -> impl Strategy<Value = CaseView> {
    (0u64..5, kind(), status(), number(), 6u32..8).prop_map(|(id, kind, status, filed_at_secs, registration)| {
        CaseView { filed_at_secs, registration, ..case(id, kind, status) }
    })
}

fn some_rental(n: u8) -> impl Strategy<Value = RentalView> {
    let faults = prop::collection::vec((number(), number(), 0u64..5), 0..4);
    (any::<u8>(), number(), number(), 2u16..4, faults).prop_map(move |(id, start_secs, end_secs, gpu_class, faults)| {
        let faults =
            faults.into_iter().map(|(from_secs, until_secs, case_id)| FaultView { from_secs, until_secs, case_id });
        let (id, faults) = (id.into(), faults.collect());
        RentalView { id, start_secs, end_secs, gpu_class, faults, ..rental(n, 0, 0) }
    })
}

/// Machine `n`, of one of a few owners.
fn some_machine(n: u8) -> impl Strategy<Value = MachineFacts> {
    let rentals = prop::collection::vec(some_rental(n), 0..3);
    let cases = prop::collection::vec(some_case(), 0..2);
    let owner = (1u8..5, 1u8..5);
    let measured_at_secs = prop_oneof![3 => AT - DAY..=AT, 1 => number()];
    let proven = prop::option::weighted(0.9, (2u16..4, 0u16..20, measured_at_secs));
    let since_secs = prop_oneof![Just(0), number()];
    let missing = prop::option::weighted(0.3, 0u16..9);
    let rest = (since_secs, prop::option::of(0u32..1_500_000), missing, 900u64..1_400);
    (owner, rentals, cases, proven, rest).prop_map(move |((hot, miner), rentals, cases, proven, rest)| {
        let (since_secs, round_share_ppm, cards_missing, bonded_rao) = rest;
        let certified =
            proven.map(|(gpu_class, gpu_count, measured_at_secs)| Certified { gpu_class, gpu_count, measured_at_secs });
        let (hotkey, miner) = (hotkey(hot), account(miner));
        let own = MachineFacts { since_secs, round_share_ppm, cards_missing, bonded_rao, certified, ..facts(n) };
        MachineFacts { rentals, cases, hotkey, miner, ..own }
    })
}

/// One that mostly earns something: a tenancy or two, some faults, a case now and then.
fn fair_machine(n: u8) -> impl Strategy<Value = MachineFacts> {
    let faults = prop::collection::vec((0u64..20 * DAY, 1u64..DAY), 0..3);
    let tenancy = prop::option::of((1u64..20 * DAY, 0u64..10 * DAY, faults));
    let cases = prop::collection::vec(prop::sample::select(vec![Kind::Offline, Kind::Interrupted]), 0..2);
    let cards = (1u16..9, prop::option::of(100_000u32..1_000_000), 1u8..5, 0u64..DAY);
    (tenancy, cases, cards).prop_map(move |(tenancy, kinds, (gpu_count, round_share_ppm, owner, age_secs))| {
        let rentals = tenancy.map(|(length, ahead, faults)| {
            let faults = faults.into_iter().map(|(back, secs)| gone(back, back.saturating_sub(secs), 77));
            RentalView { end_secs: AT + ahead, faults: faults.collect(), ..rental(n, length, 0) }
        });
        let rentals: Vec<RentalView> = rentals.into_iter().collect();
        let cases = (1..).zip(kinds).map(|(id, kind)| case(id, kind, CaseStatus::Filed)).collect();
        let measured_at_secs = rentals.first().map_or(AT, |rental| rental.start_secs) - age_secs;
        let certified = Some(Certified { gpu_class: CLASS, gpu_count, measured_at_secs });
        let (hotkey, miner) = (hotkey(owner), account(owner));
        MachineFacts { rentals, cases, certified, round_share_ppm, hotkey, miner, ..facts(n) }
    })
}

fn hostile() -> impl Strategy<Value = Fleet> {
    (1u8..9).prop_flat_map(|count| (0..count).map(some_machine).collect::<Vec<_>>()).prop_map(fleet)
}

fn fair() -> impl Strategy<Value = Fleet> {
    (2u8..9).prop_flat_map(|count| (0..count).map(fair_machine).collect::<Vec<_>>()).prop_map(fleet)
}

fn check_shape(found: &Weighed, terms: SubnetTerms) -> Result<(), TestCaseError> {
    if let Ok(weights) = &found.weights {
        prop_assert_eq!(weights.values.iter().map(|value| u64::from(*value)).sum::<u64>(), u64::from(UNITS));
        prop_assert_eq!(weights.uids.len(), weights.values.len());
        prop_assert!(weights.uids.is_sorted_by(|one, next| one < next));
        prop_assert!(weights.values.iter().all(|value| (1..=terms.max_weight_limit).contains(value)));
    }
    for machine in found.explanation.miners.iter().flat_map(|miner| &miner.machines) {
        let product = machine.factors.iter().fold(MILLI, |all, factor| scaled(all, factor.num, factor.den));
        let shown = if machine.none.is_empty() { product } else { 0 };
        prop_assert_eq!(machine.milli_points, shown);
        prop_assert_eq!(machine.milli_points == 0, !machine.none.is_empty(), "nothing without a reason");
    }
    prop_assert!(found.explanation.to_string().lines().all(|line| line.chars().count() <= 100));
    Ok(())
}

fn spread(fleet: &Fleet, n: usize) -> Hotkey {
    fleet.machines[n % fleet.machines.len()].hotkey
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_vector_is_whole_and_the_factors_shown_make_the_points(
        machines in hostile(),
        (least, limit, burn_ppm) in (0u16..4, 0u16..=UNITS, 0u32..=1_000_000),
    ) {
        let subnet = SubnetTerms { min_allowed_weights: least, max_weight_limit: limit };
        let limited = Fleet { subnet, ..machines.clone() };
        let rules = WeightRules { burn_ppm, burn_uid: Some(0), ..WeightRules::default() };
        check_shape(&weigh(&limited, &classes(), &rules).unwrap(), subnet)?;
        check_shape(&weighed(&machines), SubnetTerms::default())?;
    }

    #[test]
    fn the_order_of_machines_rentals_and_cases_changes_nothing(machines in hostile(), turn in 0usize..8) {
        let mut turned = machines.clone();
        turned.machines.reverse();
        let by = turn % turned.machines.len();
        turned.machines.rotate_left(by);
        for one in &mut turned.machines {
            one.rentals.reverse();
            one.cases.reverse();
            one.rentals.iter_mut().for_each(|rental| rental.faults.reverse());
        }
        // Which of two rentals of one id and begin comes last is nobody's business.
        let ids = |fleet: &Fleet| fleet.machines.iter().all(|one| {
            let mut keys: Vec<(u64, u64)> = one.rentals.iter().map(|rental| (rental.start_secs, rental.id)).collect();
            keys.sort_unstable();
            keys.windows(2).all(|pair| pair[0] != pair[1])
        });
        prop_assume!(ids(&machines));
        prop_assert_eq!(weighed(&machines), weighed(&turned));
    }

    #[test]
    fn one_more_second_without_service_never_raises_a_weight(
        machines in fair(), which in any::<usize>(), back in 1u64..20 * DAY, limited in any::<bool>(),
    ) {
        let which = which % machines.machines.len();
        let mut worse = machines.clone();
        let Some(rental) = worse.machines[which].rentals.first_mut() else { return Ok(()) };
        rental.faults.push(gone(back, back - 1, 99));
        let hotkey = spread(&machines, which);
        let limit = if limited { 30_000 } else { UNITS };
        let of = |fleet: &Fleet| {
            let subnet = SubnetTerms { max_weight_limit: limit, ..SubnetTerms::default() };
            let found = weighed(&Fleet { subnet, ..fleet.clone() });
            found.explanation.miners.iter().find(|miner| miner.hotkey == hotkey).map(|miner| miner.units)
        };
        prop_assert!(of(&worse) <= of(&machines));
    }

    #[test]
    fn a_spoof_zeroes_its_owner(machines in fair(), which in any::<usize>()) {
        let which = which % machines.machines.len();
        let mut guilty = machines.clone();
        guilty.machines[which].cases.push(case(1_000, Kind::Spoofed, CaseStatus::Filed));
        let hotkey = spread(&machines, which);
        let found = weighed(&guilty);
        let miner = found.explanation.miners.iter().find(|miner| miner.hotkey == hotkey).unwrap();
        prop_assert_eq!((miner.milli_points, miner.units), (0, 0));
    }

    #[test]
    fn a_dismissed_case_never_costs_anything(machines in fair(), which in any::<usize>(), kind in kind()) {
        let which = which % machines.machines.len();
        let mut accused = machines.clone();
        accused.machines[which].cases.push(case(99, kind, CaseStatus::Dismissed));
        if let Some(rental) = accused.machines[which].rentals.first_mut() {
            rental.faults.push(gone(20 * DAY, 0, 99));
        }
        prop_assert_eq!(weighed(&accused), weighed(&machines));
    }

    #[test]
    fn splitting_a_fleet_over_hotkeys_gains_nothing_but_a_rounding(machines in fair(), cut in any::<u64>()) {
        let mut split = machines.clone();
        for (n, one) in split.machines.iter_mut().enumerate() {
            if one.miner == account(1) && cut >> n & 1 == 1 {
                one.hotkey = hotkey(100);
            }
        }
        split.seats.insert(hotkey(100), 100);
        let of = |fleet: &Fleet| {
            let found = weighed(fleet);
            let whole = found.explanation.milli_points;
            let mine = found.explanation.miners.iter().filter(|miner| {
                miner.machines.iter().any(|machine| machine.miner == account(1))
            });
            let sums = mine.fold((0u64, 0i64), |(points, units), miner| {
                (points + miner.milli_points, units + i64::from(miner.units))
            });
            (whole, sums)
        };
        let ((whole, (points, units)), (whole_split, (points_split, units_split))) = (of(&machines), of(&split));
        prop_assert_eq!((whole, points), (whole_split, points_split));
        prop_assert!((units - units_split).abs() <= 2, "{} {}", units, units_split);
    }

    #[test]
    fn nobodys_own_rentals_change_the_demand_for_his_machines(machines in fair(), mine in 1u8..5, stranger in 1u8..3) {
        let mut feigned = machines.clone();
        for one in feigned.machines.iter_mut().filter(|one| one.miner == account(mine)) {
            let n = one.machine.0[0];
            one.rentals = vec![RentalView { renter: account(stranger), end_secs: AT + 1, ..rental(n, 7 * DAY, 0) }];
            let gpu_count = one.certified.map_or(8, |certified| certified.gpu_count);
            one.certified = Some(Certified { gpu_class: CLASS, gpu_count, measured_at_secs: AT - 7 * DAY });
        }
        let (before, after) = (weighed(&machines), weighed(&feigned));
        for one in machines.machines.iter().filter(|one| one.miner == account(mine)) {
            let n = one.machine.0[0];
            prop_assert_eq!(demand_ppm(&of_machine(&before, n)), demand_ppm(&of_machine(&after, n)));
        }
    }

    #[test]
    fn no_numbers_panic(
        machines in hostile(), big in any::<u64>(), ppm in any::<u32>(), count in any::<u16>(), secs in any::<u64>(),
    ) {
        let mut odd = machines;
        odd.at_secs = big % 10_000_000_000;
        for one in &mut odd.machines {
            (one.bonded_rao, one.required_bond_rao, one.since_secs) = (u64::MAX, u64::MAX, secs);
            let (price_rao_per_sec, expires_at_secs) = (u64::MAX, u64::MAX);
            one.offer = Some(OfferView { price_rao_per_sec, expires_at_secs, ..offer(CLASS, count) });
        }
        let caps = vec![PriceCap { gpu_class: CLASS, rao_per_card_sec: big }];
        let rules = WeightRules { price_caps: caps, newcomer_rounds_ppm: ppm, ..WeightRules::default() };
        let most = Scheme::Classes((0..9).map(|class| (class, POINTS_MAX)).collect());
        for scheme in [most, Scheme::Points((0..9).map(|n| (machine(n), big)).collect())] {
            if let Ok(found) = weigh(&odd, &scheme, &rules) {
                check_shape(&found, odd.subnet)?;
            }
        }
        let any = WeightRules { window_secs: big, stale_ppm: ppm, prior_promised_secs: secs, ..WeightRules::default() };
        let _ = weigh(&odd, &classes(), &any);
    }
}

#[test]
fn the_properties_reach_fleets_that_earn_something() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let trees = (0..64).map(|_| fair().new_tree(&mut runner).unwrap().current());
    let earning = trees.filter(|fleet| weighed(fleet).weights.is_ok()).count();
    let trees = (0..64).map(|_| hostile().new_tree(&mut runner).unwrap().current());
    let odd = trees.filter(|fleet| weighed(fleet).weights.is_ok()).count();
    assert!(earning > 55 && odd > 10, "{earning} {odd}");
}
