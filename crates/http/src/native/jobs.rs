//! Jobs of a tenant.

use axum::extract::State;
use hookyard_api::jobs::{Job, JobPage, RecoverEndpoint};
use hookyard_api::page::{Page, PageQuery};
use hookyard_app::RecoverInput;
use http::StatusCode;

use super::extract::{AtItem, AtTenant, Json, NoBody, Params, Reply, reply};
use crate::state::DoorState;

/// Recover an endpoint
///
/// Makes its failed deliveries due again, the oldest event first, as a job: after an outage of its receiver. Each gets the
/// attempts a retry by hand gets. The job goes on by itself, over restarts too; it fails when the endpoint is switched off.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/endpoints/{id}/recover", operation_id = "recover_endpoint", tag = "Endpoints",
    request_body = RecoverEndpoint,
    responses((status = 202, description = "The job.", body = Job)),
)]
pub async fn recover(
    State(state): State<DoorState>,
    at: AtItem,
    Json(form): Json<RecoverEndpoint>,
) -> Reply {
    let input = RecoverInput {
        since: form.since,
        until: form.until,
        statuses: form.status.map(Into::into),
        rate_per_s: form.rate_per_s,
        limit: form.limit,
    };
    let job = state.app().recover_endpoint(&at.caller, &at.tenant, &at.id, input).await?;
    reply(StatusCode::ACCEPTED, &Job::from(job))
}

/// List jobs
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/jobs", operation_id = "list_jobs", tag = "Jobs",
    params(PageQuery),
    responses((status = 200, description = "A page, newest first.", body = JobPage)),
)]
pub async fn list(State(state): State<DoorState>, at: AtTenant, query: Params) -> Reply {
    let page = state.app().jobs(&at.caller, &at.tenant, query.page()?).await?;
    reply(StatusCode::OK, &Page::of(page, Job::from))
}

/// Get a job
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/jobs/{id}", operation_id = "get_job", tag = "Jobs",
    responses((status = 200, description = "The job as it stands.", body = Job)),
)]
pub async fn read(State(state): State<DoorState>, at: AtItem) -> Reply {
    let job = state.app().job(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &Job::from(job))
}

/// Cancel a job
///
/// What it has done stays done. One that has ended stays as it is.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/jobs/{id}/cancel", operation_id = "cancel_job", tag = "Jobs",
    responses((status = 200, description = "The job as it is now.", body = Job)),
)]
pub async fn cancel(State(state): State<DoorState>, at: AtItem, _: NoBody) -> Reply {
    let job = state.app().cancel_job(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &Job::from(job))
}
