//! Step 5: one machine is killed. What keepers make of it is checked to the rao, and its evidence by anybody's means.

use super::complaint::complained;
use super::stage::{Rented, Stage};
use super::surety::surety;
use crate::wait::Seen;
use alloy::primitives::B256;
use alloy::sol_types::SolEvent;
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
use surety_client::bindings::standins::BalanceTransferStandIn;
use surety_client::bindings::{Arbiter, IArbiter, IRentalEscrow};
use surety_client::subtensor::{BALANCE_TRANSFER, BURN_ACCOUNT};
use surety_client::units::tao;
use surety_core::types::{Account, Hash32, Kind, Rao};

/// How long the machine serves before it is killed, chain seconds: every keeper has seen it well by then.
const SERVES_SECS: u64 = 6;
const FILED_LIMIT: Duration = Duration::from_secs(45);
const SETTLED_LIMIT: Duration = Duration::from_secs(35);
/// `IArbiter.Status`.
const EXECUTED: u8 = 3;
/// The first and only case.
const CASE: u64 = 1;

pub(super) async fn outage(stage: &mut Stage, lost: &Rented, kept: &Rented) -> Result<()> {
    let start_secs = stage.chain.rental(lost.rental).await?.start_secs;
    stage.chain_time(start_secs + SERVES_SECS, "the rental has been served for a while", 20).await?;
    let machine = stage.machines.get_mut(lost.miner).context("no such machine")?;
    machine.kill();
    let name = machine.name.clone();
    stage.show.say("machine_killed", &format!("{name} is killed with SIGKILL"), json!({ "machine": name }));
    complained(stage, lost, kept.renter).await?;
    let case = filed(stage, lost).await?;
    evidence(stage).await?;
    in_use(stage).await?;
    settled(stage, lost, &case).await
}

/// The deployment is audited in the middle of its life, too: a rental and a wish are open, a case is undecided, and
/// money is everywhere.
async fn in_use(stage: &Stage) -> Result<()> {
    let audited = stage.audited().await?;
    let owes = |contract: &str, what: &str| {
        let sum = audited.report.sums.iter().find(|sum| sum.contract == contract);
        let part = sum.and_then(|sum| sum.parts.iter().find(|(name, _)| *name == what));
        ensure!(part.is_some_and(|(_, rao)| *rao > 0), "{contract} owes nothing for {what}");
        Ok(())
    };
    owes("CollateralVault", "bond, behind rentals")?;
    owes("CollateralVault", "bond, held in cases")?;
    owes("RentalEscrow", "rent withheld, undecided")?;
    owes("RentalBids", "open wishes")
}

/// Waits for the case, and checks everything that must have happened in the transaction that filed it.
async fn filed(stage: &Stage, lost: &Rented) -> Result<IArbiter::Case> {
    let what = "keepers have filed a case";
    let case = stage.seer.until(what, FILED_LIMIT, async || {
        if stage.chain.arbiter.caseCount().call().await? >= CASE {
            return Ok(Seen::Done(stage.chain.case(CASE).await?));
        }
        Ok(Seen::NotYet(said(stage, lost).await))
    });
    let case = case.await?;
    ensure!(case.kind == Kind::Offline as u8, "the case is of kind {}, expected Offline", case.kind);
    ensure!(case.rental == lost.rental, "the case is about rental {}", case.rental);
    let raw = stage.chain.raw_rental(lost.rental).await?;
    check_cut(lost, &case, &raw)?;
    let refund = lost.price_rao_per_sec * (lost.end_secs - u64::from(raw.end));
    let renter = stage.renters.get(lost.renter).context("no such renter")?;
    let credit = stage.chain.escrow_credit(renter.actor.account()).await?;
    ensure!(credit == refund, "{} has {credit} rao of credit, expected {refund} at once", renter.actor.name);
    let penalty = check_penalty(stage, lost, &case, &raw).await?;
    let text = format!(
        "case {CASE} is filed: the rental ends, {} s without service are withheld, {} TAO are {}'s at once, {} TAO of \
         the bond are set aside",
        case.withheldSecs,
        tao(refund),
        renter.actor.name,
        tao(penalty)
    );
    let facts = json!({
        "case": CASE, "kind": "Offline", "withheld_secs": case.withheldSecs,
        "refund_rao": refund, "penalty_rao": penalty,
    });
    stage.show.say("case_filed", &text, facts);
    Ok(case)
}

/// What keepers have said so far, for the message when they never file.
async fn said(stage: &Stage, lost: &Rented) -> String {
    let mut counts = Vec::new();
    for keeper in stage.keepers.iter() {
        let path = format!("v1/attestations/{}", lost.rental);
        let said = match stage.api.get::<Value>(&keeper.url(), &path).await {
            Ok(answer) => answer["attestations"].as_array().map_or(0, Vec::len).to_string(),
            Err(error) => format!("({error:#})"),
        };
        counts.push(format!("{} knows {said} attestations", keeper.name));
    }
    counts.join(", ")
}

/// The rental ended when the case was filed, and everything since the last good second is withheld.
fn check_cut(lost: &Rented, case: &IArbiter::Case, raw: &IRentalEscrow::Rental) -> Result<()> {
    ensure!(raw.end == case.filedAt, "the rental ends at {}, the case was filed at {}", raw.end, case.filedAt);
    ensure!(u64::from(raw.end) < lost.end_secs, "the rental was not cut short");
    ensure!(raw.openSecs == case.withheldSecs && raw.faultedSecs == case.withheldSecs, "withheld: {raw:?}");
    ensure!(case.withheldSecs > 0, "nothing is withheld");
    Ok(())
}

