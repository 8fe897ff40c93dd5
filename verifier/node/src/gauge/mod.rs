//! Soft figures, the machine's side: a keeper asks for work on processors, memory and disk, and times it.
//!
//! What is asked for is bounded here, whatever the keeper is: memory by what is free, the file by a quarter of what is
//! free, and how often a keeper may ask. Nothing of it outlives the conversation: memory is mapped and unmapped, the
//! file has no name. Whoever needs the machine more (a tenant, a keeper that comes to measure GPUs) ends it at once.

mod bench;
mod disk;
mod memory;
mod room;

pub use bench::{Bench, Caps, Place};
pub use room::Room;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use surety_verifier::gauge::wire::{ASK_BYTES, DECLINED, DONE};
use surety_verifier::gauge::{Ask, AskError, Task};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Why a conversation ended before the keeper ended it.
#[derive(Debug, thiserror::Error)]
pub enum GaugeError {
    /// The keeper's bytes are no question.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The stream failed, or nothing came for too long.
    #[error("the keeper is gone")]
    Lost(#[from] std::io::Error),
    /// It went on for too long.
    #[error("it was not over within {} s", CONVERSATION_MAX.as_secs())]
    TooLong,
    /// The working thread failed.
    #[error("the work did not finish")]
    Work,
}

/// Longest wait for the next bytes, or for the keeper to take an answer: as long as it waits for one.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Longest conversation.
const CONVERSATION_MAX: Duration = Duration::from_secs(300);

/// Told to working threads: they end with the chunk, leg or read they are at.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    fn check(&self) -> std::io::Result<()> {
        if self.0.load(Ordering::Relaxed) { Err(std::io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }
}

/// Stops what works when the conversation is dropped, however it ends.
struct Leash(Stop);

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Answers a keeper's questions until it hangs up. Dropping the future ends all work within the chunk, leg of steps or
/// read it is at, and only then gives `place` back.
///
/// # Errors
/// [`GaugeError`]; all of them only mean that there are fewer figures.
pub async fn converse(
    room: Room,
    caps: Caps,
    place: Place,
    reader: impl AsyncRead + Unpin,
    writer: impl AsyncWrite + Unpin,
) -> Result<(), GaugeError> {
    let leash = Leash(Stop::default());
    let bench = Bench::new(room, caps, leash.0.clone(), place);
    timeout(CONVERSATION_MAX, talk(bench, reader, writer)).await.unwrap_or(Err(GaugeError::TooLong))
}

async fn talk(
    mut bench: Bench,
    mut reader: impl AsyncRead + Unpin,
    mut writer: impl AsyncWrite + Unpin,
) -> Result<(), GaugeError> {
    while let Some(ask) = next(&mut reader).await? {
        let answer = if let Task::Download { bytes } = ask.task {
            Some(download(&mut reader, bytes).await?)
        } else {
            let (back, answer) = work(bench, ask).await?;
            bench = back;
            answer
        };
        let head = if answer.is_some() { DONE } else { DECLINED };
        let bytes = [&[head], answer.unwrap_or_default().as_slice()].concat();
        in_time(async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        })
        .await?;
    }
    Ok(())
}

/// The next question; none when the keeper has hung up between two.
async fn next(reader: &mut (impl AsyncRead + Unpin)) -> Result<Option<Ask>, GaugeError> {
    let mut raw = [0; ASK_BYTES];
    match in_time(reader.read_exact(&mut raw)).await {
        Ok(_) => Ok(Some(Ask::decode(&raw)?)),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The hash of what follows a question, held a buffer at a time.
async fn download(reader: &mut (impl AsyncRead + Unpin), bytes: u32) -> Result<Vec<u8>, GaugeError> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut left = bytes as usize;
    while left > 0 {
        let most = buffer.len().min(left);
        let Some(room) = buffer.get_mut(..most) else { break };
        let count = in_time(reader.read(room)).await?;
        if count == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        hasher.update(room.get(..count).unwrap_or_default());
        left -= count;
    }
    Ok(hasher.finalize().as_bytes().to_vec())
}

async fn work(mut bench: Bench, ask: Ask) -> Result<(Bench, Option<Vec<u8>>), GaugeError> {
    let working = tokio::task::spawn_blocking(move || {
        let answer = bench.answer(&ask);
        (bench, answer)
    });
    working.await.map_err(|_| GaugeError::Work)
}

async fn in_time<T>(doing: impl Future<Output = std::io::Result<T>>) -> std::io::Result<T> {
    timeout(SILENCE_MAX, doing).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests;
