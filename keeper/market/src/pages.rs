//! One machine, one rental, one case, one miner, the network: everything about it in one answer.

use crate::amount::Amount;
use crate::facts::RentalFacts;
use crate::market::Market;
use crate::money::{pay, sum};
use crate::query::{CaseQuery, RentalQuery};
use crate::wire::{
    Availability, CaseDetail, Class, Machine, MachinePage, MinerPage, NetworkDays, NetworkPage, Registration,
    RentalDetail, RentalState, Totals,
};
use crate::{days, rows};
use std::collections::{BTreeMap, BTreeSet};
use surety_core::types::{Account, CaseId, MachineId, Rao, RentalId};
use surety_core::view::CaseStatus;

/// Rentals and cases on a page about something else.
const NEWEST: Option<u32> = Some(50);

impl Market {
    /// All of one machine; `None`: it is not registered now.
    pub fn machine(&self, machine: MachineId) -> Option<MachinePage> {
        let row = self.row(&machine)?.clone();
        let registration = |node: &crate::facts::NodeFacts| Registration {
            registration: node.registration,
            miner: node.miner,
            retired: !node.current,
        };
        let rentals = RentalQuery { machine: Some(machine), limit: NEWEST, ..RentalQuery::default() };
        let cases = CaseQuery { machine: Some(machine), limit: NEWEST, ..CaseQuery::default() };
        Some(MachinePage {
            at: self.book.at,
            machine: row,
            registrations: self.book.registrations(&machine).map(registration).collect(),
            days: days::of_machine(&self.book, &machine),
            prices: self.prices(&machine),
            rentals: self.rentals(&rentals).map(|page| page.rentals).unwrap_or_default(),
            cases: self.cases(&cases).map(|page| page.cases).unwrap_or_default(),
        })
    }

    /// One rental with its cases.
    pub fn rental(&self, id: RentalId) -> Option<RentalDetail> {
        let facts = self.book.rentals.get(&id)?;
        let cases = CaseQuery { rental: Some(id), limit: NEWEST, ..CaseQuery::default() };
        let cases = self.cases(&cases).map(|page| page.cases).unwrap_or_default();
        Some(RentalDetail { at: self.book.at, rental: rows::rental(&self.book, &self.setting, facts), cases })
    }

    /// One case with its rental.
    pub fn case(&self, id: CaseId) -> Option<CaseDetail> {
        let facts = self.book.cases.get(&id)?;
        let rental = self.book.rentals.get(&facts.rental).map(|rental| rows::rental(&self.book, &self.setting, rental));
        Some(CaseDetail { at: self.book.at, case: rows::case(&self.book, facts), rental })
    }

    /// One miner; an address that never registered a machine has an empty page.
    pub fn miner(&self, miner: Account) -> MinerPage {
        let (book, now_secs) = (&self.book, self.book.at.at_secs);
        let own = || book.nodes_of(&miner);
        let machines: Vec<Machine> =
            own().filter(|node| node.current).filter_map(|node| self.row(&node.machine).cloned()).collect();
        let rentals = || own().flat_map(|node| book.rentals_of(node.registration));
        let earned = |rental: &RentalFacts| pay(rental.served_secs(book, now_secs), rental.price_rao_per_sec).0;
        let claimed = |rental: &RentalFacts| pay(rental.claimed_secs, rental.price_rao_per_sec).0;
        let executed = own().flat_map(|node| book.cases_of(node.registration));
        let executed = executed.filter(|case| case.status == CaseStatus::Executed);
        let of_rentals = RentalQuery { miner: Some(miner), limit: NEWEST, ..RentalQuery::default() };
        let of_cases = CaseQuery { miner: Some(miner), limit: NEWEST, ..CaseQuery::default() };
        MinerPage {
            at: book.at,
            miner,
            bonded_rao: sum(machines.iter().map(bonded)),
            machines,
            earned_rao: sum(rentals().map(earned)),
            claimed_rao: sum(rentals().map(claimed)),
            penalties_rao: sum(executed.map(|case| rows::burned_rao(book, case))),
            days: days::of_miner(book, own()),
            rentals: self.rentals(&of_rentals).map(|page| page.rentals).unwrap_or_default(),
            cases: self.cases(&of_cases).map(|page| page.cases).unwrap_or_default(),
        }
    }

