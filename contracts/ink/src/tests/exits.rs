//! What goes out: later than asked, inside a window, dividends included, and never through an old request.

use super::harness::*;
use crate::error::Error;
use crate::extension::{ChainError, Function};

fn request(world: &mut World, owner: Account, amount: Option<u64>) -> Result<u64, Error> {
    world.call(owner, |vault| vault.request_exit(MACHINE, amount))
}

fn withdraw(world: &mut World, owner: Account) -> Result<u64, Error> {
    world.call(owner, |vault| vault.withdraw(MACHINE, 0))
}

use alpha_model::Account;

#[test]
fn an_exit_pays_inside_its_window_with_the_dividends_since() {
    let mut world = bonded(100 * COIN);
    let ready_at = request(&mut world, ALICE, None).unwrap();
    assert_eq!(ready_at, START + 14 * DAY);
    world.dividends(10 * COIN);
    world.wait(14 * DAY - 1);
    let early = Error::ExitNotReady { ready_at, closes_at: ready_at + 3 * DAY };
    assert_eq!(withdraw(&mut world, ALICE), Err(early));
    world.wait(1);
    let paid = withdraw(&mut world, ALICE).unwrap();
    assert!(paid.abs_diff(110 * COIN) <= 1 && paid <= 110 * COIN);
    assert_eq!(world.stake_of(ALICE), 900 * COIN + paid);
    assert_eq!(world.vault.books().shares, 0);
    assert_eq!(withdraw(&mut world, ALICE), Err(Error::NoExit));
}

#[test]
fn the_last_second_of_the_window_pays_and_the_next_does_not() {
    for (late, pays) in [(0, true), (1, false)] {
        let mut world = bonded(100 * COIN);
        request(&mut world, ALICE, Some(40 * COIN)).unwrap();
        world.wait(17 * DAY + late);
        assert_eq!(withdraw(&mut world, ALICE).is_ok(), pays);
    }
}

#[test]
fn a_lapsed_exit_is_free_again_by_itself() {
    let mut world = bonded(100 * COIN);
    request(&mut world, ALICE, Some(40 * COIN)).unwrap();
    assert_eq!(world.bond(ALICE).free_rao, 60 * COIN);
    assert_eq!(world.vault.stateable(id(ALICE), MACHINE).alpha, 60 * COIN);
    world.wait(17 * DAY + 1);
    assert_eq!(world.bond(ALICE).free_rao, 100 * COIN);
    assert_eq!(world.vault.stateable(id(ALICE), MACHINE).alpha, 100 * COIN);
    // And a new request asks of all of it.
    request(&mut world, ALICE, Some(100 * COIN)).unwrap();
}

#[test]
fn a_second_request_replaces_the_first_and_starts_again() {
    let mut world = bonded(100 * COIN);
    request(&mut world, ALICE, Some(90 * COIN)).unwrap();
    world.wait(14 * DAY);
    request(&mut world, ALICE, Some(10 * COIN)).unwrap();
    assert_eq!((world.bond(ALICE).free_rao, world.bond(ALICE).exiting_rao), (90 * COIN, 10 * COIN));
    assert!(matches!(withdraw(&mut world, ALICE), Err(Error::ExitNotReady { .. })));
}

#[test]
fn a_cancelled_exit_is_free() {
    let mut world = bonded(100 * COIN);
    assert_eq!(world.call(ALICE, |vault| vault.cancel_exit(MACHINE)), Err(Error::NoExit));
    request(&mut world, ALICE, Some(90 * COIN)).unwrap();
    world.call(ALICE, |vault| vault.cancel_exit(MACHINE)).unwrap();
    assert_eq!(world.bond(ALICE).free_rao, 100 * COIN);
    world.wait(14 * DAY);
    assert_eq!(withdraw(&mut world, ALICE), Err(Error::NoExit));
}

