//! Which chain, which contracts, through which node; and which keepers to ask.

use super::exit::Stop;
use super::nearest::hint;
use crate::config::is_the_chain;
use anyhow::{Context, Result};
use clap::Args;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use surety_client::deployment::Deployment;
use surety_client::digest::Domains;
use surety_client::provider::{Node, Tag};
use surety_client::reader::Reader;
use surety_client::view::View;
use surety_core::view::{BlockRef, KeeperView};
use surety_deploy::network::Network;

/// anvil's address, for a chain of one's own.
const LOCAL_RPC: &str = "http://127.0.0.1:8545";

/// Most keepers that are asked: as many as a set has seats.
const KEEPERS_MAX: usize = 256;

/// What `--network` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Named {
    /// A chain by its name.
    Network(Network),
    /// A deployment file.
    File(PathBuf),
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') || text.ends_with(".json") {
            return Ok(Self::File(text.into()));
        }
        let names = ["local", "localnet", "testnet", "mainnet"];
        text.parse().map(Self::Network).map_err(|error| format!("{error}, or a file{}", hint(text, names)))
    }
}

/// The contracts, and a node to reach them through.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Chain")]
pub(in crate::cli) struct Where {
    /// local, localnet, testnet, mainnet, or a deployment file.
    #[arg(long, value_name = "NAME|FILE", env = "SURETY_NETWORK")]
    pub(in crate::cli) network: Option<Named>,
    /// The folder with the deployment files, CHAIN_ID.json each.
    #[arg(long, value_name = "DIR", env = "SURETY_DEPLOYMENTS", default_value = "deployments")]
    pub(in crate::cli) deployments: PathBuf,
    /// A deployment file; the same as --network FILE.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) deployment: Option<PathBuf>,
    /// A node's JSON-RPC URL; for the network `local` http://127.0.0.1:8545 unless named.
    #[arg(long, value_name = "URL", env = "SURETY_RPC", hide_env_values = true)]
    pub(in crate::cli) rpc: Option<String>,
}

/// Which keepers to ask.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Keepers")]
pub(in crate::cli) struct Keepers {
    /// A keeper's base URL; may be repeated. Without it, those that the chain names.
    #[arg(long = "keeper", value_name = "URL", env = "SURETY_KEEPER", value_delimiter = ',')]
    pub(in crate::cli) urls: Vec<String>,
}

impl Where {
    /// Whether a chain is named at all.
    pub(in crate::cli) fn is_named(&self) -> bool {
        self.network.is_some() || self.deployment.is_some()
    }

    /// The deployment file that is meant.
    ///
    /// # Errors
    /// None is named, or it is not there.
    pub(in crate::cli) fn file(&self) -> Result<PathBuf> {
        let path = match (&self.deployment, &self.network) {
            (Some(file), _) | (None, Some(Named::File(file))) => file.clone(),
            (None, Some(Named::Network(network))) => self.deployments.join(format!("{}.json", network.chain_id())),
            (None, None) => {
                let why = "which chain? Name it with --network local, localnet, testnet or mainnet, or a deployment \
                           file (or SURETY_NETWORK in the environment)";
                return Err(Stop::usage(why));
            }
        };
        if path.exists() {
            return Ok(path);
        }
        let why = format!(
            "there is no {}: run it where the deployment files are, or name their folder with --deployments",
            path.display()
        );
        Err(Stop::usage(why))
    }

    /// The deployment that is meant.
    ///
    /// # Errors
    /// None is named, or the file is not one.
    pub(in crate::cli) fn deployment(&self) -> Result<Deployment> {
        Ok(Deployment::read(&self.file()?)?)
    }

    /// The node's URL.
    fn rpc(&self, chain_id: u64) -> Result<&str> {
        match &self.rpc {
            Some(url) => Ok(url),
            None if chain_id == Network::Local.chain_id() => Ok(LOCAL_RPC),
            None => Err(Stop::usage("which node? Name its JSON-RPC URL with --rpc, or put it into SURETY_RPC")),
        }
    }
}

