//! How often rows left out are caught, measured over many sessions against what the arithmetic says.

use surety_verifier::verdict::Verdict;

use surety_verifier::walk::{Line, Walk};

use crate::rig::{Forger, TINY, measure};

/// Sessions of each lie: each with random bytes of its own, always the same ones.
const SESSIONS: u16 = 1_000;

/// Chance that `opened` rows out of `all`, none twice, miss all of `skipped`.
fn escape(all: u32, skipped: u32, opened: u32) -> f64 {
    (0..opened).map(|i| f64::from(all - skipped - i) / f64::from(all - i)).product()
}

/// Within four standard deviations of a binomial distribution over [`SESSIONS`].
fn as_often(what: &str, caught: u16, expected: f64) {
    let sigma = (expected * (1.0 - expected) / f64::from(SESSIONS)).sqrt();
    let measured = f64::from(caught) / f64::from(SESSIONS);
    println!("{what}: caught in {caught} of {SESSIONS} sessions, {:.1} % expected", 100.0 * expected);
    assert!((measured - expected).abs() < 4.0 * sigma, "{what}: {measured}, expected {expected} ± {sigma}");
}

fn sessions_caught(skipped_rounds_rows: &'static [(u32, u32)], sessions: u16) -> u16 {
    let caught = (0..sessions).filter(|session| {
        let mut random = [0xaa; 32];
        random[..2].copy_from_slice(&session.to_be_bytes());
        let device = Forger::skipping(|round, row| skipped_rounds_rows.contains(&(round, row)));
        matches!(measure(TINY, random, vec![device]).verdict, Verdict::Fraud(_))
    });
    u16::try_from(caught.count()).unwrap()
}

#[test]
fn two_percent_left_out_are_caught_as_often_as_the_arithmetic_says() {
    // 10 of 512 rows, 32 opened: 47.7 % of sessions. Four standard deviations are 6 %.
    const SKIPPED: [(u32, u32); 10] =
        [(0, 0), (0, 1), (1, 63), (2, 5), (3, 31), (4, 32), (5, 7), (6, 6), (7, 0), (7, 63)];
    as_often("10 of 512 rows left out", sessions_caught(&SKIPPED, SESSIONS), 1.0 - escape(512, 10, 32));
}

/// Invents the checkpoint after each of these legs, and goes on from there.
fn sessions_with_legs_left_out(left_out: &'static [usize], sessions: u16) -> u16 {
    let caught = (0..sessions).filter(|session| {
        let mut random = [0xbb; 32];
        random[..2].copy_from_slice(&session.to_be_bytes());
        let device = Forger::walking(|held, word| {
            let walk = Walk::new(word, &TINY);
            let mut before = 0;
            let mut checkpoint = |number: usize| {
                let (walker, leg) = (u32::try_from(number / 16).unwrap(), u32::try_from(number % 16).unwrap());
                let entered = walk.enter(if leg == 0 { 0 } else { before }, walker, leg);
                let right = walk.leg(entered, |at| held.line(at)).unwrap();
                before = if left_out.contains(&number) { !right } else { right };
                before
            };
            (0..256).map(&mut checkpoint).collect()
        });
        matches!(measure(TINY, random, vec![device]).verdict, Verdict::Fraud(_))
    });
    u16::try_from(caught.count()).unwrap()
}

#[test]
fn legs_left_out_are_caught_as_often_as_the_arithmetic_says() {
    // 8 of 256 legs, 16 opened: 40.5 % of sessions. Four standard deviations are 6 %.
    const LEFT_OUT: [usize; 8] = [0, 15, 16, 77, 100, 101, 200, 255];
    as_often("8 of 256 legs left out", sessions_with_legs_left_out(&LEFT_OUT, SESSIONS), 1.0 - escape(256, 8, 16));
}

/// Zeros in the place of these lines of 512.
fn sessions_with_memory_missing(missing: &'static [u32], sessions: u16) -> u16 {
    static NOTHING: Line = [0; 128];
    let caught = (0..sessions).filter(|session| {
        let mut random = [0xcc; 32];
        random[..2].copy_from_slice(&session.to_be_bytes());
        let device = Forger::walking(|held, word| {
            held.checkpoints(word, |at| if missing.contains(&at) { Some(&NOTHING) } else { held.line(at) })
        });
        matches!(measure(TINY, random, vec![device]).verdict, Verdict::Fraud(_))
    });
    u16::try_from(caught.count()).unwrap()
}

#[test]
fn missing_memory_is_caught_as_often_as_the_arithmetic_says() {
    // One line of 512: a leg of 32 hops comes by it with 6.06 %, and 16 legs are opened: 63.2 % of sessions.
    let leg = 1.0 - (511.0_f64 / 512.0).powi(32);
    as_often("1 of 512 lines missing", sessions_with_memory_missing(&[77], SESSIONS), 1.0 - (1.0 - leg).powi(16));
    // Three of them: 94.7 %.
    let leg = 1.0 - (509.0_f64 / 512.0).powi(32);
    as_often(
        "3 of 512 lines missing",
        sessions_with_memory_missing(&[0, 300, 511], SESSIONS),
        1.0 - (1.0 - leg).powi(16),
    );
}

#[test]
fn at_the_real_number_of_openings_the_designs_rates_hold() {
    // One H100: 1147 rounds of 4096 rows, k = 256. 2 % left out escape with 0.57 %, 5 % with 2e-6.
    let all = 1_147 * 4_096;
    assert!((escape(all, all / 50, 256) - 0.0057).abs() < 0.0001);
    assert!(escape(all, all / 20, 256) < 2.1e-6);
}
