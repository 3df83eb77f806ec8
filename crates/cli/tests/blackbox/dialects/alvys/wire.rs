//! What a webhook made through this surface is sent.

use http::Method;
use serde_json::{Value, json};

use super::{BASE, Consumer, ask, get, tender, webhook, wrong};
use crate::delivery::signatures::{record, verified};
use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Acme, Scene, text};
use crate::world::{OPERATOR_KEY, Server, World};

/// Whether what arrived verifies with a secret.
pub(super) async fn verdict(scene: &Scene, secret: &str, arrival: &Arrival) -> bool {
    let headers: serde_json::Map<_, _> =
        arrival.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let body = json!({
        "scheme": "alvys", "secret": secret, "headers": headers,
        "payload": String::from_utf8(arrival.body.clone()).unwrap(),
    });
    let answer = scene.acme.0.post("/v1/signatures/verify", &body).await.expect(200);
    answer["valid"].as_bool().unwrap()
}

/// It does (ALV-SIG-1, ALV-SIG-3, ALV-SIG-7).
pub(super) async fn verifies(scene: &Scene, secret: &str, arrival: &Arrival) {
    assert!(verdict(scene, secret, arrival).await, "{arrival:?}");
}

#[tokio::test]
async fn an_event_goes_out_with_the_vendors_headers_envelope_and_signature() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let made = webhook(&scene, &consumer, json!({})).await;
    let event = tender(&scene, "tender.accepted").await;
    let arrival = consumer.first_events(1).await.pop().unwrap();
    assert_eq!(arrival.header("content-type"), "application/json");
    assert_eq!(arrival.header("x-alvys-event"), "tender.accepted");
    assert_eq!(arrival.header("x-alvys-event-id"), event);
    assert_eq!(arrival.header("x-alvys-attempt"), "1");
    let signature = arrival.header("x-alvys-signature");
    let (t, v1) = signature.split_once(",v1=").unwrap();
    assert_eq!(t, format!("t={}", arrival.header("x-alvys-timestamp")), "ALV-SIG-1");
    assert!(v1.len() == 64 && v1.bytes().all(|it| it.is_ascii_hexdigit()), "ALV-SIG-4: {v1}");
    verifies(&scene, text(&made["Secret"]), &arrival).await;
    // Other people's code says so too: the base string has the event's id (ALV-SIG-3).
    verified(&[record("alvys", &[text(&made["Secret"])], 1, &arrival)]).await;
    assert!(!verdict(&scene, "another", &arrival).await, "ALV-SIG-8");

    let body = arrival.json();
    let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["data", "id", "timestamp", "type", "version"]);
    assert_eq!((&body["id"], &body["version"]), (&json!(event), &json!("v1")));
    assert_eq!(body["data"], json!({ "tenderId": "t-1", "loadId": "l-1", "loadNumber": "1001" }));
    let fraction = text(&body["timestamp"]).split('.').nth(1).unwrap();
    assert!(fraction[..7].bytes().all(|it| it.is_ascii_digit()), "{fraction}");
}

#[tokio::test]
async fn a_failed_attempt_is_tried_again_after_ten_seconds_and_a_client_error_never() {
    let scene = Scene::new().await;
    let consumer = Consumer::with(true, 503).await;
    let made = webhook(&scene, &consumer, json!({})).await;
    for retried in [503, 408, 429] {
        consumer.answers(retried);
        let event = tender(&scene, "tender.accepted").await;
        let delivery = crate::world::until("its retry is due (ALV-DEL-5)", async || {
            let delivery = scene.acme.delivery_is(&event, "pending").await;
            delivery["next_attempt_at"].is_string().then_some(delivery)
        })
        .await;
        let at = |name: &str| text(&delivery[name]).parse::<jiff::Timestamp>().unwrap();
        let wait_ms = at("next_attempt_at").as_millisecond() - at("updated_at").as_millisecond();
        assert!((9_000..=11_000).contains(&wait_ms), "ALV-DEL-4: {wait_ms} ms after {retried}");
    }
    for last in [400, 401, 404, 410] {
        consumer.answers(last);
        let event = tender(&scene, "tender.accepted").await;
        let delivery = scene.acme.delivery_is(&event, "failed").await;
        assert_eq!((&delivery["reason"], &delivery["attempts"]), (&json!("terminal"), &json!(1)));
    }
    let status = get(&scene, &format!("/{}", text(&made["Id"]))).await["Status"].clone();
    assert_eq!(status, "Active", "ALV-DEL-6: four failures, and no answer switches it off at once");
}

