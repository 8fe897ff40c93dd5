//! A whole life of the shipped bytecode on the chain's own interpreter: from registration with a real host-key
//! signature to the last rao out.

use crate::{
    kit::{TAO, native, ok, send, view, word},
    surety::{DAY, H100_BOND_RAO, HOUR, PRICE_RAO, Surety, arbiter, bids, escrow, vault},
};
use surety_subtensor_evm::{AccountId, BURN_ACCOUNT};

#[test]
fn everybody_is_paid_to_the_last_rao() {
    let mut s = Surety::new();
    let (issued, _) = s.chain.issuance_and_dust_rao();
    let price = PRICE_RAO;
    let rental = s.rented();
    let rented_at = s.chain.now() as u32;
    s.assert_solvent();

    s.chain.pass(u64::from(2 * HOUR));
    ok(&mut s.chain, s.stranger, s.escrow, escrow::claimCall { rental }, 0);
    assert_eq!(s.credit(s.escrow, s.miner), price * u64::from(HOUR), "the last hour is out of reach");

    let outage = s.chain.now() as u32;
    s.chain.pass(20 * 60);
    let now = s.chain.now() as u32;
    assert!(!s.file(rental, outage, now - 60, 1).succeeded(), "one keeper is no quorum");
    let filed = s.file(rental, outage, now - 60, 3);
    assert!(filed.succeeded(), "{filed:?}");
    let refund = price * u64::from(DAY - (now - rented_at));
    assert_eq!(s.credit(s.escrow, s.renter), refund, "the rest is the renter's at once");
    let penalty = view(&s.chain, s.arbiter, arbiter::caseAtCall { caseId: 1 }).penalty;
    assert_eq!(penalty, price * u64::from(outage - rented_at), "no more than the rental earned");
    let bond = view(&s.chain, s.vault, vault::bondOfCall { machine: s.machine() });
    assert_eq!((bond.held, bond.reserved), (penalty, H100_BOND_RAO - penalty));
    s.assert_solvent();

    s.chain.pass(u64::from(HOUR));
    ok(&mut s.chain, s.stranger, s.escrow, escrow::closeCall { rental }, 0);
    s.chain.pass(u64::from(DAY));
    ok(&mut s.chain, s.stranger, s.arbiter, arbiter::executeCall { caseId: 1 }, 0);
    let withheld = price * u64::from(now - outage);
    assert_eq!(s.credit(s.escrow, s.renter), refund + withheld);
    assert_eq!(s.liabilities(s.escrow), price * u64::from(DAY), "in equals out, nothing withdrawn yet");

    let burned = s.chain.free_rao(BURN_ACCOUNT);
    ok(&mut s.chain, s.stranger, s.vault, vault::flushBurnCall {}, 0);
    assert_eq!(s.chain.free_rao(BURN_ACCOUNT) - burned, penalty);

    for who in [s.renter, s.miner] {
        let (before, owed) = (s.chain.free_rao(who), s.credit(s.escrow, who));
        assert!(s.withdraw_credit(s.escrow, who).succeeded());
        assert_eq!(s.chain.free_rao(who) - before, owed, "paid by somebody else's transaction, to the rao");
    }
    exit(&mut s, TAO - penalty);

    for contract in [s.vault, s.escrow, s.arbiter, s.bids] {
        assert_eq!((s.liabilities(contract), s.chain.free_rao(contract)), (0, 500), "nothing but the seed is left");
    }
    let (all, dust) = s.chain.issuance_and_dust_rao();
    let sum: u64 = s.chain.all_rao().iter().map(|(_, rao)| rao).sum();
    assert_eq!((sum, dust), (all, 0));
    assert_eq!(all, issued, "fees went to the author: nothing was made or lost");
    assert!(s.chain.free_rao(s.chain.author_account()) > 0);
    assert_eq!(s.assert_only_known_callees().len(), 6, "ecrecover, 0x402, 0x800, 0x802, 0x807, 0x80c: all were used");
}

