//! `surety verifier replay FILE` and `surety verifier prove-fraud FILE`: measurements, checked again by anybody.
//!
//! Neither needs a chain, a key or a secret, and neither believes the keeper that measured, but for its clock.

mod file;

#[cfg(test)]
mod tests;

use anyhow::{Context, Result, bail, ensure};
use clap::Subcommand;
use file::Found;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use surety_verifier::Bytes32;
use surety_verifier::evidence::{FraudProof, PublicFinding, recheck_public, replay};
use surety_verifier::freivalds::{Epoch, EpochSecrets};
use surety_verifier::transcript::Transcript;
use surety_verifier::verdict::Verdict;

/// What `surety verifier` does.
#[derive(Debug, Subcommand)]
pub(super) enum VerifierCommand {
    /// Run the keeper's side of a measurement again: the same verdict, and all that was shown recomputed.
    /// Example: surety verifier replay bundle.json
    Replay {
        /// A transcript, as JSON or canonical bytes, or the evidence bundle of a certificate.
        file: PathBuf,
        /// The epoch's secret, once its keeper has revealed it (`/v1/epochs`): 64 hex digits. E must follow from it.
        #[arg(long, value_parser = bytes32)]
        revealed: Option<Bytes32>,
        /// The commitment to that secret as you saw it before the epoch began: 64 hex digits.
        #[arg(long, value_parser = bytes32, requires = "revealed")]
        committed: Option<Bytes32>,
        /// Hash of the epoch's first block, as your own node has it.
        #[arg(long, value_parser = bytes32, requires = "revealed")]
        block_hash: Option<Bytes32>,
    },
    /// Check that a machine signed results that are wrong. Exit status 0: it did.
    /// Example: surety verifier prove-fraud proof.json
    ProveFraud {
        /// A fraud proof, or a transcript or bundle that shows one.
        file: PathBuf,
        /// Also write the proof by itself, for others to check.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

impl VerifierCommand {
    pub(super) fn run(&self) -> Result<()> {
        match self {
            Self::Replay { file, revealed, committed, block_hash } => {
                let known = Known { revealed: *revealed, committed: *committed, block_hash: *block_hash };
                println!("{}", replayed(file::read(file)?, &known)?);
            }
            Self::ProveFraud { file, out } => {
                let (says, proof) = fraud(file::read(file)?)?;
                println!("{says}");
                if let Some(out) = out {
                    let text = serde_json::to_vec(&proof)?;
                    std::fs::write(out, text).with_context(|| format!("writing {}", out.display()))?;
                }
            }
        }
        Ok(())
    }
}

/// What somebody knows of an epoch who believes no keeper.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    revealed: Option<Bytes32>,
    committed: Option<Bytes32>,
    block_hash: Option<Bytes32>,
}

/// What a transcript amounts to.
fn replayed(found: Found, known: &Known) -> Result<String> {
    let Found::Transcript(transcript) = found else {
        bail!("this is a fraud proof, which has no session to replay: surety verifier prove-fraud checks it");
    };
    let challenge = &transcript.challenge;
    challenge.check().context("no keeper may measure like this")?;
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh).map_err(|error| anyhow::anyhow!("the system gave no randomness: {error}"))?;
    let secrets = EpochSecrets::of(challenge.epoch, &fresh, &challenge.params);
    let verdict = replay(&transcript, &Arc::new(secrets)).context("the transcript is not that of a session")?;
    let shown = shown(&recheck_public(&transcript)?, &verdict)?;
    let epoch = epoch(&challenge.epoch, known)?;
    let mut says = format!("session   {}\n", session(&transcript));
    let digest = hex::encode(transcript.digest());
    write!(says, "digest    0x{digest}\nverdict   {}\nshown     {shown}\n", verdict_says(&verdict))?;
    writeln!(says, "epoch     {epoch}")?;
    write!(says, "unchecked the keeper's times; and its signature, which surety evidence verify looks at")?;
    Ok(says)
}

fn session(transcript: &Transcript) -> String {
    let challenge = &transcript.challenge;
    format!(
        "keeper 0x{} measured machine 0x{} (registration {}, chain {}) as {} x {}, {} events",
        hex::encode(challenge.keeper),
        hex::encode(challenge.machine),
        challenge.registration,
        challenge.chain_id,
        challenge.count,
        challenge.class,
        transcript.events.len()
    )
}

