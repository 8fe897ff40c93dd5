//! Connections, bounded: how many in all, how many from one host, and how long each may last: until the first byte of
//! an answer, while an answer is read, between an answer and the next question, and in all.

use super::HttpLimits;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep_until};

/// A listener whose connections are bounded.
pub(super) struct Bounded {
    inner: TcpListener,
    slots: Arc<Semaphore>,
    hosts: Hosts,
    per_host_max: u32,
    request_max: Duration,
    idle_max: Duration,
    connection_max: Duration,
}

impl Bounded {
    pub(super) fn new(inner: TcpListener, limits: &HttpLimits) -> Self {
        Self {
            inner,
            slots: Arc::new(Semaphore::new(limits.connections_max.clamp(1, Semaphore::MAX_PERMITS))),
            hosts: Hosts::default(),
            per_host_max: limits.connections_per_host_max,
            request_max: limits.request_max,
            idle_max: limits.idle_max,
            connection_max: limits.connection_max,
        }
    }

    async fn slot(&self) -> OwnedSemaphorePermit {
        match self.slots.clone().acquire_owned().await {
            Ok(slot) => slot,
            // Nobody closes this semaphore; if somebody did, nothing more would be accepted.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let slot = self.slot().await;
            let (stream, from) = Listener::accept(&mut self.inner).await;
            let Some(seat) = self.hosts.enter(from.ip(), self.per_host_max) else {
                tracing::debug!(%from, "too many connections from one host: closed");
                continue;
            };
            let opened = Instant::now();
            let connection = Connection {
                stream,
                ends: Box::pin(sleep_until(opened + self.request_max)),
                phase: Phase::Asking,
                request_max: self.request_max,
                idle_max: self.idle_max,
                last_end: opened + self.connection_max,
                _slot: slot,
                _seat: seat,
            };
            return (connection, from);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct From(pub(super) SocketAddr);

impl Connected<IncomingStream<'_, Bounded>> for From {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// Connections per host.
#[derive(Clone, Default)]
struct Hosts(Arc<Mutex<BTreeMap<IpAddr, u32>>>);

impl Hosts {
    fn enter(&self, ip: IpAddr, most: u32) -> Option<Seat> {
        let host = host_of(ip);
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = hosts.entry(host).or_default();
        if *taken >= most {
            return None;
        }
        *taken += 1;
        Some(Seat { hosts: self.clone(), host })
    }
}

/// One host usually has a whole IPv6 /64 to itself.
pub(super) fn host_of(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        v4 => v4,
    }
}

/// One of a host's connections.
struct Seat {
    hosts: Hosts,
    host: IpAddr,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut hosts = self.hosts.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = hosts.get_mut(&self.host) {
            *taken = taken.saturating_sub(1);
            if *taken == 0 {
                hosts.remove(&self.host);
            }
        }
    }
}

/// What a connection is doing, as far as its bytes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// A question comes in, or is being answered and nothing of the answer is written.
    Asking,
    /// An answer is being written.
    Answering,
    /// What there was to write is written.
    Idle,
}

/// A connection that ends when its time is up, whatever the other side does.
pub(super) struct Connection {
    stream: TcpStream,
    ends: Pin<Box<Sleep>>,
    phase: Phase,
    request_max: Duration,
    idle_max: Duration,
    /// The end whatever happens.
    last_end: Instant,
    _slot: OwnedSemaphorePermit,
    _seat: Seat,
}

impl Connection {
    fn in_time(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.ends.as_mut().poll(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Goes into a phase, which may last for `most`, or to the end of the connection.
    fn enter(&mut self, phase: Phase, most: Option<Duration>) {
        if self.phase != phase {
            self.phase = phase;
            let end = most.map_or(self.last_end, |most| self.last_end.min(Instant::now() + most));
            self.ends.as_mut().reset(end);
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx)?;
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if self.phase == Phase::Idle {
            let most = self.request_max;
            self.enter(Phase::Asking, Some(most));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.enter(Phase::Answering, None);
        self.in_time(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.enter(Phase::Answering, None);
        self.in_time(cx)?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx)?;
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        if self.phase == Phase::Answering {
            let most = self.idle_max;
            self.enter(Phase::Idle, Some(most));
            // The new deadline must be waited for, or nothing wakes a connection that nobody uses.
            self.in_time(cx)?;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx)?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
