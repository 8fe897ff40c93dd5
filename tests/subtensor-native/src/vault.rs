//! A small model of AlphaVault and of the stake it takes: what its owners' messages do and refuse, in the contract's
//! own types. One rao is one share; nothing earns. Of cases it has their filing and dismissal ([`filing`]). Keepers'
//! signatures and dissolution are not in it.

mod filing;

pub use filing::Told;
use std::collections::BTreeMap;
use subxt::ext::codec::{Decode, Encode};
use surety_core::types::Hash32;
use surety_substrate::alpha::CODE_HASH;
use surety_substrate::alpha::events::{Deposited, ExitCancelled, ExitRequested, Withdrawn};
use surety_substrate::alpha::message::{self, Deed, View};
use surety_substrate::alpha::refusal::{ChainError, Function, Refusal};
use surety_substrate::alpha::types::{Bond, BondRecord, Books, Case, Config, LangError, Roll, Stateable};
use surety_substrate::ss58::AccountId;

const DAY: u64 = 86_400;

/// Less is not moved at once: .002 TAO's worth, where an alpha costs a TAO.
pub const LEAST_TRANSFER_RAO: u64 = 2_000_000;

/// What the chain holds for a new bond's record, in rao of TAO.
pub const RECORD_DEPOSIT_RAO: u64 = 3_870;

/// What goes wrong with a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It breaks off, whatever it is asked.
    Traps,
    /// It computes for ever.
    Loops,
    /// It answers bytes that mean nothing.
    Babbles,
    /// It answers more than ink! can.
    Rambles,
    /// It says that it undid what it did, and the other way round.
    Flips,
    /// It wants a thousand times the gas.
    Greedy,
    /// It wants a deposit that no record takes, in rao of TAO.
    Hoards,
    /// What is deposited arrives a few rao short.
    Rounds,
}

/// The vault, and who has staked what on its subnet.
#[derive(Debug, Clone)]
pub struct Vault {
    /// Its account.
    pub account: AccountId,
    /// The hash of its code.
    pub code_hash: Hash32,
    /// What it was made with.
    pub config: Config,
    /// The hotkey that its stake is under.
    pub hotkey: AccountId,
    /// Who speaks for the keepers.
    pub roll: Roll,
    /// Stake by coldkey and hotkey, in rao of alpha.
    pub stakes: BTreeMap<(AccountId, AccountId), u64>,
    /// What of a coldkey's stake is locked, in rao of alpha.
    pub locked: BTreeMap<AccountId, u64>,
    /// Bonds in order of their numbers.
    pub bonds: Vec<BondRecord>,
    /// By which case a bond has answered for a case of the Arbiter.
    pub judged: BTreeMap<(u64, u32), u32>,
    /// Cases in order of their numbers.
    pub cases: Vec<Case>,
    /// What others than owners brought, in order.
    pub told: Vec<Told>,
    /// What goes wrong.
    pub trouble: Option<Trouble>,
}

/// What a message did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) data: Vec<u8>,
    pub(crate) reverted: bool,
    pub(crate) deposit_rao: u64,
    /// Topics and data of each event.
    pub(crate) events: Vec<(Vec<[u8; 32]>, Vec<u8>)>,
}

/// A call in progress.
struct Call<'a> {
    vault: &'a mut Vault,
    caller: AccountId,
    now: u64,
    done: Done,
}

impl Vault {
    /// A vault with our code for a subnet, with the default windows.
    pub fn new(account: AccountId, netuid: u16, hotkey: AccountId) -> Self {
        let config = Config {
            netuid,
            chain_id: 42,
            arbiter: [0xaa; 20],
            judge: AccountId([0x99; 32]),
            exit_delay_secs: 14 * DAY,
            exit_window_secs: 3 * DAY,
            filing_life_secs: 3 * DAY,
            appeal_window_secs: DAY,
            ruling_window_secs: 2 * DAY,
            not_delivered_bps: 200,
            offline_bps: 1_000,
        };
        let roll = Roll { number: 0, keepers: vec![[1; 20], [2; 20], [3; 20]], weights: vec![1, 1, 1] };
        let (stakes, locked, bonds, judged) = Default::default();
        let (code_hash, cases, told, trouble) = (CODE_HASH, vec![], vec![], None);
        Self { account, code_hash, config, hotkey, roll, stakes, locked, bonds, judged, cases, told, trouble }
    }

