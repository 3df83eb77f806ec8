//! Webhooks: made, listed, changed, rotated, taken away.

use axum::extract::State;
use hookyard_app::RotateInput;
use hookyard_domain::limit;
use http::StatusCode;
use serde::Deserialize;

use super::ask::{At, Json, MaybeJson, Params, Reply, reply};
use super::envelope::List;
use super::wire::{
    Deleted, NewWebhook, PageParams, Webhook, WebhookAnswer, WebhookListAnswer, WebhookPatch,
};
use crate::ask;
use crate::state::DoorState;

/// List webhooks
#[utoipa::path(
    get, path = "/", operation_id = "listWebhooks", tag = "Webhooks", params(PageParams),
    responses((status = 200, description = "A page, newest first.", body = WebhookListAnswer)),
)]
pub async fn list(State(state): State<DoorState>, at: At, Params(query): Params) -> Reply {
    let page = query.page()?;
    let rows_max = rows_max(page.limit.as_deref());
    let page = state.app().sources(&at.caller, &at.tenant, page).await?;
    let page = page.map(|it| Webhook::new(it, &at.base_url));
    reply(StatusCode::OK, List::of(page, rows_max))
}

/// Rows of a page, as they were asked for; one that is out of range was refused.
pub fn rows_max(limit: Option<&str>) -> u32 {
    limit.and_then(|it| it.parse().ok()).unwrap_or(limit::PAGE_DEFAULT)
}

/// Create a webhook
///
/// The answer shows its signing secret, this once.
#[utoipa::path(
    post, path = "/", operation_id = "createWebhook", tag = "Webhooks", request_body = NewWebhook,
    responses((status = 201, description = "The webhook, with its secret.", body = WebhookAnswer)),
)]
pub async fn create(State(state): State<DoorState>, at: At, Json(new): Json<NewWebhook>) -> Reply {
    let made = state.app().create_source(&at.caller, &at.tenant, new.into()).await?;
    let webhook = Webhook::new(made.details, &at.base_url).with_secret(made.secret.as_ref());
    reply(StatusCode::CREATED, webhook)
}

/// Get a webhook
#[utoipa::path(
    get, path = "/{id}", operation_id = "getWebhook", tag = "Webhooks",
    responses((status = 200, description = "The webhook.", body = WebhookAnswer)),
)]
pub async fn read(State(state): State<DoorState>, at: At) -> Reply {
    let details = state.app().source(&at.caller, &at.tenant, &at.source()?).await?;
    reply(StatusCode::OK, Webhook::new(details, &at.base_url))
}

/// Change a webhook
///
/// `status` and `enabled` follow each other. What a paused webhook received is forwarded once it is active again.
#[utoipa::path(
    patch, path = "/{id}", operation_id = "updateWebhook", tag = "Webhooks", request_body = WebhookPatch,
    responses((status = 200, description = "The webhook as it is after.", body = WebhookAnswer)),
)]
pub async fn update(
    State(state): State<DoorState>,
    at: At,
    Json(patch): Json<WebhookPatch>,
) -> Reply {
    let patch = patch.read(&at.own_urls())?;
    let app = state.app();
    let details = app.change_source(&at.caller, &at.tenant, &at.source()?, patch).await?;
    reply(StatusCode::OK, Webhook::new(details, &at.base_url))
}

/// Delete a webhook
///
/// For good, with its forwarding.
#[utoipa::path(
    delete, path = "/{id}", operation_id = "deleteWebhook", tag = "Webhooks",
    responses((status = 200, description = "It is gone. This answer has nothing around it.", body = Deleted)),
)]
pub async fn delete(State(state): State<DoorState>, at: At) -> Reply {
    state.app().delete_source(&at.caller, &at.tenant, &at.source()?).await?;
    Ok(ask::reply(StatusCode::OK, &Deleted { deleted: true })?)
}

/// Rotate the signing secret
///
/// The answer shows the new one, this once. Signatures made with the old one stop verifying at once.
#[utoipa::path(
    post, path = "/{id}/rotate", operation_id = "rotateWebhookSecret", tag = "Webhooks",
    responses((status = 200, description = "The webhook, with its new secret.", body = WebhookAnswer)),
)]
pub async fn rotate(State(state): State<DoorState>, at: At, _: MaybeJson<Nothing>) -> Reply {
    let (app, input) = (state.app(), RotateInput::default());
    let made = app.rotate_source_secret(&at.caller, &at.tenant, &at.source()?, input).await?;
    let webhook = Webhook::new(made.details, &at.base_url).with_secret(made.secret.as_ref());
    reply(StatusCode::OK, webhook)
}

/// The body of a request that needs none.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Nothing {}
