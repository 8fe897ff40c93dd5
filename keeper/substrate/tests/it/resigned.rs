//! What is signed and in no block is waited out, and only then signed anew, in both halves of a ballot; and weights by
//! a hash, from their choice to their reveal.

use super::metadata::changed;
use super::votes::{NET, Polls, WEIGHTS, hotkey, polls_of};
use std::sync::atomic::Ordering::Relaxed;
use surety_core::ballot::{Stage, Tx, Way};
use surety_substrate::needed::{self, HashCommit};
use surety_substrate::runtime::MORTAL_BLOCKS;
use surety_substrate::voter::Did;

/// Long enough for four lives of a signed call.
const TEMPO: u16 = 360;

/// Looks at each block until something else is signed than `before`, and says what.
async fn signed_anew(polls: &Polls, before: &Tx) -> Tx {
    for _ in 0..=MORTAL_BLOCKS {
        polls.look().await.unwrap();
        if let Some(tx) = polls.newest().tx().filter(|tx| *tx != before && tx.hash != before.hash) {
            return tx.clone();
        }
        polls.world.chain.run(1);
    }
    panic!("nothing was signed anew: {:?}", polls.newest())
}

fn tx(polls: &Polls) -> Tx {
    polls.newest().tx().unwrap().clone()
}

/// No block can have both.
fn never_alive_together(first: &Tx, second: &Tx) {
    assert_eq!(first.last_block - first.from_block, MORTAL_BLOCKS - 1);
    assert!(first.last_block < second.from_block, "{first:?} and {second:?}");
}

async fn is_dead(polls: &Polls, tx: &Tx) -> bool {
    polls.world.nodes.submit(&hex::decode(&tx.raw).unwrap()).await.taken == 0
}

#[tokio::test]
async fn a_call_that_was_lost_is_signed_anew_at_its_nonce_when_its_blocks_are_over_and_not_before() {
    let polls = polls_of(1, TEMPO).await;
    polls.world.servers[0].knobs.swallows.store(true, Relaxed);
    polls.look().await.unwrap();
    let first = tx(&polls);
    let second = signed_anew(&polls, &first).await;
    never_alive_together(&first, &second);
    assert_eq!((second.nonce, polls.newest().attempts), (first.nonce, 2));
    polls.world.servers[0].knobs.swallows.store(false, Relaxed);
    assert!(is_dead(&polls, &first).await, "whoever kept the first cannot use it any more");
    polls.live(10).await;
    assert_eq!((polls.weights(), polls.chosen.get()), (WEIGHTS.to_vec(), 1));
    assert!(polls.world.chain.failures().is_empty() && matches!(polls.newest().stage, Stage::Done { .. }));
}

#[tokio::test]
async fn a_call_that_a_block_took_and_did_not_carry_out_is_waited_out_and_signed_anew_at_the_next_nonce() {
    let polls = polls_of(1, TEMPO).await;
    let chain = &polls.world.chain;
    polls.look().await.unwrap();
    let first = tx(&polls);
    // For the one block that has it the permit is away.
    chain.set(&needed::PERMITS, &[NET], vec![true, false]);
    chain.run(1);
    chain.set(&needed::PERMITS, &[NET], vec![true, true]);
    chain.run(1);
    assert_eq!(chain.failures(), ["NeuronNoValidatorPermit"]);
    let second = signed_anew(&polls, &first).await;
    never_alive_together(&first, &second);
    assert_eq!(second.nonce, first.nonce + 1);
    polls.live(2).await;
    assert_eq!((polls.weights(), chain.failures().len()), (WEIGHTS.to_vec(), 1));
}

/// A runtime that knows no timelocks, on a subnet that hides weights.
async fn hashing() -> Polls {
    let mut polls = polls_of(1, TEMPO).await;
    polls.runtime = changed(|metadata| {
        let pallet = metadata.pallets.iter_mut().find(|pallet| pallet.name == "SubtensorModule").unwrap();
        let entries = &mut pallet.storage.as_mut().unwrap().entries;
        entries.retain(|entry| entry.name != needed::TIMELOCKED.name);
    });
    polls.world.chain.set(&needed::HIDDEN, &[NET], true);
    polls.world.chain.set(&needed::REVEAL_PERIOD, &[NET], 1u64);
    polls.world.chain.run(1);
    polls
}

fn commits(polls: &Polls) -> Vec<HashCommit> {
    polls.world.chain.get(&needed::HASH_COMMITS, &[NET, hotkey().account().into()])
}

#[tokio::test]
async fn weights_by_a_hash_are_chosen_committed_and_revealed_in_the_next_epoch_and_hidden_until_then() {
    let polls = hashing().await;
    let chain = &polls.world.chain;
    let did = polls.look().await.unwrap();
    assert_eq!(did, [Did::Chose, Did::Signed, Did::Sent { taken: 1, refusals: vec![] }]);
    let Way::Hashed { salt, hash, reveal_epoch: None } = polls.newest().way else { panic!("{:?}", polls.newest()) };
    assert_eq!(salt.len(), 8, "128 bits that nobody knows");
    chain.run(1);
    assert_eq!(polls.look().await.unwrap(), [Did::Committed { reveal_epoch: 2 }]);
    assert_eq!(commits(&polls).iter().map(|commit| commit.0).collect::<Vec<_>>(), [hash.0]);
    let before = 2 * u64::from(TEMPO) - chain.best().number - 1;
    polls.live(before).await;
    assert_eq!((polls.weights(), polls.newest().stage), (vec![], Stage::Committed), "not before its epoch");
    chain.run(1);
    assert_eq!(polls.look().await.unwrap(), [Did::Signed, Did::Sent { taken: 1, refusals: vec![] }]);
    let block = chain.run(1).number;
    let did = polls.look().await.unwrap();
    assert_eq!(did[..2], [Did::Recorded(Stage::Done { block }), Did::Chose], "and the next one begins");
    assert_eq!((polls.weights(), commits(&polls), chain.failures()), (WEIGHTS.to_vec(), vec![], vec![]));
}

#[tokio::test]
async fn a_reveal_that_was_lost_is_signed_anew_in_its_epoch_when_its_blocks_are_over() {
    let polls = hashing().await;
    let chain = &polls.world.chain;
    polls.live(2).await;
    let until = 2 * u64::from(TEMPO) - chain.best().number;
    polls.live(until - 1).await;
    polls.world.servers[0].knobs.swallows.store(true, Relaxed);
    chain.run(1);
    polls.look().await.unwrap();
    let first = tx(&polls);
    let second = signed_anew(&polls, &first).await;
    never_alive_together(&first, &second);
    polls.world.servers[0].knobs.swallows.store(false, Relaxed);
    assert!(is_dead(&polls, &first).await);
    polls.live(6).await;
    assert_eq!((polls.weights(), chain.failures()), (WEIGHTS.to_vec(), vec![]));
}
