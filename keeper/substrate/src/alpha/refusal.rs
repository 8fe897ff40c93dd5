//! Why AlphaVault refuses, in its own names and order (`contracts/ink/src/error.rs`), and what to do about it. What is
//! refused has changed nothing.
#![allow(clippy::cast_possible_truncation)] // the derived codec numbers variants by a cast

use super::types::Status;
use crate::amount::Amount;
use crate::ss58::AccountId;
use subxt::ext::codec::{Decode, Encode};

/// Why a message is refused. Amounts are rao, times Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, thiserror::Error)]
#[codec(crate = subxt::ext::codec)]
#[cfg_attr(test, derive(scale_info::TypeInfo))]
pub enum Refusal {
    /// At construction only.
    #[error("BadConfig: {0:?} of the vault's configuration")]
    BadConfig(BadConfig),
    /// At construction only.
    #[error("NoSubnet: there is no subnet {0}")]
    NoSubnet(u16),
    /// No alpha moves any more.
    #[error(
        "WoundUp: the vault's subnet is gone, so nothing can be deposited. What is there leaves by an exit, as TAO"
    )]
    WoundUp,
    /// There is an end to note only when the subnet is gone.
    #[error("NotWoundUp: the vault's subnet is there")]
    NotWoundUp,
    /// The chain gets time to pay before the pool does.
    #[error(
        "WindingUp: the vault's subnet is gone; so that the chain has paid all of it first, exits are paid from \
         {payable_at} on (Unix seconds)"
    )]
    WindingUp {
        /// First second in which the pool pays.
        payable_at: u64,
    },
    /// Right after a hotkey's swap.
    #[error(
        "DepositsPaused: the vault's hotkey was swapped, so what it holds is being gathered: deposit from {until} on \
         (Unix seconds)"
    )]
    DepositsPaused {
        /// First second in which deposits are taken.
        until: u64,
    },
    /// Nothing was asked for.
    #[error("ZeroAmount: nothing was asked for, want more than zero")]
    ZeroAmount,
    /// No such stake of the caller's.
    #[error(
        "NoStake: this coldkey has no stake under hotkey {hotkey} on the vault's subnet. Name a hotkey under which it \
         has: btcli stake list"
    )]
    NoStake {
        /// The hotkey that was named.
        hotkey: AccountId,
    },
    /// The caller's alpha is locked.
    #[error(
        "LockedAlpha: {} alpha was asked for, {} of this coldkey's can be moved, the rest is locked. Deposit at most \
         that, or wait for the lock to run out", Amount(*asked), Amount(*available)
    )]
    LockedAlpha {
        /// What could be moved.
        available: u64,
        /// What was asked for.
        asked: u64,
    },
    /// Nothing came, or too little for a share.
    #[error("NothingArrived: so little that nothing of it would arrive. Ask for more")]
    NothingArrived,
    /// The chain moved less than was asked.
    #[error(
        "Clamped: the chain would move {} of {}. Try again later, or ask for less", Amount(*moved), Amount(*asked)
    )]
    Clamped {
        /// What was to be moved.
        asked: u64,
        /// What moved.
        moved: u64,
    },
    /// Less than the caller would take.
    #[error(
        "TooLittle: it would be {}, at least {} was asked for. Ask for less, or later", Amount(*rao), Amount(*min_rao)
    )]
    TooLittle {
        /// What it would be.
        rao: u64,
        /// What was asked for.
        min_rao: u64,
    },
    /// The chain refused.
    #[error("{}", chain_words(*function, *code))]
    Refused {
        /// What the vault asked it to do.
        function: Function,
        /// What it answered.
        code: ChainError,
    },
    /// The stake is not where it was.
    #[error(
        "StakeMoved: the vault's stake is not under its hotkey any more ({} there, {} last seen), which was swapped. \
         Somebody has to call follow_swap with the new hotkey first; anybody may", Amount(*stake), Amount(*seen)
    )]
    StakeMoved {
        /// What is there now.
        stake: u64,
        /// What was last seen.
        seen: u64,
    },
    /// Nothing to follow.
    #[error("StakeNotMoved: the stake is where it was, there is nothing to follow")]
    StakeNotMoved {
        /// What is there.
        stake: u64,
    },
    /// That hotkey does not hold it.
    #[error("NotThere: that hotkey holds {} of the vault's, {} was last seen", Amount(*stake), Amount(*seen))]
    NotThere {
        /// What it holds of the vault's.
        stake: u64,
        /// What was last seen.
        seen: u64,
    },
    /// No bond.
    #[error("NoBond: this coldkey has no bond for that machine. Check both; surety alpha status shows what there is")]
    NoBond,
    /// More than there is.
    #[error(
        "NotEnough: {} was asked for, {} is free or exiting. Ask for that at most, or for all",
        Amount(*asked), Amount(*available)
    )]
    NotEnough {
        /// What there is.
        available: u64,
        /// What was asked for.
        asked: u64,
    },
    /// Nothing is exiting.
    #[error("NoExit: nothing is on its way out, or its time to be withdrawn is over. Ask for it: surety alpha exit")]
    NoExit,
    /// Outside the exit's window.
    #[error("ExitNotReady: it can be withdrawn from {ready_at} to {closes_at} (Unix seconds), and not now")]
    ExitNotReady {
        /// First second.
        ready_at: u64,
        /// Last second.
        closes_at: u64,
    },
    /// More than 64 signatures, or none.
    #[error("BadCount: {0} signatures, want 1 to 64")]
    BadCount(u32),
    /// High s, or nobody's.
    #[error("BadSignature: signature {index} is none")]
    BadSignature {
        /// Its place in the list.
        index: u32,
    },
    /// Signed by somebody who is not on the roll.
    #[error("NotAKeeper: signature {index} is by 0x{}, who is not on the roll", hex::encode(signer))]
    NotAKeeper {
        /// Its place in the list.
        index: u32,
        /// Who signed.
        signer: [u8; 20],
    },
    /// Out of order.
    #[error("NotAscending: signer {index} came twice or out of order")]
    NotAscending {
        /// Its place in the list.
        index: u32,
    },
    /// No quorum.
    #[error("NoQuorum: {signers} signers are no quorum of the roll")]
    NoQuorum {
        /// How many there were.
        signers: u32,
    },
    /// Not the next roll.
    #[error("BadRollNumber: want number {expected}")]
    BadRollNumber {
        /// The one that can come next.
        expected: u64,
    },
    /// A roll's word is for a time.
    #[error("BadUntil: want a last second from {from} to {to}")]
    BadUntil {
        /// Now.
        from: u64,
        /// As far ahead as is taken.
        to: u64,
    },
    /// No roll.
    #[error("BadRoll: want 3 to 64 keepers, strictly ascending, and as many weights above zero")]
    BadRoll,
    /// Not filed like this.
    #[error("BadKind: only NotDelivered and Offline are filed like this")]
    BadKind,
    /// Dated after now.
    #[error("AheadOfTime: entry {index} is dated after now")]
    AheadOfTime {
        /// Its place in the list.
        index: u32,
    },
    /// Too old.
    #[error("Stale: entry {index} is older than {oldest}")]
    Stale {
        /// Its place in the list.
        index: u32,
        /// The oldest that counts.
        oldest: u64,
    },
    /// The attestations have nothing in common.
    #[error("NothingInCommon: the attestations meet in nothing, {from} is not before {until}")]
    NothingInCommon {
        /// Latest start.
        from: u32,
        /// Earliest end.
        until: u32,
    },
    /// Judged before.
    #[error("AlreadyJudged: by case {0}")]
    AlreadyJudged(u32),
    /// Nothing falls on alpha.
    #[error("NoPenalty: nothing falls on alpha")]
    NoPenalty,
    /// The bond is empty.
    #[error("NothingToSetAside: the bond has nothing")]
    NothingToSetAside,
    /// No such case.
    #[error("NoCase: there is no such case")]
    NoCase,
    /// Not waiting, or too late.
    #[error("NotAppealable: the case is {status:?}, appeals end before {until}")]
    NotAppealable {
        /// Where it stands.
        status: Status,
        /// First second too late.
        until: u64,
    },
    /// An appeal is paid exactly.
    #[error("WrongAppealBond: an appeal costs exactly {} TAO", Amount(*want))]
    WrongAppealBond {
        /// What it costs.
        want: u64,
    },
    /// The bond's owner only.
    #[error("OnlyOwner: only {0} may")]
    OnlyOwner(AccountId),
    /// The judge only.
    #[error("OnlyJudge: only {0} may")]
    OnlyJudge(AccountId),
    /// Not appealed, or too late.
    #[error("NotRulable: the case is {status:?}, rulings end with {rule_by}")]
    NotRulable {
        /// Where it stands.
        status: Status,
        /// The judge's last second.
        rule_by: u64,
    },
    /// Executed or dismissed, or nothing to make smaller.
    #[error("NothingToAmend: the case is {status:?}, or the verdict makes it no smaller")]
    NothingToAmend {
        /// Where it stands.
        status: Status,
    },
    /// Decided already, or too early.
    #[error("NotExecutable: the case is {status:?}, executable from {from}")]
    NotExecutable {
        /// Where it stands.
        status: Status,
        /// First second.
        from: u64,
    },
    /// Nothing to burn.
    #[error("NothingToBurn: nothing waits to be burned")]
    NothingToBurn,
    /// No credit.
    #[error("NoCredit: that account has none")]
    NoCredit,
    /// The chain refused to pay TAO.
    #[error("PaymentFailed: the chain would not pay {} TAO; a new account takes 500 rao at least", Amount(*amount))]
    PaymentFailed {
        /// How much.
        amount: u64,
    },
    /// A number does not fit.
    #[error("Overflow: a number does not fit")]
    Overflow,
}

