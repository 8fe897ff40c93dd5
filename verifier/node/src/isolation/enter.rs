//! The tenant's side of a session: sshd's forced command for a renter's key, under the tenants' account, which has no
//! rights. It hands its own input, output and errors to the agent and waits for the exit code.

use super::request::{ANSWER_MAX, Answer, RESIZED, Request, is_term};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use std::io::{self, IoSlice, IsTerminal, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use surety_core::types::RentalId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::signal::unix::{SignalKind, signal};

/// Why a tenant does not get into the container.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// No agent, or one that ended.
    #[error("the machine's agent does not answer")]
    Agent(#[from] io::Error),
    /// The agent said no.
    #[error("{0}")]
    Refused(String),
    /// The command does not fit.
    #[error("the command is too long: write it into a file and run that")]
    TooLong,
    /// The agent hung up.
    #[error("the session was ended by the machine's agent")]
    Ended,
}

/// Runs sshd's original command, or a shell, in the container of this rental; returns its exit code.
///
/// # Errors
/// [`EnterError`] in words for the renter.
pub async fn enter(socket: &Path, rental: RentalId) -> Result<u8, EnterError> {
    let terminal = std::env::var("TERM").ok().filter(|term| !term.is_empty() && is_term(term));
    let term = io::stdin().is_terminal().then(|| terminal.unwrap_or_else(|| "dumb".into()));
    let command = std::env::var_os("SSH_ORIGINAL_COMMAND").unwrap_or_default().as_bytes().to_vec();
    let request = Request { rental, term, command }.encode().ok_or(EnterError::TooLong)?;
    let mut stream = UnixStream::connect(socket)?;
    hand_over(&stream, request.len())?;
    stream.write_all(&request)?;
    stream.set_nonblocking(true)?;
    wait(tokio::net::UnixStream::from_std(stream)?).await
}

/// The length, and with it the three descriptors.
fn hand_over(stream: &UnixStream, length: usize) -> io::Result<()> {
    let length = u32::try_from(length).map_err(io::Error::other)?.to_be_bytes();
    let (input, output, errors) = (io::stdin(), io::stdout(), io::stderr());
    let descriptors = [input.as_fd(), output.as_fd(), errors.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::Error::other("no room for three descriptors"));
    }
    match sendmsg(stream, &[IoSlice::new(&length)], &mut control, SendFlags::NOSIGNAL)? {
        4 => Ok(()),
        _ => Err(io::ErrorKind::WriteZero.into()),
    }
}

async fn wait(mut stream: tokio::net::UnixStream) -> Result<u8, EnterError> {
    let mut resized = signal(SignalKind::window_change())?;
    let (from_agent, mut to_agent) = stream.split();
    let mut answer = Vec::new();
    let mut answered = from_agent.take(ANSWER_MAX);
    let answering = answered.read_to_end(&mut answer);
    tokio::pin!(answering);
    loop {
        tokio::select! {
            read = &mut answering => {
                read?;
                break;
            }
            _ = resized.recv() => to_agent.write_all(&[RESIZED]).await?,
        }
    }
    match Answer::decode(&answer) {
        Some(Answer::Exit(code)) => Ok(code),
        Some(Answer::Refused(why)) => Err(EnterError::Refused(why)),
        None => Err(EnterError::Ended),
    }
}
