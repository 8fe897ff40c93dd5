//! Streams that are cut, padded, shuffled or slow measure nothing: they are never fraud.

use surety_verifier::frame::{Bye, ByeCode, DecodeError, Decoder, Frame, FrameType, HelloAck, Side, encode};
use surety_verifier::session::{KeeperSession, Next, Outcome};
use surety_verifier::verdict::{Phase, Unmeasured, Verdict};

use crate::rig::{TINY, challenge, cpus, measure_changed, proven, prover, secrets};

fn change_rows(change: impl Fn(&mut Vec<Frame>)) -> Verdict {
    let outcome = measure_changed(TINY, |mut frames| {
        if matches!(frames.first(), Some(Frame::Row(_))) {
            change(&mut frames);
        }
        frames
    });
    outcome.verdict
}

fn change_row(change: impl Fn(&mut surety_verifier::frame::Row)) -> Verdict {
    change_rows(|frames| {
        if let Some(Frame::Row(row)) = frames.get_mut(3) {
            change(row);
        }
    })
}

#[test]
fn rows_in_another_order_twice_or_not_asked_for_measure_nothing() {
    let out_of_order = |verdict| matches!(verdict, Verdict::Unmeasured(Unmeasured::RowOrder { .. }));
    assert!(out_of_order(change_rows(|frames| frames.swap(0, 1))));
    assert!(out_of_order(change_rows(|frames| frames[1] = frames[0].clone())));
    assert!(out_of_order(change_rows(|frames| drop(frames.remove(5)))));
    assert!(out_of_order(change_row(|row| row.at.row ^= 1)));
}

#[test]
fn fewer_rows_than_asked_for_run_into_the_deadline() {
    let verdict = change_rows(|frames| drop(frames.pop()));
    assert_eq!(verdict, Verdict::Unmeasured(Unmeasured::TimedOut { phase: Phase::Open }));
    let verdict = change_rows(Vec::clear);
    assert_eq!(verdict, Verdict::Unmeasured(Unmeasured::TimedOut { phase: Phase::Open }));
}

#[test]
fn more_rows_than_asked_for_change_nothing() {
    assert_eq!(change_rows(|frames| frames.push(frames[0].clone())), proven(1));
}

#[test]
fn rows_that_the_signed_root_does_not_cover_are_not_evidence_against_the_machine() {
    let not_committed = |verdict| matches!(verdict, Verdict::Unmeasured(Unmeasured::RowNotCommitted { .. }));
    assert!(not_committed(change_row(|row| row.block[100] ^= 1)));
    assert!(not_committed(change_row(|row| row.block.truncate(1023))));
    assert!(not_committed(change_row(|row| row.block.push(0))));
    assert!(not_committed(change_row(|row| row.path[0][0] ^= 1)));
    assert!(not_committed(change_row(|row| row.path.truncate(2))));
    assert!(not_committed(change_row(|row| row.path.push([0; 32]))));
}

#[test]
fn a_root_of_other_sizes_or_with_changed_bytes_measures_nothing() {
    let change = |change: fn(&mut surety_verifier::frame::Root)| {
        let outcome = measure_changed(TINY, |mut frames| {
            if let Some(Frame::Root(root)) = frames.first_mut() {
                change(root);
            }
            frames
        });
        outcome.verdict
    };
    let short = change(|root| {
        root.rounds -= 1;
        root.roots.pop();
    });
    assert_eq!(short, Verdict::Unmeasured(Unmeasured::RootShape));
    let long = change(|root| {
        root.count += 1;
        root.roots.extend_from_within(..);
    });
    assert_eq!(long, Verdict::Unmeasured(Unmeasured::RootShape));
    assert_eq!(change(|root| root.roots[0][0] ^= 1), Verdict::Unmeasured(Unmeasured::Signature));
    assert_eq!(change(|root| root.signature[0] ^= 1), Verdict::Unmeasured(Unmeasured::Signature));
}

#[test]
fn a_frame_out_of_its_place_measures_nothing() {
    let mut at = 0;
    let outcome = measure_changed(TINY, |frames| {
        at += 1;
        if at == 5 { vec![Frame::HelloAck(HelloAck { version: 2, class: frames_class(), count: 1 })] } else { frames }
    });
    let unexpected = Unmeasured::Unexpected { phase: Phase::Echo, kind: FrameType::HelloAck };
    assert_eq!(outcome.verdict, Verdict::Unmeasured(unexpected));
}

fn frames_class() -> surety_verifier::classes::ClassId {
    surety_verifier::classes::ClassId::CPU_TEST
}

