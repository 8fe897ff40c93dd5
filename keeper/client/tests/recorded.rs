//! Everything recorded from a real Subtensor node (`tests/vectors/subtensor-rpc/`) that we ever ask for decodes into
//! our types, blocks without `mixHash` included.
#![allow(clippy::unwrap_used)]

use alloy::rpc::types::Log;
use serde_json::Value;
use std::path::PathBuf;
use surety_client::block::{FullBlock, Header, Receipt};

fn recorded() -> Vec<(String, Value)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/subtensor-rpc"));
    let mut entries = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let list: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        entries.extend(list.into_iter().map(|entry| (format!("{name}: {}", entry["note"]), entry)));
    }
    entries
}

fn decode<T: serde::de::DeserializeOwned>(note: &str, result: &Value) -> T {
    serde_json::from_value(result.clone()).unwrap_or_else(|e| panic!("{note}: {e}"))
}

/// Entries of one method that have a non-null result.
fn results(method: &str) -> Vec<(String, Value)> {
    let of_method = |entry: &Value| entry["request"]["method"] == method && !entry["response"]["result"].is_null();
    let all = recorded().into_iter().filter(|(_, entry)| of_method(entry));
    all.map(|(note, entry)| (note, entry["response"]["result"].clone())).collect()
}

#[test]
fn every_recorded_block_decodes_although_it_has_no_mix_hash() {
    let blocks = [results("eth_getBlockByNumber"), results("eth_getBlockByHash")].concat();
    assert!(blocks.len() >= 10);
    for (note, block) in blocks {
        assert!(block.get("mixHash").is_none(), "{note}");
        let header: Header = decode(&note, &block);
        let pending = block["hash"].is_null();
        assert_eq!(header.to_ref().is_none(), pending, "{note}");
        let full = block["transactions"].as_array().is_some_and(|list| list.iter().any(Value::is_object));
        if full {
            let full: FullBlock = decode(&note, &block);
            assert!(!full.transactions.is_empty(), "{note}");
        }
    }
}

#[test]
fn every_recorded_receipt_decodes_and_says_whether_it_succeeded() {
    let mut receipts = results("eth_getTransactionReceipt");
    for (note, list) in results("eth_getBlockReceipts") {
        receipts.extend(list.as_array().unwrap().iter().map(|receipt| (note.clone(), receipt.clone())));
    }
    assert!(receipts.len() >= 8);
    for (note, receipt) in receipts {
        let decoded: Receipt = decode(&note, &receipt);
        assert_eq!(decoded.succeeded(), receipt["status"] == "0x1", "{note}");
    }
}

#[test]
fn every_recorded_log_decodes() {
    let mut seen = 0;
    for (note, mut logs) in [results("eth_getLogs"), results("eth_getFilterLogs")].concat() {
        // Long lists were cut when recorded and end in a line that says so.
        logs.as_array_mut().unwrap().retain(Value::is_object);
        seen += decode::<Vec<Log>>(&note, &logs).len();
    }
    assert!(seen >= 10, "only {seen} logs");
}
