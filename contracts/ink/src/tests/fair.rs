//! What is fairly whose: amounts, where the vault has shares. Who deposits has what arrived; what comes by itself is
//! everybody's in proportion; who leaves has been paid; a penalty is its alpha.

use crate::books::VIRTUAL_SHARES;
use std::collections::BTreeMap;

/// Parts of a rao, so that thousands of divisions stay exact enough.
pub(super) const ONE: u128 = 1 << 24;

/// Amounts in parts of a rao: of alpha, or of TAO once the subnet is gone.
pub(super) struct Fair {
    /// Free and exiting.
    pub(super) owners: [u128; 3],
    /// Held by a case: whose, and how much.
    pub(super) cases: BTreeMap<u32, (usize, u128)>,
    /// Executed and not burned.
    pub(super) pot: u128,
    /// The virtual shares', and what rounding left.
    nobody: u128,
    /// What rounding can have moved from one to another so far.
    slack: u128,
}

impl Fair {
    pub(super) fn new() -> Self {
        Self { owners: [0; 3], cases: BTreeMap::new(), pot: 0, nobody: ONE, slack: 0 }
    }

    pub(super) fn of(&self, who: usize) -> u128 {
        self.owners[who] + self.cases.values().filter(|(owner, _)| *owner == who).map(|(_, held)| held).sum::<u128>()
    }

    pub(super) fn slack(&self) -> u128 {
        self.slack
    }

    /// `amount * part / whole`.
    pub(super) fn part(amount: u128, part: u128, whole: u128) -> u128 {
        crate::books::mul_div(amount, part, whole, crate::books::Round::Down).unwrap()
    }

    /// The pool is `after` rao, where `before` would be if nothing had come by itself.
    pub(super) fn came(&mut self, before: u64, after: u64) {
        assert!(after >= before, "{before} rao became {after} by themselves");
        self.scale(before, after);
    }

    /// Alpha became TAO.
    pub(super) fn converted(&mut self, alpha: u64, tao: u64) {
        self.scale(alpha, tao);
    }

    /// One rao of the virtual shares is there beside the stake.
    fn scale(&mut self, before: u64, after: u64) {
        let (before, after) = (u128::from(before) + 1, u128::from(after) + 1);
        let cases = self.cases.values_mut().map(|(_, held)| held);
        let all = self.owners.iter_mut().chain(cases).chain([&mut self.pot, &mut self.nobody]);
        all.for_each(|amount| *amount = Self::part(*amount, after, before));
        self.slack = Self::part(self.slack, after, before) + ONE;
    }

    /// Every step rounds a few times, by a rao or by the price of a share.
    pub(super) fn crumbs(&mut self, stake: u64, shares: u128) {
        let price = Self::part((u128::from(stake) + 1) * ONE, 1, shares + VIRTUAL_SHARES);
        self.slack += 4 * (ONE + price);
    }

    /// `shares` of `unheld` are held by a case; returns what they are worth.
    pub(super) fn hold(&mut self, case: u32, who: usize, shares: u128, unheld: u128) -> u128 {
        let held = Self::part(self.owners[who], shares, unheld);
        self.owners[who] -= held;
        self.cases.insert(case, (who, held));
        held
    }

    /// Rao of the pot are gone; an empty pot leaves crumbs to nobody.
    pub(super) fn burn(&mut self, rao: u64, empty: bool) {
        self.pot = self.pot.saturating_sub(u128::from(rao) * ONE);
        if empty {
            assert!(self.pot <= self.slack + 1_000 * ONE, "an empty pot of {}", self.pot);
            self.nobody += std::mem::take(&mut self.pot);
        }
    }
}
