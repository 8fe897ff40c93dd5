//! A thing that has memory and runs kernels: NVIDIA's driver, or the tests' processor.

use crate::kernel::Kernel;
use surety_verifier::device::DeviceError;

/// Why a card did not do as it was told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// The card has less memory left than is asked for.
    #[error("{asked_mib} MiB are asked for, the card has {free_mib} MiB left: is another program using it?")]
    Memory {
        /// What was asked for.
        asked_mib: u64,
        /// What there is.
        free_mib: u64,
    },
    /// The driver refused; the text is its own.
    #[error("{what}: {why}")]
    Driver {
        /// What was being done.
        what: &'static str,
        /// What the driver said.
        why: String,
    },
}

impl From<CardError> for DeviceError {
    fn from(error: CardError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// A block of a card's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block(pub usize);

/// A byte of a card's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// The block.
    pub block: Block,
    /// Bytes from its beginning; a multiple of 16.
    pub offset: u64,
}

impl Block {
    /// The byte at `offset`.
    #[must_use]
    pub fn at(self, offset: u64) -> At {
        At { block: self, offset }
    }
}

/// A card. Kernels run in the order in which they were given, and a read waits for all before it.
pub trait Card: Send {
    /// Sets memory aside, aligned to 256 bytes, with whatever is in it.
    ///
    /// # Errors
    /// When there is not so much.
    fn reserve(&mut self, bytes: u64) -> Result<Block, CardError>;

    /// Runs a kernel, some time.
    ///
    /// # Errors
    /// When it cannot be run, or one before it failed.
    fn run(&mut self, kernel: &Kernel) -> Result<(), CardError>;

    /// Reads memory.
    ///
    /// # Errors
    /// When it cannot be read, or a kernel before it failed.
    fn read(&mut self, from: At, bytes: usize) -> Result<Vec<u8>, CardError>;

    /// Gives all memory back.
    fn release(&mut self);
}
