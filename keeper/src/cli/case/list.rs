//! `surety case list`: cases as a keeper shows them.

use crate::cli::kit::amount::Tao;
use crate::cli::kit::exit::Stop;
use crate::cli::kit::http::{Http, LIST_BYTES_MAX};
use crate::cli::kit::out::Out;
use crate::cli::kit::parse;
use crate::cli::kit::place::{Keepers, Where, urls};
use crate::cli::kit::table::{Grid, Side};
use crate::cli::kit::words::date;
use anyhow::Result;
use clap::Args;
use surety_core::types::{Account, CaseId, MachineId, RentalId};
use surety_market::wire::CasePage;

/// What `surety case list` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Only against this miner.
    #[arg(long, value_name = "ADDRESS", value_parser = parse::account)]
    miner: Option<Account>,
    /// Only against this machine.
    #[arg(long, value_name = "MACHINE", value_parser = parse::machine)]
    machine: Option<MachineId>,
    /// Only of this rental.
    #[arg(long)]
    rental: Option<RentalId>,
    /// Only older ones than this.
    #[arg(long, value_name = "CASE")]
    before: Option<CaseId>,
    /// Most cases shown.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    #[command(flatten)]
    keepers: Keepers,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(arguments: &List, out: Out) -> Result<()> {
    let asked = [
        ("miner", arguments.miner.map(|miner| miner.to_string())),
        ("machine", arguments.machine.map(|machine| machine.to_string())),
        ("rental", arguments.rental.map(|rental| rental.to_string())),
        ("before", arguments.before.map(|before| before.to_string())),
        ("limit", Some(arguments.limit.to_string())),
    ];
    let query: Vec<(&str, String)> = asked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let (urls, http) = (urls(&arguments.at, &arguments.keepers).await?, Http::new()?);
    let mut failed = Vec::new();
    for url in &urls {
        match http.get::<CasePage>(url, "/v1/cases", &query, LIST_BYTES_MAX).await {
            Ok(page) => {
                out.answer(words(&page), || serde_json::to_value(&page).unwrap_or_default());
                return Ok(());
            }
            Err(error) if urls.len() == 1 => return Err(error.into()),
            Err(error) => failed.push(error.to_string()),
        }
    }
    Err(Stop::Unreachable(format!("no keeper answered: {}", failed.join("; "))).into())
}

fn words(page: &CasePage) -> String {
    let heads = [
        ("case", Side::Right),
        ("kind", Side::Left),
        ("state", Side::Left),
        ("rental", Side::Right),
        ("filed", Side::Left),
        ("withheld", Side::Right),
        ("penalty", Side::Right),
    ];
    let mut grid = Grid::new(&heads);
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().replace('_', " ");
    for case in &page.cases {
        grid.row([
            case.id.to_string(),
            word(serde_json::to_value(case.kind).unwrap_or_default()),
            word(serde_json::to_value(case.state).unwrap_or_default()),
            case.rental.map(|rental| rental.to_string()).unwrap_or_default(),
            date(case.filed_at_secs),
            Tao(case.withheld_rao.0).to_string(),
            Tao(case.penalty_rao.0).to_string(),
        ]);
    }
    let more = page.next_before.map(|next| format!("; more with --before {next}")).unwrap_or_default();
    format!("{grid}{} cases, block {}{more}. Amounts in TAO", page.cases.len(), page.at.block)
}
