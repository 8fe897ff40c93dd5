//! The invariants of SPEC section 10 on a snapshot: what is owed by the records is what the contracts say they owe, and
//! is there; every rental's seconds add up; every rao of bond is in one place. Pure.

use super::read::{Bid, Books, Case, Node, Rental, Snapshot};
use super::report::{Lines, Part, Sum};
use alloy::primitives::U256;
use std::collections::BTreeMap;
use surety_client::subtensor::EXISTENTIAL_DEPOSIT_RAO;
use surety_client::units::WEI_PER_RAO;

/// `IArbiter.Status`: cases whose withheld seconds are not decided.
const UNDECIDED: [u8; 2] = [1, 2];
/// Cases whose penalty is still held.
const PENDING: [u8; 4] = [1, 2, 5, 6];
/// Cases whose appeal bond is still held.
const APPEALED: [u8; 2] = [2, 6];

/// Most findings of one kind that are told one by one; the rest is counted.
const TOLD_MAX: usize = 20;

/// Sums and findings. `seed_visible`: whether balances include the existential deposit.
pub(super) fn recount(all: &Snapshot, seed_visible: bool) -> (Lines, Vec<Sum>) {
    let mut lines = Lines::new(Part::Ledgers);
    rentals(all, &mut lines);
    nodes(all, &mut lines);
    let seed_rao = if seed_visible { EXISTENTIAL_DEPOSIT_RAO } else { 0 };
    let total = |parts: &[u128]| parts.iter().sum::<u128>();
    let of_nodes = |part: fn(&Node) -> u64| total(&all.nodes.iter().map(|n| part(n).into()).collect::<Vec<u128>>());
    let of_rentals = |secs: fn(&Rental) -> u128| {
        total(&all.rentals.iter().map(|r| secs(r) * u128::from(r.price_rao)).collect::<Vec<u128>>())
    };
    let vault = vec![
        ("bond, free", of_nodes(|n| n.free_rao)),
        ("bond, behind rentals", of_nodes(|n| n.reserved_rao)),
        ("bond, held in cases", of_nodes(|n| n.held_rao)),
        ("bond, exiting", of_nodes(|n| n.exiting_rao)),
    ];
    let escrow = vec![
        ("rent bought, not claimed", of_rentals(unclaimed_secs)),
        ("rent withheld, undecided", of_rentals(|r| r.open_secs.into())),
    ];
    let bonds = all.cases.iter().filter(|c| APPEALED.contains(&c.status)).map(|c| u128::from(c.appeal_rao));
    let wishes = all.bids.iter().filter(|b| b.open).map(cost);
    let sums = [
        ("CollateralVault", vault, &all.vault),
        ("RentalEscrow", escrow, &all.escrow),
        ("Arbiter", vec![("bonds of appeals", bonds.sum())], &all.arbiter),
        ("RentalBids", vec![("open wishes", wishes.sum())], &all.wishes),
    ];
    let sums = sums.map(|(contract, parts, books)| sum(contract, parts, books, seed_rao, &mut lines)).to_vec();
    (lines, sums)
}

