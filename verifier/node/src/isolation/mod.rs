//! What is around a tenant's programs: their account alone, or a container that the agent makes for the rental and
//! unmakes after it.
//!
//! Engines are slow: a task of its own compares what there is with what is wanted and carries out the difference, so
//! that neither keepers nor the end of a rental wait for it. Nothing is remembered about how the difference came to be;
//! what belongs to whom is in the containers' labels.

mod argv;
mod engine;
mod enter;
mod entry;
mod inspect;
mod mapping;
mod request;
mod settings;

pub use enter::{EnterError, enter};
pub use settings::{Container, Driver, EngineKind, GpuWord, Gpus, Network};

pub(crate) use argv::SFTP;
pub(crate) use entry::{Entry, SOCKET};
pub(crate) use inspect::inspect;
pub(crate) use settings::is_plain_path;

use crate::config::Config;
use crate::reconcile::error_chain;
use argv::Owner;
use engine::{Engine, EngineError, Found};
use mapping::Root;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use surety_core::types::{MachineId, RentalId};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// How often a container is looked at while nothing changes: so long one that has died stays dead.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How soon something that failed is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// What is around tenants; dropping it leaves a running container as it is, for the agent that comes next.
#[derive(Debug)]
pub enum Walls {
    /// The account, which is always there.
    Account,
    /// Containers.
    Container(Box<Containers>),
}

/// How far the walls are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// As wanted.
    Ready,
    /// Being worked on.
    Underway,
    /// Not as wanted; it is tried again.
    Failed(String),
}

/// The task that keeps containers.
#[derive(Debug)]
pub struct Containers {
    engine: Arc<Engine>,
    wanted: watch::Sender<Option<Wanted>>,
    seen: watch::Receiver<Seen>,
    working: JoinHandle<()>,
}

/// What there should be. The number grows with each change: an answer to an older wish is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    number: u64,
    rental: Option<RentalId>,
}

/// What there is, as of a wish.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    wanted: Option<Wanted>,
    progress: Progress,
}

impl Seen {
    /// The rental whose container runs.
    pub(crate) fn ready_for(&self) -> Option<RentalId> {
        self.wanted.and_then(|wanted| wanted.rental).filter(|_| self.progress == Progress::Ready)
    }
}

/// Why the containers are not as wanted.
#[derive(Debug, thiserror::Error)]
enum PassError {
    /// Nothing is known about the containers.
    #[error(transparent)]
    Blind(EngineError),
    /// Something could not be done.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// It was started and is not there.
    #[error("the container of rental {rental} does not stay up: it is {status}")]
    Down { rental: RentalId, status: String },
    /// The tenant would be the host's root.
    #[error(
        "root in the container would be root on the host: give the engine a user namespace (docker: userns-remap in \
         /etc/docker/daemon.json)"
    )]
    HostRoot,
    /// Whose root is whose is not known, or the directory cannot be given away.
    #[error("cannot give {} to the container's root", dir.display())]
    Give {
        dir: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Containers that are still there after they were removed.
    #[error("{left} containers of other rentals are still there after they were removed")]
    Left { left: usize },
}

impl Walls {
    /// The walls that `config` names, for this machine.
    pub fn start(config: &Config, machine: &MachineId) -> Self {
        let (Some(kind), Some(container)) = (config.isolation.engine(), config.container.clone()) else {
            return Self::Account;
        };
        let owner = Owner::new(config.chain_id, machine);
        let mark = config.state_dir.display().to_string();
        let engine = Arc::new(Engine { kind, container, owner, mark });
        // Until something is wanted nothing is touched: who has the machine is not known yet.
        let (wanted, wishes) = watch::channel(None);
        let unseen = Seen { wanted: None, progress: Progress::Underway };
        let (report, seen) = watch::channel(unseen);
        let caretaker = Caretaker { engine: engine.clone(), data_dir: config.tenant_dir(), dev: config.dev };
        let working = tokio::spawn(caretaker.work(wishes, report));
        Self::Container(Box::new(Containers { engine, wanted, seen, working }))
    }

    /// Says what there should be: the walls of this rental, or none.
    pub fn want(&self, rental: Option<RentalId>) {
        let Self::Container(containers) = self else { return };
        containers.wanted.send_if_modified(|wanted| {
            let changes = wanted.is_none_or(|wanted| wanted.rental != rental);
            if changes {
                *wanted = Some(Wanted { number: wanted.map_or(0, |wanted| wanted.number + 1), rental });
            }
            changes
        });
    }

