//! The agent's socket, and the forced command that carries a keeper's bytes to it.
//!
//! First line: the keeper's key as sshd knows it from the line of the keys file that let it in. Only the keepers'
//! account can open the socket, and under that account nothing but this command runs.

use super::SOCKET;
use super::system::{OpensshError, system};
use crate::access::Grants;
use crate::config::Config;
use crate::desk::Desk;
use crate::tenancy::set_mode;
use std::future::Future;
use std::path::Path;
use std::time::Duration;
use surety_core::types::SshKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Keepers connected at once; one is measuring, the others hear that the machine is busy.
const KEEPERS_MAX: usize = 32;
/// `0x`, 64 hex digits, a newline.
const GREETING_BYTES: usize = 67;

/// Why a keeper's bytes could not be carried.
#[derive(Debug, thiserror::Error)]
#[error("the agent does not answer: {0}")]
pub struct RelayError(#[from] std::io::Error);

/// Opens the socket; the future serves it for ever.
pub(super) fn listen(
    config: &Config,
    desk: Desk,
    grants: watch::Receiver<Grants>,
) -> Result<impl Future<Output = ()> + Send + use<>, OpensshError> {
    let path = config.state_dir.join(SOCKET);
    std::fs::remove_file(&path).ok();
    let listener = UnixListener::bind(&path).map_err(system("opening the agent's socket"))?;
    set_mode(&path, 0o600).map_err(system("closing the agent's socket"))?;
    if let Ok(Some(keeper)) = nix::unistd::User::from_name(&config.keeper_user) {
        std::os::unix::fs::chown(&path, Some(keeper.uid.as_raw()), None).map_err(system("giving the socket away"))?;
    }
    Ok(serve(listener, desk, grants))
}

async fn serve(listener: UnixListener, desk: Desk, grants: watch::Receiver<Grants>) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if sessions.len() < KEEPERS_MAX => {
                    sessions.spawn(answer(stream, desk.clone(), grants.clone()));
                }
                Ok(_) => {}
                // Out of sockets: the next accept would fail at once too.
                Err(_) => sleep(Duration::from_millis(100)).await,
            },
            Some(_) = sessions.join_next() => {}
        }
    }
}

async fn answer(mut stream: UnixStream, desk: Desk, grants: watch::Receiver<Grants>) {
    let mut greeting = [0; GREETING_BYTES];
    let Ok(Ok(_)) = timeout(Duration::from_secs(5), stream.read_exact(&mut greeting)).await else { return };
    let key = std::str::from_utf8(&greeting).ok().and_then(|text| text.trim_end().parse::<SshKey>().ok());
    if let Some(key) = key {
        let (reader, writer) = stream.into_split();
        desk.answer(grants, &key, reader, writer).await;
    }
}

/// The forced command: standard input and output to the agent's socket and back, in the name of one keeper.
///
/// # Errors
/// When the agent is not there, or a stream fails.
pub async fn relay(socket: &Path, keeper: &SshKey) -> Result<(), RelayError> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(format!("{keeper}\n").as_bytes()).await?;
    let (mut from_agent, mut to_agent) = stream.into_split();
    let inward = async {
        tokio::io::copy(&mut tokio::io::stdin(), &mut to_agent).await?;
        to_agent.shutdown().await
    };
    let outward = async { tokio::io::copy(&mut from_agent, &mut tokio::io::stdout()).await };
    // The agent ends the conversation; a keeper that closes its side may still be answered.
    tokio::select! {
        done = outward => done.map(drop)?,
        Err(error) = inward => return Err(error.into()),
    }
    Ok(())
}
