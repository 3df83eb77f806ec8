//! The audit log: who did what, when, from where, before and after; and never a secret.

use serde_json::{Value, json};

use super::sink::Sink;
use super::{Home, is_time, text};

/// What the first test does, in its order.
const EVERYTHING: [&str; 20] = [
    "tenant.created",
    "key.created",
    "endpoint.created",
    "endpoint.updated",
    "endpoint.paused",
    "endpoint.resumed",
    "endpoint.disabled",
    "endpoint.enabled",
    "endpoint.secret_rotated",
    "endpoint.secret_revealed",
    "endpoint.tested",
    "endpoint.verify_requested",
    "event_type.created",
    "event_type.updated",
    "event_type.deleted",
    "event_types.imported",
    "delivery.retried",
    "event.replayed",
    "endpoint.deleted",
    "tenant.updated",
];

#[track_caller]
fn each_tells_who_and_when(entries: &[Value], key: &str) {
    for entry in entries {
        assert!(text(&entry["id"]).starts_with("aud_"), "{entry}");
        is_time(&entry["at"]);
        assert_eq!(entry["origin"], "127.0.0.1", "{entry}");
        let by_operator =
            text(&entry["action"]).starts_with("tenant.") || entry["action"] == "key.created";
        let actor = if by_operator { "operator" } else { key };
        assert_eq!(entry["actor"], actor, "{entry}");
        assert!(entry["subject"].is_string(), "{entry}");
    }
}

#[tokio::test]
async fn every_change_is_written_down_with_who_did_it() {
    let home = Home::open().await;
    let tenant = home.tenant("audit-acts").await;
    let sink = Sink::answering(500).await;
    let once = json!({ "retry": { "delays_s": [] } });
    let made = tenant.endpoint(&sink.url(), once).await;
    let endpoint = format!("/endpoints/{}", text(&made["id"]));
    tenant.patch(&endpoint, &json!({ "name": "New" })).await.expect(200);
    let acts = [
        "pause",
        "resume",
        "disable",
        "enable",
        "rotate-secret",
        "reveal-secret",
        "test",
        "verify",
    ];
    for act in acts {
        tenant.act(&format!("{endpoint}/{act}")).await.expect(200);
    }
    tenant.post("/event-types", &json!({ "name": "a.b" })).await.expect(201);
    tenant.put("/event-types/a.b", &json!({ "group": "A" })).await.expect(200);
    tenant.delete("/event-types/a.b").await.expect(204);
    tenant.post("/event-types/import", &json!({ "catalogue": "aly" })).await.expect(200);
    let event = tenant.publish("a.b", json!(1)).await;
    let delivery = tenant.delivery_when(&event, "failed").await;
    tenant.act(&format!("/deliveries/{}/retry", text(&delivery["id"]))).await.expect(202);
    tenant.act(&format!("/events/{}/replay", text(&event["id"]))).await.expect(202);
    tenant.delete(&endpoint).await.expect(204);
    home.operator().patch(&tenant.path(""), &json!({ "name": "Audited" })).await.expect(200);

    let mut entries = tenant.all("/audit").await;
    entries.reverse();
    let actions: Vec<_> = entries.iter().map(|it| text(&it["action"])).collect();
    assert_eq!(actions, EVERYTHING);
    let keys = tenant.all("/api-keys").await;
    each_tells_who_and_when(&entries, text(&keys[0]["id"]));
    let of = |action: &str| entries.iter().find(|it| it["action"] == action).unwrap();
    let updated = of("endpoint.updated");
    assert_eq!(updated["subject"], made["id"]);
    assert_eq!(
        (&updated["before"]["name"], &updated["after"]["name"]),
        (&Value::Null, &json!("New"))
    );
    let created = of("endpoint.created");
    assert_eq!((&created["before"], &created["after"]["url"]), (&Value::Null, &json!(sink.url())));
    assert_eq!(created["after"]["retry"], json!({ "delays_s": [], "jitter": 0.0 }));
    assert_eq!(of("endpoint.deleted")["after"], Value::Null);
    let disabled = of("endpoint.disabled");
    assert_eq!(
        (&disabled["before"]["status"], &disabled["after"]["status"]),
        (&json!("active"), &json!("disabled"))
    );
}

#[tokio::test]
async fn what_is_refused_or_only_looked_at_is_not_written_down() {
    let home = Home::open().await;
    let tenant = home.tenant("audit-nothing").await;
    let before = tenant.all("/audit").await;
    assert_eq!(tenant.post("/endpoints", &json!({ "url": "x" })).await.status, 422);
    assert_eq!(tenant.delete("/endpoints/wh_1").await.status, 404);
    let limited = tenant.with_scopes(&["read"]).await;
    assert_eq!(limited.post("/endpoints", &json!({})).await.status, 403);
    tenant.get("/endpoints").await.expect(200);
    tenant.publish("a.b", json!(1)).await;
    assert_eq!(tenant.all("/audit").await[1..], before, "the key of the test alone");
}

#[tokio::test]
async fn no_secret_stands_in_the_log() {
    let home = Home::open().await;
    let tenant = home.tenant("audit-secrets").await;
    let headers = json!({ "Authorization": "Bearer hush-hush", "X-Plain": "plain-but-private" });
    let own = json!({ "headers": headers, "profile": "aryeo", "secret": "my-own-secret" });
    let made = tenant.endpoint("http://127.0.0.1:9/", own).await;
    let endpoint = format!("/endpoints/{}", text(&made["id"]));
    let changed = json!({
        "headers": { "Authorization": "Bearer hush-again" },
        "retry": { "delays_s": [10, 1.5] }, "auto_disable": { "after_s": 5 },
    });
    tenant.patch(&endpoint, &changed).await.expect(200);
    // In the words of the API.
    let entries = tenant.all("/audit").await;
    let after = &entries[0]["after"];
    assert_eq!(after["retry"]["delays_s"], json!([10, 1.5]), "{after}");
    assert_eq!(after["auto_disable"], json!({ "after_s": 5 }), "{after}");
    assert_eq!(after["headers"], json!({ "Authorization": "[redacted]" }), "{after}");
    let rotated = tenant
        .post(&format!("{endpoint}/rotate-secret"), &json!({ "secret": "my-next-secret" }))
        .await;
    rotated.expect(200);
    tenant.act(&format!("{endpoint}/reveal-secret")).await.expect(200);
    let key = tenant.with_scopes(&["read"]).await.client.key;
    tenant.delete(&endpoint).await.expect(204);
    let log = tenant.get("/audit?limit=250").await;
    let log = String::from_utf8_lossy(&log.body).into_owned();
    for secret in
        ["hush", "my-own-secret", "my-next-secret", "plain-but-private", &key, &tenant.client.key]
    {
        assert!(!log.contains(secret), "{secret} stands in {log}");
    }
    assert!(log.contains("X-Plain"), "names of headers are no secrets: {log}");
}
