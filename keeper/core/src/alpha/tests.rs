#![allow(clippy::unwrap_used)]

use super::*;
use crate::types::{Account, Kind, SshKey};
use crate::view::{CaseStatus, CaseView, FaultView, KeeperView, RentalView};
use proptest::prelude::*;

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

/// One alpha is a quarter of a TAO.
const QUARTER: MovingPrice = MovingPrice(1 << 30);

fn facts() -> BondFacts {
    BondFacts {
        now_secs: NOW,
        vault: Hash32([1; 32]),
        machine: MachineId([3; 32]),
        registration: Some(7),
        owner: Some(Hash32([2; 32])),
        free: 40_000_000_000,
        until_secs: NOW + 14 * DAY,
        price: QUARTER,
        newest: None,
        waiting: None,
        roll_fits: true,
    }
}

fn stated(facts: &BondFacts) -> Result<BondStatement, NotStated> {
    state_bond(facts, &AlphaRules::default())
}

#[test]
fn forty_alpha_at_a_quarter_and_half_the_haircut_count_for_five_tao() {
    let s = stated(&facts()).unwrap();
    assert_eq!((s.alpha, s.value_rao), (40_000_000_000, 5_000_000_000));
    assert_eq!((s.registration, s.rental, s.over), (7, 0, true));
    assert_eq!((s.stated_at_secs, s.until_secs), (NOW, NOW + 14 * DAY));
}

#[test]
fn a_rental_is_over_from_the_second_it_ends_in() {
    for (end, over) in [(NOW - 1, true), (NOW, true), (NOW + 1, false)] {
        let s = stated(&BondFacts { newest: Some((9, end)), ..facts() }).unwrap();
        assert_eq!((s.rental, s.over), (9, over));
    }
}

#[test]
fn the_bond_of_the_hotkeys_owner_is_stated_and_nobody_elses() {
    assert_eq!(stated(&facts()).unwrap().owner, Hash32([2; 32]));
    assert_eq!(stated(&BondFacts { owner: None, ..facts() }), Err(NotStated::NoOwner));
}

#[test]
fn nothing_is_stated_while_a_case_waits_or_the_vault_cannot_punish() {
    assert_eq!(stated(&BondFacts { waiting: Some(4), ..facts() }), Err(NotStated::Waiting { case: 4 }));
    assert_eq!(stated(&BondFacts { roll_fits: false, ..facts() }), Err(NotStated::RollDiffers));
    assert_eq!(stated(&BondFacts { registration: None, ..facts() }), Err(NotStated::NotRegistered));
}

#[test]
fn nothing_and_what_is_worth_nothing_are_not_stated() {
    assert_eq!(stated(&BondFacts { free: 0, ..facts() }), Err(NotStated::NothingFree));
    assert_eq!(stated(&BondFacts { free: 1, ..facts() }), Err(NotStated::WorthNothing));
    assert_eq!(stated(&BondFacts { price: MovingPrice(0), ..facts() }), Err(NotStated::WorthNothing));
    let absurd = stated(&BondFacts { free: u64::MAX, price: MovingPrice(u64::MAX), ..facts() });
    assert_eq!(absurd, Err(NotStated::WorthTooMuch));
    let all = AlphaRules { haircut_bps: 10_000 };
    assert_eq!(state_bond(&facts(), &all), Err(NotStated::WorthNothing));
}

