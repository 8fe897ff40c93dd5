//! Account ids, and how EVM addresses map to them.

use alloy_primitives::{Address, B256};
use blake2::digest::{Update, VariableOutput};
use primitive_types::H160;

/// A Substrate account: 32 bytes. Hotkeys and coldkeys are accounts too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub [u8; 32]);

/// PalletId "burntnsr": what arrives there is burned TAO.
pub const BURN_ACCOUNT: AccountId = AccountId(*b"modlburntnsr\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");

impl AccountId {
    /// The account an EVM address acts as: blake2_256("evm:" ++ address). Nobody has its key.
    pub fn of(address: Address) -> Self {
        mapped(H160(address.into_array()))
    }

    /// The same 32 bytes, as contracts see them.
    pub fn to_b256(self) -> B256 {
        B256::from(self.0)
    }
}

pub(crate) fn mapped(address: H160) -> AccountId {
    let mut preimage = [0u8; 24];
    preimage[..4].copy_from_slice(b"evm:");
    preimage[4..].copy_from_slice(address.as_bytes());
    AccountId(blake2_256(&preimage))
}

pub(crate) fn blake2_256(data: &[u8]) -> [u8; 32] {
    let mut out = [0u8; 32];
    // 32 bytes is a length blake2b supports; were it not, the id would stay zero and every test would say so.
    if let Ok(mut hasher) = blake2::Blake2bVar::new(out.len()) {
        hasher.update(data);
        let _ = hasher.finalize_variable(&mut out);
    }
    out
}

impl From<Address> for AccountId {
    fn from(address: Address) -> Self {
        Self::of(address)
    }
}

impl From<B256> for AccountId {
    fn from(id: B256) -> Self {
        Self(id.0)
    }
}

impl std::fmt::Debug for AccountId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.to_b256())
    }
}
