//! Several nodes, of which a majority is believed: on which block is final, and on every byte that is read there.

use crate::needed::{Api, ETHEREUM_HASH, EVM_CHAIN_ID, Item, NOW};
use crate::node::{Head, Node, NodeError, Stored, Submitted};
use crate::runtime::{CodecError, Part, Runtime, Versions};
use crate::ss58::AccountId;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;
use subxt::dynamic::Value;
use subxt::ext::scale_decode::DecodeAsType;
use surety_core::types::Hash32;
use tokio::time::timeout;

/// Most endpoints.
pub const NODES_MAX: usize = 16;

/// How long a majority waits for the others, where it is not their words but their highest that counts.
const GRACE: Duration = Duration::from_secs(1);

/// Why nothing is read or sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodesError {
    /// None, or too many.
    #[error("{found} Substrate endpoints: want 1 to {NODES_MAX}")]
    Count {
        /// How many were given.
        found: usize,
    },
    /// Too few say the same.
    #[error("no {need} Substrate endpoints agree on {what}{}", .last.as_ref().map(|e| format!("; the last one: {e}")).unwrap_or_default())]
    NoMajority {
        /// On what.
        what: String,
        /// How many would have to.
        need: usize,
        /// What the last one that did not answer said.
        last: Option<NodeError>,
    },
    /// What they say cannot be read by their own metadata.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// It is not the chain that the contracts are on.
    #[error("{0}")]
    OtherChain(String),
}

/// Several nodes.
#[derive(Debug, Clone)]
pub struct Nodes {
    nodes: Vec<Node>,
}

/// What a signed call met: how many took it, and what the others said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// Nodes that took it or have it.
    pub taken: usize,
    /// Nodes that did not answer, or not in time: they may have it.
    pub silent: usize,
    /// What the others said, each once.
    pub refusals: Vec<String>,
    /// Whether some said that the nonce is used or the call too old.
    pub outdated: bool,
}

impl Nodes {
    /// A majority of these.
    pub fn new(nodes: Vec<Node>) -> Result<Self, NodesError> {
        match nodes.len() {
            1..=NODES_MAX => Ok(Self { nodes }),
            found => Err(NodesError::Count { found }),
        }
    }

    /// How many make a majority.
    pub fn need(&self) -> usize {
        self.nodes.len() / 2 + 1
    }

    /// The hash of the first block.
    pub async fn genesis(&self) -> Result<Hash32, NodesError> {
        self.agree("the first block", |node| async move { node.genesis().await }).await
    }

    /// The highest block that a majority calls final.
    pub async fn finalized(&self) -> Result<Head, NodesError> {
        let answers = self.all(|node| async move { node.finalized().await }).await;
        let mut numbers: Vec<u64> = answers.iter().flatten().map(|head| head.number).collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        let Some(number) = numbers.get(self.need() - 1) else {
            return Err(self.no_majority("a final block".into(), &answers));
        };
        let hash = self.hash_at(*number).await?;
        self.head(hash).await
    }

    /// The hash of a block that is final. What is above the newest one may change.
    pub async fn hash_at(&self, number: u64) -> Result<Hash32, NodesError> {
        let what = format!("block {number}");
        let found = self.agree(&what, |node| async move { node.hash_at(number).await }).await?;
        found.ok_or(NodesError::NoMajority { what, need: self.need(), last: None })
    }

    /// A block by its hash.
    pub async fn head(&self, hash: Hash32) -> Result<Head, NodesError> {
        let what = format!("the header of {hash}");
        let found = self.agree(&what, |node| async move { node.head(hash).await }).await?;
        found.ok_or(NodesError::NoMajority { what, need: self.need(), last: None })
    }

    /// The extrinsics of a block, as they are encoded.
    pub async fn body(&self, hash: Hash32) -> Result<Vec<Vec<u8>>, NodesError> {
        let what = format!("what is in block {hash}");
        let found = self.agree(&what, |node| async move { node.body(hash).await }).await?;
        found.ok_or(NodesError::NoMajority { what, need: self.need(), last: None })
    }

