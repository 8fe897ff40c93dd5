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
    /// Puts an account's balance to that, in rao.
    fn fund(&mut self, who: Address, rao: u64);
    /// Sends a transaction from anybody; no receiver creates.
    fn send(&mut self, from: Address, to: Option<Address>, data: Vec<u8>, value_rao: u64) -> Answer;
    /// Reads.
    fn call(&self, to: Address, data: Vec<u8>) -> Bytes;
    /// The next transaction's block has that timestamp.
    fn set_time(&mut self, secs: u64);
    /// What the account owns in rao, the existential deposit included.
    fn owned_rao(&self, who: Address) -> u64;
}

impl Node for Chain {
    fn fund(&mut self, who: Address, rao: u64) {
        Chain::fund(self, who, rao).unwrap();
    }

    fn send(&mut self, from: Address, to: Option<Address>, data: Vec<u8>, value_rao: u64) -> Answer {
        let tx = Tx { to, ..Tx::call(from, Address::ZERO, data).value(wei(value_rao)).gas(GAS) };
        let outcome = Chain::send(self, &tx).unwrap();
        let (succeeded, gas_used, created) = (outcome.succeeded(), outcome.gas_used, outcome.created);
        Answer { succeeded, output: outcome.output, gas_used, created }
    }

    fn call(&self, to: Address, data: Vec<u8>) -> Bytes {
        Chain::call(self, Address::ZERO, to, data).output
    }

    fn set_time(&mut self, secs: u64) {
        let now = self.now();
        if secs > now {
            self.pass(secs - now);
        }
    }

    fn owned_rao(&self, who: Address) -> u64 {
        self.free_rao(who)
    }
}

/// A running anvil, killed when dropped.
pub struct Anvil {
    child: Child,
    port: u16,
}

impl Anvil {
    /// None where npm has not brought it.
    pub fn start(chain_id: u64) -> Option<Self> {
        let program = program()?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(program)
            .args(["--silent", "--auto-impersonate", "--hardfork", "cancun", "--accounts", "1"])
            .args(["--chain-id", &chain_id.to_string(), "--port", &port.to_string()])
            .args(["--timestamp", "1700000000"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let anvil = Self { child, port };
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
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n";
        write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap();
        let text = String::from_utf8(response).unwrap();
        let (_, json) = text.split_once("\r\n\r\n").unwrap();
        let answer: Value = serde_json::from_str(json).unwrap_or_else(|e| panic!("{method}: {e}: {text}"));
        assert!(answer.get("error").is_none(), "{method} {params}: {}", answer["error"]);
        answer["result"].clone()
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
    fn fund(&mut self, who: Address, rao: u64) {
        self.rpc("anvil_setBalance", json!([who, format!("{:#x}", wei(rao))]));
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

    fn call(&self, to: Address, data: Vec<u8>) -> Bytes {
        bytes(&self.rpc("eth_call", json!([{ "to": to, "data": hex::encode_prefixed(data) }, "latest"])))
    }

    fn set_time(&mut self, secs: u64) {
        self.rpc("evm_setNextBlockTimestamp", json!([secs]));
    }

    fn owned_rao(&self, who: Address) -> u64 {
        (number(&self.rpc("eth_getBalance", json!([who, "latest"]))) / wei(1)).to()
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

fn bytes(value: &Value) -> Bytes {
    value.as_str().map(|text| hex::decode(text).unwrap().into()).unwrap_or_default()
}

fn number(value: &Value) -> U256 {
    value.as_str().unwrap().parse().unwrap()
}
