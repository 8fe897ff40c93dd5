//! `surety keeper run` as an operator meets it: the built program, a real chain, and everything that can be wrong with
//! a configuration. Each gets one sentence and a non-zero exit, and leaves nothing behind.
#![allow(clippy::unwrap_used)]

#[path = "bad_input/operating.rs"]
mod operating;
#[path = "bad_input/seat.rs"]
mod seat;

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use surety::adapters::store::Store;
use surety_client::bindings::standins::VotingPowerStandIn;
use surety_client::deployment::{Contract, Deployment};
use surety_client::keys::Key;
use surety_client::subtensor::VOTING_POWER;
use surety_core::evidence::Contracts;
use surety_core::state::Config;
use surety_core::types::{Account, Hash32};
use surety_demo::actor::Actor;
use surety_demo::anvil::{Anvil, CHAIN_ID, free_port};
use surety_demo::chain::Chain;
use surety_demo::deploy::{Appointment, appoint, deploy};
use surety_demo::keepers::demo_rules;
use surety_demo::miner::{Miner, Terms};
use surety_demo::params::{Roles, WINDOWS, demo_params};
use surety_demo::process::Processes;
use surety_demo::seed::Seed;
use surety_demo::standins::{self, Neuron};
use surety_deploy::params::{Keepers, Params};
use toml::{Table, Value};

const SEED: Seed = Seed(41);

/// From the start of the program to its refusal; a node may take ten seconds to answer.
const REFUSED_WITHIN: Duration = Duration::from_secs(20);
/// From a signal to the end of the program: what an operator's service manager waits at least.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);
const STARTED_WITHIN: Duration = Duration::from_secs(30);

const SOUND: &str = "the configuration is sound, and the chain agrees with it\n";

/// A local chain with the contracts on it.
struct LocalChain {
    anvil: Anvil,
    deployment: Deployment,
    deployer: Actor,
    _logs: tempfile::TempDir,
    _processes: Processes,
}

impl LocalChain {
    async fn start() -> Self {
        let chain = Self::start_with(Keepers::Appointed {}).await;
        appoint(&chain.deployer, chain.deployment.keepers.address, &[appointment()]).await.unwrap();
        chain
    }

    async fn start_with(keepers: Keepers) -> Self {
        let logs = tempfile::tempdir().unwrap();
        // What is started here ends when it is dropped; a reaper for killed test runs would be the demo's binary.
        let processes = Processes::new(Path::new("true"), logs.path()).unwrap();
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/node_modules/.bin/anvil");
        let anvil = Anvil::start(&processes, &program).await.unwrap();
        let key = SEED.evm_key("deployer").unwrap();
        let deployer = Actor::new("deployer", key.clone(), anvil.node.clone(), CHAIN_ID);
        anvil.set_balance(deployer.account(), 100_000_000_000).await.unwrap();
        standins::place(&anvil).await.unwrap();
        anvil.set_code(VOTING_POWER, &VotingPowerStandIn::DEPLOYED_BYTECODE).await.unwrap();
        let roles = Roles {
            netuid: 2,
            owner: deployer.account(),
            treasury: Account([9; 20]),
            guardian: deployer.account(),
            judge: Account([8; 20]),
        };
        let params = Params { keepers, ..demo_params(&roles).unwrap() };
        let deployment = deploy(&anvil.node, &key, &params, logs.path()).await.unwrap().deployment;
        Self { anvil, deployment, deployer, _logs: logs, _processes: processes }
    }
}

/// The one keeper here: without it nobody would be measured.
fn appointment() -> Appointment {
    let account = Key::from_bytes([7; 32]).unwrap().account();
    Appointment { account, weight: 1, ssh_key: SEED.ssh_key("keeper").public(), url: String::new() }
}

impl LocalChain {
    /// Registers a machine there, with bond, as a miner would.
    async fn register(&self, endpoint: SocketAddr) {
        let actor = Actor::new("miner", SEED.evm_key("miner").unwrap(), self.anvil.node.clone(), CHAIN_ID);
        self.anvil.set_balance(actor.account(), 100_000_000_000).await.unwrap();
        let neuron = Neuron { netuid: 2, uid: 0, hotkey: Hash32(SEED.bytes("hotkey")), account: actor.account() };
        let mut facts = neuron.facts().to_vec();
        facts.push(standins::introduction(actor.account()));
        self.deployer.send_all(facts).await.unwrap();
        let chain = Chain::new(&self.anvil.node, &self.deployment);
        let miner = Miner { actor, host: SEED.ssh_key("machine"), neuron };
        miner.register(&chain, &self.deployer, endpoint).await.unwrap();
        miner.deposit(&chain, 500_000_000).await.unwrap();
        let terms = Terms { price_rao_per_sec: 1_000_000, min_duration_secs: 2, max_duration_secs: 60 };
        miner.offer(&chain, terms).await.unwrap();
    }
}

