//! Bonds of alpha beside the bonds of TAO (SPEC 19 and 20): what a keeper may state of them. Pure: facts in, a
//! statement or the reason against it out. Nothing is remembered; whoever asks again is told what is true then.
//!
//! - [`state_bond`]: a coldkey's bond in AlphaVault, as bond for a rental on the EVM side;
//! - [`state_backing`], [`state_shortfall`]: what of a case's penalty falls on alpha, for AlphaVault;
//! - [`state_verdict`]: what became of a case, for AlphaVault.
//!
//! Their digests are made in `surety-client`.

mod penalty;
mod roll;
mod statements;
#[cfg(test)]
mod tests;

pub use penalty::{Behind, Claimed, Shares, on_alpha, state_backing, state_shortfall, state_verdict};
pub use roll::{APART_MAX_BPS, roll_fits};
pub use statements::{AlphaBacking, AlphaShortfall, AlphaStatement, AlphaVerdict, BondStatement};

use crate::types::{CaseId, Hash32, MachineId, Rao, RentalId, UnixSecs};

/// Fractional bits of [`MovingPrice`]: the chain's `SubnetMovingPrice` is an `I96F32`.
const PRICE_FRACTION_BITS: u32 = 32;

/// Ten-thousandths in a whole.
const BPS: u128 = 10_000;

/// TAO for one alpha as the chain averages it, in 2^-32: the chain's own representation. Slow on purpose: one block's
/// trade does not move it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MovingPrice(pub u64);

/// How a keeper counts alpha.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlphaRules {
    /// Taken off the moving price, in ten-thousandths: what the price may lose before a rental that alpha covers has
    /// less behind it than the rule says.
    pub haircut_bps: u16,
}

impl Default for AlphaRules {
    /// Half, as SPEC 19 argues.
    fn default() -> Self {
        Self { haircut_bps: 5_000 }
    }
}

/// What a bond statement is made from: both sides at their newest final blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BondFacts {
    /// Time of the EVM side's final block, Unix seconds.
    pub now_secs: UnixSecs,
    /// The vault's account id.
    pub vault: Hash32,
    /// The machine it is for.
    pub machine: MachineId,
    /// The machine's current registration, if it has one.
    pub registration: Option<u32>,
    /// The coldkey that owns the registration's hotkey on the chain: its bond is stated and nobody else's, so that
    /// nobody pledges a stranger's by registering the machine it names.
    pub owner: Option<Hash32>,
    /// What the vault says may be stated: rao of alpha that are free.
    pub free: u64,
    /// Until when nothing of it can leave, as the vault says, Unix seconds.
    pub until_secs: UnixSecs,
    /// The chain's price.
    pub price: MovingPrice,
    /// The registration's newest rental and its end, Unix seconds; `None`: it had none.
    pub newest: Option<(RentalId, UnixSecs)>,
    /// A case whose penalty on this bond is not set aside yet and still can be.
    pub waiting: Option<CaseId>,
    /// Whether the vault's roll is the keeper set as it is, and a set that may punish: where it is not, cases on
    /// alpha could not be filed.
    pub roll_fits: bool,
}

/// Why something about alpha is not stated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // the messages say it
pub enum NotStated {
    #[error("the machine has no registration: register it first")]
    NotRegistered,
    #[error("nobody owns the registration's hotkey on the chain: whose bond it would be is not known")]
    NoOwner,
    #[error("nothing of the bond is free in the vault: deposit, or cancel an exit")]
    NothingFree,
    #[error("the bond is worth nothing at the chain's price less the haircut: deposit more")]
    WorthNothing,
    #[error("at the chain's price the bond is worth more than all TAO there is: the price cannot be right")]
    WorthTooMuch,
    #[error("case {case} waits to be set aside in the vault: file it there, or wait until it no longer can be")]
    Waiting { case: CaseId },
    #[error(
        "the vault's roll is not the keeper set, or the set may not punish now: its keepers have to hand the roll over \
         (AlphaVault.hand_over), or be three again"
    )]
    RollDiffers,
    #[error("case {case} is of no kind that takes bond elsewhere")]
    NoSuchKind { case: CaseId },
    #[error("case {case} was overturned")]
    Overturned { case: CaseId },
    #[error("case {case} was filed at {filed_at_secs}, more than the vault's {life_secs} s ago")]
    TooLate { case: CaseId, filed_at_secs: UnixSecs, life_secs: u64 },
    #[error("case {case} set no penalty aside, since the keeper set could not punish then")]
    NotPunished { case: CaseId },
    #[error("nothing of case {case}'s penalty falls on alpha")]
    NoPenalty { case: CaseId },
    #[error("case {case} is not about that rental or registration")]
    OtherCase { case: CaseId },
}

/// What `alpha` counts for in TAO: at the price, less the haircut, rounded down.
///
/// # Errors
/// `WorthNothing`, `WorthTooMuch`.
pub fn value_of(alpha: u64, price: MovingPrice, rules: &AlphaRules) -> Result<Rao, NotStated> {
    let at_price = (u128::from(alpha) * u128::from(price.0)) >> PRICE_FRACTION_BITS;
    let kept = BPS.saturating_sub(u128::from(rules.haircut_bps));
    // At most 2^96 · 10^4: no overflow. What does not fit 64 bits is more than all TAO there is.
    match u64::try_from(at_price * kept / BPS) {
        Ok(0) => Err(NotStated::WorthNothing),
        Ok(value) => Ok(value),
        Err(_) => Err(NotStated::WorthTooMuch),
    }
}

/// States a bond for the rental that comes next, or for an extension of the one that runs.
///
/// # Errors
/// What stands against it, for the owner to read.
pub fn state_bond(facts: &BondFacts, rules: &AlphaRules) -> Result<BondStatement, NotStated> {
    let registration = facts.registration.ok_or(NotStated::NotRegistered)?;
    let owner = facts.owner.ok_or(NotStated::NoOwner)?;
    if !facts.roll_fits {
        return Err(NotStated::RollDiffers);
    }
    if let Some(case) = facts.waiting {
        return Err(NotStated::Waiting { case });
    }
    if facts.free == 0 {
        return Err(NotStated::NothingFree);
    }
    let value_rao = value_of(facts.free, facts.price, rules)?;
    Ok(BondStatement {
        vault: facts.vault,
        owner,
        machine: facts.machine,
        registration,
        rental: facts.newest.map_or(0, |(rental, _)| rental),
        over: facts.newest.is_none_or(|(_, end_secs)| end_secs <= facts.now_secs),
        alpha: facts.free,
        value_rao,
        stated_at_secs: facts.now_secs,
        until_secs: facts.until_secs,
    })
}
