//! The answers that one keeper gives and another reads, and what a renter sends.

use serde::{Deserialize, Serialize};
use surety_core::complaints::Complaint;
use surety_core::statement::{Attestation, Signed, Spoof};
use surety_core::types::{Hash32, MachineId, RentalId, Signature, UnixSecs};
use surety_verifier::schedule::Published;

/// One page of a keeper's own attestations, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The attestations with a sequence number above the one asked for.
    pub attestations: Vec<Numbered>,
    /// Machines that it sees failing at present; its word, and no statement.
    #[serde(default)]
    pub failing: Vec<MachineId>,
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

/// Epochs of measuring: `GET /v1/epochs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochPage {
    /// Blocks of an epoch.
    pub epoch_blocks: u64,
    /// Newest first: the next, the present, and past ones with their secrets.
    pub epochs: Vec<Published>,
}

/// What a renter sends: `POST /v1/complaints`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComplaintBody {
    /// The complaint.
    pub complaint: Complaint,
    /// The renter's signature over it (EIP-712 structure `Complaint` for RentalEscrow).
    pub signature: Signature,
}

/// A complaint that is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Its id: the same complaint again has the same.
    pub id: Hash32,
    /// The rental.
    pub rental: RentalId,
    /// Up to when this keeper looks harder because of it, Unix seconds.
    pub looked_into_until_secs: UnixSecs,
}

/// Complaints about one rental.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComplaintPage {
    /// Newest first.
    pub complaints: Vec<Signed<Complaint>>,
}
