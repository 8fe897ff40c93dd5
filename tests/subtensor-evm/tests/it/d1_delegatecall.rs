//! D1: a contract we call, in whatever way, can act as us. D2: 0x06 runs any runtime call.

use crate::{
    kit::{NETUID, TAO, addr, at, chain, deploy, native, ok, send, wei},
    naive,
    naive_abi::{Chain as Sub, Hostile, Naive},
    surety::{DAY, HOUR, KeeperSet, PRICE_RAO, Surety, escrow, vault},
};
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall, SolValue};
use surety_subtensor_evm::{AccountId, Chain, Precompile, ProxyRight, RuntimeCall, Tx};

/// What a thief has its victim sign: 60 TAO for itself.
fn loot() -> Vec<u8> {
    RuntimeCall::Transfer { dest: native("loot"), rao: 60 * TAO }.encode()
}

fn thief(chain: &mut Chain, from: Address, precompile: Precompile, payload: Vec<u8>) -> Address {
    let arguments = (at(precompile), Bytes::from(payload), U256::from(15_000)).abi_encode_params();
    deploy(chain, from, naive::code_with("Thief", &arguments), 0)
}

fn victim(name: &str) -> (Chain, Address, Address) {
    let (honest, attacker) = (addr("honest"), addr("attacker"));
    let mut chain = chain(&[honest, attacker]);
    let contract = deploy(&mut chain, honest, naive::code(name), 0);
    ok(&mut chain, honest, contract, Naive::depositCall {}, 100 * TAO);
    (chain, contract, attacker)
}

#[test]
fn d1_a_vault_that_pays_by_calling_is_robbed_by_its_payee() {
    for closed in [false, true] {
        let (mut chain, vault, attacker) = victim("PushVault");
        let thief = thief(&mut chain, attacker, Precompile::Dispatch, loot());
        if closed {
            chain.close_delegatecall();
        }
        let run = |data: Vec<u8>| Hostile::runCall { target: vault, data: data.into() };
        ok(&mut chain, attacker, thief, run(Naive::depositCall {}.abi_encode()), TAO);
        ok(&mut chain, attacker, thief, run(Naive::withdrawCall {}.abi_encode()), 0);
        let (stolen, left) = if closed { (0, 100 * TAO) } else { (60 * TAO, 40 * TAO) };
        assert_eq!((chain.free_rao(native("loot")), chain.free_rao(vault)), (stolen, left), "closed: {closed}");
    }
}

#[test]
fn d1_reading_a_hostile_contract_is_enough() {
    for closed in [false, true] {
        let (mut chain, vault, attacker) = victim("OracleVault");
        let oracle = thief(&mut chain, attacker, Precompile::Dispatch, loot());
        if closed {
            chain.close_delegatecall();
        }
        ok(&mut chain, attacker, vault, Naive::quoteCall { oracle }, 0);
        let stolen = if closed { 0 } else { 60 * TAO };
        assert_eq!(chain.free_rao(native("loot")), stolen, "through a STATICCALL, closed: {closed}");
    }
}

#[test]
fn d1_a_factory_is_robbed_by_what_it_creates() {
    let (mut chain, factory, attacker) = victim("Factory");
    let arguments = (at(Precompile::Dispatch), Bytes::from(loot())).abi_encode_params();
    let initcode = naive::code_with("ThiefAtBirth", &arguments).into();
    ok(&mut chain, attacker, factory, Naive::createCall { initcode }, 0);
    assert_eq!(chain.free_rao(native("loot")), 60 * TAO);
}

#[test]
fn d1_an_account_that_calls_an_untrusted_contract_is_robbed_too() {
    let (honest, attacker) = (addr("honest"), addr("attacker"));
    let mut chain = chain(&[honest, attacker]);
    let thief = thief(&mut chain, attacker, Precompile::Dispatch, loot());
    assert!(chain.transact(honest, thief, Bytes::new(), U256::ZERO).unwrap().succeeded());
    assert_eq!(chain.free_rao(native("loot")), 60 * TAO);
}

