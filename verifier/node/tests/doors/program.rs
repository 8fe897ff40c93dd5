//! The program itself: its commands, and how it stops.

use crate::rig::{config, eventually, runs};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use surety_node::agent::Server;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_surety-node"))
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

/// A configuration file as an operator would write it, for a node that is not there.
fn write_config(dir: &Path, extra: &str) -> PathBuf {
    write_config_for(dir, Server::Embedded, extra)
}

fn write_config_for(dir: &Path, server: Server, extra: &str) -> PathBuf {
    let config = config(dir, server);
    let deployment =
        r#"{"chain_id":31337,"netuid":1,"block":1,"keepers":C,"vault":C,"escrow":C,"arbiter":C,"bids":C,"times":T}"#;
    let contract = format!(r#"{{"address":"0x{}","code_hash":"0x{}"}}"#, "11".repeat(20), "22".repeat(32));
    let times = [
        "settle_lag",
        "delivery_grace",
        "min_interrupted",
        "min_offline",
        "freshness",
        "certificate_life",
        "spoof_life",
    ];
    let times = format!("{{{}}}", times.map(|name| format!("\"{name}_secs\":1")).join(","));
    std::fs::write(&config.deployment, deployment.replace('C', &contract).replace('T', &times)).unwrap();
    let text = format!(
        "{extra}rpc_url = \"http://127.0.0.1:1\"\nchain_id = 31337\ndeployment = {:?}\nhost_key = {:?}\n\
         listen = \"127.0.0.1:0\"\n\
         tenant_user = {:?}\nkeeper_user = {:?}\nstate_dir = {:?}\ndev = true\n\
         [device]\nkind = \"cpu\"\nclass = 65535\ncount = 1\n",
        config.deployment, config.host_key, config.tenant_user, config.keeper_user, config.state_dir
    );
    let path = dir.join("node.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn keygen_makes_a_closed_file_once_and_prints_the_machine() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let first = run(&["keygen", "--out", path.to_str().unwrap()]);
    assert!(first.status.success(), "{}", stderr(&first));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(String::from_utf8_lossy(&first.stdout).starts_with("0x"));
    let second = run(&["keygen", "--out", path.to_str().unwrap()]);
    assert!(!second.status.success());
}

#[test]
fn a_host_key_that_others_can_read_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let file = write_config(dir.path(), "");
    let key = dir.path().join("host_key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = run(&["run", "--config", file.to_str().unwrap()]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("chmod 600"), "{}", stderr(&output));
}

#[test]
fn an_unknown_key_in_the_configuration_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let file = write_config(dir.path(), "lie = \"skip-rows\"\n");
    let output = run(&["run", "--config", file.to_str().unwrap()]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("lie"), "{}", stderr(&output));
}

#[test]
fn doctor_says_which_item_fails_and_exits_non_zero() {
    let dir = tempfile::tempdir().unwrap();
    let file = write_config(dir.path(), "");
    let output = run(&["doctor", "--config", file.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success());
    assert!(text.contains("ok    host key: machine 0x") && text.contains("FAIL  RPC node: "), "{text}");
}

fn start(file: &Path, arguments: &[&str]) -> Child {
    let mut command = program();
    command.args(["run", "--config", file.to_str().unwrap()]).args(arguments);
    command.stderr(Stdio::null()).spawn().unwrap()
}

async fn stops_on(signal: Signal) {
    let dir = tempfile::tempdir().unwrap();
    let file = write_config(dir.path(), "");
    let child = start(&file, &[]);
    let note = dir.path().join("state/listen");
    eventually("it listens although its node is not there", || note.exists()).await;
    stop(child, signal).await;
    assert!(!note.exists());
}

async fn stop(mut child: Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
    let mut status = None;
    let began = std::time::Instant::now();
    eventually("it stops", || {
        status = child.try_wait().unwrap();
        status.is_some()
    })
    .await;
    assert!(began.elapsed().as_secs() < 10);
    assert_eq!(status.unwrap().success(), signal != Signal::SIGKILL);
}

#[tokio::test]
async fn sigterm_stops_the_agent_within_ten_seconds() {
    stops_on(Signal::SIGTERM).await;
}

#[tokio::test]
async fn ctrl_c_stops_the_agent_within_ten_seconds() {
    stops_on(Signal::SIGINT).await;
}

#[tokio::test]
async fn after_a_kill_9_the_next_agent_ends_the_sshd_that_was_left() {
    if surety_node::openssh::find_sshd().is_none() {
        eprintln!("SKIPPED: no sshd in PATH or /usr/sbin; install the package openssh-server to run this test");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = write_config_for(dir.path(), Server::Openssh, "");
    let (note, pid) = (dir.path().join("state/listen"), dir.path().join("state/sshd.pid"));
    let first = start(&file, &["--sshd"]);
    eventually("the first listens", || note.exists()).await;
    let left = std::fs::read_to_string(&pid).unwrap();
    stop(first, Signal::SIGKILL).await;
    assert!(lives(&left), "sshd is left");
    std::fs::remove_file(&note).unwrap();
    let second = start(&file, &["--sshd"]);
    eventually("the second listens", || note.exists()).await;
    assert!(!lives(&left), "the old sshd still runs");
    stop(second, Signal::SIGTERM).await;
    assert!(!runs(&dir.path().join("state/sshd_config").display().to_string()));
}

/// A process that has ended but that nobody has waited for has no command line any more.
fn lives(pid: &str) -> bool {
    let line = std::fs::read(Path::new("/proc").join(pid).join("cmdline"));
    line.is_ok_and(|line| !line.is_empty())
}
