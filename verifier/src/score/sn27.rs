//! The score that subnet 27 (NI Compute) has published for its miners, over measured figures.
//!
//! ```text
//! cpu  = cores · MHz / 1024 / 50               weight 0.20
//! gpu  = GiB · MHz / 200,000                   weight 0.55
//! disk = free GiB · MB/s / 1,000,000           weight 0.10
//! ram  = available GiB · MB/s / 200,000        weight 0.15
//! score = 10 + 100 · (weighted sum) + 100 if registered
//! ```
//!
//! MHz of a GPU is the mean of its graphics and memory clock, MB/s of a disk the mean of reading and writing; GPUs add
//! up their memory. Source: "Score Calculation Function" and its two worked examples in the README of
//! `neuralinternet/Compute-Subnet`, and the constants of the function it describes (10, 100, 100). There, miners state
//! all of these figures themselves. Here memory of a GPU is what a measurement has proven, and the rest is soft:
//! measured by programs on a machine that nobody trusts. A clock is no measurement at all, so a figure built on one
//! stays a claim, and this score with it; it is offered so that results can be compared, and for subnets that pay by
//! it. Where a score is paid for, nobody's claim of a clock is taken but the data sheet of the class that was proven
//! ([`clock_khz`]).

use crate::classes::ClassId;

/// What a machine has, in thousandths of the formula's units, so that nothing is rounded before the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Figures {
    /// Cores, over all processors.
    pub cores: u32,
    /// Their frequency in kHz (thousandths of a MHz).
    pub core_khz: u64,
    /// Memory of all GPUs together, MiB.
    pub gpu_mib: u64,
    /// Mean of graphics and memory clock, kHz.
    pub gpu_khz: u64,
    /// Free disk, MiB.
    pub disk_free_mib: u64,
    /// Mean of sequential reading and writing, kB/s.
    pub disk_kb_per_sec: u64,
    /// Available memory, MiB.
    pub ram_mib: u64,
    /// Reading from memory, kB/s.
    pub ram_kb_per_sec: u64,
}

/// By class: boost clock and memory clock of its data sheet, MHz. A memory clock is half of the data rate of a pin, as
/// drivers show it. From data sheets, and not measured on any card.
const CLOCKS_MHZ: [(u16, u64, u64); 11] = [
    (2, 1_980, 3_201),   // H200: 6.4 Gb/s
    (3, 1_980, 2_619),   // H100 SXM: 5.2 Gb/s
    (4, 1_755, 1_593),   // H100 PCIe: 3.2 Gb/s
    (5, 1_410, 1_593),   // A100 SXM: 3.2 Gb/s
    (6, 1_410, 1_512),   // A100 PCIe: 3.0 Gb/s
    (7, 2_520, 9_001),   // L40S: 18 Gb/s
    (8, 2_505, 10_001),  // RTX 6000 Ada: 20 Gb/s
    (9, 1_800, 8_001),   // RTX A6000: 16 Gb/s
    (10, 2_407, 14_001), // RTX 5090: 28 Gb/s
    (11, 2_520, 10_501), // RTX 4090: 21 Gb/s
    (12, 1_695, 9_751),  // RTX 3090: 19.5 Gb/s
];

/// Mean of graphics and memory clock of a class by its data sheet, kHz; None for a class of which nothing is proven.
#[must_use]
pub fn clock_khz(class: ClassId) -> Option<u64> {
    let found = CLOCKS_MHZ.iter().find(|(id, ..)| *id == class.0);
    found.map(|(_, graphics, memory)| (graphics + memory) * 1_000 / 2)
}

/// Nano-points of one point.
pub const POINT: u128 = 1_000_000_000;

/// The weighted sum of the four parts, nano-points, each part rounded down.
#[must_use]
pub fn weighted_nano(figures: &Figures) -> u128 {
    let Figures { cores, core_khz, gpu_mib, gpu_khz, disk_free_mib, disk_kb_per_sec, ram_mib, ram_kb_per_sec } =
        *figures;
    let parts = [
        part(20, u64::from(cores) * 1024, core_khz, 1024 * 50),
        part(55, gpu_mib, gpu_khz, 200_000),
        part(10, disk_free_mib, disk_kb_per_sec, 1_000_000),
        part(15, ram_mib, ram_kb_per_sec, 200_000),
    ];
    parts.into_iter().fold(0, u128::saturating_add)
}

