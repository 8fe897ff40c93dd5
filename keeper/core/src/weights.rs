//! What the subnet pays whom: a measured, rented, reliable fleet as a vector of weights, with every factor explained.
//!
//! ```text
//! points = class points × min(promised, certified) cards × rounds passed × age of the certificate
//!          × reliability × cases × demand                       0 without seat, certificate or bond; 0 for spoofers
//! weight = 65,535 × (1 − burn) × points / all points            in whole units, by largest remainder
//! ```
//!
//! A pure function of a [`Fleet`], a [`Scheme`] and [`WeightRules`]: integers, no clock, and the order in which
//! machines come does not matter. Whoever has the same three can make the same vector and compare.
//!
//! Rented and idle machines earn alike. A tenant proves use only if somebody else pays for it, and nothing on chain
//! tells a stranger's money from one's own; a machine paid more for being rented would be rented by its owner, and no
//! renter would get it. What is rented by strangers has its rent.

mod demand;
mod explain;
mod fleet;
mod gather;
mod owners;
mod ppm;
mod record;
mod rules;
mod score;
mod share;
mod spans;
mod standing;
mod text;

pub use explain::{Burn, Explanation, Factor, MachineExplained, MinerExplained, NoWeight, Why};
pub use fleet::{Certified, Fleet, MachineFacts, PastSpoof, SubnetTerms};
pub use gather::{Counted, Measured, OnChain, OnSubnet, OwnRecord, Registered, StatedBond, gather, measured};
pub use rules::{PriceCap, SchemeName, WeightRules, WeightRulesError};
pub use share::{NoWeights, UNITS, Weights};

use crate::limits::{NODES_MAX, POINTS_MAX};
use crate::types::{Hotkey, MachineId, UnixSecs};
use demand::Market;
use owners::Owners;
use serde::{Deserialize, Serialize};
use share::Terms;
use standing::{Bench, Standing};
use std::collections::BTreeMap;

/// Thousandths of one point: what points are counted in, so that a small card's factors are not rounded away.
pub const MILLI: u64 = 1_000;

/// Where points come from. Everything else is the same for all schemes: certificate, bond, seat, rounds, reliability,
/// cases, demand, burn.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Points of one card of each class, times cards. What is proven of a class is what is paid for.
    Classes(BTreeMap<u16, u64>),
    /// Points of each machine with all cards that were measured, made elsewhere (SN27's score in any unit that keeps
    /// them within [`POINTS_MAX`]). They may be built on what a machine says of itself.
    Points(BTreeMap<MachineId, u64>),
}

/// A fleet weighed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Weighed {
    /// The vector, or why there is none.
    pub weights: Result<Weights, NoWeights>,
    /// Where it comes from.
    pub explanation: Explanation,
}

/// What is not a fleet, or no rules. A caller's mistake: nothing that a miner does leads here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    /// The rules contradict themselves.
    #[error(transparent)]
    Rules(#[from] WeightRulesError),
    /// A time that is nonsense.
    #[error("the fleet is dated {at_secs}, which is no time in Unix seconds")]
    Time {
        /// The time.
        at_secs: UnixSecs,
    },
    /// More of something than there can be.
    #[error("the fleet has {have} {what}, expected at most {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        have: usize,
        /// How many there may be.
        max: usize,
    },
    /// A machine that would count twice.
    #[error("machine {machine} is in the fleet twice: it would be paid twice")]
    MachineTwice {
        /// The machine.
        machine: MachineId,
    },
    /// Two hotkeys at one uid.
    #[error("two hotkeys sit at uid {uid}: the seats were not read at one block")]
    SeatTwice {
        /// The uid.
        uid: u16,
    },
    /// The chain would refuse a vector with this uid.
    #[error("weights.burn_uid is {uid}, where nobody sits: name a uid of this subnet")]
    BurnSeatEmpty {
        /// The uid.
        uid: u16,
    },
    /// Points that are nobody's.
    #[error("{points} points for one {what}, expected at most {max}: use a larger unit")]
    TooManyPoints {
        /// A card or a machine.
        what: &'static str,
        /// The points.
        points: u64,
        /// How many there may be.
        max: u64,
    },
}

