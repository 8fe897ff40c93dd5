//! The naive contracts' bytecode, committed beside their sources, and a check that it is theirs.
//!
//! `SURETY_WRITE=1 cargo test -p surety-subtensor-evm naive` compiles them anew and writes it.

use alloy_primitives::{Bytes, hex};
use serde_json::{Value, json};
use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

const SOURCES: [&str; 3] = ["Gauge.sol", "Hostile.sol", "Victims.sol"];

fn crate_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Creation code of a naive contract, without arguments.
pub fn code(name: &str) -> Bytes {
    let all: Value = serde_json::from_str(include_str!("../../naive/bytecode.json")).unwrap();
    let object = all[name].as_str().unwrap_or_else(|| panic!("no naive contract {name}"));
    hex::decode(object).unwrap().into()
}

/// Creation code with its arguments.
pub fn code_with(name: &str, arguments: &[u8]) -> Vec<u8> {
    [&code(name)[..], arguments].concat()
}

#[test]
fn naive_contracts_are_compiled_from_their_sources() {
    let contracts = crate_dir().join("../../contracts");
    if !contracts.join("node_modules/solc").exists() {
        eprintln!("not checked: contracts/node_modules/solc is missing");
        return;
    }
    let fresh = compile(&contracts.join("tools/solc"));
    let path = crate_dir().join("naive/bytecode.json");
    let text = serde_json::to_string_pretty(&fresh).unwrap() + "\n";
    if std::env::var_os("SURETY_WRITE").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "stale: run this test with SURETY_WRITE=1 and commit");
}

fn compile(solc: &std::path::Path) -> Value {
    let source = |name: &str| {
        let text = std::fs::read_to_string(crate_dir().join("naive").join(name)).unwrap();
        (name.to_string(), json!({ "content": text }))
    };
    let input = json!({
        "language": "Solidity",
        "sources": SOURCES.map(source).into_iter().collect::<serde_json::Map<_, _>>(),
        "settings": {
            "optimizer": { "enabled": true, "runs": 200 },
            "evmVersion": "cancun",
            "metadata": { "bytecodeHash": "none", "appendCBOR": false },
            "outputSelection": { "*": { "*": ["evm.bytecode.object"] } },
        },
    });
    let mut child = Command::new(solc)
        .arg("--standard-json")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs contracts/tools/solc");
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    let errors = output["errors"].as_array().into_iter().flatten();
    let errors: Vec<_> = errors.filter(|e| e["severity"] == "error").map(|e| e["formattedMessage"].clone()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let files = output["contracts"].as_object().unwrap().values();
    let all = files.flat_map(|file| file.as_object().unwrap());
    let bytecode = all.map(|(name, contract)| (name.clone(), contract["evm"]["bytecode"]["object"].clone()));
    Value::Object(bytecode.filter(|(_, object)| object.as_str() != Some("")).collect())
}
