//! One node's Substrate JSON-RPC: a deadline on every request, a bound on every answer, and no subscriptions. What it
//! says is believed only where a majority says it too ([`crate::nodes`]).

use crate::runtime::Versions;
use reqwest::Client;
use reqwest::redirect::Policy;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;
use surety_core::types::Hash32;
use url::Url;

/// Longest a node may take to answer one request.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Most bytes of one answer. A Subtensor node's own limit is 15 MiB (`--rpc-max-response-size`).
pub const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Most keys in one request: a node takes longer for more than it may for one request.
pub const KEYS_MAX: usize = 512;

/// Most characters of a node's message that are repeated.
const MESSAGE_MAX: usize = 200;

/// A value of storage, or none.
pub type Stored = Option<Vec<u8>>;

/// Why a node gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// The URL is not one.
    #[error("'{url}' is no RPC URL: want http:// or https:// and a host")]
    BadUrl {
        /// As given, without what may be a secret in it.
        url: String,
    },
    /// It could not be reached in time.
    #[error("the node did not answer {method}: {why}")]
    Unreachable {
        /// The method asked.
        method: &'static str,
        /// What the transport said.
        why: String,
    },
    /// It answered an error.
    #[error("the node answered {method} with error {code}: {message}")]
    Refused {
        /// The method asked.
        method: &'static str,
        /// JSON-RPC error code.
        code: i64,
        /// The node's message and what it added, bounded.
        message: String,
    },
    /// It answered something that makes no sense.
    #[error("the node answered {method} with something else than expected: {what}")]
    Odd {
        /// The method asked.
        method: &'static str,
        /// What was odd.
        what: String,
    },
}

/// A block as its header names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Head {
    /// Height.
    pub number: u64,
    /// Substrate's hash, another one than Ethereum's.
    pub hash: Hash32,
    /// The hash of the block before.
    pub parent: Hash32,
}

/// What a node said to a signed call. Only the first means that it was taken, and no answer says that it is in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// It is in the pool.
    Taken(Hash32),
    /// The pool has these bytes, or had them in a block (1013).
    Known,
    /// Another call of this nonce is in the pool (1014); a Subtensor pool replaces nothing.
    NonceTaken,
    /// The nonce is used, or the call is older than its blocks (1010).
    Outdated,
    /// Refused for another reason, which the chain's own number or words say.
    Refused(String),
}

/// One node.
#[derive(Debug, Clone)]
pub struct Node {
    http: Client,
    url: Url,
}

