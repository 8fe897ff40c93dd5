//! The real lane on a real chain behind stand-ins that lose, double and refuse, killed between any two steps: every
//! intent has exactly one effect.
#![allow(clippy::unwrap_used)]

mod seat;

use super::*;
use crate::adapters::evm::Follower;
use crate::adapters::evm::tests::world::World;
use serde_json::json;
use std::path::PathBuf;
use surety_core::effect::{Effect, Intent};
use surety_core::evidence::Contracts;
use surety_core::input::Tick;
use surety_core::view::View;
use surety_subtensor_rpc::{Faults, Mild, Submission};

/// Longest a rental runs; a claim is worth something every so often.
const RENTAL_SECS: u32 = 2_400;
/// Contracts pay up to this long ago (`demo_params`), and a bit.
const ACCRUE_SECS: u64 = 20;
/// Rounds that an intent may take: refused bytes are noticed after five silent polls.
const ROUNDS_MAX: usize = 60;

struct Bench {
    world: World,
    rental: u64,
    path: PathBuf,
    _dir: tempfile::TempDir,
    seq: u64,
    finalized: Finalized,
    follower: Follower,
}

impl Bench {
    async fn start(stand_ins: usize) -> Self {
        let world = World::start(stand_ins).await;
        let (rental, _) = world.rent(RENTAL_SECS).await;
        world.anvil.automine(false).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keeper.db");
        let follower = world.follower(View::Finalized);
        Self { world, rental, path, _dir: dir, seq: 0, finalized: Finalized::default(), follower }
    }

    /// A lane over what is stored, as after a start, with what it reports.
    fn lane(&self, actions_max: usize) -> (Lane, mpsc::Receiver<Input>) {
        let deployment = &self.world.chain.deployment;
        let contracts = Contracts {
            escrow: deployment.escrow.address,
            arbiter: deployment.arbiter.address,
            vault: deployment.vault.address,
        };
        let (inputs, reports) = mpsc::channel(16);
        let key = self.world.keeper.clone();
        let sender = Sender::new(self.world.endpoints(), key, deployment.chain_id, contracts);
        let store = Arc::new(Store::open(&self.path).unwrap());
        let mut lane = Lane::new(store, sender, self.finalized.clone(), deployment.times, inputs);
        lane.actions_max = actions_max;
        (lane, reports)
    }

    /// A claim that is worth something, in the store.
    async fn wish(&mut self) -> EffectId {
        self.world.pass(ACCRUE_SECS).await;
        let past_secs = self.world.chain.rental(self.rental).await.unwrap().paid_until_secs;
        let intent = Intent::Claim { rental: self.rental, past_secs };
        self.seq += 1;
        let id = Hash32([u8::try_from(self.seq % 251).unwrap(); 32]);
        let tick = Input::Tick(Tick { now_ms: 0, now_unix_ms: 0, rpc_healthy: true });
        let store = Store::open(&self.path).unwrap();
        store.commit_one(self.seq, &tick, &[Effect::Submit { id, intent }]).unwrap();
        id
    }

    /// A block, what became final, and a round of the lane.
    async fn round(&mut self, lane: &mut Lane) {
        self.world.anvil.mine(1).await.unwrap();
        if let Ok(Some(update)) = self.follower.poll().await {
            let mut view = self.finalized.write().unwrap();
            let mut next = Snapshot::clone(&view);
            next.block = update.block;
            next.rentals.extend(update.rentals);
            *view = Arc::new(next);
        }
        // A round that could not go on is what faults are for; the next one does.
        let _ = lane.round().await;
    }

    /// Rounds until the intent's end is reported; the report is logged.
    async fn finish(&mut self, lane: &mut Lane, reports: &mut mpsc::Receiver<Input>, what: &str) -> TxOutcome {
        for _ in 0..ROUNDS_MAX {
            self.round(lane).await;
            if let Ok(input) = reports.try_recv() {
                self.seq += 1;
                lane.store.commit_one(self.seq, &input, &[]).unwrap();
                let Input::Tx(result) = input else { panic!("{what}: {input:?}") };
                return result.outcome;
            }
        }
        panic!("{what}: no end; {:?}", lane.store.lane().unwrap());
    }

