//! The same random calls on anvil, with the stand-ins for the chain's precompiles, and on this harness, with the
//! precompiles themselves: every answer and every ledger is the same. So what is tested on anvil is tested.
//!
//! Two machines, the second at a uid over 255; every function anybody can call (`walk`), sometimes at random, sometimes
//! in an order that leads somewhere; native money that nobody sent, hotkeys swapped; at the end the system is sunset
//! and everybody gets out. Not compared: the gas of calls that reach a precompile, and keepers by voting power, because
//! no stand-in for 0x80d is among the artifacts.
//!
//! `SURETY_SEED=N SURETY_STEPS=N cargo test -p surety-subtensor-evm differential` walks elsewhere or further.

use crate::{
    kit::{addr, native, view},
    node::{Anvil, Node},
    surety::{DAY, HOUR, Surety, arbiter, bids, escrow, on_anvil, vault},
    walk::{Act, Aim, Dice, Step, counts, holders, transaction},
};
use alloy_primitives::{Address, B256};
use alloy_sol_types::{SolCall, SolError, SolEvent};
use std::collections::{BTreeMap, BTreeSet};

/// What leads somewhere: seconds before each act, and the act, all about the same machine and what is newest.
const STORIES: [&[(u64, Act)]; 12] = [
    &[(9, Act::RequestExitOfAll), (172_800, Act::Withdraw), (9, Act::Retire), (9, Act::Register), (9, Act::Deposit)],
    &[(9, Act::Pause), (600, Act::Rent), (600, Act::Unpause), (4_000, Act::CloseMany), (9, Act::Rebind)],
    &[
        (9, Act::Rebind),
        (9, Act::CloseMany),
        (9, Act::Offer),
        (9, Act::Rent),
        (900, Act::FileNotDelivered),
        (9, Act::Appeal),
    ],
    &[
        (9, Act::Rebind),
        (9, Act::CloseMany),
        (9, Act::Offer),
        (9, Act::Rent),
        (7_200, Act::FileInterrupted),
        (90_000, Act::Execute),
    ],
    &[
        (9, Act::Rebind),
        (9, Act::CloseMany),
        (9, Act::Offer),
        (9, Act::RentFor),
        (9_000, Act::FileOffline),
        (90_000, Act::Execute),
    ],
    &[
        (9, Act::Rebind),
        (9, Act::CloseMany),
        (9, Act::Rent),
        (9_000, Act::FileOffline),
        (9, Act::Appeal),
        (9, Act::Uphold),
    ],
    &[
        (9, Act::Rebind),
        (9, Act::CloseMany),
        (9, Act::Rent),
        (9_000, Act::FileOffline),
        (9, Act::Appeal),
        (9, Act::Overturn),
    ],
    &[
        (9, Act::Rebind),
        (9, Act::CloseMany),
        (9, Act::Offer),
        (9, Act::Post),
        (9, Act::Fill),
        (5_000, Act::Claim),
        (9, Act::Abandon),
    ],
    &[(9, Act::SetClassBond), (9, Act::Offer), (9, Act::Rent), (9, Act::Extend), (9, Act::End), (9_000, Act::Close)],
    &[(9, Act::TransferOwnership), (9, Act::AcceptOwnership), (9, Act::SetGuardian), (9, Act::Sweep)],
    &[(9, Act::Deposit), (9, Act::Offer), (9, Act::Rent), (9_000, Act::FileSpoofed), (260_000, Act::Execute)],
    &[(9, Act::RequestExit), (9, Act::CancelExit), (9, Act::SetPayoutAccount), (9, Act::WithdrawCredit)],
];

