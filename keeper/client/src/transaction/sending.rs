//! Sends signed bytes until they are in a block: the same bytes again and again, never others.

use super::{SignedTx, TxError, simulate};
use crate::provider::{Node, NodeError, Tag};
use std::time::{Duration, Instant};

/// Longest wait for a block that has the transaction: fifteen blocks of Subtensor's.
pub const WAIT_LIMIT: Duration = Duration::from_secs(180);

/// Between two looks for the receipt.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// The bytes are sent again after this long without a block.
const SEND_AGAIN_AFTER: Duration = Duration::from_secs(15);

/// A nonce that is used while nobody has our transaction says that others took it; receipts may lag by some seconds.
const OVERTAKEN_AFTER: Duration = Duration::from_secs(20);

/// A transaction in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Landed {
    /// The block.
    pub block: u64,
    /// Gas that was paid for.
    pub gas_used: u64,
}

/// How far it is, for whoever waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The bytes are out.
    Sent,
    /// The same bytes are sent once more.
    SentAgain,
}

/// What one look shows.
enum Look {
    Landed(Landed),
    Failed(u64),
    NotYet { nonce_used: bool },
}

/// Sends signed bytes and waits, [`WAIT_LIMIT`] at most, until they are in a block of the chain as the node sees it.
///
/// # Errors
/// The node takes the bytes in no form; they failed in their block; another transaction took the nonce; or they are in
/// no block in time, and may still get there.
pub async fn send(node: &Node, signed: &SignedTx, tell: &mut dyn FnMut(Progress)) -> Result<Landed, TxError> {
    let began = Instant::now();
    let mut last = match node.send_raw(&signed.raw).await {
        Ok(_) => "the node took it".to_owned(),
        Err(error) if is_final(&error) => return Err(TxError::RefusedByChain(error.to_string())),
        Err(error) => error.to_string(),
    };
    tell(Progress::Sent);
    let mut sent_at = Instant::now();
    let mut used_since: Option<Instant> = None;
    while began.elapsed() < WAIT_LIMIT {
        match look(node, signed).await {
            Ok(Look::Landed(landed)) => return Ok(landed),
            Ok(Look::Failed(block)) => return Err(failed(node, signed, block).await),
            Ok(Look::NotYet { nonce_used: true }) => {
                if used_since.get_or_insert_with(Instant::now).elapsed() > OVERTAKEN_AFTER {
                    return Err(TxError::Overtaken { hash: signed.hash, nonce: signed.prepared.nonce });
                }
            }
            Ok(Look::NotYet { nonce_used: false }) => used_since = None,
            Err(error) => last = error.to_string(),
        }
        if used_since.is_none() && sent_at.elapsed() > SEND_AGAIN_AFTER {
            tell(Progress::SentAgain);
            if let Err(error) = node.send_raw(&signed.raw).await {
                last = error.to_string();
            }
            sent_at = Instant::now();
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let (hash, nonce, waited_secs) = (signed.hash, signed.prepared.nonce, began.elapsed().as_secs());
    Err(TxError::NotYet { hash, nonce, waited_secs, last })
}

async fn look(node: &Node, signed: &SignedTx) -> Result<Look, NodeError> {
    let receipt = node.receipt(signed.hash).await?.filter(|receipt| receipt.transaction_hash.0 == signed.hash.0);
    if let Some(receipt) = receipt
        && let (Some(number), Some(hash)) = (receipt.block_number, receipt.block_hash)
    {
        let header = node.header(Tag::Number(number.to())).await?;
        if header.is_some_and(|header| header.hash == Some(hash)) {
            let block = number.to();
            return Ok(match receipt.succeeded() {
                true => Look::Landed(Landed { block, gas_used: receipt.gas_used.to() }),
                false => Look::Failed(block),
            });
        }
    }
    let nonce_used = node.nonce(signed.prepared.from, Tag::Latest).await? > signed.prepared.nonce;
    Ok(Look::NotYet { nonce_used: nonce_used && node.place(signed.hash).await?.is_none() })
}

/// Why it failed, as far as asking again tells.
async fn failed(node: &Node, signed: &SignedTx, block: u64) -> TxError {
    let again = simulate(node, signed.prepared.from, &signed.prepared.order).await;
    let why = again.err().map_or_else(|| "asked again, the contract would take it now".into(), |e| e.to_string());
    TxError::Failed { hash: signed.hash, block, why }
}

/// Whether the node's refusal of bytes that were never out before is the end of it. Texts as Subtensor's node and anvil
/// say them. Bytes that are known already are out, and a nonce that is too low may be their own.
fn is_final(error: &NodeError) -> bool {
    let NodeError::Refused { code, message, .. } = error else { return false };
    let message = message.to_lowercase();
    let says = |text: &str| message.contains(text);
    let on_their_way = says("already known") || says("already imported") || says("nonce");
    *code != 0
        && !on_their_way
        && ["insufficient", "base fee", "gas limit", "gas too low", "invalid", "underpriced"].into_iter().any(says)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: i64, message: &str) -> NodeError {
        NodeError::Refused { method: "eth_sendRawTransaction", code, message: message.into(), data: None }
    }

    #[test]
    fn bytes_that_may_be_out_are_waited_for_and_not_given_up() {
        for message in ["already known", "transaction already imported", "nonce too low", "something new"] {
            assert!(!is_final(&refused(-32_000, message)), "{message}");
        }
        assert!(!is_final(&refused(0, "insufficient funds")), "a transport's trouble is no answer");
        assert!(!is_final(&NodeError::TimedOut { method: "eth_sendRawTransaction" }));
        for message in ["insufficient funds for gas * price + value", "gas price less than block base fee"] {
            assert!(is_final(&refused(-32_000, message)), "{message}");
        }
    }
}
