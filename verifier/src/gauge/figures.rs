//! What comes out of a measurement of everything but the GPUs.

use crate::score::sn27;

/// Soft figures of one machine. What is None was not measured: the machine declined, has too little, or the session
/// ended before. Rates are amounts over time on the keeper's clock, the shortest round trip forgiven; over a line they
/// are what one SSH channel carried, so at least that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Threads that worked at once for `core_khz_all`; 0 when they were not measured. A machine can have one core work
    /// for several of them, as each waits for its own steps most of the time.
    pub threads: u16,
    /// Disk that the machine says is free, MiB; 0 when none of it was measured.
    pub disk_free_mib: u64,
    /// Shortest of the echoes, microseconds.
    pub round_trip_us: Option<u64>,
    /// Clock of one core working alone, kHz: five cycles for each dependent step.
    pub core_khz_one: Option<u64>,
    /// Clock of each thread while all of them work, kHz.
    pub core_khz_all: Option<u64>,
    /// Memory that was filled, MiB.
    pub memory_mib: Option<u64>,
    /// Filling it with what a generator makes, kB/s. A machine that puts this off until it has to read shows a slower
    /// reading for it.
    pub memory_fill_kb_per_sec: Option<u64>,
    /// Reading it in order with all threads, kB/s.
    pub memory_read_kb_per_sec: Option<u64>,
    /// Dependent reads of 64 bytes at random places, a second.
    pub memory_reads_per_sec: Option<u64>,
    /// Size of the file, MiB.
    pub disk_mib: Option<u64>,
    /// Writing it in order until it is on disk, kB/s.
    pub disk_write_kb_per_sec: Option<u64>,
    /// Reading it in order, kB/s.
    pub disk_read_kb_per_sec: Option<u64>,
    /// Blocks of 4 KiB at random places, each on disk before the next, a second.
    pub disk_writes_per_sec: Option<u64>,
    /// Dependent reads of 4 KiB at random places, a second.
    pub disk_reads_per_sec: Option<u64>,
    /// From the keeper to the machine, kB/s.
    pub download_kb_per_sec: Option<u64>,
    /// From the machine to the keeper, kB/s.
    pub upload_kb_per_sec: Option<u64>,
}

/// GPUs, for a score that wants their clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Gpus {
    /// Memory of all of them, MiB: proven.
    pub mib: u64,
    /// Mean of graphics and memory clock, kHz: nobody can measure it from outside, so a claim.
    pub khz: u64,
}

impl Figures {
    /// These figures as subnet 27's score takes them: threads for cores and their measured clock while all work, what
    /// was filled for available memory, and of a disk the harmonic mean of reading and writing in order: bytes both
    /// ways over the time of both, which putting writes off does not make larger. What was not measured is 0.
    #[must_use]
    pub fn sn27(&self, gpus: Gpus) -> sn27::Figures {
        let disk = self.disk_read_kb_per_sec.zip(self.disk_write_kb_per_sec);
        sn27::Figures {
            cores: self.threads.into(),
            core_khz: self.core_khz_all.unwrap_or(0),
            gpu_mib: gpus.mib,
            gpu_khz: gpus.khz,
            disk_free_mib: self.disk_free_mib,
            disk_kb_per_sec: disk.map_or(0, |(read, write)| harmonic_mean(read, write)),
            ram_mib: self.memory_mib.unwrap_or(0),
            ram_kb_per_sec: self.memory_read_kb_per_sec.unwrap_or(0),
        }
    }
}

/// 2 / (1 / a + 1 / b), rounded down.
fn harmonic_mean(a: u64, b: u64) -> u64 {
    let (product, sum) = (u128::from(a) * u128::from(b), u128::from(a) + u128::from(b));
    // 2 · a · b overflows only where both are near 2^64.
    let mean = product.saturating_mul(2).checked_div(sum).unwrap_or(0);
    u64::try_from(mean).unwrap_or(u64::MAX)
}
