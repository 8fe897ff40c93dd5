//! Each lie ends in the verdict that it deserves, and only what the machine signed is called fraud.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use surety_verifier::classes::ClassId;
use surety_verifier::device::{Atop, CpuDevice, Device, DeviceError, FillJob, Opening, Over};
use surety_verifier::field::{Halved, Lowered, P};
use surety_verifier::frame::{ByeCode, Frame, HelloAck, Leaf};
use surety_verifier::freivalds::RowFault;
use surety_verifier::params::Params;
use surety_verifier::session::{Challenge, Limits, ProverError, ProverSession};
use surety_verifier::statement::{Signer, Statement};
use surety_verifier::tree::Place;
use surety_verifier::verdict::{Falsehood, Phase, Shortfall, Unmeasured, Verdict};
use surety_verifier::{Bytes32, field};

use crate::rig::{
    Forger, TINY, challenge, claims, cpus, machine_key, measure, measure_changed, proven, prover, run, run_timed,
};

fn fraud(verdict: Verdict) -> (u16, RowFault) {
    match verdict {
        Verdict::Fraud(Falsehood::Row(bad)) => (bad.at.gpu, bad.fault),
        other => panic!("{other:?} is not fraud"),
    }
}

#[test]
fn rows_left_out_are_fraud() {
    let outcome = measure(Params::cpu_small(1), [1; 32], vec![Forger::skipping(|_, row| row % 20 == 0)]);
    assert_eq!(fraud(outcome.verdict), (0, RowFault::WrongProduct));
}

#[test]
fn one_wrong_bit_in_every_row_is_fraud() {
    let device = Forger::boxed(|_, _, residues| residues[63] ^= 1);
    assert_eq!(fraud(measure(TINY, [1; 32], vec![device]).verdict), (0, RowFault::WrongProduct));
}

#[test]
fn the_same_number_in_another_form_is_fraud() {
    // p + c is congruent to c and would pass any check mod p. It fits 16 bits for c < 15, so one entry in 4400 or so.
    let device = Forger::boxed(|_, _, residues| {
        residues.iter_mut().filter(|residue| **residue <= u16::MAX - P).for_each(|residue| *residue += P);
    });
    let params = Params { cols: 2048, ..TINY };
    assert_eq!(fraud(measure(params, [1; 32], vec![device]).verdict), (0, RowFault::NotAResidue));
}

#[test]
fn a_liar_that_guesses_the_secret_vectors_is_caught() {
    // Errors made orthogonal to vectors of the liar's own choosing are not orthogonal to the keeper's.
    let guess: Vec<u16> = (1..=64).collect();
    let device = Forger::boxed(move |_, _, residues| {
        let (x, y) = (u32::from(guess[0]), u32::from(guess[1]));
        let dot = |residues: &[u16]| Halved::new(&guess).dot(&Lowered::new(residues));
        let right = dot(residues);
        residues[0] = field::residue(i32::try_from((u32::from(residues[0]) + y) % u32::from(P)).unwrap());
        residues[1] =
            field::residue(i32::try_from((u32::from(residues[1]) + u32::from(P) - x) % u32::from(P)).unwrap());
        assert_eq!(dot(residues), right);
    });
    assert_eq!(fraud(measure(TINY, [1; 32], vec![device]).verdict), (0, RowFault::WrongProduct));
}

/// Works on the seed of another GPU: one card's results shown for two.
struct Twin {
    inner: CpuDevice,
    gpu_seed: Arc<std::sync::Mutex<Option<Bytes32>>>,
}

impl Over for Twin {
    fn inner(&mut self) -> &mut dyn Device {
        &mut self.inner
    }
    fn start(&mut self, job: FillJob) -> Result<(), DeviceError> {
        let gpu_seed = *self.gpu_seed.lock().unwrap().get_or_insert(job.gpu_seed);
        self.inner.start(FillJob { gpu_seed, ..job })
    }
}

#[test]
fn one_gpus_results_shown_for_two_are_fraud() {
    let gpu_seed = Arc::default();
    let twin = || Twin { inner: CpuDevice::new(), gpu_seed: Arc::clone(&gpu_seed) };
    let twin = || Box::new(Atop(twin())) as Box<dyn Device>;
    let outcome = measure(TINY, [1; 32], vec![twin(), twin()]);
    assert_eq!(fraud(outcome.verdict), (1, RowFault::WrongProduct));
}

