//! Who is asking: the bearer key of RFC 6750, turned into a caller by `app`.

use axum::extract::FromRequestParts;
use hookyard_app::Caller;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{Extensions, HeaderMap};

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
        let caller = state.app().authenticate(bearer(&parts.headers), origin).await?;
        Ok(Self(caller))
    }
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
