//! The loop and everything round it.
//!
//! One thread owns the state: it takes an input, steps, commits input and wishes in one transaction, and only then lets
//! the wishes out. Tasks round it turn the world into inputs (ticks, the chain, peers) and wishes into deeds. Every
//! channel is bounded; a full one slows its sender down.

mod core_loop;
mod deeds;
mod feeds;
mod gauges;
mod market;
mod measurements;
mod mirror;
mod native;
mod points;
mod spans;
mod spoofs;
mod start;
mod stating;
mod upkeep;
mod weights;

pub use start::{RunError, run};
