//! Where every seed comes from. Each derivation is BLAKE3's key derivation under a context of its own, so that no
//! output of one can ever be an output of another; numbers are big-endian.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeSet;

use crate::limits::OPENED_ROWS_MAX;
use crate::params::Params;
use crate::{Address, Bytes32};

/// Contexts of the derivations below, and of the commitment tree. They are part of the protocol.
pub mod context {
    /// The keeper's commitment to the secret of a coming epoch.
    pub const SECRET_COMMITMENT: &str = "surety verifier v2 secret commitment";
    /// E.
    pub const EPOCH_SEED: &str = "surety verifier v2 epoch seed";
    /// What a machine signs instead of E.
    pub const EPOCH_COMMITMENT: &str = "surety verifier v2 epoch commitment";
    /// σ.
    pub const SESSION_SEED: &str = "surety verifier v2 session seed";
    /// σ of one GPU.
    pub const GPU_SEED: &str = "surety verifier v2 gpu seed";
    /// Key of the generator of one A.
    pub const MATRIX_A: &str = "surety verifier v2 matrix a";
    /// Key of the generator of B.
    pub const MATRIX_B: &str = "surety verifier v2 matrix b";
    /// Key of the generator of the secret vectors.
    pub const VECTORS: &str = "surety verifier v2 secret vectors";
    /// Key of the generator of echo nonces.
    pub const ECHO: &str = "surety verifier v2 echo";
    /// Key of the generator that chooses rows to open.
    pub const OPENINGS: &str = "surety verifier v2 openings";
    /// The commitment tree over one round.
    pub const TREE: &str = "surety verifier v2 residue tree";
    /// The commitment tree over a walk's checkpoints.
    pub const CHECKPOINTS: &str = "surety verifier v2 checkpoint tree";
    /// The nonce of a walk.
    pub const WALK_NONCE: &str = "surety verifier v2 walk nonce";
    /// The walk of one GPU.
    pub const WALK: &str = "surety verifier v2 walk";
    /// The statement that a machine signs of its results.
    pub const STATEMENT: &str = "surety verifier v2 root statement";
    /// The statement that a machine signs of its walk.
    pub const WALK_STATEMENT: &str = "surety verifier v2 walk statement";
    /// Digest of a transcript.
    pub const TRANSCRIPT: &str = "surety verifier v2 transcript";
    /// What a keeper derives its epochs' secrets from, of its SSH key.
    pub const EPOCH_MASTER: &str = "surety verifier v2 epoch master";
    /// The secret of one epoch.
    pub const EPOCH_SECRET: &str = "surety verifier v2 epoch secret";
}

/// The root "before" the first round.
pub const ROOT_BEFORE_FIRST: Bytes32 = [0; 32];

/// BLAKE3 key derivation under `context` over the parts, one after the other. Callers pass parts of fixed lengths.
pub(crate) fn derive(context: &str, parts: &[&[u8]]) -> Bytes32 {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// What a keeper publishes an epoch ahead, so that it cannot choose its secret after seeing the block.
#[must_use]
pub fn secret_commitment(keeper_secret: &Bytes32) -> Bytes32 {
    derive(context::SECRET_COMMITMENT, &[keeper_secret])
}

/// E: nobody knows it before the block, and nobody but the keeper before its first session of the epoch.
#[must_use]
pub fn epoch_seed(block_hash: &Bytes32, keeper_secret: &Bytes32) -> Bytes32 {
    derive(context::EPOCH_SEED, &[block_hash, keeper_secret])
}

/// What stands for E in the signed statement.
#[must_use]
pub fn epoch_commitment(epoch_seed: &Bytes32) -> Bytes32 {
    derive(context::EPOCH_COMMITMENT, &[epoch_seed])
}

/// σ: bound to one machine and one keeper, and unknown to everybody before the session starts.
#[must_use]
pub fn session_seed(epoch_seed: &Bytes32, session_random: &Bytes32, keeper: &Address, machine: &Bytes32) -> Bytes32 {
    derive(context::SESSION_SEED, &[epoch_seed, session_random, keeper, machine])
}

/// σ of GPU number `gpu`, counted from 0: two GPUs of a machine never share work.
#[must_use]
pub fn gpu_seed(session_seed: &Bytes32, gpu: u16) -> Bytes32 {
    derive(context::GPU_SEED, &[session_seed, &gpu.to_be_bytes()])
}

/// Key of A for one round: it needs the root before it, so rounds cannot be computed out of order.
#[must_use]
pub fn matrix_a_key(gpu_seed: &Bytes32, round: u32, root_before: &Bytes32) -> Bytes32 {
    derive(context::MATRIX_A, &[gpu_seed, &round.to_be_bytes(), root_before])
}

/// Key of B, the same for a whole epoch.
#[must_use]
pub fn matrix_b_key(epoch_seed: &Bytes32) -> Bytes32 {
    derive(context::MATRIX_B, &[epoch_seed])
}

/// Key of the secret vectors. Its input never leaves the keeper and has nothing to do with E.
#[must_use]
pub(crate) fn vectors_key(vector_secret: &Bytes32) -> Bytes32 {
    derive(context::VECTORS, &[vector_secret])
}

/// ChaCha with 8 rounds, a 64-bit block counter from 0 and `stream` as its 64-bit nonce.
#[must_use]
pub fn generator(key: &Bytes32, stream: u64) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::from_seed(*key);
    generator.set_stream(stream);
    generator
}

