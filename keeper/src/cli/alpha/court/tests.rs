//! Keepers with real keys behind real HTTP servers; their chain is made up.
#![allow(clippy::unwrap_used)]

use super::*;
use axum::Router;
use axum::http::{StatusCode, Uri};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use surety_client::deployment::Contract;
use surety_client::keys::Key;
use surety_core::types::Hash32;

pub(in crate::cli::alpha) const NOW_SECS: u64 = 1_800_000_000;

/// A keeper's key, and what it answers by path.
pub(in crate::cli::alpha) struct Member {
    pub(in crate::cli::alpha) key: Key,
    pub(in crate::cli::alpha) weight: u64,
    pub(in crate::cli::alpha) answers: BTreeMap<String, Value>,
}

/// Keepers with keys of their own and the weight 1, by their accounts ascending.
pub(in crate::cli::alpha) fn members(count: u8) -> Vec<Member> {
    let keys = (1..=count).map(|n| Key::from_bytes([n; 32]).unwrap());
    let mut members: Vec<_> = keys.map(|key| Member { key, weight: 1, answers: BTreeMap::new() }).collect();
    members.sort_by_key(|member| member.key.account());
    members
}

pub(in crate::cli::alpha) fn deployment() -> Deployment {
    let contract = |n| json!(Contract { address: Account([n; 20]), code_hash: Hash32([n; 32]) });
    let secs = 60;
    let file = json!({
        "chain_id": 42, "netuid": 51, "block": 7, "keepers": contract(1), "vault": contract(2), "escrow": contract(3),
        "arbiter": contract(0xaa), "bids": contract(5),
        "times": {
            "settle_lag_secs": secs, "delivery_grace_secs": secs, "min_interrupted_secs": secs,
            "min_offline_secs": secs, "freshness_secs": secs, "certificate_life_secs": secs, "spoof_life_secs": secs,
        },
    });
    serde_json::from_value(file).unwrap()
}

/// Whose signatures these are for.
pub(in crate::cli::alpha) fn domains() -> Domains {
    let deployment = deployment();
    let (escrow, arbiter) = (deployment.escrow.address, deployment.arbiter.address);
    Domains { chain_id: deployment.chain_id, escrow, arbiter }
}

/// Signs a statement about alpha.
pub(in crate::cli::alpha) fn sign<T: Copy + Into<AlphaStatement>>(key: &Key, statement: T) -> Signed<T> {
    let digest = domains().alpha(deployment().vault.address, &statement.into()).unwrap();
    Signed { statement, signer: key.account(), signature: key.sign(digest).unwrap() }
}

/// What a keeper answers that states nothing.
pub(in crate::cli::alpha) fn refusal(why: &str) -> Value {
    json!({ "code": "not_stated", "detail": why })
}

async fn serve(answers: BTreeMap<String, Value>) -> String {
    let answers = Arc::new(answers);
    let router = Router::new().fallback(move |uri: Uri| {
        let answer = answers.get(uri.path()).cloned();
        async move {
            match answer {
                Some(answer) if answer.get("detail").is_none() => (StatusCode::OK, answer.to_string()),
                Some(answer) => (StatusCode::CONFLICT, answer.to_string()),
                None => (StatusCode::NOT_FOUND, "\u{1b}[2J".to_owned()),
            }
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// The contracts with these keepers, each behind a server of its own.
pub(in crate::cli::alpha) async fn court(members: &[Member]) -> Court {
    let mut keepers = Vec::new();
    for Member { key, weight, answers } in members {
        let (account, url) = (key.account(), serve(answers.clone()).await);
        keepers.push(KeeperView { account, weight: *weight, active: true, ssh_key: Default::default(), url });
    }
    Court {
        deployment: deployment(),
        node: Node::new("http://127.0.0.1:1").unwrap(),
        keepers,
        block: 9,
        now_secs: NOW_SECS,
        asking: Asking::new(true).unwrap(),
    }
}

#[tokio::test]
async fn who_has_no_url_or_does_not_answer_is_named_and_holds_nobody_up() {
    let mut court = court(&members(3)).await;
    court.keepers[0].url = String::new();
    court.keepers[1].url = "http://127.0.0.1:1".into();
    let heard = court.ask(async |url: &str| court.asking.verdict(url, 7).await).await;
    let why: Vec<_> = heard.iter().map(|one| one.answer.as_ref().unwrap_err().clone()).collect();
    assert!(why[0].contains("no URL on chain") && why[1].contains("no answer"), "{why:?}");
    assert_eq!(why[2], "it gives no reason (status 404)");
    assert_eq!(heard[2].keeper, court.keepers[2].account);
}

#[tokio::test]
async fn an_answer_longer_than_a_statement_is_not_read_to_its_end() {
    let mut members = members(1);
    members[0].answers.insert("/v1/alpha/verdicts/7".into(), json!({ "x": "x".repeat(20_000) }));
    let court = court(&members).await;
    let heard = court.ask(async |url: &str| court.asking.verdict(url, 7).await).await;
    assert!(heard[0].answer.as_ref().unwrap_err().contains("longer than 16384 bytes"), "{:?}", heard[0]);
}