impl Node {
    /// Prepares a connection; nothing is sent yet.
    pub fn new(url: &str) -> Result<Self, NodeError> {
        // What follows the host often holds a key: it is not repeated.
        let shown = || url.split(['?', '#', '@']).next().unwrap_or("").chars().take(40).collect();
        let bad = || NodeError::BadUrl { url: shown() };
        let url: Url = url.parse().map_err(|_| bad())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad());
        }
        let http = Client::builder().timeout(REQUEST_TIMEOUT).redirect(Policy::none()).build().map_err(|_| bad())?;
        Ok(Self { http, url })
    }

    /// The hash of the first block.
    pub async fn genesis(&self) -> Result<Hash32, NodeError> {
        let hash = self.hash_at(0).await?;
        hash.ok_or_else(|| odd("chain_getBlockHash", "no block 0"))
    }

    /// What the chain calls itself, for messages.
    pub async fn name(&self) -> Result<String, NodeError> {
        let name: String = self.ask("system_chain", json!([])).await?;
        Ok(name.chars().filter(|c| !c.is_control()).take(64).collect())
    }

    /// The newest block that cannot be undone.
    pub async fn finalized(&self) -> Result<Head, NodeError> {
        let hash: Hash32 = self.ask("chain_getFinalizedHead", json!([])).await?;
        self.head(hash).await?.ok_or_else(|| odd("chain_getHeader", "no header of its own finalized block"))
    }

    /// The header with a hash; none when the node does not know it.
    pub async fn head(&self, hash: Hash32) -> Result<Option<Head>, NodeError> {
        let header: Option<Header> = self.ask("chain_getHeader", json!([hash])).await?;
        let Some(header) = header else { return Ok(None) };
        let number = header.number.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let number = number.ok_or_else(|| odd("chain_getHeader", "a block number that is none"))?;
        Ok(Some(Head { number, hash, parent: header.parent_hash }))
    }

    /// The hash of the block at a height of this node's best chain.
    pub async fn hash_at(&self, number: u64) -> Result<Option<Hash32>, NodeError> {
        self.ask("chain_getBlockHash", json!([number])).await
    }

    /// The extrinsics of a block, as they are encoded; none when the node does not know it.
    pub async fn body(&self, hash: Hash32) -> Result<Option<Vec<Vec<u8>>>, NodeError> {
        let method = "chain_getBlock";
        let found: Option<SignedBlock> = self.ask(method, json!([hash])).await?;
        let Some(found) = found else { return Ok(None) };
        let body: Result<_, _> = found.block.extrinsics.iter().map(|text| bytes_of(method, text)).collect();
        body.map(Some)
    }

    /// Which runtime a block has.
    pub async fn versions(&self, at: Hash32) -> Result<Versions, NodeError> {
        let found: RuntimeVersion = self.ask("state_getRuntimeVersion", json!([at])).await?;
        Ok(Versions { spec: found.spec_version, transaction: found.transaction_version })
    }

    /// The metadata of a block's runtime: version 15, which is what subxt reads best and every spec since 2024 has, and
    /// what the node gives unasked otherwise.
    pub async fn metadata(&self, at: Hash32) -> Result<Vec<u8>, NodeError> {
        let method = "state_call";
        let answer: Result<String, _> =
            self.ask(method, json!(["Metadata_metadata_at_version", "0x0f000000", at])).await;
        // An option (1 byte) of bytes with their compact length.
        if let Ok(text) = answer {
            let bytes = bytes_of(method, &text)?;
            if let Some(metadata) = unwrap_optional(&bytes) {
                return Ok(metadata.to_vec());
            }
        }
        let text: String = self.ask("state_getMetadata", json!([at])).await?;
        bytes_of("state_getMetadata", &text)
    }

    /// What the runtime of a block answers, asked by `Trait_method`. Nothing is changed by it.
    pub async fn ask_runtime(&self, at: Hash32, name: &str, question: &[u8]) -> Result<Vec<u8>, NodeError> {
        let method = "state_call";
        let text: String = self.ask(method, json!([name, hex_of(question), at])).await?;
        bytes_of(method, &text)
    }

    /// Values at a block, in the order of the keys.
    pub async fn storage(&self, at: Hash32, keys: &[Vec<u8>]) -> Result<Vec<Stored>, NodeError> {
        let mut values = Vec::with_capacity(keys.len());
        for some in keys.chunks(KEYS_MAX) {
            values.extend(self.storage_of(at, some).await?);
        }
        Ok(values)
    }

    async fn storage_of(&self, at: Hash32, keys: &[Vec<u8>]) -> Result<Vec<Stored>, NodeError> {
        let method = "state_queryStorageAt";
        let asked: Vec<String> = keys.iter().map(|key| hex_of(key)).collect();
        let sets: Vec<ChangeSet> = self.ask(method, json!([asked, at])).await?;
        let [set] = &sets[..] else { return Err(odd(method, "not exactly one block")) };
        if set.block != at {
            return Err(odd(method, "another block than asked for"));
        }
        let in_order = set.changes.iter().map(|(key, _)| key).eq(&asked);
        if !in_order {
            return Err(odd(method, "other keys than asked for"));
        }
        let values =
            set.changes.iter().map(|(_, value)| value.as_deref().map(|text| bytes_of(method, text)).transpose());
        values.collect()
    }

    /// How often an account has signed, those in the pool counted.
    pub async fn next_nonce(&self, account: crate::ss58::AccountId) -> Result<u64, NodeError> {
        self.ask("system_accountNextIndex", json!([account.to_string()])).await
    }

    /// Sends a signed call.
    pub async fn submit(&self, bytes: &[u8]) -> Result<Submitted, NodeError> {
        match self.ask("author_submitExtrinsic", json!([hex_of(bytes)])).await {
            Ok(hash) => Ok(Submitted::Taken(hash)),
            Err(NodeError::Refused { code: 1013, .. }) => Ok(Submitted::Known),
            Err(NodeError::Refused { code: 1014, .. }) => Ok(Submitted::NonceTaken),
            Err(NodeError::Refused { code: 1010, message, .. }) if message.contains("outdated") => {
                Ok(Submitted::Outdated)
            }
            Err(NodeError::Refused { code: 1010..=1049, message, .. }) => Ok(Submitted::Refused(named(&message))),
            Err(other) => Err(other),
        }
    }

    async fn ask<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> Result<T, NodeError> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        // The URL may hold a key: errors go without it.
        let unreachable = |error: reqwest::Error| NodeError::Unreachable { method, why: said(&error.without_url()) };
        let mut sent = self.http.post(self.url.clone()).json(&body).send().await.map_err(unreachable)?;
        let mut answer = Vec::new();
        while let Some(piece) = sent.chunk().await.map_err(unreachable)? {
            if answer.len() + piece.len() > ANSWER_BYTES_MAX {
                return Err(odd(method, "more bytes than any answer has"));
            }
            answer.extend_from_slice(&piece);
        }
        read(method, &answer)
    }
}

