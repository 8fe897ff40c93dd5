#![allow(clippy::unwrap_used)]

use super::*;
use clap::Parser;
use std::os::unix::fs::PermissionsExt;
use surety_client::deployment::Contract;
use surety_core::types::{Account, Hash32, MachineId, SshKey};
use surety_core::view::ContractTimes;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    arguments: ComplainArguments,
}

fn arguments(more: &[&str]) -> ComplainArguments {
    let line = ["complain", "--rental", "7", "--deployment", "d.json", "--rpc", "http://127.0.0.1:1"];
    Line::try_parse_from(line.iter().chain(more)).unwrap().arguments
}

fn deployment() -> Deployment {
    let contract = |n: u8| Contract { address: Account([n; 20]), code_hash: Hash32([n; 32]) };
    Deployment {
        chain_id: 31_337,
        netuid: 51,
        block: 1,
        keepers: contract(1),
        vault: contract(2),
        escrow: contract(3),
        arbiter: contract(4),
        bids: contract(5),
        times: ContractTimes::default(),
    }
}

fn renter() -> Key {
    Key::from_bytes([7; 32]).unwrap()
}

fn rental() -> RentalView {
    RentalView {
        id: 7,
        machine: MachineId([1; 32]),
        renter: renter().account(),
        renter_key: SshKey([5; 32]),
        gpu_class: 1,
        gpu_count: 8,
        price_rao_per_sec: 1_000,
        start_secs: 1_000,
        end_secs: 2_000,
        paid_until_secs: 1_000,
        claimed_secs: 0,
        closed: false,
        faults: Vec::new(),
    }
}

#[test]
fn every_code_there_is_can_be_named_and_no_other() {
    let names = ["cannot-connect", "key-refused", "cards-missing", "too-slow", "other"];
    let codes: Vec<u8> = names.iter().map(|name| code(name).unwrap() as u8).collect();
    assert_eq!(codes, [1, 2, 3, 4, 5]);
    assert!(code("sabotage").unwrap_err().contains("cards-missing"));
}

#[test]
fn what_is_signed_is_what_a_keeper_of_this_deployment_reads_as_the_renters() {
    let body = sign(&arguments(&["--code", "too-slow", "--text", "half"]), &deployment(), &renter()).unwrap();
    let (escrow, arbiter) = (Account([3; 20]), Account([4; 20]));
    let domains = Domains { chain_id: 31_337, escrow, arbiter };
    assert_eq!(domains.complainant(&body.complaint, body.signature), Ok(renter().account()));
    assert_eq!((body.complaint.rental, body.complaint.code), (7, ComplaintCode::TooSlow));
    let long = "x".repeat(281);
    let refused = sign(&arguments(&["--code", "other", "--text", &long]), &deployment(), &renter()).unwrap_err();
    assert!(refused.to_string().contains("280 bytes"), "{refused}");
}

#[test]
fn only_the_renter_of_a_running_rental_gets_as_far_as_signing() {
    may_complain(&rental(), &renter(), 1_500).unwrap();
    let other = Key::from_bytes([8; 32]).unwrap();
    let refused = may_complain(&rental(), &other, 1_500).unwrap_err().to_string();
    assert!(refused.contains(&renter().account().to_string()) && refused.contains(&other.account().to_string()));
    assert!(may_complain(&rental(), &renter(), 2_000).unwrap_err().to_string().contains("is over"));
}

#[test]
fn a_key_is_read_from_a_file_that_nobody_else_can_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("renter.key");
    std::fs::write(&path, hex::encode([7; 32])).unwrap();
    let with = |mode: u32| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        key(&arguments(&["--code", "other", "--key-file", path.to_str().unwrap()]))
    };
    assert_eq!(with(0o600).unwrap().account(), renter().account());
    assert!(with(0o644).unwrap_err().to_string().contains("chmod 600"));
}
