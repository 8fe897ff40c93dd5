//! Memory within its bounds.

use crate::env::Env;
use surety_core::limits::{
    CASES_MAX, COURT_RENTALS_MAX, FINISHED_MAX, HOSTS_MAX, INTERRUPTED_PER_SIGNER_MAX, NODES_MAX, PROVISIONAL_MAX,
    RENTALS_MAX, STREAK_LOOKS_MAX, WATCHES_MAX,
};
use surety_core::state::State;

pub(crate) fn on_state(env: &mut Env, state: &State) {
    let why = beyond(state);
    env.check.require(why.is_none(), || format!("beyond its bounds: {why:?}"));
    let sound = state.sound();
    env.check.require(sound.is_ok(), || format!("a state does not agree with itself: {sound:?}"));
}

fn beyond(state: &State) -> Option<&'static str> {
    let watches_fit = state.watches.values().all(|watch| {
        let streak = watch.streak.as_ref().map_or(0, |streak| streak.looks().len());
        watch.finished.len() <= FINISHED_MAX && watch.provisional.len() <= PROVISIONAL_MAX && streak <= STREAK_LOOKS_MAX
    });
    // Of the two ending kinds one each.
    let signer_max = INTERRUPTED_PER_SIGNER_MAX + 2;
    let dockets = &state.court.dockets;
    let dockets_fit = dockets.values().all(|docket| docket.attestations.values().all(|kept| kept.len() <= signer_max));
    let world = &state.world;
    let world_fits = [&world.best, &world.finalized].into_iter().all(|view| {
        view.nodes.len() <= NODES_MAX && view.rentals.len() <= RENTALS_MAX && view.cases.len() <= CASES_MAX
    });
    match () {
        () if !watches_fit || state.watches.len() > WATCHES_MAX => Some("watches"),
        () if !dockets_fit || dockets.len() > COURT_RENTALS_MAX => Some("dockets"),
        () if !world_fits => Some("world"),
        () if state.hosts.len() > HOSTS_MAX => Some("hosts"),
        () => None,
    }
}
