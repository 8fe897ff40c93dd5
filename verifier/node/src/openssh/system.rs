//! sshd as a program of this host: is it there, is it new enough, does it take our configuration; accounts; ports.

use super::{files, make_dir};
use crate::config::Config;
use crate::isolation::{Driver, is_plain_path};
use crate::processes::{is_root, terminate};
use crate::tenancy::write_atomically;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// Why OpenSSH cannot be the door.
#[derive(Debug, thiserror::Error)]
pub enum OpensshError {
    /// No sshd.
    #[error("no sshd in PATH, /usr/sbin or /usr/local/sbin: install OpenSSH's server (Debian: openssh-server)")]
    NotInstalled,
    /// Too old.
    #[error("sshd is version {found}: 9.1 or newer is needed, older ones do not read expiry times in UTC")]
    TooOld {
        /// What it says it is.
        found: String,
    },
    /// No such account.
    #[error("there is no account {name}: make it with `useradd --password '*' {name}`")]
    NoAccount {
        /// Its name.
        name: String,
    },
    /// An account that sshd lets nobody into.
    #[error("the account {name} is locked, so sshd lets nobody in: run `usermod --password '*' {name}`")]
    Locked {
        /// Its name.
        name: String,
    },
    /// A home that is not wiped.
    #[error("the home of {name} is {found}, which the agent does not wipe: run `usermod --home {wanted} {name}`")]
    Home {
        /// The tenants' account.
        name: String,
        /// Its home.
        found: PathBuf,
        /// The directory that is wiped.
        wanted: PathBuf,
    },
    /// An account with a forced command cannot run the agent.
    #[error("the account {name} cannot run {agent}: keep the agent where every account can, such as /usr/local/bin")]
    OutOfReach {
        /// The account.
        name: String,
        /// This program.
        agent: PathBuf,
    },
    /// Other accounts than our own need root.
    #[error("only root can let other accounts in: run the agent as root, or with tenant_user and keeper_user its own")]
    NotRoot,
    /// A path with characters that mean something to a shell or to sshd.
    #[error("{0} has characters other than letters, digits, / . - _: sshd's files cannot name it safely")]
    Path(PathBuf),
    /// Others may write above the keys files.
    #[error("{0} can be written by others, so sshd would not trust the keys files below it: use another state_dir")]
    Loose(PathBuf),
    /// sshd does not take the configuration.
    #[error("sshd refuses its configuration: {0}")]
    Refused(String),
    /// A file, a port or a process.
    #[error("{what} failed")]
    System {
        /// What.
        what: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// An account as `/etc/passwd` has it.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) uid: u32,
    gid: u32,
    home: PathBuf,
}

impl Account {
    /// Whether nothing but tenants runs under it.
    pub(super) fn is_their_own(&self, config: &Config) -> bool {
        self.uid != 0 && self.uid != nix::unistd::Uid::effective().as_raw() && config.tenant_user != config.keeper_user
    }
}

/// sshd, in PATH or where distributions put it.
pub fn find_sshd() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    // sshd starts itself again for each connection, by an absolute path.
    places.filter(|dir| dir.is_absolute()).map(|dir| dir.join("sshd")).find(|file| file.is_file())
}

/// Everything that must hold before sshd is started.
pub(super) async fn check(config: &Config, sshd: &Path, agent: &Path) -> Result<Account, OpensshError> {
    let paths = [agent, &config.state_dir, &config.host_key];
    if let Some(path) = paths.into_iter().find(|path| !is_plain_path(path)) {
        return Err(OpensshError::Path(path.to_owned()));
    }
    check_version(sshd).await?;
    let tenant = account(&config.tenant_user)?;
    check_home(config, &tenant)?;
    let keeper = account(&config.keeper_user)?;
    let me = nix::unistd::Uid::effective().as_raw();
    if !is_root() && (tenant.uid != me || keeper.uid != me) {
        return Err(OpensshError::NotRoot);
    }
    for (account, name) in [(&keeper, &config.keeper_user), (&tenant, &config.tenant_user)] {
        let has_command = name == &config.keeper_user || config.isolation != Driver::Account;
        if has_command && account.uid != me && !can_run(account, agent).await {
            return Err(OpensshError::OutOfReach { name: name.clone(), agent: agent.to_owned() });
        }
    }
    Ok(tenant)
}

