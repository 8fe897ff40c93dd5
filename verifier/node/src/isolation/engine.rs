//! Calls of a container engine: by argument vector, bounded in time and output, answers parsed strictly.

use super::argv::{self, LABEL_RENTAL, Owner};
use super::settings::{Container, EngineKind};
use crate::processes::kill_group;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use surety_core::types::RentalId;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

/// Most that an engine may answer. `inspect` says some 10 KiB a container.
const OUTPUT_MAX: u64 = 1 << 20;
/// Most of an agent's containers looked at in one round: one is right, the rest are to be removed.
const CONTAINERS_MAX: usize = 64;
/// Characters of an engine's complaint that are passed on.
const COMPLAINT_MAX: usize = 400;

/// Why a call of the engine brought nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// The program cannot be started.
    #[error("{engine} cannot be started: install it, or name another in container.engine")]
    Start {
        /// The program.
        engine: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No end within its time.
    #[error("`{what}` of the container engine took more than {secs} s: is its service well?")]
    Silence {
        /// The subcommand.
        what: String,
        /// The bound, seconds.
        secs: u64,
    },
    /// It said too much.
    #[error("`{what}` of the container engine said more than {OUTPUT_MAX} bytes")]
    Flood {
        /// The subcommand.
        what: String,
    },
    /// It failed and said why.
    #[error("`{what}` of the container engine failed ({status}): {said}")]
    Failed {
        /// The subcommand.
        what: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said.
        said: String,
    },
    /// It answered something else than was asked.
    #[error("`{what}` of the container engine answered what makes no sense: {why}")]
    Nonsense {
        /// The subcommand.
        what: String,
        /// What was expected.
        why: String,
    },
}

/// One container of this agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// 64 hex digits.
    pub(crate) id: String,
    /// The rental it is for; `None` when the label says no number.
    pub(crate) rental: Option<RentalId>,
    /// Its first process on the host, while it runs.
    pub(crate) pid: Option<u32>,
    /// The engine's word for its state.
    pub(crate) status: String,
}

/// A container engine and what is asked of it.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    pub(crate) kind: EngineKind,
    pub(crate) container: Container,
    pub(crate) owner: Owner,
    /// In the environment of a session's call, by which the door finds it.
    pub(crate) mark: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    state: InspectedState,
    config: InspectedConfig,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedState {
    status: String,
    running: bool,
    pid: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedConfig {
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

impl Engine {
    /// A command of the engine, with nothing of the agent's environment.
    pub(crate) fn command(&self, words: &[String]) -> Command {
        let mut command = Command::new(&self.container.engine);
        command.args(&self.container.engine_args).args(words);
        command.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("HOME", "/nonexistent");
        command.process_group(0).kill_on_drop(true);
        command
    }

    /// All containers that this agent has made, running or not.
    pub(crate) async fn list(&self) -> Result<Vec<Found>, EngineError> {
        let said = self.call(argv::list(&self.owner), self.container.call_max()).await?;
        let ids = ids(&said)?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let inspected: Vec<Inspected> = self.ask(argv::inspect(&ids)).await?;
        let found: Vec<Found> = inspected.into_iter().map(Found::from).collect();
        if found.len() != ids.len() || !ids.iter().all(|id| found.iter().any(|one| one.id == *id)) {
            return Err(nonsense("container inspect", "expected the containers that were asked for"));
        }
        Ok(found)
    }

    pub(crate) async fn create(&self, rental: RentalId, data_dir: &Path) -> Result<String, EngineError> {
        let words = argv::create(self.kind, &self.container, &self.owner, rental, data_dir);
        let said = self.call(words, self.container.create_max()).await?;
        match ids(&said)?.as_slice() {
            [id] => Ok(id.clone()),
            _ => Err(nonsense("create", "expected one id")),
        }
    }

    pub(crate) async fn start(&self, id: &str) -> Result<(), EngineError> {
        self.call(argv::start(id), self.container.create_max()).await.map(drop)
    }

    pub(crate) async fn remove(&self, id: &str) -> Result<(), EngineError> {
        self.call(argv::remove(self.kind, id), self.container.create_max()).await.map(drop)
    }

    /// Asks a question that is answered in JSON.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, words: Vec<String>) -> Result<T, EngineError> {
        let what = subcommand(&words);
        let said = self.call(words, self.container.call_max()).await?;
        serde_json::from_slice(&said).map_err(|error| nonsense(&what, &error.to_string()))
    }

    /// Runs one command to its end; a command that is not waited for is killed.
    pub(crate) async fn call(&self, words: Vec<String>, time_max: Duration) -> Result<Vec<u8>, EngineError> {
        let what = subcommand(&words);
        let mut command = self.command(&words);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = |source| EngineError::Start { engine: self.container.engine.clone(), source };
        let mut child = command.spawn().map_err(failed)?;
        let group = Group(child.id());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let running = async {
            let (said, complaint) = tokio::join!(read(stdout), read(stderr));
            match (said, complaint) {
                (Some(said), Some(complaint)) => Ok((said, complaint, child.wait().await.map_err(failed)?)),
                _ => Err(EngineError::Flood { what: what.clone() }),
            }
        };
        let ended = timeout(time_max, running).await;
        let (said, complaint, status) =
            ended.unwrap_or_else(|_| Err(EngineError::Silence { what: what.clone(), secs: time_max.as_secs() }))?;
        group.has_ended();
        match status.success() {
            true => Ok(said),
            false => Err(EngineError::Failed { what, status, said: last_words(&complaint) }),
        }
    }
}

/// The processes of one call; what is left of them is killed when nobody waits any more.
pub(crate) struct Group(pub(crate) Option<u32>);

impl Group {
    /// The command has ended by itself: its number may be another's now.
    pub(crate) fn has_ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.0.into_iter().for_each(kill_group);
    }
}

