//! Who has yet to be seen at work together with whom.
//!
//! A card behind two listings can answer for one of them in each round, while the other says that it is busy. So what a
//! machine owes that did not pass a round is not any other round, but one together with those that passed this one. It
//! is measured with them, and gets no certificate before. Two listings of one card owe each other for as long as both
//! are certified: when the first certificate lapses, one of them is left.

use super::is_rented;
use crate::limits::DEBTS_MAX;
use crate::state::State;
use crate::types::{Hash32, MachineId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A round, as far as it has been answered.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Going {
    passed: BTreeSet<MachineId>,
    missed: BTreeSet<MachineId>,
}

/// What a member has shown.
pub(super) fn note(state: &mut State, round: Option<Hash32>, machine: MachineId, passed: bool) {
    let Some(round) = round else { return };
    let going = state.agenda.rounds.entry(round).or_default();
    if passed {
        going.passed.insert(machine)
    } else {
        going.missed.insert(machine)
    };
    if let Some(capacity) = state.capacity.get_mut(&machine) {
        capacity.rounds.note(passed);
    }
}

/// Those whom this machine has yet to be seen at work with, and could be. `round` is one that both may be in.
pub(super) fn left(state: &State, machine: MachineId, round: Option<Hash32>) -> BTreeSet<MachineId> {
    counting(state, machine, round).collect()
}

/// Whether there is anybody.
pub(super) fn owes(state: &State, machine: MachineId, round: Option<Hash32>) -> bool {
    counting(state, machine, round).next().is_some()
}

/// A debt counts while the other is certified for the class that this machine offers, and not rented. Taking an offer
/// back for a while does not end it: that would be for free.
fn counting(state: &State, machine: MachineId, round: Option<Hash32>) -> impl Iterator<Item = MachineId> {
    let owed = state.capacity.get(&machine).map(|capacity| &capacity.owes);
    let together = round.and_then(|round| state.agenda.rounds.get(&round));
    owed.into_iter().flatten().copied().filter(move |other| {
        let seen = || together.is_some_and(|going| going.passed.contains(other));
        let class = || state.world.best.nodes.get(&machine)?.offer.map(|offer| offer.gpu_class);
        let rented = || state.world.best.nodes.get(other).is_none_or(|node| is_rented(state, &node));
        let certified = certified_for(state, other);
        certified.is_some() && certified == class() && !seen() && !rented()
    })
}

/// The class that this keeper has certified a machine for, while that lasts.
fn certified_for(state: &State, machine: &MachineId) -> Option<u16> {
    let passed = state.capacity.get(machine)?.passed?;
    let lapses_secs = passed.at_secs.saturating_add(state.times.certificate_life_secs);
    (state.clock.now_secs() < lapses_secs).then_some(passed.gpu_class)
}

/// Whether rounds are drawn for its sake: it owes somebody, and is likely to come. One that is certified no more and
/// did not pass its last round has to pass another one first, into which it comes by lot.
pub(super) fn is_debtor(state: &State, machine: MachineId) -> bool {
    let passed_last = || state.capacity.get(&machine).is_some_and(|capacity| capacity.rounds.passed_last());
    owes(state, machine, None) && (certified_for(state, &machine).is_some() || passed_last())
}

/// Closes the rounds that nobody is being measured in any more: who was missing owes those that were not.
pub(super) fn settle(state: &mut State) {
    let in_flight = state.agenda.in_flight.iter().filter_map(|machine| state.capacity.get(machine)?.in_flight?.round);
    let open: BTreeSet<Hash32> = in_flight.collect();
    let over: Vec<Hash32> = state.agenda.rounds.keys().filter(|round| !open.contains(round)).copied().collect();
    for round in over {
        let Some(Going { passed, missed }) = state.agenda.rounds.remove(&round) else { continue };
        for machine in passed.iter().chain(&missed) {
            close_for(state, *machine, &passed);
        }
    }
}

fn close_for(state: &mut State, machine: MachineId, passed: &BTreeSet<MachineId>) {
    let Some(capacity) = state.capacity.get(&machine) else { return };
    // What has lapsed will not count again, and makes room.
    let mut owes: BTreeSet<MachineId> =
        capacity.owes.iter().filter(|other| certified_for(state, other).is_some()).copied().collect();
    if passed.contains(&machine) {
        owes.retain(|other| !passed.contains(other));
    } else {
        let room = DEBTS_MAX.saturating_sub(owes.len());
        let new: Vec<MachineId> = passed.difference(&owes).take(room).copied().collect();
        owes.extend(new);
    }
    if let Some(capacity) = state.capacity.get_mut(&machine) {
        capacity.owes = owes;
    }
}
