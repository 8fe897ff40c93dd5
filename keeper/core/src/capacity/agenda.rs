//! Whom to think of before the next minute comes round.

use super::debts::Going;
use crate::types::{Hash32, MachineId, UnixSecs};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Whose measurement is to be thought about before the next minute. Once a minute every offered machine is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Agenda {
    /// Machines the chain said something about, or whose turn has come.
    pub(super) pressing: BTreeSet<MachineId>,
    /// Machines with a measurement in flight.
    pub(super) in_flight: BTreeSet<MachineId>,
    /// Rounds that machines are being measured in.
    #[serde(default)]
    pub(super) rounds: BTreeMap<Hash32, Going>,
    /// Machines in a pause, and when it ends.
    pub(super) pauses: BTreeSet<(UnixSecs, MachineId)>,
    /// The last minute in which all were thought about.
    pub(super) minute: u64,
}

impl Agenda {
    /// A new run: nothing is in flight, and all are thought about at once.
    pub(crate) fn restart(&mut self) {
        *self = Self::default();
    }

    /// Machines with a measurement in flight.
    pub(crate) fn in_flight(&self) -> impl Iterator<Item = &MachineId> {
        self.in_flight.iter()
    }

    /// This machine is to be thought about at the next tick.
    pub(super) fn press(&mut self, machine: MachineId) {
        self.pressing.insert(machine);
    }

    /// This machine is to be thought about when its pause ends.
    pub(super) fn put_off(&mut self, machine: MachineId, until_secs: UnixSecs) {
        self.pauses.insert((until_secs, machine));
    }

    /// Machines whose pause has ended are to be thought about at the next tick.
    pub(super) fn take_up(&mut self, now_secs: UnixSecs) {
        while let Some(&(until_secs, machine)) = self.pauses.first()
            && until_secs <= now_secs
        {
            self.pauses.pop_first();
            self.press(machine);
        }
    }

    /// This machine is gone.
    pub(super) fn forget(&mut self, machine: &MachineId) {
        self.pressing.remove(machine);
        self.in_flight.remove(machine);
    }
}
