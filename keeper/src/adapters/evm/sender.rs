//! Signs and sends transactions, and reads what a lane's decision needs. Nonces and bytes are the caller's: nothing
//! here chooses or repeats anything. Bytes go to every endpoint of ours; what is read is what a majority says.

use super::endpoints::{Endpoints, Member, alike, at_least};
use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, TxKind, U256};
use alloy::rpc::types::TransactionRequest;
use alloy::signers::SignerSync;
use surety_client::bindings::CollateralVault;
use surety_client::block::{FullBlock, Sent};
use surety_client::digest::TimeTooFar;
use surety_client::intent::{self, Call};
use surety_client::keys::Key;
use surety_client::provider::{NodeError, Tag};
use surety_client::reader::not_viewed;
use surety_core::effect::Intent;
use surety_core::evidence::Contracts;
use surety_core::outbox::{Answer, Receipt};
use surety_core::types::{Account, Hash32, Rao};

/// Most gas one of our transactions may ask for; the chain takes at most 64,998,310.
const GAS_LIMIT_MAX: u64 = 15_000_000;

/// Gas of a call that is known to revert; a file with five signers, the dearest call, takes some 240,000 (SPEC 15).
const REVERTING_GAS_LIMIT: u64 = 500_000;

/// The fee cap is this many times the node's gas price. Only the base fee is ever charged on Subtensor.
const FEE_FACTOR: u128 = 3;

