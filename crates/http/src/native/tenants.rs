//! Tenants: for the operator.

use axum::extract::State;
use axum::response::Response;
use hookyard_api::json::Object;
use hookyard_api::page::{Page, PageQuery};
use hookyard_api::tenants::{NewTenant, Tenant, TenantLimitsForm, TenantPage, TenantPatch};
use hookyard_app::LimitsInput;
use http::StatusCode;

use super::extract::{AtTenant, Json, Params, Reply, no_content, reply};
use super::problem::Refused;
use crate::auth::Asker;
use crate::state::DoorState;

/// Create a tenant
#[utoipa::path(
    post, path = "/v1/tenants", operation_id = "create_tenant", tag = "Tenants",
    request_body = NewTenant,
    responses((status = 201, description = "The tenant.", body = Tenant)),
)]
pub async fn create(
    State(state): State<DoorState>,
    Asker(caller): Asker,
    Json(new): Json<NewTenant>,
) -> Reply {
    let new = hookyard_app::NewTenant {
        id: new.id,
        name: new.name,
        profile: new.profile,
        limits: new.limits.map(limits),
        retention_days: new.retention_days,
    };
    let tenant = state.app().create_tenant(&caller, new).await?;
    reply(StatusCode::CREATED, &Tenant::from(tenant))
}

/// List tenants
#[utoipa::path(
    get, path = "/v1/tenants", operation_id = "list_tenants", tag = "Tenants",
    params(PageQuery),
    responses((status = 200, description = "A page, newest first.", body = TenantPage)),
)]
pub async fn list(State(state): State<DoorState>, Asker(caller): Asker, query: Params) -> Reply {
    let page = state.app().tenants(&caller, query.page()?).await?;
    reply(StatusCode::OK, &Page::of(page, Tenant::from))
}

/// Get a tenant
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}", operation_id = "get_tenant", tag = "Tenants",
    responses((status = 200, description = "The tenant.", body = Tenant)),
)]
pub async fn read(State(state): State<DoorState>, at: AtTenant) -> Reply {
    let tenant = state.app().tenant(&at.caller, &at.tenant).await?;
    reply(StatusCode::OK, &Tenant::from(tenant))
}

/// Change a tenant
#[utoipa::path(
    patch, path = "/v1/tenants/{tenant}", operation_id = "update_tenant", tag = "Tenants",
    request_body = TenantPatch,
    responses((status = 200, description = "The tenant as it is after.", body = Tenant)),
)]
pub async fn update(
    State(state): State<DoorState>,
    at: AtTenant,
    Json(patch): Json<TenantPatch>,
) -> Reply {
    let patch = hookyard_app::TenantPatch {
        name: patch.name.into_option(),
        profile: patch.profile.into_option(),
        limits: patch.limits.map(limits).into_option(),
        retention_days: patch.retention_days.into_option(),
    };
    let tenant = state.app().update_tenant(&at.caller, &at.tenant, patch).await?;
    reply(StatusCode::OK, &Tenant::from(tenant))
}

/// Delete a tenant
///
/// Its keys and endpoints are gone at once, its events and deliveries soon after.
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}", operation_id = "delete_tenant", tag = "Tenants",
    responses((status = 204, description = "It is gone.")),
)]
pub async fn delete(State(state): State<DoorState>, at: AtTenant) -> Result<Response, Refused> {
    state.app().delete_tenant(&at.caller, &at.tenant).await?;
    Ok(no_content())
}

fn limits(Object(form): Object<TenantLimitsForm>) -> LimitsInput {
    LimitsInput {
        endpoints: form.endpoints.into_option(),
        event_types_per_endpoint: form.event_types_per_endpoint.into_option(),
        payload_bytes: form.payload_bytes.into_option(),
        publish_per_s: form.publish_per_s.into_option(),
    }
}
