//! What is remembered of one machine's measurements.

use crate::effect::EffectId;
use crate::evidence::BadProof;
use crate::statement::{Certificate, Signed};
use crate::types::{Hash32, MachineId, MonoMs, UnixSecs};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How long a certificate may take to be signed.
const SIGNING_SECS: u64 = 60;

/// What is known about one machine's capacity.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Capacity {
    /// The registration all of this is about; another one begins anew.
    pub registration: u32,
    /// The measurement being made.
    pub in_flight: Option<Asked>,
    /// Measurements ever asked for.
    pub asked: u64,
    /// The last one that passed.
    pub passed: Option<Passed>,
    /// This keeper's newest certificate.
    pub certificate: Option<Signed<Certificate>>,
    /// Not before this time again, unless a bad proof is to be repeated.
    pub retry_at_secs: UnixSecs,
    /// Attempts without a verdict since the last with one.
    pub failures: u32,
    /// Since when nobody here could measure it.
    pub absent_since_secs: Option<UnixSecs>,
    /// Whether the absence was reported.
    pub absence_told: bool,
    /// Bad proofs in a row: 1 is challenged again at once, 2 is a spoof.
    pub bad_proofs: u32,
    /// The first of them, until the second.
    #[serde(default)]
    pub first_bad: Option<FirstBad>,
    /// Machines that passed a round while this one did not, and that it was not seen at work with since.
    #[serde(default)]
    pub owes: BTreeSet<MachineId>,
    /// Which rounds it passed.
    #[serde(default)]
    pub rounds: Rounds,
}

/// A bad proof that waits for a second one of the same class and count.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FirstBad {
    /// Class asked for.
    pub gpu_class: u16,
    /// Cards asked for.
    pub gpu_count: u16,
    /// The proof.
    pub proof: BadProof,
}

/// A measurement being made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Asked {
    /// Its effect.
    pub id: EffectId,
    /// When, monotonic.
    pub at_ms: MonoMs,
    /// Class asked for.
    pub gpu_class: u16,
    /// Cards asked for.
    pub gpu_count: u16,
    /// The round, if others of its class are measured at the same moment.
    #[serde(default)]
    pub round: Option<Hash32>,
}

/// A measurement that passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Passed {
    /// When, chain seconds.
    pub at_secs: UnixSecs,
    /// Class proven.
    pub gpu_class: u16,
    /// Cards proven.
    pub gpu_count: u16,
}

/// The last rounds that a machine was drawn for, at most 64. Of a card behind two listings at most one passes each
/// round, so the share that each passes is what whoever counts capacity should count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Rounds {
    /// How many are known.
    known: u8,
    /// The newest in the lowest bit; 1 where it passed.
    passed: u64,
}

impl Rounds {
    /// Another one.
    pub(super) fn note(&mut self, passed: bool) {
        self.passed = self.passed << 1 | u64::from(passed);
        self.known = self.known.saturating_add(1).min(64);
    }

    /// Whether it passed the newest.
    pub(super) fn passed_last(&self) -> bool {
        self.passed & 1 == 1
    }

    /// Parts per million of those that it passed; none before the first.
    pub fn share_ppm(&self) -> Option<u32> {
        (self.passed.count_ones() * 1_000_000).checked_div(self.known.into())
    }
}

impl Capacity {
    /// A new run: nothing is in flight.
    pub(crate) fn restart(&mut self) {
        self.in_flight = None;
    }

    /// The last measurement that passed, if its certificate is signed or is being signed. One whose signature never
    /// came (a crash, a signer that failed) is no use to anybody: measure again.
    pub(super) fn serving(&self, now_secs: UnixSecs) -> Option<Passed> {
        let signed_secs = self.certificate.as_ref().map(|certificate| certificate.statement.measured_at_secs);
        self.passed.filter(|passed| {
            signed_secs == Some(passed.at_secs) || now_secs.saturating_sub(passed.at_secs) < SIGNING_SECS
        })
    }

    /// Whether this registration signed false proofs twice: no certificate from this keeper any more.
    pub fn spoofed(&self) -> bool {
        self.bad_proofs >= 2
    }
}
