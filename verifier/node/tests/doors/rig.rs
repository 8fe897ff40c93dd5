//! An agent with a chain that the test sets, and an SSH client.

use russh::ChannelMsg;
use russh::client::{self, Handle};
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use surety::adapters::ssh::{
    Eyes, GaugeTarget, Gauged, InventoryTarget, KeeperKey, MeasureTarget, ProbeTarget, Seat, SshLimits,
};
use surety_core::input::{InventoryOutcome, MeasureOutcome, Observation};
use surety_core::types::{Account, Endpoint, Hash32, MachineId, SshKey};
use surety_node::access::{Access, Keeper, Rental};
use surety_node::agent::{self, Server};
use surety_node::config::{Config, Device, DeviceKind};
use surety_node::desk::Desk;
use surety_node::hostkey::HostKey;
use surety_node::isolation::{Container, Driver};
use surety_node::reconcile::{ChainReader, ReadError};
use surety_verifier::classes::ClassId;
use surety_verifier::freivalds::EpochSecrets;
use surety_verifier::gauge::Sizes;
use surety_verifier::params::Params;
use surety_verifier::session::{Challenge, Limits};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) const KEEPER: Account = Account([0x11; 20]);
pub(crate) const RENTER_SEED: [u8; 32] = [1; 32];
pub(crate) const OTHER_SEED: [u8; 32] = [2; 32];
pub(crate) const KEEPER_SEED: [u8; 32] = [3; 32];
const HOST_SEED: [u8; 32] = [4; 32];
const REGISTRATION: u32 = 7;
const CHAIN_ID: u64 = 31_337;

/// What the chain says; `None` is an RPC node that is down.
#[derive(Clone, Default)]
pub(crate) struct FakeChain(Arc<Mutex<Option<Access>>>);

impl ChainReader for FakeChain {
    async fn access(&self) -> Result<Access, ReadError> {
        self.0.lock().unwrap().clone().ok_or_else(|| ReadError("down".into()))
    }
}

/// A running agent in a directory of its own.
pub(crate) struct Agent {
    pub(crate) chain: FakeChain,
    pub(crate) config: Config,
    pub(crate) address: SocketAddr,
    dir: tempfile::TempDir,
    began: Instant,
    stop: watch::Sender<bool>,
    running: JoinHandle<Result<(), agent::AgentError>>,
}

pub(crate) fn key(seed: [u8; 32]) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&seed))
}

pub(crate) fn public(seed: [u8; 32]) -> SshKey {
    SshKey(key(seed).public_key().key_data().ed25519().unwrap().0)
}

/// The agent, as cargo has built it.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_surety-node");

