//! Items of the doctor that need neither a chain nor root.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::config::Device;
use crate::config::DeviceKind;
use crate::isolation::Driver;
use std::path::Path;

fn config(dir: &Path) -> Config {
    Config {
        rpc_url: "http://127.0.0.1:1".into(),
        chain_id: 31_337,
        deployment: dir.join("31337.json"),
        host_key: dir.join("host_key"),
        listen: "127.0.0.1:0".parse().unwrap(),
        tenant_user: "tenant".into(),
        keeper_user: "keeper".into(),
        state_dir: dir.join("state"),
        isolation: Driver::Account,
        container: None,
        device: Device { kind: DeviceKind::Cpu, class: 65_535, count: 1 },
        poll_ms: 100,
        dev: true,
    }
}

fn failing(finding: &Finding) -> String {
    let text = finding.state.as_ref().unwrap_err().clone();
    assert!(finding.to_string().starts_with("FAIL  "));
    text
}

#[tokio::test]
async fn an_agent_that_should_listen_and_does_not_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    std::fs::create_dir(&config.state_dir).unwrap();
    assert_eq!(running(&config).await.state.unwrap(), "not running now");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    std::fs::write(config.state_dir.join("listen"), address.to_string()).unwrap();
    let greet = |words: &'static [u8]| async {
        let answer = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut stream, words).await.unwrap();
        };
        tokio::join!(running(&config), answer).0
    };
    assert_eq!(greet(b"SSH-2.0-OpenSSH_9.9\r\n").await.state.unwrap(), format!("running, greets at {address}"));
    let other = greet(b"HTTP/1.1 400 Bad\r\n").await;
    assert!(failing(&other).contains("something else than SSH answers"), "{other}");
    drop(listener);
    let gone = running(&config).await;
    assert!(failing(&gone).ends_with("start it again"), "{gone}");
}

#[test]
fn a_clock_that_is_off_is_told_with_how_far() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let at = |timestamp_secs| clock(&BlockRef { timestamp_secs, ..BlockRef::default() });
    assert!(at(now - 12).state.is_ok());
    assert!(failing(&at(now - 7_200)).contains("72") && failing(&at(now + 7_200)).contains("set up NTP"));
}

#[test]
fn the_disk_and_the_device_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    assert!(failing(&disk(&config)).contains("cannot tell how much is free"), "the directory is not there");
    config.state_dir = dir.path().to_owned();
    let told = disk(&config).to_string();
    assert!(told.contains("free at"), "{told}");
    let told = device::inspect(&config.device).unwrap();
    assert!(told.starts_with("CPU mode, class 65535: proves no GPU; "), "{told}");
}

#[tokio::test]
async fn keys_files_that_others_could_write_are_refused_outside_development() {
    if openssh::find_sshd().is_none() {
        eprintln!("SKIPPED: no sshd in PATH or /usr/sbin; install the package openssh-server to run this test");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let item = |findings: Vec<Finding>, name: &str| findings.into_iter().find(|found| found.item == name).unwrap();
    // The directory for temporary files can be written by everybody.
    let config = Config { dev: false, ..config(dir.path()) };
    let found = item(sshd(&config).await, "keys files");
    assert!(failing(&found).contains("can be written by others"), "{found}");
    let found = item(sshd(&config).await, "sshd");
    assert!(failing(&found).contains("there is no account tenant: make it with `useradd"), "{found}");
    let found = item(sshd(&config).await, "sshd configuration");
    assert!(found.state.unwrap().contains("not written yet"));
}
