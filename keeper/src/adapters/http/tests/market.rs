//! The market over a socket: questions, pages, caching, refusals.

use super::*;
use surety_market::facts::{Counts, NodeFacts, Reading, Setting};
use surety_market::market::Market;
use surety_market::wire::{At, Contracts, Offer, Terms};
use surety_market::{amount::Amount, wire};

pub(super) fn empty() -> Market {
    Market::new(Setting {
        chain_id: 31_337,
        netuid: 2,
        keeper: Account([1; 20]),
        contracts: Contracts {
            vault: Account([2; 20]),
            escrow: Account([3; 20]),
            arbiter: Account([4; 20]),
            bids: Account([5; 20]),
            keepers: Account([6; 20]),
        },
        terms: Terms { certificate_life_secs: 3_600, ..Terms::default() },
        class_name: |class| format!("class {class}"),
    })
}

fn machine(number: u32) -> MachineId {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    MachineId(bytes)
}

fn node(number: u32) -> NodeFacts {
    NodeFacts {
        registration: number,
        machine: machine(number),
        miner: Account([9; 20]),
        hotkey: Default::default(),
        uid: 3,
        endpoint: None,
        free_rao: 5_000,
        reserved_rao: 0,
        held_rao: 0,
        exiting_rao: 0,
        exit_ready_at_secs: 0,
        retired: false,
        current: true,
        offer: Some(Offer {
            gpu_class: 3,
            gpu_count: 8,
            price_rao_per_sec: Amount(u64::from(number) * 10),
            min_duration_secs: 60,
            max_duration_secs: 86_400,
            turnaround_secs: 60,
            expires_at_secs: 2_000_000_000,
            offer_hash: Hash32([1; 32]),
        }),
        needed_rao: 1_000,
        stated: None,
    }
}

fn reading(block: u64, machines: u32) -> Reading {
    Reading {
        at: At { block, hash: Hash32([8; 32]), at_secs: 1_800_000_000 + block },
        counts: Counts { registrations: machines, ..Counts::default() },
        nodes: (1..=machines).map(node).collect(),
        ..Reading::default()
    }
}

async fn with_machines(machines: u32) -> Served {
    let served = start(HttpLimits::default()).await;
    served.shop.write(|market| market.apply(reading(1, machines), Default::default()));
    served
}

#[tokio::test]
async fn before_the_chain_was_read_the_market_says_so_and_not_that_it_is_empty() {
    let served = start(HttpLimits::default()).await;
    let got = served.get("/v1/market").await;
    assert_eq!((got.status, got.code().as_str()), (503, "not_read_yet"));
}

#[tokio::test]
async fn machines_come_filtered_sorted_and_in_pages() {
    let served = with_machines(25).await;
    let page = served.get("/v1/market?class=3&max_price=200&sort=price&order=desc&limit=8").await;
    let page: wire::MarketPage = serde_json::from_str(&page.text).unwrap();
    let prices: Vec<u64> = page.machines.iter().map(|row| row.offer.unwrap().price_rao_per_sec.0).collect();
    assert_eq!(prices, [200, 190, 180, 170, 160, 150, 140, 130]);
    assert_eq!((page.total, page.next_offset), (20, Some(8)));
    let last = served.get("/v1/market?class=3&max_price=200&sort=price&order=desc&limit=8&offset=16").await;
    let last: wire::MarketPage = serde_json::from_str(&last.text).unwrap();
    assert_eq!((last.machines.len(), last.next_offset), (4, None));
}

