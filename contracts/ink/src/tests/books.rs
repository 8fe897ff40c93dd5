//! Shares and parts of a bond: laws, and the classic attack on shares.

use crate::books::*;
use proptest::prelude::*;

#[test]
fn mul_div_agrees_with_plain_arithmetic_and_keeps_every_bit() {
    for (a, b, d) in [(7, 5, 3), (0, 9, 4), (u64::MAX.into(), u64::MAX.into(), 10), (1, 1, 2)] {
        assert_eq!(mul_div(a, b, d, Round::Down), Some(a * b / d));
        assert_eq!(mul_div(a, b, d, Round::Up), Some((a * b).div_ceil(d)));
    }
    assert_eq!(mul_div(u128::MAX, u128::MAX, u128::MAX, Round::Up), Some(u128::MAX));
    assert_eq!(mul_div(u128::MAX, 2, 4, Round::Down), Some(u128::MAX / 2));
    assert_eq!(mul_div(u128::MAX, 2, 1, Round::Down), None);
    assert_eq!(mul_div(1, 1, 0, Round::Down), None);
    assert_eq!(mul_div(u128::MAX, u128::MAX, u128::MAX - 1, Round::Down), None);
}

proptest! {
    #[test]
    fn a_quotient_multiplied_back_is_the_product_less_than_one_divisor_off(a: u128, b: u64, d in 1u128..) {
        if let Some(down) = mul_div(a, b.into(), d, Round::Down) {
            // Modulo 2^128 is enough: the rest is below d.
            let rest = a.wrapping_mul(b.into()).wrapping_sub(down.wrapping_mul(d));
            prop_assert!(rest < d);
            if let Some(up) = mul_div(a, b.into(), d, Round::Up) {
                prop_assert_eq!(up - down, u128::from(rest > 0));
            }
        }
    }

    #[test]
    fn no_division_of_all_shares_is_worth_more_than_the_stake(
        stake: u64, parts in prop::collection::vec(0u128..1u128 << 90, 1..9),
    ) {
        let pool = Pool { stake, shares: parts.iter().sum() };
        let worth: u128 = parts.iter().map(|part| u128::from(pool.worth(*part))).sum();
        prop_assert!(worth <= stake.into());
    }

    #[test]
    fn shares_asked_for_an_amount_are_worth_it_and_shares_given_are_not_worth_more(
        stake in 1u64..1 << 55, shares in 1u128..1 << 75, amount in 1u64..1 << 54,
    ) {
        let pool = Pool { stake, shares };
        let asked = pool.shares_worth(amount).unwrap();
        prop_assume!(asked <= shares);
        prop_assert!(pool.worth(asked) >= amount.min(stake));
        let given = pool.shares_for(amount).unwrap();
        let after = Pool { stake: stake + amount, shares: shares + given };
        prop_assert!(after.worth(given) <= amount);
    }

    #[test]
    fn a_deposit_or_a_withdrawal_never_lowers_what_others_have(
        stake in 1u64..1 << 54, mine in 1u128..1 << 74, others in 1u128..1 << 74, amount in 1u64..1 << 53,
    ) {
        let before = Pool { stake, shares: mine + others };
        let given = before.shares_for(amount).unwrap();
        let joined = Pool { stake: stake + amount, shares: mine + others + given };
        prop_assert!(joined.worth(others) >= before.worth(others));
        let left = Pool { stake: stake - before.worth(mine), shares: others };
        prop_assert!(left.worth(others) >= before.worth(others));
    }

    /// Deposits, dividends, donations, burns and exits in any order: the attacker never has more than he put in and
    /// his part of what came by itself.
    #[test]
    fn nobody_takes_out_more_than_he_put_in_and_what_came_by_itself(
        steps in prop::collection::vec((0u8..5, 0usize..2, 1u64..1 << 40), 1..60),
    ) {
        let mut pool = Pool { stake: 0, shares: 0 };
        let crumbs = steps.len() as u64; // what the others lose by rounding is the pool's: a rao a step
        let (mut shares, mut put, mut taken, mut came) = ([0u128; 2], [0u64; 2], [0u64; 2], 0u64);
        for (what, who, amount) in steps {
            match what {
                0 | 1 => {
                    let given = pool.shares_for(amount).unwrap();
                    pool = Pool { stake: pool.stake + amount, shares: pool.shares + given };
                    shares[who] += given;
                    put[who] += amount;
                }
                2 => { pool.stake += amount; came += amount; }
                3 => {
                    let part = shares[who] / 2;
                    taken[who] += pool.worth(part);
                    pool = Pool { stake: pool.stake - pool.worth(part), shares: pool.shares - part };
                    shares[who] -= part;
                }
                _ => { // a penalty: shares and their worth are gone
                    let part = shares[who] / 10;
                    pool = Pool { stake: pool.stake - pool.worth(part), shares: pool.shares - part };
                    shares[who] -= part;
                }
            }
            for one in 0..2 {
                prop_assert!(taken[one] + pool.worth(shares[one]) <= put[one] + came + crumbs);
            }
            let owed: u64 = shares.iter().map(|part| pool.worth(*part)).sum();
            prop_assert!(owed <= pool.stake);
        }
    }

    #[test]
    fn shares_of_a_bond_are_in_exactly_one_part(steps in prop::collection::vec((0u8..6, 0u128..1000), 1..40)) {
        let mut bond = Bond::new([0; 32].into(), [0; 32]);
        let (mut all, mut now) = (0u128, 0u64);
        for (what, amount) in steps {
            now += 1;
            match what {
                0 => { bond.deposit(amount).unwrap(); all += amount; }
                1 => {
                    let fits = amount <= bond.unheld();
                    assert_eq!(bond.clone().start_exit(amount, now).is_some(), fits);
                    if fits { bond.start_exit(amount, now).unwrap(); }
                }
                2 => { bond.cancel_exit(); }
                3 => { let got = bond.set_aside(amount); assert!(got <= amount); }
                4 => { all -= bond.take_exit(); }
                _ if amount % 2 == 0 => {
                    let part = amount.min(bond.held);
                    bond.forfeit(part).unwrap();
                    all -= part;
                }
                _ => bond.give_back(amount.min(bond.held)).unwrap(),
            }
            prop_assert_eq!(bond.free + bond.exiting + bond.held, all);
        }
    }
}

