//! Lists: machines filtered, sorted and in pages; rentals and cases the newest first.

use crate::market::Market;
use crate::rows;
use crate::wire::{Availability, Case, CasePage, CaseState, Machine, MarketPage, Rental, RentalPage, RentalState};
use serde::Deserialize;
use std::cmp::Ordering;
use surety_core::types::{Account, CaseId, MachineId, RentalId};

/// Machines on a page at most.
pub const MACHINES_MAX: u32 = 1_000;
/// Rentals or cases on a page at most.
pub const ENTRIES_MAX: u32 = 200;
/// Entries on a page when no number is asked for.
pub const PAGE_DEFAULT: u32 = 100;

/// What machines are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Price of the whole machine; those without an offer last.
    #[default]
    Price,
    /// Price of one card; those without an offer last.
    GpuPrice,
    /// Bond not bound to anything.
    Bond,
    /// Uptime; those never rented last.
    Uptime,
    /// Cards offered.
    Gpus,
    /// Registration number: age.
    Registration,
}

/// Upwards or downwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Smallest first.
    #[default]
    Asc,
    /// Largest first.
    Desc,
}

/// `/v1/market?...`: what is not given does not filter.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MarketQuery {
    /// GPU class id.
    pub class: Option<u16>,
    /// At least so many cards.
    pub min_gpus: Option<u8>,
    /// At most this price, rao per second for the whole machine.
    pub max_price: Option<u64>,
    /// What it can be used for now.
    pub availability: Option<Availability>,
    /// Whether a certificate serves.
    pub verified: Option<bool>,
    /// At least this uptime, parts of a million; those never rented pass.
    pub min_uptime: Option<u32>,
    /// Whose.
    pub miner: Option<Account>,
    /// By what.
    pub sort: Sort,
    /// Which way.
    pub order: Order,
    /// So many are left out.
    pub offset: u32,
    /// At most so many.
    pub limit: Option<u32>,
}

/// `/v1/rentals?...`
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RentalQuery {
    /// Who rented.
    pub renter: Option<Account>,
    /// Whose machine.
    pub miner: Option<Account>,
    /// Which machine.
    pub machine: Option<MachineId>,
    /// Where it stands.
    pub state: Option<RentalState>,
    /// Only older ones than this.
    pub before: Option<RentalId>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// `/v1/cases?...`
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaseQuery {
    /// Whose machine.
    pub miner: Option<Account>,
    /// Which machine.
    pub machine: Option<MachineId>,
    /// Which rental.
    pub rental: Option<RentalId>,
    /// Where it stands.
    pub state: Option<CaseState>,
    /// Only older ones than this.
    pub before: Option<CaseId>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// A page longer than there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadLimit {
    /// The longest.
    pub most: u32,
}

impl std::fmt::Display for BadLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "limit: want a number from 1 to {}", self.most)
    }
}

impl std::error::Error for BadLimit {}

fn limit(asked: Option<u32>, most: u32) -> Result<usize, BadLimit> {
    match asked.unwrap_or(PAGE_DEFAULT) {
        0 => Err(BadLimit { most }),
        limit if limit > most => Err(BadLimit { most }),
        limit => Ok(limit as usize),
    }
}

impl Market {
    /// A page of machines.
    ///
    /// # Errors
    /// The limit is none.
    pub fn list(&self, query: &MarketQuery) -> Result<MarketPage, BadLimit> {
        let limit = limit(query.limit, MACHINES_MAX)?;
        let mut found: Vec<&Machine> = self.rows.values().filter(|row| query.takes(row)).collect();
        found.sort_by(|a, b| query.sort.compare(query.order, a, b).then(a.registration.cmp(&b.registration)));
        let total = u32::try_from(found.len()).unwrap_or(u32::MAX);
        let machines: Vec<Machine> = found.into_iter().skip(query.offset as usize).take(limit).cloned().collect();
        let end = query.offset.saturating_add(u32::try_from(machines.len()).unwrap_or(u32::MAX));
        Ok(MarketPage { at: self.book.at, total, next_offset: (end < total).then_some(end), machines })
    }