    /// Claims that happened, and transactions of the keeper's that are mined.
    async fn effects(&self) -> (usize, u64) {
        let escrow = self.world.chain.escrow.address();
        let event = <surety_client::bindings::RentalEscrow::Claimed as alloy::sol_types::SolEvent>::SIGNATURE_HASH;
        let filter = json!([{ "fromBlock": "0x0", "address": escrow, "topics": [event] }]);
        let logs = self.world.anvil.ask("eth_getLogs", filter).await.unwrap();
        let account = alloy::primitives::Address::from(self.world.keeper.account().0);
        let count = self.world.anvil.ask("eth_getTransactionCount", json!([account, "latest"])).await.unwrap();
        let count = u64::from_str_radix(count.as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
        (logs.as_array().unwrap().len(), count)
    }

    /// Exactly one more of each.
    async fn one_more(&self, before: (usize, u64), what: &str) {
        assert_eq!(self.effects().await, (before.0 + 1, before.1 + 1), "{what}");
    }
}

#[tokio::test]
async fn killed_after_any_step_and_before_it_is_stored_a_lane_has_exactly_one_effect() {
    let mut bench = Bench::start(1).await;
    let mut states = std::collections::BTreeSet::new();
    for step in 0..11 {
        for stored in [true, false] {
            let what = format!("killed at step {step}, {}", if stored { "stored" } else { "not stored" });
            let before = bench.effects().await;
            bench.wish().await;
            let (mut lane, mut reports) = bench.lane(1);
            for _ in 0..step {
                bench.round(&mut lane).await;
            }
            let row = lane.store.lane().unwrap().remove(0);
            bench.round(&mut lane).await;
            if !stored {
                lane.store.put_row(&row).unwrap();
            }
            let now = lane.store.lane().unwrap().remove(0);
            states.insert(format!("{:?}", now.state).split(['(', ' ']).next().unwrap().to_owned());
            reports.close();
            drop(lane);
            let (mut lane, mut reports) = bench.lane(ACTIONS_MAX);
            let outcome = bench.finish(&mut lane, &mut reports, &what).await;
            assert_eq!(outcome, TxOutcome::Settled, "{what}");
            bench.one_more(before, &what).await;
        }
    }
    let all = ["Done", "Mined", "Prepared", "Queued", "Reserved", "Sent"];
    assert_eq!(states.into_iter().collect::<Vec<_>>(), all, "some state was never killed in");
}

#[tokio::test]
async fn submissions_lost_doubled_and_forgotten_have_exactly_one_effect() {
    use Submission::{Doubled, Forgotten, ForgottenButKnown, LostAfter, LostBefore, Well};
    let table: [&[Submission]; 9] = [
        &[Well],
        &[LostBefore],
        &[LostAfter],
        &[Doubled],
        &[Forgotten],
        &[ForgottenButKnown],
        &[LostAfter, LostBefore, LostAfter],
        &[LostBefore, Forgotten, LostBefore, ForgottenButKnown],
        &[ForgottenButKnown, ForgottenButKnown],
    ];
    for endpoints in [1, 3] {
        let mut bench = Bench::start(endpoints).await;
        for plan in table {
            let what = format!("{plan:?} at each of {endpoints}");
            let before = bench.effects().await;
            for index in 0..endpoints {
                bench.world.control(index).faults().submissions = plan.iter().copied().collect();
            }
            bench.wish().await;
            let (mut lane, mut reports) = bench.lane(ACTIONS_MAX);
            let outcome = bench.finish(&mut lane, &mut reports, &what).await;
            assert_eq!(outcome, TxOutcome::Settled, "{what}");
            bench.one_more(before, &what).await;
        }
    }
}

#[tokio::test]
async fn receipts_that_are_null_and_endpoints_that_lie_or_lag_change_nothing() {
    let mut bench = Bench::start(3).await;
    let lie = surety_subtensor_rpc::Lie { from: 0, hashes: true, views: true, ahead: 9 };
    let faults = [
        ("null receipts", Faults { receipts_null: true, ..Faults::default() }),
        ("a liar", Faults { lie: Some(lie), ..Faults::default() }),
        ("a stale head", Faults { stale_by: 6, ..Faults::default() }),
        ("another chain", Faults { chain_id: Some(945), ..Faults::default() }),
        ("now and then", Faults { mild: Some(Mild::new(3)), ..Faults::default() }),
    ];
    for (what, fault) in faults {
        for index in 0..3 {
            bench.world.control(index).heal();
        }
        *bench.world.control(1).faults() = fault;
        let before = bench.effects().await;
        bench.wish().await;
        let (mut lane, mut reports) = bench.lane(ACTIONS_MAX);
        let outcome = bench.finish(&mut lane, &mut reports, what).await;
        assert_eq!(outcome, TxOutcome::Settled, "{what}");
        bench.one_more(before, what).await;
    }
}

#[tokio::test]
async fn a_receipt_that_is_null_everywhere_is_waited_for_and_contract_state_decides() {
    let mut bench = Bench::start(1).await;
    bench.world.control(0).faults().receipts_null = true;
    let before = bench.effects().await;
    bench.wish().await;
    let (mut lane, mut reports) = bench.lane(ACTIONS_MAX);
    assert_eq!(bench.finish(&mut lane, &mut reports, "null").await, TxOutcome::Settled);
    bench.one_more(before, "null").await;
}

/// A keeper that was down while its transaction failed, on a node that has pruned the state since: the receipt is null
/// for ever, and counts of nonces there are errors. The lane once stood still for good.
#[tokio::test]
async fn a_pruned_node_does_not_block_the_lane_behind_a_transaction_that_failed() {
    for bodies in [false, true] {
        let mut bench = Bench::start(1).await;
        bench.wish().await;
        let (mut lane, mut reports) = bench.lane(1);
        // Signed and stored, not sent.
        while !matches!(lane.store.lane().unwrap()[0].state, RowState::Prepared(_)) {
            bench.round(&mut lane).await;
        }
        drop(lane);
        reports.close();
        // The bytes go out, and revert: the rental is claimed in the same block, before them.
        let store = Store::open(&bench.path).unwrap();
        let row = store.lane().unwrap().remove(0);
        drop(store);
        let escrow = *bench.world.chain.escrow.address();
        let code = bench.world.anvil.ask("eth_getCode", json!([escrow, "latest"])).await.unwrap();
        bench.world.anvil.ask("anvil_setCode", json!([escrow, "0x60006000fd"])).await.unwrap();
        let raw = transaction(&row).unwrap().raw.clone();
        bench.world.anvil.ask("eth_sendRawTransaction", json!([raw])).await.unwrap();
        bench.world.anvil.mine(1).await.unwrap();
        bench.world.anvil.ask("anvil_setCode", json!([escrow, code])).await.unwrap();
        bench.world.anvil.mine(60).await.unwrap();
        let pruned = bench.world.anvil.height().await.unwrap() - 20;
        bench.world.control(0).faults().state_pruned_below = pruned;
        bench.world.control(0).faults().bodies_pruned_below = if bodies { pruned } else { 0 };
        let (mut lane, mut reports) = bench.lane(ACTIONS_MAX);
        let outcome = bench.finish(&mut lane, &mut reports, "pruned").await;
        match outcome {
            // Where it is known that the bytes were used, it failed; core decides anew.
            TxOutcome::Failed { why } => assert!(!bodies && why.contains("reverted"), "{why}"),
            // Where nothing is known but that the nonce is used, it is made anew.
            TxOutcome::Settled => assert!(bodies && bench.effects().await == (1, 2)),
        }
    }
}

#[tokio::test]
async fn other_bytes_at_a_nonce_that_waits_are_refused_and_nothing_is_concluded_from_it() {
    let bench = Bench::start(1).await;
    bench.world.pass(ACCRUE_SECS).await;
    let (lane, _reports) = bench.lane(1);
    let intent = Intent::Claim { rental: bench.rental, past_secs: 0 };
    let first = lane.sender.sign(&intent, 0, 0).await.unwrap();
    assert_eq!(lane.sender.broadcast(&first.raw).await, Answer::Accepted);
    let dearer = lane.sender.sign(&intent, 0, first.max_fee_wei + 1).await.unwrap();
    assert_ne!(first.hash, dearer.hash);
    assert_eq!(lane.sender.broadcast(&dearer.raw).await, Answer::Lost, "replacement transaction underpriced");
    assert_eq!(lane.sender.broadcast(&first.raw).await, Answer::AlreadyKnown);
}

#[tokio::test]
async fn a_nonce_given_back_unsigned_is_the_next_intents_and_no_gap_stops_the_lane() {
    let mut bench = Bench::start(1).await;
    let (_, nonce) = bench.effects().await;
    // Reserved, and the process died: by the time it is back the contract refuses the call.
    let (id, refused) = (Hash32([9; 32]), Intent::Execute { case_id: 77 });
    let tick = Input::Tick(Tick { now_ms: 0, now_unix_ms: 0, rpc_healthy: true });
    bench.seq += 1;
    let store = Store::open(&bench.path).unwrap();
    store.commit_one(bench.seq, &tick, &[Effect::Submit { id, intent: refused.clone() }]).unwrap();
    store.put_row(&Row { id, intent: refused, state: RowState::Reserved { nonce } }).unwrap();
    drop(store);
    bench.wish().await;
    let before = bench.effects().await;
    let (mut lane, mut reports) = bench.lane(ACTIONS_MAX);
    let ended = bench.finish(&mut lane, &mut reports, "refused").await;
    assert!(matches!(ended, TxOutcome::Failed { .. }), "{ended:?}");
    assert_eq!(bench.finish(&mut lane, &mut reports, "behind it").await, TxOutcome::Settled);
    bench.one_more(before, "one claim, at the nonce that was given back").await;
}

/// Bytes that a node took and lost may come back, so their nonce has to be used: also when the rental is closed by now,
/// and the contract refuses a claim.
#[tokio::test]
async fn lost_bytes_whose_call_reverts_by_now_are_signed_again_until_their_nonce_is_used() {
    let mut bench = Bench::start(1).await;
    let before = bench.effects().await;
    bench.wish().await;
    let (mut lane, mut reports) = bench.lane(ACTIONS_MAX);
    bench.world.control(0).faults().submissions = [Submission::ForgottenButKnown].into();
    while !matches!(lane.store.lane().unwrap()[0].state, RowState::Sent(_)) {
        bench.round(&mut lane).await;
    }
    bench.world.anvil.automine(true).await.unwrap();
    let (escrow, rental) = (*bench.world.chain.escrow.address(), bench.rental);
    let end = surety_client::bindings::RentalEscrow::endCall { rental };
    bench.world.renter.actor.send(surety_demo::actor::Tx::call(escrow, &end)).await.unwrap();
    bench.world.pass(u64::from(RENTAL_SECS)).await;
    let close = surety_client::bindings::RentalEscrow::closeCall { rental };
    bench.world.renter.actor.send(surety_demo::actor::Tx::call(escrow, &close)).await.unwrap();
    bench.world.anvil.automine(false).await.unwrap();
    assert_eq!(bench.finish(&mut lane, &mut reports, "lost").await, TxOutcome::Settled);
    assert_eq!(bench.effects().await.1, before.1 + 1, "the nonce is used");
}
