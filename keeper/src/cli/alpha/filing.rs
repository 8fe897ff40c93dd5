//! What keepers signed, as what the vault takes. Pure: signed statements in, a message or the reason against it out.
//! The vault asks for two quorums of its roll: of a statement, and of attestations or spoofs; no signer twice, all
//! ascending, nothing ahead of time or too old, and no statement from before the outage's end.

use super::agreed::{Electorate, are_quorum, largest};
use super::words::date;
use std::collections::BTreeMap;
use surety_client::digest::{TimeTooFar, compact, secs32};
use surety_core::alpha::{AlphaBacking, AlphaShortfall, AlphaStatement, AlphaVerdict};
use surety_core::quorum::{Offered, agree};
use surety_core::statement::{Attestation, Signed, Spoof};
use surety_core::types::{CaseId, Kind, MachineId, RentalId, Signature, UnixSecs};
use surety_substrate::alpha::message::{Amend, SetAside, SetAsideSpoofed};
use surety_substrate::alpha::types::{self, Stated};
use surety_substrate::ss58::AccountId;

/// Why what keepers signed is nothing that the vault takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoFiling {
    /// Nobody says anything.
    #[error("no keeper of the vault's roll states anything of case {case}: each says above why")]
    Nothing {
        /// The Arbiter's case.
        case: CaseId,
    },
    /// Too few, or they differ.
    #[error("{signers} keepers state case {case} alike, which is no quorum of the vault's roll of {roll}")]
    NoQuorum {
        /// The Arbiter's case.
        case: CaseId,
        /// How many agree.
        signers: usize,
        /// How many there are.
        roll: usize,
    },
    /// No attestations that would do.
    #[error(
        "the keepers hold no attestations of rental {rental}'s outage by a quorum of the vault's roll that are not too \
         old: without them the vault takes no case"
    )]
    NoAttestations {
        /// The rental.
        rental: RentalId,
    },
    /// No spoofs that would do.
    #[error(
        "the keepers hold no spoofs of machine {machine} by a quorum of the vault's roll that are not too old: without \
         them the vault takes no case"
    )]
    NoSpoofs {
        /// The machine.
        machine: MachineId,
    },
    /// A quorum's statements, but not of after the outage.
    #[error(
        "the statements of case {case} are from before {}, when what they are about was last seen: ask again",
        date(*until_secs)
    )]
    TooEarly {
        /// The Arbiter's case.
        case: CaseId,
        /// The end of what was attested, Unix seconds.
        until_secs: UnixSecs,
    },
    /// A time that the contracts cannot hold.
    #[error(transparent)]
    Time(#[from] TimeTooFar),
}

/// Who counts, and when it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judging<'a> {
    /// The vault's roll.
    pub(super) roll: &'a Electorate,
    /// The vault's time, Unix seconds.
    pub(super) now_secs: UnixSecs,
    /// How old what is filed may be, in seconds.
    pub(super) life_secs: u64,
}

