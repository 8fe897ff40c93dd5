//! What the chain made of a statement: does it know the rental as the evidence describes it, and which recorded faults
//! lie in what the keeper saw?

use super::report::{Check, Line, Report, date, span};
use crate::ports::Bundle;
use serde::Deserialize;
use surety_client::provider::{NodeError, Tag};
use surety_client::reader::Reader;
use surety_core::evidence::{Evidence, Outage, RentalFacts, Subject};
use surety_core::statement::{Attestation, Certificate, Spoof, Statement};
use surety_core::types::{Account, MachineId};
use surety_core::view::{CaseStatus, CaseView, KeeperView, RentalView};

/// Why the chain could not be compared, or does not agree.
#[derive(Debug, thiserror::Error)]
pub enum OnChainError {
    /// The node gave no answer.
    #[error("the chain could not be read: {0}")]
    Node(#[from] NodeError),
    /// The node has no finalized block.
    #[error("the node knows no finalized block: use one that is in sync")]
    NoBlock,
    /// The node is of another chain.
    #[error("the evidence is for chain {evidence}, the node answers for chain {node}")]
    OtherChain {
        /// In the evidence.
        evidence: u64,
        /// Of the node.
        node: u64,
    },
    /// The bundle is not of the known format.
    #[error("the evidence cannot be read: {0}")]
    NotEvidence(#[from] serde_json::Error),
    /// The chain says something else than the evidence.
    #[error("the check of {check} failed: {why}")]
    Failed {
        /// Which check.
        check: Check,
        /// What differs.
        why: String,
    },
}

/// Compares a bundle that [`super::verify_bundle`] has accepted with the finalized chain. The report says which cases
/// took time that the statement covers; that there is none is no error, since a statement alone does nothing.
///
/// # Errors
/// The chain could not be read, or knows the rental or machine otherwise than the evidence describes it.
pub async fn verify_on_chain(reader: &Reader, bundle: &Bundle) -> Result<Report, OnChainError> {
    let evidence = Evidence::deserialize(&bundle.evidence)?;
    let node_chain_id = reader.node().chain_id().await?;
    if node_chain_id != evidence.chain_id {
        return Err(OnChainError::OtherChain { evidence: evidence.chain_id, node: node_chain_id });
    }
    let block = reader.node().header(Tag::Finalized).await?.ok_or(OnChainError::NoBlock)?.number.to();
    let keepers = reader.keepers(block).await?;
    let mut lines = vec![Line { check: Check::Keeper, says: keeper_says(&keepers, bundle.signed.signer) }];
    let verdict = match (&bundle.signed.statement, &evidence.subject) {
        (Statement::Attestation(claim), Subject::Outage(outage)) => {
            outage_on_chain(reader, block, claim, outage, &mut lines).await?
        }
        (Statement::Certificate(claim), _) => certificate_on_chain(reader, block, claim, &mut lines).await?,
        (Statement::Spoof(claim), _) => spoof_on_chain(reader, block, claim, &mut lines).await?,
        (Statement::Attestation(_), _) => {
            return Err(failed(Check::Subject, "the statement is about a rental, the evidence about something else"));
        }
    };
    Ok(Report { lines, verdict })
}

fn failed(check: Check, why: impl Into<String>) -> OnChainError {
    OnChainError::Failed { check, why: why.into() }
}

async fn outage_on_chain(
    reader: &Reader,
    block: u64,
    claim: &Attestation,
    outage: &Outage,
    lines: &mut Vec<Line>,
) -> Result<String, OnChainError> {
    let rental = reader.rental_at(claim.rental, block).await?;
    lines.push(Line { check: Check::Subject, says: same_rental(&rental, &outage.rental)? });
    let mut taken = Vec::new();
    for fault in covered(&rental, claim) {
        let case = reader.case_at(fault.case_id, block).await?;
        lines.push(Line { check: Check::Recorded, says: case_says(&case, fault) });
        taken.push(fault);
    }
    Ok(recorded_verdict(&taken))
}

async fn certificate_on_chain(
    reader: &Reader,
    block: u64,
    claim: &Certificate,
    lines: &mut Vec<Line>,
) -> Result<String, OnChainError> {
    let now = reader.registration_of(claim.machine, block).await?;
    let says = same_registration(now, claim.machine, claim.registration, "certificate")?;
    lines.push(Line { check: Check::Subject, says });
    Ok("the certificate names a machine as the chain knows it".into())
}

async fn spoof_on_chain(
    reader: &Reader,
    block: u64,
    claim: &Spoof,
    lines: &mut Vec<Line>,
) -> Result<String, OnChainError> {
    let now = reader.registration_of(claim.machine, block).await?;
    let says = same_registration(now, claim.machine, claim.registration, "spoof")?;
    lines.push(Line { check: Check::Subject, says });
    Ok("the spoof names a machine as the chain knows it; whether a case was filed is in the Arbiter's events".into())
}

/// Whether the signer is an active keeper now; it may have been one then and no more, so that is no failure.
pub(super) fn keeper_says(keepers: &[KeeperView], signer: Account) -> String {
    match keepers.iter().find(|keeper| keeper.account == signer) {
        Some(keeper) if keeper.active => format!("{signer} is an active keeper with weight {}", keeper.weight),
        Some(_) => format!("{signer} is a keeper that is not active now: its signature counts for nothing at present"),
        None => format!("{signer} is no keeper now: its signature counts for nothing at present"),
    }
}

/// The chain knows the rental as the evidence describes it. Its end may have moved since.
pub(super) fn same_rental(rental: &RentalView, facts: &RentalFacts) -> Result<String, OnChainError> {
    let now = RentalFacts { end_secs: facts.end_secs, ..RentalFacts::from(rental) };
    if now == *facts {
        return Ok(format!("rental {} is on chain as the evidence describes it", facts.id));
    }
    let differs = [
        ("id", now.id != facts.id),
        ("machine", now.machine != facts.machine),
        ("renter", now.renter != facts.renter),
        ("renter's key", now.renter_key != facts.renter_key),
        ("GPUs", (now.gpu_class, now.gpu_count) != (facts.gpu_class, facts.gpu_count)),
        ("start", now.start_secs != facts.start_secs),
    ];
    let what = differs.iter().find(|(_, differs)| *differs).map_or("description", |(what, _)| *what);
    Err(failed(Check::Subject, format!("the {what} of rental {} on chain is another than in the evidence", facts.id)))
}

pub(super) fn same_registration(
    now: Option<u32>,
    machine: MachineId,
    registration: u32,
    what: &str,
) -> Result<String, OnChainError> {
    match now {
        Some(now) if now == registration => Ok(format!("machine {machine} has registration {registration}")),
        Some(now) => Err(failed(
            Check::Subject,
            format!("machine {machine} has registration {now} now: the {what} for {registration} serves no more"),
        )),
        None => Err(failed(Check::Subject, format!("machine {machine} was never registered"))),
    }
}

/// Time that a recorded fault took and that the statement covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Covered {
    pub(super) case_id: u64,
    pub(super) fault_from_secs: u64,
    pub(super) fault_until_secs: u64,
    pub(super) covered_secs: u64,
}

/// The recorded faults that share time with what the keeper saw.
pub(super) fn covered(rental: &RentalView, claim: &Attestation) -> Vec<Covered> {
    let shared = |fault: &surety_core::view::FaultView| {
        let from_secs = fault.from_secs.max(claim.from_secs);
        let until_secs = fault.until_secs.min(claim.until_secs);
        let covered_secs = until_secs.checked_sub(from_secs).filter(|secs| *secs > 0)?;
        let (case_id, fault_from_secs, fault_until_secs) = (fault.case_id, fault.from_secs, fault.until_secs);
        Some(Covered { case_id, fault_from_secs, fault_until_secs, covered_secs })
    };
    rental.faults.iter().filter_map(shared).collect()
}

fn case_says(case: &CaseView, fault: Covered) -> String {
    let status = match case.status {
        CaseStatus::Filed => {
            format!("filed; it is executed from {} on, unless appealed before", date(case.executable_at_secs))
        }
        CaseStatus::Appealed => "appealed, and waits for its judge".into(),
        CaseStatus::Executed => "executed: the penalty is burned".into(),
        CaseStatus::Dismissed => "dismissed: nothing was taken".into(),
        CaseStatus::Refunded => {
            format!("refunded; its penalty waits until {} and can be appealed before", date(case.executable_at_secs))
        }
        CaseStatus::RefundedAppealed => "refunded; its penalty is appealed, and waits for its judge".into(),
    };
    format!(
        "case {} withholds pay {}, of which this statement covers {} s; penalty {} rao; {status}",
        fault.case_id,
        span(fault.fault_from_secs, fault.fault_until_secs),
        fault.covered_secs,
        case.penalty_rao,
    )
}

fn recorded_verdict(taken: &[Covered]) -> String {
    match taken {
        [] => "no case on chain takes any time that this statement covers: it has cost nobody anything so far".into(),
        [one] => format!("case {} takes time that this statement covers", one.case_id),
        many => format!("{} cases take time that this statement covers", many.len()),
    }
}
