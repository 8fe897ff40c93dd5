//! Measurements of one round, brought in step: the work of all begins at one moment, then the walk of all, then the
//! question to all. Whoever comes when a step has been taken is too late, and not measured: a card that was busy for
//! another listing would be free by then.
//!
//! A card that stands behind two listings then has to work for both in the time of one. And what the keeper does for
//! one machine (checking rows takes milliseconds) does not fall into the time that another is measured in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use surety_core::effect::Round as Named;
use surety_core::types::Hash32;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// Longest that those who are there wait for those who are not: a turn at the gate, a log-in and cards that wake up may
/// take as long. Below the verifier's `HOLD_MAX_MS`, which is below what an agent waits for a silent keeper.
const WAIT_MAX: Duration = Duration::from_secs(40);

/// Moments at which a round is in step: before the work, the walk, the question.
const STEPS: usize = 3;

/// A round of which seats were not asked for by then (the keeper is stopping) is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

/// All rounds that are going on.
#[derive(Debug)]
pub struct Rounds {
    wait_max: Duration,
    /// Those of which seats are still to be asked for.
    going: Mutex<HashMap<Hash32, Opening>>,
}

#[derive(Debug)]
struct Opening {
    round: Arc<Round>,
    seats_left: u32,
    since: Instant,
}

impl Default for Rounds {
    fn default() -> Self {
        Self { wait_max: WAIT_MAX, going: Mutex::default() }
    }
}

impl Rounds {
    /// A seat in a round. The first to ask makes it; there are as many as it has members.
    pub fn seat(&self, round: &Named) -> Seat {
        let mut going = lock(&self.going);
        going.retain(|_, opening| opening.since.elapsed() < FORGOTTEN_AFTER);
        let opening = going.entry(round.id).or_insert_with(|| Opening {
            round: Arc::new(Round::of(round.members, self.wait_max)),
            seats_left: round.members,
            since: Instant::now(),
        });
        opening.seats_left = opening.seats_left.saturating_sub(1);
        let (shared, all_given) = (Arc::clone(&opening.round), opening.seats_left == 0);
        if all_given {
            going.remove(&round.id);
        }
        Seat { round: shared, step: 0 }
    }
}

#[derive(Debug)]
struct Round {
    wait_max: Duration,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    /// Who has not left.
    members: u32,
    /// Who has come to each step, those who left since not counted.
    come: [u32; STEPS],
    /// When the first came.
    first: [Option<Instant>; STEPS],
    /// Whether it has been taken.
    taken: [bool; STEPS],
}

impl Round {
    fn of(members: u32, wait_max: Duration) -> Self {
        let state = State { members, come: [0; STEPS], first: [None; STEPS], taken: [false; STEPS] };
        Self { wait_max, state: Mutex::new(state), changed: Notify::new() }
    }
}

/// A member's seat. Whoever drops it has left, and nobody waits for them.
#[derive(Debug)]
pub struct Seat {
    round: Arc<Round>,
    /// The next step.
    step: usize,
}

impl Seat {
    /// Waits until all who have not left have come to the same step, or for 40 s from when the first came. False if the
    /// step was taken without this one: it is too late.
    #[must_use = "whoever is too late is not measured"]
    pub async fn in_step(&mut self) -> bool {
        let step = self.step;
        if step >= STEPS {
            return false;
        }
        self.step += 1;
        let until = {
            let mut state = lock(&self.round.state);
            if state.taken[step] {
                return false;
            }
            state.come[step] += 1;
            *state.first[step].get_or_insert_with(Instant::now) + self.round.wait_max
        };
        self.round.changed.notify_waiters();
        loop {
            let changed = self.round.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.taken(step, false) || (timeout_at(until, changed).await.is_err() && self.taken(step, true)) {
                return true;
            }
        }
    }

    /// Whether this step, to which this one has come, is taken: by all who are left, or because time is up.
    fn taken(&self, step: usize, time_is_up: bool) -> bool {
        let mut state = lock(&self.round.state);
        state.taken[step] |= time_is_up || state.come[step] >= state.members;
        state.taken[step]
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = lock(&self.round.state);
        state.members = state.members.saturating_sub(1);
        for come in &mut state.come[..self.step] {
            *come = come.saturating_sub(1);
        }
        drop(state);
        self.round.changed.notify_waiters();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn named(members: u32) -> Named {
        Named { id: Hash32([7; 32]), members }
    }

    #[tokio::test]
    async fn nobody_goes_on_before_all_have_come() {
        let rounds = Rounds::default();
        let [mut one, mut two, mut three] = [0; 3].map(|_| rounds.seat(&named(3)));
        let mut first = Box::pin(one.in_step());
        let mut second = Box::pin(two.in_step());
        assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
        assert!(three.in_step().await);
        assert!(first.now_or_never().is_some() && second.now_or_never().is_some());
        let mut first = Box::pin(one.in_step());
        assert!(first.as_mut().now_or_never().is_none(), "the second step begins anew");
        drop((two, three));
        assert!(first.now_or_never().is_some(), "nobody is left to wait for");
    }

    #[tokio::test]
    async fn whoever_leaves_is_not_waited_for_and_does_not_count_as_having_come() {
        let rounds = Rounds::default();
        let [mut one, mut two, mut three] = [0; 3].map(|_| rounds.seat(&named(3)));
        assert!(three.in_step().now_or_never().is_none());
        drop(three);
        let mut first = Box::pin(one.in_step());
        assert!(first.as_mut().now_or_never().is_none(), "the second has not come");
        assert!(two.in_step().await);
        assert!(first.now_or_never().is_some());
    }

    #[tokio::test]
    async fn those_who_never_come_hold_nobody_back_for_long() {
        let rounds = Rounds { wait_max: Duration::from_millis(30), ..Rounds::default() };
        let [mut one, _never] = [0; 2].map(|_| rounds.seat(&named(2)));
        let begun = Instant::now();
        assert!(one.in_step().await);
        assert!(begun.elapsed() >= rounds.wait_max);
    }

    #[tokio::test]
    async fn whoever_comes_when_a_step_was_taken_is_too_late() {
        let rounds = Rounds { wait_max: Duration::from_millis(30), ..Rounds::default() };
        let [mut one, mut late] = [0; 2].map(|_| rounds.seat(&named(2)));
        assert!(one.in_step().await);
        assert!(!late.in_step().await, "the first went without it");
        let [mut alone, gone] = [0; 2].map(|_| rounds.seat(&Named { id: Hash32([9; 32]), members: 2 }));
        drop(gone);
        assert!(alone.in_step().await, "nobody is left to wait for");
    }

    #[tokio::test]
    async fn seats_that_are_given_back_at_once_do_not_split_a_round() {
        let rounds = Rounds::default();
        drop(rounds.seat(&named(3)));
        let [mut one, mut two] = [0; 2].map(|_| rounds.seat(&named(3)));
        let mut first = Box::pin(one.in_step());
        assert!(first.as_mut().now_or_never().is_none(), "the second has not come");
        assert!(two.in_step().await);
        assert_eq!(first.now_or_never(), Some(true));
    }

    #[tokio::test]
    async fn rounds_of_other_names_do_not_wait_for_each_other() {
        let rounds = Rounds::default();
        let mut one = rounds.seat(&named(1));
        let _other = rounds.seat(&Named { id: Hash32([8; 32]), members: 9 });
        assert!(one.in_step().now_or_never().is_some());
    }
}
