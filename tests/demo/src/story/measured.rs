//! Step 3, from the side of somebody who doubts it: what stands behind a certificate is run again, and was not of the
//! keeper's choosing.

use super::stage::Stage;
use super::surety::surety;
use crate::wait::Seen;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::time::Duration;
use surety_client::provider::Tag;
use surety_core::statement::{Certificate, Signed};
use surety_core::types::MachineId;

const SHOWN_LIMIT: Duration = Duration::from_secs(20);

/// They are measured when there is nothing better to do, and asked for three times within the first minute.
const FIGURES_LIMIT: Duration = Duration::from_secs(120);

/// Replays the measurement behind each certificate, and looks for its epoch among those that its keeper committed to.
pub(super) async fn replayed(stage: &Stage, certificates: &[Signed<Certificate>]) -> Result<()> {
    for certificate in certificates {
        let keeper = stage.keepers.iter().find(|keeper| keeper.account == certificate.signer);
        let keeper = keeper.context("a certificate of no keeper")?;
        let bundle = shown(stage, &keeper.url(), &format!("evidence/{}", certificate.statement.evidence)).await?;
        let file = stage.dir.join(format!("measured-by-{}.json", keeper.name));
        std::fs::write(&file, serde_json::to_vec(&bundle)?)?;
        let says = surety(stage, |command| {
            command.args(["verifier", "replay"]).arg(&file);
        });
        let says = says.await?;
        let says = says.map_err(|why| anyhow::anyhow!("{}: {why}", file.display()))?;
        ensure!(says.contains("verdict   proven"), "{} replays otherwise: {says}", file.display());
        committed(stage, &keeper.url(), &bundle).await?;
    }
    let text = format!("{} measurements run again to the same verdict (surety verifier replay)", certificates.len());
    stage.show.say("replayed", &text, json!({ "certificates": certificates.len() }));
    Ok(())
}

/// What some keeper has measured of everything but the cards: all ask, and whoever asks for GPUs comes first.
pub(super) async fn figures(stage: &Stage, machine: MachineId) -> Result<()> {
    let path = format!("v1/figures/{}", hex::encode(machine.0));
    let look = async || {
        for keeper in stage.keepers.iter() {
            if let Ok(shown) = stage.api.get::<Value>(&keeper.url(), &path).await {
                return Ok(Seen::Done((keeper.name.clone(), shown)));
            }
        }
        Ok(Seen::NotYet("no keeper shows any".into()))
    };
    let (keeper, shown) = stage.seer.until("soft figures are shown", FIGURES_LIMIT, look).await?;
    let threads = shown.pointer("/figures/threads").and_then(Value::as_u64).context("they name no threads")?;
    let text = format!("{keeper} has measured processors ({threads} threads), memory, disk and line (soft figures)");
    stage.show.say("figures", &text, shown);
    Ok(())
}

/// The epoch is one that the keeper shows and has not opened yet, and its block is the chain's.
async fn committed(stage: &Stage, url: &str, bundle: &Value) -> Result<()> {
    let used = bundle.pointer("/evidence/subject/transcript/challenge/epoch/secret_commitment");
    let used = used.context("the evidence names no epoch")?;
    let page = shown(stage, url, "v1/epochs").await?;
    let epochs = page["epochs"].as_array().context("no epochs are shown")?;
    let known = epochs.iter().find(|one| one["commitment"] == *used && one.get("secret").is_none());
    let known = known.with_context(|| format!("{url} measured with an epoch {used} that it does not show: {page}"))?;
    let first_block = known["first_block"].as_u64().context("the epoch has no first block")?;
    let header = stage.chain.node.header(Tag::Number(first_block)).await?.context("the chain has no such block")?;
    let hash = header.hash.map(hex::encode).context("the block is pending")?;
    let seeded = bundle.pointer("/evidence/subject/transcript/challenge/epoch/block_hash");
    ensure!(seeded == Some(&json!(hash)), "{url} seeded its epoch with {seeded:?}, block {first_block} is {hash}");
    Ok(())
}

/// What a keeper shows; one that was killed is started again.
async fn shown(stage: &Stage, url: &str, path: &str) -> Result<Value> {
    let get = async || Ok(Seen::Done(stage.api.get(url, path).await?));
    stage.seer.until(&format!("{url}/{path} is shown"), SHOWN_LIMIT, get).await
}
