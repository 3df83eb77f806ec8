//! What a webhook's `url` gets of what it received (vendors.md §3.5, contract §4).

use serde_json::{Value, json};

use super::super::page::{PageReceiver, said, took};
use super::{Alumia, HOOKS, data, names, path, refused};
use crate::delivery::signatures::{record, verified};
use crate::receiver::{Receiver, Reply};
use crate::scene::{Acme, Scene, quick, text};
use crate::world::until;

/// The native id of an event of this surface.
fn native(event: &Value) -> String {
    hookyard_domain::id::EventId::from_uuid(text(event)).unwrap().to_string()
}

/// Tries again as told, which only the native API can say.
async fn retries(scene: &Scene, webhook: &Value, retry: Value) {
    let id = hookyard_domain::id::EndpointId::from_uuid(text(&webhook["id"])).unwrap();
    let path = Acme::path(&format!("/endpoints/{id}"));
    scene.acme.0.patch(&path, &json!({ "retry": retry })).await.expect(200);
}

#[tokio::test]
async fn the_received_bytes_go_on_unchanged_with_their_content_type_signed_with_the_webhooks_secret()
 {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let receiver = Receiver::start().await;
    let made = alumia.forwarding_to(&receiver.url()).await;
    let secret = text(&made["secret"]);
    let odd =
        "{\"type\" : \"a.b\",\n \"n\": 1.10, \"e\":1E2,\"u\":\"https:\\/\\/a.b\\/c — é\"}\r\n";
    for (n, (content_type, body)) in [
        ("application/json", odd),
        ("application/json; charset=utf-8", odd),
        ("application/x-www-form-urlencoded", "a=1&b=%C3%A9&a=2"),
        ("text/plain", "not JSON at all"),
        ("application/vnd.acme+xml", "<a b='1'/>"),
    ]
    .into_iter()
    .enumerate()
    {
        let headers = [("content-type", content_type), ("X-Trace", "t-1"), ("Cookie", "c=1")];
        let id = format!("msg_{n}");
        let answer = alumia.signed(&made, (secret, &id), &headers, body).await;
        let event = native(&data(&answer, 200)["id"]);
        let arrival = receiver.first(n + 1).await.pop().unwrap();
        assert_eq!(arrival.body, body.as_bytes(), "{content_type}");
        assert_eq!(arrival.header("content-type"), content_type);
        assert_eq!(arrival.event(), event, "its own id, not the sender's");
        assert_eq!(arrival.header("x-trace"), "t-1");
        assert!(!arrival.has("cookie") && !arrival.has("authorization"), "{arrival:?}");
        let body = std::str::from_utf8(&arrival.body).unwrap();
        let headers: Value =
            arrival.headers.iter().cloned().map(|(name, it)| (name, json!(it))).collect();
        let check =
            json!({ "scheme": "standard", "secret": secret, "headers": headers, "payload": body });
        let verdict = scene.acme.0.post("/v1/signatures/verify", &check).await.expect(200);
        assert_eq!(verdict["valid"], true, "{verdict}");
        if content_type.starts_with("application/json") {
            // The library of PyPI takes JSON alone.
            verified(&[record("standard", &[secret], 1, &arrival)]).await;
        }
    }
}

#[tokio::test]
async fn a_receiver_with_the_library_of_standard_webhooks_takes_every_delivery() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let mut receiver = PageReceiver::start("standard").await;
    let made = alumia.forwarding_to(&receiver.url()).await;
    retries(&scene, &made, json!({ "delays_s": [1, 1, 1, 1, 1], "jitter": 0.0 })).await;
    receiver.knows(&[text(&made["secret"])]).await;
    let event = alumia.bring(&made, "msg_1", "a.b").await;
    let event = native(&json!(event));
    scene.acme.delivery_is(&event, "succeeded").await;
    assert_eq!(said(&scene.acme, &event).await, [took(&event)]);

    // After a rotation it takes nothing until it knows the new secret; each attempt is signed afresh.
    let new = alumia.rotate(&made).await;
    let rotated = json!({ "id": made["id"], "receiveUrl": made["receiveUrl"], "secret": new });
    let event = native(&json!(alumia.bring(&rotated, "msg_2", "a.b").await));
    until("it was refused", async || {
        let newest = alumia.rows(&made, "/deliveries").await.first()?.clone();
        (newest["status"] == "failed").then_some(())
    })
    .await;
    receiver.knows(&[&new]).await;
    scene.acme.delivery_is(&event, "succeeded").await;
    let said = said(&scene.acme, &event).await;
    let (last, before) = said.split_last().unwrap();
    assert_eq!(last, &took(&event));
    assert!(!before.is_empty() && before.iter().all(|it| it.0 == 401), "{before:?}");
}

