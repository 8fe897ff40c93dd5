//! Does a bundle support a statement?

use super::{BadProof, EVIDENCE_VERSION, Evidence, Measured, Outage, Spoofing, Subject};
use crate::input::Observation;
use crate::limits::{BAD_PROOF_BYTES_MAX, SAFE_INTEGER_MAX, TIME_MAX_SECS};
use crate::rules::RulesError;
use crate::statement::{Attestation, Certificate, Spoof, Statement};
use crate::streak::{Look, follows};
use crate::types::{Hash32, Kind, UnixSecs};
use serde_json::Value;

/// Deepest nesting of a bundle.
const DEPTH_MAX: u32 = 64;

/// Why a bundle does not support a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// It cannot be written as JSON.
    #[error("the bundle cannot be written as JSON")]
    NotJson,
    /// A number that canonical JSON would change.
    #[error("the bundle holds the number {number}, which canonical JSON cannot carry exactly: write it as a string")]
    UnsafeNumber {
        /// The number as text.
        number: String,
    },
    /// Nested too deep.
    #[error("the bundle is nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// Another format.
    #[error("the bundle has version {got}, expected {EVIDENCE_VERSION}")]
    Version {
        /// Its version.
        got: u32,
    },
    /// The statement names another bundle.
    #[error("the statement names evidence {named}, this bundle's digest is {digest}")]
    Digest {
        /// In the statement.
        named: Hash32,
        /// Of the bundle.
        digest: Hash32,
    },
    /// The bundle was judged by numbers nobody may judge by.
    #[error("the bundle was judged by rules that are not allowed")]
    Rules(#[source] RulesError),
    /// One field of the statement says other than the bundle.
    #[error("{what} of the statement differs from the bundle's")]
    Differs {
        /// Which field.
        what: &'static str,
    },
    /// The bundle lacks what a claim of this kind needs.
    #[error("the bundle does not show the claim: {why}")]
    NotShown {
        /// What is missing.
        why: &'static str,
    },
}

use EvidenceError::{Differs, NotShown};

/// Ok when `holds`, else the error.
fn need(holds: bool, error: EvidenceError) -> Result<(), EvidenceError> {
    if holds { Ok(()) } else { Err(error) }
}