    fn staked(&self, coldkey: AccountId, hotkey: AccountId) -> u64 {
        self.stakes.get(&(coldkey, hotkey)).copied().unwrap_or(0)
    }

    /// Total, locked and available of a coldkey, in rao of alpha.
    pub(crate) fn availability(&self, coldkey: AccountId) -> (u64, u64, u64) {
        let total = self.stakes.iter().filter(|((cold, _), _)| *cold == coldkey).map(|(_, rao)| rao).sum();
        let locked = self.locked.get(&coldkey).copied().unwrap_or(0);
        (total, locked, u64::saturating_sub(total, locked))
    }

    fn position(&self, owner: AccountId, machine: [u8; 32]) -> Option<usize> {
        self.bonds.iter().position(|bond| bond.owner == owner && bond.machine == machine)
    }

    fn shown(&self, mut bond: BondRecord, now: u64) -> Bond {
        if bond.exiting > 0 && bond.ready_at + self.config.exit_window_secs < now {
            bond.free += std::mem::take(&mut bond.exiting);
        }
        let rao = |shares: u128| u64::try_from(shares).unwrap();
        Bond { free_rao: rao(bond.free), exiting_rao: rao(bond.exiting), held_rao: rao(bond.held), bond }
    }

    fn books(&self) -> Books {
        let shares = self.bonds.iter().map(|bond| bond.free + bond.exiting + bond.held).sum();
        let stake = self.staked(self.account, self.hotkey);
        Books {
            wound_up: false,
            wound_up_at: 0,
            deposits_from: 0,
            hotkey: self.hotkey,
            generation: 1,
            stake,
            seen: stake,
            shares,
            to_burn: 0,
            tao_owed: 0,
            tao_to_burn: 0,
            bonds: u32::try_from(self.bonds.len()).unwrap(),
            cases: u32::try_from(self.cases.len()).unwrap(),
        }
    }

    /// A message, as the contract runs it; `self` is changed even where it is reverted. Err: it breaks off.
    pub(crate) fn run(&mut self, caller: AccountId, input: &[u8], now: u64) -> Result<Done, &'static str> {
        match self.trouble {
            Some(Trouble::Traps) => return Err("ContractTrapped"),
            Some(Trouble::Loops) => return Err("OutOfGas"),
            _ => {}
        }
        let trouble = self.trouble;
        let mut call = Call { vault: self, caller, now, done: Done::default() };
        let known = input
            .split_first_chunk()
            .and_then(|(selector, args)| call.view(selector, args).or(call.deed(selector, args)));
        if known.is_none() {
            // What ink! answers to what it cannot read.
            call.done.data = Err::<(), _>(LangError::CouldNotReadInput).encode();
            call.done.reverted = true;
        }
        let mut done = call.done;
        match trouble {
            Some(Trouble::Babbles) => done.data = vec![7; 5],
            Some(Trouble::Rambles) => done.data = vec![0; 16 * 1024 + 1],
            Some(Trouble::Flips) => done.reverted = !done.reverted,
            Some(Trouble::Hoards) => done.deposit_rao = 5_000_000_000,
            _ => {}
        }
        Ok(done)
    }
}

/// Whether a selector is that of a message, and its arguments then.
fn is<T: Decode>(name: &str, selector: &[u8; 4], mut args: &[u8]) -> Option<T> {
    let read = (*selector == message::selector(name)).then(|| T::decode(&mut args).ok())??;
    args.is_empty().then_some(read)
}

