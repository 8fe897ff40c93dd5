//! The reference device: exact, slow, and the oracle for every other one.

use std::thread::JoinHandle;

use super::product::Product;
use super::{Device, DeviceError, FillJob, Held, Opening};
use crate::Bytes32;
use crate::frame::Leaf;
use crate::matrix;
use crate::seed::{self, ROOT_BEFORE_FIRST};

/// Computes on the processor, in a thread of its own, so that several behave like several GPUs.
#[derive(Debug, Default)]
pub struct CpuDevice {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    Working(JoinHandle<Held>),
    Ready(Held),
}

impl CpuDevice {
    /// An idle device.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn work(&mut self, name: &str, work: impl FnOnce() -> Held + Send + 'static) -> Result<(), DeviceError> {
        let thread = std::thread::Builder::new().name(name.into());
        let handle = thread.spawn(work).map_err(|error| DeviceError::Failed(error.to_string()))?;
        self.state = State::Working(handle);
        Ok(())
    }

    /// What is held, once whatever is being done is done.
    fn held(&mut self) -> Result<&Held, DeviceError> {
        let held = self.take()?;
        self.state = State::Ready(held);
        match &self.state {
            State::Ready(held) => Ok(held),
            State::Idle | State::Working(_) => Err(DeviceError::NotFilled),
        }
    }

    fn take(&mut self) -> Result<Held, DeviceError> {
        match std::mem::take(&mut self.state) {
            State::Idle => Err(DeviceError::NotFilled),
            State::Working(handle) => handle.join().map_err(|_| DeviceError::Failed("the thread panicked".into())),
            State::Ready(held) => Ok(held),
        }
    }
}

impl Device for CpuDevice {
    fn start(&mut self, job: FillJob) -> Result<(), DeviceError> {
        self.state = State::Idle;
        self.work("surety-fill", move || fill(&job))
    }

    fn finish(&mut self) -> Result<Vec<Bytes32>, DeviceError> {
        Ok(self.held()?.roots())
    }

    fn open(&mut self, round: u32, row: u32) -> Result<Opening, DeviceError> {
        self.held()?.open(round, row)
    }

    fn start_walk(&mut self, word: u64) -> Result<(), DeviceError> {
        let mut held = self.take()?;
        self.work("surety-walk", move || {
            let checkpoints = held.checkpoints(word, |at| held.line(at));
            held.keep_walk(word, &checkpoints);
            held
        })
    }

    fn finish_walk(&mut self) -> Result<Bytes32, DeviceError> {
        self.held()?.walk_root()
    }

    fn open_leg(&mut self, walker: u32, leg: u32) -> Result<Vec<Leaf>, DeviceError> {
        self.held()?.open_leg(walker, leg)
    }

    fn release(&mut self) {
        self.state = State::Idle;
    }
}

/// All rounds of a job, computed here and now.
#[must_use]
pub fn fill(job: &FillJob) -> Held {
    let params = job.params;
    let b = matrix::whole(&seed::matrix_b_key(&job.epoch_seed), params.inner, params.cols);
    let product = Product::new(&b, params.inner, params.cols);
    let mut held = Held::new(params);
    let mut root = ROOT_BEFORE_FIRST;
    for round in 0..params.rounds {
        let a_key = seed::matrix_a_key(&job.gpu_seed, round, &root);
        root = held.push(product.residues(&matrix::whole(&a_key, params.rows, params.inner), params.rows));
    }
    held
}
