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
    cases_about: BTreeMap<RentalId, BTreeSet<CaseId>>,
    unclosed: BTreeSet<RentalId>,
    /// Registrations read before the bond of their offer's class changed: what they need is not known any more.
    outdated: BTreeSet<u32>,
}

impl Book {
    /// Takes what was read, and says which machines it touches: also those that an id belonged to before. What is
    /// beyond the counts is not taken.
    pub fn apply(&mut self, reading: Reading) -> BTreeSet<MachineId> {
        let counts = reading.counts;
        self.at = reading.at;
        let mut touched = self.cut(counts);
        for node in reading.nodes.into_iter().filter(|one| (1..=counts.registrations).contains(&one.registration)) {
            touched.insert(node.machine);
            touched.extend(self.put_node(node));
        }
        let mut registrations = BTreeSet::new();
        for rental in reading.rentals.into_iter().filter(|one| (1..=counts.rentals).contains(&one.id)) {
            registrations.insert(rental.registration);
            registrations.extend(self.put_rental(rental));
        }
        for case in reading.cases.into_iter().filter(|one| (1..=counts.cases).contains(&one.id)) {
            registrations.insert(case.registration);
            registrations.extend(self.put_case(case));
        }
        touched.extend(registrations.iter().filter_map(|registration| self.machine_of(*registration)));
        touched
    }

    /// Takes what no id names.
    pub fn put_beside(&mut self, beside: Beside) {
        self.take_bonds(beside.class_bonds);
        self.keepers = beside.keepers;
    }

