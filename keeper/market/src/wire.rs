//! What the read API answers, field by field: server, command line and page share these shapes (`/v1/openapi.json` is
//! made from them).
//!
//! Times are Unix seconds and lengths seconds, both numbers. Amounts are whole rao as decimal strings: a JavaScript
//! number is exact only up to 2^53. Identities are `0x` and lower-case hex.

mod network;

pub use network::{Class, Contracts, Keeper, NetworkDay, NetworkDays, NetworkPage, Terms, Totals};

use crate::amount::Amount;
use serde::{Deserialize, Serialize};
use surety_core::types::{Account, CaseId, Hash32, Hotkey, MachineId, RentalId, SshKey, UnixSecs};
use utoipa::ToSchema;

/// Where on the chain an answer was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct At {
    /// Block number.
    pub block: u64,
    /// Its hash on the Ethereum side.
    #[schema(value_type = String)]
    pub hash: Hash32,
    /// Its time.
    pub at_secs: UnixSecs,
}

/// What a machine can be used for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// It can be rented now.
    Free,
    /// A rental runs on it.
    Rented,
    /// Offered; the pause after its last tenant is not over, or two rentals before are not closed yet.
    Resting,
    /// Offered; this keeper has no certificate of it that serves a rental now.
    Unverified,
    /// Offered; what is bonded and free, here or elsewhere, does not cover the shortest rental.
    Underbonded,
    /// There is no live offer, or its class is off the market.
    NotOffered,
}

/// A machine's bond, by what it is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Bond {
    /// Not bound to anything.
    pub free_rao: Amount,
    /// Behind rentals.
    pub reserved_rao: Amount,
    /// In cases.
    pub held_rao: Amount,
    /// On its way out.
    pub exiting_rao: Amount,
    /// When what is exiting can be withdrawn; null while nothing is.
    pub exit_ready_at_secs: Option<UnixSecs>,
    /// A bond elsewhere as a quorum stated it, in rao of TAO that it counts for; 0: none that serves now.
    pub stated_rao: Amount,
}

/// How a machine can be rented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Offer {
    /// GPU class id.
    pub gpu_class: u16,
    /// GPUs.
    pub gpu_count: u8,
    /// For the whole machine.
    pub price_rao_per_sec: Amount,
    /// Shortest rental, and the shortest a renter pays for.
    pub min_duration_secs: u64,
    /// Longest rental, extensions included.
    pub max_duration_secs: u64,
    /// Pause after a rental.
    pub turnaround_secs: u64,
    /// The offer lapses then.
    pub expires_at_secs: UnixSecs,
    /// What a renter agrees to.
    #[schema(value_type = String)]
    pub offer_hash: Hash32,
}

/// Cases against a machine, counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct CaseCounts {
    /// Not decided.
    pub open: u32,
    /// Executed.
    pub executed: u32,
    /// Overturned.
    pub dismissed: u32,
}

/// One machine, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Machine {
    /// Its ed25519 SSH host key.
    #[schema(value_type = String)]
    pub machine: MachineId,
    /// Its current registration.
    pub registration: u32,
    /// Who offers it.
    #[schema(value_type = String)]
    pub miner: Account,
    /// The subnet hotkey it belongs to.
    #[schema(value_type = String)]
    pub hotkey: Hotkey,
    /// That hotkey's uid when it was bound.
    pub uid: u16,
    /// Where its SSH server listens, `IP:PORT`; null: none is set.
    pub endpoint: Option<String>,
    /// What it can be used for now.
    pub availability: Availability,
    /// The class's name; null without an offer.
    pub class_name: Option<String>,
    /// The live offer; null: none.
    pub offer: Option<Offer>,
    /// Its bond.
    pub bond: Bond,
    /// The rental that runs on it.
    pub rental: Option<RentalId>,
    /// Up to when this keeper's certificate serves a rental; null: none that does.
    pub verified_until_secs: Option<UnixSecs>,
    /// Parts of a million of the bought seconds of the last 90 days that were without a recorded fault; null: it was
    /// not rented.
    pub uptime_ppm: Option<u32>,
    /// The last 90 UTC days, the oldest first, a character each: `.` before its first rental, `-` not rented, `9`
    /// rented without a recorded fault, `0` to `8` the share of bought seconds that were served, in ninths, rounded
    /// down.
    pub strip: String,
    /// Rentals ever.
    pub rentals: u32,
    /// Cases ever.
    pub cases: CaseCounts,
}

