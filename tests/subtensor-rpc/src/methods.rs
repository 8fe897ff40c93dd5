//! One method after the other. Tags become numbers first, so that a node that is behind is behind in everything.

mod chain;
mod logs;
mod state;

use crate::control::{Control, Faults};
use crate::errors::{Answer, Failure};
use crate::params::Block;
use crate::shape::BASE_FEE_FLOOR_WEI;
use crate::submit::{Pool, Submitted};
use crate::upstream::{Upstream, hex, number};
use alloy::primitives::{B256, keccak256};
use serde_json::{Value, json};
use std::sync::Arc;

/// What answers.
#[derive(Debug, Clone)]
pub(crate) struct Methods {
    pub(crate) upstream: Upstream,
    pub(crate) control: Control,
    pub(crate) pool: Arc<Pool>,
}

/// The chain as this node knows it while it answers one request.
pub(crate) struct Known {
    pub(crate) best: u64,
    pub(crate) finalized: u64,
    pub(crate) faults: Faults,
}

/// Where a block parameter leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Height(u64),
    Pending,
    /// A hash that the node does not know, or knows no more.
    UnknownHash,
    /// A number that does not exist yet.
    Future(u64),
}

impl Methods {
    pub(crate) fn new(upstream: Upstream, control: Control) -> Self {
        Self { upstream, control, pool: Arc::default() }
    }

    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// `None` when the connection ends instead of an answer.
    pub(crate) async fn answer(&self, method: &str, params: &Value) -> Option<Answer> {
        if method == "eth_sendRawTransaction" {
            return match self.submit(params).await {
                Submitted::Answered(answer) => Some(answer),
                Submitted::Lost => None,
            };
        }
        if let Some(fixed) = fixed(method) {
            return Some(Ok(fixed));
        }
        Some(match self.known().await {
            Ok(known) => self.dispatch(&known, method, params).await,
            Err(failure) => Err(failure),
        })
    }

    /// Methods that depend on the chain.
    async fn dispatch(&self, known: &Known, method: &str, params: &Value) -> Answer {
        match method {
            "eth_chainId" => self.chain_id(known).await.map(|id| json!(hex(id))),
            "net_version" => self.chain_id(known).await.map(|id| json!(id.to_string())),
            "eth_blockNumber" => Ok(json!(hex(known.best + known.faults.lie.map_or(0, |lie| lie.ahead)))),
            "eth_gasPrice" => {
                let price = number(&self.upstream.get("eth_gasPrice", json!([])).await?);
                Ok(json!(hex(price.max(BASE_FEE_FLOOR_WEI))))
            }
            "eth_sendTransaction" => Err(Failure::internal("no signer available")),
            "eth_feeHistory" => self.upstream.get(method, params.clone()).await,
            "eth_getBlockByNumber" => self.block_by_number(known, params).await,
            "eth_getBlockByHash" => self.block_by_hash(known, params).await,
            "eth_getBlockTransactionCountByNumber" => self.transaction_count(known, params).await,
            "eth_getUncleCountByBlockNumber" => Ok(json!("0x0")),
            "eth_getBlockReceipts" => self.block_receipts(known, params).await,
            "eth_getTransactionReceipt" => self.receipt(known, params).await,
            "eth_getTransactionByHash" => self.transaction(known, params).await,
            "eth_getBalance" => self.balance(known, params).await,
            "eth_getTransactionCount" => self.nonce(known, params).await,
            "eth_getCode" => self.code(known, params).await,
            "eth_getStorageAt" => self.storage(known, params).await,
            "eth_call" => self.call(known, params).await,
            "eth_estimateGas" => self.estimate(known, params).await,
            "eth_getLogs" => self.logs(known, params).await,
            _ => Err(Failure::no_method()),
        }
    }

    async fn chain_id(&self, known: &Known) -> Result<u64, Failure> {
        match known.faults.chain_id {
            Some(other) => Ok(other),
            None => Ok(number(&self.upstream.get("eth_chainId", json!([])).await?)),
        }
    }

    async fn known(&self) -> Result<Known, Failure> {
        let height = self.upstream.height().await?;
        let mut live = self.control.faults();
        let stale_by = live.stale_by + live.mild.as_mut().map_or(0, crate::control::Mild::stale_by);
        let faults = live.clone();
        drop(live);
        let best = height.saturating_sub(stale_by).min(faults.halted_at.unwrap_or(u64::MAX));
        let finalized = best.saturating_sub(faults.finality_lag).min(faults.finality_stalled_at.unwrap_or(u64::MAX));
        Ok(Known { best, finalized, faults })
    }

    /// Where a block parameter leads.
    pub(crate) async fn place(&self, known: &Known, block: Block) -> Result<Place, Failure> {
        Ok(match block {
            Block::Latest => Place::Height(known.best),
            Block::Pending => Place::Pending,
            Block::Earliest => Place::Height(0),
            Block::Finalized => Place::Height(known.finalized),
            Block::Number(height) if height > known.best => Place::Future(height),
            Block::Number(height) => Place::Height(height),
            Block::Hash(hash) => {
                let block = self.upstream.get("eth_getBlockByHash", json!([hash, false])).await?;
                let height = number(&block["number"]);
                let found = block.is_object() && height <= known.best;
                if found { Place::Height(height) } else { Place::UnknownHash }
            }
        })
    }
}

impl Known {
    /// The hash this node gives a block.
    pub(crate) fn hash(&self, height: u64, hash: &Value) -> Value {
        let lies = self.faults.lie.is_some_and(|lie| lie.hashes && height >= lie.from);
        match hash.as_str().and_then(|text| text.parse::<B256>().ok()) {
            Some(hash) if lies => json!(keccak256(hash)),
            _ => hash.clone(),
        }
    }

    pub(crate) fn state_is_pruned(&self, height: u64) -> bool {
        height < self.faults.state_pruned_below.max(self.faults.bodies_pruned_below)
    }

    pub(crate) fn body_is_pruned(&self, height: u64) -> bool {
        height < self.faults.bodies_pruned_below
    }
}

/// Methods that always answer the same.
fn fixed(method: &str) -> Option<Value> {
    Some(match method {
        "web3_clientVersion" => json!("node-subtensor/v425.1/fc-rpc-2.0.0-dev"),
        "eth_syncing" => json!(false),
        "eth_accounts" => json!([]),
        "eth_protocolVersion" => json!(1),
        "net_listening" => json!(true),
        "net_peerCount" => json!("0x0"),
        "eth_maxPriorityFeePerGas" => json!("0x0"),
        "eth_coinbase" => json!("0x216eeb1b320b4c76d118da3d7407fa523484d0a9"),
        _ => return None,
    })
}
