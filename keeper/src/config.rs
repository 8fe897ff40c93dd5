//! `keeper.toml`: what an operator says, and whether the chain agrees. `keeper/keeper.toml.example` has every key.

mod alpha;
mod preflight;
mod subnet;
pub use alpha::Alpha;
pub use preflight::{Preflight, PreflightError, is_the_chain};
pub use subnet::Subnet;

use crate::adapters::http::HttpLimits;
use crate::adapters::ssh::{KeeperKey, KeyFileError};
use crate::adapters::store::{KEEP_DAYS_MIN, Retention};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use surety_client::deployment::{Deployment, DeploymentError};
use surety_client::keys::{Key, KeyError};
use surety_core::payout::PayoutRules;
use surety_core::rules::{Rules, RulesError};
use surety_core::seat::{Contact, LEAD_PERCENT_BOUNDS, SeatRules};
use surety_core::types::{Kind, Rao, SshKey};
use surety_core::weights::{WeightRules, WeightRulesError};
use surety_substrate::wallet::Hotkey;

/// The file, as written.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The chain followed.
    pub chain: Chain,
    /// Where keys are.
    pub keys: Keys,
    /// Where the store is.
    pub store: StorePath,
    /// The HTTP API.
    pub http: Http,
    /// How machines are looked at.
    pub look: Look,
    /// Numbers of judgement; the design's where left out.
    #[serde(default)]
    pub rules: Rules,
    /// Kinds judged and reported, but not signed: `NotDelivered`, `Interrupted`, `Offline`, `Spoofed`.
    #[serde(default)]
    pub shadow: BTreeSet<Kind>,
    /// What this keeper pays gas for, for others.
    #[serde(default)]
    pub payout: PayoutRules,
    /// This keeper's own seat, where keepers sit by voting power.
    #[serde(default)]
    pub seat: Seat,
    /// When an operator is told.
    #[serde(default)]
    pub alerts: Alerts,
    /// The Substrate side of the chain.
    #[serde(default)]
    pub subnet: Subnet,
    /// Bonds of alpha that are stated.
    #[serde(default)]
    pub alpha: Alpha,
    /// Numbers that the subnet's weights depend on; the design's where left out.
    #[serde(default)]
    pub weights: WeightRules,
}

/// `[chain]`
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// `deployments/<chainId>.json`.
    pub deployment: PathBuf,
    /// 1 to 16 JSON-RPC URLs, of nodes that do not depend on each other; best an odd number, three or more. What more
    /// than half of them say alike is believed; without that the keeper is blind and signs nothing. One alone is
    /// believed whatever it says.
    pub rpc: Vec<String>,
    /// Time between polls, milliseconds, 100 to 60,000. A block is 12 s.
    #[serde(default = "default_poll_ms")]
    pub poll_ms: u64,
}

/// `[keys]`
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// 32 bytes of hex, mode 0600: signs statements and transactions.
    pub evm: PathBuf,
    /// OpenSSH ed25519 private key, mode 0600: logs in to machines to measure them.
    pub ssh: PathBuf,
}

/// `[store]`
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct StorePath {
    /// The SQLite file; made when missing. A dry run uses `<path>.dry-run` instead.
    pub path: PathBuf,
    /// Entries of the log kept for looking back (`surety keeper replay`), 10,000 to 1,000,000,000.
    /// A restart needs none.
    #[serde(default = "default_log_keep")]
    pub log_keep: u64,
    /// Days that evidence and statements are kept, at least 493 on a public chain: until then a case about them can
    /// still be filed, appealed against or executed (`contracts/SPEC.md`, the bound of invariant 7).
    #[serde(default = "default_keep_days")]
    pub keep_days: u64,
    /// Most megabytes (10^6 bytes) that the file may take, 64 to 10,000,000. At nine tenths of it the log is cut to
    /// what a restart needs; evidence is never given up early: a full store stops judging and says so.
    #[serde(default = "default_disk_max_mb")]
    pub disk_max_mb: u64,
}

impl StorePath {
    /// The same as the store takes it.
    pub fn retention(&self) -> Retention {
        let (log_keep, keep_secs) = (self.log_keep, self.keep_days.saturating_mul(86_400));
        Retention { log_keep, keep_secs, disk_max_bytes: self.disk_max_mb.saturating_mul(1_000_000) }
    }

