//! Messages that anybody brings to the vault: looked at, tried, and put into words before they are signed.

use super::deed::{Desk, Step, step};
use super::words::{Table, date};
use anyhow::Result;
use serde_json::{Value, json};
use surety_core::types::MachineId;
use surety_substrate::alpha::message::{Amend, Deed, SetAside, SetAsideSpoofed};
use surety_substrate::alpha::types::{Attestation, Kind, Stated};
use surety_substrate::amount::Amount;
use surety_substrate::ss58::AccountId;

/// Whose bond it is about, and which.
struct About {
    owner: AccountId,
    machine: [u8; 32],
    case_id: u64,
    kind: Kind,
}

impl Desk<'_> {
    pub(super) async fn set_aside(&self, deed: &SetAside) -> Result<Step> {
        let b = &deed.backing;
        let would = self.vault.try_deed(self.owner, deed).await?;
        let about = About { owner: b.owner, machine: b.machine, case_id: b.case_id, kind: b.kind };
        let (mut table, json) = self.begin_case(&about, SetAside::NAME, &deed.stated, would.answer).await?;
        let (alpha, value, tao) = (Amount(b.alpha), Amount(b.alpha_value), Amount(b.tao_reserve));
        table.row("rental", format!("{}, which earned {} TAO", b.rental, Amount(b.earned)));
        table
            .row("behind it", format!("{tao} TAO, which bears first, then {alpha} alpha that counted for {value} TAO"));
        table.row("outage", outage(&deed.attestations));
        Ok(step(deed, would, table, json))
    }

    pub(super) async fn set_aside_spoofed(&self, deed: &SetAsideSpoofed) -> Result<Step> {
        let s = &deed.shortfall;
        let would = self.vault.try_deed(self.owner, deed).await?;
        let about = About { owner: s.owner, machine: s.machine, case_id: s.case_id, kind: Kind::Spoofed };
        let (mut table, json) = self.begin_case(&about, SetAsideSpoofed::NAME, &deed.stated, would.answer).await?;
        table.row("claimed", format!("{} cards of class {}", deed.gpu_count, deed.gpu_class));
        let (alpha, value) = (Amount(s.alpha), Amount(s.alpha_value));
        table.row("pledged", format!("{alpha} alpha that counted for {value} TAO"));
        table.row("shortfall", format!("{} TAO of the penalty that TAO did not bear", Amount(s.shortfall)));
        table.row("proved by", format!("{} keepers", deed.spoofs.len()));
        Ok(step(deed, would, table, json))
    }

    pub(super) async fn amend(&self, deed: &Amend) -> Result<Step> {
        let would = self.vault.try_deed(self.owner, deed).await?;
        let title = format!("Tell the vault what became of the Arbiter's case: its own case {}.", deed.case);
        let (mut table, mut json) = self.begin(title, Amend::NAME, None);
        match deed.verdict.dismissed {
            true => table.row("verdict", "dismissed: what is held is free bond again"),
            false => table.row("verdict", format!("the rental has earned {} TAO", Amount(deed.verdict.earned))),
        }
        table.row("stated by", stated_by(&deed.stated));
        json["case"] = json!(deed.case);
        json["dismissed"] = json!(deed.verdict.dismissed);
        json["earned_rao"] = json!(deed.verdict.earned);
        Ok(step(deed, would, table, json))
    }

    async fn begin_case(&self, about: &About, what: &str, stated: &[Stated], case: u32) -> Result<(Table, Value)> {
        let title = format!("Set aside what of case {} of the Arbiter falls on a bond of alpha.", about.case_id);
        let (mut table, mut json) = self.begin(title, what, Some(MachineId(about.machine)));
        table.row("kind", format!("{:?}", about.kind));
        table.row("bond of", about.owner.to_string());
        if let Some((number, bond)) = self.vault.bond(about.owner, about.machine).await? {
            table.row("bond", format!("{number}: {}", super::deed::bond_words(&bond)));
            json["bond"] = json!(number);
        }
        table.row("stated by", stated_by(stated));
        table.row("becomes", format!("case {case} of the vault"));
        json["arbiter_case"] = json!(about.case_id);
        json["kind"] = json!(format!("{:?}", about.kind));
        json["bond_owner"] = json!(about.owner.to_string());
        json["would_case"] = json!(case);
        Ok((table, json))
    }
}

fn stated_by(stated: &[Stated]) -> String {
    let first = stated.iter().map(|one| one.stated_at).min().unwrap_or(0);
    format!("{} keepers, alike, from {} on", stated.len(), date(first.into()))
}

/// What all attestations have in common.
fn outage(attestations: &[Attestation]) -> String {
    let from = attestations.iter().map(|one| one.from).max().unwrap_or(0);
    let until = attestations.iter().map(|one| one.until).min().unwrap_or(0);
    format!("from {} to {}, attested by {} keepers", date(from.into()), date(until.into()), attestations.len())
}
