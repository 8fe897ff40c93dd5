//! Once everything is healed: what must have happened.

use crate::chain::contracts::{Case, Contracts, Rental};
use crate::env::Env;
use crate::keeper::Keeper;
use crate::options::Role;
use surety_core::evidence::Subject;
use surety_core::statement::Spoof;
use surety_core::types::{Kind, UnixSecs};

/// Pauses after failures grow to at most 32 × 30 s (`submit_retry_secs`); keepers that were down come back at once.
/// After this long nothing of the faults is left.
const AFTERMATH_SECS: u64 = 1_200;
/// Proof takes 120 s from the first failing look (`proof_min_secs`). That look comes up to 35 s after the outage began
/// (`look_every_ms` + jitter), or 10 s later when it began under a look that succeeded; the last look before the return
/// may stay unconfirmed, and the one before it is up to 20 s older (`watch::pace`).
const SEEN_BY_ALL_SECS: u64 = 240;
/// Service on both sides, so that outages do not run into one another.
const APART_SECS: u64 = 200;
/// From "may be filed" to the chain: who saw it last began up to 35 s late; the look that makes it long enough (6 s,
/// `watch::pace`, and 10 s more for who saw it first), its failing (10 s), an anchor round (6 s), a block that passes
/// that look and is read (15 s), a signature and a peers' round (5 s), who saw it first signing anew, by the next block
/// (15 s), a block that takes the case (24 s), two for rounding. Keepers before us in the order that are not there cost
/// 20 s each (`file_rank_delay_secs`).
const ON_CHAIN_SECS: u64 = 128;

/// An outage of a rented machine, clipped to the rental.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outage {
    pub(crate) from: UnixSecs,
    pub(crate) until: UnixSecs,
    /// The renter was served before it.
    pub(crate) delivered: bool,
    /// The machine came back while rented.
    pub(crate) returned: bool,
}

/// Outages of a rental that stand alone and began after `since`.
pub(crate) fn clear_outages(env: &Env, rental: &Rental, since: UnixSecs) -> Vec<Outage> {
    let Some(machine) = env.machines.get(&rental.view.machine) else { return Vec::new() };
    let (start, end) = (rental.view.start_secs, rental.view.end_secs);
    let all = machine.outages(start, end.min(env.now));
    let mut clear = Vec::new();
    for (at, (from, until)) in all.iter().copied().enumerate() {
        let before = at.checked_sub(1).and_then(|before| all.get(before)).map_or(0, |(_, until)| *until);
        let after = all.get(at + 1).map_or(u64::MAX, |(from, _)| *from);
        let alone = (at == 0 || from - before >= APART_SECS) && after.saturating_sub(until) >= APART_SECS;
        // Cards that are missing meanwhile make a case of their own.
        let admits = machine.admits().longest_secs(true, from.saturating_sub(APART_SECS), until + APART_SECS) > 0;
        if alone && from >= since && start >= since && !admits {
            clear.push(Outage { from, until, delivered: from > start, returned: until < end });
        }
    }
    clear
}

/// When an outage may first be filed, and as what.
pub(crate) fn first_fileable(env: &Env, outage: &Outage) -> (Kind, UnixSecs) {
    let times = &env.options.times;
    let (kind, least_secs) = if outage.delivered {
        (Kind::Offline, times.min_offline_secs)
    } else {
        (Kind::NotDelivered, times.delivery_grace_secs)
    };
    if outage.until - outage.from >= least_secs {
        (kind, outage.from + least_secs)
    } else {
        (Kind::Interrupted, outage.until)
    }
}

/// The case that recorded an outage: when it was filed, and how many seconds of it were recorded.
pub(crate) fn recorded(env: &Env, rental: &Rental, outage: &Outage) -> Option<(UnixSecs, u64)> {
    let state = &env.chain.newest().state;
    let overlap = |from: UnixSecs, until: UnixSecs| until.min(outage.until).saturating_sub(from.max(outage.from));
    let faults = rental.view.faults.iter().filter(|fault| overlap(fault.from_secs, fault.until_secs) > 0);
    let cases = faults.map(|fault| {
        let filed_at = state.cases.get(&fault.case_id).map_or(u64::MAX, |case| case.filed_at);
        (filed_at, overlap(fault.from_secs, fault.until_secs))
    });
    cases.fold(None, |sum: Option<(u64, u64)>, (filed_at, secs)| {
        let (first, all) = sum.unwrap_or((filed_at, 0));
        Some((first.min(filed_at), all + secs))
    })
}

