//! What every surface does with a refusal, whatever form it answers: the log hears of faults, people get sentences.

use std::error::Error;

use axum::body::Body;
use axum::response::Response;
use hookyard_app::AppError;
use hookyard_app::error::whole_seconds;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

/// Seconds after which to ask again when the store cannot be reached.
const UNAVAILABLE_RETRY_AFTER_S: u64 = 1;

/// An answer in JSON that tells of a refusal, and when to ask again where that is known.
pub(crate) fn answer(
    status: StatusCode,
    body: &impl Serialize,
    retry_after_s: Option<u64>,
) -> Response {
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(seconds) = retry_after_s {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Seconds after which to ask again, where that is known.
pub(crate) fn retry_after_s(error: &AppError) -> Option<u64> {
    match error {
        AppError::TooMany { retry_after } => Some(whole_seconds(*retry_after)),
        AppError::Unavailable(_) => Some(UNAVAILABLE_RETRY_AFTER_S),
        AppError::Unauthenticated
        | AppError::Forbidden { .. }
        | AppError::NotFound { .. }
        | AppError::Invalid(_)
        | AppError::Conflict { .. }
        | AppError::LimitReached { .. }
        | AppError::KeyReused
        | AppError::StillRunning
        | AppError::TooLarge { .. }
        | AppError::Internal(_) => None,
    }
}

/// A text of ours as a sentence: a capital at the beginning, a full stop at the end.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut sentence: String =
        letters.next().map(|it| it.to_ascii_uppercase()).into_iter().collect();
    sentence.push_str(letters.as_str());
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}

/// What somebody here must look at is logged with its causes; everything else is the caller's business.
pub(crate) fn log(error: &AppError) {
    match error {
        AppError::Internal(cause) => {
            tracing::error!(error = %chain(cause.as_ref()), "a request failed");
        }
        AppError::Unavailable(cause) => {
            tracing::warn!(error = %chain(cause.as_ref()), "the service is not available");
        }
        AppError::Unauthenticated
        | AppError::Forbidden { .. }
        | AppError::NotFound { .. }
        | AppError::Invalid(_)
        | AppError::Conflict { .. }
        | AppError::LimitReached { .. }
        | AppError::KeyReused
        | AppError::StillRunning
        | AppError::TooLarge { .. }
        | AppError::TooMany { .. } => {}
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(it) = cause {
        text.push_str(": ");
        text.push_str(&it.to_string());
        cause = it.source();
    }
    text
}
