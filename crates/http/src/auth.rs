//! Who is asking: the bearer key of RFC 6750, or else the session of a cookie, turned into a caller by `app`.
//!
//! A browser sends a cookie with whatever makes it ask, also with another site's form. So a request that a cookie signed in
//! and that changes something must say that it comes from a page of ours, or carry a header that no other site can send;
//! and it must not say that it comes from another site's.

use axum::extract::FromRequestParts;
use hookyard_app::{AppError, Caller, Needs};
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::request::Parts;
use http::{Extensions, HeaderMap, Method};

use crate::cookies;
use crate::native::problem::Refused;
use crate::server::Peer;
use crate::state::DoorState;

/// The caller of a request that carries a good key.
pub struct Asker(pub Caller);

impl FromRequestParts<DoorState> for Asker {
    type Rejection = Refused;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &DoorState,
    ) -> Result<Self, Self::Rejection> {
        let origin = origin(&parts.extensions);
        Ok(Self(caller(state, &parts.method, &parts.headers, origin).await?))
    }
}

/// The caller of a request, by its key or by its session.
///
/// # Errors
/// When there is neither, or when a cookie alone asks for a change.
pub async fn caller(
    state: &DoorState,
    method: &Method,
    headers: &HeaderMap,
    origin: Option<String>,
) -> Result<Caller, AppError> {
    if !headers.contains_key(AUTHORIZATION)
        && let Some(pass) = cookies::pass(headers)
    {
        if !method.is_safe() {
            must_be_meant(state, headers)?;
        }
        return state.app().resume(pass, origin).await;
    }
    state.app().authenticate(bearer(headers), origin).await
}

/// Refuses what a cookie alone asks for.
pub(crate) fn must_be_meant(state: &DoorState, headers: &HeaderMap) -> Result<(), AppError> {
    if !headers.contains_key(cookies::SESSION) && !headers.contains_key(ORIGIN) {
        return Err(AppError::Forbidden { needs: Needs::SameOrigin });
    }
    must_be_own_page(state, headers)
}

/// Refuses what a browser says comes from another site's page.
pub(crate) fn must_be_own_page(state: &DoorState, headers: &HeaderMap) -> Result<(), AppError> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let host = |it: &str| it.split_once("://").map(|(_, host)| host.to_ascii_lowercase());
    let from = origin.to_str().ok().and_then(host);
    let own = headers.get(HOST).and_then(|it| it.to_str().ok()).map(str::to_ascii_lowercase);
    let public = state.public_url().and_then(host);
    let public = public.as_deref().and_then(|it| it.split('/').next());
    let is_own = |from: &str| own.as_deref() == Some(from) || public == Some(from);
    if from.as_deref().is_some_and(is_own) {
        return Ok(());
    }
    Err(AppError::Forbidden { needs: Needs::SameOrigin })
}

/// The origin of the page that a browser asks from.
pub(crate) fn browser_origin(headers: &HeaderMap) -> Option<&str> {
    headers.get(ORIGIN)?.to_str().ok().filter(|it| it.contains("://"))
}

/// The key of `Authorization: Bearer KEY`; the scheme's case does not matter (RFC 9110 §11.1).
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let value = given.next()?.to_str().ok()?;
    if given.next().is_some() {
        // Two keys: whichever we took, somebody before us may have looked at the other.
        return None;
    }
    let (scheme, key) = value.trim().split_once(' ')?;
    let key = key.trim_start();
    (scheme.eq_ignore_ascii_case("bearer") && !key.is_empty()).then_some(key)
}

/// The caller's address, for the audit log.
#[must_use]
pub fn origin(extensions: &Extensions) -> Option<String> {
    extensions.get::<Peer>().map(|peer| peer.0.ip().to_canonical().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[&'static str], want: Option<&str>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, http::HeaderValue::from_static(value));
        }
        assert_eq!(bearer(&headers), want, "{values:?}");
    }

    #[test]
    fn the_scheme_is_read_in_any_case_and_anything_else_is_no_key() {
        check(&["Bearer abc"], Some("abc"));
        check(&["bearer abc"], Some("abc"));
        check(&["BEARER  abc "], Some("abc"));
        check(&["Basic abc"], None);
        check(&["Bearer"], None);
        check(&["Bearer "], None);
        check(&["abc"], None);
        check(&[], None);
        check(&["Bearer a", "Bearer b"], None);
    }
}
