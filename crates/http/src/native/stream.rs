//! The stream: what happens in a tenant, as Server-Sent Events. One page is in memory, whoever reads it and however slowly.

use std::fmt::Write as _;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use hookyard_api::endpoints::EndpointStatus;
use hookyard_api::stream::{
    AcceptedEvent, ChangedEndpoint, FinishedAttempt, Lagged, StreamData, StreamMessage, StreamQuery,
};
use hookyard_app::{AppError, EndpointChange, Stream, StreamItem, StreamStep};
use hookyard_domain::feed::FeedPosition;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use tokio::sync::watch;

use super::extract::{AtTenant, Params, Reply};
use super::problem::Refused;
use crate::state::DoorState;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Proxies that gather answers are asked to hand this one on as it comes.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");
/// How soon a browser whose connection broke connects again.
const RETRY: &str = "retry: 1000\n";

/// Follow what happens
///
/// Server-Sent Events: `event.accepted`, `attempt.finished` and `endpoint.changed`, each as soon as it is on disk, at least
/// once. Each message has an `id`; give the last one as `Last-Event-ID` to go on behind it, after whatever happened in
/// between: a restart of either side, another node of the same store. Without one it begins now. Attempts are kept for 24
/// hours, events for as long as the tenant keeps them; who asks for what is older gets 410, and who is overrun while
/// reading a message `lagged`. Silence is broken every 15 seconds. The stream ends when the server stops or the key is taken
/// away: connect again with the last `id`.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/stream", operation_id = "stream", tag = "Stream",
    params(StreamQuery),
    responses(
        (status = 200, description = "The stream; it does not end by itself.", content((StreamMessage = "text/event-stream"))),
        (status = 410, description = "What happened since `Last-Event-ID` is not kept any more, or it is none of this store's.",
            body = hookyard_api::problem::Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn follow(State(state): State<DoorState>, at: AtTenant, given: Given) -> Reply {
    let stream = state.app().open_stream(&at.caller, &at.tenant, given.0).await?;
    let mut response = Response::new(body(stream, state.draining()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(UNBUFFERED, HeaderValue::from_static("no"));
    Ok(response)
}

/// What of the stream is wanted, from the query and the header.
pub struct Given(hookyard_app::StreamQuery);

impl axum::extract::FromRequestParts<DoorState> for Given {
    type Rejection = Refused;

    async fn from_request_parts(
        parts: &mut http::request::Parts,
        state: &DoorState,
    ) -> Result<Self, Refused> {
        let mut query = Params::from_request_parts(parts, state).await?;
        let header = parts.headers.get(LAST_EVENT_ID);
        let header = header.map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
        let in_query = query.take("last_event_id");
        let given = hookyard_app::StreamQuery {
            kinds: query.take("kinds"),
            event_type: query.take("type"),
            scope: query.take("scope"),
            source: query.take("source"),
            endpoint: query.take("endpoint"),
            payload: query.take("payload"),
            // The first time a browser connects it has none, and none is what an empty one is.
            last_event_id: header.or(in_query).filter(|it| !it.is_empty()),
        };
        query.end()?;
        Ok(Self(given))
    }
}

/// Where the answer stands.
enum At {
    Begin(Box<Stream>, watch::Receiver<bool>),
    Follow(Box<Stream>, watch::Receiver<bool>),
    End,
}

fn body(stream: Stream, draining: watch::Receiver<bool>) -> Body {
    Body::from_stream(stream::try_unfold(At::Begin(Box::new(stream), draining), next))
}

/// The next piece. An error breaks the connection off, as a loss of the connection does: its reader comes again.
async fn next(at: At) -> Result<Option<(Bytes, At)>, AppError> {
    let (mut stream, mut draining) = match at {
        At::Begin(stream, draining) => {
            // Its place at once, so that nothing is lost to a reader whose connection breaks before anything happens.
            let text = format!("{RETRY}{}", place(stream.position()));
            return Ok(Some((Bytes::from(text), At::Follow(stream, draining))));
        }
        At::Follow(stream, draining) => (stream, draining),
        At::End => return Ok(None),
    };
    let next = tokio::select! {
        next = stream.next() => next,
        // An error would mean that the server is gone already.
        _ = draining.wait_for(|it| *it) => Ok(None),
    };
    let next = next.inspect_err(|error| tracing::warn!(%error, "a stream broke off"))?;
    let text = match next {
        None => return Ok(Some((Bytes::from_static(b": the end\n\n"), At::End))),
        Some(StreamStep::Still(position)) => format!(": still here\n{}", place(&position)),
        Some(StreamStep::Lagged { position, before }) => {
            let lagged = StreamData::Lagged(Lagged { lost_before: before.to_string() });
            let mut text = String::new();
            message(&mut text, &lagged, &position)?;
            text
        }
        Some(StreamStep::Items(items)) => {
            let mut text = String::with_capacity(items.len() * 512);
            for (item, position) in items {
                message(&mut text, &data(item), &position)?;
            }
            text
        }
    };
    Ok(Some((Bytes::from(text), At::Follow(stream, draining))))
}

/// A message without data: nobody is told of it, but its `id` is remembered.
fn place(position: &FeedPosition) -> String {
    format!("id: {position}\n\n")
}

fn message(text: &mut String, data: &StreamData, position: &FeedPosition) -> Result<(), AppError> {
    let json = serde_json::to_string(data).map_err(|error| AppError::Internal(error.into()))?;
    // Writing to a text never fails.
    let _ = write!(text, "event: {}\nid: {position}\ndata: {json}\n\n", data.kind());
    Ok(())
}

fn data(item: StreamItem) -> StreamData {
    match item {
        StreamItem::Accepted { event, deliveries, bytes, is_whole } => {
            StreamData::Accepted(Box::new(AcceptedEvent::new(*event, deliveries, bytes, is_whole)))
        }
        StreamItem::Finished { delivery, attempt } => {
            StreamData::Finished(Box::new(FinishedAttempt::new(*delivery, *attempt)))
        }
        StreamItem::Changed(change) => StreamData::Changed(changed(&change)),
    }
}

fn changed(change: &EndpointChange) -> ChangedEndpoint {
    #[derive(serde::Deserialize)]
    struct After {
        status: EndpointStatus,
    }
    let after = change.after.as_deref().and_then(|it| serde_json::from_str::<After>(it).ok());
    ChangedEndpoint {
        id: change.endpoint.to_string(),
        action: change.action.clone(),
        at: change.at.to_string(),
        status: after.map(|it| it.status),
    }
}

#[cfg(test)]
mod tests {
    use hookyard_domain::time::Timestamp;

    use super::*;

    #[test]
    fn a_message_is_one_event_with_its_place() {
        let lagged = StreamData::Lagged(Lagged { lost_before: "a\nb".into() });
        let mut text = String::new();
        message(&mut text, &lagged, &FeedPosition::default()).unwrap();
        assert_eq!(text, "event: lagged\nid: 0.0\ndata: {\"lost_before\":\"a\\nb\"}\n\n");
    }

    #[test]
    fn a_change_says_the_state_after_it_if_that_is_known() {
        let change = |after: Option<&str>| EndpointChange {
            endpoint: "wh_00000000000000000000000005".parse().unwrap(),
            action: "endpoint.paused".into(),
            at: Timestamp::from_secs(0),
            after: after.map(ToOwned::to_owned),
        };
        let known = changed(&change(Some(r#"{"status":"paused","url":"x"}"#)));
        assert_eq!(known.status, Some(EndpointStatus::Paused));
        for unknown in [None, Some("{}"), Some("x")] {
            assert_eq!(changed(&change(unknown)).status, None);
        }
    }
}
