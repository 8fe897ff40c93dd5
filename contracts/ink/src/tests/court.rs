//! Quorum, intersection, penalties.

use super::harness::{COIN, MACHINE};
use crate::court::*;
use crate::error::Error;
use crate::types::*;
use proptest::prelude::*;

fn roll(weights: &[u64]) -> Roll {
    let keepers = (1..=weights.len()).map(|n| [n as u8; 20]).collect();
    Roll { number: 0, keepers, weights: weights.to_vec() }
}

fn signers(numbers: &[u8]) -> Vec<Address> {
    numbers.iter().map(|n| [*n; 20]).collect()
}

fn is_quorum(weights: &[u64], numbers: &[u8]) -> bool {
    check_quorum(&roll(weights), &signers(numbers)).is_ok()
}

#[test]
fn two_thirds_are_needed_and_without_the_heaviest_half_of_the_rest() {
    assert!(is_quorum(&[10, 10, 10], &[1, 2]));
    assert!(!is_quorum(&[10, 10, 10, 10], &[1, 2]));
    assert!(is_quorum(&[10, 10, 10, 10], &[1, 2, 3]));
    // 80, 11, 9: two thirds hold with 80 and 9, but 9 is not half of 20.
    assert!(!is_quorum(&[80, 11, 9], &[1, 3]));
    assert!(is_quorum(&[80, 11, 9], &[1, 2]));
    assert!(!is_quorum(&[100, 1, 1], &[1]));
    assert!(is_quorum(&[u64::MAX; 64], &(1..=64).collect::<Vec<u8>>()));
}

#[test]
fn nobody_counts_twice_and_strangers_are_named() {
    let roll = roll(&[10, 10, 10]);
    assert_eq!(check_quorum(&roll, &signers(&[1, 1, 2])), Err(Error::NotAscending { index: 1 }));
    assert_eq!(check_quorum(&roll, &signers(&[2, 1])), Err(Error::NotAscending { index: 1 }));
    assert_eq!(check_quorum(&roll, &signers(&[1, 9])), Err(Error::NotAKeeper { index: 1, signer: [9; 20] }));
    assert_eq!(check_quorum(&roll, &[]), Err(Error::NoQuorum { signers: 0 }));
}

#[test]
fn a_roll_is_a_court_or_is_refused() {
    assert_eq!(check_roll(&roll(&[1, 1, 1])), Ok(()));
    assert_eq!(check_roll(&roll(&[1; 64])), Ok(()));
    let broken = |change: fn(&mut Roll)| {
        let mut roll = roll(&[1, 1, 1]);
        change(&mut roll);
        check_roll(&roll)
    };
    assert_eq!(check_roll(&roll(&[1, 1])), Err(Error::BadRoll));
    assert_eq!(check_roll(&roll(&[1; 65])), Err(Error::BadRoll));
    assert_eq!(broken(|r| r.weights[1] = 0), Err(Error::BadRoll));
    assert_eq!(broken(|r| r.weights.push(1)), Err(Error::BadRoll));
    assert_eq!(broken(|r| r.keepers[0] = [0; 20]), Err(Error::BadRoll));
    assert_eq!(broken(|r| r.keepers[1] = r.keepers[0]), Err(Error::BadRoll));
    assert_eq!(broken(|r| r.keepers.swap(0, 2)), Err(Error::BadRoll));
}

proptest! {
    #[test]
    fn two_quorums_share_a_keeper_and_more_signers_never_unmake_one(
        weights in prop::collection::vec(1u64..1_000_000, 3..9), a: u16, b: u16,
    ) {
        let chosen = |bits: u16| -> Vec<u8> {
            (0..weights.len() as u8).filter(|n| bits >> n & 1 == 1).map(|n| n + 1).collect()
        };
        if is_quorum(&weights, &chosen(a)) {
            prop_assert!(is_quorum(&weights, &chosen(a | b)));
            if is_quorum(&weights, &chosen(b)) {
                prop_assert!(!chosen(a & b).is_empty());
            }
        }
    }

    /// Whatever bears how much, the two vaults together take what the rule says of both together.
    #[test]
    fn both_vaults_together_take_exactly_what_the_rule_says(
        tao in 0u64..1 << 50, alpha_value in 1u64..1 << 50, earned in 0u64..1 << 50, bps in 1u16..=2_000, offline: bool,
    ) {
        let kind = if offline { Kind::Offline } else { Kind::NotDelivered };
        let backing = Backing { kind, tao_reserve: tao, alpha: alpha_value, alpha_value, earned, ..backing() };
        let rule = |reserve: u64| {
            let share = u128::from(reserve) * u128::from(bps) / 10_000;
            if offline { share.min(earned.into()) } else { share }
        };
        let falls = rule(tao + alpha_value) - rule(tao);
        match rental_penalty(bps, &backing) {
            Ok(penalty) => {
                prop_assert_eq!(u128::from(penalty.value_rao), falls);
                prop_assert_eq!(penalty.alpha, penalty.value_rao); // one alpha is one TAO here
                prop_assert!(penalty.alpha <= backing.alpha);
            }
            Err(error) => { prop_assert_eq!(error, Error::NoPenalty); prop_assert_eq!(falls, 0); }
        }
    }

    /// The second clamp is the first with the number that is known later, and never more.
    #[test]
    fn an_amended_outage_costs_what_it_would_have_cost_with_what_was_earned(
        tao in 0u64..1 << 50, alpha_value in 1u64..1 << 50, earned in 0u64..1 << 50, later in 0u64..1 << 50,
    ) {
        let backing = Backing { tao_reserve: tao, alpha: alpha_value, alpha_value, earned, ..backing() };
        let Ok(first) = rental_penalty(1_000, &backing) else { return Ok(()) };
        let left = amended(&pending(first), later);
        let again = rental_penalty(1_000, &Backing { earned: later.min(earned), ..backing });
        prop_assert_eq!(left.alpha, again.map_or(0, |penalty| penalty.alpha));
        prop_assert_eq!(left.value_rao, left.alpha);
        prop_assert!(left.alpha <= first.alpha);
    }
}

