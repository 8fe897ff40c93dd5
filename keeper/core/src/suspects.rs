//! Whose views are read anew at every block, logs or no logs.
//!
//! Logs say where to look, but a call that is no Ethereum transaction leaves none: a miner who moves a machine, or a
//! renter who leaves it, in such a way is noticed only when everything is read. Until then a keeper would look at the
//! old address, or look for a renter who is gone, and call that an outage. So whatever fails is read again first.

use crate::state::State;
use crate::types::{MachineId, RentalId};

/// Most machines read again at one block. When more fail they take turns; a turn comes round long before an outage is
/// old enough to end a rental (8,192 machines in 16 blocks).
pub const SUSPECTS_READ_MAX: usize = 512;

/// Machines that fail at present, with the rental they are looked at for.
pub fn suspects(state: &State) -> Vec<(MachineId, RentalId)> {
    let failing = state.watches.iter().filter(|(_, watch)| watch.suspected);
    let all: Vec<(MachineId, RentalId)> =
        failing.filter_map(|(machine, watch)| Some((*machine, watch.tenancy.as_ref()?.rental))).collect();
    let turns = std::cmp::max(all.len().div_ceil(SUSPECTS_READ_MAX), 1) as u64;
    let turn = usize::try_from(state.world.best.block.number % turns).unwrap_or(0);
    all.into_iter().skip(turn * SUSPECTS_READ_MAX).take(SUSPECTS_READ_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::machine;
    use crate::watch::{Tenancy, Watch};
    use std::collections::BTreeSet;

    fn fails(rental: RentalId, suspected: bool) -> Watch {
        let tenancy = Some(Tenancy { rental, delivered_secs: None, last_signed: None });
        Watch { tenancy, suspected, ..Watch::default() }
    }

    #[test]
    fn machines_that_fail_are_read_again_with_their_rentals() {
        let mut state = crate::fixtures::state(0);
        state.watches.insert(machine(1), fails(7, true));
        state.watches.insert(machine(2), fails(8, false));
        state.watches.insert(machine(3), Watch { suspected: true, ..Watch::default() });
        assert_eq!(suspects(&state), vec![(machine(1), 7)]);
    }

    #[test]
    fn when_too_many_fail_each_has_its_turn() {
        let mut state = crate::fixtures::state(0);
        let id = |number: u64| {
            let mut id = machine(1);
            id.0[..8].copy_from_slice(&number.to_be_bytes());
            id
        };
        (0..1_300).for_each(|number| drop(state.watches.insert(id(number), fails(number, true))));
        let mut read = BTreeSet::new();
        for block in 0..3 {
            state.world.best.block.number = block;
            let turn = suspects(&state);
            assert!(turn.len() <= SUSPECTS_READ_MAX);
            read.extend(turn);
        }
        assert_eq!(read.len(), 1_300);
    }
}
