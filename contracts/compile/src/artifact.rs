//! What is kept of a compiled contract: its interface and its bytecode, nothing that changes with comments or paths.

use anyhow::{Context, Result, ensure};
use foundry_compilers::ProjectCompileOutput;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A contract as committed in `contracts/artifacts/<Name>.json`, in the shape alloy's `sol!` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// The contract's name.
    pub contract_name: String,
    /// JSON ABI.
    pub abi: Value,
    /// Creation code.
    pub bytecode: Code,
    /// Code as it stands on chain, immutables still zero.
    pub deployed_bytecode: Code,
}

/// Hex with `0x`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The code itself.
    pub object: String,
}

impl Artifact {
    /// Picks one contract out of a compilation.
    pub fn find(output: &ProjectCompileOutput, name: &str) -> Result<Self> {
        let contract = output.find_first(name).with_context(|| format!("no contract {name} in the sources"))?;
        let json = serde_json::to_value(contract)?;
        let mut abi = json.get("abi").cloned().with_context(|| format!("{name} has no ABI"))?;
        plain_value_types(&mut abi);
        Ok(Self {
            contract_name: name.to_string(),
            abi,
            bytecode: code(&json, "bytecode", name)?,
            deployed_bytecode: code(&json, "deployedBytecode", name)?,
        })
    }

    /// The file's text: stable, ends in a newline.
    pub fn render(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Where the artifact is kept.
    pub fn path(contracts: &Path, name: &str) -> PathBuf {
        contracts.join("artifacts").join(format!("{name}.json"))
    }

    /// Reads a committed artifact.
    pub fn read(contracts: &Path, name: &str) -> Result<Self> {
        let path = Self::path(contracts, name);
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("parsing {}", path.display()))
    }
}

fn code(json: &Value, key: &str, name: &str) -> Result<Code> {
    let object = json.get(key).and_then(|c| c.get("object")).and_then(Value::as_str);
    let object = object.with_context(|| format!("{name} has no {key}: is it abstract?"))?;
    ensure!(object.starts_with("0x") && !object.contains("__"), "{name} has unlinked {key}");
    Ok(Code { object: object.to_string() })
}

/// Named value types (`Rao`, `Timestamp`) exist in Solidity only; readers of the ABI see the integer underneath.
fn plain_value_types(abi: &mut Value) {
    match abi {
        Value::Array(items) => items.iter_mut().for_each(plain_value_types),
        Value::Object(fields) => {
            let named = fields.get("internalType").and_then(Value::as_str);
            let is_value = named.is_some_and(|name| !name.contains(' '));
            if let (true, Some(plain)) = (is_value, fields.get("type").cloned()) {
                fields.insert("internalType".into(), plain);
            }
            fields.values_mut().for_each(plain_value_types);
        }
        _ => {}
    }
}
