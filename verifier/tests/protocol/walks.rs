//! Lies about the walk: memory that is not there, legs that nobody went, walks of another time or walker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use surety_verifier::device::Held;
use surety_verifier::evidence::{FrameBytes, FraudProof, PublicError, PublicFinding, recheck_public, replay};
use surety_verifier::frame::{Frame, Segment, Walked, encode};
use surety_verifier::seed::LegAt;
use surety_verifier::session::{Challenge, Limits, Outcome};
use surety_verifier::statement::{Signer, Statement, WalkStatement};
use surety_verifier::transcript::Party;
use surety_verifier::verdict::{Falsehood, Phase, Shortfall, Unmeasured, Verdict};
use surety_verifier::walk::Line;

use crate::rig::{
    Forger, TINY, challenge, cpus, machine_key, measure, measure_changed, proven, prover, run, run_timed, secrets,
};

/// Legs of each walker, and of all.
const EACH: usize = 16;
const ALL: usize = 256;

fn honest(held: &Held, word: u64) -> Vec<u64> {
    held.checkpoints(word, |at| held.line(at))
}

fn strolled(stroll: impl FnMut(&Held, u64) -> Vec<u64> + Send + 'static) -> Outcome {
    measure(TINY, [1; 32], vec![Forger::walking(stroll)])
}

fn wrong_leg(verdict: Verdict) -> LegAt {
    match verdict {
        Verdict::Fraud(Falsehood::Leg(at)) => at,
        other => panic!("{other:?} is not a wrong leg"),
    }
}

#[test]
fn checkpoints_that_nobody_walked_are_fraud() {
    wrong_leg(strolled(|_, word| (0..ALL as u64).map(|number| word ^ number).collect()).verdict);
}

#[test]
fn a_walk_over_memory_that_lacks_a_part_is_fraud() {
    // One line in fifty is not there: a leg of 32 hops comes by one with 48 %.
    static NOTHING: Line = [0; 128];
    let lacking =
        |held: &Held, word| held.checkpoints(word, |at| if at % 50 == 0 { Some(&NOTHING) } else { held.line(at) });
    wrong_leg(strolled(lacking).verdict);
}

#[test]
fn one_walker_shown_for_all_of_them_is_fraud() {
    let copied = |held: &Held, word| honest(held, word)[..EACH].repeat(ALL / EACH);
    assert_ne!(wrong_leg(strolled(copied).verdict).walker, 0, "the one that was walked is right");
}

#[test]
fn a_walk_taken_before_its_nonce_was_known_is_fraud() {
    wrong_leg(strolled(|held, _| honest(held, 0x0123_4567)).verdict);
}

#[test]
fn a_walk_in_circles_is_fraud() {
    // Two legs are walked and shown again and again: every third one at the latest does not follow.
    let circling = |held: &Held, word| {
        let right = honest(held, word);
        right.chunks(EACH).flat_map(|walker| walker[..2].repeat(EACH / 2)).collect()
    };
    assert!(wrong_leg(strolled(circling).verdict).leg >= 2);
}

#[test]
fn the_walk_of_one_gpu_shown_for_two_is_fraud() {
    let first = Arc::new(std::sync::Mutex::new(None::<u64>));
    let twin = || {
        let first = Arc::clone(&first);
        Forger::walking(move |held, word| honest(held, *first.lock().unwrap().get_or_insert(word)))
    };
    let at = wrong_leg(measure(TINY, [1; 32], vec![twin(), twin()]).verdict);
    assert_eq!(at.gpu, 1);
}

/// A machine whose memory holds the first `fast_lines` of 512; what is beyond is fetched, or computed again, at 50
/// times the cost. A fast read takes a microsecond.
fn measure_with_memory(fast_lines: u32) -> Verdict {
    let took_us = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&took_us);
    let device = Forger::walking(move |held, word| {
        held.checkpoints(word, |at| {
            clock.fetch_add(if at < fast_lines { 1 } else { 50 }, SeqCst);
            held.line(at)
        })
    });
    let limits = Limits { walk_pass_ms: 12, ..Limits::cpu_test() };
    let challenge = Challenge { limits, ..challenge(TINY, 1, [1; 32]) };
    let mut prover = prover(vec![device]);
    let delay = |frame: &Frame| if matches!(frame, Frame::Walk(_)) { took_us.load(SeqCst) / 1_000 } else { 1 };
    run_timed(challenge, |frame| prover.on_frame(frame).unwrap(), delay).verdict
}

