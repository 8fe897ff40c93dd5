//! What peers see failing at present, so that all see an outage from nearly the same second: the seconds that only some
//! have seen are lost to the renter, and the last to see it is the last to sign. A hint is one keeper's word. It makes
//! this keeper look now instead of up to half a minute later; what counts is what it sees then.

use crate::limits::{HINTS_AT_ONCE, HINTS_SHOWN_MAX};
use crate::roll::Roll;
use crate::state::State;
use crate::types::{Account, MachineId, MonoMs};
use crate::watch::Flight;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// "These machines fail." Not signed: it comes from the address that the keeper has on chain, and proves nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hint {
    /// The keeper that shows them.
    pub peer: Account,
    /// Machines it did not show the last time, at most [`HINTS_AT_ONCE`].
    pub machines: Vec<MachineId>,
}

/// A look that has not come back for so long is likely to fail: a machine that is well answers within a second or two,
/// and one that is gone is known to be so only when the look's own time is over.
const SLOW_MS: u64 = 5_000;

/// What this keeper shows to its peers: machines that failed when last looked at, or keep it waiting now, or say that
/// they have fewer cards than they rent out; by identity, at most [`HINTS_SHOWN_MAX`]. One that is blind shows none:
/// its own network may be what fails.
pub fn shown(state: &State) -> Vec<MachineId> {
    if state.health.blind.is_some() {
        return Vec::new();
    }
    let now_ms = state.clock.now_ms;
    let waits = |flight: Flight| {
        let age_ms = now_ms.saturating_sub(flight.asked_ms);
        (SLOW_MS..=state.config.rules.look_timeout_ms).contains(&age_ms)
    };
    let outside = state.watches.iter().filter(|(_, watch)| watch.suspected || watch.in_flight.is_some_and(waits));
    let cards = state.cards.awake().filter(|(_, record)| record.suspected);
    let machines: BTreeSet<MachineId> = outside.chain(cards).map(|(machine, _)| *machine).collect();
    machines.into_iter().take(HINTS_SHOWN_MAX).collect()
}

/// A machine is looked at because of a hint this often at most, whoever gives it: a peer that shows everything, again
/// and again, must neither multiply the looks nor leave no room between them for the question about cards.
const HINT_EVERY_MS: u64 = 60_000;

/// A peer that counts shows machines that it did not show before: they are looked at as soon as their hosts may be
/// contacted.
pub(crate) fn on_hint(state: &mut State, hint: &Hint) {
    if state.world.best.active_keeper(&hint.peer).is_none() {
        return;
    }
    for machine in hint.machines.iter().take(HINTS_AT_ONCE) {
        heed(&mut state.watches, machine, state.clock.now_ms);
        heed(&mut state.cards, machine, state.clock.now_ms);
    }
}

fn heed(roll: &mut Roll, machine: &MachineId, now_ms: MonoMs) {
    roll.edit(machine, |record| {
        // One that is suspected here as well is looked at often enough, and at moments of its own.
        if !record.suspected && record.hints_after_ms <= now_ms {
            record.hints_after_ms = now_ms.saturating_add(HINT_EVERY_MS);
            record.next_look_ms = std::cmp::min(record.next_look_ms, now_ms);
        }
    });
}

/// What a peer shows now and did not show before, at most [`HINTS_AT_ONCE`]; `known` is what it has been heard to show,
/// and is brought up to date. What is too much comes with a later answer.
pub fn news(known: &mut BTreeSet<MachineId>, shown: &[MachineId]) -> Vec<MachineId> {
    let shown: BTreeSet<MachineId> = shown.iter().take(HINTS_SHOWN_MAX).copied().collect();
    known.retain(|machine| shown.contains(machine));
    let new: Vec<MachineId> = shown.difference(known).take(HINTS_AT_ONCE).copied().collect();
    known.extend(&new);
    new
}

#[cfg(test)]
mod tests;
