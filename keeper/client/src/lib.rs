//! What keepers, agents and command lines share about the contracts: bindings, typed views, digests, units.
//!
//! # Layout
//! - [`bindings`]: the ABIs, from the committed artifacts;
//! - [`block`]: headers as Subtensor really answers them;
//! - [`provider`]: a connection to one node, with a deadline on every request;
//! - [`reader`]: contract state at one block, as `surety_core::view` types;
//! - [`digest`]: what keepers and machines sign, alike in Solidity and here (`tests/vectors`);
//! - [`keys`]: a keeper's signing key, from a file nobody else can read;
//! - [`intent`]: an intent as a call, and a revert as a name;
//! - [`deployment`]: the file `deployments/CHAIN_ID.json`;
//! - [`refusal`]: a revert in words: what is wrong, what to do;
//! - [`transaction`]: one transaction from simulation to receipt, sent at most once;
//! - [`stated`]: bond statements as the call that records them;
//! - [`subtensor`]: account ids, storage-key hashes, precompile addresses;
//! - [`units`]: rao, wei and TAO, and times as people write them;
//! - [`view`]: any contract's views at one block.

pub mod bindings;
pub mod block;
pub mod deployment;
pub mod digest;
pub mod intent;
pub mod keys;
pub mod provider;
pub mod reader;
pub mod refusal;
pub mod stated;
pub mod subtensor;
pub mod transaction;
pub mod units;
pub mod view;
