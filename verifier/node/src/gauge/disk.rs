//! A file without a name, filled, read and written at random places. Nothing is read from memory that the kernel keeps
//! of it: that is given up before each reading.

use super::Stop;
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use rayon::prelude::*;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use surety_verifier::gauge::content::{self, Content};
use surety_verifier::gauge::{CHUNK, CHUNK_BYTES, Medium};

/// Chunks written before all of them are waited for: nothing stops the kernel half-way.
const SYNCED_AT_ONCE: u32 = 16;

/// A file that was filled.
pub(super) struct Disk {
    file: File,
    bytes: u64,
}

impl Disk {
    /// Fills a file of so many bytes in `dir`; they are on disk when it returns.
    pub(super) fn fill(dir: &Path, content: &Content, bytes: u64, stop: &Stop) -> io::Result<Self> {
        let disk = Self { file: tempfile::tempfile_in(dir)?, bytes };
        let (chunks, mut first) = (content::chunks(bytes), 0);
        while first < chunks {
            let next = chunks.min(first + SYNCED_AT_ONCE);
            // A bridge hands chunks out in order: a disk that has to seek is not made to.
            (first..next).par_bridge().try_for_each_init(
                || vec![0; CHUNK],
                |chunk, number| {
                    stop.check()?;
                    content.chunk(number, chunk);
                    disk.file.write_all_at(chunk, u64::from(number) * CHUNK_BYTES)
                },
            )?;
            disk.file.sync_data()?;
            first = next;
        }
        Ok(disk)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The sum of each chunk, in order.
    pub(super) fn sums(&self, nonce: u64, stop: &Stop) -> io::Result<Vec<u64>> {
        self.forget()?;
        let sums = (0..content::chunks(self.bytes)).par_bridge().map_init(
            || vec![0; CHUNK],
            |chunk, number| {
                stop.check()?;
                self.file.read_exact_at(chunk, u64::from(number) * CHUNK_BYTES)?;
                Ok((number, content::sum(nonce, chunk)))
            },
        );
        let mut sums: Vec<(u32, u64)> = sums.collect::<io::Result<_>>()?;
        sums.sort_unstable();
        Ok(sums.into_iter().map(|(_, sum)| sum).collect())
    }

    /// Writes these blocks anew, each on disk before the next.
    pub(super) fn rewrite(&self, content: &Content, stop: &Stop) -> io::Result<()> {
        let mut block = [0; Medium::Disk.block_bytes()];
        for place in content.places() {
            stop.check()?;
            content.block(Medium::Disk, *place, &mut block);
            self.file.write_all_at(&block, place * block.len() as u64)?;
            self.file.sync_data()?;
        }
        Ok(())
    }

    pub(super) fn block(&self, number: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, number * out.len() as u64)
    }

    /// Gives up what the kernel keeps of it in memory. Asks for nothing to be read ahead: reads come where they may.
    pub(super) fn forget(&self) -> io::Result<()> {
        posix_fadvise(&self.file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
        Ok(())
    }

    /// Tells the kernel that reading ahead is of no use.
    pub(super) fn read_at_random(&self) -> io::Result<()> {
        self.forget()?;
        posix_fadvise(&self.file, 0, 0, PosixFadviseAdvice::POSIX_FADV_RANDOM)?;
        Ok(())
    }
}
