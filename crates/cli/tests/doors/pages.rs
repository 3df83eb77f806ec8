//! The dashboard's page and its files, as browsers get them.

use hookyard_http::{Asset, Dashboard};

use crate::world::{Answer, World};

const INDEX: &str = r#"<meta property="csp-nonce" nonce="__CSP_NONCE__"><script src="/assets/i.js" nonce="__CSP_NONCE__">"#;

/// A dashboard of three files.
pub fn dashboard() -> Dashboard {
    let text = |plain| Asset { plain, brotli: Some(b"brotli"), gzip: Some(b"gzip") };
    let assets = [
        ("assets/index-AbCd_123.js", text(b"plain script")),
        ("assets/icon.svg", Asset { plain: b"<svg/>", brotli: None, gzip: Some(b"gzip") }),
        ("assets/dot.png", Asset { plain: b"png", brotli: None, gzip: None }),
    ];
    Dashboard {
        index: INDEX.to_owned(),
        assets: assets.into_iter().collect(),
        portal_frame_ancestors: vec!["'self'".into(), "https://app.example.com".into()],
    }
}

/// The nonce of an answer's policy.
fn nonce(answer: &Answer) -> String {
    let policy = answer.header("content-security-policy");
    let (_, rest) = policy.split_once("'nonce-").unwrap();
    rest.split_once('\'').unwrap().0.to_owned()
}

async fn plainly(world: &World, path: &str, accept: &str) -> Answer {
    world.ask("", &format!("GET {path}"), &[("accept-encoding", accept)], "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_of_the_dashboard_shows_the_page_with_a_nonce_of_its_own() {
    let world = World::start().await;
    let mut nonces = std::collections::BTreeSet::new();
    for path in
        ["/", "/t/acme", "/t/acme/overview", "/t/acme/events/evt_1?x=1", "/tenants", "/nodes"]
    {
        let answer = plainly(&world, path, "br").await;
        answer.expect(200);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self' 'nonce-")
        );
        assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        let nonce = nonce(&answer);
        let page = String::from_utf8(answer.bytes.to_vec()).unwrap();
        assert_eq!(page.matches(&format!("nonce=\"{nonce}\"")).count(), 2, "{page}");
        assert!(nonce.len() >= 22 && nonces.insert(nonce), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_alone_may_stand_in_frames_and_only_in_those_that_were_named() {
    let world = World::start().await;
    for path in ["/portal", "/portal/deliveries/dlv_1"] {
        let answer = plainly(&world, path, "").await;
        answer.expect(200);
        let policy = answer.header("content-security-policy");
        assert!(policy.ends_with("frame-ancestors 'self' https://app.example.com"), "{policy}");
        assert_eq!(answer.header("x-frame-options"), "", "it knows no list");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_come_in_the_smallest_form_that_is_taken() {
    let world = World::start().await;
    let script = "/assets/index-AbCd_123.js";
    for (path, accept, encoding, bytes) in [
        (script, "gzip, br", "br", &b"brotli"[..]),
        (script, "gzip;q=0.9", "gzip", b"gzip"),
        (script, "br;q=0", "", b"plain script"),
        (script, "", "", b"plain script"),
        ("/assets/icon.svg", "br, gzip", "gzip", b"gzip"),
        ("/assets/dot.png", "br, gzip", "", b"png"),
    ] {
        let answer = plainly(&world, path, accept).await;
        answer.expect(200);
        assert_eq!(answer.header("content-encoding"), encoding, "{path} {accept}");
        assert_eq!(&answer.bytes[..], bytes, "{path} {accept}");
        assert_eq!(answer.header("vary"), "accept-encoding");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_with_a_hash_are_kept_for_ever_and_others_are_not() {
    let world = World::start().await;
    for (path, kept, kind) in [
        (
            "/assets/index-AbCd_123.js",
            "public, max-age=31536000, immutable",
            "text/javascript; charset=utf-8",
        ),
        ("/assets/icon.svg", "public, max-age=3600", "image/svg+xml"),
    ] {
        let answer = plainly(&world, path, "").await;
        assert_eq!(answer.header("cache-control"), kept, "{path}");
        assert_eq!(answer.header("content-type"), kind, "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_page_is_never_answered_with_one() {
    let world = World::start().await;
    for path in [
        "/assets/gone-AbCd_123.js",
        "/assets/",
        "/assets/../index.html",
        "/assets/%2e%2e/x",
        "/api/unknown",
        "/v1/unknown",
        "/session/x",
        "/index.html",
        "/portal.js",
        "/anything",
    ] {
        let answer = plainly(&world, path, "").await;
        answer.problem(404, "no_route");
    }
    let posted = world.ask("", "POST /t/acme/overview", &[], "").await;
    posted.problem(405, "method_not_allowed");
}
