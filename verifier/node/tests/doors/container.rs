//! Renters who come through OpenSSH into a container: what they get, and what they do not.

use crate::engines::{Real, Way, fake_container};
use crate::rig::{Agent, KEEPER_SEED, OTHER_SEED, PROGRAM, RENTER_SEED, eventually, me, nap, runs};
use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use surety_core::input::{MeasureOutcome, Observation};
use surety_node::isolation::Driver;

const TENANT: &str = "surety-tenant";
const KEEPERS: &str = "surety-keeper";

fn has_sshd() -> bool {
    let has = surety_node::openssh::find_sshd().is_some();
    if !has {
        eprintln!("SKIPPED: no sshd in PATH or /usr/sbin; install the package openssh-server to run this test");
    }
    has
}

/// An agent with the fake engine, whose state is in `<state>/..`.
async fn agent() -> Option<Agent> {
    if !has_sshd() {
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let container = fake_container(dir.path());
    Some(Agent::start_with_container(dir, None, Driver::Podman, container).await)
}

/// What the engine was last told to execute, word by word.
fn last_exec(agent: &Agent) -> Vec<String> {
    let file = agent.config.state_dir.parent().unwrap().join("last-exec");
    std::fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// A session with a terminal of 80 columns.
async fn terminal(agent: &Agent, line: &str) -> (russh::client::Handle<crate::rig::Trusting>, Channel<Msg>) {
    let session = agent.log_in(RENTER_SEED, &agent.config.tenant_user).await.unwrap();
    let channel = session.channel_open_session().await.unwrap();
    channel.request_pty(true, "xterm-256color", 80, 24, 0, 0, &[]).await.unwrap();
    channel.exec(true, line).await.unwrap();
    (session, channel)
}

/// Reads until the session has said this, or ends.
async fn until_said(channel: &mut Channel<Msg>, wanted: &str) -> String {
    let mut said = String::new();
    while !said.contains(wanted) {
        match channel.wait().await {
            Some(ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. }) => {
                said.push_str(&String::from_utf8_lossy(&data));
            }
            Some(_) => {}
            None => break,
        }
    }
    said
}

#[tokio::test]
async fn a_renters_line_reaches_the_shell_in_the_container_as_one_word_and_no_other_shell() {
    let Some(agent) = agent().await else { return };
    agent.set_rental(Some((1, RENTER_SEED, 3600)));
    agent.until_let_in(RENTER_SEED).await;
    assert_eq!(agent.probe(OTHER_SEED, &agent.config.tenant_user).await, Observation::Refused);
    assert_eq!(agent.run(RENTER_SEED, "cat; echo $IN_CONTAINER; exit 3", "hello ").await, (3, "hello yes\n".into()));
    let line = "echo 'a  b' \"$(echo c)\" `echo d` \\; # --privileged; exit 1";
    assert_eq!(agent.run(RENTER_SEED, line, "").await, (0, "a  b c d ;\n".into()));
    let words = last_exec(&agent);
    assert_eq!(words[words.len() - 3..], ["/bin/sh", "-lc", line]);
    let big = "x".repeat(200_000);
    assert_eq!(agent.run(RENTER_SEED, "wc -c", &big).await, (0, "200000\n".into()));
    assert_eq!(agent.run(RENTER_SEED, "kill -9 $$", "").await.0, 137);
    let long = format!("true {}", "x".repeat(127 * 1024));
    assert_ne!(agent.run(RENTER_SEED, &long, "").await.0, 0);
    agent.stop().await;
}

#[tokio::test]
async fn a_terminal_goes_along_and_its_size_with_it() {
    let Some(agent) = agent().await else { return };
    agent.set_rental(Some((1, RENTER_SEED, 3600)));
    agent.until_let_in(RENTER_SEED).await;
    let line = format!("trap 'stty size' WINCH; echo $TERM $(stty size); while :; do sleep 0.1; done # {}", nap(98770));
    let (_session, mut channel) = terminal(&agent, &line).await;
    let said = until_said(&mut channel, "24 80").await;
    assert!(said.contains("xterm-256color 24 80"), "{said}");
    channel.window_change(100, 30, 0, 0).await.unwrap();
    let said = until_said(&mut channel, "30 100").await;
    assert!(said.contains("30 100"), "{said}");
    assert!(last_exec(&agent).contains(&"--tty".to_owned()));
    drop((channel, _session));
    eventually("what the session started is gone", || !runs(&nap(98770))).await;
    agent.stop().await;
}

#[tokio::test]
async fn files_are_carried_by_the_images_own_program_and_nothing_is_forwarded() {
    let Some(agent) = agent().await else { return };
    agent.set_rental(Some((1, RENTER_SEED, 3600)));
    agent.until_let_in(RENTER_SEED).await;
    let session = agent.log_in(RENTER_SEED, &agent.config.tenant_user).await.unwrap();
    let mut channel = session.channel_open_session().await.unwrap();
    channel.request_subsystem(true, "sftp").await.unwrap();
    // SSH_FXP_INIT of version 3; the answer is SSH_FXP_VERSION.
    channel.data(&[0, 0, 0, 5, 1, 0, 0, 0, 3][..]).await.unwrap();
    let mut said = Vec::new();
    while said.len() < 5 {
        match channel.wait().await {
            Some(ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. }) => said.extend_from_slice(&data),
            Some(_) => {}
            None => break,
        }
    }
    let there =
        ["openssh", "ssh"].iter().any(|dir| std::path::Path::new(&format!("/usr/lib/{dir}/sftp-server")).exists());
    match there {
        true => assert_eq!(said[4], 2, "{said:?}"),
        false => assert!(String::from_utf8_lossy(&said).starts_with("this image has no sftp-server"), "{said:?}"),
    }
    let address = agent.address;
    assert!(session.channel_open_direct_tcpip("127.0.0.1", address.port().into(), "127.0.0.1", 1).await.is_err());
    assert!(session.channel_open_direct_streamlocal("/run/docker.sock").await.is_err());
    agent.stop().await;
}

