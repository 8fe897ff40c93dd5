//! One keeper in a small world: machines that behave as told, a chain, peers. Time moves in ticks of a second.

use crate::chain::{Chain, some_hash, times};
use std::collections::BTreeMap;
use surety_core::cards::CardsStatement;
use surety_core::complaints::{Complaint, ComplaintCode};
use surety_core::effect::{Effect, Intent};
use surety_core::evidence::{BadProof, Contracts, Evidence};
use surety_core::hints::Hint;
use surety_core::input::{
    AnchorResult, ChainUpdate, Input, InventoryOutcome, InventoryResult, MeasureOutcome, MeasureResult, Observation,
    ProbeResult, SpoofCheck, SpoofOutcome, Started, Tick, TxOutcome, TxResult,
};
use surety_core::payout::PayoutRules;
use surety_core::rules::Rules;
use surety_core::state::{Config, State};
use surety_core::statement::{Attestation, Signed, Spoof, Statement};
use surety_core::step::step;
use surety_core::types::{Account, Cause, Ed25519Signature, Kind, MachineId, Signature, SshKey};
use surety_core::view::View;

/// The world's first second.
pub(crate) const UNIX0: u64 = 1_800_000_000;
const BLOCK_SECS: u64 = 12;
const FINALITY_SECS: u64 = 24;

pub(crate) fn account(name: &str) -> Account {
    let mut bytes = [0u8; 20];
    bytes.copy_from_slice(&some_hash(name).0[..20]);
    Account(bytes)
}

pub(crate) fn machine(name: &str) -> MachineId {
    MachineId(some_hash(name).0)
}

pub(crate) fn ssh_key(name: &str) -> SshKey {
    SshKey(some_hash(name).0)
}

pub(crate) fn config() -> Config {
    Config {
        me: account("me"),
        chain_id: 964,
        contracts: Contracts { escrow: account("escrow"), arbiter: account("arbiter"), vault: account("vault") },
        rules: Rules::default(),
        shadow: Default::default(),
        payout: PayoutRules::OFF,
        seat: Default::default(),
    }
}

/// One step: the second, the input, what it caused.
#[derive(Clone, Debug)]
pub(crate) struct Stepped {
    pub(crate) secs: u64,
    pub(crate) input: Input,
    pub(crate) effects: Vec<Effect>,
}

/// The world.
pub(crate) struct Sim {
    pub(crate) state: State,
    pub(crate) chain: Chain,
    pub(crate) secs: u64,
    pub(crate) mono0_secs: u64,
    pub(crate) wall_off_secs: i64,
    pub(crate) machines: BTreeMap<MachineId, String>,
    pub(crate) measures: BTreeMap<MachineId, String>,
    /// Cards a machine states; none: it does not answer.
    pub(crate) cards: BTreeMap<MachineId, u16>,
    pub(crate) anchors_up: bool,
    pub(crate) rpc_up: bool,
    pub(crate) tx_fails: Option<String>,
    pub(crate) echoes: Vec<(Account, i64)>,
    /// What a peer's evidence about a spoof shows: `bad`, `good` or `gone`.
    pub(crate) spoof_evidence: String,
    pub(crate) log: Vec<Stepped>,
    waiting: Vec<(u64, Input)>,
    submitted: Vec<(Intent, surety_core::effect::EffectId)>,
    finalizing: Vec<(u64, ChainUpdate)>,
}

