//! What only Substrate can give: the subnet's state, the chain's own events, and extrinsics signed by a hotkey.
//!
//! Everything is encoded and decoded by the metadata of the node that is asked, so a runtime upgrade does not break it;
//! what a runtime lacks is named, and only what needs it is switched off. Encoding and decoding are pure,
//! and so testable without a node.

pub mod alpha;
pub mod amount;
pub mod calls;
pub mod contracts;
mod depth;
mod dispatch;
pub mod events;
pub mod holdings;
pub mod needed;
pub mod node;
pub mod nodes;
pub mod runtime;
pub mod sending;
pub mod shape;
pub mod ss58;
pub mod stake;
pub mod subnet;
pub mod timelock;
pub mod voter;
pub mod wallet;
