//! The fold: whatever was read and undone in whatever order, indices and rows are what the facts say.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::facts::Certificates;
use crate::fixtures::*;
use proptest::prelude::*;
use surety_core::view::CaseStatus;
use surety_core::weights::Certified;

/// What a naive keeper of lists knows: facts by id, nothing derived.
#[derive(Clone, Debug, Default)]
struct Naive {
    nodes: BTreeMap<u32, NodeFacts>,
    rentals: BTreeMap<RentalId, RentalFacts>,
    cases: BTreeMap<CaseId, CaseFacts>,
}

impl Naive {
    fn apply(&mut self, reading: &Reading) {
        let counts = reading.counts;
        self.nodes.retain(|id, _| *id <= counts.registrations);
        self.rentals.retain(|id, _| *id <= counts.rentals);
        self.cases.retain(|id, _| *id <= counts.cases);
        for node in reading.nodes.iter().filter(|node| node.registration <= counts.registrations) {
            for other in self.nodes.values_mut().filter(|one| node.current && one.machine == node.machine) {
                (other.current, other.offer) = (false, None);
            }
            self.nodes.insert(node.registration, node.clone());
        }
        let rentals = reading.rentals.iter().filter(|rental| rental.id <= counts.rentals);
        self.rentals.extend(rentals.map(|rental| (rental.id, rental.clone())));
        let cases = reading.cases.iter().filter(|case| case.id <= counts.cases);
        self.cases.extend(cases.map(|case| (case.id, *case)));
    }

    /// All of it, as if it had been read in one go.
    fn whole(&self, at: At) -> Reading {
        Reading {
            at,
            counts: Counts { registrations: u32::MAX, rentals: u64::MAX, cases: u64::MAX },
            nodes: self.nodes.values().cloned().collect(),
            rentals: self.rentals.values().cloned().collect(),
            cases: self.cases.values().copied().collect(),
        }
    }
}

fn numbers<T: Copy + Ord>(mut found: Vec<T>) -> Vec<T> {
    found.sort_unstable_by(|a, b| b.cmp(a));
    found
}

fn check_indices(book: &Book, naive: &Naive) {
    for number in 0..6_u8 {
        let of = |node: &&NodeFacts| node.machine == machine(number);
        let expected = numbers(naive.nodes.values().filter(of).map(|node| node.registration).collect());
        assert_eq!(book.registrations(&machine(number)).map(|node| node.registration).collect::<Vec<_>>(), expected);
        let of = |node: &&NodeFacts| node.miner == account(number);
        let expected = numbers(naive.nodes.values().filter(of).map(|node| node.registration).collect());
        assert_eq!(book.nodes_of(&account(number)).map(|node| node.registration).collect::<Vec<_>>(), expected);
        let of = |rental: &&RentalFacts| rental.renter == account(number);
        let expected: BTreeSet<u64> = naive.rentals.values().filter(of).map(|rental| rental.id).collect();
        assert_eq!(book.rented_by(&account(number)).cloned().unwrap_or_default(), expected);
    }
    for registration in 0..8 {
        let of = |rental: &&RentalFacts| rental.registration == registration;
        let expected = numbers(naive.rentals.values().filter(of).map(|rental| rental.id).collect());
        assert_eq!(book.rentals_of(registration).map(|rental| rental.id).collect::<Vec<_>>(), expected);
        let of = |case: &&CaseFacts| case.registration == registration;
        let expected = numbers(naive.cases.values().filter(of).map(|case| case.id).collect());
        assert_eq!(book.cases_of(registration).map(|case| case.id).collect::<Vec<_>>(), expected);
    }
    for rental in 1..10 {
        let of = |case: &&CaseFacts| case.rental == rental;
        let expected: BTreeSet<u64> = naive.cases.values().filter(of).map(|case| case.id).collect();
        assert_eq!(book.cases_about(rental).cloned().unwrap_or_default(), expected);
    }
    let open: BTreeSet<u64> = naive.rentals.values().filter(|rental| !rental.closed).map(|rental| rental.id).collect();
    assert_eq!(*book.unclosed(), open);
    assert_eq!(book.renters().map(|(_, ids)| ids.len()).sum::<usize>(), naive.rentals.len());
    assert!(book.renters().all(|(_, ids)| !ids.is_empty()));
}

fn some_node() -> impl Strategy<Value = NodeFacts> {
    (1..6_u32, 0..4_u8, 0..4_u8, any::<(bool, bool)>(), 0..3_u64).prop_map(
        |(registration, number, miner, is, lasts)| {
            let mut node = node(registration, number);
            (node.miner, node.current) = (account(miner), is.0);
            node.offer = node.offer.filter(|_| is.0 && is.1);
            if let Some(offer) = &mut node.offer {
                offer.expires_at_secs = MIDNIGHT_SECS + lasts * 50_000;
            }
            node
        },
    )
}

fn some_rental() -> impl Strategy<Value = RentalFacts> {
    let when = (0..200_000_u64, 1..100_000_u64);
    let fault = proptest::option::of((0..100_000_u64, 1..9_000_u64, 1..9_u64));
    (1..9_u64, 0..6_u32, 0..4_u8, when, any::<bool>(), fault).prop_map(
        |(id, registration, renter, when, closed, fault)| {
            let mut rental = rental(id, registration, MIDNIGHT_SECS - 100_000 + when.0, when.1);
            (rental.renter, rental.closed) = (account(renter), closed);
            match fault {
                Some((from_secs, secs, case)) => faulted(rental, from_secs, secs, case),
                None => rental,
            }
        },
    )
}

