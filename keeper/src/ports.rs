//! What the runtime and the HTTP server need of the world, as traits documented by their obligations.

use surety_core::statement::{Attestation, Certificate, Signed, Spoof, Statement};
use surety_core::types::{Hash32, MachineId, RentalId};

/// The store could not answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the store did not answer: {why}")]
pub struct ArchiveError {
    /// What it said.
    pub why: String,
}

/// Evidence with the statement it was made for.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The evidence, as it was hashed (RFC 8785 canonical JSON).
    pub evidence: serde_json::Value,
    /// The statement that names its digest, with the keeper's signature.
    pub signed: Signed<Statement>,
}

/// What this keeper has signed and seen signed, for anybody to read.
///
/// Obligations: answers are what was committed to disk; lists are bounded by `surety_core::limits`; calls block, so
/// async callers wrap them in `spawn_blocking`.
pub trait Archive: Send + Sync + 'static {
    /// Our attestations and peers' that we keep, of one rental, oldest first.
    fn attestations_of(&self, rental: RentalId) -> Result<Vec<Signed<Attestation>>, ArchiveError>;

    /// Our own attestations with a sequence number above `after`, in order, at most `limit`.
    fn own_attestations_after(&self, after: u64, limit: u32) -> Result<Vec<(u64, Signed<Attestation>)>, ArchiveError>;

    /// Our newest certificate for a machine first, then older ones that have not lapsed.
    fn certificates_of(&self, machine: MachineId) -> Result<Vec<Signed<Certificate>>, ArchiveError>;

    /// Our own statements about spoofs, newest first.
    fn own_spoofs(&self) -> Result<Vec<Signed<Spoof>>, ArchiveError>;

    /// Our statements and peers' that we keep about spoofs of one machine, newest first.
    fn spoofs_of(&self, machine: MachineId) -> Result<Vec<Signed<Spoof>>, ArchiveError>;

    /// Evidence by digest.
    fn bundle(&self, digest: Hash32) -> Result<Option<Bundle>, ArchiveError>;
}

/// How the loop is getting on; updated by the runtime, read by `/healthz` and `/metrics`.
#[derive(Debug, Default)]
pub struct Progress {
    /// Inputs appended to the log.
    pub inputs: std::sync::atomic::AtomicU64,
    /// Monotonic milliseconds (of this run) at the last step.
    pub last_step_ms: std::sync::atomic::AtomicU64,
    /// Newest best block read.
    pub best_block: std::sync::atomic::AtomicU64,
    /// Newest finalized block read.
    pub finalized_block: std::sync::atomic::AtomicU64,
    /// Monotonic milliseconds when the best block last moved.
    pub best_moved_ms: std::sync::atomic::AtomicU64,
    /// Whether core judges itself able to see (1) or blind (0).
    pub seeing: std::sync::atomic::AtomicU64,
    /// Effects waiting for an answer.
    pub effects_pending: std::sync::atomic::AtomicU64,
    /// Statements signed.
    pub signed: std::sync::atomic::AtomicU64,
    /// Looks made at machines.
    pub looks: std::sync::atomic::AtomicU64,
    /// Transactions that reached their end.
    pub settled: std::sync::atomic::AtomicU64,
}
