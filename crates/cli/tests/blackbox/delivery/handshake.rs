//! The challenge: what an endpoint must echo before it gets anything.

use std::sync::{Arc, Mutex};

use hookyard_testkit::sink::{Gate, Reply as SinkReply, Sink};
use serde_json::json;

use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Acme, Scene, order, text};

/// How a receiver answers a challenge; it takes everything else.
type Answer = fn(&str) -> (u16, String);

fn right(challenge: &str) -> (u16, String) {
    (200, json!({ "challenge": challenge }).to_string())
}

async fn receiver(answer: Answer) -> (Receiver, Arc<Mutex<Answer>>) {
    let answer = Arc::new(Mutex::new(answer));
    let current = Arc::clone(&answer);
    let receiver = Receiver::scripted(move |arrival: &Arrival, _| {
        let Some(challenge) = arrival.json()["challenge"].as_str().map(ToOwned::to_owned) else {
            return Reply::Status(200);
        };
        let (status, body) = current.lock().unwrap()(&challenge);
        Reply::Full { status, headers: Vec::new(), body }
    })
    .await;
    (receiver, answer)
}

#[tokio::test]
async fn an_endpoint_that_echoes_its_challenge_is_active_and_gets_events() {
    let scene = Scene::new().await;
    let (receiver, _) = receiver(right).await;
    let settings = json!({ "url": receiver.url(), "events": "*", "profile": "alvys" });
    let endpoint = scene.acme.endpoint(settings).await;
    assert_eq!(endpoint["status"], "active", "{endpoint}");
    scene.acme.order(1).await;
    let arrivals = receiver.first(2).await;

    let challenge = &arrivals[0];
    assert_eq!(challenge.header("x-alvys-event"), "webhook.verification");
    assert_eq!(challenge.header("user-agent"), "Alvys-Webhook/1.0");
    assert_eq!(challenge.header("content-type"), "application/json; charset=utf-8");
    assert!(!challenge.has("x-alvys-signature"), "a challenge is not signed (ALV-SIG-9)");
    let token = challenge.header("x-alvys-challenge");
    assert_eq!(challenge.json(), json!({ "type": "webhook.verification", "challenge": token }));
    assert_eq!(arrivals[1].header("x-alvys-event"), "order.created");
}

#[tokio::test]
async fn whatever_is_not_the_exact_echo_leaves_it_pending_and_its_events_are_discarded_and_listed()
{
    let scene = Scene::new().await;
    let (receiver, answer) = receiver(|_| (200, "{}".to_owned())).await;
    let settings = json!({ "url": receiver.url(), "events": "*", "profile": "alvys" });
    let endpoint = scene.acme.endpoint(settings).await;
    let id = &endpoint["id"];
    assert_eq!(endpoint["status"], "pending", "{endpoint}");
    let wrong: [Answer; 6] = [
        |it| (500, right(it).1),
        |it| (201, right(it).1),
        |it| (200, it.to_owned()),
        |it| (200, json!({ "data": { "challenge": it } }).to_string()),
        |it| (200, json!({ "Challenge": it }).to_string()),
        |it| (200, json!({ "challenge": format!("{it} ") }).to_string()),
    ];
    for wrong in wrong {
        *answer.lock().unwrap() = wrong;
        let result = scene.acme.ask(id, "verify").await;
        assert_eq!(result["verified"], false, "{result}");
        assert!(!text(&result["reason"]).is_empty());
        assert_eq!(result["endpoint"]["status"], "pending", "{result}");
    }
    let event = scene.acme.order(1).await;
    let delivery = scene.acme.delivery_is(&event, "discarded").await;
    assert_eq!(delivery["reason"], "endpoint_pending");

    *answer.lock().unwrap() = right;
    let result = scene.acme.ask(id, "verify").await;
    assert_eq!((&result["verified"], &result["reason"]), (&json!(true), &json!(null)));
    assert_eq!(result["endpoint"]["status"], "active");
    let before = receiver.count();
    let event = scene.acme.order(2).await;
    scene.acme.delivery_is(&event, "succeeded").await;
    assert_eq!(receiver.count(), before + 1, "what came while it was pending stays discarded");
}

