//! Subtensor's own numbers: precompile addresses, account ids, storage-key hashes.

use alloy::primitives::{Address, FixedBytes, address, hex};
use blake2::{Blake2b, Digest, digest::consts::U32};
use std::hash::Hasher;
use surety_core::types::{Account, Hash32};

/// ed25519 verification.
pub const ED25519_VERIFY: Address = address!("0x0000000000000000000000000000000000000402");
/// Transfers to account ids.
pub const BALANCE_TRANSFER: Address = address!("0x0000000000000000000000000000000000000800");
/// The metagraph.
pub const METAGRAPH: Address = address!("0x0000000000000000000000000000000000000802");
/// EVM address to uids.
pub const UID_LOOKUP: Address = address!("0x0000000000000000000000000000000000000806");
/// Raw storage reads.
pub const STORAGE_QUERY: Address = address!("0x0000000000000000000000000000000000000807");
/// EVM address to account id.
pub const ADDRESS_MAPPING: Address = address!("0x000000000000000000000000000000000000080c");
/// Averages of validators' stake.
pub const VOTING_POWER: Address = address!("0x000000000000000000000000000000000000080d");

/// PalletId `burntnsr`: TAO sent there is burned.
pub const BURN_ACCOUNT: [u8; 32] = hex!("6d6f646c6275726e746e73720000000000000000000000000000000000000000");

/// twox128("SubtensorModule") ‖ twox128("AssociatedEvmAddress").
const ASSOCIATION_PREFIX: [u8; 32] = hex!("658faa385070e074c85bf6b568cf05552ee3ea5cc28fb0bcd7e9c900544e35b2");

/// The chain's existential deposit; each custody contract is seeded with it.
pub const EXISTENTIAL_DEPOSIT_RAO: u64 = 500;

/// The account id an EVM address maps to: blake2b-256 of `evm:` and the address.
pub fn account_id(account: Account) -> Hash32 {
    let mut hasher = Blake2b::<U32>::new();
    hasher.update(b"evm:");
    hasher.update(account.0);
    Hash32(hasher.finalize().into())
}

/// twox64 of a u16's little-endian bytes, as it stands in storage keys (hash little-endian).
pub fn twox64(value: u16) -> FixedBytes<8> {
    let mut hasher = twox_hash::XxHash64::with_seed(0);
    hasher.write(&value.to_le_bytes());
    FixedBytes(hasher.finish().to_le_bytes())
}

/// Raw storage key of `SubtensorModule.AssociatedEvmAddress(netuid, uid)`.
pub fn association_key(netuid: u16, uid: u16) -> Vec<u8> {
    let mut key = ASSOCIATION_PREFIX.to_vec();
    for id in [netuid, uid] {
        key.extend_from_slice(twox64(id).as_slice());
        key.extend_from_slice(&id.to_le_bytes());
    }
    key
}

/// The value stored under [`association_key`]: the address, then the block as little-endian u64.
pub fn association_value(account: Account, block: u64) -> Vec<u8> {
    [account.0.as_slice(), &block.to_le_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys, values and account ids below were answered by a node at spec 425.
    #[test]
    fn association_key_is_the_one_a_node_answered() {
        let want = hex!(
            "658faa385070e074c85bf6b568cf05552ee3ea5cc28fb0bcd7e9c900544e35b2"
            "283537e217dff4590200" "01a12dfa1fa4ab9a0000"
        );
        assert_eq!(association_key(2, 0), want);
        let alice = Account(hex!("f24ff3a9cf04c71dbc94d0b566f7a27b94566cac"));
        assert_eq!(association_value(alice, 7), hex!("f24ff3a9cf04c71dbc94d0b566f7a27b94566cac0700000000000000"));
    }

    #[test]
    fn account_id_is_the_one_a_node_answered() {
        let alice = Account(hex!("f24ff3a9cf04c71dbc94d0b566f7a27b94566cac"));
        let want = hex!("a02a00e549cb104f710d3fe6f2f83e91524d2a40c4ed831658a120883077f9a9");
        assert_eq!(account_id(alice), Hash32(want));
    }
}
