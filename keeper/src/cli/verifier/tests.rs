//! Sessions between the two real state machines, given to the commands as files.
#![allow(clippy::unwrap_used)]

use super::super::evidence::tests::bundles::{PARAMS, certificate_over, challenge, measured};
use super::super::evidence::tests::capacity::{Astray, Lazy};
use super::*;
use surety_verifier::device::{CpuDevice, FillJob, Opening};
use surety_verifier::frame::{Frame, Row};
use surety_verifier::seed::{self, RowAt};
use surety_verifier::session::{KeeperSession, Next};
use surety_verifier::transcript::Party;

/// The keeper's secret of the epoch in which those sessions were held.
const SECRET: Bytes32 = [2; 32];

fn honest() -> Transcript {
    measured(Box::new(CpuDevice::default()))
}

fn lying() -> Transcript {
    measured(Lazy::boxed())
}

/// A session in which the machine never spoke.
fn silent() -> Transcript {
    let params = PARAMS;
    let secrets = Arc::new(EpochSecrets::new([1; 32], &SECRET, &[3; 32], &params));
    let (mut session, _) = KeeperSession::new(challenge(*secrets.epoch(), params), secrets, 500).unwrap();
    let deadline_ms = session.deadline_ms();
    session.on_timeout(deadline_ms + 1).unwrap().transcript
}

fn json(transcript: &Transcript) -> Vec<u8> {
    serde_json::to_vec(transcript).unwrap()
}

fn replay_bytes(bytes: &[u8], revealed: Option<Bytes32>) -> Result<String> {
    replayed(file::parse(bytes)?, &Known { revealed, ..Known::default() })
}

fn refused<T>(result: Result<T>) -> String {
    format!("{:#}", result.err().unwrap())
}

#[test]
fn a_session_replays_to_its_verdict_with_vectors_that_its_keeper_never_had() {
    let transcript = honest();
    let says = replay_bytes(&json(&transcript), None).unwrap();
    assert!(says.contains("verdict   proven: 1 x CPU test\n"), "{says}");
    assert!(says.contains("shown     all 32 rows and 8 legs that were asked for, recomputed: right"), "{says}");
    assert!(says.contains("was not checked"), "{says}");
    let bundle = serde_json::to_vec(&certificate_over(&transcript)).unwrap();
    for other_form in [transcript.to_bytes(), bundle] {
        assert_eq!(replay_bytes(&other_form, None).unwrap(), says);
    }
}

#[test]
fn a_revealed_secret_must_be_the_one_committed_to_and_the_block_the_one_of_the_chain() {
    let bytes = json(&honest());
    let known = |change: fn(&mut Known)| {
        let mut known = Known { revealed: Some(SECRET), ..Known::default() };
        change(&mut known);
        replayed(file::parse(&bytes).unwrap(), &known)
    };
    let says = known(|_| ()).unwrap();
    assert!(says.contains("the commitment is as the file says, the block hash is as the file says"), "{says}");
    let all = |known: &mut Known| {
        (known.committed, known.block_hash) = (Some(seed::secret_commitment(&SECRET)), Some([1; 32]));
    };
    let says = known(all).unwrap();
    assert!(says.contains("the commitment is the one that you know, the block hash is the one that you"), "{says}");
    assert!(refused(known(|known| known.revealed = Some([9; 32]))).contains("not the one that the file's commitment"));
    assert!(refused(known(|known| known.committed = Some([9; 32]))).contains("made of something else"));
    assert!(refused(known(|known| known.block_hash = Some([9; 32]))).contains("made of something else"));
}

#[test]
fn silence_replays_as_unmeasured_and_proves_no_fraud() {
    let bytes = json(&silent());
    let says = replay_bytes(&bytes, None).unwrap();
    assert!(says.contains("verdict   unmeasured: TimedOut") && says.contains("signed nothing"), "{says}");
    assert!(refused(fraud(file::parse(&bytes).unwrap())).contains("nothing speaks against it"));
}

#[test]
fn fraud_replays_as_fraud_and_its_proof_stands_by_itself() {
    let bytes = json(&lying());
    let says = replay_bytes(&bytes, None).unwrap();
    assert!(says.contains("verdict   fraud: row ") && says.contains("recomputed: that one is wrong"), "{says}");
    let (says, proof) = fraud(file::parse(&bytes).unwrap()).unwrap();
    let alone = serde_json::to_vec(&proof).unwrap();
    assert_eq!(fraud(file::parse(&alone).unwrap()).unwrap(), (says, proof));
    assert!(refused(replay_bytes(&alone, None)).contains("no session to replay"));
}

