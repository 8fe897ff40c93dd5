//! Where keepers are answered, whichever door they came through: one measurement at a time, none while a tenant has
//! the machine.

use crate::access::Grants;
use crate::config::{Config, Device};
use crate::hostkey::HostKey;
use crate::prove::{self, Proof};
use crate::reconcile::error_chain;
use std::sync::Arc;
use surety_core::types::SshKey;
use surety_verifier::device;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

/// Makes the devices of one measurement.
pub type Devices = Arc<dyn Fn() -> Vec<Box<dyn device::Device>> + Send + Sync>;

/// The desk; clones are the same desk.
#[derive(Clone)]
pub struct Desk {
    key: HostKey,
    chain_id: u64,
    device: Device,
    devices: Devices,
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
        Self { key, chain_id: config.chain_id, device: config.device.clone(), devices, place }
    }

    pub(crate) fn key(&self) -> &HostKey {
        &self.key
    }

    /// Answers the keeper with this key to the end of its session, or tells it that the machine is busy.
    pub async fn answer(
        &self,
        grants: &Grants,
        key: &SshKey,
        reader: impl AsyncRead + Unpin,
        writer: impl AsyncWrite + Unpin,
    ) {
        let known = grants.registration.zip(grants.keeper(key)).filter(|_| grants.tenant.is_none());
        let (Some((registration, keeper)), Ok(_place)) = (known, self.place.try_acquire()) else {
            prove::refuse_busy(writer).await.ok();
            return;
        };
        let device = self.device.clone();
        let proof = Proof { chain_id: self.chain_id, registration, keeper: keeper.account, device };
        if let Err(error) = prove::prove(&proof, &self.key, (self.devices)(), reader, writer).await {
            tracing::info!(keeper = %proof.keeper, "measurement not finished: {}", error_chain(&error));
        }
    }
}
