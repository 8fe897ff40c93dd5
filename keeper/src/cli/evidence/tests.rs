//! A good bundle passes, and whatever is changed in it is named: by a stranger who has no key, and by a keeper who
//! signs anew what it has changed.
#![allow(clippy::unwrap_used)]

pub(in crate::cli) mod bundles;
pub(in crate::cli) mod capacity;
mod cards;
mod onchain;
mod outage;
mod spoof;

use super::*;
use bundles::{attested, certified, check_of, failure, keeper};
use serde_json::{Value, json};
use surety_client::deployment::{Contract, Deployment};
use surety_core::types::{Account, Hash32};

/// A bundle with its JSON changed.
fn changed(bundle: &Bundle, change: impl FnOnce(&mut Value)) -> Bundle {
    let mut json = serde_json::to_value(bundle).unwrap();
    change(&mut json);
    serde_json::from_value(json).unwrap()
}

fn deployment(bundle: &Bundle) -> Deployment {
    let at = |name: &str| {
        let address = bundle.evidence["contracts"][name].as_str().unwrap().parse().unwrap();
        Contract { address, code_hash: Hash32([0; 32]) }
    };
    Deployment {
        chain_id: bundle.evidence["chain_id"].as_u64().unwrap(),
        netuid: 1,
        block: 1,
        keepers: Contract { address: Account([0x33; 20]), code_hash: Hash32([0; 32]) },
        vault: at("vault"),
        escrow: at("escrow"),
        arbiter: at("arbiter"),
        bids: Contract { address: Account([0x55; 20]), code_hash: Hash32([0; 32]) },
        times: bundles::times(),
    }
}

fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

#[test]
fn a_good_bundle_in_a_file_passes_and_the_report_is_for_people() {
    let bundle = attested();
    let file = file(&serde_json::to_vec(&bundle).unwrap());
    let report = verify(file.path(), Some(&deployment(&bundle))).unwrap().to_string();
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines.len(), 7, "one line a check, then the verdict:\n{report}");
    assert!(lines[..6].iter().all(|line| line.starts_with("ok  ")), "{report}");
    assert!(lines[4].starts_with("ok  signer"), "{report}");
    assert!(lines[6].starts_with("VERDICT: the evidence carries the claim."), "{report}");
    assert!(lines[6].contains("from 2027-01-15 08:01:40 UTC to 2027-01-15 08:04:10 UTC (150 s)"), "{report}");
    assert!(lines[6].contains("out of service for a while"), "{report}");
}

#[test]
fn without_a_deployment_file_the_report_says_that_nobody_looked_at_the_contracts() {
    let report = verify_bundle(&attested(), None).unwrap().to_string();
    assert!(report.contains("NOT CHECKED whether escrow"), "{report}");
}

#[test]
fn evidence_for_other_contracts_is_named() {
    let bundle = attested();
    let right = deployment(&bundle);
    assert!(verify_bundle(&bundle, Some(&right)).is_ok());
    let other = Contract { address: Account([1; 20]), ..right.escrow };
    let wrong = [
        ("chain", Deployment { chain_id: 964, ..right.clone() }),
        ("escrow", Deployment { escrow: other, ..right.clone() }),
        ("arbiter", Deployment { arbiter: other, ..right.clone() }),
        ("vault", Deployment { vault: other, ..right.clone() }),
    ];
    for (what, deployment) in wrong {
        let (check, why) = failure(verify_bundle(&bundle, Some(&deployment)));
        assert_eq!(check, Check::Contracts);
        assert!(why.contains(what), "{why}");
    }
}

#[test]
fn files_that_are_no_bundles_get_one_clear_sentence() {
    let missing = verify(Path::new("/nowhere/bundle.json"), None).unwrap_err();
    assert!(matches!(missing, VerifyError::Read { .. }));
    let bundle = serde_json::to_vec(&attested()).unwrap();
    for bytes in [b"".as_slice(), b"[]", b"{}", &[0xff; 100], "[".repeat(1_000_000).as_bytes(), &bundle[..500]] {
        let error = verify(file(bytes).path(), None).unwrap_err();
        assert!(matches!(error, VerifyError::NotABundle { .. }));
        assert!(error.to_string().contains("want the JSON that a keeper serves at /evidence/DIGEST"));
    }
    let long = tempfile::NamedTempFile::new().unwrap();
    long.as_file().set_len(FILE_BYTES_MAX + 1).unwrap();
    assert!(matches!(verify(long.path(), None).unwrap_err(), VerifyError::TooLong { .. }));
}

#[test]
fn fields_that_this_version_does_not_know_are_named() {
    for add in ["/evidence", "/evidence/subject", "/evidence/subject/looks/0", "/evidence/block", "/evidence/rules"] {
        let extra = changed(&attested(), |json| json.pointer_mut(add).unwrap()["extra"] = json!(1));
        assert_eq!(check_of(&extra), Check::Form, "{add}");
    }
    let missing = changed(&attested(), |json| drop(json["evidence"].as_object_mut().unwrap().remove("rules")));
    assert_eq!(check_of(&missing), Check::Form);
    let left_to_default = changed(&attested(), |json| {
        json["evidence"]["rules"].as_object_mut().unwrap().remove("proof_looks");
    });
    assert_eq!(check_of(&left_to_default), Check::Form, "a default is no part of what was hashed");
    let keeper = keeper().account().to_string().to_uppercase().replace("0X", "0x");
    let other_case = changed(&attested(), |json| json["evidence"]["keeper"] = json!(keeper));
    assert_eq!(check_of(&other_case), Check::Form, "one evidence has one form");
}

#[test]
fn what_passed_before_a_failure_is_told() {
    let bundle = changed(&attested(), |json| json["signed"]["statement"]["rental"] = json!(8));
    let Err(VerifyError::Failed { check, passed, .. }) = verify_bundle(&bundle, None) else { panic!("it passed") };
    let before: Vec<Check> = passed.iter().map(|line| line.check).collect();
    assert_eq!((check, before), (Check::Signature, vec![Check::Form, Check::Digest, Check::Contracts]));
}

#[test]
fn dates_are_those_of_the_calendar() {
    for (secs, date) in [
        (0, "1970-01-01 00:00:00 UTC"),
        (951_782_399, "2000-02-28 23:59:59 UTC"),
        (951_782_400, "2000-02-29 00:00:00 UTC"),
        (951_868_800, "2000-03-01 00:00:00 UTC"),
        (1_798_761_599, "2026-12-31 23:59:59 UTC"),
        (4_107_542_400, "2100-03-01 00:00:00 UTC"),
    ] {
        assert_eq!(report::date(secs), date);
    }
}

#[test]
fn a_certificate_passes_too() {
    let bundle = certified();
    let report = verify_bundle(&bundle, Some(&deployment(&bundle))).unwrap();
    let last = report.lines.last().unwrap();
    assert_eq!(last.check, Check::Transcript);
    assert!(
        last.says.contains("all 32 rows and 8 legs that it was asked to show were recomputed here"),
        "{}",
        last.says
    );
    assert!(report.verdict.contains("measured 1 x CPU test on machine 0x"), "{}", report.verdict);
}