/// The account these tests run under.
pub(crate) fn me() -> String {
    let output = std::process::Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub(crate) fn config(dir: &Path, server: Server) -> Config {
    let host_key = dir.join("host_key");
    if !host_key.exists() {
        HostKey::from_seed(&HOST_SEED).write_new(&host_key).unwrap();
    }
    let (tenant, keeper) = match server {
        Server::Embedded => ("tenant".to_owned(), "keeper".to_owned()),
        Server::Openssh => (me(), me()),
    };
    Config {
        rpc_url: "http://127.0.0.1:1".into(),
        chain_id: CHAIN_ID,
        deployment: dir.join("31337.json"),
        host_key,
        listen: "127.0.0.1:0".parse().unwrap(),
        tenant_user: tenant,
        keeper_user: keeper,
        state_dir: dir.join("state"),
        isolation: Driver::Account,
        container: None,
        device: Device { kind: DeviceKind::Cpu, class: ClassId::CPU_TEST.0, count: 1 },
        poll_ms: 100,
        dev: true,
    }
}

impl Agent {
    pub(crate) async fn start(server: Server) -> Self {
        Self::start_with(server, Desk::new).await
    }

    pub(crate) async fn start_with(server: Server, desk: impl FnOnce(&Config, HostKey) -> Desk) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path(), server);
        Self::start_in(dir, config, server, PROGRAM.into(), desk).await
    }

    /// OpenSSH, and a container for each tenant.
    pub(crate) async fn start_with_container(
        dir: tempfile::TempDir,
        accounts: Option<(&str, &str)>,
        isolation: Driver,
        container: Container,
    ) -> Self {
        let mut config = Config { isolation, container: Some(container), ..config(dir.path(), Server::Openssh) };
        let mut program = PathBuf::from(PROGRAM);
        if let Some((tenant, keeper)) = accounts {
            (config.tenant_user, config.keeper_user) = (tenant.to_owned(), keeper.to_owned());
            std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
            program = dir.path().join("surety-node");
            std::fs::copy(PROGRAM, &program).unwrap();
        }
        Self::start_in(dir, config, Server::Openssh, program, Desk::new).await
    }

    /// As a miner would: OpenSSH, accounts for tenants and keepers, a directory that only root can write to.
    pub(crate) async fn start_with_accounts(tenant: &str, keeper: &str) -> Self {
        // The tenants' account has its home in there: the name must be the same each time.
        std::fs::remove_dir_all("/var/lib/surety-test").ok();
        let dir = tempfile::Builder::new().prefix("surety-test").rand_bytes(0).tempdir_in("/var/lib").unwrap();
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
        // Cargo's directory may be out of the keepers' account's reach.
        let program = dir.path().join("surety-node");
        std::fs::copy(PROGRAM, &program).unwrap();
        let (tenant_user, keeper_user) = (tenant.to_owned(), keeper.to_owned());
        let config = Config { tenant_user, keeper_user, dev: false, ..config(dir.path(), Server::Openssh) };
        Self::start_in(dir, config, Server::Openssh, program, Desk::new).await
    }

    async fn start_in(
        dir: tempfile::TempDir,
        config: Config,
        server: Server,
        program: PathBuf,
        desk: impl FnOnce(&Config, HostKey) -> Desk,
    ) -> Self {
        let desk = desk(&config, HostKey::from_file(&config.host_key).unwrap());
        let chain = FakeChain::default();
        let (stop, stopping) = watch::channel(false);
        let (reader, settings) = (chain.clone(), config.clone());
        let running =
            tokio::spawn(async move { agent::run(&settings, desk, reader, server, &program, stopping).await });
        let note = config.state_dir.join("listen");
        eventually("the agent listens", || note.exists() || running.is_finished()).await;
        let address = std::fs::read_to_string(note).expect("the agent has started").parse().unwrap();
        let agent = Self { chain, config, address, dir, began: Instant::now(), stop, running };
        agent.set_rental(None);
        eventually("sshd listens", || std::net::TcpStream::connect(agent.address).is_ok()).await;
        agent.until_seen(KEEPER_SEED, &agent.config.keeper_user, Observation::Accepted).await;
        agent
    }

    fn chain_secs(&self) -> u64 {
        1_000_000 + self.began.elapsed().as_secs()
    }

    /// The chain says that this rental runs, for so many seconds from now.
    pub(crate) fn set_rental(&self, rental: Option<(u64, [u8; 32], u64)>) {
        let chain_time_secs = self.chain_secs();
        let rental =
            rental.map(|(id, seed, secs)| Rental { id, renter_key: public(seed), until_secs: chain_time_secs + secs });
        let keepers = vec![Keeper { ssh_key: public(KEEPER_SEED), account: KEEPER }];
        let access = Access { registration: Some(REGISTRATION), rental, keepers, chain_time_secs };
        *self.chain.0.lock().unwrap() = Some(access);
    }

    pub(crate) fn cut_rpc(&self) {
        *self.chain.0.lock().unwrap() = None;
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint { ip: self.address.ip(), port: self.address.port() }
    }

    pub(crate) fn machine(&self) -> MachineId {
        HostKey::from_seed(&HOST_SEED).machine()
    }

    pub(crate) async fn probe(&self, seed: [u8; 32], user: &str) -> Observation {
        self.probe_at(self.address, seed, user).await
    }

    pub(crate) async fn probe_at(&self, address: SocketAddr, seed: [u8; 32], user: &str) -> Observation {
        let target = ProbeTarget {
            endpoint: Endpoint { ip: address.ip(), port: address.port() },
            machine: self.machine(),
            renter_key: public(seed),
            tenant_user: user.to_owned(),
        };
        eyes(KEEPER_SEED).probe(&target).await
    }

    /// Waits until the renter's key is accepted.
    pub(crate) async fn until_let_in(&self, seed: [u8; 32]) {
        self.until_seen(seed, &self.config.tenant_user, Observation::Accepted).await;
    }

    /// Waits until the tenant's key is refused.
    pub(crate) async fn until_put_out(&self, seed: [u8; 32]) {
        self.until_seen(seed, &self.config.tenant_user, Observation::Refused).await;
    }

    async fn until_seen(&self, seed: [u8; 32], user: &str, wanted: Observation) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let seen = self.probe(seed, user).await;
            if seen == wanted {
                return;
            }
            assert!(Instant::now() < deadline, "{seen:?} is not {wanted:?}");
            // In shared-account mode the sweep at a rental's end also meets our own half-open connections: looking
            // without pause would keep it from ever finding none.
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    pub(crate) async fn measure(&self, seed: [u8; 32]) -> MeasureOutcome {
        self.measure_in(seed, None).await
    }

    /// With a seat in a round.
    pub(crate) async fn measure_in(&self, seed: [u8; 32], seat: Option<Seat>) -> MeasureOutcome {
        let params = Params::cpu_small(1);
        let secrets = Arc::new(EpochSecrets::new([5; 32], &[6; 32], &[7; 32], &params));
        let challenge = Challenge {
            chain_id: CHAIN_ID,
            keeper: KEEPER.0,
            machine: self.machine().0,
            registration: REGISTRATION,
            class: ClassId::CPU_TEST,
            count: 1,
            params,
            epoch: *secrets.epoch(),
            session_random: [8; 32],
            limits: Limits::cpu_test(),
        };
        let keeper_user = self.config.keeper_user.clone();
        let target = MeasureTarget { endpoint: self.endpoint(), keeper_user, challenge, secrets };
        eyes(seed).measure(&target, seat).await
    }

    /// Soft figures.
    pub(crate) async fn gauge(&self, seed: [u8; 32], sizes: Sizes) -> Gauged {
        let target = GaugeTarget { endpoint: self.endpoint(), machine: self.machine(), sizes };
        eyes(seed).gauge(&target, &self.config.keeper_user, [9; 32]).await
    }

    /// Asks which cards there are, as the keeper that the chain knows.
    pub(crate) async fn ask(&self, seed: [u8; 32]) -> InventoryOutcome {
        let (endpoint, machine, keeper_user) = (self.endpoint(), self.machine(), self.config.keeper_user.clone());
        let (chain_id, keeper, nonce) = (CHAIN_ID, KEEPER, Hash32([0x5a; 32]));
        eyes(seed).ask(&InventoryTarget { endpoint, machine, keeper_user, chain_id, keeper, nonce }).await
    }

    pub(crate) async fn log_in(&self, seed: [u8; 32], user: &str) -> Option<Handle<Trusting>> {
        let mut handle = client::connect(Arc::default(), self.address, Trusting).await.ok()?;
        let key = PrivateKeyWithHashAlg::new(Arc::new(key(seed)), None);
        let authenticated = handle.authenticate_publickey(user, key).await.ok()?;
        authenticated.success().then_some(handle)
    }

    /// Runs a command as the tenant: exit code and standard output.
    pub(crate) async fn run(&self, seed: [u8; 32], line: &str, input: &str) -> (u32, String) {
        let handle = self.log_in(seed, &self.config.tenant_user).await.expect("the tenant is let in");
        let mut channel = handle.channel_open_session().await.unwrap();
        channel.exec(true, line).await.unwrap();
        channel.data(input.as_bytes()).await.unwrap();
        channel.eof().await.unwrap();
        let (mut code, mut output) = (u32::MAX, Vec::new());
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } => output.extend_from_slice(&data),
                ChannelMsg::ExitStatus { exit_status } => code = exit_status,
                _ => {}
            }
        }
        (code, String::from_utf8(output).unwrap())
    }

    /// Stops the agent; fails if that takes more than the ten seconds it may.
    pub(crate) async fn stop(self) -> tempfile::TempDir {
        self.stop.send_replace(true);
        let ended = tokio::time::timeout(Duration::from_secs(10), self.running).await;
        ended.expect("the agent stops within 10 s").unwrap().unwrap();
        self.dir
    }
}

/// An SSH client that takes any host key: these tests know whom they talk to.
pub(crate) struct Trusting;

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

fn eyes(seed: [u8; 32]) -> Eyes {
    let limits = SshLimits { probe_deadline: Duration::from_secs(5), allow_private: true, ..SshLimits::default() };
    Eyes::new(limits, KeeperKey::from_seed(&secrecy::SecretBox::new(Box::new(seed))))
}

pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether a process with this word in its command line runs.
pub(crate) fn runs(word: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.any(|line| String::from_utf8_lossy(&line).contains(word))
}

/// A number of seconds that only this run of the tests sleeps.
pub(crate) fn nap(secs: u32) -> String {
    format!("{secs}.{}", std::process::id())
}
