//! The embedded SSH server, for development only: tenants' commands run as the agent's own user.
//!
//! It knows two kinds of callers by their keys and nobody else. A keeper gets the prover, whatever it asks for; the
//! renter of the running rental gets commands. There is no shell, no forwarding, no password.

mod command;
mod leash;
mod session;

use crate::access::Grants;
use crate::config::Config;
use crate::desk::Desk;
use crate::hostkey::HostKey;
use crate::processes::Sweep;
use crate::reconcile::{Door, DoorError};
use leash::Leashed;
use russh::keys::Algorithm;
use russh::{Disconnect, MethodKind, MethodSet, Preferred, compression, server};
use session::{Caller, Identity};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

/// Bounds of the server.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections_max: usize,
    /// Connections of one address that have not logged in. In development everybody comes from one address.
    pub strangers_per_source_max: usize,
    /// Time to log in.
    pub login_max: Duration,
    /// Time one command may run.
    pub command_max: Duration,
    /// Bytes one command may write, to each of its outputs.
    pub output_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 64,
            strangers_per_source_max: 16,
            login_max: Duration::from_secs(20),
            command_max: Duration::from_secs(3600),
            output_bytes_max: 64 * 1024 * 1024,
        }
    }
}

/// What all connections share.
struct Shop {
    desk: Desk,
    tenant_user: String,
    keeper_user: String,
    tenant_dir: PathBuf,
    mark: String,
    limits: Limits,
}

/// The running server.
pub struct Embedded {
    address: SocketAddr,
    grants: watch::Sender<Grants>,
    sweep: Sweep,
    /// False until the first admission: an agent that was killed may have left a tenant's processes.
    settled: bool,
    accepting: JoinHandle<()>,
}

impl Embedded {
    /// Binds and serves; nobody is let in until [`Door::admit`] says so.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(config: &Config, desk: Desk, limits: Limits) -> std::io::Result<Self> {
        let listener = TcpListener::bind(config.listen).await?;
        let address = listener.local_addr()?;
        let mark = config.state_dir.display().to_string();
        let shop = Arc::new(Shop {
            desk,
            tenant_user: config.tenant_user.clone(),
            keeper_user: config.keeper_user.clone(),
            tenant_dir: config.tenant_dir(),
            mark: mark.clone(),
            limits,
        });
        let (grants, admitted) = watch::channel(Grants::default());
        let accepting = tokio::spawn(accept(listener, shop, admitted));
        let sweep = Sweep { mark: Some(mark), ..Sweep::default() };
        Ok(Self { address, grants, sweep, settled: false, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Door for Embedded {
    async fn admit(&mut self, grants: &Grants) -> Result<(), DoorError> {
        // How long it lasts is the reconciler's business: here nobody is woken for a second that has passed.
        let grants = Grants { left_secs: 0, ..grants.clone() };
        let before = self.grants.borrow().tenant.map(|rental| (rental.id, rental.renter_key));
        let after = grants.tenant.map(|rental| (rental.id, rental.renter_key));
        // Commands are started under this channel's read lock: after this, no new one of the old tenant can be.
        self.grants.send_if_modified(|now| {
            let changed = *now != grants;
            *now = grants;
            changed
        });
        if !self.settled || (before.is_some() && before != after) {
            // Stays unsettled, and is tried again, while anything is left.
            self.settled = false;
            self.sweep.run().await.map_err(|error| DoorError(error.to_string()))?;
            self.settled = true;
        }
        Ok(())
    }

    async fn close(self) {
        self.grants.send_replace(Grants::default());
        self.accepting.abort();
        self.accepting.await.ok();
        if let Err(error) = self.sweep.run().await {
            tracing::error!("{error}");
        }
    }
}

async fn accept(listener: TcpListener, shop: Arc<Shop>, grants: watch::Receiver<Grants>) {
    let config = Arc::new(ssh_config(shop.desk.key()));
    let strangers = Strangers::default();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let stranger = strangers.admit(peer.ip(), shop.limits.strangers_per_source_max);
                    let has_room = connections.len() < shop.limits.connections_max;
                    if let Some(stranger) = stranger.filter(|_| has_room) {
                        connections.spawn(serve(stream, stranger, config.clone(), shop.clone(), grants.clone()));
                    }
                }
                // Out of sockets: the next accept would fail at once too.
                Err(_) => sleep(Duration::from_millis(100)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection, cut when its caller is not let in any more.
async fn serve(
    stream: TcpStream,
    stranger: Stranger,
    config: Arc<server::Config>,
    shop: Arc<Shop>,
    mut grants: watch::Receiver<Grants>,
) {
    stream.set_nodelay(true).ok();
    let (stream, _leash) = Leashed::new(stream);
    let login_end = Instant::now() + shop.limits.login_max;
    let (known, mut identity) = watch::channel(None);
    let caller = Caller::new(shop, grants.clone(), known);
    let Ok(Ok(mut session)) = timeout_at(login_end, server::run_stream(config, stream, caller)).await else { return };
    let handle = session.handle();
    let mut stranger = Some(stranger);
    loop {
        tokio::select! {
            _ = &mut session => return,
            () = sleep_until(login_end), if stranger.is_some() => break,
            changed = identity.changed(), if stranger.is_some() => match changed {
                Ok(()) => drop(stranger.take()),
                Err(_) => break,
            },
            changed = grants.changed() => if changed.is_err() { break },
        }
        let caller: Option<Identity> = *identity.borrow();
        if caller.is_some_and(|caller| !caller.is_let_in_by(&grants.borrow_and_update())) {
            break;
        }
    }
    let goodbye = handle.disconnect(Disconnect::ByApplication, "access has ended".into(), String::new());
    timeout(Duration::from_millis(200), goodbye).await.ok();
    // The goodbye is in russh's queue; a moment lets it out before the leash ends the stream.
    timeout(Duration::from_millis(200), &mut session).await.ok();
}

fn ssh_config(key: &HostKey) -> server::Config {
    let preferred = Preferred {
        key: Cow::Borrowed(&[Algorithm::Ed25519]),
        compression: Cow::Borrowed(&[compression::NONE]),
        ..Preferred::DEFAULT
    };
    server::Config {
        methods: MethodSet::from(&[MethodKind::PublicKey][..]),
        // Keys cannot be guessed: there is nothing to slow down.
        auth_rejection_time: Duration::from_millis(10),
        keys: vec![key.ssh()],
        preferred,
        max_auth_attempts: 6,
        inactivity_timeout: Some(Duration::from_secs(600)),
        keepalive_interval: Some(Duration::from_secs(15)),
        nodelay: true,
        ..server::Config::default()
    }
}

/// Counts connections that have not logged in, by source.
#[derive(Clone, Default)]
struct Strangers(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

/// One of them; dropping it counts it off.
struct Stranger(Strangers, IpAddr);

impl Strangers {
    fn admit(&self, source: IpAddr, max: usize) -> Option<Stranger> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(source).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(Stranger(self.clone(), source))
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut counts = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}