/// First in, one rao; then a donation of a million alpha; then the victim's hundred. The donation is lost to shares
/// that belong to nobody, and the victim loses next to nothing.
#[test]
fn the_first_depositor_gains_nothing_by_donating_in_front_of_the_second() {
    let (donation, victims) = (1_000_000_000_000_000u64, 100_000_000_000u64);
    let first = Pool { stake: 0, shares: 0 };
    let attacker = first.shares_for(1).unwrap();
    let inflated = Pool { stake: 1 + donation, shares: attacker };
    let victim = inflated.shares_for(victims).unwrap();
    assert!(victim > 0);
    let after = Pool { stake: inflated.stake + victims, shares: attacker + victim };
    // Of a hundred alpha at most a rao per thousand is lost, for a donation ten thousand times as large.
    assert!(after.worth(victim) >= victims - victims / 100);
    assert!(after.worth(attacker) <= donation / 2 + victims);
    assert!(after.worth(attacker) + after.worth(victim) <= after.stake);
}

/// Where a share is worth many rao, a deposit below that price gets none; it is refused and not kept.
#[test]
fn a_deposit_below_the_price_of_a_share_gets_no_share() {
    let dear = Pool { stake: 10_000_000_000, shares: 0 };
    assert_eq!(dear.shares_for(9_999), Some(0));
    assert_eq!(dear.shares_for(10_001), Some(1));
    assert_eq!(dear.shares_for(19_999), Some(1));
    assert_eq!(dear.shares_worth(1), Some(1));
}

#[test]
fn a_lapsed_exit_counts_as_free_and_an_open_one_does_not() {
    let mut bond = Bond::new([0; 32].into(), [0; 32]);
    bond.deposit(100).unwrap();
    bond.start_exit(60, 1_000).unwrap();
    assert!(!bond.is_open(999, 50));
    assert!(bond.is_open(1_000, 50) && bond.is_open(1_050, 50));
    assert!(!bond.is_open(1_051, 50));
    assert_eq!(bond.clone().at(1_050, 50).exiting, 60);
    let lapsed = bond.at(1_051, 50);
    assert_eq!((lapsed.free, lapsed.exiting), (100, 0));
}

#[test]
fn an_exit_is_postponed_once_and_never_brought_forward_or_back_to_life() {
    let mut bond = Bond::new([0; 32].into(), [0; 32]);
    bond.deposit(100).unwrap();
    assert_eq!(bond.clone().postpone(5, 10, 50).ready_at, 0);
    bond.start_exit(60, 1_000).unwrap();
    assert_eq!(bond.clone().postpone(1_050, 1_200, 50).ready_at, 1_200);
    assert_eq!(bond.clone().postpone(1_051, 1_200, 50), bond, "lapsed");
    assert_eq!(bond.clone().postpone(500, 900, 50), bond, "ready later than the pool");
    let once = bond.postpone(1_050, 1_200, 50);
    assert_eq!(once.clone().postpone(1_050, 1_200, 50), once);
}

#[test]
fn what_is_leaving_answers_first() {
    let mut bond = Bond::new([0; 32].into(), [0; 32]);
    bond.deposit(100).unwrap();
    bond.start_exit(60, 1_000).unwrap();
    assert_eq!(bond.set_aside(70), 70);
    assert_eq!((bond.free, bond.exiting, bond.held), (30, 0, 70));
    assert_eq!(bond.set_aside(70), 30);
    assert_eq!(bond.forfeit(101), None);
}

#[test]
fn a_missing_millionth_is_rounding_and_a_missing_half_is_not() {
    assert!(is_there(0, 0) && is_there(0, 1_000) && !is_there(0, 1_002));
    assert!(is_there(999_998_500, 1_000_000_000));
    assert!(!is_there(500_000_000, 1_000_000_000));
    assert!(is_there(u64::MAX, u64::MAX));
}
