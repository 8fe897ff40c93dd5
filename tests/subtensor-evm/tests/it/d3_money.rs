//! D3: less than a rao moves nothing. D4: the existential deposit. D19: fees. D21: SELFDESTRUCT.

use crate::{
    kit::{TAO, addr, at, chain, deploy, native, ok, send, wei},
    naive,
    naive_abi::{Chain as Sub, Dust, Naive},
    surety::{DAY, PRICE_RAO, Surety, escrow, vault},
};
use alloy_primitives::{Bytes, U256};
use alloy_sol_types::{SolCall, SolError, SolValue};
use surety_subtensor_evm::{AccountId, Precompile, Refused, RuntimeCall, Tx};

#[test]
fn d3_less_than_a_rao_moves_nothing_and_is_seen_in_full() {
    let (honest, attacker) = (addr("honest"), addr("attacker"));
    let mut chain = chain(&[honest, attacker]);
    let contract = deploy(&mut chain, honest, naive::code("WeiVault"), 0);
    ok(&mut chain, honest, contract, Naive::depositCall {}, TAO);
    let data = Naive::depositCall {}.abi_encode();
    let dust = chain.transact(attacker, contract, data, U256::from(999_999_999)).unwrap();
    assert!(dust.succeeded());
    let credited: U256 = ok(&mut chain, honest, contract, Naive::balanceOfCall { account: attacker }, 0);
    assert_eq!(credited, U256::from(999_999_999), "credited");
    assert_eq!(chain.free_rao(contract), TAO, "and nothing arrived");
}

#[test]
fn d3_a_vault_that_trusts_msg_value_is_drained_by_dust() {
    let (honest, attacker) = (addr("honest"), addr("attacker"));
    let mut chain = chain(&[honest, attacker]);
    let contract = deploy(&mut chain, honest, naive::code("WeiVault"), 0);
    ok(&mut chain, honest, contract, Naive::depositCall {}, TAO);
    let tool = deploy(&mut chain, attacker, naive::code("DustDepositor"), 0);
    chain.fund(tool, 1_000).unwrap();
    let before = chain.free_rao(attacker);
    let call = Dust::runCall { vault: contract, times: U256::from(1_000) };
    let outcome = send(&mut chain, attacker, tool, call, 0);
    assert!(outcome.succeeded(), "{outcome:?}");
    let gained = chain.free_rao(attacker) + outcome.fee_rao - before;
    assert_eq!(gained, 999, "rao out of nothing, and out of the others' deposits");
    assert_eq!(chain.free_rao(contract), TAO - 999);
    assert_eq!(chain.free_rao(tool), 1_000, "the tool has not paid anything");
}

#[test]
fn d3_surety_takes_whole_rao_only() {
    let mut s = Surety::new();
    let hash = s.ready(TAO);
    let deposit = vault::depositCall { machine: s.machine() }.abi_encode();
    let rent = s.rent_call(hash, DAY).abi_encode();
    let cost = wei(PRICE_RAO * u64::from(DAY));
    let one = U256::from(1);
    for (from, to, data, value) in [
        (s.miner, s.vault, deposit.clone(), one),
        (s.miner, s.vault, deposit.clone(), U256::from(999_999_999)),
        (s.miner, s.vault, deposit, wei(TAO) + one),
        (s.renter, s.escrow, rent.clone(), cost - one),
        (s.renter, s.escrow, rent, cost + one),
    ] {
        let outcome = s.chain.transact(from, to, data, value).unwrap();
        assert!(outcome.reverted_with(vault::RaoLedger_NotWholeRao::SELECTOR), "{value} wei: {outcome:?}");
    }
    s.assert_solvent();
}

#[test]
fn d4_a_balance_leaves_out_the_existential_deposit() {
    let (me, other) = (addr("me"), addr("other"));
    let mut chain = chain(&[me]);
    chain.fund(other, TAO).unwrap();
    assert_eq!(chain.visible_wei(other), wei(TAO) - wei(500), "1e18 - 5e11");
    let contract = deploy(&mut chain, me, naive::code("BalanceVault"), 0);
    ok(&mut chain, me, contract, Naive::depositCall {}, TAO);
    assert_eq!(chain.visible_wei(contract), wei(TAO - 500));
    assert_eq!(chain.free_rao(contract), TAO, "all of it is there, and payable");
}

