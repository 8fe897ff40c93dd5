//! Where keepers are answered, whichever door they came through: one measurement at a time, none while a tenant has
//! the machine; which cards there are, at any time.

use crate::access::Grants;
use crate::config::{Config, Device};
use crate::hostkey::HostKey;
use crate::inventory;
use crate::prove::{self, Proof};
use crate::reconcile::error_chain;
use std::sync::Arc;
use std::time::Duration;
use surety_core::cards::QUESTION_MAGIC;
use surety_core::types::{Hash32, SshKey};
use surety_verifier::device::{self, DeviceError};
use surety_verifier::frame::ByeCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Makes the devices of one measurement. Blocks: drivers take seconds to wake a card.
pub type Devices = Arc<dyn Fn() -> Result<Vec<Box<dyn device::Device>>, DeviceError> + Send + Sync>;

/// Names the cards that are there at present; None when nobody can tell. Blocks: drivers take their time.
pub type Cards = Arc<dyn Fn() -> Option<Vec<String>> + Send + Sync>;

/// Longest wait for the first bytes of a keeper, and for the rest of its question.
const QUESTION_MAX: Duration = Duration::from_secs(60);

/// The desk; clones are the same desk.
#[derive(Clone)]
pub struct Desk {
    key: HostKey,
    chain_id: u64,
    device: Device,
    devices: Devices,
    cards: Cards,
    /// A device cannot serve two measurements at once.
    place: Arc<Semaphore>,
}

impl Desk {
    /// A desk that measures the devices of `config`.
    pub fn new(config: &Config, key: HostKey) -> Self {
        let device = config.device.clone();
        Self::with_devices(config, key, Arc::new(move || prove::devices(&device)))
    }

    /// A desk that measures other devices than those the configuration names.
    pub fn with_devices(config: &Config, key: HostKey, devices: Devices) -> Self {
        let place = Arc::new(Semaphore::new(1));
        let device = config.device.clone();
        let cards: Cards = Arc::new(move || inventory::cards(&device));
        Self { key, chain_id: config.chain_id, device: config.device.clone(), devices, cards, place }
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
        grants: &Grants,
        key: &SshKey,
        mut reader: impl AsyncRead + Unpin,
        writer: impl AsyncWrite + Unpin,
    ) {
        let mut first = [0; QUESTION_MAGIC.len()];
        if !matches!(timeout(QUESTION_MAX, reader.read_exact(&mut first)).await, Ok(Ok(_))) {
            return;
        }
        if first == *QUESTION_MAGIC {
            return self.state_cards(grants, key, reader, writer).await;
        }
        let reader = (&first[..]).chain(reader);
        let known = grants.registration.zip(grants.keeper(key)).filter(|_| grants.tenant.is_none());
        let (Some((registration, keeper)), Ok(_place)) = (known, self.place.try_acquire()) else {
            prove::refuse(ByeCode::Busy, writer).await.ok();
            return;
        };
        let device = self.device.clone();
        let proof = Proof { chain_id: self.chain_id, registration, keeper: keeper.account, device };
        let making = Arc::clone(&self.devices);
        let devices = match tokio::task::spawn_blocking(move || making()).await {
            Ok(Ok(devices)) => devices,
            Ok(Err(error)) => return self.without_devices(&error.to_string(), writer).await,
            Err(_) => return self.without_devices("looking for them failed", writer).await,
        };
        if let Err(error) = prove::prove(&proof, &self.key, devices, reader, writer).await {
            tracing::info!(keeper = %proof.keeper, "measurement not finished: {}", error_chain(&error));
        }
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
