//! What the chain does without asking: swaps, dissolution, another subnet under the netuid, arrivals elsewhere.

use super::harness::*;
use crate::error::Error;
use crate::types::*;
use alpha_model::Account;

fn follow(world: &mut World, hotkey: Account) -> Result<(), Error> {
    world.call(ANYBODY, |vault| vault.follow_swap(id(hotkey)))
}

fn exit_all(world: &mut World, owner: Account) -> Result<u64, Error> {
    world.call(owner, |vault| vault.withdraw(MACHINE, 0))
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

/* WHAT WAS LAST SEEN */

#[test]
fn every_message_looks_and_anybody_can() {
    type Message = fn(&mut World);
    let messages: [Message; 9] = [
        |world| world.call(ALICE, |vault| vault.request_exit(MACHINE, None).map(drop)).unwrap(),
        |world| world.call(ALICE, |vault| vault.cancel_exit(MACHINE)).unwrap(),
        |world| world.deposit(BOB, COIN).map(drop).unwrap(),
        |world| world.file(Kind::Offline, &Backing { case_id: 71, ..world.backing() }).map(drop).unwrap(),
        |world| world.appeal(1).unwrap(),
        |world| world.amend(1, true, 0).unwrap(),
        |world| world.execute(1).unwrap(),
        |world| world.amend(1, false, 5 * COIN / 2).unwrap(),
        |world| assert_eq!(world.call(ANYBODY, |vault| Ok(vault.touch())), Ok(101 * COIN)),
    ];
    for (index, message) in messages.into_iter().enumerate() {
        let mut world = bonded(100 * COIN);
        let backing = world.backing();
        world.file(Kind::Offline, &backing).unwrap();
        world.call(ALICE, |vault| vault.request_exit(MACHINE, Some(COIN))).unwrap();
        world.dividends(COIN);
        world.chain.borrow_mut().subtoken_on = false; // burning would look by itself
        world.wait(if index == 6 { DAY } else { 60 });
        assert_eq!(world.vault.books().seen, 100 * COIN);
        message(&mut world);
        assert_eq!(world.vault.books().seen, world.stake_of(world.account), "message {index}");
    }
}

#[test]
fn looking_never_forgets_what_was_there() {
    let mut world = bonded(100 * COIN);
    world.chain.borrow_mut().swap_hotkey(OPERATOR, NEW_HOTKEY);
    assert_eq!(world.call(ANYBODY, |vault| Ok(vault.touch())), Ok(100 * COIN));
    assert!(matches!(follow(&mut world, OTHER_HOTKEY), Err(Error::NotThere { .. })));
}

/// The operator swaps his hotkey, buys the vault a false one with as much as was last seen, and would buy in at that
/// price, in front of gathering the dividends that nobody had seen.
#[test]
fn nobody_buys_in_at_a_price_without_what_is_still_to_be_gathered() {
    let mut world = bonded(100 * COIN);
    world.dividends(50 * COIN); // and nobody looks
    world.chain.borrow_mut().swap_hotkey(OPERATOR, NEW_HOTKEY);
    world.chain.borrow_mut().arrive(OTHER_HOTKEY, world.account, 100 * COIN);
    world.chain.borrow_mut().arrive(OTHER_HOTKEY, CAROL, 900 * COIN);
    follow(&mut world, OTHER_HOTKEY).unwrap();
    let deposits = |world: &mut World| world.call(CAROL, |vault| vault.deposit(MACHINE, id(OTHER_HOTKEY), 900 * COIN));
    let until = START + DAY;
    assert_eq!(world.vault.books().deposits_from, until);
    assert_eq!(deposits(&mut world), Err(Error::DepositsPaused { until }));
    world.wait(DAY - 1);
    assert_eq!(deposits(&mut world), Err(Error::DepositsPaused { until }));
    // Anybody has had a day for this.
    assert_eq!(world.call(ANYBODY, |vault| vault.gather(id(NEW_HOTKEY))), Ok(150 * COIN));
    world.wait(1);
    deposits(&mut world).unwrap();
    assert!(world.bond(ALICE).free_rao.abs_diff(250 * COIN) <= 10);
    assert!(world.bond(CAROL).free_rao.abs_diff(900 * COIN) <= 1);
}

/// Half as much again had come and nobody had looked: at the rate last seen a penalty takes too many shares.
#[test]
fn a_penalty_filed_at_a_stale_rate_is_no_heavier_once_it_is_executed() {
    let mut world = bonded(100 * COIN);
    world.dividends(50 * COIN);
    world.chain.borrow_mut().swap_hotkey(OPERATOR, NEW_HOTKEY);
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    follow(&mut world, NEW_HOTKEY).unwrap();
    assert!(world.bond(ALICE).held_rao > 4 * COIN);
    world.wait(DAY);
    world.execute(case).unwrap();
    assert_eq!(world.chain.borrow().burned, 3 * COIN);
    assert!(world.bond(ALICE).free_rao.abs_diff(147 * COIN) <= 1);
    assert_eq!(world.bond(ALICE).held_rao, 0);
}

/* DISSOLUTION */

fn wind_up(world: &mut World) -> Result<u64, Error> {
    world.call(ANYBODY, |vault| vault.wind_up())
}

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
    // All that a contract is told is there to spend: what keeps it alive was left out by the pallet.
    assert!(world.tao(world.account) <= 2);
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
    wind_up(&mut world).unwrap();
    world.wait(7 * DAY);
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
    let appealed = world.file(Kind::Offline, &Backing { rental: 8, case_id: 80, ..backing.clone() }).unwrap();
    world.appeal(appealed).unwrap();
    world.chain.borrow_mut().dissolve();
    world.give_tao(world.account, 80 * COIN);
    // What is filed now still costs what it would have.
    let after = world.file(Kind::Offline, &Backing { rental: 9, case_id: 90, ..backing }).unwrap();
    assert_eq!(world.case(after).shares, world.case(before).shares);
    world.call(JUDGE, |vault| vault.rule(appealed, false)).unwrap();
    world.wait(DAY);
    world.execute(before).unwrap();
    // Decided, and burned when the chain has had its week.
    assert_eq!((world.case(before).status, world.tao(BURN_ACCOUNT)), (Status::Executed, 0));
    let payable_at = START + 7 * DAY;
    assert_eq!(world.call(ANYBODY, |vault| vault.flush_burn()), Err(Error::WindingUp { payable_at }));
    world.wait(6 * DAY);
    assert!(world.call(ANYBODY, |vault| vault.flush_burn()).unwrap().abs_diff(600_000_000) <= 1); // 3/400 of 80 TAO
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
    let after = world.file(Kind::Offline, &Backing { rental: 8, case_id: 80, ..backing }).unwrap();
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
fn nothing_is_paid_before_the_chain_has_had_a_week_and_an_exit_waits_for_it() {
    let mut world = bonded(300 * COIN);
    world.call(ALICE, |vault| vault.request_exit(MACHINE, None)).unwrap();
    world.wait(14 * DAY);
    world.chain.borrow_mut().dissolve();
    // A first part of what the chain pays: at this price the bond would leave for next to nothing.
    world.give_tao(world.account, COIN);
    let payable_at = world.now + 7 * DAY;
    assert_eq!(exit_all(&mut world, ALICE), Err(Error::WindingUp { payable_at }));
    assert_eq!(wind_up(&mut world), Ok(payable_at));
    assert_eq!(world.vault.books().wound_up_at, world.now);
    world.wait(7 * DAY - 1);
    // Its own window of three days is over by now, but it waits.
    let early = Error::ExitNotReady { ready_at: payable_at, closes_at: payable_at + 3 * DAY };
    assert_eq!(exit_all(&mut world, ALICE), Err(early));
    assert!(world.bond(ALICE).bond.exiting > 0);
    // Noticing again does not start again.
    assert_eq!(wind_up(&mut world), Ok(payable_at));
    world.give_tao(world.account, 79 * COIN);
    world.wait(1);
    assert!(exit_all(&mut world, ALICE).unwrap().abs_diff(80 * COIN) <= 1);
}

#[test]
fn an_exit_that_waited_has_its_window_and_one_that_had_lapsed_is_not_revived() {
    let mut world = bonded(300 * COIN);
    world.deposit(BOB, 100 * COIN).unwrap();
    world.call(ALICE, |vault| vault.request_exit(MACHINE, None)).unwrap();
    world.wait(4 * DAY);
    world.call(BOB, |vault| vault.request_exit(MACHINE, None)).unwrap();
    world.wait(13 * DAY + 1); // Alice's lapsed a second ago, Bob's is ready in a day less a second
    world.chain.borrow_mut().dissolve();
    world.give_tao(world.account, 80 * COIN);
    let payable_at = wind_up(&mut world).unwrap();
    assert_eq!((world.bond(ALICE).bond.exiting, world.bond(BOB).bond.ready_at), (0, payable_at));
    world.wait(7 * DAY);
    assert!(matches!(exit_all(&mut world, ALICE), Err(Error::ExitNotReady { .. })));
    world.wait(3 * DAY);
    assert!(exit_all(&mut world, BOB).unwrap().abs_diff(20 * COIN) <= 1);
    // Nor is anything shortened: who asks now waits the whole delay.
    let ready_at = world.call(ALICE, |vault| vault.request_exit(MACHINE, None)).unwrap();
    assert_eq!(ready_at, world.now + 14 * DAY);
}

#[test]
fn any_message_that_comes_after_the_end_takes_note_of_it() {
    type Message = fn(&mut World) -> bool;
    let messages: [Message; 7] = [
        |world| world.call(ALICE, |vault| vault.request_exit(MACHINE, None)).is_ok(),
        |world| world.call(ALICE, |vault| vault.cancel_exit(MACHINE)).is_ok(),
        |world| world.file(Kind::Offline, &Backing { case_id: 71, ..world.backing() }).is_ok(),
        |world| world.appeal(1).is_ok(),
        |world| world.amend(1, true, 0).is_ok(),
        |world| world.call(ANYBODY, |vault| Ok(vault.touch())).is_ok(),
        |world| {
            world.wait(DAY);
            world.execute(1).is_ok()
        },
    ];
    for message in messages {
        let mut world = bonded(100 * COIN);
        let backing = world.backing();
        world.file(Kind::Offline, &backing).unwrap();
        world.call(ALICE, |vault| vault.request_exit(MACHINE, Some(COIN))).unwrap();
        assert_eq!(wind_up(&mut world), Err(Error::NotWoundUp));
        world.wait(60);
        world.chain.borrow_mut().dissolve();
        assert!(message(&mut world));
        assert_eq!(world.vault.books().wound_up_at, world.now);
    }
}

#[test]
fn nobody_is_paid_less_than_he_would_take() {
    let mut world = bonded(100 * COIN);
    world.call(ALICE, |vault| vault.request_exit(MACHINE, None)).unwrap();
    world.wait(14 * DAY);
    let least = |world: &mut World, min_rao: u64| world.call(ALICE, |vault| vault.withdraw(MACHINE, min_rao));
    let little = Error::TooLittle { rao: 100 * COIN, min_rao: 100 * COIN + 1 };
    assert_eq!(least(&mut world, 100 * COIN + 1), Err(little));
    world.chain.borrow_mut().clamp = 100 * COIN - 5; // what the chain loses on the way counts
    let little = Error::TooLittle { rao: 100 * COIN - 5, min_rao: 100 * COIN };
    assert_eq!(least(&mut world, 100 * COIN), Err(little));
    assert_eq!(world.stake_of(world.account), 100 * COIN);
    // In TAO likewise.
    world.chain.borrow_mut().dissolve();
    world.give_tao(world.account, 80 * COIN);
    wind_up(&mut world).unwrap();
    world.wait(7 * DAY);
    assert_eq!(least(&mut world, 81 * COIN), Err(Error::TooLittle { rao: 80 * COIN, min_rao: 81 * COIN }));
    assert_eq!(least(&mut world, 80 * COIN), Ok(80 * COIN));
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