fn some_case() -> impl Strategy<Value = CaseFacts> {
    let status = proptest::sample::select(vec![
        CaseStatus::Filed,
        CaseStatus::Appealed,
        CaseStatus::Executed,
        CaseStatus::Dismissed,
        CaseStatus::Refunded,
    ]);
    let kind = proptest::sample::select(vec![surety_core::types::Kind::Interrupted, surety_core::types::Kind::Spoofed]);
    (1..9_u64, 0..6_u32, 0..9_u64, status, kind).prop_map(|(id, registration, rental, status, kind)| CaseFacts {
        kind,
        ..case(id, registration, rental, status)
    })
}

/// Time moves on by seconds to days, and now and then a little back.
fn some_reading() -> impl Strategy<Value = Reading> {
    let ids = (
        proptest::collection::vec(some_node(), 0..4),
        proptest::collection::vec(some_rental(), 0..4),
        proptest::collection::vec(some_case(), 0..4),
    );
    (0..300_000_u64, 0..8_u32, 0..10_u64, 0..10_u64, ids).prop_map(|(after, registrations, rentals, cases, ids)| {
        Reading {
            counts: Counts { registrations, rentals, cases },
            nodes: ids.0,
            rentals: ids.1,
            cases: ids.2,
            ..reading(MIDNIGHT_SECS + after, 9)
        }
    })
}

fn some_certificates() -> impl Strategy<Value = Certificates> {
    proptest::collection::btree_map(0..4_u8, (1..6_u32, 0..300_000_u64), 0..4).prop_map(|of| {
        let certified = |after| Certified { gpu_class: 3, gpu_count: 8, measured_at_secs: MIDNIGHT_SECS + after };
        of.into_iter()
            .map(|(number, (registration, after))| (machine(number), (registration, certified(after))))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn indices_and_rows_are_what_the_facts_say_after_any_readings_and_reorgs(
        readings in proptest::collection::vec((some_reading(), some_certificates()), 1..12),
    ) {
        let (mut market, mut naive) = (market(), Naive::default());
        for (reading, certificates) in readings {
            naive.apply(&reading);
            market.apply(reading, certificates.clone());
            check_indices(&market.book, &naive);
            let mut fresh = crate::fixtures::market();
            fresh.apply(naive.whole(market.book.at), certificates);
            prop_assert_eq!(&market.rows, &fresh.rows);
            prop_assert_eq!(market.network(), fresh.network());
            prop_assert_eq!(market.network_days(), fresh.network_days());
        }
    }

    #[test]
    fn what_is_missing_is_what_is_not_here_the_newest_first(
        held in proptest::collection::btree_set(1..40_u64, 0..40),
        count in 0..45_u64,
        most in 0..50_usize,
        kept in 1..60_u64,
    ) {
        let map: BTreeMap<u64, ()> = held.iter().map(|id| (*id, ())).collect();
        let expected = (1..=count).rev().filter(|id| *id > count.saturating_sub(kept) && !held.contains(id)).take(most);
        prop_assert_eq!(gaps(&map, count, kept, most, |id| *id), expected.collect::<BTreeSet<_>>());
    }
}

#[test]
fn counts_as_large_as_they_go_ask_for_the_newest_and_no_more() {
    let book = Book::default();
    let counts = Counts { registrations: u32::MAX, rentals: u64::MAX, cases: u64::MAX };
    let wanted = book.missing(counts, 2);
    assert_eq!(wanted.registrations, [u32::MAX - 1, u32::MAX].into());
    assert_eq!(wanted.rentals, [u64::MAX - 1, u64::MAX].into());
    assert_eq!(wanted.cases, [u64::MAX - 1, u64::MAX].into());
}

#[test]
fn of_more_cases_than_are_kept_the_oldest_go_and_their_machine_is_told() {
    let mut book = Book::default();
    let most = u32::try_from(CASES_MAX).unwrap() + 1;
    let cases: Vec<_> = (1..=CASES_MAX).map(|id| case(id, 1 + u32::from(id > 1), 0, CaseStatus::Filed)).collect();
    book.apply(Reading { nodes: vec![node(1, 1), node(2, 2)], cases, ..reading(MIDNIGHT_SECS, most) });
    let one_more = vec![case(CASES_MAX + 1, 2, 0, CaseStatus::Filed)];
    let touched = book.apply(Reading { cases: one_more, ..reading(MIDNIGHT_SECS, most) });
    assert_eq!(touched, [machine(1), machine(2)].into());
    assert_eq!((book.cases.len() as u64, book.cases_of(1).count()), (CASES_MAX, 0));
    let counts = Counts { cases: CASES_MAX + 1, ..Counts::default() };
    assert!(book.missing(counts, 10).cases.is_empty());
}

#[test]
fn what_is_beyond_the_counts_is_not_taken() {
    let mut book = Book::default();
    let beyond = Reading {
        counts: Counts { registrations: 1, rentals: 1, cases: 1 },
        nodes: vec![node(0, 3), node(1, 1), node(2, 2)],
        rentals: vec![rental(1, 1, MIDNIGHT_SECS, 10), rental(2, 1, MIDNIGHT_SECS, 10)],
        cases: vec![case(1, 1, 0, CaseStatus::Filed), case(2, 1, 0, CaseStatus::Filed)],
        ..reading(MIDNIGHT_SECS, 1)
    };
    assert_eq!(book.apply(beyond), [machine(1)].into());
    assert_eq!((book.nodes.len(), book.rentals.len(), book.cases.len()), (1, 1, 1));
}
