//! `surety rent`, `extend`, `end`, `rentals` and `ssh`: a renter's way from the market to a shell, and back.

mod certificates;
mod letin;
mod list;
mod ssh;
mod tenancy;

pub(super) use certificates::quorum;
pub(super) use list::{RentalsArguments, run as rentals};
pub(super) use ssh::{SshArguments, run as ssh};
pub(super) use tenancy::{EndArguments, ExtendArguments, end, extend, read, running};

use super::kit::amount::{Price, Span, Tao, at_most};
use super::kit::exit::Stop;
use super::kit::money::{Deed, carry};
use super::kit::out::Out;
use super::kit::place::{Keepers, Place, Where};
use super::kit::who::Signing;
use super::kit::words::{date, span};
use super::kit::{parse, sshkey};
use super::node::NodeState;
use alloy::primitives::B256;
use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;
use surety_client::bindings::RentalEscrow;
use surety_client::intent;
use surety_client::transaction::Order;
use surety_core::statement::{Certificate, Signed};
use surety_core::types::{MachineId, SshKey};
use surety_verifier::classes::ClassId;

/// What `surety rent` takes.
#[derive(Debug, Args)]
pub(super) struct RentArguments {
    /// The machine, as `surety market --ids` shows it.
    #[arg(value_name = "MACHINE", value_parser = parse::machine)]
    machine: MachineId,
    /// How long, such as 2h30m.
    #[arg(long = "for", value_name = "SPAN")]
    duration: Span,
    /// The SSH key the machine is to let in: the file ~/.ssh/id_ed25519.pub, its line, or hex.
    #[arg(long, value_name = "FILE|KEY")]
    ssh_key: String,
    /// Go on only if it costs at most this: 0.9/h or 0.00025/s.
    #[arg(long, value_name = "PRICE", value_parser = at_most)]
    max_price: Option<Price>,
    #[command(flatten)]
    keepers: Keepers,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(arguments: &RentArguments, out: Out) -> Result<()> {
    let renter_key = sshkey::read(&arguments.ssh_key).map_err(|error| Stop::usage(error.to_string()))?;
    let (actor, place) = (arguments.signing.actor()?, Place::find(&arguments.at).await?);
    let machine = arguments.machine;
    let not_registered = || Stop::refused(format!("machine {machine} is not registered: choose one (surety market)"));
    let state = NodeState::find(&place, machine).await?.ok_or_else(not_registered)?;
    check(&state, arguments, place.now_secs())?;
    check_vacant(&place, &state).await?;
    let certificates = quorum(&place, &arguments.keepers, &state, out).await?;
    let deed = renting(&place, &state, arguments, renter_key, &certificates)?;
    let carried = carry(&place, &arguments.signing, &actor, deed, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let again = place.since(carried.block()).await?;
    let call = RentalEscrow::lastRentalOfCall { registration: state.node.registration };
    let id = again.view().call(place.deployment.escrow.address, &call).await.context("the new rental's number")?;
    let rental = again.reader.rental_at(id, again.head.number).await.context("the new rental")?;
    ensure!(
        rental.renter == actor.account && rental.renter_key == renter_key,
        "the machine's newest rental {id} is {}'s: look with surety rentals",
        rental.renter
    );
    let words = format!("Rented: rental {id}, until {}. Log in: surety ssh {id}", date(rental.end_secs));
    let result = json!({ "rental": id, "machine": machine, "start_secs": rental.start_secs,
        "end_secs": rental.end_secs, "endpoint": state.endpoint().map(|endpoint| endpoint.to_string()) });
    carried.tell(out, words, result)
}

/// What can be said before any keeper is asked.
fn check(state: &NodeState, arguments: &RentArguments, now_secs: u64) -> Result<()> {
    if !state.is_offered(now_secs) {
        return Err(Stop::refused("the machine is not offered now: choose another (surety market)"));
    }
    let (least, most) = (u64::from(state.terms.minDurationSecs), u64::from(state.terms.maxDurationSecs));
    if !(least..=most).contains(&arguments.duration.0) {
        let why = format!("--for {}: the offer allows {} to {}", span(arguments.duration.0), span(least), span(most));
        return Err(Stop::refused(why));
    }
    let price = Price(state.price_rao_per_sec());
    match arguments.max_price {
        Some(most) if price > most => Err(Stop::refused(format!("it costs {price}, more than --max-price {most}"))),
        _ => Ok(()),
    }
}

/// That nobody is in it, and the pause after the last tenant is over.
async fn check_vacant(place: &Place, state: &NodeState) -> Result<()> {
    if state.last_rental == 0 {
        return Ok(());
    }
    let last = place.reader.rental_at(state.last_rental, place.head.number).await.context("the last rental")?;
    let ready_at = last.end_secs.saturating_add(state.terms.turnaroundSecs.to());
    if ready_at > place.now_secs() {
        let why = format!("the machine is rented or resting: it can be rented from {} on", date(ready_at));
        return Err(Stop::refused(why));
    }
    Ok(())
}

fn renting(
    place: &Place,
    state: &NodeState,
    arguments: &RentArguments,
    renter_key: SshKey,
    certificates: &[Signed<Certificate>],
) -> Result<Deed> {
    let secs = arguments.duration.secs32()?;
    let price = state.price_rao_per_sec();
    let cost = price.checked_mul(u64::from(secs)).context("it costs more TAO than there can be")?;
    let call = RentalEscrow::rentCall {
        machine: B256::from(arguments.machine.0),
        durationSecs: secs,
        renterKey: B256::from(renter_key.0),
        offerHash: B256::from(state.offer_hash.0),
        certificates: certificates.iter().map(intent::certificate).collect::<Result<_, _>>()?,
    };
    let class = ClassId(state.terms.gpuClass);
    let title = format!("Rent {} x {class} for {}", state.terms.gpuCount, span(secs.into()));
    let keepers = certificates.iter().map(|one| one.signer.to_string()).collect::<Vec<_>>();
    let least = u64::from(state.terms.minDurationSecs);
    Ok(Deed::new(title, "RentalEscrow", Order::call(place.deployment.escrow.address, &call).paying(cost))
        .row("machine", arguments.machine.to_string())
        .row("miner", state.miner().to_string())
        .row("at", state.endpoint().map_or_else(|| "no address".into(), |endpoint| endpoint.to_string()))
        .row("price", Price(price).to_string())
        .row("certified", format!("by {} keepers: {}", keepers.len(), keepers.join(", ")))
        .row("lets in", format!("{renter_key}"))
        .row(
            "back",
            format!(
                "unused time when you end it (surety end); {} is paid at least: {} TAO",
                span(least),
                Tao(price.saturating_mul(least))
            ),
        ))
}
