//! Linear's own receiver (vendors.md §3.8).

use http::Method;
use serde_json::{Value, json};

use super::{Alumia, HOOKS, data, hex, refused};
use crate::scene::{Acme, Scene, text};
use crate::world::Answer;

/// The vector of vendors.md §3.8.
const SECRET: &str = "lin_secret";
const BODY: &str = r#"{"action":"create","type":"Issue","webhookTimestamp":1700000000000}"#;
const SIGNATURE: &str = "1cd7985f27f115ee39d45bd8663f8ff92570675c202a045ec224c01d8cbdd268";

#[expect(clippy::disallowed_methods, reason = "the server that is tested reads the real clock")]
fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn body_at(time_ms: i64) -> String {
    BODY.replace("1700000000000", &time_ms.to_string())
}

/// A tenant of Alumia's whose webhook has Linear's secret, which only the native API takes.
async fn scene() -> (Scene, Value) {
    let scene = Scene::new().await;
    let made = Alumia(&scene.acme.0).create(json!({ "name": "Linear", "source": "linear" })).await;
    give_secret(&scene, &made, SECRET).await;
    (scene, made)
}

async fn give_secret(scene: &Scene, webhook: &Value, secret: &str) {
    let id = hookyard_domain::id::SourceId::from_uuid(text(&webhook["id"])).unwrap();
    let path = Acme::path(&format!("/sources/{id}"));
    scene.acme.0.patch(&path, &json!({ "secret": secret })).await.expect(200);
}

async fn send(scene: &Scene, headers: &[(&str, &str)], body: &str) -> Answer {
    let linear = scene.acme.0.with_key("");
    let path = format!("{HOOKS}/linear");
    linear.send(Method::POST, &path, headers, body.to_owned().into()).await
}

#[tokio::test]
async fn the_vector_verifies_but_for_its_age() {
    let (scene, made) = scene().await;
    let verify = json!({
        "webhookId": made["id"], "payload": BODY, "headers": { "Linear-Signature": SIGNATURE },
    });
    let answer = scene.acme.0.post(&format!("{HOOKS}/verify"), &verify).await;
    let verdict = data(&answer, 200);
    assert_eq!(verdict["valid"], false);
    assert!(text(&verdict["reason"]).contains("in the past"), "the signature is right: {verdict}");
    // The same bytes by the tool that looks away from the time.
    let check = json!({
        "scheme": "linear", "secret": SECRET, "payload": BODY, "tolerance_s": 300_000_000,
        "headers": { "Linear-Signature": SIGNATURE },
    });
    let checked = scene.acme.0.post("/v1/signatures/verify", &check).await.expect(200);
    assert_eq!(checked["valid"], true, "{checked}");
    assert_eq!(hex(&scene.acme.0, SECRET, BODY).await, SIGNATURE);
}

#[tokio::test]
async fn linear_is_known_by_the_secret_of_a_webhook_and_needs_no_id() {
    let (scene, made) = scene().await;
    let alumia = Alumia(&scene.acme.0);
    let body = body_at(now_ms());
    let signature = hex(&scene.acme.0, SECRET, &body).await;
    let headers = [
        ("Linear-Signature", signature.as_str()),
        ("Linear-Delivery", "234d1a4e-b617-4388-90fe-adc3633d6b72"),
        ("Linear-Event", "Issue"),
        ("content-type", "application/json; charset=utf-8"),
    ];
    let first = data(&send(&scene, &headers, &body).await, 200);
    assert_eq!(first["duplicate"], false);
    let again = data(&send(&scene, &headers, &body).await, 200);
    assert_eq!(again, json!({ "id": first["id"], "duplicate": true }));
    let events = alumia.rows(&made, "/events").await;
    assert_eq!((events.len(), &events[0]["id"]), (1, &first["id"]));
    assert_eq!(events[0]["eventType"], "Issue.create");
    // Its own receive URL is another way in.
    let fresh = body_at(now_ms() + 1);
    let signature = hex(&scene.acme.0, SECRET, &fresh).await;
    data(&alumia.send(&made, &[("Linear-Signature", &signature)], &fresh).await, 200);
}

#[tokio::test]
async fn the_signed_time_may_be_60_seconds_off_and_a_headers_time_proves_nothing() {
    let (scene, made) = scene().await;
    for (moved_ms, good) in [(-55_000, true), (55_000, true), (-70_000, false), (75_000, false)] {
        let body = body_at(now_ms() + moved_ms);
        let signature = hex(&scene.acme.0, SECRET, &body).await;
        let now = now_ms().to_string();
        let headers =
            [("Linear-Signature", signature.as_str()), ("Linear-Timestamp", now.as_str())];
        let answer = send(&scene, &headers, &body).await;
        match good {
            true => drop(data(&answer, 200)),
            false => {
                let message = refused(&answer, 401, "UNAUTHORIZED");
                assert!(message.contains("timestamp"), "{message}");
            }
        }
    }
    let without = r#"{"action":"create","type":"Issue"}"#;
    let signature = hex(&scene.acme.0, SECRET, without).await;
    let now = now_ms().to_string();
    let headers = [("Linear-Signature", signature.as_str()), ("Linear-Timestamp", now.as_str())];
    refused(&send(&scene, &headers, without).await, 401, "UNAUTHORIZED");
    assert_eq!(Alumia(&scene.acme.0).rows(&made, "/events").await.len(), 2);
}

