//! What comes in: credited is what arrived, and nothing else.

use super::harness::*;
use crate::error::Error;
use crate::extension::{ChainError, Function};
use crate::types::*;

#[test]
fn a_deposit_needs_no_approval_and_credits_what_arrived() {
    let mut world = World::new();
    assert_eq!(world.deposit(ALICE, 100 * COIN), Ok(100 * COIN));
    let bond = world.bond(ALICE);
    assert_eq!((bond.free_rao, bond.exiting_rao, bond.held_rao), (100 * COIN, 0, 0));
    assert_eq!(world.stake_of(ALICE), 900 * COIN);
    assert_eq!(world.stake_of(world.account), 100 * COIN);
    assert_eq!(world.vault.books().seen, 100 * COIN);
    // More of the same is the same bond.
    world.deposit(ALICE, COIN).unwrap();
    assert_eq!((world.bond(ALICE).free_rao, world.vault.books().bonds), (101 * COIN, 1));
}

#[test]
fn a_transfer_that_clamps_credits_what_there_was() {
    let mut world = World::new();
    assert_eq!(world.deposit(ALICE, u64::MAX), Ok(1_000 * COIN));
    assert_eq!(world.bond(ALICE).free_rao, 1_000 * COIN);
    world.chain.borrow_mut().clamp = 7 * COIN;
    assert_eq!(world.deposit(BOB, 100 * COIN), Ok(7 * COIN));
}

#[test]
fn rounding_of_the_share_pool_is_the_depositors() {
    let mut world = bonded(100 * COIN);
    world.chain.borrow_mut().rounding = 3;
    assert_eq!(world.deposit(BOB, 50 * COIN), Ok(50 * COIN - 3));
    assert_eq!(world.bond(BOB).free_rao, 50 * COIN - 3);
    assert_eq!(world.bond(ALICE).free_rao, 100 * COIN);
}

#[test]
fn what_arrives_beyond_what_the_caller_lost_is_everybodys() {
    let mut world = bonded(100 * COIN);
    world.chain.borrow_mut().bonus = 400;
    assert_eq!(world.deposit(BOB, 100 * COIN), Ok(100 * COIN));
    assert!(world.bond(ALICE).free_rao.abs_diff(100 * COIN + 200) <= 1);
}

#[test]
fn stake_under_another_hotkey_is_moved_to_the_vaults_own() {
    let mut world = World::new();
    world.chain.borrow_mut().arrive(OTHER_HOTKEY, ALICE, 40 * COIN);
    world.chain.borrow_mut().arrive(OTHER_HOTKEY, world.account, 5); // somebody's dust is not Alice's
    world.chain.borrow_mut().rounding = 2;
    let arrived = world.call(ALICE, |vault| vault.deposit(MACHINE, id(OTHER_HOTKEY), 40 * COIN));
    assert_eq!(arrived, Ok(40 * COIN - 4));
    assert_eq!(world.stake_of(world.account), 40 * COIN - 4);
    assert_eq!(world.chain.borrow().stake(OTHER_HOTKEY, world.account), 5);
    assert_eq!(world.chain.borrow().calls.iter().filter(|f| **f == 5).count(), 1);
}

#[test]
fn a_move_that_is_refused_undoes_the_transfer_before_it() {
    let mut world = World::new();
    world.chain.borrow_mut().arrive(OTHER_HOTKEY, ALICE, 40 * COIN);
    world.chain.borrow_mut().hotkeys.remove(&OPERATOR);
    let refused = world.call(ALICE, |vault| vault.deposit(MACHINE, id(OTHER_HOTKEY), COIN));
    assert_eq!(refused, Err(Error::Refused { function: Function::MoveStake, code: ChainError::NotRegistered }));
    assert_eq!(world.chain.borrow().stake(OTHER_HOTKEY, ALICE), 40 * COIN);
}

#[test]
fn locked_alpha_is_refused_by_name() {
    let mut world = World::new();
    world.chain.borrow_mut().locks.insert(ALICE, 950 * COIN);
    let refused = world.deposit(ALICE, 60 * COIN);
    assert_eq!(refused, Err(Error::LockedAlpha { available: 50 * COIN, asked: 60 * COIN }));
    assert_eq!(world.deposit(ALICE, 50 * COIN), Ok(50 * COIN));
}

