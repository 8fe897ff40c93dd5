//! The story's processes: each in a group of its own, with a log file, and gone when the story is.
//!
//! Two nets, since a runner can end in many ways: [`Process`] kills what it started when dropped (return, error, panic,
//! Ctrl-C handled), and a reaper process does when its input closes (the runner was killed). Both kill the process
//! group, what descends from it, and what carries the run's mark in its environment although it left the group and
//! lost its parent (sessions of an sshd that was killed).

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Environment variable that every process of a run carries: the run's directory.
const MARK: &str = "SURETY_DEMO_RUN";
/// What `surety-node` marks OpenSSH's sessions with: its state directory, which is below the run's directory.
const SESSION_MARK: &str = "SURETY_TENANCY";

/// First argument that turns the demo's own binary into the reaper.
pub const REAPER: &str = "reap-when-input-closes";

/// How long killed processes may take to vanish.
const VANISH_LIMIT: Duration = Duration::from_secs(5);

/// Starts processes for one run.
#[derive(Clone)]
pub struct Processes {
    logs: PathBuf,
    run: PathBuf,
    reaper: Arc<Reaper>,
}

struct Reaper {
    child: Mutex<Child>,
    orders: Mutex<Option<ChildStdin>>,
    run: PathBuf,
}

/// A running process; killed with its whole group when dropped.
pub struct Process {
    name: String,
    log: PathBuf,
    child: Child,
    group: Pid,
}

impl Processes {
    /// For a run in the directory `run`; logs go to `run/logs`. `demo` is the demo's own binary: the reaper.
    pub fn new(demo: &Path, run: &Path) -> Result<Self> {
        let logs = run.join("logs");
        std::fs::create_dir_all(&logs)?;
        let run = std::fs::canonicalize(run)?;
        let mut command = Command::new(demo);
        command.arg(REAPER).arg(&run).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.process_group(0).spawn().with_context(|| format!("starting {}", demo.display()))?;
        let orders = Mutex::new(child.stdin.take());
        let reaper = Arc::new(Reaper { child: Mutex::new(child), orders, run: run.clone() });
        Ok(Self { logs, run, reaper })
    }

    /// Where the logs are.
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    /// Starts `program` with `args`; both its outputs are appended to `NAME.log`.
    pub fn start(&self, name: &str, program: &Path, args: &[OsString]) -> Result<Process> {
        let log = self.logs.join(format!("{name}.log"));
        let out = std::fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let mut command = Command::new(program);
        command.args(args).env(MARK, &self.run);
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out).process_group(0);
        let child = command.spawn().with_context(|| format!("starting {name} ({})", program.display()))?;
        let group = Pid::from_raw(i32::try_from(child.id())?);
        self.reaper.tell(group);
        Ok(Process { name: name.to_owned(), log, child, group })
    }
}

impl Reaper {
    fn tell(&self, group: Pid) {
        if let Some(orders) = self.orders.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            // A reaper that is gone is noticed by nobody but a killed runner.
            writeln!(orders, "{group}").ok();
        }
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        kill_marked(&self.run);
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.child.lock().unwrap_or_else(PoisonError::into_inner).wait().ok();
    }
}

impl Process {
    /// Its name in this run.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its output goes.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `Some` with how it ended, once it has.
    pub fn ended(&mut self) -> Option<String> {
        self.child.try_wait().ok().flatten().map(|status| status.to_string())
    }

    /// Fails when it has ended, with the end of its log.
    pub fn check_alive(&mut self) -> Result<()> {
        match self.ended() {
            None => Ok(()),
            Some(how) => anyhow::bail!("{} ended ({how}); its log ends with:\n{}", self.name, tail(&self.log, 12)),
        }
    }

    /// SIGKILL to the whole group and to every descendant that left it, as when the power goes.
    pub fn kill(&mut self) {
        kill_tree(self.group);
        self.child.wait().ok();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The last lines of a file.
pub fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
}

/// The reaper: reads process groups, one a line, until its input closes; then kills them all.
pub fn reap(run: &Path) {
    let groups: BTreeSet<i32> =
        std::io::stdin().lock().lines().map_while(Result::ok).filter_map(|line| line.trim().parse().ok()).collect();
    for group in groups {
        // The number of a group that ended may be a stranger's by now: the mark tells.
        if is_marked(group, run) {
            kill_tree(Pid::from_raw(group));
        }
    }
    kill_marked(run);
}

fn kill_tree(leader: Pid) {
    // Before the leader is gone: afterwards they are init's children.
    let descendants = descendants(leader.as_raw());
    killpg(leader, Signal::SIGKILL).ok();
    for pid in descendants {
        kill(Pid::from_raw(pid), Signal::SIGKILL).ok();
    }
}

/// Kills every process that carries the mark, until none is left.
fn kill_marked(run: &Path) {
    let end = Instant::now() + VANISH_LIMIT;
    loop {
        let left = living(run);
        if left.is_empty() || Instant::now() >= end {
            return;
        }
        for pid in left {
            kill(Pid::from_raw(pid), Signal::SIGKILL).ok();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Process ids, where the system has `/proc`; elsewhere groups have to do.
fn pids() -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Whether a process belongs to the run in this directory.
pub fn is_marked(pid: i32, run: &Path) -> bool {
    let (ours, sessions) = (format!("{MARK}={}", run.display()), format!("{SESSION_MARK}={}/", run.display()));
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|entry| entry == ours.as_bytes() || entry.starts_with(sessions.as_bytes()))
}

/// Processes of the run in this directory that live.
pub fn living(run: &Path) -> Vec<i32> {
    pids().filter(|pid| is_marked(*pid, run)).collect()
}

/// Living processes below `root`, children before grandchildren.
fn descendants(root: i32) -> Vec<i32> {
    let parents: Vec<(i32, i32)> = pids().filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(above) = found.get(next).copied() {
        found.extend(parents.iter().filter(|(_, parent)| *parent == above).map(|(pid, _)| *pid));
        next += 1;
    }
    found.remove(0);
    found
}

/// Fields of `stat` are counted from the closing bracket of the name, which is the process's own choice.
fn parent(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}
