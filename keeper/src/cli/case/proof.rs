//! The statements behind a case and their evidence: fetched from every keeper, believed from none, checked here with
//! the code of `surety evidence verify`.

use super::show::Record;
use crate::cli::evidence::{verify_bundle, verify_on_chain};
use crate::cli::kit::http::{BUNDLE_BYTES_MAX, Http, LIST_BYTES_MAX};
use crate::cli::kit::out::Out;
use crate::cli::kit::place::{Keepers, Place};
use crate::cli::kit::text::plain;
use crate::cli::kit::words::date;
use crate::ports::Bundle;
use anyhow::Result;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use surety_core::statement::{Attestation, Signed, Spoof, Statement};
use surety_core::types::{Account, Hash32};

/// Most statements whose evidence is fetched: as many as a quorum has signers, and some.
const PROOFS_MAX: usize = 32;

/// Most statements of one keeper's answer that are looked at.
const STATEMENTS_MAX: usize = 1_024;

/// Most characters of a report that are shown.
const REPORT_LINE_MAX: usize = 400;

/// One keeper's statement about the case, and whether its evidence holds.
pub(super) struct Proof {
    /// Who signed.
    pub(super) signer: Account,
    /// What its evidence hashes to.
    pub(super) digest: Hash32,
    /// What it says.
    pub(super) says: String,
    /// The checks that passed, line by line; or why it is not shown to hold.
    pub(super) verdict: Result<String, String>,
}

#[derive(Deserialize)]
struct Attestations {
    attestations: Vec<Signed<Attestation>>,
}

#[derive(Deserialize)]
struct Spoofs {
    spoofs: Vec<Signed<Spoof>>,
}

/// What the keepers hold about a case: statements of keepers with sound signatures, that can be behind it.
pub(super) async fn proofs(place: &Place, named: &Keepers, record: &Record, out: Out) -> Result<Vec<Proof>> {
    let (urls, http) = (place.urls(named).await?, Http::new()?);
    out.progress(format!("asking {} keepers for evidence ...", urls.len()));
    let keepers: BTreeSet<Account> = place.keepers().await?.into_iter().map(|keeper| keeper.account).collect();
    let mut statements: BTreeMap<(Account, Hash32), Signed<Statement>> = BTreeMap::new();
    for url in &urls {
        for one in statements_of(&http, url, record).await {
            let sound = keepers.contains(&one.signer) && place.domains().check(&one).is_ok();
            if sound && is_behind(&one.statement, record) {
                statements.insert((one.signer, one.statement.evidence()), one);
            }
        }
    }
    let mut proofs = Vec::new();
    for ((signer, digest), one) in newest(statements) {
        let verdict = examined(place, &http, &urls, digest).await;
        proofs.push(Proof { signer, digest, says: says(&one.statement), verdict });
    }
    Ok(proofs)
}

/// Each signer's statement that says the most, and no more than are worth fetching.
fn newest(all: BTreeMap<(Account, Hash32), Signed<Statement>>) -> Vec<((Account, Hash32), Signed<Statement>)> {
    let mut best: BTreeMap<Account, ((Account, Hash32), Signed<Statement>)> = BTreeMap::new();
    for (key, one) in all {
        let until = |one: &Signed<Statement>| match one.statement {
            Statement::Attestation(a) => a.until_secs,
            Statement::Spoof(s) => s.proved_at_secs,
            Statement::Certificate(c) => c.measured_at_secs,
        };
        if best.get(&key.0).is_none_or(|(_, known)| until(known) < until(&one)) {
            best.insert(key.0, (key, one));
        }
    }
    best.into_values().take(PROOFS_MAX).collect()
}

/// What one keeper shows; nothing when it does not answer.
async fn statements_of(http: &Http, url: &str, record: &Record) -> Vec<Signed<Statement>> {
    if record.case.rental == 0 || record.case.kind == 4 {
        let path = format!("/v1/spoofs/{}", record.node.machine());
        let page = http.get::<Spoofs>(url, &path, &[], LIST_BYTES_MAX).await;
        let spoofs = page.map(|page| page.spoofs).unwrap_or_default();
        return spoofs.into_iter().take(STATEMENTS_MAX).map(general).collect();
    }
    let path = format!("/v1/attestations/{}", record.case.rental);
    let page = http.get::<Attestations>(url, &path, &[], LIST_BYTES_MAX).await;
    let attestations = page.map(|page| page.attestations).unwrap_or_default();
    attestations.into_iter().take(STATEMENTS_MAX).map(general).collect()
}

fn general<T: Into<Statement>>(signed: Signed<T>) -> Signed<Statement> {
    Signed { statement: signed.statement.into(), signer: signed.signer, signature: signed.signature }
}

/// Whether a statement can be one that the case was filed with: it covers what was recorded.
fn is_behind(statement: &Statement, record: &Record) -> bool {
    match statement {
        Statement::Attestation(a) => {
            let covers = |fault: &surety_client::bindings::IRentalEscrow::Fault| {
                a.from_secs <= u64::from(fault.from) && u64::from(fault.until) <= a.until_secs
            };
            let ends_open = matches!(record.case.kind, 1 | 3);
            a.rental == record.case.rental
                && record.faults.iter().any(|fault| covers(fault) || (ends_open && a.from_secs <= fault.from.into()))
        }
        Statement::Spoof(s) => s.machine == record.node.machine() && s.registration == record.case.registration,
        Statement::Certificate(_) => false,
    }
}

fn says(statement: &Statement) -> String {
    match statement {
        Statement::Attestation(a) => {
            format!("saw rental {} fail from {} to {}", a.rental, date(a.from_secs), date(a.until_secs))
        }
        Statement::Spoof(s) => {
            format!("checked false proofs of {} GPUs, the last of {}", s.gpu_count, date(s.proved_at_secs))
        }
        Statement::Certificate(c) => format!("measured {} GPUs on {}", c.gpu_count, date(c.measured_at_secs)),
    }
}

/// The evidence under a digest, from whichever keeper has it, checked by itself and against the chain.
async fn examined(place: &Place, http: &Http, urls: &[String], digest: Hash32) -> Result<String, String> {
    let mut last = "no keeper showed the evidence".to_owned();
    for url in urls {
        let path = format!("/evidence/{digest}");
        let bundle: Bundle = match http.get(url, &path, &[], BUNDLE_BYTES_MAX).await {
            Ok(bundle) => bundle,
            Err(error) => {
                last = error.to_string();
                continue;
            }
        };
        if bundle.signed.statement.evidence() != digest {
            last = format!("{url} showed other evidence than asked for");
            continue;
        }
        let report = verify_bundle(&bundle, Some(&place.deployment)).map_err(|error| plain(&error.to_string(), 300))?;
        let on_chain = match verify_on_chain(&place.reader, &bundle).await {
            Ok(report) => report.to_string(),
            Err(error) => format!("not compared with the chain: {error}"),
        };
        let lines = format!("{report}\n{on_chain}");
        return Ok(lines.lines().map(|line| plain(line, REPORT_LINE_MAX)).collect::<Vec<_>>().join("\n"));
    }
    Err(plain(&last, 300))
}
