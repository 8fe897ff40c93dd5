//! What the market shows, read from real contracts on an anvil, by majority.

use super::world::World;
use crate::adapters::evm::MarketReader;
use surety_core::types::{Account, Hotkey};
use surety_market::facts::{Certificates, Counts, Setting, Wanted};
use surety_market::market::Market;
use surety_market::wire::{Availability, CaseKind, CaseState, Contracts, RentalState, Terms};
use surety_verifier::classes::ClassId;

const CLASSES: [u16; 1] = [ClassId::CPU_TEST.0];

fn empty(world: &World) -> Market {
    let d = &world.chain.deployment;
    Market::new(Setting {
        chain_id: d.chain_id,
        netuid: d.netuid,
        keeper: world.keeper.account(),
        contracts: Contracts {
            vault: d.vault.address,
            escrow: d.escrow.address,
            arbiter: d.arbiter.address,
            bids: d.bids.address,
            keepers: d.keepers.address,
        },
        terms: Terms { certificate_life_secs: d.times.certificate_life_secs, ..Terms::default() },
        class_name: |class| ClassId(class).to_string(),
    })
}

/// Reads what is missing and what `named` names, until nothing is missing.
async fn read(reader: &MarketReader, market: &mut Market, named: &Wanted) {
    let mut counts = Counts::default();
    let wanted = |found: Counts| {
        counts = found;
        let missing = market.missing(found, 200);
        let registrations = missing.registrations.union(&named.registrations).copied().collect();
        let rentals = missing.rentals.union(&named.rentals).copied().collect();
        Wanted { registrations, rentals, cases: missing.cases.union(&named.cases).copied().collect() }
    };
    let reading = reader.read(wanted).await.unwrap();
    market.apply(reading, Certificates::new());
    assert!(market.missing(counts, 200).is_empty());
}

#[tokio::test]
async fn machines_rentals_and_cases_are_shown_as_the_contracts_have_them() {
    let world = World::start(3).await;
    let reader = MarketReader::new(world.endpoints());
    let mut market = empty(&world);
    read(&reader, &mut market, &Wanted::default()).await;
    let row = market.row(&world.miner.machine()).unwrap();
    assert_eq!((row.miner, row.hotkey), (world.miner.actor.account(), Hotkey(world.miner.neuron.hotkey.0)));
    assert_eq!((row.availability, row.rental), (Availability::Unverified, None));
    let bond = world.chain.bond(world.miner.machine()).await.unwrap();
    assert_eq!((row.bond.free_rao.0, row.bond.reserved_rao.0), (bond.free, bond.reserved));
    let machine = world.miner.machine().0.into();
    let live = world.chain.escrow.offerOf(machine).call().await.unwrap();
    let offer = row.offer.unwrap();
    assert_eq!((offer.offer_hash.0, offer.min_duration_secs), (live.offerHash.0, live.terms.minDurationSecs.into()));
    assert_eq!(offer.price_rao_per_sec.0, live.terms.price.to::<u64>());

    let (rental, _) = world.rent(600).await;
    let node = Wanted { registrations: [1].into(), ..Wanted::default() };
    read(&reader, &mut market, &node).await;
    let shown = market.rental(rental).unwrap().rental;
    let raw = world.chain.raw_rental(rental).await.unwrap();
    assert_eq!((shown.state, shown.renter), (RentalState::Running, world.renter.actor.account()));
    assert_eq!((shown.start_secs, shown.end_secs), (raw.start.into(), raw.end.into()));
    assert_eq!(shown.paid_rao.0, 600 * shown.price_rao_per_sec.0);
    assert_eq!(market.row(&world.miner.machine()).unwrap().availability, Availability::Rented);

    let case = world.file_offline(rental).await;
    let named = Wanted { registrations: [1].into(), rentals: [rental].into(), cases: [case].into() };
    read(&reader, &mut market, &named).await;
    let found = market.case(case).unwrap();
    let facts = world.chain.arbiter.caseAt(case).call().await.unwrap();
    assert_eq!((found.case.kind, found.case.state), (CaseKind::Offline, CaseState::Filed));
    assert_eq!((found.case.withheld_secs, found.case.penalty_rao.0), (facts.withheldSecs.into(), facts.penalty));
    let asked = world.chain.arbiter.appealBondOf(case).call().await.unwrap();
    assert_eq!(found.case.appeal_bond_rao.map(|bond| bond.0), Some(asked));
    assert_eq!(found.case.renter, Some(world.renter.actor.account()));
    let ended = market.rental(rental).unwrap().rental;
    assert_eq!((ended.faults.len(), ended.state), (1, RentalState::Ended));
    assert_eq!(market.row(&world.miner.machine()).unwrap().availability, Availability::NotOffered);
}

#[tokio::test]
async fn who_watches_and_what_a_class_asks_for_are_shown() {
    let world = World::start(1).await;
    let reader = MarketReader::new(world.endpoints());
    let mut market = empty(&world);
    read(&reader, &mut market, &Wanted::default()).await;
    market.put_beside(reader.read_beside(&CLASSES).await.unwrap());
    let shown = market.network();
    let accounts: Vec<Account> = shown.keepers.iter().map(|keeper| keeper.account).collect();
    assert_eq!(accounts.len(), 2);
    assert!(accounts.contains(&world.keeper.account()) && accounts.contains(&world.second().account()));
    let [class] = &shown.classes[..] else { panic!("{:?}", shown.classes) };
    assert!(class.bond_rao.0 > 0 && class.machines == 1, "{class:?}");
}

#[tokio::test]
async fn what_a_fork_undid_is_not_shown_any_more() {
    let world = World::start(1).await;
    let reader = MarketReader::new(world.endpoints());
    let mut market = empty(&world);
    let snapshot = world.anvil.ask("evm_snapshot", serde_json::json!([])).await.unwrap();
    let (rental, _) = world.rent(600).await;
    read(&reader, &mut market, &Wanted::default()).await;
    assert!(market.rental(rental).is_some());
    world.anvil.ask("evm_revert", serde_json::json!([snapshot])).await.unwrap();
    world.anvil.mine(8).await.unwrap();
    let node = Wanted { registrations: [1].into(), ..Wanted::default() };
    read(&reader, &mut market, &node).await;
    assert!(market.rental(rental).is_none());
    assert_eq!(market.row(&world.miner.machine()).unwrap().rental, None);
}
