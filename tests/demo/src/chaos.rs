//! Keepers killed at random moments and started again at once. The story must come out the same.

use crate::keepers::Keeper;
use crate::seed::Seed;
use crate::show::Show;
use anyhow::Result;
use rand_core::RngCore;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Kills fall within this long after the keepers are up: measuring, watching, signing, filing and executing are all
/// in it.
const SPAN_MS: u64 = 45_000;

/// When which keeper is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blow {
    /// After the keepers are up.
    pub at_ms: u64,
    /// Index of the keeper.
    pub keeper: usize,
}

/// `count` blows drawn from the seed, in order of time.
pub fn plan(seed: Seed, count: u32, keepers: usize) -> Vec<Blow> {
    let mut rng = seed.rng("kills");
    let mut draw = |below: u64| rng.next_u64() % below;
    let blow =
        |_| Blow { at_ms: draw(SPAN_MS), keeper: usize::try_from(draw(keepers.max(1) as u64)).unwrap_or_default() };
    let mut blows: Vec<Blow> = (0..count).map(blow).collect();
    blows.sort_unstable();
    blows
}

/// Carries the blows out; the handle ends when all are done.
pub fn start(blows: Vec<Blow>, keepers: Arc<Vec<Keeper>>, show: Show) -> JoinHandle<Result<()>> {
    let began = Instant::now();
    tokio::spawn(async move {
        for blow in blows {
            tokio::time::sleep_until(began + Duration::from_millis(blow.at_ms)).await;
            let Some(keeper) = keepers.get(blow.keeper) else { continue };
            keeper.check_alive()?;
            keeper.start()?;
            let text = format!("{} is killed with SIGKILL and started again", keeper.name);
            show.say("keeper_killed", &text, json!({ "keeper": keeper.name, "planned_ms": blow.at_ms }));
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_plans_the_same_blows_in_order_of_time() {
        let blows = plan(Seed(5), 20, 3);
        assert_eq!(blows, plan(Seed(5), 20, 3));
        assert_ne!(blows, plan(Seed(6), 20, 3));
        assert!(blows.is_sorted());
        assert!((0..3).all(|keeper| blows.iter().any(|blow| blow.keeper == keeper)));
        assert!(blows.iter().all(|blow| blow.at_ms < SPAN_MS));
    }
}
