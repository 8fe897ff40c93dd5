//! Keepers by voting power (SPEC section 18) on the chain's own interpreter, with the chain's 0x80d, 0x802 and 0x807:
//! who is a keeper, for how long, what a quorum is, and what their court may do to whom.

use crate::{
    kit::{NETUID, TAO, addr, native, ok, send, view, word},
    surety::{
        CHECK_IN_SECS, DAY, HOUR, KEEPER_UIDS, PRICE_RAO, Surety, WEIGHTS, arbiter, escrow, hash_of, join_call,
        keeper_hotkey, power, validator, vault,
    },
};
use alloy_primitives::Address;
use alloy_sol_types::SolError;
use surety_subtensor_evm::{
    AccountId, BURN_ACCOUNT, Outcome, Precompile,
    chain::{BLOCK_SECS, EPOCH_BLOCKS},
};

/// Longer than an epoch, and than the time between two associations of a uid.
const AN_EPOCH_SECS: u64 = EPOCH_BLOCKS * BLOCK_SECS;
const UNTIL_NEXT_ASSOCIATION_SECS: u64 = 7_200 * BLOCK_SECS;

/* STEPS */

pub fn check_in_call(uid: u16) -> power::checkInCall {
    power::checkInCall { uid, uidHash: hash_of(uid) }
}

fn check_in(s: &mut Surety, i: usize) -> Outcome {
    let account = s.keeper(i);
    send(&mut s.chain, account, s.keepers, check_in_call(KEEPER_UIDS[i]), 0)
}

fn all_check_in(s: &mut Surety) {
    for i in 0..3 {
        let outcome = check_in(s, i);
        assert!(outcome.succeeded(), "keeper {i}: {outcome:?}");
    }
}

fn join(s: &mut Surety, account: Address, uid: u16) -> Outcome {
    send(&mut s.chain, account, s.keepers, join_call(uid), 0)
}

fn expire(s: &mut Surety, account: Address) -> Outcome {
    send(&mut s.chain, s.stranger, s.keepers, power::expireCall { account }, 0)
}

fn refresh(s: &mut Surety, account: Address) -> Outcome {
    send(&mut s.chain, s.stranger, s.keepers, power::refreshCall { account }, 0)
}

pub fn quorum_of(s: &Surety, mut signers: Vec<Address>) -> (bool, bool) {
    signers.sort_unstable();
    let answer = view(&s.chain, s.keepers, power::quorumOfCall { signers });
    (answer.quorum, answer.mayPunish)
}

/// Whether the keepers of these numbers are a quorum, and may punish.
fn quorum(s: &Surety, keepers: &[usize]) -> (bool, bool) {
    quorum_of(s, keepers.iter().map(|i| s.keeper(*i)).collect())
}

fn seat(s: &Surety, account: Address) -> power::IVotingPowerKeepers::Seat {
    view(&s.chain, s.keepers, power::seatOfCall { account })
}

/// Recorded weight of all who are seated, and of the subnet, in TAO.
fn totals(s: &Surety) -> (u64, u64) {
    let seated = view(&s.chain, s.keepers, power::seatedWeightCall {}).to::<u64>();
    let subnet = view(&s.chain, s.keepers, power::subnetPowerCall {});
    (seated / TAO, subnet / TAO)
}

fn set_power(s: &mut Surety, i: usize, tao: u64) {
    s.chain.set_voting_power(NETUID, keeper_hotkey(i), tao * TAO);
}

/// Root or the subnet's owner ends tracking; the notice has passed, and the epoch.
fn end_tracking(s: &mut Surety) {
    s.chain.subnet_mut(NETUID).voting.disable_at_block = s.chain.block().number;
    s.chain.pass(AN_EPOCH_SECS);
    assert!(!s.chain.subnet_mut(NETUID).voting.tracking);
}

/// A rental runs for two hours, then twenty minutes of outage, as `signers` keepers attest.
pub fn file_outage(s: &mut Surety, rental: u64, signers: usize) -> Outcome {
    s.chain.pass(u64::from(2 * HOUR));
    let from = s.chain.now() as u32;
    s.chain.pass(20 * 60);
    s.file(rental, from, from + 19 * 60, signers)
}

