//! What of a case's penalty falls on alpha: TAO bears first, and both vaults together take what the Arbiter's rule says
//! (SPEC 19, Cases).

use super::statements::{AlphaBacking, AlphaShortfall, AlphaVerdict};
use super::{BPS, NotStated};
use crate::types::{CaseId, Hash32, Kind, MachineId, Rao, UnixSecs};
use crate::view::{CaseStatus, CaseView, RentalView};

/// What covers or covered a rental beside its reserve of TAO, as the CollateralVault's views say
/// (`coverOf`, `statementAt`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind {
    /// Account id of the vault.
    pub vault: Hash32,
    /// The coldkey whose bond it is there.
    pub owner: Hash32,
    /// Rao of alpha.
    pub alpha: u64,
    /// What that counts for.
    pub value_rao: Rao,
    /// What was reserved in TAO beside it, before any case.
    pub tao_rao: Rao,
}

/// The Arbiter's shares, which the vault was made with too (SPEC AP5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// Of the reserve, for `NotDelivered`.
    pub not_delivered_bps: u16,
    /// Of the reserve, for `Offline`.
    pub offline_bps: u16,
    /// How long the vault takes statements about a case, seconds.
    pub filing_life_secs: u64,
}

/// What a `Spoofed` claims, in money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// What the class asks for one card, now.
    pub class_bond_rao: Rao,
    /// Cards that the machine claimed to have.
    pub gpu_count: u16,
}

/// What the rental has earned by `now_secs`, as `RentalEscrow.earnedOf` says it: seconds up to its end, less all
/// faulted, at its price.
fn earned(rental: &RentalView, now_secs: UnixSecs) -> Rao {
    let elapsed = rental.end_secs.min(now_secs).saturating_sub(rental.start_secs);
    let faulted =
        rental.faults.iter().fold(0u64, |sum, f| sum.saturating_add(f.until_secs.saturating_sub(f.from_secs)));
    elapsed.saturating_sub(faulted).saturating_mul(rental.price_rao_per_sec)
}

/// Rao of TAO that fall on alpha: the rule of the whole less the rule of TAO alone. `None`: the kind takes no bond.
pub fn on_alpha(kind: Kind, behind: &Behind, earned_rao: Rao, shares: &Shares) -> Option<Rao> {
    let (bps, most) = match kind {
        Kind::NotDelivered => (shares.not_delivered_bps, u64::MAX),
        Kind::Offline => (shares.offline_bps, earned_rao),
        Kind::Interrupted | Kind::Spoofed => return None,
    };
    let rule = |reserve: u128| (reserve * u128::from(bps) / BPS).min(u128::from(most));
    let tao = u128::from(behind.tao_rao);
    let share = rule(tao + u128::from(behind.value_rao)) - rule(tao);
    // At most the larger rule, which is a fifth of two 64-bit numbers.
    Some(u64::try_from(share).unwrap_or(u64::MAX))
}

fn check(case: &CaseView, shares: &Shares, now_secs: UnixSecs) -> Result<(), NotStated> {
    if case.status == CaseStatus::Dismissed {
        return Err(NotStated::Overturned { case: case.id });
    }
    let (filed_at_secs, life_secs) = (case.filed_at_secs, shares.filing_life_secs);
    if now_secs > filed_at_secs.saturating_add(life_secs) {
        return Err(NotStated::TooLate { case: case.id, filed_at_secs, life_secs });
    }
    Ok(())
}

/// States what stood behind the rental of a case that ended it.
///
/// # Errors
/// Another kind, overturned, too late, or nothing that would fall on alpha.
pub fn state_backing(
    case: &CaseView,
    rental: &RentalView,
    behind: &Behind,
    shares: &Shares,
    now_secs: UnixSecs,
) -> Result<AlphaBacking, NotStated> {
    if case.rental != rental.id {
        return Err(NotStated::OtherCase { case: case.id });
    }
    check(case, shares, now_secs)?;
    let earned_rao = earned(rental, now_secs);
    let share = on_alpha(case.kind, behind, earned_rao, shares).ok_or(NotStated::NoSuchKind { case: case.id })?;
    // What alpha would bear if all of the reserve were alpha is what TAO had to bear.
    let in_tao = Behind { value_rao: behind.tao_rao, tao_rao: 0, ..*behind };
    if case.penalty_rao == 0 && on_alpha(case.kind, &in_tao, earned_rao, shares).is_some_and(|rao| rao > 0) {
        return Err(NotStated::NotPunished { case: case.id });
    }
    if share == 0 {
        return Err(NotStated::NoPenalty { case: case.id });
    }
    Ok(AlphaBacking {
        vault: behind.vault,
        owner: behind.owner,
        machine: rental.machine,
        registration: case.registration,
        case: case.id,
        kind: case.kind,
        rental: rental.id,
        tao_reserve_rao: behind.tao_rao,
        alpha: behind.alpha,
        alpha_value_rao: behind.value_rao,
        earned_rao,
        stated_at_secs: now_secs,
    })
}

/// States what of a `Spoofed` penalty was more than TAO could bear: class bond times cards, less what the Arbiter has
/// set aside.
///
/// # Errors
/// Another kind, overturned, too late, or nothing left.
pub fn state_shortfall(
    case: &CaseView,
    machine: MachineId,
    claimed: Claimed,
    behind: &Behind,
    shares: &Shares,
    now_secs: UnixSecs,
) -> Result<AlphaShortfall, NotStated> {
    if case.kind != Kind::Spoofed {
        return Err(NotStated::NoSuchKind { case: case.id });
    }
    check(case, shares, now_secs)?;
    let whole = claimed.class_bond_rao.saturating_mul(u64::from(claimed.gpu_count));
    let shortfall_rao = whole.saturating_sub(case.penalty_rao);
    if shortfall_rao == 0 {
        return Err(NotStated::NoPenalty { case: case.id });
    }
    Ok(AlphaShortfall {
        vault: behind.vault,
        owner: behind.owner,
        machine,
        registration: case.registration,
        case: case.id,
        alpha: behind.alpha,
        alpha_value_rao: behind.value_rao,
        shortfall_rao,
        stated_at_secs: now_secs,
    })
}

/// States what became of a case: overturned, or what its rental has earned by now (an interruption filed later makes
/// that less, and so the penalty).
///
/// # Errors
/// `OtherCase`: the rental is not the case's.
pub fn state_verdict(
    vault: Hash32,
    case: &CaseView,
    rental: Option<&RentalView>,
    now_secs: UnixSecs,
) -> Result<AlphaVerdict, NotStated> {
    if case.rental != rental.map_or(0, |rental| rental.id) {
        return Err(NotStated::OtherCase { case: case.id });
    }
    let id: CaseId = case.id;
    let dismissed = case.status == CaseStatus::Dismissed;
    let earned_rao = rental.map_or(0, |rental| earned(rental, now_secs));
    Ok(AlphaVerdict { vault, case: id, dismissed, earned_rao, stated_at_secs: now_secs })
}
