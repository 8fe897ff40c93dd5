//! `surety keeper export`: a store as JSON lines.

use super::lines::StoreLines;
use crate::adapters::store::Reading;
use anyhow::{Context, Result};
use std::io::Write;
use std::path::Path;

pub(super) fn run(path: &Path) -> Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    export(&Reading::open(path)?, &mut out)?;
    out.flush().context("writing to standard output")
}

fn export(reading: &Reading, out: &mut impl Write) -> Result<()> {
    for line in StoreLines::new(reading) {
        serde_json::to_writer(&mut *out, &line?).context("writing a line")?;
        out.write_all(b"\n").context("writing a line")?;
    }
    Ok(())
}

#[cfg(test)]
pub(super) fn to_bytes(reading: &Reading) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    export(reading, &mut bytes)?;
    Ok(bytes)
}
