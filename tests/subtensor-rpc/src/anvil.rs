//! A bare anvil for tests: mines at once, or when told to.

use crate::errors::Failure;
use crate::upstream::Upstream;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest it may take to answer first.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A running anvil; killed when dropped.
#[derive(Debug)]
pub struct Anvil {
    child: Child,
    url: String,
    upstream: Upstream,
}

impl Anvil {
    /// Starts the anvil that npm installs in `contracts/`, on a free loopback port; a block for each transaction.
    ///
    /// # Errors
    /// It is not installed, or does not answer.
    pub async fn start() -> Result<Self> {
        let mut failed = anyhow::anyhow!("anvil was not started");
        for _ in 0..3 {
            match Self::start_once().await {
                Ok(anvil) => return Ok(anvil),
                // Somebody else may have taken the port first.
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    async fn start_once() -> Result<Self> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/node_modules/.bin/anvil");
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
        let mut command = Command::new(&program);
        command.args(["--port", &port, "--hardfork", "cancun", "--slots-in-an-epoch", "1", "--accounts", "1"]);
        command.arg("--silent").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let how = "run npm ci --ignore-scripts in contracts/";
        let child = command.spawn().with_context(|| format!("{} does not start: {how}", program.display()))?;
        let url = format!("http://127.0.0.1:{port}");
        let mut anvil = Self { child, upstream: Upstream::new(&url)?, url };
        let end = Instant::now() + START_LIMIT;
        while anvil.upstream.height().await.is_err() {
            if let Some(status) = anvil.child.try_wait()? {
                bail!("anvil ended: {status}");
            }
            if Instant::now() >= end {
                bail!("anvil does not answer");
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        Ok(anvil)
    }

    /// JSON-RPC URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Anything anvil knows.
    ///
    /// # Errors
    /// What anvil refused.
    pub async fn ask(&self, method: &str, params: Value) -> Result<Value> {
        let answer = self.upstream.get(method, params).await;
        answer.map_err(|failure: Failure| anyhow::anyhow!("{method}: {}", failure.to_json()))
    }

    /// Mines this many blocks.
    ///
    /// # Errors
    /// anvil is gone.
    pub async fn mine(&self, blocks: u64) -> Result<()> {
        self.ask("anvil_mine", json!([format!("{blocks:#x}"), "0x1"])).await.map(drop)
    }

    /// Whether each transaction is mined at once.
    ///
    /// # Errors
    /// anvil is gone.
    pub async fn automine(&self, on: bool) -> Result<()> {
        self.ask("evm_setAutomine", json!([on])).await.map(drop)
    }

    /// Replaces this many of the newest blocks by empty ones.
    ///
    /// # Errors
    /// anvil is gone.
    pub async fn reorg(&self, depth: u64) -> Result<()> {
        self.ask("anvil_reorg", json!([depth, []])).await.map(drop)
    }

    /// Height.
    ///
    /// # Errors
    /// anvil is gone.
    pub async fn height(&self) -> Result<u64> {
        self.upstream.height().await.map_err(|failure| anyhow::anyhow!("{}", failure.to_json()))
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
