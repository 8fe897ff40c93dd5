//! 0x805: stake. Amounts are rao and alpha-rao; the call's value is ignored and stranded; wanting more than there is
//! takes all there is, silently.

use super::{Access, PrecompileResult, check_access, decode, dispatch_runtime_call, gas, output, revert};
use crate::{
    account::{AccountId, mapped},
    convert::{h160, u256, word},
    precompiles::staking::IStaking::IStakingCalls,
    staking::{NOMINATOR_MIN_STAKE_RAO, Position},
    world::World,
};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolValue;
use evm::executor::stack::{PrecompileFailure, PrecompileHandle};
use primitive_types::H160;
use std::cell::RefCell;

alloy_sol_types::sol! {
    interface IStaking {
        function addStake(bytes32 hotkey, uint256 amount, uint256 netuid) external payable;
        function removeStake(bytes32 hotkey, uint256 amount, uint256 netuid) external payable;
        function moveStake(bytes32 from, bytes32 to, uint256 fromNet, uint256 toNet, uint256 amount) external payable;
        function transferStake(bytes32 coldkey, bytes32 hotkey, uint256 fromNet, uint256 toNet, uint256 amount)
            external payable;
        function burnAlpha(bytes32 hotkey, uint256 amount, uint256 netuid) external payable;
        function approve(address spender, uint256 netuid, uint256 amount) external;
        function increaseAllowance(address spender, uint256 netuid, uint256 amount) external;
        function decreaseAllowance(address spender, uint256 netuid, uint256 amount) external;
        function transferStakeFrom(
            address source, address destination, bytes32 hotkey, uint256 fromNet, uint256 toNet, uint256 amount
        ) external;
        function allowance(address owner, address spender, uint256 netuid) external view returns (uint256);
        function getStake(bytes32 hotkey, bytes32 coldkey, uint256 netuid) external view returns (uint256);
        function getTotalAlphaStaked(bytes32 hotkey, uint256 netuid) external view returns (uint256);
        function getNominatorMinRequiredStake() external view returns (uint256);
    }
}

pub(super) fn execute(world: &RefCell<World>, handle: &mut impl PrecompileHandle) -> PrecompileResult {
    let call: IStakingCalls = decode(handle)?;
    check_access(handle, access(&call))?;
    match call {
        IStakingCalls::allowance(_)
        | IStakingCalls::getStake(_)
        | IStakingCalls::getTotalAlphaStaked(_)
        | IStakingCalls::getNominatorMinRequiredStake(_) => view(&world.borrow(), handle, call),
        IStakingCalls::approve(_) | IStakingCalls::increaseAllowance(_) | IStakingCalls::decreaseAllowance(_) => {
            allow(world, handle, call)
        }
        _ => stake(world, handle, call),
    }
}

fn access(call: &IStakingCalls) -> Access {
    match call {
        IStakingCalls::allowance(_)
        | IStakingCalls::getStake(_)
        | IStakingCalls::getTotalAlphaStaked(_)
        | IStakingCalls::getNominatorMinRequiredStake(_) => Access::View,
        IStakingCalls::approve(_)
        | IStakingCalls::increaseAllowance(_)
        | IStakingCalls::decreaseAllowance(_)
        | IStakingCalls::transferStakeFrom(_) => Access::NonPayable,
        _ => Access::Payable,
    }
}

fn view(world: &World, handle: &mut impl PrecompileHandle, call: IStakingCalls) -> PrecompileResult {
    let (reads, answer) = match call {
        IStakingCalls::allowance(call) => {
            let netuid = netuid(call.netuid)?;
            (2, word(world.allowance(h160(call.owner), h160(call.spender), netuid)))
        }
        IStakingCalls::getStake(call) => {
            let (hotkey, coldkey) = (AccountId::from(call.hotkey), AccountId::from(call.coldkey));
            (2, U256::from(world.now.stakes.alpha(netuid(call.netuid)?, hotkey, coldkey)))
        }
        IStakingCalls::getTotalAlphaStaked(call) => {
            (1, U256::from(world.now.stakes.total_alpha(netuid(call.netuid)?, AccountId::from(call.hotkey))))
        }
        _ => (1, U256::from(NOMINATOR_MIN_STAKE_RAO)),
    };
    handle.record_cost(gas::READ * reads)?;
    output(answer.abi_encode())
}

fn allow(world: &RefCell<World>, handle: &mut impl PrecompileHandle, call: IStakingCalls) -> PrecompileResult {
    let owner = handle.context().caller;
    let current = |spender: Address, netuid: u16| word(world.borrow().allowance(owner, h160(spender), netuid));
    let (reads, spender, netuid, amount) = match call {
        IStakingCalls::approve(call) => (1, call.spender, netuid(call.netuid)?, call.amount),
        IStakingCalls::increaseAllowance(call) => {
            let netuid = netuid(call.netuid)?;
            (2, call.spender, netuid, current(call.spender, netuid).saturating_add(call.amount))
        }
        IStakingCalls::decreaseAllowance(call) => {
            let netuid = netuid(call.netuid)?;
            (2, call.spender, netuid, current(call.spender, netuid).saturating_sub(call.amount))
        }
        _ => return Err(revert("not an allowance")),
    };
    handle.record_cost(gas::READ * reads + gas::WRITE)?;
    world.borrow_mut().set_allowance(owner, h160(spender), netuid, u256(amount));
    output(Vec::new())
}

