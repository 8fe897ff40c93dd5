//! OpenSSH as the door. Tenant and keepers share the account that runs the tests, as they may in development; where
//! the tests run as root and the accounts are there, they also have one each.

use crate::rig::{Agent, FakeChain, KEEPER_SEED, OTHER_SEED, PROGRAM, RENTER_SEED, config, eventually, me, nap, runs};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use surety_core::input::{InventoryOutcome, MeasureOutcome, Observation};
use surety_node::agent::Server;
use surety_node::config::Config;
use surety_node::desk::Desk;
use surety_node::hostkey::HostKey;

async fn agent() -> Option<Agent> {
    if surety_node::openssh::find_sshd().is_none() {
        eprintln!("SKIPPED: no sshd in PATH or /usr/sbin; install the package openssh-server to run this test");
        return None;
    }
    Some(Agent::start(Server::Openssh).await)
}

fn keys(agent: &Agent) -> String {
    std::fs::read_to_string(agent.config.state_dir.join("keys").join(&agent.config.tenant_user)).unwrap_or_default()
}

#[tokio::test]
async fn the_renter_is_let_in_while_the_rental_runs_and_put_out_at_its_end() {
    let Some(agent) = agent().await else { return };
    let user = agent.config.tenant_user.clone();
    assert_eq!(agent.probe(RENTER_SEED, &user).await, Observation::Refused);
    agent.set_rental(Some((1, RENTER_SEED, 3600)));
    agent.until_let_in(RENTER_SEED).await;
    assert_eq!(agent.probe(OTHER_SEED, &user).await, Observation::Refused);
    assert_eq!(agent.run(RENTER_SEED, "cat; exit 3", "hello").await, (3, "hello".into()));
    agent.run(RENTER_SEED, &format!("setsid sleep {} >/dev/null 2>&1 </dev/null & echo", nap(98764)), "").await;
    std::fs::write(agent.config.tenant_dir().join("data"), "x").unwrap();
    let session = agent.log_in(RENTER_SEED, &user).await.unwrap();
    let channel = session.channel_open_session().await.unwrap();
    channel.exec(true, format!("sleep {}", nap(98765))).await.unwrap();
    eventually("the commands run", || runs(&nap(98764)) && runs(&nap(98765))).await;
    agent.set_rental(None);
    agent.until_put_out(RENTER_SEED).await;
    eventually("the session is cut", || session.is_closed()).await;
    eventually("its processes are gone", || !runs(&nap(98764)) && !runs(&nap(98765))).await;
    eventually("its data is gone", || !agent.config.tenant_dir().exists()).await;
}

#[tokio::test]
async fn a_keeper_measures_through_the_forced_command_and_gets_nothing_else() {
    let Some(agent) = agent().await else { return };
    eventually("the keeper's key is there", || keys(&agent).contains("restrict,command=")).await;
    let stated = agent.ask(KEEPER_SEED).await;
    assert!(matches!(&stated, InventoryOutcome::Stated { statement } if statement.cards == ["CPU-0"]), "{stated:?}");
    let outcome = agent.measure(KEEPER_SEED).await;
    assert!(matches!(outcome, MeasureOutcome::Proven { gpu_class: 65_535, gpu_count: 1, .. }), "{outcome:?}");
    let marker = agent.config.state_dir.join("reached");
    let (_, output) = agent.run(KEEPER_SEED, &format!("touch {}; echo shell", marker.display()), "").await;
    assert!(!output.contains("shell") && !marker.exists(), "a keeper has a shell: {output}");
}

const TENANT: &str = "surety-tenant";
const HOME: &str = "/var/lib/surety-test/state/tenant";
const KEEPERS: &str = "surety-keeper";

