//! The keeper's side: what to ask next, whether an answer can be right, what follows from the time it took.

use super::content::{CYCLES_PER_STEP, Content, Walk, drawn, start, steps, sum};
use super::wire::{Ask, Claims, Medium, Task};
use super::{CHUNK, CHUNK_BYTES, ECHOES, FILL_BYTES_MAX, Figures, LEGS, context};
use crate::Bytes32;
use crate::classes::ClassId;
use crate::limits::RTT_CREDIT_MAX_MS;
use crate::seed::{derive, generator};
use rand_core::RngCore;
use std::collections::VecDeque;
use std::convert::Infallible;

/// How much is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Steps in a leg of a thread's chain.
    pub steps: u64,
    /// Most memory that is filled, bytes.
    pub memory_max_bytes: u64,
    /// Reads in a leg of the walk over memory.
    pub memory_reads: u32,
    /// Bytes of the file. A machine without four times as much free is not asked.
    pub disk_bytes: u64,
    /// Blocks written at random places.
    pub disk_writes: u32,
    /// Reads in a leg of the walk over the file.
    pub disk_reads: u32,
    /// Bytes each way over the network.
    pub line_bytes: u32,
}

impl Sizes {
    /// For machines with GPUs. At 3 GHz the steps take 0.45 s; memory is filled to three quarters of what is free; the
    /// file has 1 GiB, which no disk's own cache holds, and wears none out when it comes once in three days; 16 MiB
    /// each way are 16 GB for a keeper with a thousand machines.
    pub const FULL: Self = Self {
        steps: 1 << 22,
        memory_max_bytes: FILL_BYTES_MAX,
        memory_reads: 1 << 14,
        disk_bytes: 1 << 30,
        disk_writes: 256,
        disk_reads: 16,
        line_bytes: 16 << 20,
    };

    /// For the CPU test class, of which many run on one computer.
    pub const SMALL: Self = Self {
        steps: 1 << 12,
        memory_max_bytes: 2 * CHUNK_BYTES,
        memory_reads: 64,
        disk_bytes: 2 * CHUNK_BYTES,
        disk_writes: 4,
        disk_reads: 2,
        line_bytes: 256 << 10,
    };

    /// What machines of a class are asked for.
    #[must_use]
    pub fn of(class: ClassId) -> Self {
        if class == ClassId::CPU_TEST { Self::SMALL } else { Self::FULL }
    }
}

/// An answer that cannot be right: nothing more is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer about {what} is wrong; what was measured before stands")]
pub struct Wrong {
    /// What was asked about.
    pub what: &'static str,
}

impl Task {
    /// Longest that an answer may take, milliseconds: a minute for what works on a whole medium or a line.
    #[must_use]
    pub fn allowed_ms(&self) -> u64 {
        match self {
            Self::Claims | Self::Echo => 5_000,
            _ => 60_000,
        }
    }
}

/// One measurement. Pure: questions come out, answers and microseconds go in.
#[derive(Debug)]
pub struct Gauge {
    /// All that is drawn hangs on it. It never leaves the keeper.
    secret: Bytes32,
    sizes: Sizes,
    coming: VecDeque<Task>,
    asked: Option<Ask>,
    number: u16,
    memory: Filled,
    disk: Filled,
    round_trip_us: Option<u64>,
    claims: Claims,
    figures: Figures,
}

/// What a medium was filled with, and how quickly that was said to be done: not believed before it was read.
#[derive(Debug)]
struct Filled {
    content: Content,
    bytes: u64,
    kb_per_sec: u64,
    writes_per_sec: Option<u64>,
}

/// Legs that are gone again of the chains of all threads, and chunks that are summed again of each reading.
const CHECKED: u8 = 16;

/// Chunks are dear: 4 MiB each.
const CHUNKS_CHECKED: u8 = 2;

/// The round trip is forgiven up to one part in so many of what something took: echoes that were held back make nothing
/// faster than by a third.
const FORGIVEN_OF: u64 = 4;

