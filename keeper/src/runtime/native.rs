//! Follows the Substrate side of the chain, where an operator names nodes for it, and tells what Ethereum's RPC hides.

use crate::adapters::evm::BareLogs;
use crate::adapters::substrate::{NativeError, NativeFollower, Told};
use crate::ports::Progress;
use crate::runtime::weights::Weigher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use surety_core::ballot::Stage;
use surety_substrate::node::Head;
use surety_substrate::runtime::Runtime;
use surety_substrate::voter::Did;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Least time between two polls: final blocks come every 12 s.
pub(super) const EVERY: Duration = Duration::from_secs(6);

/// How often the subnet is looked at for weights: five blocks.
const WEIGH_EVERY: Duration = Duration::from_secs(60);

/// Tells both ends of the EVM side, shows the newest final block to whoever reads there, and sets weights where that is
/// wanted, until told to stop.
pub(super) async fn follow(
    mut follower: NativeFollower,
    ends: [BareLogs; 2],
    weigher: Option<Weigher>,
    newest: watch::Sender<Option<(Arc<Runtime>, Head)>>,
    progress: Arc<Progress>,
    every: Duration,
    mut stop: watch::Receiver<bool>,
) {
    let mut polls = interval(every);
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut said, mut weighed_at, mut weighed) = (String::new(), None, String::new());
    loop {
        tokio::select! {
            _ = polls.tick() => {}
            _ = stop.changed() => return,
        }
        let polled = tokio::select! {
            polled = follower.poll() => polled,
            _ = stop.changed() => return,
        };
        let (told, done) = polled;
        told.iter().for_each(|told| tell(told, &ends, &progress));
        match done {
            Ok(()) => {
                said.clear();
                progress.native_block.store(follower.last().map_or(0, |last| last.number), Relaxed);
                newest.send_replace(follower.runtime().cloned().map(Arc::new).zip(follower.newest()));
                let due = weighed_at.is_none_or(|at: Instant| at.elapsed() >= WEIGH_EVERY.min(every * 10));
                if let (Some(weigher), Some(runtime), Some(last), true) =
                    (&weigher, follower.runtime(), follower.newest(), due)
                {
                    weighed_at = Some(Instant::now());
                    tokio::select! {
                        () = weigh(weigher, (runtime, last), &mut weighed, &progress) => {}
                        _ = stop.changed() => return,
                    }
                }
            }
            Err(error) => {
                // What is not known to be of the contracts' chain now is not read.
                newest.send_replace(None);
                complain(&error, &mut said, &progress);
            }
        }
    }
}

/// What was done is told; what stands in the way is told once.
async fn weigh(weigher: &Weigher, (runtime, last): (&Runtime, Head), said: &mut String, progress: &Progress) {
    let (did, done) = weigher.look(runtime, last).await;
    did.iter().for_each(|did| tell_weights(did, progress));
    let refusal = did.iter().find_map(|did| match did {
        Did::Refused(refusal) => Some(refusal.to_string()),
        _ => None,
    });
    let text = done.err().map(|error| error.to_string()).or(refusal).unwrap_or_default();
    if !text.is_empty() && *said != text {
        tracing::warn!("no weights are set now: {text}");
    }
    *said = text;
}

fn tell_weights(did: &Did, progress: &Progress) {
    let (epoch, stage) = match did {
        Did::Refused(_) => return,
        Did::Found { epoch, stage } => (Some(*epoch), Some(stage)),
        Did::Recorded(stage) => (None, Some(stage)),
        _ => (None, None),
    };
    match (epoch, stage) {
        (Some(epoch), Some(Stage::Lost { why, .. })) => {
            add(&progress.weights_lost, 1);
            add(&progress.alerts, 1);
            tracing::error!(alert = true, epoch, "the chain threw timelocked weights away: {why}");
        }
        (_, Some(Stage::Done { .. })) => {
            add(&progress.weights_set, 1);
            tracing::info!(?did, "weights");
        }
        _ => tracing::info!(?did, "weights"),
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
        Told::BareLog { block, log } => {
            add(&progress.bare_logs, 1);
            tracing::info!(contract = %log.address, "a log without a receipt");
            ends.iter().for_each(|end| end.tell(*block, log));
        }
        Told::PassedOver { from, until } => {
            tracing::warn!(from, until, "final blocks were passed over: everything is read anew");
            ends.iter().for_each(|end| end.tell_lost(*until));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_that_the_chain_shows_are_counted_and_lost_ones_are_an_alert() {
        let progress = Progress::default();
        let counts = || {
            let Progress { weights_set, weights_lost, alerts, .. } = &progress;
            [weights_set, weights_lost, alerts].map(|count| count.load(Relaxed))
        };
        let lost = Stage::Lost { block: 9, why: "the chain said nothing".into() };
        for (did, counted) in [
            (Did::Chose, [0, 0, 0]),
            (Did::Recorded(Stage::Sealed { block: 5, reveal_epoch: 2 }), [0, 0, 0]),
            (Did::Recorded(Stage::Done { block: 5 }), [1, 0, 0]),
            (Did::Found { epoch: 1, stage: Stage::Done { block: 9 } }, [2, 0, 0]),
            (Did::Found { epoch: 2, stage: lost }, [2, 1, 1]),
            (Did::Found { epoch: 3, stage: Stage::Failed { why: "unknown".into() } }, [2, 1, 1]),
        ] {
            tell_weights(&did, &progress);
            assert_eq!(counts(), counted, "{did:?}");
        }
    }
}
