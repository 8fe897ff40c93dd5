//! From keepers' answers over HTTP to the call, with real signatures.
#![allow(clippy::unwrap_used)]

use super::super::court::tests::{Member, NOW_SECS, court, deployment, domains, members, refusal, sign};
use super::*;
use alloy::consensus::transaction::SignerRecoverable;
use alloy::consensus::{Transaction, TxEnvelope};
use alloy::eips::eip2718::Decodable2718;
use alloy::primitives::keccak256;
use alloy::sol_types::SolError;
use axum::{Json, Router};
use std::sync::{Arc, Mutex};
use surety_client::bindings::CollateralVault::{StatedBonds_Nothing, stateCall};
use surety_client::digest::recover;
use surety_client::provider::Node;
use surety_core::types::{Hash32, Signature};

const MACHINE: MachineId = MachineId([0x33; 32]);

fn bond(alpha: u64) -> BondStatement {
    BondStatement {
        vault: Hash32([0x77; 32]),
        owner: Hash32([0x0e; 32]),
        machine: MACHINE,
        registration: 4,
        rental: 6,
        over: true,
        alpha,
        value_rao: alpha / 2,
        stated_at_secs: NOW_SECS - 24,
        until_secs: NOW_SECS + 1_000_000,
    }
}

fn answer(member: &mut Member, signed: impl serde::Serialize) {
    member.answers.insert(format!("/v1/alpha/bonds/{MACHINE}"), serde_json::to_value(signed).unwrap());
}

/// So many keepers that state the same bond.
fn agreeing(count: u8) -> Vec<Member> {
    let mut members = members(count);
    for member in &mut members {
        let signed = sign(&member.key, bond(10_000));
        answer(member, signed);
    }
    members
}

fn why<'a>(found: &'a Found, court: &Court, index: usize) -> &'a str {
    assert_eq!(found.heard[index].keeper, court.keepers[index].account);
    found.heard[index].answer.as_ref().unwrap_err()
}

#[tokio::test]
async fn a_quorums_word_becomes_the_call_that_each_of_them_has_signed() {
    let mut members = agreeing(5);
    // One is a block further and a little lower, one says why not, one is for another rental.
    let signed = sign(&members[1].key, BondStatement { alpha: 9_999, stated_at_secs: NOW_SECS, ..bond(10_000) });
    answer(&mut members[1], signed);
    answer(&mut members[3], refusal("not stated: nothing of the bond is free in the vault"));
    let court = court(&members).await;
    let found = look(&court, MACHINE).await;
    assert!(found.quorum);
    assert!(why(&found, &court, 3).contains("nothing of the bond is free"), "{}", why(&found, &court, 3));
    let counts = found.counts.unwrap();
    assert_eq!((counts.alpha, counts.value_rao, counts.stated_at_secs), (9_999, 5_000, NOW_SECS - 24));

    let call = found.call(&court).unwrap().unwrap();
    assert_eq!(call.to, Address::from(deployment().vault.address.0));
    let read = stateCall::abi_decode(&call.data).unwrap();
    assert_eq!((read.claim.rental, read.claim.over, read.statements.len()), (6, true, 4));
    let lowest = read.statements.iter().map(|one| one.alpha).min();
    assert_eq!(lowest, Some(9_999));
    for (signed, one) in found.counted.iter().zip(&read.statements) {
        let digest = domains().bond_statement(deployment().vault.address, &signed.statement).unwrap();
        assert_eq!(recover(digest, signed.signature), Ok(signed.signer));
        assert_eq!((one.alpha, u64::from(one.statedAt)), (signed.statement.alpha, signed.statement.stated_at_secs));
    }
    let table = found.table(&court, MACHINE).to_string();
    assert!(table.contains("the rental after 6") && table.contains("4 of 5 keepers, a quorum"), "{table}");
    let json = found.json(&court, MACHINE, Some(&call));
    assert_eq!((&json["quorum"], &json["counts"]["alpha_rao"]), (&true.into(), &9_999.into()));
    assert_eq!(json["call"]["data"], call.data.to_string());
}

#[tokio::test]
async fn what_a_keeper_did_not_sign_itself_and_what_does_not_fit_is_named_and_left_out() {
    let mut members = agreeing(7);
    // Another keeper's statement, passed on as its own.
    let copied = sign(&members[1].key, bond(10_000));
    answer(&mut members[0], copied.clone());
    // Another's signature under its own name.
    let forged = Signed { signer: members[2].key.account(), ..copied };
    answer(&mut members[2], forged);
    for (index, statement) in [
        (3, BondStatement { machine: MachineId([9; 32]), ..bond(10_000) }),
        (4, BondStatement { stated_at_secs: NOW_SECS + 1, ..bond(10_000) }),
        (5, bond(0)),
    ] {
        let signed = sign(&members[index].key, statement);
        answer(&mut members[index], signed);
    }
    let broken = Signed { statement: bond(1), signer: members[6].key.account(), signature: Signature([0; 65]) };
    answer(&mut members[6], broken);
    let court = court(&members).await;
    let found = look(&court, MACHINE).await;
    for (index, want) in [
        (0, "left out: signed by"),
        (2, "left out: signed by"),
        (3, "it is about machine 0x0909"),
        (4, "after the newest block"),
        (5, "a bond of nothing"),
        (6, "not a valid low-s signature"),
    ] {
        assert!(why(&found, &court, index).contains(want), "{}", why(&found, &court, index));
    }
    assert_eq!((found.counted.len(), found.quorum), (1, false));
    assert!(found.call(&court).unwrap().is_none());
    assert!(found.table(&court, MACHINE).to_string().contains("1 of 7 keepers, no quorum"));
}