#[test]
fn zero_dust_and_nothing_at_all_are_refused_by_name() {
    let mut world = World::new();
    assert_eq!(world.deposit(ALICE, 0), Err(Error::ZeroAmount));
    world.chain.borrow_mut().min_transfer = 4_000_000;
    let too_low = Error::Refused { function: Function::CallerTransferStake, code: ChainError::AmountTooLow };
    assert_eq!(world.deposit(ALICE, 3_999_999), Err(too_low));
    assert_eq!(world.deposit(ANYBODY, COIN), Err(Error::NoStake { hotkey: id(OPERATOR) }));
    world.chain.borrow_mut().moves_nothing = true;
    assert_eq!(world.deposit(ALICE, COIN), Err(Error::NothingArrived));
    assert_eq!(world.vault.books().bonds, 0);
}

#[test]
fn a_transfer_that_arrives_only_as_rounding_gives_no_share_for_nothing() {
    let mut world = World::new();
    world.chain.borrow_mut().rounding = 10;
    assert_eq!(world.deposit(ALICE, 10), Err(Error::NothingArrived));
}

#[test]
fn transfers_that_are_switched_off_are_refused_as_the_chain_says() {
    let mut world = World::new();
    world.chain.borrow_mut().transfers_on = false;
    let off = Error::Refused { function: Function::CallerTransferStake, code: ChainError::RuntimeError };
    assert_eq!(world.deposit(ALICE, COIN), Err(off));
}

#[test]
fn a_vault_for_a_netuid_without_a_subnet_is_not_made() {
    let wrong = World::with(Config { netuid: 52, ..config() });
    assert_eq!(wrong.err(), Some(Error::NoSubnet(52)));
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused_with_what_is_wrong() {
    let refused = |change: fn(&mut Config)| {
        let mut config = config();
        change(&mut config);
        match World::with(config).err() {
            Some(Error::BadConfig(what)) => what,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(|c| c.netuid = 0), BadConfig::RootSubnet);
    assert_eq!(refused(|c| c.chain_id = 0), BadConfig::ZeroChainId);
    assert_eq!(refused(|c| c.arbiter = [0; 20]), BadConfig::ZeroArbiter);
    assert_eq!(refused(|c| c.judge = id([0; 32])), BadConfig::ZeroJudge);
    assert_eq!(refused(|c| c.exit_delay_secs = 0), BadConfig::ExitDelay);
    assert_eq!(refused(|c| c.exit_delay_secs = 61 * DAY), BadConfig::ExitDelay);
    assert_eq!(refused(|c| c.exit_window_secs = u64::MAX), BadConfig::ExitWindow);
    assert_eq!(refused(|c| c.appeal_window_secs = 31 * DAY), BadConfig::AppealWindow);
    assert_eq!(refused(|c| c.ruling_window_secs = 0), BadConfig::RulingWindow);
    assert_eq!(refused(|c| c.filing_life_secs = c.exit_delay_secs + 1), BadConfig::FilingLife);
    assert_eq!(refused(|c| c.not_delivered_bps = 2_001), BadConfig::NotDeliveredBps);
    assert_eq!(refused(|c| c.offline_bps = 2_001), BadConfig::OfflineBps);
    let keepers = roll_of(&keys()[3..], 0).keepers;
    assert_eq!(World::made(config(), keepers, vec![1, 1]).err(), Some(Error::BadRoll));
}

#[test]
fn dividends_and_native_arrivals_are_everybodys_by_their_shares() {
    let mut world = bonded(300 * COIN);
    world.deposit(BOB, 100 * COIN).unwrap();
    world.dividends(40 * COIN);
    assert!(world.bond(ALICE).free_rao.abs_diff(330 * COIN) <= 1);
    assert!(world.bond(BOB).free_rao.abs_diff(110 * COIN) <= 1);
    // Who comes now pays the price of now.
    world.deposit(CAROL, 44 * COIN).unwrap();
    assert!(world.bond(CAROL).free_rao.abs_diff(44 * COIN) <= 1);
    let sum = world.bond(ALICE).free_rao + world.bond(BOB).free_rao + world.bond(CAROL).free_rao;
    assert!(sum <= world.stake_of(world.account));
}

#[test]
fn the_classic_attack_on_the_first_depositor_costs_the_attacker_his_donation() {
    let mut world = World::new();
    world.deposit(BOB, 1).unwrap();
    world.chain.borrow_mut().arrive(OPERATOR, world.account, 500 * COIN);
    world.deposit(ALICE, 100 * COIN).unwrap();
    let (victim, attacker) = (world.bond(ALICE).free_rao, world.bond(BOB).free_rao);
    assert!(victim >= 100 * COIN - 1_000_000, "the victim has {victim}");
    assert!(attacker <= 251 * COIN, "half of the donation is nobody's: {attacker}");
}
