//! What weights were made of, and what became of them.

use super::*;
use crate::adapters::store::{Chosen, FoundChosen};
use surety_core::ballot::{Ballot, Choice, Stage, Way};
use surety_core::weights::{Fleet, Scheme, WeightRules, weigh};
use surety_substrate::voter::BallotBox;

fn fleet() -> Fleet {
    serde_json::from_str(include_str!("../../../../core/tests/weights/fleet.json")).unwrap()
}

fn chosen(epoch: u64) -> Chosen {
    let (rules, scheme) = (WeightRules::default(), Scheme::Classes([(3, 4_000)].into()));
    let weighed = weigh(&fleet(), &scheme, &rules).unwrap();
    Chosen { epoch, block: 100 * epoch, rules, weighed }
}

fn ballot(epoch: u64, stage: Stage) -> Ballot {
    let choice = Choice { uids: vec![0], values: vec![65_535], version_key: 2 };
    let (netuid, registered_counter, hotkey, way) = (51, 1, Hash32([6; 32]), Way::Open);
    Ballot { netuid, registered_counter, hotkey, epoch, choice, way, stage, attempts: 0 }
}

#[test]
fn what_was_last_chosen_is_read_beside_the_running_keeper_with_what_became_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.sqlite");
    let store = Store::open(&path).unwrap();
    let reading = Reading::open(&path).unwrap();
    assert_eq!((reading.chosen().unwrap(), reading.chosen_fleet().unwrap()), (None, None));
    store.put_chosen(&chosen(7), &fleet()).unwrap();
    store.put_chosen(&chosen(8), &fleet()).unwrap();
    assert_eq!(reading.chosen().unwrap(), Some(FoundChosen { chosen: chosen(8), stage: None }));
    assert_eq!(reading.chosen_fleet().unwrap(), Some(fleet()));
    store.put(&ballot(7, Stage::Done { block: 1 })).unwrap();
    store.put(&ballot(8, Stage::Chosen)).unwrap();
    assert_eq!(reading.chosen().unwrap().unwrap().stage, Some(Stage::Chosen), "of its own epoch");
}

#[test]
fn a_store_of_an_older_keeper_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.sqlite");
    drop(Store::open(&path).unwrap());
    rusqlite::Connection::open(&path).unwrap().execute_batch("DROP TABLE chosen").unwrap();
    let reading = Reading::open(&path).unwrap();
    assert_eq!((reading.chosen().unwrap(), reading.chosen_fleet().unwrap()), (None, None));
    drop(Store::open(&path).unwrap());
    assert_eq!(Reading::open(&path).unwrap().chosen().unwrap(), None, "and gets the table at the next start");
}
