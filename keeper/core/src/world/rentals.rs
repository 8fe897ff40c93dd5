//! Rentals as last read, and what is derived from them: whose are open, and when they begin and end. So a block costs
//! what it changes, not what is rented.

use crate::types::{MachineId, RentalId, UnixSecs};
use crate::view::RentalView;
use crate::world::is_running;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

/// Rentals by id; reads as the map it is.
#[derive(Clone, Debug, Default)]
pub struct Rentals {
    of: BTreeMap<RentalId, RentalView>,
    // The rest is derived, and about those that are not closed.
    open: BTreeSet<(MachineId, RentalId)>,
    starts: BTreeSet<(UnixSecs, RentalId)>,
    ends: BTreeSet<(UnixSecs, RentalId)>,
}

impl Deref for Rentals {
    type Target = BTreeMap<RentalId, RentalView>;

    fn deref(&self) -> &Self::Target {
        &self.of
    }
}

impl PartialEq for Rentals {
    fn eq(&self, other: &Self) -> bool {
        self.of == other.of
    }
}

impl Eq for Rentals {}

impl Rentals {
    /// Takes a rental, in place of what was known of it, which is returned.
    pub(crate) fn put(&mut self, rental: RentalView) -> Option<RentalView> {
        let old = self.remove(rental.id);
        if !rental.closed {
            self.open.insert((rental.machine, rental.id));
            self.starts.insert((rental.start_secs, rental.id));
            self.ends.insert((rental.end_secs, rental.id));
        }
        self.of.insert(rental.id, rental);
        old
    }

    /// Forgets a rental.
    pub(crate) fn remove(&mut self, id: RentalId) -> Option<RentalView> {
        let old = self.of.remove(&id)?;
        self.open.remove(&(old.machine, id));
        self.starts.remove(&(old.start_secs, id));
        self.ends.remove(&(old.end_secs, id));
        Some(old)
    }

    /// Forgets all above `newest`, and returns them.
    pub(crate) fn cut(&mut self, newest: RentalId) -> Vec<RentalView> {
        let above: Vec<RentalId> = match newest.checked_add(1) {
            Some(first) => self.of.range(first..).map(|(id, _)| *id).collect(),
            None => Vec::new(),
        };
        above.into_iter().filter_map(|id| self.remove(id)).collect()
    }

    /// The newest rental of this machine that runs at this time.
    pub fn running_on(&self, machine: &MachineId, now_secs: UnixSecs) -> Option<&RentalView> {
        let of_machine = self.open.range((*machine, 0)..=(*machine, RentalId::MAX)).rev();
        of_machine.filter_map(|(_, id)| self.of.get(id)).find(|rental| is_running(rental, now_secs))
    }

    /// Machines on which a rental begins or ends when the time goes from one of these to the other.
    pub(crate) fn crossed(&self, from_secs: UnixSecs, to_secs: UnixSecs) -> impl Iterator<Item = MachineId> {
        let (low, high) = (from_secs.min(to_secs), from_secs.max(to_secs));
        let between = move |set: &BTreeSet<(UnixSecs, RentalId)>| -> Vec<RentalId> {
            // After `low`, up to and with `high`.
            let range = set.range((low, RentalId::MAX)..=(high, RentalId::MAX));
            range.map(|(_, id)| *id).collect()
        };
        let ids = between(&self.starts).into_iter().chain(between(&self.ends));
        ids.filter_map(|id| self.of.get(&id).map(|rental| rental.machine))
    }

    /// Open rentals whose end is not after this time, the earliest first.
    pub(crate) fn over_by(&self, secs: UnixSecs) -> impl Iterator<Item = &RentalView> {
        self.ends.range(..=(secs, RentalId::MAX)).filter_map(|(_, id)| self.of.get(id))
    }

    /// Whether the rest is what the rentals give.
    pub(crate) fn is_derived_rightly(&self) -> bool {
        let mut anew = Self::default();
        self.of.values().for_each(|rental| drop(anew.put(rental.clone())));
        (&anew.open, &anew.starts, &anew.ends) == (&self.open, &self.starts, &self.ends)
    }

    /// All that are not closed.
    pub(crate) fn open(&self) -> impl Iterator<Item = &RentalView> {
        self.ends.iter().filter_map(|(_, id)| self.of.get(id))
    }
}

impl Extend<RentalView> for Rentals {
    fn extend<I: IntoIterator<Item = RentalView>>(&mut self, rentals: I) {
        for rental in rentals {
            self.put(rental);
        }
    }
}

impl Serialize for Rentals {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.of.serialize(s)
    }
}

impl<'de> Deserialize<'de> for Rentals {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let mut rentals = Self::default();
        for (_, rental) in BTreeMap::<RentalId, RentalView>::deserialize(d)? {
            rentals.put(rental);
        }
        Ok(rentals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{START, machine, rental};

    fn of(id: RentalId, host: u8, from: u64, until: u64) -> RentalView {
        RentalView { machine: machine(host), start_secs: START + from, end_secs: START + until, ..rental(id) }
    }

    #[test]
    fn a_rental_runs_from_its_first_second_to_before_its_last_and_the_newest_counts() {
        let mut rentals = Rentals::default();
        rentals.put(of(1, 1, 10, 20));
        rentals.put(of(2, 1, 15, 30));
        let at = |rentals: &Rentals, at: u64| rentals.running_on(&machine(1), START + at).map(|rental| rental.id);
        assert_eq!(
            [9, 10, 15, 20, 29, 30].map(|secs| at(&rentals, secs)),
            [None, Some(1), Some(2), Some(2), Some(2), None]
        );
        rentals.put(RentalView { closed: true, ..of(2, 1, 15, 30) });
        assert_eq!([15, 20].map(|secs| at(&rentals, secs)), [Some(1), None]);
        rentals.put(of(1, 2, 10, 20));
        assert_eq!(at(&rentals, 15), None, "a reorg gave the id to another machine");
    }

    #[test]
    fn what_begins_or_ends_between_two_times_is_found_either_way() {
        let mut rentals = Rentals::default();
        rentals.put(of(1, 1, 10, 20));
        rentals.put(of(2, 2, 20, 30));
        let crossed = |from: u64, to: u64| -> BTreeSet<MachineId> {
            let there: BTreeSet<MachineId> = rentals.crossed(START + from, START + to).collect();
            assert_eq!(there, rentals.crossed(START + to, START + from).collect());
            there
        };
        assert_eq!(crossed(0, 9), BTreeSet::new());
        assert_eq!(crossed(9, 10), BTreeSet::from([machine(1)]));
        assert_eq!(crossed(10, 19), BTreeSet::new());
        assert_eq!(crossed(19, 20), BTreeSet::from([machine(1), machine(2)]));
    }

    #[test]
    fn cutting_forgets_what_is_above_and_what_was_derived_from_it() {
        let mut rentals = Rentals::default();
        rentals.put(of(1, 1, 0, 100));
        rentals.put(of(2, 2, 0, 50));
        assert_eq!(rentals.over_by(START + 60).map(|rental| rental.id).collect::<Vec<_>>(), [2]);
        assert_eq!(rentals.cut(1).len(), 1);
        assert_eq!(rentals.over_by(START + 60).count(), 0);
        assert_eq!(rentals.open().map(|rental| rental.id).collect::<Vec<_>>(), [1]);
        assert!(rentals.cut(RentalId::MAX).is_empty());
        assert_eq!((rentals.starts.len(), rentals.ends.len(), rentals.open.len()), (1, 1, 1));
    }
}
