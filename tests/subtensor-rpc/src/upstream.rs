//! The anvil behind the stand-in.

use crate::errors::{Answer, Failure};
use serde_json::{Value, json};
use std::time::Duration;

/// Longest anvil may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A connection to it.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    http: reqwest::Client,
    url: String,
}

impl Upstream {
    pub(crate) fn new(url: &str) -> anyhow::Result<Self> {
        Ok(Self { http: reqwest::Client::builder().timeout(LIMIT).build()?, url: url.to_owned() })
    }

    /// The result, or anvil's own error object.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> Result<Value, Value> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let gone = |error: reqwest::Error| json!({ "code": 0, "message": format!("anvil: {error}") });
        let response = self.http.post(&self.url).json(&request).send().await.map_err(gone)?;
        let mut answer: Value = response.json().await.map_err(gone)?;
        match answer.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(answer["result"].take()),
        }
    }

    /// The result, where anvil has no reason to refuse.
    pub(crate) async fn get(&self, method: &str, params: Value) -> Answer {
        self.ask(method, params).await.map_err(|error| Failure::internal(error["message"].as_str().unwrap_or("anvil")))
    }

    pub(crate) async fn height(&self) -> Result<u64, Failure> {
        Ok(number(&self.get("eth_blockNumber", json!([])).await?))
    }
}

/// A hexadecimal quantity; 0 for what is none.
pub(crate) fn number(value: &Value) -> u64 {
    let digits = value.as_str().unwrap_or_default().trim_start_matches("0x");
    u64::from_str_radix(digits, 16).unwrap_or_default()
}

/// As a quantity.
pub(crate) fn hex(value: u64) -> String {
    format!("{value:#x}")
}
