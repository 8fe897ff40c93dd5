//! From a filing to what is burned or given back.

use super::harness::*;
use crate::docket::Host;
use crate::eip712;
use crate::error::Error;
use crate::types::*;

#[test]
fn a_case_sets_aside_what_falls_on_alpha_and_executes_once_after_its_window() {
    let mut world = bonded(100 * COIN);
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    // 10 % of 20 TAO is the other vault's; 10 % of what the alpha counted for is 3 alpha.
    assert_eq!((world.bond(ALICE).free_rao, world.bond(ALICE).held_rao), (97 * COIN, 3 * COIN));
    assert_eq!(world.vault.judged_by(70, 1), Some(case));
    let from = START + DAY;
    world.wait(DAY - 1);
    assert_eq!(world.execute(case), Err(Error::NotExecutable { status: Status::Filed, from }));
    world.wait(1);
    world.execute(case).unwrap();
    assert_eq!(world.chain.borrow().burned, 3 * COIN);
    assert_eq!((world.bond(ALICE).free_rao, world.bond(ALICE).held_rao), (97 * COIN, 0));
    assert_eq!(world.vault.books().to_burn, 0);
    assert!(matches!(world.execute(case), Err(Error::NotExecutable { status: Status::Executed, .. })));
    assert_eq!(world.execute(case + 1), Err(Error::NoCase));
}

#[test]
fn a_case_of_the_arbiter_is_judged_once_for_a_bond_whatever_is_filed_again() {
    let mut world = bonded(100 * COIN);
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    assert_eq!(world.file(Kind::Offline, &backing), Err(Error::AlreadyJudged(case)));
    assert_eq!(world.file(Kind::NotDelivered, &backing), Err(Error::AlreadyJudged(case)));
    let spoofed = Shortfall { case_id: backing.case_id, ..world.shortfall() };
    assert_eq!(world.file_spoofed(&spoofed, START - 5), Err(Error::AlreadyJudged(case)));
    // Naming another rental or registration does not make it another case.
    let other = Backing { rental: 8, registration: 6, ..backing.clone() };
    assert_eq!(world.file(Kind::Offline, &other), Err(Error::AlreadyJudged(case)));
    // Another case of the same rental is another matter: the Arbiter has judged it apart.
    let later = Backing { case_id: 71, ..backing };
    assert_eq!(world.file(Kind::Offline, &later), Ok(case + 1));
    assert_eq!((world.vault.judged_by(70, 1), world.vault.judged_by(71, 1)), (Some(case), Some(case + 1)));
}

#[test]
fn a_dismissed_case_is_not_filed_again() {
    let mut world = bonded(100 * COIN);
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    world.appeal(case).unwrap();
    world.call(JUDGE, |vault| vault.rule(case, false)).unwrap();
    assert_eq!(world.file(Kind::Offline, &backing), Err(Error::AlreadyJudged(case)));
}

#[test]
fn who_files_does_not_choose_the_kind() {
    let mut world = bonded(100 * COIN);
    // Keepers stated an outage; the attestations of a machine that was never delivered do not make it one.
    let backing = world.backing();
    let stated = world.stated(&[0, 1, 2, 3], &backing);
    let attested = world.attested(&[0, 1, 2, 3], Kind::NotDelivered, 7);
    let other = Backing { kind: Kind::NotDelivered, ..backing };
    let refused = world.call(ANYBODY, |vault| vault.set_aside(other, stated, attested));
    assert!(matches!(refused, Err(Error::NotAKeeper { index: 0, .. })), "{refused:?}");
}

#[test]
fn one_statement_serves_one_case() {
    let mut world = bonded(100 * COIN);
    let backing = world.backing();
    let stated = world.stated(&[0, 1, 2, 3], &backing);
    world.file(Kind::Offline, &backing).unwrap();
    let attested = world.attested(&[0, 1, 2, 3], Kind::Offline, 7);
    let other = Backing { case_id: 71, ..backing };
    let refused = world.call(ANYBODY, |vault| vault.set_aside(other, stated, attested));
    assert!(matches!(refused, Err(Error::NotAKeeper { index: 0, .. })), "{refused:?}");
}

