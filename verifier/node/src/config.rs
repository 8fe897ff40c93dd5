//! The agent's configuration: one TOML file, every key known, everything checked before anything starts.

use crate::isolation::{Container, Driver};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use surety_verifier::classes::{ClassId, LOCAL_CHAIN_IDS};
use surety_verifier::limits::GPUS_MAX;
use surety_verifier::session::Plan;

/// `surety-node.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// HTTP URL of the miner's own RPC node. May hold a password, hence never logged.
    pub rpc_url: String,
    /// The chain that node must be on.
    pub chain_id: u64,
    /// Where the contracts are: `deployments/<chain_id>.json`.
    pub deployment: PathBuf,
    /// The machine's host key: an OpenSSH ed25519 private key, mode 0600.
    pub host_key: PathBuf,
    /// Where SSH is served; port 0 takes a free one (written to `<state_dir>/listen`).
    pub listen: SocketAddr,
    /// The account that tenants log in to.
    pub tenant_user: String,
    /// The account that keepers log in to.
    pub keeper_user: String,
    /// The agent's own directory, outside tenants' reach.
    pub state_dir: PathBuf,
    /// Where a tenant's programs run: on the host under the tenants' account, or in a container.
    #[serde(default)]
    pub isolation: Driver,
    /// The container, for the drivers `docker` and `podman`.
    pub container: Option<Container>,
    /// What computes.
    pub device: Device,
    /// How often the chain is read, milliseconds.
    #[serde(default = "default_poll_ms")]
    pub poll_ms: u64,
    /// Development: allows the embedded SSH server, which runs tenants' commands as the agent's own user.
    #[serde(default)]
    pub dev: bool,
}

/// What computes when a keeper measures.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Kind.
    pub kind: DeviceKind,
    /// GPU class the machine claims to be.
    pub class: u16,
    /// GPUs it claims to have, 1 to 16.
    pub count: u16,
}

/// Kinds of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// The processor: proves no GPU, and serves only the CPU test class.
    Cpu,
    /// NVIDIA's cards, through the driver.
    Cuda,
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Not the TOML that is expected; the text names line and key.
    #[error("{path} is not a valid configuration: {why}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and what.
        why: String,
    },
    /// A value that cannot be.
    #[error("{key} in {path}: {why}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What is wrong and what is expected.
        why: String,
    },
}

const fn default_poll_ms() -> u64 {
    3_000
}

impl Config {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// [`ConfigError`] names the key and what is wrong with it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)
            .map_err(|error| ConfigError::Syntax { path: path.to_owned(), why: error.to_string() })?;
        match config.fault() {
            Some((key, why)) => Err(ConfigError::Value { path: path.to_owned(), key, why }),
            None => Ok(config),
        }
    }

    /// How often the chain is read.
    pub fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }

    /// Where the tenant's data is: a directory of its own below the state directory, or below the one that containers'
    /// data is to be in, so that wiping it can wipe nothing else.
    pub fn tenant_dir(&self) -> PathBuf {
        let elsewhere = self.container.as_ref().and_then(|container| container.volume_dir.as_ref());
        elsewhere.unwrap_or(&self.state_dir).join("tenant")
    }

    fn isolation_fault(&self) -> Option<(&'static str, String)> {
        match (self.isolation.engine(), &self.container) {
            (None, None) => None,
            (Some(kind), Some(container)) => container.fault(kind, self.dev),
            (None, Some(_)) => Some(("container", "there are containers with isolation docker or podman only".into())),
            (Some(_), None) => Some(("isolation", "a container needs a [container] section: see the README".into())),
        }
    }

    fn fault(&self) -> Option<(&'static str, String)> {
        let class = ClassId(self.device.class);
        let checks = [
            (!self.rpc_url.starts_with("http"), "rpc_url", "expected an http:// or https:// URL".into()),
            (!self.host_key.is_absolute(), "host_key", "expected an absolute path".into()),
            (!self.deployment.is_absolute(), "deployment", "expected an absolute path".into()),
            (!self.state_dir.is_absolute(), "state_dir", "expected an absolute path".into()),
            (!is_user_name(&self.tenant_user), "tenant_user", USER_NAME.into()),
            (!is_user_name(&self.keeper_user), "keeper_user", USER_NAME.into()),
            (!(100..=60_000).contains(&self.poll_ms), "poll_ms", "expected 100 to 60000".into()),
            (self.device.count == 0 || self.device.count > GPUS_MAX, "device.count", "expected 1 to 16".into()),
            (
                self.device.kind == DeviceKind::Cpu && class != ClassId::CPU_TEST,
                "device.class",
                "a cpu device serves only class 65535, the CPU test".into(),
            ),
            (
                Plan::of(class, self.device.count).is_none() && class.allowed_on(self.chain_id),
                "device.class",
                format!("nobody has said yet what {class} must reach: it cannot be measured"),
            ),
            (
                !class.allowed_on(self.chain_id),
                "device.class",
                format!("class {class} cannot be offered on chain {}", self.chain_id),
            ),
            (
                self.dev && !LOCAL_CHAIN_IDS.contains(&self.chain_id),
                "dev",
                "only on a local chain: it runs tenants' commands as the agent's own user".into(),
            ),
            (
                !self.dev && self.tenant_user == self.keeper_user,
                "keeper_user",
                "tenant and keepers need different accounts".into(),
            ),
            (!self.dev && self.tenant_user == "root", "tenant_user", "a tenant is never root on the host".into()),
        ];
        let fault = checks.into_iter().find(|(wrong, _, _)| *wrong).map(|(_, key, why)| (key, why));
        fault.or_else(|| self.isolation_fault())
    }
}

const USER_NAME: &str = "expected an account name of letters, digits, - and _, at most 32";

/// Names go into file names and sshd's configuration: nothing that means anything there.
fn is_user_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=32).contains(&name.len()) && name.chars().all(plain) && !name.starts_with('-')
}

#[cfg(test)]
pub(crate) mod tests;
