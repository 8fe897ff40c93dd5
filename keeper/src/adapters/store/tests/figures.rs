//! Soft figures: the newest of each machine.

use super::*;
use crate::ports::{Archive, SoftFigures};
use surety_verifier::gauge::Figures;

fn soft(measured_at_secs: u64, threads: u16) -> SoftFigures {
    SoftFigures { registration: 1, measured_at_secs, figures: Figures { threads, ..Figures::default() }, ended: None }
}

#[test]
fn the_newest_figures_of_a_machine_replace_older_ones_and_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.sqlite");
    let (one, other) = (MachineId([1; 32]), MachineId([2; 32]));
    let store = Store::open(&path).unwrap();
    assert_eq!(store.figures_of(one).unwrap(), None);
    store.put_figures(one, &soft(START, 8)).unwrap();
    store.put_figures(other, &soft(START, 16)).unwrap();
    store.put_figures(one, &soft(START + 1, 32)).unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.figures_of(one).unwrap(), Some(soft(START + 1, 32)));
    assert_eq!(store.figures_of(other).unwrap(), Some(soft(START, 16)));
    assert_eq!(store.all_figures().unwrap(), [(one, soft(START + 1, 32)), (other, soft(START, 16))].into());
}

#[test]
fn figures_of_machines_that_are_long_gone_are_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("keeper.sqlite")).unwrap();
    store.put_figures(MachineId([1; 32]), &soft(START, 8)).unwrap();
    store.put_figures(MachineId([2; 32]), &soft(START + 60 * 86_400, 8)).unwrap();
    assert!(store.figures_of(MachineId([1; 32])).unwrap().is_some(), "60 days are kept");
    store.put_figures(MachineId([2; 32]), &soft(START + 60 * 86_400 + 1, 8)).unwrap();
    assert!(store.figures_of(MachineId([1; 32])).unwrap().is_none());
}
