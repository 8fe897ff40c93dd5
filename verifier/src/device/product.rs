//! The product of a round on the processor, by a library's kernels where those are exact.
//!
//! The library multiplies unsigned by signed bytes. a + 128 is unsigned, and 128 is then taken off again as the zero
//! point of A: the sums are those of a, in 32 bits, exact because K * 255 * 128 < 2^31. On processors without the
//! instructions for it the library's kernel may saturate in 16 bits; there `matrix::row_times` does the work, which is
//! the definition and what the tests compare with.

use rayon::prelude::*;
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix, QuantParams};
use rten_tensor::NdTensorView;

use crate::{field, matrix};

/// B, ready to be multiplied with.
pub(super) enum Product<'a> {
    /// By the library.
    Packed { executor: GemmExecutor<u8, i8, i32>, b: PackedBMatrix<i8>, inner: usize, cols: usize },
    /// By the definition.
    Plain { b: &'a [i8], inner: usize, cols: usize },
}

impl<'a> Product<'a> {
    /// With B of `inner` rows and `cols` columns.
    pub(super) fn new(b: &'a [i8], inner: u32, cols: u32) -> Self {
        let (inner, cols) = (inner as usize, cols as usize);
        let executor = GemmExecutor::<u8, i8, i32>::new();
        if executor.may_saturate() {
            return Self::Plain { b, inner, cols };
        }
        let b = executor.prepack_b(NdTensorView::from_data([inner, cols], b));
        Self::Packed { executor, b, inner, cols }
    }

    /// The residues of A times B as bytes, row after row. A has `rows` rows.
    pub(super) fn residues(&self, a: &[i8], rows: u32) -> Vec<u8> {
        match self {
            Self::Plain { b, inner, cols } => {
                let rows = a.par_chunks(*inner);
                rows.flat_map_iter(|a| matrix::to_bytes(&matrix::row_times(a, b, *cols))).collect()
            }
            Self::Packed { executor, b, inner, cols } => {
                let sums = sums(executor, b, a, (rows as usize, *inner, *cols));
                sums.par_iter().flat_map_iter(|sum| field::residue(*sum).to_le_bytes()).collect()
            }
        }
    }
}

fn sums(
    executor: &GemmExecutor<u8, i8, i32>,
    b: &PackedBMatrix<i8>,
    a: &[i8],
    (rows, inner, cols): (usize, usize, usize),
) -> Vec<i32> {
    let lifted: Vec<u8> = a.iter().map(|a| a.cast_unsigned() ^ 0x80).collect();
    let zero = vec![128; rows];
    let mut sums = vec![0; rows * cols];
    let a = GemmInputA::Unpacked(NdTensorView::from_data([rows, inner], &lifted[..]));
    let options = GemmOptions { a_quant: Some(QuantParams { zero_point: &zero }), ..GemmOptions::default() };
    let done = executor.gemm(&mut sums, a, GemmInputB::Packed(b), options);
    assert!(done.is_ok(), "the sizes of the product are its own: {done:?}");
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// K is the largest there is, where sums of the lifted bytes come within 0.4 % of 2^31.
    #[test]
    fn the_largest_sums_there_can_be_are_those_of_the_definition() {
        const INNER: u32 = 1 << 16;
        let same = |byte: i8, count: u32| vec![byte; count as usize];
        for (left, right) in [(-128, -128), (127, 127), (-128, 127), (127, -128)] {
            let (a, b) = (same(left, 2 * INNER), same(right, 64 * INNER));
            let right = matrix::to_bytes(&matrix::row_times(&a[..INNER as usize], &b, 64));
            assert_eq!(Product::new(&b, INNER, 64).residues(&a, 2), right.repeat(2));
        }
    }
}