impl Call<'_> {
    fn show(&mut self, answer: impl Encode) {
        self.done.data = Ok::<_, LangError>(answer).encode();
    }

    fn end(&mut self, answer: Result<impl Encode, Refusal>) {
        self.done.reverted = answer.is_err();
        self.show(answer);
    }

    fn event<T: Encode>(&mut self, topic: &str, indexed: &[Vec<u8>], event: &T) {
        let padded = |bytes: &Vec<u8>| {
            let mut topic = [0; 32];
            topic[..bytes.len()].copy_from_slice(bytes);
            topic
        };
        let mut topics = vec![hex::decode(topic).unwrap().try_into().unwrap()];
        topics.extend(indexed.iter().map(padded));
        self.done.events.push((topics, event.encode()));
    }

    fn view(&mut self, selector: &[u8; 4], args: &[u8]) -> Option<()> {
        let vault = &*self.vault;
        if is::<message::Config>(message::Config::NAME, selector, args).is_some() {
            self.show(vault.config.clone());
        } else if is::<message::Books>(message::Books::NAME, selector, args).is_some() {
            self.show(vault.books());
        } else if is::<message::Roll>(message::Roll::NAME, selector, args).is_some() {
            self.show(vault.roll.clone());
        } else if let Some(asked) = is::<message::BondNumber>(message::BondNumber::NAME, selector, args) {
            let at = vault.position(asked.owner, asked.machine);
            self.show(at.map(|at| u32::try_from(at + 1).unwrap()));
        } else if let Some(asked) = is::<message::BondAt>(message::BondAt::NAME, selector, args) {
            let bond = usize::try_from(asked.number).unwrap().checked_sub(1).and_then(|at| vault.bonds.get(at));
            let bond = bond.map(|bond| vault.shown(bond.clone(), self.now));
            self.show(bond);
        } else if let Some(asked) = is::<message::Stateable>(message::Stateable::NAME, selector, args) {
            let at = vault.position(asked.owner, asked.machine);
            let alpha = at.map_or(0, |at| vault.shown(vault.bonds[at].clone(), self.now).free_rao);
            self.show(Stateable { alpha, until: self.now + vault.config.exit_delay_secs });
        } else if let Some(asked) = is::<message::JudgedBy>(message::JudgedBy::NAME, selector, args) {
            let judged = vault.judged.get(&(asked.case_id, asked.bond)).copied();
            self.show(judged);
        } else if let Some(asked) = is::<message::CaseAt>(message::CaseAt::NAME, selector, args) {
            let case = usize::try_from(asked.number).unwrap().checked_sub(1).and_then(|at| vault.cases.get(at));
            let case = case.cloned();
            self.show(case);
        } else if is::<message::CreditOf>(message::CreditOf::NAME, selector, args).is_some() {
            self.show(0u64);
        } else {
            return None;
        }
        Some(())
    }

    fn deed(&mut self, selector: &[u8; 4], args: &[u8]) -> Option<()> {
        if let Some(asked) = is::<message::Deposit>(message::Deposit::NAME, selector, args) {
            let answer = self.deposit(&asked);
            self.end(answer);
        } else if let Some(asked) = is::<message::RequestExit>(message::RequestExit::NAME, selector, args) {
            let answer = self.request_exit(&asked);
            self.end(answer);
        } else if let Some(asked) = is::<message::CancelExit>(message::CancelExit::NAME, selector, args) {
            let answer = self.cancel_exit(asked.machine);
            self.end(answer);
        } else if let Some(asked) = is::<message::Withdraw>(message::Withdraw::NAME, selector, args) {
            let answer = self.withdraw(&asked);
            self.end(answer);
        } else if let Some(asked) = is::<message::SetAside>(message::SetAside::NAME, selector, args) {
            let answer = self.set_aside(&asked);
            self.end(answer);
        } else if let Some(asked) = is::<message::SetAsideSpoofed>(message::SetAsideSpoofed::NAME, selector, args) {
            let answer = self.set_aside_spoofed(&asked);
            self.end(answer);
        } else if let Some(asked) = is::<message::Amend>(message::Amend::NAME, selector, args) {
            let answer = self.amend(&asked);
            self.end(answer);
        } else {
            return None;
        }
        Some(())
    }

    fn deposit(&mut self, asked: &message::Deposit) -> Result<u64, Refusal> {
        if asked.amount == 0 {
            return Err(Refusal::ZeroAmount);
        }
        let (had, hotkey) = (self.vault.staked(self.caller, asked.from_hotkey), asked.from_hotkey);
        if had == 0 {
            return Err(Refusal::NoStake { hotkey });
        }
        let refused = |code| Refusal::Refused { function: Function::CallerTransferStake, code };
        if asked.amount < LEAST_TRANSFER_RAO {
            return Err(refused(ChainError::AmountTooLow));
        }
        let (_, locked, available) = self.vault.availability(self.caller);
        if locked > 0 && available < asked.amount {
            return Err(Refusal::LockedAlpha { available, asked: asked.amount });
        }
        let moved = asked.amount.min(had);
        let arrived = if self.vault.trouble == Some(Trouble::Rounds) { moved - 3 } else { moved };
        self.vault.stakes.insert((self.caller, hotkey), had - moved);
        *self.vault.stakes.entry((self.vault.account, self.vault.hotkey)).or_default() += arrived;
        self.credit(asked.machine, arrived);
        Ok(arrived)
    }

    fn credit(&mut self, machine: [u8; 32], arrived: u64) {
        let owner = self.caller;
        let at = self.vault.position(owner, machine).unwrap_or_else(|| {
            self.done.deposit_rao = RECORD_DEPOSIT_RAO;
            self.vault.bonds.push(BondRecord { owner, machine, free: 0, exiting: 0, held: 0, ready_at: 0 });
            self.vault.bonds.len() - 1
        });
        self.vault.bonds[at].free += u128::from(arrived);
        let bond = u32::try_from(at + 1).unwrap();
        let event = Deposited { bond, owner, machine, alpha: arrived, shares: arrived.into() };
        self.event(Deposited::TOPIC, &[bond.encode(), owner.encode()], &event);
    }

    fn own(&self, machine: [u8; 32]) -> Result<(usize, BondRecord), Refusal> {
        let at = self.vault.position(self.caller, machine).ok_or(Refusal::NoBond)?;
        Ok((at, self.vault.bonds[at].clone()))
    }

    fn request_exit(&mut self, asked: &message::RequestExit) -> Result<u64, Refusal> {
        let (at, mut bond) = self.own(asked.machine)?;
        let unheld = bond.free + bond.exiting;
        let shares = asked.amount.map_or(unheld, u128::from);
        if shares == 0 {
            return Err(Refusal::ZeroAmount);
        }
        if shares > unheld {
            let available = u64::try_from(unheld).unwrap();
            return Err(Refusal::NotEnough { available, asked: asked.amount.unwrap_or(0) });
        }
        bond.ready_at = self.now + self.vault.config.exit_delay_secs;
        (bond.free, bond.exiting) = (unheld - shares, shares);
        let ready_at = bond.ready_at;
        self.vault.bonds[at] = bond;
        let event = ExitRequested { bond: u32::try_from(at + 1).unwrap(), shares, ready_at };
        self.event(ExitRequested::TOPIC, &[event.bond.encode()], &event);
        Ok(ready_at)
    }

    fn cancel_exit(&mut self, machine: [u8; 32]) -> Result<(), Refusal> {
        let (at, mut bond) = self.own(machine)?;
        let shares = std::mem::take(&mut bond.exiting);
        if shares == 0 {
            return Err(Refusal::NoExit);
        }
        bond.free += shares;
        self.vault.bonds[at] = bond;
        let event = ExitCancelled { bond: u32::try_from(at + 1).unwrap(), shares };
        self.event(ExitCancelled::TOPIC, &[event.bond.encode()], &event);
        Ok(())
    }

    fn withdraw(&mut self, asked: &message::Withdraw) -> Result<u64, Refusal> {
        let (at, mut bond) = self.own(asked.machine)?;
        if bond.exiting == 0 {
            return Err(Refusal::NoExit);
        }
        let closes_at = bond.ready_at + self.vault.config.exit_window_secs;
        if self.now < bond.ready_at || self.now > closes_at {
            return Err(Refusal::ExitNotReady { ready_at: bond.ready_at, closes_at });
        }
        let shares = std::mem::take(&mut bond.exiting);
        let rao = u64::try_from(shares).unwrap();
        if rao < asked.min_rao {
            return Err(Refusal::TooLittle { rao, min_rao: asked.min_rao });
        }
        self.vault.bonds[at] = bond;
        *self.vault.stakes.get_mut(&(self.vault.account, self.vault.hotkey)).unwrap() -= rao;
        *self.vault.stakes.entry((self.caller, self.vault.hotkey)).or_default() += rao;
        let event = Withdrawn { bond: u32::try_from(at + 1).unwrap(), shares, rao };
        self.event(Withdrawn::TOPIC, &[event.bond.encode()], &event);
        Ok(rao)
    }
}
