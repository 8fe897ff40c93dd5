//! How many cards a rented machine says it has. Its word proves nothing when it says enough; but a machine that admits
//! to fewer than it rents out fails its renter, and an admission that it signed is proven as an outage is: asked for
//! again at the suspect pace, several in a row over the least time, with our own side well after each.
//!
//! Each machine has a record of the same kind as for looks from outside, apart from it: a look that succeeds says
//! nothing about cards, and no answer to the question is no fault. While looks from outside fail nothing is asked here,
//! and what they show is signed.

use crate::effect::{Effect, EffectId};
use crate::hosts::is_public;
use crate::ids::{effect_id, spread};
use crate::input::{InventoryOutcome, InventoryResult, Observation, ProbeResult};
use crate::judge;
use crate::limits::{CARD_NAME_BYTES_MAX, CARDS_MAX, INVENTORIES_AT_ONCE, clip_text};
use crate::state::{Config, Sight, State};
use crate::types::{Account, Ed25519Signature, Hash32, MachineId, RentalId, UnixSecs};
use crate::watch::{self, Flight, Tenancy, Watch};
use crate::world::{Touched, is_running};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// First bytes of a keeper's question to an agent, before its 32-byte nonce. As a frame's header they would announce
/// more than any frame has, so no measurement begins like this.
pub const QUESTION_MAGIC: &[u8; 8] = b"SURETYI1";

/// What a machine's agent says about its cards, signed with the machine's host key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardsStatement {
    /// The machine's registration.
    pub registration: u32,
    /// The cards' own names (UUIDs).
    pub cards: Vec<String>,
    /// Over [`message`].
    pub signature: Ed25519Signature,
}

impl CardsStatement {
    /// Whether it is within its bounds and names no card twice.
    pub fn is_well_formed(&self) -> bool {
        let sound = |name: &String| {
            let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            !name.is_empty() && name.len() <= CARD_NAME_BYTES_MAX && letters
        };
        let distinct: BTreeSet<&String> = self.cards.iter().collect();
        self.cards.len() <= CARDS_MAX && distinct.len() == self.cards.len() && self.cards.iter().all(sound)
    }
}

/// The bytes that a machine signs: who asks (`keeper`), which question (`nonce`), which machine, what it has. They
/// begin as nothing else that a host key signs does, and are longer than any digest.
pub fn message(
    chain_id: u64,
    machine: &MachineId,
    keeper: &Account,
    nonce: &Hash32,
    registration: u32,
    cards: &[String],
) -> Vec<u8> {
    let cards = cards.join("\n");
    format!("surety.machine.cards.v1\n{chain_id}\n{machine}\n{keeper}\n{nonce}\n{registration}\n{cards}\n").into_bytes()
}

/// Begins and ends records with the tenancies that are watched from outside: those of `machines`, and those of which
/// something waits to be decided.
pub(crate) fn sync(state: &mut State, machines: Touched) {
    let mut machines = machines;
    machines.extend(state.cards.awake().map(|(machine, _)| *machine));
    for machine in &machines {
        sync_one(state, machine);
    }
}

