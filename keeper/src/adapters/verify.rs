//! Prepares measurements: the epoch's work and secret vectors, and a fresh challenge each time.
//!
//! The epoch's secret was committed to (`/v1/epochs`) and its block is final, so a keeper that has run for a day does
//! not choose what a machine is given. The secret vectors come from the operating system's randomness, are never
//! stored and never leave the process: a restart draws new ones, and so does a bad proof.

pub mod spoof;

use crate::adapters::evm::{Endpoints, FollowError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use surety_core::types::{Account, MachineId};
use surety_verifier::Bytes32;
use surety_verifier::classes::ClassId;
use surety_verifier::freivalds::EpochSecrets;
use surety_verifier::params::Params;
use surety_verifier::schedule::{self, Master};
use surety_verifier::session::{Challenge, Plan};

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
    master: Master,
    /// What is prepared, of the present epoch.
    ready: Mutex<Ready>,
    /// Held while it is prepared: all members of a round want the same at once.
    preparing: tokio::sync::Mutex<()>,
}

/// One for each size of work.
#[derive(Debug, Default)]
struct Ready {
    /// Its number and block.
    epoch: Option<(u64, Bytes32)>,
    sizes: Vec<Arc<EpochSecrets>>,
}

/// Sizes of work held at once.
const SIZES_MAX: usize = 32;

impl Epochs {
    /// For the keeper `keeper` on the chain that `endpoints` are on.
    pub fn new(endpoints: Endpoints, chain_id: u64, keeper: Account, master: Master) -> Self {
        Self { endpoints, chain_id, keeper, master, ready: Mutex::default(), preparing: Default::default() }
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
        let unmeasured = |why| ChallengeError::Class { class: gpu_class, chain_id: self.chain_id, why };
        let plan = Plan::of(class, gpu_count).ok_or_else(|| unmeasured("nobody has said what it must reach".into()))?;
        let Plan { params, limits } = plan;
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
            limits,
        };
        challenge.check().map_err(|error| unmeasured(error.to_string()))?;
        Ok((challenge, secrets))
    }

    /// Forgets all vectors: the next challenge draws new ones.
    pub fn rotate(&self) {
        self.ready().sizes.clear();
    }

    async fn secrets(&self, params: &Params) -> Result<Arc<EpochSecrets>, ChallengeError> {
        let number = schedule::epoch_of(self.endpoints.final_number().await?);
        if let Some(found) = self.find(number, params) {
            return Ok(found);
        }
        let _one = self.preparing.lock().await;
        if let Some(found) = self.find(number, params) {
            return Ok(found);
        }
        let block_hash = self.block_hash(number).await?;
        let (epoch, vector_secret, sizes) = (self.master.epoch(number, block_hash), random()?, *params);
        let drawing = tokio::task::spawn_blocking(move || EpochSecrets::of(epoch, &vector_secret, &sizes));
        let secrets = Arc::new(drawing.await.map_err(|_| ChallengeError::Died)?);
        self.keep((number, block_hash), secrets.clone());
        Ok(secrets)
    }

    /// Asked for once an epoch: nodes may prune the block meanwhile.
    async fn block_hash(&self, epoch: u64) -> Result<Bytes32, ChallengeError> {
        let known = self.ready().epoch;
        match known {
            Some((number, hash)) if number == epoch => Ok(hash),
            _ => Ok(self.endpoints.hash_at(schedule::first_block(epoch)).await?.0),
        }
    }

    fn find(&self, epoch: u64, params: &Params) -> Option<Arc<EpochSecrets>> {
        let ready = self.ready();
        let now = ready.epoch.is_some_and(|(number, _)| number == epoch);
        ready.sizes.iter().find(|secrets| now && secrets.fit(secrets.epoch(), params)).cloned()
    }

    fn keep(&self, epoch: (u64, Bytes32), secrets: Arc<EpochSecrets>) {
        let mut ready = self.ready();
        if ready.epoch != Some(epoch) {
            *ready = Ready { epoch: Some(epoch), sizes: Vec::new() };
        }
        ready.sizes.truncate(SIZES_MAX - 1);
        ready.sizes.push(secrets);
    }

    fn ready(&self) -> MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 32 fresh bytes.
pub(crate) fn random() -> Result<Bytes32, ChallengeError> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| ChallengeError::Random(e.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
