//! The chain's precompiles, one file each. See [`gas`] for what they cost.

mod address_mapping;
mod balance_transfer;
mod bn128;
mod dispatch;
mod ethereum;
pub mod gas;
mod metagraph;
mod modexp;
mod proxy;
mod signatures;
mod staking;
mod storage_query;
mod uid_lookup;
mod voting_power;

use crate::{
    convert::address,
    world::{Frame, World},
};
use alloy_sol_types::{Revert, SolError, SolInterface};
use evm::{
    ExitError, ExitRevert, ExitSucceed,
    executor::stack::{IsPrecompileResult, PrecompileFailure, PrecompileHandle, PrecompileOutput, PrecompileSet},
};
use primitive_types::H160;
use std::cell::RefCell;

pub use storage_query::twox64_concat;

/// Precompiles this harness knows, by address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precompile {
    /// 0x01
    EcRecover,
    /// 0x02
    Sha256,
    /// 0x03
    Ripemd160,
    /// 0x04
    Identity,
    /// 0x05
    Modexp,
    /// 0x06: any runtime call, where Ethereum adds points (D2)
    Dispatch,
    /// 0x07
    Bn128Mul,
    /// 0x08
    Bn128Pairing,
    /// 0x09: adds points, where Ethereum compresses blake2 (D2)
    Bn128Add,
    /// 0x402
    Ed25519Verify,
    /// 0x403
    Sr25519Verify,
    /// 0x800
    BalanceTransfer,
    /// 0x802
    Metagraph,
    /// 0x805
    Staking,
    /// 0x806
    UidLookup,
    /// 0x807
    StorageQuery,
    /// 0x80b
    Proxy,
    /// 0x80c
    AddressMapping,
    /// 0x80d
    VotingPower,
}

impl Precompile {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::EcRecover,
        Self::Sha256,
        Self::Ripemd160,
        Self::Identity,
        Self::Modexp,
        Self::Dispatch,
        Self::Bn128Mul,
        Self::Bn128Pairing,
        Self::Bn128Add,
        Self::Ed25519Verify,
        Self::Sr25519Verify,
        Self::BalanceTransfer,
        Self::Metagraph,
        Self::Staking,
        Self::UidLookup,
        Self::StorageQuery,
        Self::Proxy,
        Self::AddressMapping,
        Self::VotingPower,
    ];

    /// Where it is.
    pub fn address(self) -> alloy_primitives::Address {
        address(H160::from_low_u64_be(self.number()))
    }

    /// What is there, if anything.
    pub(crate) fn at(address: H160) -> Option<Self> {
        Self::ALL.into_iter().find(|precompile| H160::from_low_u64_be(precompile.number()) == address)
    }

    fn number(self) -> u64 {
        match self {
            Self::EcRecover => 1,
            Self::Sha256 => 2,
            Self::Ripemd160 => 3,
            Self::Identity => 4,
            Self::Modexp => 5,
            Self::Dispatch => 6,
            Self::Bn128Mul => 7,
            Self::Bn128Pairing => 8,
            Self::Bn128Add => 9,
            Self::Ed25519Verify => 0x402,
            Self::Sr25519Verify => 0x403,
            Self::BalanceTransfer => 0x800,
            Self::Metagraph => 0x802,
            Self::Staking => 0x805,
            Self::UidLookup => 0x806,
            Self::StorageQuery => 0x807,
            Self::Proxy => 0x80b,
            Self::AddressMapping => 0x80c,
            Self::VotingPower => 0x80d,
        }
    }

    /// Whether it acts as its caller: PR #3130 closed these to DELEGATECALL and CALLCODE.
    pub fn signs(self) -> bool {
        matches!(self, Self::Dispatch | Self::BalanceTransfer | Self::Staking | Self::Proxy)
    }

    /// Whether root's PrecompileEnable governs it.
    pub fn can_be_disabled(self) -> bool {
        self.number() >= Self::BalanceTransfer.number() && self != Self::StorageQuery
    }
}

/// The set the interpreter asks. It also writes down every frame that is entered.
pub(crate) struct Precompiles<'w>(pub(crate) &'w RefCell<World>);

