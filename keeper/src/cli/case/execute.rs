//! `surety case execute`: what a case set aside goes where it belongs. Keepers do it; anybody may.

use super::words::{is_decided, kind, state, state_word};
use crate::cli::kit::amount::Tao;
use crate::cli::kit::exit::Stop;
use crate::cli::kit::money::{Deed, carry};
use crate::cli::kit::out::Out;
use crate::cli::kit::place::{Place, Where};
use crate::cli::kit::who::Signing;
use crate::cli::kit::words::date;
use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;
use surety_client::bindings::{Arbiter, IArbiter};
use surety_client::transaction::Order;
use surety_core::types::CaseId;

/// What `surety case execute` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct ExecuteArguments {
    /// The case.
    case: CaseId,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    at: Where,
}

async fn read(place: &Place, id: CaseId) -> Result<IArbiter::Case> {
    let call = Arbiter::caseAtCall { caseId: id };
    place.view().call(place.deployment.arbiter.address, &call).await.with_context(|| format!("case {id} was not read"))
}

/// A case that can be executed now.
async fn due(place: &Place, id: CaseId) -> Result<IArbiter::Case> {
    let case = read(place, id).await?;
    if case.status == 0 {
        return Err(Stop::refused(format!("there is no case {id}: check the id (surety case list)")));
    }
    if is_decided(case.status) {
        return Err(Stop::refused(format!("case {id} is decided: {}", state(case.status))));
    }
    let call = Arbiter::executableAtCall { caseId: id };
    let at = place.view().call(place.deployment.arbiter.address, &call).await.context("when it can be executed")?;
    if u64::from(at) > place.now_secs() {
        let why = format!("case {id} is {}; it can be executed from {} on", state(case.status), date(at.into()));
        return Err(Stop::refused(why));
    }
    Ok(case)
}

pub(super) async fn run(arguments: &ExecuteArguments, out: Out) -> Result<()> {
    let (actor, place) = (arguments.signing.actor()?, Place::find(&arguments.at).await?);
    let id = arguments.case;
    let before = due(&place, id).await?;
    let order = Order::call(place.deployment.arbiter.address, &Arbiter::executeCall { caseId: id });
    let deed = Deed::new(format!("Execute case {id}"), "Arbiter", order)
        .row("case", kind(before.kind))
        .row("state", state(before.status))
        .row("withheld", format!("pay of {} s goes to the renter", before.withheldSecs))
        .row("penalty", format!("at most {} TAO of bond is burned", Tao(before.penalty)));
    let carried = carry(&place, &arguments.signing, &actor, deed, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let after = read(&place.since(carried.block()).await?, id).await?;
    ensure!(after.status != before.status, "case {id} is as it was: {}", state(after.status));
    let words = format!("Case {id} is {}.", state(after.status));
    carried.tell(out, words, json!({ "case": id, "state": state_word(after.status) }))
}
