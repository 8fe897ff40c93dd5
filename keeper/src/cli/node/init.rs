//! `surety node init`: host key and configuration for `surety-node`, and whether the chain knows hotkey and account.

use crate::cli::kit::exit::Stop;
use crate::cli::kit::out::Out;
use crate::cli::kit::parse;
use crate::cli::kit::place::{Place, Where, absolute};
use crate::cli::kit::sshkey::HostKey;
use crate::cli::kit::who::key;
use alloy::primitives::keccak256;
use alloy::signers::SignerSync;
use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use surety_client::bindings::standins::MetagraphStandIn;
use surety_client::keys::Key;
use surety_client::provider::NodeError;
use surety_client::subtensor::{METAGRAPH, STORAGE_QUERY, association_key};
use surety_core::types::{Account, Hash32};
use surety_deploy::network::Network;
use surety_verifier::classes::ClassId;

/// Bytes of an address in a stored association; eight bytes of a block number follow.
const ADDRESS_BYTES: usize = 20;

/// What `surety node init` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct Init {
    /// Where host_key and node.toml are, or are to be. What is there already is read and never written over.
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Where the machine's SSH server is reached from outside, IP:PORT; it listens on that port.
    #[arg(long, value_name = "IP:PORT", value_parser = parse::endpoint)]
    endpoint: SocketAddr,
    /// The GPU class, by name or id.
    #[arg(long, value_parser = parse::class)]
    class: ClassId,
    /// GPUs of the machine.
    #[arg(long, value_name = "GPUS")]
    count: u16,
    /// Your hotkey on the subnet: its SS58 address, or 0x and 64 hex digits.
    #[arg(long, value_name = "HOTKEY", value_parser = parse::hotkey)]
    hotkey: Hash32,
    /// Its uid on the subnet.
    #[arg(long)]
    uid: u16,
    /// The account that will register the machine; without it that of --key-file or SURETY_KEY.
    #[arg(long, value_name = "ADDRESS", value_parser = parse::account)]
    miner: Option<Account>,
    /// The miner's key file: with it, what the association needs signed is signed and printed.
    #[arg(long, value_name = "FILE", env = "SURETY_KEY_FILE")]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    at: Where,
}

/// One thing that was looked at.
struct Finding {
    name: &'static str,
    holds: bool,
    words: String,
}

pub(super) async fn run(arguments: &Init, out: Out) -> Result<()> {
    let key = if arguments.miner.is_some() { None } else { key(arguments.key_file.as_deref(), None)? };
    let account = arguments.miner.or(key.as_ref().map(Key::account));
    let account =
        account.ok_or_else(|| Stop::usage("whose machine? Name --miner ADDRESS, or a key with --key-file"))?;
    let place = Place::find(&arguments.at).await?;
    let mut findings = files(arguments, &place)?;
    findings.push(hotkey(&place, arguments).await?);
    findings.push(association(&place, arguments, account, key.as_ref()).await?);
    let ready = findings.iter().all(|finding| finding.holds);
    let machine = HostKey::read(&arguments.dir.join("host_key"))?.machine();
    out.answer(words(&findings, ready), || document(&findings, ready, machine));
    if ready { Ok(()) } else { Err(Stop::refused("not everything is ready: see above")) }
}

fn words(findings: &[Finding], ready: bool) -> String {
    let line = |finding: &Finding| {
        format!("{:<8} {:<12} {}\n", if finding.holds { "ok" } else { "missing" }, finding.name, finding.words)
    };
    let mut text: String = findings.iter().map(line).collect();
    if ready {
        text.push_str("Next: surety-node doctor --config node.toml, then surety node register.\n");
    }
    text
}

fn document(findings: &[Finding], ready: bool, machine: surety_core::types::MachineId) -> Value {
    let one = |finding: &Finding| json!({ "name": finding.name, "holds": finding.holds, "words": finding.words });
    json!({ "machine": machine, "ready": ready, "findings": findings.iter().map(one).collect::<Vec<_>>() })
}

/// Host key and configuration, made where they are missing.
fn files(arguments: &Init, place: &Place) -> Result<Vec<Finding>> {
    let dir = absolute(&arguments.dir)?;
    std::fs::create_dir_all(&dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    let key_path = dir.join("host_key");
    let (host, made) = match key_path.exists() {
        true => (HostKey::read(&key_path)?, "is there"),
        false => (HostKey::make(&key_path)?, "made: keep a copy, it is the machine's identity"),
    };
    let host = Finding { name: "host key", holds: true, words: format!("{} {made}", host.machine()) };
    let config = dir.join("node.toml");
    let made = match config.exists() {
        true => "is there, and is left as it is",
        false => {
            write_config(&config, &config_text(arguments, place, &dir)?)?;
            "written: read it through, and set rpc_url to a node of your own"
        }
    };
    let config = Finding { name: "node.toml", holds: true, words: format!("{} {made}", config.display()) };
    Ok(vec![host, config])
}

/// The file may hold an RPC URL with a password in it: nobody else reads it.
fn write_config(path: &Path, text: &str) -> Result<()> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("{} cannot be written", path.display()))
}

