//! What the loop knows by its own measurements, told to a task that asks: the state is the loop's alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use surety_core::state::State;
use surety_core::types::MachineId;
use surety_core::weights::{Measured, measured};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// The loop answers at its next tick, which comes every second; without room in the store there are none.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// Questions waiting at most; one task asks.
const WAITING_MAX: usize = 4;

type Answer = BTreeMap<MachineId, Measured>;

/// Both ends; clones are the same.
#[derive(Clone, Default)]
pub(super) struct Measurements(Arc<Mutex<Vec<oneshot::Sender<Answer>>>>);

impl Measurements {
    /// What was measured, by machine; None when the loop does not answer.
    pub(super) async fn ask(&self) -> Option<Answer> {
        let (asked, answer) = oneshot::channel();
        {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.retain(|one| !one.is_closed());
            if waiting.len() >= WAITING_MAX {
                return None;
            }
            waiting.push(asked);
        }
        timeout(ANSWER_MAX, answer).await.ok()?.ok()
    }

    /// Answers whoever has asked.
    pub(super) fn tell(&self, state: &State) {
        let waiting = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for one in waiting {
            // Whoever asked may have gone.
            let _ = one.send(measured(state));
        }
    }
}

/// A loop that has measured nothing, and says so when asked.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) fn answering(measurements: Measurements) -> tokio::task::JoinHandle<()> {
    use surety_core::types::Account;
    let account = |n: u8| Account([n; 20]);
    let contracts = surety_core::evidence::Contracts { escrow: account(1), arbiter: account(2), vault: account(3) };
    let (shadow, payout, seat) = (Default::default(), Default::default(), Default::default());
    let rules = surety_core::rules::Rules { local: true, ..Default::default() };
    let config =
        surety_core::state::Config { me: account(4), chain_id: 31_337, contracts, rules, shadow, payout, seat };
    let state = State::new(config).unwrap();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        loop {
            ticks.tick().await;
            measurements.tell(&state);
        }
    })
}
