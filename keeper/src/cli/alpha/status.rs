//! `surety alpha status`: what stands, for anybody.

use super::Where;
use super::deed::bond_words;
use super::place::Place;
use super::words::{Table, date, span};
use anyhow::Result;
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};
use surety_core::types::MachineId;
use surety_substrate::alpha::AlphaVault;
use surety_substrate::alpha::types::{Bond, Books, Case, Config};
use surety_substrate::amount::Amount;
use surety_substrate::holdings::{Holdings, holdings};
use surety_substrate::needed::Feature;
use surety_substrate::ss58::AccountId;

/// Most bonds that are looked through for one coldkey's: each is a question of its own.
const BONDS_MAX: u32 = 512;

/// Most of the newest cases that are looked through, likewise.
const CASES_MAX: u32 = 256;

/// Questions on their way at once.
const AT_ONCE: usize = 8;

/// What is known of a coldkey.
struct Own {
    owner: AccountId,
    held: Option<Holdings>,
    credit_rao: u64,
    bonds: Vec<(u32, Bond)>,
    cases: Vec<(u32, Case)>,
    /// Whether all bonds and cases were looked through.
    whole: bool,
}

pub(super) async fn run(at: &Where, owner: Option<AccountId>, machine: Option<MachineId>) -> Result<()> {
    let place = Place::find(at).await?;
    let (vault, config) = place.vault(at).await?;
    let books = vault.books().await?;
    let own = match owner {
        Some(owner) => Some(look(&place, &vault, &config, &books, owner, machine).await?),
        None => None,
    };
    match at.json {
        true => println!("{}", as_json(&place, &vault, &config, &books, own.as_ref())),
        false => {
            print!("{}", vault_words(&place, &vault, &config, &books));
            if let Some(own) = &own {
                print!("{}", own_words(&config, &books, own, place.now));
            }
        }
    }
    Ok(())
}

async fn look(
    place: &Place,
    vault: &AlphaVault<'_>,
    config: &Config,
    books: &Books,
    owner: AccountId,
    machine: Option<MachineId>,
) -> Result<Own> {
    let held = match place.runtime.need(Feature::Stakes) {
        Ok(()) => Some(holdings(&place.nodes, &place.runtime, place.at, owner, config.netuid).await?),
        Err(_) => None,
    };
    let mut bonds = Vec::new();
    match machine {
        Some(machine) => bonds.extend(vault.bond(owner, machine.0).await?),
        None => {
            let asked = (1..=books.bonds.min(BONDS_MAX)).map(async |number| (number, vault.bond_at(number).await));
            let mut answers = stream::iter(asked).buffered(AT_ONCE);
            while let Some((number, found)) = answers.next().await {
                bonds.extend(found?.filter(|bond| bond.bond.owner == owner).map(|bond| (number, bond)));
            }
        }
    }
    let mut cases = Vec::new();
    let first = books.cases.saturating_sub(CASES_MAX).saturating_add(1);
    let asked = (first..=books.cases).map(async |number| (number, vault.case_at(number).await));
    let mut answers = stream::iter(asked).buffered(AT_ONCE);
    while let Some((number, found)) = answers.next().await {
        cases.extend(found?.filter(|case| bonds.iter().any(|(bond, _)| *bond == case.bond)).map(|case| (number, case)));
    }
    let whole = (machine.is_some() || books.bonds <= BONDS_MAX) && books.cases <= CASES_MAX;
    Ok(Own { owner, held, credit_rao: vault.credit_of(owner).await?, bonds, cases, whole })
}

fn unit(books: &Books) -> &'static str {
    if books.wound_up { "TAO" } else { "alpha" }
}

fn vault_words(place: &Place, vault: &AlphaVault<'_>, config: &Config, books: &Books) -> Table {
    let mut table = Table::new(format!("AlphaVault {}", vault.account()));
    table.row("chain", place.words());
    table.row("code", "as committed");
    table.row("subnet", config.netuid.to_string());
    let (stake, unit) = (Amount(books.stake), unit(books));
    table.row("holds", format!("{stake} {unit} under hotkey {}; bonds: {}", books.hotkey, books.bonds));
    if books.wound_up {
        table.row("wound up", "the subnet is gone: nothing can be deposited, exits are paid in TAO");
    }
    let (delay, window) = (span(config.exit_delay_secs), span(config.exit_window_secs));
    table.row("exit", format!("ready after {delay}, for {window}"));
    table.row("appeal", format!("within {} of a case's filing", span(config.appeal_window_secs)));
    table
}

