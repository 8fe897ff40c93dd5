//! The steps of a random walk over Surety: every function somebody can call, with arguments that have a chance.

use crate::{
    kit::view,
    surety::{
        Claim, DAY, H100, H100_BOND_RAO, HOUR, INTERRUPTED, NOT_DELIVERED, OFFLINE, PRICE_RAO, SECOND_UID, Surety,
        arbiter, bids, endpoint, escrow, hash_of, vault,
    },
};
use alloy_primitives::{Address, B256};
use alloy_sol_types::SolCall;
use surety_subtensor_evm::AccountId;

/// A small generator (splitmix64): the walk is its seed.
pub struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// Once in `n` times.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// What somebody tries to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    Register,
    Rebind,
    SetEndpoint,
    Deposit,
    RequestExit,
    RequestExitOfAll,
    CancelExit,
    Withdraw,
    Retire,
    Pause,
    Unpause,
    SetGuardian,
    Sunset,
    TransferOwnership,
    AcceptOwnership,
    RenounceOwnership,
    Offer,
    WithdrawOffer,
    SetClassBond,
    Rent,
    RentFor,
    Extend,
    End,
    Abandon,
    Claim,
    Close,
    CloseMany,
    FileNotDelivered,
    FileInterrupted,
    FileOffline,
    FileSpoofed,
    Appeal,
    Uphold,
    Overturn,
    Execute,
    Post,
    Fill,
    GiveUp,
    SetPayoutAccount,
    WithdrawCredit,
    FlushBurn,
    Sweep,
    /// A function that only a sibling may call, by somebody else.
    Trespass,
}

impl Act {
    /// What can never succeed: ownership cannot be given up, and nobody is a sibling.
    pub const HOPELESS: [Self; 2] = [Self::RenounceOwnership, Self::Trespass];

    /// All, as often as they are to come in the walk, besides [`Self::Sunset`], which ends it.
    pub const WEIGHTED: [(Self, usize); 42] = [
        (Self::Register, 4),
        (Self::Rebind, 3),
        (Self::SetEndpoint, 2),
        (Self::Deposit, 6),
        (Self::RequestExit, 2),
        (Self::RequestExitOfAll, 1),
        (Self::CancelExit, 2),
        (Self::Withdraw, 3),
        (Self::Retire, 2),
        (Self::Pause, 1),
        (Self::Unpause, 3),
        (Self::SetGuardian, 1),
        (Self::TransferOwnership, 1),
        (Self::AcceptOwnership, 1),
        (Self::RenounceOwnership, 1),
        (Self::Offer, 6),
        (Self::WithdrawOffer, 1),
        (Self::SetClassBond, 1),
        (Self::Rent, 9),
        (Self::RentFor, 4),
        (Self::Extend, 4),
        (Self::End, 3),
        (Self::Abandon, 1),
        (Self::Claim, 4),
        (Self::Close, 3),
        (Self::CloseMany, 2),
        (Self::FileNotDelivered, 4),
        (Self::FileInterrupted, 4),
        (Self::FileOffline, 4),
        (Self::FileSpoofed, 1),
        (Self::Appeal, 3),
        (Self::Uphold, 2),
        (Self::Overturn, 2),
        (Self::Execute, 4),
        (Self::Post, 4),
        (Self::Fill, 5),
        (Self::GiveUp, 2),
        (Self::SetPayoutAccount, 1),
        (Self::WithdrawCredit, 4),
        (Self::FlushBurn, 2),
        (Self::Sweep, 2),
        (Self::Trespass, 2),
    ];
}

/// What a step is about. Numbers may name what is not there.
#[derive(Debug, Clone, Copy)]
pub struct Aim {
    /// Which machine.
    pub machine: usize,
    pub rental: u64,
    pub case_id: u64,
    pub bid: u64,
    /// Who acts, where anybody may.
    pub who: Address,
    /// Whose contract, of those that hold money.
    pub contract: Address,
}

impl Aim {
    /// Mostly at what is newest.
    pub fn random(dice: &mut Dice, s: &Surety) -> Self {
        let [rentals, cases, bids] = counts(s);
        let mut newest = |count: u64| if dice.once_in(4) { dice.below(count + 1) } else { count };
        let (rental, case_id, bid) = (newest(rentals), newest(cases), newest(bids));
        let machine = dice.below(2) as usize;
        let who = dice.one_of(&[s.miner, s.renter, s.stranger]);
        Self { machine, rental, case_id, bid, who, contract: dice.one_of(&holders(s)) }
    }
}

