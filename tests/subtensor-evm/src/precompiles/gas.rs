//! What precompiles cost, and how that compares with the chain.
//!
//! Plain EVM gas equals Ethereum's, because the interpreter is the chain's own. A precompile that runs a runtime call
//! costs that call's weight / 40,000, a storage read 625 (25e6 ps / 40,000), a storage write 2,500. The chain's
//! figures below were measured on the spec-425 runtime from a Solidity contract, so they contain the contract's own
//! encoding and the CALL itself: over nine precompiles that share is 380 + 6 for each argument. What is left is the
//! precompile's own charge, which is what this harness records.
//!
//! | call | arguments | measured on the chain | less the caller's share | harness charges |
//! |---|---|---|---|---|
//! | 0x402, 0x403 `verify` | 4 | 6,404 | 6,000 | 6,000 |
//! | 0x800 `transfer`, own account empty | 1 | 38,205 | 6,119 | 6,119 |
//! | 0x802 `getHotkey` | 2 | 1,017 | 625 | 625 |
//! | 0x805 `getStake` | 3 | 1,648 | 1,250 | 1,250 |
//! | 0x805 `addStake` | 3 | 78,631 | 78,233 | 78,233 |
//! | 0x805 `removeStake` | 3 | 66,259 | 65,861 | 65,861 |
//! | 0x805 `transferStake` (needs 36,000 forwarded) | 5 | 35,380 | 34,970 | 34,970 |
//! | 0x805 `transferStakeFrom` | 6 | 39,136 | 38,720 | 34,970 + 2 reads + 1 write = 38,720 |
//! | 0x805 `burnAlpha` | 3 | 23,753 | 23,355 | 23,355 |
//! | 0x806 `uidLookup`, limit 256 | 3 | 160,407 | 160,009 | 160,000 |
//! | 0x807 raw key | 1 | 1,011 | 625 | 625 |
//! | 0x80b `addProxy` | 3 | 5,839 | 5,441 | 5,441 |
//! | 0x80c `addressMapping` | 1 | 386 | 0 | 0 |
//! | 0x06 `Balances.burn` | – | fails with 2,300 gas, succeeds with 2,400 | – | 2,200 |
//! | 0x80d `getVotingPower`, `isVotingPowerTrackingEnabled` | 2, 1 | not measured | – | 625 (one read) |
//! | 0x80d `getTotalVotingPower` | 1 | not measured | – | 625 for each entry, nothing for none |
//!
//! 0x800's figure also contains what a CALL with value pays: 9,000, and 25,000 because 0x800's own account is empty,
//! less the stipend of 2,300 (unused). `tests/it/gas.rs` measures each line from a contract and compares it.

/// One storage read.
pub const READ: u64 = 625;
/// One storage write.
pub const WRITE: u64 = 2_500;
/// 0x402 and 0x403: three times what EIP-665 proposes.
pub const SIGNATURE: u64 = 6_000;

/// A runtime call's price: what must be forwarded, and what is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dispatched {
    /// Less than that and it fails before it starts.
    pub needed: u64,
    /// What a success costs.
    pub charged: u64,
}

const fn costs(charged: u64) -> Dispatched {
    Dispatched { needed: charged, charged }
}

/// Balances.transfer_allow_death.
pub const TRANSFER: Dispatched = costs(6_119);
/// Balances.burn. Seen on the chain: a callee with 2,300 gas could not make its caller burn, one with 2,400 could. Less
/// the hundred and some gas such a callee needs itself, and the 64th the EVM keeps, it is between 2,140 and 2,240.
pub const BURN: Dispatched = costs(2_200);
/// SubtensorModule.add_stake.
pub const ADD_STAKE: Dispatched = costs(78_233);
/// SubtensorModule.remove_stake.
pub const REMOVE_STAKE: Dispatched = costs(65_861);
/// SubtensorModule.transfer_stake.
pub const TRANSFER_STAKE: Dispatched = Dispatched { needed: 36_000, charged: 34_970 };
/// SubtensorModule.move_stake: 34.8k by its weight, and 1.7k for the extension every dispatch has.
pub const MOVE_STAKE: Dispatched = costs(36_500);
/// SubtensorModule.burn_alpha.
pub const BURN_ALPHA: Dispatched = costs(23_355);
/// Proxy.add_proxy, remove_proxy.
pub const ADD_PROXY: Dispatched = costs(5_441);
/// Proxy.proxy, besides the call it carries. Not measured: taken to be an add_proxy.
pub const PROXY: Dispatched = costs(5_441);
