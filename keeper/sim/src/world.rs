//! A world from its first second to its last: faults, then healing, then nothing may be left undone.

use crate::actors::{Actors, Liar};
use crate::chain::Chain;
use crate::chain::contracts::Contracts;
use crate::check;
use crate::env::{Env, account, keeper_account};
use crate::keeper::Keeper;
use crate::machines::{Machine, endpoint};
use crate::options::{Options, Role};
use crate::oracle::History;
use crate::rng::Rng;
use crate::summary::Stats;
use std::collections::BTreeMap;
use std::rc::Rc;
use surety_core::types::SshKey;
use surety_core::view::KeeperView;

/// The first second of every world; a multiple of the block time.
pub(crate) const EPOCH: u64 = 1_800_000_000;
/// Outages go on for so long after the healing, so that progress can be asked for.
const OUTAGES_SECS: u64 = 3_600;
/// From then on nothing new; renters leave after this.
const LEAVE_SECS: u64 = 900;
/// Until everything is decided and paid, keepers are given a second this rarely.
const CALM_STEP_SECS: u64 = 6;
/// Bond of a node.
pub(crate) const BOND_RAO: u64 = 20_000_000_000;
const LIMITS_EVERY_SECS: u64 = 600;
const WAITS_EVERY_SECS: u64 = 60;

/// What came of a seed.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What did not hold; empty for a good run.
    pub broken: Vec<String>,
    /// The last events before the end or the first failure.
    pub events: Vec<String>,
    /// Hash over everything that happened.
    pub trace: u64,
    /// The world's kind, for whoever reads a failure.
    pub options: String,
    /// What was measured.
    pub stats: Stats,
}

struct World {
    env: Env,
    keepers: Vec<Keeper>,
    liars: Vec<Liar>,
    actors: Actors,
    /// Events as they stood when the first check failed.
    events: Vec<String>,
}

/// Runs a seed: `fault_secs` seconds under faults, then until all is done.
pub fn run_seed(seed: u64, fault_secs: u64) -> Outcome {
    run(Options::draw(seed, fault_secs))
}

/// Runs a seed without faults of keepers and chain; machines fail as ever.
pub fn run_calm(seed: u64, fault_secs: u64) -> Outcome {
    run(Options::draw(seed, fault_secs).calm())
}

/// Runs a week, or as many seconds of one, with a fleet of some size and rare faults; says in words what it was like.
/// `day` is told how many days are over.
pub fn run_week(seed: u64, secs: u64, day: impl FnMut(u64)) -> (Outcome, String) {
    let options = Options::week(seed, secs);
    let described = format!("{options:?}");
    let mut world = World::new(options);
    world.play(day);
    let report = crate::week::report(&world.env, &world.keepers, EPOCH + secs);
    (world.outcome(described), report)
}

fn run(options: Options) -> Outcome {
    let described = format!("{options:?}");
    let mut world = World::new(options);
    world.play(|_| {});
    world.outcome(described)
}

impl World {
    fn new(options: Options) -> Self {
        let options = Rc::new(options);
        let keeper_views = (0..).zip(&options.weights).map(|(index, weight)| KeeperView {
            account: keeper_account(index),
            weight: *weight,
            active: true,
            ssh_key: SshKey([1; 32]),
            url: String::new(),
        });
        let mut genesis = Contracts::new(&options, keeper_views.collect());
        let mut rng = Rng::new(options.seed, "genesis", 0);
        let mut machines = BTreeMap::new();
        for number in 0..options.machines {
            let machine = Machine::new(&options, number, EPOCH);
            let miner = account("miner", number % options.owners);
            let _ = genesis.register(machine.id, miner, endpoint(number, 0), BOND_RAO);
            if rng.percent(80) {
                let renter = account("renter", number);
                let key = SshKey([2; 32]);
                let _ = genesis.rent(machine.id, renter, key, rng.range(1_200, 12_000), EPOCH);
            }
            machines.insert(machine.id, machine);
        }
        let chain = Chain::new(&options, genesis, EPOCH);
        let mut env = Env::new(options.clone(), chain, machines, EPOCH);
        let mut keepers = Vec::new();
        let mut liars = Vec::new();
        for (index, role) in options.roles.iter().enumerate() {
            match role {
                Role::Strong | Role::Weak => match Keeper::new(&env, index, *role) {
                    Ok(keeper) => keepers.push(keeper),
                    Err(why) => env.check.require(false, || why.to_string()),
                },
                Role::Malicious => liars.push(Liar::new(index, keeper_account(index), options.seed)),
                Role::Dead => {}
            }
        }
        if let Some(first) = keepers.first_mut().filter(|_| options.judged) {
            first.history = Some(History::of(first.account));
        }
        let actors = Actors::new(&env, options.seed);
        Self { env, keepers, liars, actors, events: Vec::new() }
    }

