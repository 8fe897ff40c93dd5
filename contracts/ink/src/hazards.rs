//! What is there, and what the chain does by itself: dividends, swapped hotkeys, the end of the subnet.

use crate::alpha_vault::AlphaVault;
use crate::books::{is_there, Pool};
use crate::custody::{chain, refused, to_rao};
use crate::error::Error;
use crate::events::{Gathered, HotkeyFollowed, WoundUp};
use crate::extension::Function;
use crate::types::{AccountId, FOLLOW_PAUSE_SECS, WIND_UP_SECS};
use ink::codegen::Env;

impl AlphaVault {
    /* WHAT IS THERE */

    /// The subnet of the construction is gone, whether or not another one has its netuid. Asked each time and never
    /// written down: the counter only grows, so there is no way back.
    pub(crate) fn is_wound_up(&self) -> bool {
        let subnet = chain().registration(self.config.netuid);
        !subnet.exists || subnet.counter != self.generation
    }

    pub(crate) fn ensure_live(&self) -> Result<(), Error> {
        if self.is_wound_up() {
            return Err(Error::WoundUp);
        }
        Ok(())
    }

    /// The vault's own stake under its hotkey.
    pub(crate) fn stake(&self) -> u64 {
        stake_of(self.hotkey, self.env().account_id(), self.config.netuid)
    }

    /// TAO that is the pool's: all but what is owed. What keeps the account alive is no part of the balance that a
    /// contract is told.
    pub(crate) fn tao(&self) -> u64 {
        to_rao(self.env().balance()).saturating_sub(self.tao_owed)
    }

    /// What all bonds share once the subnet is gone, whether or not the chain has paid it yet.
    pub(crate) fn tao_pool(&self) -> Pool {
        Pool { stake: self.tao(), shares: self.shares }
    }

    /// What all bonds share now. Refuses while the stake is not where it was: shares would be sold or paid at a price
    /// that is not theirs; and for a time after the subnet's end, in which the chain pays.
    pub(crate) fn pool(&self) -> Result<Pool, Error> {
        if self.is_wound_up() {
            self.ensure_payable()?;
            return Ok(self.tao_pool());
        }
        let stake = self.stake();
        if !is_there(stake, self.seen) {
            return Err(Error::StakeMoved { stake, seen: self.seen });
        }
        Ok(Pool { stake, shares: self.shares })
    }

    /// At which rate alpha is shares, for a penalty: as it is, or as it last was where the stake was moved or turned
    /// into TAO. A case never waits for either.
    pub(crate) fn rate(&self) -> Pool {
        let stake = if self.is_wound_up() { self.seen } else { self.stake() };
        let stake = if is_there(stake, self.seen) { stake } else { self.seen };
        Pool { stake, shares: self.shares }
    }

    /// First second in which the pool pays TAO, if the subnet's end is known by now.
    pub(crate) fn payable_at(&self) -> u64 {
        let noticed_at = if self.wound_up_at == 0 { self.now() } else { self.wound_up_at };
        noticed_at.saturating_add(WIND_UP_SECS)
    }

    /// The chain pays over many blocks, and until it has, shares would be paid or burned for next to nothing.
    fn ensure_payable(&self) -> Result<(), Error> {
        let payable_at = self.payable_at();
        if self.now() < payable_at {
            return Err(Error::WindingUp { payable_at });
        }
        Ok(())
    }

    pub(crate) fn now(&self) -> u64 {
        self.env().block_timestamp() / 1_000
    }

    /* WHAT HAPPENED SINCE */

    /// Takes note of what the chain did since the last look: dividends, or the subnet's end. The first write of every
    /// message that does not itself move stake: the older what was last seen, the more a swap can hide.
    pub(crate) fn look(&mut self) {
        if !self.is_wound_up() {
            self.seen = self.seen.max(self.stake());
        } else if self.wound_up_at == 0 {
            self.wound_up_at = self.now();
            self.env().emit_event(WoundUp { payable_at: self.payable_at() });
        }
    }

    /// Looks; returns what was seen.
    pub(crate) fn look_now(&mut self) -> u64 {
        self.look();
        self.seen
    }

    pub(crate) fn notice_end(&mut self) -> Result<u64, Error> {
        if !self.is_wound_up() {
            return Err(Error::NotWoundUp);
        }
        self.look();
        Ok(self.payable_at())
    }

    pub(crate) fn follow(&mut self, new_hotkey: AccountId) -> Result<(), Error> {
        self.ensure_live()?;
        let old = self.stake();
        if is_there(old, self.seen) {
            return Err(Error::StakeNotMoved { stake: old });
        }
        let stake = stake_of(new_hotkey, self.env().account_id(), self.config.netuid);
        if !is_there(stake, self.seen) {
            return Err(Error::NotThere { stake, seen: self.seen });
        }
        let from = core::mem::replace(&mut self.hotkey, new_hotkey);
        self.seen = stake;
        self.deposits_from = self.now().saturating_add(FOLLOW_PAUSE_SECS);
        self.env().emit_event(HotkeyFollowed { from, to: new_hotkey, stake });
        Ok(())
    }

    pub(crate) fn gather_stake(&mut self, other: AccountId) -> Result<u64, Error> {
        self.ensure_live()?;
        let (me, netuid) = (self.env().account_id(), self.config.netuid);
        let there = stake_of(other, me, netuid);
        if there == 0 || other == self.hotkey {
            return Err(Error::NothingArrived);
        }
        // Not while stake is missing: what was swapped away could be moved back, under a hotkey that is somebody
        // else's by now.
        let before = self.pool()?.stake;
        chain().move_stake(other, self.hotkey, netuid, netuid, there).map_err(refused(Function::MoveStake))?;
        let stake = self.stake();
        let alpha = stake.saturating_sub(before);
        if alpha == 0 {
            return Err(Error::NothingArrived);
        }
        self.seen = stake;
        self.env().emit_event(Gathered { from: other, alpha });
        Ok(alpha)
    }
}

/// What `coldkey` has under `hotkey`, in rao of alpha; nothing where the chain knows nothing.
pub(crate) fn stake_of(hotkey: AccountId, coldkey: AccountId, netuid: u16) -> u64 {
    chain().stake_info(hotkey, coldkey, netuid).map_or(0, |info| info.stake.0)
}
