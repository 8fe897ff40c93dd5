//! No client takes more than its share.

use super::*;
use serde_json::json;
use surety_core::statement::Statement;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// Whether the other side ends the connection, in time, without an answer.
async fn ends(stream: &mut TcpStream) -> bool {
    let mut byte = [0u8; 1];
    let read = timeout(DEADLINE, stream.read(&mut byte)).await.unwrap();
    !matches!(read, Ok(1))
}

fn put_bundle(served: &Served, evidence: Value) -> String {
    let signed = signed(&key(1), 7);
    let statement = Statement::Attestation(signed.statement);
    let signed = Signed { statement, signer: signed.signer, signature: signed.signature };
    served.shelf.bundles.lock().unwrap().insert(statement.evidence(), Bundle { evidence, signed });
    format!("/evidence/{}", statement.evidence())
}

#[tokio::test(flavor = "multi_thread")]
async fn more_reads_than_the_lane_holds_are_shed_and_only_they() {
    let served = start(HttpLimits { lists_at_once: 1, ..HttpLimits::default() }).await;
    let evidence = put_bundle(&served, json!({}));
    served.shelf.hangs.set(true);
    let hanging = tokio::spawn(got(client().get(format!("{}/v1/attestations/7", served.url))));
    served.shelf.hangs.reached().await;
    let shed = served.get("/v1/attestations").await;
    assert_eq!((shed.status, shed.code().as_str()), (503, "busy"));
    assert_eq!(served.get(&evidence).await.status, 200, "evidence has a lane of its own");
    assert_eq!(served.get("/healthz").await.status, 200, "health needs no store");
    assert!(!served.get("/metrics").await.text.contains("surety_http_shed_total 0"));
    served.shelf.hangs.set(false);
    assert_eq!(hanging.await.unwrap().status, 200);
    until("the lane is free again", || async { served.get("/v1/attestations").await.status == 200 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_takes_too_long_is_given_up_but_its_read_still_counts() {
    let answer_max = Duration::from_millis(100);
    let served = start(HttpLimits { answer_max, lists_at_once: 1, ..HttpLimits::default() }).await;
    served.shelf.hangs.set(true);
    let slow = served.get("/v1/attestations/7").await;
    assert_eq!((slow.status, slow.code().as_str()), (503, "too_slow"));
    assert_eq!(served.get("/v1/attestations").await.code(), "busy", "the thread still hangs");
    served.shelf.hangs.set(false);
    until("the read has ended", || async { served.get("/v1/attestations").await.status == 200 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_counts_until_its_last_byte_is_sent() {
    let served = start(HttpLimits { bundles_at_once: 1, ..HttpLimits::default() }).await;
    // More than the sockets' buffers take.
    let path = put_bundle(&served, json!({ "big": "x".repeat(32 << 20) }));
    let mut reader = TcpStream::connect(served.address).await.unwrap();
    reader.write_all(format!("GET {path} HTTP/1.1\r\nhost: k\r\n\r\n").as_bytes()).await.unwrap();
    let mut head = [0u8; 15];
    reader.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    assert_eq!(served.get(&path).await.code(), "busy");
    assert_eq!(served.get("/v1/attestations").await.status, 200, "lists have a lane of their own");
    drop(reader);
    until("the place is free again", || async { served.get(&path).await.status == 200 }).await;
}

#[tokio::test]
async fn one_host_gets_no_more_than_its_connections() {
    // Nothing else ends an idle connection while the test waits.
    let request_max = DEADLINE * 2;
    let served = start(HttpLimits { connections_per_host_max: 2, request_max, ..HttpLimits::default() }).await;
    let first = TcpStream::connect(served.address).await.unwrap();
    let _second = TcpStream::connect(served.address).await.unwrap();
    let mut third = TcpStream::connect(served.address).await.unwrap();
    assert!(ends(&mut third).await, "the third is closed at once");
    drop(first);
    let url = format!("{}/healthz", served.url);
    until("a place is free again", || async { client().get(&url).send().await.is_ok() }).await;
}

#[tokio::test]
async fn a_request_that_drips_in_ends_in_time() {
    let request_max = Duration::from_millis(200);
    let served = start(HttpLimits { request_max, ..HttpLimits::default() }).await;
    let opened = Instant::now();
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let (mut read, mut write) = stream.split();
    let drip = async {
        while write.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut heard = Vec::new();
    let end = async { timeout(DEADLINE, read.read_to_end(&mut heard)).await.map(drop) };
    tokio::select! {
        () = drip => {}
        ended = end => ended.unwrap(),
    }
    assert!(opened.elapsed() >= request_max && opened.elapsed() < DEADLINE);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_reads_ends_in_time() {
    let connection_max = Duration::from_secs(3);
    let served = start(HttpLimits { connection_max, bundles_at_once: 1, ..HttpLimits::default() }).await;
    let path = put_bundle(&served, json!({ "big": "x".repeat(32 << 20) }));
    let mut reader = TcpStream::connect(served.address).await.unwrap();
    reader.write_all(format!("GET {path} HTTP/1.1\r\nhost: k\r\n\r\n").as_bytes()).await.unwrap();
    let mut first = [0u8; 1];
    reader.read_exact(&mut first).await.unwrap();
    let mut read_all = Vec::new();
    until("the place is free although the reader is still there", || async {
        let missing = served.get(&format!("/evidence/{}", "cd".repeat(32))).await;
        missing.code() == "no_evidence"
    })
    .await;
    timeout(DEADLINE, reader.read_to_end(&mut read_all)).await.unwrap().ok();
    assert!(read_all.len() < 32 << 20, "the answer was cut off");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_may_be_read_for_longer_than_a_request_may_take_to_come() {
    // Enough for a loaded machine to make 32 MiB ready: the clock of the request runs until then.
    let request_max = Duration::from_secs(5);
    let served = start(HttpLimits { request_max, ..HttpLimits::default() }).await;
    let path = put_bundle(&served, json!({ "big": "x".repeat(32 << 20) }));
    let opened = Instant::now();
    let mut reader = TcpStream::connect(served.address).await.unwrap();
    reader.write_all(format!("GET {path} HTTP/1.1\r\nhost: k\r\n\r\n").as_bytes()).await.unwrap();
    let mut heard = vec![0u8; 1];
    reader.read_exact(&mut heard).await.unwrap();
    while opened.elapsed() <= request_max {
        let mut byte = [0u8; 1];
        reader.read_exact(&mut byte).await.unwrap();
        heard.push(byte[0]);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    timeout(DEADLINE, reader.read_to_end(&mut heard)).await.unwrap().unwrap();
    assert!(heard.len() > 32 << 20 && heard.ends_with(b"}"), "all of it came");
}

#[tokio::test]
async fn a_request_with_too_much_head_is_refused() {
    let served = start(HttpLimits::default()).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    let line = format!("x-filler: {}\r\n", "a".repeat(1_000));
    for _ in 0..2_000 {
        if stream.write_all(line.as_bytes()).await.is_err() {
            break;
        }
    }
    let mut heard = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut heard)).await.unwrap().ok();
    assert!(!String::from_utf8_lossy(&heard).contains("200 OK"));
    assert_eq!(served.get("/healthz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_finishes_what_is_being_answered_and_takes_nothing_new() {
    let mut served = start(HttpLimits { lists_at_once: 1, ..HttpLimits::default() }).await;
    served.shelf.hangs.set(true);
    let _idle = TcpStream::connect(served.address).await.unwrap();
    let hanging = tokio::spawn(got(client().get(format!("{}/v1/attestations/7", served.url))));
    served.shelf.hangs.reached().await;
    drop(served.stop.take());
    until("nothing new is taken", || async { TcpStream::connect(served.address).await.is_err() }).await;
    assert!(!served.task.is_finished(), "it waits for the answer");
    served.shelf.hangs.set(false);
    assert_eq!(hanging.await.unwrap().status, 200);
    timeout(DEADLINE, served.task).await.unwrap().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_waits_no_longer_than_it_may() {
    let drain_max = Duration::from_millis(100);
    let mut served = start(HttpLimits { drain_max, lists_at_once: 1, ..HttpLimits::default() }).await;
    served.shelf.hangs.set(true);
    let hanging = tokio::spawn(client().get(format!("{}/v1/attestations/7", served.url)).send());
    served.shelf.hangs.reached().await;
    drop(served.stop.take());
    timeout(DEADLINE, &mut served.task).await.unwrap().unwrap().unwrap();
    served.shelf.hangs.set(false);
    hanging.abort();
}
