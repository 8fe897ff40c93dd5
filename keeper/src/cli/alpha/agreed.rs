//! What keepers' answers come to. Pure: answers in, the largest part that agrees and whether it is a quorum out.

use std::collections::{BTreeMap, BTreeSet};
use surety_core::alpha::BondStatement;
use surety_core::quorum::is_quorum;
use surety_core::statement::Signed;
use surety_core::types::{Account, UnixSecs};
use surety_core::view::KeeperView;
use surety_substrate::alpha::types::Roll;

/// Whose word counts, and how much.
pub(super) type Electorate = BTreeMap<Account, KeeperView>;

/// Keepers read the same bond a few blocks apart: what is lower than the others' by more than this is no such
/// difference. Of amounts, in hundredths.
const APART_MAX_PERCENT: u128 = 1;

/// The same of times, in seconds: fifty blocks.
const APART_MAX_SECS: u64 = 600;

/// The electorate of a vault's roll.
pub(super) fn of_roll(roll: &Roll) -> Electorate {
    let keeper = |(account, weight): (&[u8; 20], &u64)| {
        let account = Account(*account);
        (
            account,
            KeeperView { account, weight: *weight, active: true, ssh_key: Default::default(), url: String::new() },
        )
    };
    roll.keepers.iter().zip(&roll.weights).map(keeper).collect()
}

/// The weight of a keeper that counts; 0: it does not.
fn weight(keepers: &Electorate, account: Account) -> u128 {
    keepers.get(&account).filter(|keeper| keeper.active).map_or(0, |keeper| u128::from(keeper.weight))
}

/// The statements, one of each signer and signers ascending, that say the same and have the most weight behind them.
/// What counts as the same is `same`'s to say. Of equal weights, the group of the lowest signer.
pub(super) fn largest<T: Clone, K: PartialEq>(
    keepers: &Electorate,
    statements: &[Signed<T>],
    same: impl Fn(&T) -> K,
) -> Vec<Signed<T>> {
    let by_signer: BTreeMap<Account, &Signed<T>> = statements.iter().map(|signed| (signed.signer, signed)).collect();
    let mut groups: Vec<(K, u128, Vec<Signed<T>>)> = Vec::new();
    for (signer, signed) in by_signer {
        let (said, weight) = (same(&signed.statement), weight(keepers, signer));
        match groups.iter_mut().find(|(key, ..)| *key == said) {
            Some((_, sum, members)) => {
                *sum = sum.saturating_add(weight);
                members.push(signed.clone());
            }
            None => groups.push((said, weight, vec![signed.clone()])),
        }
    }
    // The last of equal maxima is taken: turned round, the first.
    groups.into_iter().rev().max_by_key(|(_, sum, _)| *sum).map(|(.., members)| members).unwrap_or_default()
}

/// Whether the signers of these are a quorum, by the contracts' rule.
pub(super) fn are_quorum<T>(keepers: &Electorate, statements: &[Signed<T>]) -> bool {
    is_quorum(keepers, &statements.iter().map(|signed| signed.signer).collect::<BTreeSet<_>>())
}

/// What bond statements of one claim come to: the least of each, as the contract counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    /// Rao of alpha.
    pub(super) alpha: u64,
    /// What they count for, in rao of TAO.
    pub(super) value_rao: u64,
    /// When, Unix seconds.
    pub(super) stated_at_secs: UnixSecs,
    /// Until when, Unix seconds.
    pub(super) until_secs: UnixSecs,
}

/// The least of each; None: nobody states anything.
pub(super) fn counts(statements: &[Signed<BondStatement>]) -> Option<Counts> {
    let least = |field: fn(&BondStatement) -> u64| statements.iter().map(|signed| field(&signed.statement)).min();
    Some(Counts {
        alpha: least(|s| s.alpha)?,
        value_rao: least(|s| s.value_rao)?,
        stated_at_secs: least(|s| s.stated_at_secs)?,
        until_secs: least(|s| s.until_secs)?,
    })
}

/// What all signers of a bond statement must say alike.
pub(super) fn claim(s: &BondStatement) -> impl PartialEq + use<> {
    (s.vault, s.owner, s.machine, s.registration, s.rental, s.over)
}

/// Bond statements without those that say much less than the weighted middle, as long as the rest is a quorum: since
/// the least counts, one keeper that is wrong would make the bond as small as it likes.
pub(super) fn without_low(keepers: &Electorate, statements: &[Signed<BondStatement>]) -> Vec<Signed<BondStatement>> {
    let middle = |field: fn(&BondStatement) -> u64| middle(keepers, statements, field);
    let (alpha, value) = (middle(|s| s.alpha), middle(|s| s.value_rao));
    let (stated_at, until) = (middle(|s| s.stated_at_secs), middle(|s| s.until_secs));
    let near = |signed: &&Signed<BondStatement>| {
        let s = &signed.statement;
        is_near(s.alpha, alpha)
            && is_near(s.value_rao, value)
            && s.stated_at_secs.saturating_add(APART_MAX_SECS) >= stated_at
            && s.until_secs.saturating_add(APART_MAX_SECS) >= until
    };
    let kept: Vec<_> = statements.iter().filter(near).cloned().collect();
    if are_quorum(keepers, &kept) { kept } else { statements.to_vec() }
}