/// 20 TAO, then Alice's 15, then Bob's 10: 10 % of 45 is 4.5, of which TAO bears 2, Alice 1.5 and Bob 1.
#[test]
fn two_bonds_behind_one_rental_bear_one_after_the_other_and_together_what_the_rule_says() {
    let mut world = bonded(100 * COIN);
    world.deposit(BOB, 100 * COIN).unwrap();
    let alices = Backing { earned: 4 * COIN, ..world.backing() };
    let bobs = Backing { owner: id(BOB), tao_reserve: 35 * COIN, alpha: 20 * COIN, alpha_value: 10 * COIN, ..alices };
    let first = world.file(Kind::Offline, &alices).unwrap();
    let second = world.file(Kind::Offline, &bobs).unwrap();
    // Earned 4: half a TAO is left for the last.
    assert_eq!((world.case(first).value_rao, world.case(second).value_rao), (3 * COIN / 2, COIN / 2));
    assert_eq!((world.case(first).alpha, world.case(second).alpha), (3 * COIN, COIN));
    assert_eq!(world.file(Kind::Offline, &bobs), Err(Error::AlreadyJudged(second)));
}

#[test]
fn what_was_never_delivered_costs_its_share_though_nothing_was_earned() {
    let mut world = bonded(100 * COIN);
    let backing = Backing { earned: 0, ..world.backing() };
    assert_eq!(world.file(Kind::Offline, &backing), Err(Error::NoPenalty));
    let case = world.file(Kind::NotDelivered, &backing).unwrap();
    assert_eq!(world.case(case).alpha, 600_000_000); // 2 % of 30
}

#[test]
fn a_spoof_is_not_filed_as_an_outage() {
    let mut world = bonded(100 * COIN);
    let backing = world.backing();
    assert_eq!(world.file(Kind::Spoofed, &backing), Err(Error::BadKind));
}

#[test]
fn exiting_bond_answers_before_free_bond_and_no_more_is_taken_than_there_is() {
    let mut world = bonded(100 * COIN);
    world.call(ALICE, |vault| vault.request_exit(MACHINE, Some(2 * COIN))).unwrap();
    let backing = world.backing();
    world.file(Kind::Offline, &backing).unwrap();
    let bond = world.bond(ALICE);
    assert_eq!((bond.free_rao, bond.exiting_rao, bond.held_rao), (97 * COIN, 0, 3 * COIN));
    let huge =
        Backing { rental: 8, case_id: 80, alpha: 9_000 * COIN, alpha_value: 4_500 * COIN, earned: u64::MAX, ..backing };
    let case = world.file(Kind::Offline, &huge).unwrap();
    assert_eq!((world.bond(ALICE).free_rao, world.bond(ALICE).held_rao), (0, 100 * COIN));
    // An appeal is about what was there to take, not about what was asked for.
    assert!(world.case(case).value_rao < 450 * COIN);
    let nothing = Backing { rental: 9, case_id: 90, ..huge };
    assert_eq!(world.file(Kind::Offline, &nothing), Err(Error::NothingToSetAside));
    assert_eq!(world.vault.judged_by(90, 1), None);
}

#[test]
fn a_bond_that_nobody_has_is_named() {
    let mut world = bonded(100 * COIN);
    let backing = Backing { owner: id(BOB), ..world.backing() };
    assert_eq!(world.file(Kind::Offline, &backing), Err(Error::NoBond));
    let shortfall = Shortfall { owner: id(BOB), ..world.shortfall() };
    assert_eq!(world.file_spoofed(&shortfall, START - 5), Err(Error::NoBond));
}

