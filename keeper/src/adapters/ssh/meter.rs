//! One connection, bounded: its bytes, its time, its life. russh runs a session in a task of its own, which a dropped
//! future does not stop; here the stream itself ends when the deadline passes or its owner lets go.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};

/// A stream that fails once its deadline has passed, its byte budget is used up, or its [`Leash`] is gone.
pub(super) struct Metered<S> {
    inner: S,
    deadline: Pin<Box<Sleep>>,
    let_go: Option<oneshot::Receiver<Infallible>>,
    bytes_left: u64,
    tape: Tape,
}

/// Holds a [`Metered`] stream open; dropping it ends the stream.
pub(super) struct Leash(#[allow(dead_code)] oneshot::Sender<Infallible>);

/// What the peer has sent so far, up to a number of bytes.
#[derive(Clone, Default)]
pub(super) struct Tape {
    heard: Arc<Mutex<Vec<u8>>>,
    keep_max: usize,
}

impl Tape {
    /// Keeps the first `keep_max` bytes.
    pub(super) fn keeping(keep_max: usize) -> Self {
        Self { heard: Arc::default(), keep_max }
    }

    /// A copy of what was heard.
    pub(super) fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn record(&self, bytes: &[u8]) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let room = self.keep_max.saturating_sub(heard.len());
        heard.extend(bytes.iter().take(room));
    }
}

impl<S> Metered<S> {
    /// Bounds `inner`: at most `bytes_max` read, nothing after `deadline`, all of it also on `tape`.
    pub(super) fn new(inner: S, deadline: Instant, bytes_max: u64, tape: Tape) -> (Self, Leash) {
        let (sender, let_go) = oneshot::channel();
        let deadline = Box::pin(tokio::time::sleep_until(deadline));
        (Self { inner, deadline, let_go: Some(let_go), bytes_left: bytes_max, tape }, Leash(sender))
    }

    /// An error when the stream has come to its end. Registers the task to be woken when it does.
    fn end(&mut self, cx: &mut Context<'_>) -> Option<io::Error> {
        if self.deadline.as_mut().poll(cx).is_ready() {
            return Some(io::Error::new(io::ErrorKind::TimedOut, "the time for this look has passed"));
        }
        // A oneshot must not be polled again once it has answered.
        let held = self.let_go.as_mut().is_some_and(|let_go| Pin::new(let_go).poll(cx).is_pending());
        if !held {
            self.let_go = None;
            return Some(io::Error::new(io::ErrorKind::ConnectionAborted, "the look is over"));
        }
        None
    }

    fn account(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tape.record(bytes);
        let used = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.bytes_left = self.bytes_left.checked_sub(used).ok_or_else(|| {
            io::Error::new(io::ErrorKind::FileTooLarge, "the server sent more bytes than a look may take")
        })?;
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(error) = self.end(cx) {
            return Poll::Ready(Err(error));
        }
        let before = buf.filled().len();
        std::task::ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let new = buf.filled().get(before..).unwrap_or_default();
        Poll::Ready(self.account(new))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.end(cx) {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.inner).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.end(cx) {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.inner).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
