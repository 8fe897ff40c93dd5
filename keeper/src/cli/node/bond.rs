//! `surety node deposit`, `exit` and `withdraw`: bond in, on its way out, and out.

use super::{Acting, NodeState, Which, mine};
use crate::cli::kit::amount::Tao;
use crate::cli::kit::exit::Stop;
use crate::cli::kit::money::{Deed, carry};
use crate::cli::kit::out::Out;
use crate::cli::kit::place::Place;
use crate::cli::kit::words::{date, span};
use alloy::primitives::B256;
use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;
use surety_client::bindings::CollateralVault;
use surety_client::transaction::Order;
use surety_core::types::Rao;

/// What `surety node deposit` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct Deposit {
    #[command(flatten)]
    which: Which,
    /// How much, in TAO.
    #[arg(long, value_name = "TAO")]
    amount: Tao,
    #[command(flatten)]
    acting: Acting,
}

/// What `surety node exit` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct Exit {
    #[command(flatten)]
    which: Which,
    /// How much, in TAO.
    #[arg(long, value_name = "TAO", required_unless_present_any = ["all", "cancel"])]
    amount: Option<Tao>,
    /// All that is free.
    #[arg(long, conflicts_with_all = ["amount", "cancel"])]
    all: bool,
    /// Make what is on its way out free bond again.
    #[arg(long, conflicts_with = "amount")]
    cancel: bool,
    #[command(flatten)]
    acting: Acting,
}

/// What `surety node withdraw` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct Withdraw {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    acting: Acting,
}

