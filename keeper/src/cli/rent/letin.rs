//! Waiting for a new rental's machine to let its renter in: the same look that keepers take, which needs no secret.

use crate::adapters::ssh::{ProbeTarget, SshLimits, probe};
use crate::cli::kit::out::Out;
use crate::cli::kit::words::span;
use std::time::Duration;
use surety_core::input::Observation;
use surety_core::types::UnixSecs;
use surety_core::view::ContractTimes;
use tokio::time::{Instant, sleep};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A younger rental is waited for however short the chain's grace is: a machine's agent has to see the block.
const YOUNG_SECS: u64 = 30;

/// How long a rental's machine may still take, from `now_secs` on; zero: it should let its renter in.
pub(super) fn time_left(start_secs: UnixSecs, now_secs: UnixSecs, times: &ContractTimes) -> Duration {
    let until = start_secs.saturating_add(times.delivery_grace_secs.max(YOUNG_SECS));
    Duration::from_secs(until.saturating_sub(now_secs))
}

/// Waits until the machine says that it lets the rental's key in, at most for `left`, and tells what it waits for.
/// What comes of it is not judged here: ssh has the last word.
pub(super) async fn wait(target: &ProbeTarget, left: Duration) {
    if left.is_zero() {
        return;
    }
    // Whoever rented it says where it is: no more is asked of it than ssh asks next.
    let limits = SshLimits { allow_private: true, ..SshLimits::default() };
    let out = Out { json: false };
    let told = || {
        let longest = span(left.as_secs());
        out.progress(format!("The machine does not let the rental's key in yet. Trying for at most {longest} ..."));
    };
    if !until_accepted(left, LOOK_EVERY, async || probe(target, &limits).await, told).await {
        out.progress("It still does not. Keepers see that, too: surety rentals shows what becomes of the rental.");
    }
}

/// Looks until the key is accepted or `left` is over; `told` once, after the first look in vain.
async fn until_accepted(
    left: Duration,
    every: Duration,
    mut look: impl AsyncFnMut() -> Observation,
    told: impl FnOnce(),
) -> bool {
    let (deadline, mut told) = (Instant::now() + left, Some(told));
    loop {
        if matches!(look().await, Observation::Accepted) {
            return true;
        }
        if Instant::now() + every >= deadline {
            return false;
        }
        if let Some(told) = told.take() {
            told();
        }
        sleep(every).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn it_is_looked_again_until_the_key_is_let_in_and_that_is_told_once() {
        let (mut looks, mut told) = (0, 0);
        let look = async || {
            looks += 1;
            match looks {
                1 => Observation::NoConnection { why: "refused".into() },
                2 | 3 => Observation::Refused,
                _ => Observation::Accepted,
            }
        };
        assert!(until_accepted(LONG, SOON, look, || told += 1).await);
        assert_eq!((looks, told), (4, 1));
    }

    #[tokio::test]
    async fn a_machine_that_lets_in_at_once_is_looked_at_once_and_nothing_is_told() {
        let mut told = 0;
        assert!(until_accepted(LONG, SOON, async || Observation::Accepted, || told += 1).await);
        assert_eq!(told, 0);
    }

    #[tokio::test]
    async fn waiting_ends_where_the_key_is_never_let_in() {
        let mut looks = 0;
        let look = async || {
            looks += 1;
            Observation::Refused
        };
        assert!(!until_accepted(Duration::from_millis(20), SOON, look, || ()).await);
        assert!(looks >= 1);
    }

    #[test]
    fn only_a_rental_within_its_grace_is_waited_for() {
        let mut times = times();
        assert_eq!(time_left(1_000, 1_010, &times), Duration::from_secs(590));
        assert_eq!(time_left(1_000, 1_600, &times), Duration::ZERO);
        times.delivery_grace_secs = 6;
        assert_eq!(time_left(1_000, 1_010, &times), Duration::from_secs(20));
        assert_eq!(time_left(1_000, u64::MAX, &times), Duration::ZERO);
    }

    fn times() -> ContractTimes {
        ContractTimes {
            settle_lag_secs: 3_600,
            delivery_grace_secs: 600,
            min_interrupted_secs: 60,
            min_offline_secs: 900,
            freshness_secs: 600,
            certificate_life_secs: 86_400,
            spoof_life_secs: 3_600,
        }
    }
}
