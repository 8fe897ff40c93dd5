//! What is stated, as plain data. Field for field the EIP-712 structs of SPEC 19 and 20.

use crate::types::{CaseId, Hash32, Kind, MachineId, Rao, RentalId, UnixSecs};
use serde::{Deserialize, Serialize};

/// "This bond is there, stays until then, and counts for so much." For the CollateralVault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BondStatement {
    /// Account id of the vault that holds it.
    pub vault: Hash32,
    /// The coldkey whose bond it is.
    pub owner: Hash32,
    /// The machine it is for.
    pub machine: MachineId,
    /// The machine's registration.
    pub registration: u32,
    /// The registration's newest rental; 0: none yet.
    pub rental: RentalId,
    /// Whether that is over; true where there is none.
    pub over: bool,
    /// Rao of alpha that are free.
    pub alpha: u64,
    /// What they count for, in rao of TAO.
    pub value_rao: Rao,
    /// When, Unix seconds.
    pub stated_at_secs: UnixSecs,
    /// Nothing of it leaves before, Unix seconds.
    pub until_secs: UnixSecs,
}

/// "That stood behind the rental of this case." For AlphaVault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlphaBacking {
    /// Account id of the vault.
    pub vault: Hash32,
    /// The coldkey whose bond covered the rental.
    pub owner: Hash32,
    /// The machine.
    pub machine: MachineId,
    /// Its registration.
    pub registration: u32,
    /// The Arbiter's case.
    pub case: CaseId,
    /// Its kind.
    pub kind: Kind,
    /// The rental it ended.
    pub rental: RentalId,
    /// What was reserved in TAO, before the case.
    pub tao_reserve_rao: Rao,
    /// Rao of alpha that covered the rental.
    pub alpha: u64,
    /// What that counted for.
    pub alpha_value_rao: Rao,
    /// What the rental has earned.
    pub earned_rao: Rao,
    /// When, Unix seconds.
    pub stated_at_secs: UnixSecs,
}

/// "So much of this `Spoofed` was more than TAO could bear." For AlphaVault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlphaShortfall {
    /// Account id of the vault.
    pub vault: Hash32,
    /// The coldkey whose bond covered the registration's rental.
    pub owner: Hash32,
    /// The machine.
    pub machine: MachineId,
    /// Its registration.
    pub registration: u32,
    /// The Arbiter's case.
    pub case: CaseId,
    /// Rao of alpha that covered the rental.
    pub alpha: u64,
    /// What that counted for.
    pub alpha_value_rao: Rao,
    /// Penalty that TAO could not bear.
    pub shortfall_rao: Rao,
    /// When, Unix seconds.
    pub stated_at_secs: UnixSecs,
}

/// "That became of this case." For AlphaVault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlphaVerdict {
    /// Account id of the vault.
    pub vault: Hash32,
    /// The Arbiter's case.
    pub case: CaseId,
    /// Whether its judge overturned it.
    pub dismissed: bool,
    /// What the rental has earned by now.
    pub earned_rao: Rao,
    /// When, Unix seconds.
    pub stated_at_secs: UnixSecs,
}

/// Any of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AlphaStatement {
    /// For the CollateralVault.
    Bond(BondStatement),
    /// For AlphaVault.
    Backing(AlphaBacking),
    /// For AlphaVault.
    Shortfall(AlphaShortfall),
    /// For AlphaVault.
    Verdict(AlphaVerdict),
}

macro_rules! into_statement {
    ($($name:ident => $variant:ident),*) => {
        $(impl From<$name> for AlphaStatement {
            fn from(statement: $name) -> Self {
                Self::$variant(statement)
            }
        })*
    };
}

into_statement!(BondStatement => Bond, AlphaBacking => Backing, AlphaShortfall => Shortfall, AlphaVerdict => Verdict);
