//! From points to a vector of weights: 65,535 units, shared in whole ones.
//!
//! By largest remainder: everybody gets what fits in whole units, and the units left go to the largest remainders, of
//! equal ones to the lower uid. Fewer points for one never bring it more units, which rounding each share for itself,
//! or handing the difference to somebody, does not keep to.

use super::ppm::{ONE_PPM, scaled};
use super::rules::WeightRules;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Units that are shared: the chain scales any vector so that its largest is this, so no sum says more.
pub const UNITS: u16 = u16::MAX;

/// A vector of weights as the chain takes it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Weights {
    /// Ascending, none twice.
    pub uids: Vec<u16>,
    /// One for each uid, none zero, together [`UNITS`].
    pub values: Vec<u16>,
}

/// Why there is no vector. Nothing is sent then, and what was set before stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NoWeights {
    /// No points anywhere, and nobody to burn.
    #[error("no machine earned anything, and no weights.burn_uid is set that could take all: set one, or wait")]
    NobodyEarned,
    /// The chain would refuse so short a vector. It is not filled up: strangers, or machines that earned nothing for a
    /// reason, would be paid for being needed.
    #[error("{have} uids have a weight, and the subnet asks for {need}: nobody is paid only to fill the vector")]
    TooFewUids {
        /// Uids with a weight.
        have: usize,
        /// What the subnet asks for.
        need: usize,
    },
    /// Not even all at the subnet's limit make up the whole.
    #[error(
        "{uids} uids with at most {limit} of 65535 each do not make up the whole: wait for more, or set a burn uid"
    )]
    LimitTooLow {
        /// Uids that may have a weight.
        uids: usize,
        /// The subnet's limit.
        limit: u16,
    },
}

/// What is shared, and what the chain asks of the result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// Least number of uids.
    pub(super) uids_min: usize,
    /// Most units of one uid.
    pub(super) limit: u16,
}

/// Shares all units: the burn's first, the rest by points, none above the limit. What a limit leaves goes to those
/// below it, in proportion to their points, and to the burn only when there is nobody left.
pub(super) fn share(points: &BTreeMap<u16, u64>, rules: &WeightRules, terms: Terms) -> Result<Weights, NoWeights> {
    let earned = points.values().any(|points| *points > 0);
    if !earned && rules.burn_uid.is_none() {
        return Err(NoWeights::NobodyEarned);
    }
    let (all, limit) = (u64::from(UNITS), u64::from(terms.limit));
    let burn_ppm = if earned { rules.burn_ppm.into() } else { ONE_PPM };
    let burned = rules.burn_uid.map_or(0, |_| scaled(all, burn_ppm, ONE_PPM).min(limit));
    let mut values = fill(points, all.saturating_sub(burned), limit);
    let shared = values.values().copied().fold(0, u64::saturating_add);
    let burned = all.saturating_sub(shared);
    if let Some(uid) = rules.burn_uid {
        values.insert(uid, burned);
    }
    values.retain(|_, units| *units > 0);
    if burned > rules.burn_uid.map_or(0, |_| limit) {
        return Err(NoWeights::LimitTooLow { uids: values.len(), limit: terms.limit });
    }
    if values.len() < terms.uids_min {
        return Err(NoWeights::TooFewUids { have: values.len(), need: terms.uids_min });
    }
    let units = |units: u64| u16::try_from(units).unwrap_or(UNITS);
    Ok(Weights { uids: values.keys().copied().collect(), values: values.values().copied().map(units).collect() })
}

/// `units` by points, none above `limit`. Ends: each turn but the last takes somebody out.
fn fill(points: &BTreeMap<u16, u64>, units: u64, limit: u64) -> BTreeMap<u16, u64> {
    let mut open: BTreeMap<u16, u64> = points.clone();
    open.retain(|_, points| *points > 0);
    let mut filled = BTreeMap::new();
    loop {
        let left = units.saturating_sub(filled.values().copied().fold(0, u64::saturating_add));
        let total: u128 = open.values().map(|points| u128::from(*points)).sum();
        let over = |points: u64| u128::from(points) * u128::from(left) >= total * u128::from(limit);
        let full: Vec<u16> = open.iter().filter(|(_, points)| over(**points)).map(|(uid, _)| *uid).collect();
        if full.is_empty() {
            filled.extend(by_largest_remainder(&open, left, total));
            return filled;
        }
        for uid in full {
            open.remove(&uid);
            filled.insert(uid, limit);
        }
    }
}

fn by_largest_remainder(points: &BTreeMap<u16, u64>, units: u64, total: u128) -> BTreeMap<u16, u64> {
    let mut parts: Vec<(u128, u16, u64)> = Vec::with_capacity(points.len());
    for (uid, points) in points {
        let whole = u128::from(*points) * u128::from(units);
        let (part, rest) = (whole.checked_div(total).unwrap_or(0), whole.checked_rem(total).unwrap_or(0));
        parts.push((rest, *uid, u64::try_from(part).unwrap_or(units)));
    }
    let given = parts.iter().fold(0u64, |given, (.., part)| given.saturating_add(*part));
    let left = usize::try_from(units.saturating_sub(given)).unwrap_or(usize::MAX);
    parts.sort_unstable_by_key(|(rest, uid, _)| (Reverse(*rest), *uid));
    let share = |(place, (_, uid, part)): (usize, (u128, u16, u64))| (uid, part.saturating_add((place < left).into()));
    parts.into_iter().enumerate().map(share).collect()
}
