//! Step 5, from the renter's side: the machine does not answer, and `surety complain` tells the keepers. It proves
//! nothing to them; they look harder, and show it to anybody.

use super::stage::{Rented, Stage};
use super::surety::surety;
use crate::wait::Seen;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::time::Duration;

const SAYS: &str = "the connection broke off";
const SHOWN_LIMIT: Duration = Duration::from_secs(20);

/// The renter's complaint is taken and shown; nobody else can make one about this rental.
pub(super) async fn complained(stage: &Stage, lost: &Rented, other: usize) -> Result<()> {
    let refused = complain(stage, lost, other).await?;
    let why = refused.err().context("a complaint by somebody who does not rent the machine was sent")?;
    ensure!(why.contains("the renter of rental"), "refused, but not because of who it is: {why}");
    // A keeper may be dead at this moment; one that takes it is enough.
    let sent = stage.seer.until("a keeper takes the complaint", SHOWN_LIMIT, async || {
        Ok(match complain(stage, lost, lost.renter).await? {
            Ok(says) => Seen::Done(says),
            Err(why) => Seen::NotYet(why),
        })
    });
    let says = sent.await?;
    let shown = stage.seer.until("a keeper shows the complaint", SHOWN_LIMIT, async || shown(stage, lost).await);
    let keeper = shown.await?;
    let text = format!("the renter runs surety complain; {keeper} shows it at /v1/complaints/{}", lost.rental);
    stage.show.say("complained", &text, json!({ "rental": lost.rental, "says": says }));
    Ok(())
}

/// The first keeper that shows the complaint, with the renter's own words.
async fn shown(stage: &Stage, lost: &Rented) -> Result<Seen<String>> {
    let mut seen = Vec::new();
    for keeper in stage.keepers.iter() {
        match stage.api.get::<Value>(&keeper.url(), &format!("v1/complaints/{}", lost.rental)).await {
            Ok(page) if page["complaints"][0]["statement"]["text"] == SAYS => {
                return Ok(Seen::Done(keeper.name.clone()));
            }
            Ok(page) => seen.push(format!("{} shows {page}", keeper.name)),
            Err(error) => seen.push(format!("{}: {error:#}", keeper.name)),
        }
    }
    Ok(Seen::NotYet(seen.join(", ")))
}

/// Runs `surety complain` with a renter's key; what it says, as `Ok` when it exits with 0.
async fn complain(stage: &Stage, lost: &Rented, renter: usize) -> Result<Result<String, String>> {
    let renter = stage.renters.get(renter).context("no such renter")?;
    let key = hex::encode(stage.options.seed.bytes(&format!("evm/{}", renter.actor.name)));
    let rental = lost.rental.to_string();
    surety(stage, |command| {
        command.args(["complain", "--rental", &rental, "--code", "cannot-connect", "--text", SAYS]);
        command.arg("--deployment").arg(&stage.deployment_path).args(["--rpc", &stage.anvil.url()]);
        command.env("SURETY_KEY", key);
    })
    .await
}