#[test]
fn an_echo_changed_or_sent_ahead_measures_nothing() {
    for change in [
        |echo: &mut surety_verifier::frame::Echo| echo.nonce[0] ^= 1,
        |echo: &mut surety_verifier::frame::Echo| echo.sequence += 1,
    ] {
        let outcome = measure_changed(TINY, |mut frames| {
            if let Some(Frame::EchoAck(echo)) = frames.first_mut() {
                change(echo);
            }
            frames
        });
        assert_eq!(outcome.verdict, Verdict::Unmeasured(Unmeasured::EchoMismatch));
    }
}

#[test]
fn another_version_measures_nothing() {
    let outcome = measure_changed(TINY, |mut frames| {
        if let Some(Frame::HelloAck(ack)) = frames.first_mut() {
            ack.version = 3;
        }
        frames
    });
    assert_eq!(outcome.verdict, Verdict::Unmeasured(Unmeasured::Version { theirs: 3 }));
}

#[test]
fn a_machine_that_hangs_up_measures_nothing_in_any_phase() {
    for (answers, phase) in [(0, Phase::Hello), (1, Phase::Echo), (20, Phase::Echo), (21, Phase::Compute)] {
        let verdict = Verdict::Unmeasured(Unmeasured::Disconnected { phase });
        assert_eq!(stop_after(answers, |session| session.on_disconnect(9_999).unwrap()).verdict, verdict);
        let verdict = Verdict::Unmeasured(Unmeasured::Refused { code: ByeCode::Busy });
        assert_eq!(stop_after(answers, refuse).verdict, verdict);
        let verdict = Verdict::Unmeasured(Unmeasured::TimedOut { phase });
        let late = |session: &mut KeeperSession| session.on_timeout(session.deadline_ms() + 1).unwrap();
        assert_eq!(stop_after(answers, late).verdict, verdict);
    }
}

fn refuse(session: &mut KeeperSession) -> Outcome {
    match session.on_frame(Frame::Bye(Bye { code: ByeCode::Busy }), 0).unwrap() {
        Next::Done(outcome) => *outcome,
        next => panic!("{next:?}"),
    }
}

/// A session in which the machine gives this many answers; then `end`.
fn stop_after(answers: usize, end: impl Fn(&mut KeeperSession) -> Outcome) -> Outcome {
    let mut prover = prover(cpus(1));
    let (mut session, mut sent) = KeeperSession::new(challenge(TINY, 1, [9; 32]), secrets(&TINY), 0).unwrap();
    for now_ms in 0..answers {
        let answer = prover.on_frame(sent.remove(0)).unwrap().remove(0);
        match session.on_frame(answer, now_ms as u64).unwrap() {
            Next::Send(frames) => sent = frames,
            next => panic!("{next:?}"),
        }
    }
    end(&mut session)
}

#[test]
fn frames_that_come_after_the_deadline_count_as_a_timeout() {
    let outcome = stop_after(3, |session| {
        let late_ms = session.deadline_ms() + 1;
        match session.on_frame(Frame::Bye(Bye { code: ByeCode::Busy }), late_ms).unwrap() {
            Next::Done(outcome) => *outcome,
            next => panic!("{next:?}"),
        }
    });
    assert_eq!(outcome.verdict, Verdict::Unmeasured(Unmeasured::TimedOut { phase: Phase::Echo }));
}

#[test]
fn bytes_that_trickle_in_do_not_move_the_deadline() {
    stop_after(1, |session| {
        let deadline_ms = session.deadline_ms();
        let mut decoder = Decoder::new(Side::FromMachine);
        let bytes = encode(&Frame::EchoAck(surety_verifier::frame::Echo { sequence: 0, nonce: [0; 16] }));
        for byte in &bytes[..bytes.len() - 1] {
            assert_eq!(decoder.take(&mut std::slice::from_ref(byte)), Ok(None));
        }
        assert_eq!(session.deadline_ms(), deadline_ms);
        session.on_timeout(deadline_ms + 1).unwrap()
    });
}

#[test]
fn a_stream_that_is_not_this_protocol_measures_nothing() {
    let ssh = b"SSH-2.0-OpenSSH_9.6\r\n";
    let oversized = [0, 0x40, 0, 0, FrameType::Root as u8];
    let of_the_other_side = encode(&Frame::Hello(surety_verifier::frame::Hello { version: 2 }));
    for bytes in [&ssh[..], &oversized, &of_the_other_side, &[0, 0, 0, 0, 7], &[0, 0, 0, 1, 12, 99]] {
        let error = Decoder::new(Side::FromMachine).take(&mut &bytes[..]).unwrap_err();
        let outcome = stop_after(2, |session| session.on_malformed(&error, 9).unwrap());
        assert_eq!(outcome.verdict, Verdict::Unmeasured(Unmeasured::Malformed { phase: Phase::Echo }));
    }
    let taken = Decoder::new(Side::FromMachine).take(&mut &oversized[..]);
    assert!(matches!(taken, Err(DecodeError::TooLong { kind: FrameType::Root, .. })));
}
