//! Our own score: what a measurement proves, and nothing else.
//!
//! A certificate proves so many GPUs of a class, and a class is what its cards must reach at least: operations, memory,
//! random bandwidth (`classes.rs`). A class is worth 2/5, 3/10 and 3/10 of these, each as a multiple of the RTX 3090's,
//! the smallest class there is:
//!
//! ```text
//! points = 400 * int8 / 156,000 + 300 * MiB / 24,576 + 300 * GB/s / 510          an RTX 3090: 1000
//! ```
//!
//! Why these shares. Operations are what most renters come for, and what a cheaper card can least pretend. Memory
//! decides what fits at all, bandwidth how fast what fits runs; neither replaces the other. Prices on rental markets
//! would be a better measure of worth, and are not proven by anybody: demand comes in where weights are set, not here.

use crate::classes::{CLASSES, Class, ClassId};

/// Points of one RTX 3090.
pub const UNIT: u64 = 1_000;

/// The class that all others are measured in.
const REFERENCE: ClassId = ClassId(12);

/// Shares of operations, memory and bandwidth in [`UNIT`].
const SHARES: [u64; 3] = [400, 300, 300];

/// Points of one card of a class, rounded down part by part. None where nothing is proven: the class does not exist,
/// has no minima, or is the CPU test.
#[must_use]
pub fn points(class: ClassId) -> Option<u64> {
    let parts = parts(class.class()?)?;
    let reference = parts_of_reference()?;
    Some(SHARES.iter().zip(parts).zip(reference).map(|((share, part), unit)| share * part / unit).sum())
}

/// Points of a machine with so many cards that were proven at once.
#[must_use]
pub fn of_machine(class: ClassId, count: u16) -> Option<u64> {
    Some(points(class)?.saturating_mul(count.into()))
}

fn parts(class: &Class) -> Option<[u64; 3]> {
    let (operations, bandwidth) = (class.int8_gops_min?, class.random_gb_per_sec_min?);
    Some([operations.into(), class.vram_mib.into(), bandwidth.into()])
}

fn parts_of_reference() -> Option<[u64; 3]> {
    CLASSES.iter().find(|class| class.id == REFERENCE).and_then(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_as_it_was_argued() {
        let table = [
            (2, 5_207),  // H200
            (3, 4_000),  // H100 SXM
            (4, 3_308),  // H100 PCIe
            (5, 2_587),  // A100 SXM
            (6, 2_587),  // A100 PCIe
            (7, 1_877),  // L40S
            (8, 1_914),  // RTX 6000 Ada
            (9, 1_281),  // RTX A6000
            (10, 2_162), // RTX 5090
            (11, 1_552), // RTX 4090
            (12, 1_000), // RTX 3090
        ];
        for (class, worth) in table {
            assert_eq!(points(ClassId(class)), Some(worth), "{}", ClassId(class));
        }
        assert_eq!(CLASSES.iter().filter(|class| points(class.id).is_some()).count(), table.len());
    }

    #[test]
    fn what_nothing_was_proven_of_is_worth_nothing() {
        for class in [ClassId::CPU_TEST, ClassId(1), ClassId(0), ClassId(999)] {
            assert_eq!(points(class), None, "{class}");
        }
    }

    #[test]
    fn a_machine_is_worth_its_cards_and_no_count_overflows() {
        assert_eq!(of_machine(ClassId(12), 8), Some(8 * UNIT));
        assert_eq!(of_machine(ClassId(12), 0), Some(0));
        assert!(of_machine(ClassId(2), u16::MAX).is_some());
    }

    #[test]
    fn a_class_that_must_reach_no_less_in_anything_is_worth_no_less() {
        for (one, other) in CLASSES.iter().flat_map(|one| CLASSES.iter().map(move |other| (one, other))) {
            let (Some(parts_one), Some(parts_other)) = (parts(one), parts(other)) else { continue };
            if parts_one.iter().zip(parts_other).all(|(one, other)| *one >= other) {
                assert!(points(one.id) >= points(other.id), "{} and {}", one.name, other.name);
            }
        }
    }
}
