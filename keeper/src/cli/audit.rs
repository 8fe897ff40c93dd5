//! `surety audit`: proves from chain what is deployed.

use super::deploy::file_of;
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::Command;
use surety_client::provider::Node;
use surety_deploy::audit::{AuditOptions, audit};
use surety_deploy::network::Network;

/// What `surety audit` takes.
#[derive(Debug, Args)]
pub(super) struct AuditArguments {
    /// local, localnet, testnet or mainnet.
    #[arg(long)]
    network: Network,
    /// A node's JSON-RPC URL: one that you trust, and that keeps all blocks.
    #[arg(long, env = "SURETY_RPC", hide_env_values = true)]
    rpc: String,
    /// The deployment file; without it deployments/CHAIN_ID.json.
    #[arg(long)]
    deployment: Option<PathBuf>,
    /// The block to audit at; without it the last final one (on a local chain the newest).
    #[arg(long)]
    block: Option<u64>,
    /// Most nodes, rentals, cases and bids read, of each.
    #[arg(long, default_value_t = 200_000)]
    records_max: u64,
    /// Also compile the contracts of this checkout anew (cargo, Node.js and contracts/node_modules are needed), and
    /// compare the result with what this program compares the chain with.
    #[arg(long, value_name = "CHECKOUT")]
    rebuild: Option<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &AuditArguments) -> Result<()> {
    let file = file_of(arguments.network, arguments.deployment.as_deref())?;
    if let Some(checkout) = &arguments.rebuild {
        rebuild(checkout)?;
    }
    let node = Node::new(&arguments.rpc)?;
    let records_max = arguments.records_max;
    let options = AuditOptions { block: arguments.block, records_max, ..AuditOptions::new(arguments.network) };
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let report = tokio.block_on(audit(&node, &file, &options))?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{report}");
    }
    if report.holds {
        return Ok(());
    }
    bail!("{} findings", report.findings().count())
}

/// `surety-compile --check` in the checkout: its sources make its artifacts. And its artifacts are this program's.
fn rebuild(checkout: &Path) -> Result<()> {
    let mut compile = Command::new("cargo");
    compile.args(["run", "--quiet", "--locked", "-p", "surety-compile", "--", "--check"]).current_dir(checkout);
    let output = compile.output().context("starting cargo to compile the contracts anew")?;
    let said = String::from_utf8_lossy(if output.status.success() { &output.stdout } else { &output.stderr });
    let last: String = said.trim().lines().last().unwrap_or_default().chars().take(300).collect();
    ensure!(output.status.success(), "the contracts in {} were not rebuilt: {last}", checkout.display());
    surety_deploy::artifacts::same_as(&checkout.join("contracts/artifacts"))?;
    eprintln!("rebuilt: {last}, and this program compares the chain with exactly these");
    Ok(())
}