/// An outage that waits, with this penalty.
fn pending(penalty: Penalty) -> Case {
    Case {
        kind: Kind::Offline,
        status: Status::Filed,
        bond: 1,
        case_id: 1,
        registration: 1,
        rental: 1,
        shares: 1,
        alpha: penalty.alpha,
        penalty_rao: penalty.value_rao,
        tao_first_rao: penalty.tao_first_rao,
        value_rao: penalty.value_rao,
        filed_at: 0,
        appeal_bond: 0,
        rule_by: 0,
    }
}

fn backing() -> Backing {
    Backing {
        owner: [1; 32].into(),
        machine: MACHINE,
        registration: 1,
        case_id: 1,
        kind: Kind::Offline,
        rental: 1,
        tao_reserve: 20 * COIN,
        alpha: 30 * COIN,
        alpha_value: 15 * COIN,
        earned: 100 * COIN,
    }
}

#[test]
fn tao_bears_first_and_earnings_bound_an_outage() {
    // 10 % of 35 is 3.5, of which 2 is TAO's; 1.5 of 15 is a tenth of the alpha.
    let whole = rental_penalty(1_000, &backing()).unwrap();
    assert_eq!(whole, Penalty { value_rao: 3 * COIN / 2, alpha: 3 * COIN, tao_first_rao: 2 * COIN });
    // Earned 2.5: TAO bears 2, half a TAO is left for alpha.
    let little = Backing { earned: 5 * COIN / 2, ..backing() };
    assert_eq!(rental_penalty(1_000, &little).unwrap().alpha, COIN);
    // Earned 1: TAO bears it all.
    let less = Backing { earned: COIN, ..backing() };
    assert_eq!(rental_penalty(1_000, &less), Err(Error::NoPenalty));
    // Never delivered: nothing earned, and that is no bound.
    let nothing = Backing { kind: Kind::NotDelivered, earned: 0, ..backing() };
    assert_eq!(rental_penalty(200, &nothing).unwrap().value_rao, 300_000_000);
}

#[test]
fn alpha_that_counted_for_nothing_bears_nothing() {
    assert_eq!(rental_penalty(1_000, &Backing { alpha_value: 0, ..backing() }), Err(Error::NoPenalty));
    assert_eq!(rental_penalty(1_000, &Backing { alpha: 0, ..backing() }), Err(Error::NoPenalty));
    assert_eq!(rental_penalty(1_000, &Backing { kind: Kind::Spoofed, ..backing() }), Err(Error::BadKind));
}

#[test]
fn a_spoof_costs_what_tao_could_not_bear_and_at_most_all_alpha() {
    let shortfall = |rao| Shortfall {
        owner: [1; 32].into(),
        machine: MACHINE,
        registration: 1,
        case_id: 1,
        alpha: 30 * COIN,
        alpha_value: 15 * COIN,
        shortfall: rao,
    };
    assert_eq!(spoof_penalty(&shortfall(5 * COIN)).unwrap().alpha, 10 * COIN);
    assert_eq!(
        spoof_penalty(&shortfall(u64::MAX)).unwrap(),
        Penalty { value_rao: 15 * COIN, alpha: 30 * COIN, tao_first_rao: 0 }
    );
    assert_eq!(spoof_penalty(&shortfall(0)), Err(Error::NoPenalty));
}

#[test]
fn what_counts_is_what_all_saw() {
    let signature = Signature { r: [0; 32], vs: [0; 32] };
    let saw = |from, until| Attestation { cause: 1, from, until, evidence: [0; 32], signature };
    assert_eq!(intersection(&[saw(10, 50), saw(20, 40)], 60, 100), Ok((20, 40)));
    assert_eq!(intersection(&[saw(10, 20), saw(20, 40)], 60, 100), Err(Error::NothingInCommon { from: 20, until: 20 }));
    assert_eq!(intersection(&[saw(10, 20), saw(10, 61)], 60, 100), Err(Error::AheadOfTime { index: 1 }));
    assert_eq!(intersection(&[saw(10, 60)], 60, 100), Ok((10, 60)));
    assert_eq!(intersection(&[saw(10, 20)], 121, 100), Err(Error::Stale { index: 0, oldest: 21 }));
}
