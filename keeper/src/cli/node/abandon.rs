//! `surety node abandon`: a miner gives a running rental up, at half of what keepers would make it cost.

use super::{Acting, NodeState};
use crate::cli::kit::amount::Tao;
use crate::cli::kit::exit::Stop;
use crate::cli::kit::money::{Deed, carry};
use crate::cli::kit::out::Out;
use crate::cli::kit::place::Place;
use crate::cli::kit::words::date;
use crate::cli::rent::{read, running};
use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;
use surety_client::bindings::{CollateralVault, IRentalEscrow, RentalEscrow};
use surety_client::transaction::Order;
use surety_core::types::{Rao, RentalId};

/// What `surety node abandon` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct Abandon {
    /// The rental.
    rental: RentalId,
    #[command(flatten)]
    acting: Acting,
}

/// A basis point is one of these.
const BPS_OF_ALL: u128 = 10_000;

/// What is burned now: a share of the reserve, and never more than the rental has earned (SPEC, "Claim, end, abandon,
/// close").
async fn penalty(place: &Place, id: RentalId, rental: &IRentalEscrow::Rental) -> Result<Rao> {
    let (escrow, vault) = (place.deployment.escrow.address, place.deployment.vault.address);
    let bps = place.view().call(escrow, &RentalEscrow::ABANDON_BPSCall {}).await.context("the share that is burned")?;
    let reserve = CollateralVault::reservedForCall { registration: rental.registration, rental: id };
    let reserved = place.view().call(vault, &reserve).await.context("the bond behind the rental")?;
    let earned = place.view().call(escrow, &RentalEscrow::earnedOfCall { rental: id }).await;
    Ok(share(reserved, bps).min(earned.context("what the rental has earned")?))
}

fn share(reserved_rao: Rao, bps: u16) -> Rao {
    Rao::try_from(u128::from(reserved_rao) * u128::from(bps) / BPS_OF_ALL).unwrap_or(Rao::MAX)
}

pub(super) async fn run(arguments: &Abandon, out: Out) -> Result<()> {
    let signing = &arguments.acting.signing;
    let (actor, place) = (signing.actor()?, Place::find(&arguments.acting.at).await?);
    let (id, escrow) = (arguments.rental, place.deployment.escrow.address);
    let before = running(&place, id).await?;
    let miner = NodeState::of(&place, before.registration).await?.miner();
    if miner != actor.account {
        let why = format!("rental {id} is on {miner}'s machine, and the key is that of {}", actor.account);
        return Err(Stop::refused(why));
    }
    let burned = penalty(&place, id, &before).await?;
    let unused_secs = u64::from(before.end).saturating_sub(place.now_secs());
    let back = Tao(before.price.to::<u64>().saturating_mul(unused_secs));
    let order = Order::call(escrow, &RentalEscrow::abandonCall { rental: id });
    let deed = Deed::new(format!("Give up rental {id} now"), "RentalEscrow", order)
        .row("burned", format!("about {} TAO of your bond", Tao(burned)))
        .row("renter", format!("{} gets about {back} TAO back at once", before.renter))
        .row("offer", "taken down: surety node offer makes another");
    let carried = carry(&place, signing, &actor, deed, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let again = place.since(carried.block()).await?;
    let after = read(&again, id).await?;
    ensure!(u64::from(after.end) <= again.now_secs(), "rental {id} runs as it did");
    let words = format!("Given up: rental {id} ended {}. surety earnings shows its pay.", date(after.end.into()));
    carried.tell(out, words, json!({ "rental": id, "end_secs": after.end }))
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn a_share_of_the_reserve_is_rounded_down_and_never_overflows() {
        assert_eq!(share(120_266_640, 500), 6_013_332);
        assert_eq!(share(19, 500), 0);
        assert_eq!(share(u64::MAX, 10_000), u64::MAX);
    }
}
