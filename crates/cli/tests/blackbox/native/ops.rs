//! For whoever runs it and whoever reads about it: health, metrics, the document, the reference.

use std::collections::BTreeSet;

use serde_json::json;

use super::sink::Sink;
use super::{Home, refused, text};

#[tokio::test]
async fn health_and_readiness_are_answered_without_a_key() {
    let home = Home::open().await;
    for path in ["/healthz", "/readyz"] {
        let answer = home.client("").get(path).await;
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.expect(200)["status"], "ok", "{path}");
    }
}

#[tokio::test]
async fn metrics_are_in_the_form_of_prometheus_and_count() {
    let home = Home::open().await;
    let tenant = home.tenant("ops-metrics").await;
    let sink = Sink::answering(200).await;
    let made = tenant.endpoint(&sink.url(), json!({})).await;
    let event = tenant.publish("a.b", json!("payload of the metrics test")).await;
    tenant.delivery_when(&event, "succeeded").await;
    let answer = home.client("").get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.headers["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4")
    );
    let metrics = String::from_utf8(answer.body.to_vec()).unwrap();
    let value = |name: &str| -> f64 {
        let line = metrics.lines().find_map(|it| it.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {metrics}")).parse().unwrap()
    };
    assert!(value("hookyard_events_accepted_total") >= 1.0);
    assert!(value("hookyard_attempts_total{outcome=\"succeeded\"}") >= 1.0);
    assert!(value("hookyard_attempt_duration_seconds_count") >= 1.0);
    assert!(value("hookyard_delivery_delay_seconds_count") >= 1.0);
    assert!(value("hookyard_commit_batch_events_count") >= 1.0);
    assert!(value("hookyard_http_answers_total{class=\"2xx\"}") >= 1.0);
    assert!(value("hookyard_endpoints_disabled_total") >= 0.0);
    for gauge in ["in_flight", "lanes", "queued", "held_bytes"] {
        assert!(value(&format!("hookyard_engine_{gauge}")) >= 0.0);
    }
    let mut typed = BTreeSet::new();
    for line in metrics.lines().filter(|it| !it.is_empty()) {
        if let Some(typing) = line.strip_prefix("# TYPE ") {
            let name = typing.split(' ').next().unwrap();
            assert!(typed.insert(name), "{name} is there twice");
        } else if !line.starts_with("# ") {
            let (name, number) = line.rsplit_once(' ').unwrap();
            assert!(number.parse::<f64>().is_ok(), "{line}");
            let name = name.split('{').next().unwrap();
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|it| name.strip_suffix(it));
            assert!(typed.contains(name) || base.is_some_and(|it| typed.contains(it)), "{line}");
        }
    }
    for private in
        [text(&made["secret"]), &tenant.client.key, "payload of", "ops-metrics", text(&made["id"])]
    {
        assert!(!metrics.contains(private), "{private} stands in the metrics");
    }
}

#[tokio::test]
async fn batches_of_a_transaction_are_counted_in_events() {
    let home = Home::open().await;
    let tenant = home.tenant("ops-buckets").await;
    tenant.publish("a.b", json!(1)).await;
    let metrics = home.client("").get("/metrics").await;
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    let bounds: Vec<f64> = metrics
        .lines()
        .filter_map(|it| {
            it.strip_prefix("hookyard_commit_batch_events_bucket{le=\"")?.split('"').next()
        })
        .filter_map(|it| it.parse().ok())
        .filter(|it: &f64| it.is_finite())
        .collect();
    assert!(bounds.iter().any(|it| *it >= 100.0), "hundreds can be told apart: {bounds:?}");
    assert!(bounds.iter().all(|it| *it >= 1.0), "parts of events are none: {bounds:?}");
}

/// What a page refers to.
fn references(page: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for attribute in ["href=\"", "src=\"", "action=\"", "srcset=\"", "url("] {
        for part in page.split(attribute).skip(1) {
            found.push(part.split(['"', ')']).next().unwrap());
        }
    }
    found
}

#[tokio::test]
async fn the_reference_is_whole_and_needs_no_other_host() {
    let home = Home::open().await;
    let stranger = home.client("");
    let document = stranger.get("/openapi.json").await.expect(200);
    for path in ["/docs", "/"] {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/html"));
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("http"), "{policy}");
        let page = String::from_utf8(answer.body.to_vec()).unwrap();
        let ids: BTreeSet<_> =
            page.split(" id=\"").skip(1).map(|it| it.split('"').next().unwrap()).collect();
        for reference in references(&page) {
            match reference.strip_prefix('#') {
                Some(id) => assert!(ids.contains(id), "{path}: #{id} leads nowhere"),
                None => {
                    assert!(
                        reference.starts_with('/') && !reference.starts_with("//"),
                        "{reference}"
                    );
                    assert_eq!(stranger.get(reference).await.status, 200, "{reference}");
                }
            }
        }
    }
    let page = stranger.get("/docs").await;
    let page = String::from_utf8(page.body.to_vec()).unwrap();
    for operations in document["paths"].as_object().unwrap().values() {
        for operation in operations.as_object().unwrap().values() {
            let id = format!(" id=\"{}\"", text(&operation["operationId"]));
            assert!(page.contains(&id), "{id} is not in the reference");
        }
    }
    let style = stranger.get("/docs/style.css").await;
    assert_eq!(references(std::str::from_utf8(&style.body).unwrap()), [""; 0]);
}

#[tokio::test]
async fn every_operation_of_the_document_is_there() {
    let home = Home::open().await;
    let stranger = home.client("");
    let document = stranger.get("/openapi.json").await.expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    for (path, operations) in document["paths"].as_object().unwrap() {
        let filled = path.replace(['{', '}'], "x");
        for (method, operation) in operations.as_object().unwrap() {
            let method: http::Method = method.to_uppercase().parse().unwrap();
            let answer = stranger.send(method.clone(), &filled, &[], bytes::Bytes::new()).await;
            if path == "/session" {
                // Where people come who have no session yet: nobody is signed in, nothing was sent, nobody to sign out.
                let statuses = [("GET", 200), ("POST", 400), ("DELETE", 403)];
                let want = statuses.iter().find(|it| it.0 == method.as_str()).map(|it| it.1);
                assert_eq!(Some(answer.status), want, "{method} {path}: {answer:?}");
                continue;
            }
            if operation["security"] == serde_json::json!([{}]) {
                let problem = refused(&answer, 404, "not_found");
                let detail = text(&problem["detail"]);
                assert!(detail.contains("source"), "{method} {path} is public: {problem}");
                continue;
            }
            assert_eq!(answer.status, 401, "{method} {path}: a key is needed, so it is there");
        }
    }
}
