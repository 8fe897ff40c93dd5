//! `surety evidence verify FILE`: does this evidence really carry what the keeper signed?
//!
//! Anybody can run it, first of all the miner a case was filed against. It needs no chain and believes no keeper: every
//! byte of the evidence is under the keeper's signature, and what the looks or the measurement add up to is judged
//! again here. [`verify_on_chain`] then says what the chain made of it.

mod cards;
mod chain;
mod report;
mod spoof;
pub(super) mod transcript;

#[cfg(test)]
pub(super) mod tests;

pub use chain::{OnChainError, verify_on_chain};
pub use report::{Check, Line, Report};

use crate::ports::Bundle;
pub(in crate::cli) use report::date;
use report::{span, what_failed, why_it_failed};
use serde::Deserialize;
use std::io::Read;
use std::path::{Path, PathBuf};
use surety_client::deployment::Deployment;
use surety_client::digest::Domains;
use surety_core::evidence::{Evidence, EvidenceError, Measured, Outage, Subject};
use surety_core::statement::Statement;

/// Longest file read. A measurement carries at most 16 MiB from the machine, which are twice as many hex digits; the
/// rest is room for everything else.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

/// Why a bundle does not hold.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is longer than any bundle.
    #[error("{path} is longer than {FILE_BYTES_MAX} bytes: no evidence is")]
    TooLong {
        /// Which file.
        path: PathBuf,
    },
    /// The file is not a bundle.
    #[error(
        "{path} is no evidence file: {source}; want the JSON that a keeper serves at /evidence/DIGEST, \
         {{\"evidence\": ..., \"signed\": ...}}"
    )]
    NotABundle {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A check failed: the bundle proves nothing.
    #[error("the check of {check} failed: {why}")]
    Failed {
        /// Which check.
        check: Check,
        /// What does not fit.
        why: String,
        /// The checks before it, which passed.
        passed: Vec<Line>,
    },
}

/// Reads a bundle from `path` and checks it, see [`verify_bundle`].
///
/// # Errors
/// The file is no bundle, or the first check that fails.
pub fn verify(path: &Path, deployment: Option<&Deployment>) -> Result<Report, VerifyError> {
    verify_bundle(&read_bundle(path)?, deployment)
}

/// Reads a bundle, at most [`FILE_BYTES_MAX`] bytes.
///
/// # Errors
/// The file cannot be read, is too long, or is no bundle.
pub fn read_bundle(path: &Path) -> Result<Bundle, VerifyError> {
    let read = |source| VerifyError::Read { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(read)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(read)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(VerifyError::TooLong { path: path.to_owned() });
    }
    serde_json::from_slice(&bytes).map_err(|source| VerifyError::NotABundle { path: path.to_owned(), source })
}

/// Checks a bundle: form, digest, contracts, signature, signer, claim, and the measurement of a certificate or spoof.
/// `deployment` says which contracts are the right ones; without it the report says that nobody looked.
///
/// # Errors
/// [`VerifyError::Failed`] with the first check that fails.
pub fn verify_bundle(bundle: &Bundle, deployment: Option<&Deployment>) -> Result<Report, VerifyError> {
    let mut lines = Vec::new();
    match run(bundle, deployment, &mut lines) {
        Ok(verdict) => Ok(Report { lines, verdict }),
        Err((check, why)) => Err(VerifyError::Failed { check, why, passed: lines }),
    }
}

type Failure = (Check, String);

fn run(bundle: &Bundle, deployment: Option<&Deployment>, lines: &mut Vec<Line>) -> Result<String, Failure> {
    let mut pass = |check, says| lines.push(Line { check, says });
    let evidence = form(bundle).map_err(|why| (Check::Form, why))?;
    pass(Check::Form, form_says(&evidence));
    let statement = &bundle.signed.statement;
    pass(Check::Digest, digest(&evidence, statement).map_err(|why| (Check::Digest, why))?);
    pass(Check::Contracts, contracts(&evidence, deployment).map_err(|why| (Check::Contracts, why))?);
    pass(Check::Signature, signature(&evidence, bundle).map_err(|why| (Check::Signature, why))?);
    pass(Check::Signer, signer(&evidence, bundle).map_err(|why| (Check::Signer, why))?);
    evidence.supports(statement).map_err(|error| (Check::Claim, chained(&error)))?;
    match (&evidence.subject, statement) {
        (Subject::Outage(outage), _) => {
            pass(Check::Claim, outage_says(outage));
            if let Some(stated) = cards::check(&evidence, outage) {
                pass(Check::Transcript, stated.map_err(|why| (Check::Transcript, why))?);
            }
            Ok(outage_verdict(&evidence, outage))
        }
        (Subject::Capacity(measured), Statement::Certificate(certificate)) => {
            pass(Check::Claim, measured_says(measured));
            let work = transcript::check(&measured.transcript, evidence.chain_id, evidence.keeper, certificate);
            pass(Check::Transcript, work.map_err(|why| (Check::Transcript, why))?);
            Ok(measured_verdict(&evidence, measured))
        }
        (Subject::Spoof(spoofing), _) => {
            pass(Check::Claim, spoof::says(spoofing));
            let proofs = spoof::check(&evidence, statement);
            pass(Check::Transcript, proofs.map_err(|why| (Check::Transcript, why))?);
            Ok(spoof::verdict(spoofing))
        }
        // `supports` refuses it before.
        (Subject::Capacity(_), _) => Err((Check::Claim, "the types differ".into())),
    }
}

