use super::*;
use crate::fixtures::{START, account, bad, config, look, rental, times};
use crate::input::Observation;
use crate::statement::{Attestation, Certificate, Spoof, Statement};

fn bundle(kind: Kind, ats: &[u64]) -> Evidence {
    let looks: Vec<Look> = ats.iter().map(|at| bad(*at)).collect();
    let from_secs = if kind == Kind::NotDelivered { START } else { looks[0].at_secs };
    let until_secs = looks[looks.len() - 1].at_secs;
    let outage = Outage {
        kind,
        cause: Cause::RenterRefused,
        from_secs,
        until_secs,
        rental: RentalFacts::from(&rental(1)),
        endpoint: None,
        delivered_secs: None,
        looks_needed: 4,
        thinned: 0,
        looks,
    };
    let config = config();
    Evidence {
        version: EVIDENCE_VERSION,
        chain_id: 964,
        contracts: config.contracts,
        keeper: config.me,
        block: BlockRef { number: 9, hash: Hash32::default(), timestamp_secs: START + 10_000 },
        rules: config.rules,
        times: times(),
        subject: Subject::Outage(Box::new(outage)),
    }
}

fn outage(evidence: &mut Evidence) -> &mut Outage {
    match &mut evidence.subject {
        Subject::Outage(outage) => outage,
        _ => panic!("not an outage"),
    }
}

/// The statement this bundle was made for.
fn claim(evidence: &Evidence) -> Statement {
    let digest = evidence.digest().unwrap_or_default();
    match &evidence.subject {
        Subject::Outage(outage) => Statement::Attestation(Attestation {
            kind: outage.kind,
            rental: outage.rental.id,
            cause: outage.cause,
            from_secs: outage.from_secs,
            until_secs: outage.until_secs,
            evidence: digest,
        }),
        Subject::Capacity(measured) => Statement::Certificate(Certificate {
            machine: measured.machine,
            registration: measured.registration,
            gpu_class: measured.gpu_class,
            gpu_count: measured.gpu_count,
            measured_at_secs: measured.measured_at_secs,
            evidence: digest,
        }),
        Subject::Spoof(spoofing) => Statement::Spoof(Spoof {
            machine: spoofing.machine,
            registration: spoofing.registration,
            gpu_class: spoofing.gpu_class,
            gpu_count: spoofing.gpu_count,
            proved_at_secs: spoofing.proved_at_secs,
            evidence: digest,
        }),
    }
}

fn every(step: usize, until: u64) -> Vec<u64> {
    (10..=until).step_by(step).collect()
}

/// Changes a good bundle, makes the statement anew, and expects refusal.
fn refused(kind: Kind, change: impl Fn(&mut Evidence)) -> EvidenceError {
    let mut evidence = bundle(kind, &every(10, 1_000));
    assert_eq!(evidence.supports(&claim(&evidence)), Ok(()), "good before the change");
    change(&mut evidence);
    match evidence.supports(&claim(&evidence)) {
        Ok(()) => panic!("supported after the change"),
        Err(why) => why,
    }
}

#[test]
fn good_bundles_support_their_claims() {
    for (kind, until) in [(Kind::Interrupted, 140), (Kind::NotDelivered, 610), (Kind::Offline, 910)] {
        let evidence = bundle(kind, &every(10, until));
        assert_eq!(evidence.supports(&claim(&evidence)), Ok(()), "{kind:?}");
    }
}

#[test]
fn each_kind_needs_its_length() {
    for (kind, until) in [(Kind::Interrupted, 129), (Kind::NotDelivered, 599), (Kind::Offline, 909)] {
        let evidence = bundle(kind, &every(10, until));
        assert!(evidence.supports(&claim(&evidence)).is_err(), "{kind:?}");
    }
}

#[test]
fn a_statement_may_not_say_other_than_the_bundle() {
    let evidence = bundle(Kind::Offline, &every(10, 1_000));
    let Statement::Attestation(good) = claim(&evidence) else { panic!("not an attestation") };
    let lies = [
        Attestation { kind: Kind::Interrupted, ..good },
        Attestation { rental: 2, ..good },
        Attestation { cause: Cause::Unreachable, ..good },
        Attestation { from_secs: good.from_secs - 1, ..good },
        Attestation { until_secs: good.until_secs + 1, ..good },
        Attestation { evidence: Hash32::default(), ..good },
    ];
    for lie in lies {
        assert!(evidence.supports(&Statement::Attestation(lie)).is_err(), "{lie:?}");
    }
}