fn exit(s: &mut Surety, rest: u64) {
    let machine = s.machine();
    let early = send(&mut s.chain, s.miner, s.vault, vault::withdrawCall { machine }, 0);
    assert!(!early.succeeded());
    ok(&mut s.chain, s.miner, s.vault, vault::requestExitCall { machine, amount: rest }, 0);
    s.chain.pass(u64::from(2 * DAY));
    ok(&mut s.chain, s.miner, s.vault, vault::withdrawCall { machine }, 0);
    let before = s.chain.free_rao(s.miner);
    assert!(s.withdraw_credit(s.vault, s.miner).succeeded());
    assert_eq!(s.chain.free_rao(s.miner) - before, rest);
    ok(&mut s.chain, s.miner, s.vault, vault::retireCall { machine }, 0);
}

#[test]
fn a_registration_needs_the_machines_own_signature() {
    let mut s = Surety::new();
    let mut forged = s.registration(0);
    forged.machineSig[1].0[0] ^= 1;
    assert!(!send(&mut s.chain, s.miner, s.vault, forged, 0).succeeded());
    let mut squat = s.registration(0);
    squat.machine = AccountId([9; 32]).to_b256();
    assert!(!send(&mut s.chain, s.miner, s.vault, squat, 0).succeeded(), "somebody else's machine");
    assert_eq!(s.register(), 1);
}

#[test]
fn the_same_life_passes_after_delegatecall_is_closed() {
    let mut s = Surety::new();
    s.chain.close_delegatecall();
    let rental = s.rented();
    s.chain.pass(u64::from(3 * HOUR));
    ok(&mut s.chain, s.renter, s.escrow, escrow::endCall { rental }, 0);
    assert!(s.withdraw_credit(s.escrow, s.renter).succeeded());
    ok(&mut s.chain, s.stranger, s.escrow, escrow::claimCall { rental }, 0);
    assert!(s.withdraw_credit(s.escrow, s.miner).succeeded());
    s.assert_solvent();
}

/// Rented, two hours in, out of service for twenty minutes, filed.
fn outage() -> Surety {
    let mut s = Surety::new();
    let rental = s.rented();
    s.chain.pass(u64::from(2 * HOUR));
    let from = s.chain.now() as u32;
    s.chain.pass(20 * 60);
    let until = s.chain.now() as u32 - 60;
    assert!(s.file(rental, from, until, 3).succeeded());
    s
}

#[test]
fn an_overturned_case_gives_everything_back() {
    let mut s = outage();
    let case_id = 1;
    let case = view(&s.chain, s.arbiter, arbiter::caseAtCall { caseId: case_id });
    let withheld = u64::from(case.withheldSecs) * PRICE_RAO;
    assert!(withheld > 0 && case.penalty > 0);
    let bond: u64 = view(&s.chain, s.arbiter, arbiter::appealBondOfCall { caseId: case_id });
    let appeal = arbiter::appealCall { caseId: case_id, evidence: word("it was your network") };
    assert!(!send(&mut s.chain, s.miner, s.arbiter, appeal.clone(), bond - 1).succeeded());
    ok(&mut s.chain, s.miner, s.arbiter, appeal, bond);
    let (judge, arbiter_at) = (s.judge, s.arbiter);
    ok(&mut s.chain, judge, arbiter_at, arbiter::ruleCall { caseId: case_id, uphold: false }, 0);
    assert_eq!(s.credit(s.arbiter, s.miner), bond);
    assert_eq!(view(&s.chain, s.vault, vault::bondOfCall { machine: s.machine() }).held, 0);
    s.chain.pass(u64::from(2 * HOUR));
    ok(&mut s.chain, s.stranger, s.escrow, escrow::closeCall { rental: 1 }, 0);
    assert_eq!(s.credit(s.escrow, s.miner), PRICE_RAO * u64::from(2 * HOUR) + withheld);
    for contract in [s.arbiter, s.escrow] {
        assert!(s.withdraw_credit(contract, s.miner).succeeded());
    }
    assert!(s.withdraw_credit(s.escrow, s.renter).succeeded());
    exit(&mut s, TAO);
    for contract in [s.vault, s.escrow, s.arbiter, s.bids] {
        assert_eq!((s.liabilities(contract), s.chain.free_rao(contract)), (0, 500));
    }
    s.assert_only_known_callees();
}

