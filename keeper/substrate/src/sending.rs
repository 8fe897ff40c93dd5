//! A signed call on its way: sent to all nodes, looked for in final blocks, and what came of it read from the events of
//! the block that has it. Nothing else than a final block says that something was done.

use crate::dispatch::RawDispatch;
use crate::events;
use crate::needed::{CONTRACT_EMITTED, EVENTS, FAILED, SUCCESS};
use crate::node::Head;
use crate::nodes::{Nodes, NodesError};
use crate::runtime::{CodecError, MORTAL_BLOCKS, Runtime, Signed};
use crate::ss58::AccountId;
use std::time::Duration;
use subxt::events::Phase;
use subxt::ext::scale_decode::DecodeAsType;
use surety_core::types::Hash32;
use tokio::time::{Instant, sleep};

/// Between two looks for a new final block: a quarter of a block's time.
pub const LOOK_EVERY: Duration = Duration::from_secs(3);

/// Longest that a call is waited for: the 64 blocks of its life (12 minutes 48 seconds) and five minutes for them to
/// become final.
pub const WAIT_MAX: Duration = Duration::from_secs(18 * 60);

/// Longest that is waited for an answer to a question that failed: what fails for longer ends the waiting.
const FAILS_MAX: u32 = 20;

/// Why it is not known that a call was carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Every node refused it: it is nowhere.
    #[error("no node took the call, nothing was sent: {why}")]
    NotTaken {
        /// What they said.
        why: String,
    },
    /// Its blocks are over and none has it: it never will be in one.
    #[error(
        "the call {hash} came into no block up to {last_block}, and none after that can have it: nothing was changed. \
         Try again"
    )]
    Lapsed {
        /// Which.
        hash: Hash32,
        /// The last block that could have had it.
        last_block: u64,
    },
    /// It was not found in time; it may be in a block yet.
    #[error(
        "it is not known what became of the call {hash}: {why}. Do not send it again before block {last_block} is \
         final: it may still be carried out until then. surety alpha status shows what stands"
    )]
    Unknown {
        /// Which.
        hash: Hash32,
        /// Why it is not known.
        why: String,
        /// The last block that can have it.
        last_block: u64,
    },
}

/// A call in a final block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The block.
    pub block: Head,
    /// Its hash.
    pub hash: Hash32,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out; what contracts said, in order.
    Done(Vec<Emitted>),
    /// It changed nothing but the fee: the chain's name for why.
    Failed(String),
}

/// What a contract said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitted {
    /// Which contract.
    pub contract: AccountId,
    /// Its topics, the first of which names the event.
    pub topics: Vec<Hash32>,
    /// The event.
    pub data: Vec<u8>,
}

/// Sends a call that was signed at `born`, and waits until it is in a final block or can be in none any more.
pub async fn send(
    nodes: &Nodes,
    runtime: &Runtime,
    genesis: Hash32,
    born: Head,
    signed: &Signed,
) -> Result<Receipt, SendError> {
    let sent = nodes.submit(&signed.bytes).await;
    // Whoever did not answer may have taken it: only when all refuse is it known to be nowhere.
    if sent.taken == 0 && sent.silent == 0 {
        let mut why = sent.refusals;
        if sent.outdated {
            why.push("its nonce is used: another call of this account came first, try again".into());
        }
        return Err(SendError::NotTaken { why: why.join("; ") });
    }
    let mut search = Search { nodes, runtime, genesis, signed, next: born.number.saturating_add(1) };
    search.run(born.number.saturating_add(MORTAL_BLOCKS - 1)).await
}

/// `System.ExtrinsicFailed`, without what else it says.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct RawFailed {
    dispatch_error: RawDispatch,
}

/// Looks through final blocks, one after another.
struct Search<'a> {
    nodes: &'a Nodes,
    runtime: &'a Runtime,
    genesis: Hash32,
    signed: &'a Signed,
    next: u64,
}

impl Search<'_> {
    async fn run(&mut self, last_block: u64) -> Result<Receipt, SendError> {
        let (hash, until, mut fails) = (self.signed.hash, Instant::now() + WAIT_MAX, 0);
        loop {
            let why = match self.look(last_block).await {
                Ok(Some(receipt)) => return Ok(receipt),
                Ok(None) if self.next > last_block => return Err(SendError::Lapsed { hash, last_block }),
                Ok(None) => {
                    fails = 0;
                    format!("it was in no final block within {} minutes", WAIT_MAX.as_secs() / 60)
                }
                Err(error) => {
                    fails += 1;
                    error.to_string()
                }
            };
            if fails >= FAILS_MAX || Instant::now() >= until {
                return Err(SendError::Unknown { hash, why, last_block });
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Through the blocks that are final by now.
    async fn look(&mut self, last_block: u64) -> Result<Option<Receipt>, NodesError> {
        let top = self.nodes.finalized().await?;
        while self.next <= top.number.min(last_block) {
            let hash = self.nodes.hash_at(self.next).await?;
            let body = self.nodes.body(hash).await?;
            if let Some(index) = body.iter().position(|bytes| *bytes == self.signed.bytes) {
                let block = self.nodes.head(hash).await?;
                let outcome = self.outcome(block, index).await?;
                return Ok(Some(Receipt { block, hash: self.signed.hash, outcome }));
            }
            self.next = self.next.saturating_add(1);
        }
        Ok(None)
    }

    async fn outcome(&self, block: Head, index: usize) -> Result<Outcome, NodesError> {
        // A block runs under the code that its parent left. An upgrade since the call was signed is another runtime.
        let spec = self.nodes.versions(block.parent).await?.spec;
        let upgraded = match spec == self.runtime.spec_version() {
            true => None,
            false => Some(self.nodes.runtime(self.genesis, block.parent).await?),
        };
        let runtime = upgraded.as_ref().unwrap_or(self.runtime);
        let stored = self.nodes.storage(block.hash, &[runtime.key(&EVENTS, &[])?]).await?;
        Ok(outcome(runtime, stored.into_iter().next().flatten().unwrap_or_default(), index)?)
    }
}

/// What the events of a block say of its `index`th extrinsic.
fn outcome(runtime: &Runtime, bytes: Vec<u8>, index: usize) -> Result<Outcome, CodecError> {
    let all = events::all(runtime, bytes)?;
    let mut emitted = Vec::new();
    for event in all.iter() {
        let event = event.map_err(|error| events::fault(&error.to_string()))?;
        let Phase::ApplyExtrinsic(at) = event.phase() else { continue };
        if usize::try_from(at) != Ok(index) {
            continue;
        }
        if events::is(&event, &SUCCESS) {
            return Ok(Outcome::Done(emitted));
        }
        if events::is(&event, &FAILED) {
            let RawFailed { dispatch_error } = events::fields(&event)?;
            return Ok(Outcome::Failed(dispatch_error.name(runtime)));
        }
        if events::is(&event, &CONTRACT_EMITTED) {
            let (contract, data) = events::fields(&event)?;
            let topics = event.topics().iter().map(|topic| Hash32(topic.0)).collect();
            emitted.push(Emitted { contract: AccountId(contract), topics, data });
        }
    }
    Err(events::fault("the block does not say what became of the call"))
}
