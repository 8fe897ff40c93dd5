//! `surety-node doctor`: is everything there that the agent needs? Each failing item says what is wrong and what to do.

use crate::chain::EvmReader;
use crate::config::Config;
use crate::hostkey::HostKey;
use crate::openssh;
use crate::reconcile::error_chain;
use std::fmt;
use surety_core::view::BlockRef;

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
    let mut findings = vec![state_dir(config)];
    if use_sshd || !config.dev {
        findings.push(sshd());
    }
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

fn sshd() -> Finding {
    let found = openssh::find_sshd().map(|path| path.display().to_string());
    finding("sshd", found.ok_or_else(|| openssh::OpensshError::NotInstalled.to_string()))
}

async fn chain(config: &Config, reader: &EvmReader) -> Vec<Finding> {
    let best = reader.best().await.map_err(|error| error.0);
    let told = best.as_ref().map(|block| format!("chain {}, block {}", config.chain_id, block.number));
    let mut findings =
        vec![finding("RPC node", told.map_err(|why| format!("{why}; check rpc_url and that the node runs")))];
    if let Ok(block) = best {
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
