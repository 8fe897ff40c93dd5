//! What became of timelocked weights, once their turn has come.

use super::*;

fn sealed() -> Ballot {
    sent(timelocked()).at(Stage::Sealed { block: 3_702, reveal_epoch: 12 })
}

/// In the epoch in which it is opened, in which nothing speaks against it.
fn in_turn() -> Seen {
    let mut seen = Seen { epoch: 12, block: 4_400, next_epoch_block: 4_693, ..seen(TIMELOCKED) };
    seen.seat.as_mut().unwrap().updated_at = 3_701;
    seen
}

fn gone() -> Aftermath {
    Aftermath {
        ciphertext_is_there: false,
        weights_are_there: false,
        later: Later::None,
        least_uids: 3,
        seats: 10,
        last_round: 1_200,
    }
}

fn lost(seen: &Seen, after: &Aftermath) -> String {
    match sealed().aftermath(seen, after) {
        Some(Stage::Lost { block, why }) if block == seen.block => why,
        other => panic!("not lost: {other:?}"),
    }
}

#[test]
fn what_was_opened_is_done_and_what_is_not_opened_yet_is_waited_for() {
    let there = Aftermath { ciphertext_is_there: true, ..gone() };
    assert_eq!(sealed().aftermath(&in_turn(), &there), None);
    assert_eq!(
        sealed().aftermath(&Seen { epoch: 14, ..in_turn() }, &there),
        None,
        "a subnet that asks for more epochs since"
    );
    let opened = Aftermath { weights_are_there: true, ..gone() };
    assert_eq!(sealed().aftermath(&in_turn(), &opened), Some(Stage::Done { block: 4_400 }));
    assert_eq!(sent(timelocked()).aftermath(&in_turn(), &opened), None, "only of what was sealed");
}

#[test]
fn what_is_gone_and_does_not_count_is_lost_by_the_first_condition_of_the_chain_that_it_fails() {
    let seat = |change: &dyn Fn(&mut Seat)| {
        let mut seen = in_turn();
        change(seen.seat.as_mut().unwrap());
        seen
    };
    assert!(lost(&Seen { seat: None, ..in_turn() }, &gone()).contains("lost its uid"));
    assert!(lost(&Seen { version_key: 4, ..in_turn() }, &gone()).contains("version 4 now, these are of 3"));
    assert!(lost(&seat(&|seat| seat.permit = false), &gone()).contains("uid 4 has lost its validator permit"));
    assert!(lost(&seat(&|seat| seat.stake_rao = 499), &gone()).contains("499 rao of stake are left"));
    assert!(lost(&in_turn(), &Aftermath { seats: 9, ..gone() }).contains("uid 9 is not on the subnet"));
    let many = Aftermath { least_uids: 4, ..gone() };
    assert!(lost(&in_turn(), &many).contains("3 uids, and the subnet asks for 4"));
    assert!(lost(&seat(&|seat| seat.updated_at = 3_900), &gone()).contains("another program"));
    let late = Aftermath { last_round: 999, ..gone() };
    assert!(lost(&Seen { epoch: 13, ..in_turn() }, &late).contains("round 1000 of the beacon did not come in time"));
    assert!(lost(&in_turn(), &gone()).contains("the chain said nothing"));
    assert!(lost(&in_turn(), &late).contains("the chain said nothing"), "in its epoch the round may still come");
}

#[test]
fn our_own_later_commit_is_not_another_programs() {
    let mut seen = in_turn();
    seen.seat.as_mut().unwrap().updated_at = 4_100;
    let after = Aftermath { later: Later::Committed, ..gone() };
    assert!(lost(&seen, &after).contains("the chain said nothing"));
}

#[test]
fn where_later_weights_stand_in_its_place_nothing_is_claimed_and_nothing_said_that_is_not_known() {
    let after = |later| Aftermath { later, ..gone() };
    let unknown = sealed().aftermath(&in_turn(), &after(Later::Counted)).unwrap();
    assert!(matches!(&unknown, Stage::Failed { why } if why.contains("is unknown")), "{unknown:?}");
    assert_eq!(sealed().aftermath(&in_turn(), &after(Later::Unknown)), None);
    let elsewhere = sealed().aftermath(&Seen { registered_counter: 2, ..in_turn() }, &gone()).unwrap();
    assert!(matches!(&elsewhere, Stage::Failed { why } if why.contains("another subnet")), "{elsewhere:?}");
}

#[test]
fn of_several_later_ballots_the_furthest_says_what_stands() {
    let of = |ballots: &[(Ballot, bool)]| Later::of(ballots.iter().map(|(ballot, there)| (ballot, *there)));
    let done = (sealed().at(Stage::Done { block: 1 }), false);
    let lost = (sealed().at(Stage::Lost { block: 1, why: "x".into() }), false);
    assert_eq!(of(&[]), Later::None);
    assert_eq!(of(&[(ballot(Way::Open), false), lost.clone(), (sent(timelocked()), false)]), Later::None);
    assert_eq!(of(&[(sealed(), true), lost.clone()]), Later::Committed);
    assert_eq!(of(&[(sent(Way::Open), false), (sealed(), true)]), Later::Unknown);
    assert_eq!(of(&[(sealed(), false), (sealed(), true)]), Later::Counted);
    assert_eq!(of(&[done, lost]), Later::Counted);
}

#[test]
fn a_ballot_that_was_lost_is_not_sent_again_and_the_next_epoch_begins_its_own() {
    let lost = sealed().at(Stage::Lost { block: 4_400, why: "x".into() });
    assert_eq!(next_action(Some(&lost), &seen(TIMELOCKED)), Action::Wait);
    assert_eq!(next_action(Some(&lost), &Seen { epoch: 11, ..seen(TIMELOCKED) }), Action::Choose);
}