/// `/v1/market`: a page of machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MarketPage {
    /// Where it was read.
    pub at: At,
    /// How many match the question in all.
    pub total: u32,
    /// `offset` of the next page; null: this is the last.
    pub next_offset: Option<u32>,
    /// The machines.
    pub machines: Vec<Machine>,
}

/// A UTC day of one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct MachineDay {
    /// Days since 1970.
    pub day: u32,
    /// Bought seconds of that day.
    pub rented_secs: u32,
    /// Of those, seconds recorded as without service, but for cases that were dismissed.
    pub faulted_secs: u32,
}

/// A price that a machine was rented at, or that this keeper saw it offered at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PricePoint {
    /// From when.
    pub at_secs: UnixSecs,
    /// For the whole machine; 0: the offer was taken back.
    pub price_rao_per_sec: Amount,
    /// The rental made at it; null: an offer.
    pub rental: Option<RentalId>,
}

/// One registration of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Registration {
    /// Dense number.
    pub registration: u32,
    /// Whose it is or was.
    #[schema(value_type = String)]
    pub miner: Account,
    /// Whether it is over.
    pub retired: bool,
}

/// `/v1/machines/{machine}`: all of one machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MachinePage {
    /// Where it was read.
    pub at: At,
    /// The machine.
    pub machine: Machine,
    /// All its registrations, the newest first.
    pub registrations: Vec<Registration>,
    /// The last 90 days, the oldest first; days without anything are left out.
    pub days: Vec<MachineDay>,
    /// Prices, the newest first, at most 200.
    pub prices: Vec<PricePoint>,
    /// Its newest rentals, at most 50; the others: `/v1/rentals?machine=`.
    pub rentals: Vec<Rental>,
    /// Its newest cases, at most 50; the others: `/v1/cases?machine=`.
    pub cases: Vec<Case>,
}

/// Where a rental stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RentalState {
    /// It runs.
    Running,
    /// It is over, and its last payment is still to be made.
    Ended,
    /// All is paid.
    Closed,
}

/// An interval recorded as without service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// First second.
    pub from_secs: UnixSecs,
    /// End, exclusive.
    pub until_secs: UnixSecs,
    /// The case that recorded it.
    pub case: CaseId,
}

/// One rental.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rental {
    /// Dense id, from 1.
    pub id: RentalId,
    /// Where it stands.
    pub state: RentalState,
    /// The machine.
    #[schema(value_type = String)]
    pub machine: MachineId,
    /// Its registration then.
    pub registration: u32,
    /// Who offered it.
    #[schema(value_type = String)]
    pub miner: Account,
    /// Who rented it.
    #[schema(value_type = String)]
    pub renter: Account,
    /// The ed25519 key that the machine lets in.
    #[schema(value_type = String)]
    pub renter_key: SshKey,
    /// GPU class id.
    pub gpu_class: u16,
    /// The class's name.
    pub class_name: String,
    /// GPUs.
    pub gpu_count: u8,
    /// For the whole machine.
    pub price_rao_per_sec: Amount,
    /// Begin.
    pub start_secs: UnixSecs,
    /// End, as it stands now.
    pub end_secs: UnixSecs,
    /// Claimed up to here.
    pub paid_until_secs: UnixSecs,
    /// The shortest a renter pays for.
    pub min_duration_secs: u64,
    /// Bought, extensions included.
    pub bought_secs: u64,
    /// Paid out to the miner, before the fee.
    pub claimed_secs: u64,
    /// Ever recorded as without service.
    pub faulted_secs: u64,
    /// Of those, seconds whose case is not decided.
    pub open_secs: u64,
    /// Bought and not used: given back when it ended early.
    pub refunded_secs: u64,
    /// `bought_secs` times the price.
    pub paid_rao: Amount,
    /// `refunded_secs` times the price.
    pub refunded_rao: Amount,
    /// Seconds withheld for good, times the price: the renter's too.
    pub compensated_rao: Amount,
    /// The faults, ascending.
    pub faults: Vec<Fault>,
}

/// `/v1/rentals`: a page of rentals, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RentalPage {
    /// Where it was read.
    pub at: At,
    /// `before` of the next page; null: this is the last.
    pub next_before: Option<RentalId>,
    /// The rentals.
    pub rentals: Vec<Rental>,
}

/// `/v1/rentals/{id}`: one rental.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RentalDetail {
    /// Where it was read.
    pub at: At,
    /// The rental.
    pub rental: Rental,
    /// Its cases, the newest first.
    pub cases: Vec<Case>,
}

/// What a case says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    /// From the start, the renter's key was never let in.
    NotDelivered,
    /// An interval without service.
    Interrupted,
    /// Out of service for the minimum, and still so.
    Offline,
    /// The machine signed false capacity proofs.
    Spoofed,
}

