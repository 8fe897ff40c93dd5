//! What anybody brings to the model: cases and verdicts. It counts signatures and looks at dates, and keeps what it was
//! told; whose signatures they are is for the test to check.

use super::Call;
use subxt::ext::codec::Encode;
use surety_substrate::alpha::events::{Dismissed, Filed};
use surety_substrate::alpha::message;
use surety_substrate::alpha::refusal::Refusal;
use surety_substrate::alpha::types::{Case, Kind, Stated, Status};
use surety_substrate::ss58::AccountId;

/// What the model was told by somebody else than a bond's owner, and took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A case of a rental.
    SetAside(message::SetAside),
    /// A case of a machine.
    SetAsideSpoofed(message::SetAsideSpoofed),
    /// A verdict.
    Amend(message::Amend),
}

/// Whose bond, and for which of the Arbiter's cases.
struct About {
    owner: AccountId,
    machine: [u8; 32],
    kind: Kind,
    case_id: u64,
    registration: u32,
    rental: u64,
}

impl Call<'_> {
    pub(super) fn set_aside(&mut self, asked: &message::SetAside) -> Result<u32, Refusal> {
        let b = asked.backing.clone();
        let config = &self.vault.config;
        let bps = match b.kind {
            Kind::NotDelivered => config.not_delivered_bps,
            Kind::Offline => config.offline_bps,
            Kind::Spoofed => return Err(Refusal::BadKind),
        };
        let until = asked.attestations.iter().map(|one| one.until).min().unwrap_or(0);
        self.two(asked.attestations.len())?;
        self.timely(&asked.stated, until.into())?;
        let most = if b.kind == Kind::Offline { b.earned.into() } else { u128::MAX };
        let rule = |reserve: u64| (u128::from(reserve) * u128::from(bps) / 10_000).min(most);
        let share = rule(b.tao_reserve + b.alpha_value) - rule(b.tao_reserve);
        let alpha = u64::try_from(share * u128::from(b.alpha) / u128::from(b.alpha_value)).unwrap();
        let (owner, machine, kind, case_id) = (b.owner, b.machine, b.kind, b.case_id);
        let about = About { owner, machine, kind, case_id, registration: b.registration, rental: b.rental };
        let number = self.file(&about, alpha)?;
        self.vault.told.push(Told::SetAside(asked.clone()));
        Ok(number)
    }

    pub(super) fn set_aside_spoofed(&mut self, asked: &message::SetAsideSpoofed) -> Result<u32, Refusal> {
        let s = asked.shortfall.clone();
        let first = asked.spoofs.iter().map(|one| one.proved_at).min().unwrap_or(0);
        self.two(asked.spoofs.len())?;
        self.timely(&asked.stated, first.into())?;
        let share = u128::from(s.shortfall.min(s.alpha_value)) * u128::from(s.alpha) / u128::from(s.alpha_value);
        let (owner, machine, kind, case_id) = (s.owner, s.machine, Kind::Spoofed, s.case_id);
        let about = About { owner, machine, kind, case_id, registration: s.registration, rental: 0 };
        let number = self.file(&about, u64::try_from(share).unwrap())?;
        self.vault.told.push(Told::SetAsideSpoofed(asked.clone()));
        Ok(number)
    }

    /// Only dismissals are in the model.
    pub(super) fn amend(&mut self, asked: &message::Amend) -> Result<(), Refusal> {
        let at = usize::try_from(asked.case).unwrap().checked_sub(1).ok_or(Refusal::NoCase)?;
        let case = self.vault.cases.get(at).cloned().ok_or(Refusal::NoCase)?;
        if case.status != Status::Filed || !asked.verdict.dismissed {
            return Err(Refusal::NothingToAmend { status: case.status });
        }
        self.timely(&asked.stated, 0)?;
        let bond = &mut self.vault.bonds[usize::try_from(case.bond).unwrap() - 1];
        bond.held -= case.shares;
        bond.free += case.shares;
        self.vault.cases[at].status = Status::Dismissed;
        self.vault.told.push(Told::Amend(asked.clone()));
        let event = Dismissed { case: asked.case, shares: case.shares };
        self.event(Dismissed::TOPIC, &[event.case.encode()], &event);
        Ok(())
    }

    /// Two are a quorum here.
    fn two(&self, signers: usize) -> Result<(), Refusal> {
        if signers >= 2 { Ok(()) } else { Err(Refusal::NoQuorum { signers: u32::try_from(signers).unwrap() }) }
    }

    fn timely(&self, stated: &[Stated], after: u64) -> Result<(), Refusal> {
        self.two(stated.len())?;
        let oldest = self.now.saturating_sub(self.vault.config.filing_life_secs).max(after);
        for (index, one) in (0..).zip(stated) {
            let at = u64::from(one.stated_at);
            if at > self.now {
                return Err(Refusal::AheadOfTime { index });
            }
            if at < oldest {
                return Err(Refusal::Stale { index, oldest });
            }
        }
        Ok(())
    }

    fn file(&mut self, about: &About, alpha: u64) -> Result<u32, Refusal> {
        let at = self.vault.position(about.owner, about.machine).ok_or(Refusal::NoBond)?;
        let bond = u32::try_from(at + 1).unwrap();
        if let Some(case) = self.vault.judged.get(&(about.case_id, bond)) {
            return Err(Refusal::AlreadyJudged(*case));
        }
        let record = &mut self.vault.bonds[at];
        let shares = u128::from(alpha).min(record.free);
        if shares == 0 {
            return Err(Refusal::NothingToSetAside);
        }
        (record.free, record.held) = (record.free - shares, record.held + shares);
        let &About { kind, case_id, registration, rental, .. } = about;
        let (status, filed_at, rest) = (Status::Filed, self.now, 0);
        self.vault.cases.push(Case {
            kind,
            status,
            bond,
            case_id,
            registration,
            rental,
            shares,
            alpha,
            penalty_rao: rest,
            tao_first_rao: rest,
            value_rao: rest,
            filed_at,
            appeal_bond: rest,
            rule_by: rest,
        });
        let case = u32::try_from(self.vault.cases.len()).unwrap();
        self.vault.judged.insert((case_id, bond), case);
        let event = Filed { case, bond, kind, case_id, shares, alpha };
        self.event(Filed::TOPIC, &[case.encode(), bond.encode()], &event);
        Ok(case)
    }
}