fn stake(world: &RefCell<World>, handle: &mut impl PrecompileHandle, call: IStakingCalls) -> PrecompileResult {
    let me = mapped(handle.context().caller);
    match call {
        IStakingCalls::addStake(c) => {
            let (hotkey, netuid, rao) = (AccountId::from(c.hotkey), netuid(c.netuid)?, saturated(c.amount));
            dispatch_runtime_call(handle, gas::ADD_STAKE, || world.borrow_mut().market().add(me, hotkey, netuid, rao))?;
        }
        IStakingCalls::removeStake(c) => {
            let (hotkey, netuid, alpha) = (AccountId::from(c.hotkey), netuid(c.netuid)?, saturated(c.amount));
            let remove = || world.borrow_mut().market().remove(me, hotkey, netuid, alpha);
            dispatch_runtime_call(handle, gas::REMOVE_STAKE, remove)?;
        }
        IStakingCalls::burnAlpha(c) => {
            let (hotkey, netuid, alpha) = (AccountId::from(c.hotkey), netuid(c.netuid)?, saturated(c.amount));
            let burn = || world.borrow_mut().market().burn(me, hotkey, netuid, alpha);
            dispatch_runtime_call(handle, gas::BURN_ALPHA, burn)?;
        }
        IStakingCalls::moveStake(c) => {
            let from = (netuid(c.fromNet)?, AccountId::from(c.from), me);
            shift(world, handle, gas::MOVE_STAKE, from, (netuid(c.toNet)?, c.to.into(), me), c.amount)?;
        }
        IStakingCalls::transferStake(c) => {
            let from = (netuid(c.fromNet)?, AccountId::from(c.hotkey), me);
            let to = (netuid(c.toNet)?, AccountId::from(c.hotkey), AccountId::from(c.coldkey));
            shift(world, handle, gas::TRANSFER_STAKE, from, to, c.amount)?;
        }
        IStakingCalls::transferStakeFrom(c) => {
            let from = (netuid(c.fromNet)?, AccountId::from(c.hotkey), AccountId::of(c.source));
            let to = (netuid(c.toNet)?, AccountId::from(c.hotkey), AccountId::of(c.destination));
            consume_allowance(world, handle, h160(c.source), from.0, c.amount)?;
            shift(world, handle, gas::TRANSFER_STAKE, from, to, c.amount)?;
        }
        _ => return Err(revert("not a staking call")),
    }
    output(Vec::new())
}

fn shift(
    world: &RefCell<World>,
    handle: &mut impl PrecompileHandle,
    price: gas::Dispatched,
    from: Position,
    to: Position,
    amount: U256,
) -> Result<(), PrecompileFailure> {
    dispatch_runtime_call(handle, price, || world.borrow_mut().market().shift(from, to, saturated(amount)))
}

/// The whole amount asked for is consumed, even where less is moved.
fn consume_allowance(
    world: &RefCell<World>,
    handle: &mut impl PrecompileHandle,
    owner: H160,
    netuid: u16,
    amount: U256,
) -> Result<(), PrecompileFailure> {
    if amount.is_zero() {
        return Ok(());
    }
    handle.record_cost(gas::READ * 2 + gas::WRITE)?;
    let spender = handle.context().caller;
    let allowed = word(world.borrow().allowance(owner, spender, netuid));
    let left = allowed.checked_sub(amount).ok_or_else(|| revert("trying to spend more than allowed"))?;
    world.borrow_mut().set_allowance(owner, spender, netuid, u256(left));
    Ok(())
}

fn netuid(value: U256) -> Result<u16, PrecompileFailure> {
    u16::try_from(value).map_err(|_| super::error("netuid does not fit 16 bits"))
}

fn saturated(value: U256) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// Allowances are void once a netuid has been registered anew.
impl World {
    fn generation(&self, netuid: u16) -> u64 {
        self.now.subnets.get(&netuid).map_or(0, |subnet| subnet.generation)
    }

    fn allowance(&self, owner: H160, spender: H160, netuid: u16) -> primitive_types::U256 {
        self.now.stakes.allowance(owner, spender, netuid, self.generation(netuid))
    }

    fn set_allowance(&mut self, owner: H160, spender: H160, netuid: u16, amount: primitive_types::U256) {
        let generation = self.generation(netuid);
        self.stakes().set_allowance(owner, spender, netuid, generation, amount);
    }
}