/// A device on a card whose time is counted: each fill takes 100 ms of it.
struct OnCard {
    inner: CpuDevice,
    busy_ms: Arc<AtomicU64>,
}

impl Over for OnCard {
    fn inner(&mut self) -> &mut dyn Device {
        &mut self.inner
    }
    fn start(&mut self, job: FillJob) -> Result<(), DeviceError> {
        self.busy_ms.fetch_add(100, SeqCst);
        self.inner.start(job)
    }
}

/// Devices on these cards, which work at the same time; the commitment comes when the busiest is done.
fn measure_on_cards(cards: &[Arc<AtomicU64>]) -> Verdict {
    let on = |card: &Arc<AtomicU64>| OnCard { inner: CpuDevice::new(), busy_ms: Arc::clone(card) };
    let devices = cards.iter().map(|card| Box::new(Atop(on(card))) as Box<dyn Device>).collect();
    let mut prover = prover(devices);
    let count = u16::try_from(cards.len()).unwrap();
    let limits = Limits { compute_pass_ms: 150, ..Limits::cpu_test() };
    let challenge = Challenge { limits, ..challenge(TINY, count, [1; 32]) };
    let busiest = || cards.iter().map(|card| card.load(SeqCst)).max().unwrap();
    let delay = |frame: &Frame| {
        if matches!(frame, Frame::Start(_)) { busiest() } else { 1 }
    };
    run_timed(challenge, |frame| prover.on_frame(frame).unwrap(), delay).verdict
}

#[test]
fn one_gpu_that_works_for_two_is_right_but_late() {
    let card = || Arc::new(AtomicU64::new(0));
    assert_eq!(measure_on_cards(&[card(), card()]), proven(2));
    let only = card();
    let late = Shortfall { phase: Phase::Compute, took_ms: 199, allowed_ms: 150 };
    assert_eq!(measure_on_cards(&[Arc::clone(&only), only]), Verdict::Underperforming(late));
}

#[test]
fn a_machine_that_says_it_is_something_else_is_not_measured() {
    let measured_as = |class, count| {
        measure_changed(TINY, |frames| {
            let lie = |frame| match frame {
                Frame::HelloAck(ack) => Frame::HelloAck(HelloAck { class, count, ..ack }),
                frame => frame,
            };
            frames.into_iter().map(lie).collect()
        })
    };
    for (class, count) in [(ClassId::CPU_TEST, 2), (ClassId::CPU_TEST, 0), (ClassId(2), 1)] {
        let other = Verdict::Unmeasured(Unmeasured::OtherClaim { class, count });
        assert_eq!(measured_as(class, count).verdict, other);
    }
}

#[test]
fn an_old_root_sent_again_is_not_signed_for_this_session() {
    let mut old = None;
    measure_changed(TINY, |frames| {
        old = old.take().or_else(|| frames.iter().find(|frame| matches!(frame, Frame::Root(_))).cloned());
        frames
    });
    let (old, mut prover) = (old.unwrap(), prover(cpus(1)));
    let outcome = run(challenge(TINY, 1, [10; 32]), |frame| match frame {
        Frame::Start(_) => vec![old.clone()],
        frame => prover.on_frame(frame).unwrap(),
    });
    assert_eq!(outcome.verdict, Verdict::Unmeasured(Unmeasured::Signature));
}

/// Computes for a seed of an earlier session, as if it had all results ready.
struct Precomputed(CpuDevice);

impl Over for Precomputed {
    fn inner(&mut self) -> &mut dyn Device {
        &mut self.0
    }
    fn start(&mut self, job: FillJob) -> Result<(), DeviceError> {
        self.0.start(FillJob { gpu_seed: [0xee; 32], ..job })
    }
}

#[test]
fn results_computed_before_the_session_and_signed_anew_are_fraud() {
    let outcome = measure(TINY, [1; 32], vec![Box::new(Atop(Precomputed(CpuDevice::new())))]);
    assert_eq!(fraud(outcome.verdict), (0, RowFault::WrongProduct));
}

/// Commits to noise without computing anything, and computes only the rows that are asked for, rightly.
struct AnswersOnDemand {
    job: Option<FillJob>,
}

