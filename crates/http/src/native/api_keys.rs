//! API keys of a tenant.

use axum::extract::State;
use hookyard_api::keys::{ApiKey, ApiKeyPage, NewApiKey};
use hookyard_api::page::{Page, PageQuery};
use hookyard_app::NewKey;
use http::StatusCode;

use super::extract::{AtItem, AtTenant, Json, Params, Reply, no_content, reply};
use crate::state::DoorState;

/// Create an API key
///
/// The answer shows the key itself, this once.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/api-keys", operation_id = "create_api_key", tag = "API keys",
    request_body = NewApiKey,
    responses((status = 201, description = "The key, with its text.", body = ApiKey)),
)]
pub async fn create(
    State(state): State<DoorState>,
    at: AtTenant,
    Json(new): Json<NewApiKey>,
) -> Reply {
    let new = NewKey { name: new.name, scopes: new.scopes, expires_at: new.expires_at };
    let made = state.app().create_key(&at.caller, &at.tenant, new).await?;
    let key = Some(made.text.reveal().to_owned());
    reply(StatusCode::CREATED, &ApiKey { key, ..ApiKey::from(made.key) })
}

/// List API keys
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/api-keys", operation_id = "list_api_keys", tag = "API keys",
    params(PageQuery),
    responses((status = 200, description = "A page, newest first.", body = ApiKeyPage)),
)]
pub async fn list(State(state): State<DoorState>, at: AtTenant, query: Params) -> Reply {
    let page = state.app().keys(&at.caller, &at.tenant, query.page()?).await?;
    reply(StatusCode::OK, &Page::of(page, ApiKey::from))
}

/// Revoke an API key
///
/// It stops working at once.
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/api-keys/{id}", operation_id = "delete_api_key", tag = "API keys",
    responses((status = 204, description = "It is gone.")),
)]
pub async fn delete(State(state): State<DoorState>, at: AtItem) -> Reply {
    state.app().delete_key(&at.caller, &at.tenant, &at.id).await?;
    Ok(no_content())
}