fn held(s: &Surety) -> u64 {
    view(&s.chain, s.vault, vault::bondOfCall { machine: s.machine() }).held
}

/* THE COURT */

#[test]
fn the_court_certifies_files_and_punishes() {
    let mut s = Surety::with_court();
    let rental = s.rented();
    let one = file_outage(&mut s, rental, 1);
    assert!(one.reverted_with(arbiter::Arbiter_NoQuorum::SELECTOR), "{one:?}");
    all_check_in(&mut s);
    let filed = file_outage(&mut s, rental, 3);
    assert!(filed.succeeded(), "{filed:?}");
    let penalty = view(&s.chain, s.arbiter, arbiter::caseAtCall { caseId: 1 }).penalty;
    assert!(penalty > 0);
    assert_eq!(held(&s), penalty);
    s.chain.pass(u64::from(DAY));
    ok(&mut s.chain, s.stranger, s.escrow, escrow::closeCall { rental }, 0);
    ok(&mut s.chain, s.stranger, s.arbiter, arbiter::executeCall { caseId: 1 }, 0);
    ok(&mut s.chain, s.stranger, s.vault, vault::flushBurnCall {}, 0);
    assert_eq!(s.chain.free_rao(BURN_ACCOUNT), penalty);
    let earned_and_refunded = s.credit(s.escrow, s.miner) + s.credit(s.escrow, s.renter);
    assert_eq!(earned_and_refunded, PRICE_RAO * u64::from(DAY), "in equals out");
    s.assert_solvent();
    assert!(s.assert_only_known_callees().contains(&Precompile::VotingPower));
}

#[test]
fn the_set_is_created_with_its_keepers_weights_and_the_subnets_power() {
    let s = Surety::with_court();
    assert_eq!(totals(&s), (100, 100));
    for (i, uid) in KEEPER_UIDS.into_iter().enumerate() {
        let seat = seat(&s, s.keeper(i));
        assert_eq!((seat.weight, seat.uid), (WEIGHTS[i] * TAO, uid), "0x807 is read at a little-endian key");
        assert_eq!(seat.hotkey, keeper_hotkey(i).to_b256());
        assert_eq!(view(&s.chain, s.keepers, power::accountOfCall { hotkey: seat.hotkey }), s.keeper(i));
    }
    assert_eq!(quorum(&s, &[0, 1, 2]), (true, true));
    assert_eq!(quorum(&s, &[0, 1]), (true, true), "75 of 100, and without the heaviest 35 of 60");
    assert_eq!(quorum(&s, &[0, 2]), (false, true), "65 of 100");
    assert_eq!(quorum(&s, &[0]), (false, true));
}

#[test]
fn two_keepers_end_a_rental_and_punish_nobody() {
    let mut s = Surety::with_court();
    let (rental, third) = (s.rented(), s.keeper(2));
    ok(&mut s.chain, third, s.keepers, power::leaveCall {}, 0);
    assert_eq!(quorum(&s, &[0, 1]), (true, false));
    assert!(file_outage(&mut s, rental, 2).succeeded());
    assert_eq!(held(&s), 0);
    assert!(s.credit(s.escrow, s.renter) > 0, "the rest is the renter's at once");
    s.assert_solvent();
}

/* WHO JOINS */

