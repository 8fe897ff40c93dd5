//! The server and the peer client over real sockets.
#![allow(clippy::unwrap_used)]

mod alpha;
mod bounds;
mod complaints;
mod figures;
mod health;
mod hostile;
mod market;
mod page;
mod peers;
mod routes;
mod spoofs;

use super::*;
use crate::ports::{ArchiveError, Bundle, SoftFigures};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Condvar, Mutex};
use surety_client::digest::Domains;
use surety_client::keys::Key;
use surety_core::complaints::Complaint;
use surety_core::statement::{Attestation, Certificate, Signed, Spoof};
use surety_core::types::{Account, Cause, Hash32, Kind, MachineId, RentalId};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Long enough for a slow machine; a test that needs it all has failed.
pub(super) const DEADLINE: Duration = Duration::from_secs(20);

pub(super) fn domains() -> Domains {
    Domains { chain_id: 31_337, escrow: Account([0xe5; 20]), arbiter: Account([0xa7; 20]) }
}

pub(super) fn key(number: u8) -> Key {
    Key::from_bytes([number; 32]).unwrap()
}

pub(super) fn attestation(rental: RentalId) -> Attestation {
    let (from_secs, until_secs) = (1_800_000_000, 1_800_000_600);
    let (kind, cause) = (Kind::Interrupted, Cause::Unreachable);
    Attestation { kind, rental, cause, from_secs, until_secs, evidence: Hash32([9; 32]) }
}

pub(super) fn signed(key: &Key, rental: RentalId) -> Signed<Attestation> {
    let statement = attestation(rental);
    let signature = key.sign(domains().attestation(&statement).unwrap()).unwrap();
    Signed { statement, signer: key.account(), signature }
}

pub(super) fn certificate(key: &Key, machine: MachineId) -> Signed<Certificate> {
    let measured_at_secs = 1_800_000_000;
    let (gpu_class, gpu_count) = (2, 8);
    let statement =
        Certificate { machine, registration: 1, gpu_class, gpu_count, measured_at_secs, evidence: Hash32([8; 32]) };
    let signature = key.sign(domains().certificate(&statement).unwrap()).unwrap();
    Signed { statement, signer: key.account(), signature }
}

pub(super) fn spoof(key: &Key, machine: MachineId) -> Signed<Spoof> {
    let (registration, gpu_class, gpu_count) = (1, 2, 8);
    let (proved_at_secs, evidence) = (1_800_000_000, Hash32([7; 32]));
    let statement = Spoof { machine, registration, gpu_class, gpu_count, proved_at_secs, evidence };
    let signature = key.sign(domains().spoof(&statement).unwrap()).unwrap();
    Signed { statement, signer: key.account(), signature }
}

/// A store in memory that can be told to hang, fail or panic.
#[derive(Default)]
pub(super) struct Shelf {
    pub(super) own: Mutex<Vec<(u64, Signed<Attestation>)>>,
    pub(super) certificates: Mutex<Vec<Signed<Certificate>>>,
    pub(super) spoofs: Mutex<Vec<Signed<Spoof>>>,
    pub(super) complaints: Mutex<Vec<Signed<Complaint>>>,
    pub(super) bundles: Mutex<BTreeMap<Hash32, Bundle>>,
    pub(super) figures: Mutex<BTreeMap<MachineId, SoftFigures>>,
    pub(super) broken: Mutex<Option<&'static str>>,
    pub(super) hangs: Gate,
}

/// Threads wait here while it is shut.
#[derive(Default)]
pub(super) struct Gate {
    shut: Mutex<bool>,
    moved: Condvar,
    waiting: AtomicU64,
}

impl Gate {
    pub(super) fn set(&self, shut: bool) {
        *self.shut.lock().unwrap() = shut;
        self.moved.notify_all();
    }

    fn pass(&self) {
        self.waiting.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // Not for ever: a test that fails while the gate is shut must end too.
        let shut = self.shut.lock().unwrap();
        drop(self.moved.wait_timeout_while(shut, DEADLINE, |shut| *shut).unwrap());
    }

    /// Waits until somebody has come to the gate.
    pub(super) async fn reached(&self) {
        until("a read is under way", || async { self.waiting.load(std::sync::atomic::Ordering::Relaxed) > 0 }).await;
    }
}

impl Shelf {
    fn ready(&self) -> Result<(), ArchiveError> {
        let broken = *self.broken.lock().unwrap();
        match broken {
            Some("panic") => panic!("the store panics"),
            Some(why) => Err(ArchiveError { why: why.into() }),
            None => Ok(()),
        }
    }

    pub(super) fn add(&self, key: &Key, rental: RentalId) -> Signed<Attestation> {
        let mut own = self.own.lock().unwrap();
        let signed = signed(key, rental);
        let seq = own.last().map_or(1, |(seq, _)| seq + 2);
        own.push((seq, signed.clone()));
        signed
    }
}

impl Archive for Shelf {
    fn attestations_of(&self, rental: RentalId) -> Result<Vec<Signed<Attestation>>, ArchiveError> {
        self.hangs.pass();
        self.ready()?;
        let own = self.own.lock().unwrap();
        Ok(own.iter().map(|(_, signed)| signed.clone()).filter(|signed| signed.statement.rental == rental).collect())
    }