#[test]
fn a_silent_judge_blocks_nobody() {
    let mut s = outage();
    let bond: u64 = view(&s.chain, s.arbiter, arbiter::appealBondOfCall { caseId: 1 });
    ok(&mut s.chain, s.miner, s.arbiter, arbiter::appealCall { caseId: 1, evidence: word("?") }, bond);
    s.chain.pass(u64::from(2 * DAY) + 1);
    ok(&mut s.chain, s.stranger, s.arbiter, arbiter::executeCall { caseId: 1 }, 0);
    assert_eq!(s.credit(s.arbiter, s.miner), bond, "returned");
    assert!(view(&s.chain, s.vault, vault::toBurnCall {}) > 0, "and the penalty is burned");
    s.assert_solvent();
}

#[test]
fn a_false_proof_costs_the_class_bond() {
    let mut s = Surety::new();
    s.rented();
    s.chain.pass(60);
    let call = s.spoof_call(s.machine(), 3);
    ok(&mut s.chain, s.stranger, s.arbiter, call, 0);
    assert_eq!(view(&s.chain, s.arbiter, arbiter::caseAtCall { caseId: 1 }).penalty, H100_BOND_RAO);
    s.chain.pass(u64::from(3 * DAY));
    ok(&mut s.chain, s.stranger, s.arbiter, arbiter::executeCall { caseId: 1 }, 0);
    ok(&mut s.chain, s.stranger, s.vault, vault::flushBurnCall {}, 0);
    assert_eq!(s.chain.free_rao(BURN_ACCOUNT), H100_BOND_RAO);
    s.assert_solvent();
}

#[test]
fn a_bid_becomes_a_rental_and_its_change_comes_back() {
    let mut s = Surety::new();
    let (secs, max_price) = (DAY, PRICE_RAO + 500);
    let post = s.bid_call(secs, max_price);
    let bid: u64 = ok(&mut s.chain, s.renter, s.bids, post, max_price * u64::from(secs));
    s.ready(TAO);
    let call = bids::fillCall { bid, machine: s.machine(), certificates: s.bid_certificates(s.machine(), 3) };
    let rental: u64 = ok(&mut s.chain, s.stranger, s.bids, call, 0);
    assert_eq!(view(&s.chain, s.escrow, escrow::rentalAtCall { rental }).r.renter, s.renter);
    assert_eq!(view(&s.chain, s.bids, bids::bidAtCall { bid }).rental, rental);
    assert_eq!(s.credit(s.bids, s.renter), 500 * u64::from(secs));
    assert!(s.withdraw_credit(s.bids, s.renter).succeeded());
    assert_eq!((s.liabilities(s.bids), s.chain.free_rao(s.bids)), (0, 500));
    s.assert_solvent();
    s.assert_only_known_callees();
}

#[test]
fn a_paused_and_a_sunset_system_let_everybody_out() {
    let mut s = Surety::new();
    let rental = s.rented();
    let (guardian, owner, vault_at) = (s.guardian, s.owner, s.vault);
    ok(&mut s.chain, guardian, vault_at, vault::pauseCall { secs: 7 * DAY }, 0);
    ok(&mut s.chain, owner, vault_at, vault::sunsetCall {}, 0);
    let extend = escrow::extendCall { rental, secs: HOUR };
    assert!(!send(&mut s.chain, s.renter, s.escrow, extend, PRICE_RAO * u64::from(HOUR)).succeeded());
    s.chain.pass(u64::from(2 * HOUR));
    ok(&mut s.chain, s.renter, s.escrow, escrow::endCall { rental }, 0);
    s.chain.pass(u64::from(HOUR) + 1);
    ok(&mut s.chain, s.stranger, s.escrow, escrow::closeCall { rental }, 0);
    for who in [s.renter, s.miner] {
        assert!(s.withdraw_credit(s.escrow, who).succeeded());
    }
    exit(&mut s, TAO);
    assert_eq!((s.liabilities(s.vault), s.liabilities(s.escrow)), (0, 0));
}

#[test]
fn credit_is_paid_to_the_native_account_its_owner_chose() {
    let mut s = Surety::new();
    let rental = s.rented();
    s.chain.pass(u64::from(2 * HOUR));
    let cold = native("miner's cold wallet");
    let chosen = escrow::setPayoutAccountCall { accountId: cold.to_b256() };
    ok(&mut s.chain, s.miner, s.escrow, chosen, 0);
    ok(&mut s.chain, s.stranger, s.escrow, escrow::claimCall { rental }, 0);
    let owed = s.credit(s.escrow, s.miner);
    assert!(s.withdraw_credit(s.escrow, s.miner).succeeded());
    assert_eq!(s.chain.free_rao(cold), owed);
}
