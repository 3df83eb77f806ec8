//! What does not get in: a problem of RFC 9457, with the headers by which a client finds out about keys.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hookyard_api::problem::Problem;
use hookyard_app::AppError;
use hookyard_domain::limit;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use crate::names::Stranger;

/// Why a request did not get in.
#[derive(Debug)]
pub enum Refused {
    /// It has no good key.
    Key {
        /// It has one, but not a good one.
        given: bool,
        /// Where the metadata stands.
        metadata: String,
    },
    /// It was not meant for us, or comes from a strange page.
    Stranger(Stranger),
    /// Its body is too long.
    TooLarge,
    /// Its body did not come in time, or broke off.
    NoBody,
    /// Whether its key is good cannot be said at the moment.
    App(AppError),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let challenge = self.challenge();
        let problem = self.problem();
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(challenge) = challenge {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if problem.status == 503 {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl Refused {
    /// RFC 6750 §3 and RFC 9728 §5.1.
    fn challenge(&self) -> Option<HeaderValue> {
        let Self::Key { given, metadata } = self else { return None };
        let error = if *given { ", error=\"invalid_token\"" } else { "" };
        let text = format!("Bearer realm=\"hookyard\"{error}, resource_metadata=\"{metadata}\"");
        // A name of theirs that no header can hold is not repeated.
        Some(HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer")))
    }

    fn problem(self) -> Problem {
        match self {
            Self::Key { given, .. } => Problem::new(
                401,
                "Unauthorized",
                "unauthenticated",
                if given {
                    "The key is not valid (any more). Send `Authorization: Bearer KEY` with a good one."
                } else {
                    "A key is required: send `Authorization: Bearer KEY`."
                },
            ),
            Self::Stranger(Stranger::Host(host)) => Problem::new(
                403,
                "Forbidden",
                "host_not_allowed",
                format!(
                    "This server does not go by the name `{host}`. Use its address, or have it started with \
                     `--public-url` and that name."
                ),
            ),
            Self::Stranger(Stranger::Origin(origin)) => Problem::new(
                403,
                "Forbidden",
                "origin_not_allowed",
                format!("Pages of `{origin}` may not use the tools of this server."),
            ),
            Self::TooLarge => Problem::new(
                413,
                "Content Too Large",
                "too_large",
                format!(
                    "A message has at most {} bytes. Publish larger events through `/v1`.",
                    limit::MCP_BODY_BYTES_MAX
                ),
            ),
            Self::NoBody => Problem::new(
                408,
                "Request Timeout",
                "body_timed_out",
                "The body did not arrive in time, or broke off.",
            ),
            Self::App(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a key could not be looked up"
                );
                Problem::new(
                    503,
                    "Service Unavailable",
                    "unavailable",
                    "The store cannot be reached. Nothing was done; try again.",
                )
            }
        }
    }
}
