//! `surety complain`: a renter tells the keepers that something is wrong with the machine it rents.

use super::kit::exit::Stop;
use super::kit::out::Out;
use super::kit::place::{Place, Where};
use super::kit::text::plain;
use super::kit::who;
use crate::adapters::http::{ComplaintBody, Sending};
use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use surety_client::deployment::Deployment;
use surety_client::digest::Domains;
use surety_client::keys::Key;
use surety_core::complaints::{Complaint, ComplaintCode};
use surety_core::rules::LOCAL_CHAIN_IDS;
use surety_core::types::RentalId;
use surety_core::view::RentalView;
use surety_core::world::is_running;

/// What `surety complain` takes.
#[derive(Debug, Args)]
pub(super) struct ComplainArguments {
    /// The rental's id.
    #[arg(long)]
    rental: RentalId,
    /// What is wrong: cannot-connect, key-refused, cards-missing, too-slow or other.
    #[arg(long, value_parser = code)]
    code: ComplaintCode,
    /// In your words: at most 280 bytes on one line. Keepers show it to anybody.
    #[arg(long, default_value = "")]
    text: String,
    /// The renter's key: 32 bytes as hex, or a web3 keystore, in a file that nobody else can read. Without it the
    /// environment's SURETY_KEY.
    #[arg(long, value_name = "FILE", env = "SURETY_KEY_FILE")]
    key_file: Option<PathBuf>,
    /// The keystore's password, in a file that nobody else can read.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Send to the keeper at this base URL instead of all those on chain; may be repeated.
    #[arg(long, value_name = "URL")]
    keeper: Vec<String>,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(arguments: &ComplainArguments, out: Out) -> Result<()> {
    let key = key(arguments)?;
    let place = Place::find(&arguments.at).await?;
    let rental = place.reader.rental_at(arguments.rental, place.head.number).await;
    let rental = rental.with_context(|| format!("rental {} was not read: is the id right?", arguments.rental))?;
    may_complain(&rental, &key, place.now_secs())?;
    let deployment = &place.deployment;
    let body = sign(arguments, deployment, &key)?;
    let urls = if arguments.keeper.is_empty() {
        let keepers = place.keepers().await?;
        keepers.into_iter().filter(|keeper| keeper.active && !keeper.url.is_empty()).map(|keeper| keeper.url).collect()
    } else {
        arguments.keeper.clone()
    };
    ensure!(!urls.is_empty(), "no active keeper has a URL on chain: name one with --keeper");
    let sending = Sending::new(LOCAL_CHAIN_IDS.contains(&deployment.chain_id))?;
    let answers = futures_util::future::join_all(urls.iter().map(|url| sending.send(url, &body))).await;
    let (mut taken, mut said) = (0, Vec::new());
    for (url, answer) in urls.iter().zip(answers) {
        let url = plain(url, 120);
        match answer {
            Ok(answer) => {
                taken += 1;
                let until = answer.looked_into_until_secs;
                out.say(format!("{url}: taken, looks harder until {until}"));
                said.push(json!({ "keeper": url, "looked_into_until_secs": until }));
            }
            Err(error) => {
                let why = plain(&error.to_string(), 300);
                out.say(format!("{url}: {why}"));
                said.push(json!({ "keeper": url, "error": why }));
            }
        }
    }
    let words =
        format!("{taken} of {} keepers took it; they show it at /v1/complaints/{}", urls.len(), arguments.rental);
    out.answer(words, || json!({ "rental": arguments.rental, "taken": taken, "keepers": said }));
    ensure!(taken > 0, "no keeper took the complaint: see above");
    Ok(())
}

fn may_complain(rental: &RentalView, key: &Key, now_secs: u64) -> Result<()> {
    let (renter, own) = (rental.renter, key.account());
    ensure!(renter == own, "the renter of rental {} is {renter}, the key is that of {own}", rental.id);
    ensure!(is_running(rental, now_secs), "rental {} is over: there is nothing to look at any more", rental.id);
    Ok(())
}

fn sign(arguments: &ComplainArguments, deployment: &Deployment, key: &Key) -> Result<ComplaintBody> {
    let issued_at_secs = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?.as_secs();
    let (rental, code, text) = (arguments.rental, arguments.code, arguments.text.clone());
    let complaint = Complaint { rental, code, text, issued_at_secs };
    complaint.check()?;
    let (escrow, arbiter) = (deployment.escrow.address, deployment.arbiter.address);
    let digest = Domains { chain_id: deployment.chain_id, escrow, arbiter }.complaint(&complaint)?;
    Ok(ComplaintBody { signature: key.sign(digest)?, complaint })
}

fn key(arguments: &ComplainArguments) -> Result<Key> {
    let key = who::key(arguments.key_file.as_deref(), arguments.password_file.as_deref())?;
    key.ok_or_else(|| {
        Stop::usage("whose complaint? Name the renter's key with --key-file FILE, or put it in SURETY_KEY")
    })
}

/// The EVM key in this file, or in the environment's `SURETY_KEY`; None: neither is there.
///
/// # Errors
/// The file cannot be read, can be read by others, or what is there is no key.
pub(super) fn evm_key(file: Option<&Path>) -> Result<Option<Key>> {
    who::key(file, None)
}

fn code(text: &str) -> Result<ComplaintCode, String> {
    let name = serde_json::Value::from(text.replace('-', "_"));
    let expected = "want cannot-connect, key-refused, cards-missing, too-slow or other";
    serde_json::from_value(name).map_err(|_| expected.to_owned())
}

#[cfg(test)]
mod tests;
