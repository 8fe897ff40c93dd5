//! Things that compute. A device fills, commits, walks and opens; it knows nothing of sessions, keys or time.

mod cpu;
mod held;
mod over;
mod product;

pub use cpu::{CpuDevice, fill};
pub use held::Held;
pub use over::{Atop, Over};

use crate::Bytes32;
use crate::frame::Leaf;
use crate::params::Params;

/// The work of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FillJob {
    /// Sizes; they have passed [`Params::check`].
    pub params: Params,
    /// E, from which B comes.
    pub epoch_seed: Bytes32,
    /// σ of this device, from which every A comes.
    pub gpu_seed: Bytes32,
}

/// A row and what authenticates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The aligned block of whole leaves that holds the row.
    pub block: Vec<u8>,
    /// Siblings from the block up to the round's root.
    pub path: Vec<Bytes32>,
}

/// Why a device did not do its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// Asked for results before they were there.
    #[error("the device has no results: start and finish a fill first")]
    NotFilled,
    /// A row that was never computed.
    #[error("round {round}, row {row} is outside of what was computed")]
    NoSuchRow {
        /// The round.
        round: u32,
        /// The row.
        row: u32,
    },
    /// Asked for a walk's results before they were there.
    #[error("the device has not walked: start and finish a walk first")]
    NotWalked,
    /// A leg that was never walked.
    #[error("walker {walker}, leg {leg} is outside of what was walked")]
    NoSuchLeg {
        /// The walker.
        walker: u32,
        /// The leg.
        leg: u32,
    },
    /// The device itself failed; the text is for the machine's owner.
    #[error("the device failed: {0}")]
    Failed(String),
}

/// A device. All devices of a machine are started before any is waited for, so that none can work for two.
pub trait Device: Send {
    /// Begins to compute, and returns without waiting. Drops whatever was held before.
    ///
    /// # Errors
    /// When the device cannot begin.
    fn start(&mut self, job: FillJob) -> Result<(), DeviceError>;

    /// Waits for the results and returns the T roots, in order. Blocks for as long as the computation takes.
    ///
    /// # Errors
    /// When nothing was started, or the device failed.
    fn finish(&mut self) -> Result<Vec<Bytes32>, DeviceError>;

    /// Opens one row of the results.
    ///
    /// # Errors
    /// When there are no results, or no such row.
    fn open(&mut self, round: u32, row: u32) -> Result<Opening, DeviceError>;

    /// Begins to walk over what was filled, and returns without waiting. `word` is [`crate::seed::walk_word`].
    ///
    /// # Errors
    /// When there are no results, or the device cannot begin.
    fn start_walk(&mut self, word: u64) -> Result<(), DeviceError>;

    /// Waits for the walk and returns the root over its checkpoints. Blocks for as long as the walk takes.
    ///
    /// # Errors
    /// When no walk was started, or the device failed.
    fn finish_walk(&mut self) -> Result<Bytes32, DeviceError>;

    /// Opens one leg: its leaves, as [`crate::frame::Segment::leaves`] has them.
    ///
    /// # Errors
    /// When there was no walk, or no such leg.
    fn open_leg(&mut self, walker: u32, leg: u32) -> Result<Vec<Leaf>, DeviceError>;

    /// Gives the memory back.
    fn release(&mut self);
}