    fn own_attestations_after(&self, after: u64, limit: u32) -> Result<Vec<(u64, Signed<Attestation>)>, ArchiveError> {
        self.ready()?;
        let own = self.own.lock().unwrap();
        Ok(own.iter().filter(|(seq, _)| *seq > after).take(limit as usize).cloned().collect())
    }

    fn certificates_of(&self, machine: MachineId) -> Result<Vec<Signed<Certificate>>, ArchiveError> {
        self.ready()?;
        let all = self.certificates.lock().unwrap();
        Ok(all.iter().filter(|signed| signed.statement.machine == machine).cloned().collect())
    }

    fn own_spoofs(&self) -> Result<Vec<Signed<Spoof>>, ArchiveError> {
        self.ready()?;
        Ok(self.spoofs.lock().unwrap().clone())
    }

    fn spoofs_of(&self, machine: MachineId) -> Result<Vec<Signed<Spoof>>, ArchiveError> {
        self.ready()?;
        let all = self.spoofs.lock().unwrap();
        Ok(all.iter().filter(|signed| signed.statement.machine == machine).cloned().collect())
    }

    fn complaints_of(&self, rental: RentalId) -> Result<Vec<Signed<Complaint>>, ArchiveError> {
        self.ready()?;
        let all = self.complaints.lock().unwrap();
        Ok(all.iter().rev().filter(|signed| signed.statement.rental == rental).cloned().collect())
    }

    fn has_complaint(&self, id: Hash32) -> Result<bool, ArchiveError> {
        self.ready()?;
        Ok(self.complaints.lock().unwrap().iter().any(|signed| signed.statement.id() == id))
    }

    fn figures_of(&self, machine: MachineId) -> Result<Option<SoftFigures>, ArchiveError> {
        self.ready()?;
        Ok(self.figures.lock().unwrap().get(&machine).cloned())
    }

    fn bundle(&self, digest: Hash32) -> Result<Option<Bundle>, ArchiveError> {
        self.ready()?;
        Ok(self.bundles.lock().unwrap().get(&digest).cloned())
    }
}

/// A server on loopback.
pub(super) struct Served {
    pub(super) url: String,
    pub(super) address: std::net::SocketAddr,
    pub(super) shop: Shop,
    pub(super) shelf: Arc<Shelf>,
    pub(super) progress: Arc<Progress>,
    pub(super) clock_ms: Arc<AtomicU64>,
    pub(super) counter: complaints::Counter,
    pub(super) stop: Option<oneshot::Sender<()>>,
    pub(super) task: JoinHandle<Result<(), ServeError>>,
}

pub(super) async fn start(limits: HttpLimits) -> Served {
    start_with(limits, DeskLimits::default()).await
}

pub(super) async fn start_stating(stating: Option<Arc<dyn crate::ports::Stating>>) -> Served {
    start_all(HttpLimits::default(), DeskLimits::default(), stating).await
}

pub(super) async fn start_with(limits: HttpLimits, desk_limits: DeskLimits) -> Served {
    start_all(limits, desk_limits, None).await
}

async fn start_all(
    limits: HttpLimits,
    desk_limits: DeskLimits,
    stating: Option<Arc<dyn crate::ports::Stating>>,
) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (shelf, progress, clock_ms) = <(Arc<Shelf>, Arc<Progress>, Arc<AtomicU64>)>::default();
    let clock = clock_ms.clone();
    let now_ms: Now = Arc::new(move || clock.load(std::sync::atomic::Ordering::Relaxed));
    let (archive, counts) = (shelf.clone(), Arc::new(PeerCounts::default()));
    let shop = Shop::new(market::empty());
    let (counter, desk) = complaints::Counter::open(desk_limits);
    let (desk, epochs) = (Arc::new(desk), Arc::new(Master::of_key(&[1; 32], 31_337, &[2; 20])));
    let api = Api {
        archive,
        progress: progress.clone(),
        peers: counts,
        now_ms,
        desk,
        epochs,
        stating,
        shop: shop.clone(),
        limits,
    };
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(serve(listener, api, async { drop(stopped.await) }));
    Served {
        url: format!("http://{address}"),
        address,
        shop,
        shelf,
        progress,
        clock_ms,
        counter,
        stop: Some(stop),
        task,
    }
}

pub(super) struct Got {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) text: String,
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The code of an error, which must come with a sentence.
    pub(super) fn code(&self) -> String {
        let json = self.json();
        assert!(json["detail"].as_str().unwrap().len() > 10, "{json}");
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!((json["type"].as_str(), json["status"].as_u64()), (Some("about:blank"), Some(self.status.into())));
        json["code"].as_str().unwrap().to_owned()
    }
}

pub(super) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(DEADLINE).build().unwrap()
}

pub(super) async fn got(request: reqwest::RequestBuilder) -> Got {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Got { status, headers, text: response.text().await.unwrap() }
}

impl Served {
    pub(super) async fn get(&self, path: &str) -> Got {
        got(client().get(format!("{}{path}", self.url))).await
    }
}

/// Waits until `holds`, asking again and again.
pub(super) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let end = tokio::time::Instant::now() + DEADLINE;
    while !holds().await {
        assert!(tokio::time::Instant::now() < end, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
