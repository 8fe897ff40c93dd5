//! The work that a class asks for, and the time that it may take.

use crate::classes::{Class, ClassId};
use crate::params::Params;
use crate::session::Limits;

/// Sizes and times of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The only sizes that prove the class.
    pub params: Params,
    /// The longest times that prove it; a keeper may allow less.
    pub limits: Limits,
}

/// A walk takes less than this at the class's minimum, and at least half of it.
const WALK_MS: u64 = 800;

/// Bytes that the walkers of one card read in one hop each.
const HOP_BYTES: u64 = 128 << 15;

impl Plan {
    /// None where nobody has said yet what the class must reach.
    ///
    /// Time for the work: its operations at the class's least rate. Time for the walk: its bytes at the class's least
    /// random bandwidth. Four times that, and ten seconds, until nothing is measured at all.
    #[must_use]
    pub fn of(class: ClassId, count: u16) -> Option<Self> {
        if class == ClassId::CPU_TEST {
            return Some(Self { params: Params::cpu_small(count), limits: Limits::cpu_test() });
        }
        let Class { vram_mib, int8_gops_min, random_gb_per_sec_min, .. } = class.class()?;
        let (gops, gb_per_sec) = (u64::from((*int8_gops_min)?), u64::from((*random_gb_per_sec_min)?));
        let params = Params::full(*vram_mib, hops(gb_per_sec), count);
        let compute_pass_ms = params.operations() / (gops * 1_000_000);
        let walk_pass_ms = params.walk_bytes() / (gb_per_sec * 1_000_000);
        let patient = |ms: u64| 4 * ms + 10_000;
        let limits = Limits {
            // Waking a card and compiling for it takes seconds.
            hello_ms: 30_000,
            compute_ms: patient(compute_pass_ms),
            compute_pass_ms,
            walk_ms: patient(walk_pass_ms),
            walk_pass_ms,
            ..Limits::cpu_test()
        };
        Some(Self { params, limits })
    }
}

/// The largest power of two of hops that all walkers take within [`WALK_MS`] at this bandwidth.
fn hops(gb_per_sec: u64) -> u32 {
    let most = gb_per_sec * 1_000_000 * WALK_MS / HOP_BYTES;
    u32::try_from(most).map_or(1 << 31, |most| 1 << most.max(1).ilog2())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classes::CLASSES;

    #[test]
    fn every_calibrated_class_has_a_plan_within_the_protocols_bounds_that_fits_its_memory() {
        for class in CLASSES.iter().filter(|class| class.int8_gops_min.is_some()) {
            for count in [1, 8, 16] {
                let Some(Plan { params, limits }) = Plan::of(class.id, count) else { panic!("{}", class.name) };
                assert_eq!(params.check(), Ok(()), "{}", class.name);
                let memory = u64::from(class.vram_mib) << 20;
                // Residues, checkpoints, both matrices, and of the trees only the nodes above whole rows.
                let (matrices, trees) = ((4_096 + 8_192) << 15, params.fill_bytes() / 256);
                let needed = params.fill_bytes() + params.checkpoint_bytes() + matrices + trees;
                assert!(needed < memory / 100 * 96, "{}: {} MiB", class.name, needed >> 20);
                assert!((400..800).contains(&limits.walk_pass_ms), "{}: {limits:?}", class.name);
                assert!((1_500..10_000).contains(&limits.compute_pass_ms), "{}: {limits:?}", class.name);
            }
        }
    }

    #[test]
    fn a_class_without_minima_has_no_plan() {
        assert_eq!(Plan::of(ClassId(1), 1), None, "B200");
        assert_eq!(Plan::of(ClassId(999), 1), None);
    }
}
