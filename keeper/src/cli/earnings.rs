//! `surety earnings`: what a miner's open rentals have earned, what can be claimed, and what is credit already.

use super::credit::{credits, payouts, sum};
use super::kit::amount::Tao;
use super::kit::exit::Stop;
use super::kit::money::{Deed, carry_all, would_pass};
use super::kit::out::Out;
use super::kit::parse;
use super::kit::place::{Place, Where};
use super::kit::table::{Grid, Side};
use super::kit::who::{Actor, Signing, key};
use super::kit::words::date;
use super::scan::machines_of;
use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};
use surety_client::bindings::{IRentalEscrow, RentalEscrow};
use surety_client::transaction::Order;
use surety_core::types::{Account, MachineId, Rao, RentalId};

/// What `surety earnings` takes.
#[derive(Debug, Args)]
pub(super) struct EarningsArguments {
    /// Whose, to look only; without it the account of --key-file or SURETY_KEY.
    #[arg(long = "of", value_name = "ADDRESS", value_parser = parse::account, conflicts_with_all = ["claim", "withdraw"])]
    of: Option<Account>,
    /// Make what is earned credit: a transaction for each rental, or one that closes all that are over.
    #[arg(long)]
    claim: bool,
    /// Pay the credit out.
    #[arg(long, conflicts_with = "claim")]
    withdraw: bool,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    at: Where,
}

/// A rental that is not closed, and what it has earned.
struct Open {
    id: RentalId,
    machine: MachineId,
    rental: IRentalEscrow::Rental,
    earned_rao: Rao,
    /// Of that, what can be claimed now.
    claimable_rao: Rao,
    /// Over for so long that it can be closed.
    closable: bool,
}

pub(super) async fn run(arguments: &EarningsArguments, out: Out) -> Result<()> {
    if arguments.claim || arguments.withdraw {
        return act(arguments, out).await;
    }
    let signing = &arguments.signing;
    let own = || -> Result<Account> {
        let missing = || Stop::usage("whose? Name the account with --of ADDRESS, or a key with --key-file");
        Ok(key(signing.key_file.as_deref(), signing.password_file.as_deref())?.ok_or_else(missing)?.account())
    };
    let account = arguments.of.or(signing.from).map_or_else(own, Ok)?;
    let place = Place::find(&arguments.at).await?;
    let (open, credits) = (open_rentals(&place, account, out).await?, credits(&place, account).await?);
    out.answer(words(&open, account, sum(&credits)), || document(&place, &open, account, sum(&credits)));
    Ok(())
}

async fn open_rentals(place: &Place, account: Account, out: Out) -> Result<Vec<Open>> {
    let escrow = place.deployment.escrow.address;
    let mut open = Vec::new();
    for state in machines_of(place, account, out).await? {
        let backed = [state.node.firstRental, state.node.secondRental].into_iter().filter(|rental| *rental != 0);
        for id in backed {
            let rental = place.view().call(escrow, &RentalEscrow::rentalAtCall { rental: id }).await;
            let earned = place.view().call(escrow, &RentalEscrow::earnedOfCall { rental: id }).await;
            let rental = rental.with_context(|| format!("rental {id}"))?.r;
            open.push(Open::new(place, id, state.machine(), rental, earned.with_context(|| format!("rental {id}"))?));
        }
    }
    open.sort_by_key(|one| one.id);
    Ok(open)
}

impl Open {
    fn new(place: &Place, id: RentalId, machine: MachineId, rental: IRentalEscrow::Rental, earned_rao: Rao) -> Self {
        let (now, lag) = (place.now_secs(), place.deployment.times.settle_lag_secs);
        let up_to = now.saturating_sub(lag).min(rental.end.into());
        let unpaid_secs = up_to.saturating_sub(rental.paidUntil.into());
        let price: u64 = rental.price.to();
        let unclaimed = earned_rao.saturating_sub(price.saturating_mul(rental.claimedSecs.into()));
        let claimable_rao = price.saturating_mul(unpaid_secs).min(unclaimed);
        let closable = now >= u64::from(rental.end).saturating_add(lag);
        Self { id, machine, rental, earned_rao, claimable_rao, closable }
    }

    fn claimed_rao(&self) -> Rao {
        self.rental.price.to::<u64>().saturating_mul(self.rental.claimedSecs.into())
    }
}

