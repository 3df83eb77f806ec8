//! Paused, disabled, deleted; and `kill -9` right after the answer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::receive::{Sender, at_once};
use crate::receiver::{Arrival, Receiver};
use crate::scene::{Acme, Scene, text};
use crate::world::Answer;

/// More than are released in one go.
const HELD: u64 = 600;

async fn act(acme: &Acme, sender: &Sender, verb: &str) -> Answer {
    let path = format!("/sources/{}/{verb}", text(&sender.source["id"]));
    acme.0.post(&Acme::path(&path), &json!({})).await
}

fn body(n: u64) -> String {
    json!({ "type": "order.created", "n": n }).to_string()
}

fn numbers(arrivals: &[Arrival]) -> Vec<u64> {
    arrivals.iter().map(Arrival::number).collect()
}

/// An endpoint that takes one at a time, in order.
fn in_order(receiver: &Receiver) -> Value {
    json!({ "url": receiver.url(), "events": "*", "ordered": true })
}

#[tokio::test]
async fn what_a_paused_source_received_is_passed_on_at_resume_in_order_each_event_once() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.acme.endpoint(in_order(&receiver)).await;
    let sender = Sender::new(&scene, json!({})).await;
    act(&scene.acme, &sender, "pause").await.expect(200);
    let mut events = Vec::new();
    for n in 0..HELD {
        events.push(sender.event(&[], body(n)).await);
    }
    assert!(scene.acme.deliveries("").await.is_empty(), "owed to nobody yet");
    assert_eq!(sender.events(&scene.acme).await.len(), 250, "a page of them recorded");
    act(&scene.acme, &sender, "resume").await.expect(200);
    let arrivals = receiver.first(HELD as usize).await;
    assert_eq!(numbers(&arrivals), (0..HELD).collect::<Vec<_>>());
    scene.acme.count_is("status=succeeded", HELD as usize).await;
    for event in &events {
        assert_eq!(scene.acme.deliveries_of(event).await.len(), 1);
    }
    sender.event(&[], body(HELD)).await;
    assert_eq!(receiver.first(HELD as usize + 1).await[HELD as usize].number(), HELD);
    assert_eq!(receiver.count(), HELD as usize + 1);
}

#[tokio::test]
async fn however_often_it_is_paused_under_load_each_event_goes_out_once() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.acme.endpoint_at(&receiver.url()).await;
    let sender = Sender::new(&scene, json!({})).await;
    let toggling = async {
        for _ in 0..15 {
            for verb in ["pause", "resume"] {
                act(&scene.acme, &sender, verb).await.expect(200);
            }
        }
    };
    let sending = at_once((0..8_u64).map(|worker| {
        let sender = sender.clone();
        async move {
            for n in 0..40 {
                sender.event(&[], body(worker * 40 + n)).await;
            }
        }
    }));
    tokio::join!(toggling, sending);
    scene.acme.count_is("status=succeeded", 320).await;
    let all = numbers(&receiver.arrivals());
    let distinct: BTreeSet<_> = all.iter().collect();
    assert_eq!((all.len(), distinct.len()), (320, 320));
}

#[tokio::test]
async fn held_events_survive_a_kill_and_go_to_who_wants_them_when_they_are_released() {
    let scene = Scene::new().await;
    let sender = Sender::new(&scene, json!({})).await;
    act(&scene.acme, &sender, "pause").await.expect(200);
    for n in 0..50 {
        sender.event(&[], body(n)).await;
    }
    let scene = scene.after_kill_9().await;
    let sender = sender.at(&scene.acme);
    sender.event(&[], body(50)).await;
    // Made after they were received: they are matched when they are released.
    let receiver = Receiver::start().await;
    scene.acme.endpoint(in_order(&receiver)).await;
    act(&scene.acme, &sender, "resume").await.expect(200);
    let scene = scene.after_kill_9().await;
    scene.acme.count_is("status=succeeded", 51).await;
    let all: BTreeSet<_> = numbers(&receiver.arrivals()).into_iter().collect();
    assert_eq!(all.len(), 51);
}

#[tokio::test]
async fn a_disabled_source_answers_403_and_keeps_nothing_until_it_is_enabled() {
    let scene = Scene::new().await;
    let sender = Sender::new(&scene, json!({})).await;
    act(&scene.acme, &sender, "disable").await.expect(200);
    let refused = sender.send(&[], body(1)).await;
    assert_eq!(refused.expect(403)["code"], "source_disabled");
    assert!(sender.events(&scene.acme).await.is_empty());
    act(&scene.acme, &sender, "enable").await.expect(200);
    sender.event(&[], body(1)).await;
    assert_eq!(sender.events(&scene.acme).await.len(), 1);
}

#[tokio::test]
async fn a_deleted_source_is_gone_at_once_and_its_events_stay() {
    let scene = Scene::new().await;
    let sender = Sender::new(&scene, json!({})).await;
    let event = sender.event(&[], body(1)).await;
    let path = Acme::path(&format!("/sources/{}", text(&sender.source["id"])));
    assert_eq!(scene.acme.0.delete(&path).await.status, 204);
    assert_eq!(sender.send(&[], body(2)).await.status, 404);
    let kept = scene.acme.0.get(&Acme::path(&format!("/events/{event}"))).await.expect(200);
    assert_eq!(kept["source"], sender.source["id"]);
}

#[tokio::test]
async fn what_was_answered_with_200_is_there_after_a_kill_and_is_delivered() {
    let mut scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.acme.endpoint_at(&receiver.url()).await;
    let mut sender = Sender::new(&scene, json!({})).await;
    let mut events = Vec::new();
    for round in 0..5 {
        let all = (0..20).map(|n| {
            let (sender, key) = (sender.clone(), format!("{round}-{n}"));
            async move { sender.event(&[("Idempotency-Key", &key)], body(round * 20 + n)).await }
        });
        events.extend(at_once(all).await);
        // Right after the last answer.
        scene = scene.after_kill_9().await;
        sender = sender.at(&scene.acme);
        let again = sender.event(&[("Idempotency-Key", &format!("{round}-7"))], body(0)).await;
        assert_eq!(again, events[(round * 20 + 7) as usize], "known after the kill too");
    }
    for event in &events {
        scene.acme.delivery_is(event, "succeeded").await;
    }
    let all: BTreeSet<_> = numbers(&receiver.arrivals()).into_iter().collect();
    assert_eq!(all.len(), 100);
}
