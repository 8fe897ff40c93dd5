//! Machines that signed false capacity proofs, twice: what this keeper says about them, what others say, and filing it.
//!
//! A spoof is the one thing a keeper may sign although another caught it: two proofs signed by the machine itself can
//! be recomputed by anybody. So a peer's statement makes this keeper read the peer's evidence and recompute it; only
//! then does it sign, for itself, with a bundle of its own that holds the same proofs.

use crate::court::backoff_secs;
use crate::effect::{Effect, EffectId, Intent};
use crate::evidence::{BadProof, Recomputed, Spoofing, Subject, fits};
use crate::ids::{effect_id, keccak, tagged};
use crate::input::{SpoofCheck, SpoofOutcome, TxOutcome, TxResult};
use crate::judge;
use crate::limits::{SPOOF_CHECKS_AT_ONCE, SPOOF_FILES_MAX, clip_text};
use crate::quorum::{Offered, agree};
use crate::state::State;
use crate::statement::{Signed, Spoof, Statement};
use crate::types::{Account, Hash32, Kind, MachineId, MonoMs, UnixSecs};
use crate::world::Snapshot;
use serde::{Deserialize, Serialize};
use std::cmp::min;
use std::collections::{BTreeMap, BTreeSet};

/// Proofs remembered as served, per registration: those of 32 spoofs.
const SERVED_MAX: usize = 64;
/// Peers' evidence remembered as not showing what was signed, per registration.
const REFUTED_MAX: usize = 16;

/// One machine's file. It is about one registration; another one begins anew.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct SpoofFile {
    /// The registration.
    pub registration: u32,
    /// Proven to this keeper, and not yet signed.
    pub proven: Option<Box<Proven>>,
    /// The newest statement of each keeper.
    pub spoofs: BTreeMap<Account, Signed<Spoof>>,
    /// A peer's evidence being recomputed.
    pub check: Option<Check>,
    /// Checks so far.
    pub checks: u32,
    /// Peers whose evidence could not be read. One that hides its own keeps nobody from hearing another.
    #[serde(default)]
    pub unread: BTreeMap<Account, Unread>,
    /// Evidence that does not show what its keeper signed, or shows what has served before.
    pub refuted: BTreeSet<Hash32>,
    /// Digests of the proofs that a statement of this keeper rests on: a proof serves once.
    pub served: Vec<Hash32>,
    /// A case could be filed since then, Unix seconds.
    pub ready_since_secs: Option<UnixSecs>,
    /// The filing under way.
    pub filing: Option<EffectId>,
    /// Filings so far.
    pub attempts: u32,
    /// Filings that failed since the last that succeeded.
    pub failures: u32,
    /// No filing before this time, Unix seconds.
    pub retry_at_secs: UnixSecs,
}

/// What this keeper knows to be a spoof.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Proven {
    /// The proofs and what they are about.
    pub spoofing: Spoofing,
    /// When the signature was asked for, monotonic.
    pub asked_ms: Option<MonoMs>,
}

/// A check being made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Check {
    /// Its effect.
    pub id: EffectId,
    /// Whose evidence.
    pub peer: Account,
    /// When it was asked for, monotonic.
    pub at_ms: MonoMs,
}

/// How often in a row a peer's evidence could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Unread {
    /// So often.
    pub failures: u32,
    /// Not before this time again, Unix seconds.
    pub retry_at_secs: UnixSecs,
}

/// All files.
pub type SpoofFiles = BTreeMap<MachineId, SpoofFile>;

/// A new run: nothing is in flight.
pub(crate) fn restart(files: &mut SpoofFiles) {
    for file in files.values_mut() {
        file.check = None;
        file.proven.iter_mut().for_each(|proven| proven.asked_ms = None);
    }
}

/// The file of a machine's present registration.
fn file_of(state: &mut State, machine: MachineId, registration: u32) -> Option<&mut SpoofFile> {
    let current = is_current(&state.world.best, &machine, registration);
    let room = state.spoofs.len() < SPOOF_FILES_MAX || state.spoofs.contains_key(&machine);
    if !current || !room || registration == 0 {
        return None;
    }
    let file = state.spoofs.entry(machine).or_default();
    if file.registration != registration {
        *file = SpoofFile { registration, ..SpoofFile::default() };
    }
    Some(file)
}

