//! Blocks as Subtensor answers them. alloy's Ethereum block type refuses them: they have no `mixHash`; a pruned node
//! leaves out `baseFeePerGas`; the pending block has a null hash.

use alloy::primitives::{B256, U64};
use serde::Deserialize;
use surety_core::{types::Hash32, view::BlockRef};

/// The few fields a keeper needs of a block; everything else may be missing, new or odd.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// Height.
    pub number: U64,
    /// Ethereum-side hash; null for the pending block.
    pub hash: Option<B256>,
    /// Hash of the block before.
    pub parent_hash: B256,
    /// Unix seconds.
    pub timestamp: U64,
    /// Wei; absent where the state is pruned.
    #[serde(default)]
    pub base_fee_per_gas: Option<U64>,
}

impl Header {
    /// Number, hash and time; `None` for the pending block.
    pub fn to_ref(&self) -> Option<BlockRef> {
        let hash = Hash32(self.hash?.0);
        Some(BlockRef { number: self.number.to(), hash, timestamp_secs: self.timestamp.to() })
    }
}

/// What is needed of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The transaction.
    pub transaction_hash: B256,
    /// The block it is in.
    pub block_number: Option<U64>,
    /// That block's hash.
    pub block_hash: Option<B256>,
    /// 1: succeeded, 0: reverted.
    pub status: Option<U64>,
    /// Gas paid for.
    pub gas_used: U64,
    /// The contract made, if any.
    #[serde(default)]
    pub contract_address: Option<alloy::primitives::Address>,
}

impl Receipt {
    /// Whether it succeeded. A receipt without status is no success.
    pub fn succeeded(&self) -> bool {
        self.status == Some(U64::from(1))
    }
}

/// The block that a transaction is in, if any.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// Height; null while it waits.
    pub block_number: Option<U64>,
    /// That block's hash.
    pub block_hash: Option<B256>,
}

/// A block with its transactions, as far as nonces go.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FullBlock {
    /// In the order they ran.
    pub transactions: Vec<Sent>,
}

/// Who sent a transaction, and at which nonce.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Sent {
    /// Its hash.
    pub hash: B256,
    /// Its sender.
    pub from: alloy::primitives::Address,
    /// Its nonce.
    pub nonce: U64,
}
