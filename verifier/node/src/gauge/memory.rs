//! Memory, filled and read by all threads. Mapped as one piece, so that all of it goes back when it is dropped.

use super::Stop;
use memmap2::MmapMut;
use rayon::prelude::*;
use std::io;
use surety_verifier::gauge::CHUNK;
use surety_verifier::gauge::content::{self, Content};

/// Memory that was filled.
pub(super) struct Memory {
    map: MmapMut,
}

impl Memory {
    /// Fills so many bytes.
    pub(super) fn fill(content: &Content, bytes: u64, stop: &Stop) -> io::Result<Self> {
        let length = usize::try_from(bytes).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut map = MmapMut::map_anon(length)?;
        map.par_chunks_mut(CHUNK).zip(0..content::chunks(bytes)).try_for_each(|(chunk, number)| {
            stop.check()?;
            content.chunk(number, chunk);
            io::Result::Ok(())
        })?;
        Ok(Self { map })
    }

    pub(super) fn bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// The sum of each chunk, in order.
    pub(super) fn sums(&self, nonce: u64, stop: &Stop) -> io::Result<Vec<u64>> {
        let sums = self.map.par_chunks(CHUNK).map(|chunk| {
            stop.check()?;
            Ok(content::sum(nonce, chunk))
        });
        sums.collect()
    }

    pub(super) fn block(&self, number: u64, out: &mut [u8]) -> io::Result<()> {
        let at = usize::try_from(number).unwrap_or(usize::MAX).saturating_mul(out.len());
        let block = self.map.get(at..at.saturating_add(out.len())).ok_or(io::ErrorKind::InvalidInput)?;
        out.copy_from_slice(block);
        Ok(())
    }
}
