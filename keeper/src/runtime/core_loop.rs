//! The one thread that owns the state.

use crate::adapters::clock::Clock;
use crate::adapters::evm::Suspects;
use crate::adapters::http::Renters;
use crate::adapters::store::{SNAPSHOT_EVERY, Step, Store, StoreError};
use crate::outbox::Finalized;
use crate::ports::{Blindness, Progress};
use crate::runtime::measurements::Measurements;
use crate::runtime::spans;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};
use surety_core::effect::Effect;
use surety_core::hints;
use surety_core::input::Input;
use surety_core::seat::Standing;
use surety_core::state::State;
use surety_core::step::step;
use surety_core::suspects::suspects;
use surety_core::types::Account;
use surety_core::view::{KeeperView, View};
use tokio::sync::mpsc;

/// How often a store without room is tried again.
const ROOM_RETRY: Duration = Duration::from_secs(1);

/// Inputs that are written at once.
const AT_ONCE_MAX: usize = 64;

/// A write that takes longer is worth a line in the log.
const SLOW: Duration = Duration::from_secs(1);

/// How often such a line is written at most.
const SLOW_TOLD_EVERY: Duration = Duration::from_secs(60);

/// The keeper set as last read, for tasks that talk to peers.
pub(super) type KnownKeepers = Arc<RwLock<BTreeMap<Account, KeeperView>>>;

/// What the loop shows to the rest of the process.
#[derive(Clone, Default)]
pub(super) struct Shown {
    pub(super) finalized: Finalized,
    pub(super) keepers: KnownKeepers,
    /// Who rents what at present, by rental: whose complaints are heard.
    pub(super) renters: Renters,
    /// Counts the complaints that are on disk.
    pub(super) complaints: Arc<tokio::sync::watch::Sender<u64>>,
    /// Highest rental id in the best view.
    pub(super) newest_rental: Arc<AtomicU64>,
    /// Machines that failed when last looked at.
    pub(super) suspects: Suspects,
    /// What was measured, for whoever asks.
    pub(super) measurements: Measurements,
    pub(super) progress: Arc<Progress>,
}

/// The loop's own things.
pub(super) struct CoreLoop {
    pub(super) state: State,
    pub(super) seq: u64,
    pub(super) store: Arc<Store>,
    pub(super) clock: Clock,
    pub(super) shown: Shown,
    /// When it was last told that the store is slow.
    pub(super) slow_told: Option<Instant>,
}

impl CoreLoop {
    /// Steps until the inputs end. An error means that something could not be made durable: the process must stop
    /// rather than go on from a state that the disk does not know.
    pub(super) fn run(
        mut self,
        mut inputs: mpsc::Receiver<Input>,
        deeds: mpsc::Sender<Effect>,
    ) -> Result<(), StoreError> {
        self.show_world();
        while let Some(first) = inputs.blocking_recv() {
            let steps = self.steps(first, &mut inputs);
            self.keep(&steps, || inputs.is_closed())?;
            for effect in steps.into_iter().flat_map(|step| step.effects) {
                spans::announce(&effect);
                if matches!(effect, Effect::Alert { .. }) {
                    add(&self.shown.progress.alerts);
                }
                if deeds.blocking_send(effect).is_err() {
                    return self.leave();
                }
            }
            let waiting = deeds.max_capacity().saturating_sub(deeds.capacity());
            self.shown.progress.effects_pending.store(u64::try_from(waiting).unwrap_or(u64::MAX), Relaxed);
        }
        self.leave()
    }

    /// Takes what is waiting, a bounded number of inputs. Each commit waits for the disk: one for each input, and a
    /// disk that takes 0.2 s would leave a keeper of a few rentals further behind with every second.
    fn steps(&mut self, first: Input, inputs: &mut mpsc::Receiver<Input>) -> Vec<Step> {
        let (mut steps, mut next) = (Vec::new(), Some(first));
        while let Some(input) = next {
            let _span = spans::of_input(&input).entered();
            let effects = step(&mut self.state, &input);
            // Megabytes, which are written more than once.
            let is_heavy = matches!(input, Input::Measure(_));
            steps.push(Step { input, effects });
            let more = !is_heavy && steps.len() < AT_ONCE_MAX;
            next = if more { inputs.try_recv().ok() } else { None };
        }
        steps
    }

    /// Makes steps durable, and shows what came of them.
    fn keep(&mut self, steps: &[Step], stopping: impl Fn() -> bool) -> Result<(), StoreError> {
        let (before, began) = (self.seq, Instant::now());
        self.with_room(&stopping, |own| own.store.commit(before + 1, steps))?;
        self.seq += steps.len() as u64;
        if self.seq / SNAPSHOT_EVERY != before / SNAPSHOT_EVERY {
            self.with_room(&stopping, |own| own.store.snapshot(own.seq, &own.state))?;
        }
        self.tell_slow(began.elapsed());
        steps.iter().for_each(|step| self.show(&step.input));
        Ok(())
    }

