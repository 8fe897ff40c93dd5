//! Balances, counts, code, storage and calls: where an unknown hash and a pruned state are answered as if nothing
//! were the matter.

use super::{Known, Methods, Place};
use crate::errors::{Answer, Failure};
use crate::params;
use crate::upstream::{hex, number};
use alloy::primitives::keccak256;
use serde_json::{Value, json};

/// Ten times the block's gas limit.
const CALL_GAS_MAX: u64 = 750_000_000;
const ZERO_WORD: &str = "0x0000000000000000000000000000000000000000000000000000000000000000";

/// Where a question about state is asked.
enum At {
    Height(u64),
    Pending,
    Unknown,
}

impl Methods {
    async fn state_at(&self, known: &Known, params: &Value, index: usize) -> Result<At, Failure> {
        match self.place(known, params::block(params, index)?).await? {
            Place::Height(height) => Ok(At::Height(height)),
            Place::Pending => Ok(At::Pending),
            Place::UnknownHash => Ok(At::Unknown),
            Place::Future(height) => Err(Failure::no_such_height(height)),
        }
    }

    pub(super) async fn balance(&self, known: &Known, params: &Value) -> Answer {
        let address = params::address(params, 0)?;
        match self.state_at(known, params, 1).await? {
            At::Height(height) if known.state_is_pruned(height) => {
                let why = format!("UnknownBlock(\"{}\")", discarded(height));
                Err(Failure::internal(format!("Fetch account balances failed: {why}")))
            }
            At::Height(height) => self.upstream.get("eth_getBalance", json!([address, hex(height)])).await,
            At::Pending => self.upstream.get("eth_getBalance", json!([address, "pending"])).await,
            At::Unknown => Ok(json!("0x0")),
        }
    }

    pub(super) async fn nonce(&self, known: &Known, params: &Value) -> Answer {
        let address = params::address(params, 0)?;
        match self.state_at(known, params, 1).await? {
            At::Height(height) if known.state_is_pruned(height) => {
                let why = format!("Api called for an unknown Block: {}", discarded(height));
                Err(Failure::internal(format!("Fetch account nonce failed: {why}")))
            }
            At::Height(height) => {
                let count = self.upstream.get("eth_getTransactionCount", json!([address, hex(height)])).await?;
                Ok(known.twisted_count(height, count))
            }
            At::Pending => {
                let count = self.upstream.get("eth_getTransactionCount", json!([address, "pending"])).await?;
                Ok(known.twisted_count(known.best, count))
            }
            At::Unknown => Ok(json!("0x0")),
        }
    }

    pub(super) async fn code(&self, known: &Known, params: &Value) -> Answer {
        let address = params::address(params, 0)?;
        match self.state_at(known, params, 1).await? {
            At::Height(height) if known.state_is_pruned(height) => Ok(json!("0x")),
            At::Height(height) => self.upstream.get("eth_getCode", json!([address, hex(height)])).await,
            At::Pending => self.upstream.get("eth_getCode", json!([address, "latest"])).await,
            At::Unknown => Ok(json!("0x")),
        }
    }

    pub(super) async fn storage(&self, known: &Known, params: &Value) -> Answer {
        let (address, slot) = (params::address(params, 0)?, params::at(params, 1)?);
        match self.state_at(known, params, 2).await? {
            At::Height(height) if known.state_is_pruned(height) => Ok(json!(ZERO_WORD)),
            At::Height(height) => self.upstream.get("eth_getStorageAt", json!([address, slot, hex(height)])).await,
            At::Pending => self.upstream.get("eth_getStorageAt", json!([address, slot, "latest"])).await,
            At::Unknown => Ok(json!(ZERO_WORD)),
        }
    }

    pub(super) async fn call(&self, known: &Known, params: &Value) -> Answer {
        let call = params::call(params)?;
        let height = match self.place(known, params::block(params, 1)?).await? {
            Place::Height(height) => height,
            Place::Pending | Place::UnknownHash => known.best,
            Place::Future(_) => return Err(Failure::new(-32_000, "header not found")),
        };
        if known.state_is_pruned(height) {
            return Err(Failure::internal("failed to retrieve Runtime Api version"));
        }
        if number(&call["gas"]) > CALL_GAS_MAX {
            let why = "provided gas limit is too high (can be up to 10x the block gas limit)";
            return Err(Failure::internal(why));
        }
        let mut arguments = vec![call.clone(), json!(hex(height))];
        arguments.extend(params.get(2).cloned());
        let answer = self.upstream.ask("eth_call", Value::Array(arguments)).await;
        let answer = answer.map_err(|error| Failure::of_call(&error))?;
        Ok(known.twisted(height, &call, answer))
    }

    pub(super) async fn estimate(&self, known: &Known, params: &Value) -> Answer {
        let call = params::call(params)?;
        let height = match self.place(known, params::block(params, 1)?).await? {
            Place::Height(height) => height,
            Place::Pending | Place::UnknownHash => known.best,
            Place::Future(_) => return Err(Failure::new(-32_000, "header not found")),
        };
        let answer = self.upstream.ask("eth_estimateGas", json!([call, hex(height)])).await;
        answer.map_err(|error| Failure::of_call(&error))
    }
}

impl Known {
    /// A liar counts seven transactions that are not there.
    fn twisted_count(&self, height: u64, count: Value) -> Value {
        let lies = self.faults.lie.is_some_and(|lie| lie.views && height >= lie.from);
        if lies { json!(hex(number(&count) + 7)) } else { count }
    }

    /// What a liar, or a node that writes nonsense, makes of a call's result.
    fn twisted(&self, height: u64, call: &Value, answer: Value) -> Value {
        let input = call["input"].as_str().or(call["data"].as_str()).unwrap_or_default();
        let selector = hex::decode(input.get(2..10).unwrap_or_default()).unwrap_or_default();
        if self.faults.garbled_calls.iter().any(|garbled| garbled.as_slice() == selector) {
            return json!("0x010203");
        }
        let lies = self.faults.lie.is_some_and(|lie| lie.views && height >= lie.from);
        let Some(mut bytes) = answer.as_str().and_then(|text| hex::decode(text.trim_start_matches("0x")).ok()) else {
            return answer;
        };
        match bytes.last_mut() {
            Some(last) if lies => {
                *last ^= 1;
                json!(format!("0x{}", hex::encode(bytes)))
            }
            _ => answer,
        }
    }
}

fn discarded(height: u64) -> String {
    format!("State already discarded for {}", keccak256(height.to_be_bytes()))
}
