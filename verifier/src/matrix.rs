//! The pseudorandom matrices and one row of their product, from seeds alone.

use rand_core::RngCore;
use rayon::prelude::*;

use crate::Bytes32;
use crate::field;
use crate::params::Params;
use crate::seed::generator;

/// Row `row` of a matrix: the first `length` bytes of the generator's stream `row`, each as a two's complement int8.
#[must_use]
pub fn row(key: &Bytes32, row: u32, length: u32) -> Vec<i8> {
    let mut bytes = vec![0_u8; length as usize];
    generator(key, u64::from(row)).fill_bytes(&mut bytes);
    bytes.into_iter().map(u8::cast_signed).collect()
}

/// A whole matrix, row by row: `rows` × `cols` bytes.
#[must_use]
pub fn whole(key: &Bytes32, rows: u32, cols: u32) -> Vec<i8> {
    (0..rows).into_par_iter().flat_map_iter(|index| row(key, index, cols)).collect()
}

/// One row of A times B: N residues. `a` has K entries, `b` K×N.
#[must_use]
pub fn row_times(a: &[i8], b: &[i8], cols: usize) -> Vec<u16> {
    let mut sums = vec![0_i32; cols];
    for (a, b_row) in a.iter().zip(b.chunks_exact(cols)) {
        add_scaled(&mut sums, *a, b_row);
    }
    sums.into_iter().map(field::residue).collect()
}

/// The right residues of several rows at once, B streamed from its seed and never held: what anybody can recompute.
/// Each of `rows_of_a` has K entries. Time: K·N multiplications a row.
#[must_use]
pub fn rows_from_seed(params: &Params, b_key: &Bytes32, rows_of_a: &[Vec<i8>]) -> Vec<Vec<u16>> {
    let mut sums = vec![vec![0_i32; params.cols as usize]; rows_of_a.len()];
    for index in 0..params.inner {
        let b_row = row(b_key, index, params.cols);
        sums.par_iter_mut().zip(rows_of_a).for_each(|(sums, a)| add_scaled(sums, a[index as usize], &b_row));
    }
    sums.into_iter().map(|row| row.into_iter().map(field::residue).collect()).collect()
}

/// `sums += a·b`. |a·b| ≤ 2^14 and K ≤ 2^16, so a sum stays within 2^30.
fn add_scaled(sums: &mut [i32], a: i8, b: &[i8]) {
    let a = i32::from(a);
    for (sum, b) in sums.iter_mut().zip(b) {
        *sum += a * i32::from(*b);
    }
}

/// Residues as they lie in memory: two bytes each, little-endian.
#[must_use]
pub fn to_bytes(residues: &[u16]) -> Vec<u8> {
    residues.iter().flat_map(|residue| residue.to_le_bytes()).collect()
}

/// Residues from memory. A last odd byte would be dropped; callers pass whole rows.
#[must_use]
pub fn from_bytes(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect()
}
