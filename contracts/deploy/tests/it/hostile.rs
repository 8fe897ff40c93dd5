//! Nodes that answer anything: no answer is believed for its form alone, none is fatal, none repeats the URL.

use crate::world::World;
use alloy::primitives::B256;
use serde_json::{Value, json};
use std::time::Duration;
use surety_client::provider::Node;
use surety_deploy::audit::{AuditOptions, audit};
use surety_deploy::deploy::{Event, deploy, stand};
use surety_deploy::network::Network;
use surety_deploy::preflight::preflight;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A node that says chain id and block as they should be, and `junk` to everything else.
async fn junk_node(junk: Value) -> Node {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, junk.clone()));
        }
    });
    Node::new(&format!("http://127.0.0.1:{port}/?key=SECRET")).unwrap()
}

async fn serve(mut stream: TcpStream, junk: Value) {
    let mut request = Vec::new();
    let mut buffer = [0u8; 65_536];
    loop {
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        if read == 0 {
            return;
        }
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request);
        let Some((_, body)) = text.split_once("\r\n\r\n") else { continue };
        let Ok(asked) = serde_json::from_str::<Value>(body) else { continue };
        let result = match asked["method"].as_str().unwrap() {
            "eth_chainId" => json!("0x7a69"),
            "eth_getBlockByNumber" => json!({
                "number": "0x100", "hash": B256::repeat_byte(1), "parentHash": B256::ZERO, "timestamp": "0x64"
            }),
            _ => junk.clone(),
        };
        let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result }).to_string();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:";
        let whole = format!("{head} {}\r\n\r\n{answer}", answer.len());
        if stream.write_all(whole.as_bytes()).await.is_err() {
            return;
        }
        request.clear();
    }
}

fn junk() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!({}),
        json!([]),
        json!("0x"),
        json!("0xzz"),
        json!("0xffffffffffffffff"),
        json!(format!("0x{}", "ff".repeat(32))),
        json!(format!("0x{}", "00".repeat(32 * 20))),
        json!(format!("0x{}", "ff".repeat(32 * 20))),
        json!(format!("0x{}", "00".repeat(100 << 10))),
    ]
}

#[tokio::test]
async fn whatever_a_node_answers_an_audit_neither_holds_nor_panics() {
    let world = World::new().await;
    let file = world.deployed().await;
    for junk in junk() {
        let node = junk_node(junk.clone()).await;
        let options = AuditOptions::new(Network::Local);
        let work = audit(&node, &file, &options);
        let done = tokio::time::timeout(Duration::from_secs(60), work).await.expect("it ends");
        let text = match done {
            Ok(report) => {
                assert!(!report.holds, "{junk} convinced the audit:\n{report}");
                format!("{report}")
            }
            Err(error) => format!("{error:?} {error}"),
        };
        assert!(!text.contains("SECRET"), "{text}");
    }
}

#[tokio::test]
async fn whatever_a_node_answers_a_deployment_neither_succeeds_nor_panics() {
    let world = World::new().await;
    for junk in junk() {
        let node = junk_node(junk.clone()).await;
        let mut options = world.options.clone();
        options.mined_within = Duration::from_millis(200);
        let dir = tempfile::tempdir().unwrap();
        options.dir = dir.path().to_path_buf();
        if let Ok((_, plan)) = stand(&node, world.key.account(), &world.params, &options).await {
            let asked = preflight(&node, Network::Local, &plan, 0).await;
            assert!(asked.iter().any(|check| !check.passed), "{junk}: {asked:#?}");
            assert!(asked.iter().all(|check| !check.says.contains("SECRET")), "{asked:#?}");
        }
        let mut watch = |_: &Event<'_>| Ok(());
        let work = deploy(&node, &world.key, &world.params, &options, &mut watch);
        let done = tokio::time::timeout(Duration::from_secs(60), work).await.expect("it ends");
        let error = done.expect_err("nothing was deployed");
        assert!(!format!("{error:?} {error}").contains("SECRET"), "{error:?}");
        assert!(!dir.path().join("31337.json").exists());
    }
}
