//! Short words for tests.

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolCall;
use surety_subtensor_evm::{AccountId, Chain, Outcome, Precompile, Tx, ledger::WEI_PER_RAO};

/// One TAO, in rao.
pub const TAO: u64 = 1_000_000_000;
/// The subnet everything is on.
pub const NETUID: u16 = 2;

/// An address by name.
pub fn addr(name: &str) -> Address {
    Address::from_word(keccak256(name))
}

/// A native account by name: its key is somebody's.
pub fn native(name: &str) -> AccountId {
    AccountId(keccak256(name).0)
}

/// rao, in wei.
pub fn wei(rao: u64) -> U256 {
    U256::from(rao) * U256::from(WEI_PER_RAO)
}

/// A chain with these accounts owning 1,000 TAO each.
pub fn chain(rich: &[Address]) -> Chain {
    let mut chain = Chain::new();
    chain.register_subnet(NETUID);
    for account in rich {
        chain.fund(*account, 1_000 * TAO).unwrap();
    }
    chain
}

/// Deploys; the test fails if that fails.
pub fn deploy(chain: &mut Chain, from: Address, code: impl Into<alloy_primitives::Bytes>, rao: u64) -> Address {
    let outcome = chain.deploy(from, code, wei(rao)).unwrap();
    outcome.created.unwrap_or_else(|| panic!("deployment failed: {outcome:?}"))
}

/// Sends a call, whatever comes of it.
pub fn send(chain: &mut Chain, from: Address, to: Address, call: impl SolCall, rao: u64) -> Outcome {
    chain.send(&Tx::call(from, to, call.abi_encode()).value(wei(rao)).gas(30_000_000)).unwrap()
}

/// Sends a call that succeeds, and decodes what it returned.
pub fn ok<C: SolCall>(chain: &mut Chain, from: Address, to: Address, call: C, rao: u64) -> C::Return {
    let outcome = send(chain, from, to, call, rao);
    assert!(outcome.succeeded(), "{}: {outcome:?}", C::SIGNATURE);
    C::abi_decode_returns(&outcome.output).unwrap()
}

/// Reads.
pub fn view<C: SolCall>(chain: &Chain, to: Address, call: C) -> C::Return {
    let outcome = chain.call(Address::ZERO, to, call.abi_encode());
    assert!(outcome.succeeded(), "{}: {outcome:?}", C::SIGNATURE);
    C::abi_decode_returns(&outcome.output).unwrap()
}

/// Where a precompile is.
pub fn at(precompile: Precompile) -> Address {
    precompile.address()
}

/// A word by name.
pub fn word(name: &str) -> B256 {
    keccak256(name)
}
