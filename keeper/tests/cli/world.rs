//! A chain with the contracts, three keepers' certificates served over HTTP, and the built program.

use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use surety_client::keys::Key;
use surety_client::provider::Node;
use surety_core::statement::{Certificate, Signed};
use surety_core::types::{Account, Hash32, MachineId, Rao};
use surety_demo::actor::Actor;
use surety_demo::anvil::{Anvil, CHAIN_ID};
use surety_demo::chain::Chain;
use surety_demo::deploy::{Appointment, appoint, deploy};
use surety_demo::params::{Roles, demo_params};
use surety_demo::process::Processes;
use surety_demo::seed::{Seed, SshKeyPair, write_secret};
use surety_demo::standins::{self, Neuron};
use surety_demo::wait::{Seen, Seer};
use surety_verifier::classes::ClassId;

pub(crate) const NETUID: u16 = 2;
pub(crate) const BEGAN_WITH: Rao = 100_000_000_000;
pub(crate) const SEED: Seed = Seed(11);
const WAIT: Duration = Duration::from_secs(60);

/// Answers `GET` with what is laid out under its path, and 404 otherwise.
#[derive(Clone)]
pub(crate) struct Shelf {
    pub(crate) port: u16,
    pages: Arc<Mutex<HashMap<String, String>>>,
}

impl Shelf {
    pub(crate) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let shelf = Self { port: listener.local_addr().unwrap().port(), pages: Arc::default() };
        let own = shelf.clone();
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| own.serve(stream)));
        shelf
    }

    pub(crate) fn put(&self, path: &str, body: String) {
        self.pages.lock().unwrap().insert(path.to_owned(), body);
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut line = String::new();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        reader.read_line(&mut line).ok();
        let mut rest = String::new();
        while reader.read_line(&mut rest).is_ok_and(|read| read > 2) {
            rest.clear();
        }
        let path = line.split(' ').nth(1).unwrap_or("").split('?').next().unwrap_or("").to_owned();
        let found = self.pages.lock().unwrap().get(&path).cloned();
        let (status, body) = match found {
            Some(body) => ("200 OK", body),
            None => ("404 Not Found", r#"{"error":{"code":"not_found","message":"nothing here"}}"#.into()),
        };
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).ok();
    }
}

pub(crate) struct World {
    pub(crate) anvil: Anvil,
    pub(crate) chain: Chain,
    pub(crate) owner: Actor,
    pub(crate) miner: Key,
    pub(crate) renter: Key,
    pub(crate) host: SshKeyPair,
    pub(crate) neuron: Neuron,
    pub(crate) keepers: Vec<Key>,
    pub(crate) shelf: Shelf,
    pub(crate) dir: tempfile::TempDir,
    _processes: Processes,
}

pub(crate) fn actor(node: &Node, name: &str) -> Actor {
    Actor::new(name, SEED.evm_key(name).unwrap(), node.clone(), CHAIN_ID)
}

