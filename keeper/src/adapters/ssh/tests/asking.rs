//! What becomes of a question about cards when the machine does not play its part. The real agent is asked beside the
//! agent itself.

use super::super::inventory::check;
use super::hostile::{STEPS, Script, serve};
use super::*;
use ed25519_dalek::{Signer, SigningKey};
use std::time::Instant;
use surety_core::cards::{CardsStatement, message};
use surety_core::types::{Account, Ed25519Signature, Hash32};

fn target(endpoint: Endpoint, machine: MachineId) -> InventoryTarget {
    let (keeper, nonce) = (Account([4; 20]), Hash32([5; 32]));
    InventoryTarget { endpoint, machine, keeper_user: "keeper".into(), chain_id: 31_337, keeper, nonce }
}

fn key() -> KeeperKey {
    KeeperKey::from_seed(&secrecy::SecretBox::new(Box::new([5; 32])))
}

fn is_unmeasured(outcome: &InventoryOutcome) -> bool {
    matches!(outcome, InventoryOutcome::Unmeasured { why } if !why.is_empty())
}

#[tokio::test]
async fn a_machine_that_drops_or_falls_silent_at_any_step_has_not_answered_in_time() {
    let short = SshLimits {
        login_deadline: Duration::from_millis(300),
        probe_deadline: Duration::from_millis(100),
        ..limits()
    };
    let scripts = STEPS.iter().flat_map(|step| [Script::DropBefore(*step), Script::HangBefore(*step)]);
    for script in scripts.chain([Script::Flood(b"garbage\n".to_vec()), Script::ForgedSignature]) {
        let server = serve(script.clone()).await;
        let began = Instant::now();
        let outcome = ask(&target(server.endpoint, server.machine), &key(), &short).await;
        assert!(is_unmeasured(&outcome), "{script:?}: {outcome:?}");
        assert!(began.elapsed() < Duration::from_secs(5), "{script:?}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn another_host_key_has_not_answered() {
    let server = serve(Script::Answer(vec![])).await;
    let outcome = ask(&target(server.endpoint, MachineId([1; 32])), &key(), &limits()).await;
    assert!(matches!(&outcome, InventoryOutcome::Unmeasured { why } if why.contains("wrong host key")), "{outcome:?}");
}

/// A target whose machine is this key, and what that machine says.
fn said(key: &SigningKey, cards: &[&str], nonce: Hash32) -> (InventoryTarget, CardsStatement) {
    let machine = MachineId(key.verifying_key().to_bytes());
    let target = target(Endpoint { ip: [127, 0, 0, 1].into(), port: 1 }, machine);
    let cards: Vec<String> = cards.iter().map(|name| (*name).to_owned()).collect();
    let bytes = message(target.chain_id, &machine, &target.keeper, &nonce, 7, &cards);
    let signature = Ed25519Signature(key.sign(&bytes).to_bytes());
    (target, CardsStatement { registration: 7, cards, signature })
}

fn checked(target: &InventoryTarget, statement: &CardsStatement) -> Result<CardsStatement, String> {
    check(&serde_json::to_vec(statement).unwrap(), target)
}

#[test]
fn only_what_the_machine_signed_in_answer_to_this_question_counts() {
    let key = SigningKey::from_bytes(&[9; 32]);
    let nonce = Hash32([5; 32]);
    let (target, good) = said(&key, &["GPU-1", "GPU-2"], nonce);
    assert_eq!(checked(&target, &good), Ok(good.clone()));
    let (_, other_question) = said(&key, &["GPU-1"], Hash32([6; 32]));
    let (_, somebody_else) = said(&SigningKey::from_bytes(&[8; 32]), &["GPU-1"], nonce);
    let fewer = CardsStatement { cards: vec!["GPU-1".into()], ..good.clone() };
    let elsewhere = CardsStatement { registration: 8, ..good.clone() };
    for (what, statement) in [("question", other_question), ("key", somebody_else), ("cards", fewer), ("id", elsewhere)]
    {
        assert!(checked(&target, &statement).unwrap_err().contains("not signed"), "{what}");
    }
    let other_keeper = InventoryTarget { keeper: Account([1; 20]), ..target.clone() };
    let other_chain = InventoryTarget { chain_id: 964, ..target };
    assert!(checked(&other_keeper, &good).is_err() && checked(&other_chain, &good).is_err());
}

#[test]
fn what_is_no_statement_is_no_answer() {
    let key = SigningKey::from_bytes(&[9; 32]);
    let nonce = Hash32([5; 32]);
    for cards in [&["GPU 1"][..], &["a", "a"], &[""], &["GPU-1\nGPU-2"]] {
        let (target, statement) = said(&key, cards, nonce);
        assert!(checked(&target, &statement).unwrap_err().contains("too many cards"), "{cards:?}");
    }
    let (target, _) = said(&key, &[], nonce);
    for answer in [&b""[..], b"{}", b"[]", b"\x00\x00\x00\x01\x0c\x03", &b"[".repeat(4_000)] {
        assert!(check(answer, &target).unwrap_err().contains("no statement"), "{answer:?}");
    }
}