/// What tenants leave at home is wiped. Those with a container have their home in there; the account's own is one that
/// sshd can change into, and nothing that is theirs.
fn check_home(config: &Config, tenant: &Account) -> Result<(), OpensshError> {
    let wanted = match config.isolation {
        Driver::Account => config.tenant_dir(),
        _ => "/".into(),
    };
    if config.dev || tenant.home == wanted {
        return Ok(());
    }
    Err(OpensshError::Home { name: config.tenant_user.clone(), found: tenant.home.clone(), wanted })
}

/// Whether the keepers' forced command will start: a program below, say, /root is out of their account's reach.
async fn can_run(account: &Account, agent: &Path) -> bool {
    let mut command = Command::new(agent);
    command.arg("--version").uid(account.uid).gid(account.gid).env_clear();
    run(&mut command).await.is_ok_and(|output| output.status.success())
}

async fn check_version(sshd: &Path) -> Result<(), OpensshError> {
    // Before 9.2 there is no -V; the usage text names the version all the same.
    let output = run(Command::new(sshd).arg("-V")).await.map_err(system("asking sshd for its version"))?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let found = text.split("OpenSSH_").nth(1).unwrap_or("unknown");
    let mut numbers =
        found.split(|c: char| !c.is_ascii_digit()).map(|digits| digits.parse::<u32>().unwrap_or_default());
    let version = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    if version < (9, 1) {
        return Err(OpensshError::TooOld { found: found.chars().take(20).collect() });
    }
    Ok(())
}

fn account(name: &str) -> Result<Account, OpensshError> {
    let user = nix::unistd::User::from_name(name).ok().flatten();
    let user = user.ok_or_else(|| OpensshError::NoAccount { name: name.to_owned() })?;
    if is_locked(name) {
        return Err(OpensshError::Locked { name: name.to_owned() });
    }
    Ok(Account { uid: user.uid.as_raw(), gid: user.gid.as_raw(), home: user.dir })
}

/// Without PAM, sshd takes a password field that begins with `!` for a locked account; `useradd` makes them so. Only
/// root can read the file: whoever else runs the agent lets in their own account, which is not locked.
fn is_locked(name: &str) -> bool {
    let shadow = std::fs::read_to_string("/etc/shadow").unwrap_or_default();
    let fields = shadow.lines().filter_map(|line| line.split_once(':'));
    fields.into_iter().any(|(account, rest)| account == name && rest.starts_with('!'))
}

/// The state directory can be crossed and the keys read by the accounts that sshd reads them as; the rest is closed by
/// each file's own mode.
pub(super) fn prepare_dirs(config: &Config) -> Result<(), OpensshError> {
    let made = make_dir(&config.state_dir, 0o711).and_then(|()| make_dir(&config.state_dir.join("keys"), 0o755));
    made.map_err(system("making the state directory"))?;
    if is_root() {
        // sshd refuses to start as root without it; usually only the package's boot script makes it.
        make_dir(Path::new("/run/sshd"), 0o755).map_err(system("making /run/sshd"))?;
    }
    match loose_ancestor(&config.state_dir) {
        Some(path) if !config.dev => Err(OpensshError::Loose(path)),
        _ => Ok(()),
    }
}

/// The first directory on the way that others may write to; sshd with StrictModes would ignore keys below it.
pub(super) fn loose_ancestor(dir: &Path) -> Option<PathBuf> {
    let me = nix::unistd::Uid::effective().as_raw();
    let is_loose = |path: &&Path| {
        std::fs::metadata(path).map_or(true, |meta| meta.mode() & 0o022 != 0 || (meta.uid() != 0 && meta.uid() != me))
    };
    dir.ancestors().find(is_loose).map(Path::to_owned)
}

