//! Signed calls on their way: what final blocks say of them, and what is said when they say nothing.

use super::nodes::{World, world};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use surety_substrate::alpha::events::Event;
use surety_substrate::alpha::message::{Deed, Deposit};
use surety_substrate::contracts::{self, Gas, Limits, Message};
use surety_substrate::node::Head;
use surety_substrate::runtime::{MORTAL_BLOCKS, Place, Signed};
use surety_substrate::sending::{Outcome, Receipt, SendError, send};
use surety_substrate::ss58::AccountId;
use surety_substrate::wallet::coldkey::Coldkey;
use surety_subtensor_native::{FEE_RAO, GENESIS, Vault};

const VAULT: AccountId = AccountId([0x77; 32]);
const HOTKEY: AccountId = AccountId([0x22; 32]);
const ALPHA: u64 = 1_000_000_000;
const LIMITS: Limits = Limits { gas: Gas { ref_time: 4_000_000_000, proof_size: 160_000 }, deposit_rao: 10_000 };

fn alice() -> Coldkey {
    Coldkey::dev("//Alice", true).unwrap()
}

/// A vault, and a coldkey with 10 alpha and a TAO.
async fn start(endpoints: usize) -> World {
    let world = world(endpoints).await;
    let mut vault = Vault::new(VAULT, 51, AccountId([0x66; 32]));
    vault.stakes.insert((alice().account(), HOTKEY), 10 * ALPHA);
    world.chain.set_vault(vault);
    world.chain.set_balance(alice().account(), 1_000_000_000);
    world.chain.run(3);
    world
}

fn signed(world: &World, amount: u64, nonce: u64, limits: Limits) -> (Signed, Head) {
    let input = Deposit { machine: [0x33; 32], from_hotkey: HOTKEY, amount }.input();
    let message = Message { origin: alice().account(), contract: VAULT, value_rao: 0, input };
    let (call, args) = contracts::call(&message, limits);
    let born = world.chain.best();
    let place = Place { nonce, block: born.number, block_hash: born.hash };
    (world.chain.runtime().signed(call, args, &alice(), place).unwrap(), born)
}

/// Sends it, while a block is made every so often.
async fn sent(world: &World, (signed, born): (Signed, Head)) -> Result<Receipt, SendError> {
    let chain = world.chain.clone();
    let blocks = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        loop {
            ticks.tick().await;
            chain.run(1);
        }
    });
    let done = send(&world.nodes, world.chain.runtime(), GENESIS, born, &signed).await;
    blocks.abort();
    done
}

#[tokio::test]
async fn a_call_that_is_done_is_told_with_its_block_and_what_the_contract_said() {
    let world = start(3).await;
    let call = signed(&world, 2 * ALPHA, 0, LIMITS);
    let (hash, born) = (call.0.hash, call.1.number);
    let receipt = sent(&world, call).await.unwrap();
    assert_eq!(receipt.hash, hash);
    assert!(receipt.block.number > born && receipt.block.number < born + MORTAL_BLOCKS);
    let Outcome::Done(emitted) = receipt.outcome else { panic!("{:?}", receipt.outcome) };
    assert_eq!((emitted.len(), emitted[0].contract, emitted[0].topics.len()), (1, VAULT, 3));
    let Some(Event::Deposited(event)) = Event::read(emitted[0].topics[0], &emitted[0].data) else {
        panic!("a deposit")
    };
    assert_eq!((event.alpha, event.owner), (2 * ALPHA, alice().account()));
}

#[tokio::test]
async fn a_call_that_the_chain_refuses_in_its_block_is_told_by_the_chains_name_and_costs_the_fee() {
    let refused = [
        (20 * ALPHA, Limits { gas: Gas { ref_time: 1, ..LIMITS.gas }, ..LIMITS }, "Contracts.OutOfGas"),
        (0, LIMITS, "Contracts.ContractReverted"),
        (ALPHA, Limits { deposit_rao: 1, ..LIMITS }, "Contracts.StorageDepositLimitExhausted"),
    ];
    let world = start(1).await;
    for (nonce, (amount, limits, name)) in (0..).zip(refused) {
        let receipt = sent(&world, signed(&world, amount, nonce, limits)).await.unwrap();
        assert_eq!(receipt.outcome, Outcome::Failed(name.into()));
    }
    assert_eq!(world.chain.balance(alice().account()), 1_000_000_000 - 3 * FEE_RAO);
    assert_eq!(world.chain.vault().bonds, []);
}

#[tokio::test]
async fn a_call_that_is_lost_is_told_as_over_once_no_block_can_have_it() {
    let world = start(1).await;
    world.servers[0].knobs.swallows.store(true, Relaxed);
    let call = signed(&world, ALPHA, 0, LIMITS);
    let last_block = call.1.number + MORTAL_BLOCKS - 1;
    let hash = call.0.hash;
    world.chain.run(MORTAL_BLOCKS);
    assert_eq!(sent(&world, call).await, Err(SendError::Lapsed { hash, last_block }));
}

#[tokio::test]
async fn a_call_that_no_node_takes_is_told_with_what_they_said() {
    let world = start(2).await;
    let poor = || world.chain.set_balance(alice().account(), FEE_RAO - 1);
    poor();
    world.chain.run(1);
    let met = sent(&world, signed(&world, ALPHA, 0, LIMITS)).await.unwrap_err();
    assert!(matches!(&met, SendError::NotTaken { why } if why.contains("Inability to pay some fees")), "{met}");
}

/// The only node there is took it and never said so: it must not be told that nothing was sent.
#[tokio::test]
async fn a_call_whose_only_answer_was_lost_is_looked_for_all_the_same() {
    let world = start(1).await;
    world.servers[0].knobs.mute.store(true, Relaxed);
    let receipt = sent(&world, signed(&world, ALPHA, 0, LIMITS)).await.unwrap();
    assert!(matches!(receipt.outcome, Outcome::Done(_)));
}

#[tokio::test]
async fn a_call_whose_answer_was_lost_is_found_in_its_block_by_the_word_of_the_others() {
    let world = start(3).await;
    world.servers[0].knobs.mute.store(true, Relaxed);
    world.servers[1].knobs.lies.store(true, Relaxed);
    let receipt = sent(&world, signed(&world, ALPHA, 0, LIMITS)).await.unwrap();
    assert!(matches!(receipt.outcome, Outcome::Done(_)));
}
