//! Machines, and what is true about them: for each second, whether the renter was served.

mod cards;
mod track;

use crate::chain::contracts::{CLASS, Contracts};
use crate::options::Options;
use crate::proofs;
use crate::rng::{Episodes, Rng};
use crate::world::EPOCH;
use cards::Agent;
use surety_core::ids::tagged;
use surety_core::input::{InventoryOutcome, MeasureOutcome, Observation};
use surety_core::types::{Endpoint, MachineId, RentalId, UnixSecs};
use track::Track;

/// How a machine is out of service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Down {
    Dead,
    /// Packets go nowhere: a look takes its whole timeout.
    Silent,
    Refusing,
    WrongKey,
    /// Drops the connection after the key exchange.
    Dropping,
    Garbage,
    Hostile,
}

/// A look is given up after so long (the keeper's `SshLimits::probe_deadline`).
pub(crate) const LOOK_SECS: u64 = 10;

const DOWNS: [Down; 7] =
    [Down::Dead, Down::Silent, Down::Refusing, Down::WrongKey, Down::Dropping, Down::Garbage, Down::Hostile];

/// What it answers to a measurement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Capacity {
    Proves,
    /// Signs false proofs now and then.
    Lies,
    /// Has no time for it now and then.
    Busy,
    /// Has fewer cards than it says, now and then.
    Fewer,
}

/// A machine.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) id: MachineId,
    /// Never fails.
    pub(crate) steady: bool,
    /// Changes its endpoint while it is out, hoping that nobody looks.
    pub(crate) hops: bool,
    capacity: Capacity,
    /// Measurements that are odd, of a hundred.
    odd_percent: u64,
    /// Seconds it takes to answer.
    slow_secs: u64,
    rng: Rng,
    outages: Episodes,
    flapping: bool,
    down: Option<Down>,
    flap_at: UnixSecs,
    tenant: Option<(RentalId, UnixSecs)>,
    /// Whether the renter is let in.
    pub(crate) served: Track,
    /// What it says about its cards.
    agent: Agent,
    /// Whether the renter is let in and no card is admitted to be missing.
    pub(crate) whole: Track,
    /// Measurements answered so far: no two are of one session.
    sessions: u64,
    /// False proofs signed so far.
    pub(crate) lies: u64,
}

impl Machine {
    pub(crate) fn new(options: &Options, number: u64, now: UnixSecs) -> Self {
        let mut rng = Rng::new(options.seed, "machine", number);
        let steady = rng.percent(options.steady_percent);
        let gap_secs = if steady { 0 } else { options.outage_gap_secs };
        // Short ones, ones that end a rental, and a few in between.
        let length = *rng.pick(&[(20, 200), (150, 1_500), (200, 4_000)]).unwrap_or(&(20, 200));
        let outages = Episodes::new(Rng::new(options.seed, "outages", number), gap_secs, length, now);
        let capacities = [Capacity::Proves, Capacity::Proves, Capacity::Lies, Capacity::Busy, Capacity::Fewer];
        let capacity = if steady { Capacity::Proves } else { *rng.pick(&capacities).unwrap_or(&Capacity::Proves) };
        Self {
            id: MachineId(tagged("sim/machine", &[&number.to_be_bytes()]).0),
            steady,
            hops: !steady && rng.percent(15),
            capacity,
            odd_percent: *Rng::new(options.seed, "odd", number).pick(&[10, 30, 80]).unwrap_or(&30),
            slow_secs: if rng.percent(20) { rng.range(2, LOOK_SECS - 1) } else { 0 },
            rng,
            outages,
            flapping: false,
            down: None,
            flap_at: 0,
            tenant: None,
            served: Track::new(false),
            agent: Agent::new(options.seed, number, steady, options.cards_gap_secs, now),
            whole: Track::new(false),
            sessions: 0,
            lies: 0,
        }
    }

    /// No outage begins any more; one that goes on ends now.
    pub(crate) fn heal(&mut self) {
        self.outages.heal();
        self.agent.heal();
    }

    /// A second passes. The agent reads the newest block and serves the tenant it finds there.
    pub(crate) fn second(&mut self, now: UnixSecs, chain: &Contracts) {
        let was_on = self.outages.still_on(now - 1);
        let on = self.outages.on(now);
        if on && !was_on {
            self.flapping = self.rng.percent(20);
            self.down = self.rng.pick(&DOWNS).copied();
            self.flap_at = now + self.rng.range(10, 90);
        }
        if on && self.flapping && now >= self.flap_at {
            self.down = if self.down.is_some() { None } else { self.rng.pick(&DOWNS).copied() };
            self.flap_at = now + self.rng.range(3, 90);
        }
        if !on {
            self.down = None;
        }
        self.follow(now, chain);
        let ready = self.tenant.is_some_and(|(_, ready)| now >= ready);
        let serves = ready && self.down.is_none();
        self.agent.second(now);
        self.served.set(now, serves);
        self.whole.set(now, serves && !self.agent.admits.is());
    }

