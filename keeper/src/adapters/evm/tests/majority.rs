//! Several endpoints, some of them broken, behind or lying: nothing is reported that no majority has.

use super::world::World;
use crate::adapters::evm::{FollowError, Follower, Standing};
use surety_core::input::ChainUpdate;
use surety_core::view::View;
use surety_subtensor_rpc::{Faults, Lie, Transport};

type Change = fn(&mut Faults);

/// What one endpoint of three may do, and what it is called for it.
fn ways_to_fail() -> Vec<(&'static str, Change, Option<Standing>)> {
    vec![
        ("too many requests", |f| f.transport = Some(Transport::TooMany), Some(Standing::Silent)),
        ("dropped connections", |f| f.transport = Some(Transport::Drop), Some(Standing::Silent)),
        ("timeouts", |f| f.transport = Some(Transport::Timeout), Some(Standing::Silent)),
        (
            "answers without end",
            |f| f.transport = Some(Transport::Oversized { bytes: 64 << 20 }),
            Some(Standing::Silent),
        ),
        ("another chain", |f| f.chain_id = Some(945), Some(Standing::WrongChain { found: 945 })),
        ("a stale head", |f| f.stale_by = 7, Some(Standing::Behind)),
        ("one block behind", |f| f.stale_by = 1, Some(Standing::Well)),
        (
            "other hashes",
            |f| f.lie = Some(Lie { from: 1, hashes: true, views: false, ahead: 0 }),
            Some(Standing::Differs),
        ),
        (
            "a head from the future",
            |f| f.lie = Some(Lie { from: 0, hashes: false, views: false, ahead: 50 }),
            Some(Standing::Ahead),
        ),
        (
            "other views of the same block",
            |f| f.lie = Some(Lie { from: 0, hashes: false, views: true, ahead: 0 }),
            None,
        ),
        ("pruned state", |f| f.state_pruned_below = u64::MAX, None),
        ("pruned bodies", |f| f.bodies_pruned_below = 12, None),
        ("logs left out", |f| f.log_gaps = vec![0..=u64::MAX], None),
        ("no batches", |f| f.batch_max = Some(1), None),
        ("nonsense for rentals", |f| f.garbled_calls = [rental_at()].into(), None),
    ]
}

fn rental_at() -> [u8; 4] {
    use alloy::sol_types::SolCall;
    surety_client::bindings::RentalEscrow::rentalAtCall::SELECTOR
}

/// What anybody reads who asks anvil itself.
async fn check(world: &World, update: &ChainUpdate, what: &str) {
    let block = update.block;
    assert_eq!(serde_json::json!(block.hash.to_string()), world.hash(block.number).await, "{what}");
    let reader = &world.chain.reader;
    for rental in &update.rentals {
        assert_eq!(*rental, reader.rental_at(rental.id, block.number).await.unwrap(), "{what}");
    }
    for node in &update.nodes {
        assert_eq!(*node, reader.node_at(node.registration, block.number).await.unwrap(), "{what}");
    }
    if let Some(keepers) = &update.keepers {
        assert_eq!(*keepers, reader.keepers(block.number).await.unwrap(), "{what}");
    }
}

async fn polled(follower: &mut Follower, what: &str) -> ChainUpdate {
    let polled = follower.poll().await;
    polled.unwrap_or_else(|error| panic!("{what}: {error}")).unwrap_or_else(|| panic!("{what}: nothing new"))
}

