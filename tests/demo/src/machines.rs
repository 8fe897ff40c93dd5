//! The machines: `surety-node` processes with SSH endpoints of their own.

use crate::anvil::CHAIN_ID;
use crate::process::{Process, Processes};
use crate::seed::SshKeyPair;
use crate::wait::{Seen, Seer};
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use surety_verifier::classes::ClassId;

const LISTEN_LIMIT: Duration = Duration::from_secs(15);

/// A running machine.
pub struct Machine {
    /// What the story calls it.
    pub name: String,
    /// Where its SSH server listens.
    pub endpoint: SocketAddr,
    process: Process,
}

/// What all machines of a run are told alike.
#[derive(Debug, Clone)]
pub struct Common {
    /// The `surety-node` program.
    pub program: PathBuf,
    /// JSON-RPC URL of the miners' node.
    pub rpc: String,
    /// The deployment file.
    pub deployment: PathBuf,
    /// Account that tenants log in to.
    pub tenant_user: String,
    /// Account that keepers log in to.
    pub keeper_user: String,
    /// OpenSSH's sshd instead of the embedded server.
    pub sshd: bool,
}

impl Machine {
    /// Starts one in `dir` and waits until it listens.
    pub async fn start(
        processes: &Processes,
        seer: &Seer,
        common: &Common,
        name: &str,
        host: &SshKeyPair,
        dir: &Path,
    ) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        host.write(&dir.join("host.key"))?;
        let config = dir.join("node.toml");
        std::fs::write(&config, config_text(common, dir)?)?;
        let mut args: Vec<OsString> = vec!["run".into(), "--config".into(), config.into()];
        if common.sshd {
            args.push("--sshd".into());
        }
        let mut process = processes.start(name, &common.program, &args)?;
        let note = dir.join("state").join("listen");
        let what = format!("{name} listens");
        let listens = seer.until(&what, LISTEN_LIMIT, async || {
            if let Err(ended) = process.check_alive() {
                return Ok(Seen::Done(Err(ended)));
            }
            Ok(match std::fs::read_to_string(&note) {
                Ok(address) => Seen::Done(Ok(address.trim().parse::<SocketAddr>()?)),
                Err(error) => Seen::NotYet(format!("{}: {error}", note.display())),
            })
        });
        let endpoint = listens.await??;
        Ok(Self { name: name.to_owned(), endpoint, process })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// SIGKILL to the agent, its sshd and everything below.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Fails when the process has ended on its own.
    pub fn check_alive(&mut self) -> Result<()> {
        self.process.check_alive()
    }
}

fn config_text(common: &Common, dir: &Path) -> Result<String> {
    let text = |value: &str| toml::Value::from(value);
    let path = |path: &Path| text(&path.display().to_string());
    let device = toml::Table::from_iter([
        ("kind".to_owned(), text("cpu")),
        ("class".to_owned(), i64::from(ClassId::CPU_TEST.0).into()),
        ("count".to_owned(), 1.into()),
    ]);
    let config = toml::Table::from_iter([
        ("rpc_url".to_owned(), text(&common.rpc)),
        ("chain_id".to_owned(), i64::try_from(CHAIN_ID).context("chain id")?.into()),
        ("deployment".to_owned(), path(&common.deployment)),
        ("host_key".to_owned(), path(&dir.join("host.key"))),
        ("listen".to_owned(), text("127.0.0.1:0")),
        ("tenant_user".to_owned(), text(&common.tenant_user)),
        ("keeper_user".to_owned(), text(&common.keeper_user)),
        ("state_dir".to_owned(), path(&dir.join("state"))),
        ("poll_ms".to_owned(), 300.into()),
        ("dev".to_owned(), true.into()),
        ("device".to_owned(), device.into()),
    ]);
    Ok(toml::to_string(&config)?)
}
