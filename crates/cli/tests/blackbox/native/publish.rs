//! Publishing one event: its answer, its exact bytes, and that it happens once.

use bytes::Bytes;
use serde_json::{Value, json};

use super::sink::{Sink, sent};
use super::{Home, Tenant, is_time, refused, text, wrong};

/// JSON that nobody who reads and writes it again would keep as it is.
const ODD: &str = concat!(
    r#"{ "zz" : 1,"a":12345678901234567890.123456789 , "e":[1E400,-0.0,1.10, 1e2],"#,
    "\t\"u\":\"\\u00e9\\/\\ud83d\\ude00\u{e9}\u{1f980} \\u0000\",\n",
    r#" "dup":1,"dup":2,"empty":{ },"":null}"#
);

#[tokio::test]
async fn an_accepted_event_is_answered_with_its_id_and_the_number_of_its_deliveries() {
    let home = Home::open().await;
    let tenant = home.tenant("publish-answer").await;
    tenant.endpoint("http://127.0.0.1:9/", json!({})).await;
    tenant.endpoint("http://127.0.0.1:9/", json!({ "events": ["order.*"] })).await;
    tenant.endpoint("http://127.0.0.1:9/", json!({ "events": ["other"] })).await;
    let answer = tenant.post("/events", &json!({ "type": "order.created", "data": {} })).await;
    assert_eq!(answer.headers["content-type"], "application/json");
    let accepted = answer.expect(202);
    assert_eq!(accepted.as_object().unwrap().len(), 2, "{accepted}");
    assert!(text(&accepted["id"]).starts_with("evt_"));
    assert_eq!(accepted["deliveries"], 2);
    let read = tenant.get(&format!("/events/{}", text(&accepted["id"]))).await.expect(200);
    assert_eq!((text(&read["type"]), &read["deliveries"]), ("order.created", &json!(2)));
    for field in ["scope", "source", "publisher_id"] {
        assert_eq!(read[field], Value::Null, "{field}");
    }
    is_time(&read["created_at"]);
    assert_eq!(read["occurred_at"], read["created_at"]);
}

#[tokio::test]
async fn an_event_keeps_every_field_it_was_given() {
    let home = Home::open().await;
    let tenant = home.tenant("publish-full").await;
    let sink = Sink::answering(200).await;
    tenant.endpoint(&sink.url(), json!({})).await;
    let wanted = json!({
        "type": "order.created", "data": { "n": 1 }, "scope": "site 1", "id": "order-1 created",
        "occurred_at": "2026-05-19T10:35:14+02:00", "previous": { "n": 0 }, "changes": [{ "kind": "n" }],
        "headers": { "X-Trace": "abc" },
    });
    let accepted = tenant.post("/events", &wanted).await.expect(202);
    let read = tenant.get(&format!("/events/{}", text(&accepted["id"]))).await.expect(200);
    for field in ["type", "data", "scope", "previous", "changes", "headers"] {
        assert_eq!(read[field], wanted[field], "{field}");
    }
    assert_eq!(read["publisher_id"], "order-1 created");
    assert_eq!(read["occurred_at"], "2026-05-19T08:35:14.000Z");
    let got = &sink.wait_for(1).await[0];
    assert_eq!(got.header("x-trace"), "abc");
    let body = got.json();
    assert_eq!(
        (text(&body["type"]), text(&body["timestamp"])),
        ("order.created", "2026-05-19T08:35:14.000Z")
    );
    // What changed is for everybody, what was before only for those that asked.
    assert_eq!(body["data"], json!({ "n": 1, "diff": { "changes": [{ "kind": "n" }] } }));
}

