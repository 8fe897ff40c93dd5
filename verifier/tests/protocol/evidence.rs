//! What is kept after a session leads anybody to the same verdict, and nothing else does.

use surety_verifier::evidence::{
    FrameBytes, FraudProof, PublicError, PublicFinding, ReplayError, recheck_public, replay,
};
use surety_verifier::frame::{Frame, encode};
use surety_verifier::freivalds::RowFault;
use surety_verifier::params::Params;
use surety_verifier::session::{Challenge, Limits, Outcome};
use surety_verifier::transcript::{End, Party, Transcript, TranscriptError};
use surety_verifier::verdict::{BadRow, Falsehood, Verdict};

use crate::rig::{Forger, TINY, challenge, cpus, measure, measure_changed, proven, prover, run, run_timed, secrets};

fn honest() -> Outcome {
    measure(TINY, [1; 32], cpus(1))
}

fn liar() -> Outcome {
    measure(TINY, [1; 32], vec![Forger::skipping(|_, row| row % 4 == 0)])
}

fn late() -> Outcome {
    let limits = Limits { compute_pass_ms: 10, ..Limits::cpu_test() };
    let mut prover = prover(cpus(1));
    let challenge = Challenge { limits, ..challenge(TINY, 1, [1; 32]) };
    run_timed(challenge, |frame| prover.on_frame(frame).unwrap(), |_| 40)
}

fn silent() -> Outcome {
    measure_changed(TINY, |frames| if matches!(frames.first(), Some(Frame::Row(_))) { Vec::new() } else { frames })
}

fn garbled() -> Outcome {
    measure_changed(TINY, |frames| match frames.first() {
        Some(Frame::Root(_)) => vec![Frame::Hello(surety_verifier::frame::Hello { version: 2 })],
        _ => frames,
    })
}

fn all() -> [Outcome; 5] {
    [honest(), liar(), late(), silent(), garbled()]
}

#[test]
fn every_transcript_replays_to_the_verdict_of_the_live_session() {
    for outcome in all() {
        assert_eq!(replay(&outcome.transcript, &secrets(&TINY)), Ok(outcome.verdict));
    }
    let ends: Vec<_> = all().into_iter().map(|outcome| outcome.transcript.end).collect();
    assert!(matches!(ends[3], End::TimedOut { .. }) && matches!(ends[4], End::Malformed { .. }));
}

#[test]
fn a_transcript_survives_its_bytes_and_its_json() {
    for Outcome { transcript, .. } in all() {
        let bytes = transcript.to_bytes();
        assert_eq!(Transcript::from_bytes(&bytes).unwrap(), transcript);
        let json = serde_json::to_string(&transcript).unwrap();
        let back: Transcript = serde_json::from_str(&json).unwrap();
        assert_eq!(back, transcript);
        assert_eq!(back.digest(), transcript.digest());
    }
}

#[test]
fn no_changed_frame_replays_to_the_same_verdict() {
    for outcome in [honest(), liar()] {
        let secrets = secrets(&TINY);
        for event in 0..outcome.transcript.events.len() {
            let length = outcome.transcript.events[event].frame.len();
            for byte in [0, 4, 5, length / 2, length - 1] {
                let mut tampered = outcome.transcript.clone();
                tampered.events[event].frame[byte] ^= 1;
                let verdict = replay(&tampered, &secrets);
                assert_ne!(verdict, Ok(outcome.verdict), "event {event}, byte {byte}");
                assert_ne!(tampered.digest(), outcome.transcript.digest());
            }
        }
    }
}

#[test]
fn frames_left_out_added_or_exchanged_do_not_replay() {
    let (outcome, secrets) = (honest(), secrets(&TINY));
    let tamper = |change: fn(&mut Transcript)| {
        let mut tampered = outcome.transcript.clone();
        change(&mut tampered);
        replay(&tampered, &secrets)
    };
    assert_eq!(tamper(|transcript| drop(transcript.events.pop())), Err(ReplayError::Differs));
    assert_eq!(tamper(|transcript| drop(transcript.events.remove(0))), Err(ReplayError::Differs));
    assert_eq!(tamper(|transcript| transcript.events.swap(0, 1)), Err(ReplayError::Differs));
    assert_eq!(tamper(|transcript| transcript.events.truncate(50)), Err(ReplayError::End));
    let more = tamper(|transcript| transcript.events.push(transcript.events[1].clone()));
    assert_eq!(more, Err(ReplayError::End));
    assert_eq!(tamper(|transcript| transcript.started_ms += 1), Err(ReplayError::Differs));
    assert_eq!(tamper(|transcript| transcript.events[3].at_ms -= 1), Err(ReplayError::Differs));
    assert_eq!(tamper(|transcript| transcript.end = End::TimedOut { at_ms: 5 }), Err(ReplayError::Differs));
    assert!(tamper(|transcript| transcript.challenge.session_random[0] ^= 1) != Ok(outcome.verdict));
    assert!(matches!(tamper(|transcript| transcript.challenge.epoch.seed[0] ^= 1), Err(ReplayError::Setup(_))));
}

#[test]
fn anybody_confirms_an_honest_machines_rows_without_a_secret() {
    assert_eq!(recheck_public(&honest().transcript), Ok(PublicFinding::Right { rows: 32, legs: 16, complete: true }));
    assert_eq!(recheck_public(&late().transcript), Ok(PublicFinding::Right { rows: 32, legs: 16, complete: true }));
    assert_eq!(recheck_public(&silent().transcript), Ok(PublicFinding::Right { rows: 0, legs: 0, complete: false }));
    assert_eq!(recheck_public(&garbled().transcript), Ok(PublicFinding::NothingSigned));
}

