//! Bundles as a keeper makes them: real evidence, real measurement, real keys.

use super::*;
use ed25519_dalek::SigningKey;
use std::sync::{Arc, OnceLock};
use surety_client::keys::Key;
use surety_core::evidence::{BadProof, Contracts, EVIDENCE_VERSION, RentalFacts, Spoofing};
use surety_core::health::AnchorRound;
use surety_core::input::Observation;
use surety_core::rules::Rules;
use surety_core::statement::{Attestation, Certificate, Signed, Spoof};
use surety_core::streak::Look;
use surety_core::types::{Cause, Kind, MachineId, SshKey};
use surety_core::view::{BlockRef, ContractTimes};
use surety_verifier::classes::ClassId;
use surety_verifier::device::{CpuDevice, Device};
use surety_verifier::freivalds::EpochSecrets;
use surety_verifier::params::Params;
use surety_verifier::session::{Caps, Challenge, Claims, KeeperSession, Limits, Next, ProverSession};
use surety_verifier::transcript::Transcript;

/// 2027-01-15 08:00:00 UTC: the rental starts.
pub(super) const START_SECS: u64 = 1_800_000_000;
const FROM_SECS: u64 = START_SECS + 100;
pub(super) const UNTIL_SECS: u64 = FROM_SECS + 150;
const CHAIN_ID: u64 = 31_337;

pub(super) fn keeper() -> Key {
    Key::from_bytes([0x11; 32]).unwrap()
}

pub(super) fn times() -> ContractTimes {
    ContractTimes { min_interrupted_secs: 60, min_offline_secs: 900, delivery_grace_secs: 600, ..Default::default() }
}

pub(super) fn machine_key() -> SigningKey {
    SigningKey::from_bytes(&[0x22; 32])
}

pub(super) fn machine() -> MachineId {
    MachineId(machine_key().verifying_key().to_bytes())
}

fn contracts() -> Contracts {
    Contracts { escrow: Account([0xe5; 20]), arbiter: Account([0xa7; 20]), vault: Account([0xba; 20]) }
}

fn about(subject: Subject) -> Evidence {
    let block = BlockRef { number: 900, hash: Hash32([7; 32]), timestamp_secs: UNTIL_SECS + 12 };
    let (rules, keeper) = (Rules::default(), keeper().account());
    Evidence {
        version: EVIDENCE_VERSION,
        chain_id: CHAIN_ID,
        contracts: contracts(),
        keeper,
        block,
        rules,
        times: times(),
        subject,
    }
}

/// A failing look `after_secs` after the first, with a healthy anchor round after it.
fn look(after_secs: u64) -> Look {
    let started_ms = 50_000 + after_secs * 1_000;
    let ended_ms = started_ms + 400;
    let round = AnchorRound { run: 1, asked_ms: ended_ms + 10, ended_ms: ended_ms + 90, reachable: 3, asked: 3 };
    let (id, at_secs) = (surety_core::ids::keccak(&after_secs.to_be_bytes()), FROM_SECS + after_secs);
    let seen = Observation::NoConnection { why: "connection refused".into() };
    Look { id, run: 1, started_ms, ended_ms, at_secs, block: 880 + after_secs / 12, seen, anchors: Some(round) }
}

pub(super) fn rental() -> RentalFacts {
    RentalFacts {
        id: 7,
        machine: machine(),
        renter: Account([0x44; 20]),
        renter_key: SshKey([0x55; 32]),
        gpu_class: 65_535,
        gpu_count: 1,
        start_secs: START_SECS,
        end_secs: START_SECS + 86_400,
    }
}

fn outage() -> Evidence {
    about(Subject::Outage(Box::new(Outage {
        kind: Kind::Interrupted,
        cause: Cause::Unreachable,
        from_secs: FROM_SECS,
        until_secs: UNTIL_SECS,
        rental: rental(),
        endpoint: Some("8.8.8.8:2222".parse().map(endpoint).unwrap()),
        delivered_secs: Some(START_SECS + 30),
        looks_needed: 4,
        thinned: 0,
        looks: (0..=15).map(|number| look(number * 10)).collect(),
    })))
}

fn endpoint(address: std::net::SocketAddr) -> surety_core::types::Endpoint {
    surety_core::types::Endpoint { ip: address.ip(), port: address.port() }
}

pub(super) fn claim(evidence: Hash32) -> Attestation {
    let (kind, cause) = (Kind::Interrupted, Cause::Unreachable);
    Attestation { kind, rental: 7, cause, from_secs: FROM_SECS, until_secs: UNTIL_SECS, evidence }
}

/// Signs a statement as `key`, for the contracts that the evidence names.
pub(super) fn sign(evidence: &Value, statement: Statement, key: &Key) -> Bundle {
    let at = |name: &str| evidence["contracts"][name].as_str().unwrap().parse().unwrap();
    let chain_id = evidence["chain_id"].as_u64().unwrap();
    let domains = Domains { chain_id, escrow: at("escrow"), arbiter: at("arbiter") };
    let signature = key.sign(domains.statement(&statement).unwrap()).unwrap();
    Bundle { evidence: evidence.clone(), signed: Signed { statement, signer: key.account(), signature } }
}