fn words(open: &[Open], account: Account, credit_rao: Rao) -> String {
    let heads = [
        ("rental", Side::Right),
        ("machine", Side::Left),
        ("earned TAO", Side::Right),
        ("claimed", Side::Right),
        ("claimable", Side::Right),
        ("ends", Side::Left),
    ];
    let mut grid = Grid::new(&heads);
    for one in open {
        let id = one.machine.to_string();
        let short = format!("{}…{}", &id[..10], &id[id.len() - 4..]);
        let amounts = [one.earned_rao, one.claimed_rao(), one.claimable_rao].map(|rao| Tao(rao).to_string());
        let [earned, claimed, claimable] = amounts;
        let ends = if one.closable { "closable".into() } else { date(one.rental.end.into()) };
        grid.row([one.id.to_string(), short, earned, claimed, claimable, ends]);
    }
    let claimable = open.iter().fold(0, |sum: Rao, one| sum.saturating_add(one.claimable_rao));
    let none = if open.is_empty() { "No open rentals.\n" } else { "" };
    let table = if open.is_empty() { String::new() } else { grid.to_string() };
    format!(
        "Miner {account}\n{table}{none}Claimable: about {} TAO before the fee (--claim). Credit: {} TAO (--withdraw).",
        Tao(claimable),
        Tao(credit_rao)
    )
}

fn document(place: &Place, open: &[Open], account: Account, credit_rao: Rao) -> Value {
    let one = |one: &Open| {
        json!({ "rental": one.id, "machine": one.machine, "earned_rao": one.earned_rao.to_string(),
            "claimed_rao": one.claimed_rao().to_string(), "claimable_rao": one.claimable_rao.to_string(),
            "end_secs": one.rental.end, "closable": one.closable })
    };
    let claimable = open.iter().fold(0, |sum: Rao, one| sum.saturating_add(one.claimable_rao));
    json!({ "block": place.head.number, "miner": account, "credit_rao": credit_rao.to_string(),
        "claimable_rao": claimable.to_string(), "rentals": open.iter().map(one).collect::<Vec<_>>() })
}

async fn act(arguments: &EarningsArguments, out: Out) -> Result<()> {
    let (actor, place) = (arguments.signing.actor()?, Place::find(&arguments.at).await?);
    let before = credits(&place, actor.account).await?;
    let deeds = match arguments.withdraw {
        true => payouts(&before, actor.account)?,
        false => claims(&place, &actor, out).await?,
    };
    let carried = carry_all(&place, &arguments.signing, &actor, deeds, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let after = credits(&place.again().await?, actor.account).await?;
    let credit = Tao(sum(&after));
    let words = match arguments.withdraw {
        true => format!("Paid out: {} TAO.", Tao(sum(&before).saturating_sub(sum(&after)))),
        false => format!("Claimed: your credit is {credit} TAO. surety earnings --withdraw pays it out."),
    };
    carried.tell(out, words, json!({ "credit_rao": credit.0.to_string() }))
}

/// Claims of running rentals, and one closing of all that are over.
async fn claims(place: &Place, actor: &Actor, out: Out) -> Result<Vec<Deed>> {
    let escrow = place.deployment.escrow.address;
    let open = open_rentals(place, actor.account, out).await?;
    let closable: Vec<RentalId> = open.iter().filter(|one| one.closable).map(|one| one.id).collect();
    let mut deeds = Vec::new();
    if !closable.is_empty() {
        let title = format!("Close rentals {closable:?}: their last payment, and their bond free again");
        let call = RentalEscrow::closeManyCall { rentals: closable };
        deeds.push(Deed::new(title, "RentalEscrow", Order::call(escrow, &call)));
    }
    for one in open.iter().filter(|one| !one.closable && one.claimable_rao > 0) {
        let title = format!("Claim about {} TAO of rental {}", Tao(one.claimable_rao), one.id);
        let deed = Deed::new(title, "RentalEscrow", Order::call(escrow, &RentalEscrow::claimCall { rental: one.id }));
        if would_pass(place, actor, &deed).await {
            deeds.push(deed);
        }
    }
    if deeds.is_empty() {
        return Err(Stop::refused("nothing can be claimed now: what is earned can be, after the settle lag"));
    }
    Ok(deeds)
}
