//! Sources of a tenant.

use axum::extract::{FromRequestParts, State};
use hookyard_api::endpoints::RevealedSecret;
use hookyard_api::events::{Event, EventPage};
use hookyard_api::json::Json as RawJson;
use hookyard_api::page::{Page, PageQuery};
use hookyard_api::patch::Patch;
use hookyard_api::sources::{NewSource, RotateSourceSecret, Source, SourcePage, SourcePatch};
use hookyard_app::{RotateInput, SourceDetails};
use hookyard_domain::invalid::Invalid;
use http::StatusCode;
use http::request::Parts;

use super::extract::{AtItem, AtTenant, Json, MaybeJson, NoBody, Params, Reply, no_content, reply};
use super::problem::Refused;
use super::receive;
use crate::receiving;
use crate::state::DoorState;

/// Where callers reach this server, which is where receive URLs begin.
pub struct Base(String);

impl Base {
    /// It, without a slash at the end.
    pub(super) fn url(&self) -> &str {
        &self.0
    }
}

impl FromRequestParts<DoorState> for Base {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &DoorState) -> Result<Self, Refused> {
        Ok(Self(receiving::base_url(state, parts)))
    }
}

/// Create a source
///
/// The answer shows its secret, this once (`reveal-secret` shows it again), unless the provider hands it over later.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/sources", operation_id = "create_source", tag = "Sources",
    request_body = NewSource,
    responses((status = 201, description = "The source, with its secret.", body = Source)),
)]
pub async fn create(
    State(state): State<DoorState>,
    at: AtTenant,
    base: Base,
    Json(new): Json<NewSource>,
) -> Reply {
    let made = state.app().create_source(&at.caller, &at.tenant, new_source(new)).await?;
    let source = base.shown(made.details).with_secret(made.secret.as_ref());
    reply(StatusCode::CREATED, &source)
}

/// List sources
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/sources", operation_id = "list_sources", tag = "Sources",
    params(PageQuery),
    responses((status = 200, description = "A page, newest first.", body = SourcePage)),
)]
pub async fn list(
    State(state): State<DoorState>,
    at: AtTenant,
    base: Base,
    query: Params,
) -> Reply {
    let page = state.app().sources(&at.caller, &at.tenant, query.page()?).await?;
    reply(StatusCode::OK, &Page::of(page, |it| base.shown(it)))
}

/// Get a source
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/sources/{id}", operation_id = "get_source", tag = "Sources",
    responses((status = 200, description = "The source.", body = Source)),
)]
pub async fn read(State(state): State<DoorState>, at: AtItem, base: Base) -> Reply {
    let details = state.app().source(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &base.shown(details))
}

/// Change a source
///
/// What is left out stays, `null` sets back to nothing. The very next request obeys the change.
#[utoipa::path(
    patch, path = "/v1/tenants/{tenant}/sources/{id}", operation_id = "update_source", tag = "Sources",
    request_body = SourcePatch,
    responses((status = 200, description = "The source as it is after.", body = Source)),
)]
pub async fn update(
    State(state): State<DoorState>,
    at: AtItem,
    base: Base,
    Json(patch): Json<SourcePatch>,
) -> Reply {
    let patch = source_patch(patch)?;
    let details = state.app().change_source(&at.caller, &at.tenant, &at.id, patch).await?;
    reply(StatusCode::OK, &base.shown(details))
}

/// Delete a source
///
/// Its URL answers 404 at once. Its events stay listed; what was held of it is never passed on.
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/sources/{id}", operation_id = "delete_source", tag = "Sources",
    responses((status = 204, description = "It is gone.")),
)]
pub async fn delete(State(state): State<DoorState>, at: AtItem) -> Reply {
    state.app().delete_source(&at.caller, &at.tenant, &at.id).await?;
    Ok(no_content())
}

/// Enable a source
///
/// From `disabled` back to `active`.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/sources/{id}/enable", operation_id = "enable_source", tag = "Sources",
    responses((status = 200, description = "The source as it is after.", body = Source)),
)]
pub async fn enable(State(state): State<DoorState>, at: AtItem, base: Base, _: NoBody) -> Reply {
    let details = state.app().enable_source(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &base.shown(details))
}

/// Disable a source
///
/// It answers 403 and records nothing.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/sources/{id}/disable", operation_id = "disable_source", tag = "Sources",
    responses((status = 200, description = "The source as it is after.", body = Source)),
)]
pub async fn disable(State(state): State<DoorState>, at: AtItem, base: Base, _: NoBody) -> Reply {
    let details = state.app().disable_source(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &base.shown(details))
}

