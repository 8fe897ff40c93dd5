//! Everything read so far, by id, and what belongs to whom.

use crate::facts::{Beside, CaseFacts, Counts, NodeFacts, Reading, RentalFacts, Wanted};
use crate::wire::{At, Keeper};
use std::collections::{BTreeMap, BTreeSet};
use surety_core::types::{Account, CaseId, MachineId, Rao, RentalId};

/// Registrations kept at most; the oldest are not asked for. Twice what a keeper watches.
pub const NODES_MAX: u32 = 32_768;
/// Rentals kept at most, some 300 bytes each: the newest. Sums are over what is kept.
pub const RENTALS_MAX: u64 = 500_000;
/// Cases kept at most: the newest.
pub const CASES_MAX: u64 = 100_000;

/// The fold.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// The newest block read.
    pub at: At,
    /// Registrations by number.
    pub nodes: BTreeMap<u32, NodeFacts>,
    /// Rentals by id.
    pub rentals: BTreeMap<RentalId, RentalFacts>,
    /// Cases by id.
    pub cases: BTreeMap<CaseId, CaseFacts>,
    /// Bond that one card of each class asks for; 0: not on the market.
    pub class_bonds: BTreeMap<u16, Rao>,
    /// The electorate.
    pub keepers: Vec<Keeper>,
    // The rest is derived from the above.
    of_machine: BTreeMap<MachineId, BTreeSet<u32>>,
    of_miner: BTreeMap<Account, BTreeSet<u32>>,
    rentals_of: BTreeMap<u32, BTreeSet<RentalId>>,
    rentals_by: BTreeMap<Account, BTreeSet<RentalId>>,
    cases_of: BTreeMap<u32, BTreeSet<CaseId>>,
}

impl Book {
    /// Takes what was read, and says which machines it touches.
    pub fn apply(&mut self, reading: Reading) -> BTreeSet<MachineId> {
        self.at = reading.at;
        let mut touched = self.cut(reading.counts);
        for node in reading.nodes {
            touched.insert(node.machine);
            self.put_node(node);
        }
        let mut registrations = BTreeSet::new();
        for rental in reading.rentals {
            registrations.insert(rental.registration);
            self.put_rental(rental);
        }
        for case in reading.cases {
            registrations.insert(case.registration);
            self.put_case(case);
        }
        touched.extend(registrations.iter().filter_map(|registration| self.machine_of(*registration)));
        touched
    }

    /// Takes what no id names.
    pub fn put_beside(&mut self, beside: Beside) {
        (self.class_bonds, self.keepers) = (beside.class_bonds, beside.keepers);
    }

    /// What there is at these counts and is not here, the newest first and at most `most` of each kind.
    pub fn missing(&self, counts: Counts, most: usize) -> Wanted {
        let registrations = (floor(counts.registrations.into(), NODES_MAX.into()) + 1..=counts.registrations.into())
            .rev()
            .filter_map(|id| u32::try_from(id).ok())
            .filter(|id| !self.nodes.contains_key(id));
        let rentals = (floor(counts.rentals, RENTALS_MAX) + 1..=counts.rentals).rev();
        let cases = (floor(counts.cases, CASES_MAX) + 1..=counts.cases).rev();
        Wanted {
            registrations: registrations.take(most).collect(),
            rentals: rentals.filter(|id| !self.rentals.contains_key(id)).take(most).collect(),
            cases: cases.filter(|id| !self.cases.contains_key(id)).take(most).collect(),
        }
    }

    /// A machine's current registration.
    pub fn current(&self, machine: &MachineId) -> Option<&NodeFacts> {
        self.registrations(machine).find(|node| node.current)
    }

    /// All registrations of a machine, the newest first.
    pub fn registrations(&self, machine: &MachineId) -> impl Iterator<Item = &NodeFacts> {
        let numbers = self.of_machine.get(machine).into_iter().flatten().rev();
        numbers.filter_map(|number| self.nodes.get(number))
    }

    /// All registrations of a miner, the newest first.
    pub fn nodes_of(&self, miner: &Account) -> impl Iterator<Item = &NodeFacts> {
        let numbers = self.of_miner.get(miner).into_iter().flatten().rev();
        numbers.filter_map(|number| self.nodes.get(number))
    }

    /// Rentals of a registration, the newest first.
    pub fn rentals_of(&self, registration: u32) -> impl Iterator<Item = &RentalFacts> {
        let ids = self.rentals_of.get(&registration).into_iter().flatten().rev();
        ids.filter_map(|id| self.rentals.get(id))
    }

    /// Ids of a renter's rentals.
    pub fn rented_by(&self, renter: &Account) -> impl DoubleEndedIterator<Item = RentalId> {
        self.rentals_by.get(renter).into_iter().flatten().copied()
    }

