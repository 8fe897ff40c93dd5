//! A keeper and a machine joined by bytes, on a clock that the test sets.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use surety_verifier::classes::ClassId;
use surety_verifier::device::{CpuDevice, Device, DeviceError, FillJob, Held, Opening};
use surety_verifier::frame::{Decoder, Frame, Leaf, Side, encode};
use surety_verifier::freivalds::EpochSecrets;
use surety_verifier::params::Params;
use surety_verifier::seed::{self, ROOT_BEFORE_FIRST};
use surety_verifier::session::{Caps, Challenge, Claims, KeeperSession, Limits, Next, Outcome, ProverSession};
use surety_verifier::verdict::Verdict;
use surety_verifier::{Bytes32, matrix};

pub(crate) const CHAIN_ID: u64 = 31_337;
pub(crate) const REGISTRATION: u32 = 7;
pub(crate) const KEEPER: [u8; 20] = [0x11; 20];

/// Sizes with 512 rows of which 32 are opened, and 256 legs of which 16 are: quick enough for hundreds of sessions.
pub(crate) const TINY: Params =
    Params { inner: 64, cols: 64, rows: 64, rounds: 8, vectors: 4, openings: 32, walkers: 16, hops: 512, legs: 16 };

pub(crate) fn machine_key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

pub(crate) fn secrets(params: &Params) -> Arc<EpochSecrets> {
    Arc::new(EpochSecrets::new([0x22; 32], &[0x33; 32], &[0x44; 32], params))
}

/// A challenge to machine 1 with the given session randomness.
pub(crate) fn challenge(params: Params, count: u16, random: [u8; 32]) -> Challenge {
    Challenge {
        chain_id: CHAIN_ID,
        keeper: KEEPER,
        machine: machine_key(1).verifying_key().to_bytes(),
        registration: REGISTRATION,
        class: ClassId::CPU_TEST,
        count,
        params,
        epoch: *secrets(&params).epoch(),
        session_random: random,
        limits: Limits::cpu_test(),
    }
}

pub(crate) fn claims() -> Claims {
    Claims {
        chain_id: CHAIN_ID,
        registration: REGISTRATION,
        class: ClassId::CPU_TEST,
        keeper: Some(KEEPER),
        caps: Caps::cpu(),
    }
}

pub(crate) fn cpus(count: u16) -> Vec<Box<dyn Device>> {
    (0..count).map(|_| Box::new(CpuDevice::new()) as Box<dyn Device>).collect()
}

pub(crate) fn prover(devices: Vec<Box<dyn Device>>) -> ProverSession<SigningKey> {
    ProverSession::new(devices, machine_key(1), claims()).unwrap()
}

/// The session of challenge `random` with these devices, the machine following the protocol otherwise.
pub(crate) fn measure(params: Params, random: [u8; 32], devices: Vec<Box<dyn Device>>) -> Outcome {
    let count = u16::try_from(devices.len()).unwrap();
    let mut prover = prover(devices);
    run(challenge(params, count, random), |frame| prover.on_frame(frame).unwrap())
}

/// As [`measure`], with each frame of the machine changed on its way.
pub(crate) fn measure_changed(params: Params, change: impl FnMut(Vec<Frame>) -> Vec<Frame>) -> Outcome {
    let (mut prover, mut change) = (prover(cpus(1)), change);
    run(challenge(params, 1, [9; 32]), |frame| change(prover.on_frame(frame).unwrap()))
}

/// A session on a clock in which every answer takes 2 ms and the commitment 50.
pub(crate) fn run(challenge: Challenge, answer: impl FnMut(Frame) -> Vec<Frame>) -> Outcome {
    run_timed(challenge, answer, |kind| if matches!(kind, Frame::Start(_)) { 50 } else { 2 })
}

/// Runs a session: keeper's frames go through bytes to `answer`, its answers through bytes back, after `delay_ms` of
/// what they answer (asked for after the answer). A machine that says nothing more runs into the deadline.
pub(crate) fn run_timed(
    challenge: Challenge,
    mut answer: impl FnMut(Frame) -> Vec<Frame>,
    delay_ms: impl Fn(&Frame) -> u64,
) -> Outcome {
    let secrets = secrets(&challenge.params);
    let mut now_ms = 1_000;
    let (mut session, mut sent) = KeeperSession::new(challenge, secrets, now_ms).unwrap();
    let (mut to_machine, mut to_keeper) = (Decoder::new(Side::FromKeeper), Decoder::new(Side::FromMachine));
    while !sent.is_empty() {
        let mut answers = Vec::new();
        for frame in std::mem::take(&mut sent) {
            answers.extend(answer(through(&mut to_machine, &frame).unwrap()));
            now_ms += delay_ms(&frame);
        }
        for frame in answers {
            let came = encode(&frame);
            let (frame, received) = match to_keeper.take_whole(&mut &came[..]) {
                Ok(whole) => whole.unwrap(),
                Err(error) => return session.on_malformed(&error, now_ms).unwrap(),
            };
            assert!(received == came && encode(&frame) == came, "the bytes of a frame are those that came");
            match session.on_received(frame, received, now_ms).unwrap() {
                Next::Send(frames) => sent.extend(frames),
                Next::Wait | Next::Ready => {}
                Next::Done(outcome) => return *outcome,
            }
        }
    }
    session.on_timeout(session.deadline_ms() + 1).unwrap()
}