/// How many rentals, cases and bids there have been.
pub fn counts(s: &Surety) -> [u64; 3] {
    [
        view(&s.chain, s.escrow, escrow::rentalCountCall {}),
        view(&s.chain, s.arbiter, arbiter::caseCountCall {}),
        view(&s.chain, s.bids, bids::bidCountCall {}),
    ]
}

/// The contracts that hold money.
pub fn holders(s: &Surety) -> [Address; 4] {
    [s.vault, s.escrow, s.arbiter, s.bids]
}

/// A transaction.
pub struct Step {
    pub from: Address,
    pub to: Address,
    pub data: Vec<u8>,
    pub value_rao: u64,
}

fn step(from: Address, to: Address, call: &impl SolCall) -> Step {
    Step { from, to, data: call.abi_encode(), value_rao: 0 }
}

fn paid(rao: u64, step: Step) -> Step {
    Step { value_rao: rao, ..step }
}

/// The act as a transaction. One in twenty is sent by somebody whose business it may not be.
pub fn transaction(act: Act, aim: Aim, dice: &mut Dice, s: &Surety) -> Step {
    let step = match act {
        Act::Register | Act::Rebind | Act::SetEndpoint | Act::Retire => of_node(act, aim, dice, s),
        Act::Deposit | Act::RequestExit | Act::RequestExitOfAll | Act::CancelExit | Act::Withdraw => {
            of_bond(act, aim, dice, s)
        }
        Act::Pause | Act::Unpause | Act::SetGuardian | Act::Sunset => of_gate(act, dice, s),
        Act::TransferOwnership | Act::AcceptOwnership | Act::RenounceOwnership => of_owner(act, dice, s),
        Act::Offer | Act::WithdrawOffer | Act::SetClassBond | Act::Rent | Act::RentFor => of_market(act, aim, dice, s),
        Act::Extend | Act::End | Act::Abandon | Act::Claim | Act::Close | Act::CloseMany => {
            of_rental(act, aim, dice, s)
        }
        Act::FileNotDelivered | Act::FileInterrupted | Act::FileOffline => of_filing(act, aim, dice, s),
        Act::FileSpoofed => step(aim.who, s.arbiter, &s.spoof_call(s.machines[aim.machine].id(), 3)),
        Act::Appeal | Act::Uphold | Act::Overturn | Act::Execute => of_case(act, aim, s),
        Act::Post | Act::Fill | Act::GiveUp => of_bid(act, aim, dice, s),
        Act::SetPayoutAccount | Act::WithdrawCredit | Act::FlushBurn | Act::Sweep => of_money(act, aim, dice, s),
        Act::Trespass => of_siblings(aim, dice, s),
    };
    if dice.once_in(20) { Step { from: aim.who, ..step } } else { step }
}

/* VAULT */

fn of_node(act: Act, aim: Aim, dice: &mut Dice, s: &Surety) -> Step {
    let machine = &s.machines[aim.machine];
    let id = machine.id();
    let uid = if dice.once_in(4) { dice.one_of(&[0, SECOND_UID, 1]) } else { machine.uid };
    match act {
        Act::Register => step(s.miner, s.vault, &s.registration_at(machine, uid)),
        Act::Rebind => step(s.miner, s.vault, &vault::rebindCall { machine: id, uid, uidHash: hash_of(uid) }),
        Act::SetEndpoint => {
            step(s.miner, s.vault, &vault::setEndpointCall { machine: id, endpoint: endpoint(dice.below(4) as u16) })
        }
        _ => step(s.miner, s.vault, &vault::retireCall { machine: id }),
    }
}

fn of_bond(act: Act, aim: Aim, dice: &mut Dice, s: &Surety) -> Step {
    let machine = s.machines[aim.machine].id();
    let bond = view(&s.chain, s.vault, vault::bondOfCall { machine });
    match act {
        Act::Deposit => paid(dice.below(1_500_000_000), step(s.miner, s.vault, &vault::depositCall { machine })),
        Act::RequestExit => {
            let amount = dice.below(1_500_000_000);
            step(s.miner, s.vault, &vault::requestExitCall { machine, amount })
        }
        Act::RequestExitOfAll => {
            let amount = bond.free + bond.exiting;
            step(s.miner, s.vault, &vault::requestExitCall { machine, amount })
        }
        Act::CancelExit => step(s.miner, s.vault, &vault::cancelExitCall { machine }),
        _ => step(s.miner, s.vault, &vault::withdrawCall { machine }),
    }
}

