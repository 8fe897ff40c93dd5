use super::*;
use crate::fixtures::{START, bad, look};

fn streak(times: &[u64]) -> Streak {
    let mut times = times.iter();
    let first = times.next().and_then(|at| Streak::begin(bad(*at)));
    let mut streak = first.unwrap_or_else(|| panic!("a streak begins with a look"));
    for at in times {
        assert_eq!(streak.push(bad(*at), &Rules::default()), Pushed::Taken);
    }
    streak
}

fn proven(streak: &Streak, needed: u32) -> bool {
    streak.clip(0, u64::MAX).is_some_and(|clip| clip.proven(needed, &Rules::default()))
}

#[test]
fn four_looks_over_two_minutes_prove_an_interval() {
    assert!(proven(&streak(&[0, 40, 80, 120]), 4));
    assert!(!proven(&streak(&[0, 40, 80, 119]), 4), "a second too short");
    assert!(!proven(&streak(&[0, 60, 120]), 4), "a look too few");
    assert!(!proven(&streak(&[0, 40, 80, 120]), 8), "too few when many fail together");
}

#[test]
fn looks_that_measured_nothing_do_not_count() {
    let mut streak = streak(&[0, 40, 80]);
    let unlooked = Observation::NotLooked { why: String::new() };
    assert_eq!(streak.push(look(120, unlooked), &Rules::default()), Pushed::Taken);
    assert!(!proven(&streak, 4));
    assert_eq!(streak.last_secs(), START + 80);
    assert_eq!(streak.push(bad(130), &Rules::default()), Pushed::Taken);
    assert!(proven(&streak, 4));
}

#[test]
fn a_gap_in_looking_breaks_the_interval() {
    let mut one = streak(&[0, 40, 80, 120]);
    let broke = one.push(bad(211), &Rules::default());
    assert_eq!(broke, Pushed::Broke(streak(&[0, 40, 80, 120])));
    assert_eq!(one, streak(&[211]));
    let mut two = streak(&[0]);
    assert_eq!(two.push(bad(90), &Rules::default()), Pushed::Taken, "90 s are the most");
}

#[test]
fn a_jump_of_the_wall_clock_breaks_the_interval() {
    for jump in [-20i64, 20] {
        let mut one = streak(&[100, 110]);
        let mut next = bad(120);
        next.at_secs = next.at_secs.saturating_add_signed(jump);
        assert!(matches!(one.push(next, &Rules::default()), Pushed::Broke(_)), "{jump}");
    }
}

#[test]
fn a_restart_does_not_break_it_by_itself() {
    let next_run = |at: u64| Look { run: 2, started_ms: 17, ended_ms: 20, ..bad(at) };
    let mut one = streak(&[1_000, 1_010]);
    assert_eq!(one.push(next_run(1_050), &Rules::default()), Pushed::Taken);
    assert!(matches!(one.push(bad(1_060), &Rules::default()), Pushed::Broke(_)), "an older run after a newer one");
    let mut two = streak(&[1_000, 1_010]);
    assert!(matches!(two.push(next_run(1_101), &Rules::default()), Pushed::Broke(_)), "down for longer than a gap");
}

#[test]
fn a_long_outage_is_thinned_and_stays_provable() {
    let mut one = streak(&[0]);
    let mut at = 0;
    let mut broke = 0;
    for _ in 0..3_000 {
        at += 10;
        if matches!(one.push(bad(at), &Rules::default()), Pushed::Broke(_)) {
            broke += 1;
        }
        assert!(one.looks().len() <= STREAK_LOOKS_MAX);
        let faults: Vec<Look> = one.looks().to_vec();
        assert!(faults.windows(2).all(|pair| follows(&pair[0], &pair[1], &Rules::default())));
    }
    assert!((1..=3).contains(&broke), "about three hours to a piece, {broke}");
    assert!(one.thinned() > 0);
}

#[test]
fn a_long_outage_under_a_clock_that_is_corrected_now_and_then_stays_provable() {
    let (mut one, rules) = (streak(&[0]), Rules::default());
    for n in 1..1_000u64 {
        let mut next = bad(n * 10);
        // Four seconds at every third look: each within what is allowed, several of them not.
        next.at_secs += n / 3 * 4;
        drop(one.push(next, &rules));
        assert!(one.looks().windows(2).all(|pair| follows(&pair[0], &pair[1], &rules)), "{n}");
    }
    assert!(one.thinned() > 0);
}

#[test]
fn a_clip_begins_and_ends_with_failing_looks_within_bounds() {
    let one = streak(&[0, 10, 20, 30, 40]);
    let clip = one.clip(START + 5, START + 35).unwrap_or_else(|| panic!("nothing inside"));
    assert_eq!((clip.from_secs, clip.until_secs, clip.faults), (START + 10, START + 30, 3));
    assert_eq!(one.clip(START + 41, START + 99), None);
    assert_eq!(one.clip(START + 30, START + 10), None);
}
