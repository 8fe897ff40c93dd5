//! Digests, ids and compact signatures that Solidity and Rust must make alike: `tests/vectors/digests.json`, checked in
//! Solidity by `contracts/test/vectors/Vectors.t.sol`. `UPDATE_VECTORS=1 cargo test -p surety-client` writes them anew.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::path::PathBuf;
use surety_client::digest::{self, Domains, Roll, compact};
use surety_client::keys::Key;
use surety_client::subtensor::account_id;
use surety_core::alpha::{AlphaBacking, AlphaShortfall, AlphaStatement, AlphaVerdict, BondStatement};
use surety_core::statement::{Attestation, Certificate, Signed, Spoof, Statement};
use surety_core::types::{Account, Cause, Hash32, Kind, MachineId};

fn path() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/digests.json"))
}

fn domains(chain_id: u64) -> Domains {
    Domains { chain_id, escrow: Account([0xe5; 20]), arbiter: Account([0xa7; 20]) }
}

fn certificates() -> Vec<Certificate> {
    let certificate = |n: u8, registration, gpu_class, gpu_count, measured_at_secs| Certificate {
        machine: MachineId([n; 32]),
        registration,
        gpu_class,
        gpu_count,
        measured_at_secs,
        evidence: Hash32([n.wrapping_add(1); 32]),
    };
    vec![
        certificate(1, 1, 3, 8, 1_800_000_000),
        certificate(0xff, u32::MAX, u16::MAX, u16::MAX, u64::from(u32::MAX)),
        certificate(0, 0, 0, 0, 0),
    ]
}

fn attestations() -> Vec<Attestation> {
    let attestation = |kind, rental, cause, from_secs, until_secs| Attestation {
        kind,
        rental,
        cause,
        from_secs,
        until_secs,
        evidence: Hash32([0x5a; 32]),
    };
    vec![
        attestation(Kind::NotDelivered, 1, Cause::RenterRefused, 1_800_000_000, 1_800_000_600),
        attestation(Kind::Interrupted, 7, Cause::Unreachable, 1_800_000_001, 1_800_000_100),
        attestation(Kind::Offline, u64::MAX, Cause::WrongHostKey, 0, u64::from(u32::MAX)),
        attestation(Kind::Offline, 42, Cause::GpusMissing, 5, 6),
    ]
}

fn spoofs() -> Vec<Spoof> {
    let same = |c: &Certificate| Spoof {
        machine: c.machine,
        registration: c.registration,
        gpu_class: c.gpu_class,
        gpu_count: c.gpu_count,
        proved_at_secs: c.measured_at_secs,
        evidence: c.evidence,
    };
    certificates().iter().map(same).collect()
}

fn signed(domains: &Domains, statement: Statement) -> Value {
    let key = Key::from_bytes([0x11; 32]).unwrap();
    let digest = domains.statement(&statement).unwrap();
    let signature = key.sign(digest).unwrap();
    domains.check(&Signed { statement, signer: key.account(), signature }).unwrap();
    let (r, vs) = compact(signature);
    json!({ "digest": digest, "signer": key.account(), "r": r, "vs": vs })
}

fn certificate(chain_id: u64, c: &Certificate) -> Value {
    let mut value = signed(&domains(chain_id), (*c).into());
    value["chainId"] = json!(chain_id);
    value["machine"] = json!(c.machine);
    value["registration"] = json!(c.registration);
    value["gpuClass"] = json!(c.gpu_class);
    value["gpuCount"] = json!(c.gpu_count);
    value["measuredAt"] = json!(c.measured_at_secs);
    value["evidence"] = json!(c.evidence);
    value
}

fn attestation(chain_id: u64, a: &Attestation) -> Value {
    let mut value = signed(&domains(chain_id), (*a).into());
    value["chainId"] = json!(chain_id);
    value["kind"] = json!(a.kind as u8);
    value["rental"] = json!(format!("{}", a.rental));
    value["cause"] = json!(a.cause as u8);
    value["from"] = json!(a.from_secs);
    value["until"] = json!(a.until_secs);
    value["evidence"] = json!(a.evidence);
    value
}

fn spoof(chain_id: u64, s: &Spoof) -> Value {
    let mut value = signed(&domains(chain_id), (*s).into());
    value["chainId"] = json!(chain_id);
    value["machine"] = json!(s.machine);
    value["registration"] = json!(s.registration);
    value["gpuClass"] = json!(s.gpu_class);
    value["gpuCount"] = json!(s.gpu_count);
    value["provedAt"] = json!(s.proved_at_secs);
    value["evidence"] = json!(s.evidence);
    value
}

