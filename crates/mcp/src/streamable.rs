//! `POST /mcp`: Streamable HTTP without sessions, for the current protocol and the ones before it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use hookyard_app::{AppError, Caller};
use hookyard_domain::limit;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde::Deserialize;

use crate::asking::Asking;
use crate::message;
use crate::names;
use crate::refused::Refused;
use crate::server::Tools;
use crate::{Door, metadata};

/// How long a body may take in all.
const BODY_WITHIN: Duration = Duration::from_secs(60);
/// What every client of the protocol has to say it accepts; whoever says less gets JSON all the same.
const ACCEPTED: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What may stand in the query.
#[derive(Default, Deserialize)]
struct Wanted {
    /// `dotted`: names are listed as `webhooks.endpoints.create`.
    names: Option<String>,
    /// The tenant that is meant where neither the key nor the arguments say so.
    tenant: Option<String>,
}

/// The protocol as it is spoken here. Who may come in is decided before it is asked.
pub fn protocol() -> StreamableHttpService<Tools, NeverSessionManager> {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(limit::MCP_BODY_BYTES_MAX)
        .disable_allowed_hosts();
    StreamableHttpService::new(|| Ok(Tools), Arc::new(NeverSessionManager::default()), config)
}

/// One message and its answer.
pub async fn call(State(door): State<Door>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let (caller, body) = match admit(&door, &parts, body).await {
        Ok(admitted) => admitted,
        Err(refused) => return refused.into_response(),
    };
    let message = match message::read(&body) {
        Ok(message) => message,
        Err(unreadable) => {
            let headers = [(CONTENT_TYPE, JSON)];
            return (StatusCode::BAD_REQUEST, headers, unreadable.answer()).into_response();
        }
    };
    let wanted = Query::<Wanted>::try_from_uri(&parts.uri).map(|it| it.0).unwrap_or_default();
    let asking = Asking {
        api: door.0.api.clone(),
        caller,
        headers: parts.headers.clone(),
        extensions: parts.extensions.clone(),
        tenant: wanted.tenant.filter(|it| !it.is_empty()),
        dotted: wanted.names.as_deref() == Some("dotted"),
        arguments: message.arguments,
    };
    parts.extensions.insert(Arc::new(asking));
    let headers = &mut parts.headers;
    headers.remove(AUTHORIZATION);
    headers.remove(CONTENT_LENGTH);
    headers.remove(TRANSFER_ENCODING);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(ACCEPT, ACCEPTED);
    let request = Request::from_parts(parts, Full::new(Bytes::from(message.text)));
    door.0.protocol.handle(request).await.map(Body::new)
}

async fn admit(door: &Door, parts: &Parts, body: Body) -> Result<(Caller, Bytes), Refused> {
    names::check(parts, door.0.public.as_ref()).map_err(Refused::Stranger)?;
    let key = bearer(&parts.headers);
    let caller = door.0.app.authenticate(key, None).await.map_err(|error| {
        if matches!(error, AppError::Unauthenticated) {
            return Refused::Key { given: key.is_some(), metadata: metadata::url(door, parts) };
        }
        Refused::App(error)
    })?;
    // Only now: strangers' bodies are not read.
    let body = Limited::new(body, limit::MCP_BODY_BYTES_MAX).collect();
    let body = tokio::time::timeout(BODY_WITHIN, body).await.map_err(|_| Refused::NoBody)?;
    let body = body.map_err(|error| {
        if error.is::<LengthLimitError>() { Refused::TooLarge } else { Refused::NoBody }
    })?;
    Ok((caller, body.to_bytes()))
}

/// The key of `Authorization: Bearer KEY`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let value = given.next()?.to_str().ok()?;
    if given.next().is_some() {
        // Two keys: whichever we took, somebody before us may have looked at the other.
        return None;
    }
    let (scheme, key) = value.trim().split_once(' ')?;
    let key = key.trim_start();
    (scheme.eq_ignore_ascii_case("bearer") && !key.is_empty()).then_some(key)
}
