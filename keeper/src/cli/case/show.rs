//! `surety case show`: one case, explained: what the chain has on record, and what the keepers' evidence shows.

use super::proof::{Proof, proofs};
use super::words::{cause, is_decided, kind, kind_word, state, state_word};
use crate::cli::kit::amount::Tao;
use crate::cli::kit::exit::Stop;
use crate::cli::kit::out::Out;
use crate::cli::kit::place::{Keepers, Place, Where};
use crate::cli::kit::words::{Table, date, span};
use crate::cli::node::NodeState;
use alloy::primitives::Address;
use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};
use surety_client::bindings::{Arbiter, IArbiter, IRentalEscrow, RentalEscrow};
use surety_core::types::{CaseId, UnixSecs};

/// What `surety case show` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// The case.
    case: CaseId,
    /// Do not ask the keepers for evidence.
    #[arg(long)]
    chain_only: bool,
    #[command(flatten)]
    keepers: Keepers,
    #[command(flatten)]
    at: Where,
}

/// What the chain has on record.
pub(super) struct Record {
    pub(super) id: CaseId,
    pub(super) case: IArbiter::Case,
    pub(super) rental: Option<IRentalEscrow::Rental>,
    pub(super) faults: Vec<IRentalEscrow::Fault>,
    pub(super) node: NodeState,
    executable_at: Option<UnixSecs>,
    appealable_until: UnixSecs,
    appeal: IArbiter::Appeal,
}

pub(super) async fn run(arguments: &Show, out: Out) -> Result<()> {
    let place = Place::find(&arguments.at).await?;
    let record = record(&place, arguments.case).await?;
    let proofs = match arguments.chain_only {
        true => Vec::new(),
        false => proofs(&place, &arguments.keepers, &record, out).await?,
    };
    let words = format!("{}{}", words(&record, place.now_secs()), evidence_words(&proofs, arguments.chain_only));
    out.answer(words, || document(&record, &proofs));
    Ok(())
}

async fn record(place: &Place, id: CaseId) -> Result<Record> {
    let (arbiter, escrow, view) = (place.deployment.arbiter.address, place.deployment.escrow.address, place.view());
    let count = view.call(arbiter, &Arbiter::caseCountCall {}).await.context("the cases were not read")?;
    if id == 0 || id > count {
        return Err(Stop::refused(format!("there is no case {id}: the newest is {count} (surety case list)")));
    }
    let case = view.call(arbiter, &Arbiter::caseAtCall { caseId: id }).await.context("the case was not read")?;
    let executable_at = match is_decided(case.status) {
        true => None,
        false => Some(view.call(arbiter, &Arbiter::executableAtCall { caseId: id }).await.context("its time")?.into()),
    };
    let appealable_until = view.call(arbiter, &Arbiter::appealableUntilCall { caseId: id }).await;
    let appeal = view.call(arbiter, &Arbiter::appealOfCall { caseId: id }).await.context("its appeal")?;
    let (mut rental, mut faults) = (None, Vec::new());
    if case.rental != 0 {
        let found = view.call(escrow, &RentalEscrow::rentalAtCall { rental: case.rental }).await;
        rental = Some(found.context("its rental")?.r);
        faults = view.call(escrow, &RentalEscrow::faultsOfCall { rental: case.rental }).await.context("its faults")?;
        faults.retain(|fault| fault.caseId == id);
    }
    let node = NodeState::of(place, case.registration).await?;
    let appealable_until = appealable_until.map_or(0, UnixSecs::from);
    Ok(Record { id, case, rental, faults, node, executable_at, appealable_until, appeal })
}