pub(crate) fn at_end(env: &mut Env, keepers: &[Keeper], healed_at: UnixSecs) {
    if !env.options.can_progress() {
        return;
    }
    let block = env.chain.newest().clone();
    let since = healed_at + AFTERMATH_SECS;
    let bound_secs = ON_CHAIN_SECS + 20 * env.options.roles.len() as u64;
    for rental in block.state.rentals.values() {
        for outage in clear_outages(env, rental, since) {
            let (_, fileable) = first_fileable(env, &outage);
            let seen = outage.until - outage.from >= SEEN_BY_ALL_SECS;
            // What ends while its rental does is recorded only if the rental is open for long enough.
            let done = recorded(env, rental, &outage);
            let in_time = done.is_some_and(|(filed_at, _)| filed_at <= fileable + bound_secs);
            let (id, now) = (rental.view.id, crate::world::EPOCH);
            env.check.require(!seen || in_time, || {
                let (from, until) = (outage.from - now, outage.until - now);
                format!("the outage {from}..{until} of rental {id} was not on chain in time: {done:?}, {outage:?}")
            });
        }
    }
    for case in block.state.cases.values() {
        let decided = case.view.status.is_decided();
        env.check.require(decided, || format!("case {} was never decided: {:?}", case.view.id, case.view));
    }
    for rental in block.state.rentals.values() {
        let id = rental.view.id;
        env.check.require(rental.view.closed, || format!("rental {id} is over, and nobody closed it"));
    }
    for keeper in keepers {
        let left = keeper.disk.unfinished();
        let index = keeper.index;
        env.check.require(left == 0, || format!("keeper {index} still has {left} intents on their way"));
    }
    let waits_rao = block.state.ledger.to_burn_rao - block.state.ledger.others_burn_rao;
    // Who executes burns; one that was dismissed in between leaves it to whoever burns next.
    let dismissed = block.state.keepers.iter().any(|keeper| !keeper.active);
    // And one whose node kept the log of its own execution from it takes it for failed until it reads all again.
    let misled = env.options.roles.contains(&Role::Weak) && env.options.faults.log_loss_ppm > 0;
    env.check.require(waits_rao < 500 || dismissed || misled, || {
        format!("{waits_rao} rao wait to be burned, and nobody does it")
    });
    cards(env, &block.state, since, bound_secs);
    spoofs(env, &block.state, since, bound_secs);
}

/// Keepers ask about cards every 9 to 11 min and wait up to 150 s for a gap between looks; proof takes 120 s more. What
/// lasts this long is seen by all of them.
const ADMITTED_SECS: u64 = 1_200;
/// And until a keeper whose question was left without an answer asks again.
const ASKED_AGAIN_SECS: u64 = 660 + 150;

/// A machine that admits for long enough, and serves otherwise, has a case by the time that it has all again.
fn cards(env: &mut Env, state: &Contracts, since: UnixSecs, bound_secs: u64) {
    for rental in state.rentals.values().filter(|rental| rental.view.start_secs >= since) {
        let (id, start, end) = (rental.view.id, rental.view.start_secs, rental.view.end_secs);
        let Some(machine) = env.machines.get(&rental.view.machine) else { continue };
        let least_secs = |from, until| ADMITTED_SECS + ASKED_AGAIN_SECS * machine.missed(from, until);
        let stretches = machine.admits().stretches(true, start, end);
        let long = stretches.filter(|&(from, until)| until - from >= least_secs(from, until));
        let served = |(from, until): &(UnixSecs, UnixSecs)| {
            let from = from.saturating_sub(APART_SECS).max(start);
            machine.served.longest_secs(false, from, (until + APART_SECS).min(end)) == 0
        };
        for (from, until) in long.filter(served).collect::<Vec<_>>() {
            let whole = Outage { from, until, delivered: true, returned: until < end };
            let done = recorded(env, rental, &whole);
            let in_time = done.is_some_and(|(filed_at, _)| filed_at <= until + bound_secs);
            let epoch = crate::world::EPOCH;
            env.check.require(in_time, || {
                let (from, until) = (from - epoch, until - epoch);
                format!("cards were missing {from}..{until} in rental {id}, on chain was {done:?}")
            });
        }
    }
}

/// Until all have heard of a spoof (30 s), have fetched and recomputed it (a minute when that failed once) and signed.
const SPOOF_HEARD_SECS: u64 = 120;

/// What a strong keeper caught of a machine that is still registered alike is on chain. What it signed after another is
/// not asked for: real proofs that are dated anew are new to some keepers and have served at others.
fn spoofs(env: &mut Env, state: &Contracts, since: UnixSecs, bound_secs: u64) {
    let strong = env.boards.iter().zip(&env.options.roles).zip(state.keepers.iter());
    let strong = strong.filter(|((_, role), keeper)| **role == Role::Strong && keeper.active);
    let caught = strong.flat_map(|((board, _), _)| {
        let own = |spoof: &Spoof| match board.bundles.get(&spoof.evidence).map(|evidence| &evidence.subject) {
            Some(Subject::Spoof(about)) => about.recomputed.is_none(),
            _ => false,
        };
        board.spoofs.iter().map(|signed| signed.statement).filter(own).collect::<Vec<_>>()
    });
    let signed: Vec<Spoof> = caught.collect();
    for spoof in signed.into_iter().filter(|spoof| spoof.proved_at_secs >= since) {
        let current = state.nodes.get(&spoof.machine).is_some_and(|node| node.registration == spoof.registration);
        let by_secs = spoof.proved_at_secs + SPOOF_HEARD_SECS + bound_secs;
        let about = |case: &Case| case.view.kind == Kind::Spoofed && case.view.registration == spoof.registration;
        let last = state.cases.values().filter(|case| about(case)).map(|case| case.filed_at);
        let filed = last.clone().any(|at| at >= spoof.proved_at_secs && at <= by_secs);
        let last = last.max();
        env.check.require(!current || filed || by_secs > env.now, || {
            format!("the spoof of {} was not on chain in time: {spoof:?}, {last:?}", spoof.machine)
        });
    }
}
