//! What is done with hostile bytes: by cargo-fuzz, and by `tests/corpora.rs` as plain tests. Each panics when a rule is
//! broken.

use ed25519_dalek::SigningKey;
use std::sync::{Arc, LazyLock};
use surety_verifier::classes::ClassId;
use surety_verifier::device::{Atop, CpuDevice, Device, DeviceError, FillJob, Over};
use surety_verifier::evidence::{PublicFinding, recheck_public};
use surety_verifier::frame::{Decoder, Frame, Side, encode};
use surety_verifier::freivalds::EpochSecrets;
use surety_verifier::gauge::wire::{ASK_BYTES, DECLINED};
use surety_verifier::gauge::{ANSWER_BYTES_MAX, Ask, CHUNK_BYTES, Gauge, Sizes};
use surety_verifier::params::Params;
use surety_verifier::session::{Caps, Challenge, Claims, KeeperSession, Limits, Next, Outcome, ProverSession};
use surety_verifier::transcript::Transcript;
use surety_verifier::verdict::Verdict;

/// 8 KiB in two rounds, two rows of which are opened: a session in a fraction of a millisecond.
pub(crate) const PARAMS: Params =
    Params { inner: 64, cols: 64, rows: 32, rounds: 2, vectors: 1, openings: 2, walkers: 16, hops: 512, legs: 2 };

static SECRETS: LazyLock<Arc<EpochSecrets>> =
    LazyLock::new(|| Arc::new(EpochSecrets::new([1; 32], &[2; 32], &[3; 32], &PARAMS)));

/// Panics when bytes break a rule.
pub(crate) type Target = fn(&[u8]);

/// Every target by its name, which is that of its corpus.
pub(crate) const ALL: [(&str, Target); 5] =
    [("frames", frames), ("transcript", transcript), ("keeper", keeper), ("prover", prover), ("gauge", gauge)];

/// Soft figures of a disk alone, as little of it as there may be.
pub(crate) const SIZES: Sizes = Sizes {
    steps: 2,
    memory_max_bytes: 0,
    memory_reads: 1,
    disk_bytes: CHUNK_BYTES,
    disk_writes: 2,
    disk_reads: 2,
    line_bytes: 100,
};

/// The machine whose answers are in the corpora.
pub(crate) fn machine_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// What that machine is asked.
pub(crate) fn challenge() -> Challenge {
    Challenge {
        chain_id: 31_337,
        keeper: [4; 20],
        machine: machine_key().verifying_key().to_bytes(),
        registration: 5,
        class: ClassId::CPU_TEST,
        count: 1,
        params: PARAMS,
        epoch: *SECRETS.epoch(),
        session_random: [6; 32],
        limits: Limits::cpu_test(),
    }
}

/// A session that begins at 0.
pub(crate) fn keeper_session() -> (KeeperSession, Vec<Frame>) {
    KeeperSession::new(challenge(), Arc::clone(&SECRETS), 0).expect("the challenge is one that can be measured")
}

/// The machine's side, which computes no more than `PARAMS` asks for.
pub(crate) fn prover_session() -> ProverSession<SigningKey> {
    let challenge = challenge();
    let claims = Claims {
        chain_id: challenge.chain_id,
        registration: challenge.registration,
        class: challenge.class,
        keeper: Some(challenge.keeper),
        caps: Caps::of(&PARAMS),
    };
    ProverSession::new(vec![Box::new(Atop(Bounded(CpuDevice::new())))], machine_key(), claims).expect("one device")
}

/// A decoder gives the frames whose bytes came and no others, and holds no more than came.
pub(crate) fn frames(bytes: &[u8]) {
    for side in [Side::FromKeeper, Side::FromMachine] {
        let (mut decoder, mut rest, mut again) = (Decoder::new(side), bytes, Vec::new());
        while !rest.is_empty() {
            match decoder.take(&mut rest) {
                Ok(Some(frame)) => again.extend(encode(&frame)),
                Ok(None) => assert!(rest.is_empty(), "bytes are left, and no frame is whole"),
                Err(error) => {
                    assert_eq!(decoder.take(&mut rest), Err(error), "a broken stream stays broken");
                    assert_eq!(decoder.held_bytes(), 0);
                    break;
                }
            }
            assert!(again.len() + decoder.held_bytes() <= bytes.len(), "more is held than came");
        }
        assert!(bytes.starts_with(&again), "a frame has two forms");
    }
}

