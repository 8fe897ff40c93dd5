//! `surety keeper status`: what a keeper is doing, from its store. Nothing is written and no lock taken, so it works
//! while the keeper runs, and on a copy.

use super::live;
use crate::adapters::store::{Reading, StoreError};
use crate::ports::Blindness;
use anyhow::Result;
use serde::Serialize;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use surety_core::outbox::RowState;
use surety_core::seat::{SeatView, Trouble};
use surety_core::state::State;
use surety_core::step::step;
use surety_core::types::{CaseId, MachineId, RentalId, UnixSecs};

/// Suspected machines and open transactions listed; the numbers count all.
const LISTED_MAX: usize = 50;

/// What a keeper is doing.
#[derive(Debug, Serialize)]
pub(super) struct Status {
    /// Its account.
    account: String,
    /// Its chain.
    chain_id: u64,
    /// Whether this is a dry run's store.
    dry_run: bool,
    /// Last input, and this host's clock when it was taken (Unix seconds).
    last_input: u64,
    last_input_secs: UnixSecs,
    /// How long ago that is, by this host's clock now.
    last_input_age_secs: u64,
    /// Runs of the process so far.
    runs: u32,
    best_block: u64,
    finalized_block: u64,
    /// Why nothing is judged, in one word; `null` when it sees.
    blind: Option<&'static str>,
    /// Where it stands with the keeper set, as of the best block.
    seat: String,
    /// Why the next check-in would be refused; `null` where nothing is in the way.
    seat_in_danger: Option<&'static str>,
    /// What the running keeper thinks of its RPC endpoints, by place in `chain.rpc`; `null` when it was not asked, or
    /// does not answer.
    endpoints: Option<Vec<String>>,
    /// Machines with a tenant that are looked at, with the rental.
    watched: u64,
    /// Machines that failed when last looked at.
    suspected: Vec<(MachineId, Option<RentalId>)>,
    suspected_in_all: u64,
    /// Cases not decided yet, at the best block.
    open_cases: Vec<CaseId>,
    /// Transactions on their way: what, and how far.
    outbox: Vec<String>,
    outbox_in_all: u64,
    /// Statements signed since midnight UTC of the chain's newest final block, and received from peers.
    signed_today: u64,
    received_today: u64,
    /// Entries in the log.
    log_from: u64,
    store_bytes: u64,
}

pub(super) fn run(path: &Path, json: bool, listen: Option<SocketAddr>) -> Result<()> {
    let now_secs = crate::adapters::clock::Clock::start().now_secs();
    let mut status = Status::read(&Reading::open(path)?, now_secs)?;
    status.endpoints = listen.and_then(live::endpoints);
    if json {
        println!("{}", serde_json::to_string_pretty(&status)?);
    } else {
        println!("{status}");
    }
    Ok(())
}

impl Status {
    pub(super) fn read(reading: &Reading, now_secs: UnixSecs) -> Result<Self, StoreError> {
        let snapshot = reading.snapshot()?;
        let (mut state, mut seq) = (*snapshot.state, snapshot.seq);
        loop {
            let page = reading.log_after(seq)?;
            let Some((last, _)) = page.last() else { break };
            seq = *last;
            page.iter().for_each(|(_, input)| drop(step(&mut state, input)));
        }
        let suspects: Vec<_> = state.watches.iter().filter(|(_, watch)| watch.suspected).collect();
        let rows = reading.open_rows()?;
        let today_secs = state.world.finalized.block.timestamp_secs / 86_400 * 86_400;
        let (signed_today, received_today) = reading.statements_since(today_secs.max(1))?;
        let of = |(machine, watch): &(&MachineId, &surety_core::watch::Watch)| {
            (**machine, watch.tenancy.as_ref().map(|tenancy| tenancy.rental))
        };
        let open = |case: &&surety_core::view::CaseView| !case.status.is_decided();
        Ok(Self {
            account: state.config.me.to_string(),
            chain_id: state.config.chain_id,
            dry_run: reading.is_dry()?,
            last_input: seq,
            last_input_secs: state.clock.now_secs(),
            last_input_age_secs: now_secs.saturating_sub(state.clock.now_secs()),
            runs: state.clock.run,
            best_block: state.world.best.block.number,
            finalized_block: state.world.finalized.block.number,
            blind: state.health.blind.map(|why| Blindness::from(why).word()),
            seat: seat_of(&state),
            seat_in_danger: state.seat.told.map(Trouble::message),
            endpoints: None,
            watched: state.watches.values().filter(|watch| watch.tenancy.is_some()).count() as u64,
            suspected_in_all: suspects.len() as u64,
            suspected: suspects.iter().take(LISTED_MAX).map(of).collect(),
            open_cases: state.world.best.cases.values().filter(open).map(|case| case.id).take(LISTED_MAX).collect(),
            outbox_in_all: rows.len() as u64,
            outbox: rows.iter().take(LISTED_MAX).map(row_text).collect(),
            signed_today,
            received_today,
            log_from: reading.log_bounds()?.map_or(seq, |(first, _)| first),
            store_bytes: reading.size_bytes()?,
        })
    }
}

