//! Blocks, transactions and receipts.

use super::{Known, Methods, Place};
use crate::errors::{Answer, Failure};
use crate::params::{self, Block};
use crate::shape;
use crate::upstream::{hex, number};
use alloy::primitives::{Address, keccak256};
use serde_json::{Value, json};

impl Methods {
    pub(super) async fn block_by_number(&self, known: &Known, params: &Value) -> Answer {
        let block = params::named_block(params, 0)?;
        let full = params.get(1).and_then(Value::as_bool).unwrap_or(false);
        let ahead = known.faults.lie.map_or(0, |lie| lie.ahead);
        let invented = match block {
            Block::Latest if ahead > 0 => Some(known.best + ahead),
            Block::Number(height) if height > known.best && height <= known.best + ahead => Some(height),
            _ => None,
        };
        if let Some(height) = invented {
            let mut made_up = self.block_at(known, known.best, full).await?;
            made_up["number"] = json!(hex(height));
            made_up["hash"] = json!(keccak256(height.to_be_bytes()));
            return Ok(made_up);
        }
        match self.place(known, block).await? {
            Place::Height(height) => self.block_at(known, height, full).await,
            Place::Pending => {
                let pending = self.upstream.get("eth_getBlockByNumber", json!([hex(known.best), full])).await?;
                Ok(shape::block(&pending, true))
            }
            Place::Future(height) => Err(Failure::no_such_height(height)),
            Place::UnknownHash => Ok(Value::Null),
        }
    }

    pub(super) async fn block_by_hash(&self, known: &Known, params: &Value) -> Answer {
        let hash = params::hash(params, 0)?.parse().map_err(|_| Failure::params("invalid hash"))?;
        let full = params.get(1).and_then(Value::as_bool).unwrap_or(false);
        match self.place(known, Block::Hash(hash)).await? {
            Place::Height(height) => {
                let mut block = self.block_at(known, height, full).await?;
                if block.is_object() && known.state_is_pruned(height) {
                    block["baseFeePerGas"] = json!("0x0");
                }
                Ok(block)
            }
            _ => Ok(Value::Null),
        }
    }

    /// A block that exists, as this node has it.
    async fn block_at(&self, known: &Known, height: u64, full: bool) -> Answer {
        if known.body_is_pruned(height) {
            return Ok(Value::Null);
        }
        let mut anvils = self.upstream.get("eth_getBlockByNumber", json!([hex(height), true])).await?;
        if let Some(transactions) = anvils["transactions"].as_array_mut() {
            transactions.retain(|tx| !known.leaves_nothing(&tx["from"]));
            if !full {
                transactions.iter_mut().for_each(|tx| *tx = tx["hash"].take());
            }
        }
        let mut block = shape::block(&anvils, false);
        block["hash"] = known.hash(height, &block["hash"]);
        block["parentHash"] = known.hash(height.saturating_sub(1), &block["parentHash"]);
        if known.state_is_pruned(height)
            && let Some(fields) = block.as_object_mut()
        {
            fields.remove("baseFeePerGas");
        }
        Ok(block)
    }

    pub(super) async fn transaction_count(&self, known: &Known, params: &Value) -> Answer {
        match self.place(known, params::named_block(params, 0)?).await? {
            Place::Height(height) => {
                let block = self.block_at(known, height, false).await?;
                let count = block["transactions"].as_array().map_or(0, Vec::len);
                Ok(json!(hex(count as u64)))
            }
            Place::Future(height) => Err(Failure::no_such_height(height)),
            _ => Ok(Value::Null),
        }
    }

    pub(super) async fn block_receipts(&self, known: &Known, params: &Value) -> Answer {
        let height = match self.place(known, params::named_block(params, 0)?).await? {
            Place::Height(height) => height,
            Place::Future(height) => return Err(Failure::no_such_height(height)),
            _ => return Ok(Value::Null),
        };
        if known.body_is_pruned(height) {
            return Ok(Value::Null);
        }
        if known.state_is_pruned(height) {
            return Ok(json!([]));
        }
        let receipts = self.upstream.get("eth_getBlockReceipts", json!([hex(height)])).await?;
        let list = receipts.as_array().map(Vec::as_slice).unwrap_or_default();
        let shown = list.iter().filter(|receipt| !known.leaves_nothing(&receipt["from"]));
        Ok(Value::Array(shown.map(|receipt| known.in_block(shape::receipt(receipt))).collect()))
    }

    pub(super) async fn receipt(&self, known: &Known, params: &Value) -> Answer {
        let hash = params::hash(params, 0)?;
        let receipt = self.upstream.get("eth_getTransactionReceipt", json!([hash])).await?;
        let height = number(&receipt["blockNumber"]);
        let unseen = !receipt.is_object()
            || height > known.best
            || known.faults.receipts_null
            || known.state_is_pruned(height)
            || known.leaves_nothing(&receipt["from"])
            || self.control.faults().mild.as_mut().is_some_and(|mild| mild.hides_receipt(hash));
        Ok(if unseen { Value::Null } else { known.in_block(shape::receipt(&receipt)) })
    }

    pub(super) async fn transaction(&self, known: &Known, params: &Value) -> Answer {
        let hash = params::hash(params, 0)?;
        let transaction = self.upstream.get("eth_getTransactionByHash", json!([hash])).await?;
        if !transaction.is_object() || known.leaves_nothing(&transaction["from"]) {
            return Ok(Value::Null);
        }
        let mut shaped = shape::transaction(&transaction);
        let height = number(&transaction["blockNumber"]);
        if transaction["blockNumber"].is_string() && height > known.best {
            for field in ["blockHash", "blockNumber", "transactionIndex"] {
                shaped[field] = Value::Null;
            }
        }
        let gone = transaction["blockNumber"].is_string() && known.body_is_pruned(height);
        Ok(if gone { Value::Null } else { known.in_block(shaped) })
    }
}

impl Known {
    /// Whether a call by this sender was none of Ethereum's.
    pub(super) fn leaves_nothing(&self, from: &Value) -> bool {
        let sender: Option<Address> = from.as_str().and_then(|text| text.parse().ok());
        sender.is_some_and(|sender| self.faults.without_transaction.contains(&sender))
    }

    /// Something that names its block, with the hash this node gives it.
    pub(super) fn in_block(&self, mut part: Value) -> Value {
        part["blockHash"] = self.hash(number(&part["blockNumber"]), &part["blockHash"]);
        part
    }
}
