//! What the chain does without asking: swaps, dissolution, another subnet under the netuid, arrivals elsewhere.

use super::harness::*;
use crate::error::Error;
use crate::types::*;
use alpha_model::Account;

fn follow(world: &mut World, hotkey: Account) -> Result<(), Error> {
    world.call(ANYBODY, |vault| vault.follow_swap(id(hotkey)))
}

fn exit_all(world: &mut World, owner: Account) -> Result<u64, Error> {
    world.call(owner, |vault| vault.withdraw(MACHINE))
}

/* SWAPPED HOTKEYS */

#[test]
fn a_swapped_hotkey_stops_everything_until_anybody_names_the_new_one() {
    let mut world = bonded(100 * COIN);
    world.call(ALICE, |vault| vault.request_exit(MACHINE, None)).unwrap();
    world.wait(14 * DAY);
    world.chain.borrow_mut().swap_hotkey(OPERATOR, NEW_HOTKEY);
    let moved = Error::StakeMoved { stake: 0, seen: 100 * COIN };
    assert_eq!(exit_all(&mut world, ALICE), Err(moved.clone()));
    let deposit = world.call(BOB, |vault| vault.deposit(MACHINE, id(NEW_HOTKEY), COIN));
    assert_eq!(deposit, Err(moved));
    assert_eq!(world.vault.stateable(id(ALICE), MACHINE).alpha, 0);
    follow(&mut world, NEW_HOTKEY).unwrap();
    assert_eq!(world.vault.books().hotkey, id(NEW_HOTKEY));
    assert_eq!(exit_all(&mut world, ALICE), Ok(100 * COIN));
    assert_eq!(world.chain.borrow().stake(NEW_HOTKEY, ALICE), 1_000 * COIN);
}

#[test]
fn nobody_moves_the_vault_by_a_lie() {
    let mut world = bonded(100 * COIN);
    // Nothing was swapped: whatever is under the other hotkey.
    world.chain.borrow_mut().arrive(OTHER_HOTKEY, world.account, 500 * COIN);
    assert_eq!(follow(&mut world, OTHER_HOTKEY), Err(Error::StakeNotMoved { stake: 100 * COIN }));
    // Swapped, and somebody names another hotkey with a little on it.
    world.chain.borrow_mut().swap_hotkey(OPERATOR, NEW_HOTKEY);
    world.chain.borrow_mut().stakes.insert((OTHER_HOTKEY, world.account), 99 * COIN);
    assert_eq!(follow(&mut world, OTHER_HOTKEY), Err(Error::NotThere { stake: 99 * COIN, seen: 100 * COIN }));
    assert_eq!(follow(&mut world, OPERATOR), Err(Error::NotThere { stake: 0, seen: 100 * COIN }));
    follow(&mut world, NEW_HOTKEY).unwrap();
}

#[test]
fn dust_sent_to_the_old_hotkey_after_a_swap_neither_blocks_nor_deceives() {
    let mut world = bonded(100 * COIN);
    world.chain.borrow_mut().swap_hotkey(OPERATOR, NEW_HOTKEY);
    world.chain.borrow_mut().hotkeys.insert(OPERATOR); // swapped on this subnet alone: the old one lives on
    world.dividends(COIN);
    // At this price a deposit would buy the whole vault.
    let deposit = world.call(BOB, |vault| vault.deposit(MACHINE, id(NEW_HOTKEY), COIN));
    assert_eq!(deposit, Err(Error::StakeMoved { stake: COIN, seen: 100 * COIN }));
    follow(&mut world, NEW_HOTKEY).unwrap();
    // And the dust is everybody's, as soon as anybody gathers it.
    assert_eq!(world.call(ANYBODY, |vault| vault.gather(id(OPERATOR))), Ok(COIN));
    assert!(world.bond(ALICE).free_rao.abs_diff(101 * COIN) <= 1);
}

#[test]
fn who_buys_the_vault_a_false_hotkey_makes_it_richer() {
    let mut world = bonded(100 * COIN);
    world.chain.borrow_mut().swap_hotkey(OPERATOR, NEW_HOTKEY);
    world.chain.borrow_mut().arrive(OTHER_HOTKEY, world.account, 100 * COIN);
    follow(&mut world, OTHER_HOTKEY).unwrap();
    assert_eq!(world.call(ANYBODY, |vault| vault.gather(id(NEW_HOTKEY))), Ok(100 * COIN));
    assert!(world.bond(ALICE).free_rao.abs_diff(200 * COIN) <= 1);
}

