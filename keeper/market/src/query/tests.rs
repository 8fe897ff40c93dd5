//! Lists: pages are the whole list, each entry once, in an order that leaves nothing open.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::amount::Amount;
use crate::facts::{Certificates, Counts, Reading};
use crate::fixtures::*;
use crate::wire::Offer;
use proptest::prelude::*;
use surety_core::view::{CaseStatus, FaultView};
use surety_core::weights::StatedBond;

const SORTS: [Sort; 6] = [Sort::Price, Sort::GpuPrice, Sort::Bond, Sort::Uptime, Sort::Gpus, Sort::Registration];

/// Machines with few prices and bonds, so that many are alike.
fn shelf() -> impl Strategy<Value = Market> {
    let machine = (0..3_u64, 0..3_u8, 0..3_u64, any::<bool>(), 0..3_u8, 0..2_000_u64);
    proptest::collection::vec(machine, 0..40).prop_map(|machines| {
        let mut told = reading(MIDNIGHT_SECS + 40_000, 99);
        for (number, (price, gpus, bond, offered, miner, rented)) in (1_u8..).zip(machines) {
            // The other way round than machines are kept in: ties are broken by it.
            let registration = 99 - u32::from(number);
            let mut node = node(registration, number);
            (node.free_rao, node.miner) = (bond * 1_000, account(miner));
            node.offer = node.offer.filter(|_| offered);
            if let Some(offer) = &mut node.offer {
                (offer.price_rao_per_sec, offer.gpu_count) = (Amount(price), gpus);
            }
            told.nodes.push(node);
            let rental = rental(number.into(), registration, MIDNIGHT_SECS, 1_000);
            if rented > 500 {
                told.rentals.push(faulted(rental, 0, rented / 2, 1));
            }
        }
        let mut market = market();
        market.apply(told, Certificates::new());
        market
    })
}

fn some_query() -> impl Strategy<Value = MarketQuery> {
    let filters = (
        proptest::option::of(3..5_u16),
        proptest::option::of(0..4_u8),
        proptest::option::of(0..3_u64),
        proptest::option::of(any::<bool>()),
        proptest::option::of(0..1_100_000_u32),
        proptest::option::of((0..3_u8).prop_map(account)),
    );
    (filters, proptest::sample::select(SORTS.to_vec()), any::<bool>()).prop_map(|(f, sort, desc)| MarketQuery {
        class: f.0,
        min_gpus: f.1,
        max_price: f.2,
        verified: f.3,
        min_uptime: f.4,
        miner: f.5,
        sort,
        order: if desc { Order::Desc } else { Order::Asc },
        ..MarketQuery::default()
    })
}

/// The same filters, said otherwise.
fn fits(query: &MarketQuery, row: &Machine) -> bool {
    let mut fits = true;
    match row.offer {
        Some(offer) => {
            fits &= query.class.unwrap_or(offer.gpu_class) == offer.gpu_class;
            fits &= query.min_gpus.unwrap_or(0) <= offer.gpu_count;
            fits &= offer.price_rao_per_sec.0 <= query.max_price.unwrap_or(u64::MAX);
        }
        None => fits &= query.class.is_none() && query.min_gpus.is_none() && query.max_price.is_none(),
    }
    fits &= query.verified != Some(true);
    fits &= query.min_uptime.unwrap_or(0) <= row.uptime_ppm.unwrap_or(u32::MAX);
    fits && query.miner.unwrap_or(row.miner) == row.miner
}

/// What a list is sorted by, as a fraction; none: nothing.
fn rank(sort: Sort, row: &Machine) -> Option<(u64, u64)> {
    let offer = row.offer;
    match sort {
        Sort::Price => offer.map(|offer| (offer.price_rao_per_sec.0, 1)),
        Sort::GpuPrice => offer.map(|offer| (offer.price_rao_per_sec.0, offer.gpu_count.max(1).into())),
        Sort::Bond => Some((row.bond.free_rao.0, 1)),
        Sort::Uptime => row.uptime_ppm.map(|uptime| (uptime.into(), 1)),
        Sort::Gpus => offer.map(|offer| (offer.gpu_count.into(), 1)),
        Sort::Registration => Some((row.registration.into(), 1)),
    }
}

/// Whether `b` may follow `a`: strictly, since registrations break every tie.
fn follows(query: &MarketQuery, a: &Machine, b: &Machine) -> bool {
    match (rank(query.sort, a), rank(query.sort, b)) {
        (Some(x), Some(y)) => {
            let (x, y) = (u128::from(x.0) * u128::from(y.1), u128::from(y.0) * u128::from(x.1));
            let before = if query.order == Order::Desc { y < x } else { x < y };
            before || (x == y && a.registration < b.registration)
        }
        (Some(_), None) => true,
        (None, Some(_)) => false,
        (None, None) => a.registration < b.registration,
    }
}

