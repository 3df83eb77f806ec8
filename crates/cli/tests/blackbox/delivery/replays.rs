//! What people set off by hand: replay, retry, cancel, test.

use serde_json::json;

use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Acme, Scene, quick, text};

#[tokio::test]
async fn a_replay_is_a_fresh_delivery_of_the_same_event_to_whom_it_may_concern() {
    let scene = Scene::new().await;
    let (one, two) = (Receiver::start().await, Receiver::start().await);
    let first = scene.acme.endpoint_at(&one.url()).await["id"].clone();
    let event = scene.acme.order(1).await;
    let old = scene.acme.delivery_is(&event, "succeeded").await;
    let late = scene.acme.endpoint_at(&two.url()).await["id"].clone();

    let path = Acme::path(&format!("/events/{event}/replay"));
    scene.acme.0.post(&path, &json!({ "endpoints": [first] })).await.expect(202);
    let arrivals = one.first(2).await;
    assert_eq!(two.count(), 0, "only the one that was named");
    assert_eq!(arrivals[0].event(), arrivals[1].event());
    assert_eq!(arrivals[0].body, arrivals[1].body);

    scene.acme.0.post(&path, &json!({})).await.expect(202);
    one.first(3).await;
    assert_eq!(two.first(1).await[0].event(), event, "one that came later gets it too");
    let all = scene.acme.count_is("status=succeeded", 4).await;
    assert!(all.iter().all(|it| it["event_id"] == event.as_str()));
    assert_eq!(all.iter().filter(|it| it["endpoint_id"] == late).count(), 1);
    assert_eq!(all.iter().filter(|it| it["trigger"] == "manual").count(), 3);
    assert_eq!(all.iter().filter(|it| **it == old).count(), 1, "the old one is as it was");
    let listed = scene.acme.0.get(&Acme::path(&format!("/events/{event}"))).await.expect(200);
    assert_eq!(listed["deliveries"], 4);
}

#[tokio::test]
async fn a_failed_delivery_can_be_retried_by_hand_and_a_succeeded_one_cannot() {
    let scene = Scene::new().await;
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number < 2 { 500 } else { 200 }));
    let receiver = receiver.await;
    let settings = json!({ "url": receiver.url(), "events": "*", "retry": quick(1) });
    scene.acme.endpoint(settings).await;
    let event = scene.acme.order(1).await;
    let failed = scene.acme.delivery_is(&event, "failed").await;
    assert_eq!((&failed["reason"], &failed["attempts"]), (&json!("exhausted"), &json!(2)));
    let retry = Acme::path(&format!("/deliveries/{}/retry", text(&failed["id"])));
    scene.acme.0.post(&retry, &json!({})).await.expect(202);
    let done = scene.acme.delivery_is(&event, "succeeded").await;
    assert_eq!((&done["id"], &done["attempts"]), (&failed["id"], &json!(3)));
    let attempts = scene.acme.attempts(&done["id"]).await;
    let triggers: Vec<_> = attempts.iter().map(|it| text(&it["trigger"])).collect();
    assert_eq!(triggers, ["automatic", "automatic", "manual"]);
    let refused = scene.acme.0.post(&retry, &json!({})).await.expect(409);
    assert_eq!(refused["code"], "already_succeeded");
}

#[tokio::test]
async fn the_first_thing_after_a_restart_may_be_a_retry_or_a_replay_by_hand() {
    let mut scene = Scene::new().await;
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number == 0 { 500 } else { 200 }));
    let receiver = receiver.await;
    let settings = json!({ "url": receiver.url(), "events": "*", "retry": quick(0) });
    scene.acme.endpoint(settings).await;
    let event = scene.acme.order(1).await;
    let failed = scene.acme.delivery_is(&event, "failed").await;
    scene = scene.after_stop().await;
    let retry = Acme::path(&format!("/deliveries/{}/retry", text(&failed["id"])));
    scene.acme.0.post(&retry, &json!({})).await.expect(202);
    scene.acme.delivery_is(&event, "succeeded").await;
    scene = scene.after_stop().await;
    let replay = Acme::path(&format!("/events/{event}/replay"));
    scene.acme.0.post(&replay, &json!({})).await.expect(202);
    scene.acme.count_is("status=succeeded", 2).await;
    assert_eq!(receiver.count(), 3);
}

#[tokio::test]
async fn a_waiting_delivery_can_be_sent_at_once_or_cancelled() {
    let scene = Scene::new().await;
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number < 2 { 500 } else { 200 }));
    let receiver = receiver.await;
    let settings = json!({ "url": receiver.url(), "events": "*", "retry": { "delays_s": [3600] } });
    scene.acme.endpoint(settings).await;
    let (kept, dropped) = (scene.acme.order(1).await, scene.acme.order(2).await);
    receiver.first(2).await;
    let waiting = scene.acme.delivery_is(&dropped, "pending").await;
    let cancel = Acme::path(&format!("/deliveries/{}/cancel", text(&waiting["id"])));
    let cancelled = scene.acme.0.post(&cancel, &json!({})).await.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(scene.acme.0.post(&cancel, &json!({})).await.expect(409)["code"], "already_ended");

    let waiting = scene.acme.delivery_is(&kept, "pending").await;
    let retry = Acme::path(&format!("/deliveries/{}/retry", text(&waiting["id"])));
    scene.acme.0.post(&retry, &json!({})).await.expect(202);
    scene.acme.delivery_is(&kept, "succeeded").await;
    assert_eq!(receiver.count(), 3, "the cancelled one is not sent again");
    assert_eq!(scene.acme.delivery_is(&dropped, "cancelled").await["attempts"], 1);
}

