//! Soft figures of a machine, and what is more urgent than they are.

use crate::rig::{Agent, KEEPER_SEED, OTHER_SEED, RENTER_SEED, eventually};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use surety::adapters::ssh::Gauged;
use surety_core::input::MeasureOutcome;
use surety_node::agent::Server;
use surety_node::desk::Desk;
use surety_verifier::Bytes32;
use surety_verifier::device::{Atop, CpuDevice, Device, DeviceError, Over};
use surety_verifier::gauge::{Figures, Sizes};

/// Reads at random places of the file, four million of them.
const LONG: Sizes = Sizes { memory_max_bytes: 0, disk_reads: 1 << 16, ..Sizes::SMALL };

fn is_whole(Gauged { figures, ended }: &Gauged) {
    assert_eq!(*ended, None);
    let fields = serde_json::to_value(figures).unwrap();
    assert!(fields.as_object().unwrap().values().all(|figure| !figure.is_null()), "{fields}");
}

/// Whether the agent, which runs in this process, has a file without a name in its directory.
fn works_on_disk(agent: &Agent) -> bool {
    let directory = agent.config.state_dir.display().to_string();
    let open = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let mut names = open.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    names.any(|name: std::path::PathBuf| {
        let name = name.display().to_string();
        name.starts_with(&directory) && name.ends_with("(deleted)")
    })
}

/// Soft figures that are under way, and take long.
async fn under_way(agent: &Arc<Agent>) -> tokio::task::JoinHandle<Gauged> {
    let asking = agent.clone();
    let gauging = tokio::spawn(async move { asking.gauge(KEEPER_SEED, LONG).await });
    eventually("the file is there", || works_on_disk(agent)).await;
    gauging
}

/// It ended early, with what was measured until then, and nothing of it is left.
async fn ended_early(agent: &Agent, gauged: Gauged) {
    assert!(gauged.ended.as_deref().is_some_and(|why| why.starts_with("the machine hung up")), "{gauged:?}");
    assert!(gauged.figures.core_khz_all.is_some() && gauged.figures.disk_reads_per_sec.is_none(), "{gauged:?}");
    eventually("the file is gone", || !works_on_disk(agent)).await;
}

#[tokio::test]
async fn a_keeper_measures_processors_memory_disk_and_line() {
    let agent = Agent::start(Server::Embedded).await;
    is_whole(&agent.gauge(KEEPER_SEED, Sizes::SMALL).await);
    assert_eq!(std::fs::read_dir(&agent.config.state_dir).unwrap().filter(is_hidden).count(), 0);
    agent.stop().await;
}

fn is_hidden(entry: &std::io::Result<std::fs::DirEntry>) -> bool {
    entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with('.'))
}

#[tokio::test]
async fn a_keeper_measures_the_same_through_openssh() {
    let agent = Agent::start(Server::Openssh).await;
    is_whole(&agent.gauge(KEEPER_SEED, Sizes::SMALL).await);
    agent.stop().await;
}

#[tokio::test]
async fn a_stranger_gets_no_figures_and_a_rented_machine_gives_none() {
    let agent = Agent::start(Server::Embedded).await;
    let stranger = agent.gauge(OTHER_SEED, Sizes::SMALL).await;
    assert!(stranger.ended.is_some() && stranger.figures == Figures::default(), "{stranger:?}");
    agent.set_rental(Some((1, RENTER_SEED, 600)));
    agent.until_let_in(RENTER_SEED).await;
    let rented = agent.gauge(KEEPER_SEED, Sizes::SMALL).await;
    assert!(rented.ended.is_some() && rented.figures == Figures::default(), "{rented:?}");
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_ends_what_can_wait() {
    let agent = Arc::new(Agent::start(Server::Embedded).await);
    let gauging = under_way(&agent).await;
    agent.set_rental(Some((1, RENTER_SEED, 600)));
    ended_early(&agent, gauging.await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_measurement_of_gpus_ends_what_can_wait_and_is_made() {
    let agent = Arc::new(Agent::start(Server::Embedded).await);
    let gauging = under_way(&agent).await;
    let measured = agent.measure(KEEPER_SEED).await;
    assert!(matches!(measured, MeasureOutcome::Proven { .. }), "{measured:?}");
    ended_early(&agent, gauging.await.unwrap()).await;
    is_whole(&agent.gauge(KEEPER_SEED, Sizes::SMALL).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keepers_do_not_measure_what_can_wait_at_once() {
    let agent = Arc::new(Agent::start(Server::Embedded).await);
    let gauging = under_way(&agent).await;
    let second = agent.gauge(KEEPER_SEED, Sizes::SMALL).await;
    assert!(second.ended.is_some() && second.figures == Figures::default(), "{second:?}");
    gauging.abort();
    eventually("the file is gone with the keeper", || !works_on_disk(&agent)).await;
}

/// A processor that works until it is let go.
struct Working {
    inner: CpuDevice,
    begun: Arc<AtomicBool>,
    let_go: Arc<AtomicBool>,
}

impl Over for Working {
    fn inner(&mut self) -> &mut dyn Device {
        &mut self.inner
    }

    fn finish(&mut self) -> Result<Vec<Bytes32>, DeviceError> {
        self.begun.store(true, Ordering::Relaxed);
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.let_go.load(Ordering::Relaxed) && Instant::now() < deadline {
            std::thread::yield_now();
        }
        self.inner.finish()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_who_comes_ends_a_measurement_of_gpus() {
    let (begun, let_go) = <(Arc<AtomicBool>, Arc<AtomicBool>)>::default();
    let flags = (begun.clone(), let_go.clone());
    let devices = move || {
        let working = Working { inner: CpuDevice::new(), begun: flags.0.clone(), let_go: flags.1.clone() };
        Ok(vec![Box::new(Atop(working)) as Box<dyn Device>])
    };
    let desk = |config: &_, key| Desk::with_devices(config, key, Arc::new(devices));
    let agent = Arc::new(Agent::start_with(Server::Embedded, desk).await);
    let asking = agent.clone();
    let measuring = tokio::spawn(async move { asking.measure(KEEPER_SEED).await });
    eventually("the measurement has begun", || begun.load(Ordering::Relaxed)).await;
    agent.set_rental(Some((1, RENTER_SEED, 600)));
    let measured = measuring.await.unwrap();
    assert!(!let_go.swap(true, Ordering::Relaxed), "the device was still at work");
    assert!(matches!(&measured, MeasureOutcome::Unmeasured { why } if why.contains("Disconnected")), "{measured:?}");
    agent.until_let_in(RENTER_SEED).await;
}
