//! `surety extend` and `surety end`: a running rental made longer, or over.

use super::list::unused;
use crate::cli::kit::amount::{Price, Span, Tao};
use crate::cli::kit::exit::Stop;
use crate::cli::kit::money::{Deed, carry};
use crate::cli::kit::out::Out;
use crate::cli::kit::place::{Place, Where};
use crate::cli::kit::who::Signing;
use crate::cli::kit::words::{date, span};
use alloy::primitives::Address;
use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;
use surety_client::bindings::{IRentalEscrow, RentalEscrow};
use surety_client::transaction::Order;
use surety_core::types::RentalId;

/// What `surety extend` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct ExtendArguments {
    /// The rental.
    rental: RentalId,
    /// How much longer, such as 1h.
    #[arg(long = "for", value_name = "SPAN")]
    duration: Span,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    at: Where,
}

/// What `surety end` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct EndArguments {
    /// The rental.
    rental: RentalId,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    at: Where,
}

/// A rental that runs.
///
/// # Errors
/// There is none with this id, it is over, or the node does not answer.
pub(in crate::cli) async fn running(place: &Place, id: RentalId) -> Result<IRentalEscrow::Rental> {
    let rental = read(place, id).await?;
    if u64::from(rental.start) == 0 {
        return Err(Stop::refused(format!("there is no rental {id}: check the id (surety rentals)")));
    }
    let end = u64::from(rental.end);
    if end <= place.now_secs() {
        return Err(Stop::refused(format!("rental {id} was over at {}", date(end))));
    }
    Ok(rental)
}

/// A rental as the contract has it; one that does not exist starts at 0.
///
/// # Errors
/// The node does not answer.
pub(in crate::cli) async fn read(place: &Place, id: RentalId) -> Result<IRentalEscrow::Rental> {
    let call = RentalEscrow::rentalAtCall { rental: id };
    let found = place.view().call(place.deployment.escrow.address, &call).await;
    Ok(found.with_context(|| format!("rental {id} was not read"))?.r)
}

pub(in crate::cli) async fn extend(arguments: &ExtendArguments, out: Out) -> Result<()> {
    let (actor, place) = (arguments.signing.actor()?, Place::find(&arguments.at).await?);
    let id = arguments.rental;
    let before = running(&place, id).await?;
    let secs = arguments.duration.secs32()?;
    let price = before.price.to::<u64>();
    let cost = price.checked_mul(secs.into()).context("it costs more TAO than there can be")?;
    let order = Order::call(place.deployment.escrow.address, &RentalEscrow::extendCall { rental: id, secs });
    let until = u64::from(before.end).saturating_add(secs.into());
    let mut deed = Deed::new(format!("Extend rental {id} by {}", span(secs.into())), "RentalEscrow", order)
        .paying(cost)
        .row("price", Price(price).to_string())
        .row("until", date(until));
    if before.renter != Address::from(actor.account.0) {
        deed = deed.row("beware", format!("it is {}'s, who gets every refund", before.renter));
    }
    let carried = carry(&place, &arguments.signing, &actor, deed, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let after = read(&place.since(carried.block()).await?, id).await?;
    ensure!(after.boughtSecs >= before.boughtSecs.saturating_add(secs), "rental {id} is as long as it was");
    let words = format!("Extended: rental {id} ends {}.", date(after.end.into()));
    carried.tell(out, words, json!({ "rental": id, "end_secs": after.end }))
}

pub(in crate::cli) async fn end(arguments: &EndArguments, out: Out) -> Result<()> {
    let (actor, place) = (arguments.signing.actor()?, Place::find(&arguments.at).await?);
    let id = arguments.rental;
    let before = running(&place, id).await?;
    if before.renter != Address::from(actor.account.0) {
        let why = format!("rental {id} is {}'s, and the key is that of {}", before.renter, actor.account);
        return Err(Stop::refused(why));
    }
    let order = Order::call(place.deployment.escrow.address, &RentalEscrow::endCall { rental: id });
    let deed = Deed::new(format!("End rental {id} now"), "RentalEscrow", order)
        .row(
            "back",
            format!("about {} TAO, as credit at once (surety credit withdraw)", unused(&before, place.now_secs())),
        )
        .row("paid", format!("at least {}", span(before.minDurationSecs.into())));
    let carried = carry(&place, &arguments.signing, &actor, deed, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let again = place.since(carried.block()).await?;
    let after = read(&again, id).await?;
    ensure!(after.end < before.end || u64::from(after.end) <= again.now_secs(), "rental {id} runs as it did");
    let back_secs = u64::from(before.end).saturating_sub(after.end.into());
    let back = Tao(before.price.to::<u64>().saturating_mul(back_secs));
    let words = format!("Ended: {back} TAO is your credit. surety credit withdraw pays it out.");
    let refunded = back.0.to_string();
    carried.tell(out, words, json!({ "rental": id, "end_secs": after.end, "refunded_rao": refunded }))
}
