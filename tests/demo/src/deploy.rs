//! Deploys as an operator does, through `surety_deploy`; then the owner appoints the keepers.

use crate::actor::{Actor, Tx};
use alloy::primitives::{Address, B256};
use anyhow::{Result, ensure};
use std::path::Path;
use surety_client::bindings::AppointedKeepers;
use surety_client::keys::Key;
use surety_client::provider::Node;
use surety_core::types::Account;
use surety_deploy::deploy::{Options, Outcome, stand};
use surety_deploy::network::Network;
use surety_deploy::params::Params;
use surety_deploy::preflight::preflight;
use surety_deploy::record::DeploymentFile;

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

/// Asks the chain what `surety deploy` asks before it sends anything; says how many questions.
///
/// # Errors
/// Every answer that is no.
pub async fn ready(node: &Node, deployer: Account, params: &Params, dir: &Path) -> Result<usize> {
    let (_, plan) = stand(node, deployer, params, &Options::new(Network::Local, dir)).await?;
    let checks = preflight(node, Network::Local, &plan, 0).await;
    let failed: Vec<String> = checks.iter().filter(|check| !check.passed).map(ToString::to_string).collect();
    ensure!(failed.is_empty(), "the chain is not ready for a deployment:\n{}", failed.join("\n"));
    Ok(checks.len())
}

/// Deploys all contracts, and writes `DIR/CHAIN_ID.json`. The deployer's account is for nothing else, as an operator's:
/// addresses follow from its nonces.
///
/// # Errors
/// What `surety deploy` says, with what to do.
pub async fn deploy(node: &Node, deployer: &Key, params: &Params, dir: &Path) -> Result<DeploymentFile> {
    let options = Options::new(Network::Local, dir);
    let outcome = surety_deploy::deploy::deploy(node, deployer, params, &options, &mut |_| Ok(())).await?;
    match outcome {
        Outcome::Deployed(file) | Outcome::AlreadyThere(file) => Ok(*file),
    }
}

/// Appoints keepers to the set at `set`.
///
/// # Errors
/// A transaction that failed.
pub async fn appoint(owner: &Actor, set: Account, keepers: &[Appointment]) -> Result<()> {
    let appointment = |keeper: &Appointment| {
        let call = AppointedKeepers::appointCall {
            account: Address::from(keeper.account.0),
            weight: keeper.weight,
            sshKey: B256::from(keeper.ssh_key),
            url: keeper.url.clone(),
        };
        Tx::call(Address::from(set.0), &call)
    };
    owner.send_all(keepers.iter().map(appointment).collect()).await?;
    Ok(())
}
