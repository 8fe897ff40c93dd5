//! What keepers and their surroundings share.

use crate::chain::Chain;
use crate::check::Check;
use crate::machines::Machine;
use crate::options::Options;
use crate::rng::mix;
use crate::tally::Tally;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use surety_core::evidence::Evidence;
use surety_core::ids::{number_of, tagged};
use surety_core::statement::{Attestation, Certificate, Signed, Spoof};
use surety_core::types::{Account, Hash32, MachineId, UnixSecs};

/// Events kept to print when a seed fails.
const EVENTS_KEPT: usize = 40;

/// What one keeper publishes; it survives crashes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board {
    pub(crate) attestations: Vec<Signed<Attestation>>,
    pub(crate) certificates: BTreeMap<MachineId, Signed<Certificate>>,
    pub(crate) spoofs: Vec<Signed<Spoof>>,
    /// Machines shown as failing.
    pub(crate) hints: Vec<MachineId>,
    /// Evidence behind spoofs, by the digest that others ask for.
    pub(crate) bundles: BTreeMap<Hash32, Evidence>,
}

/// The world round the keepers.
#[derive(Debug)]
pub(crate) struct Env {
    pub(crate) now: UnixSecs,
    pub(crate) options: Rc<Options>,
    pub(crate) chain: Chain,
    pub(crate) machines: BTreeMap<MachineId, Machine>,
    pub(crate) boards: Vec<Board>,
    pub(crate) check: Check,
    pub(crate) tally: Tally,
    pub(crate) healed: bool,
    events: VecDeque<String>,
    trace: u64,
}

impl Env {
    pub(crate) fn new(options: Rc<Options>, chain: Chain, machines: BTreeMap<MachineId, Machine>, now: u64) -> Self {
        let boards = options.roles.iter().map(|_| Board::default()).collect();
        let (check, tally) = (Check::default(), Tally::default());
        let events = VecDeque::new();
        Self { now, options, chain, machines, boards, check, tally, healed: false, events, trace: 0 }
    }

    /// Adds to the hash of everything that happened.
    pub(crate) fn trace(&mut self, what: u64) {
        self.trace = mix(self.trace.rotate_left(5) ^ what ^ self.now);
    }

    pub(crate) fn trace_hash(&mut self, what: Hash32) {
        self.trace(number_of(what));
    }

    pub(crate) fn trace_value(&self) -> u64 {
        self.trace
    }

    /// Remembers an event, for whoever reads a failing seed.
    pub(crate) fn event(&mut self, text: impl FnOnce() -> String) {
        if self.events.len() >= EVENTS_KEPT {
            self.events.pop_front();
        }
        let secs = self.now - crate::world::EPOCH;
        self.events.push_back(format!("{secs:>6} s  {}", text()));
    }

    pub(crate) fn events(&self) -> impl Iterator<Item = &String> {
        self.events.iter()
    }
}

/// A keeper's account.
pub(crate) fn keeper_account(index: usize) -> Account {
    account("keeper", index as u64)
}

/// Somebody's account.
pub(crate) fn account(what: &str, number: u64) -> Account {
    let hash = tagged("sim/account", &[what.as_bytes(), &number.to_be_bytes()]);
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&hash.0[..20]);
    Account(bytes)
}