fn bond_statements() -> Vec<BondStatement> {
    let statement = |n: u8, over, full: u64, secs: u32| BondStatement {
        vault: Hash32([n; 32]),
        owner: Hash32([n ^ 0xf0; 32]),
        machine: MachineId([n ^ 0x0f; 32]),
        registration: secs,
        rental: full,
        over,
        alpha: full,
        value_rao: full >> 1,
        stated_at_secs: secs.into(),
        until_secs: secs.into(),
    };
    vec![statement(1, true, 7, 1_800_000_000), statement(0xff, false, u64::MAX, u32::MAX), statement(0, false, 0, 0)]
}

fn alpha_statements() -> Vec<AlphaStatement> {
    let (vault, owner, machine) = (Hash32([0x0a; 32]), Hash32([0x0b; 32]), MachineId([0x0c; 32]));
    let backing = |kind, full: u64, secs: u32| AlphaBacking {
        vault,
        owner,
        machine,
        registration: secs,
        case: full,
        kind,
        rental: full >> 1,
        tao_reserve_rao: full >> 2,
        alpha: full >> 3,
        alpha_value_rao: full >> 4,
        earned_rao: full >> 5,
        stated_at_secs: secs.into(),
    };
    let shortfall = |full: u64, secs: u32| AlphaShortfall {
        vault,
        owner,
        machine,
        registration: secs,
        case: full,
        alpha: full >> 1,
        alpha_value_rao: full >> 2,
        shortfall_rao: full >> 3,
        stated_at_secs: secs.into(),
    };
    let verdict = |dismissed, full: u64, secs: u32| AlphaVerdict {
        vault,
        case: full,
        dismissed,
        earned_rao: full >> 1,
        stated_at_secs: secs.into(),
    };
    vec![
        backing(Kind::NotDelivered, 640_000_001, 1_800_000_000).into(),
        backing(Kind::Offline, u64::MAX, u32::MAX).into(),
        shortfall(640_000_001, 1_800_000_000).into(),
        shortfall(u64::MAX, u32::MAX).into(),
        verdict(true, 640_000_001, 1_800_000_000).into(),
        verdict(false, u64::MAX, u32::MAX).into(),
    ]
}

fn rolls() -> Vec<Roll> {
    let roll = |number, count: u8, until_secs| Roll {
        vault: Hash32([0x0a; 32]),
        number,
        keepers: (1..=count).map(|n| Account([n; 20])).collect(),
        weights: (1..=u64::from(count)).map(|n| n * 1_000_000_007).collect(),
        until_secs,
    };
    vec![roll(1, 3, 1_800_000_000), roll(u64::MAX, 64, u32::MAX.into()), roll(0, 0, 0)]
}

/// A digest with the signature of the vectors' key over it.
fn endorsed(chain_id: u64, digest: Hash32) -> Value {
    let key = Key::from_bytes([0x11; 32]).unwrap();
    let (r, vs) = compact(key.sign(digest).unwrap());
    json!({ "chainId": chain_id, "digest": digest, "signer": key.account(), "r": r, "vs": vs })
}

/// The CollateralVault reads it; 64-bit numbers are text, as in the other vectors.
fn bond_statement(chain_id: u64, s: &BondStatement) -> Value {
    let mut value = endorsed(chain_id, domains(chain_id).bond_statement(Account([0xba; 20]), s).unwrap());
    value["vault"] = json!(s.vault);
    value["owner"] = json!(s.owner);
    value["machine"] = json!(s.machine);
    value["registration"] = json!(s.registration);
    value["rental"] = json!(s.rental.to_string());
    value["over"] = json!(s.over);
    value["alpha"] = json!(s.alpha.to_string());
    value["value"] = json!(s.value_rao.to_string());
    value["statedAt"] = json!(s.stated_at_secs);
    value["until"] = json!(s.until_secs);
    value
}

/// AlphaVault reads them; 64-bit numbers are text.
fn alpha_statement(chain_id: u64, s: &AlphaStatement) -> Value {
    let mut value = endorsed(chain_id, domains(chain_id).alpha(Account([0xba; 20]), s).unwrap());
    let Value::Object(fields) = serde_json::to_value(s).unwrap() else { unreachable!() };
    for (name, field) in fields {
        value[name] = if field.is_u64() { json!(field.to_string()) } else { field };
    }
    value
}

fn roll(chain_id: u64, roll: &Roll) -> Value {
    let mut value = endorsed(chain_id, domains(chain_id).keeper_roll(roll).unwrap());
    value["vault"] = json!(roll.vault);
    value["number"] = json!(roll.number.to_string());
    value["keepers"] = json!(roll.keepers);
    value["weights"] = json!(roll.weights.iter().map(u64::to_string).collect::<Vec<_>>());
    value["until"] = json!(roll.until_secs);
    value
}

fn registration(chain_id: u64, n: u8) -> Value {
    let (machine, hotkey, miner) = (MachineId([n; 32]), Hash32([n ^ 0xaa; 32]), Account([n ^ 0x55; 20]));
    let vault = Account([0xba; 20]);
    let digest = digest::registration(chain_id, vault, machine, hotkey, miner, 0);
    json!({ "chainId": chain_id, "machine": machine, "hotkey": hotkey, "miner": miner, "digest": digest,
            "minerAccountId": account_id(miner) })
}

