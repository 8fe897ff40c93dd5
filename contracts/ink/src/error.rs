//! Why a message refuses. A message that refuses changes nothing: the chain rolls back the whole call.
#![allow(clippy::cast_possible_truncation)] // the derived codec numbers variants by a cast

use crate::extension::{ChainError, Function};
use crate::types::{AccountId, Address, BadConfig, Status};

/// Why a message refuses. Amounts are rao, times seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub enum Error {
    /// The configuration makes no sense.
    BadConfig(BadConfig),
    /// No subnet has this netuid: check `netuid`.
    NoSubnet(u16),
    /// The subnet is gone, or its netuid is another subnet's now: no alpha moves any more. Ask for an exit, which pays
    /// the share of the TAO.
    WoundUp,
    /// The subnet is there.
    NotWoundUp,
    /// The subnet is gone, and the chain may not have paid all of its TAO yet: call `wind_up`, once, and wait.
    WindingUp {
        /// First second in which the pool pays.
        payable_at: u64,
    },
    /// A swapped hotkey was followed: until everybody could gather what else is the vault's, its price is not known.
    DepositsPaused {
        /// First second in which deposits are taken again.
        until: u64,
    },
    /// Want more than zero.
    ZeroAmount,
    /// The chain has no such stake of the caller's: check hotkey, netuid and coldkey.
    NoStake {
        /// The hotkey that was named.
        hotkey: AccountId,
    },
    /// The caller's alpha is locked: unlock it, or deposit at most what is available.
    LockedAlpha {
        /// What could be moved.
        available: u64,
        /// What was asked for.
        asked: u64,
    },
    /// The chain said yes and nothing came, or too little for a single share.
    NothingArrived,
    /// The chain moved less than was asked: try again, or ask for less.
    Clamped {
        /// What was to be moved.
        asked: u64,
        /// What moved.
        moved: u64,
    },
    /// The exit pays less than the caller would take.
    TooLittle {
        /// What it pays.
        rao: u64,
        /// What the caller would take.
        min_rao: u64,
    },
    /// The chain refused. `AmountTooLow`: less than the least transfer (.002 TAO's worth): add to it first.
    Refused {
        /// What it was asked to do.
        function: Function,
        /// What it answered.
        code: ChainError,
    },
    /// The stake is not under the hotkey any more, which was swapped: call `follow_swap` with the new one first.
    StakeMoved {
        /// What is there now.
        stake: u64,
        /// What was last seen.
        seen: u64,
    },
    /// Nothing to follow: the stake is where it was.
    StakeNotMoved {
        /// What is there.
        stake: u64,
    },
    /// That hotkey does not hold what was last seen.
    NotThere {
        /// What it holds of the vault's.
        stake: u64,
        /// What was last seen.
        seen: u64,
    },
    /// The caller has no bond for that machine.
    NoBond,
    /// More than is free and exiting.
    NotEnough {
        /// What there is.
        available: u64,
        /// What was asked for.
        asked: u64,
    },
    /// Nothing is exiting.
    NoExit,
    /// Outside the exit's window.
    ExitNotReady {
        /// First second.
        ready_at: u64,
        /// Last second.
        closes_at: u64,
    },
    /// More than 64 signatures, or none.
    BadCount(u32),
    /// High s, or a signature that nobody can have made.
    BadSignature {
        /// Its place in the list.
        index: u32,
    },
    /// Signed by somebody who is not on the roll: wrong key, statement, chain id, Arbiter, vault or kind.
    NotAKeeper {
        /// Its place in the list.
        index: u32,
        /// Who signed.
        signer: Address,
    },
    /// Signers must be strictly ascending; one came twice or out of order.
    NotAscending {
        /// Its place in the list.
        index: u32,
    },
    /// The signers are no quorum of the roll.
    NoQuorum {
        /// How many there were.
        signers: u32,
    },
    /// The new roll's number is not one more than the present one's.
    BadRollNumber {
        /// The one that can come next.
        expected: u64,
    },
    /// The hand-over's last second is over, or too far ahead.
    BadUntil {
        /// Earliest that counts now.
        from: u64,
        /// Latest.
        to: u64,
    },
    /// A roll needs 3 to 64 keepers, strictly ascending, none zero, and as many weights above zero.
    BadRoll,
    /// Only `NotDelivered` and `Offline` are about a rental.
    BadKind,
    /// Dated after now.
    AheadOfTime {
        /// Its place in the list.
        index: u32,
    },
    /// Older than may be filed, or than what it must not be older than.
    Stale {
        /// Its place in the list.
        index: u32,
        /// The oldest that counts.
        oldest: u64,
    },
    /// What the attestations have in common is empty.
    NothingInCommon {
        /// Latest start.
        from: u32,
        /// Earliest end.
        until: u32,
    },
    /// The Arbiter's case was judged for this bond before, by this case.
    AlreadyJudged(u32),
    /// Nothing falls on alpha: TAO bears all of it, or no alpha backed it, or nothing was earned.
    NoPenalty,
    /// The bond has nothing that could be set aside.
    NothingToSetAside,
    /// No such case.
    NoCase,
    /// The case is not waiting, or the time to appeal is over.
    NotAppealable {
        /// Where it stands.
        status: Status,
        /// First second too late.
        until: u64,
    },
    /// An appeal is paid exactly.
    WrongAppealBond {
        /// What it costs.
        want: u64,
    },
    /// The bond's owner only.
    OnlyOwner(AccountId),
    /// The judge only.
    OnlyJudge(AccountId),
    /// The case is not appealed, or the judge is late: silence has upheld it.
    NotRulable {
        /// Where it stands.
        status: Status,
        /// The judge's last second.
        rule_by: u64,
    },
    /// The case is decided, or the verdict takes nothing off it.
    NothingToAmend {
        /// Where it stands.
        status: Status,
    },
    /// Decided already, or too early.
    NotExecutable {
        /// Where it stands.
        status: Status,
        /// First second.
        from: u64,
    },
    /// Nothing waits to be burned, or it is worth less than a rao.
    NothingToBurn,
    /// No credit.
    NoCredit,
    /// The chain refused to pay TAO: less than the existential deposit to a new account?
    PaymentFailed {
        /// How much.
        amount: u64,
    },
    /// A number does not fit: cannot happen with the alpha that can exist.
    Overflow,
}