#[tokio::test]
async fn one_endpoint_of_three_may_do_anything_and_the_view_is_that_of_the_others() {
    let world = World::start(3).await;
    world.rent(60).await;
    for (n, (what, fault, standing)) in ways_to_fail().into_iter().enumerate() {
        let broken = n % 3;
        for index in 0..3 {
            world.control(index).heal();
        }
        fault(&mut world.control(broken).faults());
        let endpoints = world.endpoints();
        let mut follower = Follower::new(endpoints.clone(), world.chain.deployment.clone(), View::Best);
        let first = polled(&mut follower, what).await;
        assert_eq!((first.rentals.len(), first.nodes.len()), (1, 1), "{what}");
        check(&world, &first, what).await;
        world.change(u8::try_from(100 + n).unwrap()).await;
        let next = polled(&mut follower, what).await;
        check(&world, &next, what).await;
        assert_eq!(next.block.number, world.anvil.height().await.unwrap(), "{what}");
        assert!(next.keepers.is_some(), "{what}: the change was not seen");
        if let Some(standing) = standing {
            assert_eq!(endpoints.standings()[broken], standing, "{what}");
        }
    }
}

#[tokio::test]
async fn without_a_majority_nothing_is_reported_and_with_one_again_nothing_is_lost() {
    let world = World::start(3).await;
    for (what, fault, _) in ways_to_fail() {
        if ["one block behind", "logs left out", "no batches", "a head from the future", "pruned bodies"]
            .contains(&what)
        {
            continue; // a majority of these is right all the same, or tells the truth late
        }
        for index in 0..3 {
            world.control(index).heal();
        }
        let mut follower = world.follower(View::Best);
        polled(&mut follower, what).await;
        let (rental, _) = world.rent(5).await;
        fault(&mut world.control(0).faults());
        world.control(1).faults().transport = Some(Transport::TooMany);
        if what == "a stale head" {
            world.control(0).faults().stale_by = 30;
        }
        match follower.poll().await {
            Err(_) | Ok(None) => {}
            Ok(Some(update)) => check(&world, &update, what).await,
        }
        world.control(0).heal();
        world.control(1).heal();
        let healed = match follower.poll().await.unwrap() {
            Some(update) => update,
            None => panic!("{what}: what happened meanwhile was lost, or believed"),
        };
        assert!(healed.rentals.iter().any(|seen| seen.id == rental), "{what}: the rental was lost");
        world.pass(40).await;
        world.miner.close(&world.chain, rental).await.unwrap();
    }
}

#[tokio::test]
async fn two_of_two_must_agree_and_one_alone_is_believed() {
    let world = World::start(2).await;
    world.control(1).faults().lie = Some(Lie { from: 0, hashes: true, views: false, ahead: 0 });
    let refused = world.follower(View::Best).poll().await.unwrap_err();
    assert!(matches!(refused, FollowError::NoMajority { need: 2, .. }), "{refused}");
    let alone = World::start(1).await;
    assert!(alone.follower(View::Best).poll().await.unwrap().is_some());
}

#[tokio::test]
async fn a_fork_before_finality_is_read_anew_and_never_reaches_the_finalized_view() {
    let world = World::start(3).await;
    let (mut best, mut finalized) = (world.follower(View::Best), world.follower(View::Finalized));
    world.finalize().await;
    polled(&mut best, "before").await;
    let before = polled(&mut finalized, "before").await.block.number;
    let (rental, _) = world.rent(60).await;
    assert_eq!(polled(&mut best, "rented").await.rentals[0].id, rental);
    world.anvil.reorg(1).await.unwrap();
    world.anvil.mine(1).await.unwrap();
    let after = polled(&mut best, "after the fork").await;
    check(&world, &after, "after the fork").await;
    assert_eq!((after.rentals.len(), after.nodes.len()), (0, 1), "everything is read anew, and the rental is no more");
    while let Some(update) = finalized.poll().await.unwrap() {
        check(&world, &update, "finalized").await;
        assert!(update.rentals.is_empty() && update.block.number > before);
    }
}

