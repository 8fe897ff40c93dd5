//! What is read when: logs where the chain goes on, everything where it does not.

use super::fake::Fake;
use super::touched::{claimed, nonsense};
use crate::adapters::evm::{FollowError, Follower, RECONCILE_BLOCKS};
use surety_core::input::ChainUpdate;
use surety_core::view::View;

/// Everything there is at a block, in the order it is read.
fn everything(block: u64) -> Vec<String> {
    let views = ["nodeAt(1)", "nodeAt(2)", "nodeAt(3)", "rentalAt(1)", "rentalAt(2)", "rentalAt(3)"];
    let rest = ["caseAt(1)", "caseAt(2)", "caseAt(3)", "keeperAt(0)"];
    views.iter().chain(&rest).map(|view| format!("{view}@{block}")).collect()
}

/// The same after a look at the logs.
fn after_logs(logs: &str, block: u64) -> Vec<String> {
    std::iter::once(logs.to_owned()).chain(everything(block)).collect()
}

async fn poll(follower: &mut Follower) -> ChainUpdate {
    follower.poll().await.unwrap().unwrap()
}

/// A follower that has read everything once.
async fn settled(fake: &Fake, view: View) -> Follower {
    let mut follower = fake.follower(view);
    poll(&mut follower).await;
    fake.asked();
    follower
}

#[tokio::test]
async fn the_first_poll_reads_everything_at_one_block() {
    let fake = Fake::start().await;
    for (view, block) in [(View::Best, 10), (View::Finalized, 8)] {
        let update = poll(&mut fake.follower(view)).await;
        assert_eq!(
            (update.view, update.block.number, update.block.hash.0[0]),
            (view, block, u8::try_from(block).unwrap())
        );
        assert_eq!((update.nodes.len(), update.rentals.len(), update.cases.len()), (3, 3, 3));
        assert_eq!(update.keepers.unwrap().len(), 1);
        assert_eq!(update.nodes[1].machine.0, [2; 32]);
        let at = format!("@{block}");
        assert!(fake.chain().asked.iter().all(|what| what.ends_with(&at)), "two blocks in one update");
        assert_eq!(fake.asked(), everything(block));
    }
}

#[tokio::test]
async fn a_chain_that_stands_still_costs_no_views() {
    let fake = Fake::start().await;
    let mut follower = settled(&fake, View::Best).await;
    assert_eq!(follower.poll().await.unwrap(), None);
    assert_eq!(fake.chain().asked, Vec::<String>::new());
}

#[tokio::test]
async fn nothing_is_read_before_the_contracts_are_there() {
    let fake = Fake::start().await;
    fake.chain().finalized = 4;
    assert_eq!(fake.follower(View::Finalized).poll().await.unwrap(), None);
    fake.chain().finalized = 5;
    assert_eq!(poll(&mut fake.follower(View::Finalized)).await.block.number, 5);
}

#[tokio::test]
async fn a_child_of_the_last_block_costs_its_logs_and_what_they_name() {
    let fake = Fake::start().await;
    let mut follower = settled(&fake, View::Best).await;
    fake.chain().grow(11);
    fake.chain().logs = vec![claimed(2)];
    let update = poll(&mut follower).await;
    assert_eq!(fake.asked(), ["logs 11..11", "rentalAt(2)@11"]);
    assert_eq!((update.rentals[0].id, update.rentals.len(), update.keepers), (2, 1, None));
}

#[tokio::test]
async fn several_blocks_at_once_cost_their_logs_when_the_last_one_still_stands() {
    let fake = Fake::start().await;
    let mut follower = settled(&fake, View::Best).await;
    fake.chain().grow(14);
    poll(&mut follower).await;
    assert_eq!(fake.asked(), ["logs 11..14"]);
}

#[tokio::test]
async fn a_parent_that_is_not_the_last_block_makes_everything_be_read() {
    let fake = Fake::start().await;
    let mut follower = settled(&fake, View::Best).await;
    fake.chain().grow(11);
    fake.chain().blocks.insert(11, (11, 99));
    let update = poll(&mut follower).await;
    assert_eq!(update.rentals.len(), 3);
    assert_eq!(fake.asked(), after_logs("logs 11..11", 11));
}

#[tokio::test]
async fn another_block_at_the_last_height_makes_everything_be_read() {
    // Deeper down, at the same height, and with a shorter chain.
    for latest in [13, 10, 9] {
        let fake = Fake::start().await;
        let mut follower = settled(&fake, View::Best).await;
        {
            let mut chain = fake.chain();
            chain.grow(latest);
            chain.blocks.insert(10, (77, 9));
            if latest == 9 {
                chain.blocks.insert(9, (76, 8));
            }
        }
        poll(&mut follower).await;
        assert_eq!(fake.asked(), everything(latest.into()), "at {latest}");
    }
}

#[tokio::test]
async fn a_last_height_the_node_does_not_know_is_no_error_and_makes_everything_be_read() {
    for unknown in [None, Some((-32_603, "Expect block number from id"))] {
        let fake = Fake::start().await;
        let mut follower = settled(&fake, View::Best).await;
        {
            let mut chain = fake.chain();
            chain.grow(12);
            chain.blocks.remove(&10);
            chain.unknown_height = unknown;
        }
        poll(&mut follower).await;
        assert_eq!(fake.asked(), everything(12));
    }
}

