//! `surety node offer`: for how much, how long, and until when a machine can be rented.

use super::{Acting, NodeState, Which, mine};
use crate::cli::kit::amount::{Price, Span, Tao};
use crate::cli::kit::exit::Stop;
use crate::cli::kit::money::{Deed, carry};
use crate::cli::kit::out::Out;
use crate::cli::kit::parse;
use crate::cli::kit::place::Place;
use crate::cli::kit::words::{date, span};
use alloy::primitives::aliases::{U24, U40};
use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;
use surety_client::bindings::{IRentalEscrow, RentalEscrow};
use surety_client::digest::secs32;
use surety_client::transaction::Order;
use surety_core::types::Rao;
use surety_verifier::classes::ClassId;

/// What `surety node offer` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct OfferArguments {
    #[command(flatten)]
    which: Which,
    /// The GPU class, by name or id.
    #[arg(long, value_parser = parse::class, required_unless_present = "withdraw")]
    class: Option<ClassId>,
    /// GPUs of the machine.
    #[arg(long, value_name = "GPUS", required_unless_present = "withdraw")]
    count: Option<u8>,
    /// Price of the whole machine: TAO an hour such as 0.9/h, or a second such as 0.00025/s.
    #[arg(long, required_unless_present = "withdraw")]
    price: Option<Price>,
    /// Shortest rental, and the shortest a renter pays for; at most an hour.
    #[arg(long, value_name = "SPAN", default_value = "10m")]
    min: Span,
    /// Longest rental, extensions included.
    #[arg(long, value_name = "SPAN", default_value = "30d")]
    max: Span,
    /// Pause after a rental before the next.
    #[arg(long, value_name = "SPAN", default_value = "0s")]
    turnaround: Span,
    /// The offer lapses after this long.
    #[arg(long, value_name = "SPAN", default_value = "7d")]
    expires: Span,
    /// Take the offer back. A rental that runs goes on.
    #[arg(long, conflicts_with_all = ["class", "count", "price"])]
    withdraw: bool,
    #[command(flatten)]
    acting: Acting,
}

pub(super) async fn run(arguments: &OfferArguments, out: Out) -> Result<()> {
    let (actor, place) = (arguments.acting.signing.actor()?, Place::find(&arguments.acting.at).await?);
    let before = mine(&place, arguments.which.machine()?, &actor).await?;
    let deed = match arguments.withdraw {
        true => taking_back(&place, &before)?,
        false => offering(&place, &before, arguments).await?,
    };
    let carried = carry(&place, &arguments.acting.signing, &actor, deed, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let after = NodeState::of(&place.again().await?, before.node.registration).await?;
    let offered = after.price_rao_per_sec() != 0;
    ensure!(offered != arguments.withdraw, "the escrow shows the offer as it was: look with surety node status");
    let words = match arguments.withdraw {
        true => "Taken back: nobody can rent the machine now.".to_owned(),
        false => {
            format!("Offered until {}. Keepers measure it before it can be rented.", date(after.terms.expiresAt.into()))
        }
    };
    let hash = offered.then_some(after.offer_hash);
    carried.tell(out, words, json!({ "offered": offered, "offer_hash": hash }))
}

fn taking_back(place: &Place, before: &NodeState) -> Result<Deed> {
    if before.price_rao_per_sec() == 0 {
        return Err(Stop::refused("the machine is not offered: there is nothing to take back"));
    }
    let call = RentalEscrow::withdrawOfferCall { machine: before.node.machine };
    let title = format!("Take the offer of {} back", before.machine());
    Ok(Deed::new(title, "RentalEscrow", Order::call(place.deployment.escrow.address, &call)))
}

async fn offering(place: &Place, before: &NodeState, arguments: &OfferArguments) -> Result<Deed> {
    let needed = "an offer needs --class, --count and --price";
    let (Some(class), Some(count), Some(price)) = (arguments.class, arguments.count, arguments.price) else {
        return Err(Stop::usage(needed));
    };
    let escrow = place.deployment.escrow.address;
    let bond = place.view().call(escrow, &RentalEscrow::classBondCall { gpuClass: class.0 }).await.context("class")?;
    if bond == 0 {
        return Err(Stop::refused(format!("class {class} is not on the market here: nobody has set a bond for it")));
    }
    let terms = terms(place.now_secs(), class, count, price, arguments)?;
    let floor: Rao = bond.saturating_mul(u64::from(count));
    let call = RentalEscrow::offerCall { machine: before.node.machine, terms };
    let title = format!("Offer {} as {count} x {class}", before.machine());
    let mut deed = Deed::new(title, "RentalEscrow", Order::call(escrow, &call))
        .row("price", price.to_string())
        .row("rentals", format!("from {} to {}", span(arguments.min.0), span(arguments.max.0)))
        .row("lapses", format!("after {}", span(arguments.expires.0)))
        .row("bond", format!("{} TAO free; {} TAO at least goes behind a rental", Tao(before.node.free), Tao(floor)));
    if before.node.free < floor {
        let short = Tao(floor - before.node.free);
        deed = deed.row("beware", format!("{short} TAO of bond is missing: nobody can rent it before a deposit"));
    }
    Ok(deed)
}

fn terms(
    now_secs: u64,
    class: ClassId,
    count: u8,
    price: Price,
    arguments: &OfferArguments,
) -> Result<IRentalEscrow::Offer> {
    let too_much = |what: &str| Stop::usage(format!("--{what} is longer than an offer can say"));
    let price_max: u64 = U40::MAX.to();
    if price.0 > price_max || price.0 == 0 {
        return Err(Stop::usage(format!("--price is {} rao a second, want 1 to {price_max}", price.0)));
    }
    Ok(IRentalEscrow::Offer {
        price: U40::from(price.0),
        minDurationSecs: u16::try_from(arguments.min.0)
            .map_err(|_| Stop::usage("--min is over an hour: want 1h at most"))?,
        maxDurationSecs: arguments.max.secs32().map_err(|_| too_much("max"))?,
        gpuClass: class.0,
        gpuCount: count,
        turnaroundSecs: U24::try_from(arguments.turnaround.0).map_err(|_| too_much("turnaround"))?,
        expiresAt: secs32(now_secs.saturating_add(arguments.expires.0)).map_err(|_| too_much("expires"))?,
    })
}
