//! `deployments/<chainId>.partial.json`: what was sent so far. Written before a transaction is sent, so that whatever
//! interrupts a deployment, the next run knows every transaction there can be, and never makes a second for a nonce.

use crate::artifacts::Kind;
use crate::network::Network;
use crate::params::Params;
use crate::plan::{Plan, Step};
use crate::record::{FileError, read_json, write_json};
use alloy::primitives::Bytes;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use surety_core::types::{Account, Hash32};

/// A deployment under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// The chain it is on.
    pub chain_id: u64,
    /// Whose nonces.
    pub deployer: Account,
    /// The nonce of the first contract.
    pub first_nonce: u64,
    /// What everything follows from.
    pub parameters: Params,
    /// In order.
    pub sent: Vec<Sent>,
}

/// A transaction that was signed, and may have been sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// What it creates.
    pub contract: Kind,
    /// Where.
    pub address: Account,
    /// At which nonce.
    pub nonce: u64,
    /// Its hash.
    pub transaction: Hash32,
    /// The block it was seen in.
    pub block: Option<u64>,
    /// The signed bytes: what is sent again is exactly this.
    pub raw: Bytes,
}

impl Journal {
    /// Where the journal of a chain is.
    pub fn path(dir: &Path, network: Network) -> PathBuf {
        dir.join(format!("{}.partial.json", network.chain_id()))
    }

    /// Reads one; `None` when no deployment is under way.
    ///
    /// # Errors
    /// The file is no journal.
    pub fn read(path: &Path) -> Result<Option<Self>, FileError> {
        read_json(path, "the journal of a deployment")
    }

    /// A new one, nothing sent.
    pub fn new(plan: &Plan, chain_id: u64) -> Self {
        Self {
            chain_id,
            deployer: plan.deployer,
            first_nonce: plan.first_nonce(),
            parameters: plan.params.clone(),
            sent: Vec::new(),
        }
    }

    /// Writes it, to disk.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        write_json(path, self)
    }

    /// What was signed for a step.
    pub fn sent_for(&self, step: &Step) -> Option<&Sent> {
        self.sent.iter().find(|sent| sent.nonce == step.nonce)
    }

    /// Notes the block a step was seen in.
    pub(crate) fn settle(&mut self, nonce: u64, block: u64) {
        for sent in self.sent.iter_mut().filter(|sent| sent.nonce == nonce) {
            sent.block = Some(block);
        }
    }
}
