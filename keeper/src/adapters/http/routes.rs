//! The routes. Handlers only parse; the store is read on blocking threads.

use super::cached::{Answer, Cache};
use super::error::ApiError;
use super::listener::From;
use super::metrics::Counts;
use super::pace::Pace;
use super::peers::SPOOFS_MAX;
use super::wire::{EpochPage, Numbered, Page, SpoofPage};
use super::{Api, health, metrics};
use super::{alpha, complaints, market, page};
use crate::ports::{Archive, ArchiveError, Bundle, SoftFigures};
use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use surety_core::statement::{Attestation, Certificate, Signed};
use surety_core::types::RentalId;
use surety_verifier::schedule::EPOCH_BLOCKS;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What all handlers share.
pub(super) struct Shared {
    pub(super) api: Api,
    pub(super) counts: Counts,
    pub(super) lists: Arc<Semaphore>,
    bundles: Arc<Semaphore>,
    pub(super) complaints: Arc<Semaphore>,
    /// Answers about the market as it is.
    pub(super) cache: Cache,
    /// The API's own description, once somebody has asked for it.
    pub(super) description: OnceLock<Answer>,
    /// Tells this run's entity tags from another's: generations begin anew.
    pub(super) salt: u64,
    pace: Pace,
}

type App = State<Arc<Shared>>;

/// All routes, with their bounds round them.
pub(super) fn router(api: Api) -> Router {
    let lane = |most: usize| Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
    let (lists, bundles) = (lane(api.limits.lists_at_once), lane(api.limits.bundles_at_once));
    let complaints = lane(api.desk.limits.at_once);
    let pace = Pace::new(api.limits.requests_per_sec);
    let salt = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (counts, cache, description) = (Counts::default(), Cache::default(), OnceLock::new());
    let shared = Arc::new(Shared { api, counts, lists, bundles, complaints, cache, description, salt, pace });
    Router::new()
        .route("/v1/attestations", get(own_attestations))
        .route("/v1/attestations/{rental}", get(attestations))
        .route("/v1/certificates/{machine}", get(certificates))
        .route("/v1/figures/{machine}", get(figures))
        .route("/v1/spoofs", get(own_spoofs))
        .route("/v1/spoofs/{machine}", get(spoofs))
        .route(COMPLAINTS, post(complaints::complain).fallback(async || ApiError::NotPost))
        .route("/v1/complaints/{rental}", get(complaints_of))
        .route("/v1/epochs", get(epochs))
        .merge(alpha::routes())
        .merge(market::routes())
        .merge(page::routes())
        .route("/evidence/{digest}", get(evidence))
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics_text))
        .fallback(async || ApiError::NoRoute)
        .method_not_allowed_fallback(async || ApiError::NotGet)
        .layer(middleware::from_fn_with_state(shared.clone(), guard))
        .with_state(shared)
}

/// The one path that takes something in.
const COMPLAINTS: &str = "/v1/complaints";