fn of_gate(act: Act, dice: &mut Dice, s: &Surety) -> Step {
    let guardian = view(&s.chain, s.vault, vault::guardianCall {});
    let owner = view(&s.chain, s.vault, vault::ownerCall {});
    match act {
        Act::Pause => step(guardian, s.vault, &vault::pauseCall { secs: dice.below(8 * u64::from(DAY)) as u32 }),
        Act::Unpause => step(guardian, s.vault, &vault::unpauseCall {}),
        Act::SetGuardian => {
            let new = dice.one_of(&[s.guardian, s.judge]);
            step(owner, s.vault, &vault::setGuardianCall { newGuardian: new })
        }
        _ => step(owner, s.vault, &vault::sunsetCall {}),
    }
}

fn of_owner(act: Act, dice: &mut Dice, s: &Surety) -> Step {
    let contract = dice.one_of(&[s.vault, s.escrow]);
    let owner = view(&s.chain, contract, vault::ownerCall {});
    match act {
        Act::TransferOwnership => {
            let new = dice.one_of(&[s.owner, s.judge]);
            step(owner, contract, &vault::transferOwnershipCall { newOwner: new })
        }
        Act::AcceptOwnership => {
            let next = view(&s.chain, contract, vault::pendingOwnerCall {});
            let from = if next == Address::ZERO { s.stranger } else { next };
            step(from, contract, &vault::acceptOwnershipCall {})
        }
        _ => step(owner, contract, &vault::renounceOwnershipCall {}),
    }
}

/* ESCROW */

fn of_market(act: Act, aim: Aim, dice: &mut Dice, s: &Surety) -> Step {
    let machine = s.machines[aim.machine].id();
    match act {
        Act::Offer => step(s.miner, s.escrow, &s.offer_call_of(machine)),
        Act::WithdrawOffer => step(s.miner, s.escrow, &escrow::withdrawOfferCall { machine }),
        Act::SetClassBond => {
            let owner = view(&s.chain, s.escrow, escrow::ownerCall {});
            let bond = H100_BOND_RAO - dice.below(100_000_000);
            step(owner, s.escrow, &escrow::setClassBondCall { gpuClass: H100, bond })
        }
        _ => {
            let secs = HOUR + dice.below(2 * u64::from(DAY)) as u32;
            let hash = view(&s.chain, s.escrow, escrow::offerOfCall { machine }).offerHash;
            let cost = PRICE_RAO * u64::from(secs) + dice.below(12) / 11;
            let call = s.rent_call_of(machine, hash, secs);
            if act == Act::Rent {
                return paid(cost, step(s.renter, s.escrow, &call));
            }
            let call = escrow::rentForCall {
                renter: s.renter,
                machine: call.machine,
                durationSecs: call.durationSecs,
                renterKey: call.renterKey,
                offerHash: call.offerHash,
                certificates: call.certificates,
            };
            paid(cost, step(aim.who, s.escrow, &call))
        }
    }
}

fn of_rental(act: Act, aim: Aim, dice: &mut Dice, s: &Surety) -> Step {
    let rental = aim.rental;
    match act {
        Act::Extend => {
            let secs = dice.below(u64::from(DAY)) as u32;
            paid(PRICE_RAO * u64::from(secs), step(s.renter, s.escrow, &escrow::extendCall { rental, secs }))
        }
        Act::End => step(s.renter, s.escrow, &escrow::endCall { rental }),
        Act::Abandon => step(s.miner, s.escrow, &escrow::abandonCall { rental }),
        Act::Claim => step(aim.who, s.escrow, &escrow::claimCall { rental }),
        Act::Close => step(aim.who, s.escrow, &escrow::closeCall { rental }),
        _ => {
            let rentals = vec![rental, rental.saturating_sub(1), 0, rental + 1];
            step(aim.who, s.escrow, &escrow::closeManyCall { rentals })
        }
    }
}

/* ARBITER */

