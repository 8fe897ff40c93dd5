//! Measuring GPUs nobody trusts: the protocol that a keeper and a machine's agent speak, byte for byte.
//!
//! A keeper has no GPU; the miner owns root, the driver and this very program on the machine. So whatever a machine
//! says about itself is a claim, and evidence is only: right answers, to questions asked after a commitment, in time
//! on the keeper's clock. `PROTOCOL.md` beside this crate specifies every byte and says what cannot be proved.
//!
//! The crate is pure: no input or output, no clock, no operating-system randomness, no async. Time (milliseconds of
//! the keeper's monotonic clock) and random bytes are handed in, so every session can be replayed from its transcript.
//!
//! # Layout
//!
//! | module | what it holds |
//! |---|---|
//! | [`limits`] | every hard bound in one place |
//! | [`classes`] | GPU classes: the ids shared with the contracts, and what each must reach |
//! | [`params`] | sizes of one measurement: K, N, M, T, V, k |
//! | [`field`], [`matrix`], [`seed`] | arithmetic mod 65521, the pseudorandom matrices, where every seed comes from |
//! | [`schedule`] | epochs by block number; their secrets, committed to before and revealed after |
//! | [`tree`] | the BLAKE3 tree that commits to the results, and paths through it |
//! | [`freivalds`] | secret vectors and the check of one row |
//! | [`walk`], [`segment`] | dependent reads over all that a device holds, and the check of one leg of them |
//! | [`frame`] | messages, their encoding, the bounded decoder |
//! | [`statement`] | what a machine's host key signs |
//! | [`device`] | the trait of a thing that computes, and the CPU reference |
//! | [`session`] | the two state machines: keeper and prover |
//! | [`gauge`] | soft figures: processors, memory, disk and line, measured modestly |
//! | [`score`] | what measured figures are worth, by published formulas |
//! | [`verdict`], [`transcript`], [`evidence`] | what comes out, what is kept, and how a stranger checks it again |

pub mod classes;
pub mod device;
pub mod evidence;
pub mod field;
pub mod frame;
pub mod freivalds;
pub mod gauge;
mod hexed;
pub mod limits;
pub mod matrix;
pub mod params;
pub mod schedule;
pub mod score;
pub mod seed;
pub mod segment;
pub mod session;
pub mod statement;
pub mod transcript;
pub mod tree;
pub mod verdict;
pub mod walk;
mod wire;

/// A 32-byte value: a seed, a BLAKE3 output, an ed25519 public key.
pub type Bytes32 = [u8; 32];

/// A 20-byte address on the contracts' chain.
pub type Address = [u8; 20];

/// An ed25519 signature, R then S.
pub type Signature = [u8; 64];
