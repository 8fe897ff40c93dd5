//! What weights need of the contracts, on an anvil: read whole, by majority, and closed rentals once.

use super::fake::{Answer, Fake};
use super::world::World;
use crate::adapters::evm::{FleetReader, FollowError};
use surety_core::types::Hotkey;
use surety_verifier::classes::ClassId;

const CLASSES: [u16; 2] = [ClassId::CPU_TEST.0, 3];
const WEEK: u64 = 7 * 86_400;

#[tokio::test]
async fn a_fleet_has_every_registration_its_hotkey_its_rentals_and_what_its_class_asks_for() {
    let world = World::start(3).await;
    let (rental, _) = world.rent(600).await;
    world.finalize().await;
    let mut reader = FleetReader::new(world.endpoints());
    let chain = reader.read(&CLASSES, WEEK).await.unwrap();
    let [one] = &chain.registered[..] else { panic!("{:?}", chain.registered) };
    assert_eq!((one.node.machine, one.current), (world.miner.machine(), true));
    assert_eq!((one.hotkey, one.miner), (Hotkey(world.miner.neuron.hotkey.0), world.miner.actor.account()));
    assert!(one.node.offer.is_some() && one.node.free_rao + one.node.reserved_rao > 0);
    let rentals: Vec<_> = chain.rentals.iter().map(|(registration, view)| (*registration, view.id)).collect();
    assert_eq!(rentals, [(1, rental)]);
    assert!(chain.class_bonds.get(&ClassId::CPU_TEST.0).is_some_and(|rao| *rao > 0), "{:?}", chain.class_bonds);
}

fn rentals_read(fake: &Fake) -> usize {
    let asked = std::mem::take(&mut fake.chain().asked);
    asked.iter().filter(|asked| asked.starts_with("rentalAt(")).count()
}

#[tokio::test]
async fn rentals_are_read_again_until_they_are_closed_and_then_no_more() {
    let fake = Fake::start().await;
    fake.chain().rentals = 3;
    let mut reader = FleetReader::new(fake.endpoints());
    reader.read(&CLASSES, WEEK).await.unwrap();
    assert!(rentals_read(&fake) >= 3);
    fake.chain().closed = true;
    let ages = reader.read(&CLASSES, u64::MAX).await.unwrap();
    assert!(rentals_read(&fake) >= 3 && ages.rentals.len() == 3, "{:?}", ages.rentals);
    let again = reader.read(&CLASSES, u64::MAX).await.unwrap();
    assert_eq!((rentals_read(&fake), again), (0, ages), "known, and said as before");
    assert!(reader.read(&CLASSES, 0).await.unwrap().rentals.is_empty(), "over before the window");
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_a_reason_to_set_no_weights() {
    let fake = Fake::start().await;
    fake.chain().registrations = 2;
    fake.chain().answers.insert("nodeAt(2)".into(), Answer::Garbage);
    let mut reader = FleetReader::new(fake.endpoints());
    let refused = reader.read(&CLASSES, WEEK).await;
    assert!(matches!(refused, Err(FollowError::Node(_))), "{refused:?}");
}
