//! The answers that one keeper gives and another reads.

use serde::{Deserialize, Serialize};
use surety_core::statement::{Attestation, Signed, Spoof};

/// One page of a keeper's own attestations, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The attestations with a sequence number above the one asked for.
    pub attestations: Vec<Numbered>,
}

/// An attestation with its place in the keeper's own order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbered {
    /// Ascends, with gaps; not comparable between keepers.
    pub seq: u64,
    /// The attestation.
    pub signed: Signed<Attestation>,
}

/// Statements about spoofs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpoofPage {
    /// Newest first.
    pub spoofs: Vec<Signed<Spoof>>,
}
