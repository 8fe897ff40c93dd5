//! Whole transactions: what the pool refuses, what gas costs, what is left behind.

use crate::{
    account::mapped,
    convert::{address, b256, h160, h256, rao, u256},
    ledger::{Ledger, WEI_PER_RAO},
    precompiles::Precompiles,
    state::ChainState,
    world::World,
};
use alloy_primitives::{Address, B256, Bytes, Log, U256};
use evm::{
    Config, ExitError, ExitReason, ExitSucceed,
    executor::stack::{StackExecutor, StackSubstateMetadata},
};
use primitive_types::H160;
use std::cell::RefCell;

/// A block's gas. Source: the runtime's constant.
pub const BLOCK_GAS_LIMIT: u64 = 75_000_000;
/// Highest gas limit a transaction was seen to be accepted with (measured: the rest of a block is not for users).
pub const TRANSACTION_GAS_LIMIT: u64 = 64_998_310;
/// Intrinsic gas, as on Ethereum. There is no floor for calldata (EIP-7623).
const INTRINSIC_GAS: u64 = 21_000;

static PECTRA: Config = Config::pectra();

/// Lets `authority`'s account run the code at `delegate` (EIP-7702). The signature is taken as checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authorization {
    /// Whose account.
    pub authority: Address,
    /// Whose code; zero takes the delegation back.
    pub delegate: Address,
    /// The authority's nonce.
    pub nonce: u64,
}

/// A transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tx {
    /// Sender.
    pub from: Address,
    /// Receiver; none creates a contract.
    pub to: Option<Address>,
    /// Value in wei.
    pub value: U256,
    /// Calldata or creation code.
    pub data: Bytes,
    /// Gas limit.
    pub gas_limit: u64,
    /// Most the sender would pay for a gas, in wei. What is paid is the base fee.
    pub max_fee_per_gas: U256,
    /// Tip in wei: ignored by the chain.
    pub max_priority_fee_per_gas: U256,
    /// Nonce; none is the account's present one.
    pub nonce: Option<u64>,
    /// Delegations (EIP-7702).
    pub authorizations: Vec<Authorization>,
}

impl Tx {
    /// A call with ten million gas at twice the floor of the base fee.
    pub fn call(from: Address, to: Address, data: impl Into<Bytes>) -> Self {
        Self {
            from,
            to: Some(to),
            value: U256::ZERO,
            data: data.into(),
            gas_limit: 10_000_000,
            max_fee_per_gas: U256::from(20 * WEI_PER_RAO),
            max_priority_fee_per_gas: U256::ZERO,
            nonce: None,
            authorizations: Vec::new(),
        }
    }

    /// A creation.
    pub fn create(from: Address, code: impl Into<Bytes>) -> Self {
        Self { to: None, ..Self::call(from, Address::ZERO, code) }
    }

    /// With that value, in wei.
    pub fn value(mut self, wei: U256) -> Self {
        self.value = wei;
        self
    }

    /// With that gas limit.
    pub fn gas(mut self, gas_limit: u64) -> Self {
        self.gas_limit = gas_limit;
        self
    }

    fn intrinsic_gas(&self) -> u64 {
        let data: u64 = self.data.iter().map(|byte| if *byte == 0 { 4 } else { 16 }).sum();
        let create = if self.to.is_none() { 32_000 + 2 * self.data.len().div_ceil(32) as u64 } else { 0 };
        INTRINSIC_GAS + data + create + 25_000 * self.authorizations.len() as u64
    }
}

