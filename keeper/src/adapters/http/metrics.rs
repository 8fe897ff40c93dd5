//! `/metrics` in the Prometheus text format, version 0.0.4. The names, all of which stay:
//! `keeper/METRICS.md` has them all, what each means and what to alert on; a test keeps it and this module together.

use super::routes::Shared;
use crate::ports::{Blindness, EndpointStanding, Progress};
use axum::http::StatusCode;
use std::fmt::Write;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use surety_core::seat::Standing;

/// What the server counts about itself.
#[derive(Debug, Default)]
pub(super) struct Counts {
    good: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    pub(super) shed: AtomicU64,
}

impl Counts {
    pub(super) fn answered(&self, status: StatusCode) {
        let count = match status.as_u16() {
            500.. => &self.failed,
            400.. => &self.refused,
            _ => &self.good,
        };
        count.fetch_add(1, Relaxed);
    }
}

/// The whole text.
pub(super) fn text(shared: &Shared) -> String {
    let (progress, peers, counts) = (&shared.api.progress, &shared.api.peers, &shared.counts);
    let now_ms = (shared.api.now_ms)();
    let mut page = Page::default();
    page.counter("inputs_total", "Inputs appended to the log.", &progress.inputs);
    page.age("last_step_age_seconds", "Time since the loop's last step.", now_ms, &progress.last_step_ms);
    page.gauge("best_block", "Newest best block read.", &progress.best_block);
    page.gauge("finalized_block", "Newest finalized block read.", &progress.finalized_block);
    page.age("best_block_age_seconds", "Time since the best block last moved.", now_ms, &progress.best_moved_ms);
    page.gauge("seeing", "1 while the keeper trusts its own eyes, 0 while it signs nothing.", &progress.seeing);
    page.gauge("effects_pending", "Wishes of the core that wait to be begun.", &progress.effects_pending);
    page.head("blind", "1 for the reason why the keeper is blind.", "gauge");
    for why in Blindness::ALL {
        let is_why = u64::from(progress.blind.load(Relaxed) == why as u64);
        page.line(&format!("blind{{why=\"{}\"}}", why.word()), &is_why.to_string());
    }
    page.gauge("clock_off_seconds", "This host's clock against the newest block.", &progress.clock_off_secs);
    page.counter("complaints_total", "Renters' complaints taken.", &progress.complaints);
    page.gauge("complaints_open", "Renters' complaints being looked into.", &progress.complaints_open);
    page.gauge("watched_machines", "Machines with a tenant that are looked at.", &progress.watched);
    page.gauge("suspected_machines", "Machines that failed when last looked at.", &progress.suspected);
    page.counter("alerts_total", "Alerts raised.", &progress.alerts);
    page.gauge("store_full", "1 while the store has no room and the loop stands still.", &progress.store_full);
    page.gauge("store_bytes", "Bytes in use in the store.", &progress.store_bytes);
    page.gauge("gas_balance_rao", "Balance of the keeper's account in rao.", &progress.gas_balance_rao);
    page.gauge("gas_low", "1 while that balance is below alerts.gas_min_rao.", &progress.gas_low);
    page.seat(progress);
    page.gauge("native_block", "Newest final block whose Substrate events were read.", &progress.native_block);
    page.counter("bare_logs_total", "Logs of the contracts that no receipt shows.", &progress.bare_logs);
    page.counter("surplus_rao_total", "TAO that came to the contracts without a call.", &progress.surplus_rao);
    page.counter("weights_set_total", "Settings of weights that the subnet shows.", &progress.weights_set);
    page.counter("weights_lost_total", "Timelocked commits that the chain threw away.", &progress.weights_lost);
    page.endpoints(progress);
    page.counter("signed_total", "Statements signed.", &progress.signed);
    page.counter("looks_total", "Looks made at machines.", &progress.looks);
    page.counter("transactions_settled_total", "Transactions that reached their end.", &progress.settled);
    page.head("http_answers_total", "Answers of this server by class of status.", "counter");
    for (class, count) in [("2xx", &counts.good), ("4xx", &counts.refused), ("5xx", &counts.failed)] {
        page.line(&format!("http_answers_total{{class=\"{class}\"}}"), &count.load(Relaxed).to_string());
    }
    page.counter("http_shed_total", "Requests refused because too many were being answered.", &counts.shed);
    page.counter("peer_requests_total", "Requests to other keepers.", &peers.asked);
    page.counter("peer_failures_total", "Requests to other keepers that failed.", &peers.failed);
    page.counter("peer_attestations_total", "Attestations received with the peer's signature.", &peers.accepted);
    page.counter("peer_dropped_total", "Attestations received without the peer's signature.", &peers.dropped);
    page.counter("evidence_mirrored_total", "Copies of peers' evidence stored.", &peers.mirrored);
    page.counter("evidence_wrong_total", "Evidence of peers that was not what they signed.", &peers.mirror_wrong);
    page.0
}