    /// Nothing is judged while the disk is waited for: said now and then, since all else that shows is blindness.
    fn tell_slow(&mut self, took: Duration) {
        if took < SLOW || self.slow_told.is_some_and(|told| told.elapsed() < SLOW_TOLD_EVERY) {
            return;
        }
        self.slow_told = Some(Instant::now());
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(took_ms, "the store is slow, and nothing is judged meanwhile; check this host's disk and load");
    }

    /// Writes, and waits while there is no room: nothing is judged, signed or sent meanwhile, since no wish is let out
    /// before its step is on disk, and nothing that was acknowledged is lost. Other failures end the process.
    fn with_room(
        &self,
        stopping: &impl Fn() -> bool,
        write: impl Fn(&Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let full = &self.shown.progress.store_full;
        loop {
            match write(self) {
                Err(error) if error.is_full() && !stopping() => {
                    if full.swap(1, Relaxed) == 0 {
                        add(&self.shown.progress.alerts);
                        tracing::error!(alert = true, %error, "nothing is judged or signed until there is room");
                    }
                    if let Err(error) = self.store.make_room() {
                        tracing::debug!(%error, "no room could be made");
                    }
                    std::thread::sleep(ROOM_RETRY);
                }
                Ok(()) => {
                    if full.swap(0, Relaxed) == 1 {
                        tracing::info!("the store has room again");
                    }
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn leave(&self) -> Result<(), StoreError> {
        match self.store.snapshot(self.seq, &self.state) {
            // The log has it all.
            Err(error) if error.is_full() => tracing::warn!(%error, "no last snapshot"),
            other => other?,
        }
        tracing::info!(seq = self.seq, state = %self.state.hash(), "the log is closed");
        Ok(())
    }

    fn show(&self, input: &Input) {
        let progress = &self.shown.progress;
        progress.inputs.store(self.seq, Relaxed);
        progress.last_step_ms.store(self.clock.now_ms(), Relaxed);
        progress.seeing.store(u64::from(self.state.health.blind.is_none()), Relaxed);
        progress.blind.store(self.state.health.blind.map_or(0, |why| Blindness::from(why) as u64), Relaxed);
        match input {
            Input::Tick(_) => {
                self.shown.measurements.tell(&self.state);
                self.show_watches();
                self.show_seat();
            }
            Input::Chain(update) => {
                let number = update.block.number;
                let shown = if update.view == View::Best { &progress.best_block } else { &progress.finalized_block };
                if shown.swap(number, Relaxed) != number && update.view == View::Best {
                    progress.best_moved_ms.store(self.clock.now_ms(), Relaxed);
                }
                self.show_world();
            }
            Input::Probe(_) => add(&progress.looks),
            Input::Complaint(_) => {
                add(&progress.complaints);
                self.shown.complaints.send_modify(|taken| *taken = taken.saturating_add(1));
            }
            Input::Signed(_) => add(&progress.signed),
            Input::Tx(_) => add(&progress.settled),
            _ => {}
        }
    }

    fn show_watches(&self) {
        let (progress, state) = (&self.shown.progress, &self.state);
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let watched = state.watches.values().filter(|watch| watch.tenancy.is_some()).count();
        progress.watched.store(count(watched), Relaxed);
        progress.suspected.store(count(state.watches.values().filter(|watch| watch.suspected).count()), Relaxed);
        progress.complaints_open.store(count(state.complaints.len()), Relaxed);
        if let Ok(mut shown) = self.shown.suspects.write() {
            *shown = suspects(state).collect();
        }
        if let Ok(mut shown) = progress.hints.lock() {
            *shown = hints::shown(state);
        }
        let newest = state.world.best.block.timestamp_secs;
        let off = if newest == 0 { 0 } else { newest.abs_diff(state.clock.now_secs()) };
        progress.clock_off_secs.store(off, Relaxed);
    }

    fn show_seat(&self) {
        let (progress, state) = (&self.shown.progress, &self.state);
        let Some(seat) = &state.world.best.seat else { return };
        let now_secs = state.world.best.block.timestamp_secs;
        let standing = seat.standing(now_secs);
        let place = Standing::ALL.iter().position(|one| *one == standing).map_or(0, |place| place + 1);
        progress.seat.store(u64::try_from(place).unwrap_or(0), Relaxed);
        progress.seat_left_secs.store(seat.active_until_secs().saturating_sub(now_secs), Relaxed);
        progress.seat_weight_rao.store(seat.seat.map_or(0, |seat| seat.weight_rao), Relaxed);
        progress.seat_in_danger.store(u64::from(state.seat.told.is_some()), Relaxed);
    }

    fn show_world(&self) {
        let newest = self.state.world.best.rentals.last_key_value().map_or(0, |(id, _)| *id);
        self.shown.newest_rental.store(newest, Relaxed);
        if let Ok(mut finalized) = self.shown.finalized.write() {
            *finalized = Arc::new(self.state.world.finalized.clone());
        }
        if let Ok(mut renters) = self.shown.renters.write() {
            *renters = self.state.world.best.running().map(|rental| (rental.id, rental.renter)).collect();
        }
        if let Ok(mut keepers) = self.shown.keepers.write() {
            keepers.clone_from(&self.state.world.best.keepers);
        }
    }
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

#[cfg(test)]
mod tests;