    /// What there is at these counts and is not here, or not as it is now: the newest first and at most `most` of each
    /// kind.
    pub fn missing(&self, counts: Counts, most: usize) -> Wanted {
        let registrations = gaps(&self.nodes, counts.registrations.into(), NODES_MAX.into(), most, |id| (*id).into());
        let registrations = registrations.into_iter().filter_map(|id| u32::try_from(id).ok());
        let outdated = self.outdated.iter().rev().copied();
        Wanted {
            registrations: outdated.chain(registrations).take(most).collect(),
            rentals: gaps(&self.rentals, counts.rentals, RENTALS_MAX, most, |id| *id),
            cases: gaps(&self.cases, counts.cases, CASES_MAX, most, |id| *id),
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
    pub fn rented_by(&self, renter: &Account) -> Option<&BTreeSet<RentalId>> {
        self.rentals_by.get(renter)
    }

    /// Who ever rented, each with the ids of what they rented.
    pub fn renters(&self) -> impl Iterator<Item = (&Account, &BTreeSet<RentalId>)> {
        self.rentals_by.iter()
    }

    /// Ids of a registration's rentals.
    pub fn rental_ids_of(&self, registration: u32) -> Option<&BTreeSet<RentalId>> {
        self.rentals_of.get(&registration)
    }

    /// Ids of rentals whose last payment was not made.
    pub fn unclosed(&self) -> &BTreeSet<RentalId> {
        &self.unclosed
    }

    /// Ids of a registration's cases.
    pub fn case_ids_of(&self, registration: u32) -> Option<&BTreeSet<CaseId>> {
        self.cases_of.get(&registration)
    }

    /// Ids of the cases about a rental.
    pub fn cases_about(&self, rental: RentalId) -> Option<&BTreeSet<CaseId>> {
        self.cases_about.get(&rental)
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

    /// Class bonds; a change outdates what offers of the class were read to need.
    fn take_bonds(&mut self, bonds: BTreeMap<u16, Rao>) {
        let differs = |class: u16| bonds.get(&class).is_some_and(|new| self.class_bonds.get(&class) != Some(new));
        let known = |class: u16| self.class_bonds.contains_key(&class);
        let of = |node: &&NodeFacts| node.offer.is_some_and(|o| known(o.gpu_class) && differs(o.gpu_class));
        if bonds.keys().any(|class| known(*class) && differs(*class)) {
            self.outdated.extend(self.nodes.values().filter(of).map(|node| node.registration));
        }
        self.class_bonds.extend(bonds);
    }

    /// Says which machines lost a registration by it.
    fn put_node(&mut self, node: NodeFacts) -> Vec<MachineId> {
        let mut left: Vec<MachineId> = self.drop_node(node.registration).map(|node| node.machine).into_iter().collect();
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
            let Some(oldest) = self.nodes.first_key_value().map(|(number, _)| *number) else { break };
            left.extend(self.drop_node(oldest).map(|node| node.machine));
        }
        left
    }

    /// Says which registrations lost a rental by it.
    fn put_rental(&mut self, rental: RentalFacts) -> Vec<u32> {
        let mut left: Vec<u32> = self.drop_rental(rental.id).map(|rental| rental.registration).into_iter().collect();
        self.rentals_of.entry(rental.registration).or_default().insert(rental.id);
        self.rentals_by.entry(rental.renter).or_default().insert(rental.id);
        if !rental.closed {
            self.unclosed.insert(rental.id);
        }
        self.rentals.insert(rental.id, rental);
        while self.rentals.len() as u64 > RENTALS_MAX {
            let Some(oldest) = self.rentals.first_key_value().map(|(id, _)| *id) else { break };
            left.extend(self.drop_rental(oldest).map(|rental| rental.registration));
        }
        left
    }

    /// Says which registrations lost a case by it.
    fn put_case(&mut self, case: CaseFacts) -> Vec<u32> {
        let mut left: Vec<u32> = self.drop_case(case.id).map(|case| case.registration).into_iter().collect();
        self.cases_of.entry(case.registration).or_default().insert(case.id);
        if case.rental != 0 {
            self.cases_about.entry(case.rental).or_default().insert(case.id);
        }
        self.cases.insert(case.id, case);
        while self.cases.len() as u64 > CASES_MAX {
            let Some(oldest) = self.cases.first_key_value().map(|(id, _)| *id) else { break };
            left.extend(self.drop_case(oldest).map(|case| case.registration));
        }
        left
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
        self.outdated.remove(&registration);
        take_out(&mut self.of_machine, &node.machine, &registration);
        take_out(&mut self.of_miner, &node.miner, &registration);
        Some(node)
    }

    fn drop_rental(&mut self, id: RentalId) -> Option<RentalFacts> {
        let rental = self.rentals.remove(&id)?;
        self.unclosed.remove(&id);
        take_out(&mut self.rentals_of, &rental.registration, &id);
        take_out(&mut self.rentals_by, &rental.renter, &id);
        Some(rental)
    }

    fn drop_case(&mut self, id: CaseId) -> Option<CaseFacts> {
        let case = self.cases.remove(&id)?;
        take_out(&mut self.cases_of, &case.registration, &id);
        take_out(&mut self.cases_about, &case.rental, &id);
        Some(case)
    }
}

/// Ids up to `count` that are not in the map, of the newest `kept`: the newest first, at most `most`. Walks the keys
/// once: there are half a million, and it is asked at every block.
fn gaps<K: Ord, V>(map: &BTreeMap<K, V>, count: u64, kept: u64, most: usize, id: impl Fn(&K) -> u64) -> BTreeSet<u64> {
    let floor = count.saturating_sub(kept);
    let mut found = BTreeSet::new();
    if map.len() as u64 == count.min(kept)
        && map.first_key_value().is_none_or(|(first, _)| floor < id(first))
        && map.last_key_value().is_none_or(|(last, _)| id(last) <= count)
    {
        return found;
    }
    // All above this one are there, or found.
    let mut seen = count;
    let held = map.keys().rev().map(id).filter(|id| *id <= count).take_while(|id| floor < *id);
    for id in held.chain([floor]) {
        if id < seen {
            found.extend((id + 1..=seen).rev().take(most - found.len()));
        }
        if found.len() == most {
            return found;
        }
        seen = id.saturating_sub(1);
    }
    found
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

#[cfg(test)]
mod tests;