    /// Cases of a registration, the newest first.
    pub fn cases_of(&self, registration: u32) -> impl Iterator<Item = &CaseFacts> {
        let ids = self.cases_of.get(&registration).into_iter().flatten().rev();
        ids.filter_map(|id| self.cases.get(id))
    }

    /// The machine of a registration.
    pub fn machine_of(&self, registration: u32) -> Option<MachineId> {
        self.nodes.get(&registration).map(|node| node.machine)
    }

    /// Whose registration it is.
    pub fn miner_of(&self, registration: u32) -> Account {
        self.nodes.get(&registration).map_or(Account::default(), |node| node.miner)
    }

    fn put_node(&mut self, node: NodeFacts) {
        self.drop_node(node.registration);
        if node.current {
            // A machine has one current registration: the one read last says so.
            for other in self.of_machine.get(&node.machine).into_iter().flatten() {
                if let Some(other) = self.nodes.get_mut(other) {
                    (other.current, other.offer) = (false, None);
                }
            }
        }
        self.of_machine.entry(node.machine).or_default().insert(node.registration);
        self.of_miner.entry(node.miner).or_default().insert(node.registration);
        self.nodes.insert(node.registration, node);
        while self.nodes.len() > NODES_MAX as usize {
            let Some(oldest) = self.nodes.first_key_value().map(|(number, _)| *number) else { return };
            self.drop_node(oldest);
        }
    }

    fn put_rental(&mut self, rental: RentalFacts) {
        self.drop_rental(rental.id);
        self.rentals_of.entry(rental.registration).or_default().insert(rental.id);
        self.rentals_by.entry(rental.renter).or_default().insert(rental.id);
        self.rentals.insert(rental.id, rental);
        while self.rentals.len() as u64 > RENTALS_MAX {
            let Some(oldest) = self.rentals.first_key_value().map(|(id, _)| *id) else { return };
            self.drop_rental(oldest);
        }
    }

    fn put_case(&mut self, case: CaseFacts) {
        self.drop_case(case.id);
        self.cases_of.entry(case.registration).or_default().insert(case.id);
        self.cases.insert(case.id, case);
        while self.cases.len() as u64 > CASES_MAX {
            let Some(oldest) = self.cases.first_key_value().map(|(id, _)| *id) else { return };
            self.drop_case(oldest);
        }
    }

    /// Forgets what a reorg undid, and says which machines that touches.
    fn cut(&mut self, counts: Counts) -> BTreeSet<MachineId> {
        let mut registrations: BTreeSet<u32> = BTreeSet::new();
        for id in above(&self.cases, counts.cases) {
            registrations.extend(self.drop_case(id).map(|case| case.registration));
        }
        for id in above(&self.rentals, counts.rentals) {
            registrations.extend(self.drop_rental(id).map(|rental| rental.registration));
        }
        let mut touched: BTreeSet<MachineId> = registrations.iter().filter_map(|one| self.machine_of(*one)).collect();
        for number in above(&self.nodes, counts.registrations) {
            touched.extend(self.drop_node(number).map(|node| node.machine));
        }
        touched
    }

    fn drop_node(&mut self, registration: u32) -> Option<NodeFacts> {
        let node = self.nodes.remove(&registration)?;
        take_out(&mut self.of_machine, &node.machine, &registration);
        take_out(&mut self.of_miner, &node.miner, &registration);
        Some(node)
    }

    fn drop_rental(&mut self, id: RentalId) -> Option<RentalFacts> {
        let rental = self.rentals.remove(&id)?;
        take_out(&mut self.rentals_of, &rental.registration, &id);
        take_out(&mut self.rentals_by, &rental.renter, &id);
        Some(rental)
    }

    fn drop_case(&mut self, id: CaseId) -> Option<CaseFacts> {
        let case = self.cases.remove(&id)?;
        take_out(&mut self.cases_of, &case.registration, &id);
        Some(case)
    }
}

/// Ids up to this one are not asked for.
fn floor(count: u64, most: u64) -> u64 {
    count.saturating_sub(most)
}

fn above<K: Ord + Copy, V>(map: &BTreeMap<K, V>, newest: K) -> Vec<K> {
    use std::ops::Bound::{Excluded, Unbounded};
    map.range((Excluded(newest), Unbounded)).map(|(id, _)| *id).collect()
}

fn take_out<K: Ord, V: Ord>(index: &mut BTreeMap<K, BTreeSet<V>>, key: &K, value: &V) {
    if let Some(set) = index.get_mut(key) {
        set.remove(value);
        if set.is_empty() {
            index.remove(key);
        }
    }
}
