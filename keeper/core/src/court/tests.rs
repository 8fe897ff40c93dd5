use super::*;
use crate::fixtures::{START, account, fault, rental, says, state, tick, update};
use crate::input::Input;
use crate::step::step;
use crate::view::View;

/// A docket of these attestations, and the plan for it `at` seconds after the start.
fn planned(at: u64, view: RentalView, claims: &[Signed<Attestation>]) -> Option<Plan> {
    let mut state = state(at);
    step(&mut state, &Input::Chain(Box::new(update(View::Best, 2, at, view.clone()))));
    let mut docket = Docket::default();
    for claim in claims {
        docket.attestations.entry(claim.signer).or_default().push(claim.clone());
    }
    plan(&state, &view, &docket)
}

fn summary(plan: Option<Plan>) -> Option<(Kind, u32, usize)> {
    plan.map(|plan| (plan.kind, plan.gap, plan.attestations.len()))
}

fn three(kind: Kind, from: u64, until: u64) -> Vec<Signed<Attestation>> {
    (1..=3).map(|who| says(who, kind, from, until)).collect()
}

#[test]
fn a_quorum_over_the_minimum_is_filed_by_as_few_as_carry_it() {
    let plan = planned(2_000, rental(1), &three(Kind::Interrupted, 100, 400));
    assert_eq!(summary(plan), Some((Kind::Interrupted, 0, 2)));
    let one = planned(2_000, rental(1), &three(Kind::Interrupted, 100, 400)[..1]);
    assert_eq!(summary(one), None);
    let short = planned(2_000, rental(1), &three(Kind::Interrupted, 100, 159));
    assert_eq!(summary(short), None);
}

#[test]
fn attestations_are_sorted_by_signer() {
    let plan = planned(2_000, rental(1), &three(Kind::Interrupted, 100, 400));
    let signers: Vec<Account> = plan.into_iter().flat_map(|plan| plan.attestations).map(|one| one.signer).collect();
    assert!(signers.windows(2).all(|pair| pair[0] < pair[1]), "{signers:?}");
}

#[test]
fn what_does_not_intersect_is_not_filed() {
    let apart = [
        says(1, Kind::Interrupted, 100, 400),
        says(2, Kind::Interrupted, 500, 800),
        says(3, Kind::Interrupted, 390, 510),
    ];
    assert_eq!(summary(planned(2_000, rental(1), &apart)), None);
}

#[test]
fn the_gap_is_the_one_the_interval_lies_in() {
    let faulty = RentalView { faults: vec![fault(500, 600), fault(900, 1_000)], ..rental(1) };
    for (from, until, gap) in [(100, 400, Some(0)), (610, 800, Some(1)), (1_100, 1_300, Some(2)), (510, 590, None)] {
        let plan = planned(2_000, faulty.clone(), &three(Kind::Interrupted, from, until));
        assert_eq!(plan.map(|plan| plan.gap), gap, "{from}..{until}");
    }
    let paid = RentalView { paid_until_secs: START + 350, ..rental(1) };
    assert_eq!(summary(planned(2_000, paid, &three(Kind::Interrupted, 100, 400))), None, "50 s are left unpaid");
}

#[test]
fn an_offline_is_filed_fresh_and_while_the_rental_runs() {
    let offline = three(Kind::Offline, 100, 1_000);
    assert_eq!(summary(planned(1_100, rental(1), &offline)).map(|plan| plan.0), Some(Kind::Offline));
    assert_eq!(summary(planned(1_100, rental(1), &three(Kind::Offline, 100, 999))), None, "too short, and kept");
    let stale = planned(1_301, rental(1), &offline).map(|plan| plan.kind);
    assert_eq!(stale, Some(Kind::Interrupted), "stale it only counts as an interruption");
    let ended = RentalView { end_secs: START + 1_050, ..rental(1) };
    assert_eq!(planned(1_100, ended, &offline).map(|plan| plan.kind), Some(Kind::Interrupted));
}