    /// Everything in one look.
    pub fn network(&self) -> NetworkPage {
        let setting = &self.setting;
        NetworkPage {
            at: self.book.at,
            chain_id: setting.chain_id,
            netuid: setting.netuid,
            keeper: setting.keeper,
            contracts: setting.contracts,
            terms: setting.terms,
            totals: self.totals(),
            classes: self.classes(),
            keepers: self.book.keepers.clone(),
        }
    }

    /// The network day by day.
    pub fn network_days(&self) -> NetworkDays {
        NetworkDays { at: self.book.at, days: days::of_network(&self.book) }
    }

    fn totals(&self) -> Totals {
        let (book, now_secs) = (&self.book, self.book.at.at_secs);
        let rows = || self.rows.values();
        let served = |rental: &RentalFacts| rental.served_secs(book, now_secs);
        let running = book.rentals.values().filter(|rental| rental.state(now_secs) == RentalState::Running);
        let miners: BTreeSet<Account> = rows().map(|row| row.miner).collect();
        let renters: BTreeSet<Account> = running.map(|rental| rental.renter).collect();
        let all = || book.rentals.values();
        let penalties = |of: fn(CaseStatus) -> bool| {
            sum(book.cases.values().filter(|case| of(case.status)).map(|case| case.penalty_rao))
        };
        Totals {
            machines: count(rows()),
            offered: count(rows().filter(|row| row.offer.is_some())),
            rented: count(rows().filter(|row| row.rental.is_some())),
            miners: count(miners.iter()),
            active_renters: count(renters.iter()),
            rentals: book.rentals.last_key_value().map_or(0, |(id, _)| *id),
            served_secs: all().map(served).fold(0, u64::saturating_add),
            served_gpu_secs: all().map(|r| served(r).saturating_mul(r.gpu_count.into())).fold(0, u64::saturating_add),
            revenue_rao: sum(all().map(|rental| pay(served(rental), rental.price_rao_per_sec).0)),
            refunded_rao: sum(all().map(|rental| rental.back_rao(book).0)),
            bonded_rao: sum(rows().map(bonded)),
            cases: book.cases.last_key_value().map_or(0, |(id, _)| *id),
            penalties_open_rao: penalties(|status| !status.is_decided()),
            penalties_executed_rao: sum(book.cases.values().map(|case| rows::burned_rao(book, case))),
        }
    }

    fn classes(&self) -> Vec<Class> {
        let mut classes: BTreeMap<u16, Class> = BTreeMap::new();
        let class = |gpu_class: u16, bond_rao: Rao| Class {
            gpu_class,
            name: (self.setting.class_name)(gpu_class),
            bond_rao: Amount(bond_rao),
            machines: 0,
            gpus: 0,
            gpus_rented: 0,
            from_rao_per_sec: None,
        };
        for (gpu_class, bond_rao) in self.book.class_bonds.iter().filter(|(_, bond)| **bond != 0) {
            classes.insert(*gpu_class, class(*gpu_class, *bond_rao));
        }
        for row in self.rows.values() {
            if let Some(offer) = row.offer {
                let entry = classes.entry(offer.gpu_class).or_insert_with(|| class(offer.gpu_class, 0));
                entry.machines += 1;
                entry.gpus += u32::from(offer.gpu_count);
                if row.availability == Availability::Free {
                    let one = Amount(offer.price_rao_per_sec.0.div_ceil(u64::from(offer.gpu_count.max(1))));
                    entry.from_rao_per_sec = Some(entry.from_rao_per_sec.map_or(one, |from| from.min(one)));
                }
            }
            if let Some(rental) = row.rental.and_then(|id| self.book.rentals.get(&id)) {
                let entry = classes.entry(rental.gpu_class).or_insert_with(|| class(rental.gpu_class, 0));
                entry.gpus_rented += u32::from(rental.gpu_count);
            }
        }
        classes.into_values().collect()
    }
}

fn bonded(row: &Machine) -> Rao {
    let bond = row.bond;
    sum([bond.free_rao, bond.reserved_rao, bond.held_rao, bond.exiting_rao].map(|amount| amount.0).into_iter()).0
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
