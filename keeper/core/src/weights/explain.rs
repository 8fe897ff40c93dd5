//! Why somebody gets what he gets: every factor as a fraction, every reason to get nothing by name.

use super::rules::WeightRules;
use super::share::{NoWeights, Weights};
use crate::types::{Account, CaseId, Hotkey, MachineId, Rao, UnixSecs};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a vector of weights comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Explanation {
    /// The fleet's time, Unix seconds.
    pub at_secs: UnixSecs,
    /// Thousandths of points of all that have a weight.
    pub milli_points: u64,
    /// What is burned, if anybody is named to take it.
    pub burn: Option<Burn>,
    /// Why there is no vector, where there is none.
    pub refused: Option<NoWeights>,
    /// Everybody with a machine, by hotkey.
    pub miners: Vec<MinerExplained>,
}

/// What goes to the uid that is named to take it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Burn {
    /// The uid.
    pub uid: u16,
    /// Units of 65,535.
    pub units: u16,
    /// The share it was to have, parts per million.
    pub ppm: u32,
}

/// One hotkey and its machines.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MinerExplained {
    /// The hotkey.
    pub hotkey: Hotkey,
    /// Its seat, if it has one.
    pub uid: Option<u16>,
    /// Thousandths of points: the sum over its machines.
    pub milli_points: u64,
    /// Units of 65,535.
    pub units: u16,
    /// Why it has none, where there is a vector and it has none.
    pub none: Option<NoWeight>,
    /// By identity.
    pub machines: Vec<MachineExplained>,
}

/// One machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MachineExplained {
    /// The machine.
    pub machine: MachineId,
    /// Its registration.
    pub registration: u32,
    /// Its owner's address.
    pub miner: Account,
    /// Whether somebody is on it.
    pub rented: bool,
    /// In the order in which they are applied; none where nothing is promised.
    pub factors: Vec<Factor>,
    /// Thousandths of points: 1,000 times every factor, rounded down after each; 0 where there is a reason.
    pub milli_points: u64,
    /// Every reason to earn nothing.
    pub none: Vec<NoWeight>,
}

/// One factor, as it was applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Factor {
    /// Numerator.
    pub num: u64,
    /// Denominator.
    pub den: u64,
    /// What it is about.
    pub why: Why,
}

/// What a factor is made from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Points of one card of the class.
    ClassPoints {
        /// The class.
        gpu_class: u16,
    },
    /// Points of this machine, made elsewhere.
    MachinePoints,
    /// Cards: the lesser of promised and certified, less those missing.
    Cards {
        /// By the rental that runs, or the offer.
        promised: u16,
        /// By the certificate.
        certified: u16,
        /// By the machine's own word.
        missing: u16,
    },
    /// Rounds passed.
    Rounds {
        /// Share of the last 64, parts per million; none where it was in none.
        share_ppm: Option<u32>,
        /// Whether there is no other machine of its class to be in a round with.
        alone: bool,
    },
    /// Age of the certificate.
    Certificate {
        /// Seconds since the measurement, if there was one.
        age_secs: Option<u64>,
    },
    /// Service in the window.
    Reliability {
        /// Bought seconds without a recorded fault.
        served_secs: u64,
        /// Bought seconds.
        promised_secs: u64,
        /// Share served, those included that everybody begins with, parts per million.
        served_ppm: u64,
    },
    /// Cases of the window that ended a rental and were not dismissed.
    Cases {
        /// How many.
        terminating: u64,
    },
    /// Use of the class by other owners, cards of nobody among them.
    Demand {
        /// The class.
        gpu_class: u16,
        /// Card-seconds rented.
        rented_card_secs: u64,
        /// Card-seconds that could have been.
        offered_card_secs: u64,
    },
}

