//! What handlers of this surface take from a request, and how they answer.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::Response;
use hookyard_app::{AppError, Caller};
use hookyard_domain::id::SourceId;
use hookyard_domain::profile::Profile;
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::envelope::Success;
use super::errors::Refused;
use super::wire::receive_url;
use crate::state::DoorState;
use crate::{ask, receiving};

/// What a handler answers.
pub type Reply = Result<Response, Refused>;

/// `{"success": true, "data": …}`.
pub fn reply(status: StatusCode, data: impl Serialize) -> Reply {
    Ok(ask::reply(status, &Success { success: true, data })?)
}

/// The id of a source, from the UUID that this surface shows of it. What is none names nothing.
pub fn source_id(uuid: &str) -> Result<String, AppError> {
    let id = SourceId::from_uuid(uuid).ok_or(AppError::NotFound { what: "source" })?;
    Ok(id.to_string())
}

/// Who asks, for which organisation, where they reached us, and what the path names.
pub struct At {
    /// Who asks; they see the webhooks of this surface.
    pub caller: Caller,
    /// The tenant of their key.
    pub tenant: String,
    /// Where receive URLs begin.
    pub base_url: String,
    /// Where they reached us.
    origin: String,
    id: String,
}

impl At {
    /// The id of the source that the path names.
    ///
    /// # Errors
    /// When it is no UUID.
    pub fn source(&self) -> Result<String, AppError> {
        source_id(&self.id)
    }

    /// The receive URL of the webhook that the path names, as it is shown and as the caller may know it.
    #[must_use]
    pub fn own_urls(&self) -> [String; 2] {
        [&self.base_url, &self.origin].map(|base| receive_url(base, &self.id))
    }
}

impl FromRequestParts<DoorState> for At {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &DoorState) -> Result<Self, Refused> {
        let (caller, tenant) = ask::member(parts, state, Profile::Alumia).await?;
        let [id] = ask::path(parts, state).await.ok_or(Refused::NoRoute)?;
        let (base_url, origin) = (receiving::base_url(state, parts), receiving::origin(parts));
        Ok(Self { caller, tenant, base_url, origin, id })
    }
}

/// A JSON body. Members that are not known are passed over.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<DoorState> for Json<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &DoorState) -> Result<Self, Refused> {
        Ok(Self(ask::json(request).await?))
    }
}

/// A JSON body that may be left out.
pub struct MaybeJson<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest<DoorState> for MaybeJson<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &DoorState) -> Result<Self, Refused> {
        Ok(Self(ask::maybe_json(request).await?))
    }
}

/// The parameters of a query.
pub struct Params(pub(super) ask::Query);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        Ok(Self(ask::Query::of(parts)?))
    }
}
