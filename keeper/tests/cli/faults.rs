//! Money through a node that loses answers: whatever is lost, a deposit is made once.

use crate::world::World;
use crate::{rao, registered};
use surety_subtensor_rpc::StandIn;
use surety_subtensor_rpc::control::Submission;

const DEPOSIT: u64 = 100_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_whose_answer_is_lost_is_made_exactly_once() {
    let world = World::start().await;
    registered(&world).await;
    let machine = world.machine().to_string();
    let node = StandIn::before(&world.anvil.url()).await.unwrap();
    let mut bonded = 0;
    for fault in [Submission::LostAfter, Submission::LostBefore, Submission::Forgotten, Submission::Doubled] {
        node.control().faults().submissions.push_back(fault);
        let before = world.nonce(&world.miner).await;
        let deposit = ["node", "deposit", "--machine", &machine, "--amount", "0.1", "--rpc", &node.url()];
        let done = world.does("miner", &deposit);
        bonded += DEPOSIT;
        assert_eq!(world.nonce(&world.miner).await, before + 1, "{fault:?}");
        assert_eq!(rao(&done["result"]["free_rao"]), bonded, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_still_waits_keeps_the_next_from_being_made() {
    let world = World::start().await;
    registered(&world).await;
    let before = world.nonce(&world.miner).await;
    // One that nobody mines: its nonce leaves no gap, so the pool counts it as waiting.
    world.stop_mining().await;
    world.send_nothing(&world.miner, before).await;
    let machine = world.machine().to_string();
    let deposit = ["node", "deposit", "--machine", &machine, "--amount", "0.1", "--yes"];
    world.surety("miner", &deposit).fails(1, &["waits in the pool", "nothing happens twice"]);
    assert_eq!(world.nonce(&world.miner).await, before + 1, "the one that waited");
}
