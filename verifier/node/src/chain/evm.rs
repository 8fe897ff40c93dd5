//! Who may be let in, read from the contracts by views at one block.

use crate::access::{Access, Keeper, Rental};
use crate::config::Config;
use crate::reconcile::{ChainReader, ReadError, error_chain};
use surety_client::deployment::{Deployment, DeploymentError};
use surety_client::provider::{Node, NodeError, Tag};
use surety_client::reader::Reader;
use surety_core::types::{Account, MachineId};
use surety_core::view::{BlockRef, NodeView};

/// Reads one machine's access through the miner's own node.
#[derive(Clone, Debug)]
pub struct EvmReader {
    reader: Reader,
    deployment: Deployment,
    machine: MachineId,
}

/// Why nothing can be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No deployment.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// A deployment on another chain.
    #[error("the deployment file is for chain {found}, the configuration says {wanted}: correct one of them")]
    OtherChain {
        /// Chain of the deployment.
        found: u64,
        /// Chain of the configuration.
        wanted: u64,
    },
    /// No usable URL.
    #[error(transparent)]
    Url(#[from] NodeError),
}

impl EvmReader {
    /// Prepares to read `machine`'s access; asks the node nothing yet.
    ///
    /// # Errors
    /// [`ConnectError`] when the configuration cannot be right.
    pub fn new(config: &Config, machine: MachineId) -> Result<Self, ConnectError> {
        let deployment = Deployment::read(&config.deployment)?;
        if deployment.chain_id != config.chain_id {
            return Err(ConnectError::OtherChain { found: deployment.chain_id, wanted: config.chain_id });
        }
        let reader = Reader::new(Node::new(&config.rpc_url)?, &deployment);
        Ok(Self { reader, deployment, machine })
    }

    /// The block that the node takes for the newest, after checking that it is on the right chain.
    ///
    /// # Errors
    /// When the node does not answer, or is on another chain.
    pub async fn best(&self) -> Result<BlockRef, ReadError> {
        let node = self.reader.node();
        let chain_id = node.chain_id().await.map_err(failed)?;
        if chain_id != self.deployment.chain_id {
            let wanted = self.deployment.chain_id;
            return Err(ReadError(format!("the node is on chain {chain_id}, not on {wanted}: correct rpc_url")));
        }
        let header = node.header(Tag::Latest).await.map_err(failed)?;
        header.and_then(|header| header.to_ref()).ok_or_else(|| ReadError("the node has no newest block".into()))
    }

    /// The contracts whose code is not that of the deployment. A node that has lost or not yet got its state answers
    /// zero to every question; code it cannot invent.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn strangers(&self) -> Result<Vec<(&'static str, Account)>, ReadError> {
        let mut strangers = Vec::new();
        for (name, contract) in self.deployment.contracts() {
            let found = self.reader.node().code_hash(contract.address).await.map_err(failed)?;
            if found != Some(contract.code_hash) {
                strangers.push((name, contract.address));
            }
        }
        Ok(strangers)
    }

    /// The machine as it is registered at this block; `None` when it is not.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn node(&self, block: &BlockRef) -> Result<Option<NodeView>, ReadError> {
        let registration = self.reader.registration_of(self.machine, block.number).await.map_err(failed)?;
        let Some(registration) = registration else { return Ok(None) };
        let node = self.reader.node_at(registration, block.number).await.map_err(failed)?;
        Ok((node.machine == self.machine && node.miner != Account::default()).then_some(node))
    }

    async fn rental(&self, node: &NodeView, block: &BlockRef) -> Result<Option<Rental>, ReadError> {
        if node.last_rental == 0 {
            return Ok(None);
        }
        let rental = self.reader.rental_at(node.last_rental, block.number).await.map_err(failed)?;
        let runs = rental.machine == self.machine && !rental.closed && block.timestamp_secs < rental.end_secs;
        let (id, renter_key, until_secs) = (rental.id, rental.renter_key, rental.end_secs);
        Ok(runs.then_some(Rental { id, renter_key, until_secs }))
    }

    async fn keepers(&self, block: &BlockRef) -> Result<Vec<Keeper>, ReadError> {
        let keepers = self.reader.keepers(block.number).await.map_err(failed)?;
        let active = keepers.into_iter().filter(|keeper| keeper.active);
        Ok(active.map(|keeper| Keeper { ssh_key: keeper.ssh_key, account: keeper.account }).collect())
    }

    async fn read(&self) -> Result<Access, ReadError> {
        let block = self.best().await?;
        let node = self.node(&block).await?;
        let keepers = self.keepers(&block).await?;
        if node.is_none() || keepers.is_empty() {
            self.prove_absence().await?;
        }
        let rental = match &node {
            Some(node) => self.rental(node, &block).await?,
            None => None,
        };
        self.still_there(&block).await?;
        let registration = node.map(|node| node.registration);
        Ok(Access { registration, rental, keepers, chain_time_secs: block.timestamp_secs })
    }

    async fn prove_absence(&self) -> Result<(), ReadError> {
        match self.strangers().await?.first() {
            Some((name, address)) => Err(ReadError(format!("{name} at {address} has not the code that was deployed"))),
            None => Ok(()),
        }
    }

    /// Views were asked by number: if the block was replaced meanwhile, they were not all of one block.
    async fn still_there(&self, block: &BlockRef) -> Result<(), ReadError> {
        let header = self.reader.node().header(Tag::Number(block.number)).await.map_err(failed)?;
        let now = header.and_then(|header| header.to_ref());
        if now.is_some_and(|now| now.hash == block.hash) {
            return Ok(());
        }
        Err(ReadError(format!("block {} was replaced while it was read", block.number)))
    }
}

impl ChainReader for EvmReader {
    async fn access(&self) -> Result<Access, ReadError> {
        self.read().await
    }
}

fn failed(error: NodeError) -> ReadError {
    ReadError(error_chain(&error))
}
