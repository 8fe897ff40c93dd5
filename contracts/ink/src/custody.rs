//! Where the vault meets the chain: what arrives, what leaves, what is burned.

use crate::alpha_vault::AlphaVault;
use crate::books::{Bond, Pool, ROUNDING_RAO};
use crate::court;
use crate::error::Error;
use crate::events::{Burned, Deposited, ExitCancelled, ExitRequested, Withdrawn};
use crate::extension::{Balance, ChainError, Function, Subtensor};
use crate::hazards::stake_of;
use crate::types::{AccountId, BondView, BooksView, Config, Roll, Stateable, BURN_ACCOUNT};
use ink::codegen::{Env, StaticEnv};
use ink::storage::{Lazy, Mapping};

/// A refusal of the chain, by the function that met it.
pub(crate) fn refused(function: Function) -> impl FnOnce(ChainError) -> Error {
    move |code| Error::Refused { function, code }
}

/// The chain extension, as ink! hands it out.
pub(crate) fn chain() -> <Subtensor as ink::ChainExtensionInstance>::Instance {
    AlphaVault::env().extension()
}

impl AlphaVault {
    pub(crate) fn make(config: Config, hotkey: AccountId, roll: Roll) -> Result<Self, Error> {
        config.check()?;
        court::check_roll(&roll)?;
        let subnet = chain().registration(config.netuid);
        if !subnet.exists {
            return Err(Error::NoSubnet(config.netuid));
        }
        let mut kept = Lazy::new();
        kept.set(&roll);
        let seen = stake_of(hotkey, Self::env().account_id(), config.netuid);
        Ok(Self {
            config,
            generation: subnet.counter,
            hotkey,
            seen,
            wound_up_at: 0,
            deposits_from: 0,
            shares: 0,
            to_burn: 0,
            tao_owed: 0,
            tao_to_burn: 0,
            bond_count: 0,
            case_count: 0,
            bonds: Mapping::new(),
            numbers: Mapping::new(),
            cases: Mapping::new(),
            judged: Mapping::new(),
            credit: Mapping::new(),
            roll: kept,
        })
    }

    /* BONDS */

    /// The bond of `owner` for `machine` as it counts now.
    pub(crate) fn bond_of(&self, owner: AccountId, machine: [u8; 32]) -> Result<(u32, Bond), Error> {
        let number = self.numbers.get((owner, machine)).ok_or(Error::NoBond)?;
        let bond = self.bonds.get(number).ok_or(Error::NoBond)?;
        Ok((number, self.as_it_counts(bond)))
    }

    /// A record as it counts now: an exit that waits for the pool to pay waits, one whose window is over is free.
    fn as_it_counts(&self, bond: Bond) -> Bond {
        self.postponed(bond).at(self.now(), self.config.exit_window_secs)
    }

    fn postponed(&self, bond: Bond) -> Bond {
        match self.wound_up_at {
            0 => bond,
            noticed_at => bond.postpone(noticed_at, self.payable_at(), self.config.exit_window_secs),
        }
    }

    pub(crate) fn take_deposit(&mut self, machine: [u8; 32], from: AccountId, amount: u64) -> Result<u64, Error> {
        self.ensure_live()?;
        if amount == 0 {
            return Err(Error::ZeroAmount);
        }
        if self.now() < self.deposits_from {
            return Err(Error::DepositsPaused { until: self.deposits_from });
        }
        let pool = self.pool()?;
        let (arrived, stake) = self.pull(from, amount, pool.stake)?;
        let shares = pool.shares_for(arrived).ok_or(Error::Overflow)?;
        if shares == 0 {
            return Err(Error::NothingArrived);
        }
        self.credit_bond(machine, arrived, shares)?;
        self.seen = stake;
        Ok(arrived)
    }