#[test]
fn a_false_walk_replays_as_fraud_and_its_proof_stands_by_itself() {
    let bytes = json(&measured(Box::new(Astray::default())));
    let says = replay_bytes(&bytes, None).unwrap();
    assert!(says.contains("verdict   fraud: leg ") && says.contains("recomputed: that one is wrong"), "{says}");
    let (says, proof) = fraud(file::parse(&bytes).unwrap()).unwrap();
    assert!(says.contains("wrong     leg ") && says.contains("ends elsewhere than it says"), "{says}");
    let alone = serde_json::to_vec(&proof).unwrap();
    assert_eq!(fraud(file::parse(&alone).unwrap()).unwrap(), (says, proof));
}

#[test]
fn a_wrong_row_shown_out_of_its_turn_is_unmeasured_and_still_a_proof() {
    let lying = lying();
    let machine: Vec<Frame> = lying.frames_from(Party::Machine).collect();
    let secrets = Arc::new(EpochSecrets::new([1; 32], &SECRET, &[3; 32], &lying.challenge.params));
    let (mut session, _) = KeeperSession::new(lying.challenge.clone(), secrets, 500).unwrap();
    let upto_root = machine.iter().take_while(|frame| !matches!(frame, Frame::Row(_)));
    upto_root.for_each(|frame| drop(session.on_frame(frame.clone(), 600).unwrap()));
    let Some(Frame::Row(first)) = machine.iter().find(|frame| matches!(frame, Frame::Row(_))) else { panic!("no row") };
    let at = RowAt { row: first.at.row ^ 1, ..first.at };
    let (params, epoch_seed) = (lying.challenge.params, lying.challenge.epoch.seed);
    let mut device = Lazy::boxed();
    device.start(FillJob { params, epoch_seed, gpu_seed: [0; 32] }).unwrap();
    device.finish().unwrap();
    let Opening { block, path } = device.open(at.round, at.row).unwrap();
    let Next::Done(outcome) = session.on_frame(Frame::Row(Row { at, block, path }), 700).unwrap() else {
        panic!("it goes on")
    };
    let bytes = json(&outcome.transcript);
    let says = replay_bytes(&bytes, None).unwrap();
    assert!(says.contains("verdict   unmeasured: RowOrder") && says.contains("shown out of its turn"), "{says}");
    fraud(file::parse(&bytes).unwrap()).unwrap();
}

#[test]
fn right_rows_are_no_fraud_in_a_session_or_by_themselves() {
    let transcript = honest();
    assert!(refused(fraud(file::parse(&json(&transcript)).unwrap())).contains("no fraud: all 32 rows and 8 legs"));
    let (_, mut proof) = fraud(file::parse(&json(&lying())).unwrap()).unwrap();
    let row = transcript.events.iter().filter(|event| event.frame[4] == 11).map(|event| event.frame.clone()).next();
    proof.frames[2].0 = row.unwrap();
    assert!(refused(fraud(Found::Proof(proof))).contains("this proves nothing"));
}

#[test]
fn what_a_keeper_would_not_have_recorded_does_not_replay() {
    let transcript = honest();
    let last = transcript.events.len() - 1;
    let changes: [fn(&mut Transcript, usize); 4] = [
        |changed, last| changed.events[last].at_ms += 1,
        |changed, last| drop(changed.events.remove(last - 1)),
        |changed, _| changed.challenge.session_random[0] ^= 1,
        |changed, _| changed.challenge.limits.compute_pass_ms = 1,
    ];
    for change in changes {
        let mut changed = transcript.clone();
        change(&mut changed, last);
        refused(replay_bytes(&json(&changed), None));
    }
}

#[test]
fn other_files_are_named_as_such() {
    for (bytes, says) in [
        (&b"SURETYT2 and no more"[..], "not a transcript of this version"),
        (b"no json", "neither canonical bytes nor JSON"),
        (b"{\"a\":1}", "want a transcript"),
        (b"{\"challenge\":{}}", "missing field"),
        (b"{\"evidence\":{\"subject\":{\"proofs\":[]}}}", "surety evidence verify"),
    ] {
        assert!(refused(file::parse(bytes)).contains(says), "{says}");
    }
}