/// Whether this registration is the machine's, and not retired: the Arbiter takes no case about another.
fn is_current(best: &Snapshot, machine: &MachineId, registration: u32) -> bool {
    let node = best.nodes.get(machine);
    node.is_some_and(|node| node.registration == registration && node.miner != Account::default())
}

/// When the last `Spoofed` of this registration was filed; 0 for never.
fn last_spoofed_secs(view: &Snapshot, registration: u32) -> UnixSecs {
    let spoofed = view.cases.values().filter(|case| case.kind == Kind::Spoofed && case.registration == registration);
    spoofed.map(|case| case.filed_at_secs).max().unwrap_or(0)
}

/// This keeper has two false proofs in hand. Proofs that served before, or that are no two, are left out; says whether
/// they were taken.
pub(crate) fn prove(state: &mut State, spoofing: Spoofing) -> bool {
    let sound = spoofing.proofs.iter().all(fits) && spoofing.proofs[0].transcript != spoofing.proofs[1].transcript;
    let Some(file) = file_of(state, spoofing.machine, spoofing.registration).filter(|_| sound) else {
        return false;
    };
    let fresh = spoofing.proofs.iter().all(|bad| !file.served.contains(&digest(bad)));
    // What cannot be remembered any more could come again under a new date, from a peer as from nobody else.
    let forgets = file.served.len().saturating_add(spoofing.proofs.len()) > SERVED_MAX;
    let taken = fresh && file.proven.is_none() && !(forgets && spoofing.recomputed.is_some());
    if taken {
        file.proven = Some(Box::new(Proven { spoofing, asked_ms: None }));
    }
    taken
}

fn digest(bad: &BadProof) -> Hash32 {
    keccak(&serde_json::to_vec(&bad.transcript).unwrap_or_default())
}

/// A peer's statement arrived.
pub(crate) fn on_peer(state: &mut State, signed: &Signed<Spoof>) {
    if signed.signer != state.config.me {
        keep(state, signed);
    }
}

/// Stores a statement when it is sound: by an active keeper, about a present registration, neither stale nor ahead.
fn keep(state: &mut State, signed: &Signed<Spoof>) {
    let Spoof { machine, registration, gpu_count, proved_at_secs, evidence, .. } = signed.statement;
    let best = &state.world.best;
    let latest_secs = best.block.timestamp_secs.saturating_add(state.config.rules.clock_skew_max_secs);
    let fresh = proved_at_secs.saturating_add(state.times.spoof_life_secs) >= best.block.timestamp_secs;
    let after_last = last_spoofed_secs(best, registration) < proved_at_secs;
    let active = best.active_keeper(&signed.signer).is_some();
    if !active || !fresh || !after_last || gpu_count == 0 || proved_at_secs > latest_secs {
        return;
    }
    let Some(file) = file_of(state, machine, registration).filter(|file| !file.refuted.contains(&evidence)) else {
        return;
    };
    let newest = file.spoofs.get(&signed.signer).is_none_or(|old| old.statement.proved_at_secs < proved_at_secs);
    if newest {
        file.spoofs.insert(signed.signer, signed.clone());
    }
}

/// Our own signature came back.
pub(crate) fn on_signed(state: &mut State, signed: &Signed<Spoof>) {
    keep(state, signed);
    let Some(file) = state.spoofs.get_mut(&signed.statement.machine) else {
        return;
    };
    if let Some(proven) = file.proven.take() {
        file.served.extend(proven.spoofing.proofs.iter().map(digest));
        let too_many = file.served.len().saturating_sub(SERVED_MAX);
        file.served.drain(..too_many);
    }
}