/// The same for one machine.
pub(crate) fn sync_one(state: &mut State, machine: &MachineId) {
    let State { config, clock, watches, cards, .. } = state;
    let (rules, now_secs) = (&config.rules, clock.now_secs());
    let tenancy = watches.get(machine).and_then(|watch| watch.tenancy.as_ref());
    let delivered = tenancy.filter(|tenancy| tenancy.delivered_secs.is_some());
    cards.edit(machine, |record| {
        let ended = record.tenancy.as_ref().is_some_and(|old| delivered.map(|now| now.rental) != Some(old.rental));
        record.settle_closing(rules, now_secs);
        let silent = record.streak.is_some() && silent_since(record, rules.look_gap_max_secs) < now_secs;
        if (silent || ended) && record.provisional.is_empty() {
            record.finish(rules, now_secs);
        }
        record.ending = ended && !record.provisional.is_empty();
        if ended && !record.ending {
            let (finished, closing) = (std::mem::take(&mut record.finished), record.closing.take());
            *record = Watch { finished, closing, looks: record.looks, ..Watch::default() };
        }
    });
    if let Some(tenancy) = delivered.filter(|_| cards.get(machine).is_none_or(|record| record.tenancy.is_none())) {
        let spread_ms = spread("surety/first-inventory", &[&config.me.0, &machine.0], rules.inventory_every_ms / 10);
        let mut record = cards.remove(machine).unwrap_or_default();
        record.tenancy = Some(Tenancy { last_signed: None, ..tenancy.clone() });
        record.next_look_ms = clock.now_ms.saturating_add(spread_ms);
        cards.insert(*machine, record);
    }
    if cards.get(machine).is_some_and(|record| record.is_over()) {
        cards.remove(machine);
    }
}

/// Whether looks from outside fail at present: then they speak, and nothing is asked here.
fn fails_outside(state: &State, machine: &MachineId) -> bool {
    state.watches.get(machine).is_none_or(|watch| watch.suspected || watch.streak.is_some())
}

/// Asks the questions that are due, a few at a time.
pub(crate) fn schedule(state: &mut State, effects: &mut Vec<Effect>) {
    if state.health.blind.is_some() || state.world.best.active_keeper(&state.config.me).is_none() {
        return;
    }
    let (now_ms, timeout_ms) = (state.clock.now_ms, state.config.rules.look_timeout_ms);
    let busy =
        |record: &Watch| record.in_flight.is_some_and(|flight| now_ms.saturating_sub(flight.asked_ms) <= timeout_ms);
    let due = state.cards.due(now_ms).filter(|(machine, record)| {
        let turn = record.suspected || leaves_room(state, machine, record);
        turn && !busy(record) && !fails_outside(state, machine)
    });
    let due: Vec<MachineId> = due.map(|(machine, _)| *machine).take(INVENTORIES_AT_ONCE).collect();
    if due.is_empty() {
        return;
    }
    let State { cards, inventories, .. } = state;
    inventories.retain(|machine| cards.get(machine).is_some_and(&busy));
    let room = INVENTORIES_AT_ONCE.saturating_sub(inventories.len());
    for machine in due.into_iter().take(room) {
        ask(state, machine, effects);
    }
}

/// Whether a question now would keep no look from outside waiting: no host is contacted twice within the gap. One that
/// has waited long is put all the same.
fn leaves_room(state: &State, machine: &MachineId, record: &Watch) -> bool {
    let (rules, now_ms) = (&state.config.rules, state.clock.now_ms);
    let next_ms = state.watches.get(machine).map_or(0, |watch| watch.next_look_ms);
    let late = now_ms.saturating_sub(record.next_look_ms) > rules.inventory_every_ms / 4;
    late || next_ms >= now_ms.saturating_add(rules.host_gap_min_ms)
}

fn ask(state: &mut State, machine: MachineId, effects: &mut Vec<Effect>) {
    let State { config, clock, world, hosts, cards, inventories, .. } = state;
    let (rules, now_secs) = (&config.rules, world.best.block.timestamp_secs);
    let tenancy = cards.get(&machine).and_then(|record| record.tenancy.as_ref());
    let rental = tenancy.and_then(|tenancy| world.best.rentals.get(&tenancy.rental));
    let Some(rental) = rental.filter(|rental| is_running(rental, now_secs)).map(|rental| rental.id) else { return };
    let node = world.best.nodes.get(&machine);
    let endpoint = node.and_then(|node| node.endpoint).filter(|endpoint| rules.local || is_public(endpoint.ip));
    let Some(endpoint) = endpoint else { return };
    if !hosts.touch(&endpoint, clock.now_ms, rules.host_gap_min_ms, rules.network_looks_max) {
        return;
    }
    let asked = cards.edit(&machine, |record| {
        // Who admitted and then falls silent is asked at the usual pace again: what it admitted stands by itself.
        record.suspected &= silent_since(record, rules.look_gap_max_secs) >= clock.now_secs();
        record.looks = record.looks.saturating_add(1);
        let id = effect_id("inventory", &[&machine.0, &rental.to_be_bytes(), &record.looks.to_be_bytes()]);
        record.in_flight = Some(Flight { id, rental, asked_ms: clock.now_ms });
        let wait_ms = if record.suspected { rules.suspect_every_ms } else { usual_wait_ms(config, id) };
        record.next_look_ms = clock.now_ms.saturating_add(wait_ms);
        id
    });
    inventories.insert(machine);
    effects.extend(asked.map(|id| Effect::Inventory { id, endpoint, machine }));
}

