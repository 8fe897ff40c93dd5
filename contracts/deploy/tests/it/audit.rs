use crate::world::{World, has_finding, one_finding, other};
use alloy::primitives::{Address, B256, U256, keccak256};
use surety_core::types::Account;
use surety_deploy::arguments::Arguments;
use surety_deploy::artifacts::Kind;
use surety_deploy::audit::{AuditError, AuditOptions, Verdict, audit};
use surety_deploy::network::Network;
use surety_deploy::params::Owner;
use surety_deploy::record::{DeploymentFile, Made};

fn made(file: &mut DeploymentFile, kind: Kind) -> &mut Made {
    file.record.contracts.iter_mut().find(|made| made.arguments.kind() == kind).unwrap()
}

#[tokio::test]
async fn a_fresh_deployment_holds_in_every_part_and_says_who_can_do_what() {
    let world = World::new().await;
    let file = world.deployed().await;
    let report = world.audit(&file).await;
    assert!(report.holds, "{report}");
    assert!(report.lines.iter().all(|line| matches!(line.verdict, Verdict::Holds | Verdict::Note)));
    let roles: Vec<&str> = report.powers.iter().map(|power| power.role).collect();
    for role in
        ["owner", "admin", "proposer", "executor", "guardian", "judge", "treasury", "keeper", "Arbiter", "anybody"]
    {
        assert!(roles.contains(&role), "{role}: {roles:?}");
    }
    assert_eq!(report.sums.len(), 4);
    assert!(report.sums.iter().all(|sum| sum.owed_rao == 0 && sum.surplus_wei.as_deref() == Some("0")));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["holds"], true);
}

#[tokio::test]
async fn one_byte_of_any_contracts_code_is_found_and_named() {
    let world = World::new().await;
    let file = world.deployed().await;
    for kept in &file.record.contracts {
        let (kind, good) = (kept.arguments.kind(), world.code(kept.address).await);
        let last = good.len() - 1;
        let mut code = good.clone();
        code[last] ^= 1;
        world.set_code(kept.address, &code).await;
        let found = world.findings(&file).await;
        has_finding(&found, &["BROKEN", kind.name(), &format!("the first is byte {last}"), "1 bytes"]);
        world.set_code(kept.address, &good).await;
    }
    assert!(world.audit(&file).await.holds);
}

#[tokio::test]
async fn an_immutable_that_was_changed_in_the_code_is_called_by_its_name() {
    let world = World::new().await;
    let file = world.deployed().await;
    let mut code = world.code(file.deployment.arbiter.address).await;
    let judge = world.params.judge.0;
    let at = code.windows(20).position(|bytes| bytes == judge).unwrap();
    code[at + 19] ^= 1;
    world.set_code(file.deployment.arbiter.address, &code).await;
    let found = world.findings(&file).await;
    has_finding(&found, &["code", "Arbiter", "in the immutable JUDGE"]);
}

#[tokio::test]
async fn no_code_and_longer_code_are_found() {
    let world = World::new().await;
    let file = world.deployed().await;
    let good = world.code(file.deployment.bids.address).await;
    world.set_code(file.deployment.bids.address, &[]).await;
    has_finding(&world.findings(&file).await, &["RentalBids", "there is no code"]);
    world.set_code(file.deployment.bids.address, &[good, vec![0]].concat()).await;
    one_finding(&world.findings(&file).await, &["RentalBids", "this source makes"]);
}

#[tokio::test]
async fn one_parameter_of_the_record_is_found_and_named_wherever_it_is_changed() {
    let world = World::new().await;
    let good = world.deployed().await;
    // Among the parameters alone: arguments, hashes and code no longer follow from them.
    let mut file = good.clone();
    file.record.parameters.shares.fee_bps = 1;
    has_finding(&world.findings(&file).await, &["record", "RentalEscrow", "fee_bps"]);
    // In parameters and arguments: the chain says otherwise.
    if let Arguments::RentalEscrow(escrow) = &mut made(&mut file, Kind::RentalEscrow).arguments {
        escrow.fee_bps = 1;
    }
    let found = world.findings(&file).await;
    has_finding(&found, &["code", "RentalEscrow", "FEE_BPS"]);
    has_finding(&found, &["settings", "RentalEscrow.FEE_BPS"]);
    has_finding(&found, &["creation", "RentalEscrow", "other arguments"]);
    // What keepers read.
    let mut file = good.clone();
    file.deployment.times.freshness_secs += 1;
    one_finding(&world.findings(&file).await, &["record", "times"]);
    let mut file = good.clone();
    file.deployment.vault.address = Account([9; 20]);
    has_finding(&world.findings(&file).await, &["record", "vault"]);
    let mut file = good;
    file.record.compiler.optimizer_runs = 1;
    one_finding(&world.findings(&file).await, &["record", "optimizer_runs"]);
}

