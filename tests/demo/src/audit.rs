//! `surety audit`, on the story's chain as it is: it must hold, and it must not believe a record that says otherwise.

use crate::chain::Chain;
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use std::path::Path;
use surety_core::types::Rao;
use surety_deploy::audit::{AuditOptions, Report, Verdict};
use surety_deploy::network::Network;
use surety_deploy::record::DeploymentFile;

/// What an audit of a deployment in use went over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audited {
    /// At this block.
    pub block: u64,
    /// Answers that hold.
    pub answers: usize,
    /// Contracts, each compared byte for byte.
    pub contracts: usize,
    /// Rentals recounted.
    pub rentals: u64,
    /// Cases recounted.
    pub cases: u64,
    /// Wishes recounted.
    pub wishes: u64,
    /// Owed by all contracts together, by their records and as they say themselves.
    pub owed_rao: Rao,
    /// What it found in a record with one parameter changed.
    pub doubts: String,
    /// All of it.
    pub report: Report,
}

/// Audits what the deployment file says, at the newest block.
///
/// # Errors
/// Everything that does not hold, a line each; or a record with another fee that was believed.
pub async fn audited(chain: &Chain, deployment: &Path) -> Result<Audited> {
    let file = DeploymentFile::read(deployment)?.with_context(|| format!("there is no {}", deployment.display()))?;
    let report = audit(chain, &file).await?;
    let findings: Vec<String> = report.findings().map(ToString::to_string).collect();
    ensure!(report.holds && findings.is_empty(), "surety audit finds:\n{}", findings.join("\n"));
    Ok(Audited {
        block: report.block,
        answers: report.lines.iter().filter(|line| line.verdict == Verdict::Holds).count(),
        contracts: file.record.contracts.len(),
        rentals: chain.escrow.rentalCount().call().await?,
        cases: chain.arbiter.caseCount().call().await?,
        wishes: chain.bids.bidCount().call().await?,
        owed_rao: report.sums.iter().map(|sum| sum.liabilities_rao).sum(),
        doubts: doubts(chain, file).await?,
        report,
    })
}

/// The first finding in the same record with another fee among its parameters.
async fn doubts(chain: &Chain, mut file: DeploymentFile) -> Result<String> {
    file.record.parameters.shares.fee_bps += 1;
    let report = audit(chain, &file).await?;
    ensure!(!report.holds, "surety audit believes a record with another fee");
    let found = report.findings().next();
    Ok(found.context("surety audit holds nothing against a record with another fee")?.says.clone())
}

async fn audit(chain: &Chain, file: &DeploymentFile) -> Result<Report> {
    Ok(surety_deploy::audit::audit(&chain.node, file, &AuditOptions::new(Network::Local)).await?)
}
