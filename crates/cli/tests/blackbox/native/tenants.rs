//! Tenants: made, changed and taken away by the operator alone.

use serde_json::{Value, json};

use super::{Home, is_time, refused, text, wrong};
use crate::world::Client;

async fn create(operator: &Client, body: Value) -> Value {
    operator.post("/v1/tenants", &body).await.expect(201)
}

#[tokio::test]
async fn a_tenant_has_the_defaults_of_the_contract() {
    let home = Home::open().await;
    let made = create(&home.operator(), json!({ "id": "tenant-defaults" })).await;
    assert_eq!(made["id"], "tenant-defaults");
    assert_eq!((&made["name"], &made["profile"]), (&Value::Null, &json!("standard")));
    assert_eq!(made["retention_days"], 30);
    let limits = made["limits"].as_object().unwrap();
    for limit in ["endpoints", "event_types_per_endpoint", "payload_bytes", "publish_per_s"] {
        assert_eq!(limits[limit], Value::Null, "{limit}");
    }
    is_time(&made["created_at"]);
    is_time(&made["updated_at"]);
    let read = home.operator().get("/v1/tenants/tenant-defaults").await.expect(200);
    assert_eq!(read, made);
}

#[tokio::test]
async fn a_tenant_keeps_what_it_was_given() {
    let home = Home::open().await;
    let limits = json!({
        "endpoints": 7, "event_types_per_endpoint": 8, "payload_bytes": 9000, "publish_per_s": 10,
    });
    let id = "x".repeat(64);
    let wanted = json!({
        "id": id, "name": "Ünïcode & Söhne", "profile": "alvys", "limits": limits,
        "retention_days": 3650,
    });
    create(&home.operator(), wanted.clone()).await;
    let read = home.operator().get(&format!("/v1/tenants/{id}")).await.expect(200);
    for field in ["id", "name", "profile", "limits", "retention_days"] {
        assert_eq!(read[field], wanted[field], "{field}");
    }
}

#[tokio::test]
async fn every_wrong_field_of_a_tenant_is_named() {
    let home = Home::open().await;
    let operator = home.operator();
    for (body, pointer, code) in [
        (json!({}), "/id", "required"),
        (json!({ "id": "" }), "/id", "required"),
        (json!({ "id": "Acme" }), "/id", "bad_tenant_id"),
        (json!({ "id": "-acme" }), "/id", "bad_tenant_id"),
        (json!({ "id": "a.b" }), "/id", "bad_tenant_id"),
        (json!({ "id": "a/b" }), "/id", "bad_tenant_id"),
        (json!({ "id": "x".repeat(65) }), "/id", "bad_tenant_id"),
        (json!({ "id": 7 }), "/id", "wrong_type"),
        (json!({ "id": "t", "name": "x".repeat(121) }), "/name", "too_long"),
        (json!({ "id": "t", "name": "a\u{0}b" }), "/name", "bad_character"),
        (json!({ "id": "t", "profile": "stripe" }), "/profile", "unknown_profile"),
        (json!({ "id": "t", "retention_days": 0 }), "/retention_days", "out_of_range"),
        (json!({ "id": "t", "retention_days": 3651 }), "/retention_days", "out_of_range"),
        (json!({ "id": "t", "retention_days": "30" }), "/retention_days", "wrong_type"),
        (json!({ "id": "t", "limits": { "endpoints": 0 } }), "/limits/endpoints", "out_of_range"),
        (json!({ "id": "t", "limits": { "endpoint": 1 } }), "/limits/endpoint", "unknown_field"),
        (
            json!({ "id": "t", "limits": { "payload_bytes": -1 } }),
            "/limits/payload_bytes",
            "out_of_range",
        ),
        (json!({ "id": "t", "limits": [1, 1, 1, 1] }), "/limits", "wrong_type"),
        (json!({ "id": "t", "plan": "gold" }), "/plan", "unknown_field"),
        (json!(["t"]), "", "wrong_type"),
    ] {
        wrong(&operator.post("/v1/tenants", &body).await, &[(pointer, code)]);
    }
    let answer = operator
        .post("/v1/tenants", &json!({ "id": "A", "profile": "x", "retention_days": 0 }))
        .await;
    wrong(
        &answer,
        &[
            ("/id", "bad_tenant_id"),
            ("/profile", "unknown_profile"),
            ("/retention_days", "out_of_range"),
        ],
    );
}

#[tokio::test]
async fn a_name_belongs_to_one_tenant_and_is_free_again_after_it() {
    let home = Home::open().await;
    let operator = home.operator();
    let first = home.tenant("tenant-twice").await;
    first.publish("a.b", json!(1)).await;
    first.endpoint("http://127.0.0.1:9/", json!({})).await;
    first.put("/event-types/a.b", &json!({})).await.expect(201);
    let again = operator.post("/v1/tenants", &json!({ "id": "tenant-twice" })).await;
    refused(&again, 409, "tenant_exists");

    assert_eq!(operator.delete("/v1/tenants/tenant-twice").await.status, 204);
    refused(&operator.get("/v1/tenants/tenant-twice").await, 404, "not_found");
    refused(&operator.delete("/v1/tenants/tenant-twice").await, 404, "not_found");
    refused(&operator.get("/v1/tenants/tenant-twice/endpoints").await, 404, "not_found");
    refused(&first.get("/events").await, 401, "unauthenticated");
    let publish = first.post("/events", &json!({ "type": "a.b", "data": 1 })).await;
    refused(&publish, 401, "unauthenticated");

    create(&operator, json!({ "id": "tenant-twice" })).await;
    for list in ["endpoints", "event-types", "api-keys", "events", "deliveries"] {
        let page = operator.get(&format!("/v1/tenants/tenant-twice/{list}")).await.expect(200);
        assert_eq!(page, json!({ "data": [], "next_cursor": null }), "{list}");
    }
    refused(&first.get("/events").await, 401, "unauthenticated");
}

