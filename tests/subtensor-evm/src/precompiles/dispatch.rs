//! 0x06: runs any runtime call as its caller, static context or not (D1, D2).

use super::{PrecompileResult, dispatch_runtime_call, error, gas, output};
use crate::{account::mapped, runtime_call::RuntimeCall, world::World};
use evm::executor::stack::PrecompileHandle;
use std::cell::RefCell;

pub(super) fn execute(world: &RefCell<World>, handle: &mut impl PrecompileHandle) -> PrecompileResult {
    let call = RuntimeCall::decode(handle.input()).ok_or_else(|| error("decode failed"))?;
    let origin = mapped(handle.context().caller);
    dispatch_runtime_call(handle, price(&call), || call.run(&mut world.borrow_mut(), origin))?;
    output(Vec::new())
}

/// The call's price, and those of what it carries.
pub(super) fn price(call: &RuntimeCall) -> gas::Dispatched {
    match call {
        RuntimeCall::Transfer { .. } | RuntimeCall::EvmCall => gas::TRANSFER,
        RuntimeCall::Burn { .. } => gas::BURN,
        RuntimeCall::AddStake { .. } => gas::ADD_STAKE,
        RuntimeCall::TransferStake { .. } => gas::TRANSFER_STAKE,
        RuntimeCall::AddProxy(_) | RuntimeCall::RemoveProxy(_) => gas::ADD_PROXY,
        RuntimeCall::Proxy { call, .. } => {
            let inner = price(call);
            gas::Dispatched { needed: gas::PROXY.needed + inner.needed, charged: gas::PROXY.charged + inner.charged }
        }
    }
}
