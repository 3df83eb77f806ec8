//! Pause: what an endpoint is owed is held, and sent in order when it is resumed.

use serde_json::json;

use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Scene, quick, text};

/// More than a lane holds in memory.
const MANY: u64 = 1_300;

#[tokio::test]
async fn a_paused_endpoints_events_are_held_and_drained_in_order() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let settings = json!({ "url": receiver.url(), "events": "*" });
    let id = scene.acme.endpoint(settings).await["id"].clone();
    let first = scene.acme.order(0).await;
    scene.acme.delivery_is(&first, "succeeded").await;
    assert_eq!(scene.acme.ask(&id, "pause").await["status"], "paused");
    for from in [1, 651] {
        scene.acme.orders(from..from + MANY / 2).await;
    }
    assert_eq!(scene.acme.deliveries("status=pending").await.len(), 1_300);
    assert_eq!(receiver.count(), 1, "nothing is sent while it is paused");
    assert_eq!(scene.acme.ask(&id, "resume").await["status"], "active");
    let arrivals = receiver.first(1_301).await;
    let numbers: Vec<_> = arrivals.iter().map(Arrival::number).collect();
    assert_eq!(numbers, (0..=MANY).collect::<Vec<_>>());
    scene.acme.count_is("status=pending", 0).await;
    assert_eq!(receiver.count(), 1_301, "each once");
}

#[tokio::test]
async fn a_pause_holds_retries_too_and_they_go_out_after_it() {
    let scene = Scene::new().await;
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number == 0 { 500 } else { 200 }));
    let receiver = receiver.await;
    let settings = json!({ "url": receiver.url(), "events": "*", "retry": quick(3) });
    let id = scene.acme.endpoint(settings).await["id"].clone();
    let held = scene.acme.order(1).await;
    receiver.first(1).await;
    scene.acme.ask(&id, "pause").await;
    // Another endpoint's retry, due later, shows that the held one's time has gone by.
    let other = Receiver::scripted(|_, number| Reply::Status(if number < 2 { 500 } else { 200 }));
    let other = other.await;
    let settings = json!({ "url": other.url(), "events": ["later"], "retry": quick(3) });
    scene.acme.endpoint(settings).await;
    scene.acme.publish(json!({ "type": "later", "data": { "n": 2 } })).await;
    other.first(3).await;
    assert_eq!(receiver.count(), 1, "a retry was sent to a paused endpoint");
    scene.acme.ask(&id, "resume").await;
    let delivery = scene.acme.delivery_is(&held, "succeeded").await;
    assert_eq!(delivery["attempts"], 2);
}

#[tokio::test]
async fn a_paused_endpoint_can_be_tested_but_not_resumed_when_it_is_disabled() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let id = scene.acme.endpoint_at(&receiver.url()).await["id"].clone();
    scene.acme.ask(&id, "pause").await;
    scene.acme.orders(0..3).await;
    let result = scene.acme.ask(&id, "test").await;
    assert_eq!(result["succeeded"], true, "{result}");
    assert_eq!(receiver.count(), 1, "the test alone");
    scene.acme.ask(&id, "disable").await;
    let discarded = scene.acme.count_is("status=discarded", 3).await;
    assert!(discarded.iter().all(|it| it["reason"] == "endpoint_disabled"));
    for verb in ["pause", "resume"] {
        let path = crate::scene::Acme::path(&format!("/endpoints/{}/{verb}", text(&id)));
        let refused = scene.acme.0.post(&path, &json!({})).await.expect(409);
        assert_eq!(refused["code"], "endpoint_disabled");
    }
}
