//! Ballots: the newest is found again, whatever happened in between.

use super::*;
use surety_core::ballot::{Ballot, Choice, Stage, Way};
use surety_substrate::voter::BallotBox;

fn ballot(registered_counter: u64, epoch: u64) -> Ballot {
    let choice = Choice { uids: vec![0, 3], values: vec![65_000, 535], version_key: 2 };
    let (netuid, hotkey, way, stage) = (51, Hash32([6; 32]), Way::Open, Stage::Chosen);
    Ballot { netuid, registered_counter, hotkey, epoch, choice, way, stage, attempts: 0 }
}

#[test]
fn the_newest_ballot_is_the_last_one_put_and_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.sqlite");
    let store = Store::open(&path).unwrap();
    assert_eq!(store.newest().unwrap(), None);
    store.put(&ballot(1, 7)).unwrap();
    store.put(&ballot(1, 8)).unwrap();
    let done = ballot(1, 8).at(Stage::Done { block: 5 });
    store.put(&done).unwrap();
    drop(store);
    assert_eq!(Store::open(&path).unwrap().newest().unwrap(), Some(done));
}

#[test]
fn another_subnet_of_the_same_number_begins_its_epochs_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("keeper.sqlite")).unwrap();
    store.put(&ballot(1, 900)).unwrap();
    store.put(&ballot(2, 1)).unwrap();
    assert_eq!(store.newest().unwrap(), Some(ballot(2, 1)));
}

#[test]
fn what_the_chain_has_not_opened_yet_is_found_again_oldest_first_until_it_is_known_what_became_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("keeper.sqlite")).unwrap();
    let sealed = |epoch| ballot(1, epoch).at(Stage::Sealed { block: 5, reveal_epoch: epoch + 1 });
    for one in [sealed(8), ballot(1, 9).at(Stage::Done { block: 5 }), sealed(7), ballot(1, 10)] {
        store.put(&one).unwrap();
    }
    assert_eq!(store.sealed().unwrap(), [sealed(7), sealed(8)]);
    let lost = sealed(7).at(Stage::Lost { block: 9, why: "x".into() });
    store.put(&lost).unwrap();
    assert_eq!((store.sealed().unwrap(), store.newest().unwrap()), (vec![sealed(8)], Some(ballot(1, 10))));
}
