//! Epochs against a chain.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::adapters::evm::tests::world::World;
use serde_json::json;
use surety_verifier::schedule::EPOCH_BLOCKS;

/// The epoch that a machine is measured in now, and how to tell its vectors from others.
async fn measured(epochs: &Epochs, count: u16) -> (Challenge, Arc<EpochSecrets>) {
    epochs.challenge(MachineId([1; 32]), 1, ClassId::CPU_TEST.0, count).await.unwrap()
}

#[tokio::test]
async fn an_epoch_hangs_on_its_first_block_and_the_secret_committed_to_and_lasts_until_the_next() {
    let world = World::start(3).await;
    let (chain_id, keeper) = (31_337, Account([4; 20]));
    let master = Master::of_key(&[5; 32], chain_id, &keeper.0);
    let epochs = Epochs::new(world.endpoints(), chain_id, keeper, master.clone());
    let hash = async |number: u64| world.hash(schedule::first_block(number)).await;
    let block = |challenge: &Challenge| json!(format!("0x{}", hex::encode(challenge.epoch.block_hash)));

    let (first, vectors) = measured(&epochs, 1).await;
    assert_eq!(block(&first), hash(0).await);
    assert!(first.epoch.opened_by(&master.secret(0)));
    let (again, same) = measured(&epochs, 1).await;
    assert!(again.epoch == first.epoch && Arc::ptr_eq(&vectors, &same), "nothing is prepared twice");
    assert_ne!(again.session_random, first.session_random);
    let (other_size, _) = measured(&epochs, 2).await;
    assert_eq!(other_size.epoch, first.epoch);

    epochs.rotate();
    let (rotated, anew) = measured(&epochs, 1).await;
    assert!(rotated.epoch == first.epoch && !Arc::ptr_eq(&vectors, &anew), "other vectors, the same epoch");

    world.anvil.mine(EPOCH_BLOCKS).await.unwrap();
    let (next, next_vectors) = measured(&epochs, 1).await;
    assert_eq!(block(&next), hash(1).await);
    assert!(next.epoch.opened_by(&master.secret(1)) && !Arc::ptr_eq(&anew, &next_vectors));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_members_of_a_round_are_checked_with_vectors_that_were_drawn_once() {
    let world = World::start(3).await;
    let keeper = Account([4; 20]);
    let epochs = Epochs::new(world.endpoints(), 31_337, keeper, Master::of_key(&[5; 32], 31_337, &keeper.0));
    let member = || measured(&epochs, 1);
    let (one, two, three, four) = tokio::join!(member(), member(), member(), member());
    let same = [&two, &three, &four].into_iter().all(|(_, vectors)| Arc::ptr_eq(vectors, &one.1));
    assert!(same, "drawn more than once");
}