proptest! {
    #[test]
    fn pages_of_machines_are_those_that_fit_each_once_and_in_a_total_order(
        market in shelf(), query in some_query(), limit in 1..12_u32,
    ) {
        let (mut found, mut offset) = (vec![], 0);
        loop {
            let page = market.list(&MarketQuery { offset, limit: Some(limit), ..query.clone() }).unwrap();
            prop_assert_eq!(page.total as usize, market.rows.values().filter(|row| fits(&query, row)).count());
            prop_assert!(page.machines.len() <= limit as usize);
            found.extend(page.machines);
            prop_assert!(found.len() <= 40, "pages repeat themselves");
            match page.next_offset {
                Some(next) => offset = next,
                None => break,
            }
        }
        prop_assert_eq!(found.len(), market.rows.values().filter(|row| fits(&query, row)).count());
        prop_assert!(found.iter().all(|row| fits(&query, row)));
        prop_assert!(found.windows(2).all(|pair| follows(&query, &pair[0], &pair[1])));
    }
}

/// Rentals and cases of a few machines, miners and renters.
fn entries() -> impl Strategy<Value = Market> {
    let rental_of = (1..6_u32, 0..3_u8, any::<bool>(), 0..2_000_u64);
    let rentals = proptest::collection::vec(rental_of, 0..40);
    let cases = proptest::collection::vec((1..6_u32, 0..20_u64, 0..3_usize), 0..40);
    (rentals, cases).prop_map(|(rentals, cases)| {
        let mut told = reading(MIDNIGHT_SECS + 1_000, 99);
        for number in 1..6_u8 {
            // Five registrations of three machines and two miners.
            let miner = account(number % 2);
            told.nodes.push(NodeFacts { miner, ..node(number.into(), number % 3) });
        }
        for (id, (registration, renter, closed, secs)) in (1..).zip(rentals) {
            let rental = rental(id, registration, MIDNIGHT_SECS, secs);
            told.rentals.push(RentalFacts { renter: account(renter), closed, ..rental });
        }
        for (id, (registration, rental, status)) in (1..).zip(cases) {
            let status = [CaseStatus::Filed, CaseStatus::Executed, CaseStatus::Dismissed][status];
            told.cases.push(case(id, registration, rental, status));
        }
        let mut market = market();
        market.apply(told, Certificates::new());
        market
    })
}

fn some_of<T: Clone + std::fmt::Debug + 'static>(all: Vec<T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(proptest::sample::select(all))
}

fn accounts() -> Vec<Account> {
    (0..4).map(account).collect()
}

proptest! {
    #[test]
    fn pages_of_rentals_are_all_that_fit_the_newest_first(
        market in entries(),
        of in (some_of(accounts()), some_of(accounts()), some_of((0..4).map(machine).collect())),
        state in some_of(vec![RentalState::Running, RentalState::Ended, RentalState::Closed]),
        limit in 1..12_u32,
    ) {
        let (renter, miner, machine) = of;
        let query = RentalQuery { renter, miner, machine, state, ..RentalQuery::default() };
        let (mut found, mut before) = (vec![], None);
        loop {
            let page = market.rentals(&RentalQuery { before, limit: Some(limit), ..query.clone() }).unwrap();
            found.extend(page.rentals.iter().map(|rental| rental.id));
            prop_assert!(found.len() <= 40, "pages repeat themselves");
            match page.next_before {
                Some(next) => before = Some(next),
                None => break,
            }
        }
        let all = market.book.rentals.values().rev().map(|rental| market.rental(rental.id).unwrap().rental);
        let fits = |one: &crate::wire::Rental| {
            renter.is_none_or(|renter| one.renter == renter) && miner.is_none_or(|miner| one.miner == miner)
                && machine.is_none_or(|machine| one.machine == machine) && state.is_none_or(|state| one.state == state)
        };
        prop_assert_eq!(found, all.filter(fits).map(|rental| rental.id).collect::<Vec<_>>());
    }

    #[test]
    fn pages_of_cases_are_all_that_fit_the_newest_first(
        market in entries(),
        of in (some_of(accounts()), some_of((0..4).map(machine).collect()), proptest::option::of(1..20_u64)),
        state in some_of(vec![CaseState::Filed, CaseState::Executed, CaseState::Dismissed]),
        limit in 1..12_u32,
    ) {
        let (miner, machine, rental) = of;
        let query = CaseQuery { miner, machine, rental, state, ..CaseQuery::default() };
        let (mut found, mut before) = (vec![], None);
        loop {
            let page = market.cases(&CaseQuery { before, limit: Some(limit), ..query.clone() }).unwrap();
            found.extend(page.cases.iter().map(|case| case.id));
            prop_assert!(found.len() <= 40, "pages repeat themselves");
            match page.next_before {
                Some(next) => before = Some(next),
                None => break,
            }
        }
        let all = market.book.cases.values().rev().map(|case| market.case(case.id).unwrap().case);
        let fits = |one: &crate::wire::Case| {
            miner.is_none_or(|miner| one.miner == miner) && machine.is_none_or(|machine| one.machine == machine)
                && rental.is_none_or(|rental| one.rental == Some(rental))
                && state.is_none_or(|state| one.state == state)
        };
        prop_assert_eq!(found, all.filter(fits).map(|case| case.id).collect::<Vec<_>>());
    }
}

