//! The keepers' processes: each its own directory, keys, store, port and configuration; killed and started at will.

use crate::deploy::Appointment;
use crate::process::{Process, Processes};
use crate::seed::{Seed, write_secret};
use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use surety_client::keys::Key;
use surety_core::rules::Rules;
use surety_core::types::Account;
use toml::{Table, Value};

/// Longest a keeper may take to answer one request.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// A keeper's process, and everything it is started with.
pub struct Keeper {
    /// What the story calls it.
    pub name: String,
    /// Signs and pays gas.
    pub account: Account,
    weight: u64,
    ssh_key: [u8; 32],
    port: u16,
    dir: PathBuf,
    program: PathBuf,
    processes: Processes,
    process: Mutex<Option<Process>>,
}

/// What all keepers of a run are told alike.
#[derive(Debug, Clone)]
pub struct Common {
    /// The deployment file.
    pub deployment: PathBuf,
    /// JSON-RPC URLs.
    pub rpc: Vec<String>,
    /// `host:port` addresses that are up whenever the keeper's network is.
    pub anchors: Vec<String>,
    /// Account that renters log in to.
    pub tenant_user: String,
    /// Account that keepers log in to.
    pub keeper_user: String,
}

/// Rules that fit [`crate::params::WINDOWS`]: looks every second, six failing seconds are an outage. Bounds and
/// relations are those of `surety_core::rules`, which allows such values on local chains only.
pub fn demo_rules() -> Rules {
    Rules {
        local: true,
        look_every_ms: 1_000,
        look_jitter_ms: 100,
        suspect_every_ms: 500,
        host_gap_min_ms: 200,
        look_timeout_ms: 5_000,
        network_looks_max: 1_000,
        look_gap_max_secs: 6,
        proof_looks: 4,
        proof_looks_mass: 4,
        proof_min_secs: 3,
        offline_after_secs: 6,
        not_delivered_after_secs: 6,
        first_look_lag_secs: 2,
        interrupted_min_secs: 2,
        resign_every_secs: 1,
        finished_keep_secs: 60,
        anchors_every_ms: 1_000,
        anchors_suspect_every_ms: 300,
        anchors_stale_ms: 6_000,
        file_margin_secs: 2,
        file_rank_delay_secs: 3,
        submit_retry_secs: 2,
        execute_rank_delay_secs: 3,
        peer_fresh_secs: 60,
        random_measure_mean_mins: 10_080,
        measure_retry_secs: 1,
        measure_retry_max_secs: 3,
        measure_timeout_ms: 30_000,
        ..Rules::default()
    }
}

impl Keeper {
    /// Draws keys, writes them to `dir`; nothing runs yet.
    pub fn prepare(
        seed: Seed,
        name: &str,
        weight: u64,
        port: u16,
        dir: &Path,
        program: &Path,
        processes: &Processes,
    ) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let key: Key = seed.evm_key(name)?;
        write_secret(&dir.join("evm.key"), hex::encode(seed.bytes(&format!("evm/{name}"))).as_bytes())?;
        let ssh = seed.ssh_key(name);
        ssh.write(&dir.join("ssh.key"))?;
        Ok(Self {
            name: name.to_owned(),
            account: key.account(),
            weight,
            ssh_key: ssh.public(),
            port,
            dir: dir.to_owned(),
            program: program.to_owned(),
            processes: processes.clone(),
            process: Mutex::new(None),
        })
    }

    /// Base URL of its HTTP API.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How it is recorded on chain.
    pub fn appointment(&self) -> Appointment {
        Appointment { account: self.account, weight: self.weight, ssh_key: self.ssh_key, url: self.url() }
    }

    /// Writes `keeper.toml`.
    pub fn configure(&self, common: &Common) -> Result<()> {
        let path = |name: &str| Value::from(self.dir.join(name).display().to_string());
        let table = |entries: Vec<(&str, Value)>| -> Value {
            Value::Table(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Table>())
        };
        let anchors: Vec<Value> = common.anchors.iter().cloned().map(Value::from).collect();
        let config = table(vec![
            (
                "chain",
                table(vec![
                    ("deployment", common.deployment.display().to_string().into()),
                    ("rpc", Value::Array(common.rpc.iter().cloned().map(Value::from).collect())),
                    ("poll_ms", 300.into()),
                ]),
            ),
            ("keys", table(vec![("evm", path("evm.key")), ("ssh", path("ssh.key"))])),
            ("store", table(vec![("path", path("keeper.db"))])),
            ("http", table(vec![("listen", format!("127.0.0.1:{}", self.port).into())])),
            (
                "look",
                table(vec![
                    ("anchors", Value::Array(anchors)),
                    ("tenant_user", common.tenant_user.clone().into()),
                    ("keeper_user", common.keeper_user.clone().into()),
                    ("allow_private", true.into()),
                ]),
            ),
            ("rules", Value::try_from(demo_rules())?),
        ]);
        std::fs::write(self.config_path(), toml::to_string(&config)?)?;
        Ok(())
    }

    /// Starts it, killing the one that runs, if any, as when the power goes.
    pub fn start(&self) -> Result<()> {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        *process = None;
        let args = ["keeper", "run", "--config"].map(Into::into).into_iter().chain([self.config_path().into()]);
        *process = Some(self.processes.start(&self.name, &self.program, &args.collect::<Vec<_>>())?);
        Ok(())
    }

    /// Fails when the process has ended on its own.
    pub fn check_alive(&self) -> Result<()> {
        match self.process.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(process) => process.check_alive(),
            None => anyhow::bail!("{} was not started", self.name),
        }
    }

    fn config_path(&self) -> PathBuf {
        self.dir.join("keeper.toml")
    }
}

/// Reads keepers' HTTP APIs.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
}

impl Api {
    /// One for all keepers.
    pub fn new() -> Result<Self> {
        Ok(Self { http: reqwest::Client::builder().timeout(ANSWER_LIMIT).build()? })
    }

    /// `GET BASE/PATH` as JSON.
    ///
    /// # Errors
    /// No answer, a status other than success, or JSON of another form.
    pub async fn get<T: DeserializeOwned>(&self, base: &str, path: &str) -> Result<T> {
        let url = format!("{}/{path}", base.trim_end_matches('/'));
        let answer = self.http.get(&url).send().await?;
        let status = answer.status();
        let bytes = answer.bytes().await?;
        let text = || String::from_utf8_lossy(&bytes).chars().take(300).collect::<String>();
        anyhow::ensure!(status.is_success(), "{url} answered {status}: {}", text());
        serde_json::from_slice(&bytes).with_context(|| format!("{url} answered {}", text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anvil::CHAIN_ID;
    use crate::params::WINDOWS;

    #[test]
    fn the_demos_rules_are_allowed_on_the_demos_chain_and_on_no_public_one() {
        assert_eq!(demo_rules().check(CHAIN_ID), Ok(()));
        assert!(demo_rules().check(964).is_err());
    }

    #[test]
    fn keepers_are_as_patient_as_the_contracts() {
        let rules = demo_rules();
        assert!(rules.offline_after_secs >= u64::from(WINDOWS.min_offline_secs));
        assert!(rules.not_delivered_after_secs >= u64::from(WINDOWS.delivery_grace_secs));
        assert!(rules.file_margin_secs < u64::from(WINDOWS.freshness_secs));
    }
}