impl Judging<'_> {
    /// Whether something of this date may be filed now.
    pub(super) fn is_timely(&self, date_secs: UnixSecs) -> bool {
        (self.now_secs.saturating_sub(self.life_secs)..=self.now_secs).contains(&date_secs)
    }

    /// The statements that a quorum makes alike, but for their dates.
    pub(super) fn alike<T: Clone, K: PartialEq>(
        &self,
        case: CaseId,
        statements: &[Signed<T>],
        same: impl Fn(&T) -> K,
    ) -> Result<Vec<Signed<T>>, NoFiling> {
        let group = largest(self.roll, statements, same);
        if group.is_empty() {
            return Err(NoFiling::Nothing { case });
        }
        if !are_quorum(self.roll, &group) {
            return Err(NoFiling::NoQuorum { case, signers: group.len(), roll: self.roll.len() });
        }
        Ok(group)
    }

    /// The statements that are not older than what they are about, as long as they are a quorum.
    fn after<T: Clone>(
        &self,
        case: CaseId,
        statements: &[Signed<T>],
        until_secs: UnixSecs,
        at: fn(&T) -> UnixSecs,
    ) -> Result<Vec<Signed<T>>, NoFiling> {
        let late: Vec<_> = statements.iter().filter(|signed| at(&signed.statement) >= until_secs).cloned().collect();
        if are_quorum(self.roll, &late) { Ok(late) } else { Err(NoFiling::TooEarly { case, until_secs }) }
    }

    /// The message that sets aside what of a rental's penalty falls on alpha. `backings` are alike.
    pub(super) fn set_aside(
        &self,
        backings: &[Signed<AlphaBacking>],
        attestations: &[Signed<Attestation>],
    ) -> Result<SetAside, NoFiling> {
        let first = backings.first().map(|signed| signed.statement).ok_or(NoFiling::Nothing { case: 0 })?;
        let fits = |a: &Attestation| (a.kind, a.rental) == (first.kind, first.rental) && self.is_timely(a.until_secs);
        let fitting: Vec<_> = attestations.iter().filter(|signed| fits(&signed.statement)).collect();
        let offered = fitting.iter().enumerate().filter(|(_, signed)| self.roll.contains_key(&signed.signer));
        let offered = offered.map(|(index, signed)| {
            let Attestation { from_secs, until_secs, .. } = signed.statement;
            Offered { signer: signed.signer, index, from_secs, until_secs }
        });
        let none = NoFiling::NoAttestations { rental: first.rental };
        let agreed = agree(self.roll, &offered.collect::<Vec<_>>()).ok_or(none)?;
        let members: Vec<_> = agreed.members.values().filter_map(|index| fitting.get(*index)).collect();
        let until_secs = members.iter().map(|signed| signed.statement.until_secs).min().unwrap_or(0);
        let late = self.after(first.case, backings, until_secs, |s| s.stated_at_secs)?;
        Ok(SetAside {
            backing: backing(&first),
            stated: stated(&late, |s| s.stated_at_secs)?,
            attestations: members.into_iter().map(|signed| attestation(signed)).collect::<Result<_, _>>()?,
        })
    }

    /// The message that sets aside what of a `Spoofed` penalty TAO could not bear. `shortfalls` are alike.
    pub(super) fn set_aside_spoofed(
        &self,
        shortfalls: &[Signed<AlphaShortfall>],
        spoofs: &[Signed<Spoof>],
    ) -> Result<SetAsideSpoofed, NoFiling> {
        let first = shortfalls.first().map(|signed| signed.statement).ok_or(NoFiling::Nothing { case: 0 })?;
        let about = |s: &Spoof| (s.machine, s.registration) == (first.machine, first.registration);
        let fits = |signed: &&Signed<Spoof>| {
            about(&signed.statement)
                && self.is_timely(signed.statement.proved_at_secs)
                && self.roll.contains_key(&signed.signer)
        };
        let mut fitting: Vec<_> = spoofs.iter().filter(fits).cloned().collect();
        // Of one signer's the last counts: the newest.
        fitting.sort_by_key(|signed| signed.statement.proved_at_secs);
        let spoofs = largest(self.roll, &fitting, |s| (s.gpu_class, s.gpu_count));
        let none = NoFiling::NoSpoofs { machine: first.machine };
        let claimed = spoofs.first().map(|signed| signed.statement).filter(|_| are_quorum(self.roll, &spoofs));
        let claimed = claimed.ok_or(none)?;
        let proved_at = spoofs.iter().map(|signed| signed.statement.proved_at_secs).min().unwrap_or(0);
        let late = self.after(first.case, shortfalls, proved_at, |s| s.stated_at_secs)?;
        Ok(SetAsideSpoofed {
            shortfall: shortfall(&first),
            gpu_class: claimed.gpu_class,
            gpu_count: claimed.gpu_count,
            stated: stated(&late, |s| s.stated_at_secs)?,
            spoofs: spoofs.iter().map(spoof).collect::<Result<_, _>>()?,
        })
    }
}