#[tokio::test]
async fn of_two_claims_the_heavier_is_taken_and_the_other_shown_as_left_out() {
    let mut members = agreeing(4);
    let signed = sign(&members[2].key, BondStatement { over: false, ..bond(10_000) });
    answer(&mut members[2], signed);
    let court = court(&members).await;
    let found = look(&court, MACHINE).await;
    assert_eq!((found.counted.len(), found.quorum), (3, true));
    assert!(found.table(&court, MACHINE).to_string().contains("it disagrees with the others"));
    assert!(found.call(&court).unwrap().is_some());
}

/// A node that takes one transaction and has it in block 16, or refuses the call with these bytes.
async fn node(refusal: Option<&'static str>, taken: Arc<Mutex<Vec<String>>>) -> Node {
    let answer = move |method: &str, params: &Value| {
        let (block, hash) = ("0x10", format!("0x{}", "b1".repeat(32)));
        let head = json!({ "number": block, "hash": hash, "parentHash": hash, "timestamp": "0x6b49d200" });
        Ok(match method {
            "eth_estimateGas" => match refusal {
                Some(data) => return Err(json!({ "code": 3, "message": "execution reverted", "data": data })),
                None => json!("0x30d40"),
            },
            "eth_gasPrice" => json!("0x3b9aca00"),
            "eth_getTransactionCount" => json!("0x5"),
            "eth_sendRawTransaction" => {
                let raw = params[0].as_str().unwrap().to_owned();
                let hash = keccak256(hex::decode(&raw[2..]).unwrap());
                taken.lock().unwrap().push(raw);
                json!(hash)
            }
            "eth_getTransactionReceipt" if taken.lock().unwrap().is_empty() => Value::Null,
            "eth_getTransactionReceipt" => {
                json!({ "transactionHash": params[0], "blockNumber": block, "blockHash": hash, "status": "0x1",
                    "gasUsed": "0x1", "effectiveGasPrice": "0x1", "logs": [] })
            }
            "eth_getBlockByNumber" => head,
            other => return Err(json!({ "code": -32601, "message": other })),
        })
    };
    let answer = Arc::new(answer);
    let router = Router::new().fallback(move |Json(asked): Json<Value>| {
        let said = answer(asked["method"].as_str().unwrap(), &asked["params"]);
        let (name, said) = said.map_or_else(|error| ("error", error), |result| ("result", result));
        async move { Json(json!({ "jsonrpc": "2.0", "id": asked["id"], name: said })) }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Node::new(&url).unwrap()
}

#[tokio::test]
async fn the_call_is_tried_signed_by_the_key_and_waited_for() {
    let mut court = court(&agreeing(3)).await;
    let taken = Arc::new(Mutex::new(vec![]));
    court.node = node(None, taken.clone()).await;
    let call = look(&court, MACHINE).await.call(&court).unwrap().unwrap();
    assert_eq!(tried(&court, None, &call).await.unwrap(), 200_000);
    let key = Key::from_bytes([0x44; 32]).unwrap();
    let (hash, block) = send(&court, key.clone(), call.clone()).await.unwrap();
    let raw = hex::decode(&taken.lock().unwrap()[0][2..]).unwrap();
    let sent = TxEnvelope::decode_2718(&mut &raw[..]).unwrap();
    assert_eq!((sent.hash().to_string(), block), (hash, 16));
    assert_eq!((sent.to(), sent.input(), sent.value().is_zero()), (Some(call.to), &call.data, true));
    assert_eq!((sent.nonce(), sent.gas_limit(), sent.chain_id()), (5, 250_000, Some(42)));
    assert_eq!(sent.recover_signer().unwrap(), Address::from(key.account().0));
}

#[tokio::test]
async fn what_the_contract_refuses_is_told_by_its_name_and_not_sent() {
    let mut court = court(&agreeing(3)).await;
    let taken = Arc::new(Mutex::new(vec![]));
    // StatedBonds_Nothing().
    let data = format!("0x{}", hex::encode(StatedBonds_Nothing::SELECTOR));
    court.node = node(Some(data.leak()), taken.clone()).await;
    let call = look(&court, MACHINE).await.call(&court).unwrap().unwrap();
    let why = tried(&court, None, &call).await.unwrap_err().to_string();
    assert!(why.contains("the contract refuses it: StatedBonds_Nothing"), "{why}");
    let why = send(&court, Key::from_bytes([0x44; 32]).unwrap(), call).await.unwrap_err().to_string();
    assert!(why.contains("StatedBonds_Nothing") && taken.lock().unwrap().is_empty(), "{why}");
}
