//! Bonds as shares of one pool of stake: pure arithmetic, no chain.
//!
//! The vault's stake grows by dividends and shrinks by nobody's doing but its own, so a bond is a number of *shares* of
//! it and never an amount. Every conversion rounds in favour of the pool, that is of everybody else: shares given for a
//! deposit and alpha paid for shares round down, shares asked for an amount round up.
//!
//! The pool counts [`VIRTUAL_SHARES`] shares and one rao that belong to nobody. They make the price of a share start
//! near a millionth of a rao, so that a donation in front of the first deposit costs its giver about a million times
//! what it can make the depositor lose by rounding.

use crate::types::AccountId;

/// Shares that belong to nobody, beside one rao that belongs to nobody.
pub const VIRTUAL_SHARES: u128 = 1_000_000;

/// What the chain's own share arithmetic may be off by in one transfer, in rao.
pub const ROUNDING_RAO: u64 = 1_000;

/// What all bonds share: rao of alpha, or of TAO once the subnet is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// What is there, in rao.
    pub stake: u64,
    /// How many shares it is divided into, the virtual ones left out.
    pub shares: u128,
}

impl Pool {
    /// Shares for `arrived` rao that came on top of this pool, rounded down. None: it does not fit.
    pub fn shares_for(&self, arrived: u64) -> Option<u128> {
        mul_div(arrived.into(), self.all_shares()?, self.all_stake(), Round::Down)
    }

    /// The fewest shares that are worth at least `amount` rao. None: it does not fit.
    pub fn shares_worth(&self, amount: u64) -> Option<u128> {
        mul_div(amount.into(), self.all_shares()?, self.all_stake(), Round::Up)
    }

    /// What `shares` are worth, in rao, rounded down: for any division of all shares the sum is at most `stake`.
    pub fn worth(&self, shares: u128) -> u64 {
        let exact = self.all_shares().and_then(|all| mul_div(shares, self.all_stake(), all, Round::Down));
        exact.and_then(|rao| u64::try_from(rao).ok()).unwrap_or(0).min(self.stake)
    }

    fn all_shares(&self) -> Option<u128> {
        self.shares.checked_add(VIRTUAL_SHARES)
    }

    fn all_stake(&self) -> u128 {
        u128::from(self.stake).saturating_add(1)
    }
}

/// One coldkey's bond for one machine, in shares. Every share is in exactly one part.
#[derive(Debug, Clone, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "std", derive(ink::storage::traits::StorageLayout))]
pub struct Bond {
    /// Whose it is: only this coldkey can take it out.
    pub owner: AccountId,
    /// The machine's ed25519 host key.
    pub machine: [u8; 32],
    /// Unbound: what keepers may state.
    pub free: u128,
    /// On its way out; answers for cases, backs nothing.
    pub exiting: u128,
    /// Set aside by cases.
    pub held: u128,
    /// When the exit can be withdrawn, in seconds; means nothing while nothing is exiting.
    pub ready_at: u64,
}

impl Bond {
    /// An empty bond.
    pub fn new(owner: AccountId, machine: [u8; 32]) -> Self {
        Self { owner, machine, free: 0, exiting: 0, held: 0, ready_at: 0 }
    }

    /// Free and exiting: what an exit may ask for, and what answers for a case.
    pub fn unheld(&self) -> u128 {
        self.free.saturating_add(self.exiting)
    }

    /// The last second of the exit's window.
    pub fn closes_at(&self, window_secs: u64) -> u64 {
        self.ready_at.saturating_add(window_secs)
    }

    /// This bond as it counts now: an exit whose window is over is free again, without anybody having written it down.
    pub fn at(mut self, now: u64, window_secs: u64) -> Self {
        if self.exiting > 0 && self.closes_at(window_secs) < now {
            self.cancel_exit();
        }
        self
    }

    /// What was on its way out when the subnet's end was noticed waits until the pool pays, and has its window then. An
    /// exit that had lapsed by then is free, and stays it.
    pub fn postpone(mut self, noticed_at: u64, payable_at: u64, window_secs: u64) -> Self {
        if self.exiting > 0 && self.closes_at(window_secs) >= noticed_at {
            self.ready_at = self.ready_at.max(payable_at);
        }
        self
    }

    /// Adds shares to the free part. None: they do not fit.
    #[must_use]
    pub fn deposit(&mut self, shares: u128) -> Option<()> {
        self.free = self.free.checked_add(shares)?;
        Some(())
    }

