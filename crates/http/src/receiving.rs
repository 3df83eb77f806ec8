//! Requests of providers: read byte for byte, with the URL they were sent to; and the replies to handshakes.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use hookyard_app::receive::Reply;
use hookyard_app::{ReceiveDoor, ReceiveError, ReceivedRequest, Reception};
use hookyard_domain::headers::Headers;
use http::header::{CONTENT_TYPE, HOST};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderName, HeaderValue, StatusCode};

use crate::auth;
use crate::body::{self, BodyError};
use crate::budget::{Exhausted, Share};
use crate::state::DoorState;

/// What a proxy in front of us says of the caller's connection.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// How long the body of a provider's request may take in all: longer than any provider waits for its answer.
const BODY_WITHIN: Duration = Duration::from_secs(60);

/// Takes a request for a source, its body no longer than the source's tenant allows.
pub(crate) async fn take<E>(
    state: &DoorState,
    door: ReceiveDoor,
    id: &str,
    request: Request,
) -> Result<Reception, E>
where
    E: From<ReceiveError> + From<BodyError>,
{
    let (parts, body) = request.into_parts();
    let app = state.app();
    let bytes_max = app.receive_bytes_max(door, id, parts.method.as_str()).await?;
    let mut share = state.keyless().share();
    let body = whole_body::<E>(&parts, body, bytes_max, &mut share).await?;
    Ok(app.receive(door, id, received(state, &parts, body)).await?)
}

/// A body that anybody may send: within the memory that there is for such, and whoever drips shall not hold a connection for
/// as long as the body is long. `share` is to be kept for as long as the body is.
pub(crate) async fn whole_body<E>(
    parts: &Parts,
    body: Body,
    bytes_max: u64,
    share: &mut Share,
) -> Result<Bytes, E>
where
    E: From<ReceiveError> + From<BodyError>,
{
    let full = |it: Exhausted| E::from(ReceiveError::Unavailable(it.into()));
    let hold = |bytes| share.hold(bytes).map_err(full);
    let read = body::read_within(&parts.headers, body, bytes_max, hold);
    tokio::time::timeout(BODY_WITHIN, read).await.unwrap_or(Err(BodyError::TimedOut.into()))
}

/// A request as `app` takes it.
pub(crate) fn received(state: &DoorState, parts: &Parts, body: Bytes) -> ReceivedRequest {
    // Routes that receive are mounted by their whole path: below a prefix this would be the rest of it.
    let target = parts.uri.path_and_query().map_or("/", |it| it.as_str());
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
    ReceivedRequest {
        method: parts.method.to_string(),
        url: format!("{}{target}", base_url(state, parts)),
        headers: Headers(headers.collect()),
        body,
        origin: auth::origin(&parts.extensions),
    }
}

/// Where callers reach this server: what was set, else where this one did. Without a slash at the end.
pub(crate) fn base_url(state: &DoorState, parts: &Parts) -> String {
    state.public_url().map_or_else(|| origin(parts), str::to_owned)
}

/// The origin of a request. Only ever told to whoever sent it, so a header of theirs that lies fools nobody else.
pub(crate) fn origin(parts: &Parts) -> String {
    let header = |name| parts.headers.get(name).and_then(|it| it.to_str().ok());
    let host = header(HOST).and_then(|it| it.parse::<Authority>().ok());
    let host = parts.uri.authority().cloned().or(host);
    let proto = header(FORWARDED_PROTO).and_then(|it| it.split(',').next()).map(str::trim);
    let scheme =
        if proto.is_some_and(|it| it.eq_ignore_ascii_case("https")) { "https" } else { "http" };
    format!("{scheme}://{}", host.as_ref().map_or("localhost", |it| it.as_str()))
}

/// The answer to a handshake.
pub(crate) fn handshake(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    for (name, value) in reply.headers {
        // A value that no header can hold cannot have come in one either.
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The text that a provider wants to read when its event was taken.
pub(crate) fn receipt(text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use http::header::RETRY_AFTER;

    use super::*;
    use crate::budget::Budget;
    use crate::native::problem::Refused;

    #[track_caller]
    fn check(uri: &str, headers: &[(&'static str, &str)], want: &str) {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        assert_eq!(origin(&parts), want, "{uri} {headers:?}");
    }

    #[tokio::test]
    async fn without_room_for_it_a_body_is_to_be_sent_again_later() {
        let budget = Budget::new(1000);
        let read = async |share: &mut Share, long: usize| {
            let (parts, body) = Request::new(Body::from(vec![7; long])).into_parts();
            whole_body::<Refused>(&parts, body, 2000, share).await
        };
        let mut first = budget.share();
        assert_eq!(read(&mut first, 900).await.unwrap().len(), 900);
        // The first one is still being worked on.
        let response = read(&mut budget.share(), 101).await.unwrap_err().into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        drop(first);
        assert!(read(&mut budget.share(), 101).await.is_ok());
        let response = read(&mut budget.share(), 2001).await.unwrap_err().into_response();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_is_given_up_after_a_minute_in_all() {
        let drops = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(20)).await;
            Some((Ok::<_, std::convert::Infallible>(Bytes::from_static(b"x")), ()))
        });
        let (parts, body) = Request::new(Body::from_stream(drops)).into_parts();
        let budget = Budget::new(1000);
        let begun = tokio::time::Instant::now();
        let read = whole_body::<Refused>(&parts, body, 2000, &mut budget.share()).await;
        let response = read.unwrap_err().into_response();
        assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
        assert_eq!(begun.elapsed().as_secs(), 60);
    }

    #[test]
    fn the_origin_is_where_the_caller_reached_us() {
        check("/a", &[("host", "hooks.example:8080")], "http://hooks.example:8080");
        let behind = [("host", "hooks.example"), ("x-forwarded-proto", "HTTPS, http")];
        check("/a", &behind, "https://hooks.example");
        let odd = [("host", "hooks.example"), ("x-forwarded-proto", "javascript")];
        check("/a", &odd, "http://hooks.example");
        check("http://abs.example/a", &[("host", "hooks.example")], "http://abs.example");
        check("/a", &[("host", "no host at all")], "http://localhost");
        check("/a", &[], "http://localhost");
    }
}
