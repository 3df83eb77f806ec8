//! The handlers: Aly's words in, one or two wishes of the hall, Aly's words out.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::response::Response;
use hookyard_api::page::{Page, PageQuery};
use hookyard_app::{AppError, Caller, RotateInput};
use hookyard_domain::attempt::Attempt;
use hookyard_domain::delivery::Delivery as DomainDelivery;
use hookyard_domain::endpoint::EndpointStatus;
use hookyard_domain::profile::Profile;
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::errors::Refused;
use super::wire::{
    Delivery, DeliveryPage, DeliveryQuery, NewWebhook, Nothing, Webhook, WebhookPage, WebhookPatch,
    WebhookQuery,
};
use crate::ask;
use crate::state::DoorState;

/// Attempts that are shown of a delivery; Aly's schedule has 24.
const ATTEMPTS_SHOWN: &str = "25";

type Reply = Result<Response, Refused>;

/// Register a webhook
///
/// The answer shows its signing secret, this once.
#[utoipa::path(
    post, path = "/api/storefront/v1/merchant/webhooks", operation_id = "create_webhook", tag = "Webhooks",
    request_body = NewWebhook,
    responses((status = 201, description = "The webhook, with its secret.", body = Webhook)),
)]
pub async fn create(
    State(state): State<DoorState>,
    at: Workspace,
    Json(new): Json<NewWebhook>,
) -> Reply {
    let made = state.app().create_endpoint(&at.caller, &at.tenant, new.into()).await?;
    reply(StatusCode::CREATED, &Webhook::from(made.details).with_secret(made.secret.as_ref()))
}

/// List webhooks
#[utoipa::path(
    get, path = "/api/storefront/v1/merchant/webhooks", operation_id = "list_webhooks", tag = "Webhooks",
    params(WebhookQuery, PageQuery),
    responses((status = 200, description = "A page, newest first.", body = WebhookPage)),
)]
pub async fn list(State(state): State<DoorState>, at: Workspace, mut query: Params) -> Reply {
    let site = query.take("site_slug");
    let (app, page) = (state.app(), query.page()?);
    let page = app.endpoints_of(&at.caller, &at.tenant, site.as_deref(), page).await?;
    reply(StatusCode::OK, &Page::of(page, Webhook::from))
}

/// Get a webhook
#[utoipa::path(
    get, path = "/api/storefront/v1/merchant/webhooks/{id}", operation_id = "get_webhook", tag = "Webhooks",
    responses((status = 200, description = "The webhook.", body = Webhook)),
)]
pub async fn read(State(state): State<DoorState>, at: Workspace) -> Reply {
    let details = state.app().endpoint(&at.caller, &at.tenant, at.id()).await?;
    reply(StatusCode::OK, &Webhook::from(details))
}

/// Change a webhook
///
/// `active: false` pauses it: events are dropped, not queued.
#[utoipa::path(
    patch, path = "/api/storefront/v1/merchant/webhooks/{id}", operation_id = "update_webhook", tag = "Webhooks",
    request_body = WebhookPatch,
    responses((status = 200, description = "The webhook as it is after.", body = Webhook)),
)]
pub async fn update(
    State(state): State<DoorState>,
    at: Workspace,
    Json(patch): Json<WebhookPatch>,
) -> Reply {
    let (app, caller, tenant) = (state.app(), &at.caller, &at.tenant);
    let (patch, active) = patch.read()?;
    let mut details = app.update_endpoint(caller, tenant, at.id(), patch).await?;
    match active {
        None => {}
        Some(false) => details = app.disable_endpoint(caller, tenant, at.id()).await?,
        // One that is held goes on by resuming; all others by enabling.
        Some(true) if details.endpoint.status == EndpointStatus::Paused => {
            details = app.resume_endpoint(caller, tenant, at.id()).await?;
        }
        Some(true) => details = app.enable_endpoint(caller, tenant, at.id()).await?,
    }
    reply(StatusCode::OK, &Webhook::from(details))
}

/// Delete a webhook
///
/// For good. Its deliveries stay listed for the retention window.
#[utoipa::path(
    delete, path = "/api/storefront/v1/merchant/webhooks/{id}", operation_id = "delete_webhook", tag = "Webhooks",
    responses((status = 204, description = "It is gone.")),
)]
pub async fn delete(State(state): State<DoorState>, at: Workspace) -> Reply {
    state.app().delete_endpoint(&at.caller, &at.tenant, at.id()).await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// Rotate the signing secret
///
/// The answer shows the new one, this once. The old one is invalid at once.
#[utoipa::path(
    post, path = "/api/storefront/v1/merchant/webhooks/{id}/rotate-secret", operation_id = "rotate_webhook_secret",
    tag = "Webhooks",
    responses((status = 200, description = "The webhook, with its new secret.", body = Webhook)),
)]
pub async fn rotate_secret(State(state): State<DoorState>, at: Workspace, _: NoBody) -> Reply {
    let input = RotateInput::default();
    let made = state.app().rotate_secret(&at.caller, &at.tenant, at.id(), input).await?;
    reply(StatusCode::OK, &Webhook::from(made.details).with_secret(made.secret.as_ref()))
}

