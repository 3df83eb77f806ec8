//! Publishing one event: the hot path.
//!
//! One pass over the body; `data` is a slice of the request's own bytes; the answer is written by hand.

use axum::body::Body;
use axum::extract::{RawPathParams, Request, State};
use axum::response::Response;
use bytes::Bytes;
use hookyard_api::events::{NewEvent, Published};
use hookyard_api::json::Object;
use hookyard_app::{Accepted, IdempotencyKey, Repeat};
use hookyard_domain::headers::Headers;
use hookyard_domain::limit;
use http::{HeaderValue, StatusCode};
use serde_json::value::RawValue;

use super::extract::{Reply, reply_bytes};
use crate::auth;
use crate::body;
use crate::idempotency::{KEY, REPLAYED};
use crate::state::DoorState;

/// Publish an event
///
/// It is on disk when this answers. The same `id`, or the same `Idempotency-Key` with the same body, publishes it once.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/events", operation_id = "publish_event", tag = "Events",
    request_body = NewEvent,
    responses(
        (status = 202, description = "Accepted; it will be delivered.", body = Published),
        (status = 200, description = "An event with this `id` was accepted before: the first answer.", body = Published),
    ),
)]
pub async fn publish(
    State(state): State<DoorState>,
    path: RawPathParams,
    request: Request,
) -> Reply {
    let (parts, body) = request.into_parts();
    let tenant = path.iter().next().map_or("", |(_, value)| value);
    let app = state.app();
    // Publishing is not audited, so nobody needs to know from where.
    let caller = auth::caller(&state, &parts.method, &parts.headers, None).await?;
    let data_bytes_max = app.payload_bytes_max(&caller, tenant).await?;
    body::require_json(&parts.headers)?;
    // `data`, `previous` and `changes` may each be as large as that, here as in a batch.
    let limit_bytes =
        data_bytes_max.saturating_mul(3).saturating_add(limit::PUBLISH_OVERHEAD_BYTES);
    let bytes = body::read(&parts.headers, body, limit_bytes).await?;
    let event = event(&bytes, body::json::<Object<NewEvent<'_>>>(&bytes)?.0);
    let key = parts.headers.get(KEY);
    let key = key.map(|it| IdempotencyKey::from_header(it.as_bytes())).transpose()?;
    let accepted = app.publish(&caller, tenant, event, key).await?;
    Ok(answer(&accepted))
}

/// The event of a body, its JSON parts as slices of `bytes`.
pub(super) fn event(bytes: &Bytes, it: NewEvent<'_>) -> hookyard_app::NewEvent {
    let slice = |raw: &RawValue| bytes.slice_ref(raw.get().as_bytes());
    hookyard_app::NewEvent {
        event_type: it.event_type.0.into_owned(),
        data: slice(it.data),
        scope: it.scope.map(|text| text.0.into_owned()),
        publisher_id: it.id.map(|text| text.0.into_owned()),
        occurred_at: it.occurred_at.map(|text| text.0.into_owned()),
        previous: it.previous.map(slice),
        changes: it.changes.map(slice),
        headers: it.headers.map(Headers::from).unwrap_or_default(),
    }
}

/// The status an accepted event is answered with.
pub(super) fn status(repeat: &Repeat) -> StatusCode {
    match repeat {
        Repeat::First | Repeat::SameKey => StatusCode::ACCEPTED,
        Repeat::SameId => StatusCode::OK,
    }
}

fn answer(accepted: &Accepted) -> Response {
    // Ids and numbers need no escaping.
    let body = format!("{{\"id\":\"{}\",\"deliveries\":{}}}", accepted.id, accepted.deliveries);
    let mut response = reply_bytes(status(&accepted.repeat), Body::from(body));
    match accepted.repeat {
        Repeat::First | Repeat::SameId => {}
        Repeat::SameKey => {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use hookyard_domain::id::EventId;
    use http_body_util::BodyExt;

    use super::*;

    #[test]
    fn the_parts_of_an_event_share_the_bytes_of_the_body() {
        let bytes = Bytes::from_static(
            br#"{"type":"order.created","data": {"n": 1.10 },"previous":[1],"scope":"s"}"#,
        );
        let event = event(&bytes, body::json(&bytes).unwrap());
        assert_eq!(event.data, r#"{"n": 1.10 }"#);
        assert_eq!(event.previous.unwrap(), "[1]");
        assert_eq!(event.scope.as_deref(), Some("s"));
        let range = bytes.as_ptr_range();
        assert!(range.contains(&event.data.as_ptr()), "data is a slice, not a copy");
    }

    #[tokio::test]
    async fn the_answer_by_hand_is_the_documented_one() {
        let id = EventId::from_u128(7);
        let response = answer(&Accepted { id, deliveries: 3, repeat: Repeat::SameKey });
        assert_eq!(response.status(), 202);
        assert_eq!(response.headers()[REPLAYED], "true");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let published: Published = serde_json::from_slice(&body).unwrap();
        assert_eq!((published.id, published.deliveries), (id.to_string(), 3));
    }
}
