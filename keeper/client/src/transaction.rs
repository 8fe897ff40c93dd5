//! One transaction from the wish to its receipt, for wallets and command lines: simulated first, bounded in its fee,
//! signed once, and sent so that it can take effect at most once.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use surety_client::{bindings::CollateralVault, keys::Key, provider::Node};
//! use surety_client::transaction::{Order, Prepared, send};
//! let node = Node::new("http://127.0.0.1:8545")?;
//! let key = Key::read(std::path::Path::new("miner.key"))?;
//! let vault = surety_core::types::Account([7; 20]);
//! let order = Order::call(vault, &CollateralVault::depositCall { machine: [1; 32].into() }).paying(500_000_000);
//! let fee_max_rao = 100_000_000;
//! let prepared = Prepared::new(&node, 964, key.account(), order, fee_max_rao).await?; // simulated; nothing is sent
//! let signed = prepared.sign(&key)?;
//! let landed = send(&node, &signed, &mut |_| ()).await?; // waits until it is in a block
//! # drop(landed); Ok(()) }
//! ```
//!
//! # At most once
//! The nonce is the account's count of transactions in blocks, and nothing is prepared while another transaction of the
//! account waits in the pool. Whatever happens to an answer, the very same bytes are sent again, which a chain takes
//! once; and bytes of an earlier, abandoned try have the same nonce, so that only one of the two can ever get in.
//!
//! # Fees
//! Subtensor charges the base fee alone, and a transaction cannot be replaced by a dearer one: so there is no tip, and
//! the cap is [`FEE_FACTOR`] times the price that the node names.

mod sending;

pub use sending::{Landed, Progress, WAIT_LIMIT, send};

use crate::keys::Key;
use crate::provider::{Node, NodeError, Tag};
use crate::refusal::{Refusal, explain};
use crate::units::{WEI_PER_RAO, rao_floor, tao, wei};
use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, Bytes, TxKind, U256};
use alloy::rpc::types::TransactionRequest;
use alloy::signers::SignerSync;
use alloy::sol_types::SolCall;
use surety_core::types::{Account, Hash32, Rao};

/// Most gas a transaction may ask for. The chain takes at most 64,998,310; the dearest call here takes some 500,000.
pub const GAS_LIMIT_MAX: u64 = 15_000_000;

/// The fee cap is this many times the node's gas price.
pub const FEE_FACTOR: u128 = 3;

/// A call that is wanted, with the money that goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The contract.
    pub to: Account,
    /// ABI-encoded call.
    pub data: Bytes,
    /// What is paid with it.
    pub value_rao: Rao,
}

impl Order {
    /// A call that pays nothing.
    pub fn call(to: Account, call: &impl SolCall) -> Self {
        Self { to, data: call.abi_encode().into(), value_rao: 0 }
    }

    /// With money.
    #[must_use]
    pub fn paying(self, value_rao: Rao) -> Self {
        Self { value_rao, ..self }
    }

    fn request(&self, from: Account) -> TransactionRequest {
        let to = Some(TxKind::Call(Address::from(self.to.0)));
        let request = TransactionRequest { to, value: Some(wei(self.value_rao)), ..Default::default() };
        request.from(Address::from(from.0)).input(self.data.clone().into())
    }
}

/// Why a transaction was not made, or is not known to have taken effect.
#[derive(Debug, thiserror::Error)]
pub enum TxError {
    /// The node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The contract says no.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// The chain says no, without an error of these contracts.
    #[error("the chain refuses it: {0}")]
    RefusedByChain(String),
    /// The account cannot pay.
    #[error("{account} has {} TAO, and this takes up to {} TAO: send it some", tao(*have_rao), tao(*need_rao))]
    TooPoor {
        /// Who pays.
        account: Account,
        /// What it has.
        have_rao: Rao,
        /// The payment and the highest fee.
        need_rao: Rao,
    },
    /// The fee could be more than is allowed.
    #[error(
        "the fee could be {} TAO, want at most {} TAO: the node names an odd gas price, or say --max-fee",
        tao(*fee_rao), tao(*most_rao)
    )]
    TooDear {
        /// At most this much.
        fee_rao: Rao,
        /// Allowed.
        most_rao: Rao,
    },
    /// An earlier transaction is not in a block yet.
    #[error(
        "{account} has a transaction (nonce {nonce}) that waits in the pool: wait until it is in a block, then look \
         again, so that nothing happens twice"
    )]
    Waiting {
        /// Whose.
        account: Account,
        /// Its nonce.
        nonce: u64,
    },
    /// The key is another account's.
    #[error("the key is that of {key}, it was prepared for {wanted}")]
    OtherKey {
        /// The key's account.
        key: Account,
        /// Who was to pay.
        wanted: Account,
    },
    /// The key did not sign.
    #[error("signing failed: {0}")]
    Sign(String),
    /// It was in a block, and failed there.
    #[error("transaction {hash} failed in block {block}, only the fee is gone: {why}")]
    Failed {
        /// The transaction.
        hash: Hash32,
        /// Its block.
        block: u64,
        /// What the contract says now.
        why: String,
    },
    /// Something else has used its nonce.
    #[error("transaction {hash} can never get in: another one of this account took its nonce {nonce}")]
    Overtaken {
        /// The transaction.
        hash: Hash32,
        /// Its nonce.
        nonce: u64,
    },
    /// It is in no block yet; it may still get in.
    #[error(
        "transaction {hash} (nonce {nonce}) was sent and is in no block after {waited_secs} s ({last}). It may still \
         get in: look at it before you try again. A new try takes the same nonce, so only one of both can get in"
    )]
    NotYet {
        /// The transaction.
        hash: Hash32,
        /// Its nonce.
        nonce: u64,
        /// How long was waited.
        waited_secs: u64,
        /// What was seen last.
        last: String,
    },
}

