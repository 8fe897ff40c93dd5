//! `surety alpha case`: what the keepers say of a case of the Arbiter, brought to the vault, so that what of its
//! penalty falls on alpha is set aside; or what became of the case.

use super::agreed::{Electorate, of_roll};
use super::court::{Court, Heard, Side, sound};
use super::deed::Wanted;
use super::filing::{Judging, amend, dateless, once};
use super::place::Place;
use super::words::{Table, date};
use super::{Signing, Where, errand};
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use std::cmp::Reverse;
use surety_core::alpha::{AlphaBacking, AlphaShortfall, AlphaStatement, AlphaVerdict};
use surety_core::statement::{Attestation, Signed, Spoof, Statement};
use surety_core::types::{CaseId, Hash32, Kind};
use surety_substrate::alpha::AlphaVault;
use surety_substrate::alpha::types::Status;

/// Most attestations or spoofs of one keeper's answer whose signatures are looked at: the newest. A keeper signs a few
/// for an outage, and shows those of all.
const SHOWN_MAX: usize = 256;

/// Most of the vault's newest cases that are looked through for the Arbiter's.
const CASES_MAX: u32 = 256;

/// What `surety alpha case` takes.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct CaseArguments {
    /// The Arbiter's case, by its number.
    #[arg(long)]
    case: CaseId,
    /// Bring what became of the case, so that the vault's is dismissed or made smaller.
    #[arg(long)]
    verdict: bool,
    #[command(flatten)]
    side: Side,
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    signing: Signing,
}

pub(super) async fn run(arguments: &CaseArguments) -> Result<()> {
    let CaseArguments { case, verdict, side, at, signing } = arguments;
    let court = Court::find(side).await?;
    bring(&court, *case, *verdict, at, signing).await
}

/// Asks the keepers first and looks at the vault afterwards: its time is not before their statements' then.
pub(super) async fn bring(court: &Court, case: CaseId, verdict: bool, at: &Where, signing: &Signing) -> Result<()> {
    let (place, wanted) = match verdict {
        true => {
            let heard = court.ask(async |url: &str| court.asking.verdict(url, case).await).await;
            let place = Place::find(at).await?;
            let wanted = amending(court, &place, case, at, heard).await?;
            (place, wanted)
        }
        false => {
            let heard = court.ask(async |url: &str| court.asking.case(url, case).await).await;
            let place = Place::find(at).await?;
            let wanted = filing(court, &place, case, at, heard).await?;
            (place, wanted)
        }
    };
    errand::go(&place, &wanted, at, signing).await
}

/// A vault that judges by this Arbiter, its roll, and how old what is filed may be.
async fn vault<'a>(court: &Court, place: &'a Place, at: &Where) -> Result<(AlphaVault<'a>, Electorate, u64)> {
    let (vault, config) = place.vault(at).await?;
    let d = &court.deployment;
    let (found, want) = ((config.chain_id, config.arbiter), (d.chain_id, d.arbiter.address.0));
    ensure!(
        found == want,
        "the vault judges by the Arbiter 0x{} of chain {}, the deployment's is {} of {}: check --vault and \
         --deployment",
        hex::encode(found.1),
        found.0,
        d.arbiter.address,
        want.0
    );
    let roll = of_roll(&vault.roll().await?);
    Ok((vault, roll, config.filing_life_secs))
}

/// What a case asks of the vault: by which message, with whose signatures.
async fn filing(
    court: &Court,
    place: &Place,
    case: CaseId,
    at: &Where,
    heard: Vec<Heard<Signed<AlphaStatement>>>,
) -> Result<Wanted> {
    let (_, roll, life_secs) = vault(court, place, at).await?;
    let judging = Judging { roll: &roll, now_secs: place.now, life_secs };
    let heard = court.checked(heard, |signed| fits(&judging, Hash32(at.vault.0), case, signed));
    tell(at, case, &heard, statement_words);
    let alike = judging.alike(case, &sound(&heard), dateless)?;
    match alike.first().context("nobody states anything")?.statement {
        AlphaStatement::Backing(first) => {
            let backings: Vec<Signed<AlphaBacking>> = alike.iter().filter_map(|signed| each(signed, backing)).collect();
            let shown = court.ask(async |url: &str| court.asking.attestations(url, first.rental).await).await;
            let fits = |a: &Attestation| (a.kind, a.rental) == (first.kind, first.rental);
            let attestations = shown_by(court, &roll, shown, fits, |a| a.until_secs);
            Ok(Wanted::SetAside(judging.set_aside(&backings, &attestations)?))
        }
        AlphaStatement::Shortfall(first) => {
            let shortfalls: Vec<_> = alike.iter().filter_map(|signed| each(signed, shortfall)).collect();
            let shown = court.ask(async |url: &str| court.asking.spoofs(url, first.machine).await).await;
            let fits = |s: &Spoof| (s.machine, s.registration) == (first.machine, first.registration);
            let spoofs = shown_by(court, &roll, shown, fits, |s| s.proved_at_secs);
            Ok(Wanted::SetAsideSpoofed(judging.set_aside_spoofed(&shortfalls, &spoofs)?))
        }
        AlphaStatement::Bond(_) | AlphaStatement::Verdict(_) => bail!("case {case}: what was stated is of no case"),
    }
}