#[tokio::test]
async fn a_retry_right_after_a_failure_is_not_lost_however_often_the_endpoint_has_failed() {
    const FAILURES: usize = 24;
    let scene = Scene::new().await;
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number < FAILURES { 500 } else { 200 }));
    let receiver = receiver.await;
    let settings = json!({ "url": receiver.url(), "events": "*", "retry": { "delays_s": [3600] } });
    scene.acme.endpoint(settings).await;
    let events = scene.acme.orders(0..FAILURES as u64).await;
    let arrivals = receiver.first(FAILURES).await;
    // Outcomes of an endpoint that only fails are written together, a little later.
    let last = &events[usize::try_from(arrivals.last().unwrap().number()).unwrap()];
    let waiting = scene.acme.delivery_is(last, "pending").await;
    let retry = Acme::path(&format!("/deliveries/{}/retry", text(&waiting["id"])));
    scene.acme.0.post(&retry, &json!({})).await.expect(202);
    let delivery = scene.acme.delivery_is(last, "succeeded").await;
    assert_eq!(delivery["attempts"], 2);
}

#[tokio::test]
async fn what_is_held_by_a_pause_and_cancelled_is_never_sent() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let id = scene.acme.endpoint_at(&receiver.url()).await["id"].clone();
    scene.acme.ask(&id, "pause").await;
    let events = scene.acme.orders(0..3).await;
    let held = scene.acme.delivery_is(&events[1], "pending").await;
    let cancel = Acme::path(&format!("/deliveries/{}/cancel", text(&held["id"])));
    scene.acme.0.post(&cancel, &json!({})).await.expect(200);
    scene.acme.ask(&id, "resume").await;
    scene.acme.count_is("status=succeeded", 2).await;
    let mut seen: Vec<_> = receiver.arrivals().iter().map(Arrival::number).collect();
    seen.sort_unstable();
    assert_eq!(seen, [0, 2]);
    scene.acme.delivery_is(&events[1], "cancelled").await;
}

#[tokio::test]
async fn a_test_is_one_signed_request_in_any_state_listed_and_never_retried() {
    let scene = Scene::new().await;
    let receiver = Receiver::scripted(|_, _| Reply::Status(500)).await;
    let settings = json!({ "url": receiver.url(), "events": ["order.created"], "retry": quick(3) });
    let id = scene.acme.endpoint(settings).await["id"].clone();
    let bystander = Receiver::start().await;
    scene.acme.endpoint_at(&bystander.url()).await;
    for (round, verb) in ["resume", "pause", "disable"].into_iter().enumerate() {
        scene.acme.ask(&id, verb).await;
        let tested = scene.acme.ask(&id, "test").await;
        assert_eq!(tested["succeeded"], false, "{tested}");
        let attempt = &tested["attempt"];
        assert_eq!((&attempt["trigger"], &attempt["status_code"]), (&json!("test"), &json!(500)));
        let delivery = scene.acme.delivery_is(text(&tested["event_id"]), "failed").await;
        assert_eq!(delivery["id"], tested["delivery_id"]);
        assert_eq!(json!(scene.acme.attempts(&delivery["id"]).await), json!([attempt]));
        let arrivals = receiver.arrivals();
        assert_eq!(arrivals.len(), round + 1, "one request a test");
        assert_eq!(arrivals[round].json()["type"], "order.created");
        assert!(arrivals[round].header("webhook-signature").starts_with("v1,"));
    }
    assert_eq!(bystander.count(), 0, "a test concerns one endpoint");
    assert_eq!(scene.acme.endpoint_now(&id).await["consecutive_failures"], 0, "tests do not count");
}

#[tokio::test]
async fn a_pending_endpoint_can_be_tested() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let settings = json!({ "url": receiver.url(), "events": "*", "verify": "challenge" });
    let endpoint = scene.acme.endpoint(settings).await;
    assert_eq!(endpoint["status"], "pending");
    let wanted = json!({ "type": "my.own", "data": { "n": 7 } });
    let path = Acme::path(&format!("/endpoints/{}/test", text(&endpoint["id"])));
    let tested = scene.acme.0.post(&path, &wanted).await.expect(200);
    assert_eq!(tested["succeeded"], true, "{tested}");
    let arrival = receiver.arrivals().pop().unwrap();
    assert_eq!((arrival.number(), &arrival.json()["type"]), (7, &json!("my.own")));
    assert_eq!(scene.acme.endpoint_now(&endpoint["id"]).await["status"], "pending");
}
