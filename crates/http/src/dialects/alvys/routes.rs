//! Webhooks: created, listed, changed, proved.

use axum::extract::State;
use axum::response::Response;
use hookyard_app::{AppError, EndpointDetails, LoggedAttempt, PageQuery, RotateInput, TestInput};
use hookyard_domain::endpoint::EndpointStatus;
use hookyard_domain::limit;
use hookyard_domain::profile::Profile;
use http::{HeaderMap, StatusCode};

use super::ask::{At, Json, Params, Reply, if_match, reply, reply_at};
use super::errors::Refused;
use super::rows::DeliveryLog;
use super::wire::{
    CreateWebhookRequest, EventTypeResponse, PagedResponse, SecretResponse, UpdateWebhookRequest,
    VERIFICATION, VerifyResponse, WebhookResponse, subsidiary_id,
};
use crate::state::DoorState;

/// Create a webhook
///
/// It is verified at once and active when that succeeds. The answer shows its signing secret.
#[utoipa::path(
    post, path = "/", operation_id = "CreateWebhook", tag = "Webhooks", request_body = CreateWebhookRequest,
    responses((status = 201, description = "The webhook, with its secret.", body = WebhookResponse)),
)]
pub async fn create(
    State(state): State<DoorState>,
    at: At,
    Json(form): Json<CreateWebhookRequest>,
) -> Reply {
    let (new, missing) = form.into_endpoint();
    let made = state.app().create_endpoint(&at.caller, &at.tenant, new).await;
    let made = made.map_err(|error| left_out(error, &missing))?;
    let revision = made.details.endpoint.revision;
    let webhook = WebhookResponse::new(&at.tenant, made.details, made.secret.as_ref());
    reply_at(StatusCode::CREATED, revision, &webhook)
}

/// List webhooks
///
/// Newest first.
#[utoipa::path(
    get, path = "/", operation_id = "ListWebhooks", tag = "Webhooks",
    params(
        ("Page" = Option<u32>, Query, description = "From 0."),
        ("PageSize" = Option<u32>, Query, description = "1 to 100, 50 when not given."),
        ("SubsidiaryId" = Option<String>, Query, description = "Of this subsidiary."),
    ),
    responses((status = 200, description = "A page.", body = PagedResponse<WebhookResponse>)),
)]
pub async fn list(State(state): State<DoorState>, at: At, mut query: Params) -> Reply {
    let (page, page_size) = query.page();
    let subsidiary = query.take("SubsidiaryId");
    query.end()?;
    let mut all = all(&state, &at).await?;
    if let Some(subsidiary) = subsidiary {
        all.retain(|it| subsidiary_id(&at.tenant, &it.endpoint.settings) == subsidiary);
    }
    let total = all.len() as u64;
    let from = (page as usize).saturating_mul(page_size as usize);
    let rows = all.into_iter().skip(from).take(page_size as usize);
    let items = rows.map(|it| WebhookResponse::new(&at.tenant, it, None)).collect();
    reply(StatusCode::OK, &PagedResponse { page, page_size, total, items, facets: None })
}

/// Every webhook of the tenant: the profile allows 50.
async fn all(state: &DoorState, at: &At) -> Result<Vec<EndpointDetails>, AppError> {
    let mut all = Vec::new();
    let mut page = PageQuery { limit: Some(limit::PAGE_MAX.to_string()), cursor: None };
    loop {
        let found = state.app().endpoints(&at.caller, &at.tenant, page.clone()).await?;
        all.extend(found.rows);
        match found.next {
            Some(next) => page.cursor = Some(next.to_string()),
            None => return Ok(all),
        }
    }
}

/// List event types
///
/// All types, and whether a webhook can subscribe to them.
#[utoipa::path(
    get, path = "/event-types", operation_id = "ListEventTypes", tag = "Webhooks",
    responses((status = 200, description = "The types.", body = Vec<EventTypeResponse>)),
)]
pub async fn event_types(State(state): State<DoorState>, at: At) -> Reply {
    let entries =
        state.app().builtin_event_types(&at.caller, &at.tenant, Profile::Alvys.as_str()).await?;
    let known = entries.into_iter().map(|it| EventTypeResponse {
        name: it.name.to_string(),
        group: it.group.unwrap_or_default(),
        subscribable: true,
    });
    let handshake = EventTypeResponse {
        name: VERIFICATION.to_owned(),
        group: "webhook".to_owned(),
        subscribable: false,
    };
    reply(StatusCode::OK, &known.chain([handshake]).collect::<Vec<_>>())
}

/// Get a webhook
#[utoipa::path(
    get, path = "/{id}", operation_id = "GetWebhook", tag = "Webhooks",
    responses((status = 200, description = "The webhook.", body = WebhookResponse)),
)]
pub async fn read(State(state): State<DoorState>, at: At) -> Reply {
    let details = state.app().endpoint(&at.caller, &at.tenant, &at.id).await?;
    shown(&at, details)
}

/// Update a webhook
///
/// Another URL must prove itself again: the webhook is pending until it has. Anything else is in force at once. What cannot be
/// changed here may be sent back as it was read.
#[utoipa::path(
    put, path = "/{id}", operation_id = "UpdateWebhook", tag = "Webhooks", request_body = UpdateWebhookRequest,
    params(("If-Match" = Option<String>, Header, description = "The `ETag` that was seen last.")),
    responses((status = 200, description = "The webhook as it is after.", body = WebhookResponse)),
)]
pub async fn update(
    State(state): State<DoorState>,
    at: At,
    headers: HeaderMap,
    Json(form): Json<UpdateWebhookRequest>,
) -> Reply {
    let app = state.app();
    if form.has_read_only() {
        let details = app.endpoint(&at.caller, &at.tenant, &at.id).await?;
        form.check_read_only(&WebhookResponse::new(&at.tenant, details, None))?;
    }
    let patch = form.into_patch(if_match(&headers));
    let details = app.update_endpoint(&at.caller, &at.tenant, &at.id, patch).await?;
    shown(&at, details)
}

