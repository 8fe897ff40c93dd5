//! `surety node migrate`: what of a registration can move. Its address can, at any time; its uid and hotkey can, to
//! wherever the chain associates the miner; its miner cannot, so another miner registers the machine anew after it is
//! retired here.

use super::register::on_chain;
use super::{Acting, NodeState, Which, mine};
use crate::cli::kit::amount::Tao;
use crate::cli::kit::exit::Stop;
use crate::cli::kit::money::{Deed, carry};
use crate::cli::kit::out::Out;
use crate::cli::kit::parse;
use crate::cli::kit::place::Place;
use anyhow::{Result, ensure};
use clap::{ArgGroup, Args};
use serde_json::json;
use std::net::SocketAddr;
use surety_client::bindings::CollateralVault;
use surety_client::subtensor::twox64;
use surety_client::transaction::Order;

/// What `surety node migrate` takes.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("where_to").required(true).args(["endpoint", "uid", "retire"])))]
pub(in crate::cli) struct Migrate {
    #[command(flatten)]
    which: Which,
    /// The new address, IP:PORT. Bond, offer and rentals stay.
    #[arg(long, value_name = "IP:PORT", value_parser = parse::endpoint)]
    endpoint: Option<SocketAddr>,
    /// Bind the machine to the hotkey that sits at this uid now: after a swap of hotkeys, or another uid. The chain has
    /// to associate the uid with your account. Bond, offer and rentals stay.
    #[arg(long)]
    uid: Option<u16>,
    /// End this registration, so that the machine can be registered elsewhere, by another account, or in another
    /// deployment. Only an empty one can be ended: no bond, no open rental.
    #[arg(long)]
    retire: bool,
    #[command(flatten)]
    acting: Acting,
}

pub(super) async fn run(arguments: &Migrate, out: Out) -> Result<()> {
    let (actor, place) = (arguments.acting.signing.actor()?, Place::find(&arguments.acting.at).await?);
    let before = mine(&place, arguments.which.machine()?, &actor).await?;
    let deed = deed(&place, &before, arguments)?;
    let carried = carry(&place, &arguments.acting.signing, &actor, deed, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let after = NodeState::of(&place.again().await?, before.node.registration).await?;
    let words = if arguments.retire {
        ensure!(after.node.retired, "the vault does not show it as retired: look with surety node status");
        "Retired: the machine can be registered anew, here by anybody, or elsewhere.".to_owned()
    } else if let Some(uid) = arguments.uid {
        ensure!(after.node.uid == uid, "the vault shows uid {}, not {uid}", after.node.uid);
        format!("Bound to hotkey {} at uid {uid}.", after.node.hotkey)
    } else {
        let shown = after.endpoint().map_or_else(|| "none".into(), |endpoint| endpoint.to_string());
        format!("Keepers and renters find it at {shown} now.")
    };
    let endpoint = after.endpoint().map(|endpoint| endpoint.to_string());
    let result = json!({ "retired": after.node.retired, "uid": after.node.uid, "hotkey": after.node.hotkey,
        "endpoint": endpoint });
    carried.tell(out, words, result)
}

fn deed(place: &Place, before: &NodeState, arguments: &Migrate) -> Result<Deed> {
    let (vault, machine) = (place.deployment.vault.address, before.node.machine);
    if let Some(endpoint) = arguments.endpoint {
        let call = CollateralVault::setEndpointCall { machine, endpoint: on_chain(endpoint) };
        let was = before.endpoint().map_or_else(|| "none".into(), |endpoint| endpoint.to_string());
        let title = format!("Move {} to {endpoint}", before.machine());
        return Ok(Deed::new(title, "CollateralVault", Order::call(vault, &call)).row("was", was));
    }
    if let Some(uid) = arguments.uid {
        let call = CollateralVault::rebindCall { machine, uid, uidHash: twox64(uid) };
        let title = format!("Bind {} to the hotkey at uid {uid}", before.machine());
        let was = format!("{} at uid {}", before.node.hotkey, before.node.uid);
        return Ok(Deed::new(title, "CollateralVault", Order::call(vault, &call)).row("was", was));
    }
    let open = [before.node.firstRental, before.node.secondRental].into_iter().filter(|rental| *rental != 0);
    let open: Vec<String> = open.map(|rental| rental.to_string()).collect();
    if before.bonded_rao() != 0 || !open.is_empty() {
        let why = format!(
            "only an empty registration can be retired. Bond: {} TAO (surety node exit, then withdraw); rentals not \
             closed: {} (surety earnings --claim)",
            Tao(before.bonded_rao()),
            if open.is_empty() { "none".into() } else { open.join(", ") }
        );
        return Err(Stop::refused(why));
    }
    let call = CollateralVault::retireCall { machine };
    let title = format!("Retire registration {} of {}", before.node.registration, before.machine());
    Ok(Deed::new(title, "CollateralVault", Order::call(vault, &call))
        .row("then", "it can be registered anew: what it was offered for and certified as is not inherited"))
}
