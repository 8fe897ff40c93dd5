//! Nodes and their bonds: registering, exits, retiring. See `contracts/SPEC.md`, section 4.

use super::contracts::{Contracts, Reverts, offer};
use std::rc::Rc;
use surety_core::types::{Account, Endpoint, MachineId, Rao, UnixSecs};
use surety_core::view::NodeView;

/// An exit under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exit {
    pub(crate) ready_secs: UnixSecs,
}

impl Contracts {
    /// A new node, of a machine that has none or a retired one. Nothing of an older one is inherited.
    pub(crate) fn register(
        &mut self,
        machine: MachineId,
        miner: Account,
        endpoint: Endpoint,
        bond_rao: Rao,
    ) -> Result<(), Reverts> {
        if self.nodes.get(&machine).is_some_and(|node| node.miner != Account::default()) {
            return Err("CollateralVault_Registered");
        }
        self.registrations += 1;
        let node = NodeView {
            machine,
            miner,
            registration: self.registrations,
            endpoint: Some(endpoint),
            free_rao: bond_rao,
            reserved_rao: 0,
            held_rao: 0,
            exiting_rao: 0,
            offer: Some(offer()),
            last_rental: 0,
        };
        self.ledger.paid_in_rao += bond_rao;
        self.nodes.insert(machine, Rc::new(node));
        self.logged(machine);
        Ok(())
    }

    /// Free bond leaves, in a while. A second request replaces the first.
    pub(crate) fn request_exit(&mut self, machine: &MachineId, amount_rao: Rao, now: UnixSecs) -> Result<(), Reverts> {
        let ready_secs = now + self.params.exit_delay_secs;
        let node = self.node(machine)?;
        let most_rao = node.free_rao + node.exiting_rao;
        if amount_rao == 0 || amount_rao > most_rao || node.miner == Account::default() {
            return Err("CollateralVault_BadExit");
        }
        (node.exiting_rao, node.free_rao) = (amount_rao, most_rao - amount_rao);
        self.exits.insert(*machine, Exit { ready_secs });
        Ok(())
    }

    pub(crate) fn cancel_exit(&mut self, machine: &MachineId) -> Result<(), Reverts> {
        self.exits.remove(machine).ok_or("CollateralVault_NoExit")?;
        let node = self.node(machine)?;
        node.free_rao += std::mem::take(&mut node.exiting_rao);
        Ok(())
    }

    /// An exit that was not taken in time counts as free again.
    pub(crate) fn lapse(&mut self, machine: &MachineId, now: UnixSecs) {
        let window_secs = self.params.exit_window_secs;
        let lapsed = self.exits.get(machine).is_some_and(|exit| now > exit.ready_secs + window_secs);
        if lapsed {
            self.cancel_exit(machine).ok();
        }
    }

    pub(crate) fn withdraw(&mut self, machine: &MachineId, now: UnixSecs) -> Result<(), Reverts> {
        let window_secs = self.params.exit_window_secs;
        let exit = self.exits.get(machine).ok_or("CollateralVault_NoExit")?;
        if now < exit.ready_secs || now > exit.ready_secs + window_secs {
            return Err("CollateralVault_NotReady");
        }
        self.exits.remove(machine);
        let node = self.node(machine)?;
        let (amount_rao, miner) = (std::mem::take(&mut node.exiting_rao), node.miner);
        self.pay(miner, amount_rao);
        self.note("exits");
        Ok(())
    }

    /// Nothing is left of it: no bond in any part, no rental that is not closed.
    pub(crate) fn retire(&mut self, machine: &MachineId) -> Result<(), Reverts> {
        let open = self.rentals.values().any(|rental| rental.view.machine == *machine && !rental.view.closed);
        let node = self.nodes.get(machine).ok_or("CollateralVault_UnknownMachine")?;
        if open || super::court::bonded(node) > 0 || node.miner == Account::default() {
            return Err("CollateralVault_NotEmpty");
        }
        let node = self.node(machine)?;
        (node.miner, node.offer) = (Account::default(), None);
        self.note("machines retired");
        Ok(())
    }

    /// A log tells of the machine: whoever reads logs reads its view anew.
    pub(crate) fn logged(&mut self, machine: MachineId) {
        *self.logs.entry(machine).or_default() += 1;
    }

    /// By a call that is no Ethereum transaction, which leaves no log (D7).
    pub(crate) fn move_silently(&mut self, machine: &MachineId, endpoint: Endpoint) -> Result<(), Reverts> {
        let node = self.nodes.get_mut(machine).map(Rc::make_mut).ok_or("CollateralVault_UnknownMachine")?;
        node.endpoint = Some(endpoint);
        self.note("moves without a log");
        Ok(())
    }
}
