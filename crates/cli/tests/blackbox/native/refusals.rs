//! Requests that cannot be read, and routes that are not there.

use bytes::Bytes;
use http::Method;
use serde_json::json;

use super::{Home, refused, text, wrong};

#[tokio::test]
async fn a_body_that_is_no_json_is_told_where_it_breaks() {
    let home = Home::open().await;
    let tenant = home.tenant("refusal-malformed").await;
    for body in [
        &b"{"[..],
        b"{\"type\":\"a\",\"data\":nope}",
        b"{\"type\":\"a\",\"data\":1}}",
        b"{\"type\":\"a\",\"data\":1} x",
        b"{'type':'a','data':1}",
        b"{\"type\":\"a\",\"data\":01}",
        b"{\"type\":\"a\",\"data\":1,}",
        b"{\"type\":\"a\",\"data\":NaN}",
        b"{\"type\":\"a\",\"data\":\"\xff\"}",
        b"{\"type\":\"a\",\"data\":\"\0\"}",
        b"\0",
        b"\xef\xbb\xbf{\"type\":\"a\",\"data\":1}",
        b"\xff\xfe{\0}\0",
        b"type=a&data=1",
    ] {
        for path in ["/events", "/endpoints", "/event-types", "/event-types/import", "/api-keys"] {
            let answer = tenant.post_raw(path, &[], body).await;
            let problem = refused(&answer, 400, "malformed_json");
            let detail = text(&problem["detail"]);
            assert!(detail.contains("line") && detail.contains("column"), "{path}: {detail}");
        }
    }
}

#[tokio::test]
async fn a_body_is_required_where_one_is_needed() {
    let home = Home::open().await;
    let tenant = home.tenant("refusal-empty").await;
    for path in [
        "/events",
        "/events/batch",
        "/endpoints",
        "/event-types",
        "/event-types/import",
        "/api-keys",
    ] {
        refused(&tenant.act(path).await, 400, "body_required");
        refused(&tenant.post_raw(path, &[], "").await, 400, "body_required");
    }
    let blank = tenant.post_raw("/events", &[], " \n ").await;
    assert_eq!(blank.status, 400, "{blank:?}");
}

