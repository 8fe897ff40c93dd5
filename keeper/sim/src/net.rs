//! A keeper's surroundings: its network, its node, its clock.

use crate::options::{Options, Role};
use crate::rng::{Episodes, Rng};
use std::collections::BTreeMap;
use surety_core::types::{MachineId, UnixSecs};

/// What is wrong at present.
#[derive(Debug)]
pub(crate) struct Net {
    dead: Episodes,
    blip: Episodes,
    anchors: Episodes,
    stuck: Episodes,
    stale: Episodes,
    receipts: Episodes,
    peer: Episodes,
    host_loss: BTreeMap<MachineId, Episodes>,
    /// The node is on the same host, so that a dead network leaves it alone.
    rpc_is_local: bool,
    log_loss_ppm: u64,
    rng: Rng,
    /// The head a stale node answers from.
    stale_at: Option<u64>,
    now: UnixSecs,
}

impl Net {
    pub(crate) fn new(options: &Options, index: usize, machines: &[MachineId], now: UnixSecs) -> Self {
        let faults = &options.faults;
        let weak = options.roles.get(index) == Some(&Role::Weak);
        let stream = |name| Rng::new(options.seed, name, index as u64);
        let episodes = |name, gap, length| Episodes::new(stream(name), gap, length, now);
        let loss_gap_secs = if weak { faults.host_loss_gap_secs } else { 0 };
        let loss = |(number, machine): (u64, &MachineId)| {
            let rng = Rng::new(options.seed, "host-loss", index as u64 * 1_000 + number);
            (*machine, Episodes::new(rng, loss_gap_secs, (60, 2_400), now))
        };
        let mut rng = stream("net");
        Self {
            dead: episodes("dead", faults.net_dead_gap_secs, (60, 1_800)),
            blip: episodes("blip", faults.net_blip_gap_secs, (2, 20)),
            anchors: episodes("anchors", faults.anchors_gap_secs, (60, 900)),
            stuck: episodes("stuck", faults.rpc_stuck_gap_secs, (20, 1_800)),
            stale: episodes("stale", faults.rpc_stale_gap_secs, (20, 900)),
            receipts: episodes("receipts", faults.receipts_gap_secs, (30, 900)),
            peer: episodes("peer", faults.peer_gap_secs, (60, 1_800)),
            host_loss: (0..).zip(machines).map(loss).collect(),
            rpc_is_local: rng.percent(50),
            log_loss_ppm: if weak { faults.log_loss_ppm } else { 0 },
            rng,
            stale_at: None,
            now,
        }
    }

    pub(crate) fn second(&mut self, now: UnixSecs, tip: u64) {
        self.now = now;
        let all = [&mut self.dead, &mut self.blip, &mut self.anchors, &mut self.stuck, &mut self.receipts];
        for episodes in all.into_iter().chain([&mut self.peer]).chain(self.host_loss.values_mut()) {
            episodes.on(now);
        }
        self.stale_at = if self.stale.on(now) { Some(self.stale_at.unwrap_or(tip)) } else { None };
    }

    pub(crate) fn heal(&mut self) {
        let all = [&mut self.dead, &mut self.blip, &mut self.anchors, &mut self.stuck, &mut self.stale];
        let rest = [&mut self.receipts, &mut self.peer];
        all.into_iter().chain(rest).chain(self.host_loss.values_mut()).for_each(Episodes::heal);
        self.log_loss_ppm = 0;
    }

    fn is_dead(&self) -> bool {
        self.dead.still_on(self.now) || self.blip.still_on(self.now)
    }

    /// Whether packets to this machine arrive.
    pub(crate) fn reaches(&self, machine: &MachineId) -> bool {
        let lossy = self.host_loss.get(machine).is_some_and(|loss| loss.still_on(self.now));
        !self.is_dead() && !lossy
    }

    pub(crate) fn reaches_anchors(&self) -> bool {
        !self.is_dead() && !self.anchors.still_on(self.now)
    }

    /// Whether this keeper's HTTP is there, and it can ask others.
    pub(crate) fn talks(&self) -> bool {
        !self.is_dead() && !self.peer.still_on(self.now)
    }

    /// The head its node answers from; `None` when it does not answer.
    pub(crate) fn head(&self, tip: u64) -> Option<u64> {
        let cut_off = !self.rpc_is_local && self.is_dead();
        let silent = self.stuck.still_on(self.now) || cut_off;
        (!silent).then(|| self.stale_at.map_or(tip, |at| at.min(tip)))
    }

    pub(crate) fn hides_receipts(&self) -> bool {
        self.receipts.still_on(self.now)
    }

    pub(crate) fn loses_logs(&mut self) -> bool {
        self.rng.chance(self.log_loss_ppm)
    }
}

/// A clock on the wall: off by so much, wrong by so much a second, set now and then.
#[derive(Debug)]
pub(crate) struct Wall {
    off_ms: i64,
    drift_ms_per_1000_secs: i64,
    jumps: Episodes,
    max_secs: u64,
    repair_secs: u64,
    rng: Rng,
    since: UnixSecs,
}

impl Wall {
    pub(crate) fn new(options: &Options, index: usize, now: UnixSecs) -> Self {
        let faults = &options.faults;
        let mut rng = Rng::new(options.seed, "wall", index as u64);
        let jumps =
            Episodes::new(Rng::new(options.seed, "jumps", index as u64), faults.clock_jump_gap_secs, (1, 1), now);
        // A drift in parts per million is so many milliseconds in a thousand seconds.
        let drift_ms_per_1000_secs = signed(&mut rng, faults.clock_drift_ppm);
        let off_ms = signed(&mut rng, faults.clock_off_secs * 1_000);
        let (max_secs, repair_secs) = (faults.clock_off_secs.max(10), faults.clock_repair_secs);
        Self { off_ms, drift_ms_per_1000_secs, jumps, max_secs, repair_secs, rng, since: now }
    }

    pub(crate) fn second(&mut self, now: UnixSecs) {
        if self.jumps.on(now) {
            // Most jumps are small; some are far beyond what the gate allows.
            let far = if self.rng.percent(25) { 20 } else { 1 };
            self.off_ms = signed(&mut self.rng, self.max_secs * 1_000 * far);
            self.since = now;
        } else if self.repair_secs > 0 && now - self.since >= self.repair_secs {
            self.off_ms %= 1_000;
            self.since = now;
        }
    }

    /// The operator repairs NTP.
    pub(crate) fn heal(&mut self, now: UnixSecs) {
        self.jumps.heal();
        self.off_ms %= 2_000;
        self.drift_ms_per_1000_secs = 0;
        self.since = now;
    }

    pub(crate) fn now_ms(&self, now: UnixSecs) -> u64 {
        let gone = i64::try_from(now - self.since).unwrap_or(0);
        let off_ms = self.off_ms + gone * self.drift_ms_per_1000_secs / 1_000;
        (now * 1_000 + 137).saturating_add_signed(off_ms)
    }
}

fn signed(rng: &mut Rng, most: u64) -> i64 {
    let size = i64::try_from(rng.below(most + 1)).unwrap_or(0);
    if rng.percent(50) { size } else { -size }
}