/// How often each act was tried and succeeded, and what it did besides.
#[derive(Default)]
struct Tally {
    acts: BTreeMap<Act, (u32, u32)>,
    events: BTreeSet<(Act, &'static str)>,
}

/// Both chains, and where the walk is.
struct Pair {
    ours: Surety,
    anvil: Anvil,
    seed: u64,
    number: u64,
    tally: Tally,
}

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn differential_random_calls_end_in_the_same_ledgers_as_on_anvil() {
    let seeds = from_env("SURETY_SEED").map_or(vec![1, 2, 3, 4], |seed| vec![seed]);
    let steps = from_env("SURETY_STEPS").unwrap_or(400);
    let all_of_them = seeds.len() > 1 && steps >= 400;
    let walks = std::thread::scope(|scope| {
        let walks: Vec<_> = seeds.into_iter().map(|seed| scope.spawn(move || walk(seed, steps))).collect();
        walks.into_iter().map(|walk| walk.join().unwrap()).collect::<Option<Vec<_>>>()
    });
    let Some(walks) = walks else {
        eprintln!("not checked: contracts/node_modules/@foundry-rs has no anvil");
        return;
    };
    let mut sum = Tally::default();
    for Tally { acts, events } in walks {
        for (act, (tried, succeeded)) in acts {
            let entry = sum.acts.entry(act).or_default();
            *entry = (entry.0 + tried, entry.1 + succeeded);
        }
        sum.events.extend(events);
    }
    for (act, (tried, succeeded)) in &sum.acts {
        eprintln!("{act:?}: {succeeded} of {tried}");
    }
    eprintln!("{:?}", sum.events);
    for act in Act::HOPELESS {
        assert!(sum.acts.get(&act).is_none_or(|(_, succeeded)| *succeeded == 0), "{act:?} succeeded");
    }
    if all_of_them {
        everything_was_done(&sum);
    }
}

/// Each act has succeeded, and each function that siblings call in each other has had its effect.
fn everything_was_done(sum: &Tally) {
    for act in Act::HOPELESS {
        assert!(sum.acts.contains_key(&act), "{act:?} was never tried");
    }
    let all = Act::WEIGHTED.into_iter().map(|(act, _)| act).chain([Act::Sunset]);
    for act in all.filter(|act| !Act::HOPELESS.contains(act)) {
        assert!(sum.acts.get(&act).is_some_and(|(_, succeeded)| *succeeded > 0), "{act:?} never succeeded");
    }
    let by_siblings = [
        (Act::Rent, "Reserved"),
        (Act::Extend, "Reserved"),
        (Act::Fill, "Reserved"),
        (Act::Close, "Released"),
        (Act::CloseMany, "Released"),
        (Act::Abandon, "Forfeited"), // forfeitReserved
        (Act::FileNotDelivered, "SetAside"),
        (Act::FileOffline, "SetAside"),
        (Act::FileSpoofed, "SetAside"), // setAsideAny
        (Act::Execute, "Forfeited"),
        (Act::Uphold, "Forfeited"),
        (Act::Overturn, "GivenBack"),
        (Act::FileInterrupted, "Withheld"),
        (Act::Execute, "Decided"),
        (Act::Overturn, "Decided"),
    ];
    let and_besides = [
        (Act::Register, "the second machine"),
        (Act::Register, "after it was retired"),
        (Act::Rent, "refused: another hotkey"),
        (Act::Rebind, "to another hotkey"),
    ];
    for pair in by_siblings.into_iter().chain(and_besides) {
        assert!(sum.events.contains(&pair), "{pair:?} was never seen");
    }
}

fn walk(seed: u64, steps: u64) -> Option<Tally> {
    let ours = Surety::new();
    let mut anvil = Anvil::start(ours.chain.block().chain_id)?;
    anvil.set_time(ours.chain.now() - 1_000);
    on_anvil::deploy(&mut anvil, &ours);
    let mut pair = Pair { ours, anvil, seed, number: 0, tally: Tally::default() };
    let mut dice = Dice(seed);
    let deck: Vec<Act> = Act::WEIGHTED.into_iter().flat_map(|(act, times)| std::iter::repeat_n(act, times)).collect();
    for machine in 0..2 {
        for act in [Act::Register, Act::Deposit, Act::Deposit, Act::Offer] {
            let aim = Aim { machine, ..Aim::random(&mut dice, &pair.ours) };
            pair.act(10, act, aim, &mut dice);
        }
    }
    let (mut story, mut machine) = (Vec::new(), 0);
    while pair.number < steps {
        if dice.once_in(12) {
            pair.donate(&mut dice);
        }
        if dice.once_in(40) {
            pair.swap_hotkey(&mut dice);
        }
        if story.is_empty() && dice.once_in(6) {
            story = dice.one_of(&STORIES).iter().rev().copied().collect();
            machine = dice.below(2) as usize;
        }
        let aim = Aim::random(&mut dice, &pair.ours);
        match if dice.once_in(5) { None } else { story.pop() } {
            Some((secs, act)) => {
                let [rental, case_id, bid] = counts(&pair.ours);
                pair.act(secs, act, Aim { machine, rental, case_id, bid, ..aim }, &mut dice);
            }
            None => pair.act(wait(&mut dice), dice.one_of(&deck), aim, &mut dice),
        }
    }
    pair.everybody_out(&mut dice);
    Some(pair.tally)
}

/// Mostly seconds, sometimes long enough for every window to open and close.
fn wait(dice: &mut Dice) -> u64 {
    match dice.below(12) {
        0 => u64::from(DAY) / 2 + dice.below(3 * u64::from(DAY)),
        1..=3 => dice.below(2 * u64::from(HOUR)),
        _ => dice.below(60),
    }
}

impl Pair {
    /// The act, on both chains, some seconds later.
    fn act(&mut self, secs: u64, act: Act, aim: Aim, dice: &mut Dice) {
        let time = self.ours.chain.now() + 3 + secs;
        if act == Act::Register {
            self.anvil.set_time(time - 1);
            on_anvil::introduce(&mut self.anvil, &self.ours, &self.ours.machines[aim.machine]);
        }
        self.ours.chain.set_time(time);
        self.anvil.set_time(time);
        let step = transaction(act, aim, dice, &self.ours);
        let known = view(&self.ours.chain, self.ours.vault, vault::registrationCountCall {});
        let bound = self.bound_to(aim.machine);
        let succeeded = self.send(act, &step);
        if succeeded && act == Act::Register {
            let which = ["the first machine", "the second machine"][aim.machine];
            self.tally.events.insert((act, if known < 2 { which } else { "after it was retired" }));
        }
        if succeeded && act == Act::Rebind && self.bound_to(aim.machine) != bound {
            self.tally.events.insert((act, "to another hotkey"));
        }
        let (tried, done) = self.tally.acts.entry(act).or_default();
        (*tried, *done) = (*tried + 1, *done + u32::from(succeeded));
        self.number += 1;
    }