/// A dishonest keeper changes its evidence and statement, and hashes and signs anew.
pub(super) fn redone(bundle: &Bundle, key: &Key, change: impl FnOnce(&mut Evidence, &mut Statement)) -> Bundle {
    let mut evidence: Evidence = serde_json::from_value(bundle.evidence.clone()).unwrap();
    let mut statement = bundle.signed.statement;
    change(&mut evidence, &mut statement);
    let digest = evidence.digest().unwrap();
    match &mut statement {
        Statement::Attestation(attestation) => attestation.evidence = digest,
        Statement::Certificate(certificate) => certificate.evidence = digest,
        Statement::Spoof(spoof) => spoof.evidence = digest,
    }
    sign(&serde_json::to_value(&evidence).unwrap(), statement, key)
}

/// A good bundle of an interruption of 150 s with 16 failing looks.
pub(super) fn attested() -> Bundle {
    let evidence = outage();
    let statement = Statement::Attestation(claim(evidence.digest().unwrap()));
    sign(&serde_json::to_value(&evidence).unwrap(), statement, &keeper())
}

/// A bundle over two false proofs.
pub(super) fn spoof_over(proofs: [BadProof; 2]) -> Bundle {
    let (machine, registration, gpu_class, gpu_count) = (machine(), 3, 65_535, 1);
    let proved_at_secs = proofs[1].at_secs;
    let spoofing = Spoofing { machine, registration, gpu_class, gpu_count, proved_at_secs, recomputed: None, proofs };
    let evidence = Evidence {
        times: ContractTimes { spoof_life_secs: 86_400, ..times() },
        ..about(Subject::Spoof(Box::new(spoofing)))
    };
    let digest = evidence.digest().unwrap();
    let spoof = Spoof { machine, registration, gpu_class, gpu_count, proved_at_secs, evidence: digest };
    sign(&serde_json::to_value(&evidence).unwrap(), spoof.into(), &keeper())
}

/// A challenge of this keeper to this machine, small enough for tests.
pub(in crate::cli) fn challenge(epoch: surety_verifier::freivalds::Epoch, params: Params) -> Challenge {
    Challenge {
        chain_id: CHAIN_ID,
        keeper: keeper().account().0,
        machine: machine().0,
        registration: 3,
        class: ClassId::CPU_TEST,
        count: 1,
        params,
        epoch,
        session_random: [0x66; 32],
        limits: Limits::cpu_test(),
    }
}

/// Small sizes: 512 rows, 256 legs.
pub(in crate::cli) const PARAMS: Params =
    Params { inner: 64, cols: 64, rows: 64, rounds: 8, vectors: 4, openings: 32, walkers: 16, hops: 512, legs: 8 };

/// A real session between the two state machines, in which an answer takes 3 ms and the work 40.
pub(in crate::cli) fn measured(device: Box<dyn Device>) -> Transcript {
    measured_in([0x66; 32], device)
}

/// The same, in the session with these random bytes.
pub(in crate::cli) fn measured_in(session_random: [u8; 32], device: Box<dyn Device>) -> Transcript {
    let params = PARAMS;
    let secrets = Arc::new(EpochSecrets::new([1; 32], &[2; 32], &[3; 32], &params));
    let challenge = Challenge { session_random, ..challenge(*secrets.epoch(), params) };
    let caps = Caps::cpu();
    let claims =
        Claims { chain_id: CHAIN_ID, registration: 3, class: ClassId::CPU_TEST, keeper: Some(challenge.keeper), caps };
    let mut prover = ProverSession::new(vec![device], machine_key(), claims).unwrap();
    let mut now_ms = 500;
    let (mut session, mut sent) = KeeperSession::new(challenge, secrets, now_ms).unwrap();
    loop {
        let mut answers = Vec::new();
        for frame in std::mem::take(&mut sent) {
            now_ms += if matches!(frame, surety_verifier::frame::Frame::Start(_)) { 40 } else { 3 };
            answers.extend(prover.on_frame(frame).unwrap());
        }
        assert!(!answers.is_empty(), "the prover fell silent");
        for answer in answers {
            match session.on_frame(answer, now_ms).unwrap() {
                Next::Send(frames) => sent.extend(frames),
                Next::Wait | Next::Ready => {}
                Next::Done(outcome) => return outcome.transcript,
            }
        }
    }
}

/// A certificate over this transcript.
pub(in crate::cli) fn certificate_over(transcript: &Transcript) -> Bundle {
    let measured = Measured {
        machine: machine(),
        registration: 3,
        miner: Account([0x77; 20]),
        endpoint: None,
        gpu_class: 65_535,
        gpu_count: 1,
        measured_at_secs: START_SECS - 600,
        tenant_left_secs: 0,
        transcript: serde_json::to_value(transcript).unwrap(),
    };
    let evidence = about(Subject::Capacity(Box::new(measured)));
    let statement = Statement::Certificate(Certificate {
        machine: machine(),
        registration: 3,
        gpu_class: 65_535,
        gpu_count: 1,
        measured_at_secs: START_SECS - 600,
        evidence: evidence.digest().unwrap(),
    });
    sign(&serde_json::to_value(&evidence).unwrap(), statement, &keeper())
}

pub(super) fn honest() -> Transcript {
    static HONEST: OnceLock<Transcript> = OnceLock::new();
    HONEST.get_or_init(|| measured(Box::new(CpuDevice::new()))).clone()
}

/// A good bundle of a measurement.
pub(super) fn certified() -> Bundle {
    certificate_over(&honest())
}

pub(super) fn failure(result: Result<Report, VerifyError>) -> (Check, String) {
    match result {
        Err(VerifyError::Failed { check, why, .. }) => (check, why),
        other => panic!("a check should have failed: {other:?}"),
    }
}

pub(super) fn check_of(bundle: &Bundle) -> Check {
    failure(verify_bundle(bundle, None)).0
}
