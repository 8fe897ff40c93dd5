//! From looks to statements. Three outcomes, never two: well, failed for a cause, not measured; only failures count.

use crate::court;
use crate::effect::Effect;
use crate::evidence::{EVIDENCE_VERSION, Evidence, Outage, RentalFacts, Subject};
use crate::gaps::longest_open_secs;
use crate::ids::effect_id;
use crate::input::Observation;
use crate::rules::Rules;
use crate::state::State;
use crate::statement::{Attestation, Statement};
use crate::streak::Clip;
use crate::types::{Account, Cause, Hash32, Kind, MachineId, UnixSecs};
use crate::view::{ContractTimes, RentalView};
use crate::watch::{self, Finished, Watch};
use std::cmp::{max, min};
use std::collections::BTreeSet;

/// What a look says about the service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The renter would be let in.
    Ok,
    /// The renter would not, and why.
    Fault(Cause),
    /// Nothing was learnt.
    Unmeasured,
}

/// Judges one look. No observation from the machine's side is "not measured": a server that drops connections after
/// the key exchange, or breaks the protocol, serves no renter, and must not be a way to hide.
pub fn outcome(seen: &Observation) -> Outcome {
    match seen {
        Observation::Accepted => Outcome::Ok,
        Observation::Refused | Observation::Hostile { .. } => Outcome::Fault(Cause::RenterRefused),
        Observation::NoConnection { .. } | Observation::NoHandshake { .. } | Observation::Lost { .. } => {
            Outcome::Fault(Cause::Unreachable)
        }
        Observation::WrongHostKey { .. } => Outcome::Fault(Cause::WrongHostKey),
        Observation::CardsStated { rented, statement } if statement.cards.len() < usize::from(*rented) => {
            Outcome::Fault(Cause::GpusMissing)
        }
        Observation::CardsStated { .. } => Outcome::Ok,
        Observation::NotLooked { .. } => Outcome::Unmeasured,
    }
}

/// Shortest interval that may be signed as this kind: the contract's minimum or the rules', whichever is longer.
/// `None` for kinds that are not about outages.
pub fn least_length_secs(kind: Kind, rules: &Rules, times: &ContractTimes) -> Option<u64> {
    match kind {
        Kind::NotDelivered => Some(max(rules.not_delivered_after_secs, times.delivery_grace_secs)),
        Kind::Interrupted => Some(max(rules.interrupted_min_secs, times.min_interrupted_secs)),
        Kind::Offline => Some(max(rules.offline_after_secs, times.min_offline_secs)),
        Kind::Spoofed => None,
    }
}

/// Failing looks in a row that prove an interval; more when `mass` machines failed together.
pub fn looks_needed(mass: bool, rules: &Rules) -> u32 {
    if mass { rules.proof_looks_mass } else { rules.proof_looks }
}

/// Whether machines of most owners fail together at present: then the fault may lie between them and us. One vote per
/// owner, bonded and formerly healthy machines only, so that nobody shields one outage with a fleet of dead machines.
///
/// Owners are counted only until it is clear that those who fail are not most of them: in a healthy fleet, at once.
pub fn many_fail(state: &State) -> bool {
    let voter = |(machine, watch): (&MachineId, &Watch)| {
        let votes = watch.tenancy.is_some() && watch.last_ok_secs.is_some();
        let node = votes.then(|| state.world.best.nodes.get(machine)).flatten()?;
        let bonded = node.free_rao > 0 || node.reserved_rao > 0 || node.held_rao > 0;
        bonded.then_some(node.miner)
    };
    let suspected = state.watches.awake().filter(|(_, watch)| watch.suspected);
    let failing: BTreeSet<Account> = suspected.filter_map(voter).collect();
    let least = std::cmp::max(state.config.rules.mass_owners_min as usize, 1);
    if failing.len().saturating_mul(2) <= least {
        return false;
    }
    let mut owners: BTreeSet<Account> = BTreeSet::new();
    for owner in state.watches.iter().filter_map(voter) {
        owners.insert(owner);
        if failing.len().saturating_mul(2) <= owners.len() {
            return false;
        }
    }
    owners.len() >= least
}

/// Asks for every signature that is due. Blind, or not an active keeper: for none.
pub(crate) fn sign(state: &mut State, effects: &mut Vec<Effect>) {
    if state.health.blind.is_some() || state.world.best.active_keeper(&state.config.me).is_none() {
        return;
    }
    let machines: Vec<MachineId> = state.watches.awake().map(|(machine, _)| *machine).collect();
    for machine in machines {
        // Taken out while the rest of the state is read; put back below.
        let Some(mut watch) = state.watches.remove(&machine) else {
            continue;
        };
        sign_finished(state, machine, &mut watch, effects);
        sign_lasting(state, machine, &mut watch, effects);
        state.watches.insert(machine, watch);
        watch::forget_idle(state, &machine);
    }
    crate::cards::sign(state, effects);
}