#[test]
fn d4_a_vault_that_checks_its_balance_locks_its_last_depositor_in() {
    let (first, last) = (addr("first"), addr("last"));
    let mut chain = chain(&[first, last]);
    let contract = deploy(&mut chain, first, naive::code("BalanceVault"), 0);
    ok(&mut chain, first, contract, Naive::depositCall {}, TAO);
    ok(&mut chain, last, contract, Naive::depositCall {}, TAO);
    ok(&mut chain, first, contract, Naive::withdrawCall {}, 0);
    assert!(!send(&mut chain, last, contract, Naive::withdrawCall {}, 0).succeeded(), "500 rao short, for ever");
    assert_eq!(chain.free_rao(contract), TAO);
}

#[test]
fn d4_what_is_left_below_the_existential_deposit_burns_and_small_payouts_fail() {
    let (me, payee) = (addr("me"), native("payee"));
    let mut chain = chain(&[me]);
    let contract = deploy(&mut chain, me, naive::code("WeiVault"), 0);
    ok(&mut chain, me, contract, Naive::depositCall {}, 10_000);
    let to = addr("nobody yet");
    let pay = |rao: u64| Naive::withdrawToCall { to, amount: wei(rao) };
    assert!(!send(&mut chain, me, contract, pay(499), 0).succeeded(), "499 rao to an account that is not there");
    ok(&mut chain, me, contract, pay(500), 0);
    ok(&mut chain, me, contract, pay(9_001), 0);
    assert_eq!(chain.free_rao(contract), 0, "499 rao were left, and burned");
    assert_eq!(chain.issuance_and_dust_rao().1, 499);
    assert!(!chain.code(contract).is_empty(), "a contract survives");
    assert_eq!(chain.nonce(contract), 1);

    let transfer = Sub::transferCall { destination: payee.to_b256() };
    chain.fund(payee, TAO).unwrap();
    let small = send(&mut chain, me, at(Precompile::BalanceTransfer), transfer.clone(), 499);
    assert!(!small.succeeded(), "even to an account that exists: 0x800's own is empty");
    assert!(send(&mut chain, me, at(Precompile::BalanceTransfer), transfer, 500).succeeded());
}

#[test]
fn d4_a_reaped_account_forgets_its_nonce_and_its_transactions_replay() {
    let (me, rich) = (addr("me"), addr("rich"));
    let mut chain = chain(&[rich]);
    chain.fund(me, TAO).unwrap();
    let pay = Tx { nonce: Some(0), ..Tx::call(me, rich, Bytes::new()).value(wei(TAO / 10)).gas(21_000) };
    assert!(chain.send(&pay).unwrap().succeeded());
    assert!(matches!(chain.send(&pay), Err(Refused::BadNonce { .. })));
    let rest = chain.free_rao(me);
    chain.dispatch(AccountId::of(me), &RuntimeCall::Transfer { dest: native("bank"), rao: rest }).unwrap();
    assert_eq!(chain.nonce(me), 0, "the account is gone, and its nonce");
    chain.fund(me, TAO).unwrap();
    assert!(chain.send(&pay).unwrap().succeeded(), "the same signed transaction pays a second time");
}

#[test]
fn d4_surety_pays_its_last_creditor_and_keeps_its_seed() {
    let mut s = Surety::new();
    s.register();
    s.deposit(TAO);
    let machine = s.machine();
    ok(&mut s.chain, s.miner, s.vault, vault::requestExitCall { machine, amount: TAO }, 0);
    s.chain.pass(u64::from(2 * DAY));
    ok(&mut s.chain, s.miner, s.vault, vault::withdrawCall { machine }, 0);
    assert_eq!(s.chain.visible_wei(s.vault), wei(TAO), "the seed is the existential deposit: all that is owed shows");
    assert!(s.withdraw_credit(s.vault, s.miner).succeeded());
    assert_eq!((s.chain.free_rao(s.vault), s.liabilities(s.vault)), (500, 0));
    assert_eq!(s.chain.issuance_and_dust_rao().1, 0, "no dust");
}

