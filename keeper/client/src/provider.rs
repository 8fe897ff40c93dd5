//! A connection to one node's JSON-RPC, with a deadline on every request and a bound on every answer. Asks by block
//! number only: at an unknown hash a Subtensor node silently answers for the latest block.

mod batch;
mod bounded;

pub use batch::{BATCH_MAX, Each};
pub use bounded::ANSWER_BYTES_MAX;

use crate::block::{Header, Place, Receipt};
use alloy::network::AnyNetwork;
use alloy::primitives::{Address, B256, Bytes, U64, keccak256};
use alloy::providers::{Provider, RootProvider};
use alloy::rpc::client::RpcClient;
use alloy::rpc::types::{Filter, Log, TransactionRequest};
use alloy::serde::WithOtherFields;
use alloy::transports::http::reqwest;
use alloy::transports::{RpcError, TransportErrorKind};
use std::time::Duration;
use surety_core::types::{Account, Hash32};

/// Longest a node may take to answer one request.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Most blocks asked about in one `eth_getLogs`.
pub const MAX_LOG_BLOCKS: u64 = 1_000;

/// Why a node gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The URL is not one.
    #[error("'{url}' is no RPC URL: want http:// or https:// and a host")]
    BadUrl {
        /// As given, without what may be a secret in it.
        url: String,
    },
    /// It took too long.
    #[error("the node did not answer {method} within {} s", REQUEST_TIMEOUT.as_secs())]
    TimedOut {
        /// The method asked.
        method: &'static str,
    },
    /// It could not be reached, or answered an error.
    #[error("the node answered {method} with: {message}")]
    Refused {
        /// The method asked.
        method: &'static str,
        /// JSON-RPC error code, 0 when there was none.
        code: i64,
        /// The node's message, or the transport's, bounded.
        message: String,
        /// Revert data, if any.
        data: Option<Bytes>,
    },
    /// It answered something that makes no sense.
    #[error("the node answered {method} with something else than expected: {what}")]
    Odd {
        /// The method asked.
        method: &'static str,
        /// What was odd.
        what: String,
    },
}

/// Which block to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// The best block.
    Latest,
    /// The last finalized block.
    Finalized,
    /// A height.
    Number(u64),
}

/// One node.
#[derive(Debug, Clone)]
pub struct Node {
    provider: RootProvider<AnyNetwork>,
}