#[tokio::test]
async fn other_methods_are_405_and_what_nobody_signed_is_401() {
    let (scene, made) = scene().await;
    let path = format!("{HOOKS}/linear");
    let stranger = scene.acme.0.with_key("");
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = stranger.send(method, &path, &[], "".into()).await;
        refused(&answer, 405, "METHOD_NOT_ALLOWED");
        assert_eq!(answer.headers["allow"], "POST");
    }
    let body = body_at(now_ms());
    refused(&send(&scene, &[], &body).await, 401, "UNAUTHORIZED");
    let other = hex(&scene.acme.0, "lin_other", &body).await;
    refused(&send(&scene, &[("Linear-Signature", &other)], &body).await, 401, "UNAUTHORIZED");
    let good = hex(&scene.acme.0, SECRET, &body).await;
    let prefixed = format!("sha256={good}");
    refused(&send(&scene, &[("Linear-Signature", &prefixed)], &body).await, 401, "UNAUTHORIZED");
    assert!(Alumia(&scene.acme.0).rows(&made, "/events").await.is_empty());
    // A webhook that is off does not know its secret any more.
    Alumia(&scene.acme.0).patch(&made, json!({ "enabled": false })).await;
    let answer = send(&scene, &[("Linear-Signature", &good)], &body).await;
    assert!(matches!(answer.status, 401 | 403 | 404), "{answer:?}");
    assert!(Alumia(&scene.acme.0).rows(&made, "/events").await.is_empty());
}

#[tokio::test]
async fn a_body_without_an_address_may_have_256_kib() {
    let (scene, made) = scene().await;
    let now = body_at(now_ms());
    let padded = |long: usize| format!("{now}{}", " ".repeat(long - now.len()));
    for (long, good) in [(256 * 1024, true), (256 * 1024 + 1, false)] {
        let body = padded(long);
        let signature = hex(&scene.acme.0, SECRET, &body).await;
        let answer = send(&scene, &[("Linear-Signature", &signature)], &body).await;
        match good {
            true => drop(data(&answer, 200)),
            false => drop(refused(&answer, 413, "PAYLOAD_TOO_LARGE")),
        }
    }
    assert_eq!(Alumia(&scene.acme.0).rows(&made, "/events").await.len(), 1);
}

#[tokio::test]
async fn an_organisation_full_of_linear_webhooks_shuts_no_other_one_out() {
    let (scene, made) = scene().await;
    let other = scene.server.operator().tenant("other").await;
    for n in 0..21 {
        Alumia(&other).create(json!({ "name": format!("n{n}"), "source": "linear" })).await;
    }
    let last = Alumia(&other).create(json!({ "name": "last", "source": "linear" })).await;
    let body = body_at(now_ms());
    let ours = hex(&scene.acme.0, SECRET, &body).await;
    data(&send(&scene, &[("Linear-Signature", &ours)], &body).await, 200);
    assert_eq!(Alumia(&scene.acme.0).rows(&made, "/events").await.len(), 1);
    // What is beyond an organisation's share has its own URL, and the key.
    let theirs = hex(&scene.acme.0, text(&last["secret"]), &body).await;
    let headers = [("Linear-Signature", theirs.as_str())];
    refused(&send(&scene, &headers, &body).await, 401, "UNAUTHORIZED");
    let path = format!("{HOOKS}/linear");
    let answer = other.send(Method::POST, &path, &headers, body.clone().into()).await;
    data(&answer, 200);
    let own = data(&Alumia(&other).send(&last, &headers, &body).await, 200);
    assert_eq!(own["duplicate"], false, "Linear's id was not sent along");
}

#[tokio::test]
async fn the_webhook_of_one_organisation_never_gets_what_another_ones_secret_signed() {
    let (scene, made) = scene().await;
    let other = scene.server.operator().tenant("other").await;
    let theirs = Alumia(&other).create(json!({ "name": "Linear", "source": "linear" })).await;
    let body = body_at(now_ms());
    let by_theirs = hex(&scene.acme.0, text(&theirs["secret"]), &body).await;
    data(&send(&scene, &[("Linear-Signature", &by_theirs)], &body).await, 200);
    assert!(Alumia(&scene.acme.0).rows(&made, "/events").await.is_empty());
    assert_eq!(Alumia(&other).rows(&theirs, "/events").await.len(), 1);
    // With a key it is asked for the webhooks of that key alone.
    let path = format!("{HOOKS}/linear");
    let headers = [("Linear-Signature", by_theirs.as_str())];
    let answer = scene.acme.0.send(Method::POST, &path, &headers, body.clone().into()).await;
    refused(&answer, 401, "UNAUTHORIZED");
    let wrong = scene.acme.0.with_key("wrong");
    let answer = wrong.send(Method::POST, &path, &headers, body.into()).await;
    refused(&answer, 401, "UNAUTHORIZED");
    assert_eq!(Alumia(&other).rows(&theirs, "/events").await.len(), 1);
}