impl From<Inspected> for Found {
    fn from(inspected: Inspected) -> Self {
        let labels = inspected.config.labels.unwrap_or_default();
        let state = inspected.state;
        Self {
            id: inspected.id,
            rental: labels.get(LABEL_RENTAL).and_then(|text| text.parse().ok()),
            pid: Some(state.pid).filter(|pid| state.running && state.status == "running" && *pid > 0),
            status: state.status.chars().filter(char::is_ascii_alphanumeric).take(20).collect(),
        }
    }
}

/// All of it, or nothing when it is too much.
async fn read(from: Option<impl AsyncRead + Unpin>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(from) = from else { return Some(bytes) };
    // A pipe that cannot be read is one that has ended: how the command ended says the rest.
    from.take(OUTPUT_MAX + 1).read_to_end(&mut bytes).await.ok();
    (bytes.len() as u64 <= OUTPUT_MAX).then_some(bytes)
}

/// Ids as engines print them, one a line.
fn ids(said: &[u8]) -> Result<Vec<String>, EngineError> {
    let is_id = |line: &&str| line.len() == 64 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
    let text = std::str::from_utf8(said).unwrap_or("not text");
    let lines: Vec<&str> = text.lines().collect();
    if !lines.iter().all(is_id) {
        return Err(nonsense("ps", "expected ids of 64 hex digits, one a line"));
    }
    Ok(lines.into_iter().take(CONTAINERS_MAX).map(str::to_owned).collect())
}

fn nonsense(what: &str, why: &str) -> EngineError {
    EngineError::Nonsense { what: what.to_owned(), why: why.chars().take(COMPLAINT_MAX).collect() }
}

fn subcommand(words: &[String]) -> String {
    let is_name = |word: &&String| word.bytes().all(|byte| byte.is_ascii_lowercase());
    words.iter().take_while(is_name).take(2).cloned().collect::<Vec<_>>().join(" ")
}

/// The end of a complaint, which is where engines say what went wrong, in one line.
fn last_words(complaint: &[u8]) -> String {
    let text = String::from_utf8_lossy(complaint);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: Vec<char> = line.chars().filter(|c| !c.is_control()).collect();
    line.iter().skip(line.len().saturating_sub(COMPLAINT_MAX)).collect()
}

#[cfg(test)]
mod tests;
