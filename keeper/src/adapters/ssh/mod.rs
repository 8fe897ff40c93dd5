//! Machines, seen from outside over SSH. Everything a machine sends is hostile: its bytes, its timing, its keys.
//!
//! - [`probe`]: does the right machine say it would let this renter in? Nobody logs in.
//! - [`measure`]: the capacity measurement, spoken with the machine's agent inside a session of the keeper's own key.
//! - [`ask`]: which cards the machine's agent says it has, in a session like that.
//! - [`gauge`]: soft figures of processors, memory, disk and line, in a session like that.
//! - [`Eyes`]: all of them; looks and measurements behind one gate that bounds how many run at once, in total and
//!   per host.
//!
//! Inside: `meter` bounds bytes and time of one connection, `witness` reads again what the server answered (russh
//! drops the key echoed in PK_OK), `reach` tells our own failures from the machine's, `gate` counts looks.

mod gate;
mod gauge;
mod inventory;
mod key;
mod measure;
mod meter;
mod pinned;
mod probe;
mod reach;
mod round;
mod witness;

#[cfg(test)]
mod tests;

pub use gate::{Busy, Gate, Pass};
pub use gauge::{GaugeTarget, Gauged, gauge};
pub use inventory::{InventoryTarget, ask, is_signed};
pub use key::{KeeperKey, KeyFileError};
pub use measure::{MeasureTarget, measure};
pub use probe::{ProbeTarget, probe};
pub use round::{Rounds, Seat};

use std::time::Duration;
use surety_core::input::{InventoryOutcome, MeasureOutcome, Observation};
use surety_verifier::Bytes32;

/// Bounds of every look. The defaults are those of the design; tests and development shorten them.
#[derive(Clone, Debug)]
pub struct SshLimits {
    /// A whole liveness look, from the first SYN to the answer. Below the least `look_timeout_ms` of the rules (15 s).
    pub probe_deadline: Duration,
    /// A whole measurement, log-in and agent's start-up included.
    pub measure_deadline: Duration,
    /// Log-in and opening the session channel of a measurement.
    pub login_deadline: Duration,
    /// Bytes a server may send during a liveness look. An OpenSSH look takes about 3 KiB; 64 KiB leaves room for a
    /// banner.
    pub probe_bytes_max: u64,
    /// Bytes a server may send during a measurement (opened rows and paths are at most 6 MiB in the design).
    pub measure_bytes_max: u64,
    /// Looks running at once, over all hosts: what hangs holds its place for a whole `probe_deadline`, so it takes as
    /// many bonded machines to keep a keeper from looking at others. Each is a socket: below the 1,024 that a process
    /// may have open where nobody raised it.
    pub looks_max: usize,
    /// Looks running at once at one IP address; several machines may stand behind it. One endpoint has one at most.
    pub looks_per_ip_max: usize,
    /// How long a look may wait for its turn before it is given up as not made.
    pub wait_max: Duration,
    /// Whether private, loopback, link-local and multicast endpoints may be looked at: development only.
    pub allow_private: bool,
}

impl Default for SshLimits {
    fn default() -> Self {
        Self {
            probe_deadline: Duration::from_secs(10),
            measure_deadline: Duration::from_secs(180),
            login_deadline: Duration::from_secs(20),
            probe_bytes_max: 64 * 1024,
            measure_bytes_max: 16 * 1024 * 1024,
            looks_max: 768,
            looks_per_ip_max: 4,
            wait_max: Duration::from_secs(20),
            allow_private: false,
        }
    }
}

/// A keeper's way of looking at machines: limits, its own key, and the gate all looks go through.
#[derive(Clone, Debug)]
pub struct Eyes {
    limits: SshLimits,
    key: KeeperKey,
    gate: Gate,
}

impl Eyes {
    /// `key` is what the keeper logs in with to measure; its public half is published in the keeper set.
    pub fn new(limits: SshLimits, key: KeeperKey) -> Self {
        let gate = Gate::new(limits.looks_max, limits.looks_per_ip_max);
        Self { limits, key, gate }
    }

    /// The key this keeper logs in with.
    pub fn key(&self) -> &KeeperKey {
        &self.key
    }

    /// A liveness look, when its turn has come. Waiting too long is `NotLooked`, never a fault.
    pub async fn probe(&self, target: &ProbeTarget) -> Observation {
        match self.gate.enter(target.endpoint, self.limits.wait_max).await {
            Ok(_pass) => probe(target, &self.limits).await,
            Err(busy) => Observation::NotLooked { why: busy.to_string() },
        }
    }

    /// A measurement, when its turn has come. Waiting too long is `Unmeasured`.
    pub async fn measure(&self, target: &MeasureTarget, seat: Option<Seat>) -> MeasureOutcome {
        match self.gate.enter(target.endpoint, self.limits.wait_max).await {
            Ok(_pass) => measure(target, seat, &self.key, &self.limits).await,
            Err(busy) => MeasureOutcome::Unmeasured { why: busy.to_string() },
        }
    }
}

impl Eyes {
    /// A question about cards, when its turn has come. Waiting too long is `Unmeasured`.
    pub async fn ask(&self, target: &InventoryTarget) -> InventoryOutcome {
        match self.gate.enter(target.endpoint, self.limits.wait_max).await {
            Ok(_pass) => ask(target, &self.key, &self.limits).await,
            Err(busy) => InventoryOutcome::Unmeasured { why: busy.to_string() },
        }
    }

    /// Soft figures, at once: they take long, and would keep looks at the same host waiting. Whoever asks bounds how
    /// many there are. `secret` is 32 bytes of fresh randomness.
    pub async fn gauge(&self, target: &GaugeTarget, keeper_user: &str, secret: Bytes32) -> Gauged {
        gauge(target, keeper_user, secret, &self.key, &self.limits).await
    }
}

/// Text of foreign origin made fit for logs and evidence: one line, printable, at most 160 characters.
fn bounded(text: &str) -> String {
    const CHARS_MAX: usize = 160;
    text.chars().take(CHARS_MAX).map(|c| if c.is_control() { '.' } else { c }).collect()
}
