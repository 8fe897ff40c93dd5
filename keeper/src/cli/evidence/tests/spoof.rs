//! Two false proofs: recomputed by whoever reads them, and refused when they are not two, not false, or not this
//! machine's.

use super::bundles::{check_of, failure, keeper, machine, measured_in, redone, spoof_over};
use super::capacity::{Astray, Lazy};
use super::*;
use crate::adapters::verify::spoof::judge;
use std::sync::OnceLock;
use surety_core::evidence::{BadProof, Contracts, Recomputed, Spoofing};
use surety_core::input::SpoofOutcome;
use surety_core::statement::Spoof;
use surety_verifier::device::CpuDevice;
use surety_verifier::evidence::{FraudProof, PublicFinding, recheck_public};
use surety_verifier::frame::Frame;
use surety_verifier::freivalds::RowFault;
use surety_verifier::seed::RowAt;
use surety_verifier::transcript::{Party, Transcript};
use surety_verifier::verdict::{BadRow, Falsehood};

fn lying(session: u8) -> Transcript {
    measured_in([session; 32], Lazy::boxed())
}

fn wrong(at: RowAt) -> Falsehood {
    Falsehood::Row(BadRow { at, fault: RowFault::WrongProduct })
}

fn bad(transcript: &Transcript, at_secs: u64) -> BadProof {
    let PublicFinding::Fraud(falsehood, _) = recheck_public(transcript).unwrap() else { panic!("no fraud in it") };
    let proof = FraudProof::shorten(transcript, &falsehood).unwrap();
    BadProof { at_secs, why: "wrong".into(), transcript: serde_json::to_value(proof).unwrap() }
}

fn proofs() -> [BadProof; 2] {
    static PROOFS: OnceLock<[BadProof; 2]> = OnceLock::new();
    let at_secs = bundles::START_SECS;
    PROOFS.get_or_init(|| [bad(&lying(1), at_secs), bad(&lying(2), at_secs + 20)]).clone()
}

fn spoofed() -> Bundle {
    spoof_over(proofs())
}

fn claim() -> Spoof {
    match spoofed().signed.statement {
        Statement::Spoof(spoof) => spoof,
        other => panic!("{other:?}"),
    }
}

/// The keeper changes what it shows and what it says, and signs anew.
fn forged(change: impl FnOnce(&mut Spoofing, &mut Spoof)) -> Bundle {
    redone(&spoofed(), &keeper(), |evidence, statement| {
        let (Subject::Spoof(spoofing), Statement::Spoof(spoof)) = (&mut evidence.subject, statement) else {
            panic!("not a spoof")
        };
        change(spoofing, spoof);
    })
}

#[test]
fn two_false_proofs_carry_a_spoof() {
    let bundle = spoofed();
    let report = verify_bundle(&bundle, Some(&deployment(&bundle))).unwrap();
    assert!(report.verdict.contains("signed false proofs of 1 x CPU test, twice"), "{}", report.verdict);
    let text = report.to_string();
    assert!(text.contains("both were recomputed here: row ") && text.contains("for the arbiter 0x"), "{text}");
}

#[test]
fn a_right_row_is_no_proof_whatever_the_keeper_says() {
    let honest = measured_in([9; 32], Box::new(CpuDevice::new()));
    let shown = honest.frames_from(Party::Machine).find_map(|frame| match frame {
        Frame::Row(row) => Some(row.at),
        _ => None,
    });
    let proof = FraudProof::shorten(&honest, &wrong(shown.unwrap())).unwrap();
    for which in 0..2 {
        let (check, why) = failure(verify_bundle(
            &forged(|spoofing, _| spoofing.proofs[which].transcript = serde_json::to_value(&proof).unwrap()),
            None,
        ));
        assert_eq!(check, Check::Transcript);
        assert!(why.contains("the row is right: there is no fraud here"), "{why}");
    }
}

#[test]
fn a_walk_that_nobody_went_carries_a_spoof_like_a_wrong_row() {
    let astray = |session| measured_in([session; 32], Box::new(Astray::default()));
    let at_secs = bundles::START_SECS;
    let bundle = spoof_over([bad(&lying(1), at_secs), bad(&astray(3), at_secs + 20)]);
    let text = verify_bundle(&bundle, Some(&deployment(&bundle))).unwrap().to_string();
    assert!(text.contains("ends elsewhere than it says in the other"), "{text}");
}

#[test]
fn one_session_is_one_proof_however_many_of_its_rows_are_shown() {
    let lying = lying(1);
    let rows: Vec<RowAt> = lying
        .frames_from(Party::Machine)
        .filter_map(|frame| match frame {
            Frame::Row(row) => Some(row.at),
            _ => None,
        })
        .collect();
    let proof = |at: &RowAt| FraudProof::shorten(&lying, &wrong(*at)).filter(|proof| proof.verify().is_ok());
    let first = rows.iter().find_map(proof).unwrap();
    // The same row under another time and another explanation.
    let again = serde_json::to_value(first).unwrap();
    let same = forged(|spoofing, _| {
        spoofing.proofs[0].transcript = again.clone();
        spoofing.proofs[1].transcript = again;
    });
    assert_eq!(check_of(&same), Check::Claim);
    // Another spelling of the same bytes.
    let spelled = forged(|spoofing, _| {
        let mut upper = spoofing.proofs[0].transcript.clone();
        let row = upper["frames"][2].as_str().unwrap().to_uppercase();
        upper["frames"][2] = json!(row);
        spoofing.proofs[1].transcript = upper;
    });
    assert_eq!(check_of(&spelled), Check::Transcript);
}