#[test]
fn statements_are_neither_ahead_nor_old_nor_older_than_the_outage() {
    let mut world = bonded(100 * COIN);
    world.wait(10 * DAY);
    let (now, backing) = (world.now, world.backing());
    let file = |world: &mut World, from: u64, until: u64, at: u64| {
        let attested = [0, 1, 2, 3].map(|key| world.attestation(key, Kind::Offline, 7, from, until)).to_vec();
        let hash = eip712::backing(&Host, &world.account, &backing, at as u32);
        let state = |key| Stated { stated_at: at as u32, signature: world.sign(key, hash) };
        let stated = [0, 1, 2, 3].map(state).to_vec();
        let backing = backing.clone();
        world.call(ANYBODY, |vault| vault.set_aside(backing, stated, attested))
    };
    let oldest = now - 3 * DAY;
    assert_eq!(file(&mut world, now - 9, now + 1, now), Err(Error::AheadOfTime { index: 0 }));
    assert_eq!(file(&mut world, now - 9, now - 1, now + 1), Err(Error::AheadOfTime { index: 0 }));
    assert_eq!(file(&mut world, 5, oldest - 1, now), Err(Error::Stale { index: 0, oldest }));
    assert_eq!(file(&mut world, now - 9, now - 1, now - 2), Err(Error::Stale { index: 0, oldest: now - 1 }));
    let empty = Error::NothingInCommon { from: (now - 9) as u32, until: (now - 9) as u32 };
    assert_eq!(file(&mut world, now - 9, now - 9, now), Err(empty));
    assert!(file(&mut world, now - 9, oldest, oldest).is_err());
    assert!(file(&mut world, oldest - 9, oldest, oldest).is_ok());
}

/* SPOOFED */

#[test]
fn a_spoof_takes_what_tao_could_not_bear_and_each_proof_serves_once() {
    let mut world = bonded(100 * COIN);
    let shortfall = world.shortfall();
    let case = world.file_spoofed(&shortfall, START - 60).unwrap();
    assert_eq!(world.case(case).alpha, 10 * COIN); // 5 of 15 TAO, of 30 alpha
    assert_eq!(world.bond(ALICE).held_rao, 10 * COIN);
    assert_eq!(world.vault.judged_by(70, 1), Some(case));
    assert_eq!(world.file_spoofed(&shortfall, START - 59), Err(Error::AlreadyJudged(case)));
    let later = Shortfall { case_id: 71, ..shortfall };
    assert_eq!(world.file_spoofed(&later, START + 1), Err(Error::AheadOfTime { index: 0 }));
    let oldest = START - 3 * DAY;
    assert_eq!(world.file_spoofed(&later, oldest - 1), Err(Error::Stale { index: 0, oldest }));
    // It is the Arbiter's case that serves once; that each proof does is the Arbiter's to see to.
    world.file_spoofed(&later, START - 60).unwrap();
}

#[test]
fn what_is_stated_of_a_spoof_is_not_older_than_the_first_proof() {
    let mut world = bonded(100 * COIN);
    let (shortfall, at) = (world.shortfall(), START as u32 - 60);
    let hash = eip712::shortfall(&Host, &world.account, &shortfall, at - 1);
    let stated = [0, 1, 2, 3].map(|key| Stated { stated_at: at - 1, signature: world.sign(key, hash) }).to_vec();
    let spoofs = [0, 1, 2, 3].map(|key| world.spoof(key, &shortfall, at.into())).to_vec();
    let refused = world.call(ANYBODY, |vault| vault.set_aside_spoofed(shortfall, 3, 8, stated, spoofs));
    assert_eq!(refused, Err(Error::Stale { index: 0, oldest: at.into() }));
}

#[test]
fn a_spoof_filed_against_one_bond_does_not_shield_another_bond_of_the_machine() {
    let mut world = bonded(100 * COIN);
    world.deposit(BOB, 10 * COIN).unwrap();
    let alices = world.shortfall();
    let bobs = Shortfall { owner: id(BOB), alpha: COIN, ..alices.clone() };
    world.file_spoofed(&bobs, START - 60).unwrap();
    assert!(world.file_spoofed(&alices, START - 60).is_ok());
}

/* AMENDING */

#[test]
fn a_case_that_the_arbiter_dismissed_is_dismissed_here_on_a_quorums_word() {
    for appealed in [false, true] {
        let mut world = bonded(100 * COIN);
        let backing = world.backing();
        let case = world.file(Kind::Offline, &backing).unwrap();
        if appealed {
            world.appeal(case).unwrap();
        }
        world.amend(case, true, u64::MAX).unwrap();
        assert_eq!((world.case(case).status, world.bond(ALICE).free_rao), (Status::Dismissed, 100 * COIN));
        assert_eq!(world.vault.credit_of(id(ALICE)), if appealed { 150_000_000 } else { 0 });
        assert_eq!(world.vault.books().tao_owed, world.vault.credit_of(id(ALICE)));
        world.wait(4 * DAY);
        assert!(world.execute(case).is_err());
        let over = Error::NothingToAmend { status: Status::Dismissed };
        assert_eq!(world.amend(case, true, 0), Err(over));
    }
}

