//! What strangers and readers may make the server hold: heads alone are sent here, so that it answers before it reads.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::scene::{Acme, Scene, text};
use crate::world::{Client, PATIENCE};

/// Sends these bytes and no more; answers what comes back until a body's head is complete.
async fn said(client: &Client, bytes: &str) -> String {
    let mut stream = TcpStream::connect(client.address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    while !said.windows(4).any(|it| it == b"\r\n\r\n") {
        let mut piece = [0; 1024];
        let read = timeout(PATIENCE, stream.read(&mut piece)).await.expect("no answer").unwrap();
        assert_ne!(read, 0, "the connection ended: {}", String::from_utf8_lossy(&said));
        said.extend_from_slice(&piece[..read]);
    }
    String::from_utf8(said).unwrap()
}

#[track_caller]
fn check(said: &str, status: u16) {
    assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
}

#[tokio::test]
async fn a_stranger_signs_in_and_out_with_a_small_body() {
    let scene = Scene::new().await;
    let stranger = scene.acme.0.with_key("");
    let long = json!({ "key": "k".repeat(9 * 1024) });
    assert_eq!(stranger.post("/session", &long).await.status, 413);
    let host = stranger.address;
    let length = 9 * 1024;
    for method in ["POST", "DELETE"] {
        let head = format!(
            "{method} /session HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        check(&said(&stranger, &head).await, 413);
    }
    let short = json!({ "key": "k".repeat(7 * 1024) });
    assert_eq!(stranger.post("/session", &short).await.status, 401);
}

#[tokio::test]
async fn who_may_not_publish_is_told_so_before_a_batch_is_read() {
    let scene = Scene::new().await;
    let scopes = json!({ "name": "r", "scopes": ["read"] });
    let made = scene.acme.0.post(&Acme::path("/api-keys"), &scopes).await.expect(201);
    let link = json!({ "capabilities": ["read"] });
    let link = scene.acme.0.post(&Acme::path("/portal-sessions"), &link).await.expect(201);
    let host = scene.acme.0.address;
    let head = |key: &str, tenant: &str, more: &str| {
        format!(
            "POST /v1/tenants/{tenant}/events/batch HTTP/1.1\r\nHost: {host}\r\n\
             Authorization: Bearer {key}\r\nContent-Type: application/json\r\n\
             Content-Length: 33554432\r\n{more}\r\n"
        )
    };
    for key in [text(&made["key"]), text(&link["token"])] {
        for more in ["", "Idempotency-Key: k-1\r\n"] {
            check(&said(&scene.acme.0, &head(key, "acme", more)).await, 403);
            check(&said(&scene.acme.0, &head(key, "other", more)).await, 404);
        }
    }
}

#[tokio::test]
async fn a_request_says_once_which_host_it_is_for() {
    let scene = Scene::new().await;
    let (acme, host) = (&scene.acme.0, scene.acme.0.address);
    for path in ["/session", "/v1/tenants/acme/endpoints", "/healthz"] {
        for method in ["GET", "POST"] {
            let rest = "Content-Length: 0\r\n\r\n";
            let none = format!("{method} {path} HTTP/1.1\r\n{rest}");
            check(&said(acme, &none).await, 400);
            let two = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nHost: b\r\n{rest}");
            check(&said(acme, &two).await, 400);
        }
    }
    // Before 1.1 there was no such header.
    let old = said(acme, "GET /healthz HTTP/1.0\r\n\r\n").await;
    assert!(old.split(' ').nth(1) == Some("200"), "{old}");
}

#[tokio::test]
async fn one_reader_does_not_take_every_seat_of_its_tenant() {
    use crate::follower::Follower;
    let scene = Scene::new().await;
    let path = Acme::path("/stream");
    let link = async || {
        let wanted = json!({ "capabilities": ["read"] });
        let made = scene.acme.0.post(&Acme::path("/portal-sessions"), &wanted).await.expect(201);
        scene.acme.0.with_key(text(&made["token"]))
    };
    let (one, two) = (link().await, link().await);
    let mut open = Vec::new();
    let refused = loop {
        match Follower::try_open(&one, &path, None).await {
            Ok(follower) => open.push(follower),
            Err(refused) => break refused,
        }
    };
    assert_eq!((refused.status, open.len()), (429, 8));
    assert_eq!(refused.json()["code"], "too_many_streams");
    for client in [&two, &scene.acme.0] {
        open.push(Follower::open(client, &path).await);
    }
}

#[tokio::test]
async fn a_link_makes_no_more_endpoints_than_a_customer_needs() {
    let scene = Scene::new().await;
    let made = scene.acme.0.post(&Acme::path("/portal-sessions"), &json!({ "scope": "a" })).await;
    let link = scene.acme.0.with_key(text(&made.expect(201)["token"]));
    let endpoint = json!({ "url": "https://hooks.example/", "events": "*" });
    for n in 0..100 {
        let answer = link.post(&Acme::path("/endpoints"), &endpoint).await;
        assert_eq!(answer.status, 201, "{n}: {answer:?}");
    }
    let refused = link.post(&Acme::path("/endpoints"), &endpoint).await;
    assert_eq!((refused.status, &refused.json()["code"]), (422, &json!("limit_reached")));
    scene.acme.endpoint(endpoint).await;
}
