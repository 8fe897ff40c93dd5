//! What a keeper signs. The EIP-712 digests of these are made in `surety-client`; here they are plain data.

use crate::types::{Account, Cause, Hash32, Kind, MachineId, RentalId, Signature, UnixSecs};
use serde::{Deserialize, Serialize};

/// "I saw this rental fail from `from_secs` to `until_secs`, my last failing look." Never open-ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Attestation {
    /// What kind of failure.
    pub kind: Kind,
    /// The rental it concerns.
    pub rental: RentalId,
    /// Why, as far as seen from outside.
    pub cause: Cause,
    /// First failing look, chain seconds.
    pub from_secs: UnixSecs,
    /// Last failing look, chain seconds.
    pub until_secs: UnixSecs,
    /// Digest of the evidence bundle.
    pub evidence: Hash32,
}

/// "I measured `gpu_count` cards of `gpu_class` on this machine."
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Certificate {
    /// The machine measured.
    pub machine: MachineId,
    /// Its registration number at that time.
    pub registration: u32,
    /// GPU class proven.
    pub gpu_class: u16,
    /// GPUs proven.
    pub gpu_count: u16,
    /// When, chain seconds.
    pub measured_at_secs: UnixSecs,
    /// Digest of the evidence bundle.
    pub evidence: Hash32,
}

/// "I checked two false capacity proofs signed by this machine."
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Spoof {
    /// The machine that signed them.
    pub machine: MachineId,
    /// Its registration number at that time.
    pub registration: u32,
    /// GPU class it claimed to have.
    pub gpu_class: u16,
    /// GPUs it claimed to have.
    pub gpu_count: u16,
    /// When the second of them was made, chain seconds.
    pub proved_at_secs: UnixSecs,
    /// Digest of the evidence bundle.
    pub evidence: Hash32,
}

/// Anything a keeper signs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Statement {
    /// For the Arbiter.
    Attestation(Attestation),
    /// For the RentalEscrow.
    Certificate(Certificate),
    /// For the Arbiter.
    Spoof(Spoof),
}

/// A statement with its signer and signature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Signed<T> {
    /// What was signed.
    pub statement: T,
    /// Who signed, as recovered from the signature.
    pub signer: Account,
    /// The signature, r ‖ s ‖ v.
    pub signature: Signature,
}

impl Statement {
    /// Digest of the evidence behind the statement.
    pub fn evidence(&self) -> Hash32 {
        match self {
            Self::Attestation(a) => a.evidence,
            Self::Certificate(c) => c.evidence,
            Self::Spoof(s) => s.evidence,
        }
    }
}

impl From<Attestation> for Statement {
    fn from(a: Attestation) -> Self {
        Self::Attestation(a)
    }
}

impl From<Spoof> for Statement {
    fn from(s: Spoof) -> Self {
        Self::Spoof(s)
    }
}

impl From<Certificate> for Statement {
    fn from(c: Certificate) -> Self {
        Self::Certificate(c)
    }
}
