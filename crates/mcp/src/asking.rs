//! One call of the native API, made in this process with the caller's own key.

use std::fmt::Write as _;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use hookyard_api::paths::{self, escaped};
use hookyard_api::problem::Problem;
use hookyard_app::Caller;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::BodyExt as _;
use serde_json::value::RawValue;
use tower::Service as _;

use crate::arguments::Arguments;
use crate::told::Failure;

/// What goes on from the agent's request: who asks, with what, from where.
const PASSED_ON: [HeaderName; 3] =
    [AUTHORIZATION, HOST, HeaderName::from_static("x-forwarded-proto")];

/// Somebody who asks, with what it takes to ask the API for them.
pub struct Asking {
    /// The native API.
    pub api: Router,
    /// Who.
    pub caller: Caller,
    /// The headers of their request.
    pub headers: HeaderMap,
    /// What is known of their connection.
    pub extensions: Extensions,
    /// The tenant that is meant where neither the key nor the arguments say so.
    pub tenant: Option<String>,
    /// They want names with dots.
    pub dotted: bool,
    /// The arguments of their call.
    pub arguments: Option<Box<RawValue>>,
}

/// One operation of the API as data.
pub struct Ask {
    method: Method,
    target: String,
    body: Option<String>,
    idempotency_key: Option<String>,
}

impl Ask {
    /// Asks for something.
    pub fn get(path: String) -> Self {
        Self { method: Method::GET, target: path, body: None, idempotency_key: None }
    }

    /// Has something done.
    pub fn post(path: String) -> Self {
        Self { method: Method::POST, ..Self::get(path) }
    }

    /// Changes something.
    pub fn patch(path: String) -> Self {
        Self { method: Method::PATCH, ..Self::get(path) }
    }

    /// Takes something away.
    pub fn delete(path: String) -> Self {
        Self { method: Method::DELETE, ..Self::get(path) }
    }

    /// The same with a parameter, if there is a value.
    pub fn query(mut self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        if let Some(value) = value {
            let sign = if self.target.contains('?') { '&' } else { '?' };
            let _ = write!(self.target, "{sign}{name}={}", escaped(value.as_ref()));
        }
        self
    }

    /// The same with a body.
    pub fn body(self, json: String) -> Self {
        Self { body: Some(json), ..self }
    }

    /// The same, done once however often it is asked for.
    pub fn once(self, idempotency_key: Option<String>) -> Self {
        Self { idempotency_key, ..self }
    }
}

impl Asking {
    /// The tenant that is meant.
    pub fn tenant(&self, arguments: &mut Arguments) -> Result<String, Failure> {
        let given = arguments.text("tenant")?;
        let own = || self.caller.own_tenant().ok().map(ToString::to_string);
        given.or_else(|| self.tenant.clone()).or_else(own).ok_or_else(|| {
            Failure::field(
                "tenant",
                "required",
                "this key is good for every tenant: name the one that is meant",
            )
        })
    }

    /// Asks, and answers the JSON of a success.
    pub async fn send(&self, ask: Ask) -> Result<Bytes, Failure> {
        let mut request = Request::builder().method(ask.method).uri(ask.target);
        for name in PASSED_ON {
            if let Some(value) = self.headers.get(&name) {
                request = request.header(name, value);
            }
        }
        if ask.body.is_some() {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(key) = ask.idempotency_key {
            let key = HeaderValue::try_from(key).map_err(|_| {
                Failure::field("idempotency_key", "bad_key", "use printable ASCII characters")
            })?;
            request = request.header("idempotency-key", key);
        }
        let request = request.body(Body::from(ask.body.unwrap_or_default()));
        let mut request = request.map_err(|_| Failure::of_ours())?;
        *request.extensions_mut() = self.extensions.clone();
        // A router is always ready.
        let response = self.api.clone().call(request).await.unwrap_or_else(|never| match never {});
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|_| Failure::of_ours())?.to_bytes();
        if head.status.is_success() {
            return Ok(body);
        }
        let problem: Option<Problem> = serde_json::from_slice(&body).ok();
        let retry_after =
            head.headers.get(RETRY_AFTER).and_then(|it| it.to_str().ok()?.parse().ok());
        Err(Failure::refused(head.status, problem, retry_after))
    }
}

/// A collection of a tenant.
pub fn all(tenant: &str, name: &str) -> String {
    paths::collection(&escaped(tenant), name)
}

/// A thing of a tenant's collection.
pub fn one(tenant: &str, collection: &str, id: &str) -> String {
    paths::item(&escaped(tenant), collection, &escaped(id))
}
