//! Event types: a tenant's catalogue, by hand, from what is built in, and from documents.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Home, Tenant, is_time, refused, text, wrong};

#[tokio::test]
async fn an_event_type_can_be_made_replaced_and_taken_away() {
    let home = Home::open().await;
    let tenant = home.tenant("types-crud").await;
    let wanted = json!({ "name": "order.created" });
    let made = tenant.post("/event-types", &wanted).await.expect(201);
    assert_eq!(made["name"], "order.created");
    for field in ["description", "group", "schema", "sample"] {
        assert_eq!(made[field], Value::Null, "{field}");
    }
    assert_eq!(made["deprecated"], false);
    is_time(&made["created_at"]);
    is_time(&made["updated_at"]);
    refused(&tenant.post("/event-types", &wanted).await, 409, "event_type_exists");

    let path = "/event-types/order.created";
    let body = json!({
        "description": "An order was placed.", "group": "Orders", "deprecated": true,
        "schema": { "type": "object" }, "sample": { "id": "ord_1" },
    });
    let put = tenant.put(path, &body).await.expect(200);
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(&put[field], value, "{field}");
    }
    assert_eq!(put["created_at"], made["created_at"]);
    assert_eq!(tenant.get(path).await.expect(200), put);
    let replaced = tenant.put(path, &json!({})).await.expect(200);
    assert_eq!((&replaced["description"], &replaced["deprecated"]), (&Value::Null, &json!(false)));

    tenant.put("/event-types/new.one", &json!({ "name": "new.one" })).await.expect(201);
    assert_eq!(tenant.all("/event-types").await.len(), 2);
    assert_eq!(tenant.delete(path).await.status, 204);
    refused(&tenant.get(path).await, 404, "not_found");
    refused(&tenant.delete(path).await, 404, "not_found");
    // The catalogue is no gate.
    tenant.publish("order.created", json!({})).await;
}

