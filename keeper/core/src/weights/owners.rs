//! Who belongs together: machines of one hotkey, machines of one address, and what those link.
//!
//! The chain associates an address with a hotkey only when both keys sign, so nobody can be tied to a stranger. A link
//! through several steps counts as one: a fleet behind three hotkeys and one address is one owner.

use super::fleet::Fleet;
use crate::types::{Account, Hotkey};
use std::collections::BTreeMap;

/// One of the two names that a machine's owner has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Owner {
    /// By hotkey.
    Hotkey(Hotkey),
    /// By address.
    Miner(Account),
}

/// A forest: whoever belongs together has one root, the least name among them.
#[derive(Default)]
pub(super) struct Owners {
    parents: BTreeMap<Owner, Owner>,
}

impl Owners {
    /// All owners of a fleet, those of former registrations too.
    pub(super) fn of(fleet: &Fleet) -> Self {
        let mut owners = Self::default();
        for one in &fleet.machines {
            owners.link(one.hotkey, one.miner);
        }
        for past in &fleet.past_spoofs {
            owners.link(past.hotkey, past.miner);
        }
        owners
    }

    /// A machine that is no more has the address zero; that links nobody.
    fn link(&mut self, hotkey: Hotkey, miner: Account) {
        if miner == Account::default() || hotkey == Hotkey::default() {
            return;
        }
        let (one, other) = (self.root(Owner::Hotkey(hotkey)), self.root(Owner::Miner(miner)));
        if one != other {
            self.parents.insert(one.max(other), one.min(other));
        }
    }

    /// The owner that stands for all names linked to this one.
    pub(super) fn root(&mut self, name: Owner) -> Owner {
        let mut at = name;
        while let Some(parent) = self.parents.get(&at).copied() {
            if let Some(above) = self.parents.get(&parent).copied() {
                // Shortens the way for the next one; the root stays what it is.
                self.parents.insert(at, above);
            }
            at = parent;
        }
        at
    }

    /// The owner of a machine.
    pub(super) fn owner(&mut self, hotkey: Hotkey, miner: Account) -> Owner {
        let zero = hotkey == Hotkey::default();
        self.root(if zero { Owner::Miner(miner) } else { Owner::Hotkey(hotkey) })
    }
}
