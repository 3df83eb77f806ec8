//! `/dev/inbox`: a receiver in the same process that checks each signature as a customer's would.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{DefaultBodyLimit, State};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use hookyard_domain::headers::Headers;
use hookyard_domain::limit;
use hookyard_domain::secret::Secret;
use hookyard_domain::time::{Clock, Timestamp};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::check;

/// Where it stands.
pub const PATH: &str = "/dev/inbox";
/// Deliveries that are kept to look at.
const KEPT_MAX: usize = 50;

/// The receiver.
pub struct Inbox {
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
    heard: Notify,
}

#[derive(Default)]
struct Kept {
    secret: Option<Secret>,
    received: VecDeque<Received>,
}

/// One delivery as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// When.
    pub at: Timestamp,
    /// The event's id, as the delivery's headers say.
    pub id: String,
    /// Why the signature does not verify; `None` when it does.
    pub refused: Option<String>,
    headers: Headers,
    body: Bytes,
}

impl Inbox {
    /// An empty one.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, kept: Mutex::default(), heard: Notify::new() })
    }

    /// Its routes.
    pub fn router(self: &Arc<Self>) -> Router {
        // A body is at most a payload and what a profile puts around it.
        let body_max = limit::PAYLOAD_BYTES_MAX + limit::PUBLISH_OVERHEAD_BYTES;
        Router::new()
            .route(PATH, get(show).post(receive))
            .layer(DefaultBodyLimit::max(usize::try_from(body_max).unwrap_or(usize::MAX)))
            .with_state(Arc::clone(self))
    }

    /// Gives it the secret of the endpoint that points at it.
    pub fn know(&self, secret: Secret) {
        self.lock().secret = Some(secret);
    }

    /// The first delivery of an event, as soon as it is there.
    pub async fn wait_for(&self, event: &str) -> Received {
        loop {
            let heard = self.heard.notified();
            let found = self.lock().received.iter().rev().find(|it| it.id == event).cloned();
            match found {
                Some(received) => return received,
                None => heard.await,
            }
        }
    }

    fn take(&self, headers: Headers, body: Bytes) -> Result<(), String> {
        let now = self.clock.now();
        let mut kept = self.lock();
        let verdict = match &kept.secret {
            Some(secret) => check::signature(secret, &headers, &body, now),
            None => Err("the receiver does not know its secret yet".to_owned()),
        };
        let id = headers.get("webhook-id").unwrap_or_default().to_owned();
        let refused = verdict.clone().err();
        kept.received.push_front(Received { at: now, id, refused, headers, body });
        kept.received.truncate(KEPT_MAX);
        drop(kept);
        self.heard.notify_waiters();
        verdict
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Received {
    fn shown(&self) -> Value {
        let body = serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&self.body)));
        json!({
            "received_at": self.at.to_string(),
            "id": self.id,
            "verified": self.refused.is_none(),
            "reason": self.refused,
            "headers": self.headers.0.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())))
                .collect::<serde_json::Map<_, _>>(),
            "body": body,
        })
    }
}

async fn show(State(inbox): State<Arc<Inbox>>) -> Json<Value> {
    let received: Vec<_> = inbox.lock().received.iter().map(Received::shown).collect();
    Json(json!({ "data": received }))
}

async fn receive(
    State(inbox): State<Arc<Inbox>>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    match inbox.take(Headers(headers.iter().map(text).collect()), body) {
        Ok(()) => (StatusCode::OK, Json(json!({ "received": true }))),
        Err(reason) => {
            (StatusCode::UNAUTHORIZED, Json(json!({ "received": false, "reason": reason })))
        }
    }
}
