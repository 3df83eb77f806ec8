//! What is outside `/v1`, and what every request passes.

use http::Request;
use http_body_util::Full;
use serde_json::Value;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn health_readiness_and_metrics_answer_without_a_key() {
    let world = World::start().await;
    assert_eq!(world.get("/healthz").await.expect(200), serde_json::json!({"status": "ok"}));
    world.get("/readyz").await.expect(200);
    let metrics = world.get("/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    assert!(String::from_utf8_lossy(&metrics.bytes).contains("hookyard_test_gauge 4"));
    world.doors.drain();
    assert_eq!(world.get("/readyz").await.expect(503)["status"], "draining");
    world.get("/healthz").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_and_methods_are_problems() {
    let world = World::start().await;
    world.get("/v1/nothing").await.problem(404, "no_route");
    let refused = world.op("PUT /v1/tenants", Value::Null).await;
    refused.problem(405, "method_not_allowed");
    assert_eq!(refused.header("allow"), "POST,GET,HEAD");
    let long = format!("/v1/tenants?cursor={}", "a".repeat(20_000));
    world.get(&long).await.problem(414, "uri_too_long");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_good_key_nothing_is_told() {
    let world = World::start().await;
    let bare = |key: Option<&str>| {
        let mut request = Request::get("/v1/tenants").header("host", "a");
        if let Some(key) = key {
            request = request.header("authorization", key);
        }
        request.body(Full::default()).unwrap()
    };
    for key in [None, Some("Bearer wrong"), Some("Basic b3A6"), Some("Bearer")] {
        let answer = world.send(bare(key)).await;
        answer.problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let lower = format!("bearer {}", crate::world::OPERATOR);
    world.send(bare(Some(&lower))).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_comes_back_or_is_made() {
    let world = World::start().await;
    let given = world.ask("", "GET /healthz", &[("x-request-id", "abc-1")], "").await;
    assert_eq!(given.header("x-request-id"), "abc-1");
    let one = world.get("/healthz").await;
    let two = world.get("/v1/nothing").await;
    assert!(one.header("x-request-id").starts_with("req_"));
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_and_its_document_are_served() {
    let world = World::start().await;
    let docs = world.get("/docs").await;
    docs.expect(200);
    assert!(docs.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(String::from_utf8_lossy(&docs.bytes).contains("Publish an event"));
    assert!(world.get("/docs/style.css").await.header("content-type").starts_with("text/css"));
    let document = world.get("/openapi.json").await.expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    assert!(world.get("/").await.header("content-type").starts_with("text/html"));
}