/// Pause a source
///
/// What it receives is recorded, and passed on when it is resumed.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/sources/{id}/pause", operation_id = "pause_source", tag = "Sources",
    responses((status = 200, description = "The source as it is after.", body = Source)),
)]
pub async fn pause(State(state): State<DoorState>, at: AtItem, base: Base, _: NoBody) -> Reply {
    let details = state.app().pause_source(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &base.shown(details))
}

/// Resume a source
///
/// What it recorded while it was paused is passed on, oldest first.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/sources/{id}/resume", operation_id = "resume_source", tag = "Sources",
    responses((status = 200, description = "The source as it is after.", body = Source)),
)]
pub async fn resume(State(state): State<DoorState>, at: AtItem, base: Base, _: NoBody) -> Reply {
    let details = state.app().resume_source(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &base.shown(details))
}

/// Rotate the secret of a source
///
/// Both secrets are believed until the overlap has passed. The answer shows the one now in force.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/sources/{id}/rotate-secret", operation_id = "rotate_source_secret", tag = "Sources",
    request_body(content = Option<RotateSourceSecret>),
    responses((status = 200, description = "The source, with its secret.", body = Source)),
)]
pub async fn rotate_secret(
    State(state): State<DoorState>,
    at: AtItem,
    base: Base,
    MaybeJson(form): MaybeJson<RotateSourceSecret>,
) -> Reply {
    let input = RotateInput { overlap_s: form.overlap_s, secret: form.secret };
    let made = state.app().rotate_source_secret(&at.caller, &at.tenant, &at.id, input).await?;
    reply(StatusCode::OK, &base.shown(made.details).with_secret(made.secret.as_ref()))
}

/// Reveal the secret of a source
///
/// Also the one that its provider handed over, where it has to be pasted back (Notion). Written into the audit log.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/sources/{id}/reveal-secret", operation_id = "reveal_source_secret", tag = "Sources",
    responses((status = 200, description = "The secret in force.", body = RevealedSecret)),
)]
pub async fn reveal_secret(State(state): State<DoorState>, at: AtItem, _: NoBody) -> Reply {
    let secret = state.app().reveal_source_secret(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &RevealedSecret { secret: secret.reveal().to_owned() })
}

/// List the events of a source
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/sources/{id}/events", operation_id = "list_source_events", tag = "Sources",
    params(PageQuery),
    responses((status = 200, description = "A page, newest first.", body = EventPage)),
)]
pub async fn events(State(state): State<DoorState>, at: AtItem, query: Params) -> Reply {
    let page = state.app().source_events(&at.caller, &at.tenant, &at.id, query.page()?).await?;
    reply(StatusCode::OK, &Page::of(page, |it| Event::new(it.event, it.deliveries)))
}

impl Base {
    fn shown(&self, details: SourceDetails) -> Source {
        let receive_url = receive::url(&self.0, details.source.id);
        Source::new(details.source, details.activity, receive_url, details.overlap_until)
    }
}

fn new_source(form: NewSource) -> hookyard_app::NewSource {
    hookyard_app::NewSource {
        name: form.name,
        provider: form.provider,
        secret: form.secret,
        scope: form.scope,
        verify_token: form.verify_token,
        public_url: form.public_url,
        events: form.events.map(|it| it.0),
        description: form.description,
        metadata: form.metadata.map(text),
        forward: None,
    }
}

fn source_patch(form: SourcePatch) -> Result<hookyard_app::SourcePatch, Refused> {
    Ok(hookyard_app::SourcePatch {
        name: not_null("/name", form.name)?,
        provider: form.provider.into_option(),
        secret: not_null("/secret", form.secret)?,
        scope: form.scope.into_option(),
        verify_token: form.verify_token.into_option(),
        public_url: form.public_url.into_option(),
        events: form.events.map(|it| it.0).into_option(),
        description: form.description.into_option(),
        metadata: form.metadata.map(text).into_option(),
        status: not_null("/status", form.status)?,
        forward: None,
    })
}

/// A field that has no default to be set back to.
fn not_null<T>(pointer: &str, patch: Patch<T>) -> Result<Option<T>, Refused> {
    match patch {
        Patch::Keep => Ok(None),
        Patch::Set(value) => Ok(Some(value)),
        Patch::Clear => {
            Err(Invalid::new(pointer, "required", "give a value, or leave it out").into())
        }
    }
}

fn text(json: RawJson) -> String {
    json.text().to_owned()
}