/// A keeper's folder: keys, configuration, and a place for its store.
struct Home {
    dir: tempfile::TempDir,
    port: u16,
}

impl Home {
    fn new(deployment: &Deployment, rpc: &str) -> Self {
        let home = Self { dir: tempfile::tempdir().unwrap(), port: free_port().unwrap() };
        std::fs::create_dir(home.path("store")).unwrap();
        home.secret("evm.key", &hex::encode([7; 32]));
        SEED.ssh_key("keeper").write(&home.path("ssh.key")).unwrap();
        std::fs::write(home.path("deployment.json"), serde_json::to_string(deployment).unwrap()).unwrap();
        let path = |name: &str| home.path(name).display().to_string();
        let text = format!(
            "[chain]\ndeployment = {:?}\nrpc = [{rpc:?}]\npoll_ms = 100\n[keys]\nevm = {:?}\nssh = {:?}\n\
             [store]\npath = {:?}\n[http]\nlisten = \"127.0.0.1:{}\"\n[look]\nanchors = [{:?}]\n",
            path("deployment.json"),
            path("evm.key"),
            path("ssh.key"),
            path("store/keeper.db"),
            home.port,
            rpc.trim_start_matches("http://"),
        );
        std::fs::write(home.path("keeper.toml"), text).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn secret(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn configure(&self, section: &str, key: &str, value: impl Into<Value>) {
        let path = self.path("keeper.toml");
        let mut table: Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        let section = table.entry(section).or_insert(Value::Table(Table::new()));
        section.as_table_mut().unwrap().insert(key.to_owned(), value.into());
        std::fs::write(&path, toml::to_string(&table).unwrap()).unwrap();
    }

    fn keeper(&self, more: &[&str]) -> Child {
        self.command("run", more)
    }

    fn command(&self, name: &str, more: &[&str]) -> Child {
        let config = self.path("keeper.toml");
        let args = [OsStr::new("keeper"), OsStr::new(name), OsStr::new("--config"), config.as_os_str()];
        let mut command = Command::new(env!("CARGO_BIN_EXE_surety"));
        command.args(args).args(more).env("RUST_BACKTRACE", "full").env_remove("SURETY_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn stored(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path("store")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Both the check and the start refuse, in the same words, and store nothing.
    fn refusal(&self) -> String {
        let check = refusal(finish(self.keeper(&["--check"]), REFUSED_WITHIN));
        let start = refusal(finish(self.keeper(&[]), REFUSED_WITHIN));
        assert_eq!(check, start);
        assert_eq!(self.stored(), Vec::<String>::new());
        check.replace(&self.dir.path().display().to_string(), "HOME")
    }
}

/// Waits for the end; a program that is still there after `limit` is killed, and the test failed.
fn finish(mut child: Child, limit: Duration) -> Output {
    let end = Instant::now() + limit;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() >= end {
            child.kill().unwrap();
            let output = child.wait_with_output().unwrap();
            panic!("still running after {limit:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

/// The one sentence on standard error.
fn refusal(output: Output) -> String {
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!((output.status.code(), out.as_str()), (Some(1), ""), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
    let lower = err.to_lowercase();
    assert!(!["panicked", "backtrace", "stack"].iter().any(|odd| lower.contains(odd)), "{err}");
    err.trim_end().strip_prefix("surety: ").unwrap().to_owned()
}

/// A deployment on no chain, for what is refused before a chain is asked.
fn nowhere() -> Deployment {
    let contract = |n: u8| Contract { address: Account([n; 20]), code_hash: Hash32([n; 32]) };
    Deployment {
        chain_id: CHAIN_ID,
        netuid: 2,
        block: 1,
        keepers: contract(1),
        vault: contract(2),
        escrow: contract(3),
        arbiter: contract(4),
        bids: contract(5),
        times: WINDOWS.times(),
    }
}

/// Where nobody listens.
fn dead_rpc() -> String {
    format!("http://127.0.0.1:{}", free_port().unwrap())
}

#[tokio::test]
async fn a_sound_configuration_is_said_to_be_when_a_majority_of_endpoints_has_the_chain() {
    let chain = LocalChain::start().await;
    let (good, home) = (chain.anvil.url(), Home::new(&chain.deployment, &chain.anvil.url()));
    let output = finish(home.keeper(&["--check"]), REFUSED_WITHIN);
    // One endpoint alone is enough, with a warning in the log.
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.ends_with(SOUND), "{text}");
    assert_eq!(home.stored(), Vec::<String>::new(), "a check stores nothing");

    home.configure("chain", "rpc", vec![dead_rpc(), good.clone(), good.clone()]);
    let output = finish(home.keeper(&["--check"]), REFUSED_WITHIN);
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).ends_with(SOUND));

    home.configure("chain", "rpc", vec![dead_rpc(), good]);
    let output = finish(home.keeper(&["--check"]), REFUSED_WITHIN);
    assert!(!output.status.success(), "one of two is no majority");
}

#[tokio::test]
async fn a_chain_that_is_not_the_deployments_is_refused() {
    let chain = LocalChain::start().await;
    let good = &chain.deployment;
    let refused = |deployment: Deployment| Home::new(&deployment, &chain.anvil.url()).refusal();

    assert_eq!(
        refused(Deployment { chain_id: 964, ..good.clone() }),
        "the RPC endpoint is on chain 31337, the deployment file is for chain 964: change chain.rpc or chain.deployment"
    );
    let escrow = Contract { address: Account([0xde; 20]), ..good.escrow };
    assert_eq!(
        refused(Deployment { escrow, ..good.clone() }),
        format!(
            "there is no code at {}, where the deployment file says RentalEscrow is: \
             wrong file, or a chain that was reset",
            escrow.address
        )
    );
    let vault = Contract { code_hash: Hash32([1; 32]), ..good.vault };
    assert_eq!(
        refused(Deployment { vault, ..good.clone() }),
        format!(
            "the code at {} is not the CollateralVault of the deployment file: do not use it with this keeper",
            vault.address
        )
    );
    let mut times = good.times;
    times.freshness_secs += 1;
    let text = refused(Deployment { times, ..good.clone() });
    assert!(text.starts_with("the deployment file's times differ from the contracts': "), "{text}");
    assert!(text.contains("freshness_secs: 8, ") && text.ends_with(" on chain; write the file anew"), "{text}");

    // The same file, and now another contract at the same address.
    chain.anvil.set_code(good.arbiter.address.0.into(), &vec![0x60, 0x01].into()).await.unwrap();
    let want = format!("the code at {} is not the Arbiter of the deployment file", good.arbiter.address);
    let text = refused(good.clone());
    assert!(text.starts_with(&want), "{text}");
}

#[test]
fn an_rpc_endpoint_that_cannot_be_reached_is_refused() {
    let home = Home::new(&nowhere(), &dead_rpc());
    let text = home.refusal();
    assert!(text.starts_with("no RPC endpoint of chain.rpc answers; the last one said: "), "{text}");
    home.configure("chain", "rpc", vec!["ftp://example.org"]);
    let text = home.refusal();
    assert!(text.ends_with("is no RPC URL: want http:// or https:// and a host"), "{text}");
}

#[test]
fn an_endpoint_that_speaks_something_else_is_refused() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            use std::io::{Read, Write};
            let _request_bytes = stream.read(&mut [0; 4096]).unwrap_or(0);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n<html>\nhello\n\n").ok();
        }
    });
    let text = Home::new(&nowhere(), &url).refusal();
    assert!(text.starts_with("no RPC endpoint of chain.rpc answers; the last one said: the node answered"), "{text}");
}

#[test]
fn an_unknown_key_in_the_configuration_is_refused() {
    let home = Home::new(&nowhere(), &dead_rpc());
    home.configure("look", "tenant", "root");
    let text = home.refusal();
    assert!(text.starts_with("the configuration HOME/keeper.toml is not valid: line "), "{text}");
    assert!(text.contains("unknown field `tenant`, expected one of `anchors`, `tenant_user`, "), "{text}");
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    for (name, want) in [
        ("evm.key", "the key file HOME/evm.key has mode 644, others can read it; run: chmod 600 HOME/evm.key"),
        ("ssh.key", "the SSH key file HOME/ssh.key has mode 0644: others can use it; run `chmod 600 HOME/ssh.key`"),
    ] {
        let home = Home::new(&nowhere(), &dead_rpc());
        std::fs::set_permissions(home.path(name), std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(home.refusal(), want);
    }
}

#[test]
fn a_missing_configuration_is_refused() {
    let home = Home::new(&nowhere(), &dead_rpc());
    std::fs::remove_file(home.path("keeper.toml")).unwrap();
    let want = "cannot read the configuration HOME/keeper.toml: No such file or directory (os error 2)";
    assert_eq!(home.refusal(), want);
}

impl Home {
    /// Starts the keeper and waits until it has read the chain.
    async fn run(&self) -> Child {
        self.run_with(&[]).await
    }

    async fn run_with(&self, more: &[&str]) -> Child {
        let mut child = self.keeper(more);
        let url = format!("http://127.0.0.1:{}/healthz", self.port);
        let end = Instant::now() + STARTED_WITHIN;
        loop {
            let health = match reqwest::get(&url).await {
                Ok(answer) => answer.json::<serde_json::Value>().await.unwrap_or_default(),
                Err(_) => serde_json::Value::Null,
            };
            if health["finalized_block"].as_u64().is_some_and(|block| block > 0) {
                return child;
            }
            if Instant::now() >= end || child.try_wait().unwrap().is_some() {
                child.kill().unwrap();
                panic!("the keeper read nothing ({health}): {:?}", child.wait_with_output());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The demo's rules: looks every second, at private addresses too.
    fn hurry(&self) {
        let Value::Table(rules) = Value::try_from(demo_rules()).unwrap() else { panic!("rules are a table") };
        rules.into_iter().for_each(|(name, value)| self.configure("rules", &name, value));
        self.configure("look", "allow_private", true);
    }

    fn config(&self, deployment: &Deployment) -> Config {
        let d = deployment;
        let contracts = Contracts { escrow: d.escrow.address, arbiter: d.arbiter.address, vault: d.vault.address };
        let me = Key::read(&self.path("evm.key")).unwrap().account();
        Config {
            me,
            chain_id: d.chain_id,
            contracts,
            rules: demo_rules(),
            shadow: Default::default(),
            payout: Default::default(),
            seat: Default::default(),
        }
    }
}

/// Sends the signal and waits for the end.
fn stop(child: Child, signal: &str) -> Output {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    finish(child, STOPPED_WITHIN)
}

#[tokio::test]
async fn a_running_keeper_stops_when_told_and_its_store_opens_again() {
    let chain = LocalChain::start().await;
    let home = Home::new(&chain.deployment, &chain.anvil.url());
    home.hurry();
    let config = home.config(&chain.deployment);
    let path = home.path("store/keeper.db");
    let mut seen = 0;
    for (run, signal) in [(1, "TERM"), (2, "INT"), (3, "KILL")] {
        let keeper = home.run().await;
        let refused = Store::open(&path).unwrap_err().to_string();
        assert!(refused.contains("is in use by another keeper"), "{refused}");

        let output = stop(keeper, signal);
        let log = String::from_utf8_lossy(&output.stderr);
        if signal != "KILL" {
            assert_eq!(output.status.code(), Some(0), "{log}");
            assert!(log.contains("the log is closed"), "{log}");
        }
        assert!(!log.contains("panicked"), "{log}");
        let loaded = Store::open(&path).unwrap().load(&path, &config).unwrap();
        assert!(loaded.seq > seen, "run {run} left no trace");
        assert_eq!(loaded.state.clock.run, run);
        assert!(loaded.state.world.finalized.block.number >= chain.deployment.block);
        seen = loaded.seq;
    }
}

#[tokio::test]
async fn a_keeper_that_waits_for_a_machine_stops_when_told() {
    let chain = LocalChain::start().await;
    let tarpit = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    chain.register(tarpit.local_addr().unwrap()).await;
    let home = Home::new(&chain.deployment, &chain.anvil.url());
    home.hurry();
    let keeper = home.run().await;
    let (_never_answered, _) = tokio::time::timeout(STARTED_WITHIN, tarpit.accept()).await.unwrap().unwrap();
    let output = stop(keeper, "TERM");
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(log.contains("the log is closed"), "{log}");
}