    /// Faults, healing, and the end; nothing is judged yet.
    fn play(&mut self, mut day: impl FnMut(u64)) {
        for second in 1..=self.env.options.fault_secs {
            self.second(1);
            if second.is_multiple_of(86_400) {
                day(second / 86_400);
            }
        }
        self.heal();
        for _ in 0..OUTAGES_SECS {
            self.second(1);
        }
        self.settle();
    }

    fn outcome(mut self, options: String) -> Outcome {
        let stats = self.finish();
        let seed = self.env.options.seed;
        let events = if self.events.is_empty() { self.env.events().cloned().collect() } else { self.events };
        let trace = self.env.trace_value();
        Outcome { seed, broken: self.env.check.broken, events, trace, options, stats }
    }

    /// One second; keepers are given their turn every `step` seconds.
    fn second(&mut self, step: u64) {
        let env = &mut self.env;
        env.now += 1;
        self.actors.second(env);
        let new_block = env.chain.second(env.now);
        let block = env.chain.newest().clone();
        for machine in env.machines.values_mut() {
            machine.second(env.now, &block.state);
        }
        for liar in &mut self.liars {
            liar.second(env);
        }
        for keeper in &mut self.keepers {
            if keeper.has_turn(env.now, step) {
                keeper.second(env);
            }
        }
        if new_block {
            env.trace_hash(block.at.hash);
            check::ledger::on_block(env);
            check::lane::on_final(env);
            check::truth::on_final(env);
        }
        if env.now.is_multiple_of(LIMITS_EVERY_SECS) {
            for state in self.keepers.iter().filter_map(Keeper::state) {
                check::limits::on_state(env, state);
            }
        }
        if env.now.is_multiple_of(WAITS_EVERY_SECS) {
            for keeper in &self.keepers {
                check::waits::on_keeper(env, keeper);
            }
        }
        if self.events.is_empty() && !env.check.broken.is_empty() {
            self.events = env.events().cloned().collect();
        }
    }

    fn heal(&mut self) {
        self.env.healed = true;
        self.env.chain.heal();
        self.env.event(|| "all faults are healed".to_owned());
        for keeper in &mut self.keepers {
            keeper.heal(self.env.now);
        }
    }

    /// No outages any more, then no rentals; then until all is decided, or for as long as that may take.
    fn settle(&mut self) {
        self.env.machines.values_mut().for_each(Machine::heal);
        self.actors.open = false;
        for _ in 0..LEAVE_SECS {
            self.second(1);
        }
        for _ in 0..60 {
            self.actors.end_all(&mut self.env);
            self.second(1);
        }
        // An offer's `minDuration` is not modelled: they are gone now. The longest way of a case: its window, a
        // refund, a late appeal, a silent judge; then a keeper's turn.
        let options = self.env.options.clone();
        let most_secs = options.appeal_window_secs + 3 * options.ruling_window_secs + 3_600;
        for _ in 0..most_secs {
            self.second(CALM_STEP_SECS);
            if self.env.now.is_multiple_of(60) && self.is_done() {
                break;
            }
        }
    }

    fn is_done(&self) -> bool {
        let state = &self.env.chain.block(self.env.chain.final_number()).state;
        state.cases.values().all(|case| case.view.status.is_decided())
            && state.rentals.values().all(|rental| rental.view.closed)
            && self.keepers.iter().all(|keeper| keeper.disk.unfinished() == 0)
    }

    fn finish(&mut self) -> Stats {
        let healed_at = EPOCH + self.env.options.fault_secs;
        check::liveness::at_end(&mut self.env, &self.keepers, healed_at);
        for keeper in &mut self.keepers {
            if let Some(history) = keeper.history.take() {
                history.judge(&mut self.env.check, keeper.index);
            }
        }
        Stats::of(&self.env, &self.keepers, healed_at)
    }
}
