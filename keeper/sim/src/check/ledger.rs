//! Money and seconds, after every block.

use crate::chain::contracts::{Case, Contracts, PRICE_RAO, Rental};
use crate::chain::court::bonded;
use crate::env::Env;
use std::rc::Rc;
use surety_core::types::Kind;

/// No rao is made or lost, no second is withheld twice, no penalty is above its reserve.
pub(crate) fn on_block(env: &mut Env) {
    let block = env.chain.newest().clone();
    let (inside, paid_in) = (held_rao(&block.state), block.state.ledger.paid_in_rao);
    env.check.require(inside == paid_in, || format!("{paid_in} rao came in, {inside} are accounted for"));
    // A rental that is the very one of the last block was looked at then; a case against it makes it another.
    let last = env.check.ledger_seen.replace(block.clone());
    for (id, rental) in &block.state.rentals {
        let before = last.as_ref().and_then(|last| last.state.rentals.get(id));
        if before.is_some_and(|before| Rc::ptr_eq(before, rental)) {
            continue;
        }
        let sound = is_sound(rental);
        env.check.require(sound, || format!("the seconds of rental {} do not add up: {rental:?}", rental.view.id));
        let penalties: u64 = penalties(&block.state, rental.view.id);
        let ever = rental.reserve_ever_rao;
        env.check.require(penalties <= ever, || format!("penalties of {penalties} rao against a reserve of {ever}"));
    }
}

fn penalties(state: &Contracts, rental: u64) -> u64 {
    // What `Spoofed` takes is from all of the node's bond.
    let of_it = |case: &&Rc<Case>| case.view.rental == rental && case.view.kind != Kind::Spoofed;
    state.cases.values().filter(of_it).map(|case| case.view.penalty_rao).sum()
}

fn held_rao(state: &Contracts) -> u64 {
    let ledger = &state.ledger;
    let bonds: u64 = state.nodes.values().map(|node| bonded(node)).sum();
    let appeals: u64 = state.cases.values().map(|case| case.appeal_bond_rao).sum();
    let owed: u64 = state.rentals.values().map(|rental| (unclaimed_secs(rental) + rental.open_secs) * PRICE_RAO).sum();
    let bids: u64 = state.bids.values().map(|bid| bid.paid_rao()).sum();
    let paid: u64 = ledger.miners_rao.values().sum();
    bonds + appeals + owed + bids + paid + ledger.renters_rao + ledger.to_burn_rao + ledger.burned_rao
}

fn unclaimed_secs(rental: &Rental) -> u64 {
    (rental.view.end_secs - rental.view.start_secs).saturating_sub(rental.view.claimed_secs + rental.faulted_secs())
}

fn is_sound(rental: &Rental) -> bool {
    let view = &rental.view;
    let faulted = rental.faulted_secs();
    let decided = faulted == rental.open_secs + rental.lost_secs + rental.returned_secs;
    let within = view.claimed_secs + faulted <= view.end_secs - view.start_secs;
    let inside = view.faults.iter().all(|fault| {
        view.start_secs <= fault.from_secs && fault.from_secs < fault.until_secs && fault.until_secs <= view.end_secs
    });
    let disjoint = view.faults.windows(2).all(|pair| pair[0].until_secs <= pair[1].from_secs);
    decided && within && inside && disjoint
}
