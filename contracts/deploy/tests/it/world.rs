//! A local chain with the stand-ins for Subtensor's precompiles, and what tests do to it.

use alloy::primitives::{Address, B256, Bytes, U256};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use surety_client::bindings::standins::{
    AddressMappingStandIn, BalanceTransferStandIn, Ed25519VerifyStandIn, MetagraphStandIn, StorageQueryStandIn,
};
use surety_client::keys::Key;
use surety_client::provider::{Node, Tag};
use surety_client::subtensor::{ADDRESS_MAPPING, BALANCE_TRANSFER, ED25519_VERIFY, METAGRAPH, STORAGE_QUERY};
use surety_core::types::{Account, Hash32};
use surety_deploy::audit::{AuditOptions, Report, audit};
use surety_deploy::deploy::{DeployError, Event, Interrupted, Options, Outcome, deploy};
use surety_deploy::network::Network;
use surety_deploy::params::Params;
use surety_deploy::record::DeploymentFile;

/// anvil's first account, which has 10,000 ether.
pub const DEPLOYER: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

pub struct World {
    pub node: Node,
    pub key: Key,
    pub params: Params,
    pub options: Options,
    pub dir: tempfile::TempDir,
    /// Where anvil puts states of old blocks; what is killed leaves them.
    _states: tempfile::TempDir,
    chain: Child,
}

impl Drop for World {
    fn drop(&mut self) {
        self.chain.kill().ok();
        self.chain.wait().ok();
    }
}

/// The program itself: npm's wrapper round it leaves it running when it is killed.
fn anvil() -> PathBuf {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../node_modules/@foundry-rs");
    let packages = std::fs::read_dir(modules).expect("contracts/node_modules is missing: npm install in contracts/");
    let mut programs = packages.flatten().map(|package| package.path().join("bin/anvil"));
    programs.find(|path| path.exists()).expect("no anvil for this platform in contracts/node_modules")
}

impl World {
    /// A chain with every stand-in, a subnet with one neuron, and the local network's parameters.
    pub async fn new() -> Self {
        // One block is final when two are on top of it.
        let world = Self::bare(&["--slots-in-an-epoch", "1"]).await;
        world.place_standins().await;
        world
    }

