//! The owner of the keeper set: weights change, keepers are dismissed and appointed again, at any moment between a
//! signature and the filing that rests on it.

use crate::chain::contracts::Call;
use crate::env::Env;
use crate::options::{Role, is_quorum};
use crate::rng::{Episodes, Rng};
use std::rc::Rc;

/// The owner.
#[derive(Debug)]
pub(super) struct Owner {
    rng: Rng,
    turns: Episodes,
}

impl Owner {
    pub(super) fn new(env: &Env, seed: u64) -> Self {
        let gap_secs = env.options.faults.keepers_gap_secs;
        let turns = Episodes::new(Rng::new(seed, "owner-turns", 0), gap_secs, (1, 1), env.now);
        Self { rng: Rng::new(seed, "owner", 0), turns }
    }

    /// Makes a change now and then, as long as the strong stay a quorum where they are one. The last one must be final:
    /// a fork that turned two of them round could make a set that was never meant.
    pub(super) fn second(&mut self, env: &mut Env) {
        let waits = env.chain.pending.iter().any(|call| matches!(call, Call::SetKeeper { .. }));
        let (newest, last) = (env.chain.newest(), env.chain.block(env.chain.final_number()));
        if !self.turns.on(env.now) || waits || !Rc::ptr_eq(&newest.state.keepers, &last.state.keepers) {
            return;
        }
        let mut keepers = env.chain.newest().state.keepers.to_vec();
        let at = self.rng.index(keepers.len());
        let Some(keeper) = keepers.get_mut(at) else { return };
        match self.rng.below(3) {
            0 => keeper.weight = self.rng.range(1, 100),
            _ => keeper.active = !keeper.active,
        }
        let (account, weight, active) = (keeper.account, keeper.weight, keeper.active);
        let counts = keepers.iter().zip(&env.options.roles).filter(|(keeper, _)| keeper.active);
        let (weights, strong): (Vec<u64>, Vec<bool>) =
            counts.map(|(keeper, role)| (keeper.weight, *role == Role::Strong)).unzip();
        if !env.options.can_progress() || is_quorum(&weights, &strong) {
            env.event(|| format!("keeper {at} has weight {weight} from now on, active: {active}"));
            env.chain.pending.push(Call::SetKeeper { account, weight, active });
        }
    }
}
