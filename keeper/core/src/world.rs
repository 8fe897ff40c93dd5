//! The chain as last read: best (what to watch and sign by) and finalized (what is settled), never mixed.

use crate::effect::Effect;
use crate::ids::effect_id;
use crate::input::ChainUpdate;
use crate::limits::{CASES_MAX, FAULTS_MAX, KEEPERS_MAX, NODES_MAX, RENTALS_MAX, TIME_MAX_SECS};
use crate::seat::SeatView;
use crate::types::{Account, CaseId, MachineId, RentalId, UnixSecs};
use crate::view::{BlockRef, CaseView, KeeperView, NodeView, RentalView, View};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// Machines.
    pub nodes: BTreeMap<MachineId, NodeView>,
    /// Rentals.
    pub rentals: BTreeMap<RentalId, RentalView>,
    /// Cases.
    pub cases: BTreeMap<CaseId, CaseView>,
    /// The keeper set.
    pub keepers: BTreeMap<Account, KeeperView>,
    /// This keeper's seat, where the set has seats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seat: Option<SeatView>,
}

impl World {
    /// Takes what changed. A best view may go back (a reorg); a finalized one may not, so an older one is left out.
    pub(crate) fn apply(&mut self, update: &ChainUpdate, effects: &mut Vec<Effect>) {
        if update.block.timestamp_secs > TIME_MAX_SECS {
            return quarantine("block", update.block.number, "its timestamp is nonsense", effects);
        }
        match update.view {
            View::Best => self.best.apply(update, effects),
            View::Finalized if update.block.number < self.finalized.block.number => {}
            View::Finalized => self.finalized.apply(update, effects),
        }
    }
}

impl Snapshot {
    fn apply(&mut self, update: &ChainUpdate, effects: &mut Vec<Effect>) {
        self.block = update.block;
        // Another branch may lack what was read on the last one: looked for on a machine that never heard of it, it
        // would be an outage that is none.
        if let Some(newest) = &update.newest {
            self.rentals.retain(|id, _| *id <= newest.rental);
            self.cases.retain(|id, _| *id <= newest.case);
        }
        for node in &update.nodes {
            self.put_node(node, effects);
        }
        for rental in &update.rentals {
            self.put_rental(rental, effects);
        }
        for case in &update.cases {
            self.put_case(case, effects);
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
    }

    fn put_node(&mut self, node: &NodeView, effects: &mut Vec<Effect>) {
        if !self.nodes.contains_key(&node.machine) && self.nodes.len() >= NODES_MAX {
            return quarantine("machine", self.nodes.len() as u64, "there are more than this keeper can hold", effects);
        }
        self.nodes.insert(node.machine, node.clone());
    }

    fn put_rental(&mut self, rental: &RentalView, effects: &mut Vec<Effect>) {
        if let Some(why) = unsound(rental) {
            return quarantine("rental", rental.id, why, effects);
        }
        if !self.rentals.contains_key(&rental.id) && self.rentals.len() >= RENTALS_MAX {
            let nodes = &self.nodes;
            let newest = |old: &RentalView| nodes.get(&old.machine).is_some_and(|node| node.last_rental == old.id);
            let gone = self.rentals.values().find(|old| old.closed && !newest(old)).map(|old| old.id);
            match gone {
                Some(id) => self.rentals.remove(&id),
                None => {
                    return quarantine("rental", rental.id, "more are open than this keeper can hold", effects);
                }
            };
        }
        self.rentals.insert(rental.id, rental.clone());
    }

    fn put_case(&mut self, case: &CaseView, effects: &mut Vec<Effect>) {
        if !self.cases.contains_key(&case.id) && self.cases.len() >= CASES_MAX {
            let decided = |old: &&CaseView| old.status.is_decided();
            let gone = self.cases.values().find(decided).map(|old| old.id);
            match gone {
                Some(id) => self.cases.remove(&id),
                None => {
                    return quarantine("case", case.id, "more are open than this keeper can hold", effects);
                }
            };
        }
        self.cases.insert(case.id, case.clone());
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