fn vectors() -> Value {
    let chains = [964u64, 31_337];
    let per_chain = |f: &dyn Fn(u64) -> Vec<Value>| chains.iter().flat_map(|c| f(*c)).collect::<Vec<_>>();
    json!({
        "escrow": domains(0).escrow,
        "arbiter": domains(0).arbiter,
        "vault": Account([0xba; 20]),
        "certificates": per_chain(&|c| certificates().iter().map(|x| certificate(c, x)).collect()),
        "attestations": per_chain(&|c| attestations().iter().map(|x| attestation(c, x)).collect()),
        "spoofs": per_chain(&|c| spoofs().iter().map(|x| spoof(c, x)).collect()),
        "bondStatements": per_chain(&|c| bond_statements().iter().map(|x| bond_statement(c, x)).collect()),
        "alphaStatements": per_chain(&|c| alpha_statements().iter().map(|x| alpha_statement(c, x)).collect()),
        "rolls": per_chain(&|c| rolls().iter().map(|x| roll(c, x)).collect()),
        "registrations": per_chain(&|c| [1u8, 0x7f].iter().map(|n| registration(c, *n)).collect()),
    })
}

#[test]
fn digests_are_the_committed_ones() {
    let text = serde_json::to_string_pretty(&vectors()).unwrap() + "\n";
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(path(), &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path()).unwrap(), text, "tests/vectors/digests.json differs");
}

#[test]
fn a_spoof_is_not_a_certificate_with_the_same_fields() {
    for (spoof, certificate) in spoofs().iter().zip(&certificates()) {
        let same = Domains { arbiter: domains(964).escrow, ..domains(964) };
        assert_ne!(same.spoof(spoof).unwrap(), same.certificate(certificate).unwrap());
    }
}

#[test]
fn filing_a_spoof_is_encoded_as_the_arbiter_reads_it() {
    use alloy::sol_types::SolCall;
    use surety_client::bindings::Arbiter;
    let key = Key::from_bytes([0x11; 32]).unwrap();
    let statement = spoofs()[0];
    let signature = key.sign(domains(964).spoof(&statement).unwrap()).unwrap();
    let spoofs = vec![Signed { statement, signer: key.account(), signature }];
    let Spoof { machine, registration, gpu_class, gpu_count, .. } = statement;
    let intent = surety_core::effect::Intent::FileSpoofed { machine, registration, gpu_class, gpu_count, spoofs };
    let contracts = surety_core::evidence::Contracts {
        escrow: domains(964).escrow,
        arbiter: domains(964).arbiter,
        vault: Account([0xba; 20]),
    };
    let call = surety_client::intent::encode(&intent, &contracts).unwrap();
    assert_eq!(call.to.into_array(), contracts.arbiter.0);
    let read = Arbiter::fileSpoofedCall::abi_decode(&call.data).unwrap();
    assert_eq!((read.machine.0, read.registration), (machine.0, registration));
    assert_eq!((read.gpuClass, read.gpuCount), (gpu_class, gpu_count));
    assert_eq!(u64::from(read.spoofs[0].provedAt), statement.proved_at_secs);
    assert_eq!(read.spoofs[0].evidence.0, statement.evidence.0);
    assert_eq!((read.spoofs[0].r, read.spoofs[0].vs), compact(signature));
}

#[test]
fn a_high_s_signature_is_refused_although_it_recovers_the_same_signer() {
    let key = Key::from_bytes([0x11; 32]).unwrap();
    let statement: Statement = certificates()[0].into();
    let digest = domains(964).statement(&statement).unwrap();
    let low = key.sign(digest).unwrap();
    let parsed = alloy::primitives::Signature::from_raw_array(&low.0).unwrap();
    let order =
        alloy::primitives::U256::from_str_radix("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16);
    let high = alloy::primitives::Signature::new(parsed.r(), order.unwrap() - parsed.s(), !parsed.v());
    assert_eq!(high.recover_address_from_prehash(&digest.0.into()).unwrap().into_array(), key.account().0);
    let signature = surety_core::types::Signature(high.as_bytes());
    assert!(domains(964).check(&Signed { statement, signer: key.account(), signature }).is_err());
}

#[test]
fn a_signature_for_another_chain_or_contract_is_refused() {
    let key = Key::from_bytes([0x11; 32]).unwrap();
    let statement: Statement = attestations()[0].into();
    let signature = key.sign(domains(964).statement(&statement).unwrap()).unwrap();
    let signed = Signed { statement, signer: key.account(), signature };
    assert!(domains(964).check(&signed).is_ok());
    assert!(domains(945).check(&signed).is_err());
    assert!(Domains { arbiter: Account([0xa8; 20]), ..domains(964) }.check(&signed).is_err());
}
