//! What the contracts' views say, as read at one block: the market is a fold over these.

use crate::wire::{At, Contracts, Keeper, Offer, Terms};
use std::collections::{BTreeMap, BTreeSet};
use surety_core::types::{Account, CaseId, Endpoint, Hotkey, Kind, MachineId, Rao, RentalId, SshKey, UnixSecs};
use surety_core::view::{CaseStatus, FaultView};
use surety_core::weights::{Certified, StatedBond};

/// One registration of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFacts {
    /// Dense number, from 1.
    pub registration: u32,
    /// The machine.
    pub machine: MachineId,
    /// Whose it is, of a retired one too.
    pub miner: Account,
    /// The hotkey it is bound to.
    pub hotkey: Hotkey,
    /// The hotkey's uid when it was bound.
    pub uid: u16,
    /// Where its SSH server listens.
    pub endpoint: Option<Endpoint>,
    /// Bond not bound to anything.
    pub free_rao: Rao,
    /// Bond behind rentals.
    pub reserved_rao: Rao,
    /// Bond in cases.
    pub held_rao: Rao,
    /// Bond on its way out.
    pub exiting_rao: Rao,
    /// When that can be withdrawn; 0: nothing is on its way.
    pub exit_ready_at_secs: UnixSecs,
    /// Whether it is over.
    pub retired: bool,
    /// Whether it is its machine's newest and not retired.
    pub current: bool,
    /// The live offer.
    pub offer: Option<Offer>,
    /// Bond that the offer's shortest rental asks for; 0 without an offer, and for a class off the
    /// market.
    pub needed_rao: Rao,
    /// The newest statement of a bond elsewhere that is not outdated.
    pub stated: Option<StatedBond>,
}

/// One rental.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RentalFacts {
    /// Dense id, from 1.
    pub id: RentalId,
    /// The registration it is of.
    pub registration: u32,
    /// Who rented it.
    pub renter: Account,
    /// The key the machine lets in.
    pub renter_key: SshKey,
    /// GPU class id.
    pub gpu_class: u16,
    /// GPUs.
    pub gpu_count: u8,
    /// For the whole machine.
    pub price_rao_per_sec: Rao,
    /// Begin.
    pub start_secs: UnixSecs,
    /// End, as it stands.
    pub end_secs: UnixSecs,
    /// Claimed up to here.
    pub paid_until_secs: UnixSecs,
    /// The shortest a renter pays for.
    pub min_duration_secs: u64,
    /// Bought, extensions included.
    pub bought_secs: u64,
    /// Paid to the miner, before the fee.
    pub claimed_secs: u64,
    /// Ever withheld.
    pub faulted_secs: u64,
    /// Of that, not decided.
    pub open_secs: u64,
    /// Whether the last payment was made.
    pub closed: bool,
    /// Recorded faults, ascending.
    pub faults: Vec<FaultView>,
}

/// One case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseFacts {
    /// Dense id, from 1.
    pub id: CaseId,
    /// What it says.
    pub kind: Kind,
    /// Number of the contract's `Cause`.
    pub cause: u8,
    /// Where it stands.
    pub status: CaseStatus,
    /// Filed with the breaker open.
    pub slow: bool,
    /// Its rental; 0: none.
    pub rental: RentalId,
    /// Its registration.
    pub registration: u32,
    /// When it was filed.
    pub filed_at_secs: UnixSecs,
    /// Seconds whose pay is withheld.
    pub withheld_secs: u64,
    /// Bond set aside.
    pub penalty_rao: Rao,
    /// When the next `execute` can be made; 0: decided.
    pub executable_at_secs: UnixSecs,
    /// Until when it can be appealed; 0: decided or appealed.
    pub appealable_until_secs: UnixSecs,
    /// What an appeal must be paid with; 0: decided or appealed.
    pub appeal_bond_rao: Rao,
    /// What the appeal was paid with, and the judge's last second.
    pub appeal: Option<(Rao, UnixSecs)>,
}

/// How many of each there are; ids are dense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// Registrations ever made.
    pub registrations: u32,
    /// Rentals ever made.
    pub rentals: RentalId,
    /// Cases ever filed.
    pub cases: CaseId,
}

/// Ids to be read.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Registrations.
    pub registrations: BTreeSet<u32>,
    /// Rentals.
    pub rentals: BTreeSet<RentalId>,
    /// Cases.
    pub cases: BTreeSet<CaseId>,
}

impl Wanted {
    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.registrations.is_empty() && self.rentals.is_empty() && self.cases.is_empty()
    }
}

/// What was read at one block. What is not in it is as it was.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Reading {
    /// The block.
    pub at: At,
    /// How many there are at it: what is above was undone.
    pub counts: Counts,
    /// Registrations.
    pub nodes: Vec<NodeFacts>,
    /// Rentals.
    pub rentals: Vec<RentalFacts>,
    /// Cases.
    pub cases: Vec<CaseFacts>,
}

/// What no id names.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Beside {
    /// Bond that one card of each class asks for; 0: not on the market.
    pub class_bonds: BTreeMap<u16, Rao>,
    /// The electorate.
    pub keepers: Vec<Keeper>,
}

/// What this keeper certifies, by machine: the registration, and its newest measurement that passed.
pub type Certificates = BTreeMap<MachineId, (u32, Certified)>;

/// What never changes while a keeper runs.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The chain.
    pub chain_id: u64,
    /// The subnet.
    pub netuid: u16,
    /// This keeper.
    pub keeper: Account,
    /// The contracts.
    pub contracts: Contracts,
    /// Their windows.
    pub terms: Terms,
    /// What a class is called.
    pub class_name: fn(u16) -> String,
}