/// Round every request: not too many of one host, no body but a complaint's, bounded time, headers of a public API.
async fn guard(
    State(shared): App,
    ConnectInfo(From(from)): ConnectInfo<From>,
    request: Request,
    next: Next,
) -> Response {
    let complains = request.method() == Method::POST && request.uri().path() == COMPLAINTS;
    let mut response = if !shared.pace.allows(from.ip(), Instant::now()) {
        ApiError::Hasty { per_sec: shared.pace.per_sec() }.into_response()
    } else if complains || request.body().is_end_stream() {
        let answer = tokio::time::timeout(shared.api.limits.answer_max, next.run(request)).await;
        answer.unwrap_or_else(|_| ApiError::TooSlow.into_response())
    } else {
        ApiError::Body.into_response()
    };
    shared.counts.answered(response.status());
    let refused = response.status().is_client_error() || response.status().is_server_error();
    let headers = response.headers_mut();
    // Who gets no answer need not keep its place; who gets one may ask again, for a while (`listener`).
    if refused || complains {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// An answer with its place in the lane, which is given back when the last byte has been sent.
struct Held {
    bytes: Vec<u8>,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Shared {
    /// Reads the store on a blocking thread. A read goes on when its request has timed out, and keeps its place in the
    /// lane until it ends, so the lane bounds threads as well as memory.
    async fn read<T: Serialize>(
        &self,
        lane: &Arc<Semaphore>,
        work: impl FnOnce(&dyn Archive) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<Response, ApiError> {
        let permit = lane.clone().try_acquire_owned().map_err(|_| {
            self.counts.shed.fetch_add(1, Relaxed);
            ApiError::Busy
        })?;
        let archive = self.api.archive.clone();
        let job = tokio::task::spawn_blocking(move || {
            let bytes = serde_json::to_vec(&work(archive.as_ref())?).map_err(store_failed)?;
            Ok(Held { bytes, _permit: permit })
        });
        let held = job.await.map_err(store_failed)??;
        let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        Ok((json, Body::from(Bytes::from_owner(held))).into_response())
    }
}

pub(super) fn store_failed(error: impl std::fmt::Display) -> ApiError {
    tracing::error!(%error, "an HTTP request could not be answered");
    ApiError::Store
}

/// The one part of the path, parsed.
pub(super) fn part<T: FromStr>(path: Result<Path<String>, PathRejection>, error: ApiError) -> Result<T, ApiError> {
    let Ok(Path(text)) = path else { return Err(error) };
    text.parse().map_err(|_| error)
}

pub(super) type Part = Result<Path<String>, PathRejection>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageQuery {
    after: Option<u64>,
    limit: Option<u32>,
}

async fn own_attestations(
    State(shared): App,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let page_max = shared.api.limits.page_max;
    let Query(PageQuery { after, limit }) = query.map_err(|_| ApiError::BadPage { page_max })?;
    let limit = limit.unwrap_or(shared.api.limits.page_default.min(page_max));
    if limit == 0 || limit > page_max {
        return Err(ApiError::BadPage { page_max });
    }
    let failing = shared.api.progress.hints.lock().map(|shown| shown.clone()).unwrap_or_default();
    let work = move |archive: &dyn Archive| {
        let own = archive.own_attestations_after(after.unwrap_or(0), limit).map_err(store_failed)?;
        let attestations = own.into_iter().take(limit as usize).map(|(seq, signed)| Numbered { seq, signed }).collect();
        Ok(Page { attestations, failing })
    };
    shared.read(&shared.lists, work).await
}

#[derive(Serialize)]
struct Attestations {
    attestations: Vec<Signed<Attestation>>,
}

async fn attestations(State(shared): App, rental: Part) -> Result<Response, ApiError> {
    let rental: RentalId = part(rental, ApiError::BadRental)?;
    if rental == 0 {
        return Err(ApiError::BadRental);
    }
    let work = move |archive: &dyn Archive| {
        let attestations = archive.attestations_of(rental).map_err(store_failed)?;
        Ok(Attestations { attestations })
    };
    shared.read(&shared.lists, work).await
}

#[derive(Serialize)]
struct Certificates {
    certificates: Vec<Signed<Certificate>>,
}

async fn certificates(State(shared): App, machine: Part) -> Result<Response, ApiError> {
    let machine = part(machine, ApiError::BadMachine)?;
    let work = move |archive: &dyn Archive| {
        let certificates = archive.certificates_of(machine).map_err(store_failed)?;
        Ok(Certificates { certificates })
    };
    shared.read(&shared.lists, work).await
}

async fn figures(State(shared): App, machine: Part) -> Result<Response, ApiError> {
    let machine = part(machine, ApiError::BadMachine)?;
    let work = move |archive: &dyn Archive| -> Result<SoftFigures, ApiError> {
        archive.figures_of(machine).map_err(store_failed)?.ok_or(ApiError::NoFigures)
    };
    shared.read(&shared.lists, work).await
}

async fn own_spoofs(State(shared): App) -> Result<Response, ApiError> {
    let work = |archive: &dyn Archive| {
        let mut spoofs = archive.own_spoofs().map_err(store_failed)?;
        spoofs.truncate(SPOOFS_MAX);
        Ok(SpoofPage { spoofs })
    };
    shared.read(&shared.lists, work).await
}

async fn spoofs(State(shared): App, machine: Part) -> Result<Response, ApiError> {
    let machine = part(machine, ApiError::BadMachine)?;
    let work = move |archive: &dyn Archive| {
        let mut spoofs = archive.spoofs_of(machine).map_err(store_failed)?;
        spoofs.truncate(SPOOFS_MAX);
        Ok(SpoofPage { spoofs })
    };
    shared.read(&shared.lists, work).await
}

async fn complaints_of(State(shared): App, rental: Part) -> Result<Response, ApiError> {
    let rental: RentalId = part(rental, ApiError::BadRental)?;
    shared.read(&shared.lists, move |archive: &dyn Archive| complaints::page(archive, rental)).await
}

async fn evidence(State(shared): App, digest: Part) -> Result<Response, ApiError> {
    let digest = part(digest, ApiError::BadDigest)?;
    let work = move |archive: &dyn Archive| -> Result<Bundle, ApiError> {
        let found: Result<Option<Bundle>, ArchiveError> = archive.bundle(digest);
        found.map_err(store_failed)?.ok_or(ApiError::NoEvidence)
    };
    let mut response = shared.read(&shared.bundles, work).await?;
    // The digest names the bytes: they never change.
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    response.headers_mut().insert(header::CACHE_CONTROL, forever);
    Ok(response)
}

async fn epochs(State(shared): App) -> Result<Response, ApiError> {
    // 0 before anything was read: what is shown must not take an epoch long past for the next one.
    match shared.api.progress.finalized_block.load(Relaxed) {
        0 => Err(ApiError::NoEpochYet),
        newest => {
            let epochs = shared.api.epochs.published(newest);
            Ok(axum::Json(EpochPage { epoch_blocks: EPOCH_BLOCKS, epochs }).into_response())
        }
    }
}

async fn healthz(State(shared): App) -> Response {
    let health = health::judge(&shared.api.progress, (shared.api.now_ms)(), &shared.api.limits);
    let status = if health.healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(health)).into_response()
}

async fn metrics_text(State(shared): App) -> Response {
    let text = metrics::text(&shared);
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"))], text)
        .into_response()
}
