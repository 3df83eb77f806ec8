//! Event types and payloads (vendors.md §2.11, §2.2).

use http::Method;
use serde_json::{Value, json};

use super::{BASE, Consumer, ask, get, webhook};
use crate::scene::{Acme, Scene, text};

/// The 27 types of vendors.md §2.11.
const TYPES: &str = "\
tender.accepted tender.cancelled tender.rejected tender.invoiced tender.change.accepted tender.stop.arrived \
tender.stop.departed tender.stop.eta_updated tender.bid.submitted tender.created tender.change.created \
load.changed load.status.changed trip.changed trip.status.changed \
load.document.uploaded load.document.deleted trip.document.uploaded trip.document.deleted \
driver.document.uploaded driver.document.deleted carrier.document.uploaded carrier.document.deleted \
truck.document.uploaded truck.document.deleted trailer.document.uploaded trailer.document.deleted";

// vendors.md §2.11.
#[tokio::test]
async fn the_types_of_the_catalogue_are_listed_imported_and_subscribed_to() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let types: Vec<_> = TYPES.split(' ').collect();
    assert_eq!(types.len(), 27);
    let listed = get(&scene, "/event-types").await;
    let listed = listed.as_array().unwrap().iter().filter(|it| it["Subscribable"] == true);
    let listed: Vec<_> = listed.map(|it| text(&it["Name"])).collect();
    assert_eq!(listed, types);
    let catalogue = json!({ "catalogue": "alvys" });
    let imported = scene.acme.0.post(&Acme::path("/event-types/import"), &catalogue).await;
    assert_eq!(imported.expect(200)["names"], json!(types));
    let made = webhook(&scene, &consumer, json!({ "Events": types })).await;
    assert_eq!(made["Events"], json!(types));
    // The seed's spelling is the one that counts, and no pattern is offered.
    for other in ["tender.canceled", "load.updated", "tender.*", "Tender.Accepted"] {
        let mut body: Value = serde_json::from_str(&consumer.create()).unwrap();
        body["Events"] = json!([other]);
        let answer = ask(&scene.acme.0, Method::POST, "", body.to_string()).await;
        super::wrong(&answer, &["Events[0]"]);
    }
}

// vendors.md §2.11: the payloads, as far as they are documented.
#[tokio::test]
async fn every_documented_payload_arrives_as_it_was_published() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let types: Vec<_> = TYPES.split(' ').collect();
    webhook(&scene, &consumer, json!({ "Events": types })).await;
    let document = json!({
        "id": "d1", "attachmentPath": "a/b.pdf", "attachmentType": "BOL", "attachmentSize": 1024,
        "uploadedAt": "2026-07-03T14:26:11Z", "uploadedBy": "u1", "parentId": "l1", "parentType": "Load",
        "downloadUrl": "https://files.example/d1", "expiresAt": "2026-07-03T14:41:11Z",
    });
    for (number, (event_type, data)) in [
        ("tender.accepted", json!({ "tenderId": "t1", "loadId": "l1", "loadNumber": "1001" })),
        ("load.changed", json!({ "load": { "id": "l1" } })),
        (
            "load.status.changed",
            json!({ "previousStatus": "Open", "status": "Covered", "load": { "id": "l1" } }),
        ),
        ("trip.status.changed", json!({ "previousStatus": "A", "status": "B", "trip": null })),
        ("load.document.uploaded", json!({ "loadNumber": "1001", "document": document })),
        ("driver.document.deleted", json!({ "driverId": "d1", "document": { "id": "d1" } })),
        (
            "tender.change.created",
            json!({ "queuedForReview": true, "changeCount": 1, "changeTypes": ["LoadRate"], "tender": {} }),
        ),
        ("tender.stop.arrived", json!({ "stopId": "s1", "arrivedAt": "2026-07-03T14:26:11Z" })),
    ]
    .into_iter()
    .enumerate()
    {
        let event = json!({ "type": event_type, "scope": "sub-12345", "data": data });
        let id = scene.acme.publish(event).await;
        let arrival = consumer.first_events(number + 1).await.pop().unwrap();
        assert_eq!(arrival.header("x-alvys-event-id"), id);
        assert_eq!(arrival.header("x-alvys-event"), event_type);
        let body = arrival.json();
        assert_eq!((&body["type"], &body["data"]), (&json!(event_type), &data));
    }
}

// vendors.md §2.2.
#[tokio::test]
async fn a_delivery_has_the_documented_headers_and_none_of_an_older_page() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    webhook(&scene, &consumer, json!({})).await;
    super::tender(&scene, "tender.accepted").await;
    let arrival = consumer.first_events(1).await.pop().unwrap();
    let mut names: Vec<_> = arrival.headers.iter().map(|it| it.0.as_str()).collect();
    names.sort_unstable();
    let want = [
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-alvys-attempt",
        "x-alvys-event",
        "x-alvys-event-id",
        "x-alvys-signature",
        "x-alvys-timestamp",
    ];
    assert_eq!(names, want);

    let challenge = consumer.receiver.arrivals().remove(0);
    assert_eq!(challenge.header("user-agent"), "Alvys-Webhook/1.0");
    assert_eq!(challenge.header("content-type"), "application/json; charset=utf-8");
    let parts: Vec<_> = challenge.header("traceparent").split('-').collect();
    let lengths: Vec<_> = parts.iter().map(|it| it.len()).collect();
    assert_eq!((parts[0], lengths), ("00", vec![2, 32, 16, 2]), "W3C's form");
    assert!(parts.iter().all(|it| it.bytes().all(|it| it.is_ascii_hexdigit())), "{parts:?}");
}

// vendors.md ALV-DEL-14, §2.9: a limit of the size exists.
#[tokio::test]
async fn a_payload_over_the_tenants_limit_is_refused_when_it_is_published() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    webhook(&scene, &consumer, json!({})).await;
    let limits = json!({ "limits": { "payload_bytes": 2_000 } });
    scene.server.operator().patch("/v1/tenants/acme", &limits).await.expect(200);
    let load = |notes: usize| {
        let data = json!({ "tenderId": "t1", "notes": "x".repeat(notes) });
        json!({ "type": "tender.accepted", "scope": "sub-12345", "data": data })
    };
    let refused = scene.acme.0.post(&Acme::path("/events"), &load(2_000)).await;
    assert_eq!(refused.status, 413, "{refused:?}");
    // A snapshot that is too large is replaced with null by its publisher, and that arrives.
    let without = json!({ "previousStatus": "A", "status": "B", "load": null });
    let event = json!({ "type": "tender.accepted", "scope": "sub-12345", "data": without });
    scene.acme.publish(event).await;
    let arrival = consumer.first_events(1).await.pop().unwrap();
    assert_eq!(arrival.json()["data"]["load"], Value::Null);
    assert_eq!(consumer.events().len(), 1);
}

// vendors.md §2.10: the version stands in the path, and a client may name it beside it.
#[tokio::test]
async fn the_version_may_be_named_in_a_header_or_a_parameter_too() {
    let scene = Scene::new().await;
    let headers = [("api-version", "3.0")];
    let answer = scene.acme.0.send(Method::GET, BASE, &headers, "".into()).await;
    assert_eq!(answer.expect(200)["Total"], 0);
    assert_eq!(get(&scene, "?api-version=1.0").await["Total"], 0);
}