pub(super) async fn deposit(arguments: &Deposit, out: Out) -> Result<()> {
    let (actor, place) = (arguments.acting.signing.actor()?, Place::find(&arguments.acting.at).await?);
    let before = mine(&place, arguments.which.machine()?, &actor).await?;
    let rao = arguments.amount.0;
    if rao == 0 {
        return Err(Stop::usage("a deposit of zero does nothing: want more than 0 TAO"));
    }
    let machine = B256::from(before.machine().0);
    let order = Order::call(place.deployment.vault.address, &CollateralVault::depositCall { machine });
    let deed = Deed::new(
        format!("Deposit {} TAO as bond of {}", arguments.amount, before.machine()),
        "CollateralVault",
        order,
    )
    .paying(rao)
    .row("bond now", format!("{} TAO, {} of it free", Tao(before.bonded_rao()), Tao(before.node.free)))
    .row("way back", "surety node exit, and after the exit delay surety node withdraw");
    let carried = carry(&place, &arguments.acting.signing, &actor, deed, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let after = NodeState::of(&place.again().await?, before.node.registration).await?;
    ensure!(after.bonded_rao() >= rao, "the vault shows {} TAO of bond after the deposit", Tao(after.bonded_rao()));
    let words = format!("Deposited: the bond is {} TAO, {} of it free.", Tao(after.bonded_rao()), Tao(after.node.free));
    let result = json!({ "bonded_rao": after.bonded_rao().to_string(), "free_rao": after.node.free.to_string() });
    carried.tell(out, words, result)
}

pub(super) async fn exit(arguments: &Exit, out: Out) -> Result<()> {
    let (actor, place) = (arguments.acting.signing.actor()?, Place::find(&arguments.acting.at).await?);
    let before = mine(&place, arguments.which.machine()?, &actor).await?;
    let deed = match arguments.cancel {
        true => cancelling(&place, &before)?,
        false => exiting(&place, &before, arguments).await?,
    };
    let carried = carry(&place, &arguments.acting.signing, &actor, deed, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let after = NodeState::of(&place.again().await?, before.node.registration).await?;
    let ready_at = u64::from(after.node.exitReadyAt);
    let words = match arguments.cancel {
        true => format!("Called off: {} TAO of the bond is free.", Tao(after.node.free)),
        false => format!("On its way out: {} TAO, ready from {} on.", Tao(after.node.exiting), date(ready_at)),
    };
    let ready_at_secs = (ready_at != 0).then_some(ready_at);
    let (exiting, free) = (after.node.exiting.to_string(), after.node.free.to_string());
    carried.tell(out, words, json!({ "exiting_rao": exiting, "free_rao": free, "ready_at_secs": ready_at_secs }))
}

fn cancelling(place: &Place, before: &NodeState) -> Result<Deed> {
    if before.node.exiting == 0 {
        return Err(Stop::refused("nothing of this bond is on its way out: there is nothing to call off"));
    }
    let call = CollateralVault::cancelExitCall { machine: before.node.machine };
    let title = format!("Call off the exit of {} TAO", Tao(before.node.exiting));
    Ok(Deed::new(title, "CollateralVault", Order::call(place.deployment.vault.address, &call)))
}

async fn exiting(place: &Place, before: &NodeState, arguments: &Exit) -> Result<Deed> {
    let free = before.node.free;
    // A request replaces the one before it, whose part is free again.
    let available = free.saturating_add(before.node.exiting);
    let amount: Rao = arguments.amount.map_or(available, |amount| amount.0);
    if amount == 0 || amount > available {
        let why = format!(
            "{} TAO was asked for, {} TAO is free or on its way out: ask for that at most, or for --all",
            Tao(amount),
            Tao(available)
        );
        return Err(Stop::refused(why));
    }
    let vault = place.deployment.vault.address;
    let delay = place.view().call(vault, &CollateralVault::EXIT_DELAY_SECSCall {}).await.context("the exit delay")?;
    let window = place.view().call(vault, &CollateralVault::EXIT_WINDOW_SECSCall {}).await.context("the window")?;
    let call = CollateralVault::requestExitCall { machine: before.node.machine, amount };
    let title = format!("Start to take {} TAO of bond out of {}", Tao(amount), before.machine());
    let mut deed = Deed::new(title, "CollateralVault", Order::call(vault, &call))
        .row("ready", format!("after {}, for {}; then it lapses", span(delay.into()), span(window.into())))
        .row("means", "it backs no new rental from now on, and can still be set aside for false proofs");
    if before.node.exiting > 0 {
        deed = deed.row("replaces", format!("the exit of {} TAO, whose delay begins anew", Tao(before.node.exiting)));
    }
    Ok(deed)
}

pub(super) async fn withdraw(arguments: &Withdraw, out: Out) -> Result<()> {
    let (actor, place) = (arguments.acting.signing.actor()?, Place::find(&arguments.acting.at).await?);
    let before = mine(&place, arguments.which.machine()?, &actor).await?;
    let (now, ready_at) = (place.now_secs(), u64::from(before.node.exitReadyAt));
    if before.node.exiting == 0 {
        return Err(Stop::refused("nothing of this bond is on its way out: surety node exit asks for it"));
    }
    if now < ready_at {
        let why = format!("too early: it is ready in {}, from {} on", span(ready_at - now), date(ready_at));
        return Err(Stop::refused(why));
    }
    let call = CollateralVault::withdrawCall { machine: before.node.machine };
    let title = format!("Take {} TAO of bond out, as credit", Tao(before.node.exiting));
    let deed = Deed::new(title, "CollateralVault", Order::call(place.deployment.vault.address, &call))
        .row("then", "surety credit withdraw pays the credit out");
    let carried = carry(&place, &arguments.acting.signing, &actor, deed, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let again = place.again().await?;
    let after = NodeState::of(&again, before.node.registration).await?;
    ensure!(after.node.exiting == 0, "the vault still shows {} TAO on its way out", Tao(after.node.exiting));
    let credit = CollateralVault::creditOfCall { account: before.node.miner };
    let credit = again.view().call(place.deployment.vault.address, &credit).await.context("the credit")?;
    let words = format!("Withdrawn: the vault owes you {} TAO. surety credit withdraw pays it out.", Tao(credit));
    let (credit, bonded) = (credit.to_string(), after.bonded_rao().to_string());
    carried.tell(out, words, json!({ "credit_rao": credit, "bonded_rao": bonded }))
}