#[test]
fn d1_stake_proxies_and_approvals_go_the_same_way() {
    let (hotkey, net) = (native("hotkey"), U256::from(NETUID));
    let hk = hotkey.to_b256();
    let stake = Sub::addStakeCall { hotkey: hk, amount: U256::from(50 * TAO), netuid: net }.abi_encode();
    let delegate = native("thief's key").to_b256();
    let proxy = Sub::addProxyCall { delegate, proxyType: 0, delay: 0 }.abi_encode();
    let approve = Sub::approveCall { spender: addr("attacker"), netuid: net, amount: U256::MAX }.abi_encode();
    for (precompile, payload) in
        [(Precompile::Staking, stake), (Precompile::Proxy, proxy), (Precompile::Staking, approve)]
    {
        let (mut chain, vault, attacker) = victim("PushVault");
        chain.register_hotkey(NETUID, 0, hotkey, native("coldkey"));
        chain.set_alpha(NETUID, hotkey, vault, 10 * TAO);
        let thief = thief(&mut chain, attacker, precompile, payload.clone());
        let run = |data: Vec<u8>| Hostile::runCall { target: vault, data: data.into() };
        // Value given with the call would be refused where the precompile's function takes none.
        ok(&mut chain, attacker, thief, run(Naive::withdrawCall {}.abi_encode()), 0);
        let took = if payload.starts_with(&Sub::addStakeCall::SELECTOR) {
            chain.alpha(NETUID, hotkey, vault) == 60 * TAO
        } else if payload.starts_with(&Sub::addProxyCall::SELECTOR) {
            let theft = RuntimeCall::Transfer { dest: native("loot"), rao: TAO };
            let call = Box::new(theft);
            chain.dispatch(AccountId::from(delegate), &RuntimeCall::Proxy { real: vault.into(), call }).is_ok()
        } else {
            let source = vault;
            let amount = U256::from(10 * TAO);
            let from = Sub::transferStakeFromCall {
                source,
                destination: attacker,
                hotkey: hk,
                fromNet: net,
                toNet: net,
                amount,
            };
            send(&mut chain, attacker, at(Precompile::Staking), from, 0).succeeded()
                && chain.alpha(NETUID, hotkey, attacker) == 10 * TAO
        };
        assert!(took, "{precompile:?}");
    }
}

#[test]
fn d1_a_static_frame_stops_what_solidity_would_call_a_write_and_not_dispatch() {
    let (mut chain, vault, attacker) = victim("OracleVault");
    chain.register_hotkey(NETUID, 0, native("hotkey"), native("coldkey"));
    let (hotkey, netuid) = (native("hotkey").to_b256(), U256::from(NETUID));
    let stake = Sub::addStakeCall { hotkey, amount: U256::from(50 * TAO), netuid }.abi_encode();
    let through_staking = thief(&mut chain, attacker, Precompile::Staking, stake);
    ok(&mut chain, attacker, vault, Naive::quoteCall { oracle: through_staking }, 0);
    assert_eq!(chain.alpha(NETUID, native("hotkey"), vault), 0, "0x805 looks at the static flag");
    let call = RuntimeCall::AddStake { hotkey: native("hotkey"), netuid: NETUID, rao: 50 * TAO };
    let through_dispatch = thief(&mut chain, attacker, Precompile::Dispatch, call.encode());
    ok(&mut chain, attacker, vault, Naive::quoteCall { oracle: through_dispatch }, 0);
    assert_eq!(chain.alpha(NETUID, native("hotkey"), vault), 50 * TAO, "0x06 does not");
}

