//! D5: a failing precompile eats the gas it was given. D6: transient storage outlives a revert.

use crate::{
    kit::{NETUID, addr, at, chain, deploy, native, ok, send},
    naive,
    naive_abi::{Chain as Sub, Naive},
    surety::{KeeperSet, Surety, code_of, vault},
};
use alloy_primitives::U256;
use alloy_sol_types::{SolCall, SolError};
use surety_subtensor_evm::{Precompile, Status, Tx};

#[test]
fn d5_one_absent_uid_eats_a_loops_gas() {
    let me = addr("me");
    let mut chain = chain(&[me]);
    (0..4).for_each(|uid| chain.register_hotkey(NETUID, uid, native("hotkey"), native("coldkey")));
    let roster = deploy(&mut chain, me, naive::code("Roster"), 0);
    let count = |chain: &mut surety_subtensor_evm::Chain, uids: u16| {
        let data = Naive::countCall { netuid: NETUID, uids }.abi_encode();
        chain.send(&Tx::call(me, roster, data).gas(1_000_000)).unwrap()
    };
    let whole = count(&mut chain, 4);
    assert!(whole.succeeded() && whole.gas_used < 40_000, "{whole:?}");
    let absent = count(&mut chain, 5);
    assert!(absent.gas_used > 900_000, "the catch is reached with a sixty-fourth of the gas: {}", absent.gas_used);
    let some_absent = count(&mut chain, 8);
    assert!(!some_absent.succeeded(), "a few, and nothing is left to go on with");
}

#[test]
fn d5_a_disabled_precompile_eats_gas_too() {
    let me = addr("me");
    let mut chain = chain(&[me]);
    assert!(chain.enable_precompile(Precompile::AddressMapping, false));
    let data = Sub::addressMappingCall { target: me }.abi_encode();
    let outcome = chain.send(&Tx::call(me, at(Precompile::AddressMapping), data).gas(500_000)).unwrap();
    assert!(matches!(outcome.status, Status::Failed(_)));
    assert_eq!(outcome.gas_used, 500_000);
    assert!(!chain.enable_precompile(Precompile::StorageQuery, false), "this one has no switch");
    assert!(!chain.enable_precompile(Precompile::Ed25519Verify, false));
}

#[test]
fn d5_surety_caps_what_a_failing_read_can_cost() {
    let mut s = Surety::new();
    s.chain.set_voting_power(NETUID, s.hotkey, 1);
    let absent = s.registration(99);
    let refused = send(&mut s.chain, s.miner, s.vault, absent, 0);
    assert!(refused.reverted_with(vault::CollateralVault_NotAssociated::SELECTOR), "{refused:?}");
    assert!(refused.gas_used < 120_000, "of 30,000,000: {}", refused.gas_used);

    for precompile in [Precompile::Metagraph, Precompile::AddressMapping] {
        let mut s = Surety::new();
        s.chain.enable_precompile(precompile, false);
        let call = s.registration(0);
        let outcome = send(&mut s.chain, s.miner, s.vault, call, 0);
        assert!(outcome.gas_used < 400_000, "{precompile:?}: {}", outcome.gas_used);
    }
}

#[test]
fn d5_a_bad_host_key_costs_a_bounded_amount() {
    let mut s = Surety::new();
    let mut call = s.registration(0);
    call.machine = not_a_point();
    let refused = send(&mut s.chain, s.miner, s.vault, call, 0);
    assert!(refused.reverted_with(vault::CollateralVault_BadMachineSignature::SELECTOR), "{refused:?}");
    assert!(refused.gas_used < 150_000, "{}", refused.gas_used);
}

fn not_a_point() -> alloy_primitives::B256 {
    let candidates = (0u8..=255).map(alloy_primitives::B256::repeat_byte);
    let bad = |key: &alloy_primitives::B256| ed25519_dalek::VerifyingKey::from_bytes(&key.0).is_err();
    candidates.into_iter().find(bad).unwrap()
}