#[tokio::test]
async fn a_fork_between_endpoints_is_followed_where_the_majority_is_and_below_it_when_there_is_none() {
    let world = World::start(3).await;
    let tip = world.anvil.height().await.unwrap();
    for (index, from) in [(0, tip), (1, tip)] {
        world.control(index).faults().lie = Some(Lie { from, hashes: true, views: false, ahead: 0 });
    }
    // Both lie alike: that is a majority, and the tip is theirs.
    let theirs = polled(&mut world.follower(View::Best), "two against one").await;
    assert_eq!(theirs.block.number, tip);
    // Three tips of three: the block below is agreed on.
    world.control(0).heal();
    world.control(2).faults().transport = Some(Transport::Drop);
    let below = polled(&mut world.follower(View::Best), "one against one").await;
    assert_eq!(below.block.number, tip - 1);
    check(&world, &below, "below the fork").await;
}

#[tokio::test]
async fn finality_that_stalls_for_hours_and_a_chain_that_halts_lose_nothing() {
    let world = World::start(3).await;
    world.finalize().await;
    let (mut best, mut finalized) = (world.follower(View::Best), world.follower(View::Finalized));
    polled(&mut best, "before").await;
    let stalled = polled(&mut finalized, "before").await.block.number;
    for index in 0..3 {
        world.control(index).faults().finality_stalled_at = Some(stalled);
    }
    let (rental, _) = world.rent(60).await;
    // Two hours and more of blocks, polled now and then, beyond what one request for logs covers.
    for _ in 0..12 {
        world.anvil.mine(100).await.unwrap();
        assert_eq!(finalized.poll().await.unwrap(), None, "nothing became final");
        check(&world, &polled(&mut best, "stalled").await, "stalled").await;
    }
    // The chain halts: nothing is new, nothing is an error.
    for _ in 0..3 {
        assert_eq!(best.poll().await.unwrap(), None);
    }
    for index in 0..3 {
        world.control(index).heal();
    }
    let final_at_last = polled(&mut finalized, "after").await;
    assert!(final_at_last.rentals.iter().any(|seen| seen.id == rental), "the rental was lost");
    check(&world, &final_at_last, "after").await;
}

#[tokio::test]
async fn a_majority_that_lags_for_a_moment_is_no_fork() {
    let world = World::start(1).await;
    let mut follower = world.follower(View::Best);
    polled(&mut follower, "first").await;
    world.change(50).await;
    polled(&mut follower, "second").await;
    world.control(0).faults().stale_by = 1;
    assert_eq!(follower.poll().await.unwrap(), None);
    world.control(0).heal();
    world.change(51).await;
    let update = polled(&mut follower, "third").await;
    assert_eq!((update.rentals.len(), update.nodes.len()), (0, 0), "everything was read anew for a head that lagged");
}

#[tokio::test]
async fn a_final_block_that_is_replaced_stops_the_finalized_view() {
    let world = World::start(1).await;
    let mut finalized = world.follower(View::Finalized);
    world.finalize().await;
    polled(&mut finalized, "before").await;
    world.anvil.reorg(5).await.unwrap();
    world.finalize().await;
    let refused = finalized.poll().await.unwrap_err();
    assert!(matches!(refused, FollowError::FinalReplaced(_)), "{refused}");
}

#[tokio::test]
async fn calls_that_leave_no_logs_are_seen_by_the_next_full_read() {
    let world = World::start(1).await;
    world.control(0).faults().without_transaction.insert(world.owner.address());
    let mut follower = world.follower(View::Best);
    let before = polled(&mut follower, "before").await.keepers.unwrap().len();
    world.change(60).await;
    assert_eq!(polled(&mut follower, "without logs").await.keepers, None, "nothing told of it");
    world.anvil.mine(crate::adapters::evm::RECONCILE_BLOCKS).await.unwrap();
    assert_eq!(polled(&mut follower, "reconciled").await.keepers.unwrap().len(), before + 1);
}

