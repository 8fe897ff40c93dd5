//! How often rows left out are caught, measured over many sessions against what the arithmetic says.

use surety_verifier::verdict::Verdict;

use surety_verifier::walk::Walk;

use crate::rig::{Forger, TINY, measure};

/// Chance that `opened` rows out of `all`, none twice, miss all of `skipped`.
fn escape(all: u32, skipped: u32, opened: u32) -> f64 {
    (0..opened).map(|i| f64::from(all - skipped - i) / f64::from(all - i)).product()
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
    // 10 of 512 rows, 32 opened: 47.7 % of sessions. 400 sessions: four standard deviations are 10 %.
    const SKIPPED: [(u32, u32); 10] =
        [(0, 0), (0, 1), (1, 63), (2, 5), (3, 31), (4, 32), (5, 7), (6, 6), (7, 0), (7, 63)];
    let expected = 1.0 - escape(512, 10, 32);
    let sigma = (expected * (1.0 - expected) / 400.0).sqrt();
    let caught = f64::from(sessions_caught(&SKIPPED, 400)) / 400.0;
    assert!((caught - expected).abs() < 4.0 * sigma, "caught {caught}, expected {expected} ± {sigma}");
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
    // 8 of 256 legs, 16 opened: 40.5 % of sessions. 400 sessions: four standard deviations are 10 %.
    const LEFT_OUT: [usize; 8] = [0, 15, 16, 77, 100, 101, 200, 255];
    let expected = 1.0 - escape(256, 8, 16);
    let sigma = (expected * (1.0 - expected) / 400.0).sqrt();
    let caught = f64::from(sessions_with_legs_left_out(&LEFT_OUT, 400)) / 400.0;
    assert!((caught - expected).abs() < 4.0 * sigma, "caught {caught}, expected {expected} ± {sigma}");
}

#[test]
fn at_the_real_number_of_openings_the_designs_rates_hold() {
    // One H100: 1147 rounds of 4096 rows, k = 256. 2 % left out escape with 0.57 %, 5 % with 2e-6.
    let all = 1_147 * 4_096;
    assert!((escape(all, all / 50, 256) - 0.0057).abs() < 0.0001);
    assert!(escape(all, all / 20, 256) < 2.1e-6);
}
