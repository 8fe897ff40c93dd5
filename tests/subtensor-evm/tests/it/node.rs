//! A chain as a random walk uses it: the harness is one, anvil another.

use crate::kit::wei;
use alloy_primitives::{Address, Bytes, U256, hex};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};
use surety_subtensor_evm::{Chain, Tx};

/// Gas of every transaction: the same for both.
const GAS: u64 = 10_000_000;

/// What came of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub succeeded: bool,
    /// Returned, or revert data; of anvil only the latter.
    pub output: Bytes,
    pub gas_used: u64,
    pub created: Option<Address>,
}

/// A chain.
pub trait Node {
    /// Gives an account that many rao, from nowhere and without running its code.
    fn give(&mut self, who: Address, rao: u64);
    /// Sends a transaction from anybody; no receiver creates.
    fn send(&mut self, from: Address, to: Option<Address>, data: Vec<u8>, value_rao: u64) -> Answer;
    /// All reads at once, in their order: what the calls return, and what the accounts show, in rao.
    fn read(&self, calls: &[(Address, Vec<u8>)], accounts: &[Address]) -> (Vec<Bytes>, Vec<u64>);
    /// The next transaction's block has that timestamp.
    fn set_time(&mut self, secs: u64);
}

impl Node for Chain {
    fn give(&mut self, who: Address, rao: u64) {
        Chain::fund(self, who, rao).unwrap();
    }

    fn send(&mut self, from: Address, to: Option<Address>, data: Vec<u8>, value_rao: u64) -> Answer {
        let tx = Tx { to, ..Tx::call(from, Address::ZERO, data).value(wei(value_rao)).gas(GAS) };
        let outcome = Chain::send(self, &tx).unwrap();
        let (succeeded, gas_used, created) = (outcome.succeeded(), outcome.gas_used, outcome.created);
        Answer { succeeded, output: outcome.output, gas_used, created }
    }

    fn read(&self, calls: &[(Address, Vec<u8>)], accounts: &[Address]) -> (Vec<Bytes>, Vec<u64>) {
        let call = |(to, data): &(Address, Vec<u8>)| Chain::call(self, Address::ZERO, *to, data.clone()).output;
        let shown = |who: &Address| (self.visible_wei(*who) / wei(1)).to();
        (calls.iter().map(call).collect(), accounts.iter().map(shown).collect())
    }

    fn set_time(&mut self, secs: u64) {
        let now = self.now();
        if secs > now {
            self.pass(secs - now);
        }
    }
}

/// A running anvil, killed when dropped.
pub struct Anvil {
    child: Child,
    port: u16,
    /// Where it puts states of old blocks; what is killed leaves them.
    _states: tempfile::TempDir,
}

