//! HTTP: one request or a batch in, answers out; faults of the transport before anything is read.

use crate::control::{Control, FAILED, Transport};
use crate::errors::Failure;
use crate::methods::Methods;
use crate::upstream::Upstream;
use anyhow::Result;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::post};
use futures_util::stream;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request that is "never" answered is let go after this.
const NEVER: Duration = Duration::from_secs(120);
/// An answer that does not end is sent in pieces of this size.
const PIECE: usize = 65_536;

/// A running stand-in; it ends when dropped.
#[derive(Debug)]
pub struct StandIn {
    address: SocketAddr,
    control: Control,
    task: JoinHandle<()>,
}

impl StandIn {
    /// Serves on `listen` before the anvil at `upstream`.
    ///
    /// # Errors
    /// The address is taken, or no HTTP client can be made.
    pub async fn start(upstream: &str, listen: SocketAddr, control: Control) -> Result<Self> {
        let methods = Methods::new(Upstream::new(upstream)?, control.clone());
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let router = Router::new().route("/", post(serve)).with_state(methods);
        let task = tokio::spawn(async move {
            // Ends with the task; an accept loop has no other end.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, control, task })
    }

    /// On a free loopback port, well.
    ///
    /// # Errors
    /// As [`StandIn::start`].
    pub async fn before(upstream: &str) -> Result<Self> {
        Self::start(upstream, SocketAddr::from(([127, 0, 0, 1], 0)), Control::default()).await
    }

    /// JSON-RPC URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The faults.
    pub fn control(&self) -> &Control {
        &self.control
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(State(methods): State<Methods>, body: Bytes) -> Response {
    let fault = methods.control().faults().next_transport();
    if fault.is_some() {
        methods.control().count(FAILED);
    }
    match fault {
        None => {}
        Some(Transport::Timeout) => tokio::time::sleep(NEVER).await,
        Some(Transport::TooMany) => return (StatusCode::TOO_MANY_REQUESTS, "Too Many Requests").into_response(),
        Some(Transport::Drop) => return cut_short(),
        Some(Transport::Oversized { bytes }) => return endless(bytes),
    }
    match answer_all(&methods, &body).await {
        Some(answer) => ([(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response(),
        None => cut_short(),
    }
}

/// An answer whose connection ends in the middle.
fn cut_short() -> Response {
    let pieces = [Ok("{\"jsonrpc\""), Err(std::io::Error::other("the connection ends here"))];
    Body::from_stream(stream::iter(pieces)).into_response()
}

/// White space without end, which is the beginning of JSON.
fn endless(bytes: u64) -> Response {
    let pieces = usize::try_from(bytes).unwrap_or(usize::MAX).div_ceil(PIECE);
    let piece = Bytes::from(vec![b' '; PIECE]);
    let pieces = stream::iter((0..pieces).map(move |_| Ok::<_, std::io::Error>(piece.clone())));
    Body::from_stream(pieces).into_response()
}

/// `None` when the connection ends instead of an answer.
async fn answer_all(methods: &Methods, body: &[u8]) -> Option<Value> {
    let Ok(request) = serde_json::from_slice::<Value>(body) else {
        return Some(failed(&Value::Null, &Failure::new(-32_700, "Parse error")));
    };
    let Value::Array(batch) = request else { return answer_one(methods, &request).await };
    let too_many = methods.control().faults().batch_max.is_some_and(|most| batch.len() > most);
    if batch.is_empty() || too_many {
        let message = if too_many { "The batch request was too large" } else { "Invalid request" };
        let code = if too_many { -32_010 } else { -32_600 };
        return Some(failed(&Value::Null, &Failure::new(code, message)));
    }
    let mut answers = Vec::new();
    for one in &batch {
        answers.push(answer_one(methods, one).await?);
    }
    Some(Value::Array(answers))
}

async fn answer_one(methods: &Methods, request: &Value) -> Option<Value> {
    let id = request.get("id").cloned().unwrap_or(Value::Null);
    let Some(method) = request.get("method").and_then(Value::as_str) else {
        return Some(failed(&id, &Failure::new(-32_600, "Invalid request")));
    };
    methods.control().count(method);
    let params = request.get("params").cloned().unwrap_or_else(|| json!([]));
    Some(match methods.answer(method, &params).await? {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(failure) => failed(&id, &failure),
    })
}

fn failed(id: &Value, failure: &Failure) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": failure.to_json() })
}
