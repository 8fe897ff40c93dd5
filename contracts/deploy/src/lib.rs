//! Deploys Surety's contracts, and proves from chain what is deployed.
//!
//! # Layout
//! - [`network`]: the chains, by name and id;
//! - [`params`]: what a deployment is made with, checked as the constructors will;
//! - [`artifacts`]: the contracts as shipped, and the code that must be on chain for given constructor arguments;
//! - [`arguments`]: constructor arguments, decoded, encoded, and as immutables;
//! - [`plan`]: every address, nonce and byte of a deployment before anything is sent;
//! - [`preflight`]: whether the chain is ready for it, one line a question;
//! - [`journal`], [`deploy`]: sending it, interruptible everywhere;
//! - [`record`] has what `deployments/<chainId>.json` says;
//! - [`audit`]: proves that record from chain, recounts every ledger, says who can do what;
//! - [`chain`]: what all of them ask a node.

pub mod arguments;
pub mod artifacts;
pub mod audit;
pub mod chain;
pub mod deploy;
pub mod journal;
pub mod network;
pub mod params;
pub mod plan;
pub mod preflight;
pub mod record;