#[test]
fn only_the_address_that_the_chain_names_joins() {
    let mut s = Surety::with_court();
    let (uid, newcomer) = (77, addr("newcomer"));
    s.chain.fund(newcomer, 100 * TAO).unwrap();
    let refused = |s: &mut Surety, error: [u8; 4]| {
        let outcome = join(s, newcomer, uid);
        assert!(outcome.reverted_with(error), "{outcome:?}");
        assert!(outcome.gas_used < 100_000, "of 30,000,000: {}", outcome.gas_used);
    };
    refused(&mut s, power::VotingPowerKeepers_NotAssociated::SELECTOR);
    s.chain.register_hotkey(NETUID, uid, native("new hotkey"), native("new coldkey"));
    refused(&mut s, power::VotingPowerKeepers_NotAssociated::SELECTOR);
    s.chain.associate(NETUID, uid, newcomer).unwrap();
    refused(&mut s, power::VotingPowerKeepers_NoPower::SELECTOR);
    s.chain.set_voting_power(NETUID, native("new hotkey"), TAO);
    let wrong_hash = power::joinCall { uidHash: hash_of(uid + 1), ..join_call(uid) };
    let outcome = send(&mut s.chain, newcomer, s.keepers, wrong_hash, 0);
    assert!(outcome.reverted_with(power::VotingPowerKeepers_NotAssociated::SELECTOR), "a wrong hash names no entry");
    let thief = join(&mut s, addr("stranger"), uid);
    assert!(thief.reverted_with(power::VotingPowerKeepers_NotAssociated::SELECTOR), "{thief:?}");
    assert!(join(&mut s, newcomer, uid).succeeded());
    assert_eq!(totals(&s), (101, 101));
    refused(&mut s, power::VotingPowerKeepers_AlreadySeated::SELECTOR);
}

#[test]
fn a_vanished_uid_costs_a_newcomer_the_caps_and_nothing_else() {
    let mut s = Surety::with_court();
    let first = s.keeper(0);
    ok(&mut s.chain, first, s.keepers, power::leaveCall {}, 0);
    // The association is there, the neuron is not: 0x802 fails and keeps what it was given (D5).
    s.chain.subnet_mut(NETUID).neurons.remove(&KEEPER_UIDS[0]);
    let outcome = join(&mut s, first, KEEPER_UIDS[0]);
    assert!(outcome.reverted_with(power::VotingPowerKeepers_NoHotkey::SELECTOR), "{outcome:?}");
    assert!(outcome.gas_used < 60_000, "{}", outcome.gas_used);
}

/* CHECKING IN */

#[test]
fn a_check_in_lasts_to_its_last_second_and_silence_signs_nothing() {
    let mut s = Surety::with_court();
    s.rented();
    assert_eq!(seat(&s, s.keeper(0)).activeUntil, s.chain.now() as u32 + CHECK_IN_SECS);
    s.chain.pass(u64::from(CHECK_IN_SECS));
    assert_eq!(quorum(&s, &[0, 1, 2]), (true, true), "the last second");
    let early = expire(&mut s, addr("nobody's"));
    assert!(early.reverted_with(power::VotingPowerKeepers_NotAKeeper::SELECTOR));
    let (first, third) = (s.keeper(0), s.keeper(2));
    let early = expire(&mut s, third);
    assert!(early.reverted_with(power::VotingPowerKeepers_NotExpired::SELECTOR), "{early:?}");
    assert!(check_in(&mut s, 0).succeeded() && check_in(&mut s, 1).succeeded());
    s.chain.pass(1);
    assert_eq!(quorum(&s, &[0, 1, 2]), (false, false), "whoever is silent spoils a quorum");
    assert_eq!(quorum(&s, &[0, 1]), (true, false), "two active keepers are no court");
    assert!(expire(&mut s, third).succeeded());
    assert_eq!((seat(&s, third).place, totals(&s)), (0, (75, 100)));
    let contact = view(&s.chain, s.keepers, power::contactOfCall { account: third });
    assert_eq!(contact.sshKey, word("keeper's ssh key"), "kept");
    assert!(check_in(&mut s, 2).succeeded(), "and so a check-in suffices to come back");
    assert_eq!((quorum(&s, &[0, 1, 2]), totals(&s)), ((true, true), (100, 100)));
    assert!(seat(&s, first).activeUntil > s.chain.now() as u32);
}

