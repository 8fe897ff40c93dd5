//! Whether a card does what the reference does, and how fast: what `scripts/gpu-check` runs, and the tests with it.

use std::sync::Arc;
use std::time::Instant;

use ed25519_dalek::SigningKey;
use surety_verifier::classes::ClassId;
use surety_verifier::device::{CpuDevice, Device, DeviceError, FillJob};
use surety_verifier::frame::{Frame, FrameType};
use surety_verifier::freivalds::{Epoch, EpochSecrets};
use surety_verifier::params::Params;
use surety_verifier::session::{
    Caps, Challenge, Claims, KeeperSession, Next, Outcome, Plan, ProverError, ProverSession, SetupError,
};
use surety_verifier::transcript::Transcript;
use surety_verifier::verdict::Verdict;

/// Where a card and the reference part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Parting {
    /// One of them failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// They show different things.
    #[error("{what} of {params:?} is not what the reference has")]
    Differs {
        /// What differs.
        what: String,
        /// At which sizes.
        params: Params,
    },
}

/// Has `card` and the reference do the same work, and compares every root, and rows and legs at edges and between.
///
/// `params` must have passed [`Params::check`].
///
/// # Errors
/// Where they part.
pub fn agree(card: &mut dyn Device, params: Params, seed: u8) -> Result<(), Parting> {
    let mut reference = CpuDevice::new();
    let job = FillJob { params, epoch_seed: [seed; 32], gpu_seed: [!seed; 32] };
    let same = |what: String, same: bool| if same { Ok(()) } else { Err(Parting::Differs { what, params }) };
    card.start(job)?;
    reference.start(job)?;
    same("a root".into(), card.finish()? == reference.finish()?)?;
    for round in [0, params.rounds - 1] {
        for row in [0, 1, params.rows / 2, params.rows - 1] {
            same(format!("row {row} of round {round}"), card.open(round, row)? == reference.open(round, row)?)?;
        }
    }
    let word = 0x0123_4567_89ab_cdef_u64.rotate_left(seed.into());
    card.start_walk(word)?;
    reference.start_walk(word)?;
    same("the walk".into(), card.finish_walk()? == reference.finish_walk()?)?;
    for walker in [0, params.walkers / 2, params.walkers - 1] {
        for leg in [0, params.legs_each() / 2, params.legs_each() - 1] {
            let (shown, right) = (card.open_leg(walker, leg)?, reference.open_leg(walker, leg)?);
            same(format!("leg {leg} of walker {walker}"), shown == right)?;
        }
    }
    Ok(())
}

const SMALL: Params =
    Params { inner: 64, cols: 64, rows: 64, rounds: 2, vectors: 1, openings: 1, walkers: 16, hops: 512, legs: 1 };

/// Sizes at every edge: products smaller than a tile, than a row of tiles, larger than one; rows shorter than a leaf,
/// as long as one, and longer; trees of two nodes; walks of one leg, of two walkers, of more than a block of threads.
#[must_use]
pub fn edges() -> Vec<Params> {
    vec![
        Params { rows: 16, ..SMALL },
        Params { cols: 128, rows: 8, ..SMALL },
        Params { inner: 128, ..SMALL },
        Params { cols: 512, rows: 2, ..SMALL },
        Params { rows: 256, ..SMALL },
        Params { inner: 128, cols: 256, rows: 128, ..SMALL },
        Params { cols: 2_048, rows: 4, ..SMALL },
        Params { inner: 1_024, rows: 16, ..SMALL },
        Params { walkers: 256, hops: 32, ..SMALL },
        Params { walkers: 2, hops: 4_096, ..SMALL },
        Params { walkers: 1_024, hops: 64, ..SMALL },
    ]
}

