//! The Substrate side of the same chain: its final blocks one after another, for what Ethereum's RPC does not show.
//!
//! Calls without an Ethereum transaction leave their logs in `System.Events` alone, and money can come to a contract's
//! account without any call (`contracts/SPEC.md` D7, D8). This follows the final blocks by hash and parent, reads their
//! events by majority, and tells what concerns the contracts. It judges nothing: what a log names is read by view.

use crate::adapters::evm::{Endpoints, FollowError};
use std::collections::{BTreeMap, BTreeSet};
use surety_client::deployment::Deployment;
use surety_client::provider::Tag;
use surety_core::types::{Account, Hash32, Rao};
use surety_substrate::events::{ChainEvent, EvmLog, decode};
use surety_substrate::needed::{EVENTS, Feature};
use surety_substrate::node::Head;
use surety_substrate::nodes::{EvmBlock, Nodes, NodesError};
use surety_substrate::runtime::{CodecError, Runtime};
use surety_substrate::ss58::AccountId;

/// Blocks read in one poll at most. A block is 12 s; each takes four questions.
pub const BLOCKS_AT_ONCE: u64 = 25;

/// Blocks that are caught up with after a pause, forty minutes: nodes keep the state of 256 blocks unless told
/// otherwise. Of older ones it is told that they were passed over.
pub const CATCH_UP_MAX: u64 = 200;

/// Polls after which a block that cannot be read is passed over: two minutes.
const TRIES_MAX: u32 = 20;

/// Why a poll ended early. The next one goes on after the last block that was read.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// The nodes.
    #[error(transparent)]
    Nodes(#[from] NodesError),
    /// The runtime lacks what this takes.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The EVM endpoints, which have to be of the same chain.
    #[error(transparent)]
    Evm(#[from] FollowError),
    /// A block that was final is no more.
    #[error("block {0} was final and is another one now: the Substrate endpoints were reset, or are of another chain")]
    FinalReplaced(u64),
}

/// What final blocks tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A log of one of our contracts that no receipt shows.
    BareLog {
        /// The block it is of.
        block: u64,
        /// The log.
        log: EvmLog,
    },
    /// Blocks were passed over: whatever they say is unknown.
    PassedOver {
        /// The first.
        from: u64,
        /// The last.
        until: u64,
    },
    /// TAO came to a contract's own account without a call. It is nobody's, and can be swept to the burn account.
    Surplus {
        /// The contract's name in the deployment file.
        contract: &'static str,
        /// From whom.
        from: AccountId,
        /// How much.
        rao: Rao,
    },
    /// Stake came to a contract's own account. These contracts hold none: nobody can take it out again.
    Stake {
        /// The contract's name in the deployment file.
        contract: &'static str,
        /// On which subnet.
        netuid: u16,
        /// What it is worth or cost.
        rao: Rao,
    },
    /// The subnet that the contracts are for was dissolved.
    Dissolved,
}

/// What is ours.
#[derive(Debug, Clone)]
struct Ours {
    netuid: u16,
    contracts: BTreeSet<Account>,
    accounts: BTreeMap<AccountId, &'static str>,
}

impl Ours {
    fn of(deployment: &Deployment) -> Self {
        let d = deployment;
        let named = [
            ("keepers", d.keepers.address),
            ("vault", d.vault.address),
            ("escrow", d.escrow.address),
            ("arbiter", d.arbiter.address),
            ("bids", d.bids.address),
        ];
        let accounts = named.iter().map(|(name, address)| (AccountId::of_evm(address.0), *name)).collect();
        Self { netuid: d.netuid, contracts: named.into_iter().map(|(_, address)| address).collect(), accounts }
    }

    fn told(&self, event: ChainEvent, block: u64) -> Option<Told> {
        match event {
            ChainEvent::Log(log) if !log.has_receipt && self.contracts.contains(&log.address) => {
                Some(Told::BareLog { block, log })
            }
            ChainEvent::Transfer { from, to, rao, by_call: false } => {
                let contract = self.accounts.get(&to)?;
                Some(Told::Surplus { contract, from, rao })
            }
            ChainEvent::StakeArrived { coldkey, netuid, rao, .. } => {
                let contract = self.accounts.get(&coldkey)?;
                Some(Told::Stake { contract, netuid, rao })
            }
            ChainEvent::NetworkRemoved { netuid } if netuid == self.netuid => Some(Told::Dissolved),
            _ => None,
        }
    }
}

/// Follows final blocks.
pub struct NativeFollower {
    nodes: Nodes,
    endpoints: Endpoints,
    chain_id: u64,
    ours: Ours,
    genesis: Option<Hash32>,
    runtime: Option<Runtime>,
    /// The last block read, where the next one has to follow it.
    last: Option<Head>,
    /// The next one to be read.
    next: Option<u64>,
    /// Whether the last poll read all that was final.
    caught_up: bool,
    /// A block that could not be read, and how often.
    failed: (u64, u32),
}

impl NativeFollower {
    /// Follows the chain of a deployment; nothing is asked yet.
    pub fn new(nodes: Nodes, endpoints: Endpoints, deployment: &Deployment) -> Self {
        let (chain_id, ours) = (deployment.chain_id, Ours::of(deployment));
        Self {
            nodes,
            endpoints,
            chain_id,
            ours,
            genesis: None,
            runtime: None,
            last: None,
            next: None,
            caught_up: false,
            failed: (0, 0),
        }
    }

    /// The runtime of the last block read.
    pub fn runtime(&self) -> Option<&Runtime> {
        self.runtime.as_ref()
    }

