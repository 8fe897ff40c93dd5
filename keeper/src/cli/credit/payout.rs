//! `surety credit payout`: where an account's credit is paid to. Every contract keeps this for itself, so all are told.

use super::{Credit, credits};
use crate::cli::kit::exit::Stop;
use crate::cli::kit::money::{Deed, carry_all};
use crate::cli::kit::out::Out;
use crate::cli::kit::parse;
use crate::cli::kit::place::{Place, Where};
use crate::cli::kit::who::Signing;
use alloy::primitives::B256;
use anyhow::{Result, ensure};
use clap::Args;
use serde_json::json;
use surety_client::bindings::CollateralVault;
use surety_client::transaction::Order;
use surety_core::types::Hash32;
use surety_substrate::ss58::AccountId;

/// What `surety credit payout` takes.
#[derive(Debug, Args)]
pub(super) struct PayoutArguments {
    /// The account, such as your coldkey: 5..., or 0x and 64 hex digits.
    #[arg(value_name = "ACCOUNT", value_parser = parse::account_id, required_unless_present = "own")]
    to: Option<Hash32>,
    /// Your own account again.
    #[arg(long, conflicts_with = "to")]
    own: bool,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    at: Where,
}

/// One transaction for each contract that pays elsewhere by now.
fn deeds(credits: &[Credit], to: B256, shown: &str) -> Vec<Deed> {
    let others = credits.iter().filter(|credit| credit.to != to);
    let deed = |credit: &Credit| {
        let order = Order::call(credit.at, &CollateralVault::setPayoutAccountCall { accountId: to });
        let deed = Deed::new(format!("Have {} pay your credit to {shown}", credit.contract), credit.contract, order);
        match to.is_zero() {
            true => deed,
            false => deed.row("beware", "nobody can check an account: what is paid to a wrong one is lost"),
        }
    };
    others.map(deed).collect()
}

pub(super) async fn run(arguments: &PayoutArguments, out: Out) -> Result<()> {
    // No account that can be named is zero.
    let to = arguments.to.map_or(B256::ZERO, |account| B256::from(account.0));
    let (actor, place) = (arguments.signing.actor()?, Place::find(&arguments.at).await?);
    let shown = match arguments.to {
        Some(account) => AccountId(account.0).to_string(),
        None => format!("{} itself", actor.account),
    };
    let deeds = deeds(&credits(&place, actor.account).await?, to, &shown);
    if deeds.is_empty() {
        return Err(Stop::refused(format!("every contract pays your credit to {shown} already")));
    }
    let carried = carry_all(&place, &arguments.signing, &actor, deeds, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let after = credits(&place.since(carried.block()).await?, actor.account).await?;
    let elsewhere: Vec<&str> = after.iter().filter(|credit| credit.to != to).map(|credit| credit.contract).collect();
    ensure!(elsewhere.is_empty(), "{} still pay elsewhere", elsewhere.join(", "));
    let account = arguments.to.map(|account| account.to_string());
    carried.tell(out, format!("Your credit is paid to {shown} from now on."), json!({ "payout_account": account }))
}