/// What the vault is told of what became of a case.
async fn amending(
    court: &Court,
    place: &Place,
    case: CaseId,
    at: &Where,
    heard: Vec<Heard<Signed<AlphaVerdict>>>,
) -> Result<Wanted> {
    let (vault, roll, life_secs) = vault(court, place, at).await?;
    let judging = Judging { roll: &roll, now_secs: place.now, life_secs };
    let known = Hash32(at.vault.0);
    let heard = court.checked(heard, |signed| {
        let s = signed.statement;
        its_own(&judging, (known, case), signed, (s.vault, s.case, s.stated_at_secs))
    });
    tell(at, case, &heard, verdict_words);
    let alike = judging.alike(case, &sound(&heard), |s| (s.dismissed, s.earned_rao))?;
    let mut refused = None;
    for number in pending(&vault, case).await? {
        let deed = amend(number, &alike)?;
        // Whoever asks: the vault takes a verdict from anybody.
        match vault.try_deed(vault.account(), &deed).await {
            Ok(_) => return Ok(Wanted::Amend(deed)),
            Err(error) => refused = Some(error),
        }
    }
    match refused {
        Some(error) => Err(error.into()),
        None => bail!("the vault has no undecided case for the Arbiter's case {case}: nothing to amend"),
    }
}

/// The vault's undecided cases for one of the Arbiter's, among its newest.
async fn pending(vault: &AlphaVault<'_>, case: CaseId) -> Result<Vec<u32>> {
    let last = vault.books().await?.cases;
    let mut numbers = Vec::new();
    for number in last.saturating_sub(CASES_MAX).saturating_add(1)..=last {
        let found = vault.case_at(number).await?;
        let open = |status| matches!(status, Status::Filed | Status::Appealed);
        numbers.extend(found.filter(|found| found.case_id == case && open(found.status)).map(|_| number));
    }
    Ok(numbers)
}

/// What stands against a statement of a case.
fn fits(judging: &Judging<'_>, vault: Hash32, case: CaseId, signed: &Signed<AlphaStatement>) -> Result<(), String> {
    let said = match signed.statement {
        AlphaStatement::Backing(s) if matches!(s.kind, Kind::NotDelivered | Kind::Offline) => {
            (s.vault, s.case, s.stated_at_secs)
        }
        AlphaStatement::Shortfall(s) => (s.vault, s.case, s.stated_at_secs),
        _ => return Err("left out: it is no statement of a case that takes bond".to_owned()),
    };
    its_own(judging, (vault, case), signed, said)
}

/// Whether it is of this vault and case, timely, and by a keeper of the roll.
fn its_own<T>(
    judging: &Judging<'_>,
    (vault, case): (Hash32, CaseId),
    signed: &Signed<T>,
    (its_vault, its_case, stated_at_secs): (Hash32, CaseId, u64),
) -> Result<(), String> {
    if (its_vault, its_case) != (vault, case) {
        return Err(format!("left out: it is about case {its_case} and the vault {its_vault}"));
    }
    if !judging.roll.contains_key(&signed.signer) {
        return Err("left out: it is not in the vault's roll".to_owned());
    }
    if !judging.is_timely(stated_at_secs) {
        return Err(format!("left out: dated {}, which the vault does not take now", date(stated_at_secs)));
    }
    Ok(())
}

fn each<T>(signed: &Signed<AlphaStatement>, of: fn(AlphaStatement) -> Option<T>) -> Option<Signed<T>> {
    let (signer, signature) = (signed.signer, signed.signature);
    of(signed.statement).map(|statement| Signed { statement, signer, signature })
}

fn backing(statement: AlphaStatement) -> Option<AlphaBacking> {
    if let AlphaStatement::Backing(s) = statement { Some(s) } else { None }
}

fn shortfall(statement: AlphaStatement) -> Option<AlphaShortfall> {
    if let AlphaStatement::Shortfall(s) = statement { Some(s) } else { None }
}

/// What the keepers show of what keepers of the roll have signed: each once, and signed by whom it says.
fn shown_by<T: Copy + Ord + Into<Statement>>(
    court: &Court,
    roll: &Electorate,
    heard: Vec<Heard<Vec<Signed<T>>>>,
    fits: impl Fn(&T) -> bool,
    at: impl Fn(&T) -> u64,
) -> Vec<Signed<T>> {
    let mut shown = Vec::new();
    for one in heard.into_iter().filter_map(|one| one.answer.ok()) {
        let fitting = one.into_iter().filter(|s| fits(&s.statement) && roll.contains_key(&s.signer));
        let mut newest: Vec<_> = fitting.collect();
        newest.sort_by_key(|signed| Reverse(at(&signed.statement)));
        newest.truncate(SHOWN_MAX);
        // Before they are made one: a keeper's forgery must not stand in for what another shows.
        shown.extend(newest.into_iter().filter(|signed| court.domains().check(signed).is_ok()));
    }
    once(shown)
}

/// Who says what, before anything else: where there is no quorum, it is the reason.
fn tell<T>(at: &Where, case: CaseId, heard: &[Heard<Signed<T>>], words: impl Fn(&T) -> String) {
    if at.json {
        return;
    }
    let mut table = Table::new(format!("What the keepers state of case {case} of the Arbiter."));
    for one in heard {
        let said = one.answer.as_ref().map_or_else(Clone::clone, |signed| words(&signed.statement));
        table.row("keeper", format!("{} {:?}: {said}", one.keeper, one.url));
    }
    print!("{table}");
}

fn statement_words(statement: &AlphaStatement) -> String {
    match statement {
        AlphaStatement::Backing(s) => format!("{:?} of rental {}, at {}", s.kind, s.rental, date(s.stated_at_secs)),
        AlphaStatement::Shortfall(s) => format!("Spoofed by {}, at {}", s.machine, date(s.stated_at_secs)),
        other => format!("{other:?}"),
    }
}

fn verdict_words(s: &AlphaVerdict) -> String {
    let what = if s.dismissed { "dismissed" } else { "not dismissed" };
    format!("{what}, at {}", date(s.stated_at_secs))
}

#[cfg(test)]
mod tests;
