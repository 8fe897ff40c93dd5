//! What each route answers, and what it says to nonsense.

use super::super::wire::EpochPage;
use super::*;
use crate::ports::Bundle;
use serde_json::json;
use std::sync::atomic::Ordering::Relaxed;
use surety_core::statement::Statement;
use surety_verifier::schedule::EPOCH_BLOCKS;

fn own_bundle() -> (Hash32, Bundle) {
    let signed = signed(&key(1), 7);
    let statement = Statement::Attestation(signed.statement);
    let signed = Signed { statement, signer: signed.signer, signature: signed.signature };
    (statement.evidence(), Bundle { evidence: json!({"a": [1, "é"]}), signed })
}

#[tokio::test]
async fn a_rentals_attestations_are_shown() {
    let served = start(HttpLimits::default()).await;
    let (first, _, second) = (served.shelf.add(&key(1), 7), served.shelf.add(&key(1), 8), served.shelf.add(&key(1), 7));
    let got = served.get("/v1/attestations/7").await;
    assert_eq!(got.status, 200);
    assert_eq!(got.json(), json!({ "attestations": [first, second] }));
    assert_eq!(served.get("/v1/attestations/9").await.json(), json!({ "attestations": [] }));
}

#[tokio::test]
async fn own_attestations_come_in_pages_after_a_sequence_number() {
    let served = start(HttpLimits { page_max: 3, page_default: 2, ..HttpLimits::default() }).await;
    let all: Vec<_> = (1..=4).map(|rental| served.shelf.add(&key(1), rental)).collect();
    let page = |query: &'static str| {
        let (served, path) = (&served, format!("/v1/attestations{query}"));
        async move { serde_json::from_str::<Page>(&served.get(&path).await.text).unwrap().attestations }
    };
    let numbered = |index: usize| Numbered { seq: index as u64 * 2 + 1, signed: all[index].clone() };
    assert_eq!(page("").await, vec![numbered(0), numbered(1)]);
    assert_eq!(page("?after=3").await, vec![numbered(2), numbered(3)]);
    assert_eq!(page("?after=1&limit=3").await, vec![numbered(1), numbered(2), numbered(3)]);
    assert_eq!(page("?limit=1").await, vec![numbered(0)]);
    assert_eq!(page("?after=18446744073709551615").await, vec![]);
}

#[tokio::test]
async fn a_page_beyond_the_limit_or_of_nonsense_is_refused() {
    let served = start(HttpLimits { page_max: 3, ..HttpLimits::default() }).await;
    for query in
        ["limit=0", "limit=4", "limit=x", "after=-1", "after=18446744073709551616", "before=1", "limit=1&limit=2"]
    {
        let got = served.get(&format!("/v1/attestations?{query}")).await;
        assert_eq!((got.status, got.code().as_str()), (400, "bad_page"), "{query}");
        assert!(got.text.contains("1 to 3"), "it says what was expected: {}", got.text);
    }
}

#[tokio::test]
async fn certificates_are_found_by_machine_with_or_without_0x() {
    let served = start(HttpLimits::default()).await;
    let machine = MachineId([0xab; 32]);
    let certificate = certificate(&key(1), machine);
    served.shelf.certificates.lock().unwrap().push(certificate.clone());
    for path in [format!("0x{}", "ab".repeat(32)), "ab".repeat(32), "AB".repeat(32)] {
        let got = served.get(&format!("/v1/certificates/{path}")).await;
        assert_eq!(got.json(), json!({ "certificates": [certificate] }), "{path}");
    }
    let other = served.get(&format!("/v1/certificates/{}", "cd".repeat(32))).await;
    assert_eq!((other.status, other.json()), (200, json!({ "certificates": [] })));
}

