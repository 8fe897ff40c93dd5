//! The prover on a processor against a plain int8 product of an existing library on the same cores.
//!
//! `cargo bench -p surety-verifier --bench prover` : K = 8192, N = 2048, M = 2048, T = 4. Both use all cores. The
//! prover generates A, multiplies, reduces mod p, hashes the tree and waits for each root before it begins the next
//! round; the plain product only multiplies, with B packed beforehand and A at hand. Printed: int8 operations a second
//! of each, and the first as a share of the second.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions};
use rten_tensor::NdTensorView;
use std::hint::black_box;
use std::time::Instant;
use surety_verifier::device::{FillJob, fill};
use surety_verifier::matrix;
use surety_verifier::params::Params;

const PARAMS: Params = Params {
    inner: 8_192,
    cols: 2_048,
    rows: 2_048,
    rounds: 4,
    vectors: 4,
    openings: 1,
    walkers: 16,
    hops: 512,
    legs: 1,
};
const REPEATS: usize = 5;

fn plain(params: &Params) -> f64 {
    let executor = GemmExecutor::<u8, i8, i32>::new();
    let b = matrix::whole(&[1; 32], params.inner, params.cols);
    let (inner, cols, rows) = (params.inner as usize, params.cols as usize, params.rows as usize);
    let b = executor.prepack_b(NdTensorView::from_data([inner, cols], &b[..]));
    let a: Vec<u8> = matrix::whole(&[2; 32], params.rows, params.inner).iter().map(|a| a.cast_unsigned()).collect();
    let mut sums = vec![0_i32; rows * cols];
    let begun = Instant::now();
    for _ in 0..params.rounds {
        let a = GemmInputA::Unpacked(NdTensorView::from_data([rows, inner], &a[..]));
        executor.gemm(&mut sums, a, GemmInputB::Packed(&b), GemmOptions::default()).unwrap();
        black_box(&sums);
    }
    begun.elapsed().as_secs_f64()
}

fn prover(params: &Params) -> f64 {
    // What is done once for all rounds is measured apart and taken off: B, and packing it.
    let job = |rounds| FillJob { params: Params { rounds, ..*params }, epoch_seed: [1; 32], gpu_seed: [2; 32] };
    let timed = |rounds| {
        let begun = Instant::now();
        black_box(fill(&job(rounds)));
        begun.elapsed().as_secs_f64()
    };
    timed(params.rounds + 1) - timed(1)
}

fn main() {
    // `cargo test` builds and runs benches too: only `cargo bench` says --bench.
    if !std::env::args().any(|word| word == "--bench") {
        return;
    }
    let best = |run: fn(&Params) -> f64| (0..REPEATS).map(|_| run(&PARAMS)).fold(f64::INFINITY, f64::min);
    let (plain, prover) = (best(plain), best(prover));
    let gops = |seconds: f64| PARAMS.operations() as f64 / seconds / 1e9;
    println!("plain product: {:.0} int8 operations a nanosecond", gops(plain));
    println!("prover: {:.0}, {:.0} % of that", gops(prover), 100.0 * plain / prover);
}
