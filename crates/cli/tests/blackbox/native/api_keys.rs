//! API keys: shown once, good for their scopes in their tenant, gone at once.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::{Home, Tenant, ids, is_time, merged, moved, refused, text, wrong};
use crate::world::{Client, until};

/// Every route of a tenant with the scope it needs. Things they name are not there, so what is allowed changes nothing.
const ROUTES: [(&str, &str, &str); 36] = [
    ("admin", "GET", "/api-keys"),
    ("admin", "POST", "/api-keys"),
    ("admin", "DELETE", "/api-keys/key_01jv0g6xwre3zb0g8v4q5n6m7k"),
    ("read", "GET", "/event-types"),
    ("write", "POST", "/event-types"),
    ("write", "POST", "/event-types/import"),
    ("read", "GET", "/event-types/none"),
    ("write", "PUT", "/event-types/n!ne"),
    ("write", "DELETE", "/event-types/none"),
    ("read", "GET", "/endpoints"),
    ("write", "POST", "/endpoints"),
    ("read", "GET", "/endpoints/wh_01jv0g6xwre3zb0g8v4q5n6m7k"),
    ("write", "PATCH", "/endpoints/wh_01jv0g6xwre3zb0g8v4q5n6m7k"),
    ("write", "DELETE", "/endpoints/wh_01jv0g6xwre3zb0g8v4q5n6m7k"),
    ("write", "POST", "/endpoints/wh_01jv0g6xwre3zb0g8v4q5n6m7k/enable"),
    ("write", "POST", "/endpoints/wh_01jv0g6xwre3zb0g8v4q5n6m7k/disable"),
    ("write", "POST", "/endpoints/wh_01jv0g6xwre3zb0g8v4q5n6m7k/pause"),
    ("write", "POST", "/endpoints/wh_01jv0g6xwre3zb0g8v4q5n6m7k/resume"),
    ("write", "POST", "/endpoints/wh_01jv0g6xwre3zb0g8v4q5n6m7k/verify"),
    ("write", "POST", "/endpoints/wh_01jv0g6xwre3zb0g8v4q5n6m7k/test"),
    ("write", "POST", "/endpoints/wh_01jv0g6xwre3zb0g8v4q5n6m7k/rotate-secret"),
    ("write", "POST", "/endpoints/wh_01jv0g6xwre3zb0g8v4q5n6m7k/reveal-secret"),
    ("read", "GET", "/events"),
    ("publish", "POST", "/events"),
    ("publish", "POST", "/events/batch"),
    ("read", "GET", "/events/evt_01jv0g6xwre3zb0g8v4q5n6m7k"),
    ("read", "GET", "/events/evt_01jv0g6xwre3zb0g8v4q5n6m7k/deliveries"),
    ("write", "POST", "/events/evt_01jv0g6xwre3zb0g8v4q5n6m7k/replay"),
    ("read", "GET", "/deliveries"),
    ("read", "GET", "/deliveries/export"),
    ("read", "GET", "/deliveries/dlv_01jv0g6xwre3zb0g8v4q5n6m7k"),
    ("read", "GET", "/deliveries/dlv_01jv0g6xwre3zb0g8v4q5n6m7k/attempts"),
    ("write", "POST", "/deliveries/dlv_01jv0g6xwre3zb0g8v4q5n6m7k/retry"),
    ("write", "POST", "/deliveries/dlv_01jv0g6xwre3zb0g8v4q5n6m7k/cancel"),
    ("admin", "GET", "/audit"),
    ("admin", "GET", "/audit?limit=1"),
];

async fn ask(client: &Client, tenant: &str, method: &str, rest: &str) -> crate::world::Answer {
    let body = if method == "GET" { "" } else { "{}" };
    let headers = [("content-type", "application/json")];
    let path = format!("/v1/tenants/{tenant}{rest}");
    client.send(method.parse::<Method>().unwrap(), &path, &headers, Bytes::from(body)).await
}

