//! 0x800: moves the call's value, in whole rao, from the precompile's own account to an account id. By then the EVM
//! has moved it from the caller to the precompile. No code of the receiver runs.

use super::{Access, PrecompileResult, check_access, decode, dispatch_runtime_call, gas, output};
use crate::{
    account::{AccountId, mapped},
    convert::rao,
    precompiles::balance_transfer::IBalanceTransfer::IBalanceTransferCalls,
    world::World,
};
use evm::executor::stack::PrecompileHandle;
use primitive_types::H160;
use std::cell::RefCell;

alloy_sol_types::sol! {
    interface IBalanceTransfer {
        function transfer(bytes32 destination) external payable;
    }
}

pub(super) fn execute(world: &RefCell<World>, handle: &mut impl PrecompileHandle) -> PrecompileResult {
    let IBalanceTransferCalls::transfer(call) = decode(handle)?;
    check_access(handle, Access::Payable)?;
    let rao = rao(handle.context().apparent_value);
    if rao > 0 {
        // The precompile's own account pays, whoever called: under DELEGATECALL that is not who sent the value.
        let from = mapped(H160::from_low_u64_be(0x800));
        let to = AccountId::from(call.destination);
        dispatch_runtime_call(handle, gas::TRANSFER, || world.borrow_mut().ledger().transfer(from, to, rao))?;
    }
    output(Vec::new())
}
