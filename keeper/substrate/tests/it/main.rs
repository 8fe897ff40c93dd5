//! The crate against metadata and extrinsics recorded from a real node of spec 425.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

mod alpha;
mod events;
mod extrinsics;
mod hostile;
mod lacking;
mod metadata;
mod nodes;
mod resigned;
mod sealed;
mod sending;
mod votes;

use surety_core::types::Hash32;
use surety_substrate::runtime::{Runtime, Versions};

/// The metadata of spec 425, version 15.
pub(crate) const METADATA: &[u8] =
    include_bytes!("../../../../tests/vectors/subtensor-native/metadata-spec425-v15.scale");

/// Any chain will do here.
pub(crate) const GENESIS: Hash32 = Hash32([7; 32]);

pub(crate) const VERSIONS: Versions = Versions { spec: 425, transaction: 1 };

pub(crate) fn runtime() -> Runtime {
    Runtime::new(GENESIS, VERSIONS, METADATA).unwrap()
}
