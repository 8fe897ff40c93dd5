//! Weights from choice to chain, in all three ways, against the chain's own rules; and what goes wrong on the way.

use super::nodes::{World, world};
use std::cell::Cell;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use surety_core::ballot::{Ballot, Choice, Refusal, Stage};
use surety_substrate::needed;
use surety_substrate::node::Head;
use surety_substrate::runtime::{Part, Runtime};
use surety_substrate::subnet::Subnet;
use surety_substrate::voter::{BallotBox, BoxError, Did, VoteError, Voter};
use surety_substrate::wallet::Hotkey;

pub(crate) const NETUID: u16 = 2;
pub(crate) const NET: Part = Part::Number(2);
const TEMPO: u16 = 100;

/// A record in memory.
#[derive(Default)]
struct Memory(Mutex<Vec<Ballot>>);

impl BallotBox for Memory {
    fn newest(&self) -> Result<Option<Ballot>, BoxError> {
        Ok(self.0.lock().unwrap().last().cloned())
    }

    fn sealed(&self) -> Result<Vec<Ballot>, BoxError> {
        let is_sealed = |ballot: &&Ballot| matches!(ballot.stage, Stage::Sealed { .. });
        Ok(self.0.lock().unwrap().iter().filter(is_sealed).cloned().collect())
    }

    fn put(&self, ballot: &Ballot) -> Result<(), BoxError> {
        let mut all = self.0.lock().unwrap();
        match all.iter_mut().find(|one| one.epoch == ballot.epoch) {
            Some(one) => *one = ballot.clone(),
            None => all.push(ballot.clone()),
        }
        Ok(())
    }
}

pub(crate) struct Polls {
    pub(crate) world: World,
    /// The chain's, as the keeper reads it.
    pub(crate) runtime: Runtime,
    voter: Voter,
    record: Arc<Memory>,
    pub(crate) chosen: Cell<u32>,
}

pub(crate) fn hotkey() -> Hotkey {
    Hotkey::dev("//Alice", true).unwrap()
}

pub(crate) async fn polls(endpoints: usize) -> Polls {
    polls_of(endpoints, TEMPO).await
}

/// At the tenth block of the subnet's first epoch.
pub(crate) async fn polls_of(endpoints: usize, tempo: u16) -> Polls {
    let world = world(endpoints).await;
    let chain = &world.chain;
    chain.add_subnet(NETUID, tempo, &[Hotkey::dev("//Bob", true).unwrap().account(), hotkey().account()]);
    chain.set(&needed::RATE_LIMIT, &[NET], 20u64);
    chain.set(&needed::VERSION_KEY, &[NET], 3u64);
    chain.set(&needed::LAST_ROUND, &[], 5_000u64);
    chain.run(u64::from(tempo) + 10);
    let record = Arc::new(Memory::default());
    let (nodes, ballots) = (world.nodes.clone(), record.clone());
    let voter = Voter { nodes, hotkey: hotkey().into(), netuid: NETUID, ballots, block_time_ms: 12_000 };
    let runtime = chain.runtime().clone();
    Polls { world, runtime, voter, record, chosen: Cell::new(0) }
}

fn choice() -> Choice {
    Choice { uids: vec![0, 1], values: vec![60_000, 5_535], version_key: 3 }
}

impl Polls {
    pub(crate) async fn look(&self) -> Result<Vec<Did>, VoteError> {
        let head = self.world.nodes.finalized().await.unwrap();
        let subnet = Subnet::read(&self.world.nodes, &self.runtime, head, NETUID).await.unwrap();
        let choose = async || {
            self.chosen.set(self.chosen.get() + 1);
            Ok(choice())
        };
        let (did, done) = self.voter.look(&self.runtime, &subnet, choose).await;
        done.map(|()| did)
    }

    /// Looks at each of so many blocks, and forgets what it was told.
    pub(crate) async fn live(&self, blocks: u64) -> Head {
        for _ in 0..blocks {
            self.look().await.unwrap();
            self.world.chain.run(1);
        }
        self.look().await.unwrap();
        self.world.chain.best()
    }

    pub(crate) fn newest(&self) -> Ballot {
        self.record.newest().unwrap().unwrap()
    }

    pub(crate) fn weights(&self) -> Vec<(u16, u16)> {
        self.world.chain.weights_of(NETUID, 1)
    }
}

/// As the chain stores them: scaled until the largest is 65,535.
pub(crate) const WEIGHTS: [(u16, u16); 2] = [(0, 65_535), (1, 6_045)];

#[tokio::test]
async fn weights_are_set_in_the_open_once_an_epoch() {
    let polls = polls(1).await;
    let first = polls.look().await.unwrap();
    assert_eq!(first, [Did::Chose, Did::Signed, Did::Sent { taken: 1, refusals: vec![] }]);
    assert_eq!(polls.look().await.unwrap(), [], "nothing new before the next block");
    polls.world.chain.run(1);
    let done = polls.look().await.unwrap();
    assert_eq!(done, [Did::Recorded(Stage::Done { block: 111 })]);
    assert_eq!(polls.weights(), WEIGHTS);
    polls.live(80).await;
    assert_eq!((polls.chosen.get(), polls.world.chain.failures()), (1, vec![]), "not again in this epoch");
    polls.live(105).await;
    assert_eq!((polls.chosen.get(), polls.world.chain.failures()), (2, vec![]), "and again in the next");
}