#[test]
fn looks_must_carry_the_interval() {
    let changes: [fn(&mut Evidence); 12] = [
        |one| outage(one).until_secs += 1,
        |one| outage(one).from_secs -= 1,
        |one| outage(one).looks.clear(),
        |one| outage(one).looks[40].seen = Observation::Accepted,
        |one| drop(outage(one).looks.drain(40..50)),
        |one| outage(one).looks[40].at_secs += 60,
        |one| outage(one).looks[40].anchors = None,
        |one| outage(one).looks[40].anchors.iter_mut().for_each(|round| round.reachable = 1),
        |one| outage(one).looks[40].anchors.iter_mut().for_each(|round| round.asked_ms -= 400),
        |one| outage(one).looks_needed = 3,
        |one| outage(one).looks_needed = 101,
        |one| outage(one).cause = Cause::WrongHostKey,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let why = refused(Kind::Offline, change);
        assert!(matches!(why, EvidenceError::NotShown { .. }), "change {index}: {why}");
    }
}

#[test]
fn nothing_is_claimed_outside_rental_and_known_blocks() {
    refused(Kind::Offline, |one| one.block.timestamp_secs = START + 900);
    refused(Kind::Offline, |one| outage(one).rental.end_secs = START + 900);
    refused(Kind::Offline, |one| outage(one).rental.start_secs = START + 100);
}

#[test]
fn not_delivered_means_never_and_from_the_start() {
    refused(Kind::NotDelivered, |one| outage(one).delivered_secs = Some(START + 5));
    refused(Kind::NotDelivered, |one| outage(one).from_secs += 10);
    refused(Kind::NotDelivered, |one| drop(outage(one).looks.drain(0..20)));
}

#[test]
fn nobody_judges_by_softer_rules() {
    let why = refused(Kind::Offline, |one| one.rules.proof_min_secs = 1);
    assert!(matches!(why, EvidenceError::Rules(_)), "{why}");
    let why = refused(Kind::Offline, |one| one.rules.local = true);
    assert!(matches!(why, EvidenceError::Rules(_)), "{why}");
    refused(Kind::Offline, |one| one.version = 2);
}

#[test]
fn a_look_that_measured_nothing_may_lie_between() {
    let mut evidence = bundle(Kind::Offline, &every(10, 1_000));
    let unlooked = Observation::NotLooked { why: "no sockets".to_owned() };
    outage(&mut evidence).looks[40] = look(410, unlooked);
    assert_eq!(evidence.supports(&claim(&evidence)), Ok(()));
}

fn certificate() -> Evidence {
    let fields = Measured {
        gpu_class: 1,
        gpu_count: 8,
        measured_at_secs: START + 50,
        ..Measured::of(&crate::fixtures::node(1))
    };
    let transcript = serde_json::json!({"z": 1, "a": ["x"]});
    let subject = Subject::Capacity(Box::new(Measured { transcript, tenant_left_secs: START, ..fields }));
    Evidence { subject, ..bundle(Kind::Offline, &[0]) }
}

fn measured(evidence: &mut Evidence) -> &mut Measured {
    match &mut evidence.subject {
        Subject::Capacity(measured) => measured,
        _ => panic!("not a measurement"),
    }
}

#[test]
fn a_certificate_needs_a_transcript_after_the_last_tenant_in_known_time() {
    let good = certificate();
    assert_eq!(good.supports(&claim(&good)), Ok(()));
    let changes: [fn(&mut Measured); 4] = [
        |one| one.transcript = serde_json::Value::Null,
        |one| one.tenant_left_secs = START + 50,
        |one| one.measured_at_secs = START + 10_001,
        |one| one.gpu_count = 0,
    ];
    for change in changes {
        let mut evidence = certificate();
        change(measured(&mut evidence));
        assert!(evidence.supports(&claim(&evidence)).is_err());
    }
}

