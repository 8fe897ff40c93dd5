//! What the chain says, as the keeper reads it through views at one block.

use crate::types::{Account, CaseId, Endpoint, Hash32, Kind, MachineId, Rao, RentalId, SshKey, UnixSecs};
use serde::{Deserialize, Serialize};

/// Which end of the chain a view was read at. The two are never mixed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum View {
    /// The newest block: what to watch and sign by.
    Best,
    /// A block that cannot be undone: what is settled.
    Finalized,
}

/// A block by number, hash and time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct BlockRef {
    /// Height.
    pub number: u64,
    /// Ethereum-side hash.
    pub hash: Hash32,
    /// The block's own timestamp in Unix seconds.
    pub timestamp_secs: UnixSecs,
}

/// A registered machine, its bond and its offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NodeView {
    /// The machine's identity.
    pub machine: MachineId,
    /// Owner; zero once retired.
    pub miner: Account,
    /// Counts the registrations of this machine; certificates name it.
    pub registration: u32,
    /// Where its SSH server listens, `None` while the miner has set none.
    pub endpoint: Option<Endpoint>,
    /// Bond not bound to anything, in rao.
    pub free_rao: Rao,
    /// Bond behind rentals, in rao.
    pub reserved_rao: Rao,
    /// Bond in cases, in rao.
    pub held_rao: Rao,
    /// Bond on its way out, in rao.
    pub exiting_rao: Rao,
    /// The live offer, if any.
    pub offer: Option<OfferView>,
    /// Newest rental of this machine; 0 for none.
    pub last_rental: RentalId,
}

/// What a machine is offered as.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OfferView {
    /// GPU class id (`surety_verifier::classes`).
    pub gpu_class: u16,
    /// GPUs offered.
    pub gpu_count: u16,
    /// Price in rao per second for the whole machine.
    pub price_rao_per_sec: u64,
    /// The offer lapses at this time.
    pub expires_at_secs: UnixSecs,
}

/// One tenancy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RentalView {
    /// Dense id, from 1.
    pub id: RentalId,
    /// The machine rented.
    pub machine: MachineId,
    /// Who pays.
    pub renter: Account,
    /// The key the machine must let in.
    pub renter_key: SshKey,
    /// GPU class rented.
    pub gpu_class: u16,
    /// GPUs rented.
    pub gpu_count: u16,
    /// Price in rao per second.
    pub price_rao_per_sec: u64,
    /// Start, Unix seconds.
    pub start_secs: UnixSecs,
    /// End, Unix seconds; shortened by `end` and by terminating cases.
    pub end_secs: UnixSecs,
    /// Time last claimed up to.
    pub paid_until_secs: UnixSecs,
    /// Seconds already paid for.
    pub claimed_secs: u64,
    /// Whether the last payment was made and the reserve released.
    pub closed: bool,
    /// Recorded faults, ascending and disjoint.
    pub faults: Vec<FaultView>,
}

/// An interval of a rental recorded as without service.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FaultView {
    /// First second without service.
    pub from_secs: UnixSecs,
    /// End of the interval (exclusive).
    pub until_secs: UnixSecs,
    /// The case that recorded it.
    pub case_id: CaseId,
}

/// Where a case stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum CaseStatus {
    /// Filed, money set aside, appealable.
    Filed,
    /// Appealed, waiting for the judge.
    Appealed,
    /// Penalty burned, withheld pay with the renter.
    Executed,
    /// Overturned.
    Dismissed,
    /// The withheld pay is the renter's; the penalty waits longer, because of the breaker, and can be appealed.
    Refunded,
    /// The same, and the judge is asked.
    RefundedAppealed,
}

impl CaseStatus {
    /// Whether nothing will happen to the case any more.
    pub const fn is_decided(self) -> bool {
        matches!(self, Self::Executed | Self::Dismissed)
    }

    /// Whether the judge is asked.
    pub const fn is_appealed(self) -> bool {
        matches!(self, Self::Appealed | Self::RefundedAppealed)
    }
}

/// A case on chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CaseView {
    /// Dense id, from 1.
    pub id: CaseId,
    /// What it says.
    pub kind: Kind,
    /// Where it stands.
    pub status: CaseStatus,
    /// The rental it concerns; 0 for a `Spoofed` of an idle machine.
    pub rental: RentalId,
    /// Earliest time the next `execute` is accepted at, Unix seconds; 0 once decided.
    pub executable_at_secs: UnixSecs,
    /// Penalty set aside, in rao.
    pub penalty_rao: Rao,
    /// The registration it concerns.
    #[serde(default)]
    pub registration: u32,
    /// When it was filed, Unix seconds.
    #[serde(default)]
    pub filed_at_secs: UnixSecs,
}

/// A keeper as the keeper set records it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeeperView {
    /// The address it signs with.
    pub account: Account,
    /// Weight in a quorum.
    pub weight: u64,
    /// Whether it counts at present.
    pub active: bool,
    /// The key it opens SSH sessions with.
    pub ssh_key: SshKey,
    /// Base URL of its HTTP API.
    pub url: String,
}

/// Windows and minimums that the contracts were deployed with; they never change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ContractTimes {
    /// Claims lag behind by this many seconds, so that a fault can still be withheld.
    pub settle_lag_secs: u64,
    /// How long an undelivered rental may stay so before `NotDelivered`.
    pub delivery_grace_secs: u64,
    /// Shortest interval the contract records at all.
    pub min_interrupted_secs: u64,
    /// Shortest going-on outage that ends a rental.
    pub min_offline_secs: u64,
    /// How old the last look of a terminating attestation may be when filed.
    pub freshness_secs: u64,
    /// How long a certificate serves.
    pub certificate_life_secs: u64,
    /// How old the proof of a spoof may be when filed.
    pub spoof_life_secs: u64,
}