/// The chain, checked, at its newest block.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Place {
    /// What is deployed where.
    pub(in crate::cli) deployment: Deployment,
    /// The node.
    pub(in crate::cli) node: Node,
    /// Views as the keepers' types.
    pub(in crate::cli) reader: Reader,
    /// The block that everything was read at.
    pub(in crate::cli) head: BlockRef,
}

impl Place {
    /// Reaches the node and checks that it is on the chain of the deployment, whose code is there.
    ///
    /// # Errors
    /// Something is not named, not reached, or another chain's.
    pub(in crate::cli) async fn find(at: &Where) -> Result<Self> {
        let deployment = at.deployment()?;
        let node = Node::new(at.rpc(deployment.chain_id)?)?;
        is_the_chain(&node, &deployment).await?;
        let reader = Reader::new(node.clone(), &deployment);
        let head = newest(&node).await?;
        Ok(Self { deployment, node, reader, head })
    }

    /// The same at the newest block now.
    pub(in crate::cli) async fn again(&self) -> Result<Self> {
        Ok(Self { head: newest(&self.node).await?, ..self.clone() })
    }

    /// Contract state at the block.
    pub(in crate::cli) fn view(&self) -> View<'_> {
        View { node: &self.node, block: self.head.number }
    }

    /// The block's time.
    pub(in crate::cli) fn now_secs(&self) -> u64 {
        self.head.timestamp_secs
    }

    /// What keepers' signatures are bound to.
    pub(in crate::cli) fn domains(&self) -> Domains {
        let (escrow, arbiter) = (self.deployment.escrow.address, self.deployment.arbiter.address);
        Domains { chain_id: self.deployment.chain_id, escrow, arbiter }
    }

    /// The keepers on chain.
    ///
    /// # Errors
    /// The node does not answer.
    pub(in crate::cli) async fn keepers(&self) -> Result<Vec<KeeperView>> {
        self.reader.keepers(self.head.number).await.context("the keepers on chain were not read")
    }

    /// The URLs to ask: those named, or those that active keepers have on chain.
    ///
    /// # Errors
    /// There are none.
    pub(in crate::cli) async fn urls(&self, named: &Keepers) -> Result<Vec<String>> {
        if !named.urls.is_empty() {
            return Ok(named.urls.clone());
        }
        let keepers = self.keepers().await?.into_iter().filter(|keeper| keeper.active && !keeper.url.is_empty());
        let urls: Vec<String> = keepers.map(|keeper| keeper.url).take(KEEPERS_MAX).collect();
        if urls.is_empty() {
            return Err(Stop::usage("no active keeper has a URL on chain: name one with --keeper"));
        }
        Ok(urls)
    }
}

async fn newest(node: &Node) -> Result<BlockRef> {
    let header = node.header(Tag::Latest).await?;
    header.and_then(|header| header.to_ref()).context("the node has no newest block: try again")
}

/// The keepers to ask where the chain need not be read when they are named.
///
/// # Errors
/// None is named, and no chain to ask for them.
pub(in crate::cli) async fn urls(at: &Where, named: &Keepers) -> Result<Vec<String>> {
    match (named.urls.is_empty(), at.is_named()) {
        (false, _) => Ok(named.urls.clone()),
        (true, true) => Place::find(at).await?.urls(named).await,
        (true, false) => {
            Err(Stop::usage("which keeper? Name one with --keeper URL, or the chain with --network, which names them"))
        }
    }
}

/// An absolute form of a path, for files that others read later.
pub(in crate::cli) fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("{} cannot be made absolute", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_a_name_or_a_file_and_a_misspelt_name_finds_its_neighbour() {
        assert_eq!("testnet".parse(), Ok(Named::Network(Network::Testnet)));
        assert_eq!("deployments/945.json".parse(), Ok(Named::File("deployments/945.json".into())));
        assert_eq!("964.json".parse(), Ok(Named::File("964.json".into())));
        let wrong = "mainet".parse::<Named>();
        assert!(wrong.as_ref().is_err_and(|why| why.contains("did you mean 'mainnet'")), "{wrong:?}");
    }
}