#[test]
fn only_what_is_there_can_be_asked_for_and_only_by_its_owner() {
    let mut world = bonded(100 * COIN);
    let much = Error::NotEnough { available: 100 * COIN, asked: 100 * COIN + 1 };
    assert_eq!(request(&mut world, ALICE, Some(100 * COIN + 1)), Err(much));
    assert_eq!(request(&mut world, ALICE, Some(0)), Err(Error::ZeroAmount));
    assert_eq!(request(&mut world, BOB, None), Err(Error::NoBond));
    assert_eq!(withdraw(&mut world, BOB), Err(Error::NoBond));
    assert_eq!(world.call(BOB, |vault| vault.cancel_exit(MACHINE)), Err(Error::NoBond));
}

#[test]
fn a_withdrawal_below_the_chains_least_transfer_changes_nothing_and_says_so() {
    let mut world = bonded(100 * COIN);
    world.chain.borrow_mut().min_transfer = 4_000_000;
    request(&mut world, ALICE, Some(3_000_000)).unwrap();
    world.wait(14 * DAY);
    let low = Error::Refused { function: Function::TransferStake, code: ChainError::AmountTooLow };
    assert_eq!(withdraw(&mut world, ALICE), Err(low));
    // The way out: ask again, for more.
    request(&mut world, ALICE, Some(4_000_000)).unwrap();
    world.wait(14 * DAY);
    assert_eq!(withdraw(&mut world, ALICE), Ok(4_000_000));
}

#[test]
fn a_withdrawal_while_transfers_are_off_waits_with_everything_in_place() {
    let mut world = bonded(100 * COIN);
    request(&mut world, ALICE, None).unwrap();
    world.wait(14 * DAY);
    world.chain.borrow_mut().transfers_on = false;
    assert!(matches!(withdraw(&mut world, ALICE), Err(Error::Refused { .. })));
    world.chain.borrow_mut().transfers_on = true;
    assert_eq!(withdraw(&mut world, ALICE), Ok(100 * COIN));
}

#[test]
fn a_withdrawal_that_the_chain_clamps_is_undone() {
    let mut world = bonded(100 * COIN);
    request(&mut world, ALICE, None).unwrap();
    world.wait(14 * DAY);
    world.chain.borrow_mut().clamp = 60 * COIN;
    let clamped = Error::Clamped { asked: 100 * COIN, moved: 60 * COIN };
    assert_eq!(withdraw(&mut world, ALICE), Err(clamped));
    assert_eq!(world.stake_of(world.account), 100 * COIN);
}

#[test]
fn a_withdrawal_by_which_nothing_moves_costs_nothing_however_small() {
    let mut world = bonded(100 * COIN);
    request(&mut world, ALICE, Some(10)).unwrap();
    world.wait(14 * DAY);
    world.chain.borrow_mut().moves_nothing = true;
    assert_eq!(withdraw(&mut world, ALICE), Err(Error::Clamped { asked: 10, moved: 0 }));
}

#[test]
fn the_last_dust_leaves_with_the_last_bond_or_stays_for_nobody() {
    let mut world = bonded(100 * COIN);
    world.deposit(BOB, 33_333_333_333).unwrap();
    world.dividends(7);
    for owner in [ALICE, BOB] {
        request(&mut world, owner, None).unwrap();
    }
    world.wait(14 * DAY);
    for owner in [ALICE, BOB] {
        withdraw(&mut world, owner).unwrap();
    }
    assert_eq!(world.vault.books().shares, 0);
    assert!(world.stake_of(world.account) <= 9, "at most the donation and a rao each");
    // Whoever comes next does not get a share for nothing, nor less than he gives.
    world.deposit(CAROL, COIN).unwrap();
    assert!(world.bond(CAROL).free_rao.abs_diff(COIN) <= 1);
}

#[test]
fn what_keepers_may_state_is_the_free_part_and_outlives_their_statement() {
    let mut world = bonded(100 * COIN);
    let stateable = world.vault.stateable(id(ALICE), MACHINE);
    assert_eq!((stateable.alpha, stateable.until), (100 * COIN, START + 14 * DAY));
    // However soon the owner asks to leave, nothing leaves before what was stated.
    let ready_at = request(&mut world, ALICE, None).unwrap();
    assert!(ready_at >= stateable.until);
    assert_eq!(world.vault.stateable(id(ALICE), MACHINE).alpha, 0);
    assert_eq!(world.vault.stateable(id(BOB), MACHINE).alpha, 0);
}
