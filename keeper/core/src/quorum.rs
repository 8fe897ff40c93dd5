//! Whose word is enough: the keeper set's quorum rule, and the largest interval that a quorum agrees on.

use crate::types::{Account, UnixSecs};
use crate::view::KeeperView;
use std::collections::{BTreeMap, BTreeSet};

/// The keeper set's rule: the signers hold at least two thirds of the active weight; leaving the heaviest signer out,
/// the others hold at least half of the weight then left; at least two of them. Others than active keepers count for
/// nothing.
pub fn is_quorum(keepers: &BTreeMap<Account, KeeperView>, signers: &BTreeSet<Account>) -> bool {
    let active = |keeper: &&KeeperView| keeper.active && keeper.weight > 0;
    let total: u128 = keepers.values().filter(active).map(|keeper| u128::from(keeper.weight)).sum();
    let weights = || signers.iter().filter_map(|signer| keepers.get(signer)).filter(active);
    let held: u128 = weights().map(|keeper| u128::from(keeper.weight)).sum();
    let heaviest = weights().map(|keeper| u128::from(keeper.weight)).max().unwrap_or(0);
    let two_thirds = held * 3 >= total * 2;
    let without_heaviest = (held - heaviest) * 2 >= total - heaviest;
    weights().count() >= 2 && two_thirds && without_heaviest
}

/// One signer's interval, on offer for a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offered {
    /// Who signed.
    pub signer: Account,
    /// Where the caller finds the attestation.
    pub index: usize,
    /// Begin.
    pub from_secs: UnixSecs,
    /// End.
    pub until_secs: UnixSecs,
}

/// A quorum and what its members agree on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Agreed {
    /// Latest begin among the members.
    pub from_secs: UnixSecs,
    /// Earliest end among the members.
    pub until_secs: UnixSecs,
    /// The members, by signer.
    pub members: BTreeMap<Account, usize>,
}

/// The longest interval that lies within the intervals of a quorum, with as few members as carry it (each signature
/// costs gas). One liar or one keeper that came late cannot shrink it as long as a quorum is there without them.
pub fn agree(keepers: &BTreeMap<Account, KeeperView>, offered: &[Offered]) -> Option<Agreed> {
    let froms: BTreeSet<UnixSecs> = offered.iter().map(|one| one.from_secs).collect();
    let untils: Vec<UnixSecs> = offered.iter().map(|one| one.until_secs).collect::<BTreeSet<_>>().into_iter().collect();
    let mut best: Option<(UnixSecs, UnixSecs)> = None;
    for from_secs in froms {
        // More signers never undo a quorum, so the ends that keep one are the earlier ones: search for their edge.
        let keeping = untils.partition_point(|until| is_quorum(keepers, &signers(offered, from_secs, *until)));
        let Some(until_secs) = keeping.checked_sub(1).and_then(|last| untils.get(last)).copied() else {
            continue;
        };
        let length = until_secs.saturating_sub(from_secs);
        if length > 0 && best.is_none_or(|(from, until)| length > until.saturating_sub(from)) {
            best = Some((from_secs, until_secs));
        }
    }
    let (from_secs, until_secs) = best?;
    Some(Agreed { from_secs, until_secs, members: fewest(keepers, offered, from_secs, until_secs) })
}

fn covers(one: &Offered, from_secs: UnixSecs, until_secs: UnixSecs) -> bool {
    one.from_secs <= from_secs && one.until_secs >= until_secs
}

fn signers(offered: &[Offered], from_secs: UnixSecs, until_secs: UnixSecs) -> BTreeSet<Account> {
    offered.iter().filter(|one| covers(one, from_secs, until_secs)).map(|one| one.signer).collect()
}

/// Heaviest first, until they are a quorum.
fn fewest(
    keepers: &BTreeMap<Account, KeeperView>,
    offered: &[Offered],
    from_secs: UnixSecs,
    until_secs: UnixSecs,
) -> BTreeMap<Account, usize> {
    let mut all: Vec<&Offered> = offered.iter().filter(|one| covers(one, from_secs, until_secs)).collect();
    let weight = |one: &Offered| keepers.get(&one.signer).map_or(0, |keeper| keeper.weight);
    all.sort_by_key(|one| (std::cmp::Reverse(weight(one)), one.signer, one.index));
    let mut members = BTreeMap::new();
    for one in all {
        members.entry(one.signer).or_insert(one.index);
        if is_quorum(keepers, &members.keys().copied().collect()) {
            break;
        }
    }
    members
}

#[cfg(test)]
mod tests;