/// Weighs a fleet.
///
/// # Errors
/// Rules or a fleet that contradict themselves. That nobody earned anything is no error but a [`NoWeights`], which
/// comes with its explanation.
pub fn weigh(fleet: &Fleet, scheme: &Scheme, rules: &WeightRules) -> Result<Weighed, WeightsError> {
    check(fleet, scheme, rules)?;
    let miners = miners(fleet, scheme, rules);
    let seated = miners.iter().filter_map(|miner| Some((miner.uid?, miner.milli_points)));
    let points: BTreeMap<u16, u64> = seated.filter(|(_, milli_points)| *milli_points > 0).collect();
    let uids_min = usize::from(fleet.subnet.min_allowed_weights).min(fleet.seats.len());
    let terms = Terms { uids_min, limit: fleet.subnet.max_weight_limit };
    let weights = share::share(&points, rules, terms);
    let explanation = Explanation::new(fleet.at_secs, miners, &weights, rules);
    Ok(Weighed { weights, explanation })
}

fn check(fleet: &Fleet, scheme: &Scheme, rules: &WeightRules) -> Result<(), WeightsError> {
    rules.check()?;
    fleet.check()?;
    if let Some(uid) = rules.burn_uid.filter(|uid| !fleet.seats.values().any(|seat| seat == uid)) {
        return Err(WeightsError::BurnSeatEmpty { uid });
    }
    let (what, entries, most) = match scheme {
        Scheme::Classes(of_class) => ("card", of_class.len(), of_class.values().max()),
        Scheme::Points(of_machine) => ("machine", of_machine.len(), of_machine.values().max()),
    };
    if entries > NODES_MAX.max(usize::from(u16::MAX)) {
        return Err(WeightsError::TooMany { what: "entries of points", have: entries, max: usize::from(u16::MAX) });
    }
    match most.copied().filter(|points| *points > POINTS_MAX) {
        Some(points) => Err(WeightsError::TooManyPoints { what, points, max: POINTS_MAX }),
        None => Ok(()),
    }
}

/// Every machine's points, by hotkey, and machines by identity.
fn miners(fleet: &Fleet, scheme: &Scheme, rules: &WeightRules) -> Vec<MinerExplained> {
    let at_secs = fleet.at_secs;
    let mut owners = Owners::of(fleet);
    let spoofs = standing::spoofs(fleet, &mut owners, rules);
    let bench = Bench { fleet, scheme, rules, spoofs };
    let mut market = Market::default();
    let mut standings: Vec<(&MachineFacts, Standing)> = Vec::with_capacity(fleet.machines.len());
    for facts in &fleet.machines {
        let standing = bench.standing(facts, owners.owner(facts.hotkey, facts.miner));
        market.note(facts, &standing, at_secs, rules);
        standings.push((facts, standing));
    }
    market.close(rules);
    let mut of_hotkey: BTreeMap<Hotkey, BTreeMap<MachineId, MachineExplained>> = BTreeMap::new();
    for (facts, standing) in standings {
        let explained = score::explained(facts, standing, &market, (at_secs, scheme, rules));
        of_hotkey.entry(facts.hotkey).or_default().insert(facts.machine, explained);
    }
    of_hotkey
        .into_iter()
        .map(|(hotkey, machines)| {
            let uid = fleet.seats.get(&hotkey).copied();
            MinerExplained::new(hotkey, uid, machines.into_values().collect())
        })
        .collect()
}

/// Points of one card of a promised class, or of a machine.
fn scheme_points(scheme: &Scheme, machine: MachineId, gpu_class: Option<u16>) -> u64 {
    let points = match scheme {
        Scheme::Classes(of_class) => gpu_class.and_then(|class| of_class.get(&class)),
        Scheme::Points(of_machine) => of_machine.get(&machine),
    };
    points.copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