/// Statements that can serve no more are let go, and files with nothing in them.
pub(crate) fn forget(state: &mut State) {
    let (best, life_secs, now_ms) = (&state.world.best, state.times.spoof_life_secs, state.clock.now_ms);
    let timeout_ms = state.config.rules.measure_timeout_ms;
    state.spoofs.retain(|machine, file| {
        let last_secs = last_spoofed_secs(best, file.registration);
        let serves =
            |at_secs: UnixSecs| last_secs < at_secs && at_secs.saturating_add(life_secs) >= best.block.timestamp_secs;
        file.spoofs.retain(|_, signed| serves(signed.statement.proved_at_secs));
        file.unread.retain(|peer, _| file.spoofs.contains_key(peer));
        file.proven = file.proven.take().filter(|proven| serves(proven.spoofing.proved_at_secs));
        file.check = file.check.filter(|check| now_ms.saturating_sub(check.at_ms) <= timeout_ms);
        let current = is_current(best, machine, file.registration);
        let empty = file.spoofs.is_empty() && file.proven.is_none() && file.served.is_empty();
        file.filing.is_some() || (current && !empty)
    });
}

/// Recomputes, signs and files what is due. Blind, or not an active keeper: nothing.
pub(crate) fn decide(state: &mut State, effects: &mut Vec<Effect>) {
    if state.spoofs.is_empty() || state.health.blind.is_some() {
        return;
    }
    forget(state);
    if state.world.best.active_keeper(&state.config.me).is_none() {
        return;
    }
    let mut files = std::mem::take(&mut state.spoofs);
    let mut checks = files.values().filter(|file| file.check.is_some()).count();
    for (machine, file) in &mut files {
        if checks < SPOOF_CHECKS_AT_ONCE && check(state, machine, file, effects) {
            checks += 1;
        }
        sign(state, machine, file, effects);
        file_case(state, machine, file, effects);
    }
    state.spoofs = files;
}

/// Asks for a peer's evidence to be recomputed, unless this keeper has spoken already. Peers take turns.
fn check(state: &State, machine: &MachineId, file: &mut SpoofFile, effects: &mut Vec<Effect>) -> bool {
    let me = &state.config.me;
    let done = file.proven.is_some() || file.spoofs.contains_key(me) || state.config.shadow.contains(&Kind::Spoofed);
    if done || file.check.is_some() {
        return false;
    }
    let now_secs = state.clock.now_secs();
    let waits = |peer: &Account| file.unread.get(peer).is_some_and(|unread| now_secs < unread.retry_at_secs);
    let ready: Vec<(&Account, &Signed<Spoof>)> = file.spoofs.iter().filter(|(peer, _)| !waits(peer)).collect();
    let turn = (file.checks as usize).checked_rem(ready.len()).unwrap_or(0);
    let Some((peer, signed)) = ready.get(turn).copied() else {
        return false;
    };
    file.checks = file.checks.saturating_add(1);
    let Some(keeper) = state.world.best.active_keeper(peer) else {
        return false;
    };
    let (peer, spoof, url) = (*peer, signed.statement, keeper.url.clone());
    let id = effect_id("check-spoof", &[&machine.0, &spoof.evidence.0, &peer.0, &file.checks.to_be_bytes()]);
    file.check = Some(Check { id, peer, at_ms: state.clock.now_ms });
    effects.push(Effect::CheckSpoof { id, peer, url, spoof });
    true
}

/// A peer's evidence was recomputed, or could not be.
pub(crate) fn on_checked(state: &mut State, result: &SpoofCheck, effects: &mut Vec<Effect>) {
    let (now_secs, rules) = (state.clock.now_secs(), &state.config.rules);
    let Some(file) = state.spoofs.get_mut(&result.machine) else {
        return;
    };
    let Some(check) = file.check.filter(|check| check.id == result.id) else {
        return;
    };
    file.check = None;
    let Some(claim) = file.spoofs.get(&check.peer).map(|signed| signed.statement) else {
        return;
    };
    let before = file.unread.remove(&check.peer).unwrap_or_default();
    match &result.outcome {
        SpoofOutcome::Bad { proofs } => {
            let Spoof { machine, registration, gpu_class, gpu_count, proved_at_secs, evidence } = claim;
            let recomputed = Some(Recomputed { keeper: check.peer, evidence });
            let proofs = (**proofs).clone();
            let spoofing = Spoofing { machine, registration, gpu_class, gpu_count, proved_at_secs, recomputed, proofs };
            // Real proofs under a new date would be recomputed for ever.
            if !prove(state, spoofing)
                && let Some(file) = state.spoofs.get_mut(&machine)
            {
                refute(file, &check.peer, claim.evidence);
            }
        }
        SpoofOutcome::NotShown { why } => {
            refute(file, &check.peer, claim.evidence);
            let id = effect_id("alert/false-spoof", &[&check.peer.0, &claim.evidence.0]);
            let (peer, machine) = (check.peer, result.machine);
            let why = clip_text(why);
            let message = format!("keeper {peer} says that machine {machine} spoofed; its evidence says not: {why}");
            effects.push(Effect::Alert { id, message });
        }
        SpoofOutcome::Unread { .. } => {
            let wait_secs = min(backoff_secs(rules.measure_retry_secs, before.failures), rules.measure_retry_max_secs);
            let (failures, retry_at_secs) = (before.failures.saturating_add(1), now_secs.saturating_add(wait_secs));
            file.unread.insert(check.peer, Unread { failures, retry_at_secs });
        }
    }
}