/// The score, nano-points: 10 points for being there, 100 times the weighted sum, 100 points if registered.
#[must_use]
pub fn score_nano(figures: &Figures, registered: bool) -> u128 {
    let bonus = if registered { 100 * POINT } else { 0 };
    weighted_nano(figures).saturating_mul(100).saturating_add(10 * POINT).saturating_add(bonus)
}

/// `percent` % of (`mib` / 1024) · (`milli` / 1000) / `level`, nano-points. What does not fit into 128 bits saturates;
/// no machine has so much.
fn part(percent: u128, mib: u64, milli: u64, level: u128) -> u128 {
    let whole = u128::from(mib).saturating_mul(u128::from(milli)).saturating_mul(percent * POINT);
    whole / (100 * 1024 * 1000 * level)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published examples put GHz and GB/s where the formula has MHz and MB/s; the arithmetic is what they show, so
    /// their numbers are taken as they stand: 3.0 is 3000 thousandths.
    const MINER_A: Figures = Figures {
        cores: 2,
        core_khz: 3_000,
        gpu_mib: 8 * 1024,
        gpu_khz: 1_000,
        disk_free_mib: 500 * 1024,
        disk_kb_per_sec: 100_000,
        ram_mib: 16 * 1024,
        ram_kb_per_sec: 2_000,
    };
    const MINER_B: Figures = Figures {
        cores: 4,
        core_khz: 2_500,
        gpu_mib: (6 + 6) * 1024,
        gpu_khz: 1_350,
        disk_free_mib: 1024 * 1024,
        disk_kb_per_sec: 175_000,
        ram_mib: 32 * 1024,
        ram_kb_per_sec: 3_000,
    };

    #[test]
    fn the_first_published_example_comes_out() {
        // 0.2·6/51200 + 0.55·8/200000 + 0.1·50000/1000000 + 0.15·32/200000, each part rounded down to nanos.
        assert_eq!(weighted_nano(&MINER_A), 23_437 + 22_000 + 5_000_000 + 24_000);
        assert_eq!(score_nano(&MINER_A, true), 110 * POINT + 100 * 5_069_437);
    }

    #[test]
    fn the_second_published_example_comes_out() {
        // 0.2·10/51200 + 0.55·16.2/200000 + 0.1·1024·175/1000000 + 0.15·96/200000; a TB is 1024 GB there.
        assert_eq!(weighted_nano(&MINER_B), 39_062 + 44_550 + 17_920_000 + 72_000);
        assert_eq!(score_nano(&MINER_B, false), 10 * POINT + 100 * 18_075_612);
    }

    #[test]
    fn each_level_is_worth_its_weight_in_hundredths_and_ten_points_come_with_being_there() {
        assert_eq!(score_nano(&Figures::default(), false), 10 * POINT);
        assert_eq!(score_nano(&Figures::default(), true), 110 * POINT);
        let level = Figures {
            cores: 20,
            core_khz: 2_560_000,
            gpu_mib: 100 * 1024,
            gpu_khz: 2_000_000,
            disk_free_mib: 1_000 * 1024,
            disk_kb_per_sec: 1_000_000,
            ram_mib: 100 * 1024,
            ram_kb_per_sec: 2_000_000,
        };
        assert_eq!(weighted_nano(&level), POINT, "20 cores of 2.56 GHz, 100 GiB at 2 GHz, 1000 GiB, 100 GiB: 1.00");
    }

    #[test]
    fn every_class_that_can_be_proven_has_a_clock_and_no_other_has() {
        use crate::classes::CLASSES;
        for class in CLASSES {
            let proven = crate::score::classes::points(class.id).is_some();
            assert_eq!(clock_khz(class.id).is_some(), proven, "{}", class.name);
        }
        assert_eq!(clock_khz(ClassId(12)), Some(5_723_000));
        assert_eq!(clock_khz(ClassId::CPU_TEST), None);
    }

    #[test]
    fn more_is_never_worth_less_and_no_figures_overflow() {
        let most = Figures {
            cores: u32::MAX,
            core_khz: u64::MAX,
            gpu_mib: u64::MAX,
            gpu_khz: u64::MAX,
            disk_free_mib: u64::MAX,
            disk_kb_per_sec: u64::MAX,
            ram_mib: u64::MAX,
            ram_kb_per_sec: u64::MAX,
        };
        let more = Figures { gpu_mib: MINER_A.gpu_mib + 1_024, ..MINER_A };
        assert!(weighted_nano(&MINER_A) < weighted_nano(&more));
        assert!(score_nano(&most, true) > score_nano(&MINER_B, true));
    }
}
