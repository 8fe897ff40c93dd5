//! The chain's JSON-RPC over HTTP, on loopback, with knobs for what goes wrong.

use super::{Block, Chain, FEE_RAO, METADATA, State, Storage, VERSIONS};
use axum::Router;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use subxt::ext::codec::{Compact, Encode};
use surety_core::types::Hash32;
use surety_substrate::ss58::AccountId;

/// What goes wrong at one endpoint.
#[derive(Debug, Default)]
pub struct Knobs {
    /// It answers nothing that makes sense.
    pub broken: AtomicBool,
    /// It takes questions and never answers.
    pub hangs: AtomicBool,
    /// What it reads from storage is changed in its last byte.
    pub lies: AtomicBool,
    /// Its final block is so many behind.
    pub behind: AtomicU64,
    /// It has lost the state of this block; 0 for none.
    pub forgets: AtomicU64,
    /// It is of another chain, without Subtensor's own pallet.
    pub foreign: AtomicBool,
    /// It takes calls and loses them.
    pub swallows: AtomicBool,
    /// Calls are taken, and the answer is lost.
    pub mute: AtomicBool,
}

/// An endpoint.
pub struct Server {
    /// Where it listens.
    pub url: String,
    /// What goes wrong there.
    pub knobs: Arc<Knobs>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Serves a chain on a free port.
    pub async fn start(chain: Arc<Chain>) -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let knobs = Arc::new(Knobs::default());
        let app = Router::new().route("/", post(answer)).with_state((chain, knobs.clone()));
        let task = tokio::spawn(async move {
            axum::serve(listener, app).await.ok();
        });
        Ok(Self { url, knobs, task })
    }
}

async fn answer(Shared((chain, knobs)): Shared<(Arc<Chain>, Arc<Knobs>)>, body: String) -> Result<String, StatusCode> {
    if knobs.hangs.load(Relaxed) {
        std::future::pending::<()>().await;
    }
    if knobs.broken.load(Relaxed) {
        return Ok("<html>".into());
    }
    let request: Value = serde_json::from_str(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let method = request["method"].as_str().unwrap_or_default().to_owned();
    let result = chain.answer(&method, &request["params"], &knobs);
    let mut envelope = json!({ "jsonrpc": "2.0", "id": request["id"] });
    match result {
        Ok(result) => envelope["result"] = result,
        Err((code, message, data)) => envelope["error"] = json!({ "code": code, "message": message, "data": data }),
    }
    if method == "author_submitExtrinsic" && knobs.mute.load(Relaxed) {
        return Err(StatusCode::GATEWAY_TIMEOUT);
    }
    Ok(envelope.to_string())
}

type Answer = Result<Value, (i64, String, Option<String>)>;

fn refused(code: i64, message: &str) -> (i64, String, Option<String>) {
    (code, message.to_owned(), None)
}

fn bytes_of(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap_or_default().trim_start_matches("0x")).unwrap_or_default()
}