    /// The file used: a dry run must not leave wishes behind for a keeper that means them.
    pub fn file(&self, dry_run: bool) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        if dry_run {
            name.push(".dry-run");
        }
        name.into()
    }
}

/// `[alerts]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default)]
pub struct Alerts {
    /// Below this balance of the keeper's account, in rao, an alert goes out. Filing a case takes about 0.003 TAO (some
    /// 300,000 gas at Subtensor's 10 gwei): the default is about thirty cases.
    pub gas_min_rao: Rao,
}

impl Default for Alerts {
    fn default() -> Self {
        Self { gas_min_rao: 100_000_000 }
    }
}

/// `[seat]`: of use only where the deployment's keepers are `VotingPowerKeepers`.
#[cfg_attr(test, derive(serde::Serialize))]
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Seat {
    /// Whether this keeper joins and checks in by itself.
    pub enabled: bool,
    /// Time left, in per cent of the set's `CHECK_IN_SECS`, at which it checks in, 10 to 80. At 33 a day's seat is
    /// prolonged eight hours before its end, three transactions in two days.
    pub lead_percent: u64,
    /// Base URL at which other keepers reach this one's API, at most 256 bytes, as it will stand on chain. Needed to
    /// join; later only `moveTo` changes it.
    pub url: Option<String>,
}

impl Default for Seat {
    fn default() -> Self {
        let SeatRules { enabled, lead_percent, .. } = SeatRules::default();
        Self { enabled, lead_percent, url: None }
    }
}

impl Seat {
    /// The same as core takes it, with the key that is published with the URL.
    pub fn rules(&self, ssh_key: SshKey) -> SeatRules {
        let contact = self.url.clone().map(|url| Contact { ssh_key, url });
        SeatRules { enabled: self.enabled, lead_percent: self.lead_percent, contact }
    }
}

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Requests a second that one address may make, with a burst of five seconds' worth; 0: as many as it likes.
    #[serde(default = "default_requests")]
    pub requests_per_sec: u32,
}

fn default_requests() -> u32 {
    HttpLimits::default().requests_per_sec
}

/// `[look]`
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// `host:port` addresses that are up whenever this keeper's network is; not miners' machines.
    pub anchors: Vec<String>,
    /// Account that renters log in to.
    #[serde(default = "default_tenant")]
    pub tenant_user: String,
    /// Account that keepers log in to.
    #[serde(default = "default_keeper")]
    pub keeper_user: String,
    /// Look at private and loopback addresses too: local chains only.
    #[serde(default)]
    pub allow_private: bool,
}

fn default_log_keep() -> u64 {
    2_000_000
}

fn default_keep_days() -> u64 {
    500
}

fn default_disk_max_mb() -> u64 {
    20_000
}

fn default_poll_ms() -> u64 {
    3_000
}

fn default_tenant() -> String {
    "tenant".into()
}

fn default_keeper() -> String {
    "surety".into()
}

/// Most anchors and RPC endpoints.
const ENDPOINTS_MAX: usize = 16;

/// Why a configuration is refused. Each says what to change.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not what a keeper's configuration looks like.
    #[error("the configuration {path} is not valid: {why}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Line, and what is wrong there.
        why: String,
    },
    /// A value outside its bounds.
    #[error("{what}")]
    Value {
        /// What is wrong and what is expected.
        what: String,
    },
    /// The rules.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// The rules for weights.
    #[error(transparent)]
    Weights(#[from] WeightRulesError),
    /// The deployment file.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// The EVM key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The SSH key.
    #[error(transparent)]
    SshKey(#[from] KeyFileError),
}

impl File {
    /// Reads `path` alone, none of the files it names: what looking at a store needs.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_path_buf(), source })?;
        let parse = |e| ConfigError::Parse { path: path.to_path_buf(), why: one_sentence(&text, &e) };
        toml::from_str(&text).map_err(parse)
    }
}

