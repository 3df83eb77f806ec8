//! The handlers: Aly's words in, one or two wishes of the hall, Aly's words out.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request, State};
use axum::response::Response;
use hookyard_api::json::Object;
use hookyard_api::page::{Page, PageQuery};
use hookyard_app::{AppError, Caller, RotateInput};
use hookyard_domain::attempt::Attempt;
use hookyard_domain::delivery::Delivery as DomainDelivery;
use hookyard_domain::endpoint::EndpointStatus;
use hookyard_domain::invalid::Invalid;
use hookyard_domain::limit;
use hookyard_domain::profile::Profile;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::errors::Refused;
use super::wire::{
    Delivery, DeliveryPage, DeliveryQuery, NewWebhook, Nothing, Webhook, WebhookPage, WebhookPatch,
    delivery_id,
};
use crate::auth;
use crate::body;
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
    params(PageQuery),
    responses((status = 200, description = "A page, newest first.", body = WebhookPage)),
)]
pub async fn list(State(state): State<DoorState>, at: Workspace, query: Params) -> Reply {
    let page = state.app().endpoints(&at.caller, &at.tenant, query.page()?).await?;
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
    let delivery = delivery_id(at.delivery());
    let app = state.app();
    let fresh = app.replay_delivery(&at.caller, &at.tenant, at.id(), &delivery).await?;
    reply(StatusCode::ACCEPTED, &Delivery::new(fresh, Vec::new()))
}

fn reply(status: StatusCode, value: &impl Serialize) -> Reply {
    let body = serde_json::to_vec(value).map_err(|error| AppError::Internal(error.into()))?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
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
        let origin = auth::origin(&parts.extensions);
        let caller = state.app().authenticate(auth::bearer(&parts.headers), origin).await?;
        let caller = caller.through(Profile::Aly);
        let tenant = caller.own_tenant()?.as_str().to_owned();
        // What cannot be read names nothing that is there.
        let given =
            RawPathParams::from_request_parts(parts, state).await.map_err(|_| Refused::NoRoute)?;
        let mut values = given.iter().map(|(_, value)| value.to_owned());
        let ids = std::array::from_fn(|_| values.next().unwrap_or_default());
        Ok(Self { caller, tenant, ids })
    }
}

/// A JSON body.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<DoorState> for Json<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &DoorState) -> Result<Self, Refused> {
        let (parts, body) = request.into_parts();
        body::require_json(&parts.headers)?;
        let bytes = body::read(&parts.headers, body, limit::BODY_BYTES_MAX).await?;
        Ok(Self(body::json::<Object<T>>(&bytes)?.0))
    }
}

/// No body, or one that says nothing: `{}` or `null`.
pub struct NoBody;

impl FromRequest<DoorState> for NoBody {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &DoorState) -> Result<Self, Refused> {
        let (parts, body) = request.into_parts();
        let bytes = body::read(&parts.headers, body, limit::BODY_BYTES_MAX).await?;
        if !bytes.is_empty() {
            body::json::<Option<Object<Nothing>>>(&bytes)?;
        }
        Ok(Self)
    }
}

/// The parameters of a query. Each is taken once; what is left over is refused, so that a misspelt filter does not quietly
/// show everything.
pub struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let Query(given) = Query::try_from_uri(&parts.uri)
            .map_err(|_| Invalid::new("", "bad_query", "the query cannot be read"))?;
        Ok(Self(given))
    }
}

impl Params {
    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(it, _)| it == name)?;
        Some(self.0.remove(at).1)
    }

    /// Takes those of a page; nothing may be left after that.
    fn page(mut self) -> Result<hookyard_app::PageQuery, Refused> {
        let page =
            hookyard_app::PageQuery { limit: self.take("limit"), cursor: self.take("cursor") };
        if self.0.is_empty() {
            return Ok(page);
        }
        let message = "there is no such parameter here, or it is there twice";
        let left = self.0.into_iter();
        Err(Refused::Fields(
            left.map(|(name, _)| Invalid::new(name, "unknown_parameter", message)).collect(),
        ))
    }
}
