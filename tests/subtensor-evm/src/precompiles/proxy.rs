//! 0x80b: proxies. A proxy of type 0 (Any) may do everything for the account, for ever.

use super::{Access, PrecompileResult, check_access, decode, dispatch, dispatch_runtime_call, error, gas, output};
use crate::{
    account::{AccountId, mapped},
    precompiles::proxy::IProxy::IProxyCalls,
    runtime_call::RuntimeCall,
    world::{ProxyRight, World},
};
use alloy_primitives::{B256, U256};
use alloy_sol_types::SolValue;
use evm::executor::stack::PrecompileHandle;
use std::cell::RefCell;

alloy_sol_types::sol! {
    struct ProxyInfo {
        bytes32 delegate;
        uint256 proxyType;
        uint256 delay;
    }

    interface IProxy {
        function proxyCall(bytes32 real, uint8[] memory forceProxyType, uint8[] memory call) external;
        function addProxy(bytes32 delegate, uint8 proxyType, uint32 delay) external;
        function removeProxy(bytes32 delegate, uint8 proxyType, uint32 delay) external;
        function getProxies(bytes32 account) external view returns (ProxyInfo[] memory);
    }
}

pub(super) fn execute(world: &RefCell<World>, handle: &mut impl PrecompileHandle) -> PrecompileResult {
    let call: IProxyCalls = decode(handle)?;
    let is_view = matches!(call, IProxyCalls::getProxies(_));
    check_access(handle, if is_view { Access::View } else { Access::NonPayable })?;
    let origin = mapped(handle.context().caller);
    let call = match call {
        IProxyCalls::getProxies(call) => {
            handle.record_cost(gas::READ)?;
            return output(proxies(&world.borrow(), call.account).abi_encode());
        }
        IProxyCalls::addProxy(call) => RuntimeCall::AddProxy(right(call.delegate, call.proxyType, call.delay)),
        IProxyCalls::removeProxy(call) => RuntimeCall::RemoveProxy(right(call.delegate, call.proxyType, call.delay)),
        IProxyCalls::proxyCall(call) => {
            let inner = RuntimeCall::decode(&call.call);
            let inner = inner.ok_or_else(|| error("The raw call data not correctly encoded"))?;
            RuntimeCall::Proxy { real: AccountId::from(call.real), call: Box::new(inner) }
        }
    };
    dispatch_runtime_call(handle, dispatch::price(&call), || call.run(&mut world.borrow_mut(), origin))?;
    output(Vec::new())
}

fn right(delegate: B256, proxy_type: u8, delay: u32) -> ProxyRight {
    ProxyRight { delegate: AccountId::from(delegate), proxy_type, delay }
}

fn proxies(world: &World, account: B256) -> Vec<ProxyInfo> {
    let rights = world.now.proxies.get(&AccountId::from(account)).cloned().unwrap_or_default();
    let info = |r: ProxyRight| ProxyInfo {
        delegate: r.delegate.to_b256(),
        proxyType: U256::from(r.proxy_type),
        delay: U256::from(r.delay),
    };
    rights.into_iter().map(info).collect()
}
