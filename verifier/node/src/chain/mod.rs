//! The chain behind [`crate::reconcile::ChainReader`].

mod evm;

pub use evm::{ConnectError, EvmReader};
