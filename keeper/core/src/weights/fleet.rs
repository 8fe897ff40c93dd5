//! The fleet that weights are made of: what the chain, the measurements and the looks from outside say of each machine.

use super::WeightsError;
use crate::limits::{FAULTS_MAX, FLEET_RENTALS_MAX, NODES_MAX, SEATS_MAX, TIME_MAX_SECS};
use crate::types::{Account, Coldkey, Hotkey, MachineId, Rao, UnixSecs};
use crate::view::{CaseView, OfferView, RentalView};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that weights are made of, at one block.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// The block's time, Unix seconds.
    pub at_secs: UnixSecs,
    /// What the subnet lets a vector of weights be.
    #[serde(default)]
    pub subnet: SubnetTerms,
    /// Which hotkey sits at which uid now: all seats of the subnet, those without machines too.
    pub seats: BTreeMap<Hotkey, u16>,
    /// Registered machines, in any order, each once.
    pub machines: Vec<MachineFacts>,
    /// Spoofs of registrations that are over, or signing false proofs would be forgiven with a new registration.
    #[serde(default)]
    pub past_spoofs: Vec<PastSpoof>,
    /// The coldkeys of these machines' hotkeys, and of those that were caught, as far as known: hotkeys of one coldkey
    /// are one owner's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub coldkeys: BTreeMap<Hotkey, Coldkey>,
}

/// Two hyperparameters of the subnet, as the chain checks them when weights are set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SubnetTerms {
    /// Least number of uids with a weight; never more than the subnet has seats.
    pub min_allowed_weights: u16,
    /// Most that one uid may have, of 65,535.
    pub max_weight_limit: u16,
}

impl Default for SubnetTerms {
    /// No bounds at all.
    fn default() -> Self {
        Self { min_allowed_weights: 0, max_weight_limit: u16::MAX }
    }
}

/// One registered machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineFacts {
    /// The machine's identity.
    pub machine: MachineId,
    /// Its registration. Cases of another one do not count.
    pub registration: u32,
    /// A time after which that registration was made, Unix seconds, as late as is known; 0 where nothing is. Rentals
    /// begun before are another one's.
    pub since_secs: UnixSecs,
    /// The hotkey it was registered under.
    pub hotkey: Hotkey,
    /// Its owner's EVM address.
    pub miner: Account,
    /// Bond free, reserved and held, in rao. Bond on its way out backs nothing.
    pub bonded_rao: Rao,
    /// Bond that its class and count ask for, in rao. 0 is taken for "unknown", not for "none needed".
    pub required_bond_rao: Rao,
    /// The live offer, if any.
    pub offer: Option<OfferView>,
    /// The newest certificate, of a quorum or our own.
    pub certified: Option<Certified>,
    /// Parts per million of the last 64 rounds that it passed (`Rounds::share_ppm`); none before the first.
    pub round_share_ppm: Option<u32>,
    /// Rentals that touch the window; those of another machine are not looked at.
    pub rentals: Vec<RentalView>,
    /// Cases of the window against this machine, dismissed ones too: they are what excuses a fault.
    pub cases: Vec<CaseView>,
    /// Cards that its own agent says are gone while it is rented; none where nothing was said.
    pub cards_missing: Option<u16>,
}

/// What a measurement proved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certified {
    /// GPU class proven.
    pub gpu_class: u16,
    /// Cards proven.
    pub gpu_count: u16,
    /// When, Unix seconds.
    pub measured_at_secs: UnixSecs,
}

/// A case against a registration that is over, with whom the machine belonged to then.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastSpoof {
    /// The hotkey of that registration.
    pub hotkey: Hotkey,
    /// The owner of that registration.
    pub miner: Account,
    /// The case; other kinds than `Spoofed` are not looked at.
    pub case: CaseView,
}

impl Fleet {
    /// Whether it is within its bounds and says nothing twice.
    ///
    /// # Errors
    /// The first bound that does not hold. All of them are a caller's mistakes: contracts and chain keep to them.
    pub fn check(&self) -> Result<(), WeightsError> {
        if self.at_secs > TIME_MAX_SECS {
            return Err(WeightsError::Time { at_secs: self.at_secs });
        }
        let faults = self.machines.iter().flat_map(|one| &one.rentals).map(|rental| rental.faults.len());
        let bounds = [
            ("machines", self.machines.len(), NODES_MAX),
            ("seats", self.seats.len(), SEATS_MAX),
            ("rentals", self.machines.iter().map(|one| one.rentals.len()).sum(), FLEET_RENTALS_MAX),
            ("cases", self.machines.iter().map(|one| one.cases.len()).sum(), FLEET_RENTALS_MAX),
            ("past spoofs", self.past_spoofs.len(), FLEET_RENTALS_MAX),
            ("coldkeys", self.coldkeys.len(), FLEET_RENTALS_MAX),
            ("faults of one rental", faults.max().unwrap_or(0), FAULTS_MAX),
        ];
        for (what, have, max) in bounds {
            if have > max {
                return Err(WeightsError::TooMany { what, have, max });
            }
        }
        self.check_doubles()
    }

    fn check_doubles(&self) -> Result<(), WeightsError> {
        let mut machines = BTreeSet::new();
        if let Some(twice) = self.machines.iter().find(|one| !machines.insert(one.machine)) {
            return Err(WeightsError::MachineTwice { machine: twice.machine });
        }
        let mut uids = BTreeSet::new();
        if let Some(twice) = self.seats.values().find(|uid| !uids.insert(**uid)) {
            return Err(WeightsError::SeatTwice { uid: *twice });
        }
        Ok(())
    }
}
