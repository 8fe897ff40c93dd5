//! What keepers by voting power cost on the chain, what a failing 0x80d costs (D5), and that nobody can choose the gas
//! of a transaction so that 0x80d looks switched off.

use crate::{
    court::{check_in_call, quorum_of},
    kit::{NETUID, TAO, addr, native, ok, view, wei},
    surety::{
        CHECK_IN_SECS, DAY, HOUR, KEEPER_UIDS, PRICE_RAO, Surety, arbiter, escrow, join_call, keeper_hotkey, power,
        validator,
    },
};
use alloy_primitives::Address;
use alloy_sol_types::{SolCall, SolError, SolEvent};
use surety_subtensor_evm::{Outcome, Precompile, Tx};

/// SPEC KP6: most gas a read of 0x80d gets, and so most a failing one keeps.
const READ_CAP: u64 = 10_000;
/// Gas of transactions that have plenty.
const PLENTY: u64 = 30_000_000;

fn quorum_tx(s: &Surety, signers: usize) -> Tx {
    let signers = (0..signers).map(|i| s.keeper(i)).collect();
    Tx::call(s.stranger, s.keepers, power::quorumOfCall { signers }.abi_encode()).gas(PLENTY)
}

fn check_in_tx(s: &Surety, i: usize) -> Tx {
    Tx::call(s.keeper(i), s.keepers, check_in_call(KEEPER_UIDS[i]).abi_encode()).gas(PLENTY)
}

fn join_tx(s: &Surety, account: Address, uid: u16) -> Tx {
    Tx::call(account, s.keepers, join_call(uid).abi_encode()).gas(PLENTY)
}

fn expire_tx(s: &Surety, account: Address) -> Tx {
    Tx::call(s.stranger, s.keepers, power::expireCall { account }.abi_encode()).gas(PLENTY)
}

fn refresh_tx(s: &Surety, account: Address) -> Tx {
    Tx::call(s.stranger, s.keepers, power::refreshCall { account }.abi_encode()).gas(PLENTY)
}

/// A day's rental of a machine that is ready; not sent yet.
fn rent_tx(s: &mut Surety) -> Tx {
    let hash = s.ready(TAO);
    let call = s.rent_call(hash, DAY);
    Tx::call(s.renter, s.escrow, call.abi_encode()).gas(PLENTY).value(wei(PRICE_RAO * u64::from(DAY)))
}

/// Two hours into that rental, twenty minutes of outage attested by all three; not sent yet.
fn file_tx(s: &mut Surety) -> Tx {
    if s.liabilities(s.vault) == 0 {
        s.ready(TAO);
    }
    let hash = view(&s.chain, s.escrow, escrow::offerOfCall { machine: s.machine() }).offerHash;
    let call = s.rent_call(hash, DAY);
    let rental = ok(&mut s.chain, s.renter, s.escrow, call, PRICE_RAO * u64::from(DAY));
    s.chain.pass(u64::from(2 * HOUR));
    let from = s.chain.now() as u32;
    s.chain.pass(20 * 60);
    let call = s.file_call(rental, from, from + 19 * 60, 3);
    Tx::call(s.stranger, s.arbiter, call.abi_encode()).gas(PLENTY)
}

fn used(s: &Surety, tx: &Tx) -> u64 {
    let outcome = s.chain.simulate(tx);
    assert!(outcome.succeeded(), "{outcome:?}");
    outcome.gas_used
}

/// A validator with a uid, an address and power, that has not joined.
fn newcomer(s: &mut Surety) -> (Address, u16) {
    let (account, uid) = (addr("newcomer"), 9);
    validator(&mut s.chain, uid, native("newcomer's hotkey"), account, 10 * TAO);
    (account, uid)
}

/// That many validators who are no keepers, with a TAO of power each.
fn validators(s: &mut Surety, count: u16) {
    for uid in 1_000..1_000 + count {
        let hotkey = native(&format!("validator {uid}"));
        s.chain.register_hotkey(NETUID, uid, hotkey, native("coldkey"));
        s.chain.set_voting_power(NETUID, hotkey, TAO);
    }
}

/* WHAT IT COSTS */

#[test]
fn each_step_costs_what_it_should() {
    let mut s = Surety::with_court();
    let (account, uid) = newcomer(&mut s);
    s.chain.pass(60);
    let first = s.keeper(0);
    let mut lines = vec![
        ("join", used(&s, &join_tx(&s, account, uid)), 190_000),
        ("checkIn", used(&s, &check_in_tx(&s, 0)), 54_000),
        ("refresh", used(&s, &refresh_tx(&s, first)), 36_000),
        ("quorumOf, k=2", used(&s, &quorum_tx(&s, 2)), 55_000),
        ("quorumOf, k=3", used(&s, &quorum_tx(&s, 3)), 49_000),
    ];
    let mut appointed = Surety::new();
    let tx = rent_tx(&mut appointed);
    let rent_of_appointed = used(&appointed, &tx);
    let tx = rent_tx(&mut s);
    lines.push(("rent, k=3", used(&s, &tx), rent_of_appointed + 15_000));
    let tx = file_tx(&mut appointed);
    let of_appointed = used(&appointed, &tx);
    let tx = file_tx(&mut s);
    lines.push(("file Offline, k=3", used(&s, &tx), of_appointed + 15_000));
    s.chain.pass(u64::from(CHECK_IN_SECS));
    lines.push(("expire", used(&s, &expire_tx(&s, first)), 54_000));
    lines.push(("expire, the last in the table", used(&s, &expire_tx(&s, s.keeper(2))), 47_000));
    for (what, gas, most) in lines {
        eprintln!("{what}: {gas} (at most {most})");
        assert!(gas <= most, "{what} costs {gas}, more than {most}");
    }
    eprintln!("with appointed keepers: rent, k=3: {rent_of_appointed}, file Offline, k=3: {of_appointed}");
}