/// A peer's statement counts no more.
fn refute(file: &mut SpoofFile, peer: &Account, evidence: Hash32) {
    file.spoofs.remove(peer);
    if file.refuted.len() < REFUTED_MAX {
        file.refuted.insert(evidence);
    }
}

/// Asks for the signature over what is proven, after checking that the evidence carries it.
fn sign(state: &State, machine: &MachineId, file: &mut SpoofFile, effects: &mut Vec<Effect>) {
    let (now_ms, timeout_ms) = (state.clock.now_ms, state.config.rules.look_timeout_ms);
    let Some(proven) = &mut file.proven else { return };
    let under_way = proven.asked_ms.is_some_and(|asked_ms| now_ms.saturating_sub(asked_ms) <= timeout_ms);
    if under_way || proven.spoofing.proved_at_secs > state.signable_secs() {
        return;
    }
    if state.config.shadow.contains(&Kind::Spoofed) {
        let at_secs = proven.spoofing.proved_at_secs;
        let id = effect_id("alert/shadow-spoofed", &[&machine.0, &at_secs.to_be_bytes()]);
        effects.push(Effect::Alert { id, message: format!("shadow: would sign Spoofed of machine {machine}") });
        file.proven = None;
        return;
    }
    proven.asked_ms = Some(now_ms);
    let Spoofing { registration, gpu_class, gpu_count, proved_at_secs, .. } = proven.spoofing;
    let evidence = judge::frame(state, Subject::Spoof(Box::new(proven.spoofing.clone())));
    let statement = evidence.digest().and_then(|digest| {
        let (machine, evidence_digest) = (*machine, digest);
        let spoof = Spoof { machine, registration, gpu_class, gpu_count, proved_at_secs, evidence: evidence_digest };
        evidence.supports(&spoof.into()).map(|()| Statement::Spoof(spoof))
    });
    match statement {
        Ok(statement) => {
            let id = effect_id("sign/spoof", &[&machine.0, &statement.evidence().0]);
            effects.push(Effect::Sign { id, statement, evidence: Box::new(evidence) });
        }
        Err(why) => {
            let id = effect_id("alert/unsupported-spoof", &[&machine.0, why.to_string().as_bytes()]);
            let message = format!("did not sign Spoofed of machine {machine}, its evidence does not carry it: {why}");
            effects.push(Effect::Alert { id, message });
            file.proven = None;
        }
    }
}

/// Files what a quorum says, when it is this keeper's turn.
fn file_case(state: &State, machine: &MachineId, file: &mut SpoofFile, effects: &mut Vec<Effect>) {
    let now_secs = state.clock.now_secs();
    if file.filing.is_some() || now_secs < file.retry_at_secs {
        return;
    }
    let Some(intent) = plan(state, machine, file) else {
        file.ready_since_secs = None;
        return;
    };
    let ready_secs = *file.ready_since_secs.get_or_insert(now_secs);
    let turn_secs = rank(state, machine).saturating_mul(state.config.rules.file_rank_delay_secs);
    if now_secs < ready_secs.saturating_add(turn_secs) {
        return;
    }
    file.attempts = file.attempts.saturating_add(1);
    // The statements are part of the meaning: a file that was let go and began anew counts from the start again.
    let meaning = keccak(&serde_json::to_vec(&intent).unwrap_or_default());
    let id = effect_id("file-spoofed", &[&machine.0, &file.attempts.to_be_bytes(), &meaning.0]);
    file.filing = Some(id);
    effects.push(Effect::Submit { id, intent });
}