    /// Moves the caller's stake to the vault's hotkey. Returns what arrived there, at most what the caller lost, and
    /// what is there now.
    fn pull(&self, from: AccountId, amount: u64, before: u64) -> Result<(u64, u64), Error> {
        let (me, caller, netuid) = (self.env().account_id(), self.env().caller(), self.config.netuid);
        let had = stake_of(from, caller, netuid);
        if had == 0 {
            return Err(Error::NoStake { hotkey: from });
        }
        let elsewhere = stake_of(from, me, netuid);
        let pulled = chain().caller_transfer_stake(me, from, netuid, netuid, amount);
        pulled.map_err(|code| self.why_not_pulled(code, amount))?;
        if from != self.hotkey {
            let there = stake_of(from, me, netuid).saturating_sub(elsewhere);
            if there == 0 {
                return Err(Error::NothingArrived);
            }
            let moved = chain().move_stake(from, self.hotkey, netuid, netuid, there);
            moved.map_err(refused(Function::MoveStake))?;
        }
        let stake = self.stake();
        let paid = had.saturating_sub(stake_of(from, caller, netuid));
        Ok((stake.saturating_sub(before).min(paid), stake))
    }

    /// The extension has no code of its own for locked alpha; what can be moved tells.
    fn why_not_pulled(&self, code: ChainError, asked: u64) -> Error {
        if code == ChainError::RuntimeError {
            let available = chain().availability(self.env().caller(), self.config.netuid);
            if available.locked > 0 && available.available < asked {
                return Error::LockedAlpha { available: available.available, asked };
            }
        }
        Error::Refused { function: Function::CallerTransferStake, code }
    }

    fn credit_bond(&mut self, machine: [u8; 32], alpha: u64, shares: u128) -> Result<(), Error> {
        let owner = self.env().caller();
        let all = self.shares.checked_add(shares).ok_or(Error::Overflow)?;
        let known = self.numbers.get((owner, machine));
        let number = known.or(self.bond_count.checked_add(1)).ok_or(Error::Overflow)?;
        let mut bond = self.bonds.get(number).unwrap_or_else(|| Bond::new(owner, machine));
        bond.deposit(shares).ok_or(Error::Overflow)?;
        if known.is_none() {
            self.bond_count = number;
            self.numbers.insert((owner, machine), &number);
        }
        self.shares = all;
        self.bonds.insert(number, &bond);
        self.env().emit_event(Deposited { bond: number, owner, machine, alpha, shares });
        Ok(())
    }

    pub(crate) fn start_exit(&mut self, machine: [u8; 32], amount: Option<u64>) -> Result<u64, Error> {
        let (number, mut bond) = self.bond_of(self.env().caller(), machine)?;
        let shares = match amount {
            None => bond.unheld(),
            Some(rao) => self.shares_of(rao, bond.unheld())?,
        };
        if shares == 0 {
            return Err(Error::ZeroAmount);
        }
        let ready_at = self.now().saturating_add(self.config.exit_delay_secs);
        bond.start_exit(shares, ready_at).ok_or(Error::Overflow)?;
        self.look();
        self.bonds.insert(number, &bond);
        self.env().emit_event(ExitRequested { bond: number, shares, ready_at });
        Ok(ready_at)
    }

    /// Shares for `rao` out of `available` shares; asking for what all of them are worth takes all of them.
    fn shares_of(&self, rao: u64, available: u128) -> Result<u128, Error> {
        let pool = self.pool()?;
        let worth = pool.worth(available);
        if rao > worth {
            return Err(Error::NotEnough { available: worth, asked: rao });
        }
        Ok(pool.shares_worth(rao).ok_or(Error::Overflow)?.min(available))
    }

    pub(crate) fn stop_exit(&mut self, machine: [u8; 32]) -> Result<(), Error> {
        let number = self.numbers.get((self.env().caller(), machine)).ok_or(Error::NoBond)?;
        let mut bond = self.bonds.get(number).ok_or(Error::NoBond)?;
        let shares = bond.cancel_exit();
        if shares == 0 {
            return Err(Error::NoExit);
        }
        self.look();
        self.bonds.insert(number, &bond);
        self.env().emit_event(ExitCancelled { bond: number, shares });
        Ok(())
    }