impl Gauge {
    /// A measurement with 32 bytes of fresh randomness.
    #[must_use]
    pub fn new(secret: Bytes32, sizes: Sizes) -> Self {
        let nothing = || Filled { content: Content::of(&secret), bytes: 0, kb_per_sec: 0, writes_per_sec: None };
        let mut coming = VecDeque::from([Task::Echo; ECHOES]);
        coming.push_back(Task::Claims);
        Self {
            sizes,
            coming,
            asked: None,
            number: 0,
            memory: nothing(),
            disk: nothing(),
            round_trip_us: None,
            claims: Claims { threads: 1, memory_bytes: 0, disk_bytes: 0 },
            figures: Figures::default(),
            secret,
        }
    }

    /// The next question; none when all has been asked.
    pub fn ask(&mut self) -> Option<Ask> {
        self.number += 1;
        let number = self.number;
        let seed = derive(context::ASK, &[&self.secret, &number.to_be_bytes()]);
        self.asked = self.coming.pop_front().map(|task| Ask { task, seed });
        self.asked
    }

    /// What follows the question on the line. Not of the question's seed: a machine does not know it before it comes.
    #[must_use]
    pub fn payload(&self) -> Vec<u8> {
        self.asked.map_or_else(Vec::new, |asked| drawn(&self.secret, asked.task.question_bytes()))
    }

    /// What has been measured so far.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// The machine does not do what it was asked for: nothing more of that medium.
    pub fn declined(&mut self) {
        let gone = self.asked.take().and_then(|asked| medium(&asked.task));
        self.coming.retain(|task| gone.is_none() || medium(task) != gone);
    }

    /// Takes an answer and the time from question to answer. Checking takes up to half a second: one thread's chain and
    /// both walks are gone again from end to end.
    ///
    /// # Errors
    /// When the answer cannot be right. Of all threads' chains 16 legs are gone again, of each reading two chunks: one
    /// in eight made up is found seven times in eight, and once in four.
    pub fn answered(&mut self, answer: &[u8], took_us: u64) -> Result<(), Wrong> {
        let Some(Ask { task, seed }) = self.asked.take() else { return Err(Wrong { what: "nothing" }) };
        let credit = self.round_trip_us.unwrap_or(0).min(RTT_CREDIT_MAX_MS * 1_000).min(took_us / FORGIVEN_OF);
        let rate = Rate { us: took_us.saturating_sub(credit).max(1) };
        if answer.len() != task.answer_bytes() {
            return Err(Wrong { what: name(&task) });
        }
        let right = match task {
            Task::Echo => self.echoed(answer == seed, took_us),
            Task::Claims => Claims::decode(answer).is_some_and(|claims| self.claimed(&claims)),
            Task::Steps { threads, each } => self.stepped(&seed, (threads, each), &words(answer), &rate),
            Task::Fill { medium, bytes } => self.filled(medium, bytes, &seed, &rate),
            Task::Read { medium, bytes } => self.read(medium, bytes, &seed, &words(answer), &rate),
            Task::Scatter { writes } => self.scattered(writes, &seed, &rate),
            Task::Gather { medium, each } => self.gathered(medium, each, &seed, &words(answer), &rate),
            Task::Download { bytes } => self.downloaded(bytes, answer, &rate),
            Task::Upload { bytes } => self.uploaded(bytes, &seed, answer, &rate),
        };
        if right { Ok(()) } else { Err(Wrong { what: name(&task) }) }
    }

    fn echoed(&mut self, right: bool, took_us: u64) -> bool {
        if right {
            self.round_trip_us = Some(self.round_trip_us.map_or(took_us, |least| least.min(took_us)));
            self.figures.round_trip_us = self.round_trip_us;
        }
        right
    }

