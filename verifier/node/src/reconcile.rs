//! Makes access match the chain, again and again: what the chain says is compared with what the door lets in, and the
//! difference is carried out. Nothing is remembered about how the difference came to be.

use crate::access::{Access, Grants, Standing};
use crate::isolation::{Progress, Walls};
use crate::tenancy::{Tenancy, TenancyError};
use std::future::Future;
use std::time::Duration;
use surety_core::types::RentalId;
use tokio::sync::watch;
use tokio::time::{Instant, interval, timeout};

/// Reads who may be let in. One system behind it: the chain.
pub trait ChainReader: Send + Sync + 'static {
    /// One reading, all of it at one block.
    ///
    /// # Errors
    /// When the chain could not be read; whatever was known before stays valid until it runs out.
    fn access(&self) -> impl Future<Output = Result<Access, ReadError>> + Send;
}

/// The chain could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the chain could not be read: {0}")]
pub struct ReadError(pub String);

/// Lets people in: an SSH server.
pub trait Door: Send {
    /// Lets in exactly these from now on. Returns when whoever lost access is cut off and the processes of a tenant
    /// who lost it are gone. Doing it again changes nothing.
    ///
    /// # Errors
    /// When that could not be brought about; it is tried again at the next round.
    fn admit(&mut self, grants: &Grants) -> impl Future<Output = Result<(), DoorError>> + Send;

    /// Lets nobody in any more and ends everything it started.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// The SSH server could not be made to follow the chain.
#[derive(Debug, thiserror::Error)]
#[error("access could not be changed: {0}")]
pub struct DoorError(pub String);

/// Why a round did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The SSH server.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// The tenant's directory.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
    /// The tenant's container.
    #[error("the containers are not as they must be, no tenant is let in until they are: {0}")]
    Walls(String),
}

/// Longest that one reading of the chain may take.
const READ_MAX: Duration = Duration::from_secs(10);
/// An agent that was just started and has read nothing leaves the sessions it finds alone for so long.
const SILENCE_MAX: Duration = READ_MAX;
/// How late an expiry may be noticed while nothing else happens.
const ROUND_EVERY: Duration = Duration::from_millis(250);

/// Runs until `stop` changes: reads every `poll`, compares and carries out at least four times a second, so that
/// neither a slow node nor a silent one keeps anybody in.
pub async fn run<D: Door>(
    reader: impl ChainReader,
    mut door: D,
    (tenancy, mut walls): (Tenancy, Walls),
    poll: Duration,
    mut stop: watch::Receiver<bool>,
) {
    let (readings, mut newest) = watch::channel(None);
    let reading = tokio::spawn(read_for_ever(reader, poll, readings));
    let began = Instant::now();
    let mut standing = Standing::default();
    let mut ticks = interval(ROUND_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut last_error = None;
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            _ = newest.changed() => {}
            () = walls.changed() => {}
            _ = ticks.tick() => {}
        }
        if let Some((access, at)) = newest.borrow_and_update().clone() {
            standing.observe(access, millis(at - began));
        }
        let error = match standing.grants(millis(began.elapsed())) {
            // Nobody knows who has the machine: nobody is let in, and nothing is wiped.
            None if began.elapsed() < SILENCE_MAX => Ok(()),
            None => door.admit(&Grants::default()).await.map_err(RoundError::from),
            Some(grants) => round(&mut door, &tenancy, &walls, &grants).await,
        };
        let error = error.err().map(|error| error_chain(&error));
        if error != last_error {
            error.iter().for_each(|error| tracing::error!("{error}"));
            last_error = error;
        }
    }
    reading.abort();
    door.close().await;
}

/// One comparison. A tenant comes in only to a directory that is empty or their own, and a container that is theirs.
/// Who leaves loses access first, then the container, then the data.
///
/// # Errors
/// When a step failed; keepers are let in all the same, a new tenant is not.
pub async fn round(door: &mut impl Door, tenancy: &Tenancy, walls: &Walls, grants: &Grants) -> Result<(), RoundError> {
    let coming = grants.tenant.map(|rental| rental.id);
    if tenancy.occupant().is_some_and(|occupant| Some(occupant) != coming) {
        door.admit(&grants.without_tenant()).await?;
        if !are(walls, None)? {
            return Ok(());
        }
        blocking(tenancy, |tenancy| tenancy.vacate()).await?;
        tracing::info!("the last tenant's data is wiped");
    }
    if let Some(rental) = coming {
        make_ready(tenancy, rental).await?;
    }
    match are(walls, coming) {
        Ok(true) => Ok(door.admit(grants).await?),
        unready => {
            door.admit(&grants.without_tenant()).await?;
            unready.map(drop)
        }
    }
}

/// Whether the walls are this rental's by now.
fn are(walls: &Walls, wanted: Option<RentalId>) -> Result<bool, RoundError> {
    walls.want(wanted);
    match walls.progress() {
        Progress::Ready => Ok(true),
        Progress::Underway => Ok(false),
        Progress::Failed(why) => Err(RoundError::Walls(why)),
    }
}

async fn make_ready(tenancy: &Tenancy, rental: RentalId) -> Result<(), TenancyError> {
    if tenancy.occupant() != Some(rental) {
        blocking(tenancy, move |tenancy| tenancy.occupy(rental)).await?;
        tracing::info!(rental, "the machine is ready for its tenant");
    }
    Ok(())
}

async fn blocking(
    tenancy: &Tenancy,
    act: impl FnOnce(&Tenancy) -> Result<(), TenancyError> + Send + 'static,
) -> Result<(), TenancyError> {
    let own = tenancy.clone();
    let done = tokio::task::spawn_blocking(move || act(&own)).await;
    // A panic in there is a bug of ours; nobody comes in on half-done work, and the next round tries again.
    done.unwrap_or_else(|_| Err(tenancy.died()))
}

async fn read_for_ever(reader: impl ChainReader, poll: Duration, readings: watch::Sender<Option<(Access, Instant)>>) {
    let mut ticks = interval(poll);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        ticks.tick().await;
        let at = Instant::now();
        let read = timeout(READ_MAX, reader.access()).await;
        let read = read.unwrap_or_else(|_| Err(ReadError(format!("no answer in {} s", READ_MAX.as_secs()))));
        match read {
            Ok(access) => {
                failing = false;
                readings.send_replace(Some((access, at)));
            }
            Err(error) if !failing => {
                failing = true;
                tracing::warn!("{error}; access stays as it is until it runs out");
            }
            Err(_) => {}
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// An error with all its causes, in one line.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}

#[cfg(test)]
mod tests;