#[tokio::test]
async fn it_is_retried_as_the_profile_standard_and_410_switches_the_forwarding_off() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let receiver = Receiver::scripted(|_, _| Reply::Status(410)).await;
    let made = alumia.forwarding_to(&receiver.url()).await;
    let standard = scene.acme.endpoint(json!({ "url": receiver.url(), "events": ["never"] })).await;
    let id = hookyard_domain::id::EndpointId::from_uuid(text(&made["id"])).unwrap();
    let forward = scene.acme.endpoint_now(&json!(id.to_string())).await;
    let policy = &scene.acme.endpoint_now(&standard["id"]).await["policy"];
    assert_eq!(&forward["policy"], policy);
    assert_eq!(
        (&forward["profile"], &forward["status"], &forward["events"]),
        (&json!("alumia"), &json!("active"), &json!(["*"]))
    );

    alumia.bring(&made, "msg_1", "a.b").await;
    let row = alumia.attempts(&made, 1).await.remove(0);
    assert_eq!((&row["status"], &row["nextRetryAt"]), (&json!("failed"), &Value::Null));
    assert_eq!(row["response"]["status"], 410);
    until("the forwarding is off", async || {
        let now = scene.acme.endpoint_now(&json!(id.to_string())).await;
        (now["status"] == "disabled").then_some(())
    })
    .await;
    let off = alumia.now(&made).await;
    assert_eq!((&off["status"], &off["enabled"]), (&json!("disabled"), &json!(false)));
    assert_eq!(off["disabledReason"], "gone");
    let answer =
        scene.acme.0.post(&format!("{HOOKS}/test"), &json!({ "webhookId": made["id"] })).await;
    let message = refused(&answer, 409, "CONFLICT");
    assert!(message.contains("410"), "{message}");
    // It still receives, and says what became of it.
    let event = alumia.bring(&made, "msg_2", "a.b").await;
    let rows = alumia.rows(&made, "/deliveries").await;
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!((&rows[0]["status"], &rows[0]["eventId"]), (&json!("discarded"), &json!(event)));
    assert_eq!((&rows[0]["retryCount"], &rows[0]["response"]), (&json!(0), &Value::Null));
    assert!(text(&rows[0]["error"]).contains("off"), "{rows:?}");
    let first = alumia.get(&format!("/{}/deliveries?limit=1", text(&made["id"]))).await;
    let rest =
        format!("/{}/deliveries?limit=1&cursor={}", text(&made["id"]), text(&first["nextCursor"]));
    assert_eq!((&first["items"][0], &alumia.get(&rest).await["items"][0]), (&rows[0], &rows[1]));
    // Its owner's way back: either switch.
    for on in [json!({ "status": "active" }), json!({ "enabled": true })] {
        let now = alumia.patch(&made, on).await;
        assert_eq!((&now["status"], &now["enabled"]), (&json!("active"), &json!(true)));
        assert!(now.get("disabledReason").is_none(), "{now}");
    }
    alumia.bring(&made, "msg_3", "a.b").await;
    receiver.first(2).await;
}

#[tokio::test]
async fn a_forwarding_that_was_switched_off_goes_on_when_its_url_is_changed() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let gone = Receiver::scripted(|_, _| Reply::Status(410)).await;
    let made = alumia.forwarding_to(&gone.url()).await;
    let id = hookyard_domain::id::EndpointId::from_uuid(text(&made["id"])).unwrap();
    alumia.bring(&made, "msg_1", "a.b").await;
    let state = async || scene.acme.endpoint_now(&json!(id.to_string())).await["status"].clone();
    until("the forwarding is off", async || (state().await == "disabled").then_some(())).await;
    // The same URL again is no other one.
    alumia.patch(&made, json!({ "url": gone.url() })).await;
    assert_eq!(state().await, "disabled");
    let receiver = Receiver::start().await;
    let moved = alumia.patch(&made, json!({ "url": receiver.url() })).await;
    assert_eq!((&moved["status"], &moved["enabled"]), (&json!("active"), &json!(true)));
    assert_eq!(state().await, "active");
    let event = alumia.bring(&made, "msg_2", "a.b").await;
    let arrival = receiver.first(1).await.remove(0);
    let sent: hookyard_domain::id::EventId = arrival.event().parse().unwrap();
    assert_eq!(sent.to_uuid(), event);
}

