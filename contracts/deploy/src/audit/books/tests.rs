#![allow(clippy::unwrap_used)]

use super::super::read::Fault;
use super::super::report::Verdict;
use super::*;
use alloy::primitives::U256;
use surety_core::types::Account;

/// One node with a closed and a running rental, an undecided case, an appeal, a wish, and everybody's credit.
fn sound() -> Snapshot {
    let renter = Account([2; 20]);
    let closed = Rental {
        renter,
        price_rao: 10,
        start: 1_000,
        end: 1_600,
        bought_secs: 1_000,
        claimed_secs: 500,
        faulted_secs: 100,
        registration: 1,
        closed: true,
        fault_count: 1,
        faults: vec![Fault { from: 1_100, until: 1_200, case: 1 }],
        ..Rental::default()
    };
    let running = Rental {
        start: 2_000,
        end: 3_000,
        claimed_secs: 200,
        faulted_secs: 50,
        open_secs: 50,
        closed: false,
        faults: vec![Fault { from: 2_300, until: 2_350, case: 2 }],
        ..closed.clone()
    };
    let executed = Case { status: 3, rental: 1, registration: 1, withheld_secs: 100, penalty_rao: 9, appeal_rao: 0 };
    let appealed = Case { status: 2, rental: 2, registration: 1, withheld_secs: 50, penalty_rao: 30, appeal_rao: 7 };
    let node = Node {
        miner: Account([1; 20]),
        free_rao: 100,
        reserved_rao: 70,
        held_rao: 30,
        exiting_rao: 5,
        open_rentals: vec![2],
        backing_rao: vec![70],
        retired: false,
    };
    let books = |owed: u64, credit: u64, to_burn_rao: u64| Books {
        balance_wei: (U256::from(owed + credit + to_burn_rao) + U256::from(500)) * U256::from(WEI_PER_RAO),
        liabilities_rao: owed + credit + to_burn_rao,
        to_burn_rao,
        credit_rao: [(renter, credit)].into(),
    };
    Snapshot {
        nodes: vec![node],
        rentals: vec![closed, running],
        cases: vec![executed, appealed],
        bids: vec![Bid { renter, open: true, max_price_rao: 3, duration_secs: 11 }],
        vault: books(205, 4, 9),
        escrow: books(7_500 + 500, 6_000, 0),
        arbiter: books(7, 0, 0),
        wishes: books(33, 1, 0),
    }
}

/// Makes one number wrong.
type Break = fn(&mut Snapshot);

fn findings(all: &Snapshot) -> Vec<String> {
    let (lines, _) = recount(all, true);
    lines.all.into_iter().filter(|line| line.verdict == Verdict::Broken).map(|line| line.says).collect()
}

#[test]
fn sound_books_have_no_finding_and_the_sums_say_what_is_owed_for_what() {
    assert_eq!(findings(&sound()), Vec::<String>::new());
    let (_, sums) = recount(&sound(), true);
    let owed: Vec<(&str, u64)> = sums.iter().map(|sum| (sum.contract, sum.owed_rao)).collect();
    assert_eq!(owed, [("CollateralVault", 218), ("RentalEscrow", 14_000), ("Arbiter", 7), ("RentalBids", 34)]);
    assert_eq!(sums[1].parts[0], ("rent bought, not claimed", 7_500));
    assert!(sums.iter().all(|sum| sum.surplus_wei.as_deref() == Some("0")));
}

#[test]
fn every_number_that_is_off_by_one_is_found_and_named() {
    let breaks: Vec<(&str, Break)> = vec![
        ("CollateralVault: its records owe", |s| s.nodes[0].free_rao += 1),
        ("CollateralVault: its records owe", |s| s.nodes[0].exiting_rao -= 1),
        ("CollateralVault: its records owe", |s| s.vault.to_burn_rao += 1),
        ("RentalEscrow: its records owe", |s| s.escrow.liabilities_rao += 1),
        ("RentalEscrow: its records owe", |s| s.rentals[1].price_rao += 1),
        ("RentalEscrow: its records owe", |s| s.rentals[1].claimed_secs += 1),
        ("Arbiter: its records owe", |s| s.cases[1].appeal_rao += 1),
        ("RentalBids: its records owe", |s| s.bids[0].open = false),
        ("money is missing", |s| s.escrow.balance_wei -= U256::from(1)),
        ("rao held", |s| s.nodes[0].held_rao += 1),
        ("rao reserved", |s| s.nodes[0].reserved_rao += 1),
        ("rental 1: closed with", |s| s.rentals[0].claimed_secs -= 1),
        ("rental 1: 600 s long, 599 s bought", |s| s.rentals[0].bought_secs = 599),
        ("s in undecided cases", |s| s.rentals[1].open_secs -= 1),
        ("faults of", |s| s.rentals[1].faults[0].until += 1),
        ("faults, 2 counted", |s| s.rentals[1].fault_count = 2),
        ("a fault outside of it", |s| s.rentals[0].faults[0] = Fault { from: 900, until: 1_000, case: 1 }),
        ("which is not of this rental", |s| s.rentals[0].faults[0].case = 2),
        ("does not back it", |s| s.nodes[0].open_rentals.clear()),
        ("its node 7 does not exist", |s| s.rentals[0].registration = 7),
        ("which is closed or not its own", |s| s.nodes[0].open_rentals.push(1)),
        ("retired, and not empty", |s| s.nodes[0].retired = true),
    ];
    for (word, break_it) in breaks {
        let mut all = sound();
        break_it(&mut all);
        let found = findings(&all);
        assert!(found.iter().any(|line| line.contains(word)), "{word}: {found:?}");
    }
}

#[test]
fn faults_that_overlap_are_found_although_their_seconds_add_up() {
    let mut all = sound();
    all.rentals[0].faults =
        vec![Fault { from: 1_100, until: 1_160, case: 1 }, Fault { from: 1_150, until: 1_190, case: 1 }];
    all.rentals[0].fault_count = 2;
    assert!(findings(&all).iter().any(|line| line.contains("overlap")));
}

#[test]
fn where_balances_leave_out_the_deposit_the_seed_is_not_asked_for() {
    let mut all = sound();
    for books in [&mut all.vault, &mut all.escrow, &mut all.arbiter, &mut all.wishes] {
        books.balance_wei -= U256::from(500) * U256::from(WEI_PER_RAO);
    }
    assert!(findings(&all).iter().any(|line| line.contains("money is missing")));
    let (lines, _) = recount(&all, false);
    assert!(lines.all.iter().all(|line| line.verdict != Verdict::Broken));
}

#[test]
fn numbers_beyond_any_amount_of_money_are_findings_and_no_overflow() {
    let mut all = sound();
    all.rentals[1] = Rental { price_rao: u64::MAX, end: u32::MAX, claimed_secs: u32::MAX, ..all.rentals[1].clone() };
    all.nodes = vec![Node { free_rao: u64::MAX, held_rao: u64::MAX, ..all.nodes[0].clone() }; 3];
    all.bids = vec![Bid { max_price_rao: u64::MAX, duration_secs: u32::MAX, ..all.bids[0].clone() }; 3];
    assert!(findings(&all).len() > 5);
}

#[test]
fn a_flood_of_findings_is_counted() {
    let mut all = sound();
    all.rentals = vec![Rental { registration: 9, ..all.rentals[0].clone() }; 100];
    let found = findings(&all);
    assert!(found.iter().any(|line| line.contains("more findings in rentals")), "{found:?}");
    assert!(found.len() < 40);
}