/// Every number survives canonical JSON.
pub(super) fn check_value(value: &Value, depth: u32) -> Result<(), EvidenceError> {
    need(depth < DEPTH_MAX, EvidenceError::TooDeep)?;
    match value {
        Value::Number(number) => {
            let safe = number.as_u64().map(|n| n <= SAFE_INTEGER_MAX);
            let safe = safe.or_else(|| number.as_i64().map(|n| n.unsigned_abs() <= SAFE_INTEGER_MAX));
            need(safe.unwrap_or(true), EvidenceError::UnsafeNumber { number: number.to_string() })
        }
        Value::Array(items) => items.iter().try_for_each(|item| check_value(item, depth + 1)),
        Value::Object(fields) => fields.values().try_for_each(|item| check_value(item, depth + 1)),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

impl Evidence {
    /// Whether this bundle carries `statement`: it names this bundle, and what was seen adds up to it.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn supports(&self, statement: &Statement) -> Result<(), EvidenceError> {
        need(self.version == EVIDENCE_VERSION, EvidenceError::Version { got: self.version })?;
        let digest = self.digest()?;
        let named = statement.evidence();
        need(named == digest, EvidenceError::Digest { named, digest })?;
        self.rules.check(self.chain_id).map_err(EvidenceError::Rules)?;
        match (statement, &self.subject) {
            (Statement::Attestation(claim), Subject::Outage(outage)) => self.carries_attestation(claim, outage),
            (Statement::Certificate(claim), Subject::Capacity(measured)) => self.carries_certificate(claim, measured),
            (Statement::Spoof(claim), Subject::Spoof(spoofing)) => self.carries_spoof(claim, spoofing),
            _ => Err(Differs { what: "the type" }),
        }
    }

    fn carries_attestation(&self, claim: &Attestation, outage: &Outage) -> Result<(), EvidenceError> {
        need(claim.kind == outage.kind, Differs { what: "kind" })?;
        need(claim.rental == outage.rental.id, Differs { what: "rental" })?;
        need(claim.cause == outage.cause, Differs { what: "cause" })?;
        need(claim.from_secs == outage.from_secs, Differs { what: "from" })?;
        need(claim.until_secs == outage.until_secs, Differs { what: "until" })?;
        need(claim.from_secs < claim.until_secs, NotShown { why: "the interval is empty" })?;
        need(outage.until_secs <= TIME_MAX_SECS, NotShown { why: "the time is nonsense" })?;
        need(outage.until_secs <= self.block.timestamp_secs, NotShown { why: "it ends after the newest block" })?;
        self.carries_looks(outage)?;
        self.carries_kind(outage)
    }

    /// Enough failing looks, each with our own side well, close enough to one another, from first to last.
    fn carries_looks(&self, outage: &Outage) -> Result<(), EvidenceError> {
        let rules = &self.rules;
        let rental = &outage.rental;
        let needed = outage.looks_needed;
        need(needed >= rules.proof_looks, NotShown { why: "fewer looks were asked for than the rules do" })?;
        let (Some(first), Some(last)) = (outage.looks.first(), outage.looks.last()) else {
            return Err(NotShown { why: "there are no looks" });
        };
        need(last.fault() == Some(outage.cause), NotShown { why: "the last look did not fail with that cause" })?;
        need(first.fault().is_some(), NotShown { why: "the first look did not fail" })?;
        need(first.at_secs >= rental.start_secs, NotShown { why: "a look before the rental's start" })?;
        need(last.at_secs == outage.until_secs, NotShown { why: "it does not end with the last failing look" })?;
        need(last.at_secs <= rental.end_secs, NotShown { why: "a look after the rental's end" })?;
        let seen_secs = last.at_secs.saturating_sub(first.at_secs);
        need(seen_secs >= rules.proof_min_secs, NotShown { why: "the looks span too short a time" })?;
        let same_cards = outage.looks.iter().all(|look| is_about(look, rental.gpu_count));
        need(same_cards, NotShown { why: "cards were stated against another number than is rented" })?;
        let faults = outage.looks.iter().filter(|look| look.fault().is_some()).count() as u64;
        need(faults >= u64::from(needed), NotShown { why: "too few failing looks" })?;
        self.carries_sequence(&outage.looks)
    }

    fn carries_sequence(&self, looks: &[Look]) -> Result<(), EvidenceError> {
        let mut before: Option<&Look> = None;
        for look in looks {
            need(!looks_well(look), NotShown { why: "a look among them succeeded" })?;
            let round = look.anchors.ok_or(NotShown { why: "a look without an anchor round after it" })?;
            let bracketed = round.healthy() && round.run == look.run && round.asked_ms >= look.ended_ms;
            need(bracketed, NotShown { why: "a look while our own side was not known to be well" })?;
            if look.fault().is_none() {
                continue;
            }
            let joined = before.is_none_or(|earlier| follows(earlier, look, &self.rules));
            need(joined, NotShown { why: "two looks too far apart, or the clock jumped between them" })?;
            before = Some(look);
        }
        Ok(())
    }

    fn carries_kind(&self, outage: &Outage) -> Result<(), EvidenceError> {
        let first_secs = outage.looks.first().map_or(UnixSecs::MAX, |look| look.at_secs);
        let length_secs = outage.until_secs.saturating_sub(outage.from_secs);
        let least_secs = least_length_secs(self, outage.kind).ok_or(NotShown { why: "no outage is of this kind" })?;
        need(length_secs >= least_secs, NotShown { why: "the interval is shorter than its kind needs" })?;
        if outage.kind != Kind::NotDelivered {
            return need(first_secs == outage.from_secs, NotShown { why: "it does not begin with a failing look" });
        }
        need(outage.delivered_secs.is_none(), NotShown { why: "the renter was accepted before" })?;
        let start_secs = outage.rental.start_secs;
        need(outage.from_secs == start_secs, NotShown { why: "it does not begin with the rental" })?;
        let lag_secs = first_secs.saturating_sub(start_secs);
        let watched = lag_secs <= self.rules.first_look_lag_secs;
        need(watched, NotShown { why: "the keeper did not look from the start" })
    }

    fn carries_certificate(&self, claim: &Certificate, measured: &Measured) -> Result<(), EvidenceError> {
        need(claim.machine == measured.machine, Differs { what: "machine" })?;
        need(claim.registration == measured.registration, Differs { what: "registration" })?;
        need(claim.gpu_class == measured.gpu_class, Differs { what: "class" })?;
        need(claim.gpu_count == measured.gpu_count, Differs { what: "count" })?;
        need(claim.measured_at_secs == measured.measured_at_secs, Differs { what: "time" })?;
        need(claim.gpu_count > 0, NotShown { why: "no cards" })?;
        need(!measured.transcript.is_null(), NotShown { why: "there is no transcript" })?;
        let known = measured.measured_at_secs <= self.block.timestamp_secs;
        need(known, NotShown { why: "it was measured after the newest block" })?;
        let idle = measured.measured_at_secs > measured.tenant_left_secs;
        need(idle, NotShown { why: "a tenant left after it" })
    }

    /// As far as it can be told without the verifier: that the proofs are the machine's and false is for it to say.
    fn carries_spoof(&self, claim: &Spoof, spoofing: &Spoofing) -> Result<(), EvidenceError> {
        need(claim.machine == spoofing.machine, Differs { what: "machine" })?;
        need(claim.registration == spoofing.registration, Differs { what: "registration" })?;
        need(claim.gpu_class == spoofing.gpu_class, Differs { what: "class" })?;
        need(claim.gpu_count == spoofing.gpu_count, Differs { what: "count" })?;
        need(claim.proved_at_secs == spoofing.proved_at_secs, Differs { what: "time" })?;
        need(claim.gpu_count > 0, NotShown { why: "no cards" })?;
        let [first, second] = &spoofing.proofs;
        need(second.at_secs == claim.proved_at_secs, NotShown { why: "the second proof is of another time" })?;
        need(first.at_secs <= second.at_secs, NotShown { why: "the proofs are in the wrong order" })?;
        let apart_secs = second.at_secs.saturating_sub(first.at_secs);
        need(apart_secs <= self.times.spoof_life_secs, NotShown { why: "the proofs are too far apart" })?;
        need(second.at_secs <= self.block.timestamp_secs, NotShown { why: "it was proved after the newest block" })?;
        need(first.transcript != second.transcript, NotShown { why: "one proof is shown twice" })?;
        need(fits(first) && fits(second), NotShown { why: "a proof is missing, or longer than any is" })
    }
}

/// Whether a proof is there and within its bound.
pub(crate) fn fits(bad: &BadProof) -> bool {
    let bytes = serde_json::to_vec(&bad.transcript).map_or(usize::MAX, |bytes| bytes.len());
    !bad.transcript.is_null() && bytes <= BAD_PROOF_BYTES_MAX
}

/// Whether what a machine said about its cards was held against what is rented.
fn is_about(look: &Look, rented_cards: u16) -> bool {
    match &look.seen {
        Observation::CardsStated { rented, statement } => *rented == rented_cards && statement.is_well_formed(),
        _ => true,
    }
}

fn looks_well(look: &Look) -> bool {
    crate::judge::outcome(&look.seen) == crate::judge::Outcome::Ok
}

/// Shortest interval of a kind; `None` for kinds that are no outage.
fn least_length_secs(evidence: &Evidence, kind: Kind) -> Option<u64> {
    crate::judge::least_length_secs(kind, &evidence.rules, &evidence.times)
}
