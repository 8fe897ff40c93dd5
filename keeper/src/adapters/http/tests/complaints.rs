//! Renters' complaints: whose are taken, and what everybody else is told.

use super::*;
use serde_json::json;
use std::sync::atomic::Ordering::Relaxed;
use surety_core::complaints::ComplaintCode;
use surety_core::input::Input;
use surety_core::limits::{COMPLAINT_AGE_MAX_SECS, COMPLAINT_OPEN_SECS, COMPLAINT_TEXT_BYTES_MAX};
use surety_core::types::Signature;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, watch};

const NOW: u64 = 1_800_000_000;

/// The renter of all rentals here but number 9.
const RENTER: u8 = 50;

/// The other side of a desk: the loop, and the chain as it reads it.
pub(in super::super) struct Counter {
    renters: Renters,
    now_secs: Arc<AtomicU64>,
    stored: Arc<watch::Sender<u64>>,
    inputs: Mutex<Option<mpsc::Receiver<Input>>>,
    sender: Mutex<Option<mpsc::Sender<Input>>>,
}

impl Counter {
    pub(super) fn open(limits: DeskLimits) -> (Self, Desk) {
        let (sender, inputs) = mpsc::channel(4);
        let (stored, now_secs) = (Arc::new(watch::Sender::new(0)), Arc::new(AtomicU64::new(NOW)));
        let mut renters: BTreeMap<_, _> = (1..=8).map(|rental| (rental, key(RENTER).account())).collect();
        renters.insert(9, key(RENTER + 1).account());
        let renters: Renters = Arc::new(std::sync::RwLock::new(renters));
        let clock = now_secs.clone();
        let wall: WallClock = Arc::new(move || clock.load(Relaxed));
        let desk = Desk::new(domains(), renters.clone(), &sender, stored.subscribe(), wall, limits);
        let (inputs, sender) = (Mutex::new(Some(inputs)), Mutex::new(Some(sender)));
        (Self { renters, now_secs, stored, inputs, sender }, desk)
    }
}

impl Served {
    /// Takes inputs as the loop does: on disk first, then told.
    fn take_complaints(&self) -> Arc<AtomicU64> {
        let mut inputs = self.counter.inputs.lock().unwrap().take().unwrap();
        let (shelf, stored) = (self.shelf.clone(), self.counter.stored.clone());
        let taken = Arc::new(AtomicU64::new(0));
        let count = taken.clone();
        tokio::spawn(async move {
            while let Some(Input::Complaint(signed)) = inputs.recv().await {
                shelf.complaints.lock().unwrap().push(signed);
                count.fetch_add(1, Relaxed);
                stored.send_modify(|taken| *taken += 1);
            }
        });
        taken
    }

    async fn post(&self, body: impl Into<reqwest::Body>) -> Got {
        got(client().post(format!("{}/v1/complaints", self.url)).body(body)).await
    }

    async fn complain(&self, complaint: &Complaint) -> Got {
        self.post(signed_by(RENTER, complaint)).await
    }
}

fn complaint(rental: RentalId, issued_at_secs: u64) -> Complaint {
    Complaint { rental, code: ComplaintCode::CannotConnect, text: "no answer at all".to_owned(), issued_at_secs }
}

fn signature(by: u8, at: &Domains, complaint: &Complaint) -> Signature {
    key(by).sign(at.complaint(complaint).unwrap()).unwrap()
}

fn signed_by(by: u8, complaint: &Complaint) -> String {
    let (signature, complaint) = (signature(by, &domains(), complaint), complaint.clone());
    serde_json::to_string(&ComplaintBody { complaint, signature }).unwrap()
}

fn says(got: &Got) -> (u16, String) {
    (got.status, got.code())
}