/// A claim about to be made.
struct Claim<'a> {
    kind: Kind,
    from_secs: UnixSecs,
    clip: Clip<'a>,
    rental: &'a RentalView,
    delivered_secs: Option<UnixSecs>,
    looks_needed: u32,
    thinned: u64,
}

/// The outage lasts: after the grace `NotDelivered` or `Offline`, signed anew while it does.
///
/// A keeper that was not there from the start cannot say "never", and says `Offline`. One that was then says so as well,
/// as soon as that is long enough: or neither would be a quorum, and the renter would wait for both.
pub(crate) fn sign_lasting(state: &State, machine: MachineId, watch: &mut Watch, effects: &mut Vec<Effect>) {
    let rules = &state.config.rules;
    let looks_needed = looks_needed(watch.mass, rules);
    let Watch { tenancy: Some(tenancy), streak: Some(streak), said_beside, .. } = watch else {
        return;
    };
    let rental = state.world.best.rentals.get(&tenancy.rental);
    let Some(rental) = rental.filter(|rental| crate::world::is_running(rental, state.signable_secs())) else {
        return;
    };
    let clip = streak.clip(rental.start_secs, min(state.signable_secs(), rental.end_secs));
    let Some(clip) = clip.filter(|clip| clip.proven(looks_needed, rules)) else {
        return;
    };
    let watched = clip.from_secs.saturating_sub(rental.start_secs) <= rules.first_look_lag_secs;
    let never = tenancy.delivered_secs.is_none() && watched;
    let (delivered_secs, thinned) = (tenancy.delivered_secs, streak.thinned());
    let mut sign = |kind, from_secs, last_signed: &mut Option<(Kind, UnixSecs)>| {
        if is_due(state, rental, kind, (from_secs, clip.until_secs), *last_signed) {
            *last_signed = Some((kind, clip.until_secs));
            let claim = Claim { kind, from_secs, clip, rental, delivered_secs, looks_needed, thinned };
            attest(state, machine, &claim, effects);
        }
    };
    if !never {
        return sign(Kind::Offline, clip.from_secs, &mut tenancy.last_signed);
    }
    sign(Kind::NotDelivered, rental.start_secs, &mut tenancy.last_signed);
    if court::peer_says(state, rental, Kind::Offline) {
        sign(Kind::Offline, clip.from_secs, said_beside);
    }
}

/// Whether an outage is long enough for a kind, and what was signed of it last is old, of another kind, or too short
/// for what a peer saw.
fn is_due(
    state: &State,
    rental: &RentalView,
    kind: Kind,
    (from_secs, until_secs): (UnixSecs, UnixSecs),
    last_signed: Option<(Kind, UnixSecs)>,
) -> bool {
    let rules = &state.config.rules;
    let long_enough =
        least_length_secs(kind, rules, &state.times).is_some_and(|least| until_secs.saturating_sub(from_secs) >= least);
    let again = last_signed.is_none_or(|(last_kind, last_until)| {
        let stale = until_secs >= last_until.saturating_add(rules.resign_every_secs);
        last_kind != kind || stale || court::carries_now(state, rental, kind, (from_secs, last_until), until_secs)
    });
    long_enough && again
}

/// An outage is over (the machine came back, the rental ended, or looking was broken off): `Interrupted`.
pub(crate) fn sign_finished(state: &State, machine: MachineId, watch: &mut Watch, effects: &mut Vec<Effect>) {
    let now_secs = state.clock.now_secs();
    let keep_secs = state.config.rules.finished_keep_secs;
    watch.finished.retain(|finished| {
        now_secs.saturating_sub(finished.ended_secs) <= keep_secs && worth_keeping(state, machine, finished)
    });
    for finished in &mut watch.finished {
        let Some(rental) = state.world.best.rentals.get(&finished.rental) else {
            continue;
        };
        let Some(clip) = due(state, finished, rental) else {
            continue;
        };
        let claim = Claim {
            kind: Kind::Interrupted,
            from_secs: clip.from_secs,
            clip,
            rental,
            delivered_secs: finished.delivered_secs,
            looks_needed: finished.looks_needed,
            thinned: finished.streak.thinned(),
        };
        attest(state, machine, &claim, effects);
        let until_secs = clip.until_secs;
        finished.asked = Some((until_secs, state.clock.now_ms));
    }
    if state.config.shadow.contains(&Kind::Interrupted) {
        watch.finished.retain(|finished| finished.asked.is_none());
    }
}

/// Proven, long enough, and not yet recorded where it cannot be undone.
fn worth_keeping(state: &State, machine: MachineId, finished: &Finished) -> bool {
    // After a reorg the id may be that of another machine's rental, of which these looks say nothing.
    let rental = state.world.best.rentals.get(&finished.rental).filter(|rental| rental.machine == machine);
    let Some(rental) = rental else {
        return false;
    };
    let Some(clip) = finished.streak.clip(rental.start_secs, rental.end_secs) else {
        return false;
    };
    let settled =
        state.world.finalized.rentals.get(&finished.rental).is_some_and(|rental| recorded(state, rental, &clip));
    clip.proven(finished.looks_needed, &state.config.rules) && !settled
}