#[tokio::test]
async fn schemas_and_samples_keep_their_exact_text() {
    let home = Home::open().await;
    let tenant = home.tenant("types-exact").await;
    let sample = r#"{ "z" : 1.10, "a":12345678901234567890.5 }"#;
    let schema = r#"{"type" :"object", "a": 1.0}"#;
    let body = format!(r#"{{"name":"a.b","sample":{sample},"schema":{schema}}}"#);
    assert_eq!(tenant.post_raw("/event-types", &[], body).await.status, 201);
    let read = tenant.get("/event-types/a.b").await;
    let read = std::str::from_utf8(&read.body).unwrap();
    assert!(read.contains(sample) && read.contains(schema), "{read}");
}

#[tokio::test]
async fn every_wrong_field_of_an_event_type_is_named() {
    let home = Home::open().await;
    let tenant = home.tenant("types-wrong").await;
    for (body, pointer, code) in [
        (json!({}), "/name", "required"),
        (json!({ "name": "two words" }), "/name", "bad_event_type"),
        (json!({ "name": "a..b" }), "/name", "bad_event_type"),
        (json!({ "name": "order.*" }), "/name", "bad_event_type"),
        (json!({ "name": "x".repeat(129) }), "/name", "bad_event_type"),
        (json!({ "name": "a", "description": "x".repeat(2001) }), "/description", "too_long"),
        (json!({ "name": "a", "schema": [1] }), "/schema", "not_a_schema"),
        (json!({ "name": "a", "deprecated": "no" }), "/deprecated", "wrong_type"),
        (json!({ "name": "a", "version": 2 }), "/version", "unknown_field"),
    ] {
        wrong(&tenant.post("/event-types", &body).await, &[(pointer, code)]);
    }
    tenant.post("/event-types", &json!({ "name": "x".repeat(128) })).await.expect(201);
    let other = tenant.put("/event-types/a", &json!({ "name": "b" })).await;
    wrong(&other, &[("/name", "other_name")]);
    wrong(&tenant.put("/event-types/two%20words", &json!({})).await, &[("name", "bad_event_type")]);
    refused(&tenant.get("/event-types/two%20words").await, 404, "not_found");
}

async fn import(tenant: &Tenant, body: Value) -> BTreeSet<String> {
    let imported = tenant.post("/event-types/import", &body).await.expect(200);
    let names: BTreeSet<_> =
        imported["names"].as_array().unwrap().iter().map(|it| text(it).to_owned()).collect();
    assert_eq!(imported["imported"], json!(names.len()));
    names
}

#[tokio::test]
async fn the_built_in_catalogues_are_whole() {
    let home = Home::open().await;
    for (catalogue, count, some) in [
        (
            "aly",
            24,
            &["order.created", "membership.subscriber.payment_failed", "site.domain.verified"][..],
        ),
        ("alvys", 27, &["tender.cancelled", "load.changed"]),
        ("aryeo", 61, &["LISTING_DELIVERED", "APPOINTMENT_CANCELED", "MEDIA_REQUEST_TRANSFERRED"]),
    ] {
        let tenant = home.tenant(&format!("types-import-{catalogue}")).await;
        let names = import(&tenant, json!({ "catalogue": catalogue })).await;
        assert_eq!(names.len(), count, "{catalogue}");
        for name in some {
            assert!(names.contains(*name), "{catalogue}: no {name} in {names:?}");
        }
        let listed = tenant.all("/event-types").await;
        let listed: BTreeSet<_> = listed.iter().map(|it| text(&it["name"]).to_owned()).collect();
        assert_eq!(listed, names, "{catalogue}");
        assert_eq!(import(&tenant, json!({ "catalogue": catalogue })).await, names);
        assert_eq!(tenant.all("/event-types").await.len(), count, "twice changes nothing");
    }
    let tenant = home.tenant("types-import-none").await;
    let unknown = tenant.post("/event-types/import", &json!({ "catalogue": "stripe" })).await;
    wrong(&unknown, &[("/catalogue", "unknown_value")]);
}

#[tokio::test]
async fn the_seeds_order_is_the_sample_of_its_type() {
    let home = Home::open().await;
    let tenant = home.tenant("types-sample").await;
    import(&tenant, json!({ "catalogue": "aly" })).await;
    let order = tenant.get("/event-types/order.created").await.expect(200);
    assert_eq!(order["sample"]["order"]["totals"]["total"], 5076);
}

#[tokio::test]
async fn the_webhooks_of_an_openapi_document_become_event_types() {
    let home = Home::open().await;
    let tenant = home.tenant("types-openapi").await;
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "Shop", "version": "1" },
        "webhooks": {
            "order.created": { "post": {
                "summary": "An order was placed", "tags": ["Orders"], "deprecated": true,
                "requestBody": { "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/Order" } } } },
                "responses": { "200": { "description": "ok" } },
            } },
            "order.cancelled": { "post": { "responses": {} } },
        },
        "components": { "schemas": { "Order": {
            "type": "object", "properties": { "id": { "type": "string" } },
        } } },
    });
    let names = import(&tenant, document).await;
    assert_eq!(names, ["order.cancelled".to_owned(), "order.created".to_owned()].into());
    let read = tenant.get("/event-types/order.created").await.expect(200);
    assert_eq!(read["description"], "An order was placed");
    assert_eq!((&read["group"], &read["deprecated"]), (&json!("Orders"), &json!(true)));
    assert_eq!(read["schema"]["properties"]["id"]["type"], "string", "{read}");
}

#[tokio::test]
async fn the_definitions_of_a_json_schema_become_event_types() {
    let home = Home::open().await;
    let tenant = home.tenant("types-schema").await;
    let document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": { "invoice.paid": { "type": "object", "description": "Paid." }, "invoice.sent": true },
    });
    assert_eq!(import(&tenant, document).await.len(), 2);
    let read = tenant.get("/event-types/invoice.paid").await.expect(200);
    assert_eq!(read["description"], "Paid.");
    assert_eq!(read["schema"]["type"], "object");
}

#[tokio::test]
async fn a_document_without_or_with_bad_event_types_is_refused_and_loads_nothing() {
    let home = Home::open().await;
    let tenant = home.tenant("types-bad-document").await;
    let empty = json!({ "openapi": "3.1.0", "info": { "title": "x", "version": "1" } });
    let answer = tenant.post("/event-types/import", &empty).await;
    wrong(&answer, &[("", "no_event_types")]);
    let bad = json!({ "webhooks": { "new order/now": {}, "ok.one": {} } });
    let answer = tenant.post("/event-types/import", &bad).await;
    wrong(&answer, &[("/webhooks/new order~1now", "bad_event_type")]);
    wrong(&tenant.post("/event-types/import", &json!([])).await, &[("", "wrong_type")]);
    assert_eq!(tenant.all("/event-types").await, [] as [Value; 0]);
}
