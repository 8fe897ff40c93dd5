//! From keepers' answers over HTTP to the call, with real signatures.
#![allow(clippy::unwrap_used)]

use super::super::court::tests::{Member, NOW_SECS, court, deployment, domains, members, refusal, sign};
use super::*;
use surety_client::bindings::CollateralVault::stateCall;
use surety_client::digest::recover;
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
