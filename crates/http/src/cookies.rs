//! The cookies that carry sessions: the dashboard's, and the portal's, which stands in other people's pages.

use std::time::Duration;

use hookyard_domain::secret::Secret;
use http::header::COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Names the session a request goes by. No other site's page can send it, so it also proves that the cookie was meant.
pub const SESSION: HeaderName = HeaderName::from_static("x-hookyard-session");

/// Which of the two sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// `dashboard`.
    Dashboard,
    /// `portal`.
    Portal,
}

impl Door {
    const ALL: [Self; 2] = [Self::Dashboard, Self::Portal];

    /// The one a request names; `None` when it names none.
    #[must_use]
    pub fn named(headers: &HeaderMap) -> Option<Self> {
        let named = headers.get(SESSION)?;
        Some(if named.as_bytes() == b"portal" { Self::Portal } else { Self::Dashboard })
    }

    /// The cookie's name. The prefix, which https alone may set, keeps neighbours under the same domain from setting it.
    const fn cookie(self, is_https: bool) -> &'static str {
        match (self, is_https) {
            (Self::Dashboard, true) => "__Host-hookyard",
            (Self::Dashboard, false) => "hookyard",
            (Self::Portal, true) => "__Host-hookyard-portal",
            (Self::Portal, false) => "hookyard-portal",
        }
    }

    /// The policy of the cookie towards other sites. The portal's may stand in a frame of theirs, where browsers take it over
    /// https alone, and keep it apart for each of them.
    const fn policy(self, is_https: bool) -> &'static str {
        match (self, is_https) {
            (Self::Portal, true) => "SameSite=None; Secure; Partitioned",
            (Self::Dashboard, true) => "SameSite=Strict; Secure",
            (_, false) => "SameSite=Strict",
        }
    }
}

/// The pass of the session that a request names; of the dashboard's if it names none, else of the portal's.
#[must_use]
pub fn pass(headers: &HeaderMap) -> Option<&str> {
    let of = |door: Door| {
        [true, false].into_iter().find_map(|is_https| value(headers, door.cookie(is_https)))
    };
    match Door::named(headers) {
        Some(door) => of(door),
        None => Door::ALL.into_iter().find_map(of),
    }
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|it| it.to_str().ok());
    let mut pairs = lines.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find(|(it, value)| *it == name && !value.is_empty()).map(|(_, value)| value)
}

/// Keeps a pass for as long as it lives.
#[must_use]
pub fn keep(door: Door, is_https: bool, pass: &Secret, lives: Duration) -> Option<HeaderValue> {
    set(door, is_https, pass.reveal(), lives.as_secs())
}

/// Takes it away.
#[must_use]
pub fn drop(door: Door, is_https: bool) -> Option<HeaderValue> {
    set(door, is_https, "", 0)
}

fn set(door: Door, is_https: bool, value: &str, lives_s: u64) -> Option<HeaderValue> {
    let (name, policy) = (door.cookie(is_https), door.policy(is_https));
    let text = format!("{name}={value}; Path=/; Max-Age={lives_s}; HttpOnly; {policy}");
    let mut header = HeaderValue::try_from(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cookies: &[&'static str], named: Option<&'static str>, want: Option<&str>) {
        let mut headers = HeaderMap::new();
        for line in cookies {
            headers.append(COOKIE, HeaderValue::from_static(line));
        }
        if let Some(named) = named {
            headers.insert(SESSION, HeaderValue::from_static(named));
        }
        assert_eq!(pass(&headers), want, "{cookies:?} {named:?}");
    }

    #[test]
    fn a_request_goes_by_the_session_it_names() {
        let both = ["a=b; hookyard=one; hookyard-portal=two"];
        check(&both, None, Some("one"));
        check(&both, Some("dashboard"), Some("one"));
        check(&both, Some("portal"), Some("two"));
        check(&["hookyard-portal=two"], None, Some("two"));
        check(&["hookyard-portal=two"], Some("dashboard"), None);
        check(&["hookyard=one"], Some("portal"), None);
        check(&["hookyard=plain", "__Host-hookyard=safe"], None, Some("safe"));
        check(&["hookyard=", "xhookyard=1"], None, None);
    }

    #[test]
    fn cookies_are_kept_from_scripts_and_from_other_sites() {
        let pass = Secret::new("hks_x".into());
        let of = |door, is_https| {
            let header = keep(door, is_https, &pass, Duration::from_secs(60)).unwrap();
            assert!(header.is_sensitive());
            header.to_str().unwrap().to_owned()
        };
        assert_eq!(
            of(Door::Dashboard, true),
            "__Host-hookyard=hks_x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure"
        );
        assert_eq!(
            of(Door::Portal, true),
            "__Host-hookyard-portal=hks_x; Path=/; Max-Age=60; HttpOnly; SameSite=None; Secure; Partitioned"
        );
        assert_eq!(
            of(Door::Portal, false),
            "hookyard-portal=hks_x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict"
        );
        assert!(drop(Door::Dashboard, false).unwrap().to_str().unwrap().contains("Max-Age=0"));
    }
}
