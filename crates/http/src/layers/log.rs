//! One wide line per request at debug level, and a count of answers. Neither holds a body, a key or a query.

use axum::extract::Request;
use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, Uri};
use metrics::Counter;
use tokio::time::Instant;
use tracing::Level;

/// What is remembered of a request until it is answered; only if the line will be written at all.
pub struct Line {
    method: Method,
    uri: Uri,
    request_id: HeaderValue,
    began: Instant,
}

impl Line {
    /// Begins the line, if debug lines are written.
    #[must_use]
    pub fn begin(request: &Request, request_id: &HeaderValue) -> Option<Self> {
        tracing::enabled!(Level::DEBUG).then(|| Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            request_id: request_id.clone(),
            began: Instant::now(),
        })
    }

    /// Writes it.
    pub fn end(self, response: &Response) {
        let took_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(
            request.id = self.request_id.to_str().unwrap_or("unreadable"),
            request.method = %self.method,
            request.path = self.uri.path(),
            answer.status = response.status().as_u16(),
            took_us,
            "answered a request"
        );
    }
}

/// Counts answers by class of status. The counters are looked up once, so counting is one addition.
pub struct Answered([Counter; 5]);

impl Answered {
    /// Finds the counters with the recorder that is installed.
    #[must_use]
    pub fn register() -> Self {
        metrics::describe_counter!("hookyard_http_answers_total", "HTTP requests answered");
        Self(
            ["1xx", "2xx", "3xx", "4xx", "5xx"]
                .map(|class| metrics::counter!("hookyard_http_answers_total", "class" => class)),
        )
    }

    /// Counts one.
    pub fn count(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5);
        self.0[class - 1].increment(1);
    }
}