#[tokio::test]
async fn a_forwarding_counts_among_the_endpoints_of_its_organisation() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let limits = json!({ "limits": { "endpoints": 1 } });
    scene.server.operator().patch("/v1/tenants/acme", &limits).await.expect(200);
    let receiver = Receiver::start().await;
    let made = alumia.forwarding_to(&receiver.url()).await;
    let another = json!({ "name": "n", "url": receiver.url() });
    let answer = scene.acme.0.post(HOOKS, &another).await;
    refused(&answer, 422, "VALIDATION_ERROR");
    let plain = alumia.create(json!({ "name": "n" })).await;
    let forward = json!({ "url": receiver.url() });
    refused(&scene.acme.0.patch(&path(&plain, ""), &forward).await, 422, "VALIDATION_ERROR");
    alumia.patch(&made, json!({ "url": null })).await;
    assert_eq!(alumia.patch(&plain, forward).await["url"], receiver.url());
}

#[tokio::test]
async fn attempts_are_listed_with_status_retry_count_and_response() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let receiver = Receiver::scripted(|_, number| Reply::Full {
        status: if number == 0 { 503 } else { 200 },
        headers: Vec::new(),
        body: format!("answer {number}"),
    })
    .await;
    let made = alumia.forwarding_to(&receiver.url()).await;
    retries(&scene, &made, quick(3)).await;
    let event = alumia.bring(&made, "msg_1", "invoice.paid").await;
    let rows = alumia.attempts(&made, 2).await;
    let members = [
        "createdAt",
        "deliveryId",
        "durationMs",
        "error",
        "eventId",
        "eventType",
        "id",
        "nextRetryAt",
        "response",
        "retryCount",
        "status",
        "webhookId",
    ];
    for (row, (count, status, code, body)) in
        rows.iter().zip([(1, "succeeded", 200, "answer 1"), (0, "failed", 503, "answer 0")])
    {
        assert_eq!(names(row), members);
        assert_eq!((&row["retryCount"], &row["status"]), (&json!(count), &json!(status)));
        assert_eq!(row["response"], json!({ "status": code, "body": body }));
        assert_eq!(row["eventId"], event.as_str());
        assert_eq!((&row["webhookId"], &row["eventType"]), (&made["id"], &json!("invoice.paid")));
        assert_eq!(row["deliveryId"], rows[0]["deliveryId"]);
        assert!(row["durationMs"].is_u64());
        super::is_uuid(&row["id"]);
        super::is_time(&row["createdAt"]);
    }
    assert_ne!(rows[0]["id"], rows[1]["id"]);
    let now = alumia.now(&made).await;
    assert_eq!(now["deliveryCount"], 1, "{now}");
    super::is_time(&now["lastDeliveryAt"]);
}

#[tokio::test]
async fn pages_of_attempts_lose_and_repeat_none() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let receiver =
        Receiver::scripted(|_, n| Reply::Status(if n % 3 == 2 { 200 } else { 500 })).await;
    let made = alumia.forwarding_to(&receiver.url()).await;
    retries(&scene, &made, quick(5)).await;
    for n in 0..4 {
        alumia.bring(&made, &format!("msg_{n}"), "a.b").await;
        alumia.attempts(&made, n * 3 + 3).await;
    }
    let all = alumia.rows(&made, "/deliveries?limit=250").await;
    let places: Vec<_> =
        all.iter().map(|it| (text(&it["eventId"]), it["retryCount"].as_u64().unwrap())).collect();
    let mut sorted = places.clone();
    sorted.sort_by(|a, b| b.cmp(a));
    assert_eq!((places.len(), &places), (12, &sorted), "newest event first, last attempt first");
    for limit in [1, 2, 5, 12] {
        let (mut got, mut cursor) = (Vec::new(), String::new());
        loop {
            let rest = format!("/{}/deliveries?limit={limit}{cursor}", text(&made["id"]));
            let page = alumia.get(&rest).await;
            let rows = page["items"].as_array().unwrap();
            assert!(rows.len() <= limit);
            got.extend(rows.clone());
            assert_eq!(page["hasMore"], page["nextCursor"].is_string(), "{page}");
            assert_eq!(page["limit"], limit);
            let Some(next) = page["nextCursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(got, all, "{limit} a page");
    }
}

#[tokio::test]
async fn attempts_stay_listed_when_the_forwarding_is_over_and_another_url_goes_on() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let (first, second) = (Receiver::start().await, Receiver::start().await);
    let made = alumia.forwarding_to(&first.url()).await;
    assert!(alumia.rows(&made, "/deliveries").await.is_empty());
    alumia.bring(&made, "msg_1", "a.b").await;
    let before = alumia.attempts(&made, 1).await;
    alumia.patch(&made, json!({ "url": null })).await;
    alumia.bring(&made, "msg_2", "a.b").await;
    assert_eq!(alumia.rows(&made, "/deliveries").await, before);

    alumia.patch(&made, json!({ "url": second.url() })).await;
    let third = alumia.bring(&made, "msg_3", "a.b").await;
    let arrival = second.first(1).await.remove(0);
    assert_eq!(arrival.event(), native(&json!(third)), "what came in between is not forwarded");
    let rows = alumia.attempts(&made, 2).await;
    assert_eq!((&rows[0]["eventId"], &rows[1]), (&json!(third), &before[0]));
    assert_eq!(first.count(), 1);
    verified(&[record("standard", &[text(&made["secret"])], 1, &arrival)]).await;

    let never = alumia.create(json!({ "name": "n" })).await;
    let list = alumia.get(&format!("/{}/deliveries", text(&never["id"]))).await;
    assert_eq!(list, json!({ "items": [], "nextCursor": null, "hasMore": false, "limit": 50 }));
}

