//! anvil's blocks, transactions, receipts and logs as the node writes them: the same fields, no more and no fewer.

use serde_json::{Map, Value, json};

/// The block header's gas limit; what one transaction may ask for is less.
const GAS_LIMIT: u64 = 75_000_000;
/// The base fee never falls below 10 gwei.
pub(crate) const BASE_FEE_FLOOR_WEI: u64 = 10_000_000_000;

const BLOCK: &[&str] = &[
    "baseFeePerGas",
    "extraData",
    "gasUsed",
    "hash",
    "logsBloom",
    "miner",
    "number",
    "parentHash",
    "receiptsRoot",
    "sha3Uncles",
    "size",
    "stateRoot",
    "timestamp",
    "transactions",
    "transactionsRoot",
    "uncles",
];
const TRANSACTION: &[&str] = &[
    "blockHash",
    "blockNumber",
    "chainId",
    "from",
    "gas",
    "gasPrice",
    "hash",
    "input",
    "nonce",
    "r",
    "s",
    "to",
    "transactionIndex",
    "type",
    "v",
    "value",
];
const FEE_MARKET: &[&str] = &["accessList", "maxFeePerGas", "maxPriorityFeePerGas", "yParity"];
const RECEIPT: &[&str] = &[
    "transactionHash",
    "transactionIndex",
    "blockHash",
    "from",
    "to",
    "blockNumber",
    "cumulativeGasUsed",
    "gasUsed",
    "contractAddress",
    "logsBloom",
    "status",
    "effectiveGasPrice",
    "type",
];
const LOG: &[&str] = &[
    "address",
    "topics",
    "data",
    "blockHash",
    "blockNumber",
    "transactionHash",
    "transactionIndex",
    "logIndex",
    "removed",
];

fn pick(from: &Value, fields: &[&str]) -> Map<String, Value> {
    fields.iter().map(|field| ((*field).to_owned(), from.get(*field).cloned().unwrap_or(Value::Null))).collect()
}

/// No `mixHash`; `author` and `totalDifficulty`; the pending block has neither hash nor miner.
pub(crate) fn block(anvils: &Value, pending: bool) -> Value {
    let mut block = pick(anvils, BLOCK);
    let miner = block.get("miner").cloned().unwrap_or(Value::Null);
    block.insert("author".into(), miner);
    block.insert("difficulty".into(), json!("0x0"));
    block.insert("totalDifficulty".into(), json!("0x0"));
    block.insert("nonce".into(), json!("0x0000000000000000"));
    block.insert("gasLimit".into(), json!(format!("{GAS_LIMIT:#x}")));
    let fee = crate::upstream::number(&anvils["baseFeePerGas"]).max(BASE_FEE_FLOOR_WEI);
    block.insert("baseFeePerGas".into(), json!(format!("{fee:#x}")));
    if pending {
        for field in ["hash", "miner", "nonce"] {
            block.insert(field.into(), Value::Null);
        }
    }
    if let Some(Value::Array(list)) = block.get_mut("transactions") {
        for entry in list.iter_mut().filter(|entry| entry.is_object()) {
            *entry = transaction(entry);
        }
    }
    Value::Object(block)
}

/// A transaction, pending or mined.
pub(crate) fn transaction(anvils: &Value) -> Value {
    let mut shaped = pick(anvils, TRANSACTION);
    shaped.insert("creates".into(), Value::Null);
    if anvils["type"] == "0x2" {
        shaped.extend(pick(anvils, FEE_MARKET));
    }
    Value::Object(shaped)
}

/// A receipt.
pub(crate) fn receipt(anvils: &Value) -> Value {
    let mut shaped = pick(anvils, RECEIPT);
    let logs = anvils["logs"].as_array().map(|logs| logs_of(logs)).unwrap_or_default();
    shaped.insert("logs".into(), Value::Array(logs));
    Value::Object(shaped)
}

/// Logs without `blockTimestamp`, with their place in their transaction.
pub(crate) fn logs_of(anvils: &[Value]) -> Vec<Value> {
    let mut last = Value::Null;
    let mut place = 0u64;
    let mut shaped = Vec::new();
    for log in anvils {
        if log["transactionHash"] != last {
            (last, place) = (log["transactionHash"].clone(), 0);
        }
        let mut fields = pick(log, LOG);
        fields.insert("transactionLogIndex".into(), json!(format!("{place:#x}")));
        shaped.push(Value::Object(fields));
        place += 1;
    }
    shaped
}
