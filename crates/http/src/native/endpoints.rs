//! Endpoints of a tenant.

use axum::extract::State;
use bytes::Bytes;
use hookyard_api::attempts::Attempt;
use hookyard_api::endpoints::{
    Endpoint, EndpointPage, EndpointPatch, NewEndpoint, Policy, RevealedSecret, RotateSecret,
    TestEndpoint, TestResult, VerifyResult,
};
use hookyard_api::json::{Json as RawJson, Object};
use hookyard_api::page::{Page, PageQuery};
use hookyard_api::patch::Patch;
use hookyard_api::policies::{AutoDisable, AutoDisableForm, RateLimitForm, RetryForm};
use hookyard_app::{
    AutoDisableInput, EndpointDetails, RateLimitInput, RetryInput, RotateInput, TestInput,
};
use hookyard_domain::attempt::OutcomeKind;
use hookyard_domain::headers::Headers;
use hookyard_domain::invalid::Invalid;
use http::StatusCode;

use super::extract::{AtItem, AtTenant, Json, MaybeJson, NoBody, Params, Reply, no_content, reply};
use super::problem::Refused;
use crate::state::DoorState;

/// Create an endpoint
///
/// The answer shows its signing secret, this once (`reveal-secret` shows it again).
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/endpoints", operation_id = "create_endpoint", tag = "Endpoints",
    request_body = NewEndpoint,
    responses((status = 201, description = "The endpoint, with its secret.", body = Endpoint)),
)]
pub async fn create(
    State(state): State<DoorState>,
    at: AtTenant,
    Json(new): Json<NewEndpoint>,
) -> Reply {
    let made = state.app().create_endpoint(&at.caller, &at.tenant, new_endpoint(new)).await?;
    let endpoint = shown(made.details).with_secret(made.secret.as_ref());
    reply(StatusCode::CREATED, &endpoint)
}

/// List endpoints
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/endpoints", operation_id = "list_endpoints", tag = "Endpoints",
    params(PageQuery),
    responses((status = 200, description = "A page, newest first.", body = EndpointPage)),
)]
pub async fn list(State(state): State<DoorState>, at: AtTenant, query: Params) -> Reply {
    let page = state.app().endpoints(&at.caller, &at.tenant, query.page()?).await?;
    reply(StatusCode::OK, &Page::of(page, shown))
}

/// Get an endpoint
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/endpoints/{id}", operation_id = "get_endpoint", tag = "Endpoints",
    responses((status = 200, description = "The endpoint.", body = Endpoint)),
)]
pub async fn read(State(state): State<DoorState>, at: AtItem) -> Reply {
    let details = state.app().endpoint(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &shown(details))
}

/// Change an endpoint
///
/// What is left out stays, `null` sets back to the profile's value. The very next event obeys the change.
#[utoipa::path(
    patch, path = "/v1/tenants/{tenant}/endpoints/{id}", operation_id = "update_endpoint", tag = "Endpoints",
    request_body = EndpointPatch,
    responses((status = 200, description = "The endpoint as it is after.", body = Endpoint)),
)]
pub async fn update(
    State(state): State<DoorState>,
    at: AtItem,
    Json(patch): Json<EndpointPatch>,
) -> Reply {
    let patch = endpoint_patch(patch)?;
    let details = state.app().update_endpoint(&at.caller, &at.tenant, &at.id, patch).await?;
    reply(StatusCode::OK, &shown(details))
}

/// Delete an endpoint
///
/// What it is still owed is discarded; its deliveries stay listed.
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/endpoints/{id}", operation_id = "delete_endpoint", tag = "Endpoints",
    responses((status = 204, description = "It is gone.")),
)]
pub async fn delete(State(state): State<DoorState>, at: AtItem) -> Reply {
    state.app().delete_endpoint(&at.caller, &at.tenant, &at.id).await?;
    Ok(no_content())
}

/// Enable an endpoint
///
/// From `disabled` back to `active`, or to `pending` when it has to prove itself.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/endpoints/{id}/enable", operation_id = "enable_endpoint", tag = "Endpoints",
    responses((status = 200, description = "The endpoint as it is after.", body = Endpoint)),
)]
pub async fn enable(State(state): State<DoorState>, at: AtItem, _: NoBody) -> Reply {
    let details = state.app().enable_endpoint(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &shown(details))
}