#[tokio::test]
async fn a_renters_complaint_is_taken_once_and_shown_to_anybody() {
    let served = start(HttpLimits::default()).await;
    let taken = served.take_complaints();
    let complaint = complaint(7, NOW - 10);
    let first = served.complain(&complaint).await;
    let answer = json!({
        "id": complaint.id(), "rental": 7, "looked_into_until_secs": NOW - 10 + COMPLAINT_OPEN_SECS
    });
    assert_eq!((first.status, first.json()), (201, answer.clone()));
    let again = served.complain(&complaint).await;
    assert_eq!((again.status, again.json()), (200, answer), "a lost answer is asked for again");
    assert_eq!(taken.load(Relaxed), 1, "and nothing happens twice");
    let shown = served.get("/v1/complaints/7").await;
    let (signer, signature) = (key(RENTER).account(), signature(RENTER, &domains(), &complaint));
    assert_eq!(shown.json(), json!({ "complaints": [Signed { statement: complaint, signer, signature }] }));
    assert_eq!(served.get("/v1/complaints/8").await.json(), json!({ "complaints": [] }));
    assert_eq!(says(&served.get("/v1/complaints/x").await), (400, "bad_rental".into()));
}

#[tokio::test]
async fn only_the_rentals_renter_is_heard_and_only_for_this_chain_and_escrow() {
    let served = start(HttpLimits::default()).await;
    let taken = served.take_complaints();
    let one = complaint(7, NOW);
    let refused = (403, "not_the_renter".to_owned());
    assert_eq!(says(&served.post(signed_by(RENTER + 1, &one)).await), refused, "somebody else");
    assert_eq!(says(&served.complain(&complaint(9, NOW)).await), refused, "somebody else's rental");
    for other in [Domains { chain_id: 964, ..domains() }, Domains { escrow: Account([1; 20]), ..domains() }] {
        let body = ComplaintBody { complaint: one.clone(), signature: signature(RENTER, &other, &one) };
        assert_eq!(says(&served.post(serde_json::to_string(&body).unwrap()).await), refused, "{other:?}");
    }
    let changed = Complaint { text: "other words".into(), ..one.clone() };
    let body = ComplaintBody { complaint: changed, signature: signature(RENTER, &domains(), &one) };
    assert_eq!(says(&served.post(serde_json::to_string(&body).unwrap()).await), refused, "changed on the way");
    let mut odd = signature(RENTER, &domains(), &one);
    odd.0 = [0xff; 65];
    let body = ComplaintBody { complaint: one.clone(), signature: odd };
    let got = served.post(serde_json::to_string(&body).unwrap()).await;
    assert_eq!(says(&got), refused, "no signature at all");
    assert!(got.text.contains(&key(RENTER).account().to_string()), "it says whose it must be: {}", got.text);
    assert_eq!(taken.load(Relaxed), 0);
}

#[tokio::test]
async fn a_rental_that_is_unknown_or_over_is_named_as_such() {
    let served = start(HttpLimits::default()).await;
    served.take_complaints();
    assert_eq!(says(&served.complain(&complaint(10, NOW)).await), (404, "no_rental".into()));
    served.counter.renters.write().unwrap().remove(&7);
    assert_eq!(says(&served.complain(&complaint(7, NOW)).await), (404, "no_rental".into()));
}

#[tokio::test]
async fn an_old_complaint_and_one_from_the_future_are_refused() {
    let served = start(HttpLimits::default()).await;
    served.take_complaints();
    let old = served.complain(&complaint(1, NOW - COMPLAINT_AGE_MAX_SECS - 1)).await;
    assert_eq!(says(&old), (400, "old_complaint".into()));
    assert_eq!(says(&served.complain(&complaint(1, NOW + 61)).await), (400, "future_complaint".into()));
    assert_eq!(served.complain(&complaint(1, NOW - COMPLAINT_AGE_MAX_SECS)).await.status, 201);
    assert_eq!(served.complain(&complaint(2, NOW + 60)).await.status, 201);
}

#[tokio::test]
async fn a_taken_complaint_cannot_be_played_again_later() {
    let served = start(HttpLimits::default()).await;
    let taken = served.take_complaints();
    assert_eq!(served.complain(&complaint(1, NOW)).await.status, 201);
    served.counter.now_secs.store(NOW + COMPLAINT_OPEN_SECS + 1, Relaxed);
    assert_eq!(says(&served.complain(&complaint(1, NOW)).await), (400, "old_complaint".into()));
    assert_eq!(taken.load(Relaxed), 1);
}

