//! What checking costs a keeper, at the size of a real card, against computing the same rows.
//!
//! `cargo bench -p surety-verifier` : K = 32768, N = 8192, M = 4096, V = 4, 256 rows and 64 legs of one GPU, on one
//! core. The rows are right ones, in a round that is otherwise noise (nobody computes a whole round of this size on a
//! processor), under a real tree. Printed: CPU seconds to prepare an epoch and the bytes it keeps; milliseconds for 256
//! openings and for 64 legs; how many times cheaper the openings are than computing their rows (B generated once for
//! all of them); bytes on the wire.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use rand_core::RngCore;
use std::time::Duration;
use surety_verifier::device::Held;
use surety_verifier::frame::{self, Frame, Root, Row, Segment};
use surety_verifier::freivalds::EpochSecrets;
use surety_verifier::params::Params;
use surety_verifier::seed::{self, LegAt, RowAt};
use surety_verifier::segment::Walked;
use surety_verifier::tree::{self, Kind, Place, Tree};
use surety_verifier::{Bytes32, matrix};

/// Rows computed in full; each is checked several times to make up 256 openings.
const ROWS: u32 = 16;
const OPENINGS: usize = 256;
const LEGS: u16 = 64;
const REPEATS: usize = 5;
const SIGMA: Bytes32 = [5; 32];

/// Time this thread has run, as Linux counts it: what else the machine does is left out.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split_whitespace().next().unwrap().parse().unwrap())
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let before = cpu();
    let done = work();
    (done, cpu() - before)
}

fn main() {
    // `cargo test` builds and runs benches too: only `cargo bench` says --bench.
    if !std::env::args().any(|word| word == "--bench") {
        return;
    }
    let one_core = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    one_core.install(run);
}

fn run() {
    let params = Params { openings: 256, ..Params::full(81_920, 1 << 17, 1) };
    let (secrets, prepared) = timed(|| EpochSecrets::new([1; 32], &[2; 32], &[3; 32], &params));
    // Vectors are kept in halves of two bytes each.
    let kept = usize::from(params.vectors) * (2 * params.inner + 4 * params.cols) as usize;
    println!("epoch prepared in {:.3} s, {} KiB kept", prepared.as_secs_f64(), kept / 1024);

    let a_key = seed::matrix_a_key(&seed::gpu_seed(&SIGMA, 0), 1, &[4; 32]);
    let at: Vec<u32> = (0..ROWS).map(|n| n * params.rows / ROWS + n).collect();
    let of_a: Vec<_> = at.iter().map(|row| matrix::row(&a_key, *row, params.inner)).collect();
    let b_key = seed::matrix_b_key(&secrets.epoch().seed);
    let (right, computed) = timed(|| matrix::rows_from_seed(&params, &b_key, &of_a));

    let (root, shown) = opened(&params, &at, &right);
    let check = |row: &Row| {
        tree::verify(&params, &root, row.at.row, &row.block, &row.path).unwrap();
        let residues = matrix::from_bytes(tree::row_in_block(&params, row.at.row, &row.block));
        secrets.check_row(&matrix::row(&a_key, row.at.row, params.inner), &residues).unwrap();
    };
    let all = || shown.iter().cycle().take(OPENINGS).for_each(check);
    let checked = (0..REPEATS).map(|_| timed(all).1).min().unwrap();
    println!("{OPENINGS} openings checked in {:.1} ms (best of {REPEATS})", checked.as_secs_f64() * 1e3);
    let ratio = (computed.as_secs_f64() / f64::from(ROWS)) / (checked.as_secs_f64() / OPENINGS as f64);
    println!("computing a row: {:.1} ms, {ratio:.0} times as much", computed.as_secs_f64() * 1e3 / f64::from(ROWS));
    wire(&params, &shown[0], &legs());
}

/// 64 legs of a walk over one round of noise, checked; the path to a round's root is as long as on a full card.
fn legs() -> Segment {
    let params = Params { rounds: 1, hops: 1 << 10, legs: LEGS, ..Params::full(81_920, 1 << 17, 1) };
    let mut round = vec![0_u8; params.rows as usize * params.row_bytes()];
    seed::generator(&[8; 32], 0).fill_bytes(&mut round);
    let mut held = Held::new(params);
    held.push(round);
    let nonce = [7; 32];
    let word = seed::walk_word(&nonce, 0);
    let (checkpoints, walked) = timed(|| held.checkpoints(word, |at| held.line(at)));
    let roots = [held.keep_walk(word, &checkpoints)];
    let root = Root { count: 1, rounds: 1, roots: held.roots(), signature: [0; 64] };
    let at = |number: u32| LegAt { gpu: 0, walker: number * 500, leg: 1 + number % 31 };
    let open = |at: LegAt| Segment { at, leaves: held.open_leg(at.walker, at.leg).unwrap() };
    let shown: Vec<Segment> = (0..u32::from(LEGS)).map(at).map(open).collect();
    let under = Walked { params: &params, root: &root, roots: &roots, nonce: &nonce };
    let all = || shown.iter().for_each(|segment| under.check(segment).unwrap());
    let checked = (0..REPEATS).map(|_| timed(all).1).min().unwrap();
    println!("{LEGS} legs checked in {:.1} ms (best of {REPEATS})", checked.as_secs_f64() * 1e3);
    let hops = f64::from(params.walkers) * f64::from(params.hops);
    println!("walking on one core: {:.0} ns a hop", walked.as_nanos() as f64 / hops);
    shown[0].clone()
}

/// The root of a round of noise with the right rows in it, and those rows opened.
fn opened(params: &Params, at: &[u32], right: &[Vec<u16>]) -> (Bytes32, Vec<Row>) {
    let mut round = vec![0_u8; params.rows as usize * params.row_bytes()];
    seed::generator(&[9; 32], 0).fill_bytes(&mut round);
    for (row, residues) in at.iter().zip(right) {
        let start = *row as usize * params.row_bytes();
        round[start..start + params.row_bytes()].copy_from_slice(&matrix::to_bytes(residues));
    }
    let tree = Tree::build(Kind::Residues, &round);
    let open = |row: &u32| {
        let place = Place::of_row(params, *row).unwrap();
        let offset = place.offset();
        let block = round[offset..offset + params.block_bytes()].to_vec();
        Row { at: RowAt { gpu: 0, round: 1, row: *row }, block, path: tree.path(&place) }
    };
    (tree.root(), at.iter().map(open).collect())
}

fn wire(params: &Params, row: &Row, leg: &Segment) {
    let rows = frame::encode(&Frame::Row(row.clone())).len() * OPENINGS;
    // On a full card the checkpoints' paths have 20 hashes, here 13.
    let legs = (frame::encode(&Frame::Segment(leg.clone())).len() + 2 * 7 * 32) * usize::from(LEGS);
    let roots = params.rounds as usize * 32 + 5 + 6 + 64;
    let mib = |bytes: usize| bytes as f64 / 1_048_576.0;
    let (rows, all) = (mib(rows + roots), mib(rows + roots + legs));
    println!("a session of {} rounds: {all:.2} MiB from the machine, {rows:.2} without legs", params.rounds);
}