    fn follow(&mut self, now: UnixSecs, chain: &Contracts) {
        let last = chain.nodes.get(&self.id).and_then(|node| chain.rentals.get(&node.last_rental));
        let running = last.filter(|rental| now < rental.view.end_secs && !rental.view.closed);
        let Some(rental) = running else {
            self.tenant = None;
            return;
        };
        if self.tenant.is_none_or(|(tenant, _)| tenant != rental.view.id) {
            let late = !self.steady && self.rng.percent(15);
            let boot_secs = match late {
                false => self.rng.range(0, 60),
                true if self.rng.percent(50) => self.rng.range(60, 900),
                true => u64::MAX / 2,
            };
            self.tenant = Some((rental.view.id, rental.view.start_secs.max(now).saturating_add(boot_secs)));
        }
    }

    pub(crate) fn serves(&self) -> bool {
        self.served.is()
    }

    /// Whether it would admit to fewer cards than are rented.
    pub(crate) fn admits(&self) -> &Track {
        &self.agent.admits
    }

    /// Questions about its cards that were left without an answer, from keepers that had not heard it admit of late.
    pub(crate) fn missed(&self, from: UnixSecs, until: UnixSecs) -> u64 {
        self.agent.missed(from, until)
    }

    /// What its agent says about its cards; nothing while it is out.
    pub(crate) fn stated(&mut self, registration: u32, keeper: usize, now: UnixSecs) -> InventoryOutcome {
        match self.down {
            Some(_) => InventoryOutcome::Unmeasured { why: "unreachable".to_owned() },
            None => self.agent.answer(registration, keeper, now),
        }
    }

    pub(crate) fn is_down(&self) -> bool {
        self.down.is_some()
    }

    /// Seconds until a look that begins now is answered.
    pub(crate) fn latency_secs(&self) -> u64 {
        match self.down {
            None => self.slow_secs,
            Some(Down::Silent | Down::Garbage) => LOOK_SECS,
            Some(_) => 1,
        }
    }

    /// What a look at the right endpoint sees at this moment.
    pub(crate) fn seen(&self) -> Observation {
        let why = || "simulated".to_owned();
        match self.down {
            None if self.served.is() => Observation::Accepted,
            None | Some(Down::Refusing) => Observation::Refused,
            Some(Down::Dead | Down::Silent) => Observation::NoConnection { why: why() },
            Some(Down::WrongKey) => Observation::WrongHostKey { got: why() },
            Some(Down::Dropping) => Observation::Lost { why: why() },
            Some(Down::Garbage) => Observation::NoHandshake { why: why() },
            Some(Down::Hostile) => Observation::Hostile { what: why() },
        }
    }

    /// What it proves to a keeper that challenges it, about a registration.
    pub(crate) fn measured(&mut self, registration: u32) -> MeasureOutcome {
        let (gpu_class, gpu_count) = CLASS;
        let odd = self.rng.percent(self.odd_percent);
        let bad = self.capacity == Capacity::Lies && odd;
        self.sessions += 1;
        let transcript = proofs::transcript(self.id, registration, CLASS, self.sessions, bad);
        match self.capacity {
            _ if self.down.is_some() => MeasureOutcome::Unmeasured { why: "unreachable".to_owned() },
            Capacity::Lies if odd => {
                self.lies += 1;
                MeasureOutcome::BadProof { why: "row 7".to_owned(), transcript }
            }
            Capacity::Busy if odd => MeasureOutcome::Unmeasured { why: "out of memory".to_owned() },
            Capacity::Fewer if odd => MeasureOutcome::Proven { gpu_class, gpu_count: gpu_count - 1, transcript },
            _ => MeasureOutcome::Proven { gpu_class, gpu_count, transcript },
        }
    }

    /// When service began and ended since some time, in seconds of this world.
    pub(crate) fn history(&self, since: UnixSecs) -> String {
        let text = |(at, serves): (UnixSecs, bool)| format!("{} at {}", if serves { "up" } else { "out" }, at - EPOCH);
        self.served.since(since).map(text).collect::<Vec<_>>().join(", ")
    }

    /// Outages between two times.
    pub(crate) fn outages(&self, from: UnixSecs, until: UnixSecs) -> Vec<(UnixSecs, UnixSecs)> {
        self.served.stretches(false, from, until).collect()
    }
}

/// An address nobody else has.
pub(crate) fn endpoint(number: u64, move_number: u64) -> Endpoint {
    let [.., high, low] = move_number.to_be_bytes();
    let [.., host] = number.to_be_bytes();
    Endpoint { ip: [5, 9 + high, low, host + 1].into(), port: 22 }
}
