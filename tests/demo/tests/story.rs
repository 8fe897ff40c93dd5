//! The whole story, told by the demo's own program: embedded, with OpenSSH, with keepers killed, interrupted, killed,
//! and with the chain gone in the middle. The programs `surety` and `surety-node` have to be built first
//! (`cargo build -p surety -p surety-node`, as scripts/test does): cargo builds only this package's own.
#![allow(clippy::unwrap_used)]

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use surety_demo::process::living;

const DEMO: &str = env!("CARGO_BIN_EXE_surety-demo");

/// Processes may take this long to be gone.
const GONE_LIMIT: Duration = Duration::from_secs(10);

/// A story has eight processes and runs in real time: one at once.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A demo that runs, and what it has told so far.
struct Telling {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    events: Vec<Value>,
}

impl Telling {
    fn start(args: &[&str]) -> Self {
        let mut command = Command::new(DEMO);
        command.arg("--json").args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, events: Vec::new() }
    }

    /// Reads on until this event.
    fn until(&mut self, event: &str) -> Value {
        loop {
            let line =
                self.lines.next().unwrap_or_else(|| panic!("ended before {event}: {}", self.complaint())).unwrap();
            let told: Value = serde_json::from_str(&line).unwrap();
            self.events.push(told.clone());
            if told["event"] == event {
                return told;
            }
        }
    }

    fn complaint(&mut self) -> String {
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    /// The run's directory, once the contracts are deployed.
    fn dir(&mut self) -> PathBuf {
        let deployed = self.until("deployed");
        Path::new(deployed["facts"]["path"].as_str().unwrap()).parent().unwrap().to_owned()
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    fn facts(&self, event: &str) -> Vec<&Value> {
        self.events.iter().filter(|told| told["event"] == event).map(|told| &told["facts"]).collect()
    }
}

/// Processes that belong to a run by their mark, or name its directory in their arguments (the reaper).
fn left_of(run: &Path) -> Vec<String> {
    let name = run.display().to_string();
    let arguments = |pid: &i32| {
        let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    };
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let named = pids.map(|pid| arguments(&pid)).filter(|line| line.contains(&name));
    living(run).iter().map(arguments).chain(named).collect()
}

fn all_gone(run: &Path) {
    let end = Instant::now() + GONE_LIMIT;
    loop {
        let left = left_of(run);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < end, "still there: {left:#?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Tells a story to its end and checks what must be true of every one.
fn told(args: &[&str]) -> Vec<Value> {
    let _alone = alone();
    let began = Instant::now();
    let mut telling = Telling::start(args);
    let dir = telling.dir();
    let end = telling.until("end")["facts"].clone();
    let status = telling.child.wait().unwrap();
    assert!(status.success(), "{status}");
    eprintln!("told in {} s", began.elapsed().as_secs());
    assert_eq!(end["cases"], 1);
    assert_eq!(end["rentals_closed"], 2);
    assert_eq!(end["liabilities_rao"], 0);
    assert!(end["burned_rao"].as_u64().unwrap() > 0);
    assert_eq!(telling.facts("case_filed")[0]["kind"], "Offline");
    assert!(telling.facts("evidence").len() >= 2);
    assert_eq!(telling.facts("exited").len(), 3);
    let audits = telling.facts("audited");
    assert_eq!(audits.len(), 2, "in use, and at the end");
    for (audited, owes) in audits.iter().zip([true, false]) {
        assert_eq!(audited["report"]["holds"], true);
        assert_eq!([&audited["rentals"], &audited["cases"], &audited["wishes"]], [2, 1, 1]);
        assert_eq!(audited["owed_rao"].as_u64().unwrap() > 0, owes);
        let doubts = audited["doubts"].as_str().unwrap();
        assert!(doubts.contains("fee_bps"), "{doubts}");
    }
    let money = telling.facts("money")[0];
    assert_eq!(money["paid_in_rao"], money["got_out_rao"]);
    let steps: Vec<&Value> =
        telling.events.iter().filter(|told| told["event"] == "step").map(|told| &told["step"]).collect();
    assert_eq!(steps, [1, 2, 3, 4, 5, 6, 7]);
    all_gone(&dir);
    assert!(!dir.exists(), "the run's directory is left");
    telling.events
}

/// Keys, numbers and roles: what the seed decides.
fn drawn(events: &[Value]) -> Vec<Value> {
    let pick = |told: &Value| {
        let facts = &told["facts"];
        match told["event"].as_str().unwrap() {
            "machine" => Some(facts["machine"].clone()),
            "keeper" => Some(facts["account"].clone()),
            "rented" => Some(serde_json::json!([facts["rental"], facts["machine"], facts["paid_rao"]])),
            "machine_killed" => Some(facts["machine"].clone()),
            _ => None,
        }
    };
    events.iter().filter_map(pick).collect()
}

/// Stories of one seed have the same keys, numbers and roles; the first that is told says which.
fn same_as_ever(events: &[Value]) {
    static FIRST: OnceLock<Vec<Value>> = OnceLock::new();
    let drawn = drawn(events);
    assert_eq!(&drawn, FIRST.get_or_init(|| drawn.clone()));
}

#[test]
fn the_story_comes_true() {
    same_as_ever(&told(&["--seed", "11"]));
}

#[test]
fn the_story_comes_true_with_keepers_killed_at_five_random_moments() {
    let events = told(&["--seed", "11", "--kill-keepers", "5"]);
    let killed = events.iter().filter(|told| told["event"] == "keeper_killed").count();
    assert_eq!(killed, 5);
    same_as_ever(&events);
}

#[test]
fn the_story_comes_true_with_openssh() {
    let sshd = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"].iter().any(|path| Path::new(path).exists());
    if !sshd {
        eprintln!("SKIPPED: the_story_comes_true_with_openssh: no sshd here (Debian: apt install openssh-server)");
        return;
    }
    same_as_ever(&told(&["--seed", "11", "--sshd"]));
}

#[test]
fn ctrl_c_leaves_no_process_behind() {
    let _alone = alone();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut telling = Telling::start(&["--seed", "12"]);
        let dir = telling.dir();
        telling.until("machine");
        assert!(left_of(&dir).len() > 3);
        telling.signal(signal);
        assert_eq!(telling.child.wait().unwrap().code(), Some(130));
        assert_eq!(left_of(&dir), Vec::<String>::new(), "after {signal}");
        assert!(!dir.exists());
    }
}

#[test]
fn a_runner_that_is_killed_leaves_no_process_behind() {
    let _alone = alone();
    let mut telling = Telling::start(&["--seed", "13"]);
    let dir = telling.dir();
    telling.until("machine");
    telling.signal(Signal::SIGKILL);
    telling.child.wait().unwrap();
    all_gone(&dir);
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_failure_names_the_step_and_the_logs_and_leaves_no_process_behind() {
    let _alone = alone();
    let mut telling = Telling::start(&["--seed", "14"]);
    let dir = telling.dir();
    telling.until("machine");
    let is_anvil = |pid: &i32| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        name.starts_with("anvil")
    };
    let anvil = living(&dir).into_iter().find(is_anvil).unwrap();
    kill(Pid::from_raw(anvil), Signal::SIGKILL).unwrap();
    let complaint = telling.complaint();
    assert_eq!(telling.child.wait().unwrap().code(), Some(1));
    for part in ["step ", "last seen: ", "logs are in "] {
        assert!(complaint.contains(part), "{complaint}");
    }
    assert!(dir.join("logs/keeper-1.log").exists());
    all_gone(&dir);
    std::fs::remove_dir_all(dir).unwrap();
}
