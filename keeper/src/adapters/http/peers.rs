//! Asking the other keepers what they have signed.
//!
//! Every peer has its own request, deadline and back-off, so a peer that hangs, floods or lies costs nobody else
//! anything: what it has not answered when a poll ends comes with a later poll, or never.

mod address;
mod fetch;
mod spoofs;

pub(super) use address::under_base;
use address::{Resolver, base, page_url};
pub(super) use fetch::transport;
use fetch::{Entry, FetchError, Fetched};
use reqwest::{Client, redirect};
pub(super) use spoofs::SPOOFS_MAX;
pub use spoofs::{BUNDLE_BYTES_MAX, UnreadError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use surety_client::digest::Domains;
use surety_core::hints::{self, Hint};
use surety_core::limits::KEEPERS_MAX;
use surety_core::statement::{Attestation, Signed};
use surety_core::types::{Account, MachineId, Signature};
use surety_core::view::KeeperView;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};

/// Bounds of asking.
#[derive(Clone, Debug)]
pub struct PeerLimits {
    /// One request, name look-up and connection included.
    pub request_max: Duration,
    /// How long one poll waits for answers. Later ones come with the next poll.
    pub gather_max: Duration,
    /// Bytes of an answer. An attestation is about 450 bytes of JSON.
    pub body_bytes_max: usize,
    /// Attestations asked for at once, at least 2.
    pub page: u32,
    /// Requests at once.
    pub at_once: usize,
    /// Wait after a failure; doubles with each further one.
    pub backoff_min: Duration,
    /// Longest wait after failures.
    pub backoff_max: Duration,
    /// Whether private, loopback and other special addresses may be asked: development only.
    pub allow_private: bool,
}

/// One entry is the last one read before; see [`Known::after`].
const PAGE_MIN: u32 = 2;

impl Default for PeerLimits {
    fn default() -> Self {
        Self {
            request_max: Duration::from_secs(10),
            gather_max: Duration::from_secs(2),
            body_bytes_max: 256 * 1024,
            page: 100,
            at_once: 32,
            backoff_min: Duration::from_secs(5),
            backoff_max: Duration::from_secs(300),
            allow_private: false,
        }
    }
}

/// How asking is getting on, for `/metrics`.
#[derive(Debug, Default)]
pub struct PeerCounts {
    /// Requests made.
    pub asked: AtomicU64,
    /// Requests that failed, URLs that may not be asked included.
    pub failed: AtomicU64,
    /// Attestations received whose signature is the peer's.
    pub accepted: AtomicU64,
    /// Copies of peers' evidence stored.
    pub mirrored: AtomicU64,
    /// Evidence that peers served and that was not what they had signed.
    pub mirror_wrong: AtomicU64,
    /// Attestations received and dropped, since it is not.
    pub dropped: AtomicU64,
}

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for asking peers cannot be set up ({0}): are the system's CA certificates installed?")]
pub struct PeersError(#[from] reqwest::Error);

/// The other keepers, as far as they were asked.
pub struct Peers {
    client: Client,
    domains: Domains,
    limits: PeerLimits,
    counts: Arc<PeerCounts>,
    places: Arc<Semaphore>,
    round: Mutex<Round>,
}

type Answer = (Account, Result<Fetched, FetchError>);

/// What goes on between polls.
#[derive(Default)]
struct Round {
    known: BTreeMap<Account, Known>,
    asking: JoinSet<Answer>,
    /// Heard and not yet handed out.
    heard: Vec<Signed<Attestation>>,
    hints: Vec<Hint>,
}

/// One peer.
#[derive(Default)]
struct Known {
    url: String,
    /// The last entry read: its place, and its signature to recognise it by.
    cursor: Option<(u64, Signature)>,
    failures: u32,
    not_before: Option<Instant>,
    request: Option<Id>,
    /// Machines it was heard to show as failing.
    failing: BTreeSet<MachineId>,
}

impl Known {
    /// The peer is asked from the last entry read on, not after it: seeing that entry again shows that it is still the
    /// same list. A peer that lost its store counts from the start again, and would else never be heard.
    fn after(&self) -> u64 {
        self.cursor.map_or(0, |(seq, _)| seq.saturating_sub(1))
    }

    /// The entries that are new. Moves the cursor.
    fn new_of(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let same_list = match (self.cursor, entries.first()) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some((seq, signature)), Some(first)) => first.seq > seq || first.signature == signature,
        };
        if !same_list {
            self.cursor = None;
            return Vec::new();
        }
        let seen = self.cursor;
        self.cursor = entries.last().map(|last| (last.seq, last.signature)).or(seen);
        entries.into_iter().filter(|entry| seen.is_none_or(|(seq, _)| entry.seq > seq)).collect()
    }
}

/// A client that follows nobody anywhere, and reaches only addresses that may be asked.
pub(super) fn client_of(limits: &PeerLimits) -> Result<Client, PeersError> {
    let client = Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .http1_only()
        .pool_max_idle_per_host(0)
        .timeout(limits.request_max)
        .dns_resolver(Arc::new(Resolver { allow_private: limits.allow_private }))
        .user_agent(concat!("surety/", env!("CARGO_PKG_VERSION")))
        .build()?;
    Ok(client)
}

