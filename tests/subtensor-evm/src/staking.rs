//! Stake: alpha that a coldkey holds under a hotkey on a subnet, and the rules by which it moves.

use crate::{
    account::AccountId,
    ledger::{EXISTENTIAL_DEPOSIT_RAO, Ledger, MoneyError},
    subnet::Subnet,
};
use primitive_types::{H160, U256};
use std::collections::{BTreeMap, BTreeSet};

/// Least stake that may be added or moved, in rao: 0.002 TAO. Source: the runtime's DefaultMinStake.
pub const MIN_STAKE_RAO: u64 = 2_000_000;
/// Stake a nominator may not fall below, in rao: the rest is unstaked with it. One hundredth of
/// the minimum stake, as remembered of the runtime.
pub const NOMINATOR_MIN_STAKE_RAO: u64 = 20_000;

/// Why the staking pallet refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StakeError {
    /// No such netuid.
    #[error("SubnetNotExists: netuid {0}")]
    SubnetNotExists(u16),
    /// Nobody owns that hotkey.
    #[error("HotKeyAccountNotExists: {0:?}")]
    HotkeyNotExists(AccountId),
    /// Worth less than the minimum.
    #[error("AmountTooLow: worth {worth_rao} rao, less than {MIN_STAKE_RAO}")]
    AmountTooLow {
        /// What it is worth.
        worth_rao: u64,
    },
    /// The coldkey has no stake there.
    #[error("NotEnoughStakeToWithdraw: there is none")]
    NoStake,
    /// The subnet's owner or root switched transfers off.
    #[error("TransferDisallowed on netuid {0}")]
    TransferDisallowed(u16),
    /// The coldkey cannot pay.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// A position: (netuid, hotkey, coldkey).
pub type Position = (u16, AccountId, AccountId);

/// All stake and the allowances of precompile 0x805.
#[derive(Debug, Clone, Default)]
pub struct Stakes {
    alpha: BTreeMap<Position, u64>,
    hotkeys: BTreeSet<AccountId>,
    allowances: BTreeMap<(H160, H160, u16, u64), U256>,
}

/// What staking touches at once.
pub(crate) struct Market<'a> {
    pub(crate) stakes: &'a mut Stakes,
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) subnets: &'a BTreeMap<u16, Subnet>,
}

impl Stakes {
    /// Stake in alpha-rao.
    pub fn alpha(&self, netuid: u16, hotkey: AccountId, coldkey: AccountId) -> u64 {
        self.alpha.get(&(netuid, hotkey, coldkey)).copied().unwrap_or(0)
    }

    /// All stake under a hotkey on a subnet, in alpha-rao.
    pub fn total_alpha(&self, netuid: u16, hotkey: AccountId) -> u64 {
        let under = self.alpha.iter().filter(|((n, h, _), _)| (*n, *h) == (netuid, hotkey));
        under.map(|(_, alpha)| *alpha).sum()
    }

    /// Makes a hotkey known, so that it can be staked to.
    pub fn add_hotkey(&mut self, hotkey: AccountId) {
        self.hotkeys.insert(hotkey);
    }

    /// Sets a position, as dividends or the test do.
    pub fn set_alpha(&mut self, netuid: u16, hotkey: AccountId, coldkey: AccountId, alpha: u64) {
        if alpha == 0 {
            self.alpha.remove(&(netuid, hotkey, coldkey));
        } else {
            self.alpha.insert((netuid, hotkey, coldkey), alpha);
        }
    }

    /// Everybody's stake under `old`, contracts' too, is under `new` from now on.
    pub fn swap_hotkey(&mut self, old: AccountId, new: AccountId) {
        let moved: Vec<_> = self.alpha.iter().filter(|((_, h, _), _)| *h == old).map(|(k, v)| (*k, *v)).collect();
        for ((netuid, _, coldkey), alpha) in moved {
            self.set_alpha(netuid, old, coldkey, 0);
            self.set_alpha(netuid, new, coldkey, self.alpha(netuid, new, coldkey) + alpha);
        }
        self.hotkeys.remove(&old);
        self.hotkeys.insert(new);
    }

    /// What `spender` may move of `owner`'s stake on a subnet in its present generation.
    pub fn allowance(&self, owner: H160, spender: H160, netuid: u16, generation: u64) -> U256 {
        self.allowances.get(&(owner, spender, netuid, generation)).copied().unwrap_or_default()
    }

    /// Sets that.
    pub fn set_allowance(&mut self, owner: H160, spender: H160, netuid: u16, generation: u64, amount: U256) {
        let key = (owner, spender, netuid, generation);
        if amount.is_zero() {
            self.allowances.remove(&key);
        } else {
            self.allowances.insert(key, amount);
        }
    }
}

