//! Who speaks, what they say together, and what it costs: pure.

use crate::error::Error;
use crate::types::{Address, Attestation, Backing, Case, Kind, Roll, Shortfall, Spoof};

/// Most keepers on a roll, and so most signatures in a list.
pub const MAX_KEEPERS: usize = 64;

/// With fewer keepers nothing is burned: two are no court. A smaller roll is refused, so that no vault ever has one.
pub const MIN_KEEPERS: usize = 3;

const WHOLE_BPS: u128 = 10_000;

/// # Errors
/// `BadRoll`: see there.
pub fn check_roll(roll: &Roll) -> Result<(), Error> {
    let count = roll.keepers.len();
    let sized = (MIN_KEEPERS..=MAX_KEEPERS).contains(&count) && roll.weights.len() == count;
    let ascending = roll.keepers.windows(2).all(|pair| pair[0] < pair[1]);
    let nobody_zero = roll.keepers.first().is_some_and(|first| *first != [0; 20]);
    let weighed = roll.weights.iter().all(|weight| *weight > 0);
    if sized && ascending && nobody_zero && weighed {
        Ok(())
    } else {
        Err(Error::BadRoll)
    }
}

/// # Errors
/// `BadCount` unless there are 1 to 64 signatures.
pub fn check_count(count: usize) -> Result<(), Error> {
    if (1..=MAX_KEEPERS).contains(&count) {
        Ok(())
    } else {
        Err(Error::BadCount(u32::try_from(count).unwrap_or(u32::MAX)))
    }
}

/// Whether these signers speak for the roll: the rule of the EVM side's QuorumLib. At least two of them; two thirds of
/// all weight; and without the heaviest of them the others half of what is then left.
///
/// # Errors
/// `NotAKeeper`, `NotAscending`, `NoQuorum`.
pub fn check_quorum(roll: &Roll, signers: &[Address]) -> Result<(), Error> {
    let (mut signed, mut heaviest) = (0u128, 0u128);
    for (index, signer) in signers.iter().enumerate() {
        let index_u32 = u32::try_from(index).unwrap_or(u32::MAX);
        let before = index.checked_sub(1).and_then(|before| signers.get(before));
        if before.is_some_and(|before| before >= signer) {
            return Err(Error::NotAscending { index: index_u32 });
        }
        let weight = weight_of(roll, signer).ok_or(Error::NotAKeeper { index: index_u32, signer: *signer })?;
        signed = signed.saturating_add(weight);
        heaviest = heaviest.max(weight);
    }
    let total = roll.weights.iter().fold(0u128, |sum, weight| sum.saturating_add((*weight).into()));
    if is_quorum(signers.len(), signed, heaviest, total) {
        Ok(())
    } else {
        Err(Error::NoQuorum { signers: u32::try_from(signers.len()).unwrap_or(u32::MAX) })
    }
}

/// At most 64 weights of 64 bits: no product below overflows 128.
fn is_quorum(count: usize, signed: u128, heaviest: u128, total: u128) -> bool {
    let two_thirds = signed.saturating_mul(3) >= total.saturating_mul(2);
    let half_of_the_rest = signed.saturating_sub(heaviest).saturating_mul(2) >= total.saturating_sub(heaviest);
    count >= 2 && two_thirds && half_of_the_rest
}

fn weight_of(roll: &Roll, signer: &Address) -> Option<u128> {
    let place = roll.keepers.binary_search(signer).ok()?;
    roll.weights.get(place).map(|weight| u128::from(*weight))
}

/// What all attestations have in common: latest start, earliest end. None of them is later than now, none ended too
/// long ago.
///
/// # Errors
/// `AheadOfTime`, `Stale`, `NothingInCommon`.
pub fn intersection(attestations: &[Attestation], now: u64, life_secs: u64) -> Result<(u32, u32), Error> {
    let (mut from, mut until) = (0u32, u32::MAX);
    for (index, attestation) in attestations.iter().enumerate() {
        check_date(index, attestation.until, now, now.saturating_sub(life_secs))?;
        from = from.max(attestation.from);
        until = until.min(attestation.until);
    }
    if from < until {
        Ok((from, until))
    } else {
        Err(Error::NothingInCommon { from, until })
    }
}

