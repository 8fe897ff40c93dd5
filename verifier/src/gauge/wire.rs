//! Questions of 48 bytes; answers of one byte (done or declined) and of what the question says follows. Nothing has a
//! length of its own on the wire, so nothing can be announced that does not come.

use super::{
    CHUNK_BYTES, FILL_BYTES_MAX, LEGS, LINE_BYTES_MAX, READS_MAX, STEPS_MAX, THREADS_MAX, WRITES_MAX, content,
};
use crate::Bytes32;

/// What is filled and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Medium {
    /// Memory, in blocks of 64 bytes: a cache line.
    Memory = 1,
    /// A file, in blocks of 4 KiB: a page.
    Disk = 2,
}

impl Medium {
    /// Bytes of one read at a random place.
    #[must_use]
    pub const fn block_bytes(self) -> usize {
        match self {
            Self::Memory => 64,
            Self::Disk => 4096,
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// What the machine says it has: [`Claims`].
    Claims,
    /// The seed back, at once.
    Echo,
    /// [`LEGS`] legs of `each` dependent steps on each of so many threads at once: the states after each leg, thread
    /// after thread.
    Steps {
        /// Threads, 1 to [`THREADS_MAX`].
        threads: u16,
        /// Steps in a leg, 1 to [`STEPS_MAX`].
        each: u64,
    },
    /// So many bytes filled from the seed, on disk when it is a disk.
    Fill {
        /// Where.
        medium: Medium,
        /// How many: a multiple of [`CHUNK_BYTES`], at most [`FILL_BYTES_MAX`].
        bytes: u64,
    },
    /// All that was filled, read in order: a sum for each chunk.
    Read {
        /// Where.
        medium: Medium,
        /// How many bytes: as many as were filled.
        bytes: u64,
    },
    /// Blocks at random places of the file written anew, each on disk before the next.
    Scatter {
        /// Blocks, 1 to [`WRITES_MAX`].
        writes: u32,
    },
    /// [`LEGS`] legs of `each` dependent reads of blocks at random places: the states after each leg.
    Gather {
        /// Where.
        medium: Medium,
        /// Reads in a leg, 1 to [`READS_MAX`].
        each: u32,
    },
    /// So many bytes follow the question; the answer is their BLAKE3 hash.
    Download {
        /// How many, 1 to [`LINE_BYTES_MAX`].
        bytes: u32,
    },
    /// The answer is so many bytes of the seed's generator.
    Upload {
        /// How many, 1 to [`LINE_BYTES_MAX`].
        bytes: u32,
    },
}

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What.
    pub task: Task,
    /// Fresh, so that no answer is known before.
    pub seed: Bytes32,
}

/// Bytes of a question: task u8 ‖ medium u8 ‖ threads u16 ‖ count u32 ‖ bytes u64 ‖ seed 32, big-endian. Fields that a
/// task does not use are 0.
pub const ASK_BYTES: usize = 48;

/// First byte of an answer: it follows.
pub const DONE: u8 = 0;

/// First byte of an answer, and its last: the machine does not do this, or has not got as much.
pub const DECLINED: u8 = 1;

/// Bytes that are no question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no question: {what} is {got}, out of what task {task} allows")]
pub struct AskError {
    /// Number of the task.
    pub task: u8,
    /// The field.
    pub what: &'static str,
    /// What it holds.
    pub got: u64,
}

/// The numbers of a question, in the order they are sent.
struct Fields {
    task: u8,
    medium: u8,
    threads: u16,
    count: u32,
    bytes: u64,
}

impl Ask {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; ASK_BYTES] {
        let Fields { task, medium, threads, count, bytes } = self.task.fields();
        let mut out = [0; ASK_BYTES];
        out[0] = task;
        out[1] = medium;
        out[2..4].copy_from_slice(&threads.to_be_bytes());
        out[4..8].copy_from_slice(&count.to_be_bytes());
        out[8..16].copy_from_slice(&bytes.to_be_bytes());
        out[16..].copy_from_slice(&self.seed);
        out
    }

    /// The question that these bytes are.
    ///
    /// # Errors
    /// When a number is out of its bounds, or a field is used that the task has no use for.
    pub fn decode(raw: &[u8; ASK_BYTES]) -> Result<Self, AskError> {
        let [task, medium, t0, t1, c0, c1, c2, c3, b0, b1, b2, b3, b4, b5, b6, b7, seed @ ..] = *raw;
        let fields = Fields {
            task,
            medium,
            threads: u16::from_be_bytes([t0, t1]),
            count: u32::from_be_bytes([c0, c1, c2, c3]),
            bytes: u64::from_be_bytes([b0, b1, b2, b3, b4, b5, b6, b7]),
        };
        let task = Task::of(&fields)?;
        // One encoding for each question: what a task has no use for is 0.
        if (Self { task, seed }).encode() != *raw {
            return Err(AskError { task: fields.task, what: "a field without use", got: 1 });
        }
        Ok(Self { task, seed })
    }
}