#[tokio::test]
async fn a_key_opens_what_its_scopes_say_and_nothing_else() {
    let home = Home::open().await;
    let tenant = home.tenant("key-scopes").await;
    for scope in ["read", "write", "publish", "admin"] {
        let limited = tenant.with_scopes(&[scope]).await;
        for (needs, method, rest) in ROUTES {
            let answer = ask(&limited.client, &tenant.name, method, rest).await;
            let allowed = scope == "admin" || scope == needs;
            assert_ne!(answer.status, 401, "{scope} {method} {rest}: {answer:?}");
            assert_eq!(answer.status != 403, allowed, "{scope} {method} {rest}: {answer:?}");
            assert!(answer.status < 500, "{scope} {method} {rest}: {answer:?}");
            if !allowed {
                let problem = refused(&answer, 403, "forbidden");
                assert!(text(&problem["detail"]).contains(needs), "{problem}");
            }
        }
    }
    let both = tenant.with_scopes(&["read", "publish"]).await;
    both.publish("a.b", json!(1)).await;
    both.get("/events").await.expect(200);
    let endpoint = json!({ "url": "http://127.0.0.1:9/", "events": ["*"] });
    refused(&both.post("/endpoints", &endpoint).await, 403, "forbidden");
}

#[tokio::test]
async fn another_tenants_things_are_not_there_whatever_the_key() {
    let home = Home::open().await;
    let (own, other) = (home.tenant("key-own").await, home.tenant("key-other").await);
    for (_, method, rest) in ROUTES {
        for tenant in [&*other.name, "key-nobody"] {
            let answer = ask(&own.client, tenant, method, rest).await;
            refused(&answer, 404, "not_found");
        }
    }
    let limited = own.with_scopes(&["publish"]).await;
    refused(&ask(&limited.client, &other.name, "GET", "/endpoints").await, 404, "not_found");

    // By their ids, asked for below one's own tenant.
    let endpoint = other.endpoint("http://127.0.0.1:9/", json!({})).await;
    let event = other.publish("a.b", json!(1)).await;
    let delivery = other.all("/deliveries").await;
    let key = other.all("/api-keys").await;
    let (endpoint, event) = (text(&endpoint["id"]), text(&event["id"]));
    let (delivery, key) = (text(&delivery[0]["id"]), text(&key[0]["id"]));
    for path in [
        format!("/endpoints/{endpoint}"),
        format!("/events/{event}"),
        format!("/events/{event}/deliveries"),
        format!("/deliveries/{delivery}"),
        format!("/deliveries/{delivery}/attempts"),
    ] {
        other.get(&path).await.expect(200);
        refused(&own.get(&path).await, 404, "not_found");
    }
    for path in [
        format!("/endpoints/{endpoint}/reveal-secret"),
        format!("/endpoints/{endpoint}/disable"),
        format!("/events/{event}/replay"),
        format!("/deliveries/{delivery}/retry"),
        format!("/deliveries/{delivery}/cancel"),
    ] {
        refused(&own.act(&path).await, 404, "not_found");
    }
    refused(&own.delete(&format!("/endpoints/{endpoint}")).await, 404, "not_found");
    refused(&own.delete(&format!("/api-keys/{key}")).await, 404, "not_found");
    wrong(
        &own.get(&format!("/deliveries?endpoint={endpoint}")).await,
        &[("endpoint", "not_found")],
    );
    other.get("/endpoints").await.expect(200);
}

#[tokio::test]
async fn a_key_is_shown_once() {
    let home = Home::open().await;
    let tenant = home.tenant("key-once").await;
    let wanted = json!({ "name": "shop backend", "scopes": ["read", "publish", "read"] });
    let made = tenant.post("/api-keys", &wanted).await.expect(201);
    let key = text(&made["key"]).to_owned();
    assert!(key.len() >= 40, "{made}");
    assert!(text(&made["id"]).starts_with("key_"));
    assert_eq!(made["name"], "shop backend");
    assert_eq!(made["scopes"], json!(["read", "publish"]));
    assert_eq!(made["expires_at"], Value::Null);
    is_time(&made["created_at"]);
    assert!(key.starts_with(text(&made["hint"])) && text(&made["hint"]).len() <= 12, "{made}");

    let list = tenant.get("/api-keys").await;
    assert!(!String::from_utf8_lossy(&list.body).contains(&key));
    let listed = list.expect(200);
    let listed = &listed["data"][0];
    assert_eq!(listed.get("key"), None);
    assert_eq!(merged(listed.clone(), json!({ "key": key })), made);
    tenant.client.with_key(&key).get(&tenant.path("/events")).await.expect(200);
}

#[tokio::test]
async fn a_revoked_key_stops_at_once() {
    let home = Home::open().await;
    let tenant = home.tenant("key-revoked").await;
    let limited = tenant.with_scopes(&["read", "publish"]).await;
    limited.publish("a.b", json!(1)).await;
    let keys = tenant.all("/api-keys").await;
    let path = format!("/api-keys/{}", ids(&keys)[0]);
    assert_eq!(tenant.delete(&path).await.status, 204);
    refused(&limited.get("/events").await, 401, "unauthenticated");
    let publish = limited.post("/events", &json!({ "type": "a.b", "data": 1 })).await;
    refused(&publish, 401, "unauthenticated");
    refused(&tenant.delete(&path).await, 404, "not_found");
    assert_eq!(tenant.all("/api-keys").await, keys[1..]);
}