    /// Replaces whatever was exiting, so that nothing can leave through an old request. None: more than is unheld.
    #[must_use]
    pub fn start_exit(&mut self, shares: u128, ready_at: u64) -> Option<()> {
        self.free = self.unheld().checked_sub(shares)?;
        self.exiting = shares;
        self.ready_at = ready_at;
        Some(())
    }

    /// What was exiting is free; returns how much that was.
    pub fn cancel_exit(&mut self) -> u128 {
        let shares = self.exiting;
        self.free = self.unheld();
        self.exiting = 0;
        self.ready_at = 0;
        shares
    }

    /// Whether an exit can be withdrawn at `now`: both ends of the window belong to it.
    pub fn is_open(&self, now: u64, window_secs: u64) -> bool {
        self.exiting > 0 && self.ready_at <= now && now <= self.closes_at(window_secs)
    }

    /// Empties the exit; returns how much left.
    pub fn take_exit(&mut self) -> u128 {
        self.ready_at = 0;
        core::mem::take(&mut self.exiting)
    }

    /// Sets aside at most `shares`: what is leaving first, then what is free. Never refuses on account of who moved
    /// first; returns what it got.
    pub fn set_aside(&mut self, shares: u128) -> u128 {
        let exiting = shares.min(self.exiting);
        let free = shares.saturating_sub(exiting).min(self.free);
        let taken = exiting.saturating_add(free);
        self.exiting = self.exiting.saturating_sub(exiting);
        self.free = self.free.saturating_sub(free);
        self.held = self.held.saturating_add(taken);
        taken
    }

    /// Held shares leave the bond. None: more than is held.
    #[must_use]
    pub fn forfeit(&mut self, shares: u128) -> Option<()> {
        self.held = self.held.checked_sub(shares)?;
        Some(())
    }

    /// Held shares are free again. None: more than is held.
    #[must_use]
    pub fn give_back(&mut self, shares: u128) -> Option<()> {
        self.forfeit(shares)?;
        self.deposit(shares)
    }
}

/// How much less than what was last seen still counts as "nothing moved": the chain's share arithmetic loses a rao here
/// and there, but a swapped hotkey takes everything.
pub fn tolerance(seen: u64) -> u64 {
    ROUNDING_RAO.saturating_add(seen / 1_000_000)
}

/// Whether `stake` is at least what was last seen, but for rounding.
pub fn is_there(stake: u64, seen: u64) -> bool {
    stake >= seen.saturating_sub(tolerance(seen))
}

/// Which way an inexact quotient goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
}

/// `a * b / d` without losing a bit in between. None: `d` is zero or the result does not fit.
pub fn mul_div(a: u128, b: u128, d: u128, round: Round) -> Option<u128> {
    let (high, low) = full_mul(a, b);
    if d <= high {
        return None; // the quotient needs more than 128 bits, or d is zero
    }
    let (quotient, rest) = if high == 0 { (low.checked_div(d)?, low.checked_rem(d)?) } else { long_div(high, low, d) };
    match round {
        Round::Up if rest > 0 => quotient.checked_add(1),
        _ => Some(quotient),
    }
}

/// The 256 bits of a product, by halves.
fn full_mul(a: u128, b: u128) -> (u128, u128) {
    const MASK: u128 = u64::MAX as u128;
    let (a1, a0, b1, b0) = (a >> 64, a & MASK, b >> 64, b & MASK);
    // Each product of two halves has at most 128 bits, each sum below at most 2^128 - 1.
    let (low, mid, other, top) = (wide(a0, b0), wide(a1, b0), wide(a0, b1), wide(a1, b1));
    let carry = (low >> 64).wrapping_add(mid & MASK).wrapping_add(other & MASK);
    let high = top.wrapping_add(mid >> 64).wrapping_add(other >> 64).wrapping_add(carry >> 64);
    (high, (carry << 64) | (low & MASK))
}

/// A product of two numbers below 2^64: it fits.
fn wide(a: u128, b: u128) -> u128 {
    a.wrapping_mul(b)
}

/// Schoolbook division of 256 bits by 128, one bit a step. The caller has checked `high < d`.
fn long_div(high: u128, low: u128, d: u128) -> (u128, u128) {
    let (mut rest, mut quotient) = (high, 0u128);
    for bit in (0..128u32).rev() {
        let carry = rest >> 127;
        rest = (rest << 1) | ((low >> bit) & 1);
        quotient <<= 1;
        if carry == 1 || rest >= d {
            rest = rest.wrapping_sub(d); // below d again, also where the shift carried
            quotient |= 1;
        }
    }
    (quotient, rest)
}
