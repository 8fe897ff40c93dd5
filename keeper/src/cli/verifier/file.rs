//! What a file given to `surety verifier` holds: strangers wrote it, so it is bounded and taken apart with care.

use super::super::evidence::FILE_BYTES_MAX;
use super::super::evidence::transcript::whole;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::io::Read;
use std::path::Path;
use surety_verifier::evidence::FraudProof;
use surety_verifier::transcript::Transcript;

/// First bytes of a canonical transcript.
const CANONICAL: &[u8] = b"SURETYT";

/// What a file turned out to be.
#[derive(Debug)]
pub(super) enum Found {
    Transcript(Box<Transcript>),
    Proof(FraudProof),
}

pub(super) fn read(path: &Path) -> Result<Found> {
    let file = std::fs::File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).with_context(|| format!("reading {}", path.display()))?;
    ensure!(bytes.len() as u64 <= FILE_BYTES_MAX, "{} is longer than {FILE_BYTES_MAX} bytes", path.display());
    parse(&bytes).with_context(|| format!("{} holds no measurement", path.display()))
}

pub(super) fn parse(bytes: &[u8]) -> Result<Found> {
    if bytes.starts_with(CANONICAL) {
        return Ok(Found::Transcript(Box::new(Transcript::from_bytes(bytes)?)));
    }
    let mut json: Value = serde_json::from_slice(bytes).context("neither canonical bytes nor JSON")?;
    if json.pointer("/evidence/subject/proofs").is_some() {
        bail!("the bundle of a spoof, which holds two proofs: surety evidence verify checks both");
    }
    let json = json.pointer_mut("/evidence/subject/transcript").map(Value::take).unwrap_or(json);
    match (json.get("challenge").is_some(), json.get("frames").is_some()) {
        (true, _) => Ok(Found::Transcript(Box::new(whole(&json).map_err(anyhow::Error::msg)?))),
        (_, true) => Ok(Found::Proof(serde_json::from_value(json)?)),
        _ => bail!("want a transcript, the evidence bundle of a certificate, or a fraud proof"),
    }
}
