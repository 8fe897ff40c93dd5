//! Whether a vault's roll speaks for the keeper set as it is.

use crate::types::Account;
use crate::view::KeeperView;
use std::collections::{BTreeMap, BTreeSet};

/// How far the weights of roll and set may be apart, in ten-thousandths of the whole: a tenth. Weights by voting power
/// move a little every day, and a roll is handed over by hand; two thirds less a tenth is still a majority.
pub const APART_MAX_BPS: u128 = 1_000;

/// Whether the vault's roll is the electorate as it is: shares of the weight that differ by at most
/// [`APART_MAX_BPS`] in all, where who is not there has none. So nobody of little weight can make the roll unfit by
/// sitting or leaving. Where it is unfit, cases on alpha might find no quorum.
pub fn roll_fits(set: &[KeeperView], roll: &[(Account, u64)]) -> bool {
    let active = set.iter().filter(|keeper| keeper.active).map(|keeper| (keeper.account, keeper.weight));
    let set: BTreeMap<Account, u128> = active.map(|(account, weight)| (account, u128::from(weight))).collect();
    let roll: BTreeMap<Account, u128> = roll.iter().map(|(account, weight)| (*account, u128::from(*weight))).collect();
    let (ours, theirs): (u128, u128) = (set.values().sum(), roll.values().sum());
    if ours == 0 || theirs == 0 {
        return false;
    }
    // Shares as tenths of a million: 2^64 times that fits easily, and rounding is far below the bound.
    const FINE: u128 = 10_000_000;
    let share = |of: &BTreeMap<Account, u128>, whole: u128, who: &Account| of.get(who).map_or(0, |w| w * FINE / whole);
    let everybody: BTreeSet<&Account> = set.keys().chain(roll.keys()).collect();
    let apart = everybody.into_iter().map(|who| share(&set, ours, who).abs_diff(share(&roll, theirs, who)));
    // What one has more another has less: each difference is counted twice.
    apart.sum::<u128>() <= 2 * APART_MAX_BPS * FINE / super::BPS
}
