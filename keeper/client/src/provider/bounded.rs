//! HTTP with a bound on every answer: a node is a stranger, and its answer is read only as far as memory allows.

use alloy::rpc::json_rpc::{RequestPacket, ResponsePacket};
use alloy::transports::http::reqwest;
use alloy::transports::{TransportError, TransportErrorKind, TransportFut, TransportResult};
use std::task::{Context, Poll};
use tower::Service;

/// Most bytes of one answer. A Subtensor node's own limit is 15 MiB (`--rpc-max-response-size`).
pub const ANSWER_BYTES_MAX: usize = 16 * 1_024 * 1_024;

/// A transport to one URL.
#[derive(Debug, Clone)]
pub(super) struct BoundedHttp {
    client: reqwest::Client,
    url: url::Url,
}

impl BoundedHttp {
    pub(super) fn new(client: reqwest::Client, url: url::Url) -> Self {
        Self { client, url }
    }

    async fn send(self, request: RequestPacket) -> TransportResult<ResponsePacket> {
        let sent = self.client.post(self.url).json(&request).send().await.map_err(TransportErrorKind::custom)?;
        let status = sent.status();
        let body = read(sent).await?;
        match serde_json::from_slice(&body) {
            Ok(answer) => Ok(answer),
            // A body that is no JSON-RPC says less than the status.
            Err(_) if !status.is_success() => Err(TransportErrorKind::http_error(status.as_u16(), String::new())),
            Err(error) => Err(TransportError::deser_err(error, String::new())),
        }
    }
}

async fn read(mut sent: reqwest::Response) -> TransportResult<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(piece) = sent.chunk().await.map_err(TransportErrorKind::custom)? {
        if body.len() + piece.len() > ANSWER_BYTES_MAX {
            return Err(TransportErrorKind::custom_str(&format!("an answer of more than {ANSWER_BYTES_MAX} bytes")));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

impl Service<RequestPacket> for BoundedHttp {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RequestPacket) -> Self::Future {
        Box::pin(self.clone().send(request))
    }
}