/// The earliest date of proofs, none of them later than now or too old.
///
/// # Errors
/// `AheadOfTime`, `Stale`.
pub fn earliest(spoofs: &[Spoof], now: u64, life_secs: u64) -> Result<u32, Error> {
    let mut first = u32::MAX;
    for (index, spoof) in spoofs.iter().enumerate() {
        check_date(index, spoof.proved_at, now, now.saturating_sub(life_secs))?;
        first = first.min(spoof.proved_at);
    }
    Ok(first)
}

/// # Errors
/// `AheadOfTime` after `now`, `Stale` before `oldest`.
pub fn check_date(index: usize, date: u32, now: u64, oldest: u64) -> Result<(), Error> {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    if u64::from(date) > now {
        return Err(Error::AheadOfTime { index });
    }
    if u64::from(date) < oldest {
        return Err(Error::Stale { index, oldest });
    }
    Ok(())
}

/// What falls on alpha.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Penalty {
    /// In rao of TAO, as keepers valued the alpha.
    pub value_rao: u64,
    /// In rao of alpha.
    pub alpha: u64,
    /// What bears before it, in rao of TAO.
    pub tao_first_rao: u64,
}

/// TAO bears first, so that both vaults together take exactly what the Arbiter's rule says of a reserve of
/// `tao_reserve + alpha_value`. An `Offline` never costs more than the rental has earned. Several bonds behind one
/// rental likewise bear one after the other, each with those before it in its `tao_reserve`.
///
/// # Errors
/// `NoPenalty` where nothing is left for alpha, `BadKind`.
pub fn rental_penalty(bps: u16, backing: &Backing) -> Result<Penalty, Error> {
    let cap = match backing.kind {
        Kind::NotDelivered => u128::MAX,
        Kind::Offline => backing.earned.into(),
        Kind::Spoofed => return Err(Error::BadKind),
    };
    let tao = u128::from(backing.tao_reserve);
    let rule = |reserve: u128| reserve.saturating_mul(bps.into()) / WHOLE_BPS;
    let (first, total) = (rule(tao), rule(tao.saturating_add(backing.alpha_value.into())));
    let tao_first_rao = u64::try_from(first).unwrap_or(u64::MAX);
    let falls = total.min(cap).saturating_sub(first);
    Ok(Penalty { tao_first_rao, ..on_alpha(falls, backing.alpha, backing.alpha_value)? })
}

/// What a pending case asks for once the rental is known to have earned `earned` and no more: the second clamp of an
/// `Offline`. Never more than it asked for.
pub fn amended(case: &Case, earned: u64) -> Penalty {
    let value_rao = match case.kind {
        Kind::Offline => case.penalty_rao.min(earned.saturating_sub(case.tao_first_rao)),
        Kind::NotDelivered | Kind::Spoofed => case.penalty_rao, // what was earned is no part of their rule
    };
    let alpha = share_of(case.alpha, value_rao, case.penalty_rao).unwrap_or(0);
    Penalty { value_rao, alpha, tao_first_rao: case.tao_first_rao }
}

/// What the TAO bond could not bear, at most what the alpha counted for.
///
/// # Errors
/// `NoPenalty`.
pub fn spoof_penalty(shortfall: &Shortfall) -> Result<Penalty, Error> {
    on_alpha(shortfall.shortfall.into(), shortfall.alpha, shortfall.alpha_value)
}

fn on_alpha(value: u128, alpha: u64, alpha_value: u64) -> Result<Penalty, Error> {
    let value = u64::try_from(value.min(alpha_value.into())).unwrap_or(alpha_value);
    match share_of(alpha, value, alpha_value) {
        Some(alpha) if alpha > 0 => Ok(Penalty { value_rao: value, alpha, tao_first_rao: 0 }),
        _ => Err(Error::NoPenalty),
    }
}

/// `amount * part / whole`, rounded down. None: `whole` is zero, or smaller than `part` and the result too large.
fn share_of(amount: u64, part: u64, whole: u64) -> Option<u64> {
    // Both factors have 64 bits.
    let share = u128::from(amount).saturating_mul(part.into()).checked_div(whole.into());
    share.and_then(|share| u64::try_from(share).ok())
}