    fn claimed(&mut self, claims: &Claims) -> bool {
        let sizes = self.sizes;
        self.claims = *claims;
        self.coming.extend([
            Task::Steps { threads: 1, each: sizes.steps },
            Task::Steps { threads: claims.threads, each: sizes.steps },
        ]);
        let most = (claims.memory_bytes / 4 * 3).min(sizes.memory_max_bytes);
        let medium = Medium::Memory;
        if let bytes @ CHUNK_BYTES.. = most - most % CHUNK_BYTES {
            let walk = Task::Gather { medium, each: sizes.memory_reads };
            self.coming.extend([Task::Fill { medium, bytes }, Task::Read { medium, bytes }, walk]);
        }
        let (medium, bytes) = (Medium::Disk, sizes.disk_bytes);
        if claims.disk_bytes / 4 >= bytes {
            let writes = Task::Scatter { writes: sizes.disk_writes };
            let walk = Task::Gather { medium, each: sizes.disk_reads };
            self.coming.extend([Task::Fill { medium, bytes }, Task::Read { medium, bytes }, writes, walk]);
        }
        let bytes = sizes.line_bytes;
        self.coming.extend([Task::Download { bytes }, Task::Upload { bytes }]);
        true
    }

    fn stepped(&mut self, seed: &Bytes32, (threads, each): (u16, u64), states: &[u64], rate: &Rate) -> bool {
        let leg = |state: usize| {
            let before = if state.is_multiple_of(LEGS) {
                u16::try_from(state / LEGS).ok().map(|thread| start(seed, thread))
            } else {
                states.get(state - 1).copied()
            };
            before.map(|before| steps(before, each)) == states.get(state).copied()
        };
        let khz = Some(rate.per_sec(LEGS as u64 * each * CYCLES_PER_STEP) / 1_000);
        // One thread is asked first; where a machine has no more, it is asked twice. A chain in pieces, from invented
        // states, would be the work of many cores: it is gone again whole.
        if threads == 1 && self.figures.core_khz_one.is_none() {
            let right = (0..LEGS).all(leg);
            self.figures.core_khz_one = khz.filter(|_| right);
            return right;
        }
        let right = (0..CHECKED).all(|pick| leg(self.pick(pick, states.len())));
        if right {
            (self.figures.threads, self.figures.core_khz_all) = (threads, khz);
        }
        right
    }

    fn filled(&mut self, medium: Medium, bytes: u64, seed: &Bytes32, rate: &Rate) -> bool {
        let kb_per_sec = rate.kb_per_sec(bytes);
        *self.medium(medium) = Filled { content: Content::of(seed), bytes, kb_per_sec, writes_per_sec: None };
        true
    }

    /// What was read in order was filled: its size, and how quickly, stand from here on.
    fn read(&mut self, medium: Medium, bytes: u64, seed: &Bytes32, sums: &[u64], rate: &Rate) -> bool {
        let nonce = start(seed, 0);
        let mut chunk = vec![0; CHUNK];
        let Filled { content, kb_per_sec, .. } = self.filled_with(medium);
        let right = (0..CHUNKS_CHECKED).all(|pick| {
            let number = self.pick(pick, sums.len());
            u32::try_from(number).is_ok_and(|number| {
                content.chunk(number, &mut chunk);
                sums.get(number as usize) == Some(&sum(nonce, &chunk))
            })
        });
        let (mib, filling, reading) = (Some(bytes >> 20), Some(*kb_per_sec), Some(rate.kb_per_sec(bytes)));
        let (figures, free_mib) = (&mut self.figures, self.claims.disk_bytes >> 20);
        match medium {
            _ if !right => {}
            Medium::Memory => {
                (figures.memory_mib, figures.memory_fill_kb_per_sec) = (mib, filling);
                figures.memory_read_kb_per_sec = reading;
            }
            Medium::Disk => {
                (figures.disk_mib, figures.disk_write_kb_per_sec) = (mib, filling);
                (figures.disk_read_kb_per_sec, figures.disk_free_mib) = (reading, free_mib);
            }
        }
        right
    }

    fn scattered(&mut self, writes: u32, seed: &Bytes32, rate: &Rate) -> bool {
        let Filled { content, bytes, .. } = &self.disk;
        let content = content.clone().scattered(seed, writes, *bytes);
        self.disk.writes_per_sec = Some(rate.per_sec(content.places().len() as u64));
        self.disk.content = content;
        true
    }

