//! Prepares measurements: the epoch's secrets, from the operating system's randomness, and a fresh challenge each time.
//!
//! The secret vectors are never stored and never leave the process. A restart begins a new epoch, and a bad proof
//! rotates the vectors.

pub mod spoof;

use crate::adapters::evm::{Endpoints, FollowError};
use std::sync::{Arc, Mutex};
use surety_core::types::{Account, MachineId};
use surety_verifier::classes::ClassId;
use surety_verifier::freivalds::EpochSecrets;
use surety_verifier::params::Params;
use surety_verifier::session::{Challenge, Limits};

/// Why no challenge could be made.
#[derive(Debug, thiserror::Error)]
pub enum ChallengeError {
    /// The class cannot be measured here (yet).
    #[error("class {class} cannot be measured on chain {chain_id}: {why}")]
    Class {
        /// Its id.
        class: u16,
        /// The chain.
        chain_id: u64,
        /// What the verifier said.
        why: String,
    },
    /// No block to seed the epoch with.
    #[error(transparent)]
    Chain(#[from] FollowError),
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness: {0}")]
    Random(String),
    /// A thread died while preparing.
    #[error("preparing the epoch failed; restart the keeper")]
    Died,
}

/// Makes challenges for one keeper.
#[derive(Debug)]
pub struct Epochs {
    endpoints: Endpoints,
    chain_id: u64,
    keeper: Account,
    /// One epoch for each size of work.
    ready: Mutex<Vec<(Params, Arc<EpochSecrets>)>>,
}

/// Sizes of work held at once.
const EPOCHS_MAX: usize = 32;

impl Epochs {
    /// For the keeper `keeper` on the chain that `endpoints` are on.
    pub fn new(endpoints: Endpoints, chain_id: u64, keeper: Account) -> Self {
        Self { endpoints, chain_id, keeper, ready: Mutex::new(Vec::new()) }
    }

    /// A fresh challenge for a machine, and what its answers are checked with.
    pub async fn challenge(
        &self,
        machine: MachineId,
        registration: u32,
        gpu_class: u16,
        gpu_count: u16,
    ) -> Result<(Challenge, Arc<EpochSecrets>), ChallengeError> {
        let class = ClassId(gpu_class);
        let params = Params::cpu_small(gpu_count);
        let secrets = self.secrets(&params).await?;
        let challenge = Challenge {
            chain_id: self.chain_id,
            keeper: self.keeper.0,
            machine: machine.0,
            registration,
            class,
            count: gpu_count,
            params,
            epoch: *secrets.epoch(),
            session_random: random()?,
            limits: Limits::cpu_test(),
        };
        challenge.check().map_err(|e| ChallengeError::Class {
            class: gpu_class,
            chain_id: self.chain_id,
            why: e.to_string(),
        })?;
        Ok((challenge, secrets))
    }

    /// Forgets all secrets: the next challenge draws new ones.
    pub fn rotate(&self) {
        if let Ok(mut ready) = self.ready.lock() {
            ready.clear();
        }
    }

    async fn secrets(&self, params: &Params) -> Result<Arc<EpochSecrets>, ChallengeError> {
        if let Some(found) = self.find(params) {
            return Ok(found);
        }
        let block_hash = self.endpoints.newest().await?.hash.0;
        let (keeper_secret, vector_secret) = (random()?, random()?);
        let sizes = *params;
        let drawing =
            tokio::task::spawn_blocking(move || EpochSecrets::new(block_hash, &keeper_secret, &vector_secret, &sizes));
        let secrets = Arc::new(drawing.await.map_err(|_| ChallengeError::Died)?);
        if let Ok(mut ready) = self.ready.lock() {
            ready.truncate(EPOCHS_MAX - 1);
            ready.push((*params, secrets.clone()));
        }
        Ok(secrets)
    }

    fn find(&self, params: &Params) -> Option<Arc<EpochSecrets>> {
        let ready = self.ready.lock().ok()?;
        ready.iter().find(|(sizes, _)| sizes == params).map(|(_, secrets)| secrets.clone())
    }
}

fn random() -> Result<[u8; 32], ChallengeError> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| ChallengeError::Random(e.to_string()))?;
    Ok(bytes)
}
