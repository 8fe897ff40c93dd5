//! A connection to one machine with its host key pinned: TCP, then the SSH key exchange, every failure told apart.

use super::meter::{Leash, Metered, Tape};
use super::reach;
use super::witness::{self, SessionKeys};
use super::{SshLimits, bounded};
use russh::client::{self, DisconnectReason, Handle};
use russh::keys::{Algorithm, PublicKeyOrCertificate};
use russh::{Disconnect, Names, Preferred, compression, kex};
use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use surety_core::input::Observation;
use surety_core::types::{Endpoint, MachineId};
use tokio::io::BufReader;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};

/// A machine that has proven to hold its host key, before any log-in.
pub(super) struct Pinned {
    /// russh's end of the connection.
    pub(super) handle: Handle<Host>,
    /// Everything the server has sent, as far as it is kept.
    pub(super) tape: Tape,
    notes: Arc<Mutex<Notes>>,
    session_id: Vec<u8>,
    _leash: Leash,
}

/// What the key exchange showed; written by russh's task, read by ours.
#[derive(Default)]
struct Notes {
    foreign_key: Option<String>,
    shared_secret: Vec<u8>,
    names: Option<Names>,
    farewell: Option<String>,
}

/// russh's callbacks: pin the host key, note what happened.
pub(super) struct Host {
    want: MachineId,
    notes: Arc<Mutex<Notes>>,
}

/// Bytes read from the network at once: more than an honest server sends at a time during a look.
const READ_AHEAD_BYTES: usize = 4 * 1_024;

/// How much may be read and kept, and until when.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// End of the look.
    pub(super) deadline: Instant,
    /// Bytes the server may send.
    pub(super) bytes_max: u64,
    /// Bytes kept for the witness.
    pub(super) keep_max: usize,
}

/// Connects and exchanges keys. `Err` is the observation that the look ends with.
pub(super) async fn open(
    endpoint: Endpoint,
    machine: MachineId,
    limits: &SshLimits,
    bounds: Bounds,
) -> Result<Pinned, Observation> {
    if !limits.allow_private && !surety_core::hosts::is_public(endpoint.ip) {
        return Err(Observation::NotLooked { why: format!("{endpoint} is not a public address") });
    }
    let stream = connect(SocketAddr::new(endpoint.ip, endpoint.port), bounds.deadline).await?;
    let tape = Tape::keeping(bounds.keep_max);
    let (metered, leash) = Metered::new(stream, bounds.deadline, bounds.bytes_max, tape.clone());
    let notes = Arc::new(Mutex::new(Notes::default()));
    let host = Host { want: machine, notes: notes.clone() };
    // russh reads each packet in two parts: from memory, so that a look takes a third of the system calls.
    let buffered = BufReader::with_capacity(READ_AHEAD_BYTES, metered);
    let exchanged = timeout_at(bounds.deadline, client::connect_stream(config(), buffered, host)).await;
    let handle = match exchanged {
        Ok(Ok(handle)) => handle,
        Ok(Err(error)) => return Err(no_handshake(&error, &notes)),
        Err(_) => {
            return Err(Observation::NoHandshake { why: "no key exchange within the time of a look".into() });
        }
    };
    let session_id = handle.agent_session_binding().map(|b| b.session_id().to_vec()).unwrap_or_default();
    Ok(Pinned { handle, tape, notes, session_id, _leash: leash })
}

impl Pinned {
    /// The keys that open the server's packets; `None` when russh did not report them.
    pub(super) fn session_keys(&self) -> Option<SessionKeys> {
        let notes = lock(&self.notes);
        let names = notes.names.as_ref()?;
        Some(SessionKeys {
            shared_secret: notes.shared_secret.clone(),
            session_id: self.session_id.clone(),
            cipher: names.cipher,
            strict_kex: names.strict_kex(),
        })
    }

    /// What the connection's end looked like, for the record.
    pub(super) fn farewell(&self) -> String {
        lock(&self.notes).farewell.clone().unwrap_or_else(|| "the connection was closed".into())
    }