#[test]
fn d5_while_0x800_is_off_money_waits_and_nobody_else_is_blocked() {
    let mut s = Surety::new();
    let rental = s.rented();
    s.chain.pass(7_200);
    s.chain.enable_precompile(Precompile::BalanceTransfer, false);
    ok(&mut s.chain, s.renter, s.escrow, crate::surety::escrow::endCall { rental }, 0);
    let owed = s.credit(s.escrow, s.renter);
    let failed = s.withdraw_credit(s.escrow, s.renter);
    assert!(!failed.succeeded());
    assert_eq!(s.credit(s.escrow, s.renter), owed, "the credit stays");
    ok(&mut s.chain, s.stranger, s.escrow, crate::surety::escrow::claimCall { rental }, 0);
    s.assert_solvent();
    s.chain.enable_precompile(Precompile::BalanceTransfer, true);
    assert!(s.withdraw_credit(s.escrow, s.renter).succeeded());
    assert!(s.withdraw_credit(s.escrow, s.miner).succeeded());
    s.assert_solvent();
}

#[test]
fn d6_a_transient_lock_sticks_after_a_revert() {
    let me = addr("me");
    let mut chain = chain(&[me]);
    let lock = deploy(&mut chain, me, naive::code("TransientLock"), 0);
    let retrier = deploy(&mut chain, me, naive::code("Retrier"), 0);
    assert!(!ok(&mut chain, me, retrier, Naive::twiceCall { lock }, 0), "on Ethereum the second attempt succeeds");
    assert_eq!(ok(&mut chain, me, lock, Naive::doneCall {}, 0), U256::ZERO);
    assert!(chain.transact(me, lock, work(false), U256::ZERO).unwrap().succeeded(), "a new transaction starts clean");
}

fn work(fail: bool) -> Vec<u8> {
    alloy_sol_types::sol! { function work(bool fail) external; }
    workCall { fail }.abi_encode()
}

#[test]
fn d6_surety_has_no_transient_storage_and_nothing_else_the_chain_lies_about() {
    const FORBIDDEN: [(u8, &str); 9] = [
        (0x31, "BALANCE"),
        (0x32, "ORIGIN"),
        (0x40, "BLOCKHASH"),
        (0x41, "COINBASE"),
        (0x44, "PREVRANDAO"),
        (0x5c, "TLOAD"),
        (0x5d, "TSTORE"),
        (0xf2, "CALLCODE"),
        (0xf4, "DELEGATECALL"),
    ];
    for s in [KeeperSet::Appointed, KeeperSet::VotingPower].map(Surety::with) {
        for (contract, (name, _)) in s.contracts().into_iter().zip(s.set.shipped()) {
            let used = opcodes(&code_of(&s, contract));
            for (opcode, mnemonic) in FORBIDDEN {
                assert!(!used.contains(&opcode), "{name} uses {mnemonic}");
            }
        }
    }
}

/// Opcodes of code, push data left out.
fn opcodes(code: &[u8]) -> std::collections::BTreeSet<u8> {
    let (mut used, mut at) = (std::collections::BTreeSet::new(), 0);
    while at < code.len() {
        used.insert(code[at]);
        at += 1 + if (0x60..=0x7f).contains(&code[at]) { usize::from(code[at] - 0x5f) } else { 0 };
    }
    assert!(used.contains(&0xf1) || used.contains(&0x54), "this is no code");
    used
}

#[test]
fn d5_a_failing_payment_leaves_a_sixty_fourth_of_the_gas() {
    let me = addr("me");
    let mut chain = chain(&[me]);
    let relay = deploy(&mut chain, me, naive::code("Relay"), 0);
    let transfer = Sub::getHotkeyCall { netuid: 9, uid: 9 }.abi_encode();
    let call = Naive::relayCall { target: at(Precompile::Metagraph), data: transfer.into() };
    let outcome = chain.send(&Tx::call(me, relay, call.abi_encode()).gas(1_021_000)).unwrap();
    assert!(outcome.succeeded(), "{outcome:?}");
    let left = 1_021_000 - outcome.gas_used;
    assert!((14_000..16_500).contains(&left), "{left} left of about 1,000,000 (15,290 was seen on the chain)");
}
