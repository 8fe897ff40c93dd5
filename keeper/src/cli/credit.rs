//! `surety credit`: what the contracts owe an account, and paying it out.

mod payout;

use super::kit::amount::Tao;
use super::kit::exit::Stop;
use super::kit::money::{Deed, carry_all};
use super::kit::out::Out;
use super::kit::place::{Place, Where};
use super::kit::who::{Of, Signing};
use super::kit::words::Table;
use alloy::primitives::{Address, B256};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use surety_client::bindings::CollateralVault;
use surety_client::transaction::Order;
use surety_core::types::{Account, Rao};

/// What `surety credit` does.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct CreditArguments {
    #[command(subcommand)]
    command: Option<CreditCommand>,
    #[command(flatten)]
    show: Show,
}

#[derive(Debug, Subcommand)]
enum CreditCommand {
    /// Pay all credit out, to the account that each contract has on record (your own unless you chose another).
    /// Example: surety credit withdraw --network mainnet --rpc URL --key-file renter.key
    Withdraw(Withdraw),
    /// Choose where your credit is paid from now on: a coldkey, or your own account again. All contracts are told.
    /// Example: surety credit payout 5... --network mainnet --rpc URL --key-file renter.key
    Payout(payout::PayoutArguments),
}

#[derive(Debug, Args)]
struct Show {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    at: Where,
}

#[derive(Debug, Args)]
struct Withdraw {
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    at: Where,
}

/// What one contract owes an account.
#[derive(Debug, Clone, Copy)]
pub(super) struct Credit {
    contract: &'static str,
    at: Account,
    /// How much.
    pub(super) rao: Rao,
    /// Where it is paid to; zero: the account's own mapped account.
    to: B256,
}

/// What every contract that keeps books owes an account. They have the same books, so one binding serves all.
///
/// # Errors
/// The node does not answer.
pub(super) async fn credits(place: &Place, account: Account) -> Result<Vec<Credit>> {
    let address = Address::from(account.0);
    let all = &place.deployment;
    let contracts = [
        ("CollateralVault", all.vault.address),
        ("RentalEscrow", all.escrow.address),
        ("Arbiter", all.arbiter.address),
        ("RentalBids", all.bids.address),
    ];
    let mut found = Vec::new();
    for (contract, at) in contracts {
        let credit = place.view().call(at, &CollateralVault::creditOfCall { account: address }).await;
        let to = place.view().call(at, &CollateralVault::payoutAccountOfCall { account: address }).await;
        let rao = credit.with_context(|| format!("the credit in {contract}"))?;
        found.push(Credit { contract, at, rao, to: to.with_context(|| format!("the payout account in {contract}"))? });
    }
    Ok(found)
}

/// What they owe together.
pub(super) fn sum(credits: &[Credit]) -> Rao {
    credits.iter().fold(0, |sum, credit| sum.saturating_add(credit.rao))
}

/// Paying out what can be paid.
///
/// # Errors
/// There is nothing.
pub(super) fn payouts(credits: &[Credit], account: Account) -> Result<Vec<Deed>> {
    let address = Address::from(account.0);
    let due = credits.iter().filter(|credit| credit.rao > 0);
    let deeds: Vec<Deed> = due
        .map(|credit| {
            let order = Order::call(credit.at, &CollateralVault::withdrawCreditCall { account: address });
            let title = format!("Pay {} TAO of credit out of {}", Tao(credit.rao), credit.contract);
            Deed::new(title, credit.contract, order).row("to", paid_to(credit, account))
        })
        .collect();
    if deeds.is_empty() {
        Err(Stop::refused("no contract owes you anything: there is nothing to pay out"))
    } else {
        Ok(deeds)
    }
}

fn paid_to(credit: &Credit, account: Account) -> String {
    if credit.to.is_zero() { format!("{account}") } else { format!("account {}, as you chose", credit.to) }
}

pub(super) async fn run(arguments: CreditArguments, out: Out) -> Result<()> {
    match arguments.command {
        Some(CreditCommand::Withdraw(withdraw)) => pay_out(&withdraw, out).await,
        Some(CreditCommand::Payout(arguments)) => payout::run(&arguments, out).await,
        None => show(&arguments.show, out).await,
    }
}

async fn show(arguments: &Show, out: Out) -> Result<()> {
    let account = arguments.of.account()?;
    let place = Place::find(&arguments.at).await?;
    let credits = credits(&place, account).await?;
    let mut table = Table::new(format!("Credit of {account}: {} TAO", Tao(sum(&credits))));
    for credit in credits.iter().filter(|credit| credit.rao > 0) {
        let to = paid_to(credit, account);
        table.row("", format!("{} TAO in {}, paid to {to}", Tao(credit.rao), credit.contract));
    }
    out.answer(table, || {
        json!({ "block": place.head.number, "account": account, "credit_rao": sum(&credits).to_string(),
            "contracts": document(&credits) })
    });
    Ok(())
}

/// The credits by contract, for programs.
pub(super) fn document(credits: &[Credit]) -> Vec<Value> {
    let one = |credit: &Credit| {
        json!({ "contract": credit.contract, "address": credit.at, "credit_rao": credit.rao.to_string(),
            "payout_account": (!credit.to.is_zero()).then_some(credit.to) })
    };
    credits.iter().map(one).collect()
}

async fn pay_out(arguments: &Withdraw, out: Out) -> Result<()> {
    let (actor, place) = (arguments.signing.actor()?, Place::find(&arguments.at).await?);
    let before = credits(&place, actor.account).await?;
    let deeds = payouts(&before, actor.account)?;
    let carried = carry_all(&place, &arguments.signing, &actor, deeds, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let after = credits(&place.since(carried.block()).await?, actor.account).await?;
    let paid = Tao(sum(&before).saturating_sub(sum(&after)));
    let words = format!("Paid out: {paid} TAO.");
    let (paid, left) = (paid.0.to_string(), sum(&after).to_string());
    carried.tell(out, words, json!({ "paid_rao": paid, "credit_rao": left }))
}
