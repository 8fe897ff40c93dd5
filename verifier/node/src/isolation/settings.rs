//! What `node.toml` says about isolation: which driver, and the container a tenant gets.

use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a tenant's programs run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// On the host, under the tenants' account.
    #[default]
    Account,
    /// In a container of Docker, as root of a user namespace of its own.
    Docker,
    /// In a container of Podman, as root of a user namespace of its own.
    Podman,
}

impl Driver {
    /// The engine that this driver calls.
    pub fn engine(self) -> Option<EngineKind> {
        match self {
            Self::Account => None,
            Self::Docker => Some(EngineKind::Docker),
            Self::Podman => Some(EngineKind::Podman),
        }
    }
}

/// Container engines; their command lines differ in a few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// `docker`.
    Docker,
    /// `podman`.
    Podman,
}

/// `[container]`: the container that each tenant gets, a new one for each rental.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// The engine's program, absolute.
    pub engine: PathBuf,
    /// Words before each subcommand, such as `["--remote"]` or `["--host", "unix:///run/docker.sock"]`.
    #[serde(default)]
    pub engine_args: Vec<String>,
    /// The image, by digest (`name@sha256:…`) or, if it was made on this host, by id (`sha256:…`): a tag may be another
    /// image tomorrow. Only in development a tag will do.
    /// The agent never pulls: the image must be there before somebody rents.
    pub image: String,
    /// Memory, MiB; swap is not given on top of it.
    pub memory_mib: u64,
    /// Processors' worth of time.
    pub cpus: u16,
    /// Processes and threads at once. A training run with its data loaders has some hundreds.
    #[serde(default = "default_pids")]
    pub pids: u32,
    /// Files that one process may have open.
    #[serde(default = "default_open_files")]
    pub open_files: u32,
    /// Size of `/dev/shm`, MiB; data loaders pass batches through it. It counts as memory.
    #[serde(default = "default_shm_mib")]
    pub shm_mib: u64,
    /// The cards: `"all"`, `"none"`, or a list of numbers or UUIDs.
    #[serde(default)]
    pub gpus: Gpus,
    /// What the tenant's programs reach. No default: it is the miner's network.
    pub network: Network,
    /// TCP ports of the host that lead to the same ports of the container.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// Podman: the host's user and group id that root in the container is; the container has 65,536 from there on.
    /// Docker takes its own (`userns-remap`).
    #[serde(default = "default_uid_base")]
    pub uid_base: u32,
    /// Where the tenant's directory is made, which the container has as `/workspace`; `state_dir` by default. A file
    /// system of its own bounds what a tenant can store.
    pub volume_dir: Option<PathBuf>,
    /// Bound of what the tenant writes outside of `/workspace`, GiB, where the engine's storage can (`overlay2` on XFS
    /// with project quotas).
    pub rootfs_gib: Option<u32>,
    /// The shell in the image that commands are given to.
    #[serde(default = "default_shell")]
    pub shell: PathBuf,
    /// Longest that the engine may take to answer a question, seconds.
    #[serde(default = "default_call_secs")]
    pub call_secs: u64,
    /// Longest that making, starting or removing a container may take, seconds. Podman shifts the owners of a large
    /// image's files the first time.
    #[serde(default = "default_create_secs")]
    pub create_secs: u64,
}

/// Which cards a container gets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "\"all\", \"none\", or a list of numbers or UUIDs in quotation marks")]
pub enum Gpus {
    /// `"all"` or `"none"`.
    Word(GpuWord),
    /// These, by number or UUID.
    List(Vec<String>),
}

/// All cards or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GpuWord {
    /// Every card.
    All,
    /// No card.
    None,
}

/// What a container reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Nothing.
    None,
    /// The engine's bridge: the internet, the host, and whatever network the host is in; a firewall is the miner's.
    Bridge,
    /// Podman's user-space network: the internet and the host's network, not the host's loopback.
    Slirp4netns,
}

const fn default_pids() -> u32 {
    4096
}

const fn default_open_files() -> u32 {
    65_536
}

const fn default_shm_mib() -> u64 {
    1024
}

const fn default_uid_base() -> u32 {
    2_000_000
}

fn default_shell() -> PathBuf {
    "/bin/sh".into()
}

const fn default_call_secs() -> u64 {
    20
}

const fn default_create_secs() -> u64 {
    300
}

/// User ids a container has.
pub(crate) const UIDS: u32 = 65_536;
/// Cards, ports and words that a configuration may list.
const LIST_MAX: usize = 32;