#[tokio::test]
async fn a_retry_is_the_same_request_with_the_next_attempts_number() {
    let scene = Scene::new().await;
    let consumer = Consumer::with(true, 500).await;
    let made = webhook(&scene, &consumer, json!({})).await;
    let path = format!("/v1/tenants/acme/endpoints/{}", text(&made["Id"]));
    let quick = json!({ "retry": { "delays_s": [1], "jitter": 0.0 } });
    scene.acme.0.patch(&path, &quick).await.expect(200);
    let event = tender(&scene, "tender.accepted").await;
    let arrivals = consumer.first_events(2).await;
    let [one, two] = &arrivals[..] else { panic!("{arrivals:?}") };
    assert_eq!((&one.path, &one.body), (&two.path, &two.body), "ALV-DEL-8");
    for (arrival, number) in [(one, "1"), (two, "2")] {
        assert_eq!(arrival.header("x-alvys-event-id"), event, "ALV-DEL-8");
        assert_eq!(arrival.header("x-alvys-attempt"), number, "ALV-DEL-8");
        verifies(&scene, text(&made["Secret"]), arrival).await;
    }
}

#[tokio::test]
async fn only_who_asked_gets_previous_attributes_and_everybody_gets_changes() {
    let scene = Scene::new().await;
    let (plain, curious) = (Consumer::good().await, Consumer::good().await);
    let events = json!(["load.changed", "load.status.changed"]);
    webhook(&scene, &plain, json!({ "Events": events })).await;
    let asked = json!({ "Events": events, "IncludePreviousAttributes": true });
    webhook(&scene, &curious, asked).await;
    let old = json!({ "id": "l1", "poNumber": null, "updatedAt": "2026-07-03T14:26:11Z" });
    let new = json!({ "id": "l1", "poNumber": "PO-7", "updatedAt": "2026-07-03T15:00:00Z" });
    let changes =
        json!([{ "kind": "FieldChanged", "target": { "type": "Field", "id": "PONumber" } }]);
    let event = json!({
        "type": "load.changed", "scope": "sub-12345", "data": { "load": new },
        "previous": old, "changes": changes,
    });
    scene.acme.publish(event.clone()).await;
    let mut status = event;
    status["type"] = json!("load.status.changed");
    scene.acme.publish(status).await;
    let diffs = async |consumer: &Consumer| -> Vec<Value> {
        let mut arrivals = consumer.first_events(2).await;
        arrivals.sort_by_key(|it| it.header("x-alvys-event").to_owned());
        arrivals.iter().map(|it| it.json()["data"]["diff"].clone()).collect()
    };
    let before = json!({ "poNumber": null, "updatedAt": "2026-07-03T14:26:11Z" });
    let want = json!({ "changes": changes, "previousAttributes": before });
    assert_eq!(diffs(&curious).await, [want, Value::Null], "ALV-DIFF-1, -2, -8, -11");
    assert_eq!(diffs(&plain).await, [json!({ "changes": changes }), Value::Null], "ALV-DIFF-4");
}