/// Filed first, the outage took 10 % of 35 TAO; then an interruption was filed and the rental had earned less.
#[test]
fn an_outage_is_clamped_again_to_what_the_rental_has_earned() {
    let mut world = bonded(100 * COIN);
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    let same = Error::NothingToAmend { status: Status::Filed };
    assert_eq!(world.amend(case, false, 7 * COIN / 2), Err(same));
    world.amend(case, false, 5 * COIN / 2).unwrap();
    // Half a TAO more than TAO bears: what the same filing would have taken with that number.
    let alone = Backing { case_id: 71, earned: 5 * COIN / 2, ..backing };
    let other = world.file(Kind::Offline, &alone).unwrap();
    assert_eq!((world.case(case).alpha, world.case(case).shares), (world.case(other).alpha, world.case(other).shares));
    assert_eq!((world.bond(ALICE).free_rao, world.bond(ALICE).held_rao), (98 * COIN, 2 * COIN));
    assert_eq!(world.vault.appeal_price(case), Some(COIN / 20));
    // An older word that more was earned changes nothing back.
    let same = Error::NothingToAmend { status: Status::Filed };
    assert_eq!(world.amend(case, false, 100 * COIN), Err(same));
    // All of it is TAO's: nothing is left for alpha.
    world.amend(case, false, 2 * COIN).unwrap();
    assert_eq!(world.case(case).status, Status::Dismissed);
    world.wait(DAY);
    world.execute(other).unwrap();
    assert_eq!(world.chain.borrow().burned, COIN);
    let over = Error::NothingToAmend { status: Status::Executed };
    assert_eq!(world.amend(other, true, 0), Err(over));
}

#[test]
fn what_was_earned_is_no_part_of_other_rules() {
    let mut world = bonded(100 * COIN);
    let (backing, shortfall) = (world.backing(), Shortfall { case_id: 71, ..world.shortfall() });
    let undelivered = world.file(Kind::NotDelivered, &backing).unwrap();
    let spoofed = world.file_spoofed(&shortfall, START - 60).unwrap();
    for case in [undelivered, spoofed] {
        let same = Error::NothingToAmend { status: Status::Filed };
        assert_eq!(world.amend(case, false, 0), Err(same));
        world.amend(case, true, 0).unwrap();
    }
    assert_eq!(world.bond(ALICE).free_rao, 100 * COIN);
}

#[test]
fn a_verdict_is_a_quorums_fresh_and_about_that_case() {
    let mut world = bonded(100 * COIN);
    world.wait(10 * DAY);
    let (backing, now) = (world.backing(), world.now);
    let case = world.file(Kind::Offline, &backing).unwrap();
    let verdict = Verdict { dismissed: true, earned: 0 };
    let amend = |world: &mut World, keys: &[usize], case_id: u64, signed: Verdict, at: u64| {
        let hash = eip712::verdict(&Host, &world.account, case_id, &signed, at as u32);
        let state = |key: &usize| Stated { stated_at: at as u32, signature: world.sign(*key, hash) };
        let stated = keys.iter().map(state).collect();
        world.call(ANYBODY, |vault| vault.amend(case, verdict, stated))
    };
    let four = [0, 1, 2, 3];
    assert_eq!(amend(&mut world, &[0, 1, 2], 70, verdict, now), Err(Error::NoQuorum { signers: 3 }));
    assert_eq!(amend(&mut world, &[], 70, verdict, now), Err(Error::BadCount(0)));
    assert_eq!(amend(&mut world, &four, 70, verdict, now + 1), Err(Error::AheadOfTime { index: 0 }));
    let oldest = now - 3 * DAY;
    assert_eq!(amend(&mut world, &four, 70, verdict, oldest - 1), Err(Error::Stale { index: 0, oldest }));
    for (case_id, signed) in
        [(71, verdict), (70, Verdict { dismissed: false, ..verdict }), (70, Verdict { earned: 1, ..verdict })]
    {
        let refused = amend(&mut world, &four, case_id, signed, now);
        assert!(matches!(refused, Err(Error::NotAKeeper { index: 0, .. })), "{refused:?}");
    }
    assert_eq!(world.amend(case + 1, true, 0), Err(Error::NoCase));
    amend(&mut world, &four, 70, verdict, oldest).unwrap();
}