#[test]
fn rows_that_are_not_under_the_signed_root_are_neither_right_nor_fraud() {
    let outcome = measure_changed(TINY, |mut frames| {
        if let Some(Frame::Row(row)) = frames.get_mut(9) {
            row.block[0] ^= 1;
        }
        frames
    });
    let found = recheck_public(&outcome.transcript);
    assert_eq!(found, Ok(PublicFinding::Right { rows: 9, legs: 0, complete: false }));
}

#[test]
fn a_transcript_beyond_its_bounds_is_refused() {
    let with = |change: fn(&mut Transcript)| {
        let mut transcript = garbled().transcript;
        change(&mut transcript);
        Transcript::from_bytes(&transcript.to_bytes())
    };
    let detail = |length| End::Malformed { at_ms: 0, detail: "x".repeat(length) };
    let [fits, too_long] = [detail(512), detail(513)];
    let mut transcript = garbled().transcript;
    transcript.end = fits;
    assert_eq!(Transcript::from_bytes(&transcript.to_bytes()), Ok(transcript.clone()));
    transcript.end = too_long;
    assert_eq!(Transcript::from_bytes(&transcript.to_bytes()), Err(TranscriptError::Form));
    let more = with(|transcript| transcript.events = vec![transcript.events[1].clone(); 1_331]);
    assert_eq!(more, Err(TranscriptError::Form));
    let cut = with(|transcript| transcript.events[1].frame.truncate(9));
    assert_eq!(cut, Err(TranscriptError::Event { event: 1 }));
    let nothing = vec![0; surety_verifier::limits::TRANSCRIPT_BYTES_MAX + 1];
    assert_eq!(Transcript::from_bytes(&nothing), Err(TranscriptError::TooLong(nothing.len())));
}

#[test]
fn anybody_proves_fraud_from_three_frames_without_a_secret() {
    let outcome = liar();
    let Ok(PublicFinding::Fraud(bad_row, proof)) = recheck_public(&outcome.transcript) else { panic!("no fraud") };
    assert_eq!(outcome.verdict, Verdict::Fraud(bad_row));
    let json = serde_json::to_string(&proof).unwrap();
    let proven = serde_json::from_str::<FraudProof>(&json).unwrap().verify().unwrap();
    assert_eq!(proven.falsehood, bad_row);
    assert_eq!(proven.start.machine, outcome.transcript.challenge.machine);
}

#[test]
fn a_fraud_proof_against_an_honest_machine_proves_nothing() {
    let transcript = honest().transcript;
    let find = |party, wanted: fn(&Frame) -> bool| encode(&transcript.frames_from(party).find(wanted).unwrap());
    let start = find(Party::Keeper, |frame| matches!(frame, Frame::Start(_)));
    let root = find(Party::Machine, |frame| matches!(frame, Frame::Root(_)));
    let row = find(Party::Machine, |frame| matches!(frame, Frame::Row(_)));
    let (start_bytes, row_bytes) = (start.len(), row.len());
    let honest = FraudProof { frames: [start, root, row].map(FrameBytes).to_vec() };
    assert_eq!(honest.verify(), Err(PublicError::RowIsRight));
    for byte in 5..start_bytes {
        let mut proof = honest.clone();
        proof.frames[0].0[byte] ^= 1;
        let found = proof.verify().unwrap_err();
        assert!(!matches!(found, PublicError::RowIsRight), "byte {byte} of the work is not signed");
    }
    for byte in [19, 200, 600, row_bytes - 1] {
        let mut proof = honest.clone();
        proof.frames[2].0[byte] ^= 1;
        assert_eq!(proof.verify(), Err(PublicError::RowNotCommitted), "byte {byte} of the row");
    }
    let mut cut = honest.clone();
    cut.frames[2].0.truncate(99);
    assert_eq!(cut.verify(), Err(PublicError::Frame("row")));
    for (kept, missing) in [(0, "start"), (1, "root"), (2, "last")] {
        let short = FraudProof { frames: honest.frames[..kept].to_vec() };
        assert_eq!(short.verify(), Err(PublicError::Frame(missing)));
    }
}

#[test]
fn a_row_that_is_no_residue_is_public_fraud_too() {
    let params = Params { openings: 128, ..TINY };
    let device = Forger::boxed(|_, _, residues| residues[5] = u16::MAX);
    let outcome = measure(params, [1; 32], vec![device]);
    let Ok(PublicFinding::Fraud(bad_row, _)) = recheck_public(&outcome.transcript) else { panic!("no fraud") };
    assert!(matches!(bad_row, Falsehood::Row(BadRow { fault: RowFault::NotAResidue, .. })));
    assert_eq!(outcome.verdict, Verdict::Fraud(bad_row));
}

#[test]
fn the_epochs_secret_once_revealed_opens_the_epoch_and_no_other_does() {
    let epoch = challenge(TINY, 1, [1; 32]).epoch;
    assert!(epoch.opened_by(&[0x33; 32]));
    assert!(!epoch.opened_by(&[0x34; 32]));
    let other_block = surety_verifier::freivalds::Epoch { block_hash: [0; 32], ..epoch };
    assert!(!other_block.opened_by(&[0x33; 32]));
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let shown = format!("{:?} {:?}", secrets(&TINY), challenge(TINY, 1, [0xab; 32]));
    assert!(!shown.contains("171, 171") && !shown.contains("abab") && !shown.contains("vectors: [["));
    let outcome = run(challenge(TINY, 1, [1; 32]), |_| Vec::new());
    assert_ne!(outcome.verdict, proven(1));
}
