//! Turns wishes into what the world makes of them.

use super::Keeper;
use crate::chain::contracts::Call;
use crate::chain::signature::sign;
use crate::env::Env;
use crate::machines::LOOK_SECS;
use crate::options::Role;
use surety_core::effect::{Effect, EffectId, Intent};
use surety_core::input::{AnchorResult, Input, MeasureResult, Observation, ProbeResult};
use surety_core::statement::{Attestation, Signed, Spoof, Statement};
use surety_core::types::{Account, Endpoint, MachineId, UnixSecs};

/// Something under way in the process.
#[derive(Debug)]
pub(crate) enum Due {
    Input(Input),
    Look { id: EffectId, machine: MachineId, endpoint: Endpoint, start: LookStart },
    Anchors { id: EffectId, reached: bool },
    Measure { id: EffectId, machine: MachineId, registration: u32 },
    Cards { id: EffectId, machine: MachineId, start: LookStart },
    Check { id: EffectId, peer: Account, spoof: Spoof },
}

/// The moment a look began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LookStart {
    pub(super) at: UnixSecs,
    pub(super) at_secs: UnixSecs,
    pub(super) started_ms: u64,
    pub(super) reached: bool,
    pub(super) served: bool,
}

/// When a failing look was made in truth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LookTruth {
    pub(crate) machine: MachineId,
    pub(crate) began: UnixSecs,
    pub(crate) ended: UnixSecs,
}

impl Keeper {
    /// Grants a wish. False when the process died over it.
    pub(super) fn dispatch(&mut self, env: &mut Env, effect: Effect) -> bool {
        match effect {
            Effect::Probe { id, endpoint, machine, .. } => self.look(env, id, machine, endpoint),
            Effect::ProbeAnchors { id } => {
                let reached = self.net.reaches_anchors();
                let secs = if reached { self.rng.range(1, 2) } else { 5 };
                self.later(env, secs, Due::Anchors { id, reached });
            }
            Effect::Measure { id, machine, registration, .. } => {
                let secs = self.rng.range(10, 60);
                if !self.rare(env, 1) {
                    self.later(env, secs, Due::Measure { id, machine, registration });
                }
            }
            Effect::Inventory { id, machine, endpoint } => self.ask_cards(env, id, machine, endpoint),
            Effect::CheckSpoof { id, peer, spoof, .. } => {
                let secs = self.rng.range(1, 5);
                if !self.rare(env, 1) {
                    self.later(env, secs, Due::Check { id, peer, spoof });
                }
            }
            Effect::Sign { statement, evidence, .. } => {
                // The real process asks each time; it is the dearest thing here.
                let supported = if self.rng.percent(10) { evidence.supports(&statement) } else { Ok(()) };
                env.check.require(supported.is_ok(), || format!("asked to sign without support: {supported:?}"));
                crate::check::truth::before_signing(self, env, &statement, &evidence);
                env.tally.on_signed(&statement);
                if let (Statement::Spoof(spoof), Some(board)) = (&statement, env.boards.get_mut(self.index)) {
                    board.bundles.insert(spoof.evidence, *evidence);
                }
                if self.dies_here(env) {
                    self.die(env, false);
                    return false;
                }
                let signature = match &statement {
                    Statement::Attestation(claim) => sign(&self.account, claim),
                    Statement::Certificate(claim) => sign(&self.account, claim),
                    Statement::Spoof(claim) => sign(&self.account, claim),
                };
                let signed = Signed { statement, signer: self.account, signature };
                let secs = if self.rare(env, 1) { 30 } else { 1 };
                self.later(env, secs, Due::Input(Input::Signed(signed)));
            }
            Effect::Submit { id, intent } => {
                self.judge_intent(env, id, &intent);
                self.run_mut().into_iter().for_each(|run| run.lane_woken = true);
            }
            Effect::Alert { message, .. } => {
                let bug = message.contains("report this");
                env.check.require(!bug, || format!("a keeper reports a bug: {message}"));
                let index = self.index;
                env.event(|| format!("keeper {index} alerts: {message}"));
            }
        }
        true
    }

    /// A keeper whose view is up to date must not ask for what the contract refuses at that very block.
    fn judge_intent(&mut self, env: &mut Env, id: EffectId, intent: &Intent) {
        let Some(state) = self.state() else { return };
        let at = state.world.best.block;
        let block = env.chain.block(at.number).clone();
        let index = self.index;
        env.event(|| format!("keeper {index} submits {} as {id}", describe(intent)));
        if self.role == Role::Strong && block.at == at {
            let tried = block.state.clone().call(&Call::Intent(intent.clone()), at.timestamp_secs);
            let ok = tried.is_ok() || tried == Err("RaoLedger_CreditTooSmall");
            env.check.require(ok, || {
                format!("keeper {index} asks for what the contract refuses with {tried:?}: {}", describe(intent))
            });
        }
    }