/// Port 0 becomes one that is free now.
pub(super) fn free_port(listen: SocketAddr) -> Result<SocketAddr, OpensshError> {
    if listen.port() != 0 {
        return Ok(listen);
    }
    TcpListener::bind(listen).and_then(|listener| listener.local_addr()).map_err(system("finding a free port"))
}

pub(super) fn config_path(config: &Config) -> PathBuf {
    config.state_dir.join("sshd_config")
}

pub(super) async fn write_sshd_config(config: &Config, sshd: &Path, listen: SocketAddr) -> Result<(), OpensshError> {
    let path = config_path(config);
    let strict_modes = loose_ancestor(&config.state_dir).is_none();
    let mut complaint = String::new();
    for penalties_known in [true, false] {
        let text = files::sshd_config(config, listen, strict_modes, penalties_known);
        write_atomically(&path, text.as_bytes(), 0o600).map_err(system("writing sshd_config"))?;
        let output = run(Command::new(sshd).arg("-t").arg("-f").arg(&path)).await.map_err(system("sshd -t"))?;
        if output.status.success() {
            return Ok(());
        }
        complaint = String::from_utf8_lossy(&output.stderr).trim().chars().take(400).collect();
    }
    Err(OpensshError::Refused(complaint))
}

pub(super) fn spawn(config: &Config, sshd: &Path) -> Result<Child, OpensshError> {
    let mut command = Command::new(sshd);
    command.arg("-D").arg("-e").arg("-f").arg(config_path(config)).env_clear().env("PATH", "/usr/bin:/bin");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
    let mut child = command.spawn().map_err(system("starting sshd"))?;
    let pid = child.id().unwrap_or_default().to_string();
    write_atomically(&config.state_dir.join("sshd.pid"), pid.as_bytes(), 0o600).map_err(system("writing sshd.pid"))?;
    if let Some(stderr) = child.stderr.take() {
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            // Lines hold what strangers sent: for the curious only.
            while let Ok(Some(line)) = lines.next_line().await {
                tracing::debug!(target: "sshd", "{line}");
            }
        });
    }
    Ok(child)
}

/// Ends the listener of an agent that was killed, which still holds the port. Its sessions are left to the reconciler.
pub(super) async fn stop_leftover(config: &Config) {
    let Some(pid) = std::fs::read_to_string(config.state_dir.join("sshd.pid")).ok().and_then(|t| t.parse::<u32>().ok())
    else {
        return;
    };
    let is_ours = || {
        let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let text = String::from_utf8_lossy(&words).into_owned();
        text.contains("sshd") && text.contains(&*config_path(config).to_string_lossy())
    };
    let deadline = Instant::now() + Duration::from_secs(3);
    while is_ours() && Instant::now() < deadline {
        terminate(pid);
        sleep(Duration::from_millis(20)).await;
    }
}

pub(super) async fn run(command: &mut Command) -> io::Result<std::process::Output> {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    timeout(Duration::from_secs(10), output).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

pub(super) fn system(what: &'static str) -> impl Fn(io::Error) -> OpensshError {
    move |source| OpensshError::System { what, source }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_tenants_home_is_wiped_or_nothing_of_theirs() {
        let on_host: Config = toml::from_str(crate::config::tests::ON_HOST).unwrap();
        let in_container = Config { isolation: Driver::Podman, ..on_host.clone() };
        let at_home = |config: &Config, home: &str| {
            let checked = check_home(config, &Account { uid: 1000, gid: 1000, home: home.into() });
            checked.map_err(|error| error.to_string())
        };
        assert_eq!(at_home(&on_host, "/var/lib/surety/tenant"), Ok(()));
        assert_eq!(at_home(&in_container, "/"), Ok(()));
        for (config, home, wanted) in [
            (&on_host, "/home/tenant", "usermod --home /var/lib/surety/tenant tenant"),
            (&in_container, "/var/lib/surety/tenant", "usermod --home / tenant"),
        ] {
            let why = at_home(config, home).unwrap_err();
            assert!(why.contains(wanted), "{why}");
        }
        assert_eq!(at_home(&Config { dev: true, ..on_host }, "/root"), Ok(()));
    }
}
