//! What no request may do: ask for an endless path, leave open whom it asks, or take the process down with a panic.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::header::HOST;
use http::{HeaderValue, Version};

use crate::native::problem::Refused;

/// Bytes of path and query: room for every filter, not for a payload.
const TARGET_BYTES_MAX: usize = 16 * 1024;

/// Refuses an overlong path and query, and what does not say once which host it is for (RFC 9112 §3.2): whoever stands in
/// front may have read it otherwise.
///
/// # Errors
/// The response to be given.
#[expect(clippy::result_large_err, reason = "the error is the response that is sent")]
pub fn check(request: &Request) -> Result<(), Response> {
    let long = request.uri().path_and_query().map_or(0, |it| it.as_str().len());
    if long > TARGET_BYTES_MAX {
        return Err(Refused::LongTarget.into_response());
    }
    let hosts = request.headers().get_all(HOST).iter().count();
    let needed = usize::from(request.version() == Version::HTTP_11);
    if hosts < needed || hosts > 1 { Err(Refused::NoHost.into_response()) } else { Ok(()) }
}

/// Turns a panic of a handler into an answer; the process goes on.
pub async fn guard(
    answer: impl Future<Output = Result<Response, Infallible>>,
    request_id: &HeaderValue,
) -> Response {
    match AssertUnwindSafe(answer).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(panic) => {
            let text = panic
                .downcast_ref::<&str>()
                .copied()
                .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
                .unwrap_or("no text");
            tracing::error!(request.id = ?request_id, panic = text, "a handler panicked");
            Refused::Panicked.into_response()
        }
    }
}
