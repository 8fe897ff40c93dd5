//! Subtensor's stake ledger and its chain extension, as far as AlphaVault meets them.
//!
//! A model, not the runtime: it does what is known of the runtime, and fails as it does. What it has:
//!
//! - positions by (hotkey, coldkey) on one subnet, amounts in rao; transfers *clamp* to what is there and succeed;
//! - each transfer may lose a few rao on its way (`rounding`), as share pools do;
//! - a least transfer, measured in alpha (`min_transfer`); a switch for transfers, one for burning;
//! - locks: what is locked moves only to who accepts it, and nobody does;
//! - hotkeys that exist; swaps that move every coldkey's position; dividends; native arrivals;
//! - dissolution, which empties all positions (the caller of the model pays the TAO), and a new subnet under the same
//!   netuid, with the next counter.
//!
//! Functions act for `contract` (0 to 19) or `caller` (20 on), which whoever drives the model sets before each call.

use parity_scale_codec::{Compact, Decode, Encode};
use std::collections::{BTreeMap, BTreeSet};

/// Thirty-two bytes of an account.
pub type Account = [u8; 32];

/// Numbers of the runtime's answers that the model gives.
pub mod code {
    /// Done.
    pub const SUCCESS: u32 = 0;
    /// Everything without a number of its own.
    pub const RUNTIME_ERROR: u32 = 1;
    /// No such hotkey.
    pub const NOT_REGISTERED: u32 = 5;
    /// Nothing there.
    pub const NOT_ENOUGH_STAKE: u32 = 6;
    /// No such subnet.
    pub const SUBNET_NOT_EXISTS: u32 = 9;
    /// Below the least transfer.
    pub const AMOUNT_TOO_LOW: u32 = 13;
    /// Burning is switched off.
    pub const SUBTOKEN_DISABLED: u32 = 22;
}

/// One subnet's stake. It can be encoded, so that a chain can keep it in its storage and roll it back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Chain {
    /// Its netuid.
    pub netuid: u16,
    /// Whether it is there.
    pub exists: bool,
    /// How many subnets have had the netuid.
    pub counter: u64,
    /// Rao of alpha by (hotkey, coldkey).
    pub stakes: BTreeMap<(Account, Account), u64>,
    /// Hotkeys that exist.
    pub hotkeys: BTreeSet<Account>,
    /// Locked rao by coldkey.
    pub locks: BTreeMap<Account, u64>,
    /// Least transfer, in rao of alpha.
    pub min_transfer: u64,
    /// Least burn, in rao of alpha.
    pub min_burn: u64,
    /// Rao that each transfer loses on its way.
    pub rounding: u64,
    /// Rao that arrive beyond what left.
    pub bonus: u64,
    /// Say yes and move nothing.
    pub moves_nothing: bool,
    /// Move at most this much at once.
    pub clamp: u64,
    /// Whether the subnet's owner lets stake be transferred.
    pub transfers_on: bool,
    /// Whether burning is possible.
    pub subtoken_on: bool,
    /// Who called the contract.
    pub caller: Account,
    /// The contract.
    pub contract: Account,
    /// Rao burned so far.
    pub burned: u64,
    /// Functions called, in order.
    pub calls: Vec<u16>,
}

impl Chain {
    /// A subnet without stake, with these hotkeys.
    pub fn new(netuid: u16, contract: Account, hotkeys: &[Account]) -> Self {
        Self {
            netuid,
            exists: true,
            counter: 1,
            stakes: BTreeMap::new(),
            hotkeys: hotkeys.iter().copied().collect(),
            locks: BTreeMap::new(),
            min_transfer: 0,
            min_burn: 0,
            rounding: 0,
            bonus: 0,
            moves_nothing: false,
            clamp: u64::MAX,
            transfers_on: true,
            subtoken_on: true,
            caller: contract,
            contract,
            burned: 0,
            calls: Vec::new(),
        }
    }

    /* WHAT HAPPENS WITHOUT THE CONTRACT */

    /// What `coldkey` has under `hotkey`.
    pub fn stake(&self, hotkey: Account, coldkey: Account) -> u64 {
        self.stakes.get(&(hotkey, coldkey)).copied().unwrap_or(0)
    }

    /// Dividends, or stake that somebody sent natively.
    pub fn arrive(&mut self, hotkey: Account, coldkey: Account, rao: u64) {
        let stake = self.stake(hotkey, coldkey).saturating_add(rao);
        self.put(hotkey, coldkey, stake);
    }

    fn put(&mut self, hotkey: Account, coldkey: Account, rao: u64) {
        if rao == 0 {
            self.stakes.remove(&(hotkey, coldkey));
        } else {
            self.stakes.insert((hotkey, coldkey), rao);
        }
    }

    /// `swap_hotkey` by its owner: every coldkey's stake moves, and the old hotkey is no more.
    pub fn swap_hotkey(&mut self, old: Account, new: Account) {
        let moved: Vec<_> =
            self.stakes.iter().filter(|((hotkey, _), _)| *hotkey == old).map(|(k, v)| (*k, *v)).collect();
        for ((_, coldkey), rao) in moved {
            self.put(old, coldkey, 0);
            self.arrive(new, coldkey, rao);
        }
        self.hotkeys.remove(&old);
        self.hotkeys.insert(new);
    }

    /// The subnet is dissolved: no stake is left. Returns what each coldkey had, for whoever pays them.
    pub fn dissolve(&mut self) -> BTreeMap<Account, u64> {
        let mut had = BTreeMap::new();
        for ((_, coldkey), rao) in std::mem::take(&mut self.stakes) {
            let sum: &mut u64 = had.entry(coldkey).or_default();
            *sum = sum.saturating_add(rao);
        }
        self.exists = false;
        had
    }

