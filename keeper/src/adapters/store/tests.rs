//! The store on real files: what it lets in, what survives, what it tells.
#![allow(clippy::unwrap_used)]

mod archive;
mod ballots;
mod chosen;
mod figures;
mod mirror;
mod opening;
mod outbox;
mod registered;
mod retain;
mod steps;
mod trouble;

use super::*;
use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use surety_core::effect::Intent;
use surety_core::evidence::Contracts;
use surety_core::input::{AnchorResult, ChainUpdate, Observation, ProbeResult, Started, Tick};
use surety_core::rules::Rules;
use surety_core::statement::{Attestation, Certificate};
use surety_core::types::{Account, Cause, Endpoint, Kind, MachineId, Signature, SshKey};
use surety_core::view::{BlockRef, ContractTimes, KeeperView, NodeView, RentalView, View};

/// Start of the rental here, Unix seconds.
const START: u64 = 1_800_000_000;

pub(crate) fn config() -> Config {
    let contracts = Contracts { escrow: Account([101; 20]), arbiter: Account([102; 20]), vault: Account([103; 20]) };
    Config {
        me: Account([1; 20]),
        chain_id: 964,
        contracts,
        rules: Rules::default(),
        shadow: BTreeSet::new(),
        payout: Default::default(),
        seat: Default::default(),
    }
}

fn times() -> ContractTimes {
    ContractTimes {
        settle_lag_secs: 3_600,
        delivery_grace_secs: 600,
        min_interrupted_secs: 60,
        min_offline_secs: 900,
        freshness_secs: 300,
        certificate_life_secs: 86_400,
        spoof_life_secs: 86_400,
    }
}

fn rental() -> RentalView {
    RentalView {
        id: 1,
        machine: MachineId([1; 32]),
        renter: Account([50; 20]),
        renter_key: SshKey([5; 32]),
        gpu_class: 1,
        gpu_count: 8,
        price_rao_per_sec: 1_000,
        start_secs: START,
        end_secs: START + 36_000,
        paid_until_secs: START,
        claimed_secs: 0,
        closed: false,
        faults: Vec::new(),
    }
}

fn node() -> NodeView {
    NodeView {
        machine: MachineId([1; 32]),
        miner: Account([61; 20]),
        registration: 1,
        endpoint: Some(Endpoint { ip: [5, 9, 0, 1].into(), port: 22 }),
        free_rao: 1_000_000_000,
        reserved_rao: 0,
        held_rao: 0,
        exiting_rao: 0,
        offer: None,
        last_rental: 1,
    }
}

fn me() -> KeeperView {
    KeeperView { account: config().me, weight: 1, active: true, ssh_key: SshKey([1; 32]), url: String::new() }
}

/// The chain with a rental of a machine, `at` seconds after [`START`].
fn chain(number: u64, at: u64) -> Input {
    let block = BlockRef { number, hash: Hash32([9; 32]), timestamp_secs: START + at };
    let (nodes, rentals, keepers) = (vec![node()], vec![rental()], Some(vec![me()]));
    let (view, cases, newest) = (View::Best, Vec::new(), None);
    Input::Chain(Box::new(ChainUpdate { view, block, nodes, rentals, cases, keepers, newest, seat: None }))
}

/// A keeper without a world: real core, real store, and a machine that refuses its renter.
pub(crate) struct Run {
    pub(crate) store: Store,
    path: PathBuf,
    pub(crate) state: State,
    pub(crate) seq: u64,
    /// Monotonic milliseconds since [`START`].
    now_ms: u64,
    signs: bool,
    wished: Vec<Effect>,
}

impl Run {
    pub(crate) fn open(path: &Path, config: &Config) -> Self {
        let store = Store::open(path).unwrap();
        let loaded = store.load(path, config).unwrap();
        let path = path.to_path_buf();
        Self { store, path, state: loaded.state, seq: loaded.seq, now_ms: 0, signs: true, wished: Vec::new() }
    }