/// The evidence, if every field of the JSON is one that this version knows, in the form in which it is hashed.
fn form(bundle: &Bundle) -> Result<Evidence, String> {
    let evidence = Evidence::deserialize(&bundle.evidence).map_err(|error| error.to_string())?;
    let again = serde_json::to_value(&evidence).map_err(|error| error.to_string())?;
    if again == bundle.evidence {
        Ok(evidence)
    } else {
        Err("it has fields that this version does not know, or numbers and addresses written in another way".into())
    }
}

fn form_says(evidence: &Evidence) -> String {
    let block = evidence.block;
    format!(
        "evidence format {}, made on chain {} at block {} ({})",
        evidence.version,
        evidence.chain_id,
        block.number,
        date(block.timestamp_secs)
    )
}

fn digest(evidence: &Evidence, statement: &Statement) -> Result<String, String> {
    let digest = evidence.digest().map_err(|error| chained(&error))?;
    let named = statement.evidence();
    if digest == named {
        Ok(format!("the evidence hashes to {digest}, which the statement names: nothing in it was changed"))
    } else {
        Err(format!("the evidence hashes to {digest}, but the statement names {named}: one of the two was changed"))
    }
}

fn contracts(evidence: &Evidence, deployment: Option<&Deployment>) -> Result<String, String> {
    let here = &evidence.contracts;
    let Some(there) = deployment else {
        return Ok(format!(
            "NOT CHECKED whether escrow {} and arbiter {} are Surety's: no deployment file was given",
            here.escrow, here.arbiter
        ));
    };
    if evidence.chain_id != there.chain_id {
        return Err(format!(
            "the evidence is for chain {}, the deployment file for {}",
            evidence.chain_id, there.chain_id
        ));
    }
    let pairs = [
        ("escrow", here.escrow, there.escrow.address),
        ("arbiter", here.arbiter, there.arbiter.address),
        ("vault", here.vault, there.vault.address),
    ];
    match pairs.into_iter().find(|(_, here, there)| here != there) {
        None => Ok(format!("chain {} and contracts are those of the deployment file", evidence.chain_id)),
        Some((what, here, there)) => {
            Err(format!("the evidence is for the {what} {here}, the deployment file says {there}"))
        }
    }
}

fn signature(evidence: &Evidence, bundle: &Bundle) -> Result<String, String> {
    let (escrow, arbiter) = (evidence.contracts.escrow, evidence.contracts.arbiter);
    let domains = Domains { chain_id: evidence.chain_id, escrow, arbiter };
    domains.check(&bundle.signed).map_err(|error| error.to_string())?;
    let contract = match bundle.signed.statement {
        Statement::Attestation(_) | Statement::Spoof(_) => format!("arbiter {arbiter}"),
        Statement::Certificate(_) => format!("escrow {escrow}"),
    };
    Ok(format!("keeper {} signed exactly this statement, for the {contract}", bundle.signed.signer))
}

fn signer(evidence: &Evidence, bundle: &Bundle) -> Result<String, String> {
    if evidence.keeper == bundle.signed.signer {
        Ok("the keeper that signed is the one that saw it".into())
    } else {
        Err(format!("{} signed what {} saw: a keeper signs only its own", bundle.signed.signer, evidence.keeper))
    }
}

/// An error with its causes.
fn chained(error: &EvidenceError) -> String {
    use std::error::Error;
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

fn outage_says(outage: &Outage) -> String {
    let failed = outage.looks.iter().filter(|look| look.fault().is_some()).count();
    let thinned = if outage.thinned == 0 { String::new() } else { format!(" and {} more left out", outage.thinned) };
    format!(
        "{failed} looks in a row failed{thinned} ({} are needed), {}; none in between succeeded, and after each the \
         keeper's own network was found well",
        outage.looks_needed,
        span(outage.from_secs, outage.until_secs)
    )
}

fn outage_verdict(evidence: &Evidence, outage: &Outage) -> String {
    format!(
        "the evidence carries the claim. Keeper {} saw machine {} of rental {} {}, {}: {}. That the looks happened is \
         the keeper's word; a case needs a quorum of keepers that say so",
        evidence.keeper,
        outage.rental.machine,
        outage.rental.id,
        what_failed(outage.kind),
        span(outage.from_secs, outage.until_secs),
        why_it_failed(outage.cause),
    )
}

fn measured_says(measured: &Measured) -> String {
    let tenant = match measured.tenant_left_secs {
        0 => "no tenant was there before".to_owned(),
        left_secs => format!("the last tenant had left at {}", date(left_secs)),
    };
    format!("measured at {}; {tenant}", date(measured.measured_at_secs))
}

fn measured_verdict(evidence: &Evidence, measured: &Measured) -> String {
    format!(
        "the evidence carries the claim. Keeper {} measured {} x {} on machine {} (registration {}) at {}",
        evidence.keeper,
        measured.gpu_count,
        surety_verifier::classes::ClassId(measured.gpu_class),
        measured.machine,
        measured.registration,
        date(measured.measured_at_secs),
    )
}
