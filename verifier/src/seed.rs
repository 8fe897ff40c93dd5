//! Where every seed comes from. Each derivation is BLAKE3's key derivation under a context of its own, so that no
//! output of one can ever be an output of another; numbers are big-endian.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

use crate::limits::OPENED_ROWS_MAX;
use crate::params::Params;
use crate::{Address, Bytes32};

/// Contexts of the derivations below, and of the commitment tree. They are part of the protocol.
pub mod context {
    /// The keeper's commitment to the secret of a coming epoch.
    pub const SECRET_COMMITMENT: &str = "surety verifier v1 secret commitment";
    /// E.
    pub const EPOCH_SEED: &str = "surety verifier v1 epoch seed";
    /// What a machine signs instead of E.
    pub const EPOCH_COMMITMENT: &str = "surety verifier v1 epoch commitment";
    /// σ.
    pub const SESSION_SEED: &str = "surety verifier v1 session seed";
    /// σ of one GPU.
    pub const GPU_SEED: &str = "surety verifier v1 gpu seed";
    /// Key of the generator of one A.
    pub const MATRIX_A: &str = "surety verifier v1 matrix a";
    /// Key of the generator of B.
    pub const MATRIX_B: &str = "surety verifier v1 matrix b";
    /// Key of the generator of the secret vectors.
    pub const VECTORS: &str = "surety verifier v1 secret vectors";
    /// Key of the generator of echo nonces.
    pub const ECHO: &str = "surety verifier v1 echo";
    /// Key of the generator that chooses rows to open.
    pub const OPENINGS: &str = "surety verifier v1 openings";
    /// The commitment tree over one round.
    pub const TREE: &str = "surety verifier v1 residue tree";
    /// The statement that a machine signs.
    pub const STATEMENT: &str = "surety verifier v1 root statement";
    /// Digest of a transcript.
    pub const TRANSCRIPT: &str = "surety verifier v1 transcript";
    /// What a keeper derives its epochs' secrets from, of its SSH key.
    pub const EPOCH_MASTER: &str = "surety verifier v1 epoch master";
    /// The secret of one epoch.
    pub const EPOCH_SECRET: &str = "surety verifier v1 epoch secret";
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

/// The rows to open: for each of `count` GPUs, k different rows, uniform over all its rounds, in ascending order.
///
/// They hang on the session's random bytes, which the machine never sees before, and on what it signed, so neither
/// side could choose the rows with the results in view. `statement` is the digest that was signed.
///
/// `params` must have passed [`Params::check`].
#[must_use]
pub fn choose_openings(params: &Params, count: u16, session_random: &Bytes32, statement: &Bytes32) -> Vec<RowAt> {
    let key = derive(context::OPENINGS, &[session_random, statement]);
    let mut all = Vec::with_capacity(usize::from(OPENED_ROWS_MAX));
    for gpu in 0..count {
        let mut chosen = std::collections::BTreeSet::new();
        let mut generator = generator(&key, u64::from(gpu));
        while chosen.len() < usize::from(params.openings) {
            chosen.insert(below(&mut generator, params.rounds * params.rows));
        }
        all.extend(chosen.into_iter().map(|at| RowAt { gpu, round: at / params.rows, row: at % params.rows }));
    }
    all
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