/// Numbers that a contract never has.
fn wild() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(1), Just(u64::MAX), Just(u64::MAX - 1), Just(u64::from(u32::MAX)), any::<u64>()]
}

fn number(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

prop_compose! {
    fn wild_rental()(
        n in proptest::array::uniform12(wild()),
        faults in proptest::collection::vec((wild(), wild(), wild()), 0..4),
        gpu_count in any::<u8>(),
        closed in any::<bool>(),
    ) -> RentalFacts {
        let fault = |(from_secs, until_secs, case_id)| FaultView { from_secs, until_secs, case_id };
        RentalFacts {
            id: n[0], registration: number(n[1]), price_rao_per_sec: n[2], start_secs: n[3], end_secs: n[4],
            paid_until_secs: n[5], min_duration_secs: n[6], bought_secs: n[7], claimed_secs: n[8], faulted_secs: n[9],
            open_secs: n[10], gpu_count, closed, faults: faults.into_iter().map(fault).collect(),
            ..rental(1, 1, MIDNIGHT_SECS, 1)
        }
    }
}

prop_compose! {
    fn wild_reading()(
        n in proptest::array::uniform16(wild()),
        rentals in proptest::collection::vec(wild_rental(), 0..4),
        counts in proptest::array::uniform3(wild()),
        gpu_count in any::<u8>(),
        current in any::<bool>(),
    ) -> Reading {
        let mut told = reading(n[0], 1);
        told.counts = Counts { registrations: number(counts[0]), rentals: counts[1], cases: counts[2] };
        let mut one = node(number(n[1]), 1);
        (one.free_rao, one.reserved_rao, one.held_rao, one.exiting_rao) = (n[2], n[3], n[4], n[5]);
        (one.exit_ready_at_secs, one.needed_rao, one.current) = (n[6], n[7], current);
        one.stated = Some(StatedBond { value_rao: n[8], stated_at_secs: n[9], until_secs: n[10] });
        let terms = Offer { gpu_count, price_rao_per_sec: Amount(n[11]), min_duration_secs: n[12], ..offer() };
        one.offer = Some(Offer { turnaround_secs: n[13], expires_at_secs: n[14], ..terms });
        told.nodes = vec![one, node(1, 2)];
        told.rentals = rentals;
        told.cases = vec![CaseFacts { penalty_rao: n[2], withheld_secs: n[3], filed_at_secs: n[4],
            ..case(n[15], number(n[1]), n[5], CaseStatus::Filed) }];
        told
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn facts_that_no_contract_has_stop_nothing(
        readings in proptest::collection::vec(wild_reading(), 1..6), n in wild(),
    ) {
        let mut market = market();
        for told in readings {
            let counts = told.counts;
            market.apply(told, certificate(1, 1, n));
            market.missing(counts, 10);
            let days = market.network_days();
            crate::days::csv(&days.days);
            serde_json::to_string(&(market.network(), days, market.miner(account(1)))).unwrap();
            for sort in SORTS {
                market.list(&MarketQuery { sort, offset: number(n), ..MarketQuery::default() }).unwrap();
            }
            for id in [1, n] {
                serde_json::to_string(&(market.rental(id), market.case(id), market.machine(machine(1)))).unwrap();
            }
            market.rentals(&RentalQuery { before: Some(n), ..RentalQuery::default() }).unwrap();
            market.cases(&CaseQuery { before: Some(n), miner: Some(account(1)), ..CaseQuery::default() }).unwrap();
        }
    }
}

#[test]
fn a_page_has_from_one_to_the_most_entries() {
    let market = market();
    let list = |limit| market.list(&MarketQuery { limit: Some(limit), ..MarketQuery::default() });
    assert_eq!((list(0), list(1_001)), (Err(BadLimit { most: 1_000 }), Err(BadLimit { most: 1_000 })));
    assert!(list(1).is_ok() && list(1_000).is_ok());
    let rentals = |limit| market.rentals(&RentalQuery { limit: Some(limit), ..RentalQuery::default() });
    assert!(rentals(0).is_err() && rentals(201).is_err() && rentals(200).is_ok());
    let cases = |limit| market.cases(&CaseQuery { limit: Some(limit), ..CaseQuery::default() });
    assert!(cases(0).is_err() && cases(201).is_err() && cases(200).is_ok());
}
