use super::*;
use crate::fixtures::{START, account, looks, machine, rental, state, tick, update};
use crate::input::{Input, Observation};
use crate::step::step;
use crate::types::{Account, Signature};
use crate::view::View;

fn complaint(at: u64) -> Complaint {
    let text = "nvidia-smi sees no card".to_owned();
    Complaint { rental: 1, code: ComplaintCode::CardsMissing, text, issued_at_secs: START + at }
}

fn signed(signer: Account, statement: Complaint) -> Input {
    Input::Complaint(Signed { statement, signer, signature: Signature::default() })
}

fn renter() -> Account {
    rental(1).renter
}

fn gaps(at: &[u64]) -> Vec<u64> {
    at.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn a_complaint_makes_a_keeper_look_at_the_suspect_pace_for_a_quarter_of_an_hour_and_no_closer() {
    let mut state = state(60);
    let before = looks(&mut state, 200, &Observation::Accepted);
    assert!(gaps(&before).iter().all(|gap| *gap >= 25), "{before:?}");
    let now = state.clock.now_secs() - START;
    step(&mut state, &signed(renter(), complaint(now)));
    let during = looks(&mut state, COMPLAINT_OPEN_SECS, &Observation::Accepted);
    assert!(gaps(&during).iter().all(|gap| (10..=25).contains(gap)), "{:?}", gaps(&during));
    assert!(during.len() > 80, "{} looks", during.len());
    let after = looks(&mut state, 300, &Observation::Accepted);
    assert!(state.complaints.is_empty());
    assert!(gaps(&after[1..]).iter().all(|gap| *gap >= 25), "{after:?}");
    assert!(!state.watches[&machine(1)].suspected, "and it was never suspected for it");
}

#[test]
fn a_complaint_leaves_the_looks_at_a_suspected_machine_where_they_are() {
    let asked = |complained: bool| {
        let mut state = state(60);
        looks(&mut state, 100, &Observation::Accepted);
        let from = looks(&mut state, 40, &Observation::Refused)[0];
        let now = state.clock.now_secs() - START;
        if complained {
            step(&mut state, &signed(renter(), complaint(now)));
        }
        // The question about cards was asked.
        state.cards.edit(&machine(1), |record| record.next_look_ms = u64::MAX);
        let decisive = from + state.config.rules.offline_after_secs + 6;
        (decisive, looks(&mut state, decisive - now, &Observation::Refused))
    };
    let (decisive, with) = asked(true);
    assert_eq!(asked(false), (decisive, with.clone()));
    assert_eq!(with.last(), Some(&decisive), "the look that makes the outage long enough");
}

#[test]
fn the_look_comes_at_once_but_never_within_the_hosts_gap() {
    let mut state = state(60);
    let first = looks(&mut state, 1, &Observation::Accepted);
    assert_eq!(first.len(), 1, "a new tenancy is looked at at once");
    step(&mut state, &signed(renter(), complaint(first[0])));
    assert_eq!(looks(&mut state, 12, &Observation::Accepted), [first[0] + 10]);
}

#[test]
fn only_the_renter_of_a_running_rental_is_heard() {
    let heard = |signer: Account, statement: Complaint| {
        let mut state = state(60);
        step(&mut state, &signed(signer, statement));
        !state.complaints.is_empty()
    };
    assert!(heard(renter(), complaint(60)));
    assert!(!heard(account(51), complaint(60)), "somebody else");
    assert!(!heard(rental_owner(), complaint(60)), "the miner");
    assert!(!heard(renter(), Complaint { rental: 2, ..complaint(60) }), "a rental that nobody knows");
    let mut over = state(60);
    let ended = crate::view::RentalView { end_secs: START + 50, ..rental(1) };
    step(&mut over, &Input::Chain(Box::new(update(View::Best, 2, 61, ended))));
    step(&mut over, &signed(renter(), complaint(60)));
    assert!(over.complaints.is_empty(), "a rental that is over");
}

fn rental_owner() -> Account {
    crate::fixtures::node(1).miner
}

#[test]
fn a_complaint_serves_for_five_minutes_and_not_before_it_was_made() {
    let heard = |issued: u64| {
        let mut state = state(1_000);
        step(&mut state, &signed(renter(), complaint(issued)));
        !state.complaints.is_empty()
    };
    assert!(heard(1_000) && heard(700) && heard(1_060));
    assert!(!heard(699) && !heard(1_061));
}

#[test]
fn a_complaint_is_within_its_bounds_or_none() {
    let text = |text: String| Complaint { text, ..complaint(0) }.check();
    assert_eq!(text("x".repeat(COMPLAINT_TEXT_BYTES_MAX)), Ok(()));
    assert_eq!(text("x".repeat(COMPLAINT_TEXT_BYTES_MAX + 1)), Err(ComplaintError::TooLong));
    assert_eq!(text("é".repeat(COMPLAINT_TEXT_BYTES_MAX / 2 + 1)), Err(ComplaintError::TooLong), "bytes, not letters");
    for odd in ["a\nb", "\u{1b}[2J", "\0"] {
        assert_eq!(text(odd.to_owned()), Err(ComplaintError::Unprintable));
    }
    assert_eq!(Complaint { rental: 0, ..complaint(0) }.check(), Err(ComplaintError::Numbers));
    assert_eq!(Complaint { issued_at_secs: u64::MAX, ..complaint(0) }.check(), Err(ComplaintError::Numbers));
    let mut state = state(60);
    step(&mut state, &signed(renter(), Complaint { text: "\n".to_owned(), ..complaint(60) }));
    assert!(state.complaints.is_empty(), "nor does the core take one that is none");
}

#[test]
fn a_second_complaint_does_not_prolong_the_first() {
    let mut state = state(60);
    step(&mut state, &signed(renter(), complaint(60)));
    let first = state.complaints[&1];
    looks(&mut state, 100, &Observation::Accepted);
    step(&mut state, &signed(renter(), complaint(160)));
    assert_eq!(state.complaints[&1], first);
}

#[test]
fn complaints_being_looked_into_are_bounded() {
    let mut state = state(60);
    let open = Open { since_secs: START, until_secs: START + 9_000 };
    state.complaints = (100..).take(COMPLAINTS_OPEN_MAX).map(|id| (id, open)).collect();
    step(&mut state, &signed(renter(), complaint(60)));
    assert_eq!(state.complaints.len(), COMPLAINTS_OPEN_MAX);
    tick(&mut state);
    assert!(state.complaints.is_empty(), "rentals that do not run are let go of");
}

#[test]
fn a_clock_that_was_set_back_ends_the_looking_harder() {
    let mut state = state(600);
    step(&mut state, &signed(renter(), complaint(600)));
    state.clock.now_unix_ms -= 100_000;
    tick(&mut state);
    assert!(state.complaints.is_empty());
}

#[test]
fn a_state_without_complaints_reads_and_hashes_as_before_there_were_any() {
    let state = state(60);
    let text = serde_json::to_string(&state).unwrap_or_default();
    assert!(!text.contains("complaints"));
    assert_eq!(serde_json::from_str::<State>(&text).ok(), Some(state));
}

#[test]
fn whatever_is_changed_in_a_complaint_makes_it_another() {
    let one = complaint(60);
    let others = [
        Complaint { rental: 2, ..one.clone() },
        Complaint { code: ComplaintCode::Other, ..one.clone() },
        Complaint { text: String::new(), ..one.clone() },
        Complaint { issued_at_secs: 1, ..one.clone() },
    ];
    assert!(others.iter().all(|other| other.id() != one.id()));
    assert_eq!(one.clone().id(), one.id());
}