#[test]
fn after_the_window_nothing_is_certified_or_filed_until_somebody_checks_in() {
    let mut s = Surety::with_court();
    let rental = s.rented();
    let refund = |s: &Surety| s.credit(s.escrow, s.renter);
    s.chain.pass(u64::from(CHECK_IN_SECS) - u64::from(3 * HOUR));
    all_check_in(&mut s);
    let hash = s.offer();
    s.chain.pass(u64::from(CHECK_IN_SECS) + 1);
    let call = s.rent_call(hash, HOUR);
    let rent = send(&mut s.chain, s.renter, s.escrow, call, PRICE_RAO * u64::from(HOUR));
    assert!(rent.reverted_with(escrow::RentalEscrow_NoQuorum::SELECTOR), "{rent:?}");
    ok(&mut s.chain, s.stranger, s.escrow, escrow::closeCall { rental }, 0);
    assert_eq!(refund(&s), 0, "without keepers rentals run, end and pay");
    assert_eq!(s.credit(s.escrow, s.miner), PRICE_RAO * u64::from(DAY));
    all_check_in(&mut s);
    let call = s.rent_call(hash, HOUR);
    ok(&mut s.chain, s.renter, s.escrow, call, PRICE_RAO * u64::from(HOUR));
}

#[test]
fn whoever_checks_in_has_its_live_weight_and_the_subnets_live_power() {
    let mut s = Surety::with_court();
    set_power(&mut s, 0, 70);
    assert_eq!(totals(&s), (100, 100), "what has come waits to be recorded");
    assert_eq!(quorum(&s, &[0, 2]), (false, true), "40 + 25");
    assert!(check_in(&mut s, 0).succeeded());
    assert_eq!(totals(&s), (130, 130));
    set_power(&mut s, 0, 10);
    assert_eq!(quorum(&s, &[0, 1]), (false, true), "what has left counts for nobody");
    let first = s.keeper(0);
    assert!(refresh(&mut s, first).succeeded());
    assert_eq!(totals(&s), (70, 130));
    assert_eq!(quorum(&s, &[1, 2]), (true, true));
}

/* ONE RECORD FOR A HOTKEY */

#[test]
fn the_address_the_hotkey_names_now_takes_the_seat_of_the_one_it_named_before() {
    let mut s = Surety::with_court();
    let (old, new) = (s.keeper(0), addr("new key"));
    s.chain.fund(new, 100 * TAO).unwrap();
    assert!(s.chain.associate(NETUID, KEEPER_UIDS[0], new).is_err(), "once a day");
    s.chain.pass(UNTIL_NEXT_ASSOCIATION_SECS);
    s.chain.associate(NETUID, KEEPER_UIDS[0], new).unwrap();
    assert!(join(&mut s, new, KEEPER_UIDS[0]).succeeded());
    assert_eq!((seat(&s, old).place, seat(&s, new).weight), (0, WEIGHTS[0] * TAO));
    let hotkey = keeper_hotkey(0).to_b256();
    assert_eq!(view(&s.chain, s.keepers, power::accountOfCall { hotkey }), new);
    assert_eq!(totals(&s), (100, 100), "the weight is there once");
    let stolen = check_in(&mut s, 0);
    assert!(stolen.reverted_with(power::VotingPowerKeepers_NotAssociated::SELECTOR), "{stolen:?}");
    assert!(check_in(&mut s, 1).succeeded() && check_in(&mut s, 2).succeeded());
    assert_eq!(quorum(&s, &[0, 1, 2]), (false, true), "the old key signs nothing");
    assert_eq!(quorum_of(&s, vec![new, s.keeper(1), s.keeper(2)]), (true, true));
}

#[test]
fn a_swapped_hotkeys_power_counts_once() {
    let mut s = Surety::with_court();
    let (first, renamed) = (s.keeper(0), native("renamed hotkey"));
    s.chain.swap_hotkey(keeper_hotkey(0), renamed);
    assert_eq!(quorum(&s, &[0, 1]), (false, true), "nothing is left under the name on record");
    assert_eq!(totals(&s), (100, 100));
    let weighed = refresh(&mut s, first);
    assert!(weighed.reverted_with(power::VotingPowerKeepers_NoPower::SELECTOR), "{weighed:?}");
    assert!(check_in(&mut s, 0).succeeded(), "uid and association have stayed");
    assert_eq!(seat(&s, first).hotkey, renamed.to_b256());
    let old = view(&s.chain, s.keepers, power::accountOfCall { hotkey: keeper_hotkey(0).to_b256() });
    assert_eq!((old, totals(&s)), (Address::ZERO, (100, 100)));
    assert_eq!(quorum(&s, &[0, 1]), (true, true));

    s.chain.swap_hotkey(renamed, native("renamed again"));
    assert!(expire(&mut s, first).succeeded(), "or somebody is faster than its check-in");
    assert_eq!(totals(&s), (60, 100));
    assert!(check_in(&mut s, 0).succeeded());
    assert_eq!(totals(&s), (100, 100));
}