fn verdict_says(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Proven { class, count } => format!("proven: {count} x {class}"),
        Verdict::Fraud(falsehood) => format!("fraud: {falsehood}"),
        Verdict::Underperforming(short) => {
            format!("underperforming: right, but {short}")
        }
        Verdict::Unmeasured(why) => format!("unmeasured: {why:?}"),
    }
}

/// What the machine showed, recomputed; it must speak for the verdict.
fn shown(finding: &PublicFinding, verdict: &Verdict) -> Result<String> {
    match (finding, verdict) {
        (PublicFinding::Fraud(public, _), Verdict::Fraud(bad)) if public == bad => {
            Ok("recomputed: that one is wrong, and the machine signed it; prove-fraud makes a proof of it".to_owned())
        }
        (PublicFinding::Fraud(bad, _), Verdict::Unmeasured(_)) => {
            Ok(format!("recomputed: {bad}, shown out of its turn; prove-fraud makes a proof of it"))
        }
        (PublicFinding::Fraud(bad, _), _) => bail!("{bad}, but the verdict is another"),
        (_, Verdict::Fraud(_)) => bail!("the verdict is fraud, but all that was shown is right"),
        (PublicFinding::Right { rows, legs, complete }, Verdict::Proven { .. } | Verdict::Underperforming(_)) => {
            ensure!(*complete, "the verdict needs all that was asked for; {rows} rows and {legs} legs are shown");
            Ok(format!("all {rows} rows and {legs} legs that were asked for, recomputed: right"))
        }
        (PublicFinding::Right { rows, legs, .. }, Verdict::Unmeasured(_)) => {
            Ok(format!("{rows} rows and {legs} legs, recomputed: right"))
        }
        (PublicFinding::NothingSigned, Verdict::Unmeasured(_)) => Ok("the machine signed nothing".to_owned()),
        (PublicFinding::NothingSigned, _) => bail!("the verdict needs results that the machine signed"),
    }
}

fn epoch(epoch: &Epoch, known: &Known) -> Result<String> {
    let Some(secret) = &known.revealed else {
        return Ok("its secret was not given (--revealed): whether E was fixed beforehand was not checked".to_owned());
    };
    ensure!(
        epoch.opened_by(secret),
        "the secret is not the one that the file's commitment ({}) is to, or E was not made of it and the block",
        hex::encode(epoch.secret_commitment)
    );
    let same = |what: &str, here: &Bytes32, known: Option<Bytes32>| match known {
        Some(known) => {
            let (here, known) = (hex::encode(here), hex::encode(known));
            ensure!(here == known, "the file has the {what} {here}, you know {known}: E was made of something else");
            Ok(format!("the {what} is the one that you know"))
        }
        None => Ok(format!("the {what} is as the file says")),
    };
    let committed = same("commitment", &epoch.secret_commitment, known.committed)?;
    let block_hash = same("block hash", &epoch.block_hash, known.block_hash)?;
    Ok(format!("opened by its secret, from which and the block E follows; {committed}, {block_hash}"))
}

/// The fraud that a file shows, in words, and the proof of it.
fn fraud(found: Found) -> Result<(String, FraudProof)> {
    let proof = match found {
        Found::Proof(proof) => proof,
        Found::Transcript(transcript) => match recheck_public(&transcript)? {
            PublicFinding::Fraud(_, proof) => *proof,
            PublicFinding::Right { rows, legs, .. } => {
                bail!("no fraud: all {rows} rows and {legs} legs that were shown are right")
            }
            PublicFinding::NothingSigned => bail!("no fraud: the machine signed nothing, so nothing speaks against it"),
        },
    };
    let proven = proof.verify().context("this proves nothing")?;
    let start = &proven.start;
    let says = format!(
        "proven    machine 0x{} (registration {}, chain {}) signed wrong results for keeper 0x{}\nwrong     {}",
        hex::encode(start.machine),
        start.registration,
        start.chain_id,
        hex::encode(start.keeper),
        proven.falsehood
    );
    Ok((says, proof))
}

fn bytes32(text: &str) -> Result<Bytes32, String> {
    let mut bytes = [0; 32];
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode_to_slice(digits, &mut bytes).map_err(|error| format!("want 64 hex digits: {error}"))?;
    Ok(bytes)
}
