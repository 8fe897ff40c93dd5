//! `surety bid`: wishes for machines, paid in advance, that anybody may fill with a live offer.

use super::kit::amount::{Price, Span, Tao};
use super::kit::exit::Stop;
use super::kit::money::{Deed, carry};
use super::kit::out::Out;
use super::kit::place::{Keepers, Place, Where};
use super::kit::table::{Grid, Side};
use super::kit::who::{Actor, Of, Signing};
use super::kit::words::{date, span};
use super::kit::{parse, sshkey};
use super::node::NodeState;
use super::rent::quorum;
use super::scan::{Found, FoundBid, bids};
use alloy::primitives::aliases::U40;
use alloy::primitives::{Address, B256};
use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use surety_client::bindings::RentalBids;
use surety_client::bindings::bids::{IRentalBids, IRentalEscrow};
use surety_client::digest::secs32;
use surety_client::intent;
use surety_client::transaction::Order;
use surety_core::statement::{Certificate, Signed};
use surety_core::types::MachineId;
use surety_verifier::classes::ClassId;

/// What is done with wishes.
#[derive(Debug, Subcommand)]
pub(super) enum BidCommand {
    /// Post a wish, paying the most it may cost; what a machine costs less comes back at once when it is filled.
    /// Example: surety bid post --class "H100 SXM" --count 8 --for 12h --max-price 9/h --ssh-key ~/.ssh/id_ed25519.pub
    /// --network mainnet --rpc URL --key-file renter.key
    Post(Post),
    /// Wishes that are open, or all of an account's.
    /// Example: surety bid list --class "H100 SXM" --network mainnet --rpc URL
    List(List),
    /// Take a wish back: what was paid is credit.
    /// Example: surety bid give-up 3 --network mainnet --rpc URL --key-file renter.key
    GiveUp(GiveUp),
    /// Fill a wish with a machine whose live offer fits. Anybody may; the fee is theirs who do.
    /// Example: surety bid fill 3 --machine 0x12... --network mainnet --rpc URL --key-file miner.key
    Fill(Fill),
}

/// What `surety bid post` takes.
#[derive(Debug, Args)]
pub(super) struct Post {
    /// The GPU class, by name or id.
    #[arg(long, value_parser = parse::class)]
    class: ClassId,
    /// Least number of GPUs.
    #[arg(long, value_name = "GPUS")]
    count: u8,
    /// How long, such as 12h.
    #[arg(long = "for", value_name = "SPAN")]
    duration: Span,
    /// The most the machine may cost: 9/h or 0.0025/s.
    #[arg(long, value_name = "PRICE")]
    max_price: Price,
    /// The SSH key the machine is to let in: the file ~/.ssh/id_ed25519.pub, its line, or hex.
    #[arg(long, value_name = "FILE|KEY")]
    ssh_key: String,
    /// From then on it is not filled any more, and anybody may give it back.
    #[arg(long, value_name = "SPAN", default_value = "1d")]
    expires: Span,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    at: Where,
}

/// What `surety bid list` takes.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only this GPU class, by name or id.
    #[arg(long, value_parser = parse::class)]
    class: Option<ClassId>,
    /// All of this account's, and not only those that are open.
    #[arg(long)]
    mine: bool,
    #[command(flatten)]
    of: Of,
    /// Look through so many of the newest.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    last: u64,
    #[command(flatten)]
    at: Where,
}

/// What `surety bid give-up` takes.
#[derive(Debug, Args)]
pub(super) struct GiveUp {
    /// The wish.
    bid: u64,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    at: Where,
}

/// What `surety bid fill` takes.
#[derive(Debug, Args)]
pub(super) struct Fill {
    /// The wish.
    bid: u64,
    /// The machine.
    #[arg(long, value_name = "MACHINE", value_parser = parse::machine)]
    machine: MachineId,
    #[command(flatten)]
    keepers: Keepers,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    at: Where,
}

impl BidCommand {
    /// Does what was asked.
    pub(super) async fn run(self, out: Out) -> Result<()> {
        match self {
            Self::Post(arguments) => post(&arguments, out).await,
            Self::List(arguments) => list(&arguments, out).await,
            Self::GiveUp(arguments) => give_up(&arguments, out).await,
            Self::Fill(arguments) => fill(&arguments, out).await,
        }
    }
}