impl Anvil {
    /// None where npm has not brought it.
    pub fn start(chain_id: u64) -> Option<Self> {
        let program = program()?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let states = tempfile::tempdir().unwrap();
        let child = Command::new(program)
            .arg("--cache-path")
            .arg(states.path())
            .args(["--silent", "--auto-impersonate", "--hardfork", "cancun", "--accounts", "1"])
            .args(["--chain-id", &chain_id.to_string(), "--port", &port.to_string()])
            .args(["--timestamp", "1700000000"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let anvil = Self { child, port, _states: states };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(anvil);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("anvil does not answer within ten seconds");
    }

    /// Puts code where the chain has a precompile.
    pub fn set_code(&mut self, at: Address, code: &[u8]) {
        self.rpc("anvil_setCode", json!([at, hex::encode_prefixed(code)]));
    }

    fn rpc(&self, method: &str, params: Value) -> Value {
        result(&self.post(&request(1, method, &params)), method, &params)
    }

    /// Sets what an account shows, in rao.
    pub fn set_balance(&mut self, who: Address, rao: u64) {
        self.rpc("anvil_setBalance", json!([who, format!("{:#x}", wei(rao))]));
    }

    fn post(&self, body: &Value) -> Value {
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n";
        write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap();
        let text = String::from_utf8(response).unwrap();
        let (_, json) = text.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(json).unwrap_or_else(|e| panic!("{body}: {e}: {text}"))
    }

    fn receipt(&self, hash: &Value) -> Value {
        for _ in 0..2_000 {
            let receipt = self.rpc("eth_getTransactionReceipt", json!([hash]));
            if !receipt.is_null() {
                return receipt;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("{hash} is not mined within ten seconds");
    }

    fn revert_data(&self, hash: &Value) -> Bytes {
        let trace = self.rpc("debug_traceTransaction", json!([hash, { "tracer": "callTracer" }]));
        bytes(&trace["output"])
    }
}

impl Node for Anvil {
    fn give(&mut self, who: Address, rao: u64) {
        let (_, shown) = self.read(&[], &[who]);
        self.set_balance(who, shown[0] + rao);
    }

    fn send(&mut self, from: Address, to: Option<Address>, data: Vec<u8>, value_rao: u64) -> Answer {
        let mut tx = json!({
            "from": from,
            "data": hex::encode_prefixed(data),
            "value": format!("{:#x}", wei(value_rao)),
            "gas": format!("{GAS:#x}"),
        });
        if let Some(to) = to {
            tx["to"] = json!(to);
        }
        let hash = self.rpc("eth_sendTransaction", json!([tx]));
        let receipt = self.receipt(&hash);
        let succeeded = receipt["status"] == "0x1";
        let output = if succeeded { Bytes::new() } else { self.revert_data(&hash) };
        let created = receipt["contractAddress"].as_str().and_then(|a| a.parse().ok());
        Answer { succeeded, output, gas_used: number(&receipt["gasUsed"]).to(), created }
    }

    fn read(&self, calls: &[(Address, Vec<u8>)], accounts: &[Address]) -> (Vec<Bytes>, Vec<u64>) {
        let call = |(to, data): &(Address, Vec<u8>)| {
            ("eth_call", json!([{ "to": to, "data": hex::encode_prefixed(data) }, "latest"]))
        };
        let balance = |who: &Address| ("eth_getBalance", json!([who, "latest"]));
        let all: Vec<_> = calls.iter().map(call).chain(accounts.iter().map(balance)).collect();
        let batch = all.iter().enumerate().map(|(id, (method, params))| request(id, method, params)).collect();
        let Value::Array(mut answers) = self.post(&Value::Array(batch)) else { panic!("a batch has many answers") };
        answers.sort_by_key(|answer| answer["id"].as_u64());
        let results = answers.iter().zip(&all).map(|(answer, (method, params))| result(answer, method, params));
        let mut results: Vec<Value> = results.collect();
        let owned = results.split_off(calls.len());
        (results.iter().map(bytes).collect(), owned.iter().map(|wei_of| (number(wei_of) / wei(1)).to()).collect())
    }

    fn set_time(&mut self, secs: u64) {
        self.rpc("evm_setNextBlockTimestamp", json!([secs]));
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// The program itself, without npm's wrapper, which would survive as a parent of nothing.
fn program() -> Option<PathBuf> {
    let scope = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contracts/node_modules/@foundry-rs");
    let packages = std::fs::read_dir(scope).ok()?.flatten();
    let mut programs = packages.map(|package| package.path().join("bin/anvil"));
    programs.find(|program| program.is_file())
}

fn request(id: usize, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn result(answer: &Value, method: &str, params: &Value) -> Value {
    assert!(answer.get("error").is_none(), "{method} {params}: {}", answer["error"]);
    answer["result"].clone()
}

fn bytes(value: &Value) -> Bytes {
    value.as_str().map(|text| hex::decode(text).unwrap().into()).unwrap_or_default()
}

fn number(value: &Value) -> U256 {
    value.as_str().unwrap().parse().unwrap()
}
