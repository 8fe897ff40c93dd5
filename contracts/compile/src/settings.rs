//! Compiler settings of a foundry profile.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};

/// The parts of a foundry profile that decide bytecode. A profile other than `default` inherits what it leaves out.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Profile {
    /// Path of the compiler, relative to `contracts/`.
    pub solc: Option<String>,
    /// EVM version to emit code for.
    pub evm_version: Option<String>,
    /// Whether the optimizer runs.
    pub optimizer: Option<bool>,
    /// How often code is expected to run.
    pub optimizer_runs: Option<usize>,
    /// Whether code goes through Yul.
    pub via_ir: Option<bool>,
    /// Metadata hash appended to the bytecode.
    pub bytecode_hash: Option<String>,
    /// Whether CBOR metadata is appended.
    pub cbor_metadata: Option<bool>,
    /// Import remappings, `prefix=path`.
    pub remappings: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct FoundryToml {
    profile: BTreeMap<String, Profile>,
}

impl Profile {
    /// Reads `profile` from `contracts/foundry.toml`.
    pub fn read(contracts: &Path, profile: &str) -> Result<Self> {
        let path = contracts.join("foundry.toml");
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let mut file: FoundryToml = toml::from_str(&text).with_context(|| format!("parsing {}", path.display()))?;
        let base = file.profile.remove("default").context("foundry.toml has no [profile.default]")?;
        if profile == "default" {
            return Ok(base);
        }
        let own = file.profile.remove(profile).with_context(|| format!("foundry.toml has no [profile.{profile}]"))?;
        Ok(own.over(base))
    }

    fn over(self, base: Self) -> Self {
        Self {
            solc: self.solc.or(base.solc),
            evm_version: self.evm_version.or(base.evm_version),
            optimizer: self.optimizer.or(base.optimizer),
            optimizer_runs: self.optimizer_runs.or(base.optimizer_runs),
            via_ir: self.via_ir.or(base.via_ir),
            bytecode_hash: self.bytecode_hash.or(base.bytecode_hash),
            cbor_metadata: self.cbor_metadata.or(base.cbor_metadata),
            remappings: self.remappings.or(base.remappings),
        }
    }
}
