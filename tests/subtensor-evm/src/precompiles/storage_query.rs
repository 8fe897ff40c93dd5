//! 0x807: raw storage. Calldata is a storage key, the answer raw SCALE, empty when nothing is there. A pallet that is
//! not on the list keeps all gas.
//!
//! Of the pallets on the list this harness stores `SubtensorModule.AssociatedEvmAddress`, `SubtensorModule.Keys`,
//! `SubtensorModule.BlockAtRegistration` and `Timestamp.Now`; any other key of theirs answers as one that is absent.

use super::{PrecompileResult, error, gas, output};
use crate::world::World;
use evm::executor::stack::PrecompileHandle;
use std::cell::RefCell;
use twox_hash::XxHash64;

/// Pallets whose storage may be read.
const ALLOWED: [&str; 10] = [
    "SubtensorModule",
    "Swap",
    "Balances",
    "Proxy",
    "Scheduler",
    "Drand",
    "Crowdloan",
    "Sudo",
    "Multisig",
    "Timestamp",
];

pub(super) fn execute(world: &RefCell<World>, handle: &mut impl PrecompileHandle) -> PrecompileResult {
    if !ALLOWED.iter().any(|pallet| handle.input().starts_with(&twox128(pallet))) {
        return Err(error("Invalid key"));
    }
    let value = read(&world.borrow(), handle.input());
    handle.record_cost(gas::READ)?;
    output(value.unwrap_or_default())
}

fn read(world: &World, key: &[u8]) -> Option<Vec<u8>> {
    if key == [twox128("Timestamp"), twox128("Now")].concat() {
        return Some((world.block.timestamp_secs * 1_000).to_le_bytes().to_vec());
    }
    let rest = key.strip_prefix(&twox128("SubtensorModule"))?;
    if let Some(rest) = rest.strip_prefix(&twox128("AssociatedEvmAddress")) {
        let (netuid, rest) = twox64_key(rest)?;
        let (uid, end) = twox64_key(rest)?;
        let association = world.now.subnets.get(&netuid)?.associations.get(&uid)?;
        return end.is_empty().then(|| [association.address.as_bytes(), &association.block.to_le_bytes()].concat());
    }
    let (map, rest) = rest.split_at_checked(16)?;
    let [n0, n1, u0, u1] = rest.try_into().ok()?;
    let neuron = world.now.subnets.get(&u16::from_le_bytes([n0, n1]))?.neurons.get(&u16::from_le_bytes([u0, u1]))?;
    match map {
        _ if map == twox128("Keys") => Some(neuron.hotkey.0.to_vec()),
        _ if map == twox128("BlockAtRegistration") => Some(neuron.registered_at.to_le_bytes().to_vec()),
        _ => None,
    }
}

/// The u16 of a twox64-concat key; none if its hash is not its own.
fn twox64_key(key: &[u8]) -> Option<(u16, &[u8])> {
    let (entry, rest) = key.split_at_checked(10)?;
    let value: [u8; 2] = entry[8..].try_into().ok()?;
    (twox64_concat(&value) == entry).then_some((u16::from_le_bytes(value), rest))
}

/// Substrate's Twox64Concat: eight bytes of xxhash64, then the key itself.
pub fn twox64_concat(key: &[u8]) -> Vec<u8> {
    [&XxHash64::oneshot(0, key).to_le_bytes(), key].concat()
}

/// Substrate's Twox128 of a pallet's or storage item's name.
fn twox128(name: &str) -> [u8; 16] {
    let mut out = [0u8; 16];
    out[..8].copy_from_slice(&XxHash64::oneshot(0, name.as_bytes()).to_le_bytes());
    out[8..].copy_from_slice(&XxHash64::oneshot(1, name.as_bytes()).to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_a_real_node() {
        // Recorded from a node: the prefix of AssociatedEvmAddress, and netuid 2, uid 0.
        let prefix = [twox128("SubtensorModule"), twox128("AssociatedEvmAddress")].concat();
        let hex: String = prefix.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "658faa385070e074c85bf6b568cf05552ee3ea5cc28fb0bcd7e9c900544e35b2");
        assert_eq!(twox64_concat(&2u16.to_le_bytes())[..8], 0x283537e217dff459_u64.to_be_bytes());
        assert_eq!(twox64_concat(&0u16.to_le_bytes())[..8], 0x01a12dfa1fa4ab9a_u64.to_be_bytes());
    }
}
