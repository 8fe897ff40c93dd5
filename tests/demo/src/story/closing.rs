//! Steps 6 and 7: everybody gets out, and every rao is accounted for.

use super::Outcome;
use super::stage::{BOND_RAO, Rented, Stage, WISH};
use crate::books::{Books, books};
use crate::params::WINDOWS;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use surety_client::units::tao;
use surety_core::types::Rao;

/// Step 6.
pub(super) async fn close_all(stage: &Stage, lost: &Rented, kept: &Rented) -> Result<()> {
    let kept_out = async {
        stage.chain_time(kept.end_secs, "the other rental has run out", 40).await?;
        claim_and_close(stage, kept).await?;
        exit(stage, kept.miner).await
    };
    let lost_out = async {
        claim_and_close(stage, lost).await?;
        exit(stage, lost.miner).await
    };
    tokio::try_join!(kept_out, lost_out, exit(stage, stage.cast.idle), give_up(stage, kept))?;
    let [lost_renter, kept_renter] = [lost, kept].map(|rented| renter_out(stage, rented.renter));
    tokio::try_join!(lost_renter, kept_renter)?;
    Ok(())
}

/// Takes out what the contracts owe a renter.
async fn renter_out(stage: &Stage, index: usize) -> Result<()> {
    let actor = &stage.renters.get(index).context("no such renter")?.actor;
    let paid = stage.pay_out(actor).await?;
    let text = format!("{} takes out {} TAO", actor.name, tao(paid));
    stage.show.say("paid_out", &text, json!({ "who": actor.name, "rao": paid }));
    Ok(())
}

/// The wish that nobody met goes back.
async fn give_up(stage: &Stage, kept: &Rented) -> Result<()> {
    let renter = stage.renters.get(kept.renter).context("no such renter")?;
    renter.give_up(&stage.chain, WISH).await?;
    let rao = stage.chain.bids_credit(renter.actor.account()).await?;
    let text = format!("{} takes the wish back: {} TAO", renter.actor.name, tao(rao));
    stage.show.say("wish_returned", &text, json!({ "bid": WISH, "rao": rao }));
    Ok(())
}

/// Claims what may be claimed, then closes after the lag. Together they pay every second served.
async fn claim_and_close(stage: &Stage, rented: &Rented) -> Result<()> {
    let miner = stage.miners.get(rented.miner).context("no such miner")?;
    let lag_secs = u64::from(WINDOWS.settle_lag_secs);
    let raw = stage.chain.raw_rental(rented.rental).await?;
    // One second served and past the lag is the least that can be claimed.
    stage.chain_time(u64::from(raw.start) + lag_secs + 1, "a first second can be claimed", 40).await?;
    miner.claim(&stage.chain, rented.rental).await?;
    let text = format!("{} claims rental {}", miner.actor.name, rented.rental);
    stage.show.say("claimed", &text, json!({ "rental": rented.rental }));
    stage.chain_time(u64::from(raw.end) + lag_secs, "the rental can be closed", 40).await?;
    miner.close(&stage.chain, rented.rental).await?;
    let served = u64::from(raw.end - raw.start - raw.faultedSecs);
    let credit = stage.chain.escrow_credit(miner.actor.account()).await?;
    let earned = served * rented.price_rao_per_sec;
    ensure!(credit == earned, "{} has {credit} rao of credit, expected {earned}", miner.actor.name);
    let text =
        format!("rental {} is closed: {} earned {} TAO for {served} s", rented.rental, miner.actor.name, tao(earned));
    stage.show.say("closed", &text, json!({ "rental": rented.rental, "served_secs": served, "earned_rao": earned }));
    Ok(())
}

/// Takes out all bond there is, through the delay, and what was earned.
async fn exit(stage: &Stage, index: usize) -> Result<()> {
    let miner = stage.miners.get(index).context("no such miner")?;
    let amount = miner.request_exit(&stage.chain).await?;
    let delay_secs = u64::from(WINDOWS.exit_delay_secs);
    let asked_secs = stage.chain.now_secs().await?;
    stage.chain_time(asked_secs + delay_secs, "the exit delay has passed", 40).await?;
    miner.withdraw(&stage.chain).await?;
    let paid = stage.pay_out(&miner.actor).await?;
    let text = format!("{} exits with a bond of {} TAO, {} TAO in all", miner.actor.name, tao(amount), tao(paid));
    stage.show.say("exited", &text, json!({ "who": miner.actor.name, "bond_rao": amount, "rao": paid }));
    Ok(())
}

/// Step 7.
pub(super) async fn account(stage: &Stage, lost: &Rented, kept: &Rented) -> Result<Outcome> {
    for rented in [lost, kept] {
        check_rental(stage, rented).await?;
    }
    let audited = stage.audited().await?;
    ensure!(audited.cases == 1, "{} cases were filed, expected one", audited.cases);
    ensure!(audited.owed_rao == 0, "the contracts still owe {} rao", audited.owed_rao);
    let books = books(&stage.chain, &stage.parties(), &audited.report.sums).await?;
    let burned_rao = row(&books, "burned")?;
    let lost_miner = &stage.miners.get(lost.miner).context("no such miner")?.actor.name;
    let idle_miner = &stage.miners.get(stage.cast.idle).context("no such miner")?.actor.name;
    ensure!(row(&books, idle_miner)? == BOND_RAO, "{idle_miner} did not get the whole bond");
    // The penalty is at most what the rental earned: an honest miner never pays in more than that.
    ensure!(row(&books, lost_miner)? >= BOND_RAO, "{lost_miner} lost more than the rental earned");
    stage.show.books(&books);
    Ok(Outcome {
        seed: stage.options.seed.0,
        cases: audited.cases,
        rentals_closed: audited.rentals,
        wishes_returned: audited.wishes,
        burned_rao,
        liabilities_rao: audited.owed_rao,
        keepers_killed: 0,
    })
}

fn row(books: &Books, who: &str) -> Result<Rao> {
    let row = books.rows.iter().find(|row| row.who == who);
    Ok(row.with_context(|| format!("no row of {who}"))?.got_out_rao)
}

/// claimed + refunded + withheld == paid in, for this rental alone.
async fn check_rental(stage: &Stage, rented: &Rented) -> Result<()> {
    let raw = stage.chain.raw_rental(rented.rental).await?;
    ensure!(raw.closed && raw.openSecs == 0, "rental {} is not settled: {raw:?}", rented.rental);
    let of = |secs: u32| u64::from(secs) * rented.price_rao_per_sec;
    let (claimed, withheld) = (of(raw.claimedSecs), of(raw.faultedSecs));
    let refunded = of(raw.boughtSecs - (raw.end - raw.start));
    ensure!(
        claimed + refunded + withheld == rented.paid_rao,
        "rental {}: {claimed} + {refunded} + {withheld} is not {}",
        rented.rental,
        rented.paid_rao
    );
    let text = format!(
        "rental {}: {} TAO paid = {} to the miner + {} refunded + {} withheld for the renter",
        rented.rental,
        tao(rented.paid_rao),
        tao(claimed),
        tao(refunded),
        tao(withheld)
    );
    let facts = json!({
        "rental": rented.rental, "paid_rao": rented.paid_rao, "claimed_rao": claimed,
        "refunded_rao": refunded, "withheld_rao": withheld,
    });
    stage.show.say("rental_even", &text, facts);
    Ok(())
}
