//! By which names this server goes: what `Host` and `Origin` of a request may be.
//!
//! A page in a browser must not reach the tools. It always sends its `Origin`, and a page that had its own name resolve to
//! us (DNS rebinding) sends that name as `Host`; so a name is believed only if it cannot be such a page's.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::uri::{Authority, Uri};
use http::{HeaderName, HeaderValue};

/// What a proxy in front of us says of the caller's connection.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The public URL's scheme, host and port.
#[derive(Debug, PartialEq, Eq)]
pub struct Public {
    scheme: String,
    host: String,
    port: Option<u16>,
}

/// Why a request is not believed.
#[derive(Debug, PartialEq, Eq)]
pub enum Stranger {
    /// It was sent to a name that is not ours.
    Host(String),
    /// It comes from a page that is not ours.
    Origin(String),
}

impl Public {
    /// Reads a URL.
    pub fn read(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let authority = uri.authority()?;
        let host = authority.host().to_ascii_lowercase();
        let port = authority.port_u16().or_else(|| usual_port(&scheme));
        Some(Self { scheme, host, port })
    }
}

/// Whether the request was sent to us, and by no strange page.
pub fn check(parts: &Parts, public: Option<&Public>) -> Result<(), Stranger> {
    let host = authority(parts);
    let is_ours = host.as_ref().is_some_and(|it| {
        is_local(it.host())
            || public.is_some_and(|public| it.host().eq_ignore_ascii_case(&public.host))
    });
    let Some(host) = host.filter(|_| is_ours) else {
        let given = parts.headers.get(HOST).map(HeaderValue::as_bytes).unwrap_or_default();
        return Err(Stranger::Host(printable(given)));
    };
    let mut origins = parts.headers.get_all(ORIGIN).iter();
    let strange = origins.find(|origin| {
        let origin = origin.to_str().ok().and_then(Public::read);
        !origin.is_some_and(|it| public == Some(&it) || is_same(&it, &host))
    });
    strange.map_or(Ok(()), |it| Err(Stranger::Origin(printable(it.as_bytes()))))
}

/// Where the request reached us. Only ever told to whoever sent it, so a header of theirs that lies fools nobody else.
pub fn origin(parts: &Parts) -> String {
    let proto = parts.headers.get(FORWARDED_PROTO).and_then(|it| it.to_str().ok());
    let proto = proto.and_then(|it| it.split(',').next()).map(str::trim);
    let is_tls = proto.is_some_and(|it| it.eq_ignore_ascii_case("https"));
    let scheme = if is_tls { "https" } else { "http" };
    let host = authority(parts);
    format!("{scheme}://{}", host.as_ref().map_or("localhost", Authority::as_str))
}

fn authority(parts: &Parts) -> Option<Authority> {
    let host = parts.headers.get(HOST).and_then(|it| it.to_str().ok()?.parse().ok());
    parts.uri.authority().cloned().or(host)
}

/// An address, or a name that no page out there can have: resolving it stays on this machine or in this network.
fn is_local(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = host.to_ascii_lowercase();
    bare.parse::<IpAddr>().is_ok()
        || name.ends_with(".localhost")
        || !name.is_empty() && !name.contains(['.', ':', '['])
}

/// A page of the host that the request was sent to, whatever a proxy does about TLS.
fn is_same(origin: &Public, host: &Authority) -> bool {
    let port = host.port_u16().or_else(|| usual_port(&origin.scheme));
    host.host().eq_ignore_ascii_case(&origin.host) && origin.port == port
}

fn usual_port(scheme: &str) -> Option<u16> {
    match scheme {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}

fn printable(given: &[u8]) -> String {
    const SHOWN_CHARS_MAX: usize = 200;
    let text = String::from_utf8_lossy(given);
    text.chars().filter(|it| !it.is_control()).take(SHOWN_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_pair(host: &str, page: Option<&str>, public: Option<&str>, want: bool) {
        let mut request = http::Request::builder().uri("/mcp").header(HOST, host);
        if let Some(page) = page {
            request = request.header(ORIGIN, page);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let public = public.and_then(Public::read);
        assert_eq!(check(&parts, public.as_ref()).is_ok(), want, "{host} {page:?}");
    }

    #[test]
    fn a_host_is_an_address_a_local_name_or_the_public_one() {
        for host in ["127.0.0.1:8080", "localhost", "[::1]:8080", "10.0.0.5", "gateway:8080"] {
            check_pair(host, None, None, true);
        }
        for host in ["evil.example", "127.0.0.1.evil.example:8080", "localhost.evil.example", ""] {
            check_pair(host, None, None, false);
        }
        let public = Some("https://hooks.example.com/base");
        check_pair("hooks.example.com", None, public, true);
        check_pair("HOOKS.example.com:443", None, public, true);
        check_pair("other.example.com", None, public, false);
    }

    #[test]
    fn an_origin_is_that_of_the_host_or_the_public_one() {
        let public = Some("https://hooks.example.com");
        check_pair("127.0.0.1:8080", Some("http://127.0.0.1:8080"), None, true);
        check_pair("127.0.0.1:8080", Some("http://127.0.0.1:9999"), None, false);
        check_pair("127.0.0.1:8080", Some("https://evil.example"), None, false);
        check_pair("127.0.0.1:8080", Some("null"), None, false);
        check_pair("10.0.0.5", Some("https://hooks.example.com"), public, true);
        check_pair("hooks.example.com", Some("https://hooks.example.com"), public, true);
        check_pair("hooks.example.com", Some("http://hooks.example.com:81"), public, false);
    }
}
