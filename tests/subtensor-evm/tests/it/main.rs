//! What Subtensor does to contracts, shown on naive ones and on Surety's.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, missing_docs, unreachable_pub)]

mod court;
mod court_gas;
mod d1_delegatecall;
mod d3_money;
mod d5_gas_and_locks;
mod d7_seeing;
mod differential;
mod gas;
mod kit;
mod life;
mod naive;
mod naive_abi;
mod node;
mod precompiles;
mod surety;
mod walk;
