//! Views of a chain that means no good: what the properties feed.

use crate::sim::{UNIX0, account, machine, ssh_key};
use surety_core::types::Endpoint;
use surety_core::view::{FaultView, KeeperView, NodeView, OfferView, RentalView};

pub(crate) fn node(id: u64, endpoint: bool) -> NodeView {
    let host = u8::try_from(id).unwrap();
    // The third machine is never rented: it is measured.
    let offer = OfferView { gpu_class: 1, gpu_count: 8, price_rao_per_sec: 1, expires_at_secs: UNIX0 * 2 };
    NodeView {
        machine: machine(&format!("m{id}")),
        miner: account(&format!("owner{id}")),
        registration: 1,
        endpoint: endpoint.then_some(Endpoint { ip: [5, 9, 0, host].into(), port: 22 }),
        free_rao: u64::MAX,
        reserved_rao: 1,
        held_rao: 0,
        exiting_rao: 0,
        offer: (id == 3).then_some(offer),
        last_rental: if id == 3 { 0 } else { id },
    }
}

pub(crate) fn rental(id: u64, secs: u64, faults: u8, closed: bool) -> RentalView {
    let start_secs = UNIX0 + 10 * id;
    let fault =
        |n: u64| FaultView { from_secs: start_secs + 100 * n, until_secs: start_secs + 100 * n + 60, case_id: n };
    RentalView {
        id,
        machine: machine(if id == 3 {
            "m9"
        } else if id == 2 {
            "m2"
        } else {
            "m1"
        }),
        renter: account("renter"),
        renter_key: ssh_key("renter"),
        gpu_class: 1,
        gpu_count: 8,
        price_rao_per_sec: 1,
        start_secs,
        end_secs: start_secs + secs,
        paid_until_secs: start_secs,
        claimed_secs: 0,
        closed,
        faults: (0..u64::from(faults)).map(fault).collect(),
    }
}

pub(crate) fn keeper(name: &str) -> KeeperView {
    KeeperView { account: account(name), weight: 10, active: true, ssh_key: ssh_key(name), url: String::new() }
}