    /// A page of rentals.
    ///
    /// # Errors
    /// The limit is none.
    pub fn rentals(&self, query: &RentalQuery) -> Result<RentalPage, BadLimit> {
        let limit = limit(query.limit, ENTRIES_MAX)?;
        let (book, now_secs) = (&self.book, self.book.at.at_secs);
        let ids: Box<dyn Iterator<Item = RentalId> + '_> = match (&query.renter, &query.machine) {
            (_, Some(machine)) => Box::new(rows::rentals_of_machine(book, machine).into_iter()),
            (Some(renter), None) => Box::new(book.rented_by(renter).rev()),
            (None, None) => Box::new(book.rentals.keys().rev().copied()),
        };
        let ids = ids.filter(|id| query.before.is_none_or(|before| *id < before));
        let rentals = ids.filter_map(|id| book.rentals.get(&id));
        let takes = |rental: &&crate::facts::RentalFacts| {
            query.renter.is_none_or(|renter| rental.renter == renter)
                && query.miner.is_none_or(|miner| book.miner_of(rental.registration) == miner)
                && query.state.is_none_or(|state| rental.state(now_secs) == state)
        };
        let found = rentals.filter(takes).map(|rental| rows::rental(book, &self.setting, rental));
        let (rentals, more) = page(found, limit);
        let next_before = rentals.last().filter(|_| more).map(|rental: &Rental| rental.id);
        Ok(RentalPage { at: book.at, next_before, rentals })
    }

    /// A page of cases.
    ///
    /// # Errors
    /// The limit is none.
    pub fn cases(&self, query: &CaseQuery) -> Result<CasePage, BadLimit> {
        let limit = limit(query.limit, ENTRIES_MAX)?;
        let book = &self.book;
        let newest = book.cases.values().rev().filter(|case| query.before.is_none_or(|before| case.id < before));
        let takes = |case: &Case| {
            query.miner.is_none_or(|miner| case.miner == miner)
                && query.machine.is_none_or(|machine| case.machine == machine)
                && query.rental.is_none_or(|rental| case.rental == Some(rental))
                && query.state.is_none_or(|state| case.state == state)
        };
        let (cases, more) = page(newest.map(|case| rows::case(book, case)).filter(takes), limit);
        let next_before = cases.last().filter(|_| more).map(|case| case.id);
        Ok(CasePage { at: book.at, next_before, cases })
    }
}

/// The first `limit`, and whether there are more.
fn page<T>(mut found: impl Iterator<Item = T>, limit: usize) -> (Vec<T>, bool) {
    let page: Vec<T> = found.by_ref().take(limit).collect();
    (page, found.next().is_some())
}

impl MarketQuery {
    fn takes(&self, row: &Machine) -> bool {
        let offer = row.offer;
        self.class.is_none_or(|class| offer.is_some_and(|offer| offer.gpu_class == class))
            && self.min_gpus.is_none_or(|least| offer.is_some_and(|offer| offer.gpu_count >= least))
            && self.max_price.is_none_or(|most| offer.is_some_and(|offer| offer.price_rao_per_sec.0 <= most))
            && self.availability.is_none_or(|wanted| row.availability == wanted)
            && self.verified.is_none_or(|wanted| row.verified_until_secs.is_some() == wanted)
            && self.min_uptime.is_none_or(|least| row.uptime_ppm.is_none_or(|uptime| uptime >= least))
            && self.miner.is_none_or(|miner| row.miner == miner)
    }
}

impl Sort {
    /// What has nothing to be sorted by comes last, whichever way.
    fn compare(self, order: Order, a: &Machine, b: &Machine) -> Ordering {
        match (self.key(a), self.key(b)) {
            (Some(a), Some(b)) if order == Order::Desc => b.cmp(&a),
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }

    fn key(self, row: &Machine) -> Option<u128> {
        let price = || row.offer.map(|offer| u128::from(offer.price_rao_per_sec.0));
        match self {
            Self::Price => price(),
            // Of one card, in 2^-32 rao: two machines differ although their whole rao do not.
            Self::GpuPrice => {
                row.offer.map(|o| (u128::from(o.price_rao_per_sec.0) << 32) / u128::from(o.gpu_count.max(1)))
            }
            Self::Bond => Some(row.bond.free_rao.0.into()),
            Self::Uptime => row.uptime_ppm.map(u128::from),
            Self::Gpus => row.offer.map(|offer| offer.gpu_count.into()),
            Self::Registration => Some(row.registration.into()),
        }
    }
}