#[tokio::test]
async fn another_url_must_prove_itself_again_and_another_name_need_not() {
    let scene = Scene::new().await;
    let (good, _) = receiver(right).await;
    let (bad, answer) = receiver(|_| (404, String::new())).await;
    let settings = json!({ "url": good.url(), "events": "*", "profile": "alvys" });
    let endpoint = scene.acme.endpoint(settings).await;
    let path = Acme::path(&format!("/endpoints/{}", text(&endpoint["id"])));
    let renamed = scene.acme.0.patch(&path, &json!({ "name": "New", "events": ["order.*"] })).await;
    assert_eq!(renamed.expect(200)["status"], "active");
    assert_eq!(good.count(), 1, "not challenged again");

    let moved = scene.acme.0.patch(&path, &json!({ "url": bad.url() })).await.expect(200);
    assert_eq!(moved["status"], "pending", "{moved}");
    let event = scene.acme.order(1).await;
    scene.acme.delivery_is(&event, "discarded").await;

    *answer.lock().unwrap() = right;
    scene.acme.ask(&endpoint["id"], "verify").await;
    let event = scene.acme.order(2).await;
    scene.acme.delivery_is(&event, "succeeded").await;
    let last = bad.arrivals().pop().unwrap();
    assert_eq!(last.header("x-alvys-event"), "order.created");
    assert_eq!(good.count(), 1, "nothing goes to the old address");
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_a_challenge_is_given_three_seconds() {
    let scene = Scene::new().await;
    let receiver = Receiver::scripted(|_, _| Reply::Hang).await;
    let settings = json!({ "url": receiver.url(), "events": "*", "verify": "challenge" });
    let began = tokio::time::Instant::now();
    let endpoint = scene.acme.endpoint(settings).await;
    let took = began.elapsed().as_secs_f64();
    assert!((2.9..10.0).contains(&took), "{took} s");
    assert_eq!(endpoint["status"], "pending");
    let answer = scene.acme.0.post(&Acme::path("/events"), &order(1)).await.expect(202);
    scene.acme.delivery_is(text(&answer["id"]), "discarded").await;
}

#[tokio::test]
async fn a_challenged_endpoint_that_is_enabled_again_is_challenged_again() {
    let scene = Scene::new().await;
    let (receiver, answer) = receiver(right).await;
    let settings = json!({ "url": receiver.url(), "events": "*", "profile": "alvys" });
    let id = scene.acme.endpoint(settings).await["id"].clone();
    scene.acme.ask(&id, "disable").await;
    *answer.lock().unwrap() = |_| (500, String::new());
    assert_eq!(scene.acme.ask(&id, "enable").await["status"], "pending");
    *answer.lock().unwrap() = right;
    assert_eq!(scene.acme.ask(&id, "enable").await["status"], "active");
    assert_eq!(receiver.count(), 3);
}

#[tokio::test]
async fn a_held_endpoint_stays_held_when_its_url_changes_and_proves_itself_when_resumed() {
    let scene = Scene::new().await;
    let (old, _) = receiver(right).await;
    let (new, answer) = receiver(|_| (404, String::new())).await;
    let settings = json!({ "url": old.url(), "events": "*", "profile": "alvys" });
    let endpoint = scene.acme.endpoint(settings).await;
    scene.acme.ask(&endpoint["id"], "pause").await;
    let event = scene.acme.order(1).await;
    let path = Acme::path(&format!("/endpoints/{}", text(&endpoint["id"])));
    let moved = scene.acme.0.patch(&path, &json!({ "url": new.url() })).await.expect(200);
    assert_eq!(moved["status"], "paused", "{moved}");

    let refused = scene.acme.ask(&endpoint["id"], "resume").await;
    assert_eq!(refused["status"], "pending", "{refused}");
    *answer.lock().unwrap() = right;
    scene.acme.ask(&endpoint["id"], "verify").await;
    scene.acme.delivery_is(&event, "succeeded").await;
    assert_eq!(new.arrivals().pop().unwrap().header("x-alvys-event"), "order.created");
}

#[tokio::test]
async fn an_echo_that_comes_after_the_url_was_changed_proves_nothing() {
    let scene = Scene::new().await;
    let (victim, _) = receiver(|_| (500, String::new())).await;
    let settings = json!({ "url": victim.url(), "events": "*", "profile": "alvys" });
    let endpoint = scene.acme.endpoint(settings).await;
    let path = Acme::path(&format!("/endpoints/{}", text(&endpoint["id"])));
    // Its echo is held back until the URL has been changed back.
    let gate = Gate::default();
    let held = gate.clone();
    let sink = Sink::start().await;
    sink.answer_by(move |received, _| {
        let body: serde_json::Value = serde_json::from_slice(&received.body).unwrap();
        let echo = right(body["challenge"].as_str().unwrap_or_default()).1;
        SinkReply::status(200).body(echo).held(&held)
    });
    let elsewhere = json!({ "url": sink.url("/in") });
    let away = scene.acme.0.patch(&path, &elsewhere);
    let back = async {
        sink.wait_for(1).await;
        let back = scene.acme.0.patch(&path, &json!({ "url": victim.url() })).await;
        gate.open();
        back.expect(200)
    };
    let (_, back) = tokio::join!(away, back);
    assert_eq!(back["status"], "pending", "{back}");
    let now = scene.acme.0.get(&path).await.expect(200);
    assert_eq!((&now["status"], &now["url"]), (&json!("pending"), &json!(victim.url())));
}