    pub(crate) fn take(&mut self, input: &Input) -> Vec<Effect> {
        let effects = step(&mut self.state, input);
        self.seq += 1;
        self.store.commit_one(self.seq, input, &effects).unwrap();
        self.wished.extend(effects.iter().cloned());
        effects
    }

    pub(crate) fn start(&mut self) {
        self.take(&Input::Started(Started {
            now_unix_ms: START * 1_000 + self.now_ms,
            now_ms: self.now_ms,
            times: times(),
        }));
    }

    /// Lets this much time pass, ten seconds a tick, granting every wish.
    pub(crate) fn pass(&mut self, secs: u64) {
        let end_ms = self.now_ms + secs * 1_000;
        while self.now_ms < end_ms {
            self.now_ms += 10_000;
            let at = self.now_ms / 1_000;
            let now_unix_ms = START * 1_000 + self.now_ms;
            let mut inputs = VecDeque::from([
                chain(at, at),
                Input::Tick(Tick { now_ms: self.now_ms, now_unix_ms, rpc_healthy: true }),
            ]);
            while let Some(input) = inputs.pop_front() {
                let effects = self.take(&input);
                inputs.extend(effects.iter().filter_map(|effect| self.grant(effect)));
            }
        }
    }

    fn grant(&self, effect: &Effect) -> Option<Input> {
        let (now_ms, at_secs) = (self.now_ms, START + self.now_ms / 1_000);
        match effect {
            Effect::ProbeAnchors { id } => {
                Some(Input::Anchors(AnchorResult { id: *id, ended_ms: now_ms, reachable: 3, asked: 3 }))
            }
            Effect::Probe { id, machine, .. } => Some(Input::Probe(ProbeResult {
                id: *id,
                machine: *machine,
                started_ms: now_ms,
                ended_ms: now_ms,
                at_secs,
                seen: Observation::Refused,
            })),
            Effect::Sign { statement, evidence, .. } if self.signs => {
                self.store.put_evidence(statement.evidence(), evidence).unwrap();
                Some(Input::Signed(signed(*statement)))
            }
            _ => None,
        }
    }

    pub(crate) fn signatures_wished(&self) -> usize {
        self.wished.iter().filter(|effect| matches!(effect, Effect::Sign { .. })).count()
    }

    /// What a power cut leaves now: the file and its write-ahead log, copied while this keeper goes on.
    fn after_power_cut(&self, dir: &Path) -> PathBuf {
        let copy = dir.join("copy.db");
        std::fs::copy(&self.path, &copy).unwrap();
        let log = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
        std::fs::copy(log(&self.path), log(&copy)).unwrap();
        copy
    }
}

fn signed(statement: Statement) -> Signed<Statement> {
    let mut signature = Signature::default();
    signature.0[..32].copy_from_slice(&statement.evidence().0);
    Signed { statement, signer: config().me, signature }
}

fn attestation(rental: u64, evidence: u8) -> Attestation {
    let (kind, cause) = (Kind::Interrupted, Cause::Unreachable);
    let (from_secs, until_secs) = (START + 100, START + 200);
    Attestation { kind, rental, cause, from_secs, until_secs, evidence: Hash32([evidence; 32]) }
}

fn certificate(evidence: u8) -> Certificate {
    let machine = MachineId([1; 32]);
    let measured_at_secs = START;
    Certificate {
        machine,
        registration: 1,
        gpu_class: 1,
        gpu_count: 8,
        measured_at_secs,
        evidence: Hash32([evidence; 32]),
    }
}

fn submit(id: u8) -> Effect {
    Effect::Submit { id: Hash32([id; 32]), intent: Intent::Execute { case_id: id.into() } }
}

/// Some input that changes nothing in the tables but the log.
fn tick() -> Input {
    Input::Tick(Tick { now_ms: 1, now_unix_ms: START * 1_000, rpc_healthy: true })
}

/// Another hand in the file.
pub(crate) fn raw(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

fn count(path: &Path, table: &str) -> i64 {
    raw(path).query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}