fn words(record: &Record, now: UnixSecs) -> Table {
    let case = &record.case;
    let mut table = Table::new(format!("Case {}", record.id));
    table.row("says", kind(case.kind));
    table.row("because", cause(case.cause));
    table.row("state", state(case.status));
    table.row("filed", date(case.filedAt.into()));
    table.row("machine", format!("{}, registration {}", record.node.machine(), case.registration));
    table.row("miner", record.node.miner().to_string());
    match &record.rental {
        Some(rental) => {
            let price: u64 = rental.price.to();
            table.row("rental", format!("{}, of {}", case.rental, rental.renter));
            for fault in &record.faults {
                let length = fault.until.saturating_sub(fault.from);
                let times = format!("{} to {}", date(fault.from.into()), date(fault.until.into()));
                table.row("without", format!("service from {times}: {}", span(length.into())));
            }
            let pay = Tao(price.saturating_mul(case.withheldSecs.into()));
            table.row("withheld", format!("pay of {} s: {pay} TAO", case.withheldSecs));
        }
        None => table.row("rental", "none: the machine was idle"),
    }
    table.row("penalty", format!("{} TAO of bond set aside", Tao(case.penalty)));
    if case.slow {
        table.row("slow", "filed when the day's penalties were past the breaker: the penalty waits longer");
    }
    if record.appeal.ruleBy != 0 {
        let (bond, by) = (Tao(record.appeal.bond), date(record.appeal.ruleBy.into()));
        table.row("appeal", format!("made, with {bond} TAO; the judge has until {by}"));
    } else if !is_decided(case.status) && record.appealable_until > now {
        table.row("appeal", format!("possible until {}", date(record.appealable_until)));
    } else {
        table.row("appeal", "none was made");
    }
    if let Some(at) = record.executable_at {
        table.row("next", format!("can be executed by anybody from {} on", date(at)));
    }
    table
}

fn evidence_words(proofs: &[Proof], chain_only: bool) -> String {
    if chain_only {
        return "Evidence: not asked for (--chain-only)\n".into();
    }
    if proofs.is_empty() {
        return "Evidence: no keeper showed a signed statement about it. Ask others with --keeper\n".into();
    }
    let sound = proofs.iter().filter(|proof| proof.verdict.is_ok()).count();
    let mut text = format!("Evidence: {} signed statements, {sound} with evidence that holds\n", proofs.len());
    for proof in proofs {
        text.push_str(&format!("\nkeeper {}: {}\n", proof.signer, proof.says));
        match &proof.verdict {
            Ok(report) => report.lines().for_each(|line| text.push_str(&format!("  {line}\n"))),
            Err(why) => text.push_str(&format!("  NOT shown to hold: {why}\n")),
        }
    }
    text
}

fn document(record: &Record, proofs: &[Proof]) -> Value {
    let case = &record.case;
    let faults = record.faults.iter().map(|fault| json!({ "from_secs": fault.from, "until_secs": fault.until }));
    let price: u64 = record.rental.as_ref().map_or(0, |rental| rental.price.to());
    let renter = record.rental.as_ref().map(|rental| rental.renter).filter(|renter: &Address| !renter.is_zero());
    let appeal = (record.appeal.ruleBy != 0)
        .then(|| json!({ "bond_rao": record.appeal.bond.to_string(), "rule_by_secs": record.appeal.ruleBy }));
    let shown = |proof: &Proof| {
        let (report, why) = (proof.verdict.as_ref().ok(), proof.verdict.as_ref().err());
        json!({ "keeper": proof.signer, "digest": proof.digest, "says": proof.says, "holds": report.is_some(),
            "report": report, "why_not": why })
    };
    json!({
        "case": record.id, "kind": kind_word(case.kind), "state": state_word(case.status), "cause": cause(case.cause),
        "slow": case.slow, "machine": record.node.machine(), "registration": case.registration,
        "miner": record.node.miner(), "renter": renter, "rental": (case.rental != 0).then_some(case.rental),
        "filed_at_secs": case.filedAt, "executable_at_secs": record.executable_at,
        "appealable_until_secs": record.appealable_until, "appeal": appeal,
        "faults": faults.collect::<Vec<_>>(), "withheld_secs": case.withheldSecs,
        "withheld_rao": price.saturating_mul(case.withheldSecs.into()).to_string(),
        "penalty_rao": case.penalty.to_string(), "evidence": proofs.iter().map(shown).collect::<Vec<_>>(),
    })
}
