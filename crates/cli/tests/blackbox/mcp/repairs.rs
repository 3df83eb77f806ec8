//! Wrong arguments: what comes back says what to change, and changing just that is enough.

use serde_json::{Value, json};

use super::{call, done, failed, post};
use crate::scene::{Acme, Scene};

#[track_caller]
fn says(told: &str, parts: &[&str]) {
    for part in parts {
        assert!(told.contains(part), "`{part}` is missing in: {told}");
    }
}

#[tokio::test]
async fn a_call_is_repaired_by_what_its_failures_say() {
    let scene = Scene::new().await;
    let acme = &scene.acme.0;
    let create = async |arguments: Value| call(acme, "webhooks_endpoints_create", arguments).await;
    let told = failed(&create(json!({ "uri": "x", "event": ["order.created"] })).await);
    says(&told, &["`uri`", "`event`", "there are: ", "url", "`url`", "`events`", "required"]);
    let told =
        failed(&create(json!({ "url": "http://10.1.2.3/", "events": ["order created"] })).await);
    says(&told, &["`url`", "private network", "`events.0`", "Nothing was changed"]);
    let told = failed(&create(json!({ "url": "https://a.example/", "events": 7 })).await);
    says(&told, &["`events`"]);
    let wrong =
        json!({ "url": "https://a.example/", "events": "*", "profile": "acme", "timeout_s": 500 });
    says(&failed(&create(wrong).await), &["`profile`", "aryeo", "`timeout_s`", "1 to 120"]);
    let twice =
        json!({ "url": "https://a.example/", "events": "*", "scope": "a", "site_slug": "b" });
    says(&failed(&create(twice).await), &["`site_slug`", "`scope`", "give one"]);
    assert!(scene.acme.0.get(&Acme::path("/endpoints")).await.expect(200)["data"][0].is_null());
    done(&create(json!({ "url": "https://a.example/", "events": "*" })).await);
}

#[tokio::test]
async fn filters_ids_and_pages_say_what_they_take() {
    let scene = Scene::new().await;
    let acme = &scene.acme.0;
    for (tool, arguments, parts) in [
        ("deliveries_list", json!({ "status": "lost" }), &["`status`", "succeeded"][..]),
        ("deliveries_list", json!({ "since": "yesterday" }), &["`since`", "RFC 3339"]),
        ("deliveries_list", json!({ "event": "evt_x", "type": "a" }), &["`type`", "`event` alone"]),
        ("events_list", json!({ "limit": 5000 }), &["`limit`", "1 to 100"]),
        ("events_list", json!({ "limit": [1] }), &["`limit`", "a number"]),
        ("events_list", json!({ "cursor": "x" }), &["`cursor`"]),
        ("endpoints_get", json!({}), &["`id`", "required"]),
        ("endpoints_get", json!({ "id": 7 }), &["`id`", "give a text"]),
        ("endpoints_get", json!({ "id": "../.." }), &["404", "`webhooks_endpoints_list`"]),
        ("events_publish", json!({ "type": "a b", "data": {} }), &["`type`"]),
        ("events_publish", json!({ "type": "a" }), &["`data`", "required"]),
        ("sources_create", json!({ "name": "a", "provider": "nobody" }), &["`provider`"]),
        (
            "signatures_verify",
            json!({ "scheme": "x", "secret": "y", "headers": {}, "payload": "" }),
            &["`scheme`"],
        ),
    ] {
        let told = failed(&call(acme, &format!("webhooks_{tool}"), arguments).await);
        says(&told, parts);
    }
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "webhooks_endpoints_list", "arguments": "{}" } });
    let answer = post(acme, "", &[], &message.to_string()).await.expect(200);
    says(&failed(&answer["result"]), &["`arguments`", "give an object"]);
}

#[tokio::test]
async fn a_repetition_with_the_same_key_is_done_once() {
    let scene = Scene::new().await;
    let wanted = json!({ "url": "https://a.example/", "events": "*", "idempotency_key": "mine" });
    let first = done(&call(&scene.acme.0, "webhooks_endpoints_create", wanted.clone()).await);
    let again = done(&call(&scene.acme.0, "webhooks_endpoints_create", wanted).await);
    assert_eq!(first["id"], again["id"]);
    let listed = scene.acme.0.get(&Acme::path("/endpoints")).await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    // The audit log has it as it has a request to the API: who, and from where.
    let audit = scene.acme.0.get(&Acme::path("/audit")).await.expect(200);
    let entry = &audit["data"][0];
    assert_eq!((&entry["action"], &entry["subject"]), (&json!("endpoint.created"), &first["id"]));
    assert_eq!(entry["origin"], "127.0.0.1", "{entry}");
}
