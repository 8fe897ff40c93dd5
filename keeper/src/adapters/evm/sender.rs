//! Signs and sends transactions, and reads what a lane's decision needs. Nonces and bytes are the caller's: nothing
//! here chooses or repeats anything.

use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, TxKind, U256};
use alloy::rpc::types::TransactionRequest;
use alloy::signers::SignerSync;
use surety_client::bindings::CollateralVault;
use surety_client::block::{FullBlock, Sent};
use surety_client::digest::TimeTooFar;
use surety_client::intent::{self, Call};
use surety_client::keys::Key;
use surety_client::provider::{Node, NodeError, Tag};
use surety_core::effect::Intent;
use surety_core::evidence::Contracts;
use surety_core::outbox::{Answer, Receipt};
use surety_core::types::{Hash32, Rao};

/// Most gas one of our transactions may ask for; the chain takes at most 64,998,310.
const GAS_LIMIT_MAX: u64 = 15_000_000;

/// The fee cap is this many times the node's gas price. Only the base fee is ever charged on Subtensor.
const FEE_FACTOR: u128 = 3;

/// Why a transaction could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The contract refuses it now, by the name of its error.
    #[error("the contract refuses it: {0}")]
    Reverts(String),
    /// It does not fit the contract's types.
    #[error(transparent)]
    Encode(#[from] TimeTooFar),
    /// The key did not sign.
    #[error("signing failed: {0}")]
    Sign(String),
}

/// One account on one chain.
#[derive(Debug, Clone)]
pub struct Sender {
    node: Node,
    key: Key,
    chain_id: u64,
    contracts: Contracts,
}

/// Signed bytes.
#[derive(Debug, Clone)]
pub struct SignedTx {
    /// Hex with 0x.
    pub raw: String,
    /// Hash.
    pub hash: Hash32,
    /// `maxFeePerGas`, wei.
    pub max_fee_wei: u64,
}

impl Sender {
    /// Sends as `key` through `node`.
    pub fn new(node: Node, key: Key, chain_id: u64, contracts: Contracts) -> Self {
        Self { node, key, chain_id, contracts }
    }

    /// Signs an intent at `nonce`, with at least `min_fee_wei` as fee cap. Asks the node for gas first, so that what
    /// the contract refuses is never sent.
    pub async fn sign(&self, intent: &Intent, nonce: u64, min_fee_wei: u64) -> Result<SignedTx, SendError> {
        let call = intent::encode(intent, &self.contracts)?;
        let gas_limit = self.gas_limit(&call).await?;
        let price = self.node.gas_price_wei().await?;
        let max_fee = price.saturating_mul(FEE_FACTOR).max(u128::from(min_fee_wei));
        let tx = TxEip1559 {
            chain_id: self.chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas: max_fee,
            max_priority_fee_per_gas: 0,
            to: TxKind::Call(call.to),
            input: call.data,
            ..Default::default()
        };
        let signature =
            self.key.signer().sign_hash_sync(&tx.signature_hash()).map_err(|e| SendError::Sign(e.to_string()))?;
        let envelope = TxEnvelope::from(tx.into_signed(signature));
        let hash = Hash32(envelope.tx_hash().0);
        let raw = format!("0x{}", hex::encode(envelope.encoded_2718()));
        Ok(SignedTx { raw, hash, max_fee_wei: u64::try_from(max_fee).unwrap_or(u64::MAX) })
    }

