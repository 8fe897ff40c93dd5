//! Full reads in slices between polls, and reorgs in the middle of one.

use super::fake::Fake;
use super::touched::{claimed, nonsense};
use super::world::World;
use crate::adapters::evm::sweep::{SLICE_IDS, Sweep};
use crate::adapters::evm::{Follower, RECONCILE_BLOCKS};
use std::collections::BTreeSet;
use surety_client::reader::Counts;
use surety_core::input::ChainUpdate;
use surety_core::view::View;

async fn poll(follower: &mut Follower) -> ChainUpdate {
    follower.poll().await.unwrap().unwrap()
}

/// A block at a height, with its hash and parent.
fn add(fake: &Fake, number: u64, hash: u8, parent: u8) {
    let mut chain = fake.chain();
    chain.blocks.insert(number, (hash, parent));
    chain.latest = number;
}

/// A follower that has read all of a chain with three of each, and reads two ids at a time from then on.
async fn slow(fake: &Fake, view: View) -> Follower {
    let mut follower = fake.follower(view);
    poll(&mut follower).await;
    follower.sweep = Sweep::of(2);
    fake.asked();
    follower
}

/// Views asked for, without logs.
fn views(fake: &Fake) -> Vec<String> {
    fake.asked().into_iter().filter(|what| !what.starts_with("logs")).collect()
}

#[tokio::test]
async fn of_ten_thousand_each_poll_reads_a_bounded_slice_at_one_block_and_all_is_read_once() {
    let fake = Fake::start().await;
    {
        let mut chain = fake.chain();
        (chain.registrations, chain.rentals, chain.cases) = (10_000, 10_000, 10_000);
    }
    let mut follower = fake.follower(View::Best);
    let first = poll(&mut follower).await;
    assert_eq!((first.nodes.len(), first.rentals.len(), first.cases.len()), (10_000, 10_000, 10_000), "complete");
    let from = 10 + RECONCILE_BLOCKS;
    let (mut read, mut polls) = (BTreeSet::new(), 0);
    fake.chain().asked.clear();
    loop {
        // Three polls to a block, as on Subtensor at the usual pace.
        let (number, hash) = (from + polls / 3, u8::try_from(polls / 3 + 100).unwrap());
        add(&fake, number, hash, hash - 1);
        let Some(update) = follower.poll().await.unwrap() else { break };
        polls += 1;
        let asked = std::mem::take(&mut fake.chain().asked);
        assert!(asked.len() as u64 <= 3 * SLICE_IDS + 20, "{} calls in one poll", asked.len());
        assert!(asked.iter().all(|what| what.ends_with(&format!("@{number}")) || what.starts_with("logs")));
        assert_eq!(update.block.number, number);
        let ids = update.rentals.iter().map(|rental| ("rental", rental.id));
        let ids = ids.chain(update.nodes.iter().map(|node| ("node", node.registration.into())));
        for id in ids.chain(update.cases.iter().map(|case| ("case", case.id))) {
            assert!(read.insert(id), "{id:?} is read twice");
        }
        if read.len() == 30_000 {
            break;
        }
        assert!(polls < 200, "it does not end: {}", read.len());
    }
    assert_eq!((read.len(), polls), (30_000, 30_000 / SLICE_IDS));
    assert_eq!(follower.poll().await.unwrap(), None, "and then the chain stands still");
}

#[tokio::test]
async fn what_logs_name_is_read_with_the_slice_and_does_not_wait_for_its_turn() {
    let fake = Fake::start().await;
    let mut follower = slow(&fake, View::Best).await;
    add(&fake, 11, 11, 10);
    fake.chain().logs = vec![nonsense()];
    poll(&mut follower).await;
    assert_eq!(views(&fake), ["rentalAt(2)@11", "rentalAt(3)@11", "keeperAt(0)@11"]);
    add(&fake, 12, 12, 11);
    fake.chain().logs = vec![claimed(3)];
    poll(&mut follower).await;
    assert_eq!(views(&fake), ["nodeAt(3)@12", "rentalAt(1)@12", "rentalAt(3)@12"]);
}

#[tokio::test]
async fn a_slice_that_could_not_be_read_is_read_at_the_next_poll() {
    let fake = Fake::start().await;
    let mut follower = slow(&fake, View::Best).await;
    add(&fake, 11, 11, 10);
    fake.chain().logs = vec![nonsense()];
    let broken = super::fake::Answer::Error(-32_000, "header not found");
    fake.chain().answers.insert("rentalAt(3)".into(), broken);
    follower.poll().await.unwrap_err();
    fake.chain().answers.clear();
    views(&fake);
    add(&fake, 12, 12, 11);
    poll(&mut follower).await;
    assert_eq!(views(&fake), ["rentalAt(2)@12", "rentalAt(3)@12", "keeperAt(0)@12"]);
}