#[tokio::test]
async fn what_a_path_does_not_know_is_refused_by_name() {
    let served = with_machines(3).await;
    for (path, says) in [
        ("/v1/market?clas=3", "clas"),
        ("/v1/market?class=many", "invalid digit"),
        ("/v1/market?limit=0", "1 to 1000"),
        ("/v1/market?limit=1001", "1 to 1000"),
        ("/v1/rentals?limit=201", "1 to 200"),
        ("/v1/rentals?renter=0x12", "20 bytes"),
        ("/v1/cases?state=open", "unknown variant"),
        ("/v1/network?x=1", "no fields"),
    ] {
        let got = served.get(path).await;
        assert_eq!((got.status, got.code().as_str()), (400, "bad_query"), "{path}");
        assert!(got.text.contains(says), "{path}: {}", got.text);
    }
    let long = format!("/v1/market?miner={}", "0".repeat(2_000));
    assert_eq!(served.get(&long).await.status, 400);
    for (path, status, code) in [
        ("/v1/machines/0x12", 400, "bad_machine"),
        ("/v1/rentals/x", 400, "bad_rental"),
        ("/v1/rentals/7", 404, "no_rental"),
        ("/v1/cases/7", 404, "no_case"),
        ("/v1/miners/7", 400, "bad_account"),
    ] {
        let got = served.get(path).await;
        assert_eq!((got.status, got.code().as_str()), (status, code), "{path}");
    }
    assert_eq!(served.get(&format!("/v1/machines/{}", machine(99))).await.code(), "no_machine");
}

#[tokio::test]
async fn every_route_of_the_description_is_there() {
    let served = with_machines(1).await;
    let description = served.get("/v1/openapi.json").await.json();
    let described = description["paths"].as_object().unwrap();
    for path in openapi::paths() {
        assert!(described.contains_key(path), "{path}");
        let asked = path.replace(['{', '}'], "");
        let got = served.get(&asked).await;
        assert!(!got.text.contains("no_route"), "{path}");
    }
}

#[tokio::test]
async fn an_answer_is_the_same_until_the_market_changes() {
    let served = with_machines(3).await;
    let first = served.get("/v1/network").await;
    let etag = first.headers["etag"].to_str().unwrap().to_owned();
    let ask = || client().get(format!("{}/v1/network", served.url)).header("if-none-match", &etag);
    assert_eq!(got(ask()).await.status, 304);
    served.shop.write(|market| market.apply(reading(2, 4), Default::default()));
    let changed = got(ask()).await;
    assert_eq!((changed.status, changed.json()["totals"]["machines"].as_u64()), (200, Some(4)));
    assert_ne!(changed.headers["etag"].to_str().unwrap(), etag);
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_take_it() {
    let served = with_machines(300).await;
    let ask = |encoding: &'static str| {
        got(client().get(format!("{}/v1/market?limit=300", served.url)).header("accept-encoding", encoding))
    };
    let (plain, gzip) = (ask("identity").await, ask("gzip").await);
    assert!(plain.headers.get("content-encoding").is_none());
    assert_eq!(gzip.headers["content-encoding"], "gzip");
    let length = |got: &Got| got.headers["content-length"].to_str().unwrap().parse::<usize>().unwrap();
    assert!(length(&gzip) * 4 < length(&plain), "{} of {}", length(&gzip), length(&plain));
}

#[tokio::test]
async fn a_connection_is_kept_for_further_questions_and_not_for_ever() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let limits = HttpLimits { idle_max: Duration::from_millis(300), ..HttpLimits::default() };
    let served = start(limits).await;
    served.shop.write(|market| market.apply(reading(1, 1), Default::default()));
    let mut stream = tokio::net::TcpStream::connect(served.address).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        stream.write_all(b"GET /v1/network HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let before = seen.len();
        until_read(&mut stream, &mut seen, |seen| seen[before..].ends_with(b"}")).await;
    }
    // Nothing more is asked: the server closes.
    let rest = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut seen)).await;
    assert!(rest.is_ok(), "the connection stays open");
}

async fn until_read(stream: &mut tokio::net::TcpStream, seen: &mut Vec<u8>, whole: impl Fn(&[u8]) -> bool) {
    use tokio::io::AsyncReadExt;
    let reading = async {
        while !whole(seen) {
            assert_ne!(stream.read_buf(seen).await.unwrap(), 0, "closed early");
        }
    };
    tokio::time::timeout(DEADLINE, reading).await.unwrap();
}

#[tokio::test]
async fn who_asks_too_fast_is_told_so_and_when_to_come_again() {
    let served = start(HttpLimits { requests_per_sec: 2, ..HttpLimits::default() }).await;
    let mut hasty = None;
    for _ in 0..12 {
        let got = served.get("/v1/spoofs").await;
        if got.status == 429 {
            hasty = Some(got);
            break;
        }
    }
    let hasty = hasty.unwrap();
    assert_eq!(hasty.code(), "hasty");
    assert_eq!(hasty.headers["retry-after"], "1");
}