#[tokio::test]
async fn a_ballot_goes_on_after_a_crash_and_is_never_signed_twice_while_it_lives() {
    let polls = polls(1).await;
    let server = &polls.world.servers[0];
    server.knobs.mute.store(true, Relaxed);
    let told = polls.look().await.unwrap();
    let Some(Did::Sent { taken: 0, refusals }) = told.last() else { panic!("{told:?}") };
    assert!(refusals[0].contains("author_submitExtrinsic"), "{refusals:?}");
    let before = polls.newest();
    server.knobs.mute.store(false, Relaxed);
    // A new process has nothing but the record; the bytes were taken, although nobody heard so.
    polls.world.chain.run(1);
    polls.look().await.unwrap();
    assert!(matches!(polls.newest().stage, Stage::Done { .. }) && polls.newest().attempts == before.attempts);
    assert_eq!((polls.weights(), polls.chosen.get()), (WEIGHTS.to_vec(), 1));
}

#[tokio::test]
async fn bytes_that_a_node_swallowed_are_sent_again_and_not_signed_anew_while_they_live() {
    let polls = polls(1).await;
    let chain = &polls.world.chain;
    polls.world.servers[0].knobs.swallows.store(true, Relaxed);
    polls.live(40).await;
    assert_eq!((polls.newest().attempts, polls.weights()), (1, vec![]));
    polls.world.servers[0].knobs.swallows.store(false, Relaxed);
    polls.live(10).await;
    assert_eq!((polls.newest().attempts, polls.weights(), chain.failures()), (1, WEIGHTS.to_vec(), vec![]));
}

#[tokio::test]
async fn a_pool_that_forgets_is_sent_the_same_bytes_again() {
    let polls = polls(1).await;
    polls.look().await.unwrap();
    polls.world.chain.forget_pool();
    polls.live(6).await;
    assert_eq!((polls.newest().attempts, polls.weights()), (1, WEIGHTS.to_vec()));
}

#[tokio::test]
async fn two_of_three_nodes_are_enough_and_the_third_is_told_of() {
    let polls = polls(3).await;
    polls.world.servers[2].knobs.broken.store(true, Relaxed);
    let told = polls.look().await.unwrap();
    let Some(Did::Sent { taken: 2, refusals }) = told.last() else { panic!("{told:?}") };
    assert_eq!(refusals.len(), 1, "{refusals:?}");
}

#[tokio::test]
async fn every_refusal_is_named_and_nothing_is_chosen_or_sent() {
    let refused = async |change: &dyn Fn(&Polls)| {
        let polls = polls(1).await;
        change(&polls);
        polls.world.chain.run(1);
        let did = polls.look().await.unwrap();
        assert_eq!((polls.chosen.get(), polls.world.chain.pool_size()), (0, 0));
        let [Did::Refused(refusal)] = &did[..] else { panic!("{did:?}") };
        refusal.clone()
    };
    let hotkey = hotkey().account();
    let unseated = |polls: &Polls| polls.world.chain.set(&needed::KEYS, &[NET, Part::Number(1)], [9u8; 32]);
    assert_eq!(refused(&unseated).await, Refusal::NotRegistered);
    let unpermitted = |polls: &Polls| polls.world.chain.set(&needed::PERMITS, &[NET], vec![true, false]);
    assert_eq!(refused(&unpermitted).await, Refusal::NoPermit { uid: 1 });
    let poor = |polls: &Polls| polls.world.chain.set(&needed::STAKE_THRESHOLD, &[], 1_000u64);
    assert_eq!(refused(&poor).await, Refusal::TooLittleStake { uid: 1, have_rao: 0, need_rao: 1_000 });
    let early = |polls: &Polls| polls.world.chain.set(&needed::LAST_UPDATE, &[NET], vec![0u64, 100]);
    assert_eq!(refused(&early).await, Refusal::TooEarly { updated_at: 100, from_block: 120 });
    let staked = async {
        let polls = polls(1).await;
        polls.world.chain.set(&needed::STAKE_THRESHOLD, &[], 1_000u64);
        polls.world.chain.set(&needed::HOTKEY_ALPHA, &[hotkey.into(), NET], 1_000u64);
        polls.live(2).await;
        polls.weights()
    };
    assert_eq!(staked.await, WEIGHTS, "and with enough stake they are set");
}

#[tokio::test]
async fn the_subnets_owner_needs_neither_stake_nor_a_permit() {
    let polls = polls(1).await;
    polls.world.chain.set(&needed::PERMITS, &[NET], vec![true, false]);
    polls.world.chain.set(&needed::STAKE_THRESHOLD, &[], 1_000u64);
    polls.world.chain.set(&needed::OWNER_HOTKEY, &[NET], hotkey().account().0);
    polls.live(2).await;
    assert_eq!((polls.weights(), polls.world.chain.failures()), (WEIGHTS.to_vec(), vec![]));
}

#[tokio::test]
async fn what_the_pool_refuses_is_told_in_words() {
    let polls = polls(1).await;
    polls.look().await.unwrap();
    polls.world.chain.forget_pool();
    // The threshold rises after the signature.
    polls.world.chain.set(&needed::STAKE_THRESHOLD, &[], 1_000u64);
    let bytes = hex::decode(&polls.newest().tx().unwrap().raw).unwrap();
    let sent = polls.world.nodes.submit(&bytes).await;
    assert_eq!(sent.taken, 0);
    assert!(sent.refusals[0].contains("too little stake"), "{sent:?}");
}
