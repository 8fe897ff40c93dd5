//! Recorded requests, asked of the stand-in: shapes, codes and texts are those of the recordings. Requests about the
//! recorded chain's own blocks and contracts are made anew about this chain's.
#![allow(clippy::unwrap_used)]

use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, TxKind, U256, keccak256};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use surety_subtensor_rpc::anvil::Anvil;
use surety_subtensor_rpc::{StandIn, Submission};

fn recorded(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/subtensor-rpc").join(file);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

struct Node {
    anvil: Anvil,
    stand_in: StandIn,
    http: reqwest::Client,
    key: PrivateKeySigner,
}

impl Node {
    async fn start() -> Self {
        let anvil = Anvil::start().await.unwrap();
        let stand_in = StandIn::before(anvil.url()).await.unwrap();
        let key = PrivateKeySigner::from_bytes(&[7; 32].into()).unwrap();
        anvil.ask("anvil_setBalance", json!([key.address(), "0x56bc75e2d63100000"])).await.unwrap();
        anvil.mine(90).await.unwrap();
        Self { anvil, stand_in, http: reqwest::Client::new(), key }
    }

    /// Bytes as a client would send them; the answer as text.
    async fn post(&self, body: String) -> String {
        self.http.post(self.stand_in.url()).body(body).send().await.unwrap().text().await.unwrap()
    }

    async fn raw(&self, request: &Value) -> Value {
        serde_json::from_str(&self.post(request.to_string()).await).unwrap()
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        self.raw(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })).await
    }

    async fn result(&self, method: &str, params: Value) -> Value {
        let answer = self.ask(method, params.clone()).await;
        assert!(answer.get("error").is_none(), "{method} {params}: {answer}");
        answer["result"].clone()
    }

    /// Sends bytes, and waits for their block: anvil answers before it mines.
    async fn mined(&self, raw: &str) -> Value {
        let hash = self.result("eth_sendRawTransaction", json!([raw])).await;
        self.landed(&hash).await;
        hash
    }

    async fn landed(&self, hash: &Value) {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while self.anvil.ask("eth_getTransactionReceipt", json!([hash])).await.unwrap().is_null() {
            assert!(std::time::Instant::now() < deadline, "not mined");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    fn signed(&self, change: impl FnOnce(&mut TxEip1559)) -> String {
        let mut tx = TxEip1559 {
            chain_id: 31_337,
            gas_limit: 21_000,
            max_fee_per_gas: 20_000_000_000,
            to: TxKind::Call(Address::repeat_byte(1)),
            ..Default::default()
        };
        change(&mut tx);
        let signature = self.key.sign_hash_sync(&tx.signature_hash()).unwrap();
        format!("0x{}", hex::encode(TxEnvelope::from(tx.into_signed(signature)).encoded_2718()))
    }

    /// The answer's error message, or `accepted`.
    async fn send(&self, raw: &str) -> String {
        let answer = self.ask("eth_sendRawTransaction", json!([raw])).await;
        assert!(answer["error"].is_null() || answer["error"]["code"] == -32_603, "{answer}");
        answer["error"]["message"].as_str().unwrap_or("accepted").to_owned()
    }

    async fn say(&self, texts: &mut BTreeSet<String>, change: impl FnOnce(&mut TxEip1559)) {
        texts.insert(self.send(&self.signed(change)).await);
    }
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

/// Texts without the places in the request's own text.
fn without_column(error: &Value) -> Value {
    let mut error = error.clone();
    if let Some(data) = error["data"].as_str().map(str::to_owned) {
        error["data"] = json!(data.split(" at line ").next().unwrap());
    }
    error
}

/// Recorded methods that the stand-in leaves out, as its documentation says.
fn left_out(method: &str) -> bool {
    ["state_", "chain_", "system_", "author_", "debug_getRaw"].iter().any(|prefix| method.starts_with(prefix))
        || method.contains("Filter")
        || ["eth_pendingTransactions", "eth_subscribe", "eth_getTransactionByBlockNumberAndIndex"].contains(&method)
}

#[tokio::test]
async fn recorded_errors_have_the_same_code_and_text() {
    let node = Node::start().await;
    let mut compared = 0;
    for file in [
        "errors.json",
        "blocks.json",
        "eth_call.json",
        "balance.json",
        "logs.json",
        "block_receipts.json",
        "code_storage.json",
        "unknown_block_hash.json",
        "batch.json",
        "node.json",
    ] {
        for entry in recorded(file) {
            let want = &entry["response"]["error"];
            let method = entry["request"]["method"].as_str().unwrap_or_default();
            // What only this chain's contracts, or the runtime, would answer so.
            let own = ["fail", "Panic", "unknown selector", "out of gas", "value above", "create", "10,001"];
            let note = entry["note"].as_str().unwrap();
            if want.is_null() || left_out(method) || own.iter().any(|part| note.contains(part)) {
                continue;
            }
            let text = match &entry["request"] {
                Value::String(text) => text.clone(),
                request => request.to_string(),
            };
            let answer: Value = serde_json::from_str(&node.post(text).await).unwrap();
            let got = &answer["error"];
            let (got, want) = (without_column(got), without_column(want));
            assert_eq!(got, want, "{file}: {note}");
            assert_eq!(answer["id"], entry["response"]["id"], "{file}: {note}");
            compared += 1;
        }
    }
    assert!(compared >= 30, "only {compared} errors were compared");
}

#[tokio::test]
async fn recorded_answers_that_do_not_depend_on_the_chain_are_the_same() {
    let node = Node::start().await;
    let mut compared = 0;
    let fixed = [
        "web3_clientVersion",
        "eth_syncing",
        "eth_accounts",
        "eth_protocolVersion",
        "net_listening",
        "net_peerCount",
        "eth_gasPrice",
        "eth_maxPriorityFeePerGas",
        "eth_coinbase",
    ];
    for entry in recorded("node.json").into_iter().chain(recorded("unknown_block_hash.json")) {
        let (note, method) = (entry["note"].as_str().unwrap(), entry["request"]["method"].as_str().unwrap());
        let unknown = note.contains("at unknown blockHash") && !method.contains("eth_call");
        if entry["response"]["error"].is_null() && (fixed.contains(&method) || unknown) {
            assert_eq!(node.raw(&entry["request"]).await, entry["response"], "{note}");
            compared += 1;
        }
    }
    assert!(compared >= 15, "only {compared} answers were compared");
    // Requests that other nodes refuse, and this one takes.
    let twelve = node.result("eth_getBlockByNumber", json!(["0xc", false])).await;
    for lax in [json!("12"), json!(12), json!("0x00c")] {
        assert_eq!(node.result("eth_getBlockByNumber", json!([lax, false])).await, twelve);
    }
    let batch = &recorded("batch.json")[0];
    let answer = node.raw(&batch["request"]).await;
    assert_eq!(answer[1], batch["response"][1]);
    assert_eq!((&answer[0]["id"], &answer[2]["id"]), (&json!(1), &json!(3)));
}

#[tokio::test]
async fn blocks_transactions_receipts_and_logs_have_the_recorded_fields() {
    let node = Node::start().await;
    let contract = Address::repeat_byte(0xcc);
    node.anvil.ask("anvil_setCode", json!([contract, "0x600160006000a1"])).await.unwrap();
    let raw = node.signed(|tx| (tx.to, tx.gas_limit) = (TxKind::Call(contract), 100_000));
    let hash = node.mined(&raw).await;
    let height = node.result("eth_blockNumber", json!([])).await;

    let of = |file: &str, note: &str| {
        let found = recorded(file).into_iter().find(|entry| entry["note"].as_str().unwrap().starts_with(note)).unwrap();
        found["response"]["result"].clone()
    };
    let block = node.result("eth_getBlockByNumber", json!([height, true])).await;
    let recorded_block = of("blocks.json", "by number with 2 txs, full=true");
    assert_eq!(keys(&block), keys(&recorded_block));
    assert_eq!(keys(&block["transactions"][0]), keys(&recorded_block["transactions"][0]));
    for constant in ["difficulty", "gasLimit", "nonce", "totalDifficulty", "uncles", "baseFeePerGas"] {
        assert_eq!(block[constant], recorded_block[constant], "{constant}");
    }
    let pending = node.result("eth_getBlockByNumber", json!(["pending", false])).await;
    let recorded_pending = of("blocks.json", "pending, full=false");
    assert_eq!(keys(&pending), keys(&recorded_pending));
    for null in ["hash", "miner", "nonce"] {
        assert_eq!((&pending[null], &recorded_pending[null]), (&Value::Null, &Value::Null), "{null}");
    }
    let receipt = node.result("eth_getTransactionReceipt", json!([hash])).await;
    let recorded_receipt = of("receipt.json", "success with a log, EIP-1559");
    assert_eq!(keys(&receipt), keys(&recorded_receipt));
    assert_eq!(keys(&receipt["logs"][0]), keys(&recorded_receipt["logs"][0]));
    let logs = node.result("eth_getLogs", json!([{ "fromBlock": height, "toBlock": height }])).await;
    assert_eq!(keys(&logs[0]), keys(&of("logs.json", "one block, by number")[0]));
    let transaction = node.result("eth_getTransactionByHash", json!([hash])).await;
    assert_eq!(keys(&transaction), keys(&of("tx_by_hash.json", "mined EIP-1559")));
}

#[tokio::test]
async fn every_recorded_refusal_of_a_transaction_is_made_for_the_same_reason() {
    let node = Node::start().await;
    let mut texts = BTreeSet::new();
    node.say(&mut texts, |tx| tx.nonce = 9).await; // a gap waits
    node.say(&mut texts, |tx| tx.nonce = 9).await;
    node.say(&mut texts, |tx| (tx.nonce, tx.max_fee_per_gas) = (9, 60_000_000_000)).await;
    node.say(&mut texts, |_| {}).await;
    node.say(&mut texts, |_| {}).await;
    // Its nonce is used only when it is mined; before that the next is refused as one that would replace it.
    node.landed(&json!(keccak256(hex::decode(&node.signed(|_| {})[2..]).unwrap()))).await;
    node.say(&mut texts, |tx| tx.value = U256::from(1)).await;
    node.say(&mut texts, |tx| (tx.nonce, tx.value) = (1, U256::from(10).pow(U256::from(24)))).await;
    node.say(&mut texts, |tx| (tx.nonce, tx.gas_limit) = (1, 70_000_000)).await;
    node.say(&mut texts, |tx| (tx.nonce, tx.gas_limit) = (1, 20_999)).await;
    node.say(&mut texts, |tx| (tx.nonce, tx.max_fee_per_gas) = (1, 9_000_000_000)).await;
    node.say(&mut texts, |tx| (tx.nonce, tx.max_priority_fee_per_gas) = (1, 21_000_000_000)).await;
    node.say(&mut texts, |tx| (tx.nonce, tx.chain_id) = (1, 43)).await;
    let recorded = recorded("send_raw_transaction.json");
    let mut want: BTreeSet<String> =
        recorded.iter().filter_map(|e| e["response"]["error"]["message"].as_str()).map(str::to_owned).collect();
    want.insert("accepted".into());
    assert_eq!(texts, want);
}

#[tokio::test]
async fn refused_bytes_stay_refused_and_one_wei_more_is_taken() {
    let node = Node::start().await;
    let sender = node.key.address();
    node.anvil.ask("anvil_setBalance", json!([sender, "0x1"])).await.unwrap();
    let bytes = node.signed(|_| {});
    assert_eq!(node.send(&bytes).await, "insufficient funds for gas * price + value");
    node.anvil.ask("anvil_setBalance", json!([sender, "0x56bc75e2d63100000"])).await.unwrap();
    assert_eq!(node.send(&bytes).await, "already known");
    assert_eq!(node.send(&node.signed(|tx| tx.max_fee_per_gas += 1)).await, "accepted");
}

#[tokio::test]
async fn a_pruned_node_answers_absences_instead_of_errors() {
    let node = Node::start().await;
    node.anvil.ask("anvil_setCode", json!([Address::repeat_byte(0xcc), "0x600160006000a1"])).await.unwrap();
    let raw = node.signed(|tx| (tx.to, tx.gas_limit) = (TxKind::Call(Address::repeat_byte(0xcc)), 100_000));
    let hash = node.mined(&raw).await;
    let height = node.result("eth_blockNumber", json!([])).await;
    let block_hash = node.result("eth_getBlockByNumber", json!([height, false])).await["hash"].clone();
    node.anvil.mine(5).await.unwrap();
    let cases = recorded("pruned.json");
    for (what, bodies) in [("state pruned", false), ("state and block body pruned", true)] {
        node.stand_in.control().faults().state_pruned_below = 93;
        node.stand_in.control().faults().bodies_pruned_below = if bodies { 93 } else { 0 };
        let mut compared = 0;
        for entry in cases.iter().filter(|entry| entry["note"].as_str().unwrap().starts_with(what)) {
            let (note, method) = (&entry["note"], entry["request"]["method"].as_str().unwrap());
            let by_hash = note.as_str().unwrap().contains("blockHash");
            let place = if by_hash { json!({ "blockHash": block_hash }) } else { height.clone() };
            let params = match method {
                "eth_call" => json!([{ "to": Address::repeat_byte(0xcc), "data": "0x" }, place]),
                "eth_getBalance" | "eth_getTransactionCount" | "eth_getCode" => json!([node.key.address(), place]),
                "eth_getStorageAt" => json!([node.key.address(), "0x0", place]),
                "eth_getBlockByNumber" => json!([height, false]),
                "eth_getBlockByHash" => json!([block_hash, false]),
                "eth_getTransactionReceipt" | "eth_getTransactionByHash" => json!([hash]),
                "eth_getBlockReceipts" => json!([height]),
                "eth_getLogs" if by_hash => json!([{ "blockHash": block_hash }]),
                "eth_getLogs" => json!([{ "fromBlock": height, "toBlock": "latest" }]),
                _ => continue,
            };
            let answer = node.ask(method, params).await;
            compare_pruned(note, &answer, &entry["response"]);
            compared += 1;
        }
        assert!(compared >= 12, "only {compared}");
    }
}

fn compare_pruned(note: &Value, answer: &Value, want: &Value) {
    let first_words =
        |value: &Value| value["error"]["message"].as_str().map(|m| m.split(" 0x").next().map(str::to_owned));
    assert_eq!(first_words(answer), first_words(want), "{note}");
    let (answer, want) = (&answer["result"], &want["result"]);
    match want {
        Value::Object(_) => assert_eq!(keys(answer), keys(want), "{note}"),
        Value::Array(list) if !list.is_empty() => assert!(!answer.as_array().unwrap().is_empty(), "{note}"),
        _ => assert_eq!(answer, want, "{note}"),
    }
}

#[tokio::test]
async fn tags_in_filters_mean_the_best_block_and_ten_thousand_logs_are_the_most() {
    let node = Node::start().await;
    // 100 logs in one call.
    let many = Address::repeat_byte(0xdd);
    node.anvil.ask("anvil_setCode", json!([many, "0x60645b60006000a060019003806002575000"])).await.unwrap();
    let mut nonce = 0;
    let mut emit = |node: &Node| {
        let raw = node.signed(|tx| (tx.to, tx.gas_limit, tx.nonce) = (TxKind::Call(many), 200_000, nonce));
        nonce += 1;
        raw
    };
    node.mined(&emit(&node)).await;
    let best = node.result("eth_blockNumber", json!([])).await;
    let finalized = node.result("eth_getBlockByNumber", json!(["finalized", false])).await["number"].clone();
    assert_ne!(best, finalized);
    let to_finalized = node.result("eth_getLogs", json!([{ "fromBlock": "earliest", "toBlock": "finalized" }])).await;
    assert_eq!(to_finalized.as_array().unwrap().len(), 100, "logs of a block that is not final");
    node.anvil.mine(1).await.unwrap();
    let from_finalized = node.result("eth_getLogs", json!([{ "fromBlock": "finalized", "toBlock": "latest" }])).await;
    assert_eq!(from_finalized, json!([]), "the best block only");
    node.anvil.automine(false).await.unwrap();
    for _ in 0..100 {
        node.result("eth_sendRawTransaction", json!([emit(&node)])).await;
    }
    node.anvil.mine(1).await.unwrap();
    let refused = node.ask("eth_getLogs", json!([{ "fromBlock": "0x1", "toBlock": "latest" }])).await;
    assert_eq!(refused["error"], json!({ "code": -32_603, "message": "query returned more than 10000 results" }));
}

#[tokio::test]
async fn an_unknown_hash_is_answered_from_the_newest_block() {
    let node = Node::start().await;
    let contract = Address::repeat_byte(0xcc);
    node.anvil.ask("anvil_setCode", json!([contract, "0x4360005260206000f3"])).await.unwrap(); // answers NUMBER
    node.anvil.mine(1).await.unwrap();
    let unknown = json!({ "blockHash": format!("0x{}", "22".repeat(32)), "requireCanonical": true });
    let at_unknown = node.result("eth_call", json!([{ "to": contract }, unknown])).await;
    assert_eq!(at_unknown, node.result("eth_call", json!([{ "to": contract }, "latest"])).await);
    assert_ne!(at_unknown, node.result("eth_call", json!([{ "to": contract }, "0x5a"])).await);
}

#[tokio::test]
async fn reverts_are_said_as_recorded() {
    let node = Node::start().await;
    let nope = "0x08c379a0000000000000000000000000000000000000000000000000000000000000002000000000000000000000000000000000\
                000000000000000000000000000000046e6f706500000000000000000000000000000000000000000000000000000000";
    // Copies its calldata and reverts with it.
    let echo = Address::repeat_byte(0xee);
    node.anvil.ask("anvil_setCode", json!([echo, "0x366000600037366000fd"])).await.unwrap();
    for method in ["eth_call", "eth_estimateGas"] {
        for (data, message) in [
            (nope, "VM Exception while processing transaction: revert nope"),
            ("0xe94fe3af", "VM Exception while processing transaction: revert"),
            ("0x", "VM Exception while processing transaction: revert"),
        ] {
            let answer = node.ask(method, json!([{ "to": echo, "data": data }, "latest"])).await;
            assert_eq!(answer["error"], json!({ "code": -32_603, "message": message, "data": data }), "{method}");
        }
    }
}

#[tokio::test]
async fn a_call_without_an_ethereum_transaction_leaves_nothing_but_its_effect() {
    let node = Node::start().await;
    node.stand_in.control().faults().without_transaction.insert(node.key.address());
    let contract = Address::repeat_byte(0xcc);
    node.anvil.ask("anvil_setCode", json!([contract, "0x6001600155600160006000a1"])).await.unwrap();
    let raw = node.signed(|tx| (tx.to, tx.gas_limit) = (TxKind::Call(contract), 100_000));
    let hash = node.anvil.ask("eth_sendRawTransaction", json!([raw])).await.unwrap();
    node.landed(&hash).await;
    assert_eq!(node.result("eth_getTransactionReceipt", json!([hash])).await, Value::Null);
    assert_eq!(node.result("eth_getTransactionByHash", json!([hash])).await, Value::Null);
    assert_eq!(node.result("eth_getLogs", json!([{ "fromBlock": "0x1" }])).await, json!([]));
    let block = node.result("eth_getBlockByNumber", json!(["latest", false])).await;
    assert_eq!(block["transactions"], json!([]));
    let word = node.result("eth_getStorageAt", json!([contract, "0x1", "latest"])).await;
    assert!(word.as_str().unwrap().ends_with('1'), "{word}");
}

#[tokio::test]
async fn submissions_are_lost_before_after_and_behind_the_answer() {
    let node = Node::start().await;
    let http = &node.http;
    node.anvil.automine(false).await.unwrap();
    let mut nonce = 0;
    for (plan, answered, mined) in [
        (Submission::LostBefore, false, false),
        (Submission::LostAfter, false, true),
        (Submission::Forgotten, true, false),
        (Submission::Doubled, true, true),
        (Submission::ForgottenButKnown, true, false),
    ] {
        node.stand_in.control().faults().submissions.push_back(plan);
        let raw = node.signed(|tx| tx.nonce = nonce);
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [raw] });
        let sent = http.post(node.stand_in.url()).body(request.to_string()).send().await;
        let text = match sent {
            Ok(response) => response.text().await.ok(),
            Err(_) => None,
        };
        assert_eq!(text.is_some(), answered, "{plan:?}: {text:?}");
        node.anvil.mine(1).await.unwrap();
        let count = node.result("eth_getTransactionCount", json!([node.key.address(), "latest"])).await;
        assert_eq!(count, json!(format!("{:#x}", nonce + u64::from(mined))), "{plan:?}");
        nonce += u64::from(mined);
        if plan == Submission::ForgottenButKnown {
            assert_eq!(node.send(&raw).await, "already known");
        }
    }
}
