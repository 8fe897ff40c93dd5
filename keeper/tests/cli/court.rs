//! A case as people meet it: shown with what is behind it, appealed once, by its miner only; executed by anybody.

use crate::world::World;
use crate::{SSH_KEY, offered, rao, registered};
use serde_json::json;
use surety_client::intent::encode;
use surety_core::effect::Intent;
use surety_core::evidence::Contracts;
use surety_core::statement::{Attestation, Signed};
use surety_core::types::{Cause, Hash32, Kind};
use surety_demo::actor::Tx;

/// Files three seconds without service, as keepers 0 and 1 attest them.
async fn filed(world: &World) -> Vec<Signed<Attestation>> {
    let start = world.chain.rental(1).await.unwrap().start_secs;
    world.time_is(start + 6).await;
    let (from_secs, until_secs, evidence) = (start + 1, start + 4, Hash32([6; 32]));
    let (kind, cause) = (Kind::Interrupted, Cause::Unreachable);
    let statement = Attestation { kind, rental: 1, cause, from_secs, until_secs, evidence };
    let digest = world.chain.domains().attestation(&statement).unwrap();
    let sign = |key: &surety_client::keys::Key| {
        let signature = key.sign(digest).unwrap();
        Signed { statement, signer: key.account(), signature }
    };
    let mut attestations: Vec<_> = world.keepers[..2].iter().map(sign).collect();
    attestations.sort_by_key(|one| one.signer);
    let intent = Intent::File { kind, rental: 1, gap: 0, attestations: attestations.clone() };
    let all = &world.chain.deployment;
    let contracts = Contracts { vault: all.vault.address, escrow: all.escrow.address, arbiter: all.arbiter.address };
    let call = encode(&intent, &contracts).unwrap();
    world.owner.send(Tx::encoded(call.to, call.data)).await.unwrap();
    attestations
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_explained_with_what_is_behind_it_and_appealed_once_by_its_miner() {
    let world = World::start().await;
    let machine = world.machine().to_string();
    registered(&world).await;
    world.does("miner", &["node", "deposit", "--machine", &machine, "--amount", "0.5"]);
    offered(&world, &machine);
    world.certify(1, &[0, 1]).await;
    world.does("renter", &["rent", &machine, "--for", "2m", "--ssh-key", SSH_KEY]);
    let attestations = filed(&world).await;

    let refused = world.surety("renter", &["case", "appeal", "1", "--yes"]);
    refused.fails(3, &["Arbiter_OnlyMiner", "sign with the miner's key"]);
    let appealed = world.does("miner", &["case", "appeal", "1"]);
    assert_eq!(appealed["result"]["state"], "appealed");
    assert_eq!(rao(&appealed["transactions"][0]["value_rao"]), 10_000_000);
    world.surety("miner", &["case", "appeal", "1", "--yes"]).fails(3, &["cannot be appealed", "waits for the judge"]);

    let shown = world.surety("", &["case", "show", "1", "--json"]).json();
    assert_eq!((&shown["kind"], &shown["state"]), (&json!("interrupted"), &json!("appealed")));
    assert_eq!((shown["withheld_secs"].as_u64(), rao(&shown["withheld_rao"])), (Some(3), 3_000_000));
    let evidence = shown["evidence"].as_array().unwrap();
    let signers: Vec<String> = attestations.iter().map(|one| one.signer.to_string()).collect();
    assert_eq!(evidence.iter().map(|one| one["keeper"].as_str().unwrap()).collect::<Vec<_>>(), signers);
    assert_eq!(evidence[0]["digest"], json!(Hash32([6; 32])), "as the filing says");
    assert!(evidence.iter().all(|one| one["holds"] == false), "nobody shows the evidence itself");
    let words = world.surety("", &["case", "show", "1"]);
    for part in ["interrupted: an interval without service", "pay of 3 s: 0.003 TAO", "2 signed statements, 0 with"] {
        assert!(words.out.contains(part), "{part}: {}", words.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_executed_once_by_anybody_and_not_before_its_windows_have_closed() {
    let world = World::start().await;
    let machine = world.machine().to_string();
    registered(&world).await;
    world.does("miner", &["node", "deposit", "--machine", &machine, "--amount", "0.5"]);
    offered(&world, &machine);
    world.certify(1, &[0, 1]).await;
    world.does("renter", &["rent", &machine, "--for", "2m", "--ssh-key", SSH_KEY]);
    world.surety("renter", &["case", "execute", "1", "--yes"]).fails(3, &["no case 1"]);
    filed(&world).await;
    world.surety("renter", &["case", "execute", "1", "--yes"]).fails(3, &["filed", "can be executed from"]);
    let shown = world.surety("", &["case", "show", "1", "--json"]).json();
    world.time_is(shown["executable_at_secs"].as_u64().unwrap()).await;
    let before = world.chain.escrow_credit(world.renter.account()).await.unwrap();
    let executed = world.does("renter", &["case", "execute", "1"]);
    assert_eq!(executed["result"]["state"], "executed");
    let gained = world.chain.escrow_credit(world.renter.account()).await.unwrap() - before;
    assert_eq!(gained, 3_000_000, "the pay of three seconds");
    world.surety("renter", &["case", "execute", "1", "--yes"]).fails(3, &["case 1 is decided"]);
}