    /// Which runtime a block has.
    pub async fn versions(&self, at: Hash32) -> Result<Versions, NodesError> {
        let found = self.agree("the runtime", |node| async move {
            let Versions { spec, transaction } = node.versions(at).await?;
            Ok((spec, transaction))
        });
        let (spec, transaction) = found.await?;
        Ok(Versions { spec, transaction })
    }

    /// The runtime of a block.
    pub async fn runtime(&self, genesis: Hash32, at: Hash32) -> Result<Runtime, NodesError> {
        let versions = self.versions(at).await?;
        let metadata = self.agree("the runtime's metadata", |node| async move { node.metadata(at).await }).await?;
        Ok(Runtime::new(genesis, versions, &metadata)?)
    }

    /// Raw values at a block, in the order of the keys.
    pub async fn storage(&self, at: Hash32, keys: &[Vec<u8>]) -> Result<Vec<Stored>, NodesError> {
        self.agree("what is stored", |node| async move { node.storage(at, keys).await }).await
    }

    /// One value at a block.
    pub async fn value<T: DecodeAsType>(
        &self,
        runtime: &Runtime,
        at: Hash32,
        item: &Item,
        parts: &[Part],
    ) -> Result<Option<T>, NodesError> {
        let stored = self.storage(at, &[runtime.key(item, parts)?]).await?;
        Ok(runtime.value(item, stored.first().and_then(Option::as_deref))?)
    }

    /// What the runtime of a block answers to a question with these arguments, in at most so many bytes.
    pub async fn question<T: DecodeAsType>(
        &self,
        runtime: &Runtime,
        at: Hash32,
        api: &'static Api,
        args: Vec<Value>,
        bytes_max: usize,
    ) -> Result<T, NodesError> {
        self.asked(runtime, at, api, &runtime.question(api, args)?, bytes_max).await
    }

    /// The same, with the arguments as they are encoded.
    pub async fn asked<T: DecodeAsType>(
        &self,
        runtime: &Runtime,
        at: Hash32,
        api: &'static Api,
        question: &[u8],
        bytes_max: usize,
    ) -> Result<T, NodesError> {
        let name = format!("{}_{}", api.name, api.method);
        let name = name.as_str();
        let answer = self.agree(name, |node| async move { node.ask_runtime(at, name, question).await }).await?;
        if answer.len() > bytes_max {
            let why = format!("{} bytes, want at most {bytes_max}", answer.len());
            return Err(CodecError::Value { item: api.method, why }.into());
        }
        Ok(runtime.answer(api, &answer)?)
    }

    /// The nonce for an account's next call: the highest that a majority has reached, so that neither a node that lags
    /// nor one that lies names it.
    pub async fn next_nonce(&self, account: AccountId) -> Result<u64, NodesError> {
        let answers = self.all(|node| async move { node.next_nonce(account).await }).await;
        let mut nonces: Vec<u64> = answers.iter().flatten().copied().collect();
        nonces.sort_unstable_by(|a, b| b.cmp(a));
        match nonces.get(self.need() - 1) {
            Some(nonce) => Ok(*nonce),
            None => Err(self.no_majority("the next nonce".into(), &answers)),
        }
    }

    /// Sends a signed call to all of them.
    pub async fn submit(&self, bytes: &[u8]) -> Sent {
        let answers = self.all(|node| async move { node.submit(bytes).await }).await;
        let mut sent = Sent { silent: self.nodes.len().saturating_sub(answers.len()), ..Sent::default() };
        for answer in answers {
            match answer {
                Ok(Submitted::Taken(_) | Submitted::Known) => sent.taken += 1,
                Ok(Submitted::Outdated) => sent.outdated = true,
                Ok(Submitted::NonceTaken) => sent.refuse("another call of this nonce is in the pool".into()),
                Ok(Submitted::Refused(why)) => sent.refuse(why),
                Err(error) => {
                    // It may have taken the call, and its answer be lost.
                    sent.silent += 1;
                    sent.refuse(error.to_string());
                }
            }
        }
        sent
    }