    /// Says goodbye as the protocol wants it, briefly; the leash ends what does not listen.
    pub(super) async fn leave(mut self) {
        const GOODBYE_MAX: Duration = Duration::from_millis(250);
        let goodbye = async {
            self.handle.disconnect(Disconnect::ByApplication, "", "").await.ok();
            (&mut self.handle).await.ok();
        };
        timeout(GOODBYE_MAX, goodbye).await.ok();
    }
}

impl client::Handler for Host {
    type Error = russh::Error;

    async fn check_server_key(&mut self, presented: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let got = match presented {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.key_data().ed25519().map(|key| key.0),
            PublicKeyOrCertificate::Certificate(_) => None,
        };
        let right = got == Some(self.want.0);
        if !right {
            let text = got.map_or_else(|| "no ed25519 host key".into(), hex::encode);
            lock(&self.notes).foreign_key = Some(text);
        }
        Ok(right)
    }

    async fn kex_done(
        &mut self,
        shared_secret: Option<&[u8]>,
        names: &Names,
        _session: &mut client::Session,
    ) -> Result<(), Self::Error> {
        let mut notes = lock(&self.notes);
        // Only the first exchange: the answer to the query is under its keys.
        if notes.names.is_none() {
            notes.shared_secret = shared_secret.unwrap_or_default().to_vec();
            notes.names = Some(names.clone());
        }
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Self::Error>) -> Result<(), Self::Error> {
        let text = match reason {
            DisconnectReason::ReceivedDisconnect(info) => format!("disconnected: {}", info.message),
            DisconnectReason::Error(error) => error.to_string(),
        };
        lock(&self.notes).farewell = Some(bounded(&text));
        Ok(())
    }
}

async fn connect(address: SocketAddr, deadline: Instant) -> Result<TcpStream, Observation> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let not_looked = |e: std::io::Error| Observation::NotLooked { why: format!("no socket of our own: {e}") };
    let socket = socket.map_err(not_looked)?;
    socket.set_nodelay(true).map_err(not_looked)?;
    match timeout_at(deadline, socket.connect(address)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(e)) if reach::is_local_failure(&e, address) => Err(not_looked(e)),
        Ok(Err(e)) => Err(Observation::NoConnection { why: bounded(&e.to_string()) }),
        Err(_) => Err(Observation::NoConnection { why: "no TCP connection within the time of a look".into() }),
    }
}

fn no_handshake(error: &russh::Error, notes: &Mutex<Notes>) -> Observation {
    if let Some(got) = lock(notes).foreign_key.take() {
        return Observation::WrongHostKey { got };
    }
    if let russh::Error::NoCommonAlgo { kind: russh::AlgorithmKind::Key, .. } = error {
        return Observation::WrongHostKey { got: "no ed25519 host key".into() };
    }
    Observation::NoHandshake { why: bounded(&error.to_string()) }
}

/// Only what the witness can read, and only ed25519 host keys: the machine's identity is one.
fn config() -> Arc<client::Config> {
    const KEX: &[kex::Name] = &[
        kex::CURVE25519,
        kex::CURVE25519_PRE_RFC_8731,
        kex::EXTENSION_SUPPORT_AS_CLIENT,
        kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
    ];
    static CONFIG: LazyLock<Arc<client::Config>> = LazyLock::new(|| {
        let preferred = Preferred {
            kex: Cow::Borrowed(KEX),
            key: Cow::Borrowed(&[Algorithm::Ed25519]),
            cipher: Cow::Borrowed(witness::CIPHERS),
            compression: Cow::Borrowed(&[compression::NONE]),
            ..Preferred::DEFAULT
        };
        Arc::new(client::Config { preferred, nodelay: true, ..client::Config::default() })
    });
    CONFIG.clone()
}

fn lock(notes: &Mutex<Notes>) -> MutexGuard<'_, Notes> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}
