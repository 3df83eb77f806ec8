//! Endpoints: every field of the contract, its default, and how it is changed.

use serde_json::{Value, json};

use super::sink::Sink;
use super::{Home, Tenant, ids, is_time, merged, refused, text, wrong};

const URL: &str = "http://127.0.0.1:9/hooks";

async fn read(tenant: &Tenant, endpoint: &Value) -> Value {
    tenant.get(&format!("/endpoints/{}", text(&endpoint["id"]))).await.expect(200)
}

#[tokio::test]
async fn an_endpoint_has_the_defaults_of_the_contract() {
    let home = Home::open().await;
    let tenant = home.tenant("endpoint-defaults").await;
    let wanted = json!({ "url": URL, "events": ["order.*", "a.b"] });
    let made = tenant.post("/endpoints", &wanted).await.expect(201);
    assert!(text(&made["id"]).starts_with("wh_") && !text(&made["id"]).contains('.'), "{made}");
    assert_eq!((&made["url"], &made["events"]), (&wanted["url"], &wanted["events"]));
    for field in [
        "name",
        "description",
        "scope",
        "retry",
        "timeout_s",
        "rate_limit",
        "max_in_flight",
        "auto_disable",
        "verify",
        "metadata",
        "disabled_reason",
        "last_delivery_at",
    ] {
        assert_eq!(made.get(field), Some(&Value::Null), "{field}");
    }
    for (field, value) in [
        ("profile", json!("standard")),
        ("headers", json!({})),
        ("ordered", json!(false)),
        ("include_previous_attributes", json!(false)),
        ("status", json!("active")),
        ("consecutive_failures", json!(0)),
        ("delivery_count", json!(0)),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    is_time(&made["created_at"]);
    is_time(&made["updated_at"]);
    let secret = text(&made["secret"]);
    assert!(secret.starts_with("whsec_") && secret.len() >= 38, "{secret}");
}

#[tokio::test]
async fn an_endpoint_keeps_every_field_it_was_given() {
    let home = Home::open().await;
    let tenant = home.tenant("endpoint-full").await;
    let wanted = json!({
        "url": "http://127.0.0.1:9/hooks?a=1&b=%20x", "events": ["order.created", "site.*"],
        "name": "Wärehouse", "description": "Two\nlines", "scope": "site 1", "profile": "aly",
        "headers": { "X-Team": "blue", "X-Other": "2" },
        "retry": { "delays_s": [1, 2.5, 100], "jitter": 0.5 }, "timeout_s": 120,
        "rate_limit": { "per_s": 0.5, "burst": 3 }, "ordered": true, "max_in_flight": 1,
        "include_previous_attributes": true, "auto_disable": { "after_events": 3 }, "verify": "none",
        "metadata": { "team": ["a"], "n": 1 },
    });
    let with_secret = merged(wanted.clone(), json!({ "secret": "my own secret" }));
    let made = tenant.post("/endpoints", &with_secret).await.expect(201);
    assert_eq!(made["secret"], "my own secret");
    let kept = read(&tenant, &made).await;
    for (field, value) in wanted.as_object().unwrap() {
        assert_eq!(&kept[field], value, "{field}");
    }
    let policy = &kept["policy"];
    assert_eq!((&policy["retry"], &policy["timeout_s"]), (&wanted["retry"], &json!(120)));
    assert_eq!(
        (&policy["rate_limit"], &policy["max_in_flight"]),
        (&wanted["rate_limit"], &json!(1))
    );
    assert_eq!(policy["auto_disable"], wanted["auto_disable"]);
}

#[tokio::test]
async fn the_secret_is_shown_at_creation_only() {
    let home = Home::open().await;
    let tenant = home.tenant("endpoint-secret").await;
    let made = tenant.endpoint(URL, json!({})).await;
    let secret = text(&made["secret"]);
    let path = format!("/endpoints/{}", text(&made["id"]));
    let changed = tenant.patch(&path, &json!({ "name": "x" })).await;
    for answer in [
        tenant.get(&path).await,
        tenant.get("/endpoints").await,
        changed,
        tenant.act(&format!("{path}/pause")).await,
        tenant.act(&format!("{path}/resume")).await,
    ] {
        assert_eq!(answer.status, 200, "{answer:?}");
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!body.contains(secret) && !body.contains("\"secret\""), "{body}");
    }
    let again = tenant.post("/endpoints", &json!({ "url": URL, "events": ["*"] })).await;
    assert_ne!(again.expect(201)["secret"], made["secret"]);
}