#[test]
fn a_recycled_uid_ends_its_keeper_with_the_epoch_and_seats_who_got_it() {
    let mut s = Surety::with_court();
    let (first, uid, newcomer) = (s.keeper(0), KEEPER_UIDS[0], addr("newcomer"));
    s.chain.register_hotkey(NETUID, uid, native("newcomer's hotkey"), native("newcomer's coldkey"));
    assert_eq!(quorum(&s, &[0, 1]), (true, true), "the chain itself knows the power until the epoch ends");
    let late = check_in(&mut s, 0);
    assert!(late.reverted_with(power::VotingPowerKeepers_NotAssociated::SELECTOR), "{late:?}");
    let early = expire(&mut s, first);
    assert!(early.reverted_with(power::VotingPowerKeepers_NotExpired::SELECTOR), "{early:?}");
    s.chain.pass(AN_EPOCH_SECS);
    assert_eq!(quorum(&s, &[0, 1, 2]), (false, true));
    assert!(expire(&mut s, first).succeeded());
    assert_eq!(quorum(&s, &[1, 2]), (true, false));
    s.chain.associate(NETUID, uid, newcomer).unwrap();
    s.chain.fund(newcomer, 100 * TAO).unwrap();
    s.chain.set_voting_power(NETUID, native("newcomer's hotkey"), 30 * TAO);
    assert!(join(&mut s, newcomer, uid).succeeded());
    assert_eq!(totals(&s), (90, 90));
    assert_eq!(quorum_of(&s, vec![s.keeper(1), newcomer]), (true, true));
}

/* TRACKING OFF */

/// With weights of unknown age a case ends, withholds and refunds, and burns nothing.
fn a_case_without_live_weights_punishes_nobody(s: &mut Surety, rental: u64) {
    assert_eq!(quorum(s, &[0, 1, 2]), (true, false));
    let filed = file_outage(s, rental, 3);
    assert!(filed.succeeded(), "{filed:?}");
    let case = view(&s.chain, s.arbiter, arbiter::caseAtCall { caseId: 1 });
    assert_eq!((case.penalty, held(s)), (0, 0));
    assert!(case.withheldSecs >= 19 * 60);
    assert!(s.credit(s.escrow, s.renter) > 0, "the rest is the renter's at once");
    s.chain.pass(u64::from(DAY));
    ok(&mut s.chain, s.stranger, s.arbiter, arbiter::executeCall { caseId: 1 }, 0);
    ok(&mut s.chain, s.stranger, s.escrow, escrow::closeCall { rental }, 0);
    assert_eq!(view(&s.chain, s.vault, vault::toBurnCall {}), 0);
    let bonded = view(&s.chain, s.vault, vault::bondOfCall { machine: s.machine() }).bonded;
    assert_eq!(bonded, TAO, "not a rao of the bond");
    s.assert_solvent();
}

#[test]
fn with_tracking_off_the_court_ends_and_refunds_and_punishes_nobody() {
    let mut s = Surety::with_court();
    let rental = s.rented();
    end_tracking(&mut s);
    all_check_in(&mut s);
    a_case_without_live_weights_punishes_nobody(&mut s, rental);
}

#[test]
fn a_disabled_0x80d_is_as_tracking_off() {
    let mut s = Surety::with_court();
    let rental = s.rented();
    assert!(s.chain.enable_precompile(Precompile::VotingPower, false));
    all_check_in(&mut s);
    a_case_without_live_weights_punishes_nobody(&mut s, rental);
}