    fn send(&mut self, act: Act, step: &Step) -> bool {
        let said = format!("seed {}, step {}, {act:?}", self.seed, self.number);
        let logs = self.ours.chain.event_logs().len();
        let ours = &mut self.ours;
        ours.chain.take_frames();
        let here = Node::send(&mut ours.chain, step.from, Some(step.to), step.data.clone(), step.value_rao);
        let there = self.anvil.send(step.from, Some(step.to), step.data.clone(), step.value_rao);
        assert_eq!(here.succeeded, there.succeeded, "{said}: one failed\nhere {here:?}\nthere {there:?}");
        if !here.succeeded {
            assert_eq!(here.output, there.output, "{said}: failed otherwise");
            if here.output.starts_with(&vault::CollateralVault_HotkeyNotAtUid::SELECTOR) {
                self.tally.events.insert((act, "refused: another hotkey"));
            }
        }
        if ours.assert_only_known_callees().is_empty() {
            assert_eq!(here.gas_used, there.gas_used, "{said}: plain EVM gas differs");
        }
        same_ledgers(ours, &self.anvil, &said);
        ours.assert_solvent();
        let names = ours.chain.event_logs()[logs..].iter().filter_map(|seen| event_name(seen.log.topics().first()?));
        self.tally.events.extend(names.map(|name| (act, name)));
        here.succeeded
    }

    /// Native money arrives at a contract without a call (D8).
    fn donate(&mut self, dice: &mut Dice) {
        let (contract, rao) = (dice.one_of(&holders(&self.ours)), 1 + dice.below(3_000));
        self.ours.chain.give(contract, rao);
        self.anvil.give(contract, rao);
    }

    /// The miner swaps the hotkey of a machine's uid: it is not rented any more, until the miner binds it anew.
    fn swap_hotkey(&mut self, dice: &mut Dice) {
        self.anvil.set_time(self.ours.chain.now() + 1);
        let machine = &mut self.ours.machines[dice.below(2) as usize];
        let old = std::mem::replace(&mut machine.hotkey, native(&format!("hotkey of step {}", self.number)));
        self.ours.chain.swap_hotkey(old, machine.hotkey);
        on_anvil::seat(&mut self.anvil, self.ours.stranger, machine);
    }

    /// The hotkey that the machine's node names.
    fn bound_to(&self, machine: usize) -> B256 {
        let (s, machine) = (&self.ours, self.ours.machines[machine].id());
        let registration = view(&s.chain, s.vault, vault::ownerOfCall { machine }).registration;
        view(&s.chain, s.vault, vault::nodeAtCall { registration }).hotkey
    }

