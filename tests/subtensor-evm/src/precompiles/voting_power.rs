//! 0x80d: validators' voting power on a subnet.

use super::{Access, PrecompileResult, check_access, decode, gas, output};
use crate::{account::AccountId, precompiles::voting_power::IVotingPower::IVotingPowerCalls, world::World};
use alloy_primitives::U256;
use alloy_sol_types::SolValue;
use evm::executor::stack::PrecompileHandle;
use std::cell::RefCell;

alloy_sol_types::sol! {
    interface IVotingPower {
        function getVotingPower(uint16 netuid, bytes32 hotkey) external view returns (uint256);
        function getTotalVotingPower(uint16 netuid) external view returns (uint256);
        function isVotingPowerTrackingEnabled(uint16 netuid) external view returns (bool);
        function getVotingPowerDisableAtBlock(uint16 netuid) external view returns (uint64);
        function getVotingPowerEmaAlpha(uint16 netuid) external view returns (uint64);
    }
}

pub(super) fn execute(world: &RefCell<World>, handle: &mut impl PrecompileHandle) -> PrecompileResult {
    let call: IVotingPowerCalls = decode(handle)?;
    check_access(handle, Access::View)?;
    let world = world.borrow();
    let voting = |netuid: u16| world.now.subnets.get(&netuid).cloned().unwrap_or_default().voting;
    let (reads, answer) = match call {
        IVotingPowerCalls::getVotingPower(call) => {
            let power = voting(call.netuid).power.get(&AccountId::from(call.hotkey)).copied();
            (1, U256::from(power.unwrap_or(0)))
        }
        IVotingPowerCalls::getTotalVotingPower(call) => {
            let power = voting(call.netuid).power;
            let total = power.values().fold(0u64, |sum, power| sum.saturating_add(*power));
            (power.len(), U256::from(total)) // one read for each entry, none for none
        }
        IVotingPowerCalls::isVotingPowerTrackingEnabled(call) => (1, U256::from(voting(call.netuid).tracking)),
        IVotingPowerCalls::getVotingPowerDisableAtBlock(call) => (1, U256::from(voting(call.netuid).disable_at_block)),
        IVotingPowerCalls::getVotingPowerEmaAlpha(call) => (1, U256::from(voting(call.netuid).ema_alpha)),
    };
    handle.record_cost(gas::READ * reads as u64)?;
    output(answer.abi_encode())
}
