#![allow(clippy::unwrap_used)]

use super::*;
use crate::fixtures::{account, machine};
use crate::types::{Account, CaseId, Coldkey, Kind, SshKey};
use crate::view::{CaseStatus, CaseView, FaultView, OfferView, RentalView};

mod cards;
mod demand;
mod gates;
mod gathering;
mod holes;
mod properties;
mod record;
mod shares;
mod words;

const DAY: u64 = 86_400;
/// When weights are made: 100 days after the rentals of other fixtures begin.
const AT: u64 = crate::fixtures::START + 100 * DAY;
/// The class that machines here are of, worth [`POINTS`] a card.
const CLASS: u16 = 3;
const POINTS: u64 = 4_000;
/// Eight cards of it, as reliable as a newcomer (99 %, so 19 parts of 20), in a class used as much as nobody's.
const NEUTRAL: u64 = 8 * POINTS * MILLI * 95 / 100;

fn hotkey(n: u8) -> Hotkey {
    Hotkey([n; 32])
}

fn offer(gpu_class: u16, gpu_count: u16) -> OfferView {
    OfferView { gpu_class, gpu_count, price_rao_per_sec: 1_000, expires_at_secs: AT + DAY }
}

/// Machine `n` of hotkey `n` and address `n`: idle, with eight cards measured an hour ago, in every round.
fn facts(n: u8) -> MachineFacts {
    MachineFacts {
        machine: machine(n),
        registration: 7,
        since_secs: AT - 90 * DAY,
        hotkey: hotkey(n),
        miner: account(n),
        bonded_rao: 1_000,
        required_bond_rao: 1_000,
        offer: Some(offer(CLASS, 8)),
        certified: Some(Certified { gpu_class: CLASS, gpu_count: 8, measured_at_secs: AT - 3_600 }),
        round_share_ppm: Some(1_000_000),
        rentals: Vec::new(),
        cases: Vec::new(),
        cards_missing: None,
    }
}

/// A rental of machine `n`, its seconds counted back from [`AT`].
fn rental(n: u8, from_back: u64, until_back: u64) -> RentalView {
    RentalView {
        id: 1,
        machine: machine(n),
        renter: account(50),
        renter_key: SshKey([5; 32]),
        gpu_class: CLASS,
        gpu_count: 8,
        price_rao_per_sec: 1_000,
        start_secs: AT - from_back,
        end_secs: AT - until_back,
        paid_until_secs: AT - from_back,
        claimed_secs: 0,
        closed: false,
        faults: Vec::new(),
    }
}

/// Machine `n` with a tenant for the last ten days, who stays; measured just before.
fn rented(n: u8) -> MachineFacts {
    let tenancy = RentalView { end_secs: AT + DAY, ..rental(n, 10 * DAY, 0) };
    let certified = Certified { gpu_class: CLASS, gpu_count: 8, measured_at_secs: AT - 10 * DAY };
    MachineFacts { rentals: vec![tenancy], certified: Some(certified), ..facts(n) }
}

/// A fault, its seconds counted back from [`AT`].
fn gone(from_back: u64, until_back: u64, case_id: CaseId) -> FaultView {
    FaultView { from_secs: AT - from_back, until_secs: AT - until_back, case_id }
}

fn case(id: CaseId, kind: Kind, status: CaseStatus) -> CaseView {
    let (executable_at_secs, penalty_rao, rental) = (0, 0, 1);
    CaseView { id, kind, status, rental, executable_at_secs, penalty_rao, registration: 7, filed_at_secs: AT - DAY }
}

/// With a seat for each hotkey, in the order of the hotkeys, from uid 0.
fn fleet(machines: Vec<MachineFacts>) -> Fleet {
    let mut hotkeys: Vec<Hotkey> = machines.iter().map(|one| one.hotkey).collect();
    hotkeys.sort_unstable();
    hotkeys.dedup();
    Fleet { at_secs: AT, seats: hotkeys.into_iter().zip(0..).collect(), machines, ..Fleet::default() }
}

fn classes() -> Scheme {
    Scheme::Classes([(CLASS, POINTS), (2, 5_000), (12, 1_000)].into())
}

fn weighed(fleet: &Fleet) -> Weighed {
    weigh(fleet, &classes(), &WeightRules::default()).unwrap()
}

fn of_machine(weighed: &Weighed, n: u8) -> MachineExplained {
    let mut machines = weighed.explanation.miners.iter().flat_map(|miner| &miner.machines);
    machines.find(|one| one.machine == machine(n)).unwrap().clone()
}

/// Machine 1 beside others that are as they should be.
fn among(one: MachineFacts) -> MachineExplained {
    of_machine(&weighed(&fleet(vec![one, facts(2), facts(3)])), 1)
}

fn points(one: MachineFacts) -> u64 {
    among(one).milli_points
}

fn none(one: MachineFacts) -> Vec<NoWeight> {
    let explained = among(one);
    assert_eq!(explained.milli_points, 0);
    explained.none
}

/// The factor of this kind, parts per million.
fn factor(explained: &MachineExplained, kind: impl Fn(&Why) -> bool) -> u64 {
    explained.factors.iter().find(|factor| kind(&factor.why)).unwrap().num
}

fn demand_ppm(explained: &MachineExplained) -> u64 {
    factor(explained, |why| matches!(why, Why::Demand { .. }))
}

fn units(weighed: &Weighed, uid: u16) -> u16 {
    let weights = weighed.weights.as_ref().unwrap();
    let at = weights.uids.iter().position(|one| *one == uid);
    at.map_or(0, |at| weights.values[at])
}