    pub(crate) fn pay_exit(&mut self, machine: [u8; 32], min_rao: u64) -> Result<u64, Error> {
        let number = self.numbers.get((self.env().caller(), machine)).ok_or(Error::NoBond)?;
        let mut bond = self.postponed(self.bonds.get(number).ok_or(Error::NoBond)?);
        if bond.exiting == 0 {
            return Err(Error::NoExit);
        }
        let window = self.config.exit_window_secs;
        if !bond.is_open(self.now(), window) {
            return Err(Error::ExitNotReady { ready_at: bond.ready_at, closes_at: bond.closes_at(window) });
        }
        let pool = self.pool()?;
        let shares = bond.take_exit();
        let rao = self.pay_out(bond.owner, pool, pool.worth(shares), min_rao)?;
        self.retire(shares);
        self.bonds.insert(number, &bond);
        self.env().emit_event(Withdrawn { bond: number, shares, rao });
        Ok(rao)
    }

    /// Out of the pool to a coldkey: stake while there is a subnet, TAO afterwards. The last call that can be refused.
    fn pay_out(&mut self, to: AccountId, pool: Pool, rao: u64, min_rao: u64) -> Result<u64, Error> {
        if rao == 0 {
            return Err(Error::NothingArrived);
        }
        ensure_enough(rao, min_rao)?;
        if self.is_wound_up() {
            self.send(to, rao)?;
            return Ok(rao);
        }
        let netuid = self.config.netuid;
        let paid = chain().transfer_stake(to, self.hotkey, netuid, netuid, rao);
        paid.map_err(refused(Function::TransferStake))?;
        let stake = self.stake();
        let moved = pool.stake.saturating_sub(stake);
        if moved == 0 || moved.saturating_add(ROUNDING_RAO) < rao {
            return Err(Error::Clamped { asked: rao, moved });
        }
        ensure_enough(moved, min_rao)?;
        self.seen = stake;
        Ok(moved)
    }

    /// Shares are gone. Once the subnet is, `seen` is no more measured, and shrinks with them: it is the rate of later
    /// penalties.
    fn retire(&mut self, shares: u128) {
        if self.is_wound_up() {
            self.seen = self.seen.saturating_sub(self.rate().worth(shares));
        }
        self.shares = self.shares.saturating_sub(shares);
    }

    /* BURNING */

    /// Burns what the pot is worth, and takes out of the pot what was burned: measured, whatever the chain says.
    pub(crate) fn burn_pot(&mut self) -> Result<u64, Error> {
        let pool = self.pool()?;
        let rao = pool.worth(self.to_burn);
        if rao == 0 {
            return Err(Error::NothingToBurn);
        }
        let burned = if self.is_wound_up() {
            self.send(AccountId::from(BURN_ACCOUNT), rao)?;
            rao
        } else {
            self.burn_stake(pool, rao)?
        };
        // All of it, but for the chain's rounding: then the pot is empty. Else as much as was burned, rounded up.
        let whole = burned.saturating_add(ROUNDING_RAO) >= rao;
        let worth = pool.shares_worth(burned).unwrap_or(u128::MAX);
        let shares = if whole { self.to_burn } else { worth.min(self.to_burn) };
        self.to_burn = self.to_burn.saturating_sub(shares);
        self.retire(shares);
        self.env().emit_event(Burned { shares, rao: burned });
        Ok(burned)
    }

    fn burn_stake(&mut self, pool: Pool, rao: u64) -> Result<u64, Error> {
        let answer = chain().burn_alpha(self.hotkey, self.config.netuid, rao);
        let stake = self.stake();
        let burned = pool.stake.saturating_sub(stake);
        if burned == 0 {
            let code = answer.err().unwrap_or(ChainError::RuntimeError);
            return Err(Error::Refused { function: Function::BurnAlpha, code });
        }
        self.seen = stake;
        Ok(burned)
    }