impl Sim {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            state: State::new(config).unwrap(),
            chain: Chain { window_secs: 86_400, ..Chain::default() },
            secs: 0,
            mono0_secs: 0,
            wall_off_secs: 0,
            machines: BTreeMap::new(),
            measures: BTreeMap::new(),
            cards: BTreeMap::new(),
            anchors_up: true,
            rpc_up: true,
            tx_fails: None,
            echoes: Vec::new(),
            spoof_evidence: "bad".to_owned(),
            log: Vec::new(),
            waiting: Vec::new(),
            submitted: Vec::new(),
            finalizing: Vec::new(),
        }
    }

    pub(crate) fn now_secs(&self) -> u64 {
        UNIX0 + self.secs
    }

    fn wall_secs(&self) -> u64 {
        self.now_secs().checked_add_signed(self.wall_off_secs).unwrap()
    }

    fn mono_ms(&self) -> u64 {
        (self.secs - self.mono0_secs) * 1_000 + 7
    }

    pub(crate) fn feed(&mut self, input: Input) {
        let effects = step(&mut self.state, &input);
        for effect in &effects {
            self.answer(effect);
        }
        self.log.push(Stepped { secs: self.secs, input, effects });
    }

    /// A new run of the process.
    pub(crate) fn start(&mut self) {
        self.mono0_secs = self.secs;
        self.waiting.clear();
        let now_unix_ms = self.wall_secs() * 1_000;
        self.feed(Input::Started(Started { now_unix_ms, now_ms: self.mono_ms(), times: times() }));
    }

    /// The keeper is down for so long; the world goes on.
    pub(crate) fn down(&mut self, secs: u64) {
        for _ in 0..secs {
            self.secs += 1;
            if self.secs.is_multiple_of(BLOCK_SECS) {
                self.mine();
            }
        }
        self.start();
    }

    pub(crate) fn run(&mut self, secs: u64) {
        for _ in 0..secs {
            self.secs += 1;
            if self.secs.is_multiple_of(BLOCK_SECS) {
                let update = self.mine();
                if self.rpc_up {
                    self.feed(Input::Chain(Box::new(update)));
                }
            }
            let final_now: Vec<ChainUpdate> = take_due(&mut self.finalizing, self.secs);
            let rpc_up = self.rpc_up;
            for update in final_now.into_iter().filter(|_| rpc_up) {
                self.feed(Input::Chain(Box::new(update)));
            }
            for input in take_due(&mut self.waiting, self.secs) {
                self.feed(input);
            }
            let (now_ms, now_unix_ms) = (self.mono_ms(), self.wall_secs() * 1_000);
            self.feed(Input::Tick(Tick { now_ms, now_unix_ms, rpc_healthy: self.rpc_up }));
        }
    }

    /// A block: what was submitted is performed, and finality follows.
    fn mine(&mut self) -> ChainUpdate {
        let now_secs = self.now_secs();
        for (intent, id) in std::mem::take(&mut self.submitted) {
            let outcome = match self.tx_fails.take() {
                Some(why) => Err(why),
                None => self.chain.perform(&intent, now_secs),
            };
            let outcome = outcome.map_or_else(|why| TxOutcome::Failed { why }, |()| TxOutcome::Settled);
            self.waiting.push((self.secs + FINALITY_SECS + 2, Input::Tx(TxResult { id, outcome })));
        }
        let number = self.secs / BLOCK_SECS;
        let finalized = self.chain.update(View::Finalized, number, now_secs);
        self.finalizing.push((self.secs + FINALITY_SECS, finalized));
        self.chain.update(View::Best, number, now_secs)
    }

    fn answer(&mut self, effect: &Effect) {
        let next = self.secs + 1;
        match effect {
            Effect::Probe { id, machine, .. } => {
                let behaviour = self.machines.get(machine).map_or("up", String::as_str);
                let Some(seen) = seen(behaviour) else { return };
                let started_ms = self.mono_ms();
                let at_secs = self.wall_secs();
                let (id, machine, ended_ms) = (*id, *machine, started_ms + 300);
                let result = ProbeResult { id, machine, started_ms, ended_ms, at_secs, seen };
                let took_secs = if behaviour == "hangs" { 25 } else { 1 };
                let ended_ms = started_ms + took_secs * 1_000 - 700;
                let result = ProbeResult { ended_ms, ..result };
                self.waiting.push((self.secs + took_secs, Input::Probe(result)));
            }
            Effect::ProbeAnchors { id } => {
                let reachable = if self.anchors_up { 3 } else { 0 };
                let result = AnchorResult { id: *id, ended_ms: self.mono_ms() + 200, reachable, asked: 3 };
                self.waiting.push((next, Input::Anchors(result)));
            }
            Effect::Inventory { id, machine, .. } => {
                let (id, machine, started_ms, at_secs) = (*id, *machine, self.mono_ms(), self.wall_secs());
                let ended_ms = started_ms + 400;
                let outcome = stated(self.cards.get(&machine).copied());
                let result = InventoryResult { id, machine, started_ms, ended_ms, at_secs, outcome };
                self.waiting.push((next, Input::Inventory(result)));
            }
            Effect::Measure { id, machine, registration, gpu_class, gpu_count, .. } => {
                let behaviour = self.measures.get(machine).map_or("proves", String::as_str);
                let Some(outcome) = measured(behaviour, self.secs, *gpu_class, *gpu_count) else {
                    return;
                };
                let (id, machine, registration) = (*id, *machine, *registration);
                let at_secs = self.wall_secs() + 5;
                let result = MeasureResult { id, machine, registration, at_secs, outcome };
                self.waiting.push((self.secs + 5, Input::Measure(result)));
            }
            Effect::CheckSpoof { id, spoof, .. } => {
                let outcome = recomputed(&self.spoof_evidence, spoof);
                let result = SpoofCheck { id: *id, machine: spoof.machine, outcome };
                self.waiting.push((self.secs + 2, Input::SpoofChecked(result)));
            }
            Effect::Sign { statement, evidence, .. } => self.sign(statement, evidence),
            Effect::Submit { id, intent } => self.submitted.push((intent.clone(), *id)),
            Effect::Alert { .. } => {}
        }
    }

    /// Signs, after checking what every signature must rest on; peers that agree sign too.
    fn sign(&mut self, statement: &Statement, evidence: &Evidence) {
        evidence.supports(statement).unwrap();
        let signer = self.state.config.me;
        let own = Signed { statement: *statement, signer, signature: Signature::default() };
        self.waiting.push((self.secs + 1, Input::Signed(own)));
        if let Statement::Spoof(spoof) = statement {
            for (signer, _) in self.echoes.clone() {
                let signed = Signed { statement: *spoof, signer, signature: Signature::default() };
                self.waiting.push((self.secs + 3, Input::PeerSpoof(signed)));
            }
        }
        let Statement::Attestation(claim) = statement else {
            return;
        };
        for (signer, off) in self.echoes.clone() {
            let shifted = |secs: u64| secs.checked_add_signed(off).unwrap();
            let from_secs = if claim.kind == Kind::NotDelivered { claim.from_secs } else { shifted(claim.from_secs) };
            let statement = Attestation { from_secs, until_secs: shifted(claim.until_secs), ..*claim };
            let signed = Signed { statement, signer, signature: Signature::default() };
            self.waiting.push((self.secs + 2, Input::Peer(signed)));
        }
    }

    pub(crate) fn peer(&mut self, name: &str, kind: Kind, rental: u64, from: u64, until: u64) {
        let (from_secs, until_secs) = (UNIX0 + from, UNIX0 + until);
        let (cause, evidence) = (Cause::Unreachable, some_hash(name));
        let statement = Attestation { kind, rental, cause, from_secs, until_secs, evidence };
        self.feed(Input::Peer(Signed { statement, signer: account(name), signature: Signature::default() }));
    }

    pub(crate) fn peer_spoof(&mut self, name: &str, node: &str, gpu_count: u16, at: u64) {
        let (machine, evidence) = (machine(node), some_hash(name));
        let proved_at_secs = UNIX0 + at;
        let statement = Spoof { machine, registration: 1, gpu_class: 1, gpu_count, proved_at_secs, evidence };
        self.feed(Input::PeerSpoof(Signed { statement, signer: account(name), signature: Signature::default() }));
    }

    pub(crate) fn hint(&mut self, name: &str, node: &str) {
        self.feed(Input::Hint(Hint { peer: account(name), machines: vec![machine(node)] }));
    }

    /// The renter of a rental complains about missing cards.
    pub(crate) fn complain(&mut self, rental: u64) -> Option<()> {
        let (text, code) = (String::new(), ComplaintCode::CardsMissing);
        let statement = Complaint { rental, code, text, issued_at_secs: self.wall_secs() };
        let signer = self.chain.rentals.get(&rental)?.renter;
        self.feed(Input::Complaint(Signed { statement, signer, signature: Signature::default() }));
        Some(())
    }

    /// All attestations the keeper asked to sign, as (kind, rental, from, until, cause), times from the world's start.
    pub(crate) fn attested(&self) -> Vec<(Kind, u64, u64, u64, Cause)> {
        let effects = self.log.iter().flat_map(|stepped| &stepped.effects);
        let claims = effects.filter_map(|effect| match effect {
            Effect::Sign { statement: Statement::Attestation(claim), .. } => Some(*claim),
            _ => None,
        });
        claims
            .map(|claim| {
                let (from, until) = (claim.from_secs - UNIX0, claim.until_secs - UNIX0);
                (claim.kind, claim.rental, from, until, claim.cause)
            })
            .collect()
    }

    pub(crate) fn count(&self, wanted: impl Fn(&Effect) -> bool) -> usize {
        self.log.iter().flat_map(|stepped| &stepped.effects).filter(|effect| wanted(effect)).count()
    }
}

