//! For whoever runs it: liveness, readiness, metrics.

use std::fmt::Write as _;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};

use crate::native::extract::reply_bytes;
use crate::state::{DoorState, Gauge};

/// The routes of this file.
pub fn router(state: &DoorState) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(state.clone())
}

/// The process runs.
async fn healthz() -> Response {
    no_store(reply_bytes(StatusCode::OK, Body::from(r#"{"status":"ok"}"#)))
}

/// Events can be accepted: the store can be written to, other nodes have not taken over from this one, and the process is
/// not on its way out.
async fn readyz(State(state): State<DoorState>) -> Response {
    if state.is_draining() {
        return unready(r#"{"status":"draining"}"#);
    }
    match state.app().ready().await {
        Ok(()) => no_store(reply_bytes(StatusCode::OK, Body::from(r#"{"status":"ok"}"#))),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            unready(r#"{"status":"unavailable"}"#)
        }
    }
}

fn unready(body: &'static str) -> Response {
    let mut response = no_store(reply_bytes(StatusCode::SERVICE_UNAVAILABLE, Body::from(body)));
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Everything that is counted, and what the engine is doing, in Prometheus' text format.
async fn metrics(State(state): State<DoorState>) -> Response {
    let mut text = state.metrics().map(|it| it.render()).unwrap_or_default();
    write_gauges(&mut text, &state.gauges());
    let mut response = no_store(Response::new(Body::from(text)));
    let text_format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text_format);
    response
}

fn write_gauges(text: &mut String, gauges: &[Gauge]) {
    for Gauge { name, help, value } in gauges {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauges_are_written_as_prometheus_reads_them() {
        let mut text = String::new();
        write_gauges(&mut text, &[Gauge { name: "a_b", help: "Things.", value: 3.0 }]);
        assert_eq!(text, "# HELP a_b Things.\n# TYPE a_b gauge\na_b 3\n");
    }
}