/// Why a transaction could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// Too few endpoints answered, or they contradict each other.
    #[error("no majority of RPC endpoints answers {0}")]
    NoMajority(&'static str),
    /// The contract refuses it now, by the name of its error.
    #[error("the contract refuses it: {0}")]
    Reverts(String),
    /// It does not fit the contract's types.
    #[error(transparent)]
    Encode(#[from] TimeTooFar),
    /// The key did not sign.
    #[error("signing failed: {0}")]
    Sign(String),
}

/// One account on one chain.
#[derive(Debug, Clone)]
pub struct Sender {
    endpoints: Endpoints,
    key: Key,
    chain_id: u64,
    contracts: Contracts,
}

/// Signed bytes.
#[derive(Debug, Clone)]
pub struct SignedTx {
    /// Hex with 0x.
    pub raw: String,
    /// Hash.
    pub hash: Hash32,
    /// `maxFeePerGas`, wei.
    pub max_fee_wei: u64,
}

impl Sender {
    /// Sends as `key` through `endpoints`.
    pub fn new(endpoints: Endpoints, key: Key, chain_id: u64, contracts: Contracts) -> Self {
        Self { endpoints, key, chain_id, contracts }
    }

    /// Signs an intent at `nonce`, with at least `min_fee_wei` as fee cap. Asks the node for gas first, so that what
    /// the contract refuses is never sent.
    pub async fn sign(&self, intent: &Intent, nonce: u64, min_fee_wei: u64) -> Result<SignedTx, SendError> {
        self.sign_call(intent::encode(intent, &self.contracts)?, nonce, min_fee_wei).await
    }

    /// The same for a call that is no intent of a keeper's.
    pub async fn sign_call(&self, call: Call, nonce: u64, min_fee_wei: u64) -> Result<SignedTx, SendError> {
        let gas_limit = self.gas_limit(&call).await?;
        self.signed(call, gas_limit, nonce, min_fee_wei).await
    }

    /// The same where earlier bytes may be out: only another transaction at their nonce makes sure that they never come
    /// back. So what the contract refuses by now is signed too, and reverts.
    pub async fn sign_again(&self, intent: &Intent, nonce: u64, min_fee_wei: u64) -> Result<SignedTx, SendError> {
        let call = intent::encode(intent, &self.contracts)?;
        let gas_limit = match self.gas_limit(&call).await {
            Err(SendError::Reverts(_)) => REVERTING_GAS_LIMIT,
            other => other?,
        };
        self.signed(call, gas_limit, nonce, min_fee_wei).await
    }

    async fn signed(&self, call: Call, gas_limit: u64, nonce: u64, min_fee_wei: u64) -> Result<SignedTx, SendError> {
        let price = self.at_least("eth_gasPrice", |member| member.node().gas_price_wei()).await?;
        let max_fee = price.saturating_mul(FEE_FACTOR).max(u128::from(min_fee_wei));
        let tx = TxEip1559 {
            chain_id: self.chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas: max_fee,
            max_priority_fee_per_gas: 0,
            to: TxKind::Call(call.to),
            input: call.data,
            ..Default::default()
        };
        let signature =
            self.key.signer().sign_hash_sync(&tx.signature_hash()).map_err(|e| SendError::Sign(e.to_string()))?;
        let envelope = TxEnvelope::from(tx.into_signed(signature));
        let hash = Hash32(envelope.tx_hash().0);
        let raw = format!("0x{}", hex::encode(envelope.encoded_2718()));
        Ok(SignedTx { raw, hash, max_fee_wei: u64::try_from(max_fee).unwrap_or(u64::MAX) })
    }

    /// Gas by a majority's estimate; refused only when a majority says that the contract does.
    async fn gas_limit(&self, call: &Call) -> Result<u64, SendError> {
        let from = Address::from(self.key.account().0);
        let request = || TransactionRequest::default().from(from).to(call.to).input(call.data.clone().into());
        let estimate = async |member: &Member| match member.node().estimate_gas(request()).await {
            Err(NodeError::Refused { data: Some(data), message, .. }) => {
                Ok(Err(intent::revert_name(&data).unwrap_or(message)))
            }
            other => other.map(Ok),
        };
        let said = self.endpoints.all(estimate).await;
        let (answers, failed) = sorted(said);
        let (gas, reverts): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        let reverts: Vec<String> = reverts.into_iter().filter_map(Result::err).collect();
        if reverts.len() >= self.endpoints.need() {
            return Err(SendError::Reverts(reverts.into_iter().next().unwrap_or_default()));
        }
        let gas = at_least(gas.into_iter().flatten().collect(), self.endpoints.need());
        let gas: u64 = gas.ok_or_else(|| failed.map_or(SendError::NoMajority("eth_estimateGas"), SendError::Node))?;
        Ok(gas.saturating_add(gas / 4).min(GAS_LIMIT_MAX))
    }

    /// Sends stored bytes to every endpoint and sorts the answers. Only the messages tell refusals apart; a refusal
    /// counts only when a majority refuses, and what one has taken is on its way.
    pub async fn broadcast(&self, raw: &str) -> Answer {
        let Ok(bytes) = hex::decode(raw.trim_start_matches("0x")) else { return Answer::Refused };
        let send = async |member: &Member| {
            Ok(match member.node().send_raw(&bytes).await {
                Ok(_) => Answer::Accepted,
                Err(NodeError::Refused { message, code, .. }) if code != 0 => classify(&message),
                Err(_) => Answer::Lost,
            })
        };
        let (answers, _) = sorted(self.endpoints.everywhere(send).await);
        together(&answers, self.endpoints.need())
    }

    /// Our count of transactions: what a majority says at a height, or at least says at the newest block.
    pub async fn nonce(&self, tag: Tag) -> Result<u64, SendError> {
        let account = self.key.account();
        self.at_least("eth_getTransactionCount", |member| member.node().nonce(account, tag)).await
    }

    /// Our count of transactions with the pool's.
    pub async fn pending_nonce(&self) -> Result<u64, SendError> {
        let account = self.key.account();
        self.at_least("eth_getTransactionCount", |member| member.node().pending_nonce(account)).await
    }

    /// The receipt under `hash`, if a majority has it in the block that it has at that height. A node that has pruned
    /// the state has no receipts, but still says where a transaction is: that counts as a receipt, and the contract's
    /// state says whether it succeeded.
    pub async fn receipt(&self, hash: Hash32) -> Result<Option<Receipt>, SendError> {
        let account = self.key.account();
        let (receipts, failed) = sorted(self.endpoints.all(|member| receipt_by(member, hash)).await);
        self.enough(receipts.len(), failed, "eth_getTransactionReceipt")?;
        if let Some(Some(receipt)) = alike(&receipts, self.endpoints.need()) {
            return Ok(Some(*receipt));
        }
        let (pruned, _) = sorted(self.endpoints.all(|member| pruned_receipt_by(member, hash, account)).await);
        let by_either: Vec<_> = receipts.into_iter().chain(pruned).flatten().collect();
        let blocks: Vec<u64> = by_either.iter().map(|receipt| receipt.block).collect();
        let block = alike(&blocks, self.endpoints.need());
        Ok(block.and_then(|block| by_either.iter().find(|receipt| receipt.block == *block)).copied())
    }

    /// Whether the balance pays for the dearest transaction at this fee cap.
    pub async fn funded(&self, max_fee_wei: u64) -> Result<bool, SendError> {
        let account = self.key.account();
        let balance = self.at_least("eth_getBalance", |member| member.node().balance_wei(account)).await?;
        Ok(balance >= U256::from(max_fee_wei) * U256::from(1_000_000u64))
    }

    /// What waits to be burned in the vault, at `block`.
    pub async fn burn_credit_rao(&self, block: u64) -> Result<Rao, SendError> {
        let ask = async |member: &Member| {
            let provider = member.node().provider().clone();
            let vault = CollateralVault::new(Address::from(self.contracts.vault.0), provider);
            let call = vault.toBurn().block(alloy::eips::BlockId::number(block));
            member.node().within("eth_call", async { call.call().await.map_err(not_viewed) }).await
        };
        let (said, failed) = sorted(self.endpoints.all(ask).await);
        self.enough(said.len(), failed, "eth_call")?;
        alike(&said, self.endpoints.need()).copied().ok_or(SendError::NoMajority("eth_call"))
    }

    /// The transaction of ours that used `nonce`, at or before finalized block `to`: a bisection over our counts, which
    /// only grow. Where the state that would tell is pruned it is [`NOBODYS`]: the nonce is used, and nobody can say by
    /// which bytes.
    pub async fn nonce_used_by(&self, nonce: u64, to: u64) -> Result<Option<Hash32>, SendError> {
        let (mut low, mut high) = (0, to);
        let mut pruned_to = None;
        while low < high {
            let middle = low + (high - low) / 2;
            match self.nonce_unless_pruned(middle).await? {
                Some(count) if count > nonce => high = middle,
                Some(_) => low = middle + 1,
                None => {
                    pruned_to = Some(middle);
                    low = middle + 1;
                }
            }
        }
        if low > 0 && pruned_to == Some(low - 1) {
            return Ok(Some(NOBODYS));
        }
        let me = Address::from(self.key.account().0);
        let ask = async |member: &Member| {
            let client = member.node().provider_client();
            let request = client.request::<_, Option<FullBlock>>("eth_getBlockByNumber", (format!("{low:#x}"), true));
            let block = member.node().ask("eth_getBlockByNumber", request).await?;
            let used = |tx: &Sent| tx.from == me && tx.nonce.to::<u64>() == nonce;
            Ok(block.and_then(|b| b.transactions.into_iter().find(used)).map(|tx| Hash32(tx.hash.0)))
        };
        let (said, failed) = sorted(self.endpoints.all(ask).await);
        self.enough(said.len(), failed, "eth_getBlockByNumber")?;
        Ok(alike(&said, self.endpoints.need()).copied().flatten())
    }

    /// Our count at a height; `None` where fewer than a majority still have that state.
    async fn nonce_unless_pruned(&self, height: u64) -> Result<Option<u64>, SendError> {
        let account = self.key.account();
        let said = self.endpoints.all(|member| member.node().nonce(account, Tag::Number(height))).await;
        let pruned = said.iter().filter(|count| count.as_ref().is_err_and(NodeError::is_pruned)).count();
        let (counts, failed) = sorted(said);
        let (have, need) = (counts.len(), self.endpoints.need());
        match at_least(counts, need) {
            Some(count) => Ok(Some(count)),
            None if pruned > 0 && have + pruned >= need => Ok(None),
            None => Err(failed.map_or(SendError::NoMajority("eth_getTransactionCount"), SendError::Node)),
        }
    }

    /// The highest value that a majority says or exceeds.
    async fn at_least<'a, T: Ord, W>(
        &'a self,
        method: &'static str,
        ask: impl Fn(&'a Member) -> W,
    ) -> Result<T, SendError>
    where
        W: Future<Output = Result<T, NodeError>>,
    {
        let (said, failed) = sorted(self.endpoints.all(ask).await);
        at_least(said, self.endpoints.need())
            .ok_or_else(|| failed.map_or(SendError::NoMajority(method), SendError::Node))
    }

    fn enough(&self, said: usize, failed: Option<NodeError>, method: &'static str) -> Result<(), SendError> {
        if said >= self.endpoints.need() {
            return Ok(());
        }
        Err(failed.map_or(SendError::NoMajority(method), SendError::Node))
    }
}

/// No transaction has this hash.
pub(super) const NOBODYS: Hash32 = Hash32([0; 32]);

/// Answers, and the first failure if there was one.
fn sorted<T>(said: Vec<Result<T, NodeError>>) -> (Vec<T>, Option<NodeError>) {
    let mut failed = None;
    let mut answers = Vec::new();
    for one in said {
        match one {
            Ok(answer) => answers.push(answer),
            Err(error) => drop(failed.get_or_insert(error)),
        }
    }
    (answers, failed)
}

/// A receipt, if the block it names is the one at that height.
async fn receipt_by(member: &Member, hash: Hash32) -> Result<Option<Receipt>, NodeError> {
    let Some(receipt) = member.node().receipt(hash).await? else { return Ok(None) };
    let (Some(number), Some(block_hash)) = (receipt.block_number, receipt.block_hash) else { return Ok(None) };
    let header = member.node().header(Tag::Number(number.to())).await?;
    let on_chain = header.is_some_and(|h| h.hash == Some(block_hash));
    Ok(on_chain.then(|| Receipt { block: number.to(), ok: receipt.succeeded() }))
}

/// Where a transaction is, as a receipt, on a node that has pruned the state there.
async fn pruned_receipt_by(member: &Member, hash: Hash32, account: Account) -> Result<Option<Receipt>, NodeError> {
    let Some(place) = member.node().place(hash).await? else { return Ok(None) };
    let (Some(number), Some(block_hash)) = (place.block_number, place.block_hash) else { return Ok(None) };
    let height = Tag::Number(number.to());
    let header = member.node().header(height).await?;
    let on_chain = header.is_some_and(|h| h.hash == Some(block_hash));
    let pruned = matches!(member.node().nonce(account, height).await, Err(error) if error.is_pruned());
    Ok((on_chain && pruned).then(|| Receipt { block: number.to(), ok: false }))
}

/// One answer from all: a refusal is one only when a majority refuses.
fn together(answers: &[Answer], need: usize) -> Answer {
    let count = |answer: Answer| answers.iter().filter(|one| **one == answer).count();
    if count(Answer::Accepted) > 0 {
        Answer::Accepted
    } else if count(Answer::NonceTooLow) >= need {
        Answer::NonceTooLow
    } else if count(Answer::Refused) >= need {
        Answer::Refused
    } else if count(Answer::AlreadyKnown) > 0 {
        Answer::AlreadyKnown
    } else {
        Answer::Lost
    }
}

/// What a refusal to take bytes means. Texts as Subtensor's node and anvil say them.
fn classify(message: &str) -> Answer {
    let message = message.to_lowercase();
    let says = |text: &str| message.contains(text);
    if says("already known") || says("already imported") {
        Answer::AlreadyKnown
    } else if says("nonce too low") || says("nonce is too low") || says("outdated") {
        Answer::NonceTooLow
    } else if says("insufficient funds")
        || says("base fee")
        || says("gas limit")
        || says("gas too low")
        || says("invalid")
    {
        Answer::Refused
    } else {
        Answer::Lost
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Every refusal recorded from a node at spec 425, and anvil's words for the same.
    #[test]
    fn refusals_are_told_apart_by_their_message_only() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/subtensor-rpc/send_raw_transaction.json");
        let recorded: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let messages = recorded.as_array().unwrap().iter().filter_map(|r| r["response"]["error"]["message"].as_str());
        let mut seen = 0;
        for message in messages {
            let want = match message {
                "already known" => Answer::AlreadyKnown,
                "nonce too low" => Answer::NonceTooLow,
                // Nobody but us sends at our nonces: it says that other bytes of ours are in the pool.
                "replacement transaction underpriced" => Answer::Lost,
                "max priority fee per gas higher than max fee per gas" => continue, // we send no tip
                _ => Answer::Refused,
            };
            assert_eq!(classify(message), want, "{message}");
            seen += 1;
        }
        assert!(seen >= 10, "only {seen} recorded refusals were read");
        assert_eq!(classify("transaction already imported"), Answer::AlreadyKnown);
        assert_eq!(classify("something new"), Answer::Lost);
    }

    #[test]
    fn one_endpoint_that_takes_bytes_is_enough_and_one_that_refuses_them_is_not() {
        use Answer::{Accepted, AlreadyKnown, Lost, NonceTooLow, Refused};
        for (answers, want) in [
            ([Refused, Lost, Accepted], Accepted),
            ([Refused, Lost, Lost], Lost),
            ([Refused, Refused, Lost], Refused),
            ([NonceTooLow, AlreadyKnown, Lost], AlreadyKnown),
            ([NonceTooLow, NonceTooLow, AlreadyKnown], NonceTooLow),
            ([Refused, AlreadyKnown, AlreadyKnown], AlreadyKnown),
        ] {
            assert_eq!(together(&answers, 2), want, "{answers:?}");
        }
        assert_eq!(together(&[Refused], 1), Refused);
        assert_eq!(together(&[], 1), Lost);
    }
}
