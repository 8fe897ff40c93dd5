//! Subtensor's EVM, in memory, for tests.
pub mod account;
pub mod chain;
mod convert;
pub mod ledger;
pub mod precompiles;
pub mod runtime_call;
mod scale;
pub mod staking;
mod state;
pub mod subnet;
pub mod transaction;
mod world;

pub use account::{AccountId, BURN_ACCOUNT};
pub use chain::Chain;
pub use precompiles::Precompile;
pub use runtime_call::RuntimeCall;
pub use transaction::{Outcome, Refused, Status, Tx};
pub use world::{Block, Frame, ProxyRight};