/// A transaction that the node has simulated; nothing is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// Who pays and signs.
    pub from: Account,
    /// What is asked of the chain.
    pub order: Order,
    /// What the call answered when simulated.
    pub answer: Bytes,
    /// The account's next nonce.
    pub nonce: u64,
    /// Gas as estimated.
    pub gas: u64,
    /// Gas asked for: a quarter more.
    pub gas_limit: u64,
    /// Price as the node names it, wei per gas.
    pub gas_price_wei: u128,
    /// The cap, wei per gas.
    pub max_fee_per_gas_wei: u128,
    chain_id: u64,
}

impl Prepared {
    /// Simulates an order and finds out what it costs.
    ///
    /// # Errors
    /// The contract refuses it, the account cannot pay, the fee could pass `fee_max_rao`, an earlier transaction waits,
    /// or the node does not answer. Nothing was signed or sent.
    pub async fn new(
        node: &Node,
        chain_id: u64,
        from: Account,
        order: Order,
        fee_max_rao: Rao,
    ) -> Result<Self, TxError> {
        let have_rao = rao_floor(node.balance_wei(from).await?).unwrap_or(Rao::MAX);
        // Before it is simulated: a node says of an account that is too poor what it likes.
        if have_rao < order.value_rao {
            return Err(TxError::TooPoor { account: from, have_rao, need_rao: order.value_rao });
        }
        let answer = simulate(node, from, &order).await?;
        let gas = node.estimate_gas(order.request(from)).await.map_err(chains_word)?;
        let gas_limit = gas.saturating_add(gas / 4).min(GAS_LIMIT_MAX);
        let gas_price_wei = node.gas_price_wei().await?;
        let max_fee_per_gas_wei = gas_price_wei.saturating_mul(FEE_FACTOR);
        let (nonce, pending) = (node.nonce(from, Tag::Latest).await?, node.pending_nonce(from).await?);
        if pending > nonce {
            return Err(TxError::Waiting { account: from, nonce });
        }
        let prepared =
            Self { from, order, answer, nonce, gas, gas_limit, gas_price_wei, max_fee_per_gas_wei, chain_id };
        let fee_rao = prepared.fee_max_rao();
        if fee_rao > fee_max_rao {
            return Err(TxError::TooDear { fee_rao, most_rao: fee_max_rao });
        }
        let need_rao = prepared.order.value_rao.saturating_add(fee_rao);
        if have_rao < need_rao {
            return Err(TxError::TooPoor { account: from, have_rao, need_rao });
        }
        Ok(prepared)
    }

    /// The same, at no higher fee than was agreed to when `agreed` was shown: a node may name another price later.
    ///
    /// # Errors
    /// It takes more gas by now, or gas costs more, than what was agreed to pays for.
    pub fn within(self, agreed: &Self) -> Result<Self, TxError> {
        if self.gas > agreed.gas_limit || self.gas_price_wei > agreed.max_fee_per_gas_wei {
            return Err(TxError::TooDear { fee_rao: self.fee_max_rao(), most_rao: agreed.fee_max_rao() });
        }
        let (gas_limit, max_fee_per_gas_wei) = (agreed.gas_limit, agreed.max_fee_per_gas_wei);
        Ok(Self { gas_limit, max_fee_per_gas_wei, ..self })
    }

    /// The fee as it is likely to be, rounded up to whole rao.
    pub fn fee_likely_rao(&self) -> Rao {
        fee_rao(self.gas, self.gas_price_wei)
    }

    /// The highest fee it can come to, rounded up to whole rao.
    pub fn fee_max_rao(&self) -> Rao {
        fee_rao(self.gas_limit, self.max_fee_per_gas_wei)
    }

