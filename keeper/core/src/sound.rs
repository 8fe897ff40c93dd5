//! Whether a state agrees with itself: what is derived and kept in step by hand is made anew and compared. Tests and
//! the simulator ask it; a keeper in service need not.

use crate::state::State;
use crate::world::Snapshot;

impl State {
    /// What does not fit, if anything.
    ///
    /// # Errors
    /// One sentence naming it: a bug of this crate.
    pub fn sound(&self) -> Result<(), &'static str> {
        let require = |holds: bool, what: &'static str| if holds { Ok(()) } else { Err(what) };
        require(self.watches.is_derived_rightly(), "an index of watches is not what its watches give")?;
        require(self.cards.is_derived_rightly(), "an index of cards' records is not what its records give")?;
        for view in [&self.world.best, &self.world.finalized] {
            require(view.rentals.is_derived_rightly(), "an index of rentals is not what its rentals give")?;
            require(view.cases.is_derived_rightly(), "the open cases are not those that are not decided")?;
        }
        require(inventories_listed(self), "a machine was asked about its cards and is not listed")?;
        let asked = self.capacity.iter().filter(|(_, one)| one.in_flight.is_some()).map(|(machine, _)| machine);
        require(self.agenda.in_flight().eq(asked), "the agenda lists other measurements than are in flight")?;
        require(self.watches_refused || tenancies_begun(self), "a rental runs and nobody looks at its machine")?;
        require(tenancies_ended(self), "a machine is looked at for a rental that does not run")?;
        require(cards_follow(self), "records about cards are not those of delivered tenancies")
    }
}

fn inventories_listed(state: &State) -> bool {
    let (now_ms, timeout_ms) = (state.clock.now_ms, state.config.rules.look_timeout_ms);
    state.cards.iter().all(|(machine, record)| {
        let waits = record.in_flight.is_some_and(|flight| now_ms.saturating_sub(flight.asked_ms) <= timeout_ms);
        !waits || state.inventories.contains(machine)
    })
}

fn tenancies_begun(state: &State) -> bool {
    let best = &state.world.best;
    best.running().all(|rental| {
        let watch = state.watches.get(&rental.machine);
        watch.is_some_and(|watch| watch.tenancy.is_some())
    })
}

fn runs(best: &Snapshot, machine: &crate::types::MachineId, rental: u64) -> bool {
    best.running_on(machine).is_some_and(|running| running.id == rental)
}

fn tenancies_ended(state: &State) -> bool {
    state.watches.iter().all(|(machine, watch)| {
        let ended = watch.tenancy.as_ref().is_some_and(|one| !runs(&state.world.best, machine, one.rental));
        !ended || watch.ending
    })
}

fn cards_follow(state: &State) -> bool {
    let begun = state.watches.iter().all(|(machine, watch)| {
        let delivered = watch.tenancy.as_ref().is_some_and(|tenancy| tenancy.delivered_secs.is_some());
        !delivered || state.cards.get(machine).is_some_and(|record| record.tenancy.is_some())
    });
    let ended = state.cards.iter().all(|(machine, record)| {
        let rental = record.tenancy.as_ref().map(|tenancy| tenancy.rental);
        let watched = state.watches.get(machine).and_then(|watch| watch.tenancy.as_ref()).map(|one| one.rental);
        rental.is_none() || rental == watched || record.ending
    });
    begun && ended
}
