//! A chain to run the shipped Wasm on: frame-system, balances, timestamp and pallet-contracts as Subtensor configures
//! them (deposits, call depth, 64-bit balances; code of 123 KiB, not 128, for the default schedule's memory), and for
//! its chain extension the model of stake, which is kept in the chain's own storage so that a reverted call reverts it
//! too.
//!
//! What is real: upload checks, instantiation, the interpreter, gas, storage deposits, reverts, hashing, recovery,
//! payments. What is not: Subtensor's stake, its extension's weights, and the version of pallet-contracts (the newest
//! published, not the one that Subtensor pins).

use alpha_model::{Account, Chain};
use frame_support::traits::{ConstBool, ConstU64};
use frame_support::{derive_impl, parameter_types};
use pallet_contracts::chain_extension::{ChainExtension, Environment, Ext, InitState, RetVal};
use pallet_contracts::{Frame, Schedule};
use parity_scale_codec::Encode;
use sp_runtime::traits::{Convert, IdentityLookup};
use sp_runtime::{AccountId32, DispatchError, Perbill, Weight};

type Block = frame_system::mocking::MockBlock<Runtime>;

frame_support::construct_runtime!(
    pub enum Runtime {
        System: frame_system,
        Balances: pallet_balances,
        Timestamp: pallet_timestamp,
        Contracts: pallet_contracts,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Runtime {
    type Block = Block;
    type AccountId = AccountId32;
    type Lookup = IdentityLookup<Self::AccountId>;
    type AccountData = pallet_balances::AccountData<u64>;
}

/// Subtensor's existential deposit, in rao.
pub const EXISTENTIAL: u64 = 500;

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Runtime {
    type ExistentialDeposit = ConstU64<EXISTENTIAL>;
    type AccountStore = System;
}

#[derive_impl(pallet_timestamp::config_preludes::TestDefaultConfig)]
impl pallet_timestamp::Config for Runtime {}

parameter_types! {
    pub Limits: Schedule<Runtime> = Schedule::<Runtime>::default();
    pub const LockupPercent: Perbill = Perbill::from_percent(30);
}

/// Weight costs nothing: what it would cost is the chain's matter, how much it is the test's.
pub struct Free;

impl Convert<Weight, u64> for Free {
    fn convert(_: Weight) -> u64 {
        0
    }
}

#[derive_impl(pallet_contracts::config_preludes::TestDefaultConfig)]
impl pallet_contracts::Config for Runtime {
    type Time = Timestamp;
    type Currency = Balances;
    type CallStack = [Frame<Self>; 5];
    type Schedule = Limits;
    type ChainExtension = Stake;
    type DepositPerItem = ConstU64<75>;
    type DepositPerByte = ConstU64<30>;
    type DefaultDepositLimit = ConstU64<31_534_080>;
    type CodeHashLockupDepositPercent = LockupPercent;
    type UnsafeUnstableInterface = ConstBool<false>;
    type WeightPrice = Free;
}

const MODEL: &[u8] = b":alpha-model:";

/// The model of stake, as it is in the chain's storage.
pub fn model() -> Chain {
    frame_support::storage::unhashed::get(MODEL).unwrap_or_else(|| Chain::new(0, [0; 32], &[]))
}

/// Changes the model of stake.
pub fn change_model<T>(change: impl FnOnce(&mut Chain) -> T) -> T {
    let mut chain = model();
    let result = change(&mut chain);
    frame_support::storage::unhashed::put(MODEL, &chain);
    result
}

/// Subtensor's chain extension, answered by the model.
#[derive(Default)]
pub struct Stake;

impl ChainExtension<Runtime> for Stake {
    fn call<E: Ext<T = Runtime>>(&mut self, env: Environment<'_, '_, E, InitState>) -> Result<RetVal, DispatchError> {
        let mut env = env.buf_in_buf_out();
        let function = env.func_id();
        let input = env.read(env.in_len())?;
        let contract: Account = env.ext().address().clone().into();
        let caller: Account = env.ext().caller().account_id()?.clone().into();
        let (code, output) = change_model(|chain| {
            chain.contract = contract;
            chain.caller = caller;
            chain.call(function, &input)
        });
        if code == 0 {
            env.write(&output, false, None)?;
        }
        Ok(RetVal::Converging(code))
    }
}

/// Arguments of a message after its selector, the first four bytes of its name's hash.
pub fn message(name: &str, arguments: &impl Encode) -> Vec<u8> {
    let hash = sp_io::hashing::blake2_256(name.as_bytes());
    let mut data = hash.get(..4).unwrap_or_default().to_vec();
    arguments.encode_to(&mut data);
    data
}