/// The stipend that `transfer` and `send` leave a payee: not enough to make the payer burn its money, by a hundred.
#[test]
fn d1_the_stipend_is_no_defence() {
    let attacker = addr("attacker");
    let mut chain = chain(&[attacker]);
    let payer = deploy(&mut chain, attacker, naive::code("Gauge"), 0);
    chain.fund(payer, 100 * TAO).unwrap();
    let payload = RuntimeCall::Burn { rao: 50 * TAO, keep_alive: false }.encode();
    let payee = deploy(&mut chain, attacker, smallest_thief(&payload), 0);
    for (stipend_and, left) in [(1, 100 * TAO - 500), (100, 50 * TAO - 1_000)] {
        // The gauge forwards that much gas, and the EVM adds 2,300 because value moves.
        let call = (payee, wei(500), U256::from(stipend_and)).abi_encode();
        assert!(chain.transact(attacker, payer, call, U256::ZERO).unwrap().succeeded());
        assert_eq!(chain.free_rao(payer), left, "2,300 and {stipend_and}");
    }
}

/// Eleven instructions: the payload into memory, DELEGATECALL to 0x06 with all gas.
fn smallest_thief(payload: &[u8]) -> Vec<u8> {
    let width = u8::try_from(payload.len()).unwrap();
    let tail = [0x5f, 0x52, 0x5f, 0x5f, 0x60, width, 0x60, 32 - width, 0x60, 6, 0x5a, 0xf4];
    let code = [&[0x5f + width][..], payload, &tail].concat();
    let length = u8::try_from(code.len()).unwrap();
    [&[0x60, length, 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3][..], &code].concat()
}

#[test]
fn d2_a_relay_of_the_users_choice_loses_everything() {
    for closed in [false, true] {
        let (mut chain, relay, attacker) = victim("Relay");
        if closed {
            chain.close_delegatecall();
        }
        let call = Naive::relayCall { target: at(Precompile::Dispatch), data: loot().into() };
        assert!(ok(&mut chain, attacker, relay, call, 0));
        assert_eq!(chain.free_rao(native("loot")), 60 * TAO, "PR #3130 does not help here");
    }
}

#[test]
fn d2_addresses_six_and_nine_are_not_ethereums() {
    let me = addr("me");
    let mut chain = chain(&[me]);
    let points = [0u8; 128];
    assert_eq!(chain.call(me, at(Precompile::Bn128Add), points).output.len(), 64, "0x09 adds points");
    assert!(!chain.call(me, at(Precompile::Dispatch), points).succeeded(), "0x06 does not");
    let right = ProxyRight { delegate: native("friend"), proxy_type: 0, delay: 0 };
    let outcome = chain.transact(me, at(Precompile::Dispatch), RuntimeCall::AddProxy(right).encode(), U256::ZERO);
    assert!(outcome.unwrap().succeeded());
    assert!(chain.account(me).reserved_rao > 0);
}

#[test]
fn d2_the_evm_cannot_be_entered_again_through_dispatch() {
    let me = addr("me");
    let mut chain = chain(&[me]);
    let outcome = chain.transact(me, at(Precompile::Dispatch), RuntimeCall::EvmCall.encode(), U256::ZERO).unwrap();
    assert!(!outcome.succeeded());
}

/* SURETY */

#[test]
fn d1_surety_never_runs_a_payees_code() {
    for closed in [false, true] {
        let mut s = Surety::new();
        let hash = s.ready(TAO);
        s.chain.fund(s.escrow, 100 * TAO).unwrap();
        s.chain.fund(s.vault, 100 * TAO).unwrap();
        let renter = thief(&mut s.chain, s.stranger, Precompile::Dispatch, loot());
        if closed {
            s.chain.close_delegatecall();
        }
        let (escrow_at, stranger) = (s.escrow, s.stranger);
        let run = |data: Vec<u8>| Hostile::runCall { target: escrow_at, data: data.into() };
        let rent = run(s.rent_call(hash, DAY).abi_encode());
        assert!(ok(&mut s.chain, stranger, renter, rent, PRICE_RAO * u64::from(DAY)), "a contract rents");
        s.chain.pass(u64::from(HOUR));
        assert!(ok(&mut s.chain, stranger, renter, run(escrow::endCall { rental: 1 }.abi_encode()), 0));
        let (before, owed) = (s.chain.free_rao(renter), s.credit(s.escrow, renter));
        s.chain.take_frames();
        assert!(s.withdraw_credit(s.escrow, renter).succeeded());
        let ran = s.chain.take_frames().iter().any(|frame| frame.code == renter);
        assert!(!ran, "the payee's code ran");
        assert_eq!(s.chain.free_rao(renter) - before, owed);
        assert_eq!(s.chain.free_rao(native("loot")), 0);
        s.assert_solvent();
    }
}

