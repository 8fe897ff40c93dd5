//! A device on top of another one: it does what that one does, save for what it does otherwise. For whoever tests those
//! that measure: cards that lie, wait or count.

use super::{Device, DeviceError, FillJob, Opening};
use crate::Bytes32;
use crate::frame::Leaf;

/// What is done otherwise. Each method does as [`Over::inner`] does until it is written anew; they are those of
/// [`Device`].
#[allow(missing_docs, clippy::missing_errors_doc, reason = "they are Device's, and documented there")]
pub trait Over: Send {
    /// The device below.
    fn inner(&mut self) -> &mut dyn Device;

    fn start(&mut self, job: FillJob) -> Result<(), DeviceError> {
        self.inner().start(job)
    }

    fn finish(&mut self) -> Result<Vec<Bytes32>, DeviceError> {
        self.inner().finish()
    }

    fn open(&mut self, round: u32, row: u32) -> Result<Opening, DeviceError> {
        self.inner().open(round, row)
    }

    fn start_walk(&mut self, word: u64) -> Result<(), DeviceError> {
        self.inner().start_walk(word)
    }

    fn finish_walk(&mut self) -> Result<Bytes32, DeviceError> {
        self.inner().finish_walk()
    }

    fn open_leg(&mut self, walker: u32, leg: u32) -> Result<Vec<Leaf>, DeviceError> {
        self.inner().open_leg(walker, leg)
    }

    fn release(&mut self) {
        self.inner().release();
    }
}

/// Makes a [`Device`] of what is [`Over`] one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Atop<T>(pub T);

impl<T: Over> Device for Atop<T> {
    fn start(&mut self, job: FillJob) -> Result<(), DeviceError> {
        self.0.start(job)
    }

    fn finish(&mut self) -> Result<Vec<Bytes32>, DeviceError> {
        self.0.finish()
    }

    fn open(&mut self, round: u32, row: u32) -> Result<Opening, DeviceError> {
        self.0.open(round, row)
    }

    fn start_walk(&mut self, word: u64) -> Result<(), DeviceError> {
        self.0.start_walk(word)
    }

    fn finish_walk(&mut self) -> Result<Bytes32, DeviceError> {
        self.0.finish_walk()
    }

    fn open_leg(&mut self, walker: u32, leg: u32) -> Result<Vec<Leaf>, DeviceError> {
        self.0.open_leg(walker, leg)
    }

    fn release(&mut self) {
        self.0.release();
    }
}