/// Delete a webhook
#[utoipa::path(
    delete, path = "/{id}", operation_id = "DeleteWebhook", tag = "Webhooks",
    params(("If-Match" = Option<String>, Header, description = "The `ETag` that was seen last.")),
    responses((status = 204, description = "It is gone.")),
)]
pub async fn delete(State(state): State<DoorState>, at: At, headers: HeaderMap) -> Reply {
    let seen = if_match(&headers);
    let app = state.app();
    app.delete_endpoint_if(&at.caller, &at.tenant, &at.id, seen.as_deref()).await?;
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// Enable a webhook
///
/// It is verified first. When that fails it is not enabled but pending, and the answer is 400.
#[utoipa::path(
    post, path = "/{id}/enable", operation_id = "EnableWebhook", tag = "Webhooks",
    responses((status = 200, description = "The webhook as it is after.", body = WebhookResponse)),
)]
pub async fn enable(State(state): State<DoorState>, at: At) -> Reply {
    let app = state.app();
    let mut details = app.enable_endpoint(&at.caller, &at.tenant, &at.id).await?;
    if details.endpoint.status == EndpointStatus::Paused {
        // This surface shows a pause as `Disabled`, so this is its way out.
        details = app.resume_endpoint(&at.caller, &at.tenant, &at.id).await?;
    }
    match details.endpoint.status {
        EndpointStatus::Pending => Err(Refused::Unverified),
        EndpointStatus::Active | EndpointStatus::Paused | EndpointStatus::Disabled => {
            shown(&at, details)
        }
    }
}

/// Disable a webhook
///
/// It gets nothing from now on.
#[utoipa::path(
    post, path = "/{id}/disable", operation_id = "DisableWebhook", tag = "Webhooks",
    responses((status = 200, description = "The webhook as it is after.", body = WebhookResponse)),
)]
pub async fn disable(State(state): State<DoorState>, at: At) -> Reply {
    let details = state.app().disable_endpoint(&at.caller, &at.tenant, &at.id).await?;
    shown(&at, details)
}

/// Verify a webhook
///
/// Sends the challenge; one that was pending or disabled is active when it passes.
#[utoipa::path(
    post, path = "/{id}/verify", operation_id = "VerifyWebhook", tag = "Webhooks",
    responses((status = 200, description = "What came of it.", body = VerifyResponse)),
)]
pub async fn verify(State(state): State<DoorState>, at: At) -> Reply {
    let verified = state.app().verify_endpoint(&at.caller, &at.tenant, &at.id).await?;
    let revision = verified.details.endpoint.revision;
    let answer = VerifyResponse {
        verified: verified.passed,
        verification_error: verified.reason,
        webhook: WebhookResponse::new(&at.tenant, verified.details, None),
    };
    reply_at(StatusCode::OK, revision, &answer)
}

/// Test a webhook
///
/// One signed POST, whatever its state, not tried again. The answer is its row of the delivery log.
#[utoipa::path(
    post, path = "/{id}/test", operation_id = "TestWebhook", tag = "Webhooks",
    responses((status = 200, description = "What came of it.", body = DeliveryLog)),
)]
pub async fn test(State(state): State<DoorState>, at: At) -> Reply {
    let app = state.app();
    let tested = app.test_endpoint(&at.caller, &at.tenant, &at.id, TestInput::default()).await?;
    let logged = LoggedAttempt::new(tested.delivery, tested.event_type, tested.attempt);
    reply(StatusCode::OK, &DeliveryLog::new(logged, tested.url.as_str()))
}

/// Rotate the signing secret
///
/// For 24 hours both secrets sign: `v1` is made with the new one, `v0` with the one before.
#[utoipa::path(
    post, path = "/{id}/rotate-secret", operation_id = "RotateWebhookSecret", tag = "Webhooks",
    responses((status = 200, description = "The webhook, with its new secret.", body = WebhookResponse)),
)]
pub async fn rotate_secret(State(state): State<DoorState>, at: At) -> Reply {
    let app = state.app();
    let made = app.rotate_secret(&at.caller, &at.tenant, &at.id, RotateInput::default()).await?;
    let revision = made.details.endpoint.revision;
    let webhook = WebhookResponse::new(&at.tenant, made.details, made.secret.as_ref());
    reply_at(StatusCode::OK, revision, &webhook)
}

/// Reveal the signing secret
///
/// Written into the audit log.
#[utoipa::path(
    post, path = "/{id}/reveal-secret", operation_id = "RevealWebhookSecret", tag = "Webhooks",
    responses((status = 200, description = "The secret in force.", body = SecretResponse)),
)]
pub async fn reveal_secret(State(state): State<DoorState>, at: At) -> Reply {
    let secret = state.app().reveal_secret(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &SecretResponse { secret: secret.reveal().to_owned() })
}

fn shown(at: &At, details: EndpointDetails) -> Reply {
    let revision = details.endpoint.revision;
    reply_at(StatusCode::OK, revision, &WebhookResponse::new(&at.tenant, details, None))
}

/// Fields that this surface requires and the application does not were given empty: told as what they are.
fn left_out(error: AppError, missing: &[&str]) -> Refused {
    let mut refused = Refused::from(error);
    if let Refused::Fields(fields) = &mut refused {
        for field in fields.iter_mut().filter(|it| missing.contains(&it.pointer.as_str())) {
            "this field is required".clone_into(&mut field.message);
        }
    }
    refused
}
