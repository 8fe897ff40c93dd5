//! The reference device: exact, slow, and the oracle for every other one.

use std::thread::JoinHandle;

use rayon::prelude::*;

use super::{Device, DeviceError, FillJob, Opening};
use crate::Bytes32;
use crate::matrix;
use crate::params::Params;
use crate::seed::{self, ROOT_BEFORE_FIRST};
use crate::tree::{self, Tree};

/// Computes on the processor, in a thread of its own, so that several behave like several GPUs.
#[derive(Debug, Default)]
pub struct CpuDevice {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    Filling(JoinHandle<Filled>),
    Filled(Filled),
}

#[derive(Debug)]
struct Filled {
    params: Params,
    rounds: Vec<Round>,
}

#[derive(Debug)]
struct Round {
    residues: Vec<u8>,
    tree: Tree,
}

impl CpuDevice {
    /// An idle device.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Device for CpuDevice {
    fn start(&mut self, job: FillJob) -> Result<(), DeviceError> {
        let thread = std::thread::Builder::new().name("surety-fill".into());
        let handle = thread.spawn(move || fill(&job)).map_err(|error| DeviceError::Failed(error.to_string()))?;
        self.state = State::Filling(handle);
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Bytes32>, DeviceError> {
        let filled = match std::mem::take(&mut self.state) {
            State::Idle => return Err(DeviceError::NotFilled),
            State::Filling(handle) => handle.join().map_err(|_| DeviceError::Failed("the thread panicked".into()))?,
            State::Filled(filled) => filled,
        };
        let roots = filled.rounds.iter().map(|round| round.tree.root()).collect();
        self.state = State::Filled(filled);
        Ok(roots)
    }

    fn open(&mut self, round: u32, row: u32) -> Result<Opening, DeviceError> {
        let State::Filled(filled) = &self.state else {
            return Err(DeviceError::NotFilled);
        };
        let found = filled.rounds.get(round as usize).filter(|_| row < filled.params.rows);
        let found = found.ok_or(DeviceError::NoSuchRow { round, row })?;
        let offset = tree::block_offset(&filled.params, row);
        let block = found.residues[offset..offset + filled.params.block_bytes()].to_vec();
        Ok(Opening { block, path: found.tree.path(&filled.params, row) })
    }

    fn release(&mut self) {
        self.state = State::Idle;
    }
}

fn fill(job: &FillJob) -> Filled {
    let params = job.params;
    let b = matrix::whole(&seed::matrix_b_key(&job.epoch_seed), params.inner, params.cols);
    let mut rounds = Vec::with_capacity(params.rounds as usize);
    let mut root = ROOT_BEFORE_FIRST;
    for round in 0..params.rounds {
        let a_key = seed::matrix_a_key(&job.gpu_seed, round, &root);
        let residues = multiply(&params, &a_key, &b);
        let tree = Tree::build(&residues);
        root = tree.root();
        rounds.push(Round { residues, tree });
    }
    Filled { params, rounds }
}

/// One round's residues as bytes, row after row.
fn multiply(params: &Params, a_key: &Bytes32, b: &[i8]) -> Vec<u8> {
    let rows = (0..params.rows).into_par_iter();
    rows.flat_map_iter(|index| {
        let a = matrix::row(a_key, index, params.inner);
        matrix::to_bytes(&matrix::row_times(&a, b, params.cols as usize))
    })
    .collect()
}