fn through(decoder: &mut Decoder, frame: &Frame) -> Result<Frame, surety_verifier::frame::DecodeError> {
    let bytes = encode(frame);
    let mut bytes = &bytes[..];
    let frame = decoder.take(&mut bytes)?.unwrap();
    assert!(bytes.is_empty());
    Ok(frame)
}

pub(crate) fn proven(count: u16) -> Verdict {
    Verdict::Proven { class: ClassId::CPU_TEST, count }
}

/// What a forging device does to a row before it commits to it: round, row, residues.
pub(crate) type Forge = Box<dyn FnMut(u32, u32, &mut [u16]) + Send>;

/// The checkpoints that a forging device commits to: of what it holds, and the walk's word.
pub(crate) type Stroll = Box<dyn FnMut(&Held, u64) -> Vec<u64> + Send>;

/// A device that commits to, walks over, and shows, whatever `forge` makes of the right rows, and `stroll` of the walk.
pub(crate) struct Forger {
    forge: Forge,
    stroll: Stroll,
    held: Option<Held>,
}

impl Forger {
    pub(crate) fn boxed(forge: impl FnMut(u32, u32, &mut [u16]) + Send + 'static) -> Box<dyn Device> {
        let stroll = Box::new(|held: &Held, word| held.checkpoints(word, |at| held.line(at)));
        Box::new(Self { forge: Box::new(forge), stroll, held: None })
    }

    /// Computes everything rightly and walks as `stroll` does.
    pub(crate) fn walking(stroll: impl FnMut(&Held, u64) -> Vec<u64> + Send + 'static) -> Box<dyn Device> {
        Box::new(Self { forge: Box::new(|_, _, _| {}), stroll: Box::new(stroll), held: None })
    }

    /// Leaves out the rows for which `skip` says so.
    pub(crate) fn skipping(skip: impl Fn(u32, u32) -> bool + Send + 'static) -> Box<dyn Device> {
        Self::boxed(move |round, row, residues| {
            if skip(round, row) {
                residues.fill(0);
            }
        })
    }

    fn held(&self) -> Result<&Held, DeviceError> {
        self.held.as_ref().ok_or(DeviceError::NotFilled)
    }
}

impl Device for Forger {
    fn start(&mut self, job: FillJob) -> Result<(), DeviceError> {
        let Params { inner, cols, .. } = job.params;
        let b = matrix::whole(&seed::matrix_b_key(&job.epoch_seed), inner, cols);
        let (mut held, mut root) = (Held::new(job.params), ROOT_BEFORE_FIRST);
        for round in 0..job.params.rounds {
            let key = seed::matrix_a_key(&job.gpu_seed, round, &root);
            let mut bytes = Vec::new();
            for row in 0..job.params.rows {
                let mut residues = matrix::row_times(&matrix::row(&key, row, inner), &b, cols as usize);
                (self.forge)(round, row, &mut residues);
                bytes.extend(matrix::to_bytes(&residues));
            }
            root = held.push(bytes);
        }
        self.held = Some(held);
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Bytes32>, DeviceError> {
        Ok(self.held()?.roots())
    }

    fn open(&mut self, round: u32, row: u32) -> Result<Opening, DeviceError> {
        self.held()?.open(round, row)
    }

    fn start_walk(&mut self, word: u64) -> Result<(), DeviceError> {
        let held = self.held.as_mut().ok_or(DeviceError::NotFilled)?;
        let checkpoints = (self.stroll)(held, word);
        held.keep_walk(word, &checkpoints);
        Ok(())
    }

    fn finish_walk(&mut self) -> Result<Bytes32, DeviceError> {
        self.held()?.walk_root()
    }

    fn open_leg(&mut self, walker: u32, leg: u32) -> Result<Vec<Leaf>, DeviceError> {
        self.held()?.open_leg(walker, leg)
    }

    fn release(&mut self) {
        self.held = None;
    }
}