#[tokio::test]
async fn what_was_published_natively_is_not_forwarded() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let receiver = Receiver::start().await;
    let made = alumia.forwarding_to(&receiver.url()).await;
    let other = alumia.create(json!({ "name": "other" })).await;
    scene.acme.publish(json!({ "type": "a.b", "data": {} })).await;
    alumia.bring(&other, "msg_1", "a.b").await;
    let event = alumia.bring(&made, "msg_2", "a.b").await;
    assert_eq!(receiver.first(1).await[0].event(), native(&json!(event)));
    assert_eq!(alumia.attempts(&made, 1).await.len(), 1);
}

#[tokio::test]
async fn alu_reg_2_a_forwarding_that_leads_back_to_its_own_webhook_does_not_go_round() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let body = r#"{"type":"a.b","webhook":1}"#;
    for source in ["custom", "github"] {
        let made = alumia.create(json!({ "name": "n", "source": source })).await;
        // This machine by another name, which is not seen to be the receive URL.
        let back = text(&made["receiveUrl"]).replace("127.0.0.1", "2130706433");
        alumia.patch(&made, json!({ "url": back })).await;
        let hex = super::hex(&scene.acme.0, text(&made["secret"]), body).await;
        let prefixed = format!("sha256={hex}");
        let headers = [("X-Webhook-Signature", hex.as_str()), ("X-Hub-Signature-256", &prefixed)];
        let event = data(&alumia.send(&made, &headers, body).await, 200)["id"].clone();
        let row = alumia.attempts(&made, 1).await.remove(0);
        assert_eq!(row["eventId"], event);
        if row["status"] == "succeeded" {
            let answer: Value = serde_json::from_str(text(&row["response"]["body"])).unwrap();
            assert_eq!(answer["data"], json!({ "id": event, "duplicate": true }));
        }
        assert_eq!(alumia.rows(&made, "/events").await.len(), 1, "{source}");
    }
}

// The target gets what the sender sent; a reader does not, since a signature without a time would be believed again.
#[tokio::test]
async fn what_proved_a_request_goes_to_the_target_and_is_not_shown() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let receiver = Receiver::start().await;
    let made = alumia.forwarding_to(&receiver.url()).await;
    let body = r#"{"type":"a.b"}"#;
    let hex = super::hex(&scene.acme.0, text(&made["secret"]), body).await;
    let headers = [("X-Webhook-Signature", hex.as_str()), ("X-Shop", "7")];
    data(&alumia.send(&made, &headers, body).await, 200);
    let arrival = receiver.first(1).await.remove(0);
    assert_eq!((arrival.header("x-shop"), arrival.header("x-webhook-signature")), ("7", &*hex));
    let shown = alumia.rows(&made, "/events").await.remove(0);
    assert_eq!(shown["headers"]["x-shop"], "7");
    assert!(!shown.to_string().contains(&hex), "{shown}");
}

#[tokio::test]
async fn an_empty_body_is_forwarded_with_its_length() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let receiver = Receiver::start().await;
    let made = alumia.forwarding_to(&receiver.url()).await;
    let hex = super::hex(&scene.acme.0, text(&made["secret"]), "").await;
    data(&alumia.send(&made, &[("X-Webhook-Signature", hex.as_str())], "").await, 200);
    let arrival = receiver.first(1).await.remove(0);
    assert_eq!((arrival.header("content-length"), arrival.body.len()), ("0", 0));
}

#[tokio::test]
async fn a_provider_is_known_in_any_case() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let made = alumia.create(json!({ "name": "n", "source": "GitHub" })).await;
    assert_eq!(made["source"], "github");
    let labelled = alumia.create(json!({ "name": "n", "source": "My Shop" })).await;
    assert_eq!(labelled["source"], "My Shop");
    let moved = alumia.patch(&labelled, json!({ "source": "Linear" })).await;
    assert_eq!(moved["source"], "linear");
}