/// Why the pool does not take a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Less gas than the transaction costs before it runs.
    #[error("gas limit {limit} is below the intrinsic {intrinsic}")]
    GasLimitTooLow {
        /// Offered.
        limit: u64,
        /// Needed.
        intrinsic: u64,
    },
    /// More gas than a block lets one transaction have.
    #[error("gas limit {0} exceeds 64,998,310")]
    GasLimitTooHigh(u64),
    /// Not the account's nonce.
    #[error("nonce {found}, expected {expected}")]
    BadNonce {
        /// In the transaction.
        found: u64,
        /// The account's.
        expected: u64,
    },
    /// Below the base fee.
    #[error("gas price less than block base fee")]
    GasPriceTooLow,
    /// Tip above the maximum fee.
    #[error("max priority fee per gas higher than max fee per gas")]
    TipAboveMaxFee,
    /// Maximum fee and value exceed what the account shows (D19).
    #[error("insufficient funds: needs {needed_wei} wei, shows {visible_wei}")]
    BalanceLow {
        /// max fee x gas limit + value.
        needed_wei: U256,
        /// Balance without the existential deposit.
        visible_wei: U256,
    },
    /// The sender has code, a delegation for instance (EIP-3607, D17).
    #[error("the sender has code")]
    SenderHasCode,
    /// The deploy whitelist (D18): binds the EVM.create extrinsic and estimates, not Ethereum transactions.
    #[error("not on the deploy whitelist")]
    NotWhitelisted,
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It succeeded.
    Succeeded,
    /// It reverted; unused gas came back.
    Reverted,
    /// It failed; all gas is gone.
    Failed(ExitError),
}

/// What an execution left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// Returned, or revert data.
    pub output: Bytes,
    /// Logs, none unless it succeeded.
    pub logs: Vec<Log>,
    /// Gas used after refunds.
    pub gas_used: u64,
    /// Fee paid, in rao.
    pub fee_rao: u64,
    /// The contract created.
    pub created: Option<Address>,
}

impl Outcome {
    /// Whether it succeeded.
    pub fn succeeded(&self) -> bool {
        self.status == Status::Succeeded
    }

    /// Whether it reverted with the error whose selector this is.
    pub fn reverted_with(&self, selector: [u8; 4]) -> bool {
        self.status == Status::Reverted && self.output.starts_with(&selector)
    }
}

/// How a transaction comes to be run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Signed and paid for.
    Signed,
    /// As eth_call, or from a Substrate extrinsic that pays by itself: no fee, no pool.
    Unpaid,
}

/// What the pool checks, in its order.
pub(crate) fn check(world: &World, tx: &Tx) -> Result<(), Refused> {
    let intrinsic = tx.intrinsic_gas();
    if tx.gas_limit < intrinsic {
        return Err(Refused::GasLimitTooLow { limit: tx.gas_limit, intrinsic });
    }
    if tx.gas_limit > TRANSACTION_GAS_LIMIT {
        return Err(Refused::GasLimitTooHigh(tx.gas_limit));
    }
    let id = mapped(h160(tx.from));
    let expected = world.now.ledger.account(id).nonce;
    if let Some(found) = tx.nonce.filter(|found| *found != expected) {
        return Err(Refused::BadNonce { found, expected });
    }
    if tx.max_fee_per_gas < U256::from(world.block.base_fee_wei) {
        return Err(Refused::GasPriceTooLow);
    }
    if tx.max_priority_fee_per_gas > tx.max_fee_per_gas {
        return Err(Refused::TipAboveMaxFee);
    }
    let visible_wei = U256::from(world.now.ledger.visible_rao(id)) * U256::from(WEI_PER_RAO);
    let needed_wei = tx.max_fee_per_gas.saturating_mul(U256::from(tx.gas_limit)).saturating_add(tx.value);
    if visible_wei < needed_wei {
        return Err(Refused::BalanceLow { needed_wei, visible_wei });
    }
    if !world.code(h160(tx.from)).is_empty() {
        return Err(Refused::SenderHasCode);
    }
    Ok(())
}

