//! What may be changed in evidence of an outage.

use super::bundles::{attested, check_of, failure, keeper, redone};
use super::*;
use surety_client::keys::Key;
use surety_core::input::Observation;
use surety_core::types::{Cause, Kind};

/// What `change` is called.
type Change = (&'static str, fn(&mut Value));

#[test]
fn a_stranger_cannot_change_anything_in_the_evidence() {
    let changes: [Change; 9] = [
        ("a look removed", |json| drop(json["subject"]["looks"].as_array_mut().unwrap().remove(5))),
        ("a look doubled", |json| {
            let looks = json["subject"]["looks"].as_array_mut().unwrap();
            looks.insert(5, looks[5].clone());
        }),
        ("a look's time", |json| json["subject"]["looks"][3]["at_secs"] = json!(1_800_000_131_u64)),
        ("a look's result", |json| json["subject"]["looks"][3]["seen"] = json!({"seen": "refused"})),
        ("the interval", |json| json["subject"]["until_secs"] = json!(1_800_000_251_u64)),
        ("the rental", |json| json["subject"]["rental"]["id"] = json!(8)),
        ("the rules", |json| json["rules"]["proof_looks"] = json!(5)),
        ("the keeper", |json| json["keeper"] = json!(format!("0x{}", "12".repeat(20)))),
        ("the contracts", |json| json["contracts"]["arbiter"] = json!(format!("0x{}", "12".repeat(20)))),
    ];
    for (what, change) in changes {
        let bundle = changed(&attested(), |json| change(&mut json["evidence"]));
        assert_eq!(check_of(&bundle), Check::Digest, "{what}");
    }
}

#[test]
fn a_stranger_cannot_change_anything_in_the_statement() {
    let digest = changed(&attested(), |json| {
        json["signed"]["statement"]["evidence"] = json!(format!("0x{}", "12".repeat(32)));
    });
    assert_eq!(check_of(&digest), Check::Digest);
    let changes: [Change; 5] = [
        ("the time", |json| json["statement"]["until_secs"] = json!(1_800_000_251_u64)),
        ("the kind", |json| json["statement"]["kind"] = json!("Offline")),
        ("the cause", |json| json["statement"]["cause"] = json!("RenterRefused")),
        ("the signature", |json| {
            let signature = json["signature"].as_str().unwrap().to_owned();
            let flipped = if signature.as_bytes()[10] == b'1' { "2" } else { "1" };
            json["signature"] = json!(format!("{}{flipped}{}", &signature[..10], &signature[11..]));
        }),
        ("the signer", |json| json["signer"] = json!(format!("0x{}", "12".repeat(20)))),
    ];
    for (what, change) in changes {
        let bundle = changed(&attested(), |json| change(&mut json["signed"]));
        assert_eq!(check_of(&bundle), Check::Signature, "{what}");
    }
}

#[test]
fn another_keeper_cannot_sign_what_it_did_not_see() {
    let other = Key::from_bytes([0x12; 32]).unwrap();
    let bundle = redone(&attested(), &other, |_, _| {});
    let (check, why) = failure(verify_bundle(&bundle, None));
    assert_eq!(check, Check::Signer);
    assert!(why.contains(&other.account().to_string()) && why.contains(&keeper().account().to_string()), "{why}");
}

#[test]
fn a_keeper_that_signs_anew_what_it_changed_is_found_out_by_the_claim() {
    fn looks(evidence: &mut Evidence) -> &mut Outage {
        match &mut evidence.subject {
            Subject::Outage(outage) => outage,
            _ => panic!("not an outage"),
        }
    }
    fn attestation(statement: &mut Statement) -> &mut surety_core::statement::Attestation {
        match statement {
            Statement::Attestation(attestation) => attestation,
            _ => panic!("not an attestation"),
        }
    }
    type Forge = fn(&mut Evidence, &mut Statement);
    let forgeries: [(&str, Forge); 10] = [
        ("too few looks", |evidence, _| looks(evidence).looks.drain(1..14).for_each(drop)),
        ("the last look removed", |evidence, _| drop(looks(evidence).looks.pop())),
        ("a look that succeeded", |evidence, _| looks(evidence).looks[5].seen = Observation::Accepted),
        ("a look while the network was down", |evidence, _| looks(evidence).looks[5].anchors = None),
        ("a later end", |evidence, statement| {
            looks(evidence).until_secs += 5;
            attestation(statement).until_secs += 5;
        }),
        ("a statement longer than the evidence", |_, statement| attestation(statement).until_secs += 5),
        ("another kind", |evidence, statement| {
            looks(evidence).kind = Kind::Offline;
            attestation(statement).kind = Kind::Offline;
        }),
        ("another cause", |evidence, statement| {
            looks(evidence).cause = Cause::WrongHostKey;
            attestation(statement).cause = Cause::WrongHostKey;
        }),
        ("a time in the future", |evidence, _| evidence.block.timestamp_secs = bundles::UNTIL_SECS - 1),
        ("softer rules", |evidence, _| evidence.rules.proof_looks = 1),
    ];
    for (what, forge) in forgeries {
        let bundle = redone(&attested(), &keeper(), forge);
        assert_eq!(check_of(&bundle), Check::Claim, "{what}");
    }
    let same = redone(&attested(), &keeper(), |_, _| {});
    assert!(verify_bundle(&same, None).is_ok(), "the signing anew itself is not what fails");
}
