//! What is signed and recorded, against what was so.

use crate::chain::contracts::{Case, Rental};
use crate::env::Env;
use crate::keeper::Keeper;
use crate::machines::LOOK_SECS;
use crate::options::Role;
use surety_core::evidence::{Evidence, Outage, Subject};
use surety_core::statement::{Spoof, Statement};
use surety_core::types::{Cause, Kind, UnixSecs};

/// Two failing looks of one interval are at most 90 s apart (`look_gap_max_secs`); whatever served in between for
/// longer than that and one look's timeout was seen, or the interval was broken.
const SERVED_MAX_SECS: u64 = 90 + LOOK_SECS;
/// `NotDelivered` starts with the rental; the first failing look may come 120 s later (`first_look_lag_secs`).
const FIRST_LOOK_SECS: u64 = 120 + LOOK_SECS;
/// The gate keeps clock and chain this far apart, and a block is twelve seconds old before the next.
const CLOCK_SECS: u64 = 60 + 13;

/// A strong keeper is about to sign: every look was made, and no service lies between the first and the last of them.
pub(crate) fn before_signing(keeper: &Keeper, env: &mut Env, statement: &Statement, evidence: &Evidence) {
    let index = keeper.index;
    let says = crate::keeper::describe_statement(statement);
    env.event(|| format!("keeper {index} signs {says}"));
    if keeper.role != Role::Strong {
        return;
    }
    if let Statement::Spoof(spoof) = statement {
        return before_signing_spoof(index, env, spoof, evidence);
    }
    let (Statement::Attestation(_), Subject::Outage(outage)) = (statement, &evidence.subject) else { return };
    still_there(keeper, env, outage, &says);
    let made: Option<Vec<(UnixSecs, UnixSecs)>> = failing(outage)
        .map(|id| keeper.looks.get(&id).filter(|truth| truth.machine == outage.rental.machine))
        .map(|truth| truth.map(|truth| (truth.began, truth.ended)))
        .collect();
    let all_made = made.is_some();
    env.check.require(all_made, || format!("keeper {index} signs {says} with looks it never made"));
    let Some((first, last)) = made.and_then(|made| Some((made.first()?.0, made.last()?.0))) else { return };
    let Some(machine) = env.machines.get(&outage.rental.machine) else { return };
    let never = outage.kind == Kind::NotDelivered;
    let (begin, most_secs) = if never { (outage.rental.start_secs, FIRST_LOOK_SECS) } else { (first, SERVED_MAX_SECS) };
    // What it admits about its cards is one thing, whether it lets its renter in another.
    let served_secs = match outage.cause {
        Cause::GpusMissing => machine.admits().longest_secs(false, begin, last),
        _ => machine.served.longest_secs(true, begin, last),
    };
    env.check.require(served_secs <= most_secs, || {
        format!("keeper {index} signs {says}, but the machine served for {served_secs} s in it")
    });
    let steady = machine.steady;
    let history = machine.history(begin.saturating_sub(600));
    env.check.require(!steady, || format!("keeper {index} signs {says} of a machine that never fails: {history}"));
}

/// Nobody is accused in a rental that the chain a keeper reads does not have.
fn still_there(keeper: &Keeper, env: &mut Env, outage: &Outage, says: &str) {
    let Some(at) = keeper.state().map(|state| state.world.best.block) else { return };
    let block = env.chain.block(at.number).clone();
    let rental = block.state.rentals.get(&outage.rental.id).map(|rental| rental.view.machine);
    let there = block.at != at || rental == Some(outage.rental.machine);
    let index = keeper.index;
    env.check.require(there, || format!("keeper {index} signs {says}, a rental that the block it has read lacks"));
}

/// Both proofs are false and the machine's own, whoever caught it; one that never lied is never accused.
fn before_signing_spoof(index: usize, env: &mut Env, spoof: &Spoof, evidence: &Evidence) {
    let shown = crate::proofs::recheck(evidence);
    let lies = env.machines.get(&spoof.machine).map_or(0, |machine| machine.lies);
    let says = format!("keeper {index} signs that {} spoofed", spoof.machine);
    env.check.require(shown.is_ok(), || format!("{says}, and its evidence does not show it: {shown:?}"));
    env.check.require(lies >= 2, || format!("{says}, which signed {lies} false proofs"));
    // A proof serves once: not again under a new date, with whatever other proof.
    let Subject::Spoof(spoofing) = &evidence.subject else { return };
    for proof in &spoofing.proofs {
        let key = (index, proof.transcript.to_string());
        let first = *env.check.served.entry(key).or_insert(spoof.proved_at_secs);
        env.check.require(first == spoof.proved_at_secs, || format!("{says} with a proof that served before"));
    }
}

fn failing(outage: &Outage) -> impl Iterator<Item = surety_core::effect::EffectId> {
    outage.looks.iter().filter(|look| look.fault().is_some()).map(|look| look.id)
}

/// Cases that became final: nobody is accused who served.
pub(crate) fn on_final(env: &mut Env) {
    let block = env.chain.block(env.chain.final_number()).clone();
    while let Some(case) = block.state.cases.get(&(env.check.cases_seen + 1)) {
        env.check.cases_seen += 1;
        let why = match (case.view.kind, block.state.rentals.get(&case.view.rental)) {
            (Kind::Spoofed, _) => wrong_spoof(env, case),
            (_, Some(rental)) => wrong(env, case, rental),
            (_, None) => Some("there is no such rental".to_owned()),
        };
        if let Some(why) = why {
            env.check.false_cases += 1;
            let signers: Vec<String> = case.signers.iter().map(ToString::to_string).collect();
            env.check
                .require(false, || format!("case {} is false: {why}; signed by {}", case.view.id, signers.join(", ")));
        }
    }
}

fn wrong_spoof(env: &Env, case: &Case) -> Option<String> {
    let machine = env.machines.get(&case.machine)?;
    (machine.lies < 2).then(|| format!("the machine signed {} false proofs", machine.lies))
}

fn wrong(env: &Env, case: &Case, rental: &Rental) -> Option<String> {
    let machine = env.machines.get(&rental.view.machine)?;
    let fault = rental.view.faults.iter().find(|fault| fault.case_id == case.view.id)?;
    if machine.steady {
        return Some(format!("{:?} of a machine that never fails", case.view.kind));
    }
    // An ending kind runs on to its filing; what the signers agree on is what is judged.
    let until = fault.until_secs.min(case.attested.1).saturating_sub(CLOCK_SECS);
    let from = fault.from_secs + CLOCK_SECS;
    let served_secs = machine.whole.longest_secs(true, from.min(until), until);
    let most_secs = if case.view.kind == Kind::NotDelivered { FIRST_LOOK_SECS } else { SERVED_MAX_SECS };
    if served_secs > most_secs {
        return Some(format!("the machine served for {served_secs} s in it"));
    }
    let least_secs = match case.view.kind {
        Kind::Offline => env.options.times.min_offline_secs,
        Kind::NotDelivered => env.options.times.delivery_grace_secs,
        Kind::Interrupted | Kind::Spoofed => 0,
    };
    let (from, until) = (case.attested.0.saturating_sub(CLOCK_SECS), case.attested.1 + CLOCK_SECS);
    let out_secs = machine.whole.total_secs(false, from.max(rental.view.start_secs), until);
    let slack_secs = if case.view.kind == Kind::NotDelivered { FIRST_LOOK_SECS } else { least_secs / 2 };
    (out_secs + slack_secs < least_secs).then(|| format!("the machine was out for only {out_secs} s"))
}