#[tokio::test]
async fn with_accounts_of_their_own_tenants_and_keepers_get_what_is_theirs() {
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let all_there = accounts.contains(&format!(":{HOME}:")) && accounts.contains(&format!("{KEEPERS}:"));
    if me() != "root" || !all_there || surety_node::openssh::find_sshd().is_none() {
        eprintln!(
            "SKIPPED: needs root, openssh-server, and two accounts: `useradd -M -p '*' -d {HOME} {TENANT}` and \
             `useradd -M -p '*' {KEEPERS}`"
        );
        return;
    }
    let agent = Agent::start_with_accounts(TENANT, KEEPERS).await;
    let outcome = agent.measure(KEEPER_SEED).await;
    assert!(matches!(outcome, MeasureOutcome::Proven { .. }), "{outcome:?}");
    assert_eq!(agent.probe(KEEPER_SEED, TENANT).await, Observation::Refused);
    assert_eq!(agent.probe(RENTER_SEED, "root").await, Observation::Refused);
    agent.set_rental(Some((1, RENTER_SEED, 3600)));
    agent.until_let_in(RENTER_SEED).await;
    assert_eq!(agent.run(RENTER_SEED, "id -un; pwd; echo $HOME", "").await, (0, format!("{TENANT}\n{HOME}\n{HOME}\n")));
    let (state, data) = (agent.config.state_dir.display(), agent.config.tenant_dir().display().to_string());
    assert_eq!(agent.run(RENTER_SEED, &format!("echo x > {data}/data && cat {data}/data"), "").await.1, "x\n");
    for secret in
        [agent.config.host_key.display().to_string(), format!("{state}/sshd_config"), format!("{state}/tenancy")]
    {
        assert_ne!(agent.run(RENTER_SEED, &format!("cat {secret}"), "").await.0, 0, "a tenant can read {secret}");
    }
    for path in [format!("{state}/keys/{TENANT}"), format!("{state}/prove.sock"), format!("{state}/new")] {
        assert_ne!(agent.run(RENTER_SEED, &format!("echo > {path}"), "").await.0, 0, "a tenant can write {path}");
    }
    // Without mark, without terminal, without parent: only the account gives it away.
    agent.run(RENTER_SEED, &format!("env -i setsid sleep {} >/dev/null 2>&1 </dev/null & echo", nap(98767)), "").await;
    let session = agent.log_in(RENTER_SEED, TENANT).await.unwrap();
    eventually("what was left behind runs", || runs(&nap(98767))).await;
    agent.set_rental(None);
    agent.until_put_out(RENTER_SEED).await;
    eventually("the session is cut", || session.is_closed()).await;
    eventually("its processes are gone", || !runs(&nap(98767))).await;
    eventually("its data is gone", || !agent.config.tenant_dir().exists()).await;
    agent.stop().await;
}

