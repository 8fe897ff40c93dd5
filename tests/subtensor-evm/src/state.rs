//! The interpreter's view of the chain, as the chain's own stack runner gives it: balances without the existential
//! deposit, transfers floored to rao, every account "exists", transient storage outside of any checkpoint.

use crate::{account::mapped, convert::rao, precompiles::Precompile, world::World};
use evm::{
    ExitError, Transfer,
    backend::{Backend, Basic, Log},
    executor::stack::{Accessed, StackState, StackSubstateMetadata},
};
use primitive_types::{H160, H256, U256};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

/// What a frame adds besides storage.
struct Substate<'c> {
    metadata: StackSubstateMetadata<'c>,
    deletes: BTreeSet<H160>,
    creates: BTreeSet<H160>,
    logs: Vec<Log>,
    parent: Option<Box<Substate<'c>>>,
}

impl<'c> Substate<'c> {
    fn new(metadata: StackSubstateMetadata<'c>) -> Self {
        Self { metadata, deletes: BTreeSet::new(), creates: BTreeSet::new(), logs: Vec::new(), parent: None }
    }

    fn any(&self, test: &dyn Fn(&Self) -> bool) -> bool {
        test(self) || self.parent.as_ref().is_some_and(|parent| parent.any(test))
    }

    fn accessed(&self, test: &dyn Fn(&Accessed) -> bool) -> bool {
        self.any(&|substate| substate.metadata.accessed().as_ref().is_some_and(test))
    }
}

/// One transaction's view of the world.
pub(crate) struct ChainState<'w, 'c> {
    world: &'w RefCell<World>,
    origin: H160,
    substate: Substate<'c>,
    /// Values before the transaction, of slots it has written. Not taken back by reverts: they stay true.
    original: BTreeMap<(H160, H256), H256>,
    /// Not taken back by reverts either (D6).
    transient: BTreeMap<(H160, H256), H256>,
}

impl<'w, 'c> ChainState<'w, 'c> {
    pub(crate) fn new(world: &'w RefCell<World>, origin: H160, metadata: StackSubstateMetadata<'c>) -> Self {
        let substate = Substate::new(metadata);
        Self { world, origin, substate, original: BTreeMap::new(), transient: BTreeMap::new() }
    }

    /// Logs of a finished transaction, and contracts that destroyed themselves.
    pub(crate) fn into_effects(self) -> (Vec<Log>, BTreeSet<H160>) {
        (self.substate.logs, self.substate.deletes)
    }

    fn leave(&mut self) -> Option<Substate<'c>> {
        let parent = self.substate.parent.take()?;
        Some(std::mem::replace(&mut self.substate, *parent))
    }
}

impl Backend for ChainState<'_, '_> {
    fn gas_price(&self) -> U256 {
        self.block_base_fee_per_gas()
    }
    fn origin(&self) -> H160 {
        self.origin
    }
    fn block_hash(&self, number: U256) -> H256 {
        self.world.borrow().block_hash(number)
    }
    fn block_number(&self) -> U256 {
        self.world.borrow().block.number.into()
    }
    fn block_coinbase(&self) -> H160 {
        self.world.borrow().block.coinbase
    }
    fn block_timestamp(&self) -> U256 {
        self.world.borrow().block.timestamp_secs.into()
    }
    fn block_difficulty(&self) -> U256 {
        U256::zero()
    }
    fn block_randomness(&self) -> Option<H256> {
        None
    }
    fn block_gas_limit(&self) -> U256 {
        crate::transaction::BLOCK_GAS_LIMIT.into()
    }
    fn block_base_fee_per_gas(&self) -> U256 {
        self.world.borrow().block.base_fee_wei.into()
    }
    fn chain_id(&self) -> U256 {
        self.world.borrow().block.chain_id.into()
    }

    fn exists(&self, _address: H160) -> bool {
        true
    }

    fn basic(&self, address: H160) -> Basic {
        let world = self.world.borrow();
        let id = mapped(address);
        let wei = U256::from(world.now.ledger.visible_rao(id)) * U256::from(crate::ledger::WEI_PER_RAO);
        Basic { balance: wei, nonce: world.now.ledger.account(id).nonce.into() }
    }

    fn code(&self, address: H160) -> Vec<u8> {
        self.world.borrow().code(address).to_vec()
    }

    fn storage(&self, address: H160, index: H256) -> H256 {
        let world = self.world.borrow();
        world.contract(address).and_then(|contract| contract.storage.get(&index)).copied().unwrap_or_default()
    }

    fn transient_storage(&self, address: H160, index: H256) -> H256 {
        self.transient.get(&(address, index)).copied().unwrap_or_default()
    }

    fn original_storage(&self, address: H160, index: H256) -> Option<H256> {
        Some(self.original.get(&(address, index)).copied().unwrap_or_else(|| self.storage(address, index)))
    }
}

