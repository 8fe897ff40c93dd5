#![allow(clippy::unwrap_used)]

use super::*;
use crate::adapters::evm::tests::world::World;
use crate::runtime::measurements::answering;
use surety_core::types::{Hash32, Kind};
use surety_core::view::{BlockRef, CaseStatus, CaseView, View};
use surety_market::facts::Setting;
use surety_market::market::Market;
use surety_market::wire::{Contracts, Terms};
use surety_subtensor_rpc::Mild;

/// Long enough for a slow machine; a test that needs it all has failed.
const DEADLINE: Duration = Duration::from_secs(60);

fn shop(world: &World) -> Shop {
    let d = &world.chain.deployment;
    let contracts = Contracts {
        vault: d.vault.address,
        escrow: d.escrow.address,
        arbiter: d.arbiter.address,
        bids: d.bids.address,
        keepers: d.keepers.address,
    };
    Shop::new(Market::new(Setting {
        chain_id: d.chain_id,
        netuid: d.netuid,
        keeper: world.keeper.account(),
        contracts,
        terms: Terms::default(),
        class_name: |class| class.to_string(),
    }))
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end, "not in time: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_market_follows_the_chain_through_nodes_that_fail_now_and_then() {
    let world = World::start(3).await;
    for index in 0..3 {
        world.control(index).faults().mild = Some(Mild::new(u64::try_from(index).unwrap() + 7));
    }
    let (shop, hints, measurements) = (shop(&world), Hints::default(), Measurements::default());
    let answering = answering(measurements.clone());
    let (reader, poll_every) = (MarketReader::new(world.endpoints()), Duration::from_millis(50));
    let keeping = Keeping { reader, shop: shop.clone(), hints: hints.clone(), measurements, poll_every };
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(keeping.run(stopped));
    let machine = world.miner.machine();
    until("the machine is shown", || shop.read(|market| market.row(&machine).is_some())).await;
    until("the keepers are shown", || shop.read(|market| market.network().keepers.len() == 2)).await;

    let (rental, _) = world.rent(600).await;
    let mut follower = world.follower(View::Best);
    let update = loop {
        if let Ok(Some(update)) = follower.poll().await {
            break update;
        }
    };
    hints.tell(&update);
    until("the rental is shown", || shop.read(|market| market.rental(rental).is_some())).await;
    until("the machine is rented", || shop.read(|m| m.row(&machine).is_some_and(|row| row.rental.is_some()))).await;
    until("what was read is not wanted any more", || hints.peek().0.is_empty()).await;
    stop.send_replace(true);
    tokio::time::timeout(DEADLINE, task).await.unwrap().unwrap();
    answering.abort();
}

fn block(number: u64, fork: u8) -> BlockRef {
    let mut hash = [fork; 32];
    hash[0] = u8::try_from(number).unwrap();
    BlockRef { number, hash: Hash32(hash), timestamp_secs: number }
}

/// An update that names case 2.
fn naming(block: BlockRef) -> ChainUpdate {
    let case = CaseView {
        id: 2,
        kind: Kind::Offline,
        status: CaseStatus::Appealed,
        rental: 4,
        executable_at_secs: 50,
        penalty_rao: 1,
        registration: 2,
        filed_at_secs: 1,
    };
    let (nodes, rentals, cases) = (vec![], vec![], vec![case]);
    ChainUpdate { view: View::Best, block, nodes, rentals, cases, keepers: None, newest: None, seat: None }
}

#[test]
fn what_changes_while_it_is_being_read_is_read_again() {
    let hints = Hints::default();
    hints.tell(&naming(block(10, 1)));
    let (wanted, told) = hints.peek();
    hints.tell(&naming(block(11, 1)));
    hints.done(&wanted, told, &block(10, 1));
    assert_eq!(hints.peek().0, wanted, "read before the second change");
    let (wanted, told) = hints.peek();
    hints.done(&wanted, told, &block(11, 1));
    assert!(hints.peek().0.is_empty());
}

#[test]
fn what_nodes_that_lag_showed_is_not_taken_for_what_was_named() {
    let hints = Hints::default();
    hints.tell(&naming(block(11, 1)));
    let (wanted, told) = hints.peek();
    hints.done(&wanted, told, &block(10, 1));
    assert_eq!(hints.peek().0, wanted, "read at an earlier block than it was named at");
    hints.done(&wanted, told, &block(11, 2));
    assert_eq!(hints.peek().0, wanted, "read at another block of that height");
    hints.done(&wanted, told, &block(12, 2));
    assert!(hints.peek().0.is_empty());
}

#[test]
fn what_was_named_is_read_before_what_is_missing_and_never_too_much_at_once() {
    let wanted = |ids: std::ops::RangeInclusive<u64>| Wanted { rentals: ids.collect(), ..Wanted::default() };
    let read = both(&wanted(1..=3), wanted(50..=99), 10);
    assert_eq!(read.rentals.iter().copied().collect::<Vec<_>>(), [1, 2, 3, 93, 94, 95, 96, 97, 98, 99]);
    assert_eq!(both(&wanted(1..=30), wanted(50..=99), 10).rentals, (21..=30).collect());
}

#[test]
fn after_a_reading_comes_what_is_left_and_what_changed_meanwhile_waits_a_moment() {
    let cases = |ids: &[u64]| Wanted { cases: ids.iter().copied().collect(), ..Wanted::default() };
    let (none, one, both) = (Wanted::default(), cases(&[2]), cases(&[1, 2]));
    assert_eq!(next(&both, &both, &none, &none), Next::Wait);
    assert_eq!(next(&both, &both, &none, &one), Next::Again);
    assert_eq!(next(&both, &both, &none, &cases(&[2, 3])), Next::More);
    assert_eq!(next(&none, &both, &cases(&[3]), &none), Next::More);
    assert_eq!(next(&none, &both, &one, &none), Next::Wait, "what cannot be decoded");
}

#[test]
fn more_names_than_one_reading_takes_are_not_asked_for_without_a_pause_while_nodes_lag() {
    let cases = |ids: std::ops::RangeInclusive<u64>| Wanted { cases: ids.collect(), ..Wanted::default() };
    let (named, read) = (cases(1..=300), cases(101..=300));
    assert_eq!(next(&named, &read, &Wanted::default(), &named), Next::Again, "nothing was settled");
    assert_eq!(next(&named, &read, &Wanted::default(), &cases(1..=100)), Next::More, "the rest");
}