#[test]
fn a_fresh_offline_is_not_spent_on_an_interruption() {
    let mixed =
        [says(1, Kind::Offline, 100, 1_000), says(2, Kind::Offline, 105, 1_001), says(3, Kind::Offline, 500, 1_002)];
    assert_eq!(summary(planned(1_010, rental(1), &mixed)), None, "895 s: another minute will do");
}

#[test]
fn not_delivered_needs_an_untouched_rental_from_its_start() {
    let claims = three(Kind::NotDelivered, 0, 650);
    assert_eq!(summary(planned(700, rental(1), &claims)).map(|plan| plan.0), Some(Kind::NotDelivered));
    for touched in [
        RentalView { claimed_secs: 1, ..rental(1) },
        RentalView { paid_until_secs: START + 1, ..rental(1) },
        RentalView { faults: vec![fault(10, 80)], ..rental(1) },
        RentalView { closed: true, ..rental(1) },
    ] {
        assert_eq!(summary(planned(700, touched, &claims)), None);
    }
    assert_eq!(summary(planned(700, rental(1), &three(Kind::NotDelivered, 1, 650))), None);
    assert_eq!(summary(planned(599, rental(1), &three(Kind::NotDelivered, 0, 598))), None);
}

#[test]
fn unsound_attestations_are_not_kept() {
    let mut state = state(2_000);
    let mut with = |change: fn(&mut Signed<Attestation>)| {
        let mut claim = says(2, Kind::Interrupted, 100, 400);
        change(&mut claim);
        keep(&mut state, claim)
    };
    assert!(with(|_| ()));
    assert!(!with(|_| ()), "the same again");
    assert!(!with(|claim| claim.signer = account(77)), "not a keeper");
    assert!(!with(|claim| claim.statement.rental = 9), "no such rental");
    assert!(!with(|claim| claim.statement.kind = Kind::Spoofed));
    assert!(!with(|claim| claim.statement.until_secs = claim.statement.from_secs));
    assert!(!with(|claim| claim.statement.from_secs = START - 1));
    assert!(!with(|claim| claim.statement.until_secs = START + 2_061), "from the future");
    assert!(with(|claim| claim.statement.until_secs = START + 2_060), "their block may be a minute ahead");
}

#[test]
fn who_is_no_keeper_any_more_is_not_named() {
    let mut state = state(2_000);
    let mut docket = Docket::default();
    for claim in three(Kind::Interrupted, 100, 400) {
        docket.attestations.insert(claim.signer, vec![claim]);
    }
    // The heaviest left; the other two are a quorum of those who remain.
    state.world.best.keepers.get_mut(&account(1)).into_iter().for_each(|keeper| keeper.active = false);
    let plan = plan(&state, &rental(1), &docket);
    let signers: Vec<Account> = plan.into_iter().flat_map(|plan| plan.attestations).map(|one| one.signer).collect();
    assert_eq!(signers, vec![account(2), account(3)]);
}

#[test]
fn nothing_dated_after_the_newest_block_is_filed() {
    let claims = three(Kind::Interrupted, 100, 400);
    assert_eq!(summary(planned(399, rental(1), &claims)), None);
    assert!(planned(400, rental(1), &claims).is_some());
}

#[test]
fn a_signer_fills_only_its_own_slots() {
    let mut state = state(20_000);
    for n in 0..50 {
        keep(&mut state, says(2, Kind::Interrupted, 100 + n, 400));
        keep(&mut state, says(2, Kind::Offline, 100, 1_100 + n));
    }
    keep(&mut state, says(3, Kind::Interrupted, 100, 400));
    let docket = &state.court.dockets[&1];
    assert_eq!(docket.attestations[&account(2)].len(), INTERRUPTED_PER_SIGNER_MAX + 1);
    assert_eq!(docket.attestations[&account(3)].len(), 1);
    let newest = docket.attestations[&account(2)].iter().find(|one| one.statement.kind == Kind::Offline);
    assert_eq!(newest.map(|one| one.statement.until_secs), Some(START + 1_149));
    assert!(!keep(&mut state, says(2, Kind::Offline, 100, 1_120)), "an older one does not come back");
}