#[test]
fn with_tracking_off_the_electorate_shrinks_and_never_grows() {
    let mut s = Surety::with_court();
    let (first, third, newcomer) = (s.keeper(0), s.keeper(2), addr("newcomer"));
    validator(&mut s.chain, 9, native("newcomer's hotkey"), newcomer, 50 * TAO);
    end_tracking(&mut s);
    let untracked = power::VotingPowerKeepers_NotTracked::SELECTOR;
    assert!(join(&mut s, newcomer, 9).reverted_with(untracked));
    assert!(refresh(&mut s, first).reverted_with(untracked));
    assert!(expire(&mut s, first).reverted_with(power::VotingPowerKeepers_NotExpired::SELECTOR), "zero means nothing");
    s.chain.swap_hotkey(keeper_hotkey(0), native("renamed"));
    let moved = check_in(&mut s, 0);
    assert!(moved.reverted_with(power::VotingPowerKeepers_HotkeyMoved::SELECTOR), "{moved:?}");
    s.chain.swap_hotkey(native("renamed"), keeper_hotkey(0));
    s.chain.pass(u64::from(DAY / 2));
    assert!(check_in(&mut s, 0).succeeded() && check_in(&mut s, 1).succeeded());
    s.chain.pass(u64::from(DAY / 2));
    assert!(check_in(&mut s, 2).reverted_with(untracked), "who fell silent stays out");
    assert!(expire(&mut s, third).succeeded());
    assert_eq!((totals(&s).0, quorum(&s, &[0, 1])), (75, (true, false)));

    // On again: nobody has power before the epoch ends, so nobody is a quorum.
    s.chain.subnet_mut(NETUID).voting.tracking = true;
    assert_eq!(quorum(&s, &[0, 1]), (false, false));
    (0..3).for_each(|i| set_power(&mut s, i, WEIGHTS[i] / 5));
    all_check_in(&mut s);
    assert_eq!((totals(&s), quorum(&s, &[0, 1, 2])), ((20, 20), (true, true)));
}

/* A THIRD OF THE SUBNET */

#[test]
fn less_than_a_third_of_the_subnets_power_is_nothing() {
    let mut s = Surety::with_court();
    let rental = s.rented();
    s.chain.register_hotkey(NETUID, 9, native("who stays away"), native("coldkey"));
    s.chain.set_voting_power(NETUID, native("who stays away"), 200 * TAO);
    assert!(check_in(&mut s, 0).succeeded());
    assert_eq!((totals(&s), quorum(&s, &[0, 1, 2])), ((100, 300), (true, true)), "a third exactly");
    s.chain.set_voting_power(NETUID, native("who stays away"), 200 * TAO + 1);
    assert!(check_in(&mut s, 0).succeeded());
    assert_eq!(quorum(&s, &[0, 1, 2]), (false, true), "a rao more");
    let filed = file_outage(&mut s, rental, 3);
    assert!(filed.reverted_with(arbiter::Arbiter_NoQuorum::SELECTOR), "{filed:?}");
    assert_eq!(held(&s), 0);
    s.chain.set_voting_power(NETUID, native("who stays away"), TAO);
    all_check_in(&mut s);
    assert!(file_outage(&mut s, rental, 3).succeeded());
    assert!(held(&s) > 0);
}

/* WHOM IT CALLS */

#[test]
fn the_set_calls_three_precompiles_and_holds_nothing() {
    let mut s = Surety::with_court();
    s.chain.take_frames();
    all_check_in(&mut s);
    let account = s.keeper(0);
    assert!(refresh(&mut s, account).succeeded());
    let called = s.assert_only_known_callees();
    assert_eq!(called, [Precompile::Metagraph, Precompile::StorageQuery, Precompile::VotingPower]);
    assert_eq!(s.chain.free_rao(AccountId::of(s.keepers)), 0);
    let paid = send(&mut s.chain, account, s.keepers, power::leaveCall {}, 1);
    assert!(!paid.succeeded(), "nothing is payable");
}