fn late_ms(verdict: Verdict) -> u64 {
    match verdict {
        Verdict::Underperforming(Shortfall { phase: Phase::Walk, took_ms, allowed_ms: 12 }) => took_ms,
        other => panic!("{other:?} is not a slow walk"),
    }
}

#[test]
fn results_that_are_not_in_fast_memory_are_late_and_keeping_nothing_is_latest() {
    assert_eq!(measure_with_memory(512), proven(1), "8192 hops take 8 ms");
    let spilled_ms = late_ms(measure_with_memory(384));
    assert!((95..120).contains(&spilled_ms), "{spilled_ms}: a quarter at 50 us");
    let forgotten_ms = late_ms(measure_with_memory(0));
    assert!((400..420).contains(&forgotten_ms), "{forgotten_ms}: all at 50 us");
}

/// Frames of the machine after the walk, changed.
fn changed(change: impl Fn(&mut Vec<Frame>)) -> Verdict {
    let outcome = measure_changed(TINY, |mut frames| {
        change(&mut frames);
        frames
    });
    outcome.verdict
}

fn walked(change: impl Fn(&mut Walked)) -> Verdict {
    changed(|frames| {
        if let Some(Frame::Walked(walked)) = frames.first_mut() {
            change(walked);
        }
    })
}

#[test]
fn a_walk_of_other_sizes_or_not_signed_as_it_is_measures_nothing() {
    let long = walked(|walked| walked.roots.extend_from_within(..));
    assert_eq!(long, Verdict::Unmeasured(Unmeasured::WalkShape));
    let signature = Verdict::Unmeasured(Unmeasured::Signature);
    assert_eq!(walked(|walked| walked.roots[0][0] ^= 1), signature);
    assert_eq!(walked(|walked| walked.signature[0] ^= 1), signature);
}

#[test]
fn a_walk_signed_by_another_host_key_or_in_another_session_measures_nothing() {
    let start = challenge(TINY, 1, [9; 32]).start();
    let mut old = None;
    let resigned = measure_changed(TINY, |mut frames| {
        if let Some(Frame::Walked(walked)) = frames.first_mut() {
            old = Some(walked.clone());
            let (machine, roots) = (start.machine, &walked.roots[..]);
            let other = WalkStatement { machine, results: [0; 32], nonce: [0; 32], roots };
            walked.signature = Signer::sign(&machine_key(2), &other.message()).unwrap();
        }
        frames
    });
    assert_eq!(resigned.verdict, Verdict::Unmeasured(Unmeasured::Signature));
    let (old, mut prover) = (old.unwrap(), prover(cpus(1)));
    let outcome = run(challenge(TINY, 1, [10; 32]), |frame| match frame {
        Frame::Walk(_) => vec![Frame::Walked(old.clone())],
        frame => prover.on_frame(frame).unwrap(),
    });
    assert_eq!(outcome.verdict, Verdict::Unmeasured(Unmeasured::Signature));
}

#[test]
fn the_signature_of_a_walk_is_for_its_results_nonce_and_roots_and_never_one_of_results() {
    let (results, nonce, roots) = ([1; 32], [2; 32], [[3; 32], [4; 32]]);
    let statement = WalkStatement { machine: [0; 32], results, nonce, roots: &roots };
    let digest = statement.digest();
    assert_ne!(WalkStatement { results: nonce, ..statement }.digest(), digest);
    assert_ne!(WalkStatement { nonce: results, ..statement }.digest(), digest);
    assert_ne!(WalkStatement { roots: &roots[..1], ..statement }.digest(), digest);
    let start = challenge(TINY, 1, [9; 32]).start();
    let of_results = Statement::answering(&start, &roots).message();
    assert_ne!(statement.message()[..24], of_results[..24]);
}

fn segment(change: impl Fn(&mut Segment)) -> Verdict {
    changed(|frames| {
        if let Some(Frame::Segment(segment)) = frames.get_mut(35) {
            change(segment);
        }
    })
}

