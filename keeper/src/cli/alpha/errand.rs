//! A deed from the wish to its end: prepared, confirmed, signed, sent, waited for, told.

use super::deed::{Desk, Prepared, Wanted};
use super::key::{self, Actor};
use super::place::Place;
use super::refused::Refused;
use super::words::date;
use super::{Signing, Where};
use anyhow::Result;
use serde_json::{Value, json};
use surety_substrate::alpha::events::Event;
use surety_substrate::amount::Amount;
use surety_substrate::contracts;
use surety_substrate::node::Head;
use surety_substrate::runtime::{Place as Spot, Signed};
use surety_substrate::sending::{Outcome, Receipt, send};
use surety_substrate::ss58::AccountId;
use surety_substrate::wallet::coldkey::Coldkey;
use tokio::task::spawn_blocking;

/// Does what is wanted, or says why not.
pub(super) async fn run(wanted: &Wanted, at: &Where, signing: &Signing) -> Result<()> {
    go(&Place::find(at).await?, wanted, at, signing).await
}

/// The same where one is already.
pub(super) async fn go(place: &Place, wanted: &Wanted, at: &Where, signing: &Signing) -> Result<()> {
    let (vault, config) = place.vault(at).await?;
    let (asked, local) = (signing.clone(), place.is_local());
    // Opening an encrypted file takes seconds, and asking takes as long as it takes.
    let Actor { account: owner, key } = spawn_blocking(move || key::actor(&asked, local)).await??;
    let prepared = Desk { place, vault, config, owner }.prepare(wanted).await?;
    let mut json = prepared.json.clone();
    if at.json && (signing.dry_run || key.is_none()) {
        json["sent"] = Value::Null;
        println!("{json}");
        return Ok(());
    }
    if !at.json {
        print!("{}", prepared.table);
    }
    let Some(key) = key.filter(|_| !signing.dry_run) else {
        println!("Nothing was signed (--dry-run).");
        return Ok(());
    };
    let (yes, as_json) = (signing.yes, at.json);
    spawn_blocking(move || key::confirm(yes, as_json)).await??;
    let (signed, born) = sign(place, &prepared, &key).await?;
    if !at.json {
        println!("Signed as {}; it is sent, and waited for until it is final, some 40 seconds ...", signed.hash);
    }
    let receipt = send(&place.nodes, &place.runtime, place.genesis, born, &signed).await?;
    let (told, happened) = told(wanted, at.vault, &receipt)?;
    match at.json {
        true => {
            json["sent"] = json!({ "hash": receipt.hash, "block": receipt.block.number, "happened": happened });
            println!("{json}");
        }
        false => println!("{told} Block {}, final.", receipt.block.number),
    }
    Ok(())
}

/// Signs what was prepared, good from the newest final block on.
async fn sign(place: &Place, prepared: &Prepared, key: &Coldkey) -> Result<(Signed, Head)> {
    let born = place.nodes.finalized().await?;
    let nonce = place.nodes.next_nonce(key.account()).await?;
    let (call, args) = contracts::call(&prepared.message, prepared.limits);
    let spot = Spot { nonce, block: born.number, block_hash: born.hash };
    Ok((place.runtime.signed(call, args, key, spot)?, born))
}

/// What happened, by the vault's own events, in words and for programs.
fn told(wanted: &Wanted, vault: AccountId, receipt: &Receipt) -> Result<(String, Value), Refused> {
    let block = receipt.block.number;
    let emitted = match &receipt.outcome {
        Outcome::Failed(why) => return Err(Refused::InBlock { block, why: why.clone() }),
        Outcome::Done(emitted) => emitted,
    };
    let ours = emitted.iter().filter(|event| event.contract == vault);
    let mut events = ours.filter_map(|event| Event::read(*event.topics.first()?, &event.data));
    events.find_map(|event| words(wanted, &event)).ok_or(Refused::Silent { block })
}

/// The event that answers what was wanted; None: another one.
fn words(wanted: &Wanted, event: &Event) -> Option<(String, Value)> {
    match (wanted, event) {
        (Wanted::Deposit { rao, .. }, Event::Deposited(done)) => {
            let json = json!({ "credited_rao": done.alpha, "bond": done.bond, "shares": done.shares.to_string() });
            Some((credited(*rao, done.alpha, done.bond), json))
        }
        (Wanted::Exit { .. }, Event::ExitRequested(done)) => {
            let json = json!({ "ready_at": done.ready_at, "bond": done.bond, "shares": done.shares.to_string() });
            Some((format!("On its way out: ready from {} on.", date(done.ready_at)), json))
        }
        (Wanted::Cancel { .. }, Event::ExitCancelled(done)) => {
            let json = json!({ "bond": done.bond, "shares": done.shares.to_string() });
            Some(("Called off: it is free bond again.".to_owned(), json))
        }
        (Wanted::Withdraw { .. }, Event::Withdrawn(done)) => {
            let json = json!({ "paid_rao": done.rao, "bond": done.bond, "shares": done.shares.to_string() });
            Some((format!("Withdrawn: {}.", Amount(done.rao)), json))
        }
        (Wanted::SetAside(_) | Wanted::SetAsideSpoofed(_), Event::Filed(done)) => {
            let json = json!({ "case": done.case, "bond": done.bond, "alpha_rao": done.alpha,
                "shares": done.shares.to_string() });
            let (case, alpha) = (done.case, Amount(done.alpha));
            Some((format!("Set aside: case {case} of the vault asks for {alpha} alpha of bond {}.", done.bond), json))
        }
        (Wanted::Amend(_), Event::Amended(done)) => {
            let json = json!({ "case": done.case, "alpha_rao": done.alpha, "shares": done.shares.to_string() });
            Some((format!("Amended: case {} asks for {} alpha now.", done.case, Amount(done.alpha)), json))
        }
        (Wanted::Amend(_), Event::Dismissed(done)) => {
            let json = json!({ "case": done.case, "dismissed": true, "shares": done.shares.to_string() });
            Some((format!("Dismissed: what case {} held is free bond again.", done.case), json))
        }
        _ => None,
    }
}

fn credited(asked: u64, arrived: u64, bond: u32) -> String {
    let whole = format!("Credited {} alpha to bond {bond}", Amount(arrived));
    match asked.checked_sub(arrived) {
        Some(0) => format!("{whole}, as asked."),
        Some(less) => format!("{whole}: {} less than asked, which is what arrived.", Amount(less)),
        None => format!("{whole}: more than asked, which is what arrived."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrived_is_told_beside_what_was_asked() {
        assert_eq!(credited(1_000_000_000, 1_000_000_000, 2), "Credited 1 alpha to bond 2, as asked.");
        let less = credited(1_000_000_000, 999_999_997, 2);
        assert!(less.contains("0.999999997") && less.contains("0.000000003 less than asked"), "{less}");
        assert!(credited(1, 2, 1).contains("more than asked"));
    }
}