/// What is wrong with a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[codec(crate = subxt::ext::codec)]
#[cfg_attr(test, derive(scale_info::TypeInfo))]
#[allow(missing_docs)] // each is the name of a field, or of one that is zero
pub enum BadConfig {
    RootSubnet,
    ZeroChainId,
    ZeroArbiter,
    ZeroJudge,
    ExitDelay,
    ExitWindow,
    AppealWindow,
    RulingWindow,
    FilingLife,
    NotDeliveredBps,
    OfflineBps,
}

/// What the vault asked the chain to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[codec(crate = subxt::ext::codec)]
#[cfg_attr(test, derive(scale_info::TypeInfo))]
pub enum Function {
    /// Its own stake to another hotkey.
    MoveStake,
    /// Its own stake to another coldkey.
    TransferStake,
    /// Its own stake to nobody.
    BurnAlpha,
    /// The caller's stake to it.
    CallerTransferStake,
}

/// What the chain's extension answers when it refuses; Subtensor's own names and order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[codec(crate = subxt::ext::codec)]
#[cfg_attr(test, derive(scale_info::TypeInfo))]
#[allow(missing_docs)] // the chain's names, which it documents no further
pub enum ChainError {
    RuntimeError,
    NotEnoughBalanceToStake,
    NonAssociatedColdKey,
    BalanceWithdrawalError,
    NotRegistered,
    NotEnoughStakeToWithdraw,
    TxRateLimitExceeded,
    SlippageTooHigh,
    SubnetNotExists,
    HotKeyNotRegisteredInSubNet,
    SameAutoStakeHotkeyAlreadySet,
    InsufficientBalance,
    AmountTooLow,
    InsufficientLiquidity,
    SameNetuid,
    ProxyTooMany,
    ProxyDuplicate,
    ProxyNoSelfProxy,
    ProxyNotFound,
    CannotUseSystemAccount,
    CannotBurnOrRecycleOnRootSubnet,
    SubtokenDisabled,
    Unknown(u32),
}

fn chain_words(function: Function, code: ChainError) -> String {
    let hint = match code {
        ChainError::AmountTooLow => {
            "less than the chain moves at once, .002 TAO's worth: ask for more, or add to the bond first"
        }
        ChainError::RuntimeError => "the subnet's owner may have switched transfers off, or the hotkey is gone",
        ChainError::SubtokenDisabled => "the subnet has not begun to trade its alpha",
        ChainError::NotEnoughStakeToWithdraw => "there is less stake than that",
        ChainError::TxRateLimitExceeded => "too soon after the last move: try again in some blocks",
        _ => "nothing was changed",
    };
    format!("{code:?} from the chain at {function:?}: {hint}")
}
