//! What is kept of a compiled contract: its interface and its bytecode, nothing that changes with comments or paths.

use anyhow::{Context, Result, ensure};
use foundry_compilers::ProjectCompileOutput;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
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
    /// Where in the code on chain each immutable stands, by its name: offsets in bytes, each of a 32-byte word. With
    /// them and the constructor's arguments anybody can write down the code that must be on chain, to the last byte.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub immutables: BTreeMap<String, Vec<u64>>,
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
            immutables: immutables(&json, output, name)?,
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

/// Offsets by name. The compiler gives them by the number of the declaration in the sources' syntax trees, which
/// changes with every edit; names do not.
fn immutables(json: &Value, output: &ProjectCompileOutput, name: &str) -> Result<BTreeMap<String, Vec<u64>>> {
    let references = json.get("deployedBytecode").and_then(|code| code.get("immutableReferences"));
    let Some(references) = references.and_then(Value::as_object).filter(|found| !found.is_empty()) else {
        return Ok(BTreeMap::new());
    };
    let mut names = BTreeMap::new();
    for (_, source) in output.output().sources.sources() {
        let ast = source.ast.as_ref().context("the compiler gave no syntax trees")?;
        immutable_names(&serde_json::to_value(ast)?, &mut names);
    }
    let mut found = BTreeMap::new();
    for (id, places) in references {
        let named = names.get(id).with_context(|| format!("{name} has an immutable {id} that no source declares"))?;
        let mut offsets = Vec::new();
        for place in places.as_array().into_iter().flatten() {
            let number = |key: &str| place.get(key).and_then(Value::as_u64);
            ensure!(number("length") == Some(32), "{name}.{named} is not a word in the code");
            offsets.push(number("start").with_context(|| format!("{name}.{named} is nowhere in the code"))?);
        }
        offsets.sort_unstable();
        let twice = found.insert(named.clone(), offsets).is_some();
        ensure!(!twice, "{name} has two immutables named {named}");
    }
    Ok(found)
}

/// Collects `id -> name` of every immutable declared anywhere in a syntax tree.
fn immutable_names(tree: &Value, names: &mut BTreeMap<String, String>) {
    match tree {
        Value::Array(items) => items.iter().for_each(|item| immutable_names(item, names)),
        Value::Object(fields) => {
            let text = |key: &str| fields.get(key).and_then(Value::as_str);
            if let (Some("immutable"), Some(name), Some(id)) =
                (text("mutability"), text("name"), fields.get("id").and_then(Value::as_u64))
            {
                names.insert(id.to_string(), name.to_string());
            }
            fields.values().for_each(|value| immutable_names(value, names));
        }
        _ => {}
    }
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
