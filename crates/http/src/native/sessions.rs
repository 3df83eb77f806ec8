//! Signing in and out, and links to the portal.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::response::Response;
use hookyard_api::sessions::{
    NewPortalSession, NewSession, PortalSession, Session, SessionKind, SessionState, SessionTenant,
};
use hookyard_app::{SessionDetails, Who};
use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::extract::{AtTenant, Json, MaybeJson, NoBody, Reply, no_content, reply};
use super::problem::Refused;
use super::sources::Base;
use crate::auth;
use crate::cookies::{self, Door};
use crate::receiving;
use crate::state::DoorState;

/// Bytes of a body that signs in or out: a key, and room to spare.
const BODY_BYTES_MAX: u64 = 8 * 1024;

/// A body that a stranger may send, read as `T` reads bodies: small, within the memory that there is for such, and in time.
pub struct Strangers<T>(T);

impl<T: FromRequest<DoorState, Rejection = Refused>> FromRequest<DoorState> for Strangers<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &DoorState) -> Result<Self, Refused> {
        let (parts, body) = request.into_parts();
        let mut share = state.keyless().share();
        let bytes =
            receiving::whole_body::<Refused>(&parts, body, BODY_BYTES_MAX, &mut share).await?;
        let request = Request::from_parts(parts, Body::from(bytes));
        T::from_request(request, state).await.map(Self)
    }
}

/// What of a request matters to its session.
pub struct Visit {
    headers: HeaderMap,
    is_https: bool,
}

impl FromRequestParts<DoorState> for Visit {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &DoorState) -> Result<Self, Refused> {
        // Browsers say how they see us, wherever TLS ends before us; else it is as for receive URLs.
        let seen = auth::browser_origin(&parts.headers).map(str::to_owned);
        let seen = seen.unwrap_or_else(|| receiving::base_url(state, parts));
        Ok(Self { headers: parts.headers.clone(), is_https: seen.starts_with("https://") })
    }
}

/// Sign in
///
/// Exchanges the operator's key, a tenant's key or a portal token for a session, which a cookie carries that scripts cannot
/// read. The session may do what the key may, and ends with it. A request that changes something by it must come from a
/// page of this server. The header `X-Hookyard-Session`, `dashboard` or `portal`, says which session is meant where a browser
/// has both: one of a key, and one of a portal token.
#[utoipa::path(
    post, path = "/session", operation_id = "sign_in", tag = "Sessions", security(()),
    request_body = NewSession,
    responses(
        (status = 200, description = "Signed in.", body = SessionState,
            headers(("Set-Cookie" = String, description = "The session."))),
    ),
)]
pub async fn sign_in(
    State(state): State<DoorState>,
    visit: Visit,
    Strangers(Json(new)): Strangers<Json<NewSession>>,
) -> Reply {
    auth::must_be_own_page(&state, &visit.headers)?;
    let signed_in = state.app().sign_in(&new.key).await?;
    let door = if signed_in.is_portal { Door::Portal } else { Door::Dashboard };
    let cookie = cookies::keep(door, visit.is_https, &signed_in.pass, signed_in.details.lives);
    Ok(with_cookie(shown(Some(signed_in.details))?, cookie))
}

/// Get the session
///
/// Who is signed in by the cookie of this request; `null` when nobody is (any more).
#[utoipa::path(
    get, path = "/session", operation_id = "get_session", tag = "Sessions", security(()),
    responses((status = 200, description = "The session.", body = SessionState)),
)]
pub async fn read(State(state): State<DoorState>, visit: Visit) -> Reply {
    let details = match cookies::pass(&visit.headers) {
        Some(pass) => state.app().session(pass).await?,
        None => None,
    };
    shown(details)
}

/// Sign out
///
/// The browser forgets the session: the one that the header `X-Hookyard-Session` names, else the one of a key. The server keeps
/// no list of sessions: a copy of the cookie works on until `expires_at`, at most 24 hours, or until its key is revoked.
#[utoipa::path(
    delete, path = "/session", operation_id = "sign_out", tag = "Sessions", security(()),
    responses(
        (status = 204, description = "The browser is signed in no more.",
            headers(("Set-Cookie" = String, description = "Takes the session away."))),
    ),
)]
pub async fn sign_out(State(state): State<DoorState>, visit: Visit, _: Strangers<NoBody>) -> Reply {
    auth::must_be_meant(&state, &visit.headers)?;
    let door = Door::named(&visit.headers).unwrap_or(Door::Dashboard);
    Ok(with_cookie(no_content(), cookies::drop(door, visit.is_https)))
}

/// Create a portal session
///
/// A link for the tenant's own customer: to open, or to show in an iframe. Its token is also a bearer key with just these
/// powers; it ends with the key it was made with.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/portal-sessions", operation_id = "create_portal_session", tag = "Sessions",
    request_body(content = Option<NewPortalSession>),
    responses((status = 201, description = "The link, and its token.", body = PortalSession)),
)]
pub async fn create_portal(
    State(state): State<DoorState>,
    at: AtTenant,
    base: Base,
    MaybeJson(new): MaybeJson<NewPortalSession>,
) -> Reply {
    let new = hookyard_app::NewPortalSession {
        scope: new.scope,
        expires_in: new.expires_in,
        capabilities: new.capabilities,
    };
    let made = state.app().create_portal_session(&at.caller, &at.tenant, new).await?;
    let token = made.token.reveal().to_owned();
    let session = PortalSession {
        url: format!("{}/portal#token={token}", base.url()),
        token,
        expires_at: made.expires_at.to_string(),
    };
    reply(StatusCode::CREATED, &session)
}

fn shown(details: Option<SessionDetails>) -> Reply {
    let mut response = reply(StatusCode::OK, &SessionState { session: details.map(session) })?;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn session(it: SessionDetails) -> Session {
    Session {
        kind: match it.who {
            Who::Operator => SessionKind::Operator,
            Who::Key(_) => SessionKind::Key,
            Who::Portal(_) => SessionKind::Portal,
        },
        tenant: it.tenant.map(|it| SessionTenant {
            id: it.id.to_string(),
            name: it.name,
            profile: it.profile.into(),
        }),
        scope: it.scope.map(|it| it.as_str().to_owned()),
        scopes: it.scopes.into_iter().map(Into::into).collect(),
        capabilities: it.capabilities.into_iter().map(Into::into).collect(),
        expires_at: it.expires_at.to_string(),
    }
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