/* APPEALS */

#[test]
fn an_overturned_case_gives_everything_back() {
    let mut world = bonded(100 * COIN);
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    assert_eq!(world.vault.appeal_price(case), Some(150_000_000)); // a tenth of 1.5 TAO
    world.appeal(case).unwrap();
    assert_eq!((world.tao(ALICE), world.vault.books().tao_owed), (100 * COIN - 150_000_000, 150_000_000));
    world.wait(2 * DAY);
    world.call(JUDGE, |vault| vault.rule(case, false)).unwrap();
    assert_eq!(world.case(case).status, Status::Dismissed);
    assert_eq!(world.bond(ALICE).free_rao, 100 * COIN);
    assert_eq!(world.vault.credit_of(id(ALICE)), 150_000_000);
    world.call(ANYBODY, |vault| vault.withdraw_credit(id(ALICE))).unwrap();
    assert_eq!((world.tao(ALICE), world.vault.books().tao_owed), (100 * COIN, 0));
    assert_eq!(world.call(ANYBODY, |vault| vault.withdraw_credit(id(ALICE))), Err(Error::NoCredit));
    assert!(world.execute(case).is_err());
}

#[test]
fn an_upheld_case_burns_penalty_and_appeal_bond() {
    let mut world = bonded(100 * COIN);
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    world.appeal(case).unwrap();
    world.call(JUDGE, |vault| vault.rule(case, true)).unwrap();
    assert_eq!((world.case(case).status, world.chain.borrow().burned), (Status::Executed, 3 * COIN));
    assert_eq!(world.vault.books().tao_to_burn, 150_000_000);
    world.call(ANYBODY, |vault| vault.flush_appeal_bonds()).unwrap();
    assert_eq!(world.tao(BURN_ACCOUNT), 150_000_000);
    assert_eq!(world.vault.books().tao_owed, 0);
    assert_eq!(world.call(ANYBODY, |vault| vault.flush_appeal_bonds()), Err(Error::NothingToBurn));
}

#[test]
fn a_silent_judge_upholds_and_the_appeal_cost_nothing() {
    let mut world = bonded(100 * COIN);
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    world.appeal(case).unwrap();
    let rule_by = START + 2 * DAY;
    world.wait(2 * DAY);
    assert_eq!(world.execute(case), Err(Error::NotExecutable { status: Status::Appealed, from: rule_by + 1 }));
    world.wait(1);
    let late = world.call(JUDGE, |vault| vault.rule(case, false));
    assert_eq!(late, Err(Error::NotRulable { status: Status::Appealed, rule_by }));
    world.execute(case).unwrap();
    assert_eq!((world.chain.borrow().burned, world.vault.credit_of(id(ALICE))), (3 * COIN, 150_000_000));
}

#[test]
fn only_the_owner_appeals_once_in_time_and_exactly_paid() {
    let mut world = bonded(100 * COIN);
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    assert_eq!(world.pay(BOB, COIN, |vault| vault.appeal(case, [0; 32])), Err(Error::OnlyOwner(id(ALICE))));
    for wrong in [0, 149_999_999, 150_000_001] {
        let refused = world.pay(ALICE, wrong, |vault| vault.appeal(case, [0; 32]));
        assert_eq!(refused, Err(Error::WrongAppealBond { want: 150_000_000 }));
    }
    assert_eq!(world.pay(ALICE, 0, |vault| vault.appeal(9, [0; 32])), Err(Error::NoCase));
    world.wait(DAY);
    let until = START + DAY;
    assert_eq!(world.appeal(case), Err(Error::NotAppealable { status: Status::Filed, until }));
    let other = world.file(Kind::Offline, &Backing { rental: 8, case_id: 80, ..backing }).unwrap();
    world.appeal(other).unwrap();
    assert!(matches!(world.appeal(other), Err(Error::NotAppealable { status: Status::Appealed, .. })));
}

