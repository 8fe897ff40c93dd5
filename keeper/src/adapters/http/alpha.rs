//! Statements about bonds of alpha, made when they are asked for.

use super::error::ApiError;
use super::routes::{Part, Shared, part};
use crate::ports::{Answering, Stating, StatingError};
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use std::sync::Arc;
use surety_core::types::{CaseId, MachineId};

type App = State<Arc<Shared>>;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v1/alpha/bonds/{machine}", get(bond))
        .route("/v1/alpha/cases/{case}", get(case))
        .route("/v1/alpha/verdicts/{case}", get(verdict))
}

async fn bond(State(shared): App, machine: Part) -> Result<Response, ApiError> {
    let machine: MachineId = part(machine, ApiError::BadMachine)?;
    answer(notary(&shared)?.bond(machine)).await
}

async fn case(State(shared): App, case: Part) -> Result<Response, ApiError> {
    let case: CaseId = part(case, ApiError::BadCase)?;
    answer(notary(&shared)?.case(case)).await
}

async fn verdict(State(shared): App, case: Part) -> Result<Response, ApiError> {
    let case: CaseId = part(case, ApiError::BadCase)?;
    answer(notary(&shared)?.verdict(case)).await
}

fn notary(shared: &Shared) -> Result<&dyn Stating, ApiError> {
    shared.api.stating.as_deref().ok_or(ApiError::NoAlpha)
}

async fn answer<T: Serialize>(answering: Answering<'_, T>) -> Result<Response, ApiError> {
    match answering.await {
        Ok(signed) => Ok(Json(signed).into_response()),
        Err(StatingError::Not(why)) => Err(ApiError::NotStated { why: why.to_string() }),
        Err(StatingError::Nothing(why)) => Err(ApiError::NothingStated { why }),
        Err(StatingError::NotNow(why)) => Err(ApiError::NotStatedNow { why }),
    }
}