/// Size number `number` of a sequence that looks random, of a few million operations at most.
#[must_use]
pub fn random_size(number: u64) -> Params {
    let mut state = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut power = |low: u32, high: u32| {
        state = (state ^ (state >> 31)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        1_u32 << (low + u32::try_from(state >> 40).unwrap_or(0) % (high - low + 1))
    };
    let (inner, cols) = (power(6, 9), power(6, 10));
    // A round must hold two blocks, and the checkpoints two leaves.
    let rows = power(1, 6).max(2_048 / cols).max(2);
    let (walkers, hops) = (power(1, 9), power(5, 9));
    let hops = hops.max(8_192 / walkers);
    Params { inner, cols, rows, rounds: power(0, 3), walkers, hops, ..SMALL }
}

/// Why a measurement could not be made. That it ended badly is none of these.
#[derive(Debug, thiserror::Error)]
pub enum NotMeasured {
    /// Nobody has said what the class must reach.
    #[error("{0} has no minima yet: measure a class that has")]
    NoPlan(ClassId),
    /// It cannot be set up.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The machine's side failed.
    #[error(transparent)]
    Prover(#[from] ProverError),
    /// A frame came that ends nothing and is not answered.
    #[error("the session went on beyond its end")]
    Over,
}

/// One whole session on a real clock, without a network.
#[derive(Clone, Debug)]
pub struct Measured {
    /// How it ended.
    pub verdict: Verdict,
    /// From the work to the signed results.
    pub compute_ms: u64,
    /// From the nonce to the signed walk.
    pub walk_ms: u64,
    /// From the question to the last answer.
    pub open_ms: u64,
    /// Bytes from the machine.
    pub bytes: usize,
}

/// Measures `devices` as this class: the keeper's side and the machine's, face to face.
///
/// # Errors
/// When no measurement came about.
pub fn measure(devices: Vec<Box<dyn Device>>, class: ClassId, random: [u8; 32]) -> Result<Measured, NotMeasured> {
    let count = u16::try_from(devices.len()).unwrap_or(u16::MAX);
    let Plan { params, limits } = Plan::of(class, count).ok_or(NotMeasured::NoPlan(class))?;
    let key = SigningKey::from_bytes(&[7; 32]);
    let epoch = Epoch::new([1; 32], &[2; 32]);
    let secrets = Arc::new(EpochSecrets::of(epoch, &random, &params));
    let (chain_id, registration, keeper) = (31_337, 1, [3; 20]);
    let machine = key.verifying_key().to_bytes();
    let challenge = Challenge {
        chain_id,
        keeper,
        machine,
        registration,
        class,
        count,
        params,
        epoch,
        session_random: random,
        limits,
    };
    let claims = Claims { chain_id, registration, class, keeper: Some(keeper), caps: Caps::of(&params) };
    let mut prover = ProverSession::new(devices, key, claims)?;
    let outcome = face_to_face(challenge, secrets, |frame| prover.on_frame(frame))?;
    Ok(measured(&outcome))
}

fn face_to_face(
    challenge: Challenge,
    secrets: Arc<EpochSecrets>,
    mut answer: impl FnMut(Frame) -> Result<Vec<Frame>, ProverError>,
) -> Result<Outcome, NotMeasured> {
    let begun = Instant::now();
    let now_ms = || u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (mut session, mut sent) = KeeperSession::new(challenge, secrets, 0)?;
    while !sent.is_empty() {
        let mut answers = Vec::new();
        for frame in std::mem::take(&mut sent) {
            answers.extend(answer(frame)?);
        }
        for frame in answers {
            match session.on_frame(frame, now_ms()).map_err(|_| NotMeasured::Over)? {
                Next::Send(frames) => sent.extend(frames),
                Next::Wait | Next::Ready => {}
                Next::Done(outcome) => return Ok(*outcome),
            }
        }
    }
    Err(NotMeasured::Over)
}

fn measured(outcome: &Outcome) -> Measured {
    let transcript = &outcome.transcript;
    let first = |kind| at_ms(transcript, kind, true);
    let open_ms = at_ms(transcript, FrameType::Segment, false).saturating_sub(first(FrameType::Open));
    Measured {
        verdict: outcome.verdict,
        compute_ms: first(FrameType::Root).saturating_sub(first(FrameType::Start)),
        walk_ms: first(FrameType::Walked).saturating_sub(first(FrameType::Walk)),
        open_ms,
        bytes: transcript.events.iter().map(|event| event.frame.len()).sum(),
    }
}

/// When the first, or last, frame of a kind was on its way; 0 if there was none.
fn at_ms(transcript: &Transcript, kind: FrameType, first: bool) -> u64 {
    let mut of_kind = transcript.events.iter().filter(|event| event.frame.get(4) == Some(&(kind as u8)));
    let event = if first { of_kind.next() } else { of_kind.next_back() };
    event.map_or(0, |event| event.at_ms)
}
