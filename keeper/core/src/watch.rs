//! Whom to look at, and when. Suspicion belongs to the machine: a new endpoint or a new rental does not reset it.

use crate::cards;
use crate::complaints;
use crate::effect::{Effect, EffectId};
use crate::health::AnchorRound;
use crate::hosts::{Hosts, is_public};
use crate::ids::{effect_id, look_id};
use crate::input::{Observation, ProbeResult};
use crate::judge::{Outcome, looks_needed, many_fail, outcome};
use crate::limits::{FINISHED_MAX, PROVISIONAL_MAX, WATCHES_MAX, clip_text};
use crate::rules::Rules;
use crate::state::{Sight, State};
use crate::streak::{Look, Pushed, Streak};
use crate::types::{Endpoint, Kind, MachineId, MonoMs, RentalId, SshKey, UnixSecs};
use crate::view::RentalView;
use crate::world::{Touched, is_running};
use serde::{Deserialize, Serialize};

pub use closing::Closing;

mod closing;
mod pace;

/// What is known about one machine from looking at it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Watch {
    /// The tenancy being watched.
    pub tenancy: Option<Tenancy>,
    /// The tenancy is over, and waits for the anchors to confirm or drop looks already made.
    #[serde(default)]
    pub ending: bool,
    /// The `Offline` last asked for beside a `NotDelivered`, for peers that came late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_beside: Option<(Kind, UnixSecs)>,
    /// It failed last time somebody could look.
    pub suspected: bool,
    /// Machines of most owners failed together at some time during the present suspicion. It stays until this one is
    /// seen well: what fails together comes back together, and whoever is last must not look like the only one.
    pub mass: bool,
    /// When it last let a renter in.
    pub last_ok_secs: Option<UnixSecs>,
    /// When the next look is due, monotonic.
    pub next_look_ms: MonoMs,
    /// Until then no peer's hint moves that forward.
    #[serde(default)]
    pub hints_after_ms: MonoMs,
    /// The look being made.
    pub in_flight: Option<Flight>,
    /// Looks ever asked for.
    pub looks: u64,
    /// Confirmed failing looks in a row.
    pub streak: Option<Streak>,
    /// Looks that wait for the next anchor round.
    pub provisional: Vec<Look>,
    /// The interval that the last success ended, while its last looks wait for the anchors.
    #[serde(default)]
    pub closing: Option<Box<Closing>>,
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
        (self.next_look_ms, self.hints_after_ms) = (0, 0);
        self.provisional.clear();
        self.drop_waiting();
        self.finished.iter_mut().for_each(|finished| finished.asked = None);
    }

    /// Going blind: looks not yet confirmed never will be.
    pub(crate) fn drop_unconfirmed(&mut self) {
        self.provisional.clear();
        self.drop_waiting();
    }

    /// Whether a look waits for the anchors.
    pub(crate) fn awaits_anchors(&self) -> bool {
        !self.provisional.is_empty() || self.has_returned()
    }

    /// Whether the machine is back, and the last looks before that wait for the anchors.
    pub(crate) fn has_returned(&self) -> bool {
        self.closing.as_ref().is_some_and(|closing| !closing.waiting.is_empty())
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
        let about = (tenancy.rental, tenancy.delivered_secs, looks_needed(self.mass, rules));
        self.keep(streak, about, rules, now_secs);
    }

    /// Keeps an interval that proves something: of which rental, since when delivered, by how many looks.
    fn keep(
        &mut self,
        streak: Streak,
        (rental, delivered_secs, looks_needed): (RentalId, Option<UnixSecs>, u32),
        rules: &Rules,
        now_secs: UnixSecs,
    ) {
        if !streak.clip(0, UnixSecs::MAX).is_some_and(|clip| clip.proven(looks_needed, rules)) {
            return;
        }
        if self.finished.len() >= FINISHED_MAX {
            self.finished.remove(0);
        }
        self.finished.push(Finished {
            rental,
            streak,
            delivered_secs,
            looks_needed,
            ended_secs: now_secs,
            asked: None,
        });
    }

    /// Whether something about it waits to be decided; a machine that is well and rented sleeps between its looks.
    pub(crate) fn is_awake(&self) -> bool {
        let waits = !self.provisional.is_empty() || !self.finished.is_empty() || self.streak.is_some();
        waits
            || self.closing.is_some()
            || self.suspected
            || self.ending
            || (self.tenancy.is_none() && self.last_ok_secs.is_none())
    }

    /// No tenancy, and no interval that waits for anything.
    pub(crate) fn is_over(&self) -> bool {
        self.tenancy.is_none() && self.finished.is_empty() && self.closing.is_none()
    }

    fn idle(&self) -> bool {
        self.is_over() && !self.suspected && self.last_ok_secs.is_none()
    }
}

