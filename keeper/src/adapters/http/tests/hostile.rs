//! Peers that do not behave, beside one that does.

use super::peers::{keeper, limits, me, peers};
use super::*;
use serde_json::json;
use std::sync::atomic::Ordering::Relaxed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// How a scripted server answers every request.
#[derive(Clone)]
pub(super) enum Script {
    /// A status and nothing else.
    Status(u16),
    /// These bytes as JSON.
    Json(String),
    /// A redirection.
    Redirect(String),
    /// A body that never ends, as fast as it is taken.
    Endless,
    /// A body that never ends, a byte at a time.
    Drip,
    /// A length that the body does not have.
    Lying(usize),
    /// No answer at all.
    Silent,
    /// The right answer, after the gate opens.
    Late(Arc<tokio::sync::Notify>, String),
}

pub(super) struct Scripted {
    pub(super) url: String,
    requests: Arc<AtomicU64>,
}

impl Scripted {
    pub(super) fn asked(&self) -> u64 {
        self.requests.load(Relaxed)
    }
}

impl Script {
    pub(super) async fn start(self) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicU64::new(0));
        let counted = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Relaxed);
                tokio::spawn(self.clone().answer(stream));
            }
        });
        Scripted { url, requests }
    }

    async fn answer(self, mut stream: TcpStream) {
        let mut request = [0u8; 4_096];
        if stream.read(&mut request).await.is_err() {
            return;
        }
        let head = |status: &str, extra: &str| format!("HTTP/1.1 {status}\r\nconnection: close\r\n{extra}\r\n");
        let json = |body: &str| head("200 OK", &format!("content-length: {}\r\n", body.len())) + body;
        let endless = head("200 OK", "transfer-encoding: chunked\r\n");
        let reply = match &self {
            Self::Status(status) => head(&format!("{status} No"), "content-length: 0\r\n"),
            Self::Json(body) => json(body),
            Self::Redirect(to) => head("302 Found", &format!("location: {to}\r\ncontent-length: 0\r\n")),
            Self::Endless | Self::Drip => endless,
            Self::Lying(length) => head("200 OK", &format!("content-length: {length}\r\n")),
            Self::Silent => String::new(),
            Self::Late(gate, body) => {
                gate.notified().await;
                json(body)
            }
        };
        stream.write_all(reply.as_bytes()).await.ok();
        match self {
            Self::Endless => while stream.write_all(&chunk(&[b' '; 8_192])).await.is_ok() {},
            Self::Drip => {
                while stream.write_all(&chunk(b" ")).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            Self::Lying(_) | Self::Silent => std::future::pending().await,
            _ => {}
        }
    }
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

fn page(entries: &[(u64, Signed<Attestation>)]) -> String {
    let attestations = entries.iter().map(|(seq, signed)| Numbered { seq: *seq, signed: signed.clone() }).collect();
    serde_json::to_string(&Page { attestations, failing: Vec::new() }).unwrap()
}

/// Polls a hostile peer beside an honest one. Returns what was heard of the hostile one, and the counts.
async fn beside_an_honest_one(script: Script, limits: PeerLimits) -> (Vec<Signed<Attestation>>, Arc<PeerCounts>) {
    let honest = start(HttpLimits::default()).await;
    let hostile = script.start().await;
    let good = honest.shelf.add(&key(1), 1);
    let (peers, counts) = peers(limits);
    let mut heard = peers.poll(&[keeper(1, &honest.url), keeper(2, &hostile.url)], me()).await;
    assert_eq!(hostile.asked(), 1);
    assert!(heard.contains(&good), "the honest one is heard in the same poll");
    heard.retain(|signed| *signed != good);
    (heard, counts)
}

async fn refused(script: Script) {
    let (heard, counts) = beside_an_honest_one(script, limits()).await;
    assert_eq!((heard, counts.failed.load(Relaxed)), (vec![], 1));
}

#[tokio::test]
async fn an_endless_body_is_cut_off_at_the_byte_limit() {
    let begun = Instant::now();
    refused(Script::Endless).await;
    assert!(begun.elapsed() < PeerLimits::default().request_max, "by bytes, not by time");
}

#[tokio::test]
async fn a_length_that_the_body_does_not_have_gains_nothing() {
    let limits = PeerLimits { request_max: Duration::from_millis(300), ..limits() };
    for length in [10, usize::MAX >> 1] {
        let (heard, counts) = beside_an_honest_one(Script::Lying(length), limits.clone()).await;
        assert_eq!((heard, counts.failed.load(Relaxed)), (vec![], 1));
    }
}

#[tokio::test]
async fn slow_and_silent_peers_delay_a_poll_only_by_its_gathering_time() {
    for script in [Script::Drip, Script::Silent] {
        let gather_max = Duration::from_millis(500);
        let begun = Instant::now();
        let limits = PeerLimits { gather_max, request_max: DEADLINE, ..limits() };
        let (heard, counts) = beside_an_honest_one(script, limits).await;
        assert!(begun.elapsed() < DEADLINE / 2, "the request itself may take {DEADLINE:?}");
        assert_eq!((heard, counts.failed.load(Relaxed)), (vec![], 0), "it is still being asked");
    }
}

#[tokio::test]
async fn a_slow_drip_ends_at_the_requests_deadline() {
    let request_max = Duration::from_millis(300);
    let (heard, counts) = beside_an_honest_one(Script::Drip, PeerLimits { request_max, ..limits() }).await;
    assert_eq!((heard, counts.failed.load(Relaxed)), (vec![], 1));
}

#[tokio::test]
async fn an_answer_that_comes_after_the_poll_is_heard_in_the_next() {
    let gate = Arc::new(tokio::sync::Notify::new());
    let late = signed(&key(2), 5);
    let script = Script::Late(gate.clone(), page(&[(1, late.clone())])).start().await;
    let (peers, _) = peers(PeerLimits { gather_max: Duration::from_millis(50), ..limits() });
    let keepers = [keeper(2, &script.url)];
    assert_eq!(peers.poll(&keepers, me()).await, vec![]);
    assert_eq!(peers.poll(&keepers, me()).await, vec![]);
    assert_eq!(script.asked(), 1, "nobody is asked twice at once");
    gate.notify_one();
    until("it is heard", || async { peers.poll(&keepers, me()).await == vec![late.clone()] }).await;
}

#[tokio::test]
async fn a_poll_that_is_dropped_loses_nothing() {
    let honest = start(HttpLimits::default()).await;
    let good = honest.shelf.add(&key(1), 1);
    let silent = Script::Silent.start().await;
    let keepers = [keeper(1, &honest.url), keeper(2, &silent.url)];
    let (peers, counts) = peers(PeerLimits { request_max: Duration::from_secs(5), ..limits() });
    tokio::select! {
        heard = peers.poll(&keepers, me()) => panic!("it does not wait for the silent one: {heard:?}"),
        () = until("the honest one has answered", || async { counts.accepted.load(Relaxed) == 1 }) => {}
    }
    assert_eq!(peers.poll(&keepers, me()).await, vec![good]);
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    let target = start(HttpLimits::default()).await;
    target.shelf.add(&key(2), 1);
    refused(Script::Redirect(format!("{}/v1/attestations", target.url))).await;
}

#[tokio::test]
async fn a_page_longer_than_asked_for_is_refused() {
    let signed = signed(&key(2), 1);
    let entries: Vec<_> = (1..=101).map(|seq| (seq, signed.clone())).collect();
    let page_of = |count: usize| Script::Json(page(&entries[..count]));
    refused(page_of(101)).await;
    let (heard, _) = beside_an_honest_one(page_of(100), limits()).await;
    assert_eq!(heard.len(), 100, "as many as asked for are taken");
}

#[tokio::test]
async fn a_page_that_shows_more_machines_failing_than_a_keeper_may_is_refused() {
    let failing = |count: usize| {
        let failing = (0..count).map(|n| MachineId([u8::try_from(n % 256).unwrap(); 32])).collect();
        serde_json::to_string(&Page { attestations: Vec::new(), failing }).unwrap()
    };
    refused(Script::Json(failing(surety_core::limits::HINTS_SHOWN_MAX + 1))).await;
    let (_, counts) = beside_an_honest_one(Script::Json(failing(surety_core::limits::HINTS_SHOWN_MAX)), limits()).await;
    assert_eq!(counts.failed.load(Relaxed), 0);
}

#[tokio::test]
async fn pages_that_are_none_are_refused() {
    let (one, two) = (signed(&key(2), 1), signed(&key(2), 2));
    let odd = json!({ "attestations": [{ "seq": 1, "signed": one, "more": 1 }] }).to_string();
    let bad = [
        String::new(),
        "null".into(),
        "[".repeat(100_000),
        "{\"attestations\": [{}]}".into(),
        odd,
        page(&[(2, one.clone()), (1, two.clone())]),
        page(&[(1, one.clone()), (1, two)]),
        page(&[(0, one)]),
    ];
    for body in bad {
        refused(Script::Json(body)).await;
    }
    for status in [204, 206, 404, 503] {
        refused(Script::Status(status)).await;
    }
}

#[tokio::test]
async fn only_the_peers_own_good_signatures_are_heard() {
    let good = signed(&key(2), 1);
    let somebody_elses = signed(&key(3), 2);
    let claimed = Signed { signer: key(2).account(), ..signed(&key(3), 3) };
    let mut other_contract = signed(&key(2), 4);
    let elsewhere = Domains { arbiter: Account([1; 20]), ..domains() };
    other_contract.signature = key(2).sign(elsewhere.attestation(&other_contract.statement).unwrap()).unwrap();
    let mut changed = signed(&key(2), 5);
    changed.statement.until_secs += 1;
    let last = signed(&key(2), 6);
    let entries = [&good, &somebody_elses, &claimed, &other_contract, &changed, &last];
    let entries: Vec<_> = (1..).zip(entries.into_iter().cloned()).collect();
    let (heard, counts) = beside_an_honest_one(Script::Json(page(&entries)), limits()).await;
    assert_eq!(heard, vec![good, last]);
    assert_eq!((counts.dropped.load(Relaxed), counts.accepted.load(Relaxed)), (4, 3));
}

#[tokio::test]
async fn many_peers_that_hang_do_not_keep_one_that_answers_waiting_for_long() {
    let hanging = Script::Silent.start().await;
    let honest = start(HttpLimits::default()).await;
    let good = honest.shelf.add(&key(1), 1);
    let mut keepers: Vec<_> = (2..=60).map(|number| keeper(number, &hanging.url)).collect();
    keepers.push(keeper(1, &honest.url));
    let (at_once, request_max) = (8, Duration::from_millis(50));
    let gather_max = Duration::from_millis(100);
    let (peers, _) = peers(PeerLimits { at_once, request_max, gather_max, ..limits() });
    until("the honest one is heard", || async { peers.poll(&keepers, me()).await == vec![good.clone()] }).await;
    let next = honest.shelf.add(&key(1), 2);
    let begun = Instant::now();
    until("and at once when the others wait", || async { peers.poll(&keepers, me()).await == vec![next.clone()] })
        .await;
    assert!(begun.elapsed() < DEADLINE / 2);
}
