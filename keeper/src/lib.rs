//! The keeper service and the command line `surety`.
//!
//! # Layout
//! - [`config`]: `keeper.toml`, read, checked against the chain, and turned into typed settings;
//! - [`ports`]: what the runtime needs of the world, as traits documented by their obligations;
//! - [`adapters`]: one external system each: chain, SSH, store, HTTP, clock;
//! - [`outbox`]: carries intents to the chain, one lane, exactly once;
//! - [`runtime`]: the loop: inputs into the log, one transaction a step, effects out;
//! - [`cli`]: the subcommands.

pub mod adapters;
pub mod cli;
pub mod config;
pub mod outbox;
pub mod ports;
pub mod runtime;
pub mod telemetry;