fn hash_of(value: &Value) -> Hash32 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn hex_of(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// The same, but that the pallet has another name.
fn foreign_metadata() -> Vec<u8> {
    let (ours, theirs) = (b"SubtensorModule", b"SomethingModule");
    let mut metadata = METADATA.to_vec();
    let at: Vec<usize> = (0..metadata.len()).filter(|at| metadata[*at..].starts_with(ours)).collect();
    at.into_iter().for_each(|at| metadata[at..at + theirs.len()].copy_from_slice(theirs));
    metadata
}

impl Chain {
    fn answer(&self, method: &str, params: &Value, knobs: &Knobs) -> Answer {
        match method {
            "system_chain" => Ok(json!("Bittensor")),
            "chain_getBlockHash" => {
                let state = self.state();
                let number = params[0].as_u64().unwrap_or(u64::MAX);
                Ok(json!(state.blocks.iter().find(|b| b.head.number == number).map(|b| b.head.hash)))
            }
            "chain_getFinalizedHead" => {
                let state = self.state();
                let number = state.final_number.saturating_sub(knobs.behind.load(Relaxed));
                Ok(json!(state.blocks.iter().find(|b| b.head.number == number).map(|b| b.head.hash)))
            }
            "chain_getHeader" => {
                let (state, hash) = (self.state(), hash_of(&params[0]));
                let found = state.blocks.iter().find(|b| b.head.hash == hash).map(|b| b.head);
                Ok(json!(
                    found.map(|head| json!({ "parentHash": head.parent, "number": format!("{:#x}", head.number) }))
                ))
            }
            "state_getRuntimeVersion" => Ok(json!({ "specName": "node-subtensor", "specVersion": VERSIONS.spec,
                    "transactionVersion": VERSIONS.transaction })),
            "state_call" if params[0] == "Metadata_metadata_at_version" => {
                let length = Compact(u32::try_from(METADATA.len()).unwrap()).encode();
                let foreign = knobs.foreign.load(Relaxed).then(foreign_metadata);
                Ok(json!(hex_of(&[&[1], &length[..], foreign.as_deref().unwrap_or(METADATA)].concat())))
            }
            "state_call" => self.ask(params, knobs),
            "chain_getBlock" => {
                let (state, hash) = (self.state(), hash_of(&params[0]));
                let found = state.blocks.iter().find(|b| b.head.hash == hash);
                let body = |block: &Block| block.body.iter().map(|bytes| hex_of(bytes)).collect::<Vec<_>>();
                Ok(json!(found.map(|block| json!({ "block": { "extrinsics": body(block) }, "justifications": null }))))
            }
            "state_queryStorageAt" => self.query(params, knobs),
            "system_accountNextIndex" => self.next_index(params),
            "author_submitExtrinsic" => {
                let bytes = bytes_of(&params[0]);
                let hash = super::blake2_256(&bytes);
                if knobs.swallows.load(Relaxed) {
                    return Ok(json!(hash));
                }
                let taken = self.submit(bytes);
                taken.map(|hash| json!(hash)).map_err(|no| (no.0, no.1.to_owned(), Some(no.2)))
            }
            _ => Err(refused(-32601, "Method not found")),
        }
    }

    /// The runtime's own answers.
    fn ask(&self, params: &Value, knobs: &Knobs) -> Answer {
        let (question, at) = (bytes_of(&params[1]), hash_of(&params[2]));
        self.state().storage_at(at, knobs.forgets.load(Relaxed))?;
        let answer = match params[0].as_str().unwrap_or_default() {
            "ContractsApi_call" => self.try_contract(at, &question),
            "TransactionPaymentCallApi_query_call_info" => Some((Compact(0u64), Compact(0u64), 0u8, FEE_RAO).encode()),
            "StakeInfoRuntimeApi_get_stake_info_for_coldkey" => self.stakes_of(at, &question),
            "StakeInfoRuntimeApi_get_stake_availability_for_coldkeys" => self.available_of(at, &question),
            _ => None,
        };
        let mut answer = answer.ok_or_else(|| refused(4003, "Client error: Execution failed"))?;
        if knobs.lies.load(Relaxed) {
            let last = answer.len() - 1;
            answer[last] ^= 1;
        }
        Ok(json!(hex_of(&answer)))
    }

    fn query(&self, params: &Value, knobs: &Knobs) -> Answer {
        let storage = self.state().storage_at(hash_of(&params[1]), knobs.forgets.load(Relaxed))?;
        let lies = knobs.lies.load(Relaxed);
        let keys = params[0].as_array().cloned().unwrap_or_default();
        let changes = keys.iter().map(|key| {
            let mut value = storage.get(&bytes_of(key)).cloned();
            if let Some(last) = value.as_mut().filter(|_| lies).and_then(|bytes| bytes.last_mut()) {
                *last ^= 1;
            }
            json!([key, value.map(|bytes| hex_of(&bytes))])
        });
        Ok(json!([{ "block": params[1], "changes": changes.collect::<Vec<_>>() }]))
    }

    /// Calls in blocks, and those in the pool on top.
    fn next_index(&self, params: &Value) -> Answer {
        let text = params[0].as_str().unwrap_or_default();
        let account: AccountId = text.parse().map_err(|_| refused(-32602, "Invalid params"))?;
        let pooled = self.state().pool.clone();
        let own = pooled.iter().filter_map(|bytes| self.read(bytes).ok()).filter(|sent| sent.signer == account);
        Ok(json!(self.nonce_of(account) + own.count() as u64))
    }
}

impl State {
    fn storage_at(&self, hash: Hash32, forgotten: u64) -> Result<Arc<Storage>, (i64, String, Option<String>)> {
        let found = self.blocks.iter().find(|block| block.head.hash == hash);
        let found = found.filter(|block| forgotten == 0 || block.head.number != forgotten);
        let unknown = || refused(4003, "Client error: UnknownBlock: Header was not found in the database");
        found.map(|block| block.storage.clone()).ok_or_else(unknown)
    }
}
