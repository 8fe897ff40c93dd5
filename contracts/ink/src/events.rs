//! What happened, for those who listen. Nothing depends on it: views tell all of it.

use crate::types::{AccountId, Kind};

/// Alpha arrived in a bond.
#[ink::event]
pub struct Deposited {
    /// The bond.
    #[ink(topic)]
    pub bond: u32,
    /// Whose.
    #[ink(topic)]
    pub owner: AccountId,
    /// For which machine.
    pub machine: [u8; 32],
    /// How many rao arrived.
    pub alpha: u64,
    /// Shares given for it.
    pub shares: u128,
}

/// An exit began.
#[ink::event]
pub struct ExitRequested {
    /// The bond.
    #[ink(topic)]
    pub bond: u32,
    /// Shares on their way out.
    pub shares: u128,
    /// First second of the window.
    pub ready_at: u64,
}

/// An exit was called off.
#[ink::event]
pub struct ExitCancelled {
    /// The bond.
    #[ink(topic)]
    pub bond: u32,
    /// Shares that are free again.
    pub shares: u128,
}

/// An exit was paid.
#[ink::event]
pub struct Withdrawn {
    /// The bond.
    #[ink(topic)]
    pub bond: u32,
    /// Shares that are gone.
    pub shares: u128,
    /// Rao that left: of alpha, or of TAO once the subnet is gone.
    pub rao: u64,
}

/// A case was filed.
#[ink::event]
pub struct Filed {
    /// The case.
    #[ink(topic)]
    pub case: u32,
    /// The bond.
    #[ink(topic)]
    pub bond: u32,
    /// What it says.
    pub kind: Kind,
    /// The Arbiter's case.
    pub case_id: u64,
    /// Shares set aside.
    pub shares: u128,
    /// What they were meant to be worth, in rao of alpha.
    pub alpha: u64,
}

/// A case was contested.
#[ink::event]
pub struct Appealed {
    /// The case.
    #[ink(topic)]
    pub case: u32,
    /// Paid for it, in rao of TAO.
    pub bond_rao: u64,
    /// Digest of what the owner has to say.
    pub evidence: [u8; 32],
    /// The judge's last second.
    pub rule_by: u64,
}

/// The judge ruled.
#[ink::event]
pub struct Ruled {
    /// The case.
    #[ink(topic)]
    pub case: u32,
    /// Whether the case stands.
    pub upheld: bool,
}

/// A quorum's verdict made a case smaller.
#[ink::event]
pub struct Amended {
    /// The case.
    #[ink(topic)]
    pub case: u32,
    /// What is still set aside.
    pub shares: u128,
    /// What it asks for now, in rao of alpha.
    pub alpha: u64,
}

/// What a case set aside is to be burned.
#[ink::event]
pub struct Executed {
    /// The case.
    #[ink(topic)]
    pub case: u32,
    /// How much.
    pub shares: u128,
}

/// What a case set aside is free bond again.
#[ink::event]
pub struct Dismissed {
    /// The case.
    #[ink(topic)]
    pub case: u32,
    /// How much.
    pub shares: u128,
}

/// The pot, or part of it, was burned.
#[ink::event]
pub struct Burned {
    /// Shares that are gone.
    pub shares: u128,
    /// Rao that are gone: of alpha, or of TAO once the subnet is gone.
    pub rao: u64,
}

/// The vault has seen that its subnet is gone.
#[ink::event]
pub struct WoundUp {
    /// First second in which the pool pays TAO.
    pub payable_at: u64,
}

/// The stake is under another hotkey now.
#[ink::event]
pub struct HotkeyFollowed {
    /// The old one.
    pub from: AccountId,
    /// The new one.
    pub to: AccountId,
    /// What is there, in rao of alpha.
    pub stake: u64,
}

/// Stake from under another hotkey joined the pool.
#[ink::event]
pub struct Gathered {
    /// Where it was.
    pub from: AccountId,
    /// How much came, in rao of alpha.
    pub alpha: u64,
}

/// A new roll.
#[ink::event]
pub struct HandedOver {
    /// Its number.
    #[ink(topic)]
    pub number: u64,
    /// How many keepers.
    pub keepers: u32,
}