#[tokio::test]
async fn a_key_works_until_it_expires() {
    let home = Home::open().await;
    let tenant = home.tenant("key-expiry").await;
    let now = tenant.publish("a.b", json!(1)).await;
    let now = tenant.get(&format!("/events/{}", text(&now["id"]))).await.expect(200);
    let expires_at = moved(&now["created_at"], 1500);
    let wanted = json!({ "name": "soon", "scopes": ["read"], "expires_at": expires_at });
    let made = tenant.post("/api-keys", &wanted).await.expect(201);
    assert_eq!(made["expires_at"], json!(expires_at));
    let brief = tenant.client.with_key(text(&made["key"]));
    assert_eq!(brief.get(&tenant.path("/events")).await.status, 200);
    let expired = until("the key expires", || async {
        Some(brief.get(&tenant.path("/events")).await).filter(|it| it.status != 200)
    });
    refused(&expired.await, 401, "unauthenticated");
    let past = json!({ "name": "x", "scopes": ["read"], "expires_at": now["created_at"] });
    wrong(&tenant.post("/api-keys", &past).await, &[("/expires_at", "in_the_past")]);
}

#[tokio::test]
async fn without_a_good_key_the_answer_says_how_to_give_one() {
    let home = Home::open().await;
    let tenant = home.tenant("key-none").await;
    let stranger = home.client("");
    let path = tenant.path("/events");
    let bearer = format!("Bearer {}", tenant.client.key);
    let basic = format!("Basic {}", tenant.client.key);
    let cut = &bearer[..bearer.len() - 1];
    for headers in [
        &[][..],
        &[("authorization", "")],
        &[("authorization", "Bearer")],
        &[("authorization", "Bearer ")],
        &[("authorization", "Bearer nothing-of-the-kind")],
        &[("authorization", cut)],
        &[("authorization", &basic)],
        &[("authorization", &tenant.client.key)],
        &[("authorization", &bearer), ("authorization", &bearer)],
        &[("x-api-key", &tenant.client.key)],
    ] {
        for (method, body) in [(Method::GET, ""), (Method::POST, r#"{"type":"a","data":1}"#)] {
            let answer = stranger.send(method, &path, headers, Bytes::from(body)).await;
            refused(&answer, 401, "unauthenticated");
            assert_eq!(answer.headers["www-authenticate"], "Bearer", "{headers:?}");
        }
    }
    for path in ["/v1/tenants", "/v1/tenants/key-nobody/events"] {
        refused(&stranger.get(path).await, 401, "unauthenticated");
    }
    let sign = json!({ "scheme": "aly", "secret": "x", "payload": "" });
    refused(&stranger.post("/v1/signatures/sign", &sign).await, 401, "unauthenticated");
    let lower = [("authorization", &*format!("bearer {}", tenant.client.key))];
    assert_eq!(stranger.send(Method::GET, &path, &lower, Bytes::new()).await.status, 200);
}

#[tokio::test]
async fn every_wrong_field_of_a_key_is_named() {
    let home = Home::open().await;
    let tenant: Tenant = home.tenant("key-wrong").await;
    for (body, pointer, code) in [
        (json!({ "scopes": ["read"] }), "/name", "required"),
        (json!({ "name": "k" }), "/scopes", "required"),
        (json!({ "name": "k", "scopes": [] }), "/scopes", "required"),
        (json!({ "name": "k", "scopes": ["read", "root"] }), "/scopes/1", "unknown_value"),
        (json!({ "name": "k", "scopes": "read" }), "/scopes", "wrong_type"),
        (json!({ "name": "x".repeat(121), "scopes": ["read"] }), "/name", "too_long"),
        (
            json!({ "name": "k", "scopes": ["read"], "expires_at": "soon" }),
            "/expires_at",
            "bad_time",
        ),
        (json!({ "name": "k", "scopes": ["read"], "key": "mine" }), "/key", "unknown_field"),
    ] {
        wrong(&tenant.post("/api-keys", &body).await, &[(pointer, code)]);
    }
    assert_eq!(tenant.all("/api-keys").await.len(), 1, "none was made");
}
