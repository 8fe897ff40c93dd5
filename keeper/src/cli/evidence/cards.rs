//! What a machine said about its cards: under its own signature, so no keeper has to be believed for it.

use crate::adapters::ssh::is_signed;
use surety_core::evidence::{Evidence, Outage};
use surety_core::input::Observation;

/// Whether each statement about cards was signed by the machine in answer to this keeper's question; `None` when the
/// outage does not rest on any.
pub(super) fn check(evidence: &Evidence, outage: &Outage) -> Option<Result<String, String>> {
    let mut fewest: Option<usize> = None;
    for look in &outage.looks {
        let Observation::CardsStated { statement, .. } = &look.seen else { continue };
        let machine = &outage.rental.machine;
        if !is_signed(statement, evidence.chain_id, machine, &evidence.keeper, &look.id) {
            return Some(Err(format!("a statement about cards at {} is not signed by the machine", look.at_secs)));
        }
        let count = statement.cards.len();
        fewest = Some(fewest.map_or(count, |fewest| fewest.min(count)));
    }
    let rented = outage.rental.gpu_count;
    Some(Ok(format!("the machine's own host key signed that it has {} of {rented} cards", fewest?)))
}