#[test]
fn a_small_case_costs_a_hundredth_of_a_tao_to_appeal() {
    let mut world = bonded(100 * COIN);
    let backing = Backing { earned: 2 * COIN + 1_000, ..world.backing() };
    let case = world.file(Kind::Offline, &backing).unwrap();
    assert_eq!(world.vault.appeal_price(case), Some(MIN_APPEAL_BOND_RAO));
}

#[test]
fn only_the_judge_rules_and_only_on_appeals() {
    let mut world = bonded(100 * COIN);
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    assert_eq!(world.call(ALICE, |vault| vault.rule(case, false)), Err(Error::OnlyJudge(id(JUDGE))));
    let early = world.call(JUDGE, |vault| vault.rule(case, false));
    assert_eq!(early, Err(Error::NotRulable { status: Status::Filed, rule_by: 0 }));
    assert_eq!(world.call(JUDGE, |vault| vault.rule(9, false)), Err(Error::NoCase));
}

/* BURNING */

#[test]
fn no_more_is_burned_than_was_asked_for_and_dividends_on_it_stay_the_owners() {
    let mut world = bonded(100 * COIN);
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    world.dividends(50 * COIN);
    world.wait(DAY);
    world.execute(case).unwrap();
    assert_eq!(world.chain.borrow().burned, 3 * COIN);
    assert!(world.bond(ALICE).free_rao.abs_diff(147 * COIN) <= 1);
    assert_eq!((world.bond(ALICE).held_rao, world.vault.books().to_burn), (0, 0));
}

#[test]
fn a_burn_that_the_chain_refuses_waits_in_the_pot_and_never_comes_back() {
    let mut world = bonded(100 * COIN);
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    world.wait(DAY);
    world.chain.borrow_mut().subtoken_on = false;
    world.execute(case).unwrap();
    assert_eq!((world.case(case).status, world.chain.borrow().burned), (Status::Executed, 0));
    assert!(world.vault.books().to_burn > 0);
    assert_eq!(world.bond(ALICE).free_rao, 97 * COIN);
    assert!(matches!(world.call(ANYBODY, |vault| vault.flush_burn()), Err(Error::Refused { .. })));
    // The pot goes on earning, and is burned with that.
    world.dividends(10 * COIN);
    world.chain.borrow_mut().subtoken_on = true;
    let burned = world.call(ANYBODY, |vault| vault.flush_burn()).unwrap();
    assert!(burned.abs_diff(3_300_000_000) <= 1);
    assert_eq!(world.vault.books().to_burn, 0);
    assert_eq!(world.call(ANYBODY, |vault| vault.flush_burn()), Err(Error::NothingToBurn));
}

#[test]
fn small_burns_gather_in_the_pot_until_the_chain_takes_them() {
    let mut world = bonded(100 * COIN);
    world.chain.borrow_mut().min_burn = 5 * COIN;
    let backing = world.backing();
    let first = world.file(Kind::Offline, &backing).unwrap();
    let second = world.file(Kind::Offline, &Backing { rental: 8, case_id: 80, ..backing }).unwrap();
    world.wait(DAY);
    world.execute(first).unwrap();
    assert_eq!(world.chain.borrow().burned, 0);
    world.execute(second).unwrap();
    assert_eq!(world.chain.borrow().burned, 6 * COIN);
    assert_eq!(world.vault.books().to_burn, 0);
}

#[test]
fn a_burn_that_is_clamped_leaves_the_rest_in_the_pot() {
    let mut world = bonded(100 * COIN);
    let backing = world.backing();
    let case = world.file(Kind::Offline, &backing).unwrap();
    world.wait(DAY);
    world.chain.borrow_mut().clamp = COIN;
    world.execute(case).unwrap();
    assert_eq!(world.chain.borrow().burned, COIN);
    world.chain.borrow_mut().clamp = u64::MAX;
    assert!(world.call(ANYBODY, |vault| vault.flush_burn()).unwrap().abs_diff(2 * COIN) <= 1);
    assert!(world.bond(ALICE).free_rao.abs_diff(97 * COIN) <= 1);
}