#[tokio::test]
async fn one_slot_of_storage_is_found_and_named() {
    let world = World::new().await;
    let file = world.deployed().await;
    // `_classBond` is the mapping whose entry for H100 SXM holds 721,000,000; the slot is found, not assumed.
    let bond = B256::from(U256::from(721_000_000));
    let class = U256::from(3);
    let entry = |slot: u64| keccak256([class.to_be_bytes::<32>(), U256::from(slot).to_be_bytes::<32>()].concat());
    let mut at = None;
    for slot in 0..16 {
        let word = world.storage_at(file.deployment.escrow.address, entry(slot)).await;
        if word == bond {
            at = Some(entry(slot));
        }
    }
    let at = at.expect("the class bond is somewhere");
    world.set_storage(file.deployment.escrow.address, at, B256::from(U256::from(1))).await;
    one_finding(&world.findings(&file).await, &["settings", "classBond(3) is 1 rao on chain, 721000000 in the record"]);
    world.set_storage(file.deployment.escrow.address, at, bond).await;
    assert!(world.audit(&file).await.holds);
}

#[tokio::test]
async fn another_owner_or_one_in_waiting_is_found() {
    let world = World::new().await;
    let file = world.deployed().await;
    let (owner, next) = (Address::from(file.record.owner.0).into_word(), Address::from(other().0).into_word());
    for (contract, kind) in [(file.deployment.vault, "CollateralVault"), (file.deployment.escrow, "RentalEscrow")] {
        let mut slots = Vec::new();
        for slot in 0..8 {
            if world.storage(contract.address, slot).await == owner {
                slots.push(slot);
            }
        }
        let [slot] = slots[..] else { panic!("{kind}: {slots:?}") };
        let (own, pending) = (B256::from(U256::from(slot)), B256::from(U256::from(slot + 1)));
        world.set_storage(contract.address, own, next).await;
        one_finding(&world.findings(&file).await, &["owner", &format!("the owner of {kind} is {}", other())]);
        world.set_storage(contract.address, own, owner).await;
        world.set_storage(contract.address, pending, next).await;
        one_finding(&world.findings(&file).await, &["owner", kind, "about to be handed over"]);
        world.set_storage(contract.address, pending, B256::ZERO).await;
    }
}

#[tokio::test]
async fn an_owner_that_is_no_timelock_or_has_an_admin_is_found() {
    let world = World::new().await;
    let file = world.deployed().await;
    let good = world.code(file.record.owner).await;
    world.set_code(file.record.owner, &[0x00]).await;
    has_finding(&world.findings(&file).await, &["owner", "is not the TimelockController"]);
    world.set_code(file.record.owner, &good).await;
    // `_roles[DEFAULT_ADMIN_ROLE].hasRole[account] = true`, in the mapping at slot 0.
    let role = keccak256([[0u8; 32], [0u8; 32]].concat());
    let deployer = Address::from(file.record.deployer.0).into_word();
    let entry = keccak256([deployer.0, role.0].concat());
    world.set_storage(file.record.owner, entry, B256::from(U256::from(1))).await;
    let found = world.findings(&file).await;
    one_finding(&found, &["owner", "administer the timelock's roles", &file.record.deployer.to_string()]);
}

#[tokio::test]
async fn a_timelock_faster_than_the_exit_is_found() {
    let world = World::new().await;
    let file = world.deployed().await;
    let delay = B256::from(U256::from(172_800));
    let mut slot = 0;
    while world.storage(file.record.owner, slot).await != delay {
        slot += 1;
        assert!(slot < 8);
    }
    world.set_storage(file.record.owner, B256::from(U256::from(slot)), B256::from(U256::from(172_799))).await;
    let found = world.findings(&file).await;
    has_finding(&found, &["owner", "under the exit delay"]);
    has_finding(&found, &["owner", "172800 s in the record"]);
}

