//! Which ids logs speak of.

use crate::adapters::evm::touched::{IDS_MAX, Touched};
use alloy::primitives::{Address, B256};
use alloy::rpc::types::Log;
use alloy::sol_types::SolEvent;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use surety_client::bindings::AppointedKeepers as K;
use surety_client::bindings::Arbiter as A;
use surety_client::bindings::CollateralVault as V;
use surety_client::bindings::RentalBids as B;
use surety_client::bindings::RentalEscrow as E;
use surety_client::reader::Counts;
use surety_core::types::MachineId;

const COUNTS: Counts = Counts { registrations: 3, rentals: 3, cases: 3 };

/// A log as a node answers it.
fn log(event: &impl SolEvent) -> Value {
    let data = event.encode_log_data();
    json!({
        "address": Address::repeat_byte(3), "topics": data.topics(), "data": data.data,
        "blockNumber": "0xb", "blockHash": B256::repeat_byte(11), "transactionHash": B256::repeat_byte(1),
        "transactionIndex": "0x0", "logIndex": "0x0", "removed": false,
    })
}

pub(super) fn claimed(rental: u64) -> Value {
    log(&E::Claimed { rental, miner: Address::ZERO, gross: 1, fee: 0 })
}

pub(super) fn registered(machine: u8) -> Value {
    log(&V::EndpointSet { machine: B256::repeat_byte(machine), ip: Default::default(), port: 22 })
}

pub(super) fn nonsense() -> Value {
    let mut log = claimed(1);
    log["topics"] = json!([B256::repeat_byte(0xee)]);
    log
}

fn by(logs: &[Value]) -> Touched {
    let logs: Vec<Log> = logs.iter().map(|log| serde_json::from_value(log.clone()).unwrap()).collect();
    Touched::by_logs(&logs).with_new(COUNTS, COUNTS)
}

fn touched(machines: &[u8], registrations: &[u32], rentals: &[u64], cases: &[u64]) -> Touched {
    Touched {
        machines: machines.iter().map(|n| MachineId([*n; 32])).collect(),
        registrations: registrations.iter().copied().collect(),
        rentals: rentals.iter().copied().collect(),
        cases: cases.iter().copied().collect(),
        ..Touched::default()
    }
}

#[test]
fn every_event_that_moves_something_names_it() {
    let machine = B256::repeat_byte(2);
    let filed = A::Filed { caseId: 5, rental: 6, registration: 7, ..Default::default() };
    let about_no_rental = A::Filed { caseId: 5, rental: 0, registration: 7, ..Default::default() };
    let rented = E::Rented { rental: 8, machine, ..Default::default() };
    for (log, want) in [
        (registered(2), touched(&[2], &[], &[], &[])),
        (log(&V::Deposited { machine, amount: 1, free: 1 }), touched(&[2], &[], &[], &[])),
        (log(&V::Reserved { registration: 7, rental: 6, added: 1 }), touched(&[], &[7], &[6], &[])),
        (log(&V::Forfeited { registration: 7, amount: 1 }), touched(&[], &[7], &[], &[])),
        (log(&V::Retired { machine, registration: 7 }), touched(&[], &[7], &[], &[])),
        (log(&V::Rebound { machine, registration: 7, ..Default::default() }), touched(&[2], &[], &[], &[])),
        (log(&E::OfferWithdrawn { registration: 7 }), touched(&[], &[7], &[], &[])),
        (log(&rented), touched(&[2], &[], &[8], &[])),
        (claimed(8), touched(&[], &[], &[8], &[])),
        (log(&E::RentalClosed { rental: 8 }), touched(&[], &[], &[8], &[])),
        (log(&E::Withheld { rental: 8, caseId: 5, from: 1, until: 2 }), touched(&[], &[], &[8], &[5])),
        (log(&filed), touched(&[], &[7], &[6], &[5])),
        (log(&about_no_rental), touched(&[], &[7], &[], &[5])),
        (log(&A::Executed { caseId: 5, withheldSecs: 1, burned: 1 }), touched(&[], &[], &[], &[5])),
        (log(&A::Refunded { caseId: 5, withheldSecs: 1 }), touched(&[], &[], &[], &[5])),
        (log(&A::Appealed { caseId: 5, ..Default::default() }), touched(&[], &[], &[], &[5])),
        (log(&A::Dismissed { caseId: 5, ..Default::default() }), touched(&[], &[], &[], &[5])),
        (log(&V::Burned { amount: 1 }), Touched::default()),
    ] {
        assert_eq!(by(std::slice::from_ref(&log)), want, "{log}");
    }
    let keepers = by(&[log(&K::KeeperDismissed { account: Address::ZERO })]);
    assert_eq!(keepers, Touched { keepers: true, ..Touched::default() });
}

#[test]
fn no_event_of_a_bid_makes_everything_be_read_and_a_filled_one_names_rental_and_machine() {
    let machine = B256::repeat_byte(2);
    for (log, want) in [
        (log(&B::BidPosted { bid: 4, renter: Address::ZERO, ..Default::default() }), Touched::default()),
        (log(&B::BidFilled { bid: 4, rental: 8, machine, cost: 1, change: 1 }), touched(&[2], &[], &[8], &[])),
        (log(&B::BidReturned { bid: 4, amount: 1 }), Touched::default()),
        (log(&B::Credited { account: Address::ZERO, amount: 1, credit: 1 }), Touched::default()),
    ] {
        assert_eq!(by(std::slice::from_ref(&log)), want, "{log}");
    }
}

#[test]
fn one_log_without_sense_says_that_something_is_unknown() {
    let mut cut_short = claimed(1);
    cut_short["data"] = json!("0x");
    let mut without_topics = claimed(1);
    without_topics["topics"] = json!([]);
    for odd in [nonsense(), cut_short, without_topics] {
        let want = Touched { undecoded: true, ..touched(&[], &[], &[2, 3], &[]) };
        assert_eq!(by(&[claimed(2), odd, claimed(3)]), want);
    }
    let all = Touched::all(COUNTS);
    assert!(all.everything && all.keepers);
    assert_eq!((all.registrations, all.rentals), (BTreeSet::from([1, 2, 3]), BTreeSet::from([1, 2, 3])));
}

#[test]
fn ids_that_are_new_are_read_without_a_log() {
    let now = Counts { registrations: 4, rentals: 5, cases: 3 };
    let want = touched(&[], &[4], &[2, 4, 5], &[]);
    let logs: Log = serde_json::from_value(claimed(2)).unwrap();
    assert_eq!(Touched::by_logs(&[logs]).with_new(COUNTS, now), want);
}

#[test]
fn a_node_that_counts_without_end_does_not_take_the_memory() {
    let now = Counts { registrations: u32::MAX, rentals: u64::MAX, cases: u64::MAX };
    for touched in [Touched::all(now), Touched::default().with_new(COUNTS, now)] {
        let most = usize::try_from(IDS_MAX).unwrap();
        assert_eq!((touched.registrations.len(), touched.rentals.len(), touched.cases.len()), (most, most, most));
        assert_eq!(touched.rentals.last(), Some(&u64::MAX), "the newest are read");
    }
}