#[test]
fn failed_filings_wait_ever_longer() {
    assert_eq!([0, 1, 2, 5, 60].map(|failures| backoff_secs(30, failures)), [30, 60, 120, 960, 960]);
    assert_eq!(backoff_secs(u64::MAX, 3), u64::MAX);
}

#[test]
fn while_blind_nothing_is_filed() {
    let mut state = state(2_000);
    for claim in three(Kind::Interrupted, 100, 400) {
        keep(&mut state, claim);
    }
    for _ in 0..10 {
        let effects = tick(&mut state);
        assert!(state.health.blind.is_some() && !effects.iter().any(|effect| matches!(effect, Effect::Submit { .. })));
    }
}

#[test]
fn attestations_dated_after_the_newest_block_do_not_cost_a_keeper_its_turn() {
    let mut state = state(1_000);
    let rental = rental(1);
    let mut docket = Docket::default();
    let put = |docket: &mut Docket, until: u64| {
        for who in [1, 2] {
            docket.attestations.insert(account(who), vec![says(who, Kind::Offline, 0, until)]);
        }
    };
    // Not the first in the order.
    let later = (1..=3).map(account).find(|me| {
        state.config.me = *me;
        rank(&state, 1, Kind::Offline, &Docket::default()) > 0
    });
    assert!(later.is_some());
    state.config.rules.file_rank_delay_secs = 600;
    put(&mut docket, 990);
    let mut effects = Vec::new();
    file_one(&state, &rental, &mut docket, &mut effects);
    let since_secs = docket.ready.map(|ready| ready.since_secs);
    assert!(since_secs.is_some() && effects.is_empty());
    put(&mut docket, 1_005);
    file_one(&state, &rental, &mut docket, &mut effects);
    state.clock.now_unix_ms += 12_000;
    state.world.best.block.timestamp_secs += 12;
    file_one(&state, &rental, &mut docket, &mut effects);
    assert_eq!(docket.ready.map(|ready| ready.since_secs), since_secs, "its waiting goes on");
    put(&mut docket, 1_100);
    state.clock.now_unix_ms += 61_000;
    file_one(&state, &rental, &mut docket, &mut effects);
    assert_eq!(docket.ready, None, "a minute without a case is without one");
}

#[test]
fn who_saw_it_first_signs_anew_when_that_makes_the_least_interval_with_who_saw_it_last() {
    let mut state = state(1_100);
    step(&mut state, &Input::Peer(says(2, Kind::Offline, 130, 1_040)));
    let carries =
        |last: u64, now: u64| carries_now(&state, &rental(1), Kind::Offline, (START + 100, START + last), START + now);
    assert!(carries(1_010, 1_030), "130..1030 are 900 s together");
    assert!(!carries(1_010, 1_029), "not yet");
    assert!(!carries(1_030, 1_050), "the last one did already");
    assert!(!carries_now(&state, &rental(1), Kind::NotDelivered, (START, START + 1_010), START + 1_030));
    // However often a peer says that it saw it later still, there is an end to it.
    step(&mut state, &Input::Peer(says(2, Kind::Offline, 230, 1_060)));
    let late =
        |last: u64| carries_now(&state, &rental(1), Kind::Offline, (START + 100, START + last), START + last + 200);
    assert!(late(1_119) && !late(1_120));
}

#[test]
fn who_has_signed_files_before_who_has_not() {
    let mut state = state(1_000);
    let mut places = |docket: &Docket| {
        [1, 2, 3].map(|me| {
            state.config.me = account(me);
            rank(&state, 1, Kind::Offline, docket)
        })
    };
    let by_lot = places(&Docket::default());
    assert_eq!(std::collections::BTreeSet::from(by_lot), [0, 1, 2].into(), "all have a place of their own");
    for silent in 1..=3u8 {
        let mut docket = Docket::default();
        for who in (1..=3).filter(|who| *who != silent) {
            docket.attestations.insert(account(who), vec![says(who, Kind::Offline, 0, 900)]);
        }
        assert_eq!(places(&docket)[usize::from(silent) - 1], 2, "{silent}");
    }
}
