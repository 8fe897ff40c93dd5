//! What the server says when it cannot answer: a code for programs, a sentence for people.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use surety_core::limits::{COMPLAINT_AGE_MAX_SECS, COMPLAINT_TEXT_BYTES_MAX};
use surety_core::types::{Account, UnixSecs};
use surety_market::wire::Problem;

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
    #[error("this keeper has not measured this machine's processors, memory, disk and line yet")]
    NoFigures,
    #[error("no such path: /v1/openapi.json describes all there are, as /v1/market and /evidence/DIGEST")]
    NoRoute,
    #[error("everything here is read with GET")]
    NotGet,
    #[error("a complaint is sent here with POST; those about one rental are at /v1/complaints/RENTAL")]
    NotPost,
    #[error("a request here has no body")]
    Body,
    #[error(
        "this is no complaint: {why}; want {{\"complaint\": {{\"rental\": 7, \"code\": \"cannot_connect\", \"text\": \
         \"at most {COMPLAINT_TEXT_BYTES_MAX} bytes\", \"issued_at_secs\": now}}, \"signature\": \"0x, 65 bytes\"}}"
    )]
    BadComplaint { why: String },
    #[error("a complaint has at most {most} bytes: say it shorter")]
    LongComplaint { most: usize },
    #[error(
        "the complaint is older than {COMPLAINT_AGE_MAX_SECS} s by this keeper's clock ({now_secs}): sign it anew, and \
         check your clock"
    )]
    OldComplaint { now_secs: UnixSecs },
    #[error("the complaint is dated in the future by this keeper's clock ({now_secs}): check your clock, sign it anew")]
    FutureComplaint { now_secs: UnixSecs },
    #[error(
        "this keeper knows no running rental with this id: check it; one that was only just made is known some seconds \
         later"
    )]
    NoRental,
    #[error(
        "not signed by the rental's renter: want an EIP-712 signature of {renter} for chain {chain_id} and the contract \
         {escrow}"
    )]
    NotTheRenter { renter: Account, chain_id: u64, escrow: Account },
    #[error(
        "a complaint about this rental is being looked into until {until_secs} (Unix seconds): come again after that"
    )]
    OpenComplaint { until_secs: UnixSecs },
    #[error("{most} complaints about this rental came within a day, no more are taken: they are kept and shown")]
    ComplaintsOfRental { most: usize },
    #[error("too many complaints in this minute: try again in one; rented machines are looked at anyway")]
    ManyComplaints,
    #[error("the complaint is handed over and not stored yet: send the same again, it is taken once")]
    NotStoredYet,
    #[error("this is no case: want a decimal number from 1, as in /v1/alpha/cases/7")]
    BadCase,
    #[error("this keeper states nothing about alpha: ask another one, or its operator to set alpha.vault")]
    NoAlpha,
    #[error("not stated: {why}")]
    NotStated { why: String },
    #[error("nothing to state: {why}")]
    NothingStated { why: String },
    #[error("{why}")]
    NotStatedNow { why: String },
    #[error("no final block was read yet, so the present epoch is not known: try again in a minute")]
    NoEpochYet,
    #[error("not a question this path knows: {why}; /v1/openapi.json lists what may be asked")]
    BadQuery { why: String },
    #[error("this is no account: want 20 bytes as 40 hex digits, with or without 0x")]
    BadAccount,
    #[error("no machine with this key is registered now")]
    NoMachine,
    #[error("there is no rental with this id")]
    NoSuchRental,
    #[error("there is no case with this id")]
    NoSuchCase,
    #[error("the chain was not read yet: try again in a few seconds")]
    NotReadYet,
    #[error("too many requests from your address: at most {per_sec} a second, for longer than a moment")]
    Hasty { per_sec: u32 },
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
            Self::NoFigures => "no_figures",
            Self::NoRoute => "no_route",
            Self::NotGet => "not_get",
            Self::NotPost => "not_post",
            Self::BadComplaint { .. } => "bad_complaint",
            Self::LongComplaint { .. } => "long_complaint",
            Self::OldComplaint { .. } => "old_complaint",
            Self::FutureComplaint { .. } => "future_complaint",
            Self::NoRental => "no_rental",
            Self::NotTheRenter { .. } => "not_the_renter",
            Self::OpenComplaint { .. } => "open_complaint",
            Self::ComplaintsOfRental { .. } => "complaints_of_rental",
            Self::ManyComplaints => "many_complaints",
            Self::NotStoredYet => "not_stored_yet",
            Self::NoEpochYet => "no_epoch_yet",
            Self::BadCase => "bad_case",
            Self::NoAlpha => "no_alpha",
            Self::NotStated { .. } => "not_stated",
            Self::NothingStated { .. } => "nothing_stated",
            Self::NotStatedNow { .. } => "not_stated_now",
            Self::Body => "body",
            Self::BadQuery { .. } => "bad_query",
            Self::BadAccount => "bad_account",
            Self::NoMachine => "no_machine",
            Self::NoSuchRental => "no_rental",
            Self::NoSuchCase => "no_case",
            Self::NotReadYet => "not_read_yet",
            Self::Hasty { .. } => "hasty",
            Self::Busy => "busy",
            Self::TooSlow => "too_slow",
            Self::Store => "store",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::BadRental | Self::BadMachine | Self::BadDigest | Self::BadPage { .. } => StatusCode::BAD_REQUEST,
            Self::BadCase | Self::BadAccount | Self::BadQuery { .. } => StatusCode::BAD_REQUEST,
            Self::NoMachine | Self::NoSuchRental | Self::NoSuchCase => StatusCode::NOT_FOUND,
            Self::Hasty { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::BadComplaint { .. } | Self::OldComplaint { .. } | Self::FutureComplaint { .. } => {
                StatusCode::BAD_REQUEST
            }
            Self::NotTheRenter { .. } => StatusCode::FORBIDDEN,
            Self::NoEvidence | Self::NoFigures | Self::NoRoute | Self::NoRental => StatusCode::NOT_FOUND,
            Self::NoAlpha | Self::NothingStated { .. } => StatusCode::NOT_FOUND,
            Self::OpenComplaint { .. } | Self::NotStated { .. } => StatusCode::CONFLICT,
            Self::ComplaintsOfRental { .. } | Self::ManyComplaints => StatusCode::TOO_MANY_REQUESTS,
            Self::NotGet | Self::NotPost => StatusCode::METHOD_NOT_ALLOWED,
            Self::Body | Self::LongComplaint { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotStatedNow { .. }
            | Self::Busy
            | Self::TooSlow
            | Self::Store
            | Self::NotStoredYet
            | Self::NotReadYet
            | Self::NoEpochYet => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let problem = Problem {
            kind: "about:blank".into(),
            title: status.canonical_reason().unwrap_or("No answer").into(),
            status: status.as_u16(),
            detail: self.to_string(),
            code: self.code().into(),
        };
        let mut response = (status, Json(problem)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if matches!(self, Self::Hasty { .. }) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        let allowed = match self {
            Self::NotGet => Some("GET, HEAD"),
            Self::NotPost => Some("POST"),
            _ => None,
        };
        if let Some(allowed) = allowed {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
        }
        response
    }
}