#[tokio::test]
async fn all_events_may_be_written_as_a_text_and_repetitions_count_once() {
    let home = Home::open().await;
    let tenant = home.tenant("endpoint-events").await;
    for (given, kept) in [
        (json!("*"), json!(["*"])),
        (json!(["*"]), json!(["*"])),
        (json!(["a", "b.*", "a"]), json!(["a", "b.*"])),
        (json!(["LISTING_DELIVERED", "a-b.c_d"]), json!(["LISTING_DELIVERED", "a-b.c_d"])),
    ] {
        let wanted = json!({ "url": URL, "events": given });
        let made = tenant.post("/endpoints", &wanted).await.expect(201);
        assert_eq!(made["events"], kept);
    }
}

#[tokio::test]
async fn a_change_is_obeyed_and_null_is_the_profiles_value_again() {
    let home = Home::open().await;
    let tenant = home.tenant("endpoint-patch").await;
    let made = tenant.endpoint(URL, json!({})).await;
    let path = format!("/endpoints/{}", text(&made["id"]));
    let changes = json!({
        "url": "http://127.0.0.1:9/other", "events": ["x"], "name": "N", "description": "D", "scope": "s",
        "headers": { "X-Team": "red" }, "retry": { "delays_s": [5] }, "timeout_s": 1,
        "rate_limit": { "per_s": 2 }, "ordered": true, "max_in_flight": 5,
        "include_previous_attributes": true, "auto_disable": false, "verify": "none",
        "metadata": { "a": 1 },
    });
    for (field, value) in changes.as_object().unwrap() {
        let changed = tenant.patch(&path, &json!({ field: value })).await.expect(200);
        let want = match field.as_str() {
            "retry" => &json!({ "delays_s": [5], "jitter": 0.0 }),
            _ => value,
        };
        assert_eq!(&changed[field], want, "{field}");
        assert_eq!(changed, read(&tenant, &made).await);
    }
    let nulls = json!({
        "name": null, "description": null, "scope": null, "profile": null, "headers": null, "retry": null,
        "timeout_s": null, "rate_limit": null, "ordered": null, "max_in_flight": null,
        "include_previous_attributes": null, "auto_disable": null, "verify": null, "metadata": null,
    });
    let back = tenant.patch(&path, &nulls).await.expect(200);
    for field in nulls.as_object().unwrap().keys() {
        assert_eq!(back[field], made[field], "{field}");
    }
    assert_eq!(back["policy"], made["policy"]);
    assert_eq!(back["url"], changes["url"], "what is not named stays");
    assert_eq!(tenant.patch(&path, &json!({})).await.expect(200), back);
    for (body, pointer, code) in [
        (json!({ "url": null }), "/url", "required"),
        (json!({ "events": null }), "/events", "required"),
        (json!({ "events": [] }), "/events", "required"),
        (json!({ "id": "wh_1" }), "/id", "unknown_field"),
        (json!({ "secret": "x" }), "/secret", "unknown_field"),
        (json!({ "status": "disabled" }), "/status", "unknown_field"),
    ] {
        wrong(&tenant.patch(&path, &body).await, &[(pointer, code)]);
    }
    assert_eq!(read(&tenant, &made).await, back, "a refused change changes nothing");
}

