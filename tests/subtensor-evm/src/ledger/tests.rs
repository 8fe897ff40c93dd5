#![allow(clippy::unwrap_used)]
use super::*;

const A: AccountId = AccountId([1; 32]);
const B: AccountId = AccountId([2; 32]);

fn ledger(rao: u64) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.mint(A, rao).unwrap();
    ledger
}

#[test]
fn an_account_is_not_created_below_the_existential_deposit() {
    assert_eq!(Ledger::default().mint(A, 499), Err(MoneyError::BelowMinimum { would_own_rao: 499 }));
    let mut ledger = ledger(10_000);
    assert_eq!(ledger.transfer(A, B, 499), Err(MoneyError::BelowMinimum { would_own_rao: 499 }));
    assert_eq!(ledger.transfer(A, B, 500), Ok(()));
    assert_eq!(ledger.transfer(A, B, 1), Ok(()), "to an account that exists, any amount");
}

#[test]
fn a_rest_below_the_existential_deposit_is_burned() {
    let mut ledger = ledger(2_000);
    ledger.transfer(A, B, 1_501).unwrap();
    assert_eq!(ledger.account(A).free_rao, 0);
    assert_eq!((ledger.issuance_rao(), ledger.dust_rao()), (1_501, 499));
}

#[test]
fn a_reaped_account_forgets_its_nonce_and_a_contract_does_not() {
    for (sufficients, kept) in [(0, 0), (1, 1)] {
        let mut ledger = ledger(1_000);
        ledger.inc_nonce(A);
        (0..sufficients).for_each(|_| ledger.inc_sufficients(A));
        ledger.transfer(A, B, 1_000).unwrap();
        assert_eq!(ledger.account(A).nonce, kept);
    }
}

#[test]
fn an_account_with_a_proxy_keeps_the_existential_deposit() {
    let mut ledger = ledger(1_000);
    ledger.inc_consumers(A);
    assert_eq!(ledger.transfer(A, B, 501), Err(MoneyError::BalanceLow { wanted_rao: 501, spendable_rao: 500 }));
    assert_eq!(ledger.transfer(A, B, 500), Ok(()));
}

#[test]
fn issuance_is_the_sum_of_all_accounts() {
    let mut ledger = ledger(1_000_000);
    ledger.transfer(A, B, 999_600).unwrap();
    ledger.reserve(B, 5_000).unwrap();
    ledger.burn(B, 1_000).unwrap();
    let sum: u64 = ledger.accounts().map(|(_, a)| a.free_rao + a.reserved_rao).sum();
    assert_eq!(sum, ledger.issuance_rao());
}

#[test]
fn moving_nothing_changes_nothing() {
    let mut ledger = Ledger::default();
    ledger.inc_nonce(A);
    ledger.burn(A, 0).unwrap();
    ledger.mint(A, 0).unwrap();
    ledger.transfer(A, B, 0).unwrap();
    assert_eq!(ledger.account(A).nonce, 1, "an account without money keeps its record until money has come and gone");
}
