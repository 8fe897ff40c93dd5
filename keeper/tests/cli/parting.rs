//! Giving a rental up, and having credit paid elsewhere.

use crate::world::World;
use crate::{BOND, PRICE, SSH_KEY, offered, rao, registered};
use serde_json::json;

/// P26, as the demo deploys it.
const ABANDON_BPS: u64 = 500;
const COLDKEY: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const COLDKEY_HEX: &str = "0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";

#[tokio::test(flavor = "multi_thread")]
async fn a_rental_is_given_up_by_its_miner_alone_who_pays_what_was_shown_and_loses_the_offer() {
    let world = World::start().await;
    let machine = world.machine().to_string();
    registered(&world).await;
    world.does("miner", &["node", "deposit", "--machine", &machine, "--amount", "0.5"]);
    offered(&world, &machine);
    world.certify(1, &[0, 1]).await;
    world.does("renter", &["rent", &machine, "--for", "2m", "--ssh-key", SSH_KEY]);

    world.surety("miner", &["node", "abandon", "9", "--yes"]).fails(3, &["no rental 9"]);
    world.surety("renter", &["node", "abandon", "1", "--yes"]).fails(3, &["is on 0x", "and the key is that of"]);
    let shown = world.surety("miner", &["node", "abandon", "1", "--dry-run"]);
    let bond = |part: &str| {
        let status = world.surety("", &["node", "status", "--machine", &machine, "--json"]).json();
        rao(&status["machines"][0]["bond"][part])
    };
    let reserved = bond("reserved_rao");
    for part in ["of your bond", "TAO back at once", "taken down"] {
        assert!(shown.err.contains(part) || shown.out.contains(part), "{part}: {} {}", shown.out, shown.err);
    }
    let done = world.does("miner", &["node", "abandon", "1"]);
    let rental = world.chain.rental(1).await.unwrap();
    assert_eq!(done["result"]["end_secs"], json!(rental.end_secs));
    assert!(rental.end_secs - rental.start_secs < 120);
    assert!(world.chain.escrow_credit(world.renter.account()).await.unwrap() > 0, "the rest is the renter's at once");
    let status = world.surety("", &["node", "status", "--machine", &machine, "--json"]).json();
    assert_eq!(status["machines"][0]["offer"], json!(null), "the offer is down");
    let earned = (rental.end_secs - rental.start_secs) * PRICE;
    let burned = BOND - bond("free_rao") - bond("reserved_rao");
    assert_eq!(burned, (reserved * ABANDON_BPS / 10_000).min(earned), "of a reserve of {reserved}, earned {earned}");
    world.surety("miner", &["node", "abandon", "1", "--yes"]).fails(3, &["was over at"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_is_paid_to_a_chosen_coldkey_by_every_contract_until_it_is_ones_own_again() {
    let world = World::start().await;
    let payout = |to: &'static str| ["credit", "payout", to, "--yes"];
    world
        .surety("miner", &payout("0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"))
        .fails(2, &["is an EVM address", "--own"]);
    world.surety("miner", &payout("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQX")).fails(2, &["5Grwva"]);
    world.surety("miner", &["credit", "payout", "--yes"]).fails(2, &["ACCOUNT"]);
    world.surety("miner", &["credit", "payout", "--own", "--yes"]).fails(3, &["already"]);
    let done = world.does("miner", &["credit", "payout", COLDKEY]);
    assert_eq!(done["result"]["payout_account"], COLDKEY_HEX);
    assert_eq!(done["transactions"].as_array().map(Vec::len), Some(4), "each contract keeps its own");
    let shown = world.surety("miner", &["credit", "--json"]).json();
    let accounts = |document: &serde_json::Value| -> Vec<serde_json::Value> {
        document["contracts"].as_array().unwrap().iter().map(|one| one["payout_account"].clone()).collect()
    };
    assert_eq!(accounts(&shown), vec![json!(COLDKEY_HEX); 4]);
    world.surety("miner", &payout(COLDKEY)).fails(3, &["already"]);
    world.does("miner", &["credit", "payout", "--own"]);
    assert_eq!(accounts(&world.surety("miner", &["credit", "--json"]).json()), vec![json!(null); 4]);
}