/// Disable an endpoint
///
/// What it would have got is discarded, and listed with the reason.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/endpoints/{id}/disable", operation_id = "disable_endpoint", tag = "Endpoints",
    responses((status = 200, description = "The endpoint as it is after.", body = Endpoint)),
)]
pub async fn disable(State(state): State<DoorState>, at: AtItem, _: NoBody) -> Reply {
    let details = state.app().disable_endpoint(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &shown(details))
}

/// Pause an endpoint
///
/// What it is owed is held until it is resumed.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/endpoints/{id}/pause", operation_id = "pause_endpoint", tag = "Endpoints",
    responses((status = 200, description = "The endpoint as it is after.", body = Endpoint)),
)]
pub async fn pause(State(state): State<DoorState>, at: AtItem, _: NoBody) -> Reply {
    let details = state.app().pause_endpoint(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &shown(details))
}

/// Resume an endpoint
///
/// What was held is sent, in order.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/endpoints/{id}/resume", operation_id = "resume_endpoint", tag = "Endpoints",
    responses((status = 200, description = "The endpoint as it is after.", body = Endpoint)),
)]
pub async fn resume(State(state): State<DoorState>, at: AtItem, _: NoBody) -> Reply {
    let details = state.app().resume_endpoint(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &shown(details))
}

/// Verify an endpoint
///
/// Sends the challenge of its profile; the answer says whether it was passed.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/endpoints/{id}/verify", operation_id = "verify_endpoint", tag = "Endpoints",
    responses((status = 200, description = "What came of the challenge.", body = VerifyResult)),
)]
pub async fn verify(State(state): State<DoorState>, at: AtItem, _: NoBody) -> Reply {
    let verified = state.app().verify_endpoint(&at.caller, &at.tenant, &at.id).await?;
    let result = VerifyResult {
        verified: verified.passed,
        reason: verified.reason,
        status_code: verified.status_code,
        endpoint: shown(verified.details),
    };
    reply(StatusCode::OK, &result)
}

/// Send a test
///
/// One signed request to this endpoint alone, whatever its state; not tried again, listed among its deliveries.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/endpoints/{id}/test", operation_id = "test_endpoint", tag = "Endpoints",
    request_body(content = Option<TestEndpoint>),
    responses((status = 200, description = "What came of it.", body = TestResult)),
)]
pub async fn test(
    State(state): State<DoorState>,
    at: AtItem,
    MaybeJson(form): MaybeJson<TestEndpoint>,
) -> Reply {
    let data = form.data.map(|it| Bytes::copy_from_slice(it.text().as_bytes()));
    let test = TestInput { event_type: form.event_type, data };
    let tested = state.app().test_endpoint(&at.caller, &at.tenant, &at.id, test).await?;
    let result = TestResult {
        event_id: tested.event.to_string(),
        delivery_id: tested.delivery.to_string(),
        succeeded: tested.attempt.outcome == OutcomeKind::Succeeded,
        attempt: Attempt::new(tested.delivery, tested.attempt),
    };
    reply(StatusCode::OK, &result)
}

/// Rotate the signing secret
///
/// Both secrets sign until the overlap has passed. The answer shows the one now in force.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/endpoints/{id}/rotate-secret", operation_id = "rotate_endpoint_secret", tag = "Endpoints",
    request_body(content = Option<RotateSecret>),
    responses((status = 200, description = "The endpoint, with its secret.", body = Endpoint)),
)]
pub async fn rotate_secret(
    State(state): State<DoorState>,
    at: AtItem,
    MaybeJson(form): MaybeJson<RotateSecret>,
) -> Reply {
    let input = RotateInput { overlap_s: form.overlap_s, secret: form.secret };
    let made = state.app().rotate_secret(&at.caller, &at.tenant, &at.id, input).await?;
    reply(StatusCode::OK, &shown(made.details).with_secret(made.secret.as_ref()))
}

/// Reveal the signing secret
///
/// Written into the audit log.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/endpoints/{id}/reveal-secret", operation_id = "reveal_endpoint_secret", tag = "Endpoints",
    responses((status = 200, description = "The secret in force.", body = RevealedSecret)),
)]
pub async fn reveal_secret(State(state): State<DoorState>, at: AtItem, _: NoBody) -> Reply {
    let secret = state.app().reveal_secret(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &RevealedSecret { secret: secret.reveal().to_owned() })
}

