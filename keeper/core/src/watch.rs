//! Whom to look at, and when. Suspicion belongs to the machine: a new endpoint or a new rental does not reset it.

use crate::complaints;
use crate::effect::{Effect, EffectId};
use crate::health::AnchorRound;
use crate::hosts::is_public;
use crate::ids::{effect_id, spread};
use crate::input::{Observation, ProbeResult};
use crate::judge::{Outcome, looks_needed, many_fail, outcome};
use crate::limits::{FINISHED_MAX, PROVISIONAL_MAX, WATCHES_MAX, clip_text};
use crate::rules::Rules;
use crate::state::State;
use crate::streak::{Look, Pushed, Streak};
use crate::types::{Endpoint, Hash32, Kind, MachineId, MonoMs, RentalId, UnixSecs};
use crate::view::RentalView;
use crate::world::is_running;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is known about one machine from looking at it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Watch {
    /// The tenancy being watched.
    pub tenancy: Option<Tenancy>,
    /// It failed last time somebody could look.
    pub suspected: bool,
    /// Machines of most owners failed together at some time during the present suspicion. It stays until this one is
    /// seen well: what fails together comes back together, and whoever is last must not look like the only one.
    pub mass: bool,
    /// When it last let a renter in.
    pub last_ok_secs: Option<UnixSecs>,
    /// When the next look is due, monotonic.
    pub next_look_ms: MonoMs,
    /// The look being made.
    pub in_flight: Option<Flight>,
    /// Looks ever asked for.
    pub looks: u64,
    /// Confirmed failing looks in a row.
    pub streak: Option<Streak>,
    /// Looks that wait for the next anchor round.
    pub provisional: Vec<Look>,
    /// Failing intervals that are over and wait for their signature.
    pub finished: Vec<Finished>,
}

/// A rental as this keeper saw it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tenancy {
    /// The rental.
    pub rental: RentalId,
    /// When the renter's key was first seen accepted.
    pub delivered_secs: Option<UnixSecs>,
    /// Kind and end of the last terminating attestation asked for.
    pub last_signed: Option<(Kind, UnixSecs)>,
}

/// A look being made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Flight {
    /// Its effect.
    pub id: EffectId,
    /// For which rental.
    pub rental: RentalId,
    /// When it was asked for, monotonic.
    pub asked_ms: MonoMs,
}

/// A failing interval that is over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finished {
    /// The rental.
    pub rental: RentalId,
    /// What was seen.
    pub streak: Streak,
    /// When the renter had first been let in, if it had.
    pub delivered_secs: Option<UnixSecs>,
    /// Looks that prove it.
    pub looks_needed: u32,
    /// When it ended, Unix seconds.
    pub ended_secs: UnixSecs,
    /// The signature asked for: end of the interval, and when, monotonic; `None` when none is under way.
    pub asked: Option<(UnixSecs, MonoMs)>,
}

impl Watch {
    /// A new run: nothing is in flight, and looks not yet confirmed never will be.
    pub(crate) fn restart(&mut self) {
        self.in_flight = None;
        self.next_look_ms = 0;
        self.provisional.clear();
        self.finished.iter_mut().for_each(|finished| finished.asked = None);
    }

    /// Ends the present streak; keeps it when it proves an interval.
    pub(crate) fn finish(&mut self, rules: &Rules, now_secs: UnixSecs) {
        self.provisional.clear();
        if let Some(streak) = self.streak.take() {
            self.keep_finished(streak, rules, now_secs);
        }
    }

    fn keep_finished(&mut self, streak: Streak, rules: &Rules, now_secs: UnixSecs) {
        let Some(tenancy) = &self.tenancy else { return };
        let looks_needed = looks_needed(self.mass, rules);
        if !streak.clip(0, UnixSecs::MAX).is_some_and(|clip| clip.proven(looks_needed, rules)) {
            return;
        }
        let finished = Finished {
            rental: tenancy.rental,
            streak,
            delivered_secs: tenancy.delivered_secs,
            looks_needed,
            ended_secs: now_secs,
            asked: None,
        };
        if self.finished.len() >= FINISHED_MAX {
            self.finished.remove(0);
        }
        self.finished.push(finished);
    }