    /// A chain without stand-ins.
    pub async fn bare(arguments: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(anvil());
        command.args(["--port", &port.to_string(), "--hardfork", "cancun", "--silent"]).args(arguments);
        let states = tempfile::tempdir().unwrap();
        command.arg("--cache-path").arg(states.path());
        let chain = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let node = Node::new(&format!("http://127.0.0.1:{port}")).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let key = Key::from_bytes(DEPLOYER.parse::<B256>().unwrap().0).unwrap();
        let params = Params::committed(Network::Local).unwrap();
        let options = Options {
            poll: Duration::from_millis(20),
            mined_within: Duration::from_secs(5),
            ..Options::new(Network::Local, dir.path())
        };
        let world = Self { node, key, params, options, dir, chain, _states: states };
        let deadline = Instant::now() + Duration::from_secs(20);
        while world.node.chain_id().await.is_err() {
            assert!(Instant::now() < deadline, "anvil does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        world
    }

    pub async fn place_standins(&self) {
        let codes: [(Address, &Bytes); 5] = [
            (ED25519_VERIFY, &Ed25519VerifyStandIn::DEPLOYED_BYTECODE),
            (BALANCE_TRANSFER, &BalanceTransferStandIn::DEPLOYED_BYTECODE),
            (METAGRAPH, &MetagraphStandIn::DEPLOYED_BYTECODE),
            (STORAGE_QUERY, &StorageQueryStandIn::DEPLOYED_BYTECODE),
            (ADDRESS_MAPPING, &AddressMappingStandIn::DEPLOYED_BYTECODE),
        ];
        for (at, code) in codes {
            self.set_code(Account(at.into_array()), code).await;
        }
        let call = MetagraphStandIn::setHotkeyCall { netuid: self.params.netuid, uid: 0, hotkey: B256::repeat_byte(9) };
        // By another account: the deployer's nonces are counted.
        self.call_from(other(), METAGRAPH, &call, 0).await;
    }

    pub async fn rpc(&self, method: &'static str, params: Value) -> Value {
        self.node.ask(method, self.node.provider_client().request::<_, Value>(method, params)).await.unwrap()
    }

    pub async fn set_code(&self, at: Account, code: &[u8]) {
        self.rpc("anvil_setCode", json!([Address::from(at.0), Bytes::copy_from_slice(code)])).await;
    }

    pub async fn code(&self, at: Account) -> Vec<u8> {
        surety_deploy::chain::code(&self.node, at, Tag::Latest).await.unwrap().to_vec()
    }

    pub async fn set_storage(&self, at: Account, slot: B256, value: B256) {
        self.rpc("anvil_setStorageAt", json!([Address::from(at.0), U256::from_be_bytes(slot.0), value])).await;
    }

    pub async fn storage(&self, at: Account, slot: u64) -> B256 {
        self.storage_at(at, B256::from(U256::from(slot))).await
    }

    pub async fn storage_at(&self, at: Account, slot: B256) -> B256 {
        let slot = U256::from_be_bytes(slot.0);
        let word = self.rpc("eth_getStorageAt", json!([Address::from(at.0), slot, "latest"])).await;
        serde_json::from_value(word).unwrap()
    }

    pub async fn set_balance(&self, of: Account, wei: U256) {
        self.rpc("anvil_setBalance", json!([Address::from(of.0), wei])).await;
    }

    /// A transaction by an account of anvil's, mined at once; it must succeed.
    pub async fn call_from(&self, from: Account, to: Address, call: &impl alloy::sol_types::SolCall, rao: u64) {
        let value = surety_client::units::wei(rao);
        let input = Bytes::from(call.abi_encode());
        let tx = json!({ "from": Address::from(from.0), "to": to, "input": input, "value": value });
        self.sent(tx).await;
    }

    /// Sends, and waits for success.
    async fn sent(&self, tx: Value) {
        let hash: B256 = serde_json::from_value(self.rpc("eth_sendTransaction", json!([tx])).await).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(receipt) = self.node.receipt(Hash32(hash.0)).await.unwrap() {
                assert!(receipt.succeeded(), "the transaction reverted");
                return;
            }
            assert!(Instant::now() < deadline, "not mined");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Another transaction of the deployer's, in a block.
    pub async fn foreign(&self) {
        self.sent(self.foreign_transaction()).await;
    }

    /// Another transaction of the deployer's, in the pool.
    pub async fn foreign_in_pool(&self) {
        self.rpc("eth_sendTransaction", json!([self.foreign_transaction()])).await;
    }

    fn foreign_transaction(&self) -> Value {
        let from = Address::from(self.key.account().0);
        json!({ "from": from, "to": from, "value": "0x1" })
    }

    /// The newest block's time.
    pub async fn now_secs(&self) -> u64 {
        self.node.header(Tag::Latest).await.unwrap().unwrap().timestamp.to()
    }

    /// Lets time pass, and a block with it.
    pub async fn pass(&self, secs: u64) {
        self.rpc("evm_increaseTime", json!([secs])).await;
        self.rpc("evm_mine", json!([])).await;
    }

    pub async fn nonce(&self) -> u64 {
        self.node.nonce(self.key.account(), Tag::Latest).await.unwrap()
    }

    /// Deploys; `watch` may interrupt.
    pub async fn deploy(
        &self,
        mut watch: impl FnMut(&Event<'_>) -> Result<(), Interrupted>,
    ) -> Result<Outcome, DeployError> {
        deploy(&self.node, &self.key, &self.params, &self.options, &mut watch).await
    }

    /// Deploys without interruption.
    pub async fn deployed(&self) -> DeploymentFile {
        match self.deploy(|_| Ok(())).await {
            Ok(Outcome::Deployed(file)) => *file,
            other => panic!("not deployed: {other:?}"),
        }
    }

    pub async fn audit(&self, file: &DeploymentFile) -> Report {
        audit(&self.node, file, &AuditOptions::new(Network::Local)).await.unwrap()
    }

    /// What an audit finds.
    pub async fn findings(&self, file: &DeploymentFile) -> Vec<String> {
        self.audit(file).await.findings().map(ToString::to_string).collect()
    }
}

/// anvil's second account.
pub fn other() -> Account {
    "0x70997970c51812dc3a010c7d01b50e0d17dc79c8".parse().unwrap()
}

/// Exactly one finding, and it has these words.
pub fn one_finding(found: &[String], words: &[&str]) {
    assert_eq!(found.len(), 1, "{found:#?}");
    has_finding(found, words);
}

/// Some finding has all of these words.
pub fn has_finding(found: &[String], words: &[&str]) {
    let fits = |line: &&String| words.iter().all(|word| line.contains(word));
    assert!(found.iter().any(|line| fits(&line)), "{words:?} in none of {found:#?}");
}
