//! `surety node status`: what the contracts say of a machine, or of all of an account's.

use super::NodeState;
use crate::cli::kit::amount::{Price, Tao};
use crate::cli::kit::exit::Stop;
use crate::cli::kit::out::Out;
use crate::cli::kit::parse;
use crate::cli::kit::place::{Place, Where};
use crate::cli::kit::who::Of;
use crate::cli::kit::words::{Table, date, span};
use crate::cli::scan;
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use surety_core::types::MachineId;
use surety_verifier::classes::ClassId;

/// What `surety node status` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct Status {
    /// The machine; without it all of the account's.
    #[arg(long, value_name = "MACHINE", value_parser = parse::machine)]
    machine: Option<MachineId>,
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(arguments: &Status, out: Out) -> Result<()> {
    let place = Place::find(&arguments.at).await?;
    let states = match arguments.machine {
        Some(machine) => {
            let why = || Stop::refused(format!("machine {machine} is not registered: surety node register does it"));
            vec![NodeState::find(&place, machine).await?.ok_or_else(why)?]
        }
        None => scan::machines_of(&place, arguments.of.account()?, out).await?,
    };
    let words: String = states.iter().map(|state| table(state, place.now_secs()).to_string()).collect();
    let words = if states.is_empty() { "No machine is registered by this account.".to_owned() } else { words };
    out.answer(
        words,
        || json!({ "block": place.head.number, "machines": states.iter().map(document).collect::<Vec<_>>() }),
    );
    Ok(())
}

fn table(state: &NodeState, now_secs: u64) -> Table {
    let node = &state.node;
    let mut table = Table::new(format!("Machine {}", state.machine()));
    table.row("number", format!("registration {}{}", node.registration, if node.retired { ", retired" } else { "" }));
    table.row("miner", state.miner().to_string());
    table.row("hotkey", format!("{} at uid {}", node.hotkey, node.uid));
    table.row("endpoint", state.endpoint().map_or_else(|| "none".into(), |endpoint| endpoint.to_string()));
    let (whole, free, reserved) = (Tao(state.bonded_rao()), Tao(node.free), Tao(node.reserved));
    table.row("bond", format!("{whole} TAO: {free} free, {reserved} behind rentals, {} in cases", Tao(node.held)));
    if node.exiting > 0 {
        let ready = u64::from(node.exitReadyAt);
        table.row("exit", format!("{} TAO, ready from {} on", Tao(node.exiting), date(ready)));
    }
    if state.price_rao_per_sec() == 0 {
        table.row("offer", "none");
    } else {
        let (class, price) = (ClassId(state.terms.gpuClass), Price(state.price_rao_per_sec()));
        table.row("offer", format!("{} x {class}, {price}", state.terms.gpuCount));
        let (min, max) = (span(state.terms.minDurationSecs.into()), span(state.terms.maxDurationSecs.into()));
        let lapses = match state.is_offered(now_secs) {
            true => format!("lapses {}", date(state.terms.expiresAt.into())),
            false => format!("lapsed {}", date(state.terms.expiresAt.into())),
        };
        table.row("", format!("from {min} to {max}; {lapses}"));
    }
    let open: Vec<String> =
        [node.firstRental, node.secondRental].iter().filter(|id| **id != 0).map(ToString::to_string).collect();
    table.row("rentals", if open.is_empty() { "none open".into() } else { format!("open: {}", open.join(", ")) });
    table
}

fn document(state: &NodeState) -> Value {
    let node = &state.node;
    let open: Vec<u64> = [node.firstRental, node.secondRental].into_iter().filter(|id| *id != 0).collect();
    let offer = (state.price_rao_per_sec() != 0).then(|| {
        json!({ "gpu_class": state.terms.gpuClass, "gpu_count": state.terms.gpuCount,
            "price_rao_per_sec": state.price_rao_per_sec().to_string(),
            "min_duration_secs": state.terms.minDurationSecs, "max_duration_secs": state.terms.maxDurationSecs,
            "expires_at_secs": state.terms.expiresAt, "offer_hash": state.offer_hash })
    });
    json!({
        "machine": state.machine(), "registration": node.registration, "retired": node.retired,
        "miner": state.miner(), "hotkey": node.hotkey, "uid": node.uid,
        "endpoint": state.endpoint().map(|endpoint| endpoint.to_string()),
        "bond": { "free_rao": node.free.to_string(), "reserved_rao": node.reserved.to_string(),
            "held_rao": node.held.to_string(), "exiting_rao": node.exiting.to_string(),
            "exit_ready_at_secs": (node.exitReadyAt != 0).then_some(node.exitReadyAt) },
        "offer": offer, "last_rental": state.last_rental, "open_rentals": open,
    })
}
