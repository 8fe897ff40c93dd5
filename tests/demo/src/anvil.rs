//! anvil, the local chain: Subtensor's EVM has Prague's rules without what came after, so it runs Cancun's, which the
//! contracts are compiled for.

use crate::process::{Process, Processes};
use crate::wait::{Seen, Seer};
use alloy::primitives::{Address, Bytes};
use alloy::providers::Provider;
use anyhow::{Context, Result};
use serde_json::json;
use std::ffi::OsString;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;
use surety_client::provider::Node;
use surety_client::units::wei;
use surety_core::types::{Account, Rao};
use tempfile::TempDir;

/// The chain id anvil has.
pub const CHAIN_ID: u64 = 31_337;

/// Tries to find a port that nobody takes first.
const START_TRIES: u32 = 3;
const START_LIMIT: Duration = Duration::from_secs(10);

/// A running local chain.
pub struct Anvil {
    /// JSON-RPC port on 127.0.0.1.
    pub port: u16,
    /// A connection to it.
    pub node: Node,
    _process: Process,
    /// Where it puts states of old blocks; what is killed leaves them.
    _states: TempDir,
}

impl Anvil {
    /// Starts `program` on a free loopback port: a block a second, `finalized` two blocks behind.
    pub async fn start(processes: &Processes, program: &Path) -> Result<Self> {
        let mut failed = anyhow::anyhow!("anvil was not started");
        for _ in 0..START_TRIES {
            match Self::start_once(processes, program).await {
                Ok(anvil) => return Ok(anvil),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    async fn start_once(processes: &Processes, program: &Path) -> Result<Self> {
        let (port, states) = (free_port()?, tempfile::tempdir()?);
        let args: Vec<OsString> = [
            "--port",
            &port.to_string(),
            "--block-time",
            "1",
            "--slots-in-an-epoch",
            "1",
            "--hardfork",
            "cancun",
            "--accounts",
            "1",
            "--silent",
        ]
        .into_iter()
        .map(OsString::from)
        .chain(["--cache-path".into(), states.path().into()])
        .collect();
        let mut process = processes.start("anvil", program, &args).context(
            "anvil comes with contracts/node_modules (npm ci --ignore-scripts in contracts/); scripts/demo installs it",
        )?;
        let node = Node::new(&format!("http://127.0.0.1:{port}"))?;
        let seer = Seer::default();
        let answers = seer.until("anvil answers", START_LIMIT, async || {
            Ok(match process.check_alive() {
                Err(ended) => Seen::Done(Err(ended)),
                Ok(()) => Seen::Done(Ok(node.chain_id().await?)),
            })
        });
        let chain_id = answers.await??;
        anyhow::ensure!(chain_id == CHAIN_ID, "anvil has chain id {chain_id}, expected {CHAIN_ID}");
        Ok(Self { port, node, _process: process, _states: states })
    }

    /// JSON-RPC URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Puts code at an address.
    pub async fn set_code(&self, at: Address, code: &Bytes) -> Result<()> {
        self.command("anvil_setCode", json!([at, code])).await
    }

    /// Gives an account exactly this much.
    pub async fn set_balance(&self, account: Account, rao: Rao) -> Result<()> {
        self.command("anvil_setBalance", json!([Address::from(account.0), wei(rao)])).await
    }

    async fn command(&self, method: &'static str, params: serde_json::Value) -> Result<()> {
        let request = self.node.provider().client().request::<_, serde_json::Value>(method, params);
        self.node.ask(method, request).await?;
        Ok(())
    }
}

/// A loopback port that was free a moment ago.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