/// Brings watches in line with the rentals that run, as far as an update touched them or something waits to be decided:
/// begins and ends tenancies, drops idle records. Says which it looked at.
pub(crate) fn sync(state: &mut State, touched: Touched, effects: &mut Vec<Effect>) -> Touched {
    let together = many_fail(state);
    let mut machines = touched;
    machines.extend(state.watches.awake().map(|(machine, _)| *machine));
    if state.watches_refused && state.watches.len() < WATCHES_MAX {
        state.watches_refused = false;
        machines.extend(state.world.best.running().map(|rental| rental.machine));
    }
    for machine in &machines {
        sync_one(state, machine, together);
        begin(state, machine, effects);
        forget_idle(state, machine);
    }
    machines
}

fn sync_one(state: &mut State, machine: &MachineId, together: bool) {
    let State { config, clock, world, watches, .. } = state;
    let running = world.best.running_on(machine).map(|rental| rental.id);
    watches.edit(machine, |watch| {
        watch.mass |= together && watch.suspected;
        watch.settle_closing(&config.rules, clock.now_secs());
        let ended = watch.tenancy.as_ref().is_some_and(|tenancy| running != Some(tenancy.rental));
        // Looks already made belong to the interval: it is over once the anchors have confirmed or dropped them.
        watch.ending = ended && !watch.provisional.is_empty();
        if ended && !watch.ending {
            watch.finish(&config.rules, clock.now_secs());
            watch.tenancy = None;
            watch.in_flight = None;
        }
    });
}

fn begin(state: &mut State, machine: &MachineId, effects: &mut Vec<Effect>) {
    let Some(rental) = state.world.best.running_on(machine).map(|rental| rental.id) else {
        return;
    };
    if !state.watches.contains_key(machine) {
        if state.watches.len() >= WATCHES_MAX {
            state.watches_refused = true;
            let id = effect_id("alert/watches-full", &[&state.clock.run.to_be_bytes()]);
            let message = "more machines are rented than this keeper can watch: run a second one".to_owned();
            effects.push(Effect::Alert { id, message });
            return;
        }
        state.watches.insert(*machine, Watch::default());
    }
    let now_ms = state.clock.now_ms;
    state.watches.edit(machine, |watch| {
        if watch.tenancy.is_none() {
            watch.tenancy = Some(Tenancy { rental, delivered_secs: None, last_signed: None });
            watch.said_beside = None;
            watch.next_look_ms = now_ms;
        }
    });
}

/// Drops a record that says nothing any more.
pub(crate) fn forget_idle(state: &mut State, machine: &MachineId) {
    let Some(watch) = state.watches.get(machine) else {
        return;
    };
    let node = state.world.best.nodes.get(machine);
    let gone = node.is_none_or(|node| node.miner == Default::default());
    if watch.idle() || (gone && watch.is_over()) {
        state.watches.remove(machine);
    }
}

/// Asks for the looks that are due.
pub(crate) fn schedule(state: &mut State, effects: &mut Vec<Effect>) {
    let due = state.watches.due_now(state.clock.now_ms);
    effects.reserve(due.len());
    for machine in due {
        look_at(state, machine, effects);
    }
}

/// The rental whose tenant's access is to be looked at: it runs, and no look is being made.
fn tenant_to_look_for<'a>(watch: &Watch, sight: &Sight<'a>) -> Option<&'a RentalView> {
    let (now_ms, timeout_ms) = (sight.clock.now_ms, sight.config.rules.look_timeout_ms);
    let busy = watch.in_flight.is_some_and(|flight| now_ms.saturating_sub(flight.asked_ms) <= timeout_ms);
    let best = &sight.world.best;
    let rental = watch.tenancy.as_ref().filter(|_| !busy).and_then(|tenancy| best.rentals.get(&tenancy.rental))?;
    is_running(rental, best.block.timestamp_secs).then_some(rental)
}

/// What became of a look that was due.
enum Asked {
    /// It is to be made there.
    Look(EffectId, Endpoint, SshKey),
    /// There is nowhere to look.
    Nowhere(EffectId, Option<Endpoint>),
    /// The machine of this rental was not read.
    Unread(RentalId),
}

fn look_at(state: &mut State, machine: MachineId, effects: &mut Vec<Effect>) {
    let harder = complaints::pace_ms(state, &machine);
    let State { config, clock, world, times, health, hosts, watches, .. } = state;
    let sight = Sight { config, clock, world, times, health };
    match watches.edit(&machine, |watch| ask(&sight, hosts, &machine, watch, harder)).flatten() {
        None => {}
        Some(Asked::Look(id, endpoint, renter_key)) => {
            effects.push(Effect::Probe { id, endpoint, machine, renter_key });
        }
        Some(Asked::Nowhere(id, endpoint)) => {
            let result = unreachable_by_choice(id, machine, clock, endpoint);
            on_probe(state, &result);
        }
        Some(Asked::Unread(rental)) => {
            let id = effect_id("alert/no-node", &[&machine.0, &rental.to_be_bytes()]);
            let message = format!("machine {machine} of rental {rental} was not read from the chain: check the RPC");
            effects.push(Effect::Alert { id, message });
        }
    }
}

