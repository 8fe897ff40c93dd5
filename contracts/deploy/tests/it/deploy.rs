use crate::world::World;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use surety_client::deployment::Deployment;
use surety_client::subtensor::BALANCE_TRANSFER;
use surety_core::types::{Account, Hash32};
use surety_deploy::artifacts::Kind;
use surety_deploy::deploy::{DeployError, Event, Interrupted, Outcome, stand};
use surety_deploy::journal::Journal;
use surety_deploy::network::Network;
use surety_deploy::record::{DeploymentFile, FileError};

/// Stops at the first event for which `at` says so.
fn until(at: impl Fn(&Event<'_>) -> bool) -> impl FnMut(&Event<'_>) -> Result<(), Interrupted> {
    move |event| if at(event) { Err(Interrupted) } else { Ok(()) }
}

#[tokio::test]
async fn a_deployment_is_written_down_and_a_second_run_sends_nothing() {
    let world = World::new().await;
    let file = world.deployed().await;
    let kinds: Vec<Kind> = file.record.contracts.iter().map(|made| made.arguments.kind()).collect();
    assert_eq!(
        kinds,
        [
            Kind::TimelockController,
            Kind::AppointedKeepers,
            Kind::CollateralVault,
            Kind::RentalEscrow,
            Kind::Arbiter,
            Kind::RentalBids
        ]
    );
    let path = DeploymentFile::path(world.dir.path(), Network::Local);
    assert_eq!(DeploymentFile::read(&path).unwrap().unwrap(), file);
    assert!(Journal::read(&Journal::path(world.dir.path(), Network::Local)).unwrap().is_none());
    // What keepers and agents read of it.
    let read = Deployment::read(&path).unwrap();
    assert_eq!(read, file.deployment);
    assert_eq!(read.times, world.params.windows.times());
    assert_eq!(world.nonce().await, 6);
    let again = world.deploy(until(|_| true)).await.unwrap();
    assert_eq!(again, Outcome::AlreadyThere(Box::new(file)));
    assert_eq!(world.nonce().await, 6);
}

#[tokio::test]
async fn what_a_deployment_file_does_not_have_is_refused_wherever_it_stands() {
    let world = World::new().await;
    world.deployed().await;
    let path = DeploymentFile::path(world.dir.path(), Network::Local);
    let good = std::fs::read_to_string(&path).unwrap();
    let (first, record) = ("\"chain_id\": 31337", "\"network\": \"local\"");
    for (place, more) in [
        (first, "\"chian_id\": 1"),
        (first, "\"chain_id\": 31337"),
        (record, "\"deploier\": 1"),
        ("\"fee_bps\": 0", "\"fee\": 1"),
        ("\"breaker_bps\": 1000", "\"breaker\": 1"),
    ] {
        assert!(good.contains(place), "{place}");
        std::fs::write(&path, good.replacen(place, &format!("{place}, {more}"), 1)).unwrap();
        let refused = DeploymentFile::read(&path);
        assert!(matches!(refused, Err(FileError::Parse { .. })), "{more}: {refused:?}");
    }
    let (_, alone) = good.split_once("\"record\"").unwrap();
    std::fs::write(&path, format!("{{\"record\"{alone}")).unwrap();
    assert!(matches!(DeploymentFile::read(&path), Err(FileError::Parse { .. })));
}

#[tokio::test]
async fn no_creation_takes_more_gas_than_its_bound() {
    let world = World::new().await;
    let (_, plan) = stand(&world.node, world.key.account(), &world.params, &world.options).await.unwrap();
    let file = world.deployed().await;
    for (step, made) in plan.steps.iter().zip(&file.record.contracts) {
        let used: u64 = world.node.receipt(made.transaction).await.unwrap().unwrap().gas_used.to();
        assert!(used <= step.gas_bound(), "{}: {used} > {}", step.kind, step.gas_bound());
        assert!(step.gas_bound() < 2 * used, "{}: {used} against {}", step.kind, step.gas_bound());
    }
}

/// What an event is, so that a run can be stopped at each for the first time it happens.
fn name(event: &Event<'_>) -> String {
    match event {
        Event::Resumed(_) => "resumed".into(),
        Event::Journaled(step, _) => format!("{} journaled", step.kind),
        Event::Sent(step, _) => format!("{} sent", step.kind),
        Event::Mined(step, _) => format!("{} mined", step.kind),
        Event::Finalizing(_) => "finalizing".into(),
    }
}

#[tokio::test]
async fn interrupted_after_every_single_step_it_goes_on_and_never_signs_a_nonce_twice() {
    let world = World::new().await;
    let mut seen = BTreeSet::from(["resumed".to_owned()]);
    let mut signed: Vec<Hash32> = Vec::new();
    let mut runs = 0;
    let file = loop {
        runs += 1;
        let outcome = world.deploy(|event| {
            if let Event::Journaled(_, hash) = event {
                signed.push(*hash);
            }
            if seen.insert(name(event)) { Err(Interrupted) } else { Ok(()) }
        });
        match outcome.await {
            Ok(Outcome::Deployed(file)) => break file,
            Err(DeployError::Interrupted(_)) => {}
            other => panic!("{other:?}"),
        }
        assert!(runs < 40, "no progress: {seen:?}");
    };
    assert_eq!(runs, 3 * 6 + 1);
    let made: Vec<Hash32> = file.record.contracts.iter().map(|made| made.transaction).collect();
    assert_eq!(made, signed, "each contract has the one transaction that was signed for it");
    assert_eq!(world.nonce().await, 6);
    assert!(world.audit(&file).await.holds);
}

#[tokio::test]
async fn a_run_killed_with_its_transaction_in_the_pool_finds_it_again() {
    let world = World::new().await;
    world.rpc("evm_setAutomine", json!([false])).await;
    let stopped = world.deploy(until(|event| matches!(event, Event::Sent(..)))).await;
    assert!(matches!(stopped, Err(DeployError::Interrupted(_))));
    assert_eq!(world.nonce().await, 0);
    let waiting = world.deploy(|_| Ok(())).await;
    assert!(matches!(waiting, Err(DeployError::NotYet { .. })), "{waiting:?}");
    world.rpc("evm_mine", json!([])).await;
    world.rpc("evm_setAutomine", json!([true])).await;
    assert_eq!(world.deployed().await.record.contracts.len(), 6);
    assert_eq!(world.nonce().await, 6);
}

/// Dropped at any moment, as a killed process is: in the middle of a request, between a block and its note. Blocks
/// come once a second, are final two later, and the deployment waits for that.
#[tokio::test]
async fn killed_at_any_moment_it_goes_on_and_the_chain_is_always_ready_for_it() {
    let mut world = World::new().await;
    world.rpc("evm_setAutomine", json!([false])).await;
    world.rpc("evm_setIntervalMining", json!([1])).await;
    world.options.until_final = true;
    world.options.mined_within = Duration::from_secs(60);
    let (mut killed, mut pause) = (0, Duration::from_millis(1));
    let file = loop {
        let (journal, plan) = stand(&world.node, world.key.account(), &world.params, &world.options).await.unwrap();
        let signed = journal.map_or(0, |journal| journal.sent.len());
        let asked = surety_deploy::preflight::preflight(&world.node, Network::Local, &plan, signed).await;
        assert!(asked.iter().all(|check| check.passed), "{asked:#?}");
        match tokio::time::timeout(pause, world.deploy(|_| Ok(()))).await {
            Ok(done) => match done.unwrap() {
                Outcome::Deployed(file) | Outcome::AlreadyThere(file) => break file,
            },
            Err(_) => killed += 1,
        }
        // 1 ms to 700 ms, never in step with the blocks.
        pause = Duration::from_millis((u64::try_from(pause.as_millis()).unwrap() * 7 + 13) % 700 + 1);
        assert!(killed < 200);
    };
    assert!(killed > 5, "{killed}");
    assert_eq!(world.nonce().await, 6);
    assert!(world.audit(&file).await.holds);
}

#[tokio::test]
async fn a_file_that_is_no_journal_is_refused() {
    let world = World::new().await;
    let path = Journal::path(world.dir.path(), Network::Local);
    for text in ["", "{}", "[[[[", "null"] {
        std::fs::write(&path, text).unwrap();
        let error = world.deploy(|_| Ok(())).await.unwrap_err();
        assert!(error.to_string().contains("is not the journal of a deployment"), "{text}: {error}");
    }
    std::fs::write(&path, vec![b' '; 5 << 20]).unwrap();
    let error = world.deploy(|_| Ok(())).await.unwrap_err();
    assert!(error.to_string().contains("longer than"), "{error}");
    assert_eq!(world.nonce().await, 0);
}

#[tokio::test]
async fn a_foreign_transaction_in_between_ends_the_deployment_and_says_why() {
    let world = World::new().await;
    let stopped = world.deploy(until(|event| name(event) == "CollateralVault mined")).await;
    assert!(matches!(stopped, Err(DeployError::Interrupted(_))));
    world.foreign().await;
    let error = world.deploy(|_| Ok(())).await.unwrap_err();
    assert!(matches!(error, DeployError::ForeignNonce { nonce: 3, kind: Kind::RentalEscrow, .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("31337.partial.json") && text.contains("begin anew"), "{text}");
    assert_eq!(world.nonce().await, 4, "nothing more was sent");
    let journal = Journal::read(&Journal::path(world.dir.path(), Network::Local)).unwrap().unwrap();
    assert_eq!(journal.sent.len(), 3, "nor signed");
    // Begun anew, it succeeds at other addresses.
    std::fs::remove_file(Journal::path(world.dir.path(), Network::Local)).unwrap();
    let file = world.deployed().await;
    assert_eq!(file.record.contracts[0].nonce, 4);
    assert!(world.audit(&file).await.holds);
}

#[tokio::test]
async fn a_creation_that_fails_in_its_block_ends_the_deployment_and_says_why() {
    let world = World::new().await;
    world.deploy(until(|event| name(event) == "AppointedKeepers mined")).await.unwrap_err();
    world.rpc("evm_setAutomine", json!([false])).await;
    world.deploy(until(|event| name(event) == "CollateralVault sent")).await.unwrap_err();
    // It was good when it was estimated; by its block the chain has lost a precompile.
    let transfers = Account(BALANCE_TRANSFER.into_array());
    let code = world.code(transfers).await;
    world.set_code(transfers, &[]).await;
    world.rpc("evm_mine", json!([])).await;
    world.set_code(transfers, &code).await;
    let error = world.deploy(|_| Ok(())).await.unwrap_err();
    assert!(matches!(error, DeployError::Reverted { kind: Kind::CollateralVault, .. }), "{error:?}");
    assert!(error.to_string().contains("begin anew"), "{error}");
}

#[tokio::test]
async fn a_foreign_transaction_at_a_nonce_that_was_signed_but_not_sent_is_found_too() {
    let world = World::new().await;
    world.deploy(until(|event| name(event) == "Arbiter journaled")).await.unwrap_err();
    world.foreign().await;
    let error = world.deploy(|_| Ok(())).await.unwrap_err();
    assert!(matches!(error, DeployError::ForeignNonce { nonce: 4, kind: Kind::Arbiter, .. }), "{error:?}");
}

#[tokio::test]
async fn a_foreign_transaction_in_the_pool_is_seen_before_it_takes_a_nonce() {
    let world = World::new().await;
    world.rpc("evm_setAutomine", json!([false])).await;
    world.foreign_in_pool().await;
    let error = world.deploy(|_| Ok(())).await.unwrap_err();
    assert!(matches!(error, DeployError::ForeignPending { count: 1, .. }), "{error:?}");
    assert!(Journal::read(&Journal::path(world.dir.path(), Network::Local)).unwrap().is_none());
}

#[tokio::test]
async fn another_chain_is_refused_before_anything_is_sent() {
    let world = World::bare(&["--chain-id", "1"]).await;
    world.place_standins().await;
    let error = world.deploy(|_| Ok(())).await.unwrap_err();
    assert!(matches!(error, DeployError::WrongChain { found: 1, .. }), "{error:?}");
    assert_eq!(world.nonce().await, 0);
}

#[tokio::test]
async fn a_journal_of_other_parameters_or_of_a_chain_that_was_reset_is_refused() {
    let mut world = World::new().await;
    world.foreign().await;
    world.deploy(until(|event| name(event) == "CollateralVault mined")).await.unwrap_err();
    world.params.shares.fee_bps = 1;
    let error = world.deploy(|_| Ok(())).await.unwrap_err();
    assert!(matches!(error, DeployError::OtherJournal { why: "other parameters", .. }), "{error:?}");
    let mut reset = World::new().await;
    reset.options.dir = world.dir.path().to_path_buf();
    let error = reset.deploy(|_| Ok(())).await.unwrap_err();
    assert!(matches!(error, DeployError::ChainBehind { found: 0, wanted: 1, .. }), "{error:?}");
}

#[tokio::test]
async fn what_was_deployed_is_not_deployed_over() {
    let mut world = World::new().await;
    world.deployed().await;
    world.params.shares.fee_bps = 1;
    let error = world.deploy(|_| Ok(())).await.unwrap_err();
    assert!(matches!(error, DeployError::OtherDeployment { .. }), "{error:?}");
    let mut reset = World::new().await;
    reset.options.dir = world.dir.path().to_path_buf();
    let error = reset.deploy(|_| Ok(())).await.unwrap_err();
    assert!(error.to_string().contains("was it reset"), "{error}");
}

#[tokio::test]
async fn two_runs_at_once_in_one_folder_are_refused() {
    let world = World::new().await;
    let folder = std::fs::File::open(world.dir.path()).unwrap();
    folder.lock().unwrap();
    let error = world.deploy(|_| Ok(())).await.unwrap_err();
    assert!(matches!(error, DeployError::Locked(_)), "{error:?}");
    assert_eq!(world.nonce().await, 0);
}

#[tokio::test]
async fn a_constructor_that_refuses_is_quoted_and_nothing_is_sent_for_it() {
    let mut world = World::new().await;
    world.params.windows.freshness_secs = 3_000;
    let error = world.deploy(|_| Ok(())).await.unwrap_err();
    assert!(matches!(error, DeployError::WouldRevert { kind: Kind::Arbiter, .. }), "{error:?}");
    assert!(error.to_string().contains("settleLagSecs is under"), "{error}");
    assert_eq!(world.nonce().await, 4);
}

#[tokio::test]
async fn without_the_payout_precompile_no_contract_that_holds_money_is_made() {
    let world = World::bare(&[]).await;
    let error = world.deploy(|_| Ok(())).await.unwrap_err();
    assert!(error.to_string().contains("RaoLedger_NotSubtensor"), "{error}");
}
