//! The only file that knows Subtensor's chain extension.
//!
//! The runtime registers one extension for the whole range of ids, so only the function's number counts. Functions up
//! to 19 act as this contract; 25 acts as the account that called this contract, which is how a deposit needs no
//! approval. On a runtime that numbers them otherwise the constructor fails: it asks 34, which came last.
#![allow(clippy::cast_possible_truncation)] // the derived codec numbers variants by a cast

use crate::types::AccountId;
use ink::env::chain_extension::FromStatusCode;
use ink::env::Environment;
use ink::scale::Compact;

/// The functions of the extension that the vault uses.
#[ink::chain_extension(extension = 0x1000)]
pub trait Subtensor {
    type ErrorCode = ChainError;

    /// What `coldkey` has under `hotkey` on `netuid`; None: nothing, or no such subnet.
    #[ink(function = 0, handle_status = false)]
    fn stake_info(hotkey: AccountId, coldkey: AccountId, netuid: u16) -> Option<StakeInfo>;

    /// Moves the contract's own stake to another hotkey.
    #[ink(function = 5)]
    fn move_stake(from_hotkey: AccountId, to_hotkey: AccountId, from_netuid: u16, to_netuid: u16, alpha: u64);

    /// Gives the contract's own stake to another coldkey, under the same hotkey.
    #[ink(function = 6)]
    fn transfer_stake(to_coldkey: AccountId, hotkey: AccountId, from_netuid: u16, to_netuid: u16, alpha: u64);

    /// Burns the contract's own stake; returns how much.
    #[ink(function = 17)]
    fn burn_alpha(hotkey: AccountId, netuid: u16, alpha: u64) -> u64;

    /// Gives the *caller's* stake to another coldkey, under the same hotkey.
    #[ink(function = 25)]
    fn caller_transfer_stake(to_coldkey: AccountId, hotkey: AccountId, from_netuid: u16, to_netuid: u16, alpha: u64);

    /// Whether there is a subnet with that netuid, and the how-many-th it is.
    #[ink(function = 34, handle_status = false)]
    fn registration(netuid: u16) -> Registration;

    /// How much of a coldkey's stake on a subnet can be moved.
    #[ink(function = 36, handle_status = false)]
    fn availability(coldkey: AccountId, netuid: u16) -> Availability;
}

/// Which function refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub enum Function {
    /// 5.
    MoveStake,
    /// 6.
    TransferStake,
    /// 17.
    BurnAlpha,
    /// 25.
    CallerTransferStake,
}

/// A position, as function 0 answers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct StakeInfo {
    /// Under which hotkey.
    pub hotkey: AccountId,
    /// Whose.
    pub coldkey: AccountId,
    /// On which subnet.
    pub netuid: Compact<u16>,
    /// How much, in rao of alpha; locked alpha is part of it.
    pub stake: Compact<u64>,
    /// Not used: what can be moved is asked of function 36.
    pub locked: Compact<u64>,
    /// Not used.
    pub emission: Compact<u64>,
    /// Not used.
    pub tao_emission: Compact<u64>,
    /// Not used.
    pub drain: Compact<u64>,
    /// Whether the hotkey has a place on the subnet.
    pub is_registered: bool,
}

/// A netuid, as function 34 answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Registration {
    /// The netuid that was asked for.
    pub netuid: u16,
    /// Whether it is a subnet's now.
    pub exists: bool,
    /// How many subnets have had it: another number is another subnet.
    pub counter: u64,
}

/// What of a coldkey's stake can be moved, as function 36 answers, in rao of alpha.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Availability {
    /// The netuid that was asked for.
    pub netuid: u16,
    /// All of it, under any hotkey.
    pub total: u64,
    /// Bound by a lock.
    pub locked: u64,
    /// The rest.
    pub available: u64,
}

/// What the extension answers when it refuses; the numbers are the runtime's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub enum ChainError {
    /// 1: everything without a number of its own: transfers switched off, locked alpha, a dead hotkey.
    RuntimeError,
    /// 2.
    NotEnoughBalanceToStake,
    /// 3.
    NonAssociatedColdKey,
    /// 4.
    BalanceWithdrawalError,
    /// 5.
    NotRegistered,
    /// 6.
    NotEnoughStakeToWithdraw,
    /// 7.
    TxRateLimitExceeded,
    /// 8.
    SlippageTooHigh,
    /// 9.
    SubnetNotExists,
    /// 10.
    HotKeyNotRegisteredInSubNet,
    /// 11.
    SameAutoStakeHotkeyAlreadySet,
    /// 12.
    InsufficientBalance,
    /// 13: below the least that the chain moves.
    AmountTooLow,
    /// 14.
    InsufficientLiquidity,
    /// 15.
    SameNetuid,
    /// 16.
    ProxyTooMany,
    /// 17.
    ProxyDuplicate,
    /// 18.
    ProxyNoSelfProxy,
    /// 19.
    ProxyNotFound,
    /// 20.
    CannotUseSystemAccount,
    /// 21.
    CannotBurnOrRecycleOnRootSubnet,
    /// 22.
    SubtokenDisabled,
    /// A number that this contract does not know.
    Unknown(u32),
}

/// In the order of their numbers, from 1.
const CODES: [ChainError; 22] = [
    ChainError::RuntimeError,
    ChainError::NotEnoughBalanceToStake,
    ChainError::NonAssociatedColdKey,
    ChainError::BalanceWithdrawalError,
    ChainError::NotRegistered,
    ChainError::NotEnoughStakeToWithdraw,
    ChainError::TxRateLimitExceeded,
    ChainError::SlippageTooHigh,
    ChainError::SubnetNotExists,
    ChainError::HotKeyNotRegisteredInSubNet,
    ChainError::SameAutoStakeHotkeyAlreadySet,
    ChainError::InsufficientBalance,
    ChainError::AmountTooLow,
    ChainError::InsufficientLiquidity,
    ChainError::SameNetuid,
    ChainError::ProxyTooMany,
    ChainError::ProxyDuplicate,
    ChainError::ProxyNoSelfProxy,
    ChainError::ProxyNotFound,
    ChainError::CannotUseSystemAccount,
    ChainError::CannotBurnOrRecycleOnRootSubnet,
    ChainError::SubtokenDisabled,
];

impl FromStatusCode for ChainError {
    fn from_status_code(code: u32) -> Result<(), Self> {
        let Some(index) = code.checked_sub(1) else { return Ok(()) };
        let known = usize::try_from(index).ok().and_then(|index| CODES.get(index));
        Err(known.copied().unwrap_or(ChainError::Unknown(code)))
    }
}

/// Subtensor as ink! sees it. Its balances are 64 bits wide, where ink!'s default is 128: with the default every
/// payment would be encoded wrongly.
#[derive(Debug, Clone, PartialEq, Eq)]
#[ink::scale_derive(TypeInfo)]
pub enum SubtensorEnvironment {}

impl Environment for SubtensorEnvironment {
    const MAX_EVENT_TOPICS: usize = 4;
    type AccountId = AccountId;
    #[cfg(not(test))]
    type Balance = u64;
    // ink!'s off-chain engine moves 128-bit balances only. What is shipped is never built like this.
    #[cfg(test)]
    type Balance = u128;
    type Hash = ink::primitives::Hash;
    type BlockNumber = u32;
    type Timestamp = u64;
    type ChainExtension = Subtensor;
}

/// A balance of the chain.
pub type Balance = <SubtensorEnvironment as Environment>::Balance;