impl Task {
    fn fields(&self) -> Fields {
        let none = Fields { task: 0, medium: 0, threads: 0, count: 0, bytes: 0 };
        match *self {
            Self::Claims => none,
            Self::Echo => Fields { task: 1, ..none },
            Self::Steps { threads, each } => Fields { task: 2, threads, bytes: each, ..none },
            Self::Fill { medium, bytes } => Fields { task: 3, medium: medium as u8, bytes, ..none },
            Self::Read { medium, bytes } => Fields { task: 4, medium: medium as u8, bytes, ..none },
            Self::Scatter { writes } => Fields { task: 5, count: writes, ..none },
            Self::Gather { medium, each } => Fields { task: 6, medium: medium as u8, count: each, ..none },
            Self::Download { bytes } => Fields { task: 7, count: bytes, ..none },
            Self::Upload { bytes } => Fields { task: 8, count: bytes, ..none },
        }
    }

    fn of(fields: &Fields) -> Result<Self, AskError> {
        let Fields { task, threads, count, .. } = *fields;
        let within = |what, got, most| {
            if (1..=most).contains(&got) { Ok(got) } else { Err(AskError { task, what, got }) }
        };
        Ok(match task {
            0 => Self::Claims,
            1 => Self::Echo,
            2 => {
                within("threads", threads.into(), THREADS_MAX.into())?;
                Self::Steps { threads, each: within("steps", fields.bytes, STEPS_MAX)? }
            }
            3 => Self::Fill { medium: fields.medium()?, bytes: fields.chunks()? },
            4 => Self::Read { medium: fields.medium()?, bytes: fields.chunks()? },
            5 => {
                within("writes", count.into(), WRITES_MAX.into())?;
                Self::Scatter { writes: count }
            }
            6 => {
                within("reads", count.into(), READS_MAX.into())?;
                Self::Gather { medium: fields.medium()?, each: count }
            }
            7 | 8 => {
                within("bytes", count.into(), LINE_BYTES_MAX.into())?;
                if task == 7 { Self::Download { bytes: count } } else { Self::Upload { bytes: count } }
            }
            _ => return Err(AskError { task, what: "the task", got: task.into() }),
        })
    }

    /// Bytes of the answer after [`DONE`].
    #[must_use]
    pub fn answer_bytes(&self) -> usize {
        match *self {
            Self::Claims => Claims::BYTES,
            Self::Echo | Self::Download { .. } => 32,
            Self::Steps { threads, .. } => usize::from(threads) * LEGS * 8,
            Self::Fill { .. } | Self::Scatter { .. } => 0,
            Self::Read { bytes, .. } => 8 * content::chunks(bytes) as usize,
            Self::Gather { .. } => LEGS * 8,
            Self::Upload { bytes } => bytes as usize,
        }
    }

    /// Bytes that follow the question.
    #[must_use]
    pub fn question_bytes(&self) -> u32 {
        if let Self::Download { bytes } = self { *bytes } else { 0 }
    }
}

impl Fields {
    fn medium(&self) -> Result<Medium, AskError> {
        match self.medium {
            1 => Ok(Medium::Memory),
            2 => Ok(Medium::Disk),
            got => Err(AskError { task: self.task, what: "the medium", got: got.into() }),
        }
    }

    fn chunks(&self) -> Result<u64, AskError> {
        let got = self.bytes;
        let whole = (CHUNK_BYTES..=FILL_BYTES_MAX).contains(&got) && got.is_multiple_of(CHUNK_BYTES);
        if whole { Ok(got) } else { Err(AskError { task: self.task, what: "bytes", got }) }
    }
}

/// What a machine says it has: only to know how much to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Threads that run at once.
    pub threads: u16,
    /// Bytes of memory that are free.
    pub memory_bytes: u64,
    /// Bytes of disk that are free, where tenants' files will be.
    pub disk_bytes: u64,
}

impl Claims {
    /// On the wire: threads u16 ‖ memory u64 ‖ disk u64.
    pub const BYTES: usize = 18;

    /// The answer.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [&self.threads.to_be_bytes()[..], &self.memory_bytes.to_be_bytes(), &self.disk_bytes.to_be_bytes()].concat()
    }

    /// None when it is no answer: of another length, or with no thread or too many.
    #[must_use]
    pub fn decode(answer: &[u8]) -> Option<Self> {
        let answer: &[u8; Self::BYTES] = answer.try_into().ok()?;
        let [t0, t1, numbers @ ..] = *answer;
        let (memory, disk) = numbers.split_at(8);
        let threads = u16::from_be_bytes([t0, t1]);
        let claims = Self {
            threads,
            memory_bytes: u64::from_be_bytes(memory.try_into().ok()?),
            disk_bytes: u64::from_be_bytes(disk.try_into().ok()?),
        };
        (1..=THREADS_MAX).contains(&threads).then_some(claims)
    }
}