    /// Another subnet gets the netuid.
    pub fn register_again(&mut self) {
        self.exists = true;
        self.counter = self.counter.saturating_add(1);
        self.stakes.clear();
        self.locks.clear();
    }

    /// Alpha of a coldkey under any hotkey.
    pub fn total(&self, coldkey: Account) -> u64 {
        self.stakes.iter().filter(|((_, c), _)| *c == coldkey).fold(0, |sum: u64, (_, rao)| sum.saturating_add(*rao))
    }

    /* THE EXTENSION */

    /// Calls a function of the extension: its answer's number, and its output.
    ///
    /// # Panics
    /// On a function that the runtime's extension does not have, or arguments of another shape: the runtime traps.
    pub fn call(&mut self, function: u16, input: &[u8]) -> (u32, Vec<u8>) {
        self.calls.push(function);
        match function {
            0 => self.stake_info(args(input)),
            5 => {
                let (from, to, net, other, rao): (Account, Account, u16, u16, u64) = args(input);
                done(self.transfer((from, self.contract), (to, self.contract), [net, other], rao))
            }
            6 => self.give(self.contract, args(input)),
            25 => self.give(self.caller, args(input)),
            17 => self.burn(args(input)),
            34 => (code::SUCCESS, (args::<u16>(input), self.is_here(args(input)), self.counter).encode()),
            36 => self.availability(args(input)),
            other => panic!("the runtime has no function {other} that this contract may call"),
        }
    }

    fn is_here(&self, netuid: u16) -> bool {
        self.exists && netuid == self.netuid
    }

    fn stake_info(&self, (hotkey, coldkey, netuid): (Account, Account, u16)) -> (u32, Vec<u8>) {
        let stake = self.stake(hotkey, coldkey);
        let zero = Compact(0u64);
        let info = (hotkey, coldkey, Compact(netuid), Compact(stake), zero, zero, zero, zero, true);
        let known = self.is_here(netuid) && stake > 0;
        (code::SUCCESS, known.then_some(info).encode())
    }

    fn give(&mut self, from: Account, args: (Account, Account, u16, u16, u64)) -> (u32, Vec<u8>) {
        let (to, hotkey, net, other, rao) = args;
        if !self.transfers_on {
            return (code::RUNTIME_ERROR, Vec::new());
        }
        done(self.transfer((hotkey, from), (hotkey, to), [net, other], rao))
    }

    fn transfer(
        &mut self,
        from: (Account, Account),
        to: (Account, Account),
        nets: [u16; 2],
        rao: u64,
    ) -> Result<(), u32> {
        if nets.iter().any(|netuid| !self.is_here(*netuid)) {
            return Err(code::SUBNET_NOT_EXISTS);
        }
        if !self.hotkeys.contains(&from.0) || !self.hotkeys.contains(&to.0) {
            return Err(code::NOT_REGISTERED);
        }
        let have = self.stake(from.0, from.1);
        if have == 0 {
            return Err(code::NOT_ENOUGH_STAKE);
        }
        let rao = rao.min(have);
        if rao < self.min_transfer {
            return Err(code::AMOUNT_TOO_LOW);
        }
        // Unlocked first; the rest would take its lock along, which nobody accepts.
        if from.1 != to.1 && rao > self.available(from.1) {
            return Err(code::RUNTIME_ERROR);
        }
        if self.moves_nothing {
            return Ok(());
        }
        let rao = rao.min(self.clamp);
        self.put(from.0, from.1, have.saturating_sub(rao));
        self.arrive(to.0, to.1, rao.saturating_sub(self.rounding).saturating_add(self.bonus));
        Ok(())
    }

    fn available(&self, coldkey: Account) -> u64 {
        self.total(coldkey).saturating_sub(self.locks.get(&coldkey).copied().unwrap_or(0))
    }

    fn burn(&mut self, (hotkey, netuid, rao): (Account, u16, u64)) -> (u32, Vec<u8>) {
        let rao = rao.min(self.stake(hotkey, self.contract)).min(self.clamp);
        let refusal = match () {
            () if !self.is_here(netuid) => Some(code::SUBNET_NOT_EXISTS),
            () if !self.subtoken_on => Some(code::SUBTOKEN_DISABLED),
            () if !self.hotkeys.contains(&hotkey) => Some(code::NOT_REGISTERED),
            () if rao < self.min_burn => Some(code::AMOUNT_TOO_LOW),
            () => None,
        };
        if let Some(refusal) = refusal {
            return (refusal, Vec::new());
        }
        let left = self.stake(hotkey, self.contract).saturating_sub(rao);
        self.put(hotkey, self.contract, left);
        self.burned = self.burned.saturating_add(rao);
        (code::SUCCESS, rao.encode())
    }

    fn availability(&self, (coldkey, netuid): (Account, u16)) -> (u32, Vec<u8>) {
        let (total, available) = (self.total(coldkey), self.available(coldkey));
        (code::SUCCESS, (netuid, total, total.saturating_sub(available), available).encode())
    }
}

fn args<T: Decode>(mut input: &[u8]) -> T {
    let value = T::decode(&mut input).expect("arguments of another shape");
    assert!(input.is_empty(), "{} bytes too many", input.len());
    value
}

fn done(result: Result<(), u32>) -> (u32, Vec<u8>) {
    (result.err().unwrap_or(code::SUCCESS), Vec::new())
}
