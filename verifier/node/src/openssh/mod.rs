//! A door made of OpenSSH: the agent writes sshd's configuration, starts it as a child, keeps the keys files as the
//! chain wants them and ends sessions that have lost their right.
//!
//! A keeper's key has a forced command that only carries bytes to the agent's socket: whoever logs in as a keeper
//! never holds the host key.

mod files;
mod inspect;
mod socket;
mod system;

pub use inspect::{Verdict, inspect};
pub use socket::{RelayError, relay};
pub use system::{OpensshError, find_sshd};

use crate::access::Grants;
use crate::config::Config;
use crate::desk::Desk;
use crate::isolation::Entry;
use crate::processes::{Sweep, terminate};
use crate::reconcile::{Door, DoorError};
use crate::tenancy::{set_mode, write_atomically};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use surety_core::types::{RentalId, UnixSecs};
use system::Account;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// The socket's name in the state directory.
const SOCKET: &str = "prove.sock";
/// A log-in that was under way while a key was withdrawn has its process within this time.
const LOGIN_RACE: Duration = Duration::from_millis(200);
/// How soon a dead sshd is started again.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// The running sshd.
pub struct Openssh {
    config: Config,
    agent: PathBuf,
    sshd: PathBuf,
    address: SocketAddr,
    tenant: Account,
    child: Child,
    started: Instant,
    grants: watch::Sender<Grants>,
    serving: JoinSet<()>,
    /// Whom the door lets in as a tenant; `None` until the first admission.
    admitted: Option<Option<RentalId>>,
    /// The tenant's end on this host's clock, for one rental and one end on chain.
    expiry: Option<(RentalId, UnixSecs, UnixSecs)>,
}

impl Openssh {
    /// Writes everything sshd needs and starts it; nobody is let in until [`Door::admit`] says so. `agent` is the
    /// program that forced commands run, `entry` the way into containers where tenants have them.
    ///
    /// # Errors
    /// [`OpensshError`] says what is missing and what to do.
    pub(crate) async fn start(
        config: &Config,
        desk: Desk,
        agent: &Path,
        entry: Option<Entry>,
    ) -> Result<Self, OpensshError> {
        let sshd = find_sshd().ok_or(OpensshError::NotInstalled)?;
        let tenant = system::check(config, &sshd, agent).await?;
        system::prepare_dirs(config)?;
        system::stop_leftover(config).await;
        let address = system::free_port(config.listen)?;
        system::write_sshd_config(config, &sshd, address).await?;
        let child = system::spawn(config, &sshd)?;
        let (grants, admitted) = watch::channel(Grants::default());
        let mut serving = JoinSet::new();
        if let Some(entry) = entry {
            let listening = entry.listen(tenant.uid, admitted.clone());
            serving.spawn(listening.map_err(system::system("opening the tenants' socket"))?);
        }
        serving.spawn(socket::listen(config, desk, admitted)?);
        Ok(Self {
            config: config.clone(),
            agent: agent.to_owned(),
            sshd,
            address,
            tenant,
            child,
            started: Instant::now(),
            grants,
            serving,
            admitted: None,
            expiry: None,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn write_keys(&self, grants: &Grants, expires_secs: UnixSecs) -> io::Result<()> {
        for (account, text) in files::keys_files(&self.config, grants, expires_secs, &self.agent) {
            let path = self.config.state_dir.join("keys").join(account);
            // What is there is read again each time: whatever changed it is put right.
            if std::fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
                write_atomically(&path, text.as_bytes(), 0o644)?;
            }
        }
        Ok(())
    }

    /// The rental's end on this host's clock, which sshd goes by. Settled once for each end on chain, so that the
    /// file does not change with every look.
    fn expiry(&mut self, grants: &Grants) -> UnixSecs {
        let Some(rental) = grants.tenant else { return 0 };
        if let Some((id, until, expires)) = self.expiry
            && (id, until) == (rental.id, rental.until_secs)
        {
            return expires;
        }
        let now_secs = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let expires = now_secs.saturating_add(grants.left_secs);
        self.expiry = Some((rental.id, rental.until_secs, expires));
        expires
    }

    /// Tenants with an account of their own are found by it; else everything below sshd is ended, keepers' sessions
    /// too, which a keeper counts as not measured.
    fn sweep(&self) -> Sweep {
        if self.tenant.is_their_own(&self.config) {
            return Sweep { uid: Some(self.tenant.uid), ..Sweep::default() };
        }
        let mark = Some(self.config.state_dir.display().to_string());
        // Before the first admission nobody can have logged in to this sshd: below it are only keepers' looks.
        let below = self.child.id().filter(|_| self.admitted.is_some());
        Sweep { mark, below, uid: None }
    }

    async fn end_sessions(&self) -> Result<(), DoorError> {
        for _ in 0..2 {
            self.sweep().run().await.map_err(|error| DoorError(error.to_string()))?;
            sleep(LOGIN_RACE).await;
        }
        Ok(())
    }

    fn keep_alive(&mut self) -> Result<(), DoorError> {
        let Ok(Some(status)) = self.child.try_wait() else { return Ok(()) };
        if self.started.elapsed() < RESTART_AFTER {
            return Err(DoorError(format!("sshd ended with {status}; it is started again in a moment")));
        }
        tracing::warn!("sshd ended with {status}: starting it again");
        self.started = Instant::now();
        self.child = system::spawn(&self.config, &self.sshd).map_err(|error| DoorError(error.to_string()))?;
        Ok(())
    }
}

impl Door for Openssh {
    async fn admit(&mut self, grants: &Grants) -> Result<(), DoorError> {
        let expires = self.expiry(grants);
        self.write_keys(grants, expires).map_err(|error| DoorError(format!("keys files: {error}")))?;
        self.grants.send_replace(grants.clone());
        let coming = grants.tenant.map(|rental| rental.id);
        let leaves = match self.admitted {
            // After a restart the same tenant may have sessions that go on.
            None => coming.is_none(),
            Some(before) => before.is_some() && before != coming,
        };
        if leaves {
            self.end_sessions().await?;
        }
        self.admitted = Some(coming);
        self.keep_alive()
    }

    async fn close(mut self) {
        self.serving.shutdown().await;
        if let Err(error) = self.write_keys(&Grants::default(), 0) {
            tracing::error!("keys files could not be emptied: {error}");
        }
        // Sessions first: once sshd is gone, they are nobody's children.
        if let Err(error) = self.sweep().run().await {
            tracing::error!("{error}");
        }
        const STOP_MAX: Duration = Duration::from_secs(2);
        self.child.id().into_iter().for_each(terminate);
        if timeout(STOP_MAX, self.child.wait()).await.is_err() {
            self.child.kill().await.ok();
        }
        // One that logged in meanwhile.
        self.sweep().run().await.ok();
        std::fs::remove_file(self.config.state_dir.join("sshd.pid")).ok();
        for socket in [SOCKET, crate::isolation::SOCKET] {
            std::fs::remove_file(self.config.state_dir.join(socket)).ok();
        }
    }
}

fn make_dir(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::create_dir_all(path)?;
    set_mode(path, mode)
}
