//! The public door of sources: `/in/{source_id}`, any method that a provider's events and handshake need.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use hookyard_api::problem::Problem;
use hookyard_api::sources::Recorded;
use hookyard_app::{ReceiveDoor, Reception};
use hookyard_domain::id::SourceId;
use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode};

use super::extract::{Reply, reply};
use super::problem::Refused;
use crate::state::DoorState;
use crate::{ask, receiving};

/// Where a source's provider sends.
pub(super) fn url(base: &str, id: SourceId) -> String {
    format!("{base}/in/{id}")
}

/// Receive
///
/// What a source's provider calls; no key is needed. The request is taken if its signature is good, and answered when it is
/// on disk; the same again is answered with the first event's id. A provider's handshake is answered as that provider wants
/// it, by the method it uses. The body may be anything.
#[utoipa::path(
    post, path = "/in/{source_id}", operation_id = "receive", tag = "Sources", security(()),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The provider's, taken byte for byte."),
    responses(
        (status = 200, description = "It is on disk, or was before; or it was a handshake.", content(
            (Recorded = "application/json"), (String = "text/plain"),
        )),
        (status = 401, description = "Its signature is missing, wrong or old; `code` says which.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The source is disabled; nothing is kept.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn receive(State(state): State<DoorState>, request: Request) -> Reply {
    let (mut parts, body) = request.into_parts();
    let [id] = ask::path(&mut parts, &state).await.ok_or(Refused::NoRoute)?;
    if parts.method == Method::OPTIONS {
        let allow = state.app().receive_methods(ReceiveDoor::Native, &id).await?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        return Ok(response);
    }
    let request = Request::from_parts(parts, body);
    let taken: Result<_, Refused> =
        receiving::take(&state, ReceiveDoor::Native, &id, request).await;
    match taken? {
        Reception::Challenge(answer) => Ok(receiving::handshake(answer)),
        Reception::Recorded { receipt: Some(text), .. } => Ok(receiving::receipt(text)),
        Reception::Recorded { id, receipt: None, .. } => {
            reply(StatusCode::OK, &Recorded { id: id.to_string() })
        }
    }
}

/// Receive by PUT
///
/// The same, for the few senders that use it.
#[utoipa::path(
    put, path = "/in/{source_id}", operation_id = "receive_put", tag = "Sources", security(()),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The provider's, taken byte for byte."),
    responses(
        (status = 200, description = "It is on disk, or was before.", content(
            (Recorded = "application/json"), (String = "text/plain"),
        )),
        (status = 401, description = "Its signature is missing, wrong or old; `code` says which.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The source is disabled; nothing is kept.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn receive_put(state: State<DoorState>, request: Request) -> Reply {
    receive(state, request).await
}