    /// Whether there is what was last wanted.
    pub fn progress(&self) -> Progress {
        let Self::Container(containers) = self else { return Progress::Ready };
        let seen = containers.seen.borrow();
        match seen.wanted == *containers.wanted.borrow() {
            true => seen.progress.clone(),
            false => Progress::Underway,
        }
    }

    /// Waits until [`Self::progress`] may have changed.
    pub async fn changed(&mut self) {
        if let Self::Container(containers) = self
            && containers.seen.changed().await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }

    /// What lets tenants into their container.
    pub(crate) fn entry(&self, config: &Config) -> Option<Entry> {
        let Self::Container(containers) = self else { return None };
        Some(Entry::new(config, containers.engine.clone(), containers.seen.clone()))
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        self.working.abort();
    }
}

/// Compares and carries out.
struct Caretaker {
    engine: Arc<Engine>,
    data_dir: PathBuf,
    dev: bool,
}

impl Caretaker {
    async fn work(self, mut wishes: watch::Receiver<Option<Wanted>>, report: watch::Sender<Seen>) {
        loop {
            let wish = *wishes.borrow_and_update();
            let Some(Wanted { rental, .. }) = wish else {
                match wishes.changed().await {
                    Ok(()) => continue,
                    Err(_) => return,
                }
            };
            let before = report.borrow().clone();
            let progress = match self.pass(rental).await {
                Ok(()) => Progress::Ready,
                // An engine that does not answer says nothing about a container that ran.
                Err(PassError::Blind(error)) if before.wanted == wish && before.progress == Progress::Ready => {
                    tracing::warn!("{}; the tenant's container is taken to run", error_chain(&error));
                    Progress::Ready
                }
                Err(error) => Progress::Failed(error_chain(&error)),
            };
            let pause = if progress == Progress::Ready { LOOK_EVERY } else { RETRY_AFTER };
            report.send_if_modified(|seen| {
                let changes = seen.wanted != wish || seen.progress != progress;
                *seen = Seen { wanted: wish, progress };
                changes
            });
            tokio::select! {
                changed = wishes.changed() => if changed.is_err() { return },
                () = sleep(pause) => {}
            }
        }
    }

    /// One comparison: no container but the wanted one, and that one running, by somebody who is not the host's root.
    async fn pass(&self, wanted: Option<RentalId>) -> Result<(), PassError> {
        let mut found = self.engine.list().await.map_err(PassError::Blind)?;
        let is_strange = |one: &Found| wanted.is_none() || one.rental != wanted;
        for stranger in found.iter().filter(|one| is_strange(one)) {
            self.engine.remove(&stranger.id).await?;
            tracing::info!(rental = stranger.rental, "a container that nobody rents any more is removed");
        }
        if found.iter().any(is_strange) {
            found = self.engine.list().await?;
            let left = found.iter().filter(|one| is_strange(one)).count();
            if left > 0 {
                return Err(PassError::Left { left });
            }
        }
        match wanted {
            Some(rental) => self.bring_up(rental, found.into_iter().next()).await,
            None => Ok(()),
        }
    }

    async fn bring_up(&self, rental: RentalId, found: Option<Found>) -> Result<(), PassError> {
        let running = match found {
            Some(found) if found.pid.is_some() => found,
            Some(found) => {
                self.engine.start(&found.id).await?;
                tracing::info!(rental, "the tenant's container had stopped and is started again");
                self.look(rental).await?
            }
            None => {
                let id = self.engine.create(rental, &self.data_dir).await?;
                self.engine.start(&id).await?;
                tracing::info!(rental, "the tenant's container is made");
                self.look(rental).await?
            }
        };
        let Some(pid) = running.pid else { return Err(PassError::Down { rental, status: running.status }) };
        self.hand_over(pid)
    }

    async fn look(&self, rental: RentalId) -> Result<Found, PassError> {
        let found = self.engine.list().await?.into_iter().find(|one| one.rental == Some(rental));
        found.ok_or_else(|| PassError::Down { rental, status: "gone".into() })
    }

    /// The tenant's directory belongs to the container's root, whoever that is on the host.
    fn hand_over(&self, pid: u32) -> Result<(), PassError> {
        let failed = |source| PassError::Give { dir: self.data_dir.clone(), source };
        let root = Root::of(pid).map_err(failed)?;
        if root.is_host_root() && !self.dev {
            return Err(PassError::HostRoot);
        }
        give(&self.data_dir, root).map_err(failed)
    }
}

fn give(dir: &Path, root: Root) -> io::Result<()> {
    let metadata = std::fs::symlink_metadata(dir)?;
    if (metadata.uid(), metadata.gid()) == (root.uid, root.gid) {
        return Ok(());
    }
    std::os::unix::fs::lchown(dir, Some(root.uid), Some(root.gid))
}
