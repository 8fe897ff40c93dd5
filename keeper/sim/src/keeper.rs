//! One keeper's process: the core's loop, its feeds and its deeds, dying at any write.

mod deeds;
mod lane;
mod others;

use crate::disk::{Disk, effects_digest};
use crate::env::{Env, keeper_account};
use crate::net::{Net, Wall};
use crate::options::Role;
use crate::oracle::History;
use crate::rng::{Episodes, Rng};
use crate::rpc::Follower;
use std::collections::{BTreeMap, BTreeSet};
use surety_core::effect::EffectId;
use surety_core::evidence::Contracts;
use surety_core::input::{Input, Started, Tick};
use surety_core::outbox::Answer;
use surety_core::state::{Config, State};
use surety_core::statement::{Attestation, Signed};
use surety_core::step::step;
use surety_core::suspects::{Suspect, suspects};
use surety_core::types::{Account, Kind, MachineId, Signature, UnixSecs};
use surety_core::view::View;

pub(crate) use deeds::{Due, LookTruth, describe_claim, describe_statement};

/// Polls of the chain and of peers, and rounds of the lane, come every three seconds (`chain.poll_ms`); the lane wakes
/// for what is new besides.
const ROUND_SECS: u64 = 3;
/// Without an answer for this long the RPC is not healthy: three polls, and never less than 15 s.
const RPC_PATIENCE_SECS: u64 = 15;

/// What dies with the process.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) state: State,
    mono0: UnixSecs,
    waiting: BTreeMap<(UnixSecs, u64), Due>,
    queued: u64,
    best: Follower,
    finalized: Follower,
    best_read_at: Option<UnixSecs>,
    pub(super) answers: BTreeMap<EffectId, Answer>,
    cursors: Vec<usize>,
    early: Vec<Signed<Attestation>>,
    /// Statements about spoofs that were heard: each counts once in a run.
    heard: BTreeSet<Signature>,
    /// What each peer was heard to show as failing.
    hinted: Vec<BTreeSet<MachineId>>,
    frozen_until: UnixSecs,
    /// An intent was queued since the last round of the lane.
    pub(super) lane_woken: bool,
}

/// A keeper that runs the core.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) index: usize,
    pub(crate) account: Account,
    pub(crate) role: Role,
    pub(crate) disk: Disk,
    run: Option<Run>,
    down_until: UnixSecs,
    pub(super) rng: Rng,
    pub(crate) net: Net,
    pub(crate) wall: Wall,
    crashes: Episodes,
    phase: u64,
    /// What was really so when a look was made.
    pub(crate) looks: BTreeMap<EffectId, LookTruth>,
    /// Everything committed, for the naive judge.
    pub(crate) history: Option<History>,
    /// Times it died.
    pub(crate) deaths: u64,
    /// Seconds in which its process was there and did not trust its eyes, and in which it was not there.
    pub(crate) blind_secs: u64,
    pub(crate) down_secs: u64,
}

impl Keeper {
    pub(crate) fn new(env: &Env, index: usize, role: Role) -> Result<Self, surety_core::rules::RulesError> {
        let options = &env.options;
        let contract = |name| crate::env::account(name, 0);
        let config = Config {
            me: keeper_account(index),
            chain_id: 964,
            contracts: Contracts { escrow: contract("escrow"), arbiter: contract("arbiter"), vault: contract("vault") },
            rules: Default::default(),
            shadow: if options.spoofs { BTreeSet::new() } else { BTreeSet::from([Kind::Spoofed]) },
            payout: options.payout,
            seat: Default::default(),
        };
        let machines: Vec<MachineId> = env.machines.keys().copied().collect();
        let mut rng = Rng::new(options.seed, "keeper", index as u64);
        let crash_rng = Rng::new(options.seed, "crashes", index as u64);
        let phase = rng.below(ROUND_SECS);
        Ok(Self {
            index,
            account: config.me,
            role,
            disk: Disk::new(State::new(config)?, options.snapshot_every),
            run: None,
            down_until: env.now + rng.below(20),
            net: Net::new(options, index, &machines, env.now),
            wall: Wall::new(options, index, env.now),
            crashes: Episodes::new(crash_rng, options.faults.crash_gap_secs, (1, 1), env.now),
            phase,
            rng,
            looks: BTreeMap::new(),
            history: None,
            deaths: 0,
            blind_secs: 0,
            down_secs: 0,
        })
    }

    pub(crate) fn heal(&mut self, now: UnixSecs) {
        self.net.heal();
        self.wall.heal(now);
        self.crashes.heal();
        self.down_until = self.down_until.min(now + 10);
    }

    /// A second passes.
    pub(crate) fn second(&mut self, env: &mut Env) {
        self.net.second(env.now, env.chain.tip());
        self.wall.second(env.now);
        let blind = self.state().map(|state| state.health.blind.is_some());
        self.blind_secs += u64::from(blind == Some(true));
        self.down_secs += u64::from(blind.is_none());
        if self.run.is_none() {
            if env.now >= self.down_until {
                self.start(env);
            }
            return;
        }
        if self.crashes.on(env.now) {
            return self.die(env, false);
        }
        if self.is_frozen(env) {
            return;
        }
        self.deliver(env);
        if env.now % ROUND_SECS == self.phase {
            self.read_chain(env, View::Best);
            self.read_chain(env, View::Finalized);
            self.show_hints(env);
            self.ask_peers(env);
            self.ask_about_spoofs(env);
        }
        if env.now % ROUND_SECS == self.phase || self.run.as_ref().is_some_and(|run| run.lane_woken) {
            self.carry_lane(env);
        }
        self.tick(env);
    }

