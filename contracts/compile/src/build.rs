//! One compilation through foundry-compilers.

use crate::{artifact::Artifact, settings::Profile};
use anyhow::{Context, Result, ensure};
use foundry_compilers::{
    ProjectBuilder, ProjectPathsConfig,
    artifacts::{BytecodeHash, EvmVersion, Remapping, Settings, SettingsMetadata},
    multi::{MultiCompiler, MultiCompilerSettings},
    solc::{Solc, SolcCompiler, SolcSettings},
};
use std::{collections::BTreeMap, path::Path, str::FromStr};

/// The compiler this repository pins (`contracts/package.json`).
const SOLC: semver::Version = semver::Version::new(0, 8, 30);

/// Compiles every file below `sources` (relative to `contracts/`; or that one file, with what it imports) and returns
/// the named contracts.
pub fn compile(
    contracts: &Path,
    sources: &str,
    profile: &Profile,
    names: &[&str],
) -> Result<BTreeMap<String, Artifact>> {
    let sources = contracts.join(sources);
    let one_file = sources.extension().is_some();
    let folder = if one_file { sources.parent().unwrap_or(contracts) } else { &sources };
    let paths = ProjectPathsConfig::builder()
        .root(contracts)
        .sources(folder)
        .tests(contracts.join("none"))
        .scripts(contracts.join("none"))
        .remappings(remappings(profile)?)
        .lib(contracts.join("node_modules"))
        .build_with_root(contracts);
    let solc = contracts.join(profile.solc.as_deref().context("foundry.toml names no solc")?);
    ensure!(solc.exists(), "{} is missing: is the checkout whole?", solc.display());
    let compiler =
        MultiCompiler { solc: Some(SolcCompiler::Specific(Solc::new_with_version(solc, SOLC))), vyper: None };
    let project = ProjectBuilder::<MultiCompiler>::new(Default::default())
        .paths(paths)
        .settings(MultiCompilerSettings {
            solc: SolcSettings { settings: settings(profile)?, ..Default::default() },
            ..Default::default()
        })
        .ephemeral()
        .no_artifacts()
        .build(compiler)?;
    let output = if one_file { project.compile_file(&sources) } else { project.compile() };
    let output = output.context("compiling; run `npm install` in contracts/ if imports are missing")?;
    ensure!(!output.has_compiler_errors(), "the contracts do not compile:\n{output}");
    names.iter().map(|name| Ok((name.to_string(), Artifact::find(&output, name)?))).collect()
}

fn remappings(profile: &Profile) -> Result<Vec<Remapping>> {
    let list = profile.remappings.iter().flatten();
    list.map(|line| Remapping::from_str(line).with_context(|| format!("remapping {line}"))).collect()
}

fn settings(profile: &Profile) -> Result<Settings> {
    let mut settings = Settings::default();
    settings.optimizer.enabled = profile.optimizer;
    settings.optimizer.runs = profile.optimizer_runs;
    settings.via_ir = profile.via_ir;
    let version = profile.evm_version.as_deref().context("foundry.toml names no evm_version")?;
    settings.evm_version = Some(EvmVersion::from_str(version).map_err(anyhow::Error::msg)?);
    let hash = profile.bytecode_hash.as_deref().context("foundry.toml names no bytecode_hash")?;
    let hash = BytecodeHash::from_str(hash).map_err(anyhow::Error::msg)?;
    settings.metadata = Some(SettingsMetadata::new(hash, profile.cbor_metadata.unwrap_or(true)));
    // Syntax trees name the immutables; asking for them changes nothing in the bytecode.
    Ok(settings.with_ast())
}