/// The case that the Arbiter would take at the newest block: a quorum about one class and count, by as few as carry it.
/// A keeper that has not recomputed the proofs itself leaves it to those that have.
pub fn plan(state: &State, machine: &MachineId, file: &SpoofFile) -> Option<Intent> {
    let best = &state.world.best;
    let registration = file.registration;
    if !is_current(best, machine, registration) || !file.spoofs.contains_key(&state.config.me) {
        return None;
    }
    let last_secs = last_spoofed_secs(best, registration);
    let usable: Vec<&Signed<Spoof>> =
        file.spoofs.values().filter(|signed| is_usable(state, signed, last_secs)).collect();
    let kinds: BTreeSet<(u16, u16)> =
        usable.iter().map(|signed| (signed.statement.gpu_class, signed.statement.gpu_count)).collect();
    kinds.into_iter().find_map(|(gpu_class, gpu_count)| {
        let same = |signed: &Signed<Spoof>| (signed.statement.gpu_class, signed.statement.gpu_count);
        let offered: Vec<Offered> = usable
            .iter()
            .enumerate()
            .filter(|(_, signed)| same(signed) == (gpu_class, gpu_count))
            // Nobody's interval: all agree or they are left out.
            .map(|(index, signed)| Offered { signer: signed.signer, index, from_secs: 0, until_secs: 1 })
            .collect();
        let agreed = agree(&best.keepers, &offered)?;
        let spoofs = agreed.members.values().filter_map(|index| usable.get(*index).map(|one| (*one).clone())).collect();
        Some(Intent::FileSpoofed { machine: *machine, registration, gpu_class, gpu_count, spoofs })
    })
}

/// Signed by an active keeper, after the last `Spoofed`, not after the newest block, and fresh enough to be mined.
fn is_usable(state: &State, signed: &Signed<Spoof>, last_secs: UnixSecs) -> bool {
    let (now_secs, life_secs) = (state.world.best.block.timestamp_secs, state.times.spoof_life_secs);
    let margin_secs = min(state.config.rules.file_margin_secs, life_secs / 2);
    let at_secs = signed.statement.proved_at_secs;
    let fresh = at_secs.saturating_add(life_secs.saturating_sub(margin_secs)) >= now_secs;
    let active = state.world.best.active_keeper(&signed.signer).is_some();
    active && fresh && last_secs < at_secs && at_secs <= now_secs
}

/// This keeper's place in the order for a machine: keepers act one after another, each given time to.
fn rank(state: &State, machine: &MachineId) -> u64 {
    let place = |account: &Account| tagged("surety/spoof-order", &[&machine.0, &account.0]);
    let mine = place(&state.config.me);
    state.world.best.active_keepers().filter(|keeper| place(&keeper.account) < mine).count() as u64
}

/// A filing reached its end.
pub(crate) fn on_tx(state: &mut State, result: &TxResult, effects: &mut Vec<Effect>) {
    let now_secs = state.clock.now_secs();
    let retry_secs = state.config.rules.submit_retry_secs;
    let Some((machine, file)) = state.spoofs.iter_mut().find(|(_, file)| file.filing == Some(result.id)) else {
        return;
    };
    file.filing = None;
    file.ready_since_secs = None;
    match &result.outcome {
        TxOutcome::Settled => {
            file.failures = 0;
            file.retry_at_secs = now_secs.saturating_add(retry_secs);
        }
        TxOutcome::Failed { why } => {
            file.retry_at_secs = now_secs.saturating_add(backoff_secs(retry_secs, file.failures));
            file.failures = file.failures.saturating_add(1);
            let id = effect_id("alert/file-spoofed-failed", &[&result.id.0]);
            let message = format!("filing Spoofed of machine {machine} failed: {}; it is tried again", clip_text(why));
            effects.push(Effect::Alert { id, message });
        }
    }
}

#[cfg(test)]
mod tests;