fn usual_wait_ms(config: &Config, id: EffectId) -> u64 {
    let every_ms = config.rules.inventory_every_ms;
    let jitter_ms = spread("surety/inventory-jitter", &[&config.me.0, &id.0], every_ms / 5);
    every_ms.saturating_sub(every_ms / 10).saturating_add(jitter_ms)
}

/// Asks this machine next: somebody says that something is wrong with it.
pub(crate) fn poke(state: &mut State, machine: &MachineId) {
    let now_ms = state.clock.now_ms;
    state.cards.edit(machine, |record| record.next_look_ms = std::cmp::min(record.next_look_ms, now_ms));
}

/// The time after which no further admission continues the present ones.
fn silent_since(record: &Watch, gap_max_secs: u64) -> UnixSecs {
    let confirmed = record.streak.as_ref().map_or(0, |streak| streak.last_secs());
    record
        .provisional
        .iter()
        .filter(|look| look.fault().is_some())
        .map(|look| look.at_secs)
        .fold(confirmed, u64::max)
        .saturating_add(gap_max_secs)
}

/// An answer came back, or none.
pub(crate) fn on_inventory(state: &mut State, result: &InventoryResult) {
    let Some(record) = state.cards.get(&result.machine) else { return };
    let Some(flight) = record.in_flight.filter(|flight| flight.id == result.id) else { return };
    let seen = seen(state, flight.rental, result);
    let InventoryResult { id, machine, started_ms, ended_ms, at_secs, .. } = *result;
    let look = ProbeResult { id, machine, started_ms, ended_ms, at_secs, seen };
    let State { config, clock, world, times, health, cards, .. } = state;
    let sight = Sight { config, clock, world, times, health };
    cards.edit(&machine, |record| watch::take(&sight, record, &look));
}

/// What an answer says about this rental. One that makes no sense says nothing.
fn seen(state: &State, rental: RentalId, result: &InventoryResult) -> Observation {
    let best = &state.world.best;
    let not = |why: &str| Observation::NotLooked { why: clip_text(why) };
    let statement = match &result.outcome {
        InventoryOutcome::Unmeasured { why } => return not(why),
        InventoryOutcome::Stated { statement } => statement,
    };
    let registration = best.nodes.get(&result.machine).map(|node| node.registration);
    if !statement.is_well_formed() || registration != Some(statement.registration) {
        return not("the statement is not about this registration, or not well formed");
    }
    match best.rentals.get(&rental) {
        Some(rental) => Observation::CardsStated { rented: rental.gpu_count, statement: statement.clone() },
        None => not("the rental is not known any more"),
    }
}

/// Asks for every signature that is due about cards.
pub(crate) fn sign(state: &mut State, effects: &mut Vec<Effect>) {
    let machines: Vec<MachineId> = state.cards.awake().map(|(machine, _)| *machine).collect();
    for machine in machines {
        let Some(mut record) = state.cards.remove(&machine) else { continue };
        judge::sign_finished(state, machine, &mut record, effects);
        if !fails_outside(state, &machine) {
            judge::sign_lasting(state, machine, &mut record, effects);
        }
        state.cards.insert(machine, record);
    }
}

#[cfg(test)]
mod tests;
