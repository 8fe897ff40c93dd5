#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::{Arc, LazyLock};

use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use super::*;
use crate::classes::ClassId;
use crate::device::CpuDevice;
use crate::evidence::replay;
use crate::frame::tests::any_frame;
use crate::frame::{DecodeError, Decoder, Frame, Side, encode};
use crate::freivalds::EpochSecrets;
use crate::params::Params;
use crate::transcript::Transcript;
use crate::verdict::Verdict;

const PARAMS: Params =
    Params { inner: 64, cols: 64, rows: 32, rounds: 2, vectors: 1, openings: 2, walkers: 16, hops: 512, legs: 2 };

static SECRETS: LazyLock<Arc<EpochSecrets>> =
    LazyLock::new(|| Arc::new(EpochSecrets::new([1; 32], &[2; 32], &[3; 32], &PARAMS)));

fn key() -> SigningKey {
    SigningKey::from_bytes(&[4; 32])
}

fn challenge() -> Challenge {
    Challenge {
        chain_id: 31_337,
        keeper: [5; 20],
        machine: key().verifying_key().to_bytes(),
        registration: 6,
        class: ClassId::CPU_TEST,
        count: 1,
        params: PARAMS,
        epoch: *SECRETS.epoch(),
        session_random: [7; 32],
        limits: Limits::cpu_test(),
    }
}

fn prover() -> ProverSession<SigningKey> {
    let class = ClassId::CPU_TEST;
    let claims = Claims { chain_id: 31_337, registration: 6, class, keeper: None, caps: Caps::cpu() };
    ProverSession::new(vec![Box::new(CpuDevice::new())], key(), claims).unwrap()
}

/// A session in which the machine is honest except that answer number `at` is `strange`.
fn with_strange_answer(at: usize, strange: Frame) -> Outcome {
    let (mut session, mut sent) = KeeperSession::new(challenge(), Arc::clone(&SECRETS), 0).unwrap();
    let (mut prover, mut strange, mut answered) = (prover(), Some(strange), 0);
    while !sent.is_empty() {
        let mut answers = Vec::new();
        for frame in sent.drain(..) {
            answers.extend(prover.on_frame(frame).unwrap());
        }
        for mut answer in answers {
            if answered == at {
                answer = strange.take().unwrap_or(answer);
            }
            answered += 1;
            match session.on_frame(answer, answered as u64).unwrap() {
                Next::Send(frames) => sent = frames,
                Next::Wait | Next::Ready => {}
                Next::Done(outcome) => return *outcome,
            }
        }
    }
    session.on_timeout(session.deadline_ms() + 1).unwrap()
}

/// Any frame that the keeper's decoder lets through.
fn machine_frame() -> impl Strategy<Value = Frame> {
    any_frame().prop_filter("a machine's", |frame| {
        let taken = Decoder::new(Side::FromMachine).take(&mut &encode(frame)[..]);
        !matches!(taken, Err(DecodeError::Type(_)))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_frame_at_any_point_panics_a_keeper_or_makes_an_honest_machine_a_fraud(at in 0_usize..28,
                                                                                strange in machine_frame()) {
        let outcome = with_strange_answer(at, strange);
        prop_assert!(!matches!(outcome.verdict, Verdict::Fraud(_)));
        prop_assert_eq!(replay(&outcome.transcript, &SECRETS), Ok(outcome.verdict));
    }

    #[test]
    fn no_frames_panic_a_prover_and_none_follows_the_end(frames in prop::collection::vec(any_frame(), 1..5)) {
        let mut prover = prover();
        let mut over = false;
        for frame in frames {
            let failed = prover.on_frame(frame).is_err();
            prop_assert!(!over || failed);
            over |= failed;
            prop_assert!(!over || prover.is_done());
        }
    }

    #[test]
    fn no_bytes_panic_the_transcript_decoder(bytes in prop::collection::vec(any::<u8>(), 0..500),
                                             at in any::<prop::sample::Index>()) {
        prop_assert!(Transcript::from_bytes(&bytes).is_err());
        // And neither do those that begin well.
        let good = with_strange_answer(99, Frame::Bye(crate::frame::Bye { code: crate::frame::ByeCode::Busy }));
        let mut whole = good.transcript.to_bytes();
        let at = at.index(whole.len());
        let end = whole.len().min(at + bytes.len());
        whole[at..end].copy_from_slice(&bytes[..end - at]);
        if let Ok(transcript) = Transcript::from_bytes(&whole) {
            prop_assert_eq!(transcript.to_bytes(), whole);
        }
    }
}
