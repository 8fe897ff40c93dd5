//! Many requests of one method in few round trips: JSON-RPC batches of a bounded size, a few at once.

use super::{Node, NodeError, refused};
use alloy::primitives::{Address, Bytes};
use alloy::providers::Provider;
use alloy::rpc::client::BatchRequest;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Most requests in one batch. Public endpoints refuse large ones; those that refuse these get smaller ones.
pub const BATCH_MAX: usize = 50;

/// Batches under way at once.
const BATCHES_AT_ONCE: usize = 4;

/// One answer for each request, in order.
pub type Each<T> = Vec<Result<T, NodeError>>;

impl Node {
    /// `eth_call`s at one block, in order.
    ///
    /// # Errors
    /// The node did not answer a batch at all. What it answered to a single call is that call's own.
    pub async fn call_each(&self, calls: Vec<(Address, Bytes)>, block: u64) -> Result<Each<Bytes>, NodeError> {
        let params = |(to, input): (Address, Bytes)| json!([{ "to": to, "input": input }, format!("{block:#x}")]);
        let all: Vec<Value> = calls.into_iter().map(params).collect();
        let chunks: Vec<Vec<Value>> = all.chunks(BATCH_MAX).map(<[Value]>::to_vec).collect();
        let answers = stream::iter(chunks.into_iter().map(|chunk| self.batch("eth_call", chunk)));
        let answers: Vec<Each<Bytes>> = answers.buffered(BATCHES_AT_ONCE).try_collect().await?;
        Ok(answers.into_iter().flatten().collect())
    }

    /// One batch; halved as long as the node refuses it as a whole.
    async fn batch(&self, method: &'static str, all: Vec<Value>) -> Result<Each<Bytes>, NodeError> {
        let mut answers = Vec::with_capacity(all.len());
        let mut parts = VecDeque::from([all.as_slice()]);
        while let Some(part) = parts.pop_front() {
            match self.batch_once(method, part).await? {
                Some(answered) => answers.extend(answered),
                None => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.push_front(second);
                    parts.push_front(first);
                }
            }
        }
        Ok(answers)
    }

    /// `None` when the node refuses a batch of this size.
    async fn batch_once(&self, method: &'static str, part: &[Value]) -> Result<Option<Each<Bytes>>, NodeError> {
        if let [params] = part {
            let one = self.ask(method, self.provider.client().request::<_, Bytes>(method, params.clone())).await;
            return match one {
                Err(error) if !error.is_an_answer() => Err(error),
                one => Ok(Some(vec![one])),
            };
        }
        let mut batch = BatchRequest::new(self.provider.client());
        let mut waiting = Vec::with_capacity(part.len());
        for params in part {
            let odd = |error: alloy::transports::TransportError| refused(method, error);
            waiting.push(batch.add_call::<_, Bytes>(method, params).map_err(odd)?);
        }
        self.ask(method, batch.send()).await?;
        let mut answers = Vec::with_capacity(part.len());
        let mut unanswered = 0;
        for waiter in waiting {
            let answer = waiter.await.map_err(|error| refused(method, error));
            unanswered += usize::from(answer.as_ref().is_err_and(|error| !error.is_an_answer()));
            answers.push(answer);
        }
        if unanswered == part.len() {
            return Ok(None);
        }
        match answers.iter().position(|answer| answer.as_ref().is_err_and(|error| !error.is_an_answer())) {
            Some(missing) => answers.swap_remove(missing).map(|_| None),
            None => Ok(Some(answers)),
        }
    }
}

impl NodeError {
    /// Whether the node answered this request, if only to refuse it.
    fn is_an_answer(&self) -> bool {
        match self {
            Self::Refused { code, .. } => *code != 0,
            Self::Odd { .. } => true,
            Self::TimedOut { .. } | Self::BadUrl { .. } => false,
        }
    }
}
