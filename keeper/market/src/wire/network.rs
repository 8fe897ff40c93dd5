//! The network as a whole: contracts, classes, keepers, sums, days.

use super::At;
use crate::amount::Amount;
use serde::{Deserialize, Serialize};
use surety_core::types::Account;
use utoipa::ToSchema;

/// The contracts that all of this is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Contracts {
    /// CollateralVault.
    #[schema(value_type = String)]
    pub vault: Account,
    /// RentalEscrow.
    #[schema(value_type = String)]
    pub escrow: Account,
    /// Arbiter.
    #[schema(value_type = String)]
    pub arbiter: Account,
    /// RentalBids.
    #[schema(value_type = String)]
    pub bids: Account,
    /// The electorate.
    #[schema(value_type = String)]
    pub keepers: Account,
}

/// One GPU class on the market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Class {
    /// Id.
    pub gpu_class: u16,
    /// Name.
    pub name: String,
    /// Bond that one card asks for; 0: not on the market.
    pub bond_rao: Amount,
    /// Machines offered now.
    pub machines: u32,
    /// Their cards.
    pub gpus: u32,
    /// Cards rented now.
    pub gpus_rented: u32,
    /// The cheapest that can be rented now, for one card; null: none.
    pub from_rao_per_sec: Option<Amount>,
}

/// One keeper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Keeper {
    /// The address it signs with.
    #[schema(value_type = String)]
    pub account: Account,
    /// Its weight in a quorum: as appointed, or rao of voting power. Text, as amounts are.
    pub weight: Amount,
    /// Whether it counts now.
    pub active: bool,
    /// Base URL of its API, as it says.
    pub url: String,
}

/// Sums over everything there ever was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Totals {
    /// Machines registered now.
    pub machines: u32,
    /// Of those, offered.
    pub offered: u32,
    /// Of those, rented.
    pub rented: u32,
    /// Miners with a machine registered now.
    pub miners: u32,
    /// Renters with a rental that runs.
    pub active_renters: u32,
    /// Rentals ever.
    pub rentals: u64,
    /// Seconds served, ever.
    pub served_secs: u64,
    /// Seconds served times cards, ever.
    pub served_gpu_secs: u64,
    /// What renters have paid for seconds served: revenue apart from emissions.
    pub revenue_rao: Amount,
    /// What renters had back: unused time, and seconds withheld for good.
    pub refunded_rao: Amount,
    /// Bond in all machines, whatever it is doing.
    pub bonded_rao: Amount,
    /// Cases ever.
    pub cases: u64,
    /// Penalties set aside, not decided.
    pub penalties_open_rao: Amount,
    /// Penalties of cases executed, as far as they were burned: of an `offline` no more than its rental has earned.
    pub penalties_executed_rao: Amount,
}

/// Windows and minimums of the contracts, as renters and miners need them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Terms {
    /// Claims lag behind by this.
    pub settle_lag_secs: u64,
    /// How long a certificate serves.
    pub certificate_life_secs: u64,
    /// How long an undelivered rental may stay so.
    pub delivery_grace_secs: u64,
    /// Shortest interval recorded at all.
    pub min_interrupted_secs: u64,
    /// Shortest outage that ends a rental.
    pub min_offline_secs: u64,
}

/// `/v1/network`: everything in one look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NetworkPage {
    /// Where it was read.
    pub at: At,
    /// The chain.
    pub chain_id: u64,
    /// The subnet.
    pub netuid: u16,
    /// The keeper that answers.
    #[schema(value_type = String)]
    pub keeper: Account,
    /// The contracts.
    pub contracts: Contracts,
    /// Their windows.
    pub terms: Terms,
    /// Sums.
    pub totals: Totals,
    /// Classes with a bond or a machine.
    pub classes: Vec<Class>,
    /// Who watches and judges.
    pub keepers: Vec<Keeper>,
}

/// One UTC day of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct NetworkDay {
    /// Days since 1970.
    pub day: u32,
    /// Rentals that began.
    pub rentals: u32,
    /// Renters with a rental that ran.
    pub renters: u32,
    /// Seconds bought.
    pub rented_secs: u64,
    /// Of those, seconds without a recorded fault.
    pub served_secs: u64,
    /// Bought seconds times cards.
    pub rented_gpu_secs: u64,
    /// Pay for the seconds served.
    pub revenue_rao: Amount,
    /// Penalties of the cases filed that day, but for dismissed ones.
    pub penalties_rao: Amount,
    /// Cases filed.
    pub cases: u32,
}

/// `/v1/network/days`: the network day by day, the oldest first. `/v1/network/days.csv` is the same as a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NetworkDays {
    /// Where it was read.
    pub at: At,
    /// The days; those without anything are left out.
    pub days: Vec<NetworkDay>,
}
