//! Ending what tenants started. A tenant's processes are found in `/proc`, by the account they run under where that is
//! the tenants' own, else by a mark in their environment or by descent from the SSH server that let them in.

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, Uid};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;
use tokio::time::Instant;

/// Environment variable that marks every process of a session.
pub const MARK: &str = "SURETY_TENANCY";

/// Which processes are a tenant's.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// Value of [`MARK`] in their environment.
    pub mark: Option<String>,
    /// Descendants of this process (not the process itself).
    pub below: Option<u32>,
    /// Everything that runs under this account.
    pub uid: Option<u32>,
}

/// Processes that would not die.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{left} processes of the last tenant are still running after {} s", SWEEP_MAX.as_secs())]
pub struct Survivors {
    /// How many.
    pub left: usize,
}

const SWEEP_MAX: Duration = Duration::from_secs(5);
const CLEAN_LOOKS: u32 = 3;
const LOOK_EVERY: Duration = Duration::from_millis(15);

impl Sweep {
    /// Kills until none is left. One look may miss a process that is just being born or is changing its program (its
    /// environment is empty for a moment), so several in a row must find none.
    ///
    /// # Errors
    /// [`Survivors`] when some are left after five seconds.
    pub async fn run(&self) -> Result<(), Survivors> {
        let deadline = Instant::now() + SWEEP_MAX;
        let mut clean_looks = 0;
        loop {
            let sweep = self.clone();
            let left = tokio::task::spawn_blocking(move || sweep.kill_once()).await.unwrap_or_default();
            clean_looks = if left == 0 { clean_looks + 1 } else { 0 };
            if clean_looks == CLEAN_LOOKS {
                return Ok(());
            }
            if left > 0 && Instant::now() >= deadline {
                return Err(Survivors { left });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Sends SIGKILL to all that are there; returns how many were.
    fn kill_once(&self) -> usize {
        let victims = self.victims();
        for pid in &victims {
            kill(Pid::from_raw(*pid), Signal::SIGKILL).ok();
        }
        victims.len()
    }

    fn victims(&self) -> BTreeSet<i32> {
        let all = processes();
        let below = self.below.and_then(|root| i32::try_from(root).ok()).map(|root| descendants(&all, root));
        let me = i32::try_from(std::process::id()).unwrap_or_default();
        let is_victim = |pid: i32| {
            below.as_ref().is_some_and(|pids| pids.contains(&pid))
                || self.uid.is_some_and(|uid| owner(pid) == Some(uid))
                || self.mark.as_ref().is_some_and(|mark| is_marked(pid, mark))
        };
        all.keys().copied().filter(|pid| *pid != me && is_victim(*pid)).collect()
    }
}

/// Kills a process group that this agent started; gone already is fine.
pub fn kill_group(leader: u32) {
    if let Ok(group) = i32::try_from(leader) {
        killpg(Pid::from_raw(group), Signal::SIGKILL).ok();
    }
}

/// Asks a process that this agent started to end.
pub fn terminate(pid: u32) {
    if let Ok(pid) = i32::try_from(pid) {
        kill(Pid::from_raw(pid), Signal::SIGTERM).ok();
    }
}

/// Tells a program that its terminal has another size.
pub fn resized(pid: u32) {
    if let Ok(pid) = i32::try_from(pid) {
        kill(Pid::from_raw(pid), Signal::SIGWINCH).ok();
    }
}

/// Tells every process with this entry in its environment that its terminal is gone.
pub fn hang_up(entry: &str) {
    for pid in processes().into_keys().filter(|pid| has_in_environment(*pid, entry)) {
        kill(Pid::from_raw(pid), Signal::SIGHUP).ok();
    }
}

/// Whether this agent is root.
pub fn is_root() -> bool {
    Uid::effective().is_root()
}

/// Living processes and their parents. Zombies are dead already and cannot be killed again.
fn processes() -> BTreeMap<i32, i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return BTreeMap::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| Some((pid, parent(pid)?))).collect()
}

/// The parent, unless the process is gone or a zombie. The name in `stat` is the process's own choice: fields are
/// counted from its closing bracket.
fn parent(pid: i32) -> Option<i32> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let after_name = stat.iter().rposition(|byte| *byte == b')')?.checked_add(1)?;
    let fields = String::from_utf8_lossy(stat.get(after_name..)?).into_owned();
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    (state != "Z" && state != "X").then_some(())?;
    fields.next()?.parse().ok()
}

fn descendants(parents: &BTreeMap<i32, i32>, root: i32) -> BTreeSet<i32> {
    let mut found = BTreeSet::from([root]);
    loop {
        let before = found.len();
        found.extend(
            parents.iter().filter(|(_, parent)| found.contains(parent)).map(|(pid, _)| *pid).collect::<Vec<_>>(),
        );
        if found.len() == before {
            found.remove(&root);
            return found;
        }
    }
}

fn owner(pid: i32) -> Option<u32> {
    std::fs::metadata(format!("/proc/{pid}")).ok().map(|metadata| metadata.uid())
}

fn is_marked(pid: i32, mark: &str) -> bool {
    has_in_environment(pid, &format!("{MARK}={mark}"))
}

fn has_in_environment(pid: i32, wanted: &str) -> bool {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes())
}
