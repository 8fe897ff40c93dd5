//! Facts for tests, the smallest that make sense.

use crate::amount::Amount;
use crate::facts::{CaseFacts, Certificates, Counts, NodeFacts, Reading, RentalFacts, Setting};
use crate::market::Market;
use crate::wire::{At, Contracts, Offer, Terms};
use surety_core::types::{Account, Hash32, Kind, MachineId, UnixSecs};
use surety_core::view::{CaseStatus, FaultView};
use surety_core::weights::Certified;

/// A UTC midnight.
pub(crate) const MIDNIGHT_SECS: UnixSecs = 20_000 * 86_400;
/// How long a certificate serves here.
pub(crate) const LIFE_SECS: u64 = 3_600;

pub(crate) fn machine(number: u8) -> MachineId {
    MachineId([number; 32])
}

pub(crate) fn account(number: u8) -> Account {
    Account([number; 20])
}

pub(crate) fn market() -> Market {
    let [vault, escrow, arbiter, bids, keepers] = [2, 3, 4, 5, 6].map(account);
    Market::new(Setting {
        chain_id: 31_337,
        netuid: 2,
        keeper: account(1),
        contracts: Contracts { vault, escrow, arbiter, bids, keepers },
        terms: Terms { certificate_life_secs: LIFE_SECS, settle_lag_secs: 600, ..Terms::default() },
        class_name: |class| format!("class {class}"),
    })
}

pub(crate) fn offer() -> Offer {
    Offer {
        gpu_class: 3,
        gpu_count: 8,
        price_rao_per_sec: Amount(100),
        min_duration_secs: 60,
        max_duration_secs: 86_400,
        turnaround_secs: 30,
        expires_at_secs: MIDNIGHT_SECS + 10_000_000,
        offer_hash: Hash32([1; 32]),
    }
}

pub(crate) fn node(registration: u32, number: u8) -> NodeFacts {
    NodeFacts {
        registration,
        machine: machine(number),
        miner: account(number),
        hotkey: Default::default(),
        uid: 3,
        endpoint: None,
        free_rao: 5_000,
        reserved_rao: 0,
        held_rao: 0,
        exiting_rao: 0,
        exit_ready_at_secs: 0,
        retired: false,
        current: true,
        offer: Some(offer()),
        needed_rao: 1_000,
        stated: None,
    }
}

pub(crate) fn rental(id: u64, registration: u32, start_secs: UnixSecs, secs: u64) -> RentalFacts {
    RentalFacts {
        id,
        registration,
        renter: account(9),
        renter_key: Default::default(),
        gpu_class: 3,
        gpu_count: 8,
        price_rao_per_sec: 100,
        start_secs,
        end_secs: start_secs + secs,
        paid_until_secs: start_secs,
        min_duration_secs: 60,
        bought_secs: secs,
        claimed_secs: 0,
        faulted_secs: 0,
        open_secs: 0,
        closed: false,
        faults: vec![],
    }
}

/// The same, with a fault, given from the start.
pub(crate) fn faulted(mut rental: RentalFacts, from_secs: u64, secs: u64, case_id: u64) -> RentalFacts {
    let from_secs = rental.start_secs + from_secs;
    rental.faults.push(FaultView { from_secs, until_secs: from_secs + secs, case_id });
    rental.faulted_secs += secs;
    rental
}

pub(crate) fn case(id: u64, registration: u32, rental: u64, status: CaseStatus) -> CaseFacts {
    CaseFacts {
        id,
        kind: Kind::Interrupted,
        cause: 1,
        status,
        slow: false,
        rental,
        registration,
        filed_at_secs: MIDNIGHT_SECS,
        withheld_secs: 0,
        penalty_rao: 0,
        executable_at_secs: 0,
        appealable_until_secs: 0,
        appeal_bond_rao: 0,
        appeal: None,
    }
}

/// Nothing new, at a time: there may be so many of everything.
pub(crate) fn reading(at_secs: UnixSecs, most: u32) -> Reading {
    Reading {
        at: At { block: at_secs / 12, hash: Hash32([8; 32]), at_secs },
        counts: Counts { registrations: most, rentals: most.into(), cases: most.into() },
        ..Reading::default()
    }
}

/// This keeper measured the machine.
pub(crate) fn certificate(number: u8, registration: u32, measured_at_secs: UnixSecs) -> Certificates {
    let certified = Certified { gpu_class: 3, gpu_count: 8, measured_at_secs };
    [(machine(number), (registration, certified))].into()
}
