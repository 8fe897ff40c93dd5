//! Proves from chain what is deployed: the code, the constructor that ran, every parameter, every rao.
//!
//! The chain is asked at one block, by views; logs are only asked who else might have a role. What is proved is proved
//! as far as the node tells the truth: audit through a node of one's own.

mod books;
mod origin;
mod powers;
mod read;
mod report;
mod settings;

pub use report::{Line, Part, Power, Report, Sum, Verdict};

use crate::chain::At;
use crate::network::Network;
use crate::record::DeploymentFile;
use read::Limits;
use report::Lines;
use surety_client::provider::{Node, NodeError, Tag};
use surety_core::types::Hash32;

/// What an audit goes by.
#[derive(Debug, Clone)]
pub struct AuditOptions {
    /// The chain it must be.
    pub network: Network,
    /// The block; none: the last final one, on a local chain the newest.
    pub block: Option<u64>,
    /// Most nodes, rentals, cases and bids read, of each.
    pub records_max: u64,
    /// Requests at once.
    pub at_once: usize,
}

impl AuditOptions {
    /// The usual ones: 200,000 records are some hours at ten requests a second.
    pub fn new(network: Network) -> Self {
        Self { network, block: None, records_max: 200_000, at_once: 16 }
    }
}

/// Why there is no audit. What an audit finds is in its report instead.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The node is on another chain.
    #[error("the node is on chain {found}, {network} is chain {}: change --network or --rpc", network.chain_id())]
    WrongChain {
        /// What was asked for.
        network: Network,
        /// What the node says.
        found: u64,
    },
    /// The file is of another chain.
    #[error("the deployment file is of {found}, not of {network}: change --network or --deployment")]
    WrongFile {
        /// What was asked for.
        network: Network,
        /// What the file says.
        found: Network,
    },
    /// No such block.
    #[error("the node has no such block to audit at: {0}")]
    NoBlock(String),
    /// The contracts are newer.
    #[error(
        "block {block} is before the deployment was complete, block {made}: wait until that is final, or name --block"
    )]
    TooEarly {
        /// Asked for.
        block: u64,
        /// Of the last contract.
        made: u64,
    },
    /// More than anybody wants to read.
    #[error("there are {count} {what}, more than {max}: raise --records-max if that is not a lie of the node's")]
    TooMany {
        /// Of which.
        what: &'static str,
        /// How many.
        count: u64,
        /// How many are read.
        max: u64,
    },
    /// The block is gone.
    #[error("block {0} was replaced by another while it was read: run the audit again")]
    Reorganised(u64),
    /// The node failed.
    #[error(transparent)]
    Node(#[from] NodeError),
}

/// Audits what `file` records, through `node`.
///
/// # Errors
/// There is nothing to audit, or no way to: see [`AuditError`].
pub async fn audit(node: &Node, file: &DeploymentFile, options: &AuditOptions) -> Result<Report, AuditError> {
    let network = options.network;
    let found = node.chain_id().await?;
    if found != network.chain_id() {
        return Err(AuditError::WrongChain { network, found });
    }
    if file.record.network != network {
        return Err(AuditError::WrongFile { network, found: file.record.network });
    }
    let (block, block_hash, block_secs) = pinned(node, options).await?;
    if block < file.deployment.block {
        return Err(AuditError::TooEarly { block, made: file.deployment.block });
    }
    let at = At { node: node.clone(), block };
    let mut lines = origin::record(file).all;
    lines.extend(origin::code(&at, file).await.all);
    lines.extend(origin::creation(&at, file).await.all);
    lines.extend(settings::settings(&at, file).await.all);
    let (owner, holders) = settings::owner(&at, file).await;
    lines.extend(owner.all);
    let limits = Limits { records: options.records_max, at_once: options.at_once.max(1) };
    let (books, sums) = match read::snapshot(&at, file, limits).await {
        Ok(all) => books::recount(&all, !network.is_subtensor()),
        Err(AuditError::Node(error)) => (unreadable(&error), vec![]),
        Err(other) => return Err(other),
    };
    lines.extend(books.all);
    let (powers, more) = powers::powers(&at, file, &holders).await;
    lines.extend(more);
    if pinned(node, &AuditOptions { block: Some(block), ..options.clone() }).await?.1 != block_hash {
        return Err(AuditError::Reorganised(block));
    }
    let bad = |line: &Line| matches!(line.verdict, Verdict::Broken | Verdict::Unproved);
    let holds = !lines.iter().any(bad);
    Ok(Report { network, block, block_hash, block_secs, lines, sums, powers, holds })
}

fn unreadable(error: &NodeError) -> Lines {
    let mut lines = Lines::new(Part::Ledgers);
    lines.unproved(format!("the ledgers could not be read: {error}"));
    lines
}

async fn pinned(node: &Node, options: &AuditOptions) -> Result<(u64, Hash32, u64), AuditError> {
    let (tag, name) = match (options.block, options.network) {
        (Some(number), _) => (Tag::Number(number), number.to_string()),
        (None, Network::Local) => (Tag::Latest, "latest".into()),
        (None, _) => (Tag::Finalized, "finalized".into()),
    };
    let block = node.header(tag).await?.and_then(|header| header.to_ref());
    let block = block.ok_or(AuditError::NoBlock(name))?;
    Ok((block.number, block.hash, block.timestamp_secs))
}