#[test]
fn d4_surety_keeps_credits_that_are_too_small_to_pay() {
    let mut s = Surety::new();
    s.register();
    s.deposit(TAO);
    let machine = s.machine();
    ok(&mut s.chain, s.miner, s.vault, vault::requestExitCall { machine, amount: 499 }, 0);
    s.chain.pass(u64::from(2 * DAY));
    ok(&mut s.chain, s.miner, s.vault, vault::withdrawCall { machine }, 0);
    let refused = s.withdraw_credit(s.vault, s.miner);
    assert!(refused.reverted_with(vault::RaoLedger_CreditTooSmall::SELECTOR), "{refused:?}");
    assert_eq!(s.credit(s.vault, s.miner), 499, "it waits until it is worth it");
}

#[test]
fn d19_the_most_a_transaction_may_cost_is_checked_without_the_existential_deposit() {
    let (me, payee) = (addr("me"), addr("payee"));
    let mut chain = chain(&[payee]);
    let most = wei(20) * U256::from(21_000);
    chain.fund(me, 500 + 20 * 21_000 + 1_000).unwrap();
    let pay = |value: U256| Tx::call(me, payee, Bytes::new()).value(value).gas(21_000);
    assert_eq!(
        chain.send(&pay(wei(1_001))),
        Err(Refused::BalanceLow { needed_wei: most + wei(1_001), visible_wei: most + wei(1_000) })
    );
    let before = chain.free_rao(me);
    let outcome = chain.send(&pay(wei(1_000))).unwrap();
    assert_eq!(outcome.fee_rao, 210_000, "the base fee of 10 gwei, not the 20 offered");
    assert_eq!(before - chain.free_rao(me), 1_000 + 210_000);
}

#[test]
fn d19_tips_are_ignored_and_prices_below_the_base_fee_refused() {
    let me = addr("me");
    let mut chain = chain(&[me]);
    let base = Tx::call(me, addr("payee"), Bytes::new()).value(wei(1_000)).gas(21_000);
    let gwei = |n: u64| U256::from(n) * U256::from(1_000_000_000u64);
    let tx =
        |max: u64, tip: u64| Tx { max_fee_per_gas: gwei(max), max_priority_fee_per_gas: gwei(tip), ..base.clone() };
    assert_eq!(chain.send(&tx(9, 0)), Err(Refused::GasPriceTooLow));
    assert_eq!(chain.send(&tx(10, 11)), Err(Refused::TipAboveMaxFee));
    assert_eq!(chain.send(&tx(100, 90)).unwrap().fee_rao, 210_000);
    assert_eq!(
        chain.send(&base.clone().gas(20_999)),
        Err(Refused::GasLimitTooLow { limit: 20_999, intrinsic: 21_000 })
    );
    assert_eq!(chain.send(&base.gas(64_998_311)), Err(Refused::GasLimitTooHigh(64_998_311)));
}

#[test]
fn d19_surety_asks_for_the_exact_price_and_the_renter_needs_the_fee_besides() {
    let mut s = Surety::new();
    let hash = s.ready(TAO);
    let cost = PRICE_RAO * u64::from(DAY);
    let poor = addr("poor renter");
    let fee = 20 * 1_000_000;
    s.chain.fund(poor, 500 + fee + cost - 1).unwrap();
    let tx = Tx::call(poor, s.escrow, s.rent_call(hash, DAY).abi_encode()).value(wei(cost)).gas(1_000_000);
    assert!(matches!(s.chain.send(&tx), Err(Refused::BalanceLow { .. })));
    s.chain.fund(poor, 1).unwrap();
    let outcome = s.chain.send(&tx).unwrap();
    assert!(outcome.succeeded(), "{outcome:?}");
    assert_eq!(ok(&mut s.chain, s.stranger, s.escrow, escrow::rentalCountCall {}, 0), 1);
}

#[test]
fn d21_selfdestruct_sends_what_shows_and_the_rest_stays() {
    let me = addr("me");
    let mut s = Surety::new();
    s.chain.fund(me, 10 * TAO).unwrap();
    let owed = s.liabilities(s.vault);
    let arguments = s.vault.abi_encode();
    let code = naive::code_with("ForcedSender", &arguments);
    let sender = deploy(&mut s.chain, me, code, TAO);
    assert_eq!(s.chain.free_rao(s.vault), 500 + TAO - 500, "forced in, without the sender's existential deposit");
    assert_eq!(s.chain.free_rao(sender), 500);
    assert_eq!(s.liabilities(s.vault), owed, "and nobody's");
}
