//! Honest machines pass, and nobody is measured in a way that shows less than it says.

use std::sync::Arc;

use surety_verifier::classes::{CLASSES, ClassId};
use surety_verifier::frame::{ByeCode, Echo, Frame, FrameType, Hello};
use surety_verifier::freivalds::EpochSecrets;
use surety_verifier::params::Params;
use surety_verifier::seed::{Openings, choose_openings};
use surety_verifier::session::{
    Caps, Challenge, KeeperSession, Limits, Plan, ProverError, ProverSession, SessionError, SetupError,
};
use surety_verifier::verdict::{Phase, Shortfall, Unmeasured, Verdict};

use crate::rig::{TINY, challenge, claims, cpus, machine_key, measure, proven, prover, run, run_timed, secrets};

#[test]
fn an_honest_machine_is_proven_with_any_number_of_gpus() {
    for count in [1, 2, 8, 16] {
        let outcome = measure(Params::cpu_small(count), [1; 32], cpus(count));
        assert_eq!(outcome.verdict, proven(count));
    }
}

#[test]
fn sizes_whose_rows_span_several_leaves_work_too() {
    let wide = Params { cols: 2048, rows: 32, ..TINY };
    assert_eq!(measure(wide, [1; 32], cpus(1)).verdict, proven(1));
}

#[test]
fn both_sides_know_the_end() {
    let mut prover = prover(cpus(1));
    let outcome = run(challenge(TINY, 1, [1; 32]), |frame| prover.on_frame(frame).unwrap());
    assert!(!prover.is_done());
    prover.on_frame(outcome.farewell.unwrap()).unwrap();
    assert!(prover.is_done());
    assert_eq!(prover.verdict(), Some(ByeCode::Proven));
}

#[test]
fn a_session_gives_one_outcome_only() {
    let (mut session, frames) = KeeperSession::new(challenge(TINY, 1, [1; 32]), secrets(&TINY), 5).unwrap();
    assert_eq!(
        session.on_timeout(session.deadline_ms()).unwrap_err(),
        SessionError::NotYet { deadline_ms: session.deadline_ms(), now_ms: session.deadline_ms() }
    );
    session.on_disconnect(6).unwrap();
    assert_eq!(session.on_disconnect(7).unwrap_err(), SessionError::Over);
    assert_eq!(session.on_frame(frames[0].clone(), 7).unwrap_err(), SessionError::Over);
}

#[test]
fn right_but_late_is_underperforming_and_the_round_trip_is_forgiven() {
    let limits = Limits { compute_pass_ms: 100, ..Limits::cpu_test() };
    let verdict = |rtt_ms: u64, compute_ms: u64| {
        let mut prover = prover(cpus(1));
        let challenge = Challenge { limits, ..challenge(TINY, 1, [1; 32]) };
        let delay = |frame: &Frame| {
            if matches!(frame, Frame::Start(_)) { rtt_ms + compute_ms } else { rtt_ms }
        };
        run_timed(challenge, |frame| prover.on_frame(frame).unwrap(), delay).verdict
    };
    let late = |took_ms| Verdict::Underperforming(Shortfall { phase: Phase::Compute, took_ms, allowed_ms: 100 });
    assert_eq!(verdict(3, 100), proven(1));
    assert_eq!(verdict(3, 101), late(101));
    assert_eq!(verdict(150, 100), proven(1));
    assert_eq!(verdict(500, 100), late(450), "at most 150 ms are forgiven");
}

