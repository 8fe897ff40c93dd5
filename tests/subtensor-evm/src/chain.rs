//! The chain as a test uses it.

use crate::{
    account::{AccountId, mapped},
    convert::{address, h160},
    ledger::{Account, MoneyError, WEI_PER_RAO},
    precompiles::Precompile,
    runtime_call::{DispatchError, RuntimeCall},
    subnet::{Association, Subnet},
    transaction::{Mode, Outcome, Refused, Tx, check, run, slot},
    world::{Block, Frame, World},
};
use alloy_primitives::{Address, B256, Bytes, Log, U256};
use primitive_types::H160;
use std::cell::RefCell;

/// Seconds between blocks.
pub const BLOCK_SECS: u64 = 12;
/// Blocks of an epoch, after which voting power is brought up to date. Source: the runtime's default tempo.
pub const EPOCH_BLOCKS: u64 = 360;
/// Blocks between two associations of a uid. Source: the runtime's constant; never associated counts from block 0.
const ASSOCIATION_RATE_LIMIT_BLOCKS: u64 = 7_200;

/// A log and where it can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenLog {
    /// Block it was written in.
    pub block: u64,
    /// The log.
    pub log: Log,
    /// Whether eth_getLogs and receipts show it. Logs of the EVM.call extrinsic are Substrate events only (D7).
    pub in_ethereum: bool,
}

/// Why a hotkey could not associate an EVM address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AssociateError {
    /// No such uid.
    #[error("nobody is registered at uid {uid} of netuid {netuid}")]
    NotRegistered {
        /// Subnet.
        netuid: u16,
        /// Seat.
        uid: u16,
    },
    /// Within 7200 blocks of the last association, or of block 0.
    #[error("EvmKeyAssociateRateLimitExceeded: next at block {next_block}")]
    TooSoon {
        /// First block at which it may.
        next_block: u64,
    },
}

/// A chain in memory. One author, one transaction at a time, a block lasts until the test says so.
pub struct Chain {
    world: RefCell<World>,
    logs: Vec<SeenLog>,
    whitelist: Option<Vec<Address>>,
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

impl Chain {
    /// An empty mainnet (chain id 964) at block 10,000, base fee 10 gwei, DELEGATECALL to signing precompiles open, as
    /// at spec 425.
    pub fn new() -> Self {
        let coinbase = H160(*b"author's aura key 20");
        let block = Block {
            number: 10_000,
            timestamp_secs: 1_800_000_000,
            chain_id: 964,
            base_fee_wei: 10 * WEI_PER_RAO,
            coinbase,
        };
        Self { world: RefCell::new(World::new(block)), logs: Vec::new(), whitelist: None }
    }

    /* SWITCHES */

    /// PR #3130: signing precompiles refuse DELEGATECALL and CALLCODE.
    pub fn close_delegatecall(&mut self) {
        self.world.get_mut().delegatecall_open = false;
    }

    /// Root's PrecompileEnable. False if the chain has no switch for that one.
    pub fn enable_precompile(&mut self, precompile: Precompile, enabled: bool) -> bool {
        let disabled = &mut self.world.get_mut().disabled;
        if !precompile.can_be_disabled() {
            return false;
        }
        if enabled {
            disabled.remove(&precompile)
        } else {
            disabled.insert(precompile)
        };
        true
    }

    /// The deploy whitelist, as a fresh chain has it until sudo disables the check.
    pub fn set_deploy_whitelist(&mut self, creators: Option<Vec<Address>>) {
        self.whitelist = creators;
    }

    /// sudo's EVMChainId.
    pub fn set_chain_id(&mut self, chain_id: u64) {
        self.world.get_mut().block.chain_id = chain_id;
    }

    /* TIME */

    /// The block transactions run in.
    pub fn block(&self) -> Block {
        self.world.borrow().block.clone()
    }

    /// The block's timestamp, in seconds.
    pub fn now(&self) -> u64 {
        self.world.borrow().block.timestamp_secs
    }

    /// That many seconds pass, and blocks of 12 seconds with them, at least one. Epochs end at every 360th block.
    pub fn pass(&mut self, secs: u64) {
        let world = self.world.get_mut();
        world.block.timestamp_secs += secs;
        let before = world.block.number;
        let number = before + (secs / BLOCK_SECS).max(1);
        world.block.number = number;
        if before / EPOCH_BLOCKS != number / EPOCH_BLOCKS {
            world.subnets().values_mut().for_each(|subnet| subnet.end_epoch(number));
        }
    }

    /* BALANCES */

    /// Creates money in an account.
    pub fn fund(&mut self, account: impl Into<AccountId>, rao: u64) -> Result<(), MoneyError> {
        self.world.get_mut().ledger().mint(account.into(), rao)
    }

