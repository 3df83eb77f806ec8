//! What third parties send: taken with a good signature, refused without (vendors.md §3.4, contract §5).

use http::Method;
use serde_json::{Value, json};

use super::{Alumia, JSON, data, hex, names, path_of, refused, signature};
use crate::scene::{Acme, Scene, text};

const BODY: &str = r#"{"type":"invoice.paid", "total": 1.10,"note":"Linen Tote — natural"}"#;

#[tokio::test]
async fn a_request_signed_by_standard_webhooks_is_recorded_before_it_is_answered() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let made = alumia.create(json!({ "name": "n" })).await;
    let answer = alumia.signed(&made, (text(&made["secret"]), "msg_1"), &[JSON], BODY).await;
    let received = data(&answer, 200);
    assert_eq!(names(&received), ["duplicate", "id"]);
    assert_eq!(received["duplicate"], false);
    super::is_uuid(&received["id"]);
    let events = alumia.rows(&made, "/events").await;
    assert_eq!(events.len(), 1, "at once");
    assert_eq!(
        (&events[0]["id"], &events[0]["eventType"]),
        (&received["id"], &json!("invoice.paid"))
    );
    assert_eq!(events[0]["payload"], serde_json::from_str::<Value>(BODY).unwrap());

    // The same after a power cut.
    let scene = scene.after_kill_9().await;
    assert_eq!(Alumia(&scene.acme.0).rows(&made, "/events").await, events);
}

#[tokio::test]
async fn hex_over_the_body_will_do_with_and_without_its_prefix() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let made = alumia.create(json!({ "name": "n" })).await;
    let good = hex(&scene.acme.0, text(&made["secret"]), BODY).await;
    for value in [good.clone(), format!("sha256={good}"), good.to_uppercase()] {
        data(&alumia.send(&made, &[("X-Webhook-Signature", &value)], BODY).await, 200);
    }
    let other = hex(&scene.acme.0, "another secret", BODY).await;
    for bad in [other.as_str(), &good[1..], "sha256=", "", &format!("sha1={good}")] {
        let answer = alumia.send(&made, &[("X-Webhook-Signature", bad)], BODY).await;
        let message = refused(&answer, 401, "UNAUTHORIZED");
        assert!(!message.contains(&good), "{message}");
    }
    let changed = alumia.send(&made, &[("X-Webhook-Signature", &good)], &format!("{BODY} ")).await;
    refused(&changed, 401, "UNAUTHORIZED");
    assert_eq!(alumia.rows(&made, "/events").await.len(), 3);
}

#[tokio::test]
async fn what_is_not_proven_is_refused_and_leaves_nothing() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let made = alumia.create(json!({ "name": "n" })).await;
    let secret = text(&made["secret"]);
    let good = signature(&scene.acme.0, secret, "msg_1", BODY).await;
    for left_out in 0..good.len() {
        let mut headers: Vec<_> = good.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        headers.remove(left_out);
        refused(&alumia.send(&made, &headers, BODY).await, 401, "UNAUTHORIZED");
    }
    refused(&alumia.send(&made, &[], BODY).await, 401, "UNAUTHORIZED");
    let other = alumia.create(json!({ "name": "other" })).await;
    let foreign = (text(&other["secret"]), "msg_1");
    refused(&alumia.signed(&made, foreign, &[], BODY).await, 401, "UNAUTHORIZED");
    // A key of ours proves nothing here.
    let path = path_of(&made["receiveUrl"]);
    let answer = scene.acme.0.send(Method::POST, path, &[JSON], BODY.into()).await;
    refused(&answer, 401, "UNAUTHORIZED");
    assert_eq!(answer.headers["www-authenticate"], "Signature");
    let old = json!({
        "scheme": "standard", "secret": secret, "id": "msg_1", "payload": BODY, "timestamp": 1_700_000_000,
    });
    let old = scene.acme.0.post("/v1/signatures/sign", &old).await.expect(200);
    let old: Vec<_> =
        old["headers"].as_object().unwrap().iter().map(|(n, v)| (n.as_str(), text(v))).collect();
    let message = refused(&alumia.send(&made, &old, BODY).await, 401, "UNAUTHORIZED");
    assert!(message.contains("timestamp"), "{message}");
    assert_eq!(alumia.get("/events").await["items"], json!([]));
}

#[tokio::test]
async fn the_same_again_is_answered_with_the_first_event_and_recorded_once() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let made = alumia.create(json!({ "name": "n" })).await;
    let secret = text(&made["secret"]);
    let first = data(&alumia.signed(&made, (secret, "msg_1"), &[], BODY).await, 200);
    let again = data(&alumia.signed(&made, (secret, "msg_1"), &[], BODY).await, 200);
    assert_eq!(again, json!({ "id": first["id"], "duplicate": true }));
    let next = data(&alumia.signed(&made, (secret, "msg_2"), &[], BODY).await, 200);
    assert_ne!(next["id"], first["id"]);

    // An `Idempotency-Key` is the sender's, and needs no key of ours.
    let signed = hex(&scene.acme.0, secret, BODY).await;
    let headers = [("X-Webhook-Signature", signed.as_str()), ("Idempotency-Key", "k-1")];
    let first = data(&alumia.send(&made, &headers, BODY).await, 200);
    let again = data(&alumia.send(&made, &headers, BODY).await, 200);
    assert_eq!((&again["id"], &again["duplicate"]), (&first["id"], &json!(true)));
    assert_eq!(alumia.rows(&made, "/events").await.len(), 3);
}

