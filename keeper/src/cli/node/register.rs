//! `surety node register`: the machine's host key signs who may register it.

use super::{Acting, NodeState};
use crate::cli::kit::exit::Stop;
use crate::cli::kit::money::{Deed, carry};
use crate::cli::kit::out::Out;
use crate::cli::kit::parse;
use crate::cli::kit::place::Place;
use crate::cli::kit::sshkey::HostKey;
use alloy::primitives::{Address, B256, FixedBytes};
use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;
use surety_client::bindings::{CollateralVault, ICollateralVault};
use surety_client::digest;
use surety_client::reader::endpoint_bytes;
use surety_client::subtensor::twox64;
use surety_client::transaction::Order;
use surety_core::types::{Account, Hash32, MachineId};

/// Most registrations that a chain may say it has had.
const REGISTRATIONS_MAX: u32 = 10_000_000;

/// What `surety node register` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct Register {
    /// The machine's host key, as surety-node uses it.
    #[arg(long, value_name = "FILE")]
    host_key: PathBuf,
    /// Your hotkey on the subnet: its SS58 address, or 0x and 64 hex digits.
    #[arg(long, value_name = "HOTKEY", value_parser = parse::hotkey)]
    hotkey: Hash32,
    /// Its uid on the subnet.
    #[arg(long)]
    uid: u16,
    /// Where the machine's SSH server is reached from outside, IP:PORT.
    #[arg(long, value_name = "IP:PORT", value_parser = parse::endpoint)]
    endpoint: SocketAddr,
    #[command(flatten)]
    acting: Acting,
}

pub(super) async fn run(arguments: &Register, out: Out) -> Result<()> {
    let (actor, place) = (arguments.acting.signing.actor()?, Place::find(&arguments.acting.at).await?);
    let host = HostKey::read(&arguments.host_key)?;
    let machine = host.machine();
    if let Some(there) = NodeState::find(&place, machine).await? {
        let (number, miner) = (there.node.registration, there.miner());
        let why = format!("machine {machine} is registered already (number {number}), by {miner}: surety node status");
        return Err(Stop::refused(why));
    }
    let signature = host_signature(&place, &host, arguments.hotkey, actor.account).await?;
    let call = CollateralVault::registerCall {
        machine: B256::from(machine.0),
        hotkey: B256::from(arguments.hotkey.0),
        uid: arguments.uid,
        uidHash: twox64(arguments.uid),
        endpoint: on_chain(arguments.endpoint),
        machineSig: signature.map(B256::from),
    };
    let order = Order::call(place.deployment.vault.address, &call);
    let deed = Deed::new(format!("Register machine {machine}"), "CollateralVault", order)
        .row("miner", actor.account.to_string())
        .row("hotkey", format!("{} at uid {}", arguments.hotkey, arguments.uid))
        .row("endpoint", arguments.endpoint.to_string());
    let carried = carry(&place, &arguments.acting.signing, &actor, deed, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let after = NodeState::find(&place.again().await?, machine).await?.context("the vault shows no registration")?;
    ensure!(after.miner() == actor.account, "the machine is registered by {}, not by you", after.miner());
    let number = after.node.registration;
    let words = format!("Registered: number {number}. Next: surety node deposit, then surety node offer.");
    carried.tell(out, words, json!({ "machine": machine, "registration": number }))
}

/// An endpoint as the vault takes it.
pub(super) fn on_chain(endpoint: SocketAddr) -> ICollateralVault::Endpoint {
    ICollateralVault::Endpoint { ip: FixedBytes(endpoint_bytes(endpoint.ip())), port: endpoint.port() }
}

/// The host key's signature, R and s, of what the vault wants signed. The key also signs measurements: so it never
/// signs 32 bytes of a node's choosing, only such as are made here of machine, hotkey, account and a number.
async fn host_signature(place: &Place, host: &HostKey, hotkey: Hash32, miner: Account) -> Result<[[u8; 32]; 2]> {
    let (vault, machine) = (place.deployment.vault.address, host.machine());
    let call = CollateralVault::registrationDigestCall {
        machine: B256::from(machine.0),
        hotkey: B256::from(hotkey.0),
        miner: Address::from(miner.0),
    };
    let wanted = Hash32(place.view().call(vault, &call).await.context("what the host key signs")?.0);
    let count = place.view().call(vault, &CollateralVault::registrationCountCall {}).await?;
    let ours = made_here(place, machine, hotkey, miner, count.min(REGISTRATIONS_MAX), wanted);
    let ours = ours.context("the node wants something else signed than a registration of this machine: check --rpc")?;
    host.sign(&ours.0).context("the host key does not sign")
}

/// The digest over the machine's last registration number, whichever that was, when it is the one wanted.
fn made_here(
    place: &Place,
    machine: MachineId,
    hotkey: Hash32,
    miner: Account,
    last: u32,
    wanted: Hash32,
) -> Option<Hash32> {
    let (chain_id, vault) = (place.deployment.chain_id, place.deployment.vault.address);
    let digest = |previous| digest::registration(chain_id, vault, machine, hotkey, miner, previous);
    (0..=last).map(digest).find(|digest| *digest == wanted)
}
