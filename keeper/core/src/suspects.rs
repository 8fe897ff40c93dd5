//! Which machines fail at present: the chain is asked about them at every block, whether or not a log told of them. A
//! call without an Ethereum transaction leaves none, and a machine that moved that way, or a rental that ended, would
//! be looked for at the wrong place.

use crate::state::State;
use crate::types::{MachineId, RentalId};

/// A machine that failed when last looked at, and the rental it was looked at for.
pub type Suspect = (MachineId, Option<RentalId>);

/// Machines that failed when last looked at, by identity; at most as many as are watched.
pub fn suspects(state: &State) -> impl Iterator<Item = Suspect> {
    let failing = state.watches.awake().filter(|(_, watch)| watch.suspected);
    failing.map(|(machine, watch)| (*machine, watch.tenancy.as_ref().map(|tenancy| tenancy.rental)))
}
