//! Soft figures: what a machine's processors, memory, disk and network line do, measured modestly.
//!
//! The proof is about GPUs. What else a machine has is worth knowing and cannot be proven by anybody who is not on the
//! machine: a disk can be memory, memory can be somebody else's, and what is asked for twice can be kept. So these
//! figures are *soft*: no bond hangs on them, no certificate names them. But they are measured, and not told: each is
//! an amount over the time from question to answer **on the keeper's clock**, and the answers hang on fresh seeds, so
//! whoever wants a figure has to have something that does the work. `PROTOCOL.md`, "Soft figures", has every byte.
//!
//! | module | what it holds |
//! |---|---|
//! | [`wire`] | questions and answers, and their bytes |
//! | [`content`] | what fills memory and disk, and what is computed over it |
//! | [`plan`] | the keeper's side: what is asked, what an answer must be, what follows from the time it took |
//! | [`reference`] | the right answers, for tests |
//! | [`figures`] | what comes out, and subnet 27's score of it |
//!
//! The machine's side needs threads, memory and a file: it is in the agent, over [`content`].

pub mod content;
pub mod figures;
pub mod plan;
pub mod reference;
pub mod wire;

#[cfg(test)]
mod tests;

pub use figures::{Figures, Gpus};
pub use plan::{Gauge, Sizes, Wrong};
pub use wire::{Ask, AskError, Claims, Medium, Task};

/// First bytes of the stream, instead of a proof's.
pub const MAGIC: &[u8; 8] = b"SURETYF1";

/// Contexts of BLAKE3's key derivation.
pub mod context {
    /// The seed of one question.
    pub const ASK: &str = "surety gauge v1 ask";
    /// What fills a chunk.
    pub const CONTENT: &str = "surety gauge v1 content";
    /// Where a computation starts.
    pub const START: &str = "surety gauge v1 start";
    /// Where writes go.
    pub const PLACES: &str = "surety gauge v1 places";
}

/// Bytes that are filled and summed as one.
pub const CHUNK: usize = 4 << 20;

/// The same, for sizes of memory and disk, which are multiples of it.
pub const CHUNK_BYTES: u64 = CHUNK as u64;

/// Legs of a chain of steps or of reads: the machine answers with the state after each, and the keeper goes some of
/// them again.
pub const LEGS: usize = 64;

/// Echoes that measure the round trip.
pub const ECHOES: usize = 5;

/// Processors that can be told of. The largest machines on offer have 512 threads.
pub const THREADS_MAX: u16 = 1024;

/// Bytes of memory or disk in one question: an answer to [`Task::Read`] has 8 bytes for each chunk, so 1 MiB.
pub const FILL_BYTES_MAX: u64 = 1 << 39;

/// Steps in one leg: 64 legs of them are 4.3e9, some 6 s.
pub const STEPS_MAX: u64 = 1 << 26;

/// Reads in one leg.
pub const READS_MAX: u32 = 1 << 16;

/// Blocks written at random places in one question.
pub const WRITES_MAX: u32 = 4096;

/// Bytes over the network in one question.
pub const LINE_BYTES_MAX: u32 = 64 << 20;

/// Longest answer: 64 MiB of an upload, and the byte before it. The rest is far smaller.
pub const ANSWER_BYTES_MAX: usize = 1 + LINE_BYTES_MAX as usize;