/// Runs a transaction that has been accepted.
pub(crate) fn run(cell: &RefCell<World>, tx: &Tx, mode: Mode) -> Outcome {
    let payer = mapped(h160(tx.from));
    let price = if mode == Mode::Signed { cell.borrow().block.base_fee_wei } else { 0 };
    let fee = |gas: u64| rao(primitive_types::U256::from(gas) * primitive_types::U256::from(price));
    let withdrawn_rao = fee(tx.gas_limit);
    let paid = cell.borrow_mut().ledger().burn(payer, withdrawn_rao);
    if paid.is_err() {
        return unpaid();
    }

    let created = {
        let nonce = cell.borrow().now.ledger.account(payer).nonce;
        tx.to.is_none().then(|| tx.from.create(nonce))
    };
    let metadata = StackSubstateMetadata::new(tx.gas_limit, &PECTRA);
    let precompiles = Precompiles(cell);
    let state = ChainState::new(cell, h160(tx.from), metadata);
    let mut executor = StackExecutor::new_with_precompiles(state, &PECTRA, &precompiles);
    let chain_id = cell.borrow().block.chain_id;
    let (reason, output) = execute(&mut executor, tx, chain_id);
    let gas_used = executor.used_gas();
    let (logs, destroyed) = executor.into_state().into_effects();

    let fee_rao = fee(gas_used);
    let mut world = cell.borrow_mut();
    settle(&mut world, payer, withdrawn_rao, fee_rao);
    destroyed.into_iter().for_each(|contract| world.remove_contract(contract));
    let status = status(reason);
    let logs = if status == Status::Succeeded { logs.into_iter().map(log).collect() } else { Vec::new() };
    let created = created.filter(|_| status == Status::Succeeded);
    Outcome { status, output: output.into(), logs, gas_used, fee_rao, created }
}

fn execute<'c>(
    executor: &mut StackExecutor<'c, '_, ChainState<'_, 'c>, Precompiles<'_>>,
    tx: &Tx,
    chain_id: u64,
) -> (ExitReason, Vec<u8>) {
    let (from, value, data) = (h160(tx.from), u256(tx.value), tx.data.to_vec());
    let delegations = tx.authorizations.iter().map(|a| {
        let authority: H160 = h160(a.authority);
        (chain_id.into(), h160(a.delegate), a.nonce.into(), Some(authority))
    });
    let delegations = delegations.collect();
    match tx.to {
        Some(to) => executor.transact_call(from, h160(to), value, data, tx.gas_limit, Vec::new(), delegations),
        None => executor.transact_create(from, value, data, tx.gas_limit, Vec::new(), delegations),
    }
}

/// The unused part of the fee comes back, unless the account has been reaped meanwhile and it is dust; the rest is the
/// author's, unless that is dust.
fn settle(world: &mut World, payer: crate::account::AccountId, withdrawn_rao: u64, fee_rao: u64) {
    let author = mapped(world.block.coinbase);
    let ledger: &mut Ledger = world.ledger();
    let _refund_may_be_dust = ledger.mint(payer, withdrawn_rao.saturating_sub(fee_rao));
    let _fee_may_be_dust = ledger.mint(author, fee_rao);
}

/// A fee that cannot be withdrawn although the pool saw the balance: the account cannot spend its last 500 rao.
fn unpaid() -> Outcome {
    Outcome {
        status: Status::Failed(ExitError::OutOfFund),
        output: Bytes::new(),
        logs: Vec::new(),
        gas_used: 0,
        fee_rao: 0,
        created: None,
    }
}

fn status(reason: ExitReason) -> Status {
    match reason {
        ExitReason::Succeed(ExitSucceed::Stopped | ExitSucceed::Returned | ExitSucceed::Suicided) => Status::Succeeded,
        ExitReason::Revert(_) => Status::Reverted,
        ExitReason::Error(error) => Status::Failed(error),
        ExitReason::Fatal(fatal) => Status::Failed(ExitError::Other(format!("{fatal:?}").into())),
    }
}

fn log(log: evm::backend::Log) -> Log {
    let topics: Vec<B256> = log.topics.into_iter().map(b256).collect();
    Log::new_unchecked(address(log.address), topics, log.data.into())
}

/// Storage slots as alloy's words.
pub(crate) fn slot(world: &World, contract: Address, index: B256) -> B256 {
    let stored = world.contract(h160(contract)).and_then(|c| c.storage.get(&h256(index)));
    stored.copied().map(b256).unwrap_or_default()
}
