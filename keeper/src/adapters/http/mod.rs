//! HTTP: what this keeper shows to anybody ([`serve`]), and what it asks of the other keepers ([`Peers`]).
//!
//! # Routes
//! All but one are `GET`, take no body, and answer JSON; errors are problem documents (RFC 9457), with a `code` for
//! programs. `/v1/openapi.json` describes all of them. What a question has and its path does not know is refused.
//!
//! | route | answer |
//! |---|---|
//! | `/`, `/assets/{file}` | the page: HTML, scripts, styles (`keeper/page`) |
//! | `/v1/market?...` | [`surety_market::wire::MarketPage`]: machines, filtered, sorted, in pages |
//! | `/v1/machines/{machine}`, `/v1/miners/{account}` | all of one machine, or of one miner |
//! | `/v1/rentals?...`, `/v1/rentals/{rental}` | rentals, the newest first; one of them |
//! | `/v1/cases?...`, `/v1/cases/{case}` | cases, the newest first; one of them |
//! | `/v1/network`, `/v1/network/days`, `/v1/network/days.csv` | everything in one look, and day by day |
//! | `/v1/attestations/{rental}` | `{"attestations": [Signed<Attestation>]}`: all this keeper holds about a rental |
//! | `/v1/attestations?after=SEQ&limit=N` | `{"attestations": [{"seq", "signed"}], "failing": [machine]}`: its own ones, in order, and what fails now, as it sees it |
//! | `/v1/certificates/{machine}` | `{"certificates": [Signed<Certificate>]}`, newest first |
//! | `/v1/figures/{machine}` | [`crate::ports::SoftFigures`]: processors, memory, disk and line, measured modestly |
//! | `/v1/spoofs` | `{"spoofs": [Signed<Spoof>]}`: its own ones, newest first |
//! | `/v1/spoofs/{machine}` | the same, of all keepers, about one machine |
//! | `POST /v1/complaints` | takes a [`ComplaintBody`]; [`Taken`] when it is on disk: 201, or 200 when it was |
//! | `/v1/complaints/{rental}` | [`ComplaintPage`]: what its renter complained of, newest first |
//! | `/v1/epochs` | [`EpochPage`]: commitments to the secrets of measuring epochs, and secrets of the past |
//! | `/v1/alpha/bonds/{machine}` | `Signed<BondStatement>`: alpha bonded for a machine's next rental (SPEC 20) |
//! | `/v1/alpha/cases/{case}` | `Signed<AlphaStatement>`: what of a case's penalty falls on alpha |
//! | `/v1/alpha/verdicts/{case}` | `Signed<AlphaVerdict>`: what became of a case |
//! | `/evidence/{digest}` | [`crate::ports::Bundle`]: evidence, own or of a peer, with the statement that names it |
//! | `/healthz` | 200 while the keeper makes progress, else 503 with reasons (module `health`) |
//! | `/metrics` | Prometheus text (`keeper/METRICS.md` lists the names) |
//!
//! Everything is bounded in [`HttpLimits`], [`DeskLimits`] and [`PeerLimits`]: connections in all and per host, their
//! lifetime, requests at once, time per request, page lengths, bytes read from a peer.

mod alpha;
mod asking;
mod cached;
mod complaints;
mod error;
mod health;
mod listener;
mod market;
mod metrics;
mod openapi;
mod pace;
mod page;
mod peers;
mod routes;
mod sending;
mod server;
mod wire;

#[cfg(test)]
mod tests;

pub use asking::{AskError, Asking};
pub use complaints::{Desk, DeskLimits, Renters, WallClock};
pub use peers::{BUNDLE_BYTES_MAX, PeerCounts, PeerLimits, Peers, PeersError, UnreadError};
pub use sending::{SendError, Sending};
pub use server::{ServeError, serve};
pub use wire::{ComplaintBody, ComplaintPage, EpochPage, Numbered, Page, SpoofPage, Taken};

use crate::ports::{Archive, Progress, Shop, Stating};
use std::sync::Arc;
use std::time::Duration;
use surety_verifier::schedule::Master;

/// Monotonic milliseconds of this run: the clock that [`Progress`] is kept by.
pub type Now = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What the server shows, and its bounds.
#[derive(Clone)]
pub struct Api {
    /// Statements and evidence.
    pub archive: Arc<dyn Archive>,
    /// How the loop is getting on.
    pub progress: Arc<Progress>,
    /// How asking the peers is getting on.
    pub peers: Arc<PeerCounts>,
    /// The clock of `progress`.
    pub now_ms: Now,
    /// Where complaints go.
    pub desk: Arc<Desk>,
    /// What measuring epochs are made of: commitments are shown, and secrets of the past.
    pub epochs: Arc<Master>,
    /// Makes statements about bonds of alpha, where this keeper does.
    pub stating: Option<Arc<dyn Stating>>,
    /// The market.
    pub shop: Shop,
    /// Bounds.
    pub limits: HttpLimits,
}

/// Bounds of the server. Their sum bounds memory: `lists_at_once` short answers, `bundles_at_once` bundles, and a few
/// KiB for each connection.
#[derive(Clone, Debug)]
pub struct HttpLimits {
    /// Connections open at once; more wait in the kernel's queue.
    pub connections_max: usize,
    /// Connections open at once from one address (IPv4) or one /64 (IPv6); more are closed at once. A reverse proxy in
    /// front is one address.
    pub connections_per_host_max: u32,
    /// From the connection, or from a further question's first byte, to the first byte of the answer: a request that
    /// drips in ends here.
    pub request_max: Duration,
    /// Between an answer and the first byte of the next question: a kept connection holds its place no longer.
    pub idle_max: Duration,
    /// Requests a second of one address (IPv4) or one /64 (IPv6), with a burst of five seconds' worth; more are
    /// refused with 429. 0: as many as they like, as behind a reverse proxy that counts them itself.
    pub requests_per_sec: u32,
    /// From the connection to its end: an answer that is read in drips ends here.
    pub connection_max: Duration,
    /// Time an answer may take to make.
    pub answer_max: Duration,
    /// Lists being read or sent at once; more are refused with 503.
    pub lists_at_once: usize,
    /// Evidence bundles (megabytes each) being read or sent at once; more are refused with 503.
    pub bundles_at_once: usize,
    /// Longest page of own attestations.
    pub page_max: u32,
    /// Page length when none is asked for.
    pub page_default: u32,
    /// `/healthz` is 503 when the loop took no step for this long.
    pub step_silence_max: Duration,
    /// `/healthz` is 503 when the best block did not move for this long.
    pub head_silence_max: Duration,
    /// Time that answers being sent get to finish in at shutdown.
    pub drain_max: Duration,
}

impl Default for HttpLimits {
    /// Blocks come every 12 s on Subtensor and the loop ticks every second, so ten blocks and a minute of ticks missing
    /// are no hiccup. The service stops within 10 s, of which draining gets half.
    fn default() -> Self {
        Self {
            connections_max: 512,
            connections_per_host_max: 32,
            request_max: Duration::from_secs(15),
            idle_max: Duration::from_secs(5),
            requests_per_sec: 100,
            connection_max: Duration::from_secs(60),
            answer_max: Duration::from_secs(10),
            lists_at_once: 64,
            bundles_at_once: 8,
            page_max: 200,
            page_default: 100,
            step_silence_max: Duration::from_secs(60),
            head_silence_max: Duration::from_secs(120),
            drain_max: Duration::from_secs(5),
        }
    }
}
