#![allow(clippy::unwrap_used)]
use super::*;
use surety_client::keys::Key;
use surety_core::types::{Hash32, MachineId, SshKey};

const NOW: u64 = 1_000_000;

fn key(n: u8) -> Key {
    Key::from_bytes([n; 32]).unwrap()
}

fn electorate(weights: &[u64]) -> BTreeMap<Account, KeeperView> {
    let keeper = |(n, weight): (usize, &u64)| {
        let account = key(u8::try_from(n + 1).unwrap()).account();
        let view = KeeperView { account, weight: *weight, active: true, ssh_key: SshKey([9; 32]), url: String::new() };
        (account, view)
    };
    weights.iter().enumerate().map(keeper).collect()
}

fn domains() -> Domains {
    Domains { chain_id: 31_337, escrow: Account([1; 20]), arbiter: Account([2; 20]) }
}

fn wanted() -> Wanted {
    Wanted {
        machine: MachineId([5; 32]),
        registration: 4,
        gpu_class: 3,
        gpu_count: 8,
        not_before_secs: NOW - 100,
        not_after_secs: NOW,
    }
}

fn certificate(signer: u8, change: impl Fn(&mut Certificate)) -> Signed<Certificate> {
    let mut statement = Certificate {
        machine: MachineId([5; 32]),
        registration: 4,
        gpu_class: 3,
        gpu_count: 8,
        measured_at_secs: NOW - 10,
        evidence: Hash32([6; 32]),
    };
    change(&mut statement);
    let digest = domains().certificate(&statement).unwrap();
    Signed { statement, signer: key(signer).account(), signature: key(signer).sign(digest).unwrap() }
}

#[test]
fn only_certificates_that_the_escrow_takes_count() {
    let keepers = electorate(&[40, 35, 25]);
    let count = |one: Signed<Certificate>| sound(&domains(), &keepers, &wanted(), vec![one]).len();
    assert_eq!(count(certificate(1, |_| {})), 1);
    assert_eq!(count(certificate(9, |_| {})), 0, "nobody's");
    assert_eq!(count(certificate(1, |c| c.machine = MachineId([4; 32]))), 0, "another machine's");
    assert_eq!(count(certificate(1, |c| c.registration = 3)), 0, "an older registration's");
    assert_eq!(count(certificate(1, |c| c.gpu_count = 7)), 0, "too few GPUs");
    assert_eq!(count(certificate(1, |c| c.gpu_class = 2)), 0, "another class");
    assert_eq!(count(certificate(1, |c| c.measured_at_secs = NOW - 101)), 0, "before the last tenant left");
    assert_eq!(count(certificate(1, |c| c.measured_at_secs = NOW + 1)), 0, "of the future");
    let mut forged = certificate(1, |_| {});
    forged.statement.gpu_count = 16;
    assert_eq!(count(forged), 0, "signed otherwise");
}

#[test]
fn the_fewest_that_make_a_quorum_are_taken_in_ascending_order() {
    let keepers = electorate(&[40, 35, 25]);
    let offered = (1..=3).map(|n| certificate(n, |_| {})).collect();
    let chosen = fewest(&keepers, sound(&domains(), &keepers, &wanted(), offered)).unwrap();
    assert_eq!(chosen.len(), 2);
    assert!(chosen[0].signer < chosen[1].signer);
    let alone = sound(&domains(), &keepers, &wanted(), vec![certificate(1, |_| {})]);
    assert!(fewest(&keepers, alone).is_none());
}

#[test]
fn a_keepers_newest_certificate_is_the_one_taken() {
    let keepers = electorate(&[40, 35, 25]);
    let older = certificate(1, |c| c.measured_at_secs = NOW - 50);
    let newer = certificate(1, |c| c.measured_at_secs = NOW - 5);
    let found = sound(&domains(), &keepers, &wanted(), vec![older, newer.clone()]);
    assert_eq!(found.into_values().collect::<Vec<_>>(), [newer]);
}