#[test]
fn a_gpu_class_is_proven_by_its_own_work_in_its_own_time_and_by_nothing_weaker() {
    for class in CLASSES.iter().filter(|class| class.id != ClassId::CPU_TEST) {
        let class = class.id;
        let easy = Challenge { class, ..challenge(TINY, 1, [1; 32]) };
        let Some(Plan { params, limits }) = Plan::of(class, 1) else {
            assert_eq!(easy.check(), Err(SetupError::NotCalibrated(class)));
            continue;
        };
        assert_eq!(easy.check(), Err(SetupError::Weaker { class, what: "the work" }));
        let full = Challenge { params, limits, ..easy };
        assert_eq!(full.check(), Ok(()));
        let (compute_pass_ms, walk_pass_ms) = (limits.compute_pass_ms, limits.walk_pass_ms);
        let slow = |limits| Challenge { limits, ..full.clone() }.check();
        let weaker = Err(SetupError::Weaker { class, what: "the speed" });
        assert_eq!(slow(Limits { compute_pass_ms: compute_pass_ms + 1, ..limits }), weaker);
        assert_eq!(slow(Limits { walk_pass_ms: walk_pass_ms + 1, ..limits }), weaker);
        assert_eq!(slow(Limits { walk_pass_ms: walk_pass_ms - 1, ..limits }), Ok(()), "less time is a keeper's choice");
        let (rounds, walkers, hops) = (params.rounds - 1, params.walkers / 2, params.hops / 2);
        for params in [Params { rounds, ..params }, Params { walkers, ..params }, Params { hops, ..params }] {
            let small = Challenge { params, ..full.clone() }.check();
            assert_eq!(small, Err(SetupError::Weaker { class, what: "the work" }));
        }
    }
}

#[test]
fn the_cpu_class_exists_on_local_chains_only() {
    for chain_id in [964, 945, 1] {
        let challenge = Challenge { chain_id, ..challenge(TINY, 1, [1; 32]) };
        let error = KeeperSession::new(challenge, secrets(&TINY), 0).unwrap_err();
        assert_eq!(error, SetupError::Class { class: ClassId::CPU_TEST, chain_id });
    }
}

#[test]
fn a_keeper_cannot_start_what_it_cannot_check() {
    let base = challenge(TINY, 1, [1; 32]);
    let refuse = |challenge| KeeperSession::new(challenge, secrets(&TINY), 0).unwrap_err();
    let with = |params| Challenge { params, ..base.clone() };
    assert_eq!(refuse(with(Params { vectors: 3, ..TINY })), SetupError::Secrets);
    assert_eq!(refuse(with(Params { inner: 128, ..TINY })), SetupError::Secrets);
    assert!(matches!(refuse(with(Params { rounds: 0, ..TINY })), SetupError::Params(_)));
    assert!(matches!(refuse(with(Params { openings: 257, ..TINY })), SetupError::Params(_)));
    let counted = |count| Challenge { count, ..with(Params { openings: 128, ..TINY }) };
    assert_eq!(refuse(counted(0)), SetupError::Count(0));
    assert_eq!(refuse(counted(17)), SetupError::Count(17));
    assert_eq!(refuse(counted(9)), SetupError::Openings { what: "rows", count: 9 * 128, most: 1_024 });
    let other = EpochSecrets::new([1; 32], &[2; 32], &[3; 32], &TINY);
    assert_eq!(KeeperSession::new(base, Arc::new(other), 0).unwrap_err(), SetupError::Secrets);
}

#[test]
fn a_machine_signs_nothing_that_is_not_its_own() {
    let base = challenge(TINY, 1, [1; 32]).start();
    type Change = fn(&mut surety_verifier::frame::Start);
    let changes: [(&str, Change); 6] = [
        ("chain", |start| start.chain_id = 42),
        ("machine", |start| start.machine = [3; 32]),
        ("registration", |start| start.registration = 8),
        ("class", |start| start.class = ClassId(2)),
        ("count of GPUs", |start| start.count = 2),
        ("keeper", |start| start.keeper = [0x12; 20]),
    ];
    for (what, change) in changes {
        let mut start = base.clone();
        change(&mut start);
        assert_eq!(start_refused(claims(), start), ProverError::NotMine(what));
    }
}

