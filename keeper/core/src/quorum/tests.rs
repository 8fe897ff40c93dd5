use super::*;
use crate::fixtures::{account, keepers};
use proptest::prelude::*;

fn set(weights: &[u64]) -> BTreeMap<Account, KeeperView> {
    keepers(weights).into_iter().map(|keeper| (keeper.account, keeper)).collect()
}

fn who(signers: &[u8]) -> BTreeSet<Account> {
    signers.iter().map(|n| account(*n)).collect()
}

fn offered(intervals: &[(u8, u64, u64)]) -> Vec<Offered> {
    let one = |(index, (n, from, until)): (usize, &(u8, u64, u64))| Offered {
        signer: account(*n),
        index,
        from_secs: *from,
        until_secs: *until,
    };
    intervals.iter().enumerate().map(one).collect()
}

#[test]
fn two_thirds_are_needed_and_enough() {
    let three = set(&[1, 1, 1]);
    assert!(is_quorum(&three, &who(&[1, 2])));
    assert!(!is_quorum(&set(&[1, 1, 1, 1]), &who(&[1, 2])));
    assert!(is_quorum(&set(&[1, 1, 1, 1]), &who(&[1, 2, 3])));
}

#[test]
fn one_heavy_keeper_does_not_decide_with_a_straw_man() {
    let heavy = set(&[80, 5, 8, 7]);
    assert!(!is_quorum(&heavy, &who(&[1])));
    assert!(!is_quorum(&heavy, &who(&[1, 2])), "5 of the other 20");
    assert!(is_quorum(&heavy, &who(&[1, 2, 3])), "13 of the other 20");
    assert!(!is_quorum(&heavy, &who(&[2, 3, 4])), "20 of 100");
}

#[test]
fn nobody_is_a_quorum_of_nobody() {
    assert!(!is_quorum(&BTreeMap::new(), &BTreeSet::new()));
    assert!(!is_quorum(&set(&[0, 0]), &who(&[1, 2])));
    assert!(!is_quorum(&set(&[5]), &who(&[1])), "one is never enough");
    assert!(!is_quorum(&set(&[u64::MAX]), &who(&[1, 2])));
}

#[test]
fn inactive_keepers_count_on_neither_side() {
    let mut all = set(&[1, 1, 1, 3]);
    assert!(!is_quorum(&all, &who(&[1, 2])));
    all.get_mut(&account(4)).unwrap_or_else(|| panic!("keeper 4")).active = false;
    assert!(is_quorum(&all, &who(&[1, 2])));
    assert!(!is_quorum(&all, &who(&[1, 4])));
}

#[test]
fn a_liar_or_a_latecomer_cannot_shrink_what_a_quorum_agrees_on() {
    let all = set(&[1, 1, 1, 1]);
    let agreed = agree(&all, &offered(&[(1, 100, 1_000), (2, 105, 995), (3, 98, 1_002), (4, 900, 950)]));
    let agreed = agreed.unwrap_or_else(|| panic!("no agreement"));
    assert_eq!((agreed.from_secs, agreed.until_secs), (105, 995));
    assert!(!agreed.members.contains_key(&account(4)));
}

#[test]
fn of_several_by_one_signer_each_counts_once() {
    let all = set(&[1, 1, 1]);
    assert_eq!(agree(&all, &offered(&[(1, 1, 10), (1, 2, 11), (1, 3, 12)])), None);
}

#[test]
fn as_few_signers_as_carry_it_are_named() {
    let all = set(&[30, 30, 30, 5, 5]);
    let intervals: Vec<(u8, u64, u64)> = (1..=5).map(|n| (n, 10, 20)).collect();
    let members = agree(&all, &offered(&intervals)).map(|agreed| agreed.members.into_keys().collect::<Vec<_>>());
    assert_eq!(members, Some(vec![account(1), account(2), account(3)]));
}

/// Every subset, the plain way.
fn naive(all: &BTreeMap<Account, KeeperView>, offers: &[Offered]) -> u64 {
    let mut best = 0;
    for mask in 1u32..1 << offers.len() {
        let some: Vec<&Offered> = offers.iter().filter(|one| mask & (1 << one.index) != 0).collect();
        let from = some.iter().map(|one| one.from_secs).max().unwrap_or(0);
        let until = some.iter().map(|one| one.until_secs).min().unwrap_or(0);
        if is_quorum(all, &some.iter().map(|one| one.signer).collect()) {
            best = best.max(until.saturating_sub(from));
        }
    }
    best
}

proptest! {
    #[test]
    fn the_longest_agreement_is_found(
        weights in prop::collection::vec(0u64..10, 1..5),
        intervals in prop::collection::vec((1u8..5, 0u64..20, 0u64..20), 0..8),
    ) {
        let all = set(&weights);
        let offers = offered(&intervals);
        let agreed = agree(&all, &offers);
        let length = agreed.as_ref().map_or(0, |agreed| agreed.until_secs - agreed.from_secs);
        prop_assert_eq!(length, naive(&all, &offers));
        if let Some(agreed) = agreed {
            prop_assert!(is_quorum(&all, &agreed.members.keys().copied().collect()));
            for (signer, index) in &agreed.members {
                let one = &offers[*index];
                prop_assert_eq!(&one.signer, signer);
                prop_assert!(one.from_secs <= agreed.from_secs && one.until_secs >= agreed.until_secs);
            }
        }
    }
}