fn own_words(config: &Config, books: &Books, own: &Own, now: u64) -> Table {
    let mut table = Table::new(format!("Coldkey {}", own.owner));
    if let Some(held) = &own.held {
        let (available, locked) = (Amount(held.available), Amount(held.locked));
        table.row("stake", format!("{available} alpha can be moved on subnet {}, {locked} is locked", config.netuid));
        for position in held.positions.iter().take(16) {
            table.row("", format!("{} under {}", Amount(position.rao), position.hotkey));
        }
    }
    if own.credit_rao > 0 {
        table.row("credit", format!("{} TAO, which withdraw_credit pays", Amount(own.credit_rao)));
    }
    if own.bonds.is_empty() {
        table.row("bonds", "none");
    }
    for (number, bond) in &own.bonds {
        table.row("bond", format!("{number}, machine 0x{}", hex::encode(bond.bond.machine)));
        table.row("", format!("{} ({})", bond_words(bond), unit(books)));
        if let Some(closes_at) = bond.closes_at(config) {
            table.row("", exit_words(bond.bond.ready_at, closes_at, now));
        }
    }
    for (number, case) in &own.cases {
        let (alpha, filed) = (Amount(case.alpha), date(case.filed_at));
        table.row("case", format!("{number}, {:?} of {alpha} alpha, {:?}, filed {filed}", case.kind, case.status));
    }
    if !own.whole {
        table
            .row("", format!("only {BONDS_MAX} bonds and the newest {CASES_MAX} cases were looked through: --machine"));
    }
    table
}

fn exit_words(ready_at: u64, closes_at: u64, now: u64) -> String {
    match now < ready_at {
        true => format!("exit ready in {}, from {} to {}", span(ready_at - now), date(ready_at), date(closes_at)),
        false => format!("exit can be withdrawn now, until {}", date(closes_at)),
    }
}

fn as_json(place: &Place, vault: &AlphaVault<'_>, config: &Config, books: &Books, own: Option<&Own>) -> Value {
    let mut json = json!({
        "chain_id": place.chain_id, "block": place.at.number, "time": place.now,
        "vault": vault.account().to_string(), "netuid": config.netuid, "wound_up": books.wound_up,
        "hotkey": books.hotkey.to_string(), "stake_rao": books.stake, "bonds": books.bonds, "cases": books.cases,
        "exit_delay_secs": config.exit_delay_secs, "exit_window_secs": config.exit_window_secs,
    });
    if let Some(own) = own {
        json["owner"] = own_json(config, own);
    }
    json
}

fn own_json(config: &Config, own: &Own) -> Value {
    let bonds = own.bonds.iter().map(|(number, bond)| {
        json!({
            "number": number, "machine": MachineId(bond.bond.machine), "free_rao": bond.free_rao,
            "exiting_rao": bond.exiting_rao, "held_rao": bond.held_rao,
            "ready_at": bond.closes_at(config).map(|_| bond.bond.ready_at), "closes_at": bond.closes_at(config),
        })
    });
    let cases = own.cases.iter().map(|(number, case)| {
        json!({
            "number": number, "bond": case.bond, "kind": format!("{:?}", case.kind), "alpha_rao": case.alpha,
            "status": format!("{:?}", case.status), "filed_at": case.filed_at,
        })
    });
    let positions = own.held.iter().flat_map(|held| &held.positions);
    let positions = positions.map(|position| json!({ "hotkey": position.hotkey.to_string(), "rao": position.rao }));
    json!({
        "account": own.owner.to_string(), "credit_rao": own.credit_rao, "whole": own.whole,
        "available_rao": own.held.as_ref().map(|held| held.available),
        "locked_rao": own.held.as_ref().map(|held| held.locked),
        "stake": positions.collect::<Vec<_>>(), "bonds": bonds.collect::<Vec<_>>(), "cases": cases.collect::<Vec<_>>(),
    })
}
