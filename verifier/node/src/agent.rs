//! The agent put together: a reader of the chain, a door, the loop between them.

use crate::config::Config;
use crate::desk::Desk;
use crate::embedded::{Embedded, Limits};
use crate::isolation::{Driver, Walls};
use crate::openssh::{Openssh, OpensshError};
use crate::processes::is_root;
use crate::reconcile::{self, ChainReader, Door};
use crate::tenancy::{Tenancy, set_mode, write_atomically};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use tokio::sync::watch;

/// Which SSH server lets people in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// Our own; only with `dev = true`.
    Embedded,
    /// OpenSSH's.
    Openssh,
}

/// Why the agent does not run.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The embedded server outside of development.
    #[error("the embedded SSH server runs tenants' commands as the agent's own user: set `dev = true`, or use --sshd")]
    NotDev,
    /// Containers without OpenSSH.
    #[error("the embedded SSH server knows no containers: set isolation = \"account\", or use --sshd")]
    NotSshd,
    /// Another agent works in the same directory.
    #[error("another agent works in {0}: stop it first, or use another state_dir")]
    Running(std::path::PathBuf),
    /// The state directory.
    #[error("the state directory cannot be used")]
    State(#[source] io::Error),
    /// The embedded server.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// OpenSSH.
    #[error(transparent)]
    Openssh(#[from] OpensshError),
}

/// Runs until `stop` becomes true; then nobody is let in any more and nothing that was started is left.
/// `agent` is this program, for keepers' forced command. The address listened on is written to `<state_dir>/listen`.
///
/// # Errors
/// [`AgentError`] when it cannot start.
pub async fn run(
    config: &Config,
    desk: Desk,
    reader: impl ChainReader,
    server: Server,
    agent: &Path,
    stop: watch::Receiver<bool>,
) -> Result<(), AgentError> {
    std::fs::create_dir_all(&config.state_dir).map_err(AgentError::State)?;
    let _lock = lock(config)?;
    let walls = Walls::start(config, &desk.key().machine());
    match server {
        Server::Embedded if !config.dev => Err(AgentError::NotDev),
        Server::Embedded if config.isolation != Driver::Account => Err(AgentError::NotSshd),
        Server::Embedded => {
            set_mode(&config.state_dir, 0o700).map_err(AgentError::State)?;
            let failed = |source| AgentError::Listen { address: config.listen, source };
            let door = Embedded::start(config, desk, Limits::default()).await.map_err(failed)?;
            serve(config, reader, door.address(), (door, walls), stop).await
        }
        Server::Openssh => {
            let door = Openssh::start(config, desk, agent, walls.entry(config)).await?;
            serve(config, reader, door.address(), (door, walls), stop).await
        }
    }
}

async fn serve(
    config: &Config,
    reader: impl ChainReader,
    address: SocketAddr,
    (door, walls): (impl Door, Walls),
    stop: watch::Receiver<bool>,
) -> Result<(), AgentError> {
    let note = config.state_dir.join("listen");
    write_atomically(&note, address.to_string().as_bytes(), 0o644).map_err(AgentError::State)?;
    tracing::info!(%address, "listening");
    let tenancy = Tenancy::new(&config.state_dir, owner(config)).with_dir(config.tenant_dir());
    reconcile::run(reader, door, (tenancy, walls), config.poll(), stop).await;
    std::fs::remove_file(note).ok();
    Ok(())
}

/// Whom the tenant's directory is given to: the tenant's account, where the agent may give. A container's root gets it
/// when it is known who that is.
fn owner(config: &Config) -> Option<(u32, u32)> {
    if config.isolation != Driver::Account {
        return None;
    }
    let user = nix::unistd::User::from_name(&config.tenant_user).ok().flatten().filter(|_| is_root())?;
    Some((user.uid.as_raw(), user.gid.as_raw()))
}

fn lock(config: &Config) -> Result<std::fs::File, AgentError> {
    let path = config.state_dir.join("lock");
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(path);
    let file = file.map_err(AgentError::State)?;
    file.try_lock().map_err(|_| AgentError::Running(config.state_dir.clone()))?;
    Ok(file)
}