proptest! {
    #[test]
    fn a_value_never_exceeds_the_price_and_never_shrinks_with_more_alpha(
        alpha in any::<u64>(), more in any::<u64>(), price in any::<u64>(), haircut_bps in 0u16..=20_000
    ) {
        let rules = AlphaRules { haircut_bps };
        let Ok(value) = value_of(alpha, MovingPrice(price), &rules) else { return Ok(()) };
        prop_assert!(u128::from(value) << 32 <= u128::from(alpha) * u128::from(price));
        let of_more = value_of(alpha.max(more), MovingPrice(price), &rules);
        prop_assert!(of_more == Err(NotStated::WorthTooMuch) || of_more.unwrap() >= value);
    }

    /// SPEC 19: both vaults together take what the Arbiter's rule says of the sum of both reserves.
    #[test]
    fn tao_bears_first_and_both_together_what_the_rule_says(
        tao in 0u64..1 << 62, value in 0u64..1 << 62, earned_rao in any::<u64>(), bps in 0u16..=2_000
    ) {
        let behind = Behind { tao_rao: tao, value_rao: value, ..behind() };
        let shares = Shares { offline_bps: bps, not_delivered_bps: bps, ..SHARES };
        let rule = |x: u64| u64::try_from(u128::from(x) * u128::from(bps) / 10_000).unwrap();
        let share = on_alpha(Kind::Offline, &behind, earned_rao, &shares).unwrap();
        prop_assert_eq!(share + rule(tao).min(earned_rao), rule(tao + value).min(earned_rao));
        let share = on_alpha(Kind::NotDelivered, &behind, earned_rao, &shares).unwrap();
        prop_assert_eq!(share + rule(tao), rule(tao + value));
        prop_assert!(share <= value);
    }
}

const SHARES: Shares = Shares { not_delivered_bps: 200, offline_bps: 1_000, filing_life_secs: 3 * DAY };

fn behind() -> Behind {
    let (vault, owner) = (Hash32([1; 32]), Hash32([2; 32]));
    Behind { vault, owner, alpha: 8_000, value_rao: 2_000, tao_rao: 1_000 }
}

fn rental() -> RentalView {
    RentalView {
        id: 5,
        machine: MachineId([3; 32]),
        renter: Account([4; 20]),
        renter_key: SshKey([5; 32]),
        gpu_class: 3,
        gpu_count: 1,
        price_rao_per_sec: 2,
        start_secs: NOW - 10_000,
        end_secs: NOW,
        paid_until_secs: NOW - 10_000,
        claimed_secs: 0,
        closed: false,
        faults: vec![FaultView { from_secs: NOW - 1_000, until_secs: NOW, case_id: 11 }],
    }
}

fn case(kind: Kind) -> CaseView {
    CaseView {
        id: 11,
        kind,
        status: CaseStatus::Filed,
        rental: 5,
        executable_at_secs: NOW + DAY,
        penalty_rao: 100,
        registration: 7,
        filed_at_secs: NOW,
    }
}

#[test]
fn a_backing_says_what_the_views_show() {
    let b = state_backing(&case(Kind::Offline), &rental(), &behind(), &SHARES, NOW + 60).unwrap();
    assert_eq!((b.case, b.kind, b.rental, b.registration), (11, Kind::Offline, 5, 7));
    assert_eq!((b.tao_reserve_rao, b.alpha, b.alpha_value_rao), (1_000, 8_000, 2_000));
    assert_eq!((b.earned_rao, b.stated_at_secs), (18_000, NOW + 60));
}

#[test]
fn an_overturned_an_old_and_a_strange_case_back_nothing() {
    let state = |case: &CaseView, now| state_backing(case, &rental(), &behind(), &SHARES, now);
    let overturned = CaseView { status: CaseStatus::Dismissed, ..case(Kind::Offline) };
    assert_eq!(state(&overturned, NOW), Err(NotStated::Overturned { case: 11 }));
    assert!(state(&case(Kind::Offline), NOW + 3 * DAY).is_ok());
    assert!(matches!(state(&case(Kind::Offline), NOW + 3 * DAY + 1), Err(NotStated::TooLate { case: 11, .. })));
    for kind in [Kind::Interrupted, Kind::Spoofed] {
        assert_eq!(state(&case(kind), NOW), Err(NotStated::NoSuchKind { case: 11 }));
    }
    let other = CaseView { rental: 6, ..case(Kind::Offline) };
    assert_eq!(state(&other, NOW), Err(NotStated::OtherCase { case: 11 }));
}

#[test]
fn where_tao_was_spared_because_nobody_could_punish_alpha_is_spared_too() {
    let spared = CaseView { penalty_rao: 0, ..case(Kind::Offline) };
    let state = |behind: &Behind| state_backing(&spared, &rental(), behind, &SHARES, NOW);
    assert_eq!(state(&behind()), Err(NotStated::NotPunished { case: 11 }));
    // Nothing was there to be set aside: that says nothing.
    assert!(state(&Behind { tao_rao: 9, ..behind() }).is_ok());
}

