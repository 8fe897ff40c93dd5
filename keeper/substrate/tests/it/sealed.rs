//! Timelocked weights: sealed by us, opened by the chain with a round's real signature, or thrown away without a word.

use super::votes::{NET, Polls, WEIGHTS, polls};
use surety_core::ballot::{Stage, Way};
use surety_substrate::needed;
use surety_substrate::voter::{Did, VoteError};

/// The signature of quicknet's round 1000.
const ROUND_1000: &str =
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39";

/// Block 111 of epoch 1, which ends at block 200; the round that opens its weights, 1000, is due three blocks after
/// that: 4 rounds a block.
async fn sealing() -> Polls {
    let polls = polls(1).await;
    let chain = &polls.world.chain;
    chain.set(&needed::HIDDEN, &[NET], true);
    chain.set(&needed::REVEAL_PERIOD, &[NET], 1u64);
    chain.set(&needed::COMMIT_VERSION, &[], 4u16);
    let head = chain.best().number + 1;
    chain.set(&needed::LAST_ROUND, &[], 1_000 - (200 - head + 3) * 4);
    chain.run(1);
    polls
}

/// The same at block 206, in the epoch in which it is opened; the ballot of that epoch is on chain, too.
async fn in_turn() -> Polls {
    let polls = sealing().await;
    polls.live(95).await;
    assert_eq!((polls.newest().epoch, polls.weights()), (2, vec![]), "nobody can read them before the round");
    assert!(matches!(polls.newest().stage, Stage::Sealed { reveal_epoch: 3, .. }), "{:?}", polls.newest().stage);
    polls
}

/// What one look finds to have become of epoch 1.
async fn found(polls: &Polls) -> Option<Stage> {
    let did = polls.look().await.unwrap();
    did.into_iter().find_map(|did| match did {
        Did::Found { epoch: 1, stage } => Some(stage),
        _ => None,
    })
}

async fn lost(polls: &Polls) -> String {
    match found(polls).await {
        Some(Stage::Lost { why, .. }) => why,
        other => panic!("not lost: {other:?}"),
    }
}

#[tokio::test]
async fn timelocked_weights_are_opened_by_the_chain_with_the_rounds_real_signature_and_are_done_then() {
    let polls = sealing().await;
    let did = polls.look().await.unwrap();
    assert_eq!(did.last(), Some(&Did::Sent { taken: 1, refusals: vec![] }), "{did:?}");
    assert!(matches!(polls.newest().way, Way::Timelocked { round: 1_000, version: 4, .. }), "{:?}", polls.newest().way);
    polls.live(95).await;
    assert_eq!(found(&polls).await, None, "not before its round");
    let chain = &polls.world.chain;
    chain.add_round(1_000, hex::decode(ROUND_1000).unwrap());
    chain.run(1);
    assert_eq!((polls.weights(), chain.failures()), (WEIGHTS.to_vec(), vec![]));
    assert_eq!(found(&polls).await, Some(Stage::Done { block: chain.best().number }));
    assert_eq!(found(&polls).await, None, "told once");
}

#[tokio::test]
async fn a_commit_that_the_chain_threw_away_is_told_once_with_its_reason_and_nothing_is_sent_again() {
    let polls = in_turn().await;
    let chain = &polls.world.chain;
    chain.set(&needed::VERSION_KEY, &[NET], 4u64);
    chain.add_round(1_000, hex::decode(ROUND_1000).unwrap());
    chain.run(1);
    assert_eq!(chain.failures(), ["IncorrectWeightVersionKey"]);
    assert!(lost(&polls).await.contains("version 4 now, these are of 3"));
    polls.live(80).await;
    assert_eq!((found(&polls).await, polls.chosen.get()), (None, 2), "and this epoch's was on its way already");
    polls.live(30).await;
    assert_eq!((polls.newest().epoch, polls.chosen.get()), (3, 3), "the next epoch goes on");
}

#[tokio::test]
async fn what_the_chain_cannot_open_is_lost_and_that_it_said_nothing_is_told() {
    let polls = in_turn().await;
    let chain = &polls.world.chain;
    chain.add_round(1_000, vec![1; 48]);
    chain.run(1);
    assert_eq!(chain.failures(), ["a ciphertext that its round does not open"]);
    assert!(lost(&polls).await.contains("the chain said nothing"));
}

#[tokio::test]
async fn a_round_that_did_not_come_in_its_epoch_is_named() {
    let polls = in_turn().await;
    polls.world.chain.run(95);
    let why = lost(&polls).await;
    assert!(why.contains("round 1000 of the beacon did not come in time"), "{why}");
}

#[tokio::test]
async fn a_permit_that_went_away_before_the_reveal_is_named_as_the_reason() {
    let polls = in_turn().await;
    let chain = &polls.world.chain;
    chain.set(&needed::PERMITS, &[NET], vec![true, false]);
    chain.add_round(1_000, vec![1; 48]);
    chain.run(1);
    assert!(lost(&polls).await.contains("uid 1 has lost its validator permit"));
}

#[tokio::test]
async fn a_subnet_that_opens_commits_earlier_than_on_the_day_of_the_commit_is_looked_at_by_its_new_rule() {
    let polls = sealing().await;
    let chain = &polls.world.chain;
    chain.set(&needed::REVEAL_PERIOD, &[NET], 3u64);
    // The round that the model will have, whatever the period.
    chain.run(1);
    polls.live(5).await;
    assert!(matches!(polls.newest().stage, Stage::Sealed { reveal_epoch: 4, .. }), "{:?}", polls.newest().stage);
    let Way::Timelocked { round, .. } = polls.newest().way else { panic!("{:?}", polls.newest()) };
    chain.set(&needed::REVEAL_PERIOD, &[NET], 1u64);
    chain.add_round(round, vec![1; 48]);
    chain.run(95);
    assert!(lost(&polls).await.contains("the chain said nothing"));
}

#[tokio::test]
async fn whether_it_counted_is_unknown_where_nobody_looked_until_the_next_one_was_opened() {
    let polls = in_turn().await;
    // Epoch 1's was thrown away, epoch 2's too: all that can be seen is that both are gone.
    polls.world.chain.add_round(1_000, vec![1; 48]);
    polls.world.chain.run(220);
    match found(&polls).await {
        Some(Stage::Failed { why }) => assert!(why.contains("is unknown"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_version_of_timelocked_commits_that_we_cannot_make_is_refused_by_name() {
    let polls = polls(1).await;
    polls.world.chain.set(&needed::HIDDEN, &[NET], true);
    polls.world.chain.set(&needed::COMMIT_VERSION, &[], 5u16);
    polls.world.chain.run(1);
    assert_eq!(polls.look().await, Err(VoteError::CommitVersion { found: 5 }));
    assert_eq!((polls.chosen.get(), polls.world.chain.pool_size()), (1, 0));
}
