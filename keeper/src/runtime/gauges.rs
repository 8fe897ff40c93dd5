//! Soft figures: of each machine that has passed a measurement, once in three days, when there is nothing better to
//! do. They are published and not judged; whatever goes wrong with them is a line in the log.

use crate::adapters::clock::Clock;
use crate::adapters::ssh::{Eyes, GaugeTarget, Gauged};
use crate::adapters::store::{Store, StoreError};
use crate::adapters::verify::{self, ChallengeError};
use crate::ports::SoftFigures;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use surety_core::types::{Endpoint, MachineId};
use surety_verifier::classes::ClassId;
use surety_verifier::gauge::{Figures, Sizes};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How old figures may be before they are measured again. Each time, 1 GiB is written to the machine's disk.
const FRESH_SECS: u64 = 3 * 86_400;

/// How long a machine is left alone after it was asked, whatever came of it: what was busy, or old, may not be soon.
const AGAIN_AFTER: Duration = Duration::from_secs(6 * 3600);

/// When a machine that gave no figure at all is asked again: its own work for the measurement that passed may not have
/// ended, or another keeper measures its GPUs for some seconds.
const ONCE_MORE_AFTER: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];

/// A machine that takes longer than this to give nothing is not asked once more.
const NOTHING_MAX: Duration = Duration::from_secs(60);

/// Machines asked at once, each at an address of its own. It takes some 20 s each, of a machine that drags its answers
/// four minutes.
const AT_ONCE: usize = 4;

/// Machines waiting. One that finds no room is asked after its next measurement.
pub(super) const WAITING_MAX: usize = 64;

/// A machine that has just passed a measurement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) endpoint: Endpoint,
    pub(super) machine: MachineId,
    pub(super) registration: u32,
    pub(super) gpu_class: u16,
}

/// The task's own things.
pub(super) struct Gauges {
    pub(super) eyes: Eyes,
    pub(super) store: Arc<Store>,
    pub(super) clock: Clock,
    pub(super) keeper_user: String,
}

impl Gauges {
    /// Measures candidates until there are no more to come; ends with the keeper.
    pub(super) async fn run(self, mut candidates: mpsc::Receiver<Candidate>) {
        let this = Arc::new(self);
        let (mut asking, mut asked, mut busy) = (JoinSet::new(), HashMap::new(), BTreeSet::new());
        // Those whose address is being asked.
        let mut later: VecDeque<Candidate> = VecDeque::new();
        loop {
            let free = |one: &Candidate| !busy.contains(&one.endpoint.ip);
            let next = later.iter().position(free).filter(|_| asking.len() < AT_ONCE).and_then(|at| later.remove(at));
            let candidate = match next {
                Some(candidate) => Some(candidate),
                None => tokio::select! {
                    candidate = candidates.recv(), if asking.len() < AT_ONCE => candidate,
                    Some(done) = asking.join_next() => {
                        // A task that died leaves its address out of reach until the next start: nobody is asked there.
                        if let Ok(address) = done {
                            busy.remove(&address);
                        }
                        continue;
                    }
                },
            };
            let Some(candidate) = candidate else { return };
            asked.retain(|_, at: &mut Instant| at.elapsed() < AGAIN_AFTER);
            if asked.contains_key(&candidate.machine) {
                continue;
            }
            if !busy.insert(candidate.endpoint.ip) {
                // Behind one address one after the other; of too many, the rest after their next measurement.
                if later.len() < WAITING_MAX {
                    later.push_back(candidate);
                }
                continue;
            }
            asked.insert(candidate.machine, Instant::now());
            let measuring = this.clone().measure(candidate);
            asking.spawn(async move {
                measuring.await;
                candidate.endpoint.ip
            });
        }
    }

    async fn measure(self: Arc<Self>, candidate: Candidate) {
        let Candidate { endpoint, machine, registration, gpu_class } = candidate;
        let before = self.found(candidate).await;
        let now_secs = self.clock.now_secs();
        if before.as_ref().is_some_and(|before| !before.is_due(now_secs)) {
            return;
        }
        let target = GaugeTarget { endpoint, machine, sizes: Sizes::of(ClassId(gpu_class)) };
        let gauged = match self.asked(&target).await {
            Ok(gauged) => gauged,
            Err(error) => return tracing::error!(%error, "soft figures were not measured"),
        };
        let Gauged { figures, ended } = gauged;
        tracing::info!(%machine, %endpoint, ?figures, ended, "soft figures");
        let nothing_better = ended.is_some() && before.is_some_and(|before| before.ended.is_none());
        if figures == Figures::default() || nothing_better {
            return;
        }
        let figures = SoftFigures { registration, measured_at_secs: now_secs, figures, ended };
        let stored = self.on_store(move |store| store.put_figures(machine, &figures)).await;
        if let Err(error) = stored {
            tracing::error!(%machine, %error, "soft figures were not stored");
        }
    }

    /// Asks, and asks again where nothing at all was heard.
    async fn asked(&self, target: &GaugeTarget) -> Result<Gauged, ChallengeError> {
        let (began, mut waits) = (Instant::now(), ONCE_MORE_AFTER.into_iter());
        loop {
            let gauged = self.eyes.gauge(target, &self.keeper_user, verify::random()?).await;
            let nothing = gauged.figures == Figures::default() && gauged.ended.is_some();
            let wait = waits.next().filter(|_| nothing && began.elapsed() < NOTHING_MAX);
            let Some(wait) = wait else { return Ok(gauged) };
            tracing::debug!(machine = %target.machine, ended = gauged.ended, "no soft figures yet");
            tokio::time::sleep(wait).await;
        }
    }

    /// What is known of it in this registration. What cannot be read is not known: it is measured and written anew.
    async fn found(&self, candidate: Candidate) -> Option<SoftFigures> {
        let found = self.on_store(move |store| store.find_figures(candidate.machine)).await;
        let found = found.inspect_err(|error| tracing::error!(%error, "soft figures cannot be looked up")).ok()?;
        found.filter(|found| found.registration == candidate.registration)
    }

    async fn on_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || work(&store)).await.map_err(|_| StoreError::Poisoned)?
    }
}

impl SoftFigures {
    /// Whether it is time to measure again: they are old, or not all of them are there.
    fn is_due(&self, now_secs: u64) -> bool {
        self.ended.is_some() || now_secs.saturating_sub(self.measured_at_secs) >= FRESH_SECS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_measured_again_after_three_days_and_at_once_where_some_are_missing() {
        let whole = SoftFigures { registration: 1, measured_at_secs: 1_000, figures: Figures::default(), ended: None };
        assert!(!whole.is_due(1_000 + FRESH_SECS - 1) && whole.is_due(1_000 + FRESH_SECS));
        assert!(!whole.is_due(0), "a clock that was set back makes nothing old");
        assert!(SoftFigures { ended: Some("a tenant came".into()), ..whole }.is_due(1_000));
    }
}