    /// Sunset; then every rental is closed, every case decided, every bond withdrawn, every credit paid.
    fn everybody_out(&mut self, dice: &mut Dice) {
        let aim = Aim::random(dice, &self.ours);
        while self.tally.acts.get(&Act::Sunset).is_none_or(|(_, succeeded)| *succeeded == 0) {
            self.act(9, Act::Sunset, aim, dice);
        }
        let [rentals, cases, bids] = counts(&self.ours);
        let renter = self.ours.renter;
        let month = 31 * u64::from(DAY);
        (1..=rentals).for_each(|rental| self.insist(Act::Close, Aim { rental, ..aim }, month, dice));
        (1..=cases).for_each(|case_id| self.insist(Act::Execute, Aim { case_id, ..aim }, u64::from(3 * DAY), dice));
        (1..=bids).for_each(|bid| self.insist(Act::GiveUp, Aim { bid, who: renter, ..aim }, month, dice));
        for machine in 0..2 {
            let aim = Aim { machine, ..aim };
            for (secs, act) in [(9, Act::RequestExitOfAll), (2 * u64::from(DAY), Act::Withdraw), (9, Act::Retire)] {
                self.insist(act, aim, secs, dice);
            }
        }
        for contract in holders(&self.ours) {
            for who in [self.ours.miner, self.ours.renter, self.ours.stranger] {
                self.insist(Act::WithdrawCredit, Aim { who, contract, ..aim }, 9, dice);
            }
            self.insist(Act::FlushBurn, Aim { contract, ..aim }, 9, dice);
        }
        for contract in holders(&self.ours) {
            let left = self.ours.liabilities(contract);
            // Credits and burns below 500 rao wait: the chain pays nobody less (D4).
            assert!(left < 4 * 500, "seed {}: {contract} still owes {left} rao", self.seed);
        }
        for machine in &self.ours.machines {
            let miner = view(&self.ours.chain, self.ours.vault, vault::ownerOfCall { machine: machine.id() }).miner;
            assert_eq!(miner, Address::ZERO, "seed {}: retired, with nothing left", self.seed);
        }
    }

    /// Twice: the first may be sent by somebody whose business it is not.
    fn insist(&mut self, act: Act, aim: Aim, secs: u64, dice: &mut Dice) {
        self.act(secs, act, aim, dice);
        self.act(9, act, aim, dice);
    }
}

/// Names of what siblings do for each other.
fn event_name(topic: &B256) -> Option<&'static str> {
    let known = [
        (vault::Reserved::SIGNATURE_HASH, "Reserved"),
        (vault::Released::SIGNATURE_HASH, "Released"),
        (vault::SetAside::SIGNATURE_HASH, "SetAside"),
        (vault::Forfeited::SIGNATURE_HASH, "Forfeited"),
        (vault::GivenBack::SIGNATURE_HASH, "GivenBack"),
        (escrow::Withheld::SIGNATURE_HASH, "Withheld"),
        (escrow::Decided::SIGNATURE_HASH, "Decided"),
    ];
    known.into_iter().find(|(hash, _)| hash == topic).map(|(_, name)| name)
}

/// All that a contract owes anybody and all that it shows, and every node, the newest rentals, cases and bids, byte for
/// byte.
fn same_ledgers(s: &Surety, anvil: &Anvil, said: &str) {
    let mut reads = vec![
        (s.vault, vault::gateCall {}.abi_encode()),
        (s.vault, vault::guardianCall {}.abi_encode()),
        (s.arbiter, arbiter::penaltiesOfDayCall {}.abi_encode()),
    ];
    for machine in s.machines.iter().map(crate::surety::Machine::id) {
        reads.push((s.vault, vault::bondOfCall { machine }.abi_encode()));
        reads.push((s.vault, vault::ownerOfCall { machine }.abi_encode()));
        reads.push((s.escrow, escrow::offerOfCall { machine }.abi_encode()));
    }
    for contract in holders(s) {
        reads.push((contract, vault::liabilitiesCall {}.abi_encode()));
        reads.push((contract, vault::toBurnCall {}.abi_encode()));
        for account in [s.miner, s.renter, s.stranger, addr("treasury")] {
            reads.push((contract, vault::creditOfCall { account }.abi_encode()));
        }
    }
    for contract in [s.vault, s.escrow] {
        reads.push((contract, vault::ownerCall {}.abi_encode()));
    }
    for registration in 1..=view(&s.chain, s.vault, vault::registrationCountCall {}) {
        reads.push((s.vault, vault::nodeAtCall { registration }.abi_encode()));
    }
    let [rentals, cases, bids] = counts(s);
    for rental in rentals.saturating_sub(2)..=rentals {
        reads.push((s.escrow, escrow::rentalAtCall { rental }.abi_encode()));
        reads.push((s.escrow, escrow::faultsOfCall { rental }.abi_encode()));
    }
    for case_id in cases.saturating_sub(2)..=cases {
        reads.push((s.arbiter, arbiter::caseAtCall { caseId: case_id }.abi_encode()));
        reads.push((s.arbiter, arbiter::appealOfCall { caseId: case_id }.abi_encode()));
    }
    for bid in bids.saturating_sub(2)..=bids {
        reads.push((s.bids, bids::bidAtCall { bid }.abi_encode()));
    }
    let ((here, shows), (there, shows_there)) = (s.chain.read(&reads, &holders(s)), anvil.read(&reads, &holders(s)));
    assert_eq!(shows, shows_there, "{said}: what vault, escrow, arbiter and bids show");
    for ((here, there), (to, data)) in here.iter().zip(&there).zip(&reads) {
        assert_eq!(here, there, "{said}: {to} answers {:02x?} otherwise", &data[..4]);
    }
}
