//! The CPU device is the oracle: it must agree with plain arithmetic to the last bit.

use surety_verifier::device::{CpuDevice, Device, DeviceError, FillJob};
use surety_verifier::params::Params;
use surety_verifier::seed::{self, ROOT_BEFORE_FIRST};
use surety_verifier::{matrix, tree};

use crate::rig::TINY;

const JOB: FillJob = FillJob { params: Params::cpu_small(1), epoch_seed: [5; 32], gpu_seed: [6; 32] };

/// One entry by the definition: Σ a·b over 64-bit integers, then the residue.
fn entry(a: &[i8], b: &[i8], cols: usize, col: usize) -> u16 {
    let sum: i64 = (0..a.len()).map(|k| i64::from(a[k]) * i64::from(b[k * cols + col])).sum();
    u16::try_from(sum.rem_euclid(65_521)).unwrap()
}

fn filled(job: FillJob) -> (CpuDevice, Vec<[u8; 32]>) {
    let mut device = CpuDevice::new();
    device.start(job).unwrap();
    let roots = device.finish().unwrap();
    (device, roots)
}

#[test]
fn every_residue_is_that_of_a_naive_product_over_64_bit_integers() {
    let params = JOB.params;
    let (mut device, roots) = filled(JOB);
    let b = matrix::whole(&seed::matrix_b_key(&JOB.epoch_seed), params.inner, params.cols);
    let mut before = ROOT_BEFORE_FIRST;
    for round in 0..params.rounds {
        let key = seed::matrix_a_key(&JOB.gpu_seed, round, &before);
        for row in 0..params.rows {
            let a = matrix::row(&key, row, params.inner);
            let opening = device.open(round, row).unwrap();
            let shown = matrix::from_bytes(tree::row_in_block(&params, row, &opening.block));
            let right: Vec<u16> = (0..256).map(|col| entry(&a, &b, 256, col)).collect();
            assert_eq!(shown, right, "round {round}, row {row}");
        }
        before = roots[round as usize];
    }
}

#[test]
fn extreme_entries_do_not_overflow() {
    let (a, b) = (vec![-128_i8; 1 << 16], vec![-128_i8; 1 << 16]);
    assert_eq!(matrix::row_times(&a, &b, 1), [entry(&a, &b, 1, 0)]);
    let b = vec![127_i8; 1 << 16];
    assert_eq!(matrix::row_times(&a, &b, 1), [entry(&a, &b, 1, 0)]);
}

#[test]
fn rows_recomputed_from_the_seed_alone_are_those_of_the_device() {
    let (mut device, roots) = filled(JOB);
    let params = JOB.params;
    let places = [(0, 0), (0, 63), (3, 17), (7, 63)];
    let rows_of_a: Vec<_> = places
        .iter()
        .map(|(round, row)| {
            let before = if *round == 0 { ROOT_BEFORE_FIRST } else { roots[*round as usize - 1] };
            matrix::row(&seed::matrix_a_key(&JOB.gpu_seed, *round, &before), *row, params.inner)
        })
        .collect();
    let right = matrix::rows_from_seed(&params, &seed::matrix_b_key(&JOB.epoch_seed), &rows_of_a);
    for ((round, row), right) in places.into_iter().zip(right) {
        let opening = device.open(round, row).unwrap();
        assert_eq!(matrix::from_bytes(tree::row_in_block(&params, row, &opening.block)), right);
    }
}

#[test]
fn every_row_opens_to_its_root_and_to_no_other_place() {
    for params in [JOB.params, TINY, Params { cols: 1024, rows: 4, rounds: 1, ..TINY }] {
        let (mut device, roots) = filled(FillJob { params, ..JOB });
        for row in 0..params.rows {
            let opening = device.open(0, row).unwrap();
            let verify = |root, row| tree::verify(&params, root, row, &opening.block, &opening.path);
            assert_eq!(verify(&roots[0], row), Ok(()));
            let elsewhere = (row + params.rows / 2) % params.rows;
            assert_eq!(verify(&roots[0], elsewhere), Err(tree::PathError::OtherRoot));
        }
    }
}

#[test]
fn a_root_is_the_plain_blake3_of_the_rounds_bytes() {
    let params = Params { cols: 1024, rows: 4, rounds: 1, ..TINY };
    let (mut device, roots) = filled(FillJob { params, ..JOB });
    let bytes: Vec<u8> = (0..params.rows).flat_map(|row| device.open(0, row).unwrap().block).collect();
    assert_eq!(roots, [blake3::derive_key(seed::context::TREE, &bytes)]);
}

#[test]
fn two_gpus_and_two_rounds_never_share_results() {
    let (_, first) = filled(JOB);
    let (_, second) = filled(FillJob { gpu_seed: [7; 32], ..JOB });
    let mut all: Vec<_> = first.into_iter().chain(second).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 16);
}

#[test]
fn a_device_without_results_says_so() {
    let mut device = CpuDevice::new();
    assert_eq!(device.finish(), Err(DeviceError::NotFilled));
    assert_eq!(device.open(0, 0), Err(DeviceError::NotFilled));
    let (mut device, _) = filled(JOB);
    assert_eq!(device.open(8, 0), Err(DeviceError::NoSuchRow { round: 8, row: 0 }));
    assert_eq!(device.open(0, 64), Err(DeviceError::NoSuchRow { round: 0, row: 64 }));
    device.release();
    assert_eq!(device.open(0, 0), Err(DeviceError::NotFilled));
}