/// Invariants 1 and the sums of 2 and 3, for one contract.
fn sum(
    contract: &'static str,
    mut parts: Vec<(&'static str, u128)>,
    books: &Books,
    seed_rao: u64,
    lines: &mut Lines,
) -> Sum {
    parts.push(("credit", books.credit_rao.values().map(|rao| u128::from(*rao)).sum()));
    parts.push(("to be burned", books.to_burn_rao.into()));
    let owed: u128 = parts.iter().map(|(_, rao)| rao).sum();
    let liabilities = u128::from(books.liabilities_rao);
    if owed == liabilities {
        lines.holds(format!("{contract}: its records owe {owed} rao, and so it says itself"));
    } else {
        lines.broken(format!("{contract}: its records owe {owed} rao, it says that it owes {liabilities} rao"));
    }
    let needed = U256::from(liabilities + u128::from(seed_rao)) * U256::from(WEI_PER_RAO);
    let surplus = books.balance_wei.checked_sub(needed);
    match surplus {
        Some(surplus) => lines.holds(format!(
            "{contract}: has {} wei, {surplus} wei more than it owes and its visible seed",
            books.balance_wei
        )),
        None => {
            lines.broken(format!("{contract}: has {} wei and needs {needed} wei: money is missing", books.balance_wei))
        }
    }
    // What does not fit 64 bits is no amount of TAO: it shows as the largest one, and the line above says it is broken.
    let shown = |rao: u128| u64::try_from(rao).unwrap_or(u64::MAX);
    Sum {
        contract,
        parts: parts.into_iter().map(|(what, rao)| (what, shown(rao))).collect(),
        owed_rao: shown(owed),
        liabilities_rao: books.liabilities_rao,
        seed_rao,
        balance_wei: books.balance_wei.to_string(),
        surplus_wei: surplus.map(|surplus| surplus.to_string()),
    }
}

/// Seconds bought, not refunded, not claimed and not faulted. Zero where the counts contradict each other; the rental
/// then has a finding of its own.
fn unclaimed_secs(r: &Rental) -> u128 {
    let length = u128::from(r.end.saturating_sub(r.start));
    length.saturating_sub(u128::from(r.claimed_secs) + u128::from(r.faulted_secs))
}

fn cost(bid: &Bid) -> u128 {
    u128::from(bid.max_price_rao) * u128::from(bid.duration_secs)
}

/// Invariant 2, and 5 as far as a snapshot shows it.
fn rentals(all: &Snapshot, lines: &mut Lines) {
    let before = lines.all.len();
    let mut undecided: BTreeMap<u64, u128> = BTreeMap::new();
    for case in all.cases.iter().filter(|case| UNDECIDED.contains(&case.status)) {
        *undecided.entry(case.rental).or_default() += u128::from(case.withheld_secs);
    }
    let mut told = 0;
    for (id, rental) in (1u64..).zip(&all.rentals) {
        let mut wrong = wrong_with_rental(rental, undecided.get(&id).copied().unwrap_or_default());
        wrong.extend(
            rental
                .faults
                .iter()
                .filter(|fault| !has_case(all, id, fault.case))
                .map(|fault| format!("a fault names case {}, which is not of this rental", fault.case)),
        );
        let node = rental.registration.checked_sub(1).and_then(|index| all.nodes.get(usize::try_from(index).ok()?));
        match node {
            None => wrong.push(format!("its node {} does not exist", rental.registration)),
            Some(node) if !rental.closed && !node.open_rentals.contains(&id) => {
                wrong.push(format!("it is not closed, and node {} does not back it", rental.registration));
            }
            Some(_) => {}
        }
        tell(lines, &mut told, wrong.into_iter().map(|what| format!("rental {id}: {what}")));
    }
    rest(lines, told, "rentals");
    let secs: u128 = all.rentals.iter().map(|rental| u128::from(rental.bought_secs)).sum();
    lines.holds_unless_found(
        before,
        format!(
            "{} rentals: {secs} seconds bought = refunded + claimed + withheld + unclaimed, in each of them",
            all.rentals.len()
        ),
    );
}

fn has_case(all: &Snapshot, rental: u64, case: u64) -> bool {
    let found = case.checked_sub(1).and_then(|index| all.cases.get(usize::try_from(index).ok()?));
    found.is_some_and(|found| found.rental == rental)
}

fn wrong_with_rental(r: &Rental, undecided_secs: u128) -> Vec<String> {
    let mut wrong = Vec::new();
    let length = u64::from(r.end.saturating_sub(r.start));
    let mut unless = |good: bool, what: String| {
        if !good {
            wrong.push(what);
        }
    };
    unless(r.start <= r.end, format!("it ends at {} before it starts at {}", r.end, r.start));
    unless(length <= r.bought_secs.into(), format!("{length} s long, {} s bought", r.bought_secs));
    let spent = u64::from(r.claimed_secs) + u64::from(r.faulted_secs);
    unless(spent <= length, format!("{spent} s claimed or withheld of {length} s"));
    unless(!r.closed || spent == length, format!("closed with {spent} s claimed or withheld of {length} s"));
    unless(r.open_secs <= r.faulted_secs, format!("{} s undecided, {} s withheld", r.open_secs, r.faulted_secs));
    let in_cases = undecided_secs == u128::from(r.open_secs);
    unless(in_cases, format!("{} s undecided, {undecided_secs} s in undecided cases", r.open_secs));
    let counted = usize::from(r.fault_count) == r.faults.len();
    unless(counted, format!("{} faults, {} counted", r.faults.len(), r.fault_count));
    let faulted: u64 = r.faults.iter().map(|fault| u64::from(fault.until.saturating_sub(fault.from))).sum();
    unless(faulted == u64::from(r.faulted_secs), format!("faults of {faulted} s, {} s withheld", r.faulted_secs));
    let inside = r.faults.iter().all(|fault| r.start <= fault.from && fault.from < fault.until && fault.until <= r.end);
    unless(inside, "a fault outside of it, or of no length".into());
    let ascending = r.faults.windows(2).all(|pair| matches!(pair, [a, b] if a.until <= b.from));
    unless(ascending, "faults that overlap, or are out of order".into());
    wrong
}

/// Invariant 3 and the bond behind rentals and cases.
fn nodes(all: &Snapshot, lines: &mut Lines) {
    let before = lines.all.len();
    let mut pending: BTreeMap<u32, u128> = BTreeMap::new();
    for case in all.cases.iter().filter(|case| is_pending(case)) {
        *pending.entry(case.registration).or_default() += u128::from(case.penalty_rao);
    }
    let mut told = 0;
    for (id, node) in (1u32..).zip(&all.nodes) {
        let held = pending.get(&id).copied().unwrap_or_default();
        let wrong = wrong_with_node(all, id, node, held);
        tell(lines, &mut told, wrong.into_iter().map(|what| format!("node {id}: {what}")));
    }
    rest(lines, told, "nodes");
    lines.holds_unless_found(
        before,
        format!("{} nodes: what is behind rentals and in cases is what rentals and cases say", all.nodes.len()),
    );
}

fn is_pending(case: &Case) -> bool {
    PENDING.contains(&case.status)
}

fn wrong_with_node(all: &Snapshot, id: u32, node: &Node, pending_rao: u128) -> Vec<String> {
    let mut wrong = Vec::new();
    if u128::from(node.held_rao) != pending_rao {
        wrong.push(format!("{} rao held, {pending_rao} rao in its pending cases", node.held_rao));
    }
    let backing: u128 = node.backing_rao.iter().map(|rao| u128::from(*rao)).sum();
    if u128::from(node.reserved_rao) != backing {
        wrong.push(format!("{} rao reserved, {backing} rao behind its open rentals", node.reserved_rao));
    }
    for rental in &node.open_rentals {
        let found = rental.checked_sub(1).and_then(|index| all.rentals.get(usize::try_from(index).ok()?));
        if !found.is_some_and(|found| found.registration == id && !found.closed) {
            wrong.push(format!("it backs rental {rental}, which is closed or not its own"));
        }
    }
    let bonded = [node.free_rao, node.reserved_rao, node.held_rao, node.exiting_rao].iter().any(|rao| *rao != 0);
    if node.retired && (bonded || !node.open_rentals.is_empty()) {
        wrong.push("retired, and not empty".into());
    }
    wrong
}

fn tell(lines: &mut Lines, told: &mut usize, wrong: impl Iterator<Item = String>) {
    for what in wrong {
        *told += 1;
        if *told <= TOLD_MAX {
            lines.broken(what);
        }
    }
}

fn rest(lines: &mut Lines, told: usize, of: &str) {
    if told > TOLD_MAX {
        lines.broken(format!("and {} more findings in {of}", told - TOLD_MAX));
    }
}

#[cfg(test)]
mod tests;
