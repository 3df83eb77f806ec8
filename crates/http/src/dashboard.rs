//! The dashboard: one page whatever its path, and the files it is made of. What the files are, is handed in.
//!
//! The page is made anew for each answer, with a nonce for the styles it writes while it runs; the names of most files hold
//! a hash of what is in them, so those are kept for ever.

use std::collections::HashMap;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawPathParams, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    REFERRER_POLICY, VARY, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::native::problem::Refused;
use crate::state::DoorState;

/// Stands in the page where its nonce goes.
const NONCE: &str = "__CSP_NONCE__";
/// What the page may do: run our scripts, show our styles and pictures, ask us. Nothing inline, no other host.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-NONCE'; connect-src 'self'; \
    img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors FRAMES";
/// What a file may do when somebody opens it alone.
const FILE_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// Kept for as long as anything is kept.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Kept for an hour: what has no hash in its name may change with the next version.
const FOR_AN_HOUR: &str = "public, max-age=3600";
/// Characters of a hash in a name.
const HASH_CHARS: usize = 8;

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// A file of the dashboard.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its bytes.
    pub plain: &'static [u8],
    /// The same compressed.
    pub brotli: Option<&'static [u8]>,
    /// The same compressed.
    pub gzip: Option<&'static [u8]>,
}

/// What is served of the dashboard.
#[derive(Clone, Debug, Default)]
pub struct Dashboard {
    /// The page, with `__CSP_NONCE__` in the places of its nonce.
    pub index: String,
    /// Its files, by their paths below the root.
    pub assets: HashMap<&'static str, Asset>,
    /// Which pages may show the portal in a frame: sources of a `frame-ancestors` directive.
    pub portal_frame_ancestors: Vec<String>,
}

/// The routes of this file. What is no path of the page is none here, so that nobody takes a page for an answer.
pub fn router(state: &DoorState) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/t/{*rest}", get(page))
        .route("/tenants", get(page))
        .route("/nodes", get(page))
        .route("/portal", get(portal))
        .route("/portal/{*rest}", get(portal))
        .route("/assets/{*path}", get(asset))
        .with_state(state.clone())
}

async fn page(State(state): State<DoorState>) -> Response {
    let mut response = show(&state, "'none'");
    let headers = response.headers_mut();
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

async fn portal(State(state): State<DoorState>) -> Response {
    let frames = state.dashboard().portal_frame_ancestors.join(" ");
    show(&state, if frames.is_empty() { "'none'" } else { &frames })
}

fn show(state: &DoorState, frames: &str) -> Response {
    let nonce = state.nonce();
    let index = state.dashboard().index.replace(NONCE, &nonce);
    let policy = POLICY.replace("NONCE", &nonce).replace("FRAMES", frames);
    let mut response = Response::new(Body::from(index));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // Settings are checked when they are read; a policy that cannot be written must not be left out.
    let policy = HeaderValue::try_from(policy)
        .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    response
}

async fn asset(
    State(state): State<DoorState>,
    path: RawPathParams,
    asked: HeaderMap,
) -> Result<Response, Refused> {
    let rest = path.iter().next().map_or("", |(_, value)| value);
    let name = format!("assets/{rest}");
    let asset = state.dashboard().assets.get(name.as_str()).ok_or(Refused::NoRoute)?;
    let (bytes, encoding) = match (asset.brotli, asset.gzip) {
        (Some(brotli), _) if takes(&asked, "br") => (brotli, Some("br")),
        (_, Some(gzip)) if takes(&asked, "gzip") => (gzip, Some("gzip")),
        (_, _) => (asset.plain, None),
    };
    let mut response = Body::from(bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(&name)));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(FILE_POLICY));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    let kept = if is_hashed(&name) { FOR_EVER } else { FOR_AN_HOUR };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Ok(response)
}

/// Whether a form is taken: named, and not with a weight of nothing.
fn takes(asked: &HeaderMap, form: &str) -> bool {
    let lines = asked.get_all(ACCEPT_ENCODING).into_iter().filter_map(|it| it.to_str().ok());
    lines.flat_map(|it| it.split(',')).any(|entry| {
        let (name, weight) = entry.split_once(';').unwrap_or((entry, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|it| it.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case(form) && weight.is_none_or(|it| it > 0.0)
    })
}

/// `assets/index-D4kX2b_9.js`: a name that changes with what is in it.
fn is_hashed(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let at = stem.len().checked_sub(HASH_CHARS + 1);
    let Some((_, tail)) = at.and_then(|at| stem.split_at_checked(at)) else { return false };
    let hash = tail.strip_prefix('-').unwrap_or_default();
    let plain = |it: u8| it.is_ascii_alphanumeric() || it == b'_' || it == b'-';
    !hash.is_empty() && hash.bytes().all(plain)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "webmanifest" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_hash_is_kept_for_ever() {
        for name in ["assets/index-D4kX2b_9.js", "assets/a-b-AAAAAAAA.css", "assets/x--1234567.js"]
        {
            assert!(is_hashed(name), "{name}");
        }
        for name in ["assets/icon.svg", "assets/a-short.js", "assets/index_D4kX2b_9.js", "x"] {
            assert!(!is_hashed(name), "{name}");
        }
    }

    #[test]
    fn a_form_is_taken_when_it_is_named() {
        let takes = |text: &'static str, form| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(text));
            takes(&headers, form)
        };
        assert!(takes("gzip, deflate, br, zstd", "br"));
        assert!(takes("GZIP;q=0.5", "gzip"));
        assert!(!takes("br;q=0, gzip", "br"));
        assert!(!takes("brotli", "br"));
        assert!(!takes("", "br"));
    }
}
