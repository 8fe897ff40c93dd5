//! Every decoder and both sessions against hostile bytes: real sessions, whatever fuzzing has broken something with,
//! and some hundred forms of each with bytes changed, cut out, doubled or exchanged. `UPDATE_CORPUS=1` writes the
//! sessions anew.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../fuzz/targets.rs"]
mod targets;

use rand_core::RngCore;
use std::path::PathBuf;
use surety_verifier::frame::{Frame, encode};
use surety_verifier::gauge::reference::Echoing;
use surety_verifier::gauge::wire::DONE;
use surety_verifier::gauge::{Claims, Gauge};
use surety_verifier::seed::generator;
use surety_verifier::session::{Next, Outcome};
use surety_verifier::verdict::Verdict;

/// Changed forms of each file of a corpus.
const FORMS: usize = 300;

fn corpus(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

fn files(target: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(corpus(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// What both sides of an honest session send, and how it ends.
fn session() -> (Vec<Frame>, Vec<Frame>, Outcome) {
    let (mut keeper, mut sent) = targets::keeper_session();
    let (mut prover, mut by_keeper, mut by_machine, mut now_ms) =
        (targets::prover_session(), Vec::new(), Vec::new(), 0);
    loop {
        let frames = std::mem::take(&mut sent);
        by_keeper.extend(frames.iter().cloned());
        for answer in frames.into_iter().flat_map(|frame| prover.on_frame(frame).unwrap()) {
            by_machine.push(answer.clone());
            now_ms += 1;
            match keeper.on_frame(answer, now_ms).unwrap() {
                Next::Send(frames) => sent.extend(frames),
                Next::Wait | Next::Ready => {}
                Next::Done(outcome) => return (by_keeper, by_machine, *outcome),
            }
        }
    }
}

fn stream(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(encode).collect()
}

/// A stream as pieces for `targets::keeper`, each at once.
fn pieces(stream: &[u8], length: usize) -> Vec<u8> {
    let piece = |bytes: &[u8]| [&[0, u8::try_from(bytes.len() % 256).unwrap()], bytes].concat();
    stream.chunks(length).flat_map(piece).collect()
}

/// The answers of a right machine to all that a keeper asks for its soft figures, and the questions.
fn gauged() -> (Vec<u8>, Vec<u8>) {
    let (mut gauge, mut asks, mut answers) = (Gauge::new([1; 32], targets::SIZES), Vec::new(), Vec::new());
    let mut machine = Echoing::new(Claims { threads: 2, memory_bytes: 0, disk_bytes: 1 << 30 });
    while let Some(ask) = gauge.ask() {
        let answer = machine.answer(&ask, &gauge.payload()).unwrap();
        gauge.answered(&answer, 1_000).unwrap();
        asks.extend(ask.encode());
        answers.push(DONE);
        answers.extend(answer);
    }
    (asks, answers)
}

/// The seeds of each corpus.
fn seeds() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let (by_keeper, by_machine, outcome) = session();
    let (keeper, machine) = (stream(&by_keeper), stream(&by_machine));
    vec![
        ("frames", "session-keeper", keeper.clone()),
        ("frames", "session-machine", machine.clone()),
        ("transcript", "session-proven", outcome.transcript.to_bytes()),
        ("keeper", "session-at-once", pieces(&machine, 256)),
        ("keeper", "session-in-drips", pieces(&machine, 3)),
        ("prover", "session", keeper),
        ("gauge", "questions", gauged().0),
        ("gauge", "answers", gauged().1),
    ]
}

#[test]
fn the_session_of_the_corpora_is_one_that_proves_something() {
    assert!(matches!(session().2.verdict, Verdict::Proven { .. }));
}

#[test]
fn the_corpora_begin_with_sessions_as_they_are_today() {
    for (target, name, bytes) in seeds() {
        let path = corpus(target).join(name);
        if std::env::var_os("UPDATE_CORPUS").is_some() {
            std::fs::create_dir_all(corpus(target)).unwrap();
            std::fs::write(&path, &bytes).unwrap();
        }
        assert!(std::fs::read(&path).unwrap() == bytes, "{} is of another version: UPDATE_CORPUS=1", path.display());
    }
}

/// One form of `bytes`, changed in a few places.
fn changed(bytes: &[u8], rng: &mut impl RngCore) -> Vec<u8> {
    let mut form = bytes.to_vec();
    for _ in 0..=rng.next_u32() % 4 {
        let low = rng.next_u32() as usize % (form.len() + 1);
        let high = form.len().min(low + rng.next_u32() as usize % 64);
        match rng.next_u32() % 6 {
            0 => form.truncate(high),
            1 => drop(form.drain(low..high)),
            2 => form.extend_from_within(low..high),
            3 => form[low..high].fill(u8::MAX),
            4 => form[low..high].reverse(),
            _ => form[low..high].iter_mut().take(4).for_each(|byte| *byte ^= 1 << (rng.next_u32() % 8)),
        }
    }
    form
}

#[test]
fn nothing_in_the_corpora_or_near_it_breaks_a_rule() {
    let mut rng = generator(&[9; 32], 0);
    for (name, target) in targets::ALL {
        let files = files(name);
        assert!(!files.is_empty(), "the corpus of {name} is empty");
        for file in &files {
            target(file);
            (0..FORMS).for_each(|_| target(&changed(file, &mut rng)));
        }
    }
}
