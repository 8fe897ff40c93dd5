//! Rules one by one, then whole lives against a chain that forgets, fails and halts, with crashes round every write.
#![allow(clippy::unwrap_used)]

mod aftermath;
mod lives;

use super::*;

const WEIGHTS: &[u16] = &[1, 2, 65_532];

pub(super) const TIMELOCKED: Openness = Openness::Timelocked { period_epochs: 2 };

pub(super) fn choice() -> Choice {
    Choice { uids: vec![0, 7, 9], values: WEIGHTS.to_vec(), version_key: 3 }
}

pub(super) fn hashed() -> Way {
    Way::Hashed { salt: vec![1, 2, 3], hash: Hash32([5; 32]), reveal_epoch: None }
}

pub(super) fn timelocked() -> Way {
    Way::Timelocked { ciphertext: "ab".into(), round: 1_000, version: 4 }
}

/// A subnet in the middle of epoch 10, where nothing speaks against weights.
pub(super) fn seen(openness: Openness) -> Seen {
    Seen {
        netuid: 51,
        hotkey: Hash32([6; 32]),
        block: 3_700,
        registered_counter: 1,
        epoch: 10,
        next_epoch_block: 3_971,
        openness,
        seat: Some(Seat { uid: 4, permit: true, updated_at: 0, stake_rao: 5_000, stake_needed_rao: 1_000 }),
        rate_limit_blocks: 100,
        version_key: 3,
        weights_are_there: false,
        hash_committed_in: None,
        ciphertext_committed_in: None,
    }
}

pub(super) fn tx(from_block: u64) -> Tx {
    Tx {
        nonce: from_block,
        raw: "00".into(),
        hash: Hash32([8; 32]),
        from_block,
        last_block: from_block + 63,
        sent_at: None,
    }
}

fn with_seat(change: impl FnOnce(&mut Seat)) -> Seen {
    let mut seen = seen(Openness::Open);
    change(seen.seat.as_mut().unwrap());
    seen
}

fn ballot(way: Way) -> Ballot {
    Ballot::new(&seen(Openness::Open), choice(), way)
}

fn sent(way: Way) -> Ballot {
    ballot(way).signed(tx(3_700)).sent(3_700)
}

