#![allow(clippy::unwrap_used)]

use super::*;
use crate::keys::Key;
use surety_core::complaints::{Complaint as Claim, ComplaintCode};

fn domains() -> Domains {
    Domains { chain_id: 964, escrow: Account([0xe5; 20]), arbiter: Account([0xa7; 20]) }
}

fn claim() -> Claim {
    let text = "no card répond".to_owned();
    Claim { rental: 7, code: ComplaintCode::CardsMissing, text, issued_at_secs: 1_800_000_000 }
}

fn word(number: u64) -> Vec<u8> {
    [vec![0; 24], number.to_be_bytes().to_vec()].concat()
}

/// EIP-712 by hand, so that a wallet that follows the standard signs the same bytes.
#[test]
fn a_complaints_digest_is_that_of_eip_712() {
    let hash = |bytes: &[u8]| keccak256(bytes).to_vec();
    let domain_type = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
    let contract = [vec![0; 12], vec![0xe5; 20]].concat();
    let domain = hash(&[hash(domain_type), hash(b"Surety"), hash(b"1"), word(964), contract].concat());
    let kind = hash(b"Complaint(uint64 rental,uint8 code,string text,uint32 issuedAt)");
    let data = hash(&[kind, word(7), word(3), hash("no card répond".as_bytes()), word(1_800_000_000)].concat());
    let want = hash(&[b"\x19\x01".to_vec(), domain, data].concat());
    assert_eq!(domains().complaint(&claim()).unwrap().0.to_vec(), want);
}

#[test]
fn a_complaint_is_bound_to_its_chain_its_escrow_and_every_word_of_it() {
    let key = Key::from_bytes([7; 32]).unwrap();
    let signature = key.sign(domains().complaint(&claim()).unwrap()).unwrap();
    assert_eq!(domains().complainant(&claim(), signature), Ok(key.account()));
    let elsewhere = [Domains { chain_id: 945, ..domains() }, Domains { escrow: Account([1; 20]), ..domains() }];
    for other in elsewhere {
        assert_ne!(other.complainant(&claim(), signature), Ok(key.account()));
    }
    let changed = [
        Claim { rental: 8, ..claim() },
        Claim { code: ComplaintCode::Other, ..claim() },
        Claim { text: String::new(), ..claim() },
        Claim { issued_at_secs: 1_800_000_001, ..claim() },
    ];
    for other in changed {
        assert_ne!(domains().complainant(&other, signature), Ok(key.account()));
    }
    assert!(domains().complaint(&Claim { issued_at_secs: u64::MAX, ..claim() }).is_err());
}
