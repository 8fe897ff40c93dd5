//! Answers that make no sense, and answers that do not come.

use super::fake::{Answer, Fake};
use super::touched::registered;
use crate::adapters::evm::FollowError;
use surety_client::provider::{NodeError, Tag};
use surety_core::view::View;

#[tokio::test]
async fn a_height_that_is_not_known_yet_is_no_error() {
    let fake = Fake::start().await;
    for unknown in [None, Some((-32_603, "Expect block number from id"))] {
        fake.chain().unknown_height = unknown;
        assert_eq!(fake.node.header(Tag::Number(11)).await.unwrap(), None);
    }
    fake.chain().unknown_height = Some((-32_603, "out of memory"));
    let refused = fake.node.header(Tag::Number(11)).await.unwrap_err();
    assert!(refused.to_string().contains("out of memory"), "{refused}");
}

#[tokio::test]
async fn a_node_without_a_tag_it_must_have_is_an_error() {
    let fake = Fake::start().await;
    fake.chain().blocks.clear();
    for (view, tag) in [(View::Best, Tag::Latest), (View::Finalized, Tag::Finalized)] {
        let refused = fake.follower(view).poll().await.unwrap_err();
        assert!(matches!(refused, FollowError::NoBlock(missing) if missing == tag), "{refused}");
    }
}

#[tokio::test]
async fn a_view_that_cannot_be_decoded_is_left_out_and_the_rest_goes_on() {
    for (view, answer, nodes, rentals, cases) in [
        ("rentalAt(2)", Answer::Garbage, 3, 2, 3),
        ("nodeAt(2)", Answer::Garbage, 2, 3, 3),
        ("offerOf(2)", Answer::Garbage, 2, 3, 3),
        ("ownerOf(2)", Answer::Garbage, 2, 3, 3),
        ("caseAt(2)", Answer::Garbage, 3, 3, 2),
        ("caseAt(2)", Answer::UnknownKind, 3, 3, 2),
        ("executableAt(2)", Answer::Garbage, 3, 3, 2),
    ] {
        let fake = Fake::start().await;
        fake.chain().answers.insert(view.into(), answer);
        let update = fake.follower(View::Best).poll().await.unwrap().unwrap();
        let seen = (update.nodes.len(), update.rentals.len(), update.cases.len());
        assert_eq!(seen, (nodes, rentals, cases), "{view}");
        assert!(update.keepers.is_some(), "{view}");
        assert!(update.rentals.iter().all(|rental| rental.id != 2 || view != "rentalAt(2)"));
    }
}

#[tokio::test]
async fn a_machine_whose_owner_cannot_be_decoded_stops_nothing_else() {
    let fake = Fake::start().await;
    let mut follower = fake.follower(View::Best);
    follower.poll().await.unwrap();
    {
        let mut chain = fake.chain();
        chain.grow(11);
        chain.logs = vec![registered(2), registered(3)];
        chain.answers.insert("ownerOf(2)".into(), Answer::Garbage);
    }
    let update = follower.poll().await.unwrap().unwrap();
    assert_eq!(update.nodes.iter().map(|node| node.registration).collect::<Vec<_>>(), [3]);
}

#[tokio::test]
async fn counts_or_keepers_that_cannot_be_decoded_are_an_error_not_an_empty_chain() {
    for view in ["rentalCount", "keeperCount", "keeperAt(0)"] {
        let fake = Fake::start().await;
        fake.chain().answers.insert(view.into(), Answer::Garbage);
        let refused = fake.follower(View::Best).poll().await.unwrap_err();
        assert!(matches!(refused, FollowError::Node(NodeError::Odd { .. })), "{view}: {refused}");
    }
}

#[tokio::test]
async fn a_view_the_node_does_not_answer_is_no_view_left_out() {
    for (code, message) in [(-32_000, "header not found"), (-32_603, "failed to retrieve Runtime Api version")] {
        let fake = Fake::start().await;
        let mut follower = fake.follower(View::Best);
        follower.poll().await.unwrap();
        {
            let mut chain = fake.chain();
            chain.grow(11);
            chain.logs = vec![super::touched::claimed(2)];
            chain.answers.insert("rentalAt(2)".into(), Answer::Error(code, message));
        }
        let refused = follower.poll().await.unwrap_err();
        assert!(refused.to_string().contains(message), "{refused}");

        fake.chain().answers.clear();
        fake.asked();
        let update = follower.poll().await.unwrap().unwrap();
        assert_eq!(update.rentals.len(), 1, "what failed once was lost");
        assert_eq!(fake.asked(), ["logs 11..11", "rentalAt(2)@11"]);
    }
}