impl Device for AnswersOnDemand {
    fn start(&mut self, job: FillJob) -> Result<(), DeviceError> {
        self.job = Some(job);
        Ok(())
    }
    fn finish(&mut self) -> Result<Vec<Bytes32>, DeviceError> {
        let rounds = self.job.ok_or(DeviceError::NotFilled)?.params.rounds;
        Ok((0..rounds).map(|round| [u8::try_from(round).unwrap(); 32]).collect())
    }
    fn open(&mut self, round: u32, row: u32) -> Result<Opening, DeviceError> {
        let FillJob { params, epoch_seed, gpu_seed } = self.job.ok_or(DeviceError::NotFilled)?;
        let before = if round == 0 { [0; 32] } else { [u8::try_from(round - 1).unwrap(); 32] };
        let key = surety_verifier::seed::matrix_a_key(&gpu_seed, round, &before);
        let rows_per_block = u32::try_from(params.block_bytes() / params.row_bytes()).unwrap();
        let first = row - row % rows_per_block;
        let rows_of_a: Vec<_> =
            (first..first + rows_per_block).map(|row| surety_verifier::matrix::row(&key, row, params.inner)).collect();
        let b_key = surety_verifier::seed::matrix_b_key(&epoch_seed);
        let rows = surety_verifier::matrix::rows_from_seed(&params, &b_key, &rows_of_a);
        let block = rows.iter().flat_map(|row| surety_verifier::matrix::to_bytes(row)).collect();
        Ok(Opening { block, path: vec![[0; 32]; Place::of_row(&params, row).unwrap().path_len()] })
    }
    fn start_walk(&mut self, _word: u64) -> Result<(), DeviceError> {
        Ok(())
    }
    fn finish_walk(&mut self) -> Result<Bytes32, DeviceError> {
        Ok([0; 32])
    }
    fn open_leg(&mut self, _walker: u32, _leg: u32) -> Result<Vec<Leaf>, DeviceError> {
        Ok(vec![Leaf { bytes: Box::new([0; 1024]), path: vec![[0; 32]] }])
    }
    fn release(&mut self) {}
}

#[test]
fn right_rows_that_were_never_committed_to_show_nothing() {
    // A(Br), or any row, can be answered on demand without storing or computing the rest; a path cannot.
    let outcome = measure(TINY, [1; 32], vec![Box::new(AnswersOnDemand { job: None })]);
    assert!(matches!(outcome.verdict, Verdict::Unmeasured(Unmeasured::RowNotCommitted { .. })));
}

#[test]
fn a_session_answered_with_another_host_key_is_not_measured() {
    let other = machine_key(2);
    let outcome = measure_changed(TINY, |frames| {
        let resign = |frame| match frame {
            Frame::Root(mut root) => {
                let start = challenge(TINY, 1, [9; 32]).start();
                let message = Statement::answering(&start, &root.roots).message();
                root.signature = Signer::sign(&other, &message).unwrap();
                Frame::Root(root)
            }
            frame => frame,
        };
        frames.into_iter().map(resign).collect()
    });
    assert_eq!(outcome.verdict, Verdict::Unmeasured(Unmeasured::Signature));
}

#[test]
fn an_honest_machine_does_not_answer_a_session_relayed_to_it() {
    let mut relayed_to = ProverSession::new(cpus(1), machine_key(2), claims()).unwrap();
    let outcome = run(challenge(TINY, 1, [9; 32]), |frame| match relayed_to.on_frame(frame) {
        Ok(frames) => frames,
        Err(error) => {
            assert_eq!(error, ProverError::NotMine("machine"));
            vec![error.farewell()]
        }
    });
    assert_eq!(outcome.verdict, Verdict::Unmeasured(Unmeasured::Refused { code: ByeCode::NotMine }));
}

#[test]
fn a_signature_for_another_field_is_none_for_this_session() {
    type Change = fn(&mut Statement<'_>);
    let changes: [Change; 9] = [
        |statement| statement.chain_id += 1,
        |statement| statement.keeper[19] ^= 1,
        |statement| statement.machine[31] ^= 1,
        |statement| statement.registration += 1,
        |statement| statement.session_seed[0] ^= 1,
        |statement| statement.epoch_seed[0] ^= 1,
        |statement| statement.class = ClassId(1),
        |statement| statement.count += 1,
        |statement| statement.params.openings += 1,
    ];
    let start = challenge(TINY, 1, [9; 32]).start();
    let roots = [[7; 32]; 8];
    let digest = Statement::answering(&start, &roots).digest();
    for change in changes {
        let mut other = Statement::answering(&start, &roots);
        change(&mut other);
        assert_ne!(other.digest(), digest);
    }
    let mut changed = roots;
    changed[7][31] ^= 1;
    assert_ne!(Statement::answering(&start, &changed).digest(), digest);
}
