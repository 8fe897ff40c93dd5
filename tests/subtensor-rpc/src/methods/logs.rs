//! `eth_getLogs`: tags mean the best block, gaps are silent, and more than 10,000 are refused.

use super::{Known, Methods, Place};
use crate::errors::{Answer, Failure};
use crate::params::{self, Block};
use crate::shape;
use crate::upstream::{hex, number};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Most logs of one range.
const LOGS_MAX: usize = 10_000;

impl Methods {
    pub(super) async fn logs(&self, known: &Known, params: &Value) -> Answer {
        let filter = params::at(params, 0)?;
        let by_hash = filter.get("blockHash").is_some_and(Value::is_string);
        let (from, to) = if by_hash {
            let asked = json!([{ "blockHash": filter["blockHash"] }]);
            match self.place(known, params::named_block(&asked, 0)?).await? {
                Place::Height(height) if known.state_is_pruned(height) => return Ok(json!([])),
                Place::Height(height) => (height, height),
                _ => return Err(Failure::new(-32_000, "unknown block")),
            }
        } else {
            (height(known, filter, "fromBlock")?, height(known, filter, "toBlock")?.min(known.best))
        };
        if from > to {
            return Ok(json!([]));
        }
        let mut asked = json!({ "fromBlock": hex(from), "toBlock": hex(to) });
        for field in ["address", "topics"] {
            if let Some(value) = filter.get(field) {
                asked[field] = value.clone();
            }
        }
        let found = self.upstream.get("eth_getLogs", json!([asked])).await?;
        let seen = self.seen(known, found.as_array().cloned().unwrap_or_default()).await?;
        if !by_hash && seen.len() > LOGS_MAX {
            return Err(Failure::internal("query returned more than 10000 results"));
        }
        Ok(Value::Array(shape::logs_of(&seen).into_iter().map(|log| known.in_block(log)).collect()))
    }

    /// Logs without those that this node has lost, or never had.
    async fn seen(&self, known: &Known, logs: Vec<Value>) -> Result<Vec<Value>, Failure> {
        let mut nothing_left: BTreeMap<String, bool> = BTreeMap::new();
        let mut seen = Vec::new();
        for log in logs {
            let height = number(&log["blockNumber"]);
            if known.body_is_pruned(height) || known.faults.in_log_gap(height) {
                continue;
            }
            if !known.faults.without_transaction.is_empty() {
                let hash = log["transactionHash"].as_str().unwrap_or_default().to_owned();
                if !nothing_left.contains_key(&hash) {
                    let transaction = self.upstream.get("eth_getTransactionByHash", json!([hash])).await?;
                    nothing_left.insert(hash.clone(), known.leaves_nothing(&transaction["from"]));
                }
                if nothing_left.get(&hash) == Some(&true) {
                    continue;
                }
            }
            seen.push(log);
        }
        Ok(seen)
    }
}

/// `finalized`, `safe` and `pending` all mean the best block here.
fn height(known: &Known, filter: &Value, field: &str) -> Result<u64, Failure> {
    let asked = json!([filter.get(field).cloned().unwrap_or(json!("latest"))]);
    Ok(match params::named_block(&asked, 0)? {
        Block::Earliest => 0,
        Block::Number(height) => height,
        _ => known.best,
    })
}