/// The largest subnet there is: the total is read at 625 gas for each validator, 160,000 of the 700,000 of SPEC KP7.
#[test]
fn a_check_in_beside_256_validators_costs_625_gas_for_each() {
    let mut s = Surety::with_court();
    validators(&mut s, 1);
    let few = used(&s, &check_in_tx(&s, 0));
    validators(&mut s, 253);
    let many = used(&s, &check_in_tx(&s, 0));
    eprintln!("checkIn: {few} with 4 validators, {many} with 256");
    assert_eq!(many - few, 252 * 625, "625 for each");
    assert!(many < 230_000, "{many}");
}

/// Somebody with 253 validators fills the table: the next to come pays for reading it, and gets in if it is heavier.
#[test]
fn a_full_table_costs_a_heavier_newcomer_gas_and_does_not_keep_it_out() {
    let mut s = Surety::with_court();
    for uid in 1_000..1_253 {
        let account = addr(&format!("crowd {uid}"));
        validator(&mut s.chain, uid, native(&format!("validator {uid}")), account, TAO);
        ok(&mut s.chain, account, s.keepers, join_call(uid), 0);
    }
    assert_eq!(view(&s.chain, s.keepers, power::keeperCountCall {}).to::<u64>(), 256);
    let (account, uid) = newcomer(&mut s);
    let tx = join_tx(&s, account, uid);
    let gas = used(&s, &tx);
    eprintln!("join at a full table: {gas}");
    assert!(gas < 1_650_000, "{gas}");
    s.chain.set_voting_power(NETUID, native("newcomer's hotkey"), TAO);
    let refused = s.chain.simulate(&tx);
    assert!(refused.reverted_with(power::VotingPowerKeepers_TooLight::SELECTOR), "{refused:?}");
    let all = (0..3).map(|i| s.keeper(i)).collect();
    assert_eq!(quorum_of(&s, all), (false, true), "100 of 353 TAO");
}

/* D5: A FAILING 0x80d */

#[test]
fn d5_a_failing_0x80d_costs_one_capped_read() {
    let mut s = Surety::with_court();
    let (account, uid) = newcomer(&mut s);
    s.chain.pass(60);
    let first = s.keeper(0);
    let quorum = quorum_tx(&s, 3);
    let steps = [quorum, check_in_tx(&s, 0), refresh_tx(&s, first), join_tx(&s, account, uid), expire_tx(&s, first)];
    let healthy: Vec<u64> = steps.iter().map(|tx| s.chain.simulate(tx).gas_used).collect();
    assert!(s.chain.enable_precompile(Precompile::VotingPower, false));
    for (tx, healthy) in steps.iter().zip(healthy) {
        let outcome = s.chain.simulate(tx);
        eprintln!("{healthy} gas with 0x80d, {} without: {:?}", outcome.gas_used, outcome.status);
        assert!(outcome.gas_used <= healthy + READ_CAP, "of {PLENTY}: {}", outcome.gas_used);
        assert!(outcome.gas_used > 21_000 + READ_CAP, "it keeps what it was given");
    }
}

/// A filing pays for it as well, and no more than once.
#[test]
fn d5_a_filing_without_0x80d_costs_one_capped_read_more_at_most() {
    let mut s = Surety::with_court();
    let tx = file_tx(&mut s);
    let healthy = used(&s, &tx);
    assert!(s.chain.enable_precompile(Precompile::VotingPower, false));
    let without = used(&s, &tx);
    eprintln!("file: {healthy} gas with 0x80d, {without} without (and no penalty to write)");
    assert!(without <= healthy + READ_CAP, "{healthy}, {without}");
}

/* CHOSEN GAS */

// Whoever sends a transaction chooses its gas, and a call gets at most 63/64 of what is left. A read that is starved
// like that leaves its caller a 63rd of the cap at most, under 160 gas, which none of these functions ends with: so no
// gas limit gets a wrong answer out of them. That they say so (`Subtensor_NotEnoughGas`), instead of failing somewhere
// behind, is the library's own check, and these tests ask for both.