    /// The last block read, unless later ones are final already: whoever acts on a block wants the newest.
    pub fn newest(&self) -> Option<Head> {
        self.last.filter(|_| self.caught_up)
    }

    /// The last block read.
    pub fn last(&self) -> Option<Head> {
        self.last
    }

    /// Reads what has become final since, at most [`BLOCKS_AT_ONCE`] blocks, and what stood in the way of more. The
    /// first poll begins at the final block, after making sure that these nodes are of the chain that the EVM endpoints
    /// serve; what was before it is told as passed over.
    pub async fn poll(&mut self) -> (Vec<Told>, Result<(), NativeError>) {
        let mut told = Vec::new();
        let done = self.read_on(&mut told).await;
        (told, done)
    }

    async fn read_on(&mut self, told: &mut Vec<Told>) -> Result<(), NativeError> {
        self.caught_up = false;
        let top = self.nodes.finalized().await?;
        let Some(next) = self.next else {
            self.begin(top).await?;
            (self.last, self.next) = (Some(top), Some(top.number.saturating_add(1)));
            told.push(Told::PassedOver { from: top.number, until: top.number });
            self.caught_up = true;
            return Ok(());
        };
        if let Some(last) = self.last
            && self.nodes.hash_at(last.number).await? != last.hash
        {
            return Err(NativeError::FinalReplaced(last.number));
        }
        let from = next.max(top.number.saturating_sub(CATCH_UP_MAX));
        if from > next {
            self.pass_over(next, from - 1, told);
        }
        for number in from..=top.number.min(from.saturating_add(BLOCKS_AT_ONCE - 1)) {
            match self.block(number).await {
                Ok(more) => told.extend(more),
                // A block that no majority can show, however often it is asked for: pruned, or larger than an answer.
                Err(error) if self.is_hopeless(number) => {
                    tracing::warn!(block = number, %error, "a final block cannot be read");
                    self.pass_over(number, number, told);
                }
                Err(error) => return Err(error),
            }
        }
        self.caught_up = self.next.is_some_and(|next| next > top.number);
        Ok(())
    }

    fn pass_over(&mut self, from: u64, until: u64, told: &mut Vec<Told>) {
        told.push(Told::PassedOver { from, until });
        (self.last, self.next) = (None, Some(until.saturating_add(1)));
    }

    /// Counts failures at one block.
    fn is_hopeless(&mut self, number: u64) -> bool {
        self.failed = if self.failed.0 == number { (number, self.failed.1.saturating_add(1)) } else { (number, 1) };
        self.failed.1 >= TRIES_MAX
    }

    /// One block, which must follow the last.
    async fn block(&mut self, number: u64) -> Result<Vec<Told>, NativeError> {
        let hash = self.nodes.hash_at(number).await?;
        let head = self.nodes.head(hash).await?;
        if head.number != number || self.last.is_some_and(|last| head.parent != last.hash) {
            return Err(NativeError::FinalReplaced(number.saturating_sub(1)));
        }
        let told = match self.events(head).await {
            Ok(events) => {
                let ours = events.into_iter().filter_map(|event| self.ours.told(event, number));
                ours.collect()
            }
            // A block that cannot be decoded is passed over, like one that is too old; it stops nothing.
            Err(NativeError::Codec(error) | NativeError::Nodes(NodesError::Codec(error))) => {
                tracing::warn!(block = number, %error, "a block's events cannot be read");
                vec![Told::PassedOver { from: number, until: number }]
            }
            Err(error) => return Err(error),
        };
        (self.last, self.next) = (Some(head), Some(number.saturating_add(1)));
        Ok(told)
    }

    async fn begin(&mut self, top: Head) -> Result<(), NativeError> {
        self.genesis = Some(self.nodes.genesis().await?);
        let evm = self.evm_block(top.number).await?;
        let runtime = self.runtime_at(top.hash).await?;
        Ok(self.nodes.is_chain_of(&runtime, top, &evm).await?)
    }

    async fn evm_block(&self, number: u64) -> Result<EvmBlock, NativeError> {
        let tag = Tag::Number(number);
        let (block, parent) = self.endpoints.block_at(tag).await?;
        if block.number != number {
            return Err(FollowError::NoBlock(tag).into());
        }
        Ok(EvmBlock { chain_id: self.chain_id, parent, timestamp_secs: block.timestamp_secs })
    }

    /// The runtime of a block; another one than before is read anew, and told once with what it lacks.
    async fn runtime_at(&mut self, at: Hash32) -> Result<Runtime, NativeError> {
        let versions = self.nodes.versions(at).await?;
        if let Some(runtime) = self.runtime.as_ref().filter(|runtime| runtime.spec_version() == versions.spec) {
            return Ok(runtime.clone());
        }
        let runtime = self.nodes.runtime(self.genesis.unwrap_or_default(), at).await?;
        tracing::info!(spec = runtime.spec_version(), block = %at, "the chain's runtime");
        for lack in runtime.lacks() {
            tracing::error!(alert = true, "{lack}");
        }
        self.runtime = Some(runtime.clone());
        Ok(runtime)
    }

    async fn events(&mut self, at: Head) -> Result<Vec<ChainEvent>, NativeError> {
        // A block runs under the code that its parent left; what it leaves itself is the next one's.
        let runtime = self.runtime_at(at.parent).await?;
        if runtime.need(Feature::Events).is_err() {
            // It was told with the runtime.
            return Ok(Vec::new());
        }
        let stored = self.nodes.storage(at.hash, &[runtime.key(&EVENTS, &[])?]).await?;
        Ok(decode(&runtime, stored.into_iter().next().flatten().unwrap_or_default())?)
    }
}

#[cfg(test)]
mod tests;
