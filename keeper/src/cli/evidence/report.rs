//! What is said about a bundle, in words for people.

use std::fmt;
pub(in crate::cli) use surety_client::units::date;
use surety_core::types::{Cause, Kind, UnixSecs};

/// One thing that is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The evidence is of the known format.
    Form,
    /// It hashes to what the statement names.
    Digest,
    /// It is for the contracts of the deployment file.
    Contracts,
    /// The named signer signed the statement for these contracts.
    Signature,
    /// The signer is the keeper that saw it.
    Signer,
    /// What was seen adds up to what is claimed.
    Claim,
    /// What the machine itself signed: the session behind a certificate, the proofs behind a spoof, its cards.
    Transcript,
    /// The chain knows the rental or machine as the evidence describes it.
    Subject,
    /// The signer is a keeper.
    Keeper,
    /// What the contracts recorded.
    Recorded,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Form => "form",
            Self::Digest => "digest",
            Self::Contracts => "contracts",
            Self::Signature => "signature",
            Self::Signer => "signer",
            Self::Claim => "claim",
            Self::Transcript => "transcript",
            Self::Subject => "subject",
            Self::Keeper => "keeper",
            Self::Recorded => "recorded",
        })
    }
}

/// A check that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub check: Check,
    /// What it found.
    pub says: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ok  {:<10}  {}", self.check, self.says)
    }
}

/// All checks passed. Displays as one line each, then the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The checks, in order.
    pub lines: Vec<Line>,
    /// What follows from them.
    pub verdict: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(f, "{line}")?;
        }
        write!(f, "VERDICT: {}", self.verdict)
    }
}

/// What a kind of failure means for the renter.
pub(super) fn what_failed(kind: Kind) -> &'static str {
    match kind {
        Kind::NotDelivered => "never let the renter in",
        Kind::Interrupted => "out of service for a while",
        Kind::Offline => "out of service and not back",
        Kind::Spoofed => "give false proofs of its GPUs",
    }
}

/// What a cause means for the miner.
pub(super) fn why_it_failed(cause: Cause) -> &'static str {
    match cause {
        Cause::Unreachable => "at its address nothing answered as an SSH server in time",
        Cause::WrongHostKey => "at its address an SSH server with another host key answered",
        Cause::RenterRefused => "it answered, but would not have let the renter's key in",
        Cause::GpusMissing => "it had fewer GPUs than it was rented out with",
    }
}

/// An interval with its length.
pub(super) fn span(from_secs: UnixSecs, until_secs: UnixSecs) -> String {
    let length_secs = until_secs.saturating_sub(from_secs);
    format!("from {} to {} ({length_secs} s)", date(from_secs), date(until_secs))
}
