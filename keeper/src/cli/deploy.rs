//! `surety deploy`: puts the contracts on a chain, once, whatever interrupts it.

use super::kit::out::Out;
use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use surety_client::keys::Key;
use surety_client::provider::{Node, Tag};
use surety_deploy::deploy::{Event, Interrupted, Options, Outcome, deploy, stand};
use surety_deploy::network::Network;
use surety_deploy::params::Params;
use surety_deploy::plan::Plan;
use surety_deploy::preflight::preflight;
use surety_deploy::record::DeploymentFile;

/// What `surety deploy` takes.
#[derive(Debug, Args)]
pub(super) struct DeployArguments {
    /// local, localnet, testnet or mainnet.
    #[arg(long)]
    network: Network,
    /// The parameter file; without it the committed one of the network (deployments/params).
    #[arg(long)]
    params: Option<PathBuf>,
    /// A node's JSON-RPC URL.
    #[arg(long, env = "SURETY_RPC", hide_env_values = true)]
    rpc: String,
    /// The deployer's key: 32 bytes as hex, in a file that nobody else can read.
    #[arg(long)]
    key_file: PathBuf,
    /// Where the deployment file and, until it is complete, the journal are kept.
    #[arg(long, default_value = "deployments")]
    dir: PathBuf,
    /// Check everything, show what would be created, and send nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(arguments: &DeployArguments, out: Out) -> Result<()> {
    let network = arguments.network;
    let params = match &arguments.params {
        Some(path) => Params::read(path, network)?,
        None => Params::committed(network).context("name a file of your own with --params")?,
    };
    let key = Key::read(&arguments.key_file)?;
    let node = Node::new(&arguments.rpc)?;
    let options = Options::new(network, &arguments.dir);
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio.block_on(checked(&node, &key, &params, &options, arguments.dry_run, out))
}

async fn checked(node: &Node, key: &Key, params: &Params, options: &Options, dry_run: bool, out: Out) -> Result<()> {
    let (journal, plan) = stand(node, key.account(), params, options).await?;
    let path = DeploymentFile::path(&options.dir, options.network);
    if journal.is_some() || !path.exists() {
        let signed = journal.as_ref().map_or(0, |journal| journal.sent.len());
        let checks = preflight(node, options.network, &plan, signed).await;
        checks.iter().for_each(|check| out.say(check));
        show(&plan, node.nonce(key.account(), Tag::Latest).await?, out);
        if !checks.iter().all(|check| check.passed) {
            bail!("the chain is not ready, see above; nothing was sent");
        }
    }
    let document = |outcome: &str| json!({ "network": options.network, "file": path, "outcome": outcome });
    if dry_run {
        out.answer("dry run: nothing was sent, nothing was written", || document("dry_run"));
        return Ok(());
    }
    let mut progress = |event: &Event<'_>| tell(event, out);
    let (words, outcome) = match deploy(node, key, params, options, &mut progress).await? {
        Outcome::Deployed(_) => (format!("written: {}", path.display()), "deployed"),
        Outcome::AlreadyThere(_) => {
            (format!("{} is this very deployment: nothing to do", path.display()), "already_there")
        }
    };
    let next = format!("now prove it: surety audit --network {} --rpc ...", options.network);
    out.answer(format!("{words}\n{next}"), || document(outcome));
    Ok(())
}

fn show(plan: &Plan, next: u64, out: Out) {
    for step in &plan.steps {
        let state = if step.nonce < next { "sent before" } else { "to be created" };
        out.say(format!("nonce {:<6} {} {:<18} {state}", step.nonce, step.address, step.kind.name()));
    }
}

fn tell(event: &Event<'_>, out: Out) -> Result<(), Interrupted> {
    out.say(match event {
        Event::Resumed(known) => format!("going on with a deployment of which {known} transactions are known"),
        Event::Journaled(step, hash) => format!("{}: signed {hash}", step.kind),
        Event::Sent(step, _) => format!("{}: sent", step.kind),
        Event::Mined(step, block) => format!("{}: at {} since block {block}", step.kind, step.address),
        Event::Finalizing(block) => format!("waiting until block {block} is final"),
    });
    Ok(())
}

/// The deployment file of a network, unless another is named.
pub(super) fn file_of(network: Network, named: Option<&Path>) -> Result<DeploymentFile> {
    let path = match named {
        Some(path) => path.to_path_buf(),
        None => DeploymentFile::path(Path::new("deployments"), network),
    };
    let file = DeploymentFile::read(&path)?;
    file.with_context(|| format!("there is no {}: run surety deploy, or name a file with --deployment", path.display()))
}
