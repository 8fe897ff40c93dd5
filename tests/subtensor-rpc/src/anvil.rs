//! A bare anvil for tests: mines at once, or when told to.

use crate::errors::Failure;
use crate::upstream::Upstream;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// Longest it may take to answer first.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A transaction that waits this long while each is to be mined at once has been forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(2);

/// A running anvil; killed when dropped.
#[derive(Debug)]
pub struct Anvil {
    child: Child,
    /// Where it puts states of old blocks; what is killed leaves them.
    _states: TempDir,
    url: String,
    upstream: Upstream,
    mines_at_once: Arc<AtomicBool>,
    reminder: JoinHandle<()>,
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
        let (program, states) = (program()?, tempfile::tempdir()?);
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
        let mut command = Command::new(&program);
        command.args(["--port", &port, "--hardfork", "cancun", "--slots-in-an-epoch", "1", "--accounts", "1"]);
        command.arg("--cache-path").arg(states.path());
        command.arg("--silent").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().with_context(|| format!("{} does not start", program.display()))?;
        let url = format!("http://127.0.0.1:{port}");
        let mines_at_once = Arc::new(AtomicBool::new(true));
        let reminder = tokio::spawn(remind(Upstream::new(&url)?, mines_at_once.clone()));
        let mut anvil = Self { child, _states: states, upstream: Upstream::new(&url)?, url, mines_at_once, reminder };
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
        self.mines_at_once.store(on, Relaxed);
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
        self.reminder.abort();
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program itself: npm's wrapper round it leaves it running when it is killed.
fn program() -> Result<PathBuf> {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/node_modules/@foundry-rs");
    let how = || format!("no anvil in {}: run npm ci --ignore-scripts in contracts/", modules.display());
    let packages = std::fs::read_dir(&modules).with_context(how)?;
    let mut programs = packages.flatten().map(|package| package.path().join("bin/anvil"));
    programs.find(|program| program.exists()).with_context(how)
}

/// A transaction that comes in while a block is being made is left in the pool now and then, until the next comes.
/// Where each is to be mined at once, one that still waits after a while is mined by hand.
async fn remind(upstream: Upstream, mines_at_once: Arc<AtomicBool>) {
    let mut waited = false;
    loop {
        tokio::time::sleep(FORGOTTEN_AFTER).await;
        let status = upstream.get("txpool_status", json!([])).await.unwrap_or_default();
        let waits = mines_at_once.load(Relaxed) && status["pending"].as_str().is_some_and(|count| count != "0x0");
        if waits && waited {
            // It may have been mined, or the anvil be gone, by now.
            let _ = upstream.get("anvil_mine", json!(["0x1", "0x1"])).await;
        }
        waited = waits;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a process has this port among its arguments.
    fn somebody_has(port: &str) -> bool {
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let mut lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
        lines.any(|line| line.split(|byte| *byte == 0).any(|word| word == port.as_bytes()))
    }

    #[tokio::test]
    async fn an_anvil_that_is_dropped_leaves_neither_process_nor_states() -> Result<()> {
        let anvil = Anvil::start().await?;
        let (port, states) =
            (anvil.url().rsplit(':').next().unwrap_or_default().to_owned(), anvil._states.path().to_owned());
        assert!(somebody_has(&port) && states.exists());
        drop(anvil);
        assert!(!somebody_has(&port), "anvil still runs on port {port}");
        assert!(!states.exists());
        Ok(())
    }

    #[tokio::test]
    async fn a_transaction_that_is_forgotten_in_the_pool_is_mined_after_a_while() -> Result<()> {
        let anvil = Anvil::start().await?;
        // Behind the back of [`Anvil`], which goes on believing that each is mined at once.
        anvil.ask("evm_setAutomine", json!([false])).await?;
        let accounts = anvil.ask("eth_accounts", json!([])).await?;
        anvil.ask("eth_sendTransaction", json!([{ "from": accounts[0], "to": accounts[0] }])).await?;
        let end = Instant::now() + START_LIMIT;
        while anvil.height().await? == 0 {
            assert!(Instant::now() < end, "it is still in the pool");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}