    /// The account as the chain keeps it.
    pub fn account(&self, account: impl Into<AccountId>) -> Account {
        self.world.borrow().now.ledger.account(account.into())
    }

    /// Its free balance in rao, the existential deposit included.
    pub fn free_rao(&self, account: impl Into<AccountId>) -> u64 {
        self.account(account).free_rao
    }

    /// What eth_getBalance and BALANCE answer, in wei.
    pub fn visible_wei(&self, of: Address) -> U256 {
        U256::from(self.world.borrow().now.ledger.visible_rao(AccountId::of(of))) * U256::from(WEI_PER_RAO)
    }

    /// The address's transaction count.
    pub fn nonce(&self, of: Address) -> u64 {
        self.account(of).nonce
    }

    /// All rao there are, and all dust burned so far.
    pub fn issuance_and_dust_rao(&self) -> (u64, u64) {
        let world = self.world.borrow();
        (world.now.ledger.issuance_rao(), world.now.ledger.dust_rao())
    }

    /// All accounts that exist, with their free and reserved rao.
    pub fn all_rao(&self) -> Vec<(AccountId, u64)> {
        let world = self.world.borrow();
        world.now.ledger.accounts().map(|(id, account)| (id, account.free_rao + account.reserved_rao)).collect()
    }

    /* EXECUTION */

    /// Sends a signed Ethereum transaction.
    pub fn send(&mut self, tx: &Tx) -> Result<Outcome, Refused> {
        check(&self.world.borrow(), tx)?;
        let outcome = run(&self.world, tx, Mode::Signed);
        self.keep_logs(&outcome, true);
        Ok(outcome)
    }

    /// Creates a contract; the address is `created` of the outcome. The deploy whitelist does not bind this.
    pub fn deploy(&mut self, from: Address, code: impl Into<Bytes>, value: U256) -> Result<Outcome, Refused> {
        self.send(&Tx::create(from, code).value(value))
    }

    /// Calls a contract.
    pub fn transact(
        &mut self,
        from: Address,
        to: Address,
        data: impl Into<Bytes>,
        value: U256,
    ) -> Result<Outcome, Refused> {
        self.send(&Tx::call(from, to, data).value(value))
    }

    /// eth_call: nothing is paid, nothing stays.
    pub fn call(&self, from: Address, to: Address, data: impl Into<Bytes>) -> Outcome {
        self.simulate(&Tx::call(from, to, data).gas(BLOCK_CALL_GAS))
    }

    /// The same with a gas limit of the caller's choice. Logs say what would have happened.
    pub fn simulate(&self, tx: &Tx) -> Outcome {
        self.world.borrow_mut().save();
        let outcome = run(&self.world, tx, Mode::Unpaid);
        self.world.borrow_mut().restore();
        outcome
    }

    /// The EVM.call extrinsic: no Ethereum transaction, no receipt, logs are Substrate events only (D7).
    pub fn extrinsic_call(&mut self, from: Address, to: Address, data: impl Into<Bytes>, value: U256) -> Outcome {
        let outcome = run(&self.world, &Tx::call(from, to, data).value(value), Mode::Unpaid);
        self.keep_logs(&outcome, false);
        outcome
    }

    /// The EVM.create extrinsic, which the deploy whitelist binds.
    pub fn extrinsic_create(&mut self, from: Address, code: impl Into<Bytes>) -> Result<Outcome, Refused> {
        if self.whitelist.as_ref().is_some_and(|allowed| !allowed.contains(&from)) {
            return Err(Refused::NotWhitelisted);
        }
        let outcome = run(&self.world, &Tx::create(from, code), Mode::Unpaid);
        self.keep_logs(&outcome, false);
        Ok(outcome)
    }

    /// A runtime call by a native account: a transfer, stake, a proxy. No code of anybody runs (D8).
    pub fn dispatch(&mut self, origin: impl Into<AccountId>, call: &RuntimeCall) -> Result<(), DispatchError> {
        let world = self.world.get_mut();
        world.save();
        let done = call.run(world, origin.into());
        if done.is_ok() {
            world.commit()
        } else {
            world.restore()
        }
        done
    }

    /* WHAT CAN BE SEEN */

    /// Logs that eth_getLogs shows.
    pub fn ethereum_logs(&self) -> impl Iterator<Item = &SeenLog> {
        self.logs.iter().filter(|seen| seen.in_ethereum)
    }

    /// All logs, as Substrate events show them.
    pub fn event_logs(&self) -> &[SeenLog] {
        &self.logs
    }

    /// Code at an address, as eth_getCode answers: none at a precompile.
    pub fn code(&self, at: Address) -> Bytes {
        Bytes::from(self.world.borrow().code(h160(at)).to_vec())
    }