    /// That these are nodes of the chain that an EVM endpoint serves: the same chain id, and the same time and
    /// Ethereum parent of one block.
    pub async fn is_chain_of(&self, runtime: &Runtime, at: Head, evm: &EvmBlock) -> Result<(), NodesError> {
        let id: Option<u64> = self.value(runtime, at.hash, &EVM_CHAIN_ID, &[]).await?;
        if id != Some(evm.chain_id) {
            let found = id.map_or("none".to_owned(), |id| id.to_string());
            return Err(NodesError::OtherChain(format!(
                "the Substrate endpoints are of the chain with EVM id {found}, the contracts are on {}",
                evm.chain_id
            )));
        }
        let now_ms: Option<u64> = self.value(runtime, at.hash, &NOW, &[]).await?;
        if now_ms.map(|ms| ms / 1_000) != Some(evm.timestamp_secs) {
            return Err(other_block(at.number, "time"));
        }
        // The hash of the block before: whether a block stores its own is the runtime's affair.
        let before = Part::Wide(at.number.saturating_sub(1));
        let hash: Option<[u8; 32]> = self.value(runtime, at.hash, &ETHEREUM_HASH, &[before]).await?;
        match hash.map(Hash32) {
            Some(found) if found == evm.parent => Ok(()),
            _ => Err(other_block(at.number, "parent")),
        }
    }

    async fn all<T, F: Future<Output = Result<T, NodeError>>>(
        &self,
        ask: impl Fn(Node) -> F,
    ) -> Vec<Result<T, NodeError>> {
        let mut asked: FuturesUnordered<F> = self.nodes.iter().cloned().map(ask).collect();
        let mut answers = Vec::new();
        while let Some(answer) = asked.next().await {
            answers.push(answer);
            if answers.iter().filter(|answer| answer.is_ok()).count() >= self.need() {
                break;
            }
        }
        // The majority does not wait long for the rest.
        let rest = async {
            while let Some(answer) = asked.next().await {
                answers.push(answer);
            }
        };
        let _ = timeout(GRACE, rest).await;
        answers
    }
}

fn other_block(number: u64, what: &str) -> NodesError {
    NodesError::OtherChain(format!(
        "block {number} has another {what} at the Substrate endpoints than at the EVM endpoints: they are of two chains"
    ))
}

/// A block as an EVM endpoint shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvmBlock {
    /// `eth_chainId`.
    pub chain_id: u64,
    /// Ethereum's hash of the block before.
    pub parent: Hash32,
    /// Its time, Unix seconds.
    pub timestamp_secs: u64,
}

impl Sent {
    fn refuse(&mut self, why: String) {
        if !self.refusals.contains(&why) {
            self.refusals.push(why);
        }
    }
}

impl Nodes {
    /// What a majority says alike.
    async fn agree<T: Ord + Clone, F: Future<Output = Result<T, NodeError>>>(
        &self,
        what: &str,
        ask: impl Fn(Node) -> F,
    ) -> Result<T, NodesError> {
        let mut asked: FuturesUnordered<F> = self.nodes.iter().cloned().map(ask).collect();
        let (mut votes, mut silent) = (BTreeMap::<T, usize>::new(), Vec::new());
        while let Some(answer) = asked.next().await {
            let said = match answer {
                Ok(said) => said,
                Err(error) => {
                    silent.push(Err::<T, _>(error));
                    continue;
                }
            };
            let count = votes.entry(said.clone()).or_default();
            *count += 1;
            if *count >= self.need() {
                return Ok(said);
            }
        }
        Err(self.no_majority(what.to_owned(), &silent))
    }

    fn no_majority<T>(&self, what: String, answers: &[Result<T, NodeError>]) -> NodesError {
        let last = answers.iter().filter_map(|answer| answer.as_ref().err()).next_back().cloned();
        NodesError::NoMajority { what, need: self.need(), last }
    }
}