    /* TAO */

    /// Adds to what an account can have paid out. It is part of `tao_owed` already.
    pub(crate) fn owe(&mut self, account: AccountId, rao: u64) {
        if rao == 0 {
            return; // no record of nothing
        }
        let credit = self.credit.get(account).unwrap_or(0).saturating_add(rao);
        self.credit.insert(account, &credit);
    }

    pub(crate) fn pay_credit(&mut self, account: AccountId) -> Result<u64, Error> {
        let rao = self.credit.get(account).filter(|rao| *rao > 0).ok_or(Error::NoCredit)?;
        self.send(account, rao)?;
        // Kept at zero: the deposit for a record that is removed would go to whoever called.
        self.credit.insert(account, &0);
        self.tao_owed = self.tao_owed.saturating_sub(rao);
        Ok(rao)
    }

    pub(crate) fn burn_tao(&mut self) -> Result<u64, Error> {
        let rao = self.tao_to_burn;
        if rao == 0 {
            return Err(Error::NothingToBurn);
        }
        self.send(AccountId::from(BURN_ACCOUNT), rao)?;
        self.tao_to_burn = 0;
        self.tao_owed = self.tao_owed.saturating_sub(rao);
        Ok(rao)
    }

    /// Pays TAO. No code of the receiver runs, also where it is a contract.
    fn send(&self, to: AccountId, rao: u64) -> Result<(), Error> {
        self.env().transfer(to, to_balance(rao)).map_err(|_| Error::PaymentFailed { amount: rao })
    }

    /* VIEWS */

    pub(crate) fn view_books(&self) -> BooksView {
        let wound_up = self.is_wound_up();
        BooksView {
            wound_up,
            hotkey: self.hotkey,
            generation: self.generation,
            stake: if wound_up { self.tao() } else { self.stake() },
            seen: self.seen,
            wound_up_at: self.wound_up_at,
            deposits_from: self.deposits_from,
            shares: self.shares,
            to_burn: self.to_burn,
            tao_owed: self.tao_owed,
            tao_to_burn: self.tao_to_burn,
            bonds: self.bond_count,
            cases: self.case_count,
        }
    }

    pub(crate) fn view_bond(&self, bond: Bond) -> BondView {
        let bond = self.as_it_counts(bond);
        let pool = if self.is_wound_up() { self.tao_pool() } else { self.pool().unwrap_or(self.rate()) };
        BondView {
            free_rao: pool.worth(bond.free),
            exiting_rao: pool.worth(bond.exiting),
            held_rao: pool.worth(bond.held),
            bond,
        }
    }

    pub(crate) fn view_stateable(&self, owner: AccountId, machine: [u8; 32]) -> Stateable {
        let until = self.now().saturating_add(self.config.exit_delay_secs);
        let free = self.bond_of(owner, machine).map(|(_, bond)| bond.free).unwrap_or(0);
        let alpha = match self.pool() {
            Ok(pool) if !self.is_wound_up() => pool.worth(free),
            _ => 0,
        };
        Stateable { alpha, until }
    }

    pub(crate) fn present_roll(&self) -> Roll {
        self.roll.get().unwrap_or(Roll { number: 0, keepers: Default::default(), weights: Default::default() })
    }
}

/// What leaves is what its owner would take.
fn ensure_enough(rao: u64, min_rao: u64) -> Result<(), Error> {
    if rao < min_rao {
        return Err(Error::TooLittle { rao, min_rao });
    }
    Ok(())
}

/// A balance of the chain in rao: it is one already, but for off-chain tests.
#[allow(clippy::useless_conversion, clippy::unnecessary_fallible_conversions)]
pub(crate) fn to_rao(balance: Balance) -> u64 {
    u64::try_from(balance).unwrap_or(u64::MAX)
}

#[allow(clippy::useless_conversion)]
fn to_balance(rao: u64) -> Balance {
    rao.into()
}
