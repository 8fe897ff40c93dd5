//! A whole life of the shipped bytecode on the chain's own interpreter: from registration with a real host-key
//! signature to the last rao out.

use crate::{
    kit::{TAO, ok, send, view},
    surety::{DAY, H100_BOND_RAO, HOUR, PRICE_RAO, Surety, arbiter, escrow, vault},
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