fn refused(seen: &Seen) -> String {
    match next_action(None, seen) {
        Action::Refuse(refusal) => refusal.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn weights_are_chosen_once_an_epoch_and_not_again_when_they_are_done_or_failed() {
    let seen = seen(Openness::Open);
    assert_eq!(next_action(None, &seen), Action::Choose);
    for stage in [Stage::Done { block: 3_650 }, Stage::Failed { why: "x".into() }] {
        let over = ballot(Way::Open).at(stage);
        assert_eq!(next_action(Some(&over), &seen), Action::Wait);
        let next = Seen { epoch: 11, block: 4_000, next_epoch_block: 4_332, ..seen.clone() };
        assert_eq!(next_action(Some(&over), &next), Action::Choose);
    }
}

#[test]
fn who_is_not_on_the_subnet_or_may_not_set_weights_is_told_so_and_nothing_is_sent() {
    let absent = Seen { seat: None, ..seen(Openness::Open) };
    assert!(refused(&absent).contains("no uid"));
    assert!(refused(&with_seat(|seat| seat.permit = false)).contains("uid 4 has no validator permit"));
    let poor = refused(&with_seat(|seat| seat.stake_rao = 499));
    assert!(poor.contains("499 rao") && poor.contains("1000"), "{poor}");
}

#[test]
fn stake_that_our_count_may_have_missed_is_left_to_the_chain() {
    assert_eq!(next_action(None, &with_seat(|seat| seat.stake_rao = 500)), Action::Choose);
    assert_eq!(next_action(None, &with_seat(|seat| (seat.stake_rao, seat.stake_needed_rao) = (0, 0))), Action::Choose);
}

#[test]
fn the_rate_limit_is_waited_for_to_the_block() {
    let at = |updated_at| with_seat(|seat| seat.updated_at = updated_at);
    assert!(refused(&at(3_602)).contains("from block 3702"));
    assert_eq!(next_action(None, &at(3_601)), Action::Choose, "it is checked in the next block");
    assert_eq!(next_action(None, &at(0)), Action::Choose, "whoever never set any waits for nothing");
}

#[test]
fn uid_zero_is_a_uid_like_any_other() {
    assert_eq!(next_action(None, &with_seat(|seat| seat.uid = 0)), Action::Choose);
}

#[test]
fn nothing_is_signed_that_could_live_beyond_its_epoch() {
    let seen = Seen { block: 3_907, ..seen(Openness::Open) };
    assert!(refused(&seen).contains("3971"));
    assert_eq!(next_action(None, &Seen { block: 3_906, ..seen }), Action::Choose);
}

#[test]
fn bytes_are_sent_and_sent_again_until_a_block_has_them_or_none_can() {
    let (open, at) = (sent(Way::Open), |block| Seen { block, ..seen(Openness::Open) });
    assert_eq!(next_action(Some(&ballot(Way::Open).signed(tx(3_700))), &at(3_700)), Action::Send);
    assert_eq!(next_action(Some(&open), &at(3_704)), Action::Wait);
    assert_eq!(next_action(Some(&open), &at(3_705)), Action::Send);
    assert_eq!(next_action(Some(&open), &at(3_763)), Action::Send, "the last block may still have it");
    assert_eq!(next_action(Some(&open), &at(3_764)), Action::Record(Stage::Chosen), "now it is dead");
}

#[test]
fn only_an_update_after_the_signature_is_its_own() {
    let seen = |updated_at| with_seat(|seat| seat.updated_at = updated_at);
    let open = sent(Way::Open);
    assert_eq!(next_action(Some(&open), &seen(3_700)), Action::Wait);
    let later = Seen { block: 3_703, ..seen(3_701) };
    assert_eq!(next_action(Some(&open), &later), Action::Wait, "another program's, with other weights");
    let ours = Seen { weights_are_there: true, ..later };
    assert_eq!(next_action(Some(&open), &ours), Action::Record(Stage::Done { block: 3_703 }));
    let before = Seen { weights_are_there: true, ..seen(3_700) };
    assert_eq!(next_action(Some(&open), &before), Action::Wait, "those of the last epoch, which were the same");
}

#[test]
fn a_ballot_that_is_signed_in_vain_is_given_up_after_four_times() {
    let mut tried = ballot(Way::Open);
    for _ in 0..ATTEMPTS_MAX {
        assert_eq!(next_action(Some(&tried), &seen(Openness::Open)), Action::Sign);
        tried = tried.signed(tx(3_700)).at(Stage::Chosen);
    }
    let Action::Record(Stage::Failed { why }) = next_action(Some(&tried), &seen(Openness::Open)) else {
        panic!("not given up")
    };
    assert!(why.contains("no block took it"));
}

#[test]
fn what_was_not_sent_in_its_epoch_is_chosen_anew_in_the_next() {
    let next = Seen { epoch: 11, block: 4_000, next_epoch_block: 4_332, ..seen(Openness::Open) };
    let Action::Record(failed) = next_action(Some(&ballot(Way::Open)), &next) else { panic!("kept") };
    assert_eq!(next_action(Some(&ballot(Way::Open).at(failed)), &next), Action::Choose);
}

#[test]
fn a_subnet_that_changes_its_rules_gets_no_weights_of_the_old_ones() {
    let hashing = seen(Openness::Hashed { period_epochs: 1 });
    for (ballot, seen) in [
        (ballot(Way::Open), hashing.clone()),
        (ballot(hashed()), seen(TIMELOCKED)),
        (ballot(timelocked()), seen(Openness::Open)),
        (ballot(Way::Open), Seen { version_key: 4, ..seen(Openness::Open) }),
        (ballot(Way::Open), Seen { registered_counter: 2, ..seen(Openness::Open) }),
        (sent(Way::Open), Seen { registered_counter: 2, block: 3_764, ..seen(Openness::Open) }),
        (sent(Way::Open), Seen { netuid: 52, block: 3_764, ..seen(Openness::Open) }),
        (sent(Way::Open), Seen { hotkey: Hash32([7; 32]), block: 3_764, ..seen(Openness::Open) }),
    ] {
        assert!(matches!(next_action(Some(&ballot), &seen), Action::Record(Stage::Failed { .. })), "{ballot:?}");
    }
}

#[test]
fn what_is_signed_for_another_subnet_or_hotkey_is_waited_out_before_anything_else_is_signed() {
    for other in [Seen { netuid: 52, ..seen(Openness::Open) }, Seen { hotkey: Hash32([7; 32]), ..seen(Openness::Open) }]
    {
        assert_eq!(next_action(Some(&sent(Way::Open)), &Seen { block: 3_763, ..other }), Action::Wait);
    }
}

#[test]
fn another_subnet_of_the_same_number_gets_a_ballot_of_its_own() {
    let done = ballot(Way::Open).at(Stage::Done { block: 1 });
    let other = Seen { registered_counter: 2, epoch: 3, ..seen(Openness::Open) };
    assert_eq!(next_action(Some(&done), &other), Action::Choose);
}

#[test]
fn a_hash_is_revealed_in_its_epoch_and_in_no_other() {
    let hashing =
        |epoch, committed| Seen { epoch, hash_committed_in: committed, ..seen(Openness::Hashed { period_epochs: 2 }) };
    let waiting = sent(hashed());
    assert_eq!(next_action(Some(&waiting), &hashing(10, None)), Action::Wait);
    assert_eq!(next_action(Some(&waiting), &hashing(11, Some(10))), Action::Commit { reveal_epoch: 12 });
    let committed = waiting.committed_until(12);
    assert_eq!(next_action(Some(&committed), &hashing(11, Some(10))), Action::Wait);
    assert_eq!(next_action(Some(&committed), &hashing(12, Some(10))), Action::Sign);
    let late = next_action(Some(&committed), &hashing(13, Some(10)));
    assert!(matches!(late, Action::Record(Stage::Failed { .. })), "{late:?}");
    let revealing = committed.signed(tx(3_700)).sent(3_700);
    assert!(matches!(revealing.stage, Stage::Revealing(_)));
    assert_eq!(next_action(Some(&revealing), &hashing(12, Some(10))), Action::Wait);
    assert_eq!(next_action(Some(&revealing), &hashing(12, None)), Action::Record(Stage::Done { block: 3_700 }));
    let gone = next_action(Some(&revealing), &hashing(13, None));
    assert!(matches!(gone, Action::Record(Stage::Failed { .. })), "revealed or expired: nobody can tell");
}

#[test]
fn a_reveal_that_no_block_took_is_signed_anew_within_its_epoch() {
    let there =
        |block| Seen { block, epoch: 11, hash_committed_in: Some(10), ..seen(Openness::Hashed { period_epochs: 1 }) };
    let revealing = sent(hashed()).committed_until(11).signed(tx(3_700)).sent(3_763);
    assert_eq!(next_action(Some(&revealing), &there(3_764)), Action::Record(Stage::Committed));
    let again = revealing.at(Stage::Committed);
    assert_eq!(next_action(Some(&again), &there(3_764)), Action::Sign);
}

#[test]
fn timelocked_weights_are_sealed_when_the_chain_has_the_ciphertext_and_the_next_epoch_begins_its_own() {
    let there = Seen { ciphertext_committed_in: Some(11), ..seen(TIMELOCKED) };
    let sealed = Stage::Sealed { block: 3_700, reveal_epoch: 13 };
    assert_eq!(next_action(Some(&sent(timelocked())), &there), Action::Record(sealed.clone()));
    let sealed = sent(timelocked()).at(sealed);
    assert_eq!(next_action(Some(&sealed), &seen(TIMELOCKED)), Action::Wait, "not twice in one epoch");
    let next = Seen { epoch: 11, block: 4_000, next_epoch_block: 4_332, ..seen(TIMELOCKED) };
    assert_eq!(next_action(Some(&sealed), &next), Action::Choose);
}

#[test]
fn a_ballot_survives_being_stored() {
    for way in [Way::Open, hashed(), timelocked()] {
        let ballot = sent(way);
        let text = serde_json::to_string(&ballot).unwrap();
        assert_eq!(serde_json::from_str::<Ballot>(&text).unwrap(), ballot);
    }
}
