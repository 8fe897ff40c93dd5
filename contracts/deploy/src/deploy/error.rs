//! Why a deployment did not succeed, and what to do.

use crate::artifacts::Kind;
use crate::network::Network;
use crate::plan::PlanError;
use crate::record::FileError;
use std::path::PathBuf;
use surety_client::provider::NodeError;
use surety_core::types::{Account, Hash32};

/// Whoever watched asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted; run the same command again to go on")]
pub struct Interrupted;

/// Why it did not. What was sent is in the journal in every case.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The node is on another chain.
    #[error("the node is on chain {found}, {network} is chain {}: change --network or --rpc", network.chain_id())]
    WrongChain {
        /// What was asked for.
        network: Network,
        /// What the node says.
        found: u64,
    },
    /// Another run has the folder.
    #[error("another deployment is running in {0}: wait for it, two at once would take each other's nonces")]
    Locked(PathBuf),
    /// There is a deployment on this chain already.
    #[error("{path} is of another deployment ({why}): move it away to deploy anew beside that one")]
    OtherDeployment {
        /// The file.
        path: PathBuf,
        /// What differs.
        why: &'static str,
    },
    /// A journal that this run cannot go on with.
    #[error(
        "{path} is the journal of another deployment ({why}): go on with what it was begun with, or remove it to begin \
         anew; what was created then is lost, gas and seeds, nothing else"
    )]
    OtherJournal {
        /// The file.
        path: PathBuf,
        /// What differs.
        why: &'static str,
    },
    /// A nonce is gone.
    #[error(
        "nonce {nonce} of {deployer}, meant for {kind}, was used by another transaction. The contracts' addresses follow \
         from the deployer's nonces and are named in each other, so this deployment can never be completed: remove \
         {journal} and begin anew, with an account that nothing else uses meanwhile. Lost are gas and seeds, nothing else"
    )]
    ForeignNonce {
        /// Which.
        nonce: u64,
        /// Whose.
        deployer: Account,
        /// For which contract.
        kind: Kind,
        /// The file to be removed.
        journal: PathBuf,
    },
    /// A nonce is about to go.
    #[error(
        "{count} transactions of {deployer} that are not this deployment's wait in the node's pool: wait until they are \
         in blocks, and use an account that nothing else uses meanwhile"
    )]
    ForeignPending {
        /// How many.
        count: u64,
        /// Whose.
        deployer: Account,
    },
    /// The chain knows less than the journal.
    #[error(
        "the next nonce of {deployer} on this chain is {found}, the journal {journal} is at {wanted}: another chain, or \
         one that was reset; remove the journal to begin anew"
    )]
    ChainBehind {
        /// Whose.
        deployer: Account,
        /// On chain.
        found: u64,
        /// In the journal.
        wanted: u64,
        /// The file.
        journal: PathBuf,
    },
    /// A constructor refused before anything was sent.
    #[error("{kind} would not be created: {why}")]
    WouldRevert {
        /// Which.
        kind: Kind,
        /// What the constructor or the chain said.
        why: String,
    },
    /// It was in a block and failed.
    #[error(
        "the creation of {kind} (transaction {transaction}) failed in its block. Its nonce is used, so this deployment \
         can never be completed: remove {journal} and begin anew"
    )]
    Reverted {
        /// Which.
        kind: Kind,
        /// Its transaction.
        transaction: Hash32,
        /// The file to be removed.
        journal: PathBuf,
    },
    /// Something else is where the contract should be.
    #[error("the code at {address} is not {kind}'s (keccak256 {found}, expected {wanted}): do not use this deployment")]
    OtherCode {
        /// Which.
        kind: Kind,
        /// Where.
        address: Account,
        /// What is there.
        found: Hash32,
        /// What should be.
        wanted: Hash32,
    },
    /// It is there, and the node does not say since when.
    #[error(
        "{kind} is at {address}, but the node has no receipt for it: run the same command again, or with another node"
    )]
    NoReceipt {
        /// Which.
        kind: Kind,
        /// Where.
        address: Account,
    },
    /// It takes too long.
    #[error("{what} is not done after {secs} s; run the same command again to go on waiting")]
    NotYet {
        /// What was waited for.
        what: String,
        /// How long.
        secs: u64,
    },
    /// The key could not sign.
    #[error("the key could not sign")]
    Signing(#[from] alloy::signers::Error),
    /// Asked to.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// Nothing to deploy.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Journal or deployment file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The node failed.
    #[error(transparent)]
    Node(#[from] NodeError),
}
