//! The market's routes: questions parsed, answered from the market as it is, and kept until it changes.

use super::cached::Answer;
use super::error::ApiError;
use super::openapi;
use super::routes::{Part, Shared, part};
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, RawQuery, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use surety_core::types::{Account, CaseId, MachineId, RentalId};
use surety_market::market::Market;
use surety_market::query::{CaseQuery, MarketQuery, RentalQuery};
use surety_market::{days, wire};

type App = State<Arc<Shared>>;
type Asked<T> = Result<Query<T>, QueryRejection>;

/// A question longer than any that makes sense.
const QUERY_BYTES_MAX: usize = 1_024;

const JSON: &str = "application/json";

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v1/market", get(machines))
        .route("/v1/machines/{machine}", get(machine))
        .route("/v1/rentals", get(rentals))
        .route("/v1/rentals/{rental}", get(rental))
        .route("/v1/cases", get(cases))
        .route("/v1/cases/{case}", get(case))
        .route("/v1/miners/{account}", get(miner))
        .route("/v1/network", get(network))
        .route("/v1/network/days", get(network_days))
        .route("/v1/network/days.csv", get(network_csv))
        .route("/v1/openapi.json", get(description))
}

/// What a question is asked with.
struct Question {
    uri: Uri,
    headers: HeaderMap,
}

impl Shared {
    /// The answer kept for this very question, or a new one made on a blocking thread.
    async fn of_market(
        self: Arc<Self>,
        asked: Question,
        kind: &'static str,
        make: impl FnOnce(&Market) -> Result<Vec<u8>, ApiError> + Send + 'static,
    ) -> Result<Response, ApiError> {
        let Question { uri, headers } = asked;
        let question = uri.path_and_query().map(|asked| asked.as_str()).unwrap_or_default();
        if question.len() > QUERY_BYTES_MAX {
            return Err(ApiError::BadQuery { why: format!("it is longer than {QUERY_BYTES_MAX} bytes") });
        }
        let generation = self.api.shop.generation();
        if generation == 0 {
            return Err(ApiError::NotReadYet);
        }
        if let Some(kept) = self.cache.find(generation, question) {
            return Ok(kept.response(&headers, &self.etag(generation)));
        }
        let permit = self.lists.clone().try_acquire_owned().map_err(|_| {
            self.counts.shed.fetch_add(1, Relaxed);
            ApiError::Busy
        })?;
        let (shared, question) = (self.clone(), question.to_owned());
        let job = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let (generation, made) = shared.api.shop.read(|market| (market.generation(), make(market)));
            let answer = Arc::new(Answer::new(kind, made?));
            shared.cache.keep(generation, question, answer.clone());
            Ok::<_, ApiError>((generation, answer))
        });
        let (generation, answer) = job.await.map_err(super::routes::store_failed)??;
        Ok(answer.response(&headers, &self.etag(generation)))
    }

    fn etag(&self, generation: u64) -> String {
        format!("W/\"{generation}-{:x}\"", self.salt)
    }
}

fn json(answer: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(answer).map_err(super::routes::store_failed)
}

/// A question's fields; those it does not know are refused, not passed over.
fn fields<T>(asked: Asked<T>) -> Result<T, ApiError> {
    asked.map(|Query(fields)| fields).map_err(|error| ApiError::BadQuery { why: cause(&error) })
}

fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string().chars().filter(|c| !c.is_control()).take(200).collect()
}

/// A path that takes no question is asked with none.
fn nothing(query: &RawQuery) -> Result<(), ApiError> {
    match &query.0 {
        Some(text) if !text.is_empty() => Err(ApiError::BadQuery { why: "this path takes no fields".into() }),
        _ => Ok(()),
    }
}

fn of_limit(error: surety_market::query::BadLimit) -> ApiError {
    ApiError::BadQuery { why: error.to_string() }
}

async fn machines(
    State(shared): App,
    asked: Asked<MarketQuery>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let query = fields(asked)?;
    let make = move |market: &Market| json(&market.list(&query).map_err(of_limit)?);
    shared.of_market(Question { uri, headers }, JSON, make).await
}

async fn machine(
    State(shared): App,
    machine: Part,
    query: RawQuery,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    nothing(&query)?;
    let machine: MachineId = part(machine, ApiError::BadMachine)?;
    let make = move |market: &Market| json(&market.machine(machine).ok_or(ApiError::NoMachine)?);
    shared.of_market(Question { uri, headers }, JSON, make).await
}

async fn rentals(
    State(shared): App,
    asked: Asked<RentalQuery>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let query = fields(asked)?;
    let make = move |market: &Market| json(&market.rentals(&query).map_err(of_limit)?);
    shared.of_market(Question { uri, headers }, JSON, make).await
}

async fn rental(
    State(shared): App,
    rental: Part,
    query: RawQuery,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    nothing(&query)?;
    let rental: RentalId = part(rental, ApiError::BadRental)?;
    let make = move |market: &Market| json(&market.rental(rental).ok_or(ApiError::NoSuchRental)?);
    shared.of_market(Question { uri, headers }, JSON, make).await
}

async fn cases(
    State(shared): App,
    asked: Asked<CaseQuery>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let query = fields(asked)?;
    let make = move |market: &Market| json(&market.cases(&query).map_err(of_limit)?);
    shared.of_market(Question { uri, headers }, JSON, make).await
}

async fn case(
    State(shared): App,
    case: Part,
    query: RawQuery,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    nothing(&query)?;
    let case: CaseId = part(case, ApiError::BadCase)?;
    let make = move |market: &Market| json(&market.case(case).ok_or(ApiError::NoSuchCase)?);
    shared.of_market(Question { uri, headers }, JSON, make).await
}

async fn miner(
    State(shared): App,
    account: Part,
    query: RawQuery,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    nothing(&query)?;
    let account: Account = part(account, ApiError::BadAccount)?;
    shared.of_market(Question { uri, headers }, JSON, move |market| json(&market.miner(account))).await
}

async fn network(State(shared): App, query: RawQuery, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    nothing(&query)?;
    shared.of_market(Question { uri, headers }, JSON, |market| json(&market.network())).await
}

async fn network_days(State(shared): App, query: RawQuery, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    nothing(&query)?;
    shared.of_market(Question { uri, headers }, JSON, |market| json(&market.network_days())).await
}

async fn network_csv(State(shared): App, query: RawQuery, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    nothing(&query)?;
    let make = |market: &Market| {
        let wire::NetworkDays { days, .. } = market.network_days();
        Ok(days::csv(&days).into_bytes())
    };
    shared.of_market(Question { uri, headers }, "text/csv; charset=utf-8", make).await
}

/// The same whatever the market is.
async fn description(State(shared): App, headers: HeaderMap) -> Result<Response, ApiError> {
    let made = shared.description.get_or_init(|| {
        let bytes = serde_json::to_vec(&openapi::describe()).unwrap_or_default();
        Answer::new(JSON, bytes)
    });
    Ok(made.response(&headers, concat!("W/\"", env!("CARGO_PKG_VERSION"), "\"")))
}
