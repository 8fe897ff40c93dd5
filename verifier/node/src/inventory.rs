//! What the agent says about the machine's cards when a keeper asks, rented or not: their names, under the signature of
//! the host key. It is a claim; a machine that admits to fewer cards than it rents out is out of service.

use crate::config::{Device, DeviceKind};
use crate::hostkey::HostKey;
use ed25519_dalek::Signer;
use surety_core::cards::{CardsStatement, message};
use surety_core::types::{Account, Ed25519Signature, Hash32};
use surety_cuda::driver;
use surety_verifier::limits::GPUS_MAX;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// The names of the cards that this machine has at present: their UUIDs. The CPU test device has as many as it is
/// configured with. None when nobody can tell: an agent does not speak against its own machine because a driver did not
/// answer, or sees no card at all (which is what it says where device files are missing, or were not yet there when the
/// agent started).
pub fn cards(device: &Device) -> Option<Vec<String>> {
    match device.kind {
        DeviceKind::Cpu => Some((0..device.count).map(|number| format!("CPU-{number}")).collect()),
        DeviceKind::Cuda => {
            let cards = driver::cards().inspect_err(|error| tracing::error!("which cards there are: {error}")).ok()?;
            (!cards.is_empty()).then(|| cards.into_iter().take(GPUS_MAX.into()).map(|card| card.uuid).collect())
        }
    }
}

/// Answers one question with one line of JSON.
///
/// # Errors
/// When the stream fails.
pub async fn state(
    key: &HostKey,
    (chain_id, registration, keeper): (u64, u32, Account),
    nonce: Hash32,
    cards: Vec<String>,
    mut writer: impl AsyncWrite + Unpin,
) -> std::io::Result<()> {
    let said = message(chain_id, &key.machine(), &keeper, &nonce, registration, &cards);
    let signature = Ed25519Signature(key.signing_key().sign(&said).to_bytes());
    let mut line = serde_json::to_vec(&CardsStatement { registration, cards, signature })?;
    line.push(b'\n');
    writer.write_all(&line).await?;
    writer.flush().await
}
