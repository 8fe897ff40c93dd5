//! What a keeper waits for is on its way.

use crate::env::Env;
use crate::keeper::Keeper;
use surety_core::effect::EffectId;
use surety_core::state::State;

/// A transaction that the core takes for under way has a row that has not reached its end, or nobody will ever make
/// it anew.
pub(crate) fn on_keeper(env: &mut Env, keeper: &Keeper) {
    let Some(state) = keeper.state() else { return };
    let index = keeper.index;
    for (what, id) in waits_for(state) {
        let open = keeper.disk.is_open(&id);
        env.check.require(open, || format!("keeper {index} waits for {what} {id}, which has ended"));
    }
}

fn waits_for(state: &State) -> impl Iterator<Item = (&'static str, EffectId)> {
    let filings = state.court.dockets.values().filter_map(|docket| docket.filing);
    let spoofs = state.spoofs.values().filter_map(|file| file.filing);
    let settling = state.settle.cases.values().filter_map(|work| work.in_flight);
    let payout = state.payout.in_flight;
    let filings = filings.chain(spoofs).map(|id| ("the filing", id));
    filings.chain(settling.map(|id| ("the execution", id))).chain(payout.map(|id| ("the payout", id)))
}
