//! `test` and `verify`: a way to try everything without the third party (vendors.md §3.2, contract §5).

use serde_json::{Value, json};

use super::{Alumia, HOOKS, JSON, data, names, refused, signature, wrong};
use crate::delivery::signatures::{record, verified};
use crate::receiver::Receiver;
use crate::scene::{Scene, text};

const BODY: &str = r#"{"type":"invoice.paid","n":1.10}"#;

#[tokio::test]
async fn a_test_goes_the_whole_way_recorded_and_forwarded() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let receiver = Receiver::start().await;
    let new = json!({ "name": "n", "url": receiver.url(), "events": ["invoice.paid", "a.*"] });
    let made = alumia.create(new).await;
    let path = format!("{HOOKS}/test");
    let mut want = Vec::new();
    for (n, (test, event_type, payload)) in [
        (json!({}), "invoice.paid", Value::Null),
        (
            json!({ "event": "a.b", "payload": { "x": [1, null] } }),
            "a.b",
            json!({ "x": [1, null] }),
        ),
        (json!({ "type": "a.c", "payload": "text" }), "a.c", json!("text")),
        (json!({ "eventType": "a.d", "payload": 7 }), "a.d", json!(7)),
    ]
    .into_iter()
    .enumerate()
    {
        let mut test = test;
        test["webhookId"] = made["id"].clone();
        let sent = data(&scene.acme.0.post(&path, &test).await, 200);
        assert_eq!((names(&sent), &sent["duplicate"]), (vec!["duplicate", "id"], &json!(false)));
        want.insert(0, text(&sent["id"]).to_owned());
        let row = alumia.rows(&made, "/events?limit=1").await.remove(0);
        assert_eq!((&row["id"], &row["eventType"]), (&sent["id"], &json!(event_type)));
        if payload.is_null() {
            assert!(row["payload"].is_object(), "{row}");
        } else {
            assert_eq!(row["payload"], payload);
        }
        let arrival = receiver.first(n + 1).await.pop().unwrap();
        assert_eq!(arrival.json(), row["payload"]);
        verified(&[record("standard", &[text(&made["secret"])], 1, &arrival)]).await;
    }
    let listed: Vec<_> =
        alumia.rows(&made, "/events").await.iter().map(|it| text(&it["id"]).to_owned()).collect();
    assert_eq!(listed, want);
    assert_eq!(alumia.attempts(&made, 4).await.len(), 4);

    // The bytes of the payload are the caller's own.
    let raw =
        format!(r#"{{"webhookId":{},"event":"a.e","payload":{{"n": 1.10, "e":1E2}}}}"#, made["id"]);
    let answer = scene.acme.0.send(http::Method::POST, &path, &[JSON], raw.into()).await;
    data(&answer, 200);
    assert_eq!(receiver.first(5).await[4].body, br#"{"n": 1.10, "e":1E2}"#);

    wrong(&scene.acme.0.post(&path, &json!({})).await, &["webhookId"]);
    let bad = json!({ "webhookId": made["id"], "event": "a b" });
    wrong(&scene.acme.0.post(&path, &bad).await, &["event"]);
    for id in ["nobody", "0196f0e4-5e04-7c1e-8a3d-9f2b6c4d5e6f", "../test"] {
        let answer = scene.acme.0.post(&path, &json!({ "webhookId": id })).await;
        refused(&answer, 404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn verify_says_what_receiving_would_say_and_records_nothing() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let made = alumia.create(json!({ "name": "n" })).await;
    let secret = text(&made["secret"]);
    let path = format!("{HOOKS}/verify");
    let signed = signature(&scene.acme.0, secret, "msg_1", BODY).await;
    let headers: Value = signed.iter().cloned().map(|(name, it)| (name, json!(it))).collect();
    let ask = |payload: &str, headers: &Value| json!({ "webhookId": made["id"], "payload": payload, "headers": headers });
    let good = data(&scene.acme.0.post(&path, &ask(BODY, &headers)).await, 200);
    assert_eq!(good, json!({ "valid": true, "reason": null }));
    // As often as one likes: it is no delivery.
    assert_eq!(data(&scene.acme.0.post(&path, &ask(BODY, &headers)).await, 200), good);

    for (payload, headers, reason) in [
        (r#"{"type":"invoice.paid","n":1.1}"#, headers.clone(), "differs"),
        (BODY, json!({}), "missing"),
        (BODY, json!({ "X-Webhook-Signature": "00" }), "malformed"),
    ] {
        let verdict = data(&scene.acme.0.post(&path, &ask(payload, &headers)).await, 200);
        assert_eq!(verdict["valid"], false);
        assert!(text(&verdict["reason"]).contains(reason), "{verdict}");
        let said = verdict.to_string();
        assert!(!said.contains(secret) && signed.iter().all(|it| !said.contains(&it.1)), "{said}");
    }
    let hex = super::hex(&scene.acme.0, secret, BODY).await;
    let by_hex = json!({ "x-webhook-signature": format!("sha256={hex}") });
    assert_eq!(data(&scene.acme.0.post(&path, &ask(BODY, &by_hex)).await, 200)["valid"], true);
    alumia.rotate(&made).await;
    assert_eq!(data(&scene.acme.0.post(&path, &ask(BODY, &by_hex)).await, 200)["valid"], false);
    assert!(alumia.rows(&made, "/events").await.is_empty());

    for (bad, field) in [
        (json!({ "payload": "", "headers": {} }), "webhookId"),
        (json!({ "webhookId": made["id"], "headers": {} }), "payload"),
        (json!({ "webhookId": made["id"], "payload": {}, "headers": {} }), "payload"),
        (json!({ "webhookId": made["id"], "payload": "" }), "headers"),
        (json!({ "webhookId": made["id"], "payload": "", "headers": { "a": 1 } }), "headers.a"),
    ] {
        wrong(&scene.acme.0.post(&path, &bad).await, &[field]);
    }
    let nobody = json!({ "webhookId": "nobody", "payload": "", "headers": {} });
    refused(&scene.acme.0.post(&path, &nobody).await, 404, "NOT_FOUND");
}
