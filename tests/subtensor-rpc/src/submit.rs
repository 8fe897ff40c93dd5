//! `eth_sendRawTransaction`: the pool takes one transaction for each nonce and replaces none, and says `already known`
//! of bytes that wait, that are mined, and that it has just refused.

use crate::control::Submission;
use crate::errors::{Answer, Failure};
use crate::methods::Methods;
use crate::params;
use crate::shape::BASE_FEE_FLOOR_WEI;
use crate::upstream::number;
use alloy::consensus::transaction::SignerRecoverable;
use alloy::consensus::{Transaction, TxEnvelope};
use alloy::eips::eip2718::Decodable2718;
use alloy::primitives::{Address, B256, U256};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Most gas one transaction may ask for.
const GAS_MAX: u64 = 64_998_310;
/// What any transaction costs.
const INTRINSIC_GAS: u64 = 21_000;
/// Hashes remembered.
const KNOWN_MAX: usize = 100_000;

/// Bytes that the pool has seen and will not look at again.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    known: Mutex<BTreeSet<B256>>,
}

/// What became of a submission.
pub(crate) enum Submitted {
    Answered(Answer),
    Lost,
}

impl Pool {
    fn knows(&self, hash: &B256) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(hash)
    }

    fn remember(&self, hash: B256) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(hash);
    }
}

impl Methods {
    pub(crate) async fn submit(&self, params: &Value) -> Submitted {
        let plan = self.control.faults().next_submission();
        if plan == Submission::LostBefore {
            return Submitted::Lost;
        }
        let taken = match params::bytes(params, 0).and_then(|bytes| decode(&bytes)) {
            Ok(tx) => self.take(&tx, params, plan).await,
            Err(failure) => Err(failure),
        };
        if plan == Submission::LostAfter { Submitted::Lost } else { Submitted::Answered(taken) }
    }

    async fn take(&self, tx: &TxEnvelope, params: &Value, plan: Submission) -> Answer {
        let hash = *tx.tx_hash();
        let there = self.upstream.get("eth_getTransactionByHash", json!([hash])).await?;
        if self.pool.knows(&hash) || there.is_object() {
            return Err(Failure::internal("already known"));
        }
        let sender = tx.recover_signer().map_err(|_| Failure::internal("decode transaction failed"))?;
        if let Err(failure) = self.check(tx, sender).await {
            self.pool.remember(hash);
            return Err(failure);
        }
        match plan {
            Submission::Forgotten => return Ok(json!(hash)),
            Submission::ForgottenButKnown => {
                self.pool.remember(hash);
                return Ok(json!(hash));
            }
            _ => {}
        }
        let sent = self.upstream.get("eth_sendRawTransaction", params.clone()).await?;
        if plan == Submission::Doubled {
            // The second is known; its answer is nobody's.
            let _ = self.upstream.ask("eth_sendRawTransaction", params.clone()).await;
        }
        Ok(sent)
    }

    async fn check(&self, tx: &TxEnvelope, sender: Address) -> Result<(), Failure> {
        let refuse = |why: &str| Err(Failure::internal(why));
        let chain_id = number(&self.upstream.get("eth_chainId", json!([])).await?);
        let chain_id = self.control.faults().chain_id.unwrap_or(chain_id);
        if tx.chain_id() != Some(chain_id) {
            return refuse("invalid chain id");
        }
        if tx.gas_limit() < INTRINSIC_GAS {
            return refuse("intrinsic gas too low");
        }
        if tx.gas_limit() > GAS_MAX {
            return refuse("exceeds block gas limit");
        }
        let fee = tx.max_fee_per_gas();
        if tx.max_priority_fee_per_gas().is_some_and(|tip| tip > fee) {
            return refuse("max priority fee per gas higher than max fee per gas");
        }
        if fee < u128::from(BASE_FEE_FLOOR_WEI) {
            return refuse("gas price less than block base fee");
        }
        let mined = number(&self.upstream.get("eth_getTransactionCount", json!([sender, "latest"])).await?);
        if tx.nonce() < mined {
            return refuse("nonce too low");
        }
        let balance = self.upstream.get("eth_getBalance", json!([sender, "latest"])).await?;
        let balance: U256 = balance.as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
        let cost = U256::from(fee).saturating_mul(U256::from(tx.gas_limit())).saturating_add(tx.value());
        if balance < cost {
            return refuse("insufficient funds for gas * price + value");
        }
        let nonce = format!("{:#x}", tx.nonce());
        let waiting = self.upstream.ask("eth_getTransactionBySenderAndNonce", json!([sender, nonce])).await;
        if waiting.is_ok_and(|waiting| waiting.is_object()) {
            return refuse("replacement transaction underpriced");
        }
        Ok(())
    }
}

fn decode(bytes: &[u8]) -> Result<TxEnvelope, Failure> {
    if bytes.is_empty() {
        return Err(Failure::internal("transaction data is empty"));
    }
    let mut rest = bytes;
    match TxEnvelope::decode_2718(&mut rest) {
        Ok(tx) if rest.is_empty() => Ok(tx),
        _ => Err(Failure::internal("decode transaction failed")),
    }
}