#[tokio::test]
async fn a_change_is_obeyed_by_the_very_next_event() {
    let home = Home::open().await;
    let tenant = home.tenant("endpoint-next").await;
    let sink = Sink::answering(200).await;
    let made = tenant.endpoint(&sink.url(), json!({ "events": ["a"] })).await;
    let path = format!("/endpoints/{}", text(&made["id"]));
    assert_eq!(tenant.publish("b", json!(1)).await["deliveries"], 0);
    tenant.patch(&path, &json!({ "events": ["b"] })).await.expect(200);
    assert_eq!(tenant.publish("a", json!(2)).await["deliveries"], 0);
    assert_eq!(tenant.publish("b", json!(3)).await["deliveries"], 1);
    tenant.patch(&path, &json!({ "scope": "west" })).await.expect(200);
    assert_eq!(tenant.publish("b", json!(4)).await["deliveries"], 0);
    let scoped = json!({ "type": "b", "data": 5, "scope": "west" });
    assert_eq!(tenant.post("/events", &scoped).await.expect(202)["deliveries"], 1);
    assert_eq!(tenant.delete(&path).await.status, 204);
    assert_eq!(tenant.post("/events", &scoped).await.expect(202)["deliveries"], 0);
    assert_eq!(sink.wait_for(2).await.len(), 2);
}

#[tokio::test]
async fn header_values_that_look_like_credentials_are_masked_but_sent() {
    let home = Home::open().await;
    let tenant = home.tenant("endpoint-masked").await;
    let sink = Sink::answering(200).await;
    let headers = json!({
        "Authorization": "Bearer hush-1", "X-Api-Key": "hush-2", "Cookie": "session=hush-3", "X-Team": "blue",
    });
    let made = tenant.endpoint(&sink.url(), json!({ "headers": headers })).await;
    let path = format!("/endpoints/{}", text(&made["id"]));
    let event = tenant.publish("a.b", json!(1)).await;
    let delivery = tenant.delivery_when(&event, "succeeded").await;
    let attempts = format!("/deliveries/{}/attempts", text(&delivery["id"]));
    for answer in
        [tenant.get(&path).await, tenant.get("/endpoints").await, tenant.get(&attempts).await]
    {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!body.contains("hush") && body.contains("blue"), "{body}");
    }
    assert!(!made.to_string().contains("hush"), "{made}");
    let got = &sink.received()[0];
    assert_eq!(got.header("authorization"), "Bearer hush-1");
    assert_eq!((got.header("x-api-key"), got.header("x-team")), ("hush-2", "blue"));

    // What was read may be written back: the mask stands for the value that is kept.
    let shown = read(&tenant, &made).await;
    let mut headers = shown["headers"].clone();
    headers["X-Team"] = json!("green");
    tenant.patch(&path, &json!({ "headers": headers })).await.expect(200);
    tenant.publish("a.b", json!(2)).await;
    let got = &sink.wait_for(2).await[1];
    assert_eq!((got.header("authorization"), got.header("x-team")), ("Bearer hush-1", "green"));
    let unknown = json!({ "headers": { "X-New-Token": shown["headers"]["Authorization"] } });
    wrong(&tenant.patch(&path, &unknown).await, &[("/headers/X-New-Token", "redacted")]);
}

#[tokio::test]
async fn an_endpoint_without_a_profile_has_its_tenants() {
    let home = Home::open().await;
    let tenant = home.tenant_with("endpoint-profile", json!({ "profile": "aryeo" })).await;
    let made = tenant.endpoint(URL, json!({})).await;
    assert_eq!((&made["profile"], &made["policy"]["timeout_s"]), (&json!("aryeo"), &json!(3)));
    let named = tenant.endpoint(URL, json!({ "profile": "standard" })).await;
    assert_eq!(named["profile"], "standard");
    let change = json!({ "profile": "aly" });
    home.operator().patch(&tenant.path(""), &change).await.expect(200);
    assert_eq!(read(&tenant, &made).await["profile"], "aryeo", "those that are there keep theirs");
    assert_eq!(tenant.endpoint(URL, json!({})).await["profile"], "aly");
}