impl World {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let processes = Processes::new(Path::new("true"), dir.path()).unwrap();
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/node_modules/.bin/anvil");
        let anvil = Anvil::start(&processes, &program).await.unwrap();
        let [deployer, miner, renter] = ["deployer", "miner", "renter"].map(|name| SEED.evm_key(name).unwrap());
        let owner = actor(&anvil.node, "owner");
        let keepers: Vec<Key> = (0..3).map(|n| SEED.evm_key(&format!("keeper-{n}")).unwrap()).collect();
        for account in [deployer.account(), owner.account(), miner.account(), renter.account()] {
            anvil.set_balance(account, BEGAN_WITH).await.unwrap();
        }
        standins::place(&anvil).await.unwrap();
        let hotkey = Hash32(SEED.bytes("hotkey"));
        let neuron = Neuron { netuid: NETUID, uid: 0, hotkey, account: miner.account() };
        let mut facts = neuron.facts().to_vec();
        facts.extend([miner.account(), renter.account()].map(standins::introduction));
        owner.send_all(facts).await.unwrap();
        let (own, treasury, judge) = (owner.account(), Account([9; 20]), Account([8; 20]));
        let roles = Roles { netuid: NETUID, owner: own, treasury, guardian: own, judge };
        let params = demo_params(&roles).unwrap();
        let deployed = deploy(&anvil.node, &deployer, &params, dir.path()).await.unwrap().deployment;
        let shelf = Shelf::open();
        appoint(&owner, deployed.keepers.address, &appointments(&keepers, shelf.port)).await.unwrap();
        for (name, key) in [("miner", "miner"), ("renter", "renter")] {
            let secret = hex::encode(SEED.bytes(&format!("evm/{key}")));
            write_secret(&dir.path().join(format!("{name}.key")), secret.as_bytes()).unwrap();
        }
        let host = SEED.ssh_key("machine");
        host.write(&dir.path().join("host_key")).unwrap();
        let chain = Chain::new(&anvil.node, &deployed);
        Self { anvil, chain, owner, miner, renter, host, neuron, keepers, shelf, dir, _processes: processes }
    }

    pub(crate) fn machine(&self) -> MachineId {
        MachineId(self.host.public())
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    /// Runs the program on this chain, as `who` when one is named, with nobody to ask.
    pub(crate) fn surety(&self, who: &str, args: &[&str]) -> Told {
        let mut command = program();
        command.args(args).env("SURETY_NETWORK", "local").env("SURETY_DEPLOYMENTS", self.dir.path());
        command.env("SURETY_RPC", self.anvil.url());
        if !who.is_empty() {
            command.env("SURETY_KEY_FILE", self.path(&format!("{who}.key")));
        }
        Told::of(command.output().unwrap())
    }

    /// The same, to be done without asking, as JSON.
    pub(crate) fn does(&self, who: &str, args: &[&str]) -> Value {
        let told = self.surety(who, &[args, &["--yes", "--json"]].concat());
        assert_eq!(told.status, 0, "{args:?}: {} {}", told.out, told.err);
        told.json()
    }

    /// Lets every keeper serve its certificate of the machine, measured now.
    pub(crate) async fn certify(&self, registration: u32, signers: &[usize]) {
        let statement = Certificate {
            machine: self.machine(),
            registration,
            gpu_class: ClassId::CPU_TEST.0,
            gpu_count: 1,
            measured_at_secs: self.now_secs().await,
            evidence: Hash32([5; 32]),
        };
        let digest = self.chain.domains().certificate(&statement).unwrap();
        for index in 0..self.keepers.len() {
            let key = &self.keepers[index];
            let signed = Signed { statement, signer: key.account(), signature: key.sign(digest).unwrap() };
            let all = if signers.contains(&index) { vec![signed] } else { vec![] };
            let body = serde_json::json!({ "certificates": all }).to_string();
            self.shelf.put(&format!("/{index}/v1/certificates/{}", self.machine()), body);
        }
    }

    pub(crate) async fn now_secs(&self) -> u64 {
        self.chain.now_secs().await.unwrap()
    }

    pub(crate) async fn time_is(&self, secs: u64) {
        let look = async || {
            let now = self.chain.now_secs().await?;
            Ok(if now >= secs { Seen::Done(()) } else { Seen::NotYet(format!("{now} of {secs}")) })
        };
        Seer::default().until("chain time has come", WAIT, look).await.unwrap();
    }

    /// Transactions an account has in blocks.
    pub(crate) async fn nonce(&self, key: &Key) -> u64 {
        self.anvil.node.pending_nonce(key.account()).await.unwrap()
    }
}

fn appointments(keepers: &[Key], port: u16) -> Vec<Appointment> {
    let appoint = |(index, key): (usize, &Key)| Appointment {
        account: key.account(),
        weight: [40, 35, 25][index],
        ssh_key: SEED.ssh_key(&format!("keeper-{index}")).public(),
        url: format!("http://127.0.0.1:{port}/{index}"),
    };
    keepers.iter().enumerate().map(appoint).collect()
}

/// The built program without anything of the environment's but what finds other programs.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surety"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
    command
}

/// What the program said.
pub(crate) struct Told {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Told {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.err))
    }

    /// The exit status, after checking that the message names all of `words`.
    pub(crate) fn fails(&self, status: i32, words: &[&str]) {
        assert_eq!(self.status, status, "{} {}", self.out, self.err);
        for word in words {
            assert!(self.err.contains(word), "no '{word}' in: {}", self.err);
        }
    }
}

/// A file in the tests' own directory.
pub(crate) fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
