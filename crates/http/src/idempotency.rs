//! `Idempotency-Key` on every POST but publish, which takes it into its commit.
//!
//! The first request with a key is done and its answer kept; the same request again gets that answer, another one with the
//! key is refused, one that comes while the first runs is told so. Only what was done is kept: a refusal did nothing, and
//! the same request may find things otherwise the next time. Where nobody knows whether it was done, after a crash or a
//! fault of ours, it is not done again under that key. A refusal is written in the form of the API it belongs to.

use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::{BufMut, Bytes, BytesMut};
use hookyard_app::{AppError, Begin, IdempotencyKey, Ticket};
use hookyard_domain::limit;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use tokio::task::JoinError;

use crate::auth;
use crate::body::{self, BodyError};
use crate::state::DoorState;

/// The request's header.
pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is the first one's.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The layer of an API that refuses with an `R`.
pub async fn remember<R>(State(state): State<DoorState>, request: Request, next: Next) -> Response
where
    R: From<AppError> + From<BodyError> + IntoResponse,
{
    if request.method() != Method::POST || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    match once::<R>(&state, request, next).await {
        Ok(response) => response,
        Err(refused) => refused.into_response(),
    }
}

async fn once<R>(state: &DoorState, request: Request, next: Next) -> Result<Response, R>
where
    R: From<AppError> + From<BodyError>,
{
    let (mut parts, body) = request.into_parts();
    let app = state.app();
    let origin = auth::origin(&parts.extensions);
    let caller = auth::caller(state, &parts.method, &parts.headers, origin).await?;
    let key = IdempotencyKey::from_header(parts.headers[KEY].as_bytes())?;
    let names = RawPathParams::from_request_parts(&mut parts, state).await;
    let path = parts.uri.path();
    // The router puts this layer before the handler's own limit, so the same limits stand here.
    let limit_bytes = if path.ends_with("/events/batch") {
        // Asked for the right to publish before a large body is read, as there.
        let tenant = names.as_ref().ok().and_then(|it| it.iter().next());
        app.payload_bytes_max(&caller, tenant.map_or("", |(_, it)| it)).await?;
        limit::BATCH_BYTES_MAX
    } else {
        limit::BODY_BYTES_MAX
    };
    let body = body::read(&parts.headers, body, limit_bytes).await?;
    let hash = hookyard_app::request_hash(&[b"POST", path.as_bytes(), &body]);
    match app.idempotent_begin(&caller, &key, hash).await? {
        Begin::Replay(kept) => Ok(read_back(&kept)?),
        Begin::Execute(ticket) => {
            Ok(to_the_end(state, ticket, Request::from_parts(parts, Body::from(body)), next)
                .await?)
        }
    }
}

/// Does it and keeps the answer even when the caller goes away meanwhile: it will ask again, and must find what came of it.
async fn to_the_end(
    state: &DoorState,
    ticket: Ticket,
    request: Request,
    next: Next,
) -> Result<Response, AppError> {
    let state = state.clone();
    let work = async move {
        let response = next.run(request).await;
        keep(&state, ticket, response).await
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "awaited right here, unless the caller goes away"
    )]
    let done = tokio::spawn(work).await;
    match done.map_err(JoinError::try_into_panic) {
        Ok(answer) => answer,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(cut_off)) => Err(AppError::Unavailable(cut_off.into())),
    }
}

async fn keep(state: &DoorState, ticket: Ticket, response: Response) -> Result<Response, AppError> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| AppError::Internal(error.into()))?.to_bytes();
    if parts.status.is_success() {
        let kept = write_down(parts.status, parts.headers.get(CONTENT_TYPE), &body);
        state.app().idempotent_finish(ticket, &kept).await?;
    } else if parts.status == StatusCode::INTERNAL_SERVER_ERROR {
        // A fault of ours may have come after the change: done again, it might be done twice.
        drop(ticket);
    } else {
        state.app().idempotent_abandon(ticket).await?;
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// Two bytes of status, one of the content type's length, the content type, the body.
fn write_down(status: StatusCode, content_type: Option<&HeaderValue>, body: &Bytes) -> Bytes {
    let content_type = content_type.map_or(&b""[..], HeaderValue::as_bytes);
    let (long, content_type) = match u8::try_from(content_type.len()) {
        Ok(long) => (long, content_type),
        Err(_) => (0, &b""[..]),
    };
    let mut kept = BytesMut::with_capacity(3 + content_type.len() + body.len());
    kept.put_u16(status.as_u16());
    kept.put_u8(long);
    kept.put_slice(content_type);
    kept.put_slice(body);
    kept.freeze()
}

fn read_back(kept: &[u8]) -> Result<Response, AppError> {
    let unreadable = || AppError::Internal("a kept answer is unreadable".into());
    let (head, rest) = kept.split_at_checked(3).ok_or_else(unreadable)?;
    let (content_type, body) =
        rest.split_at_checked(usize::from(head[2])).ok_or_else(unreadable)?;
    let status = u16::from_be_bytes([head[0], head[1]]);
    let mut response = Response::new(Body::from(Bytes::copy_from_slice(body)));
    *response.status_mut() = StatusCode::from_u16(status).map_err(|_| unreadable())?;
    if !content_type.is_empty() {
        let content_type = HeaderValue::from_bytes(content_type).map_err(|_| unreadable())?;
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_kept_answer_reads_back_and_says_that_it_is_one() {
        let json = HeaderValue::from_static("application/json");
        let kept = write_down(StatusCode::CREATED, Some(&json), &Bytes::from_static(b"{}"));
        let response = read_back(&kept).unwrap();
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(response.headers()[REPLAYED], "true");
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "{}");
    }

    #[test]
    fn an_answer_without_a_body_or_a_broken_one_is_no_trouble() {
        let kept = write_down(StatusCode::NO_CONTENT, None, &Bytes::new());
        assert_eq!(read_back(&kept).unwrap().status(), 204);
        for broken in [&b""[..], b"\0", &[0, 201, 9, 1], &[0, 1, 0]] {
            assert!(read_back(broken).is_err(), "{broken:?}");
        }
    }
}
