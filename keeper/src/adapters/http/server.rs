//! The server's life: bind elsewhere, serve here, drain at the end.

use super::listener::{Bounded, From};
use super::{Api, routes};
use std::pin::pin;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// The server ended on its own.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP server stopped: {0}")]
pub struct ServeError(#[from] std::io::Error);

/// Serves `api` on `listener` until `shutdown` is ready, then finishes what is being answered, for at most
/// [`super::HttpLimits::drain_max`].
///
/// # Errors
/// When the server ends although nobody asked it to.
pub async fn serve(
    listener: TcpListener,
    api: Api,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let drain_max = api.limits.drain_max;
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async move { drop(stopped.await) };
    let bounded = Bounded::new(listener, &api.limits);
    let service = routes::router(api).into_make_service_with_connect_info::<From>();
    let server = axum::serve(bounded, service).with_graceful_shutdown(stopped);
    let mut server = pin!(server.into_future());
    tokio::select! {
        ended = &mut server => return Ok(ended?),
        () = shutdown => {}
    }
    drop(stop);
    match timeout(drain_max, server).await {
        Ok(ended) => Ok(ended?),
        Err(_) => {
            tracing::warn!("some HTTP answers were cut off: they took longer than {} s", drain_max.as_secs());
            Ok(())
        }
    }
}
