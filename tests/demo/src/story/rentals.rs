//! Step 4: two rentals, a wish, and who gets in.

use super::opening::{certificates, terms};
use super::stage::{Rented, Stage, WISH};
use crate::renter::{Answer, Wish};
use crate::wait::Seen;
use alloy::primitives::B256;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::time::Duration;
use surety_client::units::tao;

/// Longer than the story: this rental is to be cut short.
const LOST_SECS: u32 = 600;
/// Long enough to log in, over while the case of the other is decided.
const KEPT_SECS: u32 = 16;

/// The rental whose machine will be killed, and the one that runs to its end.
pub(super) async fn rent_two(stage: &Stage) -> Result<[Rented; 2]> {
    // One after the other, so that rental numbers are the same each time; the short one last.
    let lost = rent(stage, stage.cast.lost, 0, LOST_SECS).await?;
    let kept = rent(stage, stage.cast.kept, 1, KEPT_SECS).await?;
    tokio::try_join!(visit(stage, &lost), visit(stage, &kept), wish(stage, &kept))?;
    refused(stage, &lost, &kept).await?;
    Ok([lost, kept])
}

/// The second renter would rent for longer, for less than anybody offers: the wish waits.
async fn wish(stage: &Stage, kept: &Rented) -> Result<()> {
    let renter = stage.renters.get(kept.renter).context("no such renter")?;
    let wish = Wish { duration_secs: LOST_SECS, max_price_rao_per_sec: kept.price_rao_per_sec / 2 };
    let (bid, paid_rao) = renter.wish(&stage.chain, wish).await?;
    ensure!(bid == WISH, "wish {bid}, expected {WISH}");
    let text = format!(
        "{} wishes for {LOST_SECS} s at {} TAO a second (wish {bid}), pays {} TAO; nobody offers that",
        renter.actor.name,
        tao(wish.max_price_rao_per_sec),
        tao(paid_rao)
    );
    stage.show.say("wished", &text, json!({ "bid": bid, "paid_rao": paid_rao }));
    Ok(())
}

async fn rent(stage: &Stage, index: usize, renter_index: usize, duration_secs: u32) -> Result<Rented> {
    let miner = stage.miners.get(index).context("no such miner")?;
    let renter = stage.renters.get(renter_index).context("no such renter")?;
    let word = B256::from(miner.machine().0);
    let registration = stage.chain.vault.ownerOf(word).call().await?.registration;
    let quorum = certificates(stage, index, registration).await?;
    let (rental, paid_rao) = renter.rent(&stage.chain, miner.machine(), duration_secs, &quorum).await?;
    let price_rao_per_sec = terms(index).price_rao_per_sec;
    ensure!(paid_rao == price_rao_per_sec * u64::from(duration_secs), "{paid_rao} rao for {duration_secs} s");
    let view = stage.chain.rental(rental).await?;
    let reserved = stage.chain.bond(miner.machine()).await?.reserved;
    let text = format!(
        "{} rents machine-{} for {duration_secs} s (rental {rental}), pays {} TAO; {} TAO of the bond stand behind it",
        renter.actor.name,
        index + 1,
        tao(paid_rao),
        tao(reserved)
    );
    let facts = json!({ "rental": rental, "machine": miner.machine(), "paid_rao": paid_rao, "reserved_rao": reserved });
    stage.show.say("rented", &text, facts);
    Ok(Rented { rental, miner: index, renter: renter_index, price_rao_per_sec, paid_rao, end_secs: view.end_secs })
}

/// The agent sees the rental on chain and lets the renter in.
async fn visit(stage: &Stage, rented: &Rented) -> Result<()> {
    let renter = stage.renters.get(rented.renter).context("no such renter")?;
    let what = format!("{} is let in", renter.actor.name);
    let answer = stage.seer.until(&what, Duration::from_secs(20), async || {
        Ok(Seen::Done(run(stage, rented.renter, rented.miner, "echo surety-$((6*7))").await?))
    });
    let answer = answer.await?;
    ensure!(answer == Answer { output: "surety-42\n".into(), status: 0 }, "the machine answered {answer:?}");
    let text =
        format!("{} logs in with their own key and runs a command on machine-{}", renter.actor.name, rented.miner + 1);
    stage.show.say("logged_in", &text, json!({ "rental": rented.rental, "output": answer.output }));
    Ok(())
}

/// Nobody gets in where they have not rented.
async fn refused(stage: &Stage, lost: &Rented, kept: &Rented) -> Result<()> {
    for (renter, machine) in [(lost.renter, kept.miner), (kept.renter, lost.miner), (lost.renter, stage.cast.idle)] {
        let tried = run(stage, renter, machine, "true").await;
        let why = match tried {
            Ok(answer) => format!("was let in and got {answer:?}"),
            Err(error) => format!("{error:#}"),
        };
        let name = stage.renters.get(renter).map_or("?", |renter| &renter.actor.name);
        ensure!(why.contains("does not let"), "{name} on machine-{}: {why}", machine + 1);
    }
    stage.show.say("refused", "neither renter is let in to a machine they have not rented", json!({}));
    Ok(())
}

async fn run(stage: &Stage, renter: usize, machine: usize, command: &str) -> Result<Answer> {
    let renter = stage.renters.get(renter).context("no such renter")?;
    let endpoint = stage.machines.get(machine).context("no such machine")?.endpoint;
    let identity = stage.miners.get(machine).context("no such miner")?.machine();
    renter.run(endpoint, identity, &stage.node_common.tenant_user, command).await
}
