//! Subtensor's EVM in memory, for tests of contracts that are to live there.
//!
//! Bittensor's chain runs contracts on `evm` 0.43.4 (Rust's "SputnikVM") with the Pectra rules, over a ledger kept in
//! rao, with precompiles that act for their caller. A contract that is sound on Ethereum, and passes on anvil, can lose
//! all its money there. This crate is the same interpreter, from the registry, over a ledger and a set of precompiles
//! written from what was read in the chain's source and measured on its runtime (spec 425). It starts in no time,
//! needs no node, and takes everything back that a reverted frame did.
//!
//! ```
//! use alloy_primitives::{Address, Bytes, U256};
//! use surety_subtensor_evm::{AccountId, Chain, Precompile, RuntimeCall};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (alice, bob) = (Address::repeat_byte(1), AccountId([2; 32]));
//! let mut chain = Chain::new();
//! chain.fund(alice, 5_000_000_000)?;
//!
//! // Any runtime call, as any contract can make it through 0x06: here a transfer of a TAO.
//! let call = RuntimeCall::Transfer { dest: bob, rao: 1_000_000_000 };
//! let outcome = chain.transact(alice, Precompile::Dispatch.address(), call.encode(), U256::ZERO)?;
//! assert!(outcome.succeeded());
//! assert_eq!(chain.free_rao(bob), 1_000_000_000);
//!
//! // What a contract sees of an account leaves out the existential deposit of 500 rao.
//! let visible = U256::from(chain.free_rao(alice) - 500) * U256::from(1_000_000_000);
//! assert_eq!(chain.visible_wei(alice), visible);
//! # let _: Bytes = outcome.output;
//! # Ok(())
//! # }
//! ```
//!
//! # What to call
//! - [`Chain`]: accounts, time, subnets, transactions, views; [`Chain::transact`], [`Chain::deploy`], [`Chain::call`]
//!   are the usual three, [`Chain::send`] takes a whole [`Tx`], [`Chain::dispatch`] is what native accounts do;
//! - [`Outcome`]: how it ended, what it returned, gas and fee; [`Refused`]: why the pool did not take it;
//! - [`Chain::take_frames`]: every call frame that was entered, so that a test can say whom a contract may call;
//! - [`Chain::close_delegatecall`], [`Chain::enable_precompile`], [`Chain::subnet_mut`]: the chain's own switches.
//!
//! # What differs from Ethereum, and where it is
//! | | on Subtensor | module |
//! |---|---|---|
//! | D1 | DELEGATECALL to a precompile that signs acts as the *parent's caller*, until PR #3130 | [`precompiles`] |
//! | D2 | 0x06 runs any runtime call, in a static context too; 0x09 adds points; there is no 0x0a | [`runtime_call`] |
//! | D3 | CALLVALUE keeps the wei, the transfer moves whole rao | `state` |
//! | D4 | balances leave out the existential deposit; dust burns; an emptied account forgets its nonce | [`ledger`] |
//! | D5 | a failing precompile keeps all gas forwarded | [`precompiles`] |
//! | D6 | transient storage outlives a frame's revert | `state` |
//! | D7 | the EVM.call extrinsic writes logs that no Ethereum receipt has | [`Chain::extrinsic_call`] |
//! | D8 | native transfers and stake arrive without a call | [`Chain::dispatch`] |
//! | D15 | a precompile's code size is 1, its hash 0 or that of nothing | `state` |
//! | D16 | prevrandao is 0, blocks come every 12 s, 256 hashes are kept | [`Chain::pass`] |
//! | D17 | an account with delegated code cannot send (EIP-7702, EIP-3607) | [`transaction`] |
//! | D18 | the chain id can change; the deploy whitelist binds the extrinsic only | [`chain`] |
//! | D19 | the pool asks for max fee x gas + value besides the existential deposit; no tips | [`transaction`] |
//! | D21 | SELFDESTRUCT sends what shows | `state` |
//! | D22 | no floor for calldata; the surcharge for new accounts *is* charged | [`precompiles::gas`] |
//!
//! `tests/it` shows each on a naive contract (`naive/*.sol`) and what Surety's shipped bytecode does instead, lets that
//! bytecode live from registration to exit, with appointed keepers and with keepers by voting power (`court`,
//! `court_gas`), measures every gas figure of [`precompiles::gas`] from a contract, and walks at random on anvil and
//! here at once, through every function anybody can call, comparing every answer, every ledger and the gas of plain
//! calls (`differential`, `walk`).
//!
//! # What it is not
//! - Stake has no pool: a constant price per subnet, no slippage, no fee, no share rounding, no locks, no collateral.
//! - Voting power is what a test writes down: no average of stake, no threshold, no permits. Epochs end at every 360th
//!   block, whatever a subnet's tempo; all they do here is what [`subnet::Subnet::end_epoch`] says.
//! - Runtime calls are those of [`RuntimeCall`]; proxy types other than Any, Staking and Transfer permit nothing.
//! - 0x400, 0x401, 0x801, 0x803, 0x804, 0x808 to 0x80a are missing; 0x807 knows four items of storage (listed there),
//!   0x802 three getters.
//! - An association's or delegation's signature is taken as checked. Weight, proof size, mempool order and reorgs do
//!   not exist; RPC neither.
//! - Not measured on the chain, and said so where they stand: gas of `Proxy.proxy` and 0x80d (the latter read in its
//!   source); a proxy's deposit; what happens after PR #3130 beyond the refusal itself.

pub mod account;
pub mod chain;
mod convert;
pub mod ledger;
pub mod precompiles;
pub mod runtime_call;
mod scale;
pub mod staking;
mod state;
pub mod subnet;
pub mod transaction;
mod world;

pub use account::{AccountId, BURN_ACCOUNT};
pub use chain::Chain;
pub use evm::ExitError;
pub use precompiles::Precompile;
pub use runtime_call::RuntimeCall;
pub use transaction::{Outcome, Refused, Status, Tx};
pub use world::{Block, Frame, ProxyRight};