#[tokio::test]
async fn an_agent_that_the_keepers_account_cannot_run_does_not_start() {
    if me() != "root" || surety_node::openssh::find_sshd().is_none() {
        eprintln!("SKIPPED: needs root and openssh-server");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let program = dir.path().join("surety-node");
    std::fs::copy(PROGRAM, &program).unwrap();
    let config = Config { keeper_user: "nobody".into(), ..config(dir.path(), Server::Openssh) };
    let desk = Desk::new(&config, HostKey::from_file(&config.host_key).unwrap());
    let (_stop, stopping) = tokio::sync::watch::channel(false);
    let running = surety_node::agent::run(&config, desk, FakeChain::default(), Server::Openssh, &program, stopping);
    let refused = running.await.err().map(|error| error.to_string());
    assert!(refused.as_ref().is_some_and(|why| why.contains("/usr/local/bin")), "{refused:?}");
}

#[tokio::test]
async fn with_the_rpc_down_access_lasts_until_it_runs_out_and_no_longer() {
    let Some(agent) = agent().await else { return };
    agent.set_rental(Some((1, RENTER_SEED, 3)));
    agent.until_let_in(RENTER_SEED).await;
    agent.cut_rpc();
    agent.until_put_out(RENTER_SEED).await;
    // sshd goes by the key's own expiry and may be a moment ahead of the agent.
    eventually("the key is gone", || !keys(&agent).contains("rental-1")).await;
}

#[tokio::test]
async fn sshd_itself_lets_nobody_in_after_the_end_whatever_becomes_of_the_agent() {
    let Some(agent) = agent().await else { return };
    agent.set_rental(Some((1, RENTER_SEED, 4)));
    agent.until_let_in(RENTER_SEED).await;
    let lines = keys(&agent);
    let line = lines.lines().find(|line| line.contains("rental-1")).unwrap();
    assert!(line.starts_with("expiry-time=\"2") && line.contains("Z\" ssh-ed25519 "), "{line}");
    let orphan = Orphan::start(&agent, line);
    orphan.until(&agent, &Observation::Accepted).await;
    orphan.until(&agent, &Observation::Refused).await;
}

/// An sshd with the agent's configuration and no agent: a copy of its keys, which nobody changes any more.
struct Orphan {
    child: Child,
    address: SocketAddr,
    _dir: tempfile::TempDir,
}

impl Drop for Orphan {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Orphan {
    fn start(agent: &Agent, keys: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        std::fs::write(dir.path().join("keys"), keys).unwrap();
        let config = std::fs::read_to_string(agent.config.state_dir.join("sshd_config")).unwrap();
        let theirs = agent.config.state_dir.join("keys/%u").display().to_string();
        let config = config.replace(&theirs, &dir.path().join("keys").display().to_string());
        let config = config.replace(&agent.address.to_string(), &address.to_string());
        std::fs::write(dir.path().join("config"), config).unwrap();
        let mut command = Command::new(surety_node::openssh::find_sshd().unwrap());
        command.arg("-D").arg("-e").arg("-f").arg(dir.path().join("config")).stderr(Stdio::null());
        Self { child: command.spawn().unwrap(), address, _dir: dir }
    }

    async fn until(&self, agent: &Agent, wanted: &Observation) {
        let deadline = Instant::now() + Duration::from_secs(15);
        loop {
            let seen = agent.probe_at(self.address, RENTER_SEED, &agent.config.tenant_user).await;
            if seen == *wanted {
                return;
            }
            assert!(Instant::now() < deadline, "{seen:?} is not {wanted:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn a_keys_file_that_somebody_changed_is_put_right() {
    let Some(agent) = agent().await else { return };
    eventually("the keeper's key is there", || keys(&agent).contains("keeper-0x11")).await;
    let path = agent.config.state_dir.join("keys").join(&agent.config.tenant_user);
    std::fs::write(&path, "ssh-ed25519 AAAA intruder\n").unwrap();
    eventually("the file is put right", || !keys(&agent).contains("intruder") && keys(&agent).contains("keeper-0x11"))
        .await;
}

#[tokio::test]
async fn an_sshd_that_dies_is_started_again() {
    let Some(agent) = agent().await else { return };
    agent.set_rental(Some((1, RENTER_SEED, 3600)));
    agent.until_let_in(RENTER_SEED).await;
    let pid = std::fs::read_to_string(agent.config.state_dir.join("sshd.pid")).unwrap();
    assert!(std::process::Command::new("kill").args(["-9", pid.trim()]).status().unwrap().success());
    eventually("another sshd runs", || {
        std::fs::read_to_string(agent.config.state_dir.join("sshd.pid")).unwrap_or_default() != pid
    })
    .await;
    agent.until_let_in(RENTER_SEED).await;
}

#[tokio::test]
async fn an_agent_that_stops_takes_sshd_and_all_sessions_along() {
    let Some(agent) = agent().await else { return };
    agent.set_rental(Some((1, RENTER_SEED, 3600)));
    agent.until_let_in(RENTER_SEED).await;
    agent.run(RENTER_SEED, &format!("setsid sleep {} >/dev/null 2>&1 </dev/null & echo", nap(98766)), "").await;
    let configuration = agent.config.state_dir.join("sshd_config").display().to_string();
    assert!(runs(&configuration));
    let address = agent.address;
    agent.stop().await;
    assert!(!runs(&nap(98766)) && !runs(&configuration));
    assert!(std::net::TcpStream::connect(address).is_err());
}
