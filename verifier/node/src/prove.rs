//! The prover between two byte streams: a session channel, or the standard input and output of a forced command.

use crate::config::{Device, DeviceKind};
use crate::hostkey::HostKey;
use std::sync::Arc;
use std::thread::ScopedJoinHandle;
use std::time::Duration;
use surety_core::types::Account;
use surety_cuda::device::CardDevice;
use surety_cuda::driver::DriverCard;
use surety_verifier::classes::ClassId;
use surety_verifier::device::{self, CpuDevice, DeviceError};
use surety_verifier::frame::{self, Bye, ByeCode, DecodeError, Decoder, Frame, Side};
use surety_verifier::session::{Caps, Claims, Plan, ProverError, ProverSession};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// What a prover answers for.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The chain the machine is registered on.
    pub chain_id: u64,
    /// The machine's registration.
    pub registration: u32,
    /// The keeper at the other end.
    pub keeper: Account,
    /// What computes.
    pub device: Device,
}

/// Why a session ended without the keeper's goodbye.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The keeper hung up, or the stream failed.
    #[error("the connection to the keeper was lost")]
    Lost(#[source] std::io::Error),
    /// The keeper said nothing for too long.
    #[error("the keeper said nothing for {} s", SILENCE_MAX.as_secs())]
    Silence,
    /// The session went on for too long.
    #[error("the session was not over within {} s", SESSION_MAX.as_secs())]
    TooLong,
    /// The keeper's bytes are not the protocol.
    #[error("the keeper does not speak the protocol")]
    Malformed(#[from] DecodeError),
    /// The session cannot go on.
    #[error("the measurement was ended")]
    Prover(#[from] ProverError),
    /// The computing thread failed.
    #[error("the computation did not finish")]
    Compute,
}

/// Longest wait for the keeper's next bytes.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Longest session, however steadily the keeper trickles: three times what a keeper takes for one at most. Cards and
/// their memory belong to a session as long as it lasts.
const SESSION_MAX: Duration = Duration::from_secs(600);

/// The devices of an honest machine. Blocks: drivers take seconds to wake a card.
///
/// # Errors
/// When there are not as many cards as are offered, or one cannot be had.
pub fn devices(device: &Device) -> Result<Vec<Box<dyn device::Device>>, DeviceError> {
    // All at once: the driver compiles the kernels anew for each card that it has not seen.
    std::thread::scope(|scope| {
        let opening: Vec<_> =
            (0..device.count).map(|ordinal| scope.spawn(move || open(device.kind, ordinal))).collect();
        let joined = opening.into_iter().map(ScopedJoinHandle::join);
        joined.map(|opened| opened.unwrap_or_else(|_| Err(DeviceError::Failed("opening it panicked".into())))).collect()
    })
}

fn open(kind: DeviceKind, ordinal: u16) -> Result<Box<dyn device::Device>, DeviceError> {
    match kind {
        DeviceKind::Cpu => Ok(Box::new(CpuDevice::new())),
        DeviceKind::Cuda => {
            let card = DriverCard::open(ordinal.into()).map_err(|error| DeviceError::Failed(error.to_string()))?;
            Ok(Box::new(CardDevice::new(card)))
        }
    }
}

/// What a machine of this class accepts to do: what its measurement takes and no more.
fn caps(device: &Device) -> Caps {
    match (device.kind, Plan::of(ClassId(device.class), device.count)) {
        (DeviceKind::Cuda, Some(plan)) => Caps::of(&plan.params),
        (DeviceKind::Cuda, None) | (DeviceKind::Cpu, _) => Caps::cpu(),
    }
}

/// What is held as long as devices compute, also when nobody waits for them any more.
pub type Place = Arc<dyn Send + Sync>;

/// Answers one keeper, computing on `devices`, until it says goodbye. Errors have been told to the keeper where it
/// still listens. `place` is given back when no device computes any more.
///
/// # Errors
/// [`ProveError`] says why the session did not come to its end.
pub async fn prove(
    proof: &Proof,
    key: &HostKey,
    devices: Vec<Box<dyn device::Device>>,
    place: Place,
    reader: impl AsyncRead + Unpin,
    writer: impl AsyncWrite + Unpin,
) -> Result<(), ProveError> {
    prove_within(SESSION_MAX, proof, key, (devices, place), reader, writer).await
}

async fn prove_within(
    session_max: Duration,
    proof: &Proof,
    key: &HostKey,
    (devices, place): (Vec<Box<dyn device::Device>>, Place),
    mut reader: impl AsyncRead + Unpin,
    mut writer: impl AsyncWrite + Unpin,
) -> Result<(), ProveError> {
    let claims = Claims {
        chain_id: proof.chain_id,
        registration: proof.registration,
        class: ClassId(proof.device.class),
        keeper: Some(proof.keeper.0),
        caps: caps(&proof.device),
    };
    let session = ProverSession::new(devices, key.signing_key(), claims)?;
    let talking = timeout(session_max, talk(session, place, &mut reader, &mut writer));
    let talked = talking.await.unwrap_or(Err(ProveError::TooLong));
    let farewell = match &talked {
        Err(ProveError::Prover(error)) => Some(error.farewell()),
        Err(ProveError::Malformed(_)) => Some(bye(ByeCode::Protocol)),
        _ => None,
    };
    if let Some(farewell) = farewell {
        send(&mut writer, &[farewell]).await.ok();
    }
    talked
}

/// Tells a keeper that there is no measurement now, and why: a tenant or another keeper has the machine
/// ([`ByeCode::Busy`]), or its cards cannot be had ([`ByeCode::Device`]).
///
/// # Errors
/// When the stream fails.
pub async fn refuse(code: ByeCode, mut writer: impl AsyncWrite + Unpin) -> std::io::Result<()> {
    send(&mut writer, &[bye(code)]).await
}

type Session = ProverSession<ed25519_dalek::SigningKey>;

async fn talk(
    mut session: Session,
    place: Place,
    reader: &mut (impl AsyncRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
) -> Result<(), ProveError> {
    let mut decoder = Decoder::new(Side::FromKeeper);
    let mut buffer = vec![0; 16 * 1024];
    while !session.is_done() {
        let count = match timeout(SILENCE_MAX, reader.read(&mut buffer)).await {
            Err(_) => return Err(ProveError::Silence),
            Ok(Err(error)) => return Err(ProveError::Lost(error)),
            Ok(Ok(0)) => return Err(ProveError::Lost(std::io::ErrorKind::UnexpectedEof.into())),
            Ok(Ok(count)) => count,
        };
        let mut bytes = buffer.get(..count).unwrap_or_default();
        while !bytes.is_empty() {
            let Some(frame) = decoder.take(&mut bytes)? else { break };
            let (back, answer) = compute(session, frame, place.clone()).await?;
            session = back;
            send(writer, &answer?).await.map_err(ProveError::Lost)?;
        }
    }
    Ok(())
}

/// Devices block while they compute, so they do it where blocking is allowed.
async fn compute(
    mut session: Session,
    frame: Frame,
    place: Place,
) -> Result<(Session, Result<Vec<Frame>, ProverError>), ProveError> {
    let computed = tokio::task::spawn_blocking(move || {
        let answer = session.on_frame(frame);
        // In this order they are dropped where nobody waits any more: the devices' memory first.
        (session, answer, place)
    });
    computed.await.map(|(session, answer, _)| (session, answer)).map_err(|_| ProveError::Compute)
}

async fn send(writer: &mut (impl AsyncWrite + Unpin), frames: &[Frame]) -> std::io::Result<()> {
    let bytes: Vec<u8> = frames.iter().flat_map(frame::encode).collect();
    let writing = async {
        writer.write_all(&bytes).await?;
        writer.flush().await
    };
    timeout(SILENCE_MAX, writing).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
}

fn bye(code: ByeCode) -> Frame {
    Frame::Bye(Bye { code })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte after another of a frame that never ends, none of them late.
    #[tokio::test]
    async fn a_keeper_that_trickles_does_not_hold_the_cards_for_ever() {
        let (mut keeper, machine) = tokio::io::duplex(64);
        let trickling = tokio::spawn(async move {
            let mut next = [0, 0, 0x2e, 0xe0, frame::FrameType::Open as u8].into_iter().chain(std::iter::repeat(0));
            while keeper.write_all(&[next.next().unwrap_or_default()]).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let device = Device { kind: DeviceKind::Cpu, class: ClassId::CPU_TEST.0, count: 1 };
        let proof = Proof { chain_id: 31_337, registration: 1, keeper: Account([1; 20]), device };
        let (reader, writer) = tokio::io::split(machine);
        let (key, devices) =
            (HostKey::from_seed(&[7; 32]), vec![Box::new(CpuDevice::new()) as Box<dyn device::Device>]);
        let proved =
            prove_within(Duration::from_millis(200), &proof, &key, (devices, Arc::new(())), reader, writer).await;
        assert!(matches!(proved, Err(ProveError::TooLong)), "{proved:?}");
        trickling.abort();
    }
}
