//! Follows the Substrate side of the chain, where an operator names nodes for it, and tells what Ethereum's RPC hides.

use crate::adapters::evm::BareLogs;
use crate::adapters::substrate::{NativeError, NativeFollower, Told};
use crate::ports::Progress;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// Least time between two polls: final blocks come every 12 s.
pub(super) const EVERY: Duration = Duration::from_secs(6);

/// Tells both ends of the EVM side until told to stop.
pub(super) async fn follow(
    mut follower: NativeFollower,
    ends: [BareLogs; 2],
    progress: Arc<Progress>,
    every: Duration,
    mut stop: watch::Receiver<bool>,
) {
    let mut polls = interval(every);
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut said = String::new();
    loop {
        tokio::select! {
            _ = polls.tick() => {}
            _ = stop.changed() => return,
        }
        let polled = tokio::select! {
            polled = follower.poll() => polled,
            _ = stop.changed() => return,
        };
        match polled {
            Ok(told) => {
                said.clear();
                progress.native_block.store(follower.last().map_or(0, |last| last.number), Relaxed);
                told.iter().for_each(|told| tell(told, &ends, &progress));
            }
            Err(error) => complain(&error, &mut said, &progress),
        }
    }
}

/// The same trouble is told once. A chain that is another one is an alert; nodes that are away for a while are not.
fn complain(error: &NativeError, said: &mut String, progress: &Progress) {
    let text = error.to_string();
    if *said == text {
        return;
    }
    match error {
        NativeError::FinalReplaced(_) | NativeError::Nodes(surety_substrate::nodes::NodesError::OtherChain(_)) => {
            add(&progress.alerts, 1);
            tracing::error!(alert = true, %error, "the Substrate side is not followed; check subnet.rpc");
        }
        _ => tracing::warn!(%error, "the Substrate side was not read"),
    }
    *said = text;
}

fn tell(told: &Told, ends: &[BareLogs; 2], progress: &Progress) {
    match told {
        Told::BareLog(log) => {
            add(&progress.bare_logs, 1);
            tracing::info!(contract = %log.address, "a log without a receipt");
            ends.iter().for_each(|end| end.tell(log));
        }
        Told::PassedOver { from, until } => {
            tracing::warn!(from, until, "final blocks were passed over: everything is read anew");
            ends.iter().for_each(BareLogs::tell_lost);
        }
        Told::Surplus { contract, from, rao } => {
            add(&progress.surplus_rao, *rao);
            tracing::info!(contract, %from, rao, "TAO came without a call: it is surplus, and can be swept and burned");
        }
        Told::Stake { contract, netuid, rao } => {
            tracing::info!(contract, netuid, rao, "stake came to a contract that cannot hold any: nobody can move it");
        }
        Told::Dissolved => {
            add(&progress.alerts, 1);
            tracing::error!(alert = true, "the contracts' subnet was dissolved: no machine can be registered any more");
        }
    }
}

fn add(counter: &AtomicU64, amount: u64) {
    // A counter that is full stays so.
    let _ = counter.fetch_update(Relaxed, Relaxed, |count| Some(count.saturating_add(amount)));
}