pub(crate) fn recomputed(shows: &str, spoof: &Spoof) -> SpoofOutcome {
    let why = || "as the script says".to_owned();
    let proof = |before: u64| {
        let at_secs = spoof.proved_at_secs - before;
        BadProof { at_secs, why: why(), transcript: serde_json::json!({ "at": at_secs }) }
    };
    match shows {
        "bad" => SpoofOutcome::Bad { proofs: Box::new([proof(20), proof(0)]) },
        "good" => SpoofOutcome::NotShown { why: why() },
        _ => SpoofOutcome::Unread { why: why() },
    }
}

fn take_due<T>(list: &mut Vec<(u64, T)>, secs: u64) -> Vec<T> {
    let (due, rest): (Vec<_>, Vec<_>) = std::mem::take(list).into_iter().partition(|(at, _)| *at <= secs);
    *list = rest;
    due.into_iter().map(|(_, input)| input).collect()
}

/// What a look at a machine of this behaviour sees; `None` when no answer ever comes.
fn seen(behaviour: &str) -> Option<Observation> {
    let why = behaviour.to_owned();
    Some(match behaviour {
        "up" => Observation::Accepted,
        "refuses" => Observation::Refused,
        "down" => Observation::NoConnection { why },
        "garbage" | "hangs" => Observation::NoHandshake { why },
        "wrong-key" => Observation::WrongHostKey { got: why },
        "drops" => Observation::Lost { why },
        "hostile" => Observation::Hostile { what: why },
        "unlooked" => Observation::NotLooked { why },
        "silent" => return None,
        other => panic!("no machine behaves like {other}"),
    })
}

/// What a machine with so many cards says about them.
pub(crate) fn stated(cards: Option<u16>) -> InventoryOutcome {
    let Some(count) = cards else { return InventoryOutcome::Unmeasured { why: "no answer".to_owned() } };
    let cards = (0..count).map(|number| format!("GPU-{number}")).collect();
    let statement = CardsStatement { registration: 1, cards, signature: Ed25519Signature::default() };
    InventoryOutcome::Stated { statement }
}

fn measured(behaviour: &str, session: u64, gpu_class: u16, gpu_count: u16) -> Option<MeasureOutcome> {
    let transcript = serde_json::json!({"rounds": 8, "session": session});
    Some(match behaviour {
        "proves" => MeasureOutcome::Proven { gpu_class, gpu_count, transcript },
        "one-card" => MeasureOutcome::Proven { gpu_class, gpu_count: 1, transcript },
        "lies" => MeasureOutcome::BadProof { why: "row 7".to_owned(), transcript },
        "slow" => MeasureOutcome::Underperforming { why: "half".to_owned() },
        "busy" => MeasureOutcome::Unmeasured { why: "out of memory".to_owned() },
        "silent" => return None,
        other => panic!("no machine measures like {other}"),
    })
}
