//! How long until the next look.

use super::Watch;
use crate::effect::EffectId;
use crate::ids::scatter;
use crate::judge::least_length_secs;
use crate::state::Sight;
use crate::types::{Kind, UnixSecs};
use crate::view::RentalView;

/// A keeper that saw an outage first waits so much longer than the minimum before the look that makes it long enough.
/// Keepers see an outage begin within a few seconds of one another (hints), and what counts is from the last of them
/// on: a look at the minimum itself would nearly always be short by those seconds, and the next comes 10 s later.
const APART_SECS: u64 = 6;

/// Milliseconds from one look, asked for now, to the next.
pub(super) fn wait_ms(sight: &Sight<'_>, watch: &Watch, rental: &RentalView, id: EffectId) -> u64 {
    let rules = &sight.config.rules;
    if !watch.suspected {
        let jitter = scatter(&[&sight.config.me.0, &id.0], rules.look_jitter_ms.saturating_mul(2));
        return rules.look_every_ms.saturating_sub(rules.look_jitter_ms).saturating_add(jitter);
    }
    let pace_ms = rules.suspect_every_ms;
    let decisive_ms = long_enough_at(sight, watch, rental)
        .map(|at_secs| at_secs.saturating_sub(sight.clock.now_secs()).saturating_mul(1_000));
    // The look before it is left out where both do not fit.
    decisive_ms.filter(|ms| pace_ms < *ms && *ms < pace_ms.saturating_mul(2)).unwrap_or(pace_ms)
}

/// When a look shows the present outage to be long enough for a case that ends the rental.
fn long_enough_at(sight: &Sight<'_>, watch: &Watch, rental: &RentalView) -> Option<UnixSecs> {
    let rules = &sight.config.rules;
    let from_secs = watch.streak.as_ref()?.looks().first()?.at_secs;
    let least_secs = |kind| least_length_secs(kind, rules, sight.times);
    let delivered = watch.tenancy.as_ref().is_some_and(|tenancy| tenancy.delivered_secs.is_some());
    let watched = from_secs.saturating_sub(rental.start_secs) <= rules.first_look_lag_secs;
    if !delivered && watched {
        return Some(rental.start_secs.saturating_add(least_secs(Kind::NotDelivered)?));
    }
    Some(from_secs.saturating_add(least_secs(Kind::Offline)?).saturating_add(APART_SECS))
}
