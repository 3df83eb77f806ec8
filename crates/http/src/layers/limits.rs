//! What no request may do: ask for an endless path, or take the process down with a panic.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::HeaderValue;

use crate::native::problem::Refused;

/// Bytes of path and query: room for every filter, not for a payload.
const TARGET_BYTES_MAX: usize = 16 * 1024;

/// Refuses an overlong path and query.
///
/// # Errors
/// The response to be given.
#[expect(clippy::result_large_err, reason = "the error is the response that is sent")]
pub fn check(request: &Request) -> Result<(), Response> {
    let long = request.uri().path_and_query().map_or(0, |it| it.as_str().len());
    if long > TARGET_BYTES_MAX { Err(Refused::LongTarget.into_response()) } else { Ok(()) }
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