#[tokio::test]
async fn a_machine_that_fails_is_read_again_although_no_log_says_that_it_was_moved() {
    let world = World::start(1).await;
    let (rental, _) = world.rent(600).await;
    world.control(0).faults().without_transaction.insert(world.miner.actor.address());
    let mut follower = world.follower(View::Best);
    polled(&mut follower, "before").await;
    world.move_machine("198.51.100.4:2222").await;
    assert_eq!(polled(&mut follower, "without logs").await.nodes, [], "nothing told of it");
    follower.suspect(vec![(world.miner.machine(), rental), (world.miner.machine(), rental + 1)]);
    world.anvil.mine(1).await.unwrap();
    let update = polled(&mut follower, "it fails").await;
    let moved = update.nodes[0].endpoint.map(|endpoint| endpoint.to_string());
    assert_eq!(moved.as_deref(), Some("198.51.100.4:2222"));
    assert_eq!(update.rentals.iter().map(|rental| rental.id).collect::<Vec<_>>(), [rental]);
}

#[tokio::test]
async fn more_logs_than_a_node_answers_make_everything_be_read_instead() {
    let world = World::start(1).await;
    let mut follower = world.follower(View::Best);
    polled(&mut follower, "before").await;
    // 10,001 logs of the vault's address.
    let vault = world.chain.vault.address();
    let code = world.anvil.ask("eth_getCode", serde_json::json!([vault, "latest"])).await.unwrap();
    let loud = "0x6127115b60006000a060019003806003576000";
    world.anvil.ask("anvil_setCode", serde_json::json!([vault, loud])).await.unwrap();
    let call = surety_client::bindings::CollateralVault::registrationCountCall {};
    let sent = world.owner.send(surety_demo::actor::Tx::call(*vault, &call).with_gas(12_000_000)).await.unwrap();
    assert!(sent.succeeded());
    world.anvil.ask("anvil_setCode", serde_json::json!([vault, code])).await.unwrap();
    world.anvil.mine(1).await.unwrap();
    let update = polled(&mut follower, "after").await;
    assert_eq!(update.nodes.len(), 1, "everything is read");
}

#[tokio::test]
async fn a_view_left_out_is_read_again_poll_by_poll_and_taken_when_it_makes_sense() {
    let world = World::start(1).await;
    let (rental, _) = world.rent(60).await;
    world.control(0).faults().garbled_calls.insert(rental_at());
    let mut follower = world.follower(View::Best);
    assert_eq!(polled(&mut follower, "garbled").await.rentals, []);
    let asked = || world.control(0).asked()["eth_call"];
    // The chain stands still meanwhile: it is asked again after 1, 2, 4, … polls.
    let mut attempts = Vec::new();
    for poll in 1..=20 {
        let before = asked();
        follower.poll().await.unwrap();
        if asked() > before {
            attempts.push(poll);
        }
    }
    assert_eq!(attempts, [1, 3, 7, 15]);
    world.control(0).heal();
    let mut healed = None;
    for _ in 0..12 {
        healed = healed.or(follower.poll().await.unwrap());
    }
    assert_eq!(healed.unwrap().rentals[0].id, rental);
    let before = asked();
    follower.poll().await.unwrap();
    assert_eq!(asked(), before, "and then no more");
}

#[tokio::test]
async fn an_endpoint_whose_finality_alone_is_stuck_stays_named_while_its_head_is_well() {
    let world = World::start(3).await;
    world.control(2).faults().finality_stalled_at = Some(1);
    let endpoints = world.endpoints();
    let follower = |view| Follower::new(endpoints.clone(), world.chain.deployment.clone(), view);
    let (mut best, mut finalized) = (follower(View::Best), follower(View::Finalized));
    polled(&mut best, "best").await;
    assert_eq!(endpoints.standings()[2], Standing::Well);
    polled(&mut finalized, "finalized").await;
    best.poll().await.unwrap();
    assert_eq!(endpoints.standings(), [Standing::Well, Standing::Well, Standing::Behind]);
    world.control(2).heal();
    finalized.poll().await.unwrap();
    assert_eq!(endpoints.standings()[2], Standing::Well);
}

