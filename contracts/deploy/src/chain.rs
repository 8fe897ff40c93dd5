//! What a deployment asks a node, beyond what keepers do. Answers are bounded and checked for form; whether they are
//! true is another question: an audit is worth as much as the node it was made through.

use crate::arguments::evm;
use alloy::consensus::{SignableTransaction, TxEip1559};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, B256, Bytes, TxKind, U64, U256, keccak256};
use alloy::signers::SignerSync;
use alloy::sol_types::SolCall;
use serde::Deserialize;
use serde_json::{Value, json};
use surety_client::keys::Key;
use surety_client::provider::{Node, NodeError, Tag};
use surety_core::types::{Account, Hash32};

/// Longest answer of a view or of `eth_getCode`, in bytes: the code limit is 24,576, and the longest view is a rental's
/// 255 faults, 24,544 bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// A transaction as a node tells it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SentTransaction {
    /// Who signed it.
    pub from: Address,
    /// The sender's nonce.
    pub nonce: U64,
    /// Creation code and arguments.
    pub input: Bytes,
    /// Wei.
    pub value: U256,
}

/// A node, asked about one block.
#[derive(Debug, Clone)]
pub struct At {
    /// The node.
    pub node: Node,
    /// The block.
    pub block: u64,
}

impl At {
    /// A view's answer, as it comes.
    pub async fn raw(&self, to: Account, data: Bytes) -> Result<Bytes, NodeError> {
        call(&self.node, json!({ "to": evm(&to), "data": data }), Tag::Number(self.block)).await
    }

    /// A view's answer, decoded.
    pub async fn view<C: SolCall>(&self, to: Account, arguments: &C) -> Result<C::Return, NodeError> {
        let answer = self.raw(to, arguments.abi_encode().into()).await?;
        C::abi_decode_returns_validate(&answer)
            .map_err(|error| odd("eth_call", format!("{} at {to}: {error}", C::SIGNATURE)))
    }

    /// A getter without arguments, by name: the one word it answers.
    pub async fn word(&self, to: Account, getter: &str) -> Result<B256, NodeError> {
        let selector = keccak256(format!("{getter}()"));
        let answer = self.raw(to, Bytes::copy_from_slice(&selector[..4])).await?;
        B256::try_from(answer.as_ref())
            .map_err(|_| odd("eth_call", format!("{getter}() at {to} answered {} bytes, not a word", answer.len())))
    }

    /// The code there; empty: none.
    pub async fn code(&self, at: Account) -> Result<Bytes, NodeError> {
        code(&self.node, at, Tag::Number(self.block)).await
    }

    /// The balance there, in wei.
    pub async fn balance_wei(&self, at: Account) -> Result<U256, NodeError> {
        let params = (evm(&at), tag(Tag::Number(self.block)));
        let request = self.node.provider_client().request::<_, U256>("eth_getBalance", params);
        self.node.ask("eth_getBalance", request).await
    }
}

/// `eth_call`.
pub async fn call(node: &Node, request: Value, at: Tag) -> Result<Bytes, NodeError> {
    let answer = node.provider_client().request::<_, Bytes>("eth_call", (request, tag(at)));
    bounded("eth_call", node.ask("eth_call", answer).await?)
}

/// `eth_getCode`.
pub async fn code(node: &Node, at: Account, block: Tag) -> Result<Bytes, NodeError> {
    let answer = node.provider_client().request::<_, Bytes>("eth_getCode", (evm(&at), tag(block)));
    bounded("eth_getCode", node.ask("eth_getCode", answer).await?)
}

/// A transaction by hash; `None` where the node does not know it, or not any more.
pub async fn transaction(node: &Node, hash: Hash32) -> Result<Option<SentTransaction>, NodeError> {
    let method = "eth_getTransactionByHash";
    let request = node.provider_client().request::<_, Option<SentTransaction>>(method, (B256::from(hash.0),));
    node.ask(method, request).await
}

/// The number of a block that `tag` names.
pub async fn block_number(node: &Node, tag: Tag) -> Result<u64, NodeError> {
    let header = node.header(tag).await?;
    header.map(|header| header.number.to()).ok_or_else(|| odd("eth_getBlockByNumber", "no such block".into()))
}

/// A signed creation, and its hash.
#[derive(Debug, Clone)]
pub struct SignedCreation {
    /// The transaction's hash.
    pub hash: Hash32,
    /// The bytes to send.
    pub raw: Bytes,
}

/// What a creation pays for.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// The chain it is good on.
    pub chain_id: u64,
    /// The sender's nonce.
    pub nonce: u64,
    /// Gas it may take.
    pub gas_limit: u64,
    /// The most a gas may cost, in wei. Subtensor charges the base fee and no tip (SPEC D12).
    pub max_fee_wei: u128,
    /// Sent along, in wei.
    pub value_wei: U256,
}

/// Signs a creation. Deterministic: the same terms give the same bytes.
///
/// # Errors
/// The key cannot sign.
pub fn sign(key: &Key, terms: Terms, initcode: Bytes) -> Result<SignedCreation, alloy::signers::Error> {
    let unsigned = TxEip1559 {
        chain_id: terms.chain_id,
        nonce: terms.nonce,
        gas_limit: terms.gas_limit,
        max_fee_per_gas: terms.max_fee_wei,
        max_priority_fee_per_gas: 0,
        to: TxKind::Create,
        value: terms.value_wei,
        access_list: Default::default(),
        input: initcode,
    };
    let signature = key.signer().sign_hash_sync(&unsigned.signature_hash())?;
    let signed = unsigned.into_signed(signature);
    Ok(SignedCreation { hash: Hash32(signed.hash().0), raw: signed.encoded_2718().into() })
}

/// A creation as `eth_estimateGas` and `eth_call` take it.
pub fn creation(from: Account, initcode: &[u8], value_wei: U256) -> alloy::rpc::types::TransactionRequest {
    use alloy::network::TransactionBuilder;
    alloy::rpc::types::TransactionRequest::default()
        .with_from(evm(&from))
        .with_value(value_wei)
        .with_deploy_code(Bytes::copy_from_slice(initcode))
}

fn tag(tag: Tag) -> String {
    match tag {
        Tag::Latest => "latest".to_string(),
        Tag::Finalized => "finalized".to_string(),
        Tag::Number(number) => format!("{number:#x}"),
    }
}

fn bounded(method: &'static str, answer: Bytes) -> Result<Bytes, NodeError> {
    if answer.len() > ANSWER_BYTES_MAX {
        return Err(odd(method, format!("{} bytes, more than any answer has", answer.len())));
    }
    Ok(answer)
}

/// An answer that makes no sense.
pub fn odd(method: &'static str, what: String) -> NodeError {
    NodeError::Odd { method, what: what.chars().take(300).collect() }
}
