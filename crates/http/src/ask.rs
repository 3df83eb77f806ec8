//! What the surfaces take from a request and give back, whatever form each of them refuses in.

use axum::body::Body;
use axum::extract::{FromRequestParts, Query as AxumQuery, RawPathParams, Request};
use axum::response::Response;
use hookyard_api::json::Object;
use hookyard_api::patch::Patch;
use hookyard_app::{AppError, Caller, PageQuery};
use hookyard_domain::invalid::Invalid;
use hookyard_domain::limit;
use hookyard_domain::profile::Profile;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::auth;
use crate::body::{self, BodyError};
use crate::state::DoorState;

/// The caller behind the key of a request.
pub(crate) async fn caller(parts: &Parts, state: &DoorState) -> Result<Caller, AppError> {
    let origin = auth::origin(&parts.extensions);
    state.app().authenticate(auth::bearer(&parts.headers), origin).await
}

/// The same through a vendor's surface, with the tenant that the key says is meant.
pub(crate) async fn member(
    parts: &Parts,
    state: &DoorState,
    surface: Profile,
) -> Result<(Caller, String), AppError> {
    let caller = caller(parts, state).await?.through(surface);
    let tenant = caller.own_tenant()?.to_string();
    Ok((caller, tenant))
}

/// The first parameters of the path, empty where it has fewer. `None`: they cannot be read, so they name nothing.
pub(crate) async fn path<const N: usize>(
    parts: &mut Parts,
    state: &DoorState,
) -> Option<[String; N]> {
    let given = RawPathParams::from_request_parts(parts, state).await.ok()?;
    let mut values = given.iter().map(|(_, value)| value.to_owned());
    Some(std::array::from_fn(|_| values.next().unwrap_or_default()))
}

/// The object of a JSON body.
pub(crate) async fn json<T: DeserializeOwned>(request: Request) -> Result<T, BodyError> {
    let (parts, body) = request.into_parts();
    body::require_json(&parts.headers)?;
    let bytes = body::read(&parts.headers, body, limit::BODY_BYTES_MAX).await?;
    Ok(body::json::<Object<T>>(&bytes)?.0)
}

/// The object of a JSON body that may be left out or be `null`, whatever it calls itself.
pub(crate) async fn maybe_json<T: DeserializeOwned + Default>(
    request: Request,
) -> Result<T, BodyError> {
    let (parts, body) = request.into_parts();
    let bytes = body::read(&parts.headers, body, limit::BODY_BYTES_MAX).await?;
    if bytes.is_empty() {
        return Ok(T::default());
    }
    Ok(body::json::<Option<Object<T>>>(&bytes)?.unwrap_or_default().0)
}

/// The value of a PATCH's field that cannot be taken away; `null` is noted as wrong.
pub(crate) fn not_null<T>(wrong: &mut Vec<Invalid>, pointer: &str, patch: Patch<T>) -> Option<T> {
    match patch {
        Patch::Keep => None,
        Patch::Set(value) => Some(value),
        Patch::Clear => {
            wrong.push(Invalid::new(pointer, "required", "a webhook cannot do without it"));
            None
        }
    }
}

/// The parameters of a query. Each is taken once; what is left over at the end is refused, so that a misspelt filter does
/// not quietly show everything.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads them.
    pub(crate) fn of(parts: &Parts) -> Result<Self, Invalid> {
        let unreadable = |_| Invalid::new("", "bad_query", "the query cannot be read");
        AxumQuery::try_from_uri(&parts.uri).map(|it| Self(it.0)).map_err(unreadable)
    }

    /// Takes one parameter.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(it, _)| it == name)?;
        Some(self.0.remove(at).1)
    }

    /// Takes those of a page; nothing may be left after that.
    pub(crate) fn page(mut self) -> Result<PageQuery, Vec<Invalid>> {
        let page = PageQuery { limit: self.take("limit"), cursor: self.take("cursor") };
        self.end().map(|()| page)
    }

    /// Nothing may be left.
    pub(crate) fn end(self) -> Result<(), Vec<Invalid>> {
        if self.0.is_empty() {
            return Ok(());
        }
        let message = "there is no such parameter here, or it is there twice";
        let left = self.0.into_iter();
        Err(left.map(|(name, _)| Invalid::new(name, "unknown_parameter", message)).collect())
    }
}

/// A JSON answer.
pub(crate) fn reply(status: StatusCode, value: &impl Serialize) -> Result<Response, AppError> {
    let body = serde_json::to_vec(value).map_err(|error| AppError::Internal(error.into()))?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