/// The 16 bytes of echo number `sequence`: a machine cannot answer an echo that it has not seen.
#[must_use]
pub fn echo_nonce(session_random: &Bytes32, sequence: u16) -> [u8; 16] {
    let mut nonce = [0; 16];
    generator(&derive(context::ECHO, &[session_random]), u64::from(sequence)).fill_bytes(&mut nonce);
    nonce
}

/// The place of one row: which GPU, which round, which row of the round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowAt {
    /// GPU, from 0.
    pub gpu: u16,
    /// Round, from 0.
    pub round: u32,
    /// Row of the round, from 0.
    pub row: u32,
}

/// The place of one leg: which GPU, which walker, which leg of its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegAt {
    /// GPU, from 0.
    pub gpu: u16,
    /// Walker, from 0.
    pub walker: u32,
    /// Leg, from 0.
    pub leg: u32,
}

/// The nonce of a walk. It hangs on bytes that the machine has not seen and on what it signed (the digest of its
/// statement), so no hop can be taken before all results are committed to.
#[must_use]
pub fn walk_nonce(session_random: &Bytes32, statement: &Bytes32) -> Bytes32 {
    derive(context::WALK_NONCE, &[session_random, statement])
}

/// What tells the walk of GPU number `gpu` from every other: the first 8 bytes of a derivation, little-endian.
#[must_use]
pub fn walk_word(nonce: &Bytes32, gpu: u16) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = derive(context::WALK, &[nonce, &gpu.to_be_bytes()]);
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// What a machine has to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Openings {
    /// For each GPU k different rows, uniform over all its rounds, ascending.
    pub rows: Vec<RowAt>,
    /// For each GPU so many different legs, uniform over all its walkers, ascending.
    pub legs: Vec<LegAt>,
}

/// Streams of the generator from this one on choose legs, those below rows.
const LEG_STREAMS: u64 = 1 << 32;

/// The rows and legs to open. They hang on the session's random bytes, which the machine never sees before, and on
/// all that it signed, so neither side could choose with the results in view. `walk_statement` is the digest of the
/// last that was signed.
///
/// `params` must have passed [`Params::check`].
#[must_use]
pub fn choose_openings(params: &Params, count: u16, session_random: &Bytes32, walk_statement: &Bytes32) -> Openings {
    let key = derive(context::OPENINGS, &[session_random, walk_statement]);
    let mut rows = Vec::with_capacity(usize::from(OPENED_ROWS_MAX));
    let mut legs = Vec::new();
    for gpu in 0..count {
        let stream = u64::from(gpu);
        let chosen = chosen(&key, stream, params.openings, params.rounds * params.rows);
        rows.extend(chosen.into_iter().map(|at| RowAt { gpu, round: at / params.rows, row: at % params.rows }));
        let chosen = self::chosen(&key, LEG_STREAMS + stream, params.legs, params.legs_in_all());
        let (walker, leg) = (|at| at / params.legs_each(), |at| at % params.legs_each());
        legs.extend(chosen.into_iter().map(|at| LegAt { gpu, walker: walker(at), leg: leg(at) }));
    }
    Openings { rows, legs }
}

/// `count` different numbers below `bound`.
fn chosen(key: &Bytes32, stream: u64, count: u16, bound: u32) -> BTreeSet<u32> {
    let (mut chosen, mut generator) = (BTreeSet::new(), generator(key, stream));
    while chosen.len() < usize::from(count) {
        chosen.insert(below(&mut generator, bound));
    }
    chosen
}

/// A uniform number below `bound`: little-endian u32 draws; those at or above the largest multiple are thrown away.
fn below(generator: &mut ChaCha8Rng, bound: u32) -> u32 {
    let limit = (1_u64 << 32) / u64::from(bound) * u64::from(bound);
    loop {
        let draw = generator.next_u32();
        if u64::from(draw) < limit {
            return draw % bound;
        }
    }
}