#[test]
fn a_case_does_not_wait_for_a_swapped_hotkey() {
    let mut world = bonded(100 * COIN);
    world.chain.borrow_mut().swap_hotkey(OPERATOR, NEW_HOTKEY);
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    world.wait(DAY);
    world.execute(case).unwrap();
    assert_eq!(world.chain.borrow().burned, 0);
    follow(&mut world, NEW_HOTKEY).unwrap();
    assert!(world.call(ANYBODY, |vault| vault.flush_burn()).unwrap().abs_diff(3 * COIN) <= 1);
}

#[test]
fn gathering_takes_nothing_from_the_vaults_own_hotkey_and_hides_no_loss() {
    let mut world = bonded(100 * COIN);
    assert_eq!(world.call(ANYBODY, |vault| vault.gather(id(OPERATOR))), Err(Error::NothingArrived));
    assert_eq!(world.call(ANYBODY, |vault| vault.gather(id(OTHER_HOTKEY))), Err(Error::NothingArrived));
    world.chain.borrow_mut().swap_hotkey(OPERATOR, NEW_HOTKEY);
    world.chain.borrow_mut().hotkeys.insert(OPERATOR);
    world.chain.borrow_mut().arrive(OTHER_HOTKEY, world.account, COIN);
    let gathered = world.call(ANYBODY, |vault| vault.gather(id(OTHER_HOTKEY)));
    assert_eq!(gathered, Err(Error::StakeMoved { stake: 0, seen: 100 * COIN }));
    assert_eq!(world.vault.books().seen, 100 * COIN);
    assert!(matches!(world.deposit(BOB, COIN), Err(Error::StakeMoved { .. } | Error::NoStake { .. })));
}

#[test]
fn nobody_moves_a_swapped_vault_back_under_the_old_hotkey() {
    let mut world = bonded(100 * COIN);
    world.chain.borrow_mut().swap_hotkey(OPERATOR, NEW_HOTKEY);
    // The old one lives on, and anybody may have it by now.
    world.chain.borrow_mut().hotkeys.insert(OPERATOR);
    let gathered = world.call(ANYBODY, |vault| vault.gather(id(NEW_HOTKEY)));
    assert_eq!(gathered, Err(Error::StakeMoved { stake: 0, seen: 100 * COIN }));
    follow(&mut world, NEW_HOTKEY).unwrap();
    assert!(world.bond(ALICE).free_rao.abs_diff(100 * COIN) <= 1);
}

/* DISSOLUTION */

/// Alice three quarters, Bob a quarter, and 80 TAO from the chain.
fn dissolved() -> World {
    let mut world = bonded(300 * COIN);
    world.deposit(BOB, 100 * COIN).unwrap();
    world.chain.borrow_mut().dissolve();
    world.give_tao(world.account, 80 * COIN);
    world
}

#[test]
fn after_dissolution_everybody_gets_their_share_of_the_tao() {
    let mut world = dissolved();
    assert!(world.vault.books().wound_up);
    assert_eq!(world.deposit(CAROL, COIN), Err(Error::WoundUp));
    assert_eq!(follow(&mut world, NEW_HOTKEY), Err(Error::WoundUp));
    assert_eq!(world.call(ANYBODY, |vault| vault.gather(id(NEW_HOTKEY))), Err(Error::WoundUp));
    assert_eq!(world.vault.stateable(id(ALICE), MACHINE).alpha, 0);
    for owner in [ALICE, BOB] {
        world.call(owner, |vault| vault.request_exit(MACHINE, None)).unwrap();
    }
    world.wait(14 * DAY);
    let (alice, bob) = (exit_all(&mut world, ALICE).unwrap(), exit_all(&mut world, BOB).unwrap());
    assert!(alice.abs_diff(60 * COIN) <= 1 && bob.abs_diff(20 * COIN) <= 1);
    assert!(alice + bob <= 80 * COIN);
    assert_eq!(world.tao(ALICE), 100 * COIN + alice);
    assert!(world.tao(world.account) >= EXISTENTIAL);
}

#[test]
fn another_subnet_under_the_netuid_is_not_this_vaults() {
    let mut world = dissolved();
    world.chain.borrow_mut().register_again();
    // Stake there, under the same hotkey and netuid, is of another token.
    world.chain.borrow_mut().arrive(OPERATOR, world.account, 1_000_000 * COIN);
    world.chain.borrow_mut().arrive(OPERATOR, CAROL, COIN);
    assert!(world.vault.books().wound_up);
    assert_eq!(world.vault.books().stake, 80 * COIN);
    assert_eq!(world.deposit(CAROL, COIN), Err(Error::WoundUp));
    world.call(ALICE, |vault| vault.request_exit(MACHINE, Some(60 * COIN - 10))).unwrap();
    world.wait(14 * DAY);
    assert!(exit_all(&mut world, ALICE).unwrap().abs_diff(60 * COIN - 10) <= 1);
}

