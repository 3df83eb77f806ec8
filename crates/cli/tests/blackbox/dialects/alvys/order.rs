//! What goes out one after another, and what does not (vendors.md ALV-DEL-11).

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{CREATE, Consumer, ask, tender, webhook};
use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::Scene;
use crate::world::until;

/// Passes its challenge; answers an event when the test lets it.
async fn holding(permits: &Arc<Semaphore>) -> Receiver {
    let permits = Arc::clone(permits);
    Receiver::scripted(move |arrival: &Arrival, _| match arrival.json().get("challenge") {
        Some(challenge) => {
            let body = json!({ "challenge": challenge }).to_string();
            Reply::Full { status: 200, headers: Vec::new(), body }
        }
        None => Reply::Held(Arc::clone(&permits), 200),
    })
    .await
}

/// The names of the events that came so far.
fn came(receiver: &Receiver) -> Vec<String> {
    let events = receiver.from(1);
    events.iter().map(|it| it.json()["data"]["name"].as_str().unwrap().to_owned()).collect()
}

/// Waits until so many events have come; answers their names.
async fn first(receiver: &Receiver, count: usize) -> Vec<String> {
    let what = format!("{count} events");
    until(&what, async || Some(came(receiver)).filter(|it| it.len() >= count)).await
}

/// Publishes two events about one thing and then one about another, while the receiver answers none: the second one about
/// the first thing waits, and only that one.
async fn check(event_type: &str, of: fn(&str) -> Value) {
    let scene = Scene::new().await;
    let permits = Arc::new(Semaphore::new(0));
    let receiver = holding(&permits).await;
    let body = CREATE.replace("https://example.com/webhooks", &receiver.url());
    let mut body: Value = serde_json::from_str(&body).unwrap();
    body["Events"] = json!([event_type]);
    ask(&scene.acme.0, http::Method::POST, "", body.to_string()).await.expect(201);
    for (name, thing) in [("one", "a"), ("two", "a"), ("three", "b")] {
        let mut data = of(thing);
        data["name"] = json!(name);
        let event = json!({ "type": event_type, "scope": "sub-12345", "data": data });
        scene.acme.publish(event).await;
    }
    let mut got = first(&receiver, 2).await;
    got.sort_unstable();
    assert_eq!(got, ["one", "three"], "{event_type}");
    permits.add_permits(2);
    assert_eq!(first(&receiver, 3).await[2], "two", "{event_type}");
    permits.add_permits(1);
    scene.acme.count_is("status=succeeded", 3).await;
}

#[tokio::test]
async fn alv_del_11_events_of_one_tender_go_out_one_after_another_and_others_beside_them() {
    check("tender.accepted", |id| json!({ "tenderId": id })).await;
}

#[tokio::test]
async fn alv_del_11_so_do_those_of_one_document() {
    check("load.document.uploaded", |id| json!({ "loadNumber": "1", "document": { "id": id } }))
        .await;
}

#[tokio::test]
async fn alv_del_11_there_is_no_order_beyond_that() {
    let scene = Scene::new().await;
    let permits = Arc::new(Semaphore::new(0));
    let receiver = holding(&permits).await;
    let body = CREATE.replace("https://example.com/webhooks", &receiver.url());
    let mut body: Value = serde_json::from_str(&body).unwrap();
    body["Events"] = json!(["load.changed"]);
    ask(&scene.acme.0, http::Method::POST, "", body.to_string()).await.expect(201);
    for name in ["one", "two"] {
        let data = json!({ "load": { "id": "l1" }, "name": name });
        let event = json!({ "type": "load.changed", "scope": "sub-12345", "data": data });
        scene.acme.publish(event).await;
    }
    first(&receiver, 2).await;
    permits.add_permits(2);
    scene.acme.count_is("status=succeeded", 2).await;
}

#[tokio::test]
async fn alv_del_11_an_event_that_waits_for_its_retry_does_not_hold_up_those_after_it() {
    let scene = Scene::new().await;
    let consumer = Consumer::with(true, 500).await;
    webhook(&scene, &consumer, json!({})).await;
    let first = tender(&scene, "tender.accepted").await;
    let waiting = until("its retry is due later", async || {
        let delivery = scene.acme.delivery_is(&first, "pending").await;
        (delivery["attempts"] == 1).then_some(delivery)
    })
    .await;
    consumer.answers(200);
    let second = tender(&scene, "tender.cancelled").await;
    scene.acme.delivery_is(&second, "succeeded").await;
    assert_eq!(scene.acme.delivery_is(&first, "pending").await, waiting, "10 s are not over");
}