#[tokio::test]
async fn logs_without_sense_in_every_block_do_not_keep_the_oldest_from_being_read() {
    let fake = Fake::start().await;
    let mut follower = slow(&fake, View::Best).await;
    fake.chain().logs = vec![nonsense()];
    let mut seen = BTreeSet::new();
    for number in 11..=15 {
        add(&fake, number.into(), number, number - 1);
        poll(&mut follower).await;
        seen.extend(views(&fake).into_iter().map(|view| view.split('@').next().unwrap().to_owned()));
    }
    let all: BTreeSet<String> = (1..=3)
        .flat_map(|id| ["nodeAt", "rentalAt", "caseAt"].map(|view| format!("{view}({id})")))
        .chain(["keeperAt(0)".to_owned()])
        .collect();
    assert_eq!(seen, all);
}

#[tokio::test]
async fn a_fork_in_the_middle_reads_again_what_was_read_on_the_branch_that_is_gone_and_goes_on() {
    let fake = Fake::start().await;
    let mut follower = slow(&fake, View::Best).await;
    add(&fake, 11, 11, 10);
    fake.chain().logs = vec![nonsense()];
    poll(&mut follower).await; // rentals 2 and 3 at 11
    fake.chain().logs = vec![claimed(1)];
    add(&fake, 12, 12, 11);
    poll(&mut follower).await; // rental 1 by its log and by the slice, node 3 at 12
    fake.asked();
    // Block 12 is gone; the new branch, of two blocks, says nothing of rental 1.
    fake.chain().logs = vec![];
    add(&fake, 12, 212, 11);
    add(&fake, 13, 213, 212);
    let update = poll(&mut follower).await;
    assert_eq!(update.block.hash.0, [213; 32]);
    let asked = fake.asked();
    assert_eq!(asked[0], "logs 12..13", "since the fork");
    let again = ["nodeAt(3)@13", "rentalAt(1)@13"];
    assert!(again.iter().all(|view| asked.contains(&(*view).to_owned())), "{asked:?}");
    assert!(asked.iter().all(|what| what.ends_with("@13") || what.starts_with("logs")), "two blocks in one update");
    assert!(!asked.contains(&"rentalAt(2)@13".to_owned()), "read below the fork: {asked:?}");
    assert!(asked.contains(&"nodeAt(2)@13".to_owned()), "the slice goes on: {asked:?}");
}

#[tokio::test]
async fn what_a_fork_undid_is_not_asked_for_and_what_it_made_anew_is_read() {
    let fake = Fake::start().await;
    let mut follower = slow(&fake, View::Best).await;
    add(&fake, 11, 11, 10);
    fake.chain().rentals = 5;
    poll(&mut follower).await;
    fake.asked();
    // Rentals 4 and 5 are gone; another one is number 4 now, and no log tells of it.
    add(&fake, 11, 211, 10);
    add(&fake, 12, 212, 211);
    fake.chain().rentals = 4;
    let update = poll(&mut follower).await;
    assert_eq!(update.newest.unwrap().rental, 4);
    assert!(update.rentals.iter().any(|rental| rental.id == 4));
    assert!(fake.asked().iter().all(|what| !what.starts_with("rentalAt(5)")));
}

#[tokio::test]
async fn logs_that_name_what_is_not_there_stop_nothing() {
    let fake = Fake::start().await;
    let mut follower = slow(&fake, View::Best).await;
    add(&fake, 11, 11, 10);
    fake.chain().logs = vec![claimed(u64::MAX), claimed(0), claimed(2)];
    let update = poll(&mut follower).await;
    assert_eq!(update.rentals.iter().map(|rental| rental.id).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_sweep_reads_every_id_there_was_and_none_above_what_is_left_of_them() {
    let counts = |rentals, registrations, cases| Counts { rentals, registrations, cases };
    let mut sweep = Sweep::of(4);
    sweep.want(counts(9, 0, 3));
    let (mut rentals, mut cases) = (vec![], vec![]);
    for _ in 0..4 {
        let slice = sweep.slice(counts(7, 0, 3));
        sweep.done();
        rentals.push(slice.rentals.into_iter().collect::<Vec<_>>());
        cases.extend(slice.cases);
    }
    assert_eq!(rentals, [vec![4, 5, 6, 7], vec![1, 2, 3], vec![], vec![]]);
    assert_eq!(cases, [3, 1, 2]);
    assert!(sweep.slice(counts(7, 0, 3)).is_empty(), "it is over");
}

/// All three endpoints leave the log out: nobody tells of the deposit until the full read comes by.
#[tokio::test]
async fn a_change_whose_log_is_lost_everywhere_is_found_by_the_full_read() {
    let world = World::start(3).await;
    let mut follower = world.follower(View::Best);
    let before = poll(&mut follower).await.nodes[0].free_rao;
    for index in 0..3 {
        world.control(index).faults().log_gaps = vec![0..=u64::MAX];
    }
    world.miner.deposit(&world.chain, 1_000_000).await.unwrap();
    assert_eq!(poll(&mut follower).await.nodes, []);
    world.anvil.mine(RECONCILE_BLOCKS).await.unwrap();
    let found = poll(&mut follower).await;
    assert_eq!(found.nodes[0].free_rao, before + 1_000_000);
}
