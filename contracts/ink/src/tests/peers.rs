//! Holes found in collateral contracts elsewhere, by their numbers in the project's list. 11 and 14 need a call to a
//! foreign contract or a sponsor, which do not exist here; the rest of 1 to 16 that applies is below.

use super::harness::*;
use crate::error::Error;
use crate::types::*;

fn request(world: &mut World, amount: Option<u64>) -> Result<u64, Error> {
    world.call(ALICE, |vault| vault.request_exit(MACHINE, amount))
}

fn withdraw(world: &mut World) -> Result<u64, Error> {
    world.call(ALICE, |vault| vault.withdraw(MACHINE, 0))
}

#[test]
fn hole_1_an_armed_exit_backs_nothing_while_it_can_leave() {
    let mut world = bonded(100 * COIN);
    request(&mut world, None).unwrap();
    world.wait(14 * DAY);
    // It could leave now, so nothing of it may be stated; once it is stated again, it cannot leave.
    assert_eq!(world.vault.stateable(id(ALICE), MACHINE).alpha, 0);
    world.wait(3 * DAY + 1);
    assert_eq!(world.vault.stateable(id(ALICE), MACHINE).alpha, 100 * COIN);
    assert!(matches!(withdraw(&mut world), Err(Error::ExitNotReady { .. })));
}

#[test]
fn hole_2_and_3_a_fresh_deposit_does_not_leave_through_an_old_request() {
    let mut world = bonded(100 * COIN);
    request(&mut world, Some(50 * COIN)).unwrap();
    let huge = Backing { alpha: 900 * COIN, alpha_value: 9_000 * COIN, earned: u64::MAX, ..world.backing() };
    world.file(Kind::Offline, &huge).unwrap();
    assert_eq!(world.bond(ALICE).exiting_rao, 0);
    world.deposit(ALICE, 200 * COIN).unwrap();
    world.wait(14 * DAY);
    assert_eq!(withdraw(&mut world), Err(Error::NoExit));
}

#[test]
fn hole_4_and_10_a_penalty_during_an_exit_takes_its_part_and_the_exit_pays_the_rest() {
    let mut world = bonded(100 * COIN);
    request(&mut world, None).unwrap();
    let backing = world.backing();
    world.file(Kind::Offline, &backing).unwrap();
    world.wait(14 * DAY);
    assert_eq!(withdraw(&mut world), Ok(97 * COIN));
    // A tiny exit does not make a full penalty fail.
    let mut world = bonded(100 * COIN);
    request(&mut world, Some(1)).unwrap();
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    assert!(world.case(case).shares > 0);
}

#[test]
fn hole_5_and_6_nobody_can_squat_a_machine_or_move_anothers_bond() {
    let mut world = World::new();
    world.deposit(BOB, 1).unwrap();
    world.deposit(ALICE, 100 * COIN).unwrap();
    assert_eq!(world.bond(ALICE).free_rao, 100 * COIN);
    assert_eq!(world.vault.books().bonds, 2);
    world.call(BOB, |vault| vault.request_exit(MACHINE, None)).unwrap();
    assert_eq!(world.bond(ALICE).exiting_rao, 0);
    assert_eq!(world.call(ANYBODY, |vault| vault.request_exit(MACHINE, None)), Err(Error::NoBond));
}

#[test]
fn hole_7_a_burn_that_is_refused_does_not_stop_the_penalty() {
    let mut world = bonded(100 * COIN);
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    world.chain.borrow_mut().min_burn = u64::MAX;
    world.wait(DAY);
    world.execute(case).unwrap();
    assert_eq!(world.case(case).status, Status::Executed);
    assert_eq!(world.bond(ALICE).held_rao, 0);
}

#[test]
fn hole_8_nothing_is_not_recorded_as_a_penalty() {
    let mut world = bonded(100 * COIN);
    let backing = Backing { earned: COIN, ..world.backing() };
    assert_eq!(world.file(Kind::Offline, &backing), Err(Error::NoPenalty));
    assert_eq!((world.vault.books().cases, world.vault.judged_by(70, 1)), (0, None));
}

