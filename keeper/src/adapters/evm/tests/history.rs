//! Blocks of the past: what a majority of endpoints has, or nothing.

use super::world::World;
use crate::adapters::evm::FollowError;
use surety_subtensor_rpc::{Lie, Transport};

#[tokio::test]
async fn the_hash_of_a_final_block_is_that_of_a_majority_or_none_at_all() {
    let world = World::start(3).await;
    world.finalize().await;
    let endpoints = world.endpoints();
    let final_number = endpoints.final_number().await.unwrap();
    assert_eq!(final_number, world.anvil.height().await.unwrap() - 2, "two blocks behind the best");
    let right = world.hash(1).await;
    let hash = async || endpoints.hash_at(1).await.map(|hash| serde_json::json!(hash.to_string()));
    world.control(0).faults().lie = Some(Lie { from: 1, hashes: true, views: false, ahead: 0 });
    assert_eq!(hash().await.unwrap(), right, "one lies");
    world.control(1).faults().transport = Some(Transport::TooMany);
    assert!(matches!(hash().await, Err(FollowError::NoMajority { need: 2, .. })), "one lies and one is silent");
    world.control(1).heal();
    assert_eq!(hash().await.unwrap(), right, "it is back");
    world.control(0).heal();
    world.control(0).faults().bodies_pruned_below = 2;
    assert_eq!(hash().await.unwrap(), right, "one has it no more");
    world.control(1).faults().bodies_pruned_below = 2;
    assert!(hash().await.is_err(), "most have it no more");
    assert!(endpoints.hash_at(1_000_000).await.is_err(), "there is no such block");
}