#[test]
fn an_attestation_is_not_carried_by_a_measurement() {
    let (capacity, outage) = (certificate(), bundle(Kind::Offline, &every(10, 1_000)));
    assert!(capacity.supports(&claim(&outage)).is_err());
    assert!(outage.supports(&claim(&capacity)).is_err());
}

#[test]
fn the_digest_survives_storage_and_shows_every_change() {
    let evidence = bundle(Kind::Offline, &every(10, 1_000));
    let bytes = evidence.canonical().unwrap_or_default();
    let read: Evidence = serde_json::from_slice(&bytes).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(read, evidence);
    assert_eq!(read.digest(), evidence.digest());
    assert_eq!(crate::ids::keccak(&bytes), evidence.digest().unwrap_or_default());
    let other = Evidence { keeper: account(2), ..evidence.clone() };
    assert_ne!(other.digest(), evidence.digest());
}

#[test]
fn numbers_that_canonical_json_would_change_are_refused() {
    let mut evidence = certificate();
    measured(&mut evidence).transcript = serde_json::json!({"n": 9_007_199_254_740_992u64});
    assert!(matches!(evidence.digest(), Err(EvidenceError::UnsafeNumber { .. })));
    measured(&mut evidence).transcript = serde_json::json!({"n": 9_007_199_254_740_991u64});
    assert!(evidence.digest().is_ok());
    let mut deep = serde_json::json!(1);
    for _ in 0..100 {
        deep = serde_json::json!([deep]);
    }
    measured(&mut evidence).transcript = deep;
    assert_eq!(evidence.digest(), Err(EvidenceError::TooDeep));
}

fn spoof_bundle() -> Evidence {
    let proof = |n: u64| BadProof { at_secs: START + n, why: "row 7".to_owned(), transcript: serde_json::json!(n) };
    let spoofing = Spoofing {
        machine: crate::fixtures::machine(2),
        registration: 1,
        gpu_class: 1,
        gpu_count: 8,
        proved_at_secs: START + 60,
        recomputed: None,
        proofs: [proof(30), proof(60)],
    };
    Evidence { subject: Subject::Spoof(Box::new(spoofing)), ..bundle(Kind::Offline, &[10, 20]) }
}

#[test]
fn a_spoof_rests_on_two_different_proofs_in_time() {
    let good = spoof_bundle();
    assert_eq!(good.supports(&claim(&good)), Ok(()));
    type Change = fn(&mut Spoofing);
    let changes: [(&str, Change); 7] = [
        ("one proof twice", |s| s.proofs[0].transcript = s.proofs[1].transcript.clone()),
        ("no proof", |s| s.proofs[1].transcript = serde_json::Value::Null),
        ("another time", |s| s.proofs[1].at_secs += 1),
        ("the wrong order", |s| s.proofs[0].at_secs = s.proofs[1].at_secs + 1),
        ("more than a proof's life apart", |s| s.proofs[0].at_secs -= 86_400),
        ("no cards", |s| s.gpu_count = 0),
        ("endless", |s| s.proofs[0].transcript = "x".repeat(crate::limits::BAD_PROOF_BYTES_MAX).into()),
    ];
    for (what, change) in changes {
        let mut evidence = spoof_bundle();
        if let Subject::Spoof(spoofing) = &mut evidence.subject {
            change(spoofing);
        }
        assert!(matches!(evidence.supports(&claim(&evidence)), Err(EvidenceError::NotShown { .. })), "{what}");
    }
    let mut early = spoof_bundle();
    early.block.timestamp_secs = START + 59;
    assert!(early.supports(&claim(&early)).is_err(), "after the newest block");
}

#[test]
fn a_spoof_says_what_its_bundle_says() {
    let evidence = spoof_bundle();
    let Statement::Spoof(good) = claim(&evidence) else { panic!("not a spoof") };
    let others = [
        Spoof { machine: crate::fixtures::machine(3), ..good },
        Spoof { registration: 2, ..good },
        Spoof { gpu_class: 2, ..good },
        Spoof { gpu_count: 9, ..good },
        Spoof { proved_at_secs: good.proved_at_secs + 1, ..good },
    ];
    for other in others {
        assert!(matches!(evidence.supports(&other.into()), Err(EvidenceError::Differs { .. })), "{other:?}");
    }
}