/// Runs the transaction with every gas limit of the range, each from the same state. Answers how often it succeeded,
/// and how often it was told that the gas does not suffice for a read.
fn with_any_gas(s: &Surety, tx: &Tx, until: u64, step: usize, mut check: impl FnMut(u64, &Outcome)) -> (u32, u32) {
    let (mut succeeded, mut starved) = (0, 0);
    for gas in (21_000..until).step_by(step) {
        let outcome = s.chain.simulate(&tx.clone().gas(gas));
        if outcome.succeeded() {
            succeeded += 1;
            check(gas, &outcome);
        }
        starved += u32::from(outcome.reverted_with(not_enough_gas()));
    }
    (succeeded, starved)
}

fn not_enough_gas() -> [u8; 4] {
    power::Subtensor_NotEnoughGas::SELECTOR
}

#[test]
fn no_gas_limit_files_a_case_without_its_penalty() {
    let mut s = Surety::with_court();
    let tx = file_tx(&mut s);
    let needs = used(&s, &tx);
    let (filed, starved) = with_any_gas(&s, &tx, needs + 60_000, 211, |gas, outcome| {
        let filed = outcome.logs.iter().find_map(|log| arbiter::Filed::decode_log(log).ok()).unwrap();
        assert!(filed.penalty > 0, "with {gas} gas 0x80d looks switched off");
    });
    assert!(filed > 100 && starved > 20, "{filed}, {starved}");
}

#[test]
fn no_gas_limit_makes_a_quorum_of_what_is_none_or_less_than_what_it_is() {
    let mut s = Surety::with_court();
    let answers = |s: &Surety, expected: (bool, bool)| {
        let tx = quorum_tx(s, 3);
        let mut seen = 0;
        let (succeeded, starved) = with_any_gas(s, &tx, 80_000, 23, |gas, outcome| {
            let answer = power::quorumOfCall::abi_decode_returns(&outcome.output).unwrap();
            assert_eq!((answer.quorum, answer.mayPunish), expected, "with {gas} gas");
            seen += 1;
        });
        assert!(succeeded > 100 && starved > 100 && seen == succeeded, "{succeeded}, {starved}");
    };
    answers(&s, (true, true));
    s.chain.set_voting_power(NETUID, keeper_hotkey(0), 0);
    assert_eq!(quorum_of(&s, (0..3).map(|i| s.keeper(i)).collect()), (false, true));
    answers(&s, (false, true));
}

/// Its weight has left: whoever wants to keep the old one would have to check in as if tracking were off.
#[test]
fn no_gas_limit_keeps_an_old_weight() {
    let mut s = Surety::with_court();
    s.chain.set_voting_power(NETUID, keeper_hotkey(0), 7);
    s.chain.pass(60);
    let tx = check_in_tx(&s, 0);
    let (succeeded, starved) = with_any_gas(&s, &tx, 120_000, 37, |gas, outcome| {
        let checked_in = outcome.logs.iter().find_map(|log| power::KeeperCheckedIn::decode_log(log).ok()).unwrap();
        assert_eq!(checked_in.weight, 7, "with {gas} gas");
    });
    assert!(succeeded > 100 && starved > 100, "{succeeded}, {starved}");
}

/// The total's read is not checked for gas: zero is refused, so a total that is too small never gets in.
#[test]
fn no_gas_limit_seats_a_newcomer_beside_a_total_that_is_too_small() {
    let mut s = Surety::with_court();
    validators(&mut s, 100);
    let (account, uid) = newcomer(&mut s);
    let tx = join_tx(&s, account, uid);
    let needs = used(&s, &tx);
    let mut smallest = 0;
    for gas in (23_000..needs + 120_000).step_by(499) {
        let outcome = send_with(&mut s, &tx, gas);
        if !outcome.succeeded() {
            let refusals = [power::VotingPowerKeepers_BadTotal::SELECTOR, not_enough_gas()];
            assert!(refusals.iter().any(|error| outcome.reverted_with(*error)) || outcome.output.is_empty());
            continue;
        }
        smallest = gas;
        break;
    }
    assert!(smallest > 0);
    let total = view(&s.chain, s.keepers, power::subnetPowerCall {});
    assert_eq!(total, 210 * TAO, "with {smallest} gas");
}

fn send_with(s: &mut Surety, tx: &Tx, gas: u64) -> Outcome {
    s.chain.send(&tx.clone().gas(gas)).unwrap()
}

#[test]
fn no_gas_limit_unseats_an_active_keeper() {
    let s = Surety::with_court();
    for account in (0..3).map(|i| s.keeper(i)) {
        let (expired, starved) = with_any_gas(&s, &expire_tx(&s, account), 80_000, 29, |_, _| ());
        assert_eq!(expired, 0);
        assert!(starved > 100, "{starved}");
    }
}

#[test]
fn no_gas_limit_weighs_a_keeper_at_nothing() {
    let s = Surety::with_court();
    let account = s.keeper(0);
    let (refreshed, starved) = with_any_gas(&s, &refresh_tx(&s, account), 80_000, 29, |gas, outcome| {
        let refreshed = outcome.logs.iter().find_map(|log| power::KeeperRefreshed::decode_log(log).ok()).unwrap();
        assert_eq!(refreshed.weight, 40 * TAO, "with {gas} gas");
    });
    assert!(refreshed > 100 && starved > 100, "{refreshed}, {starved}");
}
