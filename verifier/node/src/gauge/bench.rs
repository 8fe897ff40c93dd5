//! What one keeper has the machine do, one question after the other. Blocks.

use super::disk::Disk;
use super::memory::Memory;
use super::{Room, Stop};
use std::io;
use std::thread::ScopedJoinHandle;
use surety_verifier::gauge::content::{self, Content, Walk};
use surety_verifier::gauge::{Ask, CHUNK_BYTES, Medium, Task};

/// Most that a machine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Bytes of memory, however much is free. Seven eighths of what is free are the other bound.
    pub memory_bytes: u64,
    /// Bytes of the one file of a conversation, however much is free. A quarter of what is free is the other bound.
    pub disk_bytes: u64,
}

impl Caps {
    /// A machine with GPUs: a file of 1 GiB, and what memory there is.
    pub const FULL: Self = Self { memory_bytes: u64::MAX, disk_bytes: 1 << 30 };
    /// Machines of which many run on one computer.
    pub const SMALL: Self = Self { memory_bytes: 4 * CHUNK_BYTES, disk_bytes: 4 * CHUNK_BYTES };
}

/// What was filled last; there is one at a time.
enum Filled {
    Nothing,
    Memory(Memory),
    Disk(Disk, Content),
}

/// The bench.
pub struct Bench {
    room: Room,
    caps: Caps,
    stop: Stop,
    filled: Filled,
    /// Whether this conversation has had its file, and has had it written at random: disks wear out.
    had_file: bool,
    had_writes: bool,
    /// Given back when nothing works here any more, not when somebody stops waiting for it.
    _place: Place,
}

/// What is held as long as there is work: the machine's one place for a measurement.
pub type Place = Box<dyn Send + Sync>;

impl Bench {
    pub(super) fn new(room: Room, caps: Caps, stop: Stop, place: Place) -> Self {
        Self { room, caps, stop, filled: Filled::Nothing, had_file: false, had_writes: false, _place: place }
    }

    /// Works. None when the machine does not do this: it is beyond its caps, not in order, or it has failed.
    pub(super) fn answer(&mut self, ask: &Ask) -> Option<Vec<u8>> {
        self.work(ask).inspect_err(|error| tracing::info!(task = ?ask.task, "soft figures: {error}")).ok()
    }

    fn work(&mut self, ask: &Ask) -> io::Result<Vec<u8>> {
        let seed = &ask.seed;
        match ask.task {
            Task::Claims => {
                let mut free = self.room.free();
                free.memory_bytes = free.memory_bytes.min(self.caps.memory_bytes);
                Ok(free.encode())
            }
            Task::Echo => Ok(seed.to_vec()),
            Task::Steps { threads, each } => self.steps(seed, threads, each),
            Task::Fill { medium, bytes } => self.fill(seed, medium, bytes).map(|()| Vec::new()),
            Task::Read { medium, bytes } => self.read(seed, medium, bytes),
            Task::Scatter { writes } => self.scatter(seed, writes).map(|()| Vec::new()),
            Task::Gather { medium, each } => self.gather(seed, medium, each),
            Task::Upload { bytes } => Ok(content::drawn(seed, bytes)),
            Task::Download { .. } => Err(refused("a download is hashed as it comes")),
        }
    }

    fn steps(&self, seed: &[u8; 32], threads: u16, each: u64) -> io::Result<Vec<u8>> {
        if threads > self.room.free().threads {
            return Err(refused("more threads than there are"));
        }
        let chains: io::Result<Vec<_>> = std::thread::scope(|scope| {
            let working: Vec<_> = (0..threads)
                .map(|thread| scope.spawn(move || content::chain(seed, thread, each, || self.stop.check())))
                .collect();
            let failed = |_| Err(io::Error::other("a thread failed"));
            working.into_iter().map(ScopedJoinHandle::join).map(|joined| joined.unwrap_or_else(failed)).collect()
        });
        Ok(words(chains?.into_iter().flatten()))
    }

    fn fill(&mut self, seed: &[u8; 32], medium: Medium, bytes: u64) -> io::Result<()> {
        // What was there is given back first.
        self.filled = Filled::Nothing;
        let (free, content) = (self.room.free(), Content::of(seed));
        let most = match medium {
            Medium::Memory => (free.memory_bytes / 8 * 7).min(self.caps.memory_bytes),
            Medium::Disk => (free.disk_bytes / 4).min(self.caps.disk_bytes),
        };
        if bytes > most {
            return Err(refused("more than there is to spare"));
        }
        if medium == Medium::Disk && std::mem::replace(&mut self.had_file, true) {
            return Err(refused("a second file"));
        }
        self.filled = match medium {
            Medium::Memory => Filled::Memory(Memory::fill(&content, bytes, &self.stop)?),
            Medium::Disk => Filled::Disk(Disk::fill(&self.room.dir, &content, bytes, &self.stop)?, content),
        };
        Ok(())
    }

    fn read(&self, seed: &[u8; 32], medium: Medium, bytes: u64) -> io::Result<Vec<u8>> {
        let nonce = content::start(seed, 0);
        let sums = match (&self.filled, medium) {
            (Filled::Memory(memory), Medium::Memory) if memory.bytes() == bytes => memory.sums(nonce, &self.stop)?,
            (Filled::Disk(disk, content), Medium::Disk) if disk.bytes() == bytes && content.places().is_empty() => {
                disk.sums(nonce, &self.stop)?
            }
            _ => return Err(refused("not what was filled")),
        };
        Ok(words(sums))
    }

    fn scatter(&mut self, seed: &[u8; 32], writes: u32) -> io::Result<()> {
        let Filled::Disk(disk, content) = &mut self.filled else { return Err(refused("there is no file")) };
        if std::mem::replace(&mut self.had_writes, true) {
            return Err(refused("the file has been written at random"));
        }
        let anew = content.clone().scattered(seed, writes, disk.bytes());
        disk.rewrite(&anew, &self.stop)?;
        *content = anew;
        Ok(())
    }

    fn gather(&self, seed: &[u8; 32], medium: Medium, each: u32) -> io::Result<Vec<u8>> {
        let start = content::start(seed, 0);
        let states = match (&self.filled, medium) {
            (Filled::Memory(memory), Medium::Memory) => {
                let walk = Walk { medium, bytes: memory.bytes(), places: &[], each };
                let read = |block, out: &mut [u8]| self.stop.check().and_then(|()| memory.block(block, out));
                walk.all(start, read, || Ok(()))?
            }
            (Filled::Disk(disk, content), Medium::Disk) => {
                disk.read_at_random()?;
                let walk = Walk { medium, bytes: disk.bytes(), places: content.places(), each };
                let read = |block, out: &mut [u8]| self.stop.check().and_then(|()| disk.block(block, out));
                walk.all(start, read, || Ok(()))?
            }
            _ => return Err(refused("not what was filled")),
        };
        Ok(words(states))
    }
}

fn words(words: impl IntoIterator<Item = u64>) -> Vec<u8> {
    words.into_iter().flat_map(u64::to_be_bytes).collect()
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
