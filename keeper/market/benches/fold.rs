//! What the market costs a keeper: a block taken, and the dearest questions, beside the time there is for them.
//!
//! `cargo bench -p surety-market --bench fold -- [--machines N] [--rentals M]`
//!
//! N (5,000) machines, offered and certified, half of them rented, and M (100,000) rentals of two days each over the
//! last year, every tenth with a fault, each with a case. Printed for each step: the median of the rounds, and how
//! many times it fits in its limit. A block comes every 12 s and readers wait while it is taken: 100 ms. The first
//! block of a UTC day, which makes all rows anew: 1 s. Questions are answered from a cache until the next block, so
//! the dearest is asked once a block at most: 1 s; a page: 50 ms.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::time::{Duration, Instant};
use surety_core::types::{Account, Hash32, Kind, MachineId, RentalId, UnixSecs};
use surety_core::view::{CaseStatus, FaultView};
use surety_core::weights::Certified;
use surety_market::amount::Amount;
use surety_market::facts::{CaseFacts, Certificates, Counts, NodeFacts, Reading, RentalFacts, Setting};
use surety_market::market::Market;
use surety_market::query::{CaseQuery, MarketQuery, RentalQuery, Sort};
use surety_market::wire::{At, CaseState, Contracts, Offer, RentalState, Terms};

const DAY_SECS: u64 = 86_400;
const NOW_SECS: UnixSecs = 20_000 * DAY_SECS + 40_000;
const LASTS_SECS: u64 = 2 * DAY_SECS;
const ROUNDS: u64 = 9;
const BLOCK: Duration = Duration::from_millis(100);
const DAY: Duration = Duration::from_secs(1);
const ONCE: Duration = Duration::from_secs(1);
const PAGE: Duration = Duration::from_millis(50);

fn argument(name: &str, otherwise: u32) -> u32 {
    let mut arguments = std::env::args();
    let found = arguments.find(|argument| argument == name).and_then(|_| arguments.next());
    found.map_or(otherwise, |number| number.replace(',', "").parse().unwrap())
}

fn account(number: u32) -> Account {
    let mut bytes = [7; 20];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Account(bytes)
}

fn machine(number: u32) -> MachineId {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    MachineId(bytes)
}

fn node(number: u32) -> NodeFacts {
    NodeFacts {
        registration: number,
        machine: machine(number),
        miner: account(number % 50),
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
        offer: Some(Offer {
            gpu_class: 3,
            gpu_count: 8,
            price_rao_per_sec: Amount(u64::from(number) * 7_919 % 1_000),
            min_duration_secs: 60,
            max_duration_secs: 30 * DAY_SECS,
            turnaround_secs: 0,
            expires_at_secs: NOW_SECS + 365 * DAY_SECS,
            offer_hash: Hash32([1; 32]),
        }),
        needed_rao: 1_000,
        stated: None,
    }
}

/// The newest of every second machine runs; the others are older by the machine's turn.
fn rental(id: u32, machines: u32, rentals: u32) -> RentalFacts {
    let (number, turn) = (id % machines + 1, u64::from((rentals - id) / machines));
    let end_secs = NOW_SECS + u64::from(number % 2) * DAY_SECS - turn * (LASTS_SECS + DAY_SECS);
    let start_secs = end_secs - LASTS_SECS;
    let fault = FaultView { from_secs: start_secs + 600, until_secs: start_secs + 1_800, case_id: u64::from(id / 10) };
    RentalFacts {
        id: id.into(),
        registration: number,
        renter: account(id % 997),
        renter_key: Default::default(),
        gpu_class: 3,
        gpu_count: 8,
        price_rao_per_sec: 100,
        start_secs,
        end_secs,
        paid_until_secs: start_secs,
        min_duration_secs: 60,
        bought_secs: LASTS_SECS,
        claimed_secs: 0,
        faulted_secs: 0,
        open_secs: 0,
        closed: end_secs < NOW_SECS,
        faults: if id.is_multiple_of(10) { vec![fault] } else { vec![] },
    }
}

fn case(id: u32, machines: u32) -> CaseFacts {
    CaseFacts {
        id: id.into(),
        kind: Kind::Interrupted,
        cause: 1,
        status: CaseStatus::Executed,
        slow: false,
        rental: RentalId::from(id) * 10,
        registration: id * 10 % machines + 1,
        filed_at_secs: NOW_SECS,
        withheld_secs: 1_200,
        penalty_rao: 0,
        executable_at_secs: 0,
        appealable_until_secs: 0,
        appeal_bond_rao: 0,
        appeal: None,
    }
}