#[test]
fn a_leg_that_what_was_signed_does_not_cover_is_not_evidence_against_the_machine() {
    let not_committed = |verdict| matches!(verdict, Verdict::Unmeasured(Unmeasured::LegNotCommitted { .. }));
    for leaf in [0, 1, 2, 20, 32] {
        assert!(not_committed(segment(|segment| segment.leaves[leaf].bytes[100] ^= 1)), "leaf {leaf}");
        assert!(not_committed(segment(|segment| segment.leaves[leaf].path[0][0] ^= 1)), "leaf {leaf}");
    }
    assert!(not_committed(segment(|segment| segment.leaves[3].path.truncate(2))));
    assert!(not_committed(segment(|segment| segment.leaves[3].path.push([0; 32]))));
    assert!(not_committed(segment(|segment| drop(segment.leaves.pop()))));
    assert!(not_committed(segment(|segment| segment.leaves.swap(4, 5))));
    assert!(not_committed(segment(|segment| segment.leaves.truncate(1))));
    let more = segment(|segment| {
        let last = segment.leaves[segment.leaves.len() - 1].clone();
        segment.leaves.resize(34, last.clone());
        segment.leaves[33] = last;
    });
    assert!(not_committed(more) || more == proven(1), "a walker's first leg has 33 leaves, any other 34");
}

#[test]
fn legs_in_another_order_twice_missing_or_before_the_rows_measure_nothing() {
    let after_rows = |change: fn(&mut Vec<Frame>)| {
        changed(|frames| {
            if matches!(frames.first(), Some(Frame::Row(_))) {
                change(frames);
            }
        })
    };
    let out_of_order = |verdict| matches!(verdict, Verdict::Unmeasured(Unmeasured::LegOrder { .. }));
    assert!(out_of_order(after_rows(|frames| frames.swap(40, 41))));
    assert!(out_of_order(after_rows(|frames| frames[41] = frames[40].clone())));
    assert!(out_of_order(segment(|segment| segment.at.walker ^= 1)));
    let missing = after_rows(|frames| drop(frames.pop()));
    assert_eq!(missing, Verdict::Unmeasured(Unmeasured::TimedOut { phase: Phase::Open }));
    let early = after_rows(|frames| frames.swap(0, 32));
    assert!(matches!(early, Verdict::Unmeasured(Unmeasured::Unexpected { phase: Phase::Open, .. })));
    let row_again = after_rows(|frames| frames[32] = frames[31].clone());
    assert!(matches!(row_again, Verdict::Unmeasured(Unmeasured::Unexpected { phase: Phase::Open, .. })));
}

#[test]
fn anybody_proves_a_false_walk_from_five_frames_without_a_secret() {
    let outcome = strolled(|_, word| (0..ALL as u64).map(|number| word ^ number).collect());
    let Ok(PublicFinding::Fraud(falsehood, proof)) = recheck_public(&outcome.transcript) else { panic!("no fraud") };
    assert_eq!(outcome.verdict, Verdict::Fraud(falsehood));
    assert_eq!(replay(&outcome.transcript, &secrets(&TINY)), Ok(outcome.verdict));
    assert_eq!(FraudProof::shorten(&outcome.transcript, &falsehood).as_ref(), Some(&*proof));
    let json = serde_json::to_string(&proof).unwrap();
    let proven = serde_json::from_str::<FraudProof>(&json).unwrap().verify().unwrap();
    assert_eq!(proven.falsehood, falsehood);
    assert_eq!(proven.start.machine, outcome.transcript.challenge.machine);
}

#[test]
fn a_proof_of_an_honest_walk_proves_nothing_whatever_is_changed_in_it() {
    let transcript = measure(TINY, [1; 32], cpus(1)).transcript;
    let find =
        |party, wanted: fn(&Frame) -> bool| FrameBytes(encode(&transcript.frames_from(party).find(wanted).unwrap()));
    let honest = FraudProof {
        frames: vec![
            find(Party::Keeper, |frame| matches!(frame, Frame::Start(_))),
            find(Party::Machine, |frame| matches!(frame, Frame::Root(_))),
            find(Party::Keeper, |frame| matches!(frame, Frame::Walk(_))),
            find(Party::Machine, |frame| matches!(frame, Frame::Walked(_))),
            find(Party::Machine, |frame| matches!(frame, Frame::Segment(_))),
        ],
    };
    assert_eq!(honest.verify(), Err(PublicError::LegIsRight));
    for frame in 0..5 {
        let length = honest.frames[frame].0.len();
        for byte in [0, 4, 5, length / 3, length / 2, length - 1] {
            let mut proof = honest.clone();
            proof.frames[frame].0[byte] ^= 1;
            let found = proof.verify();
            assert!(matches!(found, Err(error) if error != PublicError::LegIsRight), "{frame}, {byte}: {found:?}");
        }
    }
    for kept in [3, 4] {
        assert!(FraudProof { frames: honest.frames[..kept].to_vec() }.verify().is_err());
    }
    let twice = [&honest.frames[..], &honest.frames[..]].concat();
    assert!(FraudProof { frames: twice }.verify().is_err());
}
