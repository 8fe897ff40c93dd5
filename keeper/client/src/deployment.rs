//! `deployments/<chainId>.json`: where the contracts are, and what they were deployed with.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use surety_core::types::{Account, Hash32};
use surety_core::view::ContractTimes;

/// One deployment of the five contracts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