#[test]
fn a_machine_does_no_more_work_than_it_accepts() {
    let mut start = challenge(TINY, 1, [1; 32]).start();
    let capped = |device_bytes, operations| surety_verifier::session::Claims {
        caps: Caps { device_bytes, operations, walk_bytes: TINY.walk_bytes() },
        ..claims()
    };
    let (bytes, operations) = (TINY.device_bytes(), TINY.operations());
    let refused = start_refused(capped(bytes - 1, operations), start.clone());
    assert!(matches!(refused, ProverError::TooLarge { what: "bytes", .. }));
    let refused = start_refused(capped(bytes, operations - 1), start.clone());
    assert!(matches!(refused, ProverError::TooLarge { what: "operations", .. }));
    let caps = Caps { walk_bytes: TINY.walk_bytes() - 1, ..Caps::of(&TINY) };
    let refused = start_refused(surety_verifier::session::Claims { caps, ..claims() }, start.clone());
    assert!(matches!(refused, ProverError::TooLarge { what: "bytes of a walk", .. }));
    start.params.cols = 96;
    assert!(matches!(start_refused(claims(), start), ProverError::Params(_)));
}

fn start_refused(claims: surety_verifier::session::Claims, start: surety_verifier::frame::Start) -> ProverError {
    let mut prover = ProverSession::new(cpus(1), machine_key(1), claims).unwrap();
    prover.on_frame(Frame::Hello(surety_verifier::frame::Hello { version: 2 })).unwrap();
    let error = prover.on_frame(Frame::Start(start)).unwrap_err();
    assert!(prover.is_done());
    error
}

#[test]
fn a_machine_echoes_twenty_times_and_no_more() {
    let mut prover = prover(cpus(1));
    prover.on_frame(Frame::Hello(Hello { version: 2 })).unwrap();
    for sequence in 0..20 {
        let echo = Echo { sequence, nonce: [3; 16] };
        assert_eq!(prover.on_frame(Frame::Echo(echo)), Ok(vec![Frame::EchoAck(echo)]));
    }
    let error = prover.on_frame(Frame::Echo(Echo { sequence: 20, nonce: [3; 16] })).unwrap_err();
    assert_eq!(error, ProverError::Unexpected(FrameType::Echo));
}

#[test]
fn what_is_opened_hangs_on_the_keepers_randomness_and_on_what_was_signed() {
    let choose = |random, statement| choose_openings(&TINY, 2, &[random; 32], &[statement; 32]);
    let Openings { rows, legs } = choose(1, 1);
    assert_eq!((rows.len(), legs.len()), (64, 32));
    assert!(rows.is_sorted_by(|before, after| before < after) && legs.is_sorted_by(|before, after| before < after));
    assert!(rows.iter().all(|at| at.round < 8 && at.row < 64));
    assert!(legs.iter().all(|at| at.walker < 16 && at.leg < 16));
    for other in [choose(2, 1), choose(1, 2)] {
        assert!(other.rows != rows && other.legs != legs);
    }
    let on = |gpu| rows.iter().filter(move |at| at.gpu == gpu).map(|at| (at.round, at.row));
    assert!(!on(0).eq(on(1)));
    let on = |gpu| legs.iter().filter(move |at| at.gpu == gpu).map(|at| (at.walker, at.leg));
    assert!(!on(0).eq(on(1)));
}

#[test]
fn a_machine_opens_exactly_k_rows_of_each_gpu_and_only_once() {
    let params = Params { openings: 4, ..TINY };
    let mut prover = prover(cpus(2));
    let outcome = run(challenge(params, 2, [1; 32]), |frame| match frame {
        Frame::Open(mut open) => {
            open.rows.iter_mut().filter(|at| at.gpu == 1).for_each(|at| at.gpu = 0);
            let error = prover.on_frame(Frame::Open(open)).unwrap_err();
            assert_eq!(error, ProverError::Openings { what: "rows", each: 4, count: 2 });
            vec![error.farewell()]
        }
        frame => prover.on_frame(frame).unwrap(),
    });
    assert_eq!(outcome.verdict, Verdict::Unmeasured(Unmeasured::Refused { code: ByeCode::Protocol }));
}