#[tokio::test]
async fn every_profile_has_the_policy_of_the_contract() {
    let home = Home::open().await;
    let tenant = home.tenant("endpoint-policies").await;
    let mut aly = vec![30, 120, 600, 1800, 3600, 7200];
    aly.extend([14_400; 17]);
    let five_days = json!({ "after_s": 432_000 });
    for (profile, delays, jitter, timeout_s, auto_disable, verify) in [
        ("aly", json!(aly), 0.1, 5, json!(false), "none"),
        ("alvys", json!([10, 30, 60]), 0.0, 30, json!({ "after_events": 10 }), "challenge"),
        ("aryeo", json!([10, 100]), 0.0, 3, json!(false), "none"),
        ("standard", Value::Null, 0.2, 15, five_days.clone(), "none"),
        ("alumia", Value::Null, 0.2, 15, five_days, "none"),
    ] {
        let made = tenant.endpoint(URL, json!({ "profile": profile })).await;
        let policy = &made["policy"];
        assert_eq!(policy["retry"]["jitter"], jitter, "{profile}");
        let made_delays = &policy["retry"]["delays_s"];
        if delays.is_null() {
            let delays: Vec<u64> = serde_json::from_value(made_delays.clone()).unwrap();
            assert_eq!(delays.len() + 1, 10, "{profile}: ten attempts");
            let days = delays.iter().sum::<u64>() as f64 / 86_400.0;
            assert!((2.5..=3.5).contains(&days), "{profile}: {days} days");
        } else {
            assert_eq!(*made_delays, delays, "{profile}");
        }
        assert_eq!(policy["timeout_s"], timeout_s, "{profile}");
        assert_eq!(
            (&policy["auto_disable"], text(&policy["verify"])),
            (&auto_disable, verify),
            "{profile}"
        );
        let preset = tenant.endpoint(URL, json!({ "retry": { "preset": profile } })).await;
        assert_eq!(preset["policy"]["retry"], policy["retry"], "{profile}");
        let overridden = json!({ "profile": profile, "timeout_s": 7, "verify": "none", "retry": { "delays_s": [] } });
        let overridden = tenant.endpoint(URL, overridden).await;
        assert_eq!(overridden["policy"]["timeout_s"], 7, "{profile}");
        assert_eq!(overridden["policy"]["retry"]["delays_s"], json!([]), "{profile}");
        assert_eq!(overridden["status"], "active", "{profile}");
    }
}

#[tokio::test]
async fn alvys_allows_fifty_endpoints_and_fifty_types_each() {
    let home = Home::open().await;
    let tenant = home.tenant_with("endpoint-alvys", json!({ "profile": "alvys" })).await;
    let types = |count: usize| json!((0..count).map(|it| format!("load.{it}")).collect::<Vec<_>>());
    let wanted = |count: usize| json!({ "url": URL, "events": types(count), "verify": "none" });
    refused(&tenant.post("/endpoints", &wanted(51)).await, 422, "limit_reached");
    let first = tenant.post("/endpoints", &wanted(50)).await.expect(201);
    let path = format!("/endpoints/{}", text(&first["id"]));
    refused(&tenant.patch(&path, &json!({ "events": types(51) })).await, 422, "limit_reached");
    for _ in 1..50 {
        tenant.post("/endpoints", &wanted(1)).await.expect(201);
    }
    refused(&tenant.post("/endpoints", &wanted(1)).await, 422, "limit_reached");
    assert_eq!(tenant.delete(&path).await.status, 204);
    tenant.post("/endpoints", &wanted(1)).await.expect(201);
}

#[tokio::test]
async fn endpoints_are_listed_newest_first() {
    let home = Home::open().await;
    let tenant = home.tenant("endpoint-list").await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(tenant.endpoint(URL, json!({})).await);
    }
    made.reverse();
    let rows = tenant.all("/endpoints").await;
    assert_eq!(ids(&rows), ids(&made));
    for (row, made) in rows.iter().zip(&made) {
        assert_eq!(*row, read(&tenant, made).await, "a row is what is read alone");
    }
}
