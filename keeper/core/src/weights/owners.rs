//! Who belongs together: machines of one hotkey, machines of one address, hotkeys of one coldkey, and what those link.
//!
//! The chain associates an address with a hotkey only when both keys sign, and a hotkey becomes a coldkey's only when
//! the coldkey signs; from then on the coldkey gets what the hotkey earns. So nobody can be tied to a stranger: whoever
//! registered his own hotkey under somebody else's coldkey would need that one's signature. A link through several
//! steps counts as one: a fleet behind three hotkeys and one address is one owner.

use super::fleet::Fleet;
use crate::types::{Account, Coldkey, Hotkey};
use std::collections::BTreeMap;

/// One of the names that a machine's owner has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Owner {
    /// By hotkey.
    Hotkey(Hotkey),
    /// By address.
    Miner(Account),
    /// By coldkey.
    Coldkey(Coldkey),
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
        for (hotkey, coldkey) in &fleet.coldkeys {
            owners.link_coldkey(*hotkey, *coldkey);
        }
        owners
    }

    /// A machine that is no more has the address zero; that links nobody.
    fn link(&mut self, hotkey: Hotkey, miner: Account) {
        if miner != Account::default() && hotkey != Hotkey::default() {
            self.join(Owner::Hotkey(hotkey), Owner::Miner(miner));
        }
    }

    /// A hotkey that nobody owns (any more) has the coldkey zero, by the chain's own default.
    fn link_coldkey(&mut self, hotkey: Hotkey, coldkey: Coldkey) {
        if coldkey != Coldkey::default() && hotkey != Hotkey::default() {
            self.join(Owner::Hotkey(hotkey), Owner::Coldkey(coldkey));
        }
    }

    fn join(&mut self, one: Owner, other: Owner) {
        let (one, other) = (self.root(one), self.root(other));
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
