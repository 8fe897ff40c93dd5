//! A stand-in for a Subtensor node's JSON-RPC: it sits before an anvil and answers as a node at spec 425 does, and it
//! fails on command. Written from `tests/vectors/subtensor-rpc`, which `tests/replay.rs` holds it to.
//!
//! # Layout
//!
//! | module | what |
//! |---|---|
//! | [`anvil`] | a bare anvil for tests |
//! | [`control`] | the faults, switched at any time |
//! | `server` | HTTP: batches, malformed requests, faults of the transport |
//! | `methods` | one JSON-RPC method after the other |
//! | `params` | what a request asks for, and how a node refuses what it does not understand |
//! | `errors` | the node's codes and texts |
//! | `shape` | anvil's blocks, transactions, receipts and logs as the node writes them |
//! | `submit` | `eth_sendRawTransaction`: the pool's rules, and submissions that are lost or doubled |
//! | `upstream` | the anvil behind it |
//!
//! Not stood in for: filters and subscriptions (`eth_newFilter`, `eth_subscribe`; keepers poll), the Substrate methods
//! (`state_*`, `chain_*`, `system_*`, `author_*`), `debug_getRaw*`, `eth_pendingTransactions`, the deploy whitelist,
//! and what only the runtime knows (precompiles, the existential deposit): those answer what anvil answers, or
//! `Method not found`.

pub mod anvil;
pub mod control;
mod errors;
mod methods;
mod params;
mod server;
mod shape;
mod submit;
mod upstream;

pub use control::{Control, FAILED, Faults, Lie, Mild, Submission, Transport};
pub use server::StandIn;
