//! Spoofs, shown and asked for.

use super::hostile::Script;
use super::peers::{keeper, me, peers};
use super::*;
use crate::ports::Bundle;
use serde_json::json;
use std::sync::atomic::Ordering::Relaxed;
use surety_core::statement::Statement;

#[tokio::test]
async fn spoofs_are_shown_all_own_ones_and_those_of_one_machine() {
    let served = start(HttpLimits::default()).await;
    let (one, other) = (spoof(&key(1), MachineId([1; 32])), spoof(&key(1), MachineId([2; 32])));
    served.shelf.spoofs.lock().unwrap().extend([one.clone(), other.clone()]);
    assert_eq!(served.get("/v1/spoofs").await.json(), json!({ "spoofs": [one, other] }));
    let path = format!("/v1/spoofs/{}", "02".repeat(32));
    assert_eq!(served.get(&path).await.json(), json!({ "spoofs": [other] }));
    assert_eq!(served.get("/v1/spoofs/7").await.code(), "bad_machine");
}

#[tokio::test]
async fn a_peers_own_spoofs_are_heard_and_nobody_elses() {
    let served = start(HttpLimits::default()).await;
    let own = spoof(&key(1), MachineId([1; 32]));
    let forged = Signed { signer: key(1).account(), ..spoof(&key(2), MachineId([2; 32])) };
    let somebody_elses = spoof(&key(3), MachineId([3; 32]));
    served.shelf.spoofs.lock().unwrap().extend([own.clone(), forged, somebody_elses]);
    let (peers, counts) = peers(super::peers::limits());
    let known = [keeper(1, &served.url), keeper(4, "http://127.0.0.1:1/"), keeper(5, "not a url")];
    assert_eq!(peers.spoofs(&known, me()).await, vec![own]);
    assert_eq!((counts.asked.load(Relaxed), counts.failed.load(Relaxed)), (2, 1));
    assert_eq!(peers.spoofs(&[keeper(1, &served.url)], key(1).account()).await, vec![], "not itself");
}

#[tokio::test]
async fn more_spoofs_than_an_answer_may_have_are_left_out() {
    let served = start(HttpLimits::default()).await;
    let one = spoof(&key(1), MachineId([1; 32]));
    served.shelf.spoofs.lock().unwrap().extend(std::iter::repeat_n(one, 150));
    assert_eq!(served.get("/v1/spoofs").await.json()["spoofs"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn evidence_is_read_as_it_is_served_or_not_at_all() {
    let served = start(HttpLimits::default()).await;
    let signed = spoof(&key(1), MachineId([1; 32]));
    let statement = Statement::Spoof(signed.statement);
    let signed = Signed { statement, signer: signed.signer, signature: signed.signature };
    let bundle = Bundle { evidence: json!({"a": 1}), signed };
    served.shelf.bundles.lock().unwrap().insert(statement.evidence(), bundle.clone());
    let (peers, _) = peers(super::peers::limits());
    assert_eq!(peers.bundle(&served.url, statement.evidence(), BUNDLE_BYTES_MAX).await.unwrap(), bundle);
    assert!(
        peers.bundle(&served.url, Hash32([1; 32]), BUNDLE_BYTES_MAX).await.unwrap_err().to_string().contains("404")
    );
    assert!(peers.bundle("ftp://keeper.example", Hash32([1; 32]), BUNDLE_BYTES_MAX).await.is_err());
}

#[tokio::test]
async fn a_peer_that_floods_hangs_or_babbles_is_given_up() {
    let short = PeerLimits { request_max: Duration::from_millis(300), ..super::peers::limits() };
    for script in [Script::Silent, Script::Endless, Script::Drip, Script::Lying(10), Script::Json("[[[".to_owned())] {
        let url = script.start().await.url;
        let (peers, counts) = peers(short.clone());
        assert_eq!(peers.spoofs(&[keeper(1, &url)], me()).await, vec![]);
        assert!(peers.bundle(&url, Hash32([1; 32]), BUNDLE_BYTES_MAX).await.is_err());
        assert_eq!(counts.failed.load(Relaxed), 2);
    }
}
