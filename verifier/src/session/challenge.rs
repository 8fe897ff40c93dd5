//! What a keeper sets out to measure.

use serde::{Deserialize, Serialize};

use crate::classes::ClassId;
use crate::frame::Start;
use crate::freivalds::{Epoch, EpochSecrets};
use crate::limits::{GPUS_MAX, OPENED_ROWS_MAX};
use crate::params::{Params, ParamsError};
use crate::seed;
use crate::verdict::Phase;
use crate::{Address, Bytes32};

/// Time that a session's phases may take, each from the end of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Until the machine's hello.
    pub hello_ms: u64,
    /// All echoes together.
    pub echo_ms: u64,
    /// Until the commitment; later than this, nothing is measured.
    pub compute_ms: u64,
    /// Until the commitment, the round trip forgiven; later than this, the machine is too slow for its class.
    pub compute_pass_ms: u64,
    /// All rows together.
    pub open_ms: u64,
}

impl Limits {
    /// Generous limits for the CPU test class: whatever is right within a minute passes.
    #[must_use]
    pub const fn cpu_test() -> Self {
        Self { hello_ms: 10_000, echo_ms: 20_000, compute_ms: 60_000, compute_pass_ms: 60_000, open_ms: 60_000 }
    }

    /// Longest that a session can last.
    #[must_use]
    pub fn total_ms(&self) -> u64 {
        [self.hello_ms, self.echo_ms, self.compute_ms, self.open_ms].iter().fold(0, |sum, ms| sum.saturating_add(*ms))
    }
}

/// One measurement, as the keeper sets it. Public once the session is over; before, `session_random` is a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// Chain that the keeper works for.
    pub chain_id: u64,
    /// Address of the keeper.
    #[serde(with = "crate::hexed")]
    pub keeper: Address,
    /// Host key of the machine.
    #[serde(with = "crate::hexed")]
    pub machine: Bytes32,
    /// The machine's registration.
    pub registration: u32,
    /// Class to be shown.
    pub class: ClassId,
    /// GPUs to be shown, 1 to 16.
    pub count: u16,
    /// Sizes.
    pub params: Params,
    /// The epoch, as in [`EpochSecrets::epoch`].
    pub epoch: Epoch,
    /// 32 fresh bytes of the operating system's randomness; never the same twice.
    #[serde(with = "crate::hexed")]
    pub session_random: Bytes32,
    /// Times.
    pub limits: Limits,
}

impl std::fmt::Debug for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Challenge")
            .field("chain_id", &self.chain_id)
            .field("machine", &hex::encode(self.machine))
            .field("class", &self.class)
            .field("count", &self.count)
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

/// A measurement that cannot be made. All are the keeper's own mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The class does not exist on this chain.
    #[error("class {class} cannot be measured on chain {chain_id}", class = .class.0)]
    Class {
        /// The class.
        class: ClassId,
        /// The chain.
        chain_id: u64,
    },
    /// The class asks for more than this version can show. A weaker check must not pass for it.
    #[error("{class} needs the {phase:?} phase, which this version does not have: it cannot be proven")]
    PhaseNotBuilt {
        /// The class.
        class: ClassId,
        /// What is missing.
        phase: Phase,
    },
    /// No GPU, or too many.
    #[error("{0} GPUs: 1 to {GPUS_MAX} can be measured")]
    Count(u16),
    /// Sizes out of bounds.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// More rows than a session may open.
    #[error("{0} rows to open: at most {OPENED_ROWS_MAX}")]
    Openings(u32),
    /// The secrets are of another epoch or of other sizes.
    #[error("the epoch's secrets are not for this epoch and these sizes: prepare them anew")]
    Secrets,
    /// A phase without time.
    #[error("every limit must be at least 1 ms")]
    Limits,
}

impl Challenge {
    /// Refuses what cannot be measured.
    ///
    /// # Errors
    /// Says which part is wrong.
    pub fn check(&self) -> Result<(), SetupError> {
        let (class, chain_id) = (self.class, self.chain_id);
        if !class.allowed_on(chain_id) {
            return Err(SetupError::Class { class, chain_id });
        }
        if class.class().is_some_and(|class| class.random_mb_per_sec_min.is_some()) {
            return Err(SetupError::PhaseNotBuilt { class, phase: Phase::Walk });
        }
        if self.count == 0 || self.count > GPUS_MAX {
            return Err(SetupError::Count(self.count));
        }
        self.params.check()?;
        let openings = u32::from(self.params.openings) * u32::from(self.count);
        if openings > u32::from(OPENED_ROWS_MAX) {
            return Err(SetupError::Openings(openings));
        }
        let Limits { hello_ms, echo_ms, compute_ms, compute_pass_ms, open_ms } = self.limits;
        if [hello_ms, echo_ms, compute_ms, compute_pass_ms, open_ms].contains(&0) {
            return Err(SetupError::Limits);
        }
        Ok(())
    }

    pub(crate) fn check_with(&self, secrets: &EpochSecrets) -> Result<(), SetupError> {
        self.check()?;
        if secrets.fit(&self.epoch, &self.params) { Ok(()) } else { Err(SetupError::Secrets) }
    }

    /// The work as the machine gets it.
    #[must_use]
    pub fn start(&self) -> Start {
        let session_seed = seed::session_seed(&self.epoch.seed, &self.session_random, &self.keeper, &self.machine);
        Start {
            chain_id: self.chain_id,
            keeper: self.keeper,
            machine: self.machine,
            registration: self.registration,
            class: self.class,
            count: self.count,
            params: self.params,
            epoch_seed: self.epoch.seed,
            session_seed,
        }
    }
}
