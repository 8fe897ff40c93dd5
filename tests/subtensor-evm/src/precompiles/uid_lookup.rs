//! 0x806: the uids an EVM address is associated with. `limit` bounds the entries *scanned*, and is paid for in full.

use super::{Access, PrecompileResult, check_access, decode, gas, output, storage_query::twox64_concat};
use crate::{convert::h160, precompiles::uid_lookup::IUidLookup::IUidLookupCalls, world::World};
use alloy_sol_types::SolValue;
use evm::executor::stack::PrecompileHandle;
use std::cell::RefCell;

alloy_sol_types::sol! {
    struct LookupItem {
        uint16 uid;
        uint64 blockAssociated;
    }

    interface IUidLookup {
        function uidLookup(uint16 netuid, address evmAddress, uint16 limit) external view returns (LookupItem[] memory);
    }
}

pub(super) fn execute(world: &RefCell<World>, handle: &mut impl PrecompileHandle) -> PrecompileResult {
    let IUidLookupCalls::uidLookup(call) = decode(handle)?;
    check_access(handle, Access::View)?;
    handle.record_cost(gas::READ * u64::from(call.limit))?;
    let world = world.borrow();
    let subnet = world.now.subnets.get(&call.netuid);
    let mut entries: Vec<_> = subnet.into_iter().flat_map(|subnet| &subnet.associations).collect();
    // Maps are walked in the order of their keys' hashes.
    entries.sort_by_key(|(uid, _)| twox64_concat(&uid.to_le_bytes()));
    let scanned = entries.into_iter().take(usize::from(call.limit));
    let mine = scanned.filter(|(_, association)| association.address == h160(call.evmAddress));
    let found: Vec<_> = mine.map(|(uid, a)| LookupItem { uid: *uid, blockAssociated: a.block }).collect();
    output(found.abi_encode())
}