/// min(1,000 bps of the reserve, rent earned), in `held`.
async fn check_penalty(
    stage: &Stage,
    lost: &Rented,
    case: &IArbiter::Case,
    raw: &IRentalEscrow::Rental,
) -> Result<Rao> {
    let earned = lost.price_rao_per_sec * u64::from(raw.end - raw.start - raw.faultedSecs);
    let miner = stage.miners.get(lost.miner).context("no such miner")?;
    let bond = stage.chain.bond(miner.machine()).await?;
    let reserve = bond.reserved + bond.held;
    let expected = std::cmp::min(reserve * 1_000 / 10_000, earned);
    ensure!(case.penalty == expected, "the penalty is {} rao, expected {expected}", case.penalty);
    ensure!(bond.held == expected, "{} rao are held, expected {expected}", bond.held);
    ensure!(expected > 0, "the penalty is nothing");
    Ok(expected)
}

/// Fetches what the case's attestations rest on, and has the command line check it; a changed copy must fail.
async fn evidence(stage: &Stage) -> Result<()> {
    let (signers, digests) = filing(stage).await?;
    ensure!(signers.len() >= 2 && signers.len() == digests.len(), "{} signers", signers.len());
    for (signer, digest) in signers.iter().zip(&digests) {
        let keeper = stage.keepers.iter().find(|keeper| keeper.account == *signer).context("signed by no keeper")?;
        let what = format!("{} shows the evidence {digest}", keeper.name);
        let bundle = stage.seer.until(&what, Duration::from_secs(15), async || {
            let bundle: Value = stage.api.get(&keeper.url(), &format!("evidence/{digest}")).await?;
            Ok(Seen::Done(bundle))
        });
        let bundle = bundle.await?;
        let path = stage.dir.join(format!("evidence-{}.json", keeper.name));
        std::fs::write(&path, serde_json::to_vec(&bundle)?)?;
        let says = verify(stage, &path).await?.map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
        let text = format!("the evidence of {} holds (surety evidence verify {})", keeper.name, path.display());
        stage.show.say("evidence", &text, json!({ "keeper": keeper.name, "digest": digest, "says": says }));
        forged(stage, &path, bundle).await?;
    }
    Ok(())
}

/// The same evidence with one number changed proves nothing.
async fn forged(stage: &Stage, path: &Path, mut bundle: Value) -> Result<()> {
    let number = &mut bundle["evidence"]["block"]["number"];
    *number = json!(number.as_u64().unwrap_or_default() + 1);
    let path: PathBuf = path.with_extension("forged.json");
    std::fs::write(&path, serde_json::to_vec(&bundle)?)?;
    match verify(stage, &path).await? {
        Err(_) => Ok(()),
        Ok(says) => bail!("forged evidence was accepted: {says}"),
    }
}

/// Runs `surety evidence verify`; what it says, as `Ok` when it exits with 0.
async fn verify(stage: &Stage, path: &Path) -> Result<Result<String, String>> {
    surety(stage, |command| {
        command.args(["evidence", "verify"]).arg(path).arg("--deployment").arg(&stage.deployment_path);
    })
    .await
}

/// Signers and evidence digests, from the event of the filing.
async fn filing(stage: &Stage) -> Result<(Vec<Account>, Vec<Hash32>)> {
    let head = stage.chain.head().await?.number;
    let logs = stage.chain.node.logs(vec![*stage.chain.arbiter.address()], stage.chain.deployment.block, head).await?;
    let filed = logs.iter().find_map(|log| Arbiter::Filed::decode_log(&log.inner).ok()).context("no Filed event")?;
    let signers = filed.signers.iter().map(|signer| Account(signer.into_array())).collect();
    Ok((signers, filed.evidence.iter().map(|digest| Hash32(digest.0)).collect()))
}

/// Waits until keepers have executed the case and burned the penalty.
async fn settled(stage: &Stage, lost: &Rented, case: &IArbiter::Case) -> Result<()> {
    let limit = SETTLED_LIMIT + Duration::from_secs(stage.patience_secs());
    let executed = stage.seer.until("the case is executed", limit, async || {
        let status = stage.chain.case(CASE).await?.status;
        Ok(if status == EXECUTED { Seen::Done(()) } else { Seen::NotYet(format!("its status is {status}")) })
    });
    executed.await?;
    let renter = stage.renters.get(lost.renter).context("no such renter")?;
    let credit = stage.chain.escrow_credit(renter.actor.account()).await?;
    let raw = stage.chain.raw_rental(lost.rental).await?;
    let withheld = lost.price_rao_per_sec * u64::from(case.withheldSecs);
    let refund = lost.price_rao_per_sec * (lost.end_secs - u64::from(raw.end));
    ensure!(credit == refund + withheld, "{} has {credit} rao of credit", renter.actor.name);
    let text = format!("after the appeal window the case is executed: {} TAO withheld go to the renter", tao(withheld));
    stage.show.say("case_executed", &text, json!({ "case": CASE, "withheld_rao": withheld }));
    let ledger = BalanceTransferStandIn::new(BALANCE_TRANSFER, stage.chain.node.provider().clone());
    let burned = stage.seer.until("the penalty is burned", SETTLED_LIMIT, async || {
        let burned = ledger.balanceOf(B256::from(BURN_ACCOUNT)).call().await?;
        let all = burned == alloy::primitives::U256::from(case.penalty);
        Ok(if all { Seen::Done(()) } else { Seen::NotYet(format!("{burned} of {} rao", case.penalty)) })
    });
    burned.await?;
    let text = format!("the penalty of {} TAO is at the chain's burn account", tao(case.penalty));
    stage.show.say("burned", &text, json!({ "rao": case.penalty }));
    Ok(())
}
