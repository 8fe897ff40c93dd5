//! Where keepers are answered, whichever door they came through: one measurement at a time, none while a tenant has
//! the machine; which cards there are, at any time. A tenant who comes ends a measurement, and a measurement of the
//! GPUs ends one of everything else.

use crate::access::Grants;
use crate::config::{Config, Device, DeviceKind};
use crate::gauge::{self, Caps, Room};
use crate::hostkey::HostKey;
use crate::inventory;
use crate::prove::{self, Proof};
use crate::reconcile::error_chain;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use surety_core::cards::QUESTION_MAGIC;
use surety_core::types::{Account, Hash32, SshKey};
use surety_verifier::device::{self, DeviceError};
use surety_verifier::frame::ByeCode;
use surety_verifier::gauge::MAGIC as GAUGE_MAGIC;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::time::{Instant, timeout};

/// Makes the devices of one measurement. Blocks: drivers take seconds to wake a card.
pub type Devices = Arc<dyn Fn() -> Result<Vec<Box<dyn device::Device>>, DeviceError> + Send + Sync>;

/// Names the cards that are there at present; None when nobody can tell. Blocks: drivers take their time.
pub type Cards = Arc<dyn Fn() -> Option<Vec<String>> + Send + Sync>;

/// Longest wait for the first bytes of a keeper, and for the rest of its question.
const QUESTION_MAX: Duration = Duration::from_secs(60);

/// How long a keeper waits for a measurement that is just ending to let go of the machine: one of everything else that
/// gives way, or the keeper's own of the GPUs, whose verdict it has while work here still ends.
const LETS_GO_MAX: Duration = Duration::from_secs(2);

/// How often a keeper may have the rest of a machine with GPUs measured: 1 GiB is written each time.
const GAUGE_EVERY: Duration = Duration::from_secs(6 * 3600);

/// The desk; clones are the same desk.
#[derive(Clone)]
pub struct Desk {
    key: HostKey,
    chain_id: u64,
    device: Device,
    devices: Devices,
    cards: Cards,
    room: Room,
    place: Arc<Place>,
}

/// The one place for a measurement: a device cannot serve two at once.
struct Place {
    free: Arc<Semaphore>,
    /// Ends the measurement of everything else that goes on, if one does.
    gauging: Mutex<Option<oneshot::Sender<()>>>,
    /// When each keeper had everything else measured last. Only keepers of the set come here, so it stays small.
    gauged: Mutex<HashMap<Account, Instant>>,
}

impl Place {
    fn new() -> Self {
        Self { free: Arc::new(Semaphore::new(1)), gauging: Mutex::default(), gauged: Mutex::default() }
    }

    /// For GPUs: takes it from what is less urgent.
    async fn take(&self) -> Option<OwnedSemaphorePermit> {
        let gauging = lock(&self.gauging).take();
        let Some(gauging) = gauging else { return self.free.clone().try_acquire_owned().ok() };
        // An error means that it has just ended.
        let _ = gauging.send(());
        timeout(LETS_GO_MAX, self.free.clone().acquire_owned()).await.ok()?.ok()
    }

