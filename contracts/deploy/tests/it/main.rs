//! Deployments and audits on a real EVM.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod audit;
mod deploy;
mod hostile;
mod life;
mod preflight;
mod world;
