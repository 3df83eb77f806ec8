//! What handlers take from a request, and how they answer.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request};
use axum::response::Response;
use hookyard_api::json::Object;
use hookyard_app::{AppError, Caller, PageQuery};
use hookyard_domain::invalid::Invalid;
use hookyard_domain::limit;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::problem::Refused;
use crate::auth::Asker;
use crate::body;
use crate::state::DoorState;

/// What a handler answers.
pub type Reply = Result<Response, Refused>;

/// A JSON answer.
///
/// # Errors
/// Never in practice: our own types can be written.
pub fn reply(status: StatusCode, value: &impl Serialize) -> Reply {
    let body = serde_json::to_vec(value).map_err(|error| AppError::Internal(error.into()))?;
    Ok(reply_bytes(status, Body::from(body)))
}

/// An answer whose JSON is written already.
pub fn reply_bytes(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer without a body.
pub fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// A caller, and the tenant the path names.
pub struct AtTenant {
    /// Who asks.
    pub caller: Caller,
    /// The tenant's name.
    pub tenant: String,
}

/// A caller, and the thing of a tenant the path names.
pub struct AtItem {
    /// Who asks.
    pub caller: Caller,
    /// The tenant's name.
    pub tenant: String,
    /// The thing's id or name.
    pub id: String,
}

impl FromRequestParts<DoorState> for AtTenant {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &DoorState) -> Result<Self, Refused> {
        let Asker(caller) = Asker::from_request_parts(parts, state).await?;
        let [tenant] = path(parts, state).await?;
        Ok(Self { caller, tenant })
    }
}

impl FromRequestParts<DoorState> for AtItem {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &DoorState) -> Result<Self, Refused> {
        let Asker(caller) = Asker::from_request_parts(parts, state).await?;
        let [tenant, id] = path(parts, state).await?;
        Ok(Self { caller, tenant, id })
    }
}

/// The first parameters of the path. What cannot be read names nothing that is there.
async fn path<const N: usize>(
    parts: &mut Parts,
    state: &DoorState,
) -> Result<[String; N], Refused> {
    let given =
        RawPathParams::from_request_parts(parts, state).await.map_err(|_| Refused::NoRoute)?;
    let mut values = given.iter().map(|(_, value)| value.to_owned());
    Ok(std::array::from_fn(|_| values.next().unwrap_or_default()))
}

/// A JSON body.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<DoorState> for Json<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &DoorState) -> Result<Self, Refused> {
        let bytes = json_bytes(request).await?;
        Ok(Self(body::json::<Object<T>>(&bytes)?.0))
    }
}

/// A JSON body that may be left out, or be `null`.
pub struct MaybeJson<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest<DoorState> for MaybeJson<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &DoorState) -> Result<Self, Refused> {
        let (parts, body) = request.into_parts();
        let bytes = body::read(&parts.headers, body, limit::BODY_BYTES_MAX).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        body::require_json(&parts.headers)?;
        Ok(Self(body::json::<Option<Object<T>>>(&bytes)?.unwrap_or_default().0))
    }
}

/// The body of an action that needs none: left out, `null` or `{}`. Anything in it is a mistake of its sender.
pub type NoBody = MaybeJson<Nothing>;

/// An object without members.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// The bytes of a body that calls itself JSON.
///
/// # Errors
/// When it is something else, too long or too slow.
pub async fn json_bytes(request: Request) -> Result<bytes::Bytes, Refused> {
    let (parts, body) = request.into_parts();
    body::require_json(&parts.headers)?;
    Ok(body::read(&parts.headers, body, limit::BODY_BYTES_MAX).await?)
}

/// The parameters of a query. Each is taken once; what is left over at the end is refused, so that a misspelt filter does
/// not quietly show everything.
pub struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let Query(given) = Query::try_from_uri(&parts.uri)
            .map_err(|_| Invalid::new("", "bad_query", "the query cannot be read"))?;
        Ok(Self(given))
    }
}

impl Params {
    /// Takes one parameter.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(it, _)| it == name)?;
        Some(self.0.remove(at).1)
    }

    /// Takes those of a page; nothing may be left after that.
    ///
    /// # Errors
    /// When a parameter is left over.
    pub fn page(mut self) -> Result<PageQuery, Refused> {
        let page = PageQuery { limit: self.take("limit"), cursor: self.take("cursor") };
        self.end().map(|()| page)
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// When a parameter is left over.
    pub fn end(self) -> Result<(), Refused> {
        if self.0.is_empty() {
            return Ok(());
        }
        let message = "there is no such parameter here, or it is there twice";
        let left = self.0.into_iter();
        Err(Refused::Fields(
            left.map(|(name, _)| Invalid::new(name, "unknown_parameter", message)).collect(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> Params {
        let uri = format!("/x?{query}").parse().unwrap();
        Params(Query::try_from_uri(&uri).unwrap().0)
    }

    #[test]
    fn a_misspelt_or_repeated_parameter_is_refused() {
        assert!(params("limit=5&cursor=a").page().is_ok());
        for bad in ["limits=5", "limit=5&limit=6", "typ=a"] {
            let refused = params(bad).page().unwrap_err();
            assert!(matches!(refused, Refused::Fields(fields) if fields.len() == 1), "{bad}");
        }
    }

    #[test]
    fn a_parameter_is_decoded() {
        assert_eq!(params("q=a%20b%26c").take("q").as_deref(), Some("a b&c"));
    }
}
