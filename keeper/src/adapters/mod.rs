//! One external system each.

pub mod anchors;
pub mod clock;
pub mod evm;
pub mod http;
pub mod ssh;
pub mod store;
pub mod substrate;
pub mod verify;