    /// The loop stands still now and then (a slow disk, a paused host).
    fn is_frozen(&mut self, env: &Env) -> bool {
        let rare = self.rare(env, 10);
        let secs = self.rng.range(5, 200);
        let Some(run) = &mut self.run else { return false };
        if rare {
            run.frozen_until = env.now + secs;
        }
        env.now < run.frozen_until
    }

    /// A rare turn, so many times less often than the world's odds.
    pub(super) fn rare(&mut self, env: &Env, less_often: u64) -> bool {
        !env.healed && self.rng.chance(env.options.faults.rare_ppm / less_often)
    }

    /// Whether the process dies at this write.
    pub(super) fn dies_here(&mut self, env: &Env) -> bool {
        !env.healed && self.rng.chance(env.options.faults.crash_at_write_ppm)
    }

    pub(super) fn die(&mut self, env: &mut Env, torn: bool) {
        let Some(run) = self.run.take() else { return };
        self.deaths += 1;
        if let Some(board) = env.boards.get_mut(self.index) {
            board.hints.clear();
        }
        self.disk.died(run.state, torn);
        self.down_until = env.now + self.rng.range(1, env.options.faults.down_max_secs.max(1));
        let (index, secs) = (self.index, self.down_until - env.now);
        env.event(|| format!("keeper {index} dies, torn: {torn}; back in {secs} s"));
        env.trace(0xdead);
    }

    fn start(&mut self, env: &mut Env) {
        let loaded = self.disk.load(&mut env.check);
        let keepers = env.boards.len();
        self.run = Some(Run {
            state: loaded.state,
            mono0: env.now,
            waiting: BTreeMap::new(),
            queued: 0,
            best: Follower::new(View::Best),
            finalized: Follower::new(View::Finalized),
            best_read_at: None,
            answers: BTreeMap::new(),
            cursors: vec![0; keepers],
            early: Vec::new(),
            heard: BTreeSet::new(),
            hinted: vec![BTreeSet::new(); keepers],
            frozen_until: 0,
            lane_woken: false,
        });
        let (now_unix_ms, now_ms) = (self.wall.now_ms(env.now), self.mono_ms(env.now));
        let times = env.options.times;
        if self.feed(env, Input::Started(Started { now_unix_ms, now_ms, times })) {
            for effect in loaded.unsigned {
                self.dispatch(env, effect);
            }
        }
    }

    /// Milliseconds of this run.
    pub(super) fn mono_ms(&self, now: UnixSecs) -> u64 {
        let since = self.run.as_ref().map_or(now, |run| run.mono0);
        (now - since) * 1_000 + self.phase * 31
    }

    /// Step, commit, and only then let the wishes out. False when the process died.
    pub(super) fn feed(&mut self, env: &mut Env, input: Input) -> bool {
        let Some(run) = &mut self.run else { return false };
        let effects = step(&mut run.state, &input);
        if self.dies_here(env) {
            self.die(env, true);
            return false;
        }
        let (Some(run), Some(board)) = (&self.run, env.boards.get_mut(self.index)) else { return false };
        self.disk.commit(&input, &effects, &run.state, board);
        env.trace(effects_digest(&effects));
        if let Some(history) = &mut self.history {
            history.note(&input, &effects);
        }
        if self.dies_here(env) {
            self.die(env, false);
            return false;
        }
        effects.into_iter().all(|effect| self.dispatch(env, effect))
    }

    /// Lets something happen in so many seconds.
    pub(super) fn later(&mut self, env: &Env, in_secs: u64, due: Due) {
        if let Some(run) = &mut self.run {
            run.queued += 1;
            run.waiting.insert((env.now + in_secs, run.queued), due);
        }
    }

    fn deliver(&mut self, env: &mut Env) {
        while let Some(run) = &mut self.run
            && let Some(first) = run.waiting.first_entry()
            && first.key().0 <= env.now
        {
            let due = first.remove();
            if let Some(input) = self.answer(env, due) {
                self.feed(env, input);
            }
        }
    }

    fn read_chain(&mut self, env: &mut Env, view: View) {
        let Some(head) = self.net.head(env.chain.tip()) else { return };
        let lost = self.net.loses_logs();
        let failed = self.rare(env, 1);
        let Some(run) = &mut self.run else { return };
        if failed {
            return;
        }
        let update = match view {
            View::Best => {
                run.best_read_at = Some(env.now);
                let suspects: Vec<Suspect> = suspects(&run.state).collect();
                run.best.poll(&env.chain, head, lost, &suspects)
            }
            View::Finalized => run.finalized.poll(&env.chain, head.min(env.chain.final_number()), lost, &[]),
        };
        if let Some(update) = update {
            self.feed(env, Input::Chain(Box::new(update)));
        }
    }

    fn tick(&mut self, env: &mut Env) {
        let (now_ms, now_unix_ms) = (self.mono_ms(env.now), self.wall.now_ms(env.now));
        let Some(run) = &self.run else { return };
        let rpc_healthy = run.best_read_at.is_some_and(|at| env.now - at <= RPC_PATIENCE_SECS);
        self.feed(env, Input::Tick(Tick { now_ms, now_unix_ms, rpc_healthy }));
    }

    /// Every second, or in calm times once a round.
    pub(crate) fn has_turn(&self, now: UnixSecs, step_secs: u64) -> bool {
        now % step_secs == self.phase % step_secs
    }

    pub(crate) fn state(&self) -> Option<&State> {
        self.run.as_ref().map(|run| &run.state)
    }

    pub(super) fn run_mut(&mut self) -> Option<&mut Run> {
        self.run.as_mut()
    }
}
