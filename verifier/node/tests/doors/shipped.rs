//! What ships in `scripts/` for miners and keepers: sshd takes the snippets, systemd the units, and both say what the
//! programs do.

use crate::rig::{Agent, PROGRAM};
use std::path::{Path, PathBuf};
use std::process::Command;
use surety_node::agent::Server;
use surety_node::openssh::find_sshd;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(shipped(name)).unwrap()
}

/// Settings: lines that are neither empty nor comments.
fn settings(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

fn sshd_takes(text: &str) -> Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    let (key, file) = (dir.path().join("key"), dir.path().join("config"));
    let made = Command::new(PROGRAM).args(["keygen", "--out"]).arg(&key).output().unwrap();
    assert!(made.status.success());
    std::fs::create_dir_all("/run/sshd").ok();
    std::fs::write(&file, format!("HostKey {}\n{text}", key.display())).unwrap();
    let output = Command::new(find_sshd().unwrap()).arg("-t").arg("-f").arg(&file).output().unwrap();
    output.status.success().then_some(()).ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn sshd_takes_the_shipped_snippets() {
    if find_sshd().is_none() {
        eprintln!("SKIPPED: no sshd in PATH or /usr/sbin; install the package openssh-server to run this test");
        return;
    }
    sshd_takes(&read("sshd/host.conf")).unwrap();
    let text = read("sshd/surety-node.conf");
    let without_penalties: String =
        text.lines().filter(|line| !line.starts_with("PerSourcePenalties")).map(|line| format!("{line}\n")).collect();
    sshd_takes(&text).or_else(|_| sshd_takes(&without_penalties)).unwrap();
    assert!(sshd_takes("PerSourceMaxStartups many\n").is_err(), "this test would notice nothing");
}

#[tokio::test]
async fn the_agents_own_sshd_says_what_the_shipped_snippet_says() {
    if find_sshd().is_none() {
        eprintln!("SKIPPED: no sshd in PATH or /usr/sbin; install the package openssh-server to run this test");
        return;
    }
    let agent = Agent::start(Server::Openssh).await;
    let written = std::fs::read_to_string(agent.config.state_dir.join("sshd_config")).unwrap();
    let written = settings(&written);
    // Where its files are is the agent's own; in development root may log in and directories may be loose; old versions
    // have no penalties.
    let own = ["AuthorizedKeysFile", "PermitRootLogin", "StrictModes", "PerSourcePenalties"];
    let snippet = read("sshd/surety-node.conf");
    let mut compared = 0;
    for line in settings(&snippet).into_iter().filter(|line| !own.iter().any(|name| line.starts_with(name))) {
        assert!(written.contains(&line), "the agent does not write `{line}`");
        compared += 1;
    }
    assert!(compared >= 14, "{compared}");
    let findings = surety_node::doctor::examine(&agent.config, true).await;
    for item in ["sshd", "keys files", "sshd configuration", "agent"] {
        let finding = findings.iter().find(|finding| finding.item == item).unwrap();
        assert!(finding.state.is_ok(), "{finding}");
    }
    agent.stop().await;
}

#[tokio::test]
async fn the_doctor_finds_a_configuration_of_sshd_that_somebody_changed() {
    if find_sshd().is_none() {
        eprintln!("SKIPPED: no sshd in PATH or /usr/sbin; install the package openssh-server to run this test");
        return;
    }
    let agent = Agent::start(Server::Openssh).await;
    let path = agent.config.state_dir.join("sshd_config");
    let written = std::fs::read_to_string(&path).unwrap();
    for (was, now, wanted) in [
        ("PasswordAuthentication no", "PasswordAuthentication yes", "passwordauthentication in "),
        ("MaxStartups 200:30:1000", "MaxStartups 10:30:100", "wanted is 200:30:1000: restart the agent"),
        ("LoginGraceTime 20", "LoginGraceTime never", "sshd does not take "),
    ] {
        std::fs::write(&path, written.replacen(was, now, 1)).unwrap();
        let findings = surety_node::doctor::examine(&agent.config, true).await;
        let finding = findings.iter().find(|finding| finding.item == "sshd configuration").unwrap();
        let told = finding.state.as_ref().unwrap_err();
        assert!(told.contains(wanted), "{told}");
    }
    agent.stop().await;
}

#[test]
fn the_units_start_the_programs_as_they_are_and_systemd_takes_them() {
    let units = ["surety-keeper.service", "surety-node.service"];
    for name in units {
        let text = read(&format!("systemd/{name}"));
        let lines = settings(&text);
        for line in ["ProtectKernelModules=yes", "ProtectHome=yes", "TimeoutStopSec=15", "StartLimitBurst=5"] {
            assert!(lines.contains(&line), "{name} has no {line}");
        }
    }
    let keeper = read("systemd/surety-keeper.service");
    for line in ["NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "User=surety-keeper"] {
        assert!(settings(&keeper).contains(&line), "the keeper's unit has no {line}");
    }
    let node = read("systemd/surety-node.service");
    let start = settings(&node).into_iter().find_map(|line| line.strip_prefix("ExecStart=")).unwrap().to_owned();
    let words: Vec<&str> = start.split(' ').skip(1).filter(|word| !word.starts_with('/')).collect();
    let output = Command::new(PROGRAM).args(&words).arg("/nonexistent").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("cannot read the configuration /nonexistent"), "{words:?}: {said}");
    verify(&units);
}

/// `systemd-analyze verify` wants to find the programs: it gets units that name ones that are there.
fn verify(units: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no"]);
    for unit in units {
        let text = read(&format!("systemd/{unit}"));
        let text =
            text.replace("/usr/local/bin/surety-node", "/bin/true").replace("/usr/local/bin/surety", "/bin/true");
        let path = dir.path().join(unit);
        std::fs::write(&path, text).unwrap();
        command.arg(path);
    }
    let Ok(output) = command.output() else {
        eprintln!("SKIPPED: no systemd-analyze here; the units were only read");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let about_ours = said.lines().any(|line| units.iter().any(|unit| line.contains(unit)));
    assert!(!about_ours, "{said}");
}