#[tokio::test]
async fn what_is_no_complaint_is_told_what_one_looks_like() {
    let served = start(HttpLimits::default()).await;
    served.take_complaints();
    let good = signed_by(RENTER, &complaint(1, NOW));
    let bad = [
        String::new(),
        "null".into(),
        "[".repeat(4_000),
        good.replace("cannot_connect", "sabotage"),
        good.replace("\"rental\":1", "\"rental\":-1"),
        good.replace("\"rental\":1", "\"rental\":0"),
        good.replace("\"rental\":1", "\"rental\":1,\"more\":1"),
        good.replace("no answer at all", "two\\nlines"),
        signed_by(RENTER, &Complaint { text: "x".repeat(COMPLAINT_TEXT_BYTES_MAX + 1), ..complaint(1, NOW) }),
    ];
    for body in bad {
        let got = served.post(body.clone()).await;
        assert_eq!(says(&got), (400, "bad_complaint".into()), "{body}");
        assert!(got.text.contains("issued_at_secs") && got.text.len() < 1_000, "{}", got.text);
    }
    let longest = Complaint { text: "é".repeat(COMPLAINT_TEXT_BYTES_MAX / 2), ..complaint(1, NOW) };
    assert_eq!(served.complain(&longest).await.status, 201);
}

#[tokio::test]
async fn a_body_that_is_too_long_or_never_ends_is_cut_off() {
    let served = start(HttpLimits { request_max: Duration::from_millis(500), ..HttpLimits::default() }).await;
    served.take_complaints();
    assert_eq!(says(&served.post(vec![b' '; 4_097]).await), (413, "long_complaint".into()));
    let mut stream = tokio::net::TcpStream::connect(served.address).await.unwrap();
    let head = "POST /v1/complaints HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    // Drips hold no place of those that are checked.
    for rental in 1..=8 {
        assert_eq!(served.complain(&complaint(rental, NOW)).await.status, 201, "rental {rental}");
    }
    let mut rest = Vec::new();
    tokio::time::timeout(DEADLINE, stream.read_to_end(&mut rest)).await.unwrap().ok();
    assert!(!String::from_utf8_lossy(&rest).starts_with("HTTP/1.1 20"), "{}", String::from_utf8_lossy(&rest));
}

#[tokio::test]
async fn no_other_path_takes_a_body_and_no_other_method_a_complaint() {
    let served = start(HttpLimits::default()).await;
    served.take_complaints();
    let send = |method: &'static str, path: &'static str, body: &'static str| {
        let request = client().request(method.parse().unwrap(), format!("{}{path}", served.url)).body(body);
        async move { got(request).await }
    };
    for (method, path, want) in [
        ("GET", "/v1/complaints", (405, "not_post")),
        ("DELETE", "/v1/complaints", (405, "not_post")),
        ("POST", "/v1/complaints/7", (405, "not_get")),
        ("POST", "/v1/attestations", (405, "not_get")),
    ] {
        let got = send(method, path, "").await;
        assert_eq!((got.status, got.code().as_str()), want, "{method} {path}");
    }
    for (method, path) in [("POST", "/v1/complaints/7"), ("PUT", "/v1/complaints"), ("POST", "/healthz")] {
        let got = send(method, path, "{}").await;
        assert_eq!((got.status, got.code().as_str()), (413, "body"), "{method} {path}");
    }
}