/// Whether what is left of the interval outside recorded faults is too short to file.
fn recorded(state: &State, rental: &RentalView, clip: &Clip<'_>) -> bool {
    let least = least_length_secs(Kind::Interrupted, &state.config.rules, &state.times).unwrap_or(u64::MAX);
    longest_open_secs(rental, clip.from_secs, clip.until_secs) < least
}

/// The interval to sign now: all of it is in the past of the newest block, it is not on chain yet, and no signature
/// over it is under way.
fn due<'a>(state: &State, finished: &'a Finished, rental: &RentalView) -> Option<Clip<'a>> {
    let clip = finished.streak.clip(rental.start_secs, rental.end_secs)?;
    let under_way = finished.asked.is_some_and(|(until_secs, asked_ms)| {
        until_secs == clip.until_secs
            && state.clock.now_ms.saturating_sub(asked_ms) <= state.config.rules.look_timeout_ms
    });
    let least = least_length_secs(Kind::Interrupted, &state.config.rules, &state.times)?;
    let long_enough = clip.until_secs.saturating_sub(clip.from_secs) >= least;
    let past = clip.until_secs <= state.signable_secs();
    (!rental.closed && !under_way && long_enough && past && !recorded(state, rental, &clip)).then_some(clip)
}

/// Our signature came back: the interval needs no further one.
pub(crate) fn on_signed(state: &mut State, signed: &Attestation) {
    if signed.kind != Kind::Interrupted {
        return;
    }
    let answers = |finished: &Finished| {
        let same = finished.asked.is_some_and(|(until_secs, _)| until_secs == signed.until_secs);
        finished.rental == signed.rental && same
    };
    let mut over: Vec<MachineId> = Vec::new();
    for roll in [&mut state.watches, &mut state.cards] {
        roll.edit_awake(|machine, watch| {
            if watch.finished.iter().any(answers) {
                watch.finished.retain(|finished| !answers(finished));
                over.push(*machine);
            }
        });
    }
    over.iter().for_each(|machine| watch::forget_idle(state, machine));
}

/// Asks for the signature, after checking that the evidence carries it.
fn attest(state: &State, machine: MachineId, claim: &Claim<'_>, effects: &mut Vec<Effect>) {
    let rental = claim.rental.id;
    if state.config.shadow.contains(&claim.kind) {
        let id =
            effect_id("alert/shadow", &[&rental.to_be_bytes(), &[claim.kind as u8], &claim.from_secs.to_be_bytes()]);
        let message = format!("shadow: would sign {:?} of rental {rental} from {}", claim.kind, claim.from_secs);
        effects.push(Effect::Alert { id, message });
        return;
    }
    let evidence = bundle(state, machine, claim);
    let signed = evidence.digest().and_then(|digest| {
        let statement = Statement::Attestation(statement(claim, digest));
        evidence.supports(&statement).map(|()| (statement, digest))
    });
    match signed {
        Ok((statement, digest)) => {
            let id = effect_id("sign/attestation", &[&[claim.kind as u8], &rental.to_be_bytes(), &digest.0]);
            effects.push(Effect::Sign { id, statement, evidence: Box::new(evidence) });
        }
        Err(why) => effects.push(unsupported(rental, claim.kind, &why)),
    }
}

fn unsupported(rental: u64, kind: Kind, why: &crate::evidence::EvidenceError) -> Effect {
    let id = effect_id("alert/unsupported", &[&rental.to_be_bytes(), &[kind as u8], why.to_string().as_bytes()]);
    let message =
        format!("did not sign {kind:?} of rental {rental}, its evidence does not carry it: {why}; report this");
    Effect::Alert { id, message }
}

fn statement(claim: &Claim<'_>, evidence: Hash32) -> Attestation {
    Attestation {
        kind: claim.kind,
        rental: claim.rental.id,
        cause: claim.clip.cause,
        from_secs: claim.from_secs,
        until_secs: claim.clip.until_secs,
        evidence,
    }
}

fn bundle(state: &State, machine: MachineId, claim: &Claim<'_>) -> Evidence {
    let outage = Outage {
        kind: claim.kind,
        cause: claim.clip.cause,
        from_secs: claim.from_secs,
        until_secs: claim.clip.until_secs,
        rental: RentalFacts::from(claim.rental),
        endpoint: state.world.best.nodes.get(&machine).and_then(|node| node.endpoint),
        delivered_secs: claim.delivered_secs,
        looks_needed: claim.looks_needed,
        thinned: claim.thinned,
        looks: claim.clip.looks.to_vec(),
    };
    frame(state, Subject::Outage(Box::new(outage)))
}

/// A bundle of this keeper about `subject`.
pub(crate) fn frame(state: &State, subject: Subject) -> Evidence {
    Evidence {
        version: EVIDENCE_VERSION,
        chain_id: state.config.chain_id,
        contracts: state.config.contracts,
        keeper: state.config.me,
        block: state.world.best.block,
        rules: state.config.rules.clone(),
        times: state.times,
        subject,
    }
}

#[cfg(test)]
mod tests;
