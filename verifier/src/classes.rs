//! GPU classes: the ids shared with the contracts, and the least that a card of each must reach.
//!
//! Minima follow one rule for each dimension: max(0.9 × the 5th percentile of honest calibration, 1.05 × the data
//! sheet of the best cheaper class with the same memory). The numbers here are that rule's starting point from dense
//! data sheets; keepers calibrate them.

use serde::{Deserialize, Serialize};

/// Id of a GPU class, as the contracts store it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClassId(pub u16);

impl ClassId {
    /// The class that needs no GPU and proves none. It exists only on [`LOCAL_CHAIN_IDS`].
    pub const CPU_TEST: Self = Self(65_535);

    /// The class's row in the table, if there is one.
    #[must_use]
    pub fn class(self) -> Option<&'static Class> {
        CLASSES.iter().find(|class| class.id == self)
    }

    /// Whether a measurement of this class may be made on this chain at all.
    #[must_use]
    pub fn allowed_on(self, chain_id: u64) -> bool {
        self.class().is_some() && (self != Self::CPU_TEST || LOCAL_CHAIN_IDS.contains(&chain_id))
    }
}

impl std::fmt::Display for ClassId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.class() {
            Some(class) => f.write_str(class.name),
            None => write!(f, "class {}", self.0),
        }
    }
}

/// Chains of a developer's own: anvil (31337) and a local Subtensor (42).
pub const LOCAL_CHAIN_IDS: [u64; 2] = [31_337, 42];

/// What one class of GPU is, and the least that a card must reach to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Id shared with the contracts.
    pub id: ClassId,
    /// Name for people.
    pub name: &'static str,
    /// Memory visible to a program, in MiB. It sets how many rounds are filled, whatever a card says it has.
    pub vram_mib: u32,
    /// Least exact int8 operations in a second, in units of 10^9. None: not calibrated (or nothing is claimed).
    pub int8_gops_min: Option<u32>,
    /// Least that random reads of 128 bytes bring together, in GB/s. None: nothing is claimed. Measured by the walk.
    pub random_gb_per_sec_min: Option<u32>,
}

const fn class(id: u16, name: &'static str, vram_mib: u32, int8_gops_min: u32, random_gb_per_sec_min: u32) -> Class {
    Class {
        id: ClassId(id),
        name,
        vram_mib,
        int8_gops_min: Some(int8_gops_min),
        random_gb_per_sec_min: Some(random_gb_per_sec_min),
    }
}

/// All classes. Memory is what the driver shows; minima are 0.55 of dense int8 and of memory bandwidth for classes
/// without a cheaper twin, and more where a twin of the same memory has to be kept out.
pub const CLASSES: [Class; 13] = [
    Class { int8_gops_min: None, ..class(1, "B200", 183_359, 0, 4_400) },
    class(2, "H200", 143_771, 750_000, 2_600),
    class(3, "H100 SXM", 81_559, 750_000, 1_840),
    class(4, "H100 PCIe", 81_559, 650_000, 1_100),
    class(5, "A100 SXM", 81_920, 374_000, 1_070),
    class(6, "A100 PCIe", 81_920, 374_000, 1_070),
    class(7, "L40S", 46_068, 403_000, 480),
    class(8, "RTX 6000 Ada", 49_140, 403_000, 480),
    class(9, "RTX A6000", 49_140, 170_000, 420),
    class(10, "RTX 5090", 32_607, 461_000, 990),
    class(11, "RTX 4090", 24_564, 363_000, 550),
    class(12, "RTX 3090", 24_576, 156_000, 510),
    Class { id: ClassId::CPU_TEST, name: "CPU test", vram_mib: 0, int8_gops_min: None, random_gb_per_sec_min: None },
];