#[tokio::test]
async fn the_end_of_a_rental_cuts_sessions_and_takes_container_and_data() {
    let Some(agent) = agent().await else { return };
    let outcome = agent.measure(KEEPER_SEED).await;
    assert!(matches!(outcome, MeasureOutcome::Proven { .. }), "{outcome:?}");
    agent.set_rental(Some((1, RENTER_SEED, 3600)));
    agent.until_let_in(RENTER_SEED).await;
    std::fs::write(agent.config.tenant_dir().join("data"), "x").unwrap();
    let (session, mut channel) = terminal(&agent, &format!("echo up; sleep {}", nap(98771))).await;
    until_said(&mut channel, "up").await;
    agent.set_rental(Some((2, OTHER_SEED, 3600)));
    agent.until_let_in(OTHER_SEED).await;
    eventually("the session is cut", || session.is_closed()).await;
    assert!(!agent.config.tenant_dir().join("data").exists());
    assert_eq!(agent.probe(RENTER_SEED, &agent.config.tenant_user).await, Observation::Refused);
    let containers = agent.config.state_dir.parent().unwrap().join("containers");
    let rentals = || -> Vec<String> {
        let all = std::fs::read_dir(&containers).into_iter().flatten().flatten();
        all.map(|entry| std::fs::read_to_string(entry.path().join("rental")).unwrap_or_default()).collect()
    };
    assert_eq!(rentals(), ["2\n"]);
    agent.set_rental(None);
    agent.until_put_out(OTHER_SEED).await;
    eventually("nothing is left", || rentals().is_empty() && !agent.config.tenant_dir().exists()).await;
    eventually("the session's process is gone", || !runs(&nap(98771))).await;
    agent.stop().await;
}

#[tokio::test]
async fn only_the_rental_that_runs_is_entered() {
    let Some(agent) = agent().await else { return };
    agent.set_rental(Some((1, RENTER_SEED, 3600)));
    agent.until_let_in(RENTER_SEED).await;
    let enter = |rental: &str| {
        let mut command = Command::new(PROGRAM);
        command.args(["enter", "--rental", rental, "--socket"]).arg(agent.config.state_dir.join("enter.sock"));
        command.env("SSH_ORIGINAL_COMMAND", "echo in").stdin(std::process::Stdio::null());
        command
    };
    let run = |mut command: Command| async move {
        tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
    };
    assert_eq!(run(enter("1")).await.stdout, b"in\n");
    let refused = run(enter("2")).await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && refused.stdout.is_empty() && said.contains("rental 2 does not run"), "{said}");
    agent.stop().await;
}

