//! What the server says when it cannot answer: a code for programs, a sentence for people.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a request got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ApiError {
    #[error("this is no rental id: want a decimal number from 1, as in /v1/attestations/7")]
    BadRental,
    #[error("this is no machine: want its 32-byte SSH host key as 64 hex digits, with or without 0x")]
    BadMachine,
    #[error("this is no evidence digest: want 32 bytes as 64 hex digits, with or without 0x")]
    BadDigest,
    #[error(
        "this is no page: want ?after=SEQ&limit=N with decimal numbers, N from 1 to {page_max}; both may be absent"
    )]
    BadPage { page_max: u32 },
    #[error("no evidence with this digest is kept here: ask the keeper that signed the statement")]
    NoEvidence,
    #[error(
        "no such path: there are /v1/attestations/RENTAL, /v1/attestations?after=SEQ&limit=N, \
         /v1/certificates/MACHINE, /v1/spoofs, /v1/spoofs/MACHINE, /evidence/DIGEST, /healthz and /metrics"
    )]
    NoRoute,
    #[error("everything here is read with GET")]
    NotGet,
    #[error("a request here has no body")]
    Body,
    #[error("too many requests at once: try again in a few seconds")]
    Busy,
    #[error("the answer took too long: try again later")]
    TooSlow,
    #[error("the store does not answer: the operator finds the reason in the log")]
    Store,
}

impl ApiError {
    fn code(&self) -> &'static str {
        match self {
            Self::BadRental => "bad_rental",
            Self::BadMachine => "bad_machine",
            Self::BadDigest => "bad_digest",
            Self::BadPage { .. } => "bad_page",
            Self::NoEvidence => "no_evidence",
            Self::NoRoute => "no_route",
            Self::NotGet => "not_get",
            Self::Body => "body",
            Self::Busy => "busy",
            Self::TooSlow => "too_slow",
            Self::Store => "store",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::BadRental | Self::BadMachine | Self::BadDigest | Self::BadPage { .. } => StatusCode::BAD_REQUEST,
            Self::NoEvidence | Self::NoRoute => StatusCode::NOT_FOUND,
            Self::NotGet => StatusCode::METHOD_NOT_ALLOWED,
            Self::Body => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy | Self::TooSlow | Self::Store => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({ "error": { "code": self.code(), "message": self.to_string() } });
        let mut response = (self.status(), Json(body)).into_response();
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        if self == Self::NotGet {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        response
    }
}
