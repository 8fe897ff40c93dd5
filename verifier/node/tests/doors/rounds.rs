//! Two agents, measured by one keeper in one round.

use crate::rig::{Agent, KEEPER_SEED};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use surety::adapters::ssh::Rounds;
use surety_core::effect::Round;
use surety_core::input::MeasureOutcome;
use surety_core::types::Hash32;
use surety_node::agent::Server;
use surety_node::desk::Desk;
use surety_verifier::Bytes32;
use surety_verifier::device::{Atop, CpuDevice, Device, DeviceError, FillJob, Opening, Over};

/// What happens on both machines, in order.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<&'static str>>>);

impl Notes {
    fn write(&self, note: &'static str) {
        let mut notes = self.0.lock().unwrap();
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    fn position(&self, note: &str) -> usize {
        let notes = self.0.lock().unwrap();
        notes.iter().position(|one| *one == note).unwrap_or_else(|| panic!("no {note} in {notes:?}"))
    }

    /// Gives what must not happen half a second to happen.
    fn tempt(&self, note: &str) {
        let until = Instant::now() + Duration::from_millis(500);
        while Instant::now() < until && !self.0.lock().unwrap().contains(&note) {
            std::thread::yield_now();
        }
    }
}

/// A processor that notes when it begins to work, when it has walked, and when it first shows something.
struct Noting {
    inner: CpuDevice,
    notes: Notes,
    slow: bool,
}

impl Noting {
    fn note(&self, quick: &'static str, slow: &'static str) {
        self.notes.write(if self.slow { slow } else { quick });
    }
}

impl Over for Noting {
    fn inner(&mut self) -> &mut dyn Device {
        &mut self.inner
    }

    fn start(&mut self, job: FillJob) -> Result<(), DeviceError> {
        self.note("quick works", "slow works");
        self.inner.start(job)
    }

    fn open(&mut self, round: u32, row: u32) -> Result<Opening, DeviceError> {
        self.note("quick shows", "slow shows");
        self.inner.open(round, row)
    }

    fn finish_walk(&mut self) -> Result<Bytes32, DeviceError> {
        if self.slow {
            self.notes.tempt("quick shows");
        }
        self.note("quick walked", "slow walked");
        self.inner.finish_walk()
    }
}

async fn agent(notes: &Notes, slow: bool) -> Agent {
    let notes = notes.clone();
    let devices = move || {
        if slow {
            notes.tempt("quick works");
        }
        notes.write(if slow { "slow is ready" } else { "quick is ready" });
        let device = Noting { inner: CpuDevice::new(), notes: notes.clone(), slow };
        Ok(vec![Box::new(Atop(device)) as Box<dyn Device>])
    };
    Agent::start_with(Server::Embedded, |config, key| Desk::with_devices(config, key, Arc::new(devices))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_of_a_round_begin_at_one_moment_and_are_asked_at_one_moment() {
    let notes = Notes::default();
    let (quick, slow) = (agent(&notes, false).await, agent(&notes, true).await);
    let (rounds, round) = (Rounds::default(), Round { id: Hash32([1; 32]), members: 2 });
    let (one, two) = (rounds.seat(&round), rounds.seat(&round));
    let (one, two) = tokio::join!(quick.measure_in(KEEPER_SEED, Some(one)), slow.measure_in(KEEPER_SEED, Some(two)));
    for outcome in [one, two] {
        assert!(matches!(outcome, MeasureOutcome::Proven { .. }), "{outcome:?}");
    }
    assert!(notes.position("slow is ready") < notes.position("quick works"), "the quick one waited");
    assert!(notes.position("slow walked") < notes.position("quick shows"), "and once more");
    assert!(notes.position("quick walked") < notes.position("slow shows"));
}
