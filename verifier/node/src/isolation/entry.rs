//! The agent's side of a tenant's session: a socket that only the tenants' account can open, and the engine's `exec`
//! for whoever comes through it while their rental runs.
//!
//! A session hands over its own input, output and errors: bytes go from sshd to the engine's client without passing
//! through the agent. The engine is called by the agent, so that the tenants' account needs no right at all on it.

use super::Seen;
use super::argv::{self, SESSION, Session};
use super::engine::{Engine, Group};
use super::request::{Answer, REQUEST_MAX, RESIZED, Request};
use crate::access::Grants;
use crate::config::Config;
use crate::processes::{MARK, hang_up, resized};
use crate::tenancy::set_mode;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use std::ffi::OsStr;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;
use surety_core::types::RentalId;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{UnixListener, UnixStream};
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The socket's name in the state directory.
pub(crate) const SOCKET: &str = "enter.sock";
/// Sessions of a tenant at once.
const SESSIONS_MAX: usize = 64;
/// Longest that a session may take to say what it wants.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(5);

/// Lets tenants into their container.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    engine: Arc<Engine>,
    seen: watch::Receiver<Seen>,
    path: PathBuf,
}

/// What one session brings: input, output, errors.
type Stdio = [OwnedFd; 3];

impl Entry {
    pub(crate) fn new(config: &Config, engine: Arc<Engine>, seen: watch::Receiver<Seen>) -> Self {
        Self { engine, seen, path: config.state_dir.join(SOCKET) }
    }

    /// Opens the socket for this account; the future serves it for ever.
    pub(crate) fn listen(
        self,
        tenant_uid: u32,
        grants: watch::Receiver<Grants>,
    ) -> io::Result<impl Future<Output = ()> + Send + use<>> {
        std::fs::remove_file(&self.path).ok();
        let listener = UnixListener::bind(&self.path)?;
        set_mode(&self.path, 0o600)?;
        if tenant_uid != nix::unistd::Uid::effective().as_raw() {
            std::os::unix::fs::chown(&self.path, Some(tenant_uid), None)?;
        }
        Ok(self.serve(listener, tenant_uid, grants))
    }

    async fn serve(self, listener: UnixListener, tenant_uid: u32, grants: watch::Receiver<Grants>) {
        let mut sessions = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    // Root can open any socket; only the account that sshd lets tenants in as is answered.
                    Ok((stream, _)) if !stream.peer_cred().is_ok_and(|peer| peer.uid() == tenant_uid) => drop(stream),
                    Ok((stream, _)) if sessions.len() < SESSIONS_MAX => {
                        sessions.spawn(self.clone().attend(stream, grants.clone()));
                    }
                    Ok((mut stream, _)) => {
                        let why = Answer::Refused(format!("{SESSIONS_MAX} sessions are open: end one of them first"));
                        stream.try_write(&why.encode()).ok();
                        stream.shutdown().await.ok();
                    }
                    // Out of sockets: the next accept would fail at once too.
                    Err(_) => sleep(Duration::from_millis(100)).await,
                },
                Some(_) = sessions.join_next() => {}
            }
        }
    }

    async fn attend(self, mut stream: UnixStream, grants: watch::Receiver<Grants>) {
        let Ok(Ok((request, stdio))) = timeout(REQUEST_TIME_MAX, receive(&mut stream)).await else { return };
        let answer = match self.admit(&request, &grants) {
            Ok(()) => self.run(&mut stream, &request, stdio, grants).await,
            Err(why) => Some(Answer::Refused(why)),
        };
        if let Some(answer) = answer {
            timeout(REQUEST_TIME_MAX, stream.write_all(&answer.encode())).await.ok();
        }
    }

    /// Whether the rental that sshd let in runs now and has its container.
    fn admit(&self, request: &Request, grants: &watch::Receiver<Grants>) -> Result<(), String> {
        if !runs(&grants.borrow(), request.rental) {
            return Err(format!("rental {} does not run", request.rental));
        }
        match self.seen.borrow().ready_for() == Some(request.rental) {
            true => Ok(()),
            false => Err("the container is being started: try again in a moment".into()),
        }
    }

    /// Runs the session to its end. `None` when whoever would hear of it is gone.
    async fn run(
        &self,
        stream: &mut UnixStream,
        request: &Request,
        stdio: Stdio,
        mut grants: watch::Receiver<Grants>,
    ) -> Option<Answer> {
        let mark = match session_mark() {
            Ok(mark) => mark,
            Err(why) => return Some(Answer::Refused(why)),
        };
        let mut child = match self.exec(request, stdio, &mark) {
            Ok(child) => child,
            Err(error) => return Some(Answer::Refused(format!("the container engine cannot be started: {error}"))),
        };
        let group = Group(child.id());
        let mut heard = [0; 1];
        loop {
            tokio::select! {
                status = child.wait() => {
                    group.has_ended();
                    return Some(Answer::Exit(status.map_or(255, exit_code)));
                }
                read = stream.read(&mut heard) => match read {
                    Ok(1) if heard[0] == RESIZED => child.id().into_iter().for_each(resized),
                    Ok(1) => {}
                    _ => break,
                },
                changed = grants.changed() => {
                    if changed.is_err() || !runs(&grants.borrow_and_update(), request.rental) {
                        break;
                    }
                }
            }
        }
        drop(group);
        child.kill().await.ok();
        if request.term.is_some() {
            // What a terminal that hangs up does, and an engine's client that is killed does not: shells would stay.
            let mark = format!("{SESSION}={mark}");
            tokio::task::spawn_blocking(move || hang_up(&mark)).await.ok();
        }
        None
    }

    fn exec(&self, request: &Request, stdio: Stdio, mark: &str) -> io::Result<Child> {
        let name = self.engine.owner.name(request.rental);
        let session = Session { name: &name, mark, term: request.term.as_deref() };
        let mut command = self.engine.command(&argv::exec(&self.engine.container, &session));
        command.args(argv::shell(&request.command).into_iter().map(OsStr::from_bytes));
        let [input, output, errors] = stdio;
        command.env(MARK, &self.engine.mark).stdin(input).stdout(output).stderr(errors).spawn()
    }
}

fn runs(grants: &Grants, rental: RentalId) -> bool {
    grants.tenant.is_some_and(|tenant| tenant.id == rental)
}

fn session_mark() -> Result<String, String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|_| "the system has no randomness to give".to_owned())?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}

/// As shells count: 128 and the signal for a killed command.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(255)
}

/// The request, and the descriptors that came with its first bytes.
async fn receive(stream: &mut UnixStream) -> io::Result<(Request, Stdio)> {
    let refused = || io::Error::from(io::ErrorKind::InvalidData);
    let (length, stdio) = loop {
        stream.readable().await?;
        match stream.try_io(Interest::READABLE, || first_bytes(stream)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => break done?,
        }
    };
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > REQUEST_MAX {
        return Err(refused());
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    Request::decode(&bytes).map(|request| (request, stdio)).ok_or_else(refused)
}

fn first_bytes(stream: &UnixStream) -> io::Result<([u8; 4], Stdio)> {
    let mut length = [0; 4];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut into = [IoSliceMut::new(&mut length)];
    let message = recvmsg(stream, &mut into, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut descriptors = Vec::new();
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = part {
            descriptors.extend(rights);
        }
    }
    let stdio = Stdio::try_from(descriptors).ok().filter(|_| message.bytes == length.len());
    stdio.map(|stdio| (length, stdio)).ok_or_else(|| io::ErrorKind::InvalidData.into())
}
