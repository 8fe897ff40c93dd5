//! The outside world, one system per module.

pub mod ssh;
