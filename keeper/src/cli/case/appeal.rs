//! `surety case appeal`: the miner's objection, paid with its bond.

use super::words::{kind, state, state_word};
use crate::cli::kit::amount::Tao;
use crate::cli::kit::exit::Stop;
use crate::cli::kit::money::{Deed, carry};
use crate::cli::kit::out::Out;
use crate::cli::kit::parse;
use crate::cli::kit::place::{Place, Where};
use crate::cli::kit::who::Signing;
use crate::cli::kit::words::date;
use alloy::primitives::{B256, keccak256};
use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;
use std::io::Read;
use std::path::PathBuf;
use surety_client::bindings::Arbiter;
use surety_client::transaction::Order;
use surety_core::types::{CaseId, Hash32};

/// Longest file whose digest is taken.
const EVIDENCE_BYTES_MAX: u64 = 64 << 20;

/// What `surety case appeal` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct AppealArguments {
    /// The case.
    case: CaseId,
    /// A file that says what happened: its keccak256 goes on chain, the file to the judge by other ways.
    #[arg(long, value_name = "FILE", conflicts_with = "digest")]
    evidence: Option<PathBuf>,
    /// The digest itself.
    #[arg(long, value_name = "DIGEST", value_parser = parse::digest)]
    digest: Option<Hash32>,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    at: Where,
}

fn digest(arguments: &AppealArguments) -> Result<Hash32> {
    let Some(path) = &arguments.evidence else { return Ok(arguments.digest.unwrap_or_default()) };
    let mut bytes = Vec::new();
    let shown = || format!("the evidence {} cannot be read", path.display());
    let file = std::fs::File::open(path).with_context(shown)?;
    file.take(EVIDENCE_BYTES_MAX + 1).read_to_end(&mut bytes).with_context(shown)?;
    ensure!(
        bytes.len() as u64 <= EVIDENCE_BYTES_MAX,
        Stop::usage("the evidence is longer than 64 MiB: give its --digest")
    );
    Ok(Hash32(keccak256(&bytes).0))
}

pub(super) async fn run(arguments: &AppealArguments, out: Out) -> Result<()> {
    let evidence = digest(arguments)?;
    let (actor, place) = (arguments.signing.actor()?, Place::find(&arguments.at).await?);
    let (arbiter, case_id) = (place.deployment.arbiter.address, arguments.case);
    let view = place.view();
    let case = view.call(arbiter, &Arbiter::caseAtCall { caseId: case_id }).await;
    let case = case.with_context(|| format!("case {case_id} was not read"))?;
    if case.status == 0 {
        return Err(Stop::refused(format!("there is no case {case_id}: check the id (surety case list)")));
    }
    if !matches!(case.status, 1 | 5) {
        return Err(Stop::refused(format!("case {case_id} cannot be appealed: it is {}", state(case.status))));
    }
    let bond = view.call(arbiter, &Arbiter::appealBondOfCall { caseId: case_id }).await.context("the appeal's bond")?;
    let until = view.call(arbiter, &Arbiter::appealableUntilCall { caseId: case_id }).await.context("the window")?;
    let call = Arbiter::appealCall { caseId: case_id, evidence: B256::from(evidence.0) };
    let deed = Deed::new(format!("Appeal case {case_id}"), "Arbiter", Order::call(arbiter, &call).paying(bond))
        .row("case", kind(case.kind))
        .row("penalty", format!("{} TAO, withheld pay of {} s", Tao(case.penalty), case.withheldSecs))
        .row("evidence", evidence.to_string())
        .row("in time", format!("until {}", date(until.into())))
        .row("back", "the appeal's bond comes back unless the judge upholds the case");
    let carried = carry(&place, &arguments.signing, &actor, deed, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let again = place.again().await?;
    let after = again.view().call(arbiter, &Arbiter::caseAtCall { caseId: case_id }).await.context("the case")?;
    let appeal = again.view().call(arbiter, &Arbiter::appealOfCall { caseId: case_id }).await.context("the appeal")?;
    ensure!(matches!(after.status, 2 | 6), "case {case_id} is {}", state(after.status));
    let words = format!("Appealed: the judge has until {}; silence upholds the case.", date(appeal.ruleBy.into()));
    let result = json!({ "case": case_id, "state": state_word(after.status), "rule_by_secs": appeal.ruleBy });
    carried.tell(out, words, result)
}
