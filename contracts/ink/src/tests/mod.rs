//! The vault in ink!'s off-chain environment, against the model of the chain (`alpha-model`).
//!
//! That environment runs messages as plain functions: a refusal does not roll anything back there. The harness rolls
//! the model back, and checks that the vault itself had not written anything.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, clippy::cast_possible_truncation)]

mod books;
mod cases;
mod court;
mod deposits;
mod exits;
mod fair;
mod harness;
mod hazards;
mod peers;
mod sequences;
mod statements;
