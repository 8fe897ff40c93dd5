//! How fast one core folds inputs, and what a quiet machine costs in memory.
//!
//! `cargo bench -p surety-core` : 10,000 machines, 5,000 of them rented, all well, five hours of their time. Printed:
//! inputs a second in all and by kind, how many times faster than real time that is, and bytes a quiet machine.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use surety_core::effect::Effect;
use surety_core::evidence::Contracts;
use surety_core::input::{AnchorResult, ChainUpdate, Input, Observation, ProbeResult, Started, Tick};
use surety_core::payout::PayoutRules;
use surety_core::rules::Rules;
use surety_core::state::{Config, State};
use surety_core::step::step;
use surety_core::types::{Account, Endpoint, Hash32, MachineId, SshKey};
use surety_core::view::{BlockRef, ContractTimes, KeeperView, NodeView, RentalView, View};

const MACHINES: u32 = 10_000;
const RENTED: u32 = 5_000;
const SECS: u64 = 18_000;
const START_SECS: u64 = 1_800_000_000;

/// Time this thread has run, as Linux counts it: what else the machine does is left out.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split_whitespace().next().unwrap().parse().unwrap())
}

/// Memory this process holds, in bytes, as Linux counts it.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

fn machine(n: u32) -> MachineId {
    MachineId(surety_core::ids::keccak(&n.to_be_bytes()).0)
}

fn account(n: u8) -> Account {
    Account([n; 20])
}

fn node(n: u32) -> NodeView {
    let [_, b, c, d] = n.to_be_bytes();
    NodeView {
        machine: machine(n),
        miner: account(7),
        registration: n + 1,
        endpoint: Some(Endpoint { ip: [5, 10 + b, c, d].into(), port: 22 }),
        free_rao: 1_000_000_000,
        reserved_rao: 0,
        held_rao: 0,
        exiting_rao: 0,
        offer: None,
        last_rental: if n < RENTED { u64::from(n) + 1 } else { 0 },
    }
}

fn rental(n: u32) -> RentalView {
    RentalView {
        id: u64::from(n) + 1,
        machine: machine(n),
        renter: account(8),
        renter_key: SshKey([9; 32]),
        gpu_class: 1,
        gpu_count: 8,
        price_rao_per_sec: 1_000,
        start_secs: START_SECS,
        end_secs: START_SECS + 10_000_000,
        paid_until_secs: START_SECS,
        claimed_secs: 0,
        closed: false,
        faults: Vec::new(),
    }
}

fn keeper(config: Config) -> State {
    let mut state = State::new(config).unwrap();
    let times = ContractTimes { settle_lag_secs: 3_600, certificate_life_secs: 86_400, ..ContractTimes::default() };
    step(&mut state, &Input::Started(Started { now_unix_ms: START_SECS * 1_000, now_ms: 0, times }));
    state
}

/// What a quiet machine costs: many keepers that know the same machines at both ends of the chain, so that what was
/// only needed on the way there does not count.
fn quiet_bytes(config: &Config) -> usize {
    const KEEPERS: usize = 16;
    let nodes: Vec<NodeView> = (0..MACHINES).map(node).collect();
    let mut ends = [update(0, nodes.clone(), Vec::new()), update(0, nodes, Vec::new())];
    if let Input::Chain(finalized) = &mut ends[1] {
        finalized.view = View::Finalized;
    }
    let know = |_| {
        let mut state = keeper(config.clone());
        ends.iter().for_each(|input| drop(step(&mut state, input)));
        state
    };
    let first = know(0);
    let before = resident_bytes();
    let many: Vec<State> = (0..KEEPERS).map(know).collect();
    let bytes = (resident_bytes() - before) / KEEPERS / MACHINES as usize;
    drop((first, many));
    bytes
}

