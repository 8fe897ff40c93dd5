//! `deployments/<chainId>.json`: where the contracts are, and what they were deployed with.

use serde::{Deserialize, Serialize, de::IgnoredAny};
use std::path::{Path, PathBuf};
use surety_core::types::{Account, Hash32};
use surety_core::view::ContractTimes;

/// One deployment of the five contracts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "File")]
pub struct Deployment {
    /// The chain it is on.
    pub chain_id: u64,
    /// The subnet.
    pub netuid: u16,
    /// Block the last contract was created in; nothing happened before.
    pub block: u64,
    /// The electorate.
    pub keepers: Contract,
    /// Holds bonds.
    pub vault: Contract,
    /// Holds rent.
    pub escrow: Contract,
    /// Turns facts into money.
    pub arbiter: Contract,
    /// Where renters' wishes wait.
    pub bids: Contract,
    /// Windows and minimums.
    pub times: ContractTimes,
}

/// The file. Its `record` says how everything was made, and is for audits (crate `surety-deploy`); anything else that
/// is unknown is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    chain_id: u64,
    netuid: u16,
    block: u64,
    keepers: Contract,
    vault: Contract,
    escrow: Contract,
    arbiter: Contract,
    bids: Contract,
    times: ContractTimes,
    #[serde(default, rename = "record")]
    _record: Option<IgnoredAny>,
}

impl From<File> for Deployment {
    fn from(file: File) -> Self {
        let File { chain_id, netuid, block, keepers, vault, escrow, arbiter, bids, times, .. } = file;
        Self { chain_id, netuid, block, keepers, vault, escrow, arbiter, bids, times }
    }
}

/// One contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Where.
    pub address: Account,
    /// keccak256 of the code found there after deployment.
    pub code_hash: Hash32,
}

/// Why a deployment file is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum DeploymentError {
    /// It cannot be read.
    #[error("cannot read the deployment file {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It does not say what a deployment file says.
    #[error("the deployment file {path} is not one")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
}

impl Deployment {
    /// Reads a deployment file.
    pub fn read(path: &Path) -> Result<Self, DeploymentError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| DeploymentError::Read { path: path.to_path_buf(), source })?;
        serde_json::from_str(&text).map_err(|source| DeploymentError::Parse { path: path.to_path_buf(), source })
    }

    /// The contracts by name, in the order they call each other.
    pub fn contracts(&self) -> [(&'static str, Contract); 5] {
        [
            ("AppointedKeepers", self.keepers),
            ("CollateralVault", self.vault),
            ("RentalEscrow", self.escrow),
            ("Arbiter", self.arbiter),
            ("RentalBids", self.bids),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(more: &str) -> String {
        let contract = format!(r#"{{"address": "{}", "code_hash": "{}"}}"#, Account([1; 20]), Hash32([2; 32]));
        format!(
            r#"{{"chain_id": 31337, "netuid": 2, "block": 7, "keepers": {contract}, "vault": {contract},
            "escrow": {contract}, "arbiter": {contract}, "bids": {contract}, "times": {{"settle_lag_secs": 1, "delivery_grace_secs": 2,
            "min_interrupted_secs": 3, "min_offline_secs": 4, "freshness_secs": 5, "certificate_life_secs": 6, "spoof_life_secs": 7}}{more}}}"#
        )
    }

    #[test]
    fn what_is_for_audits_is_passed_over_and_a_misspelt_field_is_not() {
        let plain: Result<Deployment, _> = serde_json::from_str(&file(""));
        let whole: Result<Deployment, _> = serde_json::from_str(&file(r#", "record": {"any": ["thing"]}"#));
        let misspelt: Result<Deployment, _> = serde_json::from_str(&file(r#", "recrod": {}"#));
        assert!(plain.is_ok_and(|plain| whole.is_ok_and(|whole| plain == whole)));
        assert!(misspelt.is_err());
    }
}
