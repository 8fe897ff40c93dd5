//! Whole worlds from a seed: several keepers that run the real core and the real outbox logic, a model of the contracts
//! and their chain, machines, liars, crashes, clocks.
//!
//! # Layout
//!
//! | module | what |
//! |---|---|
//! | `options`, `rng` | what kind of world a seed is; chance that repeats |
//! | `chain` | blocks, forks, finality, pools; the contracts as `contracts/SPEC.md` says them |
//! | `machines`, `proofs` | machines, the truth about their service and cards; stand-in proofs of capacity |
//! | `keeper`, `disk`, `rpc`, `net` | one keeper's process round the core, what survives it, what it sees |
//! | `actors` | renters, miners, the keeper set's owner, liars, a meddler |
//! | `check` | what must hold always, and what must have happened in the end |
//! | `oracle` | a naive judge that recomputes everything from one keeper's history |
//! | `summary`, `tally`, `week` | what is measured; what a long run was like |

mod actors;
mod chain;
mod check;
mod disk;
mod env;
mod keeper;
mod machines;
mod net;
mod options;
mod oracle;
mod proofs;
mod rng;
mod rpc;
mod summary;
mod tally;
mod week;
mod world;

pub use summary::Stats;
pub use world::{Outcome, run_calm, run_seed, run_week};

/// Seconds of a week.
pub const WEEK_SECS: u64 = 604_800;

/// Seconds under faults unless told otherwise: long enough for several rentals of each machine.
pub const FAULT_SECS: u64 = 3_600;
