//! An outage that rests on what the machine itself said about its cards.

use super::bundles::{check_of, keeper, machine_key, redone};
use super::*;
use ed25519_dalek::Signer;
use surety_core::cards::{CardsStatement, message};
use surety_core::input::Observation;
use surety_core::types::{Cause, Ed25519Signature};

fn stated(evidence: &Evidence, outage: &Outage, nonce: Hash32, cards: &[String]) -> Observation {
    let said = message(evidence.chain_id, &outage.rental.machine, &evidence.keeper, &nonce, 3, cards);
    let signature = Ed25519Signature(machine_key().sign(&said).to_bytes());
    let statement = CardsStatement { registration: 3, cards: cards.to_vec(), signature };
    Observation::CardsStated { rented: outage.rental.gpu_count, statement }
}

/// An outage in which every look is an admission to no cards of one.
fn short_of_cards(change: impl FnOnce(&mut Outage)) -> Bundle {
    redone(&attested(), &keeper(), |evidence, statement| {
        let whole = evidence.clone();
        let (Subject::Outage(outage), Statement::Attestation(claim)) = (&mut evidence.subject, statement) else {
            panic!("not an outage")
        };
        let facts = outage.clone();
        for look in &mut outage.looks {
            look.seen = stated(&whole, &facts, look.id, &[]);
        }
        (outage.cause, claim.cause) = (Cause::GpusMissing, Cause::GpusMissing);
        change(outage);
    })
}

fn statement(outage: &mut Outage, look: usize) -> &mut CardsStatement {
    match &mut outage.looks[look].seen {
        Observation::CardsStated { statement, .. } => statement,
        other => panic!("{other:?}"),
    }
}

#[test]
fn admissions_that_the_machine_signed_carry_an_outage() {
    let report = verify_bundle(&short_of_cards(|_| ()), None).unwrap().to_string();
    assert!(report.contains("signed that it has 0 of 1 cards"), "{report}");
    assert!(report.contains("it had fewer GPUs than it was rented out with"), "{report}");
}

#[test]
fn an_admission_that_the_machine_did_not_sign_or_signed_to_another_question_is_found_out() {
    let not_signed = short_of_cards(|outage| statement(outage, 5).signature.0[0] ^= 1);
    let changed = short_of_cards(|outage| statement(outage, 5).registration = 4);
    let repeated = short_of_cards(|outage| {
        let first = statement(outage, 0).clone();
        *statement(outage, 5) = first;
    });
    for bundle in [not_signed, changed, repeated] {
        assert_eq!(check_of(&bundle), Check::Transcript);
    }
}

#[test]
fn a_full_count_or_a_comparison_with_more_than_was_rented_is_no_admission() {
    let full = short_of_cards(|outage| statement(outage, 5).cards = vec!["GPU-0".to_owned()]);
    let more = short_of_cards(|outage| {
        if let Observation::CardsStated { rented, .. } = &mut outage.looks[5].seen {
            *rented = 8;
        }
    });
    let nameless = short_of_cards(|outage| statement(outage, 5).cards = vec![String::new()]);
    for bundle in [full, more, nameless] {
        assert_eq!(check_of(&bundle), Check::Claim);
    }
}
