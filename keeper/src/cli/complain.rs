//! `surety complain`: a renter tells the keepers that something is wrong with the machine it rents.

use crate::adapters::http::{ComplaintBody, Sending};
use crate::config::is_the_chain;
use anyhow::{Context, Result, ensure};
use clap::Args;
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use surety_client::deployment::Deployment;
use surety_client::digest::Domains;
use surety_client::keys::Key;
use surety_client::provider::{Node, Tag};
use surety_client::reader::Reader;
use surety_core::complaints::{Complaint, ComplaintCode};
use surety_core::rules::LOCAL_CHAIN_IDS;
use surety_core::types::RentalId;
use surety_core::view::RentalView;
use surety_core::world::is_running;

/// The environment variable for a key that lies in no file.
const KEY_VARIABLE: &str = "SURETY_KEY";

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
    /// The deployment file: deployments/<chain id>.json.
    #[arg(long)]
    deployment: PathBuf,
    /// A node's JSON-RPC URL.
    #[arg(long, env = "SURETY_RPC", hide_env_values = true)]
    rpc: String,
    /// The renter's key: 32 bytes as hex, in a file that nobody else can read. Without it the environment's SURETY_KEY.
    #[arg(long)]
    key_file: Option<PathBuf>,
    /// Send to the keeper at this base URL instead of all those on chain; may be repeated.
    #[arg(long)]
    keeper: Vec<String>,
}

pub(super) fn run(arguments: &ComplainArguments) -> Result<()> {
    let deployment = Deployment::read(&arguments.deployment)?;
    let key = key(arguments)?;
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio.block_on(complain(arguments, &deployment, &key))
}

async fn complain(arguments: &ComplainArguments, deployment: &Deployment, key: &Key) -> Result<()> {
    let node = Node::new(&arguments.rpc)?;
    is_the_chain(&node, deployment).await?;
    let head = node.header(Tag::Latest).await?.context("the node has no block yet: try again")?;
    let (block, block_secs) = (head.number.to::<u64>(), head.timestamp.to::<u64>());
    let reader = Reader::new(node, deployment);
    let rental = reader.rental_at(arguments.rental, block).await;
    let rental = rental.with_context(|| format!("rental {} was not read: is the id right?", arguments.rental))?;
    may_complain(&rental, key, block_secs)?;
    let body = sign(arguments, deployment, key)?;
    let urls = if arguments.keeper.is_empty() {
        let keepers = reader.keepers(block).await?;
        keepers.into_iter().filter(|keeper| keeper.active && !keeper.url.is_empty()).map(|keeper| keeper.url).collect()
    } else {
        arguments.keeper.clone()
    };
    ensure!(!urls.is_empty(), "no active keeper has a URL on chain: name one with --keeper");
    let sending = Sending::new(LOCAL_CHAIN_IDS.contains(&deployment.chain_id))?;
    let answers = futures_util::future::join_all(urls.iter().map(|url| sending.send(url, &body))).await;
    let mut taken = 0;
    for (url, answer) in urls.iter().zip(answers) {
        match answer {
            Ok(answer) => {
                taken += 1;
                println!("{url}: taken, looks harder until {}", answer.looked_into_until_secs);
            }
            Err(error) => println!("{url}: {error}"),
        }
    }
    ensure!(taken > 0, "no keeper took the complaint: see above");
    println!("{taken} of {} keepers took it; they show it at /v1/complaints/{}", urls.len(), arguments.rental);
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
    let key = evm_key(arguments.key_file.as_deref())?;
    key.with_context(|| {
        format!("whose complaint? name the renter's key with --key-file FILE, or put it in {KEY_VARIABLE}")
    })
}

/// The EVM key in this file, or in the environment's `SURETY_KEY`; None: neither is there.
///
/// # Errors
/// The file cannot be read, can be read by others, or what is there is no key.
pub(super) fn evm_key(file: Option<&Path>) -> Result<Option<Key>> {
    if let Some(path) = file {
        return Ok(Some(Key::read(path)?));
    }
    let Ok(text) = std::env::var(KEY_VARIABLE).map(SecretString::from) else { return Ok(None) };
    let key = Key::from_hex(&text).with_context(|| format!("{KEY_VARIABLE} does not hold 32 bytes as hex"))?;
    Ok(Some(key))
}

fn code(text: &str) -> Result<ComplaintCode, String> {
    let name = serde_json::Value::from(text.replace('-', "_"));
    let expected = "want cannot-connect, key-refused, cards-missing, too-slow or other";
    serde_json::from_value(name).map_err(|_| expected.to_owned())
}

#[cfg(test)]
mod tests;
