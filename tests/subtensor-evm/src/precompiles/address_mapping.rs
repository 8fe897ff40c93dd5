//! 0x80c: the account id of an EVM address. Free.

use super::{Access, PrecompileResult, check_access, decode, output};
use crate::{account::AccountId, precompiles::address_mapping::IAddressMapping::IAddressMappingCalls};
use evm::executor::stack::PrecompileHandle;

alloy_sol_types::sol! {
    interface IAddressMapping {
        function addressMapping(address target) external view returns (bytes32);
    }
}

pub(super) fn execute(handle: &mut impl PrecompileHandle) -> PrecompileResult {
    let IAddressMappingCalls::addressMapping(call) = decode(handle)?;
    check_access(handle, Access::View)?;
    output(AccountId::of(call.target).0.to_vec())
}