    /// The walk is gone again from end to end. Every other read of a file is of a block that was written anew, so from
    /// here on the rate of those writes stands too.
    fn gathered(&mut self, medium: Medium, each: u32, seed: &Bytes32, states: &[u64], rate: &Rate) -> bool {
        let Filled { content, bytes, writes_per_sec, .. } = self.filled_with(medium);
        let walk = Walk { medium, bytes: *bytes, places: content.places(), each };
        let read = |block, out: &mut [u8]| {
            content.block(medium, block, out);
            Ok::<_, Infallible>(())
        };
        let right = walk.all(start(seed, 0), read, || Ok(())).is_ok_and(|again| again == states);
        let (reading, writing) = (Some(rate.per_sec(LEGS as u64 * u64::from(each))), *writes_per_sec);
        match medium {
            _ if !right => {}
            Medium::Memory => self.figures.memory_reads_per_sec = reading,
            Medium::Disk => {
                (self.figures.disk_reads_per_sec, self.figures.disk_writes_per_sec) = (reading, writing);
            }
        }
        right
    }

    fn downloaded(&mut self, bytes: u32, answer: &[u8], rate: &Rate) -> bool {
        let right = blake3::hash(&drawn(&self.secret, bytes)).as_bytes()[..] == *answer;
        if right {
            self.figures.download_kb_per_sec = Some(rate.kb_per_sec(bytes.into()));
        }
        right
    }

    fn uploaded(&mut self, bytes: u32, seed: &Bytes32, answer: &[u8], rate: &Rate) -> bool {
        let right = drawn(seed, bytes) == answer;
        if right {
            self.figures.upload_kb_per_sec = Some(rate.kb_per_sec(bytes.into()));
        }
        right
    }

    fn medium(&mut self, medium: Medium) -> &mut Filled {
        match medium {
            Medium::Memory => &mut self.memory,
            Medium::Disk => &mut self.disk,
        }
    }

    fn filled_with(&self, medium: Medium) -> &Filled {
        match medium {
            Medium::Memory => &self.memory,
            Medium::Disk => &self.disk,
        }
    }

    /// Number `pick` of those that are looked at, below `below`; not known to the machine.
    fn pick(&self, pick: u8, below: usize) -> usize {
        let key = derive(context::ASK, &[&self.secret, &self.number.to_be_bytes(), &[pick]]);
        let drawn = usize::try_from(generator(&key, 0).next_u64() >> 32).unwrap_or(0);
        drawn % below.max(1)
    }
}

/// Time that something took, at least a microsecond.
struct Rate {
    us: u64,
}

impl Rate {
    /// So many of something, a second.
    fn per_sec(&self, amount: u64) -> u64 {
        u64::try_from(u128::from(amount) * 1_000_000 / u128::from(self.us)).unwrap_or(u64::MAX)
    }

    fn kb_per_sec(&self, bytes: u64) -> u64 {
        self.per_sec(bytes) / 1_000
    }
}

fn words(answer: &[u8]) -> Vec<u64> {
    answer.as_chunks::<8>().0.iter().map(|word| u64::from_be_bytes(*word)).collect()
}

fn medium(task: &Task) -> Option<Medium> {
    match *task {
        Task::Fill { medium, .. } | Task::Read { medium, .. } | Task::Gather { medium, .. } => Some(medium),
        Task::Scatter { .. } => Some(Medium::Disk),
        _ => None,
    }
}

fn name(task: &Task) -> &'static str {
    match task {
        Task::Claims => "what there is",
        Task::Echo => "an echo",
        Task::Steps { .. } => "steps",
        Task::Fill { .. } => "filling",
        Task::Read { .. } => "reading in order",
        Task::Scatter { .. } => "writing at random",
        Task::Gather { .. } => "reading at random",
        Task::Download { .. } => "a download",
        Task::Upload { .. } => "an upload",
    }
}
