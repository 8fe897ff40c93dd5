use crate::world::World;
use alloy::primitives::U256;
use surety_core::types::Account;
use surety_deploy::arguments::account;
use surety_deploy::artifacts::Kind;
use surety_deploy::deploy::{Event, Interrupted, stand};
use surety_deploy::network::Network;
use surety_deploy::params::{Keepers, Owner};
use surety_deploy::preflight::{Check, VOTING_POWER, preflight};

async fn checks(world: &World) -> Vec<Check> {
    let stands = stand(&world.node, world.key.account(), &world.params, &world.options).await.unwrap();
    let signed = stands.0.map_or(0, |journal| journal.sent.len());
    preflight(&world.node, Network::Local, &stands.1, signed).await
}

fn failed(checks: &[Check]) -> Vec<&'static str> {
    checks.iter().filter(|check| !check.passed).map(|check| check.asks).collect()
}

#[tokio::test]
async fn a_dry_run_asks_everything_and_sends_and_writes_nothing() {
    let world = World::new().await;
    let asked = checks(&world).await;
    assert_eq!(failed(&asked), Vec::<&str>::new(), "{asked:#?}");
    assert_eq!(asked.len(), 12);
    assert_eq!(world.nonce().await, 0);
    assert_eq!(std::fs::read_dir(world.dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_balance_that_does_not_reach_is_said_with_what_is_missing() {
    let world = World::new().await;
    world.set_balance(world.key.account(), U256::from(1_000_000_000_000_000_u64)).await;
    let asked = checks(&world).await;
    assert!(failed(&asked).contains(&"balance"), "{asked:#?}");
    let says = &asked.iter().find(|check| check.asks == "balance").unwrap().says;
    assert!(says.contains("has 0.001000000 TAO") && says.contains("send it"), "{says}");
    assert!(world.deploy(|_| Ok(())).await.is_err());
    assert_eq!(world.nonce().await, 0);
}

#[tokio::test]
async fn every_precompile_that_is_missing_is_named() {
    let world = World::bare(&[]).await;
    let asked = checks(&world).await;
    // An empty address answers everything with nothing: 0x800 alone looks as if it worked, so its code is asked for.
    for asks in ["precompiles have code", "0x402 ed25519", "0x802 metagraph", "0x807 storage", "0x80c account ids"] {
        assert!(failed(&asked).contains(&asks), "{asks}: {asked:#?}");
    }
    let says = &asked.iter().find(|check| check.asks == "precompiles have code").unwrap().says;
    assert!(says.contains("0x402, 0x800, 0x802, 0x807, 0x80c"), "{says}");
}

#[tokio::test]
async fn another_chain_is_named() {
    let world = World::bare(&["--chain-id", "964"]).await;
    world.place_standins().await;
    let plan = surety_deploy::plan::Plan::new(&world.params, world.key.account(), 0).unwrap();
    let asked = preflight(&world.node, Network::Local, &plan, 0).await;
    assert_eq!(failed(&asked), ["chain id"]);
}

#[tokio::test]
async fn an_owner_that_is_there_must_be_our_timelock_and_slow_enough() {
    let mut world = World::new().await;
    let first = world.deployed().await;
    world.params.owner = Owner::Existing { address: first.record.owner };
    assert_eq!(failed(&fresh(&world).await), Vec::<&str>::new());
    world.params.windows.exit_delay_secs += 1;
    assert_eq!(failed(&fresh(&world).await), ["owner"]);
    world.params.windows.exit_delay_secs -= 1;
    let look_alike = Account([0x77; 20]);
    let mut code = world.code(first.record.owner).await;
    code[100] ^= 1;
    world.set_code(look_alike, &code).await;
    world.params.owner = Owner::Existing { address: look_alike };
    assert_eq!(failed(&fresh(&world).await), ["owner"]);
}

/// For a deployment beside the first.
async fn fresh(world: &World) -> Vec<Check> {
    let plan = surety_deploy::plan::Plan::new(&world.params, world.key.account(), world.nonce().await).unwrap();
    preflight(&world.node, Network::Local, &plan, 0).await
}

#[test]
fn addresses_follow_from_the_deployers_nonces() {
    let deployer: Account = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266".parse().unwrap();
    // Known from countless local chains: the first two contracts of anvil's first account.
    let want = ["0x5fbdb2315678afecb367f032d93f642f64180aa3", "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512"];
    for (nonce, want) in (0..).zip(want) {
        let address = account(surety_deploy::arguments::evm(&deployer).create(nonce));
        assert_eq!(address.to_string(), want);
    }
}

#[tokio::test]
async fn what_is_there_already_is_not_asked_for_again_whatever_the_journal_knows_of_it() {
    let world = World::new().await;
    // Killed between the block of a creation and its note: the chain is ahead of the journal.
    let mut arbiter_sent = false;
    let stopped = world.deploy(|event| {
        arbiter_sent |= matches!(event, Event::Sent(step, _) if step.kind == Kind::Arbiter);
        if arbiter_sent { Err(Interrupted) } else { Ok(()) }
    });
    stopped.await.unwrap_err();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while world.nonce().await < 5 {
        assert!(std::time::Instant::now() < deadline, "what was sent is not mined");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let asked = checks(&world).await;
    assert_eq!(failed(&asked), Vec::<&str>::new(), "{asked:#?}");
    let balance = asked.iter().find(|check| check.asks == "balance").unwrap();
    assert!(balance.says.contains("500 rao of seeds"), "{balance}");
}

#[tokio::test]
async fn a_transaction_in_the_pool_is_foreign_unless_the_journal_has_it() {
    let world = World::new().await;
    world.rpc("evm_setAutomine", serde_json::json!([false])).await;
    let stopped = world.deploy(|event| match event {
        Event::Sent(..) => Err(Interrupted),
        _ => Ok(()),
    });
    stopped.await.unwrap_err();
    assert_eq!(failed(&checks(&world).await), Vec::<&str>::new());
    world.foreign_in_pool().await;
    assert_eq!(failed(&checks(&world).await), ["nothing in the pool"]);
}

#[tokio::test]
async fn keepers_by_voting_power_need_a_subnet_that_keeps_count_of_it() {
    // PUSH1 answer, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN: the same answer to every question.
    let always = |answer: u8| [0x60, answer, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3];
    let mut world = World::new().await;
    world.params.keepers = Keepers::VotingPower { check_in_secs: 86_400 };
    assert_eq!(failed(&checks(&world).await), ["precompiles have code", "0x80d voting power"]);
    let power = Account(VOTING_POWER.into_array());
    world.set_code(power, &always(0)).await;
    assert_eq!(failed(&checks(&world).await), ["0x80d voting power"]);
    world.set_code(power, &always(1)).await;
    assert_eq!(failed(&checks(&world).await), Vec::<&str>::new());
    let file = world.deployed().await;
    assert_eq!(file.record.contracts[1].arguments.kind(), Kind::VotingPowerKeepers);
    let report = world.audit(&file).await;
    assert!(report.holds, "{report}");
    assert!(report.lines.iter().any(|line| line.says.contains("VotingPowerKeepers: as recorded are NETUID")));
}