impl Container {
    /// Longest wait for an answer.
    pub fn call_max(&self) -> Duration {
        Duration::from_secs(self.call_secs)
    }

    /// Longest wait for a container to be made, started or removed.
    pub fn create_max(&self) -> Duration {
        Duration::from_secs(self.create_secs)
    }

    /// The first value that cannot be: its key, and why. `dev`: tags and root without a user namespace are allowed.
    pub(crate) fn fault(&self, kind: EngineKind, dev: bool) -> Option<(&'static str, String)> {
        let volume_dir = self.volume_dir.as_deref();
        let checks = [
            (!self.engine.is_absolute(), "container.engine", "expected an absolute path"),
            (!self.engine_args.iter().all(|word| is_word(word)), "container.engine_args", "expected words, none empty"),
            (self.engine_args.len() > LIST_MAX, "container.engine_args", "expected at most 32"),
            (!is_image(&self.image), "container.image", "expected an image's name"),
            (
                !dev && !is_by_digest(&self.image),
                "container.image",
                "expected name@sha256:<64 hex digits>, or the same without a name: a tag may be another image tomorrow",
            ),
            (!(16..=1 << 24).contains(&self.memory_mib), "container.memory_mib", "expected 16 to 16777216"),
            (!(1..=1024).contains(&self.cpus), "container.cpus", "expected 1 to 1024"),
            (!(16..=1 << 20).contains(&self.pids), "container.pids", "expected 16 to 1048576"),
            (!(64..=1 << 20).contains(&self.open_files), "container.open_files", "expected 64 to 1048576"),
            (!(1..=self.memory_mib).contains(&self.shm_mib), "container.shm_mib", "expected 1 to memory_mib"),
            (!self.gpus.are_names(), "container.gpus", "expected all, none, or a list of numbers or UUIDs"),
            (
                self.network == Network::Slirp4netns && kind == EngineKind::Docker,
                "container.network",
                "slirp4netns is podman's: expected bridge or none",
            ),
            (
                !self.ports.is_empty() && self.network == Network::None,
                "container.ports",
                "no port leads to a container without a network",
            ),
            (self.ports.len() > LIST_MAX || self.ports.contains(&0), "container.ports", "expected at most 32, none 0"),
            (
                self.uid_base < UIDS || self.uid_base > u32::MAX / 2,
                "container.uid_base",
                "expected 65536 to 2147483647: ids that no account of the host has",
            ),
            (!volume_dir.is_none_or(is_plain_path), "container.volume_dir", PLAIN_PATH),
            (self.rootfs_gib == Some(0), "container.rootfs_gib", "expected at least 1"),
            (!is_plain_path(&self.shell), "container.shell", PLAIN_PATH),
            (!(1..=120).contains(&self.call_secs), "container.call_secs", "expected 1 to 120"),
            (!(1..=3600).contains(&self.create_secs), "container.create_secs", "expected 1 to 3600"),
        ];
        checks.into_iter().find(|(wrong, _, _)| *wrong).map(|(_, key, why)| (key, why.to_owned()))
    }
}

impl Default for Gpus {
    fn default() -> Self {
        Self::Word(GpuWord::None)
    }
}

impl Gpus {
    fn are_names(&self) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let is_name = |name: &String| (1..=64).contains(&name.len()) && name.chars().all(plain);
        match self {
            Self::Word(_) => true,
            Self::List(names) => (1..=LIST_MAX).contains(&names.len()) && names.iter().all(is_name),
        }
    }
}

const PLAIN_PATH: &str = "expected an absolute path of letters, digits, / . - _";

/// A path that means nothing else to an engine's list of options, to sshd or to a shell.
pub(crate) fn is_plain_path(path: &Path) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/.-_".contains(c);
    path.is_absolute() && path.to_str().is_some_and(|text| text.chars().all(plain))
}

fn is_word(word: &str) -> bool {
    (1..=256).contains(&word.len()) && !word.contains('\0')
}

fn is_image(image: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    (1..=512).contains(&image.len())
        && image.starts_with(|c: char| c.is_ascii_alphanumeric())
        && image.chars().all(plain)
}

/// Whether an image is named by what is in it.
pub(crate) fn is_by_digest(image: &str) -> bool {
    let digest = image_digest(image).unwrap_or_default();
    digest.len() == 64 && digest.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
}

/// The digits behind `sha256:`, of an image or of what a registry has of it.
pub(crate) fn image_digest(image: &str) -> Option<&str> {
    image.strip_prefix("sha256:").or_else(|| image.split_once("@sha256:").map(|(_, digest)| digest))
}

#[cfg(test)]
mod tests;