fn is_near(amount: u64, middle: u64) -> bool {
    u128::from(amount) * 100 >= u128::from(middle) * (100 - APART_MAX_PERCENT)
}

/// What at least half of the weight states at most.
fn middle(keepers: &Electorate, statements: &[Signed<BondStatement>], field: fn(&BondStatement) -> u64) -> u64 {
    let mut said: Vec<(u64, u128)> =
        statements.iter().map(|signed| (field(&signed.statement), weight(keepers, signed.signer))).collect();
    said.sort_unstable();
    let all: u128 = said.iter().map(|(_, weight)| weight).sum();
    let mut below = 0u128;
    for (amount, weight) in said {
        below = below.saturating_add(weight);
        if below * 2 >= all {
            return amount;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use surety_core::types::{Hash32, MachineId, Signature};

    fn roll(weights: &[u64]) -> Electorate {
        let keepers = (1..=weights.len()).map(|n| [u8::try_from(n).unwrap(); 20]).collect();
        of_roll(&Roll { number: 0, keepers, weights: weights.to_vec() })
    }

    fn bond(signer: u8, alpha: u64) -> Signed<BondStatement> {
        let statement = BondStatement {
            vault: Hash32([9; 32]),
            owner: Hash32([8; 32]),
            machine: MachineId([7; 32]),
            registration: 1,
            rental: 0,
            over: true,
            alpha,
            value_rao: alpha / 2,
            stated_at_secs: 1_000_000,
            until_secs: 2_000_000,
        };
        Signed { statement, signer: Account([signer; 20]), signature: Signature([0; 65]) }
    }

    fn signers<T>(statements: &[Signed<T>]) -> Vec<u8> {
        statements.iter().map(|signed| signed.signer.0[0]).collect()
    }

    #[test]
    fn the_group_with_the_most_weight_is_taken_and_not_the_one_with_the_most_signers() {
        let keepers = roll(&[1, 1, 5, 1]);
        let mut said = [bond(4, 10), bond(3, 10), bond(2, 10), bond(1, 10)];
        said[1].statement.rental = 6;
        assert_eq!(signers(&largest(&keepers, &said, claim)), [3]);
        let keepers = roll(&[2, 2, 3, 1]);
        assert_eq!(signers(&largest(&keepers, &said, claim)), [1, 2, 4]);
    }

    #[test]
    fn amounts_and_times_differ_within_a_group_and_each_signer_is_there_once() {
        let keepers = roll(&[1, 1, 1]);
        let mut other = bond(2, 7);
        other.statement.until_secs -= 5;
        let group = largest(&keepers, &[bond(1, 10), other.clone(), bond(1, 10)], claim);
        assert_eq!(signers(&group), [1, 2]);
        let counts = counts(&group).unwrap();
        assert_eq!((counts.alpha, counts.value_rao, counts.until_secs), (7, 3, other.statement.until_secs));
        assert!(largest::<BondStatement, _>(&keepers, &[], claim).is_empty());
    }

    #[test]
    fn of_equal_groups_the_one_of_the_lowest_signer_is_taken() {
        let mut said = [bond(1, 10), bond(2, 10)];
        said[1].statement.over = false;
        assert_eq!(signers(&largest(&roll(&[1, 1]), &said, claim)), [1]);
    }

    #[test]
    fn one_keeper_that_states_next_to_nothing_is_left_out_where_the_others_are_a_quorum() {
        let keepers = roll(&[1, 1, 1, 1]);
        let said = [bond(1, 1_000), bond(2, 995), bond(3, 1), bond(4, 1_001)];
        let kept = without_low(&keepers, &said);
        assert_eq!((signers(&kept), are_quorum(&keepers, &kept)), (vec![1, 2, 4], true));
        assert_eq!(counts(&kept).unwrap().alpha, 995);
        // Without it there is no quorum: then its word counts.
        assert_eq!(signers(&without_low(&roll(&[1, 1, 4, 1]), &said)), [1, 2, 3, 4]);
    }

    #[test]
    fn one_keeper_with_an_early_end_or_an_old_date_is_left_out_too() {
        let keepers = roll(&[1, 1, 1, 1]);
        for change in [|s: &mut BondStatement| s.until_secs = 0, |s: &mut BondStatement| s.stated_at_secs -= 601] {
            let mut said = [bond(1, 10), bond(2, 10), bond(3, 10), bond(4, 10)];
            change(&mut said[1].statement);
            assert_eq!(signers(&without_low(&keepers, &said)), [1, 3, 4]);
        }
    }

    #[test]
    fn two_thirds_are_a_quorum_and_one_keeper_never_is() {
        let keepers = roll(&[1, 1, 1]);
        assert!(are_quorum(&keepers, &[bond(1, 1), bond(3, 1)]));
        assert!(!are_quorum(&keepers, &[bond(1, 1)]));
        assert!(!are_quorum(&roll(&[9, 1]), &[bond(1, 1)]));
        // Others than those of the electorate count for nothing.
        assert!(!are_quorum(&keepers, &[bond(1, 1), bond(9, 1)]));
    }
}
