//! The contracts' side: which keepers there are, and what all of them answer.

use super::agreed::Electorate;
use crate::adapters::http::{AskError, Asking};
use crate::config::is_the_chain;
use anyhow::{Context, Result, ensure};
use clap::Args;
use futures_util::stream::{self, StreamExt};
use std::path::PathBuf;
use surety_client::deployment::Deployment;
use surety_client::digest::{Domains, recover};
use surety_client::provider::{Node, Tag};
use surety_client::reader::Reader;
use surety_core::alpha::AlphaStatement;
use surety_core::rules::LOCAL_CHAIN_IDS;
use surety_core::statement::Signed;
use surety_core::types::{Account, UnixSecs};
use surety_core::view::KeeperView;

/// Keepers asked at once: as many as a roll may have. Their lists are the largest answers, of a megabyte at most.
const AT_ONCE: usize = 64;

/// Which contracts, on which chain.
#[derive(Debug, Clone, Args)]
pub(super) struct Side {
    /// The deployment file: deployments/<chain id>.json.
    #[arg(long)]
    pub(super) deployment: PathBuf,
    /// Ethereum JSON-RPC URL of a node.
    #[arg(long, env = "SURETY_RPC", hide_env_values = true)]
    pub(super) evm_rpc: String,
}

/// The contracts at the newest block, and the way to their keepers.
pub(super) struct Court {
    pub(super) deployment: Deployment,
    pub(super) node: Node,
    pub(super) keepers: Vec<KeeperView>,
    pub(super) block: u64,
    /// That block's time, Unix seconds.
    pub(super) now_secs: UnixSecs,
    pub(super) asking: Asking,
}

/// One keeper, and what it answered or why it gave nothing.
#[derive(Debug)]
pub(super) struct Heard<T> {
    pub(super) keeper: Account,
    pub(super) url: String,
    pub(super) answer: Result<T, String>,
}

impl Court {
    /// Reads the keeper set of the deployment's contracts.
    pub(super) async fn find(side: &Side) -> Result<Self> {
        let deployment = Deployment::read(&side.deployment)?;
        let node = Node::new(&side.evm_rpc).context("--evm-rpc")?;
        is_the_chain(&node, &deployment).await?;
        let head = node.header(Tag::Latest).await?.context("the node has no block yet: try again")?;
        let (block, now_secs) = (head.number.to::<u64>(), head.timestamp.to::<u64>());
        let keepers = Reader::new(node.clone(), &deployment).keepers(block).await?;
        let asking = Asking::new(LOCAL_CHAIN_IDS.contains(&deployment.chain_id))?;
        let keepers: Vec<KeeperView> = keepers.into_iter().filter(|keeper| keeper.active).collect();
        ensure!(!keepers.is_empty(), "the contracts have no active keeper: nobody can be asked");
        Ok(Self { deployment, node, keepers, block, now_secs, asking })
    }

    pub(super) fn domains(&self) -> Domains {
        let (escrow, arbiter) = (self.deployment.escrow.address, self.deployment.arbiter.address);
        Domains { chain_id: self.deployment.chain_id, escrow, arbiter }
    }

    pub(super) fn electorate(&self) -> Electorate {
        self.keepers.iter().map(|keeper| (keeper.account, keeper.clone())).collect()
    }

    /// Asks all active keepers, at once, in the order of the chain.
    pub(super) async fn ask<T>(&self, ask: impl AsyncFn(&str) -> Result<T, AskError>) -> Vec<Heard<T>> {
        let one = async |keeper: &KeeperView| {
            let answer = match keeper.url.is_empty() {
                true => Err("it has no URL on chain".to_owned()),
                false => ask(&keeper.url).await.map_err(|error| error.to_string()),
            };
            Heard { keeper: keeper.account, url: keeper.url.clone(), answer }
        };
        stream::iter(&self.keepers).map(one).buffered(AT_ONCE).collect().await
    }

    /// Leaves of what was heard only what its keeper has signed itself, and what `fits` has nothing against.
    pub(super) fn checked<T: Copy + Into<AlphaStatement>>(
        &self,
        heard: Vec<Heard<Signed<T>>>,
        fits: impl Fn(&Signed<T>) -> Result<(), String>,
    ) -> Vec<Heard<Signed<T>>> {
        let check = |keeper: Account, signed: Signed<T>| {
            self.signed_by(keeper, &signed)?;
            fits(&signed)?;
            Ok(signed)
        };
        let each = heard.into_iter().map(|one| {
            let answer = one.answer.and_then(|signed| check(one.keeper, signed));
            Heard { answer, ..one }
        });
        each.collect()
    }

    fn signed_by<T: Copy + Into<AlphaStatement>>(&self, keeper: Account, signed: &Signed<T>) -> Result<(), String> {
        let digest = self.domains().alpha(self.deployment.vault.address, &signed.statement.into());
        let digest = digest.map_err(|error| format!("left out: {error}"))?;
        match recover(digest, signed.signature) {
            Ok(signer) if signer == keeper && signed.signer == keeper => Ok(()),
            Ok(signer) => Err(format!("left out: signed by {signer}, want {keeper}, whose URL this is")),
            Err(error) => Err(format!("left out: {error}")),
        }
    }
}

/// What was heard and counts.
pub(super) fn sound<T: Clone>(heard: &[Heard<T>]) -> Vec<T> {
    heard.iter().filter_map(|one| one.answer.as_ref().ok().cloned()).collect()
}

#[cfg(test)]
pub(super) mod tests;
