//! Looks through what the contracts number densely, in batches: whose machines, whose rentals, whose wishes.

use super::kit::out::Out;
use super::kit::place::Place;
use super::node::NodeState;
use anyhow::{Context, Result};
use surety_client::bindings::{CollateralVault, IRentalEscrow, RentalBids, RentalEscrow};
use surety_core::types::{Account, RentalId};

/// Most registrations that are looked through, the newest first.
const REGISTRATIONS_MAX: u32 = 100_000;

/// Records that are asked for before the next progress line.
const CHUNK: usize = 2_000;

/// From how many on a person is told that it takes a while.
const MANY: usize = 2_000;

/// An account's machines as they are registered now, the newest first.
///
/// # Errors
/// The node does not answer.
pub(super) async fn machines_of(place: &Place, account: Account, out: Out) -> Result<Vec<NodeState>> {
    let vault = place.deployment.vault.address;
    let count = place.view().call(vault, &CollateralVault::registrationCountCall {}).await.context("the machines")?;
    let first = count.saturating_sub(REGISTRATIONS_MAX).saturating_add(1);
    let numbers: Vec<u32> = (first..=count).rev().collect();
    let mut found = Vec::new();
    for chunk in numbers.chunks(CHUNK) {
        if numbers.len() > MANY {
            out.progress(format!("looking through registrations {} and below ...", chunk[0]));
        }
        let calls: Vec<_> = chunk.iter().map(|n| CollateralVault::minerOfCall { registration: *n }).collect();
        let miners = place.view().calls(vault, calls.iter()).await?;
        let own = chunk.iter().zip(miners).filter(|(_, miner)| matches!(miner, Ok(miner) if miner.0.0 == account.0));
        found.extend(own.map(|(number, _)| *number));
    }
    let mut states = Vec::new();
    for number in found {
        let state = NodeState::of(place, number).await?;
        if !state.node.retired {
            states.push(state);
        }
    }
    Ok(states)
}

/// A rental and its key, with its number.
#[derive(Debug, Clone)]
pub(super) struct FoundRental {
    /// Its number.
    pub(super) id: RentalId,
    /// What the escrow says.
    pub(super) rental: IRentalEscrow::Rental,
}

/// What was looked through, and what was found.
#[derive(Debug, Clone)]
pub(super) struct Found<T> {
    /// What fits, the newest first.
    pub(super) items: Vec<T>,
    /// How many were looked through, of how many there are.
    pub(super) looked: u64,
    /// All there are.
    pub(super) of: u64,
}

/// An account's rentals among the newest `last`.
///
/// # Errors
/// The node does not answer.
pub(super) async fn rentals_of(place: &Place, renter: Account, last: u64, out: Out) -> Result<Found<FoundRental>> {
    let escrow = place.deployment.escrow.address;
    let count = place.view().call(escrow, &RentalEscrow::rentalCountCall {}).await.context("the rentals")?;
    let numbers = newest(count, last);
    let mut items = Vec::new();
    for chunk in numbers.chunks(CHUNK) {
        if numbers.len() > MANY {
            out.progress(format!("looking through rentals {} and below ...", chunk[0]));
        }
        let calls: Vec<_> = chunk.iter().map(|rental| RentalEscrow::rentalAtCall { rental: *rental }).collect();
        for (id, found) in chunk.iter().zip(place.view().calls(escrow, calls.iter()).await?) {
            let rental = found.with_context(|| format!("rental {id} was not read"))?.r;
            if rental.renter.0.0 == renter.0 {
                items.push(FoundRental { id: *id, rental });
            }
        }
    }
    Ok(Found { items, looked: numbers.len() as u64, of: count })
}

/// A wish with its number.
#[derive(Debug, Clone)]
pub(super) struct FoundBid {
    /// Its number.
    pub(super) id: u64,
    /// What the contract says.
    pub(super) bid: surety_client::bindings::bids::IRentalBids::Bid,
}

/// The wishes that `fits` takes among the newest `last`.
///
/// # Errors
/// The node does not answer.
pub(super) async fn bids(place: &Place, last: u64, fits: impl Fn(&FoundBid) -> bool) -> Result<Found<FoundBid>> {
    let bids = place.deployment.bids.address;
    let count = place.view().call(bids, &RentalBids::bidCountCall {}).await.context("the bids")?;
    let numbers = newest(count, last);
    let calls: Vec<_> = numbers.iter().map(|bid| RentalBids::bidAtCall { bid: *bid }).collect();
    let mut items = Vec::new();
    for (id, found) in numbers.iter().zip(place.view().calls(bids, calls.iter()).await?) {
        let found = FoundBid { id: *id, bid: found.with_context(|| format!("bid {id} was not read"))? };
        if fits(&found) {
            items.push(found);
        }
    }
    Ok(Found { items, looked: numbers.len() as u64, of: count })
}

/// The newest `last` of `1..=count`, descending.
fn newest(count: u64, last: u64) -> Vec<u64> {
    (count.saturating_sub(last).saturating_add(1)..=count).rev().collect()
}

#[cfg(test)]
mod tests {
    use super::newest;

    #[test]
    fn the_newest_come_first_and_no_more_than_there_are() {
        assert_eq!(newest(5, 2), [5, 4]);
        assert_eq!(newest(2, 100), [2, 1]);
        assert!(newest(0, 100).is_empty());
    }
}