#[test]
fn cases_are_decided_after_dissolution_and_burned_in_tao() {
    let mut world = bonded(300 * COIN);
    world.deposit(BOB, 100 * COIN).unwrap();
    let backing = world.backing();
    let before = world.file(Kind::Offline, &backing).unwrap(); // 3 of 400 alpha
    let appealed = world.file(Kind::Offline, &Backing { rental: 8, ..backing.clone() }).unwrap();
    world.appeal(appealed).unwrap();
    world.chain.borrow_mut().dissolve();
    world.give_tao(world.account, 80 * COIN);
    // What is filed now still costs what it would have.
    let after = world.file(Kind::Offline, &Backing { rental: 9, ..backing }).unwrap();
    assert_eq!(world.case(after).shares, world.case(before).shares);
    world.call(JUDGE, |vault| vault.rule(appealed, false)).unwrap();
    world.wait(DAY);
    world.execute(before).unwrap();
    assert!(world.tao(BURN_ACCOUNT).abs_diff(600_000_000) <= 1); // 3/400 of 80 TAO
    world.execute(after).unwrap();
    assert!(world.tao(BURN_ACCOUNT).abs_diff(1_200_000_000) <= 2);
    assert_eq!(world.chain.borrow().burned, 0);
    // The appeal's bond was never part of what is shared.
    assert_eq!(world.vault.credit_of(id(ALICE)), 150_000_000);
    world.call(ANYBODY, |vault| vault.withdraw_credit(id(ALICE))).unwrap();
    assert!(world.bond(BOB).free_rao.abs_diff(20 * COIN) <= 1);
}

#[test]
fn who_leaves_after_dissolution_does_not_make_a_penalty_smaller_for_who_stays() {
    let mut world = dissolved();
    let backing = world.backing();
    let before = world.file(Kind::Offline, &backing).unwrap();
    world.call(BOB, |vault| vault.request_exit(MACHINE, None)).unwrap();
    world.wait(14 * DAY);
    exit_all(&mut world, BOB).unwrap();
    world.execute(before).unwrap();
    let after = world.file(Kind::Offline, &Backing { rental: 8, ..backing }).unwrap();
    assert!(world.case(after).shares.abs_diff(world.case(before).shares) <= 1_000_000);
    assert!(world.bond(ALICE).held_rao.abs_diff(600_000_000) <= 1);
}

#[test]
fn tao_that_comes_late_is_shared_by_who_is_still_there() {
    let mut world = dissolved();
    for owner in [ALICE, BOB] {
        world.call(owner, |vault| vault.request_exit(MACHINE, None)).unwrap();
    }
    world.wait(14 * DAY);
    exit_all(&mut world, ALICE).unwrap();
    world.give_tao(world.account, 8 * COIN);
    assert!(exit_all(&mut world, BOB).unwrap().abs_diff(28 * COIN) <= 10);
}

#[test]
fn nothing_is_paid_out_of_nothing() {
    let mut world = bonded(300 * COIN);
    world.call(ALICE, |vault| vault.request_exit(MACHINE, None)).unwrap();
    world.wait(14 * DAY);
    world.chain.borrow_mut().dissolve();
    // The chain pays later: until then the exit waits, with everything in place.
    assert_eq!(exit_all(&mut world, ALICE), Err(Error::NothingArrived));
    world.give_tao(world.account, COIN);
    assert!(exit_all(&mut world, ALICE).unwrap().abs_diff(COIN) <= 1);
}

/* LOCKS AND RATES */

#[test]
fn somebodys_lock_does_not_touch_the_vault() {
    let mut world = bonded(100 * COIN);
    world.chain.borrow_mut().locks.insert(ALICE, 900 * COIN);
    world.call(ALICE, |vault| vault.request_exit(MACHINE, None)).unwrap();
    world.wait(14 * DAY);
    assert_eq!(exit_all(&mut world, ALICE), Ok(100 * COIN));
}

#[test]
fn numbers_of_the_extensions_answers_are_the_runtimes() {
    use crate::extension::ChainError;
    use ink::env::chain_extension::FromStatusCode;
    assert_eq!(ChainError::from_status_code(0), Ok(()));
    let expected = [
        (1, ChainError::RuntimeError),
        (6, ChainError::NotEnoughStakeToWithdraw),
        (9, ChainError::SubnetNotExists),
        (13, ChainError::AmountTooLow),
        (20, ChainError::CannotUseSystemAccount),
        (22, ChainError::SubtokenDisabled),
        (23, ChainError::Unknown(23)),
        (u32::MAX, ChainError::Unknown(u32::MAX)),
    ];
    for (code, error) in expected {
        assert_eq!(ChainError::from_status_code(code), Err(error));
    }
}
