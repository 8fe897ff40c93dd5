//! `alpha-pack strip IN OUT`, then wasm-opt, then `alpha-pack finish IN COMPILER FOLDER`: checks the module and writes
//! `alpha_vault.wasm` and its metadata, `alpha_vault.json`. Used by `scripts/ink`.
// The one place where the metadata that ink! generates can be had from: a function without a path.
#![allow(unsafe_code)]

use alpha_pack::{check, strip, Result};
use alpha_vault as _;
use blake2::{digest::consts::U32, Blake2b, Digest};
use ink::metadata::InkProject;
use serde_json::{json, Value};

extern "Rust" {
    fn __ink_generate_metadata() -> InkProject;
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["strip", from, to] => Ok(std::fs::write(to, strip(&std::fs::read(from)?)?)?),
        ["finish", from, compiler, folder] => finish(&std::fs::read(from)?, compiler, folder),
        _ => Err("want: alpha-pack strip IN OUT, or alpha-pack finish IN COMPILER FOLDER".into()),
    }
}

fn finish(wasm: &[u8], compiler: &str, folder: &str) -> Result<()> {
    let wasm = strip(wasm)?;
    check(&wasm)?;
    std::fs::write(format!("{folder}/alpha_vault.wasm"), &wasm)?;
    let text = serde_json::to_string_pretty(&metadata(&wasm, compiler)?)?;
    std::fs::write(format!("{folder}/alpha_vault.json"), text + "\n")?;
    println!("{} bytes", wasm.len());
    Ok(())
}

/// As tools for ink! read it: where it comes from, then what ink! says of it. `hash` is the code hash on chain.
fn metadata(wasm: &[u8], compiler: &str) -> Result<Value> {
    let hash: String = Blake2b::<U32>::digest(wasm).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut whole = json!({
        "source": { "hash": format!("0x{hash}"), "language": "ink! 5.1.1", "compiler": compiler },
        "contract": { "name": "alpha-vault", "version": env!("CARGO_PKG_VERSION"), "authors": ["Surety"] },
        "image": null,
    });
    // SAFETY: ink! defines it with this signature, in the crate that is linked above.
    let project = serde_json::to_value(unsafe { __ink_generate_metadata() })?;
    if let (Some(all), Value::Object(fields)) = (whole.as_object_mut(), project) {
        all.extend(fields);
    }
    Ok(whole)
}
