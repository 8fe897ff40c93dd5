//! The node's codes and texts, as recorded.

use alloy::sol_types::{Revert, SolError};
use serde_json::{Value, json};

/// A JSON-RPC error, whole.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    code: i64,
    message: String,
    data: Option<Value>,
}

/// What a method answers.
pub(crate) type Answer = Result<Value, Failure>;

impl Failure {
    /// Any.
    pub(crate) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// -32603, which nearly everything is.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(-32_603, message)
    }

    pub(crate) fn params(data: impl Into<String>) -> Self {
        Self { code: -32_602, message: "Invalid params".into(), data: Some(Value::String(data.into())) }
    }

    pub(crate) fn no_method() -> Self {
        Self::new(-32_601, "Method not found")
    }

    pub(crate) fn no_such_height(height: u64) -> Self {
        Self::internal(format!("Expect block number from id: BlockId::Number({height})"))
    }

    fn with_data(self, data: &str) -> Self {
        Self { data: Some(Value::String(data.to_owned())), ..self }
    }

    /// anvil's error for a call that failed, in the node's words.
    pub(crate) fn of_call(error: &Value) -> Self {
        let message = error["message"].as_str().unwrap_or_default();
        let lower = message.to_lowercase();
        if let Some(data) = error["data"].as_str() {
            return Self::internal(revert_text(data)).with_data(data);
        }
        if lower.contains("revert") {
            return Self::internal("VM Exception while processing transaction: revert").with_data("0x");
        }
        if lower.contains("out of gas") {
            return Self::internal("out of gas");
        }
        if lower.contains("insufficient funds") || lower.contains("lack of funds") {
            return Self::internal("evm error: OutOfFund").with_data("0x");
        }
        Self::internal(format!("evm error: {message}")).with_data("0x")
    }

    /// As it goes over the wire.
    pub(crate) fn to_json(&self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(data) = &self.data {
            error["data"] = data.clone();
        }
        error
    }
}

fn revert_text(data: &str) -> String {
    let bytes = hex::decode(data.trim_start_matches("0x")).unwrap_or_default();
    match Revert::abi_decode(&bytes) {
        Ok(revert) => format!("VM Exception while processing transaction: revert {}", revert.reason),
        Err(_) => "VM Exception while processing transaction: revert".to_owned(),
    }
}
