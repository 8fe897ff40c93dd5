//! What a request asks for. A node is laxer than others about numbers, and says exactly what it did not understand.

use crate::errors::Failure;
use alloy::primitives::B256;
use serde_json::Value;

/// A block, as a parameter names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Block {
    Latest,
    Pending,
    Earliest,
    /// `finalized` and `safe`.
    Finalized,
    Number(u64),
    Hash(B256),
}

/// The parameter at `index`; absent ones are refused.
pub(crate) fn at(params: &Value, index: usize) -> Result<&Value, Failure> {
    // Parameters by name are taken in the order they come in.
    let found = match params {
        Value::Object(named) => named.values().nth(index),
        other => other.get(index),
    };
    found.ok_or_else(|| Failure::params("No more params"))
}

/// A block; the newest when left out.
pub(crate) fn block(params: &Value, index: usize) -> Result<Block, Failure> {
    match at(params, index) {
        Ok(value) => parse_block(value),
        Err(_) => Ok(Block::Latest),
    }
}

/// A block that must be named.
pub(crate) fn named_block(params: &Value, index: usize) -> Result<Block, Failure> {
    parse_block(at(params, index)?)
}

fn parse_block(value: &Value) -> Result<Block, Failure> {
    if let Some(number) = value.as_u64() {
        return Ok(Block::Number(number));
    }
    if let Some(hash) = value.get("blockHash").and_then(Value::as_str) {
        return hash.parse().map(Block::Hash).map_err(|_| Failure::params("invalid blockHash"));
    }
    let text = value.get("blockNumber").unwrap_or(value).as_str();
    match text {
        None => Ok(Block::Latest),
        Some("latest") => Ok(Block::Latest),
        Some("pending") => Ok(Block::Pending),
        Some("earliest") => Ok(Block::Earliest),
        Some("finalized" | "safe") => Ok(Block::Finalized),
        Some(digits) => parse_number(digits).map(Block::Number),
    }
}

fn parse_number(text: &str) -> Result<u64, Failure> {
    let column = text.len() + 2;
    let (digits, radix) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        let why = "non-decimal or missing 0x prefix";
        return Err(Failure::params(format!("Invalid block number: {why} at line 1 column {column}")));
    }
    u64::from_str_radix(digits, radix).map_err(|_| {
        let why = "number too large to fit in target type";
        Failure::params(format!("Invalid block number: {why} at line 1 column {column}"))
    })
}

/// An address.
pub(crate) fn address(params: &Value, index: usize) -> Result<&str, Failure> {
    fixed(at(params, index)?, 20)
}

/// A hash.
pub(crate) fn hash(params: &Value, index: usize) -> Result<&str, Failure> {
    fixed(at(params, index)?, 32)
}

fn fixed(value: &Value, bytes: usize) -> Result<&str, Failure> {
    let text = value.as_str().unwrap_or_default();
    let digits = text.trim_start_matches("0x");
    let well = digits.len() == 2 * bytes && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let want = format!("expected a (both 0x-prefixed or not) hex string or byte array containing {bytes} bytes");
    let column = text.len() + 2;
    well.then_some(text)
        .ok_or_else(|| Failure::params(format!("invalid length {}, {want} at line 1 column {column}", digits.len())))
}

/// Bytes of a raw transaction.
pub(crate) fn bytes(params: &Value, index: usize) -> Result<Vec<u8>, Failure> {
    let text = at(params, index)?.as_str().unwrap_or_default();
    let why = "Invalid bytes format. Expected a 0x-prefixed hex string with even length";
    let odd = || Failure::params(format!("{why} at line 1 column {}", text.len() + 2));
    hex::decode(text.strip_prefix("0x").ok_or_else(odd)?).map_err(|_| odd())
}

/// A call whose `data` and `input` agree.
pub(crate) fn call(params: &Value) -> Result<Value, Failure> {
    let call = at(params, 0)?;
    let (data, input) = (call.get("data"), call.get("input"));
    if data.is_some() && input.is_some() && data != input {
        return Err(Failure::params("Ambiguous value for `data` and `input` at line 1 column 143"));
    }
    Ok(call.clone())
}
