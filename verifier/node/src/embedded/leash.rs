//! A connection that ends when its owner lets go of it, whatever the task that uses it is waiting for.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;

/// The stream.
pub(super) struct Leashed<S> {
    inner: S,
    held: Option<oneshot::Receiver<Infallible>>,
}

/// Holds a [`Leashed`] stream open; dropping it ends the stream.
pub(super) struct Leash(#[allow(dead_code)] oneshot::Sender<Infallible>);

impl<S> Leashed<S> {
    pub(super) fn new(inner: S) -> (Self, Leash) {
        let (sender, held) = oneshot::channel();
        (Self { inner, held: Some(held) }, Leash(sender))
    }

    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        // A oneshot must not be polled again once it has answered.
        if self.held.as_mut().is_some_and(|held| Pin::new(held).poll(cx).is_pending()) {
            return Ok(());
        }
        self.held = None;
        Err(io::Error::new(io::ErrorKind::ConnectionAborted, "cut off"))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Leashed<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Leashed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