#[tokio::test]
async fn nesting_is_read_to_a_depth_and_no_further() {
    let home = Home::open().await;
    let tenant = home.tenant("refusal-deep").await;
    let event = |open: &str, close: &str, levels: usize| {
        let data = format!("{}1{}", open.repeat(levels), close.repeat(levels));
        format!(r#"{{"type":"a","data":{data}}}"#)
    };
    tenant.post_raw("/events", &[], event("[", "]", 63)).await.expect(202);
    for levels in [64, 200, 100_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let answer = tenant.post_raw("/events", &[], event(open, close, levels)).await;
            refused(&answer, 400, "nested_too_deep");
        }
    }
    let deep = format!(r#"{{"url":"x","metadata":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000));
    refused(&tenant.post_raw("/endpoints", &[], deep).await, 400, "nested_too_deep");
    let items = format!("[{}]", event("[", "]", 5000));
    let results = tenant.post_raw("/events/batch", &[], items).await.expect(202);
    let error = &results["results"][0]["error"]["errors"][0];
    assert_eq!(error["code"], "nested_too_deep", "{results}");
    let half = "[".repeat(500_000);
    refused(&tenant.post_raw("/events", &[], half).await, 400, "nested_too_deep");
}

#[tokio::test]
async fn a_body_of_another_type_is_refused_and_an_unnamed_one_is_json() {
    let home = Home::open().await;
    let tenant = home.tenant("refusal-type").await;
    let body = r#"{"type":"a","data":1}"#;
    let path = tenant.path("/events");
    for content_type in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ] {
        let headers = [("content-type", content_type)];
        let answer = tenant.client.send(Method::POST, &path, &headers, Bytes::from(body)).await;
        refused(&answer, 415, "unsupported_media_type");
        let endpoint = tenant
            .client
            .send(Method::POST, &tenant.path("/endpoints"), &headers, Bytes::from("{}"))
            .await;
        refused(&endpoint, 415, "unsupported_media_type");
    }
    for headers in [
        &[][..],
        &[("content-type", "application/json; charset=utf-8")],
        &[("content-type", "Application/JSON")],
        &[("content-type", "application/cloudevents+json")],
    ] {
        let answer = tenant.client.send(Method::POST, &path, headers, Bytes::from(body)).await;
        assert_eq!(answer.status, 202, "{headers:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_of_its_route_is_refused() {
    let home = Home::open().await;
    let tenant = home.tenant("refusal-large").await;
    let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(1024 * 1024));
    for path in ["/endpoints", "/event-types", "/event-types/import", "/api-keys"] {
        refused(&tenant.post_raw(path, &[], large.clone()).await, 413, "too_large");
    }
    let items = format!("[{}]", "1,".repeat(17 * 1024 * 1024));
    refused(&tenant.post_raw("/events/batch", &[], items).await, 413, "too_large");
    // Without a key nothing large is read at all.
    let stranger = home.client("");
    let path = tenant.path("/endpoints");
    refused(
        &stranger.send(Method::POST, &path, &[], Bytes::from("{}")).await,
        401,
        "unauthenticated",
    );
}

#[tokio::test]
async fn a_method_that_a_route_does_not_know_is_told_which_it_knows() {
    let home = Home::open().await;
    let tenant = home.tenant("refusal-method").await;
    for (method, path, allowed) in [
        (Method::PUT, "/v1/tenants".to_owned(), &["GET", "POST"][..]),
        (Method::POST, tenant.path(""), &["GET", "PATCH", "DELETE"]),
        (Method::DELETE, tenant.path("/events"), &["GET", "POST"]),
        (Method::PATCH, tenant.path("/events/batch"), &["POST"]),
        (Method::GET, tenant.path("/events/batch"), &["POST"]),
        (Method::POST, tenant.path("/event-types/a.b"), &["GET", "PUT", "DELETE"]),
        (Method::GET, tenant.path("/event-types/import"), &["POST"]),
        (Method::PUT, tenant.path("/endpoints/wh_1"), &["GET", "PATCH", "DELETE"]),
        (Method::GET, tenant.path("/endpoints/wh_1/test"), &["POST"]),
        (Method::POST, tenant.path("/deliveries"), &["GET"]),
        (Method::GET, "/v1/signatures/sign".to_owned(), &["POST"]),
        (Method::POST, "/healthz".to_owned(), &["GET"]),
        (Method::DELETE, "/openapi.json".to_owned(), &["GET"]),
    ] {
        let answer = tenant.client.send(method.clone(), &path, &[], Bytes::new()).await;
        refused(&answer, 405, "method_not_allowed");
        let known = answer.headers["allow"].to_str().unwrap();
        for method in allowed {
            assert!(known.split(',').any(|it| it.trim() == *method), "{path}: {known}");
        }
        assert!(!known.contains(method.as_str()), "{method} {path}: {known}");
    }
}

#[tokio::test]
async fn a_path_that_is_no_route_is_told_so() {
    let home = Home::open().await;
    let tenant = home.tenant("refusal-route").await;
    for path in [
        "/v1",
        "/v1/",
        "/v2/tenants",
        "/v1/tenant",
        "/v1/tenants/",
        "/v1/tenants/refusal-route/endpoint",
        "/v1/tenants/refusal-route/endpoints/",
        "/v1/tenants/refusal-route/endpoints/wh_1/fly",
        "/v1/tenants/refusal-route/events/evt_1/attempts",
        "/wp-login.php",
        "/favicon.icon",
        "//v1/tenants",
        "/v1/../healthz",
    ] {
        for client in [&tenant.client, &home.client("")] {
            let answer = client.get(path).await;
            assert_eq!(answer.status, 404, "{path}: {answer:?}");
            refused(&answer, 404, "no_route");
        }
    }
    let long = format!("/v1/tenants/refusal-route/events?q={}", "x".repeat(20_000));
    refused(&tenant.client.get(&long).await, 414, "uri_too_long");
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_keeps_the_callers() {
    let home = Home::open().await;
    let tenant = home.tenant("refusal-request-id").await;
    let fresh = tenant.get("/events").await;
    assert!(fresh.headers["x-request-id"].to_str().unwrap().len() >= 16);
    assert_eq!(fresh.headers["x-content-type-options"], "nosniff");
    let own = [("x-request-id", "abc-123")];
    let path = tenant.path("/none");
    let answer = tenant.client.send(Method::GET, &path, &own, Bytes::new()).await;
    assert_eq!(answer.headers["x-request-id"], "abc-123");
    let bad = [("x-request-id", "two words")];
    let answer = tenant.client.send(Method::GET, &path, &bad, Bytes::new()).await;
    assert_ne!(answer.headers["x-request-id"], "two words");
}

#[tokio::test]
async fn an_unknown_or_repeated_parameter_is_refused() {
    let home = Home::open().await;
    let tenant = home.tenant("refusal-query").await;
    for (path, name) in [
        ("/events?typ=a", "typ"),
        ("/events?limit=1&limit=2", "limit"),
        ("/deliveries?event=x", "event"),
        ("/endpoints?status=active", "status"),
        ("/audit?since=2026-01-01T00:00:00Z", "since"),
        ("/deliveries/export?limit=1", "limit"),
    ] {
        wrong(&tenant.get(path).await, &[(name, "unknown_parameter")]);
    }
    wrong(&home.operator().get("/v1/tenants?page=2").await, &[("page", "unknown_parameter")]);
    let listed = tenant.post("/event-types", &json!({ "name": "a b" })).await;
    wrong(&listed, &[("/name", "bad_event_type")]);
}