fn seat_of(state: &State) -> String {
    let best = &state.world.best;
    match (&best.seat, best.keepers.get(&state.config.me)) {
        (Some(seat), _) => seat_text(seat, best.block.timestamp_secs),
        (None, Some(keeper)) if keeper.active => format!("appointed, weight {}", keeper.weight),
        (None, Some(_)) => "dismissed: it does not count".to_owned(),
        (None, None) => "none: this account is no keeper".to_owned(),
    }
}

/// A seat in a few words, at a block's time.
pub(super) fn seat_text(seat: &SeatView, now_secs: UnixSecs) -> String {
    let word = seat.standing(now_secs).word();
    match &seat.seat {
        Some(held) => {
            let (until, weight) = (held.active_until_secs, held.weight_rao);
            format!("{word}, weight {weight} rao, until {until} ({} s left)", until.saturating_sub(now_secs))
        }
        None if seat.contact.is_some() => format!("{word}: a check-in brings it back"),
        None => format!("{word}: it never joined, or left"),
    }
}

fn row_text(row: &surety_core::outbox::Row) -> String {
    use surety_core::effect::Intent;
    let what = match &row.intent {
        Intent::File { kind, rental, .. } => format!("file {kind:?} of rental {rental}"),
        Intent::FileSpoofed { machine, .. } => format!("file Spoofed of machine {machine}"),
        Intent::Execute { case_id } => format!("execute case {case_id}"),
        Intent::FlushBurn => "burn what is to be burned".into(),
        Intent::Close { rentals } => format!("close {} rentals", rentals.len()),
        Intent::Join { uid, .. } => format!("join as uid {uid}"),
        Intent::CheckIn { uid, .. } => format!("check in as uid {uid}"),
        Intent::Claim { rental, .. } => format!("claim for rental {rental}"),
    };
    let how_far = match &row.state {
        RowState::Queued => "queued".into(),
        RowState::Reserved { nonce } => format!("nonce {nonce} reserved"),
        RowState::Prepared(tx) => format!("signed at nonce {}", tx.nonce),
        RowState::Sent(tx) => format!("sent at nonce {}, {}", tx.nonce, tx.hash),
        RowState::Mined { tx, block, ok } => {
            format!("in block {block} ({}), {}", if *ok { "ok" } else { "failed" }, tx.hash)
        }
        RowState::Done => "done".into(),
        RowState::Failed { why } => format!("failed: {why}"),
    };
    format!("{what}: {how_far}")
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dry = if self.dry_run { ", a dry run" } else { "" };
        writeln!(f, "keeper        {} on chain {}{dry}, run {}", self.account, self.chain_id, self.runs)?;
        let age = self.last_input_age_secs;
        writeln!(
            f,
            "last input    {}, {age} s ago{}",
            self.last_input,
            if age > 60 { ": it does not run" } else { "" }
        )?;
        writeln!(f, "chain         best {}, finalized {}", self.best_block, self.finalized_block)?;
        match self.blind {
            None => writeln!(f, "sees          yes")?,
            Some(why) => writeln!(f, "sees          no: {why}; nothing is judged or signed")?,
        }
        writeln!(f, "seat          {}", self.seat)?;
        if let Some(danger) = self.seat_in_danger {
            writeln!(f, "  in danger   {danger}")?;
        }
        match &self.endpoints {
            Some(endpoints) => writeln!(f, "endpoints     {}", endpoints.join(", "))?,
            None => {
                writeln!(f, "endpoints     not known: only a running keeper knows, and only --config says where it is")?
            }
        }
        writeln!(f, "watched       {} rented machines, {} suspected", self.watched, self.suspected_in_all)?;
        for (machine, rental) in &self.suspected {
            let rental = rental.map_or("no rental".to_owned(), |rental| format!("rental {rental}"));
            writeln!(f, "  suspected   {machine}, {rental}")?;
        }
        writeln!(f, "open cases    {:?}", self.open_cases)?;
        writeln!(f, "transactions  {} on their way", self.outbox_in_all)?;
        for row in &self.outbox {
            writeln!(f, "  {row}")?;
        }
        writeln!(f, "today         {} statements signed, {} received", self.signed_today, self.received_today)?;
        write!(f, "store         {} bytes, log from entry {}", self.store_bytes, self.log_from)
    }
}
