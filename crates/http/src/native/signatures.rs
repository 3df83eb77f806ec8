//! Sign and verify any payload in any scheme.

use axum::extract::State;
use hookyard_api::json::Headers;
use hookyard_api::signatures::{Check, Sign, Signed, Verdict, Verify};
use hookyard_app::{SignInput, VerifyInput};
use http::StatusCode;

use super::extract::{Json, Reply, reply};
use crate::auth::Asker;
use crate::state::DoorState;

/// Sign a payload
///
/// Answers the headers a delivery of it would carry. Nothing is kept.
#[utoipa::path(
    post, path = "/v1/signatures/sign", operation_id = "sign", tag = "Signatures",
    request_body = Sign,
    responses((status = 200, description = "The headers.", body = Signed)),
)]
pub async fn sign(
    State(state): State<DoorState>,
    Asker(caller): Asker,
    Json(form): Json<Sign>,
) -> Reply {
    let input = SignInput {
        scheme: form.scheme,
        secret: form.secret,
        id: form.id,
        timestamp: form.timestamp.map(|it| it.0),
        payload: form.payload.into(),
        url: form.url,
        method: form.method,
    };
    let headers = Headers::from(state.app().sign(&caller, input)?);
    reply(StatusCode::OK, &Signed { headers })
}

/// Verify a signature
///
/// Says precisely why it does not verify. Nothing is kept.
#[utoipa::path(
    post, path = "/v1/signatures/verify", operation_id = "verify_signature", tag = "Signatures",
    request_body = Verify,
    responses((status = 200, description = "Whether it verifies.", body = Verdict)),
)]
pub async fn verify(
    State(state): State<DoorState>,
    Asker(caller): Asker,
    Json(form): Json<Verify>,
) -> Reply {
    let input = VerifyInput {
        scheme: form.scheme,
        secret: form.secret,
        headers: form.headers.into(),
        payload: form.payload.into(),
        tolerance_s: form.tolerance_s,
        url: form.url,
        method: form.method,
    };
    let verdict = state.app().verify_signature(&caller, input)?;
    let checks = verdict.checks.into_iter();
    let checks = checks
        .map(|it| Check { what: it.what, ok: it.ok, expected: it.expected, got: it.got })
        .collect();
    reply(StatusCode::OK, &Verdict { valid: verdict.valid, reason: verdict.reason, checks })
}