/// Asks for the look that is due, unless it is not due after all or its host was contacted just now.
fn ask(
    sight: &Sight<'_>,
    hosts: &mut Hosts,
    machine: &MachineId,
    watch: &mut Watch,
    harder: Option<u64>,
) -> Option<Asked> {
    let (rules, now_ms) = (&sight.config.rules, sight.clock.now_ms);
    let view = tenant_to_look_for(watch, sight)?;
    let (rental, renter_key) = (view.id, view.renter_key);
    let Some(node) = sight.world.best.nodes.get(machine) else {
        watch.next_look_ms = now_ms.saturating_add(rules.look_every_ms);
        return Some(Asked::Unread(rental));
    };
    let open = node.endpoint.filter(|endpoint| rules.local || is_public(endpoint.ip));
    if let Some(endpoint) = &open
        && !hosts.touch(endpoint, now_ms, rules.host_gap_min_ms, rules.network_looks_max)
    {
        return None;
    }
    watch.looks = watch.looks.saturating_add(1);
    let id = look_id(machine, rental, watch.looks);
    watch.in_flight = Some(Flight { id, rental, asked_ms: now_ms });
    let usual_ms = pace::wait_ms(sight, watch, view, id);
    // A suspected machine is looked at as often already, and at moments of its own.
    let harder = harder.filter(|_| !watch.suspected);
    watch.next_look_ms = now_ms.saturating_add(harder.map_or(usual_ms, |ms| std::cmp::min(ms, usual_ms)));
    Some(open.map_or(Asked::Nowhere(id, node.endpoint), |endpoint| Asked::Look(id, endpoint, renter_key)))
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
    let State { config, clock, world, times, health, watches, .. } = state;
    let sight = Sight { config, clock, world, times, health };
    let delivered = |watch: &Watch| watch.tenancy.as_ref().is_some_and(|tenancy| tenancy.delivered_secs.is_some());
    let first = watches.edit(&result.machine, |watch| {
        let before = delivered(watch);
        take(&sight, watch, result);
        !before && delivered(watch)
    });
    if first == Some(true) {
        cards::sync_one(state, &result.machine);
    }
}

/// Takes the answer to the look that a record waits for.
pub(crate) fn take(sight: &Sight<'_>, watch: &mut Watch, result: &ProbeResult) {
    let Sight { config, clock, world, health, .. } = *sight;
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
    let saw = health.saw_since(look.started_ms);
    match outcome(&look.seen) {
        Outcome::Ok => {}
        Outcome::Fault(_) => {
            if !watch.suspected {
                let sooner = flight.asked_ms.saturating_add(config.rules.suspect_every_ms);
                watch.suspected = true;
                watch.next_look_ms = std::cmp::min(watch.next_look_ms, sooner);
            }
            hold(watch, look, saw);
        }
        Outcome::Unmeasured => {
            let concerns = watch.streak.is_some() || !watch.provisional.is_empty();
            hold(watch, look, concerns && saw);
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
    watch.close(rules, now_secs);
    watch.suspected = false;
    watch.mass = false;
    watch.last_ok_secs = Some(at_secs);
    watch.said_beside = None;
    if let Some(tenancy) = &mut watch.tenancy {
        tenancy.delivered_secs.get_or_insert(at_secs);
        tenancy.last_signed = None;
    }
}

/// Our own side was well in a round asked for after these looks ended: now they count.
pub(crate) fn confirm(state: &mut State, round: &AnchorRound) {
    let State { config, clock, watches, cards, .. } = state;
    for roll in [watches, cards] {
        roll.edit_awake(|_, watch| confirm_one(watch, round, &config.rules, clock.now_secs()));
    }
}

fn confirm_one(watch: &mut Watch, round: &AnchorRound, rules: &Rules, now_secs: UnixSecs) {
    watch.confirm_closing(round, rules, now_secs);
    for mut look in std::mem::take(&mut watch.provisional) {
        if !round.vouches_for(&look) {
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

/// Somebody else says this machine fails: look as soon as the host may be contacted.
pub(crate) fn poke(state: &mut State, machine: &MachineId) {
    let now_ms = state.clock.now_ms;
    state.watches.edit(machine, |watch| watch.next_look_ms = std::cmp::min(watch.next_look_ms, now_ms));
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