/// The message that brings a verdict to a case of the vault. `verdicts` are alike.
pub(super) fn amend(case: u32, verdicts: &[Signed<AlphaVerdict>]) -> Result<Amend, NoFiling> {
    let first = verdicts.first().map(|signed| signed.statement).ok_or(NoFiling::Nothing { case: 0 })?;
    let verdict = types::Verdict { dismissed: first.dismissed, earned: first.earned_rao };
    Ok(Amend { case, verdict, stated: stated(verdicts, |s| s.stated_at_secs)? })
}

/// Attestations or spoofs that several keepers showed, each once.
pub(super) fn once<T: Copy + Ord>(shown: Vec<Signed<T>>) -> Vec<Signed<T>> {
    let each: BTreeMap<_, _> = shown.into_iter().map(|signed| ((signed.signer, signed.statement), signed)).collect();
    each.into_values().collect()
}

/// A statement of a case but for its date: what all signers must say alike.
pub(super) fn dateless(statement: &AlphaStatement) -> AlphaStatement {
    let mut same = *statement;
    match &mut same {
        AlphaStatement::Bond(s) => s.stated_at_secs = 0,
        AlphaStatement::Backing(s) => s.stated_at_secs = 0,
        AlphaStatement::Shortfall(s) => s.stated_at_secs = 0,
        AlphaStatement::Verdict(s) => s.stated_at_secs = 0,
    }
    same
}

/// The vault's number of a kind that takes bond; `Interrupted` takes none.
fn kind(kind: Kind) -> types::Kind {
    match kind {
        Kind::NotDelivered => types::Kind::NotDelivered,
        Kind::Offline | Kind::Interrupted => types::Kind::Offline,
        Kind::Spoofed => types::Kind::Spoofed,
    }
}

fn backing(s: &AlphaBacking) -> types::Backing {
    types::Backing {
        owner: AccountId(s.owner.0),
        machine: s.machine.0,
        registration: s.registration,
        case_id: s.case,
        kind: kind(s.kind),
        rental: s.rental,
        tao_reserve: s.tao_reserve_rao,
        alpha: s.alpha,
        alpha_value: s.alpha_value_rao,
        earned: s.earned_rao,
    }
}

fn shortfall(s: &AlphaShortfall) -> types::Shortfall {
    types::Shortfall {
        owner: AccountId(s.owner.0),
        machine: s.machine.0,
        registration: s.registration,
        case_id: s.case,
        alpha: s.alpha,
        alpha_value: s.alpha_value_rao,
        shortfall: s.shortfall_rao,
    }
}

fn signature(signature: Signature) -> types::Signature {
    let (r, vs) = compact(signature);
    types::Signature { r: r.0, vs: vs.0 }
}

fn stated<T>(group: &[Signed<T>], at: fn(&T) -> UnixSecs) -> Result<Vec<Stated>, TimeTooFar> {
    let one = |signed: &Signed<T>| {
        Ok(Stated { stated_at: secs32(at(&signed.statement))?, signature: signature(signed.signature) })
    };
    group.iter().map(one).collect()
}

fn attestation(signed: &Signed<Attestation>) -> Result<types::Attestation, TimeTooFar> {
    let a = &signed.statement;
    Ok(types::Attestation {
        cause: a.cause as u8,
        from: secs32(a.from_secs)?,
        until: secs32(a.until_secs)?,
        evidence: a.evidence.0,
        signature: signature(signed.signature),
    })
}

fn spoof(signed: &Signed<Spoof>) -> Result<types::Spoof, TimeTooFar> {
    let (s, signature) = (&signed.statement, signature(signed.signature));
    Ok(types::Spoof { proved_at: secs32(s.proved_at_secs)?, evidence: s.evidence.0, signature })
}
