//! The agent a miner runs on a machine for rent. It makes access match the chain and answers keepers' measurements.
//!
//! # Layout
//!
//! | module | what |
//! |---|---|
//! | [`config`], [`hostkey`] | the configuration file; the machine's identity |
//! | [`access`] | who may be let in, and what a silent chain changes about it; pure |
//! | [`reconcile`] | the loop that compares the chain with the door, and the ports to both |
//! | [`chain`] | the contracts, read through the miner's own node |
//! | [`tenancy`], [`processes`] | the tenant's directory and processes, and making an end of both |
//! | [`isolation`] | what is around a tenant's programs: their account alone, or a container |
//! | [`embedded`] | a door: an SSH server of our own, for development |
//! | [`openssh`] | a door: OpenSSH's sshd, started and kept by the agent |
//! | [`agent`], [`doctor`] | all of it put together; what is missing, in words |
//! | [`desk`] | where keepers are answered |
//! | [`prove`], [`gauge`] | the prover of GPUs between two byte streams; soft figures of all else |

pub mod access;
pub mod agent;
pub mod chain;
pub mod config;
pub mod desk;
pub mod doctor;
pub mod embedded;
pub mod gauge;
pub mod hostkey;
pub mod inventory;
pub mod isolation;
pub mod openssh;
pub mod processes;
pub mod prove;
pub mod reconcile;
pub mod tenancy;
