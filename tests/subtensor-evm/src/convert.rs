//! Between the interpreter's integers and alloy's.

use alloy_primitives::{Address, B256, U256};
use primitive_types as evm;

pub(crate) fn address(h: evm::H160) -> Address {
    Address::from(h.0)
}

pub(crate) fn h160(a: Address) -> evm::H160 {
    evm::H160(a.into_array())
}

pub(crate) fn b256(h: evm::H256) -> B256 {
    B256::from(h.0)
}

pub(crate) fn h256(b: B256) -> evm::H256 {
    evm::H256(b.0)
}

pub(crate) fn word(u: evm::U256) -> U256 {
    U256::from_limbs(u.0)
}

pub(crate) fn u256(u: U256) -> evm::U256 {
    evm::U256(u.into_limbs())
}

/// wei to rao, rounded down as the chain does; more than 64 bits hold saturates.
pub(crate) fn rao(wei: evm::U256) -> u64 {
    let whole = wei / evm::U256::from(crate::ledger::WEI_PER_RAO);
    if whole.bits() > 64 { u64::MAX } else { whole.low_u64() }
}