    /// For everything else: if it is free or about to be, and this keeper was not here lately. The receiver says when
    /// to let go.
    async fn take_for_gauge(
        &self,
        keeper: Account,
        every: Duration,
    ) -> Option<(OwnedSemaphorePermit, oneshot::Receiver<()>)> {
        let place = timeout(LETS_GO_MAX, self.free.clone().acquire_owned()).await.ok()?.ok()?;
        let mut gauged = lock(&self.gauged);
        if gauged.get(&keeper).is_some_and(|last| last.elapsed() < every) {
            return None;
        }
        gauged.retain(|_, last| last.elapsed() < every);
        gauged.insert(keeper, Instant::now());
        let (wanted, let_go) = oneshot::channel();
        *lock(&self.gauging) = Some(wanted);
        Some((place, let_go))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// A desk that measures the devices of `config`.
    pub fn new(config: &Config, key: HostKey) -> Self {
        let device = config.device.clone();
        Self::with_devices(config, key, Arc::new(move || prove::devices(&device)))
    }

    /// A desk that measures other devices than those the configuration names.
    pub fn with_devices(config: &Config, key: HostKey, devices: Devices) -> Self {
        let device = config.device.clone();
        let cards: Cards = Arc::new(move || inventory::cards(&device));
        // On the disk where tenants' data will be.
        let beside = config.tenant_dir().parent().map_or_else(|| config.state_dir.clone(), Path::to_owned);
        let (room, place) = (Room { dir: beside }, Arc::new(Place::new()));
        Self { key, chain_id: config.chain_id, device: config.device.clone(), devices, cards, room, place }
    }

    /// A desk that names other cards than the configuration does.
    #[must_use]
    pub fn with_cards(self, cards: Cards) -> Self {
        Self { cards, ..self }
    }

    pub(crate) fn key(&self) -> &HostKey {
        &self.key
    }

    /// Answers the keeper with this key to the end of its session: says which cards there are, is measured, or says
    /// that the machine is busy.
    pub async fn answer(
        &self,
        mut grants: watch::Receiver<Grants>,
        key: &SshKey,
        mut reader: impl AsyncRead + Unpin,
        writer: impl AsyncWrite + Unpin,
    ) {
        let mut first = [0; QUESTION_MAGIC.len()];
        if !matches!(timeout(QUESTION_MAX, reader.read_exact(&mut first)).await, Ok(Ok(_))) {
            return;
        }
        let now = grants.borrow_and_update().clone();
        if first == *QUESTION_MAGIC {
            return self.state_cards(&now, key, reader, writer).await;
        }
        let known = now.registration.zip(now.keeper(key)).filter(|_| now.tenant.is_none());
        let answering = async {
            match known {
                Some((_, keeper)) if first == *GAUGE_MAGIC => self.gauge(keeper.account, reader, writer).await,
                None if first == *GAUGE_MAGIC => {}
                Some((registration, keeper)) => {
                    self.measure((registration, keeper.account), (&first[..]).chain(reader), writer).await;
                }
                None => self.busy(writer).await,
            }
        };
        tokio::select! {
            () = answering => {}
            () = tenant_comes(&mut grants), if known.is_some() => {
                tracing::info!("a tenant has come: the measurement is over");
            }
        }
    }

    async fn busy(&self, writer: impl AsyncWrite + Unpin) {
        prove::refuse(ByeCode::Busy, writer).await.ok();
    }

    async fn measure(
        &self,
        (registration, keeper): (u32, Account),
        reader: impl AsyncRead + Unpin,
        writer: impl AsyncWrite + Unpin,
    ) {
        let Some(place) = self.place.take().await else { return self.busy(writer).await };
        let proof = Proof { chain_id: self.chain_id, registration, keeper, device: self.device.clone() };
        let making = Arc::clone(&self.devices);
        let devices = match tokio::task::spawn_blocking(move || making()).await {
            Ok(Ok(devices)) => devices,
            Ok(Err(error)) => return self.without_devices(&error.to_string(), writer).await,
            Err(_) => return self.without_devices("looking for them failed", writer).await,
        };
        if let Err(error) = prove::prove(&proof, &self.key, devices, Arc::new(place), reader, writer).await {
            tracing::info!(%keeper, "measurement not finished: {}", error_chain(&error));
        }
    }

    /// Hangs up where it is not the time for it: these figures can wait.
    async fn gauge(&self, keeper: Account, reader: impl AsyncRead + Unpin, writer: impl AsyncWrite + Unpin) {
        let (caps, every) = match self.device.kind {
            DeviceKind::Cpu => (Caps::SMALL, Duration::ZERO),
            DeviceKind::Cuda => (Caps::FULL, GAUGE_EVERY),
        };
        let Some((place, let_go)) = self.place.take_for_gauge(keeper, every).await else { return };
        let talking = gauge::converse(self.room.clone(), caps, Box::new(place), reader, writer);
        tokio::select! {
            talked = talking => if let Err(error) = talked {
                tracing::info!(%keeper, "soft figures not finished: {}", error_chain(&error));
            },
            Ok(()) = let_go => tracing::info!(%keeper, "soft figures can wait: another keeper measures the GPUs"),
        }
        lock(&self.place.gauging).take();
    }

    async fn without_devices(&self, why: &str, writer: impl AsyncWrite + Unpin) {
        tracing::error!("a keeper came to measure and the cards are not there: {why}");
        prove::refuse(ByeCode::Device, writer).await.ok();
    }

    async fn state_cards(
        &self,
        grants: &Grants,
        key: &SshKey,
        mut reader: impl AsyncRead + Unpin,
        writer: impl AsyncWrite + Unpin,
    ) {
        let Some((registration, keeper)) = grants.registration.zip(grants.keeper(key)) else { return };
        let mut nonce = Hash32::default();
        if !matches!(timeout(QUESTION_MAX, reader.read_exact(&mut nonce.0)).await, Ok(Ok(_))) {
            return;
        }
        let looking = Arc::clone(&self.cards);
        let Ok(Some(cards)) = tokio::task::spawn_blocking(move || looking()).await else { return };
        let who = (self.chain_id, registration, keeper.account);
        let stating = inventory::state(&self.key, who, nonce, cards, writer);
        if !matches!(timeout(QUESTION_MAX, stating).await, Ok(Ok(()))) {
            tracing::info!(keeper = %keeper.account, "the statement about cards did not arrive");
        }
    }
}

/// Returns when a tenant has the machine.
async fn tenant_comes(grants: &mut watch::Receiver<Grants>) {
    if grants.wait_for(|grants| grants.tenant.is_some()).await.is_err() {
        // The door is closing; whoever closes it hangs up too.
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEPER: Account = Account([1; 20]);

    #[tokio::test(start_paused = true)]
    async fn what_can_wait_waits_for_a_measurement_that_is_just_ending_and_for_no_other() {
        let place = Arc::new(Place::new());
        let proving = place.take().await;
        assert!(proving.is_some() && place.take_for_gauge(KEEPER, GAUGE_EVERY).await.is_none());
        let waiting = place.clone();
        let asked = tokio::spawn(async move { waiting.take_for_gauge(KEEPER, GAUGE_EVERY).await.is_some() });
        tokio::task::yield_now().await;
        drop(proving);
        assert!(asked.await.is_ok_and(|taken| taken));
        assert!(place.take_for_gauge(KEEPER, GAUGE_EVERY).await.is_none(), "it was here lately");
    }
}
