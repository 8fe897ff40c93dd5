//! What miners do with their bond: take it out, retire a machine that is empty, register it again.

use super::Actors;
use crate::chain::contracts::Call;
use crate::chain::court::bonded;
use crate::env::{Env, account};
use crate::world::BOND_RAO;
use surety_core::types::{Account, MachineId};

impl Actors {
    /// One machine's owner has its turn.
    pub(super) fn miner(&mut self, env: &mut Env, number: u64, machine: MachineId) {
        let block = env.chain.newest().clone();
        let Some(node) = block.state.nodes.get(&machine) else { return };
        let rented = super::running(&block.state, &machine, env.now).is_some();
        let ready_secs = block.state.exits.get(&machine).map(|exit| exit.ready_secs);
        let most_rao = node.free_rao + node.exiting_rao;
        let starts = self.more.chance(env.options.exits_ppm * if rented { 1 } else { 10 } / 10);
        let call = if node.miner == Account::default() {
            // Sold, now and then.
            let owner = if self.more.percent(30) { number + 1 } else { number };
            let miner = account("miner", owner % env.options.owners);
            let endpoint = self.next_address(number);
            Call::Register { machine, miner, endpoint, bond_rao: BOND_RAO }
        } else if bonded(node) == 0 && !rented {
            Call::Retire { machine }
        } else if ready_secs.is_some_and(|ready_secs| ready_secs <= env.now) && self.more.percent(60) {
            Call::Withdraw { machine }
        } else if ready_secs.is_some() && self.more.percent(10) {
            Call::CancelExit { machine }
        } else if ready_secs.is_none() && most_rao > 0 && starts {
            // All of it, or a part.
            let amount_rao = if self.more.percent(70) { most_rao } else { self.more.range(1, most_rao) };
            return env.chain.pending.push(Call::RequestExit { machine, amount_rao });
        } else {
            return;
        };
        if self.more.percent(12) {
            env.chain.pending.push(call);
        }
    }
}
