//! Machines that fail are read at every best block, logs or no logs: a `setEndpoint` that leaves none (D7) is seen
//! before anybody is accused of being away from where it was.

use super::Follower;
use super::touched::Touched;
use std::sync::{Arc, PoisonError, RwLock};
use surety_core::suspects::Suspect;

/// Most machines read for this at one block, some seven calls each; of more each has its turn.
const SUSPECTS_AT_ONCE: usize = 64;

/// Machines that failed when last looked at, by identity; shared by the loop that knows them.
pub type Suspects = Arc<RwLock<Vec<Suspect>>>;

impl Follower {
    /// Reads these machines and their rentals with every block.
    #[must_use]
    pub fn with_suspects(self, suspects: Suspects) -> Self {
        Self { suspects, ..self }
    }

    /// Those whose turn it is.
    pub(super) fn suspected(&mut self) -> Touched {
        let suspects = self.suspects.read().unwrap_or_else(PoisonError::into_inner);
        let after = |last| suspects.partition_point(|(machine, _)| *machine <= last);
        let first = self.suspect_last.map_or(0, after);
        let turn = suspects.iter().cycle().skip(first).take(SUSPECTS_AT_ONCE.min(suspects.len()));
        let mut touched = Touched::default();
        for (machine, rental) in turn {
            touched.machines.insert(*machine);
            touched.rentals.extend(rental);
            self.suspect_last = Some(*machine);
        }
        touched
    }
}