#[test]
fn hole_9_nobody_else_can_deny_or_delay_an_exit_however_often_he_tries() {
    let mut world = bonded(100 * COIN);
    let ready_at = request(&mut world, None).unwrap();
    let mut held = 0;
    for day in 1..=14 {
        // A case each day, with attestations and all: what it sets aside is gone from the exit, and no more than that.
        let small = Backing { case_id: day, alpha: COIN, alpha_value: COIN, ..world.backing() };
        let case = world.file(Kind::Offline, &small).unwrap();
        held += world.case(case).alpha;
        for other in [JUDGE, ANYBODY, BOB] {
            assert_eq!(world.call(other, |vault| vault.cancel_exit(MACHINE)), Err(Error::NoBond));
            assert_eq!(world.call(other, |vault| vault.request_exit(MACHINE, None)), Err(Error::NoBond));
            assert_eq!(world.call(other, |vault| vault.withdraw(MACHINE, 0)), Err(Error::NoBond));
            assert!(world.call(other, |vault| vault.rule(case, true)).is_err());
            let _touched = world.call(other, |vault| Ok(vault.touch()));
        }
        assert_eq!(world.bond(ALICE).bond.ready_at, ready_at);
        // Dismissed again: nothing of it is taken, and the exit goes on as it was.
        world.amend(case, true, 0).unwrap();
        world.wait(DAY);
    }
    assert_eq!((world.now, world.bond(ALICE).exiting_rao), (ready_at, 100 * COIN - held));
    assert_eq!(withdraw(&mut world), Ok(100 * COIN - held));
    assert_eq!(world.bond(ALICE).free_rao, held);
}

#[test]
fn hole_12_what_one_leaves_behind_is_not_the_next_ones() {
    let mut world = bonded(100 * COIN);
    request(&mut world, Some(60 * COIN)).unwrap();
    world.wait(14 * DAY);
    withdraw(&mut world).unwrap();
    world.deposit(BOB, COIN).unwrap();
    assert_eq!(world.bond(ALICE).free_rao, 40 * COIN);
    assert_eq!(world.bond(BOB).free_rao, COIN);
}

#[test]
fn hole_13_an_exit_that_can_be_withdrawn_still_answers() {
    let mut world = bonded(100 * COIN);
    request(&mut world, None).unwrap();
    world.wait(14 * DAY);
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    assert_eq!(world.bond(ALICE).held_rao, 3 * COIN);
    // And what is held is not stranded: overturned, it is free.
    world.appeal(case).unwrap();
    world.call(JUDGE, |vault| vault.rule(case, false)).unwrap();
    assert_eq!(world.bond(ALICE).free_rao, 3 * COIN);
}

#[test]
fn hole_15_a_penalty_needs_a_quorum_is_bounded_and_can_be_appealed() {
    let mut world = bonded(100 * COIN);
    let backing = world.backing();
    let (stated, attested) = (world.stated(&[0], &backing), world.attested(&[0], Kind::Offline, 7));
    let alone = world.call(ANYBODY, |vault| vault.set_aside(backing.clone(), stated, attested));
    assert_eq!(alone, Err(Error::NoQuorum { signers: 1 }));
    let case = world.file(Kind::Offline, &backing).unwrap();
    assert!(world.bond(ALICE).held_rao <= backing.alpha / 10);
    assert!(world.appeal(case).is_ok());
}

#[test]
fn hole_16_nobody_gains_by_a_penalty() {
    let mut world = bonded(100 * COIN);
    world.deposit(BOB, 100 * COIN).unwrap();
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    world.appeal(case).unwrap();
    world.call(JUDGE, |vault| vault.rule(case, true)).unwrap();
    world.call(ANYBODY, |vault| vault.flush_appeal_bonds()).unwrap();
    for account in [JUDGE, ANYBODY] {
        assert_eq!((world.tao(account), world.chain.borrow().total(account)), (0, 0));
        assert_eq!(world.vault.credit_of(id(account)), 0);
    }
    // Nor do those who share the pool: what was burned is gone from it.
    assert_eq!(world.bond(BOB).free_rao, 100 * COIN);
}
