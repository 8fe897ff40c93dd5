//! `surety-node doctor`: is everything there that the agent needs? Each failing item says what is wrong and what to do.

mod device;

use crate::chain::EvmReader;
use crate::config::Config;
use crate::hostkey::HostKey;
use crate::isolation;
use crate::openssh;
use crate::reconcile::error_chain;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use surety_core::view::BlockRef;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// One thing that was looked at.
#[derive(Debug)]
pub struct Finding {
    /// What was looked at.
    pub item: &'static str,
    /// What is well, or what is wrong and what to do.
    pub state: Result<String, String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            Ok(text) => write!(f, "ok    {}: {text}", self.item),
            Err(text) => write!(f, "FAIL  {}: {text}", self.item),
        }
    }
}

/// Looks at everything; later items are left out where an earlier one makes them pointless.
pub async fn examine(config: &Config, use_sshd: bool) -> Vec<Finding> {
    let mut findings = vec![state_dir(config), disk(config), finding("device", device::inspect(&config.device))];
    if use_sshd || !config.dev {
        findings.extend(sshd(config).await);
    }
    findings.extend(isolation::inspect(config).await.into_iter().map(|(item, state)| finding(item, state)));
    findings.push(running(config).await);
    let key = HostKey::from_file(&config.host_key).map_err(|error| error_chain(&error));
    findings
        .push(finding("host key", key.as_ref().map(|key| format!("machine {}", key.machine())).map_err(Clone::clone)));
    let Ok(key) = key else { return findings };
    let reader = EvmReader::new(config, key.machine()).map_err(|error| error_chain(&error));
    findings.push(finding(
        "deployment",
        reader.as_ref().map(|_| config.deployment.display().to_string()).map_err(Clone::clone),
    ));
    if let Ok(reader) = reader {
        findings.extend(chain(config, &reader).await);
    }
    findings
}

fn finding(item: &'static str, state: Result<String, String>) -> Finding {
    Finding { item, state }
}

fn state_dir(config: &Config) -> Finding {
    let dir = &config.state_dir;
    let probe = dir.join("doctor");
    let written = std::fs::create_dir_all(dir)
        .and_then(|()| std::fs::write(&probe, b""))
        .and_then(|()| std::fs::remove_file(&probe));
    let state = written.map(|()| dir.display().to_string());
    finding(
        "state directory",
        state.map_err(|error| format!("{} cannot be written: {error}; run the agent as its owner", dir.display())),
    )
}

/// Least room for a tenant's data and the agent's own.
const DISK_FREE_MIN_BYTES: u64 = 5 << 30;
/// A clock this far from the chain's grants and expires at other times than the chain says.
const CLOCK_OFF_MAX_SECS: u64 = 60;
/// Longest that the agent's own port may take to greet.
const GREETING_MAX: Duration = Duration::from_secs(5);

fn disk(config: &Config) -> Finding {
    let dir = config.tenant_dir();
    let dir = dir.parent().unwrap_or(&config.state_dir);
    let free = nix::sys::statvfs::statvfs(dir).map(|fs| fs.blocks_available() * fs.fragment_size());
    let dir = dir.display();
    let state = match free {
        Ok(free) if free < DISK_FREE_MIN_BYTES => Err(format!(
            "{free} bytes are free at {dir}, {DISK_FREE_MIN_BYTES} are needed for a tenant's data: free some, or use \
             another directory"
        )),
        Ok(free) => Ok(format!("{} GiB free at {dir}", free >> 30)),
        Err(error) => Err(format!("cannot tell how much is free at {dir}: {error}")),
    };
    finding("disk", state)
}

async fn sshd(config: &Config) -> Vec<Finding> {
    let agent = std::env::current_exe().unwrap_or_default();
    let verdicts = openssh::inspect(config, &agent).await;
    verdicts.into_iter().map(|verdict| finding(verdict.item, verdict.state)).collect()
}

/// An agent that says it listens must greet.
async fn running(config: &Config) -> Finding {
    let note = std::fs::read_to_string(config.state_dir.join("listen")).ok();
    let Some(address) = note.and_then(|text| text.trim().parse::<SocketAddr>().ok()) else {
        return finding("agent", Ok("not running now".into()));
    };
    let greeting = timeout(GREETING_MAX, async {
        let mut stream = TcpStream::connect(address).await?;
        let mut start = [0; 8];
        stream.read_exact(&mut start).await.map(|_| start)
    });
    let state = match greeting.await {
        Ok(Ok(start)) if &start == b"SSH-2.0-" => Ok(format!("running, greets at {address}")),
        Ok(Ok(_)) => Err(format!("something else than SSH answers at {address}: free the port, restart the agent")),
        Ok(Err(error)) => Err(format!("it should listen at {address}, but: {error}; start it again")),
        Err(_) => Err(format!("nothing greets at {address} within 5 s: restart the agent")),
    };
    finding("agent", state)
}

fn clock(block: &BlockRef) -> Finding {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let off = now.abs_diff(block.timestamp_secs);
    let state = if off > CLOCK_OFF_MAX_SECS {
        Err(format!("this host's clock and the newest block are {off} s apart: set up NTP, or use a node that follows"))
    } else {
        Ok(format!("{off} s from the newest block"))
    };
    finding("clock", state)
}

async fn chain(config: &Config, reader: &EvmReader) -> Vec<Finding> {
    let best = reader.best().await.map_err(|error| error.0);
    let told = best.as_ref().map(|block| format!("chain {}, block {}", config.chain_id, block.number));
    let mut findings =
        vec![finding("RPC node", told.map_err(|why| format!("{why}; check rpc_url and that the node runs")))];
    if let Ok(block) = best {
        findings.push(clock(&block));
        findings.push(contracts(reader).await);
        findings.push(registration(config, reader, &block).await);
    }
    findings
}

async fn contracts(reader: &EvmReader) -> Finding {
    let state = match reader.strangers().await {
        Ok(strangers) if strangers.is_empty() => Ok("all have the code that was deployed".into()),
        Ok(strangers) => {
            let names: Vec<_> = strangers.iter().map(|(name, address)| format!("{name} at {address}")).collect();
            Err(format!("{} has other code or none: wrong deployment file, or a node without state", names.join(", ")))
        }
        Err(error) => Err(error.0),
    };
    finding("contracts", state)
}

async fn registration(config: &Config, reader: &EvmReader, block: &BlockRef) -> Finding {
    let state = match reader.node(block).await {
        Ok(Some(node)) => match node.endpoint {
            Some(endpoint) if config.listen.port() != 0 && endpoint.port != config.listen.port() => Err(format!(
                "the endpoint on chain is {endpoint}, the agent listens on {}: set one of them anew",
                config.listen
            )),
            Some(endpoint) => {
                Ok(format!("number {}, endpoint {endpoint}, free bond {} rao", node.registration, node.free_rao))
            }
            None => Err("this machine has no endpoint on chain: set it, keepers cannot find the machine".into()),
        },
        Ok(None) => {
            Err("no machine with this host key is registered: register it, or use the key that was registered".into())
        }
        Err(error) => Err(error.0),
    };
    finding("registration", state)
}

#[cfg(test)]
mod tests;