#[tokio::test]
async fn a_header_of_an_event_that_looks_like_a_credential_is_refused_since_events_are_kept_readable()
 {
    let home = Home::open().await;
    let tenant = home.tenant("publish-credential").await;
    for name in ["X-Api-Token", "Authorization", "X-Acme-Key", "X-Sig"] {
        let event =
            json!({ "type": "a.b", "data": 1, "headers": { name: "hush", "X-Trace": "abc" } });
        let answer = tenant.post("/events", &event).await;
        wrong(&answer, &[(&format!("/headers/{name}"), "credential_header")]);
        assert!(!String::from_utf8_lossy(&answer.body).contains("hush"));
    }
    assert_eq!(tenant.all("/events").await.len(), 0);
    let event = json!({ "type": "a.b", "data": 1, "headers": { "X-Trace": "abc" } });
    tenant.post("/events", &event).await.expect(202);
}

#[tokio::test]
async fn data_arrives_byte_for_byte_as_it_was_published() {
    let home = Home::open().await;
    let tenant = home.tenant("publish-exact").await;
    let (wrapped, bare) = (Sink::answering(200).await, Sink::answering(200).await);
    tenant.endpoint(&wrapped.url(), json!({})).await;
    tenant.endpoint(&bare.url(), json!({ "profile": "aryeo" })).await;
    for (count, data) in [ODD, "null", "\"text\"", "[]", " 7 ", "12345678901234567890.123456789"]
        .into_iter()
        .enumerate()
    {
        let body = format!(r#"{{"type":"a.b","data":{data}}}"#);
        let accepted = tenant.post_raw("/events", &[], body).await.expect(202);
        let got = &bare.wait_for(count + 1).await[count];
        assert_eq!(sent(got), data.trim());
        let got = &wrapped.wait_for(count + 1).await[count];
        assert!(sent(got).ends_with(&format!(r#""data":{}}}"#, data.trim())), "{}", sent(got));
        let read = tenant.get(&format!("/events/{}", text(&accepted["id"]))).await;
        let read = String::from_utf8(read.body.to_vec()).unwrap();
        assert!(read.contains(&format!(r#""data":{}"#, data.trim())), "{read}");
    }
}

#[tokio::test]
async fn every_profile_gets_the_envelope_of_the_contract() {
    let home = Home::open().await;
    let tenant = home.tenant("publish-envelopes").await;
    let event = json!({
        "type": "order.created", "data": { "n": 1 }, "scope": "acme", "occurred_at": "2026-05-19T08:35:14Z",
    });
    let mut sinks = Vec::new();
    for profile in ["standard", "aly", "alvys", "alumia", "aryeo"] {
        let sink = Sink::answering(200).await;
        tenant.endpoint(&sink.url(), json!({ "profile": profile, "verify": "none" })).await;
        sinks.push((profile, sink));
    }
    let accepted = tenant.post("/events", &event).await.expect(202);
    let (id, time) = (text(&accepted["id"]), "2026-05-19T08:35:14.000Z");
    for (profile, sink) in sinks {
        let got = &sink.wait_for(1).await[0];
        let body = got.json();
        let want = match profile {
            "standard" => json!({ "type": "order.created", "timestamp": time, "data": { "n": 1 } }),
            "aly" => json!({
                "id": id, "type": "order.created", "created_at": time, "site_slug": "acme", "data": { "n": 1 },
            }),
            "alvys" => json!({
                "id": id, "type": "order.created", "timestamp": "2026-05-19T08:35:14.0000000+00:00", "version": "v1",
                "data": { "n": 1 },
            }),
            "alumia" => {
                json!({ "id": id, "type": "order.created", "createdAt": time, "data": { "n": 1 } })
            }
            _ => json!({ "n": 1 }),
        };
        assert_eq!(body, want, "{profile}");
        assert_eq!(got.header("content-type"), "application/json", "{profile}");
    }
}

async fn count(tenant: &Tenant) -> usize {
    tenant.all("/events").await.len()
}

#[tokio::test]
async fn the_publishers_own_id_makes_an_event_happen_once() {
    let home = Home::open().await;
    let tenant = home.tenant("publish-id").await;
    tenant.endpoint("http://127.0.0.1:9/", json!({})).await;
    let event = json!({ "type": "a.b", "data": 1, "id": "mine" });
    let first = tenant.post("/events", &event).await.expect(202);
    assert_eq!(tenant.post("/events", &event).await.expect(200), first);
    let other = json!({ "type": "x", "data": 2, "id": "mine" });
    assert_eq!(tenant.post("/events", &other).await.expect(200), first, "the id alone counts");
    assert_eq!(count(&tenant).await, 1);

    // Another tenant's ids are its own.
    let neighbour = home.tenant("publish-id-neighbour").await;
    assert_ne!(neighbour.post("/events", &event).await.expect(202)["id"], first["id"]);
}

#[tokio::test]
async fn an_idempotency_key_makes_an_event_happen_once_bare_or_quoted() {
    let home = Home::open().await;
    let tenant = home.tenant("publish-key").await;
    let body = r#"{"type":"a.b","data":{"n":1}}"#;
    let publish = async |key: &str, body: &'static str| {
        tenant.post_raw("/events", &[("idempotency-key", key)], body).await
    };
    let first = publish("k-1", body).await;
    assert!(first.headers.get("idempotency-replayed").is_none());
    let first = first.expect(202);
    for key in ["k-1", "\"k-1\""] {
        let again = publish(key, body).await;
        assert_eq!(again.headers["idempotency-replayed"], "true", "{key}");
        assert_eq!(again.expect(202), first, "{key}");
    }
    let other = publish("k-1", r#"{"type":"a.b","data":{"n":2}}"#).await;
    refused(&other, 422, "idempotency_key_reused");
    assert_ne!(publish("k-2", body).await.expect(202)["id"], first["id"]);
    assert_eq!(count(&tenant).await, 2);
    for bad in ["", "\"open", &*"k".repeat(256)] {
        wrong(&publish(bad, body).await, &[("Idempotency-Key", "bad_idempotency_key")]);
    }
    assert_eq!(count(&tenant).await, 2, "what is refused is not published");
}

#[tokio::test]
async fn the_same_key_at_the_same_time_is_one_event() {
    let home = Home::open().await;
    let tenant = home.tenant("publish-race").await;
    let publish =
        || tenant.post_raw("/events", &[("idempotency-key", "r")], r#"{"type":"a","data":1}"#);
    let (a, b, c, d) = tokio::join!(publish(), publish(), publish(), publish());
    let first = a.expect(202);
    for other in [b, c, d] {
        assert_eq!(other.expect(202), first);
    }
    assert_eq!(count(&tenant).await, 1);
}

#[tokio::test]
async fn every_wrong_field_of_an_event_is_named() {
    let home = Home::open().await;
    let tenant = home.tenant("publish-wrong").await;
    for (body, pointer, code) in [
        (json!({ "data": 1 }), "/type", "required"),
        (json!({ "type": "", "data": 1 }), "/type", "required"),
        (json!({ "type": "a" }), "/data", "required"),
        (json!({ "type": "two words", "data": 1 }), "/type", "bad_event_type"),
        (json!({ "type": "a\u{0}", "data": 1 }), "/type", "bad_event_type"),
        (json!({ "type": "order.*", "data": 1 }), "/type", "bad_event_type"),
        (json!({ "type": "x".repeat(129), "data": 1 }), "/type", "bad_event_type"),
        (json!({ "type": 7, "data": 1 }), "/type", "wrong_type"),
        (json!({ "type": null, "data": 1 }), "/type", "wrong_type"),
        (json!({ "type": "a", "data": 1, "scope": "" }), "/scope", "bad_scope"),
        (json!({ "type": "a", "data": 1, "scope": "x".repeat(129) }), "/scope", "bad_scope"),
        (json!({ "type": "a", "data": 1, "id": "" }), "/id", "too_short"),
        (json!({ "type": "a", "data": 1, "id": "x".repeat(256) }), "/id", "too_long"),
        (json!({ "type": "a", "data": 1, "id": "a\u{0}b" }), "/id", "bad_character"),
        (json!({ "type": "a", "data": 1, "occurred_at": "yesterday" }), "/occurred_at", "bad_time"),
        (json!({ "type": "a", "data": 1, "previous": 1 }), "/previous", "not_an_object"),
        (
            json!({ "type": "a", "data": 1, "headers": { "Host": "x" } }),
            "/headers/Host",
            "reserved_header",
        ),
        (json!({ "type": "a", "data": 1, "payload": 1 }), "/payload", "unknown_field"),
        (json!(["a", 1]), "", "wrong_type"),
        (json!("text"), "", "wrong_type"),
    ] {
        wrong(&tenant.post("/events", &body).await, &[(pointer, code)]);
    }
    let twice = tenant.post_raw("/events", &[], r#"{"type":"a","type":"b","data":1}"#).await;
    wrong(&twice, &[("/type", "duplicate_field")]);
    let several = json!({ "type": "a b", "data": 1, "scope": "", "occurred_at": "x" });
    let several = tenant.post("/events", &several).await;
    wrong(
        &several,
        &[("/type", "bad_event_type"), ("/scope", "bad_scope"), ("/occurred_at", "bad_time")],
    );
    assert_eq!(count(&tenant).await, 0);
}

#[tokio::test]
async fn data_may_be_as_long_as_the_tenants_limit() {
    let home = Home::open().await;
    let tenant =
        home.tenant_with("publish-size", json!({ "limits": { "payload_bytes": 1000 } })).await;
    let event = |bytes: usize| {
        let data = format!("\"{}\"", "x".repeat(bytes - 2));
        Bytes::from(format!(r#"{{"type":"a.b","data":{data}}}"#))
    };
    tenant.post_raw("/events", &[], event(1000)).await.expect(202);
    for bytes in [1001, 10_000, 500_000, 3_000_000] {
        refused(&tenant.post_raw("/events", &[], event(bytes)).await, 413, "too_large");
    }
    let previous = json!({ "type": "a.b", "data": 1, "previous": { "a": "x".repeat(1000) } });
    refused(&tenant.post("/events", &previous).await, 413, "too_large");

    let usual = home.tenant("publish-size-usual").await;
    usual.post_raw("/events", &[], event(1024 * 1024)).await.expect(202);
    refused(&usual.post_raw("/events", &[], event(1024 * 1024 + 1)).await, 413, "too_large");
    let raised = json!({ "limits": { "payload_bytes": 2_000_000 } });
    home.operator().patch(&usual.path(""), &raised).await.expect(200);
    usual.post_raw("/events", &[], event(2_000_000)).await.expect(202);
}

#[tokio::test]
async fn a_tenant_that_publishes_too_fast_is_told_when_to_come_back() {
    let home = Home::open().await;
    let limits = json!({ "limits": { "publish_per_s": 1 } });
    let tenant = home.tenant_with("publish-rate", limits).await;
    let event = json!({ "type": "a.b", "data": 1 });
    let mut refusal = None;
    for _ in 0..20 {
        let answer = tenant.post("/events", &event).await;
        if answer.status != 202 {
            refusal = Some(answer);
            break;
        }
    }
    let refusal = refusal.expect("twenty events in a moment");
    refused(&refusal, 429, "too_many_requests");
    let seconds: u64 = refusal.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    let batch = tenant.post("/events/batch", &json!([event, event, event])).await;
    refused(&batch, 429, "too_many_requests");
    assert!(batch.headers.contains_key("retry-after"));
    let patient = crate::world::until("the tenant may publish again", || async {
        Some(tenant.post("/events", &event).await).filter(|it| it.status != 429)
    });
    patient.await.expect(202);
    assert_eq!(tenant.get("/events").await.status, 200, "looking is not limited");
}