fn shown(details: EndpointDetails) -> Endpoint {
    let policy = Policy {
        retry: details.policy.retry.into(),
        timeout_s: details.policy.timeout_s,
        rate_limit: details.policy.rate_limit.map(Into::into),
        max_in_flight: details.policy.max_in_flight,
        auto_disable: AutoDisable(details.policy.auto_disable),
        verify: details.policy.verify.into(),
    };
    let overlap_until = details.overlap_until;
    Endpoint::new(details.endpoint, details.activity, details.headers, policy, overlap_until)
        .with_public_key(details.public_key)
}

fn new_endpoint(form: NewEndpoint) -> hookyard_app::NewEndpoint {
    hookyard_app::NewEndpoint {
        url: form.url,
        events: form.events.0,
        name: form.name,
        description: form.description,
        scope: form.scope,
        profile: form.profile,
        secret: form.secret,
        headers: form.headers.map(Headers::from),
        retry: form.retry.map(retry),
        timeout_s: form.timeout_s,
        rate_limit: form.rate_limit.map(rate_limit),
        ordered: form.ordered,
        max_in_flight: form.max_in_flight,
        include_previous_attributes: form.include_previous_attributes,
        auto_disable: form.auto_disable.map(auto_disable),
        verify: form.verify,
        metadata: form.metadata.map(text),
        off: false,
    }
}

fn endpoint_patch(form: EndpointPatch) -> Result<hookyard_app::EndpointPatch, Refused> {
    Ok(hookyard_app::EndpointPatch {
        if_revision: None,
        url: not_null("/url", form.url)?,
        events: not_null("/events", form.events)?.map(|it| it.0),
        name: form.name.into_option(),
        description: form.description.into_option(),
        scope: form.scope.into_option(),
        profile: form.profile.into_option(),
        headers: form.headers.map(Headers::from).into_option(),
        retry: form.retry.map(retry).into_option(),
        timeout_s: form.timeout_s.into_option(),
        rate_limit: form.rate_limit.map(rate_limit).into_option(),
        ordered: form.ordered.into_option(),
        max_in_flight: form.max_in_flight.into_option(),
        include_previous_attributes: form.include_previous_attributes.into_option(),
        auto_disable: form.auto_disable.map(auto_disable).into_option(),
        verify: form.verify.into_option(),
        metadata: form.metadata.map(text).into_option(),
    })
}

/// A field that has no default to be set back to.
fn not_null<T>(pointer: &str, patch: Patch<T>) -> Result<Option<T>, Refused> {
    match patch {
        Patch::Keep => Ok(None),
        Patch::Set(value) => Ok(Some(value)),
        Patch::Clear => {
            Err(Invalid::new(pointer, "required", "an endpoint cannot do without it").into())
        }
    }
}

fn retry(Object(form): Object<RetryForm>) -> RetryInput {
    RetryInput { delays_s: form.delays_s, jitter: form.jitter, preset: form.preset }
}

fn rate_limit(Object(form): Object<RateLimitForm>) -> RateLimitInput {
    RateLimitInput { per_s: form.per_s, burst: form.burst }
}

fn auto_disable(form: AutoDisableForm) -> AutoDisableInput {
    match form {
        AutoDisableForm::Off => AutoDisableInput::Off,
        AutoDisableForm::On(when) => {
            AutoDisableInput::On { after_events: when.after_events, after_s: when.after_s }
        }
    }
}

fn text(json: RawJson) -> String {
    json.text().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body;

    #[test]
    fn null_sets_back_but_an_endpoint_keeps_its_url_and_events() {
        let patch = |text: &str| endpoint_patch(body::json(text.as_bytes()).unwrap());
        let read = patch(r#"{"retry":null,"timeout_s":5,"events":"*"}"#).unwrap();
        assert!(matches!(read.retry, Some(None)));
        assert_eq!(read.timeout_s, Some(Some(5)));
        assert_eq!(read.events, Some(vec!["*".to_owned()]));
        assert!(read.name.is_none());
        for bad in [r#"{"url":null}"#, r#"{"events":null}"#] {
            assert!(matches!(patch(bad), Err(Refused::Fields(_))), "{bad}");
        }
    }
}
