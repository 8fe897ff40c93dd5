//! Reads of the API a second, on one core, against the goal of 5,000: answers kept from before, as between two blocks.
//!
//! `cargo bench -p surety --bench api -- [--machines N] [--secs S] [--serve]`
//!
//! The server runs on one thread, with N (5,000) machines and four rentals of each; `wrk` (Debian: apt install wrk)
//! asks over 32 kept connections for S (5) seconds, one thread, on another core. `--serve` prints the URL and serves
//! until Ctrl-C: what `surety market --keeper URL` is timed against.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use surety::adapters::http::{Api, Desk, DeskLimits, HttpLimits, PeerCounts, serve};
use surety::adapters::store::Store;
use surety::ports::{Progress, Shop};
use surety_client::digest::Domains;
use surety_core::types::{Account, Hash32, Hotkey, MachineId, SshKey};
use surety_market::amount::Amount;
use surety_market::facts::{Certificates, Counts, NodeFacts, Reading, RentalFacts, Setting};
use surety_market::market::Market;
use surety_market::query::MarketQuery;
use surety_market::wire::{At, Contracts, Offer, Terms};
use surety_verifier::classes::{CLASSES, ClassId};
use surety_verifier::schedule::Master;
use tokio::net::TcpListener;

const GOAL_PER_SEC: f64 = 5_000.0;
const NOW_SECS: u64 = 1_800_000_000;
const RENTALS_EACH: u64 = 4;

fn argument(name: &str) -> Option<String> {
    let mut arguments = std::env::args();
    arguments.find(|argument| argument == name)?;
    arguments.next()
}

fn number(name: &str, default: u64) -> u64 {
    argument(name).map_or(default, |text| text.parse().unwrap())
}

fn bytes<const N: usize>(seed: u64) -> [u8; N] {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
}

fn node(number: u64) -> NodeFacts {
    let class = CLASSES[usize::try_from(number).unwrap() % CLASSES.len()].id.0;
    NodeFacts {
        registration: u32::try_from(number).unwrap(),
        machine: MachineId(bytes(number)),
        miner: Account(bytes(number / 5)),
        hotkey: Hotkey(bytes(number + 1_000_000)),
        uid: u16::try_from(number % 256).unwrap(),
        endpoint: None,
        free_rao: 5_000_000_000 + number * 7_919,
        reserved_rao: 0,
        held_rao: 0,
        exiting_rao: 0,
        exit_ready_at_secs: 0,
        retired: false,
        current: true,
        offer: Some(Offer {
            gpu_class: class,
            gpu_count: [1, 2, 4, 8][usize::try_from(number).unwrap() % 4],
            price_rao_per_sec: Amount(100_000 + number * 37 % 900_000),
            min_duration_secs: 600,
            max_duration_secs: 2_592_000,
            turnaround_secs: 300,
            expires_at_secs: NOW_SECS + 86_400,
            offer_hash: Hash32(bytes(number + 2_000_000)),
        }),
        needed_rao: 1_000_000_000,
        stated: None,
    }
}

fn rental(id: u64) -> RentalFacts {
    let start_secs = NOW_SECS - 80 * 86_400 + id * 331;
    RentalFacts {
        id,
        registration: u32::try_from(1 + id / RENTALS_EACH).unwrap(),
        renter: Account(bytes(id % 700)),
        renter_key: SshKey(bytes(id)),
        gpu_class: 3,
        gpu_count: 8,
        price_rao_per_sec: 300_000,
        start_secs,
        end_secs: start_secs + 7_200,
        paid_until_secs: start_secs + 7_200,
        min_duration_secs: 600,
        bought_secs: 7_200,
        claimed_secs: 7_200,
        faulted_secs: 0,
        open_secs: 0,
        closed: true,
        faults: vec![],
    }
}

fn market(machines: u64) -> Market {
    let account = |n| Account([n; 20]);
    let contracts =
        Contracts { vault: account(1), escrow: account(2), arbiter: account(3), bids: account(4), keepers: account(5) };
    let mut market = Market::new(Setting {
        chain_id: 31_337,
        netuid: 2,
        keeper: account(6),
        contracts,
        terms: Terms::default(),
        class_name: |class| ClassId(class).to_string(),
    });
    let rentals = machines * RENTALS_EACH - 1;
    let counts = Counts { registrations: u32::try_from(machines).unwrap(), rentals, cases: 0 };
    let at = At { block: 9, hash: Hash32([9; 32]), at_secs: NOW_SECS };
    let (nodes, rentals) = ((1..=machines).map(node).collect(), (1..=rentals).map(rental).collect());
    let began = Instant::now();
    market.apply(Reading { at, counts, nodes, rentals, ..Reading::default() }, Certificates::new());
    println!("{machines} machines and {} rentals taken in {} ms", counts.rentals, began.elapsed().as_millis());
    market
}

fn api(market: Market, dir: &std::path::Path) -> Api {
    let store = Arc::new(Store::open(&dir.join("store.db")).unwrap());
    let domains = Domains { chain_id: 31_337, escrow: Account([2; 20]), arbiter: Account([3; 20]) };
    let (inputs, _) = tokio::sync::mpsc::channel(1);
    let stored = tokio::sync::watch::channel(0).1;
    let desk = Desk::new(domains, Default::default(), &inputs, stored, Arc::new(|| NOW_SECS), DeskLimits::default());
    Api {
        archive: store,
        progress: Arc::new(Progress::default()),
        peers: Arc::new(PeerCounts::default()),
        now_ms: Arc::new(|| 0),
        desk: Arc::new(desk),
        epochs: Arc::new(Master::of_key(&[1; 32], 31_337, &[2; 20])),
        stating: None,
        shop: Shop::new(market),
        limits: HttpLimits { requests_per_sec: 0, ..HttpLimits::default() },
    }
}

/// Serves on a thread of its own, and says where.
fn start(api: Api) -> String {
    let (told, hears) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            told.send(format!("http://{}", listener.local_addr().unwrap())).unwrap();
            serve(listener, api, std::future::pending()).await.unwrap();
        });
    });
    hears.recv_timeout(Duration::from_secs(10)).unwrap()
}

/// Requests a second as `wrk` counts them; None: it is not there.
fn wrk(url: &str, secs: u64, header: &str) -> Option<f64> {
    let secs = format!("-d{secs}s");
    let output = Command::new("wrk").args(["-t1", "-c32", &secs, "-H", header, url]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.contains("Non-2xx"), "{text}");
    let line = text.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:"))?;
    line.trim().parse().ok()
}

fn main() {
    let (machines, secs) = (number("--machines", 5_000), number("--secs", 5));
    let dir = tempfile::tempdir().unwrap();
    let shown = market(machines);
    let anew = Instant::now();
    let page = shown.list(&MarketQuery { limit: Some(1_000), ..MarketQuery::default() }).unwrap();
    let bytes = serde_json::to_vec(&page).unwrap().len();
    println!("1,000 machines listed anew: {} ms, {bytes} bytes", anew.elapsed().as_millis());
    let url = start(api(shown, dir.path()));
    if std::env::args().any(|argument| argument == "--serve") {
        println!("{url}");
        loop {
            std::thread::park();
        }
    }
    for path in ["/v1/network", "/v1/market?limit=100", "/v1/market?class=3&sort=gpu_price&limit=20"] {
        match wrk(&format!("{url}{path}"), secs, "accept-encoding: gzip") {
            Some(rate) => println!("{path}: {rate:.0} a second, {:.1} times the goal", rate / GOAL_PER_SEC),
            None => return println!("wrk is not installed (Debian: apt install wrk): nothing was measured"),
        }
    }
}