impl<'c> StackState<'c> for ChainState<'_, 'c> {
    fn metadata(&self) -> &StackSubstateMetadata<'c> {
        &self.substate.metadata
    }

    fn metadata_mut(&mut self) -> &mut StackSubstateMetadata<'c> {
        &mut self.substate.metadata
    }

    fn enter(&mut self, gas_limit: u64, is_static: bool) {
        let entering = Substate::new(self.substate.metadata.spit_child(gas_limit, is_static));
        let parent = std::mem::replace(&mut self.substate, entering);
        self.substate.parent = Some(Box::new(parent));
        self.world.borrow_mut().save();
    }

    fn exit_commit(&mut self) -> Result<(), ExitError> {
        let mut child = self.leave().ok_or(ExitError::Other("no frame to leave".into()))?;
        self.world.borrow_mut().commit();
        self.substate.metadata.swallow_commit(child.metadata)?;
        self.substate.logs.append(&mut child.logs);
        self.substate.deletes.append(&mut child.deletes);
        self.substate.creates.append(&mut child.creates);
        Ok(())
    }

    fn exit_revert(&mut self) -> Result<(), ExitError> {
        let child = self.leave().ok_or(ExitError::Other("no frame to leave".into()))?;
        self.world.borrow_mut().restore();
        self.substate.metadata.swallow_revert(child.metadata)
    }

    fn exit_discard(&mut self) -> Result<(), ExitError> {
        let child = self.leave().ok_or(ExitError::Other("no frame to leave".into()))?;
        self.world.borrow_mut().restore();
        self.substate.metadata.swallow_discard(child.metadata)
    }

    fn is_empty(&self, address: H160) -> bool {
        let basic = self.basic(address);
        basic.balance.is_zero() && basic.nonce.is_zero() && self.world.borrow().code(address).is_empty()
    }

    fn deleted(&self, address: H160) -> bool {
        self.substate.any(&|substate| substate.deletes.contains(&address))
    }

    fn created(&self, address: H160) -> bool {
        self.substate.any(&|substate| substate.creates.contains(&address))
    }

    fn is_cold(&self, address: H160) -> bool {
        !self.substate.accessed(&|accessed| accessed.accessed_addresses.contains(&address))
    }

    fn is_storage_cold(&self, address: H160, key: H256) -> bool {
        !self.substate.accessed(&|accessed| accessed.accessed_storage.contains(&(address, key)))
    }

    fn inc_nonce(&mut self, address: H160) -> Result<(), ExitError> {
        self.world.borrow_mut().ledger().inc_nonce(mapped(address));
        Ok(())
    }

    fn set_storage(&mut self, address: H160, key: H256, value: H256) {
        let before = self.storage(address, key);
        if before != value {
            self.original.entry((address, key)).or_insert(before);
        }
        let mut world = self.world.borrow_mut();
        let storage = &mut world.contract_mut(address).storage;
        if value.is_zero() {
            storage.remove(&key);
        } else {
            storage.insert(key, value);
        }
    }

    fn set_transient_storage(&mut self, address: H160, key: H256, value: H256) {
        self.transient.insert((address, key), value);
    }

    fn reset_storage(&mut self, address: H160) {
        let mut world = self.world.borrow_mut();
        if world.contract(address).is_some() {
            world.contract_mut(address).storage.clear();
        }
    }

    fn log(&mut self, address: H160, topics: Vec<H256>, data: Vec<u8>) {
        self.substate.logs.push(Log { address, topics, data });
    }

    fn set_deleted(&mut self, address: H160) {
        self.substate.deletes.insert(address);
    }

    fn set_created(&mut self, address: H160) {
        self.substate.creates.insert(address);
    }

    fn set_code(&mut self, address: H160, code: Vec<u8>, _caller: Option<H160>) -> Result<(), ExitError> {
        self.world.borrow_mut().set_code(address, code);
        Ok(())
    }

    /// Moves whole rao only; the rest of the value is seen by the callee and moves nowhere (D3). AllowDeath (D4).
    fn transfer(&mut self, transfer: Transfer) -> Result<(), ExitError> {
        let (from, to) = (mapped(transfer.source), mapped(transfer.target));
        let mut world = self.world.borrow_mut();
        world.ledger().transfer(from, to, rao(transfer.value)).map_err(|_| ExitError::OutOfFund)
    }

    fn reset_balance(&mut self, _address: H160) {}

    fn touch(&mut self, _address: H160) {}

    /// A precompile answers 1 (D15), so that compilers' existence checks pass.
    fn code_size(&self, address: H160) -> U256 {
        if Precompile::at(address).is_some() { U256::one() } else { self.world.borrow().code(address).len().into() }
    }

    fn code_hash(&self, address: H160) -> H256 {
        H256(alloy_primitives::keccak256(self.world.borrow().code(address).as_slice()).0)
    }
}