    /// The signed bytes.
    ///
    /// # Errors
    /// The key is another account's, or does not sign.
    pub fn sign(&self, key: &Key) -> Result<SignedTx, TxError> {
        if key.account() != self.from {
            return Err(TxError::OtherKey { key: key.account(), wanted: self.from });
        }
        let tx = TxEip1559 {
            chain_id: self.chain_id,
            nonce: self.nonce,
            gas_limit: self.gas_limit,
            max_fee_per_gas: self.max_fee_per_gas_wei,
            max_priority_fee_per_gas: 0,
            to: TxKind::Call(Address::from(self.order.to.0)),
            value: wei(self.order.value_rao),
            input: self.order.data.clone(),
            access_list: Default::default(),
        };
        let signature =
            key.signer().sign_hash_sync(&tx.signature_hash()).map_err(|error| TxError::Sign(error.to_string()))?;
        let envelope = TxEnvelope::from(tx.into_signed(signature));
        let hash = Hash32(envelope.tx_hash().0);
        Ok(SignedTx { raw: envelope.encoded_2718().into(), hash, prepared: self.clone() })
    }
}

/// Signed bytes, and what they were made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTx {
    /// What goes to the node.
    pub raw: Bytes,
    /// The transaction's hash.
    pub hash: Hash32,
    /// What it does.
    pub prepared: Prepared,
}

/// What a call would answer if it were made now.
///
/// # Errors
/// The contract refuses it, or the node does not answer.
pub async fn simulate(node: &Node, from: Account, order: &Order) -> Result<Bytes, TxError> {
    let params = (order.request(from), "latest");
    let request = node.provider_client().request::<_, Bytes>("eth_call", params);
    node.ask("eth_call", request).await.map_err(chains_word)
}

/// A node's error, told apart: the contract's word, the chain's, or the node's own trouble.
fn chains_word(error: NodeError) -> TxError {
    match &error {
        NodeError::Refused { data: Some(data), .. } if explain(data).is_some() => {
            explain(data).map_or(TxError::Node(error), TxError::Refused)
        }
        NodeError::Refused { message, .. } if error.is_the_evms() || no_funds(message) => {
            TxError::RefusedByChain(message.clone())
        }
        _ => TxError::Node(error),
    }
}

fn no_funds(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("insufficient") || message.contains("balance too low") || message.contains("balancelow")
}

fn fee_rao(gas: u64, price_wei: u128) -> Rao {
    let fee_wei = U256::from(gas).saturating_mul(U256::from(price_wei));
    let rounded = fee_wei.saturating_add(U256::from(WEI_PER_RAO - 1));
    rao_floor(rounded).unwrap_or(Rao::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_fee_is_rounded_up_to_whole_rao_and_never_wraps() {
        assert_eq!(fee_rao(21_000, 10_000_000_000), 210_000);
        assert_eq!(fee_rao(1, 1), 1);
        assert_eq!(fee_rao(1, 0), 0);
        assert_eq!(fee_rao(u64::MAX, u128::MAX), Rao::MAX);
    }

    fn prepared() -> Prepared {
        Prepared {
            from: Account([1; 20]),
            order: Order { to: Account([2; 20]), data: Bytes::new(), value_rao: 1 },
            answer: Bytes::new(),
            nonce: 0,
            gas: 21_000,
            gas_limit: 26_250,
            gas_price_wei: 10_000_000_000,
            max_fee_per_gas_wei: 30_000_000_000,
            chain_id: 31_337,
        }
    }

    #[test]
    fn what_is_signed_costs_at_most_the_fee_that_was_agreed_to() {
        let agreed = prepared();
        let dearer = Prepared {
            gas: 25_000,
            gas_limit: 31_250,
            gas_price_wei: 20_000_000_000,
            max_fee_per_gas_wei: 60_000_000_000,
            ..prepared()
        };
        let signed_for = dearer.clone().within(&agreed).unwrap();
        assert_eq!(signed_for.fee_max_rao(), agreed.fee_max_rao());
        for beyond in
            [Prepared { gas: 26_251, ..dearer.clone() }, Prepared { gas_price_wei: 30_000_000_001, ..dearer.clone() }]
        {
            assert!(matches!(beyond.within(&agreed), Err(TxError::TooDear { .. })));
        }
    }

    #[test]
    fn another_accounts_key_signs_nothing() {
        let prepared = prepared();
        let key = Key::from_bytes([7; 32]).unwrap();
        assert!(matches!(prepared.sign(&key), Err(TxError::OtherKey { .. })));
        let own = Prepared { from: key.account(), ..prepared };
        let (once, again) = (own.sign(&key).unwrap(), own.sign(&key).unwrap());
        assert_eq!(once, again, "the same order is the same bytes");
    }
}