#[tokio::test]
async fn evidence_is_found_by_digest_and_may_be_kept_for_ever() {
    let served = start(HttpLimits::default()).await;
    let (digest, bundle) = own_bundle();
    served.shelf.bundles.lock().unwrap().insert(digest, bundle.clone());
    for path in [digest.to_string(), digest.to_string().replace("0x", "")] {
        let got = served.get(&format!("/evidence/{path}")).await;
        assert_eq!(serde_json::from_str::<Bundle>(&got.text).unwrap(), bundle);
        assert_eq!(got.headers["content-type"], "application/json");
        assert!(got.headers["cache-control"].to_str().unwrap().contains("immutable"));
    }
    let missing = served.get(&format!("/evidence/{}", "cd".repeat(32))).await;
    assert_eq!((missing.status, missing.code().as_str()), (404, "no_evidence"));
    assert_eq!(missing.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn nonsense_in_a_path_is_refused_with_what_was_expected() {
    let served = start(HttpLimits::default()).await;
    let short = "ab".repeat(31);
    let wrong = [
        ("/v1/attestations/0", "bad_rental", "decimal number from 1"),
        ("/v1/attestations/x", "bad_rental", "decimal number from 1"),
        ("/v1/attestations/-1", "bad_rental", "decimal number from 1"),
        ("/v1/attestations/%ff", "bad_rental", "decimal number from 1"),
        (&format!("/v1/certificates/{short}"), "bad_machine", "64 hex digits"),
        ("/v1/certificates/%00", "bad_machine", "64 hex digits"),
        (&format!("/evidence/0x{short}zz"), "bad_digest", "64 hex digits"),
    ];
    for (path, code, expected) in wrong {
        let got = served.get(path).await;
        assert_eq!((got.status, got.code().as_str()), (400, code), "{path}");
        assert!(got.text.contains(expected), "{}", got.text);
    }
}

#[tokio::test]
async fn other_paths_methods_and_bodies_are_refused() {
    let served = start(HttpLimits::default()).await;
    for path in ["/v2", "/v1", "/v1/attestations/1/2", "/evidence", "/v1/attestations/"] {
        let got = served.get(path).await;
        assert_eq!((got.status, got.code().as_str()), (404, "no_route"), "{path}");
    }
    let url = format!("{}/v1/attestations", served.url);
    let posted = got(client().post(&url)).await;
    assert_eq!((posted.status, posted.code().as_str()), (405, "not_get"));
    assert_eq!(posted.headers["allow"], "GET, HEAD");
    let with_body = got(client().get(&url).body("x")).await;
    assert_eq!((with_body.status, with_body.code().as_str()), (413, "body"));
}

#[tokio::test]
async fn a_store_that_fails_or_panics_is_a_503_that_tells_nothing_of_it() {
    let served = start(HttpLimits::default()).await;
    for broken in ["secret path /var/lib/surety is full", "panic"] {
        *served.shelf.broken.lock().unwrap() = Some(broken);
        for path in ["/v1/attestations/7", "/v1/attestations", &format!("/evidence/{}", "ab".repeat(32))] {
            let got = served.get(path).await;
            assert_eq!((got.status, got.code().as_str()), (503, "store"), "{path}");
            assert!(!got.text.contains("secret"), "{}", got.text);
            assert_eq!(got.headers["retry-after"], "5");
        }
    }
    *served.shelf.broken.lock().unwrap() = None;
    assert_eq!(served.get("/v1/attestations/7").await.status, 200);
}

#[tokio::test]
async fn a_refusal_ends_its_connection_and_every_answer_may_be_read_by_any_page() {
    let served = start(HttpLimits::default()).await;
    for path in ["/v1/attestations", "/healthz", "/metrics", "/nowhere"] {
        let headers = served.get(path).await.headers;
        let ended = headers.get("connection").is_some_and(|value| value == "close");
        assert_eq!(ended, path == "/nowhere", "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["access-control-allow-origin"], "*", "{path}");
    }
}

#[tokio::test]
async fn epochs_are_committed_to_before_they_begin_and_opened_when_they_are_over() {
    let served = start(HttpLimits::default()).await;
    let early = served.get("/v1/epochs").await;
    assert_eq!((early.status, early.code().as_str()), (503, "no_epoch_yet"));
    served.progress.best_block.store(3 * EPOCH_BLOCKS, Relaxed);
    served.progress.finalized_block.store(3 * EPOCH_BLOCKS - 1, Relaxed);
    let shown = async || serde_json::from_str::<EpochPage>(&served.get("/v1/epochs").await.text).unwrap();
    let opened =
        |page: &EpochPage| page.epochs.iter().map(|one| (one.number, one.secret.is_some())).collect::<Vec<_>>();
    let before = shown().await;
    assert_eq!(opened(&before), [(3, false), (2, false), (1, true), (0, true)], "what is not final is not over");
    served.progress.finalized_block.store(3 * EPOCH_BLOCKS, Relaxed);
    let after = shown().await;
    assert_eq!(opened(&after), [(4, false), (3, false), (2, true), (1, true), (0, true)]);
    assert_eq!((after.epochs[1].first_block, after.epoch_blocks), (3 * EPOCH_BLOCKS, EPOCH_BLOCKS));
    let commitments = |page: &EpochPage| page.epochs.iter().map(|one| one.commitment.clone()).collect::<Vec<_>>();
    assert_eq!(commitments(&after)[1..], commitments(&before), "what was committed to stays");
}