async fn bid_at(place: &Place, bid: u64) -> Result<IRentalBids::Bid> {
    let found = place.view().call(place.deployment.bids.address, &RentalBids::bidAtCall { bid }).await;
    found.with_context(|| format!("bid {bid} was not read"))
}

/// A wish that is open.
async fn open_bid(place: &Place, bid: u64) -> Result<IRentalBids::Bid> {
    let found = bid_at(place, bid).await?;
    match status(&found) {
        "open" => Ok(found),
        "none" => Err(Stop::refused(format!("there is no bid {bid}: check the id (surety bid list)"))),
        other => Err(Stop::refused(format!("bid {bid} is {other}: nothing can be done with it any more"))),
    }
}

fn status(bid: &IRentalBids::Bid) -> &'static str {
    match bid.status {
        1 => "open",
        2 => "filled",
        3 => "returned",
        _ => "none",
    }
}

async fn post(arguments: &Post, out: Out) -> Result<()> {
    let renter_key = sshkey::read(&arguments.ssh_key).map_err(|error| Stop::usage(error.to_string()))?;
    let (actor, place) = (arguments.signing.actor()?, Place::find(&arguments.at).await?);
    let secs = arguments.duration.secs32()?;
    let max_price = arguments.max_price;
    let cost = max_price.0.checked_mul(secs.into()).context("it costs more TAO than there can be")?;
    let expires_at = secs32(place.now_secs().saturating_add(arguments.expires.0))?;
    let price_max: u64 = U40::MAX.to();
    ensure!(max_price.0 <= price_max, Stop::usage(format!("--max-price: want at most {price_max} rao a second")));
    let call = RentalBids::postCall {
        gpuClass: arguments.class.0,
        gpuCount: arguments.count,
        durationSecs: secs,
        maxPrice: U40::from(max_price.0),
        renterKey: B256::from(renter_key.0),
        expiresAt: expires_at,
    };
    let title = format!("Wish for {} x {} for {}", arguments.count, arguments.class, span(secs.into()));
    let deed = Deed::new(title, "RentalBids", Order::call(place.deployment.bids.address, &call).paying(cost))
        .row("at most", max_price.to_string())
        .row("lets in", renter_key.to_string())
        .row("expires", date(expires_at.into()))
        .row("beware", "a bid is a limit: an offer may be raised up to it before it is filled");
    let carried = carry(&place, &arguments.signing, &actor, deed, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let again = place.again().await?;
    let mine =
        |one: &FoundBid| is_of(one, &actor) && one.bid.renterKey.0 == renter_key.0 && one.bid.expiresAt == expires_at;
    let found = bids(&again, 50, mine).await?.items;
    let bid = found.first().context("the bid is not among the newest: look with surety bid list --mine")?.id;
    let words =
        format!("Posted: bid {bid}, until {}. surety bid give-up {bid} takes it back.", date(expires_at.into()));
    carried.tell(out, words, json!({ "bid": bid, "expires_at_secs": expires_at }))
}

fn is_of(found: &FoundBid, actor: &Actor) -> bool {
    found.bid.renter == Address::from(actor.account.0)
}

async fn list(arguments: &List, out: Out) -> Result<()> {
    let renter = if arguments.mine { Some(Address::from(arguments.of.account()?.0)) } else { None };
    let place = Place::find(&arguments.at).await?;
    let now = place.now_secs();
    let fits = |found: &FoundBid| {
        let open = status(&found.bid) == "open" && u64::from(found.bid.expiresAt) > now;
        let class = arguments.class.is_none_or(|class| class.0 == found.bid.gpuClass);
        class && renter.map_or(open, |renter| found.bid.renter == renter)
    };
    let found = bids(&place, arguments.last, fits).await?;
    out.answer(words(&found), || {
        let bids: Vec<Value> = found.items.iter().map(document).collect();
        json!({ "block": place.head.number, "looked_through": found.looked, "of": found.of, "bids": bids })
    });
    Ok(())
}

fn words(found: &Found<FoundBid>) -> String {
    let heads = [
        ("bid", Side::Right),
        ("state", Side::Left),
        ("class", Side::Left),
        ("gpus", Side::Right),
        ("for", Side::Left),
        ("most TAO", Side::Right),
        ("expires", Side::Left),
    ];
    let mut grid = Grid::new(&heads);
    for FoundBid { id, bid } in &found.items {
        let most = Tao(bid.maxPrice.to::<u64>().saturating_mul(bid.durationSecs.into()));
        grid.row([
            id.to_string(),
            if bid.rental == 0 { status(bid).to_owned() } else { format!("rental {}", bid.rental) },
            ClassId(bid.gpuClass).to_string(),
            bid.gpuCount.to_string(),
            span(bid.durationSecs.into()),
            most.to_string(),
            date(bid.expiresAt.into()),
        ]);
    }
    format!("{grid}{} bids among the newest {} of {}", found.items.len(), found.looked, found.of)
}

fn document(FoundBid { id, bid }: &FoundBid) -> Value {
    json!({
        "bid": id, "state": status(bid), "renter": bid.renter, "gpu_class": bid.gpuClass, "gpu_count": bid.gpuCount,
        "duration_secs": bid.durationSecs, "max_price_rao_per_sec": bid.maxPrice.to::<u64>().to_string(),
        "expires_at_secs": bid.expiresAt, "rental": (bid.rental != 0).then_some(bid.rental),
    })
}

async fn give_up(arguments: &GiveUp, out: Out) -> Result<()> {
    let (actor, place) = (arguments.signing.actor()?, Place::find(&arguments.at).await?);
    let id = arguments.bid;
    let before = open_bid(&place, id).await?;
    let back = Tao(before.maxPrice.to::<u64>().saturating_mul(before.durationSecs.into()));
    let order = Order::call(place.deployment.bids.address, &RentalBids::giveUpCall { bid: id });
    let deed = Deed::new(format!("Take bid {id} back"), "RentalBids", order)
        .row("back", format!("{back} TAO, as credit of {}", before.renter));
    let carried = carry(&place, &arguments.signing, &actor, deed, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let after = bid_at(&place.again().await?, id).await?;
    ensure!(status(&after) == "returned", "bid {id} is {}: look with surety bid list", status(&after));
    let words = format!("Taken back: {back} TAO is credit of {}. surety credit withdraw pays it out.", before.renter);
    carried.tell(out, words, json!({ "bid": id, "returned_rao": back.0.to_string() }))
}

async fn fill(arguments: &Fill, out: Out) -> Result<()> {
    let (actor, place) = (arguments.signing.actor()?, Place::find(&arguments.at).await?);
    let (id, machine) = (arguments.bid, arguments.machine);
    let before = open_bid(&place, id).await?;
    let not_registered = || Stop::refused(format!("machine {machine} is not registered"));
    let state = NodeState::find(&place, machine).await?.ok_or_else(not_registered)?;
    if !state.is_offered(place.now_secs()) {
        return Err(Stop::refused("the machine is not offered now: nothing can be filled with it"));
    }
    let certificates = quorum(&place, &arguments.keepers, &state, out).await?;
    let call = RentalBids::fillCall {
        bid: id,
        machine: B256::from(machine.0),
        certificates: certificates.iter().map(certificate).collect::<Result<_>>()?,
    };
    let price = Price(state.price_rao_per_sec());
    let deed = Deed::new(format!("Fill bid {id}"), "RentalBids", Order::call(place.deployment.bids.address, &call))
        .row("with", machine.to_string())
        .row("at", price.to_string())
        .row("for", format!("{}, who asked for {}", before.renter, span(before.durationSecs.into())));
    let carried = carry(&place, &arguments.signing, &actor, deed, out).await?;
    if !carried.is_done() {
        return carried.tell_shown(out);
    }
    let after = bid_at(&place.again().await?, id).await?;
    ensure!(status(&after) == "filled", "bid {id} is {}: look with surety bid list", status(&after));
    carried.tell(out, format!("Filled: rental {}.", after.rental), json!({ "bid": id, "rental": after.rental }))
}

/// A certificate as RentalBids takes it: the same as the escrow's, under another name.
fn certificate(signed: &Signed<Certificate>) -> Result<IRentalEscrow::SignedCertificate> {
    let one = intent::certificate(signed)?;
    Ok(IRentalEscrow::SignedCertificate {
        gpuClass: one.gpuClass,
        gpuCount: one.gpuCount,
        measuredAt: one.measuredAt,
        evidence: one.evidence,
        r: one.r,
        vs: one.vs,
    })
}