#[derive(Default)]
struct Page(String);

impl Page {
    // Writing to a String cannot fail, hence the ignored results.
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        let _ = writeln!(self.0, "# HELP surety_{name} {help}\n# TYPE surety_{name} {kind}");
    }

    fn line(&mut self, name: &str, value: &str) {
        let _ = writeln!(self.0, "surety_{name} {value}");
    }

    fn counter(&mut self, name: &str, help: &str, value: &AtomicU64) {
        self.head(name, help, "counter");
        self.line(name, &value.load(Relaxed).to_string());
    }

    fn gauge(&mut self, name: &str, help: &str, value: &AtomicU64) {
        self.head(name, help, "gauge");
        self.line(name, &value.load(Relaxed).to_string());
    }

    fn seat(&mut self, progress: &Progress) {
        self.head("seat", "1 for where this keeper stands with a set that has seats.", "gauge");
        let place = progress.seat.load(Relaxed);
        for (at, standing) in (1..).zip(Standing::ALL) {
            self.line(&format!("seat{{standing=\"{}\"}}", standing.word()), &u64::from(place == at).to_string());
        }
        self.gauge("seat_left_seconds", "Time left to the seat at the newest block.", &progress.seat_left_secs);
        self.gauge("seat_weight_rao", "Weight of the seat as recorded, in rao.", &progress.seat_weight_rao);
        self.gauge("seat_in_danger", "1 while something is in the way of keeping it.", &progress.seat_in_danger);
    }

    /// By place in `chain.rpc`: URLs may hold secrets.
    fn endpoints(&mut self, progress: &Progress) {
        let standings = progress.endpoints.lock().map(|shown| shown.clone()).unwrap_or_default();
        self.head("rpc_endpoint", "1 for what is thought of an endpoint, by its place in chain.rpc.", "gauge");
        for (place, standing) in standings.iter().enumerate() {
            for word in EndpointStanding::ALL {
                let name = format!("rpc_endpoint{{endpoint=\"{place}\",standing=\"{}\"}}", word.word());
                self.line(&name, &u64::from(word == *standing).to_string());
            }
        }
        let agreeing = standings.iter().filter(|standing| **standing == EndpointStanding::Agreeing).count();
        let spare = agreeing.saturating_sub(standings.len() / 2 + 1);
        self.head("rpc_endpoints_to_spare", "Agreeing endpoints beyond the majority needed.", "gauge");
        self.line("rpc_endpoints_to_spare", &spare.to_string());
    }

    fn age(&mut self, name: &str, help: &str, now_ms: u64, moved_ms: &AtomicU64) {
        let age_ms = now_ms.saturating_sub(moved_ms.load(Relaxed));
        self.head(name, help, "gauge");
        self.line(name, &format!("{}.{:03}", age_ms / 1_000, age_ms % 1_000));
    }
}
