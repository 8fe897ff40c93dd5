//! What a keeper sets out to measure.

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use crate::classes::ClassId;
use crate::frame::Start;
use crate::freivalds::{Epoch, EpochSecrets};
use crate::limits::{GPUS_MAX, OPENED_LEGS_MAX, OPENED_ROWS_MAX};
use crate::params::{Params, ParamsError};
use crate::seed;
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
    /// Until the walk's commitment; later than this, nothing is measured.
    pub walk_ms: u64,
    /// Until the walk's commitment, the round trip forgiven; later than this, the memory is too slow for the class.
    pub walk_pass_ms: u64,
    /// All rows and legs together.
    pub open_ms: u64,
}

impl Limits {
    /// Generous limits for the CPU test class: whatever is right within a minute passes.
    #[must_use]
    pub const fn cpu_test() -> Self {
        Self {
            hello_ms: 10_000,
            echo_ms: 20_000,
            compute_ms: 60_000,
            compute_pass_ms: 60_000,
            walk_ms: 60_000,
            walk_pass_ms: 60_000,
            open_ms: 60_000,
        }
    }

    /// Longest that a session can last.
    #[must_use]
    pub fn total_ms(&self) -> u64 {
        let phases = [self.hello_ms, self.echo_ms, self.compute_ms, self.walk_ms, self.open_ms];
        phases.iter().fold(0, |sum, ms| sum.saturating_add(*ms))
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
    /// Nobody has said yet what the class must reach.
    #[error("{0} has no minima yet: it cannot be proven")]
    NotCalibrated(ClassId),
    /// Less work, or more time, than the class asks for. A weaker check must not pass for it.
    #[error("{what} is less than {class} asks for: take the sizes of its plan, and no more than its times")]
    Weaker {
        /// The class.
        class: ClassId,
        /// Sizes or times.
        what: &'static str,
    },
    /// No GPU, or too many.
    #[error("{0} GPUs: 1 to {GPUS_MAX} can be measured")]
    Count(u16),
    /// Sizes out of bounds.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// More rows or legs than a session may open.
    #[error("{count} {what} to open: at most {most}")]
    Openings {
        /// Rows or legs.
        what: &'static str,
        /// On all GPUs.
        count: u32,
        /// Most that there may be.
        most: u16,
    },
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
        if self.count == 0 || self.count > GPUS_MAX {
            return Err(SetupError::Count(self.count));
        }
        self.params.check()?;
        let opened = [("rows", self.params.openings, OPENED_ROWS_MAX), ("legs", self.params.legs, OPENED_LEGS_MAX)];
        for (what, each, most) in opened {
            let count = u32::from(each) * u32::from(self.count);
            if count > u32::from(most) {
                return Err(SetupError::Openings { what, count, most });
            }
        }
        let Limits { hello_ms, echo_ms, compute_ms, compute_pass_ms, walk_ms, walk_pass_ms, open_ms } = self.limits;
        if [hello_ms, echo_ms, compute_ms, compute_pass_ms, walk_ms, walk_pass_ms, open_ms].contains(&0) {
            return Err(SetupError::Limits);
        }
        self.check_strength()
    }

    /// The CPU test class claims nothing, so any sizes do for it.
    fn check_strength(&self) -> Result<(), SetupError> {
        let class = self.class;
        if class == ClassId::CPU_TEST {
            return Ok(());
        }
        let plan = Plan::of(class, self.count).ok_or(SetupError::NotCalibrated(class))?;
        if self.params != plan.params {
            return Err(SetupError::Weaker { class, what: "the work" });
        }
        let (given, most) = (&self.limits, &plan.limits);
        if given.compute_pass_ms > most.compute_pass_ms || given.walk_pass_ms > most.walk_pass_ms {
            return Err(SetupError::Weaker { class, what: "the speed" });
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
