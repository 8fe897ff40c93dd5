//! The agent's loop between a chain that the test sets, a door that takes notes, and an engine.

use crate::engines::fake_container;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use surety_core::types::{MachineId, RentalId, SshKey};
use surety_node::access::{Access, Grants, Rental};
use surety_node::config::{Config, Device, DeviceKind};
use surety_node::isolation::{Container, Driver, Walls};
use surety_node::reconcile::{self, ChainReader, Door, DoorError, ReadError};
use surety_node::tenancy::Tenancy;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the chain says; `None` is an RPC node that is down.
#[derive(Clone, Default)]
pub(crate) struct FakeChain(Arc<Mutex<Option<Access>>>);

impl ChainReader for FakeChain {
    async fn access(&self) -> Result<Access, ReadError> {
        self.0.lock().unwrap().clone().ok_or_else(|| ReadError("down".into()))
    }
}

impl FakeChain {
    pub(crate) fn set(&self, rental: Option<RentalId>) {
        let rental = rental.map(|id| Rental { id, renter_key: SshKey([1; 32]), until_secs: 1_000_000 });
        let access = Access { registration: Some(1), rental, keepers: vec![], chain_time_secs: 1000 };
        *self.0.lock().unwrap() = Some(access);
    }

    pub(crate) fn cut(&self) {
        *self.0.lock().unwrap() = None;
    }
}

/// A door that writes down whom it lets in: `STATE/door`, `-` for nobody.
struct NotedDoor(PathBuf);

impl Door for NotedDoor {
    async fn admit(&mut self, grants: &Grants) -> Result<(), DoorError> {
        let tenant = grants.tenant.map_or("-".to_owned(), |rental| rental.id.to_string());
        std::fs::write(&self.0, tenant).map_err(|error| DoorError(error.to_string()))
    }

    async fn close(self) {
        std::fs::write(self.0, "-").unwrap();
    }
}

/// A machine: its directory, its chain, its engine. Agents come and go on it.
pub(crate) struct Machine {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) config: Config,
    pub(crate) chain: FakeChain,
    is_fake: bool,
}

/// A running agent; dropping it is a kill, nothing is tidied up.
pub(crate) struct Agent {
    running: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Agent {
    /// Stops as on SIGTERM.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        tokio::time::timeout(Duration::from_secs(10), &mut self.running).await.unwrap().unwrap();
    }

    /// As `kill -9`: returns when nothing of it runs any more.
    pub(crate) async fn kill(mut self) {
        self.running.abort();
        (&mut self.running).await.ok();
    }
}

impl Machine {
    /// With the fake engine.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let container = fake_container(dir.path());
        Self::with(dir, Driver::Podman, container, true)
    }

    pub(crate) fn with(dir: tempfile::TempDir, isolation: Driver, container: Container, is_fake: bool) -> Self {
        // What the agent says is shown with a test that fails.
        tracing_subscriber::fmt().with_test_writer().try_init().ok();
        let config = Config {
            rpc_url: "http://127.0.0.1:1".into(),
            chain_id: 31_337,
            deployment: dir.path().join("31337.json"),
            host_key: dir.path().join("host_key"),
            listen: "127.0.0.1:0".parse().unwrap(),
            tenant_user: "tenant".into(),
            keeper_user: "keeper".into(),
            state_dir: dir.path().join("node"),
            isolation,
            container: Some(container),
            device: Device { kind: DeviceKind::Cpu, class: 65_535, count: 1 },
            poll_ms: 100,
            dev: true,
        };
        std::fs::create_dir(&config.state_dir).unwrap();
        Self { dir, config, chain: FakeChain::default(), is_fake }
    }

    pub(crate) fn with_config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Starts an agent.
    pub(crate) fn agent(&self) -> Agent {
        let walls = Walls::start(&self.config, &MachineId([9; 32]));
        let tenancy = Tenancy::new(&self.config.state_dir, None).with_dir(self.config.tenant_dir());
        let (stop, stopping) = watch::channel(false);
        let door = NotedDoor(self.dir.path().join("door"));
        let poll = Duration::from_millis(20);
        let running = tokio::spawn(reconcile::run(self.chain.clone(), door, (tenancy, walls), poll, stopping));
        Agent { running, stop }
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap_or_default().trim().to_owned()
    }

    /// Whom the door lets in.
    pub(crate) fn admitted(&self) -> String {
        self.read("door")
    }

    /// The calls of the engine so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.read("calls").lines().map(str::to_owned).collect()
    }

    /// How often the engine was called with this subcommand.
    pub(crate) fn count(&self, verb: &str) -> usize {
        self.calls().iter().filter(|call| call.split(' ').next() == Some(verb)).count()
    }

    /// Makes the engine misbehave; an empty mood heals it.
    pub(crate) fn mood(&self, mood: &str) {
        std::fs::write(self.dir.path().join("mood"), mood).unwrap();
        std::fs::remove_file(self.dir.path().join("hanging")).ok();
    }

    pub(crate) fn is_hanging(&self) -> bool {
        self.dir.path().join("hanging").exists()
    }

    /// The containers of the fake engine: id, rental, whether it runs.
    pub(crate) fn containers(&self) -> Vec<(String, String, bool)> {
        let entries = std::fs::read_dir(self.dir.path().join("containers")).into_iter().flatten().flatten();
        let mut found: Vec<_> = entries.map(|entry| entry.path()).collect();
        found.sort();
        let read = |path: &Path, name: &str| std::fs::read_to_string(path.join(name)).unwrap_or_default();
        let container = |path: PathBuf| {
            let id = path.file_name().unwrap().to_string_lossy().into_owned();
            let pid = read(&path, "pid").trim().to_owned();
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            (id, read(&path, "rental").trim().to_owned(), !line.is_empty())
        };
        found.into_iter().map(container).collect()
    }

    /// Ends the first process of a container, as a tenant could.
    pub(crate) fn end_process(&self, id: &str) {
        let pid = self.read(&format!("containers/{id}/pid"));
        std::process::Command::new("kill").args(["-9", &pid]).status().ok();
    }

    /// Waits until this tenant, or nobody (`-`), is let in, with the container that goes with it.
    pub(crate) async fn until_admitted(&self, tenant: &str) {
        eventually(&format!("{tenant} is let in"), || self.admitted() == tenant).await;
    }

    /// Waits until nothing is left of any tenant.
    pub(crate) async fn until_empty(&self) {
        eventually("nothing is left", || {
            self.containers().is_empty() && !self.config.tenant_dir().exists() && self.admitted() == "-"
        })
        .await;
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if self.is_fake {
            for (id, _, runs) in self.containers() {
                if runs {
                    self.end_process(&id);
                }
            }
        }
    }
}

pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(40);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
