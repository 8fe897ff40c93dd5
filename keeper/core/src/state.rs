//! The whole memory of a keeper: a fold of [`crate::step::step`] over the log.

use crate::capacity::{Agenda, Capacity};
use crate::complaints::Complaints;
use crate::court::Court;
use crate::evidence::Contracts;
use crate::health::Health;
use crate::hosts::Hosts;
use crate::ids::keccak;
use crate::input::{Started, Tick};
use crate::limits::TIME_MAX_SECS;
use crate::payout::{Payout, PayoutRules};
use crate::roll::Roll;
use crate::rules::{Rules, RulesError};
use crate::seat::{SeatRules, SeatWork};
use crate::settle::Settle;
use crate::spoof::SpoofFiles;
use crate::types::{Account, Hash32, Kind, MachineId, MonoMs, UnixSecs};
use crate::view::ContractTimes;
use crate::watch::Watch;
use crate::world::World;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Who this keeper is and what it judges by; fixed when its store is created.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Config {
    /// The account it signs and sends with.
    pub me: Account,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// The contracts it works for.
    pub contracts: Contracts,
    /// The numbers it judges by.
    pub rules: Rules,
    /// Kinds that are judged and reported, but not signed.
    #[serde(default)]
    pub shadow: BTreeSet<Kind>,
    /// What it pays gas for, for others.
    #[serde(default)]
    pub payout: PayoutRules,
    /// What it does about its own seat.
    #[serde(default, skip_serializing_if = "SeatRules::is_default")]
    pub seat: SeatRules,
}

/// Time as the inputs told it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Clock {
    /// Runs of the process so far; monotonic times compare only within one.
    pub run: u32,
    /// Monotonic time at the start of this run.
    pub started_ms: MonoMs,
    /// Newest monotonic time of this run.
    pub now_ms: MonoMs,
    /// Newest wall clock, Unix milliseconds; follows the clock back as well.
    pub now_unix_ms: u64,
}

impl Clock {
    /// Wall clock in Unix seconds.
    pub fn now_secs(&self) -> UnixSecs {
        self.now_unix_ms / 1_000
    }

    /// A monotonic time from a result, at most a minute ahead: only ticks move the clock. It is never made earlier than
    /// now: what ended after an anchor round was asked for must not seem to have ended before.
    pub(crate) fn sane_ms(&self, ms: MonoMs) -> MonoMs {
        std::cmp::min(ms, self.now_ms.saturating_add(60_000))
    }

    fn start(&mut self, started: &Started) {
        self.run = self.run.saturating_add(1);
        self.started_ms = started.now_ms;
        self.now_ms = started.now_ms;
        self.set_wall(started.now_unix_ms);
    }

    fn tick(&mut self, tick: &Tick) {
        self.now_ms = std::cmp::max(self.now_ms, tick.now_ms);
        self.set_wall(tick.now_unix_ms);
    }

    fn set_wall(&mut self, unix_ms: u64) {
        self.now_unix_ms = std::cmp::min(unix_ms, TIME_MAX_SECS.saturating_mul(1_000));
    }
}

/// Everything a keeper remembers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct State {
    /// Who it is.
    pub config: Config,
    /// What the contracts were deployed with, as the last start said.
    pub times: ContractTimes,
    /// What time it is.
    pub clock: Clock,
    /// The chain as last read.
    pub world: World,
    /// Whether its own eyes are to be trusted.
    pub health: Health,
    /// Machines looked at, by identity.
    pub watches: Roll,
    /// Machines are rented that there was no room to watch.
    #[serde(default)]
    pub watches_refused: bool,
    /// What rented machines say about their cards.
    #[serde(default)]
    pub cards: Roll,
    /// Machines that were asked which cards they have, until the answer or the end of its time.
    #[serde(default)]
    pub inventories: BTreeSet<MachineId>,
    /// Complaints being looked into, by rental.
    #[serde(default, skip_serializing_if = "Complaints::is_empty")]
    pub complaints: Complaints,
    /// When each host was last contacted.
    pub hosts: Hosts,
    /// Measurements and certificates, by machine.
    pub capacity: BTreeMap<MachineId, Capacity>,
    /// Whose measurement is to be thought about.
    #[serde(default)]
    pub agenda: Agenda,
    /// Attestations of all keepers and filings under way.
    pub court: Court,
    /// Executions and burns under way.
    pub settle: Settle,
    /// The payout under way.
    pub payout: Payout,
    /// Its own seat.
    #[serde(default, skip_serializing_if = "SeatWork::is_default")]
    pub seat: SeatWork,
    /// Machines that signed false proofs.
    #[serde(default)]
    pub spoofs: SpoofFiles,
}

/// What a look is judged by, while the record of looks is being changed.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub(crate) config: &'a Config,
    pub(crate) clock: &'a Clock,
    pub(crate) world: &'a World,
    pub(crate) times: &'a ContractTimes,
    pub(crate) health: &'a Health,
}

impl State {
    /// A keeper that has seen nothing yet.
    ///
    /// # Errors
    /// The rules are out of bounds for this chain.
    pub fn new(config: Config) -> Result<Self, RulesError> {
        config.rules.check(config.chain_id)?;
        Ok(Self {
            config,
            times: ContractTimes::default(),
            clock: Clock::default(),
            world: World::default(),
            health: Health::default(),
            watches: Roll::default(),
            watches_refused: false,
            cards: Roll::default(),
            inventories: BTreeSet::new(),
            complaints: Complaints::new(),
            hosts: Hosts::default(),
            capacity: BTreeMap::new(),
            agenda: Agenda::default(),
            court: Court::default(),
            settle: Settle::default(),
            payout: Payout::default(),
            seat: SeatWork::default(),
            spoofs: SpoofFiles::new(),
        })
    }

    /// keccak256 over the state's bytes. Fields in order of declaration and sorted maps give one state one encoding.
    pub fn hash(&self) -> Hash32 {
        // No field can fail to serialise (keys are text or integers); the empty hash would show in every comparison.
        keccak(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// Latest time this keeper may sign: not after now, not after the newest block it knows.
    pub fn signable_secs(&self) -> UnixSecs {
        std::cmp::min(self.clock.now_secs(), self.world.best.block.timestamp_secs)
    }

    pub(crate) fn start(&mut self, started: &Started) {
        self.clock.start(started);
        self.times = started.times;
        self.health.restart();
        self.hosts.restart(started.now_ms);
        self.watches.edit_all(Watch::restart);
        self.cards.edit_all(Watch::restart);
        self.capacity.values_mut().for_each(Capacity::restart);
        self.agenda.restart();
        self.inventories.clear();
        crate::spoof::restart(&mut self.spoofs);
    }

    pub(crate) fn tick(&mut self, tick: &Tick) {
        self.clock.tick(tick);
        self.health.rpc_healthy = tick.rpc_healthy;
    }
}