impl PrecompileSet for Precompiles<'_> {
    fn execute(&self, handle: &mut impl PrecompileHandle) -> Option<PrecompileResult> {
        let (context, code) = (handle.context().clone(), handle.code_address());
        let frame = Frame { caller: address(context.caller), context: address(context.address), code: address(code) };
        self.0.borrow_mut().frames.push(frame);
        let precompile = Precompile::at(code)?;
        let world = self.0.borrow();
        let (disabled, open) = (world.disabled.contains(&precompile), world.delegatecall_open);
        drop(world);
        if disabled {
            return Some(Err(error(&format!("Precompile {precompile:?} is disabled"))));
        }
        if precompile.signs() && !open && context.address != code {
            return Some(Err(revert("Cannot be called with DELEGATECALL or CALLCODE")));
        }
        Some(run(precompile, self.0, handle))
    }

    fn is_precompile(&self, address: H160, _gas: u64) -> IsPrecompileResult {
        IsPrecompileResult::Answer { is_precompile: Precompile::at(address).is_some(), extra_cost: 0 }
    }
}

fn run(precompile: Precompile, world: &RefCell<World>, handle: &mut impl PrecompileHandle) -> PrecompileResult {
    match precompile {
        Precompile::EcRecover => ethereum::ecrecover(handle),
        Precompile::Sha256 => ethereum::sha256(handle),
        Precompile::Ripemd160 => ethereum::ripemd160(handle),
        Precompile::Identity => ethereum::identity(handle),
        Precompile::Modexp => modexp::modexp(handle),
        Precompile::Dispatch => dispatch::execute(world, handle),
        Precompile::Bn128Mul => bn128::mul(handle),
        Precompile::Bn128Pairing => bn128::pairing(handle),
        Precompile::Bn128Add => bn128::add(handle),
        Precompile::Ed25519Verify => signatures::ed25519(handle),
        Precompile::Sr25519Verify => signatures::sr25519(handle),
        Precompile::BalanceTransfer => balance_transfer::execute(world, handle),
        Precompile::Metagraph => metagraph::execute(world, handle),
        Precompile::Staking => staking::execute(world, handle),
        Precompile::UidLookup => uid_lookup::execute(world, handle),
        Precompile::StorageQuery => storage_query::execute(world, handle),
        Precompile::Proxy => proxy::execute(world, handle),
        Precompile::AddressMapping => address_mapping::execute(handle),
        Precompile::VotingPower => voting_power::execute(world, handle),
    }
}

/* WHAT THEY SHARE */

type PrecompileResult = Result<PrecompileOutput, PrecompileFailure>;

/// Fails and keeps all gas forwarded (D5).
fn error(what: &str) -> PrecompileFailure {
    PrecompileFailure::Error { exit_status: ExitError::Other(what.to_string().into()) }
}

/// Fails like `revert(what)`: gas comes back.
fn revert(what: &str) -> PrecompileFailure {
    PrecompileFailure::Revert { exit_status: ExitRevert::Reverted, output: Revert::from(what).abi_encode() }
}

fn output(output: Vec<u8>) -> PrecompileResult {
    Ok(PrecompileOutput { exit_status: ExitSucceed::Returned, output })
}

/// Decodes a call of a Solidity interface; anything else reverts.
fn decode<I: SolInterface>(handle: &impl PrecompileHandle) -> Result<I, PrecompileFailure> {
    I::abi_decode_validate(handle.input()).map_err(|_| revert("Unknown selector or bad arguments"))
}

/// How a function may be called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    View,
    NonPayable,
    Payable,
}

fn check_access(handle: &impl PrecompileHandle, access: Access) -> Result<(), PrecompileFailure> {
    if handle.is_static() && access != Access::View {
        return Err(revert("Can't call non-static function in static context"));
    }
    if access != Access::Payable && !handle.context().apparent_value.is_zero() {
        return Err(revert("Function is not payable"));
    }
    Ok(())
}

/// Runs a runtime call that needs `needed` gas forwarded and costs `charged`. Whatever goes wrong keeps all gas.
fn dispatch_runtime_call<E: std::fmt::Display>(
    handle: &mut impl PrecompileHandle,
    gas::Dispatched { needed, charged }: gas::Dispatched,
    call: impl FnOnce() -> Result<(), E>,
) -> Result<(), PrecompileFailure> {
    if handle.gas_limit().is_some_and(|limit| limit < needed) {
        return Err(ExitError::OutOfGas.into());
    }
    call().map_err(|e| error(&format!("dispatch execution failed: {e}")))?;
    Ok(handle.record_cost(charged)?)
}
