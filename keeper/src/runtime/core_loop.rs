//! The one thread that owns the state.

use crate::adapters::clock::Clock;
use crate::adapters::store::{SNAPSHOT_EVERY, Store, StoreError};
use crate::outbox::Finalized;
use crate::ports::Progress;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, RwLock};
use surety_core::effect::Effect;
use surety_core::input::Input;
use surety_core::state::State;
use surety_core::step::step;
use surety_core::types::Account;
use surety_core::view::{KeeperView, View};
use tokio::sync::mpsc;

/// The keeper set as last read, for tasks that talk to peers.
pub(super) type KnownKeepers = Arc<RwLock<BTreeMap<Account, KeeperView>>>;

/// What the loop shows to the rest of the process.
#[derive(Clone, Default)]
pub(super) struct Shown {
    pub(super) finalized: Finalized,
    pub(super) keepers: KnownKeepers,
    /// Highest rental id in the best view.
    pub(super) newest_rental: Arc<AtomicU64>,
    pub(super) progress: Arc<Progress>,
}

/// The loop's own things.
pub(super) struct CoreLoop {
    pub(super) state: State,
    pub(super) seq: u64,
    pub(super) store: Arc<Store>,
    pub(super) clock: Clock,
    pub(super) shown: Shown,
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
        while let Some(input) = inputs.blocking_recv() {
            let effects = self.step(&input)?;
            for effect in effects {
                if deeds.blocking_send(effect).is_err() {
                    return self.leave();
                }
            }
        }
        self.leave()
    }

    fn step(&mut self, input: &Input) -> Result<Vec<Effect>, StoreError> {
        let effects = step(&mut self.state, input);
        self.seq += 1;
        self.store.commit(self.seq, input, &effects)?;
        if self.seq.is_multiple_of(SNAPSHOT_EVERY) {
            self.store.snapshot(self.seq, &self.state)?;
        }
        self.show(input);
        Ok(effects)
    }

    fn leave(&self) -> Result<(), StoreError> {
        self.store.snapshot(self.seq, &self.state)?;
        tracing::info!(seq = self.seq, state = %self.state.hash(), "the log is closed");
        Ok(())
    }

    fn show(&self, input: &Input) {
        let progress = &self.shown.progress;
        progress.inputs.store(self.seq, Relaxed);
        progress.last_step_ms.store(self.clock.now_ms(), Relaxed);
        progress.seeing.store(u64::from(self.state.health.blind.is_none()), Relaxed);
        match input {
            Input::Chain(update) => {
                let number = update.block.number;
                let shown = if update.view == View::Best { &progress.best_block } else { &progress.finalized_block };
                if shown.swap(number, Relaxed) != number && update.view == View::Best {
                    progress.best_moved_ms.store(self.clock.now_ms(), Relaxed);
                }
                self.show_world();
            }
            Input::Probe(_) => add(&progress.looks),
            Input::Signed(_) => add(&progress.signed),
            Input::Tx(_) => add(&progress.settled),
            _ => {}
        }
    }

    fn show_world(&self) {
        let newest = self.state.world.best.rentals.last_key_value().map_or(0, |(id, _)| *id);
        self.shown.newest_rental.store(newest, Relaxed);
        if let Ok(mut finalized) = self.shown.finalized.write() {
            *finalized = Arc::new(self.state.world.finalized.clone());
        }
        if let Ok(mut keepers) = self.shown.keepers.write() {
            keepers.clone_from(&self.state.world.best.keepers);
        }
    }
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