#[tokio::test]
async fn a_plain_owner_is_a_note_on_a_local_chain() {
    let mut world = World::new().await;
    world.params.owner = Owner::Account { address: world.key.account() };
    let file = world.deployed().await;
    assert_eq!(file.record.contracts.len(), 5);
    let report = world.audit(&file).await;
    assert!(report.holds, "{report}");
    assert!(report.lines.iter().any(|line| line.verdict == Verdict::Note && line.says.contains("plain account")));
}

#[tokio::test]
async fn money_that_is_missing_is_found_and_money_that_came_unasked_is_surplus() {
    let world = World::new().await;
    let file = world.deployed().await;
    let seed = surety_client::units::wei(500);
    world.set_balance(file.deployment.escrow.address, seed - U256::from(1)).await;
    one_finding(&world.findings(&file).await, &["ledgers", "RentalEscrow", "money is missing"]);
    world.set_balance(file.deployment.escrow.address, seed + U256::from(7)).await;
    let report = world.audit(&file).await;
    assert!(report.holds);
    assert_eq!(report.sums[1].surplus_wei.as_deref(), Some("7"));
}

#[tokio::test]
async fn another_creation_transaction_is_found_and_an_unknown_one_is_unproved() {
    let world = World::new().await;
    let good = world.deployed().await;
    let mut file = good.clone();
    file.record.contracts[2].transaction = good.record.contracts[3].transaction;
    one_finding(&world.findings(&file).await, &["BROKEN", "creation", "CollateralVault", "has nonce 3, not 2"]);
    file = good.clone();
    file.record.contracts[2].block += 1;
    one_finding(&world.findings(&file).await, &["BROKEN", "creation", "CollateralVault", "not in block"]);
    file = good;
    file.record.contracts[2].transaction.0[0] ^= 1;
    one_finding(&world.findings(&file).await, &["UNPROVED", "creation", "CollateralVault", "archive node"]);
}

#[tokio::test]
async fn another_chain_another_file_and_a_block_before_the_contracts_are_no_audit() {
    let world = World::new().await;
    let mut file = world.deployed().await;
    let wrong = audit(&world.node, &file, &AuditOptions::new(Network::Mainnet)).await;
    assert!(matches!(wrong, Err(AuditError::WrongChain { .. })), "{wrong:?}");
    let early = AuditOptions { block: Some(1), ..AuditOptions::new(Network::Local) };
    let wrong = audit(&world.node, &file, &early).await;
    assert!(matches!(wrong, Err(AuditError::TooEarly { block: 1, .. })), "{wrong:?}");
    file.record.network = Network::Mainnet;
    let wrong = audit(&world.node, &file, &AuditOptions::new(Network::Local)).await;
    assert!(matches!(wrong, Err(AuditError::WrongFile { .. })), "{wrong:?}");
}

#[tokio::test]
async fn a_node_that_claims_endless_records_is_not_believed() {
    let world = World::new().await;
    let file = world.deployed().await;
    // `rentalCount` answers 2^64 - 1: PUSH8 ff.. PUSH0 MSTORE PUSH1 32 PUSH0 RETURN, whatever is called.
    let mut code = vec![0x67];
    code.extend([0xff; 8]);
    code.extend([0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]);
    world.set_code(file.deployment.escrow.address, &code).await;
    let wrong = audit(&world.node, &file, &AuditOptions::new(Network::Local)).await;
    assert!(matches!(wrong, Err(AuditError::TooMany { what: "rentals", count: u64::MAX, .. })), "{wrong:?}");
}

#[tokio::test]
async fn the_rpc_url_is_in_no_error() {
    let world = World::new().await;
    let file = world.deployed().await;
    let node = surety_client::provider::Node::new("http://127.0.0.1:9/v2/SECRET").unwrap();
    let error = audit(&node, &file, &AuditOptions::new(Network::Local)).await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("SECRET"), "{error:?}");
}