/// Why a machine, or a miner, gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum NoWeight {
    /// A machine of the same owner signed false proofs.
    #[error("a machine of this owner was found to sign false proofs: case {case}, not dismissed")]
    Spoofed {
        /// The newest such case.
        case: CaseId,
    },
    /// The hotkey left the subnet, or never was on it.
    #[error("its hotkey has no uid on the subnet: register it")]
    NoSeat,
    /// What this uid gets is burned.
    #[error("uid {uid} takes what is burned, so its own machines earn nothing")]
    BurnSeat {
        /// The uid.
        uid: u16,
    },
    /// More rentals than any tenant's use explains.
    #[error("it was rented {rentals} times within the window, more than the {max} that are looked at")]
    TooManyRentals {
        /// How often.
        rentals: usize,
        /// The most.
        max: usize,
    },
    /// Nothing is promised.
    #[error("it is neither offered nor rented")]
    NotOffered,
    /// Nothing is proven.
    #[error("no measurement of it is known: a keeper has to measure it first")]
    NotCertified,
    /// A certificate with a date to come.
    #[error("its certificate is dated {measured_at_secs}, after {latest_secs}")]
    CertificateAhead {
        /// When it says it was measured.
        measured_at_secs: UnixSecs,
        /// The latest believed.
        latest_secs: UnixSecs,
    },
    /// The last measurement is too old.
    #[error("it was last measured at {measured_at_secs}, and must have been since {earliest_secs}")]
    CertificateLapsed {
        /// When it was measured.
        measured_at_secs: UnixSecs,
        /// The earliest that would do.
        earliest_secs: UnixSecs,
    },
    /// It promises what it did not prove.
    #[error("it promises class {promised}, and was measured as class {certified}")]
    OtherClass {
        /// By the rental that runs, or the offer.
        promised: u16,
        /// By the certificate.
        certified: u16,
    },
    /// Nothing is paid for its class, or it has no score.
    #[error("class {gpu_class}, or this machine, has no points in this scheme")]
    NoPoints {
        /// The class promised.
        gpu_class: u16,
    },
    /// No card is left.
    #[error("of {promised} cards promised none is proven and there; {missing} are missing by its own word")]
    NoCards {
        /// Cards promised.
        promised: u16,
        /// Cards missing.
        missing: u16,
    },
    /// It asks for more than anybody would pay.
    #[error("it is idle and asks for {asked_rao_per_sec} rao/s, where {most_rao_per_sec} is the most")]
    PriceTooHigh {
        /// Price of the whole machine, rao per second.
        asked_rao_per_sec: u64,
        /// The most, rao per second.
        most_rao_per_sec: u64,
    },
    /// What its bond must be is not known.
    #[error("what bond it needs is not known, so no bond is enough")]
    BondUnknown,
    /// Its bond backs less than it promises.
    #[error("its bond is {have_rao} rao, and must be {need_rao}: deposit the difference")]
    BondTooLow {
        /// Free, reserved and held.
        have_rao: Rao,
        /// What class and count ask for.
        need_rao: Rao,
    },
    /// It was in rounds, and passed none.
    #[error("it passed none of the rounds it was drawn for")]
    NoRoundPassed,
    /// It was out too long.
    #[error("it served {served_ppm} ppm of what it promised; {floor_ppm} ppm and less earn nothing")]
    Unreliable {
        /// Share served, parts per million.
        served_ppm: u64,
        /// Share at which nothing is paid.
        floor_ppm: u64,
    },
    /// Its factors leave nothing.
    #[error("its factors leave less than a thousandth of a point")]
    TooLittle,
    /// None of a miner's machines earns anything.
    #[error("none of its machines earns anything")]
    NoMachineEarns,
    /// A miner's share is less than a unit.
    #[error("its share is less than one unit of 65535, and others had a larger remainder")]
    BelowOneUnit,
    /// Everything is burned.
    #[error("everything is burned")]
    AllBurned,
}

impl MinerExplained {
    pub(super) fn new(hotkey: Hotkey, uid: Option<u16>, machines: Vec<MachineExplained>) -> Self {
        let milli_points = machines.iter().fold(0u64, |sum, one| sum.saturating_add(one.milli_points));
        Self { hotkey, uid, milli_points, units: 0, none: None, machines }
    }

    fn given(self, units: u16, burned: bool) -> Self {
        let none = match (units, self.milli_points) {
            (1.., _) => None,
            (0, 0) => Some(NoWeight::NoMachineEarns),
            (0, _) if burned => Some(NoWeight::AllBurned),
            (0, _) => Some(NoWeight::BelowOneUnit),
        };
        Self { units, none, ..self }
    }
}

impl Explanation {
    pub(super) fn new(
        at_secs: UnixSecs,
        miners: Vec<MinerExplained>,
        weights: &Result<Weights, NoWeights>,
        rules: &WeightRules,
    ) -> Self {
        let milli_points = miners.iter().fold(0u64, |sum, miner| sum.saturating_add(miner.milli_points));
        let units = weights.as_ref().map(units).unwrap_or_default();
        let of = |uid: Option<u16>| uid.and_then(|uid| units.get(&uid).copied()).unwrap_or(0);
        let burn = rules.burn_uid.map(|uid| Burn { uid, units: of(Some(uid)), ppm: rules.burn_ppm });
        let burned = burn.is_some_and(|burn| burn.units == u16::MAX);
        let refused = weights.as_ref().err().copied();
        let given = |miner: MinerExplained| {
            // A seat that takes what is burned has a weight, and none of it for its machines.
            let paid = miner.uid.filter(|uid| Some(*uid) != rules.burn_uid);
            if refused.is_some() { miner } else { miner.given(of(paid), burned) }
        };
        Self { at_secs, milli_points, burn, refused, miners: miners.into_iter().map(given).collect() }
    }
}

fn units(weights: &Weights) -> BTreeMap<u16, u16> {
    weights.uids.iter().copied().zip(weights.values.iter().copied()).collect()
}
