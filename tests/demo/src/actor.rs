//! Somebody with an EVM key who sends transactions: signs EIP-1559, counts nonces, waits for receipts.

use crate::wait::{Seen, Seer};
use alloy::consensus::{SignableTransaction, TxEip1559};
use alloy::eips::eip2718::Encodable2718;
use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, Bytes, TxKind, U256};
use alloy::rpc::types::TransactionRequest;
use alloy::signers::SignerSync;
use alloy::sol_types::SolCall;
use anyhow::{Context, Result, bail};
use std::time::Duration;
use surety_client::block::Receipt;
use surety_client::intent::revert_name;
use surety_client::keys::Key;
use surety_client::provider::{Node, NodeError, Tag};
use surety_client::units::wei;
use surety_core::types::{Account, Hash32, Rao};
use tokio::sync::Mutex;

/// How long a transaction may take to be in a block.
const MINED_LIMIT: Duration = Duration::from_secs(20);

/// Tip offered, wei per gas.
const TIP_WEI: u128 = 1_000;

/// Somebody who sends transactions.
#[derive(Debug)]
pub struct Actor {
    /// What the story calls them.
    pub name: String,
    key: Key,
    node: Node,
    chain_id: u64,
    nonce: Mutex<Option<u64>>,
}

/// A transaction to be sent.
#[derive(Debug, Clone)]
pub struct Tx {
    to: Address,
    data: Bytes,
    value: U256,
    gas: Option<u64>,
}

impl Tx {
    /// A call.
    pub fn call(to: Address, call: &impl SolCall) -> Self {
        Self { to, data: call.abi_encode().into(), value: U256::ZERO, gas: None }
    }

    /// A call that is encoded already.
    pub fn encoded(to: Address, data: Bytes) -> Self {
        Self { to, data, value: U256::ZERO, gas: None }
    }

    /// With money.
    #[must_use]
    pub fn paying(self, rao: Rao) -> Self {
        Self { value: wei(rao), ..self }
    }

    /// With a gas limit instead of an estimate: for what cannot be estimated yet, since it follows on something that
    /// is in no block so far.
    #[must_use]
    pub fn with_gas(self, gas: u64) -> Self {
        Self { gas: Some(gas), ..self }
    }
}

impl Actor {
    /// `key`'s owner, talking to `node`.
    pub fn new(name: &str, key: Key, node: Node, chain_id: u64) -> Self {
        Self { name: name.to_owned(), key, node, chain_id, nonce: Mutex::new(None) }
    }

    /// Their account.
    pub fn account(&self) -> Account {
        self.key.account()
    }

    /// Their account, as alloy's type.
    pub fn address(&self) -> Address {
        Address::from(self.account().0)
    }

    /// Sends and waits until it is in a block.
    ///
    /// # Errors
    /// A revert is an error that names the contract's error.
    pub async fn send(&self, tx: Tx) -> Result<Receipt> {
        let hash = self.submit(tx.clone()).await?;
        self.receipt(&tx, hash).await
    }

    /// Sends several at once and waits for all.
    pub async fn send_all(&self, txs: Vec<Tx>) -> Result<Vec<Receipt>> {
        let mut sent = Vec::new();
        for tx in txs {
            let hash = self.submit(tx.clone()).await?;
            sent.push((tx, hash));
        }
        let mut receipts = Vec::new();
        for (tx, hash) in sent {
            receipts.push(self.receipt(&tx, hash).await?);
        }
        Ok(receipts)
    }

    async fn known_nonce(&self, nonce: &mut Option<u64>) -> Result<u64> {
        match *nonce {
            Some(nonce) => Ok(nonce),
            None => {
                let first = self.node.nonce(self.account(), Tag::Latest).await?;
                *nonce = Some(first);
                Ok(first)
            }
        }
    }

    /// The nonce is used up only once the node has taken the transaction.
    async fn submit(&self, tx: Tx) -> Result<Hash32> {
        let gas_limit = match tx.gas {
            Some(gas) => gas,
            None => self.estimate(&tx).await?,
        };
        let base_fee_wei = self.node.gas_price_wei().await?;
        let mut counter = self.nonce.lock().await;
        let nonce = self.known_nonce(&mut counter).await?;
        let unsigned = TxEip1559 {
            chain_id: self.chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas: base_fee_wei.saturating_mul(2).saturating_add(TIP_WEI),
            max_priority_fee_per_gas: TIP_WEI,
            to: TxKind::Call(tx.to),
            value: tx.value,
            access_list: Default::default(),
            input: tx.data,
        };
        let signature = self.key.signer().sign_hash_sync(&unsigned.signature_hash())?;
        let raw = unsigned.into_signed(signature).encoded_2718();
        let hash =
            self.node.send_raw(&raw).await.with_context(|| format!("{} sends transaction {nonce}", self.name))?;
        *counter = Some(nonce + 1);
        Ok(hash)
    }

    async fn estimate(&self, tx: &Tx) -> Result<u64> {
        match self.node.estimate_gas(self.request(tx)).await {
            Ok(gas) => Ok(gas + gas / 4),
            Err(NodeError::Refused { data: Some(data), message, .. }) => {
                bail!("{}'s call reverts: {}", self.name, revert_name(&data).unwrap_or(message))
            }
            Err(other) => Err(other.into()),
        }
    }

    async fn receipt(&self, tx: &Tx, hash: Hash32) -> Result<Receipt> {
        let seer = Seer::default();
        let what = format!("{}'s transaction {hash} is in a block", self.name);
        let receipt = seer
            .until(&what, MINED_LIMIT, async || {
                Ok(match self.node.receipt(hash).await? {
                    Some(receipt) if receipt.block_number.is_some() => Seen::Done(receipt),
                    _ => Seen::NotYet("it is in none".into()),
                })
            })
            .await?;
        if receipt.succeeded() {
            return Ok(receipt);
        }
        let why = self.estimate(tx).await.err().map_or_else(|| "it would not now".into(), |error| format!("{error:#}"));
        bail!("{}'s transaction {hash} reverted; sent again: {why}", self.name)
    }

    fn request(&self, tx: &Tx) -> TransactionRequest {
        let mut request =
            TransactionRequest::default().with_from(self.address()).with_input(tx.data.clone()).with_value(tx.value);
        request.to = Some(TxKind::Call(tx.to));
        request
    }
}
