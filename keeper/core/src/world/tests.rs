use super::*;
use crate::fixtures::{START, fault, node, rental, update};
use crate::input::Newest;
use crate::types::{CaseId, Kind};
use crate::view::{CaseStatus, CaseView, NodeView};

fn alerts(world: &mut World, update: &ChainUpdate) -> usize {
    let mut effects = Vec::new();
    world.apply(update, &mut effects);
    effects.len()
}

#[test]
fn best_and_finalized_do_not_mix() {
    let mut world = World::default();
    alerts(&mut world, &update(View::Best, 5, 50, rental(1)));
    assert!(world.finalized.rentals.is_empty());
    let closed = RentalView { closed: true, ..rental(1) };
    alerts(&mut world, &update(View::Finalized, 4, 40, closed));
    assert!(!world.best.rentals[&1].closed && world.finalized.rentals[&1].closed);
}

#[test]
fn a_best_view_may_go_back_and_a_finalized_one_may_not() {
    let mut world = World::default();
    for view in [View::Best, View::Finalized] {
        alerts(&mut world, &update(view, 5, 50, rental(1)));
        alerts(&mut world, &update(view, 4, 40, RentalView { closed: true, ..rental(1) }));
    }
    assert_eq!((world.best.block.number, world.best.rentals[&1].closed), (4, true));
    assert_eq!((world.finalized.block.number, world.finalized.rentals[&1].closed), (5, false));
}

#[test]
fn what_a_reorg_undid_is_forgotten() {
    let mut world = World::default();
    let with = |number, newest| {
        let cases = vec![case(1), case(2)];
        let rentals = vec![rental(1), rental(2)];
        ChainUpdate { rentals, cases, newest, ..update(View::Best, number, 50, rental(1)) }
    };
    alerts(&mut world, &with(5, Some(Newest { rental: 2, case: 2 })));
    assert_eq!((world.best.rentals.len(), world.best.cases.len()), (2, 2));
    // Another branch, on which the second rental and the second case never came to be.
    let other = ChainUpdate {
        rentals: vec![],
        newest: Some(Newest { rental: 1, case: 1 }),
        ..update(View::Best, 6, 60, rental(1))
    };
    alerts(&mut world, &other);
    assert_eq!((world.best.rentals.len(), world.best.cases.len()), (1, 1));
}

fn case(id: CaseId) -> CaseView {
    let (kind, status) = (Kind::Interrupted, CaseStatus::Filed);
    let (executable_at_secs, filed_at_secs) = (START, START);
    CaseView { id, kind, status, rental: 1, executable_at_secs, penalty_rao: 0, registration: 1, filed_at_secs }
}

#[test]
fn what_makes_no_sense_is_left_out_and_the_rest_goes_on() {
    let nonsense = [
        RentalView { id: 0, ..rental(1) },
        RentalView { end_secs: START - 1, ..rental(1) },
        RentalView { end_secs: u64::MAX, ..rental(1) },
        RentalView { faults: vec![fault(50, 100), fault(99, 120)], ..rental(1) },
        RentalView { faults: vec![fault(100, 50)], ..rental(1) },
        RentalView { faults: vec![fault(1, 1); FAULTS_MAX + 1], ..rental(1) },
    ];
    for bad in nonsense {
        let mut world = World::default();
        let mut both = update(View::Best, 1, 10, bad.clone());
        both.rentals.push(rental(7));
        assert_eq!(alerts(&mut world, &both), 1, "{bad:?}");
        assert_eq!(world.best.rentals.keys().copied().collect::<Vec<_>>(), vec![7]);
    }
    let mut world = World::default();
    let mut late = update(View::Best, 1, 0, rental(1));
    late.block.timestamp_secs = u64::MAX;
    assert_eq!(alerts(&mut world, &late), 1);
    assert_eq!(world, World::default());
}

#[test]
fn the_oldest_closed_rental_makes_room_but_no_machines_newest() {
    let mut world = World::default();
    let mut full = update(View::Best, 1, 10, rental(1));
    full.nodes = vec![NodeView { last_rental: 3, ..node(1) }];
    full.rentals =
        (1..=RENTALS_MAX as u64).map(|id| RentalView { closed: (2..=4).contains(&id), ..rental(id) }).collect();
    assert_eq!(alerts(&mut world, &full), 0);
    for (id, gone) in [(100_001, Some(2)), (100_002, Some(4)), (100_003, None)] {
        full.rentals = vec![rental(id)];
        assert_eq!(alerts(&mut world, &full), usize::from(gone.is_none()), "{id}");
        assert!(gone.is_none_or(|gone| !world.best.rentals.contains_key(&gone)));
    }
    assert_eq!(world.best.rentals.len(), RENTALS_MAX);
}

#[test]
fn a_rental_runs_from_its_start_to_before_its_end() {
    for (at, runs) in [(0, true), (35_999, true), (36_000, false)] {
        assert_eq!(is_running(&rental(1), START + at), runs, "{at}");
    }
    assert!(!is_running(&rental(1), START - 1));
    assert!(!is_running(&RentalView { closed: true, ..rental(1) }, START + 5));
}