impl Market<'_> {
    /// Buys alpha with `rao` of the coldkey's own balance. The existential deposit stays.
    pub(crate) fn add(
        &mut self,
        coldkey: AccountId,
        hotkey: AccountId,
        netuid: u16,
        rao: u64,
    ) -> Result<(), StakeError> {
        let subnet = self.subnet(netuid)?;
        self.known(hotkey)?;
        if rao < MIN_STAKE_RAO {
            return Err(StakeError::AmountTooLow { worth_rao: rao });
        }
        let spendable_rao = self.ledger.account(coldkey).free_rao.saturating_sub(EXISTENTIAL_DEPOSIT_RAO);
        if spendable_rao < rao {
            return Err(MoneyError::BalanceLow { wanted_rao: rao, spendable_rao }.into());
        }
        let bought = subnet.alpha_for(rao);
        self.ledger.burn(coldkey, rao)?;
        self.change((netuid, hotkey, coldkey), bought, 0);
        Ok(())
    }

    /// Sells min(alpha, all there is) for rao; what would remain below the nominators' minimum is sold with it.
    pub(crate) fn remove(
        &mut self,
        coldkey: AccountId,
        hotkey: AccountId,
        netuid: u16,
        alpha: u64,
    ) -> Result<(), StakeError> {
        let subnet = self.subnet(netuid)?;
        self.known(hotkey)?;
        let held = self.stakes.alpha(netuid, hotkey, coldkey);
        let mut sold = self.clamped(held, alpha)?;
        if subnet.worth_rao(held - sold) < NOMINATOR_MIN_STAKE_RAO {
            sold = held;
        }
        let worth_rao = subnet.worth_rao(sold);
        if worth_rao < MIN_STAKE_RAO && sold < held {
            return Err(StakeError::AmountTooLow { worth_rao });
        }
        self.change((netuid, hotkey, coldkey), 0, sold);
        self.ledger.mint(coldkey, worth_rao)?;
        Ok(())
    }

    /// Destroys min(alpha, all there is).
    pub(crate) fn burn(
        &mut self,
        coldkey: AccountId,
        hotkey: AccountId,
        netuid: u16,
        alpha: u64,
    ) -> Result<(), StakeError> {
        self.subnet(netuid)?;
        self.known(hotkey)?;
        if alpha == 0 {
            return Ok(());
        }
        let burned = self.clamped(self.stakes.alpha(netuid, hotkey, coldkey), alpha)?;
        self.change((netuid, hotkey, coldkey), 0, burned);
        Ok(())
    }

    /// Moves min(alpha, all there is) from one position to another, by way of rao when the subnet changes.
    pub(crate) fn shift(&mut self, from: Position, to: Position, alpha: u64) -> Result<(), StakeError> {
        let (origin, destination) = (self.subnet(from.0)?, self.subnet(to.0)?);
        self.known(from.1)?;
        self.known(to.1)?;
        if from.2 != to.2 && !(origin.transfers_on && destination.transfers_on) {
            return Err(StakeError::TransferDisallowed(from.0));
        }
        let moved = self.clamped(self.stakes.alpha(from.0, from.1, from.2), alpha)?;
        let worth_rao = origin.worth_rao(moved);
        if worth_rao < MIN_STAKE_RAO {
            return Err(StakeError::AmountTooLow { worth_rao });
        }
        let arriving = if from.0 == to.0 { moved } else { destination.alpha_for(worth_rao) };
        self.change(from, 0, moved);
        self.change(to, arriving, 0);
        Ok(())
    }

    fn subnet(&self, netuid: u16) -> Result<Subnet, StakeError> {
        self.subnets.get(&netuid).cloned().ok_or(StakeError::SubnetNotExists(netuid))
    }

    fn known(&self, hotkey: AccountId) -> Result<(), StakeError> {
        if self.stakes.hotkeys.contains(&hotkey) { Ok(()) } else { Err(StakeError::HotkeyNotExists(hotkey)) }
    }

    /// The pallet's silent clamp: asking for more than there is takes all there is.
    fn clamped(&self, held: u64, wanted: u64) -> Result<u64, StakeError> {
        match held.min(wanted) {
            0 => Err(StakeError::NoStake),
            some => Ok(some),
        }
    }

    fn change(&mut self, (netuid, hotkey, coldkey): Position, plus: u64, minus: u64) {
        let held = self.stakes.alpha(netuid, hotkey, coldkey);
        self.stakes.set_alpha(netuid, hotkey, coldkey, held.saturating_add(plus).saturating_sub(minus));
    }
}