/// List the deliveries of a webhook
///
/// Those of a deleted one too. Each row shows its attempts: when, the status code, the first 4 KiB answered, the latency.
#[utoipa::path(
    get, path = "/api/storefront/v1/merchant/webhooks/{id}/deliveries", operation_id = "list_webhook_deliveries",
    tag = "Deliveries", params(DeliveryQuery, PageQuery),
    responses((status = 200, description = "A page, newest event first.", body = DeliveryPage)),
)]
pub async fn deliveries(State(state): State<DoorState>, at: Workspace, mut query: Params) -> Reply {
    let filter = hookyard_app::DeliveryQuery {
        endpoint: Some(at.id().to_owned()),
        status: query.take("status"),
        ..hookyard_app::DeliveryQuery::default()
    };
    let page = state.app().deliveries_to(&at.caller, &at.tenant, filter, query.page()?).await?;
    let mut data = Vec::with_capacity(page.rows.len());
    for row in page.rows {
        let attempts = attempts(&state, &at, &row).await?;
        data.push(Delivery::new(row, attempts));
    }
    let next_cursor = page.next.map(|it| it.to_string());
    reply(StatusCode::OK, &Page { data, next_cursor })
}

async fn attempts(
    state: &DoorState,
    at: &Workspace,
    delivery: &DomainDelivery,
) -> Result<Vec<Attempt>, Refused> {
    if delivery.attempts == 0 {
        return Ok(Vec::new());
    }
    let page = hookyard_app::PageQuery { limit: Some(ATTEMPTS_SHOWN.into()), cursor: None };
    let id = delivery.id.to_string();
    match state.app().attempts(&at.caller, &at.tenant, &id, page).await {
        Ok((_, page)) => Ok(page.rows),
        // Its retention ended between the two questions.
        Err(AppError::NotFound { .. }) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// Replay a delivery
///
/// Queues a fresh delivery of the same event to the same webhook: same `event_id`, new id, timestamp and signature.
#[utoipa::path(
    post, path = "/api/storefront/v1/merchant/webhooks/{id}/deliveries/{delivery}/replay",
    operation_id = "replay_webhook_delivery", tag = "Deliveries",
    responses((status = 202, description = "The fresh delivery.", body = Delivery)),
)]
pub async fn replay(State(state): State<DoorState>, at: Workspace, _: NoBody) -> Reply {
    let app = state.app();
    let fresh = app.replay_delivery(&at.caller, &at.tenant, at.id(), at.delivery()).await?;
    reply(StatusCode::ACCEPTED, &Delivery::new(fresh, Vec::new()))
}

fn reply(status: StatusCode, value: &impl Serialize) -> Reply {
    Ok(ask::reply(status, value)?)
}

/// A caller, the workspace their key belongs to, and the ids in the path.
pub struct Workspace {
    caller: Caller,
    tenant: String,
    ids: [String; 2],
}

impl Workspace {
    fn id(&self) -> &str {
        &self.ids[0]
    }

    fn delivery(&self) -> &str {
        &self.ids[1]
    }
}

impl FromRequestParts<DoorState> for Workspace {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &DoorState) -> Result<Self, Refused> {
        let (caller, tenant) = ask::member(parts, state, Profile::Aly).await?;
        let ids = ask::path(parts, state).await.ok_or(Refused::NoRoute)?;
        Ok(Self { caller, tenant, ids })
    }
}

/// A JSON body.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<DoorState> for Json<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &DoorState) -> Result<Self, Refused> {
        Ok(Self(ask::json(request).await?))
    }
}

/// No body, or one that says nothing: `{}` or `null`.
pub struct NoBody;

impl FromRequest<DoorState> for NoBody {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &DoorState) -> Result<Self, Refused> {
        ask::maybe_json::<Nothing>(request).await?;
        Ok(Self)
    }
}

/// The parameters of a query.
pub struct Params(ask::Query);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        Ok(Self(ask::Query::of(parts)?))
    }
}

impl Params {
    fn take(&mut self, name: &str) -> Option<String> {
        self.0.take(name)
    }

    /// Takes those of a page; nothing may be left after that.
    fn page(self) -> Result<hookyard_app::PageQuery, Refused> {
        self.0.page().map_err(Refused::Fields)
    }
}