/// Takes a JSON-RPC answer apart.
fn read<T: DeserializeOwned>(method: &'static str, answer: &[u8]) -> Result<T, NodeError> {
    // Straight into what is wanted: as a tree of values an answer takes thirty times its bytes.
    let answer: Answer<T> =
        serde_json::from_slice(answer).map_err(|error| odd(method, &bounded(&error.to_string())))?;
    if let Some(Fault { code, message, data }) = answer.error {
        let data = data.map(|data| data.as_str().map_or_else(|| data.to_string(), str::to_owned));
        let whole = data.map_or_else(|| message.clone(), |data| format!("{message}: {data}"));
        return Err(NodeError::Refused { method, code, message: bounded(&whole) });
    }
    match answer.result {
        Some(result) => Ok(result),
        // `null` is an answer too, where there may be nothing.
        None => serde_json::from_value(Value::Null).map_err(|_| odd(method, "nothing")),
    }
}

/// What Subtensor's pool refuses, by the numbers of `CustomTransactionError` (`pallets/subtensor/src/lib.rs`; number 20
/// was seen at a real node).
const CUSTOM_ERRORS: [(u8, &str); 9] = [
    (1, "the hotkey has too little stake on the subnet"),
    (3, "there is no such subnet"),
    (6, "it is too early: the subnet's rate limit"),
    (10, "the hotkey is not registered on the subnet"),
    (15, "the round of a timelocked commit is none that the chain takes"),
    (16, "there is no commit with this hash"),
    (17, "it is not the epoch for revealing this commit"),
    (18, "uids and values are not of one length"),
    (20, "it is too early: an EVM key is associated at most once in 7,200 blocks"),
];

fn named(message: &str) -> String {
    let number = message.rsplit_once("Custom error: ").and_then(|(_, number)| number.trim().parse::<u8>().ok());
    let known = CUSTOM_ERRORS.iter().find(|(known, _)| Some(*known) == number);
    known.map_or_else(|| message.to_owned(), |(_, words)| format!("{message} ({words})"))
}

fn unwrap_optional(bytes: &[u8]) -> Option<&[u8]> {
    use subxt::ext::codec::{Compact, Decode};
    let mut rest = bytes.strip_prefix(&[1])?;
    let length = Compact::<u32>::decode(&mut rest).ok()?.0;
    (u32::try_from(rest.len()) == Ok(length)).then_some(rest)
}

fn hex_of(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn bytes_of(method: &'static str, text: &str) -> Result<Vec<u8>, NodeError> {
    let digits = text.strip_prefix("0x").ok_or_else(|| odd(method, "bytes without 0x"))?;
    hex::decode(digits).map_err(|_| odd(method, "bytes that are no hex"))
}

fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    bounded(&text)
}

fn bounded(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MESSAGE_MAX).collect()
}

fn odd(method: &'static str, what: &str) -> NodeError {
    NodeError::Odd { method, what: what.to_owned() }
}

#[derive(serde::Deserialize)]
struct Answer<T> {
    result: Option<T>,
    error: Option<Fault>,
}

#[derive(serde::Deserialize)]
struct Fault {
    code: i64,
    message: String,
    data: Option<Value>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    parent_hash: Hash32,
    number: String,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuntimeVersion {
    spec_version: u32,
    transaction_version: u32,
}

#[derive(serde::Deserialize)]
struct SignedBlock {
    block: Block,
}

#[derive(serde::Deserialize)]
struct Block {
    extrinsics: Vec<String>,
}

#[derive(serde::Deserialize)]
struct ChangeSet {
    block: Hash32,
    changes: Vec<(String, Option<String>)>,
}