/// A configuration whose files are read and whose values make sense.
#[derive(Debug, Clone)]
pub struct Settings {
    /// As written.
    pub file: File,
    /// The contracts.
    pub deployment: Deployment,
    /// Signs statements and transactions.
    pub key: Key,
    /// Logs in to machines.
    pub ssh_key: KeeperKey,
    /// Sets weights, where this keeper does.
    pub hotkey: Option<Arc<Hotkey>>,
}

impl Settings {
    /// Reads `path` and the files it names, and checks everything that can be checked without a network.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let file = File::read(path)?;
        let deployment = Deployment::read(&file.chain.deployment)?;
        check(&file, deployment.chain_id)?;
        let key = Key::read(&file.keys.evm)?;
        let ssh_key = KeeperKey::from_file(&file.keys.ssh)?;
        let hotkey = file.subnet.read_hotkey(file.rules.local)?;
        Ok(Self { file, deployment, key, ssh_key, hotkey })
    }
}

/// Where and what, without the line itself: URLs may carry secrets.
fn one_sentence(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    format!("line {line}: {}", error.message().replace('\n', ", "))
}

fn check(file: &File, chain_id: u64) -> Result<(), ConfigError> {
    file.rules.check(chain_id)?;
    let value = |what: &str| Err(ConfigError::Value { what: what.to_string() });
    if file.chain.rpc.is_empty() || file.chain.rpc.len() > ENDPOINTS_MAX {
        return value("chain.rpc wants 1 to 16 URLs");
    }
    if !(100..=60_000).contains(&file.chain.poll_ms) {
        return value("chain.poll_ms wants 100 to 60000");
    }
    if file.look.anchors.is_empty() || file.look.anchors.len() > ENDPOINTS_MAX {
        return value(
            "look.anchors wants 1 to 16 host:port addresses: \
             without them a keeper cannot tell its own outage from a miner's",
        );
    }
    if let Some(odd) = file.look.anchors.iter().find(|anchor| !is_host_port(anchor)) {
        return value(&format!("look.anchors has '{odd}', want host:port, as in example.org:443"));
    }
    check_store(&file.store, file.rules.local)?;
    check_seat(&file.seat)?;
    file.subnet.check()?;
    file.weights.check()?;
    file.alpha.check(&file.subnet)?;
    if file.look.allow_private && !file.rules.local {
        return value("look.allow_private is for local chains: set rules.local there, or remove it");
    }
    Ok(())
}

/// `VotingPowerKeepers.MAX_URL_BYTES`.
const URL_BYTES_MAX: usize = 256;

fn check_seat(seat: &Seat) -> Result<(), ConfigError> {
    let value = |what: String| Err(ConfigError::Value { what });
    if !LEAD_PERCENT_BOUNDS.contains(&seat.lead_percent) {
        return value(format!("seat.lead_percent is {}, expected 10 to 80", seat.lead_percent));
    }
    let Some(url) = &seat.url else { return Ok(()) };
    let web = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    if url.len() > URL_BYTES_MAX || web.is_none_or(str::is_empty) {
        return value(format!("seat.url is '{url}', expected an http(s) URL of at most {URL_BYTES_MAX} bytes"));
    }
    Ok(())
}

fn check_store(store: &StorePath, local: bool) -> Result<(), ConfigError> {
    let keep_days_min = if local { 1 } else { KEEP_DAYS_MIN };
    let bounds = [
        ("log_keep", store.log_keep, if local { 1_000 } else { 10_000 }, 1_000_000_000),
        ("keep_days", store.keep_days, keep_days_min, 3_650),
        ("disk_max_mb", store.disk_max_mb, if local { 1 } else { 64 }, 10_000_000),
    ];
    match bounds.into_iter().find(|(_, value, min, max)| value < min || value > max) {
        Some((name, value, min, max)) => {
            Err(ConfigError::Value { what: format!("store.{name} is {value}, expected {min} to {max}") })
        }
        None => Ok(()),
    }
}

/// A name, an IPv4 address or an IPv6 address in brackets, and a port. Whether it answers is for the looks to tell.
fn is_host_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host_ok = match inner {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')),
    };
    host_ok && port.parse::<std::num::NonZeroU16>().is_ok()
}

#[cfg(test)]
mod tests;
