//! The chains that Surety is deployed on.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A chain by the name that operators use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// anvil on this machine, with stand-ins for the precompiles.
    Local,
    /// A Subtensor node of one's own, as its `localnet` and `dev` chains are.
    Localnet,
    /// Bittensor's test network.
    Testnet,
    /// Bittensor.
    Mainnet,
}

/// A name that is none of the four.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no network: want local, localnet, testnet or mainnet")]
pub struct UnknownNetwork(pub String);

impl Network {
    /// The id each chain answers; root can change it (SPEC D18), and then deployments here wait for a new version.
    pub fn chain_id(self) -> u64 {
        match self {
            Self::Local => 31_337,
            Self::Localnet => 42,
            Self::Testnet => 945,
            Self::Mainnet => 964,
        }
    }

    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Localnet => "localnet",
            Self::Testnet => "testnet",
            Self::Mainnet => "mainnet",
        }
    }

    /// Whether it runs Subtensor: precompiles are the chain's own, and balances are shown without the existential
    /// deposit (SPEC D4).
    pub fn is_subtensor(self) -> bool {
        self != Self::Local
    }

    /// The committed parameter file of this network.
    pub fn committed_params(self) -> &'static str {
        match self {
            Self::Local => include_str!("../../../deployments/params/local.toml"),
            Self::Localnet => include_str!("../../../deployments/params/localnet.toml"),
            Self::Testnet => include_str!("../../../deployments/params/testnet.toml"),
            Self::Mainnet => include_str!("../../../deployments/params/mainnet.toml"),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Network {
    type Err = UnknownNetwork;

    fn from_str(text: &str) -> Result<Self, UnknownNetwork> {
        let all = [Self::Local, Self::Localnet, Self::Testnet, Self::Mainnet];
        let found = all.into_iter().find(|network| network.name() == text);
        found.ok_or_else(|| UnknownNetwork(text.chars().take(40).collect()))
    }
}