fn empty() -> Market {
    let contracts = [2, 3, 4, 5, 6].map(account);
    let [vault, escrow, arbiter, bids, keepers] = contracts;
    Market::new(Setting {
        chain_id: 31_337,
        netuid: 2,
        keeper: account(1),
        contracts: Contracts { vault, escrow, arbiter, bids, keepers },
        terms: Terms { certificate_life_secs: DAY_SECS, ..Terms::default() },
        class_name: |class| format!("class {class}"),
    })
}

/// A market, and the counts it was read at.
struct Shop {
    market: Market,
    counts: Counts,
    certificates: Certificates,
}

impl Shop {
    fn block(&mut self, at_secs: UnixSecs) {
        let at = At { block: at_secs / 12, hash: Hash32([8; 32]), at_secs };
        let reading = Reading { at, counts: self.counts, ..Reading::default() };
        self.market.apply(reading, self.certificates.clone());
    }
}

fn filled(machines: u32, rentals: u32) -> Shop {
    let cases = rentals / 10;
    let counts = Counts { registrations: machines, rentals: rentals.into(), cases: cases.into() };
    let certified = |number: u64| Certified { gpu_class: 3, gpu_count: 8, measured_at_secs: NOW_SECS - number % 3_600 };
    let certificates = (1..=machines).map(|number| (machine(number), (number, certified(number.into())))).collect();
    let mut shop = Shop { market: empty(), counts, certificates };
    let reading = Reading {
        at: At { block: 1, hash: Hash32([8; 32]), at_secs: NOW_SECS },
        counts,
        nodes: (1..=machines).map(node).collect(),
        rentals: (1..=rentals).map(|id| rental(id, machines, rentals)).collect(),
        cases: (1..=cases).map(|id| case(id, machines)).collect(),
    };
    shop.market.apply(reading, shop.certificates.clone());
    shop
}

fn report(what: &str, limit: Duration, mut round: impl FnMut(u64)) {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|turn| {
            let begin = Instant::now();
            round(turn);
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    let median = times[times.len() / 2];
    let fits = limit.as_secs_f64() / median.as_secs_f64().max(1e-9);
    println!("{what:<44} {:>9.3} ms   {fits:>9.1} times in {} ms", median.as_secs_f64() * 1e3, limit.as_millis());
}

fn main() {
    let (machines, rentals) = (argument("--machines", 5_000), argument("--rentals", 100_000));
    let mut shop = filled(machines, rentals);
    println!("{machines} machines, {rentals} rentals, {} cases", rentals / 10);
    report("a block in which nothing happened", BLOCK, |turn| shop.block(NOW_SECS + 12 * turn));
    report("the first block of a day", DAY, |turn| shop.block(NOW_SECS + DAY_SECS * (turn + 1)));
    shop = filled(machines, rentals);
    report("what is missing: nothing", PAGE, |_| {
        black_box(shop.market.missing(shop.counts, 200));
    });
    let market = &shop.market;
    let dear = Counts { rentals: shop.counts.rentals + 1, ..shop.counts };
    report("what is missing: the newest rental", PAGE, |_| {
        black_box(market.missing(dear, 200));
    });
    for sort in [Sort::Price, Sort::GpuPrice] {
        let query = MarketQuery { sort, limit: Some(1_000), ..MarketQuery::default() };
        report(&format!("1,000 machines by {sort:?}"), PAGE, |_| drop(black_box(market.list(&query))));
    }
    let nobody = RentalQuery { miner: Some(account(0)), state: Some(RentalState::Running), ..RentalQuery::default() };
    report("rentals of a miner that run", PAGE, |_| drop(black_box(market.rentals(&nobody))));
    let none = CaseQuery { miner: Some(account(0)), state: Some(CaseState::Appealed), ..CaseQuery::default() };
    report("cases of a miner, appealed: none", PAGE, |_| drop(black_box(market.cases(&none))));
    let none = CaseQuery { state: Some(CaseState::Appealed), ..CaseQuery::default() };
    report("cases of all, appealed: none", PAGE, |_| drop(black_box(market.cases(&none))));
    report("one machine", PAGE, |_| drop(black_box(market.machine(machine(1)))));
    report("one miner", PAGE, |_| drop(black_box(market.miner(account(1)))));
    report("the network", ONCE, |_| drop(black_box(market.network())));
    report("the network's days", ONCE, |_| drop(black_box(market.network_days())));
}