impl Peers {
    /// Nobody is asked yet. `domains` are those that peers must have signed for.
    ///
    /// # Errors
    /// When the system gives no TLS certificates to trust.
    pub fn new(domains: Domains, limits: PeerLimits, counts: Arc<PeerCounts>) -> Result<Self, PeersError> {
        let client = client_of(&limits)?;
        let places = Arc::new(Semaphore::new(limits.at_once.clamp(1, KEEPERS_MAX)));
        let limits = PeerLimits { page: limits.page.max(PAGE_MIN), ..limits };
        Ok(Self { client, domains, limits, counts, places, round: Mutex::default() })
    }

    /// Asks every active keeper but `me` for what is new, and hands out what has come in: each attestation signed by
    /// the keeper that showed it, most of them once (again when a peer's list begins anew). Takes at most
    /// `gather_max`. One caller at a time; dropping the future loses nothing.
    pub async fn poll(&self, keepers: &[KeeperView], me: Account) -> Vec<Signed<Attestation>> {
        let mut round = self.round.lock().await;
        let peers = keepers.iter().filter(|keeper| keeper.active && keeper.account != me);
        let peers: BTreeMap<Account, &str> =
            peers.take(KEEPERS_MAX).map(|keeper| (keeper.account, keeper.url.as_str())).collect();
        round.known.retain(|account, _| peers.contains_key(account));
        for (account, url) in peers {
            self.ask(&mut round, account, url);
        }
        let end = Instant::now() + self.limits.gather_max;
        while let Ok(Some(joined)) = timeout_at(end, round.asking.join_next_with_id()).await {
            self.take(&mut round, joined);
        }
        std::mem::take(&mut round.heard)
    }

    /// What the peers showed in the polls so far as failing, and had not shown before.
    pub async fn hints(&self) -> Vec<Hint> {
        std::mem::take(&mut self.round.lock().await.hints)
    }

    /// Starts a request, unless one is under way or the peer must wait.
    fn ask(&self, round: &mut Round, peer: Account, url: &str) {
        let known = round.known.entry(peer).or_default();
        if known.url != url {
            *known = Known { url: url.to_owned(), request: known.request, ..Known::default() };
        }
        if known.request.is_some() || known.not_before.is_some_and(|not_before| Instant::now() < not_before) {
            return;
        }
        self.counts.asked.fetch_add(1, Relaxed);
        let base = match base(url, self.limits.allow_private) {
            Ok(base) => base,
            Err(error) => return self.failed(known, peer, &error),
        };
        let after = known.after();
        let url = page_url(&base, after, self.limits.page);
        let (client, limits, domains) = (self.client.clone(), self.limits.clone(), self.domains);
        let places = self.places.clone();
        let request = async move {
            let _place = places.acquire_owned().await;
            let page = fetch::page(&client, url, after, &limits, domains, peer);
            let page = timeout(limits.request_max, page).await;
            let secs = limits.request_max.as_secs();
            (peer, page.unwrap_or(Err(FetchError::TimedOut { secs })))
        };
        known.request = Some(round.asking.spawn(request).id());
    }

    fn take(&self, round: &mut Round, joined: Result<(Id, Answer), JoinError>) {
        let id = joined.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        // A keeper that left the set meanwhile, or came back with another request, is not listened to.
        let Some((peer, known)) = round.known.iter_mut().find(|(_, known)| known.request == Some(id)) else {
            return;
        };
        known.request = None;
        match joined {
            Ok((_, (_, Ok(fetched)))) => {
                (known.failures, known.not_before) = (0, None);
                let new = known.new_of(fetched.entries);
                let all = new.len();
                let sound: Vec<_> = new.into_iter().filter_map(|entry| entry.sound).collect();
                self.counts.accepted.fetch_add(sound.len() as u64, Relaxed);
                self.counts.dropped.fetch_add((all - sound.len()) as u64, Relaxed);
                round.heard.extend(sound);
                let machines = hints::news(&mut known.failing, &fetched.failing);
                round.hints.extend((!machines.is_empty()).then_some(Hint { peer: *peer, machines }));
            }
            Ok((_, (_, Err(error)))) => self.failed(known, *peer, &error),
            Err(error) => self.failed(known, *peer, &error),
        }
    }

    fn failed(&self, known: &mut Known, peer: Account, error: &dyn std::fmt::Display) {
        self.counts.failed.fetch_add(1, Relaxed);
        let wait = self.limits.backoff_min.saturating_mul(1 << known.failures.min(16)).min(self.limits.backoff_max);
        known.failures = known.failures.saturating_add(1);
        known.not_before = Some(Instant::now() + wait);
        let (failures, wait_secs) = (known.failures, wait.as_secs());
        tracing::warn!(%peer, url = ?known.url, failures, wait_secs, %error, "a peer could not be asked");
    }
}