    fn idle(&self) -> bool {
        self.tenancy.is_none() && self.finished.is_empty() && !self.suspected && self.last_ok_secs.is_none()
    }
}

/// Brings the watches in line with the rentals that run: begins and ends tenancies, drops idle records.
pub(crate) fn sync(state: &mut State, effects: &mut Vec<Effect>) {
    let running: BTreeMap<MachineId, RentalId> =
        state.world.best.running().map(|rental| (rental.machine, rental.id)).collect();
    let together = many_fail(state);
    let rules = &state.config.rules;
    let now_secs = state.clock.now_secs();
    for (machine, watch) in &mut state.watches {
        watch.mass |= together && watch.suspected;
        let ended = watch.tenancy.as_ref().is_some_and(|tenancy| running.get(machine) != Some(&tenancy.rental));
        // Looks already made belong to the interval: it is over once the anchors have confirmed or dropped them.
        if ended && watch.provisional.is_empty() {
            watch.finish(rules, now_secs);
            watch.tenancy = None;
            watch.in_flight = None;
        }
    }
    for (machine, rental) in running {
        if state.watches.len() >= WATCHES_MAX && !state.watches.contains_key(&machine) {
            let id = effect_id("alert/watches-full", &[&state.clock.run.to_be_bytes()]);
            let message = "more machines are rented than this keeper can watch: run a second one".to_owned();
            effects.push(Effect::Alert { id, message });
            break;
        }
        let watch = state.watches.entry(machine).or_default();
        if watch.tenancy.is_none() {
            watch.tenancy = Some(Tenancy { rental, delivered_secs: None, last_signed: None });
            watch.next_look_ms = state.clock.now_ms;
        }
    }
    let nodes = &state.world.best.nodes;
    state.watches.retain(|machine, watch| {
        let gone = nodes.get(machine).is_none_or(|node| node.miner == Default::default());
        let over = watch.tenancy.is_none() && watch.finished.is_empty();
        !(watch.idle() || (gone && over))
    });
}

/// Asks for the looks that are due.
pub(crate) fn schedule(state: &mut State, effects: &mut Vec<Effect>) {
    let due: Vec<MachineId> =
        state.watches.iter().filter(|(_, watch)| is_due(watch, state)).map(|(id, _)| *id).collect();
    for machine in due {
        look_at(state, machine, effects);
    }
}

fn is_due(watch: &Watch, state: &State) -> bool {
    let now_ms = state.clock.now_ms;
    let busy = watch
        .in_flight
        .is_some_and(|flight| now_ms.saturating_sub(flight.asked_ms) <= state.config.rules.look_timeout_ms);
    let best = &state.world.best;
    let runs = watch.tenancy.as_ref().is_some_and(|tenancy| {
        let rental = best.rentals.get(&tenancy.rental);
        rental.is_some_and(|rental| is_running(rental, best.block.timestamp_secs))
    });
    runs && !busy && watch.next_look_ms <= now_ms
}