impl Node {
    /// Prepares a connection; nothing is sent yet.
    pub fn new(url: &str) -> Result<Self, NodeError> {
        // What follows the host often holds a key: it is not repeated.
        let shown = || url.split(['?', '#', '@']).next().unwrap_or("").chars().take(40).collect();
        let bad = || NodeError::BadUrl { url: shown() };
        let parsed: url::Url = url.parse().map_err(|_| bad())?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(bad());
        }
        let client = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).redirect(reqwest::redirect::Policy::none());
        let client = client.build().map_err(|_| bad())?;
        let transport = bounded::BoundedHttp::new(client, parsed);
        Ok(Self { provider: RootProvider::new(RpcClient::new(transport, false)) })
    }

    /// alloy's provider, for typed calls.
    pub fn provider(&self) -> &RootProvider<AnyNetwork> {
        &self.provider
    }

    /// The chain's id now. Root can change it.
    pub async fn chain_id(&self) -> Result<u64, NodeError> {
        self.ask("eth_chainId", self.provider.get_chain_id()).await
    }

    /// A block's header; `None` when there is no such block (yet), or it is not addressable.
    pub async fn header(&self, tag: Tag) -> Result<Option<Header>, NodeError> {
        let tag = match tag {
            Tag::Latest => "latest".to_string(),
            Tag::Finalized => "finalized".to_string(),
            Tag::Number(n) => format!("{n:#x}"),
        };
        let request = self.provider.client().request::<_, Option<Header>>("eth_getBlockByNumber", (tag, false));
        match self.ask("eth_getBlockByNumber", request).await {
            // A number that does not exist yet is an error on Subtensor, and null elsewhere.
            Err(NodeError::Refused { message, .. }) if message.contains("Expect block number") => Ok(None),
            other => other,
        }
    }

    /// keccak256 of the code at an address now.
    pub async fn code_hash(&self, account: Account) -> Result<Option<Hash32>, NodeError> {
        let code = self.ask("eth_getCode", async { self.provider.get_code_at(Address::from(account.0)).await }).await?;
        Ok(if code.is_empty() { None } else { Some(Hash32(keccak256(&code).0)) })
    }

    /// Balance in wei now. Subtensor leaves the existential deposit out.
    pub async fn balance_wei(&self, account: Account) -> Result<alloy::primitives::U256, NodeError> {
        self.ask("eth_getBalance", async { self.provider.get_balance(Address::from(account.0)).await }).await
    }

    /// Transactions of `account` in blocks up to `tag`.
    pub async fn nonce(&self, account: Account, tag: Tag) -> Result<u64, NodeError> {
        let address = Address::from(account.0);
        let block = match tag {
            Tag::Latest => "latest".to_string(),
            Tag::Finalized => "finalized".to_string(),
            Tag::Number(n) => format!("{n:#x}"),
        };
        let request = self.provider.client().request::<_, U64>("eth_getTransactionCount", (address, block));
        Ok(self.ask("eth_getTransactionCount", request).await?.to())
    }

    /// Transactions of `account` in blocks and, in nonce order without a gap, in the pool.
    pub async fn pending_nonce(&self, account: Account) -> Result<u64, NodeError> {
        let params = (Address::from(account.0), "pending");
        let request = self.provider.client().request::<_, U64>("eth_getTransactionCount", params);
        Ok(self.ask("eth_getTransactionCount", request).await?.to())
    }

    /// A transaction's receipt; `None` while it is in no block the node knows.
    pub async fn receipt(&self, hash: Hash32) -> Result<Option<Receipt>, NodeError> {
        let request =
            self.provider.client().request::<_, Option<Receipt>>("eth_getTransactionReceipt", (B256::from(hash.0),));
        self.ask("eth_getTransactionReceipt", request).await
    }

    /// Where a transaction is; `None` when the node does not know it. A node that has pruned the state still tells when
    /// it has no receipt any more.
    pub async fn place(&self, hash: Hash32) -> Result<Option<Place>, NodeError> {
        let request =
            self.provider.client().request::<_, Option<Place>>("eth_getTransactionByHash", (B256::from(hash.0),));
        self.ask("eth_getTransactionByHash", request).await
    }

    /// Sends signed bytes. An error does not mean that they are not in the pool, nor success that they are mined.
    pub async fn send_raw(&self, raw: &[u8]) -> Result<Hash32, NodeError> {
        let request =
            self.provider.client().request::<_, B256>("eth_sendRawTransaction", (Bytes::copy_from_slice(raw),));
        Ok(Hash32(self.ask("eth_sendRawTransaction", request).await?.0))
    }

    /// Base fee of the next block, in wei, as the node suggests it.
    pub async fn gas_price_wei(&self) -> Result<u128, NodeError> {
        self.ask("eth_gasPrice", async { self.provider.get_gas_price().await }).await
    }

    /// Gas a transaction would take; a revert comes back with its data.
    pub async fn estimate_gas(&self, tx: TransactionRequest) -> Result<u64, NodeError> {
        let tx = WithOtherFields::new(tx);
        self.ask("eth_estimateGas", async { self.provider.estimate_gas(tx).await }).await
    }

    /// Logs of `addresses` in `from..=to`, at most [`MAX_LOG_BLOCKS`] blocks.
    pub async fn logs(&self, addresses: Vec<Address>, from: u64, to: u64) -> Result<Vec<Log>, NodeError> {
        let to = to.min(from.saturating_add(MAX_LOG_BLOCKS - 1));
        let filter = Filter::new().address(addresses).from_block(from).to_block(to);
        self.ask("eth_getLogs", async { self.provider.get_logs(&filter).await }).await
    }

    /// The JSON-RPC client itself, for methods without a helper here; use it with [`Node::ask`].
    pub fn provider_client(&self) -> alloy::rpc::client::ClientRef<'_> {
        self.provider.client()
    }

    /// Runs anything that ends in a node's answer under the deadline.
    pub async fn within<T>(
        &self,
        method: &'static str,
        work: impl Future<Output = Result<T, NodeError>>,
    ) -> Result<T, NodeError> {
        tokio::time::timeout(REQUEST_TIMEOUT, work).await.unwrap_or(Err(NodeError::TimedOut { method }))
    }

    /// Runs a request under the deadline.
    pub async fn ask<T, F>(&self, method: &'static str, request: F) -> Result<T, NodeError>
    where
        F: IntoFuture<Output = Result<T, RpcError<TransportErrorKind>>>,
    {
        let answer = tokio::time::timeout(REQUEST_TIMEOUT, request.into_future()).await;
        let answer = answer.map_err(|_| NodeError::TimedOut { method })?;
        answer.map_err(|error| refused(method, error))
    }
}

fn refused(method: &'static str, error: RpcError<TransportErrorKind>) -> NodeError {
    match error.as_error_resp() {
        Some(payload) => NodeError::Refused {
            method,
            code: payload.code,
            message: payload.message.chars().take(300).collect(),
            data: payload.as_revert_data(),
        },
        None => match error {
            RpcError::DeserError { err, .. } => NodeError::Odd { method, what: err.to_string() },
            other => NodeError::Refused { method, code: 0, message: redacted(&other.to_string()), data: None },
        },
    }
}

/// A transport's complaint without the URL in it, which may hold a key.
pub(crate) fn redacted(message: &str) -> String {
    let without = match message.split_once("url (") {
        Some((before, rest)) => format!("{before}the node{}", rest.split_once(')').map_or("", |(_, after)| after)),
        None => message.to_string(),
    };
    without.chars().take(300).collect()
}

impl NodeError {
    /// Whether the call was made and failed, as a contract's revert or a precompile's refusal: the chain's own answer.
    /// Texts as Subtensor's node ("VM Exception ... revert", "evm error: InvalidRange") and anvil ("execution reverted",
    /// "EVM error InvalidFEOpcode") say them.
    pub fn is_the_evms(&self) -> bool {
        let Self::Refused { code, message, data, .. } = self else { return false };
        let message = message.to_lowercase();
        let says = |text: &str| message.contains(text);
        let failed = data.is_some() || says("revert") || says("evm error") || says("out of gas");
        *code != 0 && failed && !self.is_pruned()
    }

    /// Whether the node says that it has thrown away the state asked about, and not that there is none.
    pub fn is_pruned(&self) -> bool {
        let Self::Refused { message, .. } = self else { return false };
        message.contains("State already discarded") || message.contains("failed to retrieve Runtime Api version")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_an_rpc_url_is_never_repeated() {
        let said = redacted("error sending request for url (http://10.0.0.1/v2/SECRET?key=SECRET): connection refused");
        assert_eq!(said, "error sending request for the node: connection refused");
        let bad = Node::new("ftp://node.example?key=SECRET").err().map(|e| e.to_string()).unwrap_or_default();
        assert!(bad.contains("ftp://node.example") && !bad.contains("SECRET"), "{bad}");
    }
}