#[tokio::test]
async fn the_tenants_account_reaches_the_agents_socket_and_nothing_else_does() {
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let all_there =
        [TENANT, KEEPERS].iter().all(|name| accounts.lines().any(|line| line.starts_with(&format!("{name}:"))));
    if me() != "root" || !all_there || !has_sshd() {
        eprintln!("SKIPPED: needs root, openssh-server, and the accounts {TENANT} and {KEEPERS}");
        return;
    }
    let dir = tempfile::Builder::new().prefix("surety-container").tempdir_in("/var/lib").unwrap();
    let container = fake_container(dir.path());
    let agent = Agent::start_with_container(dir, Some((TENANT, KEEPERS)), Driver::Podman, container).await;
    agent.set_rental(Some((1, RENTER_SEED, 3600)));
    agent.until_let_in(RENTER_SEED).await;
    let (code, said) = agent.run(RENTER_SEED, "echo $IN_CONTAINER", "").await;
    assert_eq!((code, said.as_str()), (0, "yes\n"));
    let socket = std::fs::metadata(agent.config.state_dir.join("enter.sock")).unwrap();
    let uid = |name: &str| nix::unistd::User::from_name(name).unwrap().unwrap().uid.as_raw();
    assert_eq!((socket.uid(), socket.mode() & 0o777), (uid(TENANT), 0o600));
    let as_account = |name: &str| {
        let mut command = Command::new(agent.config.state_dir.parent().unwrap().join("surety-node"));
        command.args(["enter", "--rental", "1", "--socket"]).arg(agent.config.state_dir.join("enter.sock"));
        command.env("SSH_ORIGINAL_COMMAND", "echo in").stdin(std::process::Stdio::null());
        std::os::unix::process::CommandExt::uid(&mut command, uid(name));
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };
    assert_eq!(as_account(TENANT).await.unwrap().stdout, b"in\n");
    // Keepers cannot open it; root can, and is not answered.
    for name in [KEEPERS, "root"] {
        let refused = as_account(name).await.unwrap();
        assert!(!refused.status.success() && refused.stdout.is_empty(), "{name}");
    }
    let session = agent.log_in(RENTER_SEED, TENANT).await.unwrap();
    agent.set_rental(None);
    agent.until_put_out(RENTER_SEED).await;
    eventually("the session is cut", || session.is_closed()).await;
    agent.stop().await;
}

#[tokio::test]
async fn a_renter_comes_through_openssh_into_a_container_of_a_real_podman() {
    comes_in(Way::Podman).await;
}

#[tokio::test]
async fn a_renter_comes_through_openssh_into_a_container_of_podmans_service() {
    comes_in(Way::PodmanService).await;
}

#[tokio::test]
async fn a_renter_comes_through_openssh_into_a_container_of_a_real_docker() {
    comes_in(Way::Docker).await;
}

async fn comes_in(way: Way) {
    if !has_sshd() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let real = match Real::start(dir.path(), way) {
        Ok(real) => real,
        Err(why) => {
            eprintln!("SKIPPED: {way:?}: {why}");
            return;
        }
    };
    let agent = Agent::start_with_container(dir, None, real.driver, real.container()).await;
    agent.set_rental(Some((1, RENTER_SEED, 3600)));
    agent.until_let_in(RENTER_SEED).await;
    let (code, said) = agent.run(RENTER_SEED, "id -u; cat; cat /proc/self/uid_map; exit 3", "from far\n").await;
    let said: Vec<&str> = said.split_whitespace().collect();
    assert_eq!((code, said.as_slice()), (3, &["0", "from", "far", "0", &real.root.to_string(), "65536"][..]));
    let (session, mut channel) = terminal(&agent, &format!("stty size; sleep {}", nap(98772 + way as u32 * 2))).await;
    assert!(until_said(&mut channel, "24 80").await.contains("24 80"));
    eventually("the session's command runs", || runs(&nap(98772 + way as u32 * 2))).await;
    drop((channel, session));
    // A client of the engine that is killed leaves its command in the container; the agent hangs up for it.
    eventually("the session's command is gone", || !runs(&nap(98772 + way as u32 * 2))).await;
    agent.run(RENTER_SEED, &format!("sleep {} >/dev/null 2>&1 </dev/null &", nap(98773 + way as u32 * 2)), "").await;
    assert!(runs(&nap(98773 + way as u32 * 2)), "without a terminal what was left running goes on");
    agent.set_rental(None);
    agent.until_put_out(RENTER_SEED).await;
    eventually("the container is gone with all that ran in it", || {
        !runs(&nap(98773 + way as u32 * 2)) && real.ids().is_empty()
    })
    .await;
    // The engine's mounts are in there: it goes first.
    let dir = agent.stop().await;
    drop(real);
    drop(dir);
}
