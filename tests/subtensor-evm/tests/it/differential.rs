//! The same random calls on anvil, with the stand-ins for the chain's precompiles, and on this harness, with the
//! precompiles themselves: every answer and every ledger is the same. So what is tested on anvil is tested.
//!
//! `SURETY_SEED=N SURETY_STEPS=N cargo test -p surety-subtensor-evm differential` walks elsewhere or further.

use crate::{
    kit::{addr, view},
    node::{Anvil, Node},
    surety::{DAY, HOUR, PRICE_RAO, Surety, arbiter, bids, escrow, setup, vault},
};
use alloy_primitives::Address;
use alloy_sol_types::SolCall;

/// A small generator (splitmix64): the walk is its seed.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

struct Step {
    name: &'static str,
    from: Address,
    to: Address,
    data: Vec<u8>,
    value_rao: u64,
}

fn from_env(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

#[test]
fn differential_random_calls_end_in_the_same_ledgers_as_on_anvil() {
    let mut ours = Surety::new();
    let Some(mut anvil) = Anvil::start(ours.chain.block().chain_id) else {
        eprintln!("not checked: contracts/node_modules/@foundry-rs has no anvil");
        return;
    };
    anvil.set_time(ours.chain.now() - 1_000);
    setup::on_anvil(&mut anvil, &ours);
    let (seed, steps) = (from_env("SURETY_SEED", 1), from_env("SURETY_STEPS", 300));
    let mut dice = Dice(seed);
    let (mut succeeded, mut names) = (0, std::collections::BTreeMap::<_, u32>::new());
    for number in 0..steps {
        let time = ours.chain.now() + 1 + wait(&mut dice);
        ours.chain.set_time(time);
        anvil.set_time(time);
        let step = step(&mut dice, &ours);
        let said = |what: &str| format!("seed {seed}, step {number}, {}: {what}", step.name);
        ours.chain.take_frames();
        let here = Node::send(&mut ours.chain, step.from, Some(step.to), step.data.clone(), step.value_rao);
        let there = anvil.send(step.from, Some(step.to), step.data.clone(), step.value_rao);
        assert_eq!(here.succeeded, there.succeeded, "{}\nhere {here:?}\nthere {there:?}", said("one failed"));
        if here.succeeded {
            succeeded += 1;
            *names.entry(step.name).or_default() += 1;
        } else {
            assert_eq!(here.output, there.output, "{}", said("failed otherwise"));
        }
        if ours.assert_only_known_callees().is_empty() {
            assert_eq!(here.gas_used, there.gas_used, "{}", said("plain EVM gas differs"));
        }
        same_ledgers(&ours, &anvil, &said("ledgers differ"));
        ours.assert_solvent();
    }
    assert!(succeeded * 6 > steps, "only {succeeded} of {steps} did anything: {names:?}");
    eprintln!("{succeeded} of {steps} calls succeeded: {names:?}");
}

/// Mostly seconds, sometimes long enough for every window to open and close.
fn wait(dice: &mut Dice) -> u64 {
    match dice.below(10) {
        0 => u64::from(DAY) / 2 + dice.below(3 * u64::from(DAY)),
        1..=3 => dice.below(2 * u64::from(HOUR)),
        _ => dice.below(60),
    }
}

fn step(dice: &mut Dice, s: &Surety) -> Step {
    let rentals = view(&s.chain, s.escrow, escrow::rentalCountCall {});
    let rental = if dice.below(4) == 0 { dice.below(rentals + 1) } else { rentals };
    let who = [s.miner, s.renter, s.stranger][dice.below(3) as usize];
    match dice.below(10) {
        0..=2 => vault_step(dice, s),
        3..=6 => escrow_step(dice, s, rental, who),
        7 => court_step(dice, s, rental, who),
        8 => bid_step(dice, s, who),
        _ => money_step(dice, s, who),
    }
}

fn make(name: &'static str, from: Address, to: Address, data: Vec<u8>, value_rao: u64) -> Step {
    Step { name, from, to, data, value_rao }
}

fn vault_step(dice: &mut Dice, s: &Surety) -> Step {
    let (machine, amount) = (s.machine(), dice.below(1_500_000_000));
    let call = |name, data| make(name, s.miner, s.vault, data, 0);
    match dice.below(9) {
        0 => call("register", s.registration(dice.below(2) as u16).abi_encode()),
        1..=3 => make("deposit", s.miner, s.vault, vault::depositCall { machine }.abi_encode(), amount),
        4 | 5 => call("requestExit", vault::requestExitCall { machine, amount }.abi_encode()),
        6 => call("cancelExit", vault::cancelExitCall { machine }.abi_encode()),
        7 => call("withdraw", vault::withdrawCall { machine }.abi_encode()),
        _ => call("retire", vault::retireCall { machine }.abi_encode()),
    }
}

fn escrow_step(dice: &mut Dice, s: &Surety, rental: u64, who: Address) -> Step {
    let machine = s.machine();
    match dice.below(13) {
        0 | 1 => make("offer", s.miner, s.escrow, s.offer_call().abi_encode(), 0),
        2..=4 => {
            let secs = HOUR + dice.below(2 * u64::from(DAY)) as u32;
            let hash = view(&s.chain, s.escrow, escrow::offerOfCall { machine }).offerHash;
            let cost = PRICE_RAO * u64::from(secs) + dice.below(8) / 7;
            make("rent", s.renter, s.escrow, s.rent_call(hash, secs).abi_encode(), cost)
        }
        5 | 6 => make("claim", who, s.escrow, escrow::claimCall { rental }.abi_encode(), 0),
        7 => make("end", s.renter, s.escrow, escrow::endCall { rental }.abi_encode(), 0),
        8 => make("abandon", s.miner, s.escrow, escrow::abandonCall { rental }.abi_encode(), 0),
        9 => make("close", who, s.escrow, escrow::closeCall { rental }.abi_encode(), 0),
        10 => {
            let rentals = vec![rental, rental.saturating_sub(1), 0, rental + 1];
            make("closeMany", who, s.escrow, escrow::closeManyCall { rentals }.abi_encode(), 0)
        }
        11 => make("withdrawOffer", s.miner, s.escrow, escrow::withdrawOfferCall { machine }.abi_encode(), 0),
        _ => {
            let secs = dice.below(u64::from(DAY)) as u32;
            let data = escrow::extendCall { rental, secs }.abi_encode();
            make("extend", s.renter, s.escrow, data, PRICE_RAO * u64::from(secs))
        }
    }
}

fn court_step(dice: &mut Dice, s: &Surety, rental: u64, who: Address) -> Step {
    let case_id = view(&s.chain, s.arbiter, arbiter::caseCountCall {});
    match dice.below(10) {
        0..=4 => {
            let start = view(&s.chain, s.escrow, escrow::rentalAtCall { rental }).r.start;
            let until = s.chain.now() as u32 - dice.below(350) as u32;
            let from = until.saturating_sub(900 + dice.below(4_000) as u32).max(start);
            let signers = 3 - (dice.below(6) / 4) as usize;
            make("file", who, s.arbiter, s.file_call(rental, from, until, signers).abi_encode(), 0)
        }
        5 => make("fileSpoofed", who, s.arbiter, s.spoof_call(3).abi_encode(), 0),
        6 if case_id > 0 => {
            let bond: u64 = view(&s.chain, s.arbiter, arbiter::appealBondOfCall { caseId: case_id });
            let evidence = s.machine();
            make("appeal", s.miner, s.arbiter, arbiter::appealCall { caseId: case_id, evidence }.abi_encode(), bond)
        }
        7 => {
            let uphold = dice.below(2) == 0;
            make("rule", s.judge, s.arbiter, arbiter::ruleCall { caseId: case_id, uphold }.abi_encode(), 0)
        }
        _ => make("execute", who, s.arbiter, arbiter::executeCall { caseId: case_id }.abi_encode(), 0),
    }
}

fn bid_step(dice: &mut Dice, s: &Surety, who: Address) -> Step {
    let bid = view(&s.chain, s.bids, bids::bidCountCall {});
    match dice.below(4) {
        0 | 1 => {
            let call = s.bid_call(HOUR + dice.below(u64::from(DAY)) as u32, PRICE_RAO + dice.below(100));
            let paid = u64::from(call.durationSecs) * call.maxPrice.to::<u64>();
            make("post", s.renter, s.bids, call.abi_encode(), paid)
        }
        2 => {
            let certificates = s.bid_certificates(3);
            let call = bids::fillCall { bid, machine: s.machine(), certificates };
            make("fill", who, s.bids, call.abi_encode(), 0)
        }
        _ => make("giveUp", who, s.bids, bids::giveUpCall { bid }.abi_encode(), 0),
    }
}

fn money_step(dice: &mut Dice, s: &Surety, who: Address) -> Step {
    let contract = [s.vault, s.escrow, s.arbiter, s.bids][dice.below(4) as usize];
    match dice.below(4) {
        0 => make("flushBurn", who, contract, vault::flushBurnCall {}.abi_encode(), 0),
        1 => make("sweep", who, contract, vault::sweepCall {}.abi_encode(), 0),
        _ => make("withdrawCredit", s.stranger, contract, vault::withdrawCreditCall { account: who }.abi_encode(), 0),
    }
}

/// All that a contract owes anybody and all that it owns, and every rental, node and case, byte for byte.
fn same_ledgers(s: &Surety, anvil: &Anvil, what: &str) {
    let count = |to: Address, data: Vec<u8>| Node::call(&s.chain, to, data).last().copied().unwrap_or(0);
    let mut reads = vec![
        (s.vault, vault::bondOfCall { machine: s.machine() }.abi_encode()),
        (s.escrow, escrow::offerOfCall { machine: s.machine() }.abi_encode()),
    ];
    for contract in [s.vault, s.escrow, s.arbiter, s.bids] {
        assert_eq!(s.chain.owned_rao(contract), anvil.owned_rao(contract), "{what}: {contract} owns");
        reads.push((contract, vault::liabilitiesCall {}.abi_encode()));
        reads.push((contract, vault::toBurnCall {}.abi_encode()));
        for account in [s.miner, s.renter, s.stranger, addr("treasury")] {
            reads.push((contract, vault::creditOfCall { account }.abi_encode()));
        }
    }
    for registration in 1..=u32::from(count(s.vault, vault::registrationCountCall {}.abi_encode())) {
        reads.push((s.vault, vault::nodeAtCall { registration }.abi_encode()));
    }
    let rentals = u64::from(count(s.escrow, escrow::rentalCountCall {}.abi_encode()));
    for rental in rentals.saturating_sub(2)..=rentals {
        reads.push((s.escrow, escrow::rentalAtCall { rental }.abi_encode()));
    }
    let cases = u64::from(count(s.arbiter, arbiter::caseCountCall {}.abi_encode()));
    for case_id in cases.saturating_sub(2).max(1)..=cases {
        reads.push((s.arbiter, arbiter::caseAtCall { caseId: case_id }.abi_encode()));
    }
    for (to, data) in reads {
        let (here, there) = (Node::call(&s.chain, to, data.clone()), anvil.call(to, data.clone()));
        assert_eq!(here, there, "{what}: {to} answers {:02x?} otherwise", &data[..4]);
    }
}