#[tokio::test]
async fn one_complaint_about_a_rental_is_open_at_a_time_and_few_come_in_a_day() {
    let limits = DeskLimits { per_rental_day_max: 3, ..DeskLimits::default() };
    let served = start_with(HttpLimits::default(), limits).await;
    served.take_complaints();
    let mut now = NOW;
    for _ in 0..3 {
        assert_eq!(served.complain(&complaint(1, now)).await.status, 201);
        served.counter.now_secs.store(now + COMPLAINT_OPEN_SECS - 1, Relaxed);
        let open = served.complain(&complaint(1, now + COMPLAINT_OPEN_SECS - 1)).await;
        assert_eq!(says(&open), (409, "open_complaint".into()));
        assert!(open.text.contains(&(now + COMPLAINT_OPEN_SECS).to_string()), "it says until when: {}", open.text);
        now += COMPLAINT_OPEN_SECS;
        served.counter.now_secs.store(now, Relaxed);
    }
    assert_eq!(says(&served.complain(&complaint(1, now)).await), (429, "complaints_of_rental".into()));
    assert_eq!(served.complain(&complaint(2, now)).await.status, 201, "others are heard");
    served.counter.now_secs.store(now + 86_400, Relaxed);
    assert_eq!(served.complain(&complaint(1, now + 86_400)).await.status, 201, "and the next day this one is again");
}

#[tokio::test]
async fn a_flood_of_renters_is_bounded_by_the_minute_and_refusals_use_nothing_up() {
    let limits = DeskLimits { per_minute_max: 3, ..DeskLimits::default() };
    let served = start_with(HttpLimits::default(), limits).await;
    let taken = served.take_complaints();
    for _ in 0..20 {
        assert_eq!(served.post(signed_by(RENTER + 1, &complaint(1, NOW))).await.status, 403);
    }
    for rental in 1..=3 {
        assert_eq!(served.complain(&complaint(rental, NOW)).await.status, 201);
    }
    assert_eq!(says(&served.complain(&complaint(4, NOW)).await), (429, "many_complaints".into()));
    served.counter.now_secs.store(NOW + 60, Relaxed);
    assert_eq!(served.complain(&complaint(4, NOW)).await.status, 201);
    assert_eq!(taken.load(Relaxed), 4);
}

#[tokio::test]
async fn two_complaints_about_one_rental_at_once_are_one() {
    let served = start(HttpLimits::default()).await;
    let (one, two) = (complaint(1, NOW), Complaint { code: ComplaintCode::Other, ..complaint(1, NOW) });
    let both = async { tokio::join!(served.complain(&one), served.complain(&two)) };
    let late = async {
        // Both have come as far as they get before the loop takes anything.
        until("one waits for the loop", || async {
            served.counter.sender.lock().unwrap().as_ref().unwrap().capacity() < 4
        })
        .await;
        served.take_complaints()
    };
    let ((first, second), taken) = tokio::join!(both, late);
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!((statuses, taken.load(Relaxed)), ([201, 409], 1));
}

#[tokio::test]
async fn a_complaint_is_acknowledged_only_when_it_is_on_disk() {
    let limits = DeskLimits { stored_max: Duration::from_millis(200), ..DeskLimits::default() };
    let served = start_with(HttpLimits::default(), limits).await;
    let one = complaint(1, NOW);
    let waits = served.complain(&one).await;
    assert_eq!(says(&waits), (503, "not_stored_yet".into()));
    let taken = served.take_complaints();
    until("the loop takes it", || async { taken.load(Relaxed) == 1 }).await;
    assert_eq!(served.complain(&one).await.status, 200, "the same again is not taken again");
    *served.shelf.broken.lock().unwrap() = Some("no disk");
    assert_eq!(says(&served.complain(&complaint(2, NOW)).await), (503, "store".into()));
}

#[tokio::test]
async fn a_loop_that_is_behind_or_gone_is_no_place_for_complaints() {
    let limits = DeskLimits { stored_max: Duration::from_millis(1), ..DeskLimits::default() };
    let served = start_with(HttpLimits::default(), limits).await;
    for rental in 1..=4 {
        assert_eq!(says(&served.complain(&complaint(rental, NOW)).await), (503, "not_stored_yet".into()));
    }
    let full = served.complain(&complaint(5, NOW)).await;
    assert_eq!((says(&full), full.headers.contains_key("retry-after")), ((503, "busy".into()), true));
    let inputs = served.counter.inputs.lock().unwrap().take();
    drop((inputs, served.counter.sender.lock().unwrap().take()));
    assert_eq!(says(&served.complain(&complaint(6, NOW)).await), (503, "store".into()), "the desk keeps no loop alive");
}
