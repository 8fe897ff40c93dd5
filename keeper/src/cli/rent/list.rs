//! `surety rentals`: what an account rents and has rented, from the chain itself.

use crate::cli::kit::amount::{Tao, short_tao};
use crate::cli::kit::out::Out;
use crate::cli::kit::place::{Place, Where};
use crate::cli::kit::table::{Grid, Side};
use crate::cli::kit::who::Of;
use crate::cli::kit::words::{date, span};
use crate::cli::scan::{Found, FoundRental, rentals_of};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use surety_verifier::classes::ClassId;

/// What `surety rentals` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct RentalsArguments {
    #[command(flatten)]
    of: Of,
    /// Look through so many of the newest rentals of everybody.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    last: u64,
    #[command(flatten)]
    at: Where,
}

pub(in crate::cli) async fn run(arguments: &RentalsArguments, out: Out) -> Result<()> {
    let renter = arguments.of.account()?;
    let place = Place::find(&arguments.at).await?;
    let found = rentals_of(&place, renter, arguments.last, out).await?;
    let now = place.now_secs();
    out.answer(words(&found, now), || {
        let rentals: Vec<Value> = found.items.iter().map(|one| document(one, now)).collect();
        json!({ "block": place.head.number, "renter": renter, "looked_through": found.looked, "of": found.of,
            "rentals": rentals })
    });
    Ok(())
}

fn state(found: &FoundRental, now_secs: u64) -> &'static str {
    match (found.rental.closed, u64::from(found.rental.end) > now_secs) {
        (true, _) => "closed",
        (false, true) => "running",
        (false, false) => "ended",
    }
}

fn words(found: &Found<FoundRental>, now_secs: u64) -> String {
    let heads = [
        ("rental", Side::Right),
        ("state", Side::Left),
        ("class", Side::Left),
        ("gpus", Side::Right),
        ("start", Side::Left),
        ("left", Side::Left),
        ("paid TAO", Side::Right),
        ("faulted", Side::Right),
    ];
    let mut grid = Grid::new(&heads);
    for one in &found.items {
        let r = &one.rental;
        let paid = r.price.to::<u64>().saturating_mul(r.boughtSecs.into());
        let left = u64::from(r.end).saturating_sub(now_secs);
        grid.row([
            one.id.to_string(),
            state(one, now_secs).to_owned(),
            ClassId(r.gpuClass).to_string(),
            r.gpuCount.to_string(),
            date(r.start.into()),
            if left == 0 { String::new() } else { span(left) },
            short_tao(paid),
            if r.faultedSecs == 0 { String::new() } else { span(r.faultedSecs.into()) },
        ]);
    }
    format!("{grid}{} rentals among the newest {} of {}", found.items.len(), found.looked, found.of)
}

fn document(found: &FoundRental, now_secs: u64) -> Value {
    let r = &found.rental;
    let price = r.price.to::<u64>();
    json!({
        "rental": found.id, "state": state(found, now_secs), "registration": r.registration,
        "gpu_class": r.gpuClass, "gpu_count": r.gpuCount, "price_rao_per_sec": price.to_string(),
        "start_secs": r.start, "end_secs": r.end, "bought_secs": r.boughtSecs, "claimed_secs": r.claimedSecs,
        "faulted_secs": r.faultedSecs, "open_secs": r.openSecs,
        "paid_rao": price.saturating_mul(r.boughtSecs.into()).to_string(),
    })
}

/// What a rental cost so far and what would come back if it ended now.
pub(super) fn unused(rental: &surety_client::bindings::IRentalEscrow::Rental, now_secs: u64) -> Tao {
    let least_end = u64::from(rental.start).saturating_add(rental.minDurationSecs.into());
    let unused_secs = u64::from(rental.end).saturating_sub(now_secs.max(least_end));
    Tao(rental.price.to::<u64>().saturating_mul(unused_secs))
}