/// Every external function of every contract, with arguments that name 0x06, 0x805 and a hostile contract wherever an
/// address or an account could stand, and payloads for them: nothing but precompiles and siblings is ever called.
#[test]
fn d2_no_input_makes_surety_call_what_it_should_not() {
    for set in [KeeperSet::Appointed, KeeperSet::VotingPower] {
        no_input_makes_it_call_what_it_should_not(Surety::with(set));
    }
}

fn no_input_makes_it_call_what_it_should_not(mut s: Surety) {
    s.rented();
    let hostile = thief(&mut s.chain, s.stranger, Precompile::Dispatch, loot());
    s.chain.take_frames();
    let (all, targets) = (s.contracts(), [at(Precompile::Dispatch), at(Precompile::Staking), hostile]);
    for (contract, (_, code)) in all.into_iter().zip(s.set.shipped()) {
        for selector in selectors(code) {
            for target in targets {
                for from in [s.stranger, s.miner, s.owner, s.judge] {
                    let words = std::iter::repeat_n(target.into_word(), 12).collect::<Vec<_>>().concat();
                    let data = [&selector[..], &words, &loot()].concat();
                    for value in [U256::ZERO, wei(TAO)] {
                        let tx = Tx::call(from, contract, data.clone()).value(value);
                        let _refused_or_not = s.chain.send(&tx);
                    }
                }
            }
        }
    }
    s.assert_only_known_callees();
    assert_eq!(s.chain.free_rao(native("loot")), 0);
    s.assert_solvent();
}

/// What dispatchers compare selectors with: every PUSH4 of the code. A superset of the external functions.
fn selectors(code: &[u8]) -> Vec<[u8; 4]> {
    let mut found = std::collections::BTreeSet::new();
    let mut at = 0;
    while at < code.len() {
        let width = match code[at] {
            op @ 0x60..=0x7f => usize::from(op - 0x5f),
            _ => 0,
        };
        if width == 4 && at + 5 <= code.len() {
            found.insert([code[at + 1], code[at + 2], code[at + 3], code[at + 4]]);
        }
        at += 1 + width;
    }
    assert!(found.contains(&vault::liabilitiesCall::SELECTOR) || found.len() > 10, "{} selectors", found.len());
    found.into_iter().collect()
}

#[test]
fn d1_proxied_calls_need_the_right_they_use() {
    let me = addr("me");
    let mut chain = chain(&[me]);
    chain.register_hotkey(NETUID, 0, native("hotkey"), native("coldkey"));
    let right = ProxyRight { delegate: native("friend"), proxy_type: 8, delay: 0 };
    chain.dispatch(me, &RuntimeCall::AddProxy(right)).unwrap();
    let proxied = |call| RuntimeCall::Proxy { real: AccountId::of(me), call: Box::new(call) };
    let steal = proxied(RuntimeCall::Transfer { dest: native("loot"), rao: TAO });
    let stake = proxied(RuntimeCall::AddStake { hotkey: native("hotkey"), netuid: NETUID, rao: TAO });
    assert!(chain.dispatch(native("friend"), &steal).is_err(), "a staking proxy cannot transfer");
    assert!(chain.dispatch(native("stranger"), &stake).is_err(), "nobody else can do anything");
    assert!(chain.dispatch(native("friend"), &stake).is_ok());
    assert_eq!(chain.alpha(NETUID, native("hotkey"), me), TAO);
}