fn config_text(arguments: &Init, place: &Place, dir: &Path) -> Result<String> {
    let text = |value: String| toml::Value::from(value);
    let path = |path: &Path| text(path.display().to_string());
    let cpu = arguments.class == ClassId::CPU_TEST;
    let local = place.deployment.chain_id == Network::Local.chain_id();
    let listen = match arguments.endpoint.is_ipv4() {
        true => format!("0.0.0.0:{}", arguments.endpoint.port()),
        false => format!("[::]:{}", arguments.endpoint.port()),
    };
    let device = toml::Table::from_iter([
        ("kind".to_owned(), text(if cpu { "cpu" } else { "cuda" }.to_owned())),
        ("class".to_owned(), i64::from(arguments.class.0).into()),
        ("count".to_owned(), i64::from(arguments.count).into()),
    ]);
    let rpc = arguments.at.rpc.clone().unwrap_or_else(|| "http://127.0.0.1:8545".into());
    let config = toml::Table::from_iter([
        ("rpc_url".to_owned(), text(rpc)),
        ("chain_id".to_owned(), i64::try_from(place.deployment.chain_id).context("the chain id")?.into()),
        ("deployment".to_owned(), path(&absolute(&arguments.at.file()?)?)),
        ("host_key".to_owned(), path(&dir.join("host_key"))),
        ("listen".to_owned(), text(listen)),
        ("tenant_user".to_owned(), text("tenant".into())),
        ("keeper_user".to_owned(), text("keeper".into())),
        ("state_dir".to_owned(), path(&dir.join("state"))),
        ("dev".to_owned(), (local && cpu).into()),
        ("device".to_owned(), device.into()),
    ]);
    let head = "# Every field: verifier/node/src/config.rs. Where tenants' programs run: isolation, [container].\n";
    Ok(format!("{head}{}", toml::to_string(&config)?))
}

async fn hotkey(place: &Place, arguments: &Init) -> Result<Finding> {
    let (netuid, uid) = (place.deployment.netuid, arguments.uid);
    let call = MetagraphStandIn::getHotkeyCall { netuid, uid };
    let found = place.view().call(Account(METAGRAPH.into_array()), &call).await;
    let (holds, words) = match found {
        Ok(found) if found.0 == arguments.hotkey.0 => (true, format!("at uid {uid} of subnet {netuid}")),
        Ok(found) => (false, format!("at uid {uid} of subnet {netuid} sits {found}: name your hotkey's uid")),
        Err(error) if error.is_the_evms() || is_empty(&error) => (
            false,
            format!(
                "nobody sits at uid {uid} of subnet {netuid}: register the hotkey first (btcli subnets register --netuid {netuid})"
            ),
        ),
        Err(error) => return Err(error).context("the hotkey at the uid was not read"),
    };
    Ok(Finding { name: "hotkey", holds, words })
}

/// An answer without anything in it: the chain has nothing there.
fn is_empty(error: &NodeError) -> bool {
    matches!(error, NodeError::Odd { .. })
}

async fn association(place: &Place, arguments: &Init, account: Account, key: Option<&Key>) -> Result<Finding> {
    let name = "association";
    let stored = place.node.call_each(
        vec![(STORAGE_QUERY, association_key(place.deployment.netuid, arguments.uid).into())],
        place.head.number,
    );
    let stored = stored.await?.pop().context("no answer")?;
    let known = stored.ok().filter(|bytes| bytes.len() == ADDRESS_BYTES + 8);
    let known = known.map(|bytes| bytes[..ADDRESS_BYTES].try_into().map(Account).unwrap_or_default());
    if known == Some(account) {
        let words = format!("the chain associates uid {} with {account}", arguments.uid);
        return Ok(Finding { name, holds: true, words });
    }
    let is = known.map_or_else(|| "with nobody".into(), |other| format!("with {other}"));
    let words = format!(
        "the chain associates uid {} {is}, not with {account}. The hotkey has to say that it is its own; at most once a \
         day, and free of charge. Sign this with the hotkey (extrinsic, pallet SubtensorModule, call 93):\n\
         {:22}associate_evm_key(netuid {}, evm_key {account},\n{:22}{})",
        arguments.uid,
        "",
        place.deployment.netuid,
        "",
        proof(place, arguments.hotkey, key)?
    );
    Ok(Finding { name, holds: false, words })
}

/// The account's own word: an EIP-191 message of the hotkey and keccak256 of the block number in SCALE.
fn proof(place: &Place, hotkey: Hash32, key: Option<&Key>) -> Result<String> {
    let block = place.head.number;
    let Some(key) = key else {
        return Ok("block_number N, signature ...): with --key-file, number and signature are made here".into());
    };
    let message = [hotkey.0.as_slice(), keccak256(block.to_le_bytes()).as_slice()].concat();
    let signature = key.signer().sign_message_sync(&message).context("the key does not sign")?;
    Ok(format!("block_number {block},\n{:22}signature 0x{}", "", hex::encode(signature.as_bytes())))
}
