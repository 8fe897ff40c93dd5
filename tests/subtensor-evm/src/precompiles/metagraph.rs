//! 0x802: the metagraph. An absent uid keeps all forwarded gas.

use super::{Access, PrecompileResult, check_access, decode, error, gas, output};
use crate::{account::AccountId, precompiles::metagraph::IMetagraph::IMetagraphCalls, subnet::Neuron, world::World};
use alloy_sol_types::SolValue;
use evm::executor::stack::{PrecompileFailure, PrecompileHandle};
use std::cell::RefCell;

alloy_sol_types::sol! {
    interface IMetagraph {
        function getUidCount(uint16 netuid) external view returns (uint16);
        function getHotkey(uint16 netuid, uint16 uid) external view returns (bytes32);
        function getColdkey(uint16 netuid, uint16 uid) external view returns (bytes32);
    }
}

pub(super) fn execute(world: &RefCell<World>, handle: &mut impl PrecompileHandle) -> PrecompileResult {
    let call: IMetagraphCalls = decode(handle)?;
    check_access(handle, Access::View)?;
    handle.record_cost(gas::READ)?;
    let world = world.borrow();
    match call {
        IMetagraphCalls::getUidCount(call) => {
            let count = world.now.subnets.get(&call.netuid).map_or(0, |subnet| subnet.neurons.len());
            output(alloy_primitives::U256::from(count).abi_encode())
        }
        IMetagraphCalls::getHotkey(call) => output(neuron(&world, call.netuid, call.uid)?.hotkey.0.to_vec()),
        IMetagraphCalls::getColdkey(call) => {
            handle.record_cost(gas::READ)?;
            let hotkey = neuron(&world, call.netuid, call.uid)?.hotkey;
            let owner = world.now.owners.get(&hotkey).copied().unwrap_or(AccountId([0; 32]));
            output(owner.0.to_vec())
        }
    }
}

fn neuron(world: &World, netuid: u16, uid: u16) -> Result<Neuron, PrecompileFailure> {
    let subnet = world.now.subnets.get(&netuid);
    let seat = subnet.and_then(|subnet| subnet.neurons.get(&uid)).copied();
    seat.ok_or_else(|| error("InvalidRange: no such uid"))
}
