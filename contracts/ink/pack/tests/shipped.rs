//! What is committed is what pallet-contracts takes, and no more than the vault may ask for.
#![allow(clippy::unwrap_used)]

use alpha_pack::{check, imports, strip, MAX_BYTES};

fn artifact(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../artifacts/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn the_shipped_module_is_one_that_the_chain_takes() {
    let wasm = artifact("alpha_vault.wasm");
    assert!(wasm.len() < MAX_BYTES, "{} bytes", wasm.len());
    check(&wasm).unwrap();
    assert_eq!(strip(&wasm).unwrap(), wasm, "there is something left to strip");
}

#[test]
fn the_shipped_module_cannot_run_foreign_code() {
    for import in imports(&artifact("alpha_vault.wasm")).unwrap() {
        let function = import.split('.').nth(1).unwrap_or_default();
        let foreign = ["call", "call_v1", "delegate_call", "instantiate", "set_code_hash", "call_runtime", "terminate"];
        assert!(!foreign.contains(&function), "imports {import}");
    }
}

#[test]
fn the_metadata_names_the_shipped_module_and_every_message() {
    use blake2::{digest::consts::U32, Blake2b, Digest};
    let json: serde_json::Value = serde_json::from_slice(&artifact("alpha_vault.json")).unwrap();
    let digest = Blake2b::<U32>::digest(artifact("alpha_vault.wasm"));
    let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(json["source"]["hash"], format!("0x{hash}"), "run scripts/ink");
    let messages = json["spec"]["messages"].as_array().unwrap();
    let payable: Vec<_> = messages.iter().filter(|m| m["payable"] == true).map(|m| &m["label"]).collect();
    assert_eq!(payable, ["appeal"]);
    assert!(messages.len() >= 25, "{}", messages.len());
    let balance = json["spec"]["environment"]["balance"]["type"].as_u64().unwrap();
    let types = json["types"].as_array().unwrap();
    let found = types.iter().find(|t| t["id"] == balance).unwrap();
    assert_eq!(found["type"]["def"]["primitive"], "u64", "the chain's balances have 64 bits");
}

#[test]
fn a_module_that_the_chain_refuses_is_refused_here() {
    let wasm = artifact("alpha_vault.wasm");
    assert!(check(&wasm[..wasm.len() - 1]).is_err());
    // A float, a call to another contract, a memory of its own, another export.
    let header = b"\0asm\x01\0\0\0";
    let module = |sections: &[u8]| [&header[..], sections].concat();
    assert!(check(&module(b"")).unwrap_err().to_string().contains("exports"));
    let float = module(b"\x01\x05\x01\x60\x01\x7d\x00");
    assert!(check(&float).is_err());
    let call = module(b"\x01\x04\x01\x60\x00\x00\x02\x0e\x01\x05seal1\x04call\x00\x00");
    assert!(check(&call).unwrap_err().to_string().contains("must not use"));
    let memory = module(b"\x05\x03\x01\x00\x01");
    assert!(check(&memory).unwrap_err().to_string().contains("memory of its own"));
    let unbounded = module(b"\x02\x0f\x01\x03env\x06memory\x02\x00\x02");
    assert!(check(&unbounded).unwrap_err().to_string().contains("maximum"));
}