    /// A storage slot.
    pub fn storage(&self, at: Address, index: B256) -> B256 {
        slot(&self.world.borrow(), at, index)
    }

    /// Every frame entered since the last time this was asked: who called whose code, in whose name.
    pub fn take_frames(&mut self) -> Vec<Frame> {
        std::mem::take(&mut self.world.get_mut().frames)
    }

    fn keep_logs(&mut self, outcome: &Outcome, in_ethereum: bool) {
        let block = self.world.get_mut().block.number;
        self.logs.extend(outcome.logs.iter().map(|log| SeenLog { block, log: log.clone(), in_ethereum }));
    }

    /* SUBNETS */

    /// Registers a subnet, anew if there is one: seats are empty and allowances void.
    pub fn register_subnet(&mut self, netuid: u16) {
        let subnets = self.world.get_mut().subnets();
        let generation = subnets.get(&netuid).map_or(1, |old| old.generation + 1);
        subnets.insert(netuid, Subnet { generation, ..Subnet::default() });
    }

    /// A subnet, to be edited: prices, switches, voting power.
    pub fn subnet_mut(&mut self, netuid: u16) -> &mut Subnet {
        self.world.get_mut().subnets().entry(netuid).or_default()
    }

    /// Seats `hotkey`, owned by `coldkey`, at `uid`. Whoever sat there is recycled: its EVM address goes at once, its
    /// voting power with the epoch.
    pub fn register_hotkey(&mut self, netuid: u16, uid: u16, hotkey: AccountId, coldkey: AccountId) {
        let world = self.world.get_mut();
        let block = world.block.number;
        world.subnets().entry(netuid).or_default().seat(uid, hotkey, block);
        std::rc::Rc::make_mut(&mut world.now.owners).insert(hotkey, coldkey);
        world.stakes().add_hotkey(hotkey);
    }

    /// SubtensorModule.associate_evm_key by the hotkey at `uid`. The signature is taken as checked: nothing in it
    /// names the subnet or the block anyway.
    pub fn associate(&mut self, netuid: u16, uid: u16, evm: Address) -> Result<(), AssociateError> {
        let world = self.world.get_mut();
        let block = world.block.number;
        let subnet = world.subnets().get_mut(&netuid).filter(|subnet| subnet.neurons.contains_key(&uid));
        let subnet = subnet.ok_or(AssociateError::NotRegistered { netuid, uid })?;
        let last = subnet.associations.get(&uid).map_or(0, |association| association.block);
        let next_block = last + ASSOCIATION_RATE_LIMIT_BLOCKS;
        if block < next_block {
            return Err(AssociateError::TooSoon { next_block });
        }
        subnet.associations.insert(uid, Association { address: h160(evm), block });
        Ok(())
    }

    /// SubtensorModule.swap_hotkey: seats, voting power and *everybody's* stake under `old` are `new`'s.
    pub fn swap_hotkey(&mut self, old: AccountId, new: AccountId) {
        let world = self.world.get_mut();
        world.subnets().values_mut().for_each(|subnet| subnet.swap_hotkey(old, new));
        world.stakes().swap_hotkey(old, new);
        let owners = std::rc::Rc::make_mut(&mut world.now.owners);
        if let Some(coldkey) = owners.remove(&old) {
            owners.insert(new, coldkey);
        }
    }

    /// Sets a validator's voting power and turns tracking on.
    pub fn set_voting_power(&mut self, netuid: u16, hotkey: AccountId, rao: u64) {
        let voting = &mut self.subnet_mut(netuid).voting;
        voting.tracking = true;
        voting.power.insert(hotkey, rao);
    }

    /// Stake in alpha-rao.
    pub fn alpha(&self, netuid: u16, hotkey: AccountId, coldkey: impl Into<AccountId>) -> u64 {
        self.world.borrow().now.stakes.alpha(netuid, hotkey, coldkey.into())
    }

    /// Sets stake, as dividends would.
    pub fn set_alpha(&mut self, netuid: u16, hotkey: AccountId, coldkey: impl Into<AccountId>, alpha: u64) {
        self.world.get_mut().stakes().set_alpha(netuid, hotkey, coldkey.into(), alpha);
    }

    /// The block author's address; fees go to its mapped account.
    pub fn author(&self) -> Address {
        address(self.world.borrow().block.coinbase)
    }

    /// The account fees go to.
    pub fn author_account(&self) -> AccountId {
        mapped(self.world.borrow().block.coinbase)
    }
}

/// Gas of eth_call: the RPC's cap, ten times a block.
const BLOCK_CALL_GAS: u64 = 10 * crate::transaction::BLOCK_GAS_LIMIT;