#[tokio::test]
async fn a_webhook_whose_source_is_a_provider_takes_what_that_provider_signs() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let made = alumia.create(json!({ "name": "n", "source": "github" })).await;
    let secret = text(&made["secret"]);
    let body = r#"{"action":"opened"}"#;
    let signature = format!("sha256={}", hex(&scene.acme.0, secret, body).await);
    let delivery = "72d3162e-cc78-11e3-81ab-4c9367dc0958";
    let headers = [
        ("X-GitHub-Event", "issues"),
        ("X-GitHub-Delivery", delivery),
        ("X-Hub-Signature-256", signature.as_str()),
    ];
    let first = data(&alumia.send(&made, &headers, body).await, 200);
    assert_eq!(data(&alumia.send(&made, &headers, body).await, 200)["id"], first["id"]);
    let event = alumia.rows(&made, "/events").await.remove(0);
    assert!(text(&event["eventType"]).starts_with("issues"), "{event}");
    assert_eq!(event["source"], "github");
    // What a sender of one's own would sign with is not what GitHub signs with.
    refused(&alumia.signed(&made, (secret, "msg_1"), &[], body).await, 401, "UNAUTHORIZED");
    // A label that is nobody's name is a sender of one's own.
    let label = alumia.create(json!({ "name": "n", "source": "Our shop" })).await;
    let own = (text(&label["secret"]), "msg_1");
    data(&alumia.signed(&label, own, &[], body).await, 200);
    assert_eq!(alumia.rows(&label, "/events").await[0]["source"], "Our shop");
}

#[tokio::test]
async fn a_handshake_of_a_provider_is_answered_where_the_webhook_receives() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let slack = alumia.create(json!({ "name": "n", "source": "slack" })).await;
    let body = r#"{"type":"url_verification","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}"#;
    let answer = alumia.send(&slack, &[JSON], body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body, "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P");
    let dropbox = alumia.create(json!({ "name": "n", "source": "dropbox" })).await;
    let path = format!("{}?challenge=abc123", path_of(&dropbox["receiveUrl"]));
    let answer = scene.acme.0.with_key("").get(&path).await;
    assert_eq!((answer.status, &answer.body[..]), (200, &b"abc123"[..]), "{answer:?}");
    assert_eq!(alumia.get("/events").await["items"], json!([]), "nothing was recorded");
    // One whose provider has none tells what it takes.
    let custom = alumia.create(json!({ "name": "n" })).await;
    let answer = scene.acme.0.with_key("").get(path_of(&custom["receiveUrl"])).await;
    refused(&answer, 405, "METHOD_NOT_ALLOWED");
    assert!(answer.headers["allow"].to_str().unwrap().contains("POST"), "{answer:?}");
}

#[tokio::test]
async fn what_is_too_large_is_refused_by_the_tenants_limit() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let made = alumia.create(json!({ "name": "n" })).await;
    let limits = json!({ "limits": { "payload_bytes": 1_000 } });
    scene.server.operator().patch("/v1/tenants/acme", &limits).await.expect(200);
    let secret = text(&made["secret"]);
    let long = format!(r#"{{"type":"a.b","x":"{}"}}"#, "x".repeat(1_000));
    let answer = alumia.signed(&made, (secret, "msg_1"), &[], &long).await;
    refused(&answer, 413, "PAYLOAD_TOO_LARGE");
    data(&alumia.signed(&made, (secret, "msg_1"), &[], BODY).await, 200);
    assert_eq!(alumia.rows(&made, "/events").await.len(), 1);
}

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_back() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let made = alumia.create(json!({ "name": "n" })).await;
    let limits = json!({ "limits": { "publish_per_s": 1 } });
    scene.server.operator().patch("/v1/tenants/acme", &limits).await.expect(200);
    let secret = text(&made["secret"]);
    let mut refusal = None;
    for n in 0..20 {
        let answer = alumia.signed(&made, (secret, &format!("msg_{n}")), &[], BODY).await;
        if answer.status != 200 {
            refusal = Some(answer);
            break;
        }
    }
    let refusal = refusal.expect("20 requests within a second or two");
    refused(&refusal, 429, "TOO_MANY_REQUESTS");
    let after: u32 = refusal.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(after >= 1);
}

#[tokio::test]
async fn what_was_received_is_an_event_like_any_other() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let receiver = crate::receiver::Receiver::start().await;
    let endpoint = json!({ "url": receiver.url(), "events": ["invoice.*"] });
    let endpoint = scene.acme.endpoint(endpoint).await;
    let made = alumia.create(json!({ "name": "n" })).await;
    let id = alumia.bring(&made, "msg_1", "invoice.paid").await;
    let arrival = receiver.first(1).await.remove(0);
    let native: hookyard_domain::id::EventId = arrival.event().parse().unwrap();
    assert_eq!(native.to_uuid(), id, "routed to an endpoint of the organisation");
    let event = scene.acme.0.get(&Acme::path(&format!("/events/{native}"))).await.expect(200);
    assert_eq!((&event["type"], &event["deliveries"]), (&json!("invoice.paid"), &json!(1)));
    scene.acme.delivery_is(&native.to_string(), "succeeded").await;
    let replay = Acme::path(&format!("/events/{native}/replay"));
    let only = json!({ "endpoints": [endpoint["id"]] });
    scene.acme.0.post(&replay, &only).await.expect(202);
    assert_eq!(receiver.first(2).await[1].event(), native.to_string());
}
