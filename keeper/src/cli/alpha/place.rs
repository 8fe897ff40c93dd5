//! The chain, one final block of it, and the vault there: all that is checked before anything else is asked.

use super::Where;
use super::refused::Refused;
use anyhow::{Context, Result};
use surety_core::rules::LOCAL_CHAIN_IDS;
use surety_core::types::Hash32;
use surety_deploy::network::Network;
use surety_substrate::alpha::AlphaVault;
use surety_substrate::alpha::types::Config;
use surety_substrate::needed::{EVM_CHAIN_ID, Feature, NOW};
use surety_substrate::node::{Head, Node};
use surety_substrate::nodes::Nodes;
use surety_substrate::runtime::Runtime;
use surety_substrate::ss58::PREFIX;

/// A chain at its newest final block.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) nodes: Nodes,
    pub(super) genesis: Hash32,
    pub(super) runtime: Runtime,
    pub(super) at: Head,
    /// The chain's time there, Unix seconds.
    pub(super) now: u64,
    pub(super) chain_id: u64,
    /// What it calls itself, for people.
    pub(super) name: String,
    /// How many nodes were asked.
    pub(super) endpoints: usize,
}

impl Place {
    /// Asks the nodes where they are.
    pub(super) async fn find(at: &Where) -> Result<Self> {
        let nodes = at.rpc.iter().map(|url| Node::new(url)).collect::<Result<Vec<_>, _>>().context("--rpc")?;
        let nodes = Nodes::new(nodes)?;
        let genesis = nodes.genesis().await?;
        let head = nodes.finalized().await?;
        let runtime = nodes.runtime(genesis, head.hash).await?;
        for feature in [Feature::Chain, Feature::Subnet] {
            runtime.need(feature).map_err(|lack| Refused::NotSubtensor { lack: lack.to_string() })?;
        }
        match runtime.ss58_prefix() {
            Some(found) if found != PREFIX => return Err(Refused::Prefix { found }.into()),
            _ => {}
        }
        let chain_id: u64 = nodes.value(&runtime, head.hash, &EVM_CHAIN_ID, &[]).await?.unwrap_or(0);
        let now_ms: u64 = nodes.value(&runtime, head.hash, &NOW, &[]).await?.unwrap_or(0);
        if let Some(network) = at.network.filter(|network| network.chain_id() != chain_id) {
            return Err(Refused::OtherNetwork { network, found: chain_id }.into());
        }
        let networks = [Network::Localnet, Network::Testnet, Network::Mainnet];
        let known = networks.into_iter().find(|network| network.chain_id() == chain_id);
        let name = known.map_or("unknown chain", Network::name).to_owned();
        let endpoints = at.rpc.len();
        Ok(Self { endpoints, nodes, genesis, runtime, at: head, now: now_ms / 1_000, chain_id, name })
    }

    /// Whether development keys are accepted.
    pub(super) fn is_local(&self) -> bool {
        LOCAL_CHAIN_IDS.contains(&self.chain_id)
    }

    /// The vault, whose code is ours and which was made for this chain, and what it was made with.
    pub(super) async fn vault(&self, at: &Where) -> Result<(AlphaVault<'_>, Config)> {
        let vault = AlphaVault::open(&self.nodes, &self.runtime, self.at, at.vault).await?;
        let config = vault.config().await?;
        if config.chain_id != self.chain_id {
            return Err(Refused::OtherChain { vault: config.chain_id, chain: self.chain_id }.into());
        }
        if let Some(asked) = at.netuid.filter(|asked| *asked != config.netuid) {
            return Err(Refused::OtherSubnet { vault: config.netuid, asked }.into());
        }
        Ok((vault, config))
    }

    /// One line about where this is.
    pub(super) fn words(&self) -> String {
        let time = super::words::date(self.now);
        let nodes = match self.endpoints {
            1 => "one node, which is believed".to_owned(),
            many => format!("by the majority of {many} nodes"),
        };
        format!("{} (chain id {}), final block {} of {time}, {nodes}", self.name, self.chain_id, self.at.number)
    }
}