/// Canonical bytes are the only bytes of a transcript.
pub(crate) fn transcript(bytes: &[u8]) {
    if let Ok(transcript) = Transcript::from_bytes(bytes) {
        assert_eq!(transcript.to_bytes(), bytes, "a transcript has two forms");
        let json = serde_json::to_vec(&transcript).expect("every transcript has a JSON form");
        assert_eq!(serde_json::from_slice::<Transcript>(&json).ok(), Some(transcript), "JSON says something else");
    }
}

/// Whatever a machine sends and whenever, a session ends by its deadlines, and nothing that the honest machine of the
/// corpus signed ever becomes fraud.
///
/// `bytes` are pieces: tenths of a second until it comes, length (0 is 256), that many bytes.
pub(crate) fn keeper(bytes: &[u8]) {
    let ((mut session, _), mut decoder) = (keeper_session(), Decoder::new(Side::FromMachine));
    let (mut now_ms, mut rest) = (0_u64, bytes);
    while let [wait, length, tail @ ..] = rest {
        now_ms += u64::from(*wait) * 100;
        let most = if *length == 0 { 256 } else { usize::from(*length) };
        let (mut piece, left) = tail.split_at(most.min(tail.len()));
        rest = left;
        while !piece.is_empty() {
            let next = match decoder.take(&mut piece) {
                Ok(None) => break,
                Ok(Some(frame)) => session.on_frame(frame, now_ms),
                Err(error) => session.on_malformed(&error, now_ms).map(|outcome| Next::Done(Box::new(outcome))),
            };
            if let Next::Done(outcome) = next.expect("the session is not over") {
                return judged(&outcome);
            }
        }
        assert!(session.deadline_ms() <= now_ms + Limits::cpu_test().total_ms(), "no deadline");
    }
    let outcome = session.on_timeout(session.deadline_ms() + 1).expect("the session is not over, and time is up");
    assert!(matches!(outcome.verdict, Verdict::Unmeasured(_)), "{:?}", outcome.verdict);
}

/// No fraud; and proven is only what stands recomputed.
fn judged(outcome: &Outcome) {
    let finding = recheck_public(&outcome.transcript);
    match outcome.verdict {
        Verdict::Fraud(_) => panic!("the honest machine is called a liar: {:?}", outcome.verdict),
        Verdict::Proven { .. } => assert!(matches!(finding, Ok(PublicFinding::Right { complete: true, .. }))),
        Verdict::Underperforming(_) | Verdict::Unmeasured(_) => {}
    }
}

/// A device that says so when it is given more than `PARAMS` asks for.
struct Bounded(CpuDevice);

impl Over for Bounded {
    fn inner(&mut self) -> &mut dyn Device {
        &mut self.0
    }

    fn start(&mut self, job: FillJob) -> Result<(), DeviceError> {
        let (most, asked) = (Caps::of(&PARAMS), Caps::of(&job.params));
        let within = most.device_bytes >= asked.device_bytes
            && most.operations >= asked.operations
            && most.walk_bytes >= asked.walk_bytes;
        assert!(within, "more than the machine allows: {:?}", job.params);
        self.0.start(job)
    }
}

/// Whatever a keeper sends, a machine answers or refuses, and computes no more than it allows.
pub(crate) fn prover(bytes: &[u8]) {
    let (mut session, mut decoder, mut rest) = (prover_session(), Decoder::new(Side::FromKeeper), bytes);
    while let Ok(Some(frame)) = decoder.take(&mut rest) {
        match session.on_frame(frame) {
            Ok(answers) => answers.iter().for_each(|answer| drop(encode(answer))),
            Err(error) => return drop(encode(&error.farewell())),
        }
    }
}

/// Whatever a machine answers, a keeper that asks for soft figures takes it or ends; and a question has one form.
pub(crate) fn gauge(bytes: &[u8]) {
    for raw in bytes.as_chunks::<ASK_BYTES>().0 {
        if let Ok(ask) = Ask::decode(raw) {
            assert_eq!(ask.encode(), *raw, "a question has two forms");
            assert!(ask.task.answer_bytes() < ANSWER_BYTES_MAX);
        }
    }
    let (mut gauge, mut rest) = (Gauge::new([1; 32], SIZES), bytes);
    while let (Some(ask), Some((head, after))) = (gauge.ask(), rest.split_first()) {
        if *head == DECLINED {
            (rest, _) = (after, gauge.declined());
            continue;
        }
        let Some((answer, after)) = after.split_at_checked(ask.task.answer_bytes()) else { return };
        if gauge.answered(answer, 1_000).is_err() {
            return;
        }
        rest = after;
    }
}