#[tokio::test]
async fn an_answer_is_read_only_as_far_as_memory_allows() {
    let world = World::start(1).await;
    let node = surety_client::provider::Node::new(&world.stand_ins[0].url()).unwrap();
    world.control(0).faults().transport = Some(Transport::Oversized { bytes: 17 << 20 });
    let refused = node.chain_id().await.unwrap_err().to_string();
    assert!(refused.contains("more than 16777216 bytes"), "{refused}");
}

#[tokio::test]
async fn a_node_that_takes_no_batches_is_asked_one_by_one() {
    let world = World::start(1).await;
    world.rent(60).await;
    world.control(0).faults().batch_max = Some(1);
    let update = polled(&mut world.follower(View::Best), "one by one").await;
    check(&world, &update, "one by one").await;
    assert_eq!((update.keepers.unwrap().len(), update.rentals.len()), (2, 1));
}

#[tokio::test]
async fn a_keeper_starts_when_a_majority_is_on_its_chain_and_not_otherwise() {
    let world = World::start(3).await;
    let urls: Vec<String> = world.stand_ins.iter().map(surety_subtensor_rpc::StandIn::url).collect();
    let start = async || crate::config::Preflight::of(&urls, &world.chain.deployment).await.map(drop);
    world.control(0).faults().chain_id = Some(945);
    start().await.unwrap();
    world.control(1).faults().transport = Some(Transport::TooMany);
    let refused = start().await.unwrap_err().to_string();
    assert!(refused.contains("chain 945"), "what an endpoint said tells more than its silence: {refused}");
    world.control(1).heal();
    world.control(1).faults().chain_id = Some(945);
    assert!(start().await.is_err(), "two of three are on another chain");
}

/// 10,000 rentals are made by writing their count: each reads as an empty one, through the real contract, by two views.
#[tokio::test]
#[ignore = "a measurement: cargo test -p surety --lib -- --ignored --nocapture cold_start"]
async fn cold_start_on_ten_thousand_rentals() {
    const RENTALS: u64 = 10_000;
    let world = World::start(3).await;
    let escrow = world.chain.escrow.address();
    let mut found = false;
    for slot in 0..64u64 {
        let at = serde_json::json!([escrow, format!("{slot:#x}"), "latest"]);
        let before = world.anvil.ask("eth_getStorageAt", at).await.unwrap();
        for shift in 0..=3 {
            let word = alloy::primitives::U256::from(RENTALS) << (64 * shift);
            let place = |word: serde_json::Value| serde_json::json!([escrow, format!("{slot:#066x}"), word]);
            let word = format!("{word:#066x}");
            world.anvil.ask("anvil_setStorageAt", place(word.into())).await.unwrap();
            found = world.chain.escrow.rentalCount().call().await.is_ok_and(|count| count == RENTALS);
            if found {
                break;
            }
            world.anvil.ask("anvil_setStorageAt", place(before.clone())).await.unwrap();
        }
        if found {
            break;
        }
    }
    assert!(found, "the count of rentals is in no slot tried");
    world.anvil.mine(1).await.unwrap();
    for endpoints in [1, 3] {
        let nodes = world.stand_ins.iter().take(endpoints);
        let nodes = nodes.map(|s| surety_client::provider::Node::new(&s.url()).unwrap()).collect();
        let endpoints_of = crate::adapters::evm::Endpoints::new(nodes, &world.chain.deployment);
        let mut follower = Follower::new(endpoints_of, world.chain.deployment.clone(), View::Best);
        let began = std::time::Instant::now();
        let update = polled(&mut follower, "cold start").await;
        assert_eq!(update.rentals.len(), usize::try_from(RENTALS).unwrap());
        println!("{endpoints} endpoint(s): {RENTALS} rentals read in {} ms", began.elapsed().as_millis());
    }
}