fn look_at(state: &mut State, machine: MachineId, effects: &mut Vec<Effect>) {
    let harder = complaints::pace_ms(state, &machine);
    let State { config, clock, world, hosts, watches, .. } = state;
    let rules = &config.rules;
    let Some(watch) = watches.get_mut(&machine) else {
        return;
    };
    let Some(rental) = watch.tenancy.as_ref().and_then(|tenancy| world.best.rentals.get(&tenancy.rental)) else {
        return;
    };
    let Some(node) = world.best.nodes.get(&machine) else {
        let id = effect_id("alert/no-node", &[&machine.0, &rental.id.to_be_bytes()]);
        let message = format!("machine {machine} of rental {} was not read from the chain: check the RPC", rental.id);
        effects.push(Effect::Alert { id, message });
        watch.next_look_ms = clock.now_ms.saturating_add(rules.look_every_ms);
        return;
    };
    let open = node.endpoint.filter(|endpoint| rules.local || is_public(endpoint.ip));
    if let Some(endpoint) = &open
        && !hosts.touch(endpoint, clock.now_ms, rules.host_gap_min_ms, rules.network_looks_max)
    {
        return;
    }
    watch.looks = watch.looks.saturating_add(1);
    let parts: [&[u8]; 3] = [&machine.0, &rental.id.to_be_bytes(), &watch.looks.to_be_bytes()];
    let id = effect_id("probe", &parts);
    watch.in_flight = Some(Flight { id, rental: rental.id, asked_ms: clock.now_ms });
    let usual_ms = spacing_ms(watch.suspected, &config.me.0, id, rules);
    watch.next_look_ms = clock.now_ms.saturating_add(harder.map_or(usual_ms, |ms| std::cmp::min(ms, usual_ms)));
    match open {
        Some(endpoint) => effects.push(Effect::Probe { id, endpoint, machine, renter_key: rental.renter_key }),
        None => {
            let result = unreachable_by_choice(id, machine, clock, node.endpoint);
            on_probe(state, &result);
        }
    }
}

fn spacing_ms(suspected: bool, me: &[u8], id: Hash32, rules: &Rules) -> u64 {
    if suspected {
        return rules.suspect_every_ms;
    }
    let jitter = spread("surety/jitter", &[me, &id.0], rules.look_jitter_ms.saturating_mul(2));
    rules.look_every_ms.saturating_sub(rules.look_jitter_ms).saturating_add(jitter)
}

/// No address, or one that nobody outside can reach: the look fails without being made.
fn unreachable_by_choice(
    id: EffectId,
    machine: MachineId,
    clock: &crate::state::Clock,
    endpoint: Option<Endpoint>,
) -> ProbeResult {
    let why = match endpoint {
        None => "the machine has no endpoint on chain".to_owned(),
        Some(endpoint) => format!("the endpoint on chain, {endpoint}, is not a public address"),
    };
    let seen = Observation::NoConnection { why };
    let now_ms = clock.now_ms;
    ProbeResult { id, machine, started_ms: now_ms, ended_ms: now_ms, at_secs: clock.now_secs(), seen }
}

/// A look came back.
pub(crate) fn on_probe(state: &mut State, result: &ProbeResult) {
    let Some(mut watch) = state.watches.remove(&result.machine) else {
        return;
    };
    take(state, &mut watch, result);
    state.watches.insert(result.machine, watch);
}

/// Takes the answer to the look that a record waits for.
pub(crate) fn take(state: &State, watch: &mut Watch, result: &ProbeResult) {
    let State { config, clock, world, health, .. } = state;
    let Some(flight) = watch.in_flight.filter(|flight| flight.id == result.id) else {
        return;
    };
    watch.in_flight = None;
    let Some(rental) = world.best.rentals.get(&flight.rental) else {
        return;
    };
    // Made for this rental, and let in: whatever our clock makes of when that was, nobody is accused by it.
    if outcome(&result.seen) == Outcome::Ok {
        let at_secs = result.at_secs.clamp(rental.start_secs, rental.end_secs.max(rental.start_secs));
        return on_accepted(watch, at_secs, &config.rules, clock.now_secs());
    }
    if !counts(result, rental, clock.now_secs(), config.rules.clock_skew_max_secs) {
        return;
    }
    let look = Look {
        id: result.id,
        run: clock.run,
        started_ms: clock.sane_ms(result.started_ms),
        ended_ms: clock.sane_ms(result.ended_ms).max(clock.sane_ms(result.started_ms)),
        at_secs: result.at_secs,
        block: world.best.block.number,
        seen: clip_seen(&result.seen),
        anchors: None,
    };
    match outcome(&look.seen) {
        Outcome::Ok => {}
        Outcome::Fault(_) => {
            let sooner = flight.asked_ms.saturating_add(config.rules.suspect_every_ms);
            watch.suspected = true;
            watch.next_look_ms = std::cmp::min(watch.next_look_ms, sooner);
            hold(watch, look, health.blind.is_none());
        }
        Outcome::Unmeasured => {
            let concerns = watch.streak.is_some() || !watch.provisional.is_empty();
            hold(watch, look, concerns && health.blind.is_none());
        }
    }
}

