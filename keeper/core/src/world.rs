//! The chain as last read: best (what to watch and sign by) and finalized (what is settled), never mixed.

use crate::effect::Effect;
use crate::flat::Flat;
use crate::ids::effect_id;
use crate::input::ChainUpdate;
use crate::limits::{CASES_MAX, FAULTS_MAX, KEEPERS_MAX, NODES_MAX, RENTALS_MAX, TIME_MAX_SECS};
use crate::seat::SeatView;
use crate::types::{Account, MachineId, UnixSecs};
use crate::view::{BlockRef, KeeperView, RentalView, View};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub use cases::Cases;
pub use nodes::Nodes;
pub use rentals::Rentals;

mod cases;
mod nodes;
mod rentals;

/// Both ends of the chain.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct World {
    /// The newest block's view.
    pub best: Snapshot,
    /// The view at a block that cannot be undone.
    pub finalized: Snapshot,
}

/// Everything read at one end; entries are as of the newest block at which they changed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// Newest block read.
    pub block: BlockRef,
    /// Updates taken so far: what was decided at one number need not be decided again.
    #[serde(default)]
    pub updates: u64,
    /// Machines, in the best view.
    pub nodes: Nodes,
    /// Registrations, in the finalized view: nothing else of a machine is asked for there.
    pub registrations: Flat<MachineId, u32>,
    /// Rentals.
    pub rentals: Rentals,
    /// Cases.
    pub cases: Cases,
    /// The keeper set.
    pub keepers: BTreeMap<Account, KeeperView>,
    /// This keeper's seat, where the set has seats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seat: Option<SeatView>,
}

/// Machines about which an update of the best view said something, or on which a rental began or ended with it.
pub(crate) type Touched = BTreeSet<MachineId>;

impl World {
    /// Takes what changed. A best view may go back (a reorg); a finalized one may not, so an older one is left out.
    pub(crate) fn apply(&mut self, update: &ChainUpdate, effects: &mut Vec<Effect>) -> Touched {
        if update.block.timestamp_secs > TIME_MAX_SECS {
            quarantine("block", update.block.number, "its timestamp is nonsense", effects);
            return Touched::new();
        }
        match update.view {
            View::Best => {
                self.best.put_nodes(update, effects);
                self.best.apply(update, effects)
            }
            View::Finalized => {
                if update.block.number >= self.finalized.block.number {
                    let registrations = update.nodes.iter().map(|node| (node.machine, node.registration));
                    self.finalized.registrations.put_all(registrations, NODES_MAX);
                    self.finalized.apply(update, effects);
                }
                Touched::new()
            }
        }
    }
}

impl Snapshot {
    fn apply(&mut self, update: &ChainUpdate, effects: &mut Vec<Effect>) -> Touched {
        self.updates = self.updates.saturating_add(1);
        let mut touched: Touched = update.nodes.iter().map(|node| node.machine).collect();
        let before_secs = std::mem::replace(&mut self.block, update.block).timestamp_secs;
        touched.extend(self.rentals.crossed(before_secs, update.block.timestamp_secs));
        // Another branch may lack what was read on the last one: looked for on a machine that never heard of it, it
        // would be an outage that is none.
        if let Some(newest) = &update.newest {
            touched.extend(self.rentals.cut(newest.rental).into_iter().map(|rental| rental.machine));
            self.cases.cut(newest.case);
        }
        for rental in &update.rentals {
            touched.insert(rental.machine);
            touched.extend(self.put_rental(rental, effects).map(|old| old.machine));
        }
        for case in &update.cases {
            if !self.cases.put(case, CASES_MAX) {
                quarantine("case", case.id, "more are open than this keeper can hold", effects);
            }
        }
        if let Some(seat) = &update.seat {
            self.seat = Some(seat.clone());
        }
        if let Some(keepers) = &update.keepers {
            self.keepers = keepers.iter().take(KEEPERS_MAX).map(|keeper| (keeper.account, keeper.clone())).collect();
            if keepers.len() > KEEPERS_MAX {
                quarantine("keeper set", keepers.len() as u64, "it is larger than this keeper can hold", effects);
            }
        }
        touched
    }

    fn put_nodes(&mut self, update: &ChainUpdate, effects: &mut Vec<Effect>) {
        if self.nodes.put_all(&update.nodes, NODES_MAX) > 0 {
            quarantine("machines beyond", NODES_MAX as u64, "there are more than this keeper can hold", effects);
        }
    }

    /// Takes a rental, and returns what was known of it before.
    fn put_rental(&mut self, rental: &RentalView, effects: &mut Vec<Effect>) -> Option<RentalView> {
        if let Some(why) = unsound(rental) {
            quarantine("rental", rental.id, why, effects);
            return None;
        }
        if !self.rentals.contains_key(&rental.id) && self.rentals.len() >= RENTALS_MAX {
            let nodes = &self.nodes;
            let newest = |old: &RentalView| nodes.get(&old.machine).is_some_and(|node| node.last_rental == old.id);
            let Some(gone) = self.rentals.values().find(|old| old.closed && !newest(old)).map(|old| old.id) else {
                quarantine("rental", rental.id, "more are open than this keeper can hold", effects);
                return None;
            };
            self.rentals.remove(gone);
        }
        self.rentals.put(rental.clone())
    }

    /// The rental that runs on a machine at this view's own block time.
    pub fn running_on(&self, machine: &MachineId) -> Option<&RentalView> {
        self.rentals.running_on(machine, self.block.timestamp_secs)
    }

    /// Rentals running at this view's own block time.
    pub fn running(&self) -> impl Iterator<Item = &RentalView> {
        let now_secs = self.block.timestamp_secs;
        self.rentals.values().filter(move |rental| is_running(rental, now_secs))
    }

    /// The keeper, if it counts at present.
    pub fn active_keeper(&self, account: &Account) -> Option<&KeeperView> {
        self.keepers.get(account).filter(|keeper| keeper.active && keeper.weight > 0)
    }

    /// All keepers that count at present.
    pub fn active_keepers(&self) -> impl Iterator<Item = &KeeperView> {
        self.keepers.values().filter(|keeper| keeper.active && keeper.weight > 0)
    }
}

/// Whether a rental runs at this time.
pub fn is_running(rental: &RentalView, now_secs: UnixSecs) -> bool {
    !rental.closed && rental.start_secs <= now_secs && now_secs < rental.end_secs
}

/// Why a rental's view cannot be worked with.
fn unsound(rental: &RentalView) -> Option<&'static str> {
    if rental.id == 0 || rental.start_secs > rental.end_secs || rental.end_secs > TIME_MAX_SECS {
        return Some("its id or times are nonsense");
    }
    if rental.faults.len() > FAULTS_MAX {
        return Some("it has more recorded faults than this keeper can hold");
    }
    let ordered = rental.faults.iter().all(|fault| fault.from_secs <= fault.until_secs)
        && rental.faults.windows(2).all(|pair| pair[0].until_secs <= pair[1].from_secs);
    (!ordered).then_some("its recorded faults are not ascending and disjoint")
}

/// Says that something was left out; the rest goes on.
fn quarantine(what: &str, number: u64, why: &str, effects: &mut Vec<Effect>) {
    let id = effect_id("alert/quarantine", &[what.as_bytes(), &number.to_be_bytes(), why.as_bytes()]);
    effects.push(Effect::Alert { id, message: format!("left out {what} {number}: {why}; the rest goes on") });
}

#[cfg(test)]
mod tests;