    async fn gas_limit(&self, call: &Call) -> Result<u64, SendError> {
        let from = Address::from(self.key.account().0);
        let request = TransactionRequest::default().from(from).to(call.to).input(call.data.clone().into());
        match self.node.estimate_gas(request).await {
            Ok(gas) => Ok(gas.saturating_add(gas / 4).min(GAS_LIMIT_MAX)),
            Err(NodeError::Refused { data: Some(data), message, .. }) => {
                Err(SendError::Reverts(intent::revert_name(&data).unwrap_or(message)))
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Sends stored bytes and sorts the answer. Only the message tells refusals apart.
    pub async fn broadcast(&self, raw: &str) -> Answer {
        let Ok(bytes) = hex::decode(raw.trim_start_matches("0x")) else { return Answer::Refused };
        match self.node.send_raw(&bytes).await {
            Ok(_) => Answer::Accepted,
            Err(NodeError::Refused { message, code, .. }) if code != 0 => classify(&message),
            Err(_) => Answer::Lost,
        }
    }

    /// Our count of transactions.
    pub async fn nonce(&self, tag: Tag) -> Result<u64, NodeError> {
        self.node.nonce(self.key.account(), tag).await
    }

    /// Our count of transactions with the pool's.
    pub async fn pending_nonce(&self) -> Result<u64, NodeError> {
        self.node.pending_nonce(self.key.account()).await
    }

    /// The receipt under `hash`, if the block it names is the one at that height.
    pub async fn receipt(&self, hash: Hash32) -> Result<Option<Receipt>, NodeError> {
        let Some(receipt) = self.node.receipt(hash).await? else { return Ok(None) };
        let (Some(number), Some(block_hash)) = (receipt.block_number, receipt.block_hash) else { return Ok(None) };
        let header = self.node.header(Tag::Number(number.to())).await?;
        let on_chain = header.is_some_and(|h| h.hash == Some(block_hash));
        Ok(on_chain.then(|| Receipt { block: number.to(), ok: receipt.succeeded() }))
    }

    /// Whether the balance pays for the dearest transaction at this fee cap.
    pub async fn funded(&self, max_fee_wei: u64) -> Result<bool, NodeError> {
        let balance = self.node.balance_wei(self.key.account()).await?;
        Ok(balance >= U256::from(max_fee_wei) * U256::from(1_000_000u64))
    }

    /// What waits to be burned in the vault, at `block`.
    pub async fn burn_credit_rao(&self, block: u64) -> Result<Rao, NodeError> {
        let vault = CollateralVault::new(Address::from(self.contracts.vault.0), self.node.provider().clone());
        let call = vault.toBurn().block(alloy::eips::BlockId::number(block));
        let odd = |e: alloy::contract::Error| NodeError::Odd { method: "toBurn", what: e.to_string() };
        self.node.within("eth_call", async { call.call().await.map_err(odd) }).await
    }

    /// The transaction of ours that used `nonce`, at or before finalized block `to`: a bisection over our counts, which
    /// only grow.
    pub async fn nonce_used_by(&self, nonce: u64, to: u64) -> Result<Option<Hash32>, NodeError> {
        let (mut low, mut high) = (0, to);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.nonce(Tag::Number(middle)).await? > nonce {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        let request = self
            .node
            .provider_client()
            .request::<_, Option<FullBlock>>("eth_getBlockByNumber", (format!("{low:#x}"), true));
        let block = self.node.ask("eth_getBlockByNumber", request).await?;
        let me = Address::from(self.key.account().0);
        let used = |tx: &Sent| tx.from == me && tx.nonce.to::<u64>() == nonce;
        Ok(block.and_then(|b| b.transactions.into_iter().find(used)).map(|tx| Hash32(tx.hash.0)))
    }
}

/// What a refusal to take bytes means. Texts as Subtensor's node and anvil say them.
fn classify(message: &str) -> Answer {
    let message = message.to_lowercase();
    let says = |text: &str| message.contains(text);
    if says("already known") || says("already imported") {
        Answer::AlreadyKnown
    } else if says("nonce too low") || says("nonce is too low") || says("outdated") {
        Answer::NonceTooLow
    } else if says("insufficient funds")
        || says("base fee")
        || says("gas limit")
        || says("gas too low")
        || says("invalid")
    {
        Answer::Refused
    } else {
        Answer::Lost
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Every refusal recorded from a node at spec 425, and anvil's words for the same.
    #[test]
    fn refusals_are_told_apart_by_their_message_only() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/subtensor-rpc/send_raw_transaction.json");
        let recorded: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let messages = recorded.as_array().unwrap().iter().filter_map(|r| r["response"]["error"]["message"].as_str());
        let mut seen = 0;
        for message in messages {
            let want = match message {
                "already known" => Answer::AlreadyKnown,
                "nonce too low" => Answer::NonceTooLow,
                // Nobody but us sends at our nonces: it says that other bytes of ours are in the pool.
                "replacement transaction underpriced" => Answer::Lost,
                "max priority fee per gas higher than max fee per gas" => continue, // we send no tip
                _ => Answer::Refused,
            };
            assert_eq!(classify(message), want, "{message}");
            seen += 1;
        }
        assert!(seen >= 10, "only {seen} recorded refusals were read");
        assert_eq!(classify("transaction already imported"), Answer::AlreadyKnown);
        assert_eq!(classify("something new"), Answer::Lost);
    }
}