fn of_filing(act: Act, aim: Aim, dice: &mut Dice, s: &Surety) -> Step {
    let (rental, now) = (aim.rental, s.chain.now() as u32);
    let r = view(&s.chain, s.escrow, escrow::rentalAtCall { rental }).r;
    let fresh = now - dice.below(330) as u32;
    let gap = if dice.once_in(8) { dice.below(3) as u8 } else { r.faultCount };
    let (kind, from, until) = match act {
        Act::FileNotDelivered => (NOT_DELIVERED, r.start + u32::from(dice.once_in(8)), fresh),
        Act::FileOffline => (OFFLINE, fresh.saturating_sub(900 + dice.below(4_000) as u32).max(r.start), fresh),
        _ => {
            let until = now - dice.below(2 * u64::from(HOUR)) as u32;
            (INTERRUPTED, until.saturating_sub(30 + dice.below(2_000) as u32), until)
        }
    };
    let signers = 3 - (dice.below(6) / 4) as usize;
    step(aim.who, s.arbiter, &s.case_call(Claim { kind, rental, gap, from, until }, signers))
}

fn of_case(act: Act, aim: Aim, s: &Surety) -> Step {
    let case_id = aim.case_id;
    match act {
        Act::Appeal => {
            let none = case_id == 0;
            let bond = if none { 1 } else { view(&s.chain, s.arbiter, arbiter::appealBondOfCall { caseId: case_id }) };
            let evidence = s.machine();
            paid(bond, step(s.miner, s.arbiter, &arbiter::appealCall { caseId: case_id, evidence }))
        }
        Act::Execute => step(aim.who, s.arbiter, &arbiter::executeCall { caseId: case_id }),
        _ => step(s.judge, s.arbiter, &arbiter::ruleCall { caseId: case_id, uphold: act == Act::Uphold }),
    }
}

/* BIDS */

fn of_bid(act: Act, aim: Aim, dice: &mut Dice, s: &Surety) -> Step {
    match act {
        Act::Post => {
            let call = s.bid_call(HOUR + dice.below(u64::from(DAY)) as u32, PRICE_RAO + dice.below(100));
            paid(u64::from(call.durationSecs) * call.maxPrice.to::<u64>(), step(s.renter, s.bids, &call))
        }
        Act::Fill => {
            let machine = s.machines[aim.machine].id();
            let certificates = s.bid_certificates(machine, 3);
            step(aim.who, s.bids, &bids::fillCall { bid: aim.bid, machine, certificates })
        }
        _ => step(dice.one_of(&[s.renter, aim.who]), s.bids, &bids::giveUpCall { bid: aim.bid }),
    }
}

/* MONEY */

fn of_money(act: Act, aim: Aim, dice: &mut Dice, s: &Surety) -> Step {
    match act {
        Act::SetPayoutAccount => {
            let others = [B256::ZERO, AccountId::of(s.miner).to_b256(), AccountId::of(s.renter).to_b256()];
            step(aim.who, aim.contract, &vault::setPayoutAccountCall { accountId: dice.one_of(&others) })
        }
        Act::WithdrawCredit => step(s.stranger, aim.contract, &vault::withdrawCreditCall { account: aim.who }),
        Act::FlushBurn => step(aim.who, aim.contract, &vault::flushBurnCall {}),
        _ => step(aim.who, aim.contract, &vault::sweepCall {}),
    }
}

/// What siblings do for each other, asked for by somebody who is none, the owner and the judge among them.
fn of_siblings(aim: Aim, dice: &mut Dice, s: &Surety) -> Step {
    let from = dice.one_of(&[aim.who, s.owner, s.judge, s.guardian]);
    let (registration, rental, amount, case_id) = (1, aim.rental, 1, aim.case_id);
    let now = s.chain.now() as u32;
    match dice.below(10) {
        0 => step(from, s.vault, &vault::reserveCall { registration, rental, total: amount, until: 0 }),
        1 => step(from, s.vault, &vault::releaseCall { registration, rental }),
        2 => step(from, s.vault, &vault::forfeitReservedCall { registration, rental, amount }),
        3 => step(from, s.vault, &vault::setAsideCall { registration, rental, amount }),
        4 => step(from, s.vault, &vault::setAsideAnyCall { registration, amount }),
        5 => step(from, s.vault, &vault::forfeitCall { registration, amount }),
        6 => step(from, s.vault, &vault::giveBackCall { registration, amount }),
        7 => step(from, s.escrow, &escrow::distrustCall { registration }),
        8 => step(from, s.escrow, &escrow::decideCall { rental, secs: 1, toRenter: true }),
        _ => {
            let (gap, terminates) = (0, true);
            let call = escrow::withholdCall { rental, caseId: case_id, gap, from: now - 60, until: now, terminates };
            step(from, s.escrow, &call)
        }
    }
}