    fn look(&mut self, env: &mut Env, id: EffectId, machine: MachineId, endpoint: Endpoint) {
        let Some(target) = env.machines.get(&machine) else { return };
        let reached = self.net.reaches(&machine) && env.chain.newest().state.endpoint(&machine) == Some(endpoint);
        let served = target.serves();
        let secs = if reached { target.latency_secs() } else { LOOK_SECS };
        let (at_secs, started_ms) = (self.wall.now_ms(env.now) / 1_000, self.mono_ms(env.now));
        let start = LookStart { at: env.now, at_secs, started_ms, reached, served };
        // Now and then the prober itself never answers.
        if !self.rare(env, 1) {
            self.later(env, secs.max(1), Due::Look { id, machine, endpoint, start });
        }
    }

    /// The input that something under way ends in.
    pub(super) fn answer(&mut self, env: &mut Env, due: Due) -> Option<Input> {
        Some(match due {
            Due::Input(input) => input,
            Due::Anchors { id, reached } => {
                let reachable = if reached && self.net.reaches_anchors() { 3 } else { 0 };
                Input::Anchors(AnchorResult { id, ended_ms: self.mono_ms(env.now), reachable, asked: 3 })
            }
            Due::Measure { id, machine, registration } => {
                let target = env.machines.get_mut(&machine)?;
                let (at_secs, outcome) = (self.wall.now_ms(env.now) / 1_000, target.measured(registration));
                Input::Measure(MeasureResult { id, machine, registration, at_secs, outcome })
            }
            Due::Cards { id, machine, start } => self.cards(env, id, machine, start)?,
            Due::Check { id, peer, spoof } => self.check_spoof(env, id, peer, spoof),
            Due::Look { id, machine, endpoint, start } => {
                let seen = self.seen(env, machine, endpoint, start)?;
                if seen != Observation::Accepted {
                    self.looks.insert(id, LookTruth { machine, began: start.at, ended: env.now });
                }
                let (started_ms, ended_ms) = (start.started_ms, self.mono_ms(env.now));
                Input::Probe(ProbeResult { id, machine, started_ms, ended_ms, at_secs: start.at_secs, seen })
            }
        })
    }

    fn seen(&mut self, env: &Env, machine: MachineId, endpoint: Endpoint, start: LookStart) -> Option<Observation> {
        let target = env.machines.get(&machine)?;
        let there = env.chain.newest().state.endpoint(&machine) == Some(endpoint);
        if self.rare(env, 1) {
            return Some(Observation::NotLooked { why: "no sockets".to_owned() });
        }
        if !start.reached || !self.net.reaches(&machine) || !there {
            return Some(Observation::NoConnection { why: "timeout".to_owned() });
        }
        // It must have been there at both ends.
        let seen = target.seen();
        if seen == Observation::Accepted && !start.served {
            return Some(Observation::Lost { why: "came up meanwhile".to_owned() });
        }
        Some(seen)
    }
}

/// An intent in one line, with seconds of this world.
pub(crate) fn describe(intent: &Intent) -> String {
    match intent {
        Intent::File { kind, rental, gap, attestations } => {
            let says: Vec<String> = attestations.iter().map(|signed| describe_claim(&signed.statement)).collect();
            format!("File {kind:?} of rental {rental} in gap {gap}: {}", says.join(", "))
        }
        Intent::Execute { case_id } => format!("Execute case {case_id}"),
        Intent::FlushBurn => "FlushBurn".to_owned(),
        Intent::FileSpoofed { machine, .. } => format!("FileSpoofed of {machine}"),
        Intent::Join { .. } => "Join".to_owned(),
        Intent::CheckIn { .. } => "CheckIn".to_owned(),
        Intent::Close { rentals } => format!("Close {rentals:?}"),
        Intent::Claim { rental, past_secs } => format!("Claim for rental {rental}, paid until {}", secs(*past_secs)),
    }
}

/// An attestation in one line.
pub(crate) fn describe_claim(it: &Attestation) -> String {
    format!("{:?} of rental {} {}..{}", it.kind, it.rental, secs(it.from_secs), secs(it.until_secs))
}

fn secs(at: UnixSecs) -> u64 {
    at.saturating_sub(crate::world::EPOCH)
}

/// A statement in one line.
pub(crate) fn describe_statement(statement: &Statement) -> String {
    match statement {
        Statement::Attestation(it) => describe_claim(it),
        Statement::Spoof(it) => format!("spoof of {} at {}", it.machine, secs(it.proved_at_secs)),
        Statement::Certificate(it) => format!("certificate of {} at {}", it.machine, secs(it.measured_at_secs)),
    }
}
