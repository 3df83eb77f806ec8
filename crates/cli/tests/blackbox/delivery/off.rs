//! Endpoints that are disabled or deleted: nothing more is sent, everything stays listed.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::Semaphore;

use crate::receiver::{Receiver, Reply};
use crate::scene::{Acme, Scene, quick, text};
use crate::world::until;

#[tokio::test]
async fn a_disabled_endpoints_events_are_discarded_and_listed_with_the_reason() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let id = scene.acme.endpoint_at(&receiver.url()).await["id"].clone();
    let off = scene.acme.ask(&id, "disable").await;
    assert_eq!((&off["status"], &off["disabled_reason"]), (&json!("disabled"), &json!("manual")));
    let event = scene.acme.order(1).await;
    let delivery = scene.acme.delivery_is(&event, "discarded").await;
    assert_eq!(delivery["reason"], "endpoint_disabled");
    assert_eq!((&delivery["endpoint_id"], &delivery["attempts"]), (&id, &json!(0)));

    let on = scene.acme.ask(&id, "enable").await;
    assert_eq!((&on["status"], &on["disabled_reason"]), (&json!("active"), &json!(null)));
    let event = scene.acme.order(2).await;
    scene.acme.delivery_is(&event, "succeeded").await;
    assert_eq!(receiver.count(), 1, "what was discarded is not sent by itself");
    let discarded = scene.acme.deliveries("status=discarded").await;
    assert_eq!(discarded, [delivery]);
}

#[tokio::test]
async fn whatever_waits_when_an_endpoint_is_disabled_is_discarded_too() {
    let scene = Scene::new().await;
    let receiver = Receiver::scripted(|_, _| Reply::Status(500)).await;
    let settings = json!({ "url": receiver.url(), "events": "*", "retry": { "delays_s": [3600] } });
    let id = scene.acme.endpoint(settings).await["id"].clone();
    for n in 0..50 {
        scene.acme.order(n).await;
    }
    receiver.first(1).await;
    scene.acme.ask(&id, "disable").await;
    let discarded = scene.acme.count_is("status=discarded", 50).await;
    assert!(discarded.iter().all(|it| it["reason"] == "endpoint_disabled"));
    let before = receiver.count();
    scene.acme.order(50).await;
    scene.acme.count_is("status=discarded", 51).await;
    assert_eq!(receiver.count(), before);
}

#[tokio::test]
async fn an_attempt_under_way_when_its_endpoint_is_switched_off_is_not_followed_by_another() {
    let scene = Scene::new().await;
    for verb in ["disable", "delete"] {
        let gate = Arc::new(Semaphore::new(0));
        let held = Arc::clone(&gate);
        let receiver = Receiver::scripted(move |_, _| Reply::Held(Arc::clone(&held), 500)).await;
        let retry = json!({ "delays_s": [3600] });
        let settings = json!({ "url": receiver.url(), "events": [verb], "retry": retry });
        let id = scene.acme.endpoint(settings).await["id"].clone();
        let event = scene.acme.publish(json!({ "type": verb, "data": 1 })).await;
        receiver.first(1).await;
        if verb == "disable" {
            scene.acme.ask(&id, verb).await;
        } else {
            let path = Acme::path(&format!("/endpoints/{}", text(&id)));
            assert_eq!(scene.acme.0.delete(&path).await.status, 204);
        }
        gate.add_permits(1);
        let delivery = scene.acme.delivery_is(&event, "discarded").await;
        assert_eq!(delivery["reason"], format!("endpoint_{verb}d"));
        assert_eq!(delivery["attempts"], 1, "what was tried is counted");
    }
}