/// Why, as seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseCause {
    /// None is said.
    None,
    /// No connection, or no key exchange.
    Unreachable,
    /// Another host key answered.
    WrongHostKey,
    /// The machine would not let the renter's key in.
    RenterRefused,
    /// The machine admits to fewer GPUs than it rents out.
    GpusMissing,
}

/// Where a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// Money is aside; it can be appealed until its window closes.
    Filed,
    /// It waits for the judge.
    Appealed,
    /// The withheld pay is the renter's; the penalty waits longer.
    Refunded,
    /// The same, and the judge is asked.
    RefundedAppealed,
    /// Upheld, or never appealed: penalty burned, withheld pay the renter's.
    Executed,
    /// Overturned: everything is the miner's again.
    Dismissed,
}

/// The miner's objection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Appeal {
    /// What it was paid with.
    pub bond_rao: Amount,
    /// The judge's last second.
    pub rule_by_secs: UnixSecs,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Case {
    /// Dense id, from 1.
    pub id: CaseId,
    /// What it says.
    pub kind: CaseKind,
    /// Why.
    pub cause: CaseCause,
    /// Where it stands.
    pub state: CaseState,
    /// Filed when the day's penalties were past the breaker: its penalty waits longer.
    pub slow: bool,
    /// The rental it is about; null: an idle machine's.
    pub rental: Option<RentalId>,
    /// The machine.
    #[schema(value_type = String)]
    pub machine: MachineId,
    /// Its registration.
    pub registration: u32,
    /// Whose machine.
    #[schema(value_type = String)]
    pub miner: Account,
    /// Who rented it; null: nobody.
    #[schema(value_type = Option<String>)]
    pub renter: Option<Account>,
    /// When it was filed.
    pub filed_at_secs: UnixSecs,
    /// When the next `execute` can be made; null once decided.
    pub executable_at_secs: Option<UnixSecs>,
    /// From then on it cannot be appealed; null once it is, or is decided.
    pub appealable_until_secs: Option<UnixSecs>,
    /// What an appeal must be paid with; null once it is made, or the case decided.
    pub appeal_bond_rao: Option<Amount>,
    /// The appeal; null: none was made.
    pub appeal: Option<Appeal>,
    /// Seconds whose pay is withheld.
    pub withheld_secs: u64,
    /// Their pay.
    pub withheld_rao: Amount,
    /// Bond set aside.
    pub penalty_rao: Amount,
}

/// `/v1/cases`: a page of cases, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CasePage {
    /// Where it was read.
    pub at: At,
    /// `before` of the next page; null: this is the last.
    pub next_before: Option<CaseId>,
    /// The cases.
    pub cases: Vec<Case>,
}

/// `/v1/cases/{id}`: one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaseDetail {
    /// Where it was read.
    pub at: At,
    /// The case.
    pub case: Case,
    /// Its rental; null: none.
    pub rental: Option<Rental>,
}

/// What one UTC day brought a miner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct MinerDay {
    /// Days since 1970.
    pub day: u32,
    /// Served seconds of all machines together.
    pub served_secs: u64,
    /// Their pay, before the fee.
    pub earned_rao: Amount,
}

/// `/v1/miners/{account}`: one miner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MinerPage {
    /// Where it was read.
    pub at: At,
    /// The miner.
    #[schema(value_type = String)]
    pub miner: Account,
    /// The machines registered now.
    pub machines: Vec<Machine>,
    /// Bond in all of them, whatever it is doing.
    pub bonded_rao: Amount,
    /// Earned so far by seconds served, before the fee.
    pub earned_rao: Amount,
    /// Of that, claimed.
    pub claimed_rao: Amount,
    /// Penalties of cases executed, as far as they were burned.
    pub penalties_rao: Amount,
    /// The last 90 days, the oldest first; days without anything are left out.
    pub days: Vec<MinerDay>,
    /// Its newest rentals, at most 50; the others: `/v1/rentals?miner=`.
    pub rentals: Vec<Rental>,
    /// Its newest cases, at most 50; the others: `/v1/cases?miner=`.
    pub cases: Vec<Case>,
}

/// RFC 9457: why there is no answer, as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `about:blank`: `code` says which problem it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong, what is expected.
    pub detail: String,
    /// A word for programs.
    pub code: String,
}

/// All shapes by name, for `/v1/openapi.json`.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(
    MarketPage,
    MachinePage,
    RentalPage,
    RentalDetail,
    CasePage,
    CaseDetail,
    MinerPage,
    NetworkPage,
    NetworkDays,
    Problem
)))]
pub struct Shapes;
