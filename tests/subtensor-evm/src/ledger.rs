//! Balances as the chain keeps them: in rao, with an existential deposit, dust burned, accounts reaped.

use crate::account::AccountId;
use std::collections::BTreeMap;

/// Accounts below this cease to exist, in rao. Source: the runtime's constant.
pub const EXISTENTIAL_DEPOSIT_RAO: u64 = 500;
/// wei in a rao.
pub const WEI_PER_RAO: u64 = 1_000_000_000;

/// Why the chain refuses to move money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The account has less than that, or may not be emptied.
    #[error("wanted {wanted_rao} rao, only {spendable_rao} can be spent")]
    BalanceLow {
        /// Asked for.
        wanted_rao: u64,
        /// What the account may spend.
        spendable_rao: u64,
    },
    /// The receiver would end below the existential deposit.
    #[error("the receiver would own {would_own_rao} rao, less than the existential deposit of 500")]
    BelowMinimum {
        /// What it would own.
        would_own_rao: u64,
    },
    /// More rao than 64 bits hold.
    #[error("balance overflow")]
    Overflow,
}

/// One account. It exists while it owns the existential deposit or something else keeps it alive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    /// Free balance in rao, the existential deposit included.
    pub free_rao: u64,
    /// Deposits held back (of proxies), in rao.
    pub reserved_rao: u64,
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// What keeps the account alive without money: contract code.
    pub sufficients: u32,
    /// What forbids that the account goes: proxies.
    pub consumers: u32,
}

impl Account {
    /// What may leave, in rao: all of it, unless something needs the account.
    fn spendable_rao(&self) -> u64 {
        let kept = if self.consumers > 0 { EXISTENTIAL_DEPOSIT_RAO } else { 0 };
        self.free_rao.saturating_sub(kept)
    }
}

/// All accounts and the total issuance.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    accounts: BTreeMap<AccountId, Account>,
    issuance_rao: u64,
    dust_rao: u64,
}

impl Ledger {
    /// The account; all zero if there is none.
    pub fn account(&self, id: AccountId) -> Account {
        self.accounts.get(&id).copied().unwrap_or_default()
    }

    /// All accounts that exist, by id.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, Account)> + '_ {
        self.accounts.iter().map(|(id, account)| (*id, *account))
    }

    /// All rao there are.
    pub fn issuance_rao(&self) -> u64 {
        self.issuance_rao
    }

    /// All dust burned so far, in rao.
    pub fn dust_rao(&self) -> u64 {
        self.dust_rao
    }

    /// What an EVM contract sees as the account's balance, in rao: without the existential deposit (D4).
    pub fn visible_rao(&self, id: AccountId) -> u64 {
        self.account(id).free_rao.saturating_sub(EXISTENTIAL_DEPOSIT_RAO)
    }

    /// Creates money.
    pub fn mint(&mut self, id: AccountId, rao: u64) -> Result<(), MoneyError> {
        if rao == 0 {
            return Ok(());
        }
        let account = self.credited(id, rao)?;
        self.issuance_rao = self.issuance_rao.checked_add(rao).ok_or(MoneyError::Overflow)?;
        self.put(id, account);
        Ok(())
    }

    /// Destroys money. The account may go (AllowDeath).
    pub fn burn(&mut self, id: AccountId, rao: u64) -> Result<(), MoneyError> {
        if rao == 0 {
            return Ok(());
        }
        let account = self.debited(id, rao)?;
        self.issuance_rao -= rao;
        self.put(id, account);
        Ok(())
    }

    /// Moves money; the sender may go (AllowDeath). Nothing happens for zero or to oneself.
    pub fn transfer(&mut self, from: AccountId, to: AccountId, rao: u64) -> Result<(), MoneyError> {
        if rao == 0 || from == to {
            return Ok(());
        }
        let (debited, credited) = (self.debited(from, rao)?, self.credited(to, rao)?);
        self.put(from, debited);
        self.put(to, credited);
        Ok(())
    }

    /// Holds back a deposit. The account must keep the existential deposit free.
    pub fn reserve(&mut self, id: AccountId, rao: u64) -> Result<(), MoneyError> {
        let mut account = self.account(id);
        let spendable_rao = account.free_rao.saturating_sub(EXISTENTIAL_DEPOSIT_RAO);
        if spendable_rao < rao {
            return Err(MoneyError::BalanceLow { wanted_rao: rao, spendable_rao });
        }
        account.free_rao -= rao;
        account.reserved_rao += rao;
        self.put(id, account);
        Ok(())
    }

    /// Gives a deposit back, as much of it as there is.
    pub fn unreserve(&mut self, id: AccountId, rao: u64) {
        let mut account = self.account(id);
        let given = rao.min(account.reserved_rao);
        account.reserved_rao -= given;
        account.free_rao += given;
        self.put(id, account);
    }

    /// One more transaction of this account. An account that owned nothing has a record from now on.
    pub fn inc_nonce(&mut self, id: AccountId) {
        self.accounts.entry(id).or_default().nonce += 1;
    }

    /// Something keeps the account alive.
    pub fn inc_sufficients(&mut self, id: AccountId) {
        self.accounts.entry(id).or_default().sufficients += 1;
    }

    /// It no longer does.
    pub fn dec_sufficients(&mut self, id: AccountId) {
        let mut account = self.account(id);
        account.sufficients = account.sufficients.saturating_sub(1);
        self.put(id, account);
    }

    /// Something needs the account: it cannot be emptied.
    pub fn inc_consumers(&mut self, id: AccountId) {
        self.accounts.entry(id).or_default().consumers += 1;
    }

    /// It no longer does.
    pub fn dec_consumers(&mut self, id: AccountId) {
        let mut account = self.account(id);
        account.consumers = account.consumers.saturating_sub(1);
        self.put(id, account);
    }

    fn debited(&self, id: AccountId, rao: u64) -> Result<Account, MoneyError> {
        let account = self.account(id);
        let spendable_rao = account.spendable_rao();
        if spendable_rao < rao {
            return Err(MoneyError::BalanceLow { wanted_rao: rao, spendable_rao });
        }
        Ok(Account { free_rao: account.free_rao - rao, ..account })
    }

    fn credited(&self, id: AccountId, rao: u64) -> Result<Account, MoneyError> {
        let account = self.account(id);
        let free_rao = account.free_rao.checked_add(rao).ok_or(MoneyError::Overflow)?;
        if free_rao + account.reserved_rao < EXISTENTIAL_DEPOSIT_RAO {
            return Err(MoneyError::BelowMinimum { would_own_rao: free_rao });
        }
        Ok(Account { free_rao, ..account })
    }

    /// Writes an account whose money has changed. Below the existential deposit the rest is dust and burned; without
    /// anything else that keeps it, the whole record goes, and its nonce with it (D4).
    fn put(&mut self, id: AccountId, mut account: Account) {
        if account.free_rao + account.reserved_rao < EXISTENTIAL_DEPOSIT_RAO {
            self.issuance_rao -= account.free_rao;
            self.dust_rao += account.free_rao;
            account.free_rao = 0;
            if account.sufficients == 0 && account.consumers == 0 && account.reserved_rao == 0 {
                self.accounts.remove(&id);
                return;
            }
        }
        self.accounts.insert(id, account);
    }
}

#[cfg(test)]
mod tests;
