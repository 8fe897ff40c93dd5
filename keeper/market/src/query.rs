//! Lists: machines filtered, sorted and in pages; rentals and cases the newest first.

use crate::book::Book;
use crate::facts::{CaseFacts, NodeFacts, RentalFacts};
use crate::market::Market;
use crate::rows;
use crate::wire::{Availability, CasePage, CaseState, Machine, MarketPage, Rental, RentalPage, RentalState};
use serde::Deserialize;
use std::cmp::Ordering;
use std::collections::{BTreeSet, BinaryHeap};
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
        let before = query.before.unwrap_or(RentalId::MAX);
        let of =
            |registrations: Vec<u32>| registrations.into_iter().filter_map(|one| book.rental_ids_of(one)).collect();
        let sets: Option<Vec<&BTreeSet<RentalId>>> = match (query.machine, query.renter, query.miner, query.state) {
            (Some(machine), ..) => Some(of(registrations_of(book, Some(machine), None))),
            (None, Some(renter), ..) => Some(book.rented_by(&renter).into_iter().collect()),
            (None, None, Some(miner), _) => Some(of(registrations_of(book, None, Some(miner)))),
            (None, None, None, Some(RentalState::Running | RentalState::Ended)) => Some(vec![book.unclosed()]),
            _ => None,
        };
        let rentals: Box<dyn Iterator<Item = &RentalFacts> + '_> = match sets {
            Some(sets) => Box::new(newest(sets, before).filter_map(|id| book.rentals.get(&id))),
            None => Box::new(book.rentals.range(..before).rev().map(|(_, rental)| rental)),
        };
        let takes = |rental: &&RentalFacts| {
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
        let before = query.before.unwrap_or(CaseId::MAX);
        let sets: Option<Vec<&BTreeSet<CaseId>>> = match (query.rental, query.machine, query.miner) {
            (Some(rental), ..) => Some(book.cases_about(rental).into_iter().collect()),
            (None, None, None) => None,
            (None, machine, miner) => {
                let registrations = registrations_of(book, machine, miner);
                Some(registrations.into_iter().filter_map(|one| book.case_ids_of(one)).collect())
            }
        };
        let cases: Box<dyn Iterator<Item = &CaseFacts> + '_> = match sets {
            Some(sets) => Box::new(newest(sets, before).filter_map(|id| book.cases.get(&id))),
            None => Box::new(book.cases.range(..before).rev().map(|(_, case)| case)),
        };
        let takes = |case: &&CaseFacts| {
            query.miner.is_none_or(|miner| book.miner_of(case.registration) == miner)
                && query.machine.is_none_or(|machine| book.machine_of(case.registration) == Some(machine))
                && query.state.is_none_or(|state| rows::state(case.status) == state)
        };
        let (cases, more) = page(cases.filter(takes).map(|case| rows::case(book, case)), limit);
        let next_before = cases.last().filter(|_| more).map(|case| case.id);
        Ok(CasePage { at: book.at, next_before, cases })
    }
}

/// Registrations of a machine, else of a miner.
fn registrations_of(book: &Book, machine: Option<MachineId>, miner: Option<Account>) -> Vec<u32> {
    let number = |node: &NodeFacts| node.registration;
    match (machine, miner) {
        (Some(machine), _) => book.registrations(&machine).map(number).collect(),
        (None, Some(miner)) => book.nodes_of(&miner).map(number).collect(),
        (None, None) => vec![],
    }
}

/// Ids below `before` of sets that share none, the newest first: a page costs its own length, however long the sets.
fn newest(sets: Vec<&BTreeSet<u64>>, before: u64) -> impl Iterator<Item = u64> {
    let mut tails: Vec<_> = sets.into_iter().map(|set| set.range(..before).rev()).collect();
    let mut heap: BinaryHeap<(u64, usize)> =
        tails.iter_mut().enumerate().filter_map(|(index, tail)| Some((*tail.next()?, index))).collect();
    std::iter::from_fn(move || {
        let (id, index) = heap.pop()?;
        if let Some(next) = tails.get_mut(index).and_then(Iterator::next) {
            heap.push((*next, index));
        }
        Some(id)
    })
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

#[cfg(test)]
mod tests;
