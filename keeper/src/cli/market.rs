//! `surety market`: what can be rented, as a keeper shows it.

use super::kit::amount::{Price, short_tao};
use super::kit::exit::Stop;
use super::kit::http::{Http, LIST_BYTES_MAX};
use super::kit::out::Out;
use super::kit::parse;
use super::kit::place::{Keepers, Where, urls};
use super::kit::table::{Grid, Side};
use super::kit::text::plain;
use super::kit::words::date;
use anyhow::Result;
use clap::{Args, ValueEnum};
use surety_core::types::Account;
use surety_market::wire::{Availability, Machine, MarketPage};
use surety_verifier::classes::ClassId;

/// What `surety market` takes.
#[derive(Debug, Args)]
pub(super) struct MarketArguments {
    /// Only this GPU class, by name or id.
    #[arg(long, value_parser = parse::class)]
    class: Option<ClassId>,
    /// Only machines with so many GPUs or more.
    #[arg(long, value_name = "GPUS")]
    min_gpus: Option<u8>,
    /// Only machines that cost at most so much: 0.9/h or 0.00025/s, for the whole machine.
    #[arg(long, value_name = "PRICE")]
    max_price: Option<Price>,
    /// Only machines in this state; `any` shows all.
    #[arg(long, value_enum, default_value_t = Shown::Free)]
    availability: Shown,
    /// Only machines that the keeper has a certificate of.
    #[arg(long)]
    verified: bool,
    /// Only machines with at least so much uptime over 90 days, in percent such as 99.5.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    min_uptime: Option<u32>,
    /// Only this miner's machines.
    #[arg(long, value_name = "ADDRESS", value_parser = parse::account)]
    miner: Option<Account>,
    /// What they are sorted by.
    #[arg(long, value_enum, default_value_t = Sort::GpuPrice)]
    sort: Sort,
    /// The largest first.
    #[arg(long)]
    desc: bool,
    /// Most machines shown.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Machines passed over.
    #[arg(long, default_value_t = 0)]
    offset: u32,
    /// Show whole machine ids, as `surety rent` takes them, and little else.
    #[arg(long)]
    ids: bool,
    #[command(flatten)]
    keepers: Keepers,
    #[command(flatten)]
    at: Where,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shown {
    Any,
    Free,
    Rented,
    Resting,
    Unverified,
    Underbonded,
    NotOffered,
}

impl Shown {
    fn query(self) -> Option<&'static str> {
        Some(match self {
            Self::Any => return None,
            Self::Free => "free",
            Self::Rented => "rented",
            Self::Resting => "resting",
            Self::Unverified => "unverified",
            Self::Underbonded => "underbonded",
            Self::NotOffered => "not_offered",
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    Price,
    GpuPrice,
    Bond,
    Uptime,
    Gpus,
    Registration,
}

impl Sort {
    fn query(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::GpuPrice => "gpu_price",
            Self::Bond => "bond",
            Self::Uptime => "uptime",
            Self::Gpus => "gpus",
            Self::Registration => "registration",
        }
    }
}

/// Percent with at most four decimals, as parts of a million.
fn percent(text: &str) -> Result<u32, String> {
    let wrong = || format!("'{text}' is no percentage: want 0 to 100, such as 99.5");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.len() > 3 || fraction.len() > 4 {
        return Err(wrong());
    }
    let ppm: u32 = format!("{whole}{fraction:0<4}").parse().map_err(|_| wrong())?;
    if ppm <= 1_000_000 { Ok(ppm) } else { Err(wrong()) }
}

pub(super) async fn run(arguments: &MarketArguments, out: Out) -> Result<()> {
    let urls = urls(&arguments.at, &arguments.keepers).await?;
    let http = Http::new()?;
    let mut failed = Vec::new();
    for url in &urls {
        match http.get::<MarketPage>(url, "/v1/market", &query(arguments), LIST_BYTES_MAX).await {
            Ok(page) => {
                let words = if arguments.ids { ids(&page) } else { words(&page) };
                let document = || serde_json::to_value(&page).unwrap_or_default();
                out.answer(words, document);
                return Ok(());
            }
            Err(error) if urls.len() == 1 => return Err(error.into()),
            Err(error) => failed.push(error.to_string()),
        }
    }
    Err(Stop::Unreachable(format!("no keeper answered: {}", failed.join("; "))).into())
}

fn query(arguments: &MarketArguments) -> Vec<(&'static str, String)> {
    let order = if arguments.desc { "desc" } else { "asc" };
    let asked = [
        ("class", arguments.class.map(|class| class.0.to_string())),
        ("min_gpus", arguments.min_gpus.map(|gpus| gpus.to_string())),
        ("max_price", arguments.max_price.map(|price| price.0.to_string())),
        ("availability", arguments.availability.query().map(str::to_owned)),
        ("verified", arguments.verified.then(|| "true".to_owned())),
        ("min_uptime", arguments.min_uptime.map(|ppm| ppm.to_string())),
        ("miner", arguments.miner.map(|miner| miner.to_string())),
        ("sort", Some(arguments.sort.query().to_owned())),
        ("order", Some(order.to_owned())),
        ("offset", Some(arguments.offset.to_string())),
        ("limit", Some(arguments.limit.to_string())),
    ];
    asked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn ids(page: &MarketPage) -> String {
    let mut grid = Grid::new(&[("machine", Side::Left), ("TAO/h", Side::Right), ("state", Side::Left)]);
    for machine in &page.machines {
        let price = machine.offer.map(|offer| hourly(offer.price_rao_per_sec.0)).unwrap_or_default();
        grid.row([machine.machine.to_string(), price, state(machine.availability).to_owned()]);
    }
    format!("{grid}{}", foot(page))
}

fn words(page: &MarketPage) -> String {
    let heads = [
        ("machine", Side::Left),
        ("class", Side::Left),
        ("gpus", Side::Right),
        ("TAO/h", Side::Right),
        ("gpu TAO/h", Side::Right),
        ("uptime", Side::Right),
        ("bond", Side::Right),
        ("rentals", Side::Right),
        ("cases", Side::Right),
        ("state", Side::Left),
    ];
    let mut grid = Grid::new(&heads);
    page.machines.iter().for_each(|machine| grid.row(cells(machine)));
    format!("{grid}{}", foot(page))
}

fn cells(machine: &Machine) -> [String; 10] {
    let id = machine.machine.to_string();
    let offer = machine.offer;
    let gpus = offer.map_or(0, |offer| u64::from(offer.gpu_count));
    let price = offer.map_or(0, |offer| offer.price_rao_per_sec.0);
    let cases = machine.cases;
    let bond = machine.bond;
    let bonded = [bond.free_rao, bond.reserved_rao, bond.held_rao, bond.stated_rao];
    let bonded = bonded.iter().fold(0u64, |sum, part| sum.saturating_add(part.0));
    [
        format!("{}…{}", &id[..10], &id[id.len() - 4..]),
        machine.class_name.as_deref().map(|name| plain(name, 20)).unwrap_or_default(),
        if gpus == 0 { String::new() } else { gpus.to_string() },
        if price == 0 { String::new() } else { hourly(price) },
        price.checked_div(gpus).filter(|_| price != 0).map(hourly).unwrap_or_default(),
        machine.uptime_ppm.map_or_else(|| "-".into(), uptime),
        short_tao(bonded),
        machine.rentals.to_string(),
        cases.open.saturating_add(cases.executed).to_string(),
        state(machine.availability).to_owned(),
    ]
}

/// Parts of a million as percent, rounded down to a hundredth.
fn uptime(ppm: u32) -> String {
    format!("{}.{:02}%", ppm / 10_000, ppm % 10_000 / 100)
}

fn hourly(rao_per_sec: u64) -> String {
    rao_per_sec.checked_mul(3_600).map_or_else(|| "too much".into(), short_tao)
}

fn state(availability: Availability) -> &'static str {
    match availability {
        Availability::Free => "free",
        Availability::Rented => "rented",
        Availability::Resting => "resting",
        Availability::Unverified => "unverified",
        Availability::Underbonded => "underbonded",
        Availability::NotOffered => "not offered",
    }
}

fn foot(page: &MarketPage) -> String {
    let more = page.next_offset.map(|next| format!("; more with --offset {next}")).unwrap_or_default();
    format!(
        "{} of {} machines, block {}, {}{more}\nWhole ids: --ids or --json",
        page.machines.len(),
        page.total,
        page.at.block,
        date(page.at.at_secs)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_exact_to_a_part_of_a_million() {
        assert_eq!(percent("99.5"), Ok(995_000));
        assert_eq!(percent("100"), Ok(1_000_000));
        assert_eq!(percent("0.0001"), Ok(1));
        for text in ["100.0001", "-1", "", "1.", "1.00001", "1e1"] {
            assert!(percent(text).is_err(), "{text}");
        }
        assert_eq!(uptime(999_999), "99.99%");
    }
}
