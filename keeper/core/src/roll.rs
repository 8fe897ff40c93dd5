//! Watches by machine, and what is derived from them, so that a quiet fleet costs nothing between its looks: whose look
//! is due, and who is awake.

use crate::types::{MachineId, MonoMs};
use crate::watch::Watch;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

/// Watches; reads as the map it is, and changes only through methods that keep the rest in step.
#[derive(Clone, Debug, Default)]
pub struct Roll {
    of: BTreeMap<MachineId, Watch>,
    due: BTreeSet<(MonoMs, MachineId)>,
    awake: BTreeSet<MachineId>,
}

/// What a watch contributes to what is derived.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    due_ms: Option<MonoMs>,
    awake: bool,
}

impl Place {
    fn of(watch: &Watch) -> Self {
        Self { due_ms: watch.tenancy.is_some().then_some(watch.next_look_ms), awake: watch.is_awake() }
    }

    const NONE: Self = Self { due_ms: None, awake: false };
}

impl Deref for Roll {
    type Target = BTreeMap<MachineId, Watch>;

    fn deref(&self) -> &Self::Target {
        &self.of
    }
}

impl PartialEq for Roll {
    fn eq(&self, other: &Self) -> bool {
        self.of == other.of
    }
}

impl Eq for Roll {}

impl Roll {
    /// Machines with a tenancy whose next look is due now, the longest overdue first.
    pub(crate) fn due(&self, now_ms: MonoMs) -> impl Iterator<Item = (&MachineId, &Watch)> {
        let due = self.due.range(..=(now_ms, MachineId([0xff; 32])));
        due.filter_map(|(_, machine)| self.of.get_key_value(machine))
    }

    /// The same machines, as they are now.
    pub(crate) fn due_now(&self, now_ms: MonoMs) -> Vec<MachineId> {
        self.due.range(..=(now_ms, MachineId([0xff; 32]))).map(|(_, machine)| *machine).collect()
    }

    /// Machines of which something waits to be decided.
    pub(crate) fn awake(&self) -> impl Iterator<Item = (&MachineId, &Watch)> {
        self.awake.iter().filter_map(|machine| self.of.get_key_value(machine))
    }

    /// Changes a watch, if it is there.
    pub(crate) fn edit<R>(&mut self, machine: &MachineId, change: impl FnOnce(&mut Watch) -> R) -> Option<R> {
        let watch = self.of.get_mut(machine)?;
        let before = Place::of(watch);
        let result = change(watch);
        let after = Place::of(watch);
        self.moved(machine, before, after);
        Some(result)
    }

    /// Changes every watch of which something waits to be decided.
    pub(crate) fn edit_awake(&mut self, mut change: impl FnMut(&MachineId, &mut Watch)) {
        let machines: Vec<MachineId> = self.awake.iter().copied().collect();
        for machine in machines {
            self.edit(&machine, |watch| change(&machine, watch));
        }
    }

    /// Changes every watch.
    pub(crate) fn edit_all(&mut self, change: impl FnMut(&mut Watch)) {
        self.of.values_mut().for_each(change);
        *self = std::mem::take(&mut self.of).into();
    }

    /// Puts a watch in, in place of another.
    pub(crate) fn insert(&mut self, machine: MachineId, watch: Watch) {
        let after = Place::of(&watch);
        let before = self.of.insert(machine, watch).map_or(Place::NONE, |old| Place::of(&old));
        self.moved(&machine, before, after);
    }

    /// Takes a watch out.
    pub(crate) fn remove(&mut self, machine: &MachineId) -> Option<Watch> {
        let watch = self.of.remove(machine)?;
        self.moved(machine, Place::of(&watch), Place::NONE);
        Some(watch)
    }

    /// Whether the rest is what the watches give.
    pub(crate) fn is_derived_rightly(&self) -> bool {
        let anew = Self::from(self.of.clone());
        (&anew.due, &anew.awake) == (&self.due, &self.awake)
    }

    fn moved(&mut self, machine: &MachineId, before: Place, after: Place) {
        if before.due_ms != after.due_ms {
            before.due_ms.map(|due_ms| self.due.remove(&(due_ms, *machine)));
            after.due_ms.map(|due_ms| self.due.insert((due_ms, *machine)));
        }
        if before.awake && !after.awake {
            self.awake.remove(machine);
        } else if after.awake && !before.awake {
            self.awake.insert(*machine);
        }
    }
}

impl From<BTreeMap<MachineId, Watch>> for Roll {
    fn from(of: BTreeMap<MachineId, Watch>) -> Self {
        let mut roll = Self::default();
        for (machine, watch) in of {
            roll.insert(machine, watch);
        }
        roll
    }
}

impl Serialize for Roll {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.of.serialize(s)
    }
}

impl<'de> Deserialize<'de> for Roll {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(d).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::machine;
    use crate::watch::Tenancy;

    fn rented(next_look_ms: MonoMs) -> Watch {
        let tenancy = Some(Tenancy { rental: 1, delivered_secs: None, last_signed: None });
        Watch { tenancy, next_look_ms, ..Watch::default() }
    }

    fn due(roll: &Roll, now_ms: MonoMs) -> Vec<MachineId> {
        roll.due(now_ms).map(|(machine, _)| *machine).collect()
    }

    #[test]
    fn who_waits_longest_is_looked_at_first_and_nobody_before_time() {
        let mut roll = Roll::default();
        for (n, at_ms) in [(1, 30), (2, 10), (3, 20), (4, 31)] {
            roll.insert(machine(n), rented(at_ms));
        }
        roll.insert(machine(5), Watch::default());
        assert_eq!(due(&roll, 30), [2, 3, 1].map(machine));
        roll.edit(&machine(2), |watch| watch.next_look_ms = 40);
        roll.remove(&machine(3));
        assert_eq!(due(&roll, 30), [machine(1)]);
        assert_eq!(due(&roll, MonoMs::MAX), [1, 4, 2].map(machine));
    }

    #[test]
    fn awake_is_who_has_something_to_be_decided() {
        let mut roll = Roll::default();
        roll.insert(machine(1), rented(0));
        roll.insert(machine(2), rented(0));
        assert_eq!(roll.awake().count(), 0);
        roll.edit(&machine(2), |watch| watch.suspected = true);
        assert_eq!(roll.awake().map(|(machine, _)| *machine).collect::<Vec<_>>(), [machine(2)]);
        roll.edit_awake(|_, watch| watch.suspected = false);
        assert_eq!(roll.awake().count(), 0);
        roll.edit_all(|watch| watch.suspected = true);
        assert_eq!(roll.awake().count(), 2);
    }

    #[test]
    fn what_is_derived_comes_back_with_the_written_form() {
        let mut roll = Roll::default();
        roll.insert(machine(1), rented(7));
        roll.edit(&machine(1), |watch| watch.suspected = true);
        let written = serde_json::to_string(&roll).unwrap_or_default();
        let back: Roll = serde_json::from_str(&written).unwrap_or_default();
        assert_eq!((back.due.clone(), back.awake.clone()), (roll.due, roll.awake));
        assert_eq!((back.due.len(), back.awake.len()), (1, 1));
    }
}