#[test]
fn proofs_of_another_machine_registration_class_count_or_keeper_are_named() {
    type Forge = fn(&mut Spoofing, &mut Spoof);
    let forgeries: [(&str, Forge); 4] = [
        ("another machine", |spoofing, spoof| (spoofing.machine.0[0], spoof.machine.0[0]) = (1, 1)),
        ("another registration", |spoofing, spoof| (spoofing.registration, spoof.registration) = (4, 4)),
        ("another class", |spoofing, spoof| (spoofing.gpu_class, spoof.gpu_class) = (2, 2)),
        ("another count", |spoofing, spoof| (spoofing.gpu_count, spoof.gpu_count) = (8, 8)),
    ];
    assert_ne!(machine().0[0], 1);
    for (what, forge) in forgeries {
        let (check, why) = failure(verify_bundle(&forged(forge), None));
        assert_eq!(check, Check::Transcript);
        assert!(why.contains(what), "{why}");
    }
    let other = surety_client::keys::Key::from_bytes([0x12; 32]).unwrap();
    let taken = redone(&spoofed(), &other, |evidence, _| evidence.keeper = other.account());
    let (_, why) = failure(verify_bundle(&taken, None));
    assert!(why.contains("another keeper's challenge"), "somebody else's catch shown as one's own: {why}");
    let from = Recomputed { keeper: keeper().account(), evidence: spoofed().signed.statement.evidence() };
    let recomputed = redone(&spoofed(), &other, |evidence, _| {
        evidence.keeper = other.account();
        if let Subject::Spoof(spoofing) = &mut evidence.subject {
            spoofing.recomputed = Some(from);
        }
    });
    let report = verify_bundle(&recomputed, None).unwrap().to_string();
    assert!(report.contains("caught the machine, in evidence 0x"), "said to be somebody else's, it is sound: {report}");
}

#[test]
fn a_proof_with_any_frame_changed_shows_nothing() {
    for part in 0..3 {
        let bundle = forged(|spoofing, _| {
            let mut hex = spoofing.proofs[0].transcript["frames"][part].as_str().unwrap().to_owned();
            let last = if hex.pop() == Some('0') { '1' } else { '0' };
            hex.push(last);
            spoofing.proofs[0].transcript["frames"][part] = json!(hex);
        });
        assert_eq!(check_of(&bundle), Check::Transcript, "frame {part}");
    }
    for nonsense in [json!("a proof"), json!({}), json!([1])] {
        let bundle = forged(|spoofing, _| spoofing.proofs[1].transcript = nonsense.clone());
        assert_eq!(check_of(&bundle), Check::Transcript);
    }
}

fn judged(bundle: &Bundle, spoof: Spoof) -> SpoofOutcome {
    let evidence: Evidence = serde_json::from_value(bundle.evidence.clone()).unwrap();
    judge(bundle, keeper().account(), spoof, evidence.chain_id, evidence.contracts)
}

#[test]
fn a_peers_good_evidence_is_taken_over() {
    let SpoofOutcome::Bad { proofs: taken } = judged(&spoofed(), claim()) else { panic!("not taken") };
    assert_eq!(*taken, proofs());
}

#[test]
fn other_bytes_than_those_signed_speak_against_nobody() {
    let other = forged(|spoofing, _| spoofing.proofs[0].why = "other".into());
    assert!(matches!(judged(&other, claim()), SpoofOutcome::Unread { .. }), "somebody in between changed it");
    let nonsense = Bundle { evidence: json!({"a": 1}), ..spoofed() };
    let here = (1, Contracts { escrow: Account([1; 20]), arbiter: Account([1; 20]), vault: Account([1; 20]) });
    let read = judge(&nonsense, keeper().account(), claim(), here.0, here.1);
    assert!(matches!(read, SpoofOutcome::Unread { .. }));
}

#[test]
fn evidence_that_a_peer_signed_and_that_shows_nothing_speaks_against_the_peer() {
    let signed = |bundle: Bundle| match bundle.signed.statement {
        Statement::Spoof(spoof) => judged(&bundle, spoof),
        other => panic!("{other:?}"),
    };
    let same_proof = signed(forged(|spoofing, _| spoofing.proofs[0] = spoofing.proofs[1].clone()));
    let other_count = signed(forged(|spoofing, spoof| (spoofing.gpu_count, spoof.gpu_count) = (8, 8)));
    let says_more = signed(forged(|_, spoof| spoof.gpu_count = 8));
    for outcome in [same_proof, other_count, says_more] {
        assert!(matches!(outcome, SpoofOutcome::NotShown { .. }), "{outcome:?}");
    }
    let bundle = spoofed();
    let evidence: Evidence = serde_json::from_value(bundle.evidence.clone()).unwrap();
    let elsewhere = judge(&bundle, keeper().account(), claim(), 964, evidence.contracts);
    let not_its_own = judge(&bundle, Account([1; 20]), claim(), evidence.chain_id, evidence.contracts);
    for outcome in [elsewhere, not_its_own] {
        assert!(matches!(outcome, SpoofOutcome::NotShown { .. }), "{outcome:?}");
    }
}
