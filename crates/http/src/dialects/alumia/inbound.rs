//! What providers call, and its trials: receive, Linear's own receiver, a test, a check.

use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use hookyard_app::receive::LINEAR_BYTES_MAX;
use hookyard_app::{ReceiveDoor, ReceiveError, ReceivedRequest, Reception};
use hookyard_domain::profile::Profile;
use http::header::AUTHORIZATION;
use http::{Method, StatusCode};

use super::ask::{At, Json, Reply, reply, source_id};
use super::errors::Refused;
use super::wire::{
    Received, ReceivedAnswer, TestWebhook, Verification, VerificationAnswer, VerifyPayload,
    receive_url,
};
use crate::state::DoorState;
use crate::{ask, receiving};

/// Receive
///
/// Takes what a third party sends, if its signature is good, and answers when it is on disk. No API key: a `custom` webhook's
/// requests are signed by Standard Webhooks, or with hex of HMAC-SHA256 over the body in `X-Webhook-Signature` (`sha256=` may
/// stand before it); those of a provider as that provider does. Handshakes of providers are answered here too.
#[utoipa::path(
    post, path = "/api/v1/webhooks/receive/{webhookId}", operation_id = "receiveWebhook", tag = "Receiving", security(()),
    request_body(content = String, description = "Anything.", content_type = "application/octet-stream"),
    responses((status = 200, description = "It is recorded, or was before.", body = ReceivedAnswer)),
)]
pub async fn receive(State(state): State<DoorState>, request: Request) -> Reply {
    let (mut parts, body) = request.into_parts();
    let [uuid] = ask::path(&mut parts, &state).await.ok_or(Refused::NoRoute)?;
    let id = source_id(&uuid)?;
    // Events come by POST here, as the seed has it, and handshakes by what their provider uses.
    if !matches!(parts.method, Method::GET | Method::HEAD | Method::POST) {
        let allow = state.app().receive_methods(ReceiveDoor::Alumia, &id).await?;
        return Err(ReceiveError::BadMethod { allow }.into());
    }
    let request = Request::from_parts(parts, body);
    let reception: Result<_, Refused> =
        receiving::take(&state, ReceiveDoor::Alumia, &id, request).await;
    received(reception?)
}

/// Receive from Linear
///
/// The webhook is found by its secret, among those with the source `linear`. The time that is signed, `webhookTimestamp` in
/// the body, may be 60 s off. A body has 256 KiB at most; of one organisation its 20 oldest such webhooks are tried.
#[utoipa::path(
    post, path = "/api/v1/webhooks/linear", operation_id = "receiveLinear", tag = "Receiving", security(()),
    request_body(content = String, description = "What Linear sends.", content_type = "application/octet-stream"),
    responses((status = 200, description = "It is recorded, or was before.", body = ReceivedAnswer)),
)]
pub async fn linear(State(state): State<DoorState>, request: Request) -> Reply {
    let (parts, body) = request.into_parts();
    // Linear sends no key; whoever does means their own webhooks.
    let caller = match parts.headers.contains_key(AUTHORIZATION) {
        true => Some(ask::member(&parts, &state, Profile::Alumia).await?.0),
        false => None,
    };
    let mut share = state.unnamed().share();
    let body = receiving::whole_body::<Refused>(&parts, body, LINEAR_BYTES_MAX, &mut share).await?;
    let request = receiving::received(&state, &parts, body);
    received(state.app().receive_linear(caller.as_ref(), request).await?)
}

fn received(reception: Reception) -> Result<Response, Refused> {
    match reception {
        Reception::Challenge(answer) => Ok(receiving::handshake(answer)),
        Reception::Recorded { receipt: Some(text), .. } => Ok(receiving::receipt(text)),
        Reception::Recorded { id, repeat, receipt: None } => {
            reply(StatusCode::OK, Received::new(id, repeat))
        }
    }
}

/// Send a test
///
/// A synthetic event goes the whole way, as if the webhook had received it: recorded, and forwarded.
#[utoipa::path(
    post, path = "/test", operation_id = "testWebhook", tag = "Receiving", request_body = TestWebhook,
    responses((status = 200, description = "It is recorded.", body = ReceivedAnswer)),
)]
pub async fn test(State(state): State<DoorState>, at: At, Json(test): Json<TestWebhook>) -> Reply {
    let id = named(&test.webhook_id)?;
    let sent = state.app().test_source(&at.caller, &at.tenant, &id, test.into_test()).await?;
    reply(StatusCode::OK, Received::new(sent.id, false))
}

/// Check a signed payload
///
/// As receiving would, but nothing is recorded.
#[utoipa::path(
    post, path = "/verify", operation_id = "verifyWebhook", tag = "Receiving", request_body = VerifyPayload,
    responses((status = 200, description = "Whether it would be taken, and why not.", body = VerificationAnswer)),
)]
pub async fn verify(
    State(state): State<DoorState>,
    at: At,
    Json(form): Json<VerifyPayload>,
) -> Reply {
    let id = named(&form.webhook_id)?;
    let request = ReceivedRequest {
        method: "POST".into(),
        url: receive_url(&at.base_url, &form.webhook_id),
        headers: form.headers.into(),
        body: Bytes::from(form.payload),
        origin: at.caller.origin.clone(),
    };
    let verdict = state.app().verify_received(&at.caller, &at.tenant, &id, request).await?;
    reply(StatusCode::OK, Verification { valid: verdict.valid, reason: verdict.reason })
}

/// The source that a body names.
fn named(uuid: &str) -> Result<String, Refused> {
    if uuid.is_empty() {
        let message = "this field is required";
        return Err(
            hookyard_domain::invalid::Invalid::new("/webhookId", "required", message).into()
        );
    }
    Ok(source_id(uuid)?)
}