#[test]
fn an_offline_that_earned_nothing_takes_nothing() {
    let unserved = RentalView { faults: vec![FaultView { from_secs: 0, until_secs: NOW, case_id: 11 }], ..rental() };
    let refused = state_backing(&case(Kind::Offline), &unserved, &behind(), &SHARES, NOW);
    assert_eq!(refused, Err(NotStated::NoPenalty { case: 11 }));
}

#[test]
fn a_shortfall_is_what_the_arbiter_could_not_set_aside() {
    let claimed = Claimed { class_bond_rao: 600, gpu_count: 2 };
    let machine = MachineId([3; 32]);
    let s = state_shortfall(&case(Kind::Spoofed), machine, claimed, &behind(), &SHARES, NOW).unwrap();
    assert_eq!((s.shortfall_rao, s.alpha, s.alpha_value_rao, s.case), (1_100, 8_000, 2_000, 11));
    let paid = CaseView { penalty_rao: 1_200, ..case(Kind::Spoofed) };
    let refused = state_shortfall(&paid, machine, claimed, &behind(), &SHARES, NOW);
    assert_eq!(refused, Err(NotStated::NoPenalty { case: 11 }));
    let offline = state_shortfall(&case(Kind::Offline), machine, claimed, &behind(), &SHARES, NOW);
    assert_eq!(offline, Err(NotStated::NoSuchKind { case: 11 }));
}

#[test]
fn a_verdict_says_overturned_or_what_was_earned_by_now() {
    let vault = Hash32([1; 32]);
    let v = state_verdict(vault, &case(Kind::Offline), Some(&rental()), NOW + 5).unwrap();
    assert_eq!((v.dismissed, v.earned_rao), (false, 18_000));
    let mut later = rental();
    later.faults.insert(0, FaultView { from_secs: NOW - 5_000, until_secs: NOW - 4_000, case_id: 12 });
    assert_eq!(state_verdict(vault, &case(Kind::Offline), Some(&later), NOW + 5).unwrap().earned_rao, 16_000);
    let overturned = CaseView { status: CaseStatus::Dismissed, ..case(Kind::Offline) };
    assert!(state_verdict(vault, &overturned, Some(&rental()), NOW).unwrap().dismissed);
    assert_eq!(state_verdict(vault, &overturned, None, NOW), Err(NotStated::OtherCase { case: 11 }));
}

fn set(weights: &[(u8, u64, bool)]) -> Vec<KeeperView> {
    let keeper = |&(n, weight, active): &(u8, u64, bool)| {
        let (ssh_key, url) = (SshKey([n; 32]), String::new());
        KeeperView { account: Account([n; 20]), weight, active, ssh_key, url }
    };
    weights.iter().map(keeper).collect()
}

#[test]
fn a_roll_speaks_for_the_same_keepers_with_about_the_same_shares() {
    let set = set(&[(1, 40, true), (2, 35, true), (3, 25, true), (4, 90, false)]);
    let roll = |weights: [u64; 3]| [1, 2, 3].map(|n| Account([n; 20])).into_iter().zip(weights).collect::<Vec<_>>();
    assert!(roll_fits(&set, &roll([40, 35, 25])));
    // Other units are the same shares; a tenth moved is still about the same, more is not.
    assert!(roll_fits(&set, &roll([4_000, 3_500, 2_500])));
    assert!(roll_fits(&set, &roll([30, 35, 35])));
    assert!(!roll_fits(&set, &roll([29, 35, 36])));
    assert!(!roll_fits(&set, &roll([40, 35, 25])[..2]));
    // Who has next to nothing does not count, on either side; who has much does.
    let with = |n: u8, weight| [roll([40, 35, 25]), vec![(Account([n; 20]), weight)]].concat();
    assert!(roll_fits(&set, &with(4, 1)) && roll_fits(&set, &with(5, 11)));
    assert!(!roll_fits(&set, &with(5, 12)));
    assert!(!roll_fits(&set[..0], &[]));
}
