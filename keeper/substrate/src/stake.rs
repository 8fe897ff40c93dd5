//! A hotkey's stake on a subnet as the chain counts it for whoever sets weights: alpha there, and TAO on the root
//! network at the chain's own weight, less what it lends to its children, more what its parents lend it.
//!
//! Read off the pallet's source (`get_stake_weights_for_hotkey_on_subnet`), and not compared with a running node; the
//! pool's own check decides. So whoever uses the number leaves room for doubt.

use crate::needed::{self, Item};
use crate::node::Head;
use crate::nodes::{Nodes, NodesError};
use crate::runtime::{CodecError, Part, Runtime};
use crate::ss58::AccountId;
use surety_core::types::Rao;

/// Most parents that are looked at; the chain allows no hotkey as many.
const PARENTS_MAX: usize = 256;

/// The root network.
const ROOT: u16 = 0;

/// A share of another hotkey's stake, of 2^64 - 1.
type Share = (u64, [u8; 32]);

/// The stake of a hotkey at a block, in alpha-rao.
pub async fn stake_of(
    nodes: &Nodes,
    runtime: &Runtime,
    at: Head,
    netuid: u16,
    hotkey: AccountId,
) -> Result<Rao, NodesError> {
    let (id, net) = (Part::from(hotkey), Part::Number(netuid.into()));
    let parents: Vec<Share> = list(nodes, runtime, at, &needed::PARENTS, [id, net]).await?;
    let children: Vec<Share> = list(nodes, runtime, at, &needed::CHILDREN, [id, net]).await?;
    let weight: u64 = nodes.value(runtime, at.hash, &needed::TAO_WEIGHT, &[]).await?.unwrap_or(0);
    let holders = std::iter::once(hotkey).chain(parents.iter().map(|(_, parent)| AccountId(*parent)));
    let keys = holders.flat_map(|holder| {
        [netuid, ROOT].map(|net| runtime.key(&needed::HOTKEY_ALPHA, &[holder.into(), Part::Number(net.into())]))
    });
    let keys: Vec<Vec<u8>> = keys.collect::<Result<_, CodecError>>()?;
    let stored = nodes.storage(at.hash, &keys).await?;
    let amounts = stored.iter().map(|bytes| runtime.value::<u64>(&needed::HOTKEY_ALPHA, bytes.as_deref()));
    let amounts: Vec<u64> = amounts.map(|amount| Ok(amount?.unwrap_or(0))).collect::<Result<_, CodecError>>()?;
    let on = |place: usize| inherited(&amounts, place, &parents, &children);
    Ok(on(0).saturating_add(share_of(on(1), weight)))
}

async fn list(
    nodes: &Nodes,
    runtime: &Runtime,
    at: Head,
    item: &Item,
    parts: [Part; 2],
) -> Result<Vec<Share>, NodesError> {
    let found: Option<Vec<Share>> = nodes.value(runtime, at.hash, item, &parts).await?;
    Ok(found.unwrap_or_default().into_iter().take(PARENTS_MAX).collect())
}

/// `amounts` are pairs, on the subnet and on root: the hotkey's own first, then its parents' in order.
fn inherited(amounts: &[u64], place: usize, parents: &[Share], children: &[Share]) -> u64 {
    let at = |pair: usize| amounts.get(2 * pair + place).copied().unwrap_or(0);
    let lent = children.iter().map(|(share, _)| share_of(at(0), *share)).fold(0, u64::saturating_add);
    let lent_to_us = parents.iter().zip(1..).map(|((share, _), pair)| share_of(at(pair), *share));
    at(0).saturating_sub(lent).saturating_add(lent_to_us.fold(0, u64::saturating_add))
}

fn share_of(amount: u64, share: u64) -> u64 {
    u64::try_from(u128::from(amount) * u128::from(share) / u128::from(u64::MAX)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: u64 = u64::MAX / 2 + 1;

    #[test]
    fn what_is_lent_to_children_is_not_counted_and_what_parents_lend_is() {
        // Own 1,000 on the subnet and 80 on root; one parent with 500 and 40.
        let amounts = [1_000, 80, 500, 40];
        assert_eq!(inherited(&amounts, 0, &[], &[]), 1_000);
        assert_eq!(inherited(&amounts, 0, &[], &[(HALF, [1; 32])]), 500);
        assert_eq!(inherited(&amounts, 0, &[(HALF, [2; 32])], &[]), 1_250);
        assert_eq!(inherited(&amounts, 1, &[(u64::MAX, [2; 32])], &[(u64::MAX, [1; 32])]), 40);
    }

    #[test]
    fn shares_that_add_up_to_more_than_all_are_no_overflow() {
        let children = [(u64::MAX, [1; 32]), (u64::MAX, [2; 32])];
        assert_eq!(inherited(&[u64::MAX, 0], 0, &[], &children), 0);
        assert_eq!(share_of(u64::MAX, u64::MAX), u64::MAX);
    }
}
