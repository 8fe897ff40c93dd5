//! Deploys the five contracts. They name each other in immutables, so addresses are computed before anything is sent.

use crate::actor::{Actor, Tx};
use crate::params::Params;
use alloy::primitives::{Address, B256};
use alloy::sol_types::SolConstructor;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use surety_client::bindings::{
    AppointedKeepers, Arbiter, CollateralVault, IArbiter, ICollateralVault, IRentalEscrow, RentalBids, RentalEscrow,
};
use surety_client::deployment::{Contract, Deployment};
use surety_client::provider::Node;
use surety_client::subtensor::{EXISTENTIAL_DEPOSIT_RAO, twox64};
use surety_core::types::Account;

/// More than any of the contracts takes to create, four times below a block's limit.
const CREATE_GAS: u64 = 7_000_000;
const APPOINT_GAS: u64 = 400_000;

/// A keeper to be appointed.
#[derive(Debug, Clone)]
pub struct Appointment {
    /// Signs and pays gas.
    pub account: Account,
    /// In quorums.
    pub weight: u64,
    /// Public key it logs in to machines with.
    pub ssh_key: [u8; 32],
    /// Its HTTP API.
    pub url: String,
}

/// Who the deployment belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Roles {
    /// The subnet.
    pub netuid: u16,
    /// Appoints keepers and sets class bonds.
    pub owner: Account,
    /// Gets fees.
    pub treasury: Account,
    /// May pause new business.
    pub guardian: Account,
    /// Rules on appeals.
    pub judge: Account,
}

/// Addresses to be, by the deployer's nonces.
struct Siblings {
    keepers: Address,
    vault: Address,
    escrow: Address,
    arbiter: Address,
    bids: Address,
}

/// Deploys everything and appoints the keepers; the deployer must be the owner if there are any.
///
/// # Errors
/// A transaction that failed, or a contract that is not where it was computed to be.
pub async fn deploy(
    deployer: &Actor,
    node: &Node,
    params: &Params,
    roles: &Roles,
    keepers: &[Appointment],
) -> Result<Deployment> {
    let first = deployer.next_nonce().await?;
    let at = |index: u64| deployer.address().create(first + index);
    let siblings = Siblings { keepers: at(0), vault: at(1), escrow: at(2), arbiter: at(3), bids: at(4) };
    let mut txs = creations(&siblings, params, roles);
    txs.extend(keepers.iter().map(|keeper| appointment(siblings.keepers, keeper)));
    let receipts = deployer.send_all(txs).await.context("deploying the contracts")?;
    let Siblings { keepers, vault, escrow, arbiter, bids } = siblings;
    for (receipt, want) in receipts.iter().zip([keepers, vault, escrow, arbiter, bids]) {
        ensure!(
            receipt.contract_address == Some(want),
            "a contract is at {:?}, computed {want}",
            receipt.contract_address
        );
    }
    let block = receipts.iter().filter_map(|receipt| receipt.block_number).map(|n| n.to::<u64>()).max();
    Ok(Deployment {
        chain_id: node.chain_id().await?,
        netuid: roles.netuid,
        block: block.unwrap_or_default(),
        keepers: contract(node, keepers).await?,
        vault: contract(node, vault).await?,
        escrow: contract(node, escrow).await?,
        arbiter: contract(node, arbiter).await?,
        bids: contract(node, bids).await?,
        times: params.times(),
    })
}

/// Writes `DIR/CHAIN_ID.json`.
pub fn write(deployment: &Deployment, dir: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(dir)?;
    let path = dir.join(format!("{}.json", deployment.chain_id));
    let text = serde_json::to_string_pretty(deployment)? + "\n";
    std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}

fn creations(at: &Siblings, params: &Params, roles: &Roles) -> Vec<Tx> {
    let owner = Address::from(roles.owner.0);
    let keepers = AppointedKeepers::constructorCall { owner }.abi_encode();
    let vault = CollateralVault::constructorCall { owner, config: vault_config(at, params, roles) }.abi_encode();
    let (classes, bonds) = params.class_bonds.iter().map(|(class, rao)| (class.0, *rao)).unzip();
    let config = escrow_config(at, params, roles);
    let escrow = RentalEscrow::constructorCall { owner, config, classes, bonds }.abi_encode();
    let arbiter = Arbiter::constructorCall { config: arbiter_config(at, params, roles) }.abi_encode();
    let bids = RentalBids::constructorCall { escrow: at.escrow }.abi_encode();
    let create = |code: &[u8], arguments: Vec<u8>, seed_rao: u64| {
        Tx::create([code, &arguments].concat()).paying(seed_rao).with_gas(CREATE_GAS)
    };
    vec![
        create(&AppointedKeepers::BYTECODE, keepers, 0),
        create(&CollateralVault::BYTECODE, vault, EXISTENTIAL_DEPOSIT_RAO),
        create(&RentalEscrow::BYTECODE, escrow, EXISTENTIAL_DEPOSIT_RAO),
        create(&Arbiter::BYTECODE, arbiter, EXISTENTIAL_DEPOSIT_RAO),
        create(&RentalBids::BYTECODE, bids, EXISTENTIAL_DEPOSIT_RAO),
    ]
}

fn vault_config(at: &Siblings, params: &Params, roles: &Roles) -> ICollateralVault::Config {
    ICollateralVault::Config {
        netuid: roles.netuid,
        netuidHash: twox64(roles.netuid),
        escrow: at.escrow,
        arbiter: at.arbiter,
        exitDelaySecs: params.exit_delay_secs,
        exitWindowSecs: params.exit_window_secs,
        guardian: Address::from(roles.guardian.0),
    }
}

fn escrow_config(at: &Siblings, params: &Params, roles: &Roles) -> IRentalEscrow::Config {
    IRentalEscrow::Config {
        vault: at.vault,
        arbiter: at.arbiter,
        keepers: at.keepers,
        treasury: Address::from(roles.treasury.0),
        settleLagSecs: params.settle_lag_secs,
        certificateLifeSecs: params.certificate_life_secs,
        bondBps: params.bond_bps,
        feeBps: params.fee_bps,
        abandonBps: params.abandon_bps,
    }
}

fn arbiter_config(at: &Siblings, params: &Params, roles: &Roles) -> IArbiter::Config {
    IArbiter::Config {
        vault: at.vault,
        escrow: at.escrow,
        keepers: at.keepers,
        judge: Address::from(roles.judge.0),
        appealWindowSecs: params.appeal_window_secs,
        rulingWindowSecs: params.ruling_window_secs,
        deliveryGraceSecs: params.delivery_grace_secs,
        minInterruptedSecs: params.min_interrupted_secs,
        minOfflineSecs: params.min_offline_secs,
        freshnessSecs: params.freshness_secs,
        spoofLifeSecs: params.spoof_life_secs,
        notDeliveredBps: params.not_delivered_bps,
        offlineBps: params.offline_bps,
        breakerBps: params.breaker_bps,
    }
}

fn appointment(keepers: Address, keeper: &Appointment) -> Tx {
    let call = AppointedKeepers::appointCall {
        account: Address::from(keeper.account.0),
        weight: keeper.weight,
        sshKey: B256::from(keeper.ssh_key),
        url: keeper.url.clone(),
    };
    Tx::call(keepers, &call).with_gas(APPOINT_GAS)
}

async fn contract(node: &Node, address: Address) -> Result<Contract> {
    let address = Account(address.into_array());
    let code_hash = node.code_hash(address).await?.with_context(|| format!("no code at {address}"))?;
    Ok(Contract { address, code_hash })
}