#[tokio::test]
async fn a_block_replaced_while_it_is_read_is_not_taken_and_read_again() {
    let fake = Fake::start().await;
    let mut follower = settled(&fake, View::Best).await;
    {
        let mut chain = fake.chain();
        chain.grow(11);
        chain.logs = vec![claimed(2)];
        let replace = |chain: &mut super::fake::Chain| {
            chain.blocks.insert(11, (88, 10));
            chain.logs = vec![claimed(3)];
        };
        chain.after = Some(("rentalAt(2)", Box::new(replace)));
    }
    let refused = follower.poll().await.unwrap_err();
    assert!(matches!(refused, FollowError::Replaced(11)), "{refused}");
    fake.asked();
    let update = poll(&mut follower).await;
    assert_eq!(update.block.hash.0, [88; 32]);
    assert_eq!(update.rentals.iter().map(|rental| rental.id).collect::<Vec<_>>(), [3]);
    assert_eq!(fake.asked(), ["logs 11..11", "rentalAt(3)@11"]);
}

#[tokio::test]
async fn a_block_that_is_gone_after_it_was_read_is_not_taken() {
    let fake = Fake::start().await;
    let mut follower = settled(&fake, View::Best).await;
    {
        let mut chain = fake.chain();
        chain.grow(11);
        chain.unknown_height = Some((-32_603, "Expect block number from id"));
        chain.after = Some(("caseCount", Box::new(|chain| chain.latest = 10)));
    }
    let refused = follower.poll().await.unwrap_err();
    assert!(matches!(refused, FollowError::Replaced(11)), "{refused}");
}

#[tokio::test]
async fn everything_is_read_anew_every_so_often_even_without_logs() {
    let fake = Fake::start().await;
    let mut follower = settled(&fake, View::Best).await;
    let add = |number: u64, parent: u8| {
        let mut chain = fake.chain();
        chain.blocks.insert(number, (200, parent));
        chain.latest = number;
    };
    add(9 + RECONCILE_BLOCKS, 199);
    poll(&mut follower).await;
    assert_eq!(fake.asked(), [format!("logs 11..{}", 9 + RECONCILE_BLOCKS)]);
    add(10 + RECONCILE_BLOCKS, 200);
    poll(&mut follower).await;
    let logs = format!("logs {0}..{0}", 10 + RECONCILE_BLOCKS);
    assert_eq!(fake.asked(), after_logs(&logs, 10 + RECONCILE_BLOCKS));
    add(11 + RECONCILE_BLOCKS, 200);
    poll(&mut follower).await;
    assert_eq!(fake.asked(), [format!("logs {0}..{0}", 11 + RECONCILE_BLOCKS)], "and then not for a while");
}

#[tokio::test]
async fn a_log_that_cannot_be_decoded_makes_everything_be_read() {
    let fake = Fake::start().await;
    let mut follower = settled(&fake, View::Best).await;
    fake.chain().grow(11);
    fake.chain().logs = vec![claimed(2), nonsense()];
    poll(&mut follower).await;
    assert_eq!(fake.asked(), after_logs("logs 11..11", 11));
}

#[tokio::test]
async fn new_ids_are_read_though_no_log_tells_of_them() {
    let fake = Fake::start().await;
    let mut follower = settled(&fake, View::Best).await;
    {
        let mut chain = fake.chain();
        chain.grow(11);
        (chain.registrations, chain.rentals, chain.cases) = (4, 5, 4);
    }
    poll(&mut follower).await;
    let want = ["logs 11..11", "nodeAt(4)@11", "rentalAt(4)@11", "rentalAt(5)@11", "caseAt(4)@11"];
    assert_eq!(fake.asked(), want);
}

#[tokio::test]
async fn a_registration_that_its_machine_has_left_is_left_out() {
    let fake = Fake::start().await;
    fake.chain().machines.insert(3, 1);
    let update = poll(&mut fake.follower(View::Best)).await;
    let seen: Vec<(u8, u32)> = update.nodes.iter().map(|node| (node.machine.0[0], node.registration)).collect();
    assert_eq!(seen, [(2, 2), (1, 3)]);
}

#[tokio::test]
async fn fewer_entries_at_a_final_block_stop_that_view_until_they_are_back() {
    let fewer: [fn(&mut super::fake::Chain); 3] =
        [|chain| chain.registrations = 2, |chain| chain.rentals = 2, |chain| chain.cases = 2];
    for fewer in fewer {
        let fake = Fake::start().await;
        let mut follower = settled(&fake, View::Finalized).await;
        fake.chain().finalized = 9;
        fewer(&mut fake.chain());
        for _ in 0..2 {
            let refused = follower.poll().await.unwrap_err();
            assert!(matches!(refused, FollowError::Shrunk { block: 9 }), "{refused}");
        }
        assert_eq!(fake.asked(), Vec::<String>::new(), "a node without its state was read from");
        (fake.chain().registrations, fake.chain().rentals, fake.chain().cases) = (3, 3, 3);
        assert_eq!(poll(&mut follower).await.block.number, 9);
    }
}

#[tokio::test]
async fn fewer_entries_at_the_best_block_are_a_reorg_and_everything_is_read() {
    let fake = Fake::start().await;
    let mut follower = settled(&fake, View::Best).await;
    fake.chain().grow(11);
    fake.chain().rentals = 2;
    let update = poll(&mut follower).await;
    assert_eq!(update.rentals.iter().map(|rental| rental.id).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(update.cases.len(), 3);
}