/// Keeps a look for the next anchor round to confirm.
fn hold(watch: &mut Watch, look: Look, wanted: bool) {
    if wanted && watch.provisional.len() < PROVISIONAL_MAX {
        watch.provisional.push(look);
    }
}

/// Whether a look bears on the rental: made while it ran, and dated by a clock that is about right.
fn counts(result: &ProbeResult, rental: &RentalView, now_secs: UnixSecs, skew_secs: u64) -> bool {
    let inside = rental.start_secs <= result.at_secs && result.at_secs < rental.end_secs;
    inside
        && result.at_secs <= now_secs.saturating_add(1)
        && now_secs.saturating_sub(result.at_secs) <= skew_secs.max(120)
}

/// Seen well. This counts even while blind: a machine that answered with its own key was there, and an interval that
/// went on across it would be false.
fn on_accepted(watch: &mut Watch, at_secs: UnixSecs, rules: &Rules, now_secs: UnixSecs) {
    watch.finish(rules, now_secs);
    watch.suspected = false;
    watch.mass = false;
    watch.last_ok_secs = Some(at_secs);
    if let Some(tenancy) = &mut watch.tenancy {
        tenancy.delivered_secs.get_or_insert(at_secs);
        tenancy.last_signed = None;
    }
}

/// Our own side was well in a round asked for after these looks ended: now they count.
pub(crate) fn confirm(state: &mut State, round: &AnchorRound) {
    let rules = &state.config.rules;
    let now_secs = state.clock.now_secs();
    for watch in state.watches.values_mut().chain(state.cards.values_mut()) {
        for mut look in std::mem::take(&mut watch.provisional) {
            if look.run != round.run || look.ended_ms > round.asked_ms {
                watch.provisional.push(look);
                continue;
            }
            look.anchors = Some(*round);
            let Some(streak) = &mut watch.streak else {
                watch.streak = Streak::begin(look);
                continue;
            };
            if let Pushed::Broke(old) = streak.push(look, rules) {
                watch.keep_finished(old, rules, now_secs);
            }
        }
    }
}

/// Somebody else says this machine fails: look as soon as the host may be contacted.
pub(crate) fn poke(state: &mut State, machine: &MachineId) {
    let now_ms = state.clock.now_ms;
    if let Some(watch) = state.watches.get_mut(machine) {
        watch.next_look_ms = std::cmp::min(watch.next_look_ms, now_ms);
    }
}

fn clip_seen(seen: &Observation) -> Observation {
    match seen {
        Observation::Accepted => Observation::Accepted,
        Observation::Refused => Observation::Refused,
        Observation::NoConnection { why } => Observation::NoConnection { why: clip_text(why) },
        Observation::NoHandshake { why } => Observation::NoHandshake { why: clip_text(why) },
        Observation::WrongHostKey { got } => Observation::WrongHostKey { got: clip_text(got) },
        Observation::Lost { why } => Observation::Lost { why: clip_text(why) },
        Observation::Hostile { what } => Observation::Hostile { what: clip_text(what) },
        Observation::CardsStated { rented, statement } => {
            Observation::CardsStated { rented: *rented, statement: statement.clone() }
        }
        Observation::NotLooked { why } => Observation::NotLooked { why: clip_text(why) },
    }
}

#[cfg(test)]
mod tests;