#[tokio::test]
async fn a_deleted_endpoint_gets_nothing_more_and_its_deliveries_stay_listed() {
    let scene = Scene::new().await;
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number == 0 { 200 } else { 500 }));
    let receiver = receiver.await;
    let settings = json!({ "url": receiver.url(), "events": "*", "retry": { "delays_s": [3600] } });
    let id = scene.acme.endpoint(settings).await["id"].clone();
    let first = scene.acme.order(1).await;
    scene.acme.delivery_is(&first, "succeeded").await;
    let second = scene.acme.order(2).await;
    receiver.first(2).await;
    let path = Acme::path(&format!("/endpoints/{}", text(&id)));
    assert_eq!(scene.acme.0.delete(&path).await.status, 204);
    let delivery = scene.acme.delivery_is(&second, "discarded").await;
    assert_eq!(delivery["reason"], "endpoint_deleted");
    let made = scene.acme.0.post(&Acme::path("/events"), &crate::scene::order(3)).await.expect(202);
    assert_eq!(made["deliveries"], 0);

    let listed = scene.acme.deliveries(&format!("endpoint={}", text(&id))).await;
    assert_eq!(listed.len(), 2);
    assert_eq!(
        (&listed[0]["status"], &listed[1]["status"]),
        (&json!("discarded"), &json!("succeeded"))
    );
    assert_eq!(scene.acme.attempts(&listed[1]["id"]).await.len(), 1);
    let retry = Acme::path(&format!("/deliveries/{}/retry", text(&listed[0]["id"])));
    let refused = scene.acme.0.post(&retry, &json!({})).await.expect(409);
    assert_eq!(refused["code"], "endpoint_deleted");

    let scene = scene.after_kill_9().await;
    let again = scene.acme.deliveries(&format!("endpoint={}", text(&id))).await;
    assert_eq!(again, listed, "a restart changes nothing of it");
}

#[tokio::test]
async fn a_receiver_that_answers_410_is_switched_off_and_may_be_switched_on_again() {
    let scene = Scene::new().await;
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number == 0 { 410 } else { 200 }));
    let receiver = receiver.await;
    let id = scene.acme.endpoint_at(&receiver.url()).await["id"].clone();
    let event = scene.acme.order(1).await;
    let delivery = scene.acme.delivery_is(&event, "failed").await;
    assert_eq!((&delivery["reason"], &delivery["attempts"]), (&json!("terminal"), &json!(1)));
    let off = until("it is off", async || {
        let now = scene.acme.endpoint_now(&id).await;
        (now["status"] == "disabled").then_some(now)
    })
    .await;
    assert_eq!(off["disabled_reason"], "gone");
    let next = scene.acme.order(2).await;
    scene.acme.delivery_is(&next, "discarded").await;
    scene.acme.ask(&id, "enable").await;
    let last = scene.acme.order(3).await;
    scene.acme.delivery_is(&last, "succeeded").await;
    assert_eq!(receiver.count(), 2);
}

#[tokio::test]
async fn an_endpoint_that_does_nothing_but_fail_is_switched_off_by_its_own_rule() {
    let scene = Scene::new().await;
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number == 2 { 200 } else { 500 }));
    let receiver = receiver.await;
    let retry = json!({ "delays_s": [] });
    let settings = json!({
        "url": receiver.url(), "events": "*", "retry": retry, "auto_disable": { "after_events": 3 },
    });
    let id = scene.acme.endpoint(settings).await["id"].clone();
    for n in 0..5 {
        let event = scene.acme.order(n).await;
        let status = if n == 2 { "succeeded" } else { "failed" };
        scene.acme.delivery_is(&event, status).await;
    }
    let on = scene.acme.endpoint_now(&id).await;
    assert_eq!((&on["status"], &on["consecutive_failures"]), (&json!("active"), &json!(2)));
    let event = scene.acme.order(5).await;
    scene.acme.delivery_is(&event, "failed").await;
    let off = until("it is off", async || {
        let now = scene.acme.endpoint_now(&id).await;
        (now["status"] == "disabled").then_some(now)
    })
    .await;
    assert_eq!(
        (&off["disabled_reason"], &off["consecutive_failures"]),
        (&json!("failures"), &json!(3))
    );

    let never = json!({
        "url": receiver.url(), "events": "*", "retry": quick(0), "auto_disable": false, "profile": "alvys",
        "verify": "none",
    });
    let id = scene.acme.endpoint(never).await["id"].clone();
    for n in 10..25 {
        scene.acme.order(n).await;
    }
    scene.acme.count_is(&format!("status=failed&endpoint={}", text(&id)), 15).await;
    assert_eq!(scene.acme.endpoint_now(&id).await["status"], "active");
}