#[tokio::test]
async fn a_diff_in_the_data_keeps_to_the_same_rule_and_is_not_given_twice() {
    let scene = Scene::new().await;
    let (plain, curious) = (Consumer::good().await, Consumer::good().await);
    webhook(&scene, &plain, json!({ "Events": ["load.changed"] })).await;
    let asked = json!({ "Events": ["load.changed"], "IncludePreviousAttributes": true });
    webhook(&scene, &curious, asked).await;
    let changes = json!([{ "kind": "RateChanged" }]);
    let told = json!({ "changes": changes, "previousAttributes": { "rate": 1 } });
    let data = json!({ "load": { "rate": 2 }, "diff": told });
    let event = |more: Value| {
        let mut event = json!({ "type": "load.changed", "scope": "sub-12345", "data": data });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    scene.acme.publish(event(json!({}))).await;
    let no_changes = json!({ "data": { "load": { "rate": 2 } }, "previous": { "rate": 1 } });
    scene.acme.publish(event(no_changes)).await;
    let diffs = async |consumer: &Consumer| -> Vec<Value> {
        let mut arrivals = consumer.first_events(2).await;
        arrivals.sort_by_key(|it| it.header("x-alvys-event-id").to_owned());
        arrivals.iter().map(|it| it.json()["data"]["diff"].clone()).collect()
    };
    let computed = json!({ "changes": [], "previousAttributes": { "rate": 1 } });
    assert_eq!(diffs(&curious).await, [told, computed], "ALV-DIFF-12");
    let want = [json!({ "changes": changes }), json!({ "changes": [] })];
    assert_eq!(diffs(&plain).await, want, "ALV-DIFF-4, -12");

    for (more, pointer) in [
        (json!({ "previous": { "rate": 1 } }), "/data/diff"),
        (json!({ "changes": changes }), "/data/diff"),
        (json!({ "data": {}, "changes": [1] }), "/changes/0"),
        (json!({ "data": {}, "changes": [{ "kind": 5 }] }), "/changes/0/kind"),
    ] {
        let answer = scene.acme.0.post(&Acme::path("/events"), &event(more)).await;
        let problem = answer.expect(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
}

#[tokio::test]
async fn the_checker_knows_the_vendors_tolerance_and_that_the_events_id_is_signed() {
    let scene = Scene::new().await;
    let check = async |v1: &str, tolerance_s: Option<u64>| {
        let signature = format!("t=1699200000,v1={v1}");
        let headers = json!({ "X-Alvys-Event-Id": "evt-123456", "X-Alvys-Signature": signature });
        let payload = r#"{"id":"evt-123456"}"#;
        let mut body = json!({ "scheme": "alvys", "secret": "secret", "headers": headers, "payload": payload });
        if let Some(tolerance_s) = tolerance_s {
            body["tolerance_s"] = json!(tolerance_s);
        }
        let answer = scene.acme.0.post("/v1/signatures/verify", &body).await.expect(200);
        (answer["valid"].as_bool().unwrap(), answer["reason"].to_string())
    };
    let ten_years = Some(3650 * 24 * 3600);
    let good = "71e72e0285362d86defe952d8aef9027d920ea00204b11fd042115a9a28d5171";
    assert!(check(good, ten_years).await.0);
    let (valid, reason) = check(good, None).await;
    assert!(!valid && reason.contains("300"), "ALV-SIG-6: {reason}");
    let without_id = "d0911a2c526af0628149c9ddfaf860adc515efb7533dfa8a37ea37f3e5c39d2d";
    assert!(!check(without_id, ten_years).await.0, "ALV-SIG-11");
}

#[tokio::test]
async fn the_policy_in_force_is_the_vendors() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let made = webhook(&scene, &consumer, json!({})).await;
    let policy = scene.acme.endpoint_now(&made["Id"]).await["policy"].clone();
    assert_eq!(policy["timeout_s"], 30, "ALV-DEL-3");
    assert_eq!(policy["retry"], json!({ "delays_s": [10, 30, 60], "jitter": 0.0 }), "ALV-DEL-4");
    assert_eq!(policy["auto_disable"], json!({ "after_events": 10 }), "ALV-DEL-12");
    assert_eq!(policy["verify"], "challenge", "ALV-VER-6");
}

#[tokio::test]
async fn only_https_is_taken_unless_the_operator_allows_more() {
    let world = World::new();
    let data = world.data();
    let all = ["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let mut command = world.hookyard(&all);
    command.env("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY);
    let server = Server::start(command, world.path("stderr.log")).await;
    let acme = Acme(server.operator().tenant("acme").await);
    let body = super::CREATE.replace("https://example.com", "http://example.com");
    wrong(&ask(&acme.0, Method::POST, "", body).await, &["Url"]);
    assert_eq!(acme.0.get(BASE).await.expect(200)["Total"], 0, "ALV-DEL-1");
}

#[tokio::test]
async fn a_receiver_has_three_seconds_for_exactly_the_echo() {
    let scene = Scene::new().await;
    let slow = Receiver::scripted(|_, _| Reply::Hang).await;
    let wrapped = Receiver::scripted(|arrival, _| {
        let body = json!({ "data": { "challenge": arrival.json()["challenge"] } }).to_string();
        Reply::Full { status: 200, headers: Vec::new(), body }
    })
    .await;
    for (receiver, at_least_s, fact) in [(slow, 2.9, "ALV-VER-2"), (wrapped, 0.0, "ALV-VER-3")] {
        let began = tokio::time::Instant::now();
        let body = super::CREATE.replace("https://example.com/webhooks", &receiver.url());
        let made = ask(&scene.acme.0, Method::POST, "", body).await.expect(201);
        let took_s = began.elapsed().as_secs_f64();
        assert_eq!(made["Status"], "Pending", "{fact}: {made}");
        assert!(took_s >= at_least_s && took_s < 10.0, "{fact}: {took_s} s");
    }
}