fn update(number: u64, nodes: Vec<NodeView>, rentals: Vec<RentalView>) -> Input {
    let timestamp_secs = START_SECS + number * 12;
    let block = BlockRef { number, hash: surety_core::ids::keccak(&number.to_be_bytes()), timestamp_secs };
    let keeper = KeeperView {
        account: account(1),
        weight: 1,
        active: true,
        ssh_key: SshKey([1; 32]),
        url: "http://keeper.example".to_owned(),
    };
    let keepers = (number == 0).then(|| vec![keeper]);
    let (view, cases, newest) = (View::Best, Vec::new(), None);
    Input::Chain(Box::new(ChainUpdate { view, block, nodes, rentals, cases, keepers, newest, seat: None }))
}

/// Time spent and inputs taken, by kind of input.
#[derive(Default)]
struct Spent {
    by_kind: BTreeMap<&'static str, (u64, Duration)>,
}

impl Spent {
    /// Folds inputs, those of one kind in a row timed together.
    fn feed_all(&mut self, state: &mut State, inputs: &[Input]) -> Vec<Vec<Effect>> {
        let mut effects = Vec::with_capacity(inputs.len());
        for same in inputs.chunk_by(|a, b| kind(a) == kind(b)) {
            let begun = Instant::now();
            same.iter().for_each(|input| effects.push(step(state, input)));
            let entry = self.by_kind.entry(kind(&same[0])).or_default();
            entry.0 += same.len() as u64;
            entry.1 += begun.elapsed();
        }
        effects
    }
}

fn kind(input: &Input) -> &'static str {
    match input {
        Input::Probe(_) => "look",
        Input::Anchors(_) => "anchors",
        Input::Chain(_) => "block",
        _ => "tick",
    }
}

fn answer(effect: &Effect, secs: u64) -> Option<Input> {
    let ended_ms = secs * 1_000 + 900;
    match effect {
        Effect::Probe { id, machine, .. } => Some(Input::Probe(ProbeResult {
            id: *id,
            machine: *machine,
            started_ms: secs * 1_000,
            ended_ms,
            at_secs: START_SECS + secs,
            seen: Observation::Accepted,
        })),
        Effect::ProbeAnchors { id } => Some(Input::Anchors(AnchorResult { id: *id, ended_ms, reachable: 3, asked: 3 })),
        _ => None,
    }
}

fn main() {
    let contracts = Contracts { escrow: account(2), arbiter: account(3), vault: account(4) };
    let rules = Rules { network_looks_max: 10_000, ..Rules::default() };
    let config = Config {
        me: account(1),
        chain_id: 964,
        contracts,
        rules,
        shadow: Default::default(),
        payout: PayoutRules::OFF,
        seat: Default::default(),
    };
    let quiet_bytes = quiet_bytes(&config);
    let mut state = keeper(config);
    step(&mut state, &update(0, (RENTED..MACHINES).map(node).collect(), Vec::new()));
    step(&mut state, &update(0, (0..RENTED).map(node).collect(), (0..RENTED).map(rental).collect()));

    let mut spent = Spent::default();
    let mut waiting: Vec<Input> = Vec::new();
    let mut busy = Duration::ZERO;
    for secs in 1..=SECS {
        let mut inputs = std::mem::take(&mut waiting);
        if secs % 12 == 0 {
            inputs.push(update(secs / 12, Vec::new(), (0..5).map(rental).collect()));
        }
        inputs.push(Input::Tick(Tick {
            now_ms: secs * 1_000,
            now_unix_ms: (START_SECS + secs) * 1_000,
            rpc_healthy: true,
        }));
        let begun = cpu();
        let effects = spent.feed_all(&mut state, &inputs);
        busy += cpu().saturating_sub(begun);
        waiting.extend(effects.iter().flatten().filter_map(|effect| answer(effect, secs)));
    }
    let inputs: u64 = spent.by_kind.values().map(|(count, _)| count).sum();
    println!("{MACHINES} machines, {RENTED} rented, {SECS} s");
    for (kind, (count, time)) in &spent.by_kind {
        println!("  {kind:8} {count:>9}  {:>9.2} us each", time.as_secs_f64() * 1e6 / *count as f64);
    }
    println!("inputs a second: {:.0}", inputs as f64 / busy.as_secs_f64());
    println!("times real time: {:.0}", SECS as f64 / busy.as_secs_f64());
    println!("bytes a quiet machine: {quiet_bytes}");
    println!("state {}", Hash32(state.hash().0));
}
