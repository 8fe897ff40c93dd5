use super::*;
use crate::fixtures::{START, bad};
use crate::watch::Tenancy;

/// A machine that failed from 0 to `confirmed`, every 30 s, and failed again at `waiting`, of which no anchor round has
/// spoken yet.
fn failing(confirmed: u64, waiting: &[u64]) -> Watch {
    let rules = Rules::default();
    let mut streak = Streak::begin(bad(0)).unwrap_or_else(|| panic!("a failing look"));
    for at in (30..=confirmed).step_by(30) {
        assert_eq!(streak.push(bad(at), &rules), Pushed::Taken);
    }
    let tenancy = Some(Tenancy { rental: 1, delivered_secs: Some(START), last_signed: None });
    let provisional = waiting.iter().map(|at| Look { anchors: None, ..bad(*at) }).collect();
    Watch { tenancy, streak: Some(streak), provisional, ..Watch::default() }
}

fn round(at: u64) -> AnchorRound {
    AnchorRound { run: 1, asked_ms: at * 1_000, ended_ms: at * 1_000 + 200, reachable: 3, asked: 3 }
}

fn ends(watch: &Watch) -> Vec<UnixSecs> {
    watch.finished.iter().map(|finished| finished.streak.last_secs() - START).collect()
}

#[test]
fn looks_made_before_the_return_belong_to_the_interval_once_the_anchors_speak_for_them() {
    let (mut watch, rules) = (failing(120, &[150, 160]), Rules::default());
    watch.close(&rules, START + 165);
    assert!(watch.streak.is_none() && watch.finished.is_empty() && watch.has_returned());
    watch.confirm_closing(&round(155), &rules, START + 166);
    assert!(watch.has_returned(), "one look ended after that round was asked for");
    watch.confirm_closing(&round(170), &rules, START + 171);
    assert_eq!((ends(&watch), watch.closing), (vec![160], None));
}

#[test]
fn looks_that_the_anchors_never_speak_for_are_left_out() {
    let (mut watch, rules) = (failing(120, &[150]), Rules::default());
    watch.close(&rules, START + 165);
    watch.drop_unconfirmed();
    watch.settle_closing(&rules, START + 166);
    assert_eq!((ends(&watch), watch.closing), (vec![120], None));
}

#[test]
fn a_second_return_does_not_wait_for_the_first_ones_anchors() {
    let (mut watch, rules) = (failing(120, &[150]), Rules::default());
    watch.close(&rules, START + 155);
    watch.provisional.push(Look { anchors: None, ..bad(160) });
    watch.close(&rules, START + 165);
    assert_eq!(ends(&watch), [120]);
    watch.confirm_closing(&round(170), &rules, START + 171);
    assert_eq!((ends(&watch), watch.closing), (vec![120], None), "one look alone proves nothing");
}

#[test]
fn what_was_never_delivered_stays_so_in_the_interval_that_the_delivery_ended() {
    let (mut watch, rules) = (failing(120, &[150]), Rules::default());
    watch.tenancy.iter_mut().for_each(|tenancy| tenancy.delivered_secs = None);
    watch.close(&rules, START + 165);
    watch.tenancy.iter_mut().for_each(|tenancy| tenancy.delivered_secs = Some(START + 165));
    watch.confirm_closing(&round(170), &rules, START + 171);
    assert_eq!(watch.finished.first().map(|finished| finished.delivered_secs), Some(None));
}
