//! Counts of registrations.

use super::*;
use surety_core::weights::Counted;

fn counted(rows: &[(u32, u64)]) -> Vec<Counted> {
    rows.iter()
        .map(|(registrations, last_secs)| Counted { registrations: *registrations, last_secs: *last_secs })
        .collect()
}

#[test]
fn of_each_count_the_last_time_is_kept_and_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.sqlite");
    let store = Store::open(&path).unwrap();
    assert_eq!(store.note_registrations(3, START).unwrap(), counted(&[(3, START)]));
    store.note_registrations(3, START + 50).unwrap();
    store.note_registrations(3, START + 40).unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.note_registrations(5, START + 90).unwrap(), counted(&[(3, START + 50), (5, START + 90)]));
}

#[test]
fn counts_that_no_rule_looks_back_to_are_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("keeper.sqlite")).unwrap();
    store.note_registrations(3, START).unwrap();
    let year = 366 * 86_400;
    assert_eq!(store.note_registrations(4, START + year).unwrap().len(), 2);
    assert_eq!(store.note_registrations(4, START + year + 1).unwrap(), counted(&[(4, START + year + 1)]));
}