#[tokio::test]
async fn a_change_leaves_out_what_it_does_not_name_and_null_is_the_default() {
    let home = Home::open().await;
    let operator = home.operator();
    let limits = json!({ "endpoints": 7, "publish_per_s": 100 });
    let wanted = json!({
        "id": "tenant-patch", "name": "A", "profile": "aly", "retention_days": 5, "limits": limits,
    });
    create(&operator, wanted).await;
    let path = "/v1/tenants/tenant-patch";
    let changed = operator.patch(path, &json!({ "name": "B" })).await.expect(200);
    assert_eq!((&changed["name"], &changed["profile"]), (&json!("B"), &json!("aly")));
    let changed = operator.patch(path, &json!({ "limits": { "endpoints": null } })).await;
    let changed = changed.expect(200);
    assert_eq!(changed["limits"]["endpoints"], Value::Null);
    assert_eq!(changed["limits"]["publish_per_s"], 100, "a limit that is not named stays");
    let nulls = json!({ "name": null, "profile": null, "limits": null, "retention_days": null });
    let changed = operator.patch(path, &nulls).await.expect(200);
    assert_eq!((&changed["name"], &changed["profile"]), (&Value::Null, &json!("standard")));
    assert_eq!(
        (&changed["retention_days"], &changed["limits"]["publish_per_s"]),
        (&json!(30), &Value::Null)
    );
    assert_eq!(operator.get(path).await.expect(200), changed);
    assert_eq!(operator.patch(path, &json!({})).await.expect(200)["name"], Value::Null);

    wrong(&operator.patch(path, &json!({ "id": "other" })).await, &[("/id", "unknown_field")]);
    let bad = operator.patch(path, &json!({ "profile": "x" })).await;
    wrong(&bad, &[("/profile", "unknown_profile")]);
    wrong(&operator.patch(path, &json!([null, null])).await, &[("", "wrong_type")]);
    refused(&operator.patch("/v1/tenants/tenant-none", &json!({})).await, 404, "not_found");
}

#[tokio::test]
async fn a_tenants_key_manages_no_tenant_neither_its_own_nor_another() {
    let home = Home::open().await;
    let (own, other) = (home.tenant("tenant-own").await, home.tenant("tenant-other").await);
    refused(&own.get("").await, 403, "forbidden");
    refused(&own.patch("", &json!({ "name": "x" })).await, 403, "forbidden");
    refused(&own.delete("").await, 403, "forbidden");
    refused(&own.client.get("/v1/tenants").await, 403, "forbidden");
    let create = own.client.post("/v1/tenants", &json!({ "id": "tenant-third" })).await;
    assert!(text(&refused(&create, 403, "forbidden")["detail"]).contains("operator"));
    for path in [other.path(""), "/v1/tenants/tenant-nobody".to_owned()] {
        refused(&own.client.get(&path).await, 404, "not_found");
        refused(&own.client.patch(&path, &json!({})).await, 404, "not_found");
        refused(&own.client.delete(&path).await, 404, "not_found");
    }
    assert_eq!(home.operator().get(&other.path("")).await.expect(200)["id"], "tenant-other");
}

#[tokio::test]
async fn a_tenants_limits_hold_and_a_change_of_them_is_obeyed_at_once() {
    let home = Home::open().await;
    let limits = json!({ "endpoints": 2, "event_types_per_endpoint": 2 });
    let tenant = home.tenant_with("tenant-limits", json!({ "limits": limits })).await;
    for _ in 0..2 {
        tenant.endpoint("http://127.0.0.1:9/", json!({})).await;
    }
    let wanted = json!({ "url": "http://127.0.0.1:9/", "events": ["*"] });
    refused(&tenant.post("/endpoints", &wanted).await, 422, "limit_reached");
    let raised = json!({ "limits": { "endpoints": 3 } });
    home.operator().patch(&tenant.path(""), &raised).await.expect(200);
    let third = tenant.post("/endpoints", &wanted).await.expect(201);
    let many = json!({ "events": ["a", "b", "c"] });
    let path = format!("/endpoints/{}", text(&third["id"]));
    refused(&tenant.patch(&path, &many).await, 422, "limit_reached");
    assert_eq!(tenant.delete(&path).await.status, 204);
    let wanted = json!({ "url": "http://127.0.0.1:9/", "events": ["a", "b"] });
    tenant.post("/endpoints", &wanted).await.expect(201);
}
