//! `surety-compile` writes `contracts/artifacts/`; `surety-compile --check` fails when they are stale.

use anyhow::{Result, bail};
use std::{collections::BTreeMap, path::Path, process::ExitCode};
use surety_compile::{artifact::Artifact, build::compile, contracts_dir, settings::Profile};

/// What is deployed, compiled as shipped.
const SHIPPED: &[&str] =
    &["AppointedKeepers", "Arbiter", "CollateralVault", "RentalBids", "RentalEscrow", "VotingPowerKeepers"];

/// OpenZeppelin's timelock, which owns what has an owner (SPEC A2); compiled as shipped too, so that an audit can tell
/// it from a look-alike.
const TIMELOCK: &str = "TimelockController";
const TIMELOCK_SOURCE: &str = "node_modules/@openzeppelin/contracts/governance/TimelockController.sol";

/// What stands in for Subtensor's precompiles on local chains.
const STAND_INS: &[&str] = &[
    "AddressMappingStandIn",
    "BalanceTransferStandIn",
    "Ed25519VerifyStandIn",
    "MetagraphStandIn",
    "StorageQueryStandIn",
    "VotingPowerStandIn",
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("surety-compile: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let check = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => bail!("unknown argument {other}; usage: surety-compile [--check]"),
    };
    let contracts = contracts_dir();
    let shipped = Profile::read(&contracts, "shipped")?;
    let mut artifacts = compile(&contracts, "src", &shipped, SHIPPED)?;
    artifacts.extend(compile(&contracts, TIMELOCK_SOURCE, &shipped, &[TIMELOCK])?);
    artifacts.extend(compile(&contracts, "test/standins", &Profile::read(&contracts, "default")?, STAND_INS)?);
    if check { compare(&contracts, &artifacts) } else { write(&contracts, &artifacts) }
}

fn write(contracts: &Path, artifacts: &BTreeMap<String, Artifact>) -> Result<()> {
    for (name, artifact) in artifacts {
        std::fs::write(Artifact::path(contracts, name), artifact.render()?)?;
        println!("{name}: {} bytes of code", artifact.deployed_bytecode.object.len() / 2 - 1);
    }
    Ok(())
}

fn compare(contracts: &Path, artifacts: &BTreeMap<String, Artifact>) -> Result<()> {
    for (name, artifact) in artifacts {
        if Artifact::read(contracts, name)? != *artifact {
            bail!("contracts/artifacts/{name}.json is stale: run `cargo run -p surety-compile` and commit the result");
        }
    }
    println!("{} artifacts match their sources", artifacts.len());
    Ok(())
}
